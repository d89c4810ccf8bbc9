-- BLOB: bytes (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("bytes on " .. engine.name, function()
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

    it("are read as they were written, all 256 of them", function()
      local bytes = {}
      for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
      local all = table.concat(bytes)
      assert.equal(all, stored(model_of(liga.BLOB), all))
    end)

    it("may be none, which is not NULL", function()
      local Thing = model_of(liga.BLOB)
      assert.equal("", stored(Thing, ""))
      assert.equal(0, Thing:count{ where = { value = liga.null } })
    end)

    it("can be searched for", function()
      local Thing = model_of(liga.BLOB)
      Thing:bulkCreate{ { value = "a\0b" }, { value = "a\0c" } }
      assert.equal(1, Thing:count{ where = { value = "a\0b" } })
    end)

    it("are given as a string, nothing else", function()
      local Thing = model_of(liga.BLOB)
      refuses(Thing, true)
      refuses(Thing, { 1, 2 })
    end)
  end)
end
