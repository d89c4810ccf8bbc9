-- hasMany and hasOne through a path of associations (contract, section 4).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("a path of associations on " .. engine.name, function()
    local db, log, User, Post, Comment, Tag
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Comment, Tag = models.User, models.Post, models.Comment, models.Tag
    end)
    after_each(function() db:close() end)

    local function names(list, attribute) return table.concat(support.sorted(list, attribute or "name"), " ") end

    it("reads each target once", function()
      User:hasMany(Tag, { through = "posts.tags" })
      local ann, bob = User:findByPk(1), User:findByPk(2)
      assert.equal("lua sql", names(ann:getTags()))
      assert.same({}, bob:getTags())
      assert.equal(2, ann:countTags())
      assert.is_true(ann:hasTag(1))
      assert.is_false(ann:hasTag(3))
      assert.is_true(ann:hasTags({ 1, 2 }, { exact = true }))
      assert.equal("sql", names(ann:getTags{ where = { name = "sql" } }))
      assert.equal("sql", ann:getTags{ order = "-name", limit = 1 }[1].name)
    end)

    it("is included, with conditions, order and limits of each parent", function()
      User:hasMany(Tag, { through = "posts.tags" })
      local users = User:findAll{ include = "tags", order = "id" }
      assert.equal("lua sql", names(users[1].tags))
      assert.same({}, users[2].tags)
      users = User:findAll{ include = { tags = { order = "-name", limit = 1 } }, order = "id" }
      assert.equal("sql", users[1].tags[1].name)
      assert.equal(1, #users[1].tags)
      assert.equal(1, #User:findAll{ include = { tags = { where = { name = "sql" } } } })
      local posts = Post:findAll{ include = { author = { include = "tags" } }, order = "id" }
      assert.equal("lua sql", names(posts[1].author.tags))
    end)

    it("is cut for each parent by the database: what is cut off does not travel, what is reached twice counts once",
      function()
      User:hasMany(Tag, { through = "posts.tags" })
      User:hasMany(Comment, { as = "replies", through = "posts.comments" })
      log:clear()
      local users = User:findAll{ order = "id", include = { tags = { order = "name", limit = 2 },
        replies = { order = { { "writer", "name" }, "-likes" }, limit = 1, offset = 1, include = "writer" } } }
      assert.equal("lua sql", names(users[1].tags))
      assert.equal("c3", users[1].replies[1].text)
      assert.equal("bob", users[1].replies[1].writer.name)
      assert.same({}, users[2].replies)
      local rows = 0
      for _, entry in ipairs(log) do rows = rows + (entry.info.kind == "query" and entry.info.rows or 0) end
      assert.equal(4 + 2 + 1, rows)
    end)

    it("shares targets among parents within one include", function()
      Tag:hasMany(User, { as = "users", through = "posts.author" })
      local tags = Tag:findAll{ include = "users", order = "id" }
      assert.equal("ann", names(tags[1].users))
      assert.is_true(rawequal(tags[1].users[1], tags[2].users[1]))
      assert.same({}, tags[3].users)
    end)

    it("filters, orders and counts", function()
      User:hasMany(Comment, { as = "replies", through = "posts.comments" })
      assert.equal(1, User:count{ where = { ["replies.likes"] = 7 } })
      assert.equal("ann", User:findOne{ where = { [Op.some("replies")] = { text = "c3" } } }.name)
      assert.equal(2, User:count{ where = { [Op.none("replies")] = {} } })
      assert.equal("cat dan", names(User:findAll{ where = { ["replies.id"] = liga.null } }))
      assert.equal("ann", User:findAll{ order = { { "replies", "text" } } }[1].name)
    end)

    it("goes over steps of any kind and any number", function()
      User:hasMany(User, { as = "critics", through = "posts.comments.writer" })
      Comment:hasMany(Tag, { as = "topics", through = "post.tags" })
      User:hasMany(Tag, { as = "topics", through = "critics.posts.tags" })
      assert.equal("ann bob", names(User:findByPk(1):getCritics()))
      assert.equal("lua sql", names(Comment:findByPk(1):getTopics()))
      assert.equal("lua sql", names(User:findByPk(1):getTopics()))
      assert.equal("lua sql", names(User:findByPk(1, { include = "topics" }).topics))
    end)

    it("begins at a key that may be NULL", function()
      User:hasMany(User, { as = "colleagues", through = "boss.staff" })
      local dan = User:findByPk(4)
      assert.same({}, dan:getColleagues())
      assert.equal(0, dan:countColleagues())
      assert.is_false(dan:hasColleague(3))
      assert.equal("cat", names(User:findByPk(3):getColleagues()))
      assert.same({ 0, 0, 1, 0 }, (function()
        local list = {}
        for i, user in ipairs(User:findAll{ include = "colleagues", order = "id" }) do list[i] = #user.colleagues end
        return list
      end)())
    end)

    it("of hasOne gives the first in its order", function()
      User:hasOne(Comment, { as = "top", through = "posts.comments", order = { { "likes", "DESC NULLS LAST" } } })
      assert.equal("c3", User:findByPk(1):getTop().text)
      local users = User:findAll{ include = "top", order = "id" }
      assert.equal("c3", users[1].top.text)
      assert.equal("c4", users[2].top.text)
      assert.is_nil(users[3].top)
    end)

    it("respects what its steps filter, and its own where", function()
      User:hasMany(Post, { as = "hits", foreignKey = "authorId", where = { score = { [Op.gt] = 6 } },
        inverse = { as = "author" } })
      User:hasMany(Tag, { as = "hitTags", through = "hits.tags" })
      User:hasMany(Tag, { as = "sqlTags", through = "posts.tags", where = { name = "sql" } })
      local ann = User:findByPk(1, { include = { "hitTags", "sqlTags" } })
      assert.equal("lua", names(ann.hitTags))
      assert.equal("sql", names(ann.sqlTags))
      assert.equal("lua", names(ann:getHitTags()))
    end)

    it("resolves when it is used first", function()
      local Team = db:define("Team", { name = liga.STRING }, { timestamps = false })
      Team:hasMany("Skill", { through = "members.skills" })
      support.raises("AssociationError", function() Team:findAll() end, "Skill")
      local Member = db:define("Member", { name = liga.STRING }, { timestamps = false })
      local Skill = db:define("Skill", { name = liga.STRING }, { timestamps = false })
      support.raises("AssociationError", function() Team:findAll() end, "members")
      Team:hasMany(Member)
      Member:hasMany(Skill)
      db:sync()
      local team = Team:create{ name = "a" }
      team:createMember{ name = "m" }:createSkill{ name = "s" }
      assert.equal("s", team:getSkills()[1].name)
      assert.equal("Team.skills: hasMany Skill (through members.skills)", tostring(Team.associations.skills))
      assert.equal("members.skills", Team.associations.skills.through)
    end)

    it("is read-only", function()
      User:hasMany(Tag, { through = "posts.tags" })
      local ann = User:findByPk(1)
      assert.is_nil(ann.addTag)
      assert.is_nil(ann.setTags)
      assert.is_nil(User.associations.tags.accessors.create)
      ann.tags = {}
      support.raises("UsageError", function() ann:save() end, "tags")
    end)

    it("is refused where it leads elsewhere, or has options of keys", function()
      support.raises("AssociationError", function() User:hasMany(Tag, { through = "posts.comments" }) end, "Comment")
      support.raises("AssociationError", function() User:hasMany(Tag, { through = "posts..tags" }) end, "path")
      support.raises("AssociationError", function() User:hasMany(Tag, { through = Post }) end, "belongsToMany")
      support.raises("AssociationError", function()
        User:hasMany(Tag, { through = "posts.tags", foreignKey = "x" })
      end, "foreignKey")
    end)
  end)
end
