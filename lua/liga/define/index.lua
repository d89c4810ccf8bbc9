--- Indexes: of the options `unique`, `index` and `indexes`, and those that associations need.
--
-- An index may name an attribute that an association will add later: it waits until the attribute is there.
local attribute = require "liga.define.attribute"
local core = require "liga.core"
local dialect = require "liga.dialect"
local fail = require "liga.define.fail"
local naming = require "liga.naming"
local options = require "liga.options"
local registry = require "liga.define.registry"

local index = {}

local allowed = { fields = true, unique = true, name = true, where = true, using = true }
local allowed_field = { attribute = true, name = true, order = true }
local directions = { ASC = "ASC", DESC = "DESC" }

-- Reading ------------------------------------------------------------------------------------------------------------

local function bad(meta, at, message, ...)
  fail.usage(meta.name, nil, "%s: " .. message, at, ...)
end

--- A field as a name or `{"name", order = "DESC"}`.
local function read_field(meta, at, given)
  if type(given) == "string" or core.is_expression(given) then return { attribute = given } end
  if type(given) ~= "table" or getmetatable(given) then
    bad(meta, at, 'a field must be a name or {"name", order = "DESC"}, got %s', fail.shown(given))
  end
  local named = { attribute = given.attribute or given.name or given[1], order = given.order }
  local rest = {}
  for key, value in next, given do
    if key ~= 1 then rest[key] = value end
  end
  options.check(("%s: %s"):format(meta.name, at), rest, allowed_field)
  if type(named.attribute) ~= "string" and not core.is_expression(named.attribute) then
    bad(meta, at, "a field has no name")
  end
  if named.order == nil then return named end
  local order = type(named.order) == "string" and directions[named.order:upper()]
  if not order then bad(meta, at, 'order must be "ASC" or "DESC", got %s', fail.shown(named.order)) end
  named.order = order == "DESC" and order or nil
  return named
end

local function read_fields(meta, at, given, named)
  if type(given) ~= "table" or #given == 0 then bad(meta, at, 'fields must be a list such as {"name"}') end
  local fields = {}
  for i = 1, #given do fields[i] = read_field(meta, at, given[i]) end
  for i = 1, named and 0 or #fields do
    if core.is_expression(fields[i].attribute) then bad(meta, at, "an index over an expression needs a name") end
  end
  return fields
end

local function check_value(meta, at, option, value, kind)
  if value ~= nil and type(value) ~= kind then
    bad(meta, at, "%s must be a %s, got %s", option, kind, fail.shown(value))
  end
end

--- Reads one entry of the model option `indexes`.
local function read(meta, at, given)
  if type(given) ~= "table" or getmetatable(given) then bad(meta, at, "must be a table {fields = {...}}") end
  options.check(("%s: %s"):format(meta.name, at), given, allowed)
  check_value(meta, at, "unique", given.unique, "boolean")
  check_value(meta, at, "name", given.name, "string")
  check_value(meta, at, "using", given.using, "string")
  if given.using and not given.using:find "^[%a_][%w_]*$" then
    bad(meta, at, "using must be the name of an index method, got %s", fail.shown(given.using))
  end
  return {
    fields = read_fields(meta, at, given.fields, given.name), unique = given.unique or false, name = given.name,
    where = given.where, using = given.using, at = at, snake = true,
  }
end

--- Reads the model option `indexes` into a list of wanted indexes.
function index.read_all(meta, given)
  if given == nil then return {} end
  if type(given) ~= "table" then bad(meta, "indexes", "must be a list, got %s", fail.shown(given)) end
  local list = {}
  for i = 1, #given do list[i] = read(meta, ("indexes[%d]"):format(i), given[i]) end
  for key in next, given do
    if math.type(key) ~= "integer" or key < 1 or key > #list then
      bad(meta, "indexes", "must be a list of tables, got the key %s", fail.shown(key))
    end
  end
  return list
end

-- Making -------------------------------------------------------------------------------------------------------------

--- Names of columns stand for their attributes.
local function find_attribute(meta, name)
  return meta.attributes[name] or attribute.with_column(meta, name)
end

local function missing_field(meta, wanted)
  for _, field in ipairs(wanted.fields) do
    local known = core.is_expression(field.attribute) or find_attribute(meta, field.attribute)
    if not known then return field.attribute end
  end
end

local function name_of(meta, wanted)
  if wanted.name then return wanted.name end
  local columns = {}
  for i, field in ipairs(wanted.fields) do columns[i] = meta.attributes[field.attribute].columnName end
  local make = wanted.snake and naming.snake_index or naming.index
  return make(meta.class.tableName, columns, wanted.unique)
end

--- Whether two indexes are the same but for their names.
local function same(a, b)
  if a.unique ~= b.unique or a.where ~= b.where or a.using ~= b.using or #a.fields ~= #b.fields then return false end
  for i, field in ipairs(a.fields) do
    if field.attribute ~= b.fields[i].attribute or field.order ~= b.fields[i].order then return false end
  end
  return true
end

