--- Schemas of PostgreSQL in reflect, alter and the query interface.
local support = require "spec.support"
local liga = require "liga"

for engine in support.engines() do
  if engine.dialect == "postgres" then
    describe("a schema of " .. engine.name, function()
      local db, q
      before_each(function()
        db = engine:open()
        q = db:queryInterface()
        q:dropSchema("shop", { cascade = true })
        q:createSchema "shop"
        q:createSchema "shop"
        db:query 'CREATE TABLE shop.artists (id BIGSERIAL PRIMARY KEY, name TEXT)'
        db:query 'CREATE TABLE shop.albums (id BIGSERIAL PRIMARY KEY, artist_id BIGINT REFERENCES shop.artists)'
      end)
      after_each(function()
        q:dropSchema("shop", { cascade = true })
        db:close()
      end)

      it("is listed and described by itself", function()
        assert.same({ "albums", "artists" }, q:showAllTables{ schema = "shop" })
        assert.is_false(q:tableExists "artists")
        assert.is_true(q:tableExists("artists", { schema = "shop" }))
        q:addColumn("artists", "born", liga.INTEGER, { schema = "shop" })
        assert.equal("INTEGER", q:describeTable("artists", { schema = "shop" }).born.type)
      end)

      it("is named right: one that is not there is an error, an empty one is none", function()
        local function refuse(f)
          support.raises("UsageError", f, 'no schema "shpo"', 'did you mean "shop"?')
        end
        refuse(function() db:reflect{ schema = "shpo" } end)
        refuse(function() liga.reflect.source(db, { schema = "shpo" }) end)
        refuse(function() q:showAllTables{ schema = "shpo" } end)
        q:createSchema "shpo"
        assert.same({}, db:reflect{ schema = "shpo" })
        assert.same({}, q:showAllTables{ schema = "shpo" })
        q:dropSchema "shpo"
      end)

      it("is reflected by itself, and its models know where their tables are", function()
        assert.same({}, db:reflect{ tables = {} })
        local made = db:reflect{ schema = "shop" }
        assert.equal(2, #made)
        local album = db.models.Artist:create{ name = "liga" }:createAlbum{}
        assert.equal("liga", album:getArtist().name)
        assert.same({}, db:sync{ alter = true, dryRun = true })
        assert.same({}, db:reflect{ schema = "shop" })
        local other <close> = engine:reopen()
        load(liga.reflect.source(db, { schema = "shop" }))()(other)
        assert.equal(1, other.models.Album:count())
      end)

      it("has foreign keys to and from others, which become associations when both are reflected", function()
        q:dropAllTables()
        db:query [[CREATE TABLE people (id BIGSERIAL PRIMARY KEY, name TEXT,
          favourite_id BIGINT REFERENCES shop.artists)]]
        db:query "ALTER TABLE shop.artists ADD manager_id BIGINT REFERENCES people (id)"
        db:reflect()
        assert.equal(0, #db.models.Person.associations)
        assert.is_nil(db.models.Person.attributes.favouriteId.references)
        db:reflect{ schema = "shop" }
        assert.same({}, db:reflect())
        local ann = db.models.Person:create{ name = "ann" }
        local artist = ann:createArtist{ name = "liga" }
        ann:setFavourite(artist)
        assert.equal("ann", artist:getManager().name)
        assert.equal(1, artist:countPeople())
        assert.equal(1, db.models.Person:count{ where = { ["favourite.name"] = "liga" } })
        assert.same({}, db:sync{ alter = true, dryRun = true })
      end)
    end)
  end
end
