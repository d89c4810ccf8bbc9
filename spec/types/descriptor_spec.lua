-- The type descriptors themselves: liga.STRING(40) and its kin (contract, section 2).
local liga = require "liga"
local support = require "spec.support"

describe("a type descriptor", function()
  it("prints as it is written", function()
    assert.equal("STRING(40)", tostring(liga.STRING(40)))
    assert.equal("INTEGER", tostring(liga.INTEGER))
    assert.equal("DECIMAL(10,2)", (tostring(liga.DECIMAL(10, 2)):gsub("%s", "")))
  end)

  it("tells its name", function()
    assert.equal("STRING", liga.STRING(40).name)
    assert.equal("BOOLEAN", liga.BOOLEAN.name)
  end)

  it("equals another of the same kind and parameters", function()
    assert.is_true(liga.STRING(40) == liga.STRING(40))
    assert.is_true(liga.INTEGER == liga.INTEGER)
    assert.is_false(liga.STRING(40) == liga.STRING(41))
    assert.is_false(liga.STRING == liga.TEXT)
  end)

  it("is taken from the module or from liga.types", function()
    assert.is_true(liga.types.DATEONLY == liga.DATEONLY)
    assert.is_true(liga.types.STRING(7) == liga.STRING(7))
  end)
end)

for engine in support.engines() do
  describe("the type of an attribute on " .. engine.name, function()
    local db
    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("may be given in short or in an attribute table", function()
      local User = db:define("User", { name = liga.STRING(40), email = { type = liga.STRING(80) } })
      assert.is_true(User.attributes.name.type == liga.STRING(40))
      assert.is_true(User.attributes.email.type == liga.STRING(80))
    end)

    it("is never something that is no type", function()
      support.raises("UsageError", function() db:define("User", { age = 5 }) end, "age")
      support.raises("UsageError", function() db:define("Person", { age = { type = "no such type" } }) end, "age")
    end)

    if engine.dialect == "sqlite" then
      it("cannot be an array, which SQLite does not have", function()
        support.raises("UsageError", function() db:define("User", { tags = liga.ARRAY(liga.STRING) }) end, "tags")
      end)
    end
  end)
end
