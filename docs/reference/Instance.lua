--- A row: a plain table whose keys are attributes and loaded associations, nothing hidden. `u.name = "x"` is all it
-- takes to
-- change it; `==` compares model and key, `tostring` gives `User{id=7, username="ann"}`.
--
-- What associations add is in @{Association}.
-- @classmod Instance
local Instance = {}

--- Writes what changed, or inserts the row.
-- @tparam[opt] Model.WriteOptions options `{fields, validate, hooks, silent, transaction, logging}`
-- @treturn Instance itself
-- @raise ValidationError, UsageError for keys that are no attributes, OptimisticLockError, InstanceError when the
-- row is gone
function Instance:save(options) end

--- Sets attributes and saves them.
-- @tparam table values
-- @tparam[opt] Model.WriteOptions options
-- @treturn Instance itself
function Instance:update(values, options) end

--- Deletes the row; of paranoid models marks it.
-- @tparam[opt] Model.WriteOptions options also `force`
-- @treturn Instance itself
function Instance:destroy(options) end

--- Takes the mark of deletion away.
-- @tparam[opt] Model.WriteOptions options
-- @treturn Instance itself
function Instance:restore(options) end

--- Reads the row again, with what is selected and loaded.
-- @tparam[opt] Model.FindOptions options
-- @treturn Instance itself
function Instance:reload(options) end

--- Sets attributes, by their setters.
-- @tparam string|table name attribute, or attribute → value
-- @param[opt] value
-- @treturn Instance itself
function Instance:set(name, value) end

--- What an attribute shows, by its getter; without name, or with `{plain = true}`, all of them as a table.
-- @tparam[opt] string|table what
function Instance:get(what) end

--- A deep plain copy, with virtual attributes.
-- @tparam[opt] table options `{nulls = true}`: `liga.null` for NULL and absent associations to one
-- @treturn table
function Instance:toTable(options) end

--- What changed since it was loaded.
-- @tparam[opt] string name of one attribute
-- @return list of names or nil; of one attribute a boolean
function Instance:changed(name) end

--- The value of an attribute as it was loaded.
-- @tparam string name
function Instance:previous(name) end

--- Whether it is not stored yet.
-- @treturn boolean
function Instance:isNew() end

--- Runs the validators.
-- @tparam[opt] table options
-- @treturn Instance itself
-- @raise ValidationError with all faults in `errors`
function Instance:validate(options) end

--- Adds to attributes, in the database.
-- @tparam string|table what attribute, or attribute → number
-- @tparam[opt] table options `{by, transaction, logging}`
-- @treturn Instance itself
function Instance:increment(what, options) end

--- Takes from attributes, in the database.
-- @tparam string|table what attribute, or attribute → number
-- @tparam[opt] table options `{by, transaction, logging}`
-- @treturn Instance itself
function Instance:decrement(what, options) end

--- Whether a value is an instance of the same row.
-- @param other
-- @treturn boolean
function Instance:equals(other) end

--- Its key, as a condition.
-- @treturn table
function Instance:where() end

--- Loads an association, or several.
-- @tparam string|table what name, or an include
-- @tparam[opt] Model.FindOptions options
-- @return what was loaded
-- @raise EagerLoadingError
function Instance:load(what, options) end

--- Whether an association is loaded, also without a row.
-- @tparam string name
-- @treturn boolean
function Instance:isLoaded(name) end

return Instance
