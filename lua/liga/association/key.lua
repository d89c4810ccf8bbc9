--- The keys of an association: reading `foreignKey` and `otherKey`, finding what they reference, adding attributes.
local attribute = require "liga.define.attribute"
local behaviour = require "liga.behaviour"
local compat = require "liga.compat"
local constraint = require "liga.define.constraint"
local define = require "liga.define"
local fail = require "liga.define.fail"
local journal = require "liga.define.journal"
local naming = require "liga.naming"
local options = require "liga.options"
local types = require "liga.types"

local key = {}

-- Reading ------------------------------------------------------------------------------------------------------------

--- Options that are the attribute's, and those that are the constraint's.
local attribute_options, allowed = {}, {}
for name in ([[type allowNull defaultValue unique index columnName field comment values validate get
    set]]):gmatch "%a+" do
  attribute_options[name], allowed[name] = true, true
end
for name in ("primaryKey autoIncrement references referencesKey"):gmatch "%a+" do
  allowed[name] = "belongs to the attribute itself: declare it in the model that holds the key"
end
for name in ([[name onDelete onUpdate deferrable constraints foreignKeyConstraints foreignKeyConstraint
    keys]]):gmatch "%a+" do
  allowed[name] = true
end

--- Whether constraints are on (true), off (false) or not spoken of (nil), by any of the option's names.
function key.constraints(where, given)
  local value, by
  for _, option in ipairs { "constraints", "foreignKeyConstraints", "foreignKeyConstraint" } do
    local this = given[option]
    if this ~= nil and type(this) ~= "boolean" then
      where:fail("%s must be true or false, got %s", option, fail.shown(this))
    elseif this ~= nil and value ~= nil and this ~= value then
      where:fail("%s and %s contradict each other", by, option)
    end
    if this ~= nil then value, by = this, option end
  end
  return value
end

--- Adds what a part says about the constraint to what is known; parts must not contradict each other.
local function read_constraint(where, at, given, rule)
  local said = {
    onDelete = constraint.action(where, at .. ".onDelete", given.onDelete),
    onUpdate = constraint.action(where, at .. ".onUpdate", given.onUpdate),
    deferrable = constraint.deferrable(where, given.deferrable),
    constraints = key.constraints(where, given),
  }
  for option, value in pairs(said) do
    if rule[option] ~= nil and rule[option] ~= value then
      where:fail("%s: two parts contradict each other in %s", at, option)
    end
    rule[option] = value
  end
end

local function check_part_name(where, at, name)
  local problem = naming.problem(name)
  if problem then where:fail("%s: the name of a foreign key %s", at, problem) end
  return name
end

--- The attribute options of a part, checked.
local function read_attribute(where, at, given)
  local own = {}
  for option, value in next, given do
    if attribute_options[option] then own[option] = value end
  end
  attribute.read_part(where.text, at, own)
  return own
end

--- One entry of a composite key: a name, or a table of options with a name.
local function read_entry(where, at, entry, parsed)
  local place = #parsed.names + 1
  if type(entry) == "string" then
    parsed.names[place], parsed.own[place] = check_part_name(where, at, entry), {}
    return
  end
  if type(entry) ~= "table" or getmetatable(entry) then
    where:fail("%s: entry %d must be a name or a table {name = ...}, got %s", at, place,
      fail.shown(entry))
  end
  options.check(where.text .. ": " .. at, entry, allowed)
  if entry.keys ~= nil then where:fail("%s: keys can't stand in an entry", at) end
  parsed.names[place] = check_part_name(where, at, entry.name)
  parsed.own[place] = read_attribute(where, at, entry)
  read_constraint(where, at, entry, parsed.rule)
end

--- `keys = { holderAttribute = "referencedAttribute" }` as a map from referenced to holder.
local function read_pairs(where, at, given)
  if type(given) ~= "table" or next(given) == nil then
    where:fail('%s.keys must be a table {holderAttribute = "referencedAttribute", ...}', at)
  end
  local holder_of = {}
  for holder, referenced in next, given do
    check_part_name(where, at .. ".keys", holder)
    if type(referenced) ~= "string" then
      where:fail("%s.keys.%s must be the name of the referenced attribute, got %s", at,
        holder, fail.shown(referenced))
    elseif holder_of[referenced] then
      where:fail("%s.keys references %q twice", at, referenced)
    end
    holder_of[referenced] = holder
  end
  return holder_of
end

local function split_table(given)
  local list, rest = {}, {}
  for place = 1, #given do list[place] = given[place] end
  for option, value in next, given do
    local listed = math.type(option) == "integer" and option >= 1 and option <= #list
    if not listed then rest[option] = value end
  end
  return list, rest
end

