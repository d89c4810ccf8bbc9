--- One instance on its way into the database or out of it, with its hooks and validators around the core's job.
local core = require "liga.core"
local hooks = require "liga.hooks"
local memory = require "liga.memory"
local nested = require "liga.nested"
local operation = require "liga.operation"
local plain_copy = require "liga.options".copy
local validate = require "liga.validate"

local write = {}

local function moments(...)
  local names = {}
  for _, event in ipairs { ... } do
    names[#names + 1] = "before" .. event
    names[#names + 1] = "after" .. event
  end
  return names
end

local saving = { Create = moments("Validate", "Save", "Create"), Update = moments("Validate", "Save", "Update") }

--- Whether a call runs hooks of these names.
local function runs_hooks(class, options, names)
  return options.hooks ~= false and hooks.any(class, names)
end
write.runs_hooks = runs_hooks

--- The hooks that see single instances being created.
function write.has_create_hooks(class)
  return hooks.any(class, saving.Create)
end

-- Saving -------------------------------------------------------------------------------------------------------------

local function check(class, instance, options)
  if options.validate == false then return end
  local known = { fields = nested.known_fields(instance, options.fields) }
  validate.raise(class, nested.apart(instance, validate.faults, class, instance, known))
end

local function validated(class, instance, options)
  if options.validate == false then return end
  hooks.run(class, "beforeValidate", instance, options)
  check(class, instance, options)
  hooks.run(class, "afterValidate", instance, options)
end

--- What hooks changed is written too, unless the user said what is written; and it has to be as right as the rest.
local function take_hook_changes(class, instance, options, before, implied)
  local names = memory.changed_since(instance, before)
  if #names == 0 then return end
  if implied and options.fields then                              -- a hook may ask for all by taking them out
    options.fields = table.move(options.fields, 1, #options.fields, 1, {})
    table.move(names, 1, #names, #options.fields + 1, options.fields)
  end
  check(class, instance, options)
end

local function has_changes(instance, options)
  if core.state(instance) == "new" then return true end
  local names, listed = core.changed(instance), {}
  if not options.fields then return names ~= nil end
  for _, name in ipairs(options.fields) do listed[name] = true end
  for _, name in ipairs(names or {}) do
    if listed[name] then return true end
  end
  return false
end

local function save_with_hooks(class, instance, options, event, how)
  local guard <close> = memory.guard { instance }
  local before = memory.note(instance)
  validated(class, instance, options)
  hooks.run(class, "beforeSave", instance, options)
  hooks.run(class, "before" .. event, instance, options)
  take_hook_changes(class, instance, options, before, how.implied)
  local writes = has_changes(instance, options)
  local result = how.job(instance, options)
  if writes and core.state(instance) ~= "new" then                -- ignoreDuplicates: nothing was inserted
    hooks.run(class, "after" .. event, instance, options)
    hooks.run(class, "afterSave", instance, options)
  end
  return guard:keep(result)
end

--- The ways of saving.
local plainly = { job = nested.save }

--- Saves an instance: validators, hooks, its INSERT or UPDATE, all in one transaction where there are hooks.
-- @param options a table of its own, of `u:save`
-- @param how {implied = its `fields` come from liga, not from the user: what hooks change belongs to them too ·
-- job = function(instance, options) that writes the row · checked = its options are those of another call, which looks
-- at them · verb = "create"}, or nil
-- @return what the job returns: the instance
function write.save(instance, options, how)
  how = how or plainly
  local class = core.class_of(instance)
  local event = core.state(instance) == "new" and "Create" or "Update"
  if not runs_hooks(class, options, saving[event]) then
    check(class, instance, options)
    return how.job(instance, options)
  end
  if not how.checked then core.check_write_options(class, options, how.verb or "save") end
  return operation.atomically(getmetatable(class).db, options, function(t)
    options.transaction = t
    return save_with_hooks(class, instance, options, event, how)
  end)
end

--- Runs the validators over an instance, with their hooks.
function write.validate(instance, options)
  local class = core.class_of(instance)
  if options.hooks == false then return check(class, instance, options) end
  operation.inside(getmetatable(class).db, validated, class, instance, options)
end

-- Other writes -------------------------------------------------------------------------------------------------------

--- Runs a job of one instance between its hooks.
-- @param event "Destroy", "Restore"
-- @param job function(instance, options)
-- @return what the job returns
function write.single(instance, event, options, job)
  local class = core.class_of(instance)
  if not runs_hooks(class, options, { "before" .. event, "after" .. event }) then return job(instance, options) end
  core.check_write_options(class, options, event:lower())
  return operation.atomically(getmetatable(class).db, options, function(t)
    local guard <close> = memory.guard { instance }
    options.transaction = t
    hooks.run(class, "before" .. event, instance, options)
    local result = job(instance, options)
    hooks.run(class, "after" .. event, instance, options)
    return guard:keep(result)
  end)
end

--- Runs a job about many rows between its hooks.
-- @param event "BulkCreate", "Upsert" …
-- @param subject what the hook before is given before the options; nil: only the options
-- @param job function(options) → its results, the first of which the hook after is given instead of the subject
-- @return the results of the job
function write.bulk(class, event, options, subject, job)
  if not runs_hooks(class, options, { "before" .. event, "after" .. event }) then return job(options) end
  return operation.atomically(getmetatable(class).db, options, function(t)
    local guard <close> = memory.guard(event == "BulkCreate" and subject or {})
    options.transaction = t
    if subject == nil then hooks.run(class, "before" .. event, options)
    else hooks.run(class, "before" .. event, subject, options) end
    local results = table.pack(job(plain_copy(options)))
    if subject == nil then hooks.run(class, "after" .. event, options)
    else hooks.run(class, "after" .. event, results[1], options, table.unpack(results, 2, results.n)) end
    return guard:keep(table.unpack(results, 1, results.n))
  end)
end

return write
