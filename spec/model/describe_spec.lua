-- How a model shows itself (contract, section 3).
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("a model on " .. engine.name, function()
    local db, User
    before_each(function()
      db = engine:open()
      User = db:define("User", { username = liga.STRING(40), age = liga.INTEGER })
    end)
    after_each(function() db:close() end)

    it("describes itself in readable text: name, table, attributes and types", function()
      local text = User:describe()
      for _, word in ipairs { "User", "Users", "username", "STRING(40)", "age", "INTEGER", "createdAt" } do
        assert.is_truthy(text:find(word, 1, true), word .. " is missing in: " .. text)
      end
    end)

    it("describes defaults, of expressions what they are", function()
      local text = db:define("Dated", {
        at = { type = liga.DATE, defaultValue = liga.NOW },
        on = { type = liga.DATE, defaultValue = liga.literal "now" },
        n = { type = liga.INTEGER, defaultValue = 3 },
        f = { type = liga.INTEGER, defaultValue = function() return 1 end },
      }):describe()
      for _, default in ipairs { "default liga.NOW", "default liga.literal(now)", "default 3", "default (function)" } do
        assert.is_truthy(text:find(default, 1, true), text)
      end
    end)

    it("describes its associations", function()
      local Post = db:define("Post", { title = liga.STRING })
      User:hasMany(Post)
      assert.is_truthy(User:describe():find("posts", 1, true))
    end)

    it("prints with its name", function()
      assert.is_truthy(tostring(User):find("User", 1, true))
    end)

    it("lists its associations", function()
      local Post = db:define("Post", { title = liga.STRING })
      local posts = User:hasMany(Post)
      assert.equal(posts, User.associations.posts)
      assert.equal(posts, User.associations[1])
    end)
  end)
end
