--- hasOne: the foreign key stands on the target, which is one row at most.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  describe("hasOne on " .. engine.name, function()
    local db, log, Person, Licence, ann, bob

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      Person = db:define("Person", { name = liga.STRING })
      Licence = db:define("Licence", { number = { type = liga.STRING, allowNull = false } })
    end)
    after_each(function() db:close() end)

    local function declare(options)
      local association = Person:hasOne(Licence, options)
      db:sync()
      ann, bob = Person:create { name = "ann" }, Person:create { name = "bob" }
      return association
    end

    local function linked(person)
      return Licence:count { where = { personId = person.id } }
    end

    describe("declares the key", function()
      it("on the target, named after the source and its key", function()
        declare()
        assert.equal("People", Licence.attributes.personId.references.table)
        assert.equal("SET NULL", Licence.attributes.personId.onDelete)
        assert.equal("CASCADE", Licence.attributes.personId.onUpdate)
        assert.is_nil(Person.attributes.licenceId)
      end)

      it("named after the inverse, not after its own alias", function()
        declare { as = "permit", inverse = { as = "owner" } }
        assert.is_table(Licence.attributes.ownerId)
        assert.is_nil(Licence.attributes.permitId)
        assert.is_nil(Licence.attributes.personId)
      end)

      it("that is not unique by itself", function()
        declare()
        Licence:create { number = "1", personId = ann.id }
        Licence:create { number = "2", personId = ann.id }
        assert.equal(2, linked(ann))
      end)

      it("with a unique index by uniqueForeignKey", function()
        declare { uniqueForeignKey = true }
        Licence:create { number = "1", personId = ann.id }
        local e = raises("UniqueConstraintError", function() Licence:create { number = "2", personId = ann.id } end)
        assert.equal("Licence", e.model)
        assert.same({ "personId" }, e.attributes)
      end)

      it("to sourceKey, another attribute of the source", function()
        Person = db:define("Citizen", { code = { type = liga.STRING(9), unique = true } })
        Person:hasOne(Licence, { sourceKey = "code" })
        db:sync()
        local citizen = Person:create { code = "c1" }
        local licence = citizen:createLicence { number = "1" }
        assert.equal("c1", licence.citizenCode)
        assert.is_true(citizen:getLicence() == licence)
        assert.is_true(licence:getCitizen() == citizen)
      end)
    end)

    describe("getLicence", function()
      before_each(function() declare() end)

      it("returns the row that is linked", function()
        local licence = Licence:create { number = "1", personId = ann.id }
        assert.is_true(ann:getLicence() == licence)
      end)

      it("returns nil if there is none", function()
        Licence:create { number = "1" }
        assert.is_nil(ann:getLicence())
      end)

      it("returns of several linked rows the one that an include gives: the first by order, then by key", function()
        local numbers = { "2", "1", "3" }
        for i = 3, 1, -1 do Licence:create { id = i, number = numbers[i], personId = ann.id } end
        Licence:update({ number = "4" }, { where = { id = 1 } })      -- PostgreSQL moves the row behind the others
        assert.equal(1, ann:getLicence().id)
        assert.equal(1, Person:findByPk(ann.id, { include = "licence" }).licence.id)
        assert.equal("1", ann:getLicence { order = "number" }.number)
      end)

      it("takes the options of a finder", function()
        Licence:create { number = "1", personId = ann.id }
        assert.is_nil(ann:getLicence { where = { number = "2" } })
        assert.equal("1", ann:getLicence({ attributes = { "number" } }).number)
      end)

      it("raises InstanceError on an unsaved source instead of finding an orphan", function()
        Licence:create { number = "1" }
        raises("InstanceError", function() Person:build({ name = "x" }):getLicence() end)
      end)
    end)

    describe("setLicence", function()
      before_each(function() declare() end)

      it("links an instance, returns it and keeps its key up to date", function()
        local licence = Licence:create { number = "1" }
        assert.is_true(rawequal(licence, ann:setLicence(licence)))
        assert.equal(ann.id, licence.personId)
        assert.is_nil(licence:changed())
        assert.equal(ann.id, licence:reload().personId)
      end)

      it("takes a primary key and returns true", function()
        local licence = Licence:create { number = "1" }
        assert.is_true(ann:setLicence(licence.id))
        assert.equal(ann.id, licence:reload().personId)
      end)

      it("unlinks the row linked before", function()
        local old, new = Licence:create { number = "1", personId = ann.id }, Licence:create { number = "2" }
        ann:setLicence(new)
        assert.is_nil(old:reload().personId)
        assert.equal(1, linked(ann))
      end)

      it("leaves exactly one row linked where several were", function()
        Licence:create { number = "1", personId = ann.id }
        Licence:create { number = "2", personId = ann.id }
        local new = Licence:create { number = "3" }
        ann:setLicence(new)
        assert.equal(1, linked(ann))
        assert.is_true(ann:getLicence() == new)
        assert.equal(3, Licence:count())
      end)

      it("leaves exactly that row linked which is among several linked already", function()
        local kept = Licence:create { number = "1", personId = ann.id }
        Licence:create { number = "2", personId = ann.id }
        ann:setLicence(kept)
        assert.equal(1, linked(ann))
        assert.equal(ann.id, kept:reload().personId)
      end)

      it("takes the row away from another source", function()
        local licence = Licence:create { number = "1", personId = bob.id }
        ann:setLicence(licence)
        assert.is_nil(bob:getLicence())
        assert.is_true(ann:getLicence() == licence)
      end)

      it("leaves the row of another source alone", function()
        local his = Licence:create { number = "1", personId = bob.id }
        ann:setLicence(Licence:create { number = "2" })
        assert.equal(bob.id, his:reload().personId)
      end)

      it("unlinks with nil and returns nil", function()
        local licence = Licence:create { number = "1", personId = ann.id }
        assert.is_nil(ann:setLicence(nil))
        assert.is_nil(licence:reload().personId)
      end)

      it("raises UsageError without any argument and changes nothing", function()
        Licence:create { number = "1", personId = ann.id }
        raises("UsageError", function() ann:setLicence() end, "setLicence")
        assert.equal(1, linked(ann))
      end)

      it("raises InstanceError for a key without a row and changes nothing", function()
        local licence = Licence:create { number = "1", personId = ann.id }
        raises("InstanceError", function() ann:setLicence(4711) end, "Licence")
        assert.equal(ann.id, licence:reload().personId)
      end)

      it("saves an unsaved target first", function()
        local licence = Licence:build { number = "1" }
        assert.is_true(rawequal(licence, ann:setLicence(licence)))
        assert.is_false(licence:isNew())
        assert.equal(ann.id, licence:reload().personId)
      end)

      it("changes nothing if the unsaved target is not valid", function()
        local old = Licence:create { number = "1", personId = ann.id }
        raises("ValidationError", function() ann:setLicence(Licence:build {}) end, "number")
        assert.equal(ann.id, old:reload().personId)
        assert.equal(1, Licence:count())
      end)

      it("deletes the row linked before with destroyPrevious", function()
        Licence:create { number = "1", personId = ann.id }
        ann:setLicence(Licence:create { number = "2" }, { destroyPrevious = true })
        assert.same({ "2" }, support.sorted(Licence:findAll(), "number"))
      end)

      it("raises UsageError for save = false, which only belongsTo knows", function()
        local licence = Licence:create { number = "1" }
        raises("UsageError", function() ann:setLicence(licence, { save = false }) end, "save")
        assert.is_nil(licence:reload().personId)
      end)

      it("raises InstanceError on an unsaved source", function()
        local licence = Licence:create { number = "1" }
        raises("InstanceError", function() Person:build({ name = "x" }):setLicence(licence) end)
        raises("InstanceError", function() Person:build({ name = "x" }):setLicence(nil) end)
      end)
    end)

    it("setLicence unlinks first and links second, so that a unique key is never in the way", function()
      declare { uniqueForeignKey = true }
      Licence:create { number = "1", personId = ann.id }
      ann:setLicence(Licence:create { number = "2" })
      ann:createLicence { number = "3" }
      ann:setLicence(Licence:build { number = "4" })
      assert.equal("4", ann:getLicence().number)
      assert.equal(4, Licence:count())
    end)

    it("setLicence deletes the row linked before where the key may not be NULL", function()
      declare { foreignKey = { allowNull = false } }
      ann:createLicence { number = "1" }
      ann:setLicence(Licence:build { number = "2" })
      assert.same({ "2" }, support.sorted(Licence:findAll(), "number"))
      ann:setLicence(nil)
      assert.equal(0, Licence:count())
    end)

    it("setLicence translates a raw primary key of the target also if the source is known by another key", function()
      Person = db:define("Citizen", { code = { type = liga.STRING(9), unique = true } })
      Person:hasOne(Licence, { sourceKey = "code" })
      db:sync()
      local licence = Licence:create { number = "1" }
      assert.is_true(Person:create({ code = "c1" }):setLicence(licence.id))
      assert.equal("c1", licence:reload().citizenCode)
    end)

    describe("createLicence", function()
      before_each(function() declare() end)

      it("makes a linked row and returns it", function()
        local licence = ann:createLicence { number = "1" }
        assert.is_false(licence:isNew())
        assert.equal(ann.id, licence.personId)
        assert.is_true(ann:getLicence() == licence)
      end)

      it("leaves exactly one row linked", function()
        local old = ann:createLicence { number = "1" }
        ann:createLicence { number = "2" }
        assert.is_nil(old:reload().personId)
        assert.equal("2", ann:getLicence().number)
        assert.equal(1, linked(ann))
      end)

      it("lets the key win over the values", function()
        local licence = ann:createLicence { number = "1", personId = bob.id }
        assert.equal(ann.id, licence.personId)
        assert.equal(ann.id, licence:reload().personId)
      end)

      it("leaves the values table as it was", function()
        local values = { number = "1" }
        ann:createLicence(values)
        assert.same({ number = "1" }, values)
      end)

      it("changes nothing if the values are not valid", function()
        local old = ann:createLicence { number = "1" }
        raises("ValidationError", function() ann:createLicence {} end, "number")
        assert.equal(ann.id, old:reload().personId)
      end)

      it("raises InstanceError on an unsaved source and makes nothing", function()
        raises("InstanceError", function() Person:build({ name = "x" }):createLicence { number = "1" } end)
        assert.equal(0, Licence:count())
      end)
    end)

    describe("dependent", function()
      it("nil leaves it to the database", function()
        declare()
        local licence = ann:createLicence { number = "1" }
        ann:destroy()
        assert.is_nil(licence:reload().personId)
      end)

      it("'delete' deletes the target before the source is destroyed", function()
        declare { dependent = "delete", constraints = false }
        ann:createLicence { number = "1" }
        bob:createLicence { number = "2" }
        ann:destroy()
        assert.same({ "2" }, support.sorted(Licence:findAll(), "number"))
      end)

      it("'nullify' clears the key before the source is destroyed", function()
        declare { dependent = "nullify", constraints = false }
        local licence = ann:createLicence { number = "1" }
        ann:destroy()
        assert.is_nil(licence:reload().personId)
      end)

      it("'restrict' raises AssociationError while there is a target", function()
        declare { dependent = "restrict", constraints = false }
        local licence = ann:createLicence { number = "1" }
        raises("AssociationError", function() ann:destroy() end, "licence")
        assert.equal(2, Person:count())
        licence:destroy()
        ann:destroy()
        assert.equal(1, Person:count())
      end)
    end)
  end)
end
