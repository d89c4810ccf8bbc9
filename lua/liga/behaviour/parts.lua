--- What the files about the writes of associations share: the values that an association writes, looks at targets.
local core = require "liga.core"
local errors = require "liga.errors"
local option_tables = require "liga.options"

local parts = {}

--- Whether calls on the rows of a model run code of the user's.
function parts.behaves(class)
  return getmetatable(class).behaves
end

--- The connection of an association.
function parts.db_of(a)
  return getmetatable(a.source).db
end

--- Options without those that only the methods of associations have.
function parts.of_save(options)
  local saving = option_tables.copy(options)
  for _, name in ipairs { "through", "save", "destroy", "destroyPrevious", "joinTableAttributes" } do
    saving[name] = nil
  end
  return saving
end

-- Values -------------------------------------------------------------------------------------------------------------

--- Whether a value of a scope is one that is written, too: no condition.
function parts.is_plain(value)
  return type(value) ~= "table" and (type(value) ~= "userdata" or value == core.null)
end

--- Adds the values that a scope writes.
function parts.add_scope(values, scope)
  for name, value in next, scope or {} do
    if type(name) == "string" and parts.is_plain(value) then values[name] = value end
  end
  return values
end

--- Adds the values of a key, under the names that another table has for it.
function parts.add_key(values, names, source, referenced)
  for place, name in ipairs(names) do values[name] = rawget(source, referenced[place]) end
  return values
end

--- What stands on a target for its link, under the junction's name: a table of values, or a row that was read; `{}` if
-- there is nothing.
function parts.junction_values(a, target)
  local own = rawget(target, a.through.name)
  if own == nil or own == core.null then return {} end
  if type(own) == "table" then return own end
  errors.usage("%s on a target must be a table of values for the junction, got %s", a.through.name, type(own))
end

--- What the association writes into its targets: scope, and the key where they hold it.
function parts.presets(a, source)
  local values = parts.add_scope({}, a.read.scope)
  if a.kind.name == "belongsToMany" then return values end
  return parts.add_key(values, a.foreignKey, source, a.sourceKey)
end

-- Targets ------------------------------------------------------------------------------------------------------------

--- Whether a table that is no instance is a list of targets, not a key. Where the method for one and that for many have
-- the same name its elements tell, or that the key has one part.
local function is_list(a, verb, targets)
  local singular = verb == "add" or verb == "remove"
  if not a.kind.many or singular and a.accessors[verb] ~= a.accessors[verb .. "Multiple"] then return false end
  if verb == "set" or next(targets) == nil or a.accessors.add ~= a.accessors.addMultiple then return true end
  return type(targets[1]) == "table" or targets[1] ~= nil and #a.target.primaryKey == 1
end

--- The targets that a method is handed, as a list.
-- @return list, the caller's where it is one; whether it is
function parts.list_of(a, verb, targets)
  if targets == nil or targets == core.null then return {}, false end
  if type(targets) == "table" and not core.state(targets) and is_list(a, verb, targets) then return targets, true end
  return { targets }, false
end

--- Whether this is an empty list of targets.
function parts.is_empty(targets)
  return type(targets) == "table" and not core.state(targets) and next(targets) == nil
end

--- Whether targets are among these that have no row yet.
function parts.has_unsaved(targets)
  if type(targets) ~= "table" then return false end
  if core.state(targets) then return core.state(targets) == "new" end
  for _, target in ipairs(targets) do
    if core.state(target) == "new" then return true end
  end
  return false
end

--- The rows of raw keys among targets, by the text of their key: one read for all.
local function rows_of_keys(a, list, options)
  local keys, rows = {}, {}
  for _, target in ipairs(list) do
    if not core.state(target) then keys[#keys + 1] = target end
  end
  if #keys == 0 then return rows end
  local find = { where = a.target:keys(keys), transaction = options.transaction, logging = options.logging }
  for _, row in ipairs(core.class_methods.findAll(a.target, find)) do
    rows[core.key_text(a.target, core.stored_key(row))] = row
  end
  return rows
end

--- Targets as instances, those of raw keys read.
-- @param list of instances, stored or not, and raw keys
-- @return list, each once; nil where a key has no row
function parts.instances(a, list, options)
  local rows, instances, seen = rows_of_keys(a, list, options), {}, {}
  for _, target in ipairs(list) do
    if not core.state(target) then target = rows[core.key_text(a.target, target)] end
    if not target then return nil end
    local key = core.state(target) == "stored" and core.stored_key(target)
    local text = key and core.key_text(a.target, key) or target
    if not seen[text] then instances[#instances + 1] = target end
    seen[text] = true
  end
  return instances
end

return parts
