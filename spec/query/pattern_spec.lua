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

    it("refuses what is no text", function()
      for _, op in ipairs { Op.like, Op.startsWith, Op.regexp } do
        local ok, e = pcall(User.count, User, { where = { name = op({}) } })
        assert.is_false(ok)
        assert.is_true(liga.isError(e, "UsageError") or liga.isError(e, "ValidationError"), tostring(e))
      end
    end)
  end)
end
