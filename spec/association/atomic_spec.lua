--- Association writes are all or nothing, alone and inside transactions.
local liga = require "liga"
local support = require "spec.support"
local raises, sorted = support.raises, support.sorted

for engine in support.engines() do
  describe("association writes on " .. engine.name, function()
    local db, log, User, Task, Tag, UserTag, user, a, b

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", { title = { type = liga.STRING, allowNull = false, unique = true } })
      Tag = db:define("Tag", { name = { type = liga.STRING, allowNull = false } })
      UserTag = db:define("UserTag", { since = { type = liga.INTEGER, allowNull = false } })
      User:hasMany(Task)
      User:belongsToMany(Tag, { through = UserTag })
      db:sync()
      user = User:create { name = "ann" }
      a, b = Task:create { title = "a" }, Task:create { title = "b" }
    end)
    after_each(function() db:close() end)

    it("change nothing if one of several unsaved targets is not valid", function()
      raises("ValidationError", function()
        user:addTasks { a, Task:build { title = "c" }, Task:build {} }
      end, "title")
      assert.equal(0, user:countTasks())
      assert.equal(2, Task:count())
    end)

    it("change nothing if the database refuses one of several unsaved targets", function()
      raises("UniqueConstraintError", function()
        user:addTasks { a, Task:build { title = "c" }, Task:build { title = "b" } }
      end)
      assert.equal(0, user:countTasks())
      assert.equal(2, Task:count())
    end)

    it("keep the old list if set fails", function()
      user:setTasks { a }
      raises("ValidationError", function() user:setTasks { b, Task:build {} } end)
      assert.same({ "a" }, sorted(user:getTasks(), "title"))
    end)

    it("keep the old links if the junction row of a new one is refused", function()
      local old, new = Tag:create { name = "old" }, Tag:create { name = "new" }
      user:addTag(old, { through = { since = 1 } })
      raises("ValidationError", function() user:setTags { new } end, "since")
      assert.same({ "old" }, sorted(user:getTags(), "name"))
    end)

    it("make no target if its junction row is refused", function()
      raises("ValidationError", function() user:createTag { name = "x" } end, "since")
      assert.equal(0, Tag:count())
      assert.equal(0, UserTag:count())
    end)

    it("make no target if the source's row has vanished", function()
      local task = Task:create { title = "c" }
      Task:destroy { where = { id = task.id } }
      raises("InstanceError", function() task:createUser { name = "bob" } end)
      assert.equal(1, User:count())
    end)

    it("say in the error what became of the write", function()
      user:setTasks { a }
      local e = raises("UniqueConstraintError", function()
        user:setTasks { Task:build { title = "c" }, Task:build { title = "b" } }
      end)
      assert.equal("rolled_back", e.outcome)
      assert.same({ "a" }, sorted(user:getTasks(), "title"))
    end)

    it("that are one statement open no transaction", function()
      log:clear()
      user:createTask { title = "c" }
      assert.same({}, log:statements "transaction")
    end)

    describe("inside a transaction", function()
      it("belong to it: an error rolls them back", function()
        assert.has_error(function()
          db:transaction(function()
            user:setTasks { a, b }
            user:createTag({ name = "x" }, { through = { since = 1 } })
            error("stop", 0)
          end)
        end, "stop")
        assert.equal(0, user:countTasks())
        assert.equal(0, user:countTags())
        assert.equal(0, Tag:count())
      end)

      it("are undone alone when they fail, and the transaction goes on", function()
        db:transaction(function()
          user:addTask(a)
          raises("InstanceError", function() user:addTasks { b, 4711 } end)
          raises("UniqueConstraintError", function()
            user:setTasks { Task:build { title = "c" }, Task:build { title = "b" } }
          end)
          user:createTag({ name = "x" }, { through = { since = 1 } })
        end)
        assert.same({ "a" }, sorted(user:getTasks(), "title"))
        assert.equal(1, user:countTags())
      end)

      it("take it from the option transaction", function()
        local t = db:transaction()
        user:setTasks({ a, b }, { transaction = t })
        user:createTag({ name = "x" }, { through = { since = 1 }, transaction = t })
        assert.equal(2, user:countTasks { transaction = t })
        assert.is_true(user:hasTask(a, { transaction = t }))
        assert.equal(1, #user:getTags { transaction = t })
        t:rollback()
        assert.equal(0, user:countTasks())
        assert.equal(0, Tag:count())
      end)

      it("are kept when an unmanaged one is committed", function()
        local t <close> = db:transaction()
        user:addTask(a, { transaction = t })
        t:commit()
        assert.same({ "a" }, sorted(user:getTasks(), "title"))
      end)

      it("refuse a transaction that has ended", function()
        local t = db:transaction()
        t:rollback()
        raises("UsageError", function() user:addTask(a, { transaction = t }) end, "transaction")
        assert.equal(0, user:countTasks())
      end)
    end)
  end)
end
