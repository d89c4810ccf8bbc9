--- Defining models: `db:define(name, attributes, options)`.
--
-- A class is a table with the public fields of a model; its metatable holds the rest:
--   [1] the core's model · db · class · name · words {singular, plural} · options
--   attributes, shown_attributes (records and their read-only views, by place and by name) · key (name → place)
--   defaults (name → function) · constraints · indexes · associations, shown_associations · generated (method → record)
local attribute = require "liga.define.attribute"
local compat = require "liga.compat"
local constraint = require "liga.define.constraint"
local core = require "liga.core"
local behaviour = require "liga.behaviour"
local describe = require "liga.define.describe"
local dialect = require "liga.dialect"
local fail = require "liga.define.fail"
local hooks = require "liga.hooks"
local index = require "liga.define.index"
local inflect = require "liga.inflect"
local journal = require "liga.define.journal"
local naming = require "liga.naming"
local options = require "liga.options"
local readonly = require "liga.readonly"
local registry = require "liga.define.registry"
local lazy = require "liga.lazy"
local scope = require "liga.scope"
local types = require "liga.types"
local validate = require "liga.validate"
local virtual = require "liga.virtual"

local define = {}

local allowed = {}
for name in ([[deletedAt paranoid version tableName freezeTableName underscored timestamps createdAt updatedAt
    indexes methods primaryKey name comment schema hooks validate defaultScope scopes lazy]]):gmatch "%a+" do
  allowed[name] = true
end

-- Sequelize's, with what they are here.
for option, here in pairs {
  modelName = "is the first argument of define", noPrimaryKey = "is written primaryKey = false",
  uniqueKeys = "is written indexes = {{fields = {...}, unique = true}}",
  instanceMethods = "is written methods",
  classMethods = "is not liga's way: write function User:byName(x) ... end",
  getterMethods = "is not liga's way: an attribute has get, a VIRTUAL one too",
  setterMethods = "is not liga's way: an attribute has set, a VIRTUAL one too",
  omitNull = "is not liga's way: a save writes what was changed",
  schemaDelimiter = "is not needed: PostgreSQL has schemas", hasTrigger = "is not needed on these engines",
  engine = "belongs to MySQL", charset = "belongs to MySQL", collate = "belongs to MySQL",
  rowFormat = "belongs to MySQL",
} do
  allowed[option] = here
end

-- Options ------------------------------------------------------------------------------------------------------------

local option_kinds = {
  tableName = "string", freezeTableName = "boolean", underscored = "boolean", timestamps = "boolean", indexes = "table",
  methods = "table", name = "table", comment = "string", paranoid = "boolean", schema = "string",
}

--- Checks model options; also those that a connection gives to all its models.
-- @param what where they stand, for messages
function define.check_options(what, given)
  if type(given) ~= "table" or getmetatable(given) then
    fail.usage(nil, nil, "%s: options must be a table, got %s", what, fail.shown(given))
  end
  options.check(what, given, allowed)
  lazy.check(what, given.lazy)
  for option, kind in pairs(option_kinds) do
    if given[option] ~= nil and type(given[option]) ~= kind then
      fail.usage(nil, nil, "%s: %s must be a %s, got %s", what, option, kind, fail.shown(given[option]))
    end
  end
  if given.hooks ~= nil then hooks.check({ what = what }, given.hooks) end
  if given.validate ~= nil then validate.check_model(what, given.validate) end
  scope.check(what, given)
end

local function check_schema(db, name, schema)
  if schema == nil then return end
  if not dialect.of(db).schemas then fail.usage(name, nil, "schema is for PostgreSQL: SQLite has none") end
  naming.check_identifier(db, name .. ": schema", schema)
end

--- The options of a model over those of the connection.
local function merge_options(db, name, given)
  local merged = {}
  for option, value in pairs(db._.define or {}) do merged[option] = value end
  if given ~= nil then define.check_options(name, given) end
  for option, value in next, given or {} do merged[option] = value end
  check_schema(db, name, merged.schema)
  return merged
end

local function read_words(meta)
  local given = meta.options.name or {}
  options.check(meta.name .. ": name", given, { singular = true, plural = true })
  local plural = given.plural or compat.words(meta.db).pluralize(meta.name)
  local words = { singular = given.singular or meta.name, plural = plural }
  for form, word in pairs(words) do
    local problem = naming.problem(word)
    if problem then fail.usage(meta.name, nil, "name.%s %s", form, problem) end
  end
  return words
