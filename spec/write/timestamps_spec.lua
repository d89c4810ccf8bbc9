-- createdAt and updatedAt (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

local OLD = "2001-01-01T00:00:00.000Z"

for engine in support.engines() do
  describe("timestamps on " .. engine.name, function()
    local db, log
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
    end)
    after_each(function() db:close() end)

    local function define(options)
      local User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, options)
      db:sync()
      return User
    end

    --- An instance that was last touched long ago.
    local function old_user(User)
      User:create{ name = "ann" }
      db:query('UPDATE "Users" SET "createdAt" = $1, "updatedAt" = $1', { bind = { OLD } })
      local ann = User:findOne()
      assert.equal(OLD, ann.updatedAt)
      return ann
    end

    it("are one clock reading at creation, in milliseconds of UTC", function()
      local ann = define():create{ name = "ann" }
      assert.is_truthy(ann.createdAt:match("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"))
      assert.equal(ann.createdAt, ann.updatedAt)
      local now = os.date("!%Y-%m-%dT%H:%M:%S", os.time() + 2)
      assert.is_true(ann.createdAt < now and ann.createdAt > os.date("!%Y-%m-%dT%H:%M:%S", os.time() - 10))
    end)

    it("are set by bulkCreate too", function()
      for _, row in ipairs(define():bulkCreate{ { name = "a" }, { name = "b" } }) do
        assert.is_string(row.createdAt)
        assert.equal(row.createdAt, row.updatedAt)
      end
    end)

    it("of a save that failed are forgotten: the next one reads the clock itself", function()
      local Key = db:define("Key", { name = { type = liga.STRING, unique = true } })
      db:sync()
      Key:create{ name = "a" }
      local key = Key:build{ name = "a" }
      support.raises("UniqueConstraintError", function() key:save() end)
      assert.is_nil(key.createdAt)
      assert.is_nil(key.updatedAt)
      key.name, key.createdAt = "b", "2020-01-01T00:00:00.000Z"
      support.raises("ValidationError", function() key:set("name", ("x"):rep(300)):save() end)
      assert.equal("2020-01-01T00:00:00.000Z", key.createdAt)
      key.name = "b"
      assert.is_true(key:save().updatedAt > "2026")
    end)

    it("of a bulkCreate that failed, or of a duplicate that was ignored, are forgotten, too", function()
      local Key = db:define("Key", { name = { type = liga.STRING, unique = true } })
      db:sync()
      Key:create{ name = "a" }
      local function stamps(key) return { key.createdAt, key.updatedAt, key.id } end
      local given = "2020-01-01T00:00:00.000Z"
      local a, b = Key:build{ name = "a", createdAt = given }, Key:build{ name = "b" }
      support.raises("UniqueConstraintError", function() Key:bulkCreate{ b, a } end)
      assert.same({ { given }, {} }, { stamps(a), stamps(b) })
      support.raises("ValidationError", function() Key:bulkCreate{ b, { name = ("x"):rep(300) } } end)
      Key:bulkCreate({ a }, { ignoreDuplicates = true })
      assert.same({ { given }, {} }, { stamps(a), stamps(b) })
      assert.same({}, stamps(Key:create({ name = "a" }, { ignoreDuplicates = true })))
    end)

    it("move updatedAt, not createdAt, when a change is saved", function()
      local ann = old_user(define())
      ann.name = "anna"
      ann:save()
      assert.equal(OLD, ann.createdAt)
      assert.is_true(ann.updatedAt > OLD)
      assert.equal(ann.updatedAt, ann:reload().updatedAt)
    end)

    it("are not assigned: what a save finds in updatedAt is forgotten, unless it is silent", function()
      local User = define()
      local ann = User:create { name = "ann" }
      local at = ann.updatedAt
      ann.updatedAt = "2020-01-01T00:00:00Z"
      ann:save()
      assert.same({ at, at }, { ann.updatedAt, User:findByPk(ann.id).updatedAt })
      assert.is_nil(ann:changed())
      ann.updatedAt = "2020-01-01T00:00:00Z"
      ann:save { silent = true }
      assert.equal("2020-01-01T00:00:00.000Z", User:findByPk(ann.id).updatedAt)
    end)

    it("stay when nothing changed", function()
      local ann = old_user(define())
      ann:save()
      assert.equal(OLD, ann:reload().updatedAt)
    end)

    it("stay when a change is saved silently", function()
      local ann = old_user(define())
      ann.name = "anna"
      ann:save{ silent = true }
      ann:reload()
      assert.equal("anna", ann.name)
      assert.equal(OLD, ann.updatedAt)
    end)

    it("move when a model updates rows, unless silent", function()
      local User = define()
      local ann = old_user(User)
      User:update({ age = 1 }, { all = true, silent = true })
      assert.equal(OLD, ann:reload().updatedAt)
      User:update({ age = 2 }, { all = true })
      assert.is_true(ann:reload().updatedAt > OLD)
      assert.equal(OLD, ann.createdAt)
    end)

    it("can have other names", function()
      local User = define{ createdAt = "born", updatedAt = "touched" }
      local ann = User:create{ name = "ann" }
      assert.is_string(ann.born)
      assert.is_string(ann.touched)
      assert.is_nil(User.attributes.createdAt)
    end)

    it("can be switched off one by one", function()
      local User = define{ updatedAt = false }
      local ann = User:create{ name = "ann" }
      assert.is_string(ann.createdAt)
      assert.is_nil(User.attributes.updatedAt)
      ann.name = "anna"
      ann:save()
      assert.equal("anna", User:findByPk(ann.id).name)
    end)

    it("can be switched off", function()
      local User = define{ timestamps = false }
      local ann = User:create{ name = "ann" }
      assert.same({ id = ann.id, name = "ann" }, User:findByPk(ann.id):toTable())
    end)
  end)
end
