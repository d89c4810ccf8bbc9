--- Sequelize's v7 page "Association FAQ", example by example.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck = support.raises, support.pluck

for engine in support.engines() do
  describe("The association FAQ on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    describe("Multiple associations to the same model", function()
      it("the inverse of a hasOne is named by inverse.as", function()
        db:define("Person", {
          currentDrivingLicense = liga.hasOne("DrivingLicense", {
            foreignKey = "ownerId",
            inverse = { as = "owner" },
          }),
        })
        local DrivingLicense = db:define("DrivingLicense", {})
        db:sync()
        local person = db:model("Person"):create {}
        local license = person:createCurrentDrivingLicense {}
        assert.equal(person.id, license.ownerId)
        assert.is_true(license:getOwner() == person)
        assert.is_true(person:getCurrentDrivingLicense() == license)
        assert.is_nil(DrivingLicense.associations.person)
      end)

      it("several hasOne to one model need inverses of their own", function()
        local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
        Person:hasOne(DrivingLicense, {
          as = "currentDrivingLicense", foreignKey = "ownerId", inverse = { as = "owner" },
        })
        Person:hasOne(DrivingLicense, {
          as = "issuedDrivingLicense", foreignKey = "issuerId", inverse = { as = "issuer" },
        })
        db:sync()
        local owner, issuer = Person:create {}, Person:create {}
        local license = owner:createCurrentDrivingLicense {}
        issuer:setIssuedDrivingLicense(license)
        assert.is_true(license:getOwner() == owner)
        assert.is_true(license:getIssuer() == issuer)
      end)

      it("otherwise they use the same inverse, which is an error where the keys differ", function()
        local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
        Person:hasOne(DrivingLicense, { as = "currentDrivingLicense", foreignKey = "ownerId" })
        raises("AssociationError", function()
          Person:hasOne(DrivingLicense, { as = "issuedDrivingLicense", foreignKey = "issuerId" })
        end, "inverse")
      end)
    end)

    describe("Self-references", function()
      -- The page leaves out `through`, which belongsToMany requires (there too).
      it("a person has children and parents", function()
        local Person = db:define("Person", {
          name = liga.STRING,
          children = liga.belongsToMany("Person", {
            inverse = { as = "parents" },
            through = "PersonChildren",
          }),
        })
        db:sync()
        local homer, bart = Person:create { name = "homer" }, Person:create { name = "bart" }
        homer:addChild(bart)
        assert.same({ "bart" }, pluck(homer:getChildren(), "name"))
        assert.same({ "homer" }, pluck(bart:getParents(), "name"))
      end)

      it("without through it is an error that names the option", function()
        local Person = db:define("Person", {})
        raises("AssociationError", function()
          Person:belongsToMany(Person, { as = "children", inverse = { as = "parents" } })
        end, "through")
      end)
    end)

    describe("Composite foreign keys", function()
      it("work, unlike there", function()
        local Person = db:define("Person", {
          country = { type = liga.STRING(2), primaryKey = true },
          number = { type = liga.INTEGER, primaryKey = true },
        })
        local DrivingLicense = db:define("DrivingLicense", {})
        Person:hasOne(DrivingLicense)
        db:sync()
        local person = Person:create { country = "pt", number = 7 }
        local license = person:createDrivingLicense {}
        assert.equal("pt", license.personCountry)
        assert.equal(7, license.personNumber)
      end)
    end)

    describe("Customizing foreign keys", function()
      it("by a table of attribute options", function()
        local DrivingLicense = db:define("DrivingLicense", {})
        local Person = db:define("Person", {
          drivingLicense = liga.hasOne("DrivingLicense", {
            foreignKey = { name = "ownerId", columnName = "owner_id" },
          }),
        })
        db:sync()
        assert.equal("owner_id", DrivingLicense.attributes.ownerId.columnName)
        local person = Person:create {}
        assert.equal(person.id, person:createDrivingLicense({}).ownerId)
      end)

      it("by every option of attributes, allowNull and defaultValue included", function()
        local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
        Person:hasOne(DrivingLicense, { foreignKey = { name = "ownerId", allowNull = false, defaultValue = 1 } })
        db:sync()
        assert.is_false(DrivingLicense.attributes.ownerId.allowNull)
        local person = Person:create { id = 1 }
        assert.equal(person.id, DrivingLicense:create({}).ownerId)
      end)

      it("by every option of attributes: functions of yours included", function()
        local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
        Person:hasOne(DrivingLicense, {
          foreignKey = {
            name = "ownerId", unique = true, index = "by_owner", comment = "who drives", validate = { max = 99 },
            set = function(_, value) return value and value % 1000 end,
            get = function(_, stored) return stored and "no. " .. stored end,
          },
        })
        db:sync()
        local person = Person:create { id = 1 }
        local license = DrivingLicense:create { ownerId = 1001 }
        assert.equal(1, license.ownerId)
        assert.equal("no. 1", license:get("ownerId"))
        assert.equal("no. 1", license:toTable().ownerId)
        assert.is_true(person:getDrivingLicense() == license)
        raises("ValidationError", function() DrivingLicense:create { ownerId = 1100 } end, "ownerId", "99")
        raises("UniqueConstraintError", function() DrivingLicense:create { ownerId = 1 } end, "ownerId")
      end)

      it("what makes an attribute the primary key stands in the model", function()
        local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
        raises("UsageError", function()
          Person:hasOne(DrivingLicense, { foreignKey = { name = "ownerId", primaryKey = true } })
        end, "primaryKey", "declare it in the model")
        raises("UsageError", function()
          Person:hasOne(DrivingLicense, { foreignKey = { name = "ownerId", validate = { isEmial = true } } })
        end, "isEmial", "isEmail")
        assert.is_nil(DrivingLicense.attributes.ownerId)
      end)

      it("by declaring the attribute on the model that holds it", function()
        local Person = db:define("Person", {
          drivingLicense = liga.hasOne("DrivingLicense", "ownerId"),
        })
        local DrivingLicense = db:define("DrivingLicense", {
          ownerId = { type = liga.BIGINT, columnName = "owner_id" },
        })
        db:sync()
        assert.equal("owner_id", DrivingLicense.attributes.ownerId.columnName)
        local person = Person:create {}
        person:createDrivingLicense {}
        assert.equal(person.id, person:getDrivingLicense().ownerId)
      end)
    end)

    describe("onDelete and onUpdate", function()
      it("are options of the foreign key", function()
        local DrivingLicense = db:define("DrivingLicense", {})
        local Person = db:define("Person", {
          drivingLicense = liga.hasOne("DrivingLicense", {
            foreignKey = { name = "ownerId", onDelete = "CASCADE", onUpdate = "CASCADE" },
          }),
        })
        db:sync()
        assert.equal("CASCADE", DrivingLicense.attributes.ownerId.onDelete)
        assert.equal("CASCADE", DrivingLicense.attributes.ownerId.onUpdate)
        local person = Person:create {}
        person:createDrivingLicense {}
        person:destroy()
        assert.equal(0, DrivingLicense:count())
      end)

      for _, choice in ipairs { "RESTRICT", "CASCADE", "NO ACTION", "SET DEFAULT", "SET NULL" } do
        it("may be " .. choice, function()
          local Person, DrivingLicense = db:define("Person", {}), db:define("DrivingLicense", {})
          Person:hasOne(DrivingLicense, {
            foreignKey = { name = "ownerId", onDelete = choice, onUpdate = choice },
          })
          db:sync()
          assert.equal(choice, DrivingLicense.attributes.ownerId.onDelete)
          assert.equal(choice, DrivingLicense.attributes.ownerId.onUpdate)
        end)
      end

      it("default to SET NULL for a nullable key, CASCADE for one that is not; CASCADE on update", function()
        local Person = db:define("Person", {})
        local DrivingLicense, Passport = db:define("DrivingLicense", {}), db:define("Passport", {})
        Person:hasOne(DrivingLicense)
        Person:hasOne(Passport, { foreignKey = { allowNull = false } })
        assert.equal("SET NULL", DrivingLicense.attributes.personId.onDelete)
        assert.equal("CASCADE", DrivingLicense.attributes.personId.onUpdate)
        assert.equal("CASCADE", Passport.attributes.personId.onDelete)
        assert.equal("CASCADE", Passport.attributes.personId.onUpdate)
      end)
    end)
  end)
end
