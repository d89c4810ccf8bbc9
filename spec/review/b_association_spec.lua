--- Found by reviewing "Beyond Sequelize, always": what association methods promise, tried where it is hard.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  describe("association methods on " .. engine.name, function()
    local db, User, Task, user

    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", { title = { type = liga.STRING, unique = true }, status = liga.STRING })
      User:hasMany(Task)
    end)
    after_each(function() db:close() end)

    local function sync()
      db:sync()
      user = User:create { name = "ann" }
    end

    describe("of a belongsTo", function()
      before_each(sync)

      it("clear a key that was not selected", function()
        local task = user:createTask { title = "a" }
        Task:findByPk(task.id, { attributes = { "id" } }):setUser(nil)
        assert.is_nil(task:reload().userId)
      end)

      it("do not take a key that was not selected for NULL", function()
        local task = Task:findByPk(user:createTask({ title = "a" }).id, { attributes = { "id" } })
        raises("InstanceError", function() task:getUser() end, "getUser", "userId")
      end)

      it("write a key that was only assigned before", function()
        local bob = User:create { name = "bob" }
        local task = user:createTask { title = "a" }
        task.userId = bob.id
        task:setUser(bob)
        assert.equal(bob.id, Task:findByPk(task.id).userId)
        task.userId = nil
        task:setUser(nil)
        assert.is_nil(Task:findByPk(task.id).userId)
      end)

      it("take back an assignment by setting what is stored", function()
        local task = user:createTask { title = "a" }
        task.userId = 77
        task:setUser(user)
        assert.equal(user.id, task.userId)
        assert.is_nil(task:changed())
      end)
    end)

    describe("with duplicates", function()
      before_each(sync)

      it("bring every instance of a target up to date", function()
        local first = Task:create { title = "a" }
        local second = Task:findByPk(first.id)
        user:addTasks { first.id, first, second }
        assert.equal(user.id, first.userId)
        assert.equal(user.id, second.userId)
        assert.equal(1, user:removeTasks { first.id, first, second })
        assert.is_nil(first.userId)
        assert.is_nil(second.userId)
        assert.is_nil(second:changed())
      end)
    end)

    describe("that fail", function()
      before_each(function()
        User:belongsToMany(Task, { as = "jobs", through = "Job", inverse = "workers" })
        sync()
      end)

      it("leave unsaved targets unsaved", function()
        for _, method in ipairs { "addTasks", "setTasks", "addJobs", "setJobs" } do
          local task, other = Task:build { title = "a" }, Task:build { title = "b" }
          raises("InstanceError", function() user[method](user, { task, other, 999 }) end)
          assert.is_true(task:isNew())
          assert.is_nil(task.id or task.userId or task.createdAt)
          assert.equal(0, Task:count())
          task:save():destroy()
        end
      end)

      it("leave them unsaved when one of many can't be saved", function()
        Task:create { title = "taken" }
        local list = {}
        for i = 1, 1500 do list[i] = Task:build { title = "t" .. i } end
        list[1400].title = "taken"
        raises("UniqueConstraintError", function() user:addTasks(list) end)
        assert.is_true(list[1]:isNew())
        assert.is_nil(list[1].id)
        assert.equal(1, Task:count())
        list[1400].title = "free"
        user:addTasks(list)
        assert.equal(1500, user:countTasks())
      end)
    end)

    it("pass the logger of the call on to the saving of unsaved targets", function()
      sync()
      local log = support.log()
      user:addTask(Task:build { title = "a" }, { logging = log.record })
      assert.matches("^INSERT", log:statements("query")[1])
    end)

    describe("that remove rows", function()
      before_each(sync)

      it("tell linked, unlinked and missing keys apart before they delete", function()
        local mine, other = user:createTask { title = "a" }, Task:create { title = "b" }
        raises("InstanceError", function() user:removeTasks({ mine.id, 999 }, { destroy = true }) end)
        assert.equal(1, user:countTasks())
        assert.equal(1, user:removeTasks({ mine.id, other.id }, { destroy = true }))
        assert.equal(1, Task:count())
      end)

      it("do so too where the key can't be NULL", function()
        local Note = db:define("Note", { text = liga.STRING })
        User:hasMany(Note, { foreignKey = { allowNull = false } })
        Note:sync()
        local mine, other = user:createNote { text = "a" }, User:create({ name = "bob" }):createNote { text = "b" }
        assert.equal(1, user:removeNotes { mine.id, other.id })
        assert.equal(1, Note:count())
      end)
    end)

    describe("with a scope", function()
      it("leave the key of an instance alone that they did not unlink", function()
        User:hasMany(Task, { as = "done", scope = { status = "done" } })
        sync()
        local open = user:createTask { title = "a", status = "open" }
        local done = user:createTask { title = "b", status = "done" }
        assert.equal(0, user:removeDone(open))
        assert.equal(user.id, open.userId)
        assert.equal(1, user:removeDone { open, done })
        assert.equal(user.id, open.userId)
        assert.is_nil(done.userId)
        assert.is_nil(open:changed())
      end)

      it("bring a link that exists outside of the junction's scope into it", function()
        local Job = db:define("Job", { state = liga.STRING })
        User:belongsToMany(Task, { as = "jobs", through = Job, inverse = "workers" })
        User:belongsToMany(Task, {
          as = "done", through = { model = Job, scope = { state = "done" } }, inverse = "workers",
        })
        sync()
        local a, b = Task:create { title = "a" }, Task:create { title = "b" }
        user:addJobs { a, b }
        user:addDone(a)
        assert.is_true(user:hasDone(a))
        user:setDone { b }
        assert.is_true(user:hasDone({ b }, { exact = true }))
        assert.equal(1, Job:count())
      end)

      it("destroy the junction rows of their own kind only", function()
        local Image, Tag = db:define("Image", {}), db:define("Tag", { name = liga.STRING })
        local Link = db:define("Link", { kind = { type = liga.STRING(10), allowNull = false } })
        for kind, model in pairs { user = User, image = Image } do
          model:belongsToMany(Tag, {
            through = { model = Link, scope = { kind = kind } }, foreignKey = { name = "ownerId", constraints = false },
            otherKey = "tagId", inverse = { as = kind .. "s" }, throughAssociations = { toSource = kind },
          })
        end
        sync()
        local image, tag = Image:create {}, Tag:create { name = "x" }
        assert.equal(image.id, user.id)
        user:addTag(tag)
        image:addTag(tag)
        user:destroy()
        assert.equal(1, image:countTags())
      end)
    end)

    it("find a missing row among the keys of duplicate links", function()
      User:belongsToMany(Task, { as = "jobs", through = { model = "Job", unique = false }, inverse = "workers" })
      sync()
      local task = Task:create { title = "a" }
      user:addJob(task)
      user:addJob(task)
      raises("InstanceError", function() user:removeJobs { task.id, 999 } end)
      assert.equal(2, db.models.Job:count())
      assert.equal(2, user:removeJob(task))
    end)

    describe("without a plural", function()
      it("take a composite key by names", function()
        local Deer = db:define("Deer", {
          { "herd", { type = liga.STRING(2), primaryKey = true } },
          { "nr", { type = liga.INTEGER, primaryKey = true } },
        })
        User:belongsToMany(Deer, { through = "Sighting" })
        sync()
        Deer:bulkCreate { { herd = "a", nr = 1 }, { herd = "a", nr = 2 } }
        user:addDeer { herd = "a", nr = 1 }
        user:addDeer { "a", 2 }
        assert.equal(2, user:countDeer())
        assert.is_true(user:hasDeer { herd = "a", nr = 2 })
        assert.equal(1, user:removeDeer { herd = "a", nr = 1 })
        user:setDeer { { "a", 1 }, { herd = "a", nr = 2 } }
        assert.equal(2, user:countDeer())
        user:setDeer {}
        assert.equal(0, user:countDeer())
      end)
    end)

    it("create targets with the defaults of the database", function()
      local code = engine.dialect == "sqlite" and "lower(hex(randomblob(8)))" or "left(md5(random()::text), 16)"
      local Doc = db:define("Doc", {
        code = { type = liga.STRING, primaryKey = true, defaultValue = liga.literal(code) },
        state = { type = liga.STRING, defaultValue = liga.literal "'draft'" },
      })
      User:hasMany(Doc)
      User:hasOne(Doc, { as = "cv", foreignKey = "cvOf", inverse = "cvOwner" })
      User:belongsToMany(Doc, { as = "papers", through = "Authorship", inverse = "authors" })
      User:belongsTo(Doc, { as = "home", inverse = "tenants" })
      sync()
      for _, create in ipairs { "createDoc", "createCv", "createPaper", "createHome" } do
        local doc = user[create](user, {})
        assert.equal("draft", doc.state)
        assert.equal(16, #doc.code)
        assert.is_nil(doc:changed())
        assert.equal(doc.code, Doc:findByPk(doc.code).code)
      end
      assert.equal(1, user:countPapers())
      assert.equal(user:getHome().code, user.homeCode)
    end)

    it("name the method for lists when one target is expected", function()
      sync()
      local task = Task:create { title = "a" }
      raises("UsageError", function() user:addTask { task } end, "addTask", "addTasks")
      raises("UsageError", function() user:removeTask { task } end, "removeTasks")
      raises("UsageError", function() task:setUser { user } end, "setUser", "list")
    end)

    it("leave the database closable when a coroutine is closed inside a default function", function()
      local function wait() return coroutine.yield() end
      local Doc = db:define("Doc", { n = { type = liga.INTEGER, defaultValue = wait } })
      User:hasMany(Doc)
      sync()
      local thread = coroutine.create(function() user:createDoc {} end)
      assert.is_true(coroutine.resume(thread))
      raises("UsageError", function() db:close() end, "running")
      assert.is_true(coroutine.close(thread))
      assert.equal(0, Doc:count())
      db:close()
      db = engine:open()
    end)

    it("read their options raw", function()
      sync()
      local trap = setmetatable({}, { __index = function() error "read through a metatable" end })
      user:addTask(Task:create { title = "a" }, trap)
      user:setTasks({}, trap)
    end)

    it("leave no junction behind when their declaration fails", function()
      local Note = db:define("Note", { users = liga.STRING })
      raises("AssociationError", function() User:belongsToMany(Note, { through = "Link" }) end, "users")
      assert.is_nil(db.models.Link)
      for _, sql in ipairs(db:sync { dryRun = true }) do assert.is_nil(sql:find("Link", 1, true)) end
      User:belongsToMany(Note, { through = "Link", inverse = "readers" })
      sync()
      user:createNote {}
      assert.equal(1, db.models.Link:count())
    end)
  end)
end
