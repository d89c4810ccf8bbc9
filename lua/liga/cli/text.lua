--- Text for terminals: how wide it is, what in it must not reach a terminal as it is.
local text = {}

-- Width --------------------------------------------------------------------------------------------------------------

--- Ranges of characters that take no column: they are drawn over the one before.
local zero = {
  { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a }, { 0x064b, 0x065f },
  { 0x06d6, 0x06dc }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
  { 0x1dc0, 0x1dff }, { 0x200b, 0x200d }, { 0x20d0, 0x20ff }, { 0x302a, 0x302d }, { 0xfe00, 0xfe0f },
  { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
}

--- Ranges of characters that take two columns.
local double = {
  { 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x23e9, 0x23ec }, { 0x2614, 0x2615 }, { 0x26a1, 0x26a1 },
  { 0x2705, 0x2705 }, { 0x2753, 0x2755 }, { 0x2b50, 0x2b50 }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff },
  { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xa000, 0xa4cf }, { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 },
  { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
  { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
}

local function is_in(ranges, code)
  local first, last = 1, #ranges
  while first <= last do
    local middle = (first + last) // 2
    local range = ranges[middle]
    if code < range[1] then
      last = middle - 1
    elseif code > range[2] then
      first = middle + 1
    else
      return true
    end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then return 1 end
  if is_in(zero, code) then return 0 end
  return is_in(double, code) and 2 or 1
end

--- The columns that a text takes on a terminal.
function text.width(value)
  if not value:find "[\x80-\xff]" then return #value end
  local width = 0
  for _, code in utf8.codes(value, true) do width = width + width_of(code) end
  return width
end

--- The text cut to a number of columns; what was cut shows as `…`.
function text.cut(value, most)
  if text.width(value) <= most then return value end
  local width = 0
  for place, code in utf8.codes(value, true) do
    width = width + width_of(code)
    if width > most - 1 then return value:sub(1, place - 1) .. "…" end
  end
  return value
end

--- The text filled up with blanks to a number of columns.
-- @param right whether it stands at the right
function text.pad(value, width, right)
  local blanks = (" "):rep(width - text.width(value))
  return right and blanks .. value or value .. blanks
end

-- Safety -------------------------------------------------------------------------------------------------------------

local named = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\0"] = "\\0" }

--- Control characters that are written in two bytes, and characters that turn the direction of what follows.
local function is_hidden(code)
  return code >= 0x80 and code <= 0x9f or code >= 0x202a and code <= 0x202e or code >= 0x2066 and code <= 0x2069
    or code == 0x200e or code == 0x200f or code == 0xfeff
end

local function escape_bytes(value)
  return (value:gsub("[\x80-\xff]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function escape_codes(value)
  return (value:gsub(utf8.charpattern, function(char)
    if #char == 1 then return nil end
    return is_hidden(utf8.codepoint(char)) and ("\\u{%x}"):format(utf8.codepoint(char)) or nil
  end))
end

--- A text that may be shown on a terminal: control characters, what is not UTF-8 and marks of direction are escaped.
function text.safe(value)
  local shown = value:gsub("%c", function(char) return named[char] or ("\\x%02x"):format(char:byte()) end)
  if not shown:find "[\x80-\xff]" then return shown end
  if not utf8.len(shown) then return escape_bytes(shown) end
  return escape_codes(shown)
end

--- The same with line ends as they are.
function text.safe_lines(value)
  local lines = {}
  for line in (value .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = text.safe(line) end
  return table.concat(lines, "\n")
end

-- Colours ------------------------------------------------------------------------------------------------------------

local codes = {
  dim = "2", bold = "1", red = "31", green = "32", yellow = "33", blue = "34", magenta = "35", cyan = "36",
}

--- A function that colours text, or leaves it as it is.
-- @param wanted whether there are colours
-- @return function(colour, text) → text
function text.painter(wanted)
  if not wanted then return function(_, value) return value end end
  return function(colour, value) return ("\27[%sm%s\27[0m"):format(codes[colour], value) end
end

return text
