-- Batched lazy loading (contract, section 5).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("lazy loading on " .. engine.name, function()
    local db, log, User, Post
    local function open(options)
      options = options or {}
      log = support.log()
      options.logging = log.record
      db = engine:open(options)
      local models = forum.define(db)
      User, Post = models.User, models.Post
      db:sync{ force = true }
      forum.fill(models)
      log:clear()
    end
    after_each(function() db:close() end)

    local function titles(list) return table.concat(support.pluck(list, "title"), " ") end

    it("is off unless asked for", function()
      open()
      for _, user in ipairs(User:findAll()) do assert.is_nil(user.posts) end
    end)

    it("loads for all that were read together, level by level", function()
      open()
      local seen = {}
      for _, user in ipairs(User:findAll{ lazy = "batch", order = "id" }) do
        for _, post in ipairs(user.posts) do
          for _, comment in ipairs(post.comments) do
            seen[#seen + 1] = comment.text .. (comment.writer and comment.writer.name or "")
          end
        end
      end
      assert.same({ "c1bob", "c2ann", "c3bob", "c4" }, seen)
      assert.equal(4, #log:statements "query")
    end)

    it("keeps what was loaded", function()
      open()
      local users = User:findAll{ lazy = "batch", order = "id" }
      local posts = users[1].posts
      assert.is_true(rawequal(posts, users[1].posts))
      assert.is_true(users[1]:isLoaded "posts")
      assert.is_false(users[2]:isLoaded "posts")
      assert.is_nil(rawget(users[2], "posts"))
      assert.equal("q1", titles(users[2].posts))
      assert.is_nil(users[1].boss)
      assert.is_nil(users[2].boss)
      assert.equal("dan", users[3].boss.name)
      assert.equal(3, #log:statements "query")
      users[1].name = "Ann"
      users[1]:save()
    end)

    it("leaves alone what is loaded already", function()
      open()
      local users = User:findAll{ lazy = "batch", order = "id", include = { posts = { limit = 1 } } }
      assert.equal("p1", titles(users[1].posts))
      assert.equal(2, #log:statements "query")
    end)

    it("is an option of models and connections", function()
      open{ lazy = "batch" }
      local users = User:findAll{ order = "id" }
      assert.equal("p1 p2 p3", titles(users[1].posts))
      assert.equal("p1 p2 p3", titles(User:findByPk(1).posts))
      assert.is_nil(User:findAll{ lazy = "off" }[1].posts)
      local Note = db:define("Note", { text = liga.STRING }, { lazy = "off" })
      Note:belongsTo(User)
      db:sync()
      Note:create{ text = "x", userId = 1 }
      assert.is_nil(Note:findOne().user)
      assert.equal("ann", Note:findOne{ lazy = "batch" }.user.name)
    end)

    it("goes beyond one chunk of rows", function()
      open()
      local list = {}
      for i = 1, 700 do list[i] = { title = "x" .. i, authorId = i % 2 + 1 } end
      Post:bulkCreate(list)
      log:clear()
      local names = {}
      for _, post in ipairs(Post:findAll{ lazy = "batch" }) do
        names[post.author.name] = (names[post.author.name] or 0) + 1
      end
      assert.equal(353, names.ann)
      assert.equal(2, #log:statements "query")
    end)

    it("raises where it is to be explicit", function()
      open()
      local user = User:findAll{ lazy = "raise", include = "boss", order = "id" }[1]
      assert.is_nil(user.boss)
      local e = support.raises("EagerLoadingError", function() return user.posts end, "User.posts", 'include = "posts"')
      assert.equal("posts", e.path)
      assert.equal("p1 p2 p3", titles(user:load "posts"))
      assert.equal("p1 p2 p3", titles(user.posts))
      assert.is_nil(user.nothing)
    end)

    it("answers getters by what they ask, also within expressions and operators", function()
      open()
      local ann = User:findAll{ order = "id" }[1]
      local function ask(where) return titles(ann:getPosts{ batch = true, where = where }) end
      for _ = 1, 2 do
        assert.equal("p1", ask{ title = liga.Op.eq "p1" })
        assert.equal("p2", ask{ title = liga.Op.eq "p2" })
        assert.equal("p1", ask(liga.sql("title = ?", "p1")))
        assert.equal("p2", ask(liga.sql("title = ?", "p2")))
      end
      for _, name in ipairs { "comments", "tags" } do
        assert.is_true(ann:getPosts{ batch = true, include = Post.associations[name] }[1]:isLoaded(name))
        assert.is_true(ann:getPosts{ batch = true, include = Post.associations[name].target }[1]:isLoaded(name))
      end
    end)

    it("answers getters and counts for the cohort", function()
      open()
      local users = User:findAll{ order = "id" }
      local all, counts = {}, {}
      for i, user in ipairs(users) do
        all[i] = titles(user:getPosts{ batch = true, order = "-id", where = { score = { [liga.Op.gt] = 0 } } })
        counts[i] = user:countPosts{ batch = true }
        assert.is_nil(user.posts)
      end
      assert.same({ "p2 p1", "q1", "", "" }, all)
      assert.same({ 3, 1, 0, 0 }, counts)
      assert.equal(3, #log:statements "query")
      assert.equal("dan", users[3]:getBoss{ batch = true }.name)
      assert.is_nil(users[1]:getBoss{ batch = true })
      assert.equal(3, User:findByPk(1):countPosts{ batch = true })
    end)

    it("gives memory back with the list", function()
      open{ lazy = "batch" }
      local function use()
        for _, user in ipairs(User:findAll()) do
          for _, post in ipairs(user.posts) do assert(post.comments and post.tags) end
        end
      end
      for _ = 1, 20 do use() log:clear() end
      collectgarbage()
      collectgarbage()
      local before = collectgarbage "count"
      for _ = 1, 200 do use() log:clear() end
      collectgarbage()
      collectgarbage()
      assert.is_true(collectgarbage "count" - before < 50, collectgarbage "count" - before)
    end)

    it("works on for those that are left of a list", function()
      open()
      local names, posts = {}, {}
      for i = 1, 1500 do names[i], posts[i] = { name = "u" .. i }, { title = "t" .. i } end
      for i, user in ipairs(User:bulkCreate(names)) do posts[i].authorId = user.id end
      Post:bulkCreate(posts)
      local users = User:findAll{ lazy = "batch", order = "id", where = { name = { [liga.Op.like] = "u%" } } }
      local function keep(last)
        for i = #users, 1, -1 do
          if i % 300 ~= last then table.remove(users, i) end
        end
        for _ = 1, 3 do collectgarbage() end
      end
      assert.equal("t1", titles(users[1].posts))
      keep(1)
      log:clear()
      for i, user in ipairs(users) do
        assert.equal("t" .. (i * 300 - 299), titles(user.posts))
        assert.equal(1, user:countPosts{ batch = true })
        assert.equal(0, #user.remarks)
      end
      assert.equal(2, #log:statements "query")
    end)

    local function counts(users)
      local list = {}
      for i, user in ipairs(users) do list[i] = user:countPosts{ batch = true } end
      return list
    end

    it("asks for one short list only, whatever was read before and after it", function()
      open()
      local before, first = User:findByPk(3), User:findAll{ where = { id = { [liga.Op.lt] = 3 } }, order = "id" }
      local second = User:findAll{ where = { id = { [liga.Op.gt] = 1 } }, order = "id" }
      local made = User:create{ name = "eve" }
      made:createPost{ title = "r1" }
      log:clear()
      assert.same({ 3, 1 }, counts(first))
      assert.equal(1, #log:statements "query")
      assert.equal(4, log[1].info.rows, "posts of these users only")
      assert.same({ 1, 0, 0 }, counts(second))
      assert.equal(2, #log:statements "query")
      assert.equal(0, before:countPosts{ batch = true })
      assert.equal(1, made:countPosts{ batch = true })
      assert.same({ 3, 1 }, counts(first))
      assert.equal(5, #log:statements "query")
      for i, posts in ipairs{ "p1 p2 p3", "q1" } do
        assert.equal(posts, titles(first[i]:getPosts{ batch = true, order = "id" }))
      end
      assert.equal(6, #log:statements "query")
    end)

    it("asks for the whole of a list that is longer than those before it", function()
      open()
      local names, posts = {}, {}
      for i = 1, 700 do names[i], posts[i] = { name = "u" .. i }, { title = "t" .. i } end
      for i, user in ipairs(User:bulkCreate(names)) do posts[i].authorId = user.id end
      Post:bulkCreate(posts)
      for _ = 1, 5 do assert.equal(2, #User:findAll{ where = { id = { [liga.Op.lt] = 3 } } }) end
      for _, length in ipairs { 7, 50, 150, 700, 3 } do
        local users = User:findAll{ where = { id = { [liga.Op.between] = { 5, length + 4 } } } }
        assert.equal(length, #users)
        local single = User:findByPk(1)
        log:clear()
        for _, count in ipairs(counts(users)) do assert.equal(1, count) end
        assert.equal(1, #log:statements "query")
        for _, user in ipairs(users) do
          assert.equal("t" .. user.name:sub(2), titles(user:getPosts{ batch = true }))
        end
        assert.equal(2, #log:statements "query")
        assert.equal(3, single:countPosts{ batch = true })
      end
    end)

    it("gives back what waits for the rest of a short list", function()
      open()
      local title = ("x"):rep(200)
      for i = 1, 100 do Post:create{ title = title .. i, authorId = 2 } end
      local function use()
        local users = User:findAll{ order = "id" }
        assert.equal("p1 p2 p3", titles(users[1]:getPosts{ batch = true, order = "id" }))
        log:clear()
      end
      local function measured()
        for _ = 1, 3 do collectgarbage() end
        return collectgarbage "count"
      end
      for _ = 1, 20 do use() end
      local before = measured()
      for _ = 1, 100 do use() end
      assert.is_true(measured() - before < 50, measured() - before)
    end)

    it("keeps of a list no more than belongs to those that are left of it", function()
      open()
      local names = {}
      for i = 1, 20000 do names[i] = { name = ("user number %d"):format(i) } end
      User:bulkCreate(names)
      names = nil -- luacheck: ignore 311
      local function measured()
        for _ = 1, 4 do collectgarbage() end
        return collectgarbage "count"
      end
      local kept, before = {}, measured()
      for i = 1, 5 do
        local users = User:findAll{ lazy = "batch" }
        assert.is_nil(users[10000].boss)
        kept[i] = users[10000]
        log:clear()
      end
      local each = (measured() - before) / #kept
      assert.is_true(each < 300, each .. " KB for one of 20,000")
      assert.same({}, kept[1].posts)
    end)

    it("refuses words it does not know", function()
      open()
      support.raises("UsageError", function() User:findAll{ lazy = "yes" } end, "lazy")
      support.raises("UsageError", function() db:define("X", {}, { lazy = 1 }) end, "lazy")
      support.raises("UsageError", function() engine:reopen{ lazy = "no" } end, "lazy")
      support.raises("UsageError", function() User:findByPk(1):getPosts{ batch = 1 } end, "batch")
    end)
  end)
end
