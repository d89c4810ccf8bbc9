--- Declarations against each other: shared inverses, refinements, contradictions, junctions, key names, constraints.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

--- The foreign keys of a model's table as sync would write them: "columns" → "Table(columns) ON DELETE …".
local function foreign_keys(db, class)
  local keys = {}
  for _, sql in ipairs(db:sync { dryRun = true }) do
    if sql:find('TABLE IF NOT EXISTS "' .. class.tableName .. '" ', 1, true) then
      for columns, target, referenced, rules in sql:gmatch 'FOREIGN KEY %((.-)%) REFERENCES "(.-)" %((.-)%)([^,()]*)' do
        local text = ("%s(%s)%s"):format(target, referenced, rules)
        keys[columns:gsub('[" ]', "")] = text:gsub('", "', ","):gsub('"', "")
      end
    end
  end
  return keys
end

--- The unique indexes of a model: name → "columns".
local function unique_indexes(db, class)
  local indexes = {}
  for _, sql in ipairs(db:sync { dryRun = true }) do
    local name, columns = sql:match('UNIQUE INDEX IF NOT EXISTS "(.-)" ON "' .. class.tableName .. '" %((.*)%)')
    if name then indexes[name] = columns:gsub('"', "") end
  end
  return indexes
end

local function names(list)
  local found = {}
  for i, each in ipairs(list) do found[i] = each.as or each.name end
  return found
end

