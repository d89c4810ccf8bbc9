--- The class methods of models that declare behaviour, and of scope objects; the others are those of all models.
--
-- They take self apart first: a class or a scope object. What they hand on to the core is always the class itself, with
-- options of which the scopes are a part.
local core = require "liga.core"
local dependents = require "liga.dependents"
local dry = require "liga.dry"
local errors = require "liga.errors"
local expand = require "liga.behaviour.expand"
local hooks = require "liga.hooks"
local memory = require "liga.memory"
local model = require "liga.model"
local nested = require "liga.nested"
local operation = require "liga.operation"
local option_tables = require "liga.options"
local schema = require "liga.schema"
local scope = require "liga.scope"
local validate = require "liga.validate"
local virtual = require "liga.virtual"
local write = require "liga.behaviour.write"

local listed = nested.listed
local plain = model.methods
local behaving = { methods = setmetatable({}, { __index = plain }) }
local methods = behaving.methods

--- Checks self and gives the class, and the options as a table of their own.
local function open(self, method, given)
  if not core.is_class(self) then
    errors.usage("a model expected as self of %s, got %s (call it with a colon: Model:%s(…))", method, type(self),
      method)
  end
  local class = getmetatable(self).class
  if given ~= nil and (type(given) ~= "table" or core.is_class(given)) then
    errors.usage("%s: %s: options must be a table, got %s", class.name, method, type(given))
  end
  return class, option_tables.copy(given)
end

-- Finding ------------------------------------------------------------------------------------------------------------

local find_moments = { "beforeFind", "beforeFindAfterExpandIncludeAll", "beforeFindAfterOptions", "afterFind" }

--- These see includes in full table form.
local late_moments = { "beforeFindAfterExpandIncludeAll", "beforeFindAfterOptions" }

local function find_with_hooks(class, options, find)
  options = option_tables.copy_deep(options)
  hooks.run(class, "beforeFind", options)
  if options.include ~= nil and hooks.any(class, late_moments) then
    dry.run(getmetatable(class).db, function() return find(options) end)      -- raises what is wrong, as it was written
    options.include = expand.includes(class, options.include)
  end
  for _, name in ipairs(late_moments) do hooks.run(class, name, options) end
  local result = find(options)
  hooks.run(class, "afterFind", result, options)
  return result
end

--- Runs a find between its hooks.
-- @param options a table of its own, scopes merged
-- @param find function(options) → list, instance or nil
function behaving.find(class, options, find)
  if not write.runs_hooks(class, options, find_moments) then return find(options) end
  return operation.inside(getmetatable(class).db, find_with_hooks, class, options, find)
end

local function count_with_hooks(class, options, count)
  options = option_tables.copy_deep(options)
  hooks.run(class, "beforeCount", options)
  local result = count(options)
  hooks.run(class, "afterCount", result, options)
  return result
end

--- The same for a count.
function behaving.count(class, options, count)
  if not write.runs_hooks(class, options, { "beforeCount", "afterCount" }) then return count(options) end
  return operation.inside(getmetatable(class).db, count_with_hooks, class, options, count)
end

for _, name in ipairs { "findAll", "findOne" } do
  methods[name] = function(self, given)
    local class, options = open(self, name, given)
    return behaving.find(class, scope.merged(self, options), function(found) return plain[name](class, found) end)
  end
end

function methods:findByPk(key, given)
  local class, options = open(self, "findByPk", given)
  return behaving.find(class, scope.merged(self, options), function(found) return plain.findByPk(class, key, found) end)
end

function methods:count(given)
  local class, options = open(self, "count", given)
  return behaving.count(class, scope.conditions(self, options), function(found) return plain.count(class, found) end)
end

--- Finds rows and counts others (or all) at the same moment.
-- @param counting options of the count
-- @param run function(class, options, count): calls `count`, which returns the number, and returns it
-- @return the rows, the number
local function find_and_count(self, class, options, counting, run)
  local total
  local rows = behaving.find(class, scope.merged(self, options), function(found)
    local list
    total = run(class, scope.conditions(self, counting), function(counted)
      local count
      list, count = core.find_and_count(class, found, counted)
      return count
    end)
    return list
  end)
  return rows, total
end

function methods:findAndCountAll(given)
  local class, options = open(self, "findAndCountAll", given)
  if options.group ~= nil then return plain.findAndCountAll(self, options) end
  return find_and_count(self, class, options, model.counting(options), behaving.count)
end

local function without_hooks(_, options, count)
  return count(options)
