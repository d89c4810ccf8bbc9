--- Random steps through associations: the generated methods that write, and those that read.
local liga = require "liga"
local oracle = require "spec.support.random.oracle"
local schema = require "spec.support.random.schema"
local World = require "spec.support.random.world"

local random, pick, chance = math.random, schema.pick, schema.chance
local values, copy = oracle.values, World.copy

local links = {}

-- Targets ------------------------------------------------------------------------------------------------------------

local function raw_key(m, row)
  if #m.key == 1 then return row[m.key[1]] end
  return chance(0.5) and values(row, m.key) or { a = row.a, b = row.b }
end

--- A target to hand over: {row, form = "instance" | "key" | "new", argument}.
-- @param new_share how often it is a new instance
local function element(w, m, new_share)
  local row = w:any(m)
  if chance(new_share) or not row then
    local new = w:new_row(m)
    return { row = new, form = "new", argument = w:class(m):build(copy(new)) }
  end
  if chance(0.35) then return { row = row, form = "key", argument = raw_key(m, row) } end
  local instance = w:instance(m, row)
  if chance(0.2) then w.touch(instance) end
  return { row = row, form = "instance", argument = instance }
end

local function elements(w, m, most, new_share)
  local list = {}
  for i = 1, random(0, most) do list[i] = element(w, m, new_share) end
  return list
end

local function pluck(list, name)
  local found = {}
  for i, e in ipairs(list) do found[i] = e[name] end
  return found
end

