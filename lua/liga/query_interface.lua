--- `db:queryInterface()`: tables, columns, indexes and constraints, made, changed, dropped and described without
-- models.
local association = require "liga.association"
local core = require "liga.core"
local ddl = require "liga.ddl"
local errors = require "liga.errors"
local instance = require "liga.instance"
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local options = require "liga.options"
local readonly = require "liga.readonly"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"
local transaction = require "liga.transaction"
local types = require "liga.types"

local QueryInterface = { __name = "liga.QueryInterface" }
QueryInterface.__index = QueryInterface
local methods = QueryInterface
local quote = sqltext.quote

local is_method = {}
for _, name in ipairs(instance.names) do is_method[name] = true end

-- Arguments ----------------------------------------------------------------------------------------------------------

local call_options = { transaction = true, logging = true, schema = true }

--- The options of a call, checked; `allowed` adds to those that every call has.
local function read_options(self, method, given, allowed)
  if getmetatable(self) ~= QueryInterface then
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
  if given.schema ~= nil and self.db.dialect == "sqlite" then errors.usage("%s: schema: SQLite has none", method) end
  return given
end

--- A table's name, from the name or a model.
local function read_table(method, given)
  if registry.is_model(given) then return given.tableName end
  if type(given) == "string" and given ~= "" then return given end
  errors.usage("%s: the name of a table or a model expected, got %s", method, type(given))
end

local function read_name(method, what, given)
  if type(given) == "string" and given ~= "" then return given end
  errors.usage("%s: %s must be a non-empty string, got %s", method, what, given == "" and '""' or type(given))
end

--- A list of column names; one name is a list of it.
local function read_names(method, what, given)
  local list = type(given) == "string" and { given } or given
  if type(list) ~= "table" or #list == 0 then errors.usage("%s: %s must be a list of columns", method, what) end
  for _, name in ipairs(list) do read_name(method, "a column", name) end
  return list
end

local function find_table(self, method, name, given)
  name = read_table(method, name)
  local item = introspect.table(self.db, name, { schema = given.schema })
  if item then return item end
  local names = {}
  for i, other in ipairs(introspect.read(self.db, { schema = given.schema })) do names[i] = other.name end
  errors.usage("%s: there is no table %q%s", method, name, options.hint(name, names))
end

local function find_column(method, item, name)
  read_name(method, "a column", name)
  if item.columns[name] then return item.columns[name] end
  local names = {}
  for i, column in ipairs(item.columns) do
    names[i] = column.name
    if column.name:lower() == name:lower() and item.sql then return column end
  end
  errors.usage("%s: the table %q has no column %q%s", method, item.name, name, options.hint(name, names))
end

local function table_name(item_or_name, given)
  if type(item_or_name) == "table" then return sqltext.table_name(item_or_name.schema, item_or_name.name) end
  return sqltext.table_name(given.schema, item_or_name)
end

local function run(self, plan, given)
  ddl.run(self.db, plan, given)
end

-- Definitions --------------------------------------------------------------------------------------------------------

--- The options of an attribute in the words of columns: what references a model names its table.
local function column_options(spec)
  if types.is(spec) then return { type = spec } end
  if type(spec) ~= "table" or getmetatable(spec) then return spec end
  local given = options.copy(spec)
  local references = given.references
  if registry.is_model(references) then references = { model = references } end
  if type(references) == "string" then references = { table = references, key = given.referencesKey or "id" } end
  if type(references) == "table" then
    local target = references.model or references.table
    local class = registry.is_model(target) and target or nil
    local key = references.key or class and class.primaryKey[1] or "id"
    local attribute = class and class.attributes[key]
    references = { table = class and class.tableName or target, key = attribute and attribute.columnName or key }
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
local function read_attributes(attributes)
  local read, keyed, place = {}, false, 0
  for column, spec in next, attributes do
    local entry = column_options(spec)
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
-- @param attributes column → type or table of options
-- @return a database without connection, the model
local function scratch(self, name, attributes, given)
  if type(attributes) ~= "table" or getmetatable(attributes) then
    errors.usage("%s: the columns must be a table, got %s", name, type(attributes))
  end
  local columns, keyed = read_attributes(attributes)
  local dry = require "liga.database".dry(self.db.dialect)
  local model_options = { tableName = name, timestamps = false, indexes = given.indexes, comment = given.comment }
  if not keyed then model_options.primaryKey = false end
  local class = dry:define(name, columns, model_options)
  association.resolve(dry)
  return dry, class
