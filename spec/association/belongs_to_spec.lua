--- belongsTo: the foreign key stands on the source.
local liga = require "liga"
local support = require "spec.support"
local raises = support.raises

for engine in support.engines() do
  describe("belongsTo on " .. engine.name, function()
    local db, log, Post, Comment

    before_each(function()
      log = support.log()
      db = engine:open { logging = log.record }
      Post = db:define("Post", { title = liga.STRING })
      Comment = db:define("Comment", { content = liga.TEXT })
    end)
    after_each(function() db:close() end)

    local function declare(options)
      local association = Comment:belongsTo(Post, options)
      db:sync()
      return association
    end

    describe("declares the key", function()
      it("on the source, named after the target and its key", function()
        declare()
        assert.is_table(Comment.attributes.postId)
        assert.is_nil(Post.attributes.commentId)
      end)

      it("that references the target's primary key", function()
        declare()
        assert.equal("Posts", Comment.attributes.postId.references.table)
        assert.equal("id", Comment.attributes.postId.references.key)
      end)

      it("with the type of the key it refers to", function()
        local Country = db:define("Country", { code = { type = liga.STRING(2), primaryKey = true } })
        Comment:belongsTo(Country)
        assert.equal("STRING(2)", tostring(Comment.attributes.countryCode.type))
        assert.is_true(Country.attributes.code.type == Comment.attributes.countryCode.type)
      end)

      it("named by a string in place of the options", function()
        Comment:belongsTo("Post", "articleId")
        db:sync()
        assert.is_table(Comment.attributes.articleId)
        assert.is_nil(Comment.attributes.postId)
      end)

      it("by the option foreignKey, a name", function()
        declare { foreignKey = "articleId" }
        assert.is_table(Comment.attributes.articleId)
      end)

      it("by the option foreignKey, a table of attribute options", function()
        declare { foreignKey = { name = "articleId", columnName = "article", allowNull = false } }
        assert.equal("article", Comment.attributes.articleId.columnName)
        assert.is_false(Comment.attributes.articleId.allowNull)
      end)

      it("under the default name if foreignKey only gives attribute options", function()
        declare { foreignKey = { allowNull = false } }
        assert.is_false(Comment.attributes.postId.allowNull)
      end)

      it("named after the alias", function()
        declare { as = "article" }
        assert.is_table(Comment.attributes.articleId)
        assert.is_nil(Comment.attributes.postId)
      end)

      it("with an underscored column if the holder is underscored", function()
        local Note = db:define("Note", {}, { underscored = true })
        Note:belongsTo(Post)
        assert.equal("post_id", Note.attributes.postId.columnName)
      end)

      it("over an attribute that exists: what that attribute says stays", function()
        local Note = db:define("Note", { postId = { type = liga.BIGINT, columnName = "post", allowNull = false } })
        Note:belongsTo(Post, "postId")
        assert.equal("post", Note.attributes.postId.columnName)
        assert.is_false(Note.attributes.postId.allowNull)
        assert.equal("Posts", Note.attributes.postId.references.table)
      end)

      it("after the attributes the model had", function()
        local Note = db:define("Note", { body = liga.TEXT }, { timestamps = false })
        Note:belongsTo(Post)
        assert.same({ "id", "body", "postId" }, support.pluck(Note.attributes, "name"))
      end)

      it("and neither changes nor keeps the options table", function()
        local options = { as = "article", foreignKey = { name = "articleId", allowNull = false } }
        declare(options)
        assert.same({ as = "article", foreignKey = { name = "articleId", allowNull = false } }, options)
      end)
    end)

    describe("sets the actions of the key", function()
      it("SET NULL on delete by default: destroying the target clears the key", function()
        declare()
        local post = Post:create { title = "a" }
        local comment = Comment:create { content = "x", postId = post.id }
        post:destroy()
        assert.is_nil(comment:reload().postId)
        assert.equal("SET NULL", Comment.attributes.postId.onDelete)
      end)

      it("CASCADE on delete if the key may not be NULL: destroying the target takes the source with it", function()
        declare { foreignKey = { allowNull = false } }
        local post = Post:create { title = "a" }
        Comment:create { content = "x", postId = post.id }
        post:destroy()
        assert.equal(0, Comment:count())
        assert.equal("CASCADE", Comment.attributes.postId.onDelete)
      end)

      it("CASCADE on update: the key follows the one it refers to", function()
        declare()
        local post = Post:create { title = "a" }
        local comment = Comment:create { content = "x", postId = post.id }
        Post:update({ id = 77 }, { where = { id = post.id } })
        assert.equal(77, comment:reload().postId)
        assert.equal("CASCADE", Comment.attributes.postId.onUpdate)
      end)

      it("RESTRICT on delete raises ForeignKeyConstraintError while a source refers to the target", function()
        declare { onDelete = "RESTRICT" }
        local post = Post:create { title = "a" }
        Comment:create { content = "x", postId = post.id }
        raises("ForeignKeyConstraintError", function() post:destroy() end)
        assert.equal(1, Post:count())
      end)

      for _, action in ipairs { "restrict", "Cascade", "no action", "SET DEFAULT", "set Null" } do
        it("from any case: " .. action, function()
          declare { onDelete = action, onUpdate = action }
          assert.equal(action:upper(), Comment.attributes.postId.onDelete)
          assert.equal(action:upper(), Comment.attributes.postId.onUpdate)
        end)
      end

      it("also from inside foreignKey", function()
        declare { foreignKey = { name = "postId", onDelete = "cascade", onUpdate = "restrict" } }
        assert.equal("CASCADE", Comment.attributes.postId.onDelete)
        assert.equal("RESTRICT", Comment.attributes.postId.onUpdate)
      end)

      for _, option in ipairs { "constraints", "foreignKeyConstraints" } do
        it("not at all with " .. option .. " = false: there is no REFERENCES", function()
          declare { [option] = false }
          assert.is_nil(Comment.attributes.postId.references)
          local comment = Comment:create { content = "x", postId = 4711 }
          assert.is_nil(comment:getPost())
        end)
      end

      it("not at all with constraints = false inside foreignKey", function()
        declare { foreignKey = { name = "postId", constraints = false } }
        assert.is_nil(Comment.attributes.postId.references)
      end)

      it("as ever with v1's foreignKeyConstraint = true", function()
        declare { foreignKeyConstraint = true }
        assert.equal("Posts", Comment.attributes.postId.references.table)
      end)
    end)

    describe("getPost", function()
      before_each(function() declare() end)

      it("returns the target", function()
        local post = Post:create { title = "a" }
        local comment = Comment:create { content = "x", postId = post.id }
        assert.is_true(comment:getPost() == post)
        assert.equal("a", comment:getPost().title)
      end)

      it("returns nil without a key, and asks nobody", function()
        local comment = Comment:create { content = "x" }
        log:clear()
        assert.is_nil(comment:getPost())
        assert.equal(0, #log:statements())
      end)

      it("asks afresh each time", function()
        local post = Post:create { title = "a" }
        local comment = Comment:create { content = "x", postId = post.id }
        comment:getPost()
        post:update { title = "b" }
        assert.equal("b", comment:getPost().title)
      end)

      it("takes the options of a finder", function()
        local post = Post:create { title = "a" }
        local comment = Comment:create { content = "x", postId = post.id }
        assert.is_nil(comment:getPost { where = { title = "z" } })
        local partial = comment:getPost { attributes = { "title" } }
        assert.equal("a", partial.title)
        assert.is_nil(partial.createdAt)
      end)

      it("works on an unsaved source that has the key", function()
        local post = Post:create { title = "a" }
        assert.is_true(Comment:build({ postId = post.id }):getPost() == post)
      end)

      it("raises UsageError for an option it does not know, with the nearest", function()
        local comment = Comment:create { content = "x" }
        raises("UsageError", function() comment:getPost { atributes = { "title" } } end, "atributes", "attributes")
      end)
    end)

    describe("setPost", function()
      local post, comment
      before_each(function()
        declare()
        post = Post:create { title = "a" }
        comment = Comment:create { content = "x" }
      end)

      it("stores the key of an instance and returns the instance", function()
        local result = comment:setPost(post)
        assert.is_true(rawequal(post, result))
        assert.equal(post.id, comment.postId)
        assert.equal(post.id, comment:reload().postId)
      end)

      it("takes a primary key and returns true", function()
        assert.is_true(comment:setPost(post.id))
        assert.equal(post.id, comment.postId)
        assert.equal(post.id, comment:reload().postId)
      end)

      it("clears the key with nil and returns nil", function()
        comment:setPost(post)
        assert.is_nil(comment:setPost(nil))
        assert.is_nil(comment.postId)
        assert.is_nil(comment:reload().postId)
      end)

      it("raises UsageError without any argument and changes nothing", function()
        comment:setPost(post)
        raises("UsageError", function() comment:setPost() end, "setPost")
        assert.equal(post.id, comment:reload().postId)
      end)

      it("raises InstanceError for a key without a row and changes nothing", function()
        comment:setPost(post)
        raises("InstanceError", function() comment:setPost(4711) end, "Post")
        assert.equal(post.id, comment:reload().postId)
      end)

      it("raises UsageError for an instance of another model", function()
        raises("UsageError", function() comment:setPost(Comment:create { content = "y" }) end, "Post")
      end)

      it("saves an unsaved target first", function()
        local fresh = Post:build { title = "new" }
        assert.is_true(rawequal(fresh, comment:setPost(fresh)))
        assert.is_false(fresh:isNew())
        assert.equal(fresh.id, comment:reload().postId)
      end)

      it("raises InstanceError on an unsaved source", function()
        raises("InstanceError", function() Comment:build({ content = "y" }):setPost(post) end)
        assert.equal(1, Comment:count())
      end)

      it("neither saves nor loses other changes of the source", function()
        comment.content = "draft"
        comment:setPost(post)
        assert.equal("draft", comment.content)
        assert.same({ "content" }, comment:changed())
        assert.equal("x", Comment:findByPk(comment.id).content)
      end)

      it("only assigns with save = false, and sends nothing", function()
        log:clear()
        comment:setPost(post, { save = false })
        assert.equal(0, #log:statements())
        assert.equal(post.id, comment.postId)
        assert.is_true(comment:changed("postId"))
        comment:save()
        assert.equal(post.id, comment:reload().postId)
      end)

      it("works on an unsaved source with save = false", function()
        local fresh = Comment:build { content = "y" }
        fresh:setPost(post, { save = false })
        fresh:save()
        assert.equal(post.id, fresh:reload().postId)
      end)

      it("lets the same target be set again", function()
        comment:setPost(post)
        assert.is_true(rawequal(post, comment:setPost(post)))
        assert.equal(post.id, comment:reload().postId)
      end)
    end)

    it("setPost(nil) raises ValidationError where the key may not be NULL", function()
      declare { foreignKey = { allowNull = false } }
      local post = Post:create { title = "a" }
      local comment = Comment:create { content = "x", postId = post.id }
      local e = raises("ValidationError", function() comment:setPost(nil) end, "postId")
      assert.equal("postId", e.attribute)
      assert.equal(post.id, Comment:findByPk(comment.id).postId)
    end)

    describe("createPost", function()
      it("makes the target, links it and returns it", function()
        declare()
        local comment = Comment:create { content = "x" }
        local post = comment:createPost { title = "new" }
        assert.equal("new", post.title)
        assert.is_false(post:isNew())
        assert.equal(post.id, comment.postId)
        assert.equal(post.id, comment:reload().postId)
      end)

      it("writes only the attributes named by fields", function()
        Post = db:define("Essay", { title = liga.STRING, body = liga.TEXT })
        Comment:belongsTo(Post)
        db:sync()
        local comment = Comment:create { content = "x" }
        local essay = comment:createEssay({ title = "t", body = "b" }, { fields = { "title" } })
        assert.equal("t", Post:findByPk(essay.id).title)
        assert.is_nil(Post:findByPk(essay.id).body)
        assert.equal(essay.id, comment:reload().essayId)
      end)

      it("leaves the values table as it was", function()
        declare()
        local values = { title = "new" }
        Comment:create({ content = "x" }):createPost(values)
        assert.same({ title = "new" }, values)
      end)

      it("raises InstanceError on an unsaved source and makes nothing", function()
        declare()
        raises("InstanceError", function() Comment:build({ content = "x" }):createPost { title = "a" } end)
        assert.equal(0, Post:count())
      end)

      it("raises UsageError for a value that is no attribute of the target", function()
        declare()
        local comment = Comment:create { content = "x" }
        raises("UsageError", function() comment:createPost { titel = "a" } end, "titel", "title")
      end)
    end)

    it("refers to a key of any type, an ENUM too", function()
      local State = db:define("State", { code = { type = liga.ENUM { "open", "done" }, primaryKey = true } })
      Comment:belongsTo(State, { inverse = { type = "hasMany" } })
      Post:belongsToMany(State, { through = "PostStates" })
      db:sync()
      State:bulkCreate { { code = "open" }, { code = "done" } }
      local comment, post = Comment:create { stateCode = "open" }, Post:create {}
      assert.equal("open", comment:getState().code)
      post:setStates { "open", "done" }
      assert.equal(2, post:countStates())
      assert.equal(1, #State:findByPk("open", { include = "comments" }).comments)
      assert.equal(0, #db:sync { alter = true, dryRun = true })
      db:drop()
      db:sync()
    end)

    describe("targetKey", function()
      before_each(function()
        Post = db:define("Article", { slug = { type = liga.STRING(20), allowNull = false, unique = true } })
        Comment:belongsTo(Post, { targetKey = "slug", as = "article" })
        db:sync()
      end)

      it("names the attribute that the key refers to", function()
        assert.is_table(Comment.attributes.articleSlug)
        assert.equal("slug", Comment.attributes.articleSlug.references.key)
        assert.equal("STRING(20)", tostring(Comment.attributes.articleSlug.type))
      end)

      it("is what get, set and create go by", function()
        local article = Post:create { slug = "one" }
        local comment = Comment:create { content = "x" }
        comment:setArticle(article)
        assert.equal("one", comment:reload().articleSlug)
        assert.is_true(comment:getArticle() == article)
        comment:createArticle { slug = "two" }
        assert.equal("two", comment:reload().articleSlug)
      end)

      it("leaves a raw key a primary key, which is translated", function()
        local article = Post:create { slug = "one" }
        local comment = Comment:create { content = "x" }
        assert.is_true(comment:setArticle(article.id))
        assert.equal("one", comment.articleSlug)
        assert.equal("one", comment:reload().articleSlug)
        raises("InstanceError", function() comment:setArticle(4711) end)
        assert.equal("one", comment:reload().articleSlug)
      end)

      it("makes a model without primary key a valid target", function()
        local Code = db:define("Code", { word = { type = liga.STRING(8), unique = true } }, { primaryKey = false })
        local Door = db:define("Door", {})
        Door:belongsTo(Code, { targetKey = "word" })
        db:sync()
        Code:create { word = "sesame" }
        local door = Door:create { codeWord = "sesame" }
        assert.equal("sesame", door:getCode().word)
        local code = Code:create { word = "friend" }
        assert.is_true(rawequal(code, door:setCode(code)))
        assert.equal("friend", door:reload().codeWord)
        raises("InstanceError", function() door:setCode("sesame") end, "Code has no primary key")
        raises("InstanceError", function() door:setCode(Code:create {}) end, "word")
        assert.equal("friend", door:reload().codeWord)
      end)

      it("must have a value: nothing is linked to NULL", function()
        local Page = db:define("Page", { path = { type = liga.STRING(20), unique = true } })
        Comment:belongsTo(Page, { targetKey = "path", foreignKey = "pagePath" })
        Page:sync()
        Comment:sync { force = true }
        local without = Page:create {}
        local comment = Comment:create { pagePath = Page:create { path = "a" }.path }
        raises("InstanceError", function() comment:setPage(without) end, "Page", "path")
        raises("InstanceError", function() comment:setPage(without.id) end, "Page", "path")
        raises("InstanceError", function() comment:createPage {} end, "Page", "path")
        assert.equal("a", comment:reload().pagePath)
        assert.equal(2, Page:count())
      end)
    end)

    it("may be declared twice to one target under two aliases", function()
      Comment:belongsTo(Post, { as = "origin" })
      Comment:belongsTo(Post, { as = "reply" })
      db:sync()
      local a, b = Post:create { title = "a" }, Post:create { title = "b" }
      local comment = Comment:create { content = "x" }
      comment:setOrigin(a)
      comment:setReply(b)
      comment:reload()
      assert.equal("a", comment:getOrigin().title)
      assert.equal("b", comment:getReply().title)
    end)
  end)
end
