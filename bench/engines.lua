--- The engines: one row each. A row says how to build what the engine needs (a goal of the Makefile), where a
--- workload finds its data, and how to compare what was written.
local process = require("process")

local sqlite = { name = "sqlite", title = "SQLite", build = "sqlite" }

--- The data as a workload may use it: the file itself to read, a fresh copy to write. The copy is flushed, so that no
--- workload pays for it.
function sqlite.target(build, workload)
  local data = build .. "/data.sqlite"
  if not workload.writes then return data end
  local copy = build .. "/work.sqlite"
  process.run{ "rm", "-f", copy .. "-journal" }
  process.run{ "cp", data, copy }
  process.run{ "sync", copy }
  return copy
end

--- A text that is equal for equal contents of the table that the workload writes; empty if it writes none.
function sqlite.written(build, workload, target)
  if not workload.writes then return "" end
  return process.run{ build .. "/data_sqlite", "print", target, workload.writes }
end

return { sqlite = sqlite }
