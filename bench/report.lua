--- Prints what was measured, as Markdown tables.
local report = {}

local function column(samples, name)
  local values = {}
  for i, sample in ipairs(samples) do values[i] = sample[name] end
  table.sort(values)
  return values
end

local function median(samples, name)
  local values = column(samples, name)
  local half = #values // 2
  if #values % 2 == 1 then return values[half + 1] end
  return (values[half] + values[half + 1]) / 2
end

local function printRow(cells)
  print("| " .. table.concat(cells, " | ") .. " |")
end

--- Prints a table: the first column at the left, the others at the right, as wide as they need.
local function printTable(rows)
  local widths, dashes = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for i, width in ipairs(widths) do
    dashes[i] = i == 1 and ("-"):rep(width) or ("-"):rep(width - 1) .. ":"
    for _, row in ipairs(rows) do
      row[i] = (i == 1 and "%-" .. width .. "s" or "%" .. width .. "s"):format(row[i])
    end
  end
  for i, row in ipairs(rows) do
    printRow(row)
    if i == 1 then printRow(dashes) end
  end
end

--- A table with a column for each peer; cell(samples, floorSamples) is what stands in it.
local function printByPeer(run, title, cell)
  local rows = { { title } }
  for i, peer in ipairs(run.peers) do rows[1][i + 1] = peer.name end
  for _, workload in ipairs(run.workloads) do
    local samples = run.samples[workload.name]
    local row = { workload.name .. " " .. workload.title }
    for i, peer in ipairs(run.peers) do
      row[i + 1] = samples[peer.name] and cell(samples[peer.name], samples[run.peers[1].name]) or "failed"
    end
    rows[#rows + 1] = row
  end
  printTable(rows)
  print()
end

--- nil if there is nothing to compare.
local function ratio(samples, floor, name)
  return samples and floor and median(samples, name) / median(floor, name)
end

local function geometricMean(values)
  local sum = 0
  for _, value in ipairs(values) do sum = sum + math.log(value) end
  return #values > 0 and ("%.2f"):format(math.exp(sum / #values)) or "-"
end

--- The goal of a workload and whether liga's ratio reaches it, if the floor ran. The ratio counts as it is printed.
local function verdict(run, workload, reached)
  local goal = workload.goal[run.engine.name]
  if not goal then return "-", "-" end
  local shown = ("%.1f"):format(goal)
  if not reached or not run.peers[1].program then return shown, "-" end
  return shown, tonumber(("%.2f"):format(reached)) <= goal and "ok" or "missed"
end

--- The ratios of a clock (of the engine) to the floor with their geometric means; beside them the goals, if wanted.
local function printRatios(run, title, clock, withGoals)
  local rows, ratios = { { title } }, {}
  for i, peer in ipairs(run.peers) do
    rows[1][i + 1], ratios[peer.name] = peer.name, {}
  end
  for _, workload in ipairs(run.workloads) do
    local samples, ofLiga = run.samples[workload.name], nil
    local row = { workload.name .. " " .. workload.title }
    for _, peer in ipairs(run.peers) do
      local value = ratio(samples[peer.name], samples[run.peers[1].name], clock)
      row[#row + 1] = value and ("%.2f"):format(value) or samples[peer.name] and "-" or "failed"
      table.insert(ratios[peer.name], value)
      if peer.name == "liga" then ofLiga = value end
    end
    if withGoals then row[#row + 1], row[#row + 2] = verdict(run, workload, ofLiga) end
    rows[#rows + 1] = row
  end
  local means = { "geometric mean" }
  for i, peer in ipairs(run.peers) do means[i + 1] = geometricMean(ratios[peer.name]) end
  rows[#rows + 1] = means
  if withGoals then
    table.move({ "goal", "liga" }, 1, 2, #rows[1] + 1, rows[1])
    table.move({ "", "" }, 1, 2, #means + 1, means)
  end
  printTable(rows)
  print()
end

local function milliseconds(name)
  return function(samples)
    return ("%.1f (%.1f)"):format(median(samples, name) * 1e3, column(samples, name)[1] * 1e3)
  end
end

local function printHeap(run)
  for _, workload in ipairs(run.workloads) do
    for _, peer in ipairs(run.peers) do
      local samples = workload.name == "W1" and run.samples.W1[peer.name]
      if samples and samples[1].heap then
        local bytes = median(samples, "heap") / samples[1].rows
        print(("Lua heap of %s after W1: %.0f bytes a row"):format(peer.name, bytes))
      end
    end
  end
end

--- Prints a run { engine, peers, workloads, options, samples = { [workload name] = { [peer name] = list } } }; a
--- sample has the times of the engine's clocks (seconds), peak (KiB), rows and, from a peer in Lua, heap (bytes).
function report.times(run)
  local floor = run.peers[1].name
  print(("%s, %d interleaved runs in fresh processes%s; medians\n"):format(run.engine.title, run.options.runs,
    run.options.quick and ", QUICK: too little work to measure" or ""))
  for i, clock in ipairs(run.engine.clocks) do
    printRatios(run, ("%s, ratio to %s"):format(clock[2], floor), clock[1], i == 1)
  end
  for _, clock in ipairs(run.engine.clocks) do
    printByPeer(run, clock[2] .. ", ms: median (least)", milliseconds(clock[1]))
  end
  printByPeer(run, "peak memory, MB", function(samples) return ("%.1f"):format(median(samples, "peak") / 1024) end)
  printHeap(run)
end

--- Prints the instructions of a run; a sample has instructions and rows.
function report.instructions(run)
  printByPeer(run, "instructions a row (ratio to " .. run.peers[1].name .. ")", function(samples, floor)
    local own = samples[1].instructions / samples[1].rows
    return ("%.0f (%.2f)"):format(own, floor and samples[1].instructions / floor[1].instructions or 0)
  end)
end

return report
