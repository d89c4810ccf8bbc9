-- liga.connect(url, {wait = ...}): several coroutines share the time in which the server works (contract, section 1).
local liga = require "liga"
local loops = require "spec.support.loop"
local support = require "spec.support"
local raises = support.raises

--- Runs both queries at once and says whether the server saw them overlap.
local function overlap(db, loop)
  local spans = {}
  local function nap()
    local rows = db:query [[SELECT clock_timestamp() AS "from", pg_sleep(0.15), clock_timestamp() AS "to"]]
    spans[#spans + 1] = rows[1]
  end
  loop.run(nap, nap)
  local first, second = spans[1], spans[2]
  return first.from < second.to and second.from < first.to
end

for engine in support.engines() do
  if engine.kind == "server" then
    for name, new_loop in pairs(loops) do
      local loop = new_loop()
      describe(("an event loop of %s on %s"):format(name, engine.name), function()
        if not loop then
          it("can't be tried", function() pending "the module cqueues is not installed" end)
          return
        end
        local db, Note
        before_each(function()
          db = engine:open { wait = loop.wait, pool = { max = 3 } }
          Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
          db:sync()
        end)
        after_each(function() db:close() end)

        it("lets two queries run at the same time, by the server's clock", function()
          assert.is_true(overlap(db, loop))
        end)

        it("serves everything else as before", function()
          loop.run(function()
            local note = Note:create { text = "one" }
            note:update { text = "two" }
            assert.equal("two", Note:findByPk(note.id).text)
            Note:bulkCreate { { text = "a" }, { text = "b" } }
            assert.equal(3, Note:count())
          end)
        end)

        it("keeps transactions of different coroutines apart", function()
          local seen, started = {}, 0
          local function meet(count)
            started = started + 1
            while started < count do loop.wait(nil, nil, 0.001) end
          end
          local function work(text, fails)
            return function()
              pcall(db.transaction, db, function()
                Note:create { text = text }
                meet(2)
                seen[text] = Note:count()
                meet(4)
                if fails then error "no" end
              end)
            end
          end
          loop.run(work("kept"), work("dropped", true))
          assert.same({ kept = 1, dropped = 1 }, seen)
          assert.same({ "kept" }, support.pluck(Note:findAll(), "text"))
        end)

        it("queues who finds no free connection, in order", function()
          local narrow <close> = engine:reopen { wait = loop.wait, pool = { max = 1 } }
          local came, served, jobs = {}, {}, {}
          for i = 1, 8 do
            jobs[i] = function()
              came[#came + 1] = i
              narrow:query "SELECT pg_sleep(0.01)"
              served[#served + 1] = i
            end
          end
          loop.run(table.unpack(jobs))
          assert.equal(8, #served)
          assert.same(came, served)
        end)

        it("gives up after acquireTimeout", function()
          local narrow <close> = engine:reopen { wait = loop.wait, pool = { max = 1, acquireTimeout = 50 } }
          local started = false
          loop.run(function()
            started = true
            narrow:query "SELECT pg_sleep(0.3)"
          end, function()
            while not started do loop.wait(nil, nil, 0.001) end
            raises("TimeoutError", function() narrow:query "SELECT 1" end, "50 ms")
          end)
          assert.equal(1, narrow:query("SELECT 1 AS one")[1].one)
        end)

        it("takes turns where several coroutines use one transaction", function()
          local t
          local function add(text)
            return function()
              while not t do loop.wait(nil, nil, 0.001) end
              Note:create({ text = text }, { transaction = t })
            end
          end
          loop.run(function() t = db:transaction() end, add "a", add "b", add "c")
          assert.equal(3, Note:count { transaction = t })
          assert.equal(0, Note:count())
          t:rollback()
          assert.equal(0, Note:count())
        end)

        it("raises errors where the query was made", function()
          loop.run(function()
            raises("DatabaseError", function() db:query "SELECT no_such_column" end)
            assert.equal(1, db:query("SELECT 1 AS one")[1].one)
          end)
        end)

        it("works outside of coroutines too: liga waits by itself", function()
          assert.equal(1, db:query("SELECT 1 AS one")[1].one)
        end)

        it("names {transaction = t} to a coroutine that would wait for itself", function()
          local narrow <close> = engine:reopen { wait = loop.wait, pool = { max = 1 } }
          loop.run(function()
            local t <close> = narrow:transaction()
            raises("UsageError", function() narrow:query "SELECT 1" end, "transaction = t")
            t:rollback()
          end)
        end)
      end)
    end

    describe("waiting on " .. engine.name, function()
      local db
      after_each(function() db:close() end)

      it("closes the connection of a coroutine that is closed, and goes on with another", function()
        db = engine:open { wait = function(...) coroutine.yield(...) return true end, pool = { max = 1 } }
        local before = db:query("SELECT pg_backend_pid() AS pid")[1].pid
        local waiting = coroutine.create(function() db:query "SELECT pg_sleep(5)" end)
        coroutine.resume(waiting)
        coroutine.close(waiting)
        assert.are_not.equal(before, db:query("SELECT pg_backend_pid() AS pid")[1].pid)
      end)

      it("for a connection is not held up by a coroutine that was dropped while it waited", function()
        local wait = function(...) coroutine.yield(...) return true end
        db = engine:open { wait = wait, pool = { max = 1, acquireTimeout = 3000 } }
        local clock <close> = engine:reopen()
        local t = db:transaction()
        local before, count = coroutine.create(function() db:query "SELECT 1" end), nil
        coroutine.resume(before)
        local behind = coroutine.create(function() count = #db:query("SELECT 1") end)
        coroutine.resume(behind)
        collectgarbage "stop"
        before = nil            -- luacheck: ignore before
        t:rollback()
        while coroutine.status(behind) ~= "dead" do
          local _, _, _, seconds = coroutine.resume(behind)
          if seconds then clock:query("SELECT pg_sleep($1)", { bind = { seconds } }) end
        end
        collectgarbage "restart"
        assert.equal(1, count)
      end)

      it("passes an error of the wait function on; a write's outcome is unknown", function()
        local fail = false
        db = engine:open { wait = function() if fail then error "the loop is gone" end return true end }
        db:query "CREATE TABLE notes (text text)"
        coroutine.wrap(function()
          fail = true
          local fine, problem = pcall(db.query, db, "INSERT INTO notes SELECT 'x' FROM pg_sleep(0.1)")
          fail = false
          assert.is_false(fine)
          assert.is_truthy(tostring(problem):find("the loop is gone", 1, true))
          assert.equal(1, db:query("SELECT 1 AS one")[1].one)
        end)()
      end)

      it("closes the connection after such an error also where it ends the coroutine", function()
        local fail = true
        local function wait() if fail then error "the loop is gone" end return true end
        db = engine:open { wait = wait, pool = { max = 1 } }
        local before = db:query("SELECT pg_backend_pid() AS pid")[1].pid
        local kept = coroutine.create(function() db:query "SELECT pg_sleep(0.2)" end)   -- not answered at once
        assert.is_false((coroutine.resume(kept)))
        fail = false
        assert.are_not.equal(before, db:query("SELECT pg_backend_pid() AS pid")[1].pid)
        assert.equal("dead", coroutine.status(kept))
      end)

      it("hands descriptor, mode and seconds to the wait function, and a plain pause for the pool", function()
        local calls = {}
        db = engine:open { wait = function(fd, mode, seconds)
          calls[#calls + 1] = { fd = fd, mode = mode, seconds = seconds }
          coroutine.yield()
          return true
        end, pool = { max = 1 }, timeout = 5000 }
        loops.plain().run(function() db:query "SELECT pg_sleep(0.05)" end, function() db:query "SELECT 1" end)
        local pauses, waits = 0, 0
        for _, call in ipairs(calls) do
          if call.fd then
            waits = waits + 1
            assert.equal("integer", math.type(call.fd))
            assert.is_truthy(call.mode == "r" or call.mode == "w" or call.mode == "rw")
            assert.is_true(call.seconds > 0 and call.seconds < 10)
          else
            pauses = pauses + 1
            assert.is_true(call.seconds >= 0)
          end
        end
        assert.is_true(waits > 0 and pauses > 0)
      end)
    end)
  end
end

-- An SQLite database has nothing to wait for but its pool.
for engine in support.engines() do
  if engine.dialect == "sqlite" then
    describe("an event loop on " .. engine.name, function()
      it("serves who waits for a connection", function()
        local loop = loops.plain()
        local db <close> = engine:open { wait = loop.wait, pool = { max = 1 } }
        local Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
        db:sync()
        local counts = {}
        loop.run(function()
          db:transaction(function()
            Note:create { text = "one" }
            loop.wait()
            Note:create { text = "two" }
          end)
        end, function()
          Note:create { text = "three" }
          counts[#counts + 1] = Note:count()
        end)
        assert.equal(3, Note:count())
      end)
    end)
  end
end
