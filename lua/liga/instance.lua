--- The methods of instances. Instances are plain tables; what belongs to them hangs on their metatable.
local core = require "liga.core"
local errors = require "liga.errors"
local loading = require "liga.loading"
local memory = require "liga.memory"
local nested = require "liga.nested"
local option_tables = require "liga.options"
local virtual = require "liga.virtual"

local instance = { methods = {}, metamethods = {} }
local methods = instance.methods

local function class_of(self, method)
  local class = core.class_of(self)
  if not class then
    errors.usage("an instance expected as self of %s, got %s (call it with a colon: instance:%s(…))", method,
      type(self), method)
  end
  return class
end

--- The attribute of this name, VIRTUAL ones among them.
local function attribute_of(class, name)
  local attribute = type(name) == "string" and class.attributes[name]
  if attribute then return attribute end
  local association = type(name) == "string" and class.associations[name]
  if association then
    local verbs = association.accessors
    errors.usage("%s: %q is an association, not an attribute: use %s%s", class.name, name, verbs.get,
      verbs.set and " or " .. verbs.set or "")
  end
  local names = {}
  for i, other in ipairs(class.attributes) do names[i] = other.name end
  errors.raise("UsageError", ("%s has no attribute %s%s"):format(class.name, errors.shown(name),
    option_tables.hint(name, names)), { model = class.name, path = errors.text(name) })
end

-- Writing ------------------------------------------------------------------------------------------------------------

--- Writes what changed since the instance was read; inserts a new one. Raises ValidationError for values, UsageError
-- for keys that are no attributes and for an assigned primary key, InstanceError if the row has vanished or the key
-- is not complete, and the constraint errors of the database.
-- @param options {fields, validate, silent, transaction, logging}, or nil
-- @return the instance
function methods:save(options)
  class_of(self, "save")
  return nested.save(self, options)
end

local function set_all(class, self, values)
  if virtual.has_setters(class) then return virtual.set_all(class, self, values) end
  for name, value in next, values do rawset(self, name, value) end
end

--- Sets one value, or several from a table; UsageError for an unknown attribute. Nothing is written.
-- @param name an attribute, or a table {attribute = value}
-- @return the instance
function methods:set(name, value)
  local class = class_of(self, "set")
  if type(name) == "table" then
    for key in next, name do attribute_of(class, key) end
    set_all(class, self, name)
  else
    virtual.set(class, self, attribute_of(class, name).name, value)
  end
  return self
end

--- Checks the names of values that rows get one by one: the key of a stored instance stays.
function instance.check_assigned(class, values)
  if type(values) ~= "table" then
    errors.usage("%s: update expects a table of values, got %s", class.name, type(values))
  end
  for name in next, values do
    if getmetatable(class).key[attribute_of(class, name).name] then
      errors.usage("%s.%s: keys are changed without individualHooks", class.name, name)
    end
  end
end

--- The names of values that have a column.
local function names_of(class, values)
  local names, virtuals = {}, getmetatable(class).virtuals
  for name in next, values do
    if not virtuals[name] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Adds the names of what setters changed beside the values.
local function add_set_by_setters(self, values, before, names)
  for _, name in ipairs(memory.changed_since(self, before)) do
    if values[name] == nil then table.insert(names, name) end
  end
end

--- The first half of `update`: sets the values and says what is to be written.
-- @param options of the call, a table of its own; gets `fields` where it has none
-- @return whether these are liga's own: what setters changed is among them
function instance.assign(self, values, options)
  local class = core.class_of(self)
  if type(values) ~= "table" then
    errors.usage("%s: update expects a table of values, got %s", class.name, type(values))
  end
  local before = virtual.has_setters(class) and memory.note(self)
  methods.set(self, values)
  if options.fields ~= nil or core.state(self) == "new" then return false end
  options.fields = names_of(class, values)
  if before then add_set_by_setters(self, values, before, options.fields) end
  return true
end

--- Sets values and writes just these; raises as `save`.
-- @param values {attribute = value}
-- @param options as save
-- @return the instance
function methods:update(values, options)
  local class = class_of(self, "update")
  option_tables.expect_table(class.name, options, "update")
  local saving = option_tables.copy(options)
  instance.assign(self, values, saving)
  return nested.save(self, saving)
