--- hasMany: the foreign key stands on the targets.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck, sorted = support.raises, support.pluck, support.sorted

for engine in support.engines() do
  describe("hasMany on " .. engine.name, function()
    local db, log, User, Task, ann, bob

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", {
        title = { type = liga.STRING, allowNull = false },
        done = { type = liga.BOOLEAN, defaultValue = false },
      })
    end)
    after_each(function() db:close() end)

    local function declare(options)
      local association = User:hasMany(Task, options)
      db:sync()
      ann, bob = User:create { name = "ann" }, User:create { name = "bob" }
      return association
    end

    --- Stored tasks of these titles, each a result of its own.
    local function tasks(...)
      local list = {}
      for i, title in ipairs { ... } do list[i] = Task:create { title = title } end
      return table.unpack(list)
    end

    local function titles(user)
      return sorted(Task:findAll { where = { userId = user.id } }, "title")
    end

    describe("declares the key", function()
      it("on the target, named after the source and its key", function()
        declare()
        assert.equal("Users", Task.attributes.userId.references.table)
        assert.equal("id", Task.attributes.userId.references.key)
        assert.is_nil(User.attributes.taskId)
      end)

      it("that is cleared when the source is destroyed, or takes the target along if it may not be NULL", function()
        declare()
        local Note = db:define("Note", {})
        User:hasMany(Note, { foreignKey = { allowNull = false } })
        assert.equal("SET NULL", Task.attributes.userId.onDelete)
        assert.equal("CASCADE", Note.attributes.userId.onDelete)
        assert.equal("CASCADE", Note.attributes.userId.onUpdate)
      end)

      it("by the option foreignKey, as a name or as attribute options", function()
        User:hasMany(Task, "uid")
        assert.equal("uid", Task.attributes.uid.columnName)
        local Note = db:define("Note", {})
        User:hasMany(Note, { foreignKey = { name = "uid", columnName = "user", onDelete = "cascade" } })
        assert.equal("user", Note.attributes.uid.columnName)
        assert.equal("CASCADE", Note.attributes.uid.onDelete)
      end)

      it("to sourceKey, another attribute of the source", function()
        User = db:define("Member", { nick = { type = liga.STRING(9), unique = true } })
        User:hasMany(Task, { sourceKey = "nick" })
        db:sync()
        local member = User:create { nick = "zed" }
        local task = member:createTask { title = "a" }
        assert.equal("zed", task.memberNick)
        assert.same({ "a" }, pluck(member:getTasks(), "title"))
        assert.is_true(member:hasTask(task))
        local other = tasks "b"
        member:setTasks { other.id }
        assert.equal("zed", other:reload().memberNick)
        assert.is_nil(task:reload().memberNick)
      end)
    end)

    describe("getTasks", function()
      before_each(function() declare() end)

      it("returns the list of linked rows", function()
        local a, b = tasks("a", "b", "c")
        ann:setTasks { a, b }
        assert.same({ "a", "b" }, sorted(ann:getTasks(), "title"))
      end)

      it("returns an empty list if there are none", function()
        tasks "a"
        assert.equal(0, #ann:getTasks())
      end)

      it("takes where, order, limit and offset", function()
        ann:setTasks { tasks("a", "b", "c", "d") }
        assert.same({ "b" }, pluck(ann:getTasks { where = { title = "b" } }, "title"))
        assert.same({ "c", "b" },
          pluck(ann:getTasks { order = { { "title", "DESC" } }, limit = 2, offset = 1 }, "title"))
      end)

      it("takes attributes", function()
        ann:createTask { title = "a" }
        local task = ann:getTasks({ attributes = { "title" } })[1]
        assert.equal("a", task.title)
        assert.is_nil(task.userId)
      end)

      it("keeps the link in force whatever the where says", function()
        local task = tasks "a"
        bob:addTask(task)
        assert.equal(0, #ann:getTasks { where = { id = task.id } })
      end)

      it("raises InstanceError on an unsaved source instead of finding orphans", function()
        tasks "a"
        raises("InstanceError", function() User:build({ name = "x" }):getTasks() end)
      end)

      it("raises UsageError for an option it does not know, with the nearest", function()
        raises("UsageError", function() ann:getTasks { wehre = {} } end, "wehre", "where")
      end)
    end)

    describe("countTasks", function()
      before_each(function() declare() end)

      it("returns how many rows are linked", function()
        assert.equal(0, ann:countTasks())
        ann:setTasks { tasks("a", "b") }
        assert.equal(2, ann:countTasks())
        assert.equal("integer", math.type(ann:countTasks()))
      end)

      it("takes where", function()
        ann:setTasks { tasks("a", "b") }
        assert.equal(1, ann:countTasks { where = { title = "a" } })
      end)

      it("raises InstanceError on an unsaved source", function()
        raises("InstanceError", function() User:build({ name = "x" }):countTasks() end)
      end)
    end)

    describe("hasTask and hasTasks", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = tasks("a", "b", "c")
        ann:setTasks { a, b }
      end)

      it("tell whether one is linked, by instance or by key", function()
        assert.is_true(ann:hasTask(a))
        assert.is_true(ann:hasTask(a.id))
        assert.is_false(ann:hasTask(c))
        assert.is_false(ann:hasTask(c.id))
        assert.is_false(bob:hasTask(a))
      end)

      it("tell whether all of a list are linked: a test for a subset", function()
        assert.is_true(ann:hasTasks { a })
        assert.is_true(ann:hasTasks { a, b })
        assert.is_false(ann:hasTasks { a, b, c })
      end)

      it("take a list of instances and keys mixed", function()
        assert.is_true(ann:hasTasks { a, b.id })
        assert.is_false(ann:hasTasks { a.id, c })
      end)

      it("count duplicates once", function()
        assert.is_true(ann:hasTasks { a, a, a.id })
        assert.is_true(ann:hasTasks({ a, b, a, b.id }, { exact = true }))
      end)

      it("find the empty set in every set", function()
        assert.is_true(ann:hasTasks {})
        assert.is_true(bob:hasTasks {})
      end)

      it("compare the whole set with exact = true", function()
        assert.is_false(ann:hasTasks({ a }, { exact = true }))
        assert.is_true(ann:hasTasks({ b, a }, { exact = true }))
        assert.is_false(ann:hasTasks({ a, b, c }, { exact = true }))
        assert.is_false(ann:hasTasks({}, { exact = true }))
        assert.is_true(bob:hasTasks({}, { exact = true }))
      end)

      it("take where", function()
        assert.is_false(ann:hasTask(a, { where = { title = "b" } }))
        assert.is_true(ann:hasTask(a, { where = { title = "a" } }))
      end)

      it("take a single instance also in the plural form", function()
        assert.is_true(ann:hasTasks(a))
        assert.is_false(ann:hasTasks(c))
      end)

      it("raise InstanceError on an unsaved source", function()
        local fresh = User:build { name = "x" }
        raises("InstanceError", function() fresh:hasTask(a) end)
        raises("InstanceError", function() fresh:hasTasks { a } end)
      end)

      it("raise UsageError for nil", function()
        raises("UsageError", function() ann:hasTask(nil) end, "hasTask")
        raises("UsageError", function() ann:hasTasks(nil) end, "hasTasks")
      end)
    end)

    describe("addTask", function()
      before_each(function() declare() end)

      it("links an instance, returns it and keeps its key up to date", function()
        local a = tasks "a"
        assert.is_true(rawequal(a, ann:addTask(a)))
        assert.equal(ann.id, a.userId)
        assert.is_nil(a:changed())
        assert.equal(ann.id, a:reload().userId)
      end)

      it("takes a primary key and returns true", function()
        local a = tasks "a"
        assert.is_true(ann:addTask(a.id))
        assert.same({ "a" }, titles(ann))
      end)

      it("leaves the links that exist", function()
        local a, b = tasks("a", "b")
        ann:addTask(a)
        ann:addTask(b)
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("may be repeated", function()
        local a = tasks "a"
        ann:addTask(a)
        ann:addTask(a)
        assert.same({ "a" }, titles(ann))
      end)

      it("takes the row away from another source", function()
        local a = tasks "a"
        bob:addTask(a)
        ann:addTask(a)
        assert.equal(0, bob:countTasks())
        assert.same({ "a" }, titles(ann))
      end)

      it("saves an unsaved target first", function()
        local fresh = Task:build { title = "new" }
        assert.is_true(rawequal(fresh, ann:addTask(fresh)))
        assert.is_false(fresh:isNew())
        assert.equal(ann.id, fresh:reload().userId)
      end)

      it("raises InstanceError for a key without a row", function()
        raises("InstanceError", function() ann:addTask(4711) end, "Task")
      end)

      it("raises UsageError for nil, with or without an argument", function()
        raises("UsageError", function() ann:addTask(nil) end, "addTask")
        raises("UsageError", function() ann:addTask() end, "addTask")
      end)

      it("raises UsageError for an instance of another model", function()
        raises("UsageError", function() ann:addTask(bob) end, "Task")
        local elsewhere <close> = liga.connect "sqlite::memory:"
        local other = elsewhere:define("Task", {}):build {}
        raises("UsageError", function() ann:addTask(other) end, "Task", "another database object")
      end)

      it("raises InstanceError on an unsaved source", function()
        local a = tasks "a"
        raises("InstanceError", function() User:build({ name = "x" }):addTask(a) end)
        assert.is_nil(a:reload().userId)
      end)
    end)

    describe("addTasks", function()
      before_each(function() declare() end)

      it("links a list of instances and keys mixed and returns the list", function()
        local a, b, c = tasks("a", "b", "c")
        local list = { a, b.id, c }
        assert.same(list, ann:addTasks(list))
        assert.same({ "a", "b", "c" }, titles(ann))
        assert.equal(ann.id, a.userId)
        assert.equal(ann.id, c.userId)
      end)

      it("counts duplicates once", function()
        local a = tasks "a"
        ann:addTasks { a, a, a.id }
        assert.equal(1, ann:countTasks())
      end)

      it("does nothing for an empty list", function()
        ann:addTask(tasks "a")
        assert.equal(0, #ann:addTasks {})
        assert.same({ "a" }, titles(ann))
      end)

      it("takes one instance in place of a list", function()
        local a = tasks "a"
        ann:addTasks(a)
        assert.same({ "a" }, titles(ann))
      end)

      it("takes one key only in a list", function()
        local a = tasks "a"
        raises("UsageError", function() ann:addTasks(a.id) end, "addTasks")
        ann:addTasks { a.id }
        assert.same({ "a" }, titles(ann))
      end)

      it("saves the unsaved among the targets", function()
        local a = tasks "a"
        local x, y = Task:build { title = "x" }, Task:build { title = "y" }
        ann:addTasks { x, a, y }
        assert.same({ "a", "x", "y" }, titles(ann))
        assert.equal(ann.id, x.userId)
        assert.is_false(y:isNew())
      end)

      it("links nothing if one key has no row", function()
        local a = tasks "a"
        raises("InstanceError", function() ann:addTasks { a, 4711 } end, "Task")
        assert.is_nil(Task:findByPk(a.id).userId)
      end)

      it("raises UsageError for nil and for a list with holes", function()
        local a, b = tasks("a", "b")
        raises("UsageError", function() ann:addTasks(nil) end, "addTasks")
        raises("UsageError", function() ann:addTasks { [1] = a, [3] = b } end, "addTasks")
        assert.equal(0, ann:countTasks())
      end)
    end)

    describe("removeTask and removeTasks", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = tasks("a", "b", "c")
        ann:setTasks { a, b }
        bob:addTask(c)
      end)

      it("unlink and return how many links are gone", function()
        assert.equal(1, ann:removeTask(a))
        assert.same({ "b" }, titles(ann))
        assert.equal(1, ann:removeTasks { a, b })
        assert.equal(0, ann:countTasks())
        assert.equal(3, Task:count())
      end)

      it("clear the key of the instances handed over", function()
        ann:removeTask(a)
        assert.is_nil(a.userId)
        assert.is_nil(a:changed())
        assert.is_nil(a:reload().userId)
      end)

      it("take keys, alone and in lists", function()
        assert.equal(1, ann:removeTask(a.id))
        assert.equal(1, ann:removeTasks { b.id })
        assert.equal(0, ann:countTasks())
      end)

      it("leave the rows of another source alone", function()
        assert.equal(0, ann:removeTask(c))
        assert.equal(bob.id, c:reload().userId)
        assert.equal(bob.id, c.userId)
      end)

      it("count duplicates once and do nothing for an empty list", function()
        assert.equal(0, ann:removeTasks {})
        assert.equal(1, ann:removeTasks { a, a, a.id })
        assert.same({ "b" }, titles(ann))
      end)

      it("delete the rows with destroy = true", function()
        assert.equal(1, ann:removeTask(a, { destroy = true }))
        assert.is_nil(Task:findByPk(a.id))
        assert.equal(0, ann:removeTask(c, { destroy = true }))
        assert.is_table(Task:findByPk(c.id))
      end)

      it("raise InstanceError for a key without a row and change nothing", function()
        raises("InstanceError", function() ann:removeTasks { a, 4711 } end, "Task")
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("raise UsageError for nil", function()
        raises("UsageError", function() ann:removeTask(nil) end, "removeTask")
        raises("UsageError", function() ann:removeTasks(nil) end, "removeTasks")
        assert.equal(2, ann:countTasks())
      end)

      it("raise InstanceError on an unsaved source", function()
        raises("InstanceError", function() User:build({ name = "x" }):removeTask(a) end)
        assert.same({ "a", "b" }, titles(ann))
      end)
    end)

    describe("setTasks", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = tasks("a", "b", "c")
        ann:addTasks { a, b }
      end)

      it("links exactly the list and returns it", function()
        local list = { b, c.id }
        assert.same(list, ann:setTasks(list))
        assert.same({ "b", "c" }, titles(ann))
        assert.equal(3, Task:count())
      end)

      it("keeps the key of the instances handed over up to date", function()
        ann:setTasks { c, b }
        assert.equal(ann.id, c.userId)
        assert.equal(ann.id, b.userId)
        assert.is_nil(c:changed())
      end)

      it("clears with an empty list or nil and returns an empty list", function()
        assert.equal(0, #ann:setTasks {})
        assert.equal(0, ann:countTasks())
        ann:addTask(a)
        local result = ann:setTasks(nil)
        assert.is_table(result)
        assert.equal(0, #result)
        assert.equal(0, ann:countTasks())
      end)

      it("raises UsageError without any argument and changes nothing", function()
        raises("UsageError", function() ann:setTasks() end, "setTasks")
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("takes one instance in place of a list", function()
        ann:setTasks(c)
        assert.same({ "c" }, titles(ann))
      end)

      it("counts duplicates once", function()
        ann:setTasks { c, c.id, c }
        assert.same({ "c" }, titles(ann))
      end)

      it("leaves the rows of another source alone", function()
        local d = tasks "d"
        bob:addTask(d)
        ann:setTasks { a }
        assert.same({ "d" }, titles(bob))
      end)

      it("saves the unsaved among the targets", function()
        ann:setTasks { a, Task:build { title = "new" } }
        assert.same({ "a", "new" }, titles(ann))
      end)

      it("raises InstanceError for a key without a row and changes nothing", function()
        raises("InstanceError", function() ann:setTasks { c, 4711 } end, "Task")
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("deletes what was linked before with destroyPrevious", function()
        ann:setTasks({ b, c }, { destroyPrevious = true })
        assert.same({ "b", "c" }, sorted(Task:findAll(), "title"))
        assert.same({ "b", "c" }, titles(ann))
      end)

      it("raises InstanceError on an unsaved source", function()
        raises("InstanceError", function() User:build({ name = "x" }):setTasks { a } end)
        raises("InstanceError", function() User:build({ name = "x" }):setTasks {} end)
        assert.same({ "a", "b" }, titles(ann))
      end)
    end)

    describe("createTask", function()
      before_each(function() declare() end)

      it("makes a linked row and returns it", function()
        local task = ann:createTask { title = "a" }
        assert.is_false(task:isNew())
        assert.equal(ann.id, task.userId)
        assert.same({ "a" }, titles(ann))
      end)

      it("lets the key win over the values, which stay as they were", function()
        local values = { title = "a", userId = bob.id }
        local task = ann:createTask(values)
        assert.equal(ann.id, task:reload().userId)
        assert.same({ title = "a", userId = bob.id }, values)
      end)

      it("writes only the attributes named by fields, and the key", function()
        local task = ann:createTask({ title = "a", done = true }, { fields = { "title" } })
        assert.is_false(task:reload().done)
        assert.equal(ann.id, task.userId)
      end)

      it("raises InstanceError on a source without what the key refers to, with hooks or without", function()
        User = db:define("Member", { code = { type = liga.STRING, unique = true } })
        User:hasMany(Task, { sourceKey = "code", foreignKey = { allowNull = false } })
        db:sync()
        local member = User:create {}
        for _ = 1, 2 do
          raises("InstanceError", function() member:createTask { title = "a" } end, "code")
          raises("InstanceError", function() member:addTask(Task:build {}) end, "code")
          Task:addHook("beforeCreate", function() error "never" end)
        end
      end)

      it("raises InstanceError on an unsaved source and makes nothing", function()
        raises("InstanceError", function() User:build({ name = "x" }):createTask { title = "a" } end)
        assert.equal(0, Task:count())
      end)

      it("raises ForeignKeyConstraintError if the source's row is gone", function()
        User:destroy { where = { id = ann.id } }
        raises("ForeignKeyConstraintError", function() ann:createTask { title = "a" } end)
        assert.equal(0, Task:count())
      end)
    end)

    describe("with a key that may not be NULL", function()
      local a, b
      before_each(function()
        declare { foreignKey = { allowNull = false } }
        a, b = ann:createTask { title = "a" }, ann:createTask { title = "b" }
      end)

      it("deletes what is removed", function()
        assert.equal(1, ann:removeTask(a))
        assert.same({ "b" }, sorted(Task:findAll(), "title"))
      end)

      it("deletes what setTasks leaves out", function()
        ann:setTasks { b }
        assert.same({ "b" }, sorted(Task:findAll(), "title"))
        ann:setTasks(nil)
        assert.equal(0, Task:count())
      end)

      it("gives unsaved targets the key when it saves them", function()
        ann:addTask(Task:build { title = "c" })
        assert.same({ "a", "b", "c" }, titles(ann))
      end)
    end)

    describe("with targets that are marked as deleted", function()
      local Draft, a, b
      before_each(function()
        Draft = db:define("Draft", { title = liga.STRING }, { paranoid = true, version = true })
        User:hasMany(Draft, { as = "drafts", foreignKey = { allowNull = false } })
        declare()
        a, b = ann:createDraft { title = "a" }, ann:createDraft { title = "b" }
      end)

      it("marks what is removed, and the instances handed over say so", function()
        assert.equal(2, ann:removeDrafts { a, b.id })
        assert.equal(Draft:findByPk(a.id, { paranoid = false }).deletedAt, a.deletedAt)
        assert.is_nil(a:changed())
        a:restore()
        assert.same({ "a" }, pluck(ann:getDrafts(), "title"))
      end)

      it("marks just those that were linked", function()
        local other, c = bob:createDraft { title = "c" }, Draft:findByPk(b.id)
        assert.equal(2, ann:removeDrafts { a, other, b, c })
        local row = Draft:findByPk(a.id, { paranoid = false })
        assert.same({ row.deletedAt, row.updatedAt, row.version }, { a.deletedAt, a.updatedAt, a.version })
        assert.same({ b.deletedAt }, { c.deletedAt })
        assert.is_nil(other.deletedAt)
        assert.same({}, { a:changed(), b:changed(), c:changed() })
        local d = ann:createDraft { title = "d" }
        Draft:destroy { where = { id = d.id } }
        assert.equal(0, ann:removeDraft(d))
        assert.is_nil(d.deletedAt)
      end)

      it("marks them whatever depends on them, and with hooks for each", function()
        local Line = db:define("Line", {})
        Draft:hasMany(Line, { dependent = "destroy" })
        db:sync()
        local other = bob:createDraft { title = "c" }
        assert.equal(1, ann:removeDrafts { a, other })
        assert.equal(Draft:findByPk(a.id, { paranoid = false }).deletedAt, a.deletedAt)
        Draft:addHook("beforeDestroy", function() end)
        assert.equal(1, ann:removeDrafts({ b, other }, { individualHooks = true }))
        assert.equal(Draft:findByPk(b.id, { paranoid = false }).deletedAt, b.deletedAt)
        assert.same({}, { other.deletedAt, a:changed(), b:changed() })
      end)
    end)

    describe("with where and order", function()
      local a, b, c
      before_each(function()
        declare()
        User:hasMany(Task, { as = "openTasks", where = { done = false }, order = "-title" })
        a, b = ann:createTask { title = "a" }, ann:createTask { title = "b" }
        c = ann:createTask { title = "c", done = true }
      end)

      it("filters and orders what is read", function()
        assert.same({ "b", "a" }, pluck(ann:getOpenTasks(), "title"))
        assert.equal(2, ann:countOpenTasks())
        assert.is_true(ann:hasOpenTask(a))
        assert.is_false(ann:hasOpenTask(c))
      end)

      it("takes one condition for a table of them", function()
        User:hasMany(Task, { as = "shortTasks", where = liga.sql("length(title) < ?", 2) })
        User:hasMany(Task, { as = "endTasks", where = liga.Op.or_ { { title = "a" }, { title = "c" } } })
        ann:createTask { title = "long" }
        assert.same({ "a", "b", "c" }, support.sorted(ann:getShortTasks(), "title"))
        local user = User:findByPk(ann.id, { include = { "shortTasks", "endTasks" } })
        assert.equal(3, #user.shortTasks)
        assert.same({ "a", "c" }, support.sorted(user.endTasks, "title"))
      end)

      it("adds the where of a read to its own", function()
        assert.same({ "a" }, pluck(ann:getOpenTasks { where = { title = { "a", "c" } } }, "title"))
      end)

      it("lets an order given in a read replace its own", function()
        assert.same({ "a", "b" }, pluck(ann:getOpenTasks { order = { "title" } }, "title"))
      end)

      it("removes only within the where", function()
        assert.equal(1, ann:removeOpenTasks { a, c })
        assert.same({ "b", "c" }, titles(ann))
      end)

      it("sets only within the where", function()
        ann:setOpenTasks { b }
        assert.same({ "b", "c" }, titles(ann))
        ann:setOpenTasks(nil)
        assert.same({ "c" }, titles(ann))
      end)

      it("shares the key and the inverse of the first association", function()
        assert.is_true(User.associations.openTasks.inverse == User.associations.tasks.inverse)
        assert.is_true(b:getUser() == ann)
      end)
    end)

    describe("sends as many statements for many elements as for few", function()
      before_each(function() declare() end)

      local function stored(n)
        local values = {}
        for i = 1, n do values[i] = { title = "t" .. i } end
        return Task:bulkCreate(values)
      end

      local function unsaved(n)
        local list = {}
        for i = 1, n do list[i] = Task:build { title = "t" .. i } end
        return list
      end

      local function statements(action, ...)
        log:clear()
        action(...)
        return #log:statements "query"
      end

      local function with(method, list)
        return statements(ann[method], ann, list)
      end

      it("in addTasks", function()
        assert.equal(with("addTasks", stored(2)), with("addTasks", stored(40)))
      end)

      it("in addTasks of keys", function()
        assert.equal(with("addTasks", pluck(stored(2), "id")), with("addTasks", pluck(stored(40), "id")))
      end)

      it("in addTasks of unsaved targets", function()
        assert.equal(with("addTasks", unsaved(2)), with("addTasks", unsaved(40)))
      end)

      it("in removeTasks", function()
        local few, many = stored(2), stored(40)
        ann:addTasks(few)
        ann:addTasks(many)
        assert.equal(with("removeTasks", few), with("removeTasks", many))
      end)

      it("in hasTasks", function()
        local few, many = stored(2), stored(40)
        assert.equal(with("hasTasks", few), with("hasTasks", many))
      end)

      it("in setTasks: one read, one removal, one update at most", function()
        local few, many = stored(2), stored(40)
        ann:addTask(stored(1)[1])
        local count = with("setTasks", few)
        assert.is_true(count <= 3, "setTasks sent " .. count .. " statements")
        assert.equal(count, with("setTasks", many))
        assert.equal(count, with("setTasks", few))
      end)
    end)

    describe("dependent", function()
      local function two_tasks_of_ann(options)
        declare(options)
        ann:createTask { title = "a" }
        ann:createTask { title = "b" }
        bob:createTask { title = "c" }
      end

      it("nil leaves it to the database", function()
        two_tasks_of_ann {}
        ann:destroy()
        assert.equal(2, Task:count { where = { userId = liga.null } })
      end)

      it("'delete' deletes the targets before the source is destroyed", function()
        two_tasks_of_ann { dependent = "delete", constraints = false }
        ann:destroy()
        assert.same({ "c" }, sorted(Task:findAll(), "title"))
      end)

      it("'nullify' clears their keys before the source is destroyed", function()
        two_tasks_of_ann { dependent = "nullify", constraints = false }
        ann:destroy()
        assert.same({ "a", "b" }, sorted(Task:findAll { where = { userId = liga.null } }, "title"))
      end)

      it("'restrict' raises AssociationError while there are targets", function()
        two_tasks_of_ann { dependent = "restrict", constraints = false }
        raises("AssociationError", function() ann:destroy() end, "tasks")
        assert.equal(2, User:count())
        ann:setTasks {}
        ann:destroy()
        assert.equal(1, User:count())
      end)

      it("is undone if destroying the source fails", function()
        local Invoice = db:define("Invoice", {})
        User:hasMany(Invoice, { onDelete = "RESTRICT" })
        two_tasks_of_ann { dependent = "delete", constraints = false }
        ann:createInvoice {}
        raises("ForeignKeyConstraintError", function() ann:destroy() end)
        assert.equal(3, Task:count())
      end)

      it("holds where methods of associations delete rows", function()
        User:belongsTo(db:define("Team", {}), { foreignKey = { allowNull = false },
          inverse = { as = "users", type = "hasMany" } })
        User:hasMany(Task, { dependent = "restrict", constraints = false })
        db:sync()
        local team = db:model("Team"):create {}
        local eva = team:createUser { name = "eva" }
        eva:createTask { title = "a" }
        raises("AssociationError", function() team:removeUser(eva) end, "tasks")
        raises("AssociationError", function() team:setUsers(nil) end, "tasks")
        raises("AssociationError", function() team:setUsers { User:build { name = "pia" } } end, "tasks")
        raises("InstanceError", function() team:removeUsers { eva.id, 99 } end)
        eva:setTasks {}
        assert.equal(1, team:removeUser(eva.id))
      end)

      it("of a row that belongs to itself is no change of that row", function()
        local Node = db:define("Node", {}, { version = true })
        Node:hasMany(Node, { as = "children", inverse = "parent", dependent = "nullify" })
        db:sync()
        local node = Node:create {}
        node:addChildren { node, Node:create {} }
        node:reload():destroy()
        assert.equal(1, Node:count { where = { parentId = liga.null } })
      end)

      it("may take the row itself along, over the constraints of what it deletes", function()
        declare { dependent = "delete" }
        Task:hasMany(User, { as = "helpers", foreignKey = "taskId", onDelete = "CASCADE" })
        db:sync { force = true }
        ann = User:create { name = "ann" }
        ann:createTask({ title = "a" }):addHelper(ann)
        ann:destroy()
        assert.same({ 0, 0 }, { User:count(), Task:count() })
      end)

      it("holds for Model:destroy as for instances, unless dependent = false", function()
        two_tasks_of_ann { dependent = "delete", constraints = false }
        User:destroy { where = { name = "ann" } }
        assert.same({ "c" }, sorted(Task:findAll(), "title"))
        User:destroy { where = { name = "bob" }, dependent = false }
        assert.equal(1, Task:count())
      end)
    end)
  end)
end
