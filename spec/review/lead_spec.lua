-- What reviews found in writes and connections.
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a write on " .. engine.name, function()
    local db, Item
    before_each(function()
      db = engine:open()
      Item = db:define("Item", { n = liga.INTEGER, at = liga.DATE, meta = liga.JSON }, { timestamps = false })
      db:sync()
    end)
    after_each(function() if db then db:close() end end)

    it("leaves what a reload would give, whatever form was assigned", function()
      local item = Item:create{ n = 2, at = "2026-11-22T10:00:00+01:00" }
      item.n = 3.0
      item:save()
      assert.equal("integer", math.type(item.n))
      item.n, item.at = "3", "2026-11-22 09:00"
      assert.is_nil(item:changed())
      item:save()
      assert.equal(3, item.n)
      assert.equal("2026-11-22T09:00:00.000Z", item.at)
    end)

    it("keeps the database open while it calls your code", function()
      local Late = db:define("Late", { n = { type = liga.INTEGER, defaultValue = function() db:close() end } },
        { timestamps = false })
      db:sync()
      support.raises("UsageError", function() Late:create{} end, "close")
      assert.equal(0, Late:count())
    end)

    it("knows keys of many parts, up to 32", function()
      local attributes, values = {}, {}
      for i = 1, 24 do
        attributes["k" .. i], values["k" .. i] = { type = liga.INTEGER, primaryKey = true }, i
      end
      attributes.n = liga.INTEGER
      local Wide = db:define("Wide", attributes, { timestamps = false })
      Wide:sync()
      local row = Wide:create(values)
      row.n = 5
      row:save()
      assert.equal(5, Wide:findByPk(values):reload().n)
      for i = 25, 33 do attributes["k" .. i] = { type = liga.INTEGER, primaryKey = true } end
      support.raises("UsageError", function() db:define("Wider", attributes) end, "32")
    end)

    it("can be checked before: validate raises what save would raise", function()
      local Strict = db:define("Strict", { name = { type = liga.STRING(3), allowNull = false } })
      local row = Strict:build{}
      support.raises("ValidationError", function() row:validate() end, "name")
      row.name = "long"
      local e = support.raises("ValidationError", function() row:validate() end, "3 characters")
      assert.equal("name", e.errors[1].attribute)
      row.name = "abc"
      assert.equal(row, row:validate())
      assert.is_true(row:isNew())
    end)

    it("inserts an instance once: bulkCreate refuses it twice in a list", function()
      local item = Item:build{ n = 1 }
      support.raises("UsageError", function() Item:bulkCreate{ item, item } end, "twice")
      assert.equal(0, Item:count())
    end)

    it("names many keys of several parts in one list", function()
      local Pair = db:define("Pair", {
        a = { type = liga.INTEGER, primaryKey = true }, b = { type = liga.INTEGER, primaryKey = true },
      }, { timestamps = false })
      local Box = db:define("Box", {}, { timestamps = false })
      Box:hasMany(Pair, { foreignKey = { name = "boxId", type = liga.BIGINT } })
      db:sync()
      local box, rows, keys = Box:create{}, {}, {}
      for i = 1, 500 do rows[i], keys[i] = { a = i, b = -i }, { i, -i } end
      Pair:bulkCreate(rows)
      box:addPairs(keys)
      assert.equal(500, box:countPairs())
      assert.is_true(box:hasPairs(keys))
      box:setPairs{ keys[7], keys[8] }
      assert.same({ 7, 8 }, support.sorted(box:getPairs(), "a"))
    end)

    if engine.kind == "memory" then
      it("outlives a transaction that was dropped: it is rolled back", function()
        Item:create{ n = 1 }
        do
          local t = db:transaction()
          Item:create({ n = 2 }, { transaction = t })
        end
        warn "@off"
        collectgarbage()
        collectgarbage()
        assert.same({ 1 }, support.pluck(Item:findAll(), "n"))
      end)
    end

    it("shows NULLs of what was read, not of what was left out", function()
      Item:create{ at = "2026-11-22" }
      local item = Item:findOne{ attributes = { "id", "n" } }
      assert.same({ id = item.id, n = liga.null }, item:toTable{ nulls = true })
      assert.equal(liga.null, Item:build{}:toTable{ nulls = true }.n)
    end)

    it("needs no other model than its own: sync of one model", function()
      db:define("Waiting", { missing = liga.belongsTo "Nobody" })
      Item:sync{ force = true }
      assert.equal(0, Item:count())
      support.raises("AssociationError", function() db:sync() end, "Nobody")
    end)

    it("leaves no model behind that could not be defined", function()
      if engine.dialect ~= "sqlite" then return end
      support.raises("UsageError", function() db:define("Net", { address = liga.INET }) end, "INET")
      assert.is_nil(db.models.Net)
      for _, sql in ipairs(db:sync{ dryRun = true }) do assert.is_nil(sql:find("Net", 1, true)) end
    end)
  end)
end
