--- The scenario of out_of_memory.c: what runs while memory is short, and what must work afterwards in the same state.

local scenario = {}

--- Runs with enough memory, so that modules and drivers are loaded.
function scenario.prepare()
  local liga = require "liga"
  local db <close> = liga.connect "sqlite::memory:"
  db:query "SELECT 1"
end

local function define(db)
  local liga = require "liga"
  local User = db:define("User", {
    name = { type = liga.STRING(20), allowNull = false, unique = true },
    age = liga.INTEGER,
    settings = liga.JSON,
  })
  local Post = db:define("Post", { title = liga.STRING(40) })
  local Tag = db:define("Tag", { word = liga.TEXT })
  User:hasMany(Post, { as = "posts" })
  Post:belongsToMany(Tag, { through = "PostTag", as = "tags" })
  return User, Post, Tag
end

local function write(db, User, Post, Tag)
  local ann = User:create{ name = "ann", age = 30, settings = { colours = { "red", "blue" } } }
  User:bulkCreate{ { name = "bob", age = 1 }, { name = "cid", age = 2 } }
  local post = ann:createPost{ title = "one" }
  ann:addPost(Post:create{ title = "two" })
  post:setTags{ Tag:create{ word = "a" }, Tag:create{ word = "b" } }
  db:transaction(function()
    ann:update{ age = 31 }
    pcall(db.transaction, db, function() error "no" end)
  end)
  User:update({ age = 5 }, { where = { name = "bob" } })
  return ann, post
end

local function read(db, User, ann, post)
  local Op = require "liga".Op
  assert(#User:findAll{ where = { age = { [Op.gt] = 1 }, name = { "ann", "bob" } }, order = { "name" } } == 2)
  assert(#ann:getPosts{ order = { "title" } } == 2 and ann:countPosts() == 2)
  assert(#post:getTags() == 2)
  assert(User:findByPk(ann.id).settings.colours[2] == "blue")
  assert(not pcall(User.create, User, { name = "ann" }))
  assert(db:query("SELECT count(*) AS n FROM Users WHERE name <> ?", { replacements = { "x" } })[1].n == 3)
end

function scenario.run()
  local db = require "liga".connect "sqlite::memory:"
  scenario.db = db                                  -- looked at afterwards
  local User, Post, Tag = define(db)
  db:sync()
  scenario.synced = true
  local ann, post = write(db, User, Post, Tag)
  read(db, User, ann, post)
  ann:destroy()
  scenario.db, scenario.synced = nil, nil
  db:close()
end

--- A database that was open when memory was short still answers, a fresh one does everything.
function scenario.probe()
  local left = scenario.db
  if left then
    assert(left:query("SELECT 42 AS x")[1].x == 42)
    if scenario.synced then left:query "SELECT 1 FROM Users" end        -- the memory database is the one it was
    left:transaction(function() left:query "CREATE TABLE IF NOT EXISTS probes (a)" end)
    left:close()
  end
  scenario.db, scenario.synced = nil, nil
  scenario.run()
end

return scenario
