--- Where the console's lines come from: readline, a plain terminal, a pipe, a script.
local core = require "liga.core"
local terminal = require "liga.cli.terminal"

local input = {}

local function history_path()
  local given = os.getenv "LIGA_HISTORY"
  if given then return given ~= "" and given or nil end
  local home = os.getenv "HOME"
  return home and home .. "/.liga_history" or nil
end

-- Readline -----------------------------------------------------------------------------------------------------------

local Editor = {}
Editor.__index = Editor

--- Reads a line. SIGINT waits meanwhile and is forgotten: readline would free in its handler what is freed elsewhere
-- too. The line stays (Ctrl-U throws it away).
-- @return line, or nil and "end"
function Editor:read(prompt)
  core.hold_interrupts(true)
  local ok, line = pcall(self.rl.readline, prompt)
  core.hold_interrupts(false)
  if not ok then error(line, 0) end
  if line ~= nil then return line end
  io.stdout:write("\n"):flush()
  return nil, "end"
end

--- Remembers an input, of one or more lines.
function Editor:remember(text)
  if text:find "%S" then self.rl.add_history((text:gsub("\n", " "))) end
end

function Editor:close()
  if self.history then pcall(self.rl.save_history) end
end

--- @param complete function(before) → words, where they begin
local function new_editor(rl, complete)
  local path = history_path()
  rl.set_options{ keeplines = 1000, histfile = path or "", auto_add = false, ignoredups = true }
  rl.set_readline_name("liga")
  rl.set_complete_function(function(line, from, to)
    local before = line:sub(1, to)
    local ok, words, start = pcall(complete, before)
    if not ok then return {} end
    rl.set_completion_append_character("")
    -- Readline replaces from where it sees a word begin; ours may begin earlier (`Album:fi`), never later.
    local cut, list = from - start + 1, {}
    for i, word in ipairs(words) do list[i] = cut > 0 and word:sub(cut) or word end
    return list
  end)
  return setmetatable({ rl = rl, history = path ~= nil }, Editor)
end

-- Plain --------------------------------------------------------------------------------------------------------------

local Plain = {}
Plain.__index = Plain

function Plain:read(prompt)
  if self.prompts then io.stdout:write(prompt):flush() end
  if self.prompts and not core.await_input() then
    io.stdout:write("\n")
    return nil, "interrupted"
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
