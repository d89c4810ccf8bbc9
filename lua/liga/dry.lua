--- Calls that are written but not run: their SQL, for explain, for checks before a transaction begins, and for the
-- compile specs of engines that are not there.
local core = require "liga.core"

local dry = {}

local function finish(db, before, ok, ...)
  core.set_dry(db._.core, false)
  db._.dry = before
  if ok then return ... end
  error((...), 0)
end

--- What a call would send.
-- @param db the connection
-- @param call function() that makes one call and returns its results
-- @return the SQL of its first statement and the list of its parameters; nothing if it would send nothing
-- A closing variable would not do: an error that leaves a coroutine does not close it.
function dry.run(db, call)
  local before = db._.dry
  core.set_dry(db._.core, true)
  db._.dry = true                                     -- hooks are not run
  return finish(db, before, pcall(call))
end

return dry