end

local function read_table_name(meta)
  local given = meta.options
  local name = given.tableName
  if not name then
    name = given.freezeTableName and meta.name or meta.words.plural
    if given.underscored then name = inflect.underscore(name) end
  end
  naming.check_identifier(meta.db, meta.name .. ": tableName", name)
  return name
end

-- Attributes ---------------------------------------------------------------------------------------------------------

--- An entry of the list form, `{"username", STRING(40), allowNull = false}`, as name and options.
local function read_entry(meta, place, entry)
  local name = type(entry) == "table" and not getmetatable(entry) and entry[1]
  if not name then
    fail.usage(meta.name, nil, 'entry %d of the attributes must be {"name", type, ...}', place)
  end
  local rest, count = {}, 0
  for key, value in next, entry do
    if key ~= 1 and key ~= 2 then rest[key], count = value, count + 1 end
  end
  if not types.is(entry[2]) and entry[2] ~= nil and count == 0 then return name, entry[2] end
  if entry[2] ~= nil then
    if rest.type ~= nil or not types.is(entry[2]) then
      fail.usage(meta.name, name, "entry %d of the attributes has a type and options in two places", place)
    end
    rest.type = entry[2]
  end
  return name, rest
end

local function read_list(meta, attributes)
  local list, seen = {}, {}
  for place = 1, #attributes do
    local name, spec = read_entry(meta, place, attributes[place])
    attribute.check_name(meta.name, name)
    if seen[name] then fail.usage(meta.name, name, "stands twice in the list of attributes") end
    seen[name] = true
    list[place] = { name = name, spec = spec }
  end
  for key in next, attributes do
    if math.type(key) ~= "integer" or key < 1 or key > #list then
      fail.usage(meta.name, nil, "attributes must be a list or a map, not both (key %s)", fail.shown(key))
    end
  end
  return list
end

--- Whether two attributes of a map share a type descriptor, so that the source's order is lost.
local function is_shared(list)
  local seen = {}
  for _, entry in ipairs(list) do
    local serial = entry.serial
    if serial and seen[serial] then return true end
    if serial then seen[serial] = true end
  end
  return false
end

local function by_name(a, b)
  if a.key ~= b.key then return a.key end
  return a.name < b.name
end

local function by_serial(a, b)
  if a.serial == b.serial then return by_name(a, b) end
  return (a.serial or math.huge) < (b.serial or math.huge)
end

local function read_map(meta, attributes)
  local list = {}
  for name, spec in next, attributes do
    attribute.check_name(meta.name, name)
    local kind = types.is(spec) and spec or type(spec) == "table" and not getmetatable(spec) and spec.type
    list[#list + 1] = {
      name = name, spec = spec, serial = types.is(kind) and kind.serial or nil,
      key = type(spec) == "table" and not types.is(spec) and not getmetatable(spec) and spec.primaryKey == true,
    }
  end
  table.sort(list, is_shared(list) and by_name or by_serial)
  return list
end

local function check_method_name(meta, name)
  for _, method in ipairs(require "liga.instance".names) do
    if method == name then
      fail.usage(meta.name, name, "an instance method has this name; choose another and give columnName = %q",
        name)
    end
  end
end

