--- Random where trees, each with a function that says of a row of the oracle whether it holds: true, false, or nil for
-- unknown, as SQL's logic of three values has it.
local liga = require "liga"
local schema = require "spec.support.random.schema"

local Op, null = liga.Op, liga.null
local random, pick, chance = math.random, schema.pick, schema.chance

local conditions = {}

-- Logic --------------------------------------------------------------------------------------------------------------

local function negated(test)
  return function(row)
    local value = test(row)
    if value == nil then return nil end
    return not value
  end
end

local function all(tests)
  return function(row)
    local unknown = false
    for _, test in ipairs(tests) do
      local value = test(row)
      if value == false then return false end
      unknown = unknown or value == nil
    end
    if unknown then return nil end
    return true
  end
end

local function any(tests)
  local none = {}
  for i, test in ipairs(tests) do none[i] = negated(test) end
  return negated(all(none))
end

conditions.all = all

-- Operators ----------------------------------------------------------------------------------------------------------

--- A comparison with a value that is there: unknown of NULL.
local function known(compare)
  return function(value)
    if value == nil then return nil end
    return compare(value)
  end
end

local function one_of(list)
  return function(value)
    for _, each in ipairs(list) do
      if each == value then return true end
    end
    return false
  end
end

local function random_list(values)
  local list = {}
  for i = 1, random(0, 3) do list[i] = pick(values) end
  return list
end

--- Of an IN list: NOT of an empty one is true of NULL, too.
local function membership(list, wanted)
  if #list == 0 then return function() return not wanted end end
  return known(function(value) return one_of(list)(value) == wanted end)
end

local comparisons = {
  gt = function(a, b) return a > b end, gte = function(a, b) return a >= b end,
  lt = function(a, b) return a < b end, lte = function(a, b) return a <= b end,
  eq = function(a, b) return a == b end, ne = function(a, b) return a ~= b end,
}
local comparison_names = { "eq", "gt", "gte", "lt", "lte", "ne" }

local function is_null(value) return value == nil end
local function is_there(value) return value ~= nil end

--- What any type can be asked: condition, test of the value.
local general = {
  function(values)
    local x = pick(values)
    return x, known(function(value) return value == x end)
  end,
  function() return null, is_null end,
  function() return { [Op.ne] = null }, is_there end,
  function() return { [Op.isNot] = null }, is_there end,
  function(values)
    local list = random_list(values)
    return { [Op.in_] = list }, membership(list, true)
  end,
  function(values)
    local list = random_list(values)
    return list, membership(list, true)
  end,
  function(values)
    local list = random_list(values)
    return { [Op.notIn] = list }, membership(list, false)
  end,
  function(values)
    local name, x = pick { "eq", "ne" }, pick(values)
    return { [Op[name]] = x }, known(function(value) return comparisons[name](value, x) end)
  end,
}

local ordered = {
  function(values)
    local name, x = pick(comparison_names), pick(values)
    return { [Op[name]] = x }, known(function(value) return comparisons[name](value, x) end)
  end,
  function(values)
    local low, high = pick(values), pick(values)
    return { [Op.between] = { low, high } }, known(function(value) return value >= low and value <= high end)
  end,
  function(values)
    local low, high = pick(values), pick(values)
    return { [Op.notBetween] = { low, high } }, known(function(value) return value < low or value > high end)
  end,
  function(values)
    local x, y = pick(values), pick(values)
    local first, second = pick { "eq", "gt", "gte" }, pick { "lt", "lte", "ne" }
    local joined = { [Op[first]] = x, [Op[second]] = y }
    local tests = {
      known(function(value) return comparisons[first](value, x) end),
      known(function(value) return comparisons[second](value, y) end),
    }
    if chance(0.5) then return joined, all(tests) end
    return { [Op.or_] = { { [Op[first]] = x }, { [Op[second]] = y } } }, any(tests)
  end,
}

local function plain_text(text) return (text:gsub("%p", "%%%0")) end

local patterns = {
  startsWith = function(text) return "^" .. plain_text(text) end,
  endsWith = function(text) return plain_text(text) .. "$" end,
  substring = plain_text,
}

local texts = {
  function(values)
    local name, x = pick { "startsWith", "endsWith", "substring" }, pick(values):sub(1, random(2))
    local pattern = patterns[name](x)
    return { [Op[name]] = x }, known(function(value) return value:find(pattern) ~= nil end)
  end,
  function()
    local like, pattern = table.unpack(pick {
      { "a%", "^a" }, { "%b", "b$" }, { "_", "^.$" }, { "%", "" }, { "a_c", "^a.c$" }, { "%\\%%", "%%" },
    })
    local name = pick { "like", "notLike", "iLike", "notILike" }
    local folds, wanted = name:lower():find "ilike" ~= nil, not name:find "^not"
    return { [Op[name]] = like }, known(function(value)
      return ((folds and value:lower() or value):find(pattern) ~= nil) == wanted
    end)
  end,
}

-- Attributes ---------------------------------------------------------------------------------------------------------

