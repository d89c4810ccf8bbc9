--- Random calls of the public API: on what, which method, with which arguments; one part of them may be made wrong.
local garbage = require "spec.support.monkey.garbage"
local liga = require "liga"
local shapes = require "spec.support.monkey.shapes"

local random = math.random

local calls = {}

-- Methods ------------------------------------------------------------------------------------------------------------

--- The functions that a table and the tables behind it have: name → function.
local function functions_of(object)
  local found = {}
  while type(object) == "table" do
    for name, value in next, object do
      if type(name) == "string" and type(value) == "function" and not found[name] then found[name] = value end
    end
    local meta = getmetatable(object)
    object = type(meta) == "table" and rawget(meta, "__index")
  end
  return found
end

local function behind(object)
  local meta = getmetatable(object)
  return type(meta) == "table" and rawget(meta, "__index") or {}
end

--- The metamethods of an object.
local function events_of(object)
  local found = {}
  local meta = getmetatable(object)
  for name, value in next, type(meta) == "table" and meta or {} do
    if type(name) == "string" and name:find "^__" and type(value) == "function" then found[name] = value end
  end
  return found
end

local function merged(...)
  local all = {}
  for _, each in ipairs { ... } do
    for name, value in pairs(each) do all[name] = all[name] or value end
  end
  return all
end

--- What there is to call: by kind a function of the world that gives an object and its functions.
local kinds = {}

function kinds.module()
  local found = functions_of(liga)
  for _, part in ipairs { "inflect", "reflect" } do
    for name, value in pairs(functions_of(liga[part])) do found[part .. "." .. name] = value end
  end
  found["json.encode"], found["json.decode"], found.json = liga.json.encode, liga.json.decode, liga.json
  for name, op in next, liga.Op do found["Op." .. name] = op end
  for name in ([[STRING CHAR TEXT INTEGER BIGINT SMALLINT FLOAT DOUBLE REAL DECIMAL BOOLEAN DATE DATEONLY TIME BLOB UUID
      JSON JSONB ENUM ARRAY VIRTUAL CITEXT INET CIDR MACADDR TSVECTOR RANGE HSTORE]]):gmatch "%u+" do
    found["types." .. name] = liga[name]
  end
  return nil, found
end

function kinds.database(w) return w.db, merged(functions_of(behind(w.db)), events_of(w.db)) end

function kinds.model(w)
  local class = w:model()
  return class, merged(functions_of(behind(class)), events_of(class))
end

function kinds.scope(w)
  local class = w:model()
  local scope = random() < 0.5 and class:unscoped() or class.name == "Wild" and class:scope "old" or class:scope()
  return scope, merged(functions_of(behind(class)), events_of(scope))
end

function kinds.instance(w)
  local class = w:model()
  local row = random() < 0.8 and w:stored(class.name) or class:build { name = "new" }
  return row, merged(functions_of(class.methods), events_of(row))
end

function kinds.association(w)
  local association = w:association()
  return association, merged(functions_of(require "liga.association".definers), events_of(association))
end

function kinds.transaction(w)
  w.transaction = w.transaction or w.db:transaction()
  return w.transaction, merged(functions_of(behind(w.transaction)), events_of(w.transaction))
end

function kinds.savepoint(w)
  w.transaction = w.transaction or w.db:transaction()
  w.point = w.transaction:savepoint "s"
  return w.point, merged(functions_of(behind(w.point)), events_of(w.point))
end

function kinds.queryInterface(w)
  local q = w.db:queryInterface()
  return q, merged(functions_of(behind(q)), events_of(q))
end

--- Tables that are only read.
function kinds.view(w)
  local class = w:model "User"
  local view = ({ class.attributes, class.attributes.name, class.associations, w.db.models, liga.methods, liga.Op,
    liga.Op.gt, liga.fn "x", liga.NOW })[random(9)]
  return view, events_of(view)
end

--- What the loop variables of `for` get: an iterator is called like a function.
function kinds.iterator(w)
  local each = w:model "User":each { batch = 1 }
  return nil, { iterator = function(...) return each(...) end }
end

