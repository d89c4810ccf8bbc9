--- Getters and setters of attributes, and VIRTUAL attributes: they have no column and are never keys of an instance.
--
--   set = function(self, value) return stored end   in build, create, update and u:set; VIRTUAL: also on assignment
--   get = function(self, stored) return shown end   in u:get, toTable, liga.json.encode; VIRTUAL: also as u.name
local core = require "liga.core"
local errors = require "liga.errors"
local journal = require "liga.define.journal"

local virtual = {}

-- Reading declarations -----------------------------------------------------------------------------------------------

local allowed = { type = true, get = true, set = true, validate = true, comment = true }

--- Checks the options of a VIRTUAL attribute: what is about a column has no place.
function virtual.check(model, name, given)
  for option in next, given do
    if not allowed[option] then
      errors.raise("UsageError",
        ("%s.%s: a VIRTUAL attribute has no column, so %s has no meaning"):format(model, name, errors.text(option)),
        { model = model, attribute = name, path = errors.text(option) })
    end
  end
end

--- The records of a model that have a getter, in order; VIRTUAL ones among them.
local function shown_records(meta)
  return meta.getters
end

--- Puts an attribute that has a getter or a setter into the model's lists of these.
function virtual.learn(meta, record)
  for option, list in pairs { get = meta.getters, set = meta.setters } do
    if record.given[option] and not list[record] then
      list[#list + 1], list[record] = record, true
      journal.note(function() journal.take_out(list, record, record) end)
    end
  end
end

--- Sorts out what a model declares.
-- @param virtuals records of the VIRTUAL attributes, in order; also found by name in `meta.virtuals`
function virtual.declare(meta, virtuals)
  meta.virtuals, meta.getters, meta.setters = {}, {}, {}
  for _, record in ipairs(virtuals) do
    meta.virtuals[#meta.virtuals + 1], meta.virtuals[record.name] = record, record
    meta.shown_attributes[#meta.shown_attributes + 1] = record.view
    meta.shown_attributes[record.name] = record.view
  end
  for _, list in ipairs { meta.attributes, virtuals } do
    for _, record in ipairs(list) do virtual.learn(meta, record) end
  end
end

-- Instances ----------------------------------------------------------------------------------------------------------

local function shown_value(self, record, stored)
  return record.given.get(self, stored)
end

--- The value of an attribute as its getter shows it.
-- @return whether there is a getter, the value
function virtual.get(class, self, name)
  local meta = getmetatable(class)
  local record = type(name) == "string" and (meta.virtuals[name] or meta.attributes[name])
  if not record or not record.given.get then return record ~= false and meta.virtuals[name] ~= nil, nil end
  return true, shown_value(self, record, rawget(self, name))
end

--- Lets the setter of an attribute take a value; without one the value itself is stored.
function virtual.set(class, self, name, value)
  local meta = getmetatable(class)
  local record = meta.virtuals[name] or meta.attributes[name]
  local setter = record and record.given.set
  if setter and value == core.null then value = nil end
  if meta.virtuals[name] then
    if not setter then
      errors.raise("UsageError", ("%s.%s is VIRTUAL and has no set: it can't be assigned"):format(class.name, name),
        { model = class.name, attribute = name })
    end
    setter(self, value)
  elseif setter and not core.is_expression(value) then
    local stored = setter(self, value)
    rawset(self, name, stored == nil and core.null or stored)
  else
    rawset(self, name, value)
  end
end

--- Sets values in the order of the attributes, so that a setter sees what stands before it.
-- @param values name → value; names that are no attributes are left to others
function virtual.set_all(class, self, values)
  local meta = getmetatable(class)
  for _, list in ipairs { meta.attributes, meta.virtuals } do
    for _, record in ipairs(list) do
      local value = rawget(values, record.name)
      if value ~= nil then virtual.set(class, self, record.name, value) end
    end
  end
end

--- Whether values have to pass setters.
function virtual.has_setters(class)
  local meta = getmetatable(class)
  return #meta.setters > 0 or #meta.virtuals > 0
end

--- The parts of values that name VIRTUAL attributes, and the rest.
function virtual.split(class, values)
  local meta, virtuals, rest = getmetatable(class), {}, {}
  for name, value in next, values do
    local into = meta.virtuals[name] and virtuals or rest
    into[name] = value
  end
  return virtuals, rest
end

--- Writes what getters show of an instance into a copy of it; without a value nothing.
-- @param keep function(value) that makes the value part of the copy
function virtual.show(class, self, copy, keep)
  for _, record in ipairs(shown_records(getmetatable(class))) do
    if record.virtual or core.is_selected(self, record.name) then
      local value = shown_value(self, record, rawget(self, record.name))
      if value == nil then value = copy[record.name] == core.null and core.null or nil end
      copy[record.name] = value ~= nil and keep(value) or value
    end
  end
end

--- What an encoder writes in place of an instance.
local function shown_copy(class)
  return function(self)
    local copy = {}
    for name, value in next, self do copy[name] = value end
    virtual.show(class, self, copy, function(value) return value end)
    return copy
  end
end

--- The metamethods of a model's instances; those of all instances, where there is nothing to add.
function virtual.metamethods(meta, common)
  if #meta.getters == 0 and #meta.virtuals == 0 then return common end
  local class, own = meta.class, {}
  for name, method in pairs(common) do own[name] = method end
  own.__shown = shown_copy(class)
  if #meta.virtuals == 0 then return own end
  local methods, virtuals = class.methods, {}
  for _, record in ipairs(meta.virtuals) do virtuals[record.name] = record end        -- an integer is no name
  function own.__index(self, name)
    local record = virtuals[name]
    if not record then return methods[name] end
    if record.given.get then return shown_value(self, record, nil) end
  end
  function own.__newindex(self, name, value)
    if virtuals[name] then virtual.set(class, self, name, value) else rawset(self, name, value) end
  end
  return own
end

return virtual
