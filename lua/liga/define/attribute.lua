--- Attributes: from what the user wrote to records, and from records to the core.
--
-- A record keeps what was given (`given`: option → value, by the model or by an association) and what it would be
-- otherwise (`soft`), so that a later declaration can add to it; everything else in it is worked out anew each time.
local core = require "liga.core"
local dialect = require "liga.dialect"
local fail = require "liga.define.fail"
local inflect = require "liga.inflect"
local journal = require "liga.define.journal"
local markers = require "liga.markers"
local naming = require "liga.naming"
local options = require "liga.options"
local readonly = require "liga.readonly"
local types = require "liga.types"
local validate = require "liga.validate"
local virtual = require "liga.virtual"

local attribute = {}

local allowed = {}
for name in ([[type allowNull defaultValue primaryKey autoIncrement unique index columnName field references
    referencesKey onDelete onUpdate deferrable comment values validate get set]]):gmatch "%a+" do
  allowed[name] = true
end
allowed.fieldName = "is the key that the attribute stands under"
allowed.autoIncrementIdentity = "is not needed: autoIncrement makes identity columns on PostgreSQL"

--- Options whose value has one Lua type.
local kinds = {
  allowNull = "boolean", primaryKey = "boolean", autoIncrement = "boolean",
  columnName = "string", field = "string", comment = "string", referencesKey = "string",
  get = "function", set = "function",
}

local uuid_length = 36

local integers = { SMALLINT = true, INTEGER = true, BIGINT = true }

--- Whether what is given makes an attribute of an integer type.
function attribute.is_integer(given)
  return integers[given.type.name] == true
end

local texts = { STRING = true, CHAR = true, TEXT = true, UUID = true }
local instants = { DATE = true, DATEONLY = true, TIME = true }

-- Reading ------------------------------------------------------------------------------------------------------------

local function check_kinds(model, name, given)
  for option, kind in pairs(kinds) do
    if given[option] ~= nil and type(given[option]) ~= kind then
      fail.usage(model, name, "%s must be a %s, got %s", option, kind, fail.shown(given[option]))
    end
  end
end

--- `field` is another name of `columnName`.
local function read_column(model, name, given)
  if given.field ~= nil and given.columnName ~= nil and given.field ~= given.columnName then
    fail.usage(model, name, "columnName and field name different columns")
  end
  given.columnName, given.field = given.columnName or given.field, nil
end

--- `values` belongs to ENUM; the new descriptor keeps the place of the old one in the source.
local function read_values(model, name, given)
  if given.values == nil then return end
  if given.type.name ~= "ENUM" or given.type.values then
    fail.usage(model, name, "values belongs to a type ENUM without values of its own")
  end
  given.type, given.values = given.type(given.values), nil
end

local function check_type(model, name, given)
  if not types.is(given.type) then
    fail.usage(model, name, "type must be a type such as liga.STRING, got %s",
      given.type == nil and "none" or fail.shown(given.type))
  end
  read_values(model, name, given)
  if given.type.name == "VIRTUAL" then virtual.check(model, name, given) end
  local problem = types.problem(given.type)
  if problem then fail.usage(model, name, "%s", problem) end
end

local function check_index(model, name, given)
  for _, option in ipairs { "unique", "index" } do
    local value = given[option]
    local fits = value == nil or type(value) == "boolean" or type(value) == "string" and value ~= ""
    if not fits and not (option == "index" and type(value) == "table") then
      fail.usage(model, name, "%s must be a boolean or the name of an index, got %s", option,
        fail.shown(value))
    end
    if value == false then given[option] = nil end
  end
end

local function check_default(model, name, given)
  local default, kind = given.defaultValue, given.type and given.type.name
  if default == markers.NOW and not instants[kind] then
    fail.usage(model, name, "liga.NOW is a default of DATE, DATEONLY and TIME, not of %s", kind)
  elseif (default == markers.UUIDV4 or default == markers.UUIDV7) and not texts[kind] then
    fail.usage(model, name, "a UUID is a default of UUID and STRING, not of %s", kind)
  elseif (default == markers.UUIDV4 or default == markers.UUIDV7) and (given.type.length or 36) < uuid_length then
    fail.usage(model, name, "a UUID has %d characters, more than %s holds", uuid_length, tostring(given.type))
  elseif type(default) == "userdata" and default ~= core.null and not core.is_expression(default) then
    fail.usage(model, name, "defaultValue must be a value, a function, liga.NOW, a UUID, liga.fn or literal, got %s",
      tostring(default))
  end
