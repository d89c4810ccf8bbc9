--- Conditions over keys: rows among a list of keys, rows after a given one in some order. With the latter, rows are
-- read in batches by where they stand, never by OFFSET.
--
-- An order is a list of terms {name, descending, nulls = "first" | "last", never_null}; the last ones are the key, so
-- that no two rows are equal in it. Without a word about NULLs, NULL counts as the largest value, as everywhere.
local core = require "liga.core"
local errors = require "liga.errors"
local options = require "liga.options"

local Op = core.Op

local keyset = {}

-- Keys ---------------------------------------------------------------------------------------------------------------

--- The condition that attributes have one of several lists of values; no row fulfils it where there are none.
-- @param names the attributes
-- @param tuples list of lists of values
function keyset.among(names, tuples)
  if #names == 1 or #tuples == 0 then
    local values = {}
    for i, tuple in ipairs(tuples) do values[i] = tuple[1] end
    return { [names[1]] = values }
  end
  return core.tuples(names, tuples)
end

-- Orders -------------------------------------------------------------------------------------------------------------

local function wrong_order(format, ...)
  errors.raise("UsageError", "order: " .. format:format(...), { path = "order" })
end

local descends = { asc = false, desc = true }

--- "DESC", "asc nulls last", "NULLS FIRST" in any case and spacing.
-- @return whether it descends; "first", "last" or nil
local function read_direction(text)
  local given = type(text) == "string" and text:lower():gsub("%s+", " "):match "^ ?(.-) ?$" or ""
  local direction, nulls = given:match "^(%a+) nulls (%a+)$"
  if not direction then
    nulls = given:match "^nulls (%a+)$"
    direction = nulls and "asc" or given
  end
  if descends[direction] == nil or (nulls and nulls ~= "first" and nulls ~= "last") then
    wrong_order("the direction must be ASC or DESC, with NULLS FIRST or NULLS LAST, not %q", tostring(text))
  end
  return descends[direction], nulls
end

--- Reads one entry: "name", "-name", {"name"}, {"name", "DESC"}.
local function read_entry(entry)
  if type(entry) == "string" then
    local descending = entry:sub(1, 1) == "-"
    return descending and entry:sub(2) or entry, descending
  end
  if type(entry) ~= "table" or #entry > 2 or type(entry[1]) ~= "string" then
    wrong_order "attribute names expected (from an expression there is no place to go on)"
  end
  if entry[2] == nil then return entry[1], false end
  return entry[1], read_direction(entry[2])
end

local function names_of(attributes)
  local names = {}
  for i, attribute in ipairs(attributes) do names[i] = attribute.name end
  return names
end

local function read_term(class, entry)
  local name, descending, nulls = read_entry(entry)
  local attribute = class.attributes[name]
  if not attribute then
    wrong_order("%s has no attribute %q%s", class.name, name, options.hint(name, names_of(class.attributes)))
  end
  return {
    name = name, descending = descending, nulls = nulls or (descending and "first" or "last"),
    never_null = attribute.primaryKey or not attribute.allowNull,
  }
end

--- Reads an `order` of plain attributes, completed by the key.
-- @param class the model
-- @param order as in finds: "name", "-name", {"name", {"age", "DESC NULLS LAST"}}; nil: the key alone
-- @return list of terms
function keyset.terms(class, order)
  local terms, seen = {}, {}
  local function add(term)
    if not seen[term.name] then terms[#terms + 1] = term end
    seen[term.name] = true
  end
  for _, entry in ipairs(type(order) == "table" and order or { order }) do add(read_term(class, entry)) end
  for _, name in ipairs(class.primaryKey) do add(read_term(class, name)) end
  return terms
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
  for _, term in ipairs(terms) do position[term.name] = row[term.name] end
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
