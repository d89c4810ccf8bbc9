--- belongsToMany: the junction, its keys and its associations, and the pair in the other direction.
local attribute = require "liga.define.attribute"
local compat = require "liga.compat"
local define = require "liga.define"
local establish = require "liga.association.establish"
local index = require "liga.define.index"
local inflect = require "liga.inflect"
local journal = require "liga.define.journal"
local key = require "liga.association.key"
local kinds = require "liga.association.kinds"
local naming = require "liga.naming"
local options = require "liga.options"
local record = require "liga.association.record"
local registry = require "liga.define.registry"

local known_key = kinds.known_key

local function model_ud(class)
  return getmetatable(class)[1]
end

-- The junction model -------------------------------------------------------------------------------------------------

local function is_underscored(class)
  return getmetatable(class).options.underscored == true
end

--- A junction of liga's own: named verbatim, in the manner of the models it joins, in the schema of the source. Of what
-- the connection gives to its models neither indexes, validators, scopes, versions nor soft deletion are for it.
local function make_model(a, db, name)
  local general = db._.define or {}
  local class = define.model(db, name, {}, {
    tableName = name, timestamps = a.read.through.timestamps, paranoid = a.read.through.paranoid == true,
    schema = getmetatable(a.source).options.schema, indexes = {}, version = false, validate = {}, scopes = {},
    defaultScope = general.defaultScope and {},
    underscored = is_underscored(a.source) and is_underscored(a.target) or nil,
  })
  getmetatable(class).junction_of = a.label
  journal.note(function() registry.remove(db, class) end)
  return class
end

--- The junction: the model that was given, or the one of that name, made if there is none.
local function junction_of(a)
  local db, model = getmetatable(a.source).db, a.read.through.model
  if registry.is_model(model) then
    if getmetatable(model).db ~= db then a.place:fail("through is %s, a model of another connection", model.name) end
    return model
  end
  return registry.find(db, model) or make_model(a, db, model)
end

-- Its associations ---------------------------------------------------------------------------------------------------

--- The words of the association in the other direction.
local function pair_names(a)
  local inverse = a.read.inverse
  return record.names(a.source, a.kind, inverse and inverse.as, a.source)
end

--- What the names of an inferred foreign key begin with: the model, for self-associations the opposite direction.
local function key_prefix(a, class, names, alias)
  if compat.is_v1(getmetatable(a.source).db) then return alias or getmetatable(class).words.singular end
  return a.source == a.target and names.singular or getmetatable(class).words.singular
end

--- The junction's belongsTo to one side.
local function make_side(a, side)
  return establish.for_parent(a, {
    kind = "belongsTo", source = a.through, target = side.class,
    read = {
      as = side.as, foreignKey = side.key, targetKey = side.referenced, rule = a.read.rule, prefix = side.prefix,
      nullable = false, at = side.at, named_by = side.class,
    },
  })
end

local function make_sides(a, opposite)
  local read, links = a.read, a.read.links
  local to_source = make_side(a, {
    class = a.source, as = links.toSource or opposite.singular, key = read.foreignKey, referenced = read.sourceKey,
    prefix = key_prefix(a, a.source, opposite), at = "foreignKey",
  })
  local to_target = make_side(a, {
    class = a.target, as = links.toTarget or a.names.singular, key = read.otherKey, referenced = read.targetKey,
    prefix = key_prefix(a, a.target, a.names, read.otherPrefix), at = "otherKey",
  })
  a.foreignKey, a.sourceKey = to_source.foreignKey, to_source.targetKey
  a.otherKey, a.targetKey = to_target.foreignKey, to_target.targetKey
  return to_source
end

--- The source's own associations to the junction: all rows, and one of them.
local function make_links(a, opposite, to_source)
  local from = a.read.links.fromSource
  local many = from or a.names.plural .. inflect.upper_first(opposite.plural)
  local one = from and inflect.singularize(from) or a.names.singular .. inflect.upper_first(opposite.singular)
  for _, link in ipairs { { "hasMany", many }, { "hasOne", one } } do
    if link[1] == "hasMany" or one ~= many then
      establish.for_parent(a, {
        kind = link[1], source = a.source, target = a.through,
        read = {
          as = link[2], foreignKey = known_key(a.foreignKey), sourceKey = a.sourceKey, scope = a.read.through.scope,
          inverse = { kind = "belongsTo", as = to_source.as },
        },
      })
    end
  end
end

-- Its key ------------------------------------------------------------------------------------------------------------

