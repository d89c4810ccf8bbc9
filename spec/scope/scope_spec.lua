-- Default and named scopes, scope objects (contract, section 9).
local liga = require "liga"
local support = require "spec.support"

local Op = liga.Op

for engine in support.engines() do
  describe("scopes on " .. engine.name, function()
    local db, Post, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Post = db:define("Post", { title = liga.STRING, status = liga.STRING, stars = liga.INTEGER }, {
        defaultScope = { where = { status = "open" } },
        scopes = {
          good = { where = { stars = { [Op.gte] = 3 } } },
          newest = { order = { { "id", "DESC" } }, limit = 2 },
          titled = function(title) return { where = { title = title } } end,
          between = function(low, high) return { where = { stars = { [Op.between] = { low, high } } } } end,
          short = { attributes = { "title" } },
        },
      })
      User:hasMany(Post)
      db:sync()
      Post:unscoped():bulkCreate {
        { title = "a", status = "open", stars = 1 }, { title = "b", status = "open", stars = 4 },
        { title = "c", status = "draft", stars = 5 }, { title = "d", status = "draft", stars = 2 },
      }
    end)
    after_each(function() db:close() end)

    local function titles(list) return support.sorted(list, "title") end

    describe("by default", function()
      it("hold for every find", function()
        assert.same({ "a", "b" }, titles(Post:findAll()))
        assert.same({ "b" }, titles(Post:findAll { where = { stars = { [Op.gt] = 1 } } }))
        assert.is_nil(Post:findByPk(3))
        assert.is_nil(Post:findOne { where = { title = "c" } })
        assert.equal(0, #Post:findByPks { 3, 4 })
        assert.equal(2, Post:count())
        assert.equal(5, Post:sum "stars")
        assert.equal(4, Post:max "stars")
        assert.is_false(Post:exists { where = { title = "c" } })
        local rows, count = Post:findAndCountAll { limit = 1 }
        assert.same({ 1, 2 }, { #rows, count })
        local seen = {}
        for post in Post:each { batch = 1 } do seen[#seen + 1] = post.title end
        assert.same({ "a", "b" }, seen)
        assert.is_truthy(Post:explain():find("status", 1, true))
      end)

      it("hold for writes of many rows, but are no condition themselves", function()
        assert.equal(2, Post:update({ stars = 9 }, { all = true }))
        assert.equal(0, Post:update({ stars = 9 }, { where = { title = "c" } }))
        assert.equal(2, Post:increment({ stars = 1 }, { all = true }))
        assert.equal(0, Post:destroy { where = { title = "c" } })
        support.raises("UsageError", function() Post:destroy {} end, "where")
        support.raises("UsageError", function() Post:update({ stars = 1 }, { where = {} }) end, "where")
        support.raises("UsageError", function() Post:destroy { all = true, where = { title = "a" } } end, "all")
        assert.equal(2, Post:destroy { all = true })
        assert.equal(2, Post:unscoped():count())
      end)

      it("do not hold for truncate", function()
        Post:destroy { truncate = true }
        assert.equal(0, Post:unscoped():count())
      end)

      it("do not hold for an instance", function()
        local draft = Post:unscoped():findByPk(3)
        draft.stars = 1
        draft:save()
        assert.equal(1, draft:reload().stars)
        draft:destroy()
        assert.equal(3, Post:unscoped():count())
      end)

      it("are left out by unscoped", function()
        assert.equal(4, Post:unscoped():count())
        assert.equal(4, Post:scope():count())
        assert.equal("c", Post:unscoped():findByPk(3).title)
      end)
    end)

    describe("by name", function()
      it("take the place of the default one", function()
        assert.same({ "b", "c" }, titles(Post:scope("good"):findAll()))
      end)

      it("are combined", function()
        assert.same({ "b" }, titles(Post:scope("defaultScope", "good"):findAll()))
        assert.same({ "d", "c" }, support.pluck(Post:scope("newest"):findAll(), "title"))
        assert.same({ "c", "b" }, support.pluck(Post:scope("good", "newest"):findAll(), "title"))
      end)

      it("may have arguments", function()
        assert.same({ "d" }, titles(Post:scope({ "titled", "d" }):findAll()))
        assert.same({ "b", "d" }, titles(Post:scope({ "between", 2, 4 }):findAll()))
        assert.same({ "b" }, titles(Post:scope("good", { "between", 2, 4 }):findAll()))
      end)

      it("that are nil beside others are a mistake", function()
        support.raises("UsageError", function() Post:scope(nil, "good") end, "argument 1 is nil")
        support.raises("UsageError", function() Post:scope("good", nil) end, "argument 2 is nil")
        assert.equal(Post:scope():count(), Post:scope(nil):count())
      end)

      it("that are tables take none: a list of names is a mistake", function()
        local e = support.raises("UsageError", function() Post:scope { "good", "newest" } end, "good", "arguments")
        assert.truthy(e.message:find('scope("good", "newest")', 1, true))
        assert.same({ "c" }, titles(Post:scope({ "good" }):findAll { where = { title = "c" } }))
      end)

      it("are joined with the call: conditions by AND, order and limit replaced, attributes united", function()
        local rows = Post:scope("newest"):findAll {
          order = { "title" }, limit = 3, where = { stars = { [Op.gt] = 1 } },
        }
        assert.same({ "b", "c", "d" }, support.pluck(rows, "title"))
        local post = Post:scope("short"):findOne { attributes = { "stars" }, where = { title = "b" } }
        assert.same({ "b", 4 }, { post.title, post.stars })
        assert.is_nil(post.status)
      end)

      it("limit iteration", function()
        local seen = {}
        for post in Post:scope("newest"):each { batch = 1 } do seen[#seen + 1] = post.title end
        assert.same({ "d", "c" }, seen)
      end)

      it("limit no count", function()
        assert.equal(4, Post:scope("newest"):count())
      end)

      it("are replaced by scoping again", function()
        assert.equal(2, Post:scope("good"):scope("newest"):count { where = { status = "draft" } })
      end)

      it("may be added later, and replaced when that is said", function()
        assert.equal(Post, Post:addScope("few", { limit = 1 }))
        assert.equal(1, #Post:scope("few"):findAll())
        support.raises("UsageError", function() Post:addScope("few", {}) end, "few", "override")
        Post:addScope("few", { limit = 3 }, { override = true })
        assert.equal(3, #Post:scope("few"):findAll())
        User:addScope("defaultScope", { where = { name = "ann" } })
        User:bulkCreate { { name = "ann" }, { name = "eva" } }
        assert.equal(1, User:count())
      end)

      it("that come from a function may yield", function()
        Post:addScope("asked", function() return { where = { title = coroutine.yield() } } end)
        local find = coroutine.wrap(function() return Post:scope("asked"):findAll() end)
        find()
        assert.same({ "c" }, titles(find "c"))
      end)
    end)

    it("are not changed by what is done to them, or to the caller's tables, later", function()
      local where = { status = "open" }
      local options = { where = { stars = 1 } }
      local Note = db:define("Note", { status = liga.STRING, stars = liga.INTEGER },
        { defaultScope = { where = where } })
      db:sync()
      Note:unscoped():create { status = "open", stars = 1 }
      where.status = "draft"
      Note:beforeFind(function(found) found.where[1].status = "nothing" end)
      assert.equal(0, #Note:findAll(options))
      assert.equal(1, Note:count())
      assert.same({ where = { stars = 1 } }, options)
    end)

    describe("as objects", function()
      it("have every class method", function()
        local good = Post:scope "good"
        assert.equal("Post", good.name)
        assert.equal("Posts", good.tableName)
        local made = good:create { title = "e", status = "open", stars = 1 }
        assert.equal(Post, liga.modelOf(made))
        assert.equal(5, good:build { stars = 5 }.stars)
        assert.equal(1, good:update({ stars = 3 }, { where = { title = "b" } }))
        assert.equal(0, good:update({ stars = 3 }, { where = { title = "a" } }))
        assert.equal(1, good:destroy { where = { title = "b" } })
        assert.same({ "c" }, titles(good:findByPks { 1, 3 }))
        assert.equal(1, #good:findAll { where = good:keys { 1, 3 } })
        assert.is_truthy(good:describe():find("Post", 1, true))
        assert.equal("stars", good.attributes.stars.name)
      end)

      it("have the model's own methods, which see the scope", function()
        function Post:titles() return support.sorted(self:findAll(), "title") end
        assert.same({ "b", "c" }, Post:scope("good"):titles())
        assert.same({ "a", "b" }, Post:titles())
      end)

      it("declare associations and hooks for the model itself", function()
        local Tag = db:define("Tag", {})
        local tags = Post:scope("good"):hasMany(Tag)
        assert.is_true(rawequal(Post, tags.source))
        Post:unscoped():addHook("beforeCreate", "x", function() end)
        assert.is_true(Post:hasHook("beforeCreate", "x"))
      end)

      it("exist for models without scopes", function()
        User:create { name = "ann" }
        assert.equal(1, User:unscoped():count())
        assert.equal("ann", User:unscoped():findByPk(1).name)
      end)

      it("are equal where they are of the same scopes", function()
        assert.is_true(Post:scope "good" == Post:scope "good")
        assert.is_true(Post:unscoped() == Post:unscoped())
        assert.is_false(Post:scope "good" == Post:unscoped())
        assert.is_false(Post:unscoped() == User:unscoped())
        assert.is_false(Post:unscoped() == Post)
        assert.is_false(Post:unscoped() == {})
      end)

      it("say what they are, and can't be assigned", function()
        assert.equal('Post:scope("good")', tostring(Post:scope "good"))
        support.raises("UsageError", function() local good = Post:scope "good"; good.x = 1 end, "read-only")
      end)
    end)

    describe("in getters", function()
      local ann
      before_each(function()
        ann = User:create { name = "ann" }
        ann:setPosts(Post:unscoped():findAll())
      end)

      it("hold where they are the target's default", function()
        assert.same({ "a", "b" }, titles(ann:getPosts()))
        assert.equal(2, ann:countPosts())
        assert.same({ "b" }, titles(ann:getPosts { where = { stars = 4 } }))
      end)

      it("are chosen by the option scope", function()
        assert.equal(4, #ann:getPosts { scope = false })
        assert.equal(4, ann:countPosts { scope = false })
        assert.equal(2, ann:countPosts { scope = true })
        assert.same({ "b", "c" }, titles(ann:getPosts { scope = "good" }))
        assert.same({ "b" }, titles(ann:getPosts { scope = { "defaultScope", "good" } }))
        assert.same({ "d" }, titles(ann:getPosts { scope = { { "titled", "d" } } }))
        support.raises("UsageError", function() ann:getPosts { scope = "god" } end, "god", "good")
      end)

      it("say nothing about what is linked", function()
        assert.is_true(ann:hasPosts { 1, 2, 3, 4 })
        assert.is_false(ann:hasPosts({ 1, 2, 3, 4 }, { scope = "good" }))
      end)

      it("hold for a target that is one", function()
        User:addScope("defaultScope", { where = { name = "eva" } })
        local post = Post:findByPk(1)
        assert.is_nil(post:getUser())
        assert.equal("ann", post:getUser({ scope = false }).name)
      end)

      it("are nothing for a target without", function()
        local Tag = db:define("Tag", {})
        User:hasMany(Tag)
        db:sync()
        assert.equal(0, #ann:getTags { scope = false })
        support.raises("UsageError", function() ann:getTags { scope = "x" } end, "scope", "x")
      end)
    end)

    describe("declared or named wrongly", function()
      it("raise for an unknown name", function()
        support.raises("UsageError", function() Post:scope "godo" end, "godo", "good")
        support.raises("UsageError", function() Post:scope(5) end, "scope")
        support.raises("UsageError", function() Post:scope { "titled", x = 1 } end, "arguments")
      end)

      it("raise for an option that finds don't have", function()
        support.raises("UsageError", function() db:define("X", {}, { defaultScope = { wher = {} } }) end, "wher")
        support.raises("UsageError", function() db:define("X", {}, { scopes = { a = { limt = 1 } } }) end, "limt")
        support.raises("UsageError", function() Post:addScope("a", { limt = 1 }) end, "limt")
      end)

      it("raise for what is no scope", function()
        support.raises("UsageError", function() db:define("X", {}, { scopes = { a = 5 } }) end, "a")
        support.raises("UsageError", function() db:define("X", {}, { scopes = 5 }) end, "scopes")
        support.raises("UsageError", function() db:define("X", {}, { defaultScope = function() end }) end, "table")
        support.raises("UsageError", function() Post:addScope(5, {}) end, "name")
        Post:addScope("bad", function() return 5 end)
        support.raises("UsageError", function() Post:scope "bad" end, "bad")
      end)

      it("raise when the condition is used", function()
        Post:addScope("wrong", { where = { nothing = 1 } })
        support.raises("UsageError", function() Post:scope("wrong"):findAll() end, "nothing")
      end)
    end)
  end)
end
