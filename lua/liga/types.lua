--- Column types: `liga.STRING`, `liga.STRING(40)`, `liga.ENUM{"a", "b"}`.
--
-- Every access and every call makes a fresh *type descriptor* with the next serial number, which is how `define` knows
-- the order of the attributes as they stand in the source (a Lua table has none). A descriptor is an empty table whose
-- content is kept here: nobody can change it, and nothing decoded from JSON can pass for one.
--
-- Fields of a descriptor (nil where a type has none or it was not given):
--   name "STRING" · serial · length · precision, scale · values (a copy of the list) · element (a descriptor) · stored
--   typeName (of an ENUM: its own name on PostgreSQL, maybe with a schema before a dot)
local core = require "liga.core"
local errors = require "liga.errors"

local types = {}

--- descriptor → its fields.
local fields_of = setmetatable({}, { __mode = "k" })
local last_serial = 0

local Descriptor = { __name = "liga.type", __metatable = "liga.type" }

local function new_descriptor(name, fields)
  last_serial = last_serial + 1
  fields.name, fields.serial = name, last_serial
  local descriptor = setmetatable({}, Descriptor)
  fields_of[descriptor] = fields
  return descriptor
end

local function fail(message, ...)
  errors.raise("UsageError", message:format(...))
end

--- How a wrong argument is shown in a message: kinds, and values only where they are numbers or names.
local function shown(value)
  if fields_of[value] or type(value) == "number" then return tostring(value) end
  return type(value) == "string" and ("%q"):format(value) or type(value)
end

-- Parameters ---------------------------------------------------------------------------------------------------------
-- One reader per form. Each takes the type's row and the arguments, and returns the fields of the descriptor.

local function check_count(row, most, ...)
  local given = select("#", ...)
  if given <= most then return end
  fail("%s takes %s, got %d arguments (write it %s)", row.name,
    most == 1 and "one parameter" or most .. " parameters", given, row.usage)
end

local function read_nothing(row, ...)
  if select("#", ...) > 0 then fail("%s takes no parameters, got %s", row.name, shown((...))) end
  return {}
end

local function read_integer(row, what, value, least, most)
  local integer = math.type(value) and math.tointeger(value)
  if integer and integer >= least and integer <= most then return integer end
  fail("%s: %s must be an integer from %d to %d, got %s (write it %s)", row.name, what, least, most, shown(value),
    row.usage)
end

local function read_length(row, ...)
  check_count(row, 1, ...)
  if select("#", ...) == 0 then return {} end
  return { length = read_integer(row, "the length", (...), 1, 10485760) }
end

local function read_decimal(row, ...)
  check_count(row, 2, ...)
  if select("#", ...) == 0 then return {} end
  local precision, scale = ...
  precision = read_integer(row, "the precision", precision, 1, 1000)
  scale = select("#", ...) == 1 and 0 or read_integer(row, "the scale", scale, 0, precision)
  return { precision = precision, scale = scale }
end

local storages = { text = true, space = true, epoch = true, mixed = true }

local function read_date(row, ...)
  check_count(row, 1, ...)
  if select("#", ...) == 0 then return { stored = "text" } end
  local options = ...
  if type(options) ~= "table" or fields_of[options] then
    fail("%s takes a table, got %s (write it %s)", row.name, shown(options), row.usage)
  end
  for key in next, options do
    if key ~= "stored" then fail("%s has no option %s (it has: stored)", row.name, shown(key)) end
  end
  if options.stored ~= nil and not storages[options.stored] then
    fail('%s: stored must be "text", "space", "epoch" or "mixed", got %s', row.name, shown(options.stored))
  end
  return { stored = options.stored or "text" }
end

local function check_value(row, what, value, seen)
  if type(value) ~= "string" or value == "" then
    fail("%s: %s must be a non-empty string, got %s", row.name, what, value == "" and '""' or type(value))
  elseif value:find "%z" or not utf8.len(value) then
    fail("%s: %s must be UTF-8 text without NUL", row.name, what)
  elseif seen[value] then
    fail("%s: value %q stands twice", row.name, value)
  end
  seen[value] = true
