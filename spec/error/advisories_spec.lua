-- The payloads of published advisories against other ORMs, in every place where they could do harm: inert data, or an
-- error before anything is sent (contract, section 11). Every payload carries a mark that must never stand in the SQL.
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

local MARK = "h4ck"

--- Texts that broke somebody's quoting, by the advisory.
local TEXTS = {
  ["Sequelize CVE-2015-1369"] = "id; DELETE FROM \"Secrets\" WHERE '%s' = '%s' --",
  ["Sequelize CVE-2016-10553"] = "1=1 OR '%s' = '%s'",
  ["Sequelize CVE-2019-10748"] = "a')) AS DECIMAL) = 1 DELETE YOLO INJECTIONS; -- %s",
  ["Sequelize CVE-2019-10749"] = "$.\"%s') OR 1=1 -- \"",
  ["Sequelize CVE-2019-10752"] = "data.id')) AS DECIMAL) = 1 UNION SELECT 1 -- %s",
  ["Sequelize GHSA-2777-2vq8-c4v4"] = "\\'; DELETE FROM \"Secrets\"; -- %s",
  ["Sequelize CVE-2023-22578"] = "count(%s)",
  ["Sequelize CVE-2023-25813"] = "%s' OR 1=1 -- :name ? $1 $name",
  ["Sequelize CVE-2026-30951"] = "role::text) or 1=1--%s",
  ["Knex CVE-2019-10757"] = "%s] ; DELETE FROM [Secrets] --",
  ["TypeORM CVE-2022-33171"] = "%s\" OR 1=1) --",
  ["TypeORM GHSA-w7q7-vjp8-7jv4"] = "%s\" = 1 OR 1=1 OR \"name",
  ["TypeORM GHSA-9ggv-8w38-r7pm"] = "ASC, (SELECT '%s' FROM \"Secrets\")",
  ["Kysely CVE-2026-32763"] = "%s' || (SELECT secret FROM \"Secrets\") || '",
  ["Kysely CVE-2026-33442"] = "%s\\\\' OR 1=1 --",
  ["Kysely CVE-2026-44635"] = "role[0].%s.*",
  ["MikroORM CVE-2026-44680"] = "%s\"; DELETE FROM \"Secrets\"; --",
  ["Drizzle CVE-2026-39356"] = "%s`\"\"`; DELETE FROM Secrets; --",
  ["Django CVE-2021-35042"] = "name); DELETE FROM \"Secrets\"; -- %s",
  ["Django CVE-2022-28346"] = "crafted_alias\" FROM \"Secrets\"; -- %s",
  ["Django CVE-2022-28347"] = "FORMAT JSON) DELETE FROM \"Secrets\"; -- %s",
  ["Django CVE-2024-42005"] = "meta__key\" = '%s' OR 1=1 --",
  ["Django CVE-2025-13372"] = "posts.%s\".\"secret",
  ["Django CVE-2025-57833"] = "%s\" ON 1=1 --",
  ["Django CVE-2025-59681"] = "%s` FROM `Secrets` -- \"",
  ["Django CVE-2026-1207"] = "0); DELETE FROM \"Secrets\"; -- %s",
  ["Django CVE-2026-1287"] = "%s\n; DELETE FROM \"Secrets\" --\t",
  ["Django CVE-2026-1312"] = "users.%s\" DESC, \"id",
  ["Rails CVE-2014-0080"] = "\\\",%s}'); DELETE FROM \"Secrets\"; --",
  ["Rails CVE-2014-3483"] = "[1,%s' OR 1=1 --)",
  ["Rails CVE-2023-22794"] = "*/ DELETE FROM \"Secrets\"; /* %s",
  ["SQLAlchemy CVE-2019-7164"] = "if(1=1, id, '%s')",
  ["SQLAlchemy CVE-2019-7548"] = "count(*), '%s' FROM \"Secrets\" --",
  ["pgx GHSA-j88v-2chj-qfwx"] = "$$; DELETE FROM \"Secrets\"; -- %s $tag$",
  ["pgjdbc CVE-2024-1597"] = "-%s\n, ?); DELETE FROM \"Secrets\"; --",
  ["libpq CVE-2025-1094"] = "%s\xc0'; DELETE FROM \"Secrets\"; --",
}

