-- Soft deletion: rows are marked instead of going (contract, sections 3, 4, 6 and 7).
local liga = require "liga"
local support = require "spec.support"

local Op = liga.Op

for engine in support.engines() do
  describe("a paranoid model on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { paranoid = true })
      db:sync()
      User:bulkCreate { { name = "ann", age = 1 }, { name = "eva", age = 2 }, { name = "pia", age = 3 } }
    end)
    after_each(function() db:close() end)

    local function stored() return db:query('SELECT * FROM "Users"') end
    local function by_name(name) return User:findOne { where = { name = name }, paranoid = false } end

    it("marks the row that an instance destroys, and the instance", function()
      local ann = by_name "ann"
      assert.is_true(rawequal(ann, ann:destroy()))
      assert.is_string(ann.deletedAt)
      assert.equal(ann.deletedAt, by_name("ann").deletedAt)
      assert.equal(ann.updatedAt, by_name("ann").updatedAt)
      assert.is_nil(ann:changed())
      assert.equal(3, #stored())
    end)

    it("leaves marked rows out of everything that reads", function()
      by_name("ann"):destroy()
      assert.same({ "eva", "pia" }, support.sorted(User:findAll(), "name"))
      assert.is_nil(User:findOne { where = { name = "ann" } })
      assert.is_nil(User:findByPk(1))
      assert.equal(0, #User:findByPks { 1 })
      assert.equal(2, User:count())
      assert.equal(5, User:sum "age")
      assert.equal(2, User:min "age")
      assert.is_false(User:exists { where = { name = "ann" } })
      assert.equal(2, select(2, User:findAndCountAll { limit = 1 }))
      local seen = 0
      for _ in User:each { batch = 1 } do seen = seen + 1 end
      assert.equal(2, seen)
      local either = User:findAll { where = { [Op.or_] = { { name = "ann" }, { name = "eva" } } } }
      assert.same({ "eva" }, support.pluck(either, "name"))
    end)

    it("shows them with paranoid = false", function()
      by_name("ann"):destroy()
      assert.equal(3, #User:findAll { paranoid = false })
      assert.equal(3, User:count { paranoid = false })
      assert.equal("ann", User:findByPk(1, { paranoid = false }).name)
      assert.equal(1, #User:findAll { paranoid = false, where = { deletedAt = { [Op.ne] = liga.null } } })
      assert.equal("ann", User:unscoped():findByPk(1, { paranoid = false }).name)
      support.raises("UsageError", function() User:findAll { paranoid = 1 } end, "paranoid")
    end)

    it("keeps the time of the first deletion", function()
      local ann, twin = by_name "ann", by_name "ann"
      ann:destroy()
      db:query [[UPDATE "Users" SET "deletedAt" = '2020-01-01T00:00:00.000Z' WHERE name = 'ann']]
      twin:destroy()
      assert.equal("2020-01-01T00:00:00.000Z", twin.deletedAt)
    end)

    it("reloads and saves marked instances", function()
      local ann = by_name "ann"
      ann:destroy()
      ann:update { age = 9 }
      assert.equal(9, ann:reload().age)
      assert.is_string(ann.deletedAt)
    end)

    it("marks the rows that a condition names, those that were there", function()
      by_name("ann"):destroy()
      assert.equal(2, User:destroy { all = true })
      assert.equal(0, User:destroy { all = true })
      assert.equal(0, User:count())
      assert.equal(3, #stored())
      assert.equal(1, User:destroy { where = { name = "eva" }, limit = 1, force = true })
    end)

    it("gives the marked rows back on demand", function()
      local count, rows = User:destroy { where = { age = { [Op.lt] = 3 } }, returning = true }
      assert.equal(2, count)
      assert.same({ "ann", "eva" }, support.sorted(rows, "name"))
      assert.is_string(rows[1].deletedAt)
    end)

    it("limits what it marks to rows that are there", function()
      by_name("ann"):destroy()
      assert.equal(1, User:destroy { all = true, limit = 1 })
      assert.equal(1, User:count())
    end)

    it("deletes with force = true", function()
      by_name("ann"):destroy { force = true }
      assert.equal(2, #stored())
      by_name("eva"):destroy()
      assert.equal(2, User:destroy { all = true, force = true })
      assert.equal(0, #stored())
    end)

    it("leaves marked rows out of updates and increments, unless paranoid = false", function()
      by_name("ann"):destroy()
      assert.equal(2, User:update({ age = 7 }, { all = true }))
      assert.equal(2, User:increment("age", { all = true }))
      assert.equal(3, User:update({ age = 8 }, { all = true, paranoid = false }))
      assert.equal(1, User:increment("age", { where = { name = "ann" }, paranoid = false }))
      assert.equal(9, by_name("ann").age)
    end)

    it("restores an instance", function()
      local ann = by_name "ann"
      ann:destroy()
      assert.is_true(rawequal(ann, ann:restore()))
      assert.is_nil(ann.deletedAt)
      assert.is_nil(ann:changed())
      assert.equal("ann", User:findByPk(1).name)
      ann:restore()
    end)

    it("restores the rows that a condition names", function()
      User:destroy { all = true }
      assert.equal(1, User:restore { where = { name = "ann" } })
      assert.equal(0, User:restore { where = { name = "ann" } })
      assert.equal("ann", User:findOne().name)
      support.raises("UsageError", function() User:restore {} end, "where")
      assert.equal(2, User:restore { all = true })
    end)

    it("restores only what is there", function()
      local ann = by_name "ann"
      ann:destroy { force = true }
      support.raises("InstanceError", function() ann:restore() end, "User")
      support.raises("InstanceError", function() User:build {}:restore() end, "User")
    end)

    it("runs the hooks of destroying and restoring", function()
      local ran = {}
      for _, event in ipairs { "Destroy", "Restore", "BulkDestroy", "BulkRestore" } do
        for _, moment in ipairs { "before", "after" } do
          User:addHook(moment .. event, function() ran[#ran + 1] = moment .. event end)
        end
      end
      by_name("ann"):destroy():restore()
      assert.same({ "beforeDestroy", "afterDestroy", "beforeRestore", "afterRestore" }, ran)
      for i = #ran, 1, -1 do ran[i] = nil end
      User:destroy { all = true }
      User:restore { all = true }
      assert.same({ "beforeBulkDestroy", "afterBulkDestroy", "beforeBulkRestore", "afterBulkRestore" }, ran)
      for i = #ran, 1, -1 do ran[i] = nil end
      assert.equal(3, User:destroy { all = true, individualHooks = true })
      assert.equal(3, User:restore { all = true, individualHooks = true })
      assert.equal(16, #ran)
      assert.equal(3, User:count())
    end)

    it("may call the mark otherwise", function()
      local Post = db:define("Post", {},
        { paranoid = true, deletedAt = "goneAt", timestamps = false, underscored = true })
      db:sync()
      local post = Post:create {}
      post:destroy()
      assert.is_string(post.goneAt)
      assert.equal("gone_at", Post.attributes.goneAt.columnName)
      assert.equal(0, Post:count())
      assert.equal(1, Post:count { paranoid = false })
    end)

    it("is declared with the right kinds of options", function()
      support.raises("UsageError", function() db:define("A", {}, { paranoid = 1 }) end, "paranoid")
      support.raises("UsageError", function() db:define("A", {}, { paranoid = true, deletedAt = 5 }) end, "deletedAt")
      support.raises("UsageError", function() db:define("A", {}, { paranoid = true, deletedAt = false }) end,
        "deletedAt")
      support.raises("UsageError", function()
        db:define("A", { deletedAt = liga.STRING }, { paranoid = true })
      end, "deletedAt", "DATE")
    end)

    it("is what restore needs", function()
      local Post = db:define("Post", {})
      db:sync()
      support.raises("UsageError", function() Post:create({}):restore() end, "not paranoid")
      support.raises("UsageError", function() Post:restore { all = true } end, "not paranoid")
      assert.equal(1, #Post:findAll { paranoid = false })
    end)

    describe("as a target", function()
      local Team, red
      before_each(function()
        Team = db:define("Team", {})
        Team:hasMany(User)
        Team:hasOne(User, { as = "captain", foreignKey = "captainOf", inverse = { as = "leads" } })
        db:drop()
        db:sync()
        red = Team:create {}
        for _, name in ipairs { "ann", "eva", "pia" } do red:createUser { name = name } end
        by_name("ann"):destroy()
      end)

      it("is left out of getters, counts and has", function()
        assert.same({ "eva", "pia" }, support.sorted(red:getUsers(), "name"))
        assert.equal(2, red:countUsers())
        assert.is_false(red:hasUser(by_name "ann"))
        assert.equal(3, #red:getUsers { paranoid = false })
        assert.is_true(red:hasUser(by_name "ann", { paranoid = false }))
        red:setCaptain(by_name "eva")
        by_name("eva"):destroy()
        assert.is_nil(red:getCaptain())
        assert.equal("eva", red:getCaptain({ paranoid = false }).name)
      end)

      it("is left alone where others are unlinked", function()
        red:setUsers { by_name "pia" }
        assert.equal(red.id, by_name("ann").teamId)
        assert.is_nil(by_name("eva").teamId)
      end)

      it("is marked where unlinking destroys", function()
        assert.equal(1, red:removeUser(by_name "eva", { destroy = true }))
        assert.is_string(by_name("eva").deletedAt)
        red:setUsers({}, { destroyPrevious = true })
        assert.equal(0, User:count())
        assert.equal(3, #stored())
      end)

      it("is deleted where unlinking destroys with force", function()
        support.raises("UsageError", function() red:setUsers({}, { destroyPrevious = { forced = true } }) end, "force")
        assert.equal(1, red:removeUser(by_name "eva", { destroy = { force = true } }))
        assert.equal(2, #stored())
        User:beforeBulkDestroy(function() end)
        red:setUsers({}, { destroyPrevious = { force = true } })
        assert.equal(1, #stored())
      end)
    end)

    describe("as a junction", function()
      local Post, Tag, post, Link
      before_each(function()
        Post, Tag = db:define("Post", {}), db:define("Tag", { name = liga.STRING })
        Post:belongsToMany(Tag, { through = { model = "PostTag", paranoid = true } })
        Link = db:model "PostTag"
        db:sync()
        post = Post:create {}
        post:addTags { Tag:build { name = "a" }, Tag:build { name = "b" } }
      end)

      local function tag(name) return Tag:findOne { where = { name = name } } end

      it("marks the links that are taken away, and leaves them out of reads", function()
        assert.equal(1, post:removeTag(tag "a"))
        assert.same({ "b" }, support.pluck(post:getTags(), "name"))
        assert.equal(1, post:countTags())
        assert.is_false(post:hasTag(tag "a"))
        assert.equal(2, #post:getTags { through = { paranoid = false } })
        assert.equal(2, post:countTags { through = { paranoid = false } })
        assert.is_true(post:hasTag(tag "a", { through = { paranoid = false } }))
        assert.equal(0, post:removeTag(tag "a"))
        assert.equal(2, Link:count { paranoid = false })
        support.raises("UsageError", function() post:getTags { through = { paranoid = 1 } } end, "paranoid")
      end)

      it("restores the link that is added again", function()
        post:removeTag(tag "a")
        post:addTag(tag "a")
        assert.equal(2, post:countTags())
        assert.equal(2, Link:count { paranoid = false })
        post:setTags {}
        assert.equal(0, post:countTags())
        post:setTags { tag "b" }
        assert.same({ "b" }, support.pluck(post:getTags(), "name"))
        assert.equal(2, Link:count { paranoid = false })
      end)

      it("does not touch a link that is there", function()
        local before = Link:findAll { order = { "tagId" } }
        db:query [[UPDATE "PostTag" SET "updatedAt" = '2020-01-01T00:00:00.000Z']]
        post:addTag(tag "a")
        assert.equal("2020-01-01T00:00:00.000Z", Link:findAll({ order = { "tagId" } })[1].updatedAt)
        assert.equal(2, #before)
      end)

      it("is not what the connection's define makes of every model", function()
        db:close()
        db = engine:open { define = { paranoid = true, version = true, defaultScope = { where = { name = "a" } } } }
        Post, Tag = db:define("Post", { name = liga.STRING }), db:define("Tag", { name = liga.STRING })
        Post:belongsToMany(Tag, { through = "PostTag" })
        db:sync()
        post = Post:create { name = "a" }
        post:addTag(Tag:create { name = "a" })
        assert.equal(1, post:countTags())
        assert.is_nil(db:model("PostTag").attributes.deletedAt)
        assert.is_nil(db:model("PostTag").attributes.version)
        post:setTags {}
        assert.equal(0, #db:query 'SELECT * FROM "PostTag"')
      end)

      it("is declared with a boolean", function()
        support.raises("AssociationError", function()
          Tag:belongsToMany(User, { through = { model = "X", paranoid = 1 } })
        end, "paranoid")
      end)
    end)
  end)
end
