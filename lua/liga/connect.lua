--- Reads connect URLs and options into what the core opens.
local errors = require "liga.errors"
local options = require "liga.options"

local connect = {}

local allowed, later = {}, {}
for name in ([[logging define pool statementCache timeout connectTimeout foreignKeys busyTimeout pragmas readOnly schema
    dates benchmark]]):gmatch "%a+" do
  allowed[name] = true
end
for name in ("wait lazy hooks replication compat"):gmatch "%a+" do later[name] = true end

local pool_options = { max = true, idle = true, acquireTimeout = true }

--- Engines by URL scheme.
local engines = {
  sqlite = { dialect = "sqlite", driver = "liga.sqlite" },
  postgres = { dialect = "postgres", driver = "liga.postgres" },
  postgresql = { dialect = "postgres", driver = "liga.postgres" },
}

--- Splits a URL; what stands behind the scheme is the engine's own.
-- @return engine row, target
function connect.parse(url)
  if type(url) ~= "string" then errors.usage("liga.connect: a URL expected, got %s", type(url)) end
  local scheme, target = url:match "^(%a+):(.*)$"
  local engine = scheme and engines[scheme]
  if not engine then
    errors.usage('liga.connect: the URL must begin with "sqlite:" or "postgres:", not %q%s', scheme and scheme .. ":" or url:sub(1, 20), options.hint(scheme or "", { "sqlite", "postgres" }))
  end
  if engine.dialect == "sqlite" and target == "" then errors.usage 'liga.connect: a path or ":memory:" expected after "sqlite:"' end
  if target:find "%z" then errors.usage "liga.connect: the URL holds a NUL byte" end
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
  milliseconds(pool, "acquireTimeout")
  return max or 5, milliseconds(pool, "idle") or 60000
end

local function check_pragma(name, value)
  if type(name) ~= "string" or not name:match "^[%a_][%w_.]*$" then
    errors.usage("pragmas: %s is no name of a pragma", tostring(name))
  end
  local kind = type(value)
  if kind ~= "boolean" and kind ~= "number" and not (kind == "string" and value:match "^%-?[%w_]+$") then
    errors.usage("pragmas: %s: a word, number or boolean expected", name)
  end
end

--- The statements to run when a connection is opened: `{journal_mode = "wal"}` or a list of statements.
local function read_pragmas(given)
  local pragmas, list = options.kind("liga.connect", given, "pragmas", "table") or {}, {}
  for name, value in pairs(pragmas) do
    if math.type(name) == "integer" then
      if type(value) ~= "string" then errors.usage "pragmas: the list must hold SQL statements" end
      list[name] = value
    else
      check_pragma(name, value)
      list[#list + 1] = ("PRAGMA %s = %s"):format(name, tostring(value))
    end
  end
  table.sort(list)
  return pragmas[1] and pragmas or list
end

local function check_others(given, engine)
  if given.schema ~= nil and engine.dialect == "sqlite" then errors.usage "liga.connect: schema is for PostgreSQL: SQLite has none" end
  if given.dates ~= nil and given.dates ~= "iso" and given.dates ~= "epoch" then
    errors.usage 'liga.connect: dates must be "iso" or "epoch"'
  end
  options.kind("liga.connect", given, "logging", "function", "boolean")
  options.kind("liga.connect", given, "define", "table")
  if given.define ~= nil then require("liga.define").check_options("liga.connect: define", given.define) end
end

--- Reads URL and options.
-- @return engine row, options for the core, list of statements to run at open
function connect.read(url, given)
  given = given == nil and {} or given
  if type(given) ~= "table" then errors.usage("liga.connect: options must be a table, got %s", type(given)) end
  options.check("liga.connect", given, allowed, later)
  local engine, target = connect.parse(url)
  check_others(given, engine)
  local max, idle = read_pool(given)
  return engine, {
    dialect = engine.dialect, target = target, memory = engine.dialect == "sqlite" and target == ":memory:",
    readOnly = flag(given, "readOnly"), foreignKeys = flag(given, "foreignKeys") ~= false,
    busyTimeout = milliseconds(given, "busyTimeout"), timeout = milliseconds(given, "timeout"),
    connectTimeout = milliseconds(given, "connectTimeout"), statementCache = milliseconds(given, "statementCache"),
    poolMax = max, poolIdle = idle, datesEpoch = given.dates == "epoch",
  }, read_pragmas(given)
end

return connect
