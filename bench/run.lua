--- Measures liga against plain C and other drivers: lua5.4 bench/run.lua [options], see options.lua and README.md.

local here = (arg[0]:match("^(.*)/[^/]*$") or ".")
package.path = here .. "/?.lua;" .. package.path

local engines = require("engines")
local options = require("options")
local process = require("process")
local report = require("report")

local BUILD = here .. "/../build/bench"

--- The interpreter that runs this script.
local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  return arg[lowest]
end

--- The rows of `list` whose names are in `names`, in the order of `list`; all if there are no names.
local function pick(list, names, kind)
  if not names then return list end
  local wanted, picked = {}, {}
  for _, name in ipairs(names) do wanted[name] = true end
  for _, row in ipairs(list) do
    if wanted[row.name] then
      picked[#picked + 1] = row
      wanted[row.name] = nil
    end
  end
  local unknown = next(wanted)
  if unknown then error(("there is no %s %s"):format(kind, unknown), 0) end
  return picked
end

local function isThere(peer, engine)
  local module = peer.module and peer.module[engine.name]
  if module then return package.searchpath(module, package.cpath) ~= nil end
  local made = peer.program or peer.built or {}
  return made[engine.name] ~= nil
end

--- The peers that can run. One that was asked for by name must; others are left out with a word about it.
local function availablePeers(names, engine)
  local available = {}
  for _, peer in ipairs(pick(require("peers"), names, "peer")) do
    if isThere(peer, engine) then
      available[#available + 1] = peer
    elseif names and not peer.built then
      error(("%s is not installed for %s"):format(peer.name, engine.title), 0)
    elseif not peer.built then
      io.stderr:write(("%s is left out: not installed for %s\n"):format(peer.name, engine.title))
    end
  end
  return available
end

local function build(engine)
  for _, goal in ipairs{ BUILD .. "/clock.so", engine.build } do
    -- Without MAKEFLAGS: what a surrounding make was told is not meant for this one.
    process.run{ "env", "-u", "MAKEFLAGS", "make", "-s", "-f", here .. "/Makefile",
      "SOURCE=" .. here, "BUILD=" .. BUILD, goal }
  end
end

--- The command that runs a workload by a peer.
local function command(peer, engine, workload, target, count)
  if peer.program then return { BUILD .. "/" .. peer.program[engine.name], workload.name, target, count } end
  return { interpreter(), here .. "/peer.lua", peer.name, engine.name, workload.name, target, count,
    BUILD .. "/clock.so" }
end

--- Runs a workload once; a table of what it measured, with the contents it has written.
local function measure(run, peer, workload)
  local target = run.engine.target(BUILD, workload)
  local count = run.options.quick and workload.quick or workload.count
  local sample = process.values(process.run(command(peer, run.engine, workload, target, count)))
  sample.work = sample.cpu + sample.server
  sample.written = run.engine.written(BUILD, workload, target)
  if sample.rows ~= count * workload.rows then
    error(("%s handled %d rows instead of %d"):format(peer.name, sample.rows, count * workload.rows), 0)
  end
  return sample
end

--- Callgrind's count of the instructions of a whole process.
local function countInstructions(run, peer, workload, count)
  local out = ("%s/callgrind.%s.%s.out"):format(BUILD, peer.name, workload.name)
  local words = { "valgrind", "--tool=callgrind", "--callgrind-out-file=" .. (count == 0 and "/dev/null" or out) }
  local target = run.engine.target(BUILD, workload)
  table.move(command(peer, run.engine, workload, target, count), 1, 9, #words + 1, words)
  if not peer.program then words[#words + 1] = "alone" end
  local output = process.run(words, " 2>&1")
  local collected = output:match("Collected : (%d+)") or error("callgrind printed no count:\n" .. output, 0)
  return { rows = process.values(output).rows, sum = process.values(output).sum,
    instructions = math.tointeger(tonumber(collected)) }
end

--- The instructions of the workload alone: those of the whole process less those of one that does not run it.
local function measureInstructions(run, peer, workload)
  local sample = countInstructions(run, peer, workload, run.options.quick and workload.quick or workload.count)
  sample.instructions = sample.instructions - countInstructions(run, peer, workload, 0).instructions
  return sample
end

--- Raises an error unless a sample agrees with the first one of its workload.
local function compare(first, sample)
  for _, what in ipairs{ "rows", "sum", "written" } do
    if sample[what] ~= first[what] then
      error(("other %s than %s: %s instead of %s"):format(what, first.peer, sample[what], first[what]), 0)
    end
  end
end

--- Measures a workload by a peer once more and keeps the sample; a failure is told, counted, and ends it for the peer.
local function addSample(run, peer, workload, how)
  local samples = run.samples[workload.name]
  local key = workload.name .. " " .. peer.name
  if run.failures[key] then return end
  local fine, problem = pcall(function()
    local sample = how(run, peer, workload)
    sample.peer = peer.name
    run.first[workload.name] = run.first[workload.name] or sample
    compare(run.first[workload.name], sample)
    samples[peer.name] = samples[peer.name] or {}
    table.insert(samples[peer.name], sample)
  end)
  if fine then return end
  io.stderr:write(("FAILED %s by %s: %s\n"):format(workload.name, peer.name, problem))
  run.failures[key], run.failed, samples[peer.name] = true, true, nil
end

--- All repetitions. The floor is asked first and is right by definition; in later repetitions the peers take turns at
--- being first.
local function repeatAll(run, times, how)
  for repetition = 0, times - 1 do
    for _, workload in ipairs(run.workloads) do
      run.samples[workload.name] = run.samples[workload.name] or {}
      for i = 1, #run.peers do
        addSample(run, run.peers[(i - 1 + repetition) % #run.peers + 1], workload, how)
      end
    end
  end
end

--- Measures all that was asked for on one engine and prints it; false if some of it failed.
local function measureEngine(engine, chosen)
  local peerNames = chosen.peers or (chosen.callgrind and { "c", "liga" }) or nil
  local workloadNames = chosen.only or (chosen.callgrind and { "W1", "W2" }) or nil
  local run = { engine = engine, options = chosen, samples = {}, first = {}, failures = {},
    peers = availablePeers(peerNames, engine), workloads = pick(require("workloads"), workloadNames, "workload") }
  build(engine)
  engine.prepare(BUILD, here)
  repeatAll(run, chosen.callgrind and 1 or chosen.runs, chosen.callgrind and measureInstructions or measure)
  report[chosen.callgrind and "instructions" or "times"](run)
  return not run.failed
end

--- The same by this script once more, inside of what starts the engine's server.
local function measureHosted(engine)
  local words = { "env", "LIGA_HOSTED=" .. engine.name, here .. "/../" .. engine.host, interpreter(), arg[0] }
  table.move(arg, 1, #arg, #words + 1, words)
  return process.show(words)
end

local function main()
  local chosen = options.parse(arg)
  if chosen.help then return print(options.usage) end
  local hosted, failed = os.getenv("LIGA_HOSTED"), false
  for _, name in ipairs(hosted and { hosted } or chosen.engines) do
    local engine = engines[name] or error("there is no engine " .. name, 0)
    local measured = engine.host and not hosted and measureHosted(engine) or measureEngine(engine, chosen)
    failed = failed or not measured
  end
  if failed then error("some workloads failed, see above", 0) end
end

local fine, problem = pcall(main)
if not fine then
  io.stderr:write("bench: ", problem, "\n")
  os.exit(1)
end
