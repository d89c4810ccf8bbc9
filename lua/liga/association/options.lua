--- The options of declarations: which belong to which kind, their forms, and their reading into one shape.
local constraint = require "liga.define.constraint"
local core = require "liga.core"
local errors = require "liga.errors"
local fail = require "liga.define.fail"
local key = require "liga.association.key"
local naming = require "liga.naming"
local options = require "liga.options"
local registry = require "liga.define.registry"

local reading = {}

local function set(words, into)
  local names = into or {}
  for word in words:gmatch "%a+" do names[word] = true end
  return names
end

local common = "as foreignKey onDelete onUpdate constraints foreignKeyConstraints foreignKeyConstraint inverse hooks "
local has = common .. "sourceKey scope where order dependent "

local allowed = {
  belongsTo = set(common .. "targetKey"),
  hasOne = set(has .. "uniqueForeignKey through"),
  hasMany = set(has .. "joinTableName joinTableModel useJunctionTable through"),
  belongsToMany = set(common .. [[sourceKey targetKey otherKey through throughAssociations scope where order
    joinTableName joinTableModel]]),
}

--- Options of Sequelize that liga writes in another way.
local elsewhere = {
  keyType = "foreignKey = {type = ...}",
  uniqueKey = "through = {model = ..., unique = ...}",
  timestamps = "through = {model = ..., timestamps = ...}",
}

--- What `inverse` may hold, by the kind of the inverse.
local allowed_inverse = {
  belongsTo = set "as type",
  hasOne = set "as type scope where order dependent",
  hasMany = set "as type scope where order dependent",
  belongsToMany = set "as type scope where order constraints foreignKeyConstraints",
}

local allowed_through = set "model scope unique timestamps paranoid"
local allowed_links = set "fromSource toSource fromTarget toTarget"
local dependents = { "destroy", "delete", "nullify", "restrict" }

-- Parts --------------------------------------------------------------------------------------------------------------

local function check_name(place, at, name)
  local problem = naming.problem(name)
  if problem then place:fail("%s %s", at, problem) end
end

--- `as`: a name, or {singular =, plural =}.
local function read_as(place, at, given)
  if given == nil then return nil end
  if type(given) == "string" then
    check_name(place, at, given)
    return given
  end
  if type(given) ~= "table" or getmetatable(given) then
    place:fail("%s must be a name or a table {singular = ..., plural = ...}, got %s", at, fail.shown(given))
  end
  options.check(place.text .. ": " .. at, given, { singular = true, plural = true })
  for _, form in ipairs { "singular", "plural" } do check_name(place, at .. "." .. form, given[form]) end
  return { singular = given.singular, plural = given.plural }
end

--- The caller's table is not kept: what he does to it later has no effect.
local function check_table(place, at, given)
  if given ~= nil and type(given) ~= "table" then place:fail("%s must be a table, got %s", at, fail.shown(given)) end
  return options.copy_deep(given)
end

local function read_dependent(place, at, given)
  if given == nil then return nil end
  for _, value in ipairs(dependents) do
    if given == value then return given end
  end
  place:fail('%s must be "destroy", "delete", "nullify" or "restrict", got %s', at, fail.shown(given))
end

--- `order` given as one name is a list of it.
local function read_order(place, at, given)
  if given == nil or type(given) == "string" then return given and { given } or nil end
  if type(given) ~= "table" and type(given) ~= "userdata" then
    place:fail("%s must be a list, got %s", at, fail.shown(given))
  end
  return options.copy_deep(given)
end

--- `where` given as one condition (liga.sql, Op.or_{…}) is a list of it.
local function read_where(place, at, given)
  if type(given) == "userdata" and given ~= core.null then return { given } end
  return check_table(place, at, given)
end

--- The parts that `inverse` shares with the declaration itself.
local function read_reading(place, prefix, given)
  return {
    scope = check_table(place, prefix .. "scope", given.scope),
    where = read_where(place, prefix .. "where", given.where),
    order = read_order(place, prefix .. "order", given.order),
    dependent = read_dependent(place, prefix .. "dependent", given.dependent),
  }
end

--- The kind that the inverse has; for belongsTo the user says which.
local function inverse_kind(place, kind, given)
  local asked = given.type
  if kind ~= "belongsTo" then
    local own = kind == "belongsToMany" and "belongsToMany" or "belongsTo"
    if asked ~= nil and asked ~= own then
      place:fail("the inverse of %s is a %s, inverse.type can't be %s", kind, own, fail.shown(asked))
    end
    return own
  end
  if asked == nil or asked == "hasMany" or asked == "hasOne" then return asked or "hasMany" end
  place:fail('inverse.type must be "hasMany" or "hasOne", got %s', fail.shown(asked))
end

local function read_inverse(place, kind, given)
  if given == nil then return nil end
  if type(given) == "string" then given = { as = given } end
  if type(given) ~= "table" or getmetatable(given) then
    place:fail("inverse must be a name or a table {as = ...}, got %s", fail.shown(given))
  end
  local inverse_type = inverse_kind(place, kind, given)
  options.check(place.text .. ": inverse", given, allowed_inverse[inverse_type])
  local inverse = read_reading(place, "inverse.", given)
  inverse.kind, inverse.as = inverse_type, read_as(place, "inverse.as", given.as)
  inverse.constraints = key.constraints(place, given)
  return inverse
end

-- The junction -------------------------------------------------------------------------------------------------------

