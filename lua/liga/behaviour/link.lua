--- The generated methods that write, where one of the models declares behaviour: the hooks and validators of rows
-- around the core's own method, which sends the statements.
--
--   belongsTo   set: the source is saved               create: the target is created, then set
--   hasOne      set: targets are saved (or destroyed)  create: the target is created
--   hasMany     add, set, remove: bulk hooks of the target (what hooks change in the options counts)
--   belongsToMany  add, set, remove: bulk hooks and validators of the junction
--                                                      create: the target is created, then added
local class_methods = require "liga.behaviour.class"
local copy = require "liga.options".copy
local core = require "liga.core"
local dry = require "liga.dry"
local errors = require "liga.errors"
local junction = require "liga.behaviour.junction"
local memory = require "liga.memory"
local nested = require "liga.nested"
local operation = require "liga.operation"
local parts = require "liga.behaviour.parts"
local target_rows = require "liga.behaviour.target"
local write = require "liga.behaviour.write"

local link = {}

local function no_row(a, verb)
  errors.raise("InstanceError", ("%s: a %s handed over has no row"):format(a.accessors[verb], a.target.name),
    { model = a.target.name })
end

-- Creating -----------------------------------------------------------------------------------------------------------

local function build(a, source, values, options)
  local class = a.target
  local instance = class_methods.build(class, nested.listed(class, values, options.fields))
  if a.kind.name ~= "belongsTo" then
    for name, value in next, parts.presets(a, source) do rawset(instance, name, value) end
  end
  return instance
end

--- The target is built here, and written by the core's method between the hooks.
local function create(plain, a, source, values, options)
  return write.save(build(a, source, values, options), options, {
    job = function(instance, saving) return plain(source, instance, saving) end, checked = true,
  })
end

--- Targets that are created by themselves and linked afterwards.
local function create_and_link(a, source, values, options, link_it)
  return operation.atomically(parts.db_of(a), options, function(t)
    options.transaction = t
    local instance = write.save(build(a, source, values, options), parts.of_save(options))
    local linking = copy(options)
    linking.fields, linking.validate = nil, nil
    link_it(instance, linking)
    return instance
  end)
end

-- belongsTo ----------------------------------------------------------------------------------------------------------

