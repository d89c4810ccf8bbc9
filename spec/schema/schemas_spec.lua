--- Schemas of PostgreSQL in reflect, alter and the query interface.
local support = require "spec.support"
local liga = require "liga"
local Op = liga.Op

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

      describe("beside another with tables of the same names", function()
        local Artist, Album, Other
        before_each(function()
          local function define(name, attributes, given)
            given.timestamps = false
            return db:define(name, attributes, given)
          end
          Artist = define("Artist", { name = liga.TEXT }, { tableName = "artists", schema = "shop" })
          Album = define("Album", { title = liga.TEXT }, { tableName = "albums", schema = "shop" })
          Other = define("Other", { born = liga.INTEGER }, { tableName = "artists" })
          Other:sync()
        end)

        -- What the query interface does with a table, by its model and by name and schema; Other's stays as it is.
        local function of_each(f)
          for _, case in ipairs { { Artist, {} }, { "artists", { schema = "shop" } } } do
            f(case[1], function(given)
              given = given or {}
              given.schema = case[2].schema
              return given
            end)
          end
        end

        it("has its own columns", function()
          of_each(function(artists, given)
            assert.is_true(q:tableExists(artists, given()))
            q:addColumn(artists, "label", { type = liga.STRING(10), index = true }, given())
            assert.equal("CHARACTER VARYING(10)", q:describeTable(artists, given()).label.type)
            q:changeColumn(artists, "label", liga.TEXT, given())
            q:renameColumn(artists, "label", "firm", given())
            assert.equal("TEXT", q:describeTable(artists, given()).firm.type)
            assert.is_nil(q:describeTable("artists").firm)
            q:removeColumn(artists, "firm", given())
            assert.is_nil(q:describeTable(artists, given()).firm)
          end)
          assert.is_true(q:tableExists(Other))
          assert.truthy(q:describeTable(Other).born)
        end)

        it("has its own indexes and constraints", function()
          of_each(function(artists, given)
            q:addIndex(artists, { "name" }, given{ name = "artists_by_name" })
            assert.equal("artists_by_name", q:showIndexes(artists, given())[1].name)
            assert.equal(1, #q:showIndexes(Other))
            q:removeIndex(artists, { "name" }, given())
            q:addConstraint(artists, given{ type = "unique", fields = { "name" }, name = "one_name" })
            q:addConstraint(artists, given{ type = "check", name = "named", where = { name = Op.ne "" } })
            assert.equal(3, #q:showConstraints(artists, given()))
            q:removeConstraint(artists, "named", given())
            q:removeConstraint(artists, "one_name", given())
            assert.equal(1, #q:showIndexes(artists, given()))
          end)
        end)

        it("has its own rows and keys", function()
          of_each(function(artists, given)
            q:bulkInsert(artists, { { id = 50, name = "ann" } }, given())
            q:resetSequence(artists, given())
            assert.equal(51, Artist:create{}.id)
            Artist:destroy{ all = true }
          end)
          assert.equal(0, Other:count())
        end)

        it("is referred to, by models and by names", function()
          q:addColumn(Album, "by_model", { type = liga.BIGINT, references = Artist })
          q:addColumn("albums", "by_name", { type = liga.BIGINT, references = "artists" }, { schema = "shop" })
          q:addColumn(Other, "abroad", { type = liga.BIGINT, references = { model = Artist, key = "id" } })
          q:addColumn(Other, "after", liga.BIGINT)
          q:addConstraint(Other, { type = "foreign key", fields = { "after" }, references = Artist, name = "after_fk" })
          q:addConstraint("albums", { type = "foreign key", fields = { "artist_id" }, name = "artist_fk",
            references = { table = "artists" }, schema = "shop" })
          local ann = Artist:create{ name = "ann" }
          for _, column in ipairs { "by_model", "by_name", "artist_id" } do
            q:bulkInsert(Album, { { [column] = ann.id } })
          end
          q:bulkInsert(Other, { { abroad = ann.id, after = ann.id } })
          support.raises("ForeignKeyConstraintError", function() ann:destroy() end)
        end)

        it("has tables made, renamed and dropped in it", function()
          q:createTable("songs", { id = liga.INTEGER, kind = liga.ENUM { "a", "b" },
            artist = { type = liga.BIGINT, references = Artist } }, { schema = "shop" })
          assert.is_false(q:tableExists "songs")
          q:renameTable("songs", "tunes", { schema = "shop" })
          assert.same({ "albums", "artists", "tunes" }, q:showAllTables{ schema = "shop" })
          q:dropTable("tunes", { schema = "shop" })
          q:dropTable(Album)
          q:dropTable(Artist)
          assert.same({}, q:showAllTables{ schema = "shop" })
          assert.is_true(q:tableExists(Other))
        end)

        it("has errors of constraints that name its models", function()
          q:addConstraint(Artist, { type = "unique", fields = { "name" } })
          q:addConstraint(Other, { type = "unique", fields = { "born" } })
          for model, attribute in pairs { [Artist] = "name", [Other] = "born" } do
            model:create{ [attribute] = 5 }
            local e = support.raises("UniqueConstraintError", function() model:create{ [attribute] = 5 } end)
            assert.same({ model.name, { attribute } }, { e.model, e.attributes })
          end
          db:query "CREATE TABLE albums (id BIGSERIAL PRIMARY KEY, born BIGINT REFERENCES artists)"
          db:define("Record", { bornId = { type = liga.BIGINT, columnName = "born", references = Other } },
            { tableName = "albums", timestamps = false })
          local e = support.raises("ForeignKeyConstraintError", function() db.models.Record:create{ bornId = 77 } end)
          assert.same({ "Record", { "bornId" } }, { e.model, e.attributes })
          e = support.raises("ForeignKeyConstraintError", function()
            db:query "INSERT INTO shop.albums (artist_id) VALUES (77)"
          end)
          assert.equal("Album", e.model)
        end)

        it("has errors of changed columns that name its models", function()
          local cases = { [Artist] = { "name", "Björk", liga.INTEGER }, [Other] = { "born", 70000, liga.SMALLINT } }
          for model, case in pairs(cases) do
            local attribute, value, narrow = table.unpack(case)
            model:create{ [attribute] = value }
            local e = support.raises("DatabaseError", function() q:changeColumn(model, attribute, narrow) end)
            assert.same({ model.name, attribute, value }, { e.model, e.attribute, e.value })
          end
        end)

        it("has the junctions of its models", function()
          Artist:belongsToMany(Other, { through = "Likes" })
          Other:belongsToMany(Album, { through = "Hears" })
          db:model("Likes"):sync()
          db:model("Hears"):sync()
          assert.is_true(q:tableExists("Likes", { schema = "shop" }))
          assert.is_false(q:tableExists "Likes")
          assert.is_true(q:tableExists "Hears")
          local artist, other = Artist:create{}, Other:create{ born = 7 }
          artist:addOther(other)
          assert.equal(7, Artist:findOne{ include = "others" }.others[1].born)
        end)

        it("is the one that a reference by a table's name is looked for in first", function()
          local Song = db:define("Song", {
            artistId = { type = liga.BIGINT, references = "artists" },
          }, { schema = "shop" })
          assert.equal("Artist", Song.attributes.artistId.references.model)
          local Tune = db:define("Tune", { artistId = { type = liga.BIGINT, references = "artists" } })
          assert.equal("Other", Tune.attributes.artistId.references.model)
          local Tone = db:define("Tone", {
            artistId = { type = liga.BIGINT, references = { table = "artists", schema = "shop", key = "id" } },
          })
          assert.equal("Artist", Tone.attributes.artistId.references.model)
          local Deal = db:define("Deal", {
            a = { type = liga.BIGINT, references = { table = "albums", schema = "nowhere", key = "id" } },
          })
          assert.is_nil(Deal.attributes.a.references.model)
        end)
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
