-- db:query: SQL by hand, values always as binds (contract, section 10).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("query on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      db:sync()
      User:bulkCreate{ { name = "ann", age = 30 }, { name = "bob", age = 25 }, { name = "cid" } }
      log:clear()
    end)
    after_each(function() db:close() end)

    local function names(sql, options) return support.sorted(db:query(sql, options), "name") end

    it("gives plain tables", function()
      local rows = db:query('SELECT name, age FROM "Users" ORDER BY name')
      assert.same({ { name = "ann", age = 30 }, { name = "bob", age = 25 }, { name = "cid" } }, rows)
      assert.is_nil(getmetatable(rows[1]))
    end)

    it("keeps the types of the values", function()
      local row = db:query("SELECT 1 AS i, 'text' AS t, NULL AS n")[1]
      assert.equal("integer", math.type(row.i))
      assert.equal("text", row.t)
      assert.is_nil(row.n)
    end)

    it("tells which columns there are, also of no row", function()
      local rows, info = db:query('SELECT name, age FROM "Users" WHERE name = \'eve\'')
      assert.equal(0, #rows)
      assert.equal(2, #info.columns)
    end)

    it("tells how many rows were affected", function()
      local _, info = db:query('UPDATE "Users" SET age = 1 WHERE age IS NOT NULL')
      assert.equal(2, info.affected)
    end)

    it("binds a list to $1, $2", function()
      assert.same({ "ann" }, names('SELECT name FROM "Users" WHERE name = $1 AND age > $2', { bind = { "ann", 20 } }))
      assert.same({ "ann", "bob" }, names('SELECT name FROM "Users" WHERE name IN ($2, $1)',
        { bind = { "ann", "bob" } }))
    end)

    it("binds a map to $name", function()
      assert.same({ "bob" }, names('SELECT name FROM "Users" WHERE name = $name AND age < $max',
        { bind = { name = "bob", max = 30 } }))
    end)

    it("binds one value to a mark used twice", function()
      assert.same({ "ann" }, names('SELECT name FROM "Users" WHERE name = $1 OR name = $1', { bind = { "ann" } }))
      assert.same({ "ann" }, names('SELECT name FROM "Users" WHERE name = :n OR name = :n',
        { replacements = { n = "ann" } }))
    end)

    it("takes replacements for ?", function()
      assert.same({ "ann" }, names('SELECT name FROM "Users" WHERE name = ? AND age > ?',
        { replacements = { "ann", 20 } }))
    end)

    it("takes replacements for :name", function()
      assert.same({ "bob" }, names('SELECT name FROM "Users" WHERE name = :name', { replacements = { name = "bob" } }))
    end)

    it("sends values, never text", function()
      local hostile = "'; DROP TABLE \"Users\"; --"
      for _, options in ipairs { { bind = { hostile } }, { replacements = { v = hostile } } } do
        local mark = options.bind and "$1" or ":v"
        assert.equal(hostile, db:query("SELECT CAST(" .. mark .. " AS TEXT) AS v", options)[1].v)
      end
      assert.equal(3, User:count())
      for _, entry in ipairs(log) do assert.is_nil(entry.sql:find("DROP", 1, true)) end
    end)

    it("binds NULL by liga.null", function()
      assert.is_nil(db:query("SELECT CAST($1 AS TEXT) AS v", { bind = { liga.null } })[1].v)
    end)

    it("leaves marks in texts, names and comments alone", function()
      local row = db:query([[
        SELECT '? :name $1 it''s' AS "what? :name $1", -- ? :name
               /* ? :name $1 */ CAST(:name AS TEXT) AS name]], { replacements = { name = "ann" } })[1]
      assert.same({ ["what? :name $1"] = "? :name $1 it's", name = "ann" }, row)
      assert.equal("ann", db:query("SELECT '?' AS mark, CAST(? AS TEXT) AS name -- ?",
        { replacements = { "ann" } })[1].name)
    end)

    if engine.dialect == "postgres" then
      it("leaves casts, slices, dollar quotes, strings over several lines and JSON's operators alone", function()
        local row = db:query([[
          SELECT '{"a":1}'::jsonb ? 'a' AS one, '{"a":1}'::jsonb ?| ARRAY['a', 'b'] AS any, :v::int AS v,
                 '{"a":[1]}'::jsonb @? '$.a[*]' AS path, (ARRAY[1,2,3])[1:2] AS slice, $x$ :v ? $1 $x$ AS dollar,
                 E'it\'s :v' -- and
                 '\' ?' AS text, :v > 1 AS more]], { replacements = { v = 3 } })[1]
        assert.same({
          one = true, any = true, v = 3, path = true, slice = "{1,2}", dollar = " :v ? $1 ", text = "it's :v' ?",
          more = true,
        }, row)
        row = db:query([[SELECT data ? ? AS it, data ? 'b' AS b FROM (SELECT '{"a":1}'::jsonb AS data) s]],
          { replacements = { "a" } })[1]
        assert.same({ it = true, b = false }, row)
      end)
    end

    it("refuses a missing name", function()
      support.raises("UsageError", function()
        db:query('SELECT name FROM "Users" WHERE name = :name', { replacements = { nam = "ann" } })
      end, "name")
      support.raises("UsageError", function()
        db:query('SELECT name FROM "Users" WHERE name = $name', { bind = { other = "ann" } })
      end, "name")
    end)

    it("accepts a surplus name", function()
      assert.same({ "ann" }, names('SELECT name FROM "Users" WHERE name = :name',
        { replacements = { name = "ann", age = 1 } }))
    end)

    it("nests columns with dots in their names, as deep as these say", function()
      local row = db:query([[SELECT 1 AS id, 2 AS "a.b", 3 AS "a.c.d", 4 AS "a.c.e"]], { nest = true })[1]
      assert.same({ id = 1, a = { b = 2, c = { d = 3, e = 4 } } }, row)
    end)

    it("tells of a write that failed that it was rolled back, in a transaction too", function()
      local sql = 'INSERT INTO "Users" (id) SELECT id FROM "Users"'
      local function fails() return support.raises("UniqueConstraintError", function() db:query(sql) end).outcome end
      assert.equal("rolled_back", fails())
      local inside
      pcall(db.transaction, db, function() inside = fails() error "over" end)
      assert.equal("rolled_back", inside)
    end)

    it("tells of one that the engine did not understand that nothing had begun", function()
      for _, sql in ipairs {
        "SELEC 1", "INSERT INTO no_such_table VALUES (1)", 'UPDATE "Users" SET no_such_column = 1',
        "DROP TABLE no_such_table", 'CREATE TABLE "Users" (id INTEGER)',
      } do
        assert.equal("none", support.raises("DatabaseError", function() db:query(sql) end).outcome, sql)
      end
    end)

    it("refuses a wrong count", function()
      support.raises("UsageError", function() db:query("SELECT ?", { replacements = { 1, 2 } }) end)
      support.raises("UsageError", function() db:query("SELECT ?, ?", { replacements = { 1 } }) end)
      support.raises("UsageError", function() db:query("SELECT $1, $2", { bind = { 1 } }) end)
      assert.same({}, log:statements())
    end)

    it("refuses $1 and $name without bind", function()
      for _, sql in ipairs { 'SELECT * FROM "Users" WHERE age = $1', 'DELETE FROM "Users" WHERE name = $name' } do
        support.raises("UsageError", function() db:query(sql) end, "bind")
        support.raises("UsageError", function() db:query(sql .. " OR age = ?", { replacements = { 1 } }) end, "bind")
      end
      assert.same({ { v = "$1", ["$n"] = 1 } }, (db:query "SELECT '$1' AS v, 1 AS \"$n\" -- $2"))
    end)

    it("refuses bind and replacements together", function()
      support.raises("UsageError", function() db:query("SELECT $1, ?", { bind = { 1 }, replacements = { 2 } }) end)
    end)

    it("refuses values that cannot be sent", function()
      for _, value in ipairs { {}, print, "a\0b", "\xff" } do
        local ok, e = pcall(db.query, db, "SELECT CAST($1 AS TEXT) AS v", { bind = { value } })
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "ValidationError") or liga.isError(e, "UsageError"), tostring(e))
      end
      assert.same({}, log:statements())
    end)

    it("refuses empty SQL", function()
      for _, sql in ipairs { "", "   ", "-- nothing", "/* nothing */", ";" } do
        support.raises("UsageError", function() db:query(sql) end)
      end
      support.raises("UsageError", function() db:query(nil) end)
      support.raises("UsageError", function() db:query(5) end)
    end)

    it("accepts a semicolon at the end", function()
      assert.equal(1, db:query("SELECT 1 AS one;")[1].one)
      assert.equal(1, db:query("SELECT 1 AS one; -- done\n")[1].one)
    end)

    it("refuses several commands before the first runs", function()
      support.raises("UsageError", function()
        db:query([[DELETE FROM "Users"; DELETE FROM "Users"]])
      end, "multiple")
      assert.equal(3, User:count())
    end)

    it("says that what became of several commands is unknown where those before the failing one wrote", function()
      local function outcome(sql)
        local ok, e = pcall(db.query, db, sql, { multiple = true })
        assert.is_false(ok)
        return e.outcome
      end
      db:query "CREATE TABLE kept (n INTEGER UNIQUE)"
      assert.equal("unknown", outcome "INSERT INTO kept VALUES (1); SELECT nonsense")
      assert.equal("unknown", outcome "INSERT INTO kept VALUES (2); INSERT INTO kept VALUES (1)")
      assert.equal("none", outcome "SELECT nonsense; INSERT INTO kept VALUES (3)")
      assert.equal("none", outcome "SELECT 1; SELECT nonsense; INSERT INTO kept VALUES (4)")
      assert.equal("rolled_back", outcome "INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (5)")
      assert.same({ 1, 2 }, support.sorted(db:query "SELECT n FROM kept", "n"))
    end)

    it("runs several commands with multiple = true", function()
      db:query([[DELETE FROM "Users" WHERE name = 'ann'; DELETE FROM "Users" WHERE name = 'bob; or bill']],
        { multiple = true })
      assert.equal(2, User:count())
    end)

    it("refuses transaction commands: db:transaction does that", function()
      for _, sql in ipairs { "BEGIN", "begin immediate", "COMMIT", "ROLLBACK", "SAVEPOINT a", "/* x */ END" } do
        support.raises("UsageError", function() db:query(sql) end, "transaction")
      end
      assert.equal(3, User:count())
    end)

    it("tells no value that a function of the engine was given", function()
      local sql = engine.dialect == "sqlite" and "SELECT json_extract('{}', $1)" or "SELECT convert_to('x', $1)"
      local e = support.raises("DatabaseError", function() db:query(sql, { bind = { "my secret" } }) end)
      assert.is_nil(e.message:find("secret", 1, true))
    end)

    it("tells no part of such a value, nor of one that a row holds", function()
      local refused = {
        sqlite = { "SELECT json_extract('{}', $1 || '(')" },
        postgres = { "SELECT to_date($1, 'YYYY-MM')", "SELECT (length($1) || 'secret')::int" },
      }
      for _, sql in ipairs(refused[engine.dialect]) do
        local ok, e = pcall(db.query, db, sql, { bind = { "secret's" } })
        assert.is_false(ok, sql)
        assert.is_nil(e.message:find("secr", 1, true), e.message)
      end
    end)

    it("raises DatabaseError with the SQL and the engine's code", function()
      local e = support.raises("DatabaseError", function() db:query("SELEC 1") end)
      assert.equal("SELEC 1", e.sql)
      assert.is_truthy(e.code or e.sqlstate)
      assert.equal(1, db:query("SELECT 1 AS one")[1].one)
    end)

    it("gives instances of a model", function()
      local rows = db:query('SELECT * FROM "Users" ORDER BY name', { model = User, mapToModel = true })
      assert.equal(User, liga.modelOf(rows[1]))
      rows[1].age = 31
      rows[1]:save()
      assert.equal(31, User:findByPk(rows[1].id).age)
    end)

    it("takes part in a transaction", function()
      pcall(db.transaction, db, function()
        db:query([[DELETE FROM "Users"]])
        error("oops")
      end)
      assert.equal(3, User:count())
    end)

    it("names the nearest option for one it does not know", function()
      support.raises("UsageError", function() db:query("SELECT 1", { binds = { 1 } }) end, "binds", "bind")
      support.raises("UsageError", function() db:query("SELECT 1", "bind") end)
    end)

    if engine.dialect == "sqlite" then
      it("tells the last row id", function()
        local _, info = db:query([[INSERT INTO "Users" (id, name) VALUES (70, 'eve')]])
        assert.equal(70, info.lastId)
        assert.equal(1, info.affected)
      end)
    end
  end)
end