local function check_junction(place, at, model)
  if registry.is_model(model) then return model end
  if type(model) ~= "string" then
    place:fail('%s must be the name of the junction or a model, got %s', at,
      model == nil and "none" or fail.shown(model))
  end
  check_name(place, at, model)
  return model
end

local function read_through_table(place, given)
  options.check(place.text .. ": through", given, allowed_through)
  local unique = given.unique
  if unique ~= nil and type(unique) ~= "boolean" and (type(unique) ~= "string" or unique == "") then
    place:fail("through.unique must be a boolean or the name of an index, got %s", fail.shown(unique))
  elseif given.timestamps ~= nil and type(given.timestamps) ~= "boolean" then
    place:fail("through.timestamps must be a boolean, got %s", fail.shown(given.timestamps))
  elseif given.paranoid ~= nil and type(given.paranoid) ~= "boolean" then
    place:fail("through.paranoid must be a boolean, got %s", fail.shown(given.paranoid))
  end
  return {
    model = check_junction(place, "through.model", given.model), unique = unique, timestamps = given.timestamps,
    paranoid = given.paranoid,
    scope = check_table(place, "through.scope", given.scope),
  }
end

--- `through`, by its names: v1 wrote joinTableName or joinTableModel.
local function read_through(place, given)
  local through = given.through
  for _, option in ipairs { "joinTableName", "joinTableModel" } do
    if given[option] ~= nil then
      if through ~= nil then place:fail("%s stands beside another name of the junction", option) end
      through = given[option]
    end
  end
  if type(through) == "table" and not getmetatable(through) then return read_through_table(place, through) end
  return { model = check_junction(place, "through", through) }
end

local function read_links(place, given)
  if given == nil then return {} end
  given = check_table(place, "throughAssociations", given)
  options.check(place.text .. ": throughAssociations", given, allowed_links)
  for name, value in next, given do check_name(place, "throughAssociations." .. name, value) end
  return given
end

local function read_junction(place, given, read)
  read.through = read_through(place, given)
  read.links = read_links(place, given.throughAssociations)
  read.otherKey = key.read(place, "otherKey", given.otherKey)
end

-- The whole ----------------------------------------------------------------------------------------------------------

local function check_names(place, kind, given)
  for option, there in pairs(elsewhere) do
    if given[option] ~= nil then errors.usage("%s: option %q is written %s", place.text, option, there) end
  end
  options.check(place.text, given, allowed[kind])
end

local function read_rule(place, given)
  return {
    onDelete = constraint.action(place, "onDelete", given.onDelete),
    onUpdate = constraint.action(place, "onUpdate", given.onUpdate),
    constraints = key.constraints(place, given),
  }
end

--- What goes with a path of associations: it is read only, and has no key of its own.
local with_path = set "as through scope where order"

--- `through` of hasMany and hasOne: names of associations, one leading to the next.
local function read_path(place, given)
  if given.through == nil then return nil end
  local through = given.through
  if type(through) ~= "string" or not ("." .. through):find "^[%.[^.]+]*" or through:find "%.%." or through == ""
    or through:find "^%." or through:find "%.$" then
    place:fail('through must be a path of associations ("posts.comments"), got %s (a junction: belongsToMany)',
      fail.shown(through))
  end
  for option in next, given do
    if not with_path[option] then
      place:fail("through = %q is a path of associations; option %q does not go with it", through, option)
    end
  end
  return through
end

--- The kind that is meant: a hasMany with a join table of v1 is a belongsToMany.
function reading.kind(kind, given)
  if kind ~= "hasMany" or type(given) ~= "table" then return kind end
  local joined = given.joinTableName ~= nil or given.joinTableModel ~= nil
  return joined and "belongsToMany" or kind
end

--- Reads the options of a declaration; the caller's table is neither kept nor changed.
-- @param place the declaration, for messages
-- @param kind name of the kind
-- @param given options, the name of the foreign key, or nil
function reading.read(place, kind, given)
  if type(given) == "string" then given = { foreignKey = given } end
  if given == nil then given = {} end
  if type(given) ~= "table" or getmetatable(given) then
    errors.usage("%s: options must be a table or the name of the foreign key, got %s", place.text, fail.shown(given))
  end
  check_names(place, kind, given)
  local read = read_reading(place, "", given)
  read.as, read.inverse = read_as(place, "as", given.as), read_inverse(place, kind, given.inverse)
  read.foreignKey = key.read(place, "foreignKey", given.foreignKey)
  read.targetKey = key.read_referenced(place, "targetKey", given.targetKey)
  read.sourceKey = key.read_referenced(place, "sourceKey", given.sourceKey)
  read.rule = read_rule(place, given)
  if given.uniqueForeignKey ~= nil and type(given.uniqueForeignKey) ~= "boolean" then
    place:fail("uniqueForeignKey must be a boolean, got %s", fail.shown(given.uniqueForeignKey))
  end
  read.uniqueForeignKey = given.uniqueForeignKey
  if given.hooks ~= nil and type(given.hooks) ~= "boolean" then
    place:fail("hooks must be a boolean, got %s", fail.shown(given.hooks))
  end
  read.hooks = given.hooks
  if given.useJunctionTable ~= nil and type(given.useJunctionTable) ~= "boolean" then
    place:fail("useJunctionTable must be a boolean, got %s", fail.shown(given.useJunctionTable))
  end
  read.useJunctionTable = given.useJunctionTable
  if kind == "belongsToMany" then read_junction(place, given, read) else read.path = read_path(place, given) end
  return read
end

return reading
