--- Keys of several parts: every kind of association, every accessor.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck, sorted = support.raises, support.pluck, support.sorted

--- The names of a list, joined.
local function names(list) return table.concat(list, ",") end

for engine in support.engines() do
  describe("a composite key on " .. engine.name, function()
    local db, log, Order, Line, first, second

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      Order = db:define("Order", {
        shop = { type = liga.INTEGER, primaryKey = true },
        no = { type = liga.INTEGER, primaryKey = true },
        customer = liga.STRING,
      })
      Line = db:define("Line", { article = liga.STRING })
    end)
    after_each(function() db:close() end)

    local function fill()
      db:sync()
      first = Order:create { shop = 1, no = 1, customer = "ann" }
      second = Order:create { shop = 1, no = 2, customer = "bob" }
      Order:create { shop = 2, no = 1, customer = "cat" }
    end

    describe("is declared", function()
      it("by default after the alias and each part", function()
        assert.equal("orderShop,orderNo", names(Line:belongsTo(Order).foreignKey))
      end)

      it("by a list of names", function()
        local order = Line:belongsTo(Order, { foreignKey = { "shopId", "orderNo" } })
        assert.equal("shopId,orderNo", names(order.foreignKey))
      end)

      it("by a list of names and tables, with named options for all parts", function()
        Line:belongsTo(Order, {
          foreignKey = { { name = "shopId", columnName = "shop_id" }, "orderNo", allowNull = false },
        })
        assert.equal("shop_id", Line.attributes.shopId.columnName)
        assert.is_false(Line.attributes.shopId.allowNull)
        assert.is_false(Line.attributes.orderNo.allowNull)
      end)

      it("by explicit pairs, keyed by the holder", function()
        local order = Line:belongsTo(Order, { foreignKey = { keys = { number = "no", branch = "shop" } } })
        assert.equal("branch,number", names(order.foreignKey))
        assert.equal("shop,no", names(order.targetKey))
      end)

      it("by explicit pairs, keyed by the holder also from the other side", function()
        local lines = Order:hasMany(Line, { foreignKey = { keys = { number = "no", branch = "shop" } } })
        assert.equal("branch,number", names(lines.foreignKey))
        assert.equal("shop,no", names(lines.sourceKey))
        assert.is_table(Line.attributes.branch)
      end)

      it("to other attributes than the primary key by a list as targetKey", function()
        local Room = db:define("Room", { house = liga.STRING(5), door = liga.INTEGER },
          { indexes = { { fields = { "house", "door" }, unique = true } } })
        local room = Line:belongsTo(Room, { targetKey = { "house", "door" } })
        db:sync()
        assert.equal("roomHouse,roomDoor", names(room.foreignKey))
        Room:create { house = "A", door = 7 }
        local line = Line:create { article = "x", roomHouse = "A", roomDoor = 7 }
        assert.equal(7, line:getRoom().door)
      end)

      it("to a unique attribute of the own table", function()
        local Room = db:define("Room", { name = { type = liga.STRING(5), unique = true } })
        Room:belongsTo(Room, { as = "next", targetKey = "name", inverse = "formers" })
        db:sync()
        assert.equal(0, #db:sync { alter = true, dryRun = true })
        local hall = Room:create { name = "hall" }
        assert.equal("hall", hall:createFormer({ name = "hut" }).nextName)
        support.raises("ForeignKeyConstraintError", function() hall:update { nextName = "x" } end)
      end)

      it("to attributes of the own table that a unique index makes a key", function()
        local Room = db:define("Room", { house = liga.STRING(5), door = liga.INTEGER },
          { indexes = { { fields = { "house", "door" }, unique = true } } })
        Room:belongsTo(Room, { as = "next", targetKey = { "house", "door" }, inverse = "formers" })
        db:sync()
        assert.equal(0, #db:sync { alter = true, dryRun = true })
        db:sync { force = true }
        local hall = Room:create { house = "A", door = 1 }
        local room = hall:createFormer { house = "A", door = 2 }
        assert.is_true(room:getNext() == hall)
        assert.same({ "A", 1 }, { room.nextHouse, room.nextDoor })
        support.raises("ForeignKeyConstraintError", function() room:update { nextDoor = 3 } end)
      end)

      it("over attributes the holder has", function()
        local Item = db:define("Item", {
          shop = { type = liga.INTEGER, primaryKey = true },
          nr = { type = liga.INTEGER, primaryKey = true },
        })
        Item:belongsTo(Order, { foreignKey = { "shop", "orderNo" } })
        fill()
        local item = Item:create { shop = 1, nr = 9, orderNo = 2 }
        assert.is_true(item:getOrder() == second)
        assert.equal("shop,nr", names(Item.primaryKey))
      end)

      it("with SET NULL if every part is nullable, with CASCADE if one is not", function()
        Line:belongsTo(Order)
        assert.equal("SET NULL", Line.attributes.orderShop.onDelete)
        local Item = db:define("Item", {})
        Item:belongsTo(Order, { foreignKey = { { name = "shopId", allowNull = false }, "orderNo" } })
        assert.equal("CASCADE", Item.attributes.orderNo.onDelete)
      end)

      it("as one constraint: a pair without a row is refused", function()
        Line:belongsTo(Order)
        fill()
        raises("ForeignKeyConstraintError", function() Line:create { orderShop = 2, orderNo = 2 } end)
        Line:create { orderShop = 2, orderNo = 1 }
      end)

      it("with as many parts as the key it refers to, else AssociationError", function()
        raises("AssociationError", function() Line:belongsTo(Order, { foreignKey = { "shopId" } }) end, "Order")
        raises("AssociationError", function()
          Line:belongsTo(Order, { foreignKey = { "a", "b", "c" } })
        end, "Order")
      end)

      it("with pairs whose referenced attributes exist, else AssociationError", function()
        raises("AssociationError", function()
          Line:belongsTo(Order, { foreignKey = { keys = { a = "shop", b = "number" } } })
        end, "number", "Order")
      end)
    end)

    describe("works in belongsTo:", function()
      local line
      before_each(function()
        Line:belongsTo(Order)
        fill()
        line = Line:create { article = "x" }
      end)

      it("get and set by instance", function()
        line:setOrder(second)
        assert.equal(1, line.orderShop)
        assert.equal(2, line:reload().orderNo)
        assert.is_true(line:getOrder() == second)
      end)

      it("set by key, a list or a map", function()
        assert.is_true(line:setOrder { 2, 1 })
        assert.equal("cat", line:getOrder().customer)
        assert.is_true(line:setOrder { no = 2, shop = 1 })
        assert.equal("bob", line:getOrder().customer)
      end)

      it("clear all parts", function()
        line:setOrder(first)
        line:setOrder(nil)
        assert.is_nil(line:reload().orderShop)
        assert.is_nil(line.orderNo)
      end)

      it("no target if a part is NULL, without a statement", function()
        line.orderShop = 1
        log:clear()
        assert.is_nil(line:getOrder())
        assert.equal(0, #log:statements())
      end)

      it("InstanceError for a key without a row, UsageError for one with a part missing", function()
        raises("InstanceError", function() line:setOrder { 2, 2 } end, "Order")
        raises("UsageError", function() line:setOrder { 1 } end)
        raises("UsageError", function() line:setOrder(1) end)
        assert.is_nil(line:reload().orderNo)
      end)

      it("create", function()
        line:createOrder { shop = 3, no = 3 }
        assert.equal(3, line:reload().orderShop)
        assert.equal(3, line.orderNo)
      end)
    end)

    describe("works in hasOne:", function()
      it("get, set and create leave exactly one row linked", function()
        Order:hasOne(Line)
        fill()
        local x, y = Line:create { article = "x" }, Line:create { article = "y" }
        first:setLine(x)
        second:setLine(y)
        assert.equal("x", first:getLine().article)
        first:createLine { article = "z" }
        assert.equal("z", first:getLine().article)
        assert.is_nil(x:reload().orderNo)
        assert.equal("y", second:getLine().article)
      end)
    end)

    describe("works in hasMany", function()
      local x, y, z
      before_each(function()
        Order:hasMany(Line)
        fill()
        x, y, z = Line:create { article = "x" }, Line:create { article = "y" }, Line:create { article = "z" }
      end)

      it("for every accessor of the source", function()
        first:addLines { x, y.id }
        second:addLine(z)
        assert.same({ "x", "y" }, sorted(first:getLines(), "article"))
        assert.equal(2, first:countLines())
        assert.is_true(first:hasLines { x, y })
        assert.is_false(first:hasLine(z))
        assert.equal(1, first:removeLine(x))
        first:setLines { z }
        assert.same({ "z" }, pluck(first:getLines(), "article"))
        assert.equal(0, second:countLines())
        assert.is_true(first:createLine({ article = "w" }):getOrder() == first)
      end)

      it("and keeps all parts of the instances handed over up to date", function()
        second:addLines { x, y }
        assert.equal(1, x.orderShop)
        assert.equal(2, y.orderNo)
        second:removeLines { x, y }
        assert.is_nil(x.orderShop)
        assert.is_nil(x:reload().orderNo)
      end)
    end)

    describe("of the targets works", function()
      local Shop, shop
      before_each(function()
        Shop = db:define("Market", {})
        Shop:hasMany(Order)
        fill()
        shop = Shop:create {}
      end)

      it("in lists of instances and keys mixed", function()
        shop:addOrders { first, { 1, 2 }, { shop = 2, no = 1 } }
        assert.equal(3, shop:countOrders())
        assert.is_true(shop:hasOrder { 1, 1 })
        assert.is_true(shop:hasOrders { first, { 2, 1 } })
        assert.equal(2, shop:removeOrders { { 1, 1 }, { 1, 2 } })
        shop:setOrders { { 1, 2 } }
        assert.same({ "bob" }, pluck(shop:getOrders(), "customer"))
      end)

      it("alone in the singular methods", function()
        assert.is_true(shop:addOrder { 1, 2 })
        assert.is_true(shop:hasOrder { 1, 2 })
        assert.is_false(shop:hasOrder { 2, 1 })
        assert.equal(1, shop:removeOrder { shop = 1, no = 2 })
      end)

      it("part by part: two keys that read alike are two", function()
        Order:create { shop = 11, no = 1 }
        Order:create { shop = 1, no = 11 }
        shop:addOrder { 11, 1 }
        assert.is_false(shop:hasOrder { 1, 11 })
        assert.is_true(shop:hasOrder { 11, 1 })
      end)

      it("and raises InstanceError if one of them has no row, linking nothing", function()
        raises("InstanceError", function() shop:addOrders { { 1, 1 }, { 9, 9 } } end, "Order")
        assert.equal(0, shop:countOrders())
      end)
    end)

    describe("works in belongsToMany", function()
      local Tag, OrderTag, urgent, gift
      before_each(function()
        Tag = db:define("Tag", { name = liga.STRING })
        OrderTag = Order:belongsToMany(Tag, { through = "OrderTag" }).through
        fill()
        urgent, gift = Tag:create { name = "urgent" }, Tag:create { name = "gift" }
      end)

      it("with every part in the junction's key", function()
        local tags = Order.associations.tags
        assert.equal("orderShop,orderNo", names(tags.foreignKey))
        assert.equal("tagId", names(tags.otherKey))
        local key = table.move(OrderTag.primaryKey, 1, #OrderTag.primaryKey, 1, {})
        table.sort(key)
        assert.equal("orderNo,orderShop,tagId", names(key))
      end)

      it("for every accessor of the source", function()
        first:addTags { urgent, gift.id }
        first:addTag(gift)
        second:setTags { gift }
        assert.same({ "gift", "urgent" }, sorted(first:getTags(), "name"))
        assert.equal(2, first:countTags())
        assert.is_true(second:hasTags({ gift }, { exact = true }))
        assert.equal(1, first:removeTag(urgent))
        first:createTag { name = "late" }
        assert.same({ "gift", "late" }, sorted(first:getTags(), "name"))
        assert.same({ "gift" }, pluck(second:getTags(), "name"))
      end)

      it("for every accessor of the target", function()
        gift:addOrders { first, { 2, 1 }, { 2, 1 } }
        assert.same({ "ann", "cat" }, sorted(gift:getOrders(), "customer"))
        assert.is_true(gift:hasOrder { shop = 2, no = 1 })
        assert.equal(1, gift:removeOrder(first))
        gift:setOrders { second }
        assert.same({ "bob" }, pluck(gift:getOrders(), "customer"))
      end)

      it("of a model with itself", function()
        Order:belongsToMany(Order, { as = "causes", inverse = { as = "effects" }, through = "Causation" })
        db:sync()
        first:addCause(second)
        assert.is_true(first:getCauses()[1] == second)
        assert.is_true(second:getEffects()[1] == first)
        assert.equal(0, second:countCauses())
      end)
    end)
  end)
end
