-- Every type in every operation (contract, sections 2, 5, 6, 7 and 10): the types are the rows of
-- spec/support/kinds.lua, the operations those of the table below. What types have in common is said here, what is
-- special about one in its own file.
local kinds = require "spec.support.kinds"
local liga = require "liga"
local support = require "spec.support"
local Op, null = liga.Op, liga.null

local function show(x)
  if type(x) ~= "table" then return tostring(x) end
  local parts = {}
  for key, part in pairs(x) do parts[#parts + 1] = tostring(key) .. "=" .. show(part) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A value, and it is of the very kind: 1 is not 1.0.
local function is_value(expected, got, what)
  assert.same(expected, got, what)
  assert.equal(math.type(expected), math.type(got), what)
end

--- What a row holds, however it is looked at, and nothing about it is changed.
local function holds(x, expected, what)
  local Thing = liga.modelOf(x)
  local read = Thing:findByPk(x.id)
  is_value(expected, x.v, what .. ": the instance")
  is_value(expected, read.v, what .. ": read")
  is_value(expected, read:toTable().v, what .. ": toTable")
  assert.is_nil(x:changed(), what)
  assert.is_nil(read:changed(), what)
end

--- Rows 1, 2, … with the values in this order, then one with NULL; inserted in another one.
local function fill(Thing, kind)
  local rows, count = {}, #kind.values
  for i = count, 1, -1 do rows[#rows + 1] = { n = i, v = kind.values[i].given, w = kind.values[i].given, g = i % 2 } end
  table.insert(rows, 2, { n = count + 1, g = 2 })
  Thing:destroy{ all = true }
  Thing:bulkCreate(rows)
  return count
end

local function found(Thing, options)
  return table.concat(support.pluck(Thing:findAll(options), "n"), " ")
end

--- The numbers from 1 to count for which a function is true.
local function numbers(count, chosen)
  local list = {}
  for i = 1, count do
    if chosen(i) then list[#list + 1] = i end
  end
  return table.concat(list, " ")
end

local function has_order(kind) return not kind.unordered end
local function has_conditions(kind) return not kind.document end
local function is_plain(kind) return not kind.is_table end

-- Operations ---------------------------------------------------------------------------------------------------------
-- {title, function(Thing, kind), applies = function(kind) or nil: to all}

--- Ways to write one value: function(Thing, value, k: of the row) → the instance.
local writers = {
  ["update by a column"] = function(Thing, value)
    local x = Thing:create{ w = value }
    x.v = liga.col "w"
    return x:save()
  end,
  create = function(Thing, value) return Thing:create{ v = value } end,
  save = function(Thing, value) return Thing:build{ v = value }:save() end,
  update = function(Thing, value) return Thing:create{}:update{ v = value } end,
  set = function(Thing, value)
    local x = Thing:create{}
    x:set("v", value)
    return x:save()
  end,
  assignment = function(Thing, value)
    local x = Thing:create{}
    x.v = value
    return x:save()
  end,
  bulkCreate = function(Thing, value) return Thing:bulkCreate{ { v = value }, {}, Thing:build{ v = value } }[3] end,
  updateOnDuplicate = function(Thing, value, k)
    Thing:create{ k = k }
    local over = { updateOnDuplicate = { "v" }, conflictFields = { "k" } }
    return Thing:bulkCreate({ { k = k, v = value } }, over)[1]
  end,
  upsert = function(Thing, value, k) return (Thing:upsert({ k = k, v = value }, { conflictFields = { "k" } })) end,
  ["upsert of a row"] = function(Thing, value, k)
    Thing:create{ k = k }
    return (Thing:upsert({ k = k, v = value }, { conflictFields = { "k" } }))
  end,
  ["update of a model"] = function(Thing, value)
    local x = Thing:create{}
    local count, rows = Thing:update({ v = value }, { where = { id = x.id }, returning = true })
    assert.equal(1, count)
    return rows[1]
  end,
  findOrCreate = function(Thing, value, k)
    return (Thing:findOrCreate{ where = { k = k }, defaults = { v = value } })
  end,
}

local operations = {
  { "is written in every way, and read as one value", function(Thing, kind)
    for i, value in ipairs(kind.values) do
      for name, write in pairs(writers) do holds(write(Thing, value.given, name .. i), value.read, name) end
      for _, other in ipairs(value.others) do holds(Thing:create{ v = other }, value.read, "create of another form") end
      is_value(value.read, Thing:findOne{ order = "-id", raw = true }.v)
    end
  end },

  { "counts as changed when it is another value, not when it is another form of it", function(Thing, kind)
    for i, value in ipairs(kind.values) do
      local x, next_value = Thing:create{ v = value.given }, kind.values[i % #kind.values + 1]
      for _, form in ipairs { value.read, table.unpack(value.others) } do
        x.v = form
        assert.is_nil(x:changed())
      end
      x.v = next_value.given
      assert.same({ "v" }, x:changed())
      is_value(value.read, x:previous "v")
      holds(x:save(), next_value.read, "another value")
      x.v = nil
      assert.same({ "v" }, x:changed())
      holds(x:save(), nil, "NULL")
      x.v = value.given
      assert.same({ "v" }, x:changed())
      assert.is_nil(x:previous "v")
    end
  end },

  { "refuses what is none of its values, before any SQL", function(Thing, kind, log)
    local x = Thing:create{}
    log:clear()
    for _, wrong in ipairs(kind.wrong) do
      local attempts = {
        create = function() Thing:create{ v = wrong } end,
        bulkCreate = function() Thing:bulkCreate{ {}, { v = wrong } } end,
        upsert = function() Thing:upsert({ k = "x", v = wrong }, { conflictFields = { "k" } }) end,
        update = function() Thing:update({ v = wrong }, { where = { n = 1 } }) end,
        save = function() x.v = wrong; x:save() end, validate = function() Thing:build{ v = wrong }:validate() end,
      }
      if has_conditions(kind) then
        attempts["Op.eq"] = function() Thing:count{ where = { v = Op.eq(wrong) } } end
        attempts["Op.in_"] = function() Thing:count{ where = { v = Op.in_ { kind.values[1].given, wrong } } } end
        attempts["Op.any"] = function() Thing:count{ where = { v = Op.ne(Op.all { wrong }) } } end
      end
      if has_conditions(kind) and has_order(kind) then
        attempts["Op.gt"] = function() Thing:count{ where = { v = Op.gt(wrong) } } end
        local pair = { kind.values[1].given, wrong }
        attempts["Op.between"] = function() Thing:count{ where = { v = Op.between(pair) } } end
      end
      for name, attempt in pairs(attempts) do
        local e = support.raises("ValidationError", attempt, Thing.name .. ".v")
        local what = ("%s of %s"):format(name, show(wrong))
        assert.same({ Thing.name, "v" }, { e.model, e.attribute }, what)
        if type(wrong) == "table" then assert.same(wrong, e.value, what) else assert.equal(wrong, e.value, what) end
        assert.is_nil(e.message:find "secret", what)
      end
    end
    assert.same({}, log:statements "query")
  end },

  { "is found by equality, and in lists", applies = has_conditions, function(Thing, kind)
    local count = fill(Thing, kind)
    local function check(expected, condition, what)
      assert.equal(expected, found(Thing, { where = { v = condition }, order = "n" }), what)
    end
    local last, all = kind.values[count].given, {}
    for i, value in ipairs(kind.values) do
      all[i] = value.given
      local only, rest = tostring(i), numbers(count, function(k) return k ~= i end)
      for _, form in ipairs { value.given, table.unpack(value.others) } do
        check(only, Op.eq(form), "eq")
        if type(form) ~= "table" then check(only, form, "plain") end
        check(rest, Op.ne(form), "ne")
        check(only, Op.in_ { form }, "in_")
        check(numbers(count + 1, function(k) return k == i or k > count end), Op.in_ { form, null }, "in_ with NULL")
        check(numbers(count, function(k) return k == i or k == count end), Op.any { form, last }, "any")
        check(rest, Op.notIn { form }, "notIn")
        check(numbers(count, function(k) return k ~= i and k ~= count end), Op.ne(Op.all { form, last }), "ne all")
        check(rest, Op.not_(Op.eq(form)), "not_")
      end
      assert.equal(1, Thing:update({ g = 5 }, { where = { v = Op.eq(value.given) } }))
    end
    check(numbers(count, function() return true end), Op.eq(liga.col "w"), "a column")
    check("", Op.ne(liga.col "w"), "a column")
    check(tostring(count + 1), null, "NULL")
    check(numbers(count, function() return true end), Op.isNot(null), "not NULL")
    for k = count + 1, 600 do all[k] = all[k - count] end
    check(numbers(count, function() return true end), Op.in_(all), "in_ of many")
    check("", Op.notIn(all), "notIn of many")
  end },

  { "is found by greater and less", applies = has_order, function(Thing, kind)
    local count = fill(Thing, kind)
    local function check(condition, chosen, what)
      assert.equal(numbers(count, chosen), found(Thing, { where = { v = condition }, order = "n" }), what)
    end
    local last = kind.values[count].given
    for i, value in ipairs(kind.values) do
      local further = math.min(i + 1, count)
      local pair = { value.given, kind.values[further].given }
      check(Op.gt(value.given), function(k) return k > i end, "gt")
      check(Op.gte(value.given), function(k) return k >= i end, "gte")
      check(Op.lt(value.given), function(k) return k < i end, "lt")
      check(Op.lte(value.given), function(k) return k <= i end, "lte")
      check(Op.between(pair), function(k) return k >= i and k <= further end, "between")
      check(Op.notBetween(pair), function(k) return k < i or k > further end, "notBetween")
      check(Op.gt(Op.any(pair)), function(k) return k > i end, "gt any")
      check(Op.lt(Op.all { value.given, last }), function(k) return k < i end, "lt all")
    end
    check(Op.gte(liga.col "w"), function() return true end, "a column")
    check(Op.lt(liga.col "w"), function() return false end, "a column")
  end },

  { "orders rows, groups and included rows, NULL being the largest", applies = has_order, function(Thing, kind)
    local count = fill(Thing, kind)
    local function check(order, from, to, step, null_at)
      local list = {}
      for i = from, to, step do list[#list + 1] = i end
      table.insert(list, null_at == "first" and 1 or #list + 1, count + 1)
      local expected = table.concat(list, " ")
      assert.equal(expected, found(Thing, { order = order }))
      for _, strategy in ipairs { "select", "join" } do
        local top = Thing:findOne{ where = { n = 1 }, include = { others = { order = order, strategy = strategy } } }
        assert.equal(expected, table.concat(support.pluck(top.others, "n"), " "), strategy)
      end
    end
    Thing:update({ topId = Thing:findOne{ where = { n = 1 } }.id }, { all = true })
    check("v", 1, count, 1, "last")
    check("-v", count, 1, -1, "first")
    check({ { "v", "ASC NULLS FIRST" } }, 1, count, 1, "first")
    check({ { "v", "DESC NULLS LAST" } }, count, 1, -1, "last")
    check({ liga.col "v" }, 1, count, 1, "last")
    Thing:create{ n = 99, v = kind.values[1].given }
    assert.equal(count, Thing:count{ col = "v", distinct = true })
    local values = Thing:findAll{ attributes = { "v" }, distinct = true, order = "v", raw = true }
    local groups = Thing:count{ group = "v", order = "v" }
    assert.same({ count + 1, count + 1 }, { #values, #groups })
    for i, value in ipairs(kind.values) do
      is_value(value.read, values[i].v)
      is_value(value.read, groups[i].v)
      assert.equal(i == 1 and 2 or 1, groups[i].count)
    end
  end },

  { "has a smallest and a largest one, in results, orders and groups", applies = has_order, function(Thing, kind)
    local count = fill(Thing, kind)
    local values = kind.values
    local least, most = liga.fn("min", liga.col "v"), liga.fn("max", liga.col "v")
    is_value(values[1].read, Thing:min "v")
    is_value(values[count].read, Thing:max "v")
    is_value(values[2].read, Thing:max("v", { order = "v", limit = 2 }))
    assert.is_nil(Thing:max("v", { where = { n = 0 } }))
    local row = Thing:findOne{ attributes = { { least, "least" }, { most, "most" } }, raw = true }
    is_value(values[1].read, row.least)
    is_value(values[count].read, row.most)
    local groups = { attributes = { "g" }, group = "g", raw = true }
    local function check(expected, options)
      for name, option in pairs(options) do groups[name] = option end
      assert.same(expected, support.pluck(Thing:findAll(groups), "g"))
    end
    check({ 1, 0, 2 }, { order = { least } })
    check({ 2, count % 2, 1 - count % 2 }, { order = { { most, "DESC" } } })
    check({ count % 2 }, { order = "g", having = liga.where(most, Op.eq, values[count].given) })
    check({ 1 }, { having = liga.where(least, Op.lte, values[1].given) })
    check({ 1 }, { having = liga.where(least, Op.in_ { values[1].given }) })
    groups.having = liga.where(most, Op.eq, kind.wrong[1])
    support.raises("ValidationError", function() Thing:findAll(groups) end, Thing.name .. ".v")
    local either = liga.fn("coalesce", liga.col "v", liga.col "v")
    assert.equal(1, Thing:count{ where = liga.where(either, Op.eq, values[1].given) })
    assert.equal(count - 1, Thing:count{ where = liga.where(either, Op.gt, values[1].given) })
    for i, read in ipairs(Thing:findAll{ attributes = { { either, "either" } }, order = { either }, raw = true }) do
      is_value(values[i] and values[i].read, read.either)
    end
  end },

  { "is summed if it is a number, and nothing else is", function(Thing, kind)
    if kind.number then
      assert.equal(0, tonumber(Thing:sum("v", { where = { n = 0 } })))
      assert.is_nil(Thing:avg("v", { where = { n = 0 } }))
      return
    end
    for _, name in ipairs { "sum", "avg" } do
      support.raises("UsageError", function() Thing[name](Thing, "v") end, Thing.name .. ".v", "no number")
    end
    support.raises("UsageError", function() Thing:increment({ v = 1 }, { all = true }) end, "v")
  end },

  { "is gone on from, page by page, in both directions", applies = has_order, function(Thing, kind)
    local count = fill(Thing, kind)
    if kind.type.element and kind.type.element.name == "FLOAT" then return end      -- infinities are none of JSON's
    for _, order in ipairs { "v", "-v", { { "v", "ASC NULLS FIRST" } }, { { "v", "DESC NULLS LAST" } } } do
      local expected, seen = found(Thing, { order = order }), {}
      local page, info
      repeat
        page, info = Thing:page{ order = order, size = 2, after = info and info.after }
        for _, x in ipairs(page) do seen[#seen + 1] = x.n end
      until not info.hasNext
      assert.equal(expected, table.concat(seen, " "))
      for i = #page, 1, -1 do
        assert.equal(page[i].n, seen[#seen])
        seen[#seen] = nil
      end
      while info.hasPrevious do
        page, info = Thing:page{ order = order, size = 2, before = info.before }
        for i = #page, 1, -1 do
          assert.equal(page[i].n, seen[#seen])
          seen[#seen] = nil
        end
      end
      assert.equal(0, #seen)
      for x in Thing:each{ order = order, batch = 2 } do seen[#seen + 1] = x.n end
      assert.equal(expected, table.concat(seen, " "))
    end
    assert.equal(count + 1, Thing:count())
  end },

  { "is a default, of liga and of the database", function(Thing, kind)
    local x = Thing:build{}:save()
    is_value(kind.values[2].read, x.d)
    is_value(kind.values[2].read, x:reload().d)
    is_value(kind.values[2].read, x.f)
    local db = getmetatable(Thing).db
    db:query(('INSERT INTO "%s" (n) VALUES (77)'):format(Thing.tableName))
    x = Thing:findOne{ where = { n = 77 } }
    is_value(kind.values[2].read, x.d)
    assert.is_nil(x:changed())
    assert.is_nil(x.f)
  end },

  { "keeps its values unique", applies = has_order, function(Thing, kind)
    if kind.type.name == "BOOLEAN" then return end
    for _, value in ipairs(kind.values) do
      Thing:create{ u = value.given }
      local e = support.raises("UniqueConstraintError", function() Thing:create{ u = value.given } end)
      assert.same({ Thing.name, "u" }, { e.model, e.attribute })
      assert.is_nil(type(value.given) == "string" and #value.given > 5 and e.message:find(value.given, 1, true) or nil)
    end
  end },

  { "is a key, alone, in part and of associations", applies = is_plain, function(Thing, kind)
    local db = getmetatable(Thing).db
    local Key, Part, Child, Link = db:model(Thing.name .. "Key"), db:model(Thing.name .. "Part"),
      db:model(Thing.name .. "Child"), db:model(Thing.name .. "Link")
    local keys, parts = {}, {}
    for i, value in ipairs(kind.values) do
      local given = type(value.given) == "table" and value.read or value.given
      local key, part = Key:create{ k = value.given, n = i }, Part:create{ k = value.given, m = i, n = i }
      keys[i], parts[i] = value.read, { given, i }
      is_value(value.read, key.k)
      for _, form in ipairs { given, value.read, table.unpack(value.others) } do
        assert.equal(i, Key:findByPk(form).n)
        assert.equal(i, Part:findByPk{ k = form, m = i }.n)
      end
      assert.equal(key, Key:findByPk(given))
      assert.same({ k = value.read }, key:where())
      assert.equal(i, Key:findOne{ where = key:where() }.n)
      assert.is_false((select(2, Key:upsert{ k = value.given, n = i })))
      assert.is_false((select(2, Key:findOrCreate{ where = { k = value.given } })))
      support.raises("UniqueConstraintError", function() Key:create{ k = value.given } end, Key.name, "k")
      assert.equal(i, part:update{ n = i }:reload().n)
      local child = key:createChild{ n = i }
      is_value(value.read, Child:findByPk(child.id).keyK)
      assert.equal(key, child:getKey())
      child:setKey(nil)
      child:setKey(value.read)
      assert.is_true(key:hasChild(child))
      local link = key:createLink{ n = i }
      assert.equal(0, #link:addKey(key):getLinks() - 1)
      assert.is_true(link:hasKey(value.read))
      assert.equal(1, link:removeKey(value.read))
      link:setKeys{ value.read }
      part:createWhole{ n = i }
    end
    assert.equal(#keys, #Key:findByPks(keys))
    assert.equal(#keys, #Part:findByPks(parts))
    for i = #parts + 1, 40 do parts[i] = parts[i - #keys] end
    assert.equal(#keys, Part:count{ where = Part:keys(parts) })
    local function check(list, what, name, inner)
      assert.equal(#keys, #list)
      for _, x in ipairs(list) do
        local read = x[name]
        if inner then read = read[1] end
        assert.equal(x.n, read and read.n, what)
      end
    end
    for _, strategy in ipairs { "select", "join" } do
      local function read(Model, name)
        return Model:findAll{ include = { [name] = { strategy = strategy } }, order = "n" }
      end
      check(read(Key, "children"), strategy, "children", true)
      check(read(Key, "links"), strategy, "links", true)
      check(read(Link, "keys"), strategy, "keys", true)
      check(read(Child, "key"), strategy, "key")
      check(read(Part, "wholes"), strategy, "wholes", true)
    end
    check(db:preload(Child:findAll(), "key"), "preload", "key")
    check(Key:findAll{ lazy = "batch" }, "lazy", "links", true)
    assert.equal(1, Child:count{ where = { ["key.k"] = keys[1] } })
    assert.equal(#keys, Key:count{ where = { [Op.some "children"] = { keyK = Op.isNot(null) } } })
  end },

  { "goes through JSON", function(Thing, kind)
    for _, value in ipairs(kind.values) do
      local x = Thing:create{ v = value.given }
      local ok, text = pcall(liga.json.encode, x)
      if ok then
        assert.same(value.read, liga.json.decode(text).v)
      else                                                              -- bytes that are no text, infinities
        assert.is_true(liga.isError(text, "ValidationError"), tostring(text))
        assert.is_true(kind.type.name == "BLOB" or tostring(kind.type):find "FLOAT" ~= nil, tostring(text))
      end
    end
  end },
}

-- Tables -------------------------------------------------------------------------------------------------------------

--- The model of a kind, and those of which it is a key.
local function define(db, kind, i)
  local second, name = kind.values[2].given, "Thing" .. i
  local Thing = db:define(name, {
    k = { type = liga.STRING, unique = true }, n = liga.INTEGER, g = liga.INTEGER, v = kind.type, w = kind.type,
    d = { type = kind.type, defaultValue = second },
    f = { type = kind.type, defaultValue = function() return second end },
    u = { type = kind.type, unique = has_order(kind) or nil },
  }, { timestamps = false })
  Thing:hasMany(Thing, { as = "others", foreignKey = "topId", inverse = { as = "top" }, constraints = false })
  if not is_plain(kind) then return Thing end
  local plainly = { timestamps = false }
  local Key = db:define(name .. "Key", { k = { type = kind.type, primaryKey = true }, n = liga.INTEGER }, plainly)
  local Child = db:define(name .. "Child", { n = liga.INTEGER }, plainly)
  local Link = db:define(name .. "Link", { n = liga.INTEGER }, plainly)
  local Part = db:define(name .. "Part", { k = { type = kind.type, primaryKey = true },
    m = { type = liga.INTEGER, primaryKey = true }, n = liga.INTEGER }, plainly)
  local Whole = db:define(name .. "Whole", { n = liga.INTEGER }, plainly)
  local children = { singular = "child", plural = "children" }
  Key:hasMany(Child, { as = children, foreignKey = "keyK", inverse = { as = "key" } })
  Key:belongsToMany(Link, { as = "links", through = name .. "KeyLink", inverse = { as = "keys" } })
  Part:hasMany(Whole, { as = "wholes" })
  return Thing
end

for engine in support.engines() do
  for _, group in ipairs(kinds.of(engine.dialect)) do
    local options = group.options or {}
    local how = options.dates and " with dates = " .. options.dates or ""
    describe("every type" .. how .. " on " .. engine.name, function()
      local log = support.log()
      options.logging = log.record
      local db, things = nil, {}
      setup(function()
        db = engine:open(options)
        for i, kind in ipairs(group.kinds) do things[kind] = define(db, kind, i) end
        db:sync()
      end)
      teardown(function() db:close() end)

      for _, operation in ipairs(operations) do
        describe(operation[1] .. ":", function()
          for _, kind in ipairs(group.kinds) do
            if not operation.applies or operation.applies(kind) then
              it(tostring(kind.type), function()
                db:transaction(function() operation[2](things[kind], kind, log) end)        -- one commit, for speed
              end)
            end
          end
        end)
      end

      it("is altered by nobody: a table that has it is as its model wants it", function()
        assert.same({}, db:sync{ alter = true, dryRun = true })
      end)

      if engine.kind ~= "memory" then
        it("is reflected, and its source is the same model again", function()
          local source
          local tables = {}
          for _, Thing in pairs(things) do tables[#tables + 1] = Thing.tableName end
          do
            local reflected <close> = engine:reopen(group.options)
            reflected:reflect{ tables = tables }
            for kind, Thing in pairs(things) do
              if kind.document and engine.dialect == "sqlite" then goto continue end        -- a TEXT to everybody else
              local x = reflected:model(Thing.name):create{ n = 1 }:reload()
              is_value(kind.values[2].read, x.d, tostring(kind.type))
              x.v = kind.values[1].given
              is_value(kind.values[1].read, x:save():reload().v, tostring(kind.type))
              ::continue::
            end
            source = liga.reflect.source(reflected)
          end
          local again <close> = engine:reopen(group.options)
          assert(load(source))()(again)
          assert.same({}, again:sync{ alter = true, dryRun = true })
        end)
      end
    end)
  end
end