--- What identifies a link: the pair, and what the junction's scope fixes (links of several kinds may share a junction).
local function link_columns(a)
  local columns, seen = {}, {}
  local function add(name)
    if not seen[name] then columns[#columns + 1], seen[name] = name, true end
  end
  for _, name in ipairs(a.foreignKey) do add(name) end
  for _, name in ipairs(a.otherKey) do add(name) end
  local pair = #columns
  local scope = a.read.through.scope or {}
  for _, item in ipairs(getmetatable(a.through).attributes) do
    local value = scope[item.name]
    if value ~= nil and (type(value) ~= "table") then add(item.name) end
  end
  return columns, pair
end

--- Whether a constraint or an association refers to the junction's automatic key.
local function is_referenced(meta)
  for _, class in ipairs(registry.of(meta.db).classes) do
    for _, item in ipairs(getmetatable(class).constraints) do
      if item.target == meta.class and item.keys[1] == meta.automatic_key then return true end
    end
    for _, a in ipairs(getmetatable(class).associations) do
      local referenced = a.target == meta.class and a.targetKey or a.source == meta.class and a.sourceKey
      if referenced and referenced[1] == meta.automatic_key then return true end
    end
  end
  return false
end

--- Whether the junction has a primary key of its own: declared, and not made of the link's columns.
local function has_own_key(meta, columns)
  local part = {}
  for _, name in ipairs(columns) do part[name] = true end
  for name in pairs(meta.key) do
    local automatic = name == meta.automatic_key and not is_referenced(meta)
    if not automatic and not part[name] then return true end
  end
  return false
end

local function all_required(meta, columns)
  for _, name in ipairs(columns) do
    local item = meta.attributes[name]
    local nullable = item.given.allowNull
    if nullable == nil then nullable = item.soft.allowNull end
    if nullable ~= false and not item.primaryKey then return false end
  end
  return true
end

--- Whether the columns are the declared key, whatever the order: the declared one stays.
local function is_key(meta, columns)
  local count = 0
  for _ in pairs(meta.key) do count = count + 1 end
  for _, name in ipairs(columns) do
    if not meta.key[name] then return false end
  end
  return count == #columns
end

local function make_key(meta, columns)
  local automatic = meta.automatic_key
  if automatic and meta.attributes[automatic] and meta.key[automatic] then
    attribute.remove(meta, automatic)
    meta.automatic_key = nil
  end
  if not is_key(meta, columns) then attribute.set_key(meta, columns) end
end

local function make_index(meta, a, columns)
  local named = a.read.through.unique
  local sorted = table.move(columns, 1, #columns, 1, {})
  table.sort(sorted)
  local fields = {}
  for i, name in ipairs(sorted) do fields[i] = { attribute = name } end
  index.want(meta, {
    fields = fields, unique = true, at = a.label,
    name = type(named) == "string" and named or naming.index(meta.class.tableName, sorted, true),
  })
end

local function pair_id(columns, count)
  local sorted = table.move(columns, 1, count, 1, {})
  table.sort(sorted)
  return table.concat(sorted, "\0")
end

local function index_without_use(a, name, junction)
  a.place:fail("through.unique = %q names an index, but the pair is the primary key of %s; define the junction with a "
    .. "primary key of its own", name, junction)
end

--- Makes a link unique: by the primary key if the junction has none of its own, else by an index. Who comes first
-- decides for all associations over the same pair.
local function secure(a)
  local meta, unique = getmetatable(a.through), a.read.through.unique
  local columns, pair = link_columns(a)
  local id = pair_id(columns, pair)
  local known = meta.pairs[id]
  if known == nil and unique ~= false then
    local keyed = not has_own_key(meta, columns) and all_required(meta, columns)
    if keyed and type(unique) == "string" then
      index_without_use(a, unique, a.through.name)
    end
    if keyed then make_key(meta, columns) else make_index(meta, a, columns) end
    known = columns
    meta.pairs[id] = known
  end
  a.unique, a.unique_key = known ~= nil and unique ~= false, known
end

--- An index name can be refused before anything is made: a junction that liga makes has no key of its own.
local function check_index_name(a)
  local through = a.read.through
  local db = getmetatable(a.source).db
  if type(through.unique) ~= "string" or type(through.model) ~= "string" then return end
  if registry.find(db, through.model) then return end
  index_without_use(a, through.unique, through.model)
end

-- The whole ----------------------------------------------------------------------------------------------------------

local function swapped(links)
  return {
    fromSource = links.fromTarget, toSource = links.toTarget, fromTarget = links.fromSource, toTarget = links.toSource,
  }
end

--- The association in the other direction: made, or found.
local function make_pair(a)
  local inverse = a.read.inverse or {}
  local pair = establish.for_parent(a, {
    kind = "belongsToMany", source = a.target, target = a.source,
    read = {
      as = inverse.as or pair_names(a), foreignKey = known_key(a.otherKey), otherKey = known_key(a.foreignKey),
      sourceKey = a.targetKey, targetKey = a.sourceKey, through = { model = a.through, unique = a.read.through.unique },
      links = swapped(a.read.links), inverse = { kind = "belongsToMany", as = a.names },
      scope = inverse.scope, where = inverse.where, order = inverse.order,
    },
  })
  for one, other in pairs { [a] = pair, [pair] = a } do
    one.pair, one.inverse = one.pair or other, one.inverse or other
    record.show(one)
  end
end

--- In the old manner the other direction is declared by itself, or not at all.
local function find_pair(a)
  for _, other in ipairs(getmetatable(a.target).associations) do
    local same = other.through == a.through and other.target == a.source and other ~= a
    if same and establish.same_list(other.foreignKey, a.otherKey) then
      a.pair, a.inverse, other.pair, other.inverse = other, other, a, a
      record.show(other)
    end
  end
  record.show(a)
end

--- A row of the junction hangs on its target under the junction's name.
local function check_row_name(a)
  local name = a.through.name
  if not getmetatable(a.target).attributes[name] then return end
  a.place:fail("%s has an attribute %q, and rows of the junction %s are read with it under that name; give the "
    .. "attribute another name and columnName = %q, or the junction another name", a.target.name, name, name, name)
end

--- The rule of `inverse.constraints` is that of the key to the target.
local function apply_inverse_rule(a)
  local inverse, other = a.read.inverse, a.read.otherKey.rule
  if inverse and other.constraints == nil then other.constraints = inverse.constraints end
end

local function complete_belongs_to_many(a)
  local read, opposite = a.read, pair_names(a)
  check_index_name(a)
  key.referenced(a.place, a.source, "sourceKey", read.sourceKey, read.foreignKey)
  key.referenced(a.place, a.target, "targetKey", read.targetKey, read.otherKey)
  a.through = junction_of(a)
  check_row_name(a)
  establish.check_scope(a, "through.scope", read.through.scope, a.through)
  establish.check_scope(a, "scope", read.scope, a.target)
  apply_inverse_rule(a)
  local to_source = make_sides(a, opposite)
  secure(a)
  a.hops = {
    { model = model_ud(a.through), near = a.sourceKey, far = a.foreignKey, scope = read.through.scope },
    { model = model_ud(a.target), near = a.otherKey, far = a.targetKey },
  }
  record.register(a)
  if compat.is_v1(getmetatable(a.source).db) then return find_pair(a) end
  make_links(a, opposite, to_source)
  make_pair(a)
end

local function agree_junction(existing, wanted)
  local wanted_through, known = wanted.read.through, existing.read.through
  local model = wanted_through.model
  if model ~= existing.through and model ~= existing.through.name then
    establish.differ(existing, wanted, "its junction")
  end
  if not wanted.parent and wanted_through.unique ~= nil and (wanted_through.unique ~= false) ~= existing.unique then
    establish.differ(existing, wanted, "through.unique")
  end
  if wanted.parent or wanted_through.scope == nil then return false end
  if options.same(known.scope, wanted_through.scope) then return false end
  if known.scope ~= nil then establish.differ(existing, wanted, "through.scope") end
  establish.check_scope(wanted, "through.scope", wanted_through.scope, existing.through)
  known.scope, existing.hops[1].scope = wanted_through.scope, wanted_through.scope
  journal.note(function() known.scope, existing.hops[1].scope = nil, nil end)
  return true
end

local function agree_names(existing, wanted)
  if wanted.parent then return end
  establish.agree_inverse(existing, wanted, existing.pair)
  for name, value in pairs(wanted.read.links) do
    if existing.read.links[name] ~= value then establish.differ(existing, wanted, "throughAssociations." .. name) end
  end
end

--- Gives what a declaration says of the two keys to the junction's belongsTo associations.
local function agree_sides(existing, wanted)
  local meta = getmetatable(existing.through)
  local sides = { { "foreignKey", existing.source }, { "otherKey", existing.target } }
  for _, side in ipairs(sides) do
    for _, holder in ipairs(meta.associations) do
      if holder.kind.name == "belongsTo" and holder.target == side[2]
        and establish.same_list(holder.foreignKey, existing[side[1]]) then
        kinds.attach(holder, {
          read = { foreignKey = wanted.read[side[1]], rule = wanted.read.rule }, place = wanted.place,
          label = existing.label,
        })
        break
      end
    end
  end
end

local function agree_belongs_to_many(existing, wanted)
  local read = wanted.read
  kinds.agree_key(existing, wanted, read.foreignKey, "sourceKey", "foreignKey", read.sourceKey)
  kinds.agree_key(existing, wanted, read.otherKey, "targetKey", "otherKey", read.targetKey)
  local changed = agree_junction(existing, wanted)
  agree_names(existing, wanted)
  for _, option in ipairs { "scope", "where", "order" } do
    changed = establish.agree_option(existing, wanted, option) or changed
  end
  if not wanted.parent then agree_sides(existing, wanted) end
  if changed then record.register(existing) end
end

establish.kinds.belongsToMany = {
  name = "belongsToMany", many = true, holder = "through", complete = complete_belongs_to_many,
  agree = agree_belongs_to_many,
}
