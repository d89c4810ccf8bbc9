--- `liga help [command]`.
local arguments = require "liga.cli.arguments"
local options = require "liga.options"

local function flag_text(flag)
  local short = flag.short and "-" .. flag.short .. ", " or "    "
  local value = flag.value and " " .. flag.value:upper():gsub("^AN? ", ""):gsub("[ ,].*", "") or ""
  return ("  %s--%s%s"):format(short, flag.name, value)
end

local function command_help(command)
  local lines = { "usage: liga " .. command.usage, "", command.summary, "" }
  for _, flag in ipairs(command.flags) do lines[#lines + 1] = ("%-28s %s"):format(flag_text(flag), flag.help) end
  for _, line in ipairs(command.more or {}) do lines[#lines + 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

--- The overview.
local function overview(names, commands)
  local lines = { "usage: liga COMMAND [flags] …", "" }
  for _, name in ipairs(names) do
    lines[#lines + 1] = ("  %-24s %s"):format(commands[name].usage, commands[name].summary)
  end
  table.move({
    "", "URL is sqlite:PATH, the path of an SQLite file, sqlite::memory:, or postgres://USER@HOST/DATABASE.",
    "`liga help COMMAND` tells the flags of a command.",
    "Exit status: 0 fine, 1 an error or something found, 2 wrong usage.",
  }, 1, 4, #lines + 1, lines)
  return table.concat(lines, "\n") .. "\n"
end

return {
  usage = "help [COMMAND]",
  summary = "tell what commands and flags there are",
  flags = {},
  overview = overview,
  command = command_help,
  run = function(_, rest)
    local cli = require "liga.cli"
    arguments.count("help", rest, 0, 1, "")
    local command = rest[1] and cli.commands[rest[1]]
    if rest[1] and not command then
      arguments.wrong("liga: unknown command %q%s", rest[1], options.hint(rest[1], cli.names))
    end
    io.stdout:write(command and command_help(command) or overview(cli.names, cli.commands))
    return 0
  end,
}
