--- Looks for what is wrong with a database, and with models for it. Each finding says how to mend it.
--
-- A check is a function(context) that adds findings {check, table, message, sql = list of statements}. Context: db,
-- catalogue, query(sql) → rows, models (whether there are any besides the reflected ones).
local alter = require "liga.alter"
local core = require "liga.core"
local ddl = require "liga.ddl"
local inflect = require "liga.inflect"
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"

local doctor = {}
local quote, quote_all = sqltext.quote, sqltext.quote_all

local function name_of(item) return sqltext.table_name(item.schema, item.name) end

--- The tables of the catalogue, without views.
local function tables(context)
  local list = {}
  for _, item in ipairs(context.catalogue) do
    if item.kind == "table" then list[#list + 1] = item end
  end
  return list
end

--- Every foreign key: function() → table, key, target (nil where there is none).
local function each_key(context)
  local list = {}
  for _, item in ipairs(tables(context)) do
    for _, key in ipairs(item.foreignKeys) do
      list[#list + 1] = { item, key, context.catalogue[key.table] }
    end
  end
  local i = 0
  return function()
    i = i + 1
    if list[i] then return list[i][1], list[i][2], list[i][3] end
  end
end

local function key_text(item, key)
  return ("%s (%s) → %s (%s)"):format(item.name, table.concat(key.columns, ", "), key.table,
    table.concat(key.references, ", "))
end

-- Indexes ------------------------------------------------------------------------------------------------------------

--- Whether an index over all rows begins with these columns, in any order.
local function begins_with(columns, wanted)
  if #columns < #wanted then return false end
  return introspect.same_names(table.move(columns, 1, #wanted, 1, {}), wanted, true)
end

local function is_indexed(item, wanted)
  if begins_with(item.primaryKey, wanted) then return true end
  for _, index in ipairs(item.indexes) do
    local columns = not index.where and introspect.index_columns(index)
    if columns and begins_with(columns, wanted) then return true end
  end
  return false
end

local function index_sql(item, columns, unique)
  return ("CREATE %sINDEX %s ON %s (%s)"):format(unique and "UNIQUE " or "",
    quote(naming.snake_index(item.name, columns, unique)), name_of(item), quote_all(columns))
end

local function key_without_index(context, add)
  for item, key in each_key(context) do
    if not is_indexed(item, key.columns) then
      add(item, ("the foreign key %s has no index"):format(key_text(item, key)), { index_sql(item, key.columns) })
    end
  end
end

local function index_id(index)
  local parts = { index.where or "", index.using or "" }
  for _, column in ipairs(index.columns) do
    if not column.name then return nil end
    parts[#parts + 1] = column.name .. " " .. column.order
  end
  return table.concat(parts, "\0")
end

--- Of two equal indexes the one that is less than a constraint, or not unique, is too many.
local function redundant(a, b)
  if a.origin ~= "index" then return b end
  if b.origin ~= "index" then return a end
  if a.unique ~= b.unique then return a.unique and b or a end
  return b
end

local function duplicate_index(context, add)
  for _, item in ipairs(tables(context)) do
    local seen = {}
    for _, index in ipairs(item.indexes) do
      local id = index_id(index)
      local other = id and seen[id]
      local extra = other and redundant(other, index)
      if extra and extra.origin == "index" then
        local kept = extra == index and other or index
        add(item, ("the index %s is over the same columns as %s"):format(extra.name, kept.name),
          { "DROP INDEX " .. sqltext.table_name(item.schema, extra.name) })
      end
      if id then seen[id] = extra == other and index or other or index end
    end
  end
end

-- Keys ---------------------------------------------------------------------------------------------------------------

local function is_unique(item, columns)
  for _, key in ipairs(introspect.unique_keys(item)) do
    if introspect.same_names(key.columns, columns, true) then return true end
  end
  return false
end

local function key_to_non_unique(context, add)
  for item, key, target in each_key(context) do
    if target and not is_unique(target, key.references) then
      add(item, ("the foreign key %s references columns that are not unique"):format(key_text(item, key)),
        { index_sql(target, key.references, true) })
    end
  end
end

local classes = {
  SMALLINT = "integer", INTEGER = "integer", BIGINT = "integer", STRING = "text", TEXT = "text", CHAR = "text",
  FLOAT = "float", DOUBLE = "float", REAL = "float",
}

--- What keys are compared as: on SQLite UUID and texts are the same, and a column without type is anything.
local function class_of(context, column)
  local kind = introspect.dialect(context.db).kind_of(column.base or column.type)
  if not kind then return nil end
  if context.db.dialect == "sqlite" and kind.name == "UUID" then return "text" end
  return classes[kind.name] or kind.name
end

local function change_type_sql(context, item, column, wanted)
  local part = {
    name = column.name, type = wanted.type, default = column.default, allowNull = column.allowNull, sql = "",
  }
  local change = { kind = "change column", column = part, aspects = { type = true } }
  return ddl.texts(ddl.plan(context.db, item, { change }))
end

local function key_of_other_type(context, add)
  for item, key, target in each_key(context) do
    for i, name in ipairs(target and key.columns or {}) do
      local column, referenced = item.columns[name], target.columns[key.references[i]]
      local own = column and class_of(context, column)
      local other = referenced and class_of(context, referenced)
      if own and other and own ~= other then
        add(item, ("%s.%s is %s, but references %s.%s, which is %s"):format(item.name, name, column.type, target.name,
          referenced.name, referenced.type), change_type_sql(context, item, column, referenced))
      end
    end
  end
end

--- The table that a column's name speaks of: `customer_id` and `customerId` of Customer, Customers.
local function meant_by(context, item, column)
  local stem = column.name:match "^(.+)_[iI][dD]$" or column.name:match "^(.+%l)I[dD]$"
  if not stem then return nil end
  local wanted = inflect.underscore(inflect.singularize(stem))
  for _, target in ipairs(tables(context)) do
    if inflect.underscore(inflect.singularize(target.name)) == wanted and #target.primaryKey == 1 then
      local same = class_of(context, target.columns[target.primaryKey[1]]) == class_of(context, column)
      if same and target ~= item then return target end
    end
  end
end

local function in_key(item, name)
  for _, key in ipairs(item.foreignKeys) do
    for _, column in ipairs(key.columns) do
      if column == name then return true end
    end
  end
  return #item.primaryKey == 1 and item.primaryKey[1] == name
end

local function add_key_sql(context, item, column, target)
  local sql = ("FOREIGN KEY (%s) REFERENCES %s (%s)"):format(quote(column.name), name_of(target),
    quote_all(target.primaryKey))
  return ddl.texts(ddl.plan(context.db, item, {
    { kind = "add constraint", constraint = { kind = "foreign key", columns = { column.name }, sql = sql } },
  }))
end

local function missing_constraint(context, add)
  for _, item in ipairs(tables(context)) do
    for _, column in ipairs(item.columns) do
      local target = not in_key(item, column.name) and meant_by(context, item, column)
      if target then
        add(item, ("%s.%s looks like a key of %s, but is no foreign key"):format(item.name, column.name, target.name),
          add_key_sql(context, item, column, target))
      end
    end
  end
end

local function missing_target(context, add)
  for item, key, target in each_key(context) do
    if not target and (key.schema == nil or key.schema == item.schema) then
      add(item, ("the foreign key %s references a table that does not exist"):format(key_text(item, key)), {})
    end
  end
end

--- A primary key over the columns of a unique index, which is not needed any more then.
local function primary_key_sql(context, item, unique)
  if not unique then return {} end
  local constraint = {
    kind = "primary key", columns = unique.columns, sql = ("PRIMARY KEY (%s)"):format(quote_all(unique.columns)),
  }
  local plan = ddl.plan(context.db, item, { { kind = "add constraint", constraint = constraint } })
  if unique.origin == "index" then
    plan.statements[#plan.statements + 1] = "DROP INDEX " .. sqltext.table_name(item.schema, unique.name)
  end
  return ddl.texts(plan)
end

local function without_key(context, add)
  for _, item in ipairs(tables(context)) do
    if #item.primaryKey == 0 then
      local sql = primary_key_sql(context, item, introspect.unique_keys(item)[1])
      add(item, ("the table %s has no primary key"):format(item.name), sql)
    end
  end
end

-- Rows ---------------------------------------------------------------------------------------------------------------

local FIRST = 5

--- Rows of `t` whose key references nothing.
local function orphan_condition(item, key, target)
  local set, same = {}, {}
  for i, column in ipairs(key.columns) do
    set[i] = ("t.%s IS NOT NULL"):format(quote(column))
    same[i] = ("p.%s = t.%s"):format(quote(key.references[i]), quote(column))
  end
  return ("%s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)"):format(table.concat(set, " AND "), name_of(target),
    table.concat(same, " AND ")), item
end

local function shown_keys(item, rows)
  local list = {}
  for i, row in ipairs(rows) do
    local parts = {}
    for n, column in ipairs(item.primaryKey) do parts[n] = tostring(row[column]) end
    list[i] = table.concat(parts, "/")
  end
  return table.concat(list, ", ")
end

local function all_nullable(item, columns)
  for _, name in ipairs(columns) do
    if not item.columns[name].allowNull then return false end
  end
  return not introspect.same_names(columns, item.primaryKey, true)
end

--- NULL where the key may be NULL, else the rows go.
local function orphan_sql(item, key, condition)
  if not all_nullable(item, key.columns) then
    return ("DELETE FROM %s AS t WHERE %s"):format(name_of(item), condition)
  end
  local sets = {}
  for i, column in ipairs(key.columns) do sets[i] = quote(column) .. " = NULL" end
  return ("UPDATE %s AS t SET %s WHERE %s"):format(name_of(item), table.concat(sets, ", "), condition)
end

local function orphan_rows(context, add)
  for item, key, target in each_key(context) do
    if target and target.kind == "table" and #key.references == #key.columns then
      local condition = orphan_condition(item, key, target)
      local count = context.query(("SELECT count(*) AS n FROM %s t WHERE %s"):format(name_of(item), condition))[1].n
      if count > 0 then
        local list = quote_all(item.primaryKey)
        local keys = #item.primaryKey > 0 and shown_keys(item, context.query(
          ("SELECT %s FROM %s t WHERE %s ORDER BY %s LIMIT %d"):format(list, name_of(item), condition, list, FIRST)))
        add(item, ("%d row%s of %s reference%s nothing by %s%s"):format(count, count == 1 and "" or "s", item.name,
          count == 1 and "s" or "", table.concat(key.columns, ", "), keys and (": " .. keys
          .. (count > FIRST and ", …" or "")) or ""), { orphan_sql(item, key, condition) })
      end
    end
  end
end

--- Columns that say nothing about a link: a generated key, times of creation and change.
local function says_nothing(item, column)
  local name = column.name:lower():gsub("_", "")
  return #item.primaryKey == 1 and item.primaryKey[1] == column.name or name == "createdat" or name == "updatedat"
end

--- The two foreign keys of a junction: a table of nothing but links.
local function junction_keys(item)
  if #item.foreignKeys ~= 2 then return nil end
  for _, column in ipairs(item.columns) do
    if not says_nothing(item, column) and not in_key(item, column.name) then return nil end
  end
  local columns = {}
  for _, key in ipairs(item.foreignKeys) do
    for _, name in ipairs(key.columns) do columns[#columns + 1] = name end
  end
  return columns
end

local row_numbers = { sqlite = "rowid", postgres = "ctid" }

local function duplicate_junction_rows(context, add)
  for _, item in ipairs(tables(context)) do
    local columns = junction_keys(item)
    if columns and not is_unique(item, columns) and not item.withoutRowid then
      local list = quote_all(columns)
      local rows = context.query(("SELECT count(*) AS n FROM %s GROUP BY %s HAVING count(*) > 1"):format(name_of(item),
        list))
      if #rows > 0 then
        local number = row_numbers[context.db.dialect]
        add(item, ("%d link%s of %s stand%s there several times"):format(#rows, #rows == 1 and "" or "s", item.name,
          #rows == 1 and "s" or ""), {
          ("DELETE FROM %s WHERE %s NOT IN (SELECT min(%s) FROM %s GROUP BY %s)"):format(name_of(item), number, number,
            name_of(item), list),
          index_sql(item, columns, true),
        })
      end
    end
  end
end

-- Chains and models --------------------------------------------------------------------------------------------------

--- Keys that every row of a table must have, and that are looked at at once.
local function required_targets(context, item)
  local list = {}
  for _, key in ipairs(item.foreignKeys) do
    local target = context.catalogue[key.table]
    if target and target ~= item and not all_nullable(item, key.columns) and key.deferrable ~= "deferred" then
      list[#list + 1] = target
    end
  end
  return list
end

--- Tables that no row can come into: each row needs one of another table, in a circle.
local function unreachable_chain(context, add)
  local state, path = {}, {}
  local function visit(item)
    state[item] = "open"
    path[#path + 1] = item
    for _, target in ipairs(required_targets(context, item)) do
      if state[target] == "open" then
        local names, from = {}, 1
        for i, other in ipairs(path) do
          if other == target then from = i end
        end
        for i = from, #path do names[#names + 1] = path[i].name end
        add(item, ("each row of %s needs one of the next: no first row can be inserted"):format(
          table.concat(names, " → ") .. " → " .. target.name), {})
      elseif not state[target] then
        visit(target)
      end
    end
    path[#path], state[item] = nil, "done"
  end
  for _, item in ipairs(tables(context)) do
    if not state[item] then visit(item) end
  end
end

local change_texts = {
  ["add column"] = function(change) return ("the column %s is missing"):format(change.column.name) end,
  ["change column"] = function(change)
    local list = {}
    for aspect in pairs(change.aspects) do list[#list + 1] = aspect end
    table.sort(list)
    return ("the column %s differs in %s"):format(change.column.name, table.concat(list, ", "))
  end,
  ["add constraint"] = function(change)
    return ("the %s over %s is missing or differs"):format(change.constraint.kind,
      table.concat(change.constraint.columns, ", "))
  end,
}

local function describe_changes(changes, indexes)
  local list = {}
  for _, change in ipairs(changes) do
    local text = change_texts[change.kind]
    if text then list[#list + 1] = text(change) end
  end
  if #indexes > 0 then
    list[#list + 1] = ("%d index%s missing"):format(#indexes, #indexes == 1 and " is" or "es are")
  end
  return table.concat(list, "; ")
end

local function create_sql(context, class)
  local list = {}
  for _, statement in ipairs(core.create_statements(context.db._.core, { getmetatable(class)[1] }, true)) do
    list[#list + 1] = statement.sql
  end
  return list
end

local function model_differs(context, add)
  if not context.models then return end
  local catalogue_of = alter.catalogues(context.db, {})
  for _, class in ipairs(registry.of(context.db).classes) do
    local item = alter.find_table(context.db, catalogue_of(class), class)
    if not item then
      add({ name = class.tableName }, ("%s: the table %s does not exist"):format(class.name, class.tableName),
        create_sql(context, class))
    elseif item.kind == "table" then
      local changes, indexes = alter.compare(context.db, class, item)
      if #changes + #indexes > 0 then
        local plan = ddl.plan(context.db, item, changes)
        table.move(indexes, 1, #indexes, #plan.statements + 1, plan.statements)
        add(item, ("%s differs from its table: %s"):format(class.name, describe_changes(changes, indexes)),
          ddl.texts(plan))
      end
    end
  end
end

local function unresolved_association(context, add)
  if not context.models then return end
  local ok, problem = pcall(context.db.validate, context.db)
  if ok then return end
  add({ name = problem.model or "" }, type(problem) == "table" and problem.message or tostring(problem), {})
end

-- The whole ----------------------------------------------------------------------------------------------------------

local checks = {
  { "foreign key without index", key_without_index },
  { "foreign key to columns that are not unique", key_to_non_unique },
  { "foreign key of another type", key_of_other_type },
  { "foreign key to a missing table", missing_target },
  { "missing constraint", missing_constraint },
  { "orphan rows", orphan_rows },
  { "duplicate index", duplicate_index },
  { "duplicate junction rows", duplicate_junction_rows },
  { "table without key", without_key },
  { "unreachable chain", unreachable_chain },
  { "unresolved association", unresolved_association },
  { "model differs from table", model_differs },
}

--- The names of all checks, in the order they are made.
doctor.checks = {}
for i, check in ipairs(checks) do doctor.checks[i] = check[1] end

--- Examines a database.
-- @param db the connection
-- @param given {schema, models = true: also compares the models that are defined, progress = function(check)}, or nil
-- @return list of findings {check, table, message, sql = list of statements that mend it}
function doctor.examine(db, given)
  given = given or {}
  local findings = {}
  local context = {
    db = db, catalogue = introspect.read(db, { schema = given.schema }), models = given.models,
    query = function(sql) return (core.query(db._.core, sql)) end,
  }
  for _, check in ipairs(checks) do
    if given.progress then given.progress(check[1]) end
    check[2](context, function(item, message, sql)
      findings[#findings + 1] = { check = check[1], table = item.name, message = message, sql = sql }
    end)
  end
  return findings
end

return doctor
