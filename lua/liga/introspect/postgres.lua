--- PostgreSQL's catalogue: four queries over pg_catalog for all tables of a schema.
local introspect = require "liga.introspect"

local postgres = {}

-- Queries ------------------------------------------------------------------------------------------------------------
-- $1: the schema, NULL for the current one. $2: one table, NULL for all.

local OF_SCHEMA = [[
  n.nspname = coalesce($1::text, current_schema()) AND ($2::text IS NULL OR c.relname = $2::text)
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
    WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')]]

local TABLES = [[
SELECT c.oid::int8 AS oid, c.relname::text AS name, n.nspname::text AS schema, c.relkind::text AS kind,
  obj_description(c.oid, 'pg_class') AS comment,
  (SELECT array_to_json(array_agg(p.relname ORDER BY h.inhseqno))::text
    FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
    WHERE h.inhrelid = c.oid AND p.relnamespace = c.relnamespace) AS parents,
  (SELECT array_to_json(array_agg(a.attname ORDER BY k.place))::text
    FROM pg_partitioned_table t, unnest(t.partattrs::int[]) WITH ORDINALITY k(num, place)
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num AND a.attnum > 0 WHERE t.partrelid = c.oid)
    AS partition_key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND]] .. OF_SCHEMA .. [[

ORDER BY c.relname]]

-- What is behind a domain, over any number of steps; and behind the elements of an array.
local COLUMNS = [[
WITH RECURSIVE chain(oid, base, modifier, required, default_sql) AS (
  SELECT t.oid, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT s.oid, t.typbasetype, t.typtypmod, s.required OR t.typnotnull, coalesce(s.default_sql, t.typdefault)
  FROM chain s JOIN pg_type t ON t.oid = s.base AND t.typtype = 'd'),
domain AS (SELECT s.* FROM chain s JOIN pg_type t ON t.oid = s.base AND t.typtype <> 'd')
SELECT c.oid::int8 AS oid, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
  a.attnotnull OR coalesce(own.required, false) AS required,
  coalesce(pg_get_expr(d.adbin, d.adrelid), own.default_sql) AS default_sql,
  a.attidentity::text AS identity, a.attgenerated::text AS generated,
  col_description(c.oid, a.attnum) AS comment, a.attndims::int8 AS dimensions, each.oid IS NOT NULL AS is_array,
  CASE WHEN each_own.oid IS NOT NULL THEN format_type(each_own.base, each_own.modifier) || '[]'
    WHEN own.oid IS NOT NULL THEN format_type(own.base, own.modifier) END AS base,
  unit.typname::text AS unit, nullif(un.nspname, n.nspname)::text AS unit_schema,
  (SELECT array_to_json(array_agg(e.enumlabel ORDER BY e.enumsortorder))::text
    FROM pg_enum e WHERE e.enumtypid = unit.oid) AS labels
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN domain own ON own.oid = a.atttypid
JOIN pg_type whole ON whole.oid = coalesce(own.base, a.atttypid)
LEFT JOIN pg_type each ON each.oid = whole.typelem AND whole.typcategory = 'A'
LEFT JOIN domain each_own ON each_own.oid = each.oid
JOIN pg_type unit ON unit.oid = coalesce(each_own.base, each.oid, whole.oid)
JOIN pg_namespace un ON un.oid = unit.typnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND]] .. OF_SCHEMA .. [[

ORDER BY c.oid, a.attnum]]

local CONSTRAINTS = [[
SELECT c.oid::int8 AS oid, k.conname::text AS name, k.contype::text AS kind, k.condeferrable AS deferrable,
  k.condeferred AS deferred, k.confupdtype::text AS on_update, k.confdeltype::text AS on_delete,
  fn.nspname::text AS target_schema, f.relname::text AS target, pg_get_constraintdef(k.oid) AS definition,
  (SELECT array_to_json(array_agg(a.attname ORDER BY p.place))::text
    FROM unnest(k.conkey) WITH ORDINALITY p(num, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.num) AS near,
  (SELECT array_to_json(array_agg(a.attname ORDER BY p.place))::text
    FROM unnest(k.confkey) WITH ORDINALITY p(num, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.num) AS far
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0 AND]] .. OF_SCHEMA .. [[

ORDER BY c.oid, k.oid]]

local INDEXES = [[
SELECT c.oid::int8 AS oid, x.relname::text AS name, i.indisunique AS is_unique, i.indisprimary AS is_primary,
  pg_get_expr(i.indpred, i.indrelid) AS condition, pg_get_indexdef(i.indexrelid) AS sql, m.amname::text AS using,
  EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('u', 'x')) AS of_constraint,
  (SELECT array_to_json(array_agg(json_build_object('name', a.attname, 'descending', (i.indoption[p.place - 1] & 1) = 1)
      ORDER BY p.place))::text
    FROM generate_series(1, i.indnkeyatts::int) p(place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.place - 1] AND a.attnum > 0) AS fields
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
WHERE i.indislive AND]] .. OF_SCHEMA .. [[

ORDER BY c.oid, x.relname]]

-- Reading ------------------------------------------------------------------------------------------------------------

local table_kinds = { r = "table", p = "table", v = "view", m = "view", f = "virtual" }
local actions = { a = "NO ACTION", r = "RESTRICT", c = "CASCADE", n = "SET NULL", d = "SET DEFAULT" }

local function names_of(text)
  return text and require "liga.core".json.decode(text) or {}
end

local function add_column(item, row)
  local sequence = row.default_sql and row.default_sql:find "^nextval%("
  local labels = row.labels and names_of(row.labels)
  item.columns[#item.columns + 1] = {
    name = row.name, type = row.type, allowNull = not row.required, comment = row.comment,
    default = not sequence and row.generated == "" and row.default_sql or nil,
    generated = row.generated ~= "" or nil, autoIncrement = sequence ~= nil or row.identity ~= "",
    serial = sequence ~= nil or nil, base = row.base, dimensions = row.dimensions,
    values = not row.is_array and labels or nil, elements = row.is_array and labels or nil,
    enum = labels and { name = row.unit, schema = row.unit_schema } or nil,
  }
end

--- What a constraint adds to its table, by its kind.
local add_constraint = {
  p = function(item, row) item.primaryKey, item.primaryKeyName = names_of(row.near), row.name end,
  u = function(item, row) item.uniques[#item.uniques + 1] = { name = row.name, columns = names_of(row.near) } end,
  c = function(item, row)
    local sql = row.definition:match "^CHECK %(%((.*)%)%)" or row.definition:match "^CHECK %((.*)%)" or row.definition
    item.checks[#item.checks + 1] = { name = row.name, sql = sql }
  end,
  f = function(item, row)
    item.foreignKeys[#item.foreignKeys + 1] = {
      name = row.name, columns = names_of(row.near), references = names_of(row.far), table = row.target,
      schema = row.target_schema, onDelete = actions[row.on_delete], onUpdate = actions[row.on_update],
      deferrable = row.deferred and "deferred" or row.deferrable and "immediate" or nil,
    }
  end,
}

local function add_index(item, row)
  local columns = {}
  for i, field in ipairs(names_of(row.fields)) do
    local name = type(field.name) == "string" and field.name or nil
    columns[i] = { name = name, order = field.descending and "DESC" or "ASC" }
  end
  item.indexes[#item.indexes + 1] = {
    name = row.name, unique = row.is_unique, where = row.condition, sql = row.sql, columns = columns,
    using = row.using ~= "btree" and row.using or nil,
    origin = row.is_primary and "primary" or row.of_constraint and "unique" or "index",
  }
end

--- Reads tables, views, columns, keys and indexes of a schema.
-- @param query function(sql, bind) → rows
-- @param given {schema = the current one, table = only this one}
-- @return list of tables, see `introspect`
function postgres.read(query, given)
  local null = require "liga.core".null
  local bind, list, by_oid = { given.schema or null, given.table or null }, {}, {}
  for _, row in ipairs(query(TABLES, bind)) do
    local item = introspect.new_table {
      name = row.name, schema = row.schema, kind = table_kinds[row.kind], comment = row.comment,
      parents = names_of(row.parents), partitionKey = row.partition_key and names_of(row.partition_key) or nil,
    }
    list[#list + 1], by_oid[row.oid] = item, item
  end
  local function each(sql, add)
    for _, row in ipairs(query(sql, bind)) do
      if by_oid[row.oid] then add(by_oid[row.oid], row) end
    end
  end
  each(COLUMNS, add_column)
  each(CONSTRAINTS, function(item, row) add_constraint[row.kind](item, row) end)
  each(INDEXES, add_index)
  return list
end

--- The names of all schemas but the server's own.
-- @param query runs SQL
function postgres.schemas(query)
  local names = {}
  for i, row in ipairs(query([[SELECT nspname::text AS name FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1]])) do
    names[i] = row.name
  end
  return names
end

-- Types --------------------------------------------------------------------------------------------------------------

--- Types as format_type writes them, and liga's.
local kinds = {
  ["smallint"] = "SMALLINT", ["integer"] = "INTEGER", ["bigint"] = "BIGINT", ["real"] = "REAL",
  ["double precision"] = "DOUBLE", ["numeric"] = "DECIMAL", ["boolean"] = "BOOLEAN",
  ["character varying"] = "STRING", ["character"] = "CHAR", ["text"] = "TEXT", ["name"] = "TEXT", ["bpchar"] = "CHAR",
  ["timestamp with time zone"] = "DATE", ["timestamp without time zone"] = "DATE", ["date"] = "DATEONLY",
  ["time without time zone"] = "TIME", ["time with time zone"] = "TIME", ["bytea"] = "BLOB", ["uuid"] = "UUID",
  ["json"] = "JSON", ["jsonb"] = "JSONB", ["citext"] = "CITEXT", ["inet"] = "INET", ["cidr"] = "CIDR",
  ["macaddr"] = "MACADDR", ["tsvector"] = "TSVECTOR", ["hstore"] = "HSTORE",
}

local ranges = {
  int4range = "INTEGER", int8range = "BIGINT", numrange = "DECIMAL", tstzrange = "DATE", daterange = "DATEONLY",
}

--- The type of liga's that a declared type means.
-- @param declared as format_type writes it; of a domain its base type
-- @return {name, length, precision, scale, element}; nil: liga has none
function postgres.kind_of(declared)
  local element = declared:match "^(.*)%[%]$"
  if element then
    local inner = postgres.kind_of(element)
    return inner and { name = "ARRAY", element = inner } or nil
  end
  if ranges[declared] then return { name = "RANGE", element = { name = ranges[declared] } } end
  local bare = declared:gsub("%s*%b()", "")
  local kind = { name = kinds[bare:match "[^.]+$" or bare] or kinds[bare] }
  if not kind.name then return nil end
  local first, second = declared:match "%((%d+),?(%d*)%)"
  if kind.name == "STRING" or kind.name == "CHAR" then kind.length = math.tointeger(tonumber(first)) end
  if kind.name == "STRING" and not first then kind.name = "TEXT" end
  if kind.name == "DECIMAL" and first then
    kind.precision, kind.scale = math.tointeger(tonumber(first)), math.tointeger(tonumber(second)) or 0
  end
  return kind
end

return postgres
