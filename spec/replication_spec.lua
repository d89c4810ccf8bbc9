-- replication = {write = url, read = {urls}, sticky = ms}: reads go to replicas, writes to the primary (contract,
-- section 1).
local liga = require "liga"
local support = require "spec.support"
local raises, pluck = support.raises, support.pluck

--- A primary and two databases that are no real replicas: what they hold tells where a read went.
local function three_files()
  local files = {}
  for i, name in ipairs { "primary", "first", "second" } do
    files[i] = os.tmpname()
    local db <close> = liga.connect("sqlite:" .. files[i])
    db:query [[CREATE TABLE "Notes" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "text" TEXT)]]
    db:query([[INSERT INTO "Notes" ("text") VALUES ($1)]], { bind = { name } })
  end
  return files
end

describe("replication", function()
  local files, db, Note

  local function connect(options)
    options = options or {}
    options.replication = options.replication or { sticky = 0 }
    options.replication.write = "sqlite:" .. files[1]
    options.replication.read = options.replication.read or { "sqlite:" .. files[2], "sqlite:" .. files[3] }
    db = liga.connect(nil, options)
    Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
  end

  --- The text of the first note: where the read went.
  local function place(options) return Note:findOne(options).text end

  before_each(function() files = three_files() end)
  after_each(function()
    if db then db:close() end
    db = nil
    for _, file in ipairs(files) do os.remove(file) end
  end)

  it("sends reads to the replicas in turn", function()
    connect()
    assert.same({ "first", "second", "first" }, { place(), place(), place() })
    assert.equal("second", db:query([[SELECT "text" FROM "Notes"]])[1].text)
    assert.equal(1, Note:count())
  end)

  it("sends writes, transactions and locks to the primary", function()
    connect()
    Note:create { text = "new" }
    db:transaction(function() assert.equal("primary", place()) end)
    assert.equal("primary", place { lock = "update" })
    db:query [[INSERT INTO "Notes" ("text") VALUES ('by hand')]]
    local primary <close> = liga.connect("sqlite:" .. files[1])
    local rows = primary:query [[SELECT "text" FROM "Notes" ORDER BY "id"]]
    assert.same({ "primary", "new", "by hand" }, pluck(rows, "text"))
  end)

  it("reads from the primary for sticky ms after a write of one's own", function()
    connect { replication = { sticky = 200 } }
    assert.equal("first", place())
    Note:create { text = "new" }
    assert.equal("primary", place())
    db:transaction(function() Note:create { text = "newer" } end)
    assert.equal("primary", place())
    local over = os.time() + 2
    repeat until os.time() >= over
    assert.equal("second", place())
  end)

  it("leaves out a replica that can't be reached, and reads from the primary if none can", function()
    connect { replication = { sticky = 0, read = { "sqlite:/no/such/folder/db", "sqlite:" .. files[3] } } }
    assert.same({ "second", "second" }, { place(), place() })
    db:close()
    connect { replication = { sticky = 0, read = { "sqlite:/no/such/folder/db" } } }
    assert.same({ "primary", "primary" }, { place(), place() })
  end)

  it("never makes the file of an SQLite replica: one that is not there is left out", function()
    os.remove(files[2])
    connect()
    assert.same({ "second", "second" }, { place(), place() })
    assert.is_nil((io.open(files[2])))
  end)

  it("takes the URL argument as the primary too", function()
    db = liga.connect("sqlite:" .. files[1], { replication = { read = { "sqlite:" .. files[2] }, sticky = 0 } })
    assert.equal("first", db:query([[SELECT "text" FROM "Notes"]])[1].text)
  end)

  it("refuses what is no replication", function()
    local url = "sqlite:" .. files[1]
    for _, case in ipairs {
      { nil, { raed = {} }, "raed", "read" },
      { nil, { read = {} }, "URL" },
      { nil, { write = url, read = "sqlite:x" }, "read" },
      { nil, { write = url, read = { 5 } }, "URL" },
      { nil, { write = url, read = { a = url } }, "list" },
      { nil, { write = url, read = { "postgres://host/db" } }, "another engine" },
      { "sqlite:other", { write = url }, "two primaries" },
    } do
      raises("UsageError", function() liga.connect(case[1], { replication = case[2] }) end, table.unpack(case, 3))
    end
  end)
end)
