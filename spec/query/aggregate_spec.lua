-- count, sum, min, max, avg and exists, with the types of their results (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("aggregates on " .. engine.name, function()
    local db, Sale
    before_each(function()
      db = engine:open()
      Sale = db:define("Sale", {
        city = liga.STRING, amount = liga.INTEGER, weight = liga.DOUBLE, price = liga.DECIMAL(10, 2),
        soldAt = liga.DATE,
      }, { timestamps = false })
      db:sync()
      Sale:bulkCreate{
        { city = "Lisbon", amount = 10, weight = 1.5, price = "0.10", soldAt = "2026-01-02T00:00:00Z" },
        { city = "Lisbon", amount = 20, weight = 2.5, price = "0.20", soldAt = "2026-01-01T00:00:00Z" },
        { city = "Porto", weight = 3, price = "100.00", soldAt = "2026-01-03T00:00:00Z" },
      }
    end)
    after_each(function() db:close() end)

    it("count rows", function()
      assert.equal(3, Sale:count())
      assert.equal("integer", math.type(Sale:count()))
    end)

    it("count rows of a condition", function()
      assert.equal(2, Sale:count{ where = { city = "Lisbon" } })
      assert.equal(0, Sale:count{ where = { city = "Faro" } })
    end)

    it("count the values of a column that are not NULL", function()
      assert.equal(2, Sale:count{ col = "amount" })
    end)

    it("count distinct values", function()
      assert.equal(2, Sale:count{ col = "city", distinct = true })
    end)

    it("look at the rows that a limit leaves: those that findAll would give", function()
      assert.equal(2, Sale:count{ limit = 2 })
      assert.equal(1, Sale:count{ limit = 2, offset = 2 })
      assert.equal(1, Sale:count{ col = "amount", order = "-price", limit = 2 })
      assert.equal(30, Sale:sum("amount", { order = "price", limit = 2 }))
      assert.equal("0.20", Sale:max("price", { order = "price", limit = 2 }))
    end)

    it("sum integers to an integer", function()
      assert.equal(30, Sale:sum("amount"))
      assert.equal("integer", math.type(Sale:sum("amount")))
    end)

    it("sum floats to a float", function()
      assert.equal(7, Sale:sum("weight"))
      assert.equal("float", math.type(Sale:sum("weight")))
    end)

    it("sum decimals exactly, to a string", function()
      assert.equal("0.30", Sale:sum("price", { where = { city = "Lisbon" } }))
      assert.equal("100.30", Sale:sum("price"))
    end)

    it("sum nothing to 0", function()
      local none = { where = { city = "Faro" } }
      assert.equal(0, Sale:sum("amount", none))
      assert.equal(0, tonumber(Sale:sum("price", none)))
      assert.equal(0, Sale:sum("weight", none))
    end)

    it("sum integers beyond 32 bits", function()
      Sale:bulkCreate{ { amount = 2147483647 }, { amount = 2147483647 } }
      assert.equal(2147483647 * 2 + 30, Sale:sum("amount"))
    end)

    it("sum 64 bit integers, generated keys among them, to an integer", function()
      local Account = db:define("Account", { balance = liga.BIGINT }, { timestamps = false })
      Account:sync()
      Account:bulkCreate{ { balance = 2 ^ 53 | 0 }, { balance = 1 } }
      assert.equal((2 ^ 53 | 0) + 1, Account:sum("balance"))
      assert.equal(3, Account:sum("id"))
      assert.equal("integer", math.type(Account:sum("id", { where = { id = 7 } })))
      assert.equal("integer", math.type(Account:sum("balance", { group = { "id" } })[1].sum))
      Account:create{ balance = math.maxinteger }
      support.raises("ValidationError", function() Account:sum("balance") end, "out of the range")
    end)

    it("add 64 bit integers up exactly, whatever comes in between", function()
      local Account = db:define("Account", { balance = liga.BIGINT }, { timestamps = false })
      Account:sync()
      Account:bulkCreate{ { balance = math.maxinteger }, { balance = 5 }, { balance = math.mininteger },
        { balance = -1 } }
      assert.equal(3, Account:sum("balance"))
      assert.equal(0.75, Account:avg("balance"))
      assert.equal(3, Account:sum("balance", { group = { liga.fn("abs", 1) } })[1].sum)
      local having = liga.where(liga.fn("sum", liga.col "balance"), liga.Op.eq, 3)
      local row = Account:findAll{ attributes = { { liga.fn("avg", liga.col "balance"), "mean" } }, having = having,
        group = { liga.fn("abs", 1) }, raw = true }[1]
      assert.equal(0.75, row.mean)
    end)

    it("given as expressions have the same types, and are NULL over no rows", function()
      local function all_of(where)
        local list = {}
        local calls = { "sum id", "sum amount", "sum price", "max price", "min soldAt", "avg amount", "avg price" }
        for i, call in ipairs(calls) do
          local name, attribute = call:match "(%a+) (%a+)"
          list[i] = { liga.fn(name, liga.col(attribute)), "c" .. i }
        end
        return Sale:findAll{ attributes = list, where = where, raw = true }[1]
      end
      local row = all_of()
      assert.same({ c1 = 6, c2 = 30, c3 = "100.30", c4 = "100.00", c5 = "2026-01-01T00:00:00.000Z", c6 = 15,
        c7 = row.c7 }, row)
      assert.equal("integer", math.type(row.c1))
      assert.equal("float", math.type(row.c6))
      assert.equal("float", math.type(row.c7))
      assert.same({}, all_of { city = "Faro" })
    end)

    it("give the smallest and largest value in the attribute's type", function()
      assert.equal(10, Sale:min("amount"))
      assert.equal("integer", math.type(Sale:max("amount")))
      assert.equal("float", math.type(Sale:max("weight")))
      assert.equal(3, Sale:max("weight"))
      assert.equal("0.10", Sale:min("price"))
      assert.equal("100.00", Sale:max("price"))
      assert.equal("2026-01-01T00:00:00.000Z", Sale:min("soldAt"))
      assert.equal("2026-01-03T00:00:00.000Z", Sale:max("soldAt"))
      assert.equal("Porto", Sale:max("city"))
    end)

    it("give the smallest and largest of types that the engine has no order for", function()
      local Flag = db:define("Flag", {
        on = liga.BOOLEAN, code = liga.UUID, bytes = liga.BLOB, info = liga.JSON,
      }, { timestamps = false })
      db:sync()
      local low, high = "00000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000001"
      Flag:bulkCreate{ { on = false, code = high, bytes = "\0b" }, { on = true, code = low, bytes = "\255" } }
      assert.same({ false, true }, { Flag:min("on"), Flag:max("on") })
      assert.same({ low, high }, { Flag:min("code"), Flag:max("code") })
      assert.same({ "\0b", "\255" }, { Flag:min("bytes"), Flag:max("bytes") })
      support.raises("UsageError", function() Flag:max("info") end, "Flag.info", "order")
    end)

    it("give nil as smallest and largest of nothing", function()
      assert.is_nil(Sale:min("amount", { where = { city = "Faro" } }))
      assert.is_nil(Sale:max("price", { where = { city = "Faro" } }))
    end)

    it("give the average as a float, or nil of nothing", function()
      assert.equal(15, Sale:avg("amount"))
      assert.equal("float", math.type(Sale:avg("amount")))
      assert.is_nil(Sale:avg("amount", { where = { city = "Faro" } }))
    end)

    it("name the nearest attribute for one that does not exist", function()
      for _, method in ipairs { "sum", "min", "max", "avg" } do
        support.raises("UsageError", function() Sale[method](Sale, "amuont") end, "amuont", "amount")
      end
      support.raises("UsageError", function() Sale:count{ col = "amuont" } end, "amuont", "amount")
    end)

    it("need an attribute", function()
      support.raises("UsageError", function() Sale:sum() end)
      support.raises("UsageError", function() Sale:max({}) end)
    end)

    it("tell whether a row exists", function()
      assert.is_true(Sale:exists())
      assert.is_true(Sale:exists{ where = { amount = Op.gt(15) } })
      assert.is_false(Sale:exists{ where = { amount = Op.gt(50) } })
    end)
  end)
end
