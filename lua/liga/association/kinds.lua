--- belongsTo, hasOne, hasMany: what completes them, and when two declarations agree. Only belongsTo makes a foreign
-- key; the others are the far side of one.
local attribute = require "liga.define.attribute"
local compat = require "liga.compat"
local establish = require "liga.association.establish"
local index = require "liga.define.index"
local inflect = require "liga.inflect"
local journal = require "liga.define.journal"
local key = require "liga.association.key"
local path = require "liga.association.path"
local record = require "liga.association.record"

local function model_ud(class)
  return getmetatable(class)[1]
end

--- A key as `key.read` gives it, for names that are known.
local function known_key(names)
  return { names = table.move(names, 1, #names, 1, {}), own = {}, common = {}, rule = {} }
end

--- Remembers that two associations are the two directions of one link; the first partner stays.
local function link(a, b)
  for one, other in pairs { [a] = b, [b] = a } do
    if not one.inverse then
      one.inverse = other
      journal.note(function() one.inverse = nil end)
      record.show(one)
    end
  end
end

-- belongsTo ----------------------------------------------------------------------------------------------------------

--- What is said of the constraint. Whether there is one is remembered with the association: several models may share a
-- key without constraints.
local function rule_of(a, wanted)
  local rule = key.join_rules(wanted.place, wanted.read.rule, wanted.read.foreignKey.rule)
  if rule.constraints == nil then
    rule.constraints = a.constraints
  elseif a.constraints == nil then
    a.constraints = rule.constraints
    journal.note(function() a.constraints = nil end)
  end
  return rule
end

--- Adds the key to the holder, or more options to it. `wanted` is the declaration that speaks: the association itself,
-- or another that shares it.
local function attach(a, wanted)
  local read, speaker = wanted.read, wanted.parent or wanted
  local records = key.attach {
    holder = a.source, names = a.foreignKey, parsed = read.foreignKey, target = a.target, referenced = a.targetKey,
    label = speaker.label or a.label, where = wanted.place, rule = rule_of(a, wanted), nullable = read.nullable,
  }
  for _, item in ipairs(records) do
    item.association = item.association or a.object
    attribute.show(item)
  end
end

--- Makes the association of the other direction that `inverse` asks for.
local function make_inverse(a, inverse)
  if not inverse then return end
  local other = establish.for_parent(a, {
    kind = inverse.kind, source = a.target, target = a.source,
    read = {
      as = inverse.as, foreignKey = known_key(a.foreignKey), sourceKey = a.targetKey,
      inverse = { kind = "belongsTo", as = a.names },
      scope = inverse.scope, where = inverse.where, order = inverse.order, dependent = inverse.dependent,
    },
  })
  link(a, other)
end

local function complete_belongs_to(a)
  local read = a.read
  local prefix, make = read.prefix or compat.holder_prefix(a), compat.key_namer(read.named_by or a.source)
  a.targetKey = key.referenced(a.place, a.target, "targetKey", read.targetKey, read.foreignKey)
  a.foreignKey = key.names(a.place, read.at or "foreignKey", read.foreignKey, a.targetKey, prefix, make)
  attach(a, a)
  a.hops = { { model = model_ud(a.target), near = a.foreignKey, far = a.targetKey } }
  record.register(a)
  make_inverse(a, read.inverse)
end

--- The names a declaration gives to a key that exists, whatever order it gives them in.
local function agree_key(existing, wanted, parsed, key_option, names_option, given_key)
  if parsed.holder_of and not given_key then
    for referenced, holder in pairs(parsed.holder_of) do
      local found = false
      for i, name in ipairs(existing[key_option]) do
        found = found or name == referenced and existing[names_option][i] == holder
      end
      if not found then establish.differ(existing, wanted, names_option) end
    end
    return
  end
  establish.agree_list(existing, wanted, key_option, given_key)
  if parsed.names and #parsed.names ~= #existing[key_option] then establish.differ(existing, wanted, names_option) end
  establish.agree_list(existing, wanted, names_option,
    key.given_names(wanted.place, names_option, parsed, existing[key_option]))
end

local function agree_belongs_to(existing, wanted)
  local read = wanted.read
  agree_key(existing, wanted, read.foreignKey, "targetKey", "foreignKey", read.targetKey)
  attach(existing, wanted)
  if not wanted.parent then make_inverse(existing, read.inverse) end
end

-- hasOne and hasMany -------------------------------------------------------------------------------------------------

--- The belongsTo on the target that holds the key: made, or found.
local function holder_of(a, read)
  local inverse = read.inverse and read.inverse.as or inflect.lower_first(getmetatable(a.source).words.singular)
  return establish.for_parent(a, {
    kind = "belongsTo", source = a.target, target = a.source,
    read = { as = inverse, foreignKey = read.foreignKey, targetKey = read.sourceKey, rule = read.rule },
  })
end

--- A unique index over the key, so that each row of the source has one.
local function make_unique(a)
  if not a.read.uniqueForeignKey then return end
  local meta, fields = getmetatable(a.target), {}
  for i, name in ipairs(a.foreignKey) do fields[i] = { attribute = name } end
  index.want(meta, { fields = fields, unique = true, at = a.label })
  if #fields > 1 then return end
  local item = meta.attributes[a.foreignKey[1]]
  item.given.unique = true
  attribute.update(meta, item)
end

local function become_many_to_many(a)
  record.remove_methods(a)
  a.kind = establish.kinds.belongsToMany
  a.kind.complete(a)
end

--- In the old manner there is no belongsTo on the other side.
local function complete_alone(a)
  compat.complete_has(a, key)
  make_unique(a)
  a.hops = { { model = model_ud(a.target), near = a.sourceKey, far = a.foreignKey } }
  record.register(a)
end

local function complete_has(a)
  local read = a.read
  if read.path then return path.complete(a) end
  establish.check_scope(a, "scope", read.scope, a.target)
  if compat.joins(a, key, become_many_to_many) then return end
  if compat.is_v1(getmetatable(a.source).db) then return complete_alone(a) end
  key.referenced(a.place, a.source, "sourceKey", read.sourceKey, read.foreignKey)
  local holder = holder_of(a, read)
  a.foreignKey, a.sourceKey = holder.foreignKey, holder.targetKey
  make_unique(a)
  a.hops = { { model = model_ud(a.target), near = a.sourceKey, far = a.foreignKey } }
  record.register(a)
  link(a, holder)
  link(holder, a)
end

local reading_options = { "scope", "where", "order", "dependent", "uniqueForeignKey" }

local function agree_has(existing, wanted)
  if existing.read.path ~= wanted.read.path then establish.differ(existing, wanted, "through") end
  local read, changed = wanted.read, false
  agree_key(existing, wanted, read.foreignKey, "sourceKey", "foreignKey", read.sourceKey)
  local holder = existing.inverse
  if not wanted.parent then establish.agree_inverse(existing, wanted, holder) end
  for _, option in ipairs(reading_options) do changed = establish.agree_option(existing, wanted, option) or changed end
  if wanted.parent ~= holder then
    attach(holder, {
      read = { foreignKey = read.foreignKey, rule = read.rule }, place = wanted.place, label = existing.label,
    })
  end
  if not changed then return end
  make_unique(existing)
  record.register(existing)
end

establish.kinds.belongsTo = {
  name = "belongsTo", many = false, holder = "source", complete = complete_belongs_to, agree = agree_belongs_to,
}
establish.kinds.hasOne = {
  name = "hasOne", many = false, holder = "target", complete = complete_has, agree = agree_has,
}
establish.kinds.hasMany = {
  name = "hasMany", many = true, holder = "target", complete = complete_has, agree = agree_has,
}

return { known_key = known_key, link = link, agree_key = agree_key, attach = attach }
