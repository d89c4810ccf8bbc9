-- The record of statements that `logging` receives (contract, section 1).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("logging on " .. engine.name, function()
    local db, log, User

    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = { type = liga.STRING, unique = true } }, { timestamps = false })
      db:sync()
      User:create{ name = "ann" }
      User:create{ name = "bob" }
      log:clear()
    end)
    after_each(function() db:close() end)

    it("reports every statement once, when its answer is there", function()
      User:findAll()
      assert.equal(1, #log)
      assert.is_string(log[1].sql)
      assert.equal("query", log[1].info.kind)
      assert.equal("User", log[1].info.model)
      assert.is_number(log[1].info.ms)
    end)

    it("counts the rows returned", function()
      User:findAll()
      assert.equal(2, log[1].info.rows)
      log:clear()
      User:findAndCountAll()
      local counts = {}
      for _, entry in ipairs(log) do
        if entry.info.kind == "query" then counts[#counts + 1] = entry.info.rows end
      end
      assert.same({ 1, 2 }, counts)
    end)

    it("counts the rows affected", function()
      User:destroy{ where = { name = { "ann", "bob" } } }
      assert.equal(2, log[#log].info.rows)
    end)

    it("hands over the bound values beside the text, never inside it", function()
      User:findAll{ where = { name = "ann" } }
      assert.equal("ann", log[1].info.params[1])
      assert.is_nil(log[1].sql:find("ann", 1, true))
    end)

    it("reports a failed statement with its error", function()
      support.raises("UniqueConstraintError", function() User:create{ name = "ann" } end)
      local failed = {}
      for _, entry in ipairs(log) do
        if entry.info.error then failed[#failed + 1] = entry end
      end
      assert.equal(1, #failed)
      assert.is_truthy(failed[1].sql:upper():find("INSERT", 1, true))
    end)

    it("reports the statements of a transaction as such", function()
      db:transaction(function() User:count() end)
      local control = log:statements("transaction")
      assert.is_truthy(control[1]:upper():find("^BEGIN"))
      assert.is_truthy(control[#control]:upper():find("^COMMIT"))
      assert.equal(1, #log:statements("query"))
    end)

    it("does not wrap a write of one statement in a transaction", function()
      local cid = User:create{ name = "cid" }
      cid.name = "carl"
      cid:save()
      cid:destroy()
      assert.same({}, log:statements("transaction"))
      assert.equal(3, #log:statements("query"))
    end)

    it("does not wrap one statement that writes many rows", function()
      local Place = db:define("Place", { code = { type = liga.STRING, primaryKey = true } })
      Place:sync()
      log:clear()
      Place:bulkCreate{ { code = "a" }, { code = "b" } }
      assert.same({}, log:statements("transaction"))
      assert.equal(2, Place:count())
    end)

    it("reports schema statements as such", function()
      local Post = db:define("Post", { title = liga.STRING })
      Post:sync()
      assert.is_truthy(#log:statements("schema") > 0)
      assert.is_truthy(log:statements("schema")[1]:upper():find("CREATE TABLE", 1, true))
    end)

    it("reports raw queries", function()
      db:query("SELECT 1 AS one")
      assert.same({ "SELECT 1 AS one" }, log:statements("query"))
    end)

    it("can be given for a single call", function()
      local single = support.log()
      User:findAll{ logging = single.record }
      User:findAll()
      assert.equal(1, #single)
    end)
  end)

  describe("a logging function on " .. engine.name, function()
    it("cannot use the connection that it reports on", function()
      local refused, db
      db = engine:open{ logging = function(sql)
        if sql:find("SELECT 1", 1, true) then
          local _, e = pcall(db.query, db, "SELECT 2 AS two")
          refused = e
        end
      end }
      assert.equal(1, db:query("SELECT 1 AS one")[1].one)
      assert.is_true(liga.isError(refused, "UsageError"))
      db:close()
    end)

    it("does not disturb the call when it fails", function()
      local db <close> = engine:open{ logging = function() error("the log is full") end }
      local User = db:define("User", { name = liga.STRING })
      db:sync()
      User:create{ name = "ann" }
      assert.equal("ann", User:findOne().name)
    end)
  end)
end

describe("logging = true", function()
  it("writes statements to standard error, with their rows or that they failed", function()
    local code = "local liga = require [[liga]] local db = liga.connect([[sqlite::memory:]], { logging = true }) "
      .. "db:query [[SELECT 1 AS a]] db:query [[SELECT 1 WHERE 0]] pcall(db.query, db, [[SELECT nope]])"
    local places = ("LUA_PATH='%s' LUA_CPATH='%s'"):format(package.path, package.cpath)
    local pipe <close> = assert(io.popen(("%s lua5.4 -e '%s' 2>&1"):format(places, code)))
    local output = pipe:read "a"
    assert.equal("SELECT 1 AS a  -- ms, 1 row\nSELECT 1 WHERE 0  -- ms, 0 rows\nSELECT nope  -- ms, failed\n",
      (output:gsub("[%d.]+ ms", "ms")))
  end)
end)
