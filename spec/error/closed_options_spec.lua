-- Every option table is closed: an unknown option is an error that names the nearest one (contract, section 1). There
-- is a line for every public call that takes options.
local liga = require "liga"
local support = require "spec.support"

--- The options that calls have, by groups.
local FIND = "where attributes include order limit offset group having distinct paranoid raw lock skipLocked lazy "
  .. "hooks rejectOnEmpty transaction logging searchPath"
local COUNT = "where include distinct paranoid group having transaction logging searchPath"
local ROW = "fields validate hooks silent returning transaction logging"
local MANY = "where all limit fields validate hooks individualHooks silent returning transaction logging"

--- Calls by name: what is called with options, and options that it has. `m` are the models and instances.
local CALLS = {
  { "liga.connect", function(_, o) liga.connect("sqlite::memory:", o) end,
    "logging define pool statementCache timeout connectTimeout wait busyPoll foreignKeys busyTimeout pragmas readOnly "
    .. "schema dates lazy hooks replication compat" },
  { "connect: pool", function(_, o) liga.connect("sqlite::memory:", { pool = o }) end, "max idle acquireTimeout" },
  { "connect: replication", function(_, o)
    o.write, o.read = "sqlite::memory:", { "sqlite::memory:" }
    liga.connect(nil, { replication = o })
  end, "write read sticky" },
  { "connect: define", function(_, o) liga.connect("sqlite::memory:", { define = o }) end,
    "underscored timestamps paranoid" },
  { "db:define", function(m, o) m.db:define("New", {}, o) end,
    "tableName freezeTableName underscored timestamps createdAt updatedAt deletedAt paranoid version indexes "
    .. "defaultScope scopes hooks methods validate lazy primaryKey name comment" },
  { "db:define: an attribute", function(m, o)
    o.type = liga.STRING
    m.db:define("New", { a = o })
  end, "type allowNull defaultValue primaryKey autoIncrement unique index columnName field references onDelete "
    .. "onUpdate deferrable comment validate get set values" },
  { "db:define: references", function(m, o)
    o.model = "User"
    m.db:define("New", { a = { type = liga.INTEGER, references = o } })
  end, "model table key" },
  { "db:define: an index", function(m, o)
    o.fields = { "a" }
    m.db:define("New", { a = liga.STRING }, { indexes = { o } })
  end, "fields unique name where using" },
  { "db:define: name", function(m, o) m.db:define("New", {}, { name = o }) end, "singular plural" },
  { "belongsTo", function(m, o) m.Post:belongsTo(m.User, o) end,
    "as foreignKey onDelete onUpdate constraints targetKey inverse hooks" },
  { "hasOne", function(m, o) m.User:hasOne(m.Post, o) end,
    "as foreignKey onDelete onUpdate constraints sourceKey inverse hooks scope where order dependent "
    .. "uniqueForeignKey" },
  { "hasMany", function(m, o) m.User:hasMany(m.Post, o) end,
    "as foreignKey onDelete onUpdate constraints sourceKey inverse hooks scope where order dependent through" },
  { "belongsToMany", function(m, o)
    o.through = "T"
    m.User:belongsToMany(m.Post, o)
  end, "as foreignKey otherKey onDelete onUpdate constraints sourceKey targetKey inverse hooks scope where order "
    .. "through throughAssociations" },
  { "belongsToMany: through", function(m, o)
    o.model = "T"
    m.User:belongsToMany(m.Post, { through = o })
  end, "model scope unique timestamps paranoid" },
  { "belongsToMany: inverse", function(m, o) m.User:belongsToMany(m.Post, { through = "T", inverse = o }) end,
    "as scope where order" },
  { "belongsTo: foreignKey", function(m, o)
    o.name = "k"
    m.Post:belongsTo(m.User, { as = "x", foreignKey = o })
  end, "name columnName type allowNull onDelete onUpdate deferrable constraints "
    .. "defaultValue unique index field comment values validate get set" },
  { "findAll", function(m, o) m.User:findAll(o) end, FIND },
  { "findOne", function(m, o) m.User:findOne(o) end, FIND },
  { "findByPk", function(m, o) m.User:findByPk(1, o) end, "attributes include paranoid raw lock rejectOnEmpty" },
  { "findByPks", function(m, o) m.User:findByPks({ 1 }, o) end, "attributes include paranoid raw" },
  { "findAndCountAll", function(m, o) m.User:findAndCountAll(o) end, FIND },
  { "count", function(m, o) m.User:count(o) end, COUNT .. " col" },
  { "sum", function(m, o) m.User:sum("age", o) end, COUNT },
  { "min", function(m, o) m.User:min("age", o) end, COUNT },
  { "max", function(m, o) m.User:max("age", o) end, COUNT },
  { "avg", function(m, o) m.User:avg("age", o) end, COUNT },
  { "exists", function(m, o) m.User:exists(o) end, "where include paranoid" },
  { "each", function(m, o) for _ in m.User:each(o) do error "reached" end end, "where batch order include" },
  { "page", function(m, o) m.User:page(o) end, "order size after before where include" },
  { "findOrBuild", function(m, o)
    o.where = { name = "x" }
    m.User:findOrBuild(o)
  end, "where defaults attributes" },
  { "findOrCreate", function(m, o)
    o.where = { name = "x" }
    m.User:findOrCreate(o)
  end, "where defaults fields validate silent" },
  { "explain", function(m, o) m.User:explain(o) end, FIND },
  { "an include", function(m, o)
    o.association = "posts"
    m.User:findAll{ include = { o } }
  end, "association as model attributes where required on order limit offset include paranoid separate strategy",
    "EagerLoadingError" },
  { "include: through", function(m, o)
    m.User:findAll{ include = { { association = "tags", through = o } } }
  end, "where attributes paranoid as", "EagerLoadingError" },
  { "db:preload", function(m, o) m.db:preload({ m.ann }, { "posts" }, o) end, "missing" },
  { "build", function(m, o) m.User:build({}, o) end, "include" },
  { "create", function(m, o) m.User:create({}, o) end, ROW .. " include ignoreDuplicates conflictFields" },
  { "bulkCreate", function(m, o) m.User:bulkCreate({ {} }, o) end,
    ROW .. " ignoreDuplicates updateOnDuplicate conflictFields conflictWhere include individualHooks" },
  { "upsert", function(m, o) m.User:upsert({ name = "x" }, o) end, "conflictFields fields validate hooks returning" },
  { "update", function(m, o)
    o.all = true
    m.User:update({ age = 1 }, o)
  end, MANY },
  { "destroy", function(m, o)
    o.all = true
    m.User:destroy(o)
  end, MANY .. " force truncate dependent" },
  { "restore", function(m, o)
    o.all = true
    m.Gone:restore(o)
  end, MANY },
  { "increment", function(m, o)
    o.all = true
    m.User:increment({ age = 1 }, o)
  end, MANY },
  { "decrement", function(m, o)
    o.all = true
    m.User:decrement({ age = 1 }, o)
  end, MANY },
  { "truncate", function(m, o) m.User:truncate(o) end, ROW .. " cascade restartIdentity individualHooks" },
  { "sync of a model", function(m, o) m.User:sync(o) end, "force alter dryRun match logging" },
  { "drop of a model", function(m, o) m.User:drop(o) end, "cascade logging transaction" },
  { "addScope", function(m, o) m.User:addScope("new", o) end, "where include order attributes limit" },
  { "addScope: its options", function(m, o) m.User:addScope("new", {}, o) end, "override" },
  { "save", function(m, o) m.ann:save(o) end, ROW },
  { "update of an instance", function(m, o) m.ann:update({ age = 1 }, o) end, ROW },
  { "destroy of an instance", function(m, o) m.ann:destroy(o) end, "force hooks transaction logging" },
  { "restore of an instance", function(m, o) m.gone:restore(o) end, "hooks transaction logging" },
  { "reload", function(m, o) m.ann:reload(o) end, "attributes include paranoid transaction" },
  { "load", function(m, o) m.ann:load("posts", o) end, "where order limit", "EagerLoadingError" },
  { "validate", function(m, o) m.ann:validate(o) end, "fields" },
  { "toTable", function(m, o) m.ann:toTable(o) end, "nulls" },
  { "get", function(m, o) m.ann:get(o) end, "plain" },
  { "increment of an instance", function(m, o) m.ann:increment("age", o) end, "by silent" },
  { "decrement of an instance", function(m, o) m.ann:decrement("age", o) end, "by silent" },
  { "getPosts", function(m, o) m.ann:getPosts(o) end, "where order limit offset attributes include scope batch" },
  { "countPosts", function(m, o) m.ann:countPosts(o) end, "where scope batch" },
  { "hasPost", function(m, o) m.ann:hasPost(1, o) end, "where scope" },
  { "hasPosts", function(m, o) m.ann:hasPosts({ 1 }, o) end, "exact where" },
  { "setPosts", function(m, o) m.ann:setPosts({}, o) end, "destroyPrevious hooks transaction logging" },
  { "addPost", function(m, o) m.ann:addPost(1, o) end, "hooks transaction logging" },
  { "addPosts", function(m, o) m.ann:addPosts({ 1 }, o) end, "hooks transaction logging" },
  { "removePost", function(m, o) m.ann:removePost(1, o) end, "destroy hooks transaction" },
  { "removePosts", function(m, o) m.ann:removePosts({ 1 }, o) end, "destroy hooks transaction" },
  { "createPost", function(m, o) m.ann:createPost({}, o) end, "fields hooks transaction" },
  { "getTags", function(m, o) m.ann:getTags(o) end, "where through joinTableAttributes" },
  { "getTags: through", function(m, o) m.ann:getTags{ through = o } end, "where attributes paranoid as" },
  { "addTag", function(m, o) m.ann:addTag(1, o) end, "through" },
  { "setTags", function(m, o) m.ann:setTags({}, o) end, "through" },
  { "getUser", function(m, o) m.post:getUser(o) end, "attributes include paranoid" },
  { "setUser", function(m, o) m.post:setUser(nil, o) end, "save hooks transaction" },
  { "createUser", function(m, o) m.post:createUser({}, o) end, "fields" },
  { "db:transaction", function(m, o) m.db:transaction(o, function() end) end,
    "isolation readOnly deferrable mode retry savepoint" },
  { "db:sync", function(m, o) m.db:sync(o) end, "force alter dryRun match logging" },
  { "db:drop", function(m, o) m.db:drop(o) end, "cascade logging" },
  { "db:query", function(m, o) m.db:query("SELECT 1", o) end,
    "bind replacements type model mapToModel nest raw multiple transaction" },
  { "db:reflect", function(m, o) m.db:reflect(o) end, "tables views naming" },
  { "liga.reflect.source", function(m, o) liga.reflect.source(m.db, o) end, "tables views naming" },
  { "DATE", function(_, o) liga.DATE(o) end, "stored" },
}