end

function methods:page(given)
  return model.page(self, given, function(_, options, counting)
    return find_and_count(self, getmetatable(self).class, options, counting, without_hooks)
  end)
end

function methods:exists(given)
  local class, options = open(self, "exists", given)
  return plain.exists(class, scope.conditions(self, options))
end

for _, name in ipairs { "sum", "min", "max", "avg" } do
  methods[name] = function(self, attribute, given)
    local class, options = open(self, name, given)
    return plain[name](class, attribute, scope.conditions(self, options))
  end
end

--- Its batches have limit and order of their own: the scope's become the call's.
function methods:each(given)
  local class, options = open(self, "each", given)
  return plain.each(scope.unscoped(class), scope.merged(self, options))
end

-- Writing one row ----------------------------------------------------------------------------------------------------

--- Builds an instance; setters take the values that are theirs.
local function build(class, values, options)
  if type(values) ~= "table" or core.state(values) or not virtual.has_setters(class) then
    return plain.build(class, values, options)
  end
  local _, rest = virtual.split(class, values)
  local instance = plain.build(class, rest, options)
  virtual.set_all(class, instance, values)
  return instance
end

behaving.build = build

function methods:build(values, given)
  local class, options = open(self, "build", given)
  if options.include ~= nil then return nested.build(class, values, options.include) end
  return build(class, values, options)
end

local created = { verb = "create", job = function(instance, options) return nested.save(instance, options, true) end }

function methods:create(values, given)
  local class, options = open(self, "create", given)
  local function save(instance, own) return write.save(instance, own, created) end
  values = listed(class, values, options.fields)
  if options.include ~= nil then return nested.create(class, values, options, save) end
  return save(build(class, values), options)
end

-- Writing many rows --------------------------------------------------------------------------------------------------

local function build_all(class, list, options)
  local built = {}
  for i, values in next, list do
    built[i] = core.state(values) and values or build(class, listed(class, values, options.fields))
  end
  return built
end

