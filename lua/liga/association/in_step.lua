--- Loaded associations stay in step with what the generated methods write: what is added stands in the loaded list,
-- once; what is removed is gone from it; a list that was loaded with a filter is dropped, as nobody knows what it would
-- hold now.
local core = require "liga.core"

local in_step = {}

--- Options of an include after which a list is not all that is linked, or not in the order of links.
local filters = { "where", "limit", "offset", "order", "on", "through", "include" }

local function is_filtered(options)
  for _, name in ipairs(filters) do
    if options and options[name] ~= nil then return true end
  end
  return false
end

local plural = { set = true, addMultiple = true, removeMultiple = true }

--- The targets among the arguments of a method: instances and raw keys.
-- @return list; whether the argument itself is the list
local function targets_of(a, verb, given)
  if given == nil or given == core.null then return {}, false end
  local is_list = a.kind.many and plural[verb] and type(given) == "table" and not core.state(given)
  if not is_list then return { given }, false end
  return table.move(given, 1, #given, 1, {}), true
end

--- Reads the rows of raw keys, so that the list can hold them; nil: not all of them exist, or there are none to read.
local function with_instances(a, targets, options)
  local keys, complete = {}, {}
  for _, target in ipairs(targets) do
    if not core.state(target) then keys[#keys + 1] = target end
  end
  if #keys == 0 then return nil end
  local given = type(options) == "table" and options or {}
  local rows = a.target:findByPks(keys, { transaction = given.transaction, logging = given.logging })
  if #rows ~= #keys then return nil end
  local at = 0
  for i, target in ipairs(targets) do
    if not core.state(target) then at = at + 1 end
    complete[i] = core.state(target) and target or rows[at]
  end
  return complete
end

local function place_of(list, instance)
  for i, each in ipairs(list) do
    if each == instance then return i end
  end
end

local function add(list, targets)
  for _, target in ipairs(targets) do
    if not place_of(list, target) then list[#list + 1] = target end
  end
end

local function remove(list, targets)
  for _, target in ipairs(targets) do
    local place = place_of(list, target)
    if place then table.remove(list, place) end
  end
end

--- What each verb does to a loaded list.
local changes = {
  add = add, addMultiple = add, create = add, remove = remove, removeMultiple = remove,
  set = function(list, targets)
    for i = #list, 1, -1 do list[i] = nil end
    add(list, targets)
  end,
}

local function drop(instance, name)
  rawset(instance, name, nil)
  core.forget_loaded(instance, name)
end

--- Brings a loaded association up to date.
local function update(a, verb, source, targets)
  local value, options = core.loaded(source, a.as)
  if value == nil then return end
  if not a.kind.many then
    rawset(source, a.as, targets[1])
    return core.note_loaded(source, a.as, targets[1] or false, options)
  end
  if is_filtered(options) then return drop(source, a.as) end
  changes[verb](value, targets)
end

local function with_loaded(a, verb, method, source, given, ...)
  local targets, is_list = targets_of(a, verb, given)
  local complete = verb ~= "create" and with_instances(a, targets, ...)
  local result
  if complete then
    result = method(source, is_list and complete or complete[1], ...)
    if is_list then result = verb:find "remove" and result or given
    elseif not verb:find "remove" then result = true end
  else
    result = method(source, given, ...)
  end
  if verb == "create" then complete = { result } end
  update(a, verb, source, complete or targets)
  return result
end

local writes = { set = true, create = true, add = true, addMultiple = true, remove = true, removeMultiple = true }

--- A generated method that writes, minding what is loaded.
function in_step.method(a, verb, method)
  if not writes[verb] then return method end
  return function(source, ...)
    if core.state(source) ~= "stored" or select("#", ...) == 0 and verb ~= "create" then return method(source, ...) end
    if core.class_of(source) ~= a.source or core.loaded(source, a.as) == nil then return method(source, ...) end
    return with_loaded(a, verb, method, source, (...), select(2, ...))
  end
end

return in_step
