--- belongsToMany: the methods that write links, between the bulk hooks and validators of the junction's rows.
local class_methods = require "liga.behaviour.class"
local copy = require "liga.options".copy
local core = require "liga.core"
local keyset = require "liga.keyset"
local operation = require "liga.operation"
local parts = require "liga.behaviour.parts"
local validate = require "liga.validate"
local virtual = require "liga.virtual"
local write = require "liga.behaviour.write"

local junction = {}

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
    elements[i] = { target = target, text = keyset.text(target, a.targetKey) }
  end
  return instances and elements
end

--- The condition for the junction rows of the source, of some targets or all.
local function links_where(a, source, elements)
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
  return where
end

--- These rows, in the order of their key.
-- @param paranoid false: those marked as deleted, too
local function read_links(a, source, elements, options, paranoid)
  return core.class_methods.findAll(a.through, {
    where = links_where(a, source, elements), order = a.through.primaryKey, paranoid = paranoid,
    transaction = options.transaction,
  })
end

--- Junction rows by the text of the key to the target.
local function links_of(a, rows)
  local links = {}
  for _, row in ipairs(rows) do links[keyset.text(row, a.otherKey)] = row end
  return links
end

--- The attributes of a junction row that no call gives values for.
local function key_names(a)
  local keys = {}
  for _, names in ipairs { a.foreignKey, a.otherKey, a.through.primaryKey } do
    for _, name in ipairs(names) do keys[name] = true end
  end
  return keys
end

--- A value as it is written.
local function value_of(row, name)
  local value = rawget(row, name)
  if value == nil then return core.null end
  return value
end

--- What stands on a target for its link: a table of values, or what was changed in a row that was read.
local function own_values(own)
  if core.state(own) ~= "stored" then return own end
  local values = {}
  for _, name in ipairs(core.changed(own) or {}) do values[name] = value_of(own, name) end
  return values
end

--- The values that the call gives for a link; those that stand on the target win. Keys and scope are not given.
local function given_values(a, element, options)
  local values = copy(options.through)
  for name, value in next, own_values(parts.junction_values(a, element.target)) do values[name] = value end
  for name in next, key_names(a) do values[name] = nil end
  for name in next, parts.add_scope({}, a.read.through.scope) do values[name] = nil end
  return values
end

--- The junction row that a new link will be, as an instance for hooks and validators.
local function junction_row(a, source, element, options)
  local values = given_values(a, element, options)
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
-- own. false: that row has been written.
local function values_of(a, elements, links)
  local list, keys = {}, key_names(a)
  for i, element in ipairs(elements) do
    list[i] = {}
    for name, value in next, element.row or links[element.text] or {} do
      if not keys[name] and a.through.attributes[name] then list[i][name] = value end
    end
    if element.done then list[i] = false end
  end
  return list
end

--- What the call gave for new links, as setters and hooks left it: it is written also where somebody else was faster.
local function settle_values(a, elements, options)
  for _, element in ipairs(elements) do
    local given = element.row and given_values(a, element, options)
    for name in next, given or {} do given[name] = value_of(element.row, name) end
    element.values = given or element.values
  end
end

