--- `liga console [URL]`: Lua with the models of a database as globals.
--
-- A session has: word, given (flags) · db · env (globals of what is typed) · source (of lines) · paint, paint_sql ·
-- settings {sql, timing, limit} · begun (lines of an input that goes on) · failed (whether anything went wrong) · copy
-- (path of the sandbox's file)
local arguments = require "liga.cli.arguments"
local compile = require "liga.cli.compile"
local completion = require "liga.cli.completion"
local core = require "liga.core"
local echo = require "liga.cli.echo"
local errors = require "liga.errors"
local input = require "liga.cli.input"
local liga = require "liga"
local open = require "liga.cli.open"
local options = require "liga.options"
local printer = require "liga.cli.printer"
local registry = require "liga.define.registry"
local sandbox = require "liga.cli.sandbox"
local terminal = require "liga.cli.terminal"
local text = require "liga.cli.text"

local console = {}

local function write(...)
  io.stdout:write(...)
  io.stdout:write("\n"):flush()
end

local function complain(session, message)
  session.failed = true
  io.stdout:flush()
  io.stderr:write(session.paint_sql("red", message), "\n"):flush()
end

-- Evaluating ---------------------------------------------------------------------------------------------------------

--- How values are printed; a terminal may be of another size each time.
local function print_options(session)
  local interactive = session.source and session.source.interactive
  return {
    limit = session.settings.limit, width = interactive and terminal.width() or session.width, paint = session.paint,
  }
end

local function is_info(value)
  return type(value) == "table" and type(value.columns) == "table" and value.affected ~= nil
end

--- Prints results; the information that goes with rows of db:query orders their columns.
local function print_results(session, results)
  local given = print_options(session)
  for i = 1, results.n do
    local value = results[i]
    if i == 2 and is_info(value) and i == results.n then break end
    given.columns = i == 1 and is_info(results[2]) and results[2].columns or nil
    if value == nil then
      write(session.paint("dim", "nil"))
    else
      write(printer.text(value, given))
    end
  end
end

--- The line of an error: what it is called, what it says, where it stands in a file of the user's.
-- @param env the globals of what was typed, among which the nearest name is looked for; or nil
local function error_text(problem, env)
  if errors.is(problem) then
    return text.safe(("%s%s: %s"):format(open.place(problem), problem.name or "Error", problem.message))
  end
  if type(problem) == "table" then
    return printer.text(problem, { limit = 1, width = math.huge, paint = text.painter() })
  end
  local said = tostring(problem):gsub("^input:(%d+): ", function(line) return line == "1" and "" end)
  return text.safe(said .. (env and completion.hint(env, said) or ""))
end

--- Ctrl-C ends what runs in coroutines too.
local function watch_coroutines()
  local coroutine = _G["coroutine"]                                   -- the library itself is what all code sees
  local create, wrap = coroutine.create, coroutine.wrap
  function coroutine.create(f)
    local thread = create(f)
    core.watch(thread)
    return thread
  end
  function coroutine.wrap(f)
    local resume = wrap(f)
    local _, thread = debug.getupvalue(resume, 1)                     -- what coroutine.wrap closes over
    core.watch(thread)
    return resume
  end
end

--- Statements that the console itself needs are not shown.
local function quietly(session, run, ...)
  session.quiet = true
  local results = table.pack(pcall(run, ...))
  session.quiet = false
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

--- The sandbox's own savepoint, one for each input.
local function own_savepoint(session)
  local point = quietly(session, session.transaction.savepoint, session.transaction)
  session.own_savepoint = point.name
  return point
end

--- Runs a function so that Ctrl-C ends it, inside a savepoint of the sandbox's transaction.
local function guarded(session, run)
  local point = session.transaction and own_savepoint(session)
  local results = table.pack(core.interruptible(run))
  if point and not session.transaction:isFinished() then
    if results[1] then pcall(point.release, point) else pcall(point.rollback, point) end
  end
  return results
end

--- With --debug the traceback of an error is shown before the error.
local function traced(chunk)
  return function()
    local results = table.pack(xpcall(chunk, function(problem)
      io.stderr:write(debug.traceback(nil, 2), "\n")
      return problem
    end))
    if not results[1] then error(results[2], 0) end
    return table.unpack(results, 2, results.n)
  end
end

local function evaluate(session, chunk)
  local started = core.clock()
  local results = guarded(session, session.given.debug and traced(chunk) or chunk)
  if not results[1] then
    local interrupted = core.was_interrupted()
    complain(session, interrupted and "interrupted" or error_text(results[2], session.env))
    session.stops = session.stops or interrupted and not session.source.interactive
    return
  end
  table.remove(results, 1)
  results.n = results.n - 1
  if results.n > 0 then session.env._ = results[1] end
  local ok, problem = pcall(print_results, session, results)
  if not ok then complain(session, error_text(problem)) end
  if session.settings.timing then write(("%.1f ms"):format((core.clock() - started) * 1000)) end
end

-- Opening ------------------------------------------------------------------------------------------------------------

local function logger(session)
  return function(sql, info)
    if not session.settings.sql or session.quiet then return end
    if info.kind == "transaction" and sql:match "%S+$" == session.own_savepoint then return end
    io.stdout:flush()
    io.stderr:write(echo.line(sql, info, session.paint_sql), "\n"):flush()
  end
end

--- What `print` does on a terminal: nothing in the data reaches it as it is.
local function safe_print(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = text.safe_lines(tostring(parts[i])) end
  write(table.concat(parts, "\t"))
end

--- The globals of what is typed: own ones, then models, then what liga and Lua have.
local function new_env(session)
  local fixed = { liga = liga, db = session.db, Op = liga.Op, null = liga.null }
  if terminal.is(1) then fixed.print = safe_print end
  return setmetatable(fixed, { __index = function(_, name)
    local class = session.db.models[name]
    if class ~= nil then return class end
    return _G[name]
  end })
end

local function connect(session)
  local given = session.given
  local url = open.url(session.kept or session.word)
  local path = open.path(url)
  local connecting = { logging = logger(session), readOnly = given["read-only"] or nil }
  if not (path and given.sandbox) then
    session.db = open.connect(url, connecting)
    return
  end
  open.check(url)
  session.copy = sandbox.copy(path)
  local ok, result = pcall(open.connect, "sqlite:" .. session.copy, connecting)
  if not ok then
    open.connect(url, { readOnly = true }):close()                    -- says what is wrong with the file itself
    error(result, 0)
  end
  session.db = result
end

local function load_models(session)
  if session.setup then return session.setup(session.db, session.kept ~= nil) end
  if session.given.models then return open.models(session.db, session.given.models) end
  open.read_tables(session.db, session.given)
end

local function open_session(session)
  connect(session)
  local ok, problem = pcall(quietly, session, load_models, session)
  session.env = new_env(session)
  if ok then return end
  if not session.reopened then error(problem, 0) end
  complain(session, error_text(problem))                              -- what is to be mended is tried again by .reload
end

--- A database in memory goes on in a file, as its connection ends.
local function keep_memory(session)
  if session.kept or session.db.dialect ~= "sqlite" or open.path(open.url(session.word)) then return end
  session.kept = quietly(session, sandbox.keep, session.db)
end

local function close_session(session)
  if session.db then pcall(session.db.close, session.db) end
  if session.copy then sandbox.remove(session.copy) end
  session.db, session.copy, session.transaction = nil, nil, nil
end

-- Commands -----------------------------------------------------------------------------------------------------------

local commands = {}

local function find_model(session, name)
  local class = name ~= "" and session.db.models[name]
  if class then return class end
  errors.usage("no model %q%s", name, options.hint(name, registry.names(session.db)))
end

local function switch(session, name, word)
  if word == "on" or word == "off" then
    session.settings[name] = word == "on"
  elseif word == "" then
    session.settings[name] = not session.settings[name]
  else
    errors.usage(".%s: on or off expected, got %q", name, word)
  end
  write(("%s is %s"):format(name, session.settings[name] and "on" or "off"))
end

commands[".help"] = {
  help = "this list",
  run = function()
    write [[An expression is evaluated and shown, statements are run; models are globals, as are db, liga, Op, null.
`_` is the last value; locals of an input are there in the next ones. An input goes on over lines until it is
complete; an empty line ends it.
On a terminal TAB completes, Ctrl-C ends what runs, Ctrl-D leaves.]]
    for _, name in ipairs(console.commands) do write(("  %-22s %s"):format(name .. (commands[name].takes or ""),
      commands[name].help)) end
  end,
}

commands[".models"] = {
  help = "the models, with rows",
  run = function(session)
    local rows = {}
    for i, class in ipairs(registry.of(session.db).classes) do
      local ok, count = quietly(session, pcall, class.count, class)
      rows[i] = {
        model = class.name, table = class.tableName, attributes = #class.attributes,
        associations = #class.associations, rows = ok and count or nil,
      }
    end
    local given = print_options(session)
    given.columns, given.limit = { "model", "table", "attributes", "associations", "rows" }, math.huge
    write(#rows > 0 and printer.text(rows, given) or "no models")
  end,
}

commands[".describe"] = {
  takes = " MODEL", help = "attributes and associations of a model",
  run = function(session, name) write(text.safe_lines(find_model(session, name):describe())) end,
}

commands[".sql"] = {
  takes = " on|off", help = "show the SQL that is sent",
  run = function(session, word) switch(session, "sql", word) end,
}

commands[".timing"] = {
  takes = " on|off", help = "show how long each input takes",
  run = function(session, word) switch(session, "timing", word) end,
}

commands[".limit"] = {
  takes = " N", help = "rows of a list that are shown",
  run = function(session, word)
    local limit = math.tointeger(tonumber(word))
    if not limit or limit < 1 then errors.usage(".limit: a number expected, got %q", word) end
    session.settings.limit = limit
  end,
}

--- `Album:findAll{ … }` → `Album:explain{ … }`
commands[".explain"] = {
  takes = " FIND", help = "what a find would do: .explain Album:findAll{ limit = 3 }",
  run = function(session, code)
    local head, tail = code:match "^%s*(.-:)%s*find%a+(.*)$"
    if not head then errors.usage(".explain: a find expected, such as Album:findAll{ limit = 3 }") end
    local chunk, problem = compile(head .. "explain" .. (tail:find "%S" and tail or "()"), session.env)
    if not chunk then errors.usage(".explain: %s", problem) end
    write(text.safe_lines(tostring(quietly(session, chunk))))
  end,
}

commands[".sandbox"] = {
  takes = " on|off|reset", help = "whether what is written is gone at the end",
  run = function(session, word)
    if word == "" then
      write("sandbox is " .. (session.given.sandbox and "on: nothing that is written stays" or "off"))
    elseif word == "on" or word == "off" or word == "reset" then
      session.given.sandbox = word ~= "off"
      return "reopen"
    else
      errors.usage(".sandbox: on, off or reset expected, got %q", word)
    end
  end,
}

commands[".reload"] = {
  help = "read the models again",
  run = function() return "reopen" end,
}

commands[".quit"] = { help = "leave", run = function() return "quit" end }
commands[".exit"] = { help = "leave", run = commands[".quit"].run }

--- The names of the console's own commands, in the order in which they are listed.
console.commands = {
  ".help", ".models", ".describe", ".sql", ".explain", ".timing", ".limit", ".sandbox", ".reload", ".quit", ".exit",
}

local function run_command(session, line)
  local name, rest = line:match "^%s*(%.%a+)%s*(.-)%s*$"
  local command = commands[name]
  if not command then
    return complain(session, ("unknown command %s%s"):format(name, options.hint(name, console.commands)))
  end
  local results = guarded(session, function() return command.run(session, rest) end)
  if not results[1] then return complain(session, error_text(results[2])) end
  return results[2]
end

-- The loop -----------------------------------------------------------------------------------------------------------

--- Reads lines until they make a whole input.
-- @return text; or nil and "end" or "interrupted"
local function read_input(session)
  local code
  while true do
    session.begun = code and code .. "\n" or ""
    local line, reason = session.source:read(code and "   …> " or session.prompt)
    if line == nil then
      if reason == "end" and code then return code end
      return nil, reason
    end
    if not code and (line:find "^%s*$" or line:find "^%s*%.%a+") then return line end
    local blank = code and line:find "^%s*$"
    code = code and code .. "\n" .. line or line:gsub("^%s*=", "")
    local chunk, _, incomplete = compile(code, session.env)
    if chunk or not incomplete or blank and session.source.interactive then return code end
  end
end

local function run_input(session, code)
  if code:find "^%s*$" then return end
  session.source:remember(code)
  if code:find "^%s*%.%a+" then return run_command(session, code) end
  local chunk, problem = compile(code, session.env)
  if not chunk then return complain(session, error_text(problem)) end
  evaluate(session, chunk)
end

--- Reads and runs inputs.
-- @return "quit" or "reopen"
local function loop(session)
  while true do
    local code, reason = read_input(session)
    if reason == "end" then return "quit" end
    local what = code and run_input(session, code)
    if what == "quit" or what == "reopen" then return what end
    if session.failed and session.stops then return "quit" end
  end
end

local ROLLED_BACK = {}

--- On a server the sandbox is a transaction that is rolled back at the end.
local function loop_in_transaction(session)
  local what
  local ok, problem = pcall(session.db.transaction, session.db, function(t)
    session.transaction = t
    what = loop(session)
    error(ROLLED_BACK, 0)
  end)
  session.transaction = nil
  if not ok and problem ~= ROLLED_BACK then error(problem, 0) end
  return what
end

local function greet(session)
  if not session.source.interactive then return end
  local count = open.count_models(session.db)
  write(("liga %s · %s · %d model%s%s · .help"):format(liga.version, open.shown(session.word), count,
    count == 1 and "" or "s", session.given.sandbox and " · sandbox" or ""))
end

local function run_session(session)
  open_session(session)
  core.listen(session.db._.core)
  greet(session)
  local in_transaction = session.given.sandbox and not session.copy
  local what = (in_transaction and loop_in_transaction or loop)(session)
  if what == "reopen" then keep_memory(session) end
  return what
end

--- Opens, reads, and opens again as often as is asked for.
local function run_sessions(session)
  local what
  repeat
    local ok, result = pcall(run_session, session)
    core.listen(nil)
    close_session(session)
    if not ok then error(result, 0) end
    what, session.reopened = result, true
  until what ~= "reopen"
end

--- A script is run as a whole: an error ends it.
local function run_script(session, path)
  local file, problem = io.open(path, "rb")
  if not file then errors.raise("UsageError", ("can't open the script: %s"):format(problem)) end
  local code = file:read "a"
  file:close()
  open_session(session)
  core.listen(session.db._.core)
  local function body()
    local chunk, reason = load(code, "@" .. path, "t", session.env)
    if not chunk then return complain(session, text.safe(reason)) end
    open.note_file(path)
    local results = guarded(session, session.given.debug and traced(chunk) or chunk)
    if not results[1] then complain(session, error_text(results[2])) end
  end
  if session.given.sandbox and not session.copy then
    pcall(session.db.transaction, session.db, function(t)
      session.transaction = t
      body()
      error(ROLLED_BACK, 0)
    end)
  else
    body()
  end
end

local function new_session(word, given, setup)
  local session = {
    word = word, given = given, setup = setup, failed = false, prompt = "liga> ", width = terminal.width(),
    settings = { sql = not given["no-sql"], timing = false, limit = given.limit or 50 },
    paint = terminal.painter(1, given["no-color"]), paint_sql = terminal.painter(2, given["no-color"]),
  }
  return session
end

--- Runs a console.
-- @param word URL or path
-- @param given flags
-- @param setup function(db, filled) that defines models, instead of reflecting, and fills the database unless it is
--   filled already; or nil
-- @param script path of a script to run, or nil
-- @return exit status
function console.start(word, given, setup, script)
  local session = new_session(word, given, setup)
  watch_coroutines()
  if script then
    local ok, problem = pcall(run_script, session, script)
    core.listen(nil)
    close_session(session)
    if not ok then error(problem, 0) end
    return session.failed and 1 or 0
  end
  if given.execute then
    session.source, session.stops = input.text(table.concat(given.execute, "\n")), true
  else
    session.source = input.standard(function(before)
      local words, from = completion.words(session.env, session.begun .. before, console.commands)
      return words, from - #session.begun
    end)
  end
  local ok, problem = pcall(run_sessions, session)
  if session.kept then sandbox.remove(session.kept) end
  session.source:close()
  if not ok then error(problem, 0) end
  return session.failed and not session.source.interactive and 1 or 0
end

console.flags = {
  { name = "execute", short = "e", value = "code", list = true, help = "run this and leave; as often as wanted" },
  { name = "sandbox", short = "s", help = "nothing that is written stays" },
  { name = "read-only", short = "r", help = "writes are refused" },
  { name = "limit", short = "n", value = "a number", integer = true, help = "rows of a list that are shown (50)" },
  { name = "no-sql", help = "don't show the SQL that is sent" },
  { name = "no-color", help = "no colours" },
}

console.usage = "console [URL] [SCRIPT]"
console.summary = "read and write a database in Lua, with its models"
local flags = table.move(console.flags, 1, #console.flags, 1, {})
table.move(open.flags, 1, #open.flags, #flags + 1, flags)
local own_flags = console.flags
console.flags, console.own_flags = flags, own_flags
console.more = { "", "Without URL the database is in memory. Piped input is run line by line, without prompts." }

--- Runs the command.
function console.run(given, rest)
  arguments.count("console", rest, 0, 2, "")
  local word, script = rest[1], rest[2]
  if word and not script and word:find "%.lua$" then word, script = nil, word end
  return console.start(word or "sqlite::memory:", given, nil, script)
end

return console
