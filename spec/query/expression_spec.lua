-- liga.fn, col, cast, literal, sql and where: expressions in conditions, attributes and orders (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("an expression on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        name = liga.STRING, age = liga.INTEGER, homeTown = { type = liga.STRING, columnName = "home_town" },
      }, { timestamps = false })
      db:sync()
      User:bulkCreate{
        { name = "Ann", age = 30, homeTown = "Lisbon" }, { name = "bob", age = 25, homeTown = "Porto" },
        { name = "Cid", age = 7 },
      }
    end)
    after_each(function() db:close() end)

    local function names(where) return support.sorted(User:findAll{ where = where }, "name") end

    it("of liga.where compares a function with a value", function()
      assert.same({ "Ann" }, names{ liga.where(liga.fn("lower", liga.col("name")), Op.eq, "ann") })
      assert.same({ "Ann", "Cid", "bob" }, names{ liga.where(liga.fn("length", liga.col("name")), Op.gte, 3) })
    end)

    it("of liga.where without an operator reads what may stand under an attribute's name", function()
      local lower = liga.fn("lower", liga.col("name"))
      assert.same({ "Ann" }, names(liga.where(lower, "ann")))
      assert.same({ "Ann", "bob" }, names(liga.where(lower, { "ann", "bob" })))
      assert.same({ "bob" }, names(liga.where(lower, Op.like("b%"))))
      assert.same({ "Ann", "Cid" }, names(liga.where(liga.col("age"), { [Op.or_] = { 7, Op.gt(25) } })))
      assert.same({ "Cid" }, names(liga.where(liga.col("homeTown"), liga.null)))
      support.raises("UsageError", function() liga.where(lower) end, "nil")
      support.raises("UsageError", function() liga.where(lower, "ann", "bob") end, "operator")
    end)

    it("of liga.where stands beside other conditions", function()
      assert.same({ "Ann" }, names{ { age = Op.gt(26) }, liga.where(liga.fn("lower", liga.col("name")), Op.ne, "bob") })
    end)

    it("of liga.sql binds a value for each mark", function()
      assert.same({ "Ann" }, names{ liga.sql("lower(name) = ?", "ann") })
      assert.same({ "bob" }, names{ liga.sql("age BETWEEN ? AND ?", 20, 29) })
      assert.same({}, names{ liga.sql("name = ?", "' OR 1=1 --") })
    end)

    it("of liga.sql leaves marks in quoted text alone", function()
      assert.same({ "bob" }, names{ liga.sql("name <> '?' AND name = ?", "bob") })
    end)

    it("of liga.sql refuses a wrong number of values", function()
      support.raises("UsageError", function() names{ liga.sql("name = ?") } end)
      support.raises("UsageError", function() names{ liga.sql("name = ?", "a", "b") } end)
    end)

    it("of liga.sql keeps to itself when it contains OR", function()
      assert.same({ "Ann" }, names{ { age = 30 }, liga.sql("name = ? OR age < ?", "bob", 100) })
    end)

    it("of liga.literal is sent as it is written", function()
      assert.same({ "Cid" }, names{ liga.literal("age < 10") })
    end)

    it("of liga.col is an attribute, mapped to its column", function()
      assert.same({ "Ann" }, names{ liga.where(liga.col("homeTown"), Op.eq, "Lisbon") })
    end)

    it("of liga.col names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function()
        names{ liga.where(liga.fn("lower", liga.col("nmae")), Op.eq, "ann") }
      end, "nmae", "name")
    end)

    it("of liga.fn binds plain arguments", function()
      local town = liga.fn("coalesce", liga.col("homeTown"), "it's ?")
      local row = User:findOne{ attributes = { { town, "town" } }, where = { age = 7 } }
      assert.equal("it's ?", row.town)
    end)

    it("of liga.fn may hold another", function()
      local row = User:findOne{
        attributes = { { liga.fn("upper", liga.fn("coalesce", liga.col("homeTown"), "nowhere")), "town" } },
        where = { age = 7 },
      }
      assert.equal("NOWHERE", row.town)
    end)

    it("of liga.fn takes a name, nothing that could be SQL", function()
      for _, name in ipairs { "lower(name) --", "a;b", "", "x y" } do
        assert.is_false(pcall(function() names{ liga.where(liga.fn(name, liga.col("name")), Op.eq, "ann") } end), name)
      end
      assert.equal(3, User:count())
    end)

    it("of liga.cast takes the name of a type and nothing else", function()
      for _, type in ipairs { "text", "numeric(10, 2)", "timestamp(3) with time zone", "int[]", "double precision" } do
        assert.is_userdata(liga.cast(1, type))
      end
      for _, wrong in ipairs { "", "count(x)", "a)", "a(", "a[x]", "int, b", "text) or (1", "a;b", "a'b", 5 } do
        support.raises("UsageError", function() liga.cast(1, wrong) end)
      end
    end)

    it("of liga.cast changes the type", function()
      local age = liga.cast(liga.col("age"), "text")
      local row = User:findOne{ attributes = { { age, "text" } }, where = { name = "bob" } }
      assert.equal("25", row.text)
    end)

    it("can order", function()
      assert.same({ "Ann", "bob", "Cid" },
        support.pluck(User:findAll{ order = { liga.fn("lower", liga.col("name")) } }, "name"))
      assert.same({ "Cid", "bob", "Ann" }, support.pluck(User:findAll{ order = { liga.col("age") } }, "name"))
      assert.same({ "Ann", "bob", "Cid" },
        support.pluck(User:findAll{ order = { { liga.col("age"), "DESC" } } }, "name"))
      assert.same({ "Cid", "bob", "Ann" }, support.pluck(User:findAll{ order = { liga.literal("age + 1") } }, "name"))
    end)
  end)
end
