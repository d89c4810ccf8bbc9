--- A model: what `db:define` returns. Fields: `name`, `tableName`, `primaryKey` (list of names), `attributes` and
-- `associations` (in order, and by name), `methods` (of instances). Own methods of the class are functions in the
-- model,
-- `function User:byEmail(x) … end`; of instances, functions in `User.methods`.
-- @classmod Model
local Model = {}

--- Options of attributes.
-- @table AttributeOptions
-- @field type see @{Type}
-- @field allowNull (true)
-- @field defaultValue value, function, `liga.NOW`, `liga.UUIDV4`, `liga.UUIDV7`, `liga.fn(…)`, `liga.literal(…)`
-- @field primaryKey
-- @field autoIncrement
-- @field unique true, or a name that several attributes share
-- @field index true, or a name
-- @field columnName where it differs; alias `field`
-- @field references `Model`, `"Model or table"`, `{model = | table =, key =}`
-- @field onDelete RESTRICT, CASCADE, NO ACTION, SET DEFAULT, SET NULL
-- @field onUpdate
-- @field deferrable false, `"immediate"`, `"deferred"`
-- @field comment
-- @field validate validator → its arguments, or a function
-- @field get `function(self, stored)` → what is shown
-- @field set `function(self, value)` → what is stored
-- @field values of ENUM

--- Options of models.
-- @table Options
-- @field tableName
-- @field freezeTableName the table is called like the model
-- @field underscored columns and table in snake_case
-- @field timestamps (true)
-- @field createdAt false, or another name
-- @field updatedAt false, or another name
-- @field deletedAt another name
-- @field paranoid destroy marks rows as deleted
-- @field version optimistic lock
-- @field schema PostgreSQL
-- @field indexes `{ {fields = {"a", {"b", order = "DESC"}}, unique, name, where, using}, … }`
-- @field defaultScope options of finds
-- @field scopes name → options of finds, or a function that returns them
-- @field hooks name → function
-- @field methods of instances
-- @field validate of the whole instance
-- @field lazy
-- @field primaryKey list of names, or false
-- @field name `{singular =, plural =}`
-- @field comment

--- Options of everything that reads.
-- @table FindOptions
-- @field where condition, see @{Op}; `["author.name"]` leads into associations
-- @field attributes `{"a", {liga.fn("count", liga.col("id")), "n"}}`, `{include =, exclude =}`
-- @field include `{"posts", { association = "posts", where, required, on, attributes, order, limit, offset, through,
-- include,
-- paranoid, separate, strategy = "join"|"select" }}`, `{ posts = {…} }`, `{all = true, nested = true}`
-- @field order `{"name"}`, `{{"name", "DESC"}}`, `"-name"`, `{"author", "name", "ASC"}`
-- @field limit
-- @field offset
-- @field group
-- @field having
-- @field distinct
-- @field paranoid false: with rows that are marked as deleted
-- @field raw plain tables without metatable
-- @field lock `"update"`, `"share"` …
-- @field skipLocked
-- @field lazy `"off"`, `"batch"`, `"raise"`
-- @field hooks false: none
-- @field rejectOnEmpty raises EmptyResultError, or the error given
-- @field transaction
-- @field logging
-- @field searchPath PostgreSQL

--- Options of everything that writes, each where it makes sense.
-- @table WriteOptions
-- @field fields list of attributes that are written
-- @field validate false: no validators
-- @field hooks false: none
-- @field individualHooks those of single instances too
-- @field silent `updatedAt` stays
-- @field returning the rows, or attributes of them
-- @field include of create and build: associations whose values are nested
-- @field where of update, destroy, increment: which rows
-- @field all of the same: true, where there is no `where`
-- @field limit of update and destroy
-- @field ignoreDuplicates of bulkCreate and create
-- @field updateOnDuplicate of bulkCreate: list of attributes
-- @field conflictFields of upsert and bulkCreate: which unique key
-- @field conflictWhere condition of a partial unique index
-- @field dependent of destroy: false skips what associations demand
-- @field force of destroy: rows of paranoid models go
-- @field transaction
-- @field logging

--- Rows as instances.
-- @tparam[opt] FindOptions options
-- @treturn {Instance,...} list
function Model:findAll(options) end

--- The first row.
-- @tparam[opt] FindOptions options
-- @treturn Instance|nil
function Model:findOne(options) end

--- The row with a key.
-- @param key value; of a composite key a list, or a table by name
-- @tparam[opt] FindOptions options
-- @treturn Instance|nil
function Model:findByPk(key, options) end

--- The rows with keys, in their order; missing ones are left out.
-- @tparam table keys list
-- @tparam[opt] FindOptions options
-- @treturn {Instance,...}
function Model:findByPks(keys, options) end

--- Rows, and how many there are without limit and offset; with `group` the counts of the groups, in their order.
-- @tparam[opt] FindOptions options
-- @treturn {Instance,...}
-- @treturn integer
function Model:findAndCountAll(options) end

--- The row of a condition, or an instance that is not stored yet.
-- @tparam table options `{where, defaults, …}` as @{FindOptions}
-- @treturn Instance
-- @treturn boolean whether it is new
function Model:findOrBuild(options) end

--- The row of a condition, or a new one; exact also when others do the same.
-- @tparam table options `{where, defaults, …}` as @{FindOptions}
-- @treturn Instance
-- @treturn boolean whether it was created
function Model:findOrCreate(options) end

--- The number of rows, where a limit is given of those that `findAll` would give; with `group` a list of rows.
-- @tparam[opt] FindOptions options also `col`
-- @treturn integer
function Model:count(options) end

--- Whether there is a row.
-- @tparam[opt] FindOptions options
-- @treturn boolean
function Model:exists(options) end

