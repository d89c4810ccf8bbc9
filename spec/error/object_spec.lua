-- What an error tells (contract, section 11).
local liga = require "liga"
local support = require "spec.support"

local function line_here() return debug.getinfo(2, "l").currentline end

for engine in support.engines() do
  describe("an error on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        name = { type = liga.STRING, unique = true }, age = { type = liga.INTEGER, columnName = "years" },
      }, { timestamps = false })
      db:sync()
    end)
    after_each(function() db:close() end)

    local function raised(body)
      local ok, e = pcall(body)
      assert.is_false(ok)
      return e
    end

    it("is told from other values by liga.isError", function()
      local e = raised(function() User:findAll{ were = {} } end)
      assert.is_true(liga.isError(e))
      assert.is_true(liga.isError(e, "UsageError"))
      assert.is_false(liga.isError(e, "ValidationError"))
      for _, other in ipairs { "text", {}, { name = "UsageError", message = "forged" }, 5, true } do
        assert.is_false(liga.isError(other))
      end
      assert.is_false(liga.isError(nil))
    end)

    it("prints as one readable sentence", function()
      local e = raised(function() User:create{ age = "old" } end)
      assert.is_truthy(tostring(e):find(e.message, 1, true))
      assert.is_nil(e.message:find("\n", 1, true))
      assert.equal("oh: " .. tostring(e) .. "!", "oh: " .. e .. "!")
    end)

    it("tells where it was caused, outside of liga", function()
      local line
      local e = raised(function()
        line = line_here() + 1
        User:findAll{ were = {} }
      end)
      assert.is_truthy(e.source:find("object_spec.lua:" .. line .. "$"), e.source)
      assert.is_truthy(tostring(e):find(e.source, 1, true))
    end)

    it("of a value names model and attribute, and holds the value", function()
      local e = support.raises("ValidationError", function() User:create{ age = "old" } end, "User", "age")
      assert.equal("User", e.model)
      assert.equal("age", e.attribute)
      assert.same({ "age" }, e.attributes)
      assert.equal("old", e.value)
    end)

    it("of an attribute that a call can't take names model and attribute", function()
      local ann = User:create{ name = "ann" }
      for attribute, call in pairs {
        name = function() User:increment({ name = 1 }, { all = true }) end,
        age = function() ann:increment{ age = liga.null } end,
        id = function()
          ann.id = 77
          ann:save()
        end,
      } do
        local e = raised(call)
        assert.same({ "UsageError", "User", attribute }, { e.name, e.model, e.attribute })
      end
      local e = raised(function() ann:set("nmae", 1) end)
      assert.same({ "UsageError", "User", "nmae" }, { e.name, e.model, e.path })
    end)

    it("of a declaration names model and attribute", function()
      local e = support.raises("UsageError", function()
        db:define("Pet", { age = { type = liga.INTEGER, alowNull = false } })
      end)
      assert.same({ "Pet", "age", { "age" } }, { e.model, e.attribute, e.attributes })
      assert.equal("alowNull", e.path)
      e = support.raises("UsageError", function() liga.connect("sqlite::memory:", { pool = { mx = 1 } }) end)
      assert.equal("pool.mx", e.path)
      e = support.raises("UsageError", function() db:define("Pet", { ["a.b"] = liga.INTEGER }) end)
      assert.same({ "a.b", { "a.b" } }, { e.attribute, e.attributes })
      e = support.raises("UsageError", function() db:define("Pet", { name = { type = liga.STRING, unique = 5 } }) end)
      assert.same({ "Pet", "name", { "name" } }, { e.model, e.attribute, e.attributes })
    end)

    it("of several values names all their attributes, and holds what was given as it is", function()
      local age = {}
      local function check(e)
        assert.same({ "name", "age" }, e.attributes)
        assert.equal("name", e.attribute)
        assert.equal(print, e.value)
        assert.equal(age, e.errors[2].value)
      end
      check(support.raises("ValidationError", function() User:create{ age = age, name = print } end))
      check(support.raises("ValidationError", function() User:bulkCreate{ { name = print }, { age = age } } end))
      local user = User:create{ name = "ann" }
      user.name, user.age = print, age
      check(support.raises("ValidationError", function() user:save() end))
      check(support.raises("ValidationError", function() User:update({ name = print, age = age }, { all = true }) end))
    end)

    it("of a condition names its path", function()
      local e = support.raises("UsageError", function()
        User:findAll{ where = { { name = "x" }, { aeg = 1 } } }
      end, "aeg", "age")
      assert.is_truthy(tostring(e.path):find("where", 1, true))
    end)

    it("of the database holds the SQL and the engine's code", function()
      local e = support.raises("DatabaseError", function() db:query("SELECT * FROM no_such_table") end, "no_such_table")
      assert.is_truthy(e.sql:find("no_such_table", 1, true))
      assert.is_truthy(e.code or e.sqlstate)
    end)

    it("never shows bound values in its message", function()
      User:create{ name = "s3cret" }
      for _, body in ipairs {
        function() User:create{ name = "s3cret" } end,
        function() User:create{ age = "s3cret" } end,
        function() User:findAll{ where = { age = "s3cret" } } end,
        function() db:query("SELECT * FROM no_such_table WHERE a = $1", { bind = { "s3cret" } }) end,
      } do
        local e = raised(body)
        assert.is_true(liga.isError(e))
        assert.is_nil(e.message:find("s3cret", 1, true), e.message)
        assert.is_nil(tostring(e):find("s3cret", 1, true), tostring(e))
      end
    end)

    if engine.dialect == "postgres" then
      it("never shows one that the server took for a name, and wrote in small letters", function()
        for _, type in ipairs { "regclass", "regtype" } do
          local e = support.raises("DatabaseError", function()
            db:query("SELECT $1::" .. type, { bind = { "MySecret" } })
          end, "does not exist")
          assert.is_nil(e.message:lower():find("secret", 1, true), e.message)
        end
      end)
    end

    it("tells that nothing became of a write that was refused", function()
      assert.is_true(raised(function() User:create{ age = "old" } end).outcome ~= "committed")
      User:create{ name = "ann" }
      local e = support.raises("UniqueConstraintError", function() User:create{ name = "ann" } end)
      assert.is_true(e.outcome == "none" or e.outcome == "rolled_back", tostring(e.outcome))
      assert.is_falsy(e.retryable)
    end)

    it("tells alike, in a transaction too, that a write found no row", function()
      local Post = db:define("Post", {})
      User:hasMany(Post)
      db:sync()
      local ann, post = User:create{ name = "ann" }, Post:create{}
      Post:destroy{ where = { id = post.id } }
      local function outcome(name, body) return support.raises(name, body).outcome end
      assert.equal("none", outcome("InstanceError", function() ann:addPost(post) end))
      db:transaction(function()
        assert.equal("none", outcome("InstanceError", function() ann:addPost(post) end))
        assert.equal("rolled_back", outcome("UniqueConstraintError", function() User:create{ name = "ann" } end))
      end)
    end)
  end)
end

describe("an error about an URL", function()
  it("never shows its password", function()
    for _, body in ipairs {
      function() liga.connect("postgres://ann:s3cret@localhost:5432/shop", { loging = print }) end,
      function() liga.connect("mysql://ann:s3cret@localhost/shop") end,
    } do
      local ok, e = pcall(body)
      assert.is_false(ok)
      assert.is_true(liga.isError(e))
      assert.is_nil(e.message:find("s3cret", 1, true))
      assert.is_nil(tostring(e):find("s3cret", 1, true))
    end
  end)
end)
