--- What goes before a row is destroyed: by the option `dependent` of hasOne and hasMany, and junction rows that no
-- constraint takes away.
--
--   "destroy" destroys the targets one by one, with their hooks · "delete" deletes them; both with what depends on them
--   "nullify" clears their foreign key · "restrict" refuses
--
-- Everything happens in one transaction. But for "destroy" rows are read and written by sets, a level of the tree at
-- a time. Scopes and hooks of finds have no part in it. What is only marked as deleted keeps its links, and what is
-- marked already is left alone, unless the call has force = true.
local core = require "liga.core"
local errors = require "liga.errors"
local keyset = require "liga.keyset"
local option_tables = require "liga.options"
local record = require "liga.association.record"
local transaction = require "liga.transaction"
local write = require "liga.behaviour.write"

local dependents = {}

local destroy_one                   -- function(context, instance, options) that applies the rules of an instance first
local apply                         -- name of a rule → function(context, association record, condition)

-- Rules --------------------------------------------------------------------------------------------------------------

local function rule_of(a)
  if not a.complete then return nil end
  if a.read.dependent then return a.read.dependent end
  return a.kind.name == "belongsToMany" and not record.has_constraint(a) and "unlink" or nil
end

--- The associations of a model that have rules; "restrict" first: it must see the rows before another rule takes them.
local function rules_of(class)
  local first, rest = {}, {}
  for _, a in ipairs(getmetatable(class).associations) do
    local rule = rule_of(a)
    local list = rule == "restrict" and first or rest
    list[#list + 1] = rule and { name = rule, association = a } or nil
  end
  return table.move(rest, 1, #rest, #first + 1, first)
end

--- What has to be known of a row to find what depends on it.
local function needed_names(class, rules)
  local names, seen = {}, {}
  local function add(list)
    for _, name in ipairs(list) do
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  add(class.primaryKey)
  for _, rule in ipairs(rules) do add(rule.association.sourceKey) end
  return names
end

--- The values of the source's key over all rows; a row without is nobody's source.
local function source_keys(a, rows)
  local keys = {}
  for _, row in ipairs(rows) do
    local key = {}
    for _, name in ipairs(a.sourceKey) do key[#key + 1] = row[name] end
    if #key == #a.sourceKey then keys[#keys + 1] = key end
  end
  return keys
end

--- The condition for what belongs to these rows: linked by key, inside scope and filter of the association.
local function condition(a, rows)
  local list = { keyset.among(a.foreignKey, source_keys(a, rows)) }
  if a.kind.name == "belongsToMany" then
    list[#list + 1] = a.read.through.scope
    return list
  end
  list[#list + 1] = a.read.scope
  list[#list + 1] = a.read.where
  return list
end

-- Rows ---------------------------------------------------------------------------------------------------------------

--- Options of a call that is part of a destroy.
local function calling(context, more)
  more.transaction, more.logging = context.transaction, context.logging
  return more
end

--- The same for a read: with force rows that are marked as deleted count too.
local function reading(context, more)
  if context.force then more.paranoid = false end
  return calling(context, more)
end

--- … and for what removes rows.
local function removing(context, more)
  more.force = context.force
  return calling(context, more)
end

local function find_rows(context, class, rules, find)
  find.attributes, find.raw = needed_names(class, rules), true
  if #find.attributes == 0 then find.attributes = nil end
  return core.class_methods.findAll(class, reading(context, find))
end

--- Leaves out rows that were met before: references may run in circles.
local function new_rows(context, class, rows)
  if #class.primaryKey == 0 then return rows end
  local met, fresh = context.met[class] or {}, {}
  context.met[class] = met
  for _, row in ipairs(rows) do
    local key = keyset.text(row, class.primaryKey)
    if not met[key] then fresh[#fresh + 1] = row end
    met[key] = keyset.values(row, class.primaryKey)
  end
  return fresh
end

--- Whether a row was not met before; it isn't noted.
local function is_new(context, class, row)
  local met = context.met[class]
  return not (met and met[keyset.text(row, class.primaryKey)])
end

--- The condition for the rows of a class that were met: they are about to be destroyed. nil: there are none.
local function met_rows(context, class)
  local keys = {}
  for _, key in next, context.met[class] or {} do keys[#keys + 1] = key end
  return keys[1] and keyset.among(class.primaryKey, keys)
end

--- Applies the rules to what depends on rows.
-- @return the rows that were not met before
local function apply_rules(context, class, rules, rows)
  local fresh = new_rows(context, class, rows)
  if #fresh == 0 then return fresh end
  for _, rule in ipairs(rules) do
    apply[rule.name](context, rule.association, condition(rule.association, fresh))
  end
  return fresh
end

--- The condition for just these rows, where they have keys.
local function naming(class, rows, otherwise)
  if #class.primaryKey == 0 then return otherwise end
  local keys = {}
  for i, row in ipairs(rows) do keys[i] = keyset.values(row, class.primaryKey) end
  return keyset.among(class.primaryKey, keys)
end

apply = {
  ["delete"] = function(context, a, where)
    local class, rules = a.target, rules_of(a.target)
    if #rules > 0 then
      local fresh = apply_rules(context, class, rules, find_rows(context, class, rules, { where = where }))
      where = naming(class, fresh, where)
    end
    local count = core.class_methods.destroy(class, removing(context, { where = where }), true)
    context.taken = context.taken or count > 0
  end,

  destroy = function(context, a, where)
    local find = reading(context, { where = where, order = a.target.primaryKey })
    for _, instance in ipairs(core.class_methods.findAll(a.target, find)) do
      local options = removing(context, { hooks = context.hooks })
      if is_new(context, a.target, instance) then
        context.taken = true
        write.single(instance, "Destroy", options, function(each, with) return destroy_one(context, each, with) end)
      end
    end
  end,

  nullify = function(context, a, where)
    local values = {}
    for _, name in ipairs(a.foreignKey) do values[name] = core.null end
    local goes = not getmetatable(a.source).deletedAt or context.force      -- then nothing may refer to it any more
    local function update(more)
      core.class_methods.update(a.target, values, calling(context, { where = { where, more }, paranoid = not goes }))
    end
    local version, going = getmetatable(a.target).version, met_rows(context, a.target)
    if not version or not going then return update() end
    update { [core.Op.not_] = going }
    values[version] = core.col(version)                     -- who destroys them has seen them as they were
    update(going)
  end,

  restrict = function(context, a, where)
    if not core.class_methods.exists(a.target, reading(context, { where = where })) then return end
    errors.raise("AssociationError",
      ('%s can\'t be destroyed: rows of %s still belong to it (dependent = "restrict")'):format(a.source.name, a.label),
      { model = a.source.name, attribute = a.as, attributes = { a.as } })
  end,

  unlink = function(context, a, where)
    if getmetatable(a.source).deletedAt and not context.force then return end
    core.class_methods.destroy(a.through, calling(context, { where = where, force = true }), true)
  end,
}

-- Destroying ---------------------------------------------------------------------------------------------------------

local function new_context(options)
  return {
    met = {}, taken = false, transaction = options.transaction, logging = options.logging,
    force = options.force, hooks = options.hooks,
  }
end

--- The row of an instance as it is stored, not as the instance was changed or which attributes were read.
local function stored_row(context, class, rules, instance)
  local row, where = {}, instance:where()
  for _, name in ipairs(needed_names(class, rules)) do
    row[name] = where[name]
    if row[name] == nil then row[name] = core.previous(instance, name) end
    if row[name] == nil then return find_rows(context, class, rules, { where = where, paranoid = false })[1] end
  end
  return row
end

--- A row that has been taken away meanwhile, with one that it belonged to, is as gone as it should be.
local function destroy_remaining(context, instance, options, plainly)
  local ok, e = pcall(core.destroy, instance, options, plainly)
  if ok then return instance end
  local expected = errors.is(e, "InstanceError") or errors.is(e, "OptimisticLockError")
  local find = reading(context, { where = instance:where() })
  if not expected or core.class_methods.exists(core.class_of(instance), find) then error(e, 0) end
  return instance
end

--- Destroys one of several rows that were read at once: those before it may have taken it with them.
-- @param plainly true: the rules are skipped
function dependents.destroy_one_of(instance, options, plainly)
  return destroy_remaining(new_context(options), instance, options, plainly)
end

function destroy_one(context, instance, options)
  local class = core.class_of(instance)
  local rules = rules_of(class)
  local row = stored_row(context, class, rules, instance)
  if row then apply_rules(context, class, rules, { row }) end
  return destroy_remaining(context, instance, options, true)
end

--- Destroys an instance by the rules of its model.
-- @param instance a stored one
-- @param options of instance:destroy
function dependents.destroy_instance(instance, options)
  local class = core.class_of(instance)
  option_tables.expect_table(class.name, options, "destroy")
  local rules, given = rules_of(class), option_tables.copy(options)
  return transaction.atomically(getmetatable(class).db, given, function()
    local context = new_context(given)
    local row = stored_row(context, class, rules, instance)
    if row then apply_rules(context, class, rules, { row }) end
    if context.taken then return destroy_remaining(context, instance, options, true) end
    return core.destroy(instance, options, true)
  end)
end

--- The options for just the rows that were found: what the where says of associated rows may no longer be true of them.
local function these(class, rows, options)
  if not options.where or #class.primaryKey == 0 then return options end
  local named = option_tables.copy(options)
  named.where, named.limit = naming(class, rows), nil
  return named
end

--- Whether options say which rows are meant: by all, or by a where with a condition in it.
local function name_rows(class, options)
  if type(options) ~= "table" then return false end
  return options.all ~= nil or options.where ~= nil and core.has_condition(getmetatable(class).class, options.where)
end

--- Destroys rows of a model by its rules.
-- @param options of Model:destroy; one that names no rows is refused by the core before anything happens
-- @return the number of rows; with `returning` the rows
function dependents.destroy_where(class, options)
  if not name_rows(class, options) then return core.class_methods.destroy(class, options, true) end
  local rules = rules_of(class)
  return transaction.atomically(getmetatable(class).db, options, function()
    local context = new_context(options)
    local rows = find_rows(context, class, rules, {
      where = options.where, limit = options.limit, order = options.limit and class.primaryKey or nil,
    })
    apply_rules(context, class, rules, rows)
    local _, deleted = core.class_methods.destroy(class, these(class, rows, options), true)
    if deleted then return #rows, deleted end
    return #rows
  end)
end

return dependents
