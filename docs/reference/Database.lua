--- A connection: what `liga.connect` returns. Fields: `dialect` ("sqlite" or "postgres"), `models` (by name).
-- @classmod Database
local Database = {}

--- Closes all connections. Raises UsageError while one of its own calls is on the stack.
function Database:close() end

--- Asks the database whether it is there.
-- @raise ConnectionError
function Database:ping() end

--- Defines a model.
--
--     local User = db:define("User", { name = { type = liga.STRING(40), allowNull = false } }, { underscored = true })
-- @tparam string name
-- @tparam table attributes name → type, or name → @{Model.AttributeOptions}; or a list of `{name, type, options…}`,
-- which
-- fixes their order; or name → `liga.belongsTo(…)`
-- @tparam[opt] Model.Options options
-- @treturn Model
-- @raise UsageError
function Database:define(name, attributes, options) end

--- A model by name.
-- @tparam string name
-- @treturn Model
-- @raise UsageError naming the nearest
function Database:model(name) end

--- Resolves and checks all models and associations, without touching the database.
-- @treturn Database itself
-- @raise AssociationError
function Database:validate() end

--- Creates the tables of all models, those that others reference first.
-- @tparam[opt] table options `{force, alter, dryRun, match = Lua pattern the database's name must match, schema,
-- logging,
-- hooks, transaction}`
-- @return itself; with `dryRun` the list of statements
function Database:sync(options) end

--- Drops the tables of all models.
-- @tparam[opt] table options `{cascade, logging, transaction}`
function Database:drop(options) end

--- Runs SQL. Values travel as binds, found by a real SQL lexer.
--
--     local rows = db:query("SELECT * FROM users WHERE age > $1", { bind = { 18 } })
-- @tparam string sql one command, unless `multiple`
-- @tparam[opt] table options `{bind = list for $1 or map for $name, replacements = list for ? or map for :name,
-- type, model,
-- mapToModel, nest, raw, multiple, transaction, logging}`
-- @treturn {table,...} rows
-- @treturn table info: `{rows, affected, lastId, columns}`
-- @raise UsageError, and the errors of the database
function Database:query(sql, options) end

--- Runs a function in a transaction: commits and passes its results through; an error rolls back and is raised
-- again. Inside,
-- every call of the same coroutine uses it. Nested calls are savepoints. Without a function: a transaction that the
-- caller
-- ends, `local t <close> = db:transaction()`, passed to calls as `{ transaction = t }`.
-- @tparam[opt] Transaction.Options options
-- @tparam[opt] function body called with the @{Transaction}
-- @return what the function returns; or the transaction
function Database:transaction(options, body) end

--- The transaction this coroutine is in.
-- @treturn Transaction|nil
function Database:currentTransaction() end

--- Loads associations of instances that are there, as include would have.
-- @tparam {Instance,...} list may mix models that all have the association
-- @tparam table include as in finds
-- @tparam[opt] table options `{missing = true: what is loaded stays, transaction, logging}`
-- @treturn {Instance,...} the list
-- @raise EagerLoadingError
function Database:preload(list, include, options) end

--- Models and associations from the tables of a database. Models that are defined are kept, and gain what they miss.
-- @tparam[opt] table options `{schema, tables = list or function(name), views = true or list, naming =
-- function(kind, default,
-- info) → name}`
-- @treturn {Model,...} the models made
function Database:reflect(options) end

--- The interface to tables, columns, indexes and constraints.
-- @treturn QueryInterface
function Database:queryInterface() end

--- Adds a hook for all models, or for the connection. Each name is a method too: `db:beforeCreate(fn)`.
-- @tparam string hook before or after Validate, Create, Update, Save, Destroy, Restore, Upsert, BulkCreate, BulkUpdate,
-- BulkDestroy, BulkRestore, Find, Count, Define, Associate, Sync, BulkSync, Connect, Disconnect, Query
-- @tparam[opt] string name to remove it by
-- @tparam function fn
function Database:addHook(hook, name, fn) end

--- Takes a hook away.
-- @tparam string hook
-- @tparam string|function which its name, or the function itself
-- @treturn boolean whether it was there
function Database:removeHook(hook, which) end

--- Whether there is such a hook.
-- @tparam string hook
-- @tparam[opt] string|function which
-- @treturn boolean
function Database:hasHook(hook, which) end

return Database
