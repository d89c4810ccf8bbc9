-- defaultValue: values, functions, clocks, UUIDs, expressions of the database (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

--- Whether this text is a UUID of this version.
local function is_uuid(text, version)
  local x4 = "%x%x%x%x"
  local parts = { x4 .. x4, x4, version .. "%x%x%x", "[89ab]%x%x%x", x4 .. x4 .. x4 }
  return text:match("^" .. table.concat(parts, "%-") .. "$") ~= nil
end

for engine in support.engines() do
  describe("defaultValue on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_with(type, default)
      local Thing = db:define("Thing", { value = { type = type, defaultValue = default }, note = liga.TEXT },
        { timestamps = false })
      db:sync()
      return Thing
    end

    it("fills in a value that is not given", function()
      local Thing = model_with(liga.STRING, "new")
      local created = Thing:create{}
      assert.equal("new", created.value)
      assert.equal("new", Thing:findByPk(created.id).value)
    end)

    it("leaves a value that is given", function()
      assert.equal("old", model_with(liga.STRING, "new"):create{ value = "old" }.value)
    end)

    it("leaves NULL where liga.null is given", function()
      local Thing = model_with(liga.STRING, "new")
      local created = Thing:create{ value = liga.null }
      assert.is_nil(created.value)
      assert.is_nil(Thing:findByPk(created.id).value)
    end)

    it("may be false or 0", function()
      assert.is_false(model_with(liga.BOOLEAN, false):create{}.value)
    end)

    it("may be a function, called for each row", function()
      local n = 0
      local Thing = model_with(liga.INTEGER, function() n = n + 1; return n end)
      local rows = Thing:bulkCreate{ {}, {}, { value = 10 } }
      assert.same({ 1, 2, 10 }, support.pluck(rows, "value"))
      assert.equal(3, Thing:create{}.value)
    end)

    it("passes on what its function raises", function()
      local oops = {}
      local Thing = model_with(liga.INTEGER, function() error(oops) end)
      local ok, e = pcall(Thing.create, Thing, {})
      assert.is_false(ok)
      assert.equal(oops, e)
    end)

    it("liga.NOW is the time of the write", function()
      local before = os.date("!%Y-%m-%dT%H:%M:%S", os.time() - 2)
      local value = model_with(liga.DATE, liga.NOW):create{}.value
      local after = os.date("!%Y-%m-%dT%H:%M:%S", os.time() + 2)
      assert.is_true(before < value and value < after, value)
    end)

    it("liga.UUIDV4 is random", function()
      local Thing = model_with(liga.UUID, liga.UUIDV4)
      local a, b = Thing:create{}.value, Thing:create{}.value
      assert.is_true(is_uuid(a, 4), a)
      assert.not_equal(a, b)
    end)

    it("liga.UUIDV7 begins with the time", function()
      local Thing = model_with(liga.UUID, liga.UUIDV7)
      local value = Thing:create{}.value
      assert.is_true(is_uuid(value, 7), value)
      local seconds = tonumber(value:sub(1, 8) .. value:sub(10, 13), 16) // 1000
      assert.is_true(math.abs(seconds - os.time()) <= 2)
    end)

    it("may key a model by UUIDs", function()
      local Token = db:define("Token", { uuid = { type = liga.UUID, primaryKey = true, defaultValue = liga.UUIDV4 } })
      db:sync()
      local token = Token:create{}
      assert.equal(token, Token:findByPk(token.uuid))
    end)

    it("may be an expression of the database", function()
      local Thing = model_with(liga.INTEGER, liga.literal("20 + 22"))
      local created = Thing:create{}
      assert.equal(42, created.value)
      assert.equal(42, Thing:findByPk(created.id).value)
    end)

    it("may be a function of the database", function()
      assert.equal("ANN", model_with(liga.STRING, liga.fn("upper", "ann")):create{}.value)
    end)
  end)
end
