-- bulkCreate: many rows at once, with their keys (contract, section 7).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("bulkCreate on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        name = { type = liga.STRING, unique = true }, age = liga.INTEGER,
        state = { type = liga.STRING, defaultValue = "new" },
      }, { timestamps = false })
      db:sync()
      log:clear()
    end)
    after_each(function() db:close() end)

    it("gives the instances in order, with their keys", function()
      local rows = User:bulkCreate{ { name = "zoe" }, { name = "ann" }, { name = "mia" } }
      assert.same({ "zoe", "ann", "mia" }, support.pluck(rows, "name"))
      for _, row in ipairs(rows) do
        assert.is_false(row:isNew())
        assert.equal(row.name, User:findByPk(row.id).name)
      end
    end)

    it("takes thousands of rows in few statements", function()
      local values = {}
      for i = 1, 2500 do values[i] = { name = "user " .. i, age = i } end
      local rows = User:bulkCreate(values)
      assert.is_true(#log:statements("query") < 500)
      assert.equal(2500, User:count())
      for i = 1, 2500, 499 do
        local stored = User:findByPk(rows[i].id)
        assert.equal("user " .. i, stored.name)
        assert.equal(i, stored.age)
      end
    end)

    describe("of more rows than statements that travel together take", function()
      local count = 21003
      local function values()
        local list = {}
        for i = 1, count do list[i] = { name = "user " .. i, age = i % 100 } end
        return list
      end

      it("keeps rows and keys together", function()
        local rows = User:bulkCreate(values())
        local stored = {}
        for _, row in ipairs(User:findAll{ raw = true }) do stored[row.id] = row end
        assert.equal(count, #rows)
        for i, row in ipairs(rows) do
          if row.name ~= "user " .. i or stored[row.id].name ~= row.name or stored[row.id].age ~= i % 100 then
            assert.same({ i, "user " .. i, i % 100 }, { row.id, stored[row.id].name, stored[row.id].age })
          end
        end
      end)

      it("inserts nothing when a row far behind violates a constraint", function()
        local list = values()
        list[17500].name = "user 3"
        support.raises("UniqueConstraintError", function() User:bulkCreate(list) end)
        assert.equal(0, User:count())
        list[17500].name = "user 17500"
        assert.equal(count, #User:bulkCreate(list))
      end)

      it("inserts nothing when one does while others are on their way; the transaction goes on", function()
        for _, wrong in ipairs{ 1, 18001, 20500, 21002 } do
          local list = values()
          list[wrong].name = "user 21003"
          db:transaction(function()
            User:create{ name = "kept " .. wrong }
            local e = support.raises("UniqueConstraintError", function() User:bulkCreate(list) end)
            assert.equal("rolled_back", e.outcome)
            assert.equal(0, User:count{ where = { name = liga.Op.startsWith "user" } })
          end)
          assert.equal(1, User:count())
          User:destroy{ all = true }
        end
      end)

      it("leaves out those that are there already", function()
        User:bulkCreate{ { name = "user 2" }, { name = "user 20002" } }
        local rows = User:bulkCreate(values(), { ignoreDuplicates = true })
        assert.equal(count, User:count())
        assert.is_true(rows[2]:isNew())
        assert.is_true(rows[20002]:isNew())
        assert.is_false(rows[20003]:isNew())
        assert.equal(rows[20003].id, User:findOne{ where = { name = "user 20003" } }.id)
      end)

      it("logs each statement with its own values", function()
        local list, seen = values(), 0
        User:bulkCreate(list)
        for _, entry in ipairs(log) do
          for _, param in ipairs(entry.info.params) do
            local names = type(param) == "table" and param or { param }
            for _, name in ipairs(names) do
              if type(name) == "string" and name:find "^user %d" then seen = seen + tonumber(name:match "%d+") end
            end
          end
        end
        assert.equal(count * (count + 1) // 2, seen)
      end)
    end)

    it("refuses what is no row, whatever is asked to come back", function()
      local options = { {}, { returning = true }, { ignoreDuplicates = true }, { updateOnDuplicate = { "age" } } }
      for _, given in ipairs(options) do
        for _, row in ipairs { "ann", 5, true, liga.null, print } do
          support.raises("UsageError", function() User:bulkCreate({ { name = "bob" }, row }, given) end)
        end
      end
      assert.equal(0, User:count())
    end)

    it("gives nothing for nothing", function()
      assert.equal(0, #User:bulkCreate{})
      assert.same({}, log:statements())
    end)

    it("takes values of different attributes", function()
      local rows = User:bulkCreate{ { name = "ann" }, { age = 5 }, { state = liga.null }, {} }
      assert.equal(4, User:count())
      assert.same({ id = rows[1].id, name = "ann", state = "new" }, User:findByPk(rows[1].id):toTable())
      assert.same({ id = rows[2].id, age = 5, state = "new" }, User:findByPk(rows[2].id):toTable())
      assert.same({ id = rows[3].id }, User:findByPk(rows[3].id):toTable())
    end)

    it("takes an attribute that no row has, then some row, then every row", function()
      User:bulkCreate{ { name = "ann" }, { name = "bob" } }
      User:bulkCreate{ { name = "cid", age = 5 }, { name = "dan" } }
      User:bulkCreate{ { name = "eva", age = 6 }, { name = "fay", age = 7 } }
      assert.equal(18, User:sum("age"))
    end)

    it("takes texts with marks that the engine's own syntax uses", function()
      local names = { [[a"b]], [[\]], [["]], "{x,y}", "NULL", "", " ", "it's", [[\"]] }
      local values = {}
      for i, name in ipairs(names) do values[i] = { name = name } end
      local rows = User:bulkCreate(values)
      for i, name in ipairs(names) do assert.equal(name, User:findByPk(rows[i].id).name) end
    end)

    it("takes keys that are given beside keys that are made", function()
      local rows = User:bulkCreate{ { name = "ann" }, { id = 500, name = "bob" }, { name = "cid" } }
      assert.equal(500, rows[2].id)
      for _, row in ipairs(rows) do assert.equal(row.name, User:findByPk(row.id).name) end
    end)

    it("holds what a reload would give", function()
      local rows = User:bulkCreate{ { name = 42, age = "7" }, { name = "x", age = liga.null } }
      assert.equal("42", rows[1].name)
      assert.equal(7, rows[1].age)
      assert.is_nil(rawget(rows[2], "age"))
    end)

    it("never changes the plain tables that it is given", function()
      local values = { { name = "ann" }, { name = "bob" } }
      local rows = User:bulkCreate(values)
      assert.same({ { name = "ann" }, { name = "bob" } }, values)
      assert.is_nil(getmetatable(values[1]))
      assert.is_false(rawequal(rows[1], values[1]))
    end)

    it("saves built instances themselves", function()
      local ann = User:build{ name = "ann" }
      local rows = User:bulkCreate{ ann, { name = "bob" } }
      assert.is_true(rawequal(ann, rows[1]))
      assert.is_false(ann:isNew())
      assert.equal("ann", User:findByPk(ann.id).name)
      ann.age = 3
      assert.same({ "age" }, ann:changed())
    end)

    it("writes only the attributes listed in fields", function()
      local rows = User:bulkCreate({ { name = "ann", age = 30 } }, { fields = { "name" } })
      assert.is_nil(User:findByPk(rows[1].id).age)
    end)

    it("inserts nothing when one value does not fit", function()
      support.raises("ValidationError", function()
        User:bulkCreate{ { name = "ann" }, { name = "bob", age = "old" } }
      end, "age")
      assert.equal(0, User:count())
    end)

    it("inserts nothing when one row violates a constraint", function()
      User:create{ name = "bob" }
      local values = {}
      for i = 1, 300 do values[i] = { name = "user " .. i } end
      values[301] = { name = "bob" }
      local e = support.raises("UniqueConstraintError", function() User:bulkCreate(values) end)
      assert.same({ "name" }, e.attributes)
      assert.equal("User", e.model)
      assert.equal(1, User:count())
    end)

    it("sends every type as create does", function()
      local Sample = db:define("Sample", {
        { "code", liga.CHAR(3), primaryKey = true },
        { "small", liga.SMALLINT }, { "big", liga.BIGINT }, { "real", liga.DOUBLE },
        { "price", liga.DECIMAL(10, 2) },
        { "flag", liga.BOOLEAN }, { "name", liga.STRING(20) }, { "note", liga.TEXT },
        { "kind", liga.ENUM{ "new", "it's" } },
        { "at", liga.DATE }, { "day", liga.DATEONLY }, { "time", liga.TIME }, { "bytes", liga.BLOB },
        { "uid", liga.UUID }, { "doc", liga.JSON }, { "docb", liga.JSONB },
      }, { timestamps = false })
      Sample:sync()
      local full = {
        code = "abc", small = -32768, big = math.mininteger, real = -0.5, price = "-12345678.90", flag = true,
        name = "a\"b,c{}\\", note = "NULL", kind = "it's", bytes = "\0\255",
        at = "0001-01-01T00:00:00.001Z", day = "9999-12-31", time = "23:59:59",
        uid = "00000000-0000-4000-8000-000000000000", doc = { list = { 1, liga.null } }, docb = liga.array{},
      }
      local last = { code = "x", at = "9999-12-31T23:59:59.999Z", note = "", big = 1 }
      Sample:bulkCreate{ full, { code = "y" }, last }
      local one = {}
      for k, v in pairs(full) do one[k] = v end
      one.code = "abd"
      Sample:create(one)
      local bulk, single = Sample:findByPk("abc"):toTable(), Sample:findByPk("abd"):toTable()
      bulk.code, single.code = nil, nil
      assert.same(single, bulk)
      assert.same({ code = "y" }, Sample:findByPk("y"):toTable())
      assert.same(last, Sample:findByPk("x"):toTable())
      assert.equal(2, Sample:count{ where = { at = "0001-01-01T00:00:00.001Z" } })
      assert.equal(1, Sample:count{ where = { at = "9999-12-31T23:59:59.999Z" } })
    end)

    it("names the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function() User:bulkCreate{ { name = "ann" }, { nmae = "bob" } } end, "nmae", "name")
      assert.same({}, log:statements())
    end)

    it("refuses what is no list of rows", function()
      local hole = { { name = "a" }, nil, { name = "b" } }
      for _, wrong in ipairs { 5, "ann", { name = "ann" }, { "ann" }, { { name = "ann" }, 5 }, hole } do
        support.raises("UsageError", function() User:bulkCreate(wrong) end)
      end
      support.raises("UsageError", function() User:bulkCreate() end)
      assert.same({}, log:statements())
    end)
  end)
end
