--- The methods of models. What is hot is in the core; here is what puts several calls together.
local association = require "liga.association"
local behaviour = require "liga.behaviour"
local core = require "liga.core"
local define = require "liga.define"
local errors = require "liga.errors"
local dry = require "liga.dry"
local find_or = require "liga.find_or"
local handlers = require "liga.handlers"
local hooks = require "liga.hooks"
local keyset = require "liga.keyset"
local nested = require "liga.nested"
local option_tables = require "liga.options"
local page = require "liga.page"
local schema = require "liga.schema"
local scope = require "liga.scope"
local transaction = require "liga.transaction"

local model = { methods = {} }
local methods, copy = model.methods, option_tables.copy

-- From the core, with the options of `option_table` in csrc/lua/find_options.c and csrc/lua/write_options.c:
--   findAll(options) → list of instances · findOne(options), findByPk(key, options) → instance or nil
--   count(options) → integer · sum, min, max, avg(attribute, options) → value · exists(options) → boolean
--     (count, sum, min, max, avg with `group` → list of rows)
--   build(values) → instance · create(values, options) → instance · bulkCreate(list, options) → list of instances
--   update(values, options), destroy(options), increment, decrement(what, options) → number of rows; with
--     `returning` the rows too. They need `where` with a condition, or `all = true`.
-- They raise UsageError for names and options, ValidationError for values, EmptyResultError with `rejectOnEmpty`,
-- and the constraint errors of the database.
for name, method in pairs(core.class_methods) do methods[name] = method end
for name, definer in pairs(association.definers) do methods[name] = definer end

local create, build, bulk_create = methods.create, methods.build, methods.bulkCreate

--- Whether the options ask for nested values.
local function is_nested(options)
  return type(options) == "table" and rawget(options, "include") ~= nil
end

--- Creates a row; with `include` also what is nested in the values under names of associations, in one transaction.
-- Raises as said above; errors about nested values tell their path ("comments[2].text").
-- @param values {attribute = value}
-- @param options {include, fields, validate, hooks, silent, transaction, logging …}, or nil
-- @return the instance
function methods:create(values, options)
  if options == nil or not is_nested(options) then return create(self, values, options) end
  return nested.create(self, values, options, function(instance, own) return nested.save(instance, own, true) end)
end

--- An instance that is not stored yet; with `include` also what is nested in the values.
-- @param values {attribute = value}
-- @param options {include}, or nil
-- @return the instance
function methods:build(values, options)
  if not is_nested(options) then return build(self, values, options) end
  return nested.build(self, values, options.include)
end

--- Creates many rows in few statements; with `include` also what is nested in their values.
-- @param list of tables of values, or built instances
-- @param options as create, and those about rows that are there already
-- @return list of instances, in order
function methods:bulkCreate(list, options)
  if not is_nested(options) then return bulk_create(self, list, options) end
  return nested.bulk(self, list, options, function(built, own) return bulk_create(self, built, own) end)
end

local function meta_of(class, method)
  if not core.is_class(class) then
    errors.usage("a model expected as self of %s, got %s (call it with a colon: Model:%s(…))", method, type(class),
      method)
  end
  return getmetatable(class)
end

--- The options of a call as a plain table of its own; what a metatable would add is no option.
local function check_options(method, options)
  option_tables.expect_table(method, options)
  return copy(options)
end

-- Keys ---------------------------------------------------------------------------------------------------------------

local function check_keyed(class)
  if #class.primaryKey > 0 then return end
  errors.raise("InstanceError", class.name .. " has no primary key", { model = class.name })
end

--- A key as a table by name: from one value, a list in the key's order, such a table, or an instance.
local function named_key(class, key)
  local names = class.primaryKey
  check_keyed(class)
  if core.class_of(key) == getmetatable(class).class then return key:where() end
  if type(key) ~= "table" then
    if #names > 1 then errors.usage("%s: a key of %d parts expected, got %s", class.name, #names, type(key)) end
    if key == nil or key == core.null then errors.usage("%s: a key is nil", class.name) end
    return { [names[1]] = key }
  end
  local named, count = {}, 0
  for _ in next, key do count = count + 1 end
  for place, name in ipairs(names) do
    named[name] = key[name]
    if key[name] == nil then named[name] = key[place] end
    if named[name] == nil or named[name] == core.null or count ~= #names then
      errors.usage("%s: a key needs exactly its parts: %s", class.name, table.concat(names, ", "))
    end
  end
  return named