--- Those of the query interface.
local QUERY_INTERFACE = {
  createTable = { { "new", { id = liga.INTEGER } }, "indexes uniqueKeys comment transaction" },
  dropTable = { { "Users" }, "cascade transaction" },
  dropAllTables = { {}, "skip transaction" },
  renameTable = { { "Users", "People" }, "transaction logging" },
  tableExists = { { "Users" }, "transaction logging" },
  showAllTables = { {}, "transaction logging" },
  describeTable = { { "Users" }, "transaction logging" },
  addColumn = { { "Users", "x", liga.STRING }, "transaction logging" },
  removeColumn = { { "Users", "age" }, "transaction logging" },
  changeColumn = { { "Users", "age", liga.BIGINT }, "transaction logging" },
  renameColumn = { { "Users", "age", "years" }, "transaction logging" },
  addIndex = { { "Users", { "age" } }, "name unique where using transaction" },
  removeIndex = { { "Users", { "age" } }, "transaction logging" },
  showIndexes = { { "Users" }, "transaction logging" },
  addConstraint = { { "Users" }, "fields type name references onDelete onUpdate deferrable where" },
  removeConstraint = { { "Users", "x" }, "transaction logging" },
  showConstraints = { { "Users" }, "transaction logging" },
  createSchema = { { "s" }, "transaction logging" },
  dropSchema = { { "s" }, "cascade transaction" },
  disableForeignKeyConstraints = { {}, "transaction logging" },
  enableForeignKeyConstraints = { {}, "transaction logging" },
  resetSequence = { { "Users", 5 }, "transaction logging" },
  bulkInsert = { { "Users", {} }, "transaction logging" },
}
for name, call in pairs(QUERY_INTERFACE) do
  CALLS[#CALLS + 1] = { "q:" .. name, function(m, o)
    local q = m.db:queryInterface()
    local arguments = table.pack(table.unpack(call[1]))
    arguments[arguments.n + 1] = o
    q[name](q, table.unpack(arguments, 1, arguments.n + 1))
  end, call[2] }
