--- Random reads: conditions, orders, cuts and scopes, compared with a look at every row of the oracle.
local conditions = require "spec.support.random.conditions"
local oracle = require "spec.support.random.oracle"
local schema = require "spec.support.random.schema"

local random, pick, chance = math.random, schema.pick, schema.chance
local values = oracle.values

local reads = {}

-- Order --------------------------------------------------------------------------------------------------------------

--- NULL counts as the largest value, unless the order says otherwise.
local function goes_before(entry, x, y)
  if x ~= nil and y ~= nil then return (x < y) ~= entry.descends end
  local nulls_last = entry.nulls == "LAST" or not entry.nulls and not entry.descends
  return (y == nil) == nulls_last
end

local function sort(rows, order)
  table.sort(rows, function(a, b)
    for _, entry in ipairs(order) do
      local x, y = a[entry.name], b[entry.name]
      if x ~= y then return goes_before(entry, x, y) end
    end
    return false
  end)
  return rows
end

--- An order that is complete by the key: as liga takes it, and for `sort`.
local function random_order(m)
  local given, order = {}, {}
  for i = 1, random(0, 2) do
    local name, descends, nulls = pick { "v", "w", "z" }, chance(0.5), pick { false, false, "FIRST", "LAST" }
    local direction = (descends and "DESC" or "ASC") .. (nulls and " NULLS " .. nulls or "")
    given[i], order[i] = { name, direction }, { name = name, descends = descends, nulls = nulls }
  end
  for _, name in ipairs(m.key) do
    given[#given + 1], order[#order + 1] = name, { name = name, descends = false, nulls = false }
  end
  return given, order
end

local function cut(rows, limit, offset)
  local first = (offset or 0) + 1
  return table.move(rows, first, limit and math.min(#rows, first + limit - 1) or #rows, 1, {})
end

local function filtered(rows, test)
  local found = {}
  for _, row in ipairs(rows) do found[#found + 1] = test(row) and row or nil end
  return found
end

-- Finders ------------------------------------------------------------------------------------------------------------

local functions = { "sum", "avg", "min", "max" }

--- What they give, by hand of numbers or decimals.
local function aggregates(rows, name)
  local sum, count, min, max = 0, 0, nil, nil
  for _, row in ipairs(rows) do
    local value = tonumber(row[name])
    if value then
      sum, count = sum + value, count + 1
      min, max = math.min(min or value, value), math.max(max or value, value)
    end
  end
  return { sum = sum, avg = count > 0 and sum / count or nil, min = min, max = max }
end

local function compare_aggregates(w, result, rows)
  for name, found in pairs(result) do
    local wanted = aggregates(rows, name)
    for _, what in ipairs(functions) do
      local got = tonumber(found[what])
      local near = got and wanted[what] and math.abs(got - wanted[what]) < 1e-6
      if not near then w:same(what .. " of " .. name, got, wanted[what]) end
    end
  end
end

local function compare_groups(w, groups, rows)
  local counts = {}
  for _, row in ipairs(rows) do counts[row.w or "NULL"] = (counts[row.w or "NULL"] or 0) + 1 end
  for _, group in ipairs(groups) do
    w:same("the group " .. tostring(group.w), group.count, counts[group.w or "NULL"])
    counts[group.w or "NULL"] = nil
  end
  w:same("a missing group", next(counts), nil)
end

local function all_pages(class, find)
  local rows, info = {}, {}
  repeat
    local items
    find.after = info.after
    items, info = class:page(find)
    table.move(items, 1, #items, #rows + 1, rows)
  until not info.after
  return rows
end

local function each_of(class, find)
  local rows = {}
  for row in class:each(find) do rows[#rows + 1] = row end
  return rows
end

--- Every way to find and count, by one condition.
function reads.find(w)
  local m, size = pick(w.schema.models), random(3)
  local where, test = conditions.tree(w.oracle, m, 3)
  local given, order = random_order(m)
  local limit, offset, class = chance(0.4) and random(0, 4) or nil, chance(0.3) and random(0, 2) or nil, w:class(m)
  return {
    text = ("%s where %s limit %s offset %s"):format(m.name, conditions.text(where), limit, offset),
    expect = function(o) return sort(filtered(o:visible(m), test), order) end,
    run = function()
      local result = { numbers = { v = {}, d = {} } }
      result.part, result.total = class:findAndCountAll { where = where, order = given, limit = limit, offset = offset }
      result.all, result.count = class:findAll { where = where, order = given }, class:count { where = where }
      result.first, result.exists = class:findOne { where = where, order = given }, class:exists { where = where }
      result.pages = all_pages(class, { where = where, order = given, size = size })
      result.each = each_of(class, { where = where, batch = size })
      result.groups = class:count { where = where, group = { "w" } }
      for name, found in pairs(result.numbers) do
        for _, what in ipairs(functions) do found[what] = class[what](class, name, { where = where }) end
      end
      return result
    end,
    check = function(result, rows)
      local wanted = w.ordered_keys(m, rows)
      w:same("findAll", w.ordered_keys(m, result.all), wanted)
      w:same("page", w.ordered_keys(m, result.pages), wanted)
      w:same("each", w.keys(m, result.each), w.keys(m, rows))
      w:same("findAndCountAll", w.ordered_keys(m, result.part), w.ordered_keys(m, cut(rows, limit, offset)))
      w:same("findOne", w.ordered_keys(m, { result.first }), w.ordered_keys(m, { rows[1] }))
      w:same("count", result.count, #rows)
      w:same("the second result of findAndCountAll", result.total, #rows)
      w:same("exists", result.exists, #rows > 0)
      compare_groups(w, result.groups, rows)
      compare_aggregates(w, result.numbers, rows)
    end,
  }
end

-- Associations -------------------------------------------------------------------------------------------------------

--- The targets that are linked by junction rows of some values, each as often as it is linked.
local function linked_through(o, a, row, through)
  local found = {}
  for _, link in ipairs(o:links(a, row)) do
    local target = oracle.matches(link, through) and o:referred(a.target, a.target_refers, values(link, a.other))
    if target and not target.deletedAt and oracle.inside(a, target) then found[#found + 1] = target end
  end
  return found
end

--- getX, countX and hasX with conditions, on the junction too.
function reads.linked(w)
  local a = w:any_association(function(a) return a.many end)
  local row = a and w:any(a.source)
  if not row or not values(row, a.refers or a.source_refers) then return nil end
  local where, test = conditions.tree(w.oracle, a.target, 2)
  local given, order = random_order(a.target)
  local limit, offset = chance(0.4) and random(0, 3) or nil, chance(0.3) and random(0, 2) or nil
  local link = a.through and a.through.extra and chance(0.4) and pick { { x = 1 }, { y = "y0" } } or nil
  local source, through = w:instance(a.source, row), link and { where = link }
  return {
    text = ("%s[%s]:%s where %s"):format(a.source.name, row.t, a.methods.get, conditions.text(where)),
    expect = function(o)
      return sort(filtered(link and linked_through(o, a, row, link) or o:targets(a, row), test), order)
    end,
    run = function()
      local list = source[a.methods.get](source, { where = where, order = given, limit = limit, offset = offset,
        through = through })
      return {
        list = list, count = source[a.methods.count](source, { where = where, through = through }),
        has = source[a.methods.hasMultiple](source, list, { where = where, through = through }),
      }
    end,
    check = function(result, rows)
      w:same("get", w.ordered_keys(a.target, result.list), w.ordered_keys(a.target, cut(rows, limit, offset)))
      w:same("count", result.count, #rows)
      w:same("has what it gave", result.has, true)
    end,
  }
end

-- Scopes -------------------------------------------------------------------------------------------------------------

--- A default scope and two named ones, merged with each other and with the call's where.
function reads.scoped(w)
  local m, limit = pick(w.schema.models), random(0, 4)
  local class, where, tests, texts = w:class(m), {}, {}, {}
  for i = 1, 4 do
    where[i], tests[i] = conditions.tree(w.oracle, { associations = {} }, 2)
    texts[i] = conditions.text(where[i])
  end
  local given, order = random_order(m)
  local function rows_of(...) return filtered(w.oracle:visible(m), conditions.all { ... }) end
  return {
    text = ("%s scoped %s"):format(m.name, table.concat(texts, " | ")),
    expect = function()
      return {
        merged = cut(sort(rows_of(tests[2], tests[3], tests[4]), order), limit), named = #rows_of(tests[2], tests[4]),
        default = #rows_of(tests[1], tests[4]), none = #w.oracle:visible(m),
      }
    end,
    run = function()
      local over = { override = true }
      class:addScope("defaultScope", { where = where[1] }, over)
      class:addScope("a", { where = where[2], limit = limit }, over)
      class:addScope("b", function(more) return { where = more, order = given } end, over)
      local result = {
        merged = class:scope("a", { "b", where[3] }):findAll { where = where[4] },
        named = class:scope("a"):count { where = where[4] }, default = class:count { where = where[4] },
        none = class:unscoped():count(),
      }
      class:addScope("defaultScope", {}, over)
      return result
    end,
    check = function(result, expected)
      w:same("merged scopes", w.ordered_keys(m, result.merged), w.ordered_keys(m, expected.merged))
      for _, what in ipairs { "named", "default", "none" } do w:same("scope " .. what, result[what], expected[what]) end
    end,
  }
end

return reads
