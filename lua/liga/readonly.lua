--- Read-only views of tables: what a model shows of itself can be walked and read, not changed.
local errors = require "liga.errors"

local readonly = {}

--- The metatable of a view; UsageError for anything else.
function readonly.meta_of(view)
  local meta = type(view) == "table" and getmetatable(view)
  if type(meta) == "table" and rawget(meta, "data") then return meta end
  errors.usage("a read-only view of liga's expected as self, got %s", type(view))
end
local meta_of = readonly.meta_of

-- There are many views: their metatables share these functions, which find `data` and `what` there.

local function refuse(view, key)
  errors.raise("UsageError", ("%s is read-only: %s can't be assigned"):format(meta_of(view).what, errors.text(key)))
end

local function length(view)
  return #meta_of(view).data
end

local function walk(view)
  return next, meta_of(view).data
end

local function name_of(view)
  return meta_of(view).what
end

--- The metatable of a read-only view of `data`; the caller may add to it.
-- @param what how the view is called in messages
function readonly.meta(data, what)
  return {
    __index = data, __newindex = refuse, __len = length, __pairs = walk, __name = "liga.readonly",
    __tostring = name_of, data = data, what = what,
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

--- Whether a value is a view that has nothing to say of itself but what is in it.
function readonly.is(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__tostring == name_of
end

return readonly
