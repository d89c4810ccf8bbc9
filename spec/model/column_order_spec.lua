-- The order of columns follows the source (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the order of columns on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function order(attributes)
      local names = {}
      for _, attribute in ipairs(db:define("Thing", attributes, { timestamps = false }).attributes) do
        if attribute.name ~= "id" then names[#names + 1] = attribute.name end
      end
      return names
    end

    it("is that of the types in the source", function()
      assert.same({ "zebra", "apple", "mango", "banana", "kiwi" }, order{
        zebra = liga.INTEGER,
        apple = liga.STRING,
        mango = liga.DECIMAL(10, 2),
        banana = { type = liga.STRING(40), allowNull = false },
        kiwi = liga.ENUM{ "green", "gold" },
      })
    end)

    it("is the same when the types are taken from liga.types", function()
      local t = liga.types
      assert.same({ "z", "a", "m" }, order{ z = t.INTEGER, a = t.STRING(10), m = t.TEXT })
    end)

    it("is that of the list where a list is given", function()
      local INTEGER = liga.INTEGER
      assert.same({ "z", "a", "m" }, order{ { "z", INTEGER }, { "a", INTEGER }, { "m", { type = INTEGER } } })
    end)

    it("is key first, then by name, where one descriptor is shared", function()
      local INTEGER = liga.INTEGER
      assert.same({ "key", "a", "m", "z" }, order{
        z = INTEGER, a = INTEGER, m = INTEGER, key = { type = INTEGER, primaryKey = true },
      })
    end)

    it("is that of the table in the database", function()
      local Thing = db:define("Thing", {
        zebra = { type = liga.INTEGER, primaryKey = true },
        apple = liga.INTEGER,
        mango = liga.INTEGER,
      }, { timestamps = false })
      db:sync()
      db:query('INSERT INTO "Things" VALUES (1, 2, 3)')
      assert.same({ zebra = 1, apple = 2, mango = 3 }, Thing:findOne():toTable())
    end)

    it("refuses the same name twice in a list", function()
      support.raises("UsageError", function() order{ { "a", liga.INTEGER }, { "a", liga.TEXT } } end, "a")
    end)
  end)
end
