-- Optimistic locking (contract, section 6).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a versioned model on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { version = true })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("counts the changes of a row, from 0", function()
      local ann = User:create { name = "ann" }
      assert.equal(0, ann.version)
      ann:update { name = "eva" }
      assert.equal(1, ann.version)
      assert.is_nil(ann:changed())
      ann:save()
      assert.equal(1, User:findByPk(ann.id).version)
      assert.equal(0, User:bulkCreate({ {} })[1].version)
    end)

    it("refuses to save what was changed by somebody else", function()
      local ann = User:create { name = "ann", age = 1 }
      local other = User:findByPk(ann.id)
      other:update { age = 2 }
      ann.name = "eva"
      local e = support.raises("OptimisticLockError", function() ann:save() end, "User")
      assert.equal("User", e.model)
      assert.equal("ann", User:findByPk(ann.id).name)
      ann:reload()
      ann:update { name = "eva" }
      assert.equal(2, ann.version)
    end)

    it("refuses to save and to destroy a row that is gone", function()
      local ann = User:create { name = "ann" }
      User:findByPk(ann.id):destroy()
      ann.name = "eva"
      support.raises("OptimisticLockError", function() ann:save() end)
      support.raises("OptimisticLockError", function() ann:destroy() end)
    end)

    it("refuses to destroy what was changed by somebody else", function()
      local ann = User:create { name = "ann" }
      User:findByPk(ann.id):update { name = "eva" }
      support.raises("OptimisticLockError", function() ann:destroy() end)
      ann:reload():destroy()
      assert.equal(0, User:count())
    end)

    it("notices changes of many rows, and increments", function()
      local ann = User:create { name = "ann", age = 1 }
      User:update({ age = 2 }, { all = true })
      assert.equal(1, User:findByPk(ann.id).version)
      support.raises("OptimisticLockError", function() ann:update { name = "eva" } end)
      User:increment("age", { all = true })
      ann:reload()
      assert.equal(2, ann.version)
      ann:increment "age"
      assert.equal(3, ann.version)
      ann:update { name = "eva" }
      assert.equal(4, ann.version)
    end)

    it("is counted on by upsert", function()
      local ann = User:create { name = "ann" }
      local again = User:upsert { id = ann.id, name = "eva" }
      assert.equal(1, again.version)
      support.raises("OptimisticLockError", function() ann:update { name = "pia" } end)
    end)

    it("is counted on where a row of bulkCreate is there already", function()
      local ann = User:create { name = "ann" }
      local list = { { id = ann.id, name = "eva" }, { name = "new" } }
      local rows = User:bulkCreate(list, { updateOnDuplicate = { "name" } })
      assert.same({ 1, 0 }, support.pluck(rows, "version"))
      assert.equal(1, User:findByPk(ann.id).version)
      User:bulkCreate({ { id = ann.id, name = "pia", version = 9 } }, { updateOnDuplicate = { "name", "version" } })
      assert.equal(2, User:findByPk(ann.id).version)
      support.raises("OptimisticLockError", function() ann:update { name = "x" } end)
    end)

    describe("with associations", function()
      local Team, Badge, team
      before_each(function()
        Team = db:define("Team", { name = liga.STRING })
        Badge = db:define("Badge", { kind = liga.STRING }, { version = true })
        Team:hasMany(User)
        Team:hasOne(Badge)
        User:belongsToMany(Badge, { through = "UserBadges", scope = { kind = "gold" }, as = "golden" })
        db:sync { force = true }
        team = Team:create { name = "a" }
      end)

      it("is counted on by linking and unlinking, also of the instances handed over", function()
        local ann, eva = User:create { name = "ann" }, User:create { name = "eva" }
        team:addUsers { ann, eva.id }
        team:addUsers { ann, eva }
        assert.same({ 1, 1 }, support.pluck(User:findAll { order = "id" }, "version"))
        assert.equal(1, ann.version)
        team:setUsers { ann }
        assert.same({ 1, 2 }, support.pluck(User:findAll { order = "id" }, "version"))
        team:removeUser(ann)
        assert.equal(2, ann.version)
        ann:setTeam(team)
        assert.equal(3, ann.version)
        ann:update { name = "pia" }
        assert.same({ 4, "pia" }, { User:findByPk(ann.id).version, User:findByPk(ann.id).name })
        local badge = Badge:create {}
        team:setBadge(badge)
        assert.equal(1, badge.version)
        badge:update { kind = "x" }
        team:setBadge(nil)
        assert.equal(3, Badge:findOne().version)
      end)

      it("lets a row that was linked since be saved by nobody who has not seen it", function()
        local ann = User:create { name = "ann" }
        local stale = User:findByPk(ann.id)
        team:addUser(ann)
        support.raises("OptimisticLockError", function() stale:update { name = "x" } end)
        ann:update { name = "eva" }
      end)

      it("is counted on where a scope is written into a target", function()
        local ann, badge = User:create { name = "ann" }, Badge:create {}
        ann:addGolden(badge)
        assert.same({ "gold", 1 }, { badge.kind, badge.version })
        ann:setGolden { badge }
        assert.same({ 1, 1 }, { badge.version, Badge:findOne().version })
        badge:update { kind = "silver" }
      end)

      it("is counted on where a linked target comes into the scope, by the instance too", function()
        Team:hasMany(User, { as = "leaders", scope = { name = "leader" } })
        local ann = User:create { name = "ann", teamId = team.id }
        team:addLeader(ann)
        assert.same({ 1, "leader" }, { ann.version, ann.name })
        ann:update { name = "ann" }
      end)

      it("goes by what the row holds, not by what was assigned to the instance since", function()
        local ann = User:create { name = "ann" }
        ann.teamId = team.id
        team:addUser(ann)
        assert.equal(1, ann.version)
        ann:update { name = "x" }
        assert.equal(2, User:findOne().version)
      end)

      it("of a junction's row is counted on by new values", function()
        local Link = db:define("Link", { weight = liga.INTEGER }, { version = true })
        User:belongsToMany(Team, { through = Link, as = "clubs", inverse = "members" })
        db:sync()
        local ann = User:create { name = "ann" }
        ann:addClub(team, { through = { weight = 1 } })
        ann:addClub(team, { through = { weight = 1 } })
        ann:addClub(team)
        assert.equal(0, Link:findOne().version)
        ann:addClub(team, { through = { weight = 2 } })
        assert.same({ 1, 2 }, { Link:findOne().version, Link:findOne().weight })
        ann:setClubs({ team }, { through = { weight = 3 } })
        ann:setClubs({ team }, { through = { weight = 3 } })
        assert.same({ 2, 3 }, { Link:findOne().version, Link:findOne().weight })
      end)
    end)

    it("can't check what was not selected", function()
      local ann = User:create { name = "ann" }
      local partly = User:findByPk(ann.id, { attributes = { "id", "name" } })
      User:findByPk(ann.id):update { name = "eva" }
      partly:update { name = "pia" }
      assert.equal(2, User:findByPk(ann.id).version)
    end)

    it("does not take a version that is assigned", function()
      local ann = User:create { name = "ann" }
      ann.version = 77
      ann:update { name = "eva" }
      assert.equal(1, ann.version)
      assert.equal(1, User:findByPk(ann.id).version)
      ann.version = 77
      ann:save()
      assert.equal(1, ann.version)
      assert.is_nil(ann:changed())
    end)

    it("may call the count otherwise, and be paranoid", function()
      local Post = db:define("Post", { { "title", liga.STRING }, { "edition", liga.BIGINT } },
        { version = "edition", paranoid = true })
      db:sync()
      local post = Post:create { title = "a" }
      assert.equal(0, post.edition)
      post:destroy()
      assert.equal(1, post.edition)
      post:restore()
      assert.equal(2, post.edition)
      local stale = Post:findByPk(post.id)
      post:update { title = "b" }
      support.raises("OptimisticLockError", function() stale:destroy() end)
    end)

    it("is declared with true or a name, of an integer type", function()
      support.raises("UsageError", function() db:define("A", {}, { version = 5 }) end, "version")
      support.raises("UsageError", function() db:define("A", { version = liga.STRING }, { version = true }) end,
        "version", "integer")
    end)
  end)
end
