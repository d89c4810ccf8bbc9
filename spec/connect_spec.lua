-- Connecting: the URL, the options, and what the db object offers (contract, section 1).
local liga = require "liga"
local support = require "spec.support"

local function file_exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

describe("connect", function()
  it("refuses an URL of an engine it does not know", function()
    support.raises("UsageError", function() liga.connect("mysql://localhost/shop") end, "mysql")
  end)

  it("refuses something that is no URL", function()
    support.raises("UsageError", function() liga.connect(nil) end)
    support.raises("UsageError", function() liga.connect(42) end)
    support.raises("UsageError", function() liga.connect({}) end)
  end)

  it("says where an option of Sequelize's belongs", function()
    for option, place in pairs { host = "URL", storage = "URL", sync = "db:sync", isolationLevel = "db:transaction" } do
      support.raises("UsageError", function() liga.connect("sqlite::memory:", { [option] = "x" }) end, option, place)
    end
    local pool = { acquire = 5 }
    support.raises("UsageError", function() liga.connect("sqlite::memory:", { pool = pool }) end, "acquireTimeout")
    local e = support.raises("UsageError", function() liga.connect("sqlite::memory:", { hosts = "x" }) end, "hosts")
    assert.is_nil(e.message:find('"host"', 1, true))
  end)

  it("makes no file of a database in memory that is misspelt", function()
    support.raises("UsageError", function() liga.connect "sqlite::memory" end, "sqlite::memory:")
    assert.is_false(file_exists ":memory")
  end)

  it("raises at once when the database cannot be opened", function()
    local ok, e = pcall(liga.connect, "sqlite:/no/such/folder/shop.db")
    assert.is_false(ok)
    assert.is_true(liga.isError(e, "ConnectionError"))
    assert.is_truthy(e.message:find("/no/such/folder/shop.db", 1, true))
  end)
end)

