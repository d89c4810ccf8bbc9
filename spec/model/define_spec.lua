-- db:define: what a model knows about itself, and what it refuses (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("define on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("makes a model that knows its name, table and key", function()
      local User = db:define("User", { name = liga.STRING })
      assert.equal("User", User.name)
      assert.equal("Users", User.tableName)
      assert.same({ "id" }, User.primaryKey)
    end)

    it("adds a key and two timestamps of its own", function()
      local User = db:define("User", { name = liga.STRING })
      local id = User.attributes.id
      assert.is_true(id.primaryKey)
      assert.is_true(id.autoIncrement)
      assert.is_truthy(User.attributes.createdAt)
      assert.is_truthy(User.attributes.updatedAt)
    end)

    it("adds no key where one is declared", function()
      local Country = db:define("Country", { code = { type = liga.CHAR(2), primaryKey = true } })
      assert.is_nil(Country.attributes.id)
      assert.same({ "code" }, Country.primaryKey)
    end)

    it("does without attributes", function()
      local Tick = db:define("Tick", {}, { timestamps = false })
      db:sync()
      assert.equal("integer", math.type(Tick:create{}.id))
      assert.equal(1, Tick:count())
    end)

    it("does not change the tables that it is given", function()
      local attributes = { name = { type = liga.STRING, allowNull = false } }
      local options = { underscored = true }
      db:define("User", attributes, options)
      assert.is_nil(attributes.id)
      assert.is_nil(attributes.createdAt)
      assert.is_nil(attributes.name.columnName)
      assert.same({ underscored = true }, options)
    end)

    it("refuses a name that is taken", function()
      db:define("User", { name = liga.STRING })
      support.raises("UsageError", function() db:define("User", { name = liga.STRING }) end, "User")
    end)

    it("refuses a name that is no name", function()
      support.raises("UsageError", function() db:define("", { name = liga.STRING }) end)
      support.raises("UsageError", function() db:define(nil, { name = liga.STRING }) end)
      support.raises("UsageError", function() db:define(5, { name = liga.STRING }) end)
    end)

    it("refuses attributes that are no table", function()
      support.raises("UsageError", function() db:define("User", "name") end)
    end)

    it("names the nearest model option for one it does not know", function()
      support.raises("UsageError", function()
        db:define("User", {}, { timestamp = false })
      end, "timestamp", "timestamps")
    end)

    it("names the nearest attribute option for one it does not know", function()
      support.raises("UsageError", function()
        db:define("User", { name = { type = liga.STRING, allownull = false } })
      end, "name", "allownull", "allowNull")
    end)

    it("refuses attribute names with a dot, a dollar sign or a control character", function()
      for i, name in ipairs { "a.b", "$a", "a$", "a\nb", "a\0b", "\127", "" } do
        support.raises("UsageError", function() db:define("User" .. i, { [name] = liga.STRING }) end)
      end
    end)

    it("refuses an attribute named like an instance method, and proposes columnName", function()
      for i, name in ipairs { "save", "update", "reload" } do
        support.raises("UsageError", function() db:define("User" .. i, { [name] = liga.STRING }) end, name,
          "columnName")
      end
    end)

    it("lists the names of the instance methods in liga.methods", function()
      local names = {}
      for _, name in ipairs(liga.methods) do names[name] = true end
      for _, name in ipairs { "save", "destroy", "reload", "changed", "toTable" } do
        assert.is_true(names[name], name)
      end
    end)

    it("takes a column of such a name under another attribute name", function()
      local User = db:define("User", { saveFlag = { type = liga.INTEGER, columnName = "save" } })
      db:sync()
      local id = User:create{ saveFlag = 5 }.id
      assert.equal(5, User:findByPk(id).saveFlag)
      assert.equal(5, db:query('SELECT "save" FROM "Users"')[1].save)
    end)

    it("refuses two attributes on one column", function()
      support.raises("UsageError", function()
        db:define("User", {
          a = { type = liga.INTEGER, columnName = "x" },
          b = { type = liga.INTEGER, columnName = "x" },
        })
      end, "x")
    end)

    it("takes belongsTo among the attributes, also before the target exists", function()
      local Comment = db:define("Comment", { content = liga.TEXT, post = liga.belongsTo("Post") })
      local Post = db:define("Post", { title = liga.STRING })
      db:sync()
      local post = Post:create{ title = "t" }
      local comment = Comment:create{ content = "c", postId = post.id }
      assert.equal(post, comment:getPost())
    end)

    it("names the missing model when a forward reference is used too early", function()
      local Comment = db:define("Comment", { content = liga.TEXT, post = liga.belongsTo("Post") })
      support.raises("AssociationError", function() Comment:findAll() end, "Post")
    end)
  end)
end
