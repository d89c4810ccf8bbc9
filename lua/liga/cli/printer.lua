--- Values as text: lists of rows as tables, one instance as names and values, everything else on a line.
local core = require "liga.core"
local readonly = require "liga.readonly"
local text = require "liga.cli.text"
local types = require "liga.types"

local printer = {}

-- One value ----------------------------------------------------------------------------------------------------------

local function is_list(value)
  return type(value) == "table" and (rawget(value, 1) ~= nil or next(value) == nil)
end

--- Whether a table is a list that liga returned, of rows as a rule.
local function is_result(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__jsontype") == "array"
end

local LONGEST_BRIEF = 3

--- A short text about something that is not shown in full.
local function brief(value)
  if core.class_of(value) then return tostring(value) end
  if is_list(value) and core.class_of(value[1]) then
    local list = {}
    for i = 1, math.min(#value, LONGEST_BRIEF) do list[i] = tostring(value[i]) end
    return ("[%s%s]"):format(table.concat(list, ", "), #value > #list and ", …" or "")
  end
  local ok, encoded = pcall(core.json.encode, value)
  return ok and encoded or tostring(value)
end

--- The value of a cell as a text that can be shown.
-- @return text, whether it is NULL
local function cell(value)
  if value == nil or value == core.null then return "NULL", true end
  if type(value) == "string" then
    local shown = text.safe(value)
    return shown == "NULL" and '"NULL"' or shown
  end
  if type(value) == "table" then return text.safe(brief(value)) end
  return text.safe(tostring(value))
end

-- Columns ------------------------------------------------------------------------------------------------------------

--- The attributes of a model that a row was read with.
local function attributes_of(row)
  local names, class = {}, core.class_of(row)
  for _, attribute in ipairs(class and class.attributes or {}) do
    if rawget(row, attribute.name) ~= nil or core.is_selected(row, attribute.name) then
      names[#names + 1] = attribute.name
    end
  end
  return names
end

--- The columns of rows: attributes of their model in order, then whatever else they hold.
local function columns_of(rows, given)
  local list, seen, rest = {}, {}, {}
  local function add(name)
    if not seen[name] then list[#list + 1], seen[name] = name, true end
  end
  for _, name in ipairs(given or attributes_of(rows[1])) do add(name) end
  for _, row in ipairs(rows) do
    for name in next, row do rest[name] = type(name) == "string" and not seen[name] or nil end
  end
  local names = {}
  for name in pairs(rest) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do add(name) end
  return list
end

local function is_rows(value)
  if not is_list(value) or #value == 0 then return false end
  for _, row in ipairs(value) do
    if type(row) ~= "table" or row[1] ~= nil or core.is_class(row) then return false end
    if getmetatable(row) and not core.class_of(row) then return false end
  end
  return next(value[1]) ~= nil
end

-- Tables -------------------------------------------------------------------------------------------------------------

local LONGEST_CELL = 48

--- Rows of cells {text, null, number}, the heads of the columns, and the width of each.
-- @param longest columns of the terminal that a cell may take
local function read_cells(rows, columns, most, longest)
  local lines, heads, widths = {}, {}, {}
  for i, name in ipairs(columns) do
    heads[i] = text.cut(text.safe(name), longest)
    widths[i] = text.width(heads[i])
  end
  for n = 1, math.min(#rows, most) do
    local line = {}
    for i, name in ipairs(columns) do
      local value = rawget(rows[n], name)
      local shown, null = cell(value)
      shown = text.cut(shown, longest)
      line[i] = { text = shown, null = null, number = type(value) == "number" }
      widths[i] = math.max(widths[i], text.width(shown))
    end
    lines[n] = line
  end
  return lines, heads, widths
end

local function ruler(widths, left, middle, right)
  local parts = {}
  for i, width in ipairs(widths) do parts[i] = ("─"):rep(width + 2) end
  return left .. table.concat(parts, middle) .. right
end

--- Parts of the table that fit a terminal, one below the other: lists of columns from, to.
local function panes(widths, room)
  local list, from, width = {}, 1, 1
  for i, each in ipairs(widths) do
    if i > from and width + each + 3 > room then
      list[#list + 1] = { from, i - 1 }
      from, width = i, 1
    end
    width = width + each + 3
  end
  list[#list + 1] = { from, #widths }
  return list
end

local function slice(list, pane)
  return table.move(list, pane[1], pane[2], 1, {})
end

local function add_pane(out, names, lines, widths, paint)
  local heads = {}
  for i, name in ipairs(names) do heads[i] = paint("bold", text.pad(name, widths[i])) end
  out[#out + 1] = ruler(widths, "┌", "┬", "┐")
  out[#out + 1] = "│ " .. table.concat(heads, " │ ") .. " │"
  out[#out + 1] = ruler(widths, "├", "┼", "┤")
  for _, line in ipairs(lines) do
    local cells = {}
    for i, each in ipairs(line) do
      local padded = text.pad(each.text, widths[i], each.number)
      cells[i] = each.null and paint("dim", padded) or padded
    end
    out[#out + 1] = "│ " .. table.concat(cells, " │ ") .. " │"
  end
  out[#out + 1] = ruler(widths, "└", "┴", "┘")
end

local function row_count(count)
  return ("%d row%s"):format(count, count == 1 and "" or "s")
end

local function table_text(rows, given)
  local columns, out = columns_of(rows, given.columns), {}
  local longest = math.min(LONGEST_CELL, math.max(given.width - 4, 8))
  local lines, heads, widths = read_cells(rows, columns, given.limit, longest)
  for _, pane in ipairs(panes(widths, given.width)) do
    local cut = {}
    for i, line in ipairs(lines) do cut[i] = slice(line, pane) end
    add_pane(out, slice(heads, pane), cut, slice(widths, pane), given.paint)
  end
  local hidden = #rows - #lines
  out[#out + 1] = row_count(#rows) .. (hidden > 0 and (", %d not shown"):format(hidden) or "")
  return table.concat(out, "\n")
end

--- One instance: its name, then an attribute a line.
local function instance_text(value, given)
  local columns, widest = columns_of({ value }), 0
  for _, name in ipairs(columns) do widest = math.max(widest, text.width(text.safe(name))) end
  local out = { given.paint("bold", text.safe(tostring(value))) }
  for _, name in ipairs(columns) do
    local shown, null = cell(rawget(value, name))
    shown = text.cut(shown, math.max(20, given.width - widest - 5))
    out[#out + 1] = ("  %s  %s"):format(text.pad(text.safe(name), widest), null and given.paint("dim", shown) or shown)
  end
  return table.concat(out, "\n")
end

-- Anything -----------------------------------------------------------------------------------------------------------

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or tostring(key))
end

local function other_keys(value)
  local keys = {}
  for key in next, value do
    if math.type(key) ~= "integer" or key < 1 or key > rawlen(value) then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- The entries of what a model shows of itself, in order, as a plain table and a list of keys; nil: no such view.
local function entries_of(value)
  if not readonly.is(value) then return nil end
  local entries, keys = {}, {}
  for key, item in pairs(value) do entries[key], keys[#keys + 1] = item, key end
  return entries, keys
end

local DEEPEST, LONGEST_LIST = 3, 20
local plain_text

local function plain_table(value, depth)
  value = entries_of(value) or value
  local meta = getmetatable(value)
  local own = type(meta) == "table" and rawget(meta, "__tostring") or types.is(value)
  if own or core.class_of(value) then return text.safe(tostring(value)) end
  if depth > DEEPEST then return "{…}" end
  local parts = {}
  local count = rawlen(value)
  for i = 1, math.min(count, LONGEST_LIST) do parts[i] = plain_text(rawget(value, i), depth + 1) end
  if count > LONGEST_LIST then parts[#parts + 1] = ("… %d more"):format(count - LONGEST_LIST) end
  for _, key in ipairs(other_keys(value)) do
    parts[#parts + 1] = text.safe(key_text(key)) .. " = " .. plain_text(rawget(value, key), depth + 1)
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

function plain_text(value, depth)
  if value == core.null then return "NULL" end
  if type(value) == "string" then return '"' .. text.safe(value):gsub('"', '\\"') .. '"' end
  if type(value) == "table" then return plain_table(value, depth) end
  return text.safe(tostring(value))
end

--- Whether a value is a text of three lines or more, such as what `explain` and `describe` say.
local function is_long_text(value)
  return type(value) == "string" and value:find "\n.*\n" ~= nil
end

--- A collection, one item a line.
local function collection_text(entries, keys)
  local lines, widest = {}, 0
  for _, key in ipairs(keys) do widest = math.max(widest, text.width(text.safe(key))) end
  for i, key in ipairs(keys) do lines[i] = text.pad(text.safe(key), widest) .. "  " .. plain_text(entries[key], 1) end
  return table.concat(lines, "\n")
end

--- A value as text of one or more lines.
-- @param given {limit = rows shown, width = of the terminal, paint, columns = names in order}
function printer.text(value, given)
  if core.is_class(value) then return text.safe_lines(value:describe()) end
  if core.class_of(value) then return instance_text(value, given) end
  if is_rows(value) then return table_text(value, given) end
  if is_result(value) and #value == 0 then return "0 rows" end
  if is_long_text(value) then return text.safe_lines(value) end
  local entries, keys = entries_of(value)
  if entries and rawequal(value[1], entries[keys[1]]) and keys[1] then return collection_text(entries, keys) end
  return plain_text(value, 0)
end

return printer
