--- Annotations name everything that models have at run time.
local annotations = require "liga.annotations"
local liga = require "liga"

describe("annotations", function()
  local db
  before_each(function()
    db = liga.connect "sqlite::memory:"
    local User = db:define("User", {
      name = { type = liga.STRING(20), allowNull = false }, age = liga.INTEGER, score = liga.DOUBLE,
      admin = liga.BOOLEAN, data = liga.JSON, kind = liga.ENUM { "a", "b" },
      ["the day"] = liga.DATEONLY, price = liga.DECIMAL(5, 2),
    })
    local Post = db:define("Post", { title = liga.STRING })
    User:hasMany(Post, { as = "posts", inverse = "author" })
    User:hasOne(Post, { as = "pinned", foreignKey = "pinnedById", inverse = "pinnedBy" })
    Post:belongsToMany(User, { through = "Likes", as = "likers", inverse = { as = "likedPosts" } })
    User:belongsToMany(User, { through = "Follows", as = "following", inverse = { as = "followers" } })
    function User.methods.hello() end
    function User.byName() end
  end)
  after_each(function() db:close() end)

  --- class → field → type, as the annotations have them.
  local function fields()
    local classes, class = {}, nil
    for line in annotations.text(db):gmatch "[^\n]+" do
      local name = line:match "^%-%-%-@class ([%w_.]+)"
      if name then
        class = name
        classes[class] = {}
      end
      local field, kind = line:match '^%-%-%-@field %["([^"]+)"%]%?? (.+)$'
      if not field then field, kind = line:match "^%-%-%-@field (%S-)%?? (.+)$" end
      if field then classes[class][field] = kind end
    end
    return classes
  end

  it("are Lua code that runs nothing", function()
    assert(load(annotations.text(db), "annotations", "t", {}))()
  end)

  it("have a class for each model with attributes, associations and all methods", function()
    local classes = fields()
    for name, class in pairs(db.models) do
      local own, of_class = assert(classes[name]), assert(classes[name .. "Model"])
      for _, attribute in ipairs(class.attributes) do assert.is_string(own[attribute.name], attribute.name) end
      for _, association in ipairs(class.associations) do
        assert.is_string(own[association.as], association.as)
        for _, method in pairs(association.accessors) do assert.is_string(own[method], method) end
      end
      for method in pairs(class.methods) do assert.is_string(own[method], method) end
      for _, method in ipairs(liga.methods) do assert.is_string(own[method], method) end
      for method in pairs(require "liga.model".methods) do assert.is_string(of_class[method], method) end
    end
  end)

  it("have the options of finds and of writes, with types, and none that does nothing", function()
    local finds, writes = fields()["liga.FindOptions"], fields()["liga.WriteOptions"]
    assert.same({ "integer", "table|userdata", "table", nil }, { finds.limit, finds.where, finds.transaction })
    assert.same({ "string[]", "boolean", "table", "table" },
      { writes.fields, writes.silent, writes.through, writes.transaction })
    for _, name in ipairs { "plain", "right", "subQuery" } do assert.is_nil(finds[name]) end
    for name, kind in pairs(finds) do assert.not_equal("any", kind, name) end
    for name, kind in pairs(writes) do assert.not_equal("any", kind, name) end
  end)

  it("know the types", function()
    local User = fields().User
    assert.same({ "string", "integer", "number", "boolean", "any", '"a"|"b"', "string", "string" }, {
      User.name, User.age, User.score, User.admin, User.data, User.kind, User["the day"], User.price,
    })
    assert.same({ "Post[]", "Post", "fun(self: User, options?: liga.FindOptions): Post?" },
      { User.posts, User.pinned, User.getPinned })
    assert.equal("fun(self: User, target: Post|any, options?: liga.WriteOptions): Post|true", User.addPost)
    assert.equal("fun(self: UserModel, options: liga.FindOrOptions): User, boolean", fields().UserModel.findOrCreate)
    assert.equal("table", fields()["liga.FindOrOptions"].defaults)
    assert.is_truthy(annotations.text(db):find("---@field name string", 1, true))
    assert.is_truthy(annotations.text(db):find("---@field age? integer", 1, true))
    assert.is_string(fields().UserModel.byName)
  end)
end)
