--- Changes of tables on SQLite. What ALTER TABLE can't do makes the table anew by the recipe of
-- https://sqlite.org/lang_altertable.html: a new table with edited definitions, the rows copied, the old one
-- dropped, the new one renamed, indexes and triggers made again. Definitions that don't change keep their text.
local errors = require "liga.errors"
local fit = require "liga.ddl.sqlite_fit"
local introspect = require "liga.introspect"
local sqltext = require "liga.sqltext"

local sqlite = {}
local quote = sqltext.quote

-- What ALTER TABLE can do --------------------------------------------------------------------------------------------

local function alter(item, action, ...)
  return ("ALTER TABLE %s "):format(quote(item.name)) .. action:format(...)
end

--- A key over one column, as a clause of the column.
local function inline_key(key)
  return (key.sql:gsub("^FOREIGN KEY %b()", "", 1))
end

--- Whether ADD COLUMN takes it: a required column needs a constant default, one that references must be empty.
local function addable(change)
  local column, keys = change.column, change.keys or {}
  local constant = column.default and not column.default:find "^%("
  if column.autoIncrement or column.default and not constant then return false end
  if not column.allowNull and (not constant or column.default:upper() == "NULL") then return false end
  return #keys == 0 or #keys == 1 and #keys[1].columns == 1 and column.default == nil
end

local function uses_column(list, name)
  for _, entry in ipairs(list) do
    for _, column in ipairs(entry.columns or {}) do
      if column == name then return true end
    end
  end
  return false
end

--- Whether DROP COLUMN takes it: in no key, constraint or computed column.
local function droppable(item, name)
  if uses_column({ { columns = item.primaryKey } }, name) or uses_column(item.uniques, name)
    or uses_column(item.foreignKeys, name) then
    return false
  end
  for _, check in ipairs(item.checks) do
    if sqltext.mentions(check.sql, name) then return false end
  end
  for _, column in ipairs(item.columns) do
    if column.generated then return false end
  end
  return true
end

--- Changes that ALTER TABLE does: kind → function(item, change) → statements, or nil where it can't.
local natives = {
  ["add column"] = function(item, change)
    if not addable(change) then return nil end
    local key = change.keys and change.keys[1]
    return { alter(item, "ADD COLUMN %s%s", change.column.sql, key and inline_key(key) or "") }
  end,
  ["drop column"] = function(item, change)
    if droppable(item, change.name) then return { alter(item, "DROP COLUMN %s", quote(change.name)) } end
  end,
  ["rename column"] = function(item, change)
    return { alter(item, "RENAME COLUMN %s TO %s", quote(change.name), quote(change.to)) }
  end,
}

-- Editing definitions ------------------------------------------------------------------------------------------------

