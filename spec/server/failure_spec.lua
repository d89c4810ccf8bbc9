-- What can go wrong with a server, and what is said of it: lost connections, deadlines, locks (contract, sections 1, 8,
-- 11).
local liga = require "liga"
local loops = require "spec.support.loop"
local Proxy = require "spec.support.proxy"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  if engine.kind == "server" then
    describe("failures of " .. engine.name, function()
      local db, other, Note

      before_each(function()
        db = engine:open { pool = { max = 2 } }
        other = engine:reopen()
        Note = db:define("Note", { text = { type = liga.STRING, unique = true } }, { timestamps = false })
        db:sync()
      end)
      after_each(function()
        db:close()
        other:close()
      end)

      local function pid_of(transaction)
        return db:query("SELECT pg_backend_pid() AS pid", { transaction = transaction })[1].pid
      end

      --- Ends a backend and waits until it is gone.
      local function kill(pid)
        other:query("SELECT pg_terminate_backend($1, 5000)", { bind = { pid } })
      end

      describe("a connection that is lost", function()
        it("while idle is replaced without an error", function()
          local before = pid_of()
          kill(before)
          assert.are_not.equal(before, pid_of())
        end)

        it("is told to the hooks of Disconnect, before those of the one that takes its place", function()
          local ran = {}
          for _, name in ipairs { "beforeConnect", "afterConnect", "beforeDisconnect", "afterDisconnect" } do
            db:addHook(name, function() ran[#ran + 1] = name end)
          end
          kill(pid_of())
          db:ping()
          assert.same({ "beforeDisconnect", "afterDisconnect", "beforeConnect", "afterConnect" }, ran)
          pcall(db.transaction, db, function() kill(pid_of()) end)
          db:ping()
          assert.equal(8, #ran)
        end)

        it("inside a transaction raises ConnectionError, and the transaction is rolled back", function()
          local e = raises("ConnectionError", function()
            db:transaction(function()
              Note:create { text = "lost" }
              kill(pid_of())
              Note:create { text = "too late" }
            end)
          end)
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end)

        it("inside a transaction is not replaced for the rest of its function", function()
          pcall(db.transaction, db, function()
            kill(pid_of())
            pcall(Note.create, Note, { text = "a" })
            local e = raises("ConnectionError", function() Note:create { text = "b" } end)
            assert.equal("rolled_back", e.outcome)
          end)
          assert.equal(0, Note:count())
        end)

        it("inside an unmanaged transaction leaves it to be ended", function()
          local t = db:transaction()
          kill(pid_of(t))
          raises("ConnectionError", function() Note:create({ text = "a" }, { transaction = t }) end)
          t:rollback()
          assert.is_true(t:isFinished())
          assert.equal(0, Note:count())
        end)

        it("at COMMIT raises ConnectionError", function()
          local t = db:transaction()
          Note:create({ text = "a" }, { transaction = t })
          kill(pid_of(t))
          local e = raises("ConnectionError", function() t:commit() end)
          assert.is_truthy(e.outcome == "unknown" or e.outcome == "rolled_back")
          assert.equal(0, Note:count())
        end)
      end)

      describe("a server that takes no writes any more", function()
        local function demote()
          db:query "SELECT set_config('default_transaction_read_only', 'on', false)"
        end

        it("raises ConnectionError for a write, of which nothing is left, and is asked anew who it is", function()
          demote()
          local before = pid_of()
          local e = raises("ConnectionError", function() Note:create { text = "a" } end, "takes no writes")
          assert.same({ "25006", "rolled_back", false }, { e.sqlstate, e.outcome, e.retryable })
          assert.are_not.equal(before, pid_of())
          Note:create { text = "b" }
          assert.equal(1, Note:count())
        end)

        it("is not trusted by the other connections of the pool either", function()
          local one, two = db:transaction(), db:transaction()
          local pids = { pid_of(one), pid_of(two) }
          one:rollback()
          two:rollback()
          demote()
          raises("ConnectionError", function() Note:create { text = "a" } end)
          db:transaction(function(t)
            local outside = coroutine.wrap(function() return db:transaction() end)()
            for _, pid in ipairs { pid_of(t), pid_of(outside) } do
              assert.are_not.equal(pids[1], pid)
              assert.are_not.equal(pids[2], pid)
            end
            outside:rollback()
          end)
        end)

        it("ends a transaction", function()
          demote()
          local e = raises("ConnectionError", function()
            db:transaction(function()
              pcall(Note.create, Note, { text = "a" })
              Note:create { text = "b" }
            end)
          end)
          assert.equal("rolled_back", e.outcome)
          db:transaction(function() Note:create { text = "c" } end)
          assert.equal(1, Note:count())
        end)
      end)

      describe("a transaction", function()
        it("goes on after a constraint error that was caught", function()
          db:transaction(function()
            Note:create { text = "a" }
            raises("UniqueConstraintError", function() Note:create { text = "a" } end, "text")
            Note:create { text = "b" }
          end)
          assert.equal(2, Note:count())
        end)

        it("is aborted by such an error with savepoint = false", function()
          local e = raises("DatabaseError", function()
            db:transaction({ savepoint = false }, function()
              Note:create { text = "a" }
              raises("UniqueConstraintError", function() Note:create { text = "a" } end)
            end)
          end, "unique constraint")
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end)

        it("is aborted by a failed db:query: its commit raises DatabaseError that names the first error", function()
          local e = raises("DatabaseError", function()
            db:transaction(function()
              Note:create { text = "a" }
              pcall(db.query, db, "SELECT no_such_column")
              pcall(db.query, db, "SELECT 1")
            end)
          end, "no_such_column")
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end)

        it("names the error that aborted it, not one that a savepoint took back", function()
          local e = raises("DatabaseError", function()
            db:transaction(function()
              Note:create { text = "a" }
              pcall(Note.create, Note, { text = "a" })
              pcall(db.transaction, db, function() db:query "SELECT no_such_column" end)
              pcall(db.query, db, "SELECT no_such_function()")
            end)
          end, "no_such_function")
          assert.is_nil(e.message:find("no_such_column", 1, true))
        end)

        it("a row that an exclusion constraint refuses is an ExclusionConstraintError that names the model", function()
          db:query "CREATE TABLE stays (id BIGSERIAL PRIMARY KEY, days int4range, EXCLUDE USING gist (days WITH &&))"
          db:reflect { tables = { "stays" } }
          local Stay = db.models.Stay
          Stay:create { days = { 1, 5 } }
          local e = raises("ExclusionConstraintError", function() Stay:create { days = { 4, 8 } } end, "Stay")
          assert.same({ "Stay", "stays", "stays_days_excl" }, { e.model, e.table, e.constraint })
          db:query "DROP TABLE stays"
        end)

        it("NULL in a column of a domain that takes none is a NotNullConstraintError in the server's words", function()
          db:query "CREATE DOMAIN filled AS text NOT NULL"
          db:query "CREATE TABLE forms (id BIGSERIAL PRIMARY KEY, word filled)"
          local Form = db:define("Form", { word = liga.TEXT }, { tableName = "forms", timestamps = false })
          raises("NotNullConstraintError", function() Form:create {} end, "Form: domain filled")
          db:query "DROP TABLE forms"
          db:query "DROP DOMAIN filled"
        end)

        it("with an isolation, access and deferrable says so to the server", function()
          db:transaction({ isolation = "serializable", readOnly = true, deferrable = true }, function()
            assert.equal("serializable", db:query("SHOW transaction_isolation")[1].transaction_isolation)
            assert.equal("on", db:query("SHOW transaction_read_only")[1].transaction_read_only)
            assert.equal("on", db:query("SHOW transaction_deferrable")[1].transaction_deferrable)
            raises("UsageError", function() Note:create { text = "a" } end, "readOnly")
          end)
        end)

        it("that can't be serialised raises SerializationError, which is retryable", function()
          Note:create { text = "a" }
          local t = db:transaction { isolation = "repeatable read" }
          local note = Note:findOne { transaction = t }
          other:query [[UPDATE "Notes" SET "text" = 'b']]
          local e = raises("SerializationError", function() note:update({ text = "c" }, { transaction = t }) end)
          assert.is_true(e.retryable)
          assert.equal("40001", e.sqlstate)
          assert.equal("rolled_back", e.outcome)
          t:rollback()
        end)

        it("that a query of one's own can't be serialised in is rolled back by the same error", function()
          local e = raises("SerializationError", function()
            db:transaction(function()
              Note:create { text = "a" }
              db:query "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END $$"
            end)
          end)
          assert.is_true(e.retryable)
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end)

        it("is run again with retry", function()
          Note:create { text = "a" }
          local runs = 0
          db:transaction({ isolation = "repeatable read", retry = 2 }, function()
            runs = runs + 1
            local note = Note:findOne()
            if runs == 1 then other:query [[UPDATE "Notes" SET "text" = 'b']] end
            note:update { text = "c" }
          end)
          assert.equal(2, runs)
          assert.equal("c", Note:findOne().text)
        end)
      end)

      describe("deadlines", function()
        it("that the server has by itself are TimeoutErrors too", function()
          db:transaction(function(t)
            db:query "SET LOCAL statement_timeout = 50"
            local point = t:savepoint "before"
            local e = raises("TimeoutError", function() db:query "SELECT pg_sleep(5)" end)
            assert.equal("57014", e.sqlstate)
            point:rollback()
            Note:create { text = "a" }
          end)
          assert.equal(1, Note:count())
        end)

        it("are told from a statement that somebody else cancels", function()
          local patient <close> = engine:reopen { timeout = 60000, pool = { max = 1 } }
          for _, one in ipairs { db, patient } do
            local e = raises("DatabaseError", function()
              one:query "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"
            end, "cancelled")
            assert.same({ "57014", "none", false }, { e.sqlstate, e.outcome, e.retryable })
          end
          local e = raises("TimeoutError", function()
            patient:transaction(function()
              patient:query "SET LOCAL statement_timeout = 50"
              patient:query "SELECT pg_sleep(5)"
            end)
          end)
          assert.is_nil(e.message:find("60000", 1, true), e.message)
        end)

        it("of an idle transaction lose the connection, and what was done", function()
          local e = raises("ConnectionError", function()
            db:transaction(function()
              db:query "SET LOCAL idle_in_transaction_session_timeout = 50"
              Note:create { text = "a" }
              other:query "SELECT pg_sleep(0.3)"
              Note:create { text = "b" }
            end)
          end)
          assert.same({ "25P03", "rolled_back" }, { e.sqlstate, e.outcome })
          assert.equal(0, Note:count())
        end)

        it("end a statement after timeout, and the connection stays", function()
          local hasty <close> = engine:reopen { timeout = 100, pool = { max = 1 } }
          local before = hasty:query("SELECT pg_backend_pid() AS pid")[1].pid
          raises("TimeoutError", function() hasty:query "SELECT pg_sleep(5)" end, "100 ms")
          assert.equal(before, hasty:query("SELECT pg_backend_pid() AS pid")[1].pid)
        end)

        it("that the server refuses a lock at once is a TimeoutError", function()
          Note:create { text = "a" }
          db:transaction(function()
            Note:findAll { lock = "update" }
            raises("TimeoutError", function() other:query [[SELECT * FROM "Notes" FOR UPDATE NOWAIT]] end, "lock")
          end)
        end)

        it("locked rows are left out with skipLocked", function()
          Note:bulkCreate { { text = "a" }, { text = "b" } }
          db:transaction(function()
            assert.equal(1, #Note:findAll { where = { text = "a" }, lock = "update" })
            local rows = other:query [[SELECT "text" FROM "Notes" FOR UPDATE SKIP LOCKED]]
            assert.same({ "b" }, support.pluck(rows, "text"))
            local t <close> = db:transaction()
            t:rollback()
          end)
        end)
      end)

      describe("errors of the server", function()
        it("tell no values", function()
          local e = raises("DatabaseError", function() db:query "SELECT 'secret value'::uuid" end, "uuid")
          assert.is_nil(e.message:find("secret value", 1, true))
          assert.equal("22P02", e.sqlstate)
          e = raises("UniqueConstraintError", function()
            Note:create { text = "secret value" }
            Note:create { text = "secret value" }
          end)
          assert.is_nil(e.message:find("secret value", 1, true))
          assert.same({ "text" }, e.attributes)
          assert.equal("Note", e.model)
          assert.equal("Notes", e.table)
        end)

        it("name model and attributes of every kind of constraint", function()
          local Line = db:define("Line", {
            a = { type = liga.INTEGER, primaryKey = true }, b = { type = liga.STRING, primaryKey = true },
            note = liga.belongsTo("Note", { foreignKey = "noteId" }),
          }, { timestamps = false })
          db:sync()
          other:query [[ALTER TABLE "Lines" ADD CONSTRAINT positive CHECK ("a" > 0)]]
          Line:create { a = 1, b = "x" }
          local e = raises("UniqueConstraintError", function() Line:create { a = 1, b = "x" } end)
          assert.same({ "a", "b" }, e.attributes)
          e = raises("ForeignKeyConstraintError", function() Line:create { a = 2, b = "x", noteId = 99 } end)
          assert.equal("Line", e.model)
          e = raises("CheckConstraintError", function() Line:create { a = -1, b = "x" } end)
          assert.equal("positive", e.constraint)
          other:query [[ALTER TABLE "Notes" ALTER "text" SET NOT NULL]]
          e = raises("NotNullConstraintError", function() Note:create {} end)
          assert.same({ "text" }, e.attributes)
        end)
      end)

      it("COPY to or from the client is refused, not waited for", function()
        for _, sql in ipairs { "COPY (SELECT 1) TO STDOUT", [[COPY "Notes" FROM STDIN]] } do
          local e = raises("DatabaseError", function() db:query(sql) end, "COPY", "not supported")
          assert.equal("rolled_back", e.outcome)
          e = raises("DatabaseError", function()
            db:transaction(function()
              Note:create { text = "a" }
              db:query(sql)
            end)
          end, "COPY")
          assert.equal("rolled_back", e.outcome)
          assert.equal(0, Note:count())
        end
      end)

      describe("prepared statements", function()
        it("are prepared anew after the server has lost them", function()
          local narrow <close> = engine:reopen { pool = { max = 1 } }
          for _ = 1, 2 do assert.equal(1, narrow:query("SELECT 1 AS one")[1].one) end
          narrow:query "DEALLOCATE ALL"
          assert.equal(1, narrow:query("SELECT 1 AS one")[1].one)
        end)

        it("are prepared anew after another connection has changed the table", function()
          Note:create { text = "a" }
          for _ = 1, 2 do assert.equal(2, #db:query([[SELECT * FROM "Notes"]], { raw = true }) + 1) end
          other:query [[ALTER TABLE "Notes" ADD "more" text DEFAULT 'x']]
          assert.equal("x", db:query([[SELECT * FROM "Notes"]])[1].more)
        end)

        it("are prepared anew inside a transaction, too, where a savepoint is before them", function()
          for _, text in ipairs { "a", "b" } do Note:create { text = text } end
          db:transaction(function()
            db:query "DEALLOCATE ALL"
            Note:create { text = "c" }
            assert.equal("c", Note:findOne({ where = { text = "c" } }).text)
          end)
          assert.equal(3, Note:count())
        end)

        it("are prepared anew where several travel together", function()
          local narrow <close> = engine:reopen { pool = { max = 1 } }
          local Mine = narrow:define("Note", { text = liga.TEXT }, { timestamps = false })
          local list = {}
          for round = 1, 3 do
            for i = 1, 10001 do list[i] = { text = round .. " " .. i } end
            narrow:query "DEALLOCATE ALL"
            assert.equal(round * 10001, Mine:bulkCreate(list)[10001].id)
            narrow:query "DEALLOCATE ALL"
            local rows, count = Mine:findAndCountAll { order = "id", limit = 1 }
            assert.equal("1 1", rows[1].text)
            assert.equal(round * 10001, count)
          end
        end)

        it("are used if somebody else has prepared the same", function()
          local narrow <close> = engine:reopen { pool = { max = 1 } }
          narrow:query "SELECT 3 AS three"
          local sql = "SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT 3 AS three'"
          local name = narrow:query(sql)[1].name
          local fresh <close> = engine:reopen { pool = { max = 1 } }
          fresh:query(("DO $$ BEGIN EXECUTE 'PREPARE %s AS SELECT 3 AS three'; END $$"):format(name))
          assert.equal(3, fresh:query("SELECT 3 AS three")[1].three)
          assert.equal(3, fresh:query("SELECT 3 AS three")[1].three)
        end)

        it("are at most as many as statementCache says, and none with 0", function()
          for limit, most in pairs { [3] = 4, [0] = 0 } do
            local small <close> = engine:reopen { statementCache = limit, pool = { max = 1 } }
            for i = 1, 10 do small:query(("SELECT %d AS n"):format(i)) end
            local count = small:query("SELECT count(*) AS n FROM pg_prepared_statements")[1].n
            assert.is_true(count <= most, ("%d statements with statementCache = %d"):format(count, limit))
          end
        end)
      end)

      it("lists of more values than the protocol has parameters are one array", function()
        local ids = {}
        for i = 1, 70000 do ids[i] = i end
        Note:create { text = "a" }
        assert.equal(1, #Note:findAll { where = { id = ids } })
        assert.equal(1, Note:destroy { where = { id = ids } })
      end)

      it("are as many as the protocol has, which libpq can't describe", function()
        local alternatives = {}
        for i = 1, 9000 do alternatives[i] = { id = i } end
        Note:create { text = "a" }
        db:transaction(function()
          for _ = 1, 2 do assert.equal(1, Note:count { where = { [liga.Op.or_] = alternatives } }) end
        end)
        local marks = ("?, "):rep(65533) .. "?"
        local ids = {}
        for i = 1, 65534 do ids[i] = i end
        assert.equal(1, #db:query("SELECT 1 FROM \"Notes\" WHERE \"id\" IN (" .. marks .. ")", { replacements = ids }))
      end)

      it("refuses a query of one's own with more of them before it is sent", function()
        local ids = {}
        for i = 1, 70000 do ids[i] = i end
        local pid = db:query("SELECT pg_backend_pid() AS pid")[1].pid
        local function ask() db:query("SELECT 1 WHERE 2 IN (:ids)", { replacements = { ids = ids } }) end
        raises("UsageError", ask, "65535")
        assert.equal(pid, db:query("SELECT pg_backend_pid() AS pid")[1].pid)
      end)

      it("refuses NUL and invalid UTF-8 before anything is sent", function()
        local log = support.log()
        local quiet <close> = engine:reopen { logging = log.record }
        for _, text in ipairs { "a\0b", "\xff" } do
          raises("ValidationError", function() quiet:query("SELECT $1", { bind = { text } }) end)
          raises("ValidationError", function() Note:create { text = text } end)
        end
        assert.equal(0, #log)
      end)

      if Proxy.works(engine) then
        local cqueues, loop = require "cqueues", loops.cqueues()

        --- Runs `body(proxied, proxy)` over a man in the middle.
        local function between(options, body)
          local proxy = Proxy.new(engine)
          options.wait = loop.wait
          loop.run(function()
            local serving <close> = proxy:serve() -- luacheck: ignore serving
            local proxied <close> = liga.connect(proxy.url, options)
            proxied:define("Note", { text = { type = liga.STRING, unique = true } }, { timestamps = false })
            body(proxied, proxy)
          end)
        end

        it("a silent server is a TimeoutError after timeout, never a hang", function()
          between({ timeout = 200 }, function(proxied, proxy)
            proxied:ping()
            proxy.silent = true
            local started = cqueues.monotime()
            local e = raises("TimeoutError", function() proxied:query "SELECT 1" end)
            assert.is_true(cqueues.monotime() - started < 3)
            assert.equal("none", e.outcome)
            proxy.silent = false
            assert.equal(1, proxied:query("SELECT 1 AS one")[1].one)
          end)
        end)

        it("a write that was cut off has the outcome unknown, and the next call works", function()
          between({}, function(proxied, proxy)
            proxied:ping()
            proxy.silent = true
            cqueues.running():wrap(function()
              cqueues.sleep(0.05)
              proxy:cut()
              proxy.silent = false
            end)
            local e = raises("ConnectionError", function() proxied.models.Note:create { text = "maybe" } end)
            assert.equal("unknown", e.outcome)
            assert.equal(1, proxied:query("SELECT 1 AS one")[1].one)
          end)
        end)
      end
    end)
  end
end
