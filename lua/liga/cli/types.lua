--- `liga types URL|models.lua`: annotations for editors.
local annotations = require "liga.annotations"
local arguments = require "liga.cli.arguments"
local open = require "liga.cli.open"
local output = require "liga.cli.output"

return {
  usage = "types URL|models.lua",
  summary = "write LuaCATS annotations of the models",
  flags = {
    { name = "output", short = "o", value = "a file", help = "write to this file" },
    { name = "check", help = "write nothing; status 1 if the file of --output is not up to date" },
    table.unpack(open.flags),
  },
  run = function(given, rest)
    arguments.count("types", rest, 1, given.check and 2 or 1, "the URL of a database, or a file of models,")
    given.output = given.output or rest[2]
    if given.check and not given.output then arguments.wrong "liga types: --check needs a file (--output FILE)" end
    local db <close> = open.described(given, rest[1])
    local content = annotations.text(db)
    if given.check then return output.check(content, given.output, "types") end
    output.write(content, given.output)
    return 0
  end,
}
