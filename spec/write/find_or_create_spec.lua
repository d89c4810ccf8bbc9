-- findOrBuild and findOrCreate (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("findOrCreate on " .. engine.name, function()
    local db, User, log
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        email = { type = liga.STRING, unique = true }, name = liga.STRING, age = liga.INTEGER, born = liga.DATEONLY,
      })
      db:sync()
    end)
    after_each(function() db:close() end)

    it("creates the row that is not there, of where and defaults", function()
      local ann, created = User:findOrCreate{ where = { email = "ann@x" }, defaults = { name = "ann", age = 3 } }
      assert.is_true(created)
      assert.is_false(ann:isNew())
      assert.same(User:findByPk(ann.id):toTable(), ann:toTable())
      assert.equal("ann@x", ann.email)
      assert.equal(3, ann.age)
    end)

    it("creates it of every equality of the where, also by Op.eq and under Op.and_", function()
      for i, where in ipairs {
        { email = Op.eq("a"), age = { [Op.eq] = 3 }, name = { [Op.ne] = "x" } },
        { [Op.and_] = { { email = "b" }, { age = Op.eq(3) } } }, Op.and_ { { email = "c" }, { { age = 3 } } },
        Op.and_({ email = "d" }, { age = 3, name = Op.like("y%") }),
      } do
        local made, created = User:findOrCreate { where = where, defaults = { name = "y" } }
        assert.same({ ("abcd"):sub(i, i), 3, "y", true }, { made.email, made.age, made.name, created })
        local found, again = User:findOrCreate { where = where, defaults = { name = "y" } }
        assert.same({ made.id, false }, { found.id, again })
      end
      local Doc = db:define("Doc", { body = liga.JSON, at = liga.DATE }, { timestamps = false })
      Doc:sync()
      local where = { body = Op.eq { a = { 1 } }, at = Op.eq("2026-01-02T03:04:05.123456Z") }
      assert.same({ a = { 1 } }, Doc:findOrCreate { where = where }.body)
      assert.is_false(select(2, Doc:findOrCreate { where = where }))
    end)

    it("finds the row that is there, and leaves it alone", function()
      local first = User:create{ email = "ann@x", name = "ann" }
      local ann, created = User:findOrCreate{ where = { email = "ann@x" }, defaults = { name = "other" } }
      assert.is_false(created)
      assert.equal(first.id, ann.id)
      assert.equal("ann", ann.name)
      assert.equal(1, User:count())
    end)

    it("takes plain values from nested conditions, operators not", function()
      local row = User:findOrCreate{
        where = { { name = "ann" }, age = Op.gt(5), born = os.date("*t", 0) }, defaults = { age = 7 },
      }
      assert.same({ "ann", 7 }, { row.name, row.age })
      assert.is_not_nil(row.born)
    end)

    it("creates once without a unique key, too", function()
      assert.is_true(select(2, User:findOrCreate{ where = { name = "ann" } }))
      assert.is_false(select(2, User:findOrCreate{ where = { name = "ann" } }))
      assert.equal(1, User:count())
    end)

    it("inserts over the unique key that where covers", function()
      User:findOrCreate{ where = { email = "ann@x" } }
      local statements = table.concat(log:statements("query"), "\n")
      assert.truthy(statements:find('ON CONFLICT ("email") DO NOTHING', 1, true))
    end)

    it("raises where the row with the key is none that where describes", function()
      User:create{ email = "ann@x", age = 1 }
      support.raises("UniqueConstraintError", function() User:findOrCreate{ where = { email = "ann@x", age = 2 } } end)
      assert.equal(1, User:count())
    end)

    it("belongs to the transaction it is called in", function()
      pcall(db.transaction, db, function()
        User:findOrCreate{ where = { email = "ann@x" } }
        User:findOrCreate{ where = { name = "bob" } }
        error "no"
      end)
      assert.equal(0, User:count())
      if engine.kind ~= "file" then return end
      local t <close> = db:transaction()
      User:findOrCreate{ where = { name = "cid" }, transaction = t }
      t:rollback()
      assert.equal(0, User:count())
    end)

    it("needs a condition", function()
      support.raises("UsageError", function() User:findOrCreate() end, "where")
      support.raises("UsageError", function() User:findOrCreate{} end, "where")
      support.raises("UsageError", function() User:findOrCreate{ where = { email = nil } } end, "where")
      support.raises("UsageError", function() User:findOrCreate{ where = { emil = 1 } } end, 'did you mean "email"')
      support.raises("UsageError", function() User:findOrCreate{ where = { name = "x" }, default = {} } end,
        'did you mean "defaults"')
      support.raises("UsageError", function() User:findOrCreate{ where = { name = "x" }, limit = 1 } end, "one")
      support.raises("UsageError", function() User:findOrCreate{ where = { name = "x" }, defaults = 5 } end, "defaults")
    end)

    it("checks the values it creates with", function()
      support.raises("ValidationError", function()
        User:findOrCreate{ where = { email = "ann@x" }, defaults = { age = "old" } }
      end)
      assert.equal(0, User:count())
    end)

    it("makes the row alone, not what belongs to it", function()
      User:hasMany(User, { as = "staff", inverse = "boss" })
      for _, name in ipairs { "findOrCreate", "findOrBuild" } do
        support.raises("UsageError", function()
          User[name](User, { where = { name = "x" }, defaults = { staff = { { name = "y" } } }, include = { "staff" } })
        end, "defaults.staff")
      end
    end)

    it("has a sister that only builds", function()
      local ann, built = User:findOrBuild{ where = { email = "ann@x" }, defaults = { age = 3 } }
      assert.is_true(built)
      assert.is_true(ann:isNew())
      assert.same({ "ann@x", 3 }, { ann.email, ann.age })
      ann:save()
      local again, second = User:findOrBuild{ where = { email = "ann@x" } }
      assert.is_false(second)
      assert.equal(ann.id, again.id)
    end)
  end)
