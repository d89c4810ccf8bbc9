-- group, having and distinct (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("group on " .. engine.name, function()
    local db, Sale
    setup(function()
      db = engine:open()
      Sale = db:define("Sale", {
        city = liga.STRING, amount = liga.INTEGER, soldBy = { type = liga.STRING, columnName = "sold_by" },
      }, { timestamps = false })
      db:sync()
      Sale:bulkCreate{
        { city = "Lisbon", amount = 10, soldBy = "ann" }, { city = "Lisbon", amount = 20, soldBy = "bob" },
        { city = "Porto", amount = 5, soldBy = "ann" }, { city = "Porto", amount = 5, soldBy = "ann" },
        { city = "Braga", amount = 7, soldBy = "cid" },
      }
    end)
    teardown(function() db:close() end)

    it("gives one row per group with what is selected", function()
      local rows = Sale:findAll{
        attributes = { "city", { liga.fn("count", liga.col("id")), "n" },
          { liga.fn("sum", liga.col("amount")), "total" } },
        group = { "city" }, order = { "city" },
      }
      assert.same({ "Braga", "Lisbon", "Porto" }, support.pluck(rows, "city"))
      assert.same({ 1, 2, 2 }, support.pluck(rows, "n"))
      assert.same({ 7, 30, 10 }, support.pluck(rows, "total"))
    end)

    it("may be by several attributes, mapped to their columns", function()
      local rows = Sale:findAll{
        attributes = { "city", "soldBy", { liga.fn("count", liga.col("id")), "n" } },
        group = { "city", "soldBy" }, order = { "city", "soldBy" },
      }
      assert.same({ "cid", "ann", "bob", "ann" }, support.pluck(rows, "soldBy"))
      assert.same({ 1, 1, 1, 2 }, support.pluck(rows, "n"))
    end)

    it("may be by what is included, of which there is nothing but what is asked for", function()
      local City = db:define("City", { name = liga.STRING, land = liga.STRING }, { timestamps = false })
      local Trip = db:define("Trip", { days = liga.INTEGER }, { timestamps = false })
      Trip:belongsTo(City)
      db:sync()
      local porto = City:create{ name = "Porto", land = "PT" }
      Trip:bulkCreate{ { days = 2, cityId = porto.id }, { days = 3, cityId = porto.id }, { days = 7 } }
      for _, raw in ipairs { true, false } do
        local rows = Trip:findAll{
          attributes = { { liga.fn("sum", liga.col("days")), "total" } }, raw = raw,
          include = { city = { attributes = { "name" } } }, group = { "city.name" }, order = { { "city", "name" } },
        }
        assert.same({ 5, 7 }, support.pluck(rows, "total"))
        assert.same({ "Porto", nil }, { rows[1].city.name, rows[1].city.id })
        assert.is_nil(rows[2].city)
      end
    end)

    it("counts the rows of each group", function()
      local rows = Sale:count{ group = { "city" } }
      local counts = {}
      for _, row in ipairs(rows) do counts[row.city] = row.count end
      assert.same({ Lisbon = 2, Porto = 2, Braga = 1 }, counts)
    end)

    it("makes aggregates return a list of rows", function()
      for _, method in ipairs { "sum", "min", "max", "avg" } do
        local rows = Sale[method](Sale, "amount", { group = { "city" } })
        assert.same({ "Braga", "Lisbon", "Porto" }, support.sorted(rows, "city"), method)
      end
    end)

    it("can be filtered by having", function()
      local rows = Sale:findAll{
        attributes = { "city" }, group = { "city" }, order = { "city" },
        having = { liga.where(liga.fn("count", liga.col("id")), Op.gt, 1) },
      }
      assert.same({ "Lisbon", "Porto" }, support.pluck(rows, "city"))
    end)

    it("filters rows by where before, groups by having after", function()
      local rows = Sale:findAll{
        attributes = { "city" }, group = { "city" }, where = { amount = Op.gte(7) },
        having = { liga.where(liga.fn("sum", liga.col("amount")), Op.lt, 10) },
      }
      assert.same({ "Braga" }, support.pluck(rows, "city"))
    end)

    it("goes by functions with values, also in having and order", function()
      local initial = liga.fn("substr", liga.col("city"), 1, 1)
      local rows = Sale:findAll{
        attributes = { { initial, "initial" }, { liga.fn("upper", initial), "same" },
          { liga.fn("count", liga.col("id")), "n" } },
        group = { liga.fn("substr", liga.col("city"), 1, 1) }, having = liga.where(initial, Op.ne, "B"),
        order = { { initial, "DESC" } }, raw = true,
      }
      assert.same({ "P", "L" }, support.pluck(rows, "initial"))
      assert.same({ "P", "L" }, support.pluck(rows, "same"))
      assert.same({ "B", "L", "P" }, support.pluck(Sale:count{ group = { initial }, order = { initial } }, "group1"))
      local letters = Sale:findAll{
        attributes = { { initial, "x" } }, distinct = true, order = { initial }, raw = true,
      }
      assert.same({ "B", "L", "P" }, support.pluck(letters, "x"))
      local mod = liga.sql("amount % ?", 2)
      assert.equal(2, #Sale:findAll{ attributes = { { mod, "odd" } }, group = { mod }, order = { mod }, raw = true })
    end)

    it("knows its aliases in having and order, by name or by col", function()
      local function cities(having, order)
        return support.pluck(Sale:findAll{
          attributes = { "city", { liga.fn("sum", liga.col("amount")), "total" } }, group = { "city" },
          having = having, order = order or { "city" },
        }, "city")
      end
      assert.same({ "Lisbon", "Porto" }, cities{ total = Op.gte(10) })
      assert.same({ "Porto" }, cities{ total = { [Op.gt] = 7, [Op.lt] = 30 } })
      assert.same({ "Braga", "Lisbon" }, cities{ [Op.or_] = { { total = 30 }, { total = 7, city = "Braga" } } })
      assert.same({ "Lisbon" }, cities(liga.where(liga.col("total"), Op.gt, 10)))
      assert.same({ "Lisbon", "Porto", "Braga" }, cities(nil, { { liga.col("total"), "DESC" } }))
      assert.same({ "Braga", "Porto", "Lisbon" }, cities(nil, liga.col("total")))
      support.raises("UsageError", function() cities{ totl = 1 } end, "having", "totl", "total")
      support.raises("UsageError", function() Sale:findAll{ attributes = { { "amount", "n" } }, where = { n = 1 } } end,
        "where", "n")
    end)

    it("names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function()
        Sale:findAll{ attributes = { "city" }, group = { "citty" } }
      end, "citty", "city")
    end)

    it("is no SQL", function()
      support.raises("UsageError", function()
        Sale:findAll{ attributes = { "city" }, group = { "city; DROP TABLE x" } }
      end)
    end)

    it("is not needed for distinct rows", function()
      local rows = Sale:findAll{ attributes = { "city", "soldBy" }, distinct = true, order = { "city", "soldBy" } }
      assert.same({ "cid", "ann", "bob", "ann" }, support.pluck(rows, "soldBy"))
    end)

    it("makes the limit count groups", function()
      local rows = Sale:findAll{ attributes = { "city" }, group = { "city" }, order = { "city" }, limit = 2 }
      assert.same({ "Braga", "Lisbon" }, support.pluck(rows, "city"))
    end)

    it("gives findAndCountAll the counts of all groups, in the order of the groups, NULL last", function()
      do
        local t <close> = db:transaction()
        local with = { transaction = t }
        Sale:bulkCreate({ { amount = 3 }, { city = "Braga", soldBy = "ann" } }, with)
        local rows, counts = Sale:findAndCountAll{
          attributes = { "city" }, group = "city", order = { { "city", "DESC NULLS LAST" } }, limit = 1,
          transaction = t,
        }
        assert.same({ "Porto" }, support.pluck(rows, "city"))
        assert.same({ { city = "Braga", count = 2 }, { city = "Lisbon", count = 2 }, { city = "Porto", count = 2 },
          { count = 1 } }, counts)
        local initial = liga.fn("substr", liga.col("city"), 1, 1)
        local by = { "soldBy", initial }
        counts = select(2, Sale:findAndCountAll{ attributes = { "soldBy" }, group = by, transaction = t })
        local read = {}
        for i, row in ipairs(counts) do read[i] = ("%s %s%d"):format(row.soldBy, row.group2, row.count) end
        assert.same({ "ann B1", "ann L1", "ann P2", "bob L1", "cid B1", "nil nil1" }, read)
      end
    end)
  end)
end
