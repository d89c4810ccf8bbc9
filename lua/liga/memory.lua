--- What instances were before a write, so that they are it again where the write is taken back.
local core = require "liga.core"
local copy = require "liga.options".copy

local memory = {}

--- What a stored instance was read or written with, by attribute; nil for one that is not stored.
local function originals_of(instance)
  if core.state(instance) ~= "stored" then return nil end
  local originals = {}
  for _, attribute in ipairs(getmetatable(core.class_of(instance)).attributes) do
    if core.is_selected(instance, attribute.name) then
      originals[attribute.name] = { value = core.previous(instance, attribute.name) }
    end
  end
  return originals
end

local function remember(instance)
  return { metatable = getmetatable(instance), fields = copy(instance), originals = originals_of(instance) }
end

local function bring_back(instance, memo)
  for name in next, instance do rawset(instance, name, nil) end
  for name, value in next, memo.fields do rawset(instance, name, value) end
  setmetatable(instance, memo.metatable)
  for name, original in pairs(memo.originals or {}) do core.set_original(instance, name, original.value) end
end

-- Noting ------------------------------------------------------------------------------------------------------------

--- What an instance holds, to be compared with what it holds later.
-- @return {fields = copy of the instance, dirty = set of the names of tables that differ from what is stored}
function memory.note(instance)
  local noted = { fields = copy(instance), dirty = {} }
  local attributes = getmetatable(core.class_of(instance)).attributes
  for name, value in next, noted.fields do
    if type(value) == "table" and attributes[name] then noted.dirty[name] = core.changed(instance, name) end
  end
  return noted
end

--- The names of the attributes that have been assigned since, or in whose table something has changed.
-- @param noted what `note` gave
function memory.changed_since(instance, noted)
  local names = {}
  for _, attribute in ipairs(getmetatable(core.class_of(instance)).attributes) do
    local name = attribute.name
    local value = rawget(instance, name)
    local assigned = not rawequal(value, noted.fields[name])
    local differs = noted.dirty[name] == false and core.changed(instance, name)
    if assigned or differs then names[#names + 1] = name end
  end
  return names
end

-- Guarding -----------------------------------------------------------------------------------------------------------

local Guard = {}
Guard.__index = Guard

--- The write has succeeded: the instances stay as they are now.
-- @return the arguments
function Guard:keep(...)
  self.kept = true
  return ...
end

-- Also when a coroutine is closed on the way.
function Guard:__close()
  if self.kept then return end
  self.kept = true
  if self.undone then self.undone() end
  for i, instance in ipairs(self.instances) do bring_back(instance, self.memos[i]) end
end

--- A variable to be closed that brings the instances back unless `keep` was called; its function `undone`, if it was
-- given one, is called then.
function memory.guard(instances)
  local memos = {}
  for i, instance in ipairs(instances) do memos[i] = remember(instance) end
  return setmetatable({ instances = instances, memos = memos }, Guard)
end

return memory