end

-- Real concurrency: processes that look for the same rows at the same time create each exactly once.
for engine in support.engines() do
  if engine.kind ~= "memory" then
    describe("findOrCreate in several processes on " .. engine.name, function()
      local script
      local define = [[
        local User = db:define("User", { email = { type = liga.STRING, unique = true }, name = liga.STRING })
      ]]

      before_each(function()
        script = os.tmpname()
        local db <close> = engine:open()
        load("local liga, db = ... " .. define .. " User:sync()")(liga, db)
        local file <close> = assert(io.open(script, "w"))
        file:write(([[
          local liga = require "liga"
          local db = liga.connect(%q, { busyTimeout = 20000 })
          %s
          local made, created, upserted = 0, false, 0
          for i = 1, 40 do
            created = select(2, User:findOrCreate{ where = { email = "e" .. i }, defaults = { name = "x" } })
            if created then made = made + 1 end
            created = select(2, User:findOrCreate{ where = { name = "n" .. i } })
            if created then made = made + 1 end
            if select(2, User:upsert{ email = "u" .. i, name = "u" }) then upserted = upserted + 1 end
          end
          print(made, upserted)
          db:close()
        ]]):format(engine.url, define))
      end)
      after_each(function() os.remove(script) end)

      it("creates every row once, and says so to one of them", function()
        local command = ("LUA_PATH='%s' LUA_CPATH='%s' lua5.4 '%s'"):format(package.path, package.cpath, script)
        local running = {}
        for i = 1, 3 do running[i] = assert(io.popen(command)) end
        local made, upserted = 0, 0
        for _, process in ipairs(running) do
          local a, b = process:read("n", "n")
          made, upserted = made + assert(a), upserted + assert(b)
          process:close()
        end
        assert.equal(80, made)
        assert.equal(40, upserted)
        local db <close> = engine:reopen()
        assert.equal(120, db:query('SELECT count(*) AS n FROM "Users"')[1].n)
      end)
    end)
  end
end
