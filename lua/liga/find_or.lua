--- findOrBuild and findOrCreate: the row that a condition describes, or a new one made of the condition.
local core = require "liga.core"
local copy = require "liga.options".copy
local errors = require "liga.errors"
local Op = core.Op
local options = require "liga.options"
local transaction = require "liga.transaction"

local find_or = {}

--- How often a row is looked for that is there when it is to be inserted, and gone when it is to be read.
local TURNS = 3

local create_options = { fields = true, validate = true, silent = true, hooks = true }
local common = { transaction = true, logging = true, searchPath = true }
local allowed = { defaults = true }
for _, names in ipairs { core.find_options, create_options, common } do
  for name in pairs(names) do allowed[name] = true end
end
for _, name in ipairs { "limit", "offset", "group", "having", "distinct", "raw" } do
  allowed[name] = "does not go with one instance"
end

-- Options ------------------------------------------------------------------------------------------------------------

local function check(what, class, given)
  what = class.name .. ":" .. what
  if type(given) ~= "table" then
    errors.usage("%s: a table {where = …, defaults = …} expected, got %s", what, type(given))
  end
  options.check(what, given, allowed)
  if given.where == nil or type(given.where) == "table" and next(given.where) == nil then
    errors.usage("%s needs a where with a condition (a nil value makes none)", what)
  end
  if given.defaults ~= nil and (type(given.defaults) ~= "table" or core.class_of(given.defaults)) then
    errors.usage("%s: defaults must be a table of values, got %s", what, type(given.defaults))
  end
  for name in next, given.defaults or {} do
    if class.associations[name] then
      errors.usage("%s: defaults.%s: only the row itself is made; create what belongs to it where the second result "
        .. "is true", class.name, name)
    end
  end
end

local function of_find(given)
  local find = {}
  for name, value in next, given do
    if core.find_options[name] or common[name] then find[name] = value end
  end
  return find
end

local function of_create(given)
  local create = {}
  for name, value in next, given do
    if create_options[name] or name == "transaction" or name == "logging" then create[name] = value end
  end
  return create
end

-- Values -------------------------------------------------------------------------------------------------------------

local function has_operator(condition)
  for key in next, condition do
    if type(key) == "userdata" then return true end
  end
  return false
end

local function has_year(value) return rawget(value, "year") ~= nil end
local function is_whole(value) return not has_operator(value) end

--- By type whether a table is a value rather than a list of them or operators: an os.date table, and what is a table
-- itself. One under a JSON attribute is a path.
local is_table_value = {
  DATE = has_year, DATEONLY = has_year, ARRAY = is_whole, RANGE = is_whole, HSTORE = is_whole,
  TIME = function(value) return has_year(value) or rawget(value, "hour") ~= nil end,
}

--- What a condition compares with for equality, by Op.eq or as it stands.
-- @return the value
-- @return whether Op.eq was said, under which a table is a value of any type
local function compared(value)
  local operand = core.operand(value, Op.eq)
  if operand == nil and type(value) == "table" and next(value) == Op.eq and next(value, Op.eq) == nil then
    operand = value[Op.eq]
  end
  if operand == nil then return value, false end
  return operand, true
end

--- A condition that says what the attribute is.
local function is_value(attribute, value, equal)
  local test = is_table_value[attribute.type.name]
  if type(value) == "table" then return equal or test ~= nil and test(value) end
  return type(value) ~= "userdata" or value == core.null
end

--- The conditions that all hold: an element of a list part, or what stands under Op.and_.
local function is_part(name)
  return math.type(name) == "integer" or name == Op.and_
end

--- Collects what a condition says about the row: its equalities, also those of its list part and under Op.and_.
local function collect(class, where, values)
  where = core.operand(where, Op.and_) or where
  if type(where) ~= "table" then return values end
  for name, condition in next, where do
    local attribute = type(name) == "string" and class.attributes[name]
    local value, equal = compared(condition)
    if attribute and is_value(attribute, value, equal) then values[name] = value end
    if is_part(name) then collect(class, condition, values) end
  end
  return values
end

