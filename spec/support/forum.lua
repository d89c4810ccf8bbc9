--- The models of the include specs: users write posts and comments, posts have tags over PostTag, a user has a profile.
--
--     ann: posts p1 (comments c1 by bob, c2 by ann; tags lua, sql), p2 (comment c3 by bob; tag lua), p3
--     bob: post q1 (comment c4, by nobody)
--     cat: nothing; dan is her boss
local liga = require "liga"
local support = require "spec.support"

local forum = {}

function forum.define(db)
  local models = {}
  models.User = db:define("User", { name = liga.STRING(40), age = liga.INTEGER }, { timestamps = false })
  models.Profile = db:define("Profile", { text = liga.STRING }, { timestamps = false })
  models.Post = db:define("Post", { title = liga.STRING, score = liga.INTEGER }, { timestamps = false })
  models.Comment = db:define("Comment", { text = liga.STRING, likes = liga.INTEGER }, { timestamps = false })
  models.Tag = db:define("Tag", { name = liga.STRING }, { timestamps = false })
  models.PostTag = db:define("PostTag", { weight = liga.INTEGER }, { timestamps = false })
  models.User:hasOne(models.Profile)
  models.User:hasMany(models.Post, { inverse = { as = "author" } })
  models.User:hasMany(models.Comment, { as = "remarks", foreignKey = "writerId", inverse = { as = "writer" } })
  models.User:belongsTo(models.User, { as = "boss", inverse = { as = "staff", type = "hasMany" } })
  models.Post:hasMany(models.Comment)
  models.Post:belongsToMany(models.Tag, { through = models.PostTag })
  return models
end

function forum.fill(models)
  local users = models.User:bulkCreate {
    { name = "ann", age = 30 }, { name = "bob", age = 20 }, { name = "cat" }, { name = "dan", age = 50 },
  }
  local ann, bob, cat, dan = table.unpack(users)
  cat:setBoss(dan)
  models.Profile:create { text = "about ann", userId = ann.id }
  local posts = models.Post:bulkCreate {
    { title = "p1", score = 5, authorId = ann.id }, { title = "p2", score = 9, authorId = ann.id },
    { title = "p3", authorId = ann.id }, { title = "q1", score = 1, authorId = bob.id },
  }
  models.Comment:bulkCreate {
    { text = "c1", likes = 3, postId = posts[1].id, writerId = bob.id },
    { text = "c2", likes = 1, postId = posts[1].id, writerId = ann.id },
    { text = "c3", likes = 7, postId = posts[2].id, writerId = bob.id },
    { text = "c4", postId = posts[4].id },
  }
  local tags = models.Tag:bulkCreate { { name = "lua" }, { name = "sql" }, { name = "none" } }
  posts[1]:addTag(tags[1], { through = { weight = 1 } })
  posts[1]:addTag(tags[2], { through = { weight = 2 } })
  posts[2]:addTag(tags[1], { through = { weight = 3 } })
  return users, posts
end

--- A database with the forum in it, and a log that begins behind that.
-- @return the database, the log, the models by name
function forum.open(engine)
  local log = support.log()
  local db = engine:open{ logging = log.record }
  local models = forum.define(db)
  db:sync{ force = true }
  forum.fill(models)
  log:clear()
  return db, log, models
end

return forum
