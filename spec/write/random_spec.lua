-- Random schemas and random steps on them (writes of rows and associations, nested, in transactions and savepoints that
-- may be rolled back, and reads between them), each compared with a database of plain Lua tables that follows the
-- contract row by row. A failure names its seed; LIGA_SEED=n runs that one alone, LIGA_CASES=n that many seeds.
local schema = require "spec.support.random.schema"
local support = require "spec.support"
local World = require "spec.support.random.world"

local STEPS, READS = 40, 12

--- How often which step is taken.
local weights = {
  rows = { create = 4, save = 2, updateWhere = 1, increment = 1, destroy = 1, destroyWhere = 0.5, restore = 1,
    bulkCreate = 2, upsert = 1, findOrCreate = 1 },
  links = { set = 4, addMultiple = 4, removeMultiple = 2, add = 2, remove = 2, setOne = 4, create = 4, read = 2 },
  nested = { nested = 3 },
}

--- A function that gives random steps of a list of {step, weight}.
local function chooser(list)
  local total = 0
  for _, each in ipairs(list) do total = total + each.weight end
  return function(w)
    local left = math.random() * total
    for _, each in ipairs(list) do
      left = left - each.weight
      if left < 0 then return each.step(w) end
    end
  end
end

local function weighted_steps()
  local list = {}
  for file, names in pairs(weights) do
    local steps = require("spec.support.random." .. file)
    for name, weight in pairs(names) do
      list[#list + 1] = { name = file .. "." .. name, step = steps[name], weight = weight }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)         -- a seed gives the same steps, always
  return list
end

local next_write = chooser(weighted_steps())
local reads = require "spec.support.random.reads"
local function next_read(w) return schema.pick { reads.find, reads.linked, reads.scoped }(w) end

local function play(engine, seed)
  local db <close> = engine:open()
  local world = World.new(db, seed, next_write)
  world:go(STEPS, 0)
  world.next_step = next_read
  world:go(READS, 2)
end

local wanted, asked = tonumber(os.getenv "LIGA_SEED"), tonumber(os.getenv "LIGA_CASES")
local seeds = { memory = 120, file = 25, server = 40 }

for engine in support.engines() do
  describe("random steps on " .. engine.name, function()
    it("do what they do to plain tables", function()
      for seed = wanted or 1, wanted or asked or seeds[engine.kind] do play(engine, seed) end
    end)
  end)
end
