--- Associations loaded into instances that exist: `db:preload`, `instance:load`, `isLoaded`, what `reload` brings anew.
local core = require "liga.core"
local dry = require "liga.dry"
local errors = require "liga.errors"
local option_tables = require "liga.options"
local transaction = require "liga.transaction"

local loading = {}

local call_options = { transaction = true, logging = true }

local function database_of(class)
  return getmetatable(class).db
end

-- Loading ------------------------------------------------------------------------------------------------------------

--- Instances by class, in order of appearance; the same instance counts once.
local function by_class(db, what, list)
  local groups, seen = {}, {}
  for i, instance in ipairs(list) do
    local class = core.class_of(instance)
    if not class then errors.usage("%s: element %d is no instance, but a %s", what, i, type(instance)) end
    if database_of(class) ~= db then errors.usage("%s: element %d belongs to another connection", what, i) end
    local group = groups[class]
    if not group then
      group = { class = class }
      groups[class], groups[#groups + 1] = group, group
    end
    if not seen[instance] then group[#group + 1] = instance end
    seen[instance] = true
  end
  return groups
end

--- One load of instances of one class, as `core.load` gives it, with the instances.
local function run(group, include, options)
  return { group = group, loads = core.load(group.class, group, include, options) }
end

--- Raises what is wrong with the include before anything is sent.
local function check(db, group, include, options)
  dry.run(db, function() return core.load(group.class, group, include, options) end)
end

--- Makes what was loaded the properties of the instances; no error can come in between.
local function put(result)
  for _, load in ipairs(result.loads) do
    for i, instance in ipairs(result.group) do
      local value = load.values[i]
      rawset(instance, load.name, value or nil)
      core.note_loaded(instance, load.name, value, load.options)
    end
  end
end
loading.put = put

--- Loads all groups, of one moment, and only then changes the instances.
local function load_groups(db, jobs, options)
  if #jobs == 0 then return end
  if #jobs > 1 then
    for _, job in ipairs(jobs) do check(db, job.group, job.include, options) end
  end
  local function all()
    local results = {}
    for i, job in ipairs(jobs) do results[i] = run(job.group, job.include, options) end
    return results
  end
  local results = #jobs > 1 and transaction.snapshot(db, options, all) or all()
  for _, result in ipairs(results) do put(result) end
end

--- What one load gives, without changing the instances.
-- @param class of all instances
-- @param list of instances
-- @param include one association, with its options
-- @param options {transaction, logging}, or nil
-- @return values in the order of the list: a list, an instance, or false for no row
-- @return the options to remember
function loading.values(class, list, include, options)
  local load = core.load(class, list, include, options)[1]
  if not load then return nil end
  return load.values, load.options
end

-- db:preload ---------------------------------------------------------------------------------------------------------

--- What was loaded for the instances: instances, lists taken apart.
local function children_of(instances, name)
  local children = {}
  for _, instance in ipairs(instances) do
    local value = rawget(instance, name)
    if core.class_of(value) then children[#children + 1] = value
    else table.move(value or {}, 1, #(value or {}), #children + 1, children) end
  end
  return children
end

--- Adds one job for each association, over the instances that have not got it; below those that have it, likewise.
local function add_missing_jobs(jobs, db, group, include)
  for _, part in ipairs(require "liga.behaviour.expand".includes(group.class, include)) do
    local rest, there = { class = group.class }, {}
    for _, instance in ipairs(group) do
      local list = core.loaded(instance, part.as) ~= nil and there or rest
      list[#list + 1] = instance
    end
    if #rest > 0 then jobs[#jobs + 1] = { group = rest, include = part } end
    local below = part.include and by_class(db, "db:preload", children_of(there, part.as)) or {}
    for _, children in ipairs(below) do add_missing_jobs(jobs, db, children, part.include) end
  end
end

local preload_options = { missing = true, transaction = true, logging = true }

--- The options that calls have, without those of the load itself.
local function own_options(options)
  if not options then return nil end
  return { transaction = options.transaction, logging = options.logging }
end

--- Loads associations of instances that exist, replacing what was loaded. Raises EagerLoadingError for what is wrong in
-- the include, InstanceError for instances that are not stored; then no instance has changed.
-- @param db the database
-- @param list of instances, of one model or of several that all have the associations
-- @param include as in finds
-- @param options {missing = true: leave alone what is loaded; transaction, logging}, or nil
-- @return the list
function loading.preload(db, list, include, options)
  if type(list) ~= "table" or core.class_of(list) then
    errors.usage("db:preload: a list of instances expected, got %s",
      core.class_of(list) and "an instance" or type(list))
  end
  option_tables.list("db:preload", list)
  option_tables.expect_table("db:preload", options)
  option_tables.check("db:preload", options or {}, preload_options)
  option_tables.kind("db:preload", options or {}, "missing", "boolean")
  if include == nil then errors.raise("EagerLoadingError", "include: an association expected, got nil") end
  local jobs = {}
  for _, group in ipairs(by_class(db, "db:preload", list)) do
    if options and options.missing then
      check(db, group, include, own_options(options))
      add_missing_jobs(jobs, db, group, include)
    else
      jobs[#jobs + 1] = { group = group, include = include }
    end
  end
  load_groups(db, jobs, own_options(options))
  return list
end

-- instance:load ------------------------------------------------------------------------------------------------------

local function split(options)
  local include, calling = {}, {}
  for name, value in next, options or {} do
    if call_options[name] then calling[name] = value else include[name] = value end
  end
  return include, calling
end

--- Loads one association; what was loaded is replaced.
-- @param instance
-- @param what the association: its name, its object, or a model that one association leads to
-- @param options of the include; transaction, logging; or nil
-- @return what was loaded: a list, an instance or nil
function loading.load(class, instance, what, options)
  option_tables.expect_table("load", options)
  local include, calling = split(options)
  if type(what) ~= "string" and type(what) ~= "table" then
    errors.raise("EagerLoadingError", ("include: the name of an association expected, got %s"):format(type(what)))
  end
  if include.association == nil and include.as == nil and include.model == nil then
    include[core.is_class(what) and "model" or "association"] = what
  end
  local group = { class = class, instance }
  local result = run(group, include, calling)
  put(result)
  return result.loads[1] and (result.loads[1].values[1] or nil)
end

--- Whether an association is loaded: there is what was loaded, or it is known that there is no row.
function loading.is_loaded(class, instance, name)
  if type(name) ~= "string" then
    local record = require "liga.association.record".of(name)
    if not record then errors.usage("isLoaded: the name of an association expected, got %s", type(name)) end
    name = record.as
  end
  class:association(name)
  return core.loaded(instance, name) ~= nil
end

-- reload -------------------------------------------------------------------------------------------------------------

--- The include that loads again what is loaded, with the options it was loaded with; nil: nothing is.
local function loaded_include(class, instance)
  local include = {}
  for _, association in ipairs(class.associations) do
    local value, options = core.loaded(instance, association.as)
    if value ~= nil then
      local item = option_tables.copy(options)
      item.as, item.model, item.association = nil, nil, association.as
      include[#include + 1] = item
    end
  end
  return #include > 0 and include or nil
end

--- Reads the row anew, and what is loaded or included. Nothing changes if anything is wrong with the options.
function loading.reload(class, instance, options)
  if options ~= nil and type(options) ~= "table" then return core.reload(instance, options) end
  local include = options and rawget(options, "include") or loaded_include(class, instance)
  if include == nil then return core.reload(instance, options) end
  local db, own = database_of(class), option_tables.copy(options)
  own.include = nil
  local group, calling = { class = class, instance }, own_options(own)
  if core.state(instance) ~= "new" then check(db, group, include, calling) end
  transaction.snapshot(db, own, function()
    core.reload(instance, own)
    put(run(group, include, calling))
  end)
  return instance
end

return loading
