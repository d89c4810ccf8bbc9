--- Reads connect URLs and options into what the core opens.
local dialect = require "liga.dialect"
local errors = require "liga.errors"
local hooks = require "liga.hooks"
local options = require "liga.options"

local connect = {}

local allowed = {}
for name in ([[logging define pool statementCache timeout connectTimeout foreignKeys busyTimeout pragmas readOnly schema
    dates wait busyPoll replication benchmark minifyAliases hooks lazy compat]]):gmatch "%a+" do
  allowed[name] = true
end

-- Sequelize's, with what they are here.
for name in ("dialect host port username password database storage url"):gmatch "%a+" do
  allowed[name] = "is a part of the URL: sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE"
end
allowed.ssl = "is a part of the URL: postgres://…?sslmode=require"
allowed.dialectOptions = "is not liga's way: what libpq takes stands in the URL, behind the ?"
allowed.sync = "is not liga's way: call db:sync{…}"
allowed.isolationLevel = "belongs to db:transaction, as isolation"
allowed.retry = "belongs to db:transaction"
allowed.timezone = "is not liga's way: instants are kept and read in UTC"
allowed.keepDefaultTimezone = allowed.timezone
allowed.quoteIdentifiers = "is not liga's way: identifiers are always quoted"
allowed.typeValidation = "is not liga's way: values are always checked"
allowed.noTypeValidation = allowed.typeValidation
allowed.omitNull = "is not liga's way: a save writes what was changed"
allowed.disableClsTransactions = "is not liga's way: a call takes part in its coroutine's transaction"
allowed.defaultTransactionNestMode = "is not liga's way: a nested transaction is a savepoint"

local pool_options = {
  max = true, idle = true, acquireTimeout = true, acquire = "is written acquireTimeout",
  min = "is not liga's way: the last connection stays open", evict = "is not liga's way: see idle",
  maxUses = "is not liga's way: see idle",
}

--- Engines by URL scheme.
local engines = {
  sqlite = { dialect = "sqlite", driver = "liga.sqlite" },
  postgres = { dialect = "postgres", driver = "liga.postgres" },
  postgresql = { dialect = "postgres", driver = "liga.postgres" },
}

--- A URL whose password has a character that belongs to URLs themselves is taken apart in the wrong places, and
-- messages about its parts would show some of it.
local function check_postgres(target)
  local authority, rest = target:match "^//([^/?#]*)([^?]*)"
  if not authority then return end
  local _, signs = authority:gsub("@", "")
  local hosts = authority:match "@(.*)$" or authority
  local ports_fine = true
  for host in hosts:gmatch "[^,]+" do
    local port = host:gsub("^%[[^%]]*%]", ""):match ":(.*)$"
    ports_fine = ports_fine and (port == nil or port:match "^%d*$" ~= nil)
  end
  if signs > 1 or rest:find("@", 1, true) or not ports_fine then
    errors.usage("liga.connect: the URL can't be taken apart: expected postgres://user:password@host:port/database, "
      .. "with special characters in user and password written as %%XX")
  end
end

--- SQLite passes over a pragma that it does not know; as an option it is a mistake. Another one's own pragmas go into a
-- list of statements.
-- @param pragmas the option, or nil
-- @param known names of SQLite's pragmas
function connect.check_known(pragmas, known)
  if not pragmas or #pragmas > 0 then return end
  local set = {}
  for _, name in ipairs(known) do set[name] = true end
  for name in next, pragmas do
    local plain = name:lower():match "[^.]*$"
    if not set[plain] then
      errors.usage("pragmas: SQLite has no pragma %q%s", name, options.hint(plain, known))
    end
  end
end

--- Splits a URL; what stands behind the scheme is the engine's own.
-- @return engine row, target
function connect.parse(url)
  if type(url) ~= "string" then errors.usage("liga.connect: a URL expected, got %s", type(url)) end
  local scheme, target = url:match "^(%a+):(.*)$"
  local engine = scheme and engines[scheme]
  if not engine then                                         -- the rest of a URL may hold a password
    errors.usage('liga.connect: the URL must begin with "sqlite:" or "postgres:"%s%s',
      scheme and (", not %q"):format(scheme .. ":") or "", options.hint(scheme or "", { "sqlite", "postgres" }))
  end
  if engine.dialect == "sqlite" and target == "" then
    errors.usage 'liga.connect: a path or ":memory:" expected after "sqlite:"'
  elseif engine.dialect == "sqlite" and (target == ":memory" or target == "::memory:") then
    errors.usage('liga.connect: %q is no path: the database in memory is "sqlite::memory:"', target)
  end
  if target:find "%z" then errors.usage "liga.connect: the URL holds a NUL byte" end
  if engine.dialect == "postgres" then check_postgres(target) end
  return engine, target
end

local function milliseconds(given, name)
  local value = options.kind("liga.connect", given, name, "integer")
  if value and value < 0 then errors.usage("liga.connect: %s must not be negative", name) end
  return value
end

local function flag(given, name)
  return options.kind("liga.connect", given, name, "boolean")
end

local function read_pool(given)
  local pool = options.kind("liga.connect", given, "pool", "table") or {}
  options.check("liga.connect: pool", pool, pool_options)
  local max = options.kind("pool", pool, "max", "integer")
  if max and max < 1 then errors.usage "pool: max must be at least 1" end
  return { max = max or 5, idle = milliseconds(pool, "idle") or 60000,
    acquireTimeout = milliseconds(pool, "acquireTimeout") or 10000 }
end

