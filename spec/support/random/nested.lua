--- A random step that creates a tree: new rows with what belongs to them, and with rows that are there.
local oracle = require "spec.support.random.oracle"
local schema = require "spec.support.random.schema"
local World = require "spec.support.random.world"

local random, pick, chance = math.random, schema.pick, schema.chance
local values, copy = oracle.values, World.copy

-- Trees --------------------------------------------------------------------------------------------------------------

--- Includes of several rows of one association as one list.
local function merged(list)
  local below, result = {}, {}
  for _, include in ipairs(list) do
    local name = include.association
    if not below[name] then result[#result + 1] = { association = name } end
    below[name] = below[name] or {}
    table.move(include.include, 1, #include.include, #below[name] + 1, below[name])
  end
  for _, include in ipairs(result) do include.include = merged(below[include.association]) end
  return result
end

local tree

--- One that belongs to a row: mostly a new one, and what is to be included below it.
local function child(w, a, depth, used)
  local there = chance(0.25) and w:any(a.target)
  if not there or used[there] then return tree(w, a.target, depth - 1, a.inverse, used) end
  used[there] = true
  return w:instance(a.target, there), {}, { m = a.target, row = there, is_stored = true, text = there.t }
end

--- @param except the association that leads back
-- @param used rows that stand in the tree
-- @return values for liga, includes, node = {m, row, children = list of {a, nodes}, text}
function tree(w, m, depth, except, used)
  local row, include = w:new_row(m), {}
  local given, node = copy(row), { m = m, row = row, children = {}, text = w:row(m, row) }
  for _, a in ipairs(m.associations) do
    if depth > 0 and a.as ~= except and chance(0.4) then
      local list, below, nodes = {}, {}, {}
      for i = 1, a.many and random(0, 2) or 1 do
        local includes
        list[i], includes, nodes[i] = child(w, a, depth, used)
        table.move(includes, 1, #includes, #below + 1, below)
        node.text = ("%s\n        %s.%s = %s"):format(node.text, row.t, a.as, nodes[i].text)
      end
      given[a.as] = a.many and list or list[1]
      include[#include + 1] = { association = a.as, include = merged(below) }
      node.children[#node.children + 1] = { a = a, nodes = nodes }
    end
  end
  return given, include, node
end

-- By the oracle ------------------------------------------------------------------------------------------------------

--- @param above the association that leads to the node, or nil
local function check(node, above)
  if node.is_stored then return end
  local coming = {}
  if above and not above.through and above.kind ~= "belongsTo" then coming[above.key] = true end
  for _, each in ipairs(node.children) do
    if each.a.kind == "belongsTo" then coming[each.a.key] = true end
    for _, below in ipairs(each.nodes) do check(below, each.a) end
  end
  for _, a in ipairs(node.m.associations) do
    local must = a.kind == "belongsTo" and not a.nullable and not coming[a.key]
    if must and not values(node.row, a.key) then oracle.fail "ValidationError" end
  end
end

local function refer(row, key, to, refers)
  local value = values(to, refers) or oracle.fail "InstanceError"
  for i, name in ipairs(key) do row[name] = value[i] end
end

local insert

--- What holds the key of the node, or is joined to it by a junction.
local function insert_child(o, node, a, below)
  if not below.is_stored then
    if not a.through then refer(below.row, a.key, node.row, a.refers) end
    for name, value in pairs(a.scope or {}) do below.row[name] = value end
    insert(o, below)
  end
  if below.is_stored or a.through then o:associate(a, a.many and "add" or "set", node.row, { below.row }) end
end

function insert(o, node)
  if node.is_stored then return end
  for _, each in ipairs(node.children) do
    for _, below in ipairs(each.a.kind == "belongsTo" and each.nodes or {}) do
      insert(o, below)
      refer(node.row, each.a.key, below.row, each.a.refers)
    end
  end
  o:insert(node.m, node.row)
  for _, over_junction in ipairs { false, true } do
    for _, each in ipairs(node.children) do
      local now = each.a.kind ~= "belongsTo" and (each.a.through ~= nil) == over_junction
      for _, below in ipairs(now and each.nodes or {}) do insert_child(o, node, each.a, below) end
    end
  end
end

-- The step -----------------------------------------------------------------------------------------------------------

local function compare(w, node, instance)
  w:compare_instance(instance, "the nested " .. node.row.t)
  for _, each in ipairs(node.children or {}) do
    local value = instance[each.a.as]
    if each.a.many then w:same("the length of " .. each.a.as, #value, #each.nodes) end
    for i, below in ipairs(each.nodes) do compare(w, below, each.a.many and value[i] or value) end
  end
end

local nested = {}

function nested.nested(w)
  local m, bulk = pick(w.schema.models), chance(0.3)
  local given, include, node = tree(w, m, 2, nil, {})
  return {
    text = ("%s:%s %s"):format(m.name, bulk and "bulkCreate" or "create", node.text),
    any_error = true,
    expect = function(o)
      check(node)
      insert(o, node)
    end,
    run = function()
      if bulk then return w:class(m):bulkCreate({ given }, { include = include })[1] end
      return w:class(m):create(given, { include = include })
    end,
    check = function(result) compare(w, node, result) end,
  }
end

return nested
