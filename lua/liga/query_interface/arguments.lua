--- What the methods of a query interface have in common: their arguments, and how a plan is run.
local ddl = require "liga.ddl"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local options = require "liga.options"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"

--- `Interface` is the metatable of query interfaces.
local arguments = { Interface = { __name = "liga.QueryInterface" } }

local call_options = { transaction = true, logging = true, schema = true }

--- The options of a call, checked; `allowed` adds to those that every call has.
function arguments.read_options(self, method, given, allowed)
  if getmetatable(self) ~= arguments.Interface then
    errors.usage("a query interface expected as self of %s, got %s (call it with a colon: q:%s(…))", method, type(self),
      method)
  end
  if given == nil then given = {} end
  if type(given) ~= "table" or getmetatable(given) then
    errors.usage("%s: options must be a table, got %s", method, type(given))
  end
  local names = options.copy(call_options)
  for name in pairs(allowed or {}) do names[name] = true end
  options.check(method, given, names)
  if given.schema ~= nil and not dialect.of(self.db).schemas then
    errors.usage("%s: schema: SQLite has none", method)
  end
  return given
end

--- A table's name, from the name or a model.
function arguments.read_table(method, given)
  if registry.is_model(given) then return given.tableName end
  if type(given) == "string" and given ~= "" then return given end
  errors.usage("%s: the name of a table or a model expected, got %s", method, type(given))
end

--- The schema of a table: the one that is asked for, else its model's; nil: the connection's.
function arguments.schema_of(table, given)
  return given.schema or registry.is_model(table) and getmetatable(table).options.schema or nil
end

function arguments.read_name(method, what, given)
  if type(given) == "string" and given ~= "" then return given end
  errors.usage("%s: %s must be a non-empty string, got %s", method, what, given == "" and '""' or type(given))
end

--- A list of column names; one name is a list of it.
function arguments.read_names(method, what, given)
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" or rawlen(given) == 0 then
    errors.usage("%s: %s must be a list of columns, got %s", method, what, type(given))
  end
  local list = {}
  for place, name in next, given do
    if math.type(place) ~= "integer" or place < 1 or place > rawlen(given) then
      errors.usage("%s: %s must be a list of columns and nothing else", method, what)
    end
    list[place] = arguments.read_name(method, "a column", name)
  end
  return list
end

function arguments.find_table(self, method, table, given)
  local name, schema = arguments.read_table(method, table), arguments.schema_of(table, given)
  local item = introspect.table(self.db, name, { schema = schema })
  if item then return item end
  local names = {}
  for i, other in ipairs(introspect.read(self.db, { schema = schema })) do names[i] = other.name end
  errors.usage("%s: there is no table %q%s", method, name, options.hint(name, names))
end

function arguments.find_column(method, item, name)
  local found = introspect.column(item, arguments.read_name(method, "a column", name))
  if found then return found end
  local names = {}
  for i, column in ipairs(item.columns) do names[i] = column.name end
  errors.usage("%s: the table %q has no column %q%s", method, item.name, name, options.hint(name, names))
end

--- Raises that a table has a column of this name already.
-- @param renamed the column that is to get the name, or nil
function arguments.expect_no_column(method, item, name, renamed)
  local found = introspect.column(item, name)
  if found and found ~= renamed then
    errors.usage("%s: the table %q has a column %q already", method, item.name, found.name)
  end
end

function arguments.table_name(item)
  return sqltext.table_name(item.schema, item.name)
end

function arguments.run(self, plan, given)
  ddl.run(self.db, plan, given)
end

return arguments
