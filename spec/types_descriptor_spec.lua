local types = require "liga.types"

--- Asserts that a call raises UsageError with the given words in its message.
local function refuses(words, body, ...)
  local ok, e = pcall(body, ...)
  assert.is_false(ok, "expected an error with: " .. words)
  assert.equal("UsageError", e.name, tostring(e))
  assert(e.message:find(words, 1, true), ("expected %q in: %s"):format(words, e.message))
end

describe("a type descriptor", function()
  it("is made fresh by every access and call, numbered in the order of the source", function()
    local first, second, third = types.STRING, types.STRING(40), types.INTEGER
    assert.is_true(first.serial < second.serial and second.serial < third.serial)
    assert.is_false(rawequal(types.STRING, types.STRING))
  end)

  it("has a name and its parameters", function()
    assert.equal("STRING", types.STRING.name)
    assert.is_nil(types.STRING.length)
    assert.equal(40, types.STRING(40).length)
    assert.equal(2, types.CHAR(2).length)
    local price = types.DECIMAL(10, 2)
    assert.same({ 10, 2 }, { price.precision, price.scale })
    assert.equal(0, types.DECIMAL(10).scale)
    assert.same({ "a", "b" }, types.ENUM { "a", "b" }.values)
    assert.same({ "a", "b" }, types.ENUM("a", "b").values)
    assert.equal(types.INTEGER, types.ARRAY(types.INTEGER).element)
    assert.equal("text", types.DATE.stored)
    assert.equal("epoch", types.DATE { stored = "epoch" }.stored)
  end)

  it("equals another of the same kind and parameters", function()
    assert.is_true(types.STRING == types.STRING)
    assert.is_true(types.STRING == types.STRING())
    assert.is_true(types.STRING(40) == types.STRING(40))
    assert.is_true(types.DATE == types.DATE { stored = "text" })
    assert.is_true(types.ARRAY(types.STRING(3)) == types.ARRAY(types.STRING(3)))
    assert.is_false(types.STRING(40) == types.STRING(41))
    assert.is_false(types.STRING == types.TEXT)
    assert.is_false(types.ENUM { "a,b" } == types.ENUM { "a", "b" })
    assert.is_false(types.STRING == {})
  end)

  it("prints as its source", function()
    for text, descriptor in pairs {
      ["STRING"] = types.STRING, ["STRING(40)"] = types.STRING(40), ["DECIMAL(10,2)"] = types.DECIMAL(10, 2),
      ['ENUM{"a","b"}'] = types.ENUM { "a", "b" }, ["ARRAY(STRING(3))"] = types.ARRAY(types.STRING(3)),
      ['DATE{stored="space"}'] = types.DATE { stored = "space" }, ["RANGE(DATE)"] = types.RANGE(types.DATE),
    } do
      assert.equal(text, tostring(descriptor))
    end
  end)

  it("is read-only", function()
    local name = types.STRING(40)
    refuses("read-only", function() name.length = 50 end)
    local values = types.ENUM { "a" }
    values.values[1] = "changed"
    assert.same({ "a" }, values.values)
    refuses("read-only", function() types.STRING = types.TEXT end)
    assert.equal("liga.type", getmetatable(name))
  end)

  it("can't be forged, nor read from data", function()
    assert.is_true(types.is(types.UUID))
    assert.is_false(types.is { name = "STRING", serial = 1 })
    assert.is_false(types.is(nil))
    assert.is_false(types.is "STRING")
    assert.has_error(function() setmetatable(types.STRING, {}) end)
  end)

  it("exists for every name of the manual and no other", function()
    local names = {}
    for name in ([[STRING CHAR TEXT INTEGER BIGINT SMALLINT FLOAT DOUBLE REAL DECIMAL BOOLEAN DATE DATEONLY TIME BLOB
      UUID JSON JSONB ENUM ARRAY VIRTUAL CITEXT INET CIDR MACADDR TSVECTOR RANGE HSTORE]]):gmatch "%S+" do
      names[#names + 1] = name
      assert.equal(name, types[name].name)
    end
    assert.same(names, types.names())
    assert.has_error(function() assert(types.STRNG) end)
    assert.is_nil(types.string)
  end)

  it("refuses wrong parameters", function()
    refuses("got -1", function() return types.STRING(-1) end)
    refuses('got "40"', function() return types.STRING("40") end)
    refuses("got 1.5", function() return types.CHAR(1.5) end)
    refuses("got nil", function() return types.STRING(nil) end)
    refuses("one parameter, got 2", function() return types.STRING(1, 2) end)
    refuses("INTEGER takes no parameters, got 11", function() return types.INTEGER(11) end)
    refuses("the scale must be an integer from 0 to 4", function() return types.DECIMAL(4, 5) end)
    refuses("the scale", function() return types.DECIMAL(4, nil) end)
    refuses("has no option \"store\" (it has: stored)", function() return types.DATE { store = "text" } end)
    refuses("stored must be", function() return types.DATE { stored = "julian" } end)
    refuses("DATE takes a table, got 6", function() return types.DATE(6) end)
    refuses("ARRAY takes a type, got \"STRING\"", function() return types.ARRAY("STRING") end)
    refuses("ARRAY can't hold VIRTUAL", function() return types.ARRAY(types.VIRTUAL) end)
    refuses("RANGE can't hold STRING", function() return types.RANGE(types.STRING) end)
    refuses("has its parameters already", function() return types.STRING(40)(50) end)
  end)

  it("refuses wrong lists of values", function()
    refuses("at least one value", function() return types.ENUM {} end)
    refuses('value "a" stands twice', function() return types.ENUM { "a", "b", "a" } end)
    refuses("value 2 must be a non-empty string, got number", function() return types.ENUM { "a", 2 } end)
    refuses("value 1 must be", function() return types.ENUM { "" } end)
    refuses("UTF-8", function() return types.ENUM { "\xff" } end)
    refuses("a list of strings, got the key", function() return types.ENUM { "a", b = "c" } end)
    refuses("one list or several strings", function() return types.ENUM({ "a" }, "b") end)
  end)

  it("says what a bare name lacks to be the type of an attribute", function()
    assert.is_nil(types.problem(types.STRING))
    assert.is_nil(types.problem(types.ENUM { "a" }))
    assert.is_nil(types.problem(types.RANGE(types.DECIMAL)))
    assert.equal('ENUM needs its values: ENUM{"a", "b"}', types.problem(types.ENUM))
    assert.equal("ARRAY needs the type of its elements: ARRAY(INTEGER)", types.problem(types.ARRAY(types.ARRAY)))
    assert.is_nil(types.problem(types.DECIMAL))
  end)
end)
