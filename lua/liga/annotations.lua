--- LuaCATS annotations for models: what an editor needs to complete and check attributes, associations and methods.
-- Everything is read from the models as they are at run time.
local core = require "liga.core"
local inflect = require "liga.inflect"
local instance = require "liga.instance"
local model_methods = require "liga.model".methods

local annotations = {}

-- Types --------------------------------------------------------------------------------------------------------------

local lua_types = {
  SMALLINT = "integer", INTEGER = "integer", BIGINT = "integer", FLOAT = "number", DOUBLE = "number", REAL = "number",
  BOOLEAN = "boolean", JSON = "any", JSONB = "any", VIRTUAL = "any", HSTORE = "table<string, string>", RANGE = "table",
}

--- A text in quotes on one line: nothing in a name ends a comment.
local function quoted(value)
  return (("%q"):format(value):gsub("\\\n", "\\n"):gsub("\r", "\\r"))
end

local function type_text(db, kind)
  if kind.values then
    local list = {}
    for i, value in ipairs(kind.values) do list[i] = quoted(value) end
    return table.concat(list, "|")
  end
  if kind.name == "ARRAY" then return ("(%s)[]"):format(type_text(db, kind.element)) end
  if kind.name == "DATE" and db._.epoch then return "number" end
  return lua_types[kind.name] or "string"
end

--- A name as one of a class: letters, digits and underscores.
local function class_name(name)
  return (name:gsub("[^%w_]", "_"):gsub("^%d", "_%0"))
end

-- Options of calls ---------------------------------------------------------------------------------------------------

--- What options hold, by name; any other is `any`.
local option_types = {
  where = "table|userdata", attributes = "table", include = "table|string", order = "table|string|userdata",
  limit = "integer", offset = "integer", group = "table|string", having = "table|userdata", distinct = "boolean",
  paranoid = "boolean",
  raw = "boolean", lock = "string|boolean", skipLocked = "boolean", hooks = "boolean", rejectOnEmpty = "boolean",
  searchPath = "string", logging = "boolean|fun(sql: string, info: table)", transaction = "table", lazy = "string",
  fields = "string[]", validate = "boolean", silent = "boolean", individualHooks = "boolean", all = "boolean",
  returning = "boolean|string[]", ignoreDuplicates = "boolean", updateOnDuplicate = "string[]",
  conflictFields = "string[]", conflictWhere = "table|userdata", by = "number|string", force = "boolean",
  dependent = "boolean", truncate = "boolean", save = "boolean", through = "table", destroy = "boolean|table",
  destroyPrevious = "boolean|table", joinTableAttributes = "string[]", scope = "boolean|string|table",
  exact = "boolean", batch = "boolean|integer", size = "integer", after = "string", before = "string",
  defaults = "table",
}

--- What getters, and each, take beside: the same class tells them.
local of_getters = { "scope", "batch", "through", "joinTableAttributes", "exact" }

--- What single methods take beside the options of finds: class, the names.
local further_options = {
  { "liga.PageOptions", { "size", "after", "before" } },
  { "liga.FindOrOptions", { "defaults", "fields", "validate", "silent" } },
}

local writes = { "save", "create", "bulkCreate", "destroy rows", "restore", "upsert", "link", "update", "build",
  "increment" }

