--- What may stand where the cursor is: models, attributes, associations, methods, option keys, operators.
local core = require "liga.core"
local liga = require "liga"
local options = require "liga.options"
local place = require "liga.cli.place"

local completion = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while]]):gmatch "%a+" do
  keywords[#keywords + 1] = word
end

local function is_name(key)
  return type(key) == "string" and key:find "^[%a_][%w_]*$" ~= nil
end

local function add_keys(set, value, wanted)
  if type(value) ~= "table" then return end
  for key, item in next, value do
    if is_name(key) and (not wanted or wanted(item)) then set[key] = true end
  end
end

local function is_function(value) return type(value) == "function" end

--- The keys of a table and of the tables it looks things up in.
local function add_inherited(set, value, wanted, depth)
  add_keys(set, value, wanted)
  local meta = getmetatable(value)
  local index = type(meta) == "table" and rawget(meta, "__index")
  if type(index) == "table" and depth < 8 then add_inherited(set, index, wanted, depth + 1) end
end

--- The names of a read-only collection (attributes, associations).
local function add_collection(set, collection)
  for name in pairs(collection) do
    if is_name(name) then set[name] = true end
  end
end

local function class_of(value)
  return type(value) == "table" and core.class_of(value) or nil
end

--- What may stand behind `value.` or `value:`.
local function members(value, colon)
  local set = {}
  local wanted = colon and is_function or nil
  local class = class_of(value)
  if class then
    add_inherited(set, class.methods, wanted, 0)
    if not colon then
      add_collection(set, class.attributes)
      add_collection(set, class.associations)
    end
  elseif type(value) == "string" then
    add_keys(set, string, is_function)
  elseif type(value) == "table" then
    add_inherited(set, value, wanted, 0)
    if value == liga or value == liga.types then
      for _, name in ipairs(liga.types.names()) do set[name] = true end
    end
    local meta = getmetatable(value)
    if type(meta) == "table" and meta.__name == "liga.readonly" then add_collection(set, value) end
  elseif type(value) == "userdata" then
    local meta = getmetatable(value)
    if type(meta) == "table" then add_keys(set, rawget(meta, "__index"), wanted) end
  end
  return set
end

--- The value of `a.b.c`, looked up without calling anything.
local function value_of(env, path)
  local value = env
  for name in path:gmatch "[%w_]+" do
    local ok, found = pcall(function() return value[name] end)
    if not ok or found == nil then return nil end
    value = found
  end
  return value
end

--- The attributes that have a column: conditions are about these.
local function add_columns(set, class)
  for _, attribute in ipairs(class.attributes) do
    if is_name(attribute.name) and attribute.type.name ~= "VIRTUAL" then set[attribute.name] = true end
  end
end

--- What may stand at a place: names of options, attributes, associations, operators.
local at = {
  options = function(set, found)
    for name in pairs(found.names) do set[name] = true end
  end,
  where = function(set, found)
    if found.class then add_columns(set, found.class) end
    for _, name in ipairs { "and_", "or_", "not_", "some", "every", "none" } do set["[Op." .. name .. "]"] = true end
  end,
  operators = function(set)
    for name in pairs(core.Op) do
      if is_name(name) then set["[Op." .. name .. "]"] = true end
    end
  end,
  include = function(set, found)
    if found.class then add_collection(set, found.class.associations) end
  end,
  values = function(set, found)
    if not found.class then return end
    add_collection(set, found.class.attributes)
    add_collection(set, found.class.associations)
  end,
  names = function() end,
}

--- What may stand in a text: attributes, and associations where they are included or lead to attributes.
local function in_text(set, found)
  if not found.class or found.kind == "options" or found.kind == "values" then return end
  if found.kind ~= "include" then add_collection(set, found.class.attributes) end
  if found.kind ~= "names" then add_collection(set, found.class.associations) end
end

local function globals(env)
  local set = {}
  add_keys(set, env)
  add_keys(set, _G)
  for name in next, env.db and env.db.models or {} do
    if is_name(name) then set[name] = true end
  end
  for _, name in ipairs(keywords) do set[name] = true end
  return set
end

--- The methods that models and their instances have.
local function methods(env)
  local set = {}
  for _, class in next, env.db and env.db.models or {} do
    add_inherited(set, class, is_function, 0)
    add_inherited(set, class.methods, is_function, 0)
  end
  return set
end

local missed = { global = globals, method = methods }

--- " (did you mean "x"?)" behind Lua's own words about a global or a method that there is not, or "".
-- @param env the globals of the console
-- @param problem the message of an error
function completion.hint(env, problem)
  local kind, name = problem:match "attempt to %a+ a nil value %((%a+) '([%w_]+)'%)$"
  if not missed[kind] then return "" end
  local names = {}
  for each in pairs(missed[kind](env)) do names[#names + 1] = each end
  table.sort(names)
  return options.hint(name, names)
end

local function matching(set, prefix, head)
  local list = {}
  for name in pairs(set) do
    if name:sub(1, #prefix) == prefix then list[#list + 1] = head .. name end
  end
  table.sort(list)
  return list
end

--- The words that may stand at the end of a line.
-- @param env the globals of the console
-- @param before the line up to the cursor
-- @param commands list of the console's own commands (".help" …)
-- @return list of words, each with what is written already; where in `before` they begin
function completion.words(env, before, commands)
  local start, command = before:match "^%s*()(%.[%a]*)$"
  if command then
    local set = {}
    for _, name in ipairs(commands) do set[name:sub(2)] = true end
    return matching(set, command:sub(2), "."), start
  end
  local from, chain = before:match "()([%a_][%w_%.:]*)$"
  if not chain then from, chain = #before + 1, "" end
  local function value(path) return value_of(env, path) end
  local found, within, at_key = place.of(before, value)
  local set = {}
  if within then
    if found then in_text(set, found) end
    return matching(set, chain, ""), from
  end
  local head, separator, prefix = chain:match "^(.*)([%.:])([%w_]*)$"
  if head then
    local owner = value(head)
    if owner == nil then return {}, from end
    return matching(members(owner, separator == ":"), prefix, head .. separator), from
  end
  if before:sub(1, from - 1):find "[^%.][%.:]$" then return {}, from end   -- of a value that nobody knows yet
  if found and at_key then
    at[found.kind](set, found)
    local list = matching(set, chain, "")
    if #list > 0 then return list, from end
  end
  return matching(globals(env), chain, ""), from
end

return completion
