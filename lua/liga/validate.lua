--- Validation: the validators of attributes and models, run together with the core's own checks; all faults are raised
-- in one ValidationError.
local core = require "liga.core"
local errors = require "liga.errors"
local fail = require "liga.define.fail"
local library = require "liga.validate.validators"

local validate = {}

-- Declarations -------------------------------------------------------------------------------------------------------

local function sorted_names(given)
  local names = {}
  for name in next, given do names[#names + 1] = name end
  table.sort(names, function(a, b) return errors.text(a) < errors.text(b) end)
  return names
end

--- Reads `validate` of an attribute.
-- @return list of validators in order of their names
function validate.read(model, attribute, given)
  library.check_table(model .. "." .. attribute, given)
  local list = {}
  for _, name in ipairs(sorted_names(given)) do
    list[#list + 1] = library.read(name, given[name], function(...) fail.usage(model, attribute, ...) end)
  end
  return list
end

--- Checks `validate` of a model: name → function(instance).
function validate.check_model(model, given)
  library.check_table(model, given)
  for name, test in next, given do
    if type(name) ~= "string" or type(test) ~= "function" then
      fail.usage(model, nil, "validate must map names to functions (%s is a %s)", errors.text(name), type(test))
    end
  end
end

-- Faults -------------------------------------------------------------------------------------------------------------

--- What a validator of the user's said: nothing, or the text of a fault. Errors that are no words about the value go
-- on as they are.
local function said(ok, answer)
  if ok then return type(answer) == "string" and answer or nil end
  if type(answer) == "string" then return answer:match "^[^\n]-:%d+: (.*)$" or answer end
  if errors.is(answer, "ValidationError") then return answer.message end
  if type(answer) == "table" and not errors.is(answer) and type(answer.message) == "string" then
    return answer.message
  end
  error(answer, 0)
end

--- The faults that the core finds, by attribute.
local function core_faults(instance, options)
  local ok, e = pcall(core.validate, instance, options)
  if ok then return {} end
  if not errors.is(e, "ValidationError") then error(e, 0) end
  local faults = {}
  for _, fault in ipairs(e.errors) do faults[fault.attribute] = fault end
  return faults
end

local function find_validator(list, name)
  for _, validator in ipairs(list) do
    if validator.name == name then return validator end
  end
end

--- The core's own fault, in the words that the declaration has for it.
local function worded(fault, validators)
  local own = find_validator(validators, fault.validator)
  if own and own.message then fault.message = own.message end
  return fault
end

local function is_filled_later(record)
  return record.autoIncrement or record.defaultValue ~= nil
end

--- Runs the validators of one attribute; a VIRTUAL one has the value that it shows.
local function check_attribute(class, instance, record, faults)
  local value = rawget(instance, record.name)
  if record.virtual then value = instance[record.name] end
  local place = class.name .. "." .. record.name
  if value == core.null then value = nil end
  if type(value) == "userdata" then return end                     -- computed by the database
  for _, validator in ipairs(record.validators) do
    local message
    if validator.custom then
      if value ~= nil or record.allowNull then message = said(pcall(validator.test, value, instance)) end
    elseif not (value == nil and is_filled_later(record)) then
      message = library.problem(validator, place, value)
    end
    if message then
      faults[#faults + 1] = { attribute = record.name, validator = validator.name, message = message, value = value }
    end
  end
end

local function is_checked(instance, record, fields, is_new)
  if fields and not fields[record.name] then return false end
  return is_new or core.changed(instance, record.name)
end

local function set_of(list)
  if type(list) ~= "table" then return nil end
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

--- Runs all checks over an instance; a stored one is checked where it changed.
-- @param options {fields, partial}: `partial` leaves out what looks at the whole instance
-- @return list of {attribute, validator, message, value}
function validate.faults(class, instance, options)
  local meta, faults = getmetatable(class), {}
  local found = core_faults(instance, { fields = options.fields })
  local fields, is_new = set_of(options.fields), core.state(instance) == "new"
  for _, record in ipairs(meta.attributes) do
    local fault = found[record.name]
    if fault then
      faults[#faults + 1] = worded(fault, record.validators or {})
    elseif record.validators and is_checked(instance, record, fields, is_new) then
      check_attribute(class, instance, record, faults)
    end
  end
  for _, record in ipairs(options.partial and {} or meta.virtuals) do
    if record.validators then check_attribute(class, instance, record, faults) end
  end
  local own = not options.partial and meta.options.validate or {}
  for _, name in ipairs(sorted_names(own)) do
    local message = said(pcall(own[name], instance))
    if message then faults[#faults + 1] = { validator = name, message = message } end
  end
  return faults
end

--- Raises the ValidationError of faults, if there are any.
function validate.raise(class, faults)
  if #faults == 0 then return end
  local messages, attributes, seen = {}, {}, {}
  for i, fault in ipairs(faults) do
    messages[i] = fault.message
    if fault.attribute and not seen[fault.attribute] then
      attributes[#attributes + 1], seen[fault.attribute] = fault.attribute, true
    end
  end
  errors.raise("ValidationError", table.concat(messages, "; "), {
    model = class.name, attribute = attributes[1], attributes = attributes, value = faults[1].value, errors = faults,
  })
end

return validate