--- The options of finds and of writes that do something, as sets.
local function option_sets()
  local common = { transaction = true, logging = true }
  local finds, written = {}, {}
  for name in pairs(common) do finds[name], written[name] = true, true end
  for name, effect in pairs(core.find_options) do finds[name] = effect == true or nil end
  for _, name in ipairs(of_getters) do finds[name] = true end
  for _, verb in ipairs(writes) do
    for name in pairs(core.write_options(verb)) do written[name] = true end
  end
  return { { "liga.FindOptions", finds }, { "liga.WriteOptions", written } }
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function options_classes(lines)
  for _, class in ipairs(option_sets()) do
    lines[#lines + 1] = "---@class " .. class[1]
    for _, name in ipairs(sorted(class[2])) do
      lines[#lines + 1] = ("---@field %s? %s"):format(name, option_types[name] or "any")
    end
    lines[#lines + 1] = ""
  end
  for _, class in ipairs(further_options) do
    lines[#lines + 1] = ("---@class %s: liga.FindOptions"):format(class[1])
    for _, name in ipairs(class[2]) do
      lines[#lines + 1] = ("---@field %s? %s"):format(name, option_types[name])
    end
    lines[#lines + 1] = ""
  end
end

-- Methods ------------------------------------------------------------------------------------------------------------
-- A signature: {parameters as text, result}. `$` stands for the class of the instances, `$Values` for what they are
-- made of.

local defining = "target: string|table, options?: string|table"
local finding, writing = "options?: liga.FindOptions", "options?: liga.WriteOptions"

local class_signatures = {
  findAll = { finding, "$[]" }, findOne = { finding, "$?" }, findByPk = { "key: any, " .. finding, "$?" },
  findByPks = { "keys: any[], " .. finding, "$[]" }, findAndCountAll = { finding, "$[], integer" },
  count = { finding, "integer" }, exists = { finding, "boolean" }, sum = { "attribute: string, " .. finding, "any" },
  min = { "attribute: string, " .. finding, "any" }, max = { "attribute: string, " .. finding, "any" },
  avg = { "attribute: string, " .. finding, "number?" }, each = { finding, "fun(): $?" },
  explain = { finding, "string" }, keys = { "keys: any[]", "userdata" }, describe = { "", "string" },
  build = { "values?: $Values, " .. writing, "$" }, create = { "values?: $Values, " .. writing, "$" },
  bulkCreate = { "list: ($Values|$)[], " .. writing, "$[]" }, update = { "values: $Values, " .. writing, "integer" },
  destroy = { writing, "integer" }, upsert = { "values: $Values, " .. writing, "$, boolean" },
  findOrCreate = { "options: liga.FindOrOptions", "$, boolean" },
  findOrBuild = { "options: liga.FindOrOptions", "$, boolean" },
  increment = { "what: any, " .. writing, "integer" }, decrement = { "what: any, " .. writing, "integer" },
  association = { "name: string", "table" }, page = { "options?: liga.PageOptions", "$[], table" },
  sync = { "options?: table", "$Model" },
  restore = { writing, "integer" }, scope = { "...: string|table", "$Model" }, unscoped = { "", "$Model" },
  addScope = { "name: string, scope: table|function, options?: table", "$Model" },
  belongsTo = { defining, "table" }, hasOne = { defining, "table" }, hasMany = { defining, "table" },
  belongsToMany = { defining, "table" }, drop = { "options?: table", "any" }, truncate = { "options?: table", "any" },
}

local instance_signatures = {
  save = { writing, "$" }, update = { "values: $Values, " .. writing, "$" }, destroy = { writing, "$" },
  reload = { finding, "$" }, restore = { writing, "$" }, set = { "name: string|table, value?: any", "$" },
  get = { "name?: string|table", "any" }, toTable = { "options?: { nulls: boolean }", "table" },
  changed = { "name?: string", "any" },
  previous = { "name: string", "any" }, isNew = { "", "boolean" }, validate = { writing, "$" },
  increment = { "what: any, " .. writing, "$" }, decrement = { "what: any, " .. writing, "$" },
  equals = { "other: any", "boolean" }, where = { "", "table" }, load = { "name: any, " .. finding, "any" },
  isLoaded = { "name: string", "boolean" },
}

--- Signatures of generated methods by verb; `%` stands for the class of the target.
local verbs = {
  one = {
    get = { finding, "%?" }, set = { "target?: %|any, " .. writing, "%|true|nil" },
    create = { "values?: %Values, " .. writing, "%" },
    has = { "target: %|any, " .. finding, "boolean" }, hasMultiple = { "targets: any, " .. finding, "boolean" },
  },
  many = {
    get = { finding, "%[]" }, count = { finding, "integer" }, has = { "target: %|any, " .. finding, "boolean" },
    hasMultiple = { "targets: any, " .. finding, "boolean" }, set = { "targets?: any, " .. writing, "any" },
    add = { "target: %|any, " .. writing, "%|true" }, addMultiple = { "targets: any, " .. writing, "any" },
    remove = { "target: %|any, " .. writing, "integer" }, removeMultiple = { "targets: any, " .. writing, "integer" },
    create = { "values?: %Values, " .. writing, "%" },
  },
}

--- A method as a field with a function's type, which no code has to stand for.
local function method_line(name, owner, signature, class, target)
  local parameters = signature[1] ~= "" and ", " .. signature[1] or ""
  local text = ("---@field %s fun(self: %s%s): %s"):format(name, owner, parameters, signature[2])
  return (text:gsub("%$", class or "table"):gsub("%%", target or "table"))
end

local function add_methods(lines, names, signatures, owner, class)
  for _, name in ipairs(names) do
    lines[#lines + 1] = method_line(name, owner, signatures[name] or { "...: any", "any" }, class)
  end
end

-- Models -------------------------------------------------------------------------------------------------------------

local function field_name(name)
  return name:find "^[%a_][%w_]*$" and name or "[" .. quoted(name) .. "]"
end

local function add_attributes(lines, db, class, all_optional)
  for _, attribute in ipairs(class.attributes) do
    local optional = (all_optional or attribute.allowNull) and "?" or ""
    local comment = attribute.comment and " " .. attribute.comment:gsub("%c", " ") or ""
    lines[#lines + 1] = ("---@field %s%s %s%s"):format(field_name(attribute.name), optional,
      type_text(db, attribute.type), comment)
  end
end

local function add_associations(lines, class, own)
  for _, association in ipairs(class.associations) do
    local target = association.target and class_name(association.target.name) or "table"
    local kind = association.isMulti and "many" or "one"
    lines[#lines + 1] = ("---@field %s? %s%s"):format(field_name(association.as), target,
      association.isMulti and "[]" or "")
    for _, verb in ipairs(sorted(association.accessors or {})) do
      lines[#lines + 1] = method_line(association.accessors[verb], own, verbs[kind][verb], own, target)
    end
  end
end

--- Own methods of instances, beside the generated ones.
local function add_own_methods(lines, class, own)
  local generated = {}
  for _, association in ipairs(class.associations) do
    for _, name in pairs(association.accessors or {}) do generated[name] = true end
  end
  for _, name in ipairs(sorted(class.methods)) do
    if not generated[name] and type(name) == "string" and name:find "^[%a_][%w_]*$" then
      lines[#lines + 1] = ("---@field %s fun(self: %s, ...: any): any"):format(name, own)
    end
  end
end

--- Junction rows stand on targets that were read through them, under the junction's name.
local function add_junctions(lines, db, class)
  local seen = {}
  for _, other in ipairs(db._.definitions.classes) do
    for _, association in ipairs(other.associations) do
      local through = association.through
      if association.type == "belongsToMany" and association.target == class and not seen[through.name] then
        seen[through.name] = true
        lines[#lines + 1] = ("---@field %s? %s"):format(field_name(through.name), class_name(through.name))
      end
    end
  end
end

local plain_fields = { name = true, tableName = true, primaryKey = true, attributes = true, associations = true,
  methods = true }

local function add_class(lines, db, class)
  local own = class_name(class.name)
  lines[#lines + 1] = ("--- A row of %s."):format(quoted(class.tableName))
  lines[#lines + 1] = ("---@class %s: liga.Instance"):format(own)
  add_attributes(lines, db, class)
  add_associations(lines, class, own)
  add_junctions(lines, db, class)
  add_own_methods(lines, class, own)
  add_methods(lines, instance.names, instance_signatures, own, own)
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("---@class %sValues"):format(own)
  add_attributes(lines, db, class, true)
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("---@class %sModel: liga.Model"):format(own)
  for _, name in ipairs(sorted(class)) do
    if not plain_fields[name] and type(name) == "string" and name:find "^[%a_][%w_]*$" then
      lines[#lines + 1] = ("---@field %s fun(self: %sModel, ...: any): any"):format(name, own)
    end
  end
  add_methods(lines, sorted(model_methods), class_signatures, own .. "Model", own)
  lines[#lines + 1] = ""
end

local HEAD = [[
---@meta
-- Annotations for the models of a database, written by `liga types`. The file is not meant to be run or edited.

---@class liga.Instance

---@class liga.Model
---@field name string
---@field tableName string
---@field primaryKey string[]
---@field attributes table
---@field associations table
---@field methods table
]]

--- The annotations of all models of a connection.
-- @param db the connection
-- @return text
function annotations.text(db)
  local lines, classes = { HEAD }, {}
  for i, class in ipairs(require "liga.define.registry".of(db).classes) do classes[i] = class end
  table.sort(classes, function(a, b) return a.name < b.name end)
  options_classes(lines)
  for _, class in ipairs(classes) do add_class(lines, db, class) end
  lines[#lines + 1] = "---@class liga.Models"
  for _, class in ipairs(classes) do
    lines[#lines + 1] = ("---@field %s %sModel"):format(field_name(class.name), class_name(class.name))
  end
  lines[#lines + 1] = ""
  for _, class in ipairs(classes) do
    if inflect.upper_first(class.name) == class.name and class.name:find "^[%a_][%w_]*$" then
      lines[#lines + 1] = ("---@type %sModel"):format(class_name(class.name))
      lines[#lines + 1] = ("%s = nil"):format(class.name)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return annotations