end

--- Deletes the row, after what the option `dependent` of associations asks for. Raises InstanceError if there is no
-- row, AssociationError for `dependent = "restrict"`.
-- @param options {force, dependent (false: not what associations ask for), hooks, silent, transaction, logging}, or nil
-- @return the instance
function methods:destroy(options)
  class_of(self, "destroy")
  return core.destroy(self, options)
end

--- Reads the row anew, with the attributes it was read with, and what is loaded of its associations with the options
-- it was loaded with (`include` in its place); InstanceError if the row has vanished.
-- @param options as findOne, or nil
-- @return the instance
function methods:reload(options)
  return loading.reload(class_of(self, "reload"), self, options)
end

--- Loads an association; what was loaded is replaced. Raises EagerLoadingError for what is wrong in the options,
-- InstanceError if the instance is not stored.
-- @param what the name of the association, or the association itself
-- @param options of an include, and transaction, logging; or nil
-- @return what was loaded: a list, an instance or nil
function methods:load(what, options)
  return loading.load(class_of(self, "load"), self, what, options)
end

--- Whether an association is loaded, be it that there is no row.
-- @param name of the association
-- @return a boolean
function methods:isLoaded(name)
  return loading.is_loaded(class_of(self, "isLoaded"), self, name)
end

--- Adds in the database, so that concurrent additions don't get lost; the instance gets the new values. Raises
-- UsageError for what is no number, InstanceError if the row has vanished.
-- @param what an attribute, a list of them, or a table {attribute = amount}
-- @param options {by = 1, silent, transaction, logging}, or nil
-- @return the instance
function methods:increment(what, options)
  class_of(self, "increment")
  return core.increment(self, what, options)
end

--- Subtracts; see increment.
function methods:decrement(what, options)
  class_of(self, "decrement")
  return core.decrement(self, what, options)
end

--- Checks the values without writing them.
function methods:validate(options)
  class_of(self, "validate")
  core.validate(self, options)
  return self
end

-- Reading ------------------------------------------------------------------------------------------------------------

local copy_deep

--- Of metatables only those are kept that tell an empty list from an empty object.
local function empty_like(value)
  local metatable = getmetatable(value)
  local is_list = type(metatable) == "table" and rawget(metatable, "__jsontype") == "array"
  return is_list and setmetatable({}, metatable) or {}
end

local function copy_into(copy, value, nulls, seen)
  if seen[value] or seen.depth == 200 then
    errors.usage "toTable: the values contain themselves, or are nested too deeply"
  end
  seen[value], seen.depth = true, seen.depth + 1
  for key, each in next, value do copy[key] = type(each) == "table" and copy_deep(each, nulls, seen) or each end
  seen[value], seen.depth = nil, seen.depth - 1
  return copy
end

--- A plain copy of a table or instance and of what is in it.
function copy_deep(value, nulls, seen)
  local class = core.class_of(value)
  if not class then return copy_into(empty_like(value), value, nulls, seen) end
  local copy = {}
  if nulls then
    for _, attribute in ipairs(getmetatable(class).attributes) do
      if core.is_selected(value, attribute.name) then copy[attribute.name] = core.null end
    end
    for _, association in ipairs(class.associations) do
      if core.loaded(value, association.as) == false then copy[association.as] = core.null end
    end
  end
  copy_into(copy, value, nulls, seen)
  virtual.show(class, value, copy, function(shown)
    return type(shown) == "table" and copy_deep(shown, nulls, seen) or shown
  end)
  return copy
end

--- A deep plain copy, without metatables but those that mark lists.
-- @param options {nulls = true}: NULLs as liga.null; or nil
-- @return the copy
function methods:toTable(options)
  class_of(self, "toTable")
  option_tables.expect_table("toTable", options)
  option_tables.check("toTable", options or {}, { nulls = true })
  option_tables.kind("toTable", options or {}, "nulls", "boolean")
  return copy_deep(self, options and options.nulls, { depth = 0 })
end

