-- update, destroy and increment of a model: all rows of a condition (contract, sections 5 and 7).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("writing by condition on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        name = { type = liga.STRING, unique = true }, age = liga.INTEGER,
        home = { type = liga.STRING, columnName = "home_town" },
      }, { timestamps = false })
      db:sync()
      User:bulkCreate{ { name = "ann", age = 30 }, { name = "bob", age = 25 }, { name = "cid", age = 7 } }
      log:clear()
    end)
    after_each(function() db:close() end)

    local function ages() return support.pluck(User:findAll{ order = { "name" } }, "age") end

    it("update changes the rows of the condition and counts them", function()
      assert.equal(2, User:update({ age = 50 }, { where = { age = Op.gt(20) } }))
      assert.same({ 50, 50, 7 }, ages())
      assert.equal(0, User:update({ age = 1 }, { where = { name = "eve" } }))
    end)

    it("take Sequelize's options that have no effect, and point from others to the liga way", function()
      assert.equal(1, User:update({ age = 31 }, { where = { name = "ann" }, benchmark = true }))
      support.raises("UsageError", function() User:upsert({ name = "x" }, { conflictAttributes = { "name" } }) end,
        "conflictFields")
      support.raises("UsageError", function() User:create({ name = "x" }, { isNewRecord = true }) end, "build")
      support.raises("UsageError", function() User:update({ age = 1 }, { all = true, sideEffects = true }) end,
        "sideEffects", "hooks")
      support.raises("UsageError", function() User:findOne():save{ include = { "x" } } end, "include", "bulkCreate")
    end)

    it("update takes one statement", function()
      User:update({ age = 50 }, { where = { age = Op.gt(20) } })
      assert.equal(1, #log)
    end)

    it("update changes all rows only when told so", function()
      assert.equal(3, User:update({ age = 1 }, { all = true }))
      assert.same({ 1, 1, 1 }, ages())
    end)

    it("update sets NULL by liga.null, and maps attributes to columns", function()
      User:update({ age = liga.null, home = "Porto" }, { where = { name = "ann" } })
      local ann = User:findOne{ where = { name = "ann" } }
      assert.is_nil(ann.age)
      assert.equal("Porto", ann.home)
    end)

    it("update may be limited", function()
      assert.equal(2, User:update({ age = 1 }, { all = true, limit = 2 }))
      assert.equal(2, User:count{ where = { age = 1 } })
    end)

    it("update gives the rows with returning", function()
      local count, rows = User:update({ age = 50 }, { where = { age = Op.gt(20) }, returning = true })
      assert.equal(2, count)
      assert.same({ "ann", "bob" }, support.sorted(rows, "name"))
      assert.same({ 50, 50 }, support.pluck(rows, "age"))
    end)

    it("give no rows with returning where there is nothing to set", function()
      for _, class in ipairs { User, db:define("Watched", { age = liga.INTEGER },
        { timestamps = false, hooks = { beforeUpdate = function() end } }):sync() } do
        for _, individualHooks in ipairs { false, true } do
          local options = { all = true, returning = true, individualHooks = individualHooks }
          assert.same({ 0, {} }, { class:update({}, options) })
          assert.same({ 0, {} }, { class:increment({}, options) })
        end
      end
    end)

    it("take the options that all writes have", function()
      local Gone = db:define("Gone", { age = liga.INTEGER, size = liga.INTEGER },
        { timestamps = false, paranoid = true, hooks = { beforeRestore = function() end } }):sync()
      Gone:bulkCreate{ { age = 1, size = 1 }, { age = 2, size = 2 } }
      local function options()
        return { where = { age = { 1, 2 } }, fields = { "age" }, validate = false, hooks = true, individualHooks = true,
          silent = true, returning = true, logging = log.record }
      end
      for _, verb in ipairs { "destroy", "restore", "destroy" } do
        local count, rows = Gone[verb](Gone, options())
        assert.same({ 2, 2 }, { count, #rows })
      end
      Gone:restore{ all = true }
      assert.equal(2, Gone:increment({ age = 10, size = 10 }, options()))
      assert.same({ { 11, 1 }, { 12, 2 } }, { { Gone:findByPk(1).age, Gone:findByPk(1).size },
        { Gone:findByPk(2).age, Gone:findByPk(2).size } })
      local emptying = options()
      emptying.where = nil
      Gone:truncate(emptying)
      assert.equal(0, Gone:count{ paranoid = false })
      support.raises("UsageError", function() Gone:truncate{ silent = 1 } end, "silent")
      support.raises("UsageError", function() Gone:destroy{ all = true, fields = { "aeg" } } end, "aeg", "age")
    end)

    it("update may change keys", function()
      local id = User:findOne{ where = { name = "ann" } }.id
      assert.equal(1, User:update({ id = 900 }, { where = { id = id } }))
      assert.equal("ann", User:findByPk(900).name)
    end)

    it("update writes only the attributes listed in fields", function()
      User:update({ age = 50, home = "Porto" }, { where = { name = "ann" }, fields = { "home" } })
      local ann = User:findOne{ where = { name = "ann" } }
      assert.equal(30, ann.age)
      assert.equal("Porto", ann.home)
    end)

    it("update changes nothing when a value or name is wrong", function()
      support.raises("ValidationError", function() User:update({ age = "old" }, { all = true }) end, "age")
      support.raises("UsageError", function() User:update({ aeg = 1 }, { all = true }) end, "aeg", "age")
      support.raises("UniqueConstraintError", function() User:update({ name = "same" }, { all = true }) end)
      assert.same({ 30, 25, 7 }, ages())
    end)

    it("destroy removes the rows of the condition and counts them", function()
      assert.equal(2, User:destroy{ where = { age = Op.gt(20) } })
      assert.same({ 7 }, ages())
      assert.equal(0, User:destroy{ where = { name = "eve" } })
    end)

    it("destroy removes all rows only when told so", function()
      assert.equal(3, User:destroy{ all = true })
      assert.equal(0, User:count())
    end)

    it("destroy may be limited", function()
      assert.equal(1, User:destroy{ all = true, limit = 1 })
      assert.equal(2, User:count())
    end)

    it("increment and decrement add in the database", function()
      User:increment({ age = 5 }, { where = { age = Op.gt(20) } })
      User:decrement({ age = 2 }, { where = { name = "cid" } })
      assert.same({ 35, 30, 5 }, ages())
      User:increment({ age = 1 }, { all = true })
      assert.same({ 36, 31, 6 }, ages())
    end)

    -- Lua's trap: { id = nil } is an empty table, which would mean every row.
    local WRITES = {
      update = function(options) return User:update({ age = 1 }, options) end,
      destroy = function(options) return User:destroy(options) end,
      increment = function(options) return User:increment({ age = 1 }, options) end,
      decrement = function(options) return User:decrement({ age = 1 }, options) end,
    }
    for verb, write in pairs(WRITES) do
      it(verb .. " refuses to work without an effective condition", function()
        for _, options in ipairs {
          {}, { where = {} }, { where = { id = nil } }, { where = { {} } }, { where = { {}, {} } },
          { where = { [Op.and_] = {} } },
          { where = { [Op.and_] = { {} } } }, { all = false },
          { where = { [Op.or_] = { { name = "ann" }, { id = nil } } } },
          { where = { [Op.or_] = { { name = nil }, age = 5 } } },
          { where = { age = Op.and_ {} } }, { where = { age = { [Op.and_] = {} } } },
        } do
          support.raises("UsageError", function() write(options) end, "all")
        end
        support.raises("UsageError", function() write(nil) end, "all")
        assert.same({}, log:statements())
      end)

      it(verb .. " refuses a condition beside all = true", function()
        support.raises("UsageError", function() write{ where = { name = "ann" }, all = true } end, "all")
        assert.same({}, log:statements())
      end)

      it(verb .. " names the nearest option for one that it does not know", function()
        support.raises("UsageError", function() write{ were = { name = "ann" } } end, "were", "where")
        assert.same({}, log:statements())
      end)
    end
  end)
end
