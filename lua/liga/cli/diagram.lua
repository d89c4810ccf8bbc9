--- `liga diagram URL`: models and associations as a picture.
local arguments = require "liga.cli.arguments"
local diagram = require "liga.diagram"
local open = require "liga.cli.open"
local output = require "liga.cli.output"
local terminal = require "liga.cli.terminal"
local text = require "liga.cli.text"

local function check_format(format)
  for _, name in ipairs(diagram.formats) do
    if name == format then return end
  end
  arguments.wrong("liga diagram: unknown format %q (there are %s)", format, table.concat(diagram.formats, ", "))
end

local flags = {
  { name = "format", short = "f", value = "a format", help = "mermaid, dot, svg or text" },
  { name = "around", short = "a", value = "a model", help = "only this model and what is linked to it" },
  { name = "depth", short = "d", value = "a number", integer = true, help = "with --around: links away (1)" },
  { name = "output", short = "o", value = "a file", help = "write to this file" },
}
table.move(open.flags, 1, #open.flags, #flags + 1, flags)

return {
  usage = "diagram URL|models.lua",
  summary = "draw models and associations",
  flags = flags,
  run = function(given, rest)
    arguments.count("diagram", rest, 1, 1, "the URL of a database, or a file of models,")
    local on_terminal = not given.output and terminal.is(1)
    local format = given.format or on_terminal and "text" or "mermaid"
    check_format(format)
    if given.depth and not given.around then arguments.wrong "liga diagram: --depth belongs to --around MODEL" end
    local db <close> = open.described(given, rest[1])
    local content = diagram.text(db, { format = format, around = given.around, depth = given.depth })
    output.write(on_terminal and text.safe_lines(content) or content, given.output)
    return 0
  end,
}
