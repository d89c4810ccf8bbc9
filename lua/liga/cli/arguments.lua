--- Reads the words behind a command: flags, values, and what is neither.
local options = require "liga.options"

local arguments = {}

--- What a wrong call of the command raises: the exit status is 2.
local Wrong = { __name = "liga.cli.Wrong" }
function Wrong.__tostring(e) return e.message end

--- Raises: the command was called in a wrong way.
function arguments.wrong(format, ...)
  error(setmetatable({ message = format:format(...) }, Wrong), 0)
end

--- Whether an error is such a one.
function arguments.is_wrong(e)
  return getmetatable(e) == Wrong
end

--- The flag of this name; an error that names the nearest.
local function find_flag(command, flags, name)
  for _, flag in ipairs(flags) do
    if "--" .. flag.name == name or flag.short and "-" .. flag.short == name then return flag end
  end
  local names = {}
  for i, flag in ipairs(flags) do names[i] = "--" .. flag.name end
  local hint = options.hint(name, names)
  if hint == "" then hint = (" (see liga help %s)"):format(command) end
  arguments.wrong("liga %s: unknown flag %q%s", command, name, hint)
end

local function read_value(command, flag, value)
  if value == nil then arguments.wrong("liga %s: --%s needs %s", command, flag.name, flag.value) end
  if not flag.integer then return value end
  local number = math.tointeger(tonumber(value))
  if not number or number < 0 then
    arguments.wrong("liga %s: --%s must be a whole number, got %q", command, flag.name, value)
  end
  return number
end

--- Reads words.
-- @param command its name, for messages
-- @param flags list of {name, short, value = what it takes (nil: nothing), integer, list}
-- @param words list
-- @return options by name, list of the other words
function arguments.read(command, flags, words)
  local given, rest, i = {}, {}, 1
  while i <= #words do
    local word = words[i]
    if word == "--" then
      table.move(words, i + 1, #words, #rest + 1, rest)
      break
    end
    local name, value = word:match "^(%-%-[^=]+)=(.*)$"
    if word:find "^%-." then
      local flag = find_flag(command, flags, name or word)
      if flag.value then
        if value == nil then i, value = i + 1, words[i + 1] end
        value = read_value(command, flag, value)
      elseif name then
        arguments.wrong("liga %s: --%s takes no value", command, flag.name)
      end
      if flag.list then
        given[flag.name] = given[flag.name] or {}
        table.insert(given[flag.name], value)
      else
        given[flag.name] = flag.value and value or true
      end
    else
      rest[#rest + 1] = word
    end
    i = i + 1
  end
  return given, rest
end

--- Raises unless there are as many words as wanted.
function arguments.count(command, rest, least, most, wanted)
  if #rest < least then arguments.wrong("liga %s: %s is missing (see liga help %s)", command, wanted, command) end
  if #rest > most then arguments.wrong("liga %s: %q is one word too many", command, rest[most + 1]) end
end

return arguments
