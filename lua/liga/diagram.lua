--- Pictures of models and their associations, as text in several formats.
local errors = require "liga.errors"
local options = require "liga.options"
local registry = require "liga.define.registry"

local diagram = {}

-- What is shown ------------------------------------------------------------------------------------------------------

--- The links between models: one for each belongsTo, with what the other direction is called.
local function links_of(classes)
  local links = {}
  for _, class in ipairs(classes) do
    for _, association in ipairs(class.associations) do
      if association.type == "belongsTo" and association.target then
        local inverse = association.inverse
        links[#links + 1] = {
          from = class, to = association.target, as = association.as, inverse = inverse and inverse.as,
          one = inverse ~= nil and inverse.type == "hasOne", required = true, key = association.foreignKey,
        }
        for _, name in ipairs(association.foreignKey) do
          if class.attributes[name].allowNull then links[#links].required = false end
        end
      end
    end
  end
  return links
end

--- The models around one, up to a number of links away.
local function around(links, start, depth)
  local near, found = { [start] = true }, { start }
  for _ = 1, depth do
    local more = {}
    for _, link in ipairs(links) do
      for one, other in pairs { [link.from] = link.to, [link.to] = link.from } do
        if near[one] and not near[other] then more[#more + 1] = other end
      end
    end
    for _, class in ipairs(more) do
      if not near[class] then near[class], found[#found + 1] = true, class end
    end
  end
  return found
end

local function by_name(a, b) return a.name < b.name end

local function picture(db, given)
  local classes = table.move(registry.of(db).classes, 1, #registry.of(db).classes, 1, {})
  local links = links_of(classes)
  if given.around then
    local start = db.models[given.around]
    if not start then
      errors.usage("diagram: no model %q%s", given.around, options.hint(given.around, registry.names(db)))
    end
    classes = around(links, start, given.depth or 1)
  end
  table.sort(classes, by_name)
  local shown, kept = {}, {}
  for _, class in ipairs(classes) do shown[class] = true end
  for _, link in ipairs(links) do
    if shown[link.from] and shown[link.to] then kept[#kept + 1] = link end
  end
  return { classes = classes, links = kept }
end

local function is_foreign(class, name)
  for _, association in ipairs(class.associations) do
    for _, other in ipairs(association.type == "belongsTo" and association.foreignKey or {}) do
      if other == name then return true end
    end
  end
  return false
end

-- Formats ------------------------------------------------------------------------------------------------------------

--- A name that a format takes: letters, digits and underscores, no digit first.
local function plain(name)
  return (name:gsub("[^%w_]", "_"):gsub("^%d", "_%0"))
end

local function mermaid(shown)
  local lines = { "erDiagram" }
  for _, class in ipairs(shown.classes) do
    lines[#lines + 1] = ("    %s {"):format(plain(class.name))
    for _, attribute in ipairs(class.attributes) do
      local marks = {}
      if attribute.primaryKey then marks[#marks + 1] = "PK" end
      if is_foreign(class, attribute.name) then marks[#marks + 1] = "FK" end
      if attribute.unique and not attribute.primaryKey then marks[#marks + 1] = "UK" end
      lines[#lines + 1] = (("        %s %s %s"):format(attribute.type.name, plain(attribute.name),
        table.concat(marks, ", ")):gsub("%s+$", ""))
    end
    lines[#lines + 1] = "    }"
  end
  for _, link in ipairs(shown.links) do
    lines[#lines + 1] = ('    %s %s--%s %s : "%s"'):format(plain(link.to.name), link.required and "||" or "|o",
      link.one and "o|" or "o{", plain(link.from.name), (link.inverse or link.as):gsub('"', "'"))
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Text inside an HTML label of graphviz.
local function html(value)
  return (value:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function quoted(value)
  return '"' .. value:gsub('[\\"]', "\\%0") .. '"'
end

local function dot_node(class)
  local rows = { ('<tr><td bgcolor="#dce6f2"><b>%s</b></td></tr>'):format(html(class.name)) }
  for _, attribute in ipairs(class.attributes) do
    local name = html(attribute.name)
    if attribute.primaryKey then name = "<u>" .. name .. "</u>" end
    rows[#rows + 1] = ('<tr><td align="left">%s <i>%s</i></td></tr>'):format(name, html(tostring(attribute.type)))
  end
  return ('  %s [label=<<table border="0" cellborder="1" cellspacing="0">%s</table>>];'):format(quoted(class.name),
    table.concat(rows))
end

local function dot(shown)
  local lines = { "digraph models {", "  graph [rankdir=LR];", "  node [shape=plain, fontname=\"sans-serif\"];",
    "  edge [fontname=\"sans-serif\", fontsize=10, dir=both];" }
  for _, class in ipairs(shown.classes) do lines[#lines + 1] = dot_node(class) end
  for _, link in ipairs(shown.links) do
    lines[#lines + 1] = ("  %s -> %s [label=%s, arrowhead=%s, arrowtail=%s];"):format(quoted(link.from.name),
      quoted(link.to.name), quoted(link.as), link.required and "tee" or "teeodot", link.one and "teeodot" or "crow")
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

local arrows = { belongsTo = "→", hasOne = "⇢", hasMany = "⇉", belongsToMany = "⇄" }

--- How an association gets to its target: over a junction or other associations, or by a key.
local function way_text(association)
  local through = association.through
  if through then return " over " .. (type(through) == "table" and through.name or tostring(through)) end
  return association.foreignKey and (" (%s)"):format(table.concat(association.foreignKey, ", ")) or ""
end

local function text(shown)
  local lines, there = {}, {}
  for _, class in ipairs(shown.classes) do there[class] = true end
  for _, class in ipairs(shown.classes) do
    lines[#lines + 1] = ("%s (%s)"):format(class.name, class.tableName)
    for _, association in ipairs(class.associations) do
      if there[association.target] then
        lines[#lines + 1] = ("  %s %s %s%s"):format(arrows[association.type], association.as, association.target.name,
          way_text(association))
      end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Lets graphviz draw. Raises UsageError where it is not installed.
local function svg(shown)
  if not os.execute "command -v dot >/dev/null 2>&1" then
    errors.usage "diagram: svg needs graphviz (the command dot); the format dot is what it draws"
  end
  local path = os.tmpname()
  local pipe = assert(io.popen(("dot -Tsvg > '%s'"):format(path), "w"))
  pipe:write(dot(shown))
  local fine = pipe:close()
  local file <close> = assert(io.open(path, "rb"))
  local drawn = file:read "a"
  os.remove(path)
  if not fine then errors.usage "diagram: graphviz could not draw the models" end
  return drawn
end

local formats = { mermaid = mermaid, dot = dot, svg = svg, text = text }

--- The names of the formats.
diagram.formats = { "mermaid", "dot", "svg", "text" }

--- Models and associations as a picture.
-- @param db the connection
-- @param given {format = "mermaid"|"dot"|"svg"|"text", around = name of a model, depth = links away from it (1)}
-- @return text
function diagram.text(db, given)
  local draw = formats[given.format]
  if not draw then
    errors.usage("diagram: unknown format %q%s", tostring(given.format), options.hint(given.format, diagram.formats))
  end
  return draw(picture(db, given))
end

return diagram
