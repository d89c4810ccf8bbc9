--- Where the console's lines come from: readline, a plain terminal, a pipe, a script.
local core = require "liga.core"
local terminal = require "liga.cli.terminal"

local input = {}

--- The file of the history; nil where none is wanted, or none can be written.
local function history_path()
  local path = os.getenv "LIGA_HISTORY"
  local home = os.getenv "HOME"
  if not path and home then path = home .. "/.liga_history" end
  local file = path and path ~= "" and io.open(path, "a")
  if not file then return nil end
  if file:seek "end" == 0 then os.execute(("chmod 600 '%s'"):format(path:gsub("'", "'\\''"))) end
  file:close()
  return path
end

-- Readline -----------------------------------------------------------------------------------------------------------

local Editor = {}
Editor.__index = Editor

--- Reads a line, key by key. SIGINT is held but for the waits between keys: readline would free in its handler what
-- is freed elsewhere too. A line that is thrown away leaves readline's handler in place, as the binding closes the
-- terminal before it takes it off; the next handler makes an end of it.
-- @return line, or nil and "end"; or "interrupted": what was typed is thrown away
function Editor:read(prompt)
  local line, reason
  core.hold_interrupts(true)
  local ok, problem = pcall(function()
    self.rl.handler_install(prompt, function(typed)
      line, reason = typed, "end"
      self.rl.handler_remove()
    end)
    while not reason do
      if core.await_input() == "interrupted" then reason = "interrupted" else self.rl.read_char() end
    end
  end)
  core.hold_interrupts(false)
  if not ok then error(problem, 0) end
  if line ~= nil then return line end
  io.stdout:write(reason == "interrupted" and "^C\r\n" or "\n"):flush()
  return nil, reason
end

--- Remembers an input, of one or more lines: as one line where that means the same.
function Editor:remember(text)
  if not text:find "%S" then return end
  if text:find("--", 1, true) or text:find "%[=*%[" then
    for line in text:gmatch "[^\n]+" do self.rl.add_history(line) end
  else
    self.rl.add_history((text:gsub("\n%s*", " ")))
  end
end

function Editor:close()
  if self.history then pcall(self.rl.save_history) end
end

--- @param complete function(before) → words, where they begin
local function new_editor(rl, complete)
  local path = history_path()
  rl.set_options{ keeplines = 1000, histfile = path or "", auto_add = false, ignoredups = true }
  rl.set_readline_name("liga")
  rl.set_complete_function(function(line, from, behind)
    local ok, words, start = pcall(complete, line:sub(1, behind - 1))
    if not ok then return {} end
    rl.set_completion_append_character("")
    -- Readline replaces from where it sees a word begin; ours begin earlier (`Album:fi`) or later (`[Op.g`).
    local list, head = {}, line:sub(from, start - 1)
    for i, word in ipairs(words) do list[i] = head .. word:sub(math.max(from - start, 0) + 1) end
    return list
  end)
  return setmetatable({ rl = rl, history = path ~= nil }, Editor)
end

-- Plain --------------------------------------------------------------------------------------------------------------

local Plain = {}
Plain.__index = Plain

function Plain:read(prompt)
  if self.prompts then
    io.stdout:write(prompt):flush()
    local what
    repeat what = core.await_input() until what ~= "signal"
    if what == "interrupted" then
      io.stdout:write("\n")
      return nil, "interrupted"
    end
  end
  local line = io.stdin:read "l"
  if line == nil then
    if self.prompts then io.stdout:write("\n") end
    return nil, "end"
  end
  return line
end

function Plain.remember() end
function Plain.close() end

-- Text ---------------------------------------------------------------------------------------------------------------

local Lines = {}
Lines.__index = Lines

function Lines:read()
  local line = self.next()
  if line == nil then return nil, "end" end
  return line
end

Lines.remember, Lines.close = Plain.remember, Plain.close

--- Lines of a text.
function input.text(text)
  return setmetatable({ next = (text .. "\n"):gmatch "(.-)\r?\n" }, Lines)
end

--- Lines of standard input: with prompts, editing and history on a terminal.
-- @param complete function(before) → words, where they begin
-- @return object with read(prompt), remember(text), close(); `interactive`
function input.standard(complete)
  local interactive = terminal.is(0) and terminal.is(1)
  local ok, rl = false, nil
  if interactive and os.getenv "TERM" ~= "dumb" then ok, rl = pcall(require, "readline") end
  local source = ok and type(rl) == "table" and new_editor(rl, complete)
    or setmetatable({ prompts = interactive }, Plain)
  source.interactive = interactive
  return source
end

return input
