-- Hostile values, keys and tables stay data or are refused (contract, section 11; CVE classes of other ORMs).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

local PAYLOADS = {
  "'", "''", '"', "`", "\\", "\\'", "' OR '1'='1", "'; DROP TABLE \"Users\"; --", "/* x */", "-- x", "$1", "$$",
  ":name", "?", "??", "%s",
  "%", "_", "{}", "null", "NULL", "\t\r\n", "\u{FEFF}x", "' || (SELECT 1) || '", "x' AND 1=0 UNION SELECT 1 --",
  "$user$", "$ne", "[Op.ne]",
  ("a"):rep(10000), "ﬀ 日本 😀", "\u{2028}", "1e999", "-0", "constructor", "__proto__", "__index",
}

for engine in support.engines() do
  describe("a hostile input on " .. engine.name, function()
    local db, log, User
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.TEXT, age = liga.INTEGER, meta = liga.JSON }, { timestamps = false })
      db:sync()
      User:create{ name = "ann", age = 30 }
      log:clear()
    end)
    after_each(function() db:close() end)

    --- The call raises UsageError or ValidationError, and nothing was sent.
    local function refused(body)
      log:clear()
      local ok, e = pcall(body)
      assert.is_false(ok)
      assert.is_true(liga.isError(e, "UsageError") or liga.isError(e, "ValidationError"), tostring(e))
      assert.same({}, log:statements())
      return e
    end

    it("of text comes back as it was", function()
      for _, payload in ipairs(PAYLOADS) do
        local user = User:create{ name = payload, meta = { [payload] = payload } }
        local read = User:findByPk(user.id)
        assert.equal(payload, read.name)
        assert.equal(payload, read.meta[payload])
      end
      assert.equal(#PAYLOADS + 1, User:count())
    end)

    it("of text is found, and nothing else", function()
      for _, payload in ipairs(PAYLOADS) do User:create{ name = payload } end
      for _, payload in ipairs(PAYLOADS) do
        assert.equal(1, User:count{ where = { name = payload } }, payload)
        assert.equal(1, User:count{ where = { name = { payload, "nobody" } } }, payload)
        assert.is_true(User:exists{ where = { name = Op.startsWith(payload) } }, payload)
      end
    end)

    it("of text never reaches the SQL", function()
      User:create{ name = "h0stile" }
      User:findAll{ where = { [Op.or_] = { { name = "h0stile" }, { name = Op.substring("h0stile") } } } }
      User:update({ name = "h0stile" }, { where = { name = "h0stile" } })
      User:destroy{ where = { name = "h0stile" } }
      for _, entry in ipairs(log) do assert.is_nil(entry.sql:find("h0stile", 1, true)) end
    end)

    it("of operators decoded from JSON is refused", function()
      for _, text in ipairs {
        '{"name":{"$ne":""}}', '{"name":{"ne":""}}', '{"age":{"gt":0}}', '{"age":{"[Op.gt]":0}}',
        '{"$or":[{"age":30}]}', '{"or":[{"age":30}]}', '{"name":{"like":"%"}}',
        '{"_connector":"OR"}', '{"name":{"type":"Buffer","data":[1]}}',
      } do
        refused(function() User:findAll{ where = liga.json.decode(text) } end)
        refused(function() User:destroy{ where = liga.json.decode(text) } end)
      end
      assert.equal(1, User:count())
    end)

    it("of forged marker tables is refused", function()
      for _, forged in ipairs {
        { __raw = "1=1" }, { val = "1=1" }, { fn = "upper", args = { "x" } }, { col = "name" }, { literal = "1=1" },
        { sql = "1=1" },
        setmetatable({ val = "1=1" }, { __name = "literal" }),
        setmetatable({ val = "1=1" }, { __tostring = function() return "1=1" end }),
      } do
        refused(function() User:findAll{ where = { name = forged } } end)
        refused(function() User:findAll{ where = { age = forged } } end)
        refused(function() User:create{ name = forged } end)
        refused(function() User:findAll{ order = { forged } } end)
        refused(function() User:findAll{ attributes = { { forged, "x" } } } end)
        refused(function() User:findAll{ group = { forged } } end)
      end
    end)

    it("of userdata that is no marker of liga's is refused", function()
      for _, foreign in ipairs { io.stdout, liga.null } do
        refused(function() User:findAll{ where = foreign } end)
        refused(function() User:findAll{ order = { foreign } } end)
      end
      refused(function() User:findAll{ where = { name = io.stdout } } end)
      refused(function() User:create{ name = io.stdout } end)
    end)

    it("of metamethods is never run", function()
      local function bomb() error("a metamethod was run") end
      local trap = { __index = bomb, __len = bomb, __pairs = bomb, __tostring = bomb, __eq = bomb, __name = "trap" }
      local ok, e = pcall(User.findAll, User, { where = setmetatable({ name = "ann" }, trap) })
      assert.is_true(ok or liga.isError(e), tostring(e))
      refused(function() User:findAll{ where = { name = setmetatable({ x = 1 }, trap) } } end)
      refused(function() User:create{ age = setmetatable({}, trap) } end)
    end)

    it("of metamethods is not run to show it in a message either", function()
      local function bomb() error("a metamethod was run") end
      local trap = setmetatable({}, { __tostring = bomb, __index = bomb, __eq = bomb, __len = bomb })
      local ann = User:findOne()
      for _, body in ipairs {
        function() User:findAll { [trap] = 1 } end, function() User:hasMany(User, { [trap] = 1 }) end,
        function() User:scope(trap) end, function() User:addHook(trap, print) end, function() ann:changed(trap) end,
        function() ann:get { [trap] = 1 } end, function() db:model(trap) end, function() db.models[trap] = 1 end,
        function() User.attributes[trap] = 1 end, function() db:transaction({ [trap] = 1 }, print) end,
        function() db:define("New", { a = { type = liga.STRING, validate = { [trap] = true } } }) end,
        function() liga.connect("sqlite::memory:", { lazy = trap }) end,
        function() liga.connect("sqlite::memory:", { pragmas = { [trap] = 1 } }) end,
        function() return liga.Op[trap] end,
        function() db:queryInterface():removeConstraint("Users", trap) end,
      } do
        support.raises("UsageError", body)
      end
    end)

    it("of names that look like SQL is refused", function()
      for _, name in ipairs {
        "name; DROP TABLE x", 'name" --', "count(*)", "*", "name::text", "Users.name", "name ASC", "(SELECT 1)",
        "name->>'$.x'", "1", "",
        "name\0", "\xff",
      } do
        refused(function() User:findAll{ order = { name } } end)
        refused(function() User:findAll{ attributes = { name } } end)
        refused(function() User:findAll{ group = { name } } end)
        refused(function() User:findAll{ where = { [name] = 1 } } end)
        refused(function() User:create{ [name] = 1 } end)
        refused(function() User:sum(name) end)
        refused(function() User:update({ [name] = 1 }, { all = true }) end)
      end
    end)

    it("of keys that are no names is refused", function()
      for _, key in ipairs { 1.5, true, print, io.stdout } do
        refused(function() User:findAll{ where = { [key] = 1 } } end)
        refused(function() User:create{ [key] = 1 } end)
      end
      refused(function() User:create{ "ann" } end)
    end)

    it("of lists with holes is refused", function()
      refused(function() User:findAll{ where = { age = { 1, nil, 3 } } } end)
      refused(function() User:findAll{ where = { age = { [1] = 1, [3] = 3 } } } end)
      refused(function() User:findAll{ where = { age = { [0] = 1, 2 } } } end)
      refused(function() User:findAll{ where = { [-1] = { age = 1 }, [2] = { age = 2 } } } end)
      refused(function() User:findAll{ where = { [Op.or_] = { [-1] = { age = 1 }, [2] = { age = 2 } } } } end)
      refused(function() User:findAll{ attributes = { [1] = "name", [3] = "age" } } end)
      refused(function() User:findAll{ order = { [2] = "name" } } end)
      refused(function() User:bulkCreate{ [1] = { name = "a" }, [3] = { name = "b" } } end)
    end)

    it("of lists that have other keys too is refused", function()
      local ann = User:findOne()
      for _, key in ipairs { "more", true, 1.5, 0, -1, liga.Op.gt } do
        refused(function() User:findAll{ order = { "name", [key] = 1 } } end)
        refused(function() User:findAll{ attributes = { "name", [key] = 1 } } end)
        refused(function() User:each{ order = { "name", [key] = 1 } } end)
        refused(function() User:page{ order = { "name", [key] = 1 } } end)
        refused(function() User:page{ attributes = { "name", [key] = 1 } } end)
        refused(function() User:findByPks({ 1 }, { attributes = { "name", [key] = 1 } }) end)
        refused(function() User:findByPks{ 1, [key] = 1 } end)
        refused(function() User:bulkCreate{ { name = "a" }, [key] = 1 } end)
        refused(function() User:increment({ "age", [key] = 1 }, { all = true }) end)
        refused(function() ann:increment{ "age", [key] = 1 } end)
        refused(function() db:preload({ ann, [key] = 1 }, {}) end)
      end
    end)

    it("of tables that contain themselves is refused", function()
      local loop = {}
      loop[1] = loop
      refused(function() User:findAll{ where = loop } end)
      refused(function() User:findAll{ where = { age = loop } } end)
      refused(function() User:findAll{ where = { [Op.or_] = loop } } end)
      refused(function() User:findAll{ order = { loop } } end)
      refused(function() User:findAll{ attributes = loop } end)
      refused(function() User:create{ meta = loop } end)
      refused(function() User:create{ name = loop } end)
    end)

    it("of tables that contain themselves in several places is refused by what reads them first, too", function()
      User:hasMany(User, { as = "staff", inverse = { as = "boss" } })
      db:sync{ force = true }
      local ann, where, include = User:create{ name = "ann" }, {}, { association = "staff" }
      where[1], where[2] = where, where
      include.include = { include, { association = "boss", include = { include } } }
      local function refused_include(body)
        log:clear()
        support.raises("EagerLoadingError", body, "64 levels")
        assert.same({}, log:statements())
      end
      for _ = 1, 2 do
        refused(function() User:findAll{ where = where } end)
        refused(function() User:count{ where = where } end)
        refused(function() User:findOrCreate{ where = where } end)
        refused_include(function() ann:getStaff{ batch = true, include = { include } } end)
        refused_include(function() User:findAll{ include = include } end)
        for _, name in ipairs { "beforeFind", "beforeFindAfterOptions", "beforeCount" } do
          User:addHook(name, function() end)
        end
      end
      User:addScope("strange", { where = where })
      refused(function() User:scope("strange"):findAll() end)
      User:addScope("all", { include = include })
      refused_include(function() User:scope("all"):findAll{ include = include } end)
      refused(function() User:hasMany(User, { as = "others", where = where, inverse = { as = "other" } }) end)
    end)

    it("of endless depth is refused", function()
      local deep = {}
      for _ = 1, 100000 do deep = { deep } end
      refused(function() User:findAll{ where = deep } end)
      refused(function() User:findAll{ where = { [Op.and_] = deep } } end)
      refused(function() User:create{ meta = deep } end)
      local nots = { name = "ann" }
      for _ = 1, 100000 do nots = { [Op.not_] = nots } end
      refused(function() User:findAll{ where = nots } end)
    end)

    it("of NUL bytes, broken UTF-8 and NaN is refused", function()
      for _, text in ipairs { "a\0b", "\xff", "\xc3(", "\xe2\x82" } do
        refused(function() User:create{ name = text } end)
        refused(function() User:findAll{ where = { name = text } } end)
        refused(function() User:findAll{ where = { name = Op.like(text) } } end)
      end
      refused(function() User:findAll{ where = { age = 0 / 0 } } end)
      refused(function() User:findAll{ where = { age = 1e300 } } end)
    end)

    it("of the size of a book is data like any other", function()
      local book = ("it's a \"book\" "):rep(100000)
      assert.equal(book, User:findByPk(User:create{ name = book }.id).name)
    end)

    it("of a where that changes under the hands of a finalizer is no crash", function()
      for _ = 1, 200 do
        local where = { name = { "a", "b" } }
        setmetatable({}, { __gc = function() where.name = nil; where.age = { 1 } end })
        pcall(User.findAll, User, { where = where })
      end
      collectgarbage()
      assert.equal(1, User:count())
    end)
  end)
end
