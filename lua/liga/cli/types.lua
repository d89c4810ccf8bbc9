--- `liga types URL|models.lua`: annotations for editors.
local annotations = require "liga.annotations"
local arguments = require "liga.cli.arguments"
local open = require "liga.cli.open"
local output = require "liga.cli.output"

local function read(given, word)
  if word:find "%.lua$" then return open.file_alone(word) end
  local db = open.reading(word)
  open.define(db, given, word)
  return db
end

return {
  usage = "types URL|models.lua",
  summary = "write LuaCATS annotations of the models",
  flags = {
    { name = "output", short = "o", value = "a file", help = "write to this file" },
    { name = "check", help = "write nothing; status 1 if the file of --output is not up to date" },
    table.unpack(open.flags),
  },
  run = function(given, rest)
    arguments.count("types", rest, 1, 1, "the URL of a database, or a file of models,")
    if given.check and not given.output then arguments.wrong "liga types: --check needs --output FILE" end
    local db <close> = read(given, rest[1])
    local content = annotations.text(db)
    if given.check then return output.check(content, given.output, "types") end
    output.write(content, given.output)
    return 0
  end,
}
