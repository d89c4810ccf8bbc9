--- The database object: `liga.connect(url, options)`.
local association = require "liga.association"
local behaviour = require "liga.behaviour"
local connect = require "liga.connect"
local core = require "liga.core"
local define = require "liga.define"
local errors = require "liga.errors"
local hooks = require "liga.hooks"
local loading = require "liga.loading"
local operation = require "liga.operation"
local options = require "liga.options"
local registry = require "liga.define.registry"
local schema = require "liga.schema"
local transaction = require "liga.transaction"

--- Whose hooks these are, for messages.
local hook_owner = { what = "db", database = true }

local Database = { __name = "liga.Database" }
Database.__index = Database

--- Whether a value is a database: a metatable can be borrowed.
local function is_database(value)
  return type(value) == "table" and getmetatable(value) == Database and rawget(value, "_") ~= nil
end

function Database:__tostring()
  if not is_database(self) then return "Database (not connected)" end
  return ("Database %s (%d models)"):format(self.dialect, #registry.of(self).classes)
end

--- `db.models`: by name.
local function new_models()
  return setmetatable({}, {
    __newindex = function(_, name) errors.usage("db.models is read-only: use db:define(%q, …)", errors.text(name)) end,
    __name = "liga.models",
  })
end

local function load_driver(engine)
  local ok, driver = pcall(require, engine.driver)
  if ok then return driver end
  local reason = tostring(driver)
  if reason:find("module '" .. engine.driver .. "' not found", 1, true) then
    errors.usage("liga.connect: this liga was built without the driver %s (the rock liga has it, liga-sqlite has that "
      .. "of SQLite only)", engine.driver)
  end
  errors.usage("liga.connect: the driver %s can't be loaded: %s", engine.driver, (reason:gsub("^.*\n%s*", "")))
end

--- What the pragmas are called is known once there is a connection; an unknown one has done nothing.
local function check_pragmas(db, pragmas)
  local names = {}
  for i, row in ipairs(core.query(db._.core, "SELECT name FROM pragma_pragma_list", { logging = false })) do
    names[i] = row.name
  end
  local ok, problem = pcall(connect.check_known, pragmas, names)
  if ok then return end
  core.close(db._.core)
  error(problem, 0)
end

local database = {}

--- Connects to a database; one connection is opened at once. Raises UsageError for a wrong URL or option, DatabaseError
-- or ConnectionError where the database can't be opened.
-- @param url "sqlite::memory:", "sqlite:PATH", "postgres://…"
-- @param given options, or nil: logging, define, pool, statementCache, timeout, connectTimeout, foreignKeys,
-- busyTimeout, pragmas, readOnly, dates, hooks, wait, busyPoll, schema, replication, compat
-- @return the database object; to be closed
function database.connect(url, given)
  local engine, opening, pragmas = connect.read(url, given)
  given = given or {}
  opening.setup = engine.dialect == "sqlite" and pragmas or {}
  local db = setmetatable({ dialect = engine.dialect, models = new_models() }, Database)
  db._ = {
    define = given.define, lazy = given.lazy, compat = given.compat, logging = given.logging or nil, wait = given.wait,
    hooks = {}, read_only = given.readOnly,
    current = setmetatable({}, { __mode = "k" }),                   -- coroutine → its transaction
    in_hook = setmetatable({}, { __mode = "k" }),                   -- coroutines that are in a hook of Query or Connect
  }
  hooks.add_all(db._.hooks, hook_owner, given.hooks or {})
  db._.core = core.open(load_driver(engine), opening, db)
  operation.watch(db)
  core.connect(db._.core)
  if pragmas[1] and engine.dialect == "sqlite" then check_pragmas(db, given.pragmas) end
  return db
end

local function check_database(self)
  if is_database(self) then return self._.core end
  errors.usage("a database expected as self, got %s (call it with a colon: db:method(…))", type(self))
end

--- A database object of a dialect without any database: its calls give their SQL and parameters instead of running.
-- What the compile specs use, for engines that are not there too.
-- @param dialect "sqlite" or "postgres"
function database.dry(dialect)
  local db = setmetatable({ dialect = dialect, models = new_models() }, Database)
  db._ = {
    current = setmetatable({}, { __mode = "k" }), in_hook = setmetatable({}, { __mode = "k" }),
    dry = true,
  }
  db._.core = core.open(nil, { dialect = dialect, target = "" }, db)
  return db
end

local function check_self(self)
  local ud = check_database(self)
  if core.is_closed(ud) then errors.usage "the database is closed" end
  return ud
end

--- Closes all connections. A second close does nothing; UsageError while one of its own calls is running.
function Database:close()
  local ud = check_database(self)
  if core.is_closed(ud) then return end
  if transaction.is_running(self) then errors.usage "db:close: a transaction of this database is still running" end
  if operation.is_inside(self) then errors.usage "db:close: a call of this database is still running" end
  operation.tell_closed(self)
  local config, open = { dialect = self.dialect, database = self }, core.connections(ud)
  for _ = 1, open do hooks.run_on(self, "beforeDisconnect", config) end
  core.close(ud)
  self._.closed = true
  for _ = 1, open do hooks.run_on(self, "afterDisconnect", config) end
end

function Database:__close()
  Database.close(self)
end

--- Asks the database for an answer; raises what the engine raises if there is none.
-- @return true
function Database:ping()
  core.query(check_self(self), "SELECT 1")
  return true
end

--- Defines a model. Raises UsageError for what is wrong in it, AssociationError for associations among its attributes.
-- @param name its name, unique in the database
-- @param attributes name → type, table of options or association; or a list of {name, type, ...}
-- @param given model options, or nil
-- @return the model
-- @see liga.define
function Database:define(name, attributes, given)
  check_self(self)
  return define.model(self, name, attributes, given)
end

--- The model of this name; UsageError naming the nearest if there is none.
-- @return the model
function Database:model(name)
  check_self(self)
  local class = self.models[name]
  if class then return class end
  errors.usage("no model %q%s", errors.text(name), options.hint(name, registry.names(self)))
end

--- Resolves and checks the whole graph of models without touching the database. Raises AssociationError for a model
-- that is referred to and not defined, UsageError for an index over an unknown attribute.
-- @return the database object
function Database:validate()
  check_self(self)
  association.resolve(self)
  return self
end

--- Runs a function in a transaction, `db:transaction([options,] function(t) … end)`, and passes its results through; an
-- error rolls back and goes on. Without a function: returns a transaction that its user ends.
-- @param ... options {isolation, readOnly, deferrable, mode, retry, savepoint, transaction}; the function
function Database:transaction(...)
  check_self(self)
  return transaction.run(self, ...)
end

--- The transaction of the running coroutine, or nil.
function Database:currentTransaction()
  check_self(self)
  return transaction.current(self)
end

--- Runs SQL of your own; values go as binds. Raises UsageError for empty SQL, transaction commands, several commands
-- without `multiple` and placeholders that do not fit the values.
-- @param sql one command, or several with `multiple`
-- @param given options, or nil: bind (`$1`, `$name`) or replacements (`?`, `:name`), model, mapToModel, nest, multiple,
-- transaction, logging
-- @return rows (instances, if a model is given)
-- @return info {rows, affected, lastId, columns}
function Database:query(sql, given)
  return core.query(check_self(self), sql, given)
end

--- Loads associations of instances that exist: `db:preload(users, { "posts", author = { where = … } })`. Raises
-- EagerLoadingError for what is wrong in the include, InstanceError for instances that are not stored.
-- @param list of instances; they may be of several models that all have the associations
-- @param include as in finds
-- @param given options, or nil: missing (leave alone what is loaded), transaction, logging
-- @return the list
function Database:preload(list, include, given)
  check_self(self)
  return loading.preload(self, list, include, given)
end

--- Creates the tables and indexes of all models that are not there, in order of dependency, in one transaction.
-- @param given options, or nil: force (drops them first), match (Lua pattern that the database's name must match),
-- dryRun, transaction, logging
-- @return the database object; with dryRun the list of statements
function Database:sync(given)
  check_self(self)
  return schema.sync(self, nil, given)
end

--- Drops the tables of all models, dependents first, in one transaction.
-- @param given options, or nil: transaction, logging
function Database:drop(given)
  check_self(self)
  return schema.drop(self, nil, given)
end

--- Tables, columns, indexes and constraints without models.
-- @return the query interface
-- @see liga.query_interface
function Database:queryInterface()
  check_self(self)
  return require "liga.query_interface".of(self)
end

--- Models and associations from the tables that are there. Models that are defined for a table already are kept, and
-- gain the associations they miss.
-- @param given options, or nil: schema (PostgreSQL), tables (list of names, or function(name)), views (boolean or
-- list), naming (function(kind, default, info) → name or nil)
-- @return list of the models made
function Database:reflect(given)
  check_self(self)
  return require "liga.reflect".reflect(self, given)
end

--- Adds a hook for all models of the connection, those defined later too; or one that only a connection has (Define,
-- BulkSync, Connect, Disconnect, Query). It runs after the hooks of the model itself.
-- @param ... [a name by which it can be removed,] the function
-- @return the database object
function Database:addHook(hook, ...)
  check_self(self)
  behaviour.add_general_hook(self, hook, ...)
  return self
end

--- Removes the functions of a hook that have this name or are this function; without: all of them.
-- @return the database object
function Database:removeHook(hook, which)
  check_self(self)
  hooks.remove(self._.hooks or {}, hook_owner, hook, which)
  if not self._.dry then operation.watch(self) end
  return self
end

--- Whether the connection has functions for a hook (with this name, or this function).
function Database:hasHook(hook, which)
  check_self(self)
  return hooks.has(self._.hooks or {}, hook_owner, hook, which)
end

for _, name in ipairs(hooks.names(true)) do
  --- db:beforeCreate([name,] fn) adds a hook.
  Database[name] = function(self, ...) return Database.addHook(self, name, ...) end
end

return database
