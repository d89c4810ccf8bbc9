-- update, destroy, restore and increment of the rows that associated rows name (contract, sections 5 and 7).
local forum = require "spec.support.forum"
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("writing by what is associated on " .. engine.name, function()
    local db, log, User, Post, Comment
    before_each(function()
      local models
      db, log, models = forum.open(engine)
      User, Post, Comment = models.User, models.Post, models.Comment
    end)
    after_each(function() db:close() end)

    local function titles(where)
      return table.concat(support.pluck(Post:findAll{ where = where, order = "id" }, "title"), " ")
    end
    local function texts() return table.concat(support.pluck(Comment:findAll{ order = "id" }, "text"), " ") end

    it("update follows a path to one row, in one statement", function()
      assert.equal(3, Post:update({ score = 100 }, { where = { ["author.name"] = "ann" } }))
      assert.equal(1, #log)
      assert.equal("p1 p2 p3", titles{ score = 100 })
      assert.equal(1, Post:update({ score = 7 }, { where = { ["$author.name$"] = "bob" } }))
      assert.equal("q1", titles{ score = 7 })
    end)

    it("update follows paths to several rows and of several steps", function()
      assert.equal(1, Post:update({ score = 100 }, { where = { ["comments.writer.name"] = "ann" } }))
      assert.equal("p1", titles{ score = 100 })
      assert.equal(2, Post:update({ score = 7 }, { where = { ["tags.name"] = Op.like("%") } }))
      assert.equal("p1 p2", titles{ score = 7 })
    end)

    it("update takes Op.some, every and none", function()
      assert.equal(1, Post:update({ score = 1 }, { where = { [Op.some("tags")] = { name = "sql" } } }))
      assert.equal(2, Post:update({ score = 2 }, { where = { [Op.every("comments")] = { likes = Op.gt(2) } } }))
      assert.equal(1, Post:update({ score = 3 }, { where = { [Op.none("comments")] = {} } }))
      assert.equal("p3", titles{ score = 3 })
    end)

    it("a path through a missing row is NULL", function()
      assert.equal(3, User:update({ age = 1 }, { where = { ["boss.name"] = liga.null } }))
      assert.equal(1, User:update({ age = 2 }, { where = { ["boss.name"] = { [Op.ne] = "ann" } } }))
    end)

    it("names the same rows as a find, whatever the groups around", function()
      local wheres = {
        { [Op.or_] = { { ["author.name"] = "bob" }, { title = "p3" } } },
        { [Op.not_] = { ["author.age"] = Op.lt(25) } },
        { score = Op.gt(liga.col("author.age")) },
        { score = Op.lt(liga.col("author.age")), ["comments.likes"] = { 1, 7 } },
        liga.where(liga.fn("lower", liga.col("author.name")), Op.eq, "ann"),
        Op.some("tags", { name = "lua" }),
      }
      for i, where in ipairs(wheres) do
        local expected = titles(where)
        assert.equal(Post:count{ where = where }, Post:update({ score = 1000 + i }, { where = where }))
        assert.equal(expected, titles{ score = 1000 + i })
        Post:update({ score = 9 }, { where = { score = 1000 + i } })
      end
    end)

    it("goes with limit and returning", function()
      local first_two = { where = { ["author.name"] = "ann" }, limit = 2, returning = true }
      local count, rows = Post:update({ score = 0 }, first_two)
      assert.equal(2, count)
      assert.same({ "p1", "p2" }, support.sorted(rows, "title"))
      assert.equal("p1 p2", titles{ score = 0 })
      local _, others = Post:update({ score = 0 }, { where = { ["author.name"] = "bob" }, returning = { "title" } })
      assert.same({ "q1" }, support.pluck(others, "title"))
    end)

    it("sees the rows of its own table as they were before", function()
      local ann, bob, cat = table.unpack(User:findAll{ order = "id" })
      bob:setBoss(ann)
      cat:setBoss(bob)
      User:update({ age = 1 }, { all = true })
      assert.equal(2, User:update({ age = 2 }, { where = { ["boss.age"] = 1 } }))
      assert.same({ 1, 2, 2, 1 }, support.pluck(User:findAll{ order = "id" }, "age"))
      assert.equal(2, User:destroy{ where = { ["boss.name"] = { [Op.in_] = { "ann", "bob" } } } })
      assert.same({ "ann", "dan" }, support.pluck(User:findAll{ order = "id" }, "name"))
    end)

    it("destroy deletes them", function()
      assert.equal(2, Comment:destroy{ where = { ["post.author.name"] = "ann", ["writer.name"] = "bob" } })
      assert.equal("c2 c4", texts())
      assert.equal(1, Comment:destroy{ where = { ["post.author.name"] = { "ann", "bob" } }, limit = 1 })
      assert.equal("c4", texts())
    end)

    it("increment and decrement count them", function()
      assert.equal(3, Post:increment("score", { where = { [Op.some("comments")] = {} } }))
      assert.same({ 6, 10, 2 }, support.pluck(Post:findAll{ where = { score = Op.gt(0) }, order = "id" }, "score"))
      assert.equal(1, Post:decrement({ score = 2 }, { where = { ["comments.text"] = "c4" } }))
      assert.equal(0, Post:findOne{ where = { title = "q1" } }.score)
    end)

    it("names rows of a model without key, too", function()
      local Line = db:define("Line", { text = liga.STRING }, { primaryKey = false, timestamps = false })
      Line:belongsTo(Post)
      Line:sync()
      Line:bulkCreate{ { text = "a", postId = 1 }, { text = "b", postId = 4 }, { text = "c" } }
      assert.equal(1, Line:update({ text = "x" }, { where = { ["post.author.name"] = "bob" } }))
      assert.equal(1, Line:destroy{ where = { [Op.some("post")] = { score = Op.gt(4) } } })
      assert.same({ "c", "x" }, support.sorted(Line:findAll(), "text"))
    end)

    it("a path that can't be followed is refused before any SQL", function()
      for _, write in ipairs {
        function(where) Post:update({ score = 1 }, { where = where }) end,
        function(where) Post:destroy{ where = where } end,
        function(where) Post:increment("score", { where = where }) end,
      } do
        support.raises("UsageError", function() write{ ["autor.name"] = "ann" } end, "autor", "author")
        support.raises("UsageError", function() write{ ["author.nme"] = "ann" } end, "nme", "name")
        local some = { [Op.some("author")] = { nme = 1 } }
        support.raises("UsageError", function() write(some) end, "where.Op.some(author)", "nme")
        support.raises("UsageError", function() write{ [Op.and_] = { { } } } end, "all = true")
      end
      assert.same({}, log:statements())
    end)
  end)

  describe("writing by what is associated, with rules of the model, on " .. engine.name, function()
    local db, Album, Track, Take
    before_each(function()
      db = engine:open()
      Album = db:define("Album", { title = liga.STRING, year = liga.INTEGER }, {
        timestamps = false, paranoid = true, defaultScope = { where = { year = Op.gt(1900) } },
        scopes = { sung = { where = { ["tracks.sung"] = true } } },
      })
      Track = db:define("Track", { name = liga.STRING, sung = liga.BOOLEAN }, { timestamps = false, paranoid = true })
      Take = db:define("Take", { number = liga.INTEGER }, { timestamps = false })
      Album:hasMany(Track, { dependent = "delete" })
      Track:hasMany(Take, { dependent = "destroy" })
      db:sync{ force = true }
      local a = { name = "a", sung = true, takes = { { number = 1 } } }
      Album:create({ title = "Blue", year = 1971, tracks = { a } }, { include = { tracks = { include = "takes" } } })
      Album:create({ title = "Aja", year = 1977, tracks = { { name = "b", sung = false } } }, { include = "tracks" })
      Album:create({ title = "Old", year = 1800, tracks = { { name = "c", sung = true } } }, { include = "tracks" })
    end)
    after_each(function() db:close() end)

    local function albums()
      return table.concat(support.pluck(Album:unscoped():findAll{ order = "title" }, "title"), " ")
    end

    it("scopes stay in force, and may follow paths themselves", function()
      assert.equal(1, Album:update({ title = "Hejira" }, { where = { ["tracks.sung"] = true } }))
      assert.equal("Aja Hejira Old", albums())
      assert.equal(2, Album:scope("sung"):update({ title = "x" }, { all = true }))
      assert.equal("Aja x x", albums())
    end)

    it("rows that are marked as deleted are none, on either side", function()
      Track:destroy{ where = { name = "a" }, dependent = false }
      assert.equal(0, Album:update({ title = "x" }, { where = { ["tracks.name"] = "a" } }))
      assert.equal(1, Album:destroy{ where = { ["tracks.name"] = "b" } })
      assert.equal("Blue Old", albums())
    end)

    it("destroy takes the rows along that named them", function()
      assert.equal(1, Album:destroy{ where = { [Op.some("tracks")] = { ["takes.number"] = 1 } } })
      assert.equal("Aja Old", albums())
      assert.same({ "b", "c" }, support.pluck(Track:findAll{ order = "name" }, "name"))
      assert.equal(1, Album:destroy{ where = { ["tracks.name"] = "b" }, limit = 5, force = true })
      assert.equal(1, Album:count{ where = { title = { "Blue", "Aja" } }, paranoid = false })
    end)

    it("restore brings back those that associated rows name", function()
      Album:destroy{ where = { title = { "Blue", "Aja" } }, dependent = false }
      assert.equal(1, Album:restore{ where = { ["tracks.name"] = "a" } })
      assert.equal("Blue Old", albums())
    end)

    it("hooks that see single rows see the same ones", function()
      local seen = {}
      Album:beforeUpdate(function(album) seen[#seen + 1] = album.title end)
      assert.equal(1, Album:update({ year = 2000 }, { where = { ["tracks.sung"] = false }, individualHooks = true }))
      assert.same({ "Aja" }, seen)
    end)
  end)
end
