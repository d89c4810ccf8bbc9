--- The database that the monkey plays with: models of every kind, rows in them, and objects that are of no use.
local garbage = require "spec.support.monkey.garbage"
local liga = require "liga"

local random = math.random

local World = {}
World.__index = World

-- Models -------------------------------------------------------------------------------------------------------------

--- All have the attributes name, age and meta, so that the same arguments fit them.
local function attributes(more)
  local list = {
    name = { type = liga.STRING(40), index = true }, age = liga.INTEGER, meta = liga.JSON, price = liga.DECIMAL(8, 2),
    score = liga.DOUBLE, active = liga.BOOLEAN, born = liga.DATE, photo = liga.BLOB,
  }
  for name, value in pairs(more or {}) do list[name] = value end
  return list
end

--- A model whose hooks, setters, getters, validators, defaults and scopes misbehave when the world does.
local function define_wild(w, db)
  local function misbehave() return w:misbehave() end
  local function hook(row) w:misbehave(row) end
  return db:define("Wild", attributes {
    nick = { type = liga.STRING, defaultValue = function() misbehave() return "nick" end },
    shown = { type = liga.VIRTUAL, get = function(self) misbehave() return self.name end, set = function(self, value)
      misbehave()
      self.name = value
    end },
    title = { type = liga.STRING, set = function(_, value) misbehave() return value end,
      get = function(_, stored) misbehave() return stored end,
      validate = { mine = misbehave } },
  }, {
    paranoid = true, version = true, validate = { all = misbehave },
    defaultScope = { where = { [liga.Op.or_] = { { age = liga.null }, { age = { [liga.Op.lt] = 1000000 } } } } },
    scopes = { old = { where = { age = { [liga.Op.gt] = 1 } } }, of = function(age) misbehave()
      return { where = { age = age } } end },
    hooks = {
      beforeValidate = hook, afterValidate = hook, beforeSave = hook, beforeCreate = hook, beforeUpdate = hook,
      afterCreate = hook, afterUpdate = hook, afterSave = hook, beforeDestroy = hook, afterDestroy = hook,
      beforeRestore = hook, afterRestore = hook, beforeBulkCreate = misbehave, afterBulkCreate = misbehave,
      beforeBulkUpdate = misbehave, afterBulkUpdate = misbehave, beforeBulkDestroy = misbehave,
      afterBulkDestroy = misbehave, beforeFind = misbehave, afterFind = misbehave, beforeCount = misbehave,
      beforeUpsert = misbehave, afterUpsert = misbehave,
    },
  })
end

