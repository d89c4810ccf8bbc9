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

--- Finalisers run in the reverse order of their objects: this one after the database's own.
local late = [[
  local ann, User
  guard = setmetatable({}, { __gc = function()
    local uses = {
      function() return ann.name end, function() return ann:previous("name") end,
      function() return ann:changed() end,
      function() return ann:save() end, function() return ann:toTable() end, function() return tostring(ann) end,
      function() return ann:getPosts() end, function() return ann.getPosts() end,
      function() return ann.createPost() end,
      function() return User:count() end, function() return User:build { name = "ben" } end,
      function() return User:keys { 1 } end,
      function() return User:hasMany("Other") end, function() return db:define("Late", {}) end,
      function() return db:sync { dryRun = true } end,
    }
    for _, use in ipairs(uses) do
      local fine, result = pcall(use)
      io.write(fine and tostring(result) or result.name .. ": " .. result.message, "\n")
    end
  end })
  local liga = require "liga"
  db = liga.connect(%q)
  User = db:define("User", { name = liga.TEXT }, { timestamps = false })
  local Post = db:define("Post", { title = liga.TEXT }, { timestamps = false })
  User:hasMany(Post)
  ann = User:build { name = "ann" }
]]

local function run(code)
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(code):close()
  local pipe = assert(io.popen("exec lua5.4 " .. script .. " 2>&1"))
  local output = pipe:read "a"
  local _, how, status = pipe:close()
  os.remove(script)
  return output, how, status
end

for engine in support.engines() do
  describe("the end of a program on " .. engine.name, function()
    it("shows a closed database to finalisers that run after its own", function()
      local output, how, status = run(late:format(engine.url))
      assert.same({ "exit", 0 }, { how, status }, output)
      local lines = {}
      for line in output:gmatch "[^\n]+" do lines[#lines + 1] = line end
      assert.same("ann", table.remove(lines, 1))
      assert.equal(14, #lines, output)
      for _, line in ipairs(lines) do assert.equal("UsageError: the database is closed", line) end
    end)

    for what, code in pairs(open) do
      it("leaves nothing behind in the middle of " .. what, function()
        local db <close> = engine:open()
        local Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
        db:sync()
        for i, ending in ipairs(endings) do
          local output, how, status = run(program:format(engine.url, ending[1], code))
          assert.same({ "exit", ending[2] }, { how, status }, output)
          if engine.kind ~= "memory" then assert.equal(i, Note:count()) end
        end
      end)
    end
  end)
end
