--- Raising the errors of definitions, with the nearest valid names.
local core = require "liga.core"
local errors = require "liga.errors"

local fail = {}

--- What the message begins with: the model, or the attribute.
local function prefix(model, attribute)
  if not model then return "" end
  return attribute and ("%s.%s: "):format(model, attribute) or model .. ": "
end

local function raiser(name)
  return function(model, attribute, message, ...)
    errors.raise(name, prefix(model, attribute) .. message:format(...), { model = model, attribute = attribute })
  end
end

--- `fail.usage(model, attribute, message, ...)` raises a UsageError about a model and an attribute of it (or nil).
fail.usage = raiser "UsageError"

--- The same for AssociationError.
fail.association = raiser "AssociationError"

local Place = {}
Place.__index = Place

--- Raises the error of the place.
function Place:fail(message, ...)
  errors.raise(self.name, self.text .. ": " .. message:format(...), { model = self.model, attribute = self.attribute })
end

--- A place that errors speak of: `place:fail(message, ...)` raises what belongs to it.
-- @param name "UsageError" for an attribute, "AssociationError" for a declaration
-- @param text how the place reads: `User.age`, `User:hasMany("Task")`
function fail.place(name, text, model, attribute)
  return setmetatable({ name = name, text = text, model = model, attribute = attribute }, Place)
end

--- ` (did you mean "tasks"? it has: tasks, user)`: what stands after an unknown name.
-- @param what what stands before the valid names instead of "it has:"
function fail.hint(name, valid, what)
  local list = #valid > 0 and (what or "it has:") .. " " .. table.concat(valid, ", ") or "there are none"
  local nearest = type(name) == "string" and core.nearest(name, valid) or nil
  if not nearest then return (" (%s)"):format(list) end
  return (" (did you mean %q? %s)"):format(nearest, list)
end

--- How a wrong value is shown: names and numbers as they are, else the kind.
function fail.shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  return type(value)
end

return fail
