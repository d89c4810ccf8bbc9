--- `liga reflect URL`: the tables as a file of models.
local arguments = require "liga.cli.arguments"
local open = require "liga.cli.open"
local output = require "liga.cli.output"
local reflect = require "liga.reflect"

return {
  usage = "reflect URL",
  summary = "write the tables of a database as Lua models",
  flags = {
    { name = "output", short = "o", value = "a file", help = "write to this file; its hand-made parts are kept" },
    { name = "tables", short = "t", value = "names", help = "only these tables, separated by commas" },
    { name = "views", help = "views too" },
    { name = "schema", value = "a schema", help = "PostgreSQL: the schema to read" },
    { name = "check", help = "write nothing; status 1 if the file of --output is not up to date" },
    { name = "debug", help = "with traceback" },
  },
  run = function(given, rest)
    arguments.count("reflect", rest, 1, given.check and 2 or 1, "the URL of a database")
    given.output = given.output or rest[2]
    if given.check and not given.output then arguments.wrong "liga reflect: --check needs a file (--output FILE)" end
    local tables
    for name in (given.tables or ""):gmatch "[^,]+" do
      tables = tables or {}
      tables[#tables + 1] = name
    end
    local db <close> = open.reading(rest[1])
    if open.count_tables(db, given) == 0 then open.reflect(db, given, rest[1]) end
    local content = open.with_progress(function(progress)
      return reflect.source(db, {
        schema = given.schema, tables = tables, views = given.views or nil,
        previous = given.output and output.read(given.output) or nil,
      }, progress)
    end)
    if given.check then return output.check(content, given.output, "reflect") end
    output.write(content, given.output)
    return 0
  end,
}
