-- Constraint errors name model and attributes, not only the index (contract, section 11).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a constraint error on " .. engine.name, function()
    local db, User, Post
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        email = { type = liga.STRING, unique = true, columnName = "e_mail" }, team = liga.STRING, number = liga.INTEGER,
      }, { timestamps = false, indexes = { { fields = { "team", "number" }, unique = true } } })
      Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      Post:belongsTo(User, { onDelete = "restrict" })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("of a unique attribute names it, not its column", function()
      User:create{ email = "ann@example.org" }
      local e = support.raises("UniqueConstraintError", function()
        User:create{ email = "ann@example.org" }
      end, "email")
      assert.equal("User", e.model)
      assert.equal("Users", e.table)
      assert.equal("email", e.attribute)
      assert.same({ "email" }, e.attributes)
    end)

    it("names the constraint, and alike where the engine does not", function()
      local ann = User:create{ email = "ann@example.org", team = "red", number = 7 }
      local function constraint_of(body)
        local ok, e = pcall(body)
        return not ok and e.constraint
      end
      assert.equal("Users_e_mail_unique", constraint_of(function() User:create{ email = "ann@example.org" } end))
      assert.equal("users_team_number_unique", constraint_of(function() User:create{ team = "red", number = 7 } end))
      assert.equal("Users_pkey", constraint_of(function() User:create{ id = ann.id } end))
      assert.equal("Posts_userId_fkey", constraint_of(function() Post:create{ userId = 99 } end))
    end)

    it("of several attributes names them all", function()
      User:create{ team = "red", number = 7 }
      local e = support.raises("UniqueConstraintError", function()
        User:create{ team = "red", number = 7 }
      end, "team", "number")
      table.sort(e.attributes)
      assert.same({ "number", "team" }, e.attributes)
    end)

    it("of a single row holds the value of its first attribute, which is not in the message", function()
      User:create{ email = "ann@example.org", team = "red", number = 7 }
      local bob = User:create{ email = "bob@example.org" }
      local e = support.raises("UniqueConstraintError", function() User:create{ email = "ann@example.org" } end)
      assert.equal("ann@example.org", e.value)
      assert.is_nil(tostring(e):find("ann@", 1, true))
      e = support.raises("UniqueConstraintError", function() bob:update{ team = "red", number = 7 } end)
      assert.equal(e.attribute == "team" and "red" or 7, e.value)
      e = support.raises("UniqueConstraintError", function()
        User:bulkCreate{ { email = "cid@example.org" }, { email = "ann@example.org" } }
      end)
      assert.is_nil(e.value)
      local Note = db:define("Note", { text = liga.STRING })
      Note:belongsTo(User)
      Note:hasMany(Note, { as = "answers", foreignKey = { name = "noteId", onDelete = "RESTRICT" }, inverse = "note" })
      db:sync()
      e = support.raises("ForeignKeyConstraintError", function() Note:create{ userId = 77 } end)
      assert.same({ "userId", 77 }, { e.attribute, e.value })
      local note = Note:create{}
      note:createAnswer{}
      e = support.raises("ForeignKeyConstraintError", function() note:destroy() end)
      assert.same({ "noteId" }, { e.attribute, e.value })
    end)

    describe("of a foreign key that is looked at at COMMIT", function()
      local Note
      before_each(function()
        Note = db:define("Note", { text = liga.STRING }, { timestamps = false })
        Note:belongsTo(User, { foreignKey = { name = "writerId", columnName = "writer_id", deferrable = "deferred" } })
        Note:belongsTo(Note, { as = "first", foreignKey = { deferrable = "deferred" },
          inverse = { as = "others", type = "hasMany" } })
        db:sync()
      end)

      local function at_commit(f)
        return support.raises("ForeignKeyConstraintError", function() db:transaction(f) end)
      end

      it("names model, table and attributes", function()
        local e = at_commit(function()
          Note:create{ text = "fine" }
          Note:create{ writerId = 99 }
        end)
        assert.same({ "Note", "Notes", "writerId", "rolled_back" }, { e.model, e.table, e.attribute, e.outcome })
        assert.same({ "writerId" }, e.attributes)
        assert.is_truthy(e.message:find("Note: there is no row of User that writerId could refer to", 1, true))
        assert.equal(0, Note:count())
        e = at_commit(function() Note:create{ firstId = 99 } end)
        assert.same({ "Note", "firstId" }, { e.model, e.attribute })
      end)

      it("is raised of a statement that stands alone, too, and nothing is stored", function()
        local note = Note:create{ text = "fine" }
        note.writerId = 99
        for i, write in ipairs{
          function() Note:create{ writerId = 99 } end,
          function() note:save() end,
          function() Note:update({ writerId = 99 }, { where = { id = note.id } }) end,
          function() db:query('UPDATE "Notes" SET writer_id = 99') end,
        } do
          local e = support.raises("ForeignKeyConstraintError", write)
          assert.same({ i, "Note" }, { i, i == 4 and "Note" or e.model })
        end
        assert.same({ 1, nil }, { Note:count(), Note:findByPk(note.id).writerId })
      end)

      it("also where the row that is referred to went", function()
        local ann = User:create{ team = "red" }
        Note:create{ writerId = ann.id }
        db:query('UPDATE "Notes" SET text = \'x\'')
        local e = at_commit(function()
          db:query('DELETE FROM "Users"')
          db:query('UPDATE "Notes" SET writer_id = 98')
        end)
        assert.same({ "Note", "writerId" }, { e.model, e.attribute })
      end)

      if engine.dialect == "sqlite" then
        it("names none where several could be meant", function()
          local e = at_commit(function() Note:create{ writerId = 99, firstId = 98 } end)
          assert.same({ {}, "rolled_back" }, { e.attributes, e.outcome })
        end)
      end
    end)

    it("of the primary key names the key", function()
      User:create{ id = 7 }
      assert.same({ "id" }, support.raises("UniqueConstraintError", function() User:create{ id = 7 } end).attributes)
    end)

    it("is the same from save, update and bulkCreate", function()
      local ann = User:create{ email = "ann@example.org" }
      local bob = User:create{ email = "bob@example.org" }
      bob.email = ann.email
      for _, write in ipairs {
        function() bob:save() end,
        function() User:update({ email = "same@example.org" }, { all = true }) end,
        function() User:bulkCreate{ { email = "cid@example.org" }, { email = "ann@example.org" } } end,
      } do
        local e = support.raises("UniqueConstraintError", write)
        assert.equal("User", e.model)
        assert.same({ "email" }, e.attributes)
      end
      assert.equal(2, User:count())
    end)

    it("of a foreign key is raised for a target that does not exist", function()
      local e = support.raises("ForeignKeyConstraintError", function() Post:create{ userId = 99 } end)
      assert.equal("Post", e.model)
      assert.equal(0, Post:count())
    end)

    it("of a foreign key names its attributes and the model they refer to, however it is written", function()
      local post = Post:create{}
      post.userId = 99
      for _, write in ipairs {
        function() Post:create{ userId = 99 } end,
        function() Post:bulkCreate{ { userId = 99 }, { userId = 98 } } end,
        function() Post:upsert{ id = 7, userId = 99 } end,
        function() Post:findOrCreate{ where = { userId = 99 } } end,
        function() Post:update({ userId = 99 }, { all = true }) end,
        function() post:save() end,
      } do
        local e = support.raises("ForeignKeyConstraintError", write, "Post", "userId", "User")
        assert.same({ "Post", "Posts", "userId", { "userId" } }, { e.model, e.table, e.attribute, e.attributes })
      end
    end)

    it("of one of several foreign keys names the one that was given", function()
      Post:belongsTo(Post, { as = "answered", inverse = { as = "answers" } })
      db:sync{ force = true }
      assert.same({ "answeredId" }, support.raises("ForeignKeyConstraintError", function()
        Post:create{ answeredId = 99 }
      end).attributes)
    end)

    it("of several foreign keys that were given names the one without a row, and its value", function()
      Post:belongsTo(Post, { as = "answered", inverse = { as = "answers" } })
      db:sync{ force = true }
      local ann = User:create{}
      local post = Post:create{ userId = ann.id }
      for attribute, values in pairs{
        userId = { userId = 99, answeredId = post.id }, answeredId = { userId = ann.id, answeredId = 98 },
      } do
        for how, write in pairs{
          create = function() Post:create(values) end,
          save = function() post:update(values) end,
          update = function() Post:update(values, { all = true }) end,
          upsert = function() Post:upsert{ id = 7, userId = values.userId, answeredId = values.answeredId } end,
          bulk = function() Post:bulkCreate{ { userId = ann.id, answeredId = post.id }, values } end,
        } do
          local e = support.raises("ForeignKeyConstraintError", write)
          assert.same({ how, "Post", { attribute }, how ~= "bulk" and values[attribute] or nil },
            { how, e.model, e.attributes, e.value })
          post:reload()
        end
      end
    end)

    it("of a foreign key names what holds it in the generated methods, too", function()
      local Tag = db:define("Tag", {})
      User:hasMany(Post, { onDelete = "restrict" })
      Post:belongsTo(User, { as = "editor" })
      User:hasOne(Post, { as = "best", inverse = "bestOf" })
      User:belongsToMany(Tag, { through = "UserTag" })
      db:sync{ force = true }
      local post, tag = Post:create{}, Tag:create{}
      local function gone()
        local user = User:create{}
        User:destroy{ where = { id = user.id } }
        return user
      end
      for _, case in ipairs {
        { "Post", "userId", function(user) user:addPost(post) end },
        { "Post", "userId", function(user) user:addPost(post.id) end },
        { "Post", "userId", function(user) user:setPosts{ post } end },
        { "Post", "userId", function(user) user:createPost{} end },
        { "Post", "userId", function(user) user:addPost(Post:build{}) end },
        { "Post", "bestOfId", function(user) user:setBest(post) end },
        { "Post", "bestOfId", function(user) user:createBest{} end },
        { "Post", "editorId", function(user) post:setEditor(user) end },
        { "UserTag", "userId", function(user) user:addTag(tag.id) end },
        { "UserTag", "userId", function(user) user:setTags{ tag.id } end },
        { "UserTag", "userId", function(user) user:createTag{} end },
        { "Post", "editorId", function() Post:bulkCreate{ { editorId = 99 }, {} } end },
      } do
        local e = support.raises("ForeignKeyConstraintError", function() case[3](gone()) end, case[1], case[2], "User")
        assert.same({ case[1], { case[2] } }, { e.model, e.attributes })
      end
      local e = support.raises("ForeignKeyConstraintError", function() gone():addTag(tag) end, "UserTag")
      assert.same({ "UserTag", "UserTag" }, { e.model, e.table })
    end)

    it("of a foreign key that holds a row names the holder", function()
      local ann = User:create{}
      Post:create{ userId = ann.id }
      for _, write in ipairs {
        function() ann:destroy() end,
        function() User:destroy{ all = true } end,
      } do
        local e = support.raises("ForeignKeyConstraintError", write, "User", "still referred to", "userId", "Post")
        assert.same({ "Post", "Posts", { "userId" } }, { e.model, e.table, e.attributes })
      end
    end)

    it("of a foreign key is raised for a target that is still needed", function()
      local ann = User:create{}
      Post:create{ userId = ann.id }
      support.raises("ForeignKeyConstraintError", function() ann:destroy() end)
      support.raises("ForeignKeyConstraintError", function() User:destroy{ all = true } end)
      assert.equal(1, User:count())
    end)

    it("of a check is raised by the database", function()
      db:query("CREATE TABLE goods (id INTEGER PRIMARY KEY, price INTEGER CHECK (price >= 0))")
      local Good = db:define("Good", { price = liga.INTEGER }, { tableName = "goods", timestamps = false })
      local e = support.raises("CheckConstraintError", function() Good:create{ id = 1, price = -1 } end)
      assert.equal("Good", e.model)
      assert.equal(0, Good:count())
    end)

    it("of a NOT NULL is raised by the database where the model allows NULL", function()
      db:query("CREATE TABLE goods (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
      local Good = db:define("Good", {
        name = { type = liga.STRING, columnName = "title" },
      }, { tableName = "goods", timestamps = false })
      local e = support.raises("NotNullConstraintError", function() Good:create{ id = 1 } end)
      assert.equal("Good", e.model)
      assert.same({ "name" }, e.attributes)
    end)

    it("of a raw query has its name too", function()
      db:query([[INSERT INTO "Users" (e_mail) VALUES ('ann')]])
      support.raises("UniqueConstraintError", function() db:query([[INSERT INTO "Users" (e_mail) VALUES ('ann')]]) end)
      support.raises("ForeignKeyConstraintError", function()
        db:query([[INSERT INTO "Posts" ("userId") VALUES (99)]])
      end)
    end)
  end)
end
