--- liga: each workload as one would write it, over tables that exist already.
local liga = require("liga")
local data = require("data")
local sums = require("sums")

local Op = liga.Op

local peer = { workloads = {} }
local workloads = peer.workloads

--- The models of the benchmark: User, Post, Comment, Tag and the junction of posts and tags.
local function define(db)
  local User = db:define("User", {
    { "name", liga.STRING(60), allowNull = false },
    { "email", liga.STRING(60), allowNull = false },
    { "age", liga.INTEGER, allowNull = false },
    { "score", liga.DOUBLE, allowNull = false },
    { "bio", liga.TEXT, allowNull = false },
    { "createdAt", liga.DATE, allowNull = false, columnName = "created_at" },
    { "active", liga.BOOLEAN, allowNull = false },
  }, { tableName = "users", timestamps = false })
  local Post = db:define("Post", {
    { "userId", liga.BIGINT, allowNull = false, columnName = "user_id" },
    { "title", liga.STRING(60), allowNull = false },
    { "body", liga.TEXT, allowNull = false },
    { "createdAt", liga.DATE, allowNull = false, columnName = "created_at" },
  }, { tableName = "posts", timestamps = false })
  local Comment = db:define("Comment", {
    { "postId", liga.BIGINT, allowNull = false, columnName = "post_id" },
    { "authorId", liga.BIGINT, allowNull = false, columnName = "author_id" },
    { "text", liga.TEXT, allowNull = false },
  }, { tableName = "comments", timestamps = false })
  local Tag = db:define("Tag", {
    { "name", liga.STRING(60), allowNull = false },
  }, { tableName = "tags", timestamps = false })
  local PostTag = db:define("PostTag", {
    { "postId", liga.BIGINT, primaryKey = true, columnName = "post_id" },
    { "tagId", liga.BIGINT, primaryKey = true, columnName = "tag_id" },
  }, { tableName = "post_tags", timestamps = false })
  User:hasMany(Post, { foreignKey = "userId" })
  Post:belongsTo(User, { as = "author", foreignKey = "userId" })
  Post:hasMany(Comment, { foreignKey = "postId" })
  Post:belongsToMany(Tag, { through = PostTag, foreignKey = "postId", otherKey = "tagId" })
end

function peer.open(target, engine)
  local db = liga.connect(engine .. ":" .. target)
  define(db)
  return db
end

function peer.number(db, sql)
  local _, number = next(db:query(sql)[1])
  return number
end

function workloads.W1(db)
  local User = db:model("User")
  return function()
    local users = User:findAll()
    return #users, sums.users(users), users
  end
end

function workloads.W2(db, count)
  local User = db:model("User")
  return function()
    local sum = 0
    for id = 1, count do sum = sum + sums.user(User:findByPk(id)) end
    return count, sum
  end
end

function workloads.W3(db, count)
  local User = db:model("User")
  return function()
    local rows, sum = 0, 0
    for i = 1, count do
      local users = User:findAll{
        where = { age = Op.gt(data.ageOver(i)), active = true },
        order = { { "score", "DESC" } },
        limit = 20,
      }
      rows, sum = rows + #users, sum + sums.users(users)
    end
    return rows, sum
  end
end

function workloads.W4(db, count)
  local User = db:model("User")
  local users = data.newUsers(count)
  return function()
    return db:transaction({ savepoint = false }, function()
      local sum = 0
      for _, values in ipairs(users) do sum = sum + User:create(values).id end
      return count, sum
    end)
  end
end

function workloads.W5(db, count)
  local User = db:model("User")
  local users = data.newUsers(count)
  return function()
    local made, sum = User:bulkCreate(users), 0
    for _, user in ipairs(made) do sum = sum + user.id end
    return #made, sum, made
  end
end

function workloads.W6(db, count)
  local User = db:model("User")
  return function()
    local users = User:findAll{ where = { id = Op.lte(count) }, order = { "id" },
      include = { { association = "posts", include = { "comments" } } } }
    local rows, sum = #users, sums.users(users)
    for _, user in ipairs(users) do
      local posts = user.posts
      rows, sum = rows + #posts, sum + sums.posts(posts, "userId")
      for _, post in ipairs(posts) do
        local comments = post.comments
        rows = rows + #comments
        for _, comment in ipairs(comments) do sum = sum + comment.id + comment.postId + #comment.text end
      end
    end
    return rows, sum, users
  end
end

function workloads.W7(db, count)
  local Post = db:model("Post")
  return function()
    local posts = Post:findAll{ where = { id = Op.lte(count) }, order = { "id" },
      include = { { association = "tags", through = { attributes = {} } }, "author" } }
    local rows, sum = 2 * #posts, sums.posts(posts, "userId")
    for _, post in ipairs(posts) do
      local tags = post.tags
      rows, sum = rows + #tags, sum + sums.user(post.author)
      for _, tag in ipairs(tags) do sum = sum + tag.id + #tag.name end
    end
    return rows, sum, posts
  end
end

function workloads.W8(db, count)
  local users = db:model("User"):findAll{ where = { id = Op.lte(count) }, order = { "id" } }
  return function()
    local rows, sum = 0, 0
    for _, user in ipairs(users) do
      local posts = user:getPosts()
      rows, sum = rows + #posts, sum + sums.posts(posts, "userId")
    end
    return rows, sum
  end
end

function workloads.W9(db, count)
  local User = db:model("User")
  return function()
    return db:transaction({ savepoint = false }, function()
      local users = User:findAll{ where = { id = Op.lte(count) }, order = { "id" } }
      local sum = sums.users(users)
      for _, user in ipairs(users) do
        user.name = user.name .. "!"
        user:save()
      end
      return #users, sum, users
    end)
  end
end

function workloads.W10(db, count)
  local posts = db:model("Post"):findAll{ where = { id = Op.lte(count) }, order = { "id" } }
  local tags = db:model("Tag"):findAll{ order = { "id" } }
  return function()
    return db:transaction({ savepoint = false }, function()
      local sum = 0
      for _, post in ipairs(posts) do
        local tag = tags[data.newTag(post.id)]
        post:addTag(tag)
        sum = sum + post.id + tag.id
      end
      return #posts, sum
    end)
  end
end

return peer
