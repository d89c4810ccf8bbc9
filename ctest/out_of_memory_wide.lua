--- Another scenario of out_of_memory.c, of what puts many statements and rows together: includes of every strategy,
-- nested and bulk writes, links over junctions, pages, batches, hooks, reflection and sync.

local scenario = dofile "ctest/out_of_memory.lua"

local function define(db)
  local liga = require "liga"
  local function add(row) row.age = (row.age or 0) + 1 end
  local User = db:define("User", {
    name = { type = liga.STRING, unique = true, validate = { len = { 1, 20 } } }, age = liga.INTEGER, data = liga.JSON,
    shown = { type = liga.VIRTUAL, get = function(self) return self.name .. "!" end },
  }, { paranoid = true, hooks = { beforeCreate = add, afterFind = function() end }, scopes = { old = {
    where = { age = { [liga.Op.gt] = 0 } } } } })
  local Post = db:define("Post", { title = liga.STRING(40), price = liga.DECIMAL(20, 2) }, { version = true })
  local Tag = db:define("Tag", { word = { type = liga.TEXT, primaryKey = true } })
  User:hasMany(Post, { as = "posts", dependent = "destroy" })
  Post:belongsToMany(Tag, { through = "PostTag", as = "tags" })
  User:hasMany(Tag, { as = "words", through = "posts.tags" })
  return User, Post, Tag
end

local function write(db, User, Post, Tag)
  local ann = User:create({ name = "ann", data = { 1, { a = "b" } }, posts = { { title = "one", tags = { {
    word = "a" }, { word = "b" } } }, { title = "two" } } }, { include = { posts = { include = "tags" } } })
  Tag:bulkCreate({ { word = "b" }, { word = "c" }, { word = "d" } }, { ignoreDuplicates = true })
  User:bulkCreate({ { name = "bob" }, { name = "cid" } }, { returning = true })
  Tag:upsert { word = "c" }
  User:findOrCreate { where = { name = "bob" }, defaults = { age = 3 } }
  local post = ann:getPosts { order = "id" }[1]
  post:setTags { "b", "c", Tag:build { word = "e" } }
  post:removeTag "b"
  post:addTags { "a", "d" }
  pcall(post.addTag, post, "none")
  db:transaction(function(t)
    post:update({ price = "1.50" }, { transaction = t })
    pcall(db.transaction, db, function() User:destroy { where = { name = "bob" } } error "no" end)
  end)
  assert(post:countTags() == 4 and Post:sum "price" == "1.50")
end

local function read(db, User)
  local liga = require "liga"
  for _, strategy in ipairs { "select", "join" } do
    local found = User:findAll { include = { { association = "posts", strategy = strategy, limit = 2, order = "title",
      include = { { association = "tags", strategy = strategy } } }, "words" }, order = "name", limit = 2 }
    assert(#found == 2 and #found[1].posts == 2 and #found[1].words == 4)
    assert(found[1]:toTable { nulls = true }.shown == "ann!" and liga.json.encode(found))
  end
  assert(User:count { where = { ["posts.tags.word"] = "a" } } == 1)
  local users, info = User:page { order = "name", size = 2 }
  assert(#users == 2 and #User:page { order = "name", size = 2, after = info.after } == 1)
  for user in User:scope "old":each { batch = 1 } do assert(user.name) end
  db:preload(users, { posts = { include = { "tags" } } })
  assert(#users[1].posts[1].tags == 4 and User:explain { include = { "posts" } })
  users[1]:destroy()
  users[1]:restore()
end

function scenario.run()
  local liga = require "liga"
  local db = liga.connect "sqlite::memory:"
  scenario.db = db                                  -- looked at afterwards
  local User, Post, Tag = define(db)
  db:sync()
  write(db, User, Post, Tag)
  read(db, User)
  assert(liga.reflect.source(db):find "PostTag")
  db:sync { alter = true }
  local q = db:queryInterface()
  q:addColumn("Tags", "more", liga.INTEGER)
  q:changeColumn("Tags", "more", liga.STRING)
  db:drop()
  scenario.db = nil
  db:close()
end

return scenario
