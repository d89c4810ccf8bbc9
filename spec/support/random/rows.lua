--- Random steps that write rows of a model: create, save, update, destroy, restore, increment, bulkCreate, upsert …
local liga = require "liga"
local oracle = require "spec.support.random.oracle"
local schema = require "spec.support.random.schema"
local World = require "spec.support.random.world"

local random, pick, chance = math.random, schema.pick, schema.chance
local values, copy, check_required = oracle.values, World.copy, World.check_required

local rows = {}

function rows.create(w)
  local m = pick(w.schema.models)
  local row = w:new_row(m)
  local given = copy(row)
  return {
    text = ("%s:create %s"):format(m.name, w:row(m, row)),
    expect = function(o)
      check_required(m, row)
      o:insert(m, row)
    end,
    run = function() return w:class(m):create(given) end,
    check = function(result) w:compare_instance(result, "the new") end,
  }
end

-- Changing -----------------------------------------------------------------------------------------------------------

--- What is written: as liga takes it, and for the oracle.
local function random_changes(w, m)
  local given, changes = {}, {}
  local function put(name, value)
    given[name], changes[name] = value or liga.null, value or oracle.NULL
  end
  if chance(0.6) then put("v", pick { 1, 2, 3, false }) end
  if chance(0.4) then put("w", pick { "x", "y" }) end
  if chance(0.3) then put("u", chance(0.2) and "u" .. random(5) or "V" .. w:tag()) end
  for _, a in ipairs(m.associations) do
    local target = a.kind == "belongsTo" and chance(0.3) and w:any(a.target)
    local key = target and values(target, a.refers)
    for i, name in ipairs(key and a.key or {}) do put(name, key[i]) end
  end
  return given, changes
end

