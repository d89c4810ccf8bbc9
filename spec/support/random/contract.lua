--- What the contract says that destroying, and the methods of associations, do: row by row on the oracle's tables.
local oracle = require "spec.support.random.oracle"

local Oracle, NULL = oracle.Oracle, oracle.NULL
local fail, values, same, matches, inside = oracle.fail, oracle.values, oracle.same, oracle.matches, oracle.inside

local function holds(list, row)
  for _, each in ipairs(list) do
    if each == row then return true end
  end
  return false
end

--- The foreign key without a value.
local function cleared(a)
  local changes = {}
  for _, name in ipairs(a.key) do changes[name] = NULL end
  return changes
end

-- Destroying ---------------------------------------------------------------------------------------------------------

--- What `dependent` says about rows that belong to one that is to be destroyed.
local dependent = {}

function dependent.restrict(_, _, rows)
  if #rows > 0 then fail "AssociationError" end
end

function dependent.nullify(self, a, rows) self:update(a.target, rows, cleared(a)) end

dependent["delete"] = function(self, a, rows, force) self:destroy(a.target, rows, force) end

function dependent.destroy(self, a, rows, force)
  for _, row in ipairs(rows) do
    if holds(self.rows[a.target.name], row) then self:destroy(a.target, { row }, force) end
  end
end

