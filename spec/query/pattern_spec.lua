-- Patterns: like, startsWith and its kin, regular expressions (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local Op = liga.Op

local NAMES = { "Ann", "ann", "Anton", "Ásta", "100%", "1000", "a_b", "axb", [[a\b]], "line\nbreak" }

-- Each line: what is found, the condition on name, the names.
local FINDS = {
  { "like: the case counts", Op.like("A%"), { "Ann", "Anton" } },
  { "like: the whole value, not a part", Op.like("nn"), {} },
  { "like: _ is any one character", Op.like("a_b"), { [[a\b]], "a_b", "axb" } },
  { "notLike: the others", { [Op.notLike] = "%n%", [Op.like] = "a%" }, { [[a\b]], "a_b", "axb" } },
  { "iLike: the case does not count", Op.iLike("A%"), { "Ann", "Anton", [[a\b]], "a_b", "ann", "axb" } },
  { "iLike: written either way", Op.iLike("ANN"), { "Ann", "ann" } },
  { "notILike: the others", { [Op.notILike] = "%N%", [Op.like] = "1%" }, { "100%", "1000" } },
  { "startsWith: plain text", Op.startsWith("An"), { "Ann", "Anton" } },
  { "startsWith: % is a plain character", Op.startsWith("100%"), { "100%" } },
  { "endsWith: plain text", Op.endsWith("ton"), { "Anton" } },
  { "endsWith: % is a plain character", Op.endsWith("%"), { "100%" } },
  { "substring: plain text", Op.substring("nto"), { "Anton" } },
  { "substring: _ is a plain character", Op.substring("_"), { "a_b" } },
  { "substring: a backslash is a plain character", Op.substring("\\"), { [[a\b]] } },

  { "regexp: anywhere in the value", Op.regexp("nt"), { "Anton" } },
  { "regexp: anchors", Op.regexp("^A.*n$"), { "Ann", "Anton" } },
  { "regexp: alternatives, groups and counts", Op.regexp("^(An{2}|10{3})$"), { "1000", "Ann" } },
  { "regexp: bracket expressions", Op.regexp("^[0-9]+%?$"), { "100%", "1000" } },
  { "regexp: named classes", Op.regexp("^[[:digit:]]+$"), { "1000" } },
  { "regexp: a dot is one UTF-8 character", Op.regexp("^.sta$"), { "Ásta" } },
  { "iRegexp: the case does not count", Op.iRegexp("^ANN$"), { "Ann", "ann" } },
  { "notRegexp: the others", { [Op.notRegexp] = "^[a-z]", [Op.like] = "%n%" }, { "Ann", "Anton" } },
}

for engine in support.engines() do
  describe("a pattern on " .. engine.name, function()
    local db, User
    setup(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING }, { timestamps = false })
      db:sync()
      for _, name in ipairs(NAMES) do User:create{ name = name } end
    end)
    teardown(function() db:close() end)

    for _, case in ipairs(FINDS) do
      it("that ends with a backslash is refused: it escapes nothing", function()
      for _, op in ipairs { Op.like, Op.notLike, Op.iLike, Op.notILike } do
        support.raises("UsageError", function() User:findAll{ where = { name = op "a\\" } } end, "backslash")
        User:findAll{ where = { name = op "a\\\\" } }
      end
      User:findAll{ where = { name = Op.endsWith "\\" } }
    end)

    it("of " .. case[1], function()
        local expected = case[3]
        table.sort(expected)
        assert.same(expected, support.sorted(User:findAll{ where = { name = case[2] } }, "name"))
      end)
    end

    it("of regexp refuses back-references and backslash classes", function()
      support.raises("UsageError", function() User:findAll{ where = { name = Op.regexp([[(a)\1]]) } } end)
      support.raises("UsageError", function() User:findAll{ where = { name = Op.regexp([[\d+]]) } } end)
    end)

    it("of regexp is at most 1,000 bytes long", function()
      assert.equal(0, User:count{ where = { name = Op.regexp(("q"):rep(1000)) } })
      support.raises("UsageError", function() User:count{ where = { name = Op.regexp(("q"):rep(1001)) } } end)
    end)

    it("of regexp that is malformed raises an error", function()
      for _, pattern in ipairs { "(", "[a", "a{2,1}" } do
        local ok, e = pcall(User.count, User, { where = { name = Op.regexp(pattern) } })
        assert.is_false(ok, pattern)
        assert.is_true(liga.isError(e), pattern)
      end
      assert.equal(#NAMES, User:count())
    end)

    it("of attributes that are no texts looks at what is read of them", function()
      local Reading = db:define("Reading", {
        n = liga.INTEGER, yes = liga.BOOLEAN, price = liga.DECIMAL(8, 2), worth = liga.DECIMAL(20, 2), at = liga.DATE,
        spaced = liga.DATE { stored = "space" }, epoch = liga.DATE { stored = "epoch" }, day = liga.DATEONLY,
        time = liga.TIME, key = liga.UUID, bytes = liga.BLOB,
      }, { timestamps = false })
      Reading:sync()
      local at, key = "2026-11-22T09:30:00.050Z", "8c5d4f0e-7a9b-4d36-9a51-0f6c2f1f8a77"
      Reading:bulkCreate{ { n = 10, yes = true, price = "1.5", worth = "1.5", at = at, spaced = at, epoch = at,
        day = "2026-11-22", time = "09:30", key = key, bytes = "a" }, {} }
      for name, text in pairs {
        n = "10", yes = "true", price = "1.50", worth = "1.50", at = at, spaced = at, epoch = at, day = "2026-11-22",
        time = "09:30:00", key = key,
      } do
        assert.equal(1, Reading:count{ where = { [name] = Op.like(text) } }, name)
        assert.equal(1, Reading:count{ where = { [name] = Op.endsWith(text:sub(-2)) } }, name)
        assert.equal(1, Reading:count{ where = { [name] = Op.regexp("^" .. text:sub(1, 2)) } }, name)
        assert.equal(1, Reading:count{ where = { [name] = Op.notILike "x%" } }, name)
      end
      support.raises("UsageError", function() Reading:count{ where = { bytes = Op.like "a" } } end, "BLOB")
    end)

    it("refuses what is no text", function()
      for _, op in ipairs { Op.like, Op.startsWith, Op.regexp } do
        local ok, e = pcall(User.count, User, { where = { name = op({}) } })
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError") or liga.isError(e, "ValidationError"), tostring(e))
      end
    end)
  end)
end
