-- Hooks of writes about many rows, and individualHooks (contract, sections 7 and 9).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("the hooks of many rows on " .. engine.name, function()
    local db, User, ran
    before_each(function()
      db, ran = engine:open(), {}
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER })
      db:sync()
      for _, event in ipairs { "BulkCreate", "BulkUpdate", "BulkDestroy", "Create", "Update", "Destroy" } do
        for _, moment in ipairs { "before", "after" } do
          User:addHook(moment .. event, function() ran[#ran + 1] = moment .. event end)
        end
      end
    end)
    after_each(function() db:close() end)

    it("of bulkCreate get the instances, which they may change", function()
      local seen
      User:beforeBulkCreate(function(users, options)
        seen = options.silent
        for _, user in ipairs(users) do user.age = 3 end
      end)
      local rows = User:bulkCreate({ { name = "ann" }, { name = "eva" } }, { silent = true })
      assert.is_true(seen)
      assert.same({ "beforeBulkCreate", "afterBulkCreate" }, ran)
      assert.same({ 3, 3 }, support.pluck(User:findAll(), "age"))
      assert.is_false(rows[1]:isNew())
    end)

    it("of bulkCreate with individualHooks are those of each instance too", function()
      local rows = User:bulkCreate({ { name = "ann" }, { name = "eva" } }, { individualHooks = true })
      assert.same({
        "beforeBulkCreate", "beforeCreate", "afterCreate", "beforeCreate", "afterCreate", "afterBulkCreate",
      }, ran)
      assert.equal(2, User:count())
      assert.same({ "ann", "eva" }, support.pluck(rows, "name"))
    end)

    it("of bulkCreate with individualHooks are left out for rows that are there already", function()
      local Tag = db:define("Tag", { name = { type = liga.STRING, unique = true }, uses = liga.INTEGER })
      db:sync()
      Tag:create { name = "a" }
      for _, name in ipairs { "beforeCreate", "afterCreate" } do
        Tag:addHook(name, function(tag) ran[#ran + 1] = name .. " " .. tag.name end)
      end
      local options = { individualHooks = true, ignoreDuplicates = true }
      local tags = Tag:bulkCreate({ { name = "a" }, { name = "b" } }, options)
      assert.same({ "beforeCreate a", "beforeCreate b", "afterCreate b" }, ran)
      assert.same({ true, false }, { tags[1]:isNew(), tags[2]:isNew() })
      Tag:bulkCreate({ { name = "a", uses = 5 } },
        { individualHooks = true, updateOnDuplicate = { "uses" }, conflictFields = { "name" } })
      assert.equal(5, Tag:findOne { where = { name = "a" } }.uses)
      assert.equal(2, Tag:count())
    end)

    it("before may ask for individualHooks", function()
      for _, name in ipairs { "beforeBulkCreate", "beforeBulkUpdate", "beforeBulkDestroy" } do
        User:addHook(name, function(first, second) (second or first).individualHooks = true end)
      end
      User:bulkCreate { { name = "ann" } }
      User:update({ age = 3 }, { where = { name = "ann" } })
      User:destroy { where = { name = "ann" } }
      assert.same({
        "beforeBulkCreate", "beforeCreate", "afterCreate", "afterBulkCreate",
        "beforeBulkUpdate", "beforeUpdate", "afterUpdate", "afterBulkUpdate",
        "beforeBulkDestroy", "beforeDestroy", "afterDestroy", "afterBulkDestroy",
      }, ran)
      assert.equal(0, User:count())
    end)

    it("run for truncate as for a destroy of all rows", function()
      local seen
      User:beforeBulkDestroy(function(options) seen = options.truncate end)
      User:truncate()
      User:destroy { truncate = true }
      assert.is_true(seen)
      assert.same({ "beforeBulkDestroy", "afterBulkDestroy", "beforeBulkDestroy", "afterBulkDestroy" }, ran)
      User:truncate { hooks = false }
      assert.equal(4, #ran)
      support.raises("UsageError", function() User:truncate { cascaed = true } end, "cascade")
      assert.equal(4, #ran)
    end)

    it("leave built instances unsaved where they fail", function()
      local ann, eva = User:build { name = "ann" }, User:build { name = "eva" }
      User:addHook("afterBulkCreate", "fails", function() error "no" end)
      assert.is_false(pcall(User.bulkCreate, User, { ann, eva }))
      assert.is_true(ann:isNew())
      assert.is_nil(ann.id)
      assert.equal(0, User:count())
      User:removeHook("afterBulkCreate", "fails")
      User:afterCreate(function(user) if user == eva then error "no" end end)
      assert.is_false(pcall(User.bulkCreate, User, { ann, eva }, { individualHooks = true }))
      assert.is_true(ann:isNew() and eva:isNew())
      assert.equal(0, User:count())
    end)

    describe("of update and destroy", function()
      before_each(function()
        User:bulkCreate({ { name = "ann", age = 1 }, { name = "eva", age = 2 } }, { hooks = false })
      end)

      it("get the options, which they may change", function()
        User:beforeBulkUpdate(function(options)
          assert.same({ age = 5 }, options.attributes)
          options.where = { name = "eva" }
          options.attributes.age = 6
        end)
        assert.equal(1, User:update({ age = 5 }, { where = { name = "ann" } }))
        assert.same({ "beforeBulkUpdate", "afterBulkUpdate" }, ran)
        assert.equal(6, User:findOne { where = { name = "eva" } }.age)
        assert.equal(1, User:findOne { where = { name = "ann" } }.age)
      end)

      it("get the same options after as before", function()
        User:beforeBulkUpdate(function(options) options.attributes.age = 6 end)
        local seen
        User:afterBulkUpdate(function(options) seen = options end)
        User:update({ age = 5 }, { where = { name = "ann" }, individualHooks = true })
        assert.same({ { age = 6 }, true, { name = "ann" } }, { seen.attributes, seen.individualHooks, seen.where })
        assert.truthy(seen.transaction)
      end)

      it("of single instances may take the fields of a bulk write out: then all that has changed is written", function()
        User:beforeUpdate(function(user, options)
          options.fields = nil
          user.name = user.name .. "!"
        end)
        User:update({ age = 9 }, { where = { id = User:findOne().id }, individualHooks = true })
        assert.truthy(User:findOne{ where = { age = 9 } }.name:find "!$")
      end)

      it("of destroy get the options", function()
        User:beforeBulkDestroy(function(options) options.where = { name = "eva" } end)
        assert.equal(1, User:destroy { where = { name = "ann" } })
        assert.same({ "beforeBulkDestroy", "afterBulkDestroy" }, ran)
        assert.equal("ann", User:findOne().name)
      end)

      it("with individualHooks load the rows and write each", function()
        User:beforeUpdate(function(user) user.name = user.name .. "!" end)
        local count, rows = User:update({ age = 9 }, { all = true, individualHooks = true, returning = true })
        assert.equal(2, count)
        assert.same({ "ann!", "eva!" }, support.sorted(rows, "name"))
        assert.same({ "ann!", "eva!" }, support.sorted(User:findAll { where = { age = 9 } }, "name"))
        assert.equal(2, User:destroy { where = { age = 9 }, individualHooks = true })
        assert.same({
          "beforeBulkUpdate", "beforeUpdate", "afterUpdate", "beforeUpdate", "afterUpdate", "afterBulkUpdate",
          "beforeBulkDestroy", "beforeDestroy", "afterDestroy", "beforeDestroy", "afterDestroy", "afterBulkDestroy",
        }, ran)
        assert.equal(0, User:count())
      end)

      it("with individualHooks set and write what fields names, in the order of the key", function()
        local seen = {}
        User:update({ age = 1 }, { where = { name = "ann" }, hooks = false })     -- PostgreSQL: now the last row
        User:beforeUpdate(function(user) seen[#seen + 1] = user.name end)
        local options = { all = true, individualHooks = true, returning = true, fields = { "age" } }
        local _, rows = User:update({ age = 9, name = "x" }, options)
        assert.same({ "ann", "eva" }, seen)
        assert.same({ "ann", "eva" }, support.pluck(rows, "name"))
        assert.same({ "ann", "eva" }, support.pluck(User:findAll { where = { age = 9 }, order = "id" }, "name"))
      end)

      it("with individualHooks refuse wrong names and keys, whether there are rows or not", function()
        for _, where in ipairs { { name = "ann" }, { name = "nobody" } } do
          local function update(values)
            return function() User:update(values, { where = where, individualHooks = true }) end
          end
          support.raises("UsageError", update { aeg = 1 }, "aeg", "age")
          support.raises("UsageError", update(5), "number")
          support.raises("UsageError", update { id = 77 }, "id", "individualHooks")
        end
        assert.equal(0, User:count { where = { id = 77 } })
      end)

      it("take everything back where one fails", function()
        User:afterBulkUpdate(function() error "no" end)
        assert.is_false(pcall(User.update, User, { age = 7 }, { all = true }))
        assert.equal(0, User:count { where = { age = 7 } })
        local calls = 0
        User:beforeDestroy(function() calls = calls + 1; if calls == 2 then error "no" end end)
        assert.is_false(pcall(User.destroy, User, { all = true, individualHooks = true }))
        assert.equal(2, User:count())
      end)

      it("are not run for rows that are not named", function()
        support.raises("UsageError", function() User:update({ age = 1 }, {}) end, "where")
        support.raises("UsageError", function() User:destroy { where = {}, individualHooks = true } end, "where")
        support.raises("UsageError", function() User:destroy { wher = { age = 1 } } end, "where")
        assert.same({}, ran)
        assert.equal(2, User:count())
      end)
    end)

    it("refuse an individualHooks that is no boolean", function()
      support.raises("UsageError", function() User:bulkCreate({}, { individualHooks = 1 }) end, "individualHooks")
    end)
  end)

  describe("the hooks of finds on " .. engine.name, function()
    local db, User, Post
    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Post = db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      db:sync()
      User:bulkCreate { { name = "ann" }, { name = "eva" } }
    end)
    after_each(function() db:close() end)

    it("may change the options before", function()
      User:beforeFind(function(options) options.where = { name = "eva" } end)
      assert.same({ "eva" }, support.pluck(User:findAll(), "name"))
      assert.equal("eva", User:findOne().name)
      assert.is_nil(User:findByPk(1))
    end)

    it("never change the caller's options, nor what hangs on them", function()
      User:beforeFind(function(options) options.where.name = "eva" end)
      local options = { where = { name = "ann" } }
      assert.equal("eva", User:findAll(options)[1].name)
      assert.same({ where = { name = "ann" } }, options)
    end)

    it("see the result after", function()
      local seen = {}
      User:afterFind(function(result, options) seen[#seen + 1] = { result, options.limit } end)
      local list = User:findAll { limit = 1 }
      assert.is_true(rawequal(list, seen[1][1]))
      assert.equal(1, seen[1][2])
      local one = User:findByPk(1)
      assert.is_true(rawequal(one, seen[2][1]))
    end)

    it("run in order, once for findAndCountAll", function()
      local ran = {}
      for _, name in ipairs { "beforeFind", "beforeFindAfterExpandIncludeAll", "beforeFindAfterOptions", "afterFind",
        "beforeCount", "afterCount" } do
        User:addHook(name, function() ran[#ran + 1] = name end)
      end
      User:findAll()
      assert.same({ "beforeFind", "beforeFindAfterExpandIncludeAll", "beforeFindAfterOptions", "afterFind" }, ran)
      for i = #ran, 1, -1 do ran[i] = nil end
      local rows, count = User:findAndCountAll { limit = 1 }
      assert.equal(1, #rows)
      assert.equal(2, count)
      assert.equal(6, #ran)
    end)

    it("run for the getters of associations", function()
      local ann = User:findByPk(1)
      ann:createPost { title = "a" }
      ann:createPost { title = "b" }
      local results = 0
      Post:beforeFind(function(options) options.order = { { "title", "DESC" } } end)
      Post:afterFind(function(result) results = results + #result end)
      Post:beforeCount(function(options) options.where = { title = "a" } end)
      assert.same({ "b", "a" }, support.pluck(ann:getPosts(), "title"))
      assert.equal(2, results)
      assert.equal(1, ann:countPosts())
      assert.equal(2, ann:countPosts { hooks = false })
    end)

    it("are not run by explain", function()
      local ran = 0
      User:beforeFind(function() ran = ran + 1 end)
      User:explain()
      assert.equal(0, ran)
    end)

    it("before counts may change the options", function()
      User:beforeCount(function(options) options.where = { name = "ann" } end)
      assert.equal(1, User:count())
      assert.equal(2, User:count { hooks = false })
    end)
  end)
end

for engine in support.engines() do
  describe("the hooks of upsert and findOrCreate on " .. engine.name, function()
    local db, User, ran
    before_each(function()
      db, ran = engine:open(), {}
      User = db:define("User", {
        { "name", liga.STRING, unique = true }, { "age", liga.INTEGER, validate = { min = 0 } },
        { "note", liga.STRING, set = function(_, value) return value:upper() end },
      })
      db:sync()
      for _, event in ipairs { "Upsert", "Create", "Update" } do
        for _, moment in ipairs { "before", "after" } do
          User:addHook(moment .. event, function() ran[#ran + 1] = moment .. event end)
        end
      end
    end)
    after_each(function() db:close() end)

    it("get the values before and the instance after an upsert", function()
      User:beforeUpsert(function(values) values.age = values.age + 1 end)
      local seen
      User:afterUpsert(function(user, _, created) seen = { user, created } end)
      local ann, created = User:upsert { name = "ann", age = 1, note = "x" }
      assert.same({ 2, "X", true }, { ann.age, ann.note, created })
      assert.same({ "beforeUpsert", "afterUpsert" }, ran)
      assert.is_true(rawequal(ann, seen[1]))
      assert.is_true(seen[2])
      support.raises("ValidationError", function() User:upsert { name = "ann", age = -5 } end, "age")
    end)

    it("are those of create where findOrCreate creates", function()
      local ann, created = User:findOrCreate { where = { name = "ann" }, defaults = { note = "x" } }
      assert.same({ true, "X" }, { created, ann.note })
      local again = User:findOrCreate { where = { name = "ann" } }
      assert.equal(ann.id, again.id)
      assert.same({ "beforeCreate", "afterCreate" }, ran)
    end)

    it("after the write are left out where a duplicate is ignored", function()
      User:create({ name = "ann" }, { hooks = false })
      local twin = User:create({ name = "ann" }, { ignoreDuplicates = true })
      assert.is_true(twin:isNew())
      assert.same({ "beforeCreate" }, ran)
    end)
  end)
end
