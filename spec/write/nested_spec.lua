-- Nested writes: build, create and bulkCreate with include (contract, section 7).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("nested values on " .. engine.name, function()
    local db, log, User, Profile, Post, Comment, Tag, PostTag
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = { type = liga.STRING(20), allowNull = false } }, { timestamps = false })
      Profile = db:define("Profile", { text = liga.STRING }, { timestamps = false })
      Post = db:define("Post", { title = { type = liga.STRING, unique = true }, kind = liga.STRING },
        { timestamps = false })
      Comment = db:define("Comment", { text = { type = liga.STRING(10), allowNull = false } }, { timestamps = false })
      Tag = db:define("Tag", { name = liga.STRING }, { timestamps = false })
      PostTag = db:define("PostTag", { weight = liga.INTEGER }, { timestamps = false })
      User:hasOne(Profile)
      User:hasMany(Post, { inverse = { as = "author" } })
      User:hasMany(Post, { as = "drafts", foreignKey = "authorId", scope = { kind = "draft" },
        inverse = { as = "author" } })
      Post:hasMany(Comment, { foreignKey = { name = "postId", allowNull = false } })
      Post:belongsToMany(Tag, { through = PostTag })
      db:sync{ force = true }
      log:clear()
    end)
    after_each(function() db:close() end)

    local function counts() return { User:count(), Profile:count(), Post:count(), Comment:count(), Tag:count() } end

    it("are created with an owner that has VIRTUAL attributes, whose validators run too", function()
      local Shop = db:define("Shop", { name = liga.STRING, loud = { type = liga.VIRTUAL, validate = { len = { 2, 9 } },
        get = function(self) return self.name:upper() end } }, { timestamps = false })
      Shop:hasMany(db:define("Shelf", { place = liga.STRING }, { timestamps = false }))
      db:sync()
      local shop = Shop:create({ name = "books", shelves = { { place = "left" } } }, { include = "shelves" })
      assert.equal("BOOKS", shop:get "loud")
      assert.equal(1, shop:countShelves())
      local other = Shop:build({ name = "toys", shelves = { { place = "left" } } }, { include = "shelves" }):save()
      assert.equal(1, other:countShelves())
      local e = support.raises("ValidationError", function()
        Shop:create({ name = "x", shelves = { { place = "left" } } }, { include = "shelves" })
      end)
      assert.equal("loud", e.attribute)
      assert.equal(2, Shop:count())
    end)

    it("are created with their owner", function()
      local ann = User:create({
        name = "ann", profile = { text = "about" }, posts = { { title = "p1" }, { title = "p2" } },
      }, { include = { "profile", "posts" } })
      assert.is_false(ann:isNew())
      assert.equal(ann.id, ann.profile.userId)
      assert.same({ ann.id, ann.id }, support.pluck(ann.posts, "authorId"))
      assert.is_false(ann.posts[2]:isNew())
      assert.is_true(ann:isLoaded "posts")
      assert.same({ 1, 1, 2, 0, 0 }, counts())
      ann.name = "Ann"
      ann:save()
      ann.posts[1]:update{ title = "P1" }
      assert.equal("P1", User:findByPk(ann.id, { include = "posts" }).posts[1].title)
    end)

    it("of belongsTo come first, of any depth", function()
      local comment = Comment:create({ text = "c", post = { title = "p", author = { name = "ann" } } },
        { include = { post = { include = "author" } } })
      assert.equal(comment.postId, comment.post.id)
      assert.equal(comment.post.authorId, comment.post.author.id)
      assert.same({ 1, 0, 1, 1, 0 }, counts())
    end)

    it("of belongsTo give the key that may not be NULL, also where the model has hooks and validators", function()
      local seen = {}
      Comment:addHook("beforeCreate", function(comment) seen[#seen + 1] = comment.text end)
      local values, options = { text = "c", post = { title = "p" } }, { include = "post" }
      Comment:create(values, options)
      values.post = { title = "q" }
      Comment:build(values, options):save()
      values.post = nil
      local e = support.raises("ValidationError", function() Comment:create(values, options) end)
      assert.equal("postId", e.attribute)
      values.text, values.post = ("x"):rep(11), { title = "r" }
      e = support.raises("ValidationError", function() Comment:create(values, options) end)
      assert.same({ "text" }, e.attributes)
      assert.same({ "c", "c" }, seen)
      assert.same({ 0, 0, 2, 2, 0 }, counts())
    end)

    it("are refused where what the association refers to has no value", function()
      local Shelf = db:define("Shelf", { code = { type = liga.STRING, unique = true } }, { timestamps = false })
      Shelf:hasMany(Post, { sourceKey = "code" })
      Shelf:belongsToMany(Tag, { through = "ShelfTag", sourceKey = "code" })
      db:sync{ force = true }
      for _, values in ipairs{ { posts = { { title = "p" } } }, { tags = { { name = "a" } } } } do
        support.raises("InstanceError", function() Shelf:create(values, { include = { "posts", "tags" } }) end, "code")
      end
      support.raises("InstanceError", function()
        Post:create({ title = "p", shelf = {} }, { include = "shelf" })
      end, "shelf", "code")
      assert.same({ 0, 0, 0, 0, 0 }, counts())
      assert.equal(0, Shelf:count())
    end)

    it("of belongsToMany get their junction rows, with values", function()
      local post = Post:create({ title = "p", tags = { { name = "a", PostTag = { weight = 5 } }, { name = "b" } } },
        { include = "tags" })
      local tags = post:getTags{ order = "name" }
      assert.same({ "a", "b" }, support.pluck(tags, "name"))
      assert.equal(5, tags[1].PostTag.weight)
      assert.is_nil(tags[2].PostTag.weight)
      assert.equal(2, PostTag:count())
    end)

    it("are written level by level, in one transaction", function()
      local function nest(n)
        local posts = {}
        for i = 1, n do
          posts[i] = { title = "p" .. n .. i, comments = { { text = "x" }, { text = "y" } }, tags = { {
            name = "t" .. i } } }
        end
        log:clear()
        User:create({ name = "ann", posts = posts }, { include = { posts = { include = { "comments", "tags" } } } })
        local begun = 0
        for _, sql in ipairs(log:statements "transaction") do begun = begun + (sql:find "^BEGIN" and 1 or 0) end
        assert.equal(1, begun)
        return #log:statements "query"
      end
      assert.is_true(nest(6) <= nest(3) + 1)
      assert.same({ 2, 0, 9, 18, 9 }, counts())
      assert.equal(9, PostTag:count())
    end)

    it("get what the association's scope says", function()
      local ann = User:create({ name = "ann", drafts = { { title = "d" } } }, { include = "drafts" })
      assert.equal("draft", ann.drafts[1].kind)
      assert.equal(1, ann:countDrafts())
    end)

    it("that are stored already are linked", function()
      local tag, post = Tag:create{ name = "old" }, Post:create{ title = "old" }
      local ann = User:create({ name = "ann", posts = { post, { title = "new", tags = { tag, { name = "n" } } } } },
        { include = { posts = { include = "tags" } } })
      assert.equal(2, ann:countPosts())
      assert.equal(ann.id, post.authorId)
      assert.same({ "n", "old" }, support.sorted(ann.posts[2]:getTags(), "name"))
      assert.equal(2, Tag:count())
    end)

    it("that are stored already are linked with the options of the call", function()
      local ran, sent = 0, {}
      Post:addHook("beforeBulkUpdate", function() ran = ran + 1 end)
      User:create({ name = "ann", posts = { Post:create{ title = "old" } } }, {
        include = "posts", hooks = false, logging = function(sql) sent[#sent + 1] = sql:match 'UPDATE "Posts"' end,
      })
      assert.equal(0, ran)
      assert.equal(1, #sent)
    end)

    it("of belongsToMany get what the scope of the junction says, whatever they give", function()
      Post:belongsToMany(Tag, { as = "mainTags", through = { model = PostTag, scope = { weight = 3 } },
        inverse = { as = "mainPosts" } })
      local post = Post:create({ title = "p", mainTags = { { name = "n", PostTag = { weight = 9 } } } },
        { include = "mainTags" })
      assert.equal(3, post.mainTags[1].PostTag.weight)
      assert.equal(1, post:countMainTags())
    end)

    it("are built, and saved with save", function()
      local ann = User:build({ name = "ann", posts = { { title = "p" } } }, { include = "posts" })
      assert.is_true(ann:isNew())
      assert.is_true(ann.posts[1]:isNew())
      ann:save()
      assert.equal(ann.id, ann.posts[1].authorId)
      assert.same({ 1, 0, 1, 0, 0 }, counts())
    end)

    it("go with bulkCreate", function()
      log:clear()
      local users = User:bulkCreate({
        { name = "a", posts = { { title = "1" }, { title = "2" } } }, { name = "b" },
        { name = "c", posts = { { title = "3" } }, profile = { text = "x" } },
      }, { include = { "posts", "profile" } })
      assert.same({ 2, 0, 1 }, { #users[1].posts, #(users[2].posts or {}), #users[3].posts })
      assert.same({ 3, 1, 3, 0, 0 }, counts())
      assert.equal(users[3].id, users[3].posts[1].authorId)
    end)

    it("go with a list without holes", function()
      for _, list in ipairs { { { name = "a" }, nil, { name = "c" } }, { a = { name = "a" } } } do
        support.raises("UsageError", function() User:bulkCreate(list, { include = "posts" }) end, "list")
      end
      assert.equal(0, User:count())
    end)

    it("of rows that ignoreDuplicates leaves out are left out with them", function()
      Post:create{ title = "taken" }
      local posts = Post:bulkCreate({
        { title = "taken", comments = { { text = "a" } }, tags = { { name = "a" } } },
        { title = "free", comments = { { text = "b" } }, tags = { { name = "b" } } },
      }, { include = { "comments", "tags" }, ignoreDuplicates = true })
      assert.same({ true, false }, { posts[1]:isNew(), posts[2]:isNew() })
      assert.same({ "b" }, support.pluck(Comment:findAll(), "text"))
      assert.same({ "b" }, support.pluck(Tag:findAll(), "name"))
      assert.is_true(posts[1].comments[1]:isNew() and posts[1].tags[1]:isNew())
      posts[1].title = "free too"
      posts[1]:save()
      assert.equal(posts[1].id, posts[1].comments[1].postId)
      assert.same({ "a" }, support.pluck(posts[1]:getTags(), "name"))
    end)

    it("go with the methods that create what belongs to an instance", function()
      local ann = User:create{ name = "ann" }
      local post = ann:createDraft({ title = "d", comments = { { text = "c" } }, tags = { { name = "t" } } },
        { include = { "comments", "tags" } })
      assert.same({ ann.id, "draft" }, { post.authorId, post.kind })
      assert.equal(post.id, post.comments[1].postId)
      assert.equal("t", post:getTags()[1].name)
      local tag = post:createTag({ name = "u" }, { include = {}, through = { weight = 3 } })
      assert.equal(3, PostTag:findOne{ where = { tagId = tag.id } }.weight)
      local writer = Post:create{ title = "p" }:createAuthor({ name = "bob", profile = { text = "b" } },
        { include = "profile" })
      assert.equal(writer.id, writer.profile.userId)
      assert.equal("bob", Post:findOne{ where = { title = "p" }, include = "author" }.author.name)
      assert.equal("x", ann:createProfile({ text = "x" }, { include = {} }).text)
      assert.equal(1, Profile:count{ where = { userId = ann.id } })
      local before = counts()
      local e = support.raises("ValidationError", function()
        ann:createPost({ title = "q", comments = { { text = "ok" }, { text = "much too long" } } },
          { include = "comments" })
      end)
      assert.equal("comments[2].text", e.path)
      support.raises("EagerLoadingError", function()
        ann:createPost({ title = "q" }, { include = "coments" })
      end, "comments")
      support.raises("UsageError", function() ann:createPost({}, { include = {}, fields = { "title" } }) end, "fields")
      support.raises("InstanceError", function() User:build{}:createPost({ title = "q" }, { include = {} }) end)
      assert.same(before, counts())
    end)

    it("are refused without include", function()
      support.raises("UsageError", function() User:create{ name = "a", posts = {} } end, "posts", "include")
      support.raises("UsageError", function() User:build{ name = "a", posts = {} } end, "posts", "include")
      support.raises("EagerLoadingError", function() User:create({ name = "a" }, { include = "psts" }) end, "posts")
    end)

    it("that are wrong change nothing, and the error tells where", function()
      local function refused(name, path, values, include)
        local e = support.raises(name, function() User:create(values, { include = include }) end)
        assert.equal(path, e.path)
        assert.is_truthy(e.message:find(path, 1, true), e.message)
        assert.same({ 0, 0, 0, 0, 0 }, counts())
      end
      local posts = { posts = { include = "comments" } }
      refused("ValidationError", "posts[1].comments[2].text",
        { name = "a", posts = { { title = "p", comments = { { text = "x" }, {} } } } }, posts)
      refused("ValidationError", "posts[1].comments[1].text",
        { name = "a", posts = { { title = "p", comments = { { text = "far too long a text" } } } } }, posts)
      refused("UsageError", "posts[2].titel", { name = "a", posts = { { title = "p" }, { titel = "q" } } }, "posts")
      local e = support.raises("UniqueConstraintError", function()
        User:create({ name = "a", posts = { { title = "p" }, { title = "p" } } }, { include = "posts" })
      end)
      assert.equal("Post", e.model)
      assert.same({ 0, 0, 0, 0, 0 }, counts())
    end)

    it("that a validator refuses among several are named by their place", function()
      local Lamp = db:define("Lamp", { watts = { type = liga.INTEGER, validate = { max = 100 } } },
        { timestamps = false })
      local Room = db:define("Room", { code = { type = liga.STRING, unique = true } }, { timestamps = false })
      Room:hasMany(Lamp)
      Room:hasMany(Post)
      db:sync{ alter = true }
      local function refused(name, path, values, include)
        local e = support.raises(name, function() Room:bulkCreate(values, { include = include }) end, path)
        assert.equal(path, e.path)
      end
      refused("ValidationError", "[2].lamps[2].watts",
        { { lamps = { { watts = 5 } } }, { lamps = { { watts = 5 }, { watts = 500 } } } }, "lamps")
      refused("UniqueConstraintError", "posts.title",
        { { posts = { { title = "a" } } }, { posts = { { title = "a" } } } }, "posts")
      assert.same({ 0, 0 }, { Room:count(), Lamp:count() })
    end)

    it("leave their owner with what fields names", function()
      for name, hooks in pairs { Guest = {}, Visitor = { beforeCreate = function() end } } do
        local Guest = db:define(name, { name = liga.STRING, age = liga.INTEGER }, { timestamps = false, hooks = hooks })
        Guest:hasMany(db:define(name .. "Card", { text = liga.STRING }, { timestamps = false }), { as = "cards" })
        db:sync()
        local values = { name = "ann", age = 5, cards = { { text = "x" } } }
        local options = { fields = { "name" }, include = "cards" }
        for _, ann in ipairs { Guest:create(values, options), Guest:bulkCreate({ values }, options)[1] } do
          assert.same({ "ann", 1 }, { ann.name, ann:countCards() })
          assert.is_nil(ann.age)
          assert.is_nil(ann:changed())
        end
      end
    end)

    it("are as unsaved as before when it fails", function()
      Post:create{ title = "taken" }
      local ann = User:build({ name = "ann", posts = { { title = "fine" }, { title = "taken" } } }, {
        include = "posts" })
      support.raises("UniqueConstraintError", function() ann:save() end)
      assert.is_true(ann:isNew())
      assert.is_nil(ann.id)
      assert.is_true(ann.posts[1]:isNew())
      ann.posts[2].title = "free"
      ann:save()
      assert.equal(2, ann:countPosts())
    end)

    it("run the hooks of their models", function()
      local calls = {}
      Post:beforeCreate(function(post) calls[#calls + 1] = "post " .. post.title end)
      User:afterCreate(function(user) calls[#calls + 1] = "user with " .. user.name .. " " .. Post:count() end)
      User:create({ name = "ann", posts = { { title = "1" }, { title = "2" } } }, { include = "posts" })
      assert.same({ "post 1", "post 2", "user with ann 2" }, calls)
    end)

    it("run the hooks of many rows with bulkCreate, and only there, however many there are", function()
      local calls = {}
      local function count(model)
        model:beforeBulkCreate(function(list) calls[#calls + 1] = model.name .. " " .. #list end)
      end
      count(User)
      count(Post)
      count(Tag)
      Tag:beforeCreate(function(tag) calls[#calls + 1] = "tag " .. tag.name end)
      local include = { include = { posts = { include = "tags" } } }
      User:create({ name = "ann", posts = { { title = "1" }, { title = "2", tags = { { name = "x" } } } } }, include)
      assert.same({ "tag x" }, calls)
      calls = {}
      User:bulkCreate({ { name = "bob", posts = { { title = "3", tags = { { name = "y" } } } } } }, include)
      assert.same({ "User 1", "Post 1", "Tag 1", "tag y" }, calls)
    end)

    it("run the hooks that see each junction row, too", function()
      local calls = {}
      PostTag:beforeCreate(function(row) calls[#calls + 1] = row.weight end)
      local tags = { { name = "a", PostTag = { weight = 5 } }, { name = "b", PostTag = { weight = 6 } } }
      Post:create({ title = "p", tags = tags }, { include = "tags" })
      assert.same({ 5, 6 }, calls)
    end)
  end)
end
