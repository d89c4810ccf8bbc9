--- Limits of loading trees that are no workloads (README.md: Limits):
---   lua5.4 bench/limits.lua               times: the least CPU seconds of several processes (SQLite)
---   lua5.4 bench/limits.lua --callgrind   instructions, less those of a process that only opens the file
---   lua5.4 bench/limits.lua URL           the second on a PostgreSQL server: the least wall seconds of 30 turns
---
--- tree   1,000 parents, 10 children each, 10 grandchildren each, beside the same level queries in C; the children of a
---        parent are spread over their table, as they are where they come over time
--- near   the same where they lie side by side, which is the least work for the engine
--- rows   of both: plain tables of the same statements, in no tree (bare_sqlite.c): no library for Lua takes less
--- top    the 3 best of the 300 items of each of 100 groups, beside the best SQL written by hand (SQLite: a prepared
---        statement bound for each group; PostgreSQL: LATERAL)
--- plan   building plan and SQL for 5 includes, microseconds
local here = arg[0]:match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path

local build = here .. "../build/bench"
local files = { spread = build .. "/limits.sqlite", near = build .. "/limits_near.sqlite" }
local goals = { tree = 2.4, top = 3, plan = 40 }

local function models(db)
  local liga = require "liga"
  local function rows(name, tableName)
    return db:define(name, {
      { "above", liga.BIGINT }, { "a", liga.INTEGER }, { "name", liga.TEXT }, { "b", liga.DOUBLE },
    }, { tableName = tableName, timestamps = false })
  end
  local Parent, Child = rows("Parent", "parents"), rows("Child", "children")
  local Grandchild = rows("Grandchild", "grandchildren")
  local Group = db:define("Group", { { "name", liga.TEXT } }, { tableName = "groups", timestamps = false })
  local Item = rows("Item", "items")
  Parent:hasMany(Child, { as = "children", foreignKey = "above", inverse = { as = "parent" } })
  Child:hasMany(Grandchild, { as = "grandchildren", foreignKey = "above", inverse = { as = "parent" } })
  Group:hasMany(Item, { as = "items", foreignKey = "above", inverse = { as = "group" } })
  return { Parent = Parent, Group = Group, Item = Item }
end

local best_three = { include = { items = { order = { "-a", "id" }, limit = 3 } } }
local workloads = {
  tree = function(defined)
    local parents = defined.Parent:findAll{ include = { children = { include = "grandchildren" } } }
    local rows = #parents
    for _, parent in ipairs(parents) do
      rows = rows + #parent.children
      for _, child in ipairs(parent.children) do rows = rows + #child.grandchildren end
    end
    return rows
  end,
  top = function(defined)
    local groups = defined.Group:findAll(best_three)
    local rows = #groups
    for _, group in ipairs(groups) do rows = rows + #group.items end
    return rows
  end,
  nothing = function() return 0 end,
}
workloads.near = workloads.tree

local function module(name)
  return assert(package.loadlib(("%s/%s.so"):format(build, name), "luaopen_bench_" .. name))()
end

--- Times an action that counts rows, in a process of its own.
local function timed(action)
  local times = module "clock"
  local _, before = times(0)
  local rows = action()
  local _, after = times(0)
  print(("rows=%d cpu=%.9f"):format(rows, after - before))
  io.stdout:flush()
  os.exit(true, false)          -- neither measure holds the end of the process: the floor does not free its rows either
end

--- One workload of liga on the file.
local function work(name)
  local db <close> = require "liga".connect("sqlite:" .. (files[name] or files.spread))
  local defined = models(db)
  timed(function() return workloads[name](defined) end)
end

--- The rows of a tree's three statements.
local function bare_rows(name)
  local db = module "bare"(files[name] or files.spread)
  local columns, class = { "id", "above", "a", "name", "b" }, {}
  local below = " WHERE above IN (SELECT value FROM json_each(?)) ORDER BY above, id"
  local function keys_of(rows) return "[" .. require "levels".keysOf(rows, "id") .. "]" end
  local function read(from, ...)
    return db:prepare("SELECT id, above, a, name, b FROM " .. from, columns, class):all(...)
  end
  timed(function()
    if name == "nothing" then return 0 end
    local parents = read "parents"
    local children = read("children" .. below, keys_of(parents))
    return #parents + #children + #read("grandchildren" .. below, keys_of(children))
  end)
end

-- SQLite -------------------------------------------------------------------------------------------------------------

local function output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  return pipe:read "a"
end