for engine in support.engines() do
  describe("declarations on " .. engine.name, function()
    local db, User, Task

    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Task = db:define("Task", { title = liga.STRING })
    end)
    after_each(function() db:close() end)

    describe("of both directions", function()
      it("meet in one pair, each declared once", function()
        local many = User:hasMany(Task)
        local one = Task:belongsTo(User)
        assert.equal(one, many.inverse)
        assert.equal(many, one.inverse)
        raises("AssociationError", function() Task:belongsTo(User) end, "declared already")
        raises("AssociationError", function() User:hasMany(Task) end, "declared already")
      end)

      it("let several associations share the inverse that fits", function()
        User:hasMany(Task)
        User:hasMany(Task, { as = "done", scope = { title = "x" } })
        assert.same({ "userId" }, User.associations.done.foreignKey)
        assert.same({ "user" }, names(Task.associations))
      end)

      it("take over the key that belongsTo described", function()
        Task:belongsTo(User, { foreignKey = {
          name = "ownerId", allowNull = false, columnName = "oid" }, onDelete = "restrict",
        })
        assert.same({ "ownerId" }, User:hasMany(Task).foreignKey)
        assert.equal("Users(id) ON DELETE RESTRICT ON UPDATE CASCADE", foreign_keys(db, Task).oid)
        assert.is_nil(Task.attributes.userId)
      end)

      it("may say the same of their key in tables", function()
        local function key() return { name = "userId", validate = { min = 1 } } end
        User:hasMany(Task, { foreignKey = key() })
        Task:belongsTo(User, { foreignKey = key() })
        raises("AssociationError", function()
          User:hasMany(Task, { as = "others", foreignKey = { name = "userId", validate = { min = 2 } } })
        end, "validate")
      end)

      it("over a junction may refine its scope, and leave nothing behind where they contradict", function()
        local Link = db:define("Link", { level = liga.INTEGER })
        User:belongsToMany(Task, { through = Link, inverse = { as = "people" } })
        local through = { model = Link, scope = { level = 3 } }
        raises("AssociationError", function()
          Task:belongsToMany(User, { as = "people", through = through, inverse = { as = "jobs" } })
        end, "inverse.as")
        db:sync()
        local ann, task = User:create {}, Task:create {}
        ann:addTask(task)
        task:addPeople { ann }
        assert.is_nil(Link:findOne().level)
        Task:belongsToMany(User, { as = "people", through = through })
        assert.equal(0, task:countPeople())
        task:addPeople { ann }
        assert.equal(1, task:countPeople())
        assert.equal(3, Link:findOne().level)
      end)

      it("may be refined, and leave nothing behind where they contradict", function()
        User:hasMany(Task)
        Task:belongsTo(User, { foreignKey = { allowNull = false } })
        assert.equal("Users(id) ON DELETE CASCADE ON UPDATE CASCADE", foreign_keys(db, Task).userId)
        raises("AssociationError", function() User:hasOne(Task, { foreignKey = { allowNull = true } }) end, "allowNull")
        raises("AssociationError", function() User:hasOne(Task, { foreignKey = "x" }) end, "inverse")
        assert.is_nil(User.associations.task)
        assert.is_nil(rawget(User.methods, "getTask"))
        assert.is_nil(Task.attributes.x)
      end)

      it("say which declaration contradicts", function()
        User:hasMany(Task, { onDelete = "cascade" })
        raises("AssociationError", function()
          Task:belongsTo(User, { onDelete = "SET NULL" })
        end, "onDelete", "User.tasks", "CASCADE")
        raises("AssociationError", function() Task:belongsTo(User, { foreignKey = "zId" }) end, "foreignKey", "as")
        assert.is_nil(Task.attributes.zId)
      end)

      it("pair two inverses by the options of belongsTo", function()
        local boss = Task:belongsTo(User, {
          as = "boss", inverse = { as = "orders", type = "hasMany", scope = { title = "x" }, order = "title" },
        })
        assert.equal("hasMany", User.associations.orders.type)
        assert.equal(boss, User.associations.orders.inverse)
        assert.same({ "bossId" }, User.associations.orders.foreignKey)
        raises("AssociationError", function() Task:belongsTo(User, { as = "q", inverse = { as = "orders" } }) end)
        assert.is_nil(Task.attributes.qId)
        raises("AssociationError", function()
          Task:belongsTo(User, { as = "q", inverse = { as = "z", type = "belongsTo" } })
        end, "hasMany")
        raises("UsageError", function()
          Task:belongsTo(User, { as = "q", inverse = { as = "z", typ = "hasOne" } })
        end, "type")
      end)
    end)

    describe("of a junction", function()
      it("from both sides are one", function()
        local a = User:belongsToMany(Task, { through = "UT" })
        local b = Task:belongsToMany(User, { through = "UT", order = { "name" } })
        assert.equal(b, a.pairedWith)
        assert.equal(a, b.pairedWith)
        assert.same({ "userId" }, b.otherKey)
        raises("AssociationError", function() Task:belongsToMany(User, { through = "UT" }) end)
        raises("AssociationError", function() Task:belongsToMany(User, { through = "UT2" }) end)
      end)

      it("refuse what does not fit the other side", function()
        User:belongsToMany(Task, { through = "UT" })
        raises("AssociationError", function()
          Task:belongsToMany(User, { through = "UT", otherKey = "zz" })
        end, "otherKey")
        raises("AssociationError", function() Task:belongsToMany(User, { through = "TU" }) end, "junction")
        raises("UsageError", function() db:define("UT", {}) end, "junction of User.tasks")
      end)

      it("take its id away unless it has a key of its own", function()
        local Work = db:define("Work", { hours = liga.INTEGER })
        User:belongsToMany(Task, { through = Work })
        assert.same({ "userId", "taskId" }, Work.primaryKey)
        assert.is_nil(Work.attributes.id)
        local Job = db:define("Job", { nr = { type = liga.INTEGER, primaryKey = true } })
        User:belongsToMany(Task, { through = Job, as = "jobs", inverse = "workers" })
        assert.same({ "nr" }, Job.primaryKey)
        assert.equal("taskId, userId", unique_indexes(db, Job).Jobs_taskId_userId_unique)
      end)

      it("use the belongsTo that it has, before or after", function()
        local Membership, Group = db:define("Membership", {}), db:define("Group", {})
        Membership:belongsTo(User, { foreignKey = "memberId" })
        assert.same({ "memberId" }, User:belongsToMany(Group, { through = Membership }).foreignKey)
        assert.is_false(Membership.attributes.memberId.allowNull)
        assert.equal("Users(id) ON DELETE CASCADE ON UPDATE CASCADE", foreign_keys(db, Membership).memberId)
        local Work = db:define("Work", {})
        User:belongsToMany(Task, { through = Work })
        local late = Work:belongsTo(User)
        assert.same({ "userId" }, late.foreignKey)
        assert.equal(late, Work.attributes.userId.association)
      end)

      it("leave nothing behind when an option of it is wrong", function()
        raises("AssociationError", function()
          User:belongsToMany(Task, { through = { model = "G", unique = "nm" } })
        end, "unique")
        raises("AssociationError", function()
          User:belongsToMany(Task, { through = { model = "G", scope = { rol = 1 } } })
        end, "rol")
        assert.is_nil(db.models.G)
        assert.same({}, names(User.associations))
      end)

      it("share it between several associations with scopes", function()
        local PT = db:define("PT", { status = liga.STRING })
        local all = User:belongsToMany(Task, { through = PT })
        local done = User:belongsToMany(Task, { as = "done", through = { model = PT, scope = {
          status = "done" } }, inverse = "users",
        })
        assert.equal(all.pairedWith, done.pairedWith)
        assert.equal(all, all.pairedWith.pairedWith)
        assert.same({ "userId", "taskId" }, PT.primaryKey)
        assert.is_not_nil(User.associations.doneUsers)
      end)

      it("keep its id where a scope that can be NULL belongs to what identifies a link", function()
        local PT = db:define("PT", { status = liga.STRING })
        User:belongsToMany(Task, { as = "done", through = { model = PT, scope = {
          status = "done" } }, inverse = "users",
        })
        assert.same({ "id" }, PT.primaryKey)
        assert.equal("status, taskId, userId", unique_indexes(db, PT).PTs_status_taskId_userId_unique)
      end)

      it("identify links of several kinds by the scope too", function()
        local Tag = db:define("Tag", { name = liga.STRING })
        local Link = db:define("Link", { kind = { type = liga.STRING(10), allowNull = false } })
        for kind, model in pairs { post = User, image = Task } do
          model:belongsToMany(Tag, {
            through = { model = Link, scope = { kind = kind } }, foreignKey = { name = "ownerId", constraints = false },
            inverse = { as = kind .. "s" }, throughAssociations = { toSource = kind },
          })
        end
        assert.same({ "ownerId", "tagId", "kind" }, Link.primaryKey)
        local keys = foreign_keys(db, Link)
        assert.is_nil(keys.ownerId)
        assert.equal("Tags(id) ON DELETE CASCADE ON UPDATE CASCADE", keys.tagId)
      end)

      it("name the associations to it", function()
        local Project = db:define("Project", {})
        local projects = User:belongsToMany(Project, {
          as = "ps", inverse = "us", through = "UP",
          throughAssociations = {
            fromSource = "engagements", toSource = "worker", fromTarget = "bookings", toTarget = "job",
          },
        })
        assert.equal("hasOne", User.associations.engagement.type)
        assert.equal("booking", Project.associations.booking.as)
        assert.equal(User, projects.through.associations.worker.target)
      end)
    end)

    describe("of a polymorphic key", function()
      it("need constraints = false for the second target", function()
        local D = db:define("D", {})
        User:hasMany(D, { foreignKey = "onId" })
        raises("AssociationError", function()
          Task:hasMany(D, { foreignKey = "onId" })
        end, "references", "constraints = false")
        assert.is_nil(D.associations.task)
        assert.equal("Users(id) ON DELETE SET NULL ON UPDATE CASCADE", foreign_keys(db, D).onId)
      end)

      it("have one belongsTo each", function()
        local C = db:define("Comment", { kind = liga.STRING })
        User:hasMany(C, { foreignKey = { name = "onId", constraints = false }, scope = {
          kind = "user" }, inverse = "user",
        })
        Task:hasMany(C, { foreignKey = { name = "onId", constraints = false }, scope = {
          kind = "task" }, inverse = "task",
        })
        assert.same({ "onId" }, C.associations.task.foreignKey)
        assert.same({}, foreign_keys(db, C))
      end)
    end)

    describe("of keys", function()
      local Shop

      before_each(function()
        Shop = db:define("Shop", {
          { "country", { type = liga.CHAR(2), primaryKey = true } },
          { "nr", { type = liga.INTEGER, primaryKey = true } },
        })
      end)

      it("take every part of a composite one", function()
        assert.same({ "shopCountry", "shopNr" }, Shop:hasMany(Task).foreignKey)
        local rule = foreign_keys(db, Task)["shopCountry,shopNr"]
        assert.equal("Shops(country,nr) ON DELETE SET NULL ON UPDATE CASCADE", rule)
        assert.equal("nr", Task.attributes.shopNr.references.key)
        User:belongsTo(Shop, { foreignKey = { "c", { name = "n", allowNull = false }, onDelete = "cascade" } })
        assert.equal("CHAR(2)", tostring(User.attributes.c.type))
        assert.equal("Shops(country,nr) ON DELETE CASCADE ON UPDATE CASCADE", foreign_keys(db, User)["c,n"])
      end)

      it("pair parts explicitly, from either side", function()
        local belongs = User:belongsTo(Shop, { as = "alt", foreignKey = { keys = {
          nn = "nr", cc = "country" }, allowNull = false },
        })
        assert.same({ "cc", "nn" }, belongs.foreignKey)
        assert.same({ "country", "nr" }, belongs.targetKey)
        local many = Shop:hasMany(Task, { foreignKey = { keys = { x = "nr", y = "country" } } })
        assert.same({ "y", "x" }, many.foreignKey)
        Task:belongsTo(Shop, { foreignKey = { keys = { x = "nr", y = "country" } } })
      end)

      it("count the parts and name a wrong one", function()
        raises("AssociationError", function()
          Shop:hasMany(Task, { foreignKey = "a" })
        end, "1 attribute (a)", "2 (country, nr)")
        raises("AssociationError", function()
          Shop:hasMany(Task, { foreignKey = { keys = { a = "nr", b = "cuntry" } } })
        end, "cuntry", "country")
      end)

      it("may overlap in a column", function()
        local Sale = db:define("Sale", {})
        local Register = db:define("Register", {
          { "shop", { type = liga.CHAR(2), primaryKey = true } }, { "no", { type = liga.INTEGER, primaryKey = true } },
        })
        Sale:belongsTo(Shop, { foreignKey = { "sc", "sn" } })
        Sale:belongsTo(Register, { foreignKey = { "sc", "rn" } })
        local keys = foreign_keys(db, Sale)
        assert.is_not_nil(keys["sc,rn"])
        assert.is_not_nil(keys["sc,sn"])
      end)

      it("need a referenced key where the model has no primary one", function()
        local Code = db:define("Code", { word = { type = liga.STRING(8), unique = true, columnName = "w" } }, {
          primaryKey = false,
        })
        raises("AssociationError", function() User:belongsTo(Code) end, "targetKey")
        raises("AssociationError", function() Code:hasMany(Task) end, "sourceKey")
        raises("AssociationError", function() Code:belongsToMany(User, { through = "CU" }) end, "sourceKey")
        assert.is_nil(db.models.CU)
        assert.same({}, names(Code.associations))
        assert.same({ "codeWord" }, User:belongsTo(Code, { targetKey = "word" }).foreignKey)
        assert.equal("w", User.attributes.codeWord.references.key)
        assert.same({ "word" }, Code:belongsToMany(Task, { through = "CT", sourceKey = "word" }).pairedWith.targetKey)
      end)

      it("refuse names and options that can't be", function()
        local function wrong(name, options, ...)
          raises(name, function() Task:belongsTo(User, options) end, ...)
          assert.same({}, names(Task.associations))
        end
        wrong("AssociationError", { as = "owner", foreignKey = "owner" }, "owner")
        wrong("AssociationError", { foreignKey = "a.b" }, "dot")
        wrong("AssociationError", { foreignKey = 5 }, "foreignKey")
        wrong("AssociationError", { foreignKey = { name = "a", keys = { a = "id" } } }, "two ways")
        wrong("AssociationError", { foreignKey = { keys = {} } }, "keys")
        wrong("AssociationError", { onDelete = "cascade", foreignKey = { onDelete = "restrict" } }, "onDelete")
        wrong("AssociationError", { foreignKey = "save" }, "save")
        wrong("UsageError", { foreignKey = { allowNull = 5 } }, "allowNull")
        wrong("UsageError", 5)
        wrong("UsageError", User)
      end)

      it("have attribute options of their own", function()
        Task:belongsTo(User, { foreignKey = { name = "uid", unique = true, comment = "x", deferrable = "deferred" } })
        assert.is_true(Task.attributes.uid.unique)
        local rule = "Users(id) ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"
        assert.equal(rule, foreign_keys(db, Task).uid)
        assert.equal("uid", unique_indexes(db, Task).Tasks_uid_unique)
      end)

      it("obey what the attribute says itself", function()
        local N = db:define("N", { userId = { type = liga.BIGINT, onDelete = "restrict" } })
        N:belongsTo(User, { onDelete = "cascade" })
        assert.equal("Users(id) ON DELETE RESTRICT ON UPDATE CASCADE", foreign_keys(db, N).userId)
        local M = db:define("M", {
          userId = { type = liga.BIGINT, references = { table = "Users", key = "id" }, onDelete = "no action" },
        })
        M:belongsTo(User)
        assert.equal("Users(id) ON DELETE NO ACTION ON UPDATE CASCADE", foreign_keys(db, M).userId)
        local O = db:define("O", { mId = { type = liga.BIGINT, references = User } })
        assert.equal("O", raises("AssociationError", function() O:belongsTo(M) end, "references").model)
      end)

      it("can be references alone, resolved when the model is there", function()
        local Series = db:define("Series", { trainer_id = {
          type = liga.INTEGER, references = "Trainer", referencesKey = "id" },
        })
        db:define("V", { b = { type = liga.INTEGER, references = { model = "Trainer" } } })
        raises("AssociationError", function() db:validate() end, "Trainer")
        local Trainer = db:define("Trainer", {})
        assert.equal("Trainers(id)", foreign_keys(db, Series).trainer_id)
        Trainer:hasMany(Series, { foreignKey = "trainer_id" })
        assert.equal("Trainers(id) ON DELETE SET NULL ON UPDATE CASCADE", foreign_keys(db, Series).trainer_id)
      end)

      it("have no constraint where one side says so", function()
        Task:belongsTo(User, { constraints = false })
        User:hasMany(Task)
        assert.is_nil(foreign_keys(db, Task).userId)
        assert.is_nil(Task.attributes.userId.references)
        local A, B = db:define("A", {}), db:define("B", {})
        A:hasMany(B)
        assert.is_not_nil(foreign_keys(db, B).aId)
        B:belongsTo(A, { constraints = false })
        assert.is_nil(foreign_keys(db, B).aId)
        local through = A:belongsToMany(User, { through = "AU", foreignKey = { constraints = false } }).through
        assert.is_nil(through.attributes.aId.references)
        assert.equal("Users", through.attributes.userId.references.table)
      end)
    end)

    describe("of names", function()
      it("need both forms when given as a table", function()
        raises("AssociationError", function() User:hasMany(Task, { as = { singular = "x" } }) end, "plural")
        raises("AssociationError", function() User:hasMany(Task, { as = 5 }) end, "as")
        local jobs = User:hasMany(Task, { as = { singular = "job", plural = "jobz" }, inverse = "owner" })
        assert.equal("jobz", jobs.as)
        assert.equal("addJobz", jobs.accessors.addMultiple)
      end)

      it("follow a target that is defined later under names of its own", function()
        local C = db:define("C", {})
        C:hasMany("Datum", { inverse = "c" })
        db:define("Datum", {}, { name = { singular = "datum", plural = "data" } })
        assert.same({ "data" }, names(C.associations))
        assert.is_not_nil(rawget(C.methods, "getData"))
      end)

      it("work without a plural", function()
        local Sheep, Deer = db:define("Sheep", {}), db:define("Deer", {})
        local deer = Sheep:belongsToMany(Deer, { through = "SD" })
        assert.equal("deer", deer.as)
        assert.equal("getDeer", deer.accessors.get)
        assert.same({ "deer", "deerSheep" }, names(Sheep.associations))
      end)

      it("leave methods that are there alone", function()
        function User.methods:getTasks() return "mine" end -- luacheck: ignore
        User:hasMany(Task)
        assert.equal("mine", User.methods.getTasks())
        assert.is_not_nil(rawget(User.methods, "addTask"))
      end)

      it("never take those of methods or attributes", function()
        User.methods.things = function() end
        raises("UsageError", function() User:hasMany(Task, { as = "things" }) end, "things")
        raises("AssociationError", function() User:hasMany(Task, { as = "save" }) end, "method")
        raises("AssociationError", function() User:hasMany(Task, { as = "name" }) end, "attribute")
        User:hasMany(Task)
        raises("UsageError", function() User.methods.tasks = function() end end, "association")
        raises("UsageError", function() User.associations.x = 1 end)
        raises("UsageError", function() User.associations.tasks.as = "q" end)
      end)

      it("of a self-reference are asked for", function()
        local Person = db:define("Person", {})
        raises("AssociationError", function() Person:hasMany(Person) end, "as", "inverse")
        raises("AssociationError", function() Person:hasMany(Person, { as = "children" }) end, "inverse")
        raises("AssociationError", function() Person:hasOne(Person, { as = "x", inverse = { as = "x" } }) end, "differ")
        assert.same({}, names(Person.associations))
        local children = Person:belongsToMany(Person, { as = "children", inverse = "parents", through = "PC" })
        assert.same({ "parentId" }, children.foreignKey)
        assert.same({ "childId" }, children.otherKey)
        assert.same({ "children", "childrenParents", "childParent", "parents", "parentsChildren", "parentChild" },
          names(Person.associations))
        assert.same({ "motherId" }, Person:hasMany(Person, { as = "kids", inverse = "mother" }).foreignKey)
      end)

      it("chain on the source", function()
        local Project, Deadline = db:define("Project", {}), db:define("Deadline", {})
        local last = Project:hasOne(User):hasOne(Deadline)
        assert.equal(Project, last.source)
        assert.same({ "user", "deadline" }, names(Project.associations))
        Project:hasOne(Task, { uniqueForeignKey = true })
        assert.equal("projectId", unique_indexes(db, Task).Tasks_projectId_unique)
      end)

      it("of v1's joinTableName make a junction", function()
        local users = Task:hasMany(User, { joinTableName = "task_has_users" })
        assert.equal("belongsToMany", users.type)
        assert.equal("task_has_users", users.through.tableName)
        User:hasMany(Task, { joinTableName = "task_has_users" })
      end)
    end)

    describe("inside the attributes", function()
      it("wait for their targets, and say for which", function()
        local Comment = db:define("Comment", {
          content = liga.TEXT,
          post = liga.belongsTo("Post", { foreignKey = "postId", inverse = { as = "comments", type = "hasMany" } }),
          tags = liga.belongsToMany("Tag", { through = "CT" }),
        })
        raises("AssociationError", function() db:validate() end, "Post")
        local Post = db:define("Post", { comments = liga.hasMany("Comment"), author = liga.belongsTo("Usr") })
        assert.equal(Comment, Post.associations.comments.target)
        assert.equal(Post.associations.comments, Comment.associations.post.inverse)
        raises("AssociationError", function() db:validate() end, "Tag")
        db:define("Tag", {})
        raises("AssociationError", function() db:validate() end, "Usr", "User")
      end)

      it("refuse wrong options before the model is there", function()
        raises("AssociationError", function() db:define("Q", { x = liga.belongsTo("User", { as = "y" }) }) end, "y")
        raises("UsageError", function() db:define("Q", { x = liga.belongsTo("User", { ass = "y" }) }) end, "ass")
        assert.is_nil(db.models.Q)
      end)
    end)
  end)
end
