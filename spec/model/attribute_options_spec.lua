-- The options of an attribute (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the attribute option on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function define(attributes, options)
      local Model = db:define("User", attributes, options or { timestamps = false })
      db:sync()
      return Model
    end

    it("columnName gives the column another name than the attribute", function()
      local User = define{ userName = { type = liga.STRING, columnName = "user name" } }
      User:create{ userName = "ann" }
      assert.equal("ann", User:findOne{ where = { userName = "ann" } }.userName)
      assert.equal("ann", db:query('SELECT "user name" FROM "Users"')[1]["user name"])
    end)

    it("field is another name of columnName", function()
      local User = define{ userName = { type = liga.STRING, field = "user_name" } }
      assert.equal("user_name", User.attributes.userName.columnName)
    end)

    it("allowNull = false is checked before anything is sent", function()
      local User = define{ name = { type = liga.STRING, allowNull = false } }
      for _, values in ipairs { {}, { name = liga.null } } do
        local e = support.raises("ValidationError", function() User:create(values) end, "name")
        assert.equal("User", e.model)
        assert.same({ "name" }, e.attributes)
      end
      assert.equal(0, User:count())
    end)

    it("allowNull = false is checked by save and update too", function()
      local User = define{ name = { type = liga.STRING, allowNull = false } }
      local ann = User:create{ name = "ann" }
      ann.name = nil
      support.raises("ValidationError", function() ann:save() end, "name")
      support.raises("ValidationError", function() User:update({ name = liga.null }, { all = true }) end, "name")
      assert.equal("ann", User:findByPk(ann.id).name)
    end)

    it("allowNull = false is also a constraint of the database", function()
      define{ name = { type = liga.STRING, allowNull = false } }
      support.raises("NotNullConstraintError", function() db:query('INSERT INTO "Users" ("name") VALUES (NULL)') end)
    end)

    it("unique refuses a second row with the same value", function()
      local User = define{ name = { type = liga.STRING, unique = true } }
      User:create{ name = "ann" }
      local e = support.raises("UniqueConstraintError", function() User:create{ name = "ann" } end)
      assert.equal("User", e.model)
      assert.same({ "name" }, e.attributes)
      assert.equal(1, User:count())
    end)

    it("unique allows any number of NULLs", function()
      local User = define{ name = { type = liga.STRING, unique = true } }
      User:bulkCreate{ {}, {} }
      assert.equal(2, User:count())
    end)

    it("values gives the values of an ENUM", function()
      local User = define{ state = { type = liga.ENUM, values = { "new", "old" } } }
      assert.equal("old", User:create{ state = "old" }.state)
      support.raises("ValidationError", function() User:create{ state = "ancient" } end, "state")
    end)

    it("comment changes nothing in what is stored", function()
      local User = define{ name = { type = liga.STRING, comment = "what we call them; it's \"quoted\"" } }
      assert.equal("ann", User:create{ name = "ann" }.name)
    end)

    it("autoIncrement numbers a key of any name", function()
      local User = define{
        number = { type = liga.INTEGER, primaryKey = true, autoIncrement = true },
        name = liga.STRING,
      }
      assert.same({ 1, 2 }, { User:create{ name = "a" }.number, User:create{ name = "b" }.number })
    end)

    if engine.dialect == "sqlite" then
      it("index makes an index", function()
        define{ name = { type = liga.STRING, index = true } }
        local rows = db:query([[SELECT i.name FROM pragma_index_list('Users') AS l
          JOIN pragma_index_info(l.name) AS i WHERE l."unique" = 0]])
        assert.same({ "name" }, support.pluck(rows, "name"))
      end)
    end
  end)

  describe("the attribute option references on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
    end)
    after_each(function() db:close() end)

    local function holds_reference(attribute)
      local Post = db:define("Post", { userId = attribute }, { timestamps = false })
      db:sync()
      local ann = User:create{ name = "ann" }
      assert.equal(ann.id, Post:create{ userId = ann.id }.userId)
      support.raises("ForeignKeyConstraintError", function() Post:create{ userId = ann.id + 1 } end)
      return Post
    end

    it("takes a model", function() holds_reference{ type = liga.BIGINT, references = User } end)

    it("takes the name of a model", function() holds_reference{ type = liga.BIGINT, references = "User" } end)

    it("takes the name of a table", function() holds_reference{ type = liga.BIGINT, references = "Users" } end)

    it("takes model and key", function()
      local Post = holds_reference{ type = liga.BIGINT, references = { model = User, key = "id" } }
      assert.same({ table = "Users", key = "id" }, {
        table = Post.attributes.userId.references.table, key = Post.attributes.userId.references.key,
      })
    end)

    it("takes table and key", function()
      holds_reference{ type = liga.BIGINT, references = { table = "Users", key = "id" } }
    end)

    it("takes the key beside it as referencesKey", function()
      holds_reference{ type = liga.BIGINT, references = "Users", referencesKey = "id" }
    end)

    it("obeys onDelete", function()
      local Post = holds_reference{ type = liga.BIGINT, references = User, onDelete = "cascade" }
      User:destroy{ all = true }
      assert.equal(0, Post:count())
    end)
  end)

  describe("the attributes of a model on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        { "name", { type = liga.STRING(40), allowNull = false, unique = true } },
        { "age", liga.INTEGER },
        { "state", { type = liga.STRING, defaultValue = "new", columnName = "user_state" } },
      }, { timestamps = false })
    end)
    after_each(function() db:close() end)

    it("can be walked in order and looked up by name", function()
      local names = {}
      for i, attribute in ipairs(User.attributes) do
        names[i] = attribute.name
        assert.equal(attribute.name, User.attributes[attribute.name].name)
      end
      table.sort(names)
      assert.same({ "age", "id", "name", "state" }, names)
    end)

    it("tell what was declared", function()
      local name, state = User.attributes.name, User.attributes.state
      assert.is_true(name.type == liga.STRING(40))
      assert.is_false(name.allowNull)
      assert.is_truthy(name.unique)
      assert.is_true(User.attributes.age.allowNull)
      assert.equal("user_state", state.columnName)
      assert.equal("new", state.defaultValue)
    end)

    it("are read-only", function()
      assert.is_false(pcall(function() User.attributes.age.columnName = "years" end))
      assert.is_false(pcall(function() User.attributes.extra = { name = "extra" } end))
      assert.equal("age", User.attributes.age.columnName)
      assert.is_nil(User.attributes.extra)
    end)
  end)
end
