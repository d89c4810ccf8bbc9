-- retry: the callback is run again after a conflict (contract, section 8).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  if engine.kind == "file" then
    describe("retry on " .. engine.name, function()
      local db, other, User, lock
      before_each(function()
        --- The first failure of db lets the other connection's lock go.
        local function unlock(_, info)
          if info.error and lock then
            lock:rollback()
            lock = nil
          end
        end
        db = engine:open{ busyTimeout = 10, logging = unlock }
        User = db:define("User", { name = liga.STRING }, { timestamps = false })
        db:sync()
        other = engine:reopen()
        lock = other:transaction()
        other:query("INSERT INTO \"Users\" (name) VALUES ('other')", { transaction = lock })
      end)
      after_each(function()
        other:close()
        db:close()
      end)

      it("runs the callback again when the database was locked", function()
        local runs = 0
        local result = db:transaction({ mode = "deferred", retry = 3 }, function()
          runs = runs + 1
          User:create{ name = "ann" }
          return "done"
        end)
        assert.equal("done", result)
        assert.equal(2, runs)
        assert.same({ "ann" }, support.pluck(User:findAll(), "name"))
      end)

      it("is not done without the option: the error says that it could be", function()
        local runs = 0
        local e = support.raises("TimeoutError", function()
          db:transaction({ mode = "deferred" }, function()
            runs = runs + 1
            User:create{ name = "ann" }
          end)
        end)
        assert.is_true(e.retryable)
        assert.equal(1, runs)
        assert.equal(0, User:count())
      end)

      it("is not done for other errors", function()
        local runs = 0
        local ok, e = pcall(db.transaction, db, { mode = "deferred", retry = 3 }, function()
          runs = runs + 1
          error("oops", 0)
        end)
        assert.is_false(ok)
        assert.equal("oops", e)
        assert.equal(1, runs)
        lock:rollback()
        lock = nil
      end)
    end)
  end
end
