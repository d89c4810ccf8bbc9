--- LuaDBI: each workload with prepared statements, rows as tables by column name.
local DBI = require("DBI")
local data = require("data")
local levels = require("levels")
local sums = require("sums")

local USER_COLUMNS = "id, name, email, age, score, bio, created_at, active"
local INSERT_USER = "INSERT INTO users (name, email, age, score, bio, created_at, active) VALUES "
local BLOCK = 50 -- rows of one INSERT in W5

local luadbi = { workloads = {} }
local workloads = luadbi.workloads

local function execute(statement, ...)
  assert(statement:execute(...))
  return statement
end

--- What differs between the engines: the driver, how a column is compared with a list of keys in one parameter and what
--- stands around it, and how an INSERT tells the keys of its rows.
local dialects = {
  sqlite = {
    driver = "SQLite3", among = "IN (SELECT value FROM json_each(?))", list = "[%s]", returning = "",
    takeKeys = function(db, _, keys, first, count)
      local last = db:last_id()
      for i = 0, count - 1 do keys[first + i] = last - count + 1 + i end
    end,
  },
  postgres = {
    driver = "PostgreSQL", among = "= ANY(?)", list = "{%s}", returning = " RETURNING id",
    takeKeys = function(_, insert, keys, first)
      for row in insert:rows() do
        keys[first] = row[1]
        first = first + 1
      end
    end,
  },
}
local dialect

function luadbi.open(target, engine)
  dialect = dialects[engine]
  local db = assert(DBI.Connect(dialect.driver, target))
  db:autocommit(true) -- as the others: LuaDBI would open a transaction for reads too
  return db
end

function luadbi.number(db, sql)
  return execute(assert(db:prepare(sql))):fetch()[1]
end

--- Runs `work` in a transaction.
local function transaction(db, work)
  db:autocommit(false)
  local rows, sum, kept = work()
  assert(db:commit())
  return rows, sum, kept
end

local function load(statement, ...)
  local rows = {}
  for row in execute(statement, ...):rows(true) do rows[#rows + 1] = row end
  return rows
end

function workloads.W1(db)
  return function()
    local users = load(assert(db:prepare("SELECT " .. USER_COLUMNS .. " FROM users")))
    return #users, sums.users(users), users
  end
end

function workloads.W2(db, count)
  return function()
    local find = assert(db:prepare("SELECT " .. USER_COLUMNS .. " FROM users WHERE id = ?"))
    local sum = 0
    for id = 1, count do sum = sum + sums.user(execute(find, id):fetch(true)) end
    return count, sum
  end
end

function workloads.W3(db, count)
  return function()
    local search = assert(db:prepare("SELECT " .. USER_COLUMNS ..
      " FROM users WHERE age > ? AND active = ? ORDER BY score DESC LIMIT ?"))
    local rows, sum = 0, 0
    for i = 1, count do
      local users = load(search, data.ageOver(i), true, 20)
      rows, sum = rows + #users, sum + sums.users(users)
    end
    return rows, sum
  end
end

function workloads.W4(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local insert = assert(db:prepare(INSERT_USER .. "(?, ?, ?, ?, ?, ?, ?)" .. dialect.returning))
      local key, sum = {}, 0
      for _, user in ipairs(users) do
        execute(insert, user.name, user.email, user.age, user.score, user.bio, user.createdAt, user.active)
        dialect.takeKeys(db, insert, key, 1, 1)
        sum = sum + key[1]
      end
      return count, sum
    end)
  end
end

--- Puts the values of BLOCK users into `values`, one after the other.
local function flatten(users, first, values)
  for row = 0, BLOCK - 1 do
    local user, at = users[first + row], row * 7
    values[at + 1], values[at + 2], values[at + 3], values[at + 4] = user.name, user.email, user.age, user.score
    values[at + 5], values[at + 6], values[at + 7] = user.bio, user.createdAt, user.active
  end
end

function workloads.W5(db, count)
  local users = data.newUsers(count)
  return function()
    return transaction(db, function()
      local rows = ("(?, ?, ?, ?, ?, ?, ?)"):rep(BLOCK, ", ")
      local insert = assert(db:prepare(INSERT_USER .. rows .. dialect.returning))
      local values, keys, sum = {}, {}, 0
      for first = 1, count, BLOCK do
        flatten(users, first, values)
        execute(insert, table.unpack(values, 1, BLOCK * 7))
        dialect.takeKeys(db, insert, keys, first, BLOCK)
      end
      for _, key in ipairs(keys) do sum = sum + key end
      return count, sum, keys
    end)
  end
end

--- What levels.lua asks for.
local function reader(db)
  return {
    upTo = function(kind, last)
      return load(assert(db:prepare(levels.from[kind] .. "id <= ? ORDER BY id")), last)
    end,
    among = function(kind, column, keys)
      local condition = column .. " " .. dialect.among .. " ORDER BY " .. levels.order[kind]
      return load(assert(db:prepare(levels.from[kind] .. condition)), dialect.list:format(keys))
    end,
  }
end

workloads.W6, workloads.W7 = levels.workloads(reader)

function workloads.W8(db, count)
  return function()
    local find = assert(db:prepare("SELECT id, user_id, title, body, created_at FROM posts WHERE user_id = ?"))
    local rows, sum = 0, 0
    for id = 1, count do
      local posts = load(find, id)
      rows, sum = rows + #posts, sum + sums.posts(posts, "user_id")
    end
    return rows, sum
  end
end

function workloads.W9(db, count)
  return function()
    return transaction(db, function()
      local users = load(
        assert(db:prepare("SELECT " .. USER_COLUMNS .. " FROM users WHERE id <= ? ORDER BY id")), count)
      local update = assert(db:prepare("UPDATE users SET name = ? WHERE id = ?"))
      local sum = sums.users(users)
      for _, user in ipairs(users) do
        user.name = user.name .. "!"
        execute(update, user.name, user.id)
      end
      return #users, sum, users
    end)
  end
end

function workloads.W10(db, count)
  return function()
    return transaction(db, function()
      local insert = assert(db:prepare("INSERT INTO post_tags (post_id, tag_id) VALUES (?, ?)"))
      local sum = 0
      for post = 1, count do
        local tag = data.newTag(post)
        execute(insert, post, tag)
        sum = sum + post + tag
      end
      return count, sum
    end)
  end
end

return luadbi