local function check_pragma(name, value)
  if type(name) ~= "string" or not name:match "^[%a_][%w_.]*$" then
    errors.usage("pragmas: %s is no name of a pragma", errors.text(name))
  end
  local kind = type(value)
  if kind ~= "boolean" and math.type(value) ~= "integer" and not (kind == "string" and value:match "^%-?[%w_]+$") then
    errors.usage("pragmas: %s: a word, integer or boolean expected", name)
  end
end

--- Commands after which a connection would not be as the pool expects it.
local transaction_words = {}
for word in ("BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE"):gmatch "%a+" do transaction_words[word] = true end

local function check_statement(place, sql)
  if sql:find "%z" or not utf8.len(sql) then
    errors.usage("pragmas: statement %d holds NUL or invalid UTF-8", place)
  elseif transaction_words[(sql:match "%a+" or ""):upper()] then
    errors.usage("pragmas: statement %d is a transaction command: use db:transaction", place)
  end
end

--- Pragmas that must come before the others, as they have no effect on a database that is not empty any more.
local early = { encoding = 1, page_size = 2, auto_vacuum = 3 }

local function pragma_before(a, b)
  local first, second = early[a] or math.huge, early[b] or math.huge
  if first ~= second then return first < second end
  return a < b
end

--- `{journal_mode = "wal"}` as statements.
local function pragma_statements(pragmas)
  local names, list = {}, {}
  for name, value in next, pragmas do
    check_pragma(name, value)
    names[#names + 1] = name
  end
  table.sort(names, pragma_before)
  for i, name in ipairs(names) do list[i] = ("PRAGMA %s = %s"):format(name, tostring(pragmas[name])) end
  return list
end

--- The statements to run when a connection is opened, from a map of pragmas or a list of statements.
local function read_pragmas(given)
  local pragmas = options.kind("liga.connect", given, "pragmas", "table") or {}
  if #pragmas == 0 then return pragma_statements(pragmas) end
  local list, count = {}, 0
  for place, text in next, pragmas do
    if math.type(place) ~= "integer" or type(text) ~= "string" then
      errors.usage "pragmas: a list of SQL statements or a map of pragmas expected, not both"
    end
    check_statement(place, text)
    list[place], count = text, count + 1
  end
  for place = 1, count do
    if list[place] == nil then errors.usage "pragmas: the list has a hole" end
  end
  return list
end

local function check_others(given, engine)
  if given.schema ~= nil and not dialect.of(engine).schemas then
    errors.usage "liga.connect: schema is for PostgreSQL: SQLite has none"
  end
  local schema = options.kind("liga.connect", given, "schema", "string")
  if schema and (schema == "" or #schema > 63 or schema:find "%z") then
    errors.usage "liga.connect: schema must be a name of 1 to 63 bytes"
  end
  options.kind("liga.connect", given, "wait", "function")
  if given.dates ~= nil and given.dates ~= "iso" and given.dates ~= "epoch" then
    errors.usage 'liga.connect: dates must be "iso" or "epoch"'
  end
  if given.compat ~= nil and given.compat ~= "v1" then errors.usage 'liga.connect: compat must be "v1"' end
  options.kind("liga.connect", given, "logging", "function", "boolean")
  options.kind("liga.connect", given, "define", "table")
  if given.hooks ~= nil then hooks.check({ what = "liga.connect", database = true }, given.hooks) end
  if given.define ~= nil then require("liga.define").check_options("liga.connect: define", given.define) end
end

local replication_options = { write = true, read = true, sticky = true }

--- `replication = {write = url, read = {urls}, sticky = ms}`.
-- @return the URL of the primary, the targets of the replicas, sticky
local function read_replication(url, given)
  local replication = options.kind("liga.connect", given, "replication", "table")
  if not replication then return url end
  options.check("liga.connect: replication", replication, replication_options)
  local write = options.kind("replication", replication, "write", "string")
  if url ~= nil and write ~= nil and url ~= write then
    errors.usage "liga.connect: the URL and replication.write are two primaries: give one of them"
  end
  local urls = options.kind("replication", replication, "read", "table") or {}
  local primary, replicas = connect.parse(write or url), {}
  for i, replica in ipairs(urls) do
    local engine, target = connect.parse(replica)
    if engine.dialect ~= primary.dialect then
      errors.usage("liga.connect: replication.read[%d] is a database of another engine than the primary", i)
    end
    replicas[i] = target
  end
  for place in next, urls do
    if not replicas[place] then errors.usage "liga.connect: replication.read must be a list of URLs" end
  end
  return write or url, replicas, milliseconds(replication, "sticky")
end

--- Reads URL and options.
-- @return engine row, options for the core, list of statements to run at open
function connect.read(url, given)
  options.expect_table("liga.connect", given)
  given = given or {}
  options.check("liga.connect", given, allowed)
  require "liga.lazy".check("liga.connect", given.lazy)
  local primary, replicas, sticky = read_replication(url, given)
  local engine, target = connect.parse(primary)
  check_others(given, engine)
  local pool = read_pool(given)
  return engine, {
    dialect = engine.dialect, target = target, memory = engine.dialect == "sqlite" and target == ":memory:",
    readOnly = flag(given, "readOnly"), foreignKeys = flag(given, "foreignKeys") ~= false,
    busyTimeout = milliseconds(given, "busyTimeout"), timeout = milliseconds(given, "timeout"),
    connectTimeout = milliseconds(given, "connectTimeout"), statementCache = milliseconds(given, "statementCache"),
    poolMax = pool.max, poolIdle = pool.idle, acquireTimeout = pool.acquireTimeout,
    datesEpoch = given.dates == "epoch", sqlWhere = given.compat == "v1", waits = given.wait ~= nil,
    busyPoll = flag(given, "busyPoll") ~= false,
    schema = given.schema, replicas = replicas, sticky = sticky,
  }, read_pragmas(given)
end

return connect
