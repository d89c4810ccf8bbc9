--- Schemas, foreign keys as a whole and sequences of a query interface.
local arguments = require "liga.query_interface.arguments"
local core = require "liga.core"
local ddl = require "liga.ddl"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local sqltext = require "liga.sqltext"

local methods = {}
local quote = sqltext.quote

local function check_schemas(self, method)
  if not dialect.of(self.db).schemas then errors.usage("%s: SQLite has no schemas", method) end
end

--- Creates a schema (PostgreSQL) unless it is there.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:createSchema(name, given)
  given = arguments.read_options(self, "createSchema", given)
  check_schemas(self, "createSchema")
  local schema = quote(arguments.read_name("createSchema", "the schema", name))
  arguments.run(self, ddl.plain("CREATE SCHEMA IF NOT EXISTS " .. schema), given)
end

--- Drops a schema (PostgreSQL), if it is there.
-- @param name the table, by name or model
-- @param given {cascade = with all that is in it, transaction, logging}, or nil
function methods:dropSchema(name, given)
  given = arguments.read_options(self, "dropSchema", given, { cascade = true })
  check_schemas(self, "dropSchema")
  local sql = "DROP SCHEMA IF EXISTS " .. quote(arguments.read_name("dropSchema", "the schema", name))
  arguments.run(self, ddl.plain(given.cascade and sql .. " CASCADE" or sql), given)
end

local function switch_foreign_keys(self, method, on, given)
  arguments.read_options(self, method, given)
  if self.db.dialect ~= "sqlite" then return false end
  core.set_foreign_keys(self.db._.core, on)
  return true
end

--- SQLite: foreign keys are not checked any more by this database object. PostgreSQL has no such switch for anybody but
-- its administrator: nothing happens there, as in Sequelize. What it is good for can be had otherwise: by
-- `dropAllTables`, by `dropTable` with cascade, by deferrable constraints.
-- @param given {transaction, logging}, or nil
-- @return whether there is such a switch
function methods:disableForeignKeyConstraints(given)
  return switch_foreign_keys(self, "disableForeignKeyConstraints", false, given)
end

--- SQLite: foreign keys are checked again.
-- @param given {transaction, logging}, or nil
-- @return whether there is such a switch
function methods:enableForeignKeyConstraints(given)
  return switch_foreign_keys(self, "enableForeignKeyConstraints", true, given)
end

local function generated_column(item)
  for _, column in ipairs(item.columns) do
    if column.autoIncrement then return column end
  end
  errors.usage("resetSequence: the table %q has no generated key", item.name)
end

--- Statements that set the next generated key, by dialect.
local reset_sequence = {
  sqlite = function(item, column, value)
    local last = value and tostring(value - 1)
      or ("(SELECT coalesce(max(%s), 0) FROM %s)"):format(quote(column.name), quote(item.name))
    if not item.sequence then
      errors.usage("resetSequence: the key of %q is no AUTOINCREMENT: SQLite always goes on behind the largest",
        item.name)
    end
    local name = sqltext.literal(item.name)
    return {
      ("DELETE FROM sqlite_sequence WHERE name = %s"):format(name),
      ("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)"):format(name, last),
    }
  end,
  postgres = function(item, column, value)
    local full = sqltext.table_name(item.schema, item.name)
    local next_value = value and tostring(value)
      or ("(SELECT coalesce(max(%s), 0) + 1 FROM %s)"):format(quote(column.name), full)
    return { ("SELECT setval(pg_get_serial_sequence(%s, %s), %s, false)"):format(sqltext.literal(full),
      sqltext.literal(column.name), next_value) }
  end,
}

--- Sets the next generated key of a table.
-- @param name the table, by name or model
-- @param value the next key; nil: behind the largest there is
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:resetSequence(name, value, given)
  if type(value) == "table" then value, given = nil, value end
  given = arguments.read_options(self, "resetSequence", given)
  if value ~= nil and math.type(value) ~= "integer" then
    errors.usage("resetSequence: the next key must be an integer, got %s", type(value))
  end
  local item = arguments.find_table(self, "resetSequence", name, given)
  arguments.run(self, { statements = reset_sequence[self.db.dialect](item, generated_column(item), value) }, given)
end

return methods
