-- The model option `indexes` in full: unique, partial, ordered, over expressions, by method (contract, section 3).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("indexes on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("may be unique over expressions", function()
      local User = db:define("User", { email = liga.STRING }, {
        indexes = { { fields = { liga.fn("lower", liga.col "email") }, unique = true, name = "users_email_lower" } },
      })
      db:sync()
      User:create{ email = "Ann@x" }
      User:create{ email = "bob@x" }
      support.raises("UniqueConstraintError", function() User:create{ email = "ANN@x" } end)
      assert.is_true(select(2, User:findOrCreate{ where = { email = "cid@x" } }))
      assert.is_true(select(2, User:upsert{ email = "dan@x" }))
    end)

    it("over expressions are named where their value is there already", function()
      local User = db:define("User", { { "name", liga.STRING }, { "age", liga.INTEGER } }, {
        indexes = { { fields = { liga.fn("lower", liga.col("name")), "age" }, unique = true, name = "users_lower" } },
      })
      db:sync()
      User:create { name = "ann", age = 1 }
      local e = support.raises("UniqueConstraintError", function() User:create { name = "ANN", age = 1 } end,
        "users_lower")
      assert.same({ "users_lower", "User" }, { e.constraint, e.model })
      assert.same({}, e.attributes)
    end)

    it("over expressions are no difference to sync with alter", function()
      local function define(on, unique)
        return on:define("User", { { "name", liga.STRING }, { "age", liga.INTEGER } }, {
          indexes = {
            { fields = { liga.fn("lower", liga.col("name")), "age" }, unique = unique, name = "users_lower" },
          },
        })
      end
      define(db, true)
      db:sync()
      assert.same({}, db:sync { alter = true, dryRun = true })
      db:sync { alter = true }
      if engine.kind == "memory" then return end
      local other <close> = engine:reopen()
      define(other, false)
      assert.equal(2, #other:sync { alter = true, dryRun = true })
      other:sync { alter = true }
      assert.same({}, other:sync { alter = true, dryRun = true })
    end)

    it("may be partial, ordered and of a method", function()
      local Seat = db:define("Seat", { place = liga.STRING, taken = liga.BOOLEAN, rank = liga.INTEGER }, {
        indexes = {
          { fields = { "place" }, unique = true, where = { taken = true, rank = { [Op.gt] = 1 } } },
          { fields = { { "rank", order = "DESC" }, "place" }, using = "btree", name = "seats_rank" },
          { fields = { { liga.fn("abs", liga.col "rank"), order = "DESC" } }, name = "seats_abs" },
        },
      })
      db:sync()
      Seat:bulkCreate{
        { place = "1A", taken = true, rank = 2 }, { place = "1A", taken = false, rank = 2 },
        { place = "1A", taken = true, rank = 1 },
      }
      support.raises("UniqueConstraintError", function() Seat:create{ place = "1A", taken = true, rank = 5 } end)
      db:sync()
    end)

    it("may be partial by a list of values, of any length", function()
      local ranks = {}
      for i = 1, 40 do ranks[i] = i end
      local Seat = db:define("Seat", { place = liga.STRING, rank = liga.INTEGER }, {
        indexes = {
          { fields = { "place" }, unique = true, where = { rank = { 1, 2, 3 } } },
          { fields = { "rank" }, unique = true, where = { rank = ranks, place = "1B" }, name = "seats_rank" },
          { fields = { "place", "rank" }, where = { rank = { [Op.notIn] = { 1, 2 } } }, name = "seats_not" },
        },
      })
      db:sync()
      Seat:bulkCreate{ { place = "1A", rank = 3 }, { place = "1A", rank = 4 }, { place = "1B", rank = 40 } }
      support.raises("UniqueConstraintError", function() Seat:create{ place = "1A", rank = 1 } end)
      support.raises("UniqueConstraintError", function() Seat:create{ place = "1B", rank = 40 } end)
      Seat:bulkCreate({ { place = "1A", rank = 2 } }, {
        ignoreDuplicates = true, conflictFields = { "place" }, conflictWhere = { rank = { 1, 2, 3 } },
      })
      assert.equal(3, Seat:count())
      assert.same({}, db:sync{ alter = true, dryRun = true })
    end)

    it("need a name over expressions, and known attributes", function()
      local function refused(index, ...)
        local words = { ... }
        support.raises("UsageError", function()
          local Model = db:define("M" .. math.random(1000000), { a = liga.STRING }, { indexes = { index } })
          db:sync()
          return Model
        end, table.unpack(words))
      end
      refused({ fields = { liga.fn("lower", liga.col "a") } }, "needs a name")
    end)

    it("are over JSONB, but not over JSON, which has no order on PostgreSQL", function()
      for i, option in ipairs { "index", "unique", "primaryKey" } do
        local function define(type) return db:define(type.name .. i, { data = { type = type, [option] = true } }) end
        support.raises("UsageError", function() define(liga.JSON) end, "data", "declare it JSONB")
        local Doc = define(liga.JSONB)
        Doc:sync()
        assert.equal(1, Doc:create{ data = { 1 } }.data[1])
      end
      support.raises("UsageError", function()
        db:define("Doc", { data = liga.JSON, n = liga.INTEGER }, { indexes = { { fields = { "n", "data" } } } })
      end, "Doc", "data", "declare it JSONB")
    end)
  end)
end
