--- Targets that hold the key of the association (hasOne; hasMany with `individualHooks`), one at a time: linked and
-- unlinked between the hooks of single instances.
local copy = require "liga.options".copy
local core = require "liga.core"
local dependents = require "liga.dependents"
local memory = require "liga.memory"
local operation = require "liga.operation"
local parts = require "liga.behaviour.parts"
local write = require "liga.behaviour.write"

local target = {}

--- Whether unlinking removes rows, as wanted or as no part of their key can be NULL.
function target.removes_rows(a, options)
  if options.destroy or options.destroyPrevious then return true end
  local attributes = getmetatable(a.target).attributes
  for _, name in ipairs(a.foreignKey) do
    if attributes[name].allowNull then return false end
  end
  return true
end

--- Whether rows that unlinking removes are only marked as deleted.
local function marks_rows(a, options)
  local removal = options.destroy or options.destroyPrevious
  return getmetatable(a.target).deletedAt ~= nil and not (type(removal) == "table" and removal.force)
end

--- What unlinking writes where it leaves the rows in place.
function target.cleared(a)
  local values, attributes = {}, getmetatable(a.target).attributes
  for _, name in ipairs(a.foreignKey) do
    if attributes[name].allowNull then values[name] = core.null end
  end
  return values
end

local function names_in(values)
  local names = {}
  for name in next, values do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Taking over ------------------------------------------------------------------------------------------------------

--- Attributes whose values change in rows that are unlinked, beside updatedAt and version.
local function changed_names(a, options)
  if not target.removes_rows(a, options) then return target.cleared(a) end
  return marks_rows(a, options) and { [getmetatable(a.target).deletedAt] = true } or {}
end

local function take(instance, row, name)
  rawset(instance, name, row[name])
  core.set_original(instance, name, row[name])
end

--- Gives an instance what another one of its row holds.
local function adopt(instance, row, names, version)
  for name in next, names do take(instance, row, name) end
  if version and core.previous(instance, version) == row[version] - 1 then take(instance, row, version) end
end

--- What was handed over is up to date afterwards: its key or mark of deletion, and its stamps, if they were before.
-- @param list of targets: instances and raw keys
-- @param rows the instances that were unlinked in their place
local function take_over(a, list, rows, options)
  local names, meta, by_key = changed_names(a, options), getmetatable(a.target), {}
  if next(names) == nil then return end
  if meta.updatedAt then names[meta.updatedAt] = true end
  for _, row in ipairs(rows) do by_key[core.key_text(a.target, row:where())] = row end
  for _, instance in ipairs(list) do
    local row = core.state(instance) and by_key[core.key_text(a.target, instance:where())]
    if row then adopt(instance, row, names, meta.version) end
  end
end

-- One --------------------------------------------------------------------------------------------------------------

