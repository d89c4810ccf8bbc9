--- The validators by name. A row has what its argument must be (`reads`), the test, and what the message says after the
-- name of the attribute.
local errors = require "liga.errors"
local formats = require "liga.validate.formats"

-- Arguments: each reader gives the arguments of the test as a list, or nil and what was expected ----------------------

local read = {}

--- `true`, for a validator without argument.
function read.flag(given)
  if given == true then return {} end
  return nil, "true"
end

function read.number(given)
  if type(given) == "number" then return { given } end
  return nil, "a number"
end

function read.text(given)
  if type(given) == "string" then return { given } end
  return nil, "a string"
end

function read.value(given)
  local kind = type(given)
  if kind == "string" or kind == "number" or kind == "boolean" then return { given } end
  return nil, "a value"
end

--- `{min, max}`
function read.bounds(given)
  local low, high = type(given) == "table" and given[1], type(given) == "table" and given[2]
  local fits = math.type(low) == "integer" and (high == nil or high == false or math.type(high) == "integer")
  if fits and low >= 0 and (not high or high >= low) and #given <= 2 then return { low, high or nil } end
  return nil, "{min, max}"
end

--- A list of values; `{{...}}` as in Sequelize means the same.
function read.list(given)
  if type(given) == "table" and #given == 1 and type(given[1]) == "table" then given = given[1] end
  if type(given) == "table" and #given > 0 then return { table.move(given, 1, #given, 1, {}) } end
  return nil, "a list of values"
end

--- A Lua pattern or a function.
function read.test(given)
  if type(given) == "function" then return { given } end
  if type(given) == "string" and pcall(string.find, "", given) then return { given } end
  return nil, "a Lua pattern or a function"
end

function read.instant(given)
  local seconds = given ~= true and given ~= false and formats.instant(given)
  if seconds then return { given, seconds } end
  return nil, "a date"
end

--- `true` for any version, or one of the numbers.
local function version(...)
  local allowed, words = {}, table.concat({ ... }, ", ")
  for _, number in ipairs { ... } do allowed[number] = true end
  return function(given)
    if given == true then return {} end
    if allowed[given] then return { given } end
    return nil, "true or one of " .. words
  end
end

-- Tests --------------------------------------------------------------------------------------------------------------

local function passes(value, test)
  if type(test) == "function" then return test(value) and true or false end
  return tostring(value):find(test) ~= nil
end

local function is_among(value, list)
  for _, each in ipairs(list) do
    if value == each or tostring(value) == tostring(each) then return true end
  end
  return false
end

local function length_of(value)
  local text = tostring(value)
  return utf8.len(text) or #text
end

local function matches(pattern)
  return function(value) return tostring(value):find(pattern) ~= nil end
end

local function is_float(value)
  if type(value) == "number" then return value == value and math.abs(value) < math.huge end
  return formats.float(tostring(value))
end

local function of_text(test)
  return function(value, ...) return test(tostring(value), ...) end
end

local function is_ip(value, wanted)
  local text = tostring(value)
  return wanted ~= 6 and formats.ipv4(text) or wanted ~= 4 and formats.ipv6(text)
end

local function has(value, part) return tostring(value):find(part, 1, true) ~= nil end

