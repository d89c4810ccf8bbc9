--- Establishing associations: making a new one, or agreeing that one which exists is what is wanted.
--
-- What is wanted: {kind, source, target | target_name, read = options, place, parent = the association that needs it,
-- nil if the user declares it}. An association that another one needed may be declared later by the user, and one that
-- the user declared may serve as another's inverse: both agree unless what they say contradicts. What one leaves open
-- agrees.
local compat = require "liga.compat"
local core = require "liga.core"
local fail = require "liga.define.fail"
local journal = require "liga.define.journal"
local options = require "liga.options"
local record = require "liga.association.record"
local registry = require "liga.define.registry"

--- kinds: name → {name, many, holder, complete = function(a), agree = function(existing, wanted)}.
local establish = { kinds = {} }

-- Comparing ----------------------------------------------------------------------------------------------------------

local function same_list(a, b)
  if #a ~= #b then return false end
  for i, value in ipairs(a) do
    if b[i] ~= value then return false end
  end
  return true
end

establish.same_list = same_list

--- Raises: what exists under the name is not what is wanted.
function establish.differ(existing, wanted, what)
  local made = existing.implicit and (", which %s made"):format(existing.parent.label) or ""
  local remedy
  if wanted.parent then
    remedy = "give this one another inverse by inverse = {as = ...}"
    if existing.source == wanted.parent.through then remedy = "name it otherwise by throughAssociations" end
  else
    remedy = "say the same in both, or give this one another name by as"
  end
  wanted.place:fail("%s exists already%s and differs in %s (%s); %s", existing.label, made, what,
    record.text(existing), remedy)
end

--- Differs unless the wanted list is open or the same.
function establish.agree_list(existing, wanted, what, given)
  if given and not same_list(existing[what], given) then establish.differ(existing, wanted, what) end
end

--- Takes over an option that only the declaration says; differs if both say different things.
-- @return whether the existing association changed
function establish.agree_option(existing, wanted, option)
  local known, given = existing.read[option], wanted.read[option]
  if given == nil or options.same(known, given) then return false end
  if known ~= nil or not existing.implicit then establish.differ(existing, wanted, option) end
  existing.read[option] = given
  journal.note(function() existing.read[option] = nil end)
  return true
end

--- Differs if the declaration names the other direction otherwise.
function establish.agree_inverse(existing, wanted, other)
  local as = wanted.read.inverse and wanted.read.inverse.as
  if as and record.as(other.kind, record.names(other.source, other.kind, as)) ~= other.as then
    establish.differ(existing, wanted, "inverse.as")
  end
end

-- Completing ---------------------------------------------------------------------------------------------------------

local function check_self(a)
  if a.source ~= a.target or a.read.path then return end
  local inverse = a.read.inverse
  if a.kind.name == "belongsTo" and not inverse then return end
  local inverse_as = inverse and inverse.as
  local missing = {}
  if not a.read.as then missing[#missing + 1] = "as" end
  if not inverse_as then missing[#missing + 1] = "inverse.as" end
  if #missing > 0 then
    a.place:fail("an association of %s with itself needs a name for each direction: add the option%s", a.source.name,
      (#missing > 1 and "s " or " ") .. table.concat(missing, " and "))
  end
  local inverse_kind = establish.kinds[inverse.kind]
  if record.as(inverse_kind, record.names(a.source, inverse_kind, inverse_as)) == a.as then
    a.place:fail("as and inverse.as of an association of %s with itself must differ, both are %q", a.source.name, a.as)
  end
end

local function complete(a)
  if not compat.is_v1(getmetatable(a.source).db) then check_self(a) end
  a.kind.complete(a)
  a.complete = true
end

--- Whether what the association refers to is there: its target, and the steps of its path.
local function is_ready(a, target)
  return target ~= nil and (not a.read.path or require "liga.association.path".is_ready(a))
end

--- Puts off an association until its target is defined.
local function wait(a)
  local meta = getmetatable(a.source)
  local waiting = registry.of(meta.db).associations
  waiting[#waiting + 1] = a
  meta.pending = (meta.pending or 0) + 1
  core.set_pending(meta[1], true)
  record.install_stubs(a)
end

local function check_renamed(a, names, as)
  if as == a.as then
    a.names = names
    return
  end
  local meta = getmetatable(a.source)
  if meta.associations[as] then
    a.place:fail("%s has two associations named %q: name one of them by as", a.source.name, as)
  end
  record.check_name(a.place, meta, as)
  record.rename(a, names, as)
end

local function resolve(a, target)
  journal.note(function() a.target = nil end)
  a.target = target
  local names = record.names(a.source, a.kind, a.read.as, target)
  check_renamed(a, names, record.as(a.kind, names))
  record.remove_methods(a)
  journal.note(function() record.install_stubs(a) end)
  complete(a)
end

--- Completes an association that waited for its target.
function establish.resolve(a, target)
  if a.complete or not is_ready(a, target) then return end
  journal.run(resolve, a, target)
  local meta = getmetatable(a.source)
  meta.pending = meta.pending > 1 and meta.pending - 1 or nil
  core.set_pending(meta[1], meta.pending ~= nil)
end

-- Establishing -------------------------------------------------------------------------------------------------------

--- The existing association serves as the wanted one, or an error says why not.
local function join(existing, wanted)
  if not existing.complete and not existing.target and wanted.target and existing.target_name == wanted.target.name then
    establish.resolve(existing, wanted.target)
  end
  if not wanted.parent and not existing.implicit then
    wanted.place:fail("%s is declared already (%s): give this one another name by as", existing.label,
      record.text(existing))
  end
  if existing.kind ~= wanted.kind then establish.differ(existing, wanted, "its kind") end
  if existing.target ~= wanted.target then establish.differ(existing, wanted, "its target") end
  -- One that is being completed right now asked for this itself: it takes its keys from what it asked for.
  if existing.complete then existing.kind.agree(existing, wanted) end
  if not wanted.parent then
    existing.implicit = false
    journal.note(function() existing.implicit = true end)
  end
  return existing
end

--- Makes the wanted association, or finds that it exists.
-- @return its record
function establish.now(wanted)
  local meta = getmetatable(wanted.source)
  local names = record.names(wanted.source, wanted.kind, wanted.read.as, wanted.target, wanted.target_name)
  local as = record.as(wanted.kind, names)
  local existing = meta.associations[as]
  if existing and compat.is_v1(meta.db) and not wanted.parent then
    record.withdraw(existing)                   -- the later wins
  elseif existing then
    return join(existing, wanted)
  end
  record.check_name(wanted.place, meta, as)
  local a = record.new(wanted, names, as)
  record.announce(a)
  if is_ready(a, a.target) then complete(a) else wait(a) end
  return a
end

--- Establishes what another association needs.
-- @param fields {kind = name, source, target, read}
function establish.for_parent(parent, fields)
  fields.kind, fields.parent, fields.place = establish.kinds[fields.kind], parent, parent.place
  fields.read.rule = fields.read.rule or {}
  return establish.now(fields)
end

--- Raises if an unknown attribute stands in a scope.
function establish.check_scope(a, option, scope, class)
  local attribute = require "liga.define.attribute"
  local meta = getmetatable(class)
  for name in next, scope or {} do
    if type(name) == "string" and not name:find "[%.%$]" and not meta.attributes[name] then
      a.place:fail("%s: unknown attribute %q of %s%s", option, name, class.name, fail.hint(name, attribute.names(meta)))
    end
  end
end

return establish
