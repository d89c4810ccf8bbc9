-- Includes respect the scopes of their targets, and leave out what is only marked as deleted.
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("an include's scope on " .. engine.name, function()
    local db, User, Post, Comment
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      Post = db:define("Post", { title = liga.STRING, open = liga.BOOLEAN }, {
        paranoid = true, defaultScope = { where = { open = true }, order = { "-title" } },
        scopes = { closed = { where = { open = false } }, talked = { include = { comments = { limit = 1 } } } },
      })
      Comment = db:define("Comment", { text = liga.STRING }, { timestamps = false })
      User:hasMany(Post, { inverse = { as = "author" } })
      Post:hasMany(Comment)
      db:sync{ force = true }
      User:bulkCreate{ { name = "ann" }, { name = "bob" } }
      Post:bulkCreate{ { title = "a", open = true, authorId = 1 }, { title = "b", open = true, authorId = 1 },
        { title = "c", open = false, authorId = 1 }, { title = "d", open = true, authorId = 1 },
        { title = "e", open = false, authorId = 2 } }
      Post:unscoped():findByPk(4):destroy()
      Comment:bulkCreate{ { text = "x", postId = 1 }, { text = "y", postId = 1 }, { text = "z", postId = 4 } }
    end)
    after_each(function() db:close() end)

    local function titles(list) return table.concat(support.pluck(list, "title"), " ") end

    it("is the default one, which requires nothing", function()
      local users = User:findAll{ include = "posts", order = "id" }
      assert.equal(2, #users)
      assert.equal("b a", titles(users[1].posts))
      assert.same({}, users[2].posts)
      assert.equal("a b", titles(User:findByPk(1, { include = { posts = { order = "title" } } }).posts))
    end)

    it("is ANDed to the include's own conditions", function()
      assert.equal("b", titles(User:findByPk(1, { include = { posts = { where = { title = { "b", "c" } } } } }).posts))
    end)

    it("may be chosen, or none", function()
      local users = User:findAll{ include = { Post:scope("closed") }, order = "id" }
      assert.equal("c e", titles(users[1].posts) .. " " .. titles(users[2].posts))
      users = User:findAll{ include = { { model = Post:unscoped(), order = "title" } }, order = "id" }
      assert.equal("a b c", titles(users[1].posts))
      users = User:findAll{ include = { { model = Post:scope{ "talked" }, as = "posts" } }, order = "id" }
      assert.equal(1, #users[1].posts[1].comments)
    end)

    it("counts where it is required", function()
      assert.equal(1, User:count{ include = { posts = { required = true } } })
    end)

    it("applies to belongsTo as well", function()
      local comments = Comment:findAll{ include = "post", order = "id" }
      assert.equal("a", comments[1].post.title)
      assert.is_nil(comments[3].post)
      comments = Comment:findAll{ include = { post = { paranoid = false } }, order = "id" }
      assert.equal("d", comments[3].post.title)
    end)

    it("leaves out deleted rows, in paths too", function()
      assert.equal("b a", titles(User:findByPk(1, { include = "posts" }).posts))
      assert.equal("d b a", titles(User:findByPk(1, { include = { posts = { paranoid = false } } }).posts))
      assert.equal(0, User:count{ where = { ["posts.title"] = "d" } })
      assert.equal(0, User:count{ where = { [liga.Op.some("posts")] = { title = "d" } } })
    end)
  end)
end
