--- sync with `alter`: compares models with the tables that are there and changes what differs. Nothing is ever dropped
-- but indexes and constraints that are made anew: columns, indexes and keys that no model speaks of stay.
local core = require "liga.core"
local ddl = require "liga.ddl"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local sqltext = require "liga.sqltext"
local transaction = require "liga.transaction"

local alter = {}

-- Types and defaults in one form -------------------------------------------------------------------------------------

local integers = { SMALLINT = true, INTEGER = true, BIGINT = true }

local function same_kind(a, b)
  if a.name ~= b.name then return false end
  if a.element then return same_kind(a.element, b.element) end
  return a.length == b.length and a.precision == b.precision and a.scale == b.scale
end

--- An expression without the parentheses around all of it.
local function without_parentheses(sql)
  while sql and sql:find "^%b()$" do sql = sql:sub(2, -2) end
  return sql
end

local flags = { ["true"] = 1, ["false"] = 0 }

--- Whether two defaults are one value in SQLite: `1.50` and `'1.5'` of a number, TRUE and 1.
local function same_value(a, b)
  if a == b then return true end
  if a == nil or b == nil then return false end
  local function plain(sql)
    local text = sql:match "^'(.*)'$" or sql
    return flags[text:lower()] or tonumber(text) or text
  end
  return plain(a) == plain(b)
end

--- A table with the columns that a model wants, made, read and dropped again: the server writes types and defaults in
-- its own words.
local function on_server(db, parts)
  local definitions = {}
  for i, column in ipairs(parts.columns) do
    definitions[i] = column.sql
    if column.values then                                             -- its type may not be there yet
      local default = column.default and " DEFAULT " .. column.default or ""
      definitions[i] = sqltext.quote(column.name) .. (column.list and " TEXT[]" or " TEXT") .. default
    end
  end
  return transaction.run(db, nil, function()
    core.execute(db._.core, ("CREATE TEMP TABLE liga_wanted (%s)"):format(table.concat(definitions, ", ")))
    local schema = core.query(db._.core,
      "SELECT nspname::text AS name FROM pg_namespace WHERE oid = pg_my_temp_schema()")[1].name
    local wanted = introspect.table(db, "liga_wanted", { schema = schema })
    core.execute(db._.core, "DROP TABLE liga_wanted")
    return wanted.columns
  end)
end

--- A number in one form: `'1.50'` → `1.5`, `5` → `5.`.
local function plain_number(sql)
  local whole, fraction = sql:match "^'?(%-?%d+)%.?(%d*)'?$"
  return whole and whole .. "." .. fraction:gsub("0+$", "")
end

--- Whether two defaults are one but for the type that the server adds: `'sad'::text`, `'sad'::mood`; or one number.
local function same_but_cast(a, b)
  local function plain(sql) return sql and (sql:gsub("::[%w_ %.\"%(%),%[%]]+$", "")) end
  a, b = plain(a), plain(b)
  if a == b or not a or not b then return a == b end
  local written = a:find "^%-?%d" or b:find "^%-?%d"                  -- of two texts every digit counts
  return written ~= nil and plain_number(a) ~= nil and plain_number(a) == plain_number(b)
end

--- How columns of an engine are compared: `wanted(db, parts)` → name → column of a catalogue; `same_type(wanted,
-- actual, db)` of columns, `same_default(a, b)` of SQL texts.
local engines = {
  sqlite = {
    same_default = same_value,
    wanted = function(_, parts)
      local columns = {}
      for _, part in ipairs(parts.columns) do
        columns[part.name] = { type = part.type, default = part.default }
      end
      return columns
    end,
    same_type = function(wanted, actual)
      local kind_of = require "liga.introspect.sqlite".kind_of
      local a, b = kind_of(wanted.type), kind_of(actual.type)
      if b and (b.name == "JSON" or b.name == "JSONB") then b = kind_of "TEXT" end    -- as which liga declares it
      if not a or not b then return true end                          -- a column of no type that liga has a word for
      return integers[a.name] and integers[b.name] or same_kind(a, b)   -- it stores all integers alike
    end,
  },
  postgres = {
    wanted = on_server, same_default = same_but_cast,
    -- A type that liga has no word for was somebody else's choice, an enum of the database's own too.
    same_type = function(wanted, actual, db)
      local kind_of = require "liga.introspect.postgres".kind_of
      local b = kind_of(actual.type)
      return b == nil or not core.has_type(db._.core, b.name) or same_kind(kind_of(wanted.type) or {}, b)
    end,
  },
}

-- Columns ------------------------------------------------------------------------------------------------------------

local function has_name(names, name)
  for _, other in ipairs(names) do
    if other == name then return true end
  end
  return false
end

--- Whether a column has the type of a generated key, its own or the one that it refers to: that one keeps the type
-- that it has.
-- @param item the column's table
-- @param target_of function(key) → the table that a foreign key refers to, or nil
-- @param seen set of the columns on the way
local function holds_generated_key(item, column, target_of, seen)
  if column.autoIncrement then return true end
  seen[column] = true
  for _, key in ipairs(item.foreignKeys) do
    local target = has_name(key.columns, column.name) and target_of(key)
    for i, name in ipairs(target and key.columns or {}) do
      local other = name == column.name and target.columns[key.references[i]]
      if other and other.type == column.type and not seen[other] then
        return holds_generated_key(target, other, target_of, seen)
      end
    end
  end
  return false