local weights = { module = 3, database = 4, model = 10, scope = 3, instance = 10, association = 1, transaction = 2,
  savepoint = 0.7, queryInterface = 2, view = 1, iterator = 0.3 }

local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and text or "what can't be shown"
end

local function sorted_keys(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names, function(a, b) return text_of(a) < text_of(b) end)
  return names
end

local kind_names, total = sorted_keys(weights), 0
for _, weight in pairs(weights) do total = total + weight end

local function random_kind()
  local left = random() * total
  for _, name in ipairs(kind_names) do
    left = left - weights[name]
    if left < 0 then return name end
  end
  return "model"
end

-- Making it wrong ----------------------------------------------------------------------------------------------------

local function is_plain(value) return type(value) == "table" and getmetatable(value) == nil end

--- The places of values in a table, in an order that a seed gives again.
local function places_of(value, path, places, depth)
  if depth > 5 then return places end
  places[#places + 1] = { table = value, path = path }
  for _, key in ipairs(sorted_keys(value)) do
    local place = ("%s[%s]"):format(path, text_of(key))
    places[#places + 1] = { table = value, key = key, path = place }
    if is_plain(value[key]) then places_of(value[key], place, places, depth + 1) end
  end
  return places
end

local wrong = {
  function(w, place)
    local name
    place.table[place.key], name = garbage.pick(w)
    return ("%s = %s"):format(place.path, name)
  end,
  function(_, place)
    place.table[place.key] = nil
    return place.path .. " = nothing"
  end,
  function(_, place)
    local value = place.table[place.key]
    place.table[place.key] = { value }
    return place.path .. " in a list"
  end,
  function(_, place)
    place.table[place.key] = text_of(place.table[place.key])
    return place.path .. " as text"
  end,
}

--- Puts a wrong key or value into a table.
local function add_wrong(w, place)
  local key, key_name = garbage.pick(w)
  local value, value_name = garbage.pick(w)
  if key == nil or key ~= key then key, key_name = "more", "more" end
  place.table[key] = value
  return ("%s[%s] = %s"):format(place.path, key_name, value_name)
end

--- Makes one part of the arguments wrong.
-- @return what was done
local function spoil(w, arguments)
  local list = {}
  for i = 1, arguments.n do
    list[#list + 1] = { table = arguments, key = i, path = "argument " .. i }
    if is_plain(arguments[i]) then places_of(arguments[i], "argument " .. i, list, 1) end
  end
  if #list == 0 or random() < 0.1 then
    local name
    arguments.n = arguments.n + 1
    arguments[arguments.n], name = garbage.pick(w)
    return ("one more argument, %s"):format(name)
  end
  local place = list[random(#list)]
  if place.key == nil then return add_wrong(w, place) end
  return wrong[random() < 0.8 and 1 or random(#wrong)](w, place)
end

--- A random call.
-- @return {kind, name, text (for people), run = function}
function calls.next(w)
  local kind = random_kind()
  local object, functions = kinds[kind](w)
  local names = sorted_keys(functions)
  local name = names[random(#names)]
  local shape = kind == "scope" and "model" or kind
  local arguments = shapes.arguments(w, shape, object, name)
  local notes = {}
  for _ = 1, ({ 0, 1, 1, 1, 1, 2 })[random(6)] do notes[#notes + 1] = spoil(w, arguments) end
  local self = object
  local ours = name:find "^__" and debug.getinfo(functions[name], "S").what == "Lua"     -- Lua looks up no other self
  if kind ~= "module" and kind ~= "iterator" and random() < 0.05 and not (ours and name == "__newindex") then
    local what
    self, what = garbage.pick(w)
    notes[#notes + 1] = "self = " .. what
  end
  local f = functions[name]
  return {
    kind = kind, name = name, object = object, wrong = #notes > 0,
    text = ("%s %s of %s: %s"):format(kind, name, text_of(object), table.concat(notes, "; ")),
    run = function()
      if kind == "module" or kind == "iterator" then return f(table.unpack(arguments, 1, arguments.n)) end
      if name == "__close" or name == "__gc" then return f(self) end
      return f(self, table.unpack(arguments, 1, arguments.n))
    end,
  }
end

return calls
