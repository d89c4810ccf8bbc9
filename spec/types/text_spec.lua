-- STRING, TEXT, CHAR, UUID and ENUM (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("texts on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    --- A model with one attribute `value` of this type, its table made.
    local function model_of(type)
      local Thing = db:define("Thing", { value = type }, { timestamps = false })
      Thing:sync()
      return Thing
    end

    --- What the database gives back for a stored value; the created instance must hold the same.
    local function stored(Thing, value)
      local created = Thing:create{ value = value }
      local read = Thing:findByPk(created.id)
      assert.same(read.value, created.value)
      return read.value
    end

    local function refuses(Thing, value)
      local e = support.raises("ValidationError", function() Thing:create{ value = value } end, "value")
      assert.equal("Thing", e.model)
      assert.equal("value", e.attribute)
      assert.equal(0, Thing:count())
    end

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

    it("of a STRING without length have 255 characters at most, as its column has", function()
      local Thing, long = model_of(liga.STRING), ("ä"):rep(256)
      refuses(Thing, long)
      support.raises("ValidationError", function() Thing:bulkCreate{ { value = "a" }, { value = long } } end,
        "Thing.value", "longer than 255 characters", "STRING(n)", "TEXT")
      local thing = Thing:create{ value = "a" }
      thing.value = long
      support.raises("ValidationError", function() thing:save() end, "Thing.value")
      support.raises("ValidationError", function() Thing:update({ value = long }, { all = true }) end, "Thing.value")
      support.raises("ValidationError", function() Thing:upsert{ id = thing.id, value = long } end, "Thing.value")
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
