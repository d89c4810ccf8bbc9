--- Loaded associations stay in step with what the generated methods write: what is added stands in the loaded list,
-- once; what is removed is gone from it; a list that was loaded with a filter is dropped, as nobody knows what it would
-- hold now; so is one whose association has a filter, when something is added.
local core = require "liga.core"
local loading = require "liga.loading"
local parts = require "liga.behaviour.parts"
local transaction = require "liga.transaction"

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

--- The options of a write that a read beside it has, too.
local function of_read(options)
  if type(options) ~= "table" then return {} end
  return { transaction = options.transaction, logging = options.logging }
end

--- Targets with rows in the place of raw keys. What the target's scope hides is in no loaded list either.
-- @param found rows of the keys, in any order
-- @return list in the order of the targets
local function replaced(a, targets, found)
  local rows, complete = {}, {}
  for _, row in ipairs(found) do rows[core.key_text(a.target, core.stored_key(row))] = row end
  for _, target in ipairs(targets) do
    if core.state(target) then complete[#complete + 1] = target
    elseif #found > 0 then complete[#complete + 1] = rows[core.key_text(a.target, target)] end
  end
  return complete
end

--- Reads the rows of raw keys, so that the list can hold them.
-- @return list of the targets that are instances or rows, in order; what can stand for the argument: that list or its
-- only element, nil unless there were raw keys and each has a row
local function with_rows(a, verb, given, options)
  local targets, is_list = parts.list_of(a, verb, given)
  local keys = not lacks_list(a, verb, is_list) and raw_keys(a, targets) or {}
  local found = #keys > 0 and a.target:findByPks(keys, of_read(options)) or {}
  local complete = replaced(a, targets, found)
  if #keys == 0 or #found ~= #keys then return complete end
  return complete, is_list and complete or complete[1]
end

--- Reads the rows of raw keys that are linked by now, with their junction rows.
local function linked_rows(a, source, keys, options)
  local include = { association = a.as, where = a.target:keys(keys) }
  return loading.values(a.source, { source }, include, of_read(options))[1]
end

--- What equal rows have in common, and their raw key with them.
local function identity(class, target)
  local key = target
  if core.state(target) then key = core.stored_key(target) end
  return key and core.key_text(class, key) or target
end

local function set_of(class, list)
  local set = {}
  for _, target in ipairs(list) do set[identity(class, target)] = true end
  return set
end

local function add(class, list, targets)
  local there = set_of(class, list)
  for _, target in ipairs(targets) do
    local this = identity(class, target)
    if not there[this] then list[#list + 1] = target end
    there[this] = true
  end
end

local function remove(class, list, targets)
  local removed, kept = set_of(class, targets), 0
  for i = 1, #list do
    local instance = list[i]
    list[i] = nil
    if not removed[identity(class, instance)] then
      kept = kept + 1
      list[kept] = instance
    end
  end
end

--- What each verb does to a loaded list.
local changes = {
  add = add, addMultiple = add, create = add, remove = remove, removeMultiple = remove,
  set = function(class, list, targets)
    for i = #list, 1, -1 do list[i] = nil end
    add(class, list, targets)
  end,
}

local function drop(instance, name)
  rawset(instance, name, nil)
  core.forget_loaded(instance, name)
end

local adds = { set = true, create = true, add = true, addMultiple = true }
local removes = { remove = true, removeMultiple = true }

--- Brings a loaded association up to date.
-- @param targets what the verb was given: instances, for a removal raw keys too
local function update(a, verb, source, targets)
  local value, options = core.loaded(source, a.as)
  if value == nil then return end
  if #targets > 0 and adds[verb] and reads_some(a) then return drop(source, a.as) end
  if not a.kind.many then
    rawset(source, a.as, targets[1])
    return core.note_loaded(source, a.as, targets[1] or false, options)
  end
  if is_filtered(options) then return drop(source, a.as) end
  changes[verb](a.target, value, targets)
end

--- Whether a loaded list goes on being what is linked when something is added.
local function stays_complete(a, source)
  local _, options = core.loaded(source, a.as)
  return not reads_some(a) and not is_filtered(options)
end

local function create_with_loaded(a, verb, method, source, ...)
  local made = method(source, ...)
  update(a, verb, source, { made })
  return made
end

--- The keys that were removed say what goes.
local function remove_with_loaded(a, verb, method, source, given, ...)
  local removed = method(source, given, ...)
  update(a, verb, source, (parts.list_of(a, verb, given)))
  return removed
end

--- Rows are read first and stand for their keys, so that the method need not look for them.
local function link_with_loaded(a, verb, method, source, given, ...)
  local complete, stand_in = with_rows(a, verb, given, ...)
  local result = method(source, stand_in or given, ...)
  update(a, verb, source, complete)
  if not stand_in then return result end
  return rawequal(stand_in, complete) and given or true
end

--- Over a junction rows are read when they are linked, for the sake of their junction rows; together with the write, as
-- an error of the read must not leave links behind.
local function link_through_with_loaded(a, verb, method, source, given, options)
  local targets = parts.list_of(a, verb, given)
  local keys = stays_complete(a, source) and raw_keys(a, targets) or {}
  if #keys == 0 then
    local result = method(source, given, options)
    update(a, verb, source, targets)
    return result
  end
  local result, rows = transaction.atomically(parts.db_of(a), of_read(options), function()
    return method(source, given, options), linked_rows(a, source, keys, options)
  end)
  update(a, verb, source, replaced(a, targets, rows))
  return result
end

--- How each verb is called where what it writes is loaded; over a junction those that link have a way of their own.
local calls = { create = create_with_loaded, remove = remove_with_loaded, removeMultiple = remove_with_loaded }

local function call_of(a, verb)
  return calls[verb] or a.kind.name == "belongsToMany" and link_through_with_loaded or link_with_loaded
end

--- A generated method that writes, minding what is loaded.
function in_step.method(a, verb, method)
  if not adds[verb] and not removes[verb] then return method end
  local call, name, model, is_loaded = call_of(a, verb), a.as, getmetatable(a.source)[1], core.is_loaded
  return function(source, ...)
    local complete = verb == "create" or select("#", ...) > 0
    if not complete or not is_loaded(source, name, model) then return method(source, ...) end
    return call(a, verb, method, source, ...)
  end
end

return in_step
