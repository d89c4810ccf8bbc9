--- SQLite's catalogue: pragma functions joined over sqlite_schema, four queries for all tables together. What pragmas
-- don't tell (names of constraints, CHECK, DEFERRABLE, AUTOINCREMENT) is read from the tables' own SQL.
local introspect = require "liga.introspect"
local sqltext = require "liga.sqltext"

local sqlite = {}

-- Queries ------------------------------------------------------------------------------------------------------------

local TABLES = [[
SELECT m.name, m.type, m.sql, coalesce(l.type, m.type) AS kind, coalesce(l.wr, 0) AS wr
FROM sqlite_schema m LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.name
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\']]

local COLUMNS = [[
SELECT m.name AS tbl, c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\']]

local VIEW_COLUMNS = [[
SELECT c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden FROM pragma_table_xinfo($1) c ORDER BY c.cid]]

local KEYS = [[
SELECT m.name AS tbl, f.id, f.seq, f."table" AS target, f."from" AS near, f."to" AS far, f.on_update, f.on_delete
FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table']]

local INDEXES = [[
SELECT m.name AS tbl, i.name, i."unique" AS uniq, i.origin, i.partial, x.seqno, x.name AS col, x."desc" AS descending,
  s.sql
FROM sqlite_schema m JOIN pragma_index_list(m.name) i JOIN pragma_index_xinfo(i.name) x
LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = i.name
WHERE m.type = 'table' AND x.key = 1]]

local TRIGGERS = [[
SELECT m.tbl_name AS tbl, m.name, m.sql FROM sqlite_schema m WHERE m.type = 'trigger']]

-- Reading ------------------------------------------------------------------------------------------------------------

--- Some pragmas of 64-bit integers come as integers, flags too.
local function flag(value) return value == 1 or value == true end

local function add_column(item, row)
  if row.hidden == 1 then return end                                  -- of virtual tables: no part of a row
  item.columns[#item.columns + 1] = {
    name = row.name, type = row.type or "", allowNull = not flag(row.notnull), default = row.dflt_value,
    generated = row.hidden == 2 or row.hidden == 3 or nil, autoIncrement = false,
  }
  if row.pk > 0 then item.primaryKey[row.pk] = row.name end
end

local function read_columns(query, filter, bind, tables)
  for _, row in ipairs(query(COLUMNS .. filter .. " ORDER BY m.name, c.cid", bind)) do
    if tables[row.tbl] then add_column(tables[row.tbl], row) end
  end
end

--- Views and virtual tables one by one: a broken one has no columns, and must not hide the others.
local function read_view_columns(query, item)
  local ok, rows = pcall(query, VIEW_COLUMNS, { item.name })
  item.broken = not ok and tostring(rows.message or rows) or nil
  for _, row in ipairs(ok and rows or {}) do add_column(item, row) end
end

--- A key without its far side named references the primary key.
local function complete_references(tables, item)
  for _, key in ipairs(item.foreignKeys) do
    local target = tables[key.table] or tables[key.table:lower()]
    if target then key.table = target.name end
    if #key.references == 0 and target then
      key.references = table.move(target.primaryKey, 1, #target.primaryKey, 1, {})
    end
  end
end

local function read_keys(query, filter, bind, tables)
  local current
  for _, row in ipairs(query(KEYS .. filter .. " ORDER BY m.name, f.id DESC, f.seq", bind)) do
    local item = tables[row.tbl]
    if item and row.seq == 0 then
      current = {
        columns = {}, table = row.target, references = {}, onDelete = row.on_delete, onUpdate = row.on_update,
      }
      item.foreignKeys[#item.foreignKeys + 1] = current
    end
    if item then
      current.columns[#current.columns + 1] = row.near
      if row.far then current.references[#current.references + 1] = row.far end
    end
  end
end

local origins = { c = "index", u = "unique", pk = "primary" }

--- The condition of a partial index, as its SQL has it.
local function condition_of(sql)
  local depth = 0
  for _, token in ipairs(sqltext.tokens(sql)) do
    if token.value == "(" then depth = depth + 1 elseif token.value == ")" then depth = depth - 1 end
    if depth == 0 and token.word == "WHERE" then return sql:sub(token.to + 1):match "^%s*(.-)%s*$" end
  end
end

local function read_indexes(query, filter, bind, tables)
  local current
  for _, row in ipairs(query(INDEXES .. filter .. " ORDER BY m.name, i.seq DESC, x.seqno", bind)) do
    local item = tables[row.tbl]
    if item and row.seqno == 0 then
      current = {
        name = row.name, unique = flag(row.uniq), origin = origins[row.origin], columns = {}, sql = row.sql,
        where = flag(row.partial) and condition_of(row.sql) or nil,
      }
      item.indexes[#item.indexes + 1] = current
    end
    if item then
      current.columns[#current.columns + 1] = { name = row.col, order = flag(row.descending) and "DESC" or "ASC" }
    end
  end
end

-- What only the text says --------------------------------------------------------------------------------------------

local function find_key(item, columns)
  for _, key in ipairs(item.foreignKeys) do
    if not key.seen and introspect.same_names(key.columns, columns) then return key end
  end
end

local function note_key(item, name, columns, tokens, source)
  local key = find_key(item, columns)
  if not key then return end
  key.seen, key.name, key.deferrable, key.source = true, name, sqltext.deferrable(tokens), source
end

local function note_check(item, name, body, source)
  item.checks[#item.checks + 1] = { name = name, sql = body:match "^%w+%s*%((.*)%)" or body, source = source }
end

local function note_primary(item, name, source)
  item.primaryKeyName, item.primaryKeySource = name, source
end

local function note_unique(item, name, columns, source)
  item.uniques[#item.uniques + 1] = { name = name, columns = columns, source = source }
end

--- What a clause of a column says, by its kind. `source` is where it stands, for changes: the definition, the clause.
local clause_notes = {
  ["primary key"] = function(item, _, clause, source)
    note_primary(item, clause.name, source)
    if clause.body:upper():find("AUTOINCREMENT", 1, true) then item.sequence = true end
  end,
  unique = function(item, column, clause, source) note_unique(item, clause.name, { column.name }, source) end,
  check = function(item, _, clause, source) note_check(item, clause.name, clause.body, source) end,
  references = function(item, column, clause, source)
    note_key(item, clause.name, { column.name }, clause.tokens, source)
  end,
}

--- What a constraint of the table says, by its kind.
local constraint_notes = {
  ["primary key"] = function(item, definition, source) note_primary(item, definition.name, source) end,
  unique = function(item, definition, source) note_unique(item, definition.name, definition.columns, source) end,
  check = function(item, definition, source) note_check(item, definition.name, definition.body, source) end,
  ["foreign key"] = function(item, definition, source)
    note_key(item, definition.name, definition.columns, definition.tokens, source)
  end,
}

--- INTEGER PRIMARY KEY is the row's own number, which SQLite makes.
local function mark_generated(item)
  local column = #item.primaryKey == 1 and item.columns[item.primaryKey[1]]
  if column and column.type:upper() == "INTEGER" and not item.withoutRowid then column.autoIncrement = true end
end

--- A name as PostgreSQL would give it.
local function made_up(item, suffix, columns)
  return item.name .. (columns and "_" .. table.concat(columns, "_") or "") .. suffix
end

local function name_constraints(item)
  local function give(list, suffix)
    for i, constraint in ipairs(list) do
      constraint.unnamed = constraint.name == nil or nil
      local ending = constraint.columns and suffix or suffix .. i
      constraint.name = constraint.name or made_up(item, ending, constraint.columns)
    end
  end
  give(item.foreignKeys, "_fkey")
  give(item.uniques, "_key")
  give(item.checks, "_check")
  if #item.primaryKey > 0 then item.primaryKeyName = item.primaryKeyName or item.name .. "_pkey" end
end

local function read_text(item)
  for _, column in ipairs(item.columns) do item.columns[column.name] = column end
  local parsed = item.kind == "table" and sqltext.create_table(item.sql)
  if not parsed then return end
  item.parsed, item.withoutRowid = parsed, parsed.tail:upper():find("WITHOUT%s+ROWID") ~= nil
  for _, definition in ipairs(parsed.definitions) do
    local column = definition.kind == "column" and item.columns[definition.name]
    if column then
      for _, clause in ipairs(definition.clauses) do
        local note = clause_notes[clause.kind]
        if note then note(item, column, clause, { definition = definition, clause = clause }) end
      end
    elseif constraint_notes[definition.kind] then
      constraint_notes[definition.kind](item, definition, { definition = definition })
    end
  end
  mark_generated(item)
  name_constraints(item)
end

-- The whole ----------------------------------------------------------------------------------------------------------

--- Reads tables, views, columns, keys, indexes and triggers.
-- @param query function(sql, bind) → rows
-- @param given {table = only this one}
-- @return list of tables, see `introspect`
function sqlite.read(query, given)
  local filter, bind = "", nil
  if given.table then filter, bind = " AND lower(m.name) = lower($1)", { given.table } end
  local list, tables = {}, {}
  for _, row in ipairs(query(TABLES .. filter .. " ORDER BY m.name", bind)) do
    if row.kind ~= "shadow" then
      local item = introspect.new_table { name = row.name, kind = row.kind, sql = row.sql }
      list[#list + 1], tables[row.name], tables[row.name:lower()] = item, item, item
    end
  end
  read_columns(query, filter, bind, tables)
  read_keys(query, filter, bind, tables)
  read_indexes(query, filter, bind, tables)
  for _, row in ipairs(query(TRIGGERS .. (given.table and " AND lower(m.tbl_name) = lower($1)" or "")
      .. " ORDER BY m.rowid", bind)) do
    local item = tables[row.tbl] or tables[row.tbl:lower()]
    if item then item.triggers[#item.triggers + 1] = { name = row.name, sql = row.sql } end
  end
  for _, item in ipairs(list) do
    if item.kind ~= "table" then read_view_columns(query, item) end
    complete_references(tables, item)
    read_text(item)
  end
  if given.table then sqlite.complete_alone(query, list) end
  return list
end

--- Of a table that was read alone, the primary keys that its keys reference without naming them.
function sqlite.complete_alone(query, list)
  for _, item in ipairs(list) do
    for _, key in ipairs(item.foreignKeys) do
      if #key.references == 0 then
        for _, row in ipairs(query("SELECT name, pk FROM pragma_table_info($1) WHERE pk > 0", { key.table })) do
          key.references[row.pk] = row.name
        end
      end
    end
  end
end

-- Types --------------------------------------------------------------------------------------------------------------

--- Declared types and liga's, by the word they begin with. `sized`: the length is a parameter; `scaled`: precision and
-- scale are; `free`: they may be missing.
local kinds = {
  { "^TINYINT%(1%)$", "BOOLEAN" }, { "^BOOL", "BOOLEAN" },
  { "^SMALLINT", "SMALLINT" }, { "^TINYINT", "SMALLINT" }, { "^INT2", "SMALLINT" },
  { "^BIGINT", "BIGINT" }, { "^INT8", "BIGINT" }, { "^UNSIGNED BIG", "BIGINT" },
  { "^INT", "INTEGER" }, { "^MEDIUMINT", "INTEGER" },
  { "^N?VARCHAR", "STRING", sized = true }, { "^N?CHAR VARYING", "STRING", sized = true },
  { "^CHARACTER VARYING", "STRING", sized = true }, { "^VARYING CHARACTER", "STRING", sized = true },
  { "^NVARCHAR2?", "STRING", sized = true }, { "^VARCHAR2", "STRING", sized = true },
  { "^NATIVE CHARACTER", "CHAR", sized = true }, { "^N?CHAR", "CHAR", sized = true },
  { "^DECIMAL_TEXT", "DECIMAL", scaled = true, free = true },
  { "TEXT", "TEXT" }, { "^CLOB", "TEXT" }, { "^STRING", "TEXT" },
  { "^DECIMAL", "DECIMAL", scaled = true }, { "^NUMERIC", "DECIMAL", scaled = true },
  { "^NUMBER", "DECIMAL", scaled = true },
  { "^REAL", "REAL" }, { "^DOUBLE", "DOUBLE" }, { "^FLOAT", "FLOAT" },
  { "^DATETIME", "DATE" }, { "^TIMESTAMP", "DATE" }, { "^DATE$", "DATEONLY" }, { "^TIME", "TIME" },
  { "BLOB", "BLOB" }, { "^BINARY", "BLOB" }, { "^VARBINARY", "BLOB" }, { "^BYTEA", "BLOB" },
  { "^UUID", "UUID" }, { "^GUID", "UUID" }, { "^UNIQUEIDENTIFIER", "UUID" }, { "^JSONB", "JSONB" }, { "^JSON", "JSON" },
  { "INT", "INTEGER" }, { "CHAR", "STRING", sized = true },
}

local function matching(declared)
  for _, row in ipairs(kinds) do
    if declared:find(row[1]) then return row end
  end
end

--- The type of liga's that a declared type means.
-- @param declared as the table says it
-- @return {name, length, precision, scale}; nil: it says nothing (SQLite stores any value there)
function sqlite.kind_of(declared)
  local upper = declared:upper():gsub("%s+", " ")
  local row = matching(upper)
  if not row then return nil end
  local first, second = upper:match "%(%s*(%d+)%s*,?%s*(%d*)%s*%)"
  local kind = { name = row[2] }
  if row.sized and first then kind.length = math.tointeger(tonumber(first)) end
  if row.sized and not first and row[2] == "STRING" then kind.name = "TEXT" end
  if row.scaled and not first then
    return row.free and kind or { name = "DOUBLE" }                    -- SQLite keeps doubles and integers there
  elseif row.scaled then
    kind.precision, kind.scale = math.tointeger(tonumber(first)), math.tointeger(tonumber(second)) or 0
  end
  return kind
end

return sqlite