end

local function model_of(class)
  return getmetatable(class)[1]
end

--- The columns of a table as plain texts: what a definition may refer to.
local function neighbours(item, except)
  local attributes = {}
  for _, column in ipairs(item.columns) do
    if column.name:lower() ~= except:lower() then attributes[column.name] = { type = types.TEXT } end
  end
  return attributes
end

local function find_part(parts, column)
  for _, part in ipairs(parts.columns) do
    if part.name == column then return part end
  end
end

--- One column as parts: its definition, keys and indexes.
local function column_parts(self, method, item, column, spec)
  local attributes = neighbours(item, read_name(method, "a column", column))
  attributes[column] = spec
  local dry, class = scratch(self, item.name, attributes, {})
  if #class.primaryKey > 0 and method == "addColumn" then
    errors.usage("addColumn: %q can't become a primary key; make the table with it", column)
  end
  local parts = core.table_parts(dry._.core, model_of(class))
  return find_part(parts, column), parts, core.create_statements(dry._.core, { model_of(class) }, true)
end

--- A plan for one column, with the types it needs before, and its indexes behind it.
local function column_plan(self, kind, item, column, parts, creating)
  local list = {}
  for _, statement in ipairs(creating) do
    if statement.kind == "type" or statement.kind == "extension" then list[#list + 1] = statement.sql end
  end
  local plan = ddl.plan(self.db, item, { { kind = kind, column = column, keys = parts.foreignKeys } })
  plan.statements = table.move(plan.statements, 1, #plan.statements, #list + 1, list)
  for _, index in ipairs(parts.indexes) do plan.statements[#plan.statements + 1] = index.sql end
  return plan
end

-- Tables -------------------------------------------------------------------------------------------------------------

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
  given = read_options(self, "createTable", given, { indexes = true, uniqueKeys = true, comment = true })
  if type(attributes) == "table" and next(attributes) == nil then errors.usage "createTable: a table needs a column" end
  local dry, class = scratch(self, read_table("createTable", name), attributes, {
    indexes = unique_keys(given), comment = given.comment,
  })
  local plan = { statements = {} }
  for i, statement in ipairs(core.create_statements(dry._.core, { model_of(class) }, true)) do
    plan.statements[i] = statement.sql
  end
  run(self, plan, given)
end

--- Enums that were made for columns of a table go with it.
local function add_types(statements, item)
  for _, column in ipairs(item.columns) do
    local bare = column.type:gsub('"', "")
    if column.values and bare:match "[^.]+$" == naming.shorten(("enum_%s_%s"):format(item.name, column.name)) then
      statements[#statements + 1] = "DROP TYPE IF EXISTS " .. column.type
    end
  end
end

--- Drops a table, if it is there.
-- @param name the table, by name or model
-- @param given {cascade (PostgreSQL: what depends on it too), transaction, logging}, or nil
function methods:dropTable(name, given)
  given = read_options(self, "dropTable", given, { cascade = true })
  name = read_table("dropTable", name)
  local cascade = given.cascade and self.db.dialect == "postgres" and " CASCADE" or ""
  local plan = ddl.plain("DROP TABLE IF EXISTS " .. table_name(name, given) .. cascade)
  local item = self.db.dialect == "postgres" and introspect.table(self.db, name, { schema = given.schema })
  if item then add_types(plan.statements, item) end
  run(self, plan, given)
end

local function drop_all(self, list, given)
  local plan, cascade = { statements = {} }, self.db.dialect == "postgres" and " CASCADE" or ""
  for i, item in ipairs(list) do plan.statements[i] = "DROP TABLE " .. table_name(item) .. cascade end
  for _, item in ipairs(list) do add_types(plan.statements, item) end
  for _, sql in ipairs(plan.statements) do core.execute(self.db._.core, sql, { logging = given.logging }) end
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
  given = read_options(self, "dropAllTables", given, { skip = true })
  local skipped, list = {}, {}
  for _, name in ipairs(given.skip or {}) do skipped[read_table("dropAllTables", name)] = true end
  local catalogue = introspect.read(self.db, { schema = given.schema })
  for _, item in ipairs(catalogue) do
    if item.kind ~= "view" and not skipped[item.name] then list[#list + 1] = item end
  end
  local function body()
    drop_all(self, list, given)
    drop_broken_views(self, catalogue)
  end
  local on = self.db.dialect == "sqlite" and core.query(self.db._.core, "PRAGMA foreign_keys")[1].foreign_keys ~= 0
  if on and not given.transaction and not transaction.current(self.db) then
    return transaction.prepared(self.db, { "PRAGMA foreign_keys = OFF" }, { "PRAGMA foreign_keys = ON" }, body)
  end
  transaction.atomically(self.db, given, body)
end

--- Renames a table; keys, views and triggers that name it follow.
-- @param before its name
-- @param after its new name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:renameTable(before, after, given)
  given = read_options(self, "renameTable", given)
  local item = find_table(self, "renameTable", before, given)
  local name = read_name("renameTable", "the new name", after)
  run(self, ddl.plain(("ALTER TABLE %s RENAME TO %s"):format(table_name(item), quote(name))), given)
end

--- Whether there is a table of this name.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:tableExists(name, given)
  given = read_options(self, "tableExists", given)
  local item = introspect.table(self.db, read_table("tableExists", name), { schema = given.schema })
  return item ~= nil and item.kind ~= "view"
end

--- The names of all tables (no views), sorted.
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:showAllTables(given)
  given = read_options(self, "showAllTables", given)
  local names = {}
  for _, item in ipairs(introspect.read(self.db, { schema = given.schema })) do
    if item.kind ~= "view" then names[#names + 1] = item.name end
  end
  return names
end

-- Describing ---------------------------------------------------------------------------------------------------------

--- A default as the value it is, where it is a plain literal; else its SQL.
local function default_value(sql)
  if sql == nil then return nil end
  local plain = sql:gsub("::[%w%s%(%),%.\"%[%]]+$", ""):gsub("^%((.*)%)$", "%1")
  local text = plain:match "^'(.*)'$"
  if text and not text:gsub("''", ""):find "'" then return (text:gsub("''", "'")) end
  local lowered = plain:lower()
  if lowered == "true" or lowered == "false" then return lowered == "true" end
  if lowered == "null" then return nil end
  return tonumber(plain) or sql
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
-- @return column → {type, allowNull, defaultValue, primaryKey, autoIncrement, unique, generated, comment}
function methods:describeTable(name, given)
  given = read_options(self, "describeTable", given)
  local item = find_table(self, "describeTable", name, given)
  local described = {}
  for _, column in ipairs(item.columns) do
    local key = has_name(item.primaryKey, column.name)
    described[column.name] = {
      type = column.type:upper(), allowNull = column.allowNull and not key,
      defaultValue = default_value(column.default),
      primaryKey = key, autoIncrement = column.autoIncrement, unique = is_unique(item, column.name),
      generated = column.generated, comment = column.comment,
    }
  end
  return described
end

-- Columns ------------------------------------------------------------------------------------------------------------

--- Adds a column, with its foreign key and index.
-- @param name the table, by name or model
-- @param column the column
-- @param spec a type, or a table of attribute options
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:addColumn(name, column, spec, given)
  given = read_options(self, "addColumn", given)
  local item = find_table(self, "addColumn", name, given)
  run(self, column_plan(self, "add column", item, column_parts(self, "addColumn", item, column, spec)), given)
end

--- Drops a column with its values, indexes and constraints.
-- @param name the table, by name or model
-- @param column the column
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeColumn(name, column, given)
  given = read_options(self, "removeColumn", given)
  local item = find_table(self, "removeColumn", name, given)
  local found = find_column("removeColumn", item, column)
  run(self, ddl.plan(self.db, item, { { kind = "drop column", name = found.name } }), given)
end

--- Changes a column to a new definition: type, default and nullability; a reference replaces the one it had.
-- @param name the table, by name or model
-- @param column the column
-- @param spec a type, or a table of attribute options
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:changeColumn(name, column, spec, given)
  given = read_options(self, "changeColumn", given)
  local item = find_table(self, "changeColumn", name, given)
  local found = find_column("changeColumn", item, column)
  run(self, column_plan(self, "change column", item, column_parts(self, "changeColumn", item, found.name, spec)), given)
end

--- Renames a column; keys, indexes, views and triggers that name it follow.
-- @param name the table, by name or model
-- @param before its name
-- @param after its new name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:renameColumn(name, before, after, given)
  given = read_options(self, "renameColumn", given)
  local item = find_table(self, "renameColumn", name, given)
  local found = find_column("renameColumn", item, before)
  local to = read_name("renameColumn", "the new name", after)
  run(self, ddl.plan(self.db, item, { { kind = "rename column", name = found.name, to = to } }), given)
end

-- Indexes ------------------------------------------------------------------------------------------------------------

--- A table with an index over existing columns, as scratch: only the index's SQL is taken.
local function index_statement(self, item, index)
  local dry, class = scratch(self, item.name, neighbours(item, ""), { indexes = { index } })
  return core.table_parts(dry._.core, model_of(class)).indexes[1].sql
end

local index_options = { name = true, unique = true, where = true, using = true, fields = true }

--- Creates an index.
-- @param name the table, by name or model
-- @param fields list of columns, `{"a", {"b", order = "DESC"}}`; or the options with `fields`
-- @param given {name, unique, where, using, fields, transaction, logging}, or nil
function methods:addIndex(name, fields, given)
  if type(fields) == "table" and fields.fields ~= nil and given == nil then given, fields = fields, fields.fields end
  if type(fields) == "string" then fields = { fields } end
  given = read_options(self, "addIndex", given, index_options)
  local item = find_table(self, "addIndex", name, given)
  local index = { name = given.name, unique = given.unique, where = given.where, using = given.using }
  index.fields = fields or given.fields
  run(self, ddl.plain(index_statement(self, item, index)), given)
end

local function find_index(item, wanted)
  local names = {}
  for i, index in ipairs(item.indexes) do
    names[i] = index.name
    local columns = type(wanted) == "table" and introspect.index_columns(index)
    if index.name == wanted or columns and introspect.same_names(columns, wanted) then return index end
  end
  local shown = type(wanted) == "table" and table.concat(wanted, ", ") or tostring(wanted)
  errors.usage("removeIndex: the table %q has no index %q%s", item.name, shown, options.hint(shown, names))
end

--- Drops an index.
-- @param name the table, by name or model
-- @param index its name, or the list of its columns
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeIndex(name, index, given)
  given = read_options(self, "removeIndex", given)
  local item = find_table(self, "removeIndex", name, given)
  local found = find_index(item, index)
  if found.origin ~= "index" then
    errors.usage("removeIndex: %q belongs to a constraint of %q: use removeConstraint", found.name, item.name)
  end
  run(self, ddl.plain("DROP INDEX " .. sqltext.table_name(item.schema, found.name)), given)
end

--- The indexes of a table.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return list of {name, unique, primary, fields = list of {attribute, order}, where}
function methods:showIndexes(name, given)
  given = read_options(self, "showIndexes", given)
  local list = {}
  for i, index in ipairs(find_table(self, "showIndexes", name, given).indexes) do
    local fields = {}
    for n, column in ipairs(index.columns) do fields[n] = { attribute = column.name, order = column.order } end
    list[i] = {
      name = index.name, unique = index.unique, primary = index.origin == "primary", fields = fields,
      where = index.where, using = index.using,
    }
  end
  return list
end

-- Constraints --------------------------------------------------------------------------------------------------------

local constraint_options = {
  fields = true, type = true, name = true, references = true, onDelete = true, onUpdate = true, deferrable = true,
  where = true,
}

local function key_actions(self, given)
  local constraint = require "liga.define.constraint"
  local place = { fail = function(_, format, ...) errors.usage("addConstraint: " .. format, ...) end }
  local text = ""
  for _, option in ipairs { "onDelete", "onUpdate" } do
    local action = constraint.action(place, option, given[option])
    if action then text = text .. (option == "onDelete" and " ON DELETE " or " ON UPDATE ") .. action end
  end
  local deferrable = constraint.deferrable(place, given.deferrable)
  if deferrable then text = text .. " DEFERRABLE INITIALLY " .. deferrable:upper() end
  return text, self
end

local function referenced(self, given)
  local references = given.references
  if registry.is_model(references) then references = { model = references } end
  if type(references) ~= "table" then
    errors.usage "addConstraint: references must be {table =, field = or fields =}"
  end
  options.check("addConstraint: references", references, { table = true, model = true, field = true, fields = true,
    key = true })
  local name = read_table("addConstraint", references.table or references.model)
  local fields = references.fields or references.field or references.key
  if fields == nil then fields = find_table(self, "addConstraint", name, given).primaryKey end
  return name, read_names("addConstraint", "references.fields", fields)
end

--- The SQL of a constraint, by its type.
local constraint_sql = {
  unique = function(_, fields) return ("UNIQUE (%s)"):format(sqltext.quote_all(fields)) end,
  ["primary key"] = function(_, fields) return ("PRIMARY KEY (%s)"):format(sqltext.quote_all(fields)) end,
  ["foreign key"] = function(self, fields, given)
    local name, columns = referenced(self, given)
    return ("FOREIGN KEY (%s) REFERENCES %s (%s)%s"):format(sqltext.quote_all(fields),
      sqltext.table_name(given.schema, name), sqltext.quote_all(columns), (key_actions(self, given)))
  end,
  check = function(self, _, given)
    local condition = given.where
    if not core.is_expression(condition) then
      errors.usage "addConstraint: where of a check must be liga.literal(…) or liga.sql(…)"
    end
    local dry, class = scratch(self, "t", { c = { type = types.BOOLEAN, defaultValue = condition } }, {})
    return "CHECK " .. core.table_parts(dry._.core, model_of(class)).columns[1].default
  end,
}

local suffixes = { unique = "uk", ["primary key"] = "pk", ["foreign key"] = "fk", check = "ck" }

local function constraint_type(given)
  local kind = type(given.type) == "string" and given.type:lower():gsub("[%s_]+", " ")
  if kind and constraint_sql[kind] then return kind end
  errors.usage('addConstraint: type must be "unique", "primary key", "foreign key" or "check"')
end

--- Adds a constraint.
-- @param name the table, by name or model
-- @param given {type = "unique"|"primary key"|"foreign key"|"check", fields, name, references = {table, field |
-- fields}, onDelete, onUpdate, deferrable, where (of a check, liga.literal), transaction, logging}
function methods:addConstraint(name, given)
  given = read_options(self, "addConstraint", given, constraint_options)
  local kind = constraint_type(given)
  local item = find_table(self, "addConstraint", name, given)
  local fields = kind ~= "check" and read_names("addConstraint", "fields", given.fields) or given.fields or {}
  for _, field in ipairs(fields) do find_column("addConstraint", item, field) end
  local own = naming.shorten(("%s_%s_%s"):format(item.name, table.concat(fields, "_"), suffixes[kind]))
  run(self, ddl.plan(self.db, item, { {
    kind = "add constraint", constraint = {
      kind = kind, name = given.name or own, columns = fields, sql = constraint_sql[kind](self, fields, given),
    },
  } }), given)
end

--- All constraints of a table of the catalogue, with what showConstraints tells of them.
local function constraints_of(item)
  local list = {}
  local function add(kind, entry, columns)
    list[#list + 1] = { kind = kind, entry = entry, shown = {
      name = entry.name, type = kind, columns = columns, deferrable = entry.deferrable,
      references = entry.references and { table = entry.table, columns = entry.references } or nil,
      onDelete = entry.onDelete, onUpdate = entry.onUpdate, definition = entry.sql,
    } }
  end
  if #item.primaryKey > 0 then
    add("PRIMARY KEY", { name = item.primaryKeyName, source = item.primaryKeySource }, item.primaryKey)
  end
  for _, entry in ipairs(item.uniques) do add("UNIQUE", entry, entry.columns) end
  for _, entry in ipairs(item.foreignKeys) do add("FOREIGN KEY", entry, entry.columns) end
  for _, entry in ipairs(item.checks) do add("CHECK", entry) end
  return list
end

--- Drops a constraint by its name, as showConstraints tells it.
-- @param name the table, by name or model
-- @param constraint its name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeConstraint(name, constraint, given)
  given = read_options(self, "removeConstraint", given)
  local item = find_table(self, "removeConstraint", name, given)
  local names = {}
  for i, found in ipairs(constraints_of(item)) do
    names[i] = found.shown.name
    if found.shown.name == constraint then
      return run(self, ddl.plan(self.db, item, { { kind = "drop constraint", constraint = found.entry } }), given)
    end
  end
  errors.usage("removeConstraint: the table %q has no constraint %q%s", item.name, tostring(constraint),
    options.hint(constraint, names))
end

--- The constraints of a table.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return list of {name, type = "PRIMARY KEY"|"UNIQUE"|"FOREIGN KEY"|"CHECK", columns, references = {table, columns},
-- onDelete, onUpdate, deferrable, definition}
function methods:showConstraints(name, given)
  given = read_options(self, "showConstraints", given)
  local list = {}
  for i, found in ipairs(constraints_of(find_table(self, "showConstraints", name, given))) do list[i] = found.shown end
  return list
end

-- Schemas, foreign keys, sequences -----------------------------------------------------------------------------------

local function check_schemas(self, method)
  if self.db.dialect == "sqlite" then errors.usage("%s: SQLite has no schemas", method) end
end

--- Creates a schema (PostgreSQL) unless it is there.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:createSchema(name, given)
  given = read_options(self, "createSchema", given)
  check_schemas(self, "createSchema")
  run(self, ddl.plain("CREATE SCHEMA IF NOT EXISTS " .. quote(read_name("createSchema", "the schema", name))), given)
end

--- Drops a schema (PostgreSQL), if it is there.
-- @param name the table, by name or model
-- @param given {cascade = with all that is in it, transaction, logging}, or nil
function methods:dropSchema(name, given)
  given = read_options(self, "dropSchema", given, { cascade = true })
  check_schemas(self, "dropSchema")
  local sql = "DROP SCHEMA IF EXISTS " .. quote(read_name("dropSchema", "the schema", name))
  run(self, ddl.plain(given.cascade and sql .. " CASCADE" or sql), given)
end

local function switch_foreign_keys(self, method, on, given)
  read_options(self, method, given)
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
  given = read_options(self, "resetSequence", given)
  if value ~= nil and math.type(value) ~= "integer" then
    errors.usage("resetSequence: the next key must be an integer, got %s", type(value))
  end
  local item = find_table(self, "resetSequence", name, given)
  run(self, { statements = reset_sequence[self.db.dialect](item, generated_column(item), value) }, given)
end

-- Rows ---------------------------------------------------------------------------------------------------------------

local function sorted_keys(record)
  local keys = {}
  for key in next, record do keys[#keys + 1] = read_name("bulkInsert", "a column", key) end
  table.sort(keys)
  return keys
end

local function insert_statement(item, keys, records)
  local rows, values = {}, {}
  for i, record in ipairs(records) do
    local marks = {}
    for n, key in ipairs(keys) do
      values[#values + 1] = record[key]
      marks[n] = "$" .. #values
    end
    rows[i] = "(" .. table.concat(marks, ", ") .. ")"
  end
  return ("INSERT INTO %s (%s) VALUES %s"):format(table_name(item), sqltext.quote_all(keys),
    table.concat(rows, ", ")), values
end

local function insert_records(self, item, records, given)
  local first = 1
  while first <= #records do
    local keys = sorted_keys(records[first])
    if #keys == 0 then errors.usage("bulkInsert: record %d is empty", first) end
    local together, most = {}, math.max(1, math.min(500, 900 // #keys))
    for place = first, math.min(#records, first + most - 1) do
      if not introspect.same_names(sorted_keys(records[place]), keys) then break end
      together[#together + 1] = records[place]
    end
    local sql, values = insert_statement(item, keys, together)
    core.query(self.db._.core, sql, { bind = values, logging = given.logging })
    first = first + #together
  end
end

--- Inserts rows as they are, without a model: no defaults, timestamps or conversions of liga's.
-- @param name the table, by name or model
-- @param records list of {column = value}
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return how many
function methods:bulkInsert(name, records, given)
  given = read_options(self, "bulkInsert", given)
  local item = find_table(self, "bulkInsert", name, given)
  if type(records) ~= "table" then errors.usage("bulkInsert: a list of records expected, got %s", type(records)) end
  for i, record in ipairs(records) do
    if type(record) ~= "table" then errors.usage("bulkInsert: record %d must be a table, got %s", i, type(record)) end
    for _, key in ipairs(sorted_keys(record)) do find_column("bulkInsert", item, key) end
  end
  transaction.atomically(self.db, given, function() insert_records(self, item, records, given) end)
  return #records
end

-- Transactions -------------------------------------------------------------------------------------------------------

local function is_transaction(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__name == "liga.Transaction"
end

--- A method that runs as a whole in the transaction that its options name, which are its last argument.
local function within(method)
  return function(self, ...)
    local given = select(select("#", ...) > 0 and -1 or 1, ...)
    local t = type(given) == "table" and not types.is(given) and rawget(given, "transaction")
    if not is_transaction(t) or getmetatable(self) ~= QueryInterface then return method(self, ...) end
    local arguments = table.pack(...)
    arguments[arguments.n] = options.copy(given)
    arguments[arguments.n].transaction = nil
    return transaction.run(self.db, { transaction = t }, function()
      return method(self, table.unpack(arguments, 1, arguments.n))
    end)
  end
end

for name, method in pairs(methods) do
  if type(method) == "function" then methods[name] = within(method) end
end

local query_interface = { default_value = default_value, methods = readonly.view(methods, "queryInterface") }

--- The query interface of a database.
function query_interface.of(db)
  return setmetatable({ db = db }, QueryInterface)
end

return query_interface
