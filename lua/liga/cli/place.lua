--- Where in an unfinished piece of code the cursor is: in which braces, of which call, and what is wanted there.
--
-- A place: {kind, class, names}, of kind "options" (names = set of option names), "where", "operators" (of an attribute
-- in a where), "include", "names" (of attributes, as texts), "values"; class = the model it is about, or nil.
local core = require "liga.core"

local place = {}

-- What is open -------------------------------------------------------------------------------------------------------

local closing = { [")"] = true, ["}"] = true, ["]"] = true }
local opening = { ["("] = true, ["{"] = true, ["["] = true }

--- The place behind what begins with a quote or a comment; nil where its end is not written yet.
local function behind_text(code, i)
  local long = code:match("^%[(=*)%[", i) or code:match("^%-%-%[(=*)%[", i)
  if long then return select(2, code:find("]" .. long .. "]", i, true)) end
  if code:find("^%-%-", i) then return (code:find("\n", i, true)) end
  local quote = code:sub(i, i)
  local at = i + 1
  while at <= #code do
    local char = code:sub(at, at)
    if char == quote then return at end
    at = at + (char == "\\" and 2 or 1)
  end
end

--- The brackets that are open at the end of a piece of code.
-- @return list of {char, at, argument = which one of a call is written in it}, whether it ends within a text
local function open_brackets(code)
  local stack, i = {}, 1
  while i <= #code do
    local char = code:sub(i, i)
    if char == '"' or char == "'" or code:find("^%[=*%[", i) or code:find("^%-%-", i) then
      local last = behind_text(code, i)
      if not last then return stack, true end
      i = last
    elseif opening[char] then
      stack[#stack + 1] = { char = char, at = i, argument = 1 }
    elseif closing[char] then
      stack[#stack] = nil
    elseif char == "," and #stack > 0 then
      stack[#stack].argument = stack[#stack].argument + 1
    end
    i = i + 1
  end
  return stack, false
end

-- What it is about ---------------------------------------------------------------------------------------------------

local finds = "find"
--- What the arguments of methods are: options of finds, options of a write (its verb), values.
local methods = {
  findAll = { finds }, findOne = { finds }, findAndCountAll = { finds }, count = { finds }, exists = { finds },
  each = { finds }, page = { finds }, explain = { finds }, findOrCreate = { finds }, findOrBuild = { finds },
  reload = { finds }, findByPk = { false, finds }, findByPks = { false, finds }, sum = { false, finds },
  min = { false, finds }, max = { false, finds }, avg = { false, finds }, load = { false, finds },
  create = { "values", "create" }, build = { "values", "build" }, bulkCreate = { "values", "bulkCreate" },
  update = { "values", "update" }, upsert = { "values", "upsert" }, set = { "values" }, save = { "save" },
  destroy = { "destroy rows" }, restore = { "restore" }, increment = { "values", "increment" },
  decrement = { "values", "increment" },
}

--- The same of generated methods, by verb.
local verbs = {
  get = { finds }, count = { finds }, has = { false, finds }, hasMultiple = { false, finds },
  set = { false, "link" }, add = { false, "link" }, addMultiple = { false, "link" }, remove = { false, "link" },
  removeMultiple = { false, "link" }, create = { "values", "link" },
}

local function generated(class, method)
  for _, association in ipairs(class.associations) do
    for verb, name in pairs(association.accessors or {}) do
      if name == method then return verbs[verb], association.target end
    end
  end
end

local function find_names()
  local names = { transaction = true, logging = true }
  for name, effect in pairs(core.find_options) do
    if effect == true then names[name] = true end
  end
  return names
end

local function write_names(verb)
  local names = core.write_options(verb)
  names.transaction, names.logging = true, true
  return names
end

--- The place that a bracket of a call begins.
-- @param before the code up to the bracket: `Album:findAll`, `Album:findByPk`
-- @param argument which one of the call
local function of_call(before, argument, value_of)
  local path, method = before:match "([%a_][%w_%.]*)%s*:%s*([%a_][%w_]*)%s*$"
  local value = path and value_of(path)
  local class = core.is_class(value) and value or type(value) == "table" and core.class_of(value) or nil
  if not class then return nil end
  local takes, target = methods[method], class
  if not takes then takes, target = generated(class, method) end
  local what = takes and takes[argument]
  if not what then return nil end
  if what == "values" then return { kind = "values", class = target } end
  return { kind = "options", class = target, names = what == finds and find_names() or write_names(what) }
end

local function target_of(class, name)
  local association = class and name and class.associations[name]
  return association and association.target
end

local of_option = {
  where = "where", having = "where", on = "where", include = "include", attributes = "names", order = "names",
  group = "names", fields = "names", conflictFields = "names", updateOnDuplicate = "names", returning = "names",
  defaults = "values",
}

local through_names = { where = true, attributes = true, paranoid = true, as = true }
local include_names = { association = true, as = true, model = true, attributes = true, where = true, required = true,
  on = true, through = true, order = true, limit = true, offset = true, include = true, paranoid = true,
  separate = true, strategy = true }

local function include_options(class)
  return { kind = "options", class = class, names = include_names }
end

--- The place that braces inside a place begin, by its kind.
-- @param outer the place
-- @param key what the braces are assigned to, or nil
-- @param code the whole, of which the braces begin at `at`
local inside = {
  options = function(outer, key)
    if key == "through" then return { kind = "options", names = through_names } end
    local kind = of_option[key]
    return kind and { kind = kind, class = outer.class }
  end,
  include = function(outer, key, code, at)
    if key then return include_options(target_of(outer.class, key)) end
    return include_options(target_of(outer.class, code:match("association%s*=%s*[\"']([%w_]+)[\"']", at)))
  end,
  where = function(outer, key)
    if key and outer.class and outer.class.attributes[key] then return { kind = "operators" } end
    return outer
  end,
  values = function(outer, key)
    if not key then return outer end
    local target = target_of(outer.class, key)
    return target and { kind = "values", class = target }
  end,
  names = function(outer) return outer end,
}

local function key_before(before)
  return before:match "([%a_][%w_]*)%s*=%s*$"
end

--- The place of the cursor at the end of a piece of code.
-- @param value_of function(path) → the value of `a.b`
-- @return place or nil · whether the cursor is in a text · whether a key may stand there, rather than a value
function place.of(code, value_of)
  local stack, in_text = open_brackets(code)
  local found, call
  for i, bracket in ipairs(stack) do
    local before = code:sub(1, bracket.at - 1)
    if bracket.char == "(" then
      call = { before = before, argument = bracket }
      found = nil
    elseif bracket.char == "{" then
      local direct = call and call.argument == stack[i - 1]
      if found and inside[found.kind] then
        found = inside[found.kind](found, key_before(before), code, bracket.at)
      elseif direct then
        found = of_call(call.before, call.argument.argument, value_of)
      else
        found = of_call(before, 1, value_of)
      end
    end
  end
  local last = stack[#stack]
  local at_key = last ~= nil and last.char == "{" and code:find "[{,;]%s*[%w_]*$" ~= nil
  return last and last.char ~= "(" and found or nil, in_text, at_key
end

return place
