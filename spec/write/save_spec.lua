-- save writes only what changed since load (contract, section 6).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("save on " .. engine.name, function()
    local db, log, User, ann
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER, email = liga.STRING }, { timestamps = false })
      db:sync()
      ann = User:findByPk(User:create{ name = "ann", age = 30, email = "ann@example.org" }.id)
      log:clear()
    end)
    after_each(function() db:close() end)

    local function stored() return User:findByPk(ann.id):toTable() end

    it("writes only the attributes that changed", function()
      ann.age = 31
      ann:save()
      assert.equal(1, #log)
      local sql = log[1].sql
      assert.is_truthy(sql:find("age", 1, true))
      assert.is_nil(sql:find("name", 1, true))
      assert.is_nil(sql:find("email", 1, true))
      assert.equal(31, stored().age)
    end)

    it("leaves alone what another has changed meanwhile in other attributes", function()
      local same = User:findByPk(ann.id)
      same.email = "new@example.org"
      same:save()
      ann.name = "anna"
      ann:save()
      assert.same({ id = ann.id, name = "anna", age = 30, email = "new@example.org" }, stored())
    end)

    it("writes one attribute after another, each in its turn, and several together", function()
      for i, changes in ipairs{
        { name = "b" }, { age = 2 }, { name = "c", age = 3 }, { age = 4 }, { email = liga.null },
        { name = "d", age = 5, email = "e" }, { name = liga.null, age = 6 },
      } do
        ann:set(changes)
        ann:save()
        for attribute, value in pairs(changes) do
          assert.equal(value ~= liga.null and value or nil, stored()[attribute], attribute .. " of change " .. i)
        end
      end
      assert.same({ id = ann.id, age = 6, email = "e" }, stored())
    end)

    it("knows attributes whose names are longer than Lua's short strings", function()
      local long = ("long"):rep(12)
      local Wide = db:define("Wide", { [long] = liga.STRING, name = liga.STRING }, { timestamps = false })
      db:sync()
      local values = { [long] = "a", name = "b" }
      for _, wide in ipairs{ Wide:create(values), Wide:bulkCreate{ values }[1], Wide:build(values):save() } do
        assert.is_nil(wide:changed())
        wide.name = "c"
        wide:save()
        assert.same({ id = wide.id, [long] = "a", name = "c" }, Wide:findByPk(wide.id):toTable())
        wide[long] = "d"
        assert.same({ long }, wide:changed())
        assert.equal("d", Wide:findByPk(wide:save().id)[long])
      end
    end)

    it("sends nothing where nothing changed", function()
      assert.equal(ann, ann:save())
      ann.age = 31
      ann.age = 30
      ann:save()
      assert.same({}, log:statements())
    end)

    it("sends a change once", function()
      ann.age = 31
      ann:save()
      log:clear()
      ann:save()
      assert.same({}, log:statements())
    end)

    it("writes NULL for an attribute that was assigned nil", function()
      ann.email = nil
      ann:save()
      assert.same({ id = ann.id, name = "ann", age = 30 }, stored())
    end)

    it("writes NULL for liga.null, and the key is absent afterwards", function()
      ann.email = liga.null
      ann:save()
      assert.is_nil(rawget(ann, "email"))
      assert.is_nil(stored().email)
    end)

    it("writes a value where NULL was", function()
      ann.email = nil
      ann:save()
      ann.email = "back@example.org"
      ann:save()
      assert.equal("back@example.org", stored().email)
    end)

    it("holds afterwards what a reload would give", function()
      ann.name = 42
      ann.age = "31"
      ann:save()
      assert.equal("42", ann.name)
      assert.equal(31, ann.age)
    end)

    it("can be limited to some fields; the others stay changed", function()
      ann.name = "anna"
      ann.age = 31
      ann:save{ fields = { "name" } }
      assert.same({ id = ann.id, name = "anna", age = 30, email = "ann@example.org" }, stored())
      assert.same({ "age" }, ann:changed())
      ann:save()
      assert.equal(31, stored().age)
    end)

    it("works for instances that one query returned, each for itself", function()
      User:bulkCreate{ { name = "bob", age = 1 }, { name = "cid", age = 2 }, { name = "dee", age = 3 } }
      local rows = User:findAll{ order = { "name" } }
      rows[2].age, rows[4].age = 10, 40
      for _, row in ipairs(rows) do row:save() end
      assert.same({ 30, 10, 2, 40 }, support.pluck(User:findAll{ order = { "name" } }, "age"))
    end)

    it("tracks changes of an instance that was just created", function()
      local bob = User:create{ name = "bob", age = 25 }
      log:clear()
      bob:save()
      assert.same({}, log:statements())
      bob.age = 26
      bob:save()
      assert.equal(1, #log)
      assert.is_nil(log[1].sql:find("name", 1, true))
    end)

    it("refuses a key that is no attribute, and names the nearest", function()
      ann.nmae = "x"
      support.raises("UsageError", function() ann:save() end, "nmae", "name")
    end)

    it("refuses a changed primary key: a row keeps its identity", function()
      ann.id = ann.id + 1
      support.raises("UsageError", function() ann:save() end, "id")
    end)

    it("refuses a value that does not fit, and writes nothing", function()
      ann.name = "anna"
      ann.age = "old"
      support.raises("ValidationError", function() ann:save() end, "age")
      assert.same({}, log:statements())
    end)

    it("raises InstanceError when the row has vanished", function()
      User:destroy{ all = true }
      ann.age = 31
      support.raises("InstanceError", function() ann:save() end, "User")
    end)

    it("raises UsageError naming the setter when an association property was assigned", function()
      local Post = db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      db:sync()
      ann.posts = { Post:create{ title = "x" } }
      support.raises("UsageError", function() ann:save() end, "setPosts")
      support.raises("UsageError", function() ann:set("posts", {}) end, "posts", "association", "setPosts")
      support.raises("UsageError", function() ann:update{ posts = {} } end, "posts", "association", "setPosts")
    end)

    it("names the nearest option for one that it does not know", function()
      support.raises("UsageError", function() ann:save{ silnet = true } end, "silnet", "silent")
    end)

    it("writes everything of a table that borrowed the metatable", function()
      local copy = setmetatable({ id = ann.id, name = "copy", age = 1 }, getmetatable(ann))
      copy:save()
      assert.equal("copy", stored().name)
      assert.equal(1, stored().age)
    end)

    it("can be repeated after it failed", function()
      db:query('CREATE UNIQUE INDEX once ON "Users" ("name")')
      User:create{ name = "bob" }
      ann.name = "bob"
      support.raises("UniqueConstraintError", function() ann:save() end)
      assert.same({ "name" }, ann:changed())
      ann.name = "anna"
      ann:save()
      assert.equal("anna", stored().name)
    end)
  end)
end
