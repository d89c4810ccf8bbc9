-- Validators of attributes and models (contract, section 9).
local liga = require "liga"
local support = require "spec.support"

--- Values that a validator accepts, and values it refuses.
local cases = {
  { "notEmpty", true, { "a", " a " }, { "", "  " } },
  { "len", { 2, 4 }, { "ab", "äöüß" }, { "a", "abcde" } },
  { "len", { 2 }, { "ab", "abcdefghi" }, { "a" } },
  { "min", 3, { "3", "4.5" }, { "2", "-1" } },
  { "max", 3, { "3", "-5" }, { "4" } },
  { "is", "^%a+$", { "abc" }, { "ab1" } },
  { "is", function(value) return value == "yes" end, { "yes" }, { "no" } },
  { "not_", "%d", { "abc" }, { "ab1" } },
  { "isIn", { "a", "b" }, { "a" }, { "c" } },
  { "isIn", { { "a", "b" } }, { "b" }, { "c" } },
  { "notIn", { "a", "b" }, { "c" }, { "a" } },
  { "isEmail", true, { "ann@example.com", "a.b+c@mail.example.co" }, { "ann", "ann@", "@example.com", "a b@example.com",
    "ann@example", "ann@-example.com", "ann..b@example.com", "ann@exa_mple.com" } },
  { "isUrl", true, { "https://example.com", "http://example.com:80/a?b=c#d", "example.com", "http://127.0.0.1/",
    "https://user@example.org/x" }, { "nothing", "http://", "mailto:ann@example.com", "http://exa mple.com",
    "http://example.com:99999" } },
  { "isIP", true, { "127.0.0.1", "::1", "2001:db8::8a2e:370:7334", "::ffff:10.0.0.1" }, { "256.0.0.1", "1.2.3", ":::",
    "1:2:3:4:5:6:7:8:9", "g::1" } },
  { "isIP", 4, { "10.0.0.1" }, { "::1" } },
  { "isIP", 6, { "::1" }, { "10.0.0.1" } },
  { "isUUID", true, { "6fa459ea-ee8a-3ca4-894e-db77e160355e" },
    { "6fa459ea", "zfa459ea-ee8a-3ca4-894e-db77e160355e" } },
  { "isUUID", 4, { "16fd2706-8baf-433b-82eb-8c7fada847da" }, { "6fa459ea-ee8a-3ca4-894e-db77e160355e" } },
  { "isInt", true, { "1", "-20" }, { "1.5", "a", "1e3" } },
  { "isFloat", true, { "1", "-2.5", "1e3", ".5" }, { "a", "0x10", "nan", "1.2.3" } },
  { "isNumeric", true, { "12", "-3.5" }, { "1e3", "a" } },
  { "isAlpha", true, { "abc" }, { "ab1", "" } },
  { "isAlphanumeric", true, { "ab1" }, { "a-b" } },
  { "isLowercase", true, { "abc1" }, { "Abc" } },
  { "isUppercase", true, { "ABC1" }, { "aBC" } },
  { "isDate", true, { "2026-11-22", "2026-11-22T09:30:00Z", "2024-02-29", "2026-11-22 09:30:00.5+02:00" },
    { "2026-13-01", "2026-02-29", "tomorrow", "2026-11-22T25:00:00" } },
  { "isAfter", "2026-01-01", { "2026-01-02" }, { "2026-01-01", "2025-12-31T23:59:59Z", "x" } },
  { "isBefore", "2026-01-01", { "2025-12-31" }, { "2026-01-01", "2026-01-01T00:00:01+00:00" } },
  { "contains", "b.", { "ab.c" }, { "abc" } },
  { "notContains", "%", { "abc" }, { "a%b" } },
  { "equals", "abc", { "abc" }, { "abd" } },
  { "isCreditCard", true, { "4111 1111 1111 1111", "5500-0000-0000-0004" }, { "4111111111111112", "4111" } },
}

