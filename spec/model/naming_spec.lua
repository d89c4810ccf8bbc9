-- Names of tables and columns (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("names on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function table_of(name, options) return db:define(name, {}, options).tableName end

    it("of tables are the plural of the model", function()
      assert.equal("Users", table_of("User"))
      assert.equal("Categories", table_of("Category"))
      assert.equal("Boxes", table_of("Box"))
      assert.equal("Addresses", table_of("Address"))
    end)

    it("of tables know irregular and uncountable English words", function()
      assert.equal("People", table_of("Person"))
      assert.equal("Children", table_of("Child"))
      assert.equal("Sheep", table_of("Sheep"))
    end)

    it("of tables use the words that were added to the inflection", function()
      liga.inflect.irregular("cactus", "cacti")
      liga.inflect.uncountable("plankton")
      assert.equal("cacti", table_of("cactus"))
      assert.equal("plankton", table_of("plankton"))
    end)

    it("of tables can be given", function()
      local Person = db:define("Person", { name = liga.STRING }, { tableName = "the staff" })
      db:sync()
      Person:create{ name = "ann" }
      assert.equal("ann", db:query('SELECT name FROM "the staff"')[1].name)
    end)

    it("of tables are the model's with freezeTableName", function()
      assert.equal("Person", table_of("Person", { freezeTableName = true }))
    end)

    it("of tables follow the plural given in name", function()
      assert.equal("taskz", table_of("Task", { name = { singular = "task", plural = "taskz" } }))
    end)

    it("are snake_case in the database with underscored", function()
      local LineItem = db:define("LineItem", { unitPrice = liga.INTEGER }, { underscored = true })
      assert.equal("line_items", LineItem.tableName)
      assert.equal("unit_price", LineItem.attributes.unitPrice.columnName)
      assert.equal("created_at", LineItem.attributes.createdAt.columnName)
      db:sync()
      assert.equal(5, LineItem:create{ unitPrice = 5 }.unitPrice)
      assert.equal(5, db:query("SELECT unit_price FROM line_items")[1].unit_price)
    end)

    it("given as columnName win over underscored", function()
      local Item = db:define("Item", { unitPrice = { type = liga.INTEGER, columnName = "UP" } }, { underscored = true })
      assert.equal("UP", Item.attributes.unitPrice.columnName)
    end)

    it("are quoted, so that reserved words and odd characters do no harm", function()
      local Order = db:define("Order", {
        ["select"] = liga.INTEGER,
        ["with blank"] = liga.INTEGER,
        ['with "quotes"'] = liga.INTEGER,
        ["x; DROP TABLE t --"] = liga.INTEGER,
      }, { tableName = 'a "strange" table', timestamps = false })
      db:sync()
      local values = { ["select"] = 1, ["with blank"] = 2, ['with "quotes"'] = 3, ["x; DROP TABLE t --"] = 4 }
      local id = Order:create(values).id
      values.id = id
      assert.same(values, Order:findByPk(id):toTable())
      assert.equal(1, Order:count{ where = { ['with "quotes"'] = 3 }, order = { "select" } })
    end)
  end)
end