--- One value; UsageError for an unknown name. Or a plain copy of all.
-- @param what the name of an attribute or of what else the instance holds; {plain = true, nulls}; or nil: a copy
-- @return the value, or the copy
function methods:get(what)
  local class = class_of(self, "get")
  if what == nil then return self:toTable() end
  if type(what) == "table" then
    option_tables.check("get", what, { plain = true, nulls = true })
    option_tables.kind("get", what, "plain", "boolean")
    return self:toTable { nulls = what.nulls }
  end
  local shown, value = virtual.get(class, self, what)
  if shown then return value end
  value = rawget(self, what)
  if value == nil then attribute_of(class, what) end
  return value
end

--- What differs from what is stored; of an instance that is not stored, all that it holds.
-- @param name an attribute, or nil for all
-- @return whether it changed; without a name the list of names, or nil
function methods:changed(name)
  local class = class_of(self, "changed")
  if name == nil then return core.changed(self) end
  local attribute = attribute_of(class, name).name
  if getmetatable(class).virtuals[attribute] then return false end
  return core.changed(self, attribute)
end

--- The value that is stored, as it was read or last written; nil for NULL, and where it is not known.
-- @param name an attribute
function methods:previous(name)
  local class = class_of(self, "previous")
  local attribute = attribute_of(class, name).name
  if getmetatable(class).virtuals[attribute] then return nil end
  return core.previous(self, attribute)
end

--- Whether there is no row for it yet.
function methods:isNew()
  class_of(self, "isNew")
  return core.state(self) == "new"
end

--- The condition that names its row; InstanceError without a full key.
-- @return {attribute = value} of the primary key
function methods:where()
  local class = class_of(self, "where")
  local key = core.stored_key(self)
  if not key then
    errors.raise("InstanceError", ("this %s has no complete key"):format(class.name), { model = class.name })
  end
  local where = {}
  for place, name in ipairs(class.primaryKey) do where[name] = key[place] end
  return where
end

--- Same model and key; it needs no database. Without a full key an instance equals only itself.
local function same_row(a, b)
  if rawequal(a, b) then return true end
  local class = core.class_of(a)
  if not class or class ~= core.class_of(b) or #class.primaryKey == 0 then return false end
  for _, name in ipairs(class.primaryKey) do
    local value = rawget(a, name)
    if value == nil or value == core.null or value ~= rawget(b, name) then return false end
  end
  return true
end

--- Whether another instance stands for the same row; anything else is not equal.
-- @return a boolean
function methods:equals(other)
  class_of(self, "equals")
  return type(other) == "table" and same_row(self, other)
end

--- Makes the row count again that was only marked as deleted; raises UsageError where the model is not paranoid.
-- @param options {silent, hooks, transaction, logging}, or nil
-- @return the instance
function methods:restore(options)
  class_of(self, "restore")
  return core.restore(self, options)
end

-- Metamethods --------------------------------------------------------------------------------------------------------

instance.metamethods.__eq = same_row
instance.metamethods.__name = "liga.Instance"

--- One line; long texts are cut.
local function shown(name, value)
  if type(value) == "table" then return name .. "=table" end
  if type(value) ~= "string" then return ("%s=%s"):format(name, tostring(value)) end
  local cut = #value > 60 and value:sub(1, (utf8.offset(value, 0, 61) or 61) - 1) .. "…" or value
  return name .. "=" .. ("%q"):format(cut):gsub("\\\n", "\\n")
end

local texts = { STRING = true, TEXT = true, CHAR = true, CITEXT = true, ENUM = true, UUID = true }

--- `User{id=7, username="ann"}`: the key and the first text.
function instance.metamethods.__tostring(self)
  local class = core.class_of(self)
  if not class then return "instance" end
  local parts, keys = {}, {}
  for _, name in ipairs(class.primaryKey) do
    keys[name] = true
    parts[#parts + 1] = shown(name, rawget(self, name))
  end
  for _, attribute in ipairs(class.attributes) do
    local value = rawget(self, attribute.name)
    if not keys[attribute.name] and type(value) == "string" and texts[attribute.type.name] then
      parts[#parts + 1] = shown(attribute.name, value)
      break
    end
  end
  return ("%s{%s}"):format(class.name, table.concat(parts, ", "))
end

--- The names of all instance methods: no attribute may have one of them.
instance.names = {}
for name in pairs(methods) do instance.names[#instance.names + 1] = name end
table.sort(instance.names)

return instance
