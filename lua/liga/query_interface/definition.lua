--- Definitions of columns and indexes → SQL: by a model of their own, without a database.
local arguments = require "liga.query_interface.arguments"
local association = require "liga.association"
local core = require "liga.core"
local ddl = require "liga.ddl"
local errors = require "liga.errors"
local instance = require "liga.instance"
local naming = require "liga.naming"
local options = require "liga.options"
local reflected = require "liga.reflect.columns"
local registry = require "liga.define.registry"
local types = require "liga.types"

local definition = {}

local is_method = {}
for _, name in ipairs(instance.names) do is_method[name] = true end

--- The schema of a table that another one refers to: its model's; one that is given by its name is beside the other.
function definition.schema_beside(target, item)
  if registry.is_model(target) then return arguments.schema_of(target, {}) end
  return item.schema
end

--- The options of an attribute in the words of columns: what references a model names its table.
local function column_options(spec, item)
  if types.is(spec) then return { type = spec } end
  if type(spec) ~= "table" or getmetatable(spec) then return spec end
  local given = options.copy(spec)
  local references = given.references
  if registry.is_model(references) then references = { model = references } end
  if type(references) == "string" then references = { table = references, key = given.referencesKey or "id" } end
  if type(references) == "table" then
    options.check(item.name .. ": references", references, { model = true, table = true, key = true })
    local target = references.model or references.table
    local class = registry.is_model(target) and target or nil
    local key = references.key or class and class.primaryKey[1] or "id"
    local attribute = class and class.attributes[key]
    references = {
      table = class and class.tableName or target, key = attribute and attribute.columnName or key,
      schema = definition.schema_beside(target, item),
    }
  end
  given.references, given.referencesKey = references, nil
  return given
end

--- The name of an attribute for a column: its own, unless attributes can't be called so.
local function attribute_name(column, place)
  if naming.problem(column) or is_method[column] then return "column_" .. place end
  return column
end

--- Columns as attributes, with the place of each in a list of its own where the names came in one.
local function read_attributes(attributes, item)
  local read, keyed, place = {}, false, 0
  for column, spec in next, attributes do
    local entry = column_options(spec, item)
    place = place + 1
    if type(column) == "number" then
      entry = options.copy(spec)
    elseif type(entry) == "table" then
      entry.columnName, entry.field = entry.columnName or entry.field or column, nil
      column = attribute_name(column, place)
    end
    keyed = keyed or type(entry) == "table" and entry.primaryKey == true
    read[column] = entry
  end
  return read, keyed
end

--- A model of its own, of the same dialect, without a database: what makes the SQL of tables makes it here too.
-- @param item {name, schema} of the table
-- @param attributes column → type or table of options
-- @return a database without connection, the model
function definition.scratch(self, item, attributes, given)
  local name = item.name
  if type(attributes) ~= "table" or getmetatable(attributes) then
    errors.usage("%s: the columns must be a table, got %s", name, type(attributes))
  end
  local columns, keyed = read_attributes(attributes, item)
  local dry = require "liga.database".dry(self.db.dialect)
  local model_options = {
    tableName = name, schema = item.schema, timestamps = false, indexes = given.indexes, comment = given.comment,
  }
  if not keyed then model_options.primaryKey = false end
  local class = dry:define(name, columns, model_options)
  association.resolve(dry)
  return dry, class
end

function definition.model_of(class)
  return getmetatable(class)[1]
end

--- The columns of a table as plain texts: what a definition may refer to.
function definition.neighbours(item, except)
  local attributes = {}
  for _, column in ipairs(item.columns) do
    if column.name:lower() ~= except:lower() then attributes[column.name] = { type = types.TEXT } end
  end
  return attributes
end

--- An index over existing columns, with what its condition is in SQL.
-- @param index as the model option `indexes` has it
-- @return {name, sql, where …}
function definition.index_parts(self, item, index)
  local attributes = {}
  for _, column in ipairs(item.columns) do
    attributes[column.name] = { type = reflected.declared(self.db, item, column) }
  end
  local dry, class = definition.scratch(self, item, attributes, { indexes = { index } })
  return core.table_parts(dry._.core, definition.model_of(class)).indexes[1]
end

local function find_part(parts, column)
  for _, part in ipairs(parts.columns) do
    if part.name == column then return part end
  end
end

--- One column as parts: its definition, keys and indexes.
function definition.column_parts(self, method, item, column, spec)
  local attributes = definition.neighbours(item, arguments.read_name(method, "a column", column))
  if spec == nil then errors.usage("%s: a type or a table of attribute options expected, got nil", method) end
  attributes[column] = spec
  local dry, class = definition.scratch(self, item, attributes, {})
  if #class.primaryKey > 0 and method == "addColumn" then
    errors.usage("addColumn: %q can't become a primary key; make the table with it", column)
  end
  local parts = core.table_parts(dry._.core, definition.model_of(class))
  return find_part(parts, column), parts, core.create_statements(dry._.core, { definition.model_of(class) }, true)
end

--- A plan for one column, with the types it needs before, and its indexes behind it.
function definition.column_plan(self, kind, item, column, parts, creating)
  local list = {}
  for _, statement in ipairs(creating) do
    if statement.kind == "type" or statement.kind == "extension" then list[#list + 1] = statement.sql end
  end
  local plan = ddl.plan(self.db, item, { { kind = kind, column = column, keys = parts.foreignKeys } })
  plan.statements = table.move(plan.statements, 1, #plan.statements, #list + 1, list)
  for _, index in ipairs(parts.indexes) do plan.statements[#plan.statements + 1] = index.sql end
  return plan
end

return definition
