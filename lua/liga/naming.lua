--- Names: which are allowed, and those that liga makes itself.
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local inflect = require "liga.inflect"

local naming = {}

--- PostgreSQL cuts longer identifiers silently.
local longest = 63

--- 32 bits of FNV-1a as hexadecimal text.
local function hash(text)
  local sum = 2166136261
  for i = 1, #text do sum = ((sum ~ text:byte(i)) * 16777619) & 0xffffffff end
  return ("%08x"):format(sum)
end

--- A name that liga made, shortened with a hash if it is longer than an identifier may be (on every engine, so that a
-- schema has the same names everywhere).
function naming.shorten(name)
  if #name <= longest then return name end
  local kept = longest - 9
  while kept > 0 and (name:byte(kept + 1) or 0) & 0xc0 == 0x80 do kept = kept - 1 end
  return name:sub(1, kept) .. "_" .. hash(name)
end

--- The type that is made for a column of an enum, where that is a type of its own.
function naming.enum(table_name, column)
  return naming.shorten(("enum_%s_%s"):format(table_name, column))
end

--- The type that was made for a column of an enum, or of a list of them, as the catalogue writes it; nil: it has
-- another one, or one that somebody chose.
-- @param column {name, type, values or elements} of the catalogue
function naming.own_enum(table_name, column)
  if not (column.values or column.elements) then return nil end
  local type, own = column.type:gsub("%[%]$", ""), naming.enum(table_name, column.name)
  local bare = type:gsub('"', "")
  if bare == own or bare:sub(-#own - 1) == "." .. own then return type end
end

--- Raises unless the text can be a table, column or index name on the connection's engine.
-- @param what how the name is called in messages: `column of User.age`
function naming.check_identifier(db, what, text)
  if type(text) ~= "string" or text == "" then
    local got = text == "" and '""' or type(text)
    errors.raise("UsageError", ("%s must be a non-empty string, got %s"):format(what, got))
  elseif text:find "%z" or not utf8.len(text) then
    errors.raise("UsageError", ("%s must be UTF-8 text without NUL"):format(what))
  elseif #text > dialect.of(db).longest then
    errors.raise("UsageError", ("%s %q has %d bytes; PostgreSQL allows %d"):format(what, text, #text, longest))
  end
end

--- Why a text can't name a model, an attribute or an association; nil if it can. Dots and dollar signs belong to paths.
function naming.problem(name)
  if type(name) ~= "string" then return "must be a string, got " .. type(name) end
  if name == "" then return "must not be empty" end
  if name:find "[%.%$]" then return ("%q holds a dot or a dollar sign, which belong to paths"):format(name) end
  if name:find "%c" or not utf8.len(name) then return ("%q holds a control character or is not UTF-8"):format(name) end
end

--- The name of an index over these columns: `Users_name_unique`.
function naming.index(table_name, columns, unique)
  local name = table_name .. "_" .. table.concat(columns, "_") .. (unique and "_unique" or "")
  return naming.shorten(name)
end

--- The same in snake_case, as indexes are named that stand in `indexes` or come from `index`.
function naming.snake_index(table_name, columns, unique)
  local name = inflect.underscore(table_name .. "_" .. table.concat(columns, "_"))
  return naming.shorten(name .. (unique and "_unique" or ""))
end

--- The name of a generated foreign key: `user` and `id` → `userId`.
function naming.foreign_key(prefix, key)
  return inflect.camelize(prefix .. "_" .. key)
end

--- Whether two lists of names are equal, in order; with `loose` in any order.
function naming.same_names(a, b, loose)
  if #a ~= #b then return false end
  if not loose then
    for i, name in ipairs(a) do
      if b[i] ~= name then return false end
    end
    return true
  end
  local seen = {}
  for _, name in ipairs(a) do seen[name] = true end
  for _, name in ipairs(b) do
    if not seen[name] then return false end
  end
  return true
end

return naming
