--- Scopes: options of finds that a model declares, by name or for every call (`defaultScope`), and scope objects.
--
-- A scope object stands for its model with other scopes in force: it has every class method. Its metatable inherits
-- from that of the class and holds `scoped`, the list of scopes in force. What is declared is copied, never changed.
local core = require "liga.core"
local errors = require "liga.errors"
local expand = require "liga.behaviour.expand"
local operation = require "liga.operation"
local option_tables = require "liga.options"
local record = require "liga.association.record"

local scope = {}

local allowed = {}
for name in pairs(core.find_options) do allowed[name] = true end
allowed.hooks, allowed.scope = nil, nil

-- Merging ------------------------------------------------------------------------------------------------------------

local function both(a, b)
  if a == nil then return b end
  return b == nil and a or { a, b }
end

local function is_list(value)
  return type(value) == "table" and getmetatable(value) == nil and (value[1] ~= nil or next(value) == nil)
end

local function is_map(value)
  return type(value) == "table" and getmetatable(value) == nil and not is_list(value)
end

--- Both lists, what is in the first left out of the second.
local function union(a, b)
  if not is_list(a) or not is_list(b) then return b end
  local all, seen = {}, {}
  for _, list in ipairs { a, b } do
    for _, each in ipairs(list) do
      if not seen[each] then all[#all + 1] = each end
      seen[each] = true
    end
  end
  return all
end

local function merge_attributes(a, b)
  if not (is_map(a) and is_map(b)) then return union(a, b) end
  local merged = option_tables.copy(a)
  for name, list in next, b do merged[name] = merged[name] and union(merged[name], list) or list end
  return merged
end

local merge

--- The association, or else the name or what stands in its place, by which an entry of `include` is known.
local function name_of(class, key, entry)
  local what = type(key) == "string" and key or entry
  local object = expand.association_of(class, what)
  if object then return object.as, object.target end
  return type(what) == "string" and what or nil
end

--- An entry of `include` as a table of its own; what can't be one stays as it is.
local function read_include(key, entry)
  local is_options = type(entry) == "table" and not getmetatable(entry)
  if type(key) == "string" then
    local options = is_options and option_tables.copy(entry) or {}
    options.association = key
    return options
  end
  if is_options then return option_tables.copy(entry) end
  if core.is_class(entry) then return { model = entry } end
  return (type(entry) == "string" or record.of(entry)) and { association = entry } or entry
end

local function read_includes(class, list)
  local entries = {}
  local function add(key, entry)
    local name, target = name_of(class, key, entry)
    entries[#entries + 1] = { options = read_include(key, entry), name = name, target = target }
  end
  local is_one = type(list) ~= "table" or getmetatable(list) or expand.association_of(class, list) or list.all ~= nil
  if is_one then
    add(1, list)
    return entries
  end
  for place, entry in ipairs(list) do add(place, entry) end
  local names = {}
  for key in next, list do
    if type(key) == "string" then names[#names + 1] = key end
  end
  table.sort(names)
  for _, name in ipairs(names) do add(name, list[name]) end
  return entries
end

local function find_entry(entries, name)
  for _, entry in ipairs(entries) do
    if name ~= nil and entry.name == name then return entry end
  end
end

--- By association: the options of both, the later ones winning.
local function merge_includes(a, b, class)
  local entries = read_includes(class, a)
  for _, added in ipairs(read_includes(class, b)) do
    local entry = find_entry(entries, added.name)
    if not entry then
      entries[#entries + 1] = added
    elseif type(entry.options) == "table" and type(added.options) == "table" then
      entry.options = merge(entry.options, added.options, entry.target)
    end
  end
  local list = {}
  for i, entry in ipairs(entries) do list[i] = entry.options end
  return list
end

--- How options meet that stand in both; of the others the later wins.
local mergers = {
  where = both, having = both, attributes = merge_attributes, include = merge_includes, group = union,
}

--- Options merged as in Sequelize v7: where and having are ANDed, attributes and group united, includes merged by
-- association, everything else replaced.
-- @param class the model that is read; nil: not known
-- @return a new table
function merge(first, second, class)
  local merged = option_tables.copy(first)
  for name, value in next, second do
    local merger = merged[name] ~= nil and mergers[name]
    if merger then merged[name] = merger(merged[name], value, class) else merged[name] = value end
  end
  return merged
end

-- Declaring ----------------------------------------------------------------------------------------------------------

--- Checks the names in a scope.
local function check_table(what, given)
  if type(given) ~= "table" or getmetatable(given) then
    errors.usage("%s must be a table of options, got %s", what, type(given))
  end
  option_tables.check(what, given, allowed)
  return given
end

local function check_scope(what, given)
  if type(given) ~= "function" then check_table(what, given) end
end

--- Checks the model options `defaultScope` and `scopes`.
function scope.check(model, given)
  if given.defaultScope ~= nil then check_table(model .. ": defaultScope", given.defaultScope) end
  if given.scopes == nil then return end
  if type(given.scopes) ~= "table" or getmetatable(given.scopes) then
    errors.usage("%s: scopes must be a table, got %s", model, type(given.scopes))
  end
  for name, each in next, given.scopes do
    if type(name) ~= "string" or name == "defaultScope" then
      errors.usage("%s: scopes: %s can't be the name of a scope", model, errors.text(name))
    end
    check_scope(("%s: scope %q"):format(model, name), each)
  end
end

--- A model has been defined.
-- @return whether it has scopes
function scope.declare(meta)
  local given = meta.options
  meta.default_scope = given.defaultScope and option_tables.copy_deep(given.defaultScope) or nil
  meta.scopes = option_tables.copy_deep(given.scopes or {})
  if meta.default_scope then core.set_default_scope(meta[1], meta.default_scope.where) end
  return meta.default_scope ~= nil or next(meta.scopes) ~= nil
end

--- Adds a scope; one of the same name only with `override = true`. "defaultScope" is the default one.
function scope.add(class, name, given, options)
  local meta = getmetatable(class)
  if type(name) ~= "string" or name == "" then
    errors.usage("%s:addScope: a name expected, got %s", meta.name, type(name))
  end
  option_tables.expect_table(meta.name .. ":addScope", options)
  option_tables.check(meta.name .. ":addScope", options or {}, { override = true })
  local is_default = name == "defaultScope"
  local what = ("%s: scope %q"):format(meta.name, name)
  if is_default then check_table(what, given) else check_scope(what, given) end
  local there = meta.scopes[name]
  if is_default then there = meta.default_scope end
  if there ~= nil and not (options and options.override) then
    errors.usage("%s is there already (give {override = true} to replace it)", what)
  end
  if not is_default then
    meta.scopes[name] = option_tables.copy_deep(given)
    return
  end
  meta.default_scope = option_tables.copy_deep(given)
  core.set_default_scope(meta[1], meta.default_scope.where)
end

-- Choosing -----------------------------------------------------------------------------------------------------------

local function names_of(meta)
  local names = { "defaultScope" }
  for name in next, meta.scopes do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The scope that is asked for by name; functions are called with the arguments.
local function chosen(meta, wanted)
  local name, arguments = wanted, {}
  if type(wanted) == "table" and not getmetatable(wanted) then
    name = wanted[1]
    local count = 1
    for place in next, wanted do
      if math.type(place) ~= "integer" or place < 1 then
        errors.usage("%s: a scope with arguments is given as {name, ...}", meta.name)
      end
      count = math.max(count, place)
    end
    arguments = table.pack(table.unpack(wanted, 2, count))
  end
  if name == "defaultScope" then return meta.default_scope or {} end
  local found = type(name) == "string" and meta.scopes[name]
  if not found then
    errors.usage("%s has no scope %s%s", meta.name, errors.shown(name), option_tables.hint(name, names_of(meta)))
  end
  if type(found) ~= "function" then
    if arguments.n == nil or arguments.n == 0 then return found end
    errors.usage("%s: scope %q is a table and takes no arguments (several scopes are given one by one, scope(%q, %s))",
      meta.name, name, name, type(arguments[1]) == "string" and ("%q"):format(arguments[1]) or "...")
  end
  local made = operation.inside(meta.db, found, table.unpack(arguments, 1, arguments.n or 0))
  return check_table(("%s: what scope %q returns"):format(meta.name, name), made)
end

--- The scopes in force on a class or a scope object.
local function in_force(self)
  local meta = getmetatable(self)
  local scoped = rawget(meta, "scoped")
  return scoped or meta.default_scope and { meta.default_scope } or {}
end

--- The option `scope` of getters: false for none, nil or true for the default, a name, or a list of names.
-- @return a class or scope object
function scope.of_option(class, given)
  if given == nil or given == true then return class end
  if given == false then return scope.unscoped(class) end
  if type(given) == "table" and core.is_class(given) and getmetatable(given).class == class then return given end
  if type(given) == "table" and not getmetatable(given) then return scope.new(class, given) end
  return scope.new(class, { given })
end

-- Applying -----------------------------------------------------------------------------------------------------------

--- The options of a find with the scopes in force.
-- @param self class or scope object
-- @param options of the call, a table of its own
function scope.merged(self, options)
  local scopes = in_force(self)
  if #scopes == 0 then return options end
  local class, merged = getmetatable(self).class, {}
  for _, each in ipairs(scopes) do merged = merge(merged, each, class) end
  return merge(merged, options, class)
end

--- Of scopes only what says which rows there are: for counts and the like.
function scope.conditions(self, options)
  local class, merged = getmetatable(self).class, {}
  for _, each in ipairs(in_force(self)) do
    merged = merge(merged, { where = each.where, include = each.include, paranoid = each.paranoid }, class)
  end
  return merge(merged, options, class)
end

--- The options of a write of many rows, restricted to the rows of the scopes. The call must name rows by itself.
-- @param verb of the call, for messages
function scope.narrowed(self, options, verb)
  local standing
  core.check_condition(getmetatable(self).class, options, verb)
  for _, each in ipairs(in_force(self)) do standing = both(standing, each.where) end
  if options.truncate then return options end
  if standing == nil or not core.has_condition(getmetatable(self).class, standing) then return options end
  options = option_tables.copy(options)
  options.where, options.all = both(standing, options.where), nil
  return options
end

-- Scope objects ------------------------------------------------------------------------------------------------------

--- Methods that are about the model itself, whatever scopes are in force.
local of_model = {}
for name in ([[belongsTo hasOne hasMany belongsToMany association describe sync drop addScope addHook removeHook hasHook
    keys]]):gmatch "%a+" do
  of_model[name] = true
end
for name in pairs(require "liga.hooks".kinds) do of_model[name] = true end

local function text_of(class, names)
  return ("%s:scope(%s)"):format(class.name, table.concat(names, ", "))
end

--- Two scope objects are equal if the same scopes of one model are in force; those that functions return never are.
local function same_scopes(a, b)
  if not core.is_class(a) or not core.is_class(b) then return false end
  local one, other = getmetatable(a), getmetatable(b)
  local first, second = rawget(one, "scoped"), rawget(other, "scoped")
  if not first or not second or one.class ~= other.class or #first ~= #second then return false end
  for place, each in ipairs(first) do
    if not rawequal(each, second[place]) then return false end
  end
  return true
end

local function object(class, scopes, names)
  local meta = getmetatable(class)
  local own = { meta[1], scoped = scopes, __name = "liga.Scope", __eq = same_scopes }
  function own.__index(_, name)
    local value = class[name]
    if not of_model[name] then return value end
    return function(_, ...) return value(class, ...) end
  end
  function own.__newindex(_, name)
    errors.usage("%s is read-only: assign %s to the model itself", text_of(class, names), errors.text(name))
  end
  function own.__tostring() return text_of(class, names) end
  return setmetatable({}, setmetatable(own, { __index = meta }))
end

--- The model with other scopes in force, instead of the default one.
-- @param class the model
-- @param wanted list of names, or {name, arguments ...}
-- @return a scope object
function scope.new(class, wanted)
  local meta, scopes, names = getmetatable(class), {}, {}
  for place, each in ipairs(wanted) do
    scopes[place] = chosen(meta, each)
    names[place] = ("%q"):format(tostring(type(each) == "table" and each[1] or each))
  end
  return object(class, scopes, names)
end

--- The model without any scope.
function scope.unscoped(class)
  return object(class, {}, {})
end

return scope
