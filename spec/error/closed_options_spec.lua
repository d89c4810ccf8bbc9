-- Every option table is closed: an unknown option is an error that names the nearest one (contract, section 1).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("an unknown option on " .. engine.name, function()
    local db, log, User, Post, ann
    before_each(function()
      log = support.log()
      db = engine:open{ logging = log.record }
      User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
      Post = db:define("Post", { title = liga.STRING }, { timestamps = false })
      User:hasMany(Post)
      db:sync()
      ann = User:create{ name = "ann" }
      log:clear()
    end)
    after_each(function() db:close() end)

    -- Each line: the call, the wrong option, the nearest right one.
    local CALLS = {
      { "findAll", function() User:findAll{ limits = 1 } end, "limits", "limit" },
      { "findOne", function() User:findOne{ wher = {} } end, "wher", "where" },
      { "findByPk", function() User:findByPk(1, { atributes = {} }) end, "atributes", "attributes" },
      { "findByPks", function() User:findByPks({ 1 }, { atributes = {} }) end, "atributes", "attributes" },
      { "findAndCountAll", function() User:findAndCountAll{ ofset = 1 } end, "ofset", "offset" },
      { "count", function() User:count{ distnct = true } end, "distnct", "distinct" },
      { "sum", function() User:sum("age", { wher = {} }) end, "wher", "where" },
      { "exists", function() User:exists{ wher = {} } end, "wher", "where" },
      { "each", function() for _ in User:each{ bacth = 1 } do error "reached" end end, "bacth", "batch" },
      { "create", function() User:create({}, { field = {} }) end, "field", "fields" },
      { "bulkCreate", function() User:bulkCreate({ {} }, { returnin = true }) end, "returnin", "returning" },
      { "update of a model", function() User:update({ age = 1 }, { al = true }) end, "al", "all" },
      { "destroy of a model", function() User:destroy{ al = true } end, "al", "all" },
      { "save", function() ann:save{ field = {} } end, "field", "fields" },
      { "update of an instance", function() ann:update({ age = 1 }, { silnt = true }) end, "silnt", "silent" },
      { "destroy of an instance", function() ann:destroy{ forse = true } end, "forse", "force" },
      { "increment", function() ann:increment("age", { bye = 2 }) end, "bye", "by" },
      { "toTable", function() ann:toTable{ null = true } end, "null", "nulls" },
      { "transaction", function() db:transaction({ isolate = "x" }, function() end) end, "isolate", "isolation" },
      { "sync", function() db:sync{ forc = true } end, "forc", "force" },
      { "query", function() db:query("SELECT 1", { replacement = {} }) end, "replacement", "replacements" },
      { "a getter", function() ann:getPosts{ ordr = {} } end, "ordr", "order" },
      { "an association", function() User:hasMany(Post, { as = "drafts", foreignkey = "x" }) end, "foreignkey",
        "foreignKey" },
    }
    for _, case in ipairs(CALLS) do
      it("of " .. case[1] .. " is refused before anything is sent", function()
        support.raises("UsageError", case[2], case[3], case[4])
        assert.same({}, log:statements())
      end)
    end

    it("is refused whatever its key is", function()
      for _, key in ipairs { 1, 1.5, true, liga.Op.gt, "where\0", "" } do
        support.raises("UsageError", function() User:findAll{ [key] = 1 } end)
      end
      assert.same({}, log:statements())
    end)
  end)
end
