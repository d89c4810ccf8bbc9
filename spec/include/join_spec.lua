-- strategy = "join" for lists: one statement, the same result (contract, section 5).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("a joined list on " .. engine.name, function()
    local db, log, User, Post, Tag
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Tag = models.User, models.Post, models.Tag
    end)
    after_each(function() db:close() end)

    local function titles(list) return table.concat(support.pluck(list, "title"), " ") end

    --- Finds by join, in this number of statements, and asserts that keyed statements give the same.
    local function same(model, statements, build)
      log:clear()
      local joined = model:findAll(build "join")
      assert.equal(statements, #log:statements "query")
      local function plain(list)
        local result = {}
        for i, row in ipairs(list) do result[i] = row.toTable and row:toTable() or row end
        return result
      end
      assert.same(plain(model:findAll(build "select")), plain(joined))
      return joined
    end

    it("takes one statement, lists within lists too", function()
      local users = same(User, 1, function(strategy)
        return { order = "-name", include = { posts = { strategy = strategy, order = "-title", include = {
          comments = { strategy = strategy, where = { likes = Op.gt(2) }, required = false, include = "writer" } } } } }
      end)
      assert.equal("p3 p2 p1", titles(users[4].posts))
      assert.same({}, users[1].posts)
      assert.equal("bob", users[4].posts[3].comments[1].writer.name)
    end)

    it("goes over junctions, whose rows come along", function()
      local posts = same(Post, 1, function(strategy)
        local through = { where = { weight = Op.gt(1) } }
        return { order = "id", include = { tags = { strategy = strategy, through = through } } }
      end)
      assert.equal(2, posts[1].tags[1].PostTag.weight)
      posts[1].tags[1].PostTag:update{ weight = 20 }
      same(Post, 1, function(strategy)
        local through = { attributes = { "weight" }, as = "link" }
        return { order = "id", include = { tags = { strategy = strategy, through = through,
          include = { posts = { strategy = strategy, through = { attributes = {} } } } } } }
      end)
    end)

    it("hangs on joined targets and on what statements of their own read", function()
      same(Post, 1, function(strategy)
        return { order = "id", include = { author = { include = { posts = { strategy = strategy } } } } }
      end)
      same(User, 2, function(strategy)
        return { order = "id", include = { posts = { include = { comments = { strategy = strategy } } } } }
      end)
      same(Tag, 2, function(strategy)
        return { order = "id", include = { posts = { include = { comments = { strategy = strategy } } } } }
      end)
    end)

    it("leaves limit and offset to the parents", function()
      local users = same(User, 1, function(strategy)
        return { order = { { "boss", "name" }, "-age" }, limit = 2, offset = 1,
          where = { ["posts.score"] = Op.not_(4) },
          include = { posts = { strategy = strategy, required = true }, boss = {} } }
      end)
      assert.equal("bob", users[1].name)
      log:clear()
      assert.equal(3, #User:findOne{ include = { posts = { strategy = "join" } } }.posts)
      assert.equal(3, #User:findByPk(1, { include = { posts = { strategy = "join" } } }).posts)
      assert.equal(2, #log:statements "query")
      local rows, count = User:findAndCountAll{ include = { posts = { strategy = "join" } }, limit = 1, order = "id" }
      assert.same({ 1, 4, 3 }, { #rows, count, #rows[1].posts })
      local counts = {}
      for user in User:each{ batch = 2, include = { posts = { strategy = "join" } } } do
        counts[#counts + 1] = #user.posts
      end
      assert.same({ 3, 1, 0, 0 }, counts)
    end)

    it("filters by required children at every level", function()
      same(User, 1, function(strategy)
        return { order = "id", include = { posts = { strategy = strategy, required = true, include = {
          comments = { strategy = strategy, where = { text = { "c3", "c4" } } } } } } }
      end)
      same(User, 1, function(strategy)
        return { order = "id", include = { posts = { strategy = strategy, include = {
          comments = { strategy = strategy, required = true, include = { writer = { required = true } } } } } } }
      end)
    end)

    it("shows chosen attributes and expressions, also in its order", function()
      local users = same(User, 1, function(strategy)
        return { attributes = { "name", { liga.fn("upper", liga.col("name")), "loud" } }, order = "loud",
          include = { posts = { strategy = strategy, order = { { "loud", "DESC" } },
            attributes = { { liga.fn("upper", liga.col("title")), "loud" } } } } }
      end)
      assert.equal("P3", users[1].posts[1].loud)
      same(User, 1, function(strategy)
        return { raw = true, order = "id", include = { posts = { strategy = strategy, attributes = { "title" } } } }
      end)
    end)

    it("gives instances like any other", function()
      local posts = { strategy = "join", include = { comments = { strategy = "join" } } }
      local ann = User:findByPk(1, { include = { posts = posts } })
      assert.is_nil(ann:changed())
      ann.posts[1]:update{ title = "P" }
      ann:reload()
      assert.equal("P p2 p3", titles(ann.posts))
      assert.is_true(ann:isLoaded "posts")
      assert.is_true(ann.posts[1]:isLoaded "comments")
    end)

    it("gives way where rows could not be told apart or would multiply, which explain tells", function()
      local function reason(include, options)
        options = options or {}
        options.include = include
        return User:explain(options):match 'include posts: select %((.-)%)\n'
      end
      assert.is_truthy(reason{ posts = { strategy = "join", limit = 1 } }:find("limit", 1, true))
      assert.is_truthy(reason{ posts = { strategy = "join", on = { score = 1 } } }:find("on", 1, true))
      assert.is_truthy(reason{ { association = "remarks", strategy = "join" },
        { association = "posts", strategy = "join" } }:find("multiply", 1, true))
      assert.is_truthy(reason({ posts = { strategy = "join" } }, { lock = true }):find("locked", 1, true))
      assert.is_nil(reason{ posts = { strategy = "join" } })
      local text = User:explain{ include = { posts = { strategy = "join" } } }
      assert.is_truthy(text:find('include posts: join (strategy = "join")', 1, true), text)
      same(User, 2, function(strategy)
        return { order = "id", include = { { association = "remarks", strategy = strategy }, { association = "posts",
          strategy = strategy, where = { score = Op.gt(1) }, required = false } } }
      end)
    end)

    it("to one row leaves rows out by what it requires, paths do not: the same order by every strategy", function()
      local function ordered(strategy)
        local posts = Post:findAll{ order = { { "author", "name", "DESC" }, "title" }, include = { author = {
          strategy = strategy, include = { posts = { where = { title = "q1" } } } } } }
        assert.same({ "bob" }, { posts[1].author.name, posts[2].author })
        return titles(posts)
      end
      assert.equal("q1 p1 p2 p3", ordered "join")
      assert.equal("q1 p1 p2 p3", ordered "select")
    end)

    it("keeps parents and children with keys of several parts apart", function()
      local A = db:define("A", { x = { type = liga.STRING, primaryKey = true }, y = { type = liga.STRING,
        primaryKey = true } }, { timestamps = false })
      local B = db:define("B", { x = { type = liga.STRING, primaryKey = true }, y = { type = liga.STRING,
        primaryKey = true } }, { timestamps = false })
      A:hasMany(B, { as = "bs", foreignKey = { "ax", "ay" } })
      db:sync()
      A:bulkCreate{ { x = "1", y = "11" }, { x = "11", y = "1" }, { x = "111", y = "" } }
      B:bulkCreate{ { x = "1", y = "11", ax = "1", ay = "11" }, { x = "11", y = "1", ax = "1", ay = "11" },
        { x = "111", y = "", ax = "11", ay = "1" } }
      local list = same(A, 1, function(strategy)
        return { order = { "x", "y" }, include = { bs = { strategy = strategy } } }
      end)
      assert.same({ 2, 1, 0 }, { #list[1].bs, #list[2].bs, #list[3].bs })
    end)
  end)
end
