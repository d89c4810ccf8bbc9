--- The command on a server.
local cli = require "spec.cli.support"
local support = require "spec.support"
local liga = require "liga"

for engine in support.engines() do
  if engine.kind == "server" then
    describe("the command liga on " .. engine.name, function()
      local db
      before_each(function()
        db = engine:open()
        db:queryInterface():dropAllTables()
        local Author = db:define("Author", { name = { type = liga.STRING(20), unique = true } }, { timestamps = false })
        local Book = db:define("Book", { title = liga.STRING, kind = liga.ENUM { "a", "b" } },
          { timestamps = false, indexes = { { fields = { "authorId" } } } })
        Author:hasMany(Book, { as = "books", inverse = "author" })
        db:sync()
        Author:create{ name = "ann" }:createBook{ title = "one", kind = "a" }
      end)
      after_each(function() db:close() end)

      it("reads and writes in the console", function()
        local out, err, status = cli.liga({ "console", engine.url, "--no-sql" },
          "Author:findOne():getBooks()[1].title\nAuthor:create{ name = 'bob' }.name\nAuthor:create{ name = 'bob' }\n")
        assert.equal('"one"\n"bob"\n', out)
        assert.is_truthy(err:find("UniqueConstraintError", 1, true), err)
        assert.equal(1, status)
        assert.equal(2, db.models.Author:count())
      end)

      it("in a sandbox does not show its own savepoints", function()
        local _, echo = cli.liga({ "console", engine.url, "--sandbox" }, [[
Author:count()
db:query "SELECT nope"
db:transaction(function() Author:count() end)
Author:count()
]])
        local shown = {}
        for word in echo:gmatch "%f[^\n\0](%u+) " do shown[#shown + 1] = word end
        assert.same({ "BEGIN", "SELECT", "SELECT", "SAVEPOINT", "SELECT", "RELEASE", "SELECT", "ROLLBACK" }, shown)
      end)

      it("in a sandbox keeps nothing, and goes on after an error", function()
        local out = cli.liga({ "console", engine.url, "--no-sql", "--sandbox" }, [[
Author:create{ name = 'bob' }.name
Author:create{ name = 'bob' }
Author:count()
db:query "nonsense"
Author:count()
.sandbox reset
Author:count()
]])
        assert.equal('"bob"\n2\n2\n1\n', out)
        assert.equal(1, db.models.Author:count())
        assert.equal("1\n", (cli.liga { "console", engine.url, "-s", "--no-sql", "-e",
          "Author:destroy{ all = true }", "-e", "Book:count()" }):match "1\n$")
      end)

      it("writes models, annotations and pictures, and finds nothing wrong", function()
        local out, err, status = cli.liga { "reflect", engine.url }
        assert.same({ "", 0 }, { err, status })
        local other <close> = engine:reopen()
        load(out)()(other)
        assert.equal(1, other.models.Author:findOne():countBooks())
        assert.same({}, other:sync{ alter = true, dryRun = true })
        assert.is_truthy((cli.liga { "types", engine.url }):find("---@class Author: liga.Instance", 1, true))
        assert.is_truthy((cli.liga { "diagram", engine.url }):find("Author |o--o{ Book", 1, true))
        assert.same({ "nothing found\n", "", 0 }, { cli.liga { "doctor", engine.url } })
      end)

      it("stops a query by Ctrl-C, and the session goes on", function()
        if not cli.has "script" then return pending "no script command" end
        cli.terminal({ "console", engine.url, "--no-sql" }, {
          { "print 'begin' db:query 'SELECT pg_sleep(20)'\n", "\nbegin\n" }, { "\3", "interrupted" },
          { "'still ' .. Author:count()\n", '"still 1"' },
        })
      end)
    end)
  end
end
