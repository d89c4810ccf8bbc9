--- What the checks of the doctor have in common: which keys and tables there are, and the SQL that mends them.
local introspect = require "liga.introspect"
local naming = require "liga.naming"
local sqltext = require "liga.sqltext"

local parts = {}
local quote, quote_all = sqltext.quote, sqltext.quote_all

function parts.name_of(item) return sqltext.table_name(item.schema, item.name) end

--- The tables of the catalogue, without views.
function parts.tables(context)
  local list = {}
  for _, item in ipairs(context.catalogue) do
    if item.kind == "table" then list[#list + 1] = item end
  end
  return list
end

--- Every foreign key: function() → table, key, target (nil where there is none).
function parts.each_key(context)
  local list = {}
  for _, item in ipairs(parts.tables(context)) do
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

function parts.key_text(item, key)
  return ("%s (%s) → %s (%s)"):format(item.name, table.concat(key.columns, ", "), key.table,
    table.concat(key.references, ", "))
end

--- Whether an index over all rows begins with these columns, in any order.
function parts.begins_with(columns, wanted)
  if #columns < #wanted then return false end
  return introspect.same_names(table.move(columns, 1, #wanted, 1, {}), wanted, true)
end

function parts.is_indexed(item, wanted)
  if parts.begins_with(item.primaryKey, wanted) then return true end
  for _, index in ipairs(item.indexes) do
    local columns = not index.where and introspect.index_columns(index)
    if columns and parts.begins_with(columns, wanted) then return true end
  end
  return false
end

function parts.index_sql(item, columns, unique)
  return ("CREATE %sINDEX %s ON %s (%s)"):format(unique and "UNIQUE " or "",
    quote(naming.snake_index(item.name, columns, unique)), parts.name_of(item), quote_all(columns))
end

function parts.drop_index_sql(item, index)
  return "DROP INDEX " .. sqltext.table_name(item.schema, index.name)
end

function parts.is_unique(item, columns)
  for _, key in ipairs(introspect.unique_keys(item)) do
    if introspect.same_names(key.columns, columns, true) then return true end
  end
  return false
end

--- A change of a column: other fields than its own.
function parts.column_change(column, fields, aspect)
  local part = {
    name = column.name, type = column.type, default = column.default, allowNull = column.allowNull, sql = "",
  }
  for name, value in pairs(fields) do part[name] = value end
  return { kind = "change column", column = part, aspects = { [aspect] = true } }
end

--- Whether one of these names stands in a list.
function parts.includes_any(list, names)
  for _, name in ipairs(names) do
    for _, other in ipairs(list) do
      if other == name then return true end
    end
  end
  return false
end

--- Whether columns may be NULL; those of a primary key may not, whatever SQLite says.
function parts.all_nullable(item, columns)
  for _, name in ipairs(columns) do
    if not item.columns[name].allowNull then return false end
  end
  return not parts.includes_any(item.primaryKey, columns)
end

function parts.in_key(item, name)
  for _, key in ipairs(item.foreignKeys) do
    for _, column in ipairs(key.columns) do
      if column == name then return true end
    end
  end
  return #item.primaryKey == 1 and item.primaryKey[1] == name
end

--- Columns that say nothing about a link: a generated key, times of creation and change.
function parts.says_nothing(item, column)
  local name = column.name:lower():gsub("_", "")
  return #item.primaryKey == 1 and item.primaryKey[1] == column.name or name == "createdat" or name == "updatedat"
end

--- The two foreign keys of a junction: a table of nothing but links.
function parts.junction_keys(item)
  if #item.foreignKeys ~= 2 then return nil end
  for _, column in ipairs(item.columns) do
    if not parts.says_nothing(item, column) and not parts.in_key(item, column.name) then return nil end
  end
  local columns = {}
  for _, key in ipairs(item.foreignKeys) do
    for _, name in ipairs(key.columns) do columns[#columns + 1] = name end
  end
  return columns
end

--- Rows of `t` whose key references nothing.
function parts.orphan_condition(key, target)
  local set, same = {}, {}
  for i, column in ipairs(key.columns) do
    set[i] = ("t.%s IS NOT NULL"):format(quote(column))
    same[i] = ("p.%s = t.%s"):format(quote(key.references[i]), quote(column))
  end
  return ("%s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)"):format(table.concat(set, " AND "), parts.name_of(target),
    table.concat(same, " AND "))
end

function parts.count_orphans(context, item, key, target)
  return context.query(("SELECT count(*) AS n FROM %s t WHERE %s"):format(parts.name_of(item),
    parts.orphan_condition(key, target)))[1].n
end

--- NULL where the key may be NULL, else the rows go; links that lead nowhere go too.
function parts.orphan_sql(item, key, target)
  local condition = parts.orphan_condition(key, target)
  if parts.junction_keys(item) or not parts.all_nullable(item, key.columns) then
    return ("DELETE FROM %s AS t WHERE %s"):format(parts.name_of(item), condition)
  end
  local sets = {}
  for i, column in ipairs(key.columns) do sets[i] = quote(column) .. " = NULL" end
  return ("UPDATE %s AS t SET %s WHERE %s"):format(parts.name_of(item), table.concat(sets, ", "), condition)
end

--- Whether a row has NULL in one of these columns.
function parts.has_nulls(context, item, columns)
  local list = {}
  for i, name in ipairs(columns) do list[i] = quote(name) .. " IS NULL" end
  local sql = ("SELECT 1 AS n FROM %s WHERE %s LIMIT 1"):format(parts.name_of(item), table.concat(list, " OR "))
  return #context.query(sql) > 0
end

--- A primary key over columns that are unique already, or made so; the index that was it is not needed any more.
local function key_over(columns, index)
  local constraint = { kind = "primary key", columns = columns, sql = ("PRIMARY KEY (%s)"):format(quote_all(columns)) }
  return {
    changes = { { kind = "add constraint", constraint = constraint } },
    indexes = index and { index } or nil,
  }
end

local generated_keys = {
  sqlite = "%s INTEGER PRIMARY KEY", postgres = "%s BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
}

local function has_column(family, name)
  for _, item in ipairs(family) do
    if item.columns[name] then return true end
  end
  return false
end

--- The name of a column that none of the tables has.
local function free_name(family)
  local name = "id"
  while has_column(family, name) do name = "row_" .. name end
  return name
end

--- A generated key, in a column of its own.
local function generated_key(context, item)
  local name = free_name { item }
  local sql = generated_keys[context.db.dialect]:format(quote(name))
  return { changes = { { kind = "add column", column = { name = name, sql = sql, autoIncrement = true } } } }
end

--- Whether the table can have a unique index over the columns: what it is partitioned by has to be among them.
function parts.can_be_unique(item, columns)
  for _, name in ipairs(item.partitionKey or {}) do
    if not parts.includes_any(columns, { name }) then return false end
  end
  return true
end

--- The tables that inherit from each other, from one of them on.
local function family_of(context, item)
  local list = { item, [item] = true }
  local function meet(other)
    if other and not list[other] then list[#list + 1], list[other] = other, true end
  end
  local i = 0
  while list[i + 1] do
    i = i + 1
    for _, name in ipairs(list[i].parents or {}) do meet(context.catalogue[name]) end
    for _, other in ipairs(parts.tables(context)) do
      if parts.includes_any(other.parents or {}, { list[i].name }) then meet(other) end
    end
  end
  return list
end

--- A generated key where other tables get the column along: those that inherit it, or partitions. Each of a family can
-- be the first one to be mended.
-- @param more columns that the key has to hold, too
local function shared_key(context, item, more)
  local table_name, column = parts.name_of(item), quote(free_name(family_of(context, item)))
  local key = { column }
  for i, name in ipairs(more) do key[i + 1] = quote(name) end
  return { indexes = {
    ("ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s BIGSERIAL"):format(table_name, column),
    ("ALTER TABLE %s ADD PRIMARY KEY (%s)"):format(table_name, table.concat(key, ", ")),
  } }
end

--- No key has an expression among its columns, or NULL.
local function partitioned_key(context, item)
  for _, name in ipairs(item.partitionKey) do
    if type(name) ~= "string" then return {} end
  end
  if parts.has_nulls(context, item, item.partitionKey) then return {} end
  return shared_key(context, item, item.partitionKey)
end

--- Whether the rows of a table itself, those of its children aside, differ in these columns.
local function tells_apart(context, item, columns)
  local list = quote_all(columns)
  local sql = ("SELECT 1 AS n FROM ONLY %s GROUP BY %s HAVING count(*) > 1 LIMIT 1"):format(parts.name_of(item), list)
  return not parts.has_nulls(context, item, columns) and #context.query(sql) == 0
end

--- The key of a table that it inherits from, if its own rows are told apart by it.
local function inherited_key(context, item)
  for _, name in ipairs(item.parents or {}) do
    local parent = context.catalogue[name]
    local key = parent and parent.primaryKey or {}
    if #key > 0 and tells_apart(context, item, key) then return key end
  end
end

--- What makes a primary key of a table: its unique key, the two keys of a junction, what it inherits, else a generated
-- one.
function parts.new_key(context, item)
  local unique = introspect.unique_keys(item)[1]
  if unique and not parts.has_nulls(context, item, unique.columns) then
    return key_over(unique.columns, unique.origin == "index" and parts.drop_index_sql(item, unique) or nil)
  end
  local pair = parts.junction_keys(item)
  if pair and not unique and parts.can_be_unique(item, pair) and not parts.has_nulls(context, item, pair) then
    return key_over(pair)
  end
  if item.partitionKey then return partitioned_key(context, item) end
  local inherited = inherited_key(context, item)
  if inherited then return key_over(inherited) end
  return #family_of(context, item) > 1 and shared_key(context, item, {}) or generated_key(context, item)
end

return parts
