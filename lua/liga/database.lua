--- The database object: `liga.connect(url, options)`.
local association = require "liga.association"
local connect = require "liga.connect"
local core = require "liga.core"
local define = require "liga.define"
local errors = require "liga.errors"
local options = require "liga.options"
local registry = require "liga.define.registry"
local schema = require "liga.schema"
local transaction = require "liga.transaction"
require "liga.operation"

local Database = { __name = "liga.Database" }
Database.__index = Database

function Database:__tostring()
  return ("Database %s (%d models)"):format(self.dialect, #registry.of(self).classes)
end

--- `db.models`: by name.
local function new_models()
  return setmetatable({}, {
    __newindex = function(_, name) errors.usage("db.models is read-only: use db:define(%q, …)", tostring(name)) end,
    __name = "liga.models",
  })
end

local function load_driver(engine)
  local ok, driver = pcall(require, engine.driver)
  if ok then return driver end
  errors.usage("liga.connect: the driver %s can't be loaded: %s", engine.driver, tostring(driver))
end

local database = {}

--- Connects to a database; one connection is opened at once.
-- @param url "sqlite::memory:", "sqlite:PATH", "postgres://…"
-- @param given options (see the guide), or nil
-- @return the database object
function database.connect(url, given)
  local engine, opening, pragmas = connect.read(url, given)
  given = given or {}
  opening.setup = pragmas
  local db = setmetatable({ dialect = engine.dialect, models = new_models() }, Database)
  db._ = {
    define = given.define, logging = given.logging or nil,
    current = setmetatable({}, { __mode = "k" }),                   -- coroutine → its transaction
    running = setmetatable({}, { __mode = "k" }),                   -- managed transactions
  }
  db._.core = core.open(load_driver(engine), opening, db)
  core.set_driven(db._.core, db._.logging ~= nil)
  return db
end

local function check_database(self)
  if type(self) == "table" and getmetatable(self) == Database then return self._.core end
  errors.usage("a database expected as self, got %s (call it with a colon: db:method(…))", type(self))
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
  core.close(ud)
  self._.closed = true
end

function Database:__close()
  self:close()
end

--- Asks the database for an answer; raises ConnectionError if there is none.
function Database:ping()
  core.query(check_self(self), "SELECT 1")
  return true
end

--- Defines a model.
-- @see liga.define
function Database:define(name, attributes, given)
  check_self(self)
  return define.model(self, name, attributes, given)
end

--- The model of this name; UsageError naming the nearest if there is none.
function Database:model(name)
  check_self(self)
  local class = self.models[name]
  if class then return class end
  errors.usage("no model %q%s", tostring(name), options.hint(name, registry.names(self)))
end

--- Resolves and checks the whole graph of models without touching the database.
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

--- Runs SQL of your own; values go as binds.
-- @return rows, info {rows, affected, lastId, columns}
function Database:query(sql, given)
  return core.query(check_self(self), sql, given)
end

--- Creates the tables of all models, in order of dependency, in one transaction.
function Database:sync(given)
  check_self(self)
  return schema.sync(self, nil, given)
end

--- Drops the tables of all models.
function Database:drop(given)
  check_self(self)
  return schema.drop(self, nil, given)
end

for _, name in ipairs { "queryInterface", "reflect", "preload", "addHook", "removeHook", "hasHook" } do
  Database[name] = function() errors.later("db:" .. name) end
end

return database
