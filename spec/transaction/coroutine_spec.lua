-- A transaction belongs to the coroutine that began it (contract, section 8).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a transaction and coroutines on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    --- Runs a function in a coroutine of its own, to its end.
    local function aside(f)
      local ok, result = coroutine.resume(coroutine.create(f))
      if not ok then error(result, 0) end
      return result
    end

    it("is not current in another coroutine", function()
      db:transaction(function()
        aside(function() assert.is_nil(db:currentTransaction()) end)
      end)
    end)

    it("is current in a coroutine made by wrap", function()
      db:transaction(function(t)
        t:wrap(function()
          assert.equal(t, db:currentTransaction())
          User:create{ name = "ann" }
        end)()
        assert.equal(1, User:count())
      end)
      assert.equal(1, User:count())
    end)

    it("wraps like coroutine.wrap: values go in and out", function()
      db:transaction(function(t)
        local step = t:wrap(function(a, b)
          local c = coroutine.yield(a + b)
          return c, User:count()
        end)
        assert.equal(3, step(1, 2))
        local c, count = step("c")
        assert.equal("c", c)
        assert.equal(0, count)
      end)
    end)

    it("wraps like coroutine.wrap: errors come out as the same value", function()
      local oops = {}
      db:transaction(function(t)
        local ok, e = pcall(t:wrap(function() error(oops) end))
        assert.is_false(ok)
        assert.equal(oops, e)
      end)
    end)

    it("can be given to a call in another coroutine", function()
      db:transaction(function(t)
        aside(function() User:create({ name = "ann" }, { transaction = t }) end)
        assert.equal(1, User:count())
      end)
    end)

    it("may yield in the middle", function()
      local work = coroutine.wrap(function()
        return db:transaction(function()
          User:create{ name = "ann" }
          local name = coroutine.yield("waiting")
          User:create{ name = name }
          return "done"
        end)
      end)
      assert.equal("waiting", work())
      assert.equal("done", work("bob"))
      assert.equal(2, User:count())
    end)

    it("is rolled back when its coroutine is closed", function()
      local work = coroutine.create(function()
        db:transaction(function()
          User:create{ name = "ann" }
          coroutine.yield()
        end)
      end)
      assert.is_true(coroutine.resume(work))
      assert.is_true(coroutine.close(work))
      assert.equal(0, User:count())
      User:create{ name = "bob" }
      assert.equal(1, User:count())
    end)

    if engine.kind == "memory" then
      it("makes a call of another coroutine raise at once: it could only wait for itself", function()
        db:transaction(function()
          support.raises("UsageError", function()
            aside(function() User:count() end)
          end, "transaction")
          User:create{ name = "ann" }
        end)
        assert.equal(1, User:count())
      end)
    end

    if engine.kind == "file" then
      it("lets another coroutine read what was committed", function()
        db:transaction(function()
          User:create{ name = "ann" }
          assert.equal(0, aside(function() return User:count() end))
          assert.equal(1, User:count())
        end)
      end)

      it("makes a write of another coroutine raise at once: it could only wait for itself", function()
        db:transaction(function()
          User:create{ name = "ann" }
          support.raises("UsageError", function()
            aside(function() User:create{ name = "bob" } end)
          end, "transaction")
        end)
        assert.equal(1, User:count())
      end)

      it("can be open in several coroutines at once", function()
        local function reader()
          return coroutine.wrap(function()
            db:transaction({ mode = "deferred" }, function()
              coroutine.yield(User:count())
              coroutine.yield(User:count())
            end)
          end)
        end
        User:create{ name = "ann" }
        local a, b = reader(), reader()
        assert.same({ 1, 1, 1, 1 }, { a(), b(), a(), b() })
        a()
        b()
        User:create{ name = "bob" }
        assert.equal(2, User:count())
      end)

      it("is undone by the garbage collector when its coroutine is dropped", function()
        local work = coroutine.wrap(function()
          db:transaction(function()
            User:create{ name = "ann" }
            coroutine.yield()
          end)
        end)
        work()
        work = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        assert.equal(0, User:count())
        User:create{ name = "bob" }
        assert.equal(1, User:count())
      end)
    end
  end)
end