local function check_forms(where, at, list, rest)
  local forms = (#list > 0 and 1 or 0) + (rest.name ~= nil and 1 or 0) + (rest.keys ~= nil and 1 or 0)
  if forms <= 1 then return end
  where:fail("%s names attributes in two ways; use one of a list, name and keys", at)
end

local function read_table(where, at, given, parsed)
  local list, rest = split_table(given)
  options.check(where.text .. ": " .. at, rest, allowed)
  check_forms(where, at, list, rest)
  parsed.common = read_attribute(where, at, rest)
  read_constraint(where, at, rest, parsed.rule)
  if rest.keys ~= nil then parsed.holder_of = read_pairs(where, at, rest.keys) end
  if rest.name ~= nil then list = { rest.name } end
  if #list == 0 then return end
  parsed.names = {}
  for _, entry in ipairs(list) do read_entry(where, at, entry, parsed) end
end

--- Reads the option `foreignKey` or `otherKey`.
-- @param where the declaration, for messages (a `fail.place`)
-- @param at name of the option
-- @return {names = list or nil, own = options per name, common = options of all, holder_of = map or nil, rule = what
-- it says about the constraint}
function key.read(where, at, given)
  local parsed = { own = {}, common = {}, rule = {} }
  if given == nil then return parsed end
  if type(given) == "string" then
    parsed.names, parsed.own = { check_part_name(where, at, given) }, { {} }
  elseif type(given) == "table" and not getmetatable(given) then
    read_table(where, at, given, parsed)
  else
    where:fail("%s must be a name, a table of attribute options or a list, got %s", at,
      fail.shown(given))
  end
  return parsed
end

--- Reads `targetKey` or `sourceKey`: a name or a list of names.
function key.read_referenced(where, at, given)
  if given == nil then return nil end
  local names = type(given) == "string" and { given } or given
  local is_list = type(names) == "table" and not getmetatable(names) and #names > 0
  for place in next, is_list and names or {} do
    is_list = is_list and math.type(place) == "integer" and place >= 1 and place <= #names
  end
  if not is_list then
    where:fail("%s must be the name of an attribute or a list of names, got %s", at,
      fail.shown(given))
  end
  for _, name in ipairs(names) do
    if type(name) ~= "string" then
      where:fail("%s must hold names, got %s", at, fail.shown(name))
    end
  end
  return table.move(names, 1, #names, 1, {})
end

-- Referenced attributes ----------------------------------------------------------------------------------------------

--- The referenced attributes that `keys` names: in the order of the primary key if they are it, else of the model.
local function paired(meta, holder_of)
  local names = {}
  for name in pairs(holder_of) do names[#names + 1] = name end
  if naming.same_names(names, meta.class.primaryKey, true) then return meta.class.primaryKey end
  local place = {}
  for i, record in ipairs(meta.attributes) do place[record.name] = i end
  table.sort(names, function(a, b)
    if place[a] ~= place[b] then return (place[a] or math.huge) < (place[b] or math.huge) end
    return a < b
  end)
  return names
end

local function check_exist(where, meta, option, names)
  for _, name in ipairs(names) do
    if not meta.attributes[name] then
      where:fail("unknown attribute %q of %s as %s%s", name, meta.name, option,
        fail.hint(name, attribute.names(meta)))
    end
  end
end

--- The attributes that a key references: as given, as `keys` pairs them, or the primary key.
-- @param option "targetKey" or "sourceKey"
function key.referenced(where, class, option, given, parsed)
  local meta = getmetatable(class)
  local names = given or parsed.holder_of and paired(meta, parsed.holder_of) or class.primaryKey
  if #names == 0 then
    where:fail("%s has no primary key: name the attribute to reference as %s", class.name,
      option)
  end
  check_exist(where, meta, option, names)
  if parsed.holder_of and not naming.same_names(names, paired(meta, parsed.holder_of), true) then
    where:fail("keys must reference exactly %s", table.concat(names, ", "))
  end
  for _, name in ipairs(names) do
    local kind = meta.class.attributes[name].type
    if types.is_table(kind) then
      where:fail("%s.%s is %s: what a key references is a plain value, not a table", class.name, name, tostring(kind))
    end
  end
  return table.move(names, 1, #names, 1, {})
end

--- The names that a key's attributes will have, in the order of what they reference.
-- @param prefix what inferred names begin with
-- @param make a function of the prefix, a referenced name and their number; nil: nothing is to be inferred
function key.names(where, at, parsed, referenced, prefix, make)
  local names = {}
  if parsed.names and #parsed.names ~= #referenced then
    where:fail("%s names %d attribute%s (%s), but references %d (%s)", at, #parsed.names,
      #parsed.names == 1 and "" or "s", table.concat(parsed.names, ", "), #referenced, table.concat(referenced, ", "))
  end
  for i, referenced_name in ipairs(referenced) do
    names[i] = parsed.names and parsed.names[i] or parsed.holder_of and parsed.holder_of[referenced_name]
      or make(prefix, referenced_name, #referenced)
  end
  for i, name in ipairs(names) do
    for j = 1, i - 1 do
      if names[j] == name then where:fail("%s names %q twice", at, name) end
    end
  end
  return names
end

--- The names that were given, in the order of what they reference; nil if they are left to liga.
function key.given_names(where, at, parsed, referenced)
  if not parsed.names and not parsed.holder_of then return nil end
  return key.names(where, at, parsed, referenced)
end

-- Adding -------------------------------------------------------------------------------------------------------------

--- What is given for one attribute of a key: its own options over those of all.
local function options_of(where, parsed, i, count)
  local given = {}
  for option, value in pairs(parsed.common) do given[option] = value end
  if count > 1 and given.columnName then
    where:fail("columnName can't apply to %d attributes; give it in the entries of a list",
      count)
  end
  for option, value in pairs(parsed.own[i] or {}) do given[option] = value end
  return given
end

--- Gives an association's options to an attribute that exists: what the model says stays, what another association says
-- must not be contradicted.
local function merge(meta, record, given, wanted)
  local label, before, nullable = wanted.label, {}, record.soft.allowNull
  for option, value in pairs(record.given) do before[option] = value end
  journal.note(function()
    record.given, record.soft.allowNull = before, nullable
    attribute.update(meta, record)
  end)
  if wanted.nullable ~= nil and nullable == nil then record.soft.allowNull = wanted.nullable end
  for option, value in pairs(given) do
    local known = record.given[option]
    if known == nil then
      record.given[option], record.by[option] = value, label
    elseif record.by[option] and not options.same(known, value) then
      fail.association(meta.name, record.name, "%s says %s = %s, %s says %s", record.by[option],
        option, fail.shown(known), label, fail.shown(value))
    end
  end
  attribute.update(meta, record)
end

local function check_free(meta, name, label)
  if meta.associations[name] then
    fail.association(meta.name, name, "the foreign key %q of %s has the name of an association; name it by foreignKey",
      name, label)
  end
  for _, method in ipairs(require "liga.instance".names) do
    if method == name then
      fail.association(meta.name, name,
        "the foreign key %q of %s has the name of an instance method; name it by foreignKey", name, label)
    end
  end
end

local function add(class, name, given, soft, label)
  local meta = getmetatable(class)
  check_free(meta, name, label)
  local column = attribute.new(meta, name, given, soft).columnName
  local other = attribute.with_column(meta, column, name)
  if other then
    fail.association(meta.name, name, "the foreign key %q of %s needs the column %q, which the attribute %q has; "
      .. "write foreignKey = %q to use that", name, label, column, other.name, other.name)
  end
  local record = define.attribute(class, name, given, soft)
  for option in pairs(given) do record.by[option] = label end
  journal.note(function() attribute.remove(meta, name) end)
  return record
end

--- What is said about the constraint: by the model in the attribute, else by the association.
local function constraint_options(records, rule)
  local given = {}
  for _, option in ipairs { "onDelete", "onUpdate", "deferrable" } do
    given[option] = rule[option]
    for _, record in ipairs(records) do
      if record.given[option] ~= nil then given[option] = record.given[option] end
    end
  end
  return given
end

--- Adds the attributes of a foreign key to its holder, or merges into those that exist, and declares the constraint.
-- @param wanted {holder, names, parsed, target, referenced, label, where, rule = what the association says about the
-- constraint, nullable = false where the key is not to be NULL unless somebody says so}
-- @return the records
function key.attach(wanted)
  local meta, target = getmetatable(wanted.holder), getmetatable(wanted.target)
  local records = {}
  for i, name in ipairs(wanted.names) do
    local given = options_of(wanted.where, wanted.parsed, i, #wanted.names)
    local record, referenced = meta.attributes[name], target.attributes[wanted.referenced[i]]
    if record then
      attribute.follow(meta, record, referenced)
      merge(meta, record, given, wanted)
      constraint.refresh(meta, name)
    else
      local soft = { type = referenced.type, allowNull = wanted.nullable }
      record = add(wanted.holder, name, given, soft, wanted.label)
    end
    behaviour.of_attribute(wanted.holder, record)
    records[i] = record
  end
  constraint.want(meta, {
    attributes = wanted.names, target = wanted.target, keys = wanted.referenced, by = wanted.label,
    enabled = wanted.rule.constraints, silent = compat.is_silent(wanted.holder, wanted.rule),
    given = constraint_options(records, wanted.rule),
  })
  return records
end

--- Raises if the options of an association and of its key contradict each other; else both as one.
function key.join_rules(where, outer, inner)
  local rule = {}
  for option, value in pairs(outer) do rule[option] = value end
  for option, value in pairs(inner) do
    if rule[option] ~= nil and rule[option] ~= value then
      where:fail("%s stands twice, with different values", option)
    end
    rule[option] = value
  end
  return rule
end

return key