--- The key is assigned, so that hooks see it, and the source saved.
local function set_source(plain, a, source, target, options)
  if options.save == false or not parts.behaves(a.source) then return plain(source, target, options) end
  local raw = target ~= nil and target ~= core.null and not core.state(target)
  return operation.atomically(parts.db_of(a), options, function(t)
    local guard <close> = memory.guard { source }
    local saving = parts.of_save(options)
    saving.transaction, saving.fields = t, table.move(a.foreignKey, 1, #a.foreignKey, 1, {})
    if raw and not core.class_methods.findByPk(a.target, target, { transaction = t }) then no_row(a, "set") end
    local result = plain(source, target, { save = false, transaction = t, hooks = options.hooks })
    for _, name in ipairs(a.foreignKey) do
      local unknown = rawget(source, name) == nil and not core.is_selected(source, name)
      if unknown then rawset(source, name, core.null) end             -- NULL is to be written all the same
    end
    write.save(source, saving)
    return guard:keep(result)
  end)
end

-- hasOne -------------------------------------------------------------------------------------------------------------

local function set_one(plain, a, source, target, options)
  if not parts.behaves(a.target) then return plain(source, target, options) end
  return operation.atomically(parts.db_of(a), options, function(t)
    options.transaction = t
    local raw = target ~= nil and target ~= core.null and not core.state(target)
    local new = target
    if raw then new = core.class_methods.findByPk(a.target, target, { transaction = t }) or no_row(a, "set") end
    local stays = false
    for _, old in ipairs(target_rows.linked(a, source, options)) do
      if old == new then stays = true else target_rows.unlink(a, old, options) end
    end
    local is_linkable = core.state(new) == "stored" and core.class_of(new) == a.target and not stays
    if not is_linkable then return plain(source, target, options) end
    local guard <close> = memory.guard { new }
    target_rows.link(plain, a, source, new, options)
    return guard:keep(raw and true or target)
  end)
end

-- hasMany ------------------------------------------------------------------------------------------------------------

--- Runs a write of many targets between bulk hooks. What is to be written stands in `attributes`, to be looked at.
local function with_bulk_hooks(a, event, options, attributes, job)
  options.attributes = attributes
  return write.bulk(a.target, event, options, nil, function(writing)
    writing.attributes = nil
    return job(writing)
  end)
end

--- The core's method, or with `individualHooks` target by target.
local function write_targets(plain, a, source, targets, options, verb)
  if not class_methods.taken(options) then return plain(source, targets, options) end
  return target_rows.each(verb, plain, a, source, targets, options)
end

local many = {}

--- Between bulk hooks of one event.
local function between(event, attributes)
  return function(plain, a, source, targets, options, verb)
    local written = attributes and attributes(a, source) or nil
    return with_bulk_hooks(a, event, options, written, function(writing)
      return write_targets(plain, a, source, targets, writing, verb)
    end)
  end
end

local link_targets, clear_targets = between("BulkUpdate", parts.presets), between("BulkUpdate", target_rows.cleared)
local delete_targets = between "BulkDestroy"

function many.add(plain, a, source, targets, options, verb)
  if parts.is_empty(targets) then return plain(source, targets, options) end
  return link_targets(plain, a, source, targets, options, verb)
end

function many.remove(plain, a, source, targets, options, verb)
  if parts.is_empty(targets) then return plain(source, targets, options) end
  local remove = target_rows.removes_rows(a, options) and delete_targets or clear_targets
  return remove(plain, a, source, targets, options, verb)
end

function many.set(plain, a, source, targets, options, verb)
  local clears = targets == nil or targets == core.null or parts.is_empty(targets)
  if clears then return many.remove(plain, a, source, core.null, options, verb) end
  if not target_rows.removes_rows(a, options) then return link_targets(plain, a, source, targets, options, verb) end
  return with_bulk_hooks(a, "BulkDestroy", options, nil, function(unlinking)
    return link_targets(plain, a, source, targets, copy(unlinking), verb)
  end)
end

-- By kind and verb ---------------------------------------------------------------------------------------------------

local writers = {
  belongsTo = {
    set = set_source,
    create = function(plain, a, source, values, options)
      if not parts.behaves(a.source) then return create(plain, a, source, values, options) end
      return create_and_link(a, source, values, options, function(instance, linking)
        set_source(core.plain_accessor(a.meta[1], "set"), a, source, instance, linking)
      end)
    end,
  },
  hasOne = { set = set_one, create = create },
  hasMany = {
    set = many.set, create = create, add = many.add, addMultiple = many.add, remove = many.remove,
    removeMultiple = many.remove,
  },
  belongsToMany = {
    create = function(plain, a, source, values, options)
      if not parts.behaves(a.through) then return create(plain, a, source, values, options) end
      return create_and_link(a, source, values, options, function(instance, linking)
        junction.write(core.plain_accessor(a.meta[1], "addMultiple"), a, source, { instance }, linking, "addMultiple")
      end)
    end,
  },
}
for verb in pairs(junction.verbs) do writers.belongsToMany[verb] = junction.write end

--- Calls the core's method without running it: what is wrong in the call raises before any hook runs. Targets that are
-- to be created, or saved first, are looked at in their turn.
local function check(plain, a, verb, source, argument, given)
  if verb == "create" then return core.check_write_options(a.target, given, "link") end
  if parts.has_unsaved(argument) then return end
  local checked, rows = given, nil
  if a.kind.name == "belongsToMany" then                              -- defaults by function are not called for this
    checked, rows = copy(given), {}
    checked.validate = false
  end
  dry.run(parts.db_of(a), function() return plain(source, argument, checked, rows) end)
end

--- Whether a source has what its targets, or the junction, refer to.
local function can_be_source(a, source)
  if core.state(source) ~= "stored" then return false end
  for _, name in ipairs(a.kind.holder ~= "source" and a.sourceKey or {}) do
    if rawget(source, name) == nil then return false end
  end
  return true
end

--- Runs a method that writes. What the core refuses anyway (an unsaved source, wrong arguments) goes to it at once.
function link.write(plain, a, verb, source, argument, given)
  local plain_options = given == nil or type(given) == "table" and not core.is_class(given)
  if not can_be_source(a, source) or not plain_options then return plain(source, argument, given) end
  if verb == "create" and argument ~= nil and (type(argument) ~= "table" or core.state(argument)) then
    return plain(source, argument, given)
  end
  check(plain, a, verb, source, argument, given)
  return writers[a.kind.name][verb](plain, a, source, argument, copy(given), verb)
end

return link
