-- Loaded associations stay in step with the generated methods (contract, section 4).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a loaded association on " .. engine.name, function()
    local db, log, User, Post, Tag
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Tag = models.User, models.Post, models.Tag
    end)
    after_each(function() db:close() end)

    local function titles(list) return table.concat(support.pluck(list, "title"), " ") end
    local function load(include) return User:findByPk(1, { include = include or "posts" }) end

    it("gets what is added, once", function()
      local ann = load()
      local list, post = ann.posts, Post:findByPk(4)
      ann:addPost(post)
      ann:addPosts{ post, ann.posts[1] }
      assert.equal("p1 p2 p3 q1", titles(ann.posts))
      assert.is_true(rawequal(list, ann.posts))
      ann:createPost{ title = "new" }
      assert.equal("p1 p2 p3 q1 new", titles(ann.posts))
      ann.name = "x"
      ann:save()
    end)

    it("gets the rows of raw keys", function()
      local ann = load()
      log:clear()
      assert.is_true(ann:addPost(4))
      assert.equal("q1", ann.posts[4].title)
      assert.equal(2, #log:statements "query")
      support.raises("InstanceError", function() ann:addPosts{ 4, 99 } end)
      assert.equal(4, #ann.posts)
      local keys = { 4, 1 }
      assert.is_true(rawequal(keys, ann:setPosts(keys)))
      assert.equal("q1 p1", titles(ann.posts))
    end)

    it("loses what is removed, and becomes what is set", function()
      local ann = load()
      assert.equal(1, ann:removePost(ann.posts[2]))
      assert.equal("p1 p3", titles(ann.posts))
      ann:removePosts{ 3 }
      assert.equal("p1", titles(ann.posts))
      ann:setPosts{ Post:findByPk(2), Post:findByPk(4) }
      assert.equal("p2 q1", titles(ann.posts))
      ann:setPosts(nil)
      assert.same({}, ann.posts)
    end)

    it("over a junction too", function()
      local post = Post:findByPk(1, { include = "tags" })
      post:addTag(3)
      post:removeTag(1)
      assert.same({ "none", "sql" }, support.sorted(post.tags, "name"))
      post:createTag{ name = "made" }
      assert.equal(3, #post.tags)
      assert.equal(3, post:countTags())
      assert.equal(4, Tag:count())
    end)

    it("over a junction gets the rows of raw keys with their junction rows, or stays as it was", function()
      local post = Post:findByPk(3, { include = "tags" })
      log:clear()
      assert.is_true(post:addTag(3))
      assert.equal(3, #log:statements "query")
      assert.equal("PostTag{postId=3, tagId=3}", tostring(post.tags[#post.tags].PostTag))
      local keys = { 1, Tag:findByPk(2) }
      assert.is_true(rawequal(keys, post:setTags(keys)))
      assert.equal("PostTag{postId=3, tagId=1}", tostring(post.tags[1].PostTag))
      assert.is_true(rawequal(keys[2], post.tags[2]))
      db:addHook("beforeQuery", "refuse", function(info)
        if info.sql:find "^SELECT" and info.sql:find "weight" then error("no", 0) end
      end)
      assert.is_false(pcall(post.addTag, post, 3))
      db:removeHook("beforeQuery", "refuse")
      assert.equal(2, post:countTags())
      assert.equal(2, #post.tags)
      log:clear()
      assert.equal(1, post:removeTag(1))
      assert.equal(1, #log:statements "query")
      assert.same({ keys[2] }, { table.unpack(post.tags) })
    end)

    it("of one is what was set", function()
      local ann = load{ "profile", "boss" }
      ann:setBoss(User:findByPk(2))
      assert.equal("bob", ann.boss.name)
      ann:setBoss(4)
      assert.equal("dan", ann.boss.name)
      ann:setBoss(nil)
      assert.is_nil(ann.boss)
      assert.is_true(ann:isLoaded "boss")
      ann:createProfile{ text = "other" }
      assert.equal("other", ann.profile.text)
      ann:save()
    end)

    it("is dropped where it was filtered", function()
      for _, include in ipairs{ { posts = { limit = 1 } }, { posts = { order = "title" } }, { posts = { where = {
        score = 5 } } } } do
        local ann = load(include)
        ann:addPost(4)
        assert.is_nil(ann.posts)
        assert.is_false(ann:isLoaded "posts")
      end
    end)

    it("is dropped where the association itself has a filter and something is added, which may be outside", function()
      User:hasMany(Post, { as = "goodPosts", inverse = "author", where = { score = liga.Op.gt(4) } })
      User:hasOne(Post, { as = "hit", inverse = "author", where = { score = 9 } })
      local ann = load{ "goodPosts", "hit" }
      assert.equal("p1 p2", titles(ann.goodPosts))
      ann:removeGoodPost(ann.goodPosts[1])
      assert.equal("p2", titles(ann.goodPosts))
      ann:addGoodPost(4)
      assert.is_nil(ann.goodPosts)
      assert.is_false(ann:isLoaded "goodPosts")
      ann:setHit(Post:findByPk(4))
      assert.is_nil(ann.hit)
      ann:save()
    end)

    it("stays away where it was not loaded", function()
      local ann = User:findByPk(1)
      ann:addPost(4)
      assert.is_nil(ann.posts)
    end)

    it("takes lists and keys where singular and plural are one word", function()
      local Deer = db:define("Deer", {
        { "herd", { type = liga.STRING(2), primaryKey = true } }, { "nr", { type = liga.INTEGER, primaryKey = true } },
      })
      local Sheep = db:define("Sheep", {})
      User:belongsToMany(Deer, { through = "Sighting" })
      User:hasMany(Sheep)
      db:sync{ alter = true }
      Deer:bulkCreate{ { herd = "a", nr = 1 }, { herd = "a", nr = 2 } }
      local sheep = Sheep:bulkCreate{ {}, {}, {} }
      local ann = load{ "deer", "sheep" }
      ann:addSheep{ sheep[1], sheep[2].id }
      assert.is_true(ann:addSheep(sheep[3].id))
      assert.equal(2, ann:removeSheep{ sheep[1].id, sheep[3] })
      assert.same({ 2 }, support.pluck(ann.sheep, "id"))
      ann:addDeer{ "a", 2 }
      ann:addDeer{ { "a", 1 }, { herd = "a", nr = 2 } }
      assert.same({ 2, 1 }, support.pluck(ann.deer, "nr"))
    end)

    it("holds no rows that the target's scope hides", function()
      local Note = db:define("Note", { open = liga.BOOLEAN }, { defaultScope = { where = { open = true } } })
      User:hasMany(Note)
      db:sync{ alter = true }
      local notes = Note:bulkCreate{ { open = true }, { open = false } }
      local ann = load "notes"
      assert.is_true(ann:addNote(notes[2].id))
      ann:addNotes{ notes[1].id, notes[2].id }
      assert.same({ 1 }, support.pluck(ann.notes, "id"))
      assert.equal(2, Note:unscoped():count{ where = { userId = ann.id } })
    end)

    it("does not hide what is wrong in the call", function()
      local ann = load()
      support.raises("UsageError", function() ann:addPosts{ 1, nil, 2 } end, "addPosts", "hole")
      support.raises("ValidationError", function() ann:addPosts{ 4, "x" } end, "addPosts")
      support.raises("UsageError", function() ann:addPosts(4) end, "addPosts")
      assert.equal("p1 p2 p3", titles(ann.posts))
    end)
  end)
end
