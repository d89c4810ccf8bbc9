-- DATE: an instant, read as UTC with milliseconds (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("dates on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as UTC with milliseconds", function()
      local Thing = model_of(liga.DATE)
      assert.equal("2026-11-22T09:30:00.000Z", stored(Thing, "2026-11-22T09:30:00.000Z"))
      assert.equal("2026-11-22T09:30:00.123Z", stored(Thing, "2026-11-22T09:30:00.123Z"))
    end)

    it("may be given with any offset", function()
      local Thing = model_of(liga.DATE)
      assert.equal("2026-11-22T09:30:00.000Z", stored(Thing, "2026-11-22T10:30:00+01:00"))
      assert.equal("2026-11-22T09:30:00.000Z", stored(Thing, "2026-11-22T04:00:00-05:30"))
      assert.equal("2026-11-22T09:30:00.000Z", stored(Thing, "2026-11-22T09:30:00Z"))
    end)

    it("may be given as epoch seconds", function()
      local Thing = model_of(liga.DATE)
      assert.equal("1970-01-01T00:00:00.000Z", stored(Thing, 0))
      assert.equal("1970-01-01T00:00:01.500Z", stored(Thing, 1.5))
      assert.equal("1969-12-31T23:59:59.000Z", stored(Thing, -1))
      assert.equal("2001-09-09T01:46:40.000Z", stored(Thing, 1000000000))
    end)

    it("may be given as a table of os.date, in local time", function()
      local now = os.time()
      local expected = os.date("!%Y-%m-%dT%H:%M:%S.000Z", now)
      assert.equal(expected, stored(model_of(liga.DATE), os.date("*t", now)))
    end)

    it("reach from year 1 to year 9999", function()
      local Thing = model_of(liga.DATE)
      assert.equal("0001-01-01T00:00:00.000Z", stored(Thing, "0001-01-01T00:00:00.000Z"))
      assert.equal("9999-12-31T23:59:59.999Z", stored(Thing, "9999-12-31T23:59:59.999Z"))
    end)

    it("know leap days", function()
      local Thing = model_of(liga.DATE)
      refuses(Thing, "2023-02-29T00:00:00Z")
      assert.equal("2024-02-29T00:00:00.000Z", stored(Thing, "2024-02-29T00:00:00Z"))
    end)

    it("refuse what is no instant", function()
      local Thing = model_of(liga.DATE)
      for _, value in ipairs {
        "", "yesterday", "2026-13-01T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-22T25:00:00Z",
        "10000-01-01T00:00:00Z",
        "infinity", 1e18, math.huge, 0 / 0, true,
      } do refuses(Thing, value) end
    end)

    it("compare and order as instants", function()
      local Thing = model_of(liga.DATE)
      Thing:bulkCreate{ { value = "2026-03-01T00:00:00Z" }, { value = "2026-01-01T00:00:00Z" }, { value = 0 } }
      assert.equal(1, Thing:count{ where = { value = liga.Op.gt("2025-12-31T23:00:00-01:00") } })
      assert.equal(1, Thing:count{ where = { value = "2026-01-01T01:00:00+01:00" } })
      assert.same({ "1970-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z" },
        support.pluck(Thing:findAll{ order = { "value" } }, "value"))
    end)

    it("of more digits are cut to milliseconds when they are written, and findOrCreate finds them again", function()
      local Thing = db:define("Thing", { value = { type = liga.DATE, unique = true }, day = liga.DATE },
        { timestamps = false })
      Thing:sync()
      for name, value in pairs { value = "2026-11-22T09:30:00.123456Z", day = 1764000000.1239 } do
        local made, created = Thing:findOrCreate{ where = { { [name] = value } } }
        assert.is_true(created)
        local found, again = Thing:findOrCreate{ where = { { [name] = value } } }
        assert.is_false(again)
        assert.equal(made.id, found.id)
        assert.equal(24, #found[name])
      end
    end)

    it("are read as float seconds with dates = epoch", function()
      local epoch <close> = engine:open{ dates = "epoch" }
      local Thing = epoch:define("Thing", { value = liga.DATE }, { timestamps = false })
      Thing:sync()
      local value = stored(Thing, "1970-01-01T00:00:01.500Z")
      assert.equal(1.5, value)
      local Log = epoch:define("Log", { at = { type = liga.DATE, primaryKey = true } }, { timestamps = false })
      Log:sync()
      assert.same({ at = 2.0 }, Log:create{ at = 2 }:where())
      assert.equal("float", math.type(stored(Thing, 10)))
    end)

    it("of more digits are no change where save would cut them to what is there", function()
      local note = model_of(liga.DATE):create{ value = "2026-11-22T09:30:00.123Z" }
      note.value = "2026-11-22T10:30:00.123999+01:00"
      assert.is_nil(note:changed())
      note.value = "2026-11-22T09:30:00.124Z"
      assert.same({ "value" }, note:changed())
    end)

    it("of more digits are later than the millisecond that they are in", function()
      for _, form in ipairs { "text", "space", "epoch" } do
        local Thing = db:define("Thing" .. form, { value = liga.DATE { stored = form } }, { timestamps = false })
        Thing:sync()
        Thing:bulkCreate{ { value = "2026-11-22T09:30:00.123Z" }, { value = "2026-11-22T09:30:00.124Z" } }
        local Op, at = liga.Op, "2026-11-22T09:30:00.123456Z"
        for _, case in ipairs {
          { Op.gt(at), 1 }, { Op.gte(at), 1 }, { Op.lt(at), 1 }, { Op.lte(at), 1 }, { Op.eq(at), 0 }, { Op.ne(at), 2 },
          { Op.between { "2026-11-22T09:30:00.123Z", at }, 1 }, { Op.notBetween { at, "2027-01-01T00:00:00Z" }, 1 },
        } do
          assert.equal(case[2], Thing:count{ where = { value = case[1] } }, form)
        end
      end
    end)

    it("take the option stored for nothing where the engine has a type for them", function()
      for _, form in ipairs { "text", "space", "epoch", "mixed" } do
        local attributes = { value = { type = liga.DATE { stored = form }, defaultValue = "2026-11-22T09:30:00Z" } }
        local Thing = db:define("Thing" .. form, attributes, { timestamps = false })
        Thing:sync()
        local read = Thing:create{}:reload()
        assert.equal("2026-11-22T09:30:00.000Z", read.value)
        assert.equal("0001-01-01T00:00:00.000Z", read:update{ value = "0001-01-01T00:00:00Z" }:reload().value)
        assert.equal(1, Thing:count{ where = { value = liga.Op.lt(0) } })
      end
    end)

    if engine.dialect == "sqlite" then
      --- A model on a table of another program, whose column keeps every value as it came.
      local function foreign(type, ...)
        db:query("CREATE TABLE things (id INTEGER PRIMARY KEY, value)")
        for _, value in ipairs { ... } do db:query("INSERT INTO things (value) VALUES ($1)", { bind = { value } }) end
        return db:define("Thing", { value = type }, { tableName = "things", timestamps = false })
      end

      it("are stored as the text that is read", function()
        model_of(liga.DATE):create{ value = "2026-11-22T10:30:00+01:00" }
        assert.equal("2026-11-22T09:30:00.000Z", db:query('SELECT value FROM "Things"')[1].value)
      end)

      it("of other programs are read, with a blank, without a fraction, or as an integer", function()
        local Thing = foreign(liga.DATE, "2026-11-22 09:30:00", "2026-11-22 09:30", "2026-11-22 09:30:00.5", 1000000000)
        assert.same({
          "2026-11-22T09:30:00.000Z", "2026-11-22T09:30:00.000Z", "2026-11-22T09:30:00.500Z",
          "2001-09-09T01:46:40.000Z",
        }, support.pluck(Thing:findAll{ order = { "id" } }, "value"))
      end)

      it("of other programs compare by the form named in stored", function()
        local Thing = foreign(liga.DATE{ stored = "space" }, "2026-01-01 00:00:00", "2026-03-01 00:00:00")
        assert.equal(1, Thing:count{ where = { value = liga.Op.gt("2026-02-01T00:00:00Z") } })
      end)

      it("stored as epoch compare as numbers", function()
        local Thing = foreign(liga.DATE{ stored = "epoch" }, 5, 1000000000)
        assert.equal(1, Thing:count{ where = { value = liga.Op.gt("1970-01-01T00:00:10Z") } })
      end)

      it("of mixed forms are ordered as instants with stored = mixed", function()
        local Thing = foreign(liga.DATE{ stored = "mixed" },
          "2026-01-01 00:00:00", 1000000000, "2020-01-01T00:00:00.000Z")
        assert.same({ 2, 3, 1 }, support.pluck(Thing:findAll{ order = { "value" } }, "id"))
        local last = "2026-01-01T00:00:00.000Z"
        assert.same({ "2001-09-09T01:46:40.000Z", last }, { Thing:min("value"), Thing:max("value") })
        assert.equal("2020-01-01T00:00:00.000Z", Thing:max("value", { order = "value", limit = 2 }))
        local most = liga.fn("max", liga.col("value"))
        local found = Thing:findAll{
          attributes = { "id", { most, "most" } }, group = "id", order = { { most, "DESC" } }, raw = true,
          having = liga.where(most, liga.Op.gt, "2019-01-01T00:00:00Z"),
        }
        assert.same({ 1, 3 }, support.pluck(found, "id"))
      end)

      it("of mixed forms are told apart as instants, too", function()
        local Thing = foreign(liga.DATE{ stored = "mixed" },
          "2026-01-01 00:00:00", 1767225600, "2026-01-01T01:00:00+01:00", "2020-01-01T00:00:00.000Z")
        local values = { "2020-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z" }
        local distinct = Thing:findAll{ attributes = { "value" }, distinct = true, order = { "value" }, raw = true }
        assert.same(values, support.pluck(distinct, "value"))
        local groups = Thing:count{ group = { "value" }, order = { "value" } }
        assert.same({ values, { 1, 3 } }, { support.pluck(groups, "value"), support.pluck(groups, "count") })
        assert.equal(2, Thing:count{ col = "value", distinct = true })
      end)
    end
  end)
end
