--- A private copy of an SQLite database: what is written to it is gone at the end, and the database itself is never
-- touched.
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

--- Writes what a database in memory holds to a file of its own, as opening it again would begin with nothing.
-- @return path of the file
function sandbox.keep(db)
  local to = os.tmpname()
  local ok, problem = pcall(db.query, db, "VACUUM INTO $1", { bind = { to } })
  if ok then return to end
  sandbox.remove(to)
  error(problem, 0)
end

--- Takes a copy away.
function sandbox.remove(path)
  for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. suffix) end
end

return sandbox
