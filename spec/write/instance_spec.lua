-- What an instance can do besides writing: set, get, toTable, equals, print itself (contract, section 6).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("an instance on " .. engine.name, function()
    local db, User, ann
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        { "username", liga.STRING }, { "age", liga.INTEGER }, { "email", liga.STRING }, { "meta", liga.JSON },
      }, { timestamps = false })
      db:sync()
      ann = User:create{ username = "ann", age = 30, meta = { tags = { "a" } } }
    end)
    after_each(function() db:close() end)

    it("prints with its key and first text", function()
      assert.equal(("User{id=%d, username=\"ann\"}"):format(ann.id), tostring(ann))
    end)

    it("equals another of the same model and key", function()
      local same, bob = User:findByPk(ann.id), User:create{ username = "bob" }
      same.age = 99
      assert.is_true(ann == same)
      assert.is_true(ann:equals(same))
      assert.is_false(ann == bob)
      assert.is_false(ann:equals(bob))
      assert.is_false(ann:equals("ann"))
      assert.is_false(ann:equals(nil))
    end)

    it("equals no instance of another model", function()
      local Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      db:sync()
      assert.is_false(ann == Post:create{ id = ann.id, title = "x" })
    end)

    it("equals only itself while it has no key", function()
      local a, b = User:build{ username = "x" }, User:build{ username = "x" }
      assert.is_true(a:equals(a))
      assert.is_false(a == b)
    end)

    it("knows its model", function()
      assert.equal(User, liga.modelOf(ann))
      assert.equal(User, liga.modelOf(User:build{}))
    end)

    it("gives its key as a condition", function()
      assert.same({ id = ann.id }, ann:where())
      assert.equal(ann, User:findOne{ where = ann:where() })
    end)

    it("sets one value or several", function()
      ann:set("age", 31)
      ann:set{ username = "anna", email = "a@example.org" }
      ann:save()
      assert.same({ id = ann.id, username = "anna", age = 31, email = "a@example.org", meta = { tags = { "a" } } },
        User:findByPk(ann.id):toTable())
    end)

    it("sets nil", function()
      ann:set("age", nil)
      ann:save()
      assert.is_nil(User:findByPk(ann.id).age)
    end)

    it("names the nearest attribute when an unknown one is set", function()
      support.raises("UsageError", function() ann:set("aeg", 31) end, "aeg", "age")
      support.raises("UsageError", function() ann:set{ aeg = 31 } end, "aeg", "age")
    end)

    it("gets one value", function()
      assert.equal("ann", ann:get("username"))
      assert.is_nil(ann:get("email"))
    end)

    it("gives a deep plain copy", function()
      local copy = ann:toTable()
      assert.is_nil(getmetatable(copy))
      assert.same({ id = ann.id, username = "ann", age = 30, meta = { tags = { "a" } } }, copy)
      copy.meta.tags[1] = "changed"
      assert.equal("a", ann.meta.tags[1])
      assert.same(ann:toTable(), ann:get{ plain = true })
    end)

    it("gives a plain copy with liga.null for NULL", function()
      assert.equal(liga.null, ann:toTable{ nulls = true }.email)
      assert.equal("ann", ann:toTable{ nulls = true }.username)
    end)

    it("updates values and saves them", function()
      assert.equal(ann, ann:update{ age = 31, email = "a@example.org" })
      assert.equal(31, ann.age)
      assert.equal("a@example.org", User:findByPk(ann.id).email)
    end)

    it("updates a value to NULL", function()
      ann:update{ age = liga.null }
      assert.is_nil(ann.age)
      assert.is_nil(User:findByPk(ann.id).age)
    end)

    it("names the nearest attribute when an unknown one is updated", function()
      support.raises("UsageError", function() ann:update{ aeg = 31 } end, "aeg", "age")
    end)

    it("reloads what is stored, and drops what was changed", function()
      User:update({ age = 50, email = "b@example.org" }, { all = true })
      ann.username = "changed"
      assert.equal(ann, ann:reload())
      assert.same({ id = ann.id, username = "ann", age = 50, email = "b@example.org", meta = { tags = { "a" } } },
        ann:toTable())
    end)

    it("loses on reload what is NULL now", function()
      User:update({ age = liga.null }, { all = true })
      assert.is_nil(ann:reload().age)
    end)

    it("raises InstanceError on reload when its row has vanished", function()
      User:destroy{ all = true }
      support.raises("InstanceError", function() ann:reload() end, "User")
    end)

    it("raises InstanceError for what needs a row while it has none", function()
      local new = User:build{ username = "new" }
      support.raises("InstanceError", function() new:reload() end)
      support.raises("InstanceError", function() new:destroy() end)
      support.raises("InstanceError", function() new:increment("age") end)
    end)

    it("destroys its row", function()
      local bob = User:create{ username = "bob" }
      ann:destroy()
      assert.is_nil(User:findByPk(ann.id))
      assert.equal("bob", User:findByPk(bob.id).username)
    end)

    it("increments and decrements in the database", function()
      local same = User:findByPk(ann.id)
      ann:increment("age")
      same:increment("age", { by = 5 })
      ann:decrement("age", { by = 2 })
      assert.equal(34, ann:reload().age)
    end)

    it("increments several attributes at once", function()
      local Game = db:define("Game", { points = liga.INTEGER, level = liga.DOUBLE }, { timestamps = false })
      db:sync()
      local game = Game:create{ points = 10, level = 1 }
      game:increment{ points = 5, level = 0.5 }
      game:reload()
      assert.equal(15, game.points)
      assert.equal(1.5, game.level)
    end)

    it("refuses what leaves the range of the type, and changes nothing", function()
      local Game = db:define("Game", { small = liga.SMALLINT, normal = liga.INTEGER, large = liga.BIGINT },
        { timestamps = false })
      db:sync()
      local most = { small = 32767, normal = 2147483647, large = math.maxinteger }
      local least = { small = -32768, normal = -2147483648, large = math.mininteger }
      local highest, lowest = Game:create(most), Game:create(least)
      for name in pairs(most) do
        local e = support.raises("ValidationError", function() highest:increment(name) end, "range", "Game." .. name)
        assert.equal(name, e.attribute)
        support.raises("ValidationError", function() lowest:decrement(name) end, "range")
        support.raises("ValidationError", function() Game:increment(name, { all = true }) end, "range")
      end
      assert.same(most, Game:findByPk(highest.id, { attributes = { "small", "normal", "large" } }):toTable())
      assert.same(least, Game:findByPk(lowest.id, { attributes = { "small", "normal", "large" } }):toTable())
    end)

    it("is shown by its key and its first text", function()
      local Note = db:define("Note", { { "at", liga.DATE }, { "price", liga.DECIMAL(5, 2) }, { "text", liga.TEXT } })
      db:sync()
      assert.equal('Note{id=1, text="tea"}', tostring(Note:create { at = 0, price = 1, text = "tea" }))
      assert.equal("Note{id=2}", tostring(Note:create { at = 0, price = 1 }))
    end)

    it("names the nearest attribute when an unknown one is incremented", function()
      support.raises("UsageError", function() ann:increment("aeg") end, "aeg", "age")
      support.raises("UsageError", function() ann:increment{ aeg = 1 } end, "aeg", "age")
    end)
  end)
end
