-- BOOLEAN (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("booleans on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as true and false", function()
      local Thing = model_of(liga.BOOLEAN)
      assert.is_true(stored(Thing, true))
      assert.is_false(stored(Thing, false))
    end)

    it("are distinct from NULL", function()
      local Thing = model_of(liga.BOOLEAN)
      Thing:bulkCreate{ { value = false }, { value = liga.null } }
      assert.equal(1, Thing:count{ where = { value = false } })
      assert.equal(0, Thing:count{ where = { value = true } })
      assert.equal(1, Thing:count{ where = { value = liga.null } })
    end)

    it("can be part of a key", function()
      local Flag = db:define("Flag", { on = { type = liga.BOOLEAN, primaryKey = true },
        n = { type = liga.INTEGER, primaryKey = true } }, { timestamps = false })
      Flag:sync()
      Flag:bulkCreate{ { on = false, n = 1 }, { on = true, n = 1 } }
      assert.is_false(Flag:findByPk{ false, 1 }.on)
      assert.equal(2, #Flag:findByPks{ { false, 1 }, { on = true, n = 1 } })
      assert.equal(1, Flag:count{ where = Flag:keys{ { false, 1 } } })
    end)

    it("refuse numbers and strings", function()
      local Thing = model_of(liga.BOOLEAN)
      for _, value in ipairs { 1, 0, "true", "f", "", {} } do refuses(Thing, value) end
    end)
  end)
end
