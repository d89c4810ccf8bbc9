--- Associations: the definers, the declarative form, forward references.
local constraint = require "liga.define.constraint"
local errors = require "liga.errors"
local establish = require "liga.association.establish"
local fail = require "liga.define.fail"
local hooks = require "liga.hooks"
local index = require "liga.define.index"
local journal = require "liga.define.journal"
local options = require "liga.options"
local reading = require "liga.association.options"
local record = require "liga.association.record"
local registry = require "liga.define.registry"
require "liga.association.kinds"
require "liga.association.junction"

local association = {}

-- Declaring ----------------------------------------------------------------------------------------------------------

--- How a declaration reads in messages: `User:hasMany("Task")`.
local function place_of(source, kind, target)
  local name = registry.is_model(target) and target.name or target
  return fail.place("AssociationError", ("%s:%s(%s)"):format(source.name, kind, fail.shown(name)), source.name)
end

--- The target as a class, or as the name of one that is not defined yet.
local function read_target(place, db, target)
  if registry.is_model(target) then
    if getmetatable(target).db ~= db then
      errors.raise("UsageError", ("%s: %s is a model of another connection"):format(place.text, target.name))
    end
    if rawget(getmetatable(target), "scoped") then
      place:fail("the target is %s: give the model; what always holds stands in where and order of the "
        .. "association, and its getters take scope", tostring(target))
    end
    return getmetatable(target).class, target.name
  end
  if type(target) ~= "string" or target == "" then
    place:fail("the target must be a model or the name of one, got %s", fail.shown(target))
  end
  return registry.find(db, target), target
end

local function declare(source, kind, target, read, place)
  local class, name = read_target(place, getmetatable(source).db, target)
  return establish.now {
    kind = establish.kinds[kind], source = source, target = class, target_name = name, read = read, place = place,
  }
end

--- The model that a definer was called on: a class, or the source of an association.
local function source_of(self, kind)
  local a = record.of(self)
  if a then return a.source end
  if registry.is_model(self) then return self end
  errors.usage("%s must be called on a model: User:%s(Task), with a colon; got %s", kind, kind, fail.shown(self))
end

--- What the hooks of a declaration are told.
local function told(source, kind, target, given, a)
  return {
    source = source, target = target, type = kind, options = options.copy(type(given) == "table" and given or nil),
    association = a and a.object, implicit = a ~= nil and a.implicit,
  }
end

--- The inverse that a declaration has made by itself.
local function run_inverse_hooks(a)
  local inverse = a.inverse or a.pair
  if not inverse or inverse.parent ~= a then return end
  local subject = told(inverse.source, inverse.kind.name, inverse.target, nil, inverse)
  hooks.run(inverse.source, "beforeAssociate", subject)
  hooks.run(inverse.source, "afterAssociate", subject)
end

--- Declares an association; with the option `hooks` between those of Associate, also for the inverse. Where one of them
-- fails there is no association.
local function declare_with_hooks(source, kind, target, read, place, given)
  if not read.hooks then return journal.run(declare, source, kind, target, read, place) end
  local subject = told(source, kind, target, given)
  hooks.run(source, "beforeAssociate", subject)
  return journal.run(function()
    local a = declare(source, kind, target, read, place)
    run_inverse_hooks(a)
    subject.target, subject.association = a.target or target, a.object
    hooks.run(source, "afterAssociate", subject)
    return a
  end)
end

local function definer(kind)
  return function(self, target, given)
    local source = source_of(self, kind)
    local actual = reading.kind(kind, given)
    local place = place_of(source, kind, target)
    local read = reading.read(place, actual, given)
    return declare_with_hooks(source, actual, target, read, place, given).object
  end
end

--- What models and associations call: `User:hasMany(Task, options)`; each returns the association.
association.definers = {}
for _, kind in ipairs { "belongsTo", "hasOne", "hasMany", "belongsToMany" } do
  association.definers[kind] = definer(kind)
end

-- Among the attributes -----------------------------------------------------------------------------------------------

local Marker = { __name = "liga.marker" }
local last_serial = 0

--- `liga.belongsTo("Post", options)`: an association that stands among the attributes of `define`.
function association.marker(kind, target, given)
  last_serial = last_serial + 1
  return setmetatable({ kind = kind, target = target, given = given, serial = last_serial }, Marker)
end

--- Whether a value is such an association.
function association.is_marker(value)
  return type(value) == "table" and getmetatable(value) == Marker
end

--- Checks an association that stands among the attributes, before the model is made.
function association.read_marker(meta, name, marker)
  local source = { name = meta.name }
  local place = place_of(source, marker.kind, marker.target)
  local kind = reading.kind(marker.kind, marker.given)
  local read = reading.read(place, kind, marker.given)
  local as = read.as
  if type(as) == "table" then as = record.as(establish.kinds[kind], as) end
  if as ~= nil and as ~= name then
    place:fail("stands under the name %q, but as is %q", name, as)
  end
  read.as = read.as or name
  return { kind = kind, target = marker.target, read = read, place = place, serial = marker.serial,
    given = marker.given }
end

--- Declares an association that `read_marker` has checked.
function association.declare_marker(class, marker)
  declare_with_hooks(class, marker.kind, marker.target, marker.read, marker.place, marker.given)
end

-- Finding ------------------------------------------------------------------------------------------------------------

--- The association of a model by its name; raises naming the nearest.
function association.find(class, name)
  local meta = getmetatable(class)
  local a = meta.associations[name]
  if a then return a.object end
  local names = {}
  for i, other in ipairs(meta.associations) do names[i] = other.as end
  fail.usage(class.name, nil, "no association %s%s", fail.shown(name), fail.hint(name, names))
end

-- Forward references -------------------------------------------------------------------------------------------------

local function is_waiting(a)
  return not a.complete
end

local function forget_complete(definitions)
  local still = {}
  for _, a in ipairs(definitions.associations) do
    if is_waiting(a) then still[#still + 1] = a end
  end
  definitions.associations = still
end

--- A model was defined: completes the associations that waited for it.
function association.defined(db, class)
  local definitions = registry.of(db)
  for _, a in ipairs(table.move(definitions.associations, 1, #definitions.associations, 1, {})) do
    if is_waiting(a) and a.target_name == class.name then establish.resolve(a, class) end
  end
  forget_complete(definitions)
end

--- Completes everything that can be, and raises for what is still open (of one model, if `only` is given):
-- associations and references to models that are not defined, indexes over attributes that are not there.
function association.resolve(db, only)
  local definitions = registry.of(db)
  for _, a in ipairs(table.move(definitions.associations, 1, #definitions.associations, 1, {})) do
    local target = is_waiting(a) and registry.find(db, a.target_name)
    if target then establish.resolve(a, target) end
  end
  forget_complete(definitions)
  for _, a in ipairs(definitions.associations) do
    if only == nil or a.source == only then record.missing(a) end
  end
  constraint.finish(db, only)
  for _, class in ipairs(definitions.classes) do
    if only == nil or class == only then index.finish(getmetatable(class)) end
  end
end

--- Raises if a model has associations whose targets are not defined; what a finder calls first.
function association.check(class)
  local meta = getmetatable(class)
  if not meta.pending then return end
  for _, a in ipairs(table.move(meta.associations, 1, #meta.associations, 1, {})) do
    local target = is_waiting(a) and registry.find(meta.db, a.target_name)
    if target then establish.resolve(a, target) end
    if is_waiting(a) then record.missing(a) end
  end
  forget_complete(registry.of(meta.db))
end

return association
