--- Calls that are written but not run: their SQL, for explain, for checks before a transaction begins, and for the compile
-- specs of engines that are not there.
local core = require "liga.core"

local dry = {}

local Scope = {}
function Scope:__close() core.set_dry(self.db._.core, false) end

--- What a call would send.
-- @param db the connection
-- @param call function() that makes one call and returns its results
-- @return the SQL of its first statement and the list of its parameters; nothing if it would send nothing
function dry.run(db, call)
  local scope <close> = setmetatable({ db = db }, Scope) -- luacheck: ignore scope
  core.set_dry(db._.core, true)
  return call()
end

return dry
