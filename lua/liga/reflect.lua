--- `db:reflect()`: models and associations from a database that is there; `liga.reflect.source(db)`: the same as Lua
-- code.
local core = require "liga.core"
local define = require "liga.define"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local options = require "liga.options"
local plan = require "liga.reflect.plan"

local reflect = {}

local allowed = { schema = true, tables = true, views = true, naming = true }

local function check_options(db, what, given, more, progress)
  local meta = type(db) == "table" and getmetatable(db)
  if not meta or meta.__name ~= "liga.Database" then errors.usage("%s: a database expected, got %s", what, type(db)) end
  if progress ~= nil and type(progress) ~= "function" then
    errors.usage("%s: progress must be a function, got %s", what, type(progress))
  end
  if given == nil then return {} end
  if type(given) ~= "table" or getmetatable(given) then
    errors.usage("%s: options must be a table, got %s", what, type(given))
  end
  local names = options.copy(allowed)
  for name in pairs(more or {}) do names[name] = true end
  options.check(what, given, names)
  options.kind(what, given, "schema", "string")
  options.kind(what, given, "naming", "function")
  options.kind(what, given, "previous", "string")
  if given.schema ~= nil and not dialect.of(db).schemas then errors.usage("%s: schema: SQLite has none", what) end
  return given
end

-- Declaring ----------------------------------------------------------------------------------------------------------

-- `literal` is what SQL texts become: `liga.literal` itself, or the code for it.

local function default_value(default, literal)
  if default == nil then return nil end
  if default.sql then return literal(default.sql) end
  return default.value
end

local function attribute_entry(entry, literal)
  local given = {
    entry.name, entry.type, columnName = entry.column, autoIncrement = entry.autoIncrement or nil,
    primaryKey = entry.primaryKey and true or nil, defaultValue = default_value(entry.default, literal),
    references = entry.references, onDelete = entry.onDelete, onUpdate = entry.onUpdate, comment = entry.comment,
  }
  if not entry.allowNull and not entry.primaryKey then given.allowNull = false end
  return given
end

local function attribute_list(model, literal)
  local list = {}
  for i, entry in ipairs(model.attributes) do list[i] = attribute_entry(entry, literal) end
  return list
end

local function index_entry(index, literal)
  local fields = {}
  for i, field in ipairs(index.fields) do
    fields[i] = field.order and { field.name, order = field.order } or field.name
  end
  return {
    name = index.name, unique = index.unique or nil, fields = fields, using = index.using,
    where = index.where and literal(index.where) or nil,
  }
end

--- The options of a model, as `define` takes them.
local function model_options(model, literal)
  local given = {
    tableName = model.item.name, timestamps = false, comment = model.item.comment, schema = model.schema,
  }
  if #model.primaryKey == 0 then given.primaryKey = false end
  if #model.primaryKey > 1 then given.primaryKey = model.primaryKey end
  if model.timestamps then
    given.timestamps = true
    for _, name in ipairs { "createdAt", "updatedAt" } do
      if not model.timestamps[name] then given[name] = false end
    end
  end
  if #model.indexes > 0 then
    given.indexes = {}
    for i, index in ipairs(model.indexes) do given.indexes[i] = index_entry(index, literal) end
  end
  return given
end

local function key_options(association)
  local keys = {}
  for i, name in ipairs(association.foreignKey) do keys[i] = name end
  local rule = association.rule or {}
  keys.onDelete, keys.onUpdate = rule.onDelete, rule.onUpdate
  keys.deferrable, keys.constraints = rule.deferrable, rule.constraints
  return keys
end

--- A key of one part by its name, where nothing else is said of it.
local function short(keys)
  return keys and #keys == 1 and keys[1] or keys
end

--- The options of an association, as the definers take them.
local function association_options(association)
  local keys = key_options(association)
  if #keys == 1 then keys.name, keys[1] = keys[1], nil end
  local given = {
    as = association.as, foreignKey = keys, targetKey = short(association.targetKey),
    sourceKey = short(association.sourceKey), inverse = association.inverse, otherKey = short(association.otherKey),
  }
  if association.through then
    given.throughAssociations = association.links
    given.through = { unique = association.unique }
  end
  return given
end

local reading_only = [[create bulkCreate update destroy increment decrement upsert truncate restore findOrCreate sync
  drop]]

--- Makes a model one of a view: what writes raises UsageError, sync and drop of the database leave it out.
-- @param class the model
-- @return the model
function reflect.view(class)
  if not core.is_class(class) then errors.usage("liga.reflect.view: a model expected, got %s", type(class)) end
  getmetatable(class).view = true
  for name in reading_only:gmatch "%a+" do
    class[name] = function() errors.usage("%s: %s: the model is of a view and can only be read", class.name, name) end
  end
  for _, name in ipairs { "save", "update", "destroy", "increment", "decrement" } do
    class.methods[name] = function()
      errors.usage("%s: %s: the model is of a view and can only be read", class.name, name)
    end
  end
  return class
end

--- What a connection gives to all its models must not add columns to tables that are there.
local function without_defaults(db, given)
  for _, name in ipairs { "paranoid", "version", "underscored" } do
    if (db._.define or {})[name] and given[name] == nil then given[name] = false end
  end
  return given
end

local function declare_models(db, read)
  local made = {}
  for _, model in ipairs(read.models) do
    if not model.class then
      model.class = define.model(db, model.name, attribute_list(model, core.literal),
        without_defaults(db, model_options(model, core.literal)))
      if model.view then reflect.view(model.class) end
      made[#made + 1] = model.class
    end
  end
  return made
end

local function declare_association(association)
  local source, target = association.source.class, association.target.class
  local given = association_options(association)
  if association.through then given.through.model = association.through.class end
  source[association.kind](source, target, given)
end

--- Models and associations from the tables that are there. Models that are defined for a table already are kept, and
-- gain the associations they miss.
-- @param db the connection
-- @param given {schema, tables = list or function(name), views = boolean or list, naming = function(kind, default,
-- info)}
-- @param progress function(tables read, of how many), or nil
-- @return list of the models made
function reflect.reflect(db, given, progress)
  given = check_options(db, "reflect", given, nil, progress)
  local read = plan.read(db, given, false, progress)
  local made = declare_models(db, read)
  for _, association in ipairs(read.associations) do declare_association(association) end
  return made
end

--- A models file: Lua code that returns `function(db) … end`, which defines the same models and associations.
-- @param db the connection; what is defined on it does not matter
-- @param given as `reflect`, and `previous`: the text of the file as it was, whose hand-made regions are kept
-- @param progress function(tables read, of how many), or nil
-- @return text
function reflect.source(db, given, progress)
  given = check_options(db, "reflect.source", given, { previous = true }, progress)
  local source = require "liga.reflect.source"
  local read = plan.read(db, given, true, progress)
  local models, associations = {}, {}
  for i, model in ipairs(read.models) do
    models[i] = {
      name = model.name, attributes = attribute_list(model, source.literal),
      options = model_options(model, source.literal), view = model.view,
    }
  end
  for i, association in ipairs(read.associations) do
    associations[i] = {
      kind = association.kind, source = association.source.name, target = association.target.name,
      options = association_options(association), through = association.through and association.through.name,
      wanted = association.wanted, wanted_inverse = association.wanted_inverse,
    }
  end
  return source.write(models, associations, given.previous)
end

return reflect
