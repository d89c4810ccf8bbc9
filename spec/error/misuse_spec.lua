-- Use after close, wrong self, objects of another connection: a clear error, never a crash (contract, section 11).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("misuse on " .. engine.name, function()
    local function open()
      local db = engine:open()
      local User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      return db, User
    end

    it("after close is refused by everything that needs the database", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      db:close()
      for name, call in pairs {
        query = function() db:query("SELECT 1") end,
        ping = function() db:ping() end,
        sync = function() db:sync() end,
        transaction = function() db:transaction(function() end) end,
        findAll = function() User:findAll() end,
        findByPk = function() User:findByPk(1) end,
        count = function() User:count() end,
        create = function() User:create{ name = "bob" } end,
        bulkCreate = function() User:bulkCreate{ { name = "bob" } } end,
        update = function() User:update({ name = "x" }, { all = true }) end,
        destroy = function() ann:destroy() end,
        reload = function() ann:reload() end,
      } do
        local ok, e = pcall(call)
        assert.is_false(ok, name)
        assert.is_true(liga.isError(e, "UsageError"), name .. ": " .. tostring(e))
      end
    end)

    it("after close leaves instances readable", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      db:close()
      assert.equal("ann", ann.name)
      assert.is_string(tostring(ann))
      assert.is_string(tostring(User))
    end)

    it("of a save after close is refused", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      db:close()
      ann.name = "anna"
      support.raises("UsageError", function() ann:save() end)
    end)

    it("of a transaction after close is no crash", function()
      local db = open()
      local t = db:transaction()
      pcall(db.close, db)
      for _, method in ipairs { "commit", "rollback", "savepoint", "isFinished" } do pcall(t[method], t, "a") end
      pcall(db.close, db)
    end)

    it("of an iterator after close ends with an error or at once", function()
      local db, User = open()
      User:bulkCreate{ { name = "ann" }, { name = "bob" }, { name = "cid" } }
      local seen = 0
      local ok, e = pcall(function()
        for _ in User:each{ batch = 1 } do
          seen = seen + 1
          if seen == 1 then db:close() end
        end
      end)
      assert.is_true(ok or liga.isError(e), tostring(e))
      assert.is_true(seen <= 3)
      pcall(db.close, db)
    end)

    it("by a dot instead of a colon is refused", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      for name, call in pairs {
        query = function() db.query("SELECT 1") end,
        close = function() db.close() end,
        define = function() db.define("Post", {}) end,
        transaction = function() db.transaction(function() end) end,
        findAll = function() User.findAll() end,
        findByPk = function() User.findByPk(1) end,
        create = function() User.create{ name = "bob" } end,
        save = function() ann.save() end,
        update = function() ann.update{ name = "anna" } end,
        toTable = function() ann.toTable() end,
      } do
        local ok, e = pcall(call)
        assert.is_false(ok, name)
        assert.is_true(liga.isError(e, "UsageError"), name .. ": " .. tostring(e))
      end
      assert.equal(1, User:count())
      db:close()
    end)

    it("of a method on a foreign value is refused", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      for _, foreign in ipairs { 5, "text", {}, io.stdout, coroutine.create(print), liga.null, db, User } do
        local ok, e = pcall(ann.save, foreign)
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError"), tostring(e))
      end
      for _, foreign in ipairs { 5, "text", {}, io.stdout, liga.null, ann } do
        local ok, e = pcall(db.query, foreign, "SELECT 1")
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError"), tostring(e))
        ok, e = pcall(User.findAll, foreign)
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError"), tostring(e))
      end
      db:close()
    end)

    it("of an object that has only borrowed a metatable is refused", function()
      local db, User = open()
      local t = db:transaction()
      local false_db, false_t = setmetatable({}, getmetatable(db)), setmetatable({}, getmetatable(t))
      t:rollback()
      for _, body in ipairs {
        function() false_db:query "SELECT 1" end, function() false_db:close() end, function() false_t:commit() end,
        function() false_t:rollback() end, function() false_t:savepoint() end,
        function() User:findAll { transaction = false_t } end,
        function() db:transaction({ transaction = false_t }, print) end,
      } do
        support.raises("UsageError", body)
      end
      assert.is_string(tostring(false_db))
      assert.is_string(tostring(false_t))
      assert.is_string(tostring(setmetatable({}, liga.Error)))
      db:close()
    end)

    it("of a model of another connection is refused", function()
      local db, User = open()
      local other <close> = liga.connect("sqlite::memory:")
      local Post = other:define("Post", { title = liga.STRING })
      local ok, e = pcall(User.hasMany, User, Post)
      assert.is_false(ok)
      assert.is_true(liga.isError(e, "UsageError") or liga.isError(e, "AssociationError"), tostring(e))
      support.raises("UsageError", function() db:query("SELECT 1", { model = Post, mapToModel = true }) end)
      db:close()
    end)

    it("of a transaction of another connection is refused", function()
      local db, User = open()
      local other <close> = liga.connect("sqlite::memory:")
      local t <close> = other:transaction()
      support.raises("UsageError", function() User:create({ name = "ann" }, { transaction = t }) end, "transaction")
      support.raises("UsageError", function() User:findAll{ transaction = t } end, "transaction")
      assert.equal(0, User:count())
      db:close()
    end)

    it("of finalizers is no crash", function()
      local db, User = open()
      local ann = User:create{ name = "ann" }
      for _, object in ipairs { db, User, ann } do
        local mt = getmetatable(object)
        for _, event in ipairs { "__gc", "__close", "__index", "__tostring", "__eq" } do
          local f = type(mt) == "table" and rawget(mt, event)
          if type(f) == "function" then
            pcall(f)
            pcall(f, nil)
            pcall(f, {})
            pcall(f, io.stdout)
          end
        end
      end
      assert.equal(1, User:count())
      db:close()
    end)

    it("of a finaliser runs, whatever it comes in between", function()
      local db, User = open()
      local ann, stopped, counted = User:create{ name = "ann" }, false, 0
      local function arm()
        setmetatable({}, { __gc = function()
          if stopped then return end
          local ok, count = pcall(User.count, User)
          if ok then counted = count == 1 and counted and counted + 1 end
          arm()
        end })
      end
      collectgarbage("incremental", 10, 400, 4)
      arm()
      for _ = 1, 3000 do
        ann:reload()
        User:findByPks{}
      end
      stopped = true
      collectgarbage("incremental", 200, 100, 13)
      assert.is_true(counted and counted > 0)
      db:close()
    end)

    -- It closes no variables, and somebody may keep the coroutine to look at it.
    describe("that ends a coroutine by an error", function()
      local db, User, kept
      local failing = false
      local function fail() if failing then error "boom" end end

      before_each(function()
        db = engine:open()
        User = db:define("User", {
          name = liga.STRING, kind = { type = liga.STRING, defaultValue = function() fail() return "plain" end },
        }, { timestamps = false })
        User:hasMany(db:define("Post", { text = liga.STRING }, { timestamps = false }))
        db:sync()
        User:create { name = "ann" }
        failing = true
      end)

      local function die(body)
        kept = coroutine.create(body)
        local ok, problem = coroutine.resume(kept)
        assert.is_false(ok)
        assert.is_truthy(tostring(problem):find("boom", 1, true))
        failing = false
      end

      for name, case in pairs {
        ["a default function"] = { "default", function() User:create { name = "bob" } end },
        ["a hook after a find"] = { "afterFind", function() User:findAll() end },
        ["a hook of the connection"] = { "beforeQuery", function() User:findAll() end },
        ["a hook of a write"] = { "afterCreate", function() User:create { name = "bob", kind = "x" } end },
        ["a transaction"] = { "none", function() db:transaction(function() User:create { kind = "x" } fail() end) end },
      } do
        it("in " .. name .. " leaves the connection free, and the database can be closed", function()
          local event = case[1]
          if event == "beforeQuery" then db:addHook(event, fail)
          elseif event:find "^after" then User:addHook(event, fail) end
          die(case[2])
          assert.equal(1, User:count())
          db:close()
        end)
      end

      it("leaves what was to be saved as unsaved as before", function()
        local Post = db:model "Post"
        Post:beforeCreate(fail)
        local bob = User:build({ name = "bob", kind = "x", posts = { { text = "one" } } }, { include = "posts" })
        die(function() bob:save() end)
        assert.is_true(bob:isNew())
        bob:save()
        assert.equal(1, bob:countPosts())
        local post = Post:build { text = "two" }
        failing = true
        die(function() bob:addPost(post) end)
        assert.is_true(post:isNew())
        bob:addPost(post)
        assert.equal(2, bob:countPosts())
        db:close()
      end)
    end)

    it("of the garbage: connections that are dropped without close are no crash", function()
      for _ = 1, 5 do
        do
          local _, User = open()
          User:create{ name = "ann" }
        end
        collectgarbage()
        collectgarbage()
      end
    end)
  end)
end
