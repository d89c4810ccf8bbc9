--- The readable text about a model.
local core = require "liga.core"

local describe = {}

local function reference_text(item)
  local to = item.references
  if not to then return nil end
  local text = ("→ %s.%s"):format(to.table, to.key)
  if item.onDelete then text = text .. " on delete " .. item.onDelete end
  if item.onUpdate then text = text .. " on update " .. item.onUpdate end
  return text
end

local function default_text(default)
  local kind = type(default)
  if kind == "string" then return ("%q"):format(default) end
  if kind == "number" or kind == "boolean" then return tostring(default) end
  if default == core.null then return "NULL" end
  local meta = getmetatable(default)
  if meta and meta.__tostring then return tostring(default) end           -- liga.NOW, liga.literal("…")
  return "(" .. kind .. ")"
end

--- What is said of an attribute beside name and type.
local function flags(item)
  local list = {}
  local function add(text) list[#list + 1] = text end
  if item.primaryKey then add "primary key" end
  if item.autoIncrement then add "auto increment" end
  if not item.allowNull and not item.primaryKey then add "not null" end
  if item.unique then add "unique" end
  if item.columnName ~= item.name then add(("column %q"):format(item.columnName)) end
  if item.defaultValue ~= nil then add("default " .. default_text(item.defaultValue)) end
  list[#list + 1] = reference_text(item)
  return table.concat(list, ", ")
end

--- Rows of texts as lines with aligned columns.
local function aligned(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text) end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, text in ipairs(row) do cells[i] = text .. (" "):rep(widths[i] - (utf8.len(text) or #text)) end
    lines[n] = ("  " .. table.concat(cells, "  ")):gsub("%s+$", "")
  end
  return lines
end

local function heading(meta)
  local class = meta.class
  local key = #class.primaryKey > 0 and "key " .. table.concat(class.primaryKey, ", ") or "no key"
  local text = ("%s (table %q, %s)"):format(meta.name, class.tableName, key)
  return meta.options.comment and text .. "\n  " .. meta.options.comment or text
end

--- Name, table and key; the attributes with types and flags; the associations.
function describe.text(meta)
  local rows, lines = {}, { heading(meta) }
  for i, item in ipairs(meta.attributes) do rows[i] = { item.name, tostring(item.type), flags(item) } end
  for _, item in ipairs(meta.virtuals) do rows[#rows + 1] = { item.name, tostring(item.type), "" } end
  for _, line in ipairs(aligned(rows)) do lines[#lines + 1] = line end
  for _, object in ipairs(meta.shown_associations) do lines[#lines + 1] = "  " .. tostring(object) end
  return table.concat(lines, "\n")
end

return describe
