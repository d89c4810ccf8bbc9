--- Read-only views of tables: what a model shows of itself can be walked and read, not changed.
local errors = require "liga.errors"

local readonly = {}

local function refuse(what)
  return function(_, key)
    errors.raise("UsageError", ("%s is read-only: %s can't be assigned"):format(what, tostring(key)))
  end
end

--- The metatable of a read-only view of `data`; the caller may add to it.
-- @param what how the view is called in messages
function readonly.meta(data, what)
  return {
    __index = data,
    __newindex = refuse(what),
    __len = function() return #data end,
    __pairs = function() return next, data end,
    __name = "liga.readonly",
  }
end

--- A read-only view of a table (one level deep).
function readonly.view(data, what)
  return setmetatable({}, readonly.meta(data, what))
end

--- The names of a collection in the order of its items.
local function names_in_order(items, key)
  local i = 0
  return function()
    i = i + 1
    local item = items[i]
    if item ~= nil then return item[key], item end
  end
end

--- A read-only view of items that are found by place and by name: `ipairs` and `#` walk them in order, `pairs` gives
-- name and item in the same order.
-- @param items a list whose items also stand under their names
-- @param key the field of an item that holds its name
function readonly.collection(items, key, what)
  local meta = readonly.meta(items, what)
  meta.__pairs = function() return names_in_order(items, key) end
  return setmetatable({}, meta)
end

return readonly
