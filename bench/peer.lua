--- Runs one workload of a peer in Lua in this process and prints what it took:
---   lua5.4 peer.lua PEER ENGINE WORKLOAD TARGET COUNT CLOCK [alone]
--- PEER is a file of peers/, ENGINE a row of engines.lua, TARGET what its `target` gives, CLOCK the path of clock.so.
--- A count of 0 does all but the workload. With "alone" the process ends behind the workload: no heap is measured,
--- nothing freed.
---
--- A peer is a module { open = function(target, engine name), number = function(db, sql), workloads = { W1 =
--- function(db, count), ... } }. `number` is the only value of a query. A workload prepares its input and returns the
--- function that is measured, which returns the number of rows, the sum over them, and what would be gone on with
--- (for the size of the heap) or nil.

local here = arg[0]:match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path

--- The most memory the process has had, in KiB; 0 where the system does not tell.
local function peakMemory()
  local file = io.open("/proc/self/status")
  if not file then return 0 end
  local text = file:read("a")
  file:close()
  return tonumber(text:match("VmHWM:%s*(%d+)")) or 0
end

local function heapBytes()
  collectgarbage()
  return collectgarbage("count") * 1024
end

local function measure(run, times, server, alone)
  local heap = heapBytes()
  local wall, cpu, work = times(server)
  local rows, sum, kept = run()
  local wallEnd, cpuEnd, workEnd = times(server)
  local peak = peakMemory()
  heap = kept and not alone and heapBytes() - heap or 0
  return ("rows=%d sum=%.2f wall=%.9f cpu=%.9f server=%.9f peak=%d heap=%d"):format(rows, sum, wallEnd - wall,
    cpuEnd - cpu, workEnd - work, peak, heap // 1), kept
end

local function nothing()
  return 0, 0
end

local function main(peerName, engineName, workloadName, target, count, clockPath, alone)
  local times = assert(package.loadlib(clockPath, "luaopen_bench_clock"))()
  local peer, query = require("peers." .. peerName), require("engines")[engineName].server
  local db = peer.open(target, engineName)
  local run = peer.workloads[workloadName](db, tonumber(count))
  print((measure(tonumber(count) > 0 and run or nothing, times, query and peer.number(db, query), alone)))
  io.stdout:flush()
  if alone then os.exit(true, false) end
end

main(table.unpack(arg))