local function changes_text(changes)
  local parts = {}
  for name, value in pairs(changes) do
    parts[#parts + 1] = name .. "=" .. (value == oracle.NULL and "NULL" or tostring(value))
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

--- Whether a change of a row comes back to it over ON UPDATE, unseen by its instance.
local function comes_back(m, changes)
  for _, a in ipairs(m.associations) do
    if a.target == m and a.refers and a.refers[1] == "u" and changes.u then return true end
  end
  return false
end

function rows.save(w)
  local m = pick(w.schema.models)
  local row = w:any(m)
  if not row then return nil end
  local instance = w:instance(m, row)
  local given, changes = random_changes(w, m)
  return {
    text = ("%s[%s]:update %s"):format(m.name, row.t, changes_text(changes)),
    expect = function(o) o:update(m, { row }, changes) end,
    run = function() return instance:update(given) end,
    check = function()
      if not comes_back(m, changes) then w:compare_instance(instance, "the saved") end
    end,
  }
end

local function rows_where(list, v)
  local found = {}
  for _, row in ipairs(list) do
    if row.v == v then found[#found + 1] = row end
  end
  return found
end

function rows.updateWhere(w)
  local m, v, individual = pick(w.schema.models), random(3), chance(0.2)
  local given, changes = random_changes(w, m)
  if not next(given) then return nil end
  return {
    text = ("%s:update %s where v = %d, individualHooks = %s"):format(m.name, changes_text(changes), v,
      tostring(individual)),
    expect = function(o)
      local found = rows_where(o:visible(m), v)
      o:update(m, found, changes)
      return #found
    end,
    run = function() return w:class(m):update(given, { where = { v = v }, individualHooks = individual }) end,
    check = function(count, expected) w:same("the count", count, expected) end,
  }
end

function rows.increment(w)
  local m = pick(w.schema.models)
  local row = w:any(m)
  if not row then return nil end
  local instance, by = w:instance(m, row), pick { 1, 2, -1 }
  return {
    text = ("%s[%s]:increment v by %d"):format(m.name, row.t, by),
    instances = { instance },
    expect = function(o) o:update(m, { row }, { v = row.v and row.v + by or oracle.NULL }) end,
    run = function() return instance:increment("v", { by = by }) end,
    check = function() w:compare_instance(instance, "the incremented") end,
  }
end

-- Destroying ---------------------------------------------------------------------------------------------------------

function rows.destroy(w)
  local m = pick(w.schema.models)
  local row = w:any(m)
  if not row then return nil end
  local instance, force = w:instance(m, row), chance(0.2)
  return {
    text = ("%s[%s]:destroy force = %s"):format(m.name, row.t, tostring(force)),
    instances = { instance },
    expect = function(o) o:destroy(m, { row }, force) end,
    run = function() return instance:destroy { force = force } end,
    check = function() end,
  }
end

--- Rows that the constraints take along are not among those that SQLite counts.
function rows.destroyWhere(w)
  local m, v, force = pick(w.schema.models), random(3), chance(0.2)
  return {
    text = ("%s:destroy where v = %d force = %s"):format(m.name, v, tostring(force)),
    expect = function(o)
      local found = rows_where(force and o.rows[m.name] or o:visible(m), v)
      o:destroy(m, found, force)
      return #found
    end,
    run = function() return w:class(m):destroy { where = { v = v }, force = force } end,
    check = function(count, expected)
      if count > expected then w:fault("returned %d, expected %d", count, expected) end
    end,
  }
end

function rows.restore(w)
  local m, gone = pick(w.schema.models), {}
  for _, row in ipairs(w.oracle.rows[m.name]) do gone[#gone + 1] = row.deletedAt and row or nil end
  if #gone == 0 then return nil end
  local row = pick(gone)
  local instance = w:instance(m, row)
  return {
    text = ("%s[%s]:restore"):format(m.name, row.t),
    instances = { instance },
    expect = function(o) o:update(m, { row }, { deletedAt = oracle.NULL }) end,
    run = function() return instance:restore() end,
    check = function() w:compare_instance(instance, "the restored") end,
  }
end

-- Rows that may be there ---------------------------------------------------------------------------------------------

--- A row that may be there already, by its key or by u.
local function likely_row(w, m)
  local row, other = w:new_row(m), chance(0.5) and w:any(m)
  if other and chance(0.5) and not m.auto then
    for _, name in ipairs(m.key) do row[name] = other[name] end
  elseif other then
    row.u = other.u
  end
  return row
end

--- The row that one INSERT meets.
local function standing(o, m, row, keys)
  for _, key in ipairs(keys) do
    local wanted = values(row, key)
    for _, each in ipairs(o.rows[m.name]) do
      if wanted and oracle.same(values(each, key), wanted) then return each end
    end
  end
end

--- What bulkCreate does with a row, by mode.
-- @return the row that stands then; nil: it was left out
local insert = {}

function insert.plain(o, m, row) return o:insert(m, row) end

function insert.ignore(o, m, row)
  if standing(o, m, row, o.rules[m.name].unique) then return nil end
  return o:insert(m, row)
end

function insert.update(o, m, row)
  local there = standing(o, m, row, { { "u" } })
  if not there then return o:insert(m, row) end
  o:update(m, { there }, { v = row.v or oracle.NULL, w = row.w or oracle.NULL })
  return there
end

local bulk_options = {
  plain = {}, ignore = { ignoreDuplicates = true },
  update = { updateOnDuplicate = { "v", "w" }, conflictFields = { "u" } },
}

function rows.bulkCreate(w)
  local m, mode, individual = pick(w.schema.models), pick { "plain", "plain", "ignore", "update" }, chance(0.2)
  local list, made, texts = {}, {}, {}
  for i = 1, random(1, 3) do
    made[i] = mode == "plain" and w:new_row(m) or likely_row(w, m)
    list[i], texts[i] = copy(made[i]), w:row(m, made[i])
    if chance(0.3) then list[i] = w:class(m):build(list[i]) end
  end
  local options = copy(bulk_options[mode])
  options.individualHooks = individual
  return {
    text = ("%s:bulkCreate %s { %s }"):format(m.name, mode, table.concat(texts, " · ")),
    instances = mode ~= "update" and list or nil, any_error = true,
    expect = function(o)
      local expected = { rows = {}, last = {} }
      for _, row in ipairs(made) do check_required(m, row) end
      for i, row in ipairs(made) do
        local there = insert[mode](o, m, row)
        expected.rows[i] = there or false
        if there then expected.last[there] = i end
      end
      return expected
    end,
    run = function() return w:class(m):bulkCreate(list, options) end,
    check = function(result, expected)
      w:same("the number of rows", #result, #made)
      for i, instance in ipairs(result) do
        local row = expected.rows[i]
        if liga.modelOf(list[i]) then w:same("the one built", rawequal(list[i], instance), true) end
        w:same(("row %d is new"):format(i), instance:isNew(), not row)
        if row then w:same("the key", w.row_text(instance, m.key), w.row_text(row, m.key)) end
        if row and expected.last[row] == i then w:compare_instance(instance, "row " .. i) end
      end
    end,
  }
end

--- The results of upsert and findOrCreate: an instance, and whether it was created.
local function check_found(w, m)
  return function(result, expected)
    w:same("created", result[2], expected.created)
    w:compare_instance(result[1], "the result")
    w:same("the key", w.row_text(result[1], m.key), w.row_text(expected.row, m.key))
  end
end

function rows.upsert(w)
  local m = pick(w.schema.models)
  local row = likely_row(w, m)
  local given = copy(row)
  return {
    text = ("%s:upsert %s"):format(m.name, w:row(m, row)),
    expect = function(o)
      check_required(m, row)
      local there = standing(o, m, row, { { "u" } })
      if not there then return { row = o:insert(m, row), created = true } end
      local changes = copy(row)
      for _, name in ipairs(m.key) do changes[name] = nil end
      o:update(m, { there }, changes)
      return { row = there, created = false }
    end,
    run = function() return { w:class(m):upsert(given, { conflictFields = { "u" } }) } end,
    check = check_found(w, m),
  }
end

function rows.findOrCreate(w)
  local m = pick(w.schema.models)
  local row, where = likely_row(w, m), {}
  local names = chance(0.3) and not m.auto and m.key or { "u" }
  local defaults = copy(row)
  for _, name in ipairs(names) do where[name], defaults[name] = row[name], nil end
  if not values(row, names) then return nil end
  return {
    text = ("%s:findOrCreate by %s: %s"):format(m.name, table.concat(names, ","), w:row(m, row)),
    expect = function(o)
      for _, each in ipairs(o:visible(m)) do
        if oracle.matches(each, where) then return { row = each, created = false } end
      end
      check_required(m, row)
      return { row = o:insert(m, row), created = true }
    end,
    run = function() return { w:class(m):findOrCreate { where = where, defaults = defaults } } end,
    check = check_found(w, m),
  }
end

return rows
