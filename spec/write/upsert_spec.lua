-- upsert: insert or update, and which of the two it was (contract, section 7).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("upsert on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        email = { type = liga.STRING, unique = true }, name = { type = liga.STRING, defaultValue = "nobody" },
        age = liga.INTEGER,
      })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("inserts a row that is not there", function()
      local ann, created = User:upsert{ email = "ann@x", age = 30 }
      assert.is_true(created)
      assert.is_false(ann:isNew())
      assert.is_nil(ann:changed())
      assert.same(User:findByPk(ann.id):toTable(), ann:toTable())
      assert.equal("nobody", ann.name)
    end)

    it("updates what is given where the row is there", function()
      local before = User:create{ email = "ann@x", name = "ann", age = 30 }
      local ann, created = User:upsert{ email = "ann@x", age = 31 }
      assert.is_false(created)
      assert.equal(before.id, ann.id)
      assert.equal("ann", ann.name)
      assert.equal(31, ann.age)
      assert.equal(before.createdAt, ann.createdAt)
      assert.same(User:findByPk(ann.id):toTable(), ann:toTable())
      assert.equal(1, User:count())
    end)

    it("writes NULL where liga.null is given", function()
      User:create{ email = "ann@x", age = 30 }
      assert.is_nil(User:upsert{ email = "ann@x", age = liga.null }.age)
    end)

    it("goes by the primary key where it is given, else by a unique key", function()
      local ann = User:create{ email = "ann@x" }
      assert.equal("new@x", (User:upsert{ id = ann.id, email = "new@x" }).email)
      assert.equal(1, User:count())
      local again, created = User:upsert{ email = "new@x", name = "n" }
      assert.is_false(created)
      assert.equal(ann.id, again.id)
    end)

    it("goes by conflictFields", function()
      local ann = User:create{ email = "ann@x" }
      local row, created = User:upsert({ id = ann.id + 50, email = "ann@x", age = 2 }, { conflictFields = { "email" } })
      assert.is_false(created)
      assert.equal(ann.id, row.id)
      assert.equal(2, row.age)
    end)

    it("inserts where no key is given, or one that is NULL", function()
      assert.is_true(select(2, User:upsert{ name = "a" }))
      assert.is_true(select(2, User:upsert{ name = "a" }))
      assert.is_true(select(2, User:upsert{ email = liga.null, name = "a" }))
      assert.is_true(select(2, User:upsert({ name = "a" }, { conflictFields = { "email" } })))
      assert.equal(4, User:count())
    end)

    it("changes nothing but updatedAt where only the key is given", function()
      User:create{ email = "ann@x", age = 30 }
      local ann, created = User:upsert{ email = "ann@x" }
      assert.is_false(created)
      assert.equal(30, ann.age)
      local Tag = db:define("Tag", { name = { type = liga.STRING, primaryKey = true } }, { timestamps = false })
      db:sync()
      assert.is_true(select(2, Tag:upsert{ name = "a" }))
      assert.is_false(select(2, Tag:upsert{ name = "a" }))
    end)

    it("works with composite keys and computed values", function()
      local Stock = db:define("Stock", {
        shop = { type = liga.INTEGER, primaryKey = true }, sku = { type = liga.STRING, primaryKey = true },
        amount = liga.INTEGER,
      }, { timestamps = false })
      db:sync()
      assert.is_true(select(2, Stock:upsert{ shop = 1, sku = "a", amount = 1 }))
      local row, created = Stock:upsert{ shop = 1, sku = "a", amount = liga.fn("abs", -5) }
      assert.is_false(created)
      assert.equal(5, row.amount)
      support.raises("UsageError", function() Stock:upsert{ shop = 1, sku = liga.fn("lower", "A") } end, "key")
    end)

    it("does not take a made-up key for a given one", function()
      local Item = db:define("Item", {
        id = { type = liga.UUID, primaryKey = true, defaultValue = liga.UUIDV4 },
        token = { type = liga.STRING, unique = true, defaultValue = function() return tostring(math.random()) end },
        code = { type = liga.STRING, unique = true }, n = liga.INTEGER,
      })
      db:sync()
      local first = Item:upsert{ code = "a", n = 1 }
      local second, created = Item:upsert{ code = "a", n = 2 }
      assert.is_false(created)
      assert.equal(first.id, second.id)
      assert.equal(first.token, second.token)
      assert.equal(2, second.n)
    end)

    it("raises what another key says", function()
      User:create{ email = "ann@x" }
      local bob = User:create{ email = "bob@x" }
      support.raises("UniqueConstraintError", function() User:upsert{ id = bob.id, email = "ann@x" } end)
      support.raises("UniqueConstraintError", function() User:upsert{ id = bob.id + 9, email = "ann@x" } end)
      assert.equal("bob@x", User:findByPk(bob.id).email)
    end)

    it("checks values and options before any SQL", function()
      support.raises("ValidationError", function() User:upsert{ email = "ann@x", age = "old" } end)
      support.raises("UsageError", function() User:upsert{ mail = "ann@x" } end, 'did you mean "email"')
      support.raises("UsageError", function() User:upsert({ email = "x" }, { limit = 1 }) end, "unknown option")
      support.raises("UsageError", function() User:upsert() end)
      support.raises("UsageError", function() User:upsert "ann" end)
    end)

    it("writes only the attributes that fields lists", function()
      User:create{ email = "ann@x", name = "ann", age = 1 }
      local ann = User:upsert({ email = "ann@x", name = "other", age = 2 }, { fields = { "email", "age" } })
      assert.equal("ann", ann.name)
      assert.equal(2, ann.age)
    end)

    it("leaves the caller's table alone", function()
      local values = { email = "ann@x" }
      User:upsert(values)
      assert.same({ email = "ann@x" }, values)
      assert.is_nil(getmetatable(values))
    end)
  end)
end
