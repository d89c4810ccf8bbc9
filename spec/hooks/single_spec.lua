-- Hooks of single instances: names, order, arguments, errors (contract, section 9).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the hooks of an instance on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER })
      db:sync()
    end)
    after_each(function() db:close() end)

    --- Records which hooks run, in order.
    local function record(model, ...)
      local ran = {}
      for _, event in ipairs { ... } do
        for _, moment in ipairs { "before", "after" } do
          model:addHook(moment .. event, function() ran[#ran + 1] = moment .. event end)
        end
      end
      return ran
    end

    it("run in order around an INSERT", function()
      local ran = record(User, "Create", "Save", "Validate", "Update")
      User:create { name = "ann" }
      assert.same({ "beforeValidate", "afterValidate", "beforeSave", "beforeCreate", "afterCreate", "afterSave" }, ran)
    end)

    it("run in order around an UPDATE", function()
      local ann = User:create { name = "ann" }
      local ran = record(User, "Create", "Save", "Validate", "Update")
      ann.name = "eva"
      ann:save()
      assert.same({ "beforeValidate", "afterValidate", "beforeSave", "beforeUpdate", "afterUpdate", "afterSave" }, ran)
    end)

    it("run around the DELETE of an instance", function()
      local ann = User:create { name = "ann" }
      local ran = record(User, "Destroy", "BulkDestroy")
      ann:destroy()
      assert.same({ "beforeDestroy", "afterDestroy" }, ran)
    end)

    it("run around validate", function()
      local ran = record(User, "Validate", "Save")
      User:build { name = "ann" }:validate()
      assert.same({ "beforeValidate", "afterValidate" }, ran)
    end)

    it("get the instance and the options, with the transaction they run in", function()
      local seen = {}
      User:beforeCreate(function(...) seen = { ... } end)
      local ann = User:create({ name = "ann" }, { fields = { "name" } })
      assert.equal(2, #seen)
      assert.is_true(rawequal(ann, seen[1]))
      assert.same({ "name" }, seen[2].fields)
      assert.is_table(seen[2].transaction)
    end)

    it("may change the values before they are written", function()
      User:beforeCreate(function(user) user.name = user.name:upper() end)
      local ann = User:create { name = "ann" }
      assert.equal("ANN", ann.name)
      assert.equal("ANN", User:findByPk(ann.id).name)
    end)

    it("may change attributes that update was not given", function()
      User:beforeUpdate(function(user) user.age = 7 end)
      local ann = User:create { name = "ann", age = 1 }
      ann:update { name = "eva" }
      assert.equal(7, User:findByPk(ann.id).age)
    end)

    it("may change a part of an attribute that update was not given", function()
      local Note = db:define("Note", { text = liga.STRING, meta = liga.JSON })
      Note:sync()
      Note:beforeUpdate(function(note) note.meta.changes = note.meta.changes + 1 end)
      local note = Note:create { text = "a", meta = { changes = 0 } }
      note:update { text = "b" }
      assert.same({ changes = 1 }, Note:findByPk(note.id).meta)
      assert.is_nil(note:changed())
    end)

    it("don't extend the fields that the user asks for", function()
      User:beforeUpdate(function(user) user.age = 7 end)
      local ann = User:create { name = "ann", age = 1 }
      ann.name = "eva"
      ann:save { fields = { "name" } }
      assert.equal(1, User:findByPk(ann.id).age)
    end)

    it("after the write are left out where nothing is written", function()
      local ann = User:create { name = "ann" }
      local ran = record(User, "Update")
      ann:save()
      assert.same({ "beforeUpdate" }, ran)
    end)

    it("are left out with hooks = false", function()
      local ran = record(User, "Create", "Save", "Validate", "Update", "Destroy", "BulkCreate")
      local ann = User:create({ name = "ann" }, { hooks = false })
      ann:update({ name = "eva" }, { hooks = false })
      ann:destroy { hooks = false }
      User:bulkCreate({ {} }, { hooks = false })
      assert.same({}, ran)
    end)

    it("leave the validating ones out with validate = false", function()
      local ran = record(User, "Validate", "Create")
      User:create({ name = "ann" }, { validate = false })
      assert.same({ "beforeCreate", "afterCreate" }, ran)
    end)

    it("do not see the caller's options table changed", function()
      User:beforeCreate(function(_, options) options.silent = true end)
      local options = {}
      User:create({ name = "ann" }, options)
      assert.same({}, options)
    end)

    describe("that fail", function()
      local oops = { "an error of the user's" }

      it("stop the write, and the error comes out as it is", function()
        User:beforeCreate(function() error(oops) end)
        local ok, e = pcall(User.create, User, { name = "ann" })
        assert.is_false(ok)
        assert.is_true(rawequal(oops, e))
        assert.equal(0, User:count())
      end)

      it("take back what was written", function()
        User:afterSave(function() error(oops) end)
        local user = User:build { name = "ann" }
        local ok, e = pcall(user.save, user)
        assert.is_false(ok)
        assert.equal(oops, e)
        assert.equal(0, User:count())
        assert.is_true(user:isNew())
        assert.is_nil(user.id)
      end)

      it("raise nil as nil", function()
        User:afterCreate(function() error(nil) end)
        local ok, e = pcall(User.create, User, { name = "ann" })
        assert.is_false(ok)
        assert.is_nil(e)
        assert.equal(0, User:count())
      end)

      it("leave an instance that was to be updated as changed as before", function()
        local ann = User:create { name = "ann" }
        local fails = true
        User:afterUpdate(function() if fails then error(oops) end end)
        ann.name = "eva"
        assert.is_false(pcall(ann.save, ann))
        assert.same({ "name" }, ann:changed())
        assert.equal("ann", ann:previous "name")
        fails = false
        ann:save()
        assert.equal("eva", User:findByPk(ann.id).name)
      end)

      it("leave the rest of the user's transaction as it is", function()
        User:afterCreate(function(user) if user.name == "bad" then error(oops) end end)
        db:transaction(function()
          User:create { name = "ann" }
          assert.is_false(pcall(User.create, User, { name = "bad" }))
          User:create { name = "eva" }
        end)
        assert.same({ "ann", "eva" }, support.sorted(User:findAll(), "name"))
      end)
    end)

    it("may write themselves, in the same transaction", function()
      local Note = db:define("Note", { text = liga.STRING })
      db:sync()
      User:afterCreate(function(user) Note:create { text = user.name } end)
      User:create { name = "ann" }
      assert.equal(1, Note:count())
      User:afterCreate(function() error "no" end)
      assert.is_false(pcall(User.create, User, { name = "eva" }))
      assert.equal(1, Note:count())
    end)

    it("may yield", function()
      User:beforeCreate(function(user) user.age = coroutine.yield "how old?" end)
      local create = coroutine.wrap(function() return User:create { name = "ann" } end)
      assert.equal("how old?", create())
      assert.equal(9, create(9).age)
      assert.equal(9, User:findOne().age)
    end)

    it("are rolled back where the coroutine is closed in them", function()
      if engine.kind == "memory" then return end
      User:afterCreate(function() coroutine.yield() end)
      local create = coroutine.create(function() User:create { name = "ann" } end)
      assert(coroutine.resume(create))
      coroutine.close(create)
      assert.equal(0, User:count())
    end)

    it("can't close the database", function()
      User:beforeCreate(function() db:close() end)
      support.raises("UsageError", function() User:create { name = "ann" } end, "still running")
      User:afterFind(function() db:close() end)
      support.raises("UsageError", function() User:findAll() end, "still running")
    end)
  end)

  describe("adding hooks on " .. engine.name, function()
    local db, User, ran
    before_each(function()
      db, ran = engine:open(), {}
      User = db:define("User", { name = liga.STRING })
      db:sync()
    end)
    after_each(function() db:close() end)

    local function hook(word) return function() ran[#ran + 1] = word end end

    it("keeps their order, the model's before the connection's", function()
      db:addHook("beforeCreate", hook "db")
      User:addHook("beforeCreate", hook "first")
      User:beforeCreate(hook "second")
      User:create {}
      assert.same({ "first", "second", "db" }, ran)
    end)

    it("by option takes functions and lists of them", function()
      local Post = db:define("Post", {}, { hooks = { beforeCreate = { hook "a", hook "b" }, afterCreate = hook "c" } })
      db:sync()
      Post:create {}
      assert.same({ "a", "b", "c" }, ran)
    end)

    it("by the option define is for all models, beside their own", function()
      db:close()
      db = engine:open { define = { hooks = { beforeCreate = hook "all" } } }
      local Post = db:define("Post", {}, { hooks = { beforeCreate = hook "own" } })
      local Tag = db:define("Tag", {})
      db:sync()
      Post:create {}
      Tag:create {}
      assert.same({ "all", "own", "all" }, ran)
    end)

    it("to a connection holds for models defined later", function()
      db:beforeCreate(hook "db")
      local Post = db:define("Post", {})
      db:sync()
      Post:create {}
      assert.same({ "db" }, ran)
    end)

    it("by the connection's option hooks", function()
      db:close()
      db = engine:open { hooks = { beforeCreate = hook "db" } }
      User = db:define("User", {})
      db:sync()
      User:create {}
      assert.same({ "db" }, ran)
    end)

    it("under a name lets them be removed by it, or by the function", function()
      local second = hook "second"
      User:addHook("beforeCreate", "mine", hook "first")
      User:addHook("beforeCreate", second)
      assert.is_true(User:hasHook "beforeCreate")
      assert.is_true(User:hasHook("beforeCreate", "mine"))
      User:removeHook("beforeCreate", "mine")
      assert.is_false(User:hasHook("beforeCreate", "mine"))
      User:create {}
      assert.same({ "second" }, ran)
      User:removeHook("beforeCreate", second)
      assert.is_false(User:hasHook "beforeCreate")
      db:addHook("afterCreate", "theirs", hook "db")
      assert.is_true(db:hasHook("afterCreate", "theirs"))
      db:removeHook("afterCreate", "theirs")
      assert.is_false(db:hasHook "afterCreate")
    end)

    it("while hooks run does not disturb the run", function()
      User:beforeCreate(function() User:beforeCreate(hook "late") end)
      User:create {}
      assert.same({}, ran)
      User:create {}
      assert.same({ "late" }, ran)
    end)

    it("of an unknown name raises, naming the nearest", function()
      support.raises("UsageError", function() User:addHook("beforeCraete", hook "x") end, "beforeCraete",
        "beforeCreate")
      support.raises("UsageError", function() db:addHook("beforeSaved", hook "x") end, "beforeSave")
      support.raises("UsageError", function() User:hasHook "nothing" end, "nothing")
      support.raises("UsageError", function() db:define("Post", {}, { hooks = { afterCreated = hook "x" } }) end,
        "afterCreate")
      support.raises("UsageError", function() User:addHook("beforeDefine", hook "x") end, "db:addHook")
    end)

    it("that are no functions raises", function()
      support.raises("UsageError", function() User:addHook("beforeCreate", 5) end, "function")
      support.raises("UsageError", function() User:addHook("beforeCreate", "name") end, "function")
      support.raises("UsageError", function() User:addHook("beforeCreate", 5, hook "x") end, "name")
      support.raises("UsageError", function() db:define("Post", {}, { hooks = { beforeCreate = 1 } }) end, "function")
      support.raises("UsageError", function() db:define("Post", {}, { hooks = 1 }) end, "table")
    end)
  end)
end
