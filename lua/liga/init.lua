--- liga: an association-centred ORM for Lua 5.4 on SQLite and PostgreSQL.
local core = require "liga.core"
core.set_source_prefix(debug.getinfo(1, "S").source:match "^(.*)init%.lua$" or "")

local association = require "liga.association"
local database = require "liga.database"
local errors = require "liga.errors"
local inflect = require "liga.inflect"
local instance = require "liga.instance"
local markers = require "liga.markers"
local options = require "liga.options"
local readonly = require "liga.readonly"
local types = require "liga.types"
require "liga.handlers"

local liga = {
  version = "0.1.0",
  connect = database.connect,
  types = types,
  Op = core.Op,
  null = core.null,
  NOW = markers.NOW, UUIDV4 = markers.UUIDV4, UUIDV7 = markers.UUIDV7,
  fn = core.fn, col = core.col, cast = core.cast, literal = core.literal, sql = core.sql, where = core.where,
  array = core.json.array,
  inflect = inflect,
  reflect = {},
  Error = errors.Error,
  isError = errors.is,
  methods = readonly.view(instance.names, "liga.methods"),
}

liga.Op.col = core.col

-- A misspelt operator is no nil, which Lua would call, or refuse as a key, without saying which one it was.
setmetatable(liga.Op, {
  __name = "liga.Op",
  __index = function(_, name)
    local names = {}
    for known in next, liga.Op do names[#names + 1] = known end
    table.sort(names)
    errors.usage("liga.Op has no operator %s%s", errors.text(name), options.hint(name, names))
  end,
})

-- Loaded when it is used: most programs never are.
for _, name in ipairs { "source", "view" } do
  liga.reflect[name] = function(...) return require("liga.reflect")[name](...) end
end

--- `liga.json.encode(value)`, `liga.json.decode(text)`; `liga.json("meta", "tags", 1)` addresses a path in a JSON
-- attribute, as a key of a where or in order, attributes and group: a text is a key as it stands, an integer an index,
-- from 1 as in Lua.
liga.json = setmetatable({ encode = core.json.encode, decode = core.json.decode }, {
  __call = function(_, ...) return core.json_path(...) end,
})

--- The model of an instance; nil for anything else.
function liga.modelOf(value)
  return value ~= nil and core.class_of(value) or nil
end

for _, kind in ipairs { "belongsTo", "hasOne", "hasMany", "belongsToMany" } do
  --- An association among the attributes of `define`, by name, before the target exists.
  liga[kind] = function(target, given) return association.marker(kind, target, given) end
end

-- liga.STRING: a fresh descriptor at each access; a misspelt type is no nil.
return setmetatable(liga, {
  __index = function(_, name)
    if type(name) == "string" and name:find "^%u%u" then return types[name] end
  end,
})
