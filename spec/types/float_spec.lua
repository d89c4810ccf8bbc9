-- FLOAT, DOUBLE and REAL (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("floats on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as Lua floats, also when they are integral", function()
      for name, type in pairs { Float = liga.FLOAT, Double = liga.DOUBLE, Real = liga.REAL } do
        local Thing = db:define(name, { value = type }, { timestamps = false })
        Thing:sync()
        assert.equal(1.5, stored(Thing, 1.5))
        assert.equal(3, stored(Thing, 3))
        assert.equal("float", math.type(stored(Thing, 3)))
      end
    end)

    it("keep every bit of a double", function()
      local Thing = model_of(liga.DOUBLE)
      for _, value in ipairs { 0.1, 1 / 3, -1e300, 5e-324, math.pi } do assert.equal(value, stored(Thing, value)) end
    end)

    if engine.dialect == "postgres" then
      it("of type REAL are rounded to 32 bits, in the instance too, and refused beyond them", function()
        local Thing = model_of(liga.REAL)
        for given, kept in pairs { [0.1] = 0.1, [1 / 3] = 0.33333334, [16777217] = 16777216, [-1e38] = -1e38 } do
          assert.equal(kept, stored(Thing, given))
          assert.equal(1, Thing:count { where = { value = given } })
        end
        Thing:destroy { all = true }
        for _, value in ipairs { 1e39, -1e300, 1e-60 } do refuses(Thing, value) end
      end)
    end

    it("keep the infinities", function()
      local Thing = model_of(liga.DOUBLE)
      assert.equal(math.huge, stored(Thing, math.huge))
      assert.equal(-math.huge, stored(Thing, -math.huge))
    end)

    it("compare and order by value", function()
      local Thing = model_of(liga.DOUBLE)
      Thing:bulkCreate{ { value = 10 }, { value = 9.5 }, { value = -1 } }
      assert.same({ -1, 9.5, 10 }, support.pluck(Thing:findAll{ order = { "value" } }, "value"))
      assert.equal(2, Thing:count{ where = { value = liga.Op.gt(0) } })
    end)

    it("refuse what is no number", function()
      local Thing = model_of(liga.DOUBLE)
      for _, value in ipairs { "1.5", "abc", true, {} } do refuses(Thing, value) end
    end)

    if engine.dialect == "sqlite" then
      it("refuse NaN, which SQLite would store as NULL", function()
        refuses(model_of(liga.DOUBLE), 0 / 0)
      end)
    else
      it("keep NaN", function()
        local created = model_of(liga.DOUBLE):create{ value = 0 / 0 }
        assert.is_true(created.value ~= created.value)
      end)
    end
  end)
end
