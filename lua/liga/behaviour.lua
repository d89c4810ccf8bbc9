--- Models that declare behaviour (hooks, validators, setters, VIRTUAL attributes, scopes): their methods are those of
-- `behaviour.class` and `behaviour.instance`, which run your code around the core's. A model without keeps the core's
-- own methods, and pays nothing.
local core = require "liga.core"
local hooks = require "liga.hooks"
local operation = require "liga.operation"
local registry = require "liga.define.registry"
local scope = require "liga.scope"
local virtual = require "liga.virtual"

local behaviour = {}

--- From now on the model's methods run what it declares.
function behaviour.enable(class)
  local meta = getmetatable(class)
  if meta.behaves then return end
  meta.behaves = true
  meta.__index = require "liga.behaviour.class".methods
  getmetatable(class.methods).__index = require "liga.behaviour.instance".methods
  core.set_behaves(meta[1])
end

local function has_validators(meta)
  if meta.options.validate and next(meta.options.validate) then return true end
  for _, list in ipairs { meta.attributes, meta.virtuals } do
    for _, record in ipairs(list) do
      if record.validators then return true end
    end
  end
  return false
end

local function declare_hooks(meta)
  local general, own = meta.db._.define and meta.db._.define.hooks, meta.options.hooks
  if not own then return end
  meta.hooks = {}
  if general and general ~= own then hooks.add_all(meta.hooks, { what = meta.name }, general) end
  hooks.add_all(meta.hooks, { what = meta.name }, own)
end

--- Whether the connection has hooks for its models.
local function has_general_hooks(db)
  for name in pairs(db._.hooks or {}) do
    if hooks.kinds[name] ~= "database" then return true end
  end
  return false
end

--- A model has been defined: sees whether it declares any behaviour.
function behaviour.declare(class)
  local meta = getmetatable(class)
  declare_hooks(meta)
  local scoped = scope.declare(meta)
  local assigns = #meta.setters > 0 or #meta.virtuals > 0
  local declares = scoped or meta.version or meta.hooks or has_validators(meta) or assigns
  if declares or has_general_hooks(meta.db) then behaviour.enable(class) end
end

--- An association has made an attribute, or has given it options: it may have a validator, getter or setter now.
function behaviour.of_attribute(class, record)
  local meta = getmetatable(class)
  virtual.learn(meta, record)
  if record.validators or record.given.set then behaviour.enable(class) end
end

-- Hooks --------------------------------------------------------------------------------------------------------------

--- Adds a hook to a model.
-- @param ... name of the hook, [a name,] function
function behaviour.add_hook(class, hook, ...)
  local meta = getmetatable(class)
  meta.hooks = meta.hooks or {}
  hooks.add(meta.hooks, { what = class.name }, hook, ...)
  behaviour.enable(class)
end

--- Adds a hook to a connection, for all its models.
function behaviour.add_general_hook(db, hook, ...)
  local private = db._
  private.hooks = private.hooks or {}
  hooks.add(private.hooks, { what = "db", database = true }, hook, ...)
  if not db._.dry then operation.watch(db) end
  if not has_general_hooks(db) then return end
  for _, class in ipairs(registry.of(db).classes) do behaviour.enable(class) end
end

return behaviour