--- The sum: integer, exact text for DECIMAL, else float; 0 over no rows.
-- @tparam string attribute
-- @tparam[opt] FindOptions options
function Model:sum(attribute, options) end

--- The least value, nil over no rows.
-- @tparam string attribute
-- @tparam[opt] FindOptions options
function Model:min(attribute, options) end

--- The largest value, nil over no rows.
-- @tparam string attribute
-- @tparam[opt] FindOptions options
function Model:max(attribute, options) end

--- The mean, nil over no rows.
-- @tparam string attribute
-- @tparam[opt] FindOptions options
-- @treturn number|nil
function Model:avg(attribute, options) end

--- Walks over rows in batches, in the order of the key: `for user in User:each() do … end`.
-- @tparam[opt] FindOptions options also `batch` (500)
-- @treturn function iterator
function Model:each(options) end

--- A page of rows, by keys rather than offsets.
-- @tparam[opt] FindOptions options also `size`, `after`, `before`: texts that an earlier page gave
-- @treturn {Instance,...}
-- @treturn table `{after, before, hasNext, hasPrevious}`
function Model:page(options) end

--- What a find would do: statements, strategy of each include, the engine's plan.
-- @tparam[opt] FindOptions options
-- @treturn string
function Model:explain(options) end

--- A condition over keys, for `where`: `User:keys{ {1, 2}, {3, 4} }`.
-- @tparam table list of keys
-- @return condition
function Model:keys(list) end

--- An instance that is not stored yet.
-- @tparam[opt] table values
-- @tparam[opt] table options `{include}`
-- @treturn Instance
function Model:build(values, options) end

--- Inserts a row; with `include` also what is nested in the values, in one transaction.
-- @tparam[opt] table values
-- @tparam[opt] WriteOptions options
-- @treturn Instance
-- @raise ValidationError, UniqueConstraintError and the other errors of constraints
function Model:create(values, options) end

--- Inserts many rows in few statements.
-- @tparam table list of values or built instances
-- @tparam[opt] WriteOptions options
-- @treturn {Instance,...} in the same order
function Model:bulkCreate(list, options) end

--- Inserts a row, or updates the one with the same unique key.
-- @tparam table values
-- @tparam[opt] WriteOptions options
-- @treturn Instance
-- @treturn boolean whether it was created
function Model:upsert(values, options) end

--- Updates rows.
-- @tparam table values
-- @tparam WriteOptions options needs `where` with a condition, or `all = true`
-- @treturn integer how many
-- @treturn table|nil with `returning` the rows
function Model:update(values, options) end

--- Deletes rows; of paranoid models marks them.
-- @tparam WriteOptions options needs `where` with a condition, or `all = true`
-- @treturn integer how many
function Model:destroy(options) end

--- Takes the mark of deletion from rows.
-- @tparam WriteOptions options needs `where` with a condition, or `all = true`
-- @treturn integer how many
function Model:restore(options) end

--- Adds to attributes of rows.
-- @tparam string|table what attribute, or attribute → number
-- @tparam WriteOptions options needs `where` or `all = true`; `by` for one attribute (1)
-- @treturn integer how many
function Model:increment(what, options) end

--- Takes from attributes of rows.
-- @tparam string|table what attribute, or attribute → number
-- @tparam WriteOptions options as `increment`
-- @treturn integer how many
function Model:decrement(what, options) end

--- Empties the table.
-- @tparam[opt] table options `{cascade, restartIdentity, transaction, logging}`
function Model:truncate(options) end

--- The model seen through scopes; has every method of the class.
-- @param ... names, `{name, argument…}`, tables of options
-- @treturn Model
function Model:scope(...) end

--- The model without its default scope.
-- @treturn Model
function Model:unscoped() end

--- Adds a scope.
-- @tparam string name
-- @tparam table|function scope options of finds, or a function that returns them
-- @tparam[opt] table options `{override}`
function Model:addScope(name, scope, options) end

--- The foreign key is here.
-- @tparam string|Model target
-- @tparam[opt] string|Association.Options options or the name of the foreign key
-- @treturn Association
function Model:belongsTo(target, options) end

--- The foreign key is with the target, once.
-- @tparam string|Model target
-- @tparam[opt] string|Association.Options options
-- @treturn Association
function Model:hasOne(target, options) end

--- The foreign key is with the target.
-- @tparam string|Model target
-- @tparam[opt] string|Association.Options options
-- @treturn Association
function Model:hasMany(target, options) end

--- Both keys are in a junction.
-- @tparam string|Model target
-- @tparam Association.Options options `through` is required
-- @treturn Association
function Model:belongsToMany(target, options) end

--- An association by name.
-- @tparam string name
-- @treturn Association
-- @raise AssociationError naming the nearest
function Model:association(name) end

--- The model as readable text.
-- @treturn string
function Model:describe() end

--- Creates the table.
-- @tparam[opt] table options as `db:sync`
function Model:sync(options) end

--- Drops the table.
-- @tparam[opt] table options `{cascade, transaction, logging}`
function Model:drop(options) end

--- Adds a hook. Each name is a method too: `User:beforeCreate(fn)`.
-- @tparam string hook
-- @tparam[opt] string name to remove it by
-- @tparam function fn
function Model:addHook(hook, name, fn) end

--- Takes a hook away.
-- @tparam string hook
-- @tparam string|function which its name, or the function itself
-- @treturn boolean whether it was there
function Model:removeHook(hook, which) end

--- Whether there is such a hook.
-- @tparam string hook
-- @tparam[opt] string|function which
-- @treturn boolean
function Model:hasHook(hook, which) end

return Model