local programs = {
  c = function(name)
    return ("%s/limits_sqlite %s %s"):format(build, files[name] or files.spread, name == "near" and "tree" or name)
  end,
  rows = function(name) return ("lua5.4 %s --rows %s"):format(arg[0], name) end,
  liga = function(name) return ("lua5.4 %s --work %s"):format(arg[0], name) end,
}

local function instructions(program, name)
  local function counted(what)
    local output = output_of("valgrind --tool=callgrind --callgrind-out-file=/dev/null " .. programs[program](what))
    return tonumber(output:match "Collected : (%d+)") or error(output, 0)
  end
  return counted(name) - counted "nothing"
end

local function least_seconds(program, name)
  local least = math.huge
  for _ = 1, 9 do
    local output = output_of(programs[program](name))
    least = math.min(least, tonumber(output:match "cpu=(%S+)") or error(output, 0))
  end
  return least
end

local function tell(name, floor, liga, unit)
  local goal = goals[name] and (" (at most %.1f)"):format(goals[name]) or ""
  print(("%-5s floor %.4g, liga %.4g %s: %.2f%s"):format(name, floor, liga, unit, liga / floor, goal))
end

local function on_sqlite(measure, unit, scale)
  for _, name in ipairs{ "tree", "near", "top" } do
    local floor = measure("c", name) / scale
    tell(name, floor, measure("liga", name) / scale, unit)
    if name ~= "top" then print(("      plain rows: %.2f"):format(measure("rows", name) / scale / floor)) end
  end
end

-- PostgreSQL ---------------------------------------------------------------------------------------------------------

local lateral = [[SELECT g.id AS group_id, g.name AS group_name, i.* FROM groups g
  LEFT JOIN LATERAL (SELECT * FROM items WHERE above = g.id ORDER BY a DESC, id LIMIT 3) i ON true
  ORDER BY g.id, i.a DESC, i.id]]

local function least_of(times, turns, action)
  local least = math.huge
  for _ = 1, turns do
    local before = times(0)
    action()
    least = math.min(least, times(0) - before)
  end
  return least
end

local function on_postgres(url)
  local times = module "clock"
  local db <close> = require "liga".connect(url)
  local defined = models(db)
  db:sync{ force = true }
  db:query "INSERT INTO groups (id, name) SELECT i, 'group number ' || i FROM generate_series(1, 100) i"
  db:query [[INSERT INTO items (id, above, a, name, b)
    SELECT i, (i - 1) / 300 + 1, i * 7919 % 1000, 'item number ' || i, i / 7.0 FROM generate_series(1, 30000) i]]
  db:query "CREATE INDEX items_above ON items (above, a)"
  db:query "ANALYZE"
  local by_hand = least_of(times, 30, function() db:query(lateral) end)
  local by_liga = least_of(times, 30, function() assert(workloads.top(defined) == 400) end)
  tell("top", by_hand * 1000, by_liga * 1000, "ms")
  db:drop()
end

-- Plans --------------------------------------------------------------------------------------------------------------

--- A call that is written but not run reads its options, plans everything and renders the first statement.
local function plans()
  for _, dialect in ipairs{ "sqlite", "postgres" } do
    local database = require "liga.database"
    local liga = require "liga"
    local db = database.dry(dialect)
    local defined = models(db)
    defined.Item:hasMany(defined.Parent, { as = "parents", foreignKey = "above", inverse = { as = "item" } })
    defined.Item:hasOne(defined.Group, { as = "named", foreignKey = "itemId", inverse = { as = "origin" } })
    local find = { where = { name = { [liga.Op.like] = "g%" } }, limit = 10, include = {
      items = { include = { named = {}, parents = { include = { children = { include = "grandchildren" } } } } } } }
    local before = os.clock()
    for _ = 1, 20000 do defined.Group:findAll(find) end
    local each = (os.clock() - before) / 20000 * 1e6
    print(("plan  %s: %.1f µs for 5 includes (at most %d)"):format(dialect, each, goals.plan))
  end
end

local function main(first, second)
  if first == "--work" then return work(second) end
  if first == "--rows" then return bare_rows(second) end
  assert(os.execute(("make -s -f %sMakefile SOURCE=%s BUILD=%s limits"):format(here, (here:gsub("/$", "")), build)))
  if first and not first:find "^%-" then return on_postgres(first) end
  for file, how in pairs{ [files.spread] = "make", [files.near] = "near" } do
    os.remove(file)
    output_of(("%s/limits_sqlite %s %s"):format(build, file, how))
  end
  if first == "--callgrind" then on_sqlite(instructions, "million instructions", 1e6)
  else on_sqlite(least_seconds, "ms", 1e-3) end
  plans()
end

main(...)
