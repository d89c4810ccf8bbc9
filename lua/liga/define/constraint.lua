--- Foreign key constraints: those of `references` and those of associations, also when both speak of one key.
--
-- A constraint is known by the set of its attributes. What several declarations say about it is merged: what one leaves
-- open another may fill in, a contradiction is an error.
local attribute = require "liga.define.attribute"
local core = require "liga.core"
local dialect = require "liga.dialect"
local fail = require "liga.define.fail"
local journal = require "liga.define.journal"
local options = require "liga.options"
local registry = require "liga.define.registry"

local constraint = {}

local actions = { "RESTRICT", "CASCADE", "NO ACTION", "SET DEFAULT", "SET NULL" }
local is_action = {}
for _, action in ipairs(actions) do is_action[action] = true end

--- The action in capitals; an error of the place if it is none.
function constraint.action(place, option, value)
  if value == nil then return nil end
  local action = type(value) == "string" and value:upper():gsub("[%s_]+", " ") or value
  if is_action[action] then return action end
  place:fail("%s must be one of %s, got %s", option, table.concat(actions, ", "), fail.shown(value))
end

--- false and nil, "immediate" or "deferred"; an error of the place otherwise.
function constraint.deferrable(place, value)
  if value == nil or value == false or value == "immediate" or value == "deferred" then return value end
  place:fail('deferrable must be false, "immediate" or "deferred", got %s', fail.shown(value))
end

-- Constraints of a model ---------------------------------------------------------------------------------------------

