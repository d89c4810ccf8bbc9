--- Checks that every #include of csrc/ points downward, that lua.h stays in csrc/lua/ and that only a driver
-- knows its database library.

local BELOW = {
  base   = { "base" },
  schema = { "base", "schema" },
  sql    = { "base", "schema", "sql" },
  load   = { "base", "schema", "sql", "load" },
  driver = { "base", "driver" },
  lua    = { "base", "schema", "sql", "load", "driver", "lua" },
}

--- Headers from outside that one place only may include.
local FOREIGN = {
  { "^lua%.h$", "^csrc/lua/" }, { "^lauxlib%.h$", "^csrc/lua/" }, { "^lualib%.h$", "^csrc/lua/" },
  { "^sqlite3", "^csrc/driver/sqlite" }, { "^libpq", "^csrc/driver/postgres" },
}

local allowed = {}
for layer, names in pairs(BELOW) do
  allowed[layer] = {}
  for _, name in ipairs(names) do allowed[layer][name] = true end
end

--- What is wrong with `file` including `header`, or nil.
local function fault(file, header)
  for _, rule in ipairs(FOREIGN) do
    if header:find(rule[1]) and not file:find(rule[2]) then return "may not include <" .. header .. ">" end
  end
end

--- What is wrong with `file` of `layer` including our own `header`, or nil.
local function own_fault(layer, header)
  local target = header:match "^(%l+)/[%w_]+%.[%l_]+$"
  if not target then return ('"%s" does not name its layer: write "layer/file.h"'):format(header) end
  if not allowed[target] then return ('"%s" is in no layer'):format(header) end
  if not allowed[layer][target] then return ('%s may not include "%s": it is not below'):format(layer, header) end
end

local faults = 0

local function check(file)
  local layer, number = file:match "^csrc/(%l+)/", 0
  if not allowed[layer] then
    print(file .. ": in no layer")
    faults = faults + 1
    return
  end
  for line in io.lines(file) do
    number = number + 1
    local mark, header = line:match '^%s*#%s*include%s*([<"])([^>"]+)'
    local message = header and (fault(file, header) or mark == '"' and own_fault(layer, header))
    if message then
      print(("%s:%d: %s"):format(file, number, message))
      faults = faults + 1
    end
  end
end

local files <close> = assert(io.popen "find csrc -name '*.[ch]' | sort")
for file in files:lines() do check(file) end
os.exit(faults == 0, true)
