-- Statements of one call travel together (architecture, section 5): a man in the middle counts what the client sends.
local forum = require "spec.support.forum"
local liga = require "liga"
local loops = require "spec.support.loop"
local Proxy = require "spec.support.proxy"
local support = require "spec.support"
local _, cqueues = pcall(require, "cqueues")

for engine in support.engines() do
  if engine.kind == "server" then
    describe("round trips on " .. engine.name, function()
      local loop = loops.cqueues()
      if not Proxy.works(engine) then
        it("can't be counted", function() pending "the module cqueues is not installed" end)
        return
      end

      --- Runs `body(db, trips, proxy)` over the proxy; `trips(f)` counts those that `f` needs.
      local function counted(body)
        local fresh = Proxy.new(engine)
        engine:open():close()
        loop.run(function()
          local serving <close> = fresh:serve() -- luacheck: ignore serving
          local db <close> = liga.connect(fresh.url, { wait = loop.wait })
          body(db, function(action)
            fresh.flushes = 0
            action()
            return fresh.flushes
          end, fresh)
        end)
      end

      local function models(db)
        local User = db:define("User", { name = liga.STRING }, { timestamps = false })
        local Tag = db:define("Tag", { name = liga.STRING }, { timestamps = false })
        User:belongsToMany(Tag, { through = "UserTags" })
        db:sync()
        return User, Tag
      end

      local function blog(db)
        local defined = forum.define(db)
        db:sync()
        forum.fill(defined)
        return defined.User, defined.Post
      end

      it("are one for a read and for a write", function()
        counted(function(db, trips)
          local User = models(db)
          assert.equal(1, trips(function() User:create { name = "ann" } end))
          assert.equal(1, trips(function() User:findAll() end))
          local user = User:findByPk(1)
          assert.equal(1, trips(function() user:update { name = "bob" } end))
        end)
      end)

      it("are one for a write of three statements: BEGIN, INSERT, COMMIT", function()
        counted(function(db, trips)
          local User = models(db)
          assert.equal(1, trips(function() User:bulkCreate { { name = "a" }, { name = "b" } } end))
        end)
      end)

      it("are one for more rows than a statement takes", function()
        counted(function(db, trips)
          local User = models(db)
          local list = {}
          for i = 1, 10001 do list[i] = { name = "n" } end
          assert.equal(1, trips(function() User:bulkCreate(list) end))
          assert.equal(10001, User:count())
        end)
      end)

      it("are one for rows and their number, two with what hangs on the rows", function()
        counted(function(db, trips)
          local User = blog(db)
          local function find(options) return function() User:findAndCountAll(options) end end
          assert.equal(1, trips(find { limit = 1 }))
          assert.equal(1, trips(find { limit = 1, include = { association = "boss", required = true } }))
          assert.equal(2, trips(find { limit = 1, include = { posts = { include = "tags" } } }))
          User:addHook("beforeCount", function(options) options.where = { id = 1 } end)
          local count
          assert.equal(1, trips(function() count = select(2, User:findAndCountAll { limit = 1 }) end))
          assert.equal(1, count)
          db:transaction(function() assert.equal(1, trips(find { limit = 1 })) end)
        end)
      end)

      it("are one for a page in the middle: its rows, whether there are some behind them and before them", function()
        counted(function(db, trips)
          local User = blog(db)
          local _, first = User:page { size = 1 }
          local rows, second
          assert.equal(1, trips(function() rows, second = User:page { size = 1, after = first.after } end))
          assert.equal(2, rows[1].id)
          assert.is_true(second.hasPrevious)
          assert.is_true(second.hasNext)
        end)
      end)

      it("are two for many rows of which some are there already: a look at the table, and the write", function()
        counted(function(db, trips)
          local User = models(db)
          local list = {}
          for i = 1, 1000 do list[i] = { id = i, name = "n" .. i } end
          User:bulkCreate { list[5], list[500] }
          assert.equal(2, trips(function() User:bulkCreate(list, { ignoreDuplicates = true }) end))
          assert.equal(1000, User:count())
        end)
      end)

      it("are one for a write inside a transaction with its savepoint", function()
        counted(function(db, trips)
          local User = models(db)
          db:transaction(function()
            assert.equal(1, trips(function() User:create { name = "ann" } end))
          end)
        end)
      end)

      --- Seconds that `action` takes at least: other programs can make it slower, but nothing can make it faster.
      local function least(action)
        local best = math.huge
        for _ = 1, 5 do
          local start = cqueues.monotime()
          action()
          best = math.min(best, cqueues.monotime() - start)
        end
        return best
      end

      it("take as long for a write of three statements as for one: a network that needs 10 ms each way", function()
        counted(function(db, _, proxy)
          local User = models(db)
          User:bulkCreate { { name = "a" }, { name = "b" } }
          User:count()
          proxy.delay = 0.01
          local read = least(function() User:count() end)
          local write = least(function() User:bulkCreate { { name = "a" }, { name = "b" } } end)
          assert.is_true(read >= 0.02 and read < 0.04, "a read took " .. read)
          assert.is_true(write >= 0.02 and write < 0.04, "a write took " .. write)
        end)
      end)

      it("are two for a load tree: a level, and all below it, whose parents a subquery names", function()
        counted(function(db, trips)
          local User, Post = blog(db)
          local function find(include) return function() User:findAll { include = include, order = "id" } end end
          assert.equal(1, trips(find { "boss", "profile" }))
          assert.equal(2, trips(find { "posts", "remarks" }))
          assert.equal(2, trips(find { posts = { include = { comments = { include = "writer" }, tags = {} } } }))
          assert.equal(2, trips(find { posts = { include = { tags = { include = { posts = {
            include = "comments" } } } } } }))
          local users = User:findAll()
          assert.equal(1, trips(function() db:preload(users, { posts = { include = "comments" }, boss = {} }) end))
          db:transaction(function() assert.equal(2, trips(find { posts = { include = "comments" } })) end)
          assert.equal(2, trips(function() Post:findByPk(1, { include = { comments = { include = "writer" } } }) end))
        end)
      end)

      it("are one for each level of a load tree where lists are cut for each parent", function()
        counted(function(db, trips)
          local User, users = blog(db), nil
          local below = { comments = { limit = 1, include = "writer" }, tags = { include = "posts" } }
          local needed = trips(function()
            users = User:findAll { order = "id", include = { posts = { limit = 2, include = below } } }
          end)
          assert.equal(3, needed)         -- what is below the tags goes with them
          assert.equal("c3", users[1].posts[2].comments[1].text)
          assert.equal(2, #users[1].posts[2].tags[1].posts)
        end)
      end)

      it("are one for links that are replaced: BEGIN, DELETE, INSERT, COMMIT", function()
        counted(function(db, trips)
          local User, Tag = models(db)
          local user = User:create { name = "ann" }
          local tags = Tag:bulkCreate { { name = "a" }, { name = "b" }, { name = "c" } }
          user:addTag(tags[1])
          assert.equal(1, trips(function() user:setTags { tags[2], tags[3] } end))
          assert.equal(2, user:countTags())
        end)
      end)

      it("that fail in the middle leave nothing behind, and the connection usable", function()
        counted(function(db)
          local User, Tag = models(db)
          local user = User:create { name = "ann" }
          local tag = Tag:create { name = "a" }
          user:addTag(tag)
          db:query [[ALTER TABLE "UserTags" ADD CHECK ("tagId" < 100)]]
          local far = Tag:create { id = 200, name = "far" }
          local e = support.raises("CheckConstraintError", function() user:setTags { far } end)
          assert.equal("rolled_back", e.outcome)
          assert.equal(1, user:countTags())
          db:transaction(function()
            support.raises("CheckConstraintError", function() user:addTag(far) end)
            assert.equal(1, user:countTags())
          end)
        end)
      end)
    end)
  end
end
