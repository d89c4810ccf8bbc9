--- bare: the least that a Lua library does, with statements written for each workload (bare_sqlite.c). Rows are tables
-- by attribute with a metatable; new ones are handed back, as by liga. No driver, no library: a bound.
local data = require("data")
local levels = require("levels")
local sums = require("sums")

--- The keys of rows by kind, in the order of levels.from. A new user is given under those of data.lua.
local keys = {
  users = { "id", "name", "email", "age", "score", "bio", "created_at", "active" },
  posts = { "id", "user_id", "title", "body", "created_at" },
  comments = { "id", "post_id", "author_id", "text" },
  tags = { "id", "name", "post_id" },
  newUsers = { "id", "name", "email", "age", "score", "bio", "createdAt", "active" },
}
local SELECT_USERS = "SELECT id, name, email, age, score, bio, created_at, active FROM users"
local SELECT_POSTS = "SELECT id, user_id, title, body, created_at FROM posts"
local INSERT_USER = "INSERT INTO users (name, email, age, score, bio, created_at, active) VALUES (?, ?, ?, ?, ?, ?, ?)"

local row = {}
row.__index = row

local bare = { workloads = {} }
local workloads = bare.workloads

--- The module lies beside the clock, which is the last but one of peer.lua's arguments.
function bare.open(path)
  return assert(package.loadlib((arg[6]:gsub("[^/]*$", "bare.so")), "luaopen_bench_bare"))()(path)
end

local function transaction(db, work)
  db:execute("BEGIN IMMEDIATE")
  local rows, sum, kept = work()
  db:execute("COMMIT")
  return rows, sum, kept
end

function workloads.W1(db)
  return function()
    local users = db:prepare(SELECT_USERS, keys.users, row):all()
    return #users, sums.users(users), users
  end
end

function workloads.W2(db, count)
  return function()
    local find, sum = db:prepare(SELECT_USERS .. " WHERE id = ?", keys.users, row), 0
    for id = 1, count do sum = sum + sums.user(find:one(id)) end
    return count, sum
  end
end

function workloads.W3(db, count)
  return function()
    local search = db:prepare(SELECT_USERS .. " WHERE age > ? AND active = ? ORDER BY score DESC LIMIT ?",
      keys.users, row)
    local rows, sum = 0, 0
    for i = 1, count do
      local users = search:all(data.ageOver(i), true, 20)
      rows, sum = rows + #users, sum + sums.users(users)
    end
    return rows, sum
  end
end

function workloads.W4(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local insert, sum = db:prepare(INSERT_USER, keys.newUsers, row), 0
      for _, values in ipairs(users) do sum = sum + insert:make(values).id end
      return count, sum
    end)
  end
end

function workloads.W5(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local insert, made, sum = db:prepare(INSERT_USER, keys.newUsers, row), {}, 0
      for i, values in ipairs(users) do made[i] = insert:make(values) end
      for _, user in ipairs(made) do sum = sum + user.id end
      return count, sum, made
    end)
  end
end

--- What levels.lua asks for: rows by column.
local function reader(db)
  local function select(kind, condition) return db:prepare(levels.from[kind] .. condition, keys[kind], row) end
  return {
    upTo = function(kind, last) return select(kind, "id <= ? ORDER BY id"):all(last) end,
    among = function(kind, column, list)
      local condition = column .. " IN (SELECT value FROM json_each(?)) ORDER BY " .. levels.order[kind]
      return select(kind, condition):all("[" .. list .. "]")
    end,
  }
end

workloads.W6, workloads.W7 = levels.workloads(reader)

function workloads.W8(db, count)
  return function()
    local get, rows, sum = db:prepare(SELECT_POSTS .. " WHERE user_id = ?", keys.posts, row), 0, 0
    for user = 1, count do
      local posts = get:all(user)
      rows, sum = rows + #posts, sum + sums.posts(posts, "user_id")
    end
    return rows, sum
  end
end

function workloads.W9(db, count)
  return function()
    return transaction(db, function()
      local users = db:prepare(SELECT_USERS .. " WHERE id <= ? ORDER BY id", keys.users, row):all(count)
      local save, sum = db:prepare("UPDATE users SET name = ? WHERE id = ?"), sums.users(users)
      for _, user in ipairs(users) do
        user.name = user.name .. "!"
        save:run(user.name, user.id)
      end
      return #users, sum, users
    end)
  end
end

function workloads.W10(db, count)
  local posts = db:prepare(SELECT_POSTS .. " WHERE id <= ? ORDER BY id", keys.posts, row):all(count)
  local tags = db:prepare("SELECT id, name FROM tags ORDER BY id", { "id", "name" }, row):all()
  return function()
    return transaction(db, function()
      local link, sum = db:prepare("INSERT INTO post_tags (post_id, tag_id) VALUES (?, ?)"), 0
      for _, post in ipairs(posts) do
        local tag = tags[data.newTag(post.id)]
        link:run(post.id, tag.id)
        sum = sum + post.id + tag.id
      end
      return #posts, sum
    end)
  end
end

return bare
