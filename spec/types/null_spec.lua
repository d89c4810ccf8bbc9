-- NULL of any type: nil, an absent key (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

local TYPES = {
  "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "REAL", "BOOLEAN", "STRING", "TEXT", "UUID", "DATE", "DATEONLY",
  "TIME",
  "BLOB", "JSON", "JSONB",
}

for engine in support.engines() do
  describe("NULL on " .. engine.name, function()
    local db, Thing
    before_each(function()
      db = engine:open()
      local attributes = { amount = liga.DECIMAL(10, 2), state = liga.ENUM{ "a" }, code = liga.CHAR(3) }
      for _, name in ipairs(TYPES) do attributes["a" .. name:lower()] = liga[name] end
      Thing = db:define("Thing", attributes, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("is an absent key, whatever the type", function()
      local created = Thing:create{}
      local read = Thing:findByPk(created.id)
      local keys = {}
      for key in pairs(read) do keys[#keys + 1] = key end
      assert.same({ "id" }, keys)
    end)

    it("is written as liga.null, whatever the type", function()
      local values = { amount = liga.null, state = liga.null, code = liga.null }
      for _, name in ipairs(TYPES) do values["a" .. name:lower()] = liga.null end
      local created = Thing:create(values)
      assert.same({ id = created.id }, Thing:findByPk(created.id):toTable())
      assert.is_nil(created.ainteger)
    end)

    it("is found with liga.null", function()
      Thing:create{ atext = "here" }
      local none = Thing:create{}
      assert.same({ none.id }, support.pluck(Thing:findAll{ where = { atext = liga.null } }, "id"))
    end)
  end)
end
