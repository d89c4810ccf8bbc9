--- What every spec needs: the engines under test, an empty database on each, a record of the SQL, error assertions.
--
--     local support = require "spec.support"
--     for engine in support.engines() do
--       describe("belongsTo on " .. engine.name, function()
--         local db
--         before_each(function() db = engine:open() end)
--         after_each(function() db:close() end)
--         ...
local assert = require "luassert"
local liga = require "liga"

local support = {}

--- The connect URLs of LIGA_TEST_URLS (space-separated); an SQLite memory database where it is not set.
local function urls()
  local list = {}
  for url in (os.getenv "LIGA_TEST_URLS" or "sqlite::memory:"):gmatch "%S+" do list[#list + 1] = url end
  return list
end

local Engine = {}
Engine.__index = Engine

--- Path of the database file, nil where the engine has none.
function Engine:path()
  local path = self.url:match "^sqlite:(.+)$"
  return path ~= ":memory:" and path or nil
end

--- Connects to a server whose schemas are dropped first; other connections to it (of a spec that failed) are ended.
function Engine:open_empty(options)
  local db <close> = liga.connect(self.url)
  db:query [[SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()]]
  db:query([[SET client_min_messages = warning;
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
      END LOOP;
    END $$;
    CREATE SCHEMA public]], { multiple = true })
  return liga.connect(self.url, options)
end

--- Connects to the engine with an empty database.
-- @param options options of liga.connect, or nil
-- @return the db object; the spec closes it
function Engine:open(options)
  if self.kind == "server" then return self:open_empty(options) end
  local path = self:path()
  if path then
    for _, suffix in ipairs { "", "-journal", "-wal", "-shm" } do os.remove(path .. suffix) end
  end
  return liga.connect(self.url, options)
end

--- Connects once more to the database that `open` made (nothing is emptied).
function Engine:reopen(options)
  return liga.connect(self.url, options)
end

local function engine_of(url)
  local dialect = url:match "^(%a+):"
  local kind = url == "sqlite::memory:" and "memory" or (dialect == "sqlite" and "file" or "server")
  return setmetatable({
    url = url, kind = kind, dialect = dialect == "postgresql" and "postgres" or dialect,
    name = kind == "server" and "PostgreSQL" or "SQLite (" .. kind .. ")",
  }, Engine)
end

--- Iterates over the engines under test: {name, url, dialect = "sqlite"|"postgres", kind = "memory"|"file"|"server"}.
function support.engines()
  local list, i = urls(), 0
  return function()
    i = i + 1
    return list[i] and engine_of(list[i])
  end
end

local Log = {}
Log.__index = Log
function Log:__call(sql, info) self[#self + 1] = { sql = sql, info = info } end

--- Forgets what was recorded.
function Log:clear() for i = #self, 1, -1 do self[i] = nil end end

--- The recorded statements, those of one kind ("query" | "transaction" | "schema") or all.
function Log:statements(kind)
  local list = {}
  for _, entry in ipairs(self) do
    if not kind or entry.info.kind == kind then list[#list + 1] = entry.sql end
  end
  return list
end

--- A record of SQL: `local log = support.log()`, `engine:open{ logging = log.record }`, `log:statements("query")`.
function support.log()
  local log = setmetatable({}, Log)
  log.record = function(sql, info) log(sql, info) end
  return log
end

--- Asserts that `body` raises a liga error of this name whose message holds every given plain text.
-- @return the error object
function support.raises(name, body, ...)
  local ok, e = pcall(body)
  assert(not ok, "expected " .. name .. ", but nothing was raised")
  assert(liga.isError(e), "expected " .. name .. ", got: " .. tostring(e))
  assert.equal(name, e.name, tostring(e))
  for _, text in ipairs { ... } do
    assert(e.message:find(text, 1, true), ("expected %q in the message: %s"):format(text, e.message))
  end
  return e
end

--- The values of one attribute over a list of instances, in order.
function support.pluck(list, attribute)
  local values = {}
  for i, row in ipairs(list) do values[i] = row[attribute] end
  return values
end

--- The same, sorted.
function support.sorted(list, attribute)
  local values = support.pluck(list, attribute)
  table.sort(values)
  return values
end

--- Runs a shell command without the sanitizers that the specs may run under.
-- @return its output (both streams), whether it ended well
function support.run(command)
  local pipe <close> = assert(io.popen("exec 2>&1; unset LD_PRELOAD; " .. command))
  local output = pipe:read "a"
  return output, pipe:close()
end

return support
