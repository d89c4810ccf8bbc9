-- STRING, TEXT, CHAR, UUID and ENUM (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("texts on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as they were written, whatever characters they hold", function()
      local Thing = model_of(liga.TEXT)
      for _, text in ipairs { "plain", "", "O'Brien", 'say "hi"', "a\\b", "%_?$1:name--", "two\nlines\t",
        "äßç 日本 😀" } do
        assert.equal(text, stored(Thing, text))
      end
    end)

    it("may be a megabyte long", function()
      local long = ("0123456789abcdef"):rep(65536)
      assert.equal(long, stored(model_of(liga.TEXT), long))
    end)

    it("take a number for its string", function()
      local Thing = model_of(liga.STRING)
      assert.equal("42", stored(Thing, 42))
      assert.equal("1.5", stored(Thing, 1.5))
    end)

    it("keep an empty string apart from NULL", function()
      local Thing = model_of(liga.STRING)
      Thing:bulkCreate{ { value = "" }, { value = liga.null } }
      assert.equal(1, Thing:count{ where = { value = "" } })
      assert.equal(1, Thing:count{ where = { value = liga.null } })
    end)

    it("refuse a NUL byte and invalid UTF-8: bytes go into a BLOB", function()
      local Thing = model_of(liga.TEXT)
      for _, text in ipairs { "a\0b", "\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80" } do
        refuses(Thing, text)
      end
    end)

    it("refuse booleans, tables and functions", function()
      local Thing = model_of(liga.STRING)
      refuses(Thing, true)
      refuses(Thing, { "a" })
      refuses(Thing, print)
    end)

    it("of limited length count characters, not bytes", function()
      local Thing = model_of(liga.STRING(3))
      refuses(Thing, "abcd")
      refuses(Thing, "äöüß")
      assert.equal("äöü", stored(Thing, "äöü"))
      assert.equal("", stored(Thing, ""))
    end)

    it("of fixed length lose their trailing blanks when read", function()
      local Thing = model_of(liga.CHAR(5))
      assert.equal("ab", stored(Thing, "ab"))
      assert.equal("ab", stored(Thing, "ab   "))
      assert.equal(" ab", stored(Thing, " ab"))
    end)

    it("of fixed length are matched without their trailing blanks", function()
      local Thing = model_of(liga.CHAR(5))
      Thing:create{ value = "ab" }
      for name, pattern in pairs { like = "ab", iLike = "AB", endsWith = "b", regexp = "^ab$", notLike = "ab " } do
        assert.equal(1, Thing:count{ where = { value = liga.Op[name](pattern) } }, name)
      end
      assert.equal("ab", Thing:max("value"))
      local last = { liga.fn("max", liga.col("value")), "last" }
      assert.equal("ab", Thing:findOne{ attributes = { last }, raw = true }.last)
    end)

    it("of fixed length refuse more characters", function()
      refuses(model_of(liga.CHAR(2)), "abc")
    end)

    it("can be UUIDs", function()
      local Thing = model_of(liga.UUID)
      local uuid = "8c5d4f0e-7a9b-4d36-9a51-0f6c2f1f8a77"
      assert.equal(uuid, stored(Thing, uuid))
      assert.equal(1, Thing:count{ where = { value = uuid } })
    end)

    it("of an ENUM are one of its values", function()
      local Thing = model_of(liga.ENUM{ "open", "closed" })
      refuses(Thing, "ajar")
      refuses(Thing, "")
      refuses(Thing, "OPEN")
      assert.equal("open", stored(Thing, "open"))
    end)

    describe("of an ENUM stand in the order of its values:", function()
      local Op, Task = liga.Op, nil
      before_each(function()
        local level = liga.ENUM { "low", "it's", "high" }
        Task = db:define("Task", { level = level, next = level, n = liga.INTEGER }, { timestamps = false })
        Task:belongsTo(Task, { as = "parent", inverse = { as = "children", type = "hasMany" } })
        db:sync()
        Task:bulkCreate{ { level = "high", n = 1, next = "low" }, { level = "low", n = 2, next = "it's" }, { n = 3 },
          { level = "it's", n = 4, next = "it's" }, { level = "low", n = 5, next = "high" } }
      end)

      local function found(options) return table.concat(support.pluck(Task:findAll(options), "n"), " ") end

      it("sorted", function()
        assert.equal("2 5 4 1 3", found{ order = { "level", "n" } })
        assert.equal("3 1 4 2 5", found{ order = { "-level", "n" } })
        assert.equal("1 4 2 5 3", found{ order = { { "level", "DESC NULLS LAST" }, "n" } })
        assert.equal("2 5 4 1 3", found{ order = { { liga.col("level"), "ASC" }, "n" } })
        assert.equal("2 5 4 1 3", found{ attributes = { "id", "n", { "level", "how" } }, order = { "how", "n" } })
        local levels = Task:findAll{ attributes = { "level" }, distinct = true, order = "-level", raw = true }
        assert.same({ "high", "it's", "low" }, { levels[2].level, levels[3].level, levels[4].level })
        local counts = Task:count{ group = "level", order = "level" }
        assert.same({ "low", "it's", "high" }, support.pluck(counts, "level"))
      end)

      it("compared", function()
        for condition, expected in pairs {
          [Op.gt "low"] = "1 4", [Op.gte "it's"] = "1 4", [Op.lt "high"] = "2 4 5", [Op.lte "low"] = "2 5",
          [Op.between { "it's", "high" }] = "1 4", [Op.notBetween { "it's", "high" }] = "2 5",
          [Op.eq "it's"] = "4", [Op.gt(Op.any { "it's", "low" })] = "1 4",
        } do
          assert.equal(expected, found{ where = { level = condition }, order = "n" })
        end
        assert.equal(2, Task:update({ n = 0 }, { where = { level = Op.gt "low" } }))
      end)

      it("compared with another one, which may have other values", function()
        local Bug = db:define("Bug", { n = liga.INTEGER, was = liga.ENUM { "low", "high", "it's" },
          is = liga.ENUM { "high", "low", "gone" } }, { timestamps = false })
        Bug:sync()
        Bug:bulkCreate{ { n = 1, was = "low", is = "low" }, { n = 2, was = "high", is = "low" },
          { n = 3, was = "low", is = "high" }, { n = 4, was = "high", is = "gone" }, { n = 5 } }
        for condition, expected in pairs {
          [Op.eq(liga.col "is")] = "1", [Op.ne(liga.col "is")] = "2 3 4", [Op.lt(liga.col "is")] = "3",
          [Op.gte(liga.col "is")] = "1 2", [Op.between { liga.col "is", "high" }] = "1 2",
        } do
          local found_bugs = Bug:findAll{ where = { was = condition }, order = "n" }
          assert.equal(expected, table.concat(support.pluck(found_bugs, "n"), " "))
        end
      end)

      it("with the first and the last one as min and max", function()
        assert.same({ "low", "high" }, { Task:min("level"), Task:max("level") })
        assert.is_nil(Task:max("level", { where = { n = 3 } }))
        local row = Task:findOne{ attributes = { { liga.fn("max", liga.col "level"), "most" } }, raw = true }
        assert.equal("high", row.most)
        local rows = Task:max("level", { group = "next", order = "next" })
        assert.same({ "high", "it's", "low" }, { rows[1].max, rows[2].max, rows[3].max })
        assert.equal("it's", Task:max("level", { order = "-n", limit = 3 }))
        assert.equal("high", Task:max("level", { order = "n", limit = 3 }))
        Task:update({ parentId = 3 }, { where = { n = Op.ne(3) } })
        assert.equal("high", Task:max("children.level", { where = { n = 3 } }))
      end)

      it("in groups that are ordered and filtered by the first or last one", function()
        local most = liga.fn("max", liga.col "level")
        local function groups(having)
          local list = Task:findAll{
            attributes = { "next", { most, "most" } }, group = "next", order = { { most, "DESC" }, "next" }, raw = true,
            where = { level = Op.isNot(liga.null) }, having = having,
          }
          return support.pluck(list, "most")
        end
        assert.same({ "high", "it's", "low" }, groups())
        assert.same({ "high", "it's" }, groups(liga.where(most, Op.gt, "low")))
        assert.same({ "low" }, groups(liga.where(most, Op.eq, "low")))
      end)

      it("paged and walked", function()
        local seen, after = {}, nil
        repeat
          local page, info = Task:page{ order = { "-level", "n" }, size = 2, after = after }
          for _, task in ipairs(page) do seen[#seen + 1] = task.n end
          after = info.after
        until not after
        assert.same({ 3, 1, 4, 2, 5 }, seen)
        seen = {}
        for task in Task:each{ order = { "level", "n" }, batch = 2 } do seen[#seen + 1] = task.n end
        assert.same({ 2, 5, 4, 1, 3 }, seen)
      end)

      it("in includes, cut for each parent, and behind a path", function()
        Task:update({ parentId = Task:findOne{ where = { n = 3 } }.id }, { where = { n = Op.ne(3) } })
        for _, strategy in ipairs { "select", "join" } do
          local top = Task:findOne{ where = { n = 3 }, include = { children = { order = "-level", limit = 2,
            strategy = strategy } } }
          assert.same({ 1, 4 }, support.pluck(top.children, "n"))
        end
        assert.equal("3", found{ where = { ["children.level"] = Op.gt "it's" } })
        assert.equal(3, Task:findOne{ order = { { "children", "level", "DESC" } } }.n)
      end)
    end)

    it("of a STRING without length have 255 characters at most, as its column has", function()
      local Thing, long = model_of(liga.STRING), ("ä"):rep(256)
      refuses(Thing, long)
      support.raises("ValidationError", function() Thing:bulkCreate{ { value = "a" }, { value = long } } end,
        "Thing.value", "longer than 255 characters", "STRING(n)", "TEXT")
      local short = Thing:create{ value = "a" }
      short.value = long
      support.raises("ValidationError", function() short:save() end, "Thing.value")
      support.raises("ValidationError", function() Thing:update({ value = long }, { all = true }) end, "Thing.value")
      support.raises("ValidationError", function() Thing:upsert{ id = short.id, value = long } end, "Thing.value")
      assert.equal(0, Thing:count{ where = { value = long } })          -- nobody has it
      assert.equal(510, #stored(Thing, long:sub(3)))
      local Long = db:define("Long", { value = liga.STRING(300) }, { timestamps = false })
      Long:sync()
      assert.equal(long, stored(Long, long))
    end)

    if engine.kind == "server" then
      it("too long for the column are a ValidationError, whoever found out", function()
        local Thing = model_of(liga.STRING(300))
        db:query 'ALTER TABLE "Things" ALTER COLUMN value TYPE VARCHAR(20)'
        support.raises("ValidationError", function() Thing:create{ value = ("x"):rep(21) } end, "too long")
      end)
    end

    if engine.dialect == "sqlite" then
      it("of a foreign program are read byte for byte", function()
        local Thing = model_of(liga.TEXT)
        db:query([[INSERT INTO "Things" (id, value) VALUES (1, CAST(x'61FF62' AS TEXT))]])
        assert.equal("a\xffb", Thing:findByPk(1).value)
      end)
    end
  end)
end
