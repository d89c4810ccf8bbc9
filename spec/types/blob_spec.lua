-- BLOB: bytes (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("bytes on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

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
