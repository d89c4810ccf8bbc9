--- Names: of associations, their accessors and the keys they make.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  describe("association names on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function has_methods(Model, ...)
      local instance = Model:build {}
      for _, name in ipairs { ... } do
        assert.equal("function", type(instance[name]), Model.name .. " lacks " .. name)
      end
    end

    it("come from the target: the singular for one, the plural for many, first letter lowered", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      assert.equal("tasks", User:hasMany(Task).as)
      assert.equal("user", Task.associations.user.as)
      local Profile = db:define("Profile", {})
      assert.equal("profile", User:hasOne(Profile).as)
      local Tag = db:define("Tag", {})
      assert.equal("tags", User:belongsToMany(Tag, { through = "UserTag" }).as)
      assert.equal("users", Tag.associations.users.as)
    end)

    it("give hasMany its ten methods", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      User:hasMany(Task)
      has_methods(User, "getTasks", "countTasks", "hasTask", "hasTasks", "setTasks", "addTask", "addTasks",
        "removeTask", "removeTasks", "createTask")
    end)

    it("give belongsToMany the same ten methods, on both sides", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      User:belongsToMany(Task, { through = "UserTask" })
      has_methods(User, "getTasks", "countTasks", "hasTask", "hasTasks", "setTasks", "addTask", "addTasks",
        "removeTask", "removeTasks", "createTask")
      has_methods(Task, "getUsers", "countUsers", "hasUser", "hasUsers", "setUsers", "addUser", "addUsers",
        "removeUser", "removeUsers", "createUser")
    end)

    it("give belongsTo and hasOne get, set and create", function()
      local User, Profile = db:define("User", {}), db:define("Profile", {})
      User:hasOne(Profile)
      has_methods(User, "getProfile", "setProfile", "createProfile")
      has_methods(Profile, "getUser", "setUser", "createUser")
      assert.is_nil(User:build({}).addProfile)
      assert.is_nil(User:build({}).countProfiles)
    end)

    it("keep an alias as it is written", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      assert.equal("ASSIGNMENTS", User:hasMany(Task, { as = "ASSIGNMENTS" }).as)
      has_methods(User, "getASSIGNMENTS", "setASSIGNMENTS", "countASSIGNMENTS")
    end)

    it("capitalise an alias in method names only", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      User:hasMany(Task, { as = "chores" })
      has_methods(User, "getChores", "addChore", "addChores", "createChore")
      assert.is_nil(User:build({}).getTasks)
    end)

    it("take singular and plural of an alias apart", function()
      local User, Task = db:define("User", {}), db:define("Task", {})
      local association = User:hasMany(Task, { as = { singular = "task", plural = "taskz" } })
      assert.equal("taskz", association.as)
      has_methods(User, "getTaskz", "addTask", "addTaskz", "removeTaskz", "hasTaskz")
      assert.is_nil(User:build({}).getTasks)
    end)

    it("follow the name option of the target model", function()
      local User = db:define("User", {})
      local Task = db:define("Task", {}, { name = { singular = "assignment", plural = "assignments" } })
      assert.equal("assignments", User:hasMany(Task).as)
      has_methods(User, "getAssignments", "addAssignment", "addAssignments")
    end)

    it("know irregular and uncountable words", function()
      local Company, Person = db:define("Company", {}), db:define("Person", {})
      assert.equal("people", Company:hasMany(Person).as)
      assert.equal("Companies", Company.tableName)
      has_methods(Company, "getPeople", "addPerson", "addPeople")
      Person:hasMany(Person, { as = "children", inverse = { as = "parent" } })
      has_methods(Person, "getChildren", "addChild", "addChildren", "createChild")
    end)

    it("learn words through liga.inflect", function()
      liga.inflect.irregular("octopus", "octopodes")
      local Aquarium, Octopus = db:define("Aquarium", {}), db:define("Octopus", {})
      assert.equal("octopodes", Aquarium:hasMany(Octopus).as)
      has_methods(Aquarium, "getOctopodes", "addOctopus")
    end)

    describe("of keys", function()
      it("are camelCase of source and key", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        assert.equal("userId", User:hasMany(Task).foreignKey[1])
      end)

      it("use the singular of the model's name option", function()
        local Log = db:define("Log", {})
        local Book = db:define("Book", {}, { name = { singular = "Singular", plural = "Plurals" } })
        assert.equal("singularId", Log:belongsTo(Book).foreignKey[1])
      end)

      it("take the name of a model as its singular, also if it is a plural", function()
        local InternetOrders, Orders = db:define("InternetOrders", {}), db:define("Orders", {})
        assert.equal("ordersId", InternetOrders:belongsTo(Orders).foreignKey[1])
      end)

      it("end in the name of the key they refer to", function()
        local User = db:define("User", {})
        local Group = db:define("Group", { PKBTName = { type = liga.STRING(20), primaryKey = true } })
        local Owner = db:define("Owner", { uuid = { type = liga.UUID, primaryKey = true } })
        assert.equal("groupPKBTName", User:belongsTo(Group).foreignKey[1])
        assert.equal("ownerUuid", User:belongsTo(Owner).foreignKey[1])
      end)

      it("come from the alias of belongsTo", function()
        local Game, Team = db:define("Game", {}), db:define("Team", {})
        assert.equal("homeId", Game:belongsTo(Team, { as = "home" }).foreignKey[1])
        assert.equal("awayTeamId", Game:belongsTo(Team, { as = "away_team" }).foreignKey[1])
      end)

      it("do not come from the alias of hasOne and hasMany, but from that of their inverse", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        assert.equal("userId", User:hasOne(Task, { as = "Shabda" }).foreignKey[1])
        assert.equal("bossId", User:hasMany(Task, { as = "orders", inverse = { as = "boss" } }).foreignKey[1])
      end)

      it("in a junction come from the two models and their keys", function()
        local User = db:define("User", { userSecondId = { type = liga.UUID, unique = true } })
        local Group = db:define("Group", { groupSecondId = { type = liga.UUID, unique = true } })
        local groups = User:belongsToMany(Group, {
          through = "usergroups", sourceKey = "userSecondId", targetKey = "groupSecondId",
        })
        assert.equal("userUserSecondId", groups.foreignKey[1])
        assert.equal("groupGroupSecondId", groups.otherKey[1])
      end)

      it("have snake_case columns where the holder is underscored, the attribute stays camelCase", function()
        local User = db:define("User", {})
        local BlogPost = db:define("BlogPost", {}, { underscored = true })
        local posts = User:hasMany(BlogPost)
        assert.equal("userId", posts.foreignKey[1])
        assert.equal("user_id", BlogPost.attributes.userId.columnName)
      end)
    end)

    describe("whose singular and plural coincide", function()
      local Farm, Sheep, farm, dolly, molly
      before_each(function()
        Farm, Sheep = db:define("Farm", {}), db:define("Sheep", { name = liga.STRING })
        Farm:hasMany(Sheep)
        db:sync()
        farm = Farm:create {}
        dolly, molly = Sheep:create { name = "dolly" }, Sheep:create { name = "molly" }
      end)

      it("give one method for both", function()
        assert.equal("sheep", Farm.associations.sheep.as)
        assert.equal("addSheep", Farm.associations.sheep.accessors.add)
        assert.equal("addSheep", Farm.associations.sheep.accessors.addMultiple)
      end)

      it("take an instance or a key", function()
        assert.is_true(rawequal(dolly, farm:addSheep(dolly)))
        assert.is_true(farm:addSheep(molly.id))
        assert.equal(2, farm:countSheep())
        assert.is_true(farm:hasSheep(dolly))
        assert.equal(1, farm:removeSheep(dolly))
      end)

      it("take a list of instances or keys", function()
        farm:addSheep { dolly, molly }
        assert.is_true(farm:hasSheep { dolly.id, molly.id })
        assert.equal(2, farm:removeSheep { dolly.id, molly.id })
        farm:setSheep { molly.id }
        assert.same({ "molly" }, support.pluck(farm:getSheep(), "name"))
      end)

      it("create from values", function()
        assert.equal(farm.id, farm:createSheep({ name = "polly" }).farmId)
      end)

      it("take a composite key as one key, a list of such tables as a list", function()
        local Deer = db:define("Deer", {
          herd = { type = liga.INTEGER, primaryKey = true }, nr = { type = liga.INTEGER, primaryKey = true },
        })
        Farm:hasMany(Deer, { as = { singular = "deer", plural = "deer" } })
        db:sync()
        Deer:create { herd = 1, nr = 1 }
        Deer:create { herd = 1, nr = 2 }
        Deer:create { herd = 2, nr = 1 }
        assert.is_true(farm:addDeer { 1, 2 })
        assert.equal(1, farm:countDeer())
        farm:addDeer { { 1, 1 }, { 2, 1 } }
        assert.equal(3, farm:countDeer())
      end)
    end)

    describe("and your own methods", function()
      it("of the same name win, also when defined before the association", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        function User.methods.getTasks() return "mine" end
        User:hasMany(Task)
        assert.equal("mine", User:build({}):getTasks())
        has_methods(User, "countTasks")
      end)

      it("of the same name win, also when defined after the association", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        User:hasMany(Task)
        function User.methods.getTasks() return "mine" end
        assert.equal("mine", User:build({}):getTasks())
      end)

      it("may not be named like an association: UsageError", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        User:hasMany(Task)
        raises("UsageError", function()
          function User.methods.tasks() end
          db:validate()
        end, "tasks")
      end)
    end)

    describe("that collide raise AssociationError with the name", function()
      local User, Task
      before_each(function()
        User, Task = db:define("User", { chores = liga.STRING }), db:define("Task", {})
      end)

      it("for an alias that is an attribute of the source", function()
        raises("AssociationError", function() User:hasMany(Task, { as = "chores" }) end, "chores", "User")
      end)

      it("for a key named like the alias", function()
        raises("AssociationError", function() Task:belongsTo(User, { as = "owner", foreignKey = "owner" }) end, "owner")
      end)

      it("for two associations of one name, with the remedy", function()
        User:hasMany(Task)
        raises("AssociationError", function() User:hasMany(Task) end, "tasks", "User", "as")
      end)

      it("for an inverse whose name is an attribute of the target", function()
        local Note = db:define("Note", { user = liga.STRING })
        raises("AssociationError", function() User:hasMany(Note) end, "user", "Note")
      end)

      it("and declare nothing", function()
        pcall(User.hasMany, User, Task, { as = "chores" })
        assert.is_nil(User.associations.chores)
        assert.is_nil(Task.associations.user)
        assert.is_nil(Task.attributes.userId)
      end)
    end)
  end)
end
