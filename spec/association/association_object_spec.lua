--- The association object: what a declaration returns and what User.associations holds.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck = support.raises, support.pluck

--- The names of a list, joined.
local function names(list) return list and table.concat(list, ",") end

for engine in support.engines() do
  describe("the association object on " .. engine.name, function()
    local db, User, Task

    before_each(function()
      db = engine:open()
      User, Task = db:define("User", {}), db:define("Task", {})
    end)
    after_each(function() db:close() end)

    it("is what a declaration returns and what the model holds, by name and by number", function()
      local tasks = User:hasMany(Task)
      assert.is_true(rawequal(tasks, User.associations.tasks))
      assert.is_true(rawequal(tasks, User.associations[1]))
      assert.is_true(rawequal(tasks, User:association "tasks"))
    end)

    it("stands in the order of declaration", function()
      local Tag, Profile = db:define("Tag", {}), db:define("Profile", {})
      User:hasMany(Task)
      User:belongsTo(Tag)
      User:hasOne(Profile)
      assert.same({ "tasks", "tag", "profile" }, pluck(User.associations, "as"))
    end)

    it("knows type, source, target, as and name", function()
      local tasks = User:hasMany(Task, { as = { singular = "chore", plural = "chores" } })
      assert.equal("hasMany", tasks.type)
      assert.is_true(tasks.source == User)
      assert.is_true(tasks.target == Task)
      assert.equal("chores", tasks.as)
      assert.equal("chore", tasks.name.singular)
      assert.equal("chores", tasks.name.plural)
    end)

    it("of belongsTo has foreignKey and targetKey", function()
      local user = Task:belongsTo(User)
      assert.equal("belongsTo", user.type)
      assert.equal("user", user.as)
      assert.equal("userId", names(user.foreignKey))
      assert.equal("id", names(user.targetKey))
      assert.is_nil(user.otherKey)
      assert.is_nil(user.sourceKey)
      assert.is_nil(user.through)
    end)

    for _, kind in ipairs { "hasOne", "hasMany" } do
      it("of " .. kind .. " has foreignKey and sourceKey", function()
        local association = User[kind](User, Task)
        assert.equal(kind, association.type)
        assert.equal("userId", names(association.foreignKey))
        assert.equal("id", names(association.sourceKey))
        assert.is_nil(association.otherKey)
        assert.is_nil(association.targetKey)
        assert.is_nil(association.through)
      end)
    end

    it("of belongsToMany has all four keys and the junction model", function()
      local tasks = User:belongsToMany(Task, { through = "UserTask" })
      assert.equal("belongsToMany", tasks.type)
      assert.equal("userId", names(tasks.foreignKey))
      assert.equal("taskId", names(tasks.otherKey))
      assert.equal("id", names(tasks.sourceKey))
      assert.equal("id", names(tasks.targetKey))
      assert.is_true(tasks.through == db:model "UserTask")
    end)

    it("lists the parts of a composite key in the order of the key they refer to", function()
      local Shelf = db:define("Shelf", {
        room = { type = liga.INTEGER, primaryKey = true }, nr = { type = liga.INTEGER, primaryKey = true },
      })
      local shelf = Task:belongsTo(Shelf)
      assert.equal("room,nr", names(shelf.targetKey))
      assert.equal("shelfRoom,shelfNr", names(shelf.foreignKey))
    end)

    it("tells by isMulti whether it leads to a list", function()
      local Tag, Profile = db:define("Tag", {}), db:define("Profile", {})
      assert.is_true(User:hasMany(Task).isMulti)
      assert.is_false(Task.associations.user.isMulti)
      assert.is_false(User:hasOne(Profile).isMulti)
      assert.is_true(User:belongsToMany(Tag, { through = "UserTag" }).isMulti)
    end)

    it("names the accessors of one", function()
      local accessors = Task:belongsTo(User, { as = "owner" }).accessors
      assert.equal("getOwner", accessors.get)
      assert.equal("setOwner", accessors.set)
      assert.equal("createOwner", accessors.create)
      assert.is_nil(accessors.add)
      assert.is_nil(accessors.count)
    end)

    it("names the accessors of many", function()
      local expected = {
        get = "getTasks", set = "setTasks", create = "createTask", add = "addTask", addMultiple = "addTasks",
        remove = "removeTask", removeMultiple = "removeTasks", has = "hasTask", hasMultiple = "hasTasks",
        count = "countTasks",
      }
      local accessors = User:hasMany(Task).accessors
      for verb, method in pairs(expected) do assert.equal(method, accessors[verb]) end
    end)

    it("carries the definers, so that calls chain on the source", function()
      local Deadline, Attachment, Tag = db:define("Deadline", {}), db:define("Attachment", {}), db:define("Tag", {})
      local last = User:hasOne(Task):hasOne(Deadline):belongsTo(Attachment)
        :belongsToMany(Tag, { through = "UserTag" }):hasMany(Task, { as = "chores" })
      assert.is_true(last.source == User)
      for _, name in ipairs { "task", "deadline", "attachment", "tags", "chores" } do
        assert.is_true(User.associations[name].source == User)
      end
      assert.is_nil(Task.associations.deadline)
    end)

    it("prints itself: source, name, type, target, key", function()
      assert.equal("User.tasks: hasMany Task (userId)", tostring(User:hasMany(Task)))
    end)

    it("is asked for by name: UsageError for an unknown one, with the nearest", function()
      User:hasMany(Task)
      raises("UsageError", function() User:association "taks" end, "taks", "tasks")
    end)

    it("is named by the attribute that is its key", function()
      User:hasMany(Task)
      assert.is_truthy(Task.attributes.userId.association)
      assert.is_nil(Task.attributes.id.association)
    end)
  end)
end
