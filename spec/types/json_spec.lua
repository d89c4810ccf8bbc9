-- JSON and JSONB (contract, section 2).
local liga = require "liga"
local support = require "spec.support"
local thing = require "spec.support.thing"
local stored = thing.stored

for engine in support.engines() do
  describe("JSON on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    local function model_of(type) return thing.model(db, type) end

    it("keeps a table of tables", function()
      local Thing = model_of(liga.JSON)
      local document = { name = "ann", tags = { "a", "b" }, address = { city = "Lisbon" }, active = false }
      assert.same(document, stored(Thing, document))
    end)

    it("keeps single values", function()
      local Thing = model_of(liga.JSON)
      for _, value in ipairs { "text", "", 42, 1.5, true } do assert.equal(value, stored(Thing, value)) end
      assert.is_false(stored(Thing, false))
    end)

    it("keeps 64-bit integers exact and floats floats", function()
      local read = stored(model_of(liga.JSON), { big = math.maxinteger, low = math.mininteger, one = 1.0, n = 1 })
      assert.equal(math.maxinteger, read.big)
      assert.equal(math.mininteger, read.low)
      assert.equal("float", math.type(read.one))
      assert.equal("integer", math.type(read.n))
    end)

    it("keeps floats floats that an integer could hold", function()
      local list = { 1e15, -1.5e15, 2.0 ^ 53, 1e18, -2.0 ^ 63, 1e19, 1e300, 1.0 }
      for at, value in ipairs(stored(model_of(liga.JSONB), list)) do
        assert.equal("float", math.type(value))
        assert.equal(list[at], value)
      end
    end)

    it("is told apart by value in groups and distinct rows, whichever type has it", function()
      for _, name in ipairs { "JSON", "JSONB" } do
        local Doc = db:define(name .. "Doc", { value = liga[name], n = liga.INTEGER }, { timestamps = false })
        Doc:sync()
        Doc:bulkCreate{ { value = { a = 1, b = { 2 } } }, { value = "x" }, { value = { a = 1, b = { 2 } } }, {} }
        local groups = Doc:count{ group = "value", order = { { liga.fn("count", liga.literal "*"), "DESC" } } }
        assert.equal(3, #groups)
        assert.same({ value = { a = 1, b = { 2 } }, count = 2 }, groups[1])
        assert.equal(3, #Doc:findAll{ attributes = { "value" }, distinct = true, raw = true })
        assert.equal(2, Doc:count{ col = "value", distinct = true })
        assert.equal(4, #Doc:findAll{ distinct = true })
        assert.equal(4, #Doc:findAll{ attributes = { "id", "value" }, group = "id" })
      end
    end)

    it("keeps a null inside as liga.null", function()
      local read = stored(model_of(liga.JSON), { a = liga.null, list = { 1, liga.null, 3 } })
      assert.equal(liga.null, read.a)
      assert.same({ 1, liga.null, 3 }, read.list)
    end)

    it("keeps an empty array an array", function()
      local read = stored(model_of(liga.JSON), { tags = liga.array{} })
      assert.equal('{"tags":[]}', liga.json.encode(read))
    end)

    it("keeps every character", function()
      local text = 'quote " backslash \\ slash / newline \n control \1 é 日本 😀'
      assert.equal(text, stored(model_of(liga.JSON), { text = text }).text)
    end)

    it("is NULL for liga.null", function()
      local Thing = model_of(liga.JSON)
      assert.is_nil(stored(Thing, liga.null))
      assert.equal(1, Thing:count{ where = { value = liga.null } })
    end)

    it("works the same in a JSONB", function()
      local document = { a = { 1, 2, { b = "c" } } }
      assert.same(document, stored(model_of(liga.JSONB), document))
    end)

    local function refused(value)
      local Thing = model_of(liga.JSON)
      local ok, e = pcall(Thing.create, Thing, { value = value })
      assert.is_false(ok)
      assert.is_true(liga.isError(e, "ValidationError") or liga.isError(e, "UsageError"), tostring(e))
      assert.equal(0, Thing:count())
    end

    if engine.kind ~= "server" then
      it("names the attribute of a stored text that is none", function()
        local Thing = model_of(liga.JSON)
        db:query [[INSERT INTO "Things" ("value") VALUES ('{"a": bad}')]]
        local e = support.raises("ValidationError", function() Thing:findAll() end, "Thing.value: malformed JSON")
        assert.same({ "Thing", "value", '{"a": bad}' }, { e.model, e.attribute, e.value })
        assert.equal(1, #Thing:findAll { attributes = { "id" } })
      end)
    end

    it("refuses functions and threads", function()
      refused({ f = print })
      db:close()
      db = engine:open()
      refused({ coroutine.create(print) })
    end)

    it("refuses NaN", function() refused({ 0 / 0 }) end)

    it("refuses a list with a hole", function() refused({ list = { 1, nil, 3 } }) end)

    it("refuses a table that contains itself", function()
      local loop = {}
      loop.again = loop
      refused(loop)
    end)

    it("refuses NUL in texts and keys, which PostgreSQL's JSONB has not", function()
      local Thing = model_of(liga.JSONB)
      for _, value in ipairs { "a\0b", { text = { "\0" } }, { ["a\0b"] = 1 } } do
        support.raises("ValidationError", function() Thing:create { value = value } end, "Thing.value", "NUL")
      end
      assert.equal([["\u0000"]], liga.json.encode "\0")
    end)

    it("refuses a table of endless depth", function()
      local deep = {}
      for _ = 1, 200000 do deep = { deep } end
      refused(deep)
    end)
  end)
end
