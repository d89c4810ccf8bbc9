--- Conditions "after this row" for any order: rows are read in batches by where they stand, never by OFFSET.
--
-- An order is a list of terms {name, descending}; the last ones are the key, so that no two rows are equal. NULL counts as
-- the largest value, as everywhere in liga.
local core = require "liga.core"
local errors = require "liga.errors"

local Op = core.Op

local keyset = {}

--- Reads an `order` of plain attributes, completed by the key.
-- @param class the model
-- @param order as in finds: "name", "-name", {"name", {"age", "DESC"}}; nil: the key alone
-- @return list of {name, descending}
function keyset.terms(class, order)
  local terms, seen = {}, {}
  local function add(name, descending)
    if type(name) ~= "string" then errors.usage "order: attribute names expected (an expression has no place to go on from)" end
    if seen[name] then return end
    if not class.attributes[name] then errors.usage('order: %s has no attribute "%s"', class.name, name) end
    seen[name] = true
    terms[#terms + 1] = { name = name, descending = descending }
  end
  local function add_entry(entry)
    if type(entry) == "string" then
      add(entry:match "^%-?(.*)$", entry:sub(1, 1) == "-")
    elseif type(entry) == "table" then
      local direction = entry[2] == nil and "ASC" or tostring(entry[2]):upper()
      if direction ~= "ASC" and direction ~= "DESC" then errors.usage("order: ASC or DESC expected, got %q", tostring(entry[2])) end
      add(entry[1], direction == "DESC")
    else
      add(entry)
    end
  end
  if type(order) == "table" then
    for _, entry in ipairs(order) do add_entry(entry) end
  elseif order ~= nil then
    add_entry(order)
  end
  for _, name in ipairs(class.primaryKey) do add(name, false) end
  return terms
end

--- The terms as the `order` of a find.
function keyset.order(terms)
  local order = {}
  for i, term in ipairs(terms) do order[i] = { term.name, term.descending and "DESC" or "ASC" } end
  return order
end

--- Rows strictly behind `value` in one term; nil: there are none.
local function behind(term, value)
  if term.descending then
    return value == nil and { [term.name] = Op.isNot(core.null) } or { [term.name] = Op.lt(value) }
  end
  if value == nil then return nil end
  return { [Op.or_] = { { [term.name] = Op.gt(value) }, { [term.name] = core.null } } }
end

local function same(term, value)
  return { [term.name] = value == nil and core.null or value }
end

--- The condition for rows that come after `row` in this order.
-- @param row a table that holds the values of all terms
function keyset.after(terms, row)
  local alternatives = {}
  for i, term in ipairs(terms) do
    local further = behind(term, row[term.name])
    if further then
      local all = { further }
      for before = 1, i - 1 do all[#all + 1] = same(terms[before], row[terms[before].name]) end
      alternatives[#alternatives + 1] = all
    end
  end
  return { [Op.or_] = alternatives }
end

return keyset
