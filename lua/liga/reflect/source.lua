--- Writes models and associations as Lua code.
local types = require "liga.types"

local source = {}

-- Values -------------------------------------------------------------------------------------------------------------

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while]]):gmatch "%a+" do
  reserved[word] = true
end

local function is_name(text)
  return text:find "^[%a_][%w_]*$" ~= nil and not reserved[text]
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("\r", "\\r"))
end

local Code = {}

--- A value that is written as it is.
local function code(text)
  return setmetatable({ text = text }, Code)
end

--- The code of an SQL text: `liga.literal("…")`.
function source.literal(sql)
  return code(("liga.literal(%s)"):format(quoted(sql)))
end

local value_text
local LINE = 116

local function sorted_keys(value, order)
  local keys = {}
  for key in pairs(value) do
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    local first, second = order[a] or 100, order[b] or 100
    if first ~= second then return first < second end
    return a < b
  end)
  return keys
end

--- A table on one line if that is short enough, else with one entry a line.
-- @param indent of the line it begins in
local function table_text(value, order, indent)
  local parts, inner = {}, indent .. "  "
  for _, item in ipairs(value) do parts[#parts + 1] = value_text(item, inner) end
  for _, key in ipairs(sorted_keys(value, order)) do
    local name = is_name(key) and key or "[" .. quoted(key) .. "]"
    parts[#parts + 1] = ("%s = %s"):format(name, value_text(value[key], inner))
  end
  local line = #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
  if #indent + #line <= LINE and not line:find "\n" then return line end
  return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. ",\n" .. indent .. "}"
end

--- The order in which options are written.
local order = {}
for place, name in ipairs {
  "as", "columnName", "primaryKey", "autoIncrement", "allowNull", "defaultValue", "through", "model", "foreignKey",
  "otherKey", "sourceKey", "targetKey", "inverse", "type", "throughAssociations", "tableName", "timestamps", "name",
  "unique", "fields",
} do
  order[name] = place
end

--- A number that reads back as itself.
local function number_text(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  if value ~= value then return "0 / 0" end
  if value == math.huge or value == -math.huge then return value > 0 and "math.huge" or "-math.huge" end
  return ("%.17g"):format(value)
end

--- `liga.STRING(40)`; a type inside another is one of liga's too.
local function type_text(value)
  if value.element then return ("liga.%s(%s)"):format(value.name, type_text(value.element)) end
  return "liga." .. types.source(value)
end

function value_text(value, indent)
  if types.is(value) then return type_text(value) end
  if getmetatable(value) == Code then return value.text end
  if type(value) == "string" then return quoted(value) end
  if type(value) == "number" then return number_text(value) end
  if type(value) == "table" then return table_text(value, order, indent) end
  return tostring(value)
end

-- Regions ------------------------------------------------------------------------------------------------------------

local OPEN, CLOSE = "  -- own: %s\n", "  -- end of own: %s\n"

--- The hand-made regions of a file: name → text; in order.
local function regions_of(text)
  local regions = {}
  for name, body in (text or ""):gmatch "\n *%-%- own: ([^\n]+)\n(.-) *%-%- end of own: " do
    regions[#regions + 1], regions[name] = name, body
  end
  return regions
end

local function region(lines, regions, name)
  local body = regions[name] or ""
  regions[name] = nil
  lines[#lines + 1] = OPEN:format(name) .. body .. CLOSE:format(name):gsub("\n$", "")
end

-- The file -----------------------------------------------------------------------------------------------------------

local HEAD = [[
-- Models, written by `liga reflect` from the tables of a database. When the file is written again, what stands between
-- the lines "own" and "end of own" is kept; everything else is made anew.
local liga = require "liga"

--- Defines the models on a connection.
-- @param db from liga.connect
-- @return the models by name
return function(db)
  local models = {}
]]

local function model_text(name)
  return is_name(name) and "models." .. name or ("models[%s]"):format(quoted(name))
end

--- `{ "title", liga.STRING(160), allowNull = false }`, one a line; columns of the same name are not repeated.
local function write_model(lines, model)
  lines[#lines + 1] = ("  %s = db:define(%s, {"):format(model_text(model.name), quoted(model.name))
  for _, entry in ipairs(model.attributes) do
    if entry.columnName == entry[1] then entry.columnName = nil end
    lines[#lines + 1] = "    " .. value_text(entry, "    ") .. ","
  end
  lines[#lines + 1] = "  }, " .. value_text(model.options, "  ") .. ")"
  if model.view then lines[#lines + 1] = ("  liga.reflect.view(%s)"):format(model_text(model.name)) end
end

--- Tells of names that a person would have chosen, had they not been taken.
local function write_renamed(lines, model, wanted, name)
  if not wanted then return end
  lines[#lines + 1] = ("  -- %s.%s: %q is taken there, or a method of instances"):format(model, name, wanted)
end

local function write_association(lines, association)
  local given = association.options
  write_renamed(lines, association.source, association.wanted, given.as)
  write_renamed(lines, association.target, association.wanted_inverse, given.inverse and given.inverse.as)
  if association.through then association.options.through.model = code(model_text(association.through)) end
  lines[#lines + 1] = ("  %s:%s(%s, %s)"):format(model_text(association.source), association.kind,
    model_text(association.target), value_text(association.options, "  "))
end

--- Regions of models that are gone: nobody's work is thrown away.
local function write_orphans(lines, regions)
  for _, name in ipairs(regions) do
    if regions[name] and regions[name]:find "%S" then region(lines, regions, name) end
  end
end

--- Writes the file.
-- @param models list of {name, attributes, options, view}
-- @param associations list of {kind, source, target, options, through, wanted, wanted_inverse}
-- @param previous the text of the file as it was, or nil
function source.write(models, associations, previous)
  local lines, regions = { HEAD }, regions_of(previous)
  for _, model in ipairs(models) do
    write_model(lines, model)
    region(lines, regions, model.name)
    lines[#lines + 1] = ""
  end
  for _, association in ipairs(associations) do write_association(lines, association) end
  region(lines, regions, "associations")
  write_orphans(lines, regions)
  lines[#lines + 1] = "  return models\nend\n"
  return table.concat(lines, "\n")
end

return source
