-- DATEONLY and TIME (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("days and times of day on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as they were written", function()
      assert.equal("2026-11-22", stored(model_of(liga.DATEONLY), "2026-11-22"))
      local Alarm = db:define("Alarm", { value = liga.TIME }, { timestamps = false })
      Alarm:sync()
      assert.equal("09:30:00", stored(Alarm, "09:30:00"))
    end)

    it("may be given as a table of os.date", function()
      local moment = { year = 2026, month = 2, day = 3, hour = 4, min = 5, sec = 6 }
      assert.equal("2026-02-03", stored(model_of(liga.DATEONLY), moment))
      local Alarm = db:define("Alarm", { value = liga.TIME }, { timestamps = false })
      Alarm:sync()
      assert.equal("04:05:06", stored(Alarm, moment))
      assert.equal("23:59:00", stored(Alarm, { hour = 23, min = 59 }))
      for _, wrong in ipairs { { hour = 24, min = 0 }, { hour = 9, min = 60 }, { hour = 9 }, {} } do
        support.raises("ValidationError", function() Alarm:create { value = wrong } end, "Alarm.value")
      end
    end)

    it("are found by a table, too", function()
      local Alarm = db:define("Alarm", { at = liga.TIME, day = liga.DATEONLY }, { timestamps = false })
      Alarm:sync()
      local at, day = { hour = 9, min = 30 }, { year = 2026, month = 11, day = 22 }
      local alarm = Alarm:findOrCreate{ where = { at = at, day = day } }
      assert.same({ "09:30:00", "2026-11-22" }, { alarm.at, alarm.day })
      assert.equal(1, Alarm:count{ where = { at = at, day = day } })
      assert.equal(1, Alarm:count{ where = { at = liga.Op.lte(at), day = liga.Op.in_ { day } } })
    end)

    it("refuse days that do not exist", function()
      local Thing = model_of(liga.DATEONLY)
      for _, value in ipairs { "", "2026-13-01", "2026-02-30", "2026-00-10", "tomorrow", true } do
        refuses(Thing, value)
      end
    end)

    it("refuse times that do not exist", function()
      local Thing = model_of(liga.TIME)
      for _, value in ipairs { "", "25:00:00", "12:61:00", "noon", true } do refuses(Thing, value) end
    end)

    it("order by the calendar", function()
      local Thing = model_of(liga.DATEONLY)
      Thing:bulkCreate{ { value = "2026-10-01" }, { value = "2026-09-30" }, { value = "1999-12-31" } }
      assert.same({ "1999-12-31", "2026-09-30", "2026-10-01" },
        support.pluck(Thing:findAll{ order = { "value" } }, "value"))
      assert.equal(1, Thing:count{ where = { value = { [liga.Op.between] = { "2026-01-01", "2026-09-30" } } } })
    end)
  end)
end
