--- Changes of tables: from a list of changes to statements, and their running.
--
-- A change is one of
--   {kind = "add column", column, keys} · {kind = "change column", column, keys, aspects}
--   {kind = "drop column", name} · {kind = "rename column", name, to}
--   {kind = "add constraint", constraint} · {kind = "drop constraint", constraint}
-- `column` and `keys` are parts as `core.table_parts` gives them; `aspects` is the set of what differs (type,
-- allowNull, default; nil: all); `constraint` is {kind, name, sql} to be added, or an entry of the catalogue to
-- be dropped.
--
-- A plan is {statements, rebuilt = the table that SQLite has to make anew, or nil, first = statements that go before
-- the transaction, where there is none yet: values of enums, which can't be used before they are committed; or nil,
-- retyped = list of {item, column} whose values may not fit the type that they get, or nil}.
local core = require "liga.core"
local errors = require "liga.errors"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"
local transaction = require "liga.transaction"

local ddl = {}

local dialects = { sqlite = "liga.ddl.sqlite", postgres = "liga.ddl.postgres" }

local function dialect_of(db)
  return require(dialects[db.dialect])
end

--- The plan for changes of one table.
-- @param item the table as the catalogue has it
-- @param changes list of changes
function ddl.plan(db, item, changes)
  return dialect_of(db).plan(item, changes)
end

--- Whether an enum that is a type of the database's misses values that a column wants.
-- @param column of parts
-- @param actual of the catalogue
function ddl.misses_values(db, column, actual)
  local dialect = dialect_of(db)
  return dialect.misses_values ~= nil and dialect.misses_values(column, actual)
end

--- A plan of statements that need no care.
function ddl.plain(...)
  return { statements = { ... } }
end

