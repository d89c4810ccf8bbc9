--- LuaSQL: it has no parameters, so each statement is written anew. A row is fetched as several values and made a table
--- by a constructor, which is faster than `fetch({}, "a")`.
local data = require("data")
local levels = require("levels")
local sums = require("sums")

local USER_COLUMNS = "id, name, email, age, score, bio, created_at, active"
local INSERT_USER = "INSERT INTO users (name, email, age, score, bio, created_at, active) VALUES "
local BLOCK = 50 -- rows of one INSERT in W5

local luasql = { workloads = {} }
local workloads = luasql.workloads

local function execute(db, sql, ...)
  return assert(db:execute(sql:format(...)))
end

--- What differs between the engines: the driver, how a boolean and a list of keys are written, and an
--- INSERT that gives its rows' keys.
local dialects = {
  sqlite = {
    driver = "sqlite3", yes = "1", no = "0", among = "IN (%s)",
    insert = function(db, sql, keys, first, count)
      assert(db:execute(sql))
      local last = math.tointeger(db:getlastautoid())
      for i = 0, count - 1 do keys[first + i] = last - count + 1 + i end
    end,
  },
  postgres = {
    driver = "postgres", yes = "true", no = "false", among = "= ANY('{%s}')",
    insert = function(db, sql, keys, first, count)
      local cursor = assert(db:execute(sql .. " RETURNING id"))
      for i = 0, count - 1 do keys[first + i] = math.tointeger(cursor:fetch()) end
      cursor:close()
    end,
  },
}
local dialect

function luasql.open(target, engine)
  dialect = dialects[engine]
  local driver = require("luasql." .. dialect.driver)
  return assert(driver[dialect.driver]():connect(target))
end

function luasql.number(db, sql)
  local cursor = execute(db, sql)
  local number = math.tointeger(cursor:fetch())
  cursor:close()
  return number
end

--- Runs `work` in a transaction.
local function transaction(db, work)
  assert(db:setautocommit(false))
  local rows, sum, kept = work()
  assert(db:commit())
  return rows, sum, kept
end

local function newUser(id, name, email, age, score, bio, createdAt, active)
  return id and {
    id = id, name = name, email = email, age = age, score = score, bio = bio, created_at = createdAt, active = active,
  }
end

local function newPost(id, userId, title, body, createdAt)
  return id and { id = id, user_id = userId, title = title, body = body, created_at = createdAt }
end

local function newComment(id, postId, authorId, text)
  return id and { id = id, post_id = postId, author_id = authorId, text = text }
end

local function newTag(id, name, postId)
  return id and { id = id, name = name, post_id = postId }
end

--- All rows of a cursor, each made by `new`.
local function fetchAll(cursor, new)
  local rows = {}
  local row = new(cursor:fetch())
  while row do
    rows[#rows + 1] = row
    row = new(cursor:fetch())
  end
  cursor:close()
  return rows
end

--- The values of a new user in parentheses.
local function valuesOf(db, user)
  return ("('%s', '%s', %d, %.17g, '%s', '%s', %s)"):format(db:escape(user.name), db:escape(user.email), user.age,
    user.score, db:escape(user.bio), db:escape(user.createdAt), user.active and dialect.yes or dialect.no)
end

function workloads.W1(db)
  return function()
    local users = fetchAll(execute(db, "SELECT " .. USER_COLUMNS .. " FROM users"), newUser)
    return #users, sums.users(users), users
  end
end

function workloads.W2(db, count)
  return function()
    local sum = 0
    for id = 1, count do
      local cursor = execute(db, "SELECT " .. USER_COLUMNS .. " FROM users WHERE id = %d", id)
      sum = sum + sums.user(newUser(cursor:fetch()))
      cursor:close()
    end
    return count, sum
  end
end

function workloads.W3(db, count)
  return function()
    local rows, sum = 0, 0
    for i = 1, count do
      local users = fetchAll(execute(db, "SELECT " .. USER_COLUMNS ..
        " FROM users WHERE age > %d AND active = %s ORDER BY score DESC LIMIT 20", data.ageOver(i), dialect.yes),
        newUser)
      rows, sum = rows + #users, sum + sums.users(users)
    end
    return rows, sum
  end
end

function workloads.W4(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local key, sum = {}, 0
      for _, user in ipairs(users) do
        dialect.insert(db, INSERT_USER .. valuesOf(db, user), key, 1, 1)
        sum = sum + key[1]
      end
      return count, sum
    end)
  end
end

function workloads.W5(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local rows, keys, sum = {}, {}, 0
      for first = 1, count, BLOCK do
        for i = 0, BLOCK - 1 do rows[i + 1] = valuesOf(db, users[first + i]) end
        dialect.insert(db, INSERT_USER .. table.concat(rows, ", "), keys, first, BLOCK)
      end
      for _, key in ipairs(keys) do sum = sum + key end
      return count, sum, keys
    end)
  end
end

local constructors = { users = newUser, posts = newPost, comments = newComment, tags = newTag }

--- What levels.lua asks for.
local function reader(db)
  return {
    upTo = function(kind, last)
      return fetchAll(execute(db, levels.from[kind] .. "id <= %d ORDER BY id", last), constructors[kind])
    end,
    among = function(kind, column, keys)
      local condition = column .. " " .. dialect.among .. " ORDER BY " .. levels.order[kind]
      return fetchAll(execute(db, levels.from[kind] .. condition, keys), constructors[kind])
    end,
  }
end

workloads.W6, workloads.W7 = levels.workloads(reader)

function workloads.W8(db, count)
  return function()
    local rows, sum = 0, 0
    for id = 1, count do
      local posts = fetchAll(execute(db,
        "SELECT id, user_id, title, body, created_at FROM posts WHERE user_id = %d", id), newPost)
      rows, sum = rows + #posts, sum + sums.posts(posts, "user_id")
    end
    return rows, sum
  end
end

function workloads.W9(db, count)
  return function()
    return transaction(db, function()
      local users = fetchAll(
        execute(db, "SELECT " .. USER_COLUMNS .. " FROM users WHERE id <= %d ORDER BY id", count), newUser)
      local sum = sums.users(users)
      for _, user in ipairs(users) do
        user.name = user.name .. "!"
        execute(db, "UPDATE users SET name = '%s' WHERE id = %d", db:escape(user.name), user.id)
      end
      return #users, sum, users
    end)
  end
end

function workloads.W10(db, count)
  return function()
    return transaction(db, function()
      local sum = 0
      for post = 1, count do
        local tag = data.newTag(post)
        execute(db, "INSERT INTO post_tags (post_id, tag_id) VALUES (%d, %d)", post, tag)
        sum = sum + post + tag
      end
      return count, sum
    end)
  end
end

return luasql
