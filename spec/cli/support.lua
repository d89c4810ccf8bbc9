--- What the specs of the command need: running it, through a pipe or on a terminal, and databases to run it on.
local assert = require "luassert"

local support = {}

local function quoted(word) return "'" .. word:gsub("'", [['\'']]) .. "'" end

local function environment(more)
  local build = package.cpath:match "%./(build[%w-]*)/%?%.so" or "build"
  return ("env -u LUA_PATH -u LUA_CPATH LIGA_BUILD=%s LIGA_HISTORY= %s "):format(build, more or "")
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- Writes a file that is gone at the end of the process.
-- @return its path
function support.file(content, suffix)
  local path = os.tmpname()
  if suffix then
    os.remove(path)
    path = path .. suffix
  end
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  return path
end

support.read = read

--- Runs `liga` in a pipe.
-- @param words list
-- @param input text for standard input, or nil
-- @return standard output, standard error, exit status
function support.liga(words, input)
  local out, err, from = os.tmpname(), os.tmpname(), support.file(input or "")
  local command = { environment() .. "bin/liga" }
  for _, word in ipairs(words) do command[#command + 1] = quoted(word) end
  local _, how, status = os.execute(("%s <%s >%s 2>%s"):format(table.concat(command, " "), from, out, err))
  local output, errors = read(out), read(err)
  os.remove(out)
  os.remove(err)
  os.remove(from)
  assert.equal("exit", how)
  return output, errors, status
end

--- Runs `liga` on a terminal; keys are sent one after the other, with a pause before each.
-- @return what the terminal showed, without colours
function support.terminal(words, keys)
  local parts = {}
  for _, key in ipairs(keys) do parts[#parts + 1] = ("sleep 0.4; printf %s"):format(quoted(key)) end
  local command = { environment "TERM=xterm COLUMNS=100" .. "bin/liga" }
  for _, word in ipairs(words) do command[#command + 1] = quoted(word) end
  local out = os.tmpname()
  os.execute(("(%s; sleep 0.4) | script -qefc %s /dev/null >%s 2>&1"):format(table.concat(parts, "; "),
    quoted(table.concat(command, " ")), out))
  local shown = read(out):gsub("\27%[[%d;?]*%a", ""):gsub("\27%[%?%d+%a", ""):gsub("\r", "")
  os.remove(out)
  return shown
end

--- Whether this machine has a program.
function support.has(program)
  return os.execute("command -v " .. program .. " >/dev/null 2>&1") == true
end

return support
