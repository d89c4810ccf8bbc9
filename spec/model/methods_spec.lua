-- Own methods of instances and of the class (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("own methods on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("of instances are functions in User.methods", function()
      function User.methods:greeting() return "hello " .. self.name end
      local ann = User:create{ name = "ann" }
      assert.equal("hello ann", ann:greeting())
      assert.equal("hello ann", User:findByPk(ann.id):greeting())
      assert.equal("hello bob", User:build{ name = "bob" }:greeting())
    end)

    it("reach instances that exist already", function()
      local ann = User:create{ name = "ann" }
      function User.methods:shout() return self.name:upper() end
      assert.equal("ANN", ann:shout())
    end)

    it("of instances may be given as an option", function()
      local function slug(self) return self.title:lower() end
      local Post = db:define("Post", { title = liga.STRING }, { methods = { slug = slug } })
      assert.equal("news", Post:build{ title = "News" }:slug())
    end)

    it("of the class are functions of the model", function()
      function User:byName(name) return self:findOne{ where = { name = name } } end
      User:create{ name = "ann" }
      assert.equal("ann", User:byName("ann").name)
    end)

    it("win over generated ones, also when defined first", function()
      local Post = db:define("Post", { title = liga.STRING })
      function User.methods.getPosts() return "mine" end
      User:hasMany(Post)
      assert.equal("mine", User:build{}:getPosts())
      function User.methods.countPosts() return "also mine" end
      assert.equal("also mine", User:build{}:countPosts())
    end)

    it("may not be named like an attribute", function()
      support.raises("UsageError", function() User.methods.age = function() end end, "age")
      support.raises("UsageError", function()
        db:define("Post", { title = liga.STRING }, { methods = { title = function() end } })
      end, "title")
    end)

    it("of the class are not seen by instances: a NULL reads nil", function()
      local nobody = User:create{}
      assert.is_nil(nobody.name)
      assert.is_nil(nobody.findAll)
      assert.is_nil(nobody.tableName)
    end)
  end)
end
