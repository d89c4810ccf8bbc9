--- The generated methods of associations between models that declare behaviour: hooks and scopes around the core's own.
local class_methods = require "liga.behaviour.class"
local core = require "liga.core"
local errors = require "liga.errors"
local link = require "liga.behaviour.link"
local option_tables = require "liga.options"
local scope = require "liga.scope"

local access = {}

-- Reading ------------------------------------------------------------------------------------------------------------

--- The options of a read as a table of their own, and the target with the scopes that hold.
-- @param otherwise what `scope` is where it is not given
local function open(a, method, given, otherwise)
  if given ~= nil and (type(given) ~= "table" or core.is_class(given)) then
    errors.usage("%s: options must be a table, got %s", method, type(given))
  end
  local options = option_tables.copy(given)
  local wanted = options.scope
  if wanted == nil then wanted = otherwise end
  options.scope = nil
  return options, scope.of_option(a.target, wanted)
end

local read = {}

--- An order that the association itself has comes before that of its target's scopes.
function read.get(plain, a, source, given)
  local options, target = open(a, a.accessors.get, given)
  local merged = scope.merged(target, options)
  if a.read.order and options.order == nil then merged.order = nil end
  return class_methods.find(a.target, merged, function(found) return plain(source, found) end)
end

function read.count(plain, a, source, given)
  local options, target = open(a, a.accessors.count, given)
  return class_methods.count(a.target, scope.conditions(target, options),
    function(found) return plain(source, found) end)
end

--- Whether rows are linked is asked of all rows, unless scopes are named.
local function has(verb)
  return function(plain, a, source, targets, given)
    local options, target = open(a, a.accessors[verb], given, false)
    return plain(source, targets, scope.conditions(target, options))
  end
end

read.has, read.hasMultiple = has "has", has "hasMultiple"

--- Runs a generated method.
-- @param plain the core's method
-- @param verb "get", "addMultiple" …: as in `association.accessors`
-- @param name of the association
-- @param ... the arguments of the method
function access.linked(plain, verb, name, source, ...)
  local a = getmetatable(core.class_of(source)).associations[name]
  if not a then return plain(source, ...) end                         -- of another model: the core says so
  local reader = read[verb]
  if reader then return reader(plain, a, source, ...) end
  return link.write(plain, a, verb, source, ...)
end

return access
