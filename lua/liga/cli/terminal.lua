--- What the command is connected to: a terminal or a pipe, how wide, with colours or not.
local text = require "liga.cli.text"

local terminal = {}

--- Whether a stream is a terminal: 0 standard input, 1 output, 2 errors.
function terminal.is(stream)
  return os.execute(("test -t %d"):format(stream)) == true
end

--- What the user says; read at once, as readline sets the variable later, to the size as it was then.
local wanted = math.tointeger(tonumber(os.getenv "COLUMNS"))

local function from_stty()
  local pipe <close> = io.popen "stty size 2>/dev/null </dev/tty"
  local size = pipe and pipe:read "l"
  return size and tonumber(size:match "%d+%s+(%d+)")
end

--- The columns of the terminal; in a pipe as many as wanted.
function terminal.width()
  if wanted and wanted > 0 then return wanted end
  if not terminal.is(1) then return math.huge end
  local width = math.tointeger(from_stty())
  return width and width > 0 and width or 80
end

--- Shows how far long work is: on a terminal only, in a line that is wiped when there is no text.
-- @return function(text or nil)
function terminal.progress()
  if not terminal.is(2) then return function() end end
  return function(shown) io.stderr:write("\r\27[K", shown and text.safe(shown) .. " …" or ""):flush() end
end

--- Paints for a stream: with colours on a terminal, unless NO_COLOR or --no-color says otherwise.
function terminal.painter(stream, never)
  local no_color = os.getenv "NO_COLOR"
  return text.painter(not never and (no_color == nil or no_color == "") and terminal.is(stream))
end

return terminal
