--- Random schemas for writes: models with keys of all sorts, joined by associations of all kinds.
--
-- A schema is a plain description, from which `schema.define` declares the models and the oracle takes its rules:
--
--     models        list of {name, key = list of names, auto, timestamps, paranoid, version, hooks, associations}
--     tables        the same and the junctions
--     associations  list of {kind, source, target, as, key, refers, …}, each followed by its inverse
local liga = require "liga"

local random = math.random

local schema = {}

local function pick(list) return list[random(#list)] end
local function chance(share) return random() < share end

schema.pick, schema.chance = pick, chance

--- What attributes of rows may hold; the others are the key, the tag `t`, the unique `u`, and foreign keys.
schema.values = {
  v = { 1, 2, 3 }, w = { "x", "y" }, z = { 1, 2, 3 }, s = { "a", "A", "ab", "a%c", "b", "", "aBc" },
  f = { true, false }, d = { "0.05", "1.50", "7.25", "9.99" },
  j = { { a = 1 }, { a = "1", b = { c = 2 } }, { a = true }, { b = { c = "x" } }, { a = liga.null } },
}

--- Their names, in the same order always.
schema.value_names = {}
for name in pairs(schema.values) do schema.value_names[#schema.value_names + 1] = name end
table.sort(schema.value_names)

-- Models -------------------------------------------------------------------------------------------------------------

local keys = { id = { "id" }, code = { "code" }, pair = { "a", "b" } }

local function random_model(i)
  local kind = pick { "id", "id", "id", "code", "pair" }
  return {
    name = "M" .. i, key = keys[kind], auto = kind == "id", timestamps = chance(0.5), paranoid = chance(0.3),
    version = chance(0.25), hooks = chance(0.3), associations = {},
  }
end

-- Associations -------------------------------------------------------------------------------------------------------

local has = { hasOne = true, hasMany = true }

local function key_names(prefix, count)
  local names = {}
  for i = 1, count do names[i] = prefix .. (count > 1 and "_" .. i or "") end
  return names
end

local function random_junction(n, a)
  local j = { name = "J" .. n, junction = true, key = {}, paranoid = chance(0.3), timestamps = chance(0.5),
    version = chance(0.2), hooks = chance(0.3), associations = {} }
  j.extra = chance(0.7)
  j.own_key = chance(0.4)
  a.unique = not (j.own_key and chance(0.4))
  j.string = not j.extra and not j.own_key and chance(0.5)
  if j.string then j.version, j.hooks = false, false end
  a.through = j
  return j
end

--- What the junction of a belongsToMany refers to.
local function add_junction_keys(a, n)
  random_junction(n, a)
  a.source_refers = chance(0.75) and a.source.key or { "u" }
  a.target_refers = chance(0.75) and a.target.key or { "u" }
  a.key, a.other = key_names("s" .. n, #a.source_refers), key_names("t" .. n, #a.target_refers)
  if a.through.extra and chance(0.25) then a.through_scope = { x = 7 } end
end

--- The foreign key of the other kinds.
local function add_key(a, n)
  local referenced = a.kind == "belongsTo" and a.target or a.source
  a.refers = chance(0.75) and referenced.key or { "u" }
  a.key = key_names("k" .. n, #a.refers)
  a.nullable = a.source == a.target or chance(0.75)
  a.onDelete = pick { false, false, false, "CASCADE", a.nullable and "SET NULL" or "CASCADE", "NO ACTION" } or nil
  a.constraints = not chance(0.15)
end

--- Rules that run in circles have no one answer: they lead from models to later ones.
local function add_dependent(a)
  if a.source.name >= a.target.name then return end
  a.dependent = pick { false, false, false, false, "destroy", "delete", "nullify", "restrict" } or nil
  if a.dependent == "nullify" and not a.nullable then a.dependent = "delete" end
end

local function random_association(models, n)
  local a = {
    n = n, kind = pick { "belongsTo", "hasOne", "hasMany", "hasMany", "hasMany", "belongsToMany", "belongsToMany" },
    source = pick(models), target = pick(models), as = "r" .. n, inverse = "i" .. n,
  }
  a.many = a.kind == "hasMany" or a.kind == "belongsToMany"
  if a.kind == "belongsToMany" then add_junction_keys(a, n) else add_key(a, n) end
  if has[a.kind] then add_dependent(a) end
  if a.kind == "belongsTo" then a.inverse_type = pick { "hasMany", "hasOne" } end
  if a.kind ~= "belongsTo" and chance(0.25) then a.scope = { w = "x" } end
  if a.kind ~= "belongsTo" and chance(0.15) then a.where = { v = 1 } end
  a.unique_key = a.kind == "hasOne" and chance(0.2) or nil
  return a
end

--- The same from the other side.
local function inverse_of(a)
  local b = { n = a.n, source = a.target, target = a.source, as = a.inverse, inverse = a.as, key = a.key,
    refers = a.refers, nullable = a.nullable, constraints = a.constraints, through = a.through, unique = a.unique,
    is_inverse = true, inverse_of = a }
  if a.kind == "belongsToMany" then
    b.kind, b.many = "belongsToMany", true
    b.key, b.other, b.source_refers, b.target_refers = a.other, a.key, a.target_refers, a.source_refers
  elseif a.kind == "belongsTo" then
    b.kind, b.many = a.inverse_type, a.inverse_type == "hasMany"
  else
    b.kind = "belongsTo"
  end
  return b
end

--- The name with its first letter raised.
local function raised(name) return name:sub(1, 1):upper() .. name:sub(2) end

--- Method names, as the contract makes them of the alias.
local function name_methods(a)
  local one, many = raised(a.as), raised(a.as)
  if a.many then one = raised(a.as) .. "x" end
  a.methods = a.many and {
    get = "get" .. many, set = "set" .. many, add = "add" .. one, addMultiple = "add" .. many, remove = "remove" .. one,
    removeMultiple = "remove" .. many, has = "has" .. one, hasMultiple = "has" .. many, count = "count" .. many,
    create = "create" .. one,
  } or { get = "get" .. one, set = "set" .. one, create = "create" .. one }
end

--- A description of two to four models and what joins them.
function schema.random()
  local s = { models = {}, tables = {}, associations = {} }
  for i = 1, random(2, 4) do s.models[i] = random_model(i) end
  for n = 1, random(2, 5) do
    local a = random_association(s.models, n)
    s.associations[#s.associations + 1] = a
    s.associations[#s.associations + 1] = inverse_of(a)
    if a.through then s.tables[#s.tables + 1] = a.through end
  end
  for _, a in ipairs(s.associations) do
    name_methods(a)
    table.insert(a.source.associations, a)
  end
  table.move(s.models, 1, #s.models, #s.tables + 1, s.tables)
  return s
end

local function shown(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = (math.type(k) and "" or k .. "=") .. shown(v) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function options_text(t, names)
  local parts = {}
  for _, name in ipairs(names) do
    if t[name] ~= nil then parts[#parts + 1] = name .. "=" .. shown(t[name]) end
  end
  return table.concat(parts, " ")
end

--- An association in words.
function schema.text(a)
  return ("%s%s.%s: %s %s, %s%s"):format(a.is_inverse and "  " or "", a.source.name, a.as, a.kind, a.target.name,
    options_text(a, { "key", "refers", "other", "source_refers", "target_refers", "nullable", "onDelete", "constraints",
      "dependent", "scope", "where", "unique_key", "unique", "through_scope" }), a.through and "  through " ..
      schema.model_text(a.through) or "")
end

function schema.model_text(m)
  return options_text(m, { "name", "key", "timestamps", "paranoid", "version", "hooks", "extra", "own_key", "string" })
end

-- Declaring ----------------------------------------------------------------------------------------------------------

local events = {
  "Validate", "Create", "Update", "Save", "Destroy", "Restore", "Upsert", "BulkCreate", "BulkUpdate", "BulkDestroy",
  "BulkRestore",
}

--- Hooks that do nothing: a model with them takes the way of models with hooks.
local function idle_hooks()
  local hooks = {}
  for _, event in ipairs(events) do
    hooks["before" .. event] = function() end
    hooks["after" .. event] = function() end
  end
  return hooks
end

local function options_of(m)
  return {
    tableName = m.name, timestamps = m.timestamps, paranoid = m.paranoid, version = m.version,
    hooks = m.hooks and idle_hooks() or nil,
  }
end

local function define_model(db, m)
  local attributes = {}
  if m.key[1] == "code" then attributes.code = { type = liga.STRING(20), primaryKey = true } end
  if m.key[1] == "a" then
    attributes.a = { type = liga.INTEGER, primaryKey = true }
    attributes.b = { type = liga.STRING(20), primaryKey = true }
  end
  attributes.t = { type = liga.STRING, allowNull = false }
  attributes.v, attributes.w, attributes.z = liga.INTEGER, liga.STRING, liga.INTEGER
  attributes.s, attributes.f, attributes.d, attributes.j = liga.TEXT, liga.BOOLEAN, liga.DECIMAL(8, 2), liga.JSON
  attributes.u = { type = liga.STRING, unique = true }
  db:define(m.name, attributes, options_of(m))
end

local function define_junction(db, j)
  if j.string then return end
  local attributes = {}
  if j.extra then attributes.x, attributes.y = liga.INTEGER, { type = liga.STRING, defaultValue = "y0" } end
  if j.own_key then attributes.id = { type = liga.BIGINT, primaryKey = true, autoIncrement = true } end
  db:define(j.name, attributes, options_of(j))
end

local function alias(name, many)
  return many and { singular = name .. "x", plural = name } or name
end

local function declare(db, a)
  local source, target = db:model(a.source.name), db:model(a.target.name)
  local o = { as = alias(a.as, a.many), scope = a.scope, where = a.where, dependent = a.dependent }
  o.foreignKey = { keys = {} }
  if a.kind == "belongsToMany" then
    o.inverse = { as = alias(a.inverse, true) }
    o.foreignKey = #a.key == 1 and a.key[1] or a.key
    o.otherKey = #a.other == 1 and a.other[1] or a.other
    o.sourceKey, o.targetKey = a.source_refers, a.target_refers
    o.through = a.through.string and { model = a.through.name, paranoid = a.through.paranoid,
      timestamps = a.through.timestamps } or { model = a.through.name, scope = a.through_scope }
    o.through.unique = a.unique
  else
    o.foreignKey = { keys = {}, allowNull = a.nullable }
    for k, name in ipairs(a.key) do o.foreignKey.keys[name] = a.refers[k] end
    o.onDelete, o.constraints = a.onDelete, a.constraints
    o.inverse = { as = alias(a.inverse, a.kind == "belongsTo" and a.inverse_type == "hasMany") }
    if a.kind == "belongsTo" then o.inverse.type = a.inverse_type end
    if a.unique_key then o.uniqueForeignKey = true end
  end
  source[a.kind](source, target, o)
end

--- Declares everything on a connection and makes the tables.
function schema.define(db, s)
  for _, m in ipairs(s.models) do define_model(db, m) end
  for _, t in ipairs(s.tables) do
    if t.junction then define_junction(db, t) end
  end
  for _, a in ipairs(s.associations) do
    if not a.is_inverse then declare(db, a) end
  end
  db:sync { force = true }
end

return schema