local function column_text(definition)
  local parts = { definition.quoted, definition.type ~= "" and definition.type or nil }
  for _, clause in ipairs(definition.clauses) do parts[#parts + 1] = clause.text end
  return table.concat(parts, " ")
end

local function find_column(definitions, name)
  for i, definition in ipairs(definitions) do
    if definition.kind == "column" and definition.name:lower() == name:lower() then return definition, i end
  end
end

local function take_out(list, entry)
  for i, other in ipairs(list) do
    if other == entry then return table.remove(list, i) end
  end
end

--- Puts a definition behind the last column.
local function insert_column(definitions, definition)
  local place = 0
  for i, other in ipairs(definitions) do
    if other.kind == "column" then place = i end
  end
  table.insert(definitions, place + 1, definition)
end

local function add_keys(definitions, keys)
  for _, key in ipairs(keys or {}) do
    definitions[#definitions + 1] = { kind = "foreign key", columns = key.columns, text = key.sql }
  end
end

--- A column without one of its clauses; the one of the catalogue stays as it is.
local function without_clause(definition, clause)
  local new = { clauses = {} }
  for name, value in pairs(definition) do new[name] = new[name] or value end
  for _, other in ipairs(definition.clauses) do
    if other.kind ~= clause.kind or other.text ~= clause.text then new.clauses[#new.clauses + 1] = other end
  end
  new.text = column_text(new)
  return new
end

local function is_check_of(entry, name)
  return entry.kind == "check" and sqltext.mentions(entry.body, name)
end

--- The checks among the clauses of a column that speak of another one.
local function checks_of(definition, name)
  local list = {}
  for _, clause in ipairs(definition.clauses or {}) do
    if is_check_of(clause, name) then list[#list + 1] = clause end
  end
  return list
end

--- Takes out what speaks of a column, as PostgreSQL does: keys over it, the column from the primary key, checks.
local function drop_constraints_of(definitions, name)
  for i = #definitions, 1, -1 do
    local definition = definitions[i]
    for _, clause in ipairs(checks_of(definition, name)) do definitions[i] = without_clause(definitions[i], clause) end
    local gone = definition.columns and uses_column({ definition }, name) or is_check_of(definition, name)
    if gone then table.remove(definitions, i) end
  end
end

--- Clauses that a changed column keeps.
local kept = { ["primary key"] = true, unique = true, check = true, collate = true, references = true }

--- A column with a new type, default and nullability; its name as it was written, its other clauses as they were.
local function changed_column(definition, column, has_keys)
  if column.autoIncrement then return { kind = "column", name = definition.name, clauses = {}, text = column.sql } end
  local new = { kind = "column", name = definition.name, quoted = definition.quoted, type = column.type, clauses = {} }
  local function add(kind, text) new.clauses[#new.clauses + 1] = { kind = kind, text = text } end
  if not column.allowNull then add("not null", "NOT NULL") end
  if column.default then add("default", "DEFAULT " .. column.default) end
  for _, clause in ipairs(definition.clauses) do
    if kept[clause.kind] and not (has_keys and clause.kind == "references") then add(clause.kind, clause.text) end
  end
  new.text = column_text(new)
  return new
end

local function drop_keys_over(definitions, keys)
  for _, key in ipairs(keys or {}) do
    for i = #definitions, 1, -1 do
      local definition = definitions[i]
      if definition.kind == "foreign key" and introspect.same_names(definition.columns, key.columns, true) then
        table.remove(definitions, i)
      end
    end
  end
end

--- Changes on the list of definitions, by kind.
local edits = {
  ["add column"] = function(definitions, change)
    insert_column(definitions, { kind = "column", name = change.column.name, text = change.column.sql })
    add_keys(definitions, change.keys)
  end,
  ["change column"] = function(definitions, change)
    local definition, place = find_column(definitions, change.column.name)
    definitions[place] = changed_column(definition, change.column, change.keys and #change.keys > 0)
    drop_keys_over(definitions, change.keys)
    add_keys(definitions, change.keys)
  end,
  ["drop column"] = function(definitions, change)
    local definition = find_column(definitions, change.name)
    take_out(definitions, definition)
    drop_constraints_of(definitions, definition.name)
  end,
  ["add constraint"] = function(definitions, change)
    local constraint = change.constraint
    local name = constraint.name and ("CONSTRAINT %s "):format(quote(constraint.name)) or ""
    definitions[#definitions + 1] = {
      kind = constraint.kind, columns = constraint.columns, text = name .. constraint.sql,
    }
  end,
  ["drop constraint"] = function(definitions, change)
    local source = change.constraint.source
    if not source.clause then return take_out(definitions, source.definition) end
    local definition, place = find_column(definitions, source.definition.name)
    definitions[place] = without_clause(definition, source.clause)
  end,
}

-- Making anew --------------------------------------------------------------------------------------------------------

--- Columns that both tables have and that hold rows' own values.
local function common_columns(item, definitions)
  local names = {}
  for _, column in ipairs(item.columns) do
    local definition = find_column(definitions, column.name)
    if definition and not column.generated then names[#names + 1] = column.name end
  end
  return names
end

--- Rows keep their number where it is no column of the table.
local function with_rowid(item, names)
  if item.withoutRowid or item.columns.rowid or item.columns.ROWID then return names end
  for _, column in ipairs(item.columns) do
    if column.autoIncrement then return names end
  end
  return "rowid, " .. names
end

--- The change that a column is under, or nil.
local function change_of(item, changes, column)
  for _, change in ipairs(changes) do
    if change.kind == "change column" and item.columns[change.column.name] == column then return change end
  end
end

local function copy_statement(item, temporary, definitions, changes)
  local names, values = common_columns(item, definitions), {}
  for i, name in ipairs(names) do
    local change = change_of(item, changes, item.columns[name])
    values[i] = change and fit.copied(change, item.columns[name]) or quote(name)
  end
  return ("INSERT INTO %s (%s) SELECT %s FROM %s"):format(quote(temporary), with_rowid(item, sqltext.quote_all(names)),
    with_rowid(item, table.concat(values, ", ")), quote(item.name))
end

--- Columns whose values may not fit the type that they get.
local function retyped(item, changes)
  local list = {}
  for _, change in ipairs(changes) do
    local before = change.kind == "change column" and item.columns[change.column.name]
    if before and fit.is_retyped(change, before) then list[#list + 1] = { item = item, column = change.column } end
  end
  return list
end

--- A value of a column that its new type can't hold.
-- @param query function(sql) → rows
-- @return {value}, or nil
function sqlite.misfit(change, query)
  local sql = fit.misfit(change.item, change.column)
  return sql and query(sql)[1]
end

local function has_sequence(definitions)
  for _, definition in ipairs(definitions) do
    if definition.text:upper():find("AUTOINCREMENT", 1, true) then return true end
  end
  return false
end

local function keep_sequence(list, item, temporary)
  list[#list + 1] = ("DELETE FROM sqlite_sequence WHERE name = %s"):format(sqltext.literal(temporary))
  list[#list + 1] = ("INSERT INTO sqlite_sequence (name, seq) SELECT %s, seq FROM sqlite_sequence WHERE name = %s")
    :format(sqltext.literal(temporary), sqltext.literal(item.name))
end

--- Whether an index is over a column, or one of its expressions or its condition speaks of it.
local function index_uses(index, name)
  return index.sql ~= nil and sqltext.mentions(index.sql:match "%(.*$" or "", name)
end

--- Indexes over columns that are gone go with them.
local function remaining_indexes(item, definitions)
  local list = {}
  for _, index in ipairs(item.indexes) do
    local whole = index.sql ~= nil
    for _, column in ipairs(item.columns) do
      whole = whole and (find_column(definitions, column.name) ~= nil or not index_uses(index, column.name))
    end
    if whole then list[#list + 1] = index.sql end
  end
  return list
end

local function texts_of(definitions)
  local list = {}
  for i, definition in ipairs(definitions) do list[i] = definition.text end
  return table.concat(list, ", ")
end

local function rebuild(item, changes)
  if not item.parsed then errors.usage("the table %q can't be changed: its SQL can't be read", item.name) end
  local definitions = table.move(item.parsed.definitions, 1, #item.parsed.definitions, 1, {})
  for _, change in ipairs(changes) do edits[change.kind](definitions, change) end
  local temporary = sqltext.temporary_name(item.name)
  local list = {
    ("CREATE TABLE %s (%s)%s"):format(quote(temporary), texts_of(definitions), item.parsed.tail),
    copy_statement(item, temporary, definitions, changes),
  }
  if item.sequence and has_sequence(definitions) then keep_sequence(list, item, temporary) end
  list[#list + 1] = ("DROP TABLE %s"):format(quote(item.name))
  list[#list + 1] = ("ALTER TABLE %s RENAME TO %s"):format(quote(temporary), quote(item.name))
  for _, sql in ipairs(remaining_indexes(item, definitions)) do list[#list + 1] = sql end
  for _, trigger in ipairs(item.triggers) do list[#list + 1] = trigger.sql end
  return { statements = list, rebuilt = { item }, retyped = retyped(item, changes) }
end

--- Explicit indexes over a column that ALTER TABLE drops.
local function drop_indexes_over(list, item, change)
  if change.kind ~= "drop column" then return end
  for _, index in ipairs(item.indexes) do
    if index_uses(index, change.name) then list[#list + 1] = ("DROP INDEX %s"):format(quote(index.name)) end
  end
end

--- Statements for changes of one table: of their own where each has one, else one making anew for all.
function sqlite.plan(item, changes)
  local list = {}
  for _, change in ipairs(changes) do
    local native = natives[change.kind]
    local statements = native and native(item, change)
    if not statements then return rebuild(item, changes) end
    drop_indexes_over(list, item, change)
    table.move(statements, 1, #statements, #list + 1, list)
  end
  return { statements = list }
end

return sqlite