local function check_all(class, list, options)
  if options.validate == false then return end
  local faults = {}
  for _, instance in ipairs(list) do
    local found = core.state(instance) == "new" and validate.faults(class, instance, options) or {}
    table.move(found, 1, #found, #faults + 1, faults)
  end
  validate.raise(class, faults)
end

--- A row of its own INSERT takes the options of bulkCreate, those about duplicates among them.
local inserted = {
  checked = true,
  job = function(instance, options) return plain.bulkCreate(core.class_of(instance), { instance }, options)[1] end,
}

local function save_each(list, options)
  local saved = core.list(#list)
  for i, instance in ipairs(list) do
    saved[i] = write.save(instance, option_tables.copy(options), core.state(instance) == "new" and inserted or nil)
  end
  return saved
end

--- Takes `individualHooks`, which the core does not know, once the hooks before have seen it and may have changed it.
local function taken(options)
  local singly = option_tables.kind("hooks", options, "individualHooks", "boolean")
  options.individualHooks = nil
  return singly
end
behaving.taken = taken

behaving.save_each = save_each

--- All rows at once, or one by one between the hooks of single instances.
local function insert_all(class, list, options)
  if not taken(options) then
    check_all(class, list, options)
    return plain.bulkCreate(class, list, options)
  end
  return operation.atomically(getmetatable(class).db, options, function()
    local guard <close> = memory.guard(list)
    return guard:keep(save_each(list, options))
  end)
end

function methods:bulkCreate(list, given)
  local class, options = open(self, "bulkCreate", given)
  if options.include ~= nil then
    return nested.bulk(class, list, options, function(built, own) return class:bulkCreate(built, own) end)
  end
  if type(list) ~= "table" then return plain.bulkCreate(class, list, options) end
  core.check_write_options(class, options, "bulkCreate")
  local built = build_all(class, list, options)
  return write.bulk(class, "BulkCreate", options, built, function(creating)
    return insert_all(class, built, creating)
  end)
end

--- The values of an update of many rows, as setters leave them, and checked; `instance` stands for the rows.
local function written_values(class, values, options)
  if type(values) ~= "table" or core.state(values) then return values end
  local instance = core.unsaved(class)
  local _, rest = virtual.split(class, values)
  for name in next, rest do
    if not getmetatable(class).attributes[name] then return rest end             -- the core says what is wrong
  end
  virtual.set_all(class, instance, values)
  local names = {}
  for name in next, instance do names[#names + 1] = name end
  if options.validate ~= false then
    validate.raise(class, validate.faults(class, instance, { fields = names, partial = true }))
  end
  return option_tables.copy(instance)
end

--- Rows that are marked as deleted: those are what is restored, and what force deletes too.
local marked = {
  BulkRestore = function(class, find)
    local deleted_at = getmetatable(class).deletedAt
    if not deleted_at then return end
    find.paranoid, find.where = false, { { [deleted_at] = { [core.Op.ne] = core.null } }, find.where }
  end,
  BulkDestroy = function(_, find, options)
    if options.force then find.paranoid = false end
  end,
}

--- The instances that a call is about, for hooks that see each of them.
local function instances_of(class, event, options)
  local find = { where = options.where, limit = options.limit, paranoid = options.paranoid }
  if marked[event] then marked[event](class, find, options) end
  find.order = #class.primaryKey > 0 and class.primaryKey or nil
  find.transaction, find.logging = options.transaction, options.logging
  return plain.findAll(class, find)
end

--- Options of the write of one of many rows; a row that goes, or comes back, has no values to write.
local function of_single(event, options)
  local single = option_tables.copy(options)
  for _, name in ipairs { "where", "all", "limit", "returning", "paranoid", "dependent" } do single[name] = nil end
  if event ~= "BulkUpdate" then single.fields, single.validate = nil, nil end
  return single
end

--- Runs a write once for each instance, in one transaction.
local function individually(class, event, options, write_one)
  return operation.atomically(getmetatable(class).db, options, function()
    local list = instances_of(class, event, options)
    for _, instance in ipairs(list) do write_one(instance, of_single(event, options), options) end
    if options.returning then return #list, list end
    return #list
  end)
end

--- The values that instances get one by one.
local function assigned(class, values, fields)
  values = listed(class, values, fields)
  require "liga.instance".check_assigned(class, values)
  return values
end

--- Runs a write of many rows between its hooks, for each of them singly where the call asks for that.
local function write_many(self, event, given, values, write_all, write_one)
  local verb = event:gsub("^Bulk", ""):lower()
  local class, options = open(self, verb, given)
  options = scope.narrowed(self, options, verb)
  options.attributes = values
  return write.bulk(class, event, options, nil, function(writing)
    values, writing.attributes = writing.attributes, nil
    if taken(writing) then
      if event == "BulkUpdate" then values = assigned(class, values, writing.fields) end
      return individually(class, event, writing, function(instance, single, all)
        write_one(instance, values, single, all)
      end)
    end
    return write_all(class, values, writing)
  end)
end

function methods:update(values, given)
  return write_many(self, "BulkUpdate", given, type(values) == "table" and option_tables.copy(values) or values,
    function(class, written, options) return plain.update(class, written_values(class, written, options), options) end,
    function(instance, written, options)
      local implied = require "liga.instance".assign(instance, written, options)
      write.save(instance, options, { implied = implied, job = core.save })
    end)
end

function methods:destroy(given)
  return write_many(self, "BulkDestroy", given, nil,
    function(class, _, options) return plain.destroy(class, options) end,
    function(instance, _, options, all)
      write.single(instance, "Destroy", options, function(each, destroying)
        return dependents.destroy_one_of(each, destroying, all.dependent == false)
      end)
    end)
end

--- The rows that are restored are those marked as deleted.
function methods:restore(given)
  return write_many(self, "BulkRestore", given, nil,
    function(class, _, options) return plain.restore(class, options) end,
    function(instance, _, options) write.single(instance, "Restore", options, core.restore) end)
end

--- The hooks are those of a destroy of all rows, which `truncate` among the options says.
function methods:truncate(given)
  local class, options = open(self, "truncate", given)
  schema.check_truncate(options)
  options.truncate = true
  write.bulk(class, "BulkDestroy", options, nil, function(writing)
    writing.truncate = nil
    plain.truncate(class, writing)
  end)
end

for _, name in ipairs { "increment", "decrement" } do
  methods[name] = function(self, what, given)
    local class, options = open(self, name, given)
    return plain[name](class, what, scope.narrowed(self, options, name))
  end
end

--- Setters and validators first, then the core's upsert between its hooks.
function methods:upsert(values, given)
  local class, options = open(self, "upsert", given)
  core.check_write_options(class, options, "upsert")
  if type(values) == "table" then values = option_tables.copy(values) end
  return write.bulk(class, "Upsert", options, values, function(writing)
    return plain.upsert(class, written_values(class, values, writing), writing)
  end)
end

return behaving
