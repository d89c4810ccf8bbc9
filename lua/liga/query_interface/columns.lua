--- Columns of a query interface.
local arguments = require "liga.query_interface.arguments"
local ddl = require "liga.ddl"
local definition = require "liga.query_interface.definition"

local methods = {}

--- Adds a column, with its foreign key and index.
-- @param name the table, by name or model
-- @param column the column
-- @param spec a type, or a table of attribute options
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:addColumn(name, column, spec, given)
  given = arguments.read_options(self, "addColumn", given)
  local item = arguments.find_table(self, "addColumn", name, given)
  arguments.expect_no_column("addColumn", item, arguments.read_name("addColumn", "a column", column))
  local part, parts, creating = definition.column_parts(self, "addColumn", item, column, spec)
  arguments.run(self, definition.column_plan(self, "add column", item, part, parts, creating), given)
end

--- Drops a column with its values, indexes and constraints.
-- @param name the table, by name or model
-- @param column the column
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeColumn(name, column, given)
  given = arguments.read_options(self, "removeColumn", given)
  local item = arguments.find_table(self, "removeColumn", name, given)
  local found = arguments.find_column("removeColumn", item, column)
  arguments.run(self, ddl.plan(self.db, item, { { kind = "drop column", name = found.name } }), given)
end

--- Changes a column to a new definition: type, default and nullability; a reference replaces the one it had.
-- @param name the table, by name or model
-- @param column the column
-- @param spec a type, or a table of attribute options
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:changeColumn(name, column, spec, given)
  given = arguments.read_options(self, "changeColumn", given)
  local item = arguments.find_table(self, "changeColumn", name, given)
  local found = arguments.find_column("changeColumn", item, column)
  local part, parts, creating = definition.column_parts(self, "changeColumn", item, found.name, spec)
  arguments.run(self, definition.column_plan(self, "change column", item, part, parts, creating), given)
end

--- Renames a column; keys, indexes, views and triggers that name it follow.
-- @param name the table, by name or model
-- @param before its name
-- @param after its new name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:renameColumn(name, before, after, given)
  given = arguments.read_options(self, "renameColumn", given)
  local item = arguments.find_table(self, "renameColumn", name, given)
  local found = arguments.find_column("renameColumn", item, before)
  local to = arguments.read_name("renameColumn", "the new name", after)
  arguments.expect_no_column("renameColumn", item, to, found)
  arguments.run(self, ddl.plan(self.db, item, { { kind = "rename column", name = found.name, to = to } }), given)
end

return methods
