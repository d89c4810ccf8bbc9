--- liga console, through a pipe and on a terminal.
local cli = require "spec.cli.support"
local completion = require "liga.cli.completion"
local liga = require "liga"
local printer = require "liga.cli.printer"
local text = require "liga.cli.text"

--- An SQLite file with two authors; the first has two books.
local function library()
  local path = os.tmpname()
  local db <close> = liga.connect("sqlite:" .. path)
  local Author = db:define("Author", { name = liga.STRING(40), born = liga.INTEGER }, { timestamps = false })
  local Book = db:define("Book", { title = liga.STRING(60) }, { timestamps = false })
  Author:hasMany(Book, { as = "books", inverse = "author" })
  db:sync()
  local ursula = Author:create{ name = "Ursula", born = 1929 }
  Author:create{ name = "Zoë 猫" }
  ursula:createBook{ title = "The Dispossessed" }
  ursula:createBook{ title = "Evil \27[31m\nbook" }
  return path
end

describe("liga console in a pipe", function()
  local path
  before_each(function() path = library() end)
  after_each(function() os.remove(path) end)

  local function run(input, ...)
    return cli.liga({ "console", path, ... }, input)
  end

  it("shows lists as tables, with NULL, wide characters and without what a terminal would obey", function()
    local out, _, status = run "Author:findAll()\nBook:findAll{ attributes = { 'title' } }\n"
    assert.equal(0, status)
    assert.is_truthy(out:find([[
┌────┬────────┬──────┐
│ id │ name   │ born │
├────┼────────┼──────┤
│  1 │ Ursula │ 1929 │
│  2 │ Zoë 猫 │ NULL │
└────┴────────┴──────┘
2 rows
]], 1, true), out)
    assert.is_truthy(out:find("Evil \\x1b[31m\\nbook", 1, true))
    assert.is_nil(out:find("\27", 1, true))
  end)

  it("shows an instance by attributes, plain values as Lua, a model as its description", function()
    local out = run "Author:findByPk(2)\n1 + 1, 'x', { a = { 1, 2 } }, nil\nBook\n"
    assert.is_truthy(out:find("Author{id=2, name=\"Zoë 猫\"}\n  id    2\n  name  Zoë 猫\n  born  NULL\n", 1, true), out)
    assert.is_truthy(out:find('2\n"x"\n{ a = { 1, 2 } }\nnil\n', 1, true))
    assert.is_truthy(out:find("Book.author: belongsTo Author (authorId)", 1, true))
  end)

  it("shows what a model says of itself: texts of lines, attributes, associations", function()
    local out = run("Book:describe()\nBook:explain{ limit = 1 }\n", "--no-sql")
    assert.is_truthy(out:find('^Book %(table "Books", key id%)\n'), out)
    assert.is_truthy(out:find("LIMIT ?\nparameters: 1\nplan:\n  SCAN Books", 1, true), out)
    out = run("Book.attributes\nBook.attributes.title\nBook.associations\nBook.associations.author\n", "--no-sql")
    local title = '{ allowNull = true, autoIncrement = false, columnName = "title", name = "title", '
      .. "primaryKey = false, type = STRING(60), unique = false }\n"
    local author = "Book.author: belongsTo Author (authorId)\n"
    assert.is_truthy(out:find("id        { ", 1, true), out)
    assert.is_truthy(out:find("\ntitle     " .. title, 1, true), out)
    assert.is_truthy(out:find("\n" .. title .. "author  " .. author .. author, 1, true), out)
  end)

  it("shows what is in liga, whatever raises for a wrong name", function()
    local out, err, status = run("liga\nOp\n", "--no-sql")
    assert.same({ 0, "" }, { status, err })
    assert.is_truthy(out:find("gte = Op.gte", 1, true), out)
  end)

  it("names what is near a global or a method that there is not", function()
    local _, err, status = run("Boko:count()\nBook:cuont()\nBook:findOne():getAuhtor()\n", "--no-sql")
    assert.equal(1, status)
    assert.is_truthy(err:find("(global 'Boko') (did you mean \"Book\"?)", 1, true), err)
    assert.is_truthy(err:find("(method 'cuont') (did you mean \"count\"?)", 1, true), err)
    assert.is_truthy(err:find("(method 'getAuhtor') (did you mean \"getAuthor\"?)", 1, true), err)
  end)

  it("tells an empty result from an empty table, NULL from texts, and shows types by their names", function()
    assert.equal('0 rows\n{}\nSTRING(40)\nNULL\n""\n{ 1 }\n', (run(
      "Author:findAll{ where = { id = 0 } }\n{}\nliga.STRING(40)\nnull\n''\n{ 1 }\n", "--no-sql")))
    local out = run("db:query [[SELECT NULL AS a, '' AS b, 'NULL' AS c]]\n", "--no-sql")
    assert.is_truthy(out:find("│ NULL │   │ \"NULL\" │", 1, true), out)
  end)

  it("shows what an error is that is no text", function()
    assert.equal("{ code = 1 }\nnil\n", select(2, run("error { code = 1 }\nerror(nil)\n")))
  end)

  it("has no prompts, keeps the last value as _, and takes inputs of several lines", function()
    local out, err = run "for i = 1, 2 do\n  print(i)\nend\n20 + 1\n_ * 2\n"
    assert.equal("1\n2\n21\n42\n", out)
    assert.equal("", err)
  end)

  it("keeps the locals of an input for the next ones, but those that were closed", function()
    local out, problems = run([[
local zoe <const> = Author:findByPk(2); local one, two = 1, {
  2 }
local function name() return zoe.name end
zoe.born = one + two[1]; do local two = "inner" end
name(), zoe.born, two
local Op <close> = setmetatable({}, { __close = function() end })
Op == liga.Op
local lost = 1 error "after it"
lost
local one = 5 return one
one
]], "--no-sql")
    assert.equal('"Zoë 猫"\n3\n{ 2 }\ntrue\nnil\n5\n1\n', out)
    assert.equal("after it\n", problems:match "^[^\n]*\n")
  end)

  it("shows the SQL on standard error, with parameters, time and rows; or not", function()
    local _, err = run "Author:count{ where = { name = 'Ursula' } }\n.sql off\nAuthor:count()\n"
    local _, lines = err:gsub("\n", "")
    assert.equal(1, lines)
    assert.is_truthy(err:find('^SELECT count.* WHERE "name" = %? %["Ursula"%]  %-%- [%d.]+ ms, 1 row\n$'), err)
    assert.equal("", select(2, run("Author:count()\n", "--no-sql")))
  end)

  it("shows NULL among the parameters, and no rows of what failed", function()
    local _, err = run("Author:create{ name = 'x' }\nAuthor:create{ id = 1, name = 'y' }\n")
    assert.is_truthy(err:find('["x", NULL]', 1, true), err)
    assert.is_truthy(err:find " ms failed\n")
    assert.is_nil(err:find("userdata", 1, true))
  end)

  it("shows what is loaded in its cell, and lists that are values as what they are", function()
    local out = run("Author:findAll{ include = { 'books' }, attributes = { 'id' }, limit = 1 }\n"
      .. "{ { list = { 1, 2 } } }\n", "--no-sql")
    assert.is_truthy(out:find('[Book{id=1, title="The Dispossessed"}, Book{id=', 1, true), out)
    assert.is_truthy(out:find("│ [1,2] │", 1, true), out)
  end)

  it("tells an error in one line, goes on, and ends with status 1", function()
    local out, err, status = run("Author:findAll{ wehre = {} }\nnope.x\nx = )\n1\n", "--no-sql")
    assert.equal(1, status)
    assert.is_truthy(err:find("UsageError", 1, true) and err:find("wehre: unknown option", 1, true))
    assert.is_truthy(err:find("global 'nope'", 1, true))
    assert.is_nil(err:find("traceback", 1, true))
    assert.is_truthy(out:find "1\n$")
  end)

  it("limits the rows that are shown", function()
    local out = run(".limit 1\nAuthor:findAll()\n")
    assert.is_truthy(out:find("2 rows, 1 not shown", 1, true))
    assert.is_truthy(run("Author:findAll()\n", "--limit", "1"):find("1 not shown", 1, true))
  end)

  it("has commands, and names the nearest", function()
    local out, err = run [[
.help
.models
.describe Book
.describe Boko
.modles
.explain Author:findAll{ limit = 1 }
.quit
1
]]
    local commands = { ".models", ".describe", ".sql", ".explain", ".timing", ".sandbox", ".reload", ".quit" }
    for _, command in ipairs(commands) do
      assert.is_truthy(out:find("\n  " .. command, 1, true), command)
    end
    assert.is_truthy(out:find("│ Author │ Authors │          3 │            1 │    2 │", 1, true), out)
    assert.is_truthy(err:find('no model "Boko" (did you mean "Book"?)', 1, true))
    assert.is_truthy(err:find('unknown command .modles (did you mean ".models"?)', 1, true))
    assert.is_truthy(out:find("plan:", 1, true))
    assert.is_nil(out:find "\n1\n$")
  end)

  it("runs code of the command line and scripts", function()
    assert.equal("2\n4\n", (run(nil, "--no-sql", "-e", "Author:count()", "-e", "_ * 2")))
    local script = cli.file("local n = Author:count()\nprint('authors', n)\n", ".lua")
    assert.equal("authors\t2\n", (cli.liga { "console", path, script, "--no-sql" }))
    local wrong = cli.file("\nAuthor:findAll { were = 1 }\n", ".lua")
    local _, complaint = cli.liga { "console", path, wrong, "--no-sql" }
    assert.equal(wrong .. ':2: UsageError: were: unknown option (did you mean "where"?)\n', complaint)
    _, complaint = cli.liga { "console", path, wrong, "--no-sql", "--debug" }
    assert.is_truthy(complaint:find("stack traceback:", 1, true), complaint)
    os.remove(wrong)
    local broken = cli.file("print(1)\nerror 'oops'\n", ".lua")
    local out, err, status = cli.liga { "console", path, broken }
    assert.same({ "1\n", 1 }, { out, status })
    assert.is_truthy(err:find(":2: oops", 1, true))
    assert.equal(1, select(3, run(nil, "-e", "error 'x'", "-e", "Author:destroy{ all = true }")))
    assert.equal("2\n", (run "Author:count()\n"))
    os.remove(script)
    os.remove(broken)
  end)

  it("in a sandbox changes no byte of the file", function()
    local before = cli.read(path)
    local out = run("Author:create{ name = 'x' }\nAuthor:count()\nBook:destroy{ all = true }\n.sandbox\n", "--sandbox")
    assert.is_truthy(out:find("3\n", 1, true))
    assert.is_truthy(out:find("sandbox is on", 1, true))
    assert.equal(before, cli.read(path))
    out = run ".sandbox on\nBook:destroy{ all = true }\n.sandbox reset\nBook:count()\n.sandbox off\nBook:count()\n"
    assert.is_truthy(out:find("2\n2\n2\n$"), out)
    assert.equal(before, cli.read(path))
  end)

  it("keeps a database in memory when it opens it again", function()
    local out, err = cli.liga({ "console", "--no-sql" }, [[
local T = db:define("Thing", { name = liga.STRING }, { timestamps = false }) T:sync() T:create{ name = "a" }
.reload
Thing:count()
.sandbox on
Thing:create{ name = "b" }.id
Thing:count()
.sandbox off
Thing:count()
Thing:create{ name = "c" }.id
.reload
Thing:count()
]])
    assert.equal("1\n2\n2\n1\n2\n2\n", out, err)
    out, err = cli.liga({ "demo", "--no-sql" }, [[
User:destroy{ where = { username = "dan" } }
.sandbox on
User:destroy{ all = true }
.sandbox off
User:count()
]])
    assert.equal("1\n3\n3\n", out, err)
  end)

  it("goes on over lines where an expression is not complete", function()
    assert.equal("3\n", (run("1 +\n2\n", "--no-sql")))
    assert.equal('"a\\nb"\n', (run("'a\\\nb'\n", "--no-sql")))
    local out, err = run("'a\n1 + 1\n", "--no-sql")
    assert.equal("2\n", out)
    assert.is_truthy(err:find("unfinished string", 1, true))
  end)

  it("in a sandbox keeps what an input did before an error out, and what others did in", function()
    local out = run("Author:create{ name = 'x' } error 'oops'\nAuthor:count()\nAuthor:create{ name = 'y' }\n"
      .. "Author:count()\n", "--sandbox", "--no-sql")
    assert.is_truthy(out:find("3\n", 1, true) or out:find("4\n", 1, true), out)
  end)

  it("refuses to write when it is to read only", function()
    local _, err, status = run("Author:create{ name = 'x' }\n", "--read-only", "--no-sql")
    assert.equal(1, status)
    assert.is_truthy(err:find("readOnly", 1, true))
  end)

  it("takes models from a file, also again", function()
    local models = cli.file([[
      local liga = require "liga"
      return function(db)
        local Writer = db:define("Writer", { name = liga.STRING }, { tableName = "Authors", timestamps = false })
        function Writer.methods:hello() return "hello " .. self.name end
      end]], ".lua")
    local out = run("Writer:findOne():hello()\n.reload\nWriter:count()\n", "--models", models)
    assert.equal('"hello Ursula"\n2\n', out)
    local broken = cli.file("return 1", ".lua")
    local _, err, status = run("", "--models", broken)
    assert.equal(1, status)
    assert.is_truthy(err:find("returns function(db)", 1, true))
    assert.equal(1, select(2, err:gsub("\n", "")))
    os.remove(models)
    os.remove(broken)
  end)

  it("goes on when the models are broken at a reload", function()
    local models = cli.file("return function(db) db:define('Author', {}, { timestamps = false }) end", ".lua")
    local break_it = ("local f = io.open('%s', 'w') f:write 'return {' f:close()\n"):format(models)
    local out, err, status = run("Author:count()\n" .. break_it .. ".reload\n1 + 1\n", "--models", models, "--no-sql")
    assert.same({ "2\n2\n", 1 }, { out, status })
    assert.is_truthy(err:find(models, 1, true), err)
    assert.equal(1, select(2, err:gsub("\n", "")))
    os.remove(models)
  end)

  it("begins with an empty database in memory, and has a demo", function()
    assert.equal("0\n", (cli.liga({ "console", "--no-sql" }, "#db:query 'SELECT * FROM sqlite_schema'\n")))
    local out = cli.liga({ "demo" }, "User:findOne{ where = { username = 'ann' } }:countPosts()\n")
    assert.equal("3\n", out)
  end)
end)

