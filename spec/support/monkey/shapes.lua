--- Right arguments for the public methods, by what they are called on. A method without an entry (a new one) gets
-- general ones. Each entry is a function(w, object) → arguments.
local liga = require "liga"

local Op = liga.Op
local random = math.random

local function pick(list) return list[random(#list)] end
local function copy(list)
  local new = {}
  for name, value in pairs(list) do new[name] = value end
  return new
end

local function maybe(value, share) return random() < (share or 0.3) and value or nil end

local shapes = {}

-- Parts of arguments -------------------------------------------------------------------------------------------------

local function class_of(object)
  return liga.modelOf(object) or object
end

local function associations_of(object)
  local list = {}
  for _, association in ipairs(class_of(object).associations or {}) do list[#list + 1] = association end
  return list
end

--- @param class whose attributes they must be (a junction has others), or nil
local function values(class)
  local given = {
    name = pick { "a", "b", "x" .. random(1000) }, age = maybe(random(9)), meta = maybe { a = { 1, { b = "c" } } },
    price = maybe "1.50", score = maybe(0.5), active = maybe(true), born = maybe "2026-01-02T03:04:05.000Z",
    photo = maybe "\0\1",
  }
  for name in pairs(class and copy(given) or {}) do
    if not class.attributes[name] then given[name] = nil end
  end
  return given
end

local function where()
  return pick {
    function() return { name = "a" } end, function() return { age = { 1, 2, 3 } } end,
    function() return { age = { [Op.gte] = 1, [Op.lt] = 9 } } end, function() return { name = Op.like "%a%" } end,
    function() return { [Op.or_] = { { name = "a" }, { age = liga.null }, { [Op.not_] = { name = "b" } } } } end,
    function() return { meta = { a = { 1, 2 } } } end, function() return { ["meta.a"] = liga.null } end,
    function() return { [liga.json("meta", "a", 1)] = 1 } end, function() return { liga.sql("age > ?", 1) } end,
    function() return { liga.where(liga.fn("lower", liga.col "name"), Op.eq, "a"), { age = 1 } } end,
    function() return { age = Op.gt(liga.col "id") } end, function() return { name = Op.regexp "^a" } end,
  }()
end

local function order()
  return pick { "name", "-age", { "name", { "age", "DESC" } }, { { "age", "ASC NULLS LAST" } },
    { liga.fn("lower", liga.col "name") }, { { liga.literal "1", "DESC" } } }
end

local include

--- One include of an association.
local function include_of(association, depth)
  return {
    association = pick { association.as, association }, where = maybe(where(), 0.2), required = maybe(true, 0.2),
    attributes = maybe({ "name" }, 0.2), order = maybe(order(), 0.2), limit = maybe(2, 0.2),
    paranoid = maybe(false, 0.1), strategy = maybe(pick { "join", "select" }, 0.3),
    through = association.type == "belongsToMany" and maybe({ attributes = {}, where = {} }, 0.2) or nil,
    include = depth > 0 and maybe(include(association.target, depth - 1), 0.3) or nil,
  }
end

function include(object, depth)
  local list, named = associations_of(object), {}
  if #list == 0 then return {} end
  local association = pick(list)
  if random() < 0.2 then return { association.as } end
  if random() < 0.2 then
    local one = include_of(association, depth)
    one.association, named[association.as] = nil, one
    return named
  end
  if random() < 0.1 then return { { all = true } } end
  return { include_of(association, depth), pick(list).as ~= association.as and pick(list).as or nil }
end

local function find(_, object)
  return {
    where = maybe(where(), 0.5), order = maybe(order()), limit = maybe(random(0, 5)), offset = maybe(1, 0.1),
    include = maybe(include(object, 2), 0.4), attributes = maybe(pick { { "id", "name" }, { exclude = { "meta" } },
      { include = { { liga.fn("length", liga.col "name"), "size" } } } }, 0.2),
    raw = maybe(true, 0.1), lazy = maybe("batch", 0.1), distinct = maybe(true, 0.1), paranoid = maybe(false, 0.1),
    lock = maybe("update", 0.1), logging = maybe(function() end, 0.1), transaction = nil,
  }
end

local function count(_, object)
  return { where = maybe(where(), 0.7), include = maybe(include(object, 1), 0.2), distinct = maybe(true, 0.2),
    group = maybe({ "name" }, 0.1) }
end

local function many() return { where = where(), limit = maybe(2, 0.1), returning = maybe(true), silent = maybe(true),
  individualHooks = maybe(true, 0.2) } end

local function row_options(w)
  return maybe { validate = maybe(false), hooks = maybe(true), silent = maybe(true), fields = maybe({ "name" }, 0.2),
    transaction = w.transaction, logging = maybe(function() end) }
end

local function key(w, object)
  local class = class_of(object)
  if #class.primaryKey == 2 then return pick { { 1, "x" }, { a = 1, b = "y" } } end
  return random() < 0.8 and random(3) or w:stored(class.name)
end

local function nested(object)
  local given, names = values(), {}
  for _, association in ipairs(associations_of(object)) do
    if random() < 0.3 and type(association.through) ~= "string" then
      names[#names + 1] = association.as
      given[association.as] = association.isMulti and { values(), values() } or values()
    end
  end
  return given, #names > 0 and { include = names } or nil
end

-- Models -------------------------------------------------------------------------------------------------------------

local function attribute() return pick { "age", "score", "price" } end
local function with_attribute(w, object) return attribute(), maybe(count(w, object)) end
local function list_of_values() return { values(), values(), random() < 0.3 and values() or nil } end
local function target(w) return pick { w:model(), w:model().name } end
local function increments(_, object)
  return pick { "age", { "age" }, { age = 2, score = 0.5 } }, object.where == nil and { where = where() } or { by = 2 }
end

local function association_options(kind, n)
  local o = { as = "m" .. n, inverse = { as = "i" .. n }, hooks = maybe(true, 0.1),
    onDelete = maybe(pick { "cascade", "SET NULL" }, 0.2), foreignKey = maybe("k" .. n, 0.5) }
  if kind == "belongsToMany" then
    o.through = pick { "J" .. n, { model = "J" .. n, unique = false, scope = { x = 1 } } }
  end
  if kind ~= "belongsTo" then
    o.scope, o.order = maybe({ age = 1 }, 0.2), maybe({ "name" }, 0.2)
  end
  return o
end

local function definer(kind)
  return function(w) return target(w), association_options(kind, random(1000)) end
end

local function hook(w)
  local call = pick { function() end, function() w:misbehave() end }
  if random() < 0.5 then return call end
  return "h", call
end

local hook_names = { "beforeCreate", "afterFind", "beforeBulkDestroy" }

shapes.model = {
  findAll = find, findOne = find, explain = find, each = find, count = count, exists = count,
  findAndCountAll = find, sum = with_attribute, min = with_attribute, max = with_attribute, avg = with_attribute,
  page = function()
    return { order = pick { "name", { { "age", "DESC" } } }, size = random(3), where = maybe(where()) }
  end,
  findByPk = function(w, object) return key(w, object), maybe { include = include(object, 1) } end,
  findByPks = function(w, object) return { key(w, object), key(w, object) }, maybe { attributes = { "name" } } end,
  keys = function(w, object) return { key(w, object), key(w, object) } end,
  findOrBuild = function() return { where = { name = "b" }, defaults = maybe { age = 3 } } end,
  findOrCreate = function() return { where = { name = "b" }, defaults = maybe { age = 3 } } end,
  build = function(_, object) return nested(object) end,
  create = function(w, object)
    local given, options = nested(object)
    return given, options or row_options(w)
  end,
  bulkCreate = function() return list_of_values(), maybe { returning = maybe(true), ignoreDuplicates = maybe(true),
    fields = maybe { "name" } } end,
  upsert = function(_, object)
    local given = values()
    for i, name in ipairs(class_of(object).primaryKey) do given[name] = #class_of(object).primaryKey == 2
      and pick { i, i == 1 and 1 or "x" } or 1 end
    return given, maybe { returning = true }
  end,
  update = function() return { age = random(9) }, many() end,
  destroy = function() return many() end,
  restore = function() return { where = where() } end,
  increment = increments, decrement = increments,
  truncate = function() return maybe { cascade = true } end,
  scope = function(_, object)
    if class_of(object).name ~= "Wild" then return end
    return pick { "old", { "of", 5 } }, maybe "old"
  end,
  unscoped = function() end, describe = function() end,
  addScope = function() return "s" .. random(1000), { where = where() }, maybe { override = true } end,
  association = function(_, object)
    return #associations_of(object) > 0 and pick(associations_of(object)).as or "none"
  end,
  sync = function() return { dryRun = maybe(true), force = maybe(true), alter = maybe(true) } end,
  drop = function() return maybe { cascade = true } end,
  addHook = function(w) return pick(hook_names), hook(w) end,
  removeHook = function() return pick(hook_names), maybe "h" end,
  hasHook = function() return pick(hook_names), maybe "h" end,
}
for _, kind in ipairs { "belongsTo", "hasOne", "hasMany", "belongsToMany" } do shapes.model[kind] = definer(kind) end

shapes.association = {}
for _, kind in ipairs { "belongsTo", "hasOne", "hasMany", "belongsToMany" } do
  shapes.association[kind] = shapes.model[kind]
end

-- Instances ----------------------------------------------------------------------------------------------------------

shapes.instance = {
  save = row_options, destroy = function() return maybe { force = true } end, restore = function() end,
  update = function(w) return values(), row_options(w) end,
  reload = function(_, object) return maybe { include = include(object, 1), attributes = maybe { "name" } } end,
  set = function() if random() < 0.5 then return values() end return "name", "n" end,
  get = function() return pick { "name", { plain = true }, { plain = true, nulls = true } } end,
  toTable = function() return maybe { nulls = true } end,
  changed = function() return maybe "name" end, previous = function() return "name" end,
  isNew = function() end, validate = function() end, where = function() end,
  increment = increments, decrement = increments,
  equals = function(w) return w:stored() end,
  load = function(_, object)
    if #associations_of(object) == 0 then return "none" end
    local association = pick(associations_of(object))
    return pick { association, association.as }, maybe { where = where(), limit = maybe(1) }
  end,
  isLoaded = function(_, object) return #associations_of(object) > 0 and pick(associations_of(object)).as or "none" end,
}

--- Arguments of a generated method, by its verb.
local function targets_of(w, association)
  local class = association.target
  return pick { key(w, class), w:stored(class.name), class:build(values(class)) }
end

local function list_of(w, association) return { targets_of(w, association), targets_of(w, association) } end

local function link_options(association)
  local through = association.type == "belongsToMany" and maybe {} or nil
  return maybe { through = through, logging = maybe(function() end) }
end

local by_verb = {
  get = function(w, a) return find(w, a.target) end, count = function(w, a) return count(w, a.target) end,
  has = function(w, a) return targets_of(w, a), maybe {} end,
  hasMultiple = function(w, a) return list_of(w, a), maybe { exact = true } end,
  set = function(w, a)
    if a.isMulti then return list_of(w, a), link_options(a) end
    return targets_of(w, a), link_options(a)
  end,
  add = function(w, a) return targets_of(w, a), link_options(a) end,
  addMultiple = function(w, a) return list_of(w, a), link_options(a) end,
  remove = function(w, a) return targets_of(w, a), link_options(a) end,
  removeMultiple = function(w, a) return list_of(w, a), link_options(a) end,
  create = function(_, a) return values(a.target), link_options(a) end,
}

--- The shape of a generated method of an instance.
-- @param name of the method
function shapes.accessor(object, name)
  for _, association in ipairs(associations_of(object)) do
    for verb, method in pairs(association.accessors or {}) do
      if method == name then
        return function(w) return by_verb[verb](w, association) end
      end
    end
  end
end

-- The database -------------------------------------------------------------------------------------------------------

local function noop() return random(3) end

shapes.database = {
  close = function() end, ping = function() end, validate = function() end, currentTransaction = function() end,
  queryInterface = function() end,
  define = function() return "M" .. random(1000), { a = liga.STRING(5), b = { type = liga.INTEGER, allowNull = false,
    defaultValue = 1, unique = true, references = maybe { model = "User", key = "id" }, validate = { min = 1 } },
    user = maybe(liga.belongsTo("User", { inverse = { as = "z" .. random(1000), type = "hasMany" } })) },
    { underscored = maybe(true), paranoid = maybe(true), version = maybe(true), indexes = { { fields = { "a" },
      unique = true, name = maybe "ix" } }, scopes = { x = { where = { a = "1" } } }, hooks = { beforeCreate = noop },
      defaultScope = maybe { where = { a = "x" } }, name = maybe { singular = "q", plural = "qs" } }
  end,
  model = function(w) return w:model().name end,
  transaction = function(w)
    local o = { isolation = maybe("serializable", 0.2), readOnly = maybe(true, 0.1), retry = maybe(1, 0.1),
      mode = maybe("deferred", 0.1), transaction = w.transaction }
    return pick { function() return noop end, function() return o, noop end, function() return o end }()
  end,
  query = function() return pick {
    function() return "SELECT $1 + $2", { bind = { 1, 2 } } end,
    function() return "SELECT ? AS x", { replacements = { "a" } } end,
    function() return 'SELECT * FROM "Users"', { model = "User", mapToModel = maybe(true), raw = maybe(true) } end,
    function() return "SELECT 1; SELECT 2", { multiple = true } end,
    function() return "SELECT :a AS x, :b AS y", { replacements = { a = 1, b = 2 }, nest = maybe(true) } end,
  }() end,
  preload = function(w)
    local name = pick { "User", "Post", "Wild", "Pair" }
    return { w:stored(name), w:stored(name) }, include(w:model(name), 1), maybe { missing = true }
  end,
  sync = shapes.model.sync, drop = shapes.model.drop, reflect = function() return maybe { tables = { "Users" } } end,
  addHook = shapes.model.addHook, removeHook = shapes.model.removeHook, hasHook = shapes.model.hasHook,
}

shapes.transaction = {
  commit = function() end, rollback = function() end, isFinished = function() end,
  afterCommit = function() return noop end, afterRollback = function() return noop end,
  savepoint = function() return maybe "s" end, wrap = function() return noop end,
}
shapes.savepoint = { rollback = function() end, release = function() end }

local function table_name(w) return pick { w:model().tableName, w:model() } end

shapes.queryInterface = {
  createTable = function()
    return "t" .. random(1000), { id = { type = liga.INTEGER, primaryKey = true }, a = liga.STRING,
      b = { type = liga.INTEGER, allowNull = false, defaultValue = 1 } }, maybe { indexes = { { fields = { "a" } } } }
  end,
  dropTable = function(w) return table_name(w), maybe { cascade = true } end,
  dropAllTables = function() return maybe { skip = { "Users" } } end,
  renameTable = function(w) return table_name(w), "t" .. random(1000) end,
  tableExists = table_name, describeTable = table_name, showIndexes = table_name, showConstraints = table_name,
  showAllTables = function() end,
  addColumn = function(w) return table_name(w), "c" .. random(1000), pick { liga.STRING, { type = liga.INTEGER,
    defaultValue = 1, allowNull = false, index = maybe(true) } } end,
  removeColumn = function(w) return table_name(w), pick { "age", "name", "photo" } end,
  changeColumn = function(w) return table_name(w), "age", { type = liga.BIGINT, allowNull = maybe(true) } end,
  renameColumn = function(w) return table_name(w), "age", "c" .. random(1000) end,
  addIndex = function(w)
    return table_name(w), { "age", "name" }, maybe { name = "ix", unique = false, where = { age = 1 } }
  end,
  removeIndex = function(w) return table_name(w), { "name" } end,
  addConstraint = function(w) return table_name(w), pick {
    { type = "unique", fields = { "id" } }, { type = "check", name = "ck", where = { age = { [Op.lt] = 1000000 } } },
    { type = "foreign key", fields = { "age" }, references = { table = "Users", field = "id" },
      onDelete = "cascade" } } end,
  removeConstraint = function(w) return table_name(w), "none" end,
  createSchema = function() return "s1" end, dropSchema = function() return "s1", maybe { cascade = true } end,
  disableForeignKeyConstraints = function() end, enableForeignKeyConstraints = function() end,
  resetSequence = function() return "Users", maybe(100) end,
  bulkInsert = function() return "Probes", { { name = "a", age = 1 }, { name = "b" } } end,
}

-- The module ---------------------------------------------------------------------------------------------------------

local function json_value() return { a = { 1, "x", liga.null, liga.array {} }, b = 1.5 } end

shapes.module = {
  connect = function() return "sqlite::memory:", { pool = { max = 2, idle = 1000 }, foreignKeys = true,
    busyTimeout = 10, define = { underscored = true }, statementCache = 5,
    busyPoll = false, dates = "epoch", lazy = "batch", pragmas = { cache_size = 100 }, hooks = { beforeDefine = noop },
    logging = noop, compat = maybe("v1", 0.1), readOnly = maybe(false) } end,
  fn = function() return "lower", liga.col "name", 1 end, col = function() return "name" end,
  cast = function() return liga.col "age", "numeric(10, 2)" end, literal = function() return "1" end,
  sql = function() return "a > ?", 1 end, where = function() return liga.col "a", Op.gt, 5 end,
  array = function() return { 1, 2 } end, isError = function() return {}, "UsageError" end,
  modelOf = function(w) return w:stored() end, json = function() return "meta", "a", 1 end,
  ["json.encode"] = json_value, ["json.decode"] = function() return pick { '{"a":[1,null,{"b":"c"}]}', "[", "1e5" } end,
  ["inflect.irregular"] = function() return "monkeyone", "monkeymany" end,
  ["inflect.uncountable"] = function() return "monkeyness" end,
  ["reflect.source"] = function(w) return w.db, maybe { tables = { "Users" } } end,
  ["reflect.view"] = function(w) return w.db end,
  belongsTo = function() return "User", { as = "x" } end, hasOne = function() return "User", { as = "x" } end,
  hasMany = function() return "User", { as = "x" } end,
  belongsToMany = function() return "User", { through = "y" } end,
  ["types.STRING"] = function() return 40 end, ["types.CHAR"] = function() return 4 end,
  ["types.DECIMAL"] = function() return 10, 2 end, ["types.ENUM"] = function() return { "a", "b" } end,
  ["types.ARRAY"] = function() return liga.INTEGER end, ["types.RANGE"] = function() return liga.INTEGER end,
  ["types.DATE"] = function() return { stored = "mixed" } end,
}

--- What any method may be called with.
local general = {
  function() return "name" end, function(w) return w:stored() end, function(w) return find(w, w:model()) end,
  function() return values() end, list_of_values, function() return 1 end,
  function() return function() end end, function() end, function() return { "name" } end,
}

--- Right arguments, or at least such that are not meant to be wrong.
-- @return a packed list
function shapes.arguments(w, kind, object, name)
  local shape = shapes[kind] and shapes[kind][name]
  if not shape and kind == "instance" then shape = shapes.accessor(object, name) end
  if not shape and name:find "^types%." then return table.pack() end
  if not shape and name:find "^Op%." then shape = function() return pick { 1, "a", { 1, 2 } } end end
  if not shape and name:find "^inflect%." then shape = function() return "monkeyWord" end end
  if not shape and (name:find "^before" or name:find "^after") then shape = hook end
  return table.pack((shape or pick(general))(w, object))
end

return shapes
