-- SMALLINT, INTEGER and BIGINT: 16, 32 and 64 bits, checked by liga (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored, refuses = thing.stored, thing.refuses

for engine in support.engines() do
  describe("integers on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("are read as Lua integers", function()
      local Thing = model_of(liga.INTEGER)
      assert.equal(42, stored(Thing, 42))
      assert.equal("integer", math.type(stored(Thing, 42)))
      assert.equal(-7, stored(Thing, -7))
      assert.equal(0, stored(Thing, 0))
    end)

    it("may be given as a float with an integral value", function()
      local value = stored(model_of(liga.INTEGER), 42.0)
      assert.equal(42, value)
      assert.equal("integer", math.type(value))
    end)

    it("may be given as a string of digits with an optional sign", function()
      local Thing = model_of(liga.INTEGER)
      assert.equal(42, stored(Thing, "42"))
      assert.equal(-42, stored(Thing, "-42"))
      assert.equal(42, stored(Thing, "+42"))
    end)

    it("keep every bit of 64", function()
      local Thing = model_of(liga.BIGINT)
      for _, value in ipairs { math.maxinteger, math.mininteger, 1 << 53, (1 << 53) + 1 } do
        assert.equal(value, stored(Thing, value))
      end
      assert.equal(math.maxinteger, stored(Thing, "9223372036854775807"))
    end)

    it("refuse what is beyond 16 bits in a SMALLINT", function()
      local Thing = model_of(liga.SMALLINT)
      refuses(Thing, 32768)
      refuses(Thing, -32769)
      assert.equal(32767, stored(Thing, 32767))
      assert.equal(-32768, stored(Thing, -32768))
    end)

    it("refuse what is beyond 32 bits in an INTEGER", function()
      local Thing = model_of(liga.INTEGER)
      refuses(Thing, 2147483648)
      refuses(Thing, -2147483649)
      assert.equal(2147483647, stored(Thing, 2147483647))
      assert.equal(-2147483648, stored(Thing, -2147483648))
    end)

    it("refuse what is beyond 64 bits in a BIGINT", function()
      local Thing = model_of(liga.BIGINT)
      refuses(Thing, 2.0 ^ 63)
      refuses(Thing, "9223372036854775808")
      refuses(Thing, "-9223372036854775809")
      refuses(Thing, math.huge)
      for _, value in ipairs { 2.0 ^ 63, "9223372036854775808", "-99999999999999999999", 1e300 } do
        support.raises("ValidationError", function() Thing:create{ value = value } end, "out of the range of BIGINT")
      end
    end)

    it("have 64 bits as generated keys, whatever the model says, and so have the keys that follow them", function()
      local big = 5000000000
      local User = db:define("User", { id = { type = liga.INTEGER, primaryKey = true, autoIncrement = true } })
      local Post = db:define("Post", { year = liga.INTEGER, editorId = liga.INTEGER })
      User:hasMany(Post)
      User:belongsToMany(Post, { as = "liked", through = "Likes", inverse = "fans" })
      User:belongsTo(User, { as = "boss" })
      Post:belongsTo(User, { as = "editor" })
      db:sync()
      local user = User:create{ id = big }
      assert.is_true(User:findByPk(big) == user)
      user:setBoss(user)
      local post = user:createPost{}
      assert.is_true(post:reload():getUser() == user)
      user:addLiked(post)
      assert.equal(big, post:getFans()[1].bossId)
      support.raises("ValidationError", function() post:update{ year = big } end, "out of the range of INTEGER")
      support.raises("ValidationError", function() post:update{ editorId = big } end, "out of the range of INTEGER")
      assert.same({}, db:sync{ alter = true, dryRun = true })
    end)

    it("refuse a number with a fraction", function()
      local Thing = model_of(liga.INTEGER)
      refuses(Thing, 1.5)
      refuses(Thing, 0 / 0)
    end)

    it("refuse a string that is more than digits", function()
      local Thing = model_of(liga.INTEGER)
      for _, text in ipairs { "", "abc", "1.5", "1e3", "0x10", "12a", "--1", "1 OR 1=1" } do refuses(Thing, text) end
    end)

    it("refuse booleans, tables and functions", function()
      local Thing = model_of(liga.INTEGER)
      refuses(Thing, true)
      refuses(Thing, { 1 })
      refuses(Thing, print)
    end)

    it("hand back the refused value in the error, not in its message", function()
      local Thing = model_of(liga.INTEGER)
      local e = support.raises("ValidationError", function() Thing:create{ value = "my secret" } end)
      assert.equal("my secret", e.value)
      assert.is_nil(e.message:find("my secret", 1, true))
    end)

    it("are checked in conditions too", function()
      local Thing = model_of(liga.INTEGER)
      Thing:create{ value = 42 }
      assert.equal(1, Thing:count{ where = { value = "42" } })
      support.raises("ValidationError", function() Thing:count{ where = { value = "forty-two" } } end, "value")
    end)
  end)
end
