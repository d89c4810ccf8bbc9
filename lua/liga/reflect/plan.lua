--- From a catalogue to models and associations, as data: what `reflect` declares and `reflect.source` writes.
--
-- A plan: {models = list, associations = list}.
-- A model: name · item (its table) · class (where it is defined already) · attributes: list of {name, column, type,
--   allowNull, autoIncrement, default, primaryKey, references} that also stand under their columns (`by_column`) ·
--   primaryKey (list of names) · schema (where one was asked for) · indexes · timestamps · taken (names in use) · view
-- An association: kind · source, target (models) · as · foreignKey, targetKey | sourceKey (lists of attribute names) ·
--   rule {onDelete, onUpdate, deferrable, constraints} · inverse {as, type} · through (model), otherKey, links
--   (belongsToMany) · wanted, wanted_inverse (the names that were taken already)
local columns = require "liga.reflect.columns"
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local inflect = require "liga.inflect"
local introspect = require "liga.introspect"
local names = require "liga.reflect.names"
local naming = require "liga.naming"
local options = require "liga.options"
local registry = require "liga.define.registry"
local types = require "liga.types"

local plan = {}

-- Which tables -------------------------------------------------------------------------------------------------------

local function as_set(given, catalogue, what)
  local set = {}
  for _, name in ipairs(given) do
    if not catalogue[name] then
      local all = {}
      for i, item in ipairs(catalogue) do all[i] = item.name end
      errors.usage("reflect: %s: there is no table %q%s", what, errors.text(name), options.hint(name, all))
    end
    set[name] = true
  end
  return set
end

--- Whether a choice (true, false, list, function or nil) takes a table.
local function chooser(given, catalogue, what, otherwise)
  if given == nil then return function() return otherwise end end
  if type(given) == "boolean" then return function() return given end end
  if type(given) == "function" then return function(item) return given(item.name) end end
  if type(given) ~= "table" then errors.usage("reflect: %s must be a list of names or a function", what) end
  local set = as_set(given, catalogue, what)
  return function(item) return set[item.name] == true end
end

local function chosen(catalogue, given)
  local tables = chooser(given.tables, catalogue, "tables", true)
  local views = chooser(given.views, catalogue, "views", false)
  local list = {}
  for _, item in ipairs(catalogue) do
    local takes = item.kind == "view" and views or tables
    if takes(item) and #item.columns > 0 then list[#list + 1] = item end
  end
  return list
end

-- Models -------------------------------------------------------------------------------------------------------------

--- The name as the user's `naming` has it.
local function named(given, kind, default, info)
  if not given.naming then return default end
  local name = given.naming(kind, default, info)
  if name == nil then return default end
  if naming.problem(name) then errors.usage("reflect: naming(%q): the name %s", kind, naming.problem(name)) end
  return name
end

local function defined_for(db, item, given)
  for _, class in ipairs(registry.of(db).classes) do
    local same = dialect.same_name(db, class.tableName, item.name)
    local schema = getmetatable(class).options.schema
    if same and (schema == given.schema or schema == item.schema) then return class end
  end
end