--- An index of this name on another table, which would keep the new one from being made; nil: there is none.
local function taken(meta, name)
  local function same_name(other) return dialect.same_name(meta.db, other, name) end
  for _, class in ipairs(registry.of(meta.db).classes) do
    for other in pairs(getmetatable(class).indexes) do
      local same_table = class.tableName == meta.class.tableName
      if same_name(other) and not (same_table and other == name) then return class end
    end
  end
end

--- The attribute of a field, by the name of its column too.
local function resolve(meta, field)
  local record = find_attribute(meta, field.attribute)
  field.attribute = record.name
  if record.type.name ~= "JSON" then return end
  fail.usage(meta.name, record.name, "JSON can't be indexed, nor be unique: declare it JSONB")
end

local function make(meta, wanted)
  for _, field in ipairs(wanted.fields) do
    if type(field.attribute) == "string" then resolve(meta, field) end
  end
  local name = name_of(meta, wanted)
  naming.check_identifier(meta.db, meta.name .. ": the name of an index", name)
  local before, owner = meta.indexes[name], taken(meta, name)
  if owner then
    fail.usage(meta.name, nil, "%s has an index with the name %q: give one of them another name", owner.name, name)
  end
  if before and same(before, wanted) then return end
  if before and not (before.group and wanted.group) then
    fail.usage(meta.name, nil, "two different indexes have the name %q: give one of them another name", name)
  end
  meta.indexes[name] = wanted
  core.index(meta[1], {
    name = name, fields = wanted.fields, unique = wanted.unique, where = wanted.where, using = wanted.using,
  })
end

--- Makes an index, at once or when its attributes are there.
-- @param wanted {fields = {{attribute=, order=}...}, unique, name, where, using, at = place for messages}
function index.want(meta, wanted)
  if missing_field(meta, wanted) then
    meta.waiting_indexes[#meta.waiting_indexes + 1] = wanted
  else
    make(meta, wanted)
  end
end

--- A model gained an attribute: makes the indexes that waited for it.
function index.retry(meta)
  local waiting = meta.waiting_indexes
  if #waiting == 0 then return end
  meta.waiting_indexes = {}
  for _, wanted in ipairs(waiting) do index.want(meta, wanted) end
end

--- Everything is declared now: raises for an index over an attribute that is not there.
function index.finish(meta)
  local wanted = meta.waiting_indexes[1]
  if not wanted then return end
  local name = missing_field(meta, wanted)
  bad(meta, wanted.at, "unknown attribute %q%s", name, fail.hint(name, attribute.names(meta)))
end

-- The attribute options `unique` and `index` -------------------------------------------------------------------------

--- Adds an attribute to the index of this name, which several attributes share.
local function want_in_group(meta, record, name, unique)
  local before = meta.groups and meta.groups[name] or meta.indexes[name]
  if before and (not before.group or before.unique ~= unique) then
    fail.usage(meta.name, record.name, "another index has the name %q", name)
  end
  local fields = {}
  for i, field in ipairs(before and before.fields or {}) do
    if field.attribute == record.name then return end
    fields[i] = field
  end
  fields[#fields + 1] = { attribute = record.name }
  local wanted = { fields = fields, unique = unique, name = name, group = true, at = record.name }
  if not meta.groups then return index.want(meta, wanted) end
  if not before then meta.groups[#meta.groups + 1] = name end
  meta.groups[name] = wanted
end

--- Makes the indexes that several attributes of a new model share (`meta.groups`: collected until now).
local function make_groups(meta)
  local groups = meta.groups
  meta.groups = nil
  for _, name in ipairs(groups) do index.want(meta, groups[name]) end
end

local function only_key(meta, record)
  return record.primaryKey and #meta.class.primaryKey == 1
end

local function want_table(meta, record, given)
  if given.fields ~= nil then bad(meta, record.name .. ".index", "fields belongs to the model option indexes") end
  local full = { fields = { record.name } }
  for key, value in next, given do full[key] = value end
  index.want(meta, read(meta, record.name .. ".index", full))
end

--- Makes the indexes that the options of an attribute ask for.
function index.of_attribute(meta, record)
  local unique, plain = record.given.unique, record.given.index
  if type(unique) == "string" then
    want_in_group(meta, record, unique, true)
  elseif unique and not only_key(meta, record) then
    index.want(meta, { fields = { { attribute = record.name } }, unique = true, at = record.name })
  end
  if type(plain) == "string" then
    want_in_group(meta, record, plain, false)
  elseif type(plain) == "table" then
    want_table(meta, record, plain)
  elseif plain then
    index.want(meta, { fields = { { attribute = record.name } }, unique = false, at = record.name, snake = true })
  end
end

--- Makes the indexes of a new model: of its attributes, then those of the option `indexes`.
function index.of_model(meta, listed)
  meta.groups = {}
  for _, record in ipairs(meta.attributes) do index.of_attribute(meta, record) end
  make_groups(meta)
  for _, wanted in ipairs(listed) do index.want(meta, wanted) end
end

return index
