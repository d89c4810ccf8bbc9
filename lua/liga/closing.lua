--- Runs code and closes a guard after it, however the code is left. In the main thread a variable to be closed does
-- it, and keeps the traceback of an error; but an error that leaves a coroutine closes no variables until somebody
-- closes the coroutine, so there it is caught and raised again.

local function settle(guard, ok, ...)
  if ok then return ... end
  getmetatable(guard).__close(guard, (...))
  error((...), 0)
end

--- @param guard a value with `__close`, which may be called twice
-- @param body the function; what follows are its arguments
-- @return what it returns
return function(guard, body, ...)
  local closed <close> = guard -- luacheck: ignore closed
  local _, is_main = coroutine.running()
  if is_main then return body(...) end
  return settle(guard, pcall(body, ...))
end
