--- Conditions over keys: rows among a list of keys, rows after a given one in some order. With the latter, rows are
-- read in batches by where they stand, never by OFFSET.
--
-- An order is a list of terms {name = attribute or path, key = where its value stands in a row, descending,
-- nulls = "first" | "last", never_null}; the last ones are the key, so that no two rows are equal in it. Without a word
-- about NULLs, NULL counts as the largest value, as everywhere.
local core = require "liga.core"
local errors = require "liga.errors"
local options = require "liga.options"
local types = require "liga.types"

local Op = core.Op

local keyset = {}

-- Keys ---------------------------------------------------------------------------------------------------------------

--- The values of a row.
-- @param names of attributes
function keyset.values(row, names)
  local values = {}
  for place, name in ipairs(names) do values[place] = row[name] end
  return values
end

--- The text that rows with equal values have in common.
-- @param names of attributes
function keyset.text(row, names)
  local texts = {}
  for place, name in ipairs(names) do
    local text = tostring(row[name])
    texts[place] = #text .. ":" .. text
  end
  return table.concat(texts)
end

--- The condition that attributes have one of several lists of values; no row fulfils it where there are none.
-- @param names the attributes
-- @param tuples list of lists of values
function keyset.among(names, tuples)
  if #names == 1 or #tuples == 0 then
    local values = {}
    for i, tuple in ipairs(tuples) do values[i] = tuple[1] end
    return { [names[1]] = Op.in_(values) }
  end
  return core.tuples(names, tuples)
end

-- Orders -------------------------------------------------------------------------------------------------------------

local function wrong_order(format, ...)
  errors.raise("UsageError", "order: " .. format:format(...), { path = "order" })
end

local descends = { asc = false, desc = true }

--- "DESC", "asc nulls last", "NULLS FIRST" in any case and spacing; nil: the text is something else.
-- @return {descending, nulls = "first", "last" or nil}
local function read_direction(text)
  local given = type(text) == "string" and text:lower():gsub("%s+", " "):match "^ ?(.-) ?$" or ""
  local direction, nulls = given:match "^(%a+) nulls (%a+)$"
  if not direction then
    nulls = given:match "^nulls (%a+)$"
    direction = nulls and "asc" or given
  end
  if descends[direction] == nil or (nulls and nulls ~= "first" and nulls ~= "last") then return nil end
  return { descending = descends[direction], nulls = nulls }
end

