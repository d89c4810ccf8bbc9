-- Faults of the world around: a full disk, a file that cannot be written, is locked, or is no database (contract,
-- section 11).
local liga = require "liga"
local support = require "spec.support"

local function note_model(db) return db:define("Note", { text = liga.TEXT }, { timestamps = false }) end

local function rows_of(count, size)
  local rows = {}
  for i = 1, count do rows[i] = { text = ("x"):rep(size) } end
  return rows
end

for engine in support.engines() do
  if engine.dialect == "sqlite" then
    describe("a full disk on " .. engine.name, function()
      local db, Note
      before_each(function()
        db = engine:open{ pragmas = { max_page_count = 50 } }
        Note = note_model(db)
        db:sync()
        Note:create{ text = "kept" }
      end)
      after_each(function() db:close() end)

      it("makes a write fail as a whole, and the connection stays usable", function()
        local e = support.raises("DatabaseError", function() Note:bulkCreate(rows_of(200, 10000)) end)
        assert.is_truthy(e.code)
        assert.is_true(e.outcome == "none" or e.outcome == "rolled_back", tostring(e.outcome))
        assert.equal(1, Note:count())
        Note:create{ text = "small" }
        assert.equal(2, Note:count())
      end)

      it("makes a transaction fail as a whole, with the first error", function()
        local first
        local e = support.raises("DatabaseError", function()
          db:transaction(function()
            Note:create{ text = "lost" }
            local ok
            ok, first = pcall(Note.bulkCreate, Note, rows_of(200, 10000))
            assert.is_false(ok)
            error(first)
          end)
        end)
        assert.is_true(rawequal(first, e))
        assert.is_nil(db:currentTransaction())
        assert.equal(1, Note:count())
        db:transaction(function() Note:create{ text = "after" } end)
        assert.equal(2, Note:count())
      end)

      it("never lets a transaction commit what the engine has rolled back by itself", function()
        pcall(db.transaction, db, function()
          Note:create{ text = "before" }
          pcall(Note.bulkCreate, Note, rows_of(200, 10000))
          Note:create{ text = "behind" }
        end)
        local before, behind = Note:count{ where = { text = "before" } }, Note:count{ where = { text = "behind" } }
        assert.equal(before, behind)
      end)
    end)

    describe("a connection that may not write on " .. engine.name, function()
      it("raises DatabaseError with the engine's code, and still reads", function()
        local db <close> = engine:open()
        local Note = note_model(db)
        db:sync()
        db:query("PRAGMA query_only = 1")
        local e = support.raises("DatabaseError", function() Note:create{ text = "refused" } end)
        assert.is_truthy(e.code)
        assert.equal(0, Note:count())
        db:query("PRAGMA query_only = 0")
        Note:create{ text = "accepted" }
        assert.equal(1, Note:count())
      end)
    end)
  end

  if engine.kind == "file" then
    describe("a database file", function()
      local function write_file(path, content)
        local file = assert(io.open(path, "wb"))
        file:write(content)
        file:close()
      end

      local function read_all(url)
        local db <close> = liga.connect(url)
        note_model(db):findAll()
      end

      it("that cannot be written raises DatabaseError for a write, and still reads", function()
        local path = engine:path()
        local first = engine:open()
        note_model(first):sync()
        first:close()
        os.execute(("chmod 444 '%s'"):format(path))
        local writable = io.open(path, "r+b")
        if writable then
          writable:close()
          pending("the superuser may write any file")
          return
        end
        local db <close> = engine:reopen()
        local Note = note_model(db)
        assert.equal(0, Note:count())
        support.raises("DatabaseError", function() Note:create{ text = "refused" } end)
        os.execute(("chmod 644 '%s'"):format(path))
      end)

      it("that is no database raises DatabaseError", function()
        local path = engine:path() .. ".text"
        write_file(path, ("this is a letter, not a database\n"):rep(200))
        local e = support.raises("DatabaseError", function() read_all("sqlite:" .. path) end)
        assert.is_truthy(e.code)
        os.remove(path)
      end)

      it("that is damaged raises DatabaseError", function()
        local path = engine:path()
        local db = engine:open()
        local Note = note_model(db)
        db:sync()
        Note:bulkCreate(rows_of(100, 2000))
        db:close()
        local file = assert(io.open(path, "r+b"))
        file:seek("set", 4096)
        file:write(("\xaa"):rep(30000))
        file:close()
        support.raises("DatabaseError", function() read_all(engine.url) end)
      end)

      it("that is locked by another raises TimeoutError after busyTimeout, which is retryable", function()
        local db <close> = engine:open{ busyTimeout = 30 }
        local Note = note_model(db)
        db:sync()
        local other <close> = engine:reopen()
        local lock = other:transaction()
        other:query([[INSERT INTO "Notes" (text) VALUES ('other')]], { transaction = lock })

        local e = support.raises("TimeoutError", function() Note:create{ text = "refused" } end)
        assert.is_true(e.retryable)
        assert.is_true(e.outcome == "none" or e.outcome == "rolled_back", tostring(e.outcome))
        support.raises("TimeoutError", function()
          db:transaction(function() Note:create{ text = "refused" } end)
        end)
        assert.is_nil(db:currentTransaction())

        lock:commit()
        Note:create{ text = "accepted" }
        assert.same({ "accepted", "other" }, support.sorted(Note:findAll(), "text"))
      end)
    end)
  end
end
