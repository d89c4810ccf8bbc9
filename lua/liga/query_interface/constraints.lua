--- Constraints of a query interface.
local arguments = require "liga.query_interface.arguments"
local ddl = require "liga.ddl"
local definition = require "liga.query_interface.definition"
local errors = require "liga.errors"
local naming = require "liga.naming"
local options = require "liga.options"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"

local methods = {}

local constraint_options = {
  fields = true, type = true, name = true, references = true, onDelete = true, onUpdate = true, deferrable = true,
  where = true,
}

local function key_actions(self, given)
  local constraint = require "liga.define.constraint"
  local place = { fail = function(_, format, ...) errors.usage("addConstraint: " .. format, ...) end }
  local text = ""
  for _, option in ipairs { "onDelete", "onUpdate" } do
    local action = constraint.action(place, option, given[option])
    if action then text = text .. (option == "onDelete" and " ON DELETE " or " ON UPDATE ") .. action end
  end
  local deferrable = constraint.deferrable(place, given.deferrable)
  if deferrable then text = text .. " DEFERRABLE INITIALLY " .. deferrable:upper() end
  return text, self
end

--- The table and the columns that a foreign key refers to.
-- @param fields the columns that refer to them
local function referenced(self, fields, given, item)
  local references = given.references
  if registry.is_model(references) then references = { model = references } end
  if type(references) ~= "table" then
    errors.usage "addConstraint: references must be {table =, field = or fields =}"
  end
  options.check("addConstraint: references", references, { table = true, model = true, field = true, fields = true,
    key = true })
  local target = references.table or references.model
  local name = arguments.read_table("addConstraint", target)
  local place = { name = name, schema = definition.schema_beside(target, item) }
  local found = arguments.find_table(self, "addConstraint", name, { schema = place.schema })
  local columns = references.fields or references.field or references.key or found.primaryKey
  columns = arguments.read_names("addConstraint", "references.fields", columns)
  for _, column in ipairs(columns) do arguments.find_column("addConstraint", found, column) end
  if #columns ~= #fields then
    errors.usage("addConstraint: as many columns as there are fields (%s) must be referred to, got %s",
      table.concat(fields, ", "), table.concat(columns, ", "))
  end
  return place, columns
end

--- The SQL of a constraint, by its type.
local constraint_sql = {
  unique = function(_, fields) return ("UNIQUE (%s)"):format(sqltext.quote_all(fields)) end,
  ["primary key"] = function(_, fields) return ("PRIMARY KEY (%s)"):format(sqltext.quote_all(fields)) end,
  ["foreign key"] = function(self, fields, given, item)
    local place, columns = referenced(self, fields, given, item)
    return ("FOREIGN KEY (%s) REFERENCES %s (%s)%s"):format(sqltext.quote_all(fields), arguments.table_name(place),
      sqltext.quote_all(columns), (key_actions(self, given)))
  end,
  check = function(self, _, given, item)
    local index = { fields = { item.columns[1].name }, where = given.where }
    local condition = definition.index_parts(self, item, index).where
    if not condition then errors.usage "addConstraint: a check needs where, a condition" end
    return ("CHECK (%s)"):format(condition)
  end,
}

local suffixes = { unique = "uk", ["primary key"] = "pk", ["foreign key"] = "fk", check = "ck" }

local function constraint_type(given)
  local kind = type(given.type) == "string" and given.type:lower():gsub("[%s_]+", " ")
  if kind and constraint_sql[kind] then return kind end
  errors.usage('addConstraint: type must be "unique", "primary key", "foreign key" or "check"')
end

--- All constraints of a table of the catalogue, with what showConstraints tells of them.
local function constraints_of(item)
  local list = {}
  local function add(kind, entry, columns)
    list[#list + 1] = { kind = kind, entry = entry, shown = {
      name = entry.name, type = kind, columns = columns, deferrable = entry.deferrable,
      references = entry.references and { table = entry.table, columns = entry.references } or nil,
      onDelete = entry.onDelete, onUpdate = entry.onUpdate, definition = entry.sql,
    } }
  end
  if #item.primaryKey > 0 then
    add("PRIMARY KEY", { name = item.primaryKeyName, source = item.primaryKeySource }, item.primaryKey)
  end
  for _, entry in ipairs(item.uniques) do add("UNIQUE", entry, entry.columns) end
  for _, entry in ipairs(item.foreignKeys) do add("FOREIGN KEY", entry, entry.columns) end
  for _, entry in ipairs(item.checks) do add("CHECK", entry) end
  return list
end

local function expect_free_name(item, name)
  for _, found in ipairs(constraints_of(item)) do
    if found.shown.name == name then
      errors.usage("addConstraint: the table %q has a constraint %q already", item.name, name)
    end
  end
end

--- Adds a constraint.
-- @param table_name the table, by name or model
-- @param given {type = "unique"|"primary key"|"foreign key"|"check", fields, name, references = {table, field |
-- fields}, onDelete, onUpdate, deferrable, where (of a check: as of a find, or liga.literal), transaction, logging}
function methods:addConstraint(table_name, given)
  given = arguments.read_options(self, "addConstraint", given, constraint_options)
  local kind = constraint_type(given)
  local item = arguments.find_table(self, "addConstraint", table_name, given)
  local has_fields = kind ~= "check" or given.fields ~= nil
  local fields = has_fields and arguments.read_names("addConstraint", "fields", given.fields) or {}
  for _, field in ipairs(fields) do arguments.find_column("addConstraint", item, field) end
  local own = naming.shorten(("%s_%s_%s"):format(item.name, table.concat(fields, "_"), suffixes[kind]))
  local name = given.name == nil and own or arguments.read_name("addConstraint", "name", given.name)
  expect_free_name(item, name)
  arguments.run(self, ddl.plan(self.db, item, { {
    kind = "add constraint", constraint = {
      kind = kind, name = name, columns = fields, sql = constraint_sql[kind](self, fields, given, item),
    },
  } }), given)
end

--- Drops a constraint by its name, as showConstraints tells it.
-- @param name the table, by name or model
-- @param constraint its name
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
function methods:removeConstraint(name, constraint, given)
  given = arguments.read_options(self, "removeConstraint", given)
  local item = arguments.find_table(self, "removeConstraint", name, given)
  local names = {}
  for i, found in ipairs(constraints_of(item)) do
    names[i] = found.shown.name
    if found.shown.name == constraint then
      local plan = ddl.plan(self.db, item, { { kind = "drop constraint", constraint = found.entry } })
      return arguments.run(self, plan, given)
    end
  end
  errors.usage("removeConstraint: the table %q has no constraint %q%s", item.name, errors.text(constraint),
    options.hint(constraint, names))
end

--- The constraints of a table.
-- @param name the table, by name or model
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return list of {name, type = "PRIMARY KEY"|"UNIQUE"|"FOREIGN KEY"|"CHECK", columns, references = {table, columns},
-- onDelete, onUpdate, deferrable, definition}
function methods:showConstraints(name, given)
  given = arguments.read_options(self, "showConstraints", given)
  local item, list = arguments.find_table(self, "showConstraints", name, given), {}
  for i, found in ipairs(constraints_of(item)) do list[i] = found.shown end
  return list
end

return methods
