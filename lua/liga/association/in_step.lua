--- Loaded associations stay in step with what the generated methods write: what is added stands in the loaded list,
-- once; what is removed is gone from it; a list that was loaded with a filter is dropped, as nobody knows what it would
-- hold now; so is one whose association has a filter, when something is added.
local core = require "liga.core"
local parts = require "liga.behaviour.parts"

local in_step = {}

--- Options of an include after which a list is not all that is linked, or not in the order of links.
local filters = { "where", "limit", "offset", "order", "on", "through", "include" }

local function is_filtered(options)
  for _, name in ipairs(filters) do
    if options and options[name] ~= nil then return true end
  end
  return false
end

--- Whether the association reads only some of what it links: what is added may be outside of it.
local function reads_some(a)
  if a.read.where then return true end
  for name, value in next, a.read.scope or {} do
    if type(name) ~= "string" or not parts.is_plain(value) then return true end
  end
  return false
end

--- Whether one raw key stands where a list is wanted.
local function lacks_list(a, verb, is_list)
  if is_list or not a.kind.many or verb == "add" or verb == "remove" then return false end
  return verb == "set" or a.accessors.add ~= a.accessors.addMultiple
end

--- The raw keys among targets; nil where one is none, or the list has a hole: the core says so.
local function raw_keys(a, targets)
  local keys, count = {}, 0
  for _ in next, targets do count = count + 1 end
  for _, target in ipairs(targets) do
    if not core.state(target) then
      if not pcall(core.key_text, a.target, target) then return nil end
      keys[#keys + 1] = target
    end
    count = count - 1
  end
  return count == 0 and keys or nil
end

--- Reads the rows of raw keys, so that the list can hold them. Those that are hidden by the target's scope are in no
-- loaded list either.
-- @return list of the targets that are instances or rows, in order; what can stand for the argument: that list or its
-- only element, nil unless there were raw keys and each has a row
local function with_rows(a, verb, given, options)
  local targets, is_list = parts.list_of(a, verb, given)
  local keys, rows, complete = not lacks_list(a, verb, is_list) and raw_keys(a, targets) or {}, {}, {}
  local plain = type(options) == "table" and options or {}
  local reading = { transaction = plain.transaction, logging = plain.logging }
  local found = #keys > 0 and a.target:findByPks(keys, reading) or {}
  for _, row in ipairs(found) do rows[core.key_text(a.target, core.stored_key(row))] = row end
  for _, target in ipairs(targets) do
    if core.state(target) then complete[#complete + 1] = target
    elseif #found > 0 then complete[#complete + 1] = rows[core.key_text(a.target, target)] end
  end
  if #keys == 0 or #found ~= #keys then return complete end
  return complete, is_list and complete or complete[1]
end

--- What equal rows have in common.
local function identity(instance)
  local key = core.state(instance) and core.stored_key(instance)
  return key and core.key_text(core.class_of(instance), key) or instance
end

local function set_of(list)
  local set = {}
  for _, instance in ipairs(list) do set[identity(instance)] = true end
  return set
end

local function add(list, targets)
  local there = set_of(list)
  for _, target in ipairs(targets) do
    local this = identity(target)
    if not there[this] then list[#list + 1] = target end
    there[this] = true
  end
end

local function remove(list, targets)
  local removed, kept = set_of(targets), 0
  for i = 1, #list do
    local instance = list[i]
    list[i] = nil
    if not removed[identity(instance)] then
      kept = kept + 1
      list[kept] = instance
    end
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

local adds = { set = true, create = true, add = true, addMultiple = true }
local removes = { remove = true, removeMultiple = true }

--- Brings a loaded association up to date.
local function update(a, verb, source, targets)
  local value, options = core.loaded(source, a.as)
  if value == nil then return end
  if #targets > 0 and adds[verb] and reads_some(a) then return drop(source, a.as) end
  if not a.kind.many then
    rawset(source, a.as, targets[1])
    return core.note_loaded(source, a.as, targets[1] or false, options)
  end
  if is_filtered(options) then return drop(source, a.as) end
  changes[verb](value, targets)
end

local function with_loaded(a, verb, method, source, given, ...)
  if verb == "create" then
    local made = method(source, given, ...)
    update(a, verb, source, { made })
    return made
  end
  local complete, stand_in = with_rows(a, verb, given, ...)
  local result = method(source, stand_in or given, ...)
  update(a, verb, source, complete)
  if not stand_in or removes[verb] then return result end
  return rawequal(stand_in, complete) and given or true
end

--- A generated method that writes, minding what is loaded.
function in_step.method(a, verb, method)
  if not adds[verb] and not removes[verb] then return method end
  return function(source, ...)
    if core.state(source) ~= "stored" or select("#", ...) == 0 and verb ~= "create" then return method(source, ...) end
    if core.class_of(source) ~= a.source or core.loaded(source, a.as) == nil then return method(source, ...) end
    return with_loaded(a, verb, method, source, (...), select(2, ...))
  end
end

return in_step
