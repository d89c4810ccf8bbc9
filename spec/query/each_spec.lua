-- each: all rows, a batch at a time (contract, section 5).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("each on " .. engine.name, function()
    local db, log, Note
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      Note = db:define("Note", { text = liga.TEXT, rank = liga.INTEGER }, { timestamps = false })
      db:sync()
      local notes = {}
      for i = 1, 7 do notes[i] = { text = "note " .. i, rank = i % 3 } end
      Note:bulkCreate(notes)
      log:clear()
    end)
    after_each(function() db:close() end)

    local function texts(options)
      local list = {}
      for note in Note:each(options) do list[#list + 1] = note.text:sub(-1) end
      return table.concat(list)
    end

    it("walks all rows in the order of the key", function()
      assert.equal("1234567", texts())
    end)

    it("walks them whatever the size of the batch", function()
      for batch = 1, 8 do assert.equal("1234567", texts{ batch = batch }) end
    end)

    it("reads a batch at a time", function()
      texts{ batch = 3 }
      for _, entry in ipairs(log) do assert.is_true(entry.info.rows <= 3) end
      assert.is_true(#log >= 3)
    end)

    it("takes another order", function()
      assert.equal("7654321", texts{ batch = 2, order = "-id" })
      assert.equal("3614725", texts{ batch = 2, order = { "rank", "id" } })
    end)

    it("takes a condition", function()
      assert.equal("36", texts{ batch = 1, where = { rank = 0 } })
      assert.equal("", texts{ where = { rank = 9 } })
    end)

    it("gives instances, which may be written in the body", function()
      for note in Note:each{ batch = 2 } do
        note.text = note.text .. "!"
        note:save()
      end
      assert.equal(7, Note:count{ where = { text = liga.Op.endsWith("!") } })
    end)

    it("allows rows to be destroyed in the body", function()
      for note in Note:each{ batch = 2 } do note:destroy() end
      assert.equal(0, Note:count())
    end)

    it("lets the connection be used in the body", function()
      for _ in Note:each{ batch = 2 } do assert.equal(7, Note:count()) end
    end)

    it("works within a transaction", function()
      db:transaction(function()
        for note in Note:each{ batch = 2 } do note:update{ rank = 5 } end
      end)
      assert.equal(7, Note:count{ where = { rank = 5 } })
    end)

    it("ends cleanly on break and on an error", function()
      for note in Note:each{ batch = 2 } do
        if note.text == "note 3" then break end
      end
      local oops = {}
      local ok, e = pcall(function()
        for _ in Note:each{ batch = 2 } do error(oops) end
      end)
      assert.is_false(ok)
      assert.equal(oops, e)
      assert.equal(7, Note:count())
    end)

    it("raises by rejectOnEmpty where there is no row at all, not behind the last one", function()
      assert.equal("1234567", texts{ batch = 7, rejectOnEmpty = true })
      support.raises("EmptyResultError", function() texts{ where = { rank = 9 }, rejectOnEmpty = true } end)
    end)

    it("refuses a batch that is no positive integer", function()
      for _, batch in ipairs { 0, -1, 1.5, "2" } do
        support.raises("UsageError", function() texts{ batch = batch } end, "batch")
      end
    end)

    it("names the nearest option for one it does not know", function()
      support.raises("UsageError", function() texts{ bach = 2 } end, "bach", "batch")
    end)
  end)
end
