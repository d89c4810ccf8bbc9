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

--- The rows of raw keys among targets, by the text of their key: one read for all.
local function rows_of_keys(a, list, options)
  local keys, rows = {}, {}
  for _, target in ipairs(list) do
    if not core.state(target) then keys[#keys + 1] = target end
  end
  if #keys == 0 then return rows end
  local find = { where = a.target:keys(keys), transaction = options.transaction, logging = options.logging }
  for _, row in ipairs(core.class_methods.findAll(a.target, find)) do
    rows[core.key_text(a.target, row:where())] = row
  end
  return rows
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
  local rows, elements, seen = rows_of_keys(a, list, options), {}, {}
  for _, target in ipairs(list) do
    if not core.state(target) then target = rows[core.key_text(a.target, target)] end
    if not target or not is_complete(target, a.targetKey) then return nil end
    local text = text_of(target, a.targetKey)
    if not seen[text] then elements[#elements + 1] = { target = target, text = text } end
    seen[text] = true
  end
  return elements
end

--- The junction rows of the source, by the text of the key to the target.
local function links_of(a, source, elements, options)
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
  local links = {}
  for _, row in ipairs(core.class_methods.findAll(a.through, { where = where, raw = true,
    transaction = options.transaction })) do
    links[text_of(row, a.otherKey)] = row
  end
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

--- Links new rows between the hooks of the junction's bulkCreate.
-- @param repeats whether pairs that are linked get another row
local function insert_links(plain, a, source, elements, links, options, repeats)
  local rows = {}
  for _, element in ipairs(elements) do
    if not links[element.text] or repeats then
      element.row = junction_row(a, source, element, options)
      rows[#rows + 1] = element.row
    end
  end
  local function insert(linking)
    check_rows(a, rows, linking)
    return plain(source, elements.given, linking, values_of(a, elements, links))
  end
  if #rows == 0 then return insert(options) end
  return write.bulk(a.through, "BulkCreate", options, rows, insert)
end

--- Takes links away between the hooks of the junction's destroy, where there are any.
local function delete_links(a, options, some, job)
  if not some then return job(options) end
  return write.bulk(a.through, "BulkDestroy", options, nil, job)
end

local function is_any(links, elements)
  local kept = {}
  for _, element in ipairs(elements) do kept[element.text] = true end
  for text in pairs(links) do
    if not kept[text] then return true end
  end
  return false
end

local verb_of = {}

function verb_of.add(plain, a, source, elements, options)
  return insert_links(plain, a, source, elements, links_of(a, source, elements, options), options, a.unique == false)
end

function verb_of.set(plain, a, source, elements, options)
  local links = links_of(a, source, nil, options)
  return delete_links(a, options, is_any(links, elements), function(unlinking)
    return insert_links(plain, a, source, elements, links, unlinking)
  end)
end

function verb_of.remove(plain, a, source, elements, options)
  return delete_links(a, options, next(links_of(a, source, elements, options)) ~= nil, function(unlinking)
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
    local elements = elements_of(a, parts.list_of(a, verb, targets), options)
    if not elements then return plain(source, targets, options) end
    elements.given = targets
    return junction.verbs[verb](plain, a, source, elements, options)
  end)
end

return junction
