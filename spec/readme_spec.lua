--- The examples of README.md: each goes on from the first one, alone or behind all before it, and prints what stands
--- behind `-->`.
local cli = require "spec.cli.support"
local support = require "spec.support"

local function blocks()
  local file <close> = assert(io.open "README.md")
  local list = {}
  for code in file:read("a"):gmatch "\n```lua\n(.-)\n```" do list[#list + 1] = code end
  return list
end

--- Words of what is printed, whatever stands between them.
local function words(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

local function expected_of(code)
  local lines = {}
  for line in code:gmatch "%-%->%s*([^\n]*)" do lines[#lines + 1] = words(line) end
  return lines
end

--- Runs a program.
-- @param url of the database it connects to, in place of its own
-- @return lines it printed
local function run(code, url)
  local lines = {}
  local env = setmetatable({ print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    lines[#lines + 1] = words(table.concat(parts, " "))
  end }, { __index = _G })
  local place = code:gsub('"sqlite::memory:"', function() return ("%q"):format(url) end)
  assert(load(place, "README.md", "t", env))()
  return lines
end

local first, features = nil, {}
for i, code in ipairs(blocks()) do
  if i == 1 then first = code else features[#features + 1] = code end
end

describe("README.md", function()
  it("has ten examples and one of loading, each of which prints something", function()
    assert.equal(11, #features)
    for _, code in ipairs(features) do assert.is_truthy(code:find("-->", 1, true)) end
  end)

  it("leads to every page of the guide", function()
    local file <close> = assert(io.open "README.md")
    local text = file:read "a"
    for page in io.popen("ls docs/guide"):lines() do
      assert.is_truthy(text:find("(docs/guide/" .. page .. ")", 1, true), page)
    end
  end)

  it("can be pasted into the console", function()
    local out, problems = cli.liga({ "console", "sqlite::memory:", "--no-sql" }, table.concat(blocks(), "\n"))
    assert.equal("", problems)
    local shown, from = words(out), 1
    for _, line in ipairs(expected_of(table.concat(features, "\n"))) do
      local at, behind = shown:find(line, from, true)
      assert.is_truthy(at, line)
      from = behind
    end
  end)

  --- Runs a text behind the first example, on an empty database.
  local function check(engine, code)
    if engine.kind ~= "memory" then
      local db <close> = engine:open()
      db:queryInterface():dropAllTables()
    end
    assert.same(expected_of(code), run(first .. "\n" .. code, engine.url))
  end

  for engine in support.engines() do
    for i, code in ipairs(features) do
      it(("example %d runs on %s"):format(i, engine.name), function() check(engine, code) end)
    end
    it("all examples run one after the other on " .. engine.name, function()
      check(engine, table.concat(features, "\n"))
    end)
  end
end)