for engine in support.engines() do
  describe("connect on " .. engine.name, function()
    it("tells its dialect and answers a ping", function()
      local db <close> = engine:open()
      assert.equal(engine.dialect, db.dialect)
      assert.has_no.errors(function() db:ping() end)
    end)

    it("closes the connection when a <close> variable leaves its scope", function()
      local escaped
      do
        local db <close> = engine:open()
        escaped = db
      end
      support.raises("UsageError", function() escaped:ping() end)
    end)

    it("may be closed by hand inside the scope of its <close> variable", function()
      assert.has_no.errors(function()
        local db <close> = engine:open()
        db:close()
      end)
    end)

    it("refuses to close while one of its own calls is running", function()
      local db <close> = engine:open()
      db:transaction(function()
        support.raises("UsageError", function() db:close() end)
      end)
      assert.has_no.errors(function() db:ping() end)
    end)

    it("names the nearest option for one it does not know", function()
      support.raises("UsageError", function() engine:reopen{ loging = print } end, "loging", "logging")
    end)

    it("refuses an option of the wrong kind", function()
      support.raises("UsageError", function() engine:reopen{ logging = 5 } end, "logging")
      support.raises("UsageError", function() engine:reopen{ statementCache = "many" } end, "statementCache")
      support.raises("UsageError", function() engine:reopen{ dates = "roman" } end, "dates")
      support.raises("UsageError", function() engine:reopen{ busyPoll = 50 } end, "busyPoll")
      support.raises("UsageError", function() engine:reopen("logging") end)
    end)

    it("works without prepared statements being kept", function()
      local db <close> = engine:open{ statementCache = 0 }
      local Note = db:define("Note", { text = liga.TEXT })
      db:sync()
      Note:create{ text = "a" }
      Note:create{ text = "b" }
      assert.equal(2, Note:count())
    end)

    it("gives the same answers whether waits stay awake or not", function()
      local db <close> = engine:open{ busyPoll = false }
      local Note = db:define("Note", { text = liga.TEXT })
      db:sync()
      Note:create{ text = "a" }
      assert.equal("a", Note:findOne().text)
      local again <close> = engine:reopen{ busyPoll = true }
      again:ping()
    end)

    it("gives every model the options of define", function()
      local db <close> = engine:open{ define = { timestamps = false, underscored = true } }
      local LineItem = db:define("LineItem", { unitPrice = liga.INTEGER })
      assert.equal("line_items", LineItem.tableName)
      assert.equal("unit_price", LineItem.attributes.unitPrice.columnName)
      assert.is_nil(LineItem.attributes.createdAt)
    end)

    it("lets a model's own options win over those of define", function()
      local db <close> = engine:open{ define = { timestamps = false } }
      local Note = db:define("Note", { text = liga.TEXT }, { timestamps = true })
      assert.is_truthy(Note.attributes.createdAt)
    end)

    it("finds a model by its name", function()
      local db <close> = engine:open()
      local User = db:define("User", { name = liga.STRING })
      assert.equal(User, db.models.User)
      assert.equal(User, db:model("User"))
      assert.is_nil(db.models.Post)
    end)

    it("names the nearest model for one it does not know", function()
      local db <close> = engine:open()
      db:define("User", { name = liga.STRING })
      support.raises("UsageError", function() db:model("Usr") end, "Usr", "User")
    end)

    it("checks the whole graph of models without touching the database", function()
      local log = support.log()
      local db <close> = engine:open{ logging = log.record }
      db:define("Comment", { post = liga.belongsTo("Post") })
      log:clear()
      support.raises("AssociationError", function() db:validate() end, "Post")
      db:define("Post", { title = liga.STRING })
      db:validate()
      assert.same({}, log:statements())
    end)

    it("stops a statement that takes longer than timeout, and stays usable", function()
      local slow = engine.dialect == "postgres" and "SELECT pg_sleep(5)"
        or "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40000000) SELECT count(*) FROM n"
      local db <close> = engine:open{ timeout = 50 }
      support.raises("TimeoutError", function() db:query(slow) end)
      assert.equal(1, db:query("SELECT 1 AS one")[1].one)
    end)

    it("accepts the options of the other engine", function()
      local sqlite = engine.dialect == "sqlite"
      local other = sqlite and { connectTimeout = 1000 }
        or { busyTimeout = 10, foreignKeys = true, pragmas = { journal_mode = "wal" } }
      local db <close> = engine:open(other)
      assert.has_no.errors(function() db:ping() end)
      if not sqlite then
        support.raises("UsageError", function() engine:open { pragmas = { journal_mode = {} } } end, "journal_mode")
      end
    end)

  end)

  if engine.dialect == "sqlite" then
    describe("connect options of " .. engine.name, function()
      local function pragma(db, name) return db:query("PRAGMA " .. name)[1][name] end

      it("enforces foreign keys unless foreignKeys is false", function()
        local strict = engine:open()
        assert.equal(1, pragma(strict, "foreign_keys"))
        strict:close()
        local lax <close> = engine:open{ foreignKeys = false }
        assert.equal(0, pragma(lax, "foreign_keys"))
      end)

      it("runs the pragmas given as a map", function()
        local db <close> = engine:open{ pragmas = { user_version = 7 } }
        assert.equal(7, pragma(db, "user_version"))
      end)

      it("names the nearest pragma for one that SQLite does not know", function()
        support.raises("UsageError", function() engine:open{ pragmas = { journal_mod = "wal" } } end, "journal_mode")
        engine:open{ pragmas = { ["main.Cache_Size"] = -100 } }:close()
      end)

      it("runs the pragmas given as a list of statements", function()
        local db <close> = engine:open{ pragmas = { "PRAGMA user_version = 9" } }
        assert.equal(9, pragma(db, "user_version"))
      end)

      it("takes a double-quoted name for a name, never for a text", function()
        local db <close> = engine:open()
        db:query('CREATE TABLE notes (text TEXT)')
        support.raises("DatabaseError", function() db:query('SELECT "nosuch" FROM notes') end)
      end)

      it("has no schemas", function()
        support.raises("UsageError", function() engine:reopen{ schema = "shop" } end, "schema")
      end)
    end)
  end

  if engine.kind == "file" then
    describe("a database file", function()
      it("takes the rest of the URL as a path, not as an URI", function()
        local path = engine:path() .. "?mode=memory#1"
        local db <close> = liga.connect("sqlite:" .. path)
        db:query("CREATE TABLE notes (text TEXT)")
        assert.is_true(file_exists(path))
        db:close()
        os.remove(path)
      end)

      it("can be read but not written under readOnly", function()
        local writer = engine:open()
        local Written = writer:define("Note", { text = liga.TEXT })
        Written:sync()
        Written:create{ text = "kept" }
        writer:close()

        local db <close> = engine:reopen{ readOnly = true }
        local Note = db:define("Note", { text = liga.TEXT })
        assert.equal("kept", Note:findOne().text)
        support.raises("UsageError", function() Note:create{ text = "refused" } end)
        support.raises("UsageError", function() db:sync() end, "readOnly")
        support.raises("UsageError", function() Note:drop() end, "readOnly")
        assert.is_truthy(#db:sync{ dryRun = true } > 0)
        assert.equal(1, Note:count())
      end)

      it("keeps its rows after the connection is closed", function()
        local first = engine:open()
        local Note = first:define("Note", { text = liga.TEXT })
        Note:sync()
        Note:create{ text = "still here" }
        first:close()

        local second <close> = engine:reopen()
        assert.equal("still here", second:define("Note", { text = liga.TEXT }):findOne().text)
      end)
    end)
  end
end