--- Tables as JSON decodes them, by the advisory.
local TABLES = {
  ["Sequelize operators"] = [[{"$gt": "%s"}]],
  ["Sequelize CVE-2016-10556"] = [==[["%s", ["') OR 1=1 --"]]]==],
  ["Sequelize CVE-2023-22579"] = [[{"toString": "%s", "val": "1=1"}]],
  ["Knex CVE-2016-20018"] = [[{"name": {"id": "%s"}}]],
  ["TypeORM CVE-2025-60542"] = [[{"id": {"name": "%s", "age": 1}}]],
  ["MikroORM CVE-2026-34220"] = [[{"__raw": true, "sql": "1=1 OR '%s'", "params": []}]],
  ["Prisma operators"] = [[{"not": "%s", "mode": "insensitive"}]],
  ["Django CVE-2025-64459"] = [[{"_connector": "OR 1=1 -- %s", "_negated": true}]],
  ["Rails CVE-2012-2661"] = [[{"Secrets": {"secret": "%s"}}]],
  ["Rails CVE-2013-0155"] = [==[[null, "%s"]]==],
  ["a literal"] = [[{"literal": "%s", "type": "literal"}]],
  ["a function"] = [[{"fn": "load_extension", "args": ["%s"]}]],
  ["a prototype"] = [[{"__proto__": {"%s": 1}, "__index": {"%s": 1}}]],
}

