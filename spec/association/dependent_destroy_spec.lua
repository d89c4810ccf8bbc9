-- dependent = "destroy": instances with their hooks, in one transaction (contract, section 4).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe('dependent = "destroy" on ' .. engine.name, function()
    local db, User, Post, Comment, ran
    before_each(function()
      db, ran = engine:open(), {}
      User = db:define("User", { name = liga.STRING })
      Post = db:define("Post", { title = liga.STRING })
      Comment = db:define("Comment", { text = liga.STRING })
      User:hasMany(Post, { dependent = "destroy" })
      Post:hasMany(Comment, { dependent = "destroy" })
      db:sync()
      for _, model in ipairs { User, Post, Comment } do
        for _, moment in ipairs { "before", "after" } do
          model:addHook(moment .. "Destroy", function(instance)
            ran[#ran + 1] = moment .. " " .. (instance.name or instance.title or instance.text)
          end)
        end
      end
    end)
    after_each(function() db:close() end)

    local function fill()
      local ann = User:create { name = "ann" }
      for _, title in ipairs { "a", "b" } do
        ann:createPost({ title = title }):createComment { text = title .. "1" }
      end
      User:create({ name = "eva" }):createPost { title = "c" }
      return ann
    end

    it("refuses options that are no table", function()
      local ann = fill()
      for _, wrong in ipairs { 5, "force", true, print } do
        support.raises("UsageError", function() ann:destroy(wrong) end, "destroy", type(wrong))
      end
      assert.equal(2, User:count())
    end)

    it("destroys what belongs to an instance first, each with its hooks", function()
      fill():destroy()
      assert.same({
        "before ann",
        "before a", "before a1", "after a1", "after a", "before b", "before b1", "after b1", "after b",
        "after ann",
      }, ran)
      assert.same({ 1, 1, 0 }, { User:count(), Post:count(), Comment:count() })
    end)

    it("goes in the order of the key, wherever the rows lie", function()
      local ann = fill()
      Post:update({ title = "moved" }, { where = { title = "a" } })
      ann:destroy()
      assert.same({ "before moved", "before b" }, { ran[2], ran[6] })
    end)

    it("does so where many rows are destroyed", function()
      fill()
      assert.same({ 1, n = 1 }, table.pack(User:destroy { where = { name = "ann" } }))
      assert.equal(8, #ran)
      assert.same({ 1, 1, 0 }, { User:count(), Post:count(), Comment:count() })
      assert.equal(1, User:destroy { all = true, individualHooks = true })
      assert.equal(12, #ran)
      assert.equal(0, Post:count())
    end)

    it("is no obstacle where a row takes others of the same call with it", function()
      local Node = db:define("Node", {}, { hooks = { beforeDestroy = function() end } })
      Node:hasMany(Node, { as = "children", inverse = "parent", dependent = "delete" })
      db:sync()
      local node = Node:create {}
      node:addChildren { Node:create {}, Node:create {} }
      assert.equal(3, Node:destroy { all = true, individualHooks = true })
      assert.equal(0, Node:count())
    end)

    it("needs a where with a condition, as where there are no rules", function()
      fill()
      local function refused(model)
        for _, where in ipairs { {}, { name = nil }, { {} }, { [liga.Op.and_] = {} } } do
          for _, more in ipairs { {}, { individualHooks = true }, { limit = 1 }, { force = true } } do
            more.where = where
            support.raises("UsageError", function() model:destroy(more) end, "where", "all = true")
          end
        end
      end
      refused(User)
      refused(User:unscoped())
      Comment:belongsToMany(User, { through = "Mentions", as = "mentioned", constraints = false })
      db:sync()
      refused(Comment)
      assert.same({ 2, 3, 2 }, { User:count(), Post:count(), Comment:count() })
      assert.same({}, ran)
    end)

    it("is left out with dependent = false, and its hooks with hooks = false", function()
      fill()
      Post:update({ userId = liga.null }, { all = true })
      User:destroy { all = true, dependent = false }
      assert.equal(3, Post:count())
      User:create({ name = "dan" }):setPosts { 2 }
      User:destroy { all = true, dependent = false, individualHooks = true, hooks = false }
      assert.equal(3, Post:count())
      User:create({ name = "pia" }):setPosts { 1 }
      User:findOne():destroy { hooks = false }
      assert.same({}, ran)
      assert.equal(2, Post:count())
    end)

    it("is left out for one instance with dependent = false", function()
      fill()
      Post:update({ userId = liga.null }, { all = true })
      local dan = User:create({ name = "dan" })
      dan:setPosts { 2 }
      dan:destroy { dependent = false }
      assert.equal(3, Post:count())
      support.raises("UsageError", function() User:findOne():destroy { dependent = "no" } end, "dependent", "true")
      support.raises("UsageError", function() User:destroy { all = true, dependent = 0 } end, "dependent", "true")
      assert.equal(3, Post:count())
    end)

    it("takes everything back where a hook fails", function()
      local ann, oops = fill(), {}
      Comment:beforeDestroy(function(comment) if comment.text == "b1" then error(oops) end end)
      local ok, e = pcall(ann.destroy, ann)
      assert.is_false(ok)
      assert.equal(oops, e)
      assert.same({ 2, 3, 2 }, { User:count(), Post:count(), Comment:count() })
    end)

    it("reaches rows outside of default scopes, and runs no hooks of finds", function()
      local ann = fill()
      Post:addScope("defaultScope", { where = { title = "a" } })
      local finds = 0
      Post:beforeFind(function() finds = finds + 1 end)
      ann:destroy()
      assert.equal(0, finds)
      assert.equal(1, Post:unscoped():count { hooks = false })
    end)

    it("ends where references run in a circle", function()
      local Node = db:define("Node", { name = liga.STRING })
      Node:hasMany(Node, {
        as = "children", foreignKey = "parentId", inverse = { as = "parent" }, dependent = "destroy",
        constraints = false,
      })
      db:sync()
      local a = Node:create { name = "a" }
      local b = a:createChild { name = "b" }
      b:setChildren { a }
      a:reload():destroy()
      assert.equal(0, Node:count())
    end)

    it("marks what is paranoid, and deletes it with force", function()
      local Team = db:define("Team", {}, { paranoid = true })
      local Member = db:define("Member", {}, { paranoid = true })
      Team:hasMany(Member, { dependent = "destroy" })
      local Badge = db:define("Badge", {}, { paranoid = true })
      Team:hasMany(Badge, { dependent = "delete" })
      db:sync()
      local team = Team:create {}
      team:createMember {}
      team:createBadge {}
      team:destroy()
      assert.same({ 0, 0 }, { Member:count(), Badge:count() })
      assert.same({ 1, 1 }, { Member:count { paranoid = false }, Badge:count { paranoid = false } })
      team:destroy { force = true }
      assert.same({ 0, 0 }, { Member:count { paranoid = false }, Badge:count { paranoid = false } })
      assert.equal(0, Team:count { paranoid = false })
    end)

    it("keeps the links of what is only marked as deleted", function()
      local Team, Tag = db:define("Team", {}, { paranoid = true }), db:define("Tag", {})
      Team:belongsToMany(Tag, { through = "TeamTag", constraints = false })
      db:sync()
      local team = Team:create {}
      team:addTag(Tag:create {})
      team:destroy()
      assert.equal(1, db:model("TeamTag"):count())
      team:restore()
      assert.equal(1, team:countTags())
      team:destroy { force = true }
      assert.equal(0, db:model("TeamTag"):count())
    end)
  end)
end
