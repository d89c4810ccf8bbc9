--- Names for what a database has: models, attributes, associations.
local inflect = require "liga.inflect"
local instance = require "liga.instance"
local naming = require "liga.naming"

local names = {}

local is_method = {}
for _, name in ipairs(instance.names) do is_method[name] = true end

--- A text without what names can't hold; shouted names in small letters.
local function plain(text)
  local name = text:gsub("[%.%$%c]", "_")
  if not utf8.len(name) then name = name:gsub("[\x80-\xff]", "_") end
  if not name:find "%l" then name = name:lower() end
  return name
end

--- `order_items` → `OrderItem`; punctuation parts words, so that the name can be written in Lua.
function names.model(table_name)
  local words = plain(table_name):gsub("[^%w_\x80-\xff]+", "_"):gsub("^_+(.)", "%1"):gsub("(.)_+$", "%1")
  local name = inflect.upper_first(inflect.camelize(inflect.singularize(words)))
  return name ~= "" and name or "Table"
end

--- `AlbumId` → `albumId`, `user_name` → `userName`; `get` → `get_`, as instances have a method of that name.
function names.attribute(column)
  local name = inflect.camelize(plain(column))
  if name == "" then name = "column" end
  return is_method[name] and name .. "_" or name
end

--- What a foreign key means: its attribute without `Id`, or without the name of what it references.
-- @param attribute its attribute
-- @param referenced the attribute it references
-- @return the stem, and whether something was stripped: `albumId` → `album`, true; `reportsTo` → `reportsTo`, false
function names.stem(attribute, referenced)
  for _, suffix in ipairs { "Id", inflect.upper_first(referenced) } do
    if #attribute > #suffix and attribute:sub(-#suffix) == suffix then return attribute:sub(1, -#suffix - 1), true end
  end
  return attribute, false
end

--- What stands before the names of what they reference in all parts: `bossA`, `bossB` → `boss`; nil: nothing does.
local function common_prefix(parts)
  local prefix
  for _, part in ipairs(parts) do
    local suffix = inflect.upper_first(part.referenced)
    local own = part.attribute:sub(-#suffix) == suffix and part.attribute:sub(1, -#suffix - 1) or ""
    if own == "" or prefix and prefix ~= own then return nil end
    prefix = own
  end
  return prefix
end

--- The stem of a key of several attributes, by the parts which are no copies of what they reference: of one that of any
-- key, of several what stands before all of them; else that of the model.
function names.composite_stem(attributes, referenced, target)
  local parts = {}
  for i, attribute in ipairs(attributes) do
    if attribute ~= referenced[i] then parts[#parts + 1] = { attribute = attribute, referenced = referenced[i] } end
  end
  if #parts > 1 then return common_prefix(parts) or inflect.lower_first(target), true end
  local stem, stripped
  if parts[1] then stem, stripped = names.stem(parts[1].attribute, parts[1].referenced) end
  return stripped and stem or inflect.lower_first(target), true
end

--- A name that is not taken yet, of several to choose from; the last one gets an underscore as often as needed.
-- @param taken set of names, to which the name is added
-- @return the name, and the first choice where it is another one
function names.free(taken, ...)
  local choices = { ... }
  for _, name in ipairs(choices) do
    if not taken[name] and not is_method[name] and not naming.problem(name) then
      taken[name] = true
      return name, name ~= choices[1] and choices[1] or nil
    end
  end
  local name = choices[#choices]
  repeat name = name .. "_" until not taken[name] and not is_method[name]
  taken[name] = true
  return name, choices[1]
end

return names
