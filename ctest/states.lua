--- The scenario of states.c: a database object in a Lua state of its own, with something left open in it.
local liga = require "liga"

local scenario = {}
local db, Note, walk, open_transaction, waiting
local looping, asking, answers = nil, {}, {}

--- Connects and leaves a loop over each, and where `id` is odd a transaction in a coroutine, open.
-- @param url of the engine
-- @param id of the state: each has a table of its own
function scenario.open(url, id)
  local options = url:find "^sqlite" and { pragmas = { journal_mode = "wal" }, busyTimeout = 60000 } or {}
  db = liga.connect(url, options)
  Note = db:define("Note" .. id, { text = liga.TEXT, data = liga.JSON }, { timestamps = false })
  Note:sync { force = true }
  for i = 1, 8 do Note:create { text = "note " .. i, data = { i } } end
  walk = Note:each { batch = 2 }
  walk()
  pcall(db.transaction, db, function()
    Note:create { text = "undone" }
    error "no"
  end)
  if id % 2 == 0 or url:find ":memory:" then return end
  waiting = coroutine.create(function() db:transaction({ mode = "deferred" }, coroutine.yield) end)
  assert(coroutine.resume(waiting))
end

--- The database is as it was left, and usable.
function scenario.again()
  collectgarbage()
  assert(Note:count() == 8)
  assert(Note:findOne { where = { text = "note 3" } }.data[1] == 3)
  assert(walk().text == "note 2")
  local note = Note:create { text = "more" }
  note:destroy()
end

--- Opens a transaction with a row in it, for a child to be made meanwhile.
function scenario.begin()
  open_transaction = db:transaction()
  Note:create({ text = "of a transaction" }, { transaction = open_transaction })
end

--- Ends it: what the child did must not matter.
function scenario.commit()
  Note:create({ text = "another" }, { transaction = open_transaction })
  open_transaction:commit()
  assert(Note:count() == 10)
  Note:destroy { where = { text = { "of a transaction", "another" } } }
end

--- Leaves statements on their way to a server, for a child to be made before their answers are here.
function scenario.ask(url)
  if not url:find "^postgres" then return end
  looping = liga.connect(url, { wait = function(...) coroutine.yield(...) return true end })
  local Late = looping:define(Note.name, { text = liga.TEXT }, { timestamps = false })
  Late:hasMany(Late, { as = "others", inverse = { as = "one" }, foreignKey = "id" })
  asking = {
    coroutine.create(function() answers[1] = looping:query("SELECT 1 AS it FROM pg_sleep(0.3)")[1].it end),
    coroutine.create(function() answers[2] = looping:query("SELECT 2 AS it FROM pg_sleep(0.3)")[1].it end),
    coroutine.create(function()           -- in a snapshot, which a coroutine that is left would end
      local slowly = liga.literal "(pg_sleep(0.025)::text = '')"
      answers[3] = #Late:findAll { include = "others", where = slowly }
    end),
  }
  for _, asker in ipairs(asking) do
    for _ = 1, 30 do                    -- first the connection is opened
      assert(coroutine.resume(asker))
      db:query "SELECT pg_sleep(0.001)"
    end
  end
end

--- The answers are this process's own, whatever its child did.
function scenario.hear()
  for i, asker in ipairs(asking) do
    while coroutine.status(asker) ~= "dead" do
      assert(coroutine.resume(asker))
      db:query "SELECT pg_sleep(0.01)"
    end
    assert(answers[i] == ({ 1, 2, 8 })[i])
  end
  asking = {}
  if looping then looping:close() end
end

--- In a child by fork: whatever talks to the database is refused, and what only lets go is not.
function scenario.child()
  local refused = {
    count = function() Note:count() end,
    create = function() Note:create { text = "of a child" } end,
    query = function() db:query "SELECT 1" end,
    ping = function() db:ping() end,
    transaction = function() db:transaction(function() end) end,
    each = function() repeat until not walk() end,
    commit = open_transaction and function() open_transaction:commit() end,
  }
  for name, call in pairs(refused) do
    local ok, problem = pcall(call)
    assert(not ok, name .. " was not refused")
    assert(liga.isError(problem, "UsageError") and problem.message:find "fork", tostring(problem))
  end
  if not waiting then db:close() end
  collectgarbage()
end

--- In a child: waits until the answers of its parent are here, and takes none.
function scenario.overhear(url)
  if #asking == 0 then return end
  local own <close> = liga.connect(url)
  own:query "SELECT pg_sleep(0.4)"
  local ok, problem = coroutine.resume(asking[1])
  assert(not ok and liga.isError(problem, "UsageError"), tostring(problem))
  coroutine.close(asking[2])
end

--- In a child: a connection of its own is as good as any.
function scenario.own(url)
  local own <close> = liga.connect(url)
  assert(own:query("SELECT 1 AS one")[1].one == 1)
end

return scenario
