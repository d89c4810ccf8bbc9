--- The junction of belongsToMany: which model it is, its keys, its associations, what becomes of its rows.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck, sorted = support.raises, support.pluck, support.sorted

--- The elements of a list, sorted.
local function set(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return copy
end

for engine in support.engines() do
  describe("the junction on " .. engine.name, function()
    local db, User, Task

    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", { title = liga.STRING })
    end)
    after_each(function() db:close() end)

    local function index_names(tableName)
      local sql = engine.dialect == "sqlite"
        and "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = $1"
        or "SELECT indexname AS name FROM pg_indexes WHERE tablename = $1"
      local names = {}
      for _, row in ipairs((db:query(sql, { bind = { tableName } }))) do names[row.name] = true end
      return names
    end

    describe("named by a string", function()
      it("is a new model of that name and table, verbatim", function()
        local tasks = User:belongsToMany(Task, { through = "user_task" })
        assert.equal("user_task", tasks.through.name)
        assert.equal("user_task", tasks.through.tableName)
        assert.is_true(db:model("user_task") == tasks.through)
      end)

      it("must not be named like an attribute of a model it joins, where its rows are read", function()
        local Song = db:define("Song", { Track = liga.STRING })
        local List = db:define("List", {})
        local function join(one, other) one:belongsToMany(other, { through = "Track" }) end
        local e = support.raises("AssociationError", function() join(Song, List) end, "Song", "Track", "columnName")
        assert.equal("Song", e.model)
        support.raises("AssociationError", function() join(List, Song) end, "Song", "Track")
        List:belongsToMany(Song, { through = "Tracks" })
      end)

      it("is the model of that name if there is one", function()
        local Work = db:define("Work", { hours = liga.INTEGER })
        local tasks = User:belongsToMany(Task, { through = "Work" })
        assert.is_true(tasks.through == Work)
      end)

      it("is keyed by the pair of foreign keys", function()
        local tasks = User:belongsToMany(Task, { through = "UserTask" })
        assert.same({ "taskId", "userId" }, set(tasks.through.primaryKey))
        assert.is_nil(tasks.through.attributes.id)
      end)

      it("has timestamps unless through.timestamps = false", function()
        User:belongsToMany(Task, { through = "UserTask" })
        assert.is_table(db:model("UserTask").attributes.createdAt)
        local Tag = db:define("Tag", {})
        Task:belongsToMany(Tag, { through = { model = "TaskTag", timestamps = false } })
        assert.is_nil(db:model("TaskTag").attributes.createdAt)
      end)

      it("follows timestamps = false of the connection's define options", function()
        local other <close> = engine:reopen { define = { timestamps = false } }
        local A, B = other:define("A", {}), other:define("B", {})
        local association = A:belongsToMany(B, { through = "AB" })
        assert.is_nil(association.through.attributes.createdAt)
      end)
    end)

    describe("that is a model of yours", function()
      it("gains the two foreign keys, NOT NULL and CASCADE", function()
        local Work = db:define("Work", { hours = liga.INTEGER })
        User:belongsToMany(Task, { through = Work })
        for _, key in ipairs { "userId", "taskId" } do
          assert.is_false(Work.attributes[key].allowNull)
          assert.equal("CASCADE", Work.attributes[key].onDelete)
          assert.equal("CASCADE", Work.attributes[key].onUpdate)
        end
        assert.equal("Users", Work.attributes.userId.references.table)
        assert.equal("Tasks", Work.attributes.taskId.references.table)
      end)

      it("loses the id that was made for it", function()
        local Work = db:define("Work", { hours = liga.INTEGER })
        User:belongsToMany(Task, { through = Work })
        assert.is_nil(Work.attributes.id)
        assert.same({ "taskId", "userId" }, set(Work.primaryKey))
      end)

      it("keeps a primary key that you declared", function()
        local Work = db:define("Work", { code = { type = liga.UUID, primaryKey = true, defaultValue = liga.UUIDV4 } })
        User:belongsToMany(Task, { through = Work })
        db:sync()
        assert.same({ "code" }, set(Work.primaryKey))
        local user = User:create { name = "ann" }
        user:createTask { title = "a" }
        assert.equal(36, #user:getTasks()[1].Work.code)
      end)

      it("with a primary key of its own has a unique index over the pair", function()
        local Work = db:define("Work", { nr = { type = liga.INTEGER, primaryKey = true, autoIncrement = true } })
        User:belongsToMany(Task, { through = Work })
        db:sync()
        local user, task = User:create { name = "ann" }, Task:create { title = "a" }
        user:addTask(task)
        user:addTask(task)
        assert.equal(1, Work:count())
        local e = raises("UniqueConstraintError", function()
          Work:create { userId = user.id, taskId = task.id }
        end)
        assert.same({ "taskId", "userId" }, set(e.attributes))
      end)

      it("names that index after table and keys", function()
        local Work = db:define("Work", { nr = { type = liga.INTEGER, primaryKey = true } })
        User:belongsToMany(Task, { through = Work })
        db:sync()
        assert.is_true(index_names(Work.tableName)[Work.tableName .. "_taskId_userId_unique"])
      end)

      it("names that index by through.unique, a string", function()
        local Work = db:define("Work", { nr = { type = liga.INTEGER, primaryKey = true } })
        User:belongsToMany(Task, { through = { model = Work, unique = "one_link" } })
        db:sync()
        assert.is_true(index_names(Work.tableName).one_link)
      end)

      it("raises AssociationError for an index name if the pair is the primary key anyway", function()
        raises("AssociationError", function()
          User:belongsToMany(Task, { through = { model = "UserTask", unique = "one_link" } })
        end, "unique")
      end)

      it("may declare the foreign keys itself, and what it says stays", function()
        local Work = db:define("Work", {
          userId = { type = liga.BIGINT, columnName = "worker", allowNull = false },
          taskId = { type = liga.BIGINT, columnName = "job", allowNull = false },
        })
        User:belongsToMany(Task, { through = Work })
        db:sync()
        assert.equal("worker", Work.attributes.userId.columnName)
        local user = User:create { name = "ann" }
        user:createTask { title = "a" }
        assert.same({ "a" }, pluck(user:getTasks(), "title"))
      end)
    end)

    describe("with through.unique = false", function()
      local Work, user, task
      before_each(function()
        Work = db:define("Work", {
          nr = { type = liga.INTEGER, primaryKey = true, autoIncrement = true }, day = liga.STRING,
        })
        User:belongsToMany(Task, { through = { model = Work, unique = false } })
        db:sync()
        user, task = User:create { name = "ann" }, Task:create { title = "a" }
      end)

      it("allows duplicate links: add always inserts", function()
        user:addTask(task, { through = { day = "mon" } })
        user:addTask(task, { through = { day = "tue" } })
        assert.same({ "mon", "tue" }, sorted(Work:findAll(), "day"))
      end)

      it("sets links that are there by leaving them, or giving them the values", function()
        local other = Task:create { title = "b" }
        user:addTask(task, { through = { day = "mon" } })
        user:addTask(task, { through = { day = "tue" } })
        user:setTasks { task }
        assert.same({ "mon", "tue" }, sorted(Work:findAll(), "day"))
        other.Work = { day = "sat" }
        user:setTasks({ task, other }, { through = { day = "sun" } })
        assert.same({ "sat", "sun", "sun" }, sorted(Work:findAll(), "day"))
        user:setTasks { other }
        assert.same({ "sat" }, pluck(Work:findAll(), "day"))
      end)

      it("removes all links of a pair at once", function()
        user:addTask(task)
        user:addTask(task)
        assert.equal(2, user:removeTask(task))
        assert.equal(0, Work:count())
      end)
    end)

    describe("with through.scope", function()
      local Tag, Link, post, image
      before_each(function()
        local Post, Image = db:define("Post", {}), db:define("Image", {})
        Tag = db:define("Tag", { name = liga.STRING })
        Link = db:define("Link", {
          nr = { type = liga.INTEGER, primaryKey = true, autoIncrement = true },
          kind = { type = liga.STRING(10), allowNull = false },
        })
        for _, Model in ipairs { Post, Image } do
          Model:belongsToMany(Tag, {
            through = { model = Link, unique = false, scope = { kind = Model.name:lower() } },
            foreignKey = { name = "ownerId", constraints = false }, otherKey = "tagId",
          })
        end
        db:sync()
        post, image = Post:create {}, Image:create {}
      end)

      it("writes its values into every row", function()
        post:createTag { name = "a" }
        image:addTag(Tag:create { name = "b" }, { through = { kind = "post" } })
        assert.same({ "image", "post" }, sorted(Link:findAll(), "kind"))
      end)

      it("links once from the other side, which sees the links of every scope", function()
        local Group = db:define("Group", {})
        local Member = db:define("Member", { role = liga.STRING(10), since = liga.INTEGER })
        Group:belongsToMany(Tag, { as = "heads", through = { model = Member, scope = { role = "head" } },
          inverse = "groups" })
        db:sync()
        local group, tag = Group:create {}, Tag:create { name = "a" }
        tag:addGroup(group)
        tag:addGroups { group }
        tag:setGroups { group, Group:create {} }
        assert.equal(2, Member:count())
        tag:addGroup(group, { through = { since = 1999 } })
        assert.equal(1, Member:count { where = { since = 1999 } })
        group:addHead(tag)
        group:addHead(tag)
        assert.same({ 1, 3 }, { group:countHeads(), Member:count() })
      end)

      it("reads and removes only rows with its values", function()
        local tag = post:createTag { name = "a" }
        image:createTag { name = "b" }
        assert.equal(post.id, image.id)
        assert.same({ "a" }, pluck(post:getTags(), "name"))
        assert.equal(0, image:removeTag(tag))
        image:setTags {}
        assert.same({ "a" }, pluck(post:getTags(), "name"))
        assert.equal(1, Link:count())
      end)
    end)

    describe("declares associations", function()
      it("from source and target to the junction, one plural and one singular each", function()
        local tasks = User:belongsToMany(Task, { through = "UserTask" })
        assert.equal("hasMany", User.associations.tasksUsers.type)
        assert.equal("hasOne", User.associations.taskUser.type)
        assert.equal("hasMany", Task.associations.usersTasks.type)
        assert.equal("hasOne", Task.associations.userTask.type)
        assert.is_true(User.associations.tasksUsers.target == tasks.through)
        assert.is_true(Task.associations.userTask.target == tasks.through)
      end)

      it("from the junction to source and target", function()
        local tasks = User:belongsToMany(Task, { through = "UserTask" })
        assert.equal("belongsTo", tasks.through.associations.user.type)
        assert.is_true(tasks.through.associations.user.target == User)
        assert.is_true(tasks.through.associations.task.target == Task)
      end)

      it("in the order: the many to many, then the two to the junction", function()
        User:belongsToMany(Task, { through = "UserTask" })
        assert.same({ "tasks", "tasksUsers", "taskUser" }, pluck(User.associations, "as"))
      end)

      it("that read the junction's rows", function()
        User:belongsToMany(Task, { through = "UserTask" })
        db:sync()
        local user = User:create { name = "ann" }
        local task = user:createTask { title = "a" }
        assert.equal(task.id, user:getTasksUsers()[1].taskId)
        assert.is_true(user:getTasksUsers()[1]:getTask() == task)
        assert.is_true(task:getUsersTasks()[1]:getUser() == user)
      end)

      it("named by throughAssociations; the hasOne forms are derived", function()
        local tasks = User:belongsToMany(Task, {
          through = "UserTask",
          throughAssociations = {
            fromSource = "engagements", toSource = "worker", fromTarget = "bookings", toTarget = "job",
          },
        })
        assert.equal("hasMany", User.associations.engagements.type)
        assert.equal("hasOne", User.associations.engagement.type)
        assert.equal("hasMany", Task.associations.bookings.type)
        assert.equal("hasOne", Task.associations.booking.type)
        assert.is_true(tasks.through.associations.worker.target == User)
        assert.is_true(tasks.through.associations.job.target == Task)
        assert.is_nil(User.associations.tasksUsers)
      end)
    end)

    describe("when its source is destroyed", function()
      local function linked_user(options)
        User:belongsToMany(Task, options)
        db:sync()
        local user = User:create { name = "ann" }
        user:createTask { title = "a" }
        User:create({ name = "bob" }):addTask(Task:findOne())
        return user
      end

      it("loses the rows by CASCADE", function()
        linked_user({ through = "UserTask" }):destroy()
        assert.equal(1, db:model("UserTask"):count())
        assert.equal(1, Task:count())
      end)

      it("loses the rows first if there are no constraints", function()
        linked_user({ through = "UserTask", constraints = false }):destroy()
        assert.equal(1, db:model("UserTask"):count())
        assert.equal(1, Task:count())
      end)

      it("loses the rows first also if only the key to the source has no constraint", function()
        linked_user({ through = "UserTask", foreignKey = { constraints = false } }):destroy()
        assert.equal(1, db:model("UserTask"):count())
      end)

      it("loses the rows also from the target's side", function()
        linked_user { through = "UserTask", constraints = false }
        Task:findOne():destroy()
        assert.equal(0, db:model("UserTask"):count())
        assert.equal(2, User:count())
      end)
    end)

    it("has no REFERENCES at all with constraints = false", function()
      local through = User:belongsToMany(Task, { through = "UserTask", constraints = false }).through
      assert.is_nil(through.attributes.userId.references)
      assert.is_nil(through.attributes.taskId.references)
    end)

    it("lacks REFERENCES on one side by foreignKey or otherKey = {constraints = false}", function()
      local through = User:belongsToMany(Task, { through = "A", foreignKey = { constraints = false } }).through
      assert.is_nil(through.attributes.userId.references)
      assert.equal("Tasks", through.attributes.taskId.references.table)
      local Tag = db:define("Tag", {})
      through = User:belongsToMany(Tag, { through = "B", otherKey = { constraints = false } }).through
      assert.equal("Users", through.attributes.userId.references.table)
      assert.is_nil(through.attributes.tagId.references)
    end)

    it("takes names and attribute options of its keys from foreignKey and otherKey", function()
      local through = User:belongsToMany(Task, {
        through = "UserTask", foreignKey = { name = "uid", columnName = "u" }, otherKey = "tid",
      }).through
      assert.equal("u", through.attributes.uid.columnName)
      assert.equal("tid", through.attributes.tid.columnName)
      assert.same({ "tid", "uid" }, set(through.primaryKey))
    end)

    it("serves several pairs of models, each with keys of its own", function()
      local Tag = db:define("Tag", { name = liga.STRING })
      local Link = db:define("Link", {
        nr = { type = liga.INTEGER, primaryKey = true, autoIncrement = true },
      })
      User:belongsToMany(Tag, {
        through = { model = Link, unique = false }, foreignKey = { allowNull = true }, otherKey = "tagId",
      })
      Task:belongsToMany(Tag, {
        through = { model = Link, unique = false }, foreignKey = { allowNull = true }, otherKey = "tagId",
      })
      db:sync()
      local user, task = User:create { name = "ann" }, Task:create { title = "a" }
      user:createTag { name = "x" }
      task:createTag { name = "y" }
      assert.same({ "x" }, pluck(user:getTags(), "name"))
      assert.same({ "y" }, pluck(task:getTags(), "name"))
    end)
  end)
end
