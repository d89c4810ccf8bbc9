--- db:sync{ alter = true }: tables follow their models, and nothing is lost.
local support = require "spec.support"
local doctor = require "liga.doctor"
local liga = require "liga"

for engine in support.engines() do
  describe("sync with alter on " .. engine.name, function()
    local db
    before_each(function()
      db = engine:open()
      db:queryInterface():dropAllTables()
    end)
    after_each(function() db:close() end)

    --- The same database with other models.
    local function again(log)
      db:close()
      db = engine:reopen{ logging = log }
      return db
    end

    --- A memory database is gone with its connection.
    local on_disk = engine.kind == "memory" and function() end or it

    local function differing()
      return db:sync{ alter = true, dryRun = true }
    end

    local function first_models()
      local User = db:define("User", {
        name = { type = liga.STRING(20) }, age = { type = liga.INTEGER, defaultValue = 3 }, old = liga.TEXT,
      }, { timestamps = false })
      local Post = db:define("Post", { title = liga.STRING(30) }, { timestamps = false })
      User:hasMany(Post, { as = "posts", inverse = "author" })
      db:sync()
      local ann = User:create{ name = "ann", old = "kept" }
      ann:createPost{ title = "one" }
    end

    it("creates what is not there, and finds nothing to do the second time", function()
      local User = db:define("User", {
        name = { type = liga.STRING(20), unique = true, allowNull = false, defaultValue = "it's" },
        flag = { type = liga.BOOLEAN, defaultValue = true },
        price = { type = liga.DECIMAL(10, 2), defaultValue = "1.5" },
        long = { type = liga.DECIMAL(20, 3) },
        at = { type = liga.DATE, defaultValue = liga.literal("CURRENT_TIMESTAMP") },
        answer = { type = liga.INTEGER, defaultValue = liga.literal("40 + 2") },
        pair = { type = liga.INTEGER, defaultValue = liga.literal("(1 + 2) * (3 + 4)") },
        data = { type = liga.JSON, defaultValue = { a = 1 } }, ratio = { type = liga.DOUBLE, defaultValue = 0.5 },
        kind = { type = liga.ENUM { "a", "b" }, defaultValue = "a" }, day = liga.DATEONLY, time = liga.TIME,
        id2 = { type = liga.UUID, defaultValue = liga.UUIDV4 }, bytes = liga.BLOB, small = liga.SMALLINT,
        letter = liga.CHAR(3), real = liga.REAL, code = { type = liga.STRING(9), index = true },
      }, { indexes = {
        { fields = { "name", { "code", order = "DESC" } }, where = liga.literal("code IS NOT NULL") },
      } })
      local Tag = db:define("Tag", { name = liga.STRING })
      User:belongsToMany(Tag, { through = "UserTags" })
      User:belongsTo(User, { as = "boss", inverse = "team" })
      local wanted = #differing()
      assert.is_true(wanted >= 3)
      db:sync{ alter = true }
      assert.same({}, differing())
      assert.equal(db, db:sync{ alter = true })
    end)

    it("leaves tables of others as they are, which models were made of", function()
      db:query "CREATE TABLE foreigners (id INTEGER PRIMARY KEY, doc JSON, more JSONB, d DECIMAL(8,2), word VARCHAR(9))"
      db:reflect()
      assert.same({}, differing())
    end)

    it("leaves keys to generated keys of 32 bits as narrow as these, along chains too", function()
      local key = engine.dialect == "postgres" and "SERIAL" or "INTEGER"
      db:query(([[CREATE TABLE albums (id %s PRIMARY KEY, best INTEGER,
        parent INTEGER REFERENCES albums (id))]]):format(key))
      db:query "CREATE TABLE tracks (album INTEGER REFERENCES albums (id), line INTEGER, PRIMARY KEY (album, line))"
      db:query [[CREATE TABLE plays (album INTEGER, line INTEGER,
        FOREIGN KEY (album, line) REFERENCES tracks (album, line))]]
      db:reflect()
      assert.same({}, differing())
      for _, finding in ipairs(doctor.examine(db, { models = true })) do
        assert.not_equal("model differs from table", finding.check)
      end
    end)

    on_disk("adds columns and indexes, changes types, defaults and nullability, and drops no column", function()
      first_models()
      again()
      local User = db:define("User", {
        name = { type = liga.STRING(50), allowNull = false, unique = true },
        age = { type = liga.INTEGER, defaultValue = 4 },
        mail = { type = liga.STRING, allowNull = false, defaultValue = "-" },
      }, { timestamps = false })
      assert.is_true(#differing() > 0)
      assert.is_nil(db:query("SELECT * FROM \"Users\"")[1].mail)
      db:sync{ alter = true }
      assert.same({}, differing())
      local row = db:query("SELECT * FROM \"Users\"")[1]
      assert.equal("kept", row.old)
      assert.equal("-", row.mail)
      assert.equal(1, #db:query("SELECT * FROM \"Posts\""))
      assert.equal(4, User:create{ name = "bob" }.age)
      support.raises("UniqueConstraintError", function() User:create{ name = "bob" } end)
    end)

    on_disk("changes the rules of foreign keys, and adds keys", function()
      first_models()
      again()
      local User = db:define("User", { name = liga.STRING(20) }, { timestamps = false })
      local Post = db:define("Post", { title = liga.STRING(30) }, { timestamps = false })
      User:hasMany(Post, { as = "posts", inverse = "author", onDelete = "CASCADE" })
      Post:belongsTo(User, { as = "editor" })
      db:sync{ alter = true }
      assert.same({}, differing())
      local ann = User:findOne()
      assert.equal(1, ann:countPosts())
      ann:getPosts()[1]:setEditor(ann)
      ann:destroy()
      assert.equal(0, Post:count())
    end)

    on_disk("knows indexes over expressions, and over some rows only", function()
      local function define()
        return db:define("User", { name = liga.STRING(20), age = liga.INTEGER }, { timestamps = false, indexes = {
          { fields = { liga.fn("lower", liga.col "name"), { "age", order = "DESC" } }, name = "lower", unique = true },
          { fields = { "age" }, where = { name = "ann" } },
        } })
      end
      define():sync()
      assert.same({}, differing())
      again()
      local User = define()
      assert.same({}, differing())
      User:create{ name = "ann", age = 1 }
      support.raises("UniqueConstraintError", function() User:create{ name = "ANN", age = 1 } end)
    end)

    on_disk("names model and attributes where the rows break a new rule", function()
      db:define("User", { firstName = liga.STRING, code = liga.INTEGER }, { timestamps = false, underscored = true })
      db:define("Post", { userId = liga.BIGINT, title = liga.STRING }, { timestamps = false, underscored = true })
      db:sync()
      db:query "INSERT INTO users (code) VALUES (1)"
      db:query "INSERT INTO posts (user_id) VALUES (77)"
      local function refused(name, model, attribute, message)
        local e = support.raises(name, function() db:sync{ alter = true } end, message)
        assert.same({ model, { attribute }, "rolled_back" }, { e.model, e.attributes, e.outcome })
      end
      again()
      db:define("User", { firstName = { type = liga.STRING, allowNull = false } }, { timestamps = false,
        underscored = true })
      refused("NotNullConstraintError", "User", "firstName", "User.firstName must not be NULL")
      again()
      local User = db:define("User", { code = liga.INTEGER }, { timestamps = false, underscored = true })
      local Post = db:define("Post", { title = liga.TEXT }, { timestamps = false, underscored = true })
      User:hasMany(Post)
      refused("ForeignKeyConstraintError", "Post", "userId", "Post: there is no row of User that userId could refer to")
      assert.equal(1, #db:query "SELECT * FROM posts WHERE user_id = 77")
    end)

    on_disk("never cuts what is there", function()
      local User = db:define("User", { name = liga.STRING(20), price = liga.DECIMAL(20, 4), at = liga.DATE },
        { timestamps = false })
      db:sync()
      User:create{ name = "ann", price = "1.2345", at = "2026-11-22T09:30:00Z" }
      for name, type in pairs { name = liga.STRING(2), price = liga.DECIMAL(20, 2), at = liga.DATEONLY } do
        again()
        db:define("User", { [name] = type }, { timestamps = false })
        local e = support.raises("DatabaseError", function() db:sync{ alter = true } end,
          ("Users.%s holds values that %s can't hold"):format(name, type))
        assert.same({ "User", "Users", name, "rolled_back" }, { e.model, e.table, e.attribute, e.outcome })
        assert.is_not_nil(e.value)
      end
      again()
      User = db:define("User", { name = liga.STRING(20), price = liga.DECIMAL(20, 4), at = liga.DATE },
        { timestamps = false })
      local ann = User:findOne()
      assert.same({ "ann", "1.2345", "2026-11-22T09:30:00.000Z" }, { ann.name, ann.price, ann.at })
      again()
      db:define("User", { price = liga.DECIMAL(10, 4) }, { timestamps = false })
      db:sync{ alter = true }
      assert.same({}, differing())
    end)

    on_disk("makes anything of a column without values", function()
      local types = { liga.STRING(20), liga.TEXT, liga.INTEGER, liga.BIGINT, liga.DOUBLE, liga.DECIMAL(8, 2),
        liga.BOOLEAN, liga.DATE, liga.DATEONLY, liga.TIME, liga.UUID, liga.BLOB, liga.JSON, liga.JSONB }
      for shift = 0, #types - 1 do
        if shift > 0 then again() end
        local attributes = {}
        for i in ipairs(types) do attributes[i] = { "f" .. i, types[(i + shift - 1) % #types + 1] } end
        local Thing = db:define("Thing", attributes, { timestamps = false })
        db:sync{ alter = true }
        assert.same({}, differing())
        if shift == 0 then Thing:create{} end
        assert.equal(1, Thing:count())
      end
    end)

    on_disk("makes a text of an enum, and another enum of that", function()
      local function becomes(type, value)
        again()
        local Thing = db:define("Thing", { kind = type, kinds = liga.STRING }, { timestamps = false })
        db:sync{ alter = true }
        assert.same({}, differing())
        assert.equal(value, Thing:create{ kind = value }:reload().kind)
        assert.equal("a", Thing:findOne{ order = "id" }.kind)
      end
      db:define("Thing", { kind = liga.ENUM{ "a", "b" } }, { timestamps = false }):sync():create{ kind = "a" }
      becomes(liga.TEXT, "c")
      becomes(liga.ENUM{ "a", "c", "d" }, "d")
      db:queryInterface():addColumn("Things", "more", liga.ENUM{ "x" })
      db:queryInterface():removeColumn("Things", "more")
      db:queryInterface():addColumn("Things", "more", liga.ENUM{ "y" })
      db:query [[INSERT INTO "Things" (more) VALUES ('y')]]
    end)

    on_disk("makes nothing of a value that the new type can't read", function()
      local Thing = db:define("Thing", { n = liga.INTEGER, t = liga.TIME }, { timestamps = false })
      db:sync()
      Thing:create{ n = 5, t = "09:30:00" }
      for name, type in pairs{ n = liga.UUID, t = liga.DATEONLY } do
        again()
        db:define("Thing", { [name] = type }, { timestamps = false })
        local e = support.raises("DatabaseError", function() db:sync{ alter = true } end,
          ("Things.%s holds values that %s can't hold"):format(name, type))
        assert.same({ "Thing", name, "rolled_back" }, { e.model, e.attribute, e.outcome })
      end
    end)

    it("says what it would do without doing it", function()
      db:define("User", { name = liga.STRING })
      local statements = db:sync{ alter = true, dryRun = true }
      assert.is_truthy(statements[1]:find("CREATE TABLE", 1, true))
      assert.is_false(db:queryInterface():tableExists("Users"))
    end)

    it("leaves a column of computed values alone", function()
      db:query [[CREATE TABLE "Things" (
        id INTEGER PRIMARY KEY, a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) STORED)]]
      db:reflect()
      assert.same({}, differing())
    end)

    if engine.dialect == "postgres" then
      it("makes comments what they are in the models, and an enum's new value its default", function()
        db:define("Thing", { kind = liga.ENUM { "a" }, note = { type = liga.TEXT, comment = "old" } }, {
          timestamps = false, indexes = { { fields = { "note" }, where = { kind = "a" } } },
        }):sync()
        again()
        local Thing = db:define("Thing", {
          kind = { type = liga.ENUM { "a", "b" }, defaultValue = "b" },
          note = { type = liga.TEXT, comment = "it's new" }, more = { type = liga.TEXT, comment = "another" },
        }, { timestamps = false, comment = "things", indexes = { { fields = { "note" }, where = { kind = "a" } } } })
        assert.equal(7, #differing())
        db:sync{ alter = true }
        assert.same({}, differing())
        assert.equal("b", Thing:create{}.kind)
        assert.equal("it's new", db:queryInterface():describeTable("Things").note.comment)
      end)

      it("adds the values that an enum misses, and makes new enums", function()
        db:define("Thing", { kind = liga.ENUM { "b", "d" } }, { timestamps = false }):sync()
        again()
        local Thing = db:define("Thing", {
          kind = liga.ENUM { "a", "b", "c", "d" }, more = { type = liga.ENUM { "x" }, defaultValue = "x" },
        }, { timestamps = false })
        db:sync{ alter = true }
        assert.same({}, differing())
        for _, kind in ipairs { "d", "a", "c", "b" } do Thing:create{ kind = kind } end
        local found = {}
        for i, thing in ipairs(Thing:findAll{ order = { "kind" } }) do found[i] = thing.kind .. thing.more end
        assert.same({ "ax", "bx", "cx", "dx" }, found)
      end)

      it("adds them to the enum of a list, and makes new lists", function()
        local Before = db:define("Thing", { kinds = liga.ARRAY(liga.ENUM { "b" }) }, { timestamps = false })
        Before:sync():create{ kinds = { "b" } }
        again()
        local Thing = db:define("Thing", {
          kinds = liga.ARRAY(liga.ENUM { "a", "b" }),
          more = { type = liga.ARRAY(liga.ENUM { "x", "it's" }), defaultValue = { "it's" } },
        }, { timestamps = false })
        db:sync{ alter = true }
        assert.same({}, differing())
        assert.same({ "a", "b" }, Thing:create{ kinds = { "a", "b" } }:reload().kinds)
        assert.same({ "it's" }, Thing:findByPk(1).more)
      end)

      it("leaves alone what reflect made of types of the server's own", function()
        db:query "DROP TYPE IF EXISTS mood"
        db:query "CREATE TYPE mood AS ENUM ('sad', 'happy')"
        db:query [[CREATE TABLE "Things" (id SERIAL PRIMARY KEY, m mood DEFAULT 'sad', v VARCHAR, n NUMERIC,
          t TIMESTAMP, a INTEGER[], p POINT, r INT4RANGE, big BIGINT, at TIMESTAMPTZ DEFAULT now(),
          c CHAR(3) DEFAULT 'abc')]]
        db:reflect()
        assert.same({}, differing())
        assert.equal('ENUM{"sad","happy"}', tostring(db.models.Thing.attributes.m.type))
        local row = db.models.Thing:create{ m = "happy", v = "x", n = 1.5, c = "xyz" }:reload()
        assert.same({ "happy", "x", "1.5", "xyz" }, { row.m, row.v, row.n, row.c })
      end)
    end

    it("and force exclude each other", function()
      support.raises("UsageError", function() db:sync{ alter = true, force = true } end, "alter", "force")
    end)

    on_disk("that fails changes nothing", function()
      first_models()
      again()
      db:define("User", {
        name = liga.STRING(20), mail = { type = liga.STRING, allowNull = false },
      }, { timestamps = false })
      support.raises("NotNullConstraintError", function() db:sync{ alter = true } end)
      assert.equal(1, #db:query("SELECT * FROM \"Users\""))
      assert.equal(1, #db:query("SELECT * FROM \"Posts\" WHERE \"authorId\" IS NOT NULL"))
      assert.is_true(#differing() > 0)
    end)
  end)
end
