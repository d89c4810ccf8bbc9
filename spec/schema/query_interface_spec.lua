--- db:queryInterface(): tables, columns, indexes and constraints without models.
local support = require "spec.support"
local liga = require "liga"
local Op = liga.Op

local function names(list)
  local found = {}
  for i, item in ipairs(list) do found[i] = item.name end
  table.sort(found)
  return found
end

for engine in support.engines() do
  describe("the query interface on " .. engine.name, function()
    local db, q
    before_each(function()
      db = engine:open()
      q = db:queryInterface()
      q:dropAllTables()
    end)
    after_each(function() db:close() end)

    local function generated() return { type = liga.BIGINT, primaryKey = true, autoIncrement = true } end

    --- Two users; ann has two posts, which go with her.
    local function users_and_posts()
      q:createTable("users", {
        id = generated(),
        name = { type = liga.STRING(20), allowNull = false, unique = true },
        age = { type = liga.INTEGER, defaultValue = 3 },
      })
      q:createTable("posts", {
        id = generated(), title = liga.STRING(50),
        user_id = { type = liga.BIGINT, references = { table = "users", key = "id" }, onDelete = "CASCADE" },
      })
      q:bulkInsert("users", { { name = "ann", age = 30 }, { name = "bob" } })
      q:bulkInsert("posts", { { title = "one", user_id = 1 }, { title = "two", user_id = 1 } })
    end

    local function rows(sql) return (db:query(sql)) end

    it("says which method there is for one that there is not", function()
      support.raises("UsageError", function() q:creatTable("x", { id = liga.INTEGER }) end, "createTable")
      support.raises("UsageError", function() q:listTables() end, "showAllTables")
      support.raises("UsageError", function() q:bulkDelete("users", {}) end, "db:query")
    end)

    describe("tables", function()
      it("are created with columns, keys and indexes, and listed", function()
        users_and_posts()
        assert.same({ "posts", "users" }, q:showAllTables())
        assert.is_true(q:tableExists("users"))
        assert.is_false(q:tableExists("nobody"))
        local described = q:describeTable("users")
        assert.is_true(described.id.primaryKey)
        assert.is_true(described.id.autoIncrement)
        assert.is_false(described.name.allowNull)
        assert.is_true(described.name.unique)
        assert.equal(3, described.age.defaultValue)
        assert.is_true(described.age.allowNull)
      end)

      it("are described alike on both engines: defaults as values, an enum with its values", function()
        q:createTable("things", {
          id = { type = liga.INTEGER, primaryKey = true }, price = { type = liga.DECIMAL(8, 2), defaultValue = 1.5 },
          kind = { type = liga.ENUM { "a_b", "c" }, defaultValue = "a_b" },
          on = { type = liga.BOOLEAN, defaultValue = false }, word = { type = liga.STRING, defaultValue = "it's" },
        })
        local described = q:describeTable("things")
        assert.same({ "1.50", "a_b", false, "it's" }, { described.price.defaultValue, described.kind.defaultValue,
          described.on.defaultValue, described.word.defaultValue })
        if engine.dialect == "sqlite" then return end
        assert.same({ "a_b", "c" }, described.kind.values)
      end)

      it("may have a key of several columns and unique keys over several", function()
        q:createTable("seats", {
          row = { type = liga.INTEGER, primaryKey = true }, place = { type = liga.INTEGER, primaryKey = true },
          code = liga.STRING(5), hall = liga.STRING(5),
        }, { uniqueKeys = { one_code = { fields = { "code", "hall" } } } })
        q:bulkInsert("seats", { { row = 1, place = 1, code = "a", hall = "x" } })
        support.raises("UniqueConstraintError", function()
          q:bulkInsert("seats", { { row = 1, place = 1, code = "b", hall = "x" } })
        end)
        support.raises("UniqueConstraintError", function()
          q:bulkInsert("seats", { { row = 2, place = 1, code = "a", hall = "x" } })
        end)
      end)

      it("keep their rows and what references them when they are renamed", function()
        users_and_posts()
        q:renameTable("users", "people")
        assert.is_false(q:tableExists("users"))
        assert.equal(2, #rows "SELECT * FROM people")
        rows "DELETE FROM people WHERE name = 'ann'"
        assert.equal(0, #rows "SELECT * FROM posts")
      end)

      it("are dropped, one or all, whatever references what", function()
        users_and_posts()
        q:dropTable("posts")
        q:dropTable("posts")
        assert.same({ "users" }, q:showAllTables())
        q:createTable("a", { id = generated(), b = { type = liga.BIGINT } })
        q:createTable("b", { id = generated(), a = { type = liga.BIGINT, references = { table = "a", key = "id" } } })
        q:dropAllTables{ skip = { "users" } }
        assert.same({ "users" }, q:showAllTables())
      end)

      it("take tables for JSON when rows are inserted", function()
        local Doc = db:define("Doc", { { "data", liga.JSON }, { "more", liga.JSONB }, { "n", liga.INTEGER } },
          { timestamps = false })
        Doc:sync()
        assert.equal(3, q:bulkInsert("Docs", {
          { data = { a = { 1, "x", liga.null } }, more = { 1, 2 }, n = 1 },
          { data = '{"plain": true}', more = liga.null, n = 2 }, { data = {}, more = { b = false }, n = 3 },
        }))
        local docs = Doc:findAll{ order = "n" }
        assert.same({ { a = { 1, "x", liga.null } }, { plain = true }, {} }, support.pluck(docs, "data"))
        assert.same({ { 1, 2 }, nil, { b = false } }, support.pluck(docs, "more"))
        support.raises("UsageError", function() q:bulkInsert("Docs", { { n = { 1 } } }) end, "JSON", "n is ")
        support.raises("ValidationError", function() q:bulkInsert("Docs", { { data = { print } } }) end)
        for _, records in ipairs { { n = 4 }, { a = { n = 4 } }, { { n = 4 }, nil, { n = 5 } }, 5 } do
          support.raises("UsageError", function() q:bulkInsert("Docs", records) end, "bulkInsert", "list")
        end
        assert.equal(3, Doc:count())
        if engine.dialect == "postgres" then
          db:query "CREATE TABLE lists (n INTEGER[], t TEXT[])"
          q:bulkInsert("lists", { { n = { 1, liga.null }, t = { 'a "b"', "c,d" } }, { n = {}, t = "{x}" } })
          local found = db:query "SELECT array_to_json(n)::text AS n, array_to_json(t)::text AS t FROM lists"
          assert.same({ { n = "[1,null]", t = [=[["a \"b\"","c,d"]]=] }, { n = "[]", t = '["x"]' } }, found)
        end
      end)

      if engine.dialect == "postgres" then
        it("are dropped all where some inherit from others; one that is kept is kept", function()
          db:query "CREATE TABLE animals (name TEXT)"
          db:query "CREATE TABLE beasts (age INTEGER) INHERITS (animals)"
          db:query "CREATE TABLE dogs (barks BOOLEAN) INHERITS (animals)"
          db:query "INSERT INTO dogs VALUES ('rex', true)"
          q:dropAllTables{ skip = { "dogs" } }
          assert.same({ "dogs" }, q:showAllTables())
          assert.equal("rex", db:query("SELECT * FROM dogs")[1].name)
          db:query "CREATE TABLE puppies () INHERITS (dogs)"
          q:dropAllTables()
          assert.same({}, q:showAllTables())
        end)
      end

      it("are named with the nearest where there is none of that name", function()
        users_and_posts()
        support.raises("UsageError", function() q:describeTable("user") end, '"user"', '"users"')
        support.raises("UsageError", function() q:removeColumn("users", "nmae") end, '"nmae"', '"name"')
        support.raises("UsageError", function() q:createTable("x", {}) end, "column")
        support.raises("UsageError", function() q:createTable("x", { a = liga.STRING }, { unqiueKeys = {} }) end,
          "unqiueKeys", "uniqueKeys")
        support.raises("UsageError", function() q.showAllTables() end, "colon")
      end)
    end)

    describe("columns", function()
      before_each(users_and_posts)

      it("are added, with default, key and index", function()
        q:addColumn("users", "mail", { type = liga.STRING(30), allowNull = false, defaultValue = "none" })
        q:addColumn("users", "boss_id", { type = liga.BIGINT, references = { table = "users", key = "id" } })
        q:addColumn("users", "code", { type = liga.STRING(10), unique = true })
        assert.equal("none", rows("SELECT mail FROM users")[1].mail)
        support.raises("ForeignKeyConstraintError", function()
          q:bulkInsert("users", { { name = "c", boss_id = 99 } })
        end)
        q:bulkInsert("users", { { name = "c", code = "x" } })
        support.raises("UniqueConstraintError", function() q:bulkInsert("users", { { name = "d", code = "x" } }) end)
      end)

      it("are changed: rows, keys, indexes and what references the table stay", function()
        q:changeColumn("users", "age", { type = liga.BIGINT, allowNull = false, defaultValue = 7 })
        local described = q:describeTable("users")
        assert.equal("BIGINT", described.age.type)
        assert.is_false(described.age.allowNull)
        assert.equal(7, described.age.defaultValue)
        assert.is_true(described.name.unique)
        assert.equal(30, rows("SELECT age FROM users WHERE name = 'ann'")[1].age)
        assert.equal(2, #rows "SELECT * FROM posts")
        rows "DELETE FROM users WHERE name = 'ann'"
        assert.equal(0, #rows "SELECT * FROM posts")
      end)

      it("that hold NULL can't be required, and then nothing has changed", function()
        q:bulkInsert("posts", { { title = "three" } })
        support.raises("NotNullConstraintError", function()
          q:changeColumn("posts", "user_id", { type = liga.BIGINT, allowNull = false })
        end)
        assert.equal(3, #rows "SELECT * FROM posts")
        assert.is_true(q:describeTable("posts").user_id.allowNull)
        assert.equal("CASCADE", q:showConstraints("posts")[2].onDelete)
      end)

      it("get a reference in place of the one they had", function()
        q:changeColumn("posts", "user_id", { type = liga.BIGINT, references = { table = "users", key = "id" },
          onDelete = "SET NULL" })
        local keys = {}
        for _, constraint in ipairs(q:showConstraints("posts")) do
          if constraint.type == "FOREIGN KEY" then keys[#keys + 1] = constraint.onDelete end
        end
        assert.same({ "SET NULL" }, keys)
        local posts = #rows "SELECT * FROM posts"
        rows "DELETE FROM users"
        assert.equal(posts, #rows "SELECT * FROM posts WHERE user_id IS NULL")
      end)

      it("get another type only where each of their values fits it, and then nothing has changed", function()
        for _, case in ipairs {
          { liga.TEXT, "abc", liga.INTEGER }, { liga.TEXT, "1", liga.INTEGER, 1 }, { liga.TEXT, "12.5", liga.INTEGER },
          { liga.STRING(9), "äöüß", liga.STRING(3) }, { liga.STRING(9), "äöü", liga.STRING(3), "äöü" },
          { liga.BIGINT, 2 ^ 40 // 1 | 0, liga.INTEGER }, { liga.INTEGER, 70000, liga.SMALLINT },
          { liga.DOUBLE, 1.5, liga.INTEGER }, { liga.INTEGER, 123, liga.STRING(2) }, { liga.INTEGER, 2, liga.BOOLEAN },
          { liga.TEXT, "x", liga.DECIMAL(20, 2) }, { liga.TEXT, "-1.5", liga.DECIMAL(20, 2), "-1.5" },
          { liga.TEXT, "x", liga.DATE }, { liga.TEXT, "x", liga.TIME }, { liga.TEXT, "x", liga.DATEONLY },
          { liga.TEXT, "x", liga.UUID }, { liga.TEXT, "x", liga.JSON }, { liga.TEXT, "x@y", liga.ENUM { "x@", "y" } },
          { liga.TEXT, "1e400", liga.DECIMAL(9, 2) }, { liga.BOOLEAN, true, liga.TEXT, "true" },
          { liga.ENUM { "a", "b", "c" }, "a", liga.ENUM { "b", "d" } },
          { liga.ENUM { "a", "b", "c" }, "b", liga.ENUM { "d", "b" }, "b" }, { liga.ENUM { "a" }, "a", liga.TEXT, "a" },
        } do
          local before, value, after, kept = table.unpack(case)
          q:createTable("things", { id = generated(), v = before, w = liga.INTEGER })
          q:bulkInsert("things", { { w = 1 }, { v = value, w = 2 } })
          local function change() q:changeColumn("things", "v", after) end
          if kept == nil then
            local e = support.raises("DatabaseError", change, "things.v holds values that " .. after.name,
              "can't hold: change them first")
            assert.same({ "things", "v", "rolled_back" }, { e.table, e.attribute, e.outcome })
            assert.is_not_nil(e.value)
            assert.same({ v = value, w = 2 }, db:query("SELECT v, w FROM things WHERE w = 2", { type = "select" })[1])
          else
            change()
            assert.equal(tostring(kept), tostring(rows("SELECT v FROM things WHERE w = 2")[1].v):gsub("0+$", ""))
          end
          q:dropTable("things")
        end
      end)

      it("become instants, days and booleans in the engine's form", function()
        q:createTable("things", { id = generated(), a = liga.DATEONLY, b = liga.DATE, c = liga.STRING(9) })
        q:bulkInsert("things", { { a = "2026-11-22", b = "2026-11-22T00:00:00Z", c = "yes" } })
        q:changeColumn("things", "a", liga.DATE)
        q:changeColumn("things", "b", liga.DATEONLY)
        q:changeColumn("things", "c", liga.BOOLEAN)
        local Thing = db:define("Thing", { a = liga.DATE, b = liga.DATEONLY, c = liga.BOOLEAN },
          { tableName = "things", timestamps = false })
        local thing = Thing:findOne()
        assert.same({ "2026-11-22T00:00:00.000Z", "2026-11-22", true }, { thing.a, thing.b, thing.c })
      end)

      it("are removed with their indexes and constraints", function()
        q:addIndex("posts", { "title" })
        q:removeColumn("posts", "title")
        assert.is_nil(q:describeTable("posts").title)
        q:removeColumn("posts", "user_id")
        assert.is_nil(q:describeTable("posts").user_id)
        assert.equal(2, #rows "SELECT * FROM posts")
      end)

      it("are removed with the checks and indexes that speak of them, and no others", function()
        q:addColumn("users", "low", liga.INTEGER)
        q:addColumn("users", "high", liga.INTEGER)
        q:addConstraint("users", { type = "check", name = "in_order", where = { high = Op.gte(liga.col "low") } })
        q:addConstraint("users", { type = "check", name = "not_lower", where = { low = Op.gte(0) } })
        q:addIndex("users", { "name" }, { name = "of_high", where = { high = Op.gt(3) } })
        q:addIndex("users", { "low" }, { name = "of_low", where = { low = Op.gt(3) } })
        q:addIndex("posts", { "title" }, { name = "of_title", where = { title = Op.ne(liga.null) } })
        q:removeColumn("posts", "title")
        q:removeColumn("users", "high")
        local left = {}
        for _, constraint in ipairs(q:showConstraints "users") do left[constraint.name or ""] = true end
        for _, index in ipairs(q:showIndexes "users") do left[index.name] = true end
        assert.same({ nil, true, nil, true }, { left.in_order, left.not_lower, left.of_high, left.of_low })
        local e = support.raises("CheckConstraintError", function()
          q:bulkInsert("users", { { name = "z", low = -1 } })
        end)
        assert.is_nil(e.message:find "the table")
      end)

      it("are renamed, with what speaks of them", function()
        q:renameColumn("users", "name", "nick")
        assert.is_true(q:describeTable("users").nick.unique)
        assert.equal("ann", rows("SELECT nick FROM users ORDER BY id")[1].nick)
      end)
    end)

    describe("indexes", function()
      before_each(users_and_posts)

      it("are added, shown and removed, by name or by columns", function()
        q:addIndex("posts", { "title", { "user_id", order = "DESC" } }, { name = "by title" })
        q:addIndex("posts", { fields = { "user_id" } })
        local shown
        for _, index in ipairs(q:showIndexes("posts")) do
          if index.name == "by title" then shown = index end
        end
        assert.is_false(shown.unique)
        assert.same({ { attribute = "title", order = "ASC" }, { attribute = "user_id", order = "DESC" } }, shown.fields)
        q:removeIndex("posts", "by title")
        q:removeIndex("posts", { "user_id" })
        for _, index in ipairs(q:showIndexes("posts")) do assert.is_true(index.primary) end
        support.raises("UsageError", function() q:removeIndex("posts", "by title") end, "by title")
      end)

      it("may be unique, and over some rows only", function()
        q:addIndex("posts", { "title" }, { unique = true, where = liga.literal("user_id = 1") })
        q:bulkInsert("posts", { { title = "one", user_id = 2 } })
        support.raises("UniqueConstraintError", function()
          q:bulkInsert("posts", { { title = "one", user_id = 1 } })
        end)
      end)
    end)

    it("refuses foreign keys to what is not there", function()
      users_and_posts()
      local function refused(references, ...)
        local key = { type = "foreign key", fields = { "user_id" }, references = references }
        support.raises("UsageError", function() q:addConstraint("posts", key) end, ...)
      end
      local before = #q:showConstraints("posts")
      refused({ table = "user", field = "id" }, "user", "users")
      refused({ table = "users", field = "idd" }, "idd", "id")
      refused({ table = "users", fields = { "id", "name" } }, "as many", "user_id", "id, name")
      assert.equal(before, #q:showConstraints("posts"))
    end)

    describe("a name that is taken", function()
      it("is refused by what would give it again", function()
        users_and_posts()
        local function refused(...) support.raises("UsageError", ...) end
        refused(function() q:addColumn("users", "age", liga.INTEGER) end, "addColumn", "users", "age", "already")
        refused(function() q:renameColumn("users", "age", "name") end, "renameColumn", "users", "name", "already")
        refused(function() q:renameTable("users", "posts") end, "renameTable", "posts", "already")
        q:addIndex("users", { "age" }, { name = "by_age" })
        q:addIndex("users", { "age" }, { name = "by_age" })
        refused(function() q:addIndex("users", { "name" }, { name = "by_age" }) end, "users", "by_age", "already")
        refused(function() q:addIndex("users", { "age" }, { name = "by_age", unique = true }) end, "by_age")
        refused(function() q:addIndex("posts", { "title" }, { name = "by_age" }) end, "users", "by_age")
        local unique = { type = "unique", fields = { "title" }, name = "once" }
        q:addConstraint("posts", unique)
        refused(function() q:addConstraint("posts", unique) end, "posts", "once", "already")
        q:renameColumn("users", "age", "Age")
        assert.is_truthy(q:describeTable("users").Age)
      end)
    end)

    describe("a wrong argument", function()
      local wrong = { print, {}, 5, true, liga.null, setmetatable({ "title" }, { __index = error, __len = error }) }

      it("is told as such", function()
        users_and_posts()
        for _, value in ipairs(wrong) do
          support.raises("UsageError", function() q:removeIndex("posts", { value }) end, "removeIndex")
          support.raises("UsageError", function()
            q:addConstraint("posts", { type = "unique", fields = { value } })
          end, "addConstraint")
          support.raises("UsageError", function()
            q:addConstraint("posts", { type = "unique", fields = { "title" }, name = value })
          end, "addConstraint", "name")
        end
        support.raises("UsageError", function() q:addColumn("posts", "more", nil) end, "addColumn", "type")
        support.raises("UsageError", function() q:changeColumn("posts", "title", nil) end, "changeColumn", "type")
      end)
    end)

    describe("constraints", function()
      before_each(users_and_posts)

      it("are shown with names", function()
        local shown = q:showConstraints("posts")
        local key
        for _, constraint in ipairs(shown) do
          if constraint.type == "FOREIGN KEY" then key = constraint end
        end
        assert.equal("posts_user_id_fkey", key.name)
        assert.same({ "user_id" }, key.columns)
        assert.same({ table = "users", columns = { "id" } }, key.references)
        assert.equal("CASCADE", key.onDelete)
      end)

      it("of every kind are added and removed", function()
        q:addConstraint("posts", { type = "unique", fields = { "title", "user_id" } })
        support.raises("UniqueConstraintError", function()
          q:bulkInsert("posts", { { title = "one", user_id = 1 } })
        end)
        q:removeConstraint("posts", "posts_title_user_id_uk")
        q:bulkInsert("posts", { { title = "one", user_id = 1 } })

        q:addConstraint("posts", { type = "check", where = liga.literal("length(title) > 2"), name = "long_enough" })
        support.raises("CheckConstraintError", function() q:bulkInsert("posts", { { title = "x" } }) end)
        q:removeConstraint("posts", "long_enough")
        q:bulkInsert("posts", { { title = "x" } })
        local e = support.raises("CheckConstraintError", function()
          q:addConstraint("posts", { type = "check", where = liga.literal("length(title) > 2"), name = "long_enough" })
        end, "posts: the check long_enough does not hold")
        assert.equal("posts", e.table)

        q:removeConstraint("posts", "posts_user_id_fkey")
        q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        rows "DELETE FROM posts WHERE user_id = 99"
        q:addConstraint("posts", {
          type = "foreign key", fields = { "user_id" }, references = { table = "users", field = "id" },
          onDelete = "set null",
        })
        support.raises("ForeignKeyConstraintError", function()
          q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        end)
        rows "DELETE FROM users WHERE name = 'ann'"
        assert.equal(0, #rows "SELECT * FROM posts WHERE user_id IS NOT NULL")
        assert.is_true(#rows "SELECT * FROM posts" > 0)
      end)

      it("check conditions as finds have them, by the types of the columns", function()
        q:createTable("seats", {
          id = generated(), taken = liga.BOOLEAN, rank = liga.INTEGER, kind = liga.STRING(10), at = liga.DATE,
        })
        q:addConstraint("seats", { type = "check", fields = { "rank" }, where = { rank = { [Op.gt] = 9 } } })
        q:addConstraint("seats", { type = "check", name = "kinds", where = { kind = { "a", "b's" } } })
        q:addConstraint("seats", {
          type = "check", name = "when", where = { [Op.or_] = { { taken = true }, { at = liga.null } } },
        })
        q:bulkInsert("seats", { { rank = 10, kind = "b's", taken = false } })
        for name, row in pairs {
          seats_rank_ck = { rank = 5 }, kinds = { kind = "c" },
          when = { taken = false, at = "2026-01-01T00:00:00.000Z" },
        } do
          local e = support.raises("CheckConstraintError", function() q:bulkInsert("seats", { row }) end)
          assert.equal(name, e.constraint)
        end
        q:addIndex("seats", { "rank" }, { unique = true, where = { taken = true } })
        q:bulkInsert("seats", { { rank = 11, taken = true }, { rank = 11, taken = false } })
        support.raises("UniqueConstraintError", function() q:bulkInsert("seats", { { rank = 11, taken = true } }) end)
        support.raises("UsageError", function() q:addConstraint("seats", { type = "check" }) end, "where")
        support.raises("UsageError", function()
          q:addConstraint("seats", { type = "check", where = { rnk = 1 } })
        end, "rnk", "rank")
      end)

      it("may reference several columns", function()
        q:createTable("seats", {
          row = { type = liga.INTEGER, primaryKey = true }, place = { type = liga.INTEGER, primaryKey = true },
        })
        q:createTable("tickets", { id = generated(), row = liga.INTEGER, place = liga.INTEGER })
        q:addConstraint("tickets", {
          type = "FOREIGN KEY", fields = { "row", "place" },
          references = { table = "seats", fields = { "row", "place" } },
        })
        support.raises("ForeignKeyConstraintError", function() q:bulkInsert("tickets", { { row = 1, place = 1 } }) end)
        q:bulkInsert("seats", { { row = 1, place = 1 } })
        q:bulkInsert("tickets", { { row = 1, place = 1 } })
      end)

      it("that would be broken are refused, and then nothing has changed", function()
        q:removeConstraint("posts", "posts_user_id_fkey")
        q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        support.raises("ForeignKeyConstraintError", function()
          q:addConstraint("posts", { type = "foreign key", fields = { "user_id" }, references = { table = "users" } })
        end)
        assert.equal(3, #rows "SELECT * FROM posts")
        assert.equal(1, #q:showConstraints("posts"))
      end)

      it("of a wrong type or over unknown columns are UsageErrors", function()
        support.raises("UsageError", function()
          q:addConstraint("posts", { type = "uniqe", fields = { "title" } })
        end, "unique")
        support.raises("UsageError", function() q:addConstraint("posts", { type = "unique", fields = { "titel" } }) end,
          "titel", "title")
        support.raises("UsageError", function() q:removeConstraint("posts", "nothing") end, "nothing")
      end)
    end)

    it("resets the next generated key", function()
      users_and_posts()
      q:resetSequence("users", 50)
      q:bulkInsert("users", { { name = "cid" } })
      assert.equal(50, rows("SELECT max(id) AS id FROM users")[1].id)
      rows "DELETE FROM users WHERE id = 50"
      q:resetSequence("users")
      q:bulkInsert("users", { { name = "dan" } })
      assert.equal(3, rows("SELECT max(id) AS id FROM users")[1].id)
    end)

    it("inserts rows of different columns, all or none", function()
      users_and_posts()
      local more = { { name = "c" }, { name = "d", age = 4 }, { name = "e", age = liga.null } }
      assert.equal(3, q:bulkInsert("users", more))
      assert.equal(5, #rows "SELECT * FROM users")
      support.raises("UniqueConstraintError", function()
        q:bulkInsert("users", { { name = "f", age = 1 }, { name = "c" } })
      end)
      assert.equal(5, #rows "SELECT * FROM users")
      support.raises("UsageError", function() q:bulkInsert("users", { { nmae = "f" } }) end, "nmae", "name")
    end)

    it("takes part in a transaction", function()
      users_and_posts()
      pcall(db.transaction, db, function()
        q:addColumn("users", "mail", liga.STRING)
        q:createTable("more", { id = generated() })
        error "oops"
      end)
      assert.is_nil(q:describeTable("users").mail)
      assert.is_false(q:tableExists("more"))
    end)

    it("works in a transaction that its options name", function()
      users_and_posts()
      local t = db:transaction()
      q:addColumn("users", "mail", liga.STRING, { transaction = t })
      q:createTable("notes", { transaction = liga.STRING }, { transaction = t })
      q:bulkInsert("notes", { { transaction = "x" } }, { transaction = t })
      assert.is_true(q:tableExists("notes", { transaction = t }))
      db:define("Thing", { name = liga.STRING }):sync{ alter = true, transaction = t }
      t:rollback()
      assert.is_nil(q:describeTable("users").mail)
      assert.same({ "posts", "users" }, q:showAllTables())
    end)

    if engine.dialect == "postgres" then
      it("can't switch foreign keys off, and says so", function()
        users_and_posts()
        assert.is_false(q:disableForeignKeyConstraints())
        support.raises("ForeignKeyConstraintError", function()
          q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        end)
        assert.is_false(q:enableForeignKeyConstraints())
      end)
    end

    it("adds an index over an expression, and names the table where a rule is broken", function()
      users_and_posts()
      q:addIndex("users", { liga.fn("lower", liga.col "name"), "age" }, { name = "by_lower", unique = true })
      support.raises("UniqueConstraintError", function() q:bulkInsert("users", { { name = "ANN", age = 30 } }) end)
      q:removeIndex("users", "by_lower")
      local e = support.raises("NotNullConstraintError", function()
        q:addColumn("users", "more", { type = liga.STRING, allowNull = false })
      end, "users.more")
      assert.equal("users", e.table)
    end)

    if engine.dialect == "postgres" then
      it("names what keeps a column from getting another type", function()
        users_and_posts()
        local function refuses(reader)
          local e = support.raises("DatabaseError", function() q:changeColumn("users", "age", liga.BIGINT) end,
            "users.age can't become BIGINT while the " .. reader .. " uses it")
          assert.same({ "users", "age", "rolled_back", "0A000" }, { e.table, e.attribute, e.outcome, e.sqlstate })
        end
        db:query "CREATE VIEW ages AS SELECT age FROM users"
        refuses "view ages"
        db:query "DROP VIEW ages"
        db:query 'CREATE MATERIALIZED VIEW "all Ages" AS SELECT age FROM users'
        refuses 'materialized view "all Ages"'
        db:query 'DROP MATERIALIZED VIEW "all Ages"'
        db:query "ALTER TABLE users ADD older INTEGER GENERATED ALWAYS AS (age + 1) STORED"
        refuses "generated column older"
        db:query "ALTER TABLE users DROP older"
        db:query "CREATE POLICY adults ON users USING (age > 17)"
        refuses "policy adults"
        db:query "DROP POLICY adults ON users"
        q:changeColumn("users", "age", liga.BIGINT)
      end)
    end

    it("adds values to an enum, of which the default may be one", function()
      q:createTable("things", { id = generated(), kind = { type = liga.ENUM { "a", "b" }, defaultValue = "a" } })
      q:bulkInsert("things", { { kind = "b" } })
      q:changeColumn("things", "kind", { type = liga.ENUM { "a", "b", "c" }, defaultValue = "c" })
      db:query "INSERT INTO things (id) VALUES (70)"
      assert.same({ "b", "c" }, support.pluck(rows "SELECT kind FROM things ORDER BY id", "kind"))
    end)

    if engine.dialect == "sqlite" then
      it("makes a table anew where foreign keys are not checked, too", function()
        local unchecked <close> = engine:open{ foreignKeys = false }
        unchecked:query "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT)"
        unchecked:query "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a (id))"
        unchecked:query "CREATE VIEW v AS SELECT x FROM a"
        unchecked:query "INSERT INTO a VALUES (1, 'x')"
        unchecked:queryInterface():changeColumn("a", "x", { type = liga.STRING(10) })
        assert.equal(1, #unchecked:query "SELECT * FROM v")
        assert.truthy(unchecked:query("SELECT sql FROM sqlite_schema WHERE name = 'b'")[1].sql:find "REFERENCES a %(id")
      end)

      it("switches foreign keys off and on", function()
        users_and_posts()
        assert.is_true(q:disableForeignKeyConstraints())
        q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        rows "DELETE FROM posts WHERE user_id = 99"
        assert.is_true(q:enableForeignKeyConstraints())
        support.raises("ForeignKeyConstraintError", function()
          q:bulkInsert("posts", { { title = "y", user_id = 99 } })
        end)
      end)

      it("has no schemas", function()
        support.raises("UsageError", function() q:createSchema("s") end, "SQLite")
        support.raises("UsageError", function() q:dropTable("t", { schema = "s" }) end, "SQLite")
      end)

      it("keeps views, triggers, the sequence and what its text says when a table is made anew", function()
        db:query [[CREATE TABLE things (
          id INTEGER PRIMARY KEY AUTOINCREMENT, -- a comment, with a comma
          [the name] TEXT COLLATE NOCASE CHECK ("the name" <> ','), `size` DECIMAL(5, 2) DEFAULT (1 + 1),
          twice INTEGER GENERATED ALWAYS AS (size * 2) VIRTUAL, parent INTEGER REFERENCES things ON DELETE CASCADE,
          CONSTRAINT "no giants" CHECK (size < 100), UNIQUE ("the name", size))]]
        db:query "CREATE INDEX by_half ON things (size / 2)"
        db:query "CREATE VIEW big AS SELECT * FROM things WHERE size > 10"
        db:query "CREATE TABLE log (what TEXT)"
        db:query [[CREATE TRIGGER noted AFTER INSERT ON things BEGIN INSERT INTO log VALUES (new."the name"); END]]
        q:bulkInsert("things", { { ["the name"] = "a", size = 20 }, { ["the name"] = "b", size = 30, parent = 1 } })
        rows "DELETE FROM things WHERE id = 2"
        q:changeColumn("things", "size", { type = liga.DOUBLE, defaultValue = 5 })
        assert.equal(1, #rows "SELECT * FROM big")
        q:bulkInsert("things", { { ["the name"] = "c", parent = 1 } })
        local row = rows([[SELECT id, size, twice FROM things WHERE "the name" = 'C']])[1]
        assert.same({ id = 3, size = 5.0, twice = 10 }, { id = row.id, size = row.size, twice = row.twice })
        assert.equal(3, #rows "SELECT * FROM log")
        assert.same({ "big", "by_half", "log", "noted", "things" }, names(rows [[
          SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name]]))
        support.raises("CheckConstraintError", function() q:bulkInsert("things", { { ["the name"] = "," } }) end)
        support.raises("CheckConstraintError", function()
          q:bulkInsert("things", { { ["the name"] = "d", size = 100 } })
        end)
        rows "DELETE FROM things WHERE id = 1"
        assert.equal(0, #rows "SELECT * FROM things")
        assert.equal(1, rows("PRAGMA foreign_keys")[1].foreign_keys)
        assert.equal(0, rows("PRAGMA legacy_alter_table")[1].legacy_alter_table)
      end)

      it("does not take a column that a view needs", function()
        users_and_posts()
        db:query "CREATE VIEW names AS SELECT name, age FROM users"
        local ok = pcall(q.removeColumn, q, "users", "age")
        assert.is_false(ok)
        assert.equal(2, #rows "SELECT * FROM names")
        assert.equal(2, #rows "SELECT * FROM posts")
      end)

      it("makes no table anew inside a transaction that others reference", function()
        users_and_posts()
        db:transaction(function()
          support.raises("UsageError", function() q:changeColumn("users", "age", liga.BIGINT) end, "users", "posts")
          q:changeColumn("posts", "title", { type = liga.STRING(99) })
        end)
        assert.equal(2, #rows "SELECT * FROM posts")
        assert.equal("VARCHAR(99)", q:describeTable("posts").title.type)
      end)
    end
  end)
end