--- name → {reads, test(value, ...), text}
local validators = {
  notNull = { read.flag, function(value) return value ~= nil end, "must not be null", nulls = true },
  notEmpty = { read.flag, matches "%S", "must not be empty" },
  len = {
    read.bounds,
    function(value, low, high) return length_of(value) >= low and (not high or length_of(value) <= high) end,
    function(low, high)
      if not high then return ("must have at least %d characters"):format(low) end
      return ("must have %d to %d characters"):format(low, high)
    end,
  },
  min = {
    read.number, function(value, least) return (tonumber(value) or -math.huge) >= least end,
    function(least) return "must be at least " .. least end,
  },
  max = {
    read.number, function(value, most) return (tonumber(value) or math.huge) <= most end,
    function(most) return "must be at most " .. most end,
  },
  is = { read.test, passes, "does not have the form that is asked for" },
  not_ = { read.test, function(value, test) return not passes(value, test) end, "has a form that is not allowed" },
  isIn = { read.list, is_among, "is not one of the allowed values" },
  notIn = {
    read.list, function(value, list) return not is_among(value, list) end,
    "is one of the values that are not allowed",
  },
  isEmail = { read.flag, of_text(formats.email), "must be an e-mail address" },
  isUrl = { read.flag, of_text(formats.url), "must be a URL" },
  isIP = { version(4, 6), is_ip, "must be an IP address" },
  isUUID = { version(1, 2, 3, 4, 5, 6, 7, 8), of_text(formats.uuid), "must be a UUID" },
  isInt = {
    read.flag,
    function(value) return math.type(value) == "integer" or tostring(value):find "^[+-]?%d+$" ~= nil end,
    "must be an integer",
  },
  isFloat = { read.flag, is_float, "must be a number" },
  isNumeric = { read.flag, of_text(formats.numeric), "must have digits only" },
  isAlpha = { read.flag, matches "^%a+$", "must have letters only" },
  isAlphanumeric = { read.flag, matches "^%w+$", "must have letters and digits only" },
  isLowercase = { read.flag, of_text(function(text) return text == text:lower() end), "must be in lower case" },
  isUppercase = { read.flag, of_text(function(text) return text == text:upper() end), "must be in upper case" },
  isDate = { read.flag, function(value) return formats.instant(value) ~= nil end, "must be a date" },
  isAfter = {
    read.instant, function(value, _, bound) return (formats.instant(value) or -math.huge) > bound end,
    function(bound) return "must be after " .. tostring(bound) end,
  },
  isBefore = {
    read.instant, function(value, _, bound) return (formats.instant(value) or math.huge) < bound end,
    function(bound) return "must be before " .. tostring(bound) end,
  },
  contains = { read.text, has, function(part) return ("must contain %q"):format(part) end },
  notContains = {
    read.text, function(value, part) return not has(value, part) end,
    function(part) return ("must not contain %q"):format(part) end,
  },
  equals = {
    read.value, function(value, wanted) return is_among(value, { wanted }) end,
    function(wanted) return "must equal " .. tostring(wanted) end,
  },
  isCreditCard = { read.flag, of_text(formats.credit_card), "must be a credit card number" },
}

local names = {}
for name in pairs(validators) do names[#names + 1] = name end
table.sort(names)

local library = {}

local WRAPPED = { args = true, msg = true }

--- `{args = ..., msg = ...}`, where either is given; anything else is the argument.
local function split(given, name, fail)
  if type(given) ~= "table" or (given.args == nil and given.msg == nil) then return given, nil end
  for key in next, given do
    if not WRAPPED[key] then fail("%s: unknown option %q (it has: args, msg)", name, errors.text(key)) end
  end
  local args, message = given.args, given.msg
  if message ~= nil and type(message) ~= "string" then fail("%s: msg must be a string, got %s", name, type(message)) end
  return args == nil and true or args, message
end

--- Reads one entry of an attribute's `validate`.
-- @param fail function(message, ...) that raises a UsageError about the attribute
-- @return {name, test, arguments, text, nulls, custom}; nil where the entry is false
function library.read(name, given, fail)
  local row = validators[name]
  if given == false then return nil end
  if not row then
    if type(given) == "function" then return { name = name, test = given, custom = true } end
    fail("there is no validator %s%s", errors.text(name), require "liga.options".hint(name, names))
  end
  local argument, message = split(given, name, fail)
  local arguments, expected = row[1](argument)
  if not arguments then fail("%s expects %s, got %s", name, expected, type(argument)) end
  local text = type(row[3]) == "function" and row[3](table.unpack(arguments, 1, 2)) or row[3]
  return { name = name, test = row[2], arguments = arguments, text = text, message = message, nulls = row.nulls }
end

--- What is wrong with a value, or nil.
-- @param validator as `read` gave it
-- @param place "User.email"
function library.problem(validator, place, value)
  if value == nil and not validator.nulls then return nil end
  if validator.test(value, table.unpack(validator.arguments, 1, 2)) then return nil end
  return validator.message or ("%s %s"):format(place, validator.text)
end

--- Raises for something that is no table of validators.
function library.check_table(what, given)
  if type(given) == "table" and not getmetatable(given) then return given end
  errors.usage("%s: validate must be a table of validators, got %s", what, type(given))
end

return library
