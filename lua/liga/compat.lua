--- `compat = "v1"`: the ways of Sequelize's first version, for code written after its manual.
--
-- Words: plurals by adding s. Keys: `ProjectId`, `project_id` where underscored. Associations have one direction each;
-- hasMany in both directions, and of a model with itself, goes over a junction. Constraints only where somebody asks.
local constraint = require "liga.define.constraint"
local attribute = require "liga.define.attribute"
local core = require "liga.core"
local inflect = require "liga.inflect"
local naming = require "liga.naming"

local compat = {}

--- Whether a connection keeps to the old manual.
function compat.is_v1(db)
  return db._.compat == "v1"
end

-- Words --------------------------------------------------------------------------------------------------------------

local v1_words = { singularize = inflect.singularize }

function v1_words.pluralize(word)
  if word:find "s$" then return word end
  if word:find "y$" then return word:sub(1, -2) .. "ies" end
  return word .. "s"
end

--- What makes plurals and singulars for the models of a connection.
-- @return {pluralize = function, singularize = function}
function compat.words(db)
  return compat.is_v1(db) and v1_words or inflect
end

-- Keys ---------------------------------------------------------------------------------------------------------------

--- How the names of foreign keys are made: a function of the prefix, the referenced attribute and how many there are.
-- @param class whose manner counts
function compat.key_namer(class)
  local meta = getmetatable(class)
  if not compat.is_v1(meta.db) then return naming.foreign_key end
  return function(prefix, referenced, count)
    local name = prefix .. (count == 1 and "Id" or inflect.upper_first(referenced))
    return meta.options.underscored and inflect.underscore(name) or name
  end
end

local function alias_of(read)
  return type(read.as) == "table" and read.as.singular or read.as
end

--- What the name of a belongsTo's key begins with.
function compat.holder_prefix(a)
  if not compat.is_v1(getmetatable(a.source).db) then return a.names.singular end
  return alias_of(a.read) or getmetatable(a.target).words.singular
end

--- What the name of the key begins with that hasOne and hasMany put on their target.
local function target_prefix(a)
  local to_itself = a.source == a.target and not a.kind.many
  return to_itself and alias_of(a.read) or getmetatable(a.source).words.singular
end

--- Whether nobody asks for a constraint: then there is none in the old manner.
function compat.is_silent(class, rule)
  if not compat.is_v1(getmetatable(class).db) then return false end
  return rule.constraints == nil and rule.onDelete == nil and rule.onUpdate == nil
end

-- hasOne and hasMany in one direction --------------------------------------------------------------------------------

local function missing_names(meta, names)
  local missing = {}
  for _, name in ipairs(names) do
    if not meta.attributes[name] then missing[#missing + 1] = name end
  end
  return missing
end

--- Completes a hasOne or hasMany that is nobody's inverse: it puts its key on the target by itself.
-- @param a the record
-- @param key liga.association.key
function compat.complete_has(a, key)
  local read = a.read
  a.sourceKey = key.referenced(a.place, a.source, "sourceKey", read.sourceKey, read.foreignKey)
  a.foreignKey = key.names(a.place, "foreignKey", read.foreignKey, a.sourceKey, target_prefix(a),
    compat.key_namer(a.source))
  a.made = missing_names(getmetatable(a.target), a.foreignKey)
  key.attach {
    holder = a.target, names = a.foreignKey, parsed = read.foreignKey, target = a.source, referenced = a.sourceKey,
    label = a.label, where = a.place, rule = key.join_rules(a.place, read.rule, read.foreignKey.rule),
  }
end

-- hasMany over a junction --------------------------------------------------------------------------------------------

--- Takes the key of a hasMany off its target again.
local function take_key_back(a)
  local meta = getmetatable(a.target)
  constraint.drop(meta, a.foreignKey)
  for _, name in ipairs(a.made) do attribute.remove(meta, name) end
end

--- The hasMany in the other direction, if there is one that waits for its pair.
local function counterpart(a)
  for _, other in ipairs(getmetatable(a.target).associations) do
    local many = other.kind.name == "hasMany" and other.complete and other.target == a.source and other ~= a
    if many and other.read.useJunctionTable ~= false then return other end
  end
end

local function combined(one, other)
  if other:lower() < one:lower() then one, other = other, one end
  return one .. other
end

--- How a hasMany reads when it goes over a junction. The key of the other direction is its otherKey.
-- @param other_key as that declaration read it
local function over_junction(a, junction, other_key)
  local read = a.read
  read.through, read.links, read.otherKey = { model = junction }, {}, other_key
  if a.source == a.target and alias_of(read) then read.otherPrefix = alias_of(read) end
end

--- Whether a hasMany has to go over a junction: with itself, or because there is one in the other direction, which then
-- does as well.
-- @param become what makes a record a belongsToMany and completes it
-- @return true if it does; it is complete then
function compat.joins(a, key, become)
  local v1 = compat.is_v1(getmetatable(a.source).db)
  if not v1 or a.kind.name ~= "hasMany" or a.read.useJunctionTable == false then return false end
  if a.source == a.target then
    over_junction(a, combined(a.source.tableName, alias_of(a.read) or a.as), key.read(a.place, "otherKey", nil))
    become(a)
    return true
  end
  local other = counterpart(a)
  if not other then return false end
  local junction = combined(a.source.tableName, a.target.tableName)
  take_key_back(other)
  over_junction(other, junction, a.read.foreignKey)
  over_junction(a, junction, other.read.foreignKey)
  become(other)
  become(a)
  return true
end

-- Methods ------------------------------------------------------------------------------------------------------------

--- The second argument of addX and setX: values of the junction, and options that are none of its attributes.
local function split(junction, given)
  if type(given) ~= "table" or core.is_class(given) then return given end
  local options, values = {}, nil
  for name, value in next, given do
    if junction.attributes[name] then
      values = values or {}
      values[name] = value
    else
      options[name] = value
    end
  end
  if values and options.through == nil then options.through = values end
  return options
end

local taking_values = { add = true, addMultiple = true, set = true }

--- The methods of an association as the old manual has them.
-- @param functions method name → function
-- @return the same, those that link with junction values as their second argument
function compat.methods(a, accessors, functions)
  if not a.through or not compat.is_v1(getmetatable(a.source).db) then return functions end
  local changed = {}
  for name, method in pairs(functions) do changed[name] = method end
  for verb, name in pairs(accessors) do
    local method = functions[name]
    if taking_values[verb] then
      changed[name] = function(self, ...)
        if select("#", ...) < 2 then return method(self, ...) end
        local targets, given = ...
        return method(self, targets, split(a.through, given))
      end
    end
  end
  return changed
end

--- More names for methods: the old manual clears an N:M association by `task:setProject(nil)`.
-- @return alias → method name
function compat.aliases(a, accessors)
  if not a.through or not compat.is_v1(getmetatable(a.source).db) then return {} end
  return { ["set" .. accessors.add:gsub("^add", "")] = accessors.set }
end

return compat
