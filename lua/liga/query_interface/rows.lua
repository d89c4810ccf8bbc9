--- Rows of a query interface.
local arguments = require "liga.query_interface.arguments"
local core = require "liga.core"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local options = require "liga.options"
local sqltext = require "liga.sqltext"
local transaction = require "liga.transaction"

local methods = {}

local function sorted_keys(record)
  local keys = {}
  for key in next, record do keys[#keys + 1] = arguments.read_name("bulkInsert", "a column", key) end
  table.sort(keys)
  return keys
end

--- Where tables may go: kinds of columns, and what makes of the JSON text at a mark what they hold. SQLite's JSON is a
-- text.
local holders = {
  sqlite = { JSON = "%s", JSONB = "%s", TEXT = "%s" },
  postgres = { JSON = "%s", JSONB = "%s", ARRAY = "ARRAY(SELECT jsonb_array_elements_text(%s::jsonb))::%s" },
}

--- What is bound for a value, and the text that stands for it.
local function bound(db, column, value, mark)
  if type(value) ~= "table" then return value, mark end
  local kind = introspect.dialect(db).kind_of(column.base or column.type)
  local holder = kind and holders[db.dialect][kind.name]
  if not holder then
    errors.usage("bulkInsert: a table is a value of JSON columns%s, but %s is %s",
      db.dialect == "postgres" and " and arrays" or "", column.name, column.type)
  end
  local empty = kind.name == "ARRAY" and next(value) == nil
  return empty and "[]" or core.json.encode(value), holder:format(mark, column.base or column.type)
end

local function insert_statement(db, item, keys, records)
  local rows, values, columns = {}, {}, {}
  for n, key in ipairs(keys) do columns[n] = arguments.find_column("bulkInsert", item, key) end
  for i, record in ipairs(records) do
    local marks = {}
    for n, key in ipairs(keys) do
      values[#values + 1], marks[n] = bound(db, columns[n], record[key], "$" .. #values + 1)
    end
    rows[i] = "(" .. table.concat(marks, ", ") .. ")"
  end
  return ("INSERT INTO %s (%s) VALUES %s"):format(arguments.table_name(item), sqltext.quote_all(keys),
    table.concat(rows, ", ")), values
end

local function insert_records(self, item, records, given)
  local first = 1
  while first <= #records do
    local keys = sorted_keys(records[first])
    if #keys == 0 then errors.usage("bulkInsert: record %d is empty", first) end
    local together, most = {}, math.max(1, math.min(500, 900 // #keys))
    for place = first, math.min(#records, first + most - 1) do
      if not introspect.same_names(sorted_keys(records[place]), keys) then break end
      together[#together + 1] = records[place]
    end
    local sql, values = insert_statement(self.db, item, keys, together)
    core.query(self.db._.core, sql, { bind = values, logging = given.logging })
    first = first + #together
  end
end

--- Inserts rows as they are, without a model: no defaults, timestamps or conversions of liga's. Tables are encoded for
-- JSON columns and, on PostgreSQL, for arrays of one dimension.
-- @param name the table, by name or model
-- @param records list of {column = value}
-- @param given {transaction, logging; PostgreSQL: schema}, or nil
-- @return how many
function methods:bulkInsert(name, records, given)
  given = arguments.read_options(self, "bulkInsert", given)
  local item = arguments.find_table(self, "bulkInsert", name, given)
  records = options.list("bulkInsert", records)
  for i, record in ipairs(records) do
    if type(record) ~= "table" then errors.usage("bulkInsert: record %d must be a table, got %s", i, type(record)) end
    for _, key in ipairs(sorted_keys(record)) do arguments.find_column("bulkInsert", item, key) end
  end
  transaction.atomically(self.db, given, function() insert_records(self, item, records, given) end)
  return #records
end

return methods
