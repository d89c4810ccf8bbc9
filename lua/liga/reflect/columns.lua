--- Columns as attributes: types, also where SQLite's declaration says nothing, and defaults.
local core = require "liga.core"
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local default = require "liga.query_interface.default"
local sqltext = require "liga.sqltext"
local types = require "liga.types"

local columns = {}

-- What the data say --------------------------------------------------------------------------------------------------

--- Rows that are looked at to see how a column's values are stored.
local SAMPLE = 1000

--- The forms in which SQLite files hold instants, as an SQL expression over a column.
local FORMS = [[CASE
  WHEN typeof(%s) IN ('integer', 'real') THEN 'epoch'
  WHEN %s GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z' AND length(%s) = 24 THEN 'text'
  WHEN %s GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] *' THEN 'space'
  WHEN %s GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' THEN 'day'
  ELSE 'other' END]]

local function distinct(db, item, expression, column)
  local quoted = sqltext.quote(column)
  local sql = ("SELECT DISTINCT %s AS form FROM (SELECT %s FROM %s WHERE %s IS NOT NULL LIMIT %d)"):format(
    expression:gsub("%%s", (quoted:gsub("%%", "%%%%"))), quoted, sqltext.quote(item.name), quoted, SAMPLE)
  local found, count = {}, 0
  for _, row in ipairs(core.query(db._.core, sql)) do
    found[row.form], count = true, count + 1
  end
  return found, count
end

--- The type of a date: `DATE` with how it is stored; DATEONLY where there are nothing but days.
local function sampled_date(db, item, column)
  local found, count = distinct(db, item, FORMS, column.name)
  if count == 0 or count == 1 and found.text then return types.DATE end
  if count == 1 and found.day then return types.DATEONLY end
  local stored = count == 1 and (found.space and "space" or found.epoch and "epoch") or "mixed"
  return types.DATE { stored = stored }
end

--- The type of a column that declares none.
local function sampled_type(db, item, column)
  local found, count = distinct(db, item, "typeof(%s)", column.name)
  if count == 1 and found.integer then return types.BIGINT end
  if found.real and (count == 1 or count == 2 and found.integer) then return types.DOUBLE end
  if count == 1 and found.blob then return types.BLOB end
  return types.TEXT
end

-- Types --------------------------------------------------------------------------------------------------------------

local function descriptor(kind)
  local bare = types[kind.name]
  if kind.length then return bare(kind.length) end
  if kind.precision and kind.precision > 0 and kind.scale <= kind.precision then
    return bare(kind.precision, kind.scale)
  end
  if kind.element then return bare(descriptor(kind.element)) end
  return bare
end

--- An enum of the database's; one that liga would have made for the column needs no name.
local function enum_of(item, column, values)
  local given, enum = table.move(values, 1, #values, 1, {}), column.enum or {}
  local own = enum.name == nil or enum.schema == nil and enum.name == naming.enum(item.name, column.name)
  if not own then given.typeName = enum.schema and enum.schema .. "." .. enum.name or enum.name end
  return types.ENUM(given)
end

local function array_of(element, dimensions)
  for _ = 1, math.max(dimensions or 1, 1) do element = types.ARRAY(element) end
  return element
end

--- The type that a column declares; TEXT where it declares none that liga knows.
-- @param db the connection
-- @param item its table
-- @param column of the catalogue
-- @return descriptor
function columns.declared(db, item, column)
  if column.values then return enum_of(item, column, column.values) end
  if column.elements then return array_of(enum_of(item, column, column.elements), column.dimensions) end
  local kind = introspect.dialect(db).kind_of(column.base or column.type)
  if not kind or not core.has_type(db._.core, kind.name) then return types.TEXT end
  if kind.name == "ARRAY" then return array_of(descriptor(kind.element), column.dimensions) end
  return descriptor(kind)
end

local function type_of(db, item, column)
  if db.dialect == "sqlite" and not column.values then
    local kind = introspect.dialect(db).kind_of(column.base or column.type)
    if column.autoIncrement then return types.BIGINT end              -- generated keys have 64 bits
    if not kind then return sampled_type(db, item, column) end
    if kind.name == "DATE" then return sampled_date(db, item, column) end
  end
  return columns.declared(db, item, column)
end

-- Defaults -----------------------------------------------------------------------------------------------------------

local integers = { SMALLINT = true, INTEGER = true, BIGINT = true }
local floats = { FLOAT = true, DOUBLE = true, REAL = true }
local texts = { STRING = true, TEXT = true, CHAR = true, UUID = true, ENUM = true, DECIMAL = true, DATEONLY = true,
  TIME = true, CITEXT = true }

--- A plain default as a value of the type; nil where it is none.
local function typed_default(kind, value)
  if integers[kind] then return math.tointeger(tonumber(value)) end
  if floats[kind] then return tonumber(value) end
  if texts[kind] then return type(value) ~= "boolean" and tostring(value) or nil end
  if kind == "BOOLEAN" then
    if type(value) == "boolean" then return value end
    local bits = { [0] = false, [1] = true }
    return bits[tonumber(value)]
  end
end

--- SQL that computes a value, rather than being one.
local function is_computed(sql)
  return sql:find "%(" ~= nil or sql:upper():find "^CURRENT_" ~= nil
end

--- Whether a column is the part of its table's key that is counted up. A table may have more serial columns, a model
-- has one.
local function is_counted(item, column)
  if not column.autoIncrement then return false end
  for _, name in ipairs(item.primaryKey) do
    for _, each in ipairs(item.columns) do
      if each.name == name and each.autoIncrement then return each == column end
    end
  end
  return false
end

--- What a default is for liga: {value =} or {sql =}; nil: none.
-- @param counted whether it is the key that is counted up
local function default_of(column, descriptor_of_column, counted)
  local filled = column.generated or column.autoIncrement and not counted
  if filled then return { sql = "NULL" } end                        -- by the database, whatever is wanted
  if column.autoIncrement or column.default == nil or column.default:upper() == "NULL" then return nil end
  if not is_computed(column.default) then
    local plain = default.value(column.default)
    local digits = descriptor_of_column.name == "DECIMAL" and column.default:match "^'?([%d%.+-]+)'?"
    local value = typed_default(descriptor_of_column.name, digits or plain)
    if value ~= nil then return { value = value } end
  end
  return { sql = column.default }
end

--- What a column is for liga.
-- @param db the connection
-- @param item its table
-- @param column of the catalogue
-- @return {column, type, allowNull, autoIncrement, default}
function columns.read(db, item, column)
  local kind, counted = type_of(db, item, column), is_counted(item, column)
  return {
    column = column.name, type = kind, allowNull = column.allowNull, autoIncrement = counted,
    default = default_of(column, kind, counted), comment = column.comment,
  }
end

return columns
