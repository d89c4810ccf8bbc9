--- The command line of run.lua.
local options = {}

options.usage = [[
usage: lua5.4 bench/run.lua [options]
  --runs N          repetitions of each workload by each peer, interleaved (default 7)
  --only W1,W2      these workloads only
  --peers liga,c    these peers only
  --engine sqlite   this engine only, of sqlite and postgres
  --quick           3 repetitions, and a tenth of the work: to see that all runs, not to measure
  --callgrind       instructions instead of time (needs valgrind): W1 and W2, c and liga unless chosen otherwise
  --help            this text]]

local function words(text)
  local list = {}
  for word in text:gmatch("[^,]+") do list[#list + 1] = word end
  return list
end

local function positive(text)
  local number = math.tointeger(tonumber(text))
  return number and number > 0 and number or nil
end

--- Each option: how to read its value (nil: it has none) and the field it sets.
local known = {
  ["--runs"] = { field = "runs", read = positive },
  ["--only"] = { field = "only", read = words },
  ["--peers"] = { field = "peers", read = words },
  ["--engine"] = { field = "engines", read = words },
  ["--quick"] = { field = "quick" },
  ["--callgrind"] = { field = "callgrind" },
  ["--help"] = { field = "help" },
}

local function readValue(option, name, value)
  if not option.read then return true end
  local read = value and option.read(value)
  if not read then error(name .. " needs a value", 0) end
  return read
end

--- The options of a command line (a list) as a table; raises a text if there is something wrong.
function options.parse(arguments)
  local result = { engines = { "sqlite", "postgres" } }
  local i = 1
  while arguments[i] do
    local name, value = arguments[i]:match("^(%-%-%w+)=?(.*)$")
    local option = name and known[name]
    if not option then error("unknown option " .. arguments[i] .. "\n" .. options.usage, 0) end
    if option.read and value == "" then
      i = i + 1
      value = arguments[i]
    end
    result[option.field] = readValue(option, name, value)
    i = i + 1
  end
  result.runs = result.runs or (result.quick and 3 or 7)
  return result
end

return options
