-- Reading: what a review of the contract's section 5 found.
local liga = require "liga"
local support = require "spec.support"

local Op = liga.Op

for engine in support.engines() do
  describe("reading, reviewed, on " .. engine.name, function()
    local db, Item

    before_each(function()
      db = engine:open()
      Item = db:define("Item", {
        { "n", liga.INTEGER }, { "name", liga.STRING }, { "price", liga.DECIMAL(8, 2) }, { "flag", liga.BOOLEAN },
        { "at", liga.DATE { stored = "mixed" } }, { "meta", liga.JSON },
      }, { timestamps = false })
      db:sync()
      Item:bulkCreate {
        { n = 1, name = "a", price = "1.10", flag = true }, { n = 2, name = "b" }, { n = 2, name = "c" }, { n = 5 },
      }
    end)
    after_each(function() db:close() end)

    describe("findByPks", function()
      local function model(type, given)
        local Model = db:define("Keyed", { { "id", { type = type, primaryKey = true } } }, { timestamps = false })
        Model:sync()
        Model:create { id = given }
        return Model
      end

      it("finds a key in every form that findByPk takes", function()
        local forms = {
          { liga.UUID, "550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000" },
          { liga.DECIMAL(6, 2), "1.50", 1.5 }, { liga.DATE, 0, "1970-01-01T02:00:00+02:00" },
          { liga.STRING, "1.0", 1.0 }, { liga.BIGINT, 7, "+007" },
        }
        for _, form in ipairs(forms) do
          local Model = model(form[1], form[2])
          assert.truthy(Model:findByPk(form[3]), tostring(form[1]))
          assert.equal(1, #Model:findByPks { form[3] }, tostring(form[1]))
          db:close()
          db = engine:open()
        end
      end)

      it("checks the options of an empty list too", function()
        support.raises("UsageError", function() Item:findByPks({}, { wher = {} }) end, "wher", "where")
      end)

      it("finds every hole in the list", function()
        local list = { nil, 1, 2, nil, 3 }
        support.raises("UsageError", function() Item:findByPks(list) end, "hole")
      end)
    end)

    it("reads lists and options without running metamethods", function()
      local hostile = { __index = error, __len = error, __pairs = error }
      assert.equal(1, #Item:findByPks(setmetatable({ 1 }, hostile)))
      assert.equal(4, #Item:findAndCountAll(setmetatable({}, hostile)))
      assert.equal(1, Item:each(setmetatable({ limit = 1 }, hostile))().id)
      assert.equal(1, #db:query("SELECT 1", setmetatable({}, hostile)))
    end)

    describe("aggregates", function()
      it("sum and avg take numbers only", function()
        for _, name in ipairs { "name", "flag", "at", "meta" } do
          support.raises("UsageError", function() Item:sum(name) end, "Item." .. name)
          support.raises("UsageError", function() Item:avg(name) end, "Item." .. name)
        end
      end)

      it("look at the limited rows", function()
        assert.equal(3, Item:sum("n", { order = "id", limit = 2 }))
        assert.equal(7, Item:sum("n", { order = "id", offset = 2 }))
        assert.equal(0, Item:sum("n", { offset = 99 }))
        assert.equal("1.10", Item:sum("price", { limit = 4 }))
        assert.equal(2, Item:count { col = "n", distinct = true, order = "id", limit = 3 })
      end)

      it("refuse attributes", function()
        support.raises("UsageError", function() Item:sum("n", { attributes = { "name" } }) end, "attributes")
      end)

      it("read an attribute that is given as an expression as the attribute", function()
        assert.equal("1.10", Item:sum(liga.col "price"))
      end)

      if engine.dialect == "sqlite" then it("compare dates in mixed forms as instants", function()
        db:query [[UPDATE "Items" SET "at" = '2026-01-01T00:00:00.000Z' WHERE "n" = 1]]
        db:query [[UPDATE "Items" SET "at" = 1767225601 WHERE "n" = 5]]
        assert.equal("2026-01-01T00:00:01.000Z", Item:max "at")
        assert.equal("2026-01-01T00:00:00.000Z", Item:min "at")
      end) end
    end)

    describe("attributes", function()
      it("refuse an alias that save would take for an attribute", function()
        local find = { attributes = { "id", { liga.fn("upper", liga.col "name"), "name" } }, order = "id" }
        support.raises("UsageError", function() Item:findOne(find) end, '"name"', "raw = true")
        find.raw = true
        assert.equal("A", Item:findOne(find).name)
        assert.equal("a", Item:findOne { attributes = { { "name", "name" } }, order = "id" }.name)
      end)

      it("refuse aliases that are no names, and the same twice", function()
        for _, alias in ipairs { "", "a\0b", "\xff" } do
          support.raises("UsageError", function() Item:findAll { attributes = { { "n", alias } } } end, "alias")
        end
        support.raises("UsageError", function() Item:findAll { attributes = { { "n", "x" }, { "name", "x" } } } end,
          '"x"')
      end)
    end)

    it("order is closed: a named field in an entry is an error", function()
      support.raises("UsageError", function() Item:findAll { order = { { "n", nulls = "first" } } } end, "order")
    end)

    describe("where", function()
      it("raises for a condition that is nil", function()
        for _, list in ipairs { { nil, { n = 1 } }, { { n = 1 }, nil, { n = 2 } }, { [0] = { n = 1 } } } do
          support.raises("UsageError", function() Item:findAll { where = list } end, "hole")
          support.raises("UsageError", function() Item:findAll { where = { [Op.and_] = list } } end, "hole")
          support.raises("UsageError", function() Item:findAll { where = { [Op.or_] = list } } end, "hole")
        end
      end)

      it("says where a value stands that has no attribute", function()
        local find = { where = { name = Op.like "a\0" } }
        support.raises("ValidationError", function() Item:findAll(find) end, "where.name")
      end)

      it("compares documents with values and with NULL", function()
        assert.equal(0, Item:count { where = { meta = Op.gt(5) } })
        assert.equal(4, Item:count { where = { meta = Op.eq(liga.null) } })
      end)
    end)

    it("a table that looks like a model is none", function()
      local forged = setmetatable({ name = "X", primaryKey = { "id" } }, { __name = "liga.Model" })
      for _, method in ipairs { "findAll", "findAndCountAll", "keys", "describe", "each", "findByPks" } do
        support.raises("UsageError", function() Item[method](forged, {}) end, "a model expected")
      end
    end)

    it("update names a key that is no attribute, of whatever kind", function()
      local item = Item:findOne()
      support.raises("UsageError", function() item:update { n = 2, [true] = 1, [3] = 4, [Op.eq] = 5 } end, "Item")
      assert.is_nil(item:changed())
    end)

    it("lastId is there for inserted rows only", function()
      local _, info = db:query [[INSERT INTO "Items" ("n") VALUES (9)]]
      if engine.dialect == "sqlite" then assert.equal(5, info.lastId) end      -- PostgreSQL has RETURNING for that
      _, info = db:query "SELECT 1"
      assert.is_nil(info.lastId)
      _, info = db:query [[UPDATE "Items" SET "n" = 1]]
      assert.is_nil(info.lastId)
    end)
  end)
end
