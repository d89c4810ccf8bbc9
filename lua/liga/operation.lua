--- The one driver of jobs that need somebody to be called between their statements (loggers, and event loops that wait
-- for the server meanwhile), and of lists of jobs with your code between them (hooks, validators, setters).
local closing = require "liga.closing"
local core = require "liga.core"
local hooks = require "liga.hooks"
local transaction = require "liga.transaction"

local operation = {}

local function to_stderr(sql, info)
  local what = info.error and "failed" or ("%d row%s"):format(info.rows, info.rows == 1 and "" or "s")
  io.stderr:write(("%s  -- %.1f ms, %s\n"):format(sql, info.ms, what))
end

--- The logging function of a job: the call's own, else the connection's; nil: none.
local function logger_of(job)
  local own, db = job:logger()
  if own == nil then own = db and db._.logging end
  if own == true then return to_stderr, db end
  return own or nil, db
end

--- A logger's own error is reported and otherwise ignored; it can't use the database, nor yield.
local function report(logger, db, sql, info)
  local ok, problem = core.call_logger(db._.core, logger, sql, info)
  if ok then return end
  local _, text = pcall(tostring, problem)
  warn("liga: error in logging: ", type(text) == "string" and text or type(problem))
end

-- Hooks of the connection --------------------------------------------------------------------------------------------

--- Runs hooks of Query and Connect. What they send themselves is not told to them again.
local function run_hooks(db, hook, ...)
  local private, thread = db._, coroutine.running()
  if private.in_hook[thread] then return end
  private.in_hook[thread] = true
  local ok, problem = pcall(hooks.run_on, db, hook, ...)
  private.in_hook[thread] = nil
  if not ok then error(problem, 0) end
end

--- The hooks of connections that the pool has closed, idle or lost: nobody could be called at that moment.
function operation.tell_closed(db)
  local config = { dialect = db.dialect, database = db }
  while not db._.in_hook[coroutine.running()] and core.take_closed(db._.core) do
    run_hooks(db, "beforeDisconnect", config)
    run_hooks(db, "afterDisconnect", config)
  end
end

--- What happens in a job beside waiting and ending: name → function(db, sql, info).
local happenings = {
  query = function(db, sql, info)
    info.sql = sql
    run_hooks(db, "beforeQuery", info)
  end,
  connect = function(db) run_hooks(db, "beforeConnect", { dialect = db.dialect, database = db }) end,
  connected = function(db) run_hooks(db, "afterConnect", { dialect = db.dialect, database = db }) end,
  closed = operation.tell_closed,
}

local function tell(logger, db, what, sql, info)
  if happenings[what] then return happenings[what](db, sql, info) end
  if logger then report(logger, db, sql, info) end
  if not db._.announces or info.kind == "notice" then return end
  info.sql = sql
  run_hooks(db, "afterQuery", info)
end

local function has_hooks_of(db, event)
  return db._.hooks["before" .. event] ~= nil or db._.hooks["after" .. event] ~= nil
end

--- Sees whether jobs have to be driven from here, and what hooks want to know; to be called whenever a hook of the
-- connection has come or gone.
function operation.watch(db)
  local private = db._
  private.announces = has_hooks_of(db, "Query")
  local watched = has_hooks_of(db, "Connect") or has_hooks_of(db, "Disconnect")
  core.set_driven(private.core, private.logging ~= nil or private.announces or watched, private.announces, watched)
end

local function run_steps(job)
  local logger, db = logger_of(job)
  while true do
    local what, sql, info, seconds = job:step()
    if what == "done" then return job:results() end
    if what == "wait" then db._.wait(sql, info, seconds) else tell(logger, db, what, sql, info) end
  end
end

--- Runs a job step by step: statements in the core, loggers between them. Left early, the job takes back what it did.
-- @param job the call box
-- @return what the call returns
function operation.drive(job)
  return closing(job, run_steps, job)
end

core.set_drive(operation.drive)

-- Lists of jobs ------------------------------------------------------------------------------------------------------

local Inside = {}

-- However your code is left: a coroutine that waits in it may be closed. One that was dropped is collected.
function Inside:__close()
  self.calls[self] = nil
end

--- Calls your code inside one of the connection's calls: it can't be closed meanwhile.
-- @return the first result
function operation.inside(db, body, ...)
  local calls = db._.calls or setmetatable({}, { __mode = "k" })
  local inside = setmetatable({ calls = calls }, Inside)
  db._.calls, calls[inside] = calls, true
  return (closing(inside, body, ...))
end

--- Whether your code is running inside a call; coroutines that were dropped in it don't count.
function operation.is_inside(db)
  local calls = db._.calls or {}
  if next(calls) then collectgarbage() end
  return next(calls) ~= nil
end

--- Runs jobs and your code between them so that all is written or nothing: in a transaction of their own, or under a
-- savepoint of the one that is open. An error rolls back and goes on as it is.
-- @param given options of the call: its `transaction`, or nil
-- @param body function(t)
-- @return what the body returns
operation.atomically = transaction.atomically

return operation
