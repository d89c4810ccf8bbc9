--- What a declaration has changed so far, so that one that fails leaves nothing behind.
local journal = {}

--- By coroutine: hooks may yield in the middle of a declaration.
local running = setmetatable({}, { __mode = "k" })

--- Remembers how to take back a change that was just made.
function journal.note(undo)
  local steps = running[coroutine.running()]
  if steps then steps[#steps + 1] = undo end
end

local function take_back(list)
  for i = #list, 1, -1 do list[i]() end
end

--- Runs `body(...)`; if it raises, takes back what it changed and raises the same. Inside another run it is part of it.
function journal.run(body, ...)
  local thread = coroutine.running()
  if running[thread] then return body(...) end
  local list = {}
  running[thread] = list
  local results = table.pack(pcall(body, ...))
  running[thread] = nil
  if results[1] then return table.unpack(results, 2, results.n) end
  take_back(list)
  error(results[2], 0)
end

--- Takes an item out of a list that has it under its name, too.
function journal.take_out(list, item, name)
  for i, other in ipairs(list) do
    if rawequal(other, item) then table.remove(list, i) break end
  end
  list[name] = nil
end

return journal
