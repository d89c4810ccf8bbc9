-- where: which rows a condition finds (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

local ROWS = {
  { name = "ann", age = 30, city = "Lisbon", active = true, low = 1, high = 2 },
  { name = "bob", age = 25, city = "Porto", active = false, low = 3, high = 3 },
  { name = "cid", city = "Lisbon", active = true, low = 5, high = 4 },
  { name = "dee", age = 41, active = false, low = 1, high = 9 },
}

-- Each line: what is found, the condition, the names.
local FINDS = {
  { "everything without a condition", nil, { "ann", "bob", "cid", "dee" } },
  { "everything for an empty table", {}, { "ann", "bob", "cid", "dee" } },
  { "everything for a list of empty tables", { {} }, { "ann", "bob", "cid", "dee" } },
  { "an equal value", { name = "ann" }, { "ann" } },
  { "false", { active = false }, { "bob", "dee" } },
  { "rows for which all keys hold", { city = "Lisbon", active = true, age = 30 }, { "ann" } },
  { "one of a list", { name = { "ann", "dee", "eve" } }, { "ann", "dee" } },
  { "nothing in an empty list", { name = {} }, {} },
  { "NULL by liga.null", { age = liga.null }, { "cid" } },
  { "what a negated negation says, whatever stands beside it", { city = "Porto", [Op.not_] = { [Op.not_] = {
    [Op.or_] = { { age = 25 }, { age = 30 } } } } }, { "bob" } },
  { "rows for which all tables of a list hold", { { city = "Lisbon" }, { age = Op.gt(20) } }, { "ann" } },

  { "an equal value by Op.eq", { name = Op.eq("bob") }, { "bob" } },
  { "another value by Op.ne", { name = Op.ne("bob") }, { "ann", "cid", "dee" } },
  { "what is greater", { age = Op.gt(30) }, { "dee" } },
  { "what is greater or equal", { age = Op.gte(30) }, { "ann", "dee" } },
  { "what is less", { age = Op.lt(30) }, { "bob" } },
  { "what is less or equal", { age = Op.lte(30) }, { "ann", "bob" } },
  { "what is between, ends included", { age = { [Op.between] = { 25, 30 } } }, { "ann", "bob" } },
  { "what is not between", { age = { [Op.notBetween] = { 25, 30 } } }, { "dee" } },
  { "rows for which all operators of an attribute hold", { age = { [Op.gte] = 25, [Op.lt] = 41 } }, { "ann", "bob" } },
  { "one of a list by Op.in_", { age = { [Op.in_] = { 25, 41 } } }, { "bob", "dee" } },
  { "none of a list by Op.notIn", { name = { [Op.notIn] = { "ann", "bob" } } }, { "cid", "dee" } },
  { "nothing in an empty Op.in_", { age = { [Op.in_] = {} } }, {} },
  { "everything by an empty Op.notIn", { age = { [Op.notIn] = {} } }, { "ann", "bob", "cid", "dee" } },
  { "one of a subquery by Op.in_", { age = { [Op.in_] = liga.literal('(SELECT "low" FROM "Users")') } }, {} },
  { "… with values of its own", { high = Op.in_(liga.sql('SELECT "low" FROM "Users" WHERE "age" = ?', 25)) },
    { "bob" } },
  { "none of a subquery by Op.notIn", { name = Op.notIn(liga.literal("('ann', 'bob')")) }, { "cid", "dee" } },
  { "NULL by Op.is", { age = Op.is(liga.null) }, { "cid" } },
  { "what is not NULL by Op.isNot", { age = Op.isNot(liga.null) }, { "ann", "bob", "dee" } },
  { "what is not NULL by Op.ne", { age = Op.ne(liga.null) }, { "ann", "bob", "dee" } },
  { "NULL by Op.eq", { age = Op.eq(liga.null) }, { "cid" } },

  { "either by Op.or_", { [Op.or_] = { { name = "ann" }, { age = 25 } } }, { "ann", "bob" } },
  { "either key of a table by Op.or_", { [Op.or_] = { name = "ann", age = 25 } }, { "ann", "bob" } },
  { "both by Op.and_", { [Op.and_] = { { city = "Lisbon" }, { active = true }, { name = "cid" } } }, { "cid" } },
  { "the contrary by Op.not_", { [Op.not_] = { name = { "ann", "bob" } } }, { "cid", "dee" } },
  { "everything by an empty Op.and_", { [Op.and_] = {} }, { "ann", "bob", "cid", "dee" } },
  { "nothing by an empty Op.or_", { [Op.or_] = {} }, {} },
  { "a group beside a key", { active = true, [Op.or_] = { { age = 30 }, { name = "dee" } } }, { "ann" } },
  { "groups within groups",
    { [Op.or_] = { { [Op.and_] = { { city = "Porto" }, { active = false } } },
      { [Op.not_] = { active = false }, age = 30 } } },
    { "ann", "bob" } },
  { "either operator of a table under Op.or_", { age = { [Op.or_] = { [Op.lt] = 26, [Op.is] = liga.null } } },
    { "bob", "cid" } },
  { "… beside other alternatives", { age = Op.or_{ 30, [Op.lt] = 26, [Op.gt] = 40 } }, { "ann", "bob", "dee" } },
  { "either operator of one attribute", { age = { [Op.or_] = { { [Op.lt] = 26 }, { [Op.gt] = 40 } } } },
    { "bob", "dee" } },

  { "a pattern of several by Op.any", { name = Op.like(Op.any{ "a%", "b%" }) }, { "ann", "bob" } },
  { "… with both operators as keys", { name = { [Op.like] = { [Op.any] = { "a%", "b%" } } } }, { "ann", "bob" } },
  { "what is greater than all, with both operators as keys", { age = { [Op.gt] = { [Op.all] = { 25, 30 } } } },
    { "dee" } },
  { "the contrary of Op.any", { name = Op.not_(Op.any{ "ann", "bob" }) }, { "cid", "dee" } },
  { "what is true by Op.is", { active = Op.is(true) }, { "ann", "cid" } },

  { "rows that compare with another column", { low = Op.lt(liga.col("high")) }, { "ann", "dee" } },
  { "rows equal to another column", { low = Op.eq(liga.col("high")) }, { "bob" } },
  { "rows that compare with another column by Op.col", { low = Op.gt(Op.col("high")) }, { "cid" } },

  { "numbers given as digits", { age = "30" }, { "ann" } },
}

for engine in support.engines() do
  describe("where on " .. engine.name, function()
    local db, log, User

    setup(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        name = liga.STRING, age = liga.INTEGER, city = liga.STRING, active = liga.BOOLEAN,
        low = liga.INTEGER, high = liga.INTEGER,
      }, { timestamps = false })
      db:sync()
      User:bulkCreate(ROWS)
    end)
    teardown(function() db:close() end)

    local function names(where) return support.sorted(User:findAll{ where = where }, "name") end

    for _, case in ipairs(FINDS) do
      it("finds " .. case[1], function() assert.same(case[3], names(case[2])) end)
    end

    it("takes conditions in conditions, as deep as they may be, on any side", function()
      local function nested(levels, wrap)
        local where = { name = "ann" }
        for level = 1, levels do where = wrap(where, level % 2 == 0) end
        return names(where)
      end
      local none = { age = 99 }
      assert.same({ "bob", "cid", "dee" }, nested(61, function(where) return { [Op.not_] = where } end))
      assert.same({ "ann" }, nested(61, function(where) return { [Op.or_] = { none, where } } end))
      assert.same({ "ann" }, nested(61, function(where) return { [Op.or_] = { where, none } } end))
      assert.same({ "ann" }, nested(40, function(where, even)
        return even and { [Op.or_] = { none, where } } or { city = "Lisbon", [Op.or_] = { none, where } }
      end))
      assert.same({ "ann" }, nested(30, function(where, even)
        return even and { [Op.not_] = { [Op.or_] = { none, where } } } or { [Op.not_] = where }
      end))
    end)

    it("finds rows of a long list", function()
      local ages = {}
      for i = 1, 3000 do ages[i] = i * 5 end
      assert.same({ "ann", "bob" }, names{ age = ages })
    end)

    it("gives equal text for equal shape, whatever the order of the keys", function()
      log:clear()
      User:findAll{ where = { name = "ann", age = 30, city = "Lisbon" } }
      User:findAll{ where = { city = "Porto", name = "bob", age = 25 } }
      assert.equal(log[1].sql, log[2].sql)
    end)

    it("does not change the table that it is given", function()
      local where = { age = { [Op.gte] = 18 }, name = { "ann" } }
      User:findAll{ where = where }
      assert.same({ "ann" }, where.name)
      assert.equal(18, where.age[Op.gte])
    end)
  end)

  describe("a wrong where on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function()
      assert.same({}, log:statements("query"), "a refused condition must not reach the database")
      db:close()
    end)

    local function refused(where, ...)
      return support.raises("UsageError", function() User:findAll{ where = where } end, ...)
    end

    it("names the nearest operator for one that does not exist", function()
      support.raises("UsageError", function() return Op["or"] end, "or_")
      support.raises("UsageError", function() return { [Op.startWith] = "a" } end, "startsWith")
    end)

    it("names the operator that is written as a text", function()
      for name, op in pairs { ["$or"] = "or_", ["or"] = "or_", ["$gte"] = "gte", ["not"] = "not_" } do
        support.raises("UsageError", function() User:findAll{ where = { [name] = { age = 1 } } } end, name, "Op." .. op)
      end
    end)

    it("names the nearest attribute for one that does not exist", function()
      refused({ agee = 30 }, "agee", "age")
    end)

    it("is found in groups too", function()
      refused({ [Op.or_] = { { name = "ann" }, { nmae = "bob" } } }, "nmae", "name")
      refused({ [Op.not_] = { nmae = "bob" } }, "nmae", "name")
    end)

    it("is anything that is no table", function()
      refused("name = 'ann'")
      refused(1)
      refused(true)
      refused(print)
    end)

    it("has a value of the wrong type", function()
      support.raises("ValidationError", function() User:findAll{ where = { age = "thirty" } } end, "age")
      support.raises("ValidationError", function() User:findAll{ where = { age = { 1, "two" } } } end, "age")
      support.raises("ValidationError", function() User:findAll{ where = { age = Op.gt(true) } } end, "age")
    end)

    it("asks whether an attribute that is no BOOLEAN is true", function()
      refused({ age = Op.is(true) }, "age", "Op.is", "BOOLEAN")
      refused({ age = { [Op.isNot] = false } }, "age", "Op.isNot", "BOOLEAN")
    end)

    it("has Op.any beside another operator as an operand", function()
      support.raises("ValidationError", function()
        User:findAll{ where = { age = { [Op.gt] = { [Op.any] = { 1 }, [Op.lt] = 2 } } } }
      end, "age")
    end)

    it("has other than two bounds for between", function()
      refused({ age = { [Op.between] = { 1 } } }, "age")
      refused({ age = { [Op.between] = { 1, 2, 3 } } }, "age")
      refused({ age = { [Op.between] = 5 } }, "age")
    end)

    it("compares with a column that does not exist", function()
      refused({ age = Op.gt(liga.col("agee")) }, "agee", "age")
    end)

    it("nests deeper than 64 levels", function()
      local where = { name = "ann" }
      for _ = 1, 100 do where = { [Op.not_] = where } end
      refused(where, "64")
    end)

    it("has more than 10,000 conditions, in whatever form", function()
      local names, rows, tens = {}, {}, {}
      for i = 1, 10001 do names[i], rows[i] = Op.gt(i), { age = i } end
      for i = 1, 1001 do
        tens[i] = { [Op.or_] = table.move(rows, 1, 10, 1, {}) }
      end
      refused(rows, "10,000 conditions")
      refused({ [Op.or_] = rows }, "where", "10,000 conditions")
      refused(tens, "10,000 conditions")
      refused({ age = { [Op.or_] = names } }, "where.age", "10,000 conditions")
    end)

    it("contains itself", function()
      local where = {}
      where[Op.not_] = where
      refused(where)
    end)
  end)
end
