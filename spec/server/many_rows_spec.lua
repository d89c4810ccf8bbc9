-- bulkCreate of many rows on a server: many statements are on their way at once, and still each is one of its own.
local liga = require "liga"
local loops = require "spec.support.loop"
local support = require "spec.support"
local raises = support.raises

--- A trigger of the table on INSERT.
local function on_insert(db, when, body)
  db:query(("CREATE OR REPLACE FUNCTION inserted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$")
    :format(body))
  db:query(("CREATE TRIGGER inserted %s EXECUTE FUNCTION inserted()"):format(when))
end

local function takes(db, seconds)
  on_insert(db, "AFTER INSERT ON notes FOR EACH STATEMENT", ("PERFORM pg_sleep(%s); RETURN NULL;"):format(seconds))
end

local function rows(count)
  local list = {}
  for i = 1, count do list[i] = { text = "note " .. i } end
  return list
end

for engine in support.engines() do
  if engine.kind == "server" then
    describe("many rows on " .. engine.name, function()
      local db, Note
      local function open(given)
        db = engine:open(given)
        Note = db:define("Note", { text = liga.TEXT }, { timestamps = false, tableName = "notes" })
        db:sync()
      end
      after_each(function()
        db:query "DROP FUNCTION IF EXISTS inserted CASCADE"
        db:close()
      end)

      for how, stored in pairs{ commit = 45000, rollback = 0 } do
        it("keep their transaction until they are stored, whoever calls " .. how, function()
          local loop = loops.plain()
          open{ wait = loop.wait, pool = { max = 1 } }
          takes(db, 0.005)
          local transaction, answered, state = nil, 0, nil
          loop.run(function()
            transaction = db:transaction()
            local function count() answered = answered + 1 end
            Note:bulkCreate(rows(45000), { transaction = transaction, logging = count })
          end, function()
            while answered < 25 do loop.wait(nil, nil, 0.001) end
            state = transaction[1]:state()
            transaction[how](transaction)
          end)
          assert.equal("open", state)
          loop.run(function() Note:create{ text = "behind" } end)
          local other <close> = engine:reopen()
          assert.equal(stored + 1, other:query("SELECT count(*) AS n FROM notes")[1].n)
        end)
      end

      it("are given up with a coroutine that nobody has any more, and with its transaction", function()
        local loop = loops.plain()
        open{ wait = loop.wait, pool = { max = 1 } }
        for _ = 1, 3 do
          local answered = 0
          local function left()
            local transaction = db:transaction()
            local function count() answered = answered + 1 end
            Note:bulkCreate(rows(30000), { transaction = transaction, logging = count })
          end
          local thread = coroutine.create(left)
          repeat assert(coroutine.resume(thread)) until answered >= 5
          thread = nil                                          -- luacheck: ignore
          assert.equal(0, Note:count())
        end
      end)

      it("may take a timeout each, and not all together", function()
        open{ timeout = 300 }
        takes(db, 0.05)
        assert.equal(15000, #Note:bulkCreate(rows(15000)))
      end)

      it("say it when one of them takes too long", function()
        open{ timeout = 200 }
        on_insert(db, "BEFORE INSERT ON notes FOR EACH ROW", [[
          IF NEW.text = 'note 25500' THEN PERFORM pg_sleep(5); END IF; RETURN NEW;]])
        local e = raises("TimeoutError", function() Note:bulkCreate(rows(30000)) end, "200 ms")
        assert.equal("rolled_back", e.outcome)
        assert.equal(0, Note:count())
      end)

      it("are gone when the connection is lost before COMMIT was sent", function()
        open()
        on_insert(db, "BEFORE INSERT ON notes FOR EACH ROW", [[
          IF NEW.text = 'note 25500' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW;]])
        local e = raises("ConnectionError", function() Note:bulkCreate(rows(100000)) end)
        assert.equal("rolled_back", e.outcome)
        assert.equal(0, Note:count())
      end)

      it("tell a logger the time of each", function()
        open()
        takes(db, 0.01)
        local told = 0
        Note:bulkCreate(rows(20000), { logging = function(_, info) told = told + info.ms end })
        assert.is_true(told < 2000, told)                   -- 20 times 10 ms, and what the inserts take
      end)

      describe("that a trigger leaves out", function()
        before_each(function()
          open()
          on_insert(db, "BEFORE INSERT ON notes FOR EACH ROW", [[
            IF NEW.text = 'note 3' THEN RETURN NULL; END IF; RETURN NEW;]])
        end)

        it("are an error, as nobody knows whose keys came back", function()
          local e = raises("DatabaseError", function() Note:bulkCreate(rows(45000)) end, "1 of 1000 rows")
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end)

        for _, count in ipairs{ 5, 1000, 2500 } do
          it(("are one behind the end of a statement or transaction: %d rows"):format(count), function()
            local e = raises("DatabaseError", function() Note:bulkCreate(rows(count)) end,
              "1 of " .. math.min(count, 1000))
            assert.equal("committed", e.outcome)
            assert.equal(count - 1, Note:count())
          end)

          it(("leave the transaction around alone: %d rows"):format(count), function()
            db:transaction(function()
              Note:create{ text = "kept" }
              local e = raises("DatabaseError", function() Note:bulkCreate(rows(count)) end)
              assert.equal("none", e.outcome)
              assert.equal(count, Note:count())
            end)
            assert.equal(count, Note:count())
          end)
        end

        it("are undone in a transaction around, if more are to come", function()
          db:transaction(function()
            Note:create{ text = "kept" }
            local e = raises("DatabaseError", function() Note:bulkCreate(rows(45000)) end)
            assert.equal("rolled_back", e.outcome)
            assert.equal(1, Note:count())
          end)
          assert.equal(1, Note:count())
        end)
      end)
    end)
  end
end
