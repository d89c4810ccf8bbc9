--- Shows the SQL that is sent, with its time and rows.
local core = require "liga.core"
local text = require "liga.cli.text"

local echo = {}

local colours = {
  SELECT = "cyan", WITH = "cyan", INSERT = "green", UPDATE = "yellow", DELETE = "red", CREATE = "magenta",
  ALTER = "magenta", DROP = "magenta", BEGIN = "blue", COMMIT = "blue", ROLLBACK = "blue", SAVEPOINT = "blue",
  RELEASE = "blue",
}

local LONGEST = 2000

local function shown_value(value)
  if value == core.null then return "NULL" end
  if type(value) == "string" then return '"' .. text.cut(text.safe(value), 60) .. '"' end
  return text.safe(tostring(value))
end

local function parameters(params)
  if not params or #params == 0 then return "" end
  local list = {}
  for i, value in ipairs(params) do
    if i > 10 then
      list[i] = ("… %d more"):format(#params - 10)
      break
    end
    list[i] = shown_value(value)
  end
  return " [" .. table.concat(list, ", ") .. "]"
end

--- A line about a statement.
function echo.line(sql, info, paint)
  local verb = sql:match "^%s*(%a+)"
  local shown = text.cut(text.safe(sql:gsub("%s+", " ")), LONGEST)
  local coloured = verb and colours[verb:upper()]
  if coloured then shown = paint(coloured, shown) end
  local counted = info.kind == "query" and not info.error
  local rows = counted and (", %d row%s"):format(info.rows, info.rows == 1 and "" or "s") or ""
  local failed = info.error and paint("red", " failed") or ""
  return shown .. paint("dim", ("%s  -- %.1f ms%s"):format(parameters(info.params), info.ms, rows)) .. failed
end

return echo
