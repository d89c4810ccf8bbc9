-- searchPath of finds: where the tables of one call are looked up (contract, section 5).
local liga = require "liga"
local support = require "spec.support"
local pluck, raises = support.pluck, support.raises

for engine in support.engines() do
  if engine.kind == "server" then
    describe("searchPath on " .. engine.name, function()
      local db, Note
      before_each(function()
        db = engine:open()
        Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
        db:sync()
        Note:create { text = "public" }
        db:query([[CREATE SCHEMA shop; CREATE TABLE shop."Notes" (LIKE "Notes" INCLUDING ALL);
          INSERT INTO shop."Notes" ("text") VALUES ('shop')]], { multiple = true })
      end)
      after_each(function() db:close() end)

      local function texts(options) return pluck(Note:findAll(options), "text") end

      it("holds for one call", function()
        assert.same({ "shop" }, texts { searchPath = "shop" })
        assert.same({ "public" }, texts())
        assert.equal("shop", Note:findOne({ searchPath = 'shop, "$user", public' }).text)
        assert.equal(1, Note:count { searchPath = "shop" })
      end)

      it("holds for one call in a transaction, too", function()
        db:transaction(function()
          assert.same({ "shop" }, texts { searchPath = "shop", lock = "update" })
          assert.same({ "public" }, texts())
        end)
        assert.same({ "public" }, texts())
      end)

      it("is text, not SQL", function()
        raises("DatabaseError", function() texts { searchPath = "x'; DROP TABLE \"Notes\"; --" } end)
        assert.same({ "public" }, texts())
      end)
    end)
  end
end
