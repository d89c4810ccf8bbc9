-- BOOLEAN (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("booleans on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    --- A model with one attribute `value` of this type, its table made.
    local function model_of(type)
      local Thing = db:define("Thing", { value = type }, { timestamps = false })
      Thing:sync()
      return Thing
    end

    --- What the database gives back for a stored value; the created instance must hold the same.
    local function stored(Thing, value)
      local created = Thing:create{ value = value }
      local read = Thing:findByPk(created.id)
      assert.same(read.value, created.value)
      return read.value
    end

    local function refuses(Thing, value)
      local e = support.raises("ValidationError", function() Thing:create{ value = value } end, "value")
      assert.equal("Thing", e.model)
      assert.equal("value", e.attribute)
      assert.equal(0, Thing:count())
    end

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

    it("refuse numbers and strings", function()
      local Thing = model_of(liga.BOOLEAN)
      for _, value in ipairs { 1, 0, "true", "f", "", {} } do refuses(Thing, value) end
    end)
  end)
end
