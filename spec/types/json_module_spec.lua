-- liga.json, liga.null and liga.array (contract, section 2).
local cjson = require "cjson"
local liga = require "liga"
local support = require "spec.support"

describe("liga.null", function()
  it("is the null of cjson", function()
    assert.equal(cjson.null, liga.null)
  end)

  it("is neither nil nor false", function()
    assert.is_truthy(liga.null)
    assert.not_equal(nil, liga.null)
  end)
end)

describe("liga.json", function()
  it("encodes and decodes tables", function()
    assert.equal('{"a":[1,2,"x"]}', liga.json.encode{ a = { 1, 2, "x" } })
    assert.same({ a = { 1, 2, "x" } }, liga.json.decode '{"a":[1,2,"x"]}')
  end)

  it("keeps 64-bit integers exact", function()
    assert.equal(9007199254740993, liga.json.decode "9007199254740993")
    assert.equal("9223372036854775807", liga.json.encode(math.maxinteger))
  end)

  it("knows null", function()
    assert.equal("null", liga.json.encode(liga.null))
    assert.equal(liga.null, liga.json.decode('{"a":null}').a)
  end)

  it("writes an empty array where the table says that it is one", function()
    assert.equal("[]", liga.json.encode(liga.array{}))
    assert.equal("[]", liga.json.encode(liga.json.decode "[]"))
  end)

  it("reads escapes and surrogate pairs", function()
    assert.equal('é"\n😀', liga.json.decode [["\u00e9\"\n\ud83d\ude00"]])
  end)

  it("raises ValidationError for text that is no JSON", function()
    for _, text in ipairs { "", "{", "[1,]", "{a:1}", "nul", "1 2", '"\n"' } do
      support.raises("ValidationError", function() liga.json.decode(text) end)
    end
  end)

  it("survives text of endless depth", function()
    local ok, e = pcall(liga.json.decode, ("["):rep(200000))
    assert.is_false(ok)
    assert.is_true(liga.isError(e))
  end)

  for engine in support.engines() do
    it("encodes instances by their attributes on " .. engine.name, function()
      local db <close> = engine:open()
      local User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      local ann = User:create{ name = "ann" }
      assert.same({ id = ann.id, name = "ann" }, liga.json.decode(liga.json.encode(ann)))
    end)

    it("encodes an empty result as an empty array on " .. engine.name, function()
      local db <close> = engine:open()
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      assert.equal("[]", liga.json.encode(User:findAll()))
    end)
  end
end)
