--- hasMany and hasOne through a path of associations, `through = "posts.comments"`: read-only, of any depth, over steps
-- of any kind. The path becomes one list of hops, with what each step filters.
local record = require "liga.association.record"
local fail = require "liga.define.fail"

local path = {}

local function names_of(associations)
  local names = {}
  for i, a in ipairs(associations) do names[i] = a.as end
  return names
end

--- The steps of the path, as far as they are known by now.
-- @return list of records; nil if one is missing or waits itself
-- @return what is missing: the class to look at, the name of the step, and its record if there is one
local function steps_of(a)
  local class, steps = a.source, {}
  for name in a.read.path:gmatch "[^.]+" do
    local step = getmetatable(class).associations[name]
    if not step or not step.complete or step == a then return nil, class, name, step end
    steps[#steps + 1] = step
    class = step.target
  end
  return steps, class
end

--- Whether all steps are there.
function path.is_ready(a)
  return steps_of(a) ~= nil
end

--- Raises: a step is missing.
function path.missing(a)
  local _, class, name, step = steps_of(a)
  if step == a then a.place:fail("through = %q leads back to itself", a.read.path) end
  if step then return record.missing(step) end
  local names = names_of(getmetatable(class).associations)
  a.place:fail("through = %q: %s has no association %q%s", a.read.path, class.name, name,
    fail.hint(name, names, "the associations are"))
end

--- The conditions that a step puts on the rows of its last table, as a where.
local function filter_of(step, hop)
  local filter = {}
  for _, condition in ipairs { hop.scope or {}, step.read.scope or {}, step.read.where or {} } do
    if next(condition) ~= nil then filter[#filter + 1] = condition end
  end
  return #filter > 0 and filter or nil
end

--- Completes the association: all steps are there.
function path.complete(a)
  local steps, class = steps_of(a)
  if class ~= a.target then
    a.place:fail("through = %q leads to %s, not to %s", a.read.path, class.name, a.target.name)
  end
  a.hops, a.through = {}, a.read.path
  for i, step in ipairs(steps) do
    for place, hop in ipairs(step.hops) do
      local copy = { model = hop.model, near = hop.near, far = hop.far, scope = hop.scope }
      if place == #step.hops then copy.scope = filter_of(step, hop) end
      a.hops[#a.hops + 1] = copy
    end
    if i == #steps and step.read.path and not a.read.order then a.read.order = step.read.order end
  end
  record.register(a)
end

return path
