--- The error objects of liga: everything raises one of them.
local core = require "liga.core"

local errors = {}

local Error = core.error_metatable
Error.__name = "liga.Error"

--- One readable sentence; a wrong use says where it stands.
function Error.__tostring(e)
  if type(e) ~= "table" then return "liga.Error" end
  local text = ("%s: %s"):format(e.name or "Error", errors.text(e.message))
  return e.name == "UsageError" and e.source and ("%s: %s"):format(e.source, text) or text
end

--- Errors are put behind words as texts are: `"can't save: " .. e`.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

errors.Error = Error

--- How a name that may be anything reads in a message: names and numbers as they are, of tables and functions the kind,
-- as their own __tostring is not ours to call.
function errors.text(value)
  local kind = type(value)
  return (kind == "table" or kind == "function" or kind == "thread") and kind or tostring(value)
end

--- The same with texts in quotes.
function errors.shown(value)
  return type(value) == "string" and ("%q"):format(value) or errors.text(value)
end

--- Raises an error object.
-- @param name "UsageError", "ValidationError" …
-- @param message one sentence: the thing, the place, the way out
-- @param fields more fields of the object (model, attribute, path …), or nil
function errors.raise(name, message, fields)
  core.raise(name, (message:gsub("%z", "\\0")), fields)
end

--- Raises a UsageError.
-- @param format of the message, for string.format
function errors.usage(format, ...)
  errors.raise("UsageError", format:format(...))
end

--- Whether a value is an error object of liga.
-- @param name only of this name, or nil
-- @return a boolean
function errors.is(value, name)
  return type(value) == "table" and getmetatable(value) == Error and (name == nil or rawget(value, "name") == name)
end

return errors