--- One plan of several.
function ddl.join(plans)
  local joined = { statements = {}, rebuilt = {}, first = {}, retyped = {} }
  for _, plan in ipairs(plans) do
    table.move(plan.first or {}, 1, #(plan.first or {}), #joined.first + 1, joined.first)
    table.move(plan.statements, 1, #plan.statements, #joined.statements + 1, joined.statements)
    table.move(plan.retyped or {}, 1, #(plan.retyped or {}), #joined.retyped + 1, joined.retyped)
    if plan.rebuilt then table.move(plan.rebuilt, 1, #plan.rebuilt, #joined.rebuilt + 1, joined.rebuilt) end
  end
  if #joined.rebuilt == 0 then joined.rebuilt = nil end
  return joined
end

-- Running ------------------------------------------------------------------------------------------------------------

local function execute(db, statements, given)
  for _, sql in ipairs(statements) do core.execute(db._.core, sql, { logging = given.logging }) end
end

local function rows(db, sql, bind)
  return (core.query(db._.core, sql, { bind = bind }))
end

--- The views that can be read, as a set: those that are broken already are nobody's fault.
local function working_views(db)
  local names = {}
  for _, row in ipairs(rows(db, "SELECT name FROM sqlite_schema WHERE type = 'view'")) do
    names[row.name] = pcall(rows, db, ("SELECT 1 FROM %s LIMIT 0"):format(sqltext.quote(row.name))) or nil
  end
  return names
end

--- References without a row: list of {table, rowid, parent, fkid}.
local function orphans(db)
  return rows(db, 'SELECT "table", rowid, parent, fkid FROM pragma_foreign_key_check')
end

--- The model of a table, rather one that names its schema; or nil.
local function model_of(db, item)
  local found
  for _, class in ipairs(registry.of(db).classes) do
    local schema = getmetatable(class).options.schema
    if class.tableName == item.name then
      if schema ~= nil and schema == item.schema then return class end
      if schema == nil or item.schema == nil then found = found or class end
    end
  end
  return found
end

--- The fields of an error about columns: with the model of their table, and the attributes there.
-- @param item {name, schema} of the table
local function fields_about(db, item, columns)
  local class = model_of(db, item)
  local fields = { table = item.name, model = class and class.name, attributes = {}, outcome = "rolled_back" }
  for i, column in ipairs(columns) do
    fields.attributes[i] = column
    for _, attribute in ipairs(class and class.attributes or {}) do
      if attribute.columnName == column then fields.attributes[i] = attribute.name end
    end
  end
  fields.attribute = fields.attributes[1]
  return fields
end

--- The same of a change of a column.
-- @param e the engine's own error, or nil
local function fields_of(db, change, e)
  local fields = fields_about(db, change.item, { change.column.name })
  fields.cause = e
  for _, name in ipairs(e and { "sql", "sqlstate", "code", "outcome" } or {}) do fields[name] = e[name] end
  return fields
end

--- Raises that a column's new type can't hold a value of it.
local function refuse_value(db, change, value, e)
  local fields = fields_of(db, change, e)
  fields.value = value
  errors.raise("DatabaseError", ("%s.%s holds values that %s can't hold: change them first"):format(change.item.name,
    change.column.name, change.column.shown), fields)
end

--- Raises that something else keeps a column from getting its new type.
local function refuse_type(db, change, reader, e)
  errors.raise("DatabaseError", ("%s.%s can't become %s while the %s uses it: drop that, change the column and make "
    .. "it again"):format(change.item.name, change.column.name, change.column.shown, reader), fields_of(db, change, e))
end

local function check_values(db, plan)
  for _, change in ipairs(plan.retyped or {}) do
    local found = dialect_of(db).misfit(change, function(sql) return rows(db, sql) end)
    if found then refuse_value(db, change, found.value) end
  end
end

--- The first place of a text becomes another one.
local function replaced(message, from, to)
  local first, last = message:find(from, 1, true)
  return first and message:sub(1, first - 1) .. to .. message:sub(last + 1) or message
end

--- An error that speaks of the new table means the one that it takes the place of, and its model.
local function rename_in(db, e, item)
  local name, before = sqltext.temporary_name(item.name), e.attributes or {}
  e.message = replaced(e.message, name, item.name)
  if e.table ~= name then return end
  local fields = fields_about(db, item, before)
  e.table, e.model, e.attribute, e.attributes = item.name, fields.model, fields.attribute, fields.attributes
  e.message = replaced(e.message, item.name, fields.model or item.name)
  for i, column in ipairs(before) do e.message = replaced(e.message, column, fields.attributes[i]) end
end

--- SQLite names a CHECK, but not the table whose rows it is about.
local function name_table(db, e, item)
  if not errors.is(e, "CheckConstraintError") or e.table ~= nil then return end
  local class = model_of(db, item)
  e.table, e.model = item.name, class and class.name
  e.message = ("%s: %s"):format(e.model or e.table, e.message)
end

local function name_tables(db, e, plan)
  if not errors.is(e) then return end
  if #plan.rebuilt == 1 then name_table(db, e, plan.rebuilt[1]) end
  for _, item in ipairs(plan.rebuilt) do rename_in(db, e, item) end
end

--- Raises that a row references nothing after a change, where it did before or there was no such key.
-- @param before the orphans before the change
-- @param after those behind it, which are more
local function refuse_orphan(db, before, after)
  local known, found = {}, after[#after]
  local function text(orphan) return ("%s\0%s\0%s"):format(orphan.table, orphan.rowid, orphan.parent) end
  for _, orphan in ipairs(before) do known[text(orphan)] = true end
  for _, orphan in ipairs(after) do
    if not known[text(orphan)] then found = orphan end
  end
  local columns = {}
  local of_key = 'SELECT "from" AS name FROM pragma_foreign_key_list($1) WHERE id = $2 ORDER BY seq'
  for i, row in ipairs(rows(db, of_key, { found.table, found.fkid })) do columns[i] = row.name end
  local fields, target = fields_about(db, { name = found.table }, columns), model_of(db, { name = found.parent })
  local names = table.concat(fields.attributes, ", ")
  errors.raise("ForeignKeyConstraintError", ("%s: there is no row of %s that %s could refer to"):format(
    fields.model or fields.table, target and target.name or found.parent, names), fields)
end

--- A table that was made anew must serve its triggers and views as the old one did.
local function check_dependents(db, item, views)
  local name = sqltext.quote(item.name)
  for name_of_view in pairs(views) do rows(db, ("SELECT 1 FROM %s LIMIT 0"):format(sqltext.quote(name_of_view))) end
  if #item.triggers == 0 then return end
  rows(db, ("EXPLAIN INSERT INTO %s DEFAULT VALUES"):format(name))
  rows(db, ("EXPLAIN DELETE FROM %s"):format(name))
  for _, column in ipairs(item.columns) do
    local quoted = sqltext.quote(column.name)
    local there = #rows(db, "SELECT 1 FROM pragma_table_info($1) WHERE name = $2", { item.name, column.name }) > 0
    if there then rows(db, ("EXPLAIN UPDATE %s SET %s = %s"):format(name, quoted, quoted)) end
  end
end

local function rebuild(db, plan, given)
  local views, before = working_views(db), orphans(db)
  local ok, problem = pcall(execute, db, plan.statements, given)
  if not ok then
    name_tables(db, problem, plan)
    error(problem, 0)
  end
  check_values(db, plan)
  for _, item in ipairs(plan.rebuilt) do check_dependents(db, item, views) end
  local after = orphans(db)
  if #after > #before then refuse_orphan(db, before, after) end
end

--- Dropping a table that others reference deletes its rows first, with what hangs on them: not inside a transaction,
-- where foreign keys can't be switched off.
local function check_free(db, plan)
  if rows(db, "PRAGMA foreign_keys")[1].foreign_keys == 0 then return end
  for _, item in ipairs(plan.rebuilt) do
    local found = rows(db, [[SELECT m.name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
      WHERE m.type = 'table' AND lower(f."table") = lower($1) AND lower(m.name) <> lower($1) LIMIT 1]], { item.name })
    if found[1] then
      errors.usage("SQLite must make the table %q anew, and %q references it: not inside a transaction", item.name,
        found[1].name)
    end
  end
end

local FOREIGN_OFF, FOREIGN_ON = "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"
local LEGACY_ON, LEGACY_OFF = "PRAGMA legacy_alter_table = ON", "PRAGMA legacy_alter_table = OFF"

--- Runs a function in a transaction in which SQLite does not look at foreign keys, which can't be switched off inside
-- one of the user's: dropping a table deletes its rows, with what hangs on them.
-- @param given {transaction}
-- @param body function(t)
-- @return what the body returns
function ddl.unchecked(db, given, body)
  local is_alone = not given.transaction and not transaction.current(db)
  if is_alone and db.dialect == "sqlite" and rows(db, "PRAGMA foreign_keys")[1].foreign_keys ~= 0 then
    return transaction.prepared(db, { FOREIGN_OFF }, { FOREIGN_ON }, body)
  end
  return transaction.atomically(db, given, body)
end

--- Inside a transaction the switch for renaming is turned by hand.
local function rebuild_inside(db, plan, given)
  check_free(db, plan)
  core.execute(db._.core, LEGACY_ON)
  local ok, problem = pcall(rebuild, db, plan, given)
  core.execute(db._.core, LEGACY_OFF)
  if not ok then error(problem, 0) end
end

local function rebuild_alone(db, plan, given)
  local before, after = { LEGACY_ON }, { LEGACY_OFF }
  if rows(db, "PRAGMA foreign_keys")[1].foreign_keys ~= 0 then before[2], after[2] = FOREIGN_OFF, FOREIGN_ON end
  transaction.prepared(db, before, after, function() rebuild(db, plan, given) end)
end

local function run(db, plan, given)
  local first = plan.first or {}
  if #plan.statements == 0 and #first == 0 then return end
  if #first > 0 and not given.transaction and not transaction.current(db) then
    execute(db, first, given)
    first = {}
  end
  if plan.rebuilt and not given.transaction and not transaction.current(db) then
    return rebuild_alone(db, plan, given)
  end
  transaction.atomically(db, given, function()
    execute(db, first, given)
    if plan.rebuilt then rebuild_inside(db, plan, given) else execute(db, plan.statements, given) end
  end)
end

--- Asks the database about the changes of a plan after it has refused one, when all has been rolled back.
-- @param ask function(change, query) → an answer, or nil
-- @return the first answer and its change; nil where there is none, or the question fails too
local function ask_changes(db, plan, given, ask)
  for _, change in ipairs(plan.retyped) do
    local ok, answer = pcall(transaction.atomically, db, given, function()
      return ask(change, function(sql, bind) return rows(db, sql, bind) end)
    end)
    if ok and answer ~= nil then return answer, change end
  end
end

--- What a server's refusal of another type is about, by the class of its code.
local explanations = {
  ["^22"] = { ask = "misfit", raise = function(db, change, found, e) refuse_value(db, change, found.value, e) end },
  ["^0A000$"] = { ask = "reader", raise = refuse_type },
}

--- Raises what a server says of a column that can't get another type, with what is in the way; returns where nothing is
-- found.
local function explain(db, plan, given, e)
  local state = errors.is(e, "DatabaseError") and e.sqlstate or ""
  for pattern, row in pairs(explanations) do
    local answer, change
    if state:find(pattern) then answer, change = ask_changes(db, plan, given, dialect_of(db)[row.ask]) end
    if answer then row.raise(db, change, answer, e) end
  end
end

--- Runs a plan in one transaction.
-- @param given {transaction, logging}
function ddl.run(db, plan, given)
  if not plan.retyped or #plan.retyped == 0 then return run(db, plan, given) end
  local ok, problem = pcall(run, db, plan, given)
  if ok then return end
  explain(db, plan, given, problem)
  error(problem, 0)
end

--- The statements of a plan as they would be sent.
function ddl.texts(plan)
  local list = table.move(plan.first or {}, 1, #(plan.first or {}), 1, {})
  if plan.rebuilt then list[#list + 1], list[#list + 2] = FOREIGN_OFF, LEGACY_ON end
  table.move(plan.statements, 1, #plan.statements, #list + 1, list)
  if not plan.rebuilt then return list end
  list[#list + 1], list[#list + 2] = LEGACY_OFF, FOREIGN_ON
  return list
end

return ddl
