-- Paths into associations, in where, order, group and liga.col; Op.some, every, none (contract, section 5).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"
local Op, col, fn = liga.Op, liga.col, liga.fn

for engine in support.engines() do
  describe("a path on " .. engine.name, function()
    local db, log, User, Post, Comment, PostTag
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Comment, PostTag = models.User, models.Post, models.Comment, models.PostTag
    end)
    after_each(function() db:close() end)

    local function users(where, options)
      options = options or {}
      options.where, options.order = where, options.order or "id"
      return table.concat(support.pluck(User:findAll(options), "name"), " ")
    end
    local function posts(where, options)
      options = options or {}
      options.where, options.order = where, options.order or "id"
      return table.concat(support.pluck(Post:findAll(options), "title"), " ")
    end

    describe("in where", function()
      it("leads to one row", function()
        assert.equal("p1 p2 p3", posts{ ["author.name"] = "ann" })
        assert.equal("p1 p2 p3", posts{ ["$author.name$"] = "ann" })
        assert.equal("q1", posts{ ["author.age"] = { [Op.lt] = 25 } })
        assert.equal("cat", users{ ["boss.name"] = "dan" })
      end)

      it("leads to any depth", function()
        assert.equal("p1", posts{ ["comments.writer.name"] = "ann" })
        assert.equal("ann", users{ ["posts.comments.writer.profile.text"] = "about ann" })
        assert.equal("ann", users{ ["posts.tags.name"] = "sql" })
      end)

      it("finds each row once, whatever number of rows it leads to", function()
        assert.equal("ann", users{ ["posts.score"] = Op.gt(4) })
        assert.equal("p1 p2", posts{ ["tags.name"] = Op.like("%") })
        assert.equal(1, User:count{ where = { ["posts.score"] = Op.gt(4) } })
      end)

      it("goes with limit, order and include", function()
        assert.equal("p1", posts({ ["author.name"] = "ann" }, { limit = 1, include = "author" }))
        local ann = User:findOne{ where = { ["posts.title"] = "p2" }, include = "posts", limit = 1 }
        assert.equal(3, #ann.posts)
      end)

      it("through a missing row is NULL", function()
        assert.equal("ann bob dan", users{ ["boss.name"] = liga.null })
        assert.equal("cat dan", users{ ["posts.title"] = liga.null })
        assert.equal("p3", posts{ ["comments.id"] = liga.null })
        assert.equal("p3 q1", posts{ ["comments.likes"] = liga.null })
      end)

      it("of one prefix speaks of one row in a table, of others in other tables", function()
        assert.equal("", posts{ ["comments.text"] = "c1", ["comments.likes"] = 1 })
        assert.equal("p1", posts{ ["comments.text"] = "c1", ["comments.likes"] = 3 })
        assert.equal("p1", posts{ { ["comments.text"] = "c1" }, { ["comments.likes"] = 1 } })
        assert.equal("p1", posts{ ["comments.text"] = "c2", ["comments.writer.name"] = "ann" })
        assert.equal("", posts{ ["comments.text"] = "c1", ["comments.writer.name"] = "ann" })
      end)

      it("stands beside other conditions, in or_ and not_", function()
        assert.equal("p2", posts{ ["author.name"] = "ann", ["comments.likes"] = Op.gt(2), score = 9 })
        assert.equal("p1 q1", posts{ [Op.or_] = { ["comments.text"] = "c2", title = "q1" } })
        assert.equal("p3 q1", posts{ [Op.not_] = { ["tags.name"] = "lua" } })
        assert.equal("p1 p2", posts{ [Op.or_] = { { ["tags.name"] = "sql" }, { ["comments.text"] = "c3" } } })
      end)

      it("goes with all operators and with columns", function()
        assert.equal("p1 p2", posts{ ["tags.name"] = { "lua", "sql" } })
        assert.equal("p2", posts{ ["comments.likes"] = { [Op.between] = { 5, 10 } } })
        assert.equal("q1", posts{ ["author.name"] = Op.startsWith("b") })
        assert.equal("", posts{ score = Op.gt(col("author.age")) })
        assert.equal("p1 p2", posts{ liga.where(col("comments.likes"), Op.gt, 0), score = Op.gt(0) })
        assert.equal("p1 p2", posts(liga.where(col("comments.likes"), Op.gt, 0)))
      end)

      it("respects what the association filters", function()
        User:hasMany(Post, { as = "hits", foreignKey = "authorId", scope = { score = 9 }, inverse = { as = "author" } })
        assert.equal("ann", users{ ["hits.title"] = "p2" })
        assert.equal("", users{ ["hits.title"] = "p1" })
        assert.equal("bob cat dan", users{ ["hits.title"] = liga.null })
      end)

      it("works in getters, counts, aggregates and includes", function()
        local ann = User:findByPk(1)
        assert.equal("p2", ann:getPosts{ where = { ["comments.text"] = "c3" } }[1].title)
        assert.equal(1, ann:countPosts{ where = { ["comments.text"] = "c3" } })
        assert.equal(9, Post:sum("score", { where = { ["comments.text"] = "c3" } }))
        local list = User:findAll{ include = { posts = { where = { ["comments.writer.name"] = "bob" } } } }
        assert.equal("p1 p2", table.concat(support.pluck(list[1].posts, "title"), " "))
        list = Comment:findAll{ include = { post = { where = { ["author.name"] = "bob" } } } }
        assert.equal("c4", list[1].text)
        list = Post:findAll{ include = { tags = { where = { ["posts.title"] = "p2" } } }, order = "id" }
        assert.same({ 1, 1 }, { #list[1].tags, #list[2].tags })
      end)

      it("may begin with the model's own name, as may col, group and order", function()
        assert.equal("p2", posts{ ["Post.score"] = 9 })
        assert.equal("p1 p2", posts{ ["$Post.score$"] = Op.gt(col("Post.id")), ["Post.author.name"] = "ann" })
        assert.equal("q1 p3 p2 p1", posts(nil, { order = { "-Post.id" } }))
        assert.equal("p1 p2 p3 q1", posts(nil, { order = { "Post.author.name", { "Post.id", "ASC" } } }))
        local rows = Post:findAll{ attributes = { { fn("count", col("Post.id")), "n" } }, group = { "Post.authorId" },
          order = { "Post.authorId" }, raw = true }
        assert.same({ 3, 1 }, support.pluck(rows, "n"))
        support.raises("UsageError", function() posts{ ["Post.scor"] = 1 } end, "scor", "score")
      end)
    end)

    describe("in where, ended by a junction:", function()
      local function p1() return Post:findOne{ where = { title = "p1" } } end
      local function names(list) return table.concat(support.pluck(list, "name"), " ") end

      it("the links of parents", function()
        assert.equal("p1 p2", posts{ ["tags.PostTag.weight"] = Op.gt(1) })
        assert.equal("p2", posts{ ["$tags.PostTag.weight$"] = 3, ["tags.name"] = "lua" })
        assert.equal("", posts{ ["tags.PostTag.weight"] = 3, ["tags.name"] = "sql" })
        assert.equal("ann", users{ ["posts.tags.PostTag.weight"] = 3 })
        assert.equal("p3 q1", posts{ ["tags.PostTag.weight"] = liga.null })
        local rows = User:findAll{ attributes = { "id", { fn("max", col("posts.tags.PostTag.weight")), "most" } },
          group = "id", order = "id" }
        assert.equal(3, rows[1].most)
      end)

      it("the rows that an operator looks at", function()
        assert.equal("p2", posts{ [Op.some("tags")] = { ["PostTag.weight"] = Op.gt(2) } })
        assert.equal("ann", users{ [Op.some("posts.tags")] = { ["PostTag.weight"] = 2, name = "sql" } })
        assert.equal("p2 p3 q1", posts{ [Op.every("tags")] = { ["PostTag.weight"] = Op.gt(2) } })
      end)

      it("the rows of a getter", function()
        assert.equal("sql", names(p1():getTags{ where = { ["PostTag.weight"] = 2 } }))
        assert.equal(1, p1():countTags{ where = { ["PostTag.weight"] = Op.lt(2) } })
        assert.is_false(p1():hasTag(2, { where = { ["PostTag.weight"] = 1 } }))
        local tags = p1():getTags{ attributes = { "name", { col("PostTag.weight"), "weight" } }, order = "id" }
        assert.same({ 1, 2 }, support.pluck(tags, "weight"))
      end)

      it("the children of an include, with every strategy and cut", function()
        for _, strategy in ipairs { "join", "select" } do
          local function load(weight, limit)
            local tags = { strategy = strategy, where = { ["PostTag.weight"] = weight }, limit = limit, order = "id" }
            return Post:findAll{ order = "id", include = { tags = tags } }
          end
          local list = load(Op.gt(1))
          assert.same({ "sql", "lua" }, { names(list[1].tags), names(list[2].tags) })
          assert.equal(2, #list)
          list = load(Op.lt(3), 1)
          assert.same({ "lua" }, { names(list[1].tags), list[2] })
        end
        assert.equal(1, Post:count{ include = { tags = { where = { ["PostTag.weight"] = 3 } } } })
      end)

      it("nothing follows", function()
        support.raises("UsageError", function() posts{ ["tags.PostTag.post.title"] = "p1" } end, "post.title")
        support.raises("UsageError", function() posts{ ["tags.PostTag.weigth"] = 1 } end, "weight")
        support.raises("UsageError", function() posts{ ["PostTag.weight"] = 1 } end, "PostTag")
      end)
    end)

    describe("in order", function()
      it("leads to one row", function()
        assert.equal("q1 p3 p2 p1", posts(nil, { order = { { "author", "name", "DESC" }, "-id" } }))
        assert.equal("p1 p2 p3 q1", posts(nil, { order = { { User.name == "User" and "author", "name" }, "id" } }))
        assert.equal("q1 p1 p2 p3", posts(nil, { order = { "author.age", "id" } }))
        assert.equal("p1 p2 p3 q1", posts(nil, { order = { "-author.age", "id" } }))
        assert.equal("q1", posts(nil, { order = { { User, "age" } }, limit = 1 }))
      end)

      it("takes the smallest child ascending, the largest descending, childless last", function()
        assert.equal("bob ann cat dan", users(nil, { order = { { "posts", "score" }, "id" } }))
        assert.equal("ann bob cat dan", users(nil, { order = { { "posts", "score", "DESC" }, "id" } }))
        assert.equal("ann bob cat dan", users(nil, { order = { { "posts", "id", "ASC" }, "id" } }))
        assert.equal("bob ann cat dan", users(nil, { order = { { "posts", "id", "DESC" }, "id" } }))
        assert.equal("p2 p1 q1 p3", posts(nil, { order = { { "comments", "likes", "DESC NULLS LAST" } } }))
        assert.equal("p1 p2", posts(nil, { order = { { "comments", "likes" } }, limit = 2 }))
      end)

      it("compares children as their type does", function()
        local Shop = db:define("Shop", { name = liga.STRING }, { timestamps = false })
        local Sale = db:define("Sale", {
          amount = liga.DECIMAL(30, 2), level = liga.ENUM { "low", "mid", "high" },
          at = liga.DATE { stored = "mixed" }, code = liga.BLOB,
        }, { timestamps = false })
        Shop:hasMany(Sale)
        db:sync()
        for _, sale in ipairs {
          { amount = "9", level = "high", at = 10, code = "b" },
          { amount = "10", level = "low", at = 9, code = "\255" },
          { amount = "-3", level = "mid", at = 1e10, code = "a" },
        } do
          Shop:create({ name = sale.level, sales = { sale } }, { include = "sales" })
        end
        local function shops(...)
          return table.concat(support.pluck(Shop:findAll { order = { { "sales", ... } } }, "name"), " ")
        end
        assert.same({ "mid high low", "low high mid" }, { shops("amount"), shops("amount", "DESC") })
        assert.same({ "low mid high", "high mid low" }, { shops("level"), shops("level", "DESC") })
        assert.same({ "low high mid", "mid high low" }, { shops("at"), shops("at", "DESC") })
        assert.same({ "mid high low", "low high mid" }, { shops("code"), shops("code", "DESC") })
      end)

      it("goes over several steps", function()
        assert.equal("ann bob cat dan", users(nil, { order = { { "posts", "comments", "text" }, "id" } }))
        assert.equal("c4 c1 c2 c3", table.concat(support.pluck(Comment:findAll{
          order = { { "post", "author", "age" }, "id" } }, "text"), " "))
      end)

      it("names a step by an association, by its model, or by a table as in include", function()
        for _, step in ipairs { "posts", Post, User:association "posts", { as = "posts" }, { association = "posts" },
          { model = Post }, { model = Post, as = "posts" }, { model = "Post" } } do
          assert.equal("ann bob cat dan", users(nil, { order = { { step, "score", "DESC" }, "id" } }))
        end
        local function refuse(step, ...)
          support.raises("UsageError", function() users(nil, { order = { { step, "score" } } }) end, "order", ...)
        end
        refuse({ as = "post" }, "posts")
        refuse({ model = Comment, as = "posts" }, "User.posts leads to Post")
        refuse({}, "association, as or model")
        refuse({ as = "posts", where = {} }, "nothing else")
      end)
    end)

    describe("in order, ended by a junction:", function()
      local function tags_of(post, options) return table.concat(support.pluck(post:getTags(options), "name"), " ") end
      local function p1() return Post:findOne { where = { title = "p1" } } end

      it("the rows of a getter", function()
        for _, junction in ipairs { "PostTag", PostTag } do
          assert.equal("lua sql", tags_of(p1(), { order = { { junction, "weight" } } }))
          assert.equal("sql lua", tags_of(p1(), { order = { { junction, "weight", "DESC" } } }))
          assert.equal("sql lua", tags_of(p1(), { batch = true, order = { { junction, "weight", "DESC" } } }))
        end
        assert.equal("sql", tags_of(p1(), { order = "-PostTag.weight", limit = 1 }))
        assert.equal("sql lua", tags_of(p1(), { order = { { "PostTag.weight", "DESC" } } }))
      end)

      it("the children of each parent, with every strategy and cut", function()
        for _, strategy in ipairs { "join", "select" } do
          local function names(limit)
            local tags = { strategy = strategy, order = { { PostTag, "weight", "DESC" } }, limit = limit }
            local list = Post:findAll { order = "id", limit = 2, include = { tags = tags } }
            return support.pluck(list[1].tags, "name"), support.pluck(list[2].tags, "name")
          end
          assert.same({ { "sql", "lua" }, { "lua" } }, { names() })
          assert.same({ { "sql" }, { "lua" } }, { names(1) })
        end
      end)

      it("parents, by the smallest link ascending, the largest descending", function()
        assert.equal("p1 p2 p3 q1", posts(nil, { order = { { "tags", PostTag, "weight" }, "id" } }))
        assert.equal("p2 p1 p3 q1", posts(nil, { order = { { "tags", "PostTag", "weight", "DESC" }, "id" } }))
        assert.equal("p2 p1", posts(nil, { include = { "tags" }, order = { "-tags.PostTag.weight", "id" }, limit = 2 }))
        assert.equal("ann bob cat dan", users(nil, { order = { { "posts", "tags", PostTag, "weight" }, "id" } }))
      end)

      it("only where there is one, and nothing follows", function()
        local function refuse(path, ...)
          support.raises("UsageError", function() posts(nil, { order = { path } }) end, "order", ...)
        end
        refuse({ PostTag, "weight" }, "several")
        refuse({ "PostTag", "weight" }, "PostTag")
        refuse({ "tags", PostTag, "weigth" }, "weight")
        refuse({ "tags", PostTag, "post", "id" }, "post")
      end)
    end)

    it("in group, attributes and having joins", function()
      local rows = Post:findAll{ attributes = { { col("author.name"), "writer" }, { fn("count", col("id")), "n" } },
        group = { "author.name" }, order = { col("author.name") }, raw = true }
      assert.same({ { writer = "ann", n = 3 }, { writer = "bob", n = 1 } }, { rows[1], rows[2] })
      rows = User:findAll{ attributes = { "id", { fn("max", col("posts.score")), "best" } }, group = { "id" },
        having = liga.where(fn("count", col("posts.id")), Op.gt, 0), order = "id" }
      assert.same({ 9, 1 }, support.pluck(rows, "best"))
      rows = Post:count{ group = { "author.name" }, order = { col("author.name") } }
      assert.same({ 3, 1 }, support.pluck(rows, "count"))
    end)

    describe("with an operator for rows:", function()
      it("some", function()
        assert.equal("ann bob", users{ [Op.some("posts")] = {} })
        assert.equal("ann", users{ [Op.some("posts")] = { score = Op.gt(4) } })
        assert.equal("ann", users{ [Op.some("posts.comments")] = { likes = 7 } })
        assert.equal("p1", posts{ [Op.some("comments")] = { ["writer.name"] = "ann" } })
      end)

      it("none", function()
        assert.equal("cat dan", users{ [Op.none("posts")] = {} })
        assert.equal("bob cat dan", users{ [Op.none("posts")] = { score = Op.gt(4) } })
      end)

      it("every: no row for which it is not true, NULL is not true", function()
        assert.equal("bob cat dan", users{ [Op.every("posts")] = { score = Op.lt(5) } })
        assert.equal("p1 p2 p3", posts{ [Op.every("comments")] = { likes = Op.gt(0) } })
        assert.equal("cat dan", users{ [Op.every("posts")] = { title = "x" } })
      end)

      it("nested, beside others, over junctions and in lists", function()
        assert.equal("ann", users{ [Op.some("posts")] = { [Op.some("tags")] = { name = "sql" } }, age = 30 })
        assert.equal("p1", posts{ [Op.some("tags")] = { name = "lua" }, [Op.none("tags")] = { name = "none" },
          score = 5 })
        assert.equal("p2", posts{ [Op.every("tags")] = { name = "lua" }, [Op.some("tags")] = {} })
        assert.equal("ann cat", users{ [Op.or_] = { { [Op.some("posts")] = { title = "p1" } }, { name = "cat" } } })
      end)
    end)

    describe("refused", function()
      after_each(function() assert.same({}, log:statements()) end)
      local function refused(options, ...)
        return support.raises("UsageError", function() Post:findAll(options) end, ...)
      end

      it("is one that leads nowhere", function()
        refused({ where = { ["autor.name"] = 1 } }, "autor", "author")
        refused({ where = { ["author.nme"] = 1 } }, "nme", "name")
        refused({ where = { ["title.x"] = 1 } }, "attribute")
        refused({ where = { author = 1 } }, "association", "authorId")
        refused({ where = { comments = {} } }, "association", 'Op.some("comments")')
        refused({ where = { ["$author.name"] = 1 } }, "path")
        refused({ order = { { "autor", "name" } } }, "author")
        refused({ order = { { "author", "nme" } } }, "name")
        refused({ order = "author.nme" }, "name")
        refused({ group = { "autor.name" } }, "author")
        refused({ attributes = { { col("autor.name"), "x" } } }, "author")
      end)

      it("is an operator for rows in the wrong place", function()
        refused({ where = { [Op.some("coments")] = {} } }, "comments")
        refused({ where = { [Op.some] = {} } }, "Op.some")
        refused({ where = { title = Op.some("comments") } }, "Op.some")
        refused({ where = { [Op.some(1)] = {} } }, "name of an association")
        refused({ where = { [Op.some("comments")] = { txt = 1 } } }, "text")
      end)

      it("is a path where no table can be joined", function()
        support.raises("UsageError", function()
          Post:update({ title = liga.col("author.name") }, { all = true })
        end, "author.name")
        support.raises("UsageError", function()
          User:hasMany(Comment, { as = "odd", foreignKey = "writerId", where = { ["post.title"] = "x" } })
        end)
      end)
    end)
  end)
end
