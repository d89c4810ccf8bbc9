--- Nested writes: `build`, `create` and `bulkCreate` with `include`. What belongs to a row is written with it, in one
-- transaction and in order of dependency: what it refers to, the row, what refers to it, then links over junctions.
-- Instances that are stored already are linked.
local closing = require "liga.closing"
local core = require "liga.core"
local errors = require "liga.errors"
local link_parts = require "liga.behaviour.parts"
local memory = require "liga.memory"
local option_tables = require "liga.options"
local transaction = require "liga.transaction"
local validate = require "liga.validate"

local nested = {}

--- Instances that were built with an include and are not saved yet → the include's tree.
local pending = setmetatable({}, { __mode = "k" })

local function record_of(class, name)
  return getmetatable(class).associations[name]
end

--- What a call with `fields` may set: the rest counts as not given, as in the core.
function nested.listed(class, values, fields)
  if type(fields) ~= "table" or type(values) ~= "table" or core.state(values) then return values end
  local kept, names = {}, {}
  for _, name in ipairs(fields) do names[name] = true end
  for name, value in next, values do
    local is_attribute = class.attributes[name] ~= nil
    if names[name] or not is_attribute or getmetatable(class).key[name] then kept[name] = value end
  end
  return kept
end

-- Paths in errors ----------------------------------------------------------------------------------------------------

--- Adds the place to an error that has none yet: "comments[2].text".
local function put_place(problem, place)
  if not errors.is(problem) or place == "" or rawget(problem, "nested") then return end
  local last = problem.path or problem.attribute
  problem.nested, problem.path = true, last and place .. "." .. last or place
  problem.message = ("%s: %s"):format(problem.path, problem.message)
end

