-- changed and previous: what differs from the row as it was read (contract, section 6).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("change tracking on " .. engine.name, function()
    local db, log, User, ann
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        name = liga.STRING, age = liga.INTEGER, score = liga.DOUBLE, active = liga.BOOLEAN, meta = liga.JSON,
      }, { timestamps = false })
      db:sync()
      ann = User:findByPk(User:create{
        name = "ann", age = 30, score = 1.5, active = true,
        meta = { tags = { "a", "b" }, address = { city = "Lisbon" } },
      }.id)
      log:clear()
    end)
    after_each(function() db:close() end)

    it("knows nothing changed after a load", function()
      assert.is_nil(ann:changed())
      assert.is_false(ann:changed("name"))
    end)

    it("lists what changed", function()
      ann.name, ann.age = "anna", 31
      local changed = ann:changed()
      table.sort(changed)
      assert.same({ "age", "name" }, changed)
      assert.is_true(ann:changed("age"))
      assert.is_false(ann:changed("score"))
    end)

    it("sees nil, false and other numbers", function()
      ann.name = nil
      ann.active = false
      ann.score = 2
      assert.is_true(ann:changed("name"))
      assert.is_true(ann:changed("active"))
      assert.is_true(ann:changed("score"))
    end)

    it("forgets a change that was taken back", function()
      ann.name, ann.age, ann.active = "anna", nil, false
      ann.name, ann.age, ann.active = "ann", 30, true
      assert.is_nil(ann:changed())
    end)

    it("keeps the previous value", function()
      ann.name = "anna"
      ann.age = nil
      assert.equal("ann", ann:previous("name"))
      assert.equal(30, ann:previous("age"))
    end)

    it("starts anew after a save", function()
      ann.name = "anna"
      ann:save()
      assert.is_nil(ann:changed())
      ann.name = "annie"
      assert.equal("anna", ann:previous("name"))
    end)

    it("starts anew after a reload", function()
      ann.name = "anna"
      ann:reload()
      assert.is_nil(ann:changed())
      assert.equal("ann", ann.name)
    end)

    it("sees a change inside a JSON value", function()
      ann.meta.tags[3] = "c"
      assert.is_true(ann:changed("meta"))
      ann:save()
      assert.same({ "a", "b", "c" }, User:findByPk(ann.id).meta.tags)
      assert.is_nil(ann:changed())
    end)

    it("sees a change deep inside a JSON value", function()
      ann.meta.address.city = "Porto"
      assert.same({ "meta" }, ann:changed())
      ann:save()
      assert.equal("Porto", User:findByPk(ann.id).meta.address.city)
    end)

    it("compares JSON by value, not by identity", function()
      ann.meta = { address = { city = "Lisbon" }, tags = { "a", "b" } }
      assert.is_nil(ann:changed())
      ann:save()
      assert.same({}, log:statements())
    end)

    it("writes nothing of a JSON value that was only read", function()
      ann.age = 29 + #ann.meta.tags
      ann:save()
      assert.is_nil(log[1].sql:find("meta", 1, true))
    end)

    it("tells two rows of one query apart", function()
      User:create{ name = "bob", age = 25 }
      local rows = User:findAll{ order = { "name" } }
      rows[2].age = 26
      assert.is_nil(rows[1]:changed())
      assert.same({ "age" }, rows[2]:changed())
    end)

    it("knows every form that JSON has", function()
      for _, value in ipairs{ 5, 1.5, true, false, "text", liga.array{} } do
        local user = User:create{ name = "any", meta = value }
        local read = User:findByPk(user.id)
        assert.is_nil(user:changed())
        assert.is_nil(read:changed())
        assert.same(value, read:previous("meta"))
        read.meta = 6
        assert.same({ "meta" }, read:changed())
      end
    end)

    it("knows dates that are shown as numbers", function()
      local epoch <close> = engine:open{ dates = "epoch" }
      local Event = epoch:define("Event", { at = liga.DATE }, { timestamps = false })
      epoch:sync()
      local event = Event:create{ at = 1700000000.5 }
      local read = Event:findByPk(event.id)
      assert.is_nil(event:changed())
      assert.is_nil(read:changed())
      read.at = read.at + 1
      assert.equal(1700000000.5, read:previous("at"))
      assert.same({ "at" }, read:changed())
    end)

    it("survives the garbage collector", function()
      for i = 1, 500 do User:create{ name = "user " .. i, age = i } end
      local rows = User:findAll{ order = { "id" } }
      for i = 2, #rows, 2 do rows[i] = false end
      collectgarbage()
      collectgarbage()
      for i = 1, #rows, 2 do
        assert.is_nil(rows[i]:changed())
        rows[i].age = -1
        assert.same({ "age" }, rows[i]:changed())
      end
    end)

    it("names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function() ann:changed("nmae") end, "nmae", "name")
      support.raises("UsageError", function() ann:previous("nmae") end, "nmae", "name")
    end)
  end)
end