end

local function check_generated(model, name, given)
  if given.autoIncrement and not integers[given.type.name] then
    fail.usage(model, name, "autoIncrement needs an integer type, got %s", tostring(given.type))
  end
end

--- Raises unless the name can name an attribute.
function attribute.check_name(model, name)
  local problem = naming.problem(name)
  if not problem then return end
  fail.usage(model, type(name) == "string" and name or nil, "the name of an attribute %s%s", problem,
    type(name) == "string" and " (choose another and give the column's as columnName)" or "")
end

--- Reads the options of one attribute: a type, or a table of options.
-- @return a new table of what was given
function attribute.read(model, name, spec)
  if types.is(spec) then spec = { type = spec } end
  if type(spec) ~= "table" or getmetatable(spec) then
    fail.usage(model, name, "must be a type such as liga.STRING or a table {type = ...}, got %s", fail.shown(spec))
  end
  options.check(model .. "." .. name, spec, allowed, { model = model, attribute = name })
  local given = options.copy(spec)
  check_kinds(model, name, given)
  read_column(model, name, given)
  check_type(model, name, given)
  check_index(model, name, given)
  check_default(model, name, given)
  check_generated(model, name, given)
  if given.validate ~= nil then validate.read(model, name, given.validate) end
  return given
end

--- Checks the attribute options that an association gives for its key.
function attribute.read_part(model, name, given)
  check_kinds(model, name, given)
  read_column(model, name, given)
  if given.type ~= nil then check_type(model, name, given) end
  check_index(model, name, given)
  if given.type ~= nil then check_default(model, name, given) end
  if given.validate ~= nil then validate.read(model, name, given.validate) end
end

-- Records ------------------------------------------------------------------------------------------------------------

local function column_of(meta, name, given)
  if given.columnName then return given.columnName end
  return meta.options.underscored and inflect.underscore(name) or name
end

local function is_narrow(descriptor)
  return descriptor ~= nil and descriptor.name ~= "BIGINT" and integers[descriptor.name] == true
end

--- Generated keys have 64 bits, whatever integer they are said to be: columns are made so, and keys that refer to them
-- take their type.
local function type_of(record)
  local own = record.given.type or record.soft.type
  local wide = (record.given.autoIncrement or record.soft.wide) and is_narrow(own)
  return wide and types.BIGINT or own
end

--- An attribute refers to another: said to be of the type that a generated key is said to be, it has its 64 bits, too.
-- The caller updates it.
-- @return whether it has them from now on
function attribute.follow(meta, record, referenced)
  local own, other = record.given.type, referenced.given.type
  local follows = referenced.given.autoIncrement and is_narrow(own) and own.name == other.name
  if not follows or record.soft.wide then return false end
  record.soft.wide = true
  journal.note(function()
    record.soft.wide = nil
    attribute.update(meta, record)
  end)
  return true
end

--- Works out a record from what is given and the defaults.
local function settle(meta, record)
  local given, soft = record.given, record.soft
  record.columnName = column_of(meta, record.name, given)
  record.type = type_of(record)
  record.primaryKey = meta.key[record.name] ~= nil
  if record.primaryKey and record.type.name == "JSON" then
    fail.usage(meta.name, record.name, "JSON can't be a primary key: declare it JSONB")
  end
  record.autoIncrement = given.autoIncrement or false
  record.unique = given.unique or false
  record.defaultValue = given.defaultValue
  record.comment = given.comment
  record.virtual = record.type.name == "VIRTUAL"
  record.validators = given.validate and validate.read(meta.name, record.name, given.validate) or nil
  local nullable = given.allowNull
  if nullable == nil then nullable = soft.allowNull end
  record.allowNull = nullable ~= false and not record.primaryKey
end

--- The default in the core's terms.
local function core_default(default)
  if default == nil then return nil end
  if default == markers.NOW then return "now" end
  if default == markers.UUIDV4 then return "uuid4" end
  if default == markers.UUIDV7 then return "uuid7" end
  if type(default) == "function" then return "call" end
  if core.is_expression(default) then return { sql = default } end
  if type(default) == "userdata" then return nil end            -- liga.null
  return { value = default }
