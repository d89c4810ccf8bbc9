--- Runs one workload of a peer in Lua in this process and prints what it took:
---   lua5.4 peer.lua PEER WORKLOAD TARGET COUNT CLOCK
--- PEER is a file of peers/, TARGET what its `open` takes, CLOCK the path of clock.so. A count of 0 does all but the
--- workload.
---
--- A peer is a module { open = function(target), workloads = { W1 = function(db, count), ... } }. A workload prepares
--- its input and returns the function that is measured, which returns the number of rows, the sum over them, and what
--- the program would go on with (for the size of the heap) or nil.

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

local function measure(run, wallClock)
  local heap = heapBytes()
  local wall, cpu = wallClock(), os.clock()
  local rows, sum, kept = run()
  cpu, wall = os.clock() - cpu, wallClock() - wall
  local peak = peakMemory()
  heap = kept and heapBytes() - heap or 0
  return ("rows=%d sum=%.2f wall=%.9f cpu=%.9f peak=%d heap=%d"):format(rows, sum, wall, cpu, peak, heap // 1), kept
end

local function nothing()
  return 0, 0
end

local function main(peerName, workloadName, target, count, clockPath)
  local wallClock = assert(package.loadlib(clockPath, "luaopen_bench_clock"))()
  local peer = require("peers." .. peerName)
  local run = peer.workloads[workloadName](peer.open(target), tonumber(count))
  print((measure(tonumber(count) > 0 and run or nothing, wallClock)))
end

main(table.unpack(arg))