--- The steps in "author.name" or "$author.name$".
local function split(path)
  local steps = {}
  for step in (path:match "^%$(.+)%$$" or path):gmatch "[^.]+" do steps[#steps + 1] = step end
  return steps
end

--- Reads one entry: "name", "-name", {"name"}, {"name", "DESC"}, and paths: "author.name", {"author", "name", "DESC"}.
-- @return the steps, the last of which is an attribute
-- @return {descending, nulls}
local function read_entry(class, entry)
  if type(entry) == "string" then
    local descending = entry:sub(1, 1) == "-"
    return split(descending and entry:sub(2) or entry), { descending = descending }
  end
  local steps = type(entry) == "table" and not getmetatable(entry) and table.move(entry, 1, #entry, 1, {}) or {}
  local direction = #steps > 1 and read_direction(steps[#steps]) or nil
  if direction then steps[#steps] = nil end
  if #steps == 2 and class.attributes[steps[1]] then
    wrong_order("the direction must be ASC or DESC, with NULLS FIRST or NULLS LAST, not %q", errors.text(steps[2]))
  elseif type(steps[#steps]) ~= "string" then
    wrong_order "attribute names expected (from an expression there is no place to go on)"
  end
  return #steps == 1 and split(steps[1]) or steps, direction or { descending = false }
end

-- Steps to other tables: each row has one place in the order if they are belongsTo.

local function names_of(list, field)
  local names = {}
  for i, item in ipairs(list) do names[i] = item[field] end
  return names
end

local function association_to(class, target)
  local found
  for _, association in ipairs(class.associations) do
    if association.target == target then
      if found then wrong_order("%s has several associations to %s: name one", class.name, target.name) end
      found = association
    end
  end
  return found or wrong_order("%s has no association to %s", class.name, target.name)
end

--- The association that a step names: a name, the object, its model, or {association =, as = or model =}.
local function association_of(class, step)
  if core.is_class(step) then return association_to(class, step) end
  if type(step) == "table" and not getmetatable(step) then
    return association_of(class, step.association or step.as or step.model)
  end
  local name = type(step) == "table" and step.as or step
  local association = type(name) == "string" and class.associations[name] or nil
  if association and (step == name or step == association) then return association end
  local hint = options.hint(name, names_of(class.associations, "as"))
  wrong_order("%s has no association %q%s", class.name, errors.text(name), hint)
end

--- The model at the end of the steps before the attribute, and their names.
local function follow(class, steps)
  local names = {}
  for i = 1, #steps - 1 do
    local association = association_of(class, steps[i])
    if association.type ~= "belongsTo" then
      wrong_order("%s is a %s: where each row is to have one place, a path goes over belongsTo only",
        tostring(association):match "^[^:]+", association.type)
    end
    names[i], class = association.as, association.target
  end
  return class, names
end

local function read_term(class, entry)
  local steps, direction = read_entry(class, entry)
  local holder, names = follow(class, steps)
  local attribute = holder.attributes[steps[#steps]]
  if not attribute then
    wrong_order("%s has no attribute %q%s", holder.name, errors.text(steps[#steps]),
      options.hint(steps[#steps], names_of(holder.attributes, "name")))
  end
  if not types.has_order(attribute.type) then
    wrong_order("%s.%s is %s, which has no order to go on from", holder.name, attribute.name, tostring(attribute.type))
  end
  names[#names + 1] = attribute.name
  local name = table.concat(names, ".")
  return {
    name = name, key = #names > 1 and "_at_" .. name or name, descending = direction.descending,
    nulls = direction.nulls or (direction.descending and "first" or "last"),
    never_null = #names == 1 and (attribute.primaryKey or not attribute.allowNull),
  }
end

--- Reads an `order` of attributes, of the model or over belongsTo, completed by the key.
-- @param class the model
-- @param order as in finds: "name", "-name", {"name", {"age", "DESC NULLS LAST"}, "author.name"}; nil: the key alone
-- @return list of terms
function keyset.terms(class, order)
  local terms, seen = {}, {}
  local function add(term)
    if not seen[term.name] then terms[#terms + 1] = term end
    seen[term.name] = true
  end
  local entries = type(order) == "table" and options.list("order", order) or { order }
  for _, entry in ipairs(entries) do add(read_term(class, entry)) end
  for _, name in ipairs(class.primaryKey) do add(read_term(class, name)) end
  return terms
end

--- What a find has to select for the position of its rows.
-- @return names of attributes
-- @return list of {path, the key that it stands under in a row}: `keyset.clean` takes them out again
function keyset.needed(terms)
  local names, paths = {}, {}
  for _, term in ipairs(terms) do
    if term.key == term.name then names[#names + 1] = term.name
    else paths[#paths + 1] = { term.name, term.key } end
  end
  return names, paths
end

--- Takes what was selected for the positions only out of the rows.
function keyset.clean(terms, rows)
  for _, term in ipairs(terms) do
    if term.key ~= term.name then
      for _, row in ipairs(rows) do row[term.key] = nil end
    end
  end
end

--- The terms as the `order` of a find.
function keyset.order(terms)
  local order = {}
  for i, term in ipairs(terms) do
    local direction = term.descending and "DESC" or "ASC"
    order[i] = { term.name, term.never_null and direction or ("%s NULLS %s"):format(direction, term.nulls) }
  end
  return order
end

--- Where a row stands: the values of the terms.
function keyset.position(terms, row)
  local position = {}
  for _, term in ipairs(terms) do position[term.name] = row[term.key] end
  return position
end

local beyond_value = { [false] = { [false] = Op.gt, [true] = Op.lt }, [true] = { [false] = Op.gte, [true] = Op.lte } }

--- The condition that a term is beyond a value (nil: NULL), or at it where `including` says so; nil if nothing is.
local function beyond(term, value, including)
  if value == nil or value == core.null then
    if term.nulls == "last" then return nil end
    return { [term.name] = Op.isNot(core.null) }
  end
  local further = { [term.name] = beyond_value[including][term.descending](value) }
  if term.never_null or term.nulls == "first" then return further end
  return { [Op.or_] = { further, { [term.name] = core.null } } }
end

local function equal(term, value)
  return { [term.name] = value == nil and core.null or value }
end

--- The condition for rows that come after a position: beyond it in one term, equal in those before.
-- @param position what `keyset.position` gave
-- @param including true: the row of the position itself counts, too
function keyset.after(terms, position, including)
  local branches, same = {}, {}
  for i, term in ipairs(terms) do
    local further = beyond(term, position[term.name], including == true and i == #terms)
    if further then
      local branch = table.move(same, 1, #same, 1, {})
      branch[#branch + 1] = further
      branches[#branches + 1] = branch
    end
    same[i] = equal(term, position[term.name])
  end
  local first = terms[1]
  if #branches == 1 or not first.never_null then return { [Op.or_] = branches } end
  -- True of every branch: with it the engine begins to read in the index where it has to.
  local bound = { [first.name] = (first.descending and Op.lte or Op.gte)(position[first.name]) }
  return { bound, { [Op.or_] = branches } }
end

return keyset
