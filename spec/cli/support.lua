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

--- What a terminal showed, without colours and movements of the cursor.
local function plain(shown)
  return (shown:gsub("\27%[[%d;?]*%a", ""):gsub("\r", ""))
end

local PATIENCE = 200                    -- looks at the output, 50 ms apart

--- Waits until the output holds a text behind a place.
local function await(path, from, wanted)
  for _ = 1, PATIENCE do
    local shown = plain(read(path))
    if shown:find(wanted, from, true) then return #shown + 1 end
    os.execute "sleep 0.05"
  end
  error(("%q did not come; the terminal shows:\n%s"):format(wanted, plain(read(path))), 0)
end

--- Runs `liga` on a terminal, by the program script.
-- @param words list
-- @param steps list of {keys, text that the terminal shows after them}
-- @param kind of terminal, nil: xterm
-- @return what the terminal showed
function support.terminal(words, steps, kind)
  local command = { environment("TERM=" .. (kind or "xterm") .. " COLUMNS=100") .. "bin/liga" }
  for _, word in ipairs(words) do command[#command + 1] = quoted(word) end
  local out = os.tmpname()
  local keys <close> = assert(io.popen(("script -qefc %s /dev/null >%s 2>&1"):format(
    quoted(table.concat(command, " ")), out), "w"))
  local place = await(out, 1, "liga> ")
  for _, step in ipairs(steps) do
    keys:write(step[1]):flush()
    place = await(out, place, step[2])
  end
  keys:write("\4"):flush()
  keys:close()
  local shown = plain(read(out))
  os.remove(out)
  return shown
end

--- Whether this machine has a program.
function support.has(program)
  return os.execute("command -v " .. program .. " >/dev/null 2>&1") == true
end

return support