local function set_name(names)
  local sorted = table.move(names, 1, #names, 1, {})
  table.sort(sorted)
  return table.concat(sorted, "\0")
end

--- The constraint over exactly these attributes, or nil.
function constraint.find(meta, names)
  return meta.constraints[set_name(names)]
end

--- How the referenced side reads in messages: `Users (id)`.
local function target_text(item)
  return ("%s (%s)"):format(item.target and item.target.tableName or item.table, table.concat(item.keys, ", "))
end

local function all_nullable(meta, names)
  for _, name in ipairs(names) do
    if not meta.attributes[name].allowNull then return false end
  end
  return true
end

--- The actions: what was given, else (for associations) SET NULL where the key may be NULL, CASCADE otherwise.
local function settle(meta, item)
  local given = item.given
  item.onDelete, item.onUpdate = given.onDelete, given.onUpdate
  if not item.associated then return end
  item.onDelete = item.onDelete or (all_nullable(meta, item.attributes) and "SET NULL" or "CASCADE")
  item.onUpdate = item.onUpdate or "CASCADE"
end

local function send(meta, item)
  if item.enabled == false then
    if item.sent then core.foreign_key(meta[1], { attributes = item.attributes }) end
    item.sent = false
    return
  end
  local target = item.target and getmetatable(item.target)
  core.foreign_key(meta[1], {
    attributes = item.attributes, model = target and target[1], keys = target and item.keys or nil,
    table = not target and item.table or nil, schema = not target and item.schema or nil,
    columns = not target and item.keys or nil,
    onDelete = item.onDelete, onUpdate = item.onUpdate, deferrable = item.given.deferrable or nil,
  })
  item.sent = true
end

local function referenced_column(item, i)
  local key = item.keys[i]
  return item.target and getmetatable(item.target).attributes[key].columnName or key
end

--- Shows the constraint in `User.attributes`; one over a single attribute goes before those of several.
local function show(meta, item)
  local shown = item.enabled ~= false
  for i, name in ipairs(item.attributes) do
    local record = meta.attributes[name]
    if record.constraint == nil or record.constraint == item or #item.attributes == 1 then
      record.constraint = shown and item or nil
      record.references = shown and {
        table = item.target and item.target.tableName or item.table, key = referenced_column(item, i),
        model = item.target and item.target.name or nil,
      } or nil
      record.onDelete, record.onUpdate = shown and item.onDelete or nil, shown and item.onUpdate or nil
      attribute.show(record)
    end
  end
end

--- Works a constraint out anew and writes it to the core and to `User.attributes`.
function constraint.update(meta, item)
  settle(meta, item)
  send(meta, item)
  show(meta, item)
end

local function add(meta, item)
  local name = set_name(item.attributes)
  meta.constraints[name] = item
  meta.constraints[#meta.constraints + 1] = item
  journal.note(function()
    meta.constraints[name] = nil
    meta.constraints[#meta.constraints] = nil
    item.enabled = false
    constraint.update(meta, item)
  end)
  constraint.update(meta, item)
end

-- Merging ------------------------------------------------------------------------------------------------------------

--- Whether a constraint that knows only a name means this model.
local function may_be(item, target)
  return item.target == target or not item.target and (item.table == target.tableName or item.model == target.name)
end

local function check_target(meta, item, wanted)
  local same = may_be(item, wanted.target)
  for i, name in ipairs(item.attributes) do
    same = same and (item.guessed or item.keys[i] == wanted.key_of[name])
  end
  if same then return end
  local name = table.concat(item.attributes, ", ")
  fail.association(meta.name, name, "it references %s already, %s would make it reference %s; give one of them another "
    .. "foreignKey or constraints = false", target_text(item), wanted.by, target_text(wanted))
end

--- Adds what is given to what an earlier declaration gave.
local function merge_given(meta, item, wanted)
  for option, value in pairs(wanted.given) do
    local before = item.given[option]
    if before == nil then
      item.given[option], item.by[option] = value, wanted.by
    elseif before ~= value and item.by[option] then
      fail.association(meta.name, table.concat(item.attributes, ", "), "%s says %s = %s, %s says %s", item.by[option],
        option, fail.shown(before), wanted.by, fail.shown(value))
    end
  end
end

local changing = { "target", "table", "model", "keys", "attributes", "enabled", "associated", "guessed", "label" }

--- Remembers a constraint as it is, for the journal.
local function note(meta, item)
  local before = { given = {}, by = {} }
  for option, value in pairs(item.given) do before.given[option], before.by[option] = value, item.by[option] end
  for _, field in ipairs(changing) do before[field] = item[field] end
  journal.note(function()
    for _, field in ipairs(changing) do item[field] = before[field] end
    item.given, item.by = before.given, before.by
    constraint.update(meta, item)
  end)
end

local function check_enabled(meta, item, wanted)
  if item.enabled == nil or wanted.enabled == nil or item.enabled == wanted.enabled then return end
  fail.association(meta.name, table.concat(item.attributes, ", "), "%s and %s differ in constraints", item.label,
    wanted.by)
end

--- Gives an association's word to a constraint that exists: one that is switched off (a key that several models share)
-- gives way to another model's.
local function merge(meta, item, wanted)
  local same = may_be(item, wanted.target)
  if wanted.enabled == false and (item.own or not same) then return end
  if item.enabled ~= false and wanted.enabled ~= false then check_target(meta, item, wanted) end
  if same then check_enabled(meta, item, wanted) end
  note(meta, item)
  if not same then item.given, item.by, item.enabled = {}, {}, nil end
  merge_given(meta, item, wanted)
  if wanted.enabled ~= nil then item.enabled = wanted.enabled end
  item.attributes, item.keys, item.target = wanted.attributes, wanted.keys, wanted.target
  item.associated, item.guessed, item.label = true, nil, wanted.by
  constraint.update(meta, item)
end

local function enabled_of(wanted)
  if wanted.silent then return false end
  return wanted.enabled
end

--- Declares the foreign key of an association.
-- @param wanted {attributes, target, keys, given = {onDelete, onUpdate, deferrable},
-- enabled = true|false|nil, silent = nobody asks for it: there is none unless somebody does, by = label}
function constraint.want(meta, wanted)
  wanted.key_of = {}
  for i, name in ipairs(wanted.attributes) do wanted.key_of[name] = wanted.keys[i] end
  local item = constraint.find(meta, wanted.attributes)
  if item and wanted.silent then return end
  if item and item.silent then item.enabled, item.silent = nil, nil end
  if item then return merge(meta, item, wanted) end
  local by = {}
  for option in pairs(wanted.given) do by[option] = wanted.by end
  add(meta, {
    attributes = wanted.attributes, target = wanted.target, keys = wanted.keys, given = wanted.given, by = by,
    enabled = enabled_of(wanted), silent = wanted.silent, associated = true, label = wanted.by,
  })
end

--- Takes the constraint over these attributes away.
function constraint.drop(meta, names)
  local item = constraint.find(meta, names)
  if not item or item.own then return end
  item.enabled = false
  constraint.update(meta, item)
  meta.constraints[set_name(names)] = nil
  for i, other in ipairs(meta.constraints) do
    if other == item then table.remove(meta.constraints, i) break end
  end
end

--- Works out the constraints of an attribute anew: its being nullable decides the default action.
function constraint.refresh(meta, name)
  for _, item in ipairs(meta.constraints) do
    for _, other in ipairs(item.attributes) do
      if other == name then constraint.update(meta, item) break end
    end
  end
end

-- The attribute option `references` ----------------------------------------------------------------------------------

local function check_table(place, given, db)
  options.check(place.text .. ": references", given, { model = true, table = true, key = true, schema = true })
  if (given.model == nil) == (given.table == nil) then place:fail("references needs either model or table") end
  if given.schema == nil then return end
  if not dialect.of(db).schemas then place:fail("references: schema is for PostgreSQL: SQLite has none") end
  if given.model ~= nil then place:fail("references: schema goes with table, a model knows its own") end
  if type(given.schema) ~= "string" then
    place:fail("references: schema must be a name, got %s", fail.shown(given.schema))
  end
end

local function check_key(place, given)
  if given.key ~= nil and type(given.key) ~= "string" then
    place:fail("references: key must be the name of an attribute, got %s", fail.shown(given.key))
  end
end

--- Reads the forms of `references`.
-- @return {target = model} or {model = name} or {table = name, schema} or {either = name}; and the key, or nil
local function read_form(place, given, db)
  if registry.is_model(given) then return { target = given } end
  if type(given) == "string" and given ~= "" then return { either = given } end
  if type(given) ~= "table" or getmetatable(given) then
    place:fail("references must be a model, a name or a table {model = ... or table = ..., key = ...}, got %s",
      fail.shown(given))
  end
  check_table(place, given, db)
  check_key(place, given)
  local option = given.model ~= nil and "model" or "table"
  local named = given[option]
  if option == "model" and registry.is_model(named) then return { target = named }, given.key end
  if type(named) ~= "string" then place:fail("references: %s must be a name, got %s", option, fail.shown(named)) end
  return { [option] = named, schema = given.schema }, given.key
end

--- The model of a table: of the schema that is named, else rather of the one that refers to it.
local function look_up_table(meta, form)
  local wanted, found = form.schema or meta.options.schema, nil
  for _, other in ipairs(registry.of(meta.db).classes) do
    if other.tableName == (form.table or form.either) then
      if getmetatable(other).options.schema == wanted then return other end
      found = found or other
    end
  end
  return not form.schema and found or nil
end

--- The model that a form means, among those that are defined.
local function look_up(meta, form)
  if form.target then return form.target end
  local name = form.model or form.either
  local class = name and registry.find(meta.db, name)
  if class or form.model then return class end
  return look_up_table(meta, form)
end

--- The attribute that is referenced: by its name, or by its column's.
local function referenced_key(meta, name, target, key)
  local target_meta = getmetatable(target)
  if key == nil then
    if #target.primaryKey == 1 then return target.primaryKey[1] end
    fail.usage(meta.name, name, "references %s, whose primary key has %d attributes: name one as key",
      target.name, #target.primaryKey)
  end
  if target_meta.attributes[key] then return key end
  local record = attribute.with_column(target_meta, key)
  if record then return record.name end
  fail.usage(meta.name, name, "references the unknown attribute %q of %s%s", key, target.name,
    fail.hint(key, attribute.names(target_meta)))
end

--- Points a constraint at its model, if that is defined by now.
local function resolve(meta, item)
  local target = look_up(meta, item.form)
  if not target then return false end
  item.keys = { referenced_key(meta, item.attributes[1], target, item.form.key) }
  local record = meta.attributes[item.attributes[1]]
  local referenced = getmetatable(target).attributes[item.keys[1]]
  if attribute.follow(meta, record, referenced) then attribute.update(meta, record) end
  item.target, item.table, item.model, item.guessed = target, nil, nil, nil
  return true
end

--- Checks the options of `references` and those beside it before the model is made.
-- @return what `constraint.reference` takes, or nil
function constraint.read_reference(meta, name, given)
  local place = fail.place("UsageError", meta.name .. "." .. name, meta.name, name)
  given.onDelete = constraint.action(place, "onDelete", given.onDelete)
  given.onUpdate = constraint.action(place, "onUpdate", given.onUpdate)
  constraint.deferrable(place, given.deferrable)
  if given.references == nil then
    if given.referencesKey ~= nil then place:fail("referencesKey needs references beside it") end
    return nil
  end
  local form, key = read_form(place, given.references, meta.db)
  if key ~= nil and given.referencesKey ~= nil and key ~= given.referencesKey then
    place:fail("references and referencesKey name different keys")
  end
  form.key = key or given.referencesKey
  if form.target and getmetatable(form.target).db ~= meta.db then
    place:fail("references %s, a model of another connection", form.target.name)
  end
  return {
    name = name, form = form,
    given = { onDelete = given.onDelete, onUpdate = given.onUpdate, deferrable = given.deferrable },
  }
end

--- Declares the constraint of an attribute's `references`; one whose model is not defined yet waits for it.
function constraint.reference(meta, reference)
  local form = reference.form
  local item = {
    attributes = { reference.name }, form = form, given = reference.given, by = {}, own = true,
    guessed = form.key == nil,
    table = form.table or form.either or form.model, schema = form.schema, model = form.model or form.either,
    keys = { form.key or "id" },
    label = meta.name .. "." .. reference.name, associated = false,
  }
  if resolve(meta, item) then return add(meta, item) end
  local waiting = registry.of(meta.db).references
  waiting[#waiting + 1] = { meta = meta, item = item }
  item.enabled = false                                          -- nothing is known of the table yet
  add(meta, item)
  item.enabled = nil
  show(meta, item)
end

--- A model was defined: points the references that waited for it.
function constraint.defined(db)
  local waiting, still = registry.of(db).references, {}
  for _, entry in ipairs(waiting) do
    if entry.item.target or resolve(entry.meta, entry.item) then
      constraint.update(entry.meta, entry.item)
    else
      still[#still + 1] = entry
    end
  end
  registry.of(db).references = still
end

--- Everything (of one model, if `only` is given) is defined now: a name that is no model's is that of a foreign table.
function constraint.finish(db, only)
  for _, entry in ipairs(registry.of(db).references) do
    local meta, item = entry.meta, entry.item
    local meant = only == nil or meta.class == only
    if meant and item.form.model then
      fail.association(meta.name, item.attributes[1], "references the model %q, which is not defined%s",
        item.form.model, fail.hint(item.form.model, registry.names(db), "the models are"))
    end
    if meant and not item.sent then constraint.update(meta, item) end
  end
end

return constraint
