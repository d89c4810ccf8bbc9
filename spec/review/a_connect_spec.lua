-- Connecting: what a review of the contract's section 1 found.
local liga = require "liga"
local support = require "spec.support"

describe("connecting, reviewed", function()
  local function refused(options, ...)
    support.raises("UsageError", function() liga.connect("sqlite::memory:", options) end, ...)
  end

  it("a URL without scheme is not shown: it may hold a password", function()
    local e = support.raises("UsageError", function() liga.connect "//ann:secret@host" end)
    assert.is_nil(e.message:find("secret", 1, true))
  end)

  it("pragmas are a map or a list of statements, checked before anything is opened", function()
    refused({ pragmas = { nil, "PRAGMA cache_size = 10" } }, "pragmas")
    refused({ pragmas = { "PRAGMA cache_size = 10", cache_size = 1 } }, "pragmas")
    refused({ pragmas = { "PRAGMA cache_size = 10\0" } }, "NUL")
    refused({ pragmas = { cache_size = 0 / 0 } }, "cache_size")
  end)

  it("pragmas begin no transaction", function()
    refused({ pragmas = { "BEGIN" } }, "transaction")
    refused({ pragmas = { " savepoint a" } }, "transaction")
  end)

  it("a number larger than the engine's is the largest, not -1", function()
    local most = math.maxinteger
    local db <close> = liga.connect("sqlite::memory:", {
      pool = { max = most, idle = most }, timeout = most, busyTimeout = most, statementCache = most,
    })
    assert.is_true(db:query "PRAGMA busy_timeout"[1].timeout > 1000000)
    assert.is_true(db:ping())
  end)

  it("minifyAliases is accepted without effect", function()
    liga.connect("sqlite::memory:", { minifyAliases = true }):close()
  end)

  it("a logger that yields is reported, and the database stays open", function()
    local db <close> = liga.connect "sqlite::memory:"
    local Thing = db:define("Thing", {})
    db:sync()
    local thread = coroutine.create(function() return Thing:count { logging = coroutine.yield } end)
    assert.same({ true, 0 }, { coroutine.resume(thread) })
    assert.equal("dead", coroutine.status(thread))
    assert.equal(0, Thing:count())
  end)

  it("a call that an error cut short does not keep the database from closing", function()
    local db = liga.connect "sqlite::memory:"
    pcall(db.query, db, "SELECT 1", setmetatable({}, { __index = error }))
    db:close()
  end)
end)