end

local function read_values(row, ...)
  if select("#", ...) == 0 then return {} end
  local given = ...
  if type(given) ~= "table" or fields_of[given] then
    given = { ... }
  elseif select("#", ...) > 1 then
    fail("%s takes one list or several strings (write it %s)", row.name, row.usage)
  end
  local values, seen = {}, {}
  for index = 1, #given do
    check_value(row, "value " .. index, given[index], seen)
    values[index] = given[index]
  end
  if #values == 0 then fail("%s needs at least one value (write it %s)", row.name, row.usage) end
  for key in next, given do
    if key ~= "typeName" and (math.type(key) ~= "integer" or key < 1 or key > #values) then
      fail("%s takes a list of strings, got the key %s (write it %s)", row.name, shown(key), row.usage)
    end
  end
  if given.typeName ~= nil then check_value(row, "typeName", given.typeName, {}) end
  return { values = values, typeName = given.typeName }
end

local function read_element(row, ...)
  check_count(row, 1, ...)
  if select("#", ...) == 0 then return {} end
  local element = ...
  if not fields_of[element] then
    fail("%s takes a type, got %s (write it %s)", row.name, shown(element), row.usage)
  end
  local refused = element.name == "VIRTUAL" or row.refused and row.refused[element.name]
  if refused or row.elements and not row.elements[element.name] then
    fail("%s can't hold %s (write it %s)", row.name, element.name, row.usage)
  end
  return { element = element }
end

-- The types ----------------------------------------------------------------------------------------------------------
-- `usage` is shown in messages; `needs` is the field without which the bare name is not a type yet; values of a `table`
-- are tables in Lua, those of what is `unordered` are equal or different, but not greater or less.

local range_elements = { INTEGER = true, BIGINT = true, DECIMAL = true, DATE = true, DATEONLY = true }

local rows = {
  { name = "STRING", read = read_length, usage = "STRING or STRING(40)" },
  { name = "CHAR", read = read_length, usage = "CHAR(2)" },
  { name = "TEXT", read = read_nothing },
  { name = "INTEGER", read = read_nothing },
  { name = "BIGINT", read = read_nothing },
  { name = "SMALLINT", read = read_nothing },
  { name = "FLOAT", read = read_nothing },
  { name = "DOUBLE", read = read_nothing },
  { name = "REAL", read = read_nothing },
  { name = "DECIMAL", read = read_decimal, usage = "DECIMAL or DECIMAL(10, 2)" },
  { name = "BOOLEAN", read = read_nothing },
  { name = "DATE", read = read_date, usage = 'DATE or DATE{stored = "epoch"}' },
  { name = "DATEONLY", read = read_nothing },
  { name = "TIME", read = read_nothing },
  { name = "BLOB", read = read_nothing },
  { name = "UUID", read = read_nothing },
  { name = "JSON", read = read_nothing, table = true, unordered = true },
  { name = "JSONB", read = read_nothing, table = true, unordered = true },
  { name = "ENUM", read = read_values, usage = 'ENUM{"a", "b"}', needs = "values", words = "its values" },
  { name = "ARRAY", read = read_element, usage = "ARRAY(INTEGER)", needs = "element",
    words = "the type of its elements", table = true, refused = { BLOB = true, TSVECTOR = true } },
  { name = "VIRTUAL", read = read_nothing },
  { name = "CITEXT", read = read_nothing },
  { name = "INET", read = read_nothing },
  { name = "CIDR", read = read_nothing },
  { name = "MACADDR", read = read_nothing },
  { name = "TSVECTOR", read = read_nothing },
  { name = "RANGE", read = read_element, usage = "RANGE(INTEGER)", needs = "element", words = "the type of its bounds",
    table = true, elements = range_elements },
  { name = "HSTORE", read = read_nothing, table = true, unordered = true },
}

local row_by_name = {}
for _, row in ipairs(rows) do row_by_name[row.name] = row end

-- Descriptors --------------------------------------------------------------------------------------------------------

--- The parameters as source text: `(40)`, `{"a","b"}`; nothing for a bare type. Equal types have equal texts.
local function parameter_text(fields)
  if fields.length then return ("(%d)"):format(fields.length) end
  if fields.precision then return ("(%d,%d)"):format(fields.precision, fields.scale) end
  if fields.element then return ("(%s)"):format(tostring(fields.element)) end
  if fields.stored and fields.stored ~= "text" then return ('{stored="%s"}'):format(fields.stored) end
  if not fields.values then return "" end
  local quoted = {}
  for index, value in ipairs(fields.values) do quoted[index] = ("%q"):format(value) end
  return "{" .. table.concat(quoted, ",") .. "}"
end

local function is_bare(fields)
  return parameter_text(fields) == ""
end

function Descriptor.__index(descriptor, key)
  local fields = fields_of[descriptor]
  if key == "values" and fields.values then return table.move(fields.values, 1, #fields.values, 1, {}) end
  return fields[key]
end

function Descriptor.__newindex(descriptor, key)
  fail("a type is read-only: %s can't be assigned in %s", shown(key), tostring(descriptor))
end

function Descriptor.__call(descriptor, ...)
  local fields = fields_of[descriptor]
  local row = row_by_name[fields.name]
  if not is_bare(fields) then
    fail("%s has its parameters already (write a new type with %s)", tostring(descriptor), fields.name)
  end
  return new_descriptor(fields.name, row.read(row, ...))
end

function Descriptor.__eq(left, right)
  return fields_of[left] ~= nil and fields_of[right] ~= nil and tostring(left) == tostring(right)
end

function Descriptor.__tostring(descriptor)
  local fields = fields_of[descriptor]
  return fields.name .. parameter_text(fields)
end

--- A descriptor that holds no other as Lua source: what `tostring` shows, and the name of an ENUM, which is no part of
-- what the type is.
function types.source(descriptor)
  local fields, text = fields_of[descriptor], tostring(descriptor)
  return fields.typeName and ("%s,typeName=%q}"):format(text:sub(1, -2), fields.typeName) or text
end

--- Whether a value is a type descriptor.
function types.is(value)
  return fields_of[value] ~= nil
end

--- What a descriptor lacks to be the type of an attribute, as text; nil if nothing: ENUM alone has no values.
function types.problem(descriptor)
  local fields = fields_of[descriptor]
  local row = row_by_name[fields.name]
  if row.needs and fields[row.needs] == nil then
    return ("%s needs %s: %s"):format(row.name, row.words, row.usage)
  end
  return fields.element and types.problem(fields.element) or nil
end

--- Whether its values are tables in Lua.
function types.is_table(descriptor)
  return row_by_name[fields_of[descriptor].name].table == true
end

--- Whether its values can be compared by greater and less: not documents, nor lists of them.
function types.has_order(descriptor)
  local fields = fields_of[descriptor]
  if row_by_name[fields.name].unordered then return false end
  return fields.element == nil or types.has_order(fields.element)
end

--- The names of all types.
function types.names()
  local names = {}
  for index, row in ipairs(rows) do names[index] = row.name end
  return names
end

return setmetatable(types, {
  __name = "liga.types",
  __index = function(_, name)
    if row_by_name[name] then return new_descriptor(name, name == "DATE" and { stored = "text" } or {}) end
    if type(name) ~= "string" or not name:match "^%u%u" then return nil end
    local nearest = core.nearest(name, types.names())
    fail("liga has no type %s%s", name, nearest and (' (did you mean "%s"?)'):format(nearest) or "")
  end,
  __newindex = function(_, name) fail("liga.types is read-only: %s can't be assigned", shown(name)) end,
})
