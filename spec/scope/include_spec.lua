-- Scopes of targets in includes and in Op.some, every, none (contract, sections 5 and 9).
local liga = require "liga"
local support = require "spec.support"

local Op = liga.Op

for engine in support.engines() do
  describe("scopes of included models on " .. engine.name, function()
    local db, User, Post, Comment
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Post = db:define("Post", { title = liga.STRING, status = liga.STRING }, {
        defaultScope = { where = { status = "open" }, order = { { "title", "DESC" } } },
        scopes = {
          drafts = { where = { status = "draft" } },
          first = { order = { "title" }, limit = 1 },
          commented = { include = { "comments" } },
        },
      })
      Comment = db:define("Comment", { text = liga.STRING, shown = liga.BOOLEAN })
      User:hasMany(Post)
      Post:hasMany(Comment)
      db:sync()
      local ann = User:create { name = "ann" }
      for _, title in ipairs { "a", "b", "c" } do
        ann:createPost({ title = title, status = title == "c" and "draft" or "open" }):createComment {
          text = title, shown = title ~= "b",
        }
      end
      User:create { name = "eva" }
    end)
    after_each(function() db:close() end)

    local function titles(user) return support.pluck(user.posts, "title") end

    it("meet the include of a call in whatever form it names the association", function()
      User:addScope("drafts", { include = { posts = { where = { title = "b" } } } })
      User:addScope("plain", { include = { "posts" } })
      local posts = User.associations.posts
      for _, include in ipairs { "posts", Post, posts, { "posts" }, { Post }, { posts }, { { model = Post } },
        { { as = "posts" } }, { { association = posts } }, { posts = {} }, { { model = Post, order = "title" } },
        { all = true } } do
        for _, scope in ipairs { User:scope("drafts"), User:scope("plain", "drafts") } do
          assert.same({ "b" }, titles(scope:findOne { include = include }))
        end
      end
      local found = User:scope("plain"):findOne { include = { { model = Post:scope("drafts") } } }
      assert.same({ "c" }, titles(found))
    end)

    it("hold where they are the default, and leave parents without such children in", function()
      local users = User:findAll { include = { "posts" }, order = { "id" } }
      assert.equal(2, #users)
      assert.same({ "b", "a" }, titles(users[1]))
      assert.same({}, titles(users[2]))
      assert.same({ "b", "a" }, titles(User:findOne { include = { { all = true } }, order = { "id" } }))
      assert.same({ "b", "a" }, titles(User:findOne { include = { posts = true }, order = { "id" } }))
    end)

    it("are joined with the where of the include, which makes it required", function()
      local users = User:findAll { include = { { association = "posts", where = { title = { "a", "c" } } } } }
      assert.equal(1, #users)
      assert.same({ "a" }, titles(users[1]))
    end)

    it("give way to an order and a limit of the include", function()
      local user = User:findOne { include = { { association = "posts", order = { "title" }, limit = 1 } } }
      assert.same({ "a" }, titles(user))
    end)

    it("hold for a to-one, too", function()
      local comments = Comment:findAll { include = { "post" }, order = { "id" } }
      assert.same({ "a", "b" }, { comments[1].post.title, comments[2].post.title })
      assert.is_nil(comments[3].post)
    end)

    it("are those of a scope object in place of the model", function()
      assert.same({ "c" }, titles(User:findOne { include = { Post:scope "drafts" }, order = { "id" } }))
      assert.same({ "a" }, titles(User:findOne { include = { { model = Post:scope "first" } }, order = { "id" } }))
      assert.equal(3, #User:findOne({ include = { Post:unscoped() }, order = { "id" } }).posts)
      assert.same({ "c" }, titles(User:findOne { include = Post:scope "drafts", order = { "id" } }))
    end)

    it("may include themselves", function()
      local user = User:findOne { include = { Post:scope("defaultScope", "commented") }, order = { "id" } }
      assert.same({ "b", "a" }, titles(user))
      assert.same({ "b" }, support.pluck(user.posts[1].comments, "text"))
      local post = Post:scope("commented"):findOne {
        include = { { association = "comments", where = { shown = false } } },
      }
      assert.equal("b", post.title)
      assert.same({ "b" }, support.pluck(post.comments, "text"))
    end)

    it("hold for what is loaded later", function()
      local users = User:findAll { order = { "id" } }
      db:preload(users, { "posts" })
      assert.same({ "b", "a" }, titles(users[1]))
      assert.same({ "c" }, support.pluck(users[1]:load(Post:scope "drafts"), "title"))
    end)

    it("hold in Op.some, every and none", function()
      local function names(where) return support.sorted(User:findAll { where = where }, "name") end
      assert.same({ "ann" }, names { [Op.some("posts")] = { title = "a" } })
      assert.same({}, names { [Op.some("posts")] = { title = "c" } })
      assert.same({ "ann", "eva" }, names { [Op.none("posts")] = { title = "c" } })
      assert.same({ "ann", "eva" }, names { [Op.every("posts")] = { status = "open" } })
    end)

    it("do not hold for paths", function()
      assert.equal(1, User:count { where = { ["posts.title"] = "c" } })
    end)

    it("of the model itself may include", function()
      Post:addScope("defaultScope", { include = { "comments" } }, { override = true })
      assert.equal(1, #Post:findOne({ where = { title = "a" } }).comments)
      assert.equal(3, Post:count())
    end)
  end)

  describe("hooks of finds with includes on " .. engine.name, function()
    local db, User, Post
    before_each(function()
      db = engine:open()
      User, Post = db:define("User", { name = liga.STRING }), db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      Post:hasMany("Comment")
      db:define("Comment", { text = liga.STRING })
      db:sync()
      User:create({ name = "ann" }):createPost({ title = "a" }):createComment { text = "x" }
    end)
    after_each(function() db:close() end)

    it("see includes in full table form, and may change them", function()
      local seen
      User:addHook("beforeFindAfterExpandIncludeAll", function(options) seen = options.include end)
      User:addHook("beforeFindAfterOptions", function(options) options.include[1].where = { title = "b" } end)
      assert.equal(0, #User:findAll { include = { posts = { include = "comments" } } })
      assert.equal("posts", seen[1].as)
      assert.is_true(rawequal(User.associations.posts, seen[1].association))
      assert.equal("comments", seen[1].include[1].as)
    end)

    it("see what all = true stands for", function()
      local names = {}
      User:addHook("beforeFindAfterExpandIncludeAll", function(options)
        for i, each in ipairs(options.include) do names[i] = each.as end
      end)
      local user = User:findOne { include = { { all = true, nested = true } } }
      assert.same({ "posts" }, names)
      assert.equal("x", user.posts[1].comments[1].text)
    end)

    it("don't change what all = true with nested stands for below another include", function()
      local include = { posts = { include = { all = true, nested = true } } }
      local function find() return User:findOne { include = include } end
      local before = find():toTable()
      User:addHook("beforeFindAfterOptions", function() end)
      assert.same(before, find():toTable())
    end)

    it("see the include as it was given before", function()
      local seen
      User:beforeFind(function(options) seen = options.include end)
      User:findAll { include = { "posts" } }
      assert.same({ "posts" }, seen)
    end)
  end)
end