--- The targets as the core's method takes them, raw keys as the rows that were read. More instances of one row stand
-- behind: what is stored is stored in each.
local function handed(elements)
  local given = elements.given
  if core.state(given) or given == nil or given == core.null then return given end
  if given ~= elements.list then return elements[1].target end
  local targets, there, raw = {}, {}, false
  for i, element in ipairs(elements) do targets[i], there[element.target] = element.target, true end
  for _, target in ipairs(given) do
    local is_instance = core.state(target) ~= nil
    raw = raw or not is_instance
    if is_instance and not there[target] then targets[#targets + 1] = target end
  end
  return raw and targets or given
end

--- Calls the core's method with the values of the elements in place of those that the call was given: as setters and
-- hooks left them. They stand on the targets meanwhile.
-- @param targets what the method takes
local function link_by_core(plain, a, source, targets, elements, links, options)
  local given, linking = {}, copy(options)
  local _ <close> = setmetatable({}, { __close = function()
    for i, element in ipairs(elements) do rawset(element.target, a.through.name, given[i]) end
  end })
  for i, element in ipairs(elements) do
    given[i] = rawget(element.target, a.through.name)
    rawset(element.target, a.through.name, element.values)
  end
  linking.through = nil
  return plain(source, targets, linking, values_of(a, elements, links))
end

--- What a method returns that was not run by the core: instances and lists as they were handed over, else true.
-- @param list the same targets as a list
local function result_of(targets, list)
  if targets == nil or targets == core.null then return core.list(0) end
  return (core.state(targets) or targets == list) and targets or true
end

-- Links that are there -----------------------------------------------------------------------------------------------

--- What a call gives for links that are there, as setters leave it, checked; each element gets the values that are new.
-- @return list of {element =, row =}
local function changes_of(a, elements, rows, options)
  local by_text, changes, changed = {}, {}, {}
  for _, element in ipairs(elements) do by_text[element.text] = element end
  for _, row in ipairs(rows) do
    local element = by_text[keyset.text(row, a.otherKey)]
    virtual.set_all(a.through, row, element and given_values(a, element, options) or {})
    local names = element and core.changed(row)
    if names then
      element.values = {}
      for _, name in ipairs(names) do element.values[name] = value_of(row, name) end
      changes[#changes + 1], changed[#changed + 1] = { element = element, row = row }, row
    end
  end
  check_rows(a, changed, options)
  return changes
end

local function text_of_values(values)
  local names, texts = {}, {}
  for name in next, values do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do texts[i] = ("%s %s %q"):format(name, type(values[name]), tostring(values[name])) end
  return table.concat(texts, " ")
end

--- Changes by what they write: list of {values, elements, rows}.
local function grouped(changes)
  local groups = {}
  for _, change in ipairs(changes) do
    local values = change.element.values
    local text = text_of_values(values)
    if not groups[text] then
      groups[text] = { values = values, elements = {}, rows = {} }
      groups[#groups + 1] = groups[text]
    end
    table.insert(groups[text].elements, change.element)
    table.insert(groups[text].rows, change.row)
  end
  return groups
end

local function save_rows(rows, values, options)
  for _, row in ipairs(rows) do
    for name, value in next, values do rawset(row, name, value) end
    write.save(row, copy(options), { job = core.save })
  end
end

--- Writes changes between the hooks of the junction's update, where they run; else they are left to the core.
local function update_links(a, source, changes, options)
  local seen = write.runs_hooks(a.through, options, { "beforeBulkUpdate", "afterBulkUpdate" })
  if not seen and not options.individualHooks then return end
  for _, group in ipairs(grouped(changes)) do
    local updating = parts.of_save(options)
    updating.where, updating.attributes = links_where(a, source, group.elements), copy(group.values)
    write.bulk(a.through, "BulkUpdate", updating, nil, function(writing)
      local values, where = writing.attributes, writing.where
      writing.attributes, writing.where = nil, nil
      if class_methods.taken(writing) then return save_rows(group.rows, values, writing) end
      writing.where = where
      return core.class_methods.update(a.through, values, writing)
    end)
    for _, element in ipairs(group.elements) do element.values = nil end
  end
end

-- Each between hooks of its own --------------------------------------------------------------------------------------

--- The links that the association leads over: those to targets inside of its scope and filter.
local function inside(a, rows, options)
  if not a.read.scope and not a.read.where then return rows end
  local tuples, found, kept = {}, {}, {}
  for i, row in ipairs(rows) do tuples[i] = keyset.values(row, a.otherKey) end
  local where = { keyset.among(a.targetKey, tuples) }
  where[#where + 1] = a.read.scope
  where[#where + 1] = a.read.where
  for _, target in ipairs(core.class_methods.findAll(a.target, {
    where = where, attributes = a.targetKey, raw = true, paranoid = false, transaction = options.transaction,
  })) do
    found[keyset.text(target, a.targetKey)] = true
  end
  for _, row in ipairs(rows) do
    if found[keyset.text(row, a.otherKey)] then kept[#kept + 1] = row end
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

--- Links targets one by one, restoring links that are marked as deleted. What is linked then is left to the core, and
-- so is the scope that targets are given.
-- @param verb of the core's method that does: "addMultiple", or "set", which does not repeat links
local function insert_each(a, source, elements, links, options, verb)
  local rows, rest, inserting = {}, {}, parts.of_save(options)
  local restored = restore_each(a, source, elements, options)
  for _, element in ipairs(elements) do
    if not restored[element.text] then rows[#rows + 1] = element.row end
  end
  inserting.ignoreDuplicates = a.unique ~= false or nil
  class_methods.save_each(rows, inserting)
  for _, element in ipairs(elements) do
    element.done = core.state(element.row) == "stored"
    if not element.done then rest[#rest + 1] = element end
  end
  if #elements == 0 or #rest == 0 and not a.read.scope then return end
  settle_values(a, rest, options)
  link_by_core(core.plain_accessor(a.meta[1], verb), a, source, handed(elements), elements, links, options)
end

-- All at once, or each -----------------------------------------------------------------------------------------------

--- Links new rows between the hooks of the junction's bulkCreate, which see them as instances.
-- @param others function that destroys what is linked otherwise, one by one; nil: targets are added, also once more
-- where links may repeat
local function insert_links(plain, a, source, elements, links, options, others)
  local rows = {}
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
    else
      check_rows(a, rows, linking)
      settle_values(a, elements, linking)
      link_by_core(plain, a, source, handed(elements), elements, links, linking)
    end
    local seen = #rows > 0 and write.runs_hooks(a.through, linking, { "afterBulkCreate" })
    return seen and read_links(a, source, new_among(elements), linking) or rows
  end
  if #rows == 0 then insert(options) else write.bulk(a.through, "BulkCreate", options, rows, insert) end
  return result_of(elements.given, elements.list)
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
    if not kept[keyset.text(row, a.otherKey)] then others[#others + 1] = row end
  end
  return others
end

local verb_of = {}

function verb_of.add(plain, a, source, elements, options)
  local rows = read_links(a, source, elements, options)
  if a.unique ~= false then update_links(a, source, changes_of(a, elements, rows, options), options) end
  return insert_links(plain, a, source, elements, links_of(a, rows), options)
end

function verb_of.set(plain, a, source, elements, options)
  local rows = read_links(a, source, nil, options)
  local others = other_links(a, rows, elements)
  return delete_links(a, options, #others > 0, function(unlinking)
    update_links(a, source, changes_of(a, elements, rows, unlinking), unlinking)
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
