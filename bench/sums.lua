--- What the workloads read of their rows: fields are added up, so that the result tells whether all was there.
local sums = {}

function sums.user(user)
  return user.id + user.score + #user.name
end

function sums.users(users)
  local sum = 0
  for _, user in ipairs(users) do sum = sum + user.id + user.score + #user.name end
  return sum
end

--- @param owner name of the field that has the key of the post's user
function sums.posts(posts, owner)
  local sum = 0
  for _, post in ipairs(posts) do sum = sum + post.id + post[owner] + #post.title end
  return sum
end

return sums