end

--- Whether a column of a foreign key has the type of the generated key that it refers to.
local function follows_key(parts, item, column, target_of)
  for _, key in ipairs(parts.foreignKeys) do
    if has_name(key.columns, column.name) then return holds_generated_key(item, column, target_of, {}) end
  end
  return false
end

--- What differs in a column: a set of "type", "values", "default", "allowNull"; nil: nothing.
-- @param follows whether its type is that of a key which it refers to
local function differences(db, parts, part, wanted, item, actual, follows)
  if actual.generated then return nil end                           -- computed by the database, which no model says
  local engine, aspects = engines[db.dialect], {}
  local generated = part.autoIncrement and actual.autoIncrement
  if part.autoIncrement and not actual.autoIncrement then aspects.type = true end
  local same_type = engine.same_type(wanted, actual, db)
  local labels = actual.values
  if part.list then labels = actual.elements end
  if part.values then same_type = labels ~= nil end                   -- values of enums are an aspect of their own
  if not part.values and naming.own_enum(item.name, actual) then same_type = false end      -- it was one before
  if part.values and labels and ddl.misses_values(db, part, actual) then aspects.values = true end
  if not generated and not same_type and not follows then aspects.type = true end
  local is, wants = without_parentheses(actual.default), without_parentheses(wanted.default)
  if not generated and not engine.same_default(is, wants) then aspects.default = true end
  if not has_name(parts.primaryKey, part.name) and part.allowNull ~= actual.allowNull then aspects.allowNull = true end
  return next(aspects) and aspects or nil
end

-- Keys ---------------------------------------------------------------------------------------------------------------

--- `column → referenced` as text, whatever the order of the pairs.
local function pairs_of(key)
  local list = {}
  for i, column in ipairs(key.columns) do list[i] = column:lower() .. "\0" .. (key.references[i] or ""):lower() end
  table.sort(list)
  return table.concat(list, "\1")
end

local function same_key(a, b)
  return pairs_of(a) == pairs_of(b) and a.table:lower() == b.table:lower() and a.onDelete == b.onDelete
    and a.onUpdate == b.onUpdate and a.deferrable == b.deferrable
end

--- The key of a table over the same columns, or nil.
local function find_key(item, wanted)
  for _, key in ipairs(item.foreignKeys) do
    if introspect.same_names(key.columns, wanted.columns, true) then return key end
  end
end

local function key_change(key)
  return { kind = "add constraint", constraint = { kind = "foreign key", columns = key.columns, sql = key.sql } }
end

--- A key over one column that is added comes with it.
local function keys_of_column(parts, name)
  local list = {}
  for _, key in ipairs(parts.foreignKeys) do
    if #key.columns == 1 and key.columns[1] == name then list[1] = key end
  end
  return list
end