describe("liga console on a terminal", function()
  local path
  before_each(function() path = library() end)
  after_each(function() os.remove(path) end)

  local function shown(...)
    if not cli.has "script" then return pending "no script command" end
    return cli.terminal({ "console", path, "--no-sql" }, { ... })
  end

  it("greets and prompts", function()
    local out = shown({ "1 + 1\n", "\n2\n" })
    assert.is_truthy(out:find("2 models", 1, true), out)
  end)

  it("goes on after Ctrl-C: in an endless loop, in a query, in a line half typed", function()
    local endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    shown({ "print 'begin' while true do end\n", "\nbegin\n" }, { "\3", "interrupted" },
      { ("print 'begin' db:query '%s'\n"):format(endless), "\nbegin\n" }, { "\3", "interrupted" },
      { "half a line", "line" }, { "\3", "liga> " }, { "'still ' .. 'here'\n", '"still here"' },
      { "(1 +\n", "…> " }, { "half", "half" }, { "\3", "liga> " }, { "'and ' .. 'here'\n", '"and here"' })
  end)

  it("goes on after Ctrl-C in a coroutine", function()
    shown({ "coroutine.wrap(function() print 'begin' while true do end end)()\n", "\nbegin\n" },
      { "\3", "interrupted" },
      { "co = coroutine.create(function() print 'again' while true do end end)\n", "liga> " },
      { "coroutine.resume(co) 'never'\n", "\nagain\n" }, { "\3", "interrupted" }, { "2 * 21\n", "\n42\n" })
  end)

  it("without line editing goes on after Ctrl-C too", function()
    if not cli.has "script" then return pending "no script command" end
    cli.terminal({ "console", path, "--no-sql" }, {
      { "half a line", "line" }, { "\3", "liga> " }, { "'still ' .. 'here'\n", '"still here"' },
      { "print 'begin' while true do end\n", "\nbegin\n" }, { "\3", "interrupted" },
    }, "dumb")
  end)

  it("shows how far it is with many tables, and nothing of it in a pipe", function()
    if not cli.has "script" then return pending "no script command" end
    local db <close> = liga.connect("sqlite:" .. path)
    db:transaction(function()
      for i = 1, 60 do db:query(("CREATE TABLE t%d (id INTEGER PRIMARY KEY)"):format(i)) end
    end)
    assert.is_truthy(cli.terminal({ "console", path }, {}):find("reading tables: 60 of 62 …", 1, true))
    assert.equal("", select(2, cli.liga({ "console", path }, "")))
    assert.equal("", select(2, cli.liga { "doctor", path }))
    assert.equal("", select(2, cli.liga { "reflect", path }))
  end)

  it("prompts differently for an input that is not complete", function()
    shown({ "(1 +\n", "…> " }, { "2)\n", "\n3\n" })
  end)

  it("completes with TAB where readline is installed", function()
    if not pcall(require, "readline") then return pending "no readline" end
    shown({ "Aut\t:cou\t()", "Author:count()" }, { "\n", "\n2\n" })
  end)
end)

