--- Association records: names, the object the user sees, its place in the source, the methods it gives.
--
-- Fields of a record: kind (a row of `establish.kinds`) · source, target (classes; target nil while it is not defined)
-- · target_name · read (options) · place · label "User.tasks" · implicit · names {singular, plural} · as ·
-- foreignKey otherKey sourceKey targetKey · through · inverse, pair (records) · object, shown
local compat = require "liga.compat"
local core = require "liga.core"
local errors = require "liga.errors"
local fail = require "liga.define.fail"
local in_step = require "liga.association.in_step"
local inflect = require "liga.inflect"
local journal = require "liga.define.journal"
local readonly = require "liga.readonly"

local record = {}

-- Names --------------------------------------------------------------------------------------------------------------

--- The words of a target that may not be defined yet.
local function target_words(target, target_name, words)
  if target then return getmetatable(target).words end
  return { singular = target_name, plural = words.pluralize(target_name) }
end

--- The words of an association of this model.
-- @param as what the user gave: a name, {singular, plural} or nil
function record.names(source, kind, as, target, target_name)
  local words = compat.words(getmetatable(source).db)
  if type(as) == "table" then return { singular = as.singular, plural = as.plural } end
  if as and kind.many then return { singular = words.singularize(as), plural = as } end
  if as then return { singular = as, plural = words.pluralize(as) } end
  local own = target_words(target, target_name, words)
  return { singular = inflect.lower_first(own.singular), plural = inflect.lower_first(own.plural) }
end

--- The name an association goes by: the plural for the many kinds.
function record.as(kind, names)
  return kind.many and names.plural or names.singular
end

--- Raises if the name is taken by anything but an association.
function record.check_name(place, meta, as)
  if meta.attributes[as] or meta.virtuals[as] then
    place:fail("%s has an attribute named %q already: give the association another name by as", meta.name, as)
  end
  for _, method in ipairs(require "liga.instance".names) do
    if method == as then
      place:fail("%q is the name of an instance method: give the association another name by as", as)
    end
  end
  local own = rawget(meta.class.methods, as)
  local generated = meta.generated[as]
  if own ~= nil and not (generated and generated.method == own) then
    errors.raise("UsageError", ("%s: %s has a method named %q"):format(place.text, meta.name, as),
      { model = meta.name })
  end
end

-- The object ---------------------------------------------------------------------------------------------------------

