-- DECIMAL(p, s): exact decimal numbers as strings (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("decimals on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as strings with exactly s digits after the point", function()
      local Thing = model_of(liga.DECIMAL(10, 2))
      assert.equal("12.50", stored(Thing, "12.5"))
      assert.equal("12.50", stored(Thing, 12.5))
      assert.equal("3.00", stored(Thing, 3))
      assert.equal("0.10", stored(Thing, "0.1"))
      assert.equal("-5.25", stored(Thing, "-5.25"))
    end)

    it("have no point where s is 0", function()
      assert.equal("7", stored(model_of(liga.DECIMAL(5, 0)), 7))
    end)

    it("keep more digits than a double holds", function()
      local Thing = model_of(liga.DECIMAL(30, 10))
      assert.equal("12345678901234567890.0123456789", stored(Thing, "12345678901234567890.0123456789"))
      assert.equal("-0.0000000001", stored(Thing, "-0.0000000001"))
    end)

    for _, precision in ipairs { 10, 30 } do
      describe("of " .. precision .. " digits", function()
        local Price
        before_each(function()
          Price = model_of(liga.DECIMAL(precision, 2))
          Price:bulkCreate{ { value = "100" }, { value = "9.5" }, { value = "-20" }, { value = "10.01" } }
        end)

        it("order numerically", function()
          assert.same({ "-20.00", "9.50", "10.01", "100.00" },
            support.pluck(Price:findAll{ order = { "value" } }, "value"))
        end)

        it("compare numerically", function()
          local Op = liga.Op
          assert.equal(2, Price:count{ where = { value = Op.gt("9.50") } })
          assert.equal(3, Price:count{ where = { value = Op.gte(9.5) } })
          assert.equal(1, Price:count{ where = { value = Op.lt(0) } })
          assert.equal(2, Price:count{ where = { value = { [Op.between] = { 9, 11 } } } })
        end)

        it("are equal whatever way the number is written", function()
          assert.equal(1, Price:count{ where = { value = "9.5" } })
          assert.equal(1, Price:count{ where = { value = "9.50" } })
          assert.equal(1, Price:count{ where = { value = 9.5 } })
          assert.equal(2, Price:count{ where = { value = { 100, "10.01" } } })
        end)

        it("have the numerically smallest and largest as min and max", function()
          assert.equal("-20.00", Price:min("value"))
          assert.equal("100.00", Price:max("value"))
        end)

        it("are summed exactly", function()
          assert.equal("99.51", Price:sum("value"))
        end)
      end)
    end

    describe("without parameters", function()
      local exact = "12345678901234567890.01234567890123456789"
      local Price
      before_each(function() Price = model_of(liga.DECIMAL) end)

      it("keep every digit, in the shortest text of the number", function()
        for given, read in pairs {
          [exact] = exact, ["12.50"] = "12.5", [12.5] = "12.5", [3] = "3", ["+007"] = "7", ["-0.0"] = "0",
          ["-0.000000000000000000000001"] = "-0.000000000000000000000001", [0.1] = "0.1", ["1e3"] = "1000",
          [math.maxinteger] = "9223372036854775807",
        } do
          assert.equal(read, stored(Price, given))
        end
        local longest = ("9"):rep(1000) .. "." .. ("9"):rep(1000)
        assert.equal(longest, Price:create{ value = longest }:reload().value)
      end)

      it("refuse what is no number, and more than a thousand digits", function()
        for _, value in ipairs { "", "abc", "1,5", true, {}, math.huge, 0 / 0, "1e1000", "1e-1001" } do
          refuses(Price, value)
        end
      end)

      it("compare, order and have extremes as numbers", function()
        local Op = liga.Op
        Price:bulkCreate{ { value = "100" }, { value = "9.50" }, { value = "-20" }, { value = exact } }
        local all = { "-20", "9.5", "100", exact }
        assert.same(all, support.pluck(Price:findAll{ order = { "value" } }, "value"))
        assert.equal(2, Price:count{ where = { value = Op.gt("9.500") } })
        assert.equal(2, Price:count{ where = { value = { "9.5", 100 } } })
        assert.equal(1, Price:count{ where = { value = exact .. "0" } })
        assert.same({ "-20", exact }, { Price:min("value"), Price:max("value") })
        assert.equal("100", Price:max("value", { order = "value", limit = 3 }))
        local seen, after = {}, nil
        repeat
          local page, info = Price:page{ order = "value", size = 1, after = after }
          seen[#seen + 1], after = page[1].value, info.after
        until not info.hasNext
        assert.same(all, seen)
      end)

      it("order and filter groups by their extremes", function()
        local most = liga.fn("max", liga.col("value"))
        local Sale = db:define("Sale", { value = liga.DECIMAL, city = liga.STRING }, { timestamps = false })
        Sale:sync()
        Sale:bulkCreate{ { value = "9", city = "a" }, { value = "100", city = "a" }, { value = "95.5", city = "b" } }
        local find = { attributes = { "city", { most, "most" } }, group = "city", order = { most }, raw = true }
        assert.same({ "95.5", "100" }, support.pluck(Sale:findAll(find), "most"))
        find.having = liga.where(most, liga.Op.gt, "96")
        assert.same({ "100" }, support.pluck(Sale:findAll(find), "most"))
      end)

      it("are summed and incremented exactly", function()
        local price = Price:create{ value = exact }
        Price:create{ value = "0.1" }
        assert.equal("12345678901234567890.11234567890123456789", Price:sum("value"))
        price:increment("value", { by = "1e-20" })
        assert.equal("12345678901234567890.0123456789012345679", price.value)
        assert.equal(price.value, price:reload().value)
        price:decrement("value", { by = exact })
        assert.equal("0.00000000000000000001", price:reload().value)
        assert.is_nil(price:changed())
      end)

      it("can be keys, and are changed only by another number", function()
        local Rate = db:define("Rate", { value = { type = liga.DECIMAL, primaryKey = true }, note = liga.STRING },
          { timestamps = false })
        local Use = db:define("Use", {}, { timestamps = false })
        Use:belongsTo(Rate)
        db:sync()
        Rate:create{ value = "1.10" }:update{ note = "x" }
        local use = Use:create{ rateValue = "1.1" }
        assert.equal("x", use:getRate().note)
        assert.equal("x", Use:findOne{ include = Rate }.rate.note)
        use.rateValue = "1.10"
        assert.same({ "1.1", "x" }, { use:save():reload().rateValue, Rate:findByPk(1.1).note })
      end)
    end)

    it("are summed without the errors of binary fractions", function()
      local Price = model_of(liga.DECIMAL(10, 2))
      local cents = {}
      for i = 1, 100 do cents[i] = { value = "0.01" } end
      Price:bulkCreate(cents)
      Price:bulkCreate{ { value = "0.1" }, { value = "0.2" } }
      assert.equal("1.30", Price:sum("value"))
    end)

    it("are averaged without them, too", function()
      for _, type in ipairs { liga.DECIMAL(10, 2), liga.DECIMAL(30, 2), liga.DECIMAL } do
        local Price = db:define("Price" .. tostring(type), { value = type, kind = liga.STRING }, { timestamps = false })
        Price:sync()
        for _, value in ipairs { "0.1", "0.2", "0.2" } do Price:create{ value = value, kind = "a" } end
        Price:create{}
        assert.equal(0.5 / 3, Price:avg("value"))
        assert.equal(0.15, Price:avg("value", { distinct = true }))
        assert.is_nil(Price:avg("value", { where = { id = 0 } }))
        local average = liga.fn("avg", liga.col("value"))
        local groups = Price:findAll{ attributes = { "kind", { average, "average" } }, group = "kind", raw = true,
          order = { "kind" }, having = liga.where(average, liga.Op.gt, 0.1) }
        assert.same({ { kind = "a", average = 0.5 / 3 } }, groups)
        local large = ("9"):rep(15) .. ".5"
        if tostring(type) ~= "DECIMAL(10,2)" then
          Price:bulkCreate{ { value = large, kind = "b" }, { value = "-" .. large, kind = "b" } }
          assert.equal(0.0, Price:avg("value", { where = { kind = "b" } }))
        end
      end
    end)

    it("are summed beyond the digits of a double", function()
      local Price = model_of(liga.DECIMAL(30, 2))
      Price:bulkCreate{ { value = "90071992547409930000.01" }, { value = "0.02" } }
      assert.equal("90071992547409930000.03", Price:sum("value"))
    end)

    it("are incremented to s digits", function()
      local Price = model_of(liga.DECIMAL(10, 2))
      local price = Price:create{ value = "0" }
      for _ = 1, 3 do price:increment("value", { by = "0.1" }) end
      assert.equal("0.30", price:reload().value)
      assert.equal(1, Price:count{ where = { value = "0.3" } })
    end)

    it("are not incremented beyond their digits", function()
      local price = model_of(liga.DECIMAL(5, 2)):create{ value = "999.99" }
      support.raises("ValidationError", function() price:increment("value", { by = "0.01" }) end, "range")
      for _ = 1, 2 do price:decrement("value", { by = "999.99" }) end
      assert.equal("-999.99", price:reload().value)
    end)

    it("refuse what has too many digits before the point", function()
      local Thing = model_of(liga.DECIMAL(5, 2))
      refuses(Thing, "1000.00")
      refuses(Thing, 123456789)
      assert.equal("999.99", stored(Thing, "999.99"))
    end)

    it("refuse what is no decimal number", function()
      local Thing = model_of(liga.DECIMAL(10, 2))
      for _, value in ipairs { "", "abc", "1,5", "0x10", true, {}, math.huge, 0 / 0 } do refuses(Thing, value) end
    end)
  end)
end
