--- belongsToMany: the methods that write links, between the bulk hooks and validators of the junction's rows.
local class_methods = require "liga.behaviour.class"
local copy = require "liga.options".copy
local core = require "liga.core"
local keyset = require "liga.keyset"
local operation = require "liga.operation"
local parts = require "liga.behaviour.parts"
local validate = require "liga.validate"
local write = require "liga.behaviour.write"

local junction = {}

local function text_of(row, names)
  local texts = {}
  for place, name in ipairs(names) do
    local text = tostring(row[name])
    texts[place] = #text .. ":" .. text
  end
  return table.concat(texts)
end

local function is_complete(target, names)
  for _, name in ipairs(names) do
    if rawget(target, name) == nil then return false end
  end
  return true
end

--- The targets handed over, each once and as a stored instance; nil where one has no row or nothing to refer to: the
-- core says so.
local function elements_of(a, list, options)
  local elements, instances = {}, parts.instances(a, list, options)
  for i, target in ipairs(instances or {}) do
    if not is_complete(target, a.targetKey) then return nil end
    elements[i] = { target = target, text = text_of(target, a.targetKey) }
  end
  return instances and elements
end

--- The junction rows of the source, of some targets or all, in the order of their key.
-- @param paranoid false: those marked as deleted, too
local function read_links(a, source, elements, options, paranoid)
  local where = { parts.add_key({}, a.foreignKey, source, a.sourceKey) }
  where[#where + 1] = a.read.through.scope
  if elements then
    local tuples = {}
    for i, element in ipairs(elements) do
      tuples[i] = {}
      for place, name in ipairs(a.targetKey) do tuples[i][place] = rawget(element.target, name) end
    end
    where[#where + 1] = keyset.among(a.otherKey, tuples)
  end
  return core.class_methods.findAll(a.through, {
    where = where, order = a.through.primaryKey, paranoid = paranoid, transaction = options.transaction,
  })
end

--- Junction rows by the text of the key to the target.
local function links_of(a, rows)
  local links = {}
  for _, row in ipairs(rows) do links[text_of(row, a.otherKey)] = row end
  return links
end

--- The junction row that a new link will be, as an instance for hooks and validators.
local function junction_row(a, source, element, options)
  local values = copy(options.through)
  local own = rawget(element.target, a.through.name)
  if type(own) == "table" and core.state(own) ~= "stored" then
    for name, value in next, own do values[name] = value end
  end
  parts.add_key(values, a.foreignKey, source, a.sourceKey)
  parts.add_key(values, a.otherKey, element.target, a.targetKey)
  return class_methods.build(a.through, parts.add_scope(values, a.read.through.scope))
end

local function check_rows(a, rows, options)
  if options.validate == false then return end
  local faults = {}
  for _, row in ipairs(rows) do
    local found = validate.faults(a.through, row, {})
    table.move(found, 1, #found, #faults + 1, faults)
  end
  validate.raise(a.through, faults)
end

--- What the core is to write into the rows of links, by element, should they be new: all but the keys, which are its
-- own.
local function values_of(a, elements, links)
  local list, keys = {}, {}
  for _, names in ipairs { a.foreignKey, a.otherKey, a.through.primaryKey } do
    for _, name in ipairs(names) do keys[name] = true end
  end
  for i, element in ipairs(elements) do
    list[i] = {}
    for name, value in next, element.row or links[element.text] or {} do
      if not keys[name] and a.through.attributes[name] then list[i][name] = value end
    end
  end
  return list
end

--- What a method returns that was not run by the core: instances and lists as they were handed over, else true.
-- @param list the same targets as a list
local function result_of(targets, list)
  if targets == nil or targets == core.null then return core.list(0) end
  return (core.state(targets) or targets == list) and targets or true
end

-- Each between hooks of its own --------------------------------------------------------------------------------------

--- The links that the association leads over: those to targets inside of its scope and filter.
local function inside(a, rows, options)
  if not a.read.scope and not a.read.where then return rows end
  local tuples, found, kept = {}, {}, {}
  for i, row in ipairs(rows) do
    tuples[i] = {}
    for place, name in ipairs(a.otherKey) do tuples[i][place] = row[name] end
  end
  local where = { keyset.among(a.targetKey, tuples) }
  where[#where + 1] = a.read.scope
  where[#where + 1] = a.read.where
  for _, target in ipairs(core.class_methods.findAll(a.target, {
    where = where, attributes = a.targetKey, raw = true, paranoid = false, transaction = options.transaction,
  })) do
    found[text_of(target, a.targetKey)] = true
  end
  for _, row in ipairs(rows) do
    if found[text_of(row, a.otherKey)] then kept[#kept + 1] = row end
  end
  return kept
end

--- Does something to junction rows one by one, between hooks.
local function change_each(rows, event, job, options)
  local changing = parts.of_save(options)
  changing.validate, changing.silent = nil, nil
  for _, row in ipairs(rows) do write.single(row, event, copy(changing), job) end
end

--- Destroys junction rows one by one.
-- @return how many
local function delete_each(a, rows, options)
  rows = inside(a, rows, options)
  change_each(rows, "Destroy", core.destroy, options)
  return #rows
end

local function new_among(elements)
  local new = {}
  for _, element in ipairs(elements) do new[#new + 1] = element.row and element or nil end
  return new
end

--- Restores the links that are marked as deleted.
-- @return them, by the text of the key to the target
local function restore_each(a, source, elements, options)
  local mark, new, gone = getmetatable(a.through).deletedAt, new_among(elements), {}
  if not mark or a.unique == false then return gone end
  for _, row in ipairs(#new > 0 and read_links(a, source, new, options, false) or {}) do
    if row[mark] ~= nil then gone[#gone + 1] = row end
  end
  change_each(gone, "Restore", core.restore, options)
  return links_of(a, gone)
end

--- Links targets one by one, restoring links that are marked as deleted. What is linked then is left to the core.
-- @param verb of the core's method that does: "addMultiple", or "set", which does not repeat links
local function insert_each(a, source, elements, links, options, verb)
  local rows, rest, targets = {}, {}, {}
  local restored = restore_each(a, source, elements, options)
  for _, element in ipairs(elements) do
    if not restored[element.text] then rows[#rows + 1] = element.row end
  end
  local inserting = parts.of_save(options)
  inserting.ignoreDuplicates = a.unique ~= false or nil
  class_methods.save_each(rows, inserting)
  for _, element in ipairs(elements) do
    if core.state(element.row) ~= "stored" then
      rest[#rest + 1], targets[#targets + 1] = element, element.target
    end
  end
  if #rest == 0 then return end
  if verb == "set" then rest, targets = elements, elements.list end
  core.plain_accessor(a.meta[1], verb)(source, targets, options, values_of(a, rest, links))
end

-- All at once, or each -----------------------------------------------------------------------------------------------

--- Links new rows between the hooks of the junction's bulkCreate, which see them as instances.
-- @param others function that destroys what is linked otherwise, one by one; nil: targets are added, also once more
-- where links may repeat
local function insert_links(plain, a, source, elements, links, options, others)
  local rows, result = {}, nil
  for _, element in ipairs(elements) do
    if not links[element.text] or a.unique == false and not others then
      element.row = junction_row(a, source, element, options)
      rows[#rows + 1] = element.row
    end
  end
  local function insert(linking)
    if class_methods.taken(linking) then
      if others then others(linking) end
      insert_each(a, source, elements, links, linking, a.unique == false and others and "set" or "addMultiple")
      result = result_of(elements.given, elements.list)
    else
      check_rows(a, rows, linking)
      result = plain(source, elements.given, linking, values_of(a, elements, links))
    end
    local seen = #rows > 0 and write.runs_hooks(a.through, linking, { "afterBulkCreate" })
    return seen and read_links(a, source, new_among(elements), linking) or rows
  end
  if #rows == 0 then insert(options) else write.bulk(a.through, "BulkCreate", options, rows, insert) end
  return result
end

--- Takes links away between the hooks of the junction's destroy, where there are any.
local function delete_links(a, options, some, job)
  if not some then return job(options) end
  return write.bulk(a.through, "BulkDestroy", options, nil, job)
end

--- The links to other targets than these.
local function other_links(a, rows, elements)
  local kept, others = {}, {}
  for _, element in ipairs(elements) do kept[element.text] = true end
  for _, row in ipairs(rows) do
    if not kept[text_of(row, a.otherKey)] then others[#others + 1] = row end
  end
  return others
end

local verb_of = {}

function verb_of.add(plain, a, source, elements, options)
  return insert_links(plain, a, source, elements, links_of(a, read_links(a, source, elements, options)), options)
end

function verb_of.set(plain, a, source, elements, options)
  local rows = read_links(a, source, nil, options)
  local others = other_links(a, rows, elements)
  return delete_links(a, options, #others > 0, function(unlinking)
    return insert_links(plain, a, source, elements, links_of(a, rows), unlinking,
      function(linking) delete_each(a, others, linking) end)
  end)
end

function verb_of.remove(plain, a, source, elements, options)
  local rows = read_links(a, source, elements, options)
  return delete_links(a, options, #rows > 0, function(unlinking)
    if class_methods.taken(unlinking) then return delete_each(a, rows, unlinking) end
    return plain(source, elements.given, unlinking)
  end)
end

junction.verbs = {
  set = verb_of.set, add = verb_of.add, addMultiple = verb_of.add, remove = verb_of.remove,
  removeMultiple = verb_of.remove,
}

--- Runs a method that writes links, between the hooks of the junction where it has behaviour.
-- @param verb "set", "add", "addMultiple", "remove", "removeMultiple"
function junction.write(plain, a, source, targets, options, verb)
  local nothing = verb ~= "set" and parts.is_empty(targets)
  if not parts.behaves(a.through) or nothing then return plain(source, targets, options) end
  if parts.has_unsaved(targets) and junction.verbs[verb] ~= verb_of.remove then
    return require "liga.handlers".associate(function(_, saved, linking)
      return junction.write(plain, a, source, saved, copy(linking), verb)
    end, source, targets, options, parts.presets(a, source))
  end
  return operation.atomically(parts.db_of(a), options, function(t)
    options.transaction = t
    local list = parts.list_of(a, verb, targets)
    local elements = elements_of(a, list, options)
    if not elements then return plain(source, targets, options) end
    elements.given, elements.list = targets, list
    return junction.verbs[verb](plain, a, source, elements, options)
  end)
end

return junction
