--- What is in a database: tables, views, columns, keys, indexes, read from the engine's own catalogue.
--
-- A catalogue is a list of tables that also stand under their names. A table:
--   name · schema (PostgreSQL) · kind "table"|"view"|"virtual" · sql (SQLite) · comment
--   parents (PostgreSQL): the tables that it inherits from · partitionKey (PostgreSQL): list of the columns by which it
--     is partitioned, JSON's null for expressions; nil: it is not
--   columns: list and by name; {name, type (as declared, e.g. "VARCHAR(40)"), base (PostgreSQL: of a domain, or of
--     an array of one, the type behind it), dimensions (PostgreSQL: of an array), values (of an enum), elements (of an
--     array of one), enum (its name and its schema, nil: the table's), allowNull, default (SQL text),
--     generated (computed by the database), autoIncrement, comment}
--   primaryKey: list of columns · primaryKeyName
--   foreignKeys: list of {name, unnamed, columns, schema, table, references, onDelete, onUpdate, deferrable}
--   uniques: list of {name, unnamed, columns} · checks: list of {name, unnamed, sql}
--   indexes: list of {name, columns = list of {name or nil (an expression), order}, unique, where, origin = "index",
--     "unique" or "primary", sql, using}
--   triggers: list of {name, sql} (SQLite)
-- Names of constraints that have none in the database are made up as PostgreSQL would, and marked `unnamed`.
local core = require "liga.core"
local errors = require "liga.errors"
local naming = require "liga.naming"
local options = require "liga.options"

local introspect = {}

local dialects = { sqlite = "liga.introspect.sqlite", postgres = "liga.introspect.postgres" }

--- The dialect's functions: `read(query, options)`, `kind_of(declared)`.
function introspect.dialect(db)
  return require(dialects[db.dialect])
end

--- Runs a query of ours; its columns are plain values.
local function runner(db, given)
  return function(sql, bind)
    return (core.query(db._.core, sql, { bind = bind, transaction = given.transaction, logging = given.logging }))
  end
end

local function index_by(list, field)
  for _, item in ipairs(list) do list[item[field]] = item end
  return list
end

--- A table of a catalogue with nothing in it yet.
function introspect.new_table(fields)
  fields.columns, fields.primaryKey, fields.foreignKeys = {}, {}, {}
  fields.uniques, fields.checks, fields.indexes, fields.triggers = {}, {}, {}, {}
  return fields
end

--- Reads the catalogue.
-- @param db the connection
-- @param given {schema, table = only this one, transaction, logging}, or nil
-- @return the catalogue
function introspect.read(db, given)
  given = given or {}
  local catalogue = introspect.dialect(db).read(runner(db, given), given)
  for _, item in ipairs(catalogue) do index_by(item.columns, "name") end
  return index_by(catalogue, "name")
end

--- The same of a schema that was asked for: UsageError for one that is not there.
-- @param what the call, for the message
function introspect.schema(db, given, what)
  local catalogue = introspect.read(db, given)
  if #catalogue > 0 or given.schema == nil then return catalogue end
  local names = introspect.dialect(db).schemas(runner(db, given))
  for _, name in ipairs(names) do
    if name == given.schema then return catalogue end
  end
  errors.usage("%s: there is no schema %q%s", what, given.schema, options.hint(given.schema, names))
end

--- One table, or nil.
function introspect.table(db, name, given)
  local wanted = options.copy(given)
  wanted.table = name
  return introspect.read(db, wanted)[1]
end

-- Comparing ----------------------------------------------------------------------------------------------------------

introspect.same_names = naming.same_names

--- A table's column by name, or nil; names in SQLite's tables (only these have a `sql`) know no capitals.
function introspect.column(item, name)
  if item.columns[name] or not item.sql then return item.columns[name] end
  for _, column in ipairs(item.columns) do
    if column.name:lower() == name:lower() then return column end
  end
end

--- The names of an index's columns; nil where one of them is an expression.
function introspect.index_columns(index)
  local names = {}
  for i, column in ipairs(index.columns) do
    if not column.name then return nil end
    names[i] = column.name
  end
  return names
end

--- The sets of columns that hold no two equal rows: the primary key and unique indexes over all rows.
-- @return list of {columns, name, origin}
function introspect.unique_keys(item)
  local keys = {}
  if #item.primaryKey > 0 then
    keys[1] = { columns = item.primaryKey, name = item.primaryKeyName, origin = "primary" }
  end
  for _, index in ipairs(item.indexes) do
    local columns = index.unique and not index.where and index.origin ~= "primary" and introspect.index_columns(index)
    if columns then keys[#keys + 1] = { columns = columns, name = index.name, origin = index.origin } end
  end
  return keys
end

return introspect
