--- The command `liga`: finds the command, runs it, says in one line what went wrong.
local arguments = require "liga.cli.arguments"
local errors = require "liga.errors"
local open = require "liga.cli.open"
local options = require "liga.options"
local text = require "liga.cli.text"

local cli = { names = { "console", "reflect", "types", "diagram", "doctor", "demo", "help" } }

--- The commands by name, loaded when they are asked for.
cli.commands = setmetatable({}, { __index = function(_, name)
  for _, known in ipairs(cli.names) do
    if known == name then return require("liga.cli." .. name) end
  end
end })

--- An error in one line, without what a terminal would obey.
local function sentence(problem)
  if errors.is(problem) then
    local source = problem.cause and errors.is(problem.cause) and ": " .. tostring(problem.cause.message) or ""
    return text.safe(open.place(problem) .. tostring(problem.message) .. source)
  end
  return text.safe(tostring(problem))
end

local debugging = false

--- Keeps the traceback with the error.
local function handler(problem)
  if not debugging then return problem end
  return { problem = problem, traceback = debug.traceback(nil, 2) }
end

local function report(problem)
  local traceback
  if debugging and type(problem) == "table" and problem.traceback then
    problem, traceback = problem.problem, problem.traceback
  end
  local wrong = arguments.is_wrong(problem)
  io.stderr:write(wrong and sentence(problem) or "liga: " .. sentence(problem), "\n")
  if traceback then io.stderr:write(traceback, "\n") end
  return wrong and 2 or 1
end

local function find_command(name)
  local command = cli.commands[name]
  if command then return command end
  arguments.wrong("liga: unknown command %q%s", name, options.hint(name, cli.names))
end

local function run(words)
  local name = words[1]
  if name == nil then
    io.stderr:write(cli.commands.help.overview(cli.names, cli.commands))
    return 2
  end
  if name == "--version" then
    io.stdout:write("liga ", require "liga".version, "\n")
    return 0
  end
  if name == "--help" or name == "-h" then name = "help" end
  local command = find_command(name)
  local rest = table.move(words, 2, #words, 1, {})
  for _, word in ipairs(rest) do
    if word == "--" then break end
    if word == "--help" or word == "-h" then
      io.stdout:write(cli.commands.help.command(command))
      return 0
    end
    debugging = debugging or word == "--debug"
  end
  return command.run(arguments.read(name, command.flags, rest))
end

--- Runs the command.
-- @param words list of the words behind `liga`
-- @return exit status
function cli.main(words)
  debugging = false
  local ok, result = xpcall(run, handler, words)
  io.stdout:flush()
  if ok then return result end
  return report(result)
end

--- How an error is shown on one line.
cli.sentence = sentence

return cli
