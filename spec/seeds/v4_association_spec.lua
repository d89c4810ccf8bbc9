--- Sequelize's v4 page on associations (class Association), example by example: users, their pictures, and the one
--- that is their profile picture.
local liga = require "liga"
local support = require "spec.support"
local sorted = support.sorted

for engine in support.engines() do
  describe("The v4 association page on " .. engine.name, function()
    local db, User, Picture

    before_each(function()
      db = engine:open()
      User = db:define("User", { name = liga.STRING })
      Picture = db:define("Picture", { title = liga.STRING, format = liga.STRING })
    end)
    after_each(function() db:close() end)

    describe("the four kinds", function()
      it("hasOne adds a key to the target and singular methods to the source", function()
        User:hasOne(Picture)
        assert.is_table(Picture.attributes.userId)
        assert.is_function(User:build({}).setPicture)
      end)

      it("belongsTo adds a key and singular methods to the source", function()
        User:belongsTo(Picture)
        assert.is_table(User.attributes.pictureId)
        assert.is_function(User:build({}).setPicture)
      end)

      it("hasMany adds a key to the target and plural methods to the source", function()
        User:hasMany(Picture)
        assert.is_table(Picture.attributes.userId)
        assert.is_function(User:build({}).setPictures)
      end)

      it("belongsToMany makes a junction with both keys and adds plural methods to the source", function()
        User:belongsToMany(Picture, { through = "UserPicture" })
        assert.is_table(db:model("UserPicture").attributes.userId)
        assert.is_table(db:model("UserPicture").attributes.pictureId)
        assert.is_function(User:build({}).setPictures)
      end)

      it("all CASCADE on update; on delete SET NULL, but CASCADE for n:m", function()
        User:hasMany(Picture)
        User:belongsTo(Picture, { as = "ProfilePicture" })
        local Tag = db:define("Tag", {})
        Picture:belongsToMany(Tag, { through = "PictureTag" })
        for _, key in ipairs {
          { Picture.attributes.userId, "SET NULL" }, { User.attributes.profilePictureId, "SET NULL" },
          { db:model("PictureTag").attributes.pictureId, "CASCADE" },
          { db:model("PictureTag").attributes.tagId, "CASCADE" },
        } do
          assert.equal(key[2], key[1].onDelete)
          assert.equal("CASCADE", key[1].onUpdate)
        end
      end)
    end)

    describe("users, pictures and a profile picture", function()
      local user, p1, p2, p3
      before_each(function()
        User:hasMany(Picture)
        User:belongsTo(Picture, { as = "ProfilePicture", constraints = false })
        db:sync()
        user = User:create { name = "ann" }
        p1 = Picture:create { title = "one", format = "jpg" }
        p2 = Picture:create { title = "two", format = "png" }
        p3 = Picture:create { title = "three", format = "jpg" }
      end)

      it("getPictures gets all, getProfilePicture only the one", function()
        user:setPictures { p1, p2 }
        user:setProfilePicture(p2)
        assert.same({ "one", "two" }, sorted(user:getPictures(), "title"))
        assert.is_true(user:getProfilePicture() == p2)
        assert.equal(p2.id, user.profilePictureId)
      end)

      it("include takes the model, and the model with the alias spelled as it was declared", function()
        user:setPictures { p1, p2 }
        user:setProfilePicture(p2)
        local include = { { model = Picture }, { model = Picture, as = "ProfilePicture" } }
        for _ = 1, 2 do
          local found = User:findAll { where = { name = "ann" }, include = include }[1]
          assert.same({ "one", "two" }, sorted(found.pictures, "title"))
          assert.equal("two", found.ProfilePicture.title)
          include[1], include[2] = include[2], include[1]
        end
        support.raises("EagerLoadingError", function()
          User:findAll { include = { { model = Picture }, { model = Picture, as = "profilePicture" } } }
        end, "ProfilePicture")
      end)

      it("getPictures takes a where: only pictures in JPG", function()
        user:setPictures { p1, p2, p3 }
        local pictures = user:getPictures { where = { format = "jpg" } }
        assert.same({ "one", "three" }, sorted(pictures, "title"))
      end)

      it("addPicture adds a single picture", function()
        user:addPicture(p1)
        assert.same({ "one" }, sorted(user:getPictures(), "title"))
      end)

      it("setPictures associates the user with only these two", function()
        user:addPicture(p3)
        user:setPictures { p1, p2 }
        assert.same({ "one", "two" }, sorted(user:getPictures(), "title"))
      end)

      it("addPictures leaves the current ones", function()
        user:addPicture(p3)
        user:addPictures { p1, p2 }
        assert.same({ "one", "three", "two" }, sorted(user:getPictures(), "title"))
      end)

      it("addPicture takes the primary key of the picture", function()
        user:addPicture(p2.id)
        assert.same({ "two" }, sorted(user:getPictures(), "title"))
      end)

      it("constraints = false leaves the cycle without a second constraint", function()
        assert.is_nil(User.attributes.profilePictureId.references)
        assert.equal("Users", Picture.attributes.userId.references.table)
      end)
    end)

    it("a cycle of constraints is no error here: sync solves it", function()
      User:hasMany(Picture)
      User:belongsTo(Picture, { as = "ProfilePicture" })
      db:sync()
      local user = User:create { name = "ann" }
      user:setProfilePicture(user:createPicture { title = "one" })
      assert.equal("one", user:reload():getProfilePicture().title)
      db:sync { force = true }
      assert.equal(0, User:count())
    end)

    describe("full control over the key", function()
      it("foreignKey as a string names it", function()
        User:hasMany(Picture, { foreignKey = "uid" })
        assert.is_table(Picture.attributes.uid)
        assert.is_nil(Picture.attributes.userId)
      end)

      it("foreignKey as a table defines it: this one can't be NULL", function()
        User:hasMany(Picture, { foreignKey = { name = "uid", allowNull = false } })
        db:sync()
        assert.is_false(Picture.attributes.uid.allowNull)
        support.raises("ValidationError", function() Picture:create { title = "x" } end, "uid")
      end)
    end)

    it("the association knows type, source and target", function()
      local pictures = User:hasMany(Picture)
      assert.equal("hasMany", pictures.type)
      assert.is_true(pictures.source == User)
      assert.is_true(pictures.target == Picture)
    end)
  end)
end