end

--- The name that an enum of the attribute was given on PostgreSQL; nil: none.
local function given_enum_name(descriptor)
  while descriptor.element do descriptor = descriptor.element end
  return descriptor.typeName
end

local function send(meta, record)
  local enum_name = given_enum_name(record.type)
  if enum_name then
    naming.check_identifier(meta.db, ("the typeName of %s.%s"):format(meta.name, record.name), enum_name)
  end
  core.attribute(meta[1], {
    name = record.name, column = record.columnName, type = record.type, allowNull = record.allowNull,
    primaryKey = record.primaryKey, autoIncrement = record.autoIncrement, unique = record.unique == true,
    default = core_default(record.defaultValue), comment = record.comment,
    enumName = enum_name or naming.enum(meta.class.tableName, record.columnName), enumKept = enum_name ~= nil,
  })
  meta.defaults[record.name] = type(record.defaultValue) == "function" and record.defaultValue or nil
end

local shown_fields = {
  "name", "columnName", "type", "allowNull", "primaryKey", "autoIncrement", "unique", "defaultValue", "comment",
  "references", "onDelete", "onUpdate", "association",
}

--- What `User.attributes` shows of a record.
local function show(record)
  for _, field in ipairs(shown_fields) do record.shown[field] = record[field] end
end

--- Writes a record, new or changed, to the core and to `User.attributes`.
function attribute.update(meta, record)
  settle(meta, record)
  send(meta, record)
  show(record)
end

--- Only what `User.attributes` shows has changed.
attribute.show = show

--- The record that has this column already, or nil.
function attribute.with_column(meta, column, except)
  for _, record in ipairs(meta.attributes) do
    if record.name ~= except and dialect.same_name(meta.db, record.columnName, column) then return record end
  end
end

--- A record that is not in the model yet.
function attribute.new(meta, name, given, soft)
  local record = { name = name, given = given, soft = soft or {}, by = {}, shown = {} }
  settle(meta, record)
  record.view = readonly.view(record.shown, meta.name .. ".attributes." .. name)
  if record.virtual then
    record.columnName, record.allowNull = nil, true
    show(record)
  end
  return record
end

local function check_column(meta, record)
  naming.check_identifier(meta.db, ("the column of %s.%s"):format(meta.name, record.name), record.columnName)
  local other = attribute.with_column(meta, record.columnName, record.name)
  if not other then return end
  fail.usage(meta.name, record.name, "the attribute %q has the same column, %q%s", other.name, other.columnName,
    other.columnName ~= record.columnName and " (capitals don't count)" or "")
end

--- Adds a record at the end of the model.
function attribute.add(meta, record)
  check_column(meta, record)
  local list, shown = meta.attributes, meta.shown_attributes
  list[#list + 1], list[record.name] = record, record
  shown[#shown + 1], shown[record.name] = record.view, record.view
  attribute.update(meta, record)
end

--- Takes an attribute out of the model.
function attribute.remove(meta, name)
  local record = meta.attributes[name]
  core.remove_attribute(meta[1], name)
  journal.take_out(meta.attributes, record, name)
  journal.take_out(meta.shown_attributes, record.view, name)
  meta.defaults[name] = nil
end

--- The names of a model's attributes in order.
function attribute.names(meta)
  local names = {}
  for i, record in ipairs(meta.attributes) do names[i] = record.name end
  return names
end

-- Keys ---------------------------------------------------------------------------------------------------------------

--- Makes these attributes the primary key, in this order. An empty list: a model without key.
function attribute.set_key(meta, names)
  local before = meta.key
  meta.key = {}
  for place, name in ipairs(names) do meta.key[name] = place end
  for _, record in ipairs(meta.attributes) do
    if before[record.name] or meta.key[record.name] then attribute.update(meta, record) end
  end
  core.primary_key(meta[1], names)
  local public = meta.class.primaryKey
  for i = #public, 1, -1 do public[i] = nil end
  for i, name in ipairs(names) do public[i] = name end
end

--- The names of the primary key in order.
function attribute.key_names(meta)
  local names = {}
  for name, place in pairs(meta.key) do names[place] = name end
  return names
end

return attribute
