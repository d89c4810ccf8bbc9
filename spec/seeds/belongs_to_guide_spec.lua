--- Sequelize's v7 guide "The BelongsTo Association", example by example.
local liga = require "liga"
local support = require "spec.support"

for engine in support.engines() do
  describe("The belongsTo guide on " .. engine.name, function()
    local db

    before_each(function() db = engine:open() end)
    after_each(function() db:close() end)

    --- The attribute that the guide writes out in each of its models.
    local function id() return { type = liga.INTEGER, autoIncrement = true, primaryKey = true } end

    describe("Defining a belongsTo association", function()
      it("makes the one-to-many of the hasMany guide: posts and comments", function()
        local Post = db:define("Post", { id = id() })
        local Comment = db:define("Comment", {
          id = id(),
          post = liga.belongsTo("Post", "postId"),
          postId = { type = liga.INTEGER, allowNull = false }, -- this is the foreign key
        })
        db:sync()
        local post = Post:create {}
        local comment = Comment:create { postId = post.id }
        assert.is_true(comment:getPost() == post)
        assert.is_false(Comment.attributes.postId.allowNull)
        support.raises("ValidationError", function() Comment:create {} end, "postId")
        assert.equal(Post.attributes.id.type, Comment.attributes.postId.type)
      end)

      it("makes the one-to-one of the hasOne guide: people and driving licences", function()
        local Person = db:define("Person", { id = id() })
        local DrivingLicense = db:define("DrivingLicense", {
          id = id(),
          owner = liga.belongsTo("Person", "ownerId"),
          ownerId = { type = liga.INTEGER, allowNull = false },
        })
        db:sync()
        local person = Person:create {}
        local license = DrivingLicense:create { ownerId = person.id }
        assert.is_true(license:getOwner() == person)
      end)
    end)

    describe("Inverse association", function()
      it("is not made by belongsTo on its own", function()
        local Post = db:define("Post", { id = id() })
        db:define("Comment", { id = id(), post = liga.belongsTo("Post", "postId") })
        assert.is_nil(Post.associations.comments)
      end)

      it("is made by the option inverse, with a name and a type", function()
        local Post = db:define("Post", { id = id() })
        local Comment = db:define("Comment", {
          id = id(),
          post = liga.belongsTo("Post", {
            foreignKey = "postId",
            inverse = {
              as = "comments",
              type = "hasMany", -- either "hasOne" or "hasMany"
            },
          }),
          postId = { type = liga.INTEGER, allowNull = false },
        })
        db:sync()
        assert.equal("hasMany", Post.associations.comments.type)
        local post = Post:create {}
        local comment = Comment:create { postId = post.id }
        assert.is_true(post:getComments()[1] == comment)
      end)
    end)

    describe("Association methods", function()
      local Post, Comment
      before_each(function()
        Post = db:define("Post", { title = liga.STRING, content = liga.TEXT })
        Comment = db:define("Comment", {
          content = liga.TEXT,
          post = liga.belongsTo("Post", { foreignKey = "postId", inverse = { as = "comments", type = "hasMany" } }),
        })
        db:sync()
      end)

      it("getPost retrieves the associated model", function()
        local post = Post:create { title = "a" }
        Comment:create { id = 1, postId = post.id }
        local comment = Comment:findByPk(1)
        assert.is_true(comment:getPost() == post)
      end)

      it("setPost associates a model, given as an instance", function()
        Comment:create { id = 1 }
        Post:create { id = 1, title = "a" }
        local comment = Comment:findByPk(1)
        local post = Post:findByPk(1)
        comment:setPost(post)
        assert.equal(1, Comment:findByPk(1).postId)
      end)

      it("setPost associates a model, given by its key", function()
        Comment:create { id = 1 }
        Post:create { id = 1, title = "a" }
        Comment:findByPk(1):setPost(1)
        assert.equal(1, Comment:findByPk(1).postId)
      end)

      it("setPost is the same as setting the key and saving", function()
        local post = Post:create { title = "a" }
        local one, two = Comment:create { content = "x" }, Comment:create { content = "y" }
        one:setPost(post)
        two.postId = post.id
        two:save()
        assert.equal(one:reload().postId, two:reload().postId)
      end)

      it("setPost with save = false delays the call to save", function()
        local post, comment = Post:create { title = "a" }, Comment:create { content = "x" }
        comment:setPost(post, { save = false })
        assert.is_nil(Comment:findByPk(comment.id).postId)
        comment:save()
        assert.equal(post.id, Comment:findByPk(comment.id).postId)
      end)

      it("createPost makes a post and associates it", function()
        local comment = Comment:create { content = "This is a comment" }
        local post = comment:createPost { title = "New Post", content = "This is a new post" }
        assert.equal("New Post", Post:findByPk(post.id).title)
        assert.equal(post.id, Comment:findByPk(comment.id).postId)
      end)

      it("the post may be made first, then the comment with its key", function()
        local post = Post:create { title = "New Post", content = "This is a new post" }
        local comment = Comment:create { content = "This is a comment", postId = post.id }
        assert.is_true(comment:getPost() == post)
      end)

      it("the post may be made first, then the comment through the inverse", function()
        local post = Post:create { title = "New Post", content = "This is a new post" }
        local comment = post:createComment { content = "This is a comment" }
        assert.equal(post.id, comment.postId)
        assert.is_true(comment:getPost() == post)
      end)
    end)

    describe("Foreign key targets (targetKey)", function()
      it("the key refers to the attribute that targetKey names", function()
        db:define("Post", { id = id(), title = liga.STRING })
        local Comment = db:define("Comment", {
          id = id(),
          post = liga.belongsTo("Post", {
            foreignKey = "postId",
            targetKey = "id", -- the foreign key references the attribute "id" of the model Post
          }),
        })
        db:sync()
        assert.equal("id", Comment.associations.post.targetKey[1])
        assert.equal("id", Comment.attributes.postId.references.key)
      end)
    end)
  end)
end