--- An instant as it is stored, in milliseconds. Conditions compare more digits, for rows of other programs.
local function in_milliseconds(value)
  if type(value) == "string" then return (value:gsub("(%.%d%d%d)%d+", "%1", 1)) end
  if math.type(value) == "float" and value == value and math.abs(value) < 1e12 then
    return math.floor(value * 1e6 + 0.5) // 1000 / 1000
  end
  return value
end

--- A value with its instants in milliseconds, those of a list too.
local function cut_instants(kind, value)
  if kind.name == "DATE" then return in_milliseconds(value) end
  if kind.name ~= "ARRAY" or type(value) ~= "table" or has_operator(value) then return value end
  local cut = {}
  for key, element in next, value do cut[key] = cut_instants(kind.element, element) end
  return cut
end

--- A condition that finds the row made of it.
local function as_stored(class, where)
  if core.operand(where, Op.and_) then return { [Op.and_] = as_stored(class, core.operand(where, Op.and_)) } end
  if type(where) ~= "table" then return where end
  local stored = {}
  for name, value in next, where do
    local attribute = type(name) == "string" and class.attributes[name]
    if attribute and attribute.type.name == "DATE" then value = compared(value) end
    if attribute then value = cut_instants(attribute.type, value) end
    stored[name] = is_part(name) and as_stored(class, value) or value
  end
  return stored
end

--- The values of a new row. The condition has been read by then: it does not contain itself.
local function values_of(class, given)
  local values = collect(class, given.where, {})
  for name, value in next, given.defaults or {} do values[name] = value end
  return values
end

--- The attributes of the first key that the condition gives in full; nil: none.
local function unique_key(class, where)
  local known = collect(class, where, {})
  local function covered(names)
    for _, name in ipairs(names) do
      if known[name] == nil or known[name] == core.null then return false end
    end
    return #names > 0
  end
  if covered(class.primaryKey) then return class.primaryKey end
  local indexes, names = getmetatable(class).indexes, {}
  for name in pairs(indexes) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local index, fields = indexes[name], {}
    for place, field in ipairs(index.fields) do
      fields[place] = type(field.attribute) == "string" and field.attribute or ""       -- or an expression
    end
    if index.unique and index.where == nil and covered(fields) then return fields end
  end
end

-- Creating -----------------------------------------------------------------------------------------------------------

--- Over a unique key: who comes second inserts nothing and finds the row of the first.
local function insert_or_find(class, key, values, find, create)
  local once = copy(create)
  once.ignoreDuplicates, once.conflictFields = true, table.move(key, 1, #key, 1, {})
  for _ = 1, TURNS do
    local made = class:create(values, once)
    if not made:isNew() then return made, true end
    local found = class:findOne(find)
    if found then return found, false end
  end
  return class:create(values, create), true       -- the row with this key is none that the condition describes
end

--- Keeps others of liga from looking for a row of this table that is about to be created, until the transaction ends.
-- SQLite's write lock does so by itself.
local lock_table = {
  postgres = function(class, given)
    local db = getmetatable(class).db
    core.query(db._.core, "SELECT pg_advisory_xact_lock(hashtext('liga.findOrCreate'), hashtext($1))",
      { bind = { class.tableName }, logging = given.logging })
  end,
}

local function create_locked(class, db, values, find, create, given)
  return transaction.atomically(db, given, function()
    local lock = lock_table[db.dialect]
    if lock then lock(class, given) end
    find.transaction, create.transaction = nil, nil
    local found = class:findOne(find)
    if found then return found, false end
    return class:create(values, create), true
  end)
end

--- See Model:findOrBuild.
function find_or.build(class, _, given)
  check("findOrBuild", class, given)
  local found = class:findOne(of_find(given))
  if found then return found, false end
  return class:build(values_of(class, given)), true
end

--- See Model:findOrCreate.
function find_or.create(class, db, given)
  check("findOrCreate", class, given)
  local find, create = of_find(given), of_create(given)
  local found = class:findOne(find)
  if found then return found, false end
  local values = values_of(class, given)
  find.where = as_stored(class, given.where)
  local key = unique_key(class, given.where)
  if key then return insert_or_find(class, key, values, find, create) end
  return create_locked(class, db, values, find, create, given)
end

return find_or
