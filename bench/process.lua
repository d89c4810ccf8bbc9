--- Other programs: running them and reading what they print.
local process = {}

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function commandLine(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = quote(tostring(word)) end
  return table.concat(quoted, " ")
end

--- Runs a program (a list of words) to its end; what it prints goes where ours goes. False if it fails.
function process.show(words)
  return os.execute(commandLine(words)) == true
end

--- Runs a program (a list of words) to its end; what it prints on its standard output, without the last line break.
--- `redirect` is added to the command (" 2>&1"). Raises an error if the program fails.
function process.run(words, redirect)
  local command = commandLine(words) .. (redirect or "")
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  local ended, how, status = pipe:close()
  if not ended then error(("%s ended with %s %d\n%s"):format(command, how, status, output), 0) end
  return (output:gsub("\n$", ""))
end

--- The values of a line `name=value name=value ...`; numbers where they look like one, except for `sum`, which is
--- compared as it stands.
function process.values(line)
  local values = {}
  for name, value in line:gmatch("(%w+)=(%S+)") do
    values[name] = name ~= "sum" and tonumber(value) or value
  end
  return values
end

return process
