--- Writes build/reference/QueryInterface.lua for LDoc: the doc comments of the source, under the name users know.

local HEAD = [[
--- Tables, columns, indexes and constraints: what `db:queryInterface()` returns. A table is given by its name or a
-- model.
-- @classmod QueryInterface
local QueryInterface = {}
]]

local parts = { HEAD }

--- Takes the methods of one file.
local function read(path)
  local comment = {}
  for line in io.lines(path) do
    local name, arguments = line:match "^function methods:([%w_]+)%((.*)%)$"
    if line:find "^%-%-%- " then comment = {} end
    if line:find "^%-%-" then
      comment[#comment + 1] = line:gsub("@param given ", "@param[opt] given ")
    elseif name then
      parts[#parts + 1] = ("%s\nfunction QueryInterface:%s(%s) end\n"):format(table.concat(comment, "\n"), name,
        arguments)
    else
      comment = {}
    end
  end
end

for _, part in ipairs { "tables", "columns", "indexes", "constraints", "sequences", "rows" } do
  read("lua/liga/query_interface/" .. part .. ".lua")
end
parts[#parts + 1] = "return QueryInterface\n"

os.execute "mkdir -p build/reference"
local file <close> = assert(io.open("build/reference/QueryInterface.lua", "w"))
file:write(table.concat(parts, "\n"))
