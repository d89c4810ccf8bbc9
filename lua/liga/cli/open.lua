--- Opens what a command works on: databases by URL or path, files of models.
local arguments = require "liga.cli.arguments"
local connect = require "liga.connect"
local core = require "liga.core"
local database = require "liga.database"
local errors = require "liga.errors"
local introspect = require "liga.introspect"
local reflect = require "liga.reflect"
local registry = require "liga.define.registry"
local terminal = require "liga.cli.terminal"

local open = {}

--- The flags of commands that open a database.
open.flags = {
  { name = "models", short = "m", value = "a file of models", help = "models from this file instead of the tables" },
  { name = "schema", value = "a schema", help = "PostgreSQL: the schema to read" },
  { name = "debug", help = "with traceback" },
}

local function exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

--- What a word on the command line names: a URL, or the path of an SQLite file.
function open.url(word)
  if word:find "^%a%a+:" then return word end
  return "sqlite:" .. word
end

--- The path of an SQLite file; nil for other databases.
function open.path(url)
  local path = url:match "^sqlite:(.+)$"
  return path ~= ":memory:" and path or nil
end

--- Raises unless the file is there: no command makes databases.
local function check_path(url)
  local path = open.path(url)
  if path == "" or not path then return end
  local file, problem = io.open(path, "rb")
  if not file then
    errors.raise("ConnectionError", ("can't open the database: %s"):format(problem))
  end
  local readable, reason = file:read(0), select(2, file:read(1))
  file:close()
  if readable == nil and reason then
    errors.raise("ConnectionError", ("can't open the database: %s: %s"):format(path, reason))
  end
end
open.check = check_path

--- Connects.
-- @param word from the command line
-- @param given options of liga.connect, or nil
function open.connect(word, given)
  local url = open.url(word)
  local ok, problem = pcall(connect.parse, url)
  if not ok then arguments.wrong("%s", (problem.message:gsub("^liga%.connect: ", "liga: "))) end
  check_path(url)
  return database.connect(url, given)
end

--- Connects for reading only; nothing is written to the file.
function open.reading(word)
  return open.connect(word, open.path(open.url(word)) and { readOnly = true } or nil)
end

local files = {}

--- Notes a file of the user's: what is wrong in it is shown with its place.
function open.note_file(path)
  files[#files + 1] = path
end

--- Where in a file of the user's, models or a script, a wrong use stands.
-- @param problem an error object
-- @return "file:line: ", to stand before what it says; "" where it stands elsewhere
function open.place(problem)
  local file = problem.source and problem.source:match "^(.*):%d+$"
  if not file then return "" end
  local ending = file:match "^%.%.%.(.*)"                             -- Lua cuts long paths
  for _, path in ipairs(files) do
    if ending and path:sub(-#ending) == ending or path == file then return problem.source .. ": " end
  end
  return ""
end

--- Runs a file of models on a connection.
function open.models(db, path)
  open.note_file(path)
  local chunk, problem = loadfile(path)
  if not chunk then errors.raise("UsageError", problem:find(path, 1, true) and problem or path .. ": " .. problem) end
  local define = chunk()
  if type(define) ~= "function" then
    errors.raise("UsageError", ("%s: a file of models returns function(db) … end, this returns a %s"):format(path,
      type(define)))
  end
  define(db)
  return db:validate()
end

--- Tables from which on reading them takes long enough to show how far it is.
local MANY = 40

--- Runs work over tables, and shows on a terminal how far it is.
-- @param work function(progress)
-- @return what it returns
function open.with_progress(work)
  local show, shown = terminal.progress(), false
  local result = work(function(done, total)
    if total < MANY or done % 10 ~= 0 then return end
    show(("reading tables: %d of %d"):format(done, total))
    shown = true
  end)
  if shown then show() end
  return result
end

--- Reads models from tables and views.
-- @return list of those made
function open.read_tables(db, given)
  return open.with_progress(function(progress)
    return reflect.reflect(db, { schema = given.schema, views = true }, progress)
  end)
end

--- Reads the models from the tables; raises where there are none.
function open.reflect(db, given, word)
  local made = open.read_tables(db, given)
  if #made > 0 then return made end
  local place = given.schema and (' in the schema "%s"'):format(given.schema) or ""
  errors.raise("DatabaseError", ("the database %s has no tables%s"):format(open.shown(word), place))
end

--- A URL without its password.
function open.shown(word)
  return (word:gsub("(%a+://[^:@/]*):[^@]*@", "%1@"):gsub("password=[^%s&]*", "password=…"))
end

--- Defines the models that a command is about: of the file, else of the tables.
function open.define(db, given, word)
  if given.models then return open.models(db, given.models) end
  return open.reflect(db, given, word)
end

--- The models of a file alone, without a database; of either dialect, as a type may exist in one only.
function open.file_alone(path)
  if not exists(path) then errors.raise("UsageError", ("can't open %s: no such file"):format(path)) end
  local db = database.dry "sqlite"
  local ok, problem = pcall(open.models, db, path)
  if ok then return db end
  local other = database.dry "postgres"
  if pcall(open.models, other, path) then return other end
  error(problem, 0)
end

--- What a command describes without touching it: the models of a file, or of a database.
-- @return the connection they are defined on
function open.described(given, word)
  if word:find "%.lua$" then return open.file_alone(word) end
  local db = open.reading(word)
  open.define(db, given, word)
  return db
end

--- How many tables a database has.
function open.count_tables(db, given)
  return #introspect.read(db, { schema = given.schema })
end

--- How many models are defined.
function open.count_models(db)
  return #registry.of(db).classes
end

open.is_class = core.is_class

return open
