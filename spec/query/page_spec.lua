-- page: keyset pages in both directions (contract, section 5).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("page on " .. engine.name, function()
    local db, log, Note
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      Note = db:define("Note", { text = liga.STRING, rank = liga.INTEGER, at = liga.DATE, weight = liga.DOUBLE },
        { timestamps = false })
      db:sync{ force = true }
      local notes = {}
      for i = 1, 10 do
        notes[i] = { text = "n" .. i, rank = i % 3 ~= 0 and i % 3 or nil, at = 1000 * (i % 4), weight = i / 3 }
      end
      Note:bulkCreate(notes)
      log:clear()
    end)
    after_each(function() db:close() end)

    local function ids(rows) return table.concat(support.pluck(rows, "id"), " ") end

    --- The ids of all pages, forwards and then backwards again.
    local function walk(options)
      local all, pages, info = {}, 0, {}
      local last
      repeat
        local rows
        options.after, options.before = info.after, nil
        rows, info = Note:page(options)
        for _, row in ipairs(rows) do all[#all + 1] = row.id end
        pages, last = pages + 1, info
        assert.equal(info.hasNext, info.after ~= nil)
      until not info.after
      local back = {}
      info = last
      while info.before do
        options.after, options.before = nil, info.before
        local rows
        rows, info = Note:page(options)
        for i = #rows, 1, -1 do table.insert(back, 1, rows[i].id) end
        pages = pages + 1
      end
      return all, back, pages
    end

    it("gives the rows of one page and where the others are", function()
      local rows, info = Note:page{ size = 4 }
      assert.equal("1 2 3 4", ids(rows))
      assert.is_true(info.hasNext)
      assert.is_false(info.hasPrevious)
      assert.is_nil(info.before)
      rows, info = Note:page{ size = 4, after = info.after }
      assert.equal("5 6 7 8", ids(rows))
      assert.is_true(info.hasPrevious)
      rows, info = Note:page{ size = 4, after = info.after }
      assert.equal("9 10", ids(rows))
      assert.is_false(info.hasNext)
      assert.is_nil(info.after)
      rows, info = Note:page{ size = 4, before = info.before }
      assert.equal("5 6 7 8", ids(rows))
      rows, info = Note:page{ size = 4, before = info.before }
      assert.equal("1 2 3 4", ids(rows))
      assert.is_false(info.hasPrevious)
      assert.is_true(info.hasNext)
    end)

    it("behind the last row is empty, and knows of the rows before it", function()
      local _, info = Note:page{ size = 9 }
      Note:destroy{ where = { id = 10 } }
      local rows, last = Note:page{ size = 9, after = info.after }
      assert.equal(0, #rows)
      assert.is_true(last.hasPrevious)
      assert.is_false(last.hasNext)
    end)

    it("runs hooks of finds, not of counts, and keeps to scopes", function()
      local seen = {}
      for _, moment in ipairs { "beforeFind", "afterFind", "beforeCount" } do
        Note:addHook(moment, function() seen[#seen + 1] = moment end)
      end
      Note:addScope("late", { where = { id = { [liga.Op.gt] = 5 } } })
      local _, info = Note:scope("late"):page{ size = 2 }
      local rows
      rows, info = Note:scope("late"):page{ size = 2, after = info.after }
      assert.equal("8 9", ids(rows))
      rows, info = Note:scope("late"):page{ size = 2, before = info.before }
      assert.equal("6 7", ids(rows))
      assert.is_false(info.hasPrevious)
      assert.equal("beforeFind afterFind beforeFind afterFind beforeFind afterFind", table.concat(seen, " "))
    end)

    it("never counts rows", function()
      local _, info = Note:page{ size = 4 }
      Note:page{ size = 4, after = info.after }
      for _, sql in ipairs(log:statements()) do assert.is_nil(sql:find("OFFSET", 1, true), sql) end
    end)

    for name, order in pairs {
      ["the key"] = false, ["one attribute"] = "rank", ["descending"] = "-rank", ["dates"] = { "at" },
      ["mixed orders"] = { { "rank", "DESC" }, "at" }, ["floats"] = { "-weight" },
      ["NULLs first"] = { { "rank", "ASC NULLS FIRST" }, { "at", "DESC" } },
      ["NULLs last"] = { { "rank", "DESC NULLS LAST" }, "-text" },
    } do
      it("walks all rows once in both directions, ordered by " .. name, function()
        local complete = { order or "id" }
        if type(order) == "table" then complete = table.move(order, 1, #order, 1, {}) end
        complete[#complete + 1] = "id"
        local expected = support.pluck(Note:findAll{ order = complete }, "id")
        for size = 1, 11 do
          local all, back = walk{ size = size, order = order or nil }
          assert.same(expected, all)
          assert.same(table.move(expected, 1, #back, 1, {}), back)
        end
      end)
    end

    it("takes conditions, attributes and includes", function()
      local rows = Note:page{ where = { rank = 1 }, attributes = { "text" }, order = "-rank", size = 2 }
      assert.equal("n1 n4", table.concat(support.pluck(rows, "text"), " "))
    end)

    describe("ordered by an attribute of another table", function()
      local User, City
      before_each(function()
        City = db:define("City", { name = liga.STRING }, { timestamps = false })
        User = db:define("User", { name = liga.STRING, born = liga.DATE }, { timestamps = false })
        User:belongsTo(City)
        Note:belongsTo(User, { as = "author" })
        Note:belongsTo(Note, { as = "first", inverse = { as = "others", type = "hasMany" } })
        db:sync{ force = true }
        local oslo, rome = table.unpack(City:bulkCreate{ { name = "Oslo" }, { name = "Rome" } })
        local users = User:bulkCreate{
          { name = "bob", cityId = rome.id, born = 0 }, { name = "ann", cityId = oslo.id },
          { cityId = oslo.id, born = 1000 },
        }
        for i = 1, 10 do
          Note:create{ text = "n" .. i, authorId = users[i % 4] and users[i % 4].id, rank = i % 2 }
        end
      end)

      it("walks all rows once in both directions, those without such a row among the NULLs", function()
        for name, order in pairs {
          ["a path"] = "author.name", ["one with dollars"] = { "-$author.name$" }, ["two steps"] = "author.city.name",
          ["names"] = { { "author", "city", "name", "DESC" }, "rank" }, ["a date"] = { { "author.born", "DESC" } },
          ["models"] = { { User, City, "name" }, { User, "name", "ASC NULLS FIRST" } },
          ["objects"] = { { Note:association "author", "name", "DESC NULLS LAST" }, "-rank" },
          ["tables"] = { "rank", { { as = "author" }, { model = City }, "name" } },
        } do
          local complete = type(order) == "table" and table.move(order, 1, #order, 1, {}) or { order }
          complete[#complete + 1] = "id"
          local expected = support.pluck(Note:findAll{ order = complete }, "id")
          for _, size in ipairs { 3, 10 } do
            local all, back = walk{ size = size, order = order }
            assert.same(expected, all, name)
            assert.same(size < 10 and table.move(expected, 1, 9, 1, {}) or {}, back, name)
          end
          local each = {}
          for note in Note:each{ order = order, batch = 3 } do each[#each + 1] = note.id end
          assert.same(expected, each, name)
        end
      end)

      it("leaves nothing of it in the rows", function()
        local function check(note)
          for key in pairs(note) do assert.is_true(Note.attributes[key] ~= nil or key == "author", key) end
        end
        for _, options in ipairs {
          {}, { attributes = { "id" } }, { raw = true }, { attributes = { exclude = { "at" } } },
          { include = "author" },
        } do
          options.order, options.size = "author.name", 2
          for _, note in ipairs(Note:page(options)) do check(note) end
          options.size = nil
          for note in Note:each(options) do check(note) end
        end
        local note = Note:page{ order = "author.name" }[1]
        note.text = "changed"
        assert.equal("changed", note:save():reload().text)
      end)

      it("goes over belongsTo only: elsewhere a row has no one place", function()
        local function refuse(order, ...)
          support.raises("UsageError", function() Note:page{ order = order } end, "order", ...)
        end
        refuse("others.text", "others", "hasMany", "belongsTo")
        refuse("auhtor.name", "auhtor", "author")
        refuse("author.nmae", "User", "nmae", "name")
        refuse({ { City, "name" } }, "no association to City")
        refuse({ { "author", "name", "UP" } }, "name")
        refuse({ { "text", "UP" } }, "direction", "UP")
        refuse({ { liga.fn("lower", liga.col "text"), "ASC" } }, "expression")
        refuse({ liga.col "author.name" }, "expression")
      end)
    end)

    it("tells of rows that were added or taken away meanwhile", function()
      local _, info = Note:page{ size = 4 }
      Note:destroy{ where = { id = { 4, 5 } } }
      assert.equal("6 7 8 9", ids(Note:page{ size = 4, after = info.after }))
    end)

    it("refuses an order over what has none, as each does", function()
      local types = { doc = liga.JSON, docs = liga.JSONB }
      if engine.dialect == "postgres" then types.words, types.lists = liga.HSTORE, liga.ARRAY(liga.JSONB) end
      local Doc = db:define("Doc", types, { timestamps = false })
      Doc:sync()
      log:clear()
      for name in pairs(types) do
        for _, order in ipairs { name, "-" .. name } do
          support.raises("UsageError", function() Doc:page{ order = order } end, "Doc." .. name, "no order")
          support.raises("UsageError", function() Doc:each{ order = order } end, "Doc." .. name, "no order")
        end
        support.raises("UsageError", function() Doc:min(name) end, "Doc." .. name, "no order")
        support.raises("UsageError", function() Doc:count{ where = { [name] = liga.Op.gt { a = 1 } } } end, name)
      end
      assert.same({}, log:statements())
    end)

    it("refuses cursors that were not made for this order", function()
      local _, info = Note:page{ size = 4 }
      local function refused(options) support.raises("UsageError", function() Note:page(options) end) end
      log:clear()
      refused{ after = "x" }
      refused{ after = info.after .. "A" }
      refused{ after = info.after, order = "rank" }
      refused{ before = 7 }
      refused{ after = info.after, before = info.after }
      refused{ size = 0 }
      refused{ limit = 3 }
      refused{ sise = 3 }
      assert.same({}, log:statements())
    end)
  end)
end
