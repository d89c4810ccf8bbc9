--- A first program with liga: a small blog, from an empty database to answers.
--
--     lua5.4 examples/quickstart.lua [url]        (default: sqlite::memory:)
--
-- It prints every SQL statement that liga sends, indented, below what is being done.
local liga = require "liga"

local url = ... or "sqlite::memory:"

local function chapter(title) print("\n" .. title .. "\n" .. ("-"):rep(#title)) end
local function say(...) print("* " .. string.format(...)) end

-- What went wrong, as a user sees it: errors are objects (e.name, e.model, e.attribute ...) that print as a sentence.
local function show_error(action)
  local ok, e = pcall(action)
  say("%s", ok and "nothing went wrong" or e)
end

local db <close> = liga.connect(url, {
  logging = function(sql, info) print(("      %s  [%.1f ms]"):format(sql, info.ms)) end,
})


chapter "1. Models and their associations"

local User = db:define("User", {
  username = { type = liga.STRING(40), allowNull = false, unique = true },
  age      = liga.INTEGER,
})

local Profile = db:define("Profile", {
  bio = liga.TEXT,
})

local Post = db:define("Post", {
  title  = { type = liga.STRING(120), allowNull = false },
  status = { type = liga.ENUM { "draft", "published" }, allowNull = false, defaultValue = "draft" },
  views  = { type = liga.INTEGER, allowNull = false, defaultValue = 0 },
})

local Comment = db:define("Comment", {
  content = { type = liga.TEXT, allowNull = false },
})

local Tag = db:define("Tag", {
  name = { type = liga.STRING(30), allowNull = false, unique = true },
}, { timestamps = false })

User:hasOne(Profile)                                       -- profile.userId;  user:getProfile(), profile:getUser()
User:hasMany(Post, { inverse = { as = "author" } })        -- post.authorId;   user:getPosts(),   post:getAuthor()
Post:hasMany(Comment)                                      -- comment.postId;  post:getComments(), comment:getPost()
Comment:belongsTo(User, { as = "author" })                 -- comment.authorId; comment:getAuthor()
Post:belongsToMany(Tag, { through = "PostTag" })           -- a junction table; post:getTags(),   tag:getPosts()

for _, model in ipairs { User, Post, Tag } do
  for _, association in ipairs(model.associations) do say("%s", association) end
end

db:sync()

if User:count() > 0 then
  io.stderr:write("quickstart wants an empty database: " .. User:count() .. " users are in this one already\n")
  os.exit(1, true)
end


chapter "2. Creating rows, and linking them"

local ann = User:create { username = "ann", age = 41 }
local bob = User:create { username = "bob", age = 28 }
say("created %s and %s", ann, bob)

ann:createProfile { bio = "Writes about links." }

local hello = ann:createPost { title = "Hello, world", status = "published" }
local draft = ann:createPost { title = "Thoughts on keys" }
local reply = bob:createPost { title = "A reply", status = "published", views = 7 }

local lua, sql = Tag:create { name = "lua" }, Tag:create { name = "sql" }
hello:addTags { lua, sql }
reply:addTag(lua)
reply:addTag(lua)                                          -- linking twice is harmless
say("%s has %d tags, the tag %s is on %d posts", hello, hello:countTags(), lua.name, lua:countPosts())

local comment = hello:createComment { content = "Welcome!" }
comment:setAuthor(bob)


chapter "3. Walking the associations"

say("the author of %q is %s", hello.title, hello:getAuthor().username)
say("%s says of herself: %s", ann.username, ann:getProfile().bio)
for _, remark in ipairs(hello:getComments()) do
  say("%s commented: %s", remark:getAuthor().username, remark.content)
end
for _, post in ipairs(lua:getPosts { order = { "title" } }) do
  say("tagged lua: %s", post.title)
end
say("is %q tagged sql? %s", reply.title, reply:hasTag(sql))

local published = ann:getPosts { where = { status = "published" } }
say("%s has %d posts, %d of them published", ann.username, ann:countPosts(), #published)


chapter "4. Questions to the whole table"

local Op = liga.Op
local young = User:findAll { where = { age = Op.between(18, 35) }, order = { "username" } }
say("between 18 and 35: %s", young[1].username)
say("%d posts, %d views in all, %d at most", Post:count(), Post:sum("views"), Post:max("views"))

local per_author = Post:findAll {
  attributes = { "authorId", { liga.fn("count", liga.col("id")), "posts" } },
  group = { "authorId" },
  order = { "authorId" },
}
for _, row in ipairs(per_author) do
  say("%s wrote %d", User:findByPk(row.authorId).username, row.posts)
end


chapter "5. Changes: a row is a plain table that knows what changed"

draft.title = "Thoughts on composite keys"
draft.views = 3
say("changed: %s; the title was %q", table.concat(draft:changed(), ", "), draft:previous("title"))
draft:save()                                               -- writes these columns (and updatedAt), no others
say("changed now: %s", tostring(draft:changed()))
draft:increment("views")
draft:reload()
say("views: %d", draft.views)


chapter "6. A transaction that is rolled back"

local before = Post:count()
show_error(function()
  db:transaction(function()                                -- every call in here uses it
    bob:createPost { title = "Never to be seen" }
    say("inside there are %d posts", Post:count())
    bob:createPost { title = liga.null }                   -- a post needs a title
  end)
end)
say("afterwards there are %d, as before (%d)", Post:count(), before)


chapter "7. Mistakes"

show_error(function() User:create { username = "ann" } end)
show_error(function() User:create { username = "carol", age = "forty" } end)
show_error(function() User:findAll { where = { usernme = "ann" } } end)
show_error(function() User:destroy {} end)


chapter "8. Taking things apart"

hello:setTags { sql }                                      -- exactly these: one link goes, one stays
say("tags of %q: %s", hello.title, hello:getTags()[1].name)
hello:removeTags { sql }
say("links removed from %q, %d tags left in the table", hello.title, Tag:count())
ann:setPosts { hello }                                     -- the draft now has no author
draft:reload()
say("author of %q: %s", draft.title, tostring(draft.authorId))
hello:destroy()
say("%d posts remain", Post:count())
