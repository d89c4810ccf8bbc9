-- A key is always a list: composite keys work everywhere, and a model may have none (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a composite primary key on " .. engine.name, function()
    local db, Stock
    before_each(function()
      db = engine:open()
      Stock = db:define("Stock", {
        { "shopId", { type = liga.INTEGER, primaryKey = true } },
        { "sku", { type = liga.STRING(20), primaryKey = true } },
        { "amount", liga.INTEGER },
      }, { timestamps = false })
      db:sync()
      Stock:bulkCreate{
        { shopId = 1, sku = "pen", amount = 10 }, { shopId = 1, sku = "ink", amount = 20 },
        { shopId = 2, sku = "pen", amount = 30 },
      }
    end)
    after_each(function() db:close() end)

    it("is a list of attribute names", function()
      assert.same({ "shopId", "sku" }, Stock.primaryKey)
    end)

    it("finds a row by the list of its values", function()
      assert.equal(30, Stock:findByPk{ 2, "pen" }.amount)
      assert.is_nil(Stock:findByPk{ 2, "ink" })
    end)

    it("finds a row by a table of names", function()
      assert.equal(20, Stock:findByPk{ shopId = 1, sku = "ink" }.amount)
    end)

    it("refuses a wrong number of values", function()
      support.raises("UsageError", function() Stock:findByPk(1) end)
      support.raises("UsageError", function() Stock:findByPk{ 1 } end)
      support.raises("UsageError", function() Stock:findByPk{ 1, "pen", 3 } end)
      support.raises("UsageError", function() Stock:findByPk{ shopId = 1 } end, "sku")
    end)

    it("finds rows in the order of the keys, leaving out those that are missing", function()
      local rows = Stock:findByPks{ { 2, "pen" }, { 7, "cap" }, { shopId = 1, sku = "pen" } }
      assert.same({ 30, 10 }, support.pluck(rows, "amount"))
    end)

    it("can be a condition", function()
      local rows = Stock:findAll{ where = Stock:keys{ { 1, "pen" }, { 2, "pen" }, { 3, "pen" } } }
      assert.same({ 10, 30 }, support.sorted(rows, "amount"))
    end)

    it("can be part of one, negated, in a group, and in writes", function()
      local some = Stock:keys{ { 1, "ink" }, { 2, "pen" } }
      assert.same({ 20 }, support.sorted(Stock:findAll{ where = { some, shopId = 1 } }, "amount"))
      assert.same({ 10 }, support.sorted(Stock:findAll{ where = { [liga.Op.not_] = some } }, "amount"))
      assert.equal(3, Stock:count{ where = { [liga.Op.or_] = { some, { amount = 10 } } } })
      assert.equal(2, Stock:update({ amount = 1 }, { where = some }))
      assert.equal(0, Stock:count{ where = Stock:keys{} })
      assert.equal(0, Stock:destroy{ where = Stock:keys{} })
    end)

    it("refuses values that are none of the key's", function()
      local e = support.raises("ValidationError", function()
        Stock:findAll{ where = Stock:keys{ { 1, "a" }, { {}, "b" } } }
      end, "Stock.shopId")
      assert.equal("where.shopId", e.path)
      support.raises("UsageError", function() Stock:findAll{ where = Stock:keys{ { 1, "a" }, { 1, liga.null } } } end)
    end)

    it("can be one of tens of thousands", function()
      local keys = {}
      for i = 1, 33000 do keys[i] = { i, "pen" } end
      assert.equal(2, Stock:count{ where = Stock:keys(keys) })
      assert.same({ 10, 30 }, support.pluck(Stock:findByPks(keys), "amount"))
      assert.equal(2, Stock:update({ amount = 0 }, { where = Stock:keys(keys) }))
    end)

    it("refuses the same pair twice, not the same part", function()
      local e = support.raises("UniqueConstraintError", function() Stock:create{ shopId = 1, sku = "pen" } end)
      assert.same({ "shopId", "sku" }, e.attributes)
      Stock:create{ shopId = 2, sku = "ink" }
      assert.equal(4, Stock:count())
    end)

    it("carries save, reload and destroy", function()
      local pens = Stock:findByPk{ 1, "pen" }
      pens.amount = 11
      pens:save()
      assert.equal(11, Stock:findByPk{ 1, "pen" }:reload().amount)
      pens:destroy()
      assert.is_nil(Stock:findByPk{ 1, "pen" })
      assert.equal(2, Stock:count())
    end)

    it("carries increment", function()
      Stock:findByPk{ 2, "pen" }:increment("amount", { by = 5 })
      assert.same({ 10, 20, 35 }, support.sorted(Stock:findAll(), "amount"))
    end)

    it("decides which instances are the same row", function()
      assert.is_true(Stock:findByPk{ 1, "pen" } == Stock:findByPk{ shopId = 1, sku = "pen" })
      assert.is_false(Stock:findByPk{ 1, "pen" } == Stock:findByPk{ 2, "pen" })
    end)

    it("orders the batches of each", function()
      local seen = {}
      for row in Stock:each{ batch = 1 } do seen[#seen + 1] = row.shopId .. row.sku end
      assert.same({ "1ink", "1pen", "2pen" }, seen)
    end)

    it("raises InstanceError on an instance that was read without its full key", function()
      local row = Stock:findOne{ attributes = { "shopId", "amount" } }
      row.amount = 1
      support.raises("InstanceError", function() row:save() end, "sku")
      support.raises("InstanceError", function() row:destroy() end, "sku")
      support.raises("InstanceError", function() row:reload() end, "sku")
    end)
  end)

  describe("a model without primary key on " .. engine.name, function()
    local db, Entry
    before_each(function()
      db = engine:open()
      Entry = db:define("Entry", { text = liga.TEXT }, { primaryKey = false, timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("has no id", function()
      assert.same({}, Entry.primaryKey)
      assert.is_nil(Entry.attributes.id)
    end)

    it("can be written and read", function()
      Entry:create{ text = "a" }
      Entry:bulkCreate{ { text = "b" }, { text = "b" } }
      assert.same({ "a", "b", "b" }, support.sorted(Entry:findAll(), "text"))
      assert.equal(2, Entry:count{ where = { text = "b" } })
    end)

    it("can be changed and emptied by condition", function()
      Entry:bulkCreate{ { text = "a" }, { text = "b" } }
      assert.equal(1, Entry:update({ text = "c" }, { where = { text = "a" } }))
      assert.equal(1, Entry:destroy{ where = { text = "b" } })
      assert.same({ "c" }, support.pluck(Entry:findAll(), "text"))
    end)

    it("raises InstanceError for what needs a key", function()
      local entry = Entry:create{ text = "a" }
      support.raises("InstanceError", function() Entry:findByPk(1) end, "Entry")
      support.raises("InstanceError", function() entry:destroy() end, "Entry")
      support.raises("InstanceError", function() entry:reload() end, "Entry")
    end)

    it("has instances that equal only themselves", function()
      local a, b = Entry:create{ text = "a" }, Entry:create{ text = "a" }
      assert.is_true(a == a) -- luacheck: ignore
      assert.is_false(a == b)
    end)
  end)
end