--- Calls a function; errors say that they are about this place.
local function at(place, call, ...)
  local results = table.pack(pcall(call, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  put_place(results[2], place)
  error(results[2], 0)
end

local function step(place, name, index)
  local this = index and ("%s[%d]"):format(name, index) or name
  return place == "" and this or place .. "." .. this
end

-- Building -----------------------------------------------------------------------------------------------------------

local build

local function build_one(class, value, node, place)
  if core.state(value) then
    local other = core.class_of(value)
    if other ~= class then
      errors.usage("%s: an instance of %s expected, got one of %s", place, class.name,
        other.name == class.name and "another database object" or other.name)
    end
    return value
  end
  return build(class, value, node.include, place)
end

local function build_value(class, node, value, place)
  local a = record_of(class, node.name)
  if a.read.path then errors.usage("%s: a path of associations can't be written", step(place, node.name)) end
  if type(value) ~= "table" then
    errors.usage("%s: a table of values or an instance expected, got %s", step(place, node.name), type(value))
  end
  if not a.kind.many then return build_one(a.target, value, node, step(place, node.name)) end
  if core.state(value) then errors.usage("%s: a list expected, got an instance", step(place, node.name)) end
  local list, count = core.list(), 0
  for key in next, value do
    if math.type(key) ~= "integer" then errors.usage("%s: a list expected", step(place, node.name)) end
    count = count + 1
  end
  if count ~= #value then errors.usage("%s: the list has a hole", step(place, node.name)) end
  for i, each in ipairs(value) do list[i] = build_one(a.target, each, node, step(place, node.name, i)) end
  return list
end

--- Builds an instance and what is nested in its values.
function build(class, values, tree, place)
  if type(values) ~= "table" or core.state(values) then return at(place, class.build, class, values) end
  local own = option_tables.copy(values)
  for _, node in ipairs(tree) do own[node.name] = nil end
  local instance = at(place, class.build, class, own)
  for _, node in ipairs(tree) do
    local value = values[node.name]
    if value ~= nil and value ~= core.null then rawset(instance, node.name, build_value(class, node, value, place)) end
  end
  pending[instance] = tree
  return instance
end

--- An instance with what is nested in the values, not saved.
-- @param include what of the values belongs to associations
function nested.build(class, values, include)
  return build(class, values, core.include_tree(class, include), "")
end

-- Taking apart -------------------------------------------------------------------------------------------------------

--- Walks over all instances that are not stored, with their places.
-- @param visit function(instance, tree, place, a): a is the association that leads there, nil for the roots
local function walk(instance, place, visit, seen, a)
  local tree = pending[instance] or {}
  if seen[instance] or core.state(instance) ~= "new" then return end
  seen[instance] = true
  visit(instance, tree, place, a)
  local class = core.class_of(instance)
  for _, node in ipairs(tree) do
    local value, below = rawget(instance, node.name), record_of(class, node.name)
    if below.kind.many then
      for i, each in ipairs(value or {}) do walk(each, step(place, node.name, i), visit, seen, below) end
    elseif value then
      walk(value, step(place, node.name), visit, seen, below)
    end
  end
end

--- The names of the attributes that linking fills in later.
local function keys_to_come(a, tree, class)
  local later = {}
  for _, name in ipairs(a and a.kind.holder == "target" and a.foreignKey or {}) do later[name] = true end
  for _, node in ipairs(tree) do
    local below = record_of(class, node.name)
    for _, name in ipairs(below.kind.holder == "source" and below.foreignKey or {}) do later[name] = true end
  end
  return later
end

local function without(names, later)
  local rest = {}
  for _, name in ipairs(names) do rest[#rest + 1] = not later[name] and name or nil end
  return rest
end

--- The names of the attributes that have a column.
local function names_of(class)
  local names = {}
  for i, attribute in ipairs(getmetatable(class).attributes) do names[i] = attribute.name end
  return names
end

--- Checks the values of an instance that its owner's write brings along, before anything is sent.
local function check(instance, tree, place, a, options)
  if not a or options.validate == false then return end
  local class = core.class_of(instance)
  at(place, core.validate, instance, { fields = without(names_of(class), keys_to_come(a, tree, class)) })
end

--- What of an instance can be checked before it is saved: not the keys of what is nested in it and saved first.
-- @param fields list of the attributes that are to be checked; nil: all
-- @return the list, or nil: all
function nested.known_fields(instance, fields)
  local class, given = core.class_of(instance), {}
  for _, node in ipairs(pending[instance] or {}) do
    given[#given + 1] = rawget(instance, node.name) ~= nil and node or nil
  end
  if #given == 0 then return fields end
  return without(fields or names_of(class), keys_to_come(nil, given, class))
end

--- What is nested leaves the instances until they are saved: an association is no column.
-- @return {instance → {name → value}}, places, list of all instances
local function take_apart(roots, bulk, options)
  local parts, places, all, seen = {}, {}, {}, {}
  for i, root in ipairs(roots) do
    walk(root, bulk and ("[%d]"):format(i) or "", function(instance, tree, place, a)
      parts[instance], places[instance] = { tree = tree, a = a, values = {} }, place
      all[#all + 1] = instance
    end, seen)
  end
  local guard = memory.guard(all)
  for _, instance in ipairs(all) do
    local part = parts[instance]
    for _, node in ipairs(part.tree) do
      part.values[node.name] = rawget(instance, node.name)
      rawset(instance, node.name, nil)
    end
  end
  return { parts = parts, places = places, all = all, options = options, bulk = bulk }, guard
end

local function check_all(context)
  for _, instance in ipairs(context.all) do
    local part = context.parts[instance]
    check(instance, part.tree, context.places[instance], part.a, context.options)
  end
end

-- Saving -------------------------------------------------------------------------------------------------------------

local save_level

local function options_of_children(options)
  return { validate = options.validate, hooks = options.hooks, silent = options.silent, logging = options.logging }
end

--- Whether something sees the instances of a model one by one as they are created.
local function is_watched(class, options)
  return options.hooks ~= false and require "liga.behaviour.write".has_create_hooks(class)
end

--- Whether an instance is what a write of several was refused for.
local function is_refused(class, instance, options)
  if core.state(instance) ~= "new" then return false end
  if options.validate == false then return not pcall(core.validate, instance) end
  local ok, faults = pcall(validate.faults, class, instance, {})
  return not ok or #faults > 0
end

--- The place of the one among several instances that has a wrong value; where that is not known, the place of them all.
local function place_of(context, class, instances, problem)
  for _, instance in ipairs(errors.is(problem, "ValidationError") and instances or {}) do
    if is_refused(class, instance, context.options) then return context.places[instance] end
  end
  return (context.places[instances[1]]:gsub("%[%d+%]", ""):gsub("^%.", ""))
end

--- Saves instances of one model: one by one what a create brings along and something sees, else together. The hooks of
-- many rows are for what a bulkCreate brings along.
local function save_instances(context, class, fresh)
  local options, watched = options_of_children(context.options), is_watched(class, context.options)
  if not context.bulk and (#fresh == 1 or watched) then
    for _, instance in ipairs(fresh) do
      at(context.places[instance] or "", instance.save, instance, option_tables.copy(options))
    end
    return
  end
  if context.bulk then options.individualHooks = watched or nil else options.hooks = false end
  local ok, problem = pcall(class.bulkCreate, class, fresh, options)
  if ok then return end
  put_place(problem, place_of(context, class, fresh, problem))
  error(problem, 0)
end

--- Saves instances of one model that are not stored yet, each once.
local function save_new(context, class, instances)
  local fresh, seen = {}, {}
  for _, instance in ipairs(instances) do
    if not seen[instance] and core.state(instance) == "new" then fresh[#fresh + 1] = instance end
    seen[instance] = true
  end
  if #fresh == 0 then return end
  save_level(context, class, fresh, function() save_instances(context, class, fresh) end)
end

local function each_value(value, many)
  if value == nil then return {} end
  return many and value or { value }
end

--- What belongs to an association of several owners: the values, and whose they are.
local function values_of(context, instances, name, many)
  local values, owners = {}, {}
  for _, instance in ipairs(instances) do
    for _, value in ipairs(each_value(context.parts[instance] and context.parts[instance].values[name], many)) do
      values[#values + 1], owners[#owners + 1] = value, instance
    end
  end
  return values, owners
end

--- Copies what an association refers to; without a value there would be no link.
-- @param from the instance that is referred to, a saved one
local function copy_key(a, from, from_names, to, to_names)
  for k, name in ipairs(to_names) do
    local value = from[from_names[k]]
    if value == nil then
      local model = core.class_of(from).name
      errors.raise("InstanceError", ("%s: the %s has no %s"):format(a.as, model, from_names[k]), { model = model })
    end
    to[name] = value
  end
end

local function link(context, owner, a, target)
  local verb = a.kind.many and "add" or "set"
  owner[a.accessors[verb]](owner, target, options_of_children(context.options))
end

local by_holder = {}

function by_holder.source(context, a, values, owners)
  save_new(context, a.target, values)
  for i, target in ipairs(values) do copy_key(a, target, a.targetKey, owners[i], a.foreignKey) end
end

function by_holder.target(context, a, values, owners)
  local stored = {}
  for i, child in ipairs(values) do
    if core.state(child) == "new" then
      copy_key(a, owners[i], a.sourceKey, child, a.foreignKey)
      link_parts.add_scope(child, a.read.scope)
    else
      stored[#stored + 1] = i
    end
  end
  save_new(context, a.target, values)
  for _, i in ipairs(stored) do link(context, owners[i], a, values[i]) end
end

--- The junction row of a target that was saved with its owner.
local function junction_row(a, owner, target)
  local row = link_parts.add_scope(option_tables.copy(link_parts.junction_values(a, target)), a.read.through.scope)
  copy_key(a, owner, a.sourceKey, row, a.foreignKey)
  copy_key(a, target, a.targetKey, row, a.otherKey)
  return row
end

function by_holder.through(context, a, values, owners)
  local rows, targets, linked = {}, {}, {}
  for _, target in ipairs(values) do
    if core.state(target) == "new" then
      link_parts.add_scope(target, a.read.scope)
      targets[target] = true
    end
  end
  save_new(context, a.target, values)
  for i, target in ipairs(values) do
    linked[owners[i]] = linked[owners[i]] or {}
    if not targets[target] then
      link(context, owners[i], a, target)
    elseif not linked[owners[i]][target] then
      rows[#rows + 1] = junction_row(a, owners[i], target)
      rows[rows[#rows]] = target
    end
    linked[owners[i]][target] = true
  end
  if #rows == 0 then return end
  local plain, options = table.move(rows, 1, #rows, 1, {}), options_of_children(context.options)
  options.individualHooks = is_watched(a.through, options) or nil
  for i, link_row in ipairs(a.through:bulkCreate(plain, options)) do
    rawset(rows[rows[i]], a.through.name, link_row)
  end
end

local holder_of = { belongsTo = "source", hasOne = "target", hasMany = "target", belongsToMany = "through" }

--- Runs over the associations of one kind of key holder that the instances were built with.
local function write_part(context, class, instances, wanted)
  local seen = {}
  for _, instance in ipairs(instances) do
    for _, node in ipairs(context.parts[instance] and context.parts[instance].tree or {}) do
      local a = record_of(class, node.name)
      if not seen[node.name] and holder_of[a.kind.name] == wanted then
        seen[node.name] = true
        by_holder[wanted](context, a, values_of(context, instances, node.name, a.kind.many))
      end
    end
  end
end

--- What is nested is a property again, loaded as it is stored now.
local function put_together(context, instances)
  for _, instance in ipairs(instances) do
    local part = context.parts[instance]
    for _, node in ipairs(part and part.tree or {}) do
      local value = part.values[node.name]
      rawset(instance, node.name, value)
      if value ~= nil then core.note_loaded(instance, node.name, value) end
    end
    pending[instance] = nil
  end
end

--- Rows that ignoreDuplicates left out, and what is nested in them, are as they were built.
local function put_back(context)
  for _, instance in ipairs(context.all) do
    if core.state(instance) == "new" then
      local part = context.parts[instance]
      for name, value in next, part.values do rawset(instance, name, value) end
      pending[instance] = part.tree
    end
  end
end

local function stored_of(instances)
  local list = {}
  for _, instance in ipairs(instances) do list[#list + 1] = core.state(instance) ~= "new" and instance or nil end
  return list
end

--- Writes instances of one model with what is nested in them; `save_own` writes their own rows. Nothing is linked to a
-- row that it left out.
function save_level(context, class, instances, save_own)
  for _, instance in ipairs(instances) do pending[instance] = nil end
  write_part(context, class, instances, "source")
  save_own()
  local stored = stored_of(instances)
  write_part(context, class, stored, "target")
  write_part(context, class, stored, "through")
  put_together(context, stored)
end

--- Writes roots with all that is nested in them, in one transaction; after an error all are as before.
-- @param bulk whether they are those of a bulkCreate
local function save_roots(class, roots, options, bulk, save_own)
  local context, guard = take_apart(roots, bulk, options)
  local kept = {}
  for _, instance in ipairs(context.all) do kept[instance] = pending[instance] end
  function guard.undone()
    for instance, tree in pairs(kept) do pending[instance] = tree end
  end
  return closing(guard, function()
    check_all(context)
    return guard:keep(transaction.atomically(getmetatable(class).db, options, function()
      local result
      save_level(context, class, roots, function() result = save_own() end)
      put_back(context)
      return result
    end))
  end)
end

--- Saves one instance: what `core.save` does, and what it was built with. The one place where a row is saved by its
-- instance.
-- @param options of save; `creating`: those of create
-- @return the instance
function nested.save(instance, options, creating)
  if pending[instance] == nil or core.state(instance) ~= "new" then return core.save(instance, options, creating) end
  return save_roots(core.class_of(instance), { instance }, options or {}, false, function()
    return core.save(instance, options, creating)
  end)
end

--- Calls a function while the instance holds its attributes only, as its row will.
function nested.apart(instance, call, ...)
  local tree, values = pending[instance], {}
  if not tree then return call(...) end
  for _, node in ipairs(tree) do
    values[node.name] = rawget(instance, node.name)
    rawset(instance, node.name, nil)
  end
  local results = table.pack(pcall(call, ...))
  for name, value in next, values do rawset(instance, name, value) end
  if results[1] then return table.unpack(results, 2, results.n) end
  error(results[2], 0)
end

local function without_include(options)
  local own = option_tables.copy(options)
  own.include = nil
  return own
end

--- Builds and saves an instance with what is nested in the values.
-- @param save function(instance, options): saves one instance, with the hooks of its model
function nested.create(class, values, options, save)
  local listed = nested.listed(class, values, options.fields)
  return save(nested.build(class, listed, options.include), without_include(options))
end

--- The same for a list; rows of one model and level go together.
-- @param bulk function(list, options): bulkCreate of built instances
-- @return list of instances
function nested.bulk(class, list, options, bulk)
  local tree, built = core.include_tree(class, options.include), {}
  if type(list) ~= "table" then return bulk(list, without_include(options)) end
  for i, values in ipairs(option_tables.list(class.name .. ":bulkCreate", list)) do
    built[i] = build_one(class, nested.listed(class, values, options.fields), { include = tree }, ("[%d]"):format(i))
  end
  local own = without_include(options)
  return save_roots(class, built, own, true, function() return bulk(built, own) end)
end

return nested
