-- Calls whose type is known by that of a column in them: they compare, order and are read as the column's own values
-- (contract, sections 2 and 5). Extremes of every type are in spec/types/matrix_spec.lua.
local liga = require "liga"
local support = require "spec.support"
local Op, null = liga.Op, liga.null

for engine in support.engines() do
  describe("the type of a call on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("coalesce is that of its first argument, for the others too", function()
      local at = "2026-11-22T09:30:00.000Z"
      for name, case in pairs {
        Price = { liga.DECIMAL(8, 2), "9.50", 9.5 }, Worth = { liga.DECIMAL(20, 2), "9.50", 9.5 },
        Flag = { liga.BOOLEAN, false, false }, Hour = { liga.DATE { stored = "epoch" }, at, 1795339800 },
        Line = { liga.DATE { stored = "space" }, at, "2026-11-22T10:30:00+01:00" },
        Bytes = { liga.BLOB, "\0\xff", "\0\xff" },
      } do
        local Thing = db:define(name, { value = case[1], other = case[1] }, { timestamps = false })
        Thing:sync()
        Thing:bulkCreate{ { value = case[2] }, { other = case[2] }, {} }
        for _, instead in ipairs { case[2], case[3] } do
          local call = liga.fn("coalesce", liga.col "value", liga.col "other", instead)
          for _, row in ipairs(Thing:findAll{ attributes = { { call, "read" } }, raw = true }) do
            assert.equal(case[2], row.read, name)
          end
          assert.equal(3, Thing:count{ where = liga.where(call, Op.eq, instead) }, name)
          assert.equal(3, Thing:count{ where = liga.where(call, Op.in_ { case[2], case[3] }) }, name)
        end
      end
    end)

    it("sum of DECIMAL is exact, and orders and compares as a number", function()
      local Sale = db:define("Sale", { city = liga.STRING, p = liga.DECIMAL(8, 2), q = liga.DECIMAL(24, 2),
        r = liga.DECIMAL }, { timestamps = false })
      Sale:sync()
      for _, sale in ipairs { { "a", "9.5" }, { "b", "100" }, { "c", "0.1" }, { "c", "0.2" } } do
        Sale:create{ city = sale[1], p = sale[2], q = sale[2], r = sale[2] }
      end
      for _, name in ipairs { "p", "q", "r" } do
        local total = liga.fn("sum", liga.col(name))
        local function cities(order, having)
          return table.concat(support.pluck(Sale:findAll{ attributes = { "city", { total, "total" } }, group = "city",
            order = order, having = having, raw = true }, "city"))
        end
        assert.equal("cab", cities{ "total" }, name)
        assert.equal("bac", cities{ { total, "DESC" } }, name)
        assert.equal("c", cities("city", liga.where(total, Op.eq, "0.30")), name)
        assert.equal("c", cities("city", liga.where(total, Op.eq, 0.3)), name)
        assert.equal("ab", cities("city", liga.where(total, Op.gt, "9.00")), name)
        assert.equal("a", cities("city", liga.where(total, Op.between { 1, "50" })), name)
        Sale:create{ city = "d", [name] = "100" }
        assert.equal(name == "r" and "109.8" or "109.80", Sale:sum(name, { distinct = true }))
        Sale:destroy{ where = { city = "d" } }
      end
    end)

    it("of a list of REALs finds them, as keys too", function()
      local Rate = db:define("Rate", { value = { type = liga.REAL, primaryKey = true } }, { timestamps = false })
      local Use = db:define("Use", {}, { timestamps = false })
      Use:belongsTo(Rate)
      db:sync()
      Rate:bulkCreate{ { value = 0.1 }, { value = 0.2 }, { value = 0.5 } }
      Use:create{ rateValue = 0.1 }
      assert.equal(2, Rate:count{ where = { value = { 0.1, 0.5 } } })
      assert.equal(1, Rate:count{ where = { value = Op.notIn { 0.1, 0.5, null } } })
      assert.equal(2, #Rate:findByPks{ 0.2, 0.1 })
      assert.equal(0.1, Use:findOne{ include = { rate = { strategy = "select" } } }.rate.value)
    end)
  end)
end
