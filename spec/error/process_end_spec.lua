-- The end of a program with things left open: a clean end, and what was not committed is undone (contract, section 11).
local liga = require "liga"
local support = require "spec.support"

--- What is left open, by name: code that uses db, Note and the function leave.
local open = {
  ["a connection"] = "leave()",
  ["an unmanaged transaction"] = [[
    t = db:transaction()
    Note:create({ text = "lost" }, { transaction = t })
    point = t:savepoint "a"
    leave()]],
  ["the function of a transaction"] = [[
    db:transaction(function() Note:create { text = "lost" } leave() error "end" end)]],
  ["a nested transaction"] = [[
    db:transaction(function()
      db:transaction(function() Note:create { text = "lost" } leave() error "end" end)
    end)]],
  ["a loop over each"] = "for _ in Note:each { batch = 1 } do leave() break end",
  ["a suspended loop over each"] = [[
    loop = coroutine.create(function() for _ in Note:each { batch = 1 } do coroutine.yield() end end)
    coroutine.resume(loop)
    leave()]],
  ["a transaction in a suspended coroutine"] = [[
    waiting = coroutine.create(function()
      db:transaction(function() Note:create { text = "lost" } coroutine.yield() end)
    end)
    coroutine.resume(waiting)
    leave()]],
  ["a coroutine that is running"] = [[
    coroutine.wrap(function() db:transaction(function() Note:create { text = "lost" } leave() error "end" end) end)()]],
  ["a hook"] = [[Note:afterCreate(function() leave() error "end" end) Note:create { text = "lost" }]],
  ["a finaliser"] = [[
    setmetatable({}, { __gc = function() db:transaction(function() Note:count() end) db:close() end })
    leave()]],
}

--- How the program ends: code, and its exit status.
local endings = {
  { "os.exit(3)", 3 }, { "os.exit(3, true)", 3 }, { [[error "end"]], 1 },
}

local program = [[
  local liga = require "liga"
  db = liga.connect(%q)
  Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
  if db.dialect == "sqlite" then Note:sync() end
  Note:create { text = "kept" }
  local function leave() %s end
  %s]]

for engine in support.engines() do
  describe("the end of a program on " .. engine.name, function()
    for what, code in pairs(open) do
      it("leaves nothing behind in the middle of " .. what, function()
        local db <close> = engine:open()
        local Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
        db:sync()
        for i, ending in ipairs(endings) do
          local script = os.tmpname()
          local file = assert(io.open(script, "w"))
          file:write(program:format(engine.url, ending[1], code)):close()
          local pipe = assert(io.popen("exec lua5.4 " .. script .. " 2>&1"))
          local output = pipe:read "a"
          local _, how, status = pipe:close()
          os.remove(script)
          assert.same({ "exit", ending[2] }, { how, status }, output)
          if engine.kind ~= "memory" then assert.equal(i, Note:count()) end
        end
      end)
    end
  end)
end
