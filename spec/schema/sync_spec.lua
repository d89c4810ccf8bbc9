-- db:sync, User:sync, db:drop, User:drop: tables made from models (contract, section 10).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("sync on " .. engine.name, function()
    local db, log
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
    end)
    after_each(function() db:close() end)

    local function exists(name) return (pcall(db.query, db, ('SELECT 1 FROM "%s"'):format(name))) end

    it("makes the tables of all models", function()
      local User = db:define("User", { name = liga.STRING })
      local Post = db:define("Post", { title = liga.STRING })
      db:sync()
      assert.equal(0, User:count())
      assert.equal(0, Post:count())
    end)

    it("makes the table of one model", function()
      local User = db:define("User", { name = liga.STRING })
      db:define("Post", { title = liga.STRING })
      User:sync()
      assert.is_true(exists("Users"))
      assert.is_false(exists("Posts"))
    end)

    it("leaves tables that are there, with their rows", function()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      User:create{ name = "ann" }
      db:sync()
      User:sync()
      assert.equal(1, User:count())
    end)

    --- User and Post, which belongs to it, with a row each.
    local function blog()
      local User = db:define("User", { name = liga.STRING })
      local Post = db:define("Post", { title = liga.STRING })
      Post:belongsTo(User)
      db:sync()
      Post:create{ title = "x", userId = User:create{ name = "ann" }.id }
      return User, Post
    end

    it("makes the tables anew with force", function()
      local User, Post = blog()
      db:sync{ force = true }
      assert.equal(0, User:count())
      assert.equal(0, Post:count())
    end)

    it("makes one table anew with force", function()
      local User = db:define("User", { name = liga.STRING })
      local Post = db:define("Post", { title = liga.STRING })
      db:sync()
      User:create{ name = "ann" }
      Post:create{ title = "x" }
      Post:sync{ force = true }
      assert.equal(1, User:count())
      assert.equal(0, Post:count())
    end)

    it("makes one table anew with force that others refer to", function()
      local User, Post = blog()
      User:sync{ force = true }
      assert.equal(0, User:count())
      assert.equal(1, Post:count())
    end)

    it("leaves the rows of other tables as they are with force, whatever their keys say", function()
      local User = db:define("User", { name = liga.STRING })
      local posts = {}
      for _, action in ipairs { "cascade", "restrict", "set null" } do
        local Post = db:define("Post" .. #posts, { title = liga.STRING })
        Post:belongsTo(User, { onDelete = action })
        posts[#posts + 1] = Post
      end
      db:sync()
      local ann = User:create{ name = "ann" }
      for _, Post in ipairs(posts) do Post:create{ title = "x", userId = ann.id } end
      User:sync{ force = true }
      User:afterSync(function() end)
      User:sync{ force = true }
      assert.equal(0, User:count())
      for _, Post in ipairs(posts) do assert.equal(ann.id, Post:findOne().userId) end
      if engine.dialect == "sqlite" then
        support.raises("ForeignKeyConstraintError", function() posts[1]:create{ title = "y", userId = 7 } end)
      end
    end)

    it("is not held up with force by tables that are of no model", function()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      db:query 'CREATE TABLE foreigners (id BIGINT REFERENCES "Users" (id))'
      User:create{ name = "ann" }
      db:sync{ force = true }
      assert.equal(0, User:count())
      db:queryInterface():dropTable("foreigners")
    end)

    it("makes a referenced table before the referencing one, whatever came first in the source", function()
      local Comment = db:define("Comment", { post = liga.belongsTo("Post") })
      local Post = db:define("Post", { author = liga.belongsTo("User") })
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      local user = User:create{ name = "ann" }
      local post = Post:create{ authorId = user.id }
      assert.equal(post.id, Comment:create{ postId = post.id }.postId)
      support.raises("ForeignKeyConstraintError", function() Comment:create{ postId = post.id + 1 } end)
    end)

    it("makes tables that refer to each other", function()
      local Team = db:define("Team", { captain = liga.belongsTo("Player") })
      local Player = db:define("Player", { team = liga.belongsTo("Team") })
      db:sync()
      local team = Team:create{}
      local player = Player:create{ teamId = team.id }
      team:update{ captainId = player.id }
      assert.equal(player.id, Team:findByPk(team.id).captainId)
      support.raises("ForeignKeyConstraintError", function() Player:create{ teamId = team.id + 1 } end)
      support.raises("ForeignKeyConstraintError", function() Team:create{ captainId = player.id + 1 } end)
      db:sync{ force = true }
      assert.equal(0, Team:count())
    end)

    it("makes a table that refers to itself", function()
      local Node = db:define("Node", {})
      Node:belongsTo(Node, { as = "parent", inverse = { as = "children", type = "hasMany" } })
      db:sync()
      local root = Node:create{}
      assert.equal(root.id, Node:create{ parentId = root.id }.parentId)
      support.raises("ForeignKeyConstraintError", function() Node:create{ parentId = root.id + 100 } end)
    end)

    it("names the model that a forward reference is waiting for", function()
      db:define("Comment", { post = liga.belongsTo("Post") })
      support.raises("AssociationError", function() db:sync() end, "Post")
    end)

    it("makes all or nothing", function()
      db:define("Account", { name = liga.STRING })
      db:define("Zone", { name = liga.STRING }, {
        indexes = { { fields = { "name" }, where = liga.literal("no_such_column = 1") } },
      })
      support.raises("DatabaseError", function() db:sync() end)
      assert.is_false(exists("Accounts"))
      assert.is_false(exists("Zones"))
    end)

    it("reports its statements to its own logging", function()
      local own = support.log()
      db:define("User", { name = liga.STRING })
      db:sync{ logging = own.record }
      assert.is_truthy(table.concat(own:statements("schema"), "\n"):upper():find("CREATE TABLE", 1, true))
    end)

    it("does nothing on a database whose name does not match", function()
      db:define("User", { name = liga.STRING })
      support.raises("UsageError", function()
        db:sync{ force = true, match = "^only%-the%-test%-database$" }
      end, "match")
      assert.is_false(exists("Users"))
    end)

    it("names the nearest option for one it does not know", function()
      local User = db:define("User", { name = liga.STRING })
      support.raises("UsageError", function() db:sync{ forse = true } end, "forse", "force")
      support.raises("UsageError", function() User:sync{ forse = true } end, "forse", "force")
    end)

    it("is undone by drop", function()
      local User = db:define("User", { name = liga.STRING })
      local Post = db:define("Post", { title = liga.STRING })
      Post:belongsTo(User, { onDelete = "restrict" })
      db:sync()
      Post:create{ userId = User:create{}.id }
      db:drop()
      assert.is_false(exists("Users"))
      assert.is_false(exists("Posts"))
      db:drop()
    end)

    if engine.dialect == "postgres" then
      it("is undone with what else depends on the tables by drop with cascade", function()
        local User = db:define("User", { name = liga.STRING })
        db:sync()
        db:query 'CREATE TABLE foreigners (id BIGINT REFERENCES "Users" (id))'
        db:query 'CREATE VIEW user_names AS SELECT name FROM "Users"'
        support.raises("DatabaseError", function() User:drop() end, "depends on")
        User:drop{ cascade = true }
        assert.same({ "foreigners" }, db:queryInterface():showAllTables())
        assert.equal(1, select(2, db:query "INSERT INTO foreigners VALUES (77)").affected)
      end)
    end

    it("is undone for one model by its drop", function()
      local User = db:define("User", { name = liga.STRING })
      db:define("Post", { title = liga.STRING })
      db:sync()
      User:drop()
      assert.is_false(exists("Users"))
      assert.is_true(exists("Posts"))
    end)

    it("is undone for tables that refer to each other", function()
      local Team = db:define("Team", { captain = liga.belongsTo("Player") })
      local Player = db:define("Player", { team = liga.belongsTo("Team") })
      db:sync()
      Team:create{ captainId = Player:create{}.id }
      db:drop()
      assert.is_false(exists("Teams"))
      assert.is_false(exists("Players"))
    end)

    it("takes part in a transaction", function()
      db:define("User", { name = liga.STRING })
      pcall(db.transaction, db, function()
        db:sync()
        error("oops")
      end)
      assert.is_false(exists("Users"))
    end)
  end)

  describe("the indexes of a model on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function define(indexes)
      local User = db:define("User", {
        name = liga.STRING, team = { type = liga.STRING, columnName = "team_name" }, age = liga.INTEGER,
      }, { timestamps = false, indexes = indexes })
      db:sync()
      return User
    end

    it("may be unique over several attributes", function()
      local User = define{ { fields = { "name", "team" }, unique = true } }
      User:create{ name = "ann", team = "red" }
      User:create{ name = "ann", team = "blue" }
      local e = support.raises("UniqueConstraintError", function() User:create{ name = "ann", team = "red" } end)
      table.sort(e.attributes)
      assert.same({ "name", "team" }, e.attributes)
    end)

    it("may be unique over some rows only", function()
      local User = define{ { fields = { "name" }, unique = true, where = liga.literal("team_name = 'red'") } }
      User:create{ name = "ann", team = "red" }
      User:create{ name = "ann", team = "blue" }
      User:create{ name = "ann", team = "blue" }
      support.raises("UniqueConstraintError", function() User:create{ name = "ann", team = "red" } end)
    end)

    it("name the nearest attribute or option for one that does not exist", function()
      support.raises("UsageError", function() define{ { fields = { "nmae" } } } end, "nmae", "name")
      support.raises("UsageError", function()
        db:define("Post", { title = liga.STRING }, { indexes = { { fields = { "title" }, uniqe = true } } })
      end, "uniqe", "unique")
    end)

    it("need fields", function()
      support.raises("UsageError", function() define{ { unique = true } } end, "fields")
    end)

    if engine.dialect == "sqlite" then
      local function index_sql(name)
        return db:query("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = $1", { bind = { name } })[1].sql
      end

      it("may have a name and descending columns", function()
        define{ { fields = { "team", { "age", order = "DESC" } }, name = "by team" } }
        local sql = index_sql("by team")
        assert.is_truthy(sql:find("team_name", 1, true))
        assert.is_truthy(sql:upper():find("AGE. DESC"))
      end)

      it("are made once", function()
        define{ { fields = { "name" }, name = "by_name" } }
        db:sync()
        assert.is_string(index_sql("by_name"))
      end)
    end
  end)

  describe("a foreign key on " .. engine.name, function()
    local db, User, Post
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    --- ann has one post, whose reference to her follows these rules.
    local function ann_with_post(key)
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      key.type, key.references = liga.BIGINT, User
      Post = db:define("Post", { title = liga.STRING, userId = key }, { timestamps = false })
      db:sync()
      local ann = User:create{ name = "ann" }
      Post:create{ title = "x", userId = ann.id }
      return ann
    end

    it("takes the rows along with onDelete = cascade", function()
      ann_with_post{ onDelete = "CASCADE" }:destroy()
      assert.equal(0, Post:count())
    end)

    it("becomes NULL with onDelete = set null", function()
      ann_with_post{ onDelete = "set null" }:destroy()
      local post = Post:findOne()
      assert.equal("x", post.title)
      assert.is_nil(post.userId)
    end)

    it("holds its target with onDelete = restrict", function()
      local ann = ann_with_post{ onDelete = "RESTRICT" }
      support.raises("ForeignKeyConstraintError", function() ann:destroy() end)
      assert.equal(1, User:count())
      Post:destroy{ all = true }
      ann:destroy()
      assert.equal(0, User:count())
    end)

    it("holds its target with onDelete = no action", function()
      local ann = ann_with_post{ onDelete = "no action" }
      support.raises("ForeignKeyConstraintError", function() ann:destroy() end)
      assert.equal(1, User:count())
    end)

    it("becomes its default with onDelete = set default", function()
      local ann = ann_with_post{ onDelete = "SET DEFAULT", defaultValue = 900 }
      User:create{ id = 900, name = "nobody" }
      ann:destroy()
      assert.equal(900, Post:findOne().userId)
    end)

    it("follows its target with onUpdate = cascade", function()
      local ann = ann_with_post{ onUpdate = "cascade" }
      User:update({ id = 500 }, { where = { id = ann.id } })
      assert.equal(500, Post:findOne().userId)
    end)

    it("is refused with a rule that does not exist", function()
      local ok, e = pcall(ann_with_post, { onDelete = "explode" })
      assert.is_false(ok)
      assert.is_true(liga.isError(e))
      assert.is_truthy(e.message:find("explode", 1, true))
    end)

    it("may be checked at the end of the transaction only", function()
      local ann = ann_with_post{ deferrable = "deferred" }
      db:transaction(function()
        Post:create{ title = "early", userId = ann.id + 1 }
        User:create{ id = ann.id + 1, name = "late" }
      end)
      assert.equal(2, Post:count())
      support.raises("ForeignKeyConstraintError", function()
        db:transaction(function() Post:create{ title = "orphan", userId = ann.id + 2 } end)
      end)
      assert.equal(2, Post:count())
    end)
  end)
end
