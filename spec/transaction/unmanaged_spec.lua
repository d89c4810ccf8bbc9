-- local t <close> = db:transaction(), and savepoint objects (contract, section 8).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("an unmanaged transaction on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    local function create(name, t) return User:create({ name = name }, { transaction = t }) end
    local function names() return support.sorted(User:findAll(), "name") end

    it("keeps what was done when it is committed", function()
      local t <close> = db:transaction()
      create("ann", t)
      assert.is_false(t:isFinished())
      t:commit()
      assert.is_true(t:isFinished())
      assert.same({ "ann" }, names())
    end)

    it("undoes what was done when it is rolled back", function()
      local t <close> = db:transaction()
      create("ann", t)
      t:rollback()
      assert.is_true(t:isFinished())
      assert.same({}, names())
    end)

    it("is rolled back when it leaves its scope uncommitted", function()
      local escaped
      do
        local t <close> = db:transaction()
        create("ann", t)
        escaped = t
      end
      assert.is_true(escaped:isFinished())
      assert.same({}, names())
    end)

    it("is rolled back when an error leaves its scope", function()
      local ok, e = pcall(function()
        local t <close> = db:transaction()
        create("ann", t)
        error("oops", 0)
      end)
      assert.is_false(ok)
      assert.equal("oops", e)
      assert.same({}, names())
    end)

    it("takes every kind of call by the option transaction", function()
      local t <close> = db:transaction()
      local o = { transaction = t }
      local ann = create("ann", t)
      ann.name = "anna"
      ann:save(o)
      ann:update({ name = "annie" }, o)
      User:bulkCreate({ { name = "bob" }, { name = "cid" } }, o)
      User:update({ name = "carl" }, { where = { name = "cid" }, transaction = t })
      User:destroy{ where = { name = "bob" }, transaction = t }
      assert.equal(2, User:count(o))
      assert.equal("annie", ann:reload(o).name)
      assert.equal("annie", User:findByPk(ann.id, o).name)
      assert.equal(2, #User:findAll(o))
      assert.equal(2, #db:query('SELECT * FROM "Users"', o))
      t:rollback()
      assert.same({}, names())
    end)

    it("refuses work after its end", function()
      local t <close> = db:transaction()
      t:commit()
      support.raises("UsageError", function() t:commit() end)
      support.raises("UsageError", function() t:rollback() end)
      support.raises("UsageError", function() t:savepoint("a") end)
      support.raises("UsageError", function() create("ann", t) end)
      assert.same({}, names())
    end)

    it("refuses what is no transaction", function()
      for _, wrong in ipairs { {}, "t", true, 5 } do
        support.raises("UsageError", function() create("ann", wrong) end, "transaction")
      end
    end)

    it("takes the options of a transaction", function()
      local t <close> = db:transaction{ isolation = "serializable" }
      create("ann", t)
      t:commit()
      assert.same({ "ann" }, names())
      support.raises("UsageError", function()
        db:transaction{ isolatoin = "serializable" }
      end, "isolatoin", "isolation")
    end)

    if engine.kind == "memory" then
      it("owns the only connection: calls without it raise at once", function()
        local t <close> = db:transaction()
        support.raises("UsageError", function() User:count() end, "transaction")
        support.raises("UsageError", function() User:create{ name = "ann" } end, "transaction")
        t:rollback()
        assert.equal(0, User:count())
      end)
    end
  end)

  describe("a savepoint on " .. engine.name, function()
    local db, User, t
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      t = db:transaction()
    end)
    after_each(function()
      if not t:isFinished() then t:rollback() end
      db:close()
    end)

    local function create(name) return User:create({ name = name }, { transaction = t }) end
    local function committed()
      t:commit()
      return support.sorted(User:findAll(), "name")
    end

    it("undoes what was done since, and only that", function()
      create("ann")
      local point = t:savepoint("before bob")
      create("bob")
      point:rollback()
      create("cid")
      assert.same({ "ann", "cid" }, committed())
    end)

    it("keeps what was done since when it is released", function()
      local point = t:savepoint("a")
      create("ann")
      point:release()
      assert.same({ "ann" }, committed())
    end)

    it("is released when a <close> variable leaves its scope", function()
      do
        local point <close> = t:savepoint("a") -- luacheck: ignore
        create("ann")
      end
      assert.same({ "ann" }, committed())
    end)

    it("is rolled back when an error leaves the scope of its <close> variable", function()
      create("ann")
      local ok, e = pcall(function()
        local point <close> = t:savepoint("a") -- luacheck: ignore
        create("bob")
        error("oops", 0)
      end)
      assert.is_false(ok)
      assert.equal("oops", e)
      assert.same({ "ann" }, committed())
    end)

    it("may have any name", function()
      local point = t:savepoint([[a"; DROP TABLE "Users"; --]])
      create("ann")
      point:rollback()
      assert.same({}, committed())
    end)

    it("is ended in order: the inner one first", function()
      local outer, inner = t:savepoint("outer"), t:savepoint("inner")
      support.raises("UsageError", function() outer:release() end)
      inner:release()
      outer:release()
    end)

    it("is over with its transaction", function()
      local point = t:savepoint("a")
      t:rollback()
      support.raises("UsageError", function() point:release() end)
      support.raises("UsageError", function() point:rollback() end)
    end)
  end)
end
