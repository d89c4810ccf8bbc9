--- Pages by keyset: where a page ends is told by the values of its last row, never by counting rows.
local core = require "liga.core"
local errors = require "liga.errors"
local keyset = require "liga.keyset"
local option_tables = require "liga.options"

local page = {}

-- Cursors ------------------------------------------------------------------------------------------------------------
-- A cursor is the position of a row, with what order it is a position in and a checksum, as text for URLs.

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function to_text(bytes)
  local text = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for i = 0, b and (c and 3 or 2) or 1 do
      local digit = (bits >> (18 - 6 * i) & 63) + 1
      text[#text + 1] = digits:sub(digit, digit)
    end
  end
  return table.concat(text)
end

--- The bytes of a text; nil for one that `to_text` does not make.
local function to_bytes(text)
  local bytes, bits, count = {}, 0, 0
  for digit in text:gmatch "." do
    local value = digits:find(digit, 1, true)
    if not value then return nil end
    bits, count = (bits << 6 | value - 1) & 0xffffff, count + 6
    if count >= 8 then
      count = count - 8
      bytes[#bytes + 1] = string.char(bits >> count & 255)
    end
  end
  return table.concat(bytes)
end

--- FNV-1a of 32 bits.
local function checksum(bytes)
  local hash = 2166136261
  for i = 1, #bytes do hash = (hash ~ bytes:byte(i)) * 16777619 & 0xffffffff end
  return string.pack(">I4", hash)
end

local writers = {
  ["nil"] = function() return "z" end,
  boolean = function(value) return value and "t" or "f" end,
  integer = function(value) return "i" .. string.pack(">i8", value) end,
  float = function(value) return "d" .. string.pack(">d", value) end,
  string = function(value) return "s" .. string.pack(">s4", value) end,
  table = function(value) return "j" .. string.pack(">s4", core.json.encode(value)) end,
}

local readers = {
  z = function(_, at) return nil, at end,
  t = function(_, at) return true, at end,
  f = function(_, at) return false, at end,
  i = function(bytes, at) return string.unpack(">i8", bytes, at) end,
  d = function(bytes, at) return string.unpack(">d", bytes, at) end,
  s = function(bytes, at) return string.unpack(">s4", bytes, at) end,
  j = function(bytes, at)
    local text, behind = string.unpack(">s4", bytes, at)
    return core.json.decode(text), behind
  end,
}

--- What a position belongs to: the model and every term of the order.
local function signature(class, terms)
  local parts = { class.name }
  for _, term in ipairs(terms) do
    parts[#parts + 1] = ("%s %s %s"):format(term.name, term.descending and "DESC" or "ASC", term.nulls)
  end
  return checksum(table.concat(parts, "\n"))
end

local function write_cursor(class, terms, row)
  local position, parts = keyset.position(terms, row), { signature(class, terms) }
  for _, term in ipairs(terms) do
    local value = position[term.name]
    if value == core.null then value = nil end
    parts[#parts + 1] = writers[math.type(value) or type(value)](value)
  end
  local bytes = table.concat(parts)
  return to_text(checksum(bytes) .. bytes)
end

local function read_values(terms, bytes)
  local position, at = {}, 9
  for _, term in ipairs(terms) do
    local reader = readers[bytes:sub(at, at)]
    if not reader then return nil end
    position[term.name], at = reader(bytes, at + 1)
  end
  return at == #bytes + 1 and position or nil
end

--- The position that a cursor stands for; UsageError if it was not made for this order.
local function read_cursor(class, terms, name, cursor)
  if type(cursor) ~= "string" then
    errors.raise("UsageError", ("page: %s must be a cursor that a page has given, got %s"):format(name, type(cursor)),
      { path = name })
  end
  local bytes = to_bytes(cursor)
  local fine = bytes and #bytes > 8 and bytes:sub(1, 4) == checksum(bytes:sub(5))
    and bytes:sub(5, 8) == signature(class, terms)
  local ok, position = pcall(read_values, terms, fine and bytes or "")
  if fine and ok and position then return position end
  errors.raise("UsageError", ("page: %s is no cursor of this model and order"):format(name), { path = name })
end

-- Pages --------------------------------------------------------------------------------------------------------------

local page_options = { size = true, after = true, before = true, transaction = true, logging = true }
for name in pairs(core.find_options) do page_options[name] = true end

local function check(options)
  option_tables.check("page", options, page_options)
  for _, name in ipairs { "limit", "offset", "group", "having", "distinct", "rejectOnEmpty" } do
    if options[name] ~= nil then errors.usage("page: option %q does not go with pages (size is their length)", name) end
  end
  local size = options.size == nil and 20 or options.size
  if math.type(size) ~= "integer" or size < 1 then errors.usage "page: size must be a positive integer" end
  if options.after ~= nil and options.before ~= nil then errors.usage "page: give after or before, not both" end
  return size
end

local function reversed(list)
  local other = core.list(#list)
  for i = #list, 1, -1 do other[#other + 1] = list[i] end
  return other
end

local function backwards(terms)
  local other = {}
  for i, term in ipairs(terms) do
    other[i] = option_tables.copy(term)
    other[i].descending, other[i].nulls = not term.descending, term.nulls == "first" and "last" or "first"
  end
  return other
end

local function both(first, second)
  if second == nil then return first end
  return first and { first, second } or second
end

--- The find of a page in the direction of the terms, and of one row more, which tells whether others follow.
local function rows_of(find, terms, size, position)
  local part = option_tables.copy(find)
  part.where = position and both(keyset.after(terms, position), find.where) or find.where
  part.order, part.limit = keyset.order(terms), size + 1
  return part
end

--- What finds a row that is not on this side of a position.
local function row_behind(find, terms, position)
  return {
    where = both(keyset.after(terms, position, true), find.where), include = find.include, paranoid = find.paranoid,
    transaction = find.transaction, logging = find.logging, limit = 1,
  }
end

--- One page of a find.
-- @param self the model, or a scope of it
-- @param options of the find; size (20), after or before: a cursor
-- @param selecting function(attributes, names, paths) → attributes with these among them
-- @param find_and_count function(self, options, options of the count) → rows, count, of one moment
-- @return the rows
-- @return {after, before (cursors; nil at the end), hasNext, hasPrevious}
function page.read(self, options, selecting, find_and_count)
  local size, terms = check(options), keyset.terms(self, options.order)
  local find = option_tables.copy(options)
  find.size, find.after, find.before = nil, nil, nil
  find.attributes = selecting(options.attributes, keyset.needed(terms))
  local back = options.before ~= nil
  local cursor = back and options.before or options.after
  local position = cursor ~= nil and read_cursor(self, terms, back and "before" or "after", cursor) or nil
  local there = back and backwards(terms) or terms
  local here, count = rows_of(find, there, size, position), 0
  local rows
  if position then
    rows, count = find_and_count(self, here, row_behind(find, back and terms or backwards(terms), position))
  else
    rows = self:findAll(here)
  end
  local more, behind = #rows > size, count > 0
  rows[size + 1] = nil
  if back then rows, more, behind = reversed(rows), behind, more end
  local last, first = rows[#rows], rows[1]
  local info = {
    hasNext = more, hasPrevious = behind,
    after = more and last and write_cursor(self, terms, last) or nil,
    before = behind and first and write_cursor(self, terms, first) or nil,
  }
  keyset.clean(terms, rows)
  return rows, info
end

return page
