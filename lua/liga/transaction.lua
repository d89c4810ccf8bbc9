--- Transactions: `db:transaction(function(t) ... end)`, `local t <close> = db:transaction()`, savepoints.
--
-- A connection that a transaction owns is a lease of the core. What is open on it is a stack of *levels*: the outermost
-- transaction (BEGIN), nested ones and savepoint objects (SAVEPOINT). Levels end in order, the innermost first.
--
-- Fields of a level, false where there is nothing:
--   [1] the lease · db · settings · levels (the stack, shared) · finished · name (of its savepoint; false: BEGIN)
--   managed · thread, before (the coroutine it is current in, what was current there) · committed, undone (callbacks)
--   of the outermost: wrapped (coroutine → binding) · doomed (why it can't be committed any more)
--   owner (of a binding, see wrap: the transaction)
local closing = require "liga.closing"
local core = require "liga.core"
local errors = require "liga.errors"
local options = require "liga.options"

local transaction = {}

-- Options ------------------------------------------------------------------------------------------------------------

local allowed = {
  isolation = true, readOnly = true, deferrable = true, mode = true, retry = true, savepoint = true, transaction = true,
  isolationLevel = "is written isolation", type = "is written mode",
}

local words = {
  isolation = { "read uncommitted", "read committed", "repeatable read", "serializable" },
  mode = { "deferred", "immediate", "exclusive" },
}

--- An option that is one of a few words, in any case.
local function read_word(given, name)
  local value = given[name]
  if value == nil then return nil end
  local word = type(value) == "string" and value:lower():gsub("[%s_]+", " ")
  for _, known in ipairs(words[name]) do
    if word == known then return known end
  end
  errors.usage('transaction: %s must be "%s"', name, table.concat(words[name], '" or "'))
end

local function read_retry(given)
  local retry = options.kind("transaction", given, "retry", "integer") or 0
  if retry < 0 then errors.usage "transaction: retry must not be negative" end
  return retry
end

--- Where nothing is asked for. Nobody changes it.
local usual = { retry = 0, unguarded = false, writes = true }

--- Reads the options of a transaction.
local function read_settings(given)
  if given == nil then return usual end
  if type(given) ~= "table" or getmetatable(given) then
    errors.usage("db:transaction: a function or a table of options expected, got %s", type(given))
  end
  options.check("transaction", given, allowed)
  local settings = {
    isolation = read_word(given, "isolation"), mode = read_word(given, "mode"), retry = read_retry(given),
    readOnly = options.kind("transaction", given, "readOnly", "boolean"),
    deferrable = options.kind("transaction", given, "deferrable", "boolean"),
    unguarded = options.kind("transaction", given, "savepoint", "boolean") == false,
  }
  settings.writes = not settings.readOnly and settings.mode ~= "deferred"
  return settings
end

--- What a nested transaction asks for must be what the outer one is.
local function check_nested(settings, outer)
  if settings.retry > 0 then
    errors.usage "transaction: retry belongs to the outermost transaction, which is run again as a whole"
  end
  for _, name in ipairs { "isolation", "mode", "readOnly", "deferrable" } do
    if settings[name] ~= nil and settings[name] ~= outer[name] then
      errors.usage("transaction: %s of a nested transaction must be that of the outer one", name)
    end
  end
end

-- Levels -------------------------------------------------------------------------------------------------------------

local Transaction = { __name = "liga.Transaction" }
local Savepoint = { __name = "liga.Savepoint" }

local function root_of(level)
  return level.levels[1]
end

local function place_of(level)
  for place = #level.levels, 1, -1 do
    if level.levels[place] == level then return place end
  end
end

--- The level around one, or nil.
local function outer_of(level)
  return level.name and level.levels[place_of(level) - 1] or nil
end

--- Makes a level the current one of a coroutine.
local function enter(level, thread)
  local current = level.db._.current
  level.thread, level.before = thread, current[thread] or false
  current[thread] = level
  level[1]:bind(thread)
end

--- Makes what was current before a level current again in its coroutine.
local function leave(level)
  local thread, current = level.thread, level.db._.current
  if not thread or current[thread] ~= level then return end
  local before = level.before
  while before and before.finished do before = before.before end
  current[thread] = before or nil
  if before then before[1]:bind(thread) else level[1]:unbind(thread) end
end

--- The coroutines made by t:wrap don't go on in a transaction that is over.
local function leave_wrapped(root)
  for _, binding in pairs(root.wrapped) do
    if binding.owner.finished then leave(binding) end
  end
end

--- Ends a level and what is open inside it.
local function drop(level)
  local levels, root = level.levels, root_of(level)
  for place = #levels, place_of(level), -1 do
    local inner = levels[place]
    levels[place], inner.finished = nil, true
    leave(inner)
  end
  if root.wrapped then leave_wrapped(root) end
end

local function check_open(level, what)
  if level.finished or level[1]:state() == "released" then errors.usage("%s is finished", what) end
end

--- Savepoints end with the transaction around them; a nested transaction must have been ended before.
local function check_innermost(level, what)
  for place = #level.levels, place_of(level) + 1, -1 do
    local nested = getmetatable(level.levels[place]) ~= Savepoint
    if nested or getmetatable(level) == Savepoint then
      errors.usage("%s can't end yet: %s inside it is still open, and they end in order", what,
        nested and "a nested transaction" or "a savepoint")
    end
  end
end

-- Callbacks ----------------------------------------------------------------------------------------------------------

--- Adds a callback to those of a level.
-- @param moment "committed", "undone"
local function add_callback(level, moment, callback)
  local list = level[moment] or {}
  level[moment], list[#list + 1] = list, callback
end

--- Hands the callbacks of a level that has ended to the one around it, which runs them when it is committed.
local function hand_on(list, outer)
  for _, callback in ipairs(list) do add_callback(outer, "committed", callback) end
end

--- Runs all callbacks.
-- @return whether all went well, the first error
local function run_callbacks(list)
  local fine, first = true, nil
  for _, callback in ipairs(list) do
    local ok, problem = pcall(callback)
    if not ok and fine then fine, first = false, problem end
  end
  return fine, first
end

--- An error in afterRollback must not take the place of the one that rolled back.
local function run_undone(level)
  if not level.undone then return end
  local fine, problem = run_callbacks(level.undone)
  if not fine then warn("liga: error in afterRollback: ", tostring(problem)) end
end

--- Runs what was to be done after the outermost commit; the first error in it is raised when all have run.
local function run_committed(level)
  if level.name or not level.committed then return end
  local fine, problem = run_callbacks(level.committed)
  if not fine then error(problem, 0) end
end

-- Ending -------------------------------------------------------------------------------------------------------------

--- Takes back what a level did. It never raises: the error that is on its way matters more.
local function undo(level)
  local lease = level[1]
  if lease:state() ~= "open" then return end
  if not level.name then
    pcall(lease.run, lease, "ROLLBACK")
    return
  end
  local ok, problem = pcall(lease.run, lease, level.rollback_text)
  if ok then ok, problem = pcall(lease.run, lease, level.release_text) end
  if not ok then root_of(level).doomed = problem end
end

--- Gives the connection back as it was taken. One that still has a transaction open is closed.
local function give_back(level)
  for _, sql in ipairs(level.settings.after or {}) do pcall(level[1].run, level[1], sql) end
  level[1]:release()
end

local function rollback(level)
  undo(level)
  local outer = outer_of(level)
  drop(level)
  if outer then                     -- they run after the outermost, unless that is rolled back too
    if level.undone then hand_on(level.undone, outer) end
  else
    give_back(level)
    run_undone(level)
  end
end

--- Rolls a level back if its coroutine is closed in the middle, or if an error leaves it.
local Guard = {}
function Guard.__close(guard)
  local level = guard.level
  if level and not guard.done and not level.finished then rollback(level) end
end

local function guarded(level)
  return setmetatable({ level = level }, Guard)
end

-- What the connection says at the end; "open" is as it should be.
local lost = {
  idle = { "DatabaseError", "the database has rolled the transaction back by itself, after an earlier error" },
  broken = { "ConnectionError", "the connection was lost; the transaction is rolled back" },
}

local function check_alive(level)
  local problem = lost[level[1]:state()]
  if problem then errors.raise(problem[1], problem[2], { outcome = "rolled_back" }) end
  local first = root_of(level).doomed
  if not first then return end
  errors.raise("DatabaseError", "the transaction can't be committed, as a part of it could not be rolled back",
    { outcome = "rolled_back", cause = first })
end

local function send_commit(level)
  check_alive(level)
  level[1]:run(level.name and "RELEASE " .. level.name or "COMMIT")
end

local function fail(level, problem)
  if errors.is(problem) and problem.outcome == "none" then problem.outcome = "rolled_back" end
  rollback(level)
  error(problem, 0)
end

local function hand_over(level, outer)
  if not outer then return give_back(level) end
  if level.committed then hand_on(level.committed, outer) end
end

--- Ends a level well: what was done inside becomes part of the level around it, or is committed.
local function commit(level, what)
  check_open(level, what)
  check_innermost(level, what)
  local guard <close> = not level.managed and guarded(level)        -- a managed one has its guard around all of it
  local ok, problem = pcall(send_commit, level)
  if not ok then fail(level, problem) end
  if guard then guard.done = true end
  local outer = outer_of(level)
  drop(level)
  hand_over(level, outer)
end

-- Beginning ----------------------------------------------------------------------------------------------------------

-- What is not there yet is false: nothing looks for it among the methods.
local function new_level(class, db, lease, levels, settings)
  return setmetatable({
    lease, db = db, levels = levels, settings = settings, finished = false, name = false, managed = false,
    thread = false, before = false, committed = false, undone = false, wrapped = false, doomed = false, owner = false,
  }, class)
end

--- The text that begins a transaction.
local function begin_text(db, settings)
  local mode = settings.mode or settings.readOnly and "deferred" or nil
  local isolation = settings.isolation and settings.isolation:upper()
  return core.begin_text(db._.core, mode, isolation, settings.readOnly, settings.deferrable)
end

local function usual_begin_text(db)
  local text = db._.begin_text or begin_text(db, usual)
  db._.begin_text = text
  return text
end

local function send_begin(level)
  local lease, settings = level[1], level.settings
  if settings == usual then return lease:run(usual_begin_text(level.db), true) end
  lease:set_read_only(settings.readOnly == true)
  for _, sql in ipairs(settings.before or {}) do lease:run(sql) end
  lease:run(begin_text(level.db, settings), settings.writes)
end

--- Begins a transaction on a connection of its own.
-- @param outside the guard of who manages it, or nil
local function new_outermost(db, settings, outside)
  local lease = core.lease(db._.core, settings.writes, settings.unguarded)
  local level = new_level(Transaction, db, lease, {}, settings)
  level.levels[1] = level
  if outside then outside.level = level end
  local guard <close> = not outside and guarded(level)
  local ok, problem = pcall(send_begin, level)
  if not ok then fail(level, problem) end
  if guard then guard.done = true end
  return level
end

--- A level inside another: a savepoint whose name nobody else uses.
local function new_inner(class, outer)
  check_alive(outer)            -- SQLite takes a savepoint outside of a transaction for the begin of one
  local lease, levels = outer[1], outer.levels
  local level = new_level(class, outer.db, lease, levels, outer.settings)
  level.name = lease:savepoint()
  level.rollback_text, level.release_text = "ROLLBACK TO " .. level.name, "RELEASE " .. level.name
  local text = "SAVEPOINT " .. level.name           -- whatever needs memory comes first
  levels[#levels + 1] = level
  local ok, problem = pcall(lease.run, lease, text)
  if ok then return level end
  levels[#levels], level.finished = nil, true
  error(problem, 0)
end

--- The innermost transaction of the running coroutine, or nil.
-- @param db the connection
function transaction.current(db)
  local level = db._.current[coroutine.running()]
  while level and level.finished do level = level.before end
  return level and (level.owner or level) or nil
end

--- Whether a value is what its metatable says: that can be borrowed.
local function is_level(value, class)
  return type(value) == "table" and getmetatable(value) == class and rawget(value, 1) ~= nil
end

--- The open transaction that a new one is nested in, or nil.
-- @param within option `transaction`
local function surrounding(db, within)
  if within == nil then return transaction.current(db) end
  if not is_level(within, Transaction) or within.db ~= db then
    errors.usage "transaction: transaction must be a transaction object of this database"
  end
  check_open(within, "the transaction")
  return within
end

local function begin(db, settings, within, outside)
  local outer = surrounding(db, within)
  if not outer then return new_outermost(db, settings, outside) end
  check_nested(settings, outer.settings)
  return new_inner(Transaction, outer)
end

-- Managed ------------------------------------------------------------------------------------------------------------

--- Commits after the function has returned, and passes its results through.
local function finish(level, ...)
  commit(level, "the transaction")
  return ...
end

local function run_body(level, body, thread)
  enter(level, thread)
  return finish(level, body(level))
end

local function pass(level, ...)
  run_committed(level)
  return ...
end

--- Returns the level, whose callbacks are still to be run, and the results.
local function run_once(db, settings, body, within)
  local guard <close> = guarded(false)      -- made before there is something to guard: memory may be out in between
  local level = begin(db, settings, within, guard)
  guard.level, level.managed = level, true
  return level, closing(guard, run_body, level, body, (coroutine.running()))
end

--- A short pause of random length that grows with every attempt.
local function pause(db, attempt)
  local ms = math.random() * math.min(1000, 10 * 2 ^ attempt)
  if db._.wait and coroutine.isyieldable() then db._.wait(nil, nil, ms / 1000) else core.sleep(ms) end
end

--- Runs a managed transaction again after an error that a second attempt may not meet.
local function run_again(db, settings, body)
  for attempt = 1, settings.retry do
    local results = table.pack(pcall(run_once, db, settings, body))
    if results[1] then return pass(table.unpack(results, 2, results.n)) end
    local problem = results[2]
    if not (errors.is(problem) and problem.retryable) then error(problem, 0) end
    pause(db, attempt)
  end
  return pass(run_once(db, settings, body))
end

--- Begins a transaction. With a function: runs it, commits, passes its results through; an error rolls back and goes
-- on. Without: returns the transaction, which its user ends. Inside another one it is a savepoint.
-- @param db the connection
-- @param ... options {isolation, readOnly, deferrable, mode, retry, savepoint, transaction}, or nothing; the function
function transaction.run(db, ...)
  local count, given, body = select("#", ...), ...
  if count == 1 and type(given) ~= "table" then count, given, body = 2, nil, given end
  local settings, within = read_settings(given), given and given.transaction
  if count < 2 then
    if settings.retry > 0 then errors.usage "transaction: retry needs a function, which can be run again" end
    return begin(db, settings, within)
  end
  if type(body) ~= "function" then errors.usage("db:transaction: a function expected, got %s", type(body)) end
  if settings.retry > 0 and not surrounding(db, within) then return run_again(db, settings, body) end
  return pass(run_once(db, settings, body, within))
end

--- Runs a function in an outermost transaction on a connection that is prepared for it, for what can't be set inside a
-- transaction.
-- @param before statements to run before it begins
-- @param after statements to run on the connection when it has ended, however it did
function transaction.prepared(db, before, after, body)
  local settings = options.copy(usual)
  settings.before, settings.after = before, after
  return pass(run_once(db, settings, body))
end

--- Runs a function so that its writes happen together: in the call's transaction, the current one, or a new one.
-- @param given options of the call, whose `transaction` is used, or nil
function transaction.atomically(db, given, body)
  return pass(run_once(db, usual, body, given and given.transaction))
end

--- Runs several reads so that they see one state: in the open transaction, else in one of their own.
function transaction.snapshot(db, given, body)
  if (given and given.transaction ~= nil) or transaction.current(db) then return body() end
  return transaction.run(db, { mode = "deferred", isolation = "repeatable read" }, body)
end

local function has_managed(level)
  while level and (level.finished or not level.managed) do level = level.before end
  return level and true or false
end

--- Whether functions of managed transactions are running; those of coroutines that were dropped don't count.
function transaction.is_running(db)
  local current = db._.current
  if next(current) then collectgarbage() end
  for _, level in next, current do
    if has_managed(level) then return true end
  end
  return false
end

-- The transaction object ---------------------------------------------------------------------------------------------

local methods = {}
Transaction.__index = methods

local function check_self(self, class, name)
  if is_level(self, class) then return end
  errors.usage("%s expected as self, got %s (call it with a colon: :%s(...))", class.__name, type(self), name)
end

local function check_transaction(self, name)
  check_self(self, Transaction, name)
  check_open(self, "the transaction")
end

local function check_unmanaged(self, name)
  check_transaction(self, name)
  if not self.managed then return end
  errors.usage("t:%s: this transaction ends with its function (raise an error in it to roll back)", name)
end

local function check_function(value, name)
  if type(value) ~= "function" then errors.usage("t:%s: a function expected, got %s", name, type(value)) end
end

--- Commits an unmanaged transaction; one inside another becomes part of it.
function methods:commit()
  check_unmanaged(self, "commit")
  commit(self, "the transaction")
  run_committed(self)
end

--- Rolls an unmanaged transaction back, with everything that is open inside it.
function methods:rollback()
  check_unmanaged(self, "rollback")
  rollback(self)
end

--- Whether the transaction was committed or rolled back, by itself or with one around it.
function methods:isFinished()
  check_self(self, Transaction, "isFinished")
  return self.finished or self[1]:state() == "released"
end

--- Calls a function after the outermost transaction has been committed; dropped if this or one around it is rolled
-- back.
function methods:afterCommit(callback)
  check_transaction(self, "afterCommit")
  check_function(callback, "afterCommit")
  add_callback(self, "committed", callback)
end

--- Calls a function after this transaction has been rolled back and the outermost has ended; dropped if one around this
-- is rolled back.
function methods:afterRollback(callback)
  check_transaction(self, "afterRollback")
  check_function(callback, "afterRollback")
  add_callback(self, "undone", callback)
end

--- A point to which can be rolled back.
-- @param name any text, for the reader; or nil
-- @return an object with the methods rollback and release; to be closed: released, or rolled back when left by an error
function methods:savepoint(name)
  check_transaction(self, "savepoint")
  if name ~= nil and type(name) ~= "string" then errors.usage("t:savepoint: a name expected, got %s", type(name)) end
  local point = new_inner(Savepoint, self)
  point.label = name
  return point
end

-- Ends the binding of a wrapped coroutine with its function.
local Binding = {}
function Binding.__close(binding)
  leave(binding)
  binding.finished = true
end

--- Like coroutine.wrap: the coroutine is inside the transaction.
function methods:wrap(f)
  check_transaction(self, "wrap")
  check_function(f, "wrap")
  return coroutine.wrap(function(...)
    check_open(self, "the transaction")
    local thread = coroutine.running()
    local binding <close> = setmetatable({ self[1], db = self.db, owner = self, finished = false }, Binding)
    enter(binding, thread)
    local root = root_of(self)
    root.wrapped = root.wrapped or setmetatable({}, { __mode = "k" })
    root.wrapped[thread] = binding
    return f(...)
  end)
end

function Transaction:__close()
  check_self(self, Transaction, "__close")
  if not self.managed and not methods.isFinished(self) then rollback(self) end
end

function Transaction:__tostring()
  if not is_level(self, Transaction) then return "Transaction (without a connection)" end
  return methods.isFinished(self) and "Transaction (finished)" or self.name and "Transaction (nested)" or "Transaction"
end

-- The savepoint object -----------------------------------------------------------------------------------------------

local point_methods = {}
Savepoint.__index = point_methods

local function check_point(self, name)
  check_self(self, Savepoint, name)
  check_open(self, "the savepoint")
  check_innermost(self, "the savepoint")
end

--- Takes back what was done since, and ends the savepoint.
function point_methods:rollback()
  check_point(self, "rollback")
  rollback(self)
end

--- Keeps what was done since, and ends the savepoint.
function point_methods:release()
  check_point(self, "release")
  commit(self, "the savepoint")
end

function Savepoint:__close(problem)
  check_self(self, Savepoint, "__close")
  if self.finished or self[1]:state() == "released" then return end
  if problem == nil then commit(self, "the savepoint") else rollback(self) end
end

function Savepoint:__tostring()
  return is_level(self, Savepoint) and self.label and ("Savepoint %q"):format(self.label) or "Savepoint"
end

return transaction
