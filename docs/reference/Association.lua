--- An association: what `User:hasMany(Post)` returns. Definers can be called on it too, for its source:
-- `Project:hasOne(User):hasOne(Deadline)`. It gives methods to instances of its source; below, `Post` and `Posts`
-- stand for
-- singular and plural of its name.
-- @classmod Association
local Association = {}

--- Fields.
-- @table fields
-- @field type `"belongsTo"`, `"hasOne"`, `"hasMany"`, `"belongsToMany"`
-- @field source model
-- @field target model
-- @field as name of the property, and in includes
-- @field name `{singular, plural}`
-- @field foreignKey list of attribute names
-- @field otherKey of belongsToMany: list of attribute names
-- @field sourceKey list of attribute names
-- @field targetKey list of attribute names
-- @field through junction model, or path
-- @field pairedWith of belongsToMany: the other direction
-- @field inverse
-- @field isSelf
-- @field isMulti
-- @field accessors verb → name of the method

--- Options.
-- @table Options
-- @field as text, or `{singular =, plural =}`
-- @field foreignKey name; table of attribute options; list of either; `{keys = {holder = "referenced"}}`
-- @field otherKey belongsToMany: the junction's key to the target
-- @field onDelete RESTRICT, CASCADE, NO ACTION, SET DEFAULT, SET NULL
-- @field onUpdate
-- @field constraints false: no REFERENCES
-- @field targetKey what is referenced, default the primary key
-- @field sourceKey what is referenced, default the primary key
-- @field through junction: name, model, `{model, scope, unique, timestamps, paranoid}`; of hasMany and hasOne a path,
-- `"posts.comments"`
-- @field scope attribute → value: filter of reads, written by writes
-- @field where standing filter
-- @field order standing order; of a belongsToMany also by its junction: `"-PostTag.weight"`, `{PostTag, "weight"}`
-- @field inverse name, or `{as, type, scope, where, order, dependent}`
-- @field throughAssociations `{fromSource, toSource, fromTarget, toTarget}`
-- @field dependent `"destroy"`, `"delete"`, `"nullify"`, `"restrict"`: what `destroy` of the source does first
-- @field uniqueForeignKey hasOne: a unique index
-- @field hooks

--- belongsTo, hasOne: the instance.
-- @tparam[opt] Model.FindOptions options also `scope`, `batch`
-- @treturn Instance|nil
function Association:getPost(options) end

--- belongsTo, hasOne: links another instance, or none.
-- @tparam Instance|nil post instance or key; nil clears
-- @tparam[opt] Model.WriteOptions options belongsTo also `save = false`; hasOne `destroyPrevious`
-- @return the instance, true for a key, nil when cleared
function Association:setPost(post, options) end

--- Creates an instance and links it.
-- @tparam[opt] table values
-- @tparam[opt] Model.WriteOptions options
-- @treturn Instance
function Association:createPost(values, options) end

--- hasMany, belongsToMany: the instances.
-- @tparam[opt] Model.FindOptions options also `scope`, `batch`, and for belongsToMany `through`, `joinTableAttributes`
-- @treturn {Instance,...}
function Association:getPosts(options) end

--- How many there are.
-- @tparam[opt] Model.FindOptions options
-- @treturn integer
function Association:countPosts(options) end

--- Whether an instance is linked.
-- @param post instance or key
-- @tparam[opt] Model.FindOptions options
-- @treturn boolean
function Association:hasPost(post, options) end

--- Whether all of a list are linked.
-- @tparam table posts list of instances and keys
-- @tparam[opt] Model.FindOptions options also `exact`: these and no others
-- @treturn boolean
function Association:hasPosts(posts, options) end

--- Links these and no others.
-- @tparam table|nil posts list of instances and keys; nil clears
-- @tparam[opt] Model.WriteOptions options also `through` (junction values), `destroyPrevious`
-- @treturn table the list
function Association:setPosts(posts, options) end

--- Links an instance; once more is harmless.
-- @param post instance or key
-- @tparam[opt] Model.WriteOptions options also `through`: junction values
-- @return the instance, true for a key
function Association:addPost(post, options) end

--- Links a list.
-- @tparam table posts list of instances and keys
-- @tparam[opt] Model.WriteOptions options also `through`
-- @treturn table the list
function Association:addPosts(posts, options) end

--- Unlinks an instance.
-- @param post instance or key
-- @tparam[opt] Model.WriteOptions options also `destroy`
-- @treturn integer how many links
function Association:removePost(post, options) end

--- Unlinks a list.
-- @tparam table posts list of instances and keys
-- @tparam[opt] Model.WriteOptions options also `destroy`
-- @treturn integer how many links
function Association:removePosts(posts, options) end

return Association
