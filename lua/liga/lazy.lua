--- Reading associations that are not loaded: `lazy = "batch"` loads them for all instances that one query returned
-- (their cohort), in one query; `lazy = "raise"` says what to include. `batch = true` does the same for getters.
local core = require "liga.core"
local errors = require "liga.errors"
local loading = require "liga.loading"
local record = require "liga.association.record"

local lazy = {}

-- Cohorts ------------------------------------------------------------------------------------------------------------
-- What was loaded for a row waits in its cohort, by what was asked, until the row asks for it itself.

--- Takes what waits for a row.
local function take(cohort, what, row)
  local waiting = cohort[what]
  local value = waiting and waiting[row]
  if value ~= nil then waiting[row] = nil end
  return value
end

--- What is asked of an association for one instance, answered for its whole cohort.
-- @param what under which name the answers wait
-- @param skip name of the association, if rows that have it loaded are left out
-- @return a list, an instance or false
local function read(class, instance, what, include, options, skip)
  local cohort, row = core.row_of(instance)
  if not cohort then return loading.values(class, { instance }, include, options)[1] end
  local value = take(cohort, what, row)
  if value ~= nil then return value end
  local loads = core.load_cohort(class, cohort, include, options, skip)
  cohort[what] = loads[1].values
  cohort[what].include = include                    -- as long as it is there no other object has its address
  value = take(cohort, what, row)
  if value ~= nil then return value end             -- else what links it was not selected
  return loading.values(class, { instance }, include, options)[1]
end

-- Properties ---------------------------------------------------------------------------------------------------------

--- Reads a missing association; what was loaded is the property from then on.
local function load_property(class, instance, name)
  if core.state(instance) ~= "stored" or core.loaded(instance, name) == false then return nil end
  local value = read(class, instance, "." .. name, { association = name }, { lazy = "batch" }, name)
  rawset(instance, name, value or nil)
  core.note_loaded(instance, name, value)
  return value or nil
end

local function refuse(class, instance, name)
  if core.state(instance) ~= "stored" or core.loaded(instance, name) == false then return nil end
  errors.raise("EagerLoadingError", ("%s.%s is not loaded: add include = %q to the find, or load it by u:load(%q) "
    .. "(lazy = \"raise\")"):format(class.name, name, name, name), { model = class.name, path = name })
end

--- An `__index` for instances: methods and virtual attributes as always, then associations.
local function index_with(class, meta, base, missing)
  return function(instance, name)
    local value
    if type(base) == "function" then value = base(instance, name) else value = base[name] end
    if value ~= nil or not meta.associations[name] then return value end
    return missing(class, instance, name)
  end
end

--- A model has been defined.
-- @param base what its instances look in for what they don't hold
function lazy.declare(class, meta, base)
  core.set_lazy(meta[1], meta.options.lazy or meta.db._.lazy or "off", {
    batch = index_with(class, meta, base, load_property), raise = index_with(class, meta, base, refuse),
  })
end

local modes = { off = true, batch = true, raise = true }

--- Checks the option of connections and models.
function lazy.check(what, given)
  if given == nil or modes[given] then return given end
  errors.raise("UsageError", ('%s: lazy must be "off", "batch" or "raise", got %s'):format(what, errors.text(given)),
    { path = "lazy" })
end

-- Getters ------------------------------------------------------------------------------------------------------------

--- The text that equal options have in common. Of models and associations it is which object they are.
local function signature(value, depth)
  if type(value) == "string" then return ("%q"):format(value) end
  local operands = core.operands(value)
  if operands then return tostring(value) .. signature(operands, depth + 1) end
  if type(value) ~= "table" or depth > 32 then return tostring(value) end
  if core.is_class(value) or record.of(value) then return ("%p"):format(value) end
  local parts = {}
  for key, each in next, value do
    parts[#parts + 1] = signature(key, depth + 1) .. "=" .. signature(each, depth + 1)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local not_of_includes = { batch = true, transaction = true, logging = true, raw = true, hooks = true, lazy = true }

--- A getter or count with `batch = true`.
-- @param verb "get" or "count"
function lazy.read_batch(instance, options, name, verb)
  local class = core.class_of(instance)
  local include, calling = { association = name }, { transaction = options.transaction, logging = options.logging }
  for option, value in next, options do
    if not not_of_includes[option] then include[option] = value end
  end
  if verb == "count" then include.attributes = class:association(name).target.primaryKey end
  if core.state(instance) ~= "stored" then
    errors.raise("InstanceError", ("this %s is not stored yet: save it first"):format(class.name), {
      model = class.name })
  end
  local value = read(class, instance, verb .. " " .. name .. signature(include, 0), include, calling)
  if verb == "count" then return #value end
  return value or nil
end

return lazy
