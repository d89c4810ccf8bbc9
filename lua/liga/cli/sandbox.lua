--- A private copy of an SQLite file: what is written to it is gone at the end, and the file itself is never touched.
local errors = require "liga.errors"

local sandbox = {}

local BLOCK = 1 << 20

--- Copies a file.
-- @return false where there is none
local function copy(from, to)
  local source <close> = io.open(from, "rb")
  if not source then return false end
  local target <close> = assert(io.open(to, "wb"))
  for block in source:lines(BLOCK) do assert(target:write(block)) end
  return true
end

--- Makes a copy, with what the write-ahead log holds.
-- @return path of the copy
function sandbox.copy(path)
  local to = os.tmpname()
  local ok, problem = pcall(copy, path, to)
  if ok then ok, problem = pcall(copy, path .. "-wal", to .. "-wal") end
  if ok then return to end
  sandbox.remove(to)
  errors.raise("ConnectionError", ("can't copy the database %s: %s"):format(path, tostring(problem)))
end

--- Takes a copy away.
function sandbox.remove(path)
  for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. suffix) end
end

return sandbox
