-- The finders: findAll, findOne, findByPk, findByPks, findAndCountAll and their options (contract, section 5).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the finders on " .. engine.name, function()
    local db, log, User, ids
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
      local users = User:bulkCreate{ { name = "ann", age = 30 }, { name = "bob", age = 25 }, { name = "cid", age = 7 } }
      ids = support.pluck(users, "id")
      log:clear()
    end)
    after_each(function() db:close() end)

    it("findAll gives a list of instances, empty where nothing is found", function()
      local all = User:findAll{ order = { "name" } }
      assert.same({ "ann", "bob", "cid" }, support.pluck(all, "name"))
      assert.equal(User, liga.modelOf(all[1]))
      assert.equal(0, #User:findAll{ where = { name = "eve" } })
    end)

    it("findAll gives a plain sequence that JSON encoders know for an array", function()
      assert.equal("array", getmetatable(User:findAll()).__jsontype)
    end)

    it("findOne gives the first instance or nil", function()
      assert.equal("cid", User:findOne{ order = { "age" } }.name)
      assert.is_nil(User:findOne{ where = { name = "eve" } })
    end)

    it("findOne reads one row", function()
      User:findOne()
      assert.equal(1, log[1].info.rows)
    end)

    it("findByPk gives the instance of a key or nil", function()
      assert.equal("bob", User:findByPk(ids[2]).name)
      assert.equal("bob", User:findByPk(tostring(ids[2])).name)
      assert.equal("bob", User:findByPk{ ids[2] }.name)
      assert.equal("bob", User:findByPk{ id = ids[2] }.name)
      assert.is_nil(User:findByPk(0))
    end)

    it("findByPk takes the options of a find", function()
      local bob = User:findByPk(ids[2], { attributes = { "id", "name" } })
      assert.same({ id = ids[2], name = "bob" }, bob:toTable())
    end)

    it("findByPk refuses nil, an empty table and a wrong number of parts: they would mean anything", function()
      support.raises("UsageError", function() User:findByPk(nil) end)
      support.raises("UsageError", function() User:findByPk() end)
      support.raises("UsageError", function() User:findByPk{} end)
      support.raises("UsageError", function() User:findByPk{ 1, 2 } end)
      support.raises("UsageError", function() User:findByPk{ name = "ann" } end)
      support.raises("UsageError", function() User:findByPk(User:build{ id = ids[1] }) end, "instance:where()")
      assert.same({}, log:statements())
    end)

    it("findByPk refuses a key that does not fit", function()
      support.raises("ValidationError", function() User:findByPk("1 OR 1=1") end, "id")
    end)

    it("findByPks keeps the order of the keys and leaves out what is missing", function()
      local rows = User:findByPks{ ids[3], 0, ids[1] }
      assert.same({ "cid", "ann" }, support.pluck(rows, "name"))
      assert.equal(0, #User:findByPks{})
    end)

    it("findByPks takes one statement, however many keys", function()
      User:findByPks(ids)
      assert.equal(1, #log)
    end)

    it("findAndCountAll gives the page and the number of all", function()
      local rows, count = User:findAndCountAll{ order = { "name" }, limit = 2, where = { age = liga.Op.gt(5) } }
      assert.same({ "ann", "bob" }, support.pluck(rows, "name"))
      assert.equal(3, count)
      rows, count = User:findAndCountAll{ where = { name = "eve" } }
      assert.equal(0, #rows)
      assert.equal(0, count)
    end)

    it("raw = true gives plain tables", function()
      local rows = User:findAll{ raw = true, order = { "name" } }
      assert.is_nil(getmetatable(rows[1]))
      assert.same({ id = ids[1], name = "ann", age = 30 }, rows[1])
      assert.is_nil(getmetatable(User:findByPk(ids[1], { raw = true })))
    end)

    it("rejectOnEmpty raises where nothing is found", function()
      support.raises("EmptyResultError", function()
        User:findOne{ where = { name = "eve" }, rejectOnEmpty = true }
      end, "User")
      support.raises("EmptyResultError", function()
        User:findAll{ where = { name = "eve" }, rejectOnEmpty = true }
      end, "User")
      support.raises("EmptyResultError", function() User:findByPk(0, { rejectOnEmpty = true }) end, "User")
      assert.equal("ann", User:findByPk(ids[1], { rejectOnEmpty = true }).name)
    end)

    it("lock goes with what is joined to the rows", function()
      User:belongsTo(User, { as = "boss", inverse = { as = "staff", type = "hasMany" } })
      db:sync{ alter = true }
      db:transaction(function()
        assert.equal(3, #User:findAll{ lock = "update", include = { "boss", "staff" } })
        assert.equal(3, #User:findAll{ lock = "share", where = { ["boss.name"] = liga.null } })
      end)
    end)

    it("lock takes the words of the other engine too, and only those", function()
      db:transaction(function() assert.equal(3, #User:findAll{ lock = "update" }) end)
      support.raises("UsageError", function() User:findAll{ lock = "sideways" } end, "lock")
    end)

    it("lock is about rows, not about what is computed of them", function()
      User:hasMany(User, { as = "staff", inverse = "boss" })
      db:sync{ alter = true }
      local ann = User:findOne()
      for _, call in ipairs {
        function() User:count{ lock = true } end, function() User:sum("age", { lock = "share" }) end,
        function() ann:countStaff{ lock = true } end, function() ann:hasStaff(ann, { lock = true }) end,
        function() User:findAll{ attributes = { "age" }, group = { "age" }, lock = true } end,
        function() User:findAll{ distinct = true, lock = true } end,
      } do
        support.raises("UsageError", call, "lock")
      end
      assert.equal(3, User:count{ lock = false })
      assert.equal(3, select(2, User:findAndCountAll{ lock = true }))
    end)

    it("accept Sequelize options that have no effect here", function()
      assert.equal(3, #User:findAll{ subQuery = false, duplicating = false, minifyAliases = true, benchmark = true })
    end)

    it("point from a Sequelize option to the liga way", function()
      support.raises("UsageError", function() User:findAll{ plain = true } end, "plain", "findOne")
      support.raises("UsageError", function() User:findAll{ nest = true } end, "nest", "raw")
      support.raises("UsageError", function() User:findAll{ useMaster = true } end, "useMaster", "transaction")
      support.raises("UsageError", function() User:count{ countGroupedRows = true } end, "countGroupedRows", "#")
      support.raises("UsageError", function() User:findAll{ where = "age = 30" } end, "liga.sql")
    end)

    it("name the nearest option for one they do not know", function()
      support.raises("UsageError", function() User:findAll{ were = { name = "ann" } } end, "were", "where")
      support.raises("UsageError", function() User:findOne{ ordr = { "name" } } end, "ordr", "order")
      support.raises("UsageError", function() User:findAndCountAll{ limt = 1 } end, "limt", "limit")
      assert.same({}, log:statements())
    end)

    it("refuse options that are no table", function()
      support.raises("UsageError", function() User:findAll("name") end)
      support.raises("UsageError", function() User:findOne(ids[1]) end)
      support.raises("UsageError", function() User:count(5) end)
    end)

    it("do not change the options that they are given", function()
      local options = { where = { age = 30 }, order = { "name" }, limit = 1 }
      User:findAll(options)
      User:findAndCountAll(options)
      assert.same({ where = { age = 30 }, order = { "name" }, limit = 1 }, options)
    end)

    it("explain what they would do", function()
      local text = User:explain{ where = { name = "ann" } }
      assert.is_string(text)
      assert.is_truthy(text:upper():find("SELECT", 1, true))
    end)

  end)
end
