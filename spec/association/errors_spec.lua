--- What a wrong declaration or call says.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  describe("a wrong declaration on " .. engine.name, function()
    local db, User, Task

    before_each(function()
      db = engine:open()
      User, Task = db:define("User", { name = liga.STRING }), db:define("Task", { title = liga.STRING })
    end)
    after_each(function() db:close() end)

    describe("raises UsageError", function()
      it("for an unknown option, with the nearest", function()
        raises("UsageError", function() User:hasMany(Task, { forignKey = "uid" }) end, "forignKey", "foreignKey")
        raises("UsageError", function() Task:belongsTo(User, { onDelet = "CASCADE" }) end, "onDelet", "onDelete")
        raises("UsageError", function() User:hasOne(Task, { sourcKey = "id" }) end, "sourcKey", "sourceKey")
        raises("UsageError", function()
          User:belongsToMany(Task, { through = "UserTask", otherkey = "tid" })
        end, "otherkey", "otherKey")
      end)

      it("for an unknown option inside foreignKey", function()
        raises("UsageError", function()
          User:hasMany(Task, { foreignKey = { name = "uid", alowNull = false } })
        end, "alowNull", "allowNull")
      end)

      it("for an unknown option inside inverse", function()
        raises("UsageError", function() User:hasMany(Task, { inverse = { ass = "owner" } }) end, "ass", "inverse")
      end)

      it("for an unknown option inside through", function()
        raises("UsageError", function()
          User:belongsToMany(Task, { through = { model = "UserTask", uniqe = false } })
        end, "uniqe", "unique")
      end)

      it("for an unknown name inside throughAssociations", function()
        raises("UsageError", function()
          User:belongsToMany(Task, { through = "UserTask", throughAssociations = { fromSorce = "x" } })
        end, "fromSorce", "fromSource")
      end)

      it("for an option of another kind", function()
        raises("UsageError", function() Task:belongsTo(User, { sourceKey = "id" }) end, "sourceKey")
        raises("UsageError", function() User:hasMany(Task, { otherKey = "x" }) end, "otherKey")
        raises("UsageError", function() Task:belongsTo(User, { scope = { name = "x" } }) end, "scope")
        raises("UsageError", function() User:hasMany(Task, { uniqueForeignKey = true }) end, "uniqueForeignKey")
      end)

      it("for Sequelize's keyType, with a pointer to foreignKey", function()
        raises("UsageError", function() Task:belongsTo(User, { keyType = liga.STRING }) end, "keyType", "foreignKey")
      end)
    end)

    describe("raises AssociationError", function()
      for what, target in pairs { ["a number"] = 42, ["a plain table"] = {}, ["true"] = true } do
        it("for a target that is " .. what, function()
          raises("AssociationError", function() User:hasMany(target) end, "User", "hasMany")
        end)
      end

      it("for a scope of a model, which would be lost", function()
        User:addScope("adults", { where = { age = 18 } })
        for _, target in ipairs { User:scope("adults"), User:unscoped() } do
          support.raises("AssociationError", function() Task:belongsTo(target) end, "scope", "where")
        end
      end)

      it("for no target", function()
        raises("AssociationError", function() User:belongsTo() end, "User", "belongsTo")
      end)

      it("for an unknown targetKey, naming model and key", function()
        raises("AssociationError", function() Task:belongsTo(User, { targetKey = "nick" }) end, "nick", "User")
      end)

      it("for an unknown sourceKey, naming model and key", function()
        raises("AssociationError", function() User:hasMany(Task, { sourceKey = "nick" }) end, "nick", "User")
        raises("AssociationError", function() User:hasOne(Task, { sourceKey = "nick" }) end, "nick", "User")
        raises("AssociationError", function()
          User:belongsToMany(Task, { through = "UserTask", sourceKey = "nick" })
        end, "nick", "User")
      end)

      it("for belongsToMany without through, naming the option", function()
        raises("AssociationError", function() User:belongsToMany(Task) end, "through", "User", "Task")
        raises("AssociationError", function() User:belongsToMany(Task, {}) end, "through")
      end)

      it("for a through that is neither name nor model", function()
        raises("AssociationError", function() User:belongsToMany(Task, { through = true }) end, "through")
        raises("AssociationError", function() User:belongsToMany(Task, { through = { unique = false } }) end,
          "through")
      end)

      it("for an action that is none", function()
        raises("AssociationError", function() Task:belongsTo(User, { onDelete = "explode" }) end,
          "explode")
        raises("AssociationError", function() User:hasMany(Task, { foreignKey = { onUpdate = "vanish" } }) end,
          "vanish")
      end)

      it("for an inverse.type that is neither hasMany nor hasOne", function()
        raises("AssociationError", function()
          Task:belongsTo(User, { inverse = { as = "tasks", type = "belongsToMany" } })
        end, "inverse", "belongsToMany", "hasMany")
      end)

      it("for a dependent that is none", function()
        raises("AssociationError", function() User:hasMany(Task, { dependent = "shred" }) end, "shred")
      end)

      it("for a key that refers to another table already", function()
        local Team = db:define("Team", {})
        Task:belongsTo(User, { foreignKey = "ownerId" })
        raises("AssociationError", function() Task:belongsTo(Team, { foreignKey = "ownerId" }) end,
          "ownerId")
      end)

      it("for a scope attribute that the target lacks", function()
        raises("AssociationError", function()
          User:hasMany(Task, { scope = { titel = "x" } })
          db:validate()
        end, "titel", "title")
      end)
    end)

    it("names the frame outside liga as source of a UsageError", function()
      local e = raises("UsageError", function() User:hasMany(Task, { forignKey = "uid" }) end)
      assert.is_truthy(e.source:find("errors_spec.lua:%d+"), e.source)
      assert.is_truthy(tostring(e):find(e.source, 1, true))
    end)

    it("declares nothing", function()
      pcall(User.hasMany, User, Task, { forignKey = "uid" })
      pcall(User.hasMany, User, Task, { sourceKey = "nick" })
      assert.is_nil(User.associations.tasks)
      assert.is_nil(Task.associations.user)
      assert.is_nil(Task.attributes.userId)
      User:hasMany(Task)
      db:sync()
      assert.equal(0, User:create({ name = "ann" }):countTasks())
    end)
  end)

  describe("a wrong call on " .. engine.name, function()
    local db, log, User, Task, user, task

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      User, Task = db:define("User", { name = liga.STRING }), db:define("Task", { title = liga.STRING })
      User:hasMany(Task)
      local Tag = db:define("Tag", {})
      User:belongsToMany(Tag, { through = "UserTag" })
      db:sync()
      user, task = User:create { name = "ann" }, Task:create { title = "a" }
      log:clear()
    end)
    after_each(function() db:close() end)

    it("with an unknown option raises UsageError before any SQL", function()
      raises("UsageError", function() user:addTask(task, { transction = true }) end, "transction", "transaction")
      raises("UsageError", function() user:setTasks({ task }, { destroyPrevius = true }) end,
        "destroyPrevius", "destroyPrevious")
      raises("UsageError", function() user:hasTasks({ task }, { exakt = true }) end, "exakt", "exact")
      raises("UsageError", function() user:createTask({ title = "b" }, { feilds = { "title" } }) end, "fields")
      raises("UsageError", function() user:getTags { throgh = {} } end, "throgh", "through")
      assert.equal(0, #log:statements())
    end)

    it("with through on a hasMany raises UsageError", function()
      raises("UsageError", function() user:addTask(task, { through = { x = 1 } }) end, "through")
      raises("UsageError", function() user:getTasks { through = { where = {} } } end, "through")
    end)

    it("with values of the wrong shape raises UsageError", function()
      raises("UsageError", function() user:createTask "a" end, "createTask")
      raises("UsageError", function() user:addTasks(true) end, "addTasks")
      raises("UsageError", function() user:addTask {} end, "addTask")
      assert.equal(0, #log:statements())
    end)

    it("with a value that does not fit the target raises ValidationError naming model and attribute", function()
      local e = raises("ValidationError", function() user:createTask { title = {} } end, "Task", "title")
      assert.equal("Task", e.model)
      assert.equal("title", e.attribute)
    end)

    it("with a dot in place of the colon raises UsageError", function()
      raises("UsageError", function() user.getTasks() end, "getTasks")
      raises("UsageError", function() user.addTask(task) end, "addTask")
    end)
  end)
end