end

--- Keys as tables by name.
local function named_keys(class, what, list)
  local named = option_tables.list(what, list)
  check_keyed(class)
  for i, key in ipairs(named) do named[i] = named_key(class, key) end
  return named
end

--- The condition for rows with one of these keys.
local function among(class, named)
  local names, tuples = class.primaryKey, {}
  for i, key in ipairs(named) do tuples[i] = keyset.values(key, names) end
  return keyset.among(names, tuples)
end

--- A condition that names rows by their keys: `where = User:keys{ {1, 2}, {3, 4} }`. Raises UsageError for an
-- incomplete key, InstanceError for a model without key.
-- @param list of keys: values, lists in the key's order, tables by name, or instances
-- @return a condition for `where`
function methods:keys(list)
  meta_of(self, "keys")
  return among(self, named_keys(self, "keys", list))
end

local function appended(list, more)
  local all = {}
  for _, part in ipairs { list or {}, more } do
    for _, item in ipairs(part) do all[#all + 1] = item end
  end
  return all
end

--- The option `attributes` so that some attributes are among them.
-- @param more what else is to be selected, {{path, alias} …}, or nil
function model.selecting(attributes, names, more)
  if attributes == nil and more and #more > 0 then return { include = more } end
  if type(attributes) ~= "table" then return attributes end
  local needed, chosen = {}, copy(attributes)
  if chosen.exclude == nil and chosen.include == nil then chosen = option_tables.list("attributes", chosen) end
  for _, name in ipairs(names) do needed[name] = true end
  if type(chosen.exclude) == "table" then
    chosen.exclude = core.list()
    for _, name in ipairs(attributes.exclude) do
      if not needed[name] then table.insert(chosen.exclude, name) end
    end
  end
  if chosen.exclude ~= nil or chosen.include ~= nil then
    if more and #more > 0 then chosen.include = appended(chosen.include, more) end
    return chosen
  end
  for _, name in ipairs(chosen) do needed[name] = nil end
  for _, name in ipairs(names) do
    if needed[name] then table.insert(chosen, name) end
  end
  return appended(chosen, more or {})
end

--- Finds rows by keys: in the order of the keys, those without a row left out. The key is read whatever `attributes`
-- says.
-- @param list of keys, as `keys` takes them
-- @param options as findAll, or nil
-- @return list of instances
function methods:findByPks(list, options)
  local db = meta_of(self, "findByPks").db
  local find = check_options("findByPks", options)
  local keys = named_keys(self, "findByPks", list)
  local condition = among(self, keys)
  find.where = find.where and { condition, find.where } or condition
  find.attributes = model.selecting(find.attributes, self.primaryKey)
  if #keys == 0 then
    dry.run(db, function() return self:findAll(find) end)
    return core.list()
  end
  return core.by_keys(getmetatable(self).class, keys, self:findAll(find))
end

-- Finding ------------------------------------------------------------------------------------------------------------

local function is_list(value)
  return type(value) == "table" and getmetatable(value) == nil
end

--- The order of groups by what they are groups of.
local function group_order(group)
  if group == nil then return nil end
  local order = {}
  for i, entry in ipairs(is_list(group) and group or { group }) do order[i] = { entry, "ASC" } end
  return order
end

--- Of the options of a find those that say which rows there are to be counted.
function model.counting(options)
  local counting = copy(options)
  for _, name in ipairs { "limit", "offset", "order", "attributes", "raw", "rejectOnEmpty", "lock", "skipLocked" } do
    counting[name] = nil
  end
  counting.order = group_order(options.group)
  return counting
end

--- Rows and the number of all that match, whatever the limit. Both are read at one moment, on a server in one round
-- trip; grouped, in one transaction.
-- @param options as findAll, or nil
-- @return list of instances
-- @return how many rows match without limit and offset; with `group` a list of rows, a count for each group, in the
-- order of the groups
function methods:findAndCountAll(options)
  local meta = meta_of(self, "findAndCountAll")
  options = check_options("findAndCountAll", options)
  local counting = model.counting(options)
  if options.group == nil then return core.find_and_count(self, options, counting) end
  dry.run(meta.db, function() return self:findAll(options) end)       -- what is wrong raises before anything is sent
  return transaction.snapshot(meta.db, options, function()
    return self:findAll(options), self:count(counting)
  end)
end

local each_options = { batch = true, transaction = true, logging = true }
for name in pairs(core.find_options) do each_options[name] = true end

local function check_batch(options)
  local batch = options.batch == nil and 500 or options.batch
  if math.type(batch) ~= "integer" or batch < 1 then errors.usage "each: batch must be a positive integer" end
  for _, name in ipairs { "offset", "group", "having", "distinct" } do
    if options[name] ~= nil then errors.usage("each: option %q does not go with batches", name) end
  end
  if options.limit ~= nil and (math.type(options.limit) ~= "integer" or options.limit < 0) then
    errors.usage "each: limit must be a non-negative integer"
  end
  return batch
end

--- Reads batch after batch: each begins behind the last row of the one before, as it was read.
-- @param find options of the finds
-- @return function that gives the next rows, or nil
local function batches(class, find, terms, batch)
  local where, left, last = find.where, find.limit or math.huge, nil
  return function()
    if left <= 0 then return nil end
    find.limit = math.min(batch, left)
    if last then find.where = { keyset.after(terms, last), where } end
    local rows = class:findAll(find)
    find.rejectOnEmpty = nil                                  -- only where there are no rows at all
    left = #rows < batch and 0 or left - #rows
    last = rows[1] and keyset.position(terms, rows[#rows])
    keyset.clean(terms, rows)
    return rows
  end
end

--- Iterates over rows in batches: `for user in User:each{ where = … } do`. Rows may be written and the connection used
-- in the body. What the order and the key need is read whatever `attributes` says.
-- @param options as findAll, and `batch` (500)
function methods:each(options)
  meta_of(self, "each")
  options = check_options("each", options)
  option_tables.check("each", options, each_options)
  check_keyed(self)
  local batch, terms, find = check_batch(options), keyset.terms(self, options.order), copy(options)
  find.batch, find.order = nil, keyset.order(terms)
  find.attributes = model.selecting(options.attributes, keyset.needed(terms))
  local next_rows = batches(self, find, terms, batch)
  local rows, at = next_rows() or {}, 0
  return function()
    if at == #rows then rows, at = next_rows() or {}, 0 end
    at = at + 1
    return rows[at]
  end
end

--- Checks self and options, and reads a page.
-- @param find_and_count as page.read has it
function model.page(self, options, find_and_count)
  meta_of(self, "page")
  check_keyed(self)
  return page.read(self, check_options("page", options), model.selecting, find_and_count)
end

--- One page of a find, by keyset: `local users, info = User:page{ order = "name", size = 10, after = info.after }`. The
-- key completes the order. Raises UsageError for a cursor that was not made for this order.
-- @param options as findAll, and size (20), after or before: a cursor of another page
-- @return list of instances
-- @return {after, before (cursors, nil at the end), hasNext, hasPrevious}
function methods:page(options)
  return model.page(self, options, core.find_and_count)
end

local function shown_value(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local explaining = {
  sqlite = { command = "EXPLAIN QUERY PLAN ", values = "replacements", column = "detail" },
  postgres = { command = "EXPLAIN ", values = "bind", column = "QUERY PLAN" },
}

local function plan_lines(db, sql, params)
  local lines, how = {}, explaining[db.dialect]
  local rows = core.query(db._.core, how.command .. sql, { [how.values] = params })
  for i, row in ipairs(rows) do lines[i] = "  " .. row[how.column] end
  return lines
end

--- A statement, its parameters and the engine's plan, as lines.
local function statement_lines(db, sql, params, indent)
  local shown, lines = {}, { sql }
  for i, value in ipairs(params) do shown[i] = shown_value(value) end
  if #shown > 0 then lines[2] = "parameters: " .. table.concat(shown, ", ") end
  lines[#lines + 1] = "plan:"
  local plan = plan_lines(db, sql, params)
  table.move(plan, 1, #plan, #lines + 1, lines)
  for i, line in ipairs(lines) do lines[i] = indent .. line end
  return lines
end

--- What a find would do: its statements with parameters and the engine's plans, and for each include the strategy and
-- the reason for it. The keys of the rows above are not known yet: a single one stands for them.
-- @param options as findAll
-- @return text
function methods:explain(options)
  local db = meta_of(self, "explain").db
  local sql, params, parts = dry.run(db, function() return self:findAll(options) end)
  local lines = statement_lines(db, sql, params, "")
  for _, part in ipairs(parts or {}) do
    lines[#lines + 1] = ("include %s: %s (%s)"):format(part.include, part.strategy, part.reason)
    local more = part.sql and statement_lines(db, part.sql, part.params, "  ") or {}
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return table.concat(lines, "\n")
end

-- Writing ------------------------------------------------------------------------------------------------------------

--- Inserts a row, or updates the one that has its key with the values that are given. The key is `conflictFields`, else
-- the primary key if it is given, else the first unique key that is. Which of the two happened is known exactly, also
-- when others write at the same time. Raises as `create`.
-- @param values {attribute = value}
-- @param options {conflictFields, conflictWhere (of a partial unique index), fields, validate, returning, silent,
-- transaction, logging}, or nil
-- @return the instance, as the row now is
-- @return whether it was created
function methods:upsert(values, options)
  meta_of(self, "upsert")
  return core.upsert(self, handlers.fill_defaults(self, values), options, values)
end

--- The row that `where` describes, or an unsaved instance with what `where` and `defaults` say.
-- @param options {where, defaults}, and what findOne takes
-- @return an instance
-- @return whether it was built
function methods:findOrBuild(options)
  return find_or.build(self, meta_of(self, "findOrBuild").db, options)
end

--- The row that `where` describes; where there is none it is created, once, however many do so at the same time: over a
-- unique key that `where` covers, else under a lock. Raises as `create`.
-- @param options {where, defaults}, what findOne takes, and fields, validate, silent for creating
-- @return an instance
-- @return whether it was created
function methods:findOrCreate(options)
  return find_or.create(self, meta_of(self, "findOrCreate").db, options)
end

--- Removes all rows without looking at them one by one, between the hooks of a destroy of many rows.
-- @param options {cascade = true: also of the tables that refer to this one; restartIdentity = true: generated keys
-- begin anew; hooks, transaction, logging}, or nil
function methods:truncate(options)
  schema.truncate(meta_of(self, "truncate").db, self, options)
end

-- Definition ---------------------------------------------------------------------------------------------------------

--- The association of this name; UsageError naming the nearest if there is none.
function methods:association(name)
  meta_of(self, "association")
  return association.find(self, name)
end

--- Readable text about the model: table, attributes, references, associations.
-- @return text of several lines
function methods:describe()
  meta_of(self, "describe")
  return define.describe(self)
end

--- Creates the table and the indexes of this model if they are not there.
-- @param options as db:sync, or nil
-- @return the model; with dryRun the list of statements
function methods:sync(options)
  return schema.sync(meta_of(self, "sync").db, self, options)
end

--- Drops the table of this model.
-- @param options {transaction, logging}, or nil
function methods:drop(options)
  return schema.drop(meta_of(self, "drop").db, self, options)
end

-- Scopes -------------------------------------------------------------------------------------------------------------

--- The model with other scopes in force instead of the default one; without arguments with none.
-- @param ... names of scopes, or {name, arguments ...} for those given as functions
-- @return a scope object: it has every class method
function methods:scope(...)
  local class = meta_of(self, "scope").class
  return scope.new(class, { ... })
end

--- The model without its default scope.
-- @return a scope object
function methods:unscoped()
  return scope.unscoped(meta_of(self, "unscoped").class)
end

--- Adds a scope: a table of find options, or a function that returns one. UsageError if one of this name is there.
-- @param options {override = true} to replace one, or nil
-- @return the model
function methods:addScope(name, given, options)
  local class = meta_of(self, "addScope").class
  scope.add(class, name, given, options)
  behaviour.enable(class)
  return class
end

-- Hooks --------------------------------------------------------------------------------------------------------------

--- Adds a hook; UsageError for an unknown one.
-- @param hook "beforeCreate", "afterFind" …
-- @param ... [a name by which it can be removed,] the function
-- @return the model
function methods:addHook(hook, ...)
  local class = meta_of(self, "addHook").class
  behaviour.add_hook(class, hook, ...)
  return class
end

--- Removes the functions of a hook that have this name or are this function; without: all of them.
-- @return the model
function methods:removeHook(hook, which)
  local meta = meta_of(self, "removeHook")
  hooks.remove(meta.hooks or {}, { what = meta.name }, hook, which)
  return meta.class
end

--- Whether the model itself has functions for a hook (with this name, or this function).
function methods:hasHook(hook, which)
  local meta = meta_of(self, "hasHook")
  return hooks.has(meta.hooks or {}, { what = meta.name }, hook, which)
end

for _, name in ipairs(hooks.names()) do
  --- User:beforeCreate([name,] fn) adds a hook.
  methods[name] = function(class, ...) return methods.addHook(class, name, ...) end
end

return model
