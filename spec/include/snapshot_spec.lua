-- A load tree is of one moment, whatever others write meanwhile (contract, section 5: include).
local support = require "spec.support"

--- Users with as many posts as they say, each with one comment that says the same; a post that moves takes all along.
local models = [[
  return function(db)
    local liga = require "liga"
    local User = db:define("User", { posted = liga.INTEGER }, { timestamps = false })
    local Post = db:define("Post", { moves = liga.INTEGER }, { timestamps = false })
    local Comment = db:define("Comment", { moves = liga.INTEGER }, { timestamps = false })
    User:hasMany(Post)
    Post:hasMany(Comment)
    return { User = User, Post = Post, Comment = Comment }
  end
]]

--- The writer moves posts from user to user, each with its counters in one transaction, until its input ends.
local writer = [[
  local liga = require "liga"
  local db = liga.connect(%q, { busyTimeout = 20000 })
  local models = assert(load(%q))()(db)
  io.stdout:setvbuf "no"
  for move = 1, math.maxinteger do
    db:transaction(function()
      local post = models.Post:findByPk(move %% 12 + 1)
      local to = post.userId %% 4 + 1
      models.User:decrement("posted", { where = { id = post.userId } })
      models.User:increment("posted", { where = { id = to } })
      post:update{ userId = to, moves = move }
      models.Comment:update({ moves = move }, { where = { postId = post.id } })
    end)
    if move == 1 then print "started" end
    if io.open(%q) then break end
  end
]]

for engine in support.engines() do
  if engine.kind ~= "memory" then
    describe("a load tree on " .. engine.name, function()
      local db, User, script, stop, process
      before_each(function()
        db = engine:open{ busyTimeout = 20000 }
        local defined = assert(load(models))()(db)
        User = defined.User
        db:sync{ force = true }
        if engine.dialect == "sqlite" then db:query "PRAGMA journal_mode = wal" end
        for id = 1, 4 do User:create{ id = id, posted = 3 } end
        for id = 1, 12 do
          defined.Post:create{ id = id, userId = (id - 1) // 3 + 1, moves = 0 }
          defined.Comment:create{ postId = id, moves = 0 }
        end
        script, stop = os.tmpname(), os.tmpname()
        os.remove(stop)
        local file <close> = assert(io.open(script, "w"))
        file:write(writer:format(engine.url, models, stop))
      end)
      local function end_writer()
        local file = assert(io.open(stop, "w"))
        file:close()
        if process then process:close() end
        process = nil
      end
      after_each(function()
        end_writer()
        db:close()
        os.remove(script)
        os.remove(stop)
      end)

      local function assert_whole(users)
        for _, user in ipairs(users) do
          assert(user.posted == #user.posts, "a user without one of the posts")
          for _, post in ipairs(user.posts) do
            assert(post.comments[1].moves == post.moves, "a post of one moment, its comment of another")
          end
        end
      end

      it("is never torn, while another process writes", function()
        local command = ("LUA_PATH='%s' LUA_CPATH='%s' lua5.4 '%s'"):format(package.path, package.cpath, script)
        process = assert(io.popen(command))
        assert.equal("started", process:read "l")
        local seen = {}
        for turn = 1, 150 do
          local include = { posts = { limit = turn % 3 == 0 and 12 or nil, include = "comments",
            strategy = turn % 3 == 1 and "join" or nil } }
          local users = User:findAll{ include = include }
          assert_whole(users)
          seen[#users[1].posts] = true
          users = User:findAll()
          db:transaction({ isolation = engine.dialect == "postgres" and "repeatable read" or nil, readOnly = true },
            function()
              for _, user in ipairs(users) do user:reload() end
              assert_whole(db:preload(users, { posts = { include = "comments" } }))
            end)
        end
        assert.is_true(next(seen, next(seen)) ~= nil, "nothing was written meanwhile")
      end)
    end)
  end
end
