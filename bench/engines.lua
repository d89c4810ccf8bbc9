--- The engines: one row each. A row says how to build what the engine needs (a goal of the Makefile), where a workload
--- finds its data, how to compare what was written, and which times are shown.
---
--- host     a program that run.lua has to be run by: it starts the server and ends it
--- prepare  function(build): done once, before all workloads
--- target   function(build, workload): what a peer opens; the data itself to read, a fresh copy to write
--- written  function(build, workload, target): a text that is equal for equal contents of the table that the workload
---          writes; empty if it writes none
--- server   a query for the process that works for a connection
--- clocks   what is compared: a sample's field, a title; the first is compared with the goals
local process = require("process")

local function nothing() end

local sqlite = { name = "sqlite", title = "SQLite", build = "sqlite", prepare = nothing }

sqlite.clocks = { { "cpu", "CPU time" }, { "wall", "wall time" } }

--- The copy is flushed, so that no workload pays for it.
function sqlite.target(build, workload)
  local data = build .. "/data.sqlite"
  if not workload.writes then return data end
  local copy = build .. "/work.sqlite"
  process.run{ "rm", "-f", copy .. "-journal" }
  process.run{ "cp", data, copy }
  process.run{ "sync", copy }
  return copy
end

function sqlite.written(build, workload, target)
  if not workload.writes then return "" end
  return process.run{ build .. "/data_sqlite", "print", target, workload.writes }
end

local postgres = { name = "postgres", title = "PostgreSQL", build = "postgres", host = "tools/with_cluster.sh",
  server = "SELECT pg_backend_pid()" }

postgres.clocks = {
  { "wall", "wall time" }, { "work", "CPU time of client and server" }, { "cpu", "CPU time of the client" },
}

local function conninfo(database)
  return ("host=%s user=liga dbname=%s"):format(os.getenv("LIGA_CLUSTER"), database)
end

local function psql(database, ...)
  return process.run({ "psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database), ... }, " 2>&1")
end

function postgres.prepare(build, here)
  psql("postgres", "-c", "CREATE DATABASE data")
  process.run({ "env", "BENCH_DATA=" .. build .. "/data.sqlite", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d",
    conninfo("data"), "-f", here .. "/data_postgres.sql" }, " 2>&1")
end

--- Copied as files, which ends with a checkpoint.
function postgres.target(_, workload)
  if not workload.writes then return conninfo("data") end
  psql("postgres", "-c", "DROP DATABASE IF EXISTS work", "-c", "CREATE DATABASE work TEMPLATE data STRATEGY file_copy")
  return conninfo("work")
end

function postgres.written(_, workload)
  if not workload.writes then return "" end
  return psql("work", "-c", ("SELECT count(*), sum(hashtextextended(t::text, 0)) FROM %s t"):format(workload.writes))
end

return { sqlite = sqlite, postgres = postgres }
