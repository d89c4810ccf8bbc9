-- Random calls of everything public (the methods are found by walking the objects), with right arguments and with such
-- of which one part is rubbish, at random places: in coroutines, transactions, hooks, finalizers, loops. Each succeeds
-- or raises an error of liga's, or the caller's own as it is; afterwards the database works, no transaction is open, no
-- connection missing, and the models are what they were. A failure names its seed; LIGA_SEED=n runs that one alone,
-- LIGA_CASES=n that many calls on each engine.
local Player = require "spec.support.monkey.player"
local support = require "spec.support"

local STEPS = 60

local wanted, asked = tonumber(os.getenv "LIGA_SEED"), tonumber(os.getenv "LIGA_CASES")
local seeds = { memory = 8, file = 2, server = 3 }

for engine in support.engines() do
  describe("random calls on " .. engine.name, function()
    it("succeed, or raise an error that says what is wrong", function()
      local player, faults = Player.new(engine), {}
      local last = wanted or asked and math.ceil(asked / STEPS) or seeds[engine.kind]
      for seed = wanted or 1, last do
        player:play(seed, STEPS, function(text) faults[#faults + 1] = text end)
      end
      assert.same({}, faults)
    end)
  end)
end
