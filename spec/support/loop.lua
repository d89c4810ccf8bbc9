--- An event loop of plain coroutines, and one of cqueues, with the same two functions:
--
--     local loop = require("spec.support.loop").plain()
--     local db = engine:open{ wait = loop.wait }
--     loop.run(function() ... end, function() ... end)      -- until all are done; the first error is raised
local loops = {}

--- Coroutines that take turns: whoever waits is asked again after the others. No descriptor is looked at.
function loops.plain()
  local loop = {}

  function loop.wait(fd, mode, seconds)
    coroutine.yield(fd, mode, seconds)
    return true
  end

  --- Steps every coroutine in turn until none is left.
  function loop.run(...)
    local threads = {}
    for i, body in ipairs { ... } do threads[i] = type(body) == "thread" and body or coroutine.create(body) end
    while #threads > 0 do
      for i = #threads, 1, -1 do
        local fine, problem = coroutine.resume(threads[i])
        if not fine then error(problem, 0) end
        if coroutine.status(threads[i]) == "dead" then table.remove(threads, i) end
      end
    end
  end

  return loop
end

--- cqueues, if it is installed; else nil.
function loops.cqueues()
  local found, cqueues = pcall(require, "cqueues")
  if not found then return nil end
  local loop = {}

  function loop.wait(fd, mode, seconds)
    if not fd then
      cqueues.sleep(seconds)
      return true
    end
    local ready = cqueues.poll({ pollfd = fd, events = mode }, seconds)
    cqueues.cancel(fd)          -- liga may close the descriptor; the queue must not remember it
    return type(ready) == "table"
  end

  function loop.run(...)
    local queue = cqueues.new()
    for _, body in ipairs { ... } do queue:wrap(body) end
    for problem in queue:errors() do error(problem, 0) end
  end

  return loop
end

return loops