--- The rows that belong to another by hasOne or hasMany.
-- @param all true: those that are marked as deleted, too
local function belonging(self, a, source, all)
  local list, key = {}, values(source, a.refers)
  for _, row in ipairs(self.rows[a.target.name]) do
    local is_linked = key and same(values(row, a.key), key) and inside(a, row)
    if is_linked and (all or not row.deletedAt) then list[#list + 1] = row end
  end
  return list
end

--- "restrict" comes first.
local function rules_of(m)
  local list = {}
  for _, a in ipairs(m.associations) do
    if a.dependent == "restrict" then table.insert(list, 1, a)
    elseif a.dependent then list[#list + 1] = a end
  end
  return list
end

--- Deletes rows, or marks them as deleted.
function Oracle:take(t, rows, force)
  if t.paranoid and not force then self:update(t, rows, { deletedAt = true }) else self:delete(t, rows) end
end

--- destroy of the model or of its instances.
function Oracle:destroy(m, rows, force)
  for _, a in ipairs(rules_of(m)) do
    local all = force or a.dependent == "nullify" and not m.paranoid
    for _, row in ipairs(rows) do dependent[a.dependent](self, a, belonging(self, a, row, all), force) end
  end
  self:take(m, rows, force)
end

-- Associations -------------------------------------------------------------------------------------------------------

local function unique(list)
  local once = {}
  for _, row in ipairs(list) do
    if not holds(once, row) then once[#once + 1] = row end
  end
  return once
end

--- The key of the row that an association refers to; there must be one.
local function key_of(row, refers) return values(row, refers) or fail "InstanceError" end

local function put(changes, names, key)
  for i, name in ipairs(names) do changes[name] = key[i] end
  return changes
end

local function with_scope(a, changes)
  for name, value in pairs(a.scope or {}) do changes[name] = value end
  return changes
end

--- Takes targets away from their source: the key cleared, or the row taken where that can't be.
function Oracle:unlink(a, rows, destroy)
  if destroy or not a.nullable then return self:destroy(a.target, rows, false) end
  self:update(a.target, rows, cleared(a))
end

local by_kind = { belongsTo = {}, hasOne = {}, hasMany = {}, belongsToMany = {} }

--- Runs the write of an association.
-- @param verb "set", "add", "remove"
-- @param targets list of rows
-- @param options {destroy, through = values, new = set of the targets that are no rows yet}
-- @return the number of links removed
function Oracle:associate(a, verb, source, targets, options)
  if a.kind ~= "belongsTo" then key_of(source, a.refers or a.source_refers) end
  return by_kind[a.kind][verb](self, a, source, unique(targets), options or {})
end

--- Targets that are no rows yet are made; the key and the scope win over what they hold.
function Oracle:make(a, source, targets, new)
  for _, row in ipairs(targets) do
    if new and new[row] and not holds(self.rows[a.target.name], row) then
      if a.refers and a.kind ~= "belongsTo" then put(row, a.key, key_of(source, a.refers)) end
      self:insert(a.target, with_scope(a, row))
    end
  end
end

function by_kind.belongsTo.set(self, a, source, targets, options)
  self:make(a, source, targets, options.new)
  if not targets[1] and not a.nullable then fail "ValidationError" end
  self:update(a.source, { source }, targets[1] and put({}, a.key, key_of(targets[1], a.refers)) or cleared(a))
end

local function others(list, targets)
  local rest = {}
  for _, row in ipairs(list) do
    if not holds(targets, row) then rest[#rest + 1] = row end
  end
  return rest
end

local function link_held(self, a, source, targets, options)
  if #targets == 0 then return end
  self:make(a, source, targets, options.new)
  for _, row in ipairs(targets) do
    if not holds(self.rows[a.target.name], row) then fail "InstanceError" end
  end
  self:update(a.target, targets, with_scope(a, put({}, a.key, key_of(source, a.refers))))
end

local function set_held(self, a, source, targets, options)
  if a.many then self:make(a, source, targets, options.new) end
  self:unlink(a, others(self:targets(a, source), targets), options.destroy)
  link_held(self, a, source, targets, options)
end

by_kind.hasOne.set, by_kind.hasMany.set, by_kind.hasMany.add = set_held, set_held, link_held

function by_kind.hasMany.remove(self, a, source, targets, options)
  local linked = {}
  for _, row in ipairs(self:targets(a, source)) do
    if holds(targets, row) then linked[#linked + 1] = row end
  end
  self:unlink(a, linked, options.destroy)
  return #linked
end

-- Junctions ----------------------------------------------------------------------------------------------------------

--- The links of a source and a target, those marked as deleted too where the junction holds a pair once: they come
-- back. Where scopes share the junction, or links may repeat, those that the association sees.
local function standing(self, a, source, target)
  local key, other = key_of(source, a.source_refers), key_of(target, a.target_refers)
  local shared = a.inverse_of and a.inverse_of.through_scope
  local list, revives = {}, a.unique and not shared
  for _, link in ipairs(self.rows[a.through.name]) do
    local joins = same(values(link, a.key), key) and same(values(link, a.other), other)
    local seen = matches(link, a.through_scope) and (revives or not link.deletedAt)
    if joins and seen then list[#list + 1] = link end
  end
  return list
end

--- The values of the call, under those that the junction's scope fixes.
local function link_values(a, options)
  local given = {}
  for name, value in pairs(options.through or {}) do given[name] = value end
  for name, value in pairs(a.through_scope or {}) do given[name] = value end
  return given
end

local function new_link(self, a, source, target, given)
  local row = put(put({}, a.key, key_of(source, a.source_refers)), a.other, key_of(target, a.target_refers))
  row.y = a.through.extra and "y0" or nil
  for name, value in pairs(given) do row[name] = value ~= NULL and value or nil end
  self:insert(a.through, row)
end

--- @param repeats true: a new link for each target, also where there is one
local function link_through(self, a, source, targets, options, repeats)
  for _, target in ipairs(targets) do key_of(target, a.target_refers) end
  if a.scope then self:update(a.target, targets, with_scope(a, {})) end
  for _, target in ipairs(targets) do
    local given, there = link_values(a, options), repeats and {} or standing(self, a, source, target)
    if #there == 0 then
      new_link(self, a, source, target, given)
    else
      given.deletedAt = NULL
      self:update(a.through, there, given)
    end
  end
end

local function unlink_through(self, a, links)
  local within = {}
  for _, link in ipairs(links) do
    local row = self:referred(a.target, a.target_refers, values(link, a.other))
    if row and inside(a, row) then within[#within + 1] = link end
  end
  self:take(a.through, within, false)
  return #within
end

function by_kind.belongsToMany.add(self, a, source, targets, options)
  self:make(a, source, targets, options.new)
  link_through(self, a, source, targets, options, not a.unique)
end

function by_kind.belongsToMany.set(self, a, source, targets, options)
  local obsolete = {}
  self:make(a, source, targets, options.new)
  for _, target in ipairs(targets) do key_of(target, a.target_refers) end
  for _, link in ipairs(self:links(a, source)) do
    local row = self:referred(a.target, a.target_refers, values(link, a.other))
    if not holds(targets, row) then obsolete[#obsolete + 1] = link end
  end
  unlink_through(self, a, obsolete)
  link_through(self, a, source, targets, options, false)
end

function by_kind.belongsToMany.remove(self, a, source, targets)
  local links = {}
  for _, link in ipairs(self:links(a, source)) do
    local row = self:referred(a.target, a.target_refers, values(link, a.other))
    if holds(targets, row) then links[#links + 1] = link end
  end
  return unlink_through(self, a, links)
end

return oracle
