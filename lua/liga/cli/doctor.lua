--- `liga doctor URL`: what is wrong with a database, and how to mend it.
local arguments = require "liga.cli.arguments"
local doctor = require "liga.doctor"
local open = require "liga.cli.open"
local terminal = require "liga.cli.terminal"
local text = require "liga.cli.text"

local function write_finding(finding, paint)
  io.stdout:write(paint("yellow", finding.check), ": ", text.safe(finding.message), "\n")
  for _, sql in ipairs(finding.sql) do io.stdout:write("    ", paint("dim", text.safe(sql) .. ";"), "\n") end
end

--- Writes a script that mends all of it; what nothing but a person can mend is said in a comment.
local function write_script(db, findings)
  for _, part in ipairs(doctor.script(db, findings)) do
    for _, finding in ipairs(part.findings) do
      io.stdout:write("-- ", finding.check, ": ", text.safe(finding.message), "\n")
    end
    for _, sql in ipairs(part.statements) do io.stdout:write(sql, ";\n") end
  end
  for _, finding in ipairs(findings) do
    if #finding.sql == 0 then
      io.stdout:write("-- not mended: ", finding.check, ": ", text.safe(finding.message), "\n")
    end
  end
end

local flags = { { name = "fix-sql", help = "write only the SQL that mends what was found" } }
table.move(open.flags, 1, #open.flags, #flags + 1, flags)

return {
  usage = "doctor URL",
  summary = "look for faults in tables, keys and rows; status 1 if there are any",
  flags = flags,
  run = function(given, rest)
    arguments.count("doctor", rest, 1, 1, "the URL of a database")
    local db <close> = open.reading(rest[1])
    if open.count_tables(db, given) == 0 then open.reflect(db, given, rest[1]) end
    if given.models then open.models(db, given.models) end
    local show = terminal.progress()
    local findings = doctor.examine(db, { schema = given.schema, models = given.models ~= nil, progress = show })
    show()
    local paint = terminal.painter(1)
    if given["fix-sql"] then
      write_script(db, findings)
    else
      for _, finding in ipairs(findings) do write_finding(finding, paint) end
      io.stdout:write(#findings == 0 and "nothing found\n"
        or ("%d finding%s\n"):format(#findings, #findings == 1 and "" or "s"))
    end
    return #findings == 0 and 0 or 1
  end,
}