for engine in support.engines() do
  describe("an advisory's payload on " .. engine.name, function()
    local db, log, User, Post, Secret
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.TEXT, age = liga.INTEGER, meta = liga.JSON }, { timestamps = false })
      Post = db:define("Post", { title = liga.TEXT }, { timestamps = false })
      Secret = db:define("Secret", { secret = liga.TEXT }, { timestamps = false })
      User:hasMany(Post)
      db:sync()
      User:create{ name = "ann", age = 30, meta = { role = "user" } }:createPost{ title = "p" }
      Secret:create{ secret = "classified" }
      log:clear()
    end)
    after_each(function() db:close() end)

    --- Every place where a foreign value or name can get in. Some refuse it, some take it as data: none finds a row
    -- that the payload does not describe.
    local function places(payload)
      return {
        ["where value"] = function() return User:findAll{ where = { name = payload } } end,
        ["where integer"] = function() return User:findAll{ where = { age = payload } } end,
        ["where key"] = function() return User:findAll{ where = { [payload] = 1 } } end,
        ["where itself"] = function() return User:findAll{ where = payload } end,
        ["where path"] = function() return User:findAll{ where = { ["posts." .. tostring(payload)] = 1 } } end,
        ["where list"] = function() return User:findAll{ where = { name = { payload } } } end,
        ["operand"] = function() return User:findAll{ where = { name = Op.like(payload) } } end,
        ["JSON key"] = function() return User:findAll{ where = { meta = { [payload] = 1 } } } end,
        ["JSON value"] = function() return User:findAll{ where = { meta = { role = payload } } } end,
        ["JSON path"] = function() return User:findAll{ where = { [liga.json("meta", payload)] = 1 } } end,
        ["JSON name"] = function() return User:findAll{ where = { ["meta." .. tostring(payload)] = 1 } } end,
        ["JSON contains"] = function()
          return User:findAll{ where = { meta = Op.contains { [tostring(payload)] = 1 } } }
        end,
        ["order"] = function() User:findAll{ order = { payload } } end,
        ["order direction"] = function() User:findAll{ order = { { "name", payload } } } end,
        ["order JSON"] = function() User:findAll{ order = { liga.json("meta", payload) } } end,
        ["attributes"] = function() User:findAll{ attributes = { payload } } end,
        ["aliased"] = function() User:findAll{ attributes = { { payload, "x" } } } end,
        ["group"] = function() User:count{ group = { payload } } end,
        ["include"] = function() User:findAll{ include = { payload } } end,
        ["include where"] = function()
          return User:findAll{ include = { { association = "posts", where = { title = payload } } } }
        end,
        ["limit"] = function() User:findAll{ limit = payload } end,
        ["offset"] = function() User:findAll{ offset = payload } end,
        ["lock"] = function() User:findAll{ lock = payload } end,
        ["findByPk"] = function() return { User:findByPk(payload) } end,
        ["findOrBuild"] = function() User:findOrBuild{ where = { [payload] = 1 } } end,
        ["sum"] = function() User:sum(payload) end,
        ["fn"] = function() User:findAll{ attributes = { { liga.fn(payload, 1), "x" } } } end,
        ["cast"] = function() User:findAll{ attributes = { { liga.cast(1, payload), "x" } } } end,
        ["col"] = function() User:findAll{ attributes = { { liga.col(payload), "x" } } } end,
        ["update key"] = function() User:update({ [payload] = 1 }, { all = true }) end,
        ["update where"] = function() User:update({ age = 1 }, { where = payload }) end,
        ["destroy where"] = function() User:destroy{ where = payload } end,
        ["conflictFields"] = function()
          User:bulkCreate({ {} }, { ignoreDuplicates = true, conflictFields = { payload } })
        end,
        ["updateOnDuplicate"] = function() User:bulkCreate({ {} }, { updateOnDuplicate = { payload } }) end,
        ["upsert key"] = function() User:upsert{ [payload] = 1 } end,
        ["returning"] = function()
          User:update({ age = 30 }, { where = { id = -1 }, returning = { payload } })
        end,
        ["fields"] = function() User:create({ name = "x" }, { fields = { payload } }) end,
        ["isolation"] = function() db:transaction({ isolation = payload }, function() end) end,
        ["scope"] = function() User:scope(payload) end,
        ["association"] = function() User:association(payload) end,
      }
    end

    local function harmless(name, payload)
      for place, body in pairs(places(payload)) do
        log:clear()
        local ok, result = pcall(body)
        assert.is_true(ok or liga.isError(result), ("%s in %s: %s"):format(name, place, tostring(result)))
        if ok and result then assert.same({}, result, ("%s in %s finds rows"):format(name, place)) end
        for _, sql in ipairs(log:statements()) do
          assert.is_nil(sql:find(MARK, 1, true), ("%s in %s is in the SQL: %s"):format(name, place, sql))
          assert.is_nil(sql:find("Secrets", 1, true), ("%s in %s reads another table: %s"):format(name, place, sql))
        end
      end
      assert.equal(1, Secret:count())
      local ann = User:findOne{ where = { name = "ann" } }
      assert.same({ 30, "user" }, { ann.age, ann.meta.role })
      assert.equal(1, User:count())
    end

    for name, text in pairs(TEXTS) do
      it("does no harm: " .. name, function() harmless(name, (text:gsub("%%s", MARK))) end)
    end

    for name, text in pairs(TABLES) do
      it("does no harm: " .. name, function() harmless(name, liga.json.decode((text:gsub("%%s", MARK)))) end)
    end

    it("comes back as it was where it is data", function()
      for name, text in pairs(TEXTS) do
        local payload = text:gsub("%%s", MARK)
        if utf8.len(payload) then
          local user = User:create{ name = payload, meta = { [payload] = payload } }
          local read = User:findOne{ where = { name = payload, meta = { [payload] = payload } } }
          assert.equal(user.id, read.id, name)
          assert.equal(payload, read.name, name)
          assert.is_false(select(2, User:findOrCreate{ where = { name = payload } }), name)
        end
      end
      assert.equal(1, Secret:count())
    end)

    it("stays a value in replacements and binds, which are never looked through again (CVE-2023-25813)", function()
      local rows = db:query("SELECT :a AS a, :b AS b",
        { replacements = { a = ":b ? $1", b = "' OR 1=1 --" } })
      assert.same({ a = ":b ? $1", b = "' OR 1=1 --" }, rows[1])
      rows = db:query("SELECT $1 AS a, $2 AS b", { bind = { "$2", "'$1" } })
      assert.same({ a = "$2", b = "'$1" }, rows[1])
      assert.equal(0, #db:query("SELECT 1 AS a WHERE 'x' IN (?)", { replacements = { { "y", "') OR 1=1 --" } } }))
      for _, wrong in ipairs { { { { "x" } } }, { { a = 1 } }, { function() end } } do
        assert.is_true(liga.isError(select(2, pcall(db.query, db, "SELECT ? AS a", { replacements = wrong }))))
      end
      support.raises("UsageError", function() db:query "SELECT 1; DELETE FROM \"Secrets\"" end)
      assert.equal(1, Secret:count())
    end)

    it("is no operator before a parameter: a minus and a negative number (pgx CVE-2024-27289, pgjdbc CVE-2024-1597)",
      function()
        local hostile = "\n, 1); DELETE FROM \"Secrets\"; --"
        local row = db:query("SELECT 1-$1 AS n, CAST($2 AS TEXT) AS t", { bind = { -1, hostile } })[1]
        assert.same({ n = 2, t = hostile }, row)
        row = db:query("SELECT 1-? AS n, CAST(? AS TEXT) AS t", { replacements = { -1, hostile } })[1]
        assert.same({ n = 2, t = hostile }, row)
        assert.equal(1, User:count{ where = liga.sql("1-? = 2 AND ? <> ''", -1, hostile) })
        assert.equal(1, Secret:count())
      end)

    it("is told nobody by an error (Sequelize CVE-2023-22580)", function()
      User:create{ id = 77, name = MARK }
      for _, body in ipairs {
        function() User:create{ id = 77, name = MARK } end, function() User:create{ name = "x", age = MARK } end,
        function() User:findAll{ where = { age = MARK } } end, function() User:findByPk(MARK) end,
        function() db:query("SELECT * FROM nothing WHERE name = $1", { bind = { MARK } }) end,
      } do
        local ok, e = pcall(body)
        assert.is_true(not ok and liga.isError(e))
        assert.is_nil(tostring(e):find(MARK, 1, true), tostring(e))
      end
    end)

    it("is never run, whatever a row holds (Rails CVE-2022-32224)", function()
      local code = "os.exit(1)"
      User:create{ name = code, meta = { code = code, __index = code } }
      db:query('UPDATE "Users" SET name = $1 WHERE name = $2', { bind = { "\27Lua", code } })
      local found = User:findOne{ where = { meta = { code = code } } }
      assert.equal("\27Lua", found.name)
      assert.is_nil(getmetatable(found.meta))
      for _, cursor in ipairs { code, "return 1", "\27Lua", "e30=", "{}" } do
        support.raises("UsageError", function() User:page{ order = { "id" }, size = 1, after = cursor } end)
      end
    end)

    it("in names and comments stays data in the code that reflect writes (TypeORM CVE-2026-73651)", function()
      local hostile = [=[x]] .. error("run") --[[ "]==] \' ]=] .. "\n error('run')"
      db:query(([[CREATE TABLE "%s" (id INTEGER PRIMARY KEY, "%s" VARCHAR(9) DEFAULT '%s')]]):format(
        (hostile:gsub('"', '""'):sub(1, 50)), (hostile:gsub('"', '""'):sub(1, 40)), (hostile:gsub("'", "''"))))
      if engine.dialect == "postgres" then
        db:query(([[COMMENT ON TABLE "Secrets" IS '%s']]):format((hostile:gsub("'", "''"))))
      end
      local other <close> = engine:reopen()
      local source = liga.reflect.source(engine.kind == "memory" and db or other)
      local declare = assert(load(source, "=source", "t"))()
      local fresh <close> = engine.kind == "memory" and liga.connect "sqlite::memory:" or engine:reopen()
      declare(fresh)
      assert.equal("Secrets", fresh:model("Secret").tableName)
    end)

    if engine.dialect == "postgres" then
      it("in arrays and ranges stays an element (Rails CVE-2014-0080, CVE-2014-3483)", function()
        local Thing = db:define("Thing", { list = liga.ARRAY(liga.TEXT), range = liga.RANGE(liga.INTEGER) },
          { timestamps = false })
        Thing:sync()
        for name, text in pairs(TEXTS) do
          local payload = text:gsub("%%s", MARK)
          if utf8.len(payload) then
            local thing = Thing:create{ list = { payload, "x" } }
            assert.same({ payload, "x" }, Thing:findByPk(thing.id).list, name)
            assert.equal(1, Thing:count{ where = { list = Op.contains { payload } } }, name)
            assert.is_false((pcall(Thing.create, Thing, { range = payload })), name)
          end
        end
        assert.equal(1, Secret:count())
      end)
    end

    if engine.dialect == "sqlite" then
      it("in odd statements of SQLite's own ends in an error or an answer (Sequelize GHSA-fw4p-36j9-rrj3)", function()
        for _, sql in ipairs {
          "PRAGMA", "PRAGMA ;", "PRAGMA table_info", "PRAGMA table_info()", "PRAGMA table_info(", "PRAGMA x.y(z)",
          'PRAGMA table_info("Secrets") -- \'', "pragma INDEX_LIST(`Secrets`)", "PRAGMA foreign_key_list(Nobody)",
          "EXPLAIN", "EXPLAIN QUERY PLAN SELECT 1", "ATTACH ':memory:' AS x; DETACH x", "VALUES (1), (2)", "REINDEX",
          "ANALYZE", "(", "';",
          "PRAGMA/**/journal_mode", "SELECT/**/1/**/;/**/", "WITH x AS (SELECT 1) SELECT * FROM x", "\0", "SELECT 1\0",
        } do
          local ok, result = pcall(db.query, db, sql)
          assert.is_true(ok or liga.isError(result), sql)
        end
        assert.equal(1, Secret:count())
      end)
    end

    it("is no condition where it is nothing: nil never means every row (CVE-2023-22579)", function()
      local request = {}
      support.raises("UsageError", function() User:destroy{ where = { id = request.id } } end)
      support.raises("UsageError", function() User:update({ age = 1 }, { where = { id = request.id } }) end)
      support.raises("UsageError", function() User:findByPk(request.id) end)
      support.raises("UsageError", function() User:findOrCreate{ where = { id = request.id } } end)
      support.raises("UsageError", function() User:destroy{ where = { {}, { [Op.and_] = {} } } } end)
      assert.equal(1, User:count())
    end)

    it("of numbers stays in the column's range (Rails CVE-2022-44566)", function()
      for _, number in ipairs { 2 ^ 53 + 2 ^ 40, math.maxinteger, 1e300, -2 ^ 63 } do
        local ok, result = pcall(User.findAll, User, { where = { age = number } })
        assert.is_true(ok and #result == 0 or liga.isError(result, "ValidationError"), tostring(result))
      end
    end)
  end)
end
