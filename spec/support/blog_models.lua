--- The models of the compile specs: users, posts, tags, stock with a key of two parts, documents,
-- notes that are soft-deleted, versioned and scoped.
local liga = require "liga"

return function(db)
  local models = {}
  models.User = db:define("User", {
    name = { type = liga.STRING(40), allowNull = false }, age = liga.INTEGER, active = liga.BOOLEAN,
    balance = liga.DECIMAL(10, 2), wealth = liga.DECIMAL(30, 4), born = liga.DATE,
  }, { timestamps = false })
  models.Post = db:define("Post", { title = liga.TEXT }, { underscored = true })
  models.Tag = db:define("Tag", { name = liga.STRING(20) }, { timestamps = false })
  models.Stock = db:define("Stock", {
    shopId = { type = liga.INTEGER, primaryKey = true }, sku = { type = liga.STRING(10), primaryKey = true },
    amount = liga.INTEGER,
  }, { timestamps = false, tableName = "stock" })
  models.Doc = db:define("Doc", { meta = liga.JSON }, { timestamps = false })
  models.Note = db:define("Note", { text = liga.TEXT, open = liga.BOOLEAN }, {
    timestamps = false, paranoid = true, version = true, defaultScope = { where = { open = true } },
    scopes = { newest = { order = { "-id" }, limit = 2 } },
  })
  models.Note:belongsToMany(models.Tag, { through = { model = "NoteTag", paranoid = true, timestamps = false } })
  models.User:hasMany(models.Note, { as = "notes" })
  models.User:hasMany(models.Post)
  models.User:hasOne(models.Post, { as = "latest", order = { "-id" }, inverse = { as = "user" } })
  models.Post:belongsToMany(models.Tag, { through = "PostTag" })
  return models
end
