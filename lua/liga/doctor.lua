--- Looks for what is wrong with a database, and with models for it. Each finding says how to mend it.
--
-- A check is a function(context, add) that calls add(table, message, mend). What mends it: {rows = statements that
-- change rows, changes = of the table as `ddl` knows them, indexes = statements after that}; each may be missing.
-- Context: db, catalogue, query(sql) → rows, models (whether there are any besides the reflected ones).
local alter = require "liga.alter"
local core = require "liga.core"
local ddl = require "liga.ddl"
local inflect = require "liga.inflect"
local introspect = require "liga.introspect"
local parts = require "liga.doctor.parts"
local registry = require "liga.define.registry"
local sqltext = require "liga.sqltext"

local doctor = {}
local quote, quote_all = sqltext.quote, sqltext.quote_all

-- Indexes ------------------------------------------------------------------------------------------------------------

local function key_without_index(context, add)
  for item, key in parts.each_key(context) do
    if not parts.is_indexed(item, key.columns) then
      add(item, ("the foreign key %s has no index"):format(parts.key_text(item, key)),
        { indexes = { parts.index_sql(item, key.columns) } })
    end
  end
end

local function index_id(index)
  local words = { index.where or "", index.using or "" }
  for _, column in ipairs(index.columns) do
    if not column.name then return nil end
    words[#words + 1] = column.name .. " " .. column.order
  end
  return table.concat(words, "\0")
end

--- Of two equal indexes the one that is less than a constraint, or not unique, is too many.
local function redundant(a, b)
  if a.origin ~= "index" then return b end
  if b.origin ~= "index" then return a end
  if a.unique ~= b.unique then return a.unique and b or a end
  return b
end

local function duplicate_index(context, add)
  for _, item in ipairs(parts.tables(context)) do
    local seen = {}
    for _, index in ipairs(item.indexes) do
      local id = index_id(index)
      local other = id and seen[id]
      local extra = other and redundant(other, index)
      if extra and extra.origin == "index" then
        local kept = extra == index and other or index
        add(item, ("the index %s is over the same columns as %s"):format(extra.name, kept.name),
          { indexes = { parts.drop_index_sql(item, extra) } })
      end
      if id then seen[id] = extra == other and index or other or index end
    end
  end
end

-- Keys ---------------------------------------------------------------------------------------------------------------

local function key_to_non_unique(context, add)
  for item, key, target in parts.each_key(context) do
    if target and not parts.is_unique(target, key.references) then
      add(item, ("the foreign key %s references columns that are not unique"):format(parts.key_text(item, key)),
        { indexes = { parts.index_sql(target, key.references, true) } })
    end
  end
end

local classes = {
  SMALLINT = "integer", INTEGER = "integer", BIGINT = "integer", STRING = "text", TEXT = "text", CHAR = "text",
  FLOAT = "float", DOUBLE = "float", REAL = "float",
}

--- What keys are compared as: on SQLite UUID and texts are the same, all integers are, and a column without type is
-- anything.
local function class_of(context, column)
  local kind = introspect.dialect(context.db).kind_of(column.base or column.type)
  if not kind then return nil end
  local class = classes[kind.name] or kind.name
  if context.db.dialect == "sqlite" then return class == "UUID" and "text" or class end
  return class == "integer" and kind.name or class
end

local function key_of_other_type(context, add)
  for item, key, target in parts.each_key(context) do
    for i, name in ipairs(target and key.columns or {}) do
      local column, referenced = item.columns[name], target.columns[key.references[i]]
      local own = column and class_of(context, column)
      local other = referenced and class_of(context, referenced)
      if own and other and own ~= other then
        add(item, ("%s.%s is %s, but references %s.%s, which is %s"):format(item.name, name, column.type, target.name,
          referenced.name, referenced.type),
          { changes = { parts.column_change(column, { type = referenced.type }, "type") } })
      end
    end
  end
end

--- The table that a column's name speaks of: `customer_id` and `customerId` of Customer, Customers.
local function meant_by(context, item, column)
  local stem = column.name:match "^(.+)_[iI][dD]$" or column.name:match "^(.+%l)I[dD]$"
  if not stem then return nil end
  local wanted = inflect.underscore(inflect.singularize(stem))
  for _, target in ipairs(parts.tables(context)) do
    if inflect.underscore(inflect.singularize(target.name)) == wanted and #target.primaryKey == 1 then
      local same = class_of(context, target.columns[target.primaryKey[1]]) == class_of(context, column)
      if same and target ~= item then return target end
    end
  end
end

--- A constraint for a column, its index, and what is to be done with rows that would break it.
local function add_key(context, item, column, target)
  local key = { columns = { column.name }, references = target.primaryKey }
  local constraint = {
    kind = "foreign key", columns = key.columns,
    sql = ("FOREIGN KEY (%s) REFERENCES %s (%s)"):format(quote(column.name), parts.name_of(target),
      quote_all(key.references)),
  }
  return {
    rows = parts.count_orphans(context, item, key, target) > 0 and { parts.orphan_sql(item, key, target) } or nil,
    changes = { { kind = "add constraint", constraint = constraint } },
    indexes = not parts.is_indexed(item, key.columns) and { parts.index_sql(item, key.columns) } or nil,
  }
end

local function missing_constraint(context, add)
  for _, item in ipairs(parts.tables(context)) do
    for _, column in ipairs(item.columns) do
      local target = not parts.in_key(item, column.name) and meant_by(context, item, column)
      if target then
        add(item, ("%s.%s looks like a key of %s, but is no foreign key"):format(item.name, column.name, target.name),
          add_key(context, item, column, target))
      end
    end
  end
end

local function missing_target(context, add)
  for item, key, target in parts.each_key(context) do
    if not target and (key.schema == nil or key.schema == item.schema) then
      add(item, ("the foreign key %s references a table that does not exist"):format(parts.key_text(item, key)),
        { changes = { { kind = "drop constraint", constraint = key } } })
    end
  end
end

-- Rows ---------------------------------------------------------------------------------------------------------------

local FIRST = 5

local function shown_keys(item, rows)
  local list = {}
  for i, row in ipairs(rows) do
    local values = {}
    for n, column in ipairs(item.primaryKey) do values[n] = tostring(row[column]) end
    list[i] = table.concat(values, "/")
  end
  return table.concat(list, ", ")
end

--- The first keys of the orphans as text, nil where the table has no key.
local function first_orphans(context, item, key, target, count)
  if #item.primaryKey == 0 then return nil end
  local list = quote_all(item.primaryKey)
  local rows = context.query(("SELECT %s FROM %s t WHERE %s ORDER BY %s LIMIT %d"):format(list, parts.name_of(item),
    parts.orphan_condition(key, target), list, FIRST))
  return shown_keys(item, rows) .. (count > FIRST and ", …" or "")
end

local function orphan_rows(context, add)
  for item, key, target in parts.each_key(context) do
    if target and target.kind == "table" and #key.references == #key.columns then
      local count = parts.count_orphans(context, item, key, target)
      if count > 0 then
        local keys = first_orphans(context, item, key, target, count)
        add(item, ("%d row%s of %s reference%s nothing by %s%s"):format(count, count == 1 and "" or "s", item.name,
          count == 1 and "s" or "", table.concat(key.columns, ", "), keys and ": " .. keys or ""),
          { rows = { parts.orphan_sql(item, key, target) } })
      end
    end
  end
end

--- One row of each group stays: table, and the columns that are equal. A row of PostgreSQL may be in a partition.
local remove_duplicates = {
  sqlite = "DELETE FROM %1$s WHERE rowid NOT IN (SELECT min(rowid) FROM %1$s GROUP BY %2$s)",
  postgres = "DELETE FROM %1$s WHERE (tableoid, ctid) NOT IN "
    .. "(SELECT DISTINCT ON (%2$s) tableoid, ctid FROM %1$s ORDER BY %2$s, tableoid, ctid)",
}

local function duplicate_junction_rows(context, add)
  for _, item in ipairs(parts.tables(context)) do
    local columns = parts.junction_keys(item)
    if columns and not parts.is_unique(item, columns) and not item.withoutRowid then
      local list, name = quote_all(columns), parts.name_of(item)
      local rows = context.query(("SELECT count(*) AS n FROM %s GROUP BY %s HAVING count(*) > 1"):format(name, list))
      if #rows > 0 then
        local delete = remove_duplicates[context.db.dialect]:gsub("%%(%d)%$s", { ["1"] = name, ["2"] = list })
        local keyed = #item.primaryKey > 0 or parts.has_nulls(context, item, columns)   -- else the pair becomes the key
        keyed = keyed and parts.can_be_unique(item, columns)
        add(item, ("%d link%s of %s stand%s there several times"):format(#rows, #rows == 1 and "" or "s", item.name,
          #rows == 1 and "s" or ""),
          { rows = { delete }, indexes = keyed and { parts.index_sql(item, columns, true) } or nil })
      end
    end
  end
end

local function without_key(context, add)
  for _, item in ipairs(parts.tables(context)) do
    if #item.primaryKey == 0 then
      add(item, ("the table %s has no primary key"):format(item.name), parts.new_key(context, item))
    end
  end
end

-- Chains and models --------------------------------------------------------------------------------------------------

--- Keys that every row of a table must have, and that are looked at at once: list of {key, target}.
local function required_keys(context, item)
  local list = {}
  for _, key in ipairs(item.foreignKeys) do
    local target = context.catalogue[key.table]
    if target and target ~= item and not parts.all_nullable(item, key.columns) and key.deferrable ~= "deferred" then
      list[#list + 1] = { key = key, target = target }
    end
  end
  return list
end

--- What opens a circle: a key that is looked at at the end of a transaction; on SQLite one that may be NULL.
local function loosen(context, item, key)
  if context.db.dialect == "postgres" then
    local sql = ("ALTER TABLE %s ALTER CONSTRAINT %s DEFERRABLE INITIALLY DEFERRED"):format(parts.name_of(item),
      quote(key.name))
    return { indexes = { sql } }
  end
  if parts.includes_any(item.primaryKey, key.columns) then return {} end
  local changes = {}
  for i, name in ipairs(key.columns) do
    changes[i] = parts.column_change(item.columns[name], { allowNull = true }, "allowNull")
  end
  return { changes = changes }
end

--- Tables that no row can come into: each row needs one of another table, in a circle.
local function unreachable_chain(context, add)
  local state, path = {}, {}
  local function visit(item)
    state[item] = "open"
    path[#path + 1] = item
    for _, link in ipairs(required_keys(context, item)) do
      local target = link.target
      if state[target] == "open" then
        local names, from = {}, 1
        for i, other in ipairs(path) do
          if other == target then from = i end
        end
        for i = from, #path do names[#names + 1] = path[i].name end
        add(item, ("each row of %s needs one of the next: no first row can be inserted"):format(
          table.concat(names, " → ") .. " → " .. target.name), loosen(context, item, link.key))
      elseif not state[target] then
        visit(target)
      end
    end
    path[#path], state[item] = nil, "done"
  end
  for _, item in ipairs(parts.tables(context)) do
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
        { indexes = create_sql(context, class) })
    elseif item.kind == "table" then
      local changes, indexes = alter.compare(context.db, class, item, catalogue_of)
      if #changes + #indexes > 0 then
        add(item, ("%s differs from its table: %s"):format(class.name, describe_changes(changes, indexes)),
          { changes = changes, indexes = indexes })
      end
    end
  end
end

local function unresolved_association(context, add)
  if not context.models then return end
  local ok, problem = pcall(context.db.validate, context.db)
  if ok then return end
  add({ name = problem.model or "" }, type(problem) == "table" and problem.message or tostring(problem))
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

local function append(list, more)
  if more then table.move(more, 1, #more, #list + 1, list) end
end

--- The statements of what mends something, by itself.
local function statements_of(db, item, mend)
  local list = {}
  append(list, mend.rows)
  if mend.changes then append(list, ddl.texts(ddl.plan(db, item, mend.changes))) end
  append(list, mend.indexes)
  return list
end

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
    check[2](context, function(item, message, mend)
      mend = mend or {}
      findings[#findings + 1] = {
        check = check[1], table = item.name, message = message, sql = statements_of(db, item, mend), item = item,
        mend = mend,
      }
    end)
  end
  return findings
end

--- What mends all findings at once: rows first, then each table, which SQLite may have to make anew, then indexes.
-- @param db the connection
-- @param findings of `examine`
-- @return list of {statements, findings = those that they are for}
function doctor.script(db, findings)
  local script, changed = {}, {}
  local function add(statements, list) script[#script + 1] = { statements = statements, findings = list } end
  for _, finding in ipairs(findings) do
    if finding.mend.rows then add(finding.mend.rows, { finding }) end
  end
  for _, finding in ipairs(findings) do
    local entry = finding.mend.changes and changed[finding.item]
    if finding.mend.changes and not entry then
      entry = { item = finding.item, changes = {}, findings = {} }
      changed[#changed + 1], changed[finding.item] = entry, entry
    end
    if entry then
      append(entry.changes, finding.mend.changes)
      entry.findings[#entry.findings + 1] = finding
    end
  end
  for _, entry in ipairs(changed) do
    add(ddl.texts(ddl.plan(db, entry.item, entry.changes)), entry.findings)
  end
  for _, finding in ipairs(findings) do
    if finding.mend.indexes then add(finding.mend.indexes, { finding }) end
  end
  return script
end

return doctor
