--- Writing results: to standard output, or to a file; and comparing with a file.
local errors = require "liga.errors"

local output = {}

local function read_file(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

--- The content of a file, nil where there is none.
output.read = read_file

--- Writes a result.
-- @param path of a file, nil: standard output
function output.write(content, path)
  if not path then
    io.stdout:write(content)
    return
  end
  local file, problem = io.open(path, "wb")
  if not file then errors.raise("UsageError", ("can't write: %s"):format(problem)) end
  local fine, reason = file:write(content)
  if fine then fine, reason = file:close() end
  if not fine then errors.raise("UsageError", ("can't write %s: %s"):format(path, reason)) end
end

--- Compares a result with a file, for continuous integration.
-- @return exit status
function output.check(content, path, command)
  if read_file(path) == content then return 0 end
  io.stderr:write(("liga: %s is not up to date; run liga %s again\n"):format(path, command))
  return 1
end

return output