local function compare_keys(changes, parts, item, added)
  for _, key in ipairs(parts.foreignKeys) do
    local actual = find_key(item, key)
    local with_column = #key.columns == 1 and added[key.columns[1]]
    if actual and not same_key(actual, key) then
      changes[#changes + 1] = { kind = "drop constraint", constraint = actual, aspect = "foreign key" }
      changes[#changes + 1] = key_change(key)
    elseif not actual and not with_column then
      changes[#changes + 1] = key_change(key)
    end
  end
end

local function compare_primary_key(changes, class, parts, item)
  if #parts.primaryKey == 0 or introspect.same_names(item.primaryKey, parts.primaryKey, true) then return end
  if parts.inlineKey or not item.primaryKeySource and item.sql and #item.primaryKey > 0 then
    errors.usage("sync: the primary key of the table %q is (%s), that of %s is (%s): alter can't change it", item.name,
      table.concat(item.primaryKey, ", "), class.name, table.concat(parts.primaryKey, ", "))
  end
  if #item.primaryKey > 0 then
    changes[#changes + 1] = {
      kind = "drop constraint", constraint = { name = item.primaryKeyName, source = item.primaryKeySource },
    }
  end
  changes[#changes + 1] = { kind = "add constraint", constraint = {
    kind = "primary key", columns = parts.primaryKey,
    sql = ("PRIMARY KEY (%s)"):format(sqltext.quote_all(parts.primaryKey)),
  } }
end

-- Indexes ------------------------------------------------------------------------------------------------------------

--- Texts of expressions can't be compared, as engines write them anew: there the index's name tells.
local function same_column(column, other)
  if column.order ~= other.order then return false end
  if not column.name or not other.name then return column.name == other.name end
  return column.name:lower() == other.name:lower()
end

--- Whether an index of a catalogue is the one that parts of a table want, whatever their names.
function alter.same_index(a, b)
  if a.unique ~= b.unique or (a.where ~= nil) ~= b.partial or #a.columns ~= #b.columns then return false end
  for i, column in ipairs(a.columns) do
    if not same_column(column, b.columns[i]) or not column.name and a.name ~= b.name then return false end
  end
  return true
end

--- Indexes to make: those of which there is no equal one. One of the same name that differs is dropped first.
local function compare_indexes(statements, parts, item)
  for _, wanted in ipairs(parts.indexes) do
    local equal, named = nil, nil
    for _, index in ipairs(item.indexes) do
      equal = equal or alter.same_index(index, wanted) and index
      if index.name == wanted.name then named = index end
    end
    if not equal then
      if named then statements[#statements + 1] = "DROP INDEX " .. sqltext.table_name(item.schema, named.name) end
      statements[#statements + 1] = wanted.sql
    end
  end
end

-- The whole ----------------------------------------------------------------------------------------------------------

local function model_of(class)
  return getmetatable(class)[1]
end

local function compare_comment(statements, what, wanted, actual)
  if wanted.comment == nil or wanted.comment == actual.comment then return end
  statements[#statements + 1] = ("COMMENT ON %s IS %s"):format(what, sqltext.literal(wanted.comment))
end

--- What differs between a model and its table.
-- @param catalogue_of what `alter.catalogues` returns
-- @return list of changes (see `ddl`), list of statements for indexes
function alter.compare(db, class, item, catalogue_of)
  local changes, statements, added = {}, {}, {}
  local parts = core.table_parts(db._.core, model_of(class))
  local wanted = engines[db.dialect].wanted(db, parts)
  local function target_of(key)
    return catalogue_of(class, key.schema ~= item.schema and key.schema or nil)[key.table]
  end
  compare_comment(statements, "TABLE " .. parts.name, parts, item)
  for _, part in ipairs(parts.columns) do
    local actual = introspect.column(item, part.name)
    compare_comment(statements, "COLUMN " .. parts.name .. "." .. sqltext.quote(part.name), part, actual or {})
    local follows = actual and follows_key(parts, item, actual, target_of)
    local aspects = actual and differences(db, parts, part, wanted[part.name], item, actual, follows)
    if not actual then
      added[part.name] = true
      changes[#changes + 1] = { kind = "add column", column = part, keys = keys_of_column(parts, part.name) }
    elseif aspects then
      changes[#changes + 1] = { kind = "change column", column = part, aspects = aspects, before = actual }
    end
  end
  compare_primary_key(changes, class, parts, item)
  compare_keys(changes, parts, item, added)
  compare_indexes(statements, parts, item)
  return changes, statements
end

--- Catalogues by schema, each read when it is first asked for.
-- @param given {transaction, logging}
-- @return function(class, schema) → the catalogue of this schema; nil: of the one that the model's table is in
function alter.catalogues(db, given)
  local known = {}
  return function(class, schema)
    schema = schema or getmetatable(class).options.schema
    local key = schema or ""
    known[key] = known[key] or introspect.read(db, { schema = schema, logging = given.logging })
    return known[key]
  end
end

--- The table of a model in a catalogue, or nil.
function alter.find_table(db, catalogue, class)
  local name = class.tableName
  if catalogue[name] or db.dialect ~= "sqlite" then return catalogue[name] end
  for _, item in ipairs(catalogue) do
    if item.name:lower() == name:lower() then return item end
  end
end

--- Types and extensions that columns of a model need, where columns are added or get another type.
local function needed_types(creating, class, changes)
  local list, needed = {}, false
  for _, change in ipairs(changes) do
    needed = needed or change.kind == "add column" or change.aspects and change.aspects.type
  end
  for _, statement in ipairs(needed and creating or {}) do
    local of_type = statement.kind == "type" or statement.kind == "extension"
    if statement.model == class.name and of_type then list[#list + 1] = statement.sql end
  end
  return list
end

local function plan_of(db, class, item, creating, catalogue_of)
  local changes, indexes = alter.compare(db, class, item, catalogue_of)
  local plan = ddl.plan(db, item, changes)
  local statements = needed_types(creating, class, changes)
  plan.statements = table.move(plan.statements, 1, #plan.statements, #statements + 1, statements)
  table.move(indexes, 1, #indexes, #plan.statements + 1, plan.statements)
  return plan
end

--- The plan that brings tables in line with models.
-- @param classes the models
-- @param creating what sync would run for them, each with the name of its model
function alter.plan(db, classes, creating, given)
  local catalogue_of, missing, plans = alter.catalogues(db, given), {}, {}
  local new = { statements = {} }
  for _, class in ipairs(classes) do
    if not alter.find_table(db, catalogue_of(class), class) then missing[class.name] = true end
  end
  for _, statement in ipairs(creating) do
    if missing[statement.model] then new.statements[#new.statements + 1] = statement.sql end
  end
  plans[1] = new
  for _, class in ipairs(classes) do
    local item = alter.find_table(db, catalogue_of(class), class)
    if item and item.kind == "table" then plans[#plans + 1] = plan_of(db, class, item, creating, catalogue_of) end
  end
  return ddl.join(plans)
end

return alter
