--- sync and drop: tables of models made and dropped, in order of dependency, in one transaction.
local association = require "liga.association"
local core = require "liga.core"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local hooks = require "liga.hooks"
local options = require "liga.options"
local registry = require "liga.define.registry"
local transaction = require "liga.transaction"
local truncate = require "liga.truncate"

local schema = {}

local sync_options = {
  force = true, alter = true, match = true, logging = true, transaction = true, dryRun = true, hooks = true,
}
--- A table that is emptied has no rows to look at: what all writes take has no effect there.
local truncate_options = {
  cascade = true, restartIdentity = true, logging = true, transaction = true, hooks = true, fields = true,
  validate = true, individualHooks = true, silent = true, returning = true,
}
local drop_options = { cascade = true, logging = true, transaction = true }

local flags = {
  "force", "alter", "dryRun", "cascade", "restartIdentity", "hooks", "validate", "individualHooks", "silent",
}

local function check_options(what, given, allowed)
  options.expect_table(what, given)
  if given == nil then return {} end
  options.check(what, given, allowed)
  for _, name in ipairs(flags) do options.kind(what, given, name, "boolean") end
  options.kind(what, given, "match", "string")
  return given
end

local dialects = {
  -- Tables can reference each other in a circle: their constraints are looked at when all of them are gone.
  sqlite = { name = "SELECT file AS name FROM pragma_database_list WHERE name = 'main'",
    before_drop = "PRAGMA defer_foreign_keys = ON" },
  postgres = { name = "SELECT current_database() AS name" },
}

--- The name that `match` guards: the file of an SQLite database, the database's name on a server.
local function database_name(db)
  local name = core.query(db._.core, dialects[db.dialect].name)[1].name
  return name ~= "" and name or ":memory:"
end

local function check_match(db, pattern)
  if pattern == nil then return end
  local ok, found = pcall(string.find, database_name(db), pattern)
  if not ok then errors.usage("sync: match is no Lua pattern: %q", pattern) end
  if not found then errors.usage("sync: the database %q does not match %q", database_name(db), pattern) end
end

--- The models that tables are made for: views are somebody else's.
local function classes_of(db, class)
  local classes = {}
  for _, each in ipairs(class and { class } or registry.of(db).classes) do
    if not getmetatable(each).view then classes[#classes + 1] = each end
  end
  return classes
end

local function models_of(db, class)
  local models = {}
  for i, each in ipairs(classes_of(db, class)) do models[i] = getmetatable(each)[1] end
  return models
end

local function execute_all(db, statements, given)
  for _, statement in ipairs(statements) do core.execute(db._.core, statement.sql, { logging = given.logging }) end
end

local function texts(statements)
  local list = {}
  for i, statement in ipairs(statements) do list[i] = statement.sql end
  return list
end

--- Drops of the tables, dependents first.
-- @param cascade true: with what else depends on them (PostgreSQL)
local function drops(db, class, cascade)
  local statements = core.drop_statements(db._.core, models_of(db, class))
  for _, statement in ipairs(cascade and statements or {}) do
    if statement.kind == "table" then statement.sql = statement.sql .. dialect.of(db).cascade end
  end
  return statements
end

--- What sync would run: drops first with `force`, which nothing that depends on the tables holds up.
local function plan(db, class, given)
  local statements = given.force and drops(db, class, true) or {}
  local creating = core.create_statements(db._.core, models_of(db, class), true)
  return table.move(creating, 1, #creating, #statements + 1, statements)
end

--- Runs a function in a transaction; with `force` the rows of other tables stay as they are.
local function atomically(db, given, body)
  if given.force then return require "liga.ddl".unchecked(db, given, body) end
  return transaction.run(db, { transaction = given.transaction }, body)
end

--- PostgreSQL refuses CREATE TABLE IF NOT EXISTS of a table that is there, too.
local function run(db, statements, given, dropping)
  if #statements == 0 then return end
  if db._.read_only then errors.usage "cannot write: the database was connected with readOnly" end
  atomically(db, given, function()
    local first = dropping and dialects[db.dialect].before_drop
    if first then core.execute(db._.core, first, { logging = given.logging }) end
    execute_all(db, statements, given)
  end)
end

--- Changes what differs from the models, creates what is not there.
local function sync_by_altering(db, class, given)
  if given.transaction ~= nil then
    local inner = options.copy(given)
    inner.transaction = nil
    return transaction.atomically(db, given, function() return schema.sync(db, class, inner) end)
  end
  local creating = core.create_statements(db._.core, models_of(db, class), true)
  local ddl = require "liga.ddl"
  local altering = require("liga.alter").plan(db, classes_of(db, class), creating, given)
  if given.dryRun then return ddl.texts(altering) end
  ddl.run(db, altering, given)
  return class or db
end

local function sync_now(db, class, given)
  if given.alter then return sync_by_altering(db, class, given) end
  local statements = plan(db, class, given)
  if given.dryRun then return texts(statements) end
  run(db, statements, given, given.force)
  return class or db
end

-- Hooks of sync ------------------------------------------------------------------------------------------------------

local function has_hooks(db, class, given)
  if given.hooks == false or given.dryRun then return false end
  local general = db._.hooks or {}
  if not class and (general.beforeBulkSync or general.afterBulkSync) then return true end
  for _, each in ipairs(classes_of(db, class)) do
    if hooks.any(each, { "beforeSync", "afterSync" }) then return true end
  end
  return false
end

local function run_moment(db, class, moment, given)
  if not class and moment == "before" then hooks.run_on(db, "beforeBulkSync", given) end
  for _, each in ipairs(classes_of(db, class)) do hooks.run(each, moment .. "Sync", given) end
  if not class and moment == "after" then hooks.run_on(db, "afterBulkSync", given) end
end

--- Hooks may change the options. `alter` has transactions of its own.
local function sync_with_hooks(db, class, given)
  given = options.copy(given)
  local function sync(t)
    given.transaction = t
    run_moment(db, class, "before", given)
    local result = sync_now(db, class, given)
    run_moment(db, class, "after", given)
    return result
  end
  if given.alter then return sync(given.transaction) end
  return atomically(db, given, sync)
end

--- Creates what is not there.
-- @param class one model, or nil for all
-- @param given {force, alter, match, dryRun, hooks, logging, transaction}
-- @return the list of statements with dryRun
function schema.sync(db, class, given)
  given = check_options("sync", given, sync_options)
  association.resolve(db, class)
  check_match(db, given.match)
  if given.force and given.alter then errors.usage "sync: force and alter exclude each other" end
  if has_hooks(db, class, given) then return sync_with_hooks(db, class, given) end
  return sync_now(db, class, given)
end

--- Drops the tables, dependents first.
-- @param class one model, or nil for all
-- @param given {cascade = with what no model knows of and depends on them (PostgreSQL), logging, transaction}
function schema.drop(db, class, given)
  given = check_options("drop", given, drop_options)
  association.resolve(db, class)
  run(db, drops(db, class, given.cascade), given, true)
end

--- Checks the options of truncate.
-- @return the options as a table
function schema.check_truncate(given)
  return check_options("truncate", given, truncate_options)
end

--- Empties the table of a model, without hooks.
-- @param class the model
-- @param given {cascade = also the tables that refer to it, restartIdentity = generated keys begin anew, logging,
-- transaction}
function schema.truncate(db, class, given)
  truncate.run(db, class, schema.check_truncate(given))
end

return schema
