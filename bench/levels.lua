--- W6 and W7 for the peers that know no associations: a statement for each level, rows linked in Lua by their keys.
---
--- A peer gives two functions, whose rows are tables by column name:
--- upTo(kind, last)            the rows with keys to `last`, in the order of their keys
--- among(kind, column, keys)   the rows whose `column` is one of the keys, a text like "1,2,3"
--- `kind` is a field of levels.from; a tag has the post_id of the post it belongs to.
local sums = require("sums")

local levels = {}

local USER_COLUMNS = "id, name, email, age, score, bio, created_at, active"

--- What is read of each kind: a SELECT that a condition can follow. CROSS JOIN keeps the junction outside on SQLite.
levels.from = {
  users = "SELECT " .. USER_COLUMNS .. " FROM users WHERE ",
  posts = "SELECT id, user_id, title, body, created_at FROM posts WHERE ",
  comments = "SELECT id, post_id, author_id, text FROM comments WHERE ",
  tags = "SELECT t.id, t.name, l.post_id FROM post_tags l CROSS JOIN tags t WHERE t.id = l.tag_id AND ",
}

--- The order of the rows of a kind, for those that are asked for by a column.
levels.order = {
  users = "id",
  posts = "user_id, id",
  comments = "post_id, id",
  tags = "l.post_id, l.tag_id",
}

--- A column of the rows as a list; a key that follows itself stands there once.
function levels.keysOf(rows, column)
  local keys = {}
  for _, row in ipairs(rows) do
    if row[column] ~= keys[#keys] then keys[#keys + 1] = row[column] end
  end
  return table.concat(keys, ",")
end

local function byKey(rows)
  local found = {}
  for _, row in ipairs(rows) do found[row.id] = row end
  return found
end

--- Puts into each parent the list of its children, as `property`.
local function linkMany(parents, property, children, column)
  for _, parent in ipairs(parents) do parent[property] = {} end
  local found = byKey(parents)
  for _, child in ipairs(children) do
    local list = found[child[column]][property]
    list[#list + 1] = child
  end
end

local function linkOne(rows, property, targets, column)
  local found = byKey(targets)
  for _, row in ipairs(rows) do row[property] = found[row[column]] end
end

local function sumPost(post)
  return post.id + post.user_id + #post.title
end

--- W6: the number of rows, the sum over them, the users.
function levels.users(peer, count)
  local users = peer.upTo("users", count)
  local posts = peer.among("posts", "user_id", levels.keysOf(users, "id"))
  linkMany(users, "posts", posts, "user_id")
  linkMany(posts, "comments", peer.among("comments", "post_id", levels.keysOf(posts, "id")), "post_id")
  local rows, sum = #users, 0
  for _, user in ipairs(users) do
    rows, sum = rows + #user.posts, sum + sums.user(user)
    for _, post in ipairs(user.posts) do
      rows, sum = rows + #post.comments, sum + sumPost(post)
      for _, comment in ipairs(post.comments) do sum = sum + comment.id + comment.post_id + #comment.text end
    end
  end
  return rows, sum, users
end

--- W7: the number of rows (an author counts for each post), the sum over them, the posts.
function levels.posts(peer, count)
  local posts = peer.upTo("posts", count)
  linkOne(posts, "author", peer.among("users", "id", levels.keysOf(posts, "user_id")), "user_id")
  linkMany(posts, "tags", peer.among("tags", "l.post_id", levels.keysOf(posts, "id")), "post_id")
  local rows, sum = 2 * #posts, 0
  for _, post in ipairs(posts) do
    rows, sum = rows + #post.tags, sum + sumPost(post) + sums.user(post.author)
    for _, tag in ipairs(post.tags) do sum = sum + tag.id + #tag.name end
  end
  return rows, sum, posts
end

--- W6 and W7 of a peer; reader(db) gives its two functions.
function levels.workloads(reader)
  local function by(tree)
    return function(db, count)
      return function() return tree(reader(db), count) end
    end
  end
  return by(levels.users), by(levels.posts)
end

return levels
