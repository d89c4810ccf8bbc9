--- Hooks: their names, the functions that models and connections have for them, and running these.
--
-- A registry maps the name of a hook to the list of its functions, `{name = ..., call = function}`, in the order in
-- which they were added. Lists are never changed in place, so that a hook may add and remove hooks while it runs.
local errors = require "liga.errors"
local option_tables = require "liga.options"

local hooks = {}

-- Names --------------------------------------------------------------------------------------------------------------

--- Hooks of models; a connection has them for all its models. The value says how the rows meet them: "single" with an
-- instance, "bulk" with the options.
local of_models = {
  Validate = "single", Create = "single", Update = "single", Save = "single", Destroy = "single", Restore = "single",
  Upsert = "bulk", BulkCreate = "bulk", BulkUpdate = "bulk", BulkDestroy = "bulk", BulkRestore = "bulk",
  Find = "find", Count = "find", Associate = "declare", Sync = "declare",
}

--- Hooks that only a connection has.
local of_databases = { Define = true, BulkSync = true, Connect = true, Disconnect = true, Query = true }

--- The later ones before a find have nothing after them.
local single_moments = { "beforeFindAfterExpandIncludeAll", "beforeFindAfterOptions" }

--- name → "single", "bulk", "find", "declare" or "database"
hooks.kinds = {}
for event, kind in pairs(of_models) do
  hooks.kinds["before" .. event], hooks.kinds["after" .. event] = kind, kind
end
for event in pairs(of_databases) do
  hooks.kinds["before" .. event], hooks.kinds["after" .. event] = "database", "database"
end
for _, name in ipairs(single_moments) do hooks.kinds[name] = "find" end

--- The names of all hooks, sorted; those of connections only on demand.
function hooks.names(with_database)
  local names = {}
  for name, kind in pairs(hooks.kinds) do
    if with_database or kind ~= "database" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Raises UsageError, naming the nearest, unless a hook of this name can be given here.
-- @param owner {what = "User", database = boolean}
local function check_name(owner, name)
  local kind = type(name) == "string" and hooks.kinds[name]
  if kind and (kind ~= "database" or owner.database) then return end
  if kind then errors.usage("%s: the hook %q belongs to the connection: db:addHook(%q, …)", owner.what, name, name) end
  local hint = option_tables.hint(name, hooks.names(owner.database))
  errors.usage("%s: there is no hook %s%s", owner.what, errors.shown(name), hint)
end

-- Registries ---------------------------------------------------------------------------------------------------------

local function check_function(owner, name, call)
  if type(call) == "function" then return end
  errors.usage("%s: the hook %q must be a function, got %s", owner.what, name, type(call))
end

--- The list with one more at its end; the old one stays as it is.
local function extended(list, hook)
  local new = table.move(list or {}, 1, list and #list or 0, 1, {})
  new[#new + 1] = hook
  return new
end

--- Adds a function to a registry.
-- @param ... [a name by which it can be removed,] the function
function hooks.add(registry, owner, hook, ...)
  check_name(owner, hook)
  local name, call = ...
  if select("#", ...) < 2 then name, call = nil, name end
  if name ~= nil and type(name) ~= "string" then
    errors.usage("%s: the name of a hook must be a string, got %s", owner.what, type(name))
  end
  check_function(owner, hook, call)
  registry[hook] = extended(registry[hook], { name = name, call = call })
end

--- Removes functions by name or by themselves; without: all of the hook.
-- @return how many there were
function hooks.remove(registry, owner, hook, which)
  check_name(owner, hook)
  local kept, removed = {}, 0
  for _, each in ipairs(registry[hook] or {}) do
    local matches = which == nil or each.name == which or each.call == which
    if matches then removed = removed + 1 else kept[#kept + 1] = each end
  end
  registry[hook] = kept[1] and kept or nil
  return removed
end

--- Whether there is a function for a hook.
function hooks.has(registry, owner, hook, which)
  check_name(owner, hook)
  for _, each in ipairs(registry[hook] or {}) do
    if which == nil or each.name == which or each.call == which then return true end
  end
  return false
end

--- Adds what an option `hooks` gives: name → function, or list of functions.
function hooks.add_all(registry, owner, given)
  local names = {}
  for name in next, given do
    check_name(owner, name)
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local list = type(given[name]) == "table" and given[name] or { given[name] }
    for _, call in ipairs(list) do hooks.add(registry, owner, name, call) end
    if #list == 0 then check_function(owner, name, nil) end
  end
end

--- Checks an option `hooks` without keeping it.
function hooks.check(owner, given)
  if type(given) ~= "table" then errors.usage("%s: hooks must be a table, got %s", owner.what, type(given)) end
  hooks.add_all({}, owner, given)
end

-- Running ------------------------------------------------------------------------------------------------------------

--- The functions of a model and of its connection for a hook, or nil. Calls that are only written run none.
local function lists_of(class, hook)
  local meta = getmetatable(class)
  local own, general = meta.hooks, meta.db._.hooks
  if meta.db._.dry then return nil end
  return own and own[hook] or nil, general and general[hook] or nil
end

--- Whether any of these hooks has functions.
-- @param names list of names of hooks
function hooks.any(class, names)
  for _, name in ipairs(names) do
    local own, general = lists_of(class, name)
    if own or general then return true end
  end
  return false
end

--- Runs the functions for a hook of a model: its own, then those of the connection. Errors go through as they are.
function hooks.run(class, hook, ...)
  local own, general = lists_of(class, hook)
  for _, each in ipairs(own or {}) do each.call(...) end
  for _, each in ipairs(general or {}) do each.call(...) end
end

--- Runs the functions that a connection has for a hook.
function hooks.run_on(db, hook, ...)
  local registry = db._.hooks
  for _, each in ipairs(registry and registry[hook] or {}) do each.call(...) end
end

return hooks
