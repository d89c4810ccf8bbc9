--- A model Thing with one attribute `value`, for the specs of types.
local assert = require "luassert"
local support = require "spec.support"

local thing = {}

--- The model, its table made.
function thing.model(db, type)
  local Thing = db:define("Thing", { value = type }, { timestamps = false })
  Thing:sync()
  return Thing
end

--- What the database gives back for a stored value; the created instance must hold the same.
function thing.stored(Thing, value)
  local created = Thing:create{ value = value }
  local read = Thing:findByPk(created.id)
  assert.same(read.value, created.value)
  return read.value
end

--- The value is no value of the type: nothing is stored.
function thing.refuses(Thing, value)
  local e = support.raises("ValidationError", function() Thing:create{ value = value } end, "value")
  assert.equal("Thing", e.model)
  assert.equal("value", e.attribute)
  assert.equal(0, Thing:count())
end

return thing
