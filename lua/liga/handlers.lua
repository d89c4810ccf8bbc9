--- What the core hands over where your code has to run, or several calls belong together.
local closing = require "liga.closing"
local core = require "liga.core"
local dependents = require "liga.dependents"
local errors = require "liga.errors"
local memory = require "liga.memory"
local operation = require "liga.operation"
local copy = require "liga.options".copy
local transaction = require "liga.transaction"
local truncate = require "liga.truncate"
local write = require "liga.behaviour.write"

local handlers = {}

-- Defaults by function -----------------------------------------------------------------------------------------------

--- Values with the defaults that functions give; the caller's table is left alone.
function handlers.fill_defaults(class, values)
  if values ~= nil and (type(values) ~= "table" or core.state(values)) then return values end
  local filled = copy(values)
  for name, default in pairs(getmetatable(class).defaults) do
    if filled[name] == nil then filled[name] = operation.inside(getmetatable(class).db, default) end
  end
  return filled
end

--- The same for each table of a list; built instances have theirs.
function handlers.fill_list_defaults(class, list)
  if type(list) ~= "table" then return list end
  local filled = {}
  for i, values in next, list do filled[i] = handlers.fill_defaults(class, values) end
  return filled
end

local function unsaved_among(targets)
  if core.state(targets) == "new" then return true end
  for _, target in next, targets do
    if core.state(target) == "new" then return true end
  end
  return false
end

--- What a junction's default functions give for the rows that a call may insert: a table a row.
-- @param junction class of the rows
-- @param targets the argument of the accessor: an instance, a key or a list
-- @param options of the accessor; the values of its `through` need no default
-- @return list of tables; nil where unsaved targets are saved first, as the accessor is called again then
function handlers.fill_link_defaults(junction, targets, options)
  local is_list = type(targets) == "table" and not core.state(targets)
  if type(targets) == "table" and unsaved_among(targets) then return nil end
  local given = type(options) == "table" and rawget(options, "through")
  local meta, rows = getmetatable(junction), {}
  for place = 1, is_list and math.max(#targets, 1) or 1 do
    local row = {}
    for name, default in pairs(meta.defaults) do
      if type(given) ~= "table" or rawget(given, name) == nil then row[name] = operation.inside(meta.db, default) end
    end
    rows[place] = row
  end
  return rows
end

-- Unsaved targets ----------------------------------------------------------------------------------------------------

local function unsaved_in(targets)
  if core.state(targets) == "new" then return { targets } end
  local list = {}
  for _, target in ipairs(targets) do
    if core.state(target) == "new" then list[#list + 1] = target end
  end
  return list
end

local function without_repeats(list)
  local seen, once = {}, {}
  for _, each in ipairs(list) do
    if not seen[each] then
      seen[each] = true
      once[#once + 1] = each
    end
  end
  return once
end

--- One at a time where hooks see single instances, else together.
local function save_all(class, unsaved, options)
  local saving = {}
  for _, name in ipairs { "logging", "silent", "validate", "hooks" } do saving[name] = options and options[name] end
  local singly = #unsaved == 1 or saving.hooks ~= false and write.has_create_hooks(class)
  if not singly then return getmetatable(class).__index.bulkCreate(class, unsaved, saving) end
  for _, instance in ipairs(unsaved) do write.save(instance, copy(saving)) end
end

--- Saves unsaved targets and then links them, together; if that fails they are as unsaved as before.
-- @param accessor the method that was called
-- @param presets what the association writes into targets: key and scope
-- @param is_only there is one target at most: the others are unlinked first, their key may be unique
function handlers.associate(accessor, source, targets, options, presets, is_only)
  local unsaved = without_repeats(unsaved_in(targets))
  local class = core.class_of(unsaved[1])
  local before = memory.guard(unsaved)
  local function save_and_link()
    if is_only then accessor(source, nil, options) end
    for _, target in ipairs(unsaved) do
      for name, value in next, presets do target[name] = value end
    end
    save_all(class, unsaved, options)
    return accessor(source, targets, options)
  end
  return closing(before, function()
    return before:keep(transaction.atomically(getmetatable(class).db, options, save_and_link))
  end)
end

--- createX with `include`: the target is built with what belongs to it, saved and linked as one that is handed over.
-- @param name of the association
-- @param options of createX
-- @return the target
function handlers.create_nested(name, source, values, options)
  local class = core.class_of(source)
  local a = getmetatable(class).associations[name]
  local linking, verb = copy(options), a.accessors[a.kind.many and "add" or "set"]
  if options.fields ~= nil then
    errors.usage("%s: fields and include don't go together", a.accessors.create)
  end
  linking.include = nil
  local target = a.target:build(values, { include = options.include })
  return source[verb](source, target, linking)
end

--- The methods of hasOne and hasMany that delete targets: what depends on these goes first.
-- @param accessor the method that was called
-- @param name of the association
-- @param verb of the method
function handlers.free_targets(accessor, name, verb, source, targets, options)
  local class = core.class_of(source)
  local a = getmetatable(class).associations[name]
  return transaction.atomically(getmetatable(class).db, options, function()
    return require "liga.behaviour.target".delete_first(accessor, a, verb, source, targets, options or {})
  end)
end

-- Dependents ---------------------------------------------------------------------------------------------------------

handlers.destroy_instance = dependents.destroy_instance
handlers.destroy_where = dependents.destroy_where
handlers.truncate = truncate.counted

-- Associations of models that declare behaviour ----------------------------------------------------------------------

--- A generated method whose models have hooks or scopes.
function handlers.linked(...)
  return require "liga.behaviour.access".linked(...)
end

-- Forward references -------------------------------------------------------------------------------------------------

--- A model is used before those it refers to are defined.
function handlers.check_pending(class)
  require "liga.association".check(class)
end

-- Batches ------------------------------------------------------------------------------------------------------------

--- A getter or count with `batch = true`.
function handlers.read_batch(instance, options, name, verb)
  return require "liga.lazy".read_batch(instance, options, name, verb)
end

core.set_handlers(handlers)

return handlers
