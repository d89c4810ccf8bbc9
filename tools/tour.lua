--- docs/tour.md beside the source: it names every file once, and none that is not there. `--write` brings its line
-- numbers up to date, which change too often to be checked.
--
--     lua5.4 tools/tour.lua [--write]

local TOUR = "docs/tour.md"

--- The files of a section whose rows have their names without an ending: header and source together.
local function source_and_header(folder)
  return function(name) return { folder .. name .. ".h", folder .. name .. ".c" } end
end

--- Where the files of a section are, by the path at the head of its title.
local SECTIONS = {
  ["lua/liga"] = function(name) return { "lua/liga/" .. name } end,
  ["Eight files first"] = function(path) return { path } end,
}
for _, layer in ipairs{ "base", "schema", "sql", "load", "driver", "lua" } do
  SECTIONS["csrc/" .. layer] = source_and_header("csrc/" .. layer .. "/")
end

--- How many lines a file has; nil: it is not there.
local function lines_of(path)
  local file <close> = io.open(path)
  if not file then return nil end
  local count = 0
  for _ in file:lines() do count = count + 1 end
  return count
end

local faults = 0

local function fault(...)
  print((...):format(select(2, ...)))
  faults = faults + 1
end

local named = {}        -- path → how many rows have it

--- The lines of the files that a row names, together.
local function measure(paths, name)
  local sum
  for _, path in ipairs(paths) do
    local lines = lines_of(path)
    if lines then
      sum = (sum or 0) + lines
      named[path] = (named[path] or 0) + 1
    end
  end
  if not sum then fault("%s: there is no `%s`", TOUR, name) end
  return sum or 0
end

--- A line of the tour with its number as it is today.
local function refreshed(line, files)
  local before, name, after = line:match "^(.*| `([%w_/.]+)` | )%d+( |.*)$"
  return name and before .. measure(files(name), name) .. after or line
end

local text, files = {}, nil
for line in io.lines(TOUR) do
  local title = line:match "^## ([^:]+)"
  if title then
    files = SECTIONS[title]
    if title == "csrc/base" then named = {} end         -- the first eight stand in their sections, too
  end
  text[#text + 1] = files and refreshed(line, files) or line
end

--- Commands of the command line stand in one row together.
local function stands_apart(path)
  local command = path:match "^lua/liga/cli/(%l+)%.lua$"
  return command and table.concat(text, "\n"):find("`" .. command .. "`", 1, true)
end

local found <close> = assert(io.popen "find csrc lua -name '*.[ch]' -o -name '*.lua' | sort")
for path in found:lines() do
  local rows = named[path] or 0
  if rows == 0 and not stands_apart(path) then fault("%s: `%s` is missing", TOUR, path) end
  if rows > 1 then fault("%s: `%s` stands there twice", TOUR, path) end
end

if arg[1] == "--write" then
  local file <close> = assert(io.open(TOUR, "w"))
  file:write(table.concat(text, "\n"), "\n")
end
os.exit(faults == 0, true)