--- Those of stored rows.
local function stored(list)
  local found = {}
  for _, e in ipairs(list) do found[#found + 1] = e.form ~= "new" and e or nil end
  return found
end

local function distinct(list)
  local once, seen = {}, {}
  for _, e in ipairs(list) do
    if not seen[e.row] then once[#once + 1] = e end
    seen[e.row] = true
  end
  return once
end

local function describe(list)
  local texts = {}
  for i, e in ipairs(list) do texts[i] = e.form .. " " .. e.row.t end
  return "{" .. table.concat(texts, ", ") .. "}"
end

-- Options ------------------------------------------------------------------------------------------------------------

local function at_target(a) return a.kind == "hasOne" or a.kind == "hasMany" end

--- The key that linking fills in.
local function key_to_come(a) return at_target(a) and a.key or nil end

local function random_through(a)
  if not (a.through and a.through.extra) or chance(0.5) then return nil end
  return { y = pick { "y1", "y2" }, x = not a.through_scope and pick { 1, 2, liga.null } or nil }
end

local removal_option = { set = "destroyPrevious", remove = "destroy" }

local function random_options(a, verb)
  local options = {}
  if verb ~= "remove" then options.through = random_through(a) end
  local destroys = at_target(a) and a.source ~= a.target and chance(0.1)
  if destroys and removal_option[verb] then options[removal_option[verb]] = true end
  if a.many and verb ~= "create" and chance(0.15) then options.individualHooks = true end
  return options
end

local function options_text(options)
  local parts = {}
  for name, value in pairs(options) do
    parts[#parts + 1] = name == "through" and ("through x=%s y=%s"):format(value.x, value.y) or name
  end
  table.sort(parts)
  return table.concat(parts, ", ")
end

--- The same for the oracle.
local function for_oracle(list, options)
  local given = { new = {}, destroy = options.destroy or options.destroyPrevious, through = nil }
  for _, e in ipairs(list) do given.new[e.row] = e.form == "new" or nil end
  for name, value in pairs(options.through or {}) do
    given.through = given.through or {}
    given.through[name] = value == liga.null and oracle.NULL or value
  end
  return given
end

--- Whether rows may be deleted, and other constraints followed, of which no instance knows.
local function may_delete(a, options)
  return at_target(a) and (options.destroy or options.destroyPrevious or not a.nullable)
end

-- Comparing ----------------------------------------------------------------------------------------------------------

local function is_among(w, m, instance, rows)
  for _, row in ipairs(rows) do
    if w.row_text(row, m.key) == w.row_text(instance, m.key) then return true end
  end
  return false
end

--- One of the rows, where there is any.
local function compare_one(w, a, what, instance, rows)
  local fine = not instance and #rows == 0 or instance and is_among(w, a.target, instance, rows)
  if not fine then w:fault("%s is %s, expected one of %s", what, tostring(instance), w.keys(a.target, rows)) end
end

--- Whether a target may be linked several times, as the association sees it.
local function repeats(a)
  return a.through and (not a.unique or a.inverse_of and a.inverse_of.through_scope)
end

--- A loaded association is what the database would give; with a filter of its own it may have been dropped.
local function compare_loaded(w, a, source, row)
  local loaded, there, what = source[a.as], w.oracle:targets(a, row), row.t .. "." .. a.as
  if not loaded and a.where or repeats(a) then return end
  if not a.many then
    compare_one(w, a, what, loaded, there)
    loaded = { loaded }
  else
    w:same(what, w.keys(a.target, loaded or w:fault("%s was dropped", what)), w.keys(a.target, there))
  end
  for _, each in ipairs(loaded) do
    if each ~= source then w:compare_instance(each, "the loaded") end
  end
end

--- set and add give what they were handed, remove the number of links.
local function compare_result(w, a, verb, argument, list, result, removed)
  if verb == "remove" then return removed and w:same("the result", result, removed) end
  local single_key = #list == 1 and list[1].form == "key" and not rawequal(argument, list.arguments)
  if single_key then return w:same("the result", result, true) end
  if #list > 0 then return w:same("the result is the argument", rawequal(result, argument), true) end
  local cleared = a.many and type(result) == "table" and next(result) == nil or not a.many and result == nil
  if not cleared then w:fault("returned %s", tostring(result)) end
end

-- Writing ------------------------------------------------------------------------------------------------------------

local function check_source(a, row)
  local refers = a.refers or a.source_refers
  if a.kind ~= "belongsTo" and not values(row, refers) then oracle.fail "InstanceError" end
end

--- The source, perhaps with the association loaded, perhaps with a change of its own.
local function random_source(w, a, row)
  local loaded = chance(0.5)
  local source = w:instance(a.source, row, loaded and { a.as } or nil)
  if chance(0.1) then w.touch(source) end
  return source, loaded
end

--- @param method "set", "add", "addMultiple", "remove", "removeMultiple"
local function write(w, a, method, list, argument)
  local row = w:any(a.source)
  if not row then return nil end
  local verb = method:gsub("Multiple", "")
  local options, source, loaded = random_options(a, verb), random_source(w, a, row)
  if options.individualHooks and rawequal(argument, list.arguments) then
    list = distinct(list)
    list.arguments = pluck(list, "argument")
    argument = argument and list.arguments
  end
  return {
    text = ("%s[%s%s]:%s(%s, %s)"):format(a.source.name, row.t, loaded and ", loaded" or "", a.methods[method],
      argument == nil and "nil" or describe(list), options_text(options)),
    instances = { source, table.unpack(pluck(list, "argument")) },
    expect = function(o)
      local given = for_oracle(list, options)
      check_source(a, row)
      for new in pairs(given.new) do w.check_required(a.target, new, key_to_come(a)) end
      return o:associate(a, verb, row, pluck(list, "row"), given)
    end,
    run = function() return source[a.methods[method]](source, argument, next(options) and options or nil) end,
    check = function(result, removed)
      local deletes = may_delete(a, options)
      compare_result(w, a, verb, argument, list, result, not deletes and removed)
      if deletes then return end
      if a.source ~= a.target then w:compare_instance(source, "the source") end
      for _, e in ipairs(list) do
        if e.form ~= "key" and e.row ~= row then w:compare_instance(e.argument, "the target") end
      end
      if loaded then compare_loaded(w, a, source, row) end
    end,
  }
end

local function is_many(a) return a.many end
local function is_one(a) return not a.many end

local function write_many(method)
  return function(w)
    local a = w:any_association(is_many)
    if not a then return nil end
    local list = elements(w, a.target, 3, 0.15)
    if method == "removeMultiple" then list = stored(list) end
    if chance(0.1) and list[1] then list[#list + 1] = list[1] end
    list.arguments = pluck(list, "argument")
    local clears = method == "set" and #list == 0 and chance(0.5)
    return write(w, a, method, list, not clears and list.arguments or nil)
  end
end

links.set, links.addMultiple = write_many "set", write_many "addMultiple"
links.removeMultiple = write_many "removeMultiple"

local function write_single(method, wanted)
  return function(w)
    local a = w:any_association(wanted)
    if not a then return nil end
    if method == "set" and chance(0.2) then return write(w, a, method, {}, nil) end
    local e = element(w, a.target, 0.2)
    if method == "remove" and e.form == "new" then return nil end
    return write(w, a, method, { e }, e.argument)
  end
end

links.setOne, links.add, links.remove = write_single("set", is_one), write_single("add", is_many),
  write_single("remove", is_many)

function links.create(w)
  local a = w:any_association()
  local row = w:any(a.source)
  if not row then return nil end
  local options, source, loaded = random_options(a, "create"), random_source(w, a, row)
  local new = w:new_row(a.target)
  local given = copy(new)
  return {
    text = ("%s[%s]:%s %s, %s"):format(a.source.name, row.t, a.methods.create, w:row(a.target, new),
      options_text(options)),
    instances = { source },
    expect = function(o)
      check_source(a, row)
      w.check_required(a.target, new, key_to_come(a))
      local list = { { row = new, form = "new" } }
      return o:associate(a, a.many and "add" or "set", row, { new }, for_oracle(list, options))
    end,
    run = function() return source[a.methods.create](source, given, next(options) and options or nil) end,
    check = function(result)
      if may_delete(a, options) then return end
      if a.source ~= a.target then w:compare_instance(source, "the source") end
      w:compare_instance(result, "the new")
      if loaded then compare_loaded(w, a, source, row) end
    end,
  }
end

-- Reading ------------------------------------------------------------------------------------------------------------

local function count_distinct(rows)
  local seen, count = {}, 0
  for _, row in ipairs(rows) do
    if not seen[row] then count = count + 1 end
    seen[row] = true
  end
  return count
end

local function holds_all(rows, wanted)
  local there = {}
  for _, row in ipairs(rows) do there[row] = true end
  for _, row in ipairs(wanted) do
    if not there[row] then return false end
  end
  return true
end

--- get, count, has, and has with exact = true.
function links.read(w)
  local a = w:any_association()
  local row = w:any(a.source)
  if not row then return nil end
  local source, list = w:instance(a.source, row), stored(elements(w, a.target, 2, 0))
  return {
    text = ("%s[%s]: read %s, has %s"):format(a.source.name, row.t, a.as, describe(list)),
    expect = function(o)
      check_source(a, row)
      return o:targets(a, row)
    end,
    run = function()
      if not a.many then return source[a.methods.get](source) end
      local has, wanted = source[a.methods.hasMultiple], pluck(list, "argument")
      return {
        list = source[a.methods.get](source), count = source[a.methods.count](source), has = has(source, wanted),
        exact = has(source, wanted, { exact = true }),
      }
    end,
    check = function(result, there)
      if not a.many then return compare_one(w, a, a.as, result, there) end
      local wanted = pluck(list, "row")
      local all = holds_all(there, wanted)
      w:same(a.methods.get, w.keys(a.target, result.list), w.keys(a.target, there))
      w:same(a.methods.count, result.count, #there)
      w:same(a.methods.hasMultiple, result.has, all)
      w:same("has exactly", result.exact, all and count_distinct(there) == count_distinct(wanted))
    end,
  }
end

return links
