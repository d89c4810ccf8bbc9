-- attributes: which values a find reads (contract, section 5).
local liga = require "liga"
local support = require "spec.support"

local function keys(row)
  local list = {}
  for key in pairs(row) do list[#list + 1] = key end
  table.sort(list)
  return list
end

for engine in support.engines() do
  describe("attributes on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", {
        name = liga.STRING, age = liga.INTEGER, email = { type = liga.STRING, columnName = "e_mail" },
      }, { timestamps = false })
      db:sync()
      User:create{ name = "ann", age = 30, email = "ann@example.org" }
      log:clear()
    end)
    after_each(function() db:close() end)

    local function read(attributes) return User:findOne{ attributes = attributes } end

    it("are all of the model's by default", function()
      assert.same({ "age", "email", "id", "name" }, keys(read()))
    end)

    it("can be listed", function()
      assert.same({ "email", "name" }, keys(read{ "name", "email" }))
    end)

    it("can be left out", function()
      assert.same({ "id", "name" }, keys(read{ exclude = { "age", "email" } }))
    end)

    it("can be added to", function()
      local row = read{ include = { { liga.fn("upper", liga.col("name")), "loud" } } }
      assert.same({ "age", "email", "id", "loud", "name" }, keys(row))
      assert.equal("ANN", row.loud)
    end)

    it("can be added to and left out at once", function()
      assert.same({ "email", "id", "loud", "name" },
        keys(read{ include = { { liga.fn("upper", liga.col("name")), "loud" } }, exclude = { "age" } }))
    end)

    it("can have another name", function()
      assert.equal("ann@example.org", read{ "id", { "email", "address" } }.address)
    end)

    it("can be expressions with a name of any characters", function()
      local alias = [[x"; DROP TABLE "Users"; --]]
      assert.equal(31, read{ { liga.literal("age + 1"), alias } }[alias])
      assert.equal(1, User:count())
    end)

    it("that have another name are plain keys, never written", function()
      local ann = read{ "id", "name", { liga.fn("upper", liga.col("name")), "loud" } }
      ann.loud = "changed"
      ann.name = "anna"
      ann:save()
      assert.equal("anna", User:findByPk(ann.id).name)
    end)

    it("have another name in the rows of their own query only", function()
      local attributes = { "id", { liga.fn("upper", liga.col("name")), "loud" } }
      for _, finder in ipairs { "findOne", "findAll" } do
        local loud, plain = User[finder](User, { attributes = attributes }), User[finder](User)
        loud, plain = loud[1] or loud, plain[1] or plain
        loud.loud, plain.loud = "changed", "changed"
        assert.equal(loud, loud:save())
        support.raises("UsageError", function() plain:save() end, 'no attribute "loud"')
      end
    end)

    it("that were not selected are not written unless they now have a value", function()
      local ann = read{ "id", "name" }
      ann.name = "anna"
      log:clear()
      ann:save()
      assert.is_nil(log[1].sql:find("age", 1, true))
      ann.age = 31
      ann:save()
      local stored = User:findByPk(ann.id)
      assert.equal("ann@example.org", stored.email)
      assert.equal(31, stored.age)
    end)

    it("that were not selected become NULL by liga.null", function()
      local ann = read{ "id" }
      ann.email = liga.null
      ann:save()
      assert.is_nil(User:findByPk(ann.id).email)
    end)

    it("name the nearest attribute for one that does not exist", function()
      support.raises("UsageError", function() read{ "nmae" } end, "nmae", "name")
      support.raises("UsageError", function() read{ exclude = { "nmae" } } end, "nmae", "name")
      support.raises("UsageError", function() read{ { "nmae", "n" } } end, "nmae", "name")
    end)

    it("are names, never SQL", function()
      support.raises("UsageError", function() read{ "count(*)" } end)
      support.raises("UsageError", function() read{ "*" } end)
      support.raises("UsageError", function() read("name") end)
    end)
  end)
end