for engine in support.engines() do
  describe("validators on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_with(validators, more)
      local attribute = { type = liga.STRING, validate = validators }
      for option, value in pairs(more or {}) do attribute[option] = value end
      local Thing = db:define("Thing", { value = attribute })
      db:sync()
      return Thing
    end

    for _, case in ipairs(cases) do
      local name, argument, good, bad = table.unpack(case)
      it(("%s accepts %s and refuses %s"):format(name, table.concat(good, ", "), table.concat(bad, ", ")), function()
        local Thing = model_with { [name] = argument }
        for _, value in ipairs(good) do Thing:create { value = value } end
        for _, value in ipairs(bad) do
          local e = support.raises("ValidationError", function() Thing:create { value = value } end, "Thing.value")
          assert.same({ "value", name, value }, { e.errors[1].attribute, e.errors[1].validator, e.errors[1].value })
        end
        assert.equal(#good, Thing:count())
      end)
    end

    it("refuse a long text in the time of reading it", function()      -- hours, where it grows with the cube
      local long = ("1"):rep(200000) .. "x"
      for _, name in ipairs { "isFloat", "isNumeric", "isInt", "isEmail", "isUrl", "isIP", "isDate", "isCreditCard" } do
        local Thing = db:define("Long_" .. name, { value = { type = liga.TEXT, validate = { [name] = true } } })
        support.raises("ValidationError", function() Thing:build { value = long }:validate() end, "must")
      end
    end)

    it("are not asked about NULL", function()
      local Thing = model_with { isEmail = true, len = { 1, 3 } }
      assert.is_nil(Thing:create {}.value)
      assert.is_nil(Thing:create { value = liga.null }.value)
    end)

    it("are asked about NULL by notNull", function()
      local Thing = model_with { notNull = true }
      support.raises("ValidationError", function() Thing:create {} end, "must not be null")
    end)

    it("by function get value and instance, and raise or return what is wrong", function()
      local Thing = model_with {
        even = function(value) if #(value or "") % 2 == 1 then error "must be even" end end,
        short = function(value, thing)
          assert.equal("Thing", liga.modelOf(thing).name)
          if #(value or "") > 4 then return "is too long" end
        end,
      }
      Thing:create { value = "ab" }
      Thing:create {}
      local e = support.raises("ValidationError", function() Thing:create { value = "abcde" } end)
      assert.same({ { "even", "must be even" }, { "short", "is too long" } }, {
        { e.errors[1].validator, e.errors[1].message }, { e.errors[2].validator, e.errors[2].message },
      })
      assert.equal("must be even; is too long", e.message)
    end)

    it("by function are not asked about a NULL that is not allowed", function()
      local asked = 0
      local Thing = model_with({ mine = function() asked = asked + 1 end }, { allowNull = false })
      local e = support.raises("ValidationError", function() Thing:create {} end)
      assert.equal(0, asked)
      assert.equal("notNull", e.errors[1].validator)
    end)

    it("let other errors of your functions through", function()
      local oops = setmetatable({}, { __tostring = function() return "oops" end })
      local Thing = model_with { mine = function() error(oops) end }
      local ok, e = pcall(Thing.create, Thing, { value = "a" })
      assert.is_false(ok)
      assert.is_true(rawequal(oops, e))
    end)

    it("may have messages of your own", function()
      local Thing = model_with({ len = { args = { 2, 3 }, msg = "two or three" }, isAlpha = { msg = "letters" },
        notNull = { msg = "give a value" } }, { allowNull = false })
      local e = support.raises("ValidationError", function() Thing:create { value = "1" } end)
      assert.same({ "letters", "two or three" }, support.pluck(e.errors, "message"))
      e = support.raises("ValidationError", function() Thing:create {} end)
      assert.equal("give a value", e.message)
    end)

    it("are off where they are false", function()
      model_with { isEmail = false }:create { value = "x" }
    end)

    it("look at the values that change, and only at these", function()
      local Thing = model_with { isAlpha = true }
      local thing = Thing:create({ value = "1" }, { validate = false })
      assert.equal("1", thing:save().value)
      thing.value = "2"
      support.raises("ValidationError", function() thing:save() end)
      support.raises("ValidationError", function() thing:validate() end)
      support.raises("ValidationError", function() thing:update { value = "3" } end)
      thing:save { validate = false }
      assert.equal("3", Thing:findOne().value)
    end)

    it("look at bulkCreate and at update of many rows", function()
      local Thing = model_with { isAlpha = true }
      local e = support.raises("ValidationError", function()
        Thing:bulkCreate { { value = "a" }, { value = "1" }, { value = "2" } }
      end)
      assert.same({ "1", "2" }, support.pluck(e.errors, "value"))
      assert.equal(0, Thing:count())
      Thing:create { value = "a" }
      support.raises("ValidationError", function() Thing:update({ value = "1" }, { all = true }) end)
      assert.equal(1, Thing:update({ value = "1" }, { all = true, validate = false }))
    end)

    it("collect all faults of all attributes, with those of the types", function()
      local Thing = db:define("Thing", {
        { "name", liga.STRING(3), allowNull = false },
        { "mail", liga.STRING, validate = { isEmail = true, isLowercase = true } },
        { "age", liga.INTEGER, validate = { min = 0 } },
      }, { validate = { adult = function(self) if (self.age or 0) < 18 then error "must be an adult" end end } })
      local e = support.raises("ValidationError", function() Thing:build { mail = "X", age = -1 }:validate() end)
      assert.same({ "notNull", "isEmail", "isLowercase", "min", "adult" }, support.pluck(e.errors, "validator"))
      assert.same({ "name", "mail", "age" }, e.attributes)
      assert.equal("Thing", e.model)
      assert.equal("name", e.attribute)
      e = support.raises("ValidationError", function() Thing:build { name = "abcd", age = "x" }:validate() end)
      assert.same({ "type", "type", "adult" }, support.pluck(e.errors, "validator"))
    end)

    it("of models get the instance", function()
      local Span = db:define("Span", { low = liga.INTEGER, high = liga.INTEGER }, {
        validate = { order = function(self) if self.low > self.high then return "low is above high" end end },
      })
      db:sync()
      Span:create { low = 1, high = 2 }
      local e = support.raises("ValidationError", function() Span:create { low = 3, high = 2 } end, "low is above high")
      assert.equal("order", e.errors[1].validator)
      assert.is_nil(e.errors[1].attribute)
      assert.same({}, e.attributes)
    end)

    it("may yield", function()
      local Thing = model_with { mine = function() if coroutine.yield() then return "no" end end }
      local create = coroutine.wrap(function() return pcall(Thing.create, Thing, { value = "a" }) end)
      create()
      local ok, e = create(true)
      assert.is_false(ok)
      assert.equal("no", e.message)
    end)

    describe("declared wrongly", function()
      local function refuses(title, validators, ...)
        local texts = { ... }
        it("raise for " .. title, function()
          support.raises("UsageError", function() model_with(validators) end, table.unpack(texts))
        end)
      end

      refuses("an unknown name", { isEmial = true }, "isEmial", "isEmail")
      refuses("a wrong argument", { len = 5 }, "len", "{min, max}")
      refuses("bounds the wrong way round", { len = { 5, 2 } }, "len")
      refuses("a flag that is none", { isEmail = "yes" }, "isEmail", "true")
      refuses("a list that is none", { isIn = "a" }, "isIn", "list")
      refuses("a pattern that is none", { is = "[" }, "is", "pattern")
      refuses("a number that is none", { min = "a" }, "min", "number")
      refuses("a message that is none", { isEmail = { msg = 5 } }, "msg")
      refuses("an unknown option", { isEmail = { msg = "x", mesage = "y" } }, "mesage")
      refuses("an unknown option beside an argument", { min = { args = 1, mesage = "y" } }, "mesage")
      refuses("a date that is none", { isAfter = "soon" }, "isAfter", "date")
      refuses("a version that is none", { isIP = 5 }, "isIP")
      refuses("something else than a table", 5, "table")

      it("raise for a model's that is no function", function()
        support.raises("UsageError", function() db:define("Post", {}, { validate = { x = true } }) end, "function")
        support.raises("UsageError", function() db:define("Post", {}, { validate = 1 }) end, "table")
      end)
    end)
  end)
end
