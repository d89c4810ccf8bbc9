local liga = require "liga"
local support = require "spec.support"
for engine in support.engines() do
  describe("probe " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
    end)
    after_each(function() pcall(db.close, db) end)

    it("error inside a plain coroutine rolls back at once", function()
      local co = coroutine.create(function()
        db:transaction(function() User:create{ name = "ann" } error("oops") end)
      end)
      assert.is_false(coroutine.resume(co))
      assert.equal(0, User:count())
      User:create{ name = "bob" }
      assert.equal(1, User:count())
      assert.is_truthy(co)
    end)
    it("error of a nested transaction inside a wrapped coroutine undoes its work", function()
      db:transaction(function(t)
        local f = t:wrap(function() db:transaction(function() User:create{ name = "lost" } error({}) end) end)
        assert.is_false((pcall(f)))
        User:create{ name = "kept" }
      end)
      assert.same({ "kept" }, support.pluck(User:findAll(), "name"))
    end)
    it("deferred constraint at commit in a coroutine", function()
      local Post = db:define("Post", { userId = { type = liga.BIGINT, references = User, deferrable = "deferred" } })
      db:sync()
      local co = coroutine.create(function() db:transaction(function() Post:create{ userId = 99 } end) end)
      local ok, e = coroutine.resume(co)
      assert.is_false(ok)
      assert.equal("ForeignKeyConstraintError", e.name)
      assert.equal("rolled_back", e.outcome)
      assert.equal(0, Post:count())
    end)
    it("retry does not run the body again for an error in afterCommit", function()
      local runs = 0
      pcall(db.transaction, db, { retry = 3 }, function(t)
        runs = runs + 1
        t:afterCommit(function()
          local _, e = pcall(db.model, db, "X")
          e.retryable = true
          error(e)
        end)
      end)
      assert.equal(1, runs)
    end)
    it("afterRollback of a nested transaction runs when the outermost has ended", function()
      local calls = {}
      db:transaction(function()
        pcall(db.transaction, db, function(inner)
          inner:afterRollback(function() calls[#calls + 1] = "inner" end)
          error("oops")
        end)
        assert.same({}, calls)
      end)
      assert.same({ "inner" }, calls)
    end)
    it("afterRollback of a nested one is dropped when the outer rolls back", function()
      local calls = {}
      pcall(db.transaction, db, function(t)
        t:afterRollback(function() calls[#calls + 1] = "outer" end)
        db:transaction(function(inner) inner:afterRollback(function() calls[#calls + 1] = "inner" end) end)
        error("oops")
      end)
      assert.same({ "outer" }, calls)
    end)
    it("findByPks with attributes", function()
      User:bulkCreate{ { name = "a" }, { name = "b" } }
      assert.same({ "b", "a" }, support.pluck(User:findByPks({ 2, 1 }, { attributes = { "name" } }), "name"))
    end)
    it("findByPks with raw, where, order forms", function()
      User:bulkCreate{ { name = "a" }, { name = "b" }, { name = "c" } }
      assert.same({ "c", "a" }, support.pluck(User:findByPks({ "3", 9, 1 }, { raw = true }), "name"))
      assert.same({ "b" }, support.pluck(User:findByPks({ 3, 2 }, { where = { name = "b" } }), "name"))
    end)
    it("thousands of composite keys", function()
      local Stock = db:define("Stock", { a = { type = liga.INTEGER, primaryKey = true },
        b = { type = liga.INTEGER, primaryKey = true } }, { timestamps = false })
      db:sync()
      local rows, keys = {}, {}
      for i = 1, 3000 do rows[i] = { a = i, b = i } keys[i] = { i, i } end
      Stock:bulkCreate(rows)
      assert.equal(3000, #Stock:findByPks(keys))
      assert.equal(3000, Stock:count{ where = Stock:keys(keys) })
      assert.equal(0, Stock:count{ where = Stock:keys{} })
      assert.equal(0, Stock:destroy{ where = Stock:keys{} })
      local n = 0
      for row in Stock:each{ batch = 7 } do n = n + 1 assert.equal(n, row.a) end
      assert.equal(3000, n)
    end)
    it("each in mixed orders with NULLs is what findAll gives", function()
      local names = { "x", "y", "z" }
      for i = 1, 40 do User:create{ name = i % 4 > 0 and names[i % 4] or nil, age = i % 7 > 1 and i % 7 or nil } end
      local orders = { "name", "-name", { "age", "-name" }, { { "name", "DESC" }, "age" }, { "-age", "-name", "-id" },
        { { "name", "ASC NULLS FIRST" }, { "age", "DESC NULLS LAST" } },
        { { "age", "nulls  first" }, { "id", "desc" } } }
      for _, order in ipairs(orders) do
        local full = type(order) == "string" and { order } or { table.unpack(order) }
        full[#full + 1] = "id"
        local expected = support.pluck(User:findAll{ order = full }, "id")
        for _, batch in ipairs{ 1, 3, 40, 100 } do
          local got = {}
          for u in User:each{ order = order, batch = batch } do got[#got + 1] = u.id end
          assert.same(expected, got)
        end
      end
    end)
    it("each with limit, offset, attributes, where expression", function()
      for i = 1, 10 do User:create{ name = "n" .. i, age = i } end
      local got = {}
      for u in User:each{ batch = 3, limit = 7 } do got[#got + 1] = u.id end
      assert.same({ 1, 2, 3, 4, 5, 6, 7 }, got)
      got = {}
      for u in User:each{ batch = 3, attributes = { "name" } } do got[#got + 1] = u.name end
      assert.equal(10, #got)
      got = {}
      for u in User:each{ batch = 2, where = liga.literal("age > 5") } do got[#got + 1] = u.id end
      assert.same({ 6, 7, 8, 9, 10 }, got)
    end)
    it("equality after close", function()
      local a, b = User:create{ name = "a" }, User:create{ name = "b" }
      db:close()
      assert.is_false(a == b)
      assert.is_true(a == a)
    end)
    it("dependents in circles", function()
      local Node = db:define("Node", {}, { timestamps = false })
      Node:hasMany(Node, { as = "children", foreignKey = "parentId", constraints = false, dependent = "delete",
        inverse = { as = "parent" } })
      db:sync()
      local a, b = Node:create{}, Node:create{}
      a:update{ parentId = b.id }
      b:update{ parentId = a.id }
      Node:create{ parentId = b.id }
      local other = Node:create{}
      local ok, e = pcall(a.destroy, a)
      assert.is_true(ok, tostring(e))
      assert.same({ other.id }, support.pluck(Node:findAll(), "id"))
    end)
    it("dependents of thousands, with limit", function()
      local Post = db:define("Post", {}, { timestamps = false })
      User:hasMany(Post, { dependent = "delete", constraints = false })
      db:sync()
      local users, posts = {}, {}
      for i = 1, 2500 do users[i], posts[i] = { name = "u" .. (2501 - i) }, { userId = i } end
      User:bulkCreate(users)
      Post:bulkCreate(posts)
      assert.equal(10, User:destroy{ all = true, limit = 10 })
      assert.equal(2490, Post:count())
      assert.equal(0, Post:count{ where = { userId = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } } })
      assert.equal(2490, User:destroy{ all = true })
      assert.equal(0, Post:count())
    end)
    it("wrong self of transactions", function()
      local t <close> = db:transaction()
      for _, m in ipairs{ "commit", "rollback", "isFinished", "savepoint", "wrap", "afterCommit", "afterRollback" } do
        local ok, e = pcall(t[m])
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError"), m .. tostring(e))
      end
      t:rollback()
    end)
    it("nested unmanaged left open", function()
      local ok, e = pcall(db.transaction, db, function(t)
        User:create{ name = "a" }
        db:transaction{ transaction = t }
      end)
      assert.is_false(ok)
      assert.is_true(liga.isError(e, "UsageError"), tostring(e))
      assert.equal(0, User:count())
    end)
    it("match that is no pattern", function()
      support.raises("UsageError", function() db:sync{ match = "[" } end, "match")
    end)
    it("update with wrong options", function()
      local a = User:create{ name = "a" }
      support.raises("UsageError", function() a:update({ name = "b" }, "x") end)
    end)
    it("toTable of a value that contains itself", function()
      local a = User:create{ name = "a" }
      a._self = a
      a.age = a
      support.raises("UsageError", function() a:toTable() end)
    end)
    it("sums up a closed coroutine in a nested transaction", function()
      db:transaction(function(t)
        local co = coroutine.create(function()
          db:transaction({ transaction = t }, function() User:create{ name = "lost" } coroutine.yield() end)
        end)
        assert(coroutine.resume(co))
        coroutine.close(co)
        User:create{ name = "kept" }
      end)
      assert.same({ "kept" }, support.pluck(User:findAll(), "name"))
    end)
    it("transaction left in a coroutine by yield in callback code of afterCommit", function()
      local co = coroutine.wrap(function()
        db:transaction(function(t) t:afterCommit(function() coroutine.yield("in") end) end)
        return "out"
      end)
      assert.equal("in", co())
      assert.equal(0, User:count())
      assert.equal("out", co())
    end)
  end)
end
for engine in support.engines() do
  describe("probe dependents " .. engine.name, function()
    it("does not touch other rows of a source whose key was not read", function()
      local db <close> = engine:open()
      local User = db:define("User", {
        code = { type = liga.STRING, unique = true }, name = liga.STRING,
      }, { timestamps = false })
      local Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      User:hasMany(Post, { dependent = "delete", sourceKey = "code", foreignKey = "userCode", constraints = false })
      db:sync()
      User:create{ code = "a", name = "ann" }
      Post:bulkCreate{ { title = "ann's", userCode = "a" }, { title = "orphan" } }
      local ann = User:findOne{ attributes = { "id", "name" } }
      ann:destroy()
      assert.same({ "orphan" }, support.pluck(Post:findAll(), "title"))
    end)
    it("goes by the stored key of an instance whose key was changed", function()
      local db <close> = engine:open()
      local User = db:define("User", { name = liga.STRING }, { timestamps = false })
      local Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      User:hasMany(Post, { dependent = "delete", constraints = false })
      db:sync()
      local a, b = User:create{}, User:create{}
      Post:bulkCreate{ { title = "a", userId = a.id }, { title = "b", userId = b.id } }
      a.id = b.id
      a:destroy()
      assert.same({ "b" }, support.pluck(Post:findAll(), "title"))
      assert.same({ b.id }, support.pluck(User:findAll(), "id"))
    end)
    it("takes a tree of three levels by transaction option, with restrict first", function()
      local db <close> = engine:open()
      local A = db:define("A", {}, { timestamps = false })
      local B = db:define("B", {}, { timestamps = false })
      local C = db:define("C", {}, { timestamps = false })
      A:hasMany(B, { dependent = "delete", constraints = false })
      B:hasMany(C, { dependent = "nullify", constraints = false })
      db:sync()
      local a = A:create{}
      local b = B:create{ aId = a.id }
      C:create{ bId = b.id }
      do
        local t <close> = db:transaction()
        a:destroy{ transaction = t }
        assert.equal(0, B:count{ transaction = t })
        t:rollback()
      end
      assert.equal(1, B:count())
      assert.equal(1, A:destroy{ all = true })
      assert.equal(0, B:count())
      assert.is_nil(C:findOne().bId)
    end)
  end)
end