--- A model that is there: its attributes by column, its names taken. VIRTUAL ones have no column.
local function of_class(class, item)
  local model = { name = class.name, item = item, class = class, attributes = {}, by_column = {}, taken = {} }
  for _, attribute in ipairs(class.attributes) do
    local entry = { name = attribute.name, column = attribute.columnName, type = attribute.type }
    model.taken[entry.name] = true
    if entry.column then
      model.attributes[#model.attributes + 1], model.by_column[entry.column:lower()] = entry, entry
    end
  end
  for _, association in ipairs(class.associations) do model.taken[association.as] = true end
  model.primaryKey = class.primaryKey
  return model
end

local function add_attribute(db, model, column, given)
  local entry = columns.read(db, model.item, column)
  local default = names.attribute(column.name)
  default = named(given, "attribute", default, { table = model.item.name, column = column.name })
  entry.name = names.free(model.taken, default, column.name)
  model.attributes[#model.attributes + 1], model.by_column[column.name:lower()] = entry, entry
end

local function attribute_names(model, list)
  local found = {}
  for i, column in ipairs(list) do
    local entry = model.by_column[column:lower()]
    if not entry then return nil end
    found[i] = entry.name
  end
  return found
end

local function mark_key(model)
  if not attribute_names(model, model.item.primaryKey) then return end
  for place, column in ipairs(model.item.primaryKey) do
    local entry = model.by_column[column:lower()]
    entry.primaryKey, entry.allowNull = place, false
    model.primaryKey[place] = entry.name
  end
end

--- createdAt and updatedAt, where the table has them as instants.
local function find_timestamps(model)
  local found = {}
  for _, entry in ipairs(model.attributes) do
    if (entry.name == "createdAt" or entry.name == "updatedAt") and entry.type.name == "DATE" then
      found[entry.name] = true
    end
  end
  return next(found) and found or nil
end

local function add_index(model, index)
  local fields = {}
  for i, column in ipairs(index.columns) do
    local entry = column.name and model.by_column[column.name:lower()]
    if not entry or entry.type.name == "JSON" then return end         -- over an expression; liga declares none of JSON
    fields[i] = { name = entry.name, order = column.order == "DESC" and "DESC" or nil }
  end
  model.indexes[#model.indexes + 1] = {
    name = not index.name:find "^sqlite_autoindex_" and index.name or nil, unique = index.unique, fields = fields,
    where = index.where, using = index.using, columns = introspect.index_columns(index),
  }
end

local function new_model(db, item, given, taken)
  local model = {
    item = item, attributes = {}, by_column = {}, taken = {}, primaryKey = {}, indexes = {}, view = item.kind == "view",
    schema = given.schema,
  }
  local default = named(given, "model", names.model(item.name), { table = item.name })
  model.name = names.free(taken, default, inflect.upper_first(inflect.camelize(item.name)))
  for _, column in ipairs(item.columns) do                            -- SQLite has columns that are called ""
    if column.name ~= "" then add_attribute(db, model, column, given) end
  end
  mark_key(model)
  model.timestamps = find_timestamps(model)
  for _, index in ipairs(item.indexes) do
    if index.origin ~= "primary" then add_index(model, index) end
  end
  return model
end

-- Keys ---------------------------------------------------------------------------------------------------------------

local function includes(list, part)
  local set = {}
  for _, name in ipairs(list) do set[name:lower()] = true end
  for _, name in ipairs(part) do
    if not set[name:lower()] then return false end
  end
  return true
end

--- Whether at most one row has a given value of these columns.
local function is_unique(item, list)
  for _, key in ipairs(introspect.unique_keys(item)) do
    if includes(list, key.columns) then return true end
  end
  return false
end

--- SQLite: a key whose parts are 64-bit generated keys elsewhere has their type, as it stores both alike.
-- @return whether the type has changed
local function follow_type(entry, referenced)
  local narrow = entry.type.name == "INTEGER" or entry.type.name == "SMALLINT"
  if not narrow or referenced.type.name ~= "BIGINT" then return false end
  entry.type = referenced.type
  return true
end

--- The same along chains of keys, in whatever order they are read.
local function follow_types(links)
  repeat
    local changed = false
    for _, link in ipairs(links) do
      for i, column in ipairs(link.holder.item.sql and link.key.columns or {}) do
        local entry = link.holder.by_column[column:lower()]
        changed = follow_type(entry, link.target.by_column[link.key.references[i]:lower()]) or changed
      end
    end
  until not changed
end

--- A primary key that is a foreign key is given, not generated.
local function free_key(model, list)
  local entry = model.by_column[list[1]:lower()]
  if #list == 1 and entry.primaryKey and not model.class then entry.autoIncrement = false end
end

--- Whether a key stays in the schema of its table.
local function is_here(model, key)
  return key.schema == nil or key.schema == model.item.schema
end

--- The model of the table that a key references: one of the plan, or in another schema one that is defined already.
local function find_target(model, key, models)
  if is_here(model, key) then return models.by_table[key.table] or models.by_table[key.table:lower()] end
  for _, class in ipairs(models.classes) do
    if class.tableName == key.table and (getmetatable(class).options.schema or "public") == key.schema then
      local item = { name = key.table, schema = key.schema }
      models.elsewhere[class] = models.elsewhere[class] or of_class(class, item)
      return models.elsewhere[class]
    end
  end
end

--- Whether an association can reference these columns: not what is a table in Lua.
local function are_plain(target, list)
  for _, column in ipairs(list) do
    if types.is_table(target.by_column[column:lower()].type) then return false end
  end
  return true
end

--- A foreign key between two models.
local function read_link(model, key, models)
  local target = find_target(model, key, models)
  local foreign = target and attribute_names(model, key.columns)
  local referenced = target and #key.references == #key.columns and attribute_names(target, key.references)
  if not foreign or not referenced or not are_plain(target, key.references) then return nil end
  local stem, stripped
  if #foreign == 1 then
    stem, stripped = names.stem(foreign[1], referenced[1])
  else
    stem, stripped = names.composite_stem(foreign, referenced, target.name)
  end
  free_key(model, key.columns)
  return {
    key = key, holder = model, target = target, foreignKey = foreign, targetKey = referenced, stem = stem,
    stripped = stripped, one = is_unique(model.item, key.columns),
  }
end

--- A key to a table that is no model of the plan: the column says so, unless it is in a schema that it can't name.
local function note_reference(model, key)
  local entry = is_here(model, key) and #key.columns == 1 and model.by_column[key.columns[1]:lower()]
  if not entry or not key.references[1] or model.class then return end
  entry.references = { table = key.table, key = key.references[1] }
  entry.onDelete, entry.onUpdate = key.onDelete, key.onUpdate
end

--- The first link of a model over the same columns, or nil.
local function find_same(links, link)
  for _, other in ipairs(links) do
    if introspect.same_names(other.foreignKey, link.foreignKey, true) then return other end
  end
end

--- The foreign keys of all models. One that stands there twice counts once; of several over the same columns, which
-- reference different tables, the first is the constraint of the models.
local function read_links(models)
  local links, read = {}, {}
  for _, model in ipairs(models) do
    local own = {}
    for _, key in ipairs(model.item.foreignKeys) do
      local link = read_link(model, key, models)
      local same = link and find_same(own, link)
      read[#read + 1] = link
      if not link then
        note_reference(model, key)
      elseif not same or same.target ~= link.target then
        link.shared = same ~= nil
        own[#own + 1], links[#links + 1] = link, link
      end
    end
  end
  follow_types(read)
  return links
end

-- Associations -------------------------------------------------------------------------------------------------------

--- An association of a class that is what is wanted.
local function existing(class, kinds, target, foreign)
  for _, association in ipairs(class and class.associations or {}) do
    local same = kinds[association.type] and association.target and association.target.name == target.name
    if same and introspect.same_names(association.foreignKey or {}, foreign, true) then return association end
  end
end

--- How many keys of one model reference the same other.
local function count_together(links)
  for _, link in ipairs(links) do
    link.together = 0
    for _, other in ipairs(links) do
      if other.holder == link.holder and other.target == link.target then link.together = link.together + 1 end
    end
  end
end

local function name_belongs_to(link, given)
  local full = link.stem .. link.target.name
  local default = link.stripped and not link.shared and link.stem or full
  default = named(given, "belongsTo", default, {
    table = link.holder.item.name, columns = link.key.columns, target = link.target.name, model = link.holder.name,
  })
  link.as, link.wanted = names.free(link.holder.taken, default, full)
end

local function name_inverse(link, given)
  local word = inflect.lower_first(link.holder.name)
  if not link.one then word = inflect.pluralize(word) end
  local full = word .. "By" .. inflect.upper_first(link.stem)
  local default = (link.together > 1 or link.holder == link.target) and full or word
  default = named(given, link.one and "hasOne" or "hasMany", default, {
    table = link.holder.item.name, columns = link.key.columns, target = link.holder.name, model = link.target.name,
  })
  link.inverse, link.wanted_inverse = names.free(link.target.taken, default, full)
end

local far_kinds, near_kinds = { hasOne = true, hasMany = true }, { belongsTo = true }

--- The two directions of a key, as far as they are not there.
local function add_link(associations, link, given)
  local near = existing(link.holder.class, near_kinds, link.target, link.foreignKey)
  local far = existing(link.target.class, far_kinds, link.holder, link.foreignKey)
  link.as, link.inverse = near and near.as, far and far.as
  if not near then name_belongs_to(link, given) end
  if not far then name_inverse(link, given) end
  local kind = link.one and "hasOne" or "hasMany"
  if not near then
    associations[#associations + 1] = {
      kind = "belongsTo", source = link.holder, target = link.target, as = link.as, foreignKey = link.foreignKey,
      targetKey = link.targetKey, rule = not link.shared and link.key or { constraints = false },
      inverse = not far and { as = link.inverse, type = kind } or nil, wanted = link.wanted,
      wanted_inverse = link.wanted_inverse,
    }
  elseif not far then
    associations[#associations + 1] = {
      kind = kind, source = link.target, target = link.holder, as = link.inverse, foreignKey = link.foreignKey,
      sourceKey = link.targetKey, inverse = { as = link.as },
    }
  end
end

-- Junctions ----------------------------------------------------------------------------------------------------------

local function joined(a, b)
  local list = table.move(a, 1, #a, 1, {})
  for _, name in ipairs(b) do
    if not includes(list, { name }) then list[#list + 1] = name end
  end
  return list
end

--- Two keys that together are the columns of a unique key, each of which it needs.
local function pair_over(links, key)
  for i, first in ipairs(links) do
    for n = i + 1, #links do
      local second = links[n]
      local both = joined(first.key.columns, second.key.columns)
      local whole = #both == #key.columns and includes(both, key.columns)
      if whole and #first.key.columns < #both and #second.key.columns < #both then return first, second end
    end
  end
end

local function find_pair(model, links)
  for _, key in ipairs(introspect.unique_keys(model.item)) do
    local first, second = pair_over(links, key)
    if first then return first, second, key end
  end
end

local function name_many(model, far, junction, stem, given)
  local plural = inflect.pluralize(inflect.lower_first(far.name))
  local through = plural .. "Through" .. junction.name
  local default = named(given, "belongsToMany", plural, {
    model = model.name, target = far.name, through = junction.name, table = junction.item.name,
  })
  return names.free(model.taken, default, through, through .. "By" .. inflect.upper_first(stem))
end

--- How the junction's own unique key is written for liga: the name of its index, where it has one.
local function unique_of(junction, key)
  if key.origin ~= "index" then return nil end
  for i, index in ipairs(junction.indexes or {}) do
    if index.name == key.name then table.remove(junction.indexes, i) end
  end
  return key.name
end

local function drop_index_over(junction, key)
  for i, index in ipairs(junction.indexes or {}) do
    if index.unique and index.columns and introspect.same_names(index.columns, key.columns) then
      table.remove(junction.indexes, i)
      return
    end
  end
end

local function add_junction(associations, junction, links, given)
  local first, second, key = find_pair(junction, links)
  if not first then return end
  for _, association in ipairs(first.target.class and first.target.class.associations or {}) do
    if association.type == "belongsToMany" and association.through.name == junction.name then return end
  end
  local unique = unique_of(junction, key)
  if key.origin == "unique" then drop_index_over(junction, key) end
  local plain = not first.one and not second.one
  associations[#associations + 1] = {
    kind = "belongsToMany", source = first.target, target = second.target,
    as = name_many(first.target, second.target, junction, second.stem, given), through = junction, unique = unique,
    foreignKey = first.foreignKey, otherKey = second.foreignKey, sourceKey = first.targetKey,
    targetKey = second.targetKey,
    inverse = { as = name_many(second.target, first.target, junction, first.stem, given) },
    links = {
      toSource = first.as, toTarget = second.as, fromSource = plain and first.inverse or nil,
      fromTarget = plain and second.inverse or nil,
    },
  }
end

local function links_of(links, model)
  local list = {}
  for _, link in ipairs(links) do
    if link.holder == model then list[#list + 1] = link end
  end
  return list
end

local function add_associations(models, given)
  local links, associations = read_links(models), {}
  local by_holder = {}
  for _, link in ipairs(links) do
    by_holder[link.holder] = by_holder[link.holder] or {}
    table.insert(by_holder[link.holder], link)
  end
  for _, model in ipairs(models) do count_together(by_holder[model] or {}) end
  for _, link in ipairs(links) do add_link(associations, link, given) end
  for _, model in ipairs(models) do
    if by_holder[model] then add_junction(associations, model, links_of(by_holder[model], model), given) end
  end
  return associations
end

-- The whole ----------------------------------------------------------------------------------------------------------

--- Reads a database and makes a plan of it.
-- @param db the connection
-- @param given {schema, tables, views, naming}
-- @param fresh true: as if nothing were defined
-- @param progress function(tables read, of how many), or nil
function plan.read(db, given, fresh, progress)
  local catalogue = introspect.schema(db, { schema = given.schema }, "reflect")
  local classes = fresh and {} or registry.of(db).classes
  local taken, models = {}, { by_table = {}, classes = classes, elsewhere = {} }
  for _, class in ipairs(classes) do taken[class.name] = true end
  local items = chosen(catalogue, given)
  for i, item in ipairs(items) do
    if progress then progress(i, #items) end
    local class = not fresh and defined_for(db, item, given)
    local model = class and of_class(class, item) or new_model(db, item, given, taken)
    models[#models + 1], models.by_table[item.name], models.by_table[item.name:lower()] = model, model, model
  end
  return { models = models, associations = add_associations(models, given) }
end

return plan
