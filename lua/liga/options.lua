--- Closed option tables: an option that nobody knows is an error that names the nearest one.
local core = require "liga.core"
local errors = require "liga.errors"

local options = {}

local function names_of(set)
  local names = {}
  for name, value in pairs(set) do
    if type(value) ~= "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- " (did you mean "x"?)", or "".
function options.hint(name, names)
  local near = type(name) == "string" and core.nearest(name, names)
  return near and (' (did you mean "%s"?)'):format(near) or ""
end

--- A plain table of its own: what a metatable would add is no option.
-- @param given a table, or nil for none
function options.copy(given)
  local plain = {}
  for name, value in next, given or {} do plain[name] = value end
  return plain
end

--- A list as a plain table of its own; UsageError for anything else, and for a hole in it.
-- @param what whose list, for the message
function options.list(what, list)
  if type(list) ~= "table" then errors.usage("%s: a list expected, got %s", what, type(list)) end
  local plain, count, largest = {}, 0, 0
  for index, value in next, list do
    if math.type(index) ~= "integer" or index < 1 then
      errors.usage("%s: a list expected, but it has a key that is no index", what)
    end
    plain[index], count, largest = value, count + 1, math.max(largest, index)
  end
  if count ~= largest then errors.usage("%s: the list has a hole", what) end
  return plain
end

--- Refuses options that are neither nil nor a table.
-- @param what whose options, for the message
-- @param method behind it in the message, or nil
function options.expect_table(what, given, method)
  if given ~= nil and type(given) ~= "table" then
    errors.usage("%s: options must be a table, got %s", method and what .. ": " .. method or what, type(given))
  end
end

--- Plain tables copied to the bottom (a hundred levels at most); what has a metatable stays what it is.
-- A table that is there more than once, be it in itself, is so in the copy.
function options.copy_deep(value, copies, depth)
  copies, depth = copies or {}, depth or 0
  if type(value) ~= "table" or getmetatable(value) or depth > 100 then return value end
  if copies[value] then return copies[value] end
  local new = {}
  copies[value] = new
  for key, each in next, value do new[key] = options.copy_deep(each, copies, depth + 1) end
  return new
end

--- Where a key stands: "liga.connect: pool" and "mx" make "pool.mx".
local function path_of(what, name)
  local inside = what:match(": ([^:%s]+)$")
  return inside and inside .. "." .. errors.text(name) or errors.text(name)
end

--- Whether two values of options are equal, plain tables by content.
function options.same(a, b, depth)
  depth = depth or 0
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or getmetatable(a) or getmetatable(b) or depth > 64 then return false end
  for k, v in next, a do
    if not options.same(v, b[k], depth + 1) then return false end
  end
  for k in next, b do
    if a[k] == nil then return false end
  end
  return true
end

--- Checks every key of an option table.
-- @param what whose options, for the message
-- @param given the table
-- @param allowed set of names; the value is true, or a text where the option is refused with a pointer to the liga way
-- @param fields more fields of the error, or nil
function options.check(what, given, allowed, fields)
  for name in next, given do
    local problem
    if allowed[name] == nil then
      problem = ('%s: unknown option "%s"%s'):format(what, errors.text(name), options.hint(name, names_of(allowed)))
    elseif type(allowed[name]) == "string" then
      problem = ('%s: option "%s" %s'):format(what, name, allowed[name])
    end
    if problem then
      fields = fields or {}
      fields.path = path_of(what, name)
      errors.raise("UsageError", problem, fields)
    end
  end
end

--- Checks that an option, if given, has the type.
-- @param kinds "boolean", "function" … or a list of them
function options.kind(what, given, name, ...)
  local value = given[name]
  if value == nil then return nil end
  for _, kind in ipairs { ... } do
    if type(value) == kind or (kind == "integer" and math.type(value) == "integer") then return value end
  end
  local expected = (...) == "integer" and "an integer" or "a " .. table.concat({ ... }, " or a ")
  errors.raise("UsageError", ("%s: %s must be %s, got %s"):format(what, name, expected, type(value)),
    { path = path_of(what, name) })
end

return options
