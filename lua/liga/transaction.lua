--- Transactions: managed by a function, unmanaged, nested as savepoints; savepoints by name.
--
-- A transaction owns a connection by a lease of the core, at [1]: that is how `{transaction = t}` finds it. Levels of one lease
-- (the transaction, nested ones, savepoints) stand in a stack and end in order.
local core = require "liga.core"
local errors = require "liga.errors"
local options = require "liga.options"

local transaction = {}

local isolations = {
  ["read uncommitted"] = true, ["read committed"] = true, ["repeatable read"] = true, ["serializable"] = true,
}
local modes = { deferred = true, immediate = true, exclusive = true }
local allowed = {
  isolation = true, readOnly = true, deferrable = true, mode = true, retry = true, savepoint = true, transaction = true,
  logging = true,
}

local Transaction = { __name = "liga.Transaction" }
Transaction.__index = Transaction

local function is_transaction(value)
  return type(value) == "table" and getmetatable(value) == Transaction
end

-- Options ------------------------------------------------------------------------------------------------------------

local function check_word(given, name, words)
  local value = given[name]
  if value == nil then return end
  if type(value) ~= "string" or not words[value:lower()] then
    local list = {}
    for word in pairs(words) do list[#list + 1] = word end
    table.sort(list)
    errors.usage("transaction: %s must be one of %s", name, table.concat(list, ", "))
  end
end

local function check_options(given)
  if type(given) ~= "table" or is_transaction(given) then
    errors.usage("transaction: a table of options or a function expected, got %s", type(given))
  end
  options.check("transaction", given, allowed)
  check_word(given, "isolation", isolations)
  check_word(given, "mode", modes)
  for _, name in ipairs { "readOnly", "deferrable", "savepoint" } do options.kind("transaction", given, name, "boolean") end
  local retry = options.kind("transaction", given, "retry", "integer")
  if retry and retry < 0 then errors.usage "transaction: retry must not be negative" end
  if given.transaction ~= nil and not is_transaction(given.transaction) then
    errors.usage "transaction: transaction must be a transaction object"
  end
end

-- Levels -------------------------------------------------------------------------------------------------------------
-- stack: of one lease, innermost last. A level has finished, committed (lists of callbacks), name (of its savepoint).

--- Savepoints end with what they stand in; a nested transaction has to be ended first.
local function drop_savepoints(level)
  local stack = level.stack
  while stack[#stack] ~= level and stack[#stack].savepoint do
    stack[#stack].finished = true
    stack[#stack] = nil
  end
end

local function check_top(level)
  if level.finished then errors.usage "the transaction is finished" end
  if level.stack[#level.stack] ~= level then
    errors.usage "an inner transaction or savepoint is still open: they end in order, the inner one first"
  end
end

local function new_level(lease, stack, db)
  local level = setmetatable({
    lease, stack = stack, db = db, finished = false, after_commit = {}, after_rollback = {},
  }, Transaction)
  stack[#stack + 1] = level
  return level
end

local function pop(level)
  level.finished = true
  level.stack[#level.stack] = nil
end

local function quoted(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

local function run_all(callbacks)
  for _, callback in ipairs(callbacks) do callback() end
end

local function append(list, more)
  table.move(more, 1, #more, #list + 1, list)
end

-- The outermost level ------------------------------------------------------------------------------------------------

--- Gives the connection back; a coroutine that was bound is free again.
local function release(level)
  local lease = level[1]
  for thread in pairs(level.threads) do
    lease:unbind(thread)
    level.db._.current[thread] = nil
  end
  lease:release()
end

local function begin(db, given, level)
  local lease = level[1]
  lease:set_read_only(given.readOnly == true)
  local mode = given.mode and given.mode:lower() or (given.readOnly and "deferred") or nil
  lease:run(core.begin_text(db._.core, mode), mode ~= "deferred")
end

--- Opens the outermost level on a connection of its own.
local function open(db, given)
  local mode = given.mode and given.mode:lower()
  local lease = core.lease(db._.core, not given.readOnly and mode ~= "deferred")
  local level = new_level(lease, {}, db)
  level.threads = {}
  level.given = given
  local ok, problem = pcall(begin, db, given, level)
  if ok then return level end
  pop(level)
  release(level)
  error(problem, 0)
end

local function was_lost()
  errors.raise("DatabaseError", "the transaction was rolled back by the database after an error; nothing is committed",
    { outcome = "rolled_back" })
end

local function commit_outermost(level)
  local lease = level[1]
  if lease:state() ~= "open" then
    pop(level)
    release(level)
    run_all(level.after_rollback)
    was_lost()
  end
  lease:run "COMMIT"
  pop(level)
  release(level)
  run_all(level.after_commit)
end

local function rollback_outermost(level)
  local lease = level[1]
  pop(level)
  local ok, problem = true, nil
  if lease:state() == "open" then ok, problem = pcall(lease.run, lease, "ROLLBACK") end
  release(level)
  run_all(level.after_rollback)
  if not ok then error(problem, 0) end
end

-- Nested levels ------------------------------------------------------------------------------------------------------

local function open_nested(outer, name)
  local level = new_level(outer[1], outer.stack, outer.db)
  level.outer = outer
  level.name = quoted(name or outer[1]:savepoint())
  local ok, problem = pcall(level[1].run, level[1], "SAVEPOINT " .. level.name)
  if ok then return level end
  pop(level)
  error(problem, 0)
end

local function commit_nested(level)
  level[1]:run("RELEASE " .. level.name)
  pop(level)
  append(level.outer.after_commit, level.after_commit)
  append(level.outer.after_rollback, level.after_rollback)
end

local function rollback_nested(level)
  local lease = level[1]
  pop(level)
  if lease:state() ~= "open" then return end
  lease:run("ROLLBACK TO " .. level.name)
  lease:run("RELEASE " .. level.name)
end

local function commit(level)
  if level.outer then commit_nested(level) else commit_outermost(level) end
end

local function rollback(level)
  if level.outer then rollback_nested(level) else rollback_outermost(level) end
end

--- Everything above a level that is ended by force (an error, a closed coroutine) is over too.
local function drop_inner(level)
  local stack = level.stack
  while stack[#stack] and stack[#stack] ~= level do pop(stack[#stack]) end
end

-- Methods ------------------------------------------------------------------------------------------------------------

local function check_unmanaged(level, verb)
  if level.managed then
    errors.usage("a managed transaction ends with its function: return to commit, raise an error to roll back, instead of t:%s()", verb)
  end
end

--- Commits. Raises what the database raises (the transaction is rolled back then); UsageError when it is finished.
function Transaction:commit()
  if not self.finished then drop_savepoints(self) end
  check_top(self)
  check_unmanaged(self, "commit")
  local ok, problem = pcall(commit, self)
  if ok then return end
  if not self.finished then pcall(rollback, self) end
  error(problem, 0)
end

--- Rolls back. UsageError when it is finished.
function Transaction:rollback()
  if not self.finished then drop_savepoints(self) end
  check_top(self)
  check_unmanaged(self, "rollback")
  rollback(self)
end

--- Whether it was committed or rolled back.
function Transaction:isFinished()
  return self.finished
end

local function check_callback(callback)
  if type(callback) ~= "function" then errors.usage("a function expected, got %s", type(callback)) end
end

--- Calls a function after the outermost transaction has committed; dropped if an enclosing level is rolled back.
function Transaction:afterCommit(callback)
  check_callback(callback)
  if self.finished then errors.usage "the transaction is finished" end
  table.insert(self.after_commit, callback)
end

--- Calls a function after the outermost transaction was rolled back.
function Transaction:afterRollback(callback)
  check_callback(callback)
  if self.finished then errors.usage "the transaction is finished" end
  table.insert(self.after_rollback, callback)
end

-- A level that leaves its scope unfinished is rolled back; an error on the way does not hide the first one.
function Transaction:__close()
  if self.finished then return end
  drop_inner(self)
  local ok, problem = pcall(rollback, self)
  if not ok then warn("liga: rolling back failed: ", tostring(problem)) end
end

-- Coroutines ---------------------------------------------------------------------------------------------------------

local function root_of(level)
  return level.stack[1] or level
end

--- Makes a level the current one of a coroutine; returns what was current before.
local function enter(level, thread)
  local current = level.db._.current
  local before = current[thread]
  current[thread] = level
  if not before or before[1] ~= level[1] then
    level[1]:bind(thread)
    root_of(level).threads[thread] = true
  end
  return before
end

local function leave(level, thread, before)
  local current = level.db._.current
  if before and not before.finished then
    current[thread] = before
    before[1]:bind(thread)
  else
    current[thread] = nil
    local root = root_of(level)
    if root.threads then root.threads[thread] = nil end
    level[1]:unbind(thread)
  end
end

local function check_resumed(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

--- Like coroutine.wrap: the new coroutine is inside the transaction.
function Transaction:wrap(body)
  check_callback(body)
  if self.finished then errors.usage "the transaction is finished" end
  local thread = coroutine.create(body)
  enter(self, thread)
  return function(...) return check_resumed(coroutine.resume(thread, ...)) end
end

local function innermost(level)
  return level.stack[#level.stack]
end

-- Savepoints ---------------------------------------------------------------------------------------------------------

local Savepoint = { __name = "liga.Savepoint" }
Savepoint.__index = Savepoint

--- Sets a savepoint. `:rollback()` undoes what was done since, `:release()` keeps it; `<close>` releases, or rolls back
-- when left by an error.
-- @param name any text, or nil
function Transaction:savepoint(name)
  if self.finished then errors.usage "the transaction is finished" end
  if name ~= nil and (type(name) ~= "string" or name == "" or name:find "%z") then
    errors.usage("savepoint: a name expected, got %s", type(name))
  end
  local level = open_nested(innermost(self), name)
  level.savepoint = true
  return setmetatable({ level = level }, Savepoint)
end

function Savepoint:rollback()
  check_top(self.level)
  rollback_nested(self.level)
end

function Savepoint:release()
  check_top(self.level)
  commit_nested(self.level)
end

function Savepoint:__close(problem)
  local level = self.level
  if level.finished then return end
  drop_inner(level)
  if problem ~= nil then rollback_nested(level) else commit_nested(level) end
end

-- Running ------------------------------------------------------------------------------------------------------------

--- What is current for the running coroutine, or nil.
function transaction.current(db)
  local level = db._.current[coroutine.running()]
  return level and not level.finished and level or nil
end

local Scope = {}

-- Leaves the level whatever happens to the coroutine; rolls back unless the body came to its end.
function Scope:__close()
  local level = self.level
  if not level.finished then level:__close() end
  leave(level, self.thread, self.before)
end

local function finish(level, ...)
  drop_inner(level)
  level.managed = false
  level:commit()
  return ...
end

local function run_in(level, body)
  local thread = coroutine.running()
  local scope <close> = setmetatable({ level = level, thread = thread, before = enter(level, thread) }, Scope) -- luacheck: ignore
  level.managed = true
  return finish(level, body(level))
end

local function run_outermost(db, given, body)
  return run_in(open(db, given), body)
end

--- A pause that grows and varies, so that two who met don't meet again.
local function pause(attempt)
  core.sleep(math.min(10 * 2 ^ attempt, 500) * (0.5 + math.random() / 2))
end

local function is_retryable(problem)
  return errors.is(problem) and problem.retryable == true
end

local function run_again(db, given, body, attempt)
  local results = table.pack(pcall(run_outermost, db, given, body))
  if results[1] then return table.unpack(results, 2, results.n) end
  if attempt >= given.retry or not is_retryable(results[2]) then error(results[2], 0) end
  pause(attempt)
  return run_again(db, given, body, attempt + 1)
end

local function check_outer(db, outer)
  if outer.db ~= db then errors.usage "the transaction belongs to another database" end
  if outer.finished then errors.usage "the transaction is finished" end
end

--- Runs a function in a transaction, or opens an unmanaged one if there is no function.
-- @param db the connection
-- @param given options, or nil
-- @param body function(t), or nil
-- @return the results of the function; or the transaction
function transaction.run(db, given, body)
  if type(given) == "function" and body == nil then given, body = nil, given end
  given = given == nil and {} or given
  check_options(given)
  if body ~= nil and type(body) ~= "function" then errors.usage("transaction: a function expected, got %s", type(body)) end
  local outer = given.transaction or (body and transaction.current(db)) or nil
  if not outer then
    if not body then return open(db, given) end
    if given.retry then return run_again(db, given, body, 0) end
    return run_outermost(db, given, body)
  end
  check_outer(db, outer)
  if given.retry then errors.usage "transaction: retry is for the outermost transaction" end
  local level = open_nested(innermost(outer))
  if not body then return level end
  return run_in(level, body)
end

--- Runs a function so that its writes happen together: under the call's transaction, the current one, or a new one.
-- @param given options of the call (its `transaction` is used), or nil
function transaction.atomically(db, given, body)
  return transaction.run(db, { transaction = given and given.transaction }, body)
end

--- Runs several reads so that they see one state: in the open transaction, else in a read-only one.
function transaction.snapshot(db, given, body)
  if (given and given.transaction) or transaction.current(db) then return body() end
  return transaction.run(db, { mode = "deferred" }, body)
end

return transaction
