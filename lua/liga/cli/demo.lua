--- `liga demo`: a small database in memory, and a console on it.
local arguments = require "liga.cli.arguments"
local console = require "liga.cli.console"
local liga = require "liga"

local function define(db)
  local User = db:define("User", {
    username = { type = liga.STRING(40), allowNull = false, unique = true }, age = liga.INTEGER,
  })
  local Post = db:define("Post", {
    title = { type = liga.STRING(80), allowNull = false }, body = liga.TEXT,
    status = { type = liga.ENUM { "draft", "open" }, defaultValue = "open" },
  })
  local Comment = db:define("Comment", { content = liga.TEXT })
  local Tag = db:define("Tag", { name = { type = liga.STRING(20), unique = true } })
  User:hasMany(Post, { as = "posts", inverse = "author" })
  Post:hasMany(Comment, { as = "comments", inverse = "post" })
  User:hasMany(Comment, { as = "comments", inverse = "author" })
  Post:belongsToMany(Tag, { through = "PostTags" })
  User:belongsToMany(User, { as = "following", inverse = { as = "followers" }, through = "Follows" })
  return User, Post, Tag
end

local function seed(User, Post, Tag)
  local users = User:bulkCreate {
    { username = "ann", age = 31 }, { username = "bob", age = 24 }, { username = "cleo" },
    { username = "dan", age = 52 },
  }
  local ann, bob, cleo, dan = table.unpack(users)
  local tags = Tag:bulkCreate { { name = "lua" }, { name = "sql" }, { name = "music" } }
  local function post(author, title, status, tagged)
    local made = author:createPost{ title = title, status = status, body = title .. ", told at length." }
    made:addTags(tagged)
    return made
  end
  local hello = post(ann, "Hello", "open", { tags[1] })
  local joins = post(ann, "Joins without tears", "open", { tags[1], tags[2] })
  post(ann, "Not ready yet", "draft", {})
  local song = post(bob, "A song a day", "open", { tags[3] })
  post(cleo, "Why tables", "open", { tags[1], tags[2] })
  for _, entry in ipairs { { hello, bob, "Welcome!" }, { hello, cleo, "Hi ann" }, { joins, dan, "At last" },
    { song, ann, "Which one today?" } } do
    local comment = entry[1]:createComment{ content = entry[3] }
    comment:setAuthor(entry[2])
  end
  ann:addFollowing{ bob, cleo }
  bob:addFollowing{ ann }
  dan:addFollowing{ ann, bob, cleo }
  return Post
end

local flags = table.move(console.own_flags, 1, #console.own_flags, 1, {})
flags[#flags + 1] = { name = "debug", help = "with traceback" }

return {
  usage = "demo",
  summary = "a console on a small database in memory",
  flags = flags,
  run = function(given, rest)
    arguments.count("demo", rest, 0, 0, "")
    return console.start("sqlite::memory:", given, function(db, filled)
      local User, Post, Tag = define(db)
      if filled then return end
      db:sync()
      db:transaction(function() seed(User, Post, Tag) end)
    end)
  end,
}
