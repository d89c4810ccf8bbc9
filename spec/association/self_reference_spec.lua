--- Associations of a model with itself.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck, sorted = support.raises, support.pluck, support.sorted

for engine in support.engines() do
  describe("a self-reference on " .. engine.name, function()
    local db, Person

    before_each(function()
      db = engine:open()
      Person = db:define("Person", { name = liga.STRING })
    end)
    after_each(function() db:close() end)

    local function people(...)
      db:sync()
      local list = {}
      for i, name in ipairs { ... } do list[i] = Person:create { name = name } end
      return table.unpack(list)
    end

    it("by belongsTo needs no inverse", function()
      local father = Person:belongsTo(Person, { as = "father" })
      local abe, homer = people("abe", "homer")
      homer:setFather(abe)
      assert.equal("fatherId", father.foreignKey[1])
      assert.is_true(homer:getFather() == abe)
      assert.is_nil(abe:getFather())
    end)

    it("by hasMany names the key after the inverse", function()
      local children = Person:hasMany(Person, { as = "children", inverse = { as = "parent" } })
      local homer, bart, lisa = people("homer", "bart", "lisa")
      homer:addChildren { bart, lisa.id }
      assert.equal("parentId", children.foreignKey[1])
      assert.same({ "bart", "lisa" }, sorted(homer:getChildren(), "name"))
      assert.is_true(bart:getParent() == homer)
      assert.equal(0, #bart:getChildren())
      assert.equal(2, homer:countChildren())
    end)

    it("by hasOne names the key after the inverse", function()
      Person:hasOne(Person, { as = "successor", inverse = { as = "predecessor" } })
      local first, second = people("first", "second")
      first:setSuccessor(second)
      assert.equal(first.id, second.predecessorId)
      assert.is_true(second:getPredecessor() == first)
      assert.is_true(first:getSuccessor() == second)
    end)

    it("by belongsToMany names the keys after the two aliases", function()
      local children = Person:belongsToMany(Person, {
        as = "Children", inverse = { as = "Parents" }, through = "Family",
      })
      assert.equal("parentId", children.foreignKey[1])
      assert.equal("childId", children.otherKey[1])
      local homer, bart = people("homer", "bart")
      homer:addChild(bart)
      assert.same({ "bart" }, pluck(homer:getChildren(), "name"))
      assert.same({ "homer" }, pluck(bart:getParents(), "name"))
      assert.equal(0, #homer:getParents())
    end)

    it("by belongsToMany has two directions that do not mix", function()
      local followers = Person:belongsToMany(Person, {
        as = "followers", inverse = { as = "followings" }, through = "Follow",
      })
      assert.equal("followingId", followers.foreignKey[1])
      assert.equal("followerId", followers.otherKey[1])
      local ann, bob, cat = people("ann", "bob", "cat")
      ann:setFollowers { bob, cat }
      bob:addFollower(ann)
      assert.same({ "bob", "cat" }, sorted(ann:getFollowers(), "name"))
      assert.same({ "bob" }, sorted(ann:getFollowings(), "name"))
      assert.is_true(cat:hasFollowing(ann))
      assert.is_false(cat:hasFollower(ann))
      assert.equal(1, ann:removeFollower(cat))
      assert.same({ "bob" }, pluck(ann:getFollowers(), "name"))
      assert.same({ "ann" }, pluck(bob:getFollowers(), "name"))
    end)

    it("may link a row with itself", function()
      Person:belongsToMany(Person, { as = "friends", inverse = { as = "fans" }, through = "Friendship" })
      local ann = people "ann"
      ann:addFriend(ann)
      assert.is_true(ann:getFriends()[1] == ann)
      assert.is_true(ann:hasFan(ann))
    end)

    it("is told by isSelf", function()
      local Pet = db:define("Pet", {})
      assert.is_true(Person:hasMany(Person, { as = "children", inverse = { as = "parent" } }).isSelf)
      assert.is_false(Person:hasMany(Pet).isSelf)
    end)

    it("works on tables that refer to themselves when all are dropped and made again", function()
      Person:hasMany(Person, { as = "children", inverse = { as = "parent" } })
      local homer = people "homer"
      homer:createChild { name = "bart" }
      db:sync { force = true }
      assert.equal(0, Person:count())
    end)

    for _, kind in ipairs { "hasOne", "hasMany", "belongsToMany" } do
      describe("by " .. kind, function()
        local through = kind == "belongsToMany" and "Link" or nil

        it("without alias raises AssociationError that asks for as and inverse.as", function()
          raises("AssociationError", function() Person[kind](Person, Person, { through = through }) end,
            "Person", "as", "inverse.as")
        end)

        it("without inverse.as raises AssociationError that asks for it", function()
          raises("AssociationError", function()
            Person[kind](Person, Person, { as = "others", through = through })
          end, "inverse.as")
        end)

        it("with one name for both raises AssociationError", function()
          raises("AssociationError", function()
            Person[kind](Person, Person, { as = "same", inverse = { as = "same" }, through = through })
          end, "same")
        end)
      end)
    end
  end)
end
