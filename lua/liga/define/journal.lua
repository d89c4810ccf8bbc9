--- What a declaration has changed so far, so that one that fails leaves nothing behind.
local journal = {}

local steps

--- Remembers how to take back a change that was just made.
function journal.note(undo)
  if steps then steps[#steps + 1] = undo end
end

local function take_back(list)
  for i = #list, 1, -1 do list[i]() end
end

--- Runs `body(...)`; if it raises, takes back what it changed and raises the same. Inside another run it is part of it.
function journal.run(body, ...)
  if steps then return body(...) end
  local list = {}
  steps = list
  local results = table.pack(pcall(body, ...))
  steps = nil
  if results[1] then return table.unpack(results, 2, results.n) end
  take_back(list)
  error(results[2], 0)
end

return journal
