-- bulkCreate and create where rows may be there already: ignoreDuplicates, updateOnDuplicate (contract, section 7).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

for engine in support.engines() do
  describe("duplicates on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", {
        email = { type = liga.STRING, unique = true }, name = liga.STRING, age = liga.INTEGER, meta = liga.JSON,
      })
      db:sync()
      User:bulkCreate{ { email = "ann@x", name = "ann", age = 30 }, { email = "bob@x", name = "bob", age = 40 } }
    end)
    after_each(function() db:close() end)

    local function emails() return support.sorted(User:findAll(), "email") end

    describe("ignoreDuplicates", function()
      it("leaves out rows whose key is there, and these stay unsaved", function()
        local rows = User:bulkCreate({ { email = "cid@x" }, { email = "ann@x", name = "other" }, { email = "dan@x" } },
          { ignoreDuplicates = true })
        assert.same({ "cid@x", "ann@x", "dan@x" }, support.pluck(rows, "email"))
        assert.same({ false, true, false }, { rows[1]:isNew(), rows[2]:isNew(), rows[3]:isNew() })
        assert.is_nil(rows[2].id)
        for _, place in ipairs { 1, 3 } do assert.equal(rows[place].email, User:findByPk(rows[place].id).email) end
        assert.same({ "ann@x", "bob@x", "cid@x", "dan@x" }, emails())
        assert.equal("ann", User:findOne{ where = { email = "ann@x" } }.name)
      end)

      it("counts rows of the list as duplicates of each other", function()
        local rows = User:bulkCreate({ { email = "cid@x", name = "1" }, { email = "cid@x", name = "2" } },
          { ignoreDuplicates = true })
        assert.is_false(rows[1]:isNew())
        assert.is_true(rows[2]:isNew())
        assert.equal("1", User:findOne{ where = { email = "cid@x" } }.name)
      end)

      it("keeps built instances themselves, saved or not", function()
        local ann, cid = User:build{ email = "ann@x" }, User:build{ email = "cid@x" }
        local rows = User:bulkCreate({ ann, cid }, { ignoreDuplicates = true })
        assert.is_true(rawequal(ann, rows[1]) and rawequal(cid, rows[2]))
        assert.is_true(ann:isNew())
        assert.is_false(cid:isNew())
        assert.is_nil(cid:changed())
        ann.email = "ann2@x"
        assert.is_false(ann:save():isNew())
      end)

      it("can be limited to one key", function()
        local rows = User:bulkCreate({ { email = "ann@x" } }, { ignoreDuplicates = true, conflictFields = { "email" } })
        assert.is_true(rows[1]:isNew())
        local id = User:findOne{ where = { email = "ann@x" } }.id
        support.raises("UniqueConstraintError", function()
          User:bulkCreate({ { id = id, email = "new@x" } }, { ignoreDuplicates = true, conflictFields = { "email" } })
        end)
      end)

      it("never hides other errors", function()
        local Post = db:define("Post", { title = { type = liga.STRING(5), allowNull = false } })
        db:sync()
        support.raises("ValidationError", function() Post:bulkCreate({ {} }, { ignoreDuplicates = true }) end)
      end)

      it("works with values that the database computes", function()
        local rows = User:bulkCreate({
          { email = "cid@x", age = liga.fn("abs", -3) }, { email = "ann@x", age = liga.fn("abs", -4) },
        }, { ignoreDuplicates = true })
        assert.equal(3, rows[1].age)
        assert.is_true(rows[2]:isNew())
        assert.equal(rows[1].email, User:findByPk(rows[1].id).email)
      end)

      it("tells of thousands of rows which were left out, a thousand in a statement on a server", function()
        local values, log = {}, support.log()
        for i = 1, 6000 do values[i] = { email = "e" .. i, name = i % 3 == 0 and liga.null or "n", age = i } end
        for i = 1, 6000, 7 do User:create{ email = "e" .. i, name = "there" } end
        local rows = User:bulkCreate(values, { ignoreDuplicates = true, logging = log.record })
        if engine.kind == "server" then assert.is_true(#log <= 6 + 3, #log) end
        local ids = {}
        for i, row in ipairs(rows) do
          assert.equal(i % 7 == 1, row:isNew(), i)
          assert.equal(i % 7 == 1, row.id == nil, i)
          if row.id then ids[row.id] = i end
        end
        for _, row in ipairs(User:findAll{ where = { age = Op.gt(0), email = Op.startsWith "e" } }) do
          local place = assert(ids[row.id])
          assert.equal("e" .. place, row.email)
          assert.equal(place, row.age)
          assert.same(row:toTable(), rows[place]:toTable())
        end
      end)

      it("tells rows apart that hold the same, and those that a trigger changes", function()
        local Note = db:define("Note", { text = liga.STRING, tag = { type = liga.STRING, unique = true } },
          { timestamps = false })
        db:sync()
        local rows = Note:bulkCreate({ { text = "a" }, { text = "a" }, { tag = "x" }, { tag = "x" }, { text = "a" } },
          { ignoreDuplicates = true })
        local new = {}
        for i, row in ipairs(rows) do new[i] = row:isNew() end
        assert.same({ false, false, false, true, false }, new)
        assert.equal(4, Note:count())
        if engine.dialect ~= "postgres" then return end
        db:query [[CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN NEW.tag := upper(NEW.tag); RETURN NEW; END']]
        db:query [[CREATE TRIGGER shouts BEFORE INSERT ON "Notes" FOR EACH ROW EXECUTE FUNCTION shout()]]
        rows = Note:bulkCreate({ { tag = "y" }, { tag = "Y" }, { tag = "z" } }, { ignoreDuplicates = true })
        assert.same({ false, true, false }, { rows[1]:isNew(), rows[2]:isNew(), rows[3]:isNew() })
        assert.equal("Y", Note:findByPk(rows[1].id).tag)
        assert.is_nil(rows[2].id)
        assert.equal("Z", Note:findByPk(rows[3].id).tag)
      end)

      it("is an option of create as well", function()
        assert.is_true(User:create({ email = "ann@x" }, { ignoreDuplicates = true }):isNew())
        local cid = User:create({ email = "cid@x" }, { ignoreDuplicates = true, conflictFields = { "email" } })
        assert.is_false(cid:isNew())
        assert.equal("cid@x", User:findByPk(cid.id).email)
      end)
    end)

    describe("updateOnDuplicate", function()
      it("updates the attributes it lists, and gives the rows as they then are", function()
        local before = User:findOne{ where = { email = "ann@x" } }
        local rows = User:bulkCreate({ { email = "ann@x", name = "Ann", age = 1 }, { email = "cid@x", name = "cid" } },
          { updateOnDuplicate = { "name" } })
        assert.equal(before.id, rows[1].id)
        assert.equal("Ann", rows[1].name)
        assert.equal(30, rows[1].age)
        assert.equal(before.createdAt, rows[1].createdAt)
        assert.is_nil(rows[1]:changed())
        for _, row in ipairs(rows) do assert.same(User:findByPk(row.id):toTable(), row:toTable()) end
        assert.equal(3, User:count())
      end)

      it("touches updatedAt, unless silent", function()
        User:update({ updatedAt = "2020-01-01T00:00:00Z" }, { all = true, silent = true })
        User:bulkCreate({ { email = "ann@x", name = "A" } }, { updateOnDuplicate = { "name" }, silent = true })
        assert.equal("2020-01-01T00:00:00.000Z", User:findOne{ where = { email = "ann@x" } }.updatedAt)
        User:bulkCreate({ { email = "ann@x", name = "B" } }, { updateOnDuplicate = { "name" } })
        assert.not_equal("2020-01-01T00:00:00.000Z", User:findOne{ where = { email = "ann@x" } }.updatedAt)
      end)

      it("goes by the primary key where it is given", function()
        local id = User:findOne{ where = { email = "ann@x" } }.id
        local rows = User:bulkCreate({ { id = id, email = "new@x" } }, { updateOnDuplicate = { "email" } })
        assert.equal("new@x", rows[1].email)
        assert.equal("ann", rows[1].name)
      end)

      it("goes by conflictFields where these are given", function()
        local id = User:findOne{ where = { email = "ann@x" } }.id
        local row = User:bulkCreate({ { id = id + 1000, email = "ann@x", name = "Ann" } },
          { updateOnDuplicate = { "name" }, conflictFields = { "email" } })[1]
        assert.equal(id, row.id)
        assert.equal("Ann", row.name)
      end)

      it("takes the last of several rows with one key", function()
        local rows = User:bulkCreate({ { email = "cid@x", age = 1 }, { email = "cid@x", age = 2 } },
          { updateOnDuplicate = { "age" } })
        assert.equal(rows[1].id, rows[2].id)
        assert.equal(2, User:findOne{ where = { email = "cid@x" } }.age)
      end)

      it("takes thousands of rows, each of which gets its own answer", function()
        local values = {}
        for i = 1, 2100 do values[i] = { email = "e" .. i, name = "n" .. i, age = i } end
        User:bulkCreate{ values[5], values[1999] }
        User:update({ meta = { kept = true } }, { where = { email = { "e5", "e1999" } } })
        values[7].email = nil
        local rows = User:bulkCreate(values, { updateOnDuplicate = { "name" } })
        assert.equal(2102, User:count())
        for i = 1, 2100, 7 do
          local stored = User:findByPk(rows[i].id)
          assert.equal("n" .. i, stored.name)
          assert.same(stored:toTable(), rows[i]:toTable())
        end
        assert.same({ kept = true }, rows[5].meta)
        assert.same({ kept = true }, rows[1999].meta)
        values[2100].email = "e1"
        rows = User:bulkCreate(values, { updateOnDuplicate = { "age" } })
        assert.equal(rows[1].id, rows[2100].id)
      end)

      it("works with composite keys and JSON", function()
        local Stock = db:define("Stock", {
          shop = { type = liga.INTEGER, primaryKey = true }, sku = { type = liga.STRING, primaryKey = true },
          info = liga.JSON,
        })
        db:sync()
        Stock:create{ shop = 1, sku = "a", info = { n = 1 } }
        local rows = Stock:bulkCreate({ { shop = 1, sku = "a", info = { n = 2 } }, { shop = 1, sku = "b" } },
          { updateOnDuplicate = { "info" } })
        assert.same({ n = 2 }, rows[1].info)
        assert.same({ n = 2 }, Stock:findByPk{ 1, "a" }.info)
        assert.is_nil(rows[1]:changed())
        assert.equal(2, Stock:count())
      end)

      it("names a partial unique index by its condition", function()
        local Seat = db:define("Seat", { place = liga.STRING, taken = liga.BOOLEAN, who = liga.STRING },
          { indexes = { { fields = { "place" }, unique = true, where = { taken = true } } } })
        db:sync()
        Seat:bulkCreate{ { place = "1A", taken = true, who = "ann" }, { place = "1A", taken = false, who = "bob" } }
        local row = Seat:bulkCreate({ { place = "1A", taken = true, who = "cid" } },
          { updateOnDuplicate = { "who" }, conflictFields = { "place" }, conflictWhere = { taken = true } })[1]
        assert.equal("cid", row.who)
        assert.equal(2, Seat:count())
        assert.equal(1, Seat:count{ where = { who = "bob" } })
      end)
    end)

    it("says what does not go together", function()
      local function refused(options, ...)
        local words = { ... }
        support.raises("UsageError", function() User:bulkCreate({ { email = "x" } }, options) end, table.unpack(words))
      end
      refused({ ignoreDuplicates = true, updateOnDuplicate = { "name" } }, "exclude each other")
      refused({ conflictFields = { "email" } }, "ignoreDuplicates or updateOnDuplicate")
      refused({ updateOnDuplicate = {} }, "at least one")
      refused({ updateOnDuplicate = { "nam" } }, 'did you mean "name"')
      refused({ updateOnDuplicate = true }, "a list")
      refused({ ignoreDuplicates = "yes" }, "true or false")
      refused({ ignoreDuplicates = true, conflictWhere = { age = 1 } }, "conflictFields")
      refused({ ignoreDuplicate = true }, 'did you mean "ignoreDuplicates"')
      support.raises("UsageError", function() User:create({}, { updateOnDuplicate = { "name" } }) end, "unknown option")
      local ann = User:findOne()
      support.raises("UsageError", function() ann:save{ ignoreDuplicates = true } end, "unknown option")
    end)

    it("takes the keys of built instances back if the rows are gone again", function()
      local users = {}
      for i = 1, 120 do users[i] = User:build{ email = i < 120 and "new" .. i or "ann@x" } end
      users[2].id = 5000
      support.raises("UniqueConstraintError", function() User:bulkCreate(users) end)
      assert.is_nil(users[1].id)
      assert.equal(5000, users[2].id)
      assert.is_true(users[1]:isNew())
      users[120].email = "new120"
      User:bulkCreate(users)
      assert.equal(122, User:count())
    end)

    it("rolls everything back if one row fails", function()
      support.raises("UniqueConstraintError", function()
        User:bulkCreate({ { email = "new@x" }, { id = 1000000, email = "ann@x" } },
          { ignoreDuplicates = true, conflictFields = { "id" } })
      end)
      assert.same({ "ann@x", "bob@x" }, emails())
    end)

    describe("returning", function()
      it("reads rows back as the database holds them", function()
        local rows = User:bulkCreate({ { email = "cid@x", age = 7 }, { email = "dan@x" } }, { returning = true })
        for _, row in ipairs(rows) do assert.same(User:findByPk(row.id):toTable(), row:toTable()) end
        local log, many = support.log(), {}
        for i = 1, 300 do many[i] = { email = "e" .. i, age = i } end
        rows = User:bulkCreate(many, { returning = true, logging = log.record })
        assert.same(User:findByPk(rows[299].id):toTable(), rows[299]:toTable())
        if engine.kind == "server" then assert.is_true(#log <= 3) end
        local eve = User:create({ email = "eve@x" }, { returning = true })
        assert.same(User:findByPk(eve.id):toTable(), eve:toTable())
      end)

      it("gives the changed or removed rows beside their number", function()
        local count, rows = User:update({ age = 5 }, { where = { name = "ann" }, returning = true })
        assert.equal(1, count)
        assert.equal("ann@x", rows[1].email)
        assert.equal(5, rows[1].age)
        count, rows = User:destroy{ where = { age = { [Op.gt] = 0 } }, returning = { "email" } }
        assert.equal(2, count)
        assert.same({ "ann@x", "bob@x" }, support.sorted(rows, "email"))
        assert.is_nil(rows[1].name)
        assert.is_not_nil(rows[1].id)
      end)

      it("goes together with limit", function()
        local count, rows = User:update({ name = "x" }, { all = true, limit = 1, returning = true })
        assert.equal(1, count)
        assert.equal(1, #rows)
        assert.equal(1, User:count{ where = { name = "x" } })
        assert.equal(1, (User:destroy{ all = true, limit = 1 }))
        assert.equal(1, User:count())
      end)
    end)
  end)
end
