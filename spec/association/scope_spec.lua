--- The option scope: constants that an association reads by and writes.
local liga = require "liga"
local support = require "spec.support"
local pluck, sorted = support.pluck, support.sorted
local Op = liga.Op

for engine in support.engines() do
  describe("the scope of an association on " .. engine.name, function()
    local db, Post, Comment, post

    before_each(function()
      db = engine:open()
      Post = db:define("Post", { title = liga.STRING })
      Comment = db:define("Comment", {
        content = liga.TEXT,
        status = { type = liga.STRING(10), defaultValue = "open" },
        stars = { type = liga.INTEGER, defaultValue = 0 },
      })
    end)
    after_each(function() db:close() end)

    describe("of a hasMany", function()
      local public, private

      before_each(function()
        Post:hasMany(Comment)
        Post:hasMany(Comment, { as = "publicComments", scope = { status = "public" } })
        db:sync()
        post = Post:create { title = "a" }
        public = Comment:create { content = "x", status = "public", postId = post.id }
        private = Comment:create { content = "y", status = "private", postId = post.id }
      end)

      it("is added to what is read", function()
        assert.same({ "x" }, pluck(post:getPublicComments(), "content"))
        assert.equal(1, post:countPublicComments())
        assert.is_true(post:hasPublicComment(public))
        assert.is_false(post:hasPublicComment(private))
        assert.same({ "x", "y" }, sorted(post:getComments(), "content"))
      end)

      it("stays in force beside the where of a read", function()
        assert.equal(0, #post:getPublicComments { where = { status = "private" } })
      end)

      it("is written on create and wins over the values", function()
        local comment = post:createPublicComment { content = "z", status = "private" }
        assert.equal("public", comment.status)
        assert.equal("public", comment:reload().status)
      end)

      it("is written on create where it says NULL and the attribute has a default", function()
        Post:hasMany(Comment, { as = "plainComments", scope = { status = liga.null } })
        for _ = 1, 2 do
          for _, values in ipairs { { content = "z" }, { content = "z", status = "private" } } do
            assert.is_nil(post:createPlainComment(values):reload().status)
          end
          Comment:beforeCreate(function() end)
        end
        Post:create({ title = "b", plainComments = { { status = "private" } } }, { include = "plainComments" })
        assert.equal(5, Comment:count { where = { status = liga.null } })
      end)

      it("is written on add, in the database and on the instance", function()
        local comment = Comment:create { content = "z" }
        post:addPublicComment(comment)
        assert.equal("public", comment.status)
        assert.equal("public", comment:reload().status)
      end)

      it("is written on add of a key and of an unsaved target", function()
        local comment = Comment:create { content = "z" }
        post:addPublicComments { comment.id, Comment:build { content = "w" } }
        assert.same({ "w", "x", "z" }, sorted(post:getPublicComments(), "content"))
      end)

      it("is written on set", function()
        local comment = Comment:create { content = "z" }
        post:setPublicComments { comment }
        assert.equal("public", comment:reload().status)
        assert.same({ "z" }, pluck(post:getPublicComments(), "content"))
      end)

      it("limits set: rows outside stay linked", function()
        post:setPublicComments {}
        assert.same({ "y" }, pluck(post:getComments(), "content"))
        assert.equal(post.id, private:reload().postId)
      end)

      it("limits remove: rows outside stay linked", function()
        assert.equal(1, post:removePublicComments { public, private })
        assert.equal(post.id, private:reload().postId)
      end)

      it("is not reset by remove and set", function()
        post:removePublicComment(public)
        assert.equal("public", public:reload().status)
        assert.is_nil(public.postId)
      end)

      it("is written also if fields does not name it", function()
        local comment = post:createPublicComment({ content = "z" }, { fields = { "content" } })
        assert.equal("public", comment:reload().status)
        assert.equal(post.id, comment.postId)
      end)
    end)

    describe("with operators", function()
      before_each(function()
        Post:hasMany(Comment, { as = "goodComments", scope = { stars = { [Op.gte] = 3 }, status = "public" } })
        db:sync()
        post = Post:create { title = "a" }
      end)

      it("is a condition of reads only", function()
        Comment:create { content = "x", stars = 5, status = "public", postId = post.id }
        Comment:create { content = "y", stars = 1, status = "public", postId = post.id }
        assert.same({ "x" }, pluck(post:getGoodComments(), "content"))
      end)

      it("is not written; plain values beside it are", function()
        local comment = post:createGoodComment { content = "z", stars = 4 }
        assert.equal(4, comment:reload().stars)
        assert.equal("public", comment.status)
        assert.equal(0, post:createGoodComment({ content = "w" }).stars)
      end)
    end)

    describe("of a hasOne", function()
      local pinned, other

      before_each(function()
        Post:hasOne(Comment, { as = "pinnedComment", scope = { status = "pinned" } })
        db:sync()
        post = Post:create { title = "a" }
        pinned = Comment:create { content = "x", status = "pinned", postId = post.id }
        other = Comment:create { content = "y", postId = post.id }
      end)

      it("is added to what is read", function()
        assert.is_true(post:getPinnedComment() == pinned)
      end)

      it("is written on set, and limits what set unlinks", function()
        local comment = Comment:create { content = "z" }
        post:setPinnedComment(comment)
        assert.equal("pinned", comment:reload().status)
        assert.is_nil(pinned:reload().postId)
        assert.equal("pinned", pinned.status)
        assert.equal(post.id, other:reload().postId)
      end)

      it("is written on create and wins over the values", function()
        local comment = post:createPinnedComment { content = "z", status = "open" }
        assert.equal("pinned", comment:reload().status)
        assert.equal(post.id, other:reload().postId)
        assert.is_true(post:getPinnedComment() == comment)
      end)
    end)

    describe("of a belongsToMany", function()
      local Tag, label, topic

      before_each(function()
        Tag = db:define("Tag", { name = liga.STRING, kind = liga.STRING(10) })
        Post:belongsToMany(Tag, { through = "PostTag" })
        Post:belongsToMany(Tag, {
          as = "labels", through = "PostTag", scope = { kind = "label" },
          foreignKey = "postId", otherKey = "tagId", inverse = { as = "labelledPosts" },
        })
        db:sync()
        post = Post:create { title = "a" }
        label, topic = Tag:create { name = "l", kind = "label" }, Tag:create { name = "t", kind = "topic" }
        post:setTags { label, topic }
      end)

      it("is added to what is read", function()
        assert.same({ "l" }, pluck(post:getLabels(), "name"))
        assert.equal(1, post:countLabels())
        assert.is_true(post:hasLabel(label))
        assert.is_false(post:hasLabel(topic))
      end)

      it("is written on create and wins over the values", function()
        local tag = post:createLabel { name = "m", kind = "topic" }
        assert.equal("label", tag:reload().kind)
        assert.same({ "l", "m" }, sorted(post:getLabels(), "name"))
      end)

      it("is written on add and set", function()
        local a, b = Tag:create { name = "m" }, Tag:create { name = "n" }
        post:addLabel(a)
        assert.equal("label", a:reload().kind)
        post:setLabels { label, b }
        assert.equal("label", b:reload().kind)
        assert.same({ "l", "n" }, sorted(post:getLabels(), "name"))
        db:model("PostTag"):addHook("afterCreate", function() end)
        local c, d = Tag:create { name = "o" }, Tag:create { name = "p" }
        post:addLabels({ c, d.id }, { individualHooks = true })
        assert.equal("label", c.kind)
        assert.same({ "l", "n", "o", "p" }, sorted(post:getLabels(), "name"))
        local e = Tag:create { name = "q" }
        local again = Tag:findByPk(e.id)
        post:setLabels { c.id, e, again }
        assert.same({ "label", "label" }, { e.kind, again.kind })
        post:setLabels(nil, { individualHooks = true })
        assert.equal(0, post:countLabels())
      end)

      it("limits set and remove: links outside stay", function()
        assert.equal(1, post:removeLabels { label, topic })
        post:setLabels {}
        assert.same({ "t" }, pluck(post:getTags(), "name"))
      end)
    end)

    it("makes one key serve several owners, told apart by a constant", function()
      local Image = db:define("Image", {})
      local Note = db:define("Note", { text = liga.STRING, ownerType = liga.STRING(10) })
      for _, Owner in ipairs { Post, Image } do
        Owner:hasMany(Note, {
          foreignKey = "ownerId", constraints = false, scope = { ownerType = Owner.name },
        })
      end
      db:sync()
      post = Post:create { title = "a" }
      local image = Image:create {}
      assert.equal(post.id, image.id)
      post:createNote { text = "of post" }
      image:createNote { text = "of image" }
      assert.same({ "of post" }, pluck(post:getNotes(), "text"))
      assert.same({ "of image" }, pluck(image:getNotes(), "text"))
      post:setNotes {}
      assert.equal(1, image:countNotes())
    end)
  end)
end
