-- The connections behind one db object (contract, sections 1 and 8).
local liga = require "liga"
local support = require "spec.support"

local function note_model(db) return db:define("Note", { text = liga.TEXT }, { timestamps = false }) end

for engine in support.engines() do
  describe("the pool on " .. engine.name, function()
    it("names the nearest pool option for one it does not know", function()
      support.raises("UsageError", function() engine:reopen{ pool = { maxx = 5 } } end, "maxx", "max")
    end)

    it("refuses a size that is no positive integer", function()
      support.raises("UsageError", function() engine:reopen{ pool = { max = 0 } } end, "max")
      support.raises("UsageError", function() engine:reopen{ pool = { max = "five" } } end, "max")
    end)

    it("serves call after call from one connection", function()
      local db <close> = engine:open{ pool = { max = 1 } }
      local Note = note_model(db)
      db:sync()
      for i = 1, 20 do Note:create{ text = tostring(i) } end
      assert.equal(20, Note:count())
    end)

    it("gives the connection back after an error", function()
      local db <close> = engine:open{ pool = { max = 1 } }
      for _ = 1, 5 do
        support.raises("DatabaseError", function() db:query("SELECT * FROM no_such_table") end)
      end
      assert.equal(1, db:query("SELECT 1 AS one")[1].one)
    end)

    it("gives the connection back when a loop over each is left early", function()
      local db <close> = engine:open{ pool = { max = 1 } }
      local Note = note_model(db)
      db:sync()
      Note:bulkCreate{ { text = "a" }, { text = "b" }, { text = "c" } }
      for _ = 1, 5 do
        for note in Note:each{ batch = 1 } do
          if note.text == "a" then break end
        end
      end
      assert.equal(3, Note:count())
    end)
  end)

  if engine.kind == "memory" then
    describe("the pool of a memory database", function()
      it("is exactly one connection, whatever is asked for", function()
        local db <close> = engine:open{ pool = { max = 5, idle = 1 } }
        local Note = note_model(db)
        db:sync()
        Note:create{ text = "kept" }
        local stop = os.clock() + 0.01
        repeat until os.clock() > stop
        assert.equal(1, Note:count())
      end)
    end)
  end

  if engine.kind == "file" then
    describe("the pool of a database file", function()
      local db, Note
      before_each(function()
        db = engine:open{ pool = { max = 2 } }
        Note = note_model(db)
        db:sync()
      end)
      after_each(function() db:close() end)

      it("reads outside an open transaction what was committed", function()
        local t <close> = db:transaction()
        Note:create({ text = "draft" }, { transaction = t })
        assert.equal(1, Note:count{ transaction = t })
        assert.equal(0, Note:count())
        t:commit()
        assert.equal(1, Note:count())
      end)

      it("says at once that all connections are taken, as nobody could give one back", function()
        local a <close> = db:transaction{ mode = "deferred" }
        local b <close> = db:transaction{ mode = "deferred" }
        assert.equal(0, Note:count{ transaction = a })
        assert.equal(0, Note:count{ transaction = b })
        support.raises("UsageError", function() Note:count() end, "transaction")
        a:rollback()
        assert.equal(0, Note:count())
      end)

      it("says at once that a write would wait for the db's own write transaction", function()
        local t <close> = db:transaction()
        Note:create({ text = "first" }, { transaction = t })
        support.raises("UsageError", function() Note:create{ text = "second" } end, "transaction")
        t:commit()
        Note:create{ text = "second" }
        assert.equal(2, Note:count())
      end)
    end)
  end
end
