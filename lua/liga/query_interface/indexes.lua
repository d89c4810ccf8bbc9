--- Indexes of a query interface.
local alter = require "liga.alter"
local arguments = require "liga.query_interface.arguments"
local ddl = require "liga.ddl"
local definition = require "liga.query_interface.definition"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local options = require "liga.options"
local sqltext = require "liga.sqltext"

local methods = {}

local index_options = { name = true, unique = true, where = true, using = true, fields = true }

--- Raises that the name of an index is another one's, of any table.
local function check_name(self, item, index)
  for _, other in ipairs(introspect.read(self.db, { schema = item.schema })) do
    for _, found in ipairs(other.indexes or {}) do
      local is_it = other.name == item.name and alter.same_index(found, index)
      if found.name:lower() == index.name:lower() and not is_it then
        errors.usage("addIndex: the table %q has an index %q already", other.name, found.name)
      end
    end
  end
end

--- Creates an index, unless it is there.
-- @param name the table, by name or model
-- @param fields list of columns, `{"a", {"b", order = "DESC"}}`; or the options with `fields`
-- @param given {name, unique, where, using, fields, transaction, logging}, or nil
function methods:addIndex(name, fields, given)
  if type(fields) == "table" and rawget(fields, "fields") ~= nil and given == nil then
    given, fields = fields, rawget(fields, "fields")
  end
  if type(fields) == "string" then fields = { fields } end
  given = arguments.read_options(self, "addIndex", given, index_options)
  local item = arguments.find_table(self, "addIndex", name, given)
  local index = { name = given.name, unique = given.unique, where = given.where, using = given.using }
  index.fields = fields or given.fields
  local part = definition.index_parts(self, item, index)
  check_name(self, item, part)
  arguments.run(self, ddl.plain(part.sql), given)
end

local function find_index(item, wanted)
  local names, list = {}, type(wanted) == "table" and arguments.read_names("removeIndex", "the columns", wanted)
  for i, index in ipairs(item.indexes) do
    names[i] = index.name
    local columns = list and introspect.index_columns(index)
    if index.name == wanted or columns and introspect.same_names(columns, list) then return index end
  end
  local shown = list and table.concat(list, ", ") or errors.text(wanted)
  errors.usage("removeIndex: the table %q has no index %q%s", item.name, shown, options.hint(shown, names))
end

--- Drops an index.
-- @param name the table, by name or model
-- @param index its name, or the list of its columns
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeIndex(name, index, given)
  given = arguments.read_options(self, "removeIndex", given)
  local item = arguments.find_table(self, "removeIndex", name, given)
  local found = find_index(item, index)
  if found.origin ~= "index" then
    errors.usage("removeIndex: %q belongs to a constraint of %q: use removeConstraint", found.name, item.name)
  end
  arguments.run(self, ddl.plain("DROP INDEX " .. sqltext.table_name(item.schema, found.name)), given)
end

--- The indexes of a table.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return list of {name, unique, primary, fields = list of {attribute, order}, where}
function methods:showIndexes(name, given)
  given = arguments.read_options(self, "showIndexes", given)
  local list = {}
  for i, index in ipairs(arguments.find_table(self, "showIndexes", name, given).indexes) do
    local fields = {}
    for n, column in ipairs(index.columns) do fields[n] = { attribute = column.name, order = column.order } end
    list[i] = {
      name = index.name, unique = index.unique, primary = index.origin == "primary", fields = fields,
      where = index.where, using = index.using,
    }
  end
  return list
end

return methods
