-- Calls whose type is known by that of a column in them: min, max, sum and coalesce compare, order and are read as the
-- column's own values, on both engines (contract, sections 2 and 5).
local liga = require "liga"
local support = require "spec.support"
local Op, null = liga.Op, liga.null

--- An attribute, three of its values in ascending order, one that is none.
local ordered = {
  { "tiny", liga.SMALLINT, { -5, 9, 10 }, "x" }, { "real", liga.REAL, { -0.1, 0.2, 0.3 }, "x" },
  { "price", liga.DECIMAL(8, 2), { "-1.50", "9.00", "10.25" }, "x" },
  { "worth", liga.DECIMAL(24, 2), { "-1.50", "9.00", "10.25" }, "x" },
  { "name", liga.STRING, { "a", "b", "c" }, true }, { "code", liga.CHAR(4), { "a", "b", "c" }, true },
  { "level", liga.ENUM { "low", "it's", "high" }, { "low", "it's", "high" }, "x" },
  { "yes", liga.BOOLEAN, { false, true, true }, "x" }, { "bytes", liga.BLOB, { "\0", "a", "\xff" }, 5 },
  { "key", liga.UUID, { "00000000-0000-0000-0000-000000000000", "8c5d4f0e-7a9b-4d36-9a51-0f6c2f1f8a77",
    "ffffffff-ffff-ffff-ffff-ffffffffffff" }, "x" },
  { "day", liga.DATEONLY, { "0099-12-31", "2026-01-01", "2026-11-22" }, "x" },
  { "hour", liga.TIME, { "00:00:00", "09:30:00", "23:59:59" }, "x" },
}
for _, stored in ipairs { "text", "space", "epoch", "mixed" } do
  ordered[#ordered + 1] = { "at" .. stored, liga.DATE { stored = stored },
    { "1969-12-31T23:59:59.000Z", "2026-11-22T09:30:00.000Z", "2026-11-22T09:30:00.500Z" }, "x" }
end
local servers = {
  { "mail", liga.CITEXT, { "A", "b", "C" }, true },
  { "net", liga.CIDR, { "10.0.0.0/8", "10.0.0.0/32", "11.0.0.0/32" }, "x" },
  { "address", liga.INET, { "10.0.0.1", "10.0.0.2", "::1" }, "x" },
  { "card", liga.MACADDR, { "00:00:00:00:00:00", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff" }, "x" },
  { "span", liga.RANGE(liga.INTEGER), { { lower = 1, upper = 2, bounds = "[)" },
    { lower = 2, upper = 3, bounds = "[)" }, { lower = 10, upper = 20, bounds = "[)" } }, "x" },
  { "list", liga.ARRAY(liga.INTEGER), { { 1 }, { 2, 3 }, { 10 } }, "x" },
}

for engine in support.engines() do
  describe("the type of a call on " .. engine.name, function()
    local db, Thing
    local types = table.move(ordered, 1, #ordered, 1, {})
    if engine.dialect == "postgres" then table.move(servers, 1, #servers, #types + 1, types) end

    setup(function()
      db = engine:open()
      local attributes, rows = { n = liga.INTEGER, half = liga.INTEGER }, { { n = 4, half = 2 } }
      for i = 1, 3 do rows[#rows + 1] = { n = i, half = i // 2 } end
      for _, row in ipairs(types) do
        attributes[row[1]] = row[2]
        for i = 1, 3 do rows[i + 1][row[1]] = row[3][i] end
      end
      Thing = db:define("Thing", attributes, { timestamps = false })
      Thing:sync()
      Thing:bulkCreate(rows)
    end)
    teardown(function() db:close() end)

    local function halves(options)
      return support.pluck(Thing:findAll(options), "half")
    end

    for _, row in ipairs(types) do
      local name, values, wrong = row[1], row[3], row[4]

      it("min, max of " .. tostring(row[2]) .. " are values of it", function()
        local least, most = liga.fn("min", liga.col(name)), liga.fn("max", liga.col(name))
        assert.same({ values[1], values[3] }, { Thing:min(name), Thing:max(name) })
        assert.is_nil(Thing:max(name, { where = { n = 4 } }))
        local row_of_all = Thing:findOne{ attributes = { { least, "least" }, { most, "most" } }, raw = true }
        assert.same({ least = values[1], most = values[3] }, row_of_all)
        local groups = { attributes = { "half" }, group = "half", raw = true }
        groups.order = { { most, "DESC" }, "half" }
        assert.same({ 2, 1, 0 }, halves(groups))
        groups.order = { least }
        assert.same({ 0, 1, 2 }, halves(groups))
        groups.order, groups.having = "half", liga.where(most, Op.eq, values[3])
        assert.same({ 1 }, halves(groups))
        if values[2] ~= values[3] then
          groups.having = liga.where(least, Op.lt, values[3])
          assert.same({ 0, 1 }, halves(groups))
          groups.having = liga.where(most, Op.in_ { values[1], values[2] })
          assert.same({ 0 }, halves(groups))
        end
        groups.having = liga.where(most, Op.eq, wrong)
        local e = support.raises("ValidationError", function() halves(groups) end, "Thing." .. name)
        assert.same({ name, wrong }, { e.attribute, e.value })
      end)

      it("coalesce of " .. tostring(row[2]) .. " is a value of it", function()
        local value = liga.fn("coalesce", liga.col(name), liga.col(name))
        local read = Thing:findAll{ attributes = { { value, "value" } }, order = { value, "n" }, raw = true }
        assert.same({ values[1], values[2], values[3], nil }, { read[1].value, read[2].value, read[3].value,
          read[4].value })
        assert.equal(1, Thing:count{ where = liga.where(value, Op.eq, values[1]) })
        if values[2] ~= values[3] then
          assert.equal(1, Thing:count{ where = liga.where(value, Op.gt, values[2]) })
          local instead = liga.fn("coalesce", liga.col(name), values[2])
          if type(values[2]) ~= "table" then
            assert.equal(2, Thing:count{ where = liga.where(instead, Op.eq, values[2]) })
          end
        end
      end)
    end

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
        Sale:bulkCreate{ { city = "d", [name] = "100" } }
        local sum, exact = Sale:sum(name, { distinct = true }), name == "r" and "109.8" or "109.80"
        assert.equal(exact, sum)
        Sale:destroy{ where = { city = "d" } }
      end
    end)
  end)

  describe("a list of REALs on " .. engine.name, function()
    it("finds them, as keys too", function()
      local db <close> = engine:open()
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
