--- What is written into the rows of a junction: defaults, NULL and what may not be NULL, expressions.
local liga = require "liga"
local support = require "spec.support"
local raises, sorted = support.raises, support.sorted

for engine in support.engines() do
  describe("defaults of a junction on " .. engine.name, function()
    local db, Post, Tag, Tagging, calls

    --- Posts with tags; `code` of the junction has the given attribute options.
    local function models(code)
      calls = 0
      code.type = code.type or liga.STRING
      Post = db:define("Post", { title = liga.STRING })
      Tag = db:define("Tag", { name = liga.STRING })
      Tagging = db:define("Tagging", { code = code, note = liga.STRING })
      Post:belongsToMany(Tag, { through = Tagging })
      db:sync()
      return Post:create { title = "one" }
    end

    local function code()
      calls = calls + 1
      return "code " .. calls
    end

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("that are functions are called once for each row that addX inserts", function()
      local post = models { allowNull = false, defaultValue = code }
      post:addTag(Tag:create { name = "a" })
      post:addTags { Tag:create { name = "b" }, Tag:create { name = "c" } }
      assert.same({ "code 1", "code 2", "code 3" }, sorted(Tagging:findAll(), "code"))
    end)

    it("that are functions are called by setX and createX too", function()
      local post = models { allowNull = false, defaultValue = code }
      post:setTags { Tag:create { name = "a" } }
      post:createTag { name = "b" }
      assert.same({ "code 1", "code 2" }, sorted(Tagging:findAll(), "code"))
    end)

    it("that are functions are called once where unsaved targets are saved first", function()
      local post = models { allowNull = false, defaultValue = code }
      post:addTags { Tag:build { name = "a" }, Tag:build { name = "b" } }
      assert.equal(2, calls)
      assert.same({ "code 1", "code 2" }, sorted(Tagging:findAll(), "code"))
    end)

    it("that are functions give way to values of the call and of the target", function()
      local post = models { allowNull = false, defaultValue = code }
      local tag = Tag:create { name = "a" }
      post:addTag(tag, { through = { code = "by call" } })
      assert.equal(0, calls)
      local other = Tag:create { name = "b" }
      other.Tagging = { code = "by target" }
      post:addTag(other)
      assert.same({ "by call", "by target" }, sorted(Tagging:findAll(), "code"))
    end)

    it("that are functions don't change a link that is there", function()
      local post = models { allowNull = false, defaultValue = code }
      local tag = Tag:create { name = "a" }
      post:addTag(tag)
      post:addTag(tag)
      post:addTag(tag, { through = { note = "seen" } })
      local link = Tagging:findOne()
      assert.same({ "code 1", "seen" }, { link.code, link.note })
    end)

    it("that are functions may yield", function()
      local post = models { allowNull = false, defaultValue = function() return coroutine.yield() end }
      local tag = Tag:create { name = "a" }
      local adding = coroutine.wrap(function() return post:addTag(tag) end)
      adding()
      assert.equal(tag, adding("late"))
      assert.equal("late", Tagging:findOne().code)
    end)

    it("that are functions may fail: nothing is linked, and the error goes on as it is", function()
      local problem = {}
      local post = models { defaultValue = function() error(problem) end }
      local fine, raised = pcall(post.addTag, post, Tag:create { name = "a" })
      assert.is_false(fine)
      assert.equal(problem, raised)
      assert.equal(0, Tagging:count())
    end)

    it("that are constants, clocks, UUIDs and expressions are written as in create", function()
      local post = models { type = liga.UUID, defaultValue = liga.UUIDV4, allowNull = false }
      post:addTags { Tag:create { name = "a" }, Tag:create { name = "b" } }
      local first, second = table.unpack(Tagging:findAll())
      assert.equal(36, #first.code)
      assert.are_not.equal(first.code, second.code)
    end)

    it("missing where NULL is not allowed is one ValidationError, before anything is written", function()
      local post = models { allowNull = false }
      local problem = raises("ValidationError", function() post:createTag { name = "a" } end, "Tagging.code")
      assert.equal(1, #problem.errors)
      assert.equal(0, Tag:count())
    end)

    it("of every type are updated where they differ, and only there", function()
      local post = models { type = liga.JSON }
      local tag = Tag:create { name = "a" }
      post:addTag(tag, { through = { code = { a = { 1 } } } })
      local before = Tagging:findOne()
      post:addTag(tag, { through = { code = { a = { 1 } } } })
      assert.equal(before.updatedAt, Tagging:findOne().updatedAt)
      post:setTags({ tag }, { through = { code = { a = { 2 } } } })
      assert.same({ a = { 2 } }, Tagging:findOne().code)
      post:addTag(tag, { through = { code = liga.null } })
      assert.is_nil(Tagging:findOne().code)
    end)

    it("may be expressions, like the values of create", function()
      local post = models { allowNull = false }
      local a, b = Tag:create { name = "a" }, Tag:create { name = "b" }
      local function codes() return sorted(Tagging:findAll(), "code") end
      post:addTags({ a, b }, { through = { code = liga.fn("upper", "x") } })
      assert.same({ "X", "X" }, codes())
      a.Tagging = { code = liga.literal("'a' || 1") }
      post:addTags({ a, b }, { through = { code = liga.fn("lower", "Y"), note = "n" } })
      assert.same({ "a1", "y" }, codes())
      post:setTags({ b }, { through = { code = liga.fn("upper", "z") } })
      post:createTag({ name = "c" }, { through = { code = liga.sql("? || ?", "c", "d") } })
      assert.same({ "Z", "cd" }, codes())
    end)

    it("that functions give may be expressions", function()
      local post = models { allowNull = false, defaultValue = function() return liga.fn("upper", code()) end }
      post:addTags { Tag:create { name = "a" }, Tag:create { name = "b" } }
      assert.same({ "CODE 1", "CODE 2" }, sorted(Tagging:findAll(), "code"))
    end)

    it("may be expressions where links repeat or are looked for, and where hooks see them", function()
      local post = models {}
      Post:belongsToMany(Tag, { as = "marks", through = { model = Tagging, scope = { note = "m" }, unique = false },
        inverse = { as = "marked" } })
      Tagging:addHook("beforeBulkCreate", function(rows) calls = calls + #rows end)
      local a, b = Tag:create { name = "a" }, Tag:create { name = "b" }
      post:addMarks({ a, b }, { through = { code = liga.fn("upper", "x") } })
      assert.same({ "X", "X" }, sorted(Tagging:findAll(), "code"))
      post:setMarks({ a, b }, { through = { code = liga.fn("upper", "y") } })
      assert.same({ "Y", "Y" }, sorted(Tagging:findAll(), "code"))
      assert.equal(2, calls)
    end)

    it("are not used where NULL is given: it must be allowed", function()
      local post = models { allowNull = false, defaultValue = "x" }
      raises("ValidationError", function()
        post:addTag(Tag:create { name = "a" }, { through = { code = liga.null } })
      end, "Tagging.code must not be null")
    end)
  end)
end
