-- Models: what a review of the contract's sections 2 and 3 found.
local liga = require "liga"
local support = require "spec.support"

local Op = liga.Op

for engine in support.engines() do
  describe("models, reviewed, on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function define(attributes, options)
      return db:define("Thing", attributes, options)
    end

    local function refused(attributes, options, ...)
      support.raises("UsageError", function() define(attributes, options) end, ...)
    end

    describe("indexes", function()
      it("of two tables can't share a name: the second would not be made", function()
        db:define("Other", { a = liga.INTEGER }, { indexes = { { fields = { "a" }, name = "shared" } } })
        refused({ a = liga.INTEGER }, { indexes = { { fields = { "a" }, name = "shared", unique = true } } }, "Other",
          '"shared"')
      end)

      it("of one model differ in more than capitals on SQLite", function()
        if engine.dialect ~= "sqlite" then return end
        refused({ a = liga.INTEGER, b = liga.INTEGER },
          { indexes = { { fields = { "a" }, name = "one" }, { fields = { "b" }, name = "ONE" } } }, "name")
      end)

      it("of two models of one table may be the same", function()
        local options = { tableName = "things", indexes = { { fields = { "a" }, name = "shared" } } }
        db:define("One", { a = liga.INTEGER }, options)
        db:define("Two", { a = liga.INTEGER }, options)
        db:sync()
      end)

      it("name a method by a word", function()
        refused({ a = liga.INTEGER }, { indexes = { { fields = { "a" }, using = "gin; drop" } } }, "using")
      end)

      it("hold nothing in SQLite's schema that only liga knows", function()
        if engine.dialect ~= "sqlite" then return end
        local attributes = {
          { "a", liga.STRING }, { "big", liga.DECIMAL(30, 2) }, { "at", liga.DATE { stored = "mixed" } },
        }
        for _, where in ipairs { { big = Op.gt "1" }, { at = 0 }, { a = Op.like "x%" }, { a = Op.regexp "x" } } do
          define(attributes, { indexes = { { fields = { "a" }, where = where } } })
          support.raises("UsageError", function() db:sync() end, "index")
          db:close()
          db = engine:open()
        end
      end)
    end)

    describe("defaults", function()
      it("of infinity are infinities for other programs too", function()
        local Thing = define({
          { "low", liga.DOUBLE, defaultValue = -1 / 0 }, { "high", liga.DOUBLE, defaultValue = 1 / 0 },
        }, { timestamps = false })
        db:sync()
        db:query [[INSERT INTO "Things" DEFAULT VALUES]]
        local thing = Thing:findOne()
        assert.equal(-1 / 0, thing.low)
        assert.equal(1 / 0, thing.high)
      end)

      it("are no operators", function()
        refused({ a = { type = liga.INTEGER, defaultValue = Op.eq(1) } }, nil, "defaultValue")
        refused({ a = { type = liga.INTEGER, defaultValue = Op.eq } }, nil, "defaultValue")
      end)

      it("of UUIDs need the room", function()
        refused({ a = { type = liga.STRING(10), defaultValue = liga.UUIDV4 } }, nil, "36")
        define { a = { type = liga.STRING(36), defaultValue = liga.UUIDV4 } }
      end)
    end)

    describe("the option primaryKey", function()
      it("is a list without repeats, holes and other keys", function()
        local attributes = { a = liga.INTEGER, b = liga.INTEGER }
        refused(attributes, { primaryKey = { "a", "a" } }, "twice")
        refused(attributes, { primaryKey = { "a", nil, "b" } }, "primaryKey")
        refused(attributes, { primaryKey = { "a", x = "b" } }, "primaryKey")
      end)

      it("agrees with the attributes", function()
        local attributes = { a = { type = liga.INTEGER, primaryKey = true }, b = liga.INTEGER }
        refused(attributes, { primaryKey = { "b" } }, "Thing.a")
      end)
    end)

    it("own class methods are not named like attributes or associations", function()
      local Thing = define { age = liga.INTEGER }
      Thing:hasMany(db:define("Part", {}))
      support.raises("UsageError", function() function Thing:age() end end, "age") -- luacheck: ignore
      support.raises("UsageError", function() function Thing:parts() end end, "parts") -- luacheck: ignore
      function Thing:findAll() return "own" end -- luacheck: ignore
      assert.equal("own", Thing:findAll())
    end)

    it("a NUL does not cut a message short", function()
      refused({ ["a\0b"] = liga.INTEGER }, nil, [[Thing.a\0b]], "control character")
    end)
  end)
end

describe("types, reviewed", function()
  it("liga.types knows a misspelt type, as liga does", function()
    support.raises("UsageError", function() return liga.types.STRNG end, "STRING")
  end)

  it("the module shows only types by index", function()
    assert.is_nil(liga.problem)
  end)

  it("liga.methods is read-only", function()
    support.raises("UsageError", function() liga.methods[1] = "x" end, "read-only")
  end)
end)

for engine in support.engines() do
  describe("values, reviewed, on " .. engine.name, function()
    local db, Thing

    before_each(function()
      db = engine:open()
      Thing = db:define("Thing", { { "s", liga.STRING }, { "at", liga.DATE }, { "day", liga.DATEONLY } },
        { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("NaN is no text", function()
      support.raises("ValidationError", function() Thing:create { s = 0 / 0 } end, "Thing.s", "NaN")
    end)

    it("an os.date table is read as os.time reads it", function()
      local date = os.date("*t", 1700000000)
      date.sec = date.sec + 1000000
      assert.equal("2023-11-26T12:00:00.000Z", Thing:create { at = date }.at)
      for _, isdst in ipairs { true, false } do
        local fields = { year = 2026, month = 11, day = 1, hour = 1, min = 30, isdst = isdst }
        local instant = Thing:create { at = fields }.at
        assert.equal(os.date("!%Y-%m-%dT%H:%M:%S.000Z", os.time(fields)), instant)
      end
      assert.equal("0999-02-03", Thing:create { day = { year = 999, month = 2, day = 3 } }.day)
    end)

    it("a field of an os.date table that is no integer is an error", function()
      support.raises("ValidationError", function()
        Thing:create { at = { year = 2026, month = 1, day = 1, sec = "x" } }
      end, "Thing.at")
    end)
  end)
end
