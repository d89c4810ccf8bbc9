-- db:transaction(function(t) ... end): commit, rollback, nesting (contract, section 8).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a managed transaction on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = { type = liga.STRING, unique = true }, age = liga.INTEGER },
        { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function() db:close() end)

    local function names() return support.sorted(User:findAll(), "name") end

    it("commits what its function did", function()
      db:transaction(function()
        User:create{ name = "ann" }
        User:create{ name = "bob" }
      end)
      assert.same({ "ann", "bob" }, names())
    end)

    it("gives writes what the database computed for them", function()
      local ann = User:create{ name = "ann", age = 1 }
      db:transaction(function()
        assert.equal(2, ann:increment("age").age)
        assert.equal(1, (User:update({ age = 5 }, { all = true, returning = true })))
      end)
      assert.equal(5, User:findByPk(ann.id).age)
    end)

    it("passes the results of its function through", function()
      local a, b, c = db:transaction(function() return 1, nil, "three" end)
      assert.equal(1, a)
      assert.is_nil(b)
      assert.equal("three", c)
      assert.equal(0, select("#", db:transaction(function() end)))
    end)

    it("is used by every call inside, without an option", function()
      db:transaction({ savepoint = false }, function()
        User:create{ name = "ann" }
        assert.equal(1, User:count())
        assert.equal(1, #db:query('SELECT * FROM "Users"'))
      end)
      local control = log:statements("transaction")
      assert.equal(2, #control)
      assert.is_truthy(control[1]:upper():find("^BEGIN"))
      assert.is_truthy(control[2]:upper():find("^COMMIT"))
    end)

    it("rolls back and raises the same error again, whatever value it is", function()
      for _, value in ipairs { "plain text", 42, { code = 7 }, true, print } do
        local ok, e = pcall(db.transaction, db, function()
          User:create{ name = "ann" }
          error(value, 0)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(value, e))
        assert.equal(0, User:count())
      end
    end)

    it("raises nil again where nil was raised", function()
      local ok, e = pcall(db.transaction, db, function()
        User:create{ name = "ann" }
        error(nil)
      end)
      assert.is_false(ok)
      assert.is_nil(e)
      assert.equal(0, User:count())
    end)

    it("rolls back on an error of the database", function()
      support.raises("UniqueConstraintError", function()
        db:transaction(function()
          User:create{ name = "ann" }
          User:create{ name = "ann" }
        end)
      end)
      assert.same({}, names())
    end)

    it("stays usable after a constraint error that was caught", function()
      db:transaction(function()
        User:create{ name = "ann" }
        support.raises("UniqueConstraintError", function() User:create{ name = "ann" } end)
        User:create{ name = "bob" }
      end)
      assert.same({ "ann", "bob" }, names())
    end)

    it("keeps nothing of a write of several statements that failed and was caught", function()
      local values = {}
      for i = 1, 300 do values[i] = { name = "user " .. i } end
      values[300].name = "ann"
      db:transaction(function()
        User:create{ name = "ann" }
        support.raises("UniqueConstraintError", function() User:bulkCreate(values) end)
      end)
      assert.same({ "ann" }, names())
    end)

    it("is the current one inside, and nothing is outside", function()
      assert.is_nil(db:currentTransaction())
      db:transaction(function(t) assert.equal(t, db:currentTransaction()) end)
      assert.is_nil(db:currentTransaction())
      pcall(db.transaction, db, function() error("oops") end)
      assert.is_nil(db:currentTransaction())
    end)

    it("may be named by its calls", function()
      db:transaction(function(t) User:create({ name = "ann" }, { transaction = t }) end)
      assert.same({ "ann" }, names())
    end)

    it("is finished when its function returned", function()
      local kept
      db:transaction(function(t)
        kept = t
        assert.is_false(t:isFinished())
      end)
      assert.is_true(kept:isFinished())
      support.raises("UsageError", function() User:create({ name = "ann" }, { transaction = kept }) end, "transaction")
      support.raises("UsageError", function() kept:savepoint("a") end)
    end)

    it("is not taken by another database", function()
      local other <close> = liga.connect("sqlite::memory:")
      db:transaction(function(t)
        support.raises("UsageError", function() other:query("SELECT 1", { transaction = t }) end, "transaction")
      end)
    end)

    it("refuses what is no function and what is no option", function()
      support.raises("UsageError", function() db:transaction("work") end)
      support.raises("UsageError", function() db:transaction({}, 5) end)
      support.raises("UsageError", function()
        db:transaction({ isolatoin = "serializable" }, print)
      end, "isolatoin", "isolation")
      support.raises("UsageError", function() db:transaction({ isolation = "chaos" }, print) end, "isolation")
      assert.same({}, log:statements())
    end)

    it("takes an isolation level in any engine", function()
      assert.equal("done", db:transaction({ isolation = "serializable" }, function() return "done" end))
    end)

    it("writes nothing when it is readOnly", function()
      db:transaction({ readOnly = true }, function()
        assert.equal(0, User:count())
        support.raises("UsageError", function() User:create{ name = "ann" } end)
        support.raises("UsageError", function()
          db:query [[WITH one AS (SELECT 'ann') INSERT INTO "Users" (name) SELECT * FROM one]]
        end)
        assert.equal(1, db:query("WITH one AS (SELECT 1 AS n) SELECT n FROM one")[1].n)
      end)
      assert.equal(0, User:count())
    end)

    if engine.dialect == "postgres" then
      it("keeps readOnly against SET, which may say anything else", function()
        db:transaction({ readOnly = true }, function()
          db:query "SET LOCAL work_mem = '1234kB'"
          assert.equal("1234kB", db:query("SHOW work_mem")[1].work_mem)
          support.raises("UsageError", function() db:query "SET TRANSACTION READ WRITE" end, "readOnly")
        end)
        local reader <close> = engine:reopen{ readOnly = true }
        for _, sql in ipairs {
          "SET transaction_read_only = off", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "RESET ALL",
          "set default_transaction_read_only to off",
        } do
          support.raises("UsageError", function()
            reader:transaction(function() reader:query(sql) end)
          end, "readOnly")
        end
        reader:query "SET work_mem = '1234kB'"
      end)
    end

    if engine.dialect == "sqlite" then
      it("begins immediate, unless told otherwise", function()
        for _, case in ipairs { { nil, "IMMEDIATE" }, { "immediate", "IMMEDIATE" }, { "exclusive", "EXCLUSIVE" } } do
          log:clear()
          db:transaction({ mode = case[1] }, function() end)
          assert.is_truthy(log[1].sql:upper():find(case[2], 1, true), log[1].sql)
        end
        log:clear()
        db:transaction({ mode = "deferred" }, function() end)
        assert.is_nil(log[1].sql:upper():find("IMMEDIATE", 1, true))
        support.raises("UsageError", function() db:transaction({ mode = "hasty" }, print) end, "mode")
      end)
    end
  end)

  describe("a nested transaction on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function() db:close() end)

    local function names() return support.sorted(User:findAll(), "name") end

    it("is a savepoint of the outer one", function()
      db:transaction(function()
        User:create{ name = "ann" }
        db:transaction(function() User:create{ name = "bob" } end)
      end)
      assert.same({ "ann", "bob" }, names())
      local control = table.concat(log:statements("transaction"), "; "):upper()
      assert.is_truthy(control:find("SAVEPOINT", 1, true))
      assert.is_nil(control:find("BEGIN.*BEGIN"))
    end)

    it("undoes only its own work when its error is caught", function()
      local oops = {}
      db:transaction(function()
        User:create{ name = "ann" }
        local ok, e = pcall(db.transaction, db, function()
          User:create{ name = "bob" }
          error(oops)
        end)
        assert.is_false(ok)
        assert.equal(oops, e)
        User:create{ name = "cid" }
      end)
      assert.same({ "ann", "cid" }, names())
    end)

    it("is lost with the outer one", function()
      pcall(db.transaction, db, function()
        db:transaction(function() User:create{ name = "bob" } end)
        error("oops")
      end)
      assert.same({}, names())
    end)

    it("nests to any depth", function()
      local function descend(depth)
        if depth == 0 then return end
        db:transaction(function()
          User:create{ name = tostring(depth) }
          pcall(db.transaction, db, function()
            User:create{ name = "lost" }
            error("oops")
          end)
          descend(depth - 1)
        end)
      end
      descend(5)
      assert.same({ "1", "2", "3", "4", "5" }, names())
    end)

    it("passes its results through", function()
      assert.equal("inner", db:transaction(function()
        return db:transaction(function() return "inner" end)
      end))
    end)

    it("cannot be retried by itself", function()
      db:transaction(function()
        support.raises("UsageError", function() db:transaction({ retry = 3 }, function() end) end, "retry")
      end)
    end)
  end)
end
