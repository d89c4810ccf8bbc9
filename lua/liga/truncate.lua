--- truncate: a table emptied at once. The rules are PostgreSQL's on both engines: a table that others refer to is
-- emptied together with them (`cascade`) or not at all. SQLite, where it is a DELETE, would follow ON DELETE.
local association = require "liga.association"
local core = require "liga.core"
local errors = require "liga.errors"
local sqltext = require "liga.sqltext"
local transaction = require "liga.transaction"

local truncate = {}

local function rows(db, given, sql, ...)
  return (core.query(db._.core, sql, { bind = { ... }, logging = given.logging }))
end

local function full_name(class)
  return sqltext.table_name(getmetatable(class).options.schema, class.tableName)
end

--- Another table whose foreign keys refer to that of a model, and are checked: its name, or nil.
local referring = {
  sqlite = function(db, class, given)
    if rows(db, given, "PRAGMA foreign_keys")[1].foreign_keys == 0 then return nil end
    return rows(db, given, [[SELECT m.name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
      WHERE m.type = 'table' AND lower(f."table") = lower($1) AND lower(m.name) <> lower($1)
      LIMIT 1]], class.tableName)[1]
  end,
  postgres = function(db, class, given)
    return rows(db, given, [[SELECT c.relname AS name FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
      WHERE k.contype = 'f' AND k.confrelid = to_regclass($1) AND k.conrelid <> k.confrelid
      LIMIT 1]], full_name(class))[1]
  end,
}

local function check_unreferenced(db, class, given)
  local found = referring[db.dialect](db, class, given)
  if not found then return end
  errors.raise("ForeignKeyConstraintError", ("%s: the table %q refers to %q, which can't be emptied alone: truncate{"
    .. "cascade = true} empties both, destroy{all = true} goes by the rules of the keys"):format(class.name, found.name,
    class.tableName), { model = class.name, table = class.tableName, outcome = "none" })
end

--- SQLite keeps the keys it has given only where a table asks for it (AUTOINCREMENT); elsewhere they begin anew by
-- themselves.
local function has_sequences(db, given)
  return #rows(db, given, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'") > 0
end

local function empty(db, class, given)
  local models = { getmetatable(class)[1] }
  local statements = core.truncate_statements(db._.core, models, given.restartIdentity, given.cascade)
  for _, statement in ipairs(statements) do
    if statement.kind ~= "sequence" or has_sequences(db, given) then
      core.execute(db._.core, statement.sql, { logging = given.logging })
    end
  end
end

--- Empties the table of a model, without hooks.
-- @param db its connection
-- @param class the model
-- @param given {cascade = also the tables that refer to it, restartIdentity = generated keys begin anew, logging,
-- transaction}; checked
function truncate.run(db, class, given)
  association.resolve(db, class)
  transaction.run(db, { transaction = given.transaction }, function()
    if not given.cascade then check_unreferenced(db, class, given) end
    empty(db, class, given)
  end)
end

--- The same as `destroy{ truncate = true }`, which tells how many rows there were.
function truncate.counted(class, given)
  local db = getmetatable(class).db
  return transaction.atomically(db, given, function()
    local count = rows(db, given, "SELECT count(*) AS n FROM " .. full_name(class))[1].n
    truncate.run(db, class, { logging = given.logging })
    return count
  end)
end

return truncate
