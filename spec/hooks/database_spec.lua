-- Hooks of declarations, schema and connections: Define, Associate, Sync, BulkSync, Connect, Disconnect, Query.
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the hooks of a connection on " .. engine.name, function()
    local db, ran
    before_each(function() db, ran = engine:open(), {} end)
    after_each(function() db:close() end)

    local function hook(word) return function() ran[#ran + 1] = word end end

    it("see models being defined, and may change what is declared", function()
      db:beforeDefine(function(attributes, options, name)
        attributes.tenant = liga.INTEGER
        options.timestamps = false
        ran[#ran + 1] = name
      end)
      db:afterDefine(function(model) ran[#ran + 1] = model end)
      local attributes = { name = liga.STRING }
      local User = db:define("User", attributes)
      assert.equal("User", ran[1])
      assert.is_true(rawequal(User, ran[2]))
      assert.is_table(User.attributes.tenant)
      assert.is_nil(User.attributes.createdAt)
      assert.is_nil(attributes.tenant)
    end)

    it("see associations that ask for it", function()
      local User, Post = db:define("User", {}), db:define("Post", {})
      local seen = {}
      for _, moment in ipairs { "before", "after" } do
        db:addHook(moment .. "Associate", function(subject)
          seen[#seen + 1] = ("%s %s %s %s"):format(moment, subject.source.name, subject.type,
            tostring(subject.implicit))
          if moment == "after" and not subject.implicit then ran = subject end
        end)
      end
      User:hasMany(Post)
      assert.same({}, seen)
      local posts = User:hasMany(Post, { as = "drafts", foreignKey = "drafterId", inverse = "drafter", hooks = true })
      assert.same({
        "before User hasMany false", "before Post belongsTo true", "after Post belongsTo true",
        "after User hasMany false",
      }, seen)
      assert.is_true(rawequal(posts, ran.association))
      assert.is_true(rawequal(Post, ran.target))
      assert.equal("drafts", ran.options.as)
      support.raises("AssociationError", function() User:hasOne(Post, { as = "x", hooks = 1 }) end, "hooks")
    end)

    it("stop an association where they fail", function()
      local User, Post = db:define("User", {}), db:define("Post", {})
      local oops = {}
      User:beforeAssociate(function() error(oops) end)
      local ok, e = pcall(User.hasMany, User, Post, { hooks = true })
      assert.is_false(ok)
      assert.equal(oops, e)
      assert.is_nil(User.associations.posts)
    end)

    it("after a declaration take it back where they fail", function()
      local User, Post = db:define("User", {}), db:define("Post", {})
      local oops = {}
      local function fails() error(oops) end
      local function refused(declare, ...)
        local ok, e = pcall(declare, ...)
        assert.same({ false, true }, { ok, rawequal(oops, e) })
      end
      User:addHook("afterAssociate", "fails", fails)
      refused(User.hasMany, User, Post, { hooks = true })
      assert.same({}, { User.associations.posts, Post.associations.user, Post.attributes.userId })
      User:removeHook("afterAssociate", "fails")
      assert.equal("posts", User:hasMany(Post, { hooks = true }).as)
      db:addHook("afterDefine", "fails", fails)
      refused(db.define, db, "Tag", { name = liga.STRING })
      assert.is_nil(db.models.Tag)
      db:removeHook("afterDefine", "fails")
      local Tag = db:define("Tag", { text = liga.STRING })
      db:sync()
      assert.equal("a", Tag:create { text = "a" }.text)
    end)

    it("run around sync", function()
      local User = db:define("User", {})
      db:define("Post", {})
      db:addHook("beforeBulkSync", hook "beforeBulk")
      db:addHook("afterBulkSync", hook "afterBulk")
      User:beforeSync(hook "before User")
      db:afterSync(hook "after")
      db:sync()
      assert.same({ "beforeBulk", "before User", "after", "after", "afterBulk" }, ran)
      assert.equal(0, User:count())
      ran = {}
      User:sync()
      assert.same({ "before User", "after" }, ran)
      ran = {}
      db:sync { hooks = false }
      db:sync { dryRun = true }
      assert.same({}, ran)
    end)

    it("take a sync back where they fail", function()
      local User = db:define("User", {})
      User:afterSync(function() error "no" end)
      assert.is_false(pcall(db.sync, db))
      support.raises("DatabaseError", function() User:count() end)
    end)

    it("see every statement, before and after", function()
      local User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      local before, after = {}, {}
      db:beforeQuery(function(query) before[#before + 1] = query end)
      db:afterQuery(function(query) after[#after + 1] = query end)
      User:create { name = "ann" }
      assert.equal(1, #before)
      assert.is_truthy(before[1].sql:find("INSERT", 1, true))
      assert.same({ "ann" }, before[1].params)
      assert.same({ "query", "User" }, { before[1].kind, before[1].model })
      assert.equal(before[1].sql, after[1].sql)
      assert.is_number(after[1].ms)
      db:transaction({ savepoint = false }, function() User:count() end)
      assert.same({ "transaction", "query", "transaction" }, { before[2].kind, before[3].kind, before[4].kind })
      assert.equal(4, #after)
      pcall(db.query, db, "SELECT nothing FROM nowhere")
      assert.is_table(after[#after].error)
      assert.equal(1, #User:bulkCreate { { name = "eva" } })
    end)

    it("keep a statement from being sent where they fail", function()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      local oops = {}
      db:addHook("beforeQuery", "guard", function(query) if query.sql:find "INSERT" then error(oops) end end)
      local ok, e = pcall(User.bulkCreate, User, { { name = "ann" }, { name = "eva" } })
      assert.is_false(ok)
      assert.equal(oops, e)
      assert.equal(0, User:count())
      db:removeHook("beforeQuery", "guard")
      User:create { name = "ann" }
      assert.equal(1, User:count())
    end)

    it("change nothing in a statement once they see it", function()
      local User = db:define("User", { name = liga.TEXT }, { timestamps = false })
      db:sync()
      local users, names = {}, {}
      for i = 1, 3 do
        names[i] = ("a long name that only this instance holds %d "):format(i):rep(4)
        users[i] = User:build { name = ("a long name that only this instance holds %d "):format(i):rep(4) }
      end
      db:beforeQuery(function(query)
        if not query.sql:find "INSERT" then return end
        query.params = nil
        for _, user in ipairs(users) do user.name = nil end
        collectgarbage()
        collectgarbage()
        local others = {}
        for i = 1, 1000 do others[i] = ("x"):rep(#names[1] - 4) .. 1000 + i end
        assert(#others == 1000)
      end)
      User:bulkCreate(users)
      db:removeHook "beforeQuery"
      local stored = {}
      for i, row in ipairs(User:findAll { order = "id", raw = true }) do stored[i] = row.name end
      assert.same(names, stored)
    end)

    it("may declare associations meanwhile, as many as the calls that are running have room for", function()
      local User = db:define("User", { name = liga.TEXT }, { timestamps = false })
      local Team = db:define("Team", {}, { timestamps = false })
      db:sync()
      local declared, refusal = 0, nil
      local function declare()
        User:belongsTo(Team, { as = "team" .. declared, inverse = { as = "users" .. declared } })
        declared = declared + 1
      end
      db:beforeQuery(function()
        for _ = 1, refusal and 0 or 100 do
          local ok, e = pcall(declare)
          if not ok then refusal = e break end
        end
      end)
      local ann = User:create { name = "ann" }
      assert.is_true(declared >= 8)
      assert.is_true(liga.isError(refusal, "UsageError"))
      local words = ("User.team%dId: no more attributes can be declared"):format(declared)
      assert.is_truthy(refusal.message:find(words, 1, true))
      assert.is_nil(User.attributes["team" .. declared .. "Id"])
      db:removeHook "beforeQuery"
      assert.same({ "ann", false }, { ann.name, ann:isNew() })
      declare()
      db:sync { alter = true }
      ann:setTeam0(Team:create {})
      assert.equal(1, User:findByPk(ann.id).team0Id)
    end)

    it("see the statements of a transaction each once, in the order in which they are sent", function()
      local User = db:define("User", { name = liga.STRING }, { timestamps = false })
      local Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      User:hasMany(Post)
      db:sync()
      local before, after = {}, {}
      local function word(query) return query.sql:match "^%a+" end
      db:beforeQuery(function(query) before[#before + 1] = word(query) end)
      db:afterQuery(function(query) after[#after + 1] = word(query) end)
      local ann = db:transaction(function() return User:create { name = "ann" } end)
      local guarded, plain = { "BEGIN", "SAVEPOINT", "INSERT", "RELEASE", "COMMIT" }, { "BEGIN", "INSERT", "COMMIT" }
      assert.same(engine.kind == "server" and guarded or plain, before)
      assert.same(before, after)
      local rows, count = User:findAndCountAll { include = "posts" }
      assert.same({ "ann", 1, 0 }, { rows[1].name, count, #rows[1].posts })
      assert.is_not_nil(ann:createPost { title = "a" }.id)
      ann:setPosts { Post:build { title = "b" }, Post:build { title = "c" } }
      assert.equal(3, Post:count())
      assert.same(before, after)
      assert.is_nil(db:currentTransaction())
      db:transaction(function() ann:destroy() end)
      assert.equal(0, User:count())
    end)

    it("roll back where they fail before the end of a transaction", function()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      local oops = {}
      local function create() User:bulkCreate { { name = "ann" }, { id = 7 }, { name = "eva" } } end
      local function fails(command, ...)
        db:addHook("beforeQuery", "guard", function(query) if query.sql:find("^" .. command) then error(oops) end end)
        local ok, e = pcall(...)
        assert.same({ false, true }, { ok, rawequal(oops, e) })
        db:removeHook("beforeQuery", "guard")
        assert.equal(0, User:count())
      end
      fails("COMMIT", create)
      fails("COMMIT", db.transaction, db, create)
      fails("RELEASE", db.transaction, db, create)
      db:transaction(function() fails("RELEASE", create) end)
      create()
      assert.equal(3, User:count())
    end)

    it("may yield while a statement waits", function()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      db:beforeQuery(function() coroutine.yield "now" end)
      local create = coroutine.wrap(function() return User:create { name = "ann" } end)
      assert.equal("now", create())
      assert.equal("ann", create().name)
      db:removeHook "beforeQuery"
      assert.equal(1, User:count())
    end)

    it("see connections come and go", function()
      local other = engine:reopen {
        hooks = {
          beforeConnect = hook "connecting", afterConnect = hook "connected",
          beforeDisconnect = hook "closing", afterDisconnect = hook "closed",
        },
      }
      assert.same({ "connecting", "connected" }, ran)
      other:query "SELECT 1"
      other:close()
      assert.same({ "connecting", "connected", "closing", "closed" }, ran)
    end)

    it("see further connections of the pool", function()
      if engine.kind == "memory" then return end
      db:afterConnect(hook "connected")
      local t <close> = db:transaction()
      db:query("SELECT 1", { transaction = t })
      assert.same({}, ran)
      db:query "SELECT 1"
      assert.same({ "connected" }, ran)
    end)

    it("see connections that the pool closes as they were idle, before the next call sends anything", function()
      if engine.kind == "memory" then return end
      db:close()
      db = engine:open { pool = { idle = 20 } }
      db:afterConnect(hook "connected")
      db:beforeDisconnect(hook "closing")
      db:afterDisconnect(hook "closed")
      db:beforeQuery(hook "query")
      do
        local t <close> = db:transaction()
        db:query("SELECT 1", { transaction = t })
        db:query "SELECT 1"
      end
      local from = os.clock()
      while os.clock() - from < 0.05 do end
      ran = {}
      db:ping()
      assert.same({ "closing", "closed", "query" }, ran)
      db:ping()
      assert.equal(4, #ran)
      db:removeHook "beforeQuery"
      db:close()
      assert.same({ "closing", "closed" }, { ran[5], ran[6] })
      db = engine:open()
    end)

    it("stop a call that hears of a closed connection where they fail, once", function()
      if engine.kind == "memory" then return end
      db:close()
      db = engine:open { pool = { idle = 20 } }
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      do
        local t <close> = db:transaction()
        User:count { transaction = t }
        User:count()
      end
      local from, oops = os.clock(), {}
      db:addHook("afterDisconnect", "fails", function() error(oops) end)
      while os.clock() - from < 0.05 do end
      local ok, e = pcall(User.create, User, { name = "ann" })
      assert.same({ false, true }, { ok, rawequal(oops, e) })
      User:create { name = "eva" }
      db:removeHook("afterDisconnect", "fails")
      assert.same({ "eva" }, support.pluck(User:findAll(), "name"))
    end)

    it("keep from connecting where they fail", function()
      local oops = {}
      local ok, e = pcall(engine.reopen, engine, { hooks = { beforeConnect = function() error(oops) end } })
      assert.is_false(ok)
      assert.equal(oops, e)
    end)
  end)
end
