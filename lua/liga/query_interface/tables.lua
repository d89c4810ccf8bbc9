--- Tables of a query interface: made, dropped, renamed, listed, described.
local arguments = require "liga.query_interface.arguments"
local core = require "liga.core"
local ddl = require "liga.ddl"
local default = require "liga.query_interface.default"
local definition = require "liga.query_interface.definition"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local sqltext = require "liga.sqltext"

local methods = {}
local quote = sqltext.quote

local function unique_keys(given)
  local indexes = {}
  for i, index in ipairs(given.indexes or {}) do indexes[i] = index end
  for name, key in pairs(given.uniqueKeys or {}) do
    indexes[#indexes + 1] = {
      name = type(name) == "string" and name or nil, unique = true, fields = type(key) == "table" and key.fields or key,
    }
  end
  return indexes
end

--- Creates a table with its indexes unless it is there.
-- @param name of the table
-- @param attributes column → type, or table of attribute options
-- @param given {indexes, uniqueKeys = {name = {fields = …}}, comment, transaction, logging}, or nil
function methods:createTable(name, attributes, given)
  given = arguments.read_options(self, "createTable", given, { indexes = true, uniqueKeys = true, comment = true })
  if type(attributes) == "table" and next(attributes) == nil then errors.usage "createTable: a table needs a column" end
  local place = { name = arguments.read_table("createTable", name), schema = arguments.schema_of(name, given) }
  local dry, class = definition.scratch(self, place, attributes, {
    indexes = unique_keys(given), comment = given.comment,
  })
  local plan = { statements = {} }
  for i, statement in ipairs(core.create_statements(dry._.core, { definition.model_of(class) }, true)) do
    plan.statements[i] = statement.sql
  end
  arguments.run(self, plan, given)
end

--- Enums that were made for columns of a table go with it.
local function add_types(statements, item)
  for _, column in ipairs(item.columns) do
    local type = naming.own_enum(item.name, column)
    if type then statements[#statements + 1] = "DROP TYPE IF EXISTS " .. type end
  end
end

--- Drops a table, if it is there.
-- @param name the table, by name or model
-- @param given {cascade (PostgreSQL: what depends on it too), transaction, logging}, or nil
function methods:dropTable(name, given)
  given = arguments.read_options(self, "dropTable", given, { cascade = true })
  local place = { name = arguments.read_table("dropTable", name), schema = arguments.schema_of(name, given) }
  local cascade = given.cascade and dialect.of(self.db).cascade or ""
  local plan = ddl.plain("DROP TABLE IF EXISTS " .. arguments.table_name(place) .. cascade)
  local item = self.db.dialect == "postgres" and introspect.table(self.db, place.name, { schema = place.schema })
  if item then add_types(plan.statements, item) end
  arguments.run(self, plan, given)
end

--- Drops tables, each with those that inherit from it; one that is kept inherits no more.
local function drop_all(self, list, catalogue, given)
  local statements, cascade = {}, dialect.of(self.db).cascade
  for _, item in ipairs(catalogue) do
    for _, name in ipairs(not list[item] and item.parents or {}) do
      if list[catalogue[name]] then
        statements[#statements + 1] = ("ALTER TABLE %s NO INHERIT %s"):format(arguments.table_name(item),
          arguments.table_name(catalogue[name]))
      end
    end
  end
  for _, item in ipairs(list) do
    statements[#statements + 1] = "DROP TABLE IF EXISTS " .. arguments.table_name(item) .. cascade
  end
  for _, item in ipairs(list) do add_types(statements, item) end
  for _, sql in ipairs(statements) do core.execute(self.db._.core, sql, { logging = given.logging }) end
end

--- Views that nothing can be read from any more, as their tables are gone.
local function drop_broken_views(self, before)
  if self.db.dialect ~= "sqlite" then return end
  for _, item in ipairs(introspect.read(self.db)) do
    if item.kind == "view" and item.broken and not before[item.name].broken then
      core.execute(self.db._.core, "DROP VIEW " .. quote(item.name))
    end
  end
end

--- Drops all tables of the database (PostgreSQL: of the schema), and the views that read them.
-- @param given {skip = list of tables to keep, transaction, logging}, or nil
function methods:dropAllTables(given)
  given = arguments.read_options(self, "dropAllTables", given, { skip = true })
  local skipped, list = {}, {}
  for _, name in ipairs(given.skip or {}) do skipped[arguments.read_table("dropAllTables", name)] = true end
  local catalogue = introspect.read(self.db, { schema = given.schema })
  for _, item in ipairs(catalogue) do
    if item.kind ~= "view" and not skipped[item.name] then list[#list + 1], list[item] = item, true end
  end
  ddl.unchecked(self.db, given, function()
    drop_all(self, list, catalogue, given)
    drop_broken_views(self, catalogue)
  end)
end

--- Renames a table; keys, views and triggers that name it follow.
-- @param before its name
-- @param after its new name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:renameTable(before, after, given)
  given = arguments.read_options(self, "renameTable", given)
  local item = arguments.find_table(self, "renameTable", before, given)
  local name = arguments.read_name("renameTable", "the new name", after)
  local other = name:lower() ~= item.name:lower() and introspect.table(self.db, name, { schema = item.schema })
  if other then errors.usage("renameTable: there is a %s %q already", other.kind, other.name) end
  arguments.run(self, ddl.plain(("ALTER TABLE %s RENAME TO %s"):format(arguments.table_name(item), quote(name))), given)
end

--- Whether there is a table of this name.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:tableExists(name, given)
  given = arguments.read_options(self, "tableExists", given)
  local schema = arguments.schema_of(name, given)
  local item = introspect.table(self.db, arguments.read_table("tableExists", name), { schema = schema })
  return item ~= nil and item.kind ~= "view"
end

--- The names of all tables (no views), sorted.
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:showAllTables(given)
  given = arguments.read_options(self, "showAllTables", given)
  local names = {}
  for _, item in ipairs(introspect.schema(self.db, { schema = given.schema }, "showAllTables")) do
    if item.kind ~= "view" then names[#names + 1] = item.name end
  end
  return names
end

local function has_name(names, name)
  for _, other in ipairs(names) do
    if other == name then return true end
  end
  return false
end

local function is_unique(item, name)
  for _, key in ipairs(introspect.unique_keys(item)) do
    if key.origin ~= "primary" and #key.columns == 1 and key.columns[1] == name then return true end
  end
  return false
end

--- The columns of a table or view.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return column → {type, values (of an enum), allowNull, defaultValue, primaryKey, autoIncrement, unique, generated,
--   comment}
function methods:describeTable(name, given)
  given = arguments.read_options(self, "describeTable", given)
  local item = arguments.find_table(self, "describeTable", name, given)
  local described = {}
  local kind_of = introspect.dialect(self.db).kind_of
  for _, column in ipairs(item.columns) do
    local key, kind = has_name(item.primaryKey, column.name), kind_of(column.base or column.type) or {}
    described[column.name] = {
      type = column.type:find('"', 1, true) and column.type or column.type:upper(), values = column.values,
      allowNull = column.allowNull and not key, defaultValue = default.value(column.default, kind.name == "DECIMAL"),
      primaryKey = key, autoIncrement = column.autoIncrement, unique = is_unique(item, column.name),
      generated = column.generated, comment = column.comment,
    }
  end
  return described
end

return methods
