-- include: associations loaded with the find (contract, section 5).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("include on " .. engine.name, function()
    local db, log, User, Post, Comment, Tag, Profile
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Comment, Tag, Profile = models.User, models.Post, models.Comment, models.Tag, models.Profile
    end)
    after_each(function() db:close() end)

    local function names(list, attribute) return table.concat(support.pluck(list, attribute), " ") end
    local function titles(list) return names(list, "title") end
    local function find(options)
      options.order = options.order or "id"
      return User:findAll(options)
    end

    describe("takes", function()
      local function posts_of_ann(include) return titles(find{ include = include }[1].posts) end

      it("the name of an association", function()
        assert.equal("p1 p2 p3", posts_of_ann("posts"))
        assert.equal("p1 p2 p3", posts_of_ann{ "posts" })
      end)

      it("a model that one association leads to", function()
        assert.equal("p1 p2 p3", posts_of_ann(Post))
        assert.equal("p1 p2 p3", posts_of_ann{ Post })
      end)

      it("an association", function()
        assert.equal("p1 p2 p3", posts_of_ann(User.associations.posts))
        assert.equal("p1 p2 p3", posts_of_ann{ User.associations.posts })
      end)

      it("a table of options that names one", function()
        assert.equal("p1 p2 p3", posts_of_ann{ association = "posts" })
        assert.equal("p1 p2 p3", posts_of_ann{ { association = User.associations.posts } })
        assert.equal("p1 p2 p3", posts_of_ann{ { as = "posts" } })
        assert.equal("p1 p2 p3", posts_of_ann{ { model = Post } })
        assert.equal("p1 p2 p3", posts_of_ann{ { model = Post, as = "posts" } })
        assert.equal("p1 p2 p3", posts_of_ann{ posts = { association = "posts", as = "posts", model = Post } })
      end)

      it("a map from names to options", function()
        local ann = find{ include = { posts = { limit = 1 }, profile = true } }[1]
        assert.equal("p1", titles(ann.posts))
        assert.equal("about ann", ann.profile.text)
      end)

      it("all associations, or those of a group", function()
        local ann = find{ include = { all = true } }[1]
        assert.equal("p1 p2 p3", titles(ann.posts))
        assert.equal("about ann", ann.profile.text)
        assert.same({}, ann.staff)
        ann = find{ include = { { all = "One" } } }[1]
        assert.equal("about ann", ann.profile.text)
        assert.is_nil(ann.posts)
        ann = find{ include = { { all = { "HasMany" } } } }[1]
        assert.equal("p1 p2 p3", titles(ann.posts))
        assert.is_nil(ann.profile)
      end)

      it("all of them nested, up to models that are on the path", function()
        local ann = find{ include = { all = true, nested = true } }[1]
        assert.equal("c1", ann.posts[1].comments[1].text)
        assert.is_nil(ann.posts[1].author)
      end)

      it("an empty list", function()
        assert.equal(4, #find{ include = {} })
      end)
    end)

    describe("gives", function()
      it("a list for the many kinds, empty where there is nothing", function()
        local users = find{ include = "posts" }
        assert.same({ 3, 1, 0, 0 }, { #users[1].posts, #users[2].posts, #users[3].posts, #users[4].posts })
        assert.equal("array", getmetatable(users[3].posts).__jsontype)
      end)

      it("an instance or nil for one", function()
        local users = find{ include = { "profile", "boss" } }
        assert.equal("about ann", users[1].profile.text)
        assert.is_nil(users[2].profile)
        assert.equal("dan", users[3].boss.name)
      end)

      it("targets over a junction, each with its junction row", function()
        local post = Post:findOne{ where = { title = "p1" }, include = "tags" }
        assert.equal("lua sql", names(post.tags, "name"))
        assert.same({ 1, 2 }, { post.tags[1].PostTag.weight, post.tags[2].PostTag.weight })
        post.tags[2].PostTag.weight = 20
        post.tags[2].PostTag:save()
        assert.equal(20, Post:findOne{ where = { title = "p1" }, include = "tags" }.tags[2].PostTag.weight)
      end)

      it("any depth", function()
        local ann = find{ include = { posts = { include = { comments = { include = "writer" }, tags = {} } } } }[1]
        assert.equal("bob", ann.posts[1].comments[1].writer.name)
        assert.equal("ann", ann.posts[1].comments[2].writer.name)
        assert.equal("lua", ann.posts[2].tags[1].name)
      end)

      it("instances that save what changed", function()
        local ann = find{ include = { "posts", "profile" } }[1]
        ann.posts[1].title, ann.profile.text, ann.name = "P1", "new", "Ann"
        ann.posts[1]:save()
        ann.profile:save()
        ann:save()
        ann = User:findByPk(ann.id, { include = { "posts", "profile" } })
        assert.same({ "Ann", "P1", "new" }, { ann.name, ann.posts[1].title, ann.profile.text })
      end)

      it("one instance for equal keys within an include, but one for each link below belongsToMany", function()
        local posts = Post:findAll{ include = { "author", "tags" }, order = "id" }
        assert.is_true(rawequal(posts[1].author, posts[2].author))
        assert.is_false(rawequal(posts[1].tags[1], posts[2].tags[1]))
        assert.equal(3, posts[2].tags[1].PostTag.weight)
      end)

      it("plain tables with raw", function()
        local ann = find{ include = { posts = { include = "comments" }, profile = {} }, raw = true }[1]
        assert.is_nil(getmetatable(ann))
        assert.is_nil(getmetatable(ann.posts[1]))
        assert.equal("c2", ann.posts[1].comments[2].text)
        assert.equal("about ann", ann.profile.text)
      end)

      it("the same with findOne and findByPk", function()
        assert.equal("p1 p2 p3", titles(User:findOne{ where = { name = "ann" }, include = "posts" }.posts))
        assert.equal("q1", titles(User:findByPk(2, { include = "posts" }).posts))
        assert.equal("c1 c2", names(User:findByPk(1):getPosts{ include = "comments" }[1].comments, "text"))
      end)
    end)

    describe("sends", function()
      local function statements(options)
        log:clear()
        find(options)
        return #log:statements "query"
      end

      it("one statement, and one for each to-many include", function()
        assert.equal(1, statements{ include = { "profile", "boss" } })
        assert.equal(2, statements{ include = { "posts" } })
        assert.equal(4, statements{ include = { posts = { include = { comments = { include = "writer" },
          tags = {} } } } })
      end)

      it("reads of one moment", function()
        statements{ include = "posts" }
        assert.equal(2, #log:statements "transaction")
        statements{ include = "profile" }
        assert.equal(0, #log:statements "transaction")
        db:transaction(function()
          log:clear()
          statements{ include = "posts" }
          assert.equal(0, #log:statements "transaction")
        end)
      end)

      it("nothing for parents that are not there", function()
        assert.equal(1, statements{ where = { name = "nobody" }, include = { posts = { include = "comments" } } })
        local cut = { posts = { limit = 1, include = "comments" } }
        assert.equal(2, statements{ where = { name = "cat" }, include = cut })
        -- where statements travel together the one for the comments is sent before it is known that there are no posts
        local sent = statements{ where = { name = "cat" }, include = { posts = { include = "comments" } } }
        assert.equal(engine.dialect == "postgres" and 3 or 2, sent)
      end)
    end)

    describe("where and required:", function()
      it("where filters children and makes them required", function()
        local users = find{ include = { posts = { where = { score = { [Op.gt] = 4 } } } } }
        assert.equal("ann", names(users, "name"))
        assert.equal("p1 p2", titles(users[1].posts))
      end)

      it("unless stated otherwise", function()
        local users = find{ include = { posts = { where = { score = { [Op.gt] = 4 } }, required = false } } }
        assert.same({ 2, 0, 0, 0 }, { #users[1].posts, #users[2].posts, #users[3].posts, #users[4].posts })
        users = find{ include = { profile = { where = { text = "other" }, required = false } } }
        assert.equal(4, #users)
        assert.is_nil(users[1].profile)
      end)

      it("an empty where requires nothing", function()
        assert.equal(4, #find{ include = { posts = { where = {} } } })
        assert.equal(4, #find{ include = { posts = { where = { {} } } } })
      end)

      it("required leaves out parents without children, to-one and to-many", function()
        assert.equal("ann bob", names(find{ include = { posts = { required = true } } }, "name"))
        assert.equal("ann", names(find{ include = { profile = { required = true } } }, "name"))
        assert.equal("p1 p2", titles(Post:findAll{ include = { tags = { required = true } }, order = "id" }))
      end)

      it("a required child of an optional one filters that one only", function()
        local users = find{ include = { posts = { include = { tags = { required = true } } } } }
        assert.equal(4, #users)
        assert.equal("p1 p2", titles(users[1].posts))
        assert.equal(0, #users[2].posts)
        local comments = Comment:findAll{ include = { writer = { include = { profile = { required = true } } } },
          order = "id" }
        assert.equal(4, #comments)
        assert.is_nil(comments[1].writer)
        assert.equal("about ann", comments[2].writer.profile.text)
      end)

      it("required all the way down filters the top", function()
        local users = find{ include = { posts = { required = true, include = { tags = { where = {
          name = "sql" } } } } } }
        assert.equal("ann", names(users, "name"))
        assert.equal("p1", titles(users[1].posts))
        local comments = Comment:findAll{ include = { writer = { required = true, include = { { association = "profile",
          required = true } } } } }
        assert.equal("c2", names(comments, "text"))
      end)

      it("through.where filters links and requires nothing", function()
        local posts = Post:findAll{ include = { tags = { through = { where = { weight = { [Op.gt] = 1 } } } } },
          order = "id" }
        assert.same({ "sql", "lua", "", "" }, { names(posts[1].tags, "name"), names(posts[2].tags, "name"),
          names(posts[3].tags, "name"), names(posts[4].tags, "name") })
        posts = Post:findAll{ include = { tags = { required = true, through = { where = { weight = 3 } } } } }
        assert.equal("p2", titles(posts))
      end)

      it("on takes the place of the keys", function()
        local users = find{ include = { posts = { on = { score = liga.col("User.age") } } } }
        assert.equal(0, #users[1].posts)
        Post:update({ score = 30 }, { where = { title = "q1" } })
        users = find{ include = { posts = { on = { score = liga.col("User.age") } } } }
        assert.equal("q1", titles(users[1].posts))
        users = find{ include = { posts = { required = true, on = { score = liga.col("User.age") } } } }
        assert.equal("ann", names(users, "name"))
      end)
    end)

    describe("order, limit, offset:", function()
      it("children come by their key, or in the include's order", function()
        assert.equal("p1 p2 p3", titles(find{ include = "posts" }[1].posts))
        assert.equal("p3 p2 p1", titles(find{ include = { posts = { order = "-title" } } }[1].posts))
        assert.equal("p3 p2 p1", titles(find{ include = { posts = { order = { { "score", "DESC" } } } } }[1].posts))
      end)

      it("cut the list of each parent", function()
        local users = find{ include = { posts = { limit = 1, order = "-id" } } }
        assert.same({ "p3", "q1", "" }, { titles(users[1].posts), titles(users[2].posts), titles(users[3].posts) })
        users = find{ include = { posts = { offset = 1 } } }
        assert.same({ "p2 p3", "", "" }, { titles(users[1].posts), titles(users[2].posts), titles(users[3].posts) })
        users = find{ include = { posts = { limit = 1, offset = 1 } } }
        assert.same({ "p2", "" }, { titles(users[1].posts), titles(users[2].posts) })
        assert.equal("", titles(find{ include = { posts = { limit = 0 } } }[1].posts))
      end)

      it("cut lists over a junction, too", function()
        local posts = Post:findAll{ include = { tags = { limit = 1, order = "-name" } }, order = "id" }
        assert.same({ "sql", "lua" }, { names(posts[1].tags, "name"), names(posts[2].tags, "name") })
        assert.equal(2, posts[1].tags[1].PostTag.weight)
      end)

      it("an offset never drops a parent that has children", function()
        local users = find{ include = { posts = { required = true, offset = 2 } } }
        assert.equal("ann bob", names(users, "name"))
        assert.same({ "p3", "" }, { titles(users[1].posts), titles(users[2].posts) })
      end)

      it("apply to a single target as to a list of one", function()
        assert.is_nil(find{ include = { profile = { limit = 0 } } }[1].profile)
        assert.is_nil(Post:findOne{ include = { author = { offset = 1 } } }.author)
        assert.equal("ann", Post:findOne{ order = "id", include = { author = { limit = 1 } } }.author.name)
      end)

      it("hasOne takes the first in its order", function()
        User:hasOne(Post, { as = "latest", foreignKey = "authorId", order = { { "id", "DESC" } }, inverse = {
          as = "author" } })
        local users = find{ include = { latest = { include = "comments" } } }
        assert.same({ "p3", "q1" }, { users[1].latest.title, users[2].latest.title })
        assert.is_nil(users[3].latest)
        users = find{ include = { latest = { where = { title = { [Op.ne] = "p3" } } } } }
        assert.equal("p2 q1", users[1].latest.title .. " " .. users[2].latest.title)
        assert.equal("p1", find{ include = { latest = { order = "id", strategy = "select" } } }[1].latest.title)
        assert.equal("p2", find{ include = { latest = { offset = 1 } } }[1].latest.title)
      end)

      it("the limit of the find counts parents", function()
        local users = find{ include = { "posts", "profile" }, limit = 2 }
        assert.equal("ann bob", names(users, "name"))
        users = find{ include = { posts = { required = true } }, limit = 1, offset = 1 }
        assert.equal("bob", names(users, "name"))
      end)
    end)

    describe("attributes", function()
      it("choose columns; the key comes along", function()
        local post = find{ include = { posts = { attributes = { "title" } } } }[1].posts[1]
        assert.same({ id = 1, title = "p1" }, post:toTable())
      end)

      it("take expressions under a name", function()
        local post = find{ include = { posts = { attributes = { "id", { liga.fn("upper", liga.col("title")),
          "loud" } } } } }[1].posts[1]
        assert.equal("P1", post.loud)
        post.title = "x"
        post:save()
        local comment = Comment:findOne{ where = { text = "c1" }, include = { writer = { attributes = {
          "id", { liga.fn("upper", liga.col("name")), "loud" } } } } }
        assert.equal("BOB", comment.writer.loud)
      end)

      it("of the parent need not hold what links", function()
        local ann = find{ attributes = { "name" }, include = { "posts", "boss" } }[1]
        assert.equal("p1 p2 p3", titles(ann.posts))
        assert.is_nil(ann.id)
      end)

      it("that are empty load nothing, but filter", function()
        local users = find{ include = { posts = { attributes = {}, required = true } } }
        assert.equal("ann bob", names(users, "name"))
        assert.is_nil(users[1].posts)
      end)

      it("that are empty are joined for a group", function()
        local rows = User:findAll{
          attributes = { "id", "name", { liga.fn("count", liga.col("posts.id")), "n" } },
          include = { posts = { attributes = {}, where = { score = { [Op.gt] = 0 } }, required = false } },
          group = { "id", "name" }, order = "id",
        }
        assert.same({ 2, 1, 0, 0 }, support.pluck(rows, "n"))
      end)

      it("hide or choose the junction's", function()
        local post = Post:findOne{ order = "id", include = { tags = { through = { attributes = {} } } } }
        assert.is_nil(post.tags[1].PostTag)
        post = Post:findOne{ order = "id", include = { tags = { through = { attributes = { "weight" },
          as = "link" } } } }
        assert.equal(1, post.tags[1].link.weight)
        assert.is_nil(post.tags[1].link.tagId)
        post.tags[1].name = "new"
        post.tags[1]:save()
      end)
    end)

    it("is the same by whatever strategy", function()
      local function load(strategy)
        local include = { profile = { strategy = strategy }, boss = { strategy = strategy }, posts = {
          strategy = strategy,
          include = { comments = { strategy = strategy, include = { writer = { strategy = strategy } } },
            tags = { strategy = strategy } } } }
        local list = {}
        for i, user in ipairs(find{ include = include }) do list[i] = user:toTable{ nulls = true } end
        return list
      end
      local chosen = load()
      assert.same(chosen, load "select")
      assert.same(chosen, load "join")
      assert.equal("p1", find{ include = { { association = "posts", separate = true } } }[1].posts[1].title)
    end)

    it("links many parents by keys of several columns and of texts", function()
      local Shop = db:define("Shop", { country = { type = liga.STRING(2), primaryKey = true },
        number = { type = liga.INTEGER, primaryKey = true } }, { timestamps = false })
      local Sale = db:define("Sale", { amount = liga.INTEGER }, { timestamps = false })
      Shop:hasMany(Sale)
      db:sync()
      local shops, sales = {}, {}
      for i = 1, 40 do
        shops[i] = { country = i % 2 == 0 and "pt" or "de", number = i }
        for j = 1, 3 do sales[#sales + 1] = { amount = i * 10 + j, shopCountry = shops[i].country, shopNumber = i } end
      end
      Shop:bulkCreate(shops)
      Sale:bulkCreate(sales)
      for _, shop in ipairs(Shop:findAll{ include = "sales" }) do
        assert.equal(3, #shop.sales)
        assert.equal(shop.number * 10 + 1, shop.sales[1].amount)
      end
      for _, sale in ipairs(Sale:findAll{ include = "shop" }) do
        assert.equal(sale.amount // 10, sale.shop.number)
      end
    end)

    it("links thousands of them by one statement for each level, whatever their keys are", function()
      local Shop = db:define("Shop", { chain = { type = liga.STRING, primaryKey = true },
        number = { type = liga.BIGINT, primaryKey = true }, code = liga.BLOB }, { timestamps = false })
      local Sale = db:define("Sale", { amount = liga.INTEGER }, { timestamps = false })
      local Door = db:define("Door", { width = liga.INTEGER }, { timestamps = false })
      Shop:hasMany(Sale)
      Shop:hasMany(Door, { sourceKey = "code", foreignKey = "shopCode", foreignKeyConstraints = false })
      db:sync()
      local shops, sales, doors = {}, {}, {}
      for i = 1, 9000 do
        shops[i] = { chain = 'ö"' .. i % 7, number = math.maxinteger - i, code = ("\0\xff%d"):format(i) }
        sales[i] = { amount = i, shopChain = shops[i].chain, shopNumber = shops[i].number }
        doors[i] = { width = i, shopCode = shops[i].code }
      end
      Shop:bulkCreate(shops)
      Sale:bulkCreate(sales)
      Door:bulkCreate(doors)
      log:clear()
      local found = Shop:findAll{ include = { "sales", "doors" }, order = "-number" }
      assert.equal(3, #log:statements "query")
      assert.equal(9000, #found)
      for i, shop in ipairs(found) do
        assert(#shop.sales == 1 and shop.sales[1].amount == i and #shop.doors == 1 and shop.doors[1].width == i, i)
      end
    end)

    it("splits keys that are bytes where the engine takes no more parameters", function()
      if engine.dialect ~= "sqlite" then return end
      local bare, most = { timestamps = false }, 250000
      local Shop = db:define("Shop", { code = { type = liga.BLOB, primaryKey = true } }, bare)
      local Sale = db:define("Sale", { amount = liga.INTEGER }, bare)
      local Coin = db:define("Coin", { name = liga.STRING }, bare)
      Shop:hasMany(Sale, { as = "sales", foreignKey = { name = "shopCode", constraints = false } })
      Sale:belongsTo(Coin, { as = "coin" })
      Shop:hasMany(Coin, { as = "coins", through = "sales.coin" })
      db:sync()
      Coin:create{ name = "real" }
      db:query("INSERT INTO Shops WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= $1) "
        .. "SELECT CAST(i AS BLOB) FROM n", { bind = { most } })
      db:query "INSERT INTO Sales (shopCode, coinId) SELECT code, 1 FROM Shops"
      local shops = Shop:findAll{ include = "coins" }
      assert.equal(most + 1, #shops)
      for i, shop in ipairs(shops) do assert(#shop.coins == 1 and shop.coins[1] == shops[1].coins[1], i) end
    end)

    describe("counts", function()
      it("parents, whatever is included", function()
        assert.equal(4, User:count{ include = "posts" })
        assert.equal(2, User:count{ include = { posts = { required = true } } })
        assert.equal(1, User:count{ include = { posts = { where = { score = { [Op.gt] = 4 } } } } })
        assert.is_true(User:exists{ include = { posts = { required = true } } })
        assert.equal(30, User:sum("age", { include = { profile = { required = true } } }))
      end)

      it("with findAndCountAll", function()
        local rows, count = User:findAndCountAll{ include = { posts = { required = true, include = "comments" } },
          limit = 1,
          order = "id" }
        assert.equal(2, count)
        assert.equal("ann", names(rows, "name"))
        assert.equal("c1 c2", names(rows[1].posts[1].comments, "text"))
      end)

      it("children by col", function()
        assert.equal(4, User:count{ col = "posts.id" })
        assert.equal(15, User:sum("posts.score"))
      end)
    end)

    it("keeps what is loaded out of save", function()
      local ann = find{ include = { "posts", "boss" } }[1]
      ann.name = "Ann"
      ann:save()
      ann.posts = { Post:findByPk(4) }
      support.raises("UsageError", function() ann:save() end, "posts", "setPosts")
      ann.posts = nil
      ann:save()
      ann.boss = User:findByPk(2)
      support.raises("UsageError", function() ann:save() end, "boss", "setBoss")
    end)

    it("shows in toTable", function()
      local cat = User:findOne{ where = { name = "cat" }, include = { "posts", "profile", { association = "boss",
        attributes = { "name" } } } }
      assert.same({ id = 3, name = "cat", bossId = 4, posts = {}, boss = { id = 4, name = "dan" } }, cat:toTable())
      assert.equal(liga.null, cat:toTable{ nulls = true }.profile)
      assert.is_nil(Profile:findOne():toTable{ nulls = true }.user)
    end)

    describe("refuses, before any SQL,", function()
      after_each(function() assert.same({}, log:statements(), "something was sent") end)
      local function refused(include, ...)
        return support.raises("EagerLoadingError", function() User:findAll{ include = include } end, ...)
      end

      it("names that are none, telling the nearest", function()
        local e = refused("psots", "psots", "posts")
        assert.equal("include.psots", e.path)
        refused({ "posts", "xyz" }, "User has:", "profile", "posts")
        e = refused({ posts = { include = { "autor" } } }, "author")
        assert.equal("include.posts.autor", e.path)
        refused({ pots = {} }, "posts")
      end)

      it("models that no association, or several, lead to", function()
        refused(Tag, "no association", "User", "Tag")
        support.raises("EagerLoadingError", function() User:hasMany(Post, { as = "drafts", foreignKey = "drafterId",
          inverse = { as = "drafter" } }) User:findAll{ include = Post } end, "several", "posts", "drafts")
      end)

      it("associations of other models", function()
        refused(Post.associations.comments, "Post.comments", "not to User")
        refused({ { association = "posts", model = Tag } }, "posts leads to Post")
        refused({ posts = { model = Tag } }, "posts leads to Post")
      end)

      it("two associations in one entry", function()
        refused({ { association = "posts", as = "profile" } }, "posts", "profile")
        refused({ { as = "posts", association = User.associations.profile } }, "posts", "profile")
        refused({ posts = { as = "profile" } }, "posts", "profile")
      end)

      it("aliases that have its name", function()
        local alias = { "id", { liga.literal("7"), "posts" } }
        support.raises("UsageError", function() find{ attributes = alias, include = "posts" } end, "posts", "included")
        support.raises("UsageError", function() find{ attributes = alias, include = "posts", raw = true } end, "posts")
        refused({ posts = { attributes = { { liga.literal("7"), "tags" } }, include = "tags" } }, "tags", "included")
      end)

      it("forms that are none", function()
        refused(42, "a number")
        refused({ 42 }, "a number")
        refused({ posts = 42 }, "a number")
        refused({ { where = {} } }, "which association")
        refused({ [true] = "posts" })
        refused({ "posts", nil, "boss" }, "hole")
        refused({ "posts", "posts" }, "twice")
      end)

      it("options that are none, or misplaced", function()
        local e = refused({ posts = { were = {} } }, "were", "where")
        assert.equal("include.posts.were", e.path)
        refused({ posts = { limit = "2" } }, "limit")
        refused({ posts = { limit = -1 } }, "limit")
        refused({ posts = { required = 1 } }, "required")
        refused({ posts = { strategy = "magic" } }, "strategy")
        refused({ posts = { right = true } }, "right")
        refused({ posts = { through = {} } }, "belongsToMany")
        refused({ posts = { include = { tags = { through = { wher = {} } } } } }, "through.wher", "where")
        refused({ posts = { include = { tags = { through = { as = 1 } } } } }, "through.as", "name")
        refused({ posts = { include = { tags = { through = { paranoid = "no" } } } } }, "through.paranoid", "true")
        refused({ { all = true, where = {} } }, "all")
        refused({ { all = "Some" } }, "Some")
      end)

      it("wrong conditions, orders and attributes inside", function()
        local e = refused({ posts = { where = { titel = "x" } } }, "titel", "title")
        assert.equal("include.posts.where.titel", e.path)
        refused({ posts = { order = "nope" } }, "nope")
        refused({ posts = { attributes = { "nope" } } }, "nope")
        refused({ posts = { include = { author = { where = { nme = 1 } } } } }, "include.posts.author", "name")
        refused({ boss = { where = { ag = 1 } } }, "age")
        support.raises("ValidationError", function() User:findAll{ include = { posts = { where = {
          score = "x" } } } } end)
        support.raises("EagerLoadingError", function() User:count{ include = { posts = { attributes = {
          "nope" } } } } end)
      end)

      it("includes that contain themselves, or are too deep", function()
        local include = {}
        include.boss = { include = include }
        refused(include, "64")
        local deep = {}
        for _ = 1, 1000 do deep = { boss = { include = deep } } end
        refused(deep, "64")
      end)
    end)

    it("preload brings associations to instances that exist", function()
      local users = User:findAll{ order = "id" }
      log:clear()
      assert.is_true(rawequal(users, db:preload(users, { posts = { include = "comments" }, boss = {} })))
      assert.equal(3, #log:statements "query")
      assert.equal("c1 c2", names(users[1].posts[1].comments, "text"))
      assert.equal("dan", users[3].boss.name)
      assert.is_nil(users[1].boss)
      assert.is_true(users[1]:isLoaded "boss")
      assert.is_false(users[1]:isLoaded "profile")
    end)

    it("preload says of instances without any row that there is none", function()
      local lone = { User:create { name = "lone", age = 1 } }
      db:preload(lone, { "posts", "boss" })
      assert.same({}, lone[1].posts)
      assert.is_true(lone[1]:isLoaded "posts" and lone[1]:isLoaded "boss")
    end)

    it("preload replaces what was loaded, unless missing", function()
      local users = find{ include = "posts" }
      local before = users[1].posts
      db:preload(users, "posts", { missing = true })
      assert.is_true(rawequal(before, users[1].posts))
      db:preload(users, "posts")
      assert.is_false(rawequal(before, users[1].posts))
      assert.equal("p1 p2 p3", titles(users[1].posts))
    end)

    it("preload knows what is there by any form of include", function()
      local users = find{ include = "profile" }
      local before = users[1].profile
      for _, include in ipairs { User.associations.profile.target, User.associations.profile, { { all = "HasOne" } },
        { { model = User.associations.profile.target } } } do
        db:preload(users, include, { missing = true })
        assert.is_true(rawequal(before, users[1].profile))
      end
    end)

    it("preload finds what is missing below what is there", function()
      local users = find { include = { "posts", "profile" }, where = { name = { "ann", "bob" } } }
      local before = users[1].posts
      Comment:create { text = "c5", postId = before[1].id }
      users[2]:load("posts", { include = { "comments" } })
      local seen = users[2].posts[1].comments
      for _, include in ipairs { { posts = { include = { "comments" } } },
        { "profile", { association = "posts", include = { comments = { include = "writer" } } } } } do
        db:preload(users, include, { missing = true })
        assert.is_true(rawequal(before, users[1].posts))
        assert.is_true(rawequal(seen, users[2].posts[1].comments))
        assert.equal("c1 c2 c5", names(before[1].comments, "text"))
      end
      assert.equal("bob", before[1].comments[1].writer.name)
      support.raises("EagerLoadingError", function()
        db:preload(users, { posts = { include = { "coments" } } }, { missing = true })
      end, "comments")
      support.raises("EagerLoadingError", function()
        db:preload(users, { posts = { wher = {} } }, { missing = true })
      end, "where")
    end)

    it("preload takes instances of several models", function()
      local list = { User:findByPk(1), Post:findByPk(1) }
      Post:hasMany(Comment, { as = "remarks", foreignKey = "postId", inverse = { as = "post" } })
      db:preload(list, { "remarks" })
      assert.equal("c2", names(list[1].remarks, "text"))
      assert.equal("c1 c2", names(list[2].remarks, "text"))
    end)

    it("preload changes nothing when it fails", function()
      local users = User:findAll()
      support.raises("EagerLoadingError", function() db:preload(users, { "posts", "nope" }) end, "nope")
      assert.is_nil(users[1].posts)
      support.raises("UsageError", function() db:preload({ {} }, "posts") end, "element 1")
      support.raises("UsageError", function() db:preload(users, "posts", { mising = true }) end, "missing")
      support.raises("InstanceError", function() db:preload({ User:build{} }, "posts") end, "not stored")
      support.raises("InstanceError", function()
        db:preload(User:findAll{ attributes = { "name" } }, "posts")
      end, "without id")
    end)

    it("preload and load change nothing when a later one of several fails while it runs", function()
      local users = User:findAll{ order = "id", include = "boss" }
      local boss = users[3].boss
      db:query 'ALTER TABLE "Comments" RENAME TO "Remarks"'
      local function fails(action)
        support.raises("DatabaseError", action)
        for _, user in ipairs(users) do
          assert.is_nil(user.posts)
          assert.is_false(user:isLoaded "posts")
          assert.is_false(user:isLoaded "remarks")
        end
        assert.is_true(rawequal(boss, users[3].boss))
      end
      fails(function() db:preload(users, { "boss", "posts", "remarks" }) end)
      fails(function() db:preload(users, { boss = {}, posts = { include = "comments" } }) end)
      fails(function() db:preload(users, { "posts", "remarks" }, { missing = true }) end)
      fails(function() users[1]:load("posts", { include = "comments" }) end)
      fails(function() users[3]:reload{ include = { "boss", "posts", "remarks" } } end)
      db:query 'ALTER TABLE "Remarks" RENAME TO "Comments"'
      db:preload(users, { "posts", "remarks" })
      assert.equal("p1 p2 p3", titles(users[1].posts))
    end)

    it("load brings one association and returns it", function()
      local ann = User:findByPk(1)
      assert.equal("p3", titles(ann:load("posts", { order = "-id", limit = 1 })))
      assert.equal("p3", titles(ann.posts))
      assert.equal("about ann", ann:load(Profile).text)
      assert.equal("p1 p2 p3", titles(ann:load(User.associations.posts)))
      assert.is_nil(ann:load "boss")
      assert.is_true(ann:isLoaded "boss")
      support.raises("EagerLoadingError", function() ann:load "psots" end, "posts")
      support.raises("UsageError", function() ann:isLoaded "psots" end, "posts")
    end)

    it("reload brings what is loaded anew", function()
      local ann = User:findByPk(1, { include = { posts = { where = { score = { [Op.gt] = 4 } } }, boss = {} } })
      Post:create{ title = "p4", score = 10, authorId = 1 }
      Post:create{ title = "p5", score = 0, authorId = 1 }
      User:update({ name = "Ann", bossId = 2 }, { where = { id = 1 } })
      ann:reload()
      assert.equal("Ann", ann.name)
      assert.equal("p1 p2 p4", titles(ann.posts))
      assert.equal("bob", ann.boss.name)
      ann:reload{ include = "posts" }
      assert.equal(5, #ann.posts)
    end)

    it("asks for rows parent by parent, as an index on the key gives them, unless an order is wanted", function()
      local text = User:explain{ include = { "posts" } }
      assert.is_truthy(text:find('ORDER BY "authorId", "id"', 1, true), text)
      text = User:explain{ include = { posts = { order = { "title" } } } }
      assert.is_truthy(text:find('ORDER BY "title"', 1, true), text)
    end)

    it("is explained: strategy and reason of each, and all statements", function()
      local text = User:explain{ include = { profile = {}, posts = { include = { "author", "tags" } } }, limit = 3 }
      for _, part in ipairs{ "include profile: ", "include posts: select (to-many",
        "include posts.author: join (to-one",
        "include posts.tags: select", '"PostTags"', "plan:" } do
        assert.is_truthy(text:find(part, 1, true), part .. " in\n" .. text)
      end
      text = User:explain{ include = { boss = { strategy = "select" } } }
      assert.is_truthy(text:find('include boss: select (strategy = "select")', 1, true), text)
    end)

    it("goes along with each", function()
      local list = {}
      for user in User:each{ batch = 2, include = "posts" } do list[#list + 1] = #user.posts end
      assert.same({ 3, 1, 0, 0 }, list)
    end)
  end)
end

-- The frame of a row is as deep as the plan is wide: a fresh coroutine has the smallest stack.
for engine in support.engines() do
  describe("many includes of one row on " .. engine.name, function()
    it("are read by a coroutine that has just begun", function()
      local db <close> = engine:open()
      local Target = db:define("Target", { name = liga.STRING }, { timestamps = false })
      local Root = db:define("Root", { name = liga.STRING }, { timestamps = false })
      local include, row = {}, { name = "r" }
      for i = 1, 50 do
        include[i] = "t" .. i
        row["t" .. i .. "Id"] = 1
        Root:belongsTo(Target, { as = "t" .. i })
      end
      db:sync()
      Target:create{ name = "x" }
      local list = {}
      for i = 1, 600 do list[i] = row end
      Root:bulkCreate(list)
      for _ = 1, 2 do
        local roots = coroutine.wrap(function() return Root:findAll{ include = include, attributes = { "id" } } end)()
        assert.equal(600, #roots)
        for i = 1, 50 do assert.equal("x", roots[600]["t" .. i].name) end
      end
    end)
  end)
end
