-- Lua's collector and long lists: what a load makes is looked through when the next one begins, not while it is made.
local support = require "spec.support"

--- A program of its own, with a small heap: the collector begins a cycle when that has grown by half. `mark()` makes
--- garbage and returns a function that tells whether it is still there.
local program = [[
  local liga = require "liga"
  local db <close> = liga.connect(%q)
  local attributes = { text = liga.TEXT }
  for i = 1, 12 do attributes["n" .. i] = { type = liga.INTEGER, defaultValue = i } end
  local Note = db:define("Note", attributes, { tableName = "notes", timestamps = false })
  Note:sync { force = true }
  local list = {}
  for i = 1, 12000 do list[i] = { text = "note " .. i } end
  local function mark()
    collectgarbage()
    local garbage = setmetatable({ {} }, { __mode = "v" })
    return function() return garbage[1] ~= nil end
  end
  collectgarbage("incremental", 150)
  local function heap() return collectgarbage "count" end
  Note:bulkCreate(list)
  %s
  Note:drop()]]

local cases = {
  ["is none of the collector's business until the next one"] = [[
    local there, before = mark(), heap()
    local notes = Note:findAll()
    assert(heap() > 1.8 * before, "too little to prove anything")
    assert(there(), "a cycle ended while the list was made")
    notes = Note:findAll()
    assert(not there() and #notes == 12000)]],
  ["made by bulkCreate is none, too"] = [[
    local there, before = mark(), heap()
    list = Note:bulkCreate(list)
    assert(heap() > 1.8 * before, "too little to prove anything")
    assert(there() and #list == 12000)]],
  ["does not let the heap grow from one to the next"] = [[
    local first, most
    for _ = 1, 20 do
      local notes = Note:findAll()
      assert(#notes == 12000)
      first, most = first or heap(), math.max(most or 0, heap())
    end
    assert(most < 1.5 * first, ("%%d KB, then %%d"):format(first, most))]],
  ["leaves a collector alone that was stopped"] = [[
    local there = mark()
    collectgarbage "stop"
    for _ = 1, 3 do assert(#Note:findAll() == 12000) end
    assert(there() and not collectgarbage "isrunning")
    collectgarbage "restart"]],
  ["is taken in short pieces as any other garbage"] = [[
    local there = mark()
    for _ = 1, 200 do assert(#Note:findAll { limit = 200 } == 200) end
    assert(not there())]],
}

local function run(code)
  local script = os.tmpname()
  local file <close> = assert(io.open(script, "w"))
  file:write(code)
  file:close()
  local pipe = assert(io.popen(("exec 2>&1; lua5.4 %s"):format(script)))
  local output = pipe:read "a"
  local fine = pipe:close()
  os.remove(script)
  return fine, output
end

for engine in support.engines() do
  describe("a load of many rows on " .. engine.name, function()
    for what, body in pairs(cases) do
      it(what, function() assert(run(program:format(engine.url, body))) end)
    end
  end)
end
