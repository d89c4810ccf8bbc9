--- What may stand where the cursor is: models, attributes, associations, methods, option keys, operators.
local core = require "liga.core"

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

--- The model that a line speaks of last: `Album:findAll{ wh` → Album; of an instance its own.
local function model_of_line(env, before)
  local last
  for path in before:gmatch "([%a_][%w_%.]*)%s*:%s*[%a_][%w_]*%s*%(?%s*{" do
    local value = value_of(env, path)
    last = core.is_class(value) and value or class_of(value) or last
  end
  return last
end

--- Whether a place is inside braces that are still open.
local function in_braces(before)
  local _, opened = before:gsub("{", "")
  local _, closed = before:gsub("}", "")
  return opened > closed
end

local function add_options(set, env, before)
  for name in pairs(core.find_options) do set[name] = true end
  local class = model_of_line(env, before)
  if not class then return end
  add_collection(set, class.attributes)
  add_collection(set, class.associations)
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
  local place, chain = before:match "()([%a_][%w_%.:]*)$"
  if not chain then place, chain = #before + 1, "" end
  local head, separator, prefix = chain:match "^(.*)([%.:])([%w_]*)$"
  if head then
    local value = value_of(env, head)
    if value == nil then return {}, place end
    return matching(members(value, separator == ":"), prefix, head .. separator), place
  end
  if in_braces(before) then
    local set = {}
    add_options(set, env, before)
    local list = matching(set, chain, "")
    if chain == "" or #list > 0 then return list, place end
  end
  return matching(globals(env), chain, ""), place
end

return completion
