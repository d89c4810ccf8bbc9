-- The types that only PostgreSQL has: ARRAY, RANGE, HSTORE, CITEXT, INET, CIDR, MACADDR, TSVECTOR; and ENUM as a type
-- of its own there (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  if engine.dialect == "sqlite" then
    describe("types of PostgreSQL on " .. engine.name, function()
      it("are refused by name", function()
        local db <close> = engine:open()
        for _, type in ipairs {
          liga.ARRAY(liga.INTEGER), liga.RANGE(liga.INTEGER), liga.HSTORE, liga.CITEXT, liga.INET, liga.CIDR,
          liga.MACADDR, liga.TSVECTOR,
        } do
          support.raises("UsageError", function() db:define("X", { x = type }) end, "sqlite has no type " .. type.name)
        end
        local options = { schema = "shop" }
        support.raises("UsageError", function() db:define("X", { x = liga.TEXT }, options) end, "PostgreSQL")
      end)
    end)
  else
    describe("types of PostgreSQL on " .. engine.name, function()
      local db
      before_each(function() db = engine:open() end)
      after_each(function() db:close() end)

      local function model(attributes, options)
        attributes.name = liga.STRING
        options = options or {}
        options.timestamps = false
        local Thing = db:define("Thing", attributes, options)
        db:sync()
        return Thing
      end

      local function names(Thing, where)
        return table.concat(support.sorted(Thing:findAll{ where = where }, "name"))
      end

      describe("ARRAY", function()
        it("of more dimensions than the column declares is read as it is", function()
          local Thing = model{ n = liga.ARRAY(liga.INTEGER), s = liga.ARRAY(liga.TEXT) }
          db:query [[INSERT INTO "Things" (n, s) VALUES ('{{1,2},{3,NULL}}', '{{{"a","{b"}}}')]]
          local thing = Thing:findOne()
          assert.same({ { 1, 2 }, { 3, liga.null } }, thing.n)
          assert.same({ { { "a", "{b" } } }, thing.s)
          assert.is_nil(thing:changed())
        end)

        it("is a sequence, with liga.null for NULL", function()
          local Thing = model{
            n = liga.ARRAY(liga.INTEGER), s = liga.ARRAY(liga.TEXT), d = liga.ARRAY(liga.DECIMAL(6, 2)),
            b = liga.ARRAY(liga.BOOLEAN), f = liga.ARRAY(liga.DOUBLE), t = liga.ARRAY(liga.DATE),
            m = liga.ARRAY(liga.ARRAY(liga.INTEGER)), u = liga.ARRAY(liga.JSONB),
            e = liga.ARRAY(liga.ENUM { "x", "y" }),
          }
          local values = {
            n = { 1, "2", liga.null, -3 }, d = { 1, "2.5" },
            s = { 'a"b', "c\\d", "", "NULL", "{x,y}", " é ", liga.null },
            b = { true, false }, f = { 1, 2.5 }, t = { "2026-11-22T09:30:00Z" }, m = { { 1, 2 }, { 3, 4 } },
            u = { { a = 1 }, "x", 5 }, e = { "x", "y" },
          }
          local expected = {
            n = { 1, 2, liga.null, -3 }, s = values.s, d = { "1.00", "2.50" }, b = values.b, f = { 1.0, 2.5 },
            t = { "2026-11-22T09:30:00.000Z" }, m = values.m, u = values.u, e = values.e,
          }
          local thing = Thing:create(values)
          for name, value in pairs(expected) do assert.same(value, thing[name], name) end
          assert.equal("integer", math.type(thing.n[2]))
          local read = Thing:findByPk(thing.id)
          for name, value in pairs(expected) do assert.same(value, read[name], name) end
          assert.is_nil(thing:changed())
          assert.is_nil(read:changed())
          local bulk = Thing:bulkCreate{ values, { n = {} } }
          assert.same(expected.s, Thing:findByPk(bulk[1].id).s)
          assert.same({}, Thing:findByPk(bulk[2].id).n)
          assert.is_nil(Thing:findByPk(bulk[2].id).s)
        end)

        it("of floats keeps the infinities, of instants milliseconds, of ranges every form of one", function()
          local Thing = model{ f = liga.ARRAY(liga.DOUBLE), t = liga.ARRAY(liga.DATE),
            r = liga.ARRAY(liga.RANGE(liga.INTEGER)) }
          local values = {
            f = { math.huge, 1.5, -math.huge, liga.null }, t = { "2026-11-22T09:30:00.9996Z" },
            r = { { 1, 10 }, { lower = 3 }, "[4,9]", "empty", liga.null },
          }
          local expected = {
            f = values.f, t = { "2026-11-22T09:30:00.999Z" },
            r = { { lower = 1, upper = 10, bounds = "[)" }, { lower = 3, bounds = "[)" },
              { lower = 4, upper = 10, bounds = "[)" }, { empty = true }, liga.null },
          }
          local thing = Thing:create(values)
          for name, value in pairs(expected) do
            assert.same(value, thing[name], name)
            thing[name] = values[name]
          end
          assert.is_nil(thing:changed())
          thing:reload()
          for name, value in pairs(expected) do assert.same(value, thing[name], name) end
          assert.equal(1, Thing:count{ where = { f = values.f } })
          db:query [[UPDATE "Things" SET f = '{NaN,-Infinity}']]
          assert.same({ "NaN", -math.huge }, thing:reload().f)                -- a foreign NaN can't be written back
          support.raises("ValidationError", function() Thing:create{ f = { 0 / 0 } } end, "Thing.f")
          support.raises("ValidationError", function() Thing:create{ r = { { 1, 2, 3 } } } end, "Thing.r")
        end)

        it("is the row that findOrCreate makes of it, and finds again", function()
          local Thing = model{ n = liga.ARRAY(liga.INTEGER), t = liga.ARRAY(liga.DATE), r = liga.RANGE(liga.INTEGER),
            h = liga.HSTORE }
          for name, value in pairs {
            n = { 1, 2 }, t = { "2026-11-22T09:30:00.123456Z" }, r = { lower = 1, upper = 5 }, h = { a = "1" },
          } do
            local made, created = Thing:findOrCreate{ where = { [name] = value } }
            assert.is_true(created, name)
            assert.is_table(made[name], name)
            local found, again = Thing:findOrCreate{ where = { [name] = value } }
            assert.same({ false, made.id }, { again, found.id }, name)
            assert.is_table(Thing:findOrBuild{ where = { [name] = value, name = "new" } }[name], name)
          end
          assert.is_nil(Thing:findOrBuild{ where = { n = { [Op.contains] = { 7 } } } }.n)
        end)

        it("is no key that an association could reference", function()
          local Thing = model{}
          local Key = db:define("Key", { n = { type = liga.ARRAY(liga.INTEGER), primaryKey = true } })
          local e = support.raises("AssociationError", function() Key:hasMany(Thing) end, "Key.n", "ARRAY(INTEGER)")
          assert.equal("Key", e.model)
        end)

        it("counts changes inside", function()
          local Thing = model{ n = liga.ARRAY(liga.INTEGER) }
          local thing = Thing:create{ n = { 1, 2 } }
          thing.n = { "1", 2.0 }
          assert.is_nil(thing:changed())
          table.insert(thing.n, 3)
          assert.same({ "n" }, thing:changed())
          assert.same({ 1, 2 }, thing:previous "n")
          thing:save()
          assert.same({ 1, 2, 3 }, thing.n)
          assert.same({ 1, 2, 3 }, Thing:findByPk(thing.id).n)
          thing.n = nil
          thing:save()
          assert.is_nil(Thing:findByPk(thing.id).n)
        end)

        it("refuses what does not fit", function()
          local Thing = model{ n = liga.ARRAY(liga.SMALLINT) }
          for _, wrong in ipairs { "x", { "x" }, { 70000 }, { { 1 } }, { a = 1 }, 5, { true } } do
            local e = support.raises("ValidationError", function() Thing:create{ n = wrong } end)
            assert.equal("n", e.attribute)
          end
        end)

        it("within arrays has one length, as PostgreSQL wants it", function()
          local Thing = model{ m = liga.ARRAY(liga.ARRAY(liga.INTEGER)) }
          local null = liga.null
          for _, wrong in ipairs { { { 1 }, { 2, 3 } }, { { 1 }, null }, { null, { 1 } }, { {} }, { {}, { 1 } } } do
            local e = support.raises("ValidationError", function() Thing:create{ m = wrong } end, "one length")
            assert.equal(wrong, e.value)
          end
          assert.same({}, Thing:create{ m = {} }.m)
        end)

        it("is compared, contained, overlapped", function()
          local Thing = model{ n = liga.ARRAY(liga.INTEGER), s = liga.ARRAY(liga.STRING) }
          Thing:bulkCreate{
            { name = "a", n = { 1, 2 }, s = { "x" } }, { name = "b", n = { 2, 3 }, s = { "y", "z" } },
            { name = "c", n = {} },
          }
          assert.equal("a", names(Thing, { n = { 1, 2 } }))
          assert.equal("b", names(Thing, { n = Op.eq { 2, 3 } }))
          assert.equal("ab", names(Thing, { n = Op.contains { 2 } }))
          assert.equal("ac", names(Thing, { n = Op.contained { 1, 2, 5 } }))
          assert.equal("b", names(Thing, { s = Op.overlap { "z", "q" } }))
          assert.equal("ab", names(Thing, { n = Op.any { { 1, 2 }, { 2, 3 } } }))
          support.raises("UsageError", function() names(Thing, { n = Op.match "x" }) end, "TSVECTOR")
          support.raises("ValidationError", function() names(Thing, { n = Op.contains { "x" } }) end)
        end)
      end)

      it("show the instants in them as float seconds with dates = epoch", function()
        local epoch <close> = engine:open{ dates = "epoch" }
        local Thing = epoch:define("Thing", {
          list = liga.ARRAY(liga.DATE), nested = liga.ARRAY(liga.ARRAY(liga.DATE)), range = liga.RANGE(liga.DATE),
        }, { timestamps = false })
        Thing:sync()
        local expected = {
          list = { 1.5, liga.null }, nested = { { 0.0 }, { 2.0 } }, range = { lower = 1.0, bounds = "[)" },
        }
        local thing = Thing:create{
          list = { "1970-01-01T00:00:01.500Z", liga.null }, nested = { { 0 }, { 2 } }, range = { lower = 1 },
        }
        local read = Thing:findByPk(thing.id)
        for name, value in pairs(expected) do
          assert.same(value, thing[name], name)
          assert.same(value, read[name], name)
        end
        assert.is_nil(read:changed())
        read.list[1] = 3
        assert.same({ "list" }, read:changed())
        assert.same(expected.list, read:previous "list")
        assert.same({ 3.0, liga.null }, read:save():reload().list)
        assert.equal(1, Thing:count{ where = { list = liga.Op.contains { 3 } } })
      end)

      describe("RANGE", function()
        it("is a table of its bounds", function()
          local Thing = model{
            n = liga.RANGE(liga.INTEGER), d = liga.RANGE(liga.DATEONLY), t = liga.RANGE(liga.DATE),
            p = liga.RANGE(liga.DECIMAL),
          }
          local thing = Thing:create{
            n = { lower = 1, upper = 10, bounds = "[]" }, d = { "2026-01-01", "2026-01-31", bounds = "[]" },
            t = { lower = "2026-01-01T00:00:00Z" }, p = "(1.5,2.5]",
          }
          local expected = {
            n = { lower = 1, upper = 11, bounds = "[)" }, p = { lower = "1.5", upper = "2.5", bounds = "(]" },
            d = { lower = "2026-01-01", upper = "2026-02-01", bounds = "[)" },
            t = { lower = "2026-01-01T00:00:00.000Z", bounds = "[)" },
          }
          local read = Thing:findByPk(thing.id)
          for name, value in pairs(expected) do
            assert.same(value, thing[name], name)
            assert.same(value, read[name], name)
          end
          assert.is_nil(read:changed())
          read.n = "[1,11)"
          assert.is_nil(read:changed())
          thing:update{ t = { lower = "2026-01-01T00:00:00Z", upper = "2026-01-01T00:00:00.000123Z" } }
          assert.equal("2026-01-01T00:00:00.000123Z", Thing:findByPk(thing.id).t.upper)
          thing:update{ n = { lower = 3, upper = 3 } }
          assert.same({ empty = true }, Thing:findByPk(thing.id).n)
          assert.same({ bounds = "()" }, (Thing:create{ n = {} }):reload().n)
          support.raises("ValidationError", function() Thing:create{ n = { lower = 5, upper = 1 } } end, "above")
          support.raises("ValidationError", function() Thing:create{ n = { lower = 5, bounds = "x" } } end)
          support.raises("ValidationError", function() Thing:create{ n = { from = 5 } } end)
          support.raises("ValidationError", function() Thing:create{ n = "5" } end)
        end)

        it("contains values and ranges", function()
          local Thing = model{ n = liga.RANGE(liga.INTEGER) }
          Thing:bulkCreate{ { name = "a", n = { 1, 10 } }, { name = "b", n = { 5, 20 } } }
          assert.equal("a", names(Thing, { n = Op.contains(3) }))
          assert.equal("b", names(Thing, { n = Op.contains { 8, 12 } }))
          assert.equal("ab", names(Thing, { n = Op.overlap { lower = 9 } }))
          assert.equal("a", names(Thing, { n = Op.contained "[0,11)" }))
          assert.equal("a", names(Thing, { n = { lower = 1, upper = 10 } }))
        end)
      end)

      it("HSTORE is a table of texts", function()
        local Thing = model{ h = liga.HSTORE }
        local value = { a = "1", ['q"\\'] = "=>,", n = liga.null, [""] = "é" }
        local thing = Thing:create{ name = "a", h = value }
        assert.same(value, Thing:findByPk(thing.id).h)
        assert.is_nil(Thing:findByPk(thing.id):changed())
        assert.same({ k = "5" }, Thing:create{ h = { k = 5 } }.h)
        assert.same({}, Thing:findByPk(Thing:create{ h = {} }.id).h)
        assert.equal("a", names(Thing, { h = Op.contains { a = "1" } }))
        support.raises("ValidationError", function() Thing:create{ h = "x" } end)
        support.raises("ValidationError", function() Thing:create{ h = { k = {} } } end)
      end)

      it("CITEXT compares without case", function()
        local Thing = model{ mail = { type = liga.CITEXT, unique = true } }
        Thing:create{ name = "a", mail = "Ann@X" }
        assert.equal("a", names(Thing, { mail = "ann@x" }))
        assert.equal("", names(Thing, { mail = Op.like "ann%" }))
        support.raises("UniqueConstraintError", function() Thing:create{ mail = "ANN@X" } end)
      end)

      it("addresses are checked and written as the server does", function()
        local Thing = model{ i = liga.INET, c = liga.CIDR, m = liga.MACADDR }
        for _, value in ipairs {
          { "192.168.1.5", "192.168.1.5" }, { "192.168.1.5/24", "192.168.1.5/24" }, { "10.0.0.1/32", "10.0.0.1" },
          { "::1", "::1" }, { "2001:DB8:0:0::1/64", "2001:db8::1/64" },
        } do
          local thing = Thing:create{ i = value[1] }
          assert.equal(value[2], thing.i)
          assert.equal(value[2], Thing:findByPk(thing.id).i)
        end
        local thing = Thing:create{ c = "10.1.0.0/16", m = "08-00-2B-01-02-03" }
        assert.same({ "10.1.0.0/16", "08:00:2b:01:02:03" }, { thing.c, thing.m })
        assert.same(thing:toTable(), Thing:findByPk(thing.id):toTable())
        assert.equal("10.0.0.0/32", Thing:create{ c = "10.0.0.0" }.c)
        for name, wrong in pairs { i = "300.1.1.1", c = "10.1.2.3/16", m = "08:00" } do
          support.raises("ValidationError", function() Thing:create{ [name] = wrong } end)
        end
        assert.equal(1, Thing:count{ where = { i = "::1" } })
      end)

      it("TSVECTOR is matched, and read back as the server writes it", function()
        local Thing = model{ v = liga.TSVECTOR }
        local thing = Thing:create{ name = "a", v = "fat cat" }
        assert.equal(Thing:findByPk(thing.id).v, thing.v)
        assert.is_nil(thing:changed())
        assert.equal("'cat' 'fat'", Thing:bulkCreate{ { v = "fat cat" } }[1].v)
        thing:update{ v = "rat b" }
        assert.equal("'b' 'rat'", thing.v)
        assert.equal("a", names(Thing, { v = Op.match "rat" }))
        assert.equal("", names(Thing, { v = Op.match(liga.fn("to_tsquery", "rat & !b")), name = "a" }))
      end)

      it("ENUM may have a name, which others share, also of another schema", function()
        local Mood = liga.ENUM { "sad", "glad", typeName = "mood" }
        local A = model{ m = Mood }
        local B = db:define("B", { ms = liga.ARRAY(Mood) }, { timestamps = false })
        B:sync()
        A:bulkCreate { { m = "sad" }, { m = "glad" } }
        B:create{ ms = { "sad" } }
        A:drop()
        assert.equal("sad", B:findOne().ms[1])
        assert.equal('ENUM{"sad","glad"}', tostring(Mood))
        assert.equal("mood", Mood.typeName)
        db:query "CREATE SCHEMA other"
        local C = db:define("C", { m = liga.ENUM { "a", typeName = "other.kind" } }, { timestamps = false })
        C:sync()
        assert.equal(2, #C:bulkCreate { { m = "a" }, { m = "a" } })
        support.raises("UsageError", function() return liga.ENUM { "a", typeName = 1 } end, "typeName")
      end)

      it("ENUM is a type of its own, made before and dropped after its table", function()
        local Thing = model{ state = { type = liga.ENUM { "new", "it's", "$liga$" }, defaultValue = "new" } }
        assert.equal("new", Thing:create{}.state)
        Thing:create{ name = "a", state = "it's" }
        assert.equal("a", names(Thing, { state = "it's" }))
        assert.equal("a", names(Thing, { state = Op.startsWith "it" }))
        assert.equal(2, Thing:count{ where = { state = { "new", "it's" } } })
        Thing:bulkCreate{ { state = "new" }, { state = "it's" }, { state = "$liga$" } }
        local rows = db:query("SELECT typname FROM pg_type WHERE typname = 'enum_Things_state'")
        assert.equal(1, #rows)
        db:sync()
        db:sync{ force = true }
        assert.equal(0, Thing:count())
        db:drop()
        assert.equal(0, #db:query("SELECT typname FROM pg_type WHERE typname = 'enum_Things_state'"))
        support.raises("ValidationError", function() Thing:create{ state = "old" } end, "expects one of")
      end)

      it("a model may live in a schema, and carry comments", function()
        db:query "CREATE SCHEMA shop"
        local Thing = model({ state = liga.ENUM { "a" }, n = { type = liga.INTEGER, comment = "it's n" } },
          { schema = "shop", comment = "things" })
        local Part = db:define("Part", { name = liga.STRING }, { timestamps = false })
        Thing:hasMany(Part)
        db:sync()
        local thing = Thing:create{ state = "a" }
        thing:createPart{ name = "p" }
        assert.equal("p", thing:getParts()[1].name)
        assert.equal(1, #db:query "SELECT 1 FROM pg_tables WHERE schemaname = 'shop' AND tablename = 'Things'")
        local rows = db:query "SELECT obj_description('shop.\"Things\"'::regclass) AS t"
        assert.equal("things", rows[1].t)
        Thing:upsert{ id = thing.id, n = 5 }
        assert.equal(5, thing:reload().n)
        db:drop()
      end)
    end)
  end
end
