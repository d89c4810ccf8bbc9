-- afterCommit and afterRollback (contract, section 8).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the callbacks of a transaction on " .. engine.name, function()
    local db, User, calls
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      calls = {}
    end)
    after_each(function() db:close() end)

    local function note(word) return function() calls[#calls + 1] = word end end

    it("afterCommit runs when the rows are there", function()
      db:transaction(function(t)
        t:afterCommit(function() calls[#calls + 1] = User:count() end)
        t:afterRollback(note "rolled back")
        User:create{ name = "ann" }
        assert.same({}, calls)
      end)
      assert.same({ 1 }, calls)
    end)

    it("afterRollback runs when the rows are gone", function()
      pcall(db.transaction, db, function(t)
        t:afterCommit(note "committed")
        t:afterRollback(function() calls[#calls + 1] = User:count() end)
        User:create{ name = "ann" }
        error("oops")
      end)
      assert.same({ 0 }, calls)
    end)

    it("run outside the transaction", function()
      local current = "unset"
      db:transaction(function(t)
        t:afterCommit(function() current = db:currentTransaction() end)
      end)
      assert.is_nil(current)
    end)

    it("of a nested transaction wait for the outermost one", function()
      db:transaction(function()
        db:transaction(function(inner) inner:afterCommit(note "inner") end)
        assert.same({}, calls)
      end)
      assert.same({ "inner" }, calls)
    end)

    it("of a nested transaction that was rolled back are dropped", function()
      db:transaction(function(t)
        pcall(db.transaction, db, function(inner)
          inner:afterCommit(note "inner")
          error("oops")
        end)
        t:afterCommit(note "outer")
      end)
      assert.same({ "outer" }, calls)
    end)

    it("of a nested transaction are dropped when the outer one is rolled back", function()
      pcall(db.transaction, db, function()
        db:transaction(function(inner) inner:afterCommit(note "inner") end)
        error("oops")
      end)
      assert.same({}, calls)
    end)

    it("run for an unmanaged transaction too", function()
      local t <close> = db:transaction()
      t:afterCommit(note "committed")
      t:commit()
      local u <close> = db:transaction()
      u:afterRollback(note "rolled back")
      u:rollback()
      assert.same({ "committed", "rolled back" }, calls)
    end)

    it("run once", function()
      db:transaction(function(t) t:afterCommit(note "first") end)
      db:transaction(function() end)
      assert.same({ "first" }, calls)
    end)

    it("are functions", function()
      db:transaction(function(t)
        support.raises("UsageError", function() t:afterCommit("later") end)
        support.raises("UsageError", function() t:afterRollback(nil) end)
      end)
    end)
  end)
end
