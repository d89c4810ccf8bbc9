-- Optimistic locking (contract, section 6).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a versioned model on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { version = true })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("counts the changes of a row, from 0", function()
      local ann = User:create { name = "ann" }
      assert.equal(0, ann.version)
      ann:update { name = "eva" }
      assert.equal(1, ann.version)
      assert.is_nil(ann:changed())
      ann:save()
      assert.equal(1, User:findByPk(ann.id).version)
      assert.equal(0, User:bulkCreate({ {} })[1].version)
    end)

    it("refuses to save what was changed by somebody else", function()
      local ann = User:create { name = "ann", age = 1 }
      local other = User:findByPk(ann.id)
      other:update { age = 2 }
      ann.name = "eva"
      local e = support.raises("OptimisticLockError", function() ann:save() end, "User")
      assert.equal("User", e.model)
      assert.equal("ann", User:findByPk(ann.id).name)
      ann:reload()
      ann:update { name = "eva" }
      assert.equal(2, ann.version)
    end)

    it("refuses to save and to destroy a row that is gone", function()
      local ann = User:create { name = "ann" }
      User:findByPk(ann.id):destroy()
      ann.name = "eva"
      support.raises("OptimisticLockError", function() ann:save() end)
      support.raises("OptimisticLockError", function() ann:destroy() end)
    end)

    it("refuses to destroy what was changed by somebody else", function()
      local ann = User:create { name = "ann" }
      User:findByPk(ann.id):update { name = "eva" }
      support.raises("OptimisticLockError", function() ann:destroy() end)
      ann:reload():destroy()
      assert.equal(0, User:count())
    end)

    it("notices changes of many rows, and increments", function()
      local ann = User:create { name = "ann", age = 1 }
      User:update({ age = 2 }, { all = true })
      assert.equal(1, User:findByPk(ann.id).version)
      support.raises("OptimisticLockError", function() ann:update { name = "eva" } end)
      User:increment("age", { all = true })
      ann:reload()
      assert.equal(2, ann.version)
      ann:increment "age"
      assert.equal(3, ann.version)
      ann:update { name = "eva" }
      assert.equal(4, ann.version)
    end)

    it("is counted on by upsert", function()
      local ann = User:create { name = "ann" }
      local again = User:upsert { id = ann.id, name = "eva" }
      assert.equal(1, again.version)
      support.raises("OptimisticLockError", function() ann:update { name = "pia" } end)
    end)

    it("can't check what was not selected", function()
      local ann = User:create { name = "ann" }
      local partly = User:findByPk(ann.id, { attributes = { "id", "name" } })
      User:findByPk(ann.id):update { name = "eva" }
      partly:update { name = "pia" }
      assert.equal(2, User:findByPk(ann.id).version)
    end)

    it("does not take a version that is assigned", function()
      local ann = User:create { name = "ann" }
      ann.version = 77
      ann:update { name = "eva" }
      assert.equal(1, ann.version)
      assert.equal(1, User:findByPk(ann.id).version)
    end)

    it("may call the count otherwise, and be paranoid", function()
      local Post = db:define("Post", { { "title", liga.STRING }, { "edition", liga.BIGINT } },
        { version = "edition", paranoid = true })
      db:sync()
      local post = Post:create { title = "a" }
      assert.equal(0, post.edition)
      post:destroy()
      assert.equal(1, post.edition)
      post:restore()
      assert.equal(2, post.edition)
      local stale = Post:findByPk(post.id)
      post:update { title = "b" }
      support.raises("OptimisticLockError", function() stale:destroy() end)
    end)

    it("is declared with true or a name, of an integer type", function()
      support.raises("UsageError", function() db:define("A", {}, { version = 5 }) end, "version")
      support.raises("UsageError", function() db:define("A", { version = liga.STRING }, { version = true }) end,
        "version", "integer")
    end)
  end)
end
