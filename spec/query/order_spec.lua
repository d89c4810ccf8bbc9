-- order, limit and offset (contract, section 5).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("order on " .. engine.name, function()
    local db, User
    setup(function()
      db = engine:open()
      User = db:define("User", {
        name = liga.STRING, age = liga.INTEGER, team = { type = liga.STRING, columnName = "team_name" },
      }, { timestamps = false })
      db:sync()
      User:bulkCreate{
        { name = "bob", age = 25, team = "red" }, { name = "ann", age = 30, team = "red" },
        { name = "dee", age = 41, team = "blue" }, { name = "cid", team = "blue" },
      }
    end)
    teardown(function() db:close() end)

    local function names(options) return support.pluck(User:findAll(options), "name") end
    local function ordered(order) return names{ order = order } end

    it("is ascending by default", function()
      assert.same({ "ann", "bob", "cid", "dee" }, ordered{ "name" })
      assert.same({ "ann", "bob", "cid", "dee" }, ordered{ { "name", "ASC" } })
    end)

    it("can be descending", function()
      assert.same({ "dee", "cid", "bob", "ann" }, ordered{ { "name", "DESC" } })
    end)

    it("can be descending by a leading minus", function()
      assert.same({ "dee", "cid", "bob", "ann" }, ordered("-name"))
    end)

    it("can have several keys", function()
      assert.same({ "cid", "dee", "ann", "bob" }, ordered{ "team", "name" })
      assert.same({ "ann", "bob", "cid", "dee" }, ordered{ { "team", "DESC" }, { "name", "ASC" } })
    end)

    it("counts NULL as the largest value", function()
      assert.same({ "bob", "ann", "dee", "cid" }, ordered{ "age" })
      assert.same({ "cid", "dee", "ann", "bob" }, ordered{ { "age", "DESC" } })
    end)

    it("puts NULL first or last where it is told to", function()
      assert.same({ "cid", "bob", "ann", "dee" }, ordered{ { "age", "ASC NULLS FIRST" } })
      assert.same({ "bob", "ann", "dee", "cid" }, ordered{ { "age", "ASC NULLS LAST" } })
      assert.same({ "cid", "dee", "ann", "bob" }, ordered{ { "age", "DESC NULLS FIRST" } })
      assert.same({ "dee", "ann", "bob", "cid" }, ordered{ { "age", "DESC NULLS LAST" } })
    end)

    it("names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function() ordered{ "nmae" } end, "nmae", "name")
      support.raises("UsageError", function() ordered{ { "nmae", "DESC" } } end, "nmae", "name")
      support.raises("UsageError", function() ordered("-nmae") end, "nmae", "name")
    end)

    it("refuses an unknown direction", function()
      support.raises("UsageError", function() ordered{ { "name", "DOWN" } } end, "DOWN")
      support.raises("UsageError", function() ordered{ { "name", "ASC; DROP TABLE users" } } end)
    end)

    it("refuses what is neither name nor expression", function()
      for _, order in ipairs { { 1 }, { true }, { { "name", 5 } }, { {} }, 7 } do
        support.raises("UsageError", function() ordered(order) end)
      end
    end)

    it("can be cut by limit", function()
      assert.same({ "ann", "bob" }, names{ order = { "name" }, limit = 2 })
      assert.same({}, names{ order = { "name" }, limit = 0 })
      assert.same({ "ann", "bob", "cid", "dee" }, names{ order = { "name" }, limit = 100 })
    end)

    it("can be cut by offset", function()
      assert.same({ "cid" }, names{ order = { "name" }, limit = 1, offset = 2 })
      assert.same({ "cid", "dee" }, names{ order = { "name" }, offset = 2 })
      assert.same({}, names{ order = { "name" }, limit = 2, offset = 10 })
    end)

    it("is that of the key where a limit or an offset cuts and nothing else is said", function()
      local Thing = db:define("Thing", {
        name = { type = liga.STRING, unique = true }, n = liga.INTEGER,
      }, { timestamps = false })
      Thing:hasMany(Thing, { as = "parts", inverse = "whole" })
      Thing:sync{ force = true }
      Thing:bulkCreate{ { name = "a", n = 1 }, { name = "b", n = 1, wholeId = 1 }, { name = "c", n = 1, wholeId = 1 } }
      for _, name in ipairs { "b", "a" } do Thing:update({ n = 2 }, { where = { name = name } }) end
      assert.equal("a", Thing:findOne().name)
      assert.equal("a", Thing:findOne{ where = { n = 2 }, attributes = { "name" } }.name)
      assert.same({ "a", "b" }, support.pluck(Thing:findAll{ limit = 2 }, "name"))
      assert.same({ "b", "c" }, support.pluck(Thing:findAll{ offset = 1 }, "name"))
      assert.same({ "b" }, support.pluck(Thing:findOne():getParts{ limit = 1 }, "name"))
      assert.same({ "a" }, support.pluck((Thing:findAndCountAll{ limit = 1 }), "name"))
      assert.equal(2, Thing:findOne{ attributes = { { liga.fn("max", liga.col("n")), "most" } }, raw = true }.most)
      assert.equal(2, #Thing:findAll{ attributes = { "n" }, distinct = true, limit = 3 })
    end)

    it("refuses a limit or offset that is no count", function()
      for _, wrong in ipairs { "2", -1, 1.5, true, {}, 0 / 0 } do
        support.raises("UsageError", function() names{ limit = wrong } end, "limit")
        support.raises("UsageError", function() names{ limit = 1, offset = wrong } end, "offset")
      end
    end)
  end)
end
