--- Sequelize's v1 manual, chapter "Associations", with `compat = "v1"`: its examples in Lua, word for word (contract,
-- section 12).
local liga = require "liga"
local support = require "spec.support"
local pluck, sorted = support.pluck, support.sorted

for engine in support.engines() do
  describe('compat = "v1" on ' .. engine.name, function()
    local db

    before_each(function() db = engine:open { compat = "v1" } end)
    after_each(function() db:close() end)

    local function names(class)
      local list = {}
      for i, attribute in ipairs(class.attributes) do list[i] = attribute.name end
      return table.concat(list, " ")
    end

    local function has(class, name) return class.attributes[name] ~= nil end

    it("makes plurals by adding s", function()
      assert.equal("Persons", db:define("Person", {}).tableName)
      assert.equal("Categories", db:define("Category", {}).tableName)
      assert.equal("Series", db:define("Series", {}).tableName)
    end)

    describe("one-to-one", function()
      it("Project:hasOne(User) adds ProjectId to User, and getUser and setUser; nothing comes back", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:hasOne(User)
        assert.is_true(has(User, "ProjectId"))
        assert.same({}, pluck(User.associations, "as"))
        assert.is_nil(User.methods.getProject)
        db:sync()
        local project, user = Project:create {}, User:create {}
        project:setUser(user)
        assert.equal(user.id, project:getUser().id)
        assert.equal(project.id, user:reload().ProjectId)
      end)

      it("adds project_id with underscored", function()
        local User = db:define("User", {}, { underscored = true })
        local Project = db:define("Project", {}, { underscored = true })
        Project:hasOne(User)
        assert.is_true(has(User, "project_id"))
      end)

      it("the key can be named", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:hasOne(User, { foreignKey = "initiator_id" })
        assert.is_true(has(User, "initiator_id"))
        assert.is_false(has(User, "ProjectId"))
      end)

      it("as = 'Initiator' gives getInitiator and setInitiator", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:hasOne(User, { as = "Initiator" })
        assert.is_true(has(User, "ProjectId"))
        assert.is_function(Project.methods.getInitiator)
        assert.is_function(Project.methods.setInitiator)
      end)

      it("Person:hasOne(Person, {as = 'Father'}) adds FatherId, or DadId", function()
        local Person = db:define("Person", {})
        Person:hasOne(Person, { as = "Father" })
        assert.is_true(has(Person, "FatherId"))
        Person:hasOne(Person, { as = "Father", foreignKey = "DadId" })
        assert.is_true(has(Person, "DadId"))
        db:sync()
        local luke, anakin = Person:create {}, Person:create {}
        luke:setFather(anakin)
        assert.equal(anakin.id, luke:getFather().id)
      end)

      it("a table can be joined twice, chained: the later wins the name", function()
        local Team, Game = db:define("Team", {}), db:define("Game", {})
        Team
          :hasOne(Game, { foreignKey = "homeTeamId" })
          :hasOne(Game, { foreignKey = "awayTeamId" })
        Game
          :belongsTo(Team)
        assert.is_true(has(Game, "homeTeamId") and has(Game, "awayTeamId") and has(Game, "TeamId"))
        assert.equal(1, #Team.associations)
        db:sync()
        local team, game = Team:create {}, Game:create {}
        team:setGame(game)
        assert.equal(team.id, game:reload().awayTeamId)
        assert.is_nil(game.homeTeamId)
      end)

      it("associations can be chained", function()
        local Project = db:define("Project", {})
        local User, Deadline, Attachment = db:define("User", {}), db:define("Deadline", {}), db:define("Attachment", {})
        Project
          :hasOne(User)
          :hasOne(Deadline)
          :hasOne(Attachment)
        for _, Model in ipairs { User, Deadline, Attachment } do assert.is_true(has(Model, "ProjectId")) end
      end)

      it("Project:belongsTo(User) adds UserId to Project; as, and self references, work the same way", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:belongsTo(User)
        Project:belongsTo(User, { as = "Owner" })
        User:belongsTo(User, { as = "Boss" })
        assert.is_true(has(Project, "UserId") and has(Project, "OwnerId") and has(User, "BossId"))
        assert.equal(0, #User.associations - 1)
      end)
    end)

    describe("one-to-many", function()
      it("Project:hasMany(User, {as = 'Workers'}) adds ProjectId, getWorkers and setWorkers", function()
        local User, Project = db:define("User", { name = liga.STRING }), db:define("Project", {})
        Project:hasMany(User, { as = "Workers" })
        assert.is_true(has(User, "ProjectId"))
        db:sync()
        local project = Project:create {}
        project:setWorkers { User:create { name = "ann" }, User:create { name = "bob" } }
        assert.same({ "ann", "bob" }, sorted(project:getWorkers(), "name"))
      end)
    end)

    describe("many-to-many", function()
      it("hasMany in both directions takes ProjectId off User and makes ProjectsUsers", function()
        local User, Project = db:define("User", { name = liga.STRING }), db:define("Project", {})
        Project:hasMany(User, { as = "Workers" })
        assert.is_true(has(User, "ProjectId"))
        User:hasMany(Project)
        assert.is_false(has(User, "ProjectId"))
        assert.is_false(has(Project, "UserId"))
        local junction = db:model "ProjectsUsers"
        assert.equal("ProjectsUsers", junction.tableName)
        assert.is_true(has(junction, "ProjectId") and has(junction, "UserId"))
        assert.equal(2, #junction.primaryKey)
        db:sync()
        local project, user = Project:create {}, User:create { name = "ann" }
        project:setWorkers { user }
        assert.equal(project.id, user:getProjects()[1].id)
        user:setProjects {}
        assert.equal(0, #project:getWorkers())
        assert.is_nil(User.attributes.ProjectId)
      end)

      it("each direction can name its key", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:hasMany(User, { foreignKey = "pid" })
        User:hasMany(Project, { foreignKey = "uid" })
        local junction = db:model "ProjectsUsers"
        assert.is_true(has(junction, "pid") and has(junction, "uid"), names(junction))
        assert.is_false(has(User, "pid") or has(Project, "uid") or has(junction, "UserId"))
        db:sync()
        local user = User:create {}
        user:addProject(Project:create {})
        assert.equal(user.id, user:getProjects()[1]:getUsers()[1].id)
      end)

      it("the keys are project_id and user_id with underscored", function()
        local User = db:define("User", {}, { underscored = true })
        local Project = db:define("Project", {}, { underscored = true })
        User:hasMany(Project)
        Project:hasMany(User)
        local through = Project.associations.users.through
        assert.is_true(has(through, "project_id") and has(through, "user_id"))
        db:sync()
        local user = User:create {}
        user:addProject(Project:create {})
        assert.equal(1, user:countProjects())
      end)

      it("Person:hasMany(Person, {as = 'Children'}) makes ChildrenPersons", function()
        local Person = db:define("Person", { name = liga.STRING })
        Person:hasMany(Person, { as = "Children" })
        local junction = db:model "ChildrenPersons"
        assert.is_true(has(junction, "PersonId") and has(junction, "ChildrenId"), names(junction))
        db:sync()
        local homer, bart = Person:create { name = "homer" }, Person:create { name = "bart" }
        homer:setChildren { bart }
        assert.same({ "bart" }, pluck(homer:getChildren(), "name"))
        assert.equal(0, #bart:getChildren())
      end)

      it("… or a key with useJunctionTable = false", function()
        local Person = db:define("Person", { name = liga.STRING })
        Person:hasMany(Person, { as = "Children", foreignKey = "ParentId", useJunctionTable = false })
        assert.is_true(has(Person, "ParentId"))
        db:sync()
        local homer, bart = Person:create { name = "homer" }, Person:create { name = "bart" }
        homer:setChildren { bart }
        assert.equal(homer.id, bart:reload().ParentId)
      end)

      it("joinTableName names the junction", function()
        local User, Project = db:define("User", {}), db:define("Project", {})
        Project:hasMany(User, { joinTableName = "project_has_users" })
        User:hasMany(Project, { joinTableName = "project_has_users" })
        db:sync()
        local project, user = Project:create {}, User:create {}
        project:addUser(user)
        assert.equal(1, #user:getProjects())
        assert.equal(1, #db:query('SELECT * FROM "project_has_users"'))
      end)
    end)

    describe("a junction of one's own", function()
      local User, Project, UserProjects, u, project1, project2

      before_each(function()
        User = db:define("User", {})
        Project = db:define("Project", { name = liga.STRING })
        UserProjects = db:define("UserProjects", { status = liga.STRING })
        User:hasMany(Project, { joinTableModel = UserProjects })
        Project:hasMany(User, { joinTableModel = UserProjects })
        db:sync()
        u = User:create {}
        project1, project2 = Project:create { name = "one" }, Project:create { name = "two" }
      end)

      it("gains ProjectId and UserId, and loses its key", function()
        assert.is_true(has(UserProjects, "ProjectId") and has(UserProjects, "UserId"))
        assert.is_false(has(UserProjects, "id"))
        assert.equal(2, #UserProjects.primaryKey)
      end)

      local function status(name)
        for _, project in ipairs(u:getProjects()) do
          if project.name == name then return project.UserProjects.status end
        end
      end

      it("takes its values from a property, or from the second argument", function()
        project1.UserProjects = { status = "active" }
        u:addProject(project1)
        assert.equal("active", status "one")
        u:addProject(project2, { status = "new" })
        assert.equal("new", status "two")
      end)

      it("takes the second argument as defaults where both are given", function()
        project1.UserProjects = { status = "inactive" }
        u:setProjects({ project1, project2 }, { status = "active" })
        assert.equal("inactive", status "one")
        assert.equal("active", status "two")
      end)

      it("leaves what are options to be options", function()
        local seen = 0
        u:addProject(project1, { status = "active", logging = function() seen = seen + 1 end })
        assert.is_true(seen > 0)
        assert.equal("active", status "one")
        u:setProjects({ project1 }, { through = { status = "x" } })
        assert.equal("x", status "one")
        support.raises("UsageError", function() u:addProject(project1, { stauts = "x" }) end)
        support.raises("UsageError", function() u:addProject() end)
      end)

      it("comes along as an instance that can be saved", function()
        u:addProject(project1, { status = "active" })
        local project = u:getProjects()[1]
        project.UserProjects.status = "done"
        project.UserProjects:save()
        assert.equal("done", status "one")
      end)

      it("comes with some attributes only: joinTableAttributes", function()
        u:addProject(project1, { status = "active" })
        local project = u:getProjects { attributes = { "name" }, joinTableAttributes = { "status" } }[1]
        assert.equal("one", project.name)
        assert.equal("active", project.UserProjects.status)
        assert.is_nil(project.UserProjects.createdAt)
      end)
    end)

    describe("associating objects", function()
      local Project, Task, project, task1, task2

      before_each(function()
        Project, Task = db:define("Project", {}), db:define("Task", { title = liga.STRING })
        Project:hasMany(Task)
        Task:hasMany(Project)
        db:sync()
        project = Project:create {}
        task1, task2 = Task:create { title = "one" }, Task:create { title = "two" }
      end)

      it("setTasks saves, getTasks gets them, with filters as SQL too", function()
        project:setTasks { task1, task2 }
        assert.equal(2, #project:getTasks())
        local late = Task:create { title = "late", id = 11 }
        project:addTask(late)
        assert.same({ "late" }, pluck(project:getTasks { where = "id > 10" }, "title"))
        assert.same({ "late" }, pluck(Task:findAll { where = "title = 'late' OR 1 = 0" }, "title"))
        assert.equal(2, Task:count { where = { "id < 10" } })
        local found = Project:findOne { include = { { association = "tasks", where = "title = 'late'" } } }
        assert.same({ "late" }, pluck(found.tasks, "title"))
        assert.equal(3, Task:count { where = "" })
        support.raises("UsageError", function() Task:destroy { where = " " } end, "where")
        assert.equal("one", project:getTasks { attributes = { "title" }, order = { { "id", "DESC" } } }[3].title)
      end)

      it("setTasks without, removeTask and addTask", function()
        project:setTasks { task1, task2 }
        local tasks = project:setTasks { task2 }
        assert.same({ "two" }, pluck(tasks, "title"))
        assert.same({}, project:setTasks {})
        project:setTasks { task1 }
        project:removeTask(task1)
        assert.equal(0, #project:getTasks())
        project:addTask(task1)
        assert.equal(1, #project:getTasks())
        task1:setProjects(nil)
        assert.equal(0, #project:getTasks())
      end)

      it("task2:setProject(nil) is the way from the other side", function()
        project:setTasks { task1, task2 }
        task2:setProject(nil)
        assert.same({ "one" }, pluck(project:getTasks(), "title"))
        task2:setProject(project)
        assert.equal(2, #project:getTasks())
        local Owner = db:define("Owner", {})
        Task:belongsTo(Project)
        Owner:belongsTo(Project)
        db:sync { force = true }
        local task = Task:create {}
        task:setProject(Project:create {})
        assert.is_not_nil(task.ProjectId)
        assert.equal(0, #task:getProjects())
      end)

      it("for hasOne it is basically the same: Task:hasOne(User, {as = 'Author'})", function()
        local User = db:define("User", {})
        Task:hasOne(User, { as = "Author" })
        db:sync()
        local author = User:create {}
        task1:setAuthor(author)
        assert.equal(task1.id, author.TaskId)
        assert.is_true(task1:getAuthor() == author)
      end)

      it("hasTask is false before, and true when it was added", function()
        assert.is_false(project:hasTask(task1))
        project:addTask(task1)
        assert.is_true(project:hasTask(task1))
      end)

      it("hasTask and hasTasks are true of a part", function()
        project:setTasks { task1, task2 }
        assert.is_true(project:hasTask(task1))
        assert.is_true(project:hasTasks { task1 })
        assert.is_true(project:hasTasks { task1, task2 })
        assert.is_false(project:hasTasks({ task1 }, { exact = true }))
      end)
    end)

    describe("constraints", function()
      it("are made only where somebody asks for them", function()
        local User, Task, Note = db:define("User", {}), db:define("Task", {}), db:define("Note", {})
        User:hasMany(Task, { onDelete = "restrict" })
        User:hasMany(Note)
        assert.is_table(Task.attributes.UserId.references)
        assert.equal("RESTRICT", Task.attributes.UserId.onDelete)
        assert.is_nil(Note.attributes.UserId.references)
        db:sync()
        local user = User:create {}
        user:addTask(Task:create {})
        support.raises("ForeignKeyConstraintError", function() user:destroy() end)
        Note:create { UserId = 12345 }
      end)

      it("work the same for hasOne and belongsTo, for onUpdate, and for underscored models", function()
        local User, Task = db:define("User", {}), db:define("Task", {}, { underscored = true })
        local Note = db:define("Note", {}, { underscored = true })
        User:hasOne(Task, { onDelete = "cascade" })
        Note:belongsTo(User, { onUpdate = "restrict" })
        Task:hasMany(Note, { as = "Remarks", onDelete = "cascade" })
        assert.equal("CASCADE", Task.attributes.UserId.onDelete)
        assert.equal("RESTRICT", Note.attributes.user_id.onUpdate)
        assert.equal("CASCADE", Note.attributes.task_id.onDelete)
        db:sync()
        local user = User:create {}
        user:setTask(Task:create {})
        user:destroy()
        assert.equal(0, Task:count())
      end)

      it("are of no concern to dropAllTables, nor to dropTable where they are disabled or it cascades", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        User:hasMany(Task, { onDelete = "restrict" })
        User:belongsTo(Task, { as = "Current", foreignKeyConstraint = true })
        db:sync()
        User:create {}:addTask(Task:create {})
        local q = db:queryInterface()
        q:disableForeignKeyConstraints()
        q:dropTable("Users", { cascade = true })
        q:enableForeignKeyConstraints()
        assert.is_false(q:tableExists "Users")
        q:dropAllTables()
        assert.same({}, q:showAllTables())
      end)

      it("… by foreignKeyConstraint, and whoever asks: a silent declaration leaves it", function()
        local User, Task = db:define("User", {}), db:define("Task", {})
        Task:belongsTo(User)
        assert.is_nil(Task.attributes.UserId.references)
        User:hasMany(Task, { foreignKeyConstraint = true })
        assert.is_table(Task.attributes.UserId.references)
        User:hasOne(Task)
        assert.is_table(Task.attributes.UserId.references)
      end)

      it("can stand in the attributes: references and referencesKey", function()
        local Series = db:define("Series", {
          title = liga.STRING, sub_title = liga.STRING, description = liga.TEXT,
          trainer_id = { type = liga.INTEGER, references = "Trainer", referencesKey = "id" },
        })
        local Trainer = db:define("Trainer", { first_name = liga.STRING, last_name = liga.STRING })
        local Video = db:define("Video", {
          title = liga.STRING, sequence = liga.INTEGER, description = liga.TEXT,
          series_id = { type = liga.INTEGER, references = "Series", referencesKey = "id" },
        })
        Series:hasOne(Video)
        Trainer:hasMany(Series)
        db:sync()
        assert.equal("Trainers", Series.attributes.trainer_id.references.table)
        local trainer = Trainer:create { first_name = "a" }
        Series:create { trainer_id = trainer.id }
        support.raises("ForeignKeyConstraintError", function() Series:create { trainer_id = 999 } end)
        assert.is_true(has(Video, "SeriesId"))
      end)
    end)

    it("is the only mode in which a where may be SQL", function()
      local other <close> = liga.connect "sqlite::memory:"
      local User = other:define("User", {})
      other:sync()
      support.raises("UsageError", function() User:findAll { where = "1 = 1" } end, "a table expected")
      support.raises("UsageError", function() liga.connect("sqlite::memory:", { compat = "v2" }) end, "v1")
    end)
  end)
end
