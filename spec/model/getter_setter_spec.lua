-- get, set and VIRTUAL attributes (contract, sections 2 and 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a setter on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        { "name", liga.STRING, set = function(_, value) return value and value:upper() end },
        { "age", liga.INTEGER },
      })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("takes the value in build, create, bulkCreate, set and update", function()
      assert.equal("ANN", User:build { name = "ann" }.name)
      local ann = User:create { name = "ann" }
      assert.equal("ANN", ann.name)
      assert.equal("EVA", ann:set("name", "eva").name)
      assert.equal("PIA", ann:set({ name = "pia" }).name)
      assert.equal("MIA", ann:update({ name = "mia" }).name)
      assert.equal("MIA", User:findByPk(ann.id).name)
      assert.equal("LEA", User:bulkCreate({ { name = "lea" } })[1].name)
      User:update({ name = "all" }, { all = true })
      assert.same({ "ALL", "ALL" }, support.pluck(User:findAll(), "name"))
    end)

    it("knows no attribute by its number", function()
      local Person = db:define("Person", {
        first = liga.STRING,
        shown = { type = liga.VIRTUAL, get = function() return "x" end, set = function() error "not called" end },
      })
      local ann = Person:build { first = "ann" }
      assert.is_nil(ann[1])
      assert.is_nil(ipairs(ann)(ann, 0))
      for _, name in ipairs { "get", "changed", "previous" } do
        support.raises("UsageError", function() ann[name](ann, 1) end, "has no attribute 1")
      end
      ann[1] = "y"
      assert.equal("y", rawget(ann, 1))
    end)

    it("does not see plain assignment", function()
      local ann = User:build {}
      ann.name = "ann"
      assert.equal("ann", ann.name)
    end)

    it("sees NULL as nil", function()
      local ann = User:create { name = "ann" }
      ann:update { name = liga.null }
      assert.is_nil(ann.name)
      assert.is_nil(User:findByPk(ann.id).name)
    end)

    it("does not see values computed by the database", function()
      local ann = User:create { name = liga.fn("lower", "ANN") }
      assert.equal("ann", ann.name)
    end)

    it("may raise, and yield", function()
      local Post = db:define("Post", { title = { type = liga.STRING, set = function(_, value)
        if value == "bad" then error { "mine" } end
        return coroutine.yield() .. value
      end } })
      db:sync()
      local ok, e = pcall(Post.build, Post, { title = "bad" })
      assert.is_false(ok)
      assert.same({ "mine" }, e)
      local create = coroutine.wrap(function() return Post:create { title = "b" } end)
      create()
      assert.equal("ab", create("a").title)
    end)

    it("that is no function raises", function()
      support.raises("UsageError", function() db:define("P", { a = { type = liga.TEXT, set = 1 } }) end, "set")
      support.raises("UsageError", function() db:define("P", { a = { type = liga.TEXT, get = true } }) end, "get")
    end)
  end)

  describe("a getter on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        { "name", liga.STRING, get = function(self, stored)
          return stored and ("%s (%d)"):format(stored, self.age)
        end },
        { "age", liga.INTEGER },
      }, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("shows the value in get, toTable and liga.json.encode, not in the instance", function()
      local ann = User:create { name = "ann", age = 7 }
      assert.equal("ann", ann.name)
      assert.equal("ann (7)", ann:get "name")
      assert.same({ id = 1, name = "ann (7)", age = 7 }, ann:toTable())
      assert.same({ id = 1, name = "ann (7)", age = 7 }, ann:get { plain = true })
      assert.equal('{"age":7,"id":1,"name":"ann (7)"}', liga.json.encode(ann))
      assert.equal('[{"age":7,"id":1,"name":"ann (7)"}]', liga.json.encode(User:findAll()))
    end)

    it("is not what is written", function()
      local ann = User:create { name = "ann", age = 7 }
      ann.age = 8
      ann:save()
      assert.equal("ann", User:findByPk(ann.id).name)
    end)

    it("is not asked about attributes that were not selected", function()
      local ann = User:create { name = "ann", age = 7 }
      assert.same({ id = 1 }, User:findByPk(ann.id, { attributes = { "id" } }):toTable())
    end)

    it("may show nothing", function()
      local ann = User:create { age = 7 }
      assert.is_nil(ann:get "name")
      assert.same({ id = 1, age = 7, name = liga.null }, ann:toTable { nulls = true })
    end)
  end)

  describe("a VIRTUAL attribute on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        { "first", liga.STRING }, { "last", liga.STRING },
        { "full", liga.VIRTUAL, get = function(self) return self.first .. " " .. self.last end,
          set = function(self, value) self.first, self.last = value:match "^(%S+) (%S+)$" end },
        { "initial", liga.VIRTUAL, get = function(self) return self.first:sub(1, 1) end },
      }, { timestamps = false })
      function User.methods:greet() return "hello " .. self.full end
      db:sync()
    end)
    after_each(function() db:close() end)

    it("has no column", function()
      local _, info = db:query('SELECT * FROM "Users"')
      assert.same({ "id", "first", "last" }, info.columns)
    end)

    it("is shown as u.full, in get, toTable and JSON, and is never a key", function()
      local ann = User:create { first = "Ann", last = "Lee" }
      assert.equal("Ann Lee", ann.full)
      assert.equal("Ann Lee", ann:get "full")
      assert.is_nil(rawget(ann, "full"))
      assert.same({ id = 1, first = "Ann", last = "Lee", full = "Ann Lee", initial = "A" }, ann:toTable())
      assert.equal('{"first":"Ann","full":"Ann Lee","id":1,"initial":"A","last":"Lee"}', liga.json.encode(ann))
      for key in pairs(ann) do assert.is_truthy(({ id = 1, first = 1, last = 1 })[key]) end
      assert.equal("hello Ann Lee", ann:greet())
      assert.equal("Ann Lee", User:findAll()[1].full)
    end)

    it("is set by build, create, update, set and by assignment", function()
      local ann = User:create { full = "Ann Lee" }
      assert.equal("Ann", ann.first)
      assert.equal("Lee", User:findByPk(ann.id).last)
      ann.full = "Eva Ray"
      assert.equal("Eva", ann.first)
      assert.same({ "first", "last" }, ann:changed())
      ann:update { full = "Pia Fox" }
      assert.equal("Pia", User:findByPk(ann.id).first)
      ann:set("full", "Mia Fox")
      assert.equal("Mia", ann.first)
      User:update({ full = "Lea Fay" }, { all = true })
      assert.equal("Lea Fay", User:findOne().full)
      assert.equal("Bea", User:bulkCreate({ { full = "Bea Roe" } })[1].first)
      ann.first = "Zoe"
      assert.equal("Zoe", ann.first)
    end)

    it("without set can't be assigned", function()
      local ann = User:build {}
      support.raises("UsageError", function() ann.initial = "X" end, "User.initial", "VIRTUAL")
      support.raises("UsageError", function() User:create { initial = "X" } end, "User.initial")
      support.raises("UsageError", function() ann:set("initial", "X") end, "User.initial")
    end)

    it("may have validators, which look at what it shows", function()
      local Post = db:define("Post", {
        { "title", liga.STRING },
        { "slug", liga.VIRTUAL, validate = { isLowercase = true }, get = function(self) return self.title end },
      })
      local e = support.raises("ValidationError", function() Post:build({ title = "A" }):validate() end, "Post.slug")
      assert.equal("A", e.errors[1].value)
      Post:build({ title = "a" }):validate()
    end)

    it("stands in the model's attributes", function()
      assert.is_truthy(User:describe():find("full +VIRTUAL"))
      assert.equal("VIRTUAL", User.attributes.full.type.name)
      assert.is_nil(User.attributes.full.columnName)
    end)

    it("sees NULL as nil, however it is set", function()
      local seen = {}
      local Note = db:define("Note", { text = liga.STRING, extra = { type = liga.VIRTUAL, set = function(_, value)
        seen[#seen + 1] = value == nil and "nil" or type(value)
      end } })
      Note:build { extra = liga.null }
      Note:build():set("extra", liga.null)
      Note:build().extra = liga.null
      Note:build().extra = nil
      assert.same({ "nil", "nil", "nil", "nil" }, seen)
    end)

    it("may change a part of another attribute in update", function()
      local Place = db:define("Place", { meta = liga.JSON, city = { type = liga.VIRTUAL,
        set = function(self, value) self.meta.city = value end } }, { timestamps = false })
      Place:sync()
      local place = Place:create { meta = { n = 1 } }
      place:update { city = "Rome" }
      assert.same({ n = 1, city = "Rome" }, Place:findByPk(place.id).meta)
    end)

    it("may stand among the attributes of an include, a reload and a junction", function()
      local Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      Post:belongsTo(User, { as = "author" })
      db:sync()
      local post = User:create { full = "Ann Lee" } and Post:create { title = "a", authorId = 1 }
      for _, attributes in ipairs { { "first", "last", "full" }, { include = { "full" } }, { exclude = { "full" } } } do
        local found = Post:findOne { include = { author = { attributes = attributes } } }
        assert.equal("Ann Lee", found.author.full)
        assert.equal("Ann Lee", post:getAuthor { attributes = attributes }.full)
        assert.equal("Ann Lee", found.author:reload { attributes = attributes }.full)
      end
      support.raises("EagerLoadingError", function()
        Post:findOne { include = { author = { attributes = { "ful" } } } }
      end, "ful")
    end)

    it("may stand among the attributes of a find, and is no condition", function()
      User:create { full = "Ann Lee" }
      local ann = User:findOne { attributes = { "first", "last", "full" } }
      assert.equal("Ann Lee", ann.full)
      assert.is_nil(ann.id)
      support.raises("UsageError", function() User:findAll { where = { full = "Ann Lee" } } end, "full")
      for _, exclude in ipairs { { "full", "id" }, { "full" } } do
        local options = { attributes = { include = { "full" }, exclude = exclude } }
        assert.equal("Ann Lee", User:findOne(options).full)
      end
    end)

    it("is neither changed nor has it a previous value", function()
      local ann = User:create { full = "Ann Lee" }
      assert.is_false(ann:changed "full")
      assert.is_nil(ann:previous "full")
    end)

    it("takes no options that are about a column", function()
      support.raises("UsageError", function()
        db:define("Post", { a = { type = liga.VIRTUAL, unique = true } })
      end, "Post.a", "VIRTUAL", "unique")
    end)

    it("gives its name to no association or method", function()
      db:define("Post", {})
      support.raises("AssociationError", function() User:hasMany("Post", { as = "full" }) end, "full")
      support.raises("UsageError", function() User.methods.full = function() end end, "full")
    end)
  end)
end
