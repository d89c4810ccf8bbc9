-- truncate: a table emptied at once (contract, section 7).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("truncate on " .. engine.name, function()
    local db, User, Post
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Post = db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      db:sync()
      local ann = User:create{ name = "ann" }
      ann:createPost{ title = "a" }
      User:create{ name = "bob" }
    end)
    after_each(function() db:close() end)

    it("removes all rows", function()
      Post:truncate()
      assert.equal(0, Post:count())
      assert.equal(2, User:count())
    end)

    it("lets generated keys begin anew if asked to", function()
      Post:truncate()
      assert.is_true(Post:create{ title = "b" }.id > 1)
      Post:truncate{ restartIdentity = true }
      assert.equal(1, Post:create{ title = "c" }.id)
    end)

    it("empties what refers to the table with cascade", function()
      User:truncate{ cascade = true, restartIdentity = true }
      assert.equal(0, User:count())
      assert.equal(0, Post:count())
      assert.equal(1, User:create{ name = "cid" }.id)
      assert.equal(1, Post:create{ title = "d" }.id)
    end)

    it("is refused where other tables refer to the table: it would not be their rules that count", function()
      for _, empty in ipairs { User.truncate, function() User:destroy{ truncate = true } end } do
        local e = support.raises("ForeignKeyConstraintError", function() empty(User) end, '"Posts"', "cascade = true")
        assert.equal("User", e.model)
      end
      assert.equal(2, User:count())
      assert.is_not_nil(Post:findOne().userId)
      db:drop()
      User:belongsTo(User, { as = "boss", inverse = "team" })
      db:sync()
      db:queryInterface():dropTable("Posts")
      User:create{ name = "ann" }:createTeam { name = "bob" }
      User:truncate()
      assert.equal(0, User:count())
    end)

    it("is undone with its transaction", function()
      pcall(db.transaction, db, function()
        Post:truncate()
        error "no"
      end)
      assert.equal(1, Post:count())
    end)

    it("is an option of destroy", function()
      Post:create{ title = "b" }
      assert.equal(2, Post:destroy{ truncate = true })
      assert.equal(0, Post:count())
      support.raises("UsageError", function() User:destroy{ truncate = true, where = { name = "ann" } } end, "all rows")
      support.raises("UsageError", function() User:destroy{ truncate = true, limit = 1 } end, "all rows")
      assert.equal(2, User:count())
    end)

    it("takes no other options", function()
      support.raises("UsageError", function() User:truncate{ where = { id = 1 } } end, "unknown option")
      support.raises("UsageError", function() User:truncate{ restart = true } end, "unknown option")
      support.raises("UsageError", function() User:truncate{ cascade = "yes" } end, "boolean")
      assert.equal(2, User:count())
    end)
  end)
end