describe("completion", function()
  local db, env
  before_each(function()
    db = liga.connect "sqlite::memory:"
    local Author = db:define("Author", { name = liga.STRING, born = liga.INTEGER })
    Author:hasMany(db:define("Book", { title = liga.STRING }), { as = "books", inverse = "author" })
    db:sync()
    env = setmetatable({ liga = liga, db = db, Op = liga.Op, ann = Author:create{ name = "ann" } }, {
      __index = function(_, name) return db.models[name] or _G[name] end,
    })
  end)
  after_each(function() db:close() end)

  local function words(before)
    return (completion.words(env, before, { ".help", ".models" }))
  end

  local function has(before, ...)
    local set = {}
    for _, word in ipairs(words(before)) do set[word] = true end
    for _, word in ipairs { ... } do assert.is_true(set[word], word .. " after " .. before) end
  end

  it("knows models and globals", function()
    assert.same({ "Author" }, words "Auth")
    has("x = pr", "print")
    has("db.models.", "db.models.Author", "db.models.Book")
  end)

  it("knows the methods of models and instances, the generated ones too", function()
    assert.same({ "Author:findByPk", "Author:findByPks" }, words "Author:findBy")
    has("ann:", "ann:getBooks", "ann:addBook", "ann:save")
    has("ann.", "ann.name", "ann.books")
    has("Author.attributes.", "Author.attributes.born")
    has("Author.associations.", "Author.associations.books")
  end)

  it("knows the options of a call, not those of others", function()
    has("Author:findAll{ ", "where", "order", "limit", "include", "transaction")
    assert.same({ "where" }, words "Author:findAll{ wh")
    assert.same({ "rejectOnEmpty" }, words "Author:findByPk(1, { rej")
    assert.same({ "ignoreDuplicates" }, words "Author:bulkCreate({ { name = 'x' } }, { ig")
    assert.same({ "through" }, words "ann:addBook(book, { thr")
    assert.same({}, (function()
      local found = {}
      for _, word in ipairs(words "Author:findAll{ ") do
        if word == "plain" or word == "right" or word == "truncate" or word == "name" then found[#found + 1] = word end
      end
      return found
    end)())
  end)

  it("knows attributes and operators in a where", function()
    has("Author:findAll{ where = { ", "name", "born", "[Op.or_]")
    has("Author:findAll{ where = { [Op.or_] = { { na", "name")
    has("ann:getBooks{ where = { ", "title", "authorId")
    has("Author:findAll{ limit = 3, where = { born = { ", "[Op.gte]", "[Op.between]")
    assert.same({ "Op.startsWith" }, words "Author:findAll{ where = { name = { [Op.starts")
    assert.same({ "Op.gte" }, words "Author:findAll{ where = { born = Op.gte")
    has("Author:findAll{ where = { name = ", "Op", "Author")
  end)

  it("knows VIRTUAL attributes, but not as conditions", function()
    local function shown(self) return self.name end
    db:define("Person", { name = liga.STRING, shown = { type = liga.VIRTUAL, get = shown } })
    env.bob = db.models.Person:build { name = "bob" }
    has("bob.", "bob.name", "bob.shown")
    assert.same({ "shown" }, words "Person:create{ sh")
    assert.same({}, words "Person:findAll{ where = { sh")
  end)

  it("knows associations in an include, and what they lead to", function()
    assert.same({ "books" }, words "Author:findAll{ include = { ")
    assert.same({ "books" }, words "Author:findAll{ include = { 'bo")
    has("Author:findAll{ include = { books = { ", "where", "required", "strategy")
    has("Author:findAll{ include = { { association = 'books', where = { ", "title")
    has("Author:findAll{ include = { books = { where = { ", "title", "authorId")
  end)

  it("knows attributes as values, and as texts in lists", function()
    has("Author:create{ ", "name", "books")
    assert.same({ "title" }, words "Author:create{ name = 'x', books = { { ti")
    assert.same({ "title" }, words "ann:createBook{ ti")
    assert.same({ "name" }, words 'Author:findAll{ attributes = { "id", "na')
    assert.same({ "born" }, words 'Author:findAll{ order = { { "bo')
    assert.same({}, words "print('Auth")
  end)

  it("is not misled by texts and comments, and goes on over lines", function()
    has("Author:findAll{ where = { name = '}}' }, ", "limit")
    has("Author:findAll{ -- }\n  where = {\n", "name")
    assert.same({}, words "Nobody:")
    assert.same({}, words "Author:findOne():get")
    has("Nobody:findAll{ ", "print")
  end)

  it("knows its own commands, and what liga has", function()
    assert.same({ ".models" }, words ".mo")
    has("liga.", "liga.connect", "liga.STRING")
  end)
end)

describe("text for terminals", function()
  it("is as wide as its characters", function()
    assert.equal(4, text.width "abcd")
    assert.equal(4, text.width "猫猫")
    assert.equal(3, text.width "Zoë")
    assert.equal(3, text.width "Zoe\u{308}")
    assert.equal(2, text.width "😀")
    assert.equal("猫 ", text.pad("猫", 3))
    assert.equal("ab…", text.cut("abcdef", 3))
    assert.equal("猫…", text.cut("猫猫猫", 4))
  end)

  it("fits tables to it: columns below each other, long cells cut", function()
    local rows = { { a = ("x"):rep(60), b = 1 } }
    local shown = printer.text(rows, { limit = 5, width = 20, paint = text.painter(), columns = { "a", "b" } })
    for line in shown:gmatch "[^\n]+" do assert.is_true(text.width(line) <= 20, line) end
    assert.is_truthy(shown:find("│ " .. ("x"):rep(15) .. "… │\n", 1, true), shown)
    assert.is_truthy(shown:find("│ b │\n├───┤\n│ 1 │\n", 1, true), shown)
    shown = printer.text(rows, { limit = 5, width = math.huge, paint = text.painter(), columns = { "a", "b" } })
    assert.is_truthy(shown:find("… │ 1 │\n", 1, true), shown)
  end)

  it("shows what a terminal would obey instead of sending it", function()
    assert.equal("\\x1b[2J", text.safe "\27[2J")
    assert.equal("a\\nb\\t\\0", text.safe "a\nb\t\0")
    assert.equal("\\u{9b}31m", text.safe "\u{9b}31m")
    assert.equal("\\u{202e}x", text.safe "\u{202e}x")
    assert.equal("\\xff", text.safe "\xff")
  end)
end)