end

--- Sequelize's options that liga does without: where, which, and what the message points to.
local POINTERS = {
  { "liga.connect", "dialect", "URL" }, { "liga.connect", "dialectOptions", "URL" },
  { "liga.connect", "sync", "db:sync" },
  { "liga.connect", "retry", "db:transaction" }, { "liga.connect", "timezone", "UTC" },
  { "liga.connect", "keepDefaultTimezone", "UTC" }, { "liga.connect", "quoteIdentifiers", "always quoted" },
  { "liga.connect", "typeValidation", "always checked" }, { "liga.connect", "omitNull", "what was changed" },
  { "liga.connect", "disableClsTransactions", "coroutine" },
  { "liga.connect", "defaultTransactionNestMode", "savepoint" },
  { "connect: pool", "acquire", "acquireTimeout" }, { "connect: pool", "maxUses", "idle" },
  { "db:define", "modelName", "first argument" }, { "db:define", "noPrimaryKey", "primaryKey = false" },
  { "db:define", "uniqueKeys", "indexes" }, { "db:define", "instanceMethods", "methods" },
  { "db:define", "classMethods", "function User:" }, { "db:define", "getterMethods", "get" },
  { "db:define", "setterMethods", "set" }, { "db:define", "omitNull", "what was changed" },
  { "db:define", "engine", "MySQL" }, { "db:define: an attribute", "fieldName", "key" },
  { "db:define: an attribute", "autoIncrementIdentity", "autoIncrement" },
  { "hasMany", "keyType", "foreignKey" }, { "belongsToMany", "uniqueKey", "through" },
  { "findAll", "plain", "findOne" }, { "findAll", "right", "the other model" }, { "findAll", "or", "Op.or_" },
  { "findAll", "nest", "raw = true" }, { "findAll", "scope", "Model:scope" }, { "findAll", "schema", "model" },
  { "create", "isNewRecord", "build" }, { "create", "raw", "setters" }, { "save", "skip", "fields" },
  { "bulkCreate", "conflictAttributes", "conflictFields" },
}

