--- The module: `local liga = require "liga"`.
--
-- Types of attributes (`liga.STRING` …) are in @{Type}, operators (`liga.Op`) in @{Op}. Every function raises
-- @{Error} objects; times in options are milliseconds.
-- @module liga
local liga = {}

--- Connects to a database. Opens one connection, so it raises at once.
--
--     local db <close> = liga.connect "sqlite:shop.db"
--     local db <close> = liga.connect("postgres://ann@localhost/shop", { logging = print })
-- @tparam string|nil url `sqlite:PATH`, `sqlite::memory:`,
-- `postgres://user:password@host:port/database?option=value`, or
-- `postgres:` before any libpq conninfo; nil with `replication`
-- @tparam[opt] ConnectOptions options
-- @treturn Database the connection
-- @raise UsageError for URL and options, ConnectionError
function liga.connect(url, options) end

--- Options of `connect`.
-- @table ConnectOptions
-- @field logging `function(sql, info)`, or true: standard error. `info` = `{ms, params, rows, kind =
-- "query"|"transaction"|"schema", model, error}`
-- @field define default options of all models
-- @field pool `{max = 5, idle = 60000, acquireTimeout = 10000}`
-- @field statementCache prepared statements kept per connection (256); 0: none has a name
-- @field timeout milliseconds a statement may take
-- @field connectTimeout milliseconds
-- @field wait `function(fd, mode, seconds)` of an event loop: true when ready, false when the time is over
-- @field busyPoll PostgreSQL: whether a wait without `wait` looks for the answer for a tenth of a millisecond before it
-- sleeps (true)
-- @field foreignKeys SQLite: whether they are enforced (true)
-- @field busyTimeout SQLite: milliseconds (5000)
-- @field pragmas SQLite: `{journal_mode = "wal"}`, or a list of statements
-- @field readOnly whether writes are refused
-- @field schema PostgreSQL: schema of the models, and search path
-- @field dates `"iso"` (texts), or `"epoch"` (float seconds)
-- @field lazy `"off"`, `"batch"` or `"raise"`: what reading an association that is not loaded does
-- @field hooks name → function
-- @field replication `{write = url, read = {urls}, sticky = 1000}`
-- @field compat `"v1"`: names and rules of Sequelize v1

--- An association as an attribute of `define`, by name, before the target exists.
--
--     post = liga.belongsTo("Post", { foreignKey = "postId", inverse = { as = "comments", type = "hasMany" } })
-- @tparam string|Model target
-- @tparam[opt] Association.Options options
-- @return a mark that `define` understands
function liga.belongsTo(target, options) end

--- As `belongsTo`.
-- @tparam string|Model target
-- @tparam[opt] Association.Options options
function liga.hasOne(target, options) end

--- As `belongsTo`.
-- @tparam string|Model target
-- @tparam[opt] Association.Options options
function liga.hasMany(target, options) end

--- As `belongsTo`.
-- @tparam string|Model target
-- @tparam Association.Options options `through` is required
function liga.belongsToMany(target, options) end

--- A call of an SQL function: `liga.fn("lower", liga.col("name"))`.
-- @tparam string name
-- @param ... values, columns, expressions
-- @return expression
function liga.fn(name, ...) end

--- An attribute as an expression, by its path: `liga.col("author.name")`.
-- @tparam string path checked and mapped to columns
-- @return expression
function liga.col(path) end

--- `CAST(value AS type)`.
-- @param value value or expression
-- @tparam Type|string type
-- @return expression
function liga.cast(value, type) end

--- SQL as it stands. Never put values into it: `sql` takes them.
-- @tparam string sql
-- @return expression
function liga.literal(sql) end

--- SQL with values: `liga.sql("lower(name) = ?", x)`.
-- @tparam string sql
-- @param ... a value for each `?`
-- @return expression
function liga.sql(sql, ...) end

--- A condition over an expression: `liga.where(liga.fn("lower", liga.col "name"), Op.eq, "ann")`. Without the operator
-- what stands there is read as under an attribute's name: a value, a list, `Op.gt(5)`.
-- @param left expression
-- @param op operator, or the value to be equal to
-- @param[opt] value right side
-- @return expression
function liga.where(left, op, value) end

--- A list that is a JSON array even when empty.
-- @tparam[opt] table list
-- @treturn table the list
function liga.array(list) end

--- The model of an instance.
-- @param value anything
-- @treturn Model|nil nil: no instance
function liga.modelOf(value) end

--- Whether a value is an error of liga's.
-- @param value anything
-- @tparam[opt] string name only of this name: `"UniqueConstraintError"`
-- @treturn boolean
function liga.isError(value, name) end

--- A path in a JSON attribute, as a key of a where, in order, attributes and group. Raises UsageError.
-- @function json
-- @tparam string attribute
-- @tparam string|integer ... legs: a text is a key as it stands, an integer an index from 1
-- @return expression

--- A value as JSON: instances, `liga.null`, 64-bit integers and empty arrays are known.
-- @function json.encode
-- @param value
-- @treturn string

--- A JSON text as a value. Raises ValidationError.
-- @function json.decode
-- @tparam string text
-- @return value; `liga.null` for null

--- A models file: Lua code that returns `function(db) … end`, which defines what the tables say.
-- @function reflect.source
-- @tparam Database db
-- @tparam[opt] table options `{schema, tables, views, naming, previous}`; `previous`: the text of the file as it
-- was, whose
-- hand-made regions are kept
-- @treturn string

--- Makes a model one of a view: what writes raises UsageError, `sync` and `drop` leave it out.
-- @function reflect.view
-- @tparam Model model
-- @treturn Model the model

--- Adds an irregular word to those that names are made with.
-- @function inflect.irregular
-- @tparam string singular
-- @tparam string plural

--- Adds a word whose plural is itself.
-- @function inflect.uncountable
-- @tparam string word

--- The plural of an English word.
-- @function inflect.pluralize
-- @tparam string word
-- @treturn string

--- The singular of an English word.
-- @function inflect.singularize
-- @tparam string word
-- @treturn string

--- What else the module holds.
-- @table fields
-- @field null NULL, where nil would be no entry; the same value as `cjson.null`
-- @field Op operators, see @{Op}
-- @field types all types, see @{Type}
-- @field NOW default value: the time of the save
-- @field UUIDV4 default value: a random UUID
-- @field UUIDV7 default value: a UUID that begins with the time
-- @field Error the metatable of errors
-- @field methods names of the methods of instances, which no attribute may have
-- @field version text

return liga
