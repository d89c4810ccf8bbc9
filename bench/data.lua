--- The rows of the benchmark for the peers in Lua: what data.h says in C.
local data = {}

local USERS, TAGS, BIO_LENGTH = 100000, 500, 80
local FILLER = "the quick brown fox jumps over the lazy dog and "

local function fill(text, length)
  local whole = FILLER:rep(length // #FILLER + 1)
  return text .. whole:sub(#text + 1, length)
end

local function instant(i)
  return ("2025-%02d-%02dT%02d:%02d:%02d.000Z"):format(i % 12 + 1, i % 28 + 1, i % 24, i % 60, i % 59)
end

--- The values of user number i, as a new table. `active` is a boolean; a driver without booleans makes it 1 or 0.
function data.user(i)
  return {
    name = ("User %06d"):format(i),
    email = ("user%06d@example.com"):format(i),
    age = 18 + i * 37 % 61,
    score = (i <= USERS and i * 7919 % USERS or i) / 4,
    bio = fill(("%06d "):format(i), BIO_LENGTH),
    createdAt = instant(i),
    active = i % 3 ~= 0,
  }
end

--- `count` users that are not in the table yet.
function data.newUsers(count)
  local users = {}
  for i = 1, count do users[i] = data.user(USERS + i) end
  return users
end

--- The tag that W10 adds to a post: none of those it has.
function data.newTag(post)
  return (post * 7 + 60) % TAGS + 1
end

--- The age that the i-th search of W3 asks for.
function data.ageOver(i)
  return 18 + i % 40
end

return data
