--- What the core hands over where your code has to run, or several calls belong together.
local core = require "liga.core"
local errors = require "liga.errors"
local record = require "liga.association.record"
local transaction = require "liga.transaction"

local handlers = {}

-- Defaults by function -----------------------------------------------------------------------------------------------

--- Values with the defaults that functions give; the caller's table is left alone.
function handlers.fill_defaults(class, values)
  if values ~= nil and (type(values) ~= "table" or core.state(values)) then return values end
  local filled = {}
  for name, value in next, values or {} do filled[name] = value end
  for name, default in pairs(getmetatable(class).defaults) do
    if filled[name] == nil then filled[name] = default() end
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

--- Saves unsaved targets and then links them, together.
-- @param accessor the method that was called
-- @param presets what the association writes into targets: key and scope
function handlers.associate(accessor, source, targets, options, presets)
  local unsaved = without_repeats(unsaved_in(targets))
  local class = core.class_of(unsaved[1])
  return transaction.atomically(getmetatable(class).db, options, function()
    for _, target in ipairs(unsaved) do
      for name, value in next, presets do target[name] = value end
    end
    if #unsaved == 1 then core.save(unsaved[1]) else class:bulkCreate(unsaved) end
    return accessor(source, targets, options)
  end)
end

-- Dependents ---------------------------------------------------------------------------------------------------------

local function with(options, more)
  local merged = {}
  for name, value in next, options or {} do merged[name] = value end
  for name, value in pairs(more) do merged[name] = value end
  return merged
end

--- The condition for the rows of an association that belong to one of these sources.
local function condition(association, sources)
  local alternatives = {}
  for i, source in ipairs(sources) do
    local keys = {}
    for place, name in ipairs(association.foreignKey) do
      local value = source[association.sourceKey[place]]
      keys[name] = value == nil and core.null or value
    end
    alternatives[i] = keys
  end
  return { { [core.Op.or_] = alternatives }, association.read.scope }
end

local rules = {} -- by value of `dependent`; each gets the record of an association

rules["delete"] = function(association, where, options)
  association.target:destroy(with(options, { where = where }))
end

function rules.nullify(association, where, options)
  local values = {}
  for _, name in ipairs(association.foreignKey) do values[name] = core.null end
  association.target:update(values, with(options, { where = where }))
end

function rules.restrict(association, where, options)
  if not association.target:exists { where = where, transaction = options and options.transaction } then return end
  errors.raise("AssociationError", ("%s can't be destroyed: rows of %s still belong to it (dependent = \"restrict\")"):format(
    association.source.name, association.label), { model = association.source.name })
end

--- Junction rows that no constraint takes away.
local function unlink(association, where, options)
  association.through:destroy(with(options, { where = where[1] }))
end

local function rule_of(association)
  if association.read.dependent then return rules[association.read.dependent] end
  if association.kind.name == "belongsToMany" and not record.has_constraint(association) then return unlink end
end

--- All restrictions are looked at before anything is changed.
local function apply_rules(class, sources, options)
  for _, restricting in ipairs { true, false } do
    for _, association in ipairs(getmetatable(class).associations) do
      local rule = rule_of(association)
      if rule and (rule == rules.restrict) == restricting then rule(association, condition(association, sources), options) end
    end
  end
end

local function only_call_options(options)
  return { transaction = options and options.transaction, logging = options and options.logging }
end

--- What has to happen to dependents comes first, in one transaction.
function handlers.destroy_instance(instance, options)
  local class = core.class_of(instance)
  return transaction.atomically(getmetatable(class).db, options, function()
    apply_rules(class, { instance }, only_call_options(options))
    return core.destroy(instance, options, true)
  end)
end

function handlers.destroy_where(class, options)
  return transaction.atomically(getmetatable(class).db, options, function()
    local sources = class:findAll { where = options and options.where, limit = options and options.limit,
      transaction = options and options.transaction }
    if #sources > 0 then apply_rules(class, sources, only_call_options(options)) end
    return core.class_methods.destroy(class, options, true)
  end)
end

--- A model is used before those it refers to are defined.
function handlers.check_pending(class)
  require "liga.association".check(class)
end

core.set_handlers(handlers)

return handlers
