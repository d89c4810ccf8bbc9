--- What one call costs on an SQLite database in memory, in instructions, of models that declare no hooks, scopes or
-- validators. From a checkout after `make`, with the paths of the README set (those of another checkout measure that):
--
--     lua5.4 bench/calls.lua                      (needs valgrind)
--
-- Each call is run n and 2n times in processes of its own; the difference is that of n calls.
local calls = {
  { "create", 500, function(User, i)
    User:create { name = "new", email = "n@x.org", age = i % 90, score = 1.5, active = true }
  end },
  { "findByPk", 500, function(User, i) User:findByPk(i % 1000 + 1) end },
  { "findAll{limit = 100}", 50, function(User) User:findAll { limit = 100 } end },
}

local function run(call, count)
  local liga = require "liga"
  local db = liga.connect "sqlite::memory:"
  local User = db:define("User", {
    { "name", liga.STRING }, { "email", liga.STRING }, { "age", liga.INTEGER }, { "score", liga.DOUBLE },
    { "active", liga.BOOLEAN },
  })
  db:sync()
  local rows = {}
  for i = 1, 1000 do
    rows[i] = { name = "user " .. i, email = i .. "@x.org", age = i % 90, score = i / 7, active = i % 2 == 0 }
  end
  User:bulkCreate(rows)
  collectgarbage "stop"                                   -- collections come at other moments when a table grows
  db:transaction(function()
    for i = 1, 50 + count do call(User, i) end
  end)
end

local function instructions(place, count)
  local command = "valgrind --tool=callgrind --callgrind-out-file=/dev/null lua5.4 %s %d %d 2>&1"
  local pipe <close> = assert(io.popen(command:format(arg[0], place, count)))
  local output = pipe:read "a"
  return tonumber(output:match "Collected : (%d+)") or error(output)
end

if arg[1] then return run(calls[tonumber(arg[1])][3], tonumber(arg[2])) end
for place, call in ipairs(calls) do
  local name, count = call[1], call[2]
  print(("%-22s %8d"):format(name, (instructions(place, 2 * count) - instructions(place, count)) // count))
end
