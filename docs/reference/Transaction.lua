--- A transaction, see @{Database:transaction}.
-- @classmod Transaction
local Transaction = {}

--- Options of transactions.
-- @table Options
-- @field isolation `"serializable"`, `"repeatable read"` …
-- @field readOnly
-- @field deferrable
-- @field mode SQLite: `"deferred"`, `"immediate"` (default) or `"exclusive"`
-- @field retry how often the outermost callback is run again after a serialization failure, a deadlock or a busy file
-- @field savepoint PostgreSQL: false leaves out the savepoints of single statements
-- @field transaction the transaction this one is nested in
-- @field logging

--- Commits.
-- @raise DatabaseError when it was aborted; UsageError when it is finished
function Transaction:commit() end

--- Rolls back.
function Transaction:rollback() end

--- Whether it was committed or rolled back.
-- @treturn boolean
function Transaction:isFinished() end

--- Calls a function after the outermost transaction is committed; dropped if a level in between rolls back.
-- @tparam function fn
function Transaction:afterCommit(fn) end

--- Calls a function after the outermost transaction is rolled back.
-- @tparam function fn
function Transaction:afterRollback(fn) end

--- A savepoint. With `local point <close>` it is released at the end of the block, or rolled back when that ends by
-- an error.
-- @tparam[opt] string name
-- @treturn Savepoint with `rollback` and `release`
function Transaction:savepoint(name) end

--- Like `coroutine.wrap`: the coroutine is inside the transaction.
-- @tparam function f
-- @treturn function
function Transaction:wrap(f) end

--- Undoes what was done since the savepoint.
-- @function Savepoint:rollback

--- Forgets the savepoint; what was done stays.
-- @function Savepoint:release

return Transaction
