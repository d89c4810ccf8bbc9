-- Random schemas, data and includes: every strategy gives what a naive loop over plain finds gives. A failure names its
-- seed; LIGA_SEED=n runs that one alone, LIGA_CASES=n about as many on each engine.
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

local random = math.random

local function pick(list) return list[random(#list)] end

-- Schemas ------------------------------------------------------------------------------------------------------------

local keys = {
  function() return {} end,
  function() return { code = { type = liga.STRING(10), primaryKey = true } } end,
  function()
    return { a = { type = liga.INTEGER, primaryKey = true }, b = { type = liga.STRING(5), primaryKey = true } }
  end,
  function() return { raw = { type = liga.BLOB, primaryKey = true } } end,
}

local function define_models(db, count)
  local models = {}
  for i = 1, count do
    local attributes = pick(keys)()
    attributes.v, attributes.w = liga.INTEGER, liga.STRING
    models[i] = db:define("M" .. i, attributes, { timestamps = false, tableName = "m" .. i })
  end
  return models
end

--- Declares a random association under the name r<n>; its inverse is i<n>.
local function declare(models, n)
  local source, target = pick(models), pick(models)
  local as, inverse = "r" .. n, "i" .. n
  local kind = pick { "belongsTo", "hasOne", "hasMany", "hasMany", "belongsToMany" }
  if kind == "belongsToMany" then
    source:belongsToMany(target, { as = { singular = as .. "x", plural = as }, through = "J" .. n,
      inverse = { as = { singular = inverse .. "x", plural = inverse } } })
    return
  end
  local key = {}
  local referenced = kind == "belongsTo" and target or source
  for i in ipairs(referenced.primaryKey) do key[i] = "k" .. n .. "_" .. i end
  local options = { as = as, foreignKey = #key == 1 and key[1] or key }
  if kind == "belongsTo" then options.inverse = { as = inverse, type = pick { "hasMany", "hasOne" } } end
  if kind ~= "belongsTo" then options.inverse = { as = inverse } end
  if kind == "hasMany" then options.as = { singular = as .. "x", plural = as } end
  if kind == "belongsTo" then
    options.inverse.as = options.inverse.type == "hasMany" and { singular = inverse .. "x",
      plural = inverse } or inverse
  end
  source[kind](source, target, options)
end

local function usable(model)
  local list = {}
  for _, a in ipairs(model.associations) do
    if a.as:find "^[ric]%d+$" then list[#list + 1] = a end
  end
  return list
end

--- A path over two or three associations.
local function declare_path(models, n)
  local source = pick(models)
  local model, steps = source, {}
  for i = 1, random(2, 3) do
    local list = usable(model)
    if #list == 0 then return end
    local a = pick(list)
    steps[i], model = a.as, a.target
  end
  local path = table.concat(steps, ".")
  if random() < 0.3 then source:hasOne(model, { as = "c" .. n, through = path }) return end
  source:hasMany(model, { as = { singular = "c" .. n .. "x", plural = "c" .. n }, through = path })
end

-- Data ---------------------------------------------------------------------------------------------------------------

local function fill(models)
  local rows = {}
  for _, model in ipairs(models) do
    local list = {}
    for i = 1, random(3, 7) do
      list[i] = { v = random() < 0.8 and random(4) or nil, w = pick { "x", "y" } }
      if model.attributes.code then list[i].code = "c" .. i end
      if model.attributes.raw then list[i].raw = "\0\xff" .. i end
      if model.attributes.a then list[i].a, list[i].b = random(2), "b" .. i end
    end
    rows[model] = model:bulkCreate(list)
  end
  for _, model in ipairs(models) do
    for _, a in ipairs(model.associations) do
      for _, row in ipairs(rows[model]) do
        if a.type == "belongsTo" and rows[a.target] and random() < 0.75 then
          local target = pick(rows[a.target])
          for k, name in ipairs(a.foreignKey) do row[name] = target[a.targetKey[k]] end
        end
      end
    end
    for _, row in ipairs(rows[model]) do row:save() end
    for _, a in ipairs(model.associations) do
      if a.type == "belongsToMany" and a.as:find "^r" then
        for _, row in ipairs(rows[model]) do
          local targets = {}
          for _, target in ipairs(rows[a.target]) do
            if random() < 0.3 then targets[#targets + 1] = target end
          end
          row[a.accessors.addMultiple](row, targets)
        end
      end
    end
  end
end

-- Includes -----------------------------------------------------------------------------------------------------------

local function random_where()
  return pick { { v = { [Op.gt] = 1 } }, { w = "x" }, { v = { 1, 2, 3 } }, { [Op.or_] = { { v = liga.null }, {
    w = "y" } } } }
end

local function random_includes(model, depth)
  local list, includes = usable(model), {}
  for _, a in ipairs(list) do
    if random() < 0.4 and #includes < 3 then
      local include = { association = a.as, of = a }
      if random() < 0.3 then include.where = random_where() end
      if random() < 0.3 then include.required = random() < 0.5 end
      if random() < 0.3 then include.order = { pick { "v", "-v", "-w" } } end
      if random() < 0.2 then include.limit = random(0, 2) end
      if random() < 0.15 then include.offset = random(0, 1) end
      if depth > 1 then include.include = random_includes(a.target, depth - 1) end
      includes[#includes + 1] = include
    end
  end
  return includes
end

--- The include as liga takes it, every node with a strategy.
local function with_strategy(includes, strategy)
  local list = {}
  for i, include in ipairs(includes) do
    local own = {}
    for name, value in pairs(include) do own[name] = value end
    own.of, own.strategy = nil, strategy == "mixed" and pick { "join", "select" } or strategy
    own.include = include.include and with_strategy(include.include, strategy) or nil
    list[i] = own
  end
  return list
end

-- The naive way ------------------------------------------------------------------------------------------------------

local function matching(names, values_of, from)
  local where = {}
  for k, name in ipairs(names) do
    if from[values_of[k]] == nil then return nil end
    where[name] = from[values_of[k]]
  end
  return where
end

local function complete_order(include, model)
  local order = table.move(include.order or {}, 1, #(include.order or {}), 1, {})
  for _, name in ipairs(model.primaryKey) do order[#order + 1] = name end
  return order
end

local function same_row(model, a, b)
  for _, name in ipairs(model.primaryKey) do
    if a[name] ~= b[name] then return false end
  end
  return true
end

local reached

--- The targets that an association leads to from one row, each once, in no order.
local function targets_of(a, row)
  if type(a.through) == "string" then return reached(a, row) end
  if a.type == "belongsTo" then
    local where = matching(a.targetKey, a.foreignKey, row)
    return where and a.target:findAll { where = where } or {}
  elseif a.type ~= "belongsToMany" then
    local where = matching(a.foreignKey, a.sourceKey, row)
    return where and a.target:findAll { where = where } or {}
  end
  local list = {}
  for _, link in ipairs(a.through:findAll { where = matching(a.foreignKey, a.sourceKey, row) }) do
    list[#list + 1] = a.target:findOne { where = matching(a.targetKey, a.otherKey, link) }
  end
  return list
end

function reached(a, row)
  local rows, model = { row }, a.source
  for name in a.through:gmatch "[^.]+" do
    local step, next_rows = model.associations[name], {}
    for _, each in ipairs(rows) do
      for _, target in ipairs(targets_of(step, each)) do
        local known = false
        for _, other in ipairs(next_rows) do known = known or same_row(step.target, other, target) end
        if not known then next_rows[#next_rows + 1] = target end
      end
    end
    rows, model = next_rows, step.target
  end
  return rows
end

local naive_children

--- The row with its children; nil: a required child is missing.
local function with_children(row, includes)
  local shown = row:toTable()
  for _, include in ipairs(includes or {}) do
    local value, any = naive_children(include, row)
    if not any and (include.required or include.required == nil and include.where) then return nil end
    shown[include.association] = value
  end
  return shown
end

--- The value of an include of one row; whether there was any child before the cut.
function naive_children(include, row)
  local a, all = include.of, {}
  local conditions = { include.where }
  local wanted = targets_of(a, row)
  if #wanted > 0 then
    local sorted = a.target:findAll { where = { a.target:keys(wanted), table.unpack(conditions) },
      order = complete_order(include, a.target) }
    for _, target in ipairs(sorted) do all[#all + 1] = with_children(target, include.include) end
  end
  local cut, first = {}, (include.offset or 0) + 1
  local last = math.min(#all, include.limit and first + include.limit - 1 or #all)
  if not a.isMulti then last = math.min(last, first) end
  table.move(all, first, last, 1, cut)
  if a.isMulti then return cut, #all > 0 end
  return cut[1], #all > 0
end

local function naive(model, includes)
  local list = {}
  for _, row in ipairs(model:findAll { order = model.primaryKey }) do list[#list + 1] = with_children(row, includes) end
  return list
end

-- Comparing ----------------------------------------------------------------------------------------------------------

--- Plain tables of what liga loaded, without junction rows.
local function plain(list)
  local function strip(value)
    if type(value) ~= "table" then return value end
    local copy = {}
    for key, each in pairs(value) do
      if not tostring(key):find "^J%d+$" then copy[key] = strip(each) end
    end
    return copy
  end
  local result = {}
  for i, row in ipairs(list) do result[i] = strip(row:toTable()) end
  return result
end

local function run_seed(engine, seed, cases)
  math.randomseed(seed)
  local db <close> = engine:open()
  local models = define_models(db, random(2, 4))
  for n = 1, random(2, 5) do declare(models, n) end
  for n = 1, 2 do declare_path(models, n) end
  db:sync { force = true }
  fill(models)
  for case = 1, cases do
    local model = pick(models)
    local includes = random_includes(model, 3)
    local expected = naive(model, includes)
    for _, strategy in ipairs { "chosen", "select", "join", "mixed" } do
      local options = { include = with_strategy(includes, strategy ~= "chosen" and strategy or nil),
        order = model.primaryKey }
      local message = ("seed %d, case %d, %s"):format(seed, case, strategy)
      local found = model:findAll(options)
      assert.same(expected, plain(found), message)
      options.order = nil
      assert.equal(#expected, model:count(options), message)
      assert.same({ table.unpack(expected, 2, 3) },
        plain(model:findAll { include = options.include, order = model.primaryKey, limit = 2, offset = 1 }), message)
    end
  end
end

local wanted, asked = tonumber(os.getenv "LIGA_SEED"), tonumber(os.getenv "LIGA_CASES")
local seeds = { memory = { 60, 12 }, file = { 8, 10 }, server = { 10, 20 } }      -- schemas, cases of each: 1,000

for engine in support.engines() do
  describe("random includes on " .. engine.name, function()
    it("give the same by every strategy, and what a loop over finds gives", function()
      local count, cases = table.unpack(seeds[engine.kind])
      if asked then count = math.ceil(asked / cases) end
      for seed = wanted or 1, wanted or count do run_seed(engine, seed, cases) end
    end)
  end)
end