--- Parts the attributes from the associations that stand among them.
-- @return records, markers ({name, marker}), references
local function read_attributes(meta, attributes)
  if type(attributes) ~= "table" or getmetatable(attributes) then
    fail.usage(meta.name, nil, "the attributes must be a table, got %s", fail.shown(attributes))
  end
  local association = require "liga.association"
  local records, markers, references = {}, {}, {}
  for _, entry in ipairs((attributes[1] ~= nil and read_list or read_map)(meta, attributes)) do
    if association.is_marker(entry.spec) then
      markers[#markers + 1] = association.read_marker(meta, entry.name, entry.spec)
    else
      check_method_name(meta, entry.name)
      local given = attribute.read(meta.name, entry.name, entry.spec)
      references[#references + 1] = constraint.read_reference(meta, entry.name, given)
      records[#records + 1] = { name = entry.name, given = given }
    end
  end
  return records, markers, references
end

-- Keys and timestamps ------------------------------------------------------------------------------------------------

local function find_named(list, name)
  for _, item in ipairs(list) do
    if item.name == name then return item end
  end
end

local function names_of(list)
  local names = {}
  for i, item in ipairs(list) do names[i] = item.name end
  return names
end

local function declared_key(list)
  local names = {}
  for _, item in ipairs(list) do
    if item.given.primaryKey then names[#names + 1] = item.name end
  end
  return names
end

--- The key as the option `primaryKey` lists it.
local function listed_key(meta, list, given)
  local names = type(given) == "string" and { given } or given
  if type(names) ~= "table" or #names == 0 then
    fail.usage(meta.name, nil, "primaryKey must be false, a name or a list of names, got %s", fail.shown(given))
  end
  local places = {}
  for place, name in next, names do
    if math.type(place) ~= "integer" or place < 1 or place > #names then
      fail.usage(meta.name, nil, "primaryKey must be a list of names, got the key %s", fail.shown(place))
    elseif not find_named(list, name) then
      fail.usage(meta.name, nil, "primaryKey names the unknown attribute %s%s", fail.shown(name),
        fail.hint(name, names_of(list)))
    elseif places[name] then
      fail.usage(meta.name, name, "stands twice in primaryKey")
    end
    places[name] = place
  end
  for place = 1, #names do
    if names[place] == nil then fail.usage(meta.name, nil, "primaryKey must be a list of names, without holes") end
  end
  for _, name in ipairs(declared_key(list)) do
    if not places[name] then
      fail.usage(meta.name, name, "is declared as primary key, but the model's option primaryKey leaves it out")
    end
  end
  return table.move(names, 1, #names, 1, {})
end

--- The primary key: as declared, or an `id` of liga's own.
local function read_key(meta, list)
  local given, declared = meta.options.primaryKey, declared_key(list)
  if given == false then
    if #declared > 0 then
      fail.usage(meta.name, declared[1], "it is declared as primary key, but the model has primaryKey = false")
    end
    return {}
  end
  if given ~= nil and given ~= true then return listed_key(meta, list, given) end
  if #declared > 0 then return declared end
  if find_named(list, "id") then
    fail.usage(meta.name, "id", "is not the primary key, and the model has no other: give it primaryKey = true, or the "
      .. "model primaryKey = false")
  end
  meta.automatic_key = "id"
  table.insert(list, 1, { name = "id", given = { type = types.BIGINT, autoIncrement = true } })
  return { "id" }
end

local function check_generated(meta, list, key)
  local found
  for _, item in ipairs(list) do
    if meta.automatic_key and found and item.given.autoIncrement then
      fail.usage(meta.name, item.name, "autoIncrement belongs to the primary key: give it primaryKey = true")
    end
    if item.given.autoIncrement and found then
      fail.usage(meta.name, item.name, "autoIncrement belongs to one attribute, and %q has it", found)
    end
    found = item.given.autoIncrement and item.name or found
  end
  if found and meta.db.dialect == "sqlite" and not (#key == 1 and key[1] == found) then
    fail.usage(meta.name, found, "SQLite generates only the value of a key of one attribute: declare it primaryKey, "
      .. "and no other")
  end
end

local function timestamp_name(meta, option)
  local given = meta.options[option]
  if given == false then return nil end
  if given == nil or given == true then return option end
  if type(given) ~= "string" or given == "" then
    fail.usage(meta.name, nil, "%s must be a boolean or the name of an attribute, got %s", option,
      fail.shown(given))
  end
  attribute.check_name(meta.name, given)
  check_method_name(meta, given)
  return given
end

--- Adds a timestamp unless the model declares it itself.
local function add_timestamp(meta, list, option, nullable)
  local name = timestamp_name(meta, option)
  if not name then return nil end
  local own = find_named(list, name)
  if not own then
    list[#list + 1] = { name = name, given = { type = types.DATE, allowNull = nullable or false } }
  elseif own.given.type.name ~= "DATE" then
    fail.usage(meta.name, name, "a timestamp needs the type DATE, not %s (or give the model %s = false)",
      tostring(own.given.type), option)
  end
  return name
end

local function add_timestamps(meta, list)
  if meta.options.timestamps == false then return end
  meta.createdAt = add_timestamp(meta, list, "createdAt")
  meta.updatedAt = add_timestamp(meta, list, "updatedAt")
  if meta.createdAt and meta.createdAt == meta.updatedAt then
    fail.usage(meta.name, meta.createdAt, "createdAt and updatedAt are both %q", meta.createdAt)
  end
end

--- Rows are marked as deleted by the time of it.
local function add_deletion(meta, list)
  if not meta.options.paranoid then return end
  if meta.options.deletedAt == false then fail.usage(meta.name, nil, "a paranoid model needs its deletedAt") end
  meta.deletedAt = add_timestamp(meta, list, "deletedAt", true)
end

--- The changes of a row are counted, from 0.
local function add_version(meta, list)
  local name = meta.options.version
  if name == nil or name == false then return end
  if name == true then name = "version" end
  if type(name) ~= "string" or name == "" then
    fail.usage(meta.name, nil, "version must be a boolean or the name of an attribute, got %s", fail.shown(name))
  end
  attribute.check_name(meta.name, name)
  check_method_name(meta, name)
  local own = find_named(list, name)
  if own and not attribute.is_integer(own.given) then
    fail.usage(meta.name, name, "a version needs an integer type, not %s", tostring(own.given.type))
  elseif own then
    own.given.allowNull, own.given.defaultValue = false, own.given.defaultValue or 0
  else
    list[#list + 1] = { name = name, given = { type = types.INTEGER, allowNull = false, defaultValue = 0 } }
  end
  meta.version = name
end

--- Raises if two attributes share a column, before anything is made.
local function check_columns(meta, records)
  for i, record in ipairs(records) do
    naming.check_identifier(meta.db, ("the column of %s.%s"):format(meta.name, record.name), record.columnName)
    for j = 1, i - 1 do
      local a, b = records[j].columnName, record.columnName
      if dialect.same_name(meta.db, a, b) then
        fail.usage(meta.name, record.name, "the attribute %q has the same column, %q%s", records[j].name, a,
          a ~= b and " (capitals don't count)" or "")
      end
    end
  end
end

--- VIRTUAL attributes have no column: the core does not know them.
-- @return the records with a column, those without
local function without_virtuals(records)
  local columns, virtuals = {}, {}
  for _, record in ipairs(records) do
    local list = record.virtual and virtuals or columns
    list[#list + 1] = record
  end
  return columns, virtuals
end

--- Types that the engine does not have are refused before anything is made.
local function check_types(meta, records)
  for _, record in ipairs(records) do
    if not core.has_type(meta.db._.core, record.type.name) then
      fail.usage(meta.name, record.name, "%s has no type %s", meta.db.dialect, record.type.name)
    end
  end
end

-- Methods ------------------------------------------------------------------------------------------------------------

--- Raises if an own method has the name of an attribute or association.
local function check_own_method(meta, name)
  local virtuals = meta.virtuals or {}
  local is_attribute = meta.attributes[name] or virtuals[name]
  local what = is_attribute and "an attribute" or meta.associations[name] and "an association"
  if what then fail.usage(meta.name, name, "a method can't have the name of %s", what) end
end

--- The table of a model's instance methods: own ones over generated ones over those of all instances.
local function new_methods(meta)
  return setmetatable({}, {
    __name = "liga.methods",
    __index = require "liga.instance".methods,
    __newindex = function(methods, name, value)
      check_own_method(meta, name)
      rawset(methods, name, value)
    end,
  })
end

local function check_methods(meta, given, records)
  for name, method in next, given or {} do
    if type(name) ~= "string" or type(method) ~= "function" then
      fail.usage(meta.name, nil, "methods must map names to functions (%s is a %s)", fail.shown(name), type(method))
    end
    if find_named(records, name) then
      fail.usage(meta.name, name, "a method can't have the name of an attribute")
    end
  end
end

-- The model ----------------------------------------------------------------------------------------------------------

local function check_name(db, name)
  local problem = naming.problem(name)
  if problem then fail.usage(nil, nil, "db:define: the name of a model %s", problem) end
  local other = registry.find(db, name)
  if not other then return end
  local maker = getmetatable(other).junction_of
  fail.usage(name, nil, "the model is defined already%s",
    maker and (" (as the junction of %s; define it before that, or give the model as through)"):format(maker) or "")
end

local function new_meta(db, name, given)
  local meta = {
    db = db, name = name, attributes = {}, shown_attributes = {}, key = {}, defaults = {}, constraints = {},
    indexes = {}, waiting_indexes = {}, associations = {}, shown_associations = {}, generated = {}, pairs = {},
    __name = "liga.Model", __index = require "liga.model".methods,
    instance = require "liga.instance".metamethods,
  }
  meta.__tostring = function() return "Model " .. name end
  meta.__newindex = function(class, key, value)
    if type(value) == "function" then check_own_method(meta, key) end
    rawset(class, key, value)
  end
  meta.options = merge_options(db, name, given)
  meta.words = read_words(meta)
  return meta
end

local function new_class(meta, table_name)
  local class = {
    name = meta.name, tableName = table_name, primaryKey = {}, methods = new_methods(meta),
    attributes = readonly.collection(meta.shown_attributes, "name", meta.name .. ".attributes"),
    associations = readonly.collection(meta.shown_associations, "as", meta.name .. ".associations"),
  }
  meta.class = class
  return setmetatable(class, meta)
end

--- Everything about a model that can be wrong by itself, before anything is made.
local function read(db, name, attributes, given)
  local meta = new_meta(db, name, given)
  local table_name = read_table_name(meta)
  local list, markers, references = read_attributes(meta, attributes)
  local key = read_key(meta, list)
  if #key > 32 then fail.usage(meta.name, nil, "a primary key has at most 32 parts") end
  check_generated(meta, list, key)
  add_timestamps(meta, list)
  add_deletion(meta, list)
  add_version(meta, list)
  for place, key_name in ipairs(key) do meta.key[key_name] = place end
  local records = {}
  for i, item in ipairs(list) do records[i] = attribute.new(meta, item.name, item.given) end
  check_methods(meta, meta.options.methods, records)
  records, meta.virtual_records = without_virtuals(records)
  check_columns(meta, records)
  check_types(meta, records)
  return meta, {
    table_name = table_name, records = records, markers = markers, references = references, key = key,
    indexes = index.read_all(meta, meta.options.indexes),
  }
end

--- Makes the model that was read.
local function make(meta, parts)
  local db = meta.db
  meta[1] = core.model(db._.core, {
    name = meta.name, table = parts.table_name, comment = meta.options.comment, schema = meta.options.schema,
  })
  local class = new_class(meta, parts.table_name)
  for _, record in ipairs(parts.records) do
    for option in pairs(record.given) do record.by[option] = false end
    attribute.add(meta, record)
  end
  attribute.set_key(meta, parts.key)
  core.timestamps(meta[1], meta.createdAt, meta.updatedAt, meta.deletedAt, meta.version)
  for name, method in next, meta.options.methods or {} do class.methods[name] = method end
  virtual.declare(meta, meta.virtual_records)
  meta.instance = virtual.metamethods(meta, meta.instance)
  registry.add(db, class)
  core.bind(meta[1], class)
  lazy.declare(class, meta, meta.instance and meta.instance.__index or class.methods)
  behaviour.declare(class)
  return class
end

local function define_now(db, name, attributes, given)
  check_name(db, name)
  local meta, parts = read(db, name, attributes, given)
  local class = make(meta, parts)
  for _, reference in ipairs(parts.references) do constraint.reference(meta, reference) end
  index.of_model(meta, parts.indexes)
  constraint.defined(db)
  local association = require "liga.association"
  for _, marker in ipairs(parts.markers) do association.declare_marker(class, marker) end
  association.defined(db, class)
  return class
end

--- A copy of a plain table, for hooks to change; anything else as it is.
local function own_copy(value)
  return type(value) == "table" and not getmetatable(value) and options.copy(value) or value
end

--- Defines a model, between the hooks beforeDefine(attributes, options, name) and afterDefine(model). Where one of them
-- fails there is no model.
-- @param db the connection
-- @param name its name
-- @param attributes name → type, options or association; or a list of {name, type, ...}
-- @param given model options, or nil
-- @return the class
function define.model(db, name, attributes, given)
  local registered = db._.hooks or {}
  if not (registered.beforeDefine or registered.afterDefine) then return define_now(db, name, attributes, given) end
  attributes, given = own_copy(attributes), own_copy(given or {})
  hooks.run_on(db, "beforeDefine", attributes, given, name)
  return journal.run(function()
    local class = define_now(db, name, attributes, given)
    journal.note(function() registry.remove(db, class) end)
    hooks.run_on(db, "afterDefine", class)
    return class
  end)
end

--- Adds an attribute to a model, or gives more options to the one of this name.
-- @param given options as `attribute.read_part` checked them
-- @param soft what holds where nobody says otherwise
-- @return the record
function define.attribute(class, name, given, soft)
  local meta = getmetatable(class)
  local record = attribute.new(meta, name, given, soft)
  attribute.add(meta, record)
  index.of_attribute(meta, record)
  index.retry(meta)
  return record
end

--- Readable text about a model: its columns, references, indexes and associations.
function define.describe(class)
  return describe.text(getmetatable(class))
end

return define
