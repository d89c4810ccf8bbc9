--- belongsToMany: the links are rows of a junction.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck, sorted = support.raises, support.pluck, support.sorted

for engine in support.engines() do
  describe("belongsToMany on " .. engine.name, function()
    local db, log, User, Project, Membership, ann, bob

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      User = db:define("User", { name = liga.STRING })
      Project = db:define("Project", { title = { type = liga.STRING, allowNull = false } })
      Membership = db:define("Membership", {
        role = { type = liga.STRING, defaultValue = "guest" },
        hours = liga.INTEGER,
      })
    end)
    after_each(function() db:close() end)

    local function declare(options)
      options = options or {}
      options.through = options.through or Membership
      local association = User:belongsToMany(Project, options)
      db:sync()
      ann, bob = User:create { name = "ann" }, User:create { name = "bob" }
      return association
    end

    --- Stored projects of these titles, each a result of its own.
    local function projects(...)
      local list = {}
      for i, title in ipairs { ... } do list[i] = Project:create { title = title } end
      return table.unpack(list)
    end

    local function titles(user)
      return sorted(user:getProjects(), "title")
    end

    --- The stored junction row of a pair.
    local function link(user, project)
      return Membership:findOne { where = { userId = user.id, projectId = project.id } }
    end

    describe("getProjects", function()
      before_each(function() declare() end)

      it("returns the list of linked rows", function()
        local a, b = projects("a", "b", "c")
        ann:addProjects { a, b }
        assert.same({ "a", "b" }, titles(ann))
        assert.equal(0, #bob:getProjects())
      end)

      it("works from the other side too", function()
        local a = projects "a"
        ann:addProject(a)
        bob:addProject(a)
        assert.same({ "ann", "bob" }, sorted(a:getUsers(), "name"))
      end)

      it("takes where, order, limit, offset and attributes", function()
        ann:setProjects { projects("a", "b", "c", "d") }
        assert.same({ "b" }, pluck(ann:getProjects { where = { title = "b" } }, "title"))
        assert.same({ "c", "b" },
          pluck(ann:getProjects { order = { { "title", "DESC" } }, limit = 2, offset = 1 }, "title"))
        assert.is_nil(ann:getProjects({ attributes = { "title" } })[1].createdAt)
      end)

      it("raises InstanceError on an unsaved source", function()
        raises("InstanceError", function() User:build({ name = "x" }):getProjects() end)
      end)
    end)

    describe("the junction row of a target that was read", function()
      local a
      before_each(function()
        declare()
        a = projects "a"
        ann:addProject(a, { through = { role = "lead", hours = 5 } })
      end)

      it("is at the junction model's name", function()
        local project = ann:getProjects()[1]
        assert.equal("lead", project.Membership.role)
        assert.equal(5, project.Membership.hours)
        assert.equal(ann.id, project.Membership.userId)
        assert.equal(a.id, project.Membership.projectId)
      end)

      it("is a full instance of the junction model", function()
        local membership = ann:getProjects()[1].Membership
        assert.is_true(liga.modelOf(membership) == Membership)
        assert.is_false(membership:isNew())
        assert.is_true(membership == link(ann, a))
      end)

      it("can be saved", function()
        local membership = ann:getProjects()[1].Membership
        membership.role = "owner"
        membership:save()
        assert.equal("owner", link(ann, a).role)
      end)

      it("can be updated", function()
        ann:getProjects()[1].Membership:update { hours = 6 }
        assert.equal(6, link(ann, a).hours)
        assert.equal("lead", link(ann, a).role)
      end)

      it("can be destroyed, which unlinks", function()
        ann:getProjects()[1].Membership:destroy()
        assert.is_false(ann:hasProject(a))
        assert.equal(1, Project:count())
      end)

      it("belongs to the link: two sources read two rows", function()
        bob:addProject(a, { through = { role = "tester" } })
        assert.equal("lead", ann:getProjects()[1].Membership.role)
        assert.equal("tester", bob:getProjects()[1].Membership.role)
      end)

      it("is renamed by through.as", function()
        local project = ann:getProjects({ through = { as = "seat" } })[1]
        assert.equal("lead", project.seat.role)
        assert.is_nil(project.Membership)
      end)

      it("takes the name of nothing else that is on the target", function()
        for _, options in ipairs {
          { through = { as = "title" } }, { through = { as = "x" }, attributes = { "id", { liga.literal("1"), "x" } } },
          { through = { as = "users" }, include = "users" },
          { attributes = { "id", { liga.literal("1"), "Membership" } } },
        } do
          support.raises("UsageError", function() ann:getProjects(options) end, "through.as", "taken")
          options.association = "projects"
          support.raises("EagerLoadingError", function() User:findAll { include = options } end,
            "include.projects.through.as")
        end
        support.raises("UsageError", function() ann:getProjects { through = { as = "" } } end, "through.as", "name")
      end)

      it("holds the attributes that through.attributes names", function()
        local membership = ann:getProjects({ through = { attributes = { "role" } } })[1].Membership
        assert.equal("lead", membership.role)
        assert.is_nil(membership.hours)
      end)

      it("holds the attributes that joinTableAttributes names", function()
        local membership = ann:getProjects({ joinTableAttributes = { "hours" } })[1].Membership
        assert.equal(5, membership.hours)
        assert.is_nil(membership.role)
      end)

      it("is left out by an empty joinTableAttributes", function()
        assert.is_nil(ann:getProjects({ joinTableAttributes = {} })[1].Membership)
      end)
    end)

    describe("through.where", function()
      local a, b
      before_each(function()
        declare()
        a, b = projects("a", "b")
        ann:addProject(a, { through = { role = "lead" } })
        ann:addProject(b, { through = { role = "tester" } })
      end)

      it("filters what is read by junction attributes", function()
        assert.same({ "a" }, pluck(ann:getProjects { through = { where = { role = "lead" } } }, "title"))
      end)

      it("filters counts", function()
        assert.equal(1, ann:countProjects { through = { where = { role = "tester" } } })
      end)

      it("filters has", function()
        assert.is_true(ann:hasProject(a, { through = { where = { role = "lead" } } }))
        assert.is_false(ann:hasProject(b, { through = { where = { role = "lead" } } }))
      end)

      it("is joined to the where on the target", function()
        assert.equal(0, #ann:getProjects { where = { title = "b" }, through = { where = { role = "lead" } } })
      end)

      it("raises UsageError for an attribute that the junction lacks", function()
        raises("UsageError", function() ann:getProjects { through = { where = { rolle = "lead" } } } end,
          "rolle", "role")
      end)

      it("has no unknown neighbours", function()
        raises("UsageError", function() ann:getProjects { through = { wher = {} } } end, "through.wher", "where")
      end)

      it("raises UsageError for a path: it speaks of the junction's own attributes", function()
        raises("UsageError", function() ann:getProjects { through = { where = { ["member.name"] = "x" } } } end,
          "through.where", "member.name")
      end)
    end)

    describe("countProjects", function()
      it("returns how many are linked, with where if given", function()
        declare()
        assert.equal(0, ann:countProjects())
        ann:setProjects { projects("a", "b") }
        assert.equal(2, ann:countProjects())
        assert.equal("integer", math.type(ann:countProjects()))
        assert.equal(1, ann:countProjects { where = { title = "a" } })
        raises("InstanceError", function() User:build({ name = "x" }):countProjects() end)
      end)
    end)

    describe("hasProject and hasProjects", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = projects("a", "b", "c")
        ann:setProjects { a, b }
      end)

      it("tell whether one is linked, by instance or by key", function()
        assert.is_true(ann:hasProject(a))
        assert.is_true(ann:hasProject(b.id))
        assert.is_false(ann:hasProject(c))
        assert.is_false(bob:hasProject(a.id))
      end)

      it("tell whether all of a mixed list are linked: a test for a subset", function()
        assert.is_true(ann:hasProjects { a })
        assert.is_true(ann:hasProjects { a, b.id, a.id })
        assert.is_false(ann:hasProjects { a, c })
        assert.is_true(ann:hasProjects {})
      end)

      it("compare the whole set with exact = true", function()
        assert.is_false(ann:hasProjects({ a }, { exact = true }))
        assert.is_true(ann:hasProjects({ b, a.id, a }, { exact = true }))
        assert.is_false(ann:hasProjects({ a, b, c }, { exact = true }))
        assert.is_false(ann:hasProjects({}, { exact = true }))
        assert.is_true(bob:hasProjects({}, { exact = true }))
      end)

      it("raise UsageError for nil, InstanceError on an unsaved source", function()
        raises("UsageError", function() ann:hasProject(nil) end, "hasProject")
        raises("UsageError", function() ann:hasProjects(nil) end, "hasProjects")
        raises("InstanceError", function() User:build({ name = "x" }):hasProject(a) end)
      end)
    end)

    describe("addProject and addProjects", function()
      before_each(function() declare() end)

      it("link an instance and return it", function()
        local a = projects "a"
        assert.is_true(rawequal(a, ann:addProject(a)))
        assert.same({ "a" }, titles(ann))
      end)

      it("take a primary key and return true", function()
        local a = projects "a"
        assert.is_true(ann:addProject(a.id))
        assert.same({ "a" }, titles(ann))
      end)

      it("link a mixed list and return it", function()
        local a, b = projects("a", "b")
        local list = { a, b.id }
        assert.same(list, ann:addProjects(list))
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("leave the links that exist, those of others too", function()
        local a, b = projects("a", "b")
        ann:addProject(a)
        bob:addProject(a)
        ann:addProject(b)
        assert.same({ "a", "b" }, titles(ann))
        assert.same({ "a" }, titles(bob))
      end)

      it("count duplicates once and do nothing for an empty list", function()
        local a = projects "a"
        assert.equal(0, #ann:addProjects {})
        ann:addProjects { a, a, a.id }
        assert.equal(1, Membership:count())
      end)

      it("take one instance in place of a list, one key only in a list", function()
        local a, b = projects("a", "b")
        ann:addProjects(a)
        raises("UsageError", function() ann:addProjects(b.id) end, "addProjects")
        ann:addProjects { b.id }
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("save unsaved targets first", function()
        local a = projects "a"
        local x, y = Project:build { title = "x" }, Project:build { title = "y" }
        ann:addProjects { x, a }
        assert.is_true(rawequal(y, ann:addProject(y)))
        assert.is_false(x:isNew())
        assert.same({ "a", "x", "y" }, titles(ann))
      end)

      it("raise InstanceError for a key without a row and link nothing", function()
        local a = projects "a"
        raises("InstanceError", function() ann:addProject(4711) end, "Project")
        raises("InstanceError", function() ann:addProjects { a, 4711 } end, "Project")
        assert.equal(0, Membership:count())
      end)

      it("raise UsageError for nil, a foreign instance and a list with holes", function()
        local a, b = projects("a", "b")
        raises("UsageError", function() ann:addProject(nil) end, "addProject")
        raises("UsageError", function() ann:addProject() end, "addProject")
        raises("UsageError", function() ann:addProjects(nil) end, "addProjects")
        raises("UsageError", function() ann:addProject(bob) end, "Project")
        raises("UsageError", function() ann:addProjects { [1] = a, [3] = b } end)
        assert.equal(0, Membership:count())
      end)

      it("raise InstanceError on an unsaved source", function()
        local a = projects "a"
        raises("InstanceError", function() User:build({ name = "x" }):addProject(a) end)
        assert.equal(0, Membership:count())
      end)
    end)

    describe("values of the junction row", function()
      local a, b
      before_each(function()
        declare()
        a, b = projects("a", "b")
      end)

      it("are its defaults if none are given", function()
        ann:addProject(a)
        assert.equal("guest", link(ann, a).role)
      end)

      it("may be given as through = {...}, for every element of a list", function()
        ann:addProjects({ a, b }, { through = { role = "lead", hours = 3 } })
        assert.same({ "lead", "lead" }, pluck(Membership:findAll(), "role"))
        assert.equal(3, link(ann, b).hours)
      end)

      it("may stand on the target under the junction model's name", function()
        a.Membership = { role = "lead" }
        ann:addProject(a)
        assert.equal("lead", link(ann, a).role)
      end)

      it("on the target are a table", function()
        a.Membership = 5
        support.raises("UsageError", function() ann:addProject(a) end, "Membership", "number")
        support.raises("UsageError", function()
          User:create({ projects = { { title = "x", Membership = "lead" } } }, { include = "projects" })
        end, "Membership")
        Membership:addHook("beforeBulkCreate", function() end)
        support.raises("UsageError", function() ann:setProjects { a } end, "Membership", "number")
        assert.equal(0, Membership:count())
        a.Membership = nil
        ann:addProject(a)
      end)

      it("on the target win over those of the call", function()
        a.Membership = { role = "lead" }
        ann:setProjects({ a, b }, { through = { role = "tester", hours = 2 } })
        assert.equal("lead", link(ann, a).role)
        assert.equal("tester", link(ann, b).role)
      end)

      it("are not taken from an unchanged junction row that was read before", function()
        ann:addProject(a, { through = { role = "lead" } })
        local read = ann:getProjects()[1]
        bob:addProject(read, { through = { role = "tester" } })
        assert.equal("tester", link(bob, a).role)
        assert.equal("lead", link(ann, a).role)
      end)

      it("never say which rows are linked", function()
        ann:addProject(a, { through = { userId = bob.id, projectId = b.id, role = "lead" } })
        assert.same({ "a" }, titles(ann))
        assert.equal(0, bob:countProjects())
        assert.equal("lead", link(ann, a).role)
      end)

      it("raise UsageError if the junction has no such attribute", function()
        raises("UsageError", function() ann:addProject(a, { through = { rolle = "lead" } }) end, "rolle", "role")
        assert.equal(0, Membership:count())
      end)

      it("raise ValidationError if they do not fit the type", function()
        raises("ValidationError", function() ann:addProject(a, { through = { hours = "many" } }) end, "hours")
        assert.equal(0, Membership:count())
      end)
    end)

    describe("adding a link once more", function()
      local a, b
      before_each(function()
        declare()
        a, b = projects("a", "b")
        ann:addProject(a, { through = { role = "lead", hours = 5 } })
      end)

      it("changes nothing without values", function()
        ann:addProject(a)
        ann:addProjects { a, b }
        assert.equal("lead", link(ann, a).role)
        assert.equal(5, link(ann, a).hours)
        assert.equal(2, Membership:count())
      end)

      it("with values updates exactly those", function()
        ann:addProject(a, { through = { role = "owner" } })
        assert.equal("owner", link(ann, a).role)
        assert.equal(5, link(ann, a).hours)
        assert.equal(1, Membership:count())
      end)

      it("with values on the target updates exactly those", function()
        a.Membership = { hours = 8 }
        ann:addProject(a)
        assert.equal("lead", link(ann, a).role)
        assert.equal(8, link(ann, a).hours)
      end)

      it("clears a value with liga.null", function()
        ann:addProject(a, { through = { hours = liga.null } })
        assert.is_nil(link(ann, a).hours)
        assert.equal("lead", link(ann, a).role)
      end)

      it("is harmless also under concurrency: the insert says ON CONFLICT", function()
        log:clear()
        ann:addProject(b)
        local insert = table.concat(log:statements "query", "\n"):upper()
        assert.is_truthy(insert:find("ON CONFLICT", 1, true), insert)
      end)
    end)

    describe("removeProject and removeProjects", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = projects("a", "b", "c")
        ann:setProjects { a, b }
        bob:addProject(a)
      end)

      it("unlink and return how many links are gone", function()
        assert.equal(1, ann:removeProject(a))
        assert.equal(0, ann:removeProject(a))
        assert.equal(1, ann:removeProjects { a, b.id, b, c })
        assert.equal(0, ann:countProjects())
        assert.equal(3, Project:count())
      end)

      it("leave the links of others alone", function()
        ann:removeProject(a.id)
        assert.same({ "a" }, titles(bob))
      end)

      it("do nothing for an empty list", function()
        assert.equal(0, ann:removeProjects {})
        assert.equal(2, ann:countProjects())
      end)

      it("raise InstanceError for a key without a row and change nothing", function()
        raises("InstanceError", function() ann:removeProjects { a, 4711 } end, "Project")
        assert.equal(2, ann:countProjects())
      end)

      it("raise UsageError for nil, InstanceError on an unsaved source", function()
        raises("UsageError", function() ann:removeProject(nil) end, "removeProject")
        raises("UsageError", function() ann:removeProjects(nil) end, "removeProjects")
        raises("InstanceError", function() User:build({ name = "x" }):removeProject(a) end)
        assert.equal(2, ann:countProjects())
      end)
    end)

    describe("setProjects", function()
      local a, b, c
      before_each(function()
        declare()
        a, b, c = projects("a", "b", "c")
        ann:addProjects({ a, b }, { through = { role = "lead" } })
        bob:addProject(a)
      end)

      it("links exactly the list and returns it", function()
        local list = { b, c.id }
        assert.same(list, ann:setProjects(list))
        assert.same({ "b", "c" }, titles(ann))
        assert.same({ "a" }, titles(bob))
      end)

      it("keeps the junction rows of the links that stay", function()
        ann:setProjects { b, c }
        assert.equal("lead", link(ann, b).role)
        assert.equal("guest", link(ann, c).role)
      end)

      it("updates the junction rows that stay if values are given", function()
        ann:setProjects({ b, c }, { through = { hours = 1 } })
        assert.equal(1, link(ann, b).hours)
        assert.equal("lead", link(ann, b).role)
        assert.equal(1, link(ann, c).hours)
      end)

      it("clears with an empty list or nil and returns an empty list", function()
        assert.equal(0, #ann:setProjects {})
        assert.equal(0, ann:countProjects())
        ann:addProject(a)
        local result = ann:setProjects(nil)
        assert.is_table(result)
        assert.equal(0, #result)
        assert.equal(0, ann:countProjects())
        assert.equal(3, Project:count())
      end)

      it("counts duplicates once", function()
        ann:setProjects { c, c.id, c }
        assert.same({ "c" }, titles(ann))
      end)

      it("takes one instance in place of a list", function()
        ann:setProjects(c)
        assert.same({ "c" }, titles(ann))
      end)

      it("saves the unsaved among the targets", function()
        ann:setProjects { a, Project:build { title = "new" } }
        assert.same({ "a", "new" }, titles(ann))
      end)

      it("raises UsageError without any argument, InstanceError for a key without a row", function()
        raises("UsageError", function() ann:setProjects() end, "setProjects")
        raises("InstanceError", function() ann:setProjects { c, 4711 } end, "Project")
        assert.same({ "a", "b" }, titles(ann))
      end)

      it("raises InstanceError on an unsaved source", function()
        raises("InstanceError", function() User:build({ name = "x" }):setProjects {} end)
        assert.equal(3, Membership:count())
      end)
    end)

    describe("createProject", function()
      before_each(function() declare() end)

      it("makes a linked row and returns it", function()
        local project = ann:createProject { title = "a" }
        assert.is_false(project:isNew())
        assert.same({ "a" }, titles(ann))
      end)

      it("takes values of the junction row", function()
        local project = ann:createProject({ title = "a" }, { through = { role = "lead" } })
        assert.equal("lead", link(ann, project).role)
      end)

      it("leaves the values table as it was", function()
        local values = { title = "a" }
        ann:createProject(values)
        assert.same({ title = "a" }, values)
      end)

      it("makes nothing if the junction's values are not valid", function()
        raises("ValidationError", function()
          ann:createProject({ title = "a" }, { through = { hours = "many" } })
        end, "hours")
        assert.equal(0, Project:count())
        assert.equal(0, Membership:count())
      end)

      it("raises InstanceError on an unsaved source and makes nothing", function()
        raises("InstanceError", function() User:build({ name = "x" }):createProject { title = "a" } end)
        assert.equal(0, Project:count())
      end)
    end)

    describe("with sourceKey and targetKey", function()
      local a
      before_each(function()
        User = db:define("Member", { nick = { type = liga.STRING(9), unique = true } })
        Project = db:define("Plan", { code = { type = liga.STRING(9), unique = true } })
        User:belongsToMany(Project, { through = "MemberPlan", sourceKey = "nick", targetKey = "code" })
        db:sync()
        ann = User:create { nick = "ann" }
        a = Project:create { code = "a" }
        Project:create { code = "b" }
      end)

      it("the junction refers to those attributes", function()
        ann:addPlan(a)
        local row = db:model("MemberPlan"):findOne()
        assert.equal("ann", row.memberNick)
        assert.equal("a", row.planCode)
        assert.same({ "a" }, pluck(ann:getPlans(), "code"))
        assert.same({ "ann" }, pluck(a:getMembers(), "nick"))
      end)

      it("raw keys are primary keys and are translated", function()
        assert.is_true(ann:addPlan(a.id))
        assert.equal("a", db:model("MemberPlan"):findOne().planCode)
        assert.is_true(ann:hasPlan(a.id))
        assert.equal(1, ann:removePlan(a.id))
        ann:setPlans { a.id, a }
        assert.equal(1, ann:countPlans())
        raises("InstanceError", function() ann:addPlan(4711) end)
      end)

      it("a target without a value there can't be linked", function()
        local without = Project:create {}
        ann:addPlan(a)
        for _, plan in ipairs { without, without.id } do
          raises("InstanceError", function() ann:setPlans { plan } end, "Plan", "code")
        end
        raises("InstanceError", function() ann:createPlan {} end, "Plan", "code")
        assert.same({ 0, 0 }, { ann:removePlan(without.id), ann:removePlan(without) })
        assert.same({ false, false }, { ann:hasPlan(without.id), ann:hasPlan(without) })
        assert.equal(1, ann:countPlans())
        assert.equal(3, Project:count())
      end)

      it("targets without a primary key are told apart by targetKey", function()
        local Badge = db:define("Badge", { word = { type = liga.STRING(8), unique = true } }, { primaryKey = false })
        User:belongsToMany(Badge, { through = "MemberBadge", sourceKey = "nick", targetKey = "word" })
        db:sync()
        local gold, blue = Badge:create { word = "gold" }, Badge:create { word = "blue" }
        ann:setBadges { gold, blue, gold }
        assert.equal(2, ann:countBadges())
        assert.is_true(ann:hasBadges({ blue, gold }, { exact = true }))
        assert.equal(1, ann:removeBadge(gold))
        assert.same({ "blue" }, pluck(ann:getBadges(), "word"))
      end)
    end)

    describe("with where and order", function()
      local a, b, c
      before_each(function()
        declare()
        User:belongsToMany(Project, {
          through = Membership, as = "earlyProjects", inverse = { as = "earlyUsers" },
          foreignKey = "userId", otherKey = "projectId",
          where = { title = { [liga.Op.lt] = "c" } }, order = "-title",
        })
        a, b, c = projects("a", "b", "c")
        ann:addProjects { a, b, c }
      end)

      it("filters and orders what is read", function()
        assert.same({ "b", "a" }, pluck(ann:getEarlyProjects(), "title"))
        assert.same({ "a", "b" }, pluck(ann:getEarlyProjects { order = { "title" } }, "title"))
        assert.equal(2, ann:countEarlyProjects())
        assert.is_false(ann:hasEarlyProject(c))
      end)

      it("removes and sets only within the where", function()
        assert.equal(1, ann:removeEarlyProjects { a, c })
        assert.same({ "b", "c" }, titles(ann))
        ann:setEarlyProjects { a }
        assert.same({ "a", "c" }, titles(ann))
      end)
    end)

    describe("with a standing order by the junction", function()
      --- ann's projects b, a, c by hours, and d, of which they are not known.
      local function fill(order, inverse)
        declare { order = order, inverse = inverse }
        for i, project in ipairs { projects("a", "b", "c", "d") } do
          ann:addProject(project, { through = { hours = ({ 2, 3, 1 })[i] } })
        end
      end

      local function included(include)
        local user = User:findOne { order = "id", include = { projects = include } }
        return table.concat(pluck(user.projects, "title"), " ")
      end

      for name, order in pairs {
        ["a path"] = { "-Membership.hours" }, ["a list of names"] = { { "Membership", "hours", "DESC" } },
      } do
        it("reads in it what getters give and what is included, by " .. name, function()
          fill(order)
          assert.same({ "d", "b", "a", "c" }, pluck(ann:getProjects(), "title"))
          assert.same({ "b", "a" }, pluck(ann:getProjects { limit = 2, offset = 1 }, "title"))
          assert.same({ "a", "b", "c", "d" }, pluck(ann:getProjects { order = "title" }, "title"))
          for _, strategy in ipairs { "join", "select" } do
            assert.equal("d b a c", included { strategy = strategy })
            assert.equal("d b", included { strategy = strategy, limit = 2 })
            assert.equal("a b c d", included { strategy = strategy, order = "title" })
          end
          assert.same({ "d", "b", "a", "c" }, pluck(ann:load("projects"), "title"))
          assert.same({ "d", "b", "a", "c" }, pluck(ann:getProjects { batch = true }, "title"))
        end)
      end

      it("takes the junction's model, mixed with the target's attributes; the inverse has one of its own", function()
        fill({ { Membership, "role" }, "-title" },
          { as = "members", order = { { Membership, "hours", "DESC NULLS LAST" } } })
        assert.same({ "d", "c", "b", "a" }, pluck(ann:getProjects(), "title"))
        local a = Project:findOne { where = { title = "a" } }
        bob:addProject(a, { through = { hours = 9 } })
        assert.same({ "bob", "ann" }, pluck(a:getMembers(), "name"))
      end)

      it("names the nearest where there is none, and goes no further", function()
        local function refuse(order, ...)
          local options = { through = Membership, order = order }
          raises("UsageError", function() User:belongsToMany(Project, options) end, "order", ...)
        end
        refuse({ { Membership, "huors" } }, "hours")
        refuse({ "Membershp.hours" }, "Membership")
        refuse({ { "Membership", "user", "name" } }, "junction")
        refuse({ { "users", "name" } }, "Membership")
        raises("UsageError", function() User:hasMany(Project, { order = "owner.name" }) end, "order",
          "attributes of Project,")
      end)
    end)

    describe("sends as many statements for many elements as for few", function()
      before_each(function() declare() end)

      local function stored(n)
        local values = {}
        for i = 1, n do values[i] = { title = "p" .. i } end
        return Project:bulkCreate(values)
      end

      local function with(method, list, options)
        log:clear()
        ann[method](ann, list, options)
        return #log:statements "query"
      end

      it("in addProjects", function()
        assert.equal(with("addProjects", stored(2)), with("addProjects", stored(40)))
      end)

      it("in addProjects of keys", function()
        local few, many = pluck(stored(2), "id"), pluck(stored(40), "id")
        assert.equal(with("addProjects", few), with("addProjects", many))
      end)

      it("in removeProjects", function()
        local few, many = stored(2), stored(40)
        ann:addProjects(few)
        ann:addProjects(many)
        assert.equal(with("removeProjects", few), with("removeProjects", many))
      end)

      it("in setProjects: one read, one removal, one insert at most", function()
        local few, many = stored(2), stored(40)
        ann:addProject(stored(1)[1])
        local count = with("setProjects", few)
        assert.is_true(count <= 3, "setProjects sent " .. count .. " statements")
        assert.equal(count, with("setProjects", many))
      end)

      it("with one update per distinct set of changed junction values at most", function()
        local list = stored(20)
        ann:addProjects(list)
        for i, project in ipairs(list) do project.Membership = { role = i % 2 == 0 and "even" or "odd" } end
        log:clear()
        ann:addProjects(list)
        local updates = 0
        for _, sql in ipairs(log:statements "query") do
          if sql:upper():find "^%s*UPDATE" then updates = updates + 1 end
        end
        assert.is_true(updates <= 2, updates .. " updates were sent")
        assert.equal(10, Membership:count { where = { role = "even" } })
        assert.equal(10, Membership:count { where = { role = "odd" } })
      end)

      it("with one insert per thousand rows at most", function()
        local list = stored(1500)
        log:clear()
        ann:addProjects(list)
        local inserts = 0
        for _, sql in ipairs(log:statements "query") do
          if sql:upper():find "^%s*INSERT" then inserts = inserts + 1 end
        end
        assert.is_true(inserts <= 2, inserts .. " inserts were sent")
        assert.equal(1500, ann:countProjects())
      end)
    end)
  end)
end
