--- Changes of tables on PostgreSQL: ALTER TABLE knows them all.
local naming = require "liga.naming"
local sqltext = require "liga.sqltext"

local postgres = {}
local quote = sqltext.quote

local function alter(item, action, ...)
  return ("ALTER TABLE %s "):format(sqltext.table_name(item.schema, item.name)) .. action:format(...)
end

local function add(list, ...)
  list[#list + 1] = alter(...)
end

local function add_keys(list, item, keys)
  for _, key in ipairs(keys or {}) do add(list, item, "ADD %s", key.sql) end
end

--- The keys that a column had before it gets these.
local function drop_keys_over(list, item, keys)
  for _, key in ipairs(keys or {}) do
    for _, before in ipairs(item.foreignKeys) do
      local same = naming.same_names(before.columns, key.columns)
      if same then add(list, item, "DROP CONSTRAINT %s", quote(before.name)) end
    end
  end
end

-- Values of enums ----------------------------------------------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

--- The values as a list of SQL literals.
local function literals(values)
  local list = {}
  for i, value in ipairs(values) do list[i] = sqltext.literal(value) end
  return table.concat(list, ", ")
end

--- The values of the enum that a column of the catalogue is of, or a list of; nil: it is another type.
local function values_of(before)
  return before.values or before.elements
end

--- Values are added in the order of the model's.
local function add_values(list, wanted, before)
  local values = values_of(before)
  local there, name = set_of(values), (before.base or before.type):gsub("%[%]$", "")
  for i, value in ipairs(wanted) do
    if not there[value] then
      local place = i > 1 and " AFTER " .. sqltext.literal(wanted[i - 1]) or " BEFORE " .. sqltext.literal(values[1])
      list[#list + 1] = ("ALTER TYPE %s ADD VALUE %s%s"):format(name, sqltext.literal(value), place)
    end
  end
end

--- Whether an enum of the server's misses values of the model's.
function postgres.misses_values(column, before)
  if not column.values or not values_of(before) then return false end
  local there = set_of(values_of(before))
  for _, value in ipairs(column.values) do
    if not there[value] then return true end
  end
  return false
end

--- Whether a column is to give up values that the enum which was made for it has.
local function gives_up_values(item, column, before)
  if not (before and column.values and not column.list and naming.own_enum(item.name, before)) then return false end
  local kept = set_of(column.values)
  for _, value in ipairs(before.values) do
    if not kept[value] then return true end
  end
  return false
end

--- "other." of a type in another schema, else "".
local function schema_prefix(type)
  return type:match '^("[^"]*"%.)"' or type:match '^([%w_]+%.)' or ""
end

--- A server's enum never loses a value: another one takes its place, which the rows must fit.
local function replace_enum(list, item, column, before)
  local name = quote(column.name)
  local old = quote(naming.shorten("liga_old_" .. item.name .. "_" .. column.name))
  list[#list + 1] = ("ALTER TYPE %s RENAME TO %s"):format(before.type, old)
  list[#list + 1] = ("CREATE TYPE %s AS ENUM (%s)"):format(before.type, literals(column.values))
  if before.default then add(list, item, "ALTER COLUMN %s DROP DEFAULT", name) end
  add(list, item, "ALTER COLUMN %s TYPE %s USING %s::TEXT::%s", name, before.type, name, before.type)
  list[#list + 1] = "DROP TYPE " .. schema_prefix(before.type) .. old
end

-- Types --------------------------------------------------------------------------------------------------------------

local function is_text(type) return type:find "^VARCHAR" or type:find "^CHAR" end
local function has_fraction(type) return type:find "^NUMERIC" or type:find "^DOUBLE" or type:find "^REAL" end
local function is_number(type) return has_fraction(type) or type:find "INT" end
local function is_instant(type) return type:find "^TIMESTAMP" end
local function is_part_of_instant(type) return type == "DATE" or type:find "^TIME" and not is_instant(type) end

--- A body for DO, in quotes that it does not hold.
local function in_dollars(body)
  local tag = "$liga$"
  while body:find(tag, 1, true) do tag = tag:sub(1, -2) .. "_$" end
  return tag .. body .. tag
end

--- Types of one kind have casts between them.
local function kind_of(type)
  return is_number(type) and "number" or is_instant(type) and "instant" or type:find "^TIME" and "TIME"
    or (is_text(type) or type == "TEXT" or type == "CITEXT") and "text" or type
end

--- By kind: what a value goes through on its way to another one; "": the server has a cast.
local WAYS = {
  number = { BOOLEAN = "::INTEGER" }, BOOLEAN = { number = "::INTEGER" }, instant = { DATE = "", TIME = "" },
  DATE = { instant = "" },
}

--- A value of one type in another (from "": it is not known). What has no cast is written and read as a text, so that
-- a column without values can become anything.
local function cast(value, from, to)
  local old, new = kind_of(from), kind_of(to)
  local direct = from == "" or old == new or old == "text" or new == "text"
  return ("%s%s::%s"):format(value, direct and "" or WAYS[old] and WAYS[old][new] or "::TEXT", to)
end

--- Whether a type holds less than another one, so that a cast would cut values silently.
local function cuts(old, new)
  return has_fraction(old) and is_number(new) or is_instant(old) and is_part_of_instant(new)
    or is_number(old) and new == "BOOLEAN"
end

--- Whether a value is another one once it has been cast: a condition.
local function differs(value, old, new)
  return ("%s IS DISTINCT FROM %s"):format(cast("(" .. cast(value, old, new) .. ")", new, old), value)
end

--- A statement that fails where numbers would be rounded, or times of day be cut off.
local function guard(list, item, column, before)
  local old, new, name = before.type:upper(), column.type, quote(column.name)
  if not cuts(old, new) then return end
  local message = ("%s.%s holds values that %s can't hold: change them first"):format(item.name, column.name, new)
  local body = (" BEGIN IF EXISTS (SELECT 1 FROM %s WHERE %s) THEN RAISE data_exception USING MESSAGE = %s; "
    .. "END IF; END "):format(sqltext.table_name(item.schema, item.name), differs(name, old, new),
    sqltext.literal(message))
  list[#list + 1] = "DO " .. in_dollars(body)
end

--- To a text the server goes by itself, and refuses to cut it; USING would cut.
local function change_type(list, item, column, before)
  local name = quote(column.name)
  if before then guard(list, item, column, before) end
  if before and before.default then add(list, item, "ALTER COLUMN %s DROP DEFAULT", name) end
  local using = cast(name, before and before.type:upper() or "", column.type)
  add(list, item, "ALTER COLUMN %s TYPE %s%s", name, column.type, is_text(column.type) and "" or " USING " .. using)
end

--- The enum that was made for a column goes with it, unless other tables' columns are of it, too.
local function drop_enum(list, item, column)
  local type = column and naming.own_enum(item.name, column)
  if not type then return end
  list[#list + 1] = "DO " .. in_dollars((" BEGIN DROP TYPE IF EXISTS %s; "
    .. "EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END "):format(type))
end

-- What stands against another type -----------------------------------------------------------------------------------

--- Leaves the place of the first row whose value does not fit in a setting of the transaction: a value is assigned, as
-- ALTER TABLE assigns it, and compared where that may cut it.
local FIND = [[ DECLARE r record; fits %s; BEGIN FOR r IN SELECT ctid AS place, %s AS value FROM %s LOOP
  BEGIN fits := %s; IF %s THEN RAISE data_exception; END IF;
  EXCEPTION WHEN data_exception THEN PERFORM set_config('liga.misfit', r.place::text, true); RETURN; END;
  END LOOP; END ]]

--- A value of a column that its new type can't hold; to be called when that has failed.
-- @param query function(sql) → rows
-- @return {value}, or nil
function postgres.misfit(change, query)
  local item, column = change.item, change.column
  local old, new = item.columns[column.name].type:upper(), column.type
  local name, from = quote(column.name), sqltext.table_name(item.schema, item.name)
  if column.values and not column.list then
    return query(("SELECT %s AS value FROM %s WHERE %s::text NOT IN (%s) LIMIT 1"):format(name, from, name,
      literals(column.values)))[1]
  end
  local value = is_text(new) and "r.value" or cast("r.value", old, new)
  local cut = cuts(old, new) and differs("r.value", old, new) or "FALSE"
  query("DO " .. in_dollars(FIND:format(new, name, from, value, cut)))
  return query(("SELECT %s AS value FROM %s WHERE ctid = current_setting('liga.misfit')::tid LIMIT 1"):format(name,
    from))[1]
end

--- What speaks of a column: views, generated columns, triggers, policies.
local READERS = [[SELECT CASE d.classid
    WHEN 'pg_rewrite'::regclass THEN (SELECT CASE c.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END ||
      c.oid::regclass FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class WHERE w.oid = d.objid)
    WHEN 'pg_attrdef'::regclass THEN (SELECT 'generated column ' || quote_ident(g.attname) FROM pg_attrdef f
      JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum
      WHERE f.oid = d.objid AND g.attgenerated <> '')
    WHEN 'pg_trigger'::regclass THEN (SELECT 'trigger ' || quote_ident(tgname) FROM pg_trigger t WHERE t.oid = d.objid)
    WHEN 'pg_policy'::regclass THEN (SELECT 'policy ' || quote_ident(polname) FROM pg_policy p WHERE p.oid = d.objid)
    ELSE NULL END AS reader
  FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass($1) AND a.attname = $2 ORDER BY 1 LIMIT 1]]

--- What keeps a column from getting another type, e.g. "view names"; nil: nothing that is known.
function postgres.reader(change, query)
  local item = change.item
  local found = query(READERS, { sqltext.table_name(item.schema, item.name), change.column.name })[1]
  return found and found.reader
end

-- Changes ------------------------------------------------------------------------------------------------------------

--- Type, default and NOT NULL are statements of their own; a default has to fit the type at every moment.
local function change_column(list, item, change, first)
  local column = change.column
  local before = item.columns[column.name]
  local aspects = change.aspects or { type = true, default = true, allowNull = true }
  local name = quote(column.name)
  drop_keys_over(list, item, change.keys)
  local replaces = not change.aspects and gives_up_values(item, column, before)
  local misses = not replaces and before and postgres.misses_values(column, before)
  if replaces then replace_enum(list, item, column, before) end
  if misses then add_values(first, column.values, before) end
  if aspects.type and not misses and not replaces then change_type(list, item, column, before) end
  if aspects.type and not column.values then drop_enum(list, item, before) end
  if (aspects.type or aspects.default) and column.default then
    add(list, item, "ALTER COLUMN %s SET DEFAULT %s", name, column.default)
  elseif aspects.default then
    add(list, item, "ALTER COLUMN %s DROP DEFAULT", name)
  end
  if aspects.allowNull then
    add(list, item, "ALTER COLUMN %s %s NOT NULL", name, column.allowNull and "DROP" or "SET")
  end
  if column.autoIncrement and before and not before.autoIncrement then
    add(list, item, "ALTER COLUMN %s ADD GENERATED BY DEFAULT AS IDENTITY", name)
  end
  add_keys(list, item, change.keys)
end

local actions = {
  ["add column"] = function(list, item, change)
    add(list, item, "ADD COLUMN %s", change.column.sql)
    add_keys(list, item, change.keys)
  end,
  ["change column"] = change_column,
  ["drop column"] = function(list, item, change)
    add(list, item, "DROP COLUMN %s", quote(change.name))
    drop_enum(list, item, item.columns[change.name])
  end,
  ["rename column"] = function(list, item, change)
    add(list, item, "RENAME COLUMN %s TO %s", quote(change.name), quote(change.to))
  end,
  ["add constraint"] = function(list, item, change)
    local name = change.constraint.name
    add(list, item, "ADD %s%s", name and ("CONSTRAINT %s "):format(quote(name)) or "", change.constraint.sql)
  end,
  ["drop constraint"] = function(list, item, change)
    add(list, item, "DROP CONSTRAINT %s", quote(change.constraint.name))
  end,
}

--- Statements for changes of one table; `first` those that must be committed before the others can make use of them.
function postgres.plan(item, changes)
  local list, first = {}, {}
  local retyped = {}
  for _, change in ipairs(changes) do
    actions[change.kind](list, item, change, first)
    local types = change.kind == "change column" and (not change.aspects or change.aspects.type)
    if types then retyped[#retyped + 1] = { item = item, column = change.column } end
  end
  return { statements = list, first = first, retyped = retyped }
end

return postgres
