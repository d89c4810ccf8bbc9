--- Calls that are written but not run: their SQL, for explain, for checks before a transaction begins, and for the
-- compile specs of engines that are not there.
local core = require "liga.core"

local dry = {}

local function finish(db, before, collects, ok, ...)
  core.set_dry(db._.core, before)
  db._.dry = before
  if collects then collectgarbage "restart" end
  if ok then return ... end
  error((...), 0)
end

--- What a call would send.
-- @param db the connection
-- @param call function() that makes one call and returns its results
-- @return the SQL of its first statement and the list of its parameters; nothing if it would send nothing
-- A closing variable would not do: an error that leaves a coroutine does not close it. What a finaliser calls meanwhile
-- would not run either, so none may come in between.
function dry.run(db, call)
  local before, collects = db._.dry, collectgarbage "isrunning"
  if collects then collectgarbage "stop" end
  core.set_dry(db._.core, true)
  db._.dry = true                                     -- hooks are not run
  return finish(db, before, collects, pcall(call))
end

return dry
