-- build and create (contract, sections 6 and 7).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("build on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function() db:close() end)

    it("makes an instance without touching the database", function()
      local ann = User:build{ name = "ann" }
      assert.equal("ann", ann.name)
      assert.is_true(ann:isNew())
      assert.same({}, log:statements())
    end)

    it("makes an instance that save inserts", function()
      local ann = User:build{ name = "ann" }
      ann.age = 30
      assert.equal(ann, ann:save())
      assert.is_false(ann:isNew())
      assert.equal("integer", math.type(ann.id))
      assert.same({ id = ann.id, name = "ann", age = 30 }, User:findByPk(ann.id):toTable())
    end)

    it("does not change the values that it is given", function()
      local values = { name = "ann" }
      User:build(values):save()
      assert.same({ name = "ann" }, values)
      assert.is_nil(getmetatable(values))
    end)

    it("needs no values", function()
      assert.is_true(User:build{}:isNew())
    end)
  end)

  describe("create on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER, email = liga.STRING }, { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function() db:close() end)

    it("inserts a row and gives the instance with its key", function()
      local ann, bob = User:create{ name = "ann", age = 30 }, User:create{ name = "bob" }
      assert.equal("integer", math.type(ann.id))
      assert.not_equal(ann.id, bob.id)
      assert.same({ id = ann.id, name = "ann", age = 30 }, User:findByPk(ann.id):toTable())
    end)

    it("takes one statement", function()
      User:create{ name = "ann" }
      assert.equal(1, #log)
    end)

    it("gives a plain table: its keys are the attributes, nothing hidden", function()
      local ann = User:create{ name = "ann", age = 30 }
      local copy = {}
      for key, value in pairs(ann) do copy[key] = value end
      assert.same({ id = ann.id, name = "ann", age = 30 }, copy)
    end)

    it("holds what a reload would give", function()
      local ann = User:create{ name = 42, age = "30", email = liga.null }
      assert.equal("42", ann.name)
      assert.equal(30, ann.age)
      assert.equal("integer", math.type(ann.age))
      assert.is_nil(rawget(ann, "email"))
      assert.same(User:findByPk(ann.id):toTable(), ann:toTable())
    end)

    it("takes a key that is given", function()
      assert.equal(77, User:create{ id = 77, name = "ann" }.id)
      assert.equal("ann", User:findByPk(77).name)
      assert.is_true(User:create{ name = "bob" }.id ~= 77)
    end)

    it("inserts a row of nothing", function()
      assert.equal("integer", math.type(User:create{}.id))
      assert.equal(1, User:count())
    end)

    it("writes only the attributes listed in fields", function()
      local ann = User:create({ name = "ann", age = 30 }, { fields = { "name" } })
      assert.same({ id = ann.id, name = "ann" }, User:findByPk(ann.id):toTable())
    end)

    it("names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function() User:create{ nmae = "ann" } end, "nmae", "name")
      support.raises("UsageError", function()
        User:create({ name = "ann" }, { fields = { "nmae" } })
      end, "nmae", "name")
      assert.same({}, log:statements())
    end)

    it("names the nearest option for one that it does not know", function()
      support.raises("UsageError", function()
        User:create({ name = "ann" }, { feilds = { "name" } })
      end, "feilds", "fields")
    end)

    it("refuses values that are no table", function()
      support.raises("UsageError", function() User:create("ann") end)
      support.raises("UsageError", function() User:create(5) end)
    end)

    it("leaves keys that begin with an underscore to you", function()
      local ann = User:create{ name = "ann" }
      ann._note = print
      ann.age = 31
      ann:save()
      assert.equal(print, ann._note)
      assert.equal(31, User:findByPk(ann.id).age)
    end)

    it("refuses a value under the name of an association without include", function()
      local Post = db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      db:sync()
      support.raises("UsageError", function()
        User:create{ name = "ann", posts = { { title = "x" } } }
      end, "posts")
      assert.equal(0, User:count())
    end)

  end)
end
