--- Values of a column that gets another type, on SQLite, which stores any value in any column: as what they are copied,
-- and which of them the type can't hold. A server does both by itself.
local introspect = require "liga.introspect.sqlite"
local sqltext = require "liga.sqltext"

local fit = {}

local function kind_of(declared)
  return introspect.kind_of(declared) or {}
end

--- A condition or an expression over a column, which stands in the place of `@`.
local function over(name, text)
  return (text:gsub("@", (sqltext.quote(name):gsub("%%", "%%%%"))))
end

-- What fits ----------------------------------------------------------------------------------------------------------

local function integer(least, most)
  return function() return ("typeof(@) = 'integer' AND @ BETWEEN %d AND %d"):format(least, most) end
end

local function always(condition)
  return function() return condition end
end

local real, json = always "typeof(@) IN ('integer', 'real')", always "json_valid(@)"

--- Digits before and behind the point. Where there are many the column holds texts.
local function decimal(_, kind, declared)
  local digits, scale = kind.precision, kind.scale
  if not declared:find "^DECIMAL_TEXT" then
    return ("typeof(@) IN ('integer', 'real') AND round(@, %d) = @ AND abs(@) < 1e%d"):format(scale, digits - scale)
  end
  local whole, fraction = "*", "*"
  if digits then whole, fraction = ("{0,%d}"):format(digits - scale), ("{0,%d}0*"):format(scale) end
  return ("liga_regexp('^[+-]?0*[0-9]%s([.][0-9]%s)?$', @) AND liga_regexp('[0-9]', @)"):format(whole, fraction)
end

local function date(part)
  return not part.foreignDates and "@ GLOB '????-??-??T??:??:??.???Z' AND strftime('%Y-%m-%dT%H:%M:%fZ', @) = @" or nil
end

local function one_of(part)
  local values = {}
  for i, value in ipairs(part.allowed) do values[i] = sqltext.literal(value):gsub("@", "' || char(64) || '") end
  return ("@ IN (%s)"):format(table.concat(values, ", "))
end

--- What values of a type fulfil (`@` is the value), by kind: function(part, {length, precision, scale}, declared).
local conditions = {
  SMALLINT = integer(-32768, 32767), INTEGER = integer(-2147483648, 2147483647),
  BIGINT = integer(math.mininteger, math.maxinteger), FLOAT = real, DOUBLE = real, REAL = real, DECIMAL = decimal,
  BOOLEAN = integer(0, 1), TEXT = always "typeof(@) = 'text'", JSON = json, JSONB = json, ENUM = one_of,
  STRING = function(_, kind) return ("typeof(@) = 'text' AND length(@) <= %d"):format(kind.length) end,
  CHAR = function(_, kind) return ("typeof(@) = 'text' AND length(rtrim(@, ' ')) <= %d"):format(kind.length) end,
  UUID = always "liga_iregexp('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', @)", DATE = date,
  DATEONLY = always "@ GLOB '????-??-??' AND date(@) = @",
  TIME = always "liga_regexp('^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?$', @)",
}

--- Kinds that share a declared type with others.
local shares_type = { ENUM = true, JSON = true, JSONB = true }

--- Whether a change gives a column another type: its values may not fit it.
-- @param change one of kind "change column"
-- @param before the column as the catalogue has it
function fit.is_retyped(change, before)
  if change.aspects and not change.aspects.type then return false end
  return shares_type[change.column.kind] or before.type:upper() ~= change.column.type:upper()
end

--- The query for a value that does not fit, under the name `value`; nil: any does.
-- @param item the table
-- @param part the column as it is now
function fit.misfit(item, part)
  local condition = conditions[part.kind]
  local text = condition and condition(part, kind_of(part.type), part.type)
  if not text then return nil end
  local name = sqltext.quote(part.name)
  return ("SELECT %s AS value FROM %s WHERE %s IS NOT NULL AND (%s) IS NOT TRUE LIMIT 1"):format(name,
    sqltext.quote(item.name), name, over(part.name, text))
end

-- Copying ------------------------------------------------------------------------------------------------------------

local is_text = { TEXT = true, STRING = true, CHAR = true }

--- The forms of values in another type, where the engine's own affinity makes none (`@` is the value): by the kind of
-- the new type.
local forms = {
  BOOLEAN = "CASE WHEN lower(@) IN ('true', 't', 'yes', 'y', 'on', '1') THEN 1 "
    .. "WHEN lower(@) IN ('false', 'f', 'no', 'n', 'off', '0') THEN 0 ELSE @ END",
  DATE = "CASE WHEN @ GLOB '????-??-??*' AND date(@) = substr(@, 1, 10) "
    .. "THEN strftime('%Y-%m-%dT%H:%M:%fZ', @) ELSE @ END",
  DATEONLY = "CASE WHEN @ GLOB '????-??-??[T ]00:00:00*' AND time(@) = '00:00:00' THEN date(@) ELSE @ END",
}
local of_boolean = "CASE @ WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE @ END"

--- As what the values of a column are copied: an expression.
function fit.copied(change, before)
  local part = change.column
  local was_boolean = kind_of(before.type).name == "BOOLEAN"
  local form = is_text[part.kind] and was_boolean and of_boolean or not part.foreignDates and forms[part.kind]
  return over(before.name, form and fit.is_retyped(change, before) and form or "@")
end

return fit
