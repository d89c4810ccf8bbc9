--- What a connection knows of its models beyond `db.models`: their order, and what waits for models to come.
local core = require "liga.core"

local registry = {}

--- The definitions of a connection.
-- @return {classes = models in order of definition, references, associations = what waits for a model}
function registry.of(db)
  local private = db._
  if not private.definitions then
    private.definitions = { classes = {}, references = {}, associations = {} }
  end
  return private.definitions
end

--- The model of this name, or nil.
function registry.find(db, name)
  return db.models[name]
end

--- The names of all models, in order of definition.
function registry.names(db)
  local names = {}
  for i, class in ipairs(registry.of(db).classes) do names[i] = class.name end
  return names
end

--- Whether a value is a model.
function registry.is_model(value)
  return core.is_class(value)
end

--- Adds a model.
function registry.add(db, class)
  local classes = registry.of(db).classes
  classes[#classes + 1] = class
  rawset(db.models, class.name, class)
end

--- Forgets a model whose making failed.
function registry.remove(db, class)
  local classes = registry.of(db).classes
  for i = #classes, 1, -1 do
    if classes[i] == class then table.remove(classes, i) end
  end
  rawset(db.models, class.name, nil)
end

return registry
