--- Associations declared inside the attributes, and targets named before they exist.
local liga = require "liga"
local support = require "spec.support"
local raises, pluck = support.raises, support.pluck

for engine in support.engines() do
  describe("an association among the attributes on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("is named by its key and is no attribute", function()
      db:define("Post", { title = liga.STRING })
      local Comment = db:define("Comment", { content = liga.TEXT, post = liga.belongsTo("Post") })
      assert.equal("belongsTo", Comment.associations.post.type)
      assert.is_nil(Comment.attributes.post)
      assert.is_table(Comment.attributes.postId)
    end)

    it("may name a target that is defined later", function()
      local Comment = db:define("Comment", {
        content = liga.TEXT,
        post = liga.belongsTo("Post", { foreignKey = "postId", inverse = { as = "comments", type = "hasMany" } }),
      })
      local Post = db:define("Post", { title = liga.STRING })
      db:sync()
      local post = Post:create { title = "a" }
      local comment = post:createComment { content = "x" }
      assert.equal(post.id, comment.postId)
      assert.is_true(comment:getPost() == post)
      assert.is_true(Comment.associations.post.target == Post)
    end)

    it("may name its own model", function()
      local Node = db:define("Node", {
        name = liga.STRING,
        parent = liga.belongsTo("Node", { inverse = { as = "children", type = "hasMany" } }),
      })
      db:sync()
      local root = Node:create { name = "root" }
      root:createChild { name = "leaf" }
      assert.same({ "leaf" }, pluck(root:getChildren(), "name"))
    end)

    it("may be of any kind", function()
      db:define("User", {
        profile = liga.hasOne("Profile"),
        tasks = liga.hasMany("Task", { inverse = { as = "owner" } }),
        groups = liga.belongsToMany("Group", { through = "UserGroup" }),
      })
      db:define("Profile", {})
      db:define("Task", {})
      db:define("Group", {})
      db:sync()
      local user = db:model("User"):create {}
      assert.is_true(user:createProfile({}):getUser() == user)
      assert.is_true(user:createTask({}):getOwner() == user)
      assert.is_true(user:createGroup({}):getUsers()[1] == user)
    end)

    it("may give attributes of its key beside it", function()
      db:define("Post", {})
      local Comment = db:define("Comment", {
        post = liga.belongsTo("Post", "articleId"),
        articleId = { type = liga.BIGINT, allowNull = false, columnName = "article" },
      })
      db:sync()
      assert.is_false(Comment.attributes.articleId.allowNull)
      assert.equal("article", Comment.attributes.articleId.columnName)
      assert.equal("articleId", Comment.associations.post.foreignKey[1])
      assert.equal("CASCADE", Comment.attributes.articleId.onDelete)
    end)

    it("may take a model as target", function()
      local Post = db:define("Post", {})
      local Comment = db:define("Comment", { post = liga.belongsTo(Post) })
      assert.is_true(Comment.associations.post.target == Post)
    end)

    it("may form a cycle of models that name each other", function()
      local User = db:define("User", { favourite = liga.belongsTo("Picture"), name = liga.STRING })
      local Picture = db:define("Picture", { owner = liga.belongsTo("User") })
      db:sync()
      local user = User:create { name = "ann" }
      local picture = Picture:create { ownerId = user.id }
      user:setFavourite(picture)
      assert.is_true(user:reload():getFavourite():getOwner() == user)
    end)

    describe("to a model that is not defined", function()
      it("raises AssociationError naming the model when the schema is made", function()
        db:define("Comment", { post = liga.belongsTo("Post") })
        raises("AssociationError", function() db:sync() end, "Post", "Comment")
      end)

      it("raises AssociationError naming the model when the graph is checked", function()
        db:define("Comment", { post = liga.belongsTo("Post") })
        raises("AssociationError", function() db:validate() end, "Post", "Comment")
        db:define("Post", {})
        db:validate()
      end)
    end)
  end)

  describe("a target given by name on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    it("is the model of that name", function()
      local Post, Comment = db:define("Post", {}), db:define("Comment", {})
      assert.is_true(Comment:belongsTo("Post").target == Post)
    end)

    it("may be defined later", function()
      local User = db:define("User", {})
      User:hasMany("Task")
      local Task = db:define("Task", { title = liga.STRING })
      db:sync()
      local user = User:create {}
      user:createTask { title = "a" }
      assert.same({ "a" }, pluck(user:getTasks(), "title"))
      assert.is_true(Task.associations.user.target == User)
    end)

    it("raises AssociationError naming the model if it is never defined", function()
      db:define("User", {}):hasMany("Task")
      raises("AssociationError", function() db:validate() end, "Task", "User")
      raises("AssociationError", function() db:sync() end, "Task", "User")
    end)
  end)
end