local function joined(...)
  local list = {}
  for _, each in ipairs { ... } do table.move(each, 1, #each, #list + 1, list) end
  return list
end

--- What attributes may hold, and what can be asked of them.
local kinds = {
  v = { values = { -1, 0, 1, 2, 3, 4 }, forms = joined(general, ordered) },
  w = { values = { "x", "y", "z" }, forms = joined(general, ordered) },
  s = { values = { "a", "A", "ab", "a%c", "b", "", "aBc" }, forms = joined(general, texts) },
  f = { values = { true, false }, forms = { general[1], general[2], general[3], general[8] } },
  x = { values = { 1, 2, 7 }, forms = joined(general, ordered) },
  y = { values = { "y0", "y1", "y2" }, forms = joined(general, ordered) },
}

local names = { "v", "w", "s", "f" }

local function attribute_condition(name)
  local kind = kinds[name]
  return pick(kind.forms)(kind.values)
end

--- JSON: paths, with values of several types.
local function json_condition()
  local path = pick { { "a" }, { "b", "c" } }
  local want = pick { 1, 2, "1", "x", true, null }
  local inner = want
  for i = #path, 1, -1 do inner = { [path[i]] = inner } end
  return { j = inner }, function(row)
    local value = row.j
    for _, name in ipairs(path) do value = type(value) == "table" and value[name] or nil end
    if value == null then value = nil end
    if want == null then return value == nil end
    if value == nil then return nil end
    return value == want
  end
end

-- Trees --------------------------------------------------------------------------------------------------------------

local NULL_ROW = {}

local tree

--- Whether there is one row at most: then a condition on it may be unknown, not only true of some row or of none.
local function is_single(a) return a.kind == "belongsTo" or a.unique_key end

--- Conditions on an association's rows by paths; one prefix in one table speaks of one row.
local function path_condition(o, m)
  local a = pick(m.associations)
  local where, tests = {}, {}
  for _ = 1, random(2) do
    local name = pick(names)
    if where[a.as .. "." .. name] == nil then
      local condition, test = attribute_condition(name)
      where[a.as .. "." .. name] = condition
      tests[#tests + 1] = function(row) return test(row[name]) end
    end
  end
  local below = a.target.associations[1] and pick(a.target.associations)
  if below and below.kind == "belongsTo" and chance(0.4) then
    local name = pick(names)
    local condition, test = attribute_condition(name)
    where[("%s.%s.%s"):format(a.as, below.as, name)] = condition
    tests[#tests + 1] = function(row)
      local target = row ~= NULL_ROW and o:targets(below, row)[1] or NULL_ROW
      return test(target[name])
    end
  end
  local test = all(tests)
  if is_single(a) then return where, function(row) return test(o:targets(a, row)[1] or NULL_ROW) end end
  return where, function(row)
    local rows = o:targets(a, row)
    if #rows == 0 then rows = { NULL_ROW } end
    for _, each in ipairs(rows) do
      if test(each) then return true end
    end
    return false
  end
end

local function quantified(o, m, depth)
  local a = pick(m.associations)
  local name = pick { "some", "every", "none" }
  local where, test = tree(o, a.target, depth - 1)
  return { [Op[name](a.as)] = where }, function(row)
    local found, others = false, false
    for _, each in ipairs(o:targets(a, row)) do
      if test(each) then found = true else others = true end
    end
    if name == "some" then return found end
    if name == "none" then return not found end
    return not others
  end
end

local function column_condition()
  local name = pick(comparison_names)
  return { v = { [Op[name]] = liga.col "z" } }, function(row)
    if row.v == nil or row.z == nil then return nil end
    return comparisons[name](row.v, row.z)
  end
end

local function leaf(o, m)
  local roll = random()
  if roll < 0.15 then return json_condition() end
  if roll < 0.25 then return column_condition() end
  if roll < 0.45 and #m.associations > 0 then return path_condition(o, m) end
  local name = pick(names)
  local condition, test = attribute_condition(name)
  return { [name] = condition }, function(row) return test(row[name]) end
end

--- Whether there is a condition in a tree; empty tables are none.
local function says_something(where)
  for _, value in pairs(where) do
    if type(value) ~= "table" or says_something(value) then return true end
  end
  return false
end

--- A random where for a model.
-- @return the where, a function(row) → true, false or nil
function tree(o, m, depth)
  if depth <= 0 or chance(0.3) then return leaf(o, m) end
  if chance(0.15) and #m.associations > 0 then return quantified(o, m, depth) end
  local list, tests = {}, {}
  for i = 1, random(0, 3) do list[i], tests[i] = tree(o, m, depth - 1) end
  local form = random(4)
  if form == 1 then return { [Op.and_] = list }, all(tests) end
  if form == 2 then return { [Op.or_] = list }, any(tests) end
  if form == 3 then return list, all(tests) end
  local where, test = tree(o, m, depth - 1)
  if not says_something(where) then return leaf(o, m) end
  return { [Op.not_] = where }, negated(test)
end

conditions.tree = tree

--- A condition as text, to be read by people.
function conditions.text(value)
  if value == null then return "null" end
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = (math.type(k) and "" or tostring(k) .. " = ") .. conditions.text(v)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

return conditions
