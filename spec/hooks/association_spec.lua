-- Hooks and validators of the rows that the methods of associations write (contract, sections 4 and 9).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the methods of associations on " .. engine.name, function()
    local db, ran
    before_each(function() db, ran = engine:open(), {} end)
    after_each(function() db:close() end)

    --- Records the hooks that run on a model.
    local function record(model, ...)
      for _, event in ipairs { ... } do
        for _, moment in ipairs { "before", "after" } do
          model:addHook(moment .. event, function() ran[#ran + 1] = moment .. event .. " " .. model.name end)
        end
      end
    end

    local function clear() for i = #ran, 1, -1 do ran[i] = nil end end

    describe("of belongsTo", function()
      local User, Post, ann
      before_each(function()
        User, Post = db:define("User", { name = liga.STRING }), db:define("Post", { title = liga.STRING })
        Post:belongsTo(User)
        db:sync()
        ann = User:create { name = "ann" }
        record(User, "Create")
        record(Post, "Save", "Update", "Validate")
      end)

      it("save the source when they set", function()
        local post = Post:create({ title = "a" }, { hooks = false })
        Post:beforeUpdate(function(saved, options)
          assert.equal(ann.id, saved.userId)
          assert.same({ "userId" }, options.fields)
        end)
        assert.is_true(rawequal(ann, post:setUser(ann)))
        assert.same({
          "beforeValidate Post", "afterValidate Post", "beforeSave Post", "beforeUpdate Post", "afterUpdate Post",
          "afterSave Post",
        }, ran)
        assert.equal(ann.id, Post:findOne().userId)
        clear()
        post:setUser(nil, { hooks = false })
        assert.same({}, ran)
        assert.is_nil(Post:findOne().userId)
        assert.is_true(post:setUser(ann.id))
        assert.equal("ann", post:getUser().name)
        support.raises("InstanceError", function() post:setUser(99) end, "User")
      end)

      it("take the key back where a hook fails", function()
        local post = Post:create({ title = "a" }, { hooks = false })
        Post:afterUpdate(function() error "no" end)
        assert.is_false(pcall(post.setUser, post, ann))
        assert.is_nil(post.userId)
        assert.is_nil(Post:findOne().userId)
      end)

      it("only assign with save = false", function()
        local post = Post:create({ title = "a" }, { hooks = false })
        post:setUser(ann, { save = false })
        assert.same({}, ran)
        assert.equal(ann.id, post.userId)
      end)

      it("create the target and save the source", function()
        local post = Post:create({ title = "a" }, { hooks = false })
        local eva = post:createUser { name = "eva" }
        assert.same({ "beforeCreate User", "afterCreate User" }, { ran[1], ran[2] })
        assert.equal("beforeUpdate Post", ran[6])
        assert.equal(eva.id, Post:findOne().userId)
        assert.is_false(eva:isNew())
        Post:beforeUpdate(function() error "no" end)
        assert.is_false(pcall(post.createUser, post, { name = "pia" }))
        assert.equal(2, User:count())
      end)

      it("save an unsaved target first, with its hooks", function()
        local post = Post:create({ title = "a" }, { hooks = false })
        local eva = User:build { name = "eva" }
        post:setUser(eva)
        assert.equal("beforeCreate User", ran[1])
        assert.equal(eva.id, Post:findOne().userId)
      end)
    end)

    describe("of hasOne", function()
      local User, Card, ann
      before_each(function()
        User, Card = db:define("User", { name = liga.STRING }), db:define("Card", { text = liga.STRING })
        User:hasOne(Card)
        db:sync()
        ann = User:create { name = "ann" }
        record(Card, "Create", "Update", "Destroy")
      end)

      it("save the old target and the new one when they set", function()
        local a, b = Card:create({ text = "a" }, { hooks = false }), Card:create({ text = "b" }, { hooks = false })
        assert.is_true(rawequal(a, ann:setCard(a)))
        assert.same({ "beforeUpdate Card", "afterUpdate Card" }, ran)
        ann:setCard(b.id)
        assert.equal(6, #ran)
        assert.equal("b", ann:getCard().text)
        assert.is_nil(Card:findByPk(a.id).userId)
        clear()
        ann:setCard(nil, { destroyPrevious = true })
        assert.same({ "beforeDestroy Card", "afterDestroy Card" }, ran)
        assert.equal(1, Card:count())
        support.raises("InstanceError", function() ann:setCard(99) end)
      end)

      it("delete the old target that is marked as deleted else, with force", function()
        local Pass = db:define("Pass", {}, { paranoid = true })
        User:hasOne(Pass)
        Pass:beforeDestroy(function() end)
        db:sync()
        ann:createPass {}
        ann:setPass(nil, { destroyPrevious = { force = true } })
        assert.equal(0, Pass:count { paranoid = false })
      end)

      it("refuse an instance of another model as self", function()
        local card = Card:create { text = "a" }
        for _, name in ipairs { "getCard", "setCard", "createCard" } do
          support.raises("UsageError", function() ann[name](card, card) end, "User", "Card")
        end
      end)

      it("show the key to the hooks", function()
        local a, seen = Card:create { text = "a" }, nil
        Card:beforeUpdate(function(card) seen = card.userId end)
        ann:setCard(a)
        assert.equal(ann.id, seen)
        assert.equal(ann.id, a.userId)
        assert.is_nil(a:changed())
      end)

      it("create the target", function()
        local old = ann:createCard { text = "a" }
        Card:beforeCreate(function(card)
          assert.equal(ann.id, card.userId)
          card.text = card.text:upper()
        end)
        assert.equal("B", ann:createCard({ text = "b" }).text)
        assert.equal("B", ann:getCard().text)
        assert.is_nil(Card:findByPk(old.id).userId)
      end)
    end)

    it("of belongsToMany set links that may repeat by leaving them, also one by one", function()
      local Post, Tag = db:define("Post", {}), db:define("Tag", {})
      local Link = db:define("Link", { nr = { type = liga.INTEGER, primaryKey = true, autoIncrement = true },
        day = liga.STRING })
      Post:belongsToMany(Tag, { through = { model = Link, unique = false } })
      Link:beforeCreate(function() ran[#ran + 1] = "beforeCreate" end)
      db:sync()
      local post, tags = Post:create {}, Tag:bulkCreate { {}, {}, {} }
      post:addTags { tags[1], tags[2] }
      post:addTag(tags[1])
      for _, options in ipairs { {}, { individualHooks = true } } do
        clear()
        options.through = { day = "mon" }
        post:setTags({ tags[1], tags[3] }, options)
        assert.same({ 1, 1, 3 }, support.sorted(Link:findAll { where = { day = "mon" } }, "tagId"))
        assert.equal(3, Link:count())
        assert.equal(options.individualHooks and 1 or 0, #ran)
        Link:destroy { where = { tagId = 3 } }
      end
    end)

    describe("of hasMany", function()
      local User, Post, ann
      before_each(function()
        User = db:define("User", { name = liga.STRING })
        Post = db:define("Post", { { "title", liga.STRING, validate = { notEmpty = true } }, { "kind", liga.STRING } })
        User:hasMany(Post, { scope = { kind = "blog" } })
        db:sync()
        ann = User:create { name = "ann" }
        record(Post, "BulkUpdate", "BulkDestroy", "Create", "BulkCreate")
      end)

      local function post(title) return Post:create({ title = title }, { hooks = false }) end

      it("run the bulk hooks of the target", function()
        local a, b = post "a", post "b"
        local seen
        Post:beforeBulkUpdate(function(options) seen = options.attributes end)
        ann:addPost(a)
        assert.same({ userId = ann.id, kind = "blog" }, seen)
        assert.same({ "beforeBulkUpdate Post", "afterBulkUpdate Post" }, ran)
        ann:addPosts {}
        assert.equal(2, #ran)
        ann:setPosts { b.id }
        assert.equal(4, #ran)
        assert.same({ "b" }, support.pluck(ann:getPosts(), "title"))
        assert.equal(1, ann:removePost(b))
        assert.equal(6, #ran)
        assert.same({ userId = liga.null }, seen)
        ann:addPosts { a, b }
        clear()
        assert.equal(1, ann:removePost(a, { destroy = true }))
        ann:setPosts({}, { destroyPrevious = true })
        assert.same({ "beforeBulkDestroy Post", "afterBulkDestroy Post", "beforeBulkDestroy Post",
          "afterBulkDestroy Post" }, ran)
        assert.equal(0, Post:count())
      end)

      it("show what a set to nothing writes", function()
        ann:addPost(post "a")
        local seen
        Post:beforeBulkUpdate(function(options) seen = options.attributes end)
        ann:setPosts {}
        assert.same({ userId = liga.null }, seen)
        assert.equal(0, ann:countPosts())
      end)

      describe("with individualHooks", function()
        local options = { individualHooks = true }
        before_each(function() record(Post, "Update", "Destroy") end)

        it("save each target", function()
          local a, b = post "a", post "b"
          local keys = {}
          Post:beforeUpdate(function(saved) keys[#keys + 1] = saved.userId or "none" end)
          assert.is_true(rawequal(a, ann:addPost(a, options)))
          assert.same({ "beforeBulkUpdate Post", "beforeUpdate Post", "afterUpdate Post", "afterBulkUpdate Post" }, ran)
          assert.same({ ann.id, "blog" }, { a.userId, a.kind })
          local list = { b.id, Post:build { title = "c" } }
          assert.is_true(rawequal(list, ann:setPosts(list, options)))
          assert.same({ "b", "c" }, support.sorted(ann:getPosts(), "title"))
          assert.equal(1, ann:removePost(b, options))
          assert.equal(0, ann:removePost(b, options))
          assert.same({ ann.id, "none", ann.id, "none" }, keys)
          assert.is_nil(b.userId)
          assert.same({}, ann:setPosts({}, options))
          assert.equal(3, Post:count { where = { userId = liga.null } })
        end)

        it("keep the instances handed over as they are stored", function()
          local a = post "a"
          ann:addPost(a, options)
          Post:update({ updatedAt = "2020-01-01T00:00:00Z" }, { all = true, silent = true, hooks = false })
          a:reload()
          ann:removePost(a, options)
          assert.equal(Post:findOne().updatedAt, a.updatedAt)
        end)

        it("destroy each where unlinking removes rows", function()
          local a, b = post "a", post "b"
          ann:addPosts({ a, b }, { hooks = false })
          assert.equal(1, ann:removePosts({ a.id }, { individualHooks = true, destroy = true }))
          assert.same({ "beforeBulkDestroy Post", "beforeDestroy Post", "afterDestroy Post", "afterBulkDestroy Post" },
            ran)
          ann:setPosts({}, { individualHooks = true, destroyPrevious = true })
          assert.equal(8, #ran)
          assert.equal(0, Post:count())
        end)

        it("are taken back where one fails", function()
          local a, b = post "a", post "b"
          Post:afterUpdate(function(saved) if saved.title == "b" then error "no" end end)
          assert.is_false(pcall(ann.addPosts, ann, { a, b }, options))
          assert.same({ 0, nil, nil }, { ann:countPosts(), a.userId, b.userId })
          support.raises("InstanceError", function() ann:addPosts({ a, 99 }, options) end)
          support.raises("InstanceError", function() ann:removePosts({ a, Post:build {} }, options) end)
        end)
      end)

      it("are taken back where a hook fails", function()
        local a = post "a"
        Post:afterBulkUpdate(function() error "no" end)
        assert.is_false(pcall(ann.addPost, ann, a))
        assert.is_nil(Post:findOne().userId)
      end)

      it("create the target with its hooks, validators and setters", function()
        local made = ann:createPost({ title = "a" }, { fields = { "title" } })
        assert.same({ "beforeCreate Post", "afterCreate Post" }, ran)
        assert.same({ ann.id, "blog", "a" }, { made.userId, made.kind, made.title })
        assert.equal(1, ann:countPosts())
        local e = support.raises("ValidationError", function() ann:createPost { title = "" } end, "title")
        assert.equal("notEmpty", e.errors[1].validator)
        assert.equal(1, Post:count())
        support.raises("UsageError", function() ann:createPost({ title = "b" }, { feilds = {} }) end, "feilds")
      end)

      it("insert unsaved targets one by one where hooks see single instances", function()
        ann:addPosts { Post:build { title = "a" }, Post:build { title = "b" } }
        assert.same({ "beforeCreate Post", "afterCreate Post", "beforeCreate Post", "afterCreate Post" },
          { ran[2], ran[3], ran[4], ran[5] })
        assert.equal(2, ann:countPosts())
      end)

      it("raise for wrong arguments before any hook", function()
        local hooks = 0
        Post:beforeBulkUpdate(function() hooks = hooks + 1 end)
        support.raises("UsageError", function() ann:addPosts { User:create {} } end)
        support.raises("UsageError", function() ann:addPost(nil) end)
        support.raises("UsageError", function() ann:addPosts({}, { wrong = 1 }) end, "wrong")
        assert.equal(0, hooks)
      end)
    end)

    describe("of belongsToMany", function()
      local Post, Tag, Link, post
      before_each(function()
        Post, Tag = db:define("Post", {}), db:define("Tag", { name = liga.STRING })
        Link = db:define("Link", {
          { "weight", liga.INTEGER, validate = { max = 9 } }, { "note", liga.STRING },
        })
        Post:belongsToMany(Tag, { through = Link })
        db:sync()
        post = Post:create {}
        record(Link, "BulkCreate", "BulkDestroy")
        record(Tag, "Create")
      end)

      local function tag(name) return Tag:create({ name = name }, { hooks = false }) end

      it("run the bulk hooks of the junction, for links that are new", function()
        local a, b = tag "a", tag "b"
        local seen
        Link:beforeBulkCreate(function(links)
          seen = support.pluck(links, "tagId")
          for _, link in ipairs(links) do link.note = "by a hook" end
        end)
        assert.is_true(rawequal(a, post:addTag(a, { through = { weight = 3 } })))
        assert.same({ "beforeBulkCreate Link", "afterBulkCreate Link" }, ran)
        assert.same({ a.id }, seen)
        assert.same({ 3, "by a hook" }, { Link:findOne().weight, Link:findOne().note })
        post:addTags { a, b.id, b }
        assert.same({ b.id }, seen)
        assert.equal(2, Link:count())
        clear()
        post:addTag(a)
        assert.same({}, ran)
      end)

      it("run them where links are taken away", function()
        local a, b = tag "a", tag "b"
        post:setTags { a }
        clear()
        post:setTags { b }
        assert.same({ "beforeBulkDestroy Link", "beforeBulkCreate Link", "afterBulkCreate Link",
          "afterBulkDestroy Link" }, ran)
        clear()
        assert.equal(1, post:removeTag(b))
        assert.equal(0, post:removeTag(b))
        assert.same({ "beforeBulkDestroy Link", "afterBulkDestroy Link" }, ran)
        post:addTags { a, b }
        post:setTags(nil)
        assert.equal(0, Link:count())
      end)

      it("show the junction's rows as instances afterwards", function()
        local seen
        Link:afterBulkCreate(function(links, options) seen = { links, options.transaction } end)
        local a, b = tag "a", tag "b"
        post:addTags { a, b }
        assert.same({ a.id, b.id }, support.pluck(seen[1], "tagId"))
        assert.is_false(seen[1][1]:isNew())
        assert.is_table(seen[2])
      end)

      describe("with individualHooks", function()
        local options = { individualHooks = true }
        local a, b
        before_each(function()
          a, b = tag "a", tag "b"
          record(Link, "Create", "Destroy")
        end)

        it("create and destroy each link", function()
          Link:beforeCreate(function(link) link.note = "by a hook" end)
          assert.is_true(rawequal(a, post:addTag(a, { individualHooks = true, through = { weight = 3 } })))
          assert.same({ "beforeBulkCreate Link", "beforeCreate Link", "afterCreate Link", "afterBulkCreate Link" }, ran)
          assert.same({ 3, "by a hook" }, { Link:findOne().weight, Link:findOne().note })
          clear()
          local list = { a.id, b.id }
          assert.is_true(rawequal(list, post:addTags(list, options)))
          assert.equal(4, #ran)
          assert.is_true(post:addTag(b.id, options))
          assert.equal(4, #ran)
          clear()
          post:setTags({ b }, options)
          assert.same({ "beforeBulkDestroy Link", "beforeDestroy Link", "afterDestroy Link", "afterBulkDestroy Link" },
            ran)
          assert.equal(1, post:removeTag(b.id, options))
          assert.equal(8, #ran)
          assert.equal(0, Link:count())
        end)

        it("update the values of links that are there", function()
          post:addTag(a)
          clear()
          record(Link, "Update")
          post:addTags({ a, b }, { individualHooks = true, through = { weight = 4 } })
          assert.same({ 4, 4 }, support.pluck(Link:findAll(), "weight"))
          assert.same({ "beforeUpdate Link", "afterUpdate Link", "beforeBulkCreate Link", "beforeCreate Link",
            "afterCreate Link", "afterBulkCreate Link" }, ran)
        end)

        it("restore a link that was marked as deleted: between the hooks of that, not of creating", function()
          local Mark = db:define("Mark", { weight = liga.INTEGER, note = liga.STRING }, { paranoid = true })
          Post:belongsToMany(Tag, { as = "marks", through = Mark, inverse = { as = "marked" } })
          db:sync()
          post:addMark(a, { through = { weight = 1, note = "first" } })
          post:removeMark(a)
          record(Mark, "Create", "Restore", "Update")
          clear()
          post:addMarks({ a, b }, { individualHooks = true, through = { weight = 2 } })
          table.sort(ran)
          assert.same({ "afterCreate Mark", "afterRestore Mark", "beforeCreate Mark", "beforeRestore Mark" }, ran)
          assert.equal(2, Mark:count { paranoid = false })
          local mark = Mark:findOne { where = { tagId = a.id } }
          assert.same({ 2, "first" }, { mark.weight, mark.note })
          Mark:beforeRestore(function() error "no" end)
          post:setMarks({})
          assert.is_false(pcall(post.addMark, post, a, options))
          assert.equal(0, post:countMarks())
        end)

        it("are taken back where one fails", function()
          Link:afterCreate(function(link) if link.tagId == b.id then error "no" end end)
          assert.is_false(pcall(post.addTags, post, { a, b }, options))
          assert.equal(0, Link:count())
        end)
      end)

      it("validate the junction's rows", function()
        local a = tag "a"
        local e = support.raises("ValidationError", function()
          post:addTag(a, { through = { weight = 10 } })
        end, "weight")
        assert.equal("Link", e.model)
        assert.equal(0, Link:count())
        post:addTag(a, { through = { weight = 10 }, validate = false })
        assert.equal(1, Link:count())
      end)

      it("validate what they change of links that are there, as whole rows", function()
        local Mark = db:define("Mark", { { "from", liga.INTEGER }, { "till", liga.INTEGER } }, {
          validate = { order = function(mark) if mark.till < mark.from then error "till is before from" end end },
        })
        Post:belongsToMany(Tag, { as = "marks", through = Mark, inverse = "markedPosts" })
        Mark:sync()
        local a, b = tag "a", tag "b"
        post:addMark(a, { through = { from = 3, till = 5 } })
        local function refuses(name, targets, values, words)
          support.raises("ValidationError", function() post[name](post, targets, { through = values }) end, words)
        end
        refuses("addMark", a, { till = 1 }, "till is before")
        b.Mark = { from = 7, till = 6 }
        refuses("setMarks", { a, b }, nil, "till is before")
        post:addTag(a, { through = { weight = 3 } })
        refuses("addTags", { a, b }, { weight = 10 }, "weight")
        refuses("setTags", { a.id }, { weight = 10 }, "weight")
        assert.same({ 5, 3 }, { Mark:findOne().till, Link:findOne().weight })
        assert.equal(1, Link:count())
        post:addTag(a, { through = { weight = 10 }, validate = false })
        assert.equal(10, Link:findOne().weight)
      end)

      it("run the bulk hooks of the junction, for what they change of links that are there", function()
        local a, b, c = tag "a", tag "b", tag "c"
        post:addTags({ a, b, c }, { through = { weight = 1 } })
        clear()
        record(Link, "BulkUpdate")
        local seen = {}
        Link:beforeBulkUpdate(function(options)
          seen[#seen + 1] = options.attributes
          options.attributes.note = "by a hook"
        end)
        a.Link = { weight = 7 }
        post:addTags({ a, b.id }, { through = { weight = 2 } })
        assert.same({ 7, 2 }, support.pluck(seen, "weight"))
        local both = { "beforeBulkUpdate Link", "afterBulkUpdate Link" }
        assert.same({ both[1], both[2], both[1], both[2] }, ran)
        assert.same({ 7, 2, 1 }, support.pluck(Link:findAll { order = { "tagId" } }, "weight"))
        assert.same({ "by a hook", "by a hook" }, support.pluck(Link:findAll { where = { weight = { 2, 7 } } }, "note"))
        clear()
        post:setTags({ b, c }, { through = { weight = 2 } })
        assert.same({ "beforeBulkDestroy Link", "beforeBulkUpdate Link", "afterBulkUpdate Link",
          "afterBulkDestroy Link" }, ran)
        assert.same({ 2, 2 }, support.pluck(Link:findAll(), "weight"))
        assert.same({ weight = 7 }, a.Link)
      end)

      it("pass the setters of the junction, with new links and old ones", function()
        local Mark = db:define("Mark", {
          word = { type = liga.STRING, set = function(_, word) return word:upper() end },
        })
        Post:belongsToMany(Tag, { as = "marks", through = Mark, inverse = "markedPosts" })
        Mark:sync()
        local a, b = tag "a", tag "b"
        b.Mark = { word = "own" }
        post:addMarks({ a, b }, { through = { word = "new" } })
        post:createMark({}, { through = { word = "made" } })
        assert.same({ "NEW", "OWN", "MADE" }, support.pluck(Mark:findAll { order = { "tagId" } }, "word"))
        post:addMark(a.id, { through = { word = "again" } })
        assert.equal("AGAIN", Mark:findOne { where = { tagId = a.id } }.word)
        assert.same({ word = "own" }, b.Mark)
      end)

      it("create the target and its link", function()
        local made = post:createTag({ name = "a" }, { through = { weight = 2 } })
        assert.same({ "beforeCreate Tag", "afterCreate Tag", "beforeBulkCreate Link", "afterBulkCreate Link" }, ran)
        assert.equal(2, Link:findOne({ where = { tagId = made.id } }).weight)
        Link:beforeBulkCreate(function() error "no" end)
        assert.is_false(pcall(post.createTag, post, { name = "b" }))
        assert.equal(1, Tag:count())
      end)

      it("save unsaved targets first", function()
        local a = Tag:build { name = "a" }
        assert.same({ a }, post:addTags { a })
        assert.equal("beforeCreate Tag", ran[1])
        assert.equal(1, post:countTags())
      end)

      it("raise for raw keys without a row, and change nothing", function()
        support.raises("InstanceError", function() post:addTags { 99 } end)
        assert.same({}, ran)
      end)
    end)
  end)
end
