--- Includes in full table form: a list of {association = object, as = name, options …, include = the same}, as hooks
-- see them once the options are settled. What is wrong in an include stays as it is: the core says so.
local core = require "liga.core"
local option_tables = require "liga.options"
local record = require "liga.association.record"

local expand = {}

local function is_plain(value)
  return type(value) == "table" and not core.is_class(value) and not record.of(value)
end

-- Which association --------------------------------------------------------------------------------------------------

--- The only association that leads to a model.
local function to_model(class, target)
  local found
  for _, object in ipairs(class.associations) do
    if object.target and object.target.name == target.name then
      if found then return nil end
      found = object
    end
  end
  return found
end

local function association_of(class, what)
  if type(what) == "string" then return class.associations[what] end
  if record.of(what) then return what end
  return core.is_class(what) and to_model(class, what) or nil
end

--- The association that a table of options names, and how it does.
local function named_by(class, entry)
  for _, key in ipairs { "association", "as", "model" } do
    if entry[key] ~= nil then return association_of(class, entry[key]) end
  end
end

--- The association that an entry of an include is about, whatever its form; nil: none, or several.
-- @param class the model that is read
-- @param entry a name, a model, an association or a table of options
-- @return the association object
function expand.association_of(class, entry)
  if is_plain(entry) then return named_by(class, entry) end
  return association_of(class, entry)
end

-- all ----------------------------------------------------------------------------------------------------------------

local groups = {
  All = "belongsTo hasOne hasMany belongsToMany", One = "belongsTo hasOne", Has = "hasOne hasMany", Many = "hasMany",
}

local function is_meant(object, all)
  if all == true then return true end
  for _, group in ipairs(type(all) == "table" and all or { all }) do
    local kind = tostring(group):gsub("^%u", string.lower)
    if kind == object.type or (groups[group] or ""):find(object.type .. "%f[%A]") then return true end
  end
  return false
end

--- The hasOne to a junction is there for those who ask for it by name.
local function leads_to_junction(class, object)
  if object.type ~= "hasOne" then return false end
  for _, other in ipairs(class.associations) do
    if other.through == object.target then return true end
  end
  return false
end

--- The models on the way to one that is included.
local function step(path, target)
  return setmetatable({ depth = path.depth + 1, [target] = true }, { __index = path })
end

local function expand_all(class, entry, path, list)
  for _, object in ipairs(class.associations) do
    local circles = path[object.target]
    local skips = leads_to_junction(class, object) or entry.nested and path.depth > 0 and circles or list[object.as]
    if object.target and is_meant(object, entry.all) and not skips then
      local options = { association = object, as = object.as }
      if entry.nested and not circles then
        options.include = {}
        expand_all(object.target, entry, step(path, object.target), options.include)
        for name in next, options.include do
          if type(name) == "string" then options.include[name] = nil end
        end
        if #options.include == 0 then options.include = nil end
      end
      list[#list + 1], list[object.as] = options, true
    end
  end
end

-- The whole ----------------------------------------------------------------------------------------------------------

local function add(list, object, options, path)
  options = option_tables.copy(options)
  if core.is_class(options.model) and object.target ~= options.model then       -- a scope object
    options.association = nil
  else
    options.association, options.model = object, nil
  end
  options.as = object.as
  if options.include ~= nil and object.target then
    options.include = expand.includes(object.target, options.include, step(path, object.target))
  end
  list[#list + 1], list[object.as] = options, true
end

local function read(list, class, what, path)
  local object = association_of(class, what)
  if not object then
    list[#list + 1] = what
    return
  end
  add(list, object, core.is_class(what) and { model = what } or nil, path)
end

--- The includes of a find over a model in full table form.
-- @param class the model
-- @param given the option `include`
-- @param path where the model is itself included: the models on the way to it, which `all` with `nested` doesn't repeat
-- @return a new list; what is wrong in it is as it was
function expand.includes(class, given, path)
  path = path or { depth = 0, [class] = true }
  if not is_plain(given) then given = { given } end
  if named_by(class, given) or given.all ~= nil then given = { given } end
  local list, later = {}, {}
  for _, entry in ipairs(given) do
    if not is_plain(entry) then read(list, class, entry, path)
    elseif entry.all ~= nil then later[#later + 1] = entry
    elseif named_by(class, entry) then add(list, named_by(class, entry), entry, path)
    else list[#list + 1] = entry end
  end
  for _, object in ipairs(class.associations) do
    local options = given[object.as]
    if options == true then options = {} end
    if is_plain(options) then add(list, object, options, path) end
  end
  for _, entry in ipairs(later) do expand_all(class, entry, path, list) end
  for name in next, list do
    if type(name) == "string" then list[name] = nil end
  end
  for name, options in next, given do
    if type(name) == "string" and not class.associations[name] then list[name] = options end
  end
  return list
end

return expand