local function copy(list)
  return list and table.move(list, 1, #list, 1, {}) or nil
end

local function object_of(other)
  return other and other.object or nil
end

--- Writes to the object what is known by now.
function record.show(a)
  local shown = a.shown
  shown.type, shown.source, shown.target, shown.as = a.kind.name, a.source, a.target, a.as
  shown.name = { singular = a.names.singular, plural = a.names.plural }
  shown.isMulti, shown.isSelf = a.kind.many, a.target ~= nil and a.source == a.target
  for _, field in ipairs { "foreignKey", "otherKey", "sourceKey", "targetKey", "accessors" } do
    shown[field] = field == "accessors" and a[field] or copy(a[field])
  end
  shown.through, shown.pairedWith, shown.inverse = a.through, object_of(a.pair), object_of(a.inverse)
end

--- `User.tasks: hasMany Task (userId)`
local function text_of(a)
  local target = a.target and a.target.name or ("%s (not defined yet)"):format(a.target_name)
  local keys = a.foreignKey and table.concat(a.foreignKey, ", ")
  if keys and a.otherKey then
    keys = ("%s; %s through %s"):format(keys, table.concat(a.otherKey, ", "), a.through.name)
  end
  if a.read.path then keys = "through " .. a.read.path end
  return ("%s: %s %s%s"):format(a.label, a.kind.name, target, keys and (" (%s)"):format(keys) or "")
end
record.text = text_of

local meta_of = readonly.meta_of

local function object_index(object, name)
  local value = meta_of(object).data[name]
  if value == nil then return require "liga.association".definers[name] end
  return value
end

local function object_text(object)
  return text_of(meta_of(object).record)
end

local function new_object(a)
  local meta = readonly.meta(a.shown, a.label)
  meta.__index, meta.__tostring, meta.__name = object_index, object_text, "liga.Association"
  meta.record = a
  a.meta = meta
  return setmetatable({}, meta)
end

--- The record behind an association object; nil for anything else.
function record.of(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__name == "liga.Association" and meta.record or nil
end

--- A record for what is wanted (see `establish`), not in its source yet.
function record.new(wanted, names, as)
  local a = {
    kind = wanted.kind, source = wanted.source, target = wanted.target, target_name = wanted.target_name,
    read = wanted.read, place = wanted.place, implicit = wanted.parent ~= nil, parent = wanted.parent,
    names = names, as = as, label = wanted.source.name .. "." .. as, shown = {},
  }
  a.object = new_object(a)
  record.show(a)
  return a
end

-- Its place in the source --------------------------------------------------------------------------------------------

--- Puts the association at the end of its source's.
function record.announce(a)
  local meta = getmetatable(a.source)
  local list, shown = meta.associations, meta.shown_associations
  list[#list + 1], list[a.as] = a, a
  shown[#shown + 1], shown[a.as] = a.object, a.object
  journal.note(function()
    journal.take_out(list, a, a.as)
    journal.take_out(shown, a.object, a.as)
  end)
end

--- Gives the association another name: that of its target was not known before.
function record.rename(a, names, as)
  local meta = getmetatable(a.source)
  for list, item in pairs { [meta.associations] = a, [meta.shown_associations] = a.object } do
    list[a.as], list[as] = nil, item
  end
  a.names, a.as, a.label = names, as, a.source.name .. "." .. as
end

-- Methods ------------------------------------------------------------------------------------------------------------

--- Whether the association may give a method this name: own methods and attributes win, then who came first, but one
-- that liga declared by itself gives way to the user's.
local function may_install(meta, a, name)
  local present, generated = rawget(meta.class.methods, name), meta.generated[name]
  if meta.attributes[name] or meta.virtuals[name] then return false end
  if present == nil then return true end
  if not generated or generated.method ~= present then return false end
  return generated.by == a or generated.weak or generated.by.implicit and not a.implicit
end

--- @param weak whether every other association may take the name
local function install(a, name, method, weak)
  local meta = getmetatable(a.source)
  if not may_install(meta, a, name) then return end
  local methods, before = meta.class.methods, meta.generated[name]
  rawset(methods, name, method)
  meta.generated[name] = { method = method, by = a, weak = weak }
  journal.note(function()
    rawset(methods, name, before and before.method or nil)
    meta.generated[name] = before
  end)
end

--- The methods of a kind by patterns (%S, %P: capitalised singular and plural), for what the core doesn't know yet.
local patterns = {
  [true] = { "get%P", "set%P", "create%S", "add%S", "add%P", "remove%S", "remove%P", "has%S", "has%P", "count%P" },
  [false] = { "get%S", "set%S", "create%S" },
}

--- Those of a path of associations.
local read_patterns = { [true] = { "get%P", "has%S", "has%P", "count%P" }, [false] = { "get%S" } }

--- Installs methods that say which model is missing.
function record.install_stubs(a)
  local function stub() record.missing(a) end
  local words = { S = inflect.upper_first(a.names.singular), P = inflect.upper_first(a.names.plural) }
  for _, pattern in ipairs(a.read.path and read_patterns[a.kind.many] or patterns[a.kind.many]) do install(a,
    (pattern:gsub("%%(.)", words)), stub) end
end

--- Takes an association out of its source, with its methods: another takes its name.
function record.withdraw(a)
  local meta = getmetatable(a.source)
  record.remove_methods(a)
  journal.take_out(meta.associations, a, a.as)
  journal.take_out(meta.shown_associations, a.object, a.as)
end

--- Takes the methods away that an association has given.
function record.remove_methods(a)
  local meta = getmetatable(a.source)
  for name, generated in pairs(meta.generated) do
    if generated.by == a then
      if rawget(meta.class.methods, name) == generated.method then rawset(meta.class.methods, name, nil) end
      meta.generated[name] = nil
    end
  end
end

--- Raises the error of an association whose target is not defined.
function record.missing(a)
  local registry = require "liga.define.registry"
  local db = getmetatable(a.source).db
  if a.read.path and registry.find(db, a.target_name) then require "liga.association.path".missing(a) end
  fail.association(a.source.name, a.as, "the model %q of the association is not defined%s", a.target_name,
    fail.hint(a.target_name, registry.names(db), "the models are"))
end

-- The core -----------------------------------------------------------------------------------------------------------

--- Whether the database itself takes care of the junction rows when the source goes.
function record.has_constraint(a)
  local found = require "liga.define.constraint".find(getmetatable(a.through), a.foreignKey)
  return found ~= nil and found.enabled ~= false
end

local function has_rule(a)
  return a.read.dependent ~= nil or a.kind.name == "belongsToMany" and not record.has_constraint(a)
end

--- Tells the core about a complete association (again, if it has changed) and installs its methods.
function record.register(a)
  local read = a.read
  local ud, accessors, functions = core.association(getmetatable(a.source)[1], {
    kind = a.kind.name, as = a.as, singular = a.names.singular, plural = a.names.plural,
    plain = a.as == record.as(a.kind, record.names(a.source, a.kind, nil, a.target)),
    target = getmetatable(a.target)[1], hops = a.hops, scope = read.scope, where = read.where, order = read.order,
    unique = a.unique, uniqueKey = a.unique_key, path = read.path ~= nil, dependent = read.dependent,
  })
  a.meta[1], a.accessors = ud, accessors
  functions = compat.methods(a, accessors, functions)
  if has_rule(a) then core.set_dependents(getmetatable(a.source)[1], true) end
  for verb, name in pairs(accessors) do install(a, name, in_step.method(a, verb, functions[name])) end
  for alias, name in pairs(compat.aliases(a, accessors)) do
    if not rawget(a.source.methods, alias) then install(a, alias, a.source.methods[name], true) end
  end
  record.show(a)
end

return record