local function define_all(w, db)
  local User = db:define("User", attributes())
  local Profile, Tag = db:define("Profile", attributes()), db:define("Tag", attributes(), { underscored = true })
  local Post = db:define("Post", attributes { slug = { type = liga.STRING, unique = true } }, { paranoid = true })
  local Pair = db:define("Pair", attributes { a = { type = liga.INTEGER, primaryKey = true },
    b = { type = liga.STRING(20), primaryKey = true } }, { timestamps = false })
  db:define("Loose", attributes(), { primaryKey = false })
  local Wild = define_wild(w, db)
  User:hasOne(Profile, { dependent = "destroy" })
  User:hasMany(Post, { as = "posts", foreignKey = "authorId", inverse = { as = "author" }, order = { "name" } })
  User:belongsToMany(User, { as = "friends", through = "Friendship", inverse = { as = "befriended" } })
  Post:belongsToMany(Tag, { through = "PostTag", scope = { age = 5 } })
  User:hasMany(Tag, { as = "tags", through = "posts.tags" })
  Pair:hasMany(User, { as = "members", foreignKey = { "pairA", "pairB" } })
  User:hasMany(Wild, { as = "wilds", dependent = "destroy" })
  Wild:belongsToMany(Post, { as = "pages", through = "WildPage", inverse = { as = "readers" } })
  Wild:hasOne(Wild, { as = "child", inverse = { as = "parent" } })
  db:define("Probe", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
end

local function fill(w)
  local db = w.db
  for _, name in ipairs { "User", "Profile", "Post", "Tag", "Loose", "Wild" } do
    db:model(name):bulkCreate { { name = "a", age = 1, meta = { a = { 1, 2 } } }, { name = "b", age = 2, score = 1.5 },
      { name = "c" } }
  end
  db:model "Pair":bulkCreate { { a = 1, b = "x", name = "a" }, { a = 1, b = "y", age = 4 } }
  local users, posts = db:model "User":findAll { order = "id" }, db:model "Post":findAll { order = "id" }
  users[1]:setPosts { posts[1], posts[2] }
  users[1]:addFriend(users[2])
  users[1]:setWilds { 1, 2 }
  posts[1]:addTags { 1, 2 }
  db:model "Pair":findOne { order = { "a", "b" } }:addMember(users[1])
end

-- Objects of no use --------------------------------------------------------------------------------------------------

local function open_other()
  local db = liga.connect "sqlite::memory:"
  local User = db:define("User", { name = liga.STRING, age = liga.INTEGER }, { timestamps = false })
  User:hasMany(db:define("Post", { name = liga.STRING }, { timestamps = false }))
  db:sync()
  return db, User:create { name = "other" }
end

local function make_foreigners(w)
  w.other, w.others = open_other()
  w.others_class, w.others_association = liga.modelOf(w.others), liga.modelOf(w.others).associations[1]
  w.others_transaction = w.other:transaction()
  w.closed, w.closeds = open_other()
  w.closed:close()
  w.closeds_class = liga.modelOf(w.closeds)
  w.finished = w.db:transaction()
  w.finished:rollback()
end

--- A fresh world.
-- @param engine of spec.support
function World.open(engine)
  local w = setmetatable({ engine = engine, mischief = false }, World)
  w.db = engine:open { pool = { max = 3 } }
  define_all(w, w.db)
  w.db:sync()
  fill(w)
  make_foreigners(w)
  w.shape = w:describe()
  return w
end

--- Closes everything; an error here is a leak of the calls before.
function World:close()
  self.mischief = false
  self.others_transaction:rollback()
  self.other:close()
  collectgarbage()
  self.db:close()
end

-- Parts --------------------------------------------------------------------------------------------------------------

local names = { "User", "Profile", "Post", "Tag", "Pair", "Loose", "Wild" }

--- A model.
function World:model(name) return self.db:model(name or names[random(#names)]) end

--- A row of a model, read anew.
function World:stored(name)
  self.calm = true
  local class = self:model(name)
  local row = class:findOne { order = liga.literal "random()", transaction = self.transaction } or class:build()
  self.calm = false
  return row
end

function World:destroyed()
  self.calm = true
  local row = self:model "Tag":create({ name = "gone" }, { transaction = self.transaction })
  row:destroy { transaction = self.transaction }
  self.calm = false
  return row
end

--- An association of a model.
function World:association(class)
  local list = (class or self:model()).associations
  return #list > 0 and list[random(#list)] or self:model "User".associations[random(#self:model "User".associations)]
end

-- Mischief -----------------------------------------------------------------------------------------------------------

--- A call of liga where nobody expects it.
-- @param late whether it is a finalizer that calls, nobody knows when
function World:reenter(late)
  if self.entered then return end
  self.entered = true
  local done <close> = setmetatable({}, { __close = function() self.entered = false end })
  local User = self.db:model "User"
  pcall(({
    function() User:count() end, function() User:findAll { include = { "posts" } } end,
    function() User:create { name = "again" } end, function() self.db:query "SELECT 1" end,
    function() self.db:transaction(function() User:create { name = "again" } end) end, collectgarbage,
    function()
      self.db:close()
      self.shut = true
    end,
  })[random(late and 6 or 7)])
  return done and nil
end

--- What the wild model's functions do while `mischief` is set: one of these, rarely.
function World:misbehave(row)
  if not self.mischief or self.calm or random() > 0.3 then return end
  local kind = random(8)
  if kind == 1 then error(garbage.bomb, 0)
  elseif kind == 2 then collectgarbage()
  elseif kind == 3 and coroutine.isyieldable() then coroutine.yield()
  elseif kind == 4 then self:reenter()
  elseif kind == 5 and row and row.destroy then
    self.calm = true
    pcall(row.destroy, row, { force = random() < 0.5 })
    self.calm = false
  elseif kind == 6 and row then
    row[({ "name", "age", "id", "zzz" })[random(4)]] = (garbage.pick(self))
  elseif kind == 7 and row then
    for name in pairs(row) do row[name] = nil end
  end
end

-- Looks --------------------------------------------------------------------------------------------------------------

--- The models, their attributes and associations as a text.
function World:describe()
  local texts = {}
  for name, class in pairs(self.db.models) do
    local parts = { name, class.tableName }
    for _, attribute in ipairs(class.attributes) do parts[#parts + 1] = attribute.name end
    for _, association in ipairs(class.associations) do parts[#parts + 1] = tostring(association) end
    texts[#texts + 1] = table.concat(parts, " ")
  end
  table.sort(texts)
  return table.concat(texts, "\n")
end

--- The database does what it did: rows are written and read, no transaction is open, no connection is missing.
function World:probe()
  local db, Probe = self.db, self.db:model "Probe"
  assert(db:currentTransaction() == nil, "a transaction was left open")
  local row = Probe:create { name = "p" }
  assert(Probe:findByPk(row.id) == row)
  db:transaction(function() row:update { age = 2 } end)
  assert(row:reload().age == 2)
  row:destroy()
  if self.engine.kind == "memory" then return end
  local first <close> = db:transaction { mode = "deferred" }
  local second <close> = db:transaction { mode = "deferred" }
  Probe:count()
  Probe:count { transaction = first }
  Probe:count { transaction = second }
end

return World