--- What is not there by a typing slip: a letter too many, two letters changed.
local function misspelt(name)
  return { name .. "x", (name:gsub("^(.)(.)", "%2%1")) }
end

--- Whether a message names the option beside the wrong one, by itself or in the list of all there are.
local function names_nearest(message, wrong, name)
  return (message:gsub('"' .. wrong .. '"', "", 1)):find("%f[%w]" .. name .. "%f[%W]") ~= nil
end

--- What the query interface looks up before it has read its options is no harm.
local function is_lookup(sql)
  return sql:find "sqlite_schema" or sql:find "pg_" or sql:find "^PRAGMA"
end

local MANNERS = {
  ["as they are"] = {},
  ["with hooks and scopes"] = { hooks = { beforeFind = function() end }, defaultScope = { where = { age = 1 } } },
}

for engine in support.engines() do
  for manner, behaviour in pairs(MANNERS) do
    describe(("an unknown option on %s, models %s,"):format(engine.name, manner), function()
      local db, log, m

      local function define(name, options)
        for key, value in pairs(behaviour) do options[key] = value end
        return db:define(name, { name = liga.STRING, age = liga.INTEGER }, options)
      end

      before_each(function()
        log = support.log()
        db = engine:open{ logging = log.record }
        m = { db = db, User = define("User", {}), Post = define("Post", {}), Tag = define("Tag", {}),
          Gone = define("Gone", { paranoid = true }) }
        m.User:hasMany(m.Post)
        m.User:belongsToMany(m.Tag, { through = "UserTags" })
        db:sync()
        m.ann = m.User:create{ name = "ann", age = 1 }
        m.post, m.gone = m.ann:createPost{ name = "a" }, m.Gone:create{ name = "g" }
        log:clear()
      end)
      after_each(function() db:close() end)

      for _, call in ipairs(CALLS) do
        it("of " .. call[1] .. " is refused and told its nearest", function()
          for name in call[3]:gmatch "%a+" do
            for _, wrong in ipairs(misspelt(name)) do
              local e = support.raises(call[4] or "UsageError", function() call[2](m, { [wrong] = 1 }) end, wrong)
              assert.is_true(names_nearest(e.message, wrong, name), wrong .. ": " .. e.message)
            end
          end
          for _, sql in ipairs(log:statements()) do assert.is_truthy(is_lookup(sql), sql) end
        end)
      end
    end)
  end

  describe("an option of Sequelize's on " .. engine.name, function()
    local calls = {}
    for _, call in ipairs(CALLS) do calls[call[1]] = call[2] end

    it("that is not liga's is refused with a pointer to what is", function()
      local db <close> = engine:open()
      local m = { db = db, User = db:define("User", {}), Post = db:define("Post", {}) }
      db:sync()
      m.ann = m.User:create{}
      for _, pointer in ipairs(POINTERS) do
        local name, option, there = table.unpack(pointer)
        support.raises("UsageError", function() calls[name](m, { [option] = 1 }) end, option, there)
      end
    end)
  end)

  describe("an unknown option on " .. engine.name, function()
    it("is told with its path", function()
      local db <close> = engine:open()
      local User, Tag = db:define("User", { name = liga.STRING }), db:define("Tag", {})
      local wrong = {
        ["pool.mx"] = function() liga.connect("sqlite::memory:", { pool = { mx = 1 } }) end,
        ["replication.raed"] = function() liga.connect(nil, { replication = { raed = {} } }) end,
        ["name.singlar"] = function() db:define("A", {}, { name = { singlar = "a" } }) end,
        ["indexes[1].uniqe"] = function()
          db:define("B", { x = liga.INTEGER }, { indexes = { { fields = { "x" }, uniqe = true } } })
        end,
        ["references.tabel"] = function()
          db:define("C", { x = { type = liga.INTEGER, references = { tabel = "Users" } } })
        end,
        ["foreignKey.nmae"] = function() User:belongsTo(Tag, { foreignKey = { nmae = "x" } }) end,
        ["inverse.sa"] = function() User:hasMany(Tag, { inverse = { sa = "x" } }) end,
        ["through.modle"] = function() User:belongsToMany(Tag, { through = { modle = "x" } }) end,
        ["wher"] = function() User:findAll{ wher = {} } end,
      }
      for path, call in pairs(wrong) do assert.equal(path, support.raises("UsageError", call).path) end
    end)

    it("is refused whatever its key is", function()
      local log = support.log()
      local db <close> = engine:open{ logging = log.record }
      local User = db:define("User", { name = liga.STRING })
      for _, key in ipairs { 1, 1.5, true, liga.Op.gt, "where\0", "" } do
        support.raises("UsageError", function() User:findAll{ [key] = 1 } end)
      end
      assert.same({}, log:statements())
    end)
  end)
end
