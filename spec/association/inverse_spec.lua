--- The inverse: what a declaration makes on the other side.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck = support.raises, support.pluck

for engine in support.engines() do
  describe("the inverse on " .. engine.name, function()
    local db, User, Task

    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", { title = liga.STRING, done = { type = liga.BOOLEAN, defaultValue = false } })
    end)
    after_each(function() db:close() end)

    it("of hasMany is a belongsTo, made by itself", function()
      local tasks = User:hasMany(Task)
      local user = Task.associations.user
      assert.equal("belongsTo", user.type)
      assert.is_true(user.target == User)
      assert.is_true(tasks.inverse == user)
    end)

    it("of hasOne is a belongsTo, made by itself", function()
      local task = User:hasOne(Task)
      assert.equal("belongsTo", Task.associations.user.type)
      assert.is_true(task.inverse == Task.associations.user)
    end)

    it("of belongsToMany is a belongsToMany with the keys exchanged", function()
      local tasks = User:belongsToMany(Task, { through = "UserTask" })
      local users = Task.associations.users
      assert.equal("belongsToMany", users.type)
      assert.is_true(tasks.pairedWith == users)
      assert.is_true(users.pairedWith == tasks)
      assert.is_true(users.through == tasks.through)
      assert.equal("taskId", users.foreignKey[1])
      assert.equal("userId", users.otherKey[1])
    end)

    it("of belongsTo is made only if asked for", function()
      Task:belongsTo(User)
      assert.same({}, pluck(User.associations, "as"))
      assert.is_nil(Task.associations.user.inverse)
    end)

    for _, kind in ipairs { "hasMany", "hasOne" } do
      it("of belongsTo may be a " .. kind, function()
        Task:belongsTo(User, { inverse = { as = "job", type = kind } })
        local job = User.associations.job
        assert.equal(kind, job.type)
        assert.is_true(job.target == Task)
        assert.equal("userId", job.foreignKey[1])
        assert.is_true(job.inverse == Task.associations.user)
      end)
    end

    it("of belongsTo works like a hasMany that was declared", function()
      Task:belongsTo(User, { foreignKey = "ownerId", inverse = { as = "tasks", type = "hasMany" } })
      db:sync()
      local user = User:create { name = "ann" }
      local task = user:createTask { title = "a" }
      assert.equal(user.id, task.ownerId)
      assert.is_true(task:getUser() == user)
    end)

    it("of belongsTo refers to the same targetKey", function()
      local City = db:define("City", { code = { type = liga.STRING(5), unique = true } })
      User:belongsTo(City, { targetKey = "code", inverse = { type = "hasMany" } })
      assert.equal("code", City.associations.users.sourceKey[1])
      assert.equal("cityCode", City.associations.users.foreignKey[1])
    end)

    it("is named by a string", function()
      User:hasMany(Task, { inverse = "owner" })
      assert.equal("belongsTo", Task.associations.owner.type)
      assert.equal("ownerId", User.associations.tasks.foreignKey[1])
      assert.is_nil(Task.associations.user)
    end)

    it("is named by inverse.as", function()
      User:belongsToMany(Task, { through = "UserTask", as = "jobs", inverse = { as = "workers" } })
      assert.is_true(Task.associations.workers.target == User)
      assert.is_nil(Task.associations.users)
    end)

    it("takes where and order of a hasMany", function()
      Task:belongsTo(User, {
        inverse = { as = "openTasks", type = "hasMany", where = { done = false }, order = "-title" },
      })
      db:sync()
      local user = User:create { name = "ann" }
      Task:bulkCreate {
        { title = "a", userId = user.id }, { title = "b", userId = user.id },
        { title = "c", userId = user.id, done = true },
      }
      assert.same({ "b", "a" }, pluck(user:getOpenTasks(), "title"))
    end)

    it("takes the scope of a hasMany", function()
      Task:belongsTo(User, { inverse = { as = "doneTasks", type = "hasMany", scope = { done = true } } })
      db:sync()
      local user = User:create { name = "ann" }
      assert.is_true(user:createDoneTask({ title = "a" }).done)
      Task:create { title = "b", userId = user.id }
      assert.same({ "a" }, pluck(user:getDoneTasks(), "title"))
    end)

    it("takes dependent of a hasMany", function()
      Task:belongsTo(User, {
        constraints = false, inverse = { as = "tasks", type = "hasMany", dependent = "delete" },
      })
      db:sync()
      local user = User:create { name = "ann" }
      user:createTask { title = "a" }
      user:destroy()
      assert.equal(0, Task:count())
    end)

    it("without constraints is without constraints as well", function()
      User:hasMany(Task, { constraints = false })
      assert.is_nil(Task.attributes.userId.references)
    end)

    describe("that several associations want", function()
      it("is shared if they agree on its key, holder and target", function()
        User:hasMany(Task)
        User:hasMany(Task, { as = "openTasks", where = { done = false } })
        User:hasOne(Task, { as = "lastTask", order = "-id" })
        assert.same({ "user" }, pluck(Task.associations, "as"))
        for _, association in ipairs(User.associations) do
          assert.is_true(association.inverse == Task.associations.user)
        end
      end)

      it("is the belongsTo that was declared before", function()
        local user = Task:belongsTo(User)
        assert.is_true(User:hasMany(Task).inverse == user)
        assert.same({ "user" }, pluck(Task.associations, "as"))
      end)

      it("may be declared afterwards", function()
        local tasks = User:hasMany(Task)
        local user = Task:belongsTo(User)
        assert.is_true(tasks.inverse == user)
        assert.is_true(Task.associations.user == user)
        assert.same({ "user" }, pluck(Task.associations, "as"))
      end)

      it("may be declared afterwards from the other side of a belongsToMany", function()
        local tasks = User:belongsToMany(Task, { through = "UserTask" })
        local users = Task:belongsToMany(User, { through = "UserTask" })
        assert.is_true(tasks.pairedWith == users)
        assert.is_true(users.pairedWith == tasks)
      end)

      it("must be named apart if they differ in the key: the error says which option to add", function()
        User:hasMany(Task, { as = "writtenTasks", foreignKey = "writerId" })
        raises("AssociationError", function()
          User:hasMany(Task, { as = "readTasks", foreignKey = "readerId" })
        end, "user", "inverse")
      end)

      it("must be named apart if they differ in the source", function()
        local Robot = db:define("Robot", {})
        User:hasMany(Task, { inverse = { as = "owner" } })
        raises("AssociationError", function() Robot:hasMany(Task, { inverse = { as = "owner" } }) end,
          "owner", "inverse")
      end)

      it("are two if they are named apart", function()
        User:hasMany(Task, { as = "writtenTasks", foreignKey = "writerId", inverse = { as = "writer" } })
        User:hasMany(Task, { as = "readTasks", foreignKey = "readerId", inverse = { as = "reader" } })
        db:sync()
        local ann, bob = User:create { name = "ann" }, User:create { name = "bob" }
        local task = ann:createWrittenTask { title = "a" }
        bob:addReadTask(task)
        assert.is_true(task:getWriter() == ann)
        assert.is_true(task:getReader() == bob)
      end)
    end)
  end)
end