--- What is linked to the source now, as instances.
-- @param condition more that they must fulfil, or nil
function target.linked(a, source, options, condition)
  local where = { parts.add_key({}, a.foreignKey, source, a.sourceKey) }
  where[#where + 1] = a.read.scope
  where[#where + 1] = a.read.where
  where[#where + 1] = condition
  return core.class_methods.findAll(a.target, { where = where, order = a.target.primaryKey,
    transaction = options.transaction, logging = options.logging })
end

--- Names of what a removal has to tell of rows that it marks; nil: it marks none.
local function told(a, options)
  if not marks_rows(a, options) then return nil end
  local meta, names = getmetatable(a.target), {}
  for _, mark in ipairs { "deletedAt", "updatedAt", "version" } do names[#names + 1] = meta[mark] or nil end
  return names
end

--- Deletes what a method unlinks, by the rules for what depends on it.
-- @param verb "set", "create": all but these targets; "remove", "removeMultiple": just these
-- @param list of targets: instances and keys
-- @return how many
function target.delete_linked(a, verb, source, list, options)
  local named, removal = #list > 0 and a.target:keys(list) or nil, options.destroy or options.destroyPrevious
  if verb == "set" and named then named = { [core.Op.not_] = named } end
  local rows = target.linked(a, source, options, named)
  if #rows == 0 then return 0 end
  local count, gone = core.class_methods.destroy(a.target, {
    where = a.target:keys(rows), transaction = options.transaction, logging = options.logging, hooks = options.hooks,
    force = type(removal) == "table" and removal.force or nil, returning = told(a, options),
  })
  if gone then take_over(a, list, gone, options) end
  return count
end

--- Runs a method that deletes targets which others depend on.
-- @param plain the core's method
-- @return what the method returns
function target.delete_first(plain, a, verb, source, targets, options)
  local list, removes = parts.list_of(a, verb, verb ~= "create" and targets or nil), verb:find "^remove"
  local refused = removes and (#list == 0 or not parts.instances(a, list, options))
  local count = not refused and target.delete_linked(a, verb, source, list, options)
  return removes and count or plain(source, targets, options, true)
end

--- Takes an instance away from its source.
function target.unlink(a, instance, options)
  local saving = parts.of_save(options)
  if target.removes_rows(a, options) then
    local removal = options.destroy or options.destroyPrevious
    saving.validate, saving.silent = nil, nil
    saving.force = type(removal) == "table" and removal.force or nil
    return write.single(instance, "Destroy", saving, dependents.destroy_one_of)
  end
  local values = target.cleared(a)
  for name in next, values do rawset(instance, name, nil) end
  saving.fields = names_in(values)
  write.save(instance, saving)
end

--- The target gets its key before its hooks, and gives it back before the core's method looks for changes.
-- @param plain the core's method that links it
function target.link(plain, a, source, instance, options)
  local values, before = parts.presets(a, source), {}
  local saving = copy(options)
  saving.fields = names_in(values)
  for name, value in next, values do
    before[name] = rawget(instance, name)
    rawset(instance, name, value)
  end
  return write.save(instance, saving, {
    checked = true,
    job = function(_, linking)
      for name in next, values do rawset(instance, name, before[name]) end
      linking = copy(linking)
      linking.fields = nil
      return plain(source, instance, linking)
    end,
  })
end

-- Each -------------------------------------------------------------------------------------------------------------

local function link_each(a, source, list, options)
  local plain = core.plain_accessor(a.meta[1], "add")
  local adding = copy(options)
  adding.destroy, adding.destroyPrevious = nil, nil
  for _, instance in ipairs(list) do
    if core.state(instance) == "stored" then target.link(plain, a, source, instance, adding)
    else plain(source, instance, adding) end
  end
end

local function unlink_each(a, list, options)
  for _, instance in ipairs(list) do target.unlink(a, instance, options) end
  return #list
end

local each = {}

function each.add(plain, a, source, targets, list, options)
  link_each(a, source, list, options)
  return plain(source, targets, options)
end

function each.set(plain, a, source, targets, list, options)
  local stored = {}
  for _, instance in ipairs(list) do
    if core.state(instance) == "stored" then stored[#stored + 1] = instance end
  end
  local others = stored[1] and { [core.Op.not_] = a.target:keys(stored) } or nil
  unlink_each(a, target.linked(a, source, options, others), options)
  link_each(a, source, list, options)
  return plain(source, targets, options)
end

function each.remove(_, a, source, _, list, options)
  local there = target.linked(a, source, options, a.target:keys(list))
  unlink_each(a, there, options)
  take_over(a, list, there, options)
  return #there
end

each.addMultiple, each.removeMultiple = each.add, each.remove

--- Runs a method of hasMany target by target. What the core refuses (keys without a row) goes to it as it is.
-- @param verb "set", "add", "addMultiple", "remove", "removeMultiple"
-- @param plain the core's method
function target.each(verb, plain, a, source, targets, options)
  return operation.atomically(parts.db_of(a), options, function(t)
    options.transaction = t
    local list = parts.instances(a, parts.list_of(a, verb, targets), options)
    if not list or parts.has_unsaved(targets) and verb:find "^remove" then return plain(source, targets, options) end
    local guard <close> = memory.guard(list)
    return guard:keep(each[verb](plain, a, source, targets, list, options))
  end)
end

return target
