-- Conditions, order, attributes and groups over JSON attributes (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  for _, kind in ipairs { "JSON", "JSONB" } do
    describe(kind .. " conditions on " .. engine.name, function()
      local db, Doc
      before_each(function()
        db = engine:open()
        Doc = db:define("Doc", { name = liga.STRING, meta = liga[kind], other = liga[kind] }, { timestamps = false })
        db:sync()
        Doc:bulkCreate{
          { name = "a", meta = {
            age = 5, city = "Bonn", ok = true, address = { city = "Bonn", zip = 53 }, tags = { "x", "y" },
          } },
          { name = "b", meta = {
            age = 10, city = "Ulm", ok = false, address = { city = "Ulm" }, tags = { "y", "z", 3 },
          } },
          { name = "c", meta = { age = 7.5, city = liga.null, ok = liga.null, tags = liga.array {} } },
          { name = "d", meta = { age = "7", city = 5 } },
          { name = "e" },
          { name = "f", meta = liga.null, other = { 1, 2 } },
        }
      end)
      after_each(function() db:close() end)

      local function names(where)
        return table.concat(support.sorted(Doc:findAll{ where = where }, "name"))
      end

      it("take a table as a path", function()
        assert.equal("a", names{ meta = { city = "Bonn" } })
        assert.equal("a", names{ meta = { address = { city = "Bonn", zip = 53 } } })
        assert.equal("b", names{ meta = { address = { city = "Ulm" }, age = 10 } })
        assert.equal("", names{ meta = { address = { city = "Bonn", zip = 54 } } })
        assert.equal("", names{ meta = { nothing = { at = { all = 1 } } } })
      end)

      it("take a path with dots", function()
        assert.equal("a", names{ ["meta.address.city"] = "Bonn" })
        assert.equal("ab", names{ ["meta.address.city"] = { "Bonn", "Ulm", "Rom" } })
        assert.equal("b", names{ ["meta.age"] = Op.gt(7.5) })
      end)

      it("follow the Lua type of the value", function()
        assert.equal("a", names{ meta = { age = 5 } })
        assert.equal("a", names{ meta = { age = 5.0 } })
        assert.equal("", names{ meta = { age = "5" } })
        assert.equal("d", names{ meta = { age = "7" } })
        assert.equal("c", names{ meta = { age = 7.5 } })
        assert.equal("d", names{ meta = { city = 5 } })
        assert.equal("a", names{ meta = { ok = true } })
        assert.equal("b", names{ meta = { ok = false } })
      end)

      it("compare in order, numbers with numbers and texts with texts", function()
        assert.equal("bc", names{ meta = { age = { [Op.gt] = 5 } } })
        assert.equal("ac", names{ meta = { age = { [Op.gte] = 5, [Op.lt] = 10 } } })
        assert.equal("ac", names{ meta = { age = Op.between(5, 8) } })
        assert.equal("b", names{ meta = { age = Op.notBetween(5, 8) } })
        assert.equal("d", names{ meta = { age = Op.gte "" } })
        assert.equal("b", names{ meta = { city = Op.gt "C" } })
        support.raises("UsageError", function() names{ meta = { age = Op.gt(true) } } end, "numbers or texts")
        support.raises("UsageError", function() names{ meta = { age = Op.between(1, "2") } } end, "or two texts")
      end)

      it("take liga.null for NULL, a missing path and null in the document", function()
        assert.equal("cef", names{ meta = { city = liga.null } })
        assert.equal("ef", names{ meta = liga.null })
        assert.equal("abd", names{ meta = { city = Op.ne(liga.null) } })
        assert.equal("cdef", names{ ["meta.ok"] = { [Op.is] = liga.null } })
        assert.equal("ab", names{ ["meta.ok"] = Op.isNot(liga.null) })
        assert.equal("a", names{ ["meta.ok"] = Op.is(true) })
        assert.equal("acef", names{ meta = { city = { "Bonn", liga.null } } })
      end)

      it("never find what is NULL by another value or its negation", function()
        assert.equal("bd", names{ meta = { city = Op.ne "Bonn" } })
        assert.equal("bd", names{ meta = { city = Op.notIn { "Bonn" } } })
        assert.equal("bd", names{ meta = { city = Op.not_ "Bonn" } })
        assert.equal("b", names{ [Op.not_] = { meta = { ok = true } } })
      end)

      it("compare whole documents by Op.eq", function()
        assert.equal("a", names{ meta = { address = Op.eq { zip = 53, city = "Bonn" } } })
        assert.equal("", names{ meta = { address = Op.eq { city = "Bonn" } } })
        assert.equal("a", names{ meta = { tags = Op.eq { "x", "y" } } })
        assert.equal("", names{ meta = { tags = Op.eq { "y", "x" } } })
        assert.equal("c", names{ meta = { tags = { [Op.eq] = liga.array {} } } })
        assert.equal("f", names{ other = Op.eq { 1, 2.0 } })
        assert.equal("bc", names{ meta = { tags = Op.ne { "x", "y" } } })
        assert.equal("a", names{ meta = Op.eq(Doc:findOne{ where = { name = "a" } }.meta) })
      end)

      it("look for patterns in texts", function()
        assert.equal("a", names{ meta = { city = Op.like "B%" } })
        assert.equal("a", names{ meta = { city = Op.startsWith "Bo" } })
        assert.equal("b", names{ meta = { city = Op.iLike "uL_" } })
        assert.equal("a", names{ ["meta.city"] = Op.regexp "n{2}" })
        assert.equal("b", names{ ["meta.city"] = Op.notLike "B%" })
      end)

      it("combine operators on one path", function()
        assert.equal("ab", names{ meta = { city = { [Op.or_] = { "Bonn", Op.startsWith "U" } } } })
        assert.equal("c", names{ meta = { age = { [Op.and_] = { Op.gt(5), Op.lt(10) } } } })
        assert.equal("ad", names{ [Op.or_] = { { meta = { age = 5 } }, { ["meta.city"] = 5 } } })
        assert.equal("bd", names{ meta = { city = Op.not_ { "Bonn", "Rom" } } })
      end)

      it("contain, are contained and overlap", function()
        assert.equal("a", names{ meta = Op.contains { address = { city = "Bonn" } } })
        assert.equal("ab", names{ meta = { tags = Op.contains { "y" } } })
        assert.equal("b", names{ meta = { tags = Op.contains { 3, "z" } } })
        assert.equal("ab", names{ meta = { tags = Op.contains "y" } })
        assert.equal("ac", names{ meta = { tags = Op.contained { "x", "y", "q" } } })
        assert.equal("b", names{ meta = { tags = Op.overlap { "z", "q" } } })
        assert.equal("c", names{ [Op.not_] = { meta = { tags = Op.overlap { "x", "z" } } } })
        assert.equal("f", names{ other = Op.overlap { 2 } })
        support.raises("UsageError", function() names{ meta = { tags = Op.overlap "x" } } end, "a list")
        support.raises("UsageError", function() names{ meta = Op.match "x" } end, "TSVECTOR")
      end)

      it("compare with any or all of a list", function()
        assert.equal("ab", names{ meta = { city = Op.any { "Bonn", "Ulm" } } })
        assert.equal("", names{ meta = { city = Op.all { "Bonn", "Ulm" } } })
        assert.equal("abc", names{ meta = { age = Op.gte(Op.any { 5, 100 }) } })
        assert.equal("b", names{ meta = { age = { [Op.gt] = Op.all { 5, 8 } } } })
        assert.equal("ab", names{ meta = { city = { [Op.like] = Op.any { "B%", "U%" } } } })
        assert.equal("ab", names{ name = Op.any { "a", "b" } })
        assert.equal("cdef", names{ name = Op.gt(Op.all { "a", "b" }) })
      end)

      it("compare lists of values of several kinds", function()
        assert.equal("ad", names{ meta = { city = { "Bonn", 5, true } } })
        assert.equal("", names{ meta = { city = {} } })
        assert.equal("abcdef", names{ meta = { city = Op.notIn {} } })
      end)

      it("address legs exactly by liga.json", function()
        local hostile = {
          ["a.b"] = 1, ['q"z'] = 2, ["x[0]"] = 3, ["$.y"] = 4, ["'"] = 5, [""] = 6, ["1"] = 7, ["é"] = 8, ["\\"] = 9,
        }
        Doc:create{ name = "h", meta = hostile }
        for key, value in pairs(hostile) do
          assert.equal("h", names{ [liga.json("meta", key)] = value }, key)
          assert.equal("h", names{ meta = { [key] = value } }, key)
          assert.equal("", names{ [liga.json("meta", key)] = value + 1 }, key)
        end
        assert.equal("", names{ ["meta.a.b"] = 1 })
        assert.equal("", names{ [liga.json("meta", 1)] = 7 })
      end)

      it("count indexes from 1, as Lua does", function()
        assert.equal("a", names{ [liga.json("meta", "tags", 1)] = "x" })
        assert.equal("b", names{ [liga.json("meta", "tags", 3)] = 3 })
        assert.equal("f", names{ [liga.json("other", 2)] = Op.gt(1) })
        assert.equal("", names{ meta = { tags = { ["1"] = "x" } } })
        support.raises("UsageError", function() liga.json("meta", 0) end, "from 1")
        support.raises("UsageError", function() liga.json("meta", {}) end, "from 1")
        support.raises("UsageError", function() liga.json(5) end)
      end)

      it("are inert whatever the keys and values hold", function()
        local bad = {
          "') OR 1=1 --", "' OR '1'='1", "$[0]", "a'; DROP TABLE \"Docs\"; --", "?", ":name", "$1", "\"", "[*]",
          "role::text) or 1=1--", "data.id')) AS DECIMAL) = 1 OR 1=1 --",
        }
        for _, text in ipairs(bad) do
          assert.equal("", names{ meta = { [text] = text } })
          assert.equal("", names{ [liga.json("meta", text)] = 1 })
          assert.equal("", names{ meta = { city = text } })
          pcall(names, { ["meta." .. text] = 1 })
          assert.equal(6, #Doc:findAll{ order = { liga.json("meta", text) } })
        end
        assert.equal(6, Doc:count())
        support.raises("UsageError", function() names{ meta = { ["a\0b"] = 1 } } end, "NUL")
        support.raises("UsageError", function() names{ meta = { ["\xff"] = 1 } } end, "UTF-8")
        support.raises("UsageError", function() names{ ["meta..x"] = 1 } end, "empty part")
      end)

      it("read as values in attributes", function()
        local row = Doc:findOne{
          attributes = {
            "name", { "meta.address", "address" }, { liga.json("meta", "tags", 2), "second" }, "meta.age",
          },
          where = { name = "a" },
        }
        assert.same({ city = "Bonn", zip = 53 }, row.address)
        assert.equal("y", row.second)
        assert.equal(5, row["meta.age"])
        row = Doc:findOne{
          attributes = { { "meta.city", "city" }, { "meta.age", "age" } }, where = { name = "c" }, raw = true,
        }
        assert.is_nil(row.city)
        assert.equal(7.5, row.age)
      end)

      it("stand at the end of paths over associations", function()
        local Note = db:define("Note", { text = liga.STRING }, { timestamps = false })
        local Mark = db:define("Mark", { info = liga[kind] }, { timestamps = false })
        Doc:hasMany(Note)
        Note:belongsToMany(Doc, { through = Mark, as = "links", inverse = "linked" })
        db:sync()
        local a, b = Doc:findOne{ where = { name = "a" } }, Doc:findOne{ where = { name = "b" } }
        local one, two, three = a:createNote{ text = "1" }, b:createNote{ text = "2" }, Note:create{ text = "3" }
        one:addLink(a, { through = { info = { w = 10 } } })
        two:addLink(a, { through = { info = { w = 9 } } })
        three:addLink(b, { through = { info = { w = 11 } } })
        local function texts(order, where)
          return table.concat(support.pluck(Note:findAll{ order = order, where = where }, "text"))
        end
        for _, step in ipairs {
          "doc.meta.age", "$doc.meta.age$", liga.col "doc.meta.age", liga.json("doc.meta", "age"),
        } do
          assert.equal("213", texts{ { step, "DESC NULLS LAST" } })
        end
        assert.equal("213", texts{ { "doc", "meta.age", "DESC NULLS LAST" } })
        assert.equal(3, #texts{ { "doc", "meta" } })
        assert.equal("12", texts("doc.meta.age", { ["doc.meta.age"] = Op.gte(5) }))
        assert.equal("2", texts("id", { [liga.json("doc.meta", "tags", 3)] = 3 }))
        assert.equal("213", texts{ { "links", "Mark", "info.w" } })
        assert.equal("312", texts{ "-links.Mark.info.w" })
        assert.equal("31", texts({ { "links", "meta.age", "DESC" } }, { text = { "1", "3" } }))
        local function docs(order)
          return table.concat(support.pluck(Doc:findAll{ order = order, limit = 2 }, "name"))
        end
        assert.equal("ba", docs{ { "notes", "text", "DESC" } })
        assert.equal("af", docs{ { "linked", "doc", "meta.age", "DESC NULLS LAST" }, "-name" })
        support.raises("UsageError", function() texts{ { "doc", "metaa.age" } } end, "metaa.age")
        support.raises("UsageError", function() texts{ liga.json("doc.name", "x") } end, "doc.name", "no JSON")
        support.raises("UsageError", function() texts{ liga.json("dok.meta", "x") } end, "dok", "doc")
      end)

      it("can be ordered by: texts, numbers, then the missing", function()
        local function ordered(order, where)
          return table.concat(support.pluck(Doc:findAll{ order = order, where = where }, "name"))
        end
        assert.equal("dacbef", ordered{ "meta.age", "name" })
        assert.equal("bcad", ordered({ { "meta.age", "DESC" } }, { name = { "a", "b", "c", "d" } }))
        assert.equal("efdacb", ordered{ { liga.json("meta", "age"), "ASC NULLS FIRST" }, "name" })
      end)

      it("can be grouped by", function()
        Doc:create{ name = "g", meta = { city = "Bonn" } }
        local rows = Doc:findAll{
          attributes = { { "meta.city", "city" }, { liga.fn("count", liga.col("*")), "n" } }, group = { "meta.city" },
          where = { meta = { city = Op.ne(liga.null) } }, order = { "-n", "city" }, raw = true,
        }
        assert.same({ city = "Bonn", n = 2 }, rows[1])
        assert.equal(3, #rows)
        local counts = Doc:count{ group = { liga.json("meta", "city") }, where = { ["meta.city"] = "Bonn" } }
        assert.equal(1, #counts)
        assert.equal(2, counts[1].count)
      end)

      it("compare by liga.where and in update and destroy", function()
        assert.equal("b", names(liga.where(liga.json("meta", "age"), Op.gt, 8)))
        assert.equal("b", names(liga.where(liga.col "meta.city", Op.startsWith, "U")))
        assert.equal(1, Doc:update({ name = "z" }, { where = { meta = { age = 5 } } }))
        assert.equal(1, Doc:destroy{ where = { ["meta.age"] = 10 } })
        assert.equal("cdefz", names{})
      end)

      it("name the path in errors", function()
        local e = support.raises("UsageError", function() names{ meta = { a = { b = Op.gt {} } } } end)
        assert.truthy(e.path:find("meta.a.b", 1, true))
        support.raises("UsageError", function() names{ meta = { [true] = 1 } } end, "keys")
        support.raises("UsageError", function() names{ ["name.x"] = 1 } end)
        support.raises("UsageError", function() names{ [liga.json("name", "x")] = 1 } end, "no JSON attribute")
        support.raises("UsageError", function() names{ [liga.json("met", "x")] = 1 } end, 'did you mean "meta"')
        local deep = {}
        for _ = 1, 100 do deep = { a = deep } end
        support.raises("UsageError", function() names{ meta = deep } end, "64")
      end)
    end)
  end
end
