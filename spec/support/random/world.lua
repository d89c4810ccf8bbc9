--- A database and the oracle of the same rows: random steps are done to both, and what they hold is compared.
--
-- A step is a table
--
--     text       for people
--     expect     function(oracle) → what `check` needs; it raises where liga has to
--     run        function() → result: the same with liga
--     check      function(result, expected): compares the results
--     instances  list of instances that a failed step must leave as they are
--     any_error  true: several things may be wrong at once, and which is told is open
local liga = require "liga"
local oracle = require "spec.support.random.contract"
local schema = require "spec.support.random.schema"

local random, pick, chance = math.random, schema.pick, schema.chance
local values = oracle.values

local World = {}
World.__index = World

-- Text ---------------------------------------------------------------------------------------------------------------

local function sorted(list)
  table.sort(list)
  return list
end

local function text_of(value)
  if value == nil then return "NULL" end
  return math.type(value) == "float" and tostring(math.tointeger(value) or value) or tostring(value)
end

--- Some attributes of a row; of a deletion only whether there was one.
function World.row_text(row, names)
  local parts = {}
  for i, name in ipairs(names) do
    local value = row[name]
    if name == "deletedAt" then value = value ~= nil end
    parts[i] = name .. "=" .. text_of(value)
  end
  return table.concat(parts, " ")
end

local row_text = World.row_text

--- The keys of rows or instances, in their order.
function World.ordered_keys(m, rows)
  local texts = {}
  for i, row in ipairs(rows) do texts[i] = row_text(row, m.key) end
  return table.concat(texts, ", ")
end

--- The same, sorted.
function World.keys(m, rows)
  local texts = {}
  for i, row in ipairs(rows) do texts[i] = row_text(row, m.key) end
  return table.concat(sorted(texts), ", ")
end

--- All that the oracle knows of a row.
function World:row(m, row) return row_text(row, self.names[m.name]) end

--- The attributes of a table that the oracle follows.
local function known_attributes(s, t)
  local names, seen = {}, {}
  local function add(list)
    for _, name in ipairs(list) do
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  add(t.key)
  if not t.junction then add { "t", "v", "w", "u" } end
  if t.extra then add { "x", "y" } end
  for _, a in ipairs(s.associations) do
    if a.through == t then add(a.key) add(a.other) end
    if a.kind == "belongsTo" and a.source == t then add(a.key) end
  end
  if t.paranoid then add { "deletedAt" } end
  return names
end

-- Faults -------------------------------------------------------------------------------------------------------------

--- Ends the play: what is wrong, the schema, and the steps that led there.
function World:fault(format, ...)
  local lines = { ("seed %d, step %d: "):format(self.seed, self.step) .. format:format(...) }
  for _, a in ipairs(self.schema.associations) do lines[#lines + 1] = "  " .. schema.text(a) end
  for _, m in ipairs(self.schema.models) do lines[#lines + 1] = "  " .. schema.model_text(m) end
  for i, text in ipairs(self.log) do lines[#lines + 1] = ("  %2d. %s"):format(i, text) end
  error(table.concat(lines, "\n"), 0)
end

function World:same(what, got, wanted)
  if got ~= wanted then self:fault("%s: got %s, expected %s", what, tostring(got), tostring(wanted)) end
end

-- Comparing ----------------------------------------------------------------------------------------------------------

function World:stored(t)
  return self.db:query(('SELECT * FROM "%s"'):format(t.name))
end

--- Generated keys that the oracle doesn't know yet, found by the rows' tags.
function World:learn()
  for _, m in ipairs(self.schema.models) do
    local ids
    for _, row in ipairs(self.oracle.rows[m.name]) do
      if type(row.id) == "table" then
        if not ids then
          ids = {}
          for _, each in ipairs(self:stored(m)) do ids[each.t] = each.id end
        end
        if not ids[row.t] then self:fault("no row %s in %s", row.t, m.name) end
        self.oracle:learn(row.id, ids[row.t])
      end
    end
  end
end

function World:table_text(t, rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = self:row(t, row) end
  return table.concat(sorted(list), "\n    ")
end

--- Every table of the database holds the rows of the oracle.
function World:compare_tables()
  for _, t in ipairs(self.schema.tables) do
    local wanted, got = self:table_text(t, self.oracle.rows[t.name]), self:table_text(t, self:stored(t))
    if wanted ~= got then
      self:fault("%s is not as expected\n   expected:\n    %s\n   got:\n    %s", t.name, wanted, got)
    end
  end
end

local function is_same(a, b)
  if type(a) == "table" and type(b) == "table" then return liga.json.encode(a) == liga.json.encode(b) end
  return a == b
end

--- Makes a change to an instance that the coming step is not about, and nobody saves: `v` is far from what rows hold.
function World.touch(instance) instance.v = (instance.v or 0) + 1000 end

local function is_touched(instance) return instance.v ~= nil and instance.v > 500 end

--- An instance that took part holds what its row holds. (One that was deleted on the way need not know.)
function World:compare_instance(instance, what)
  if type(instance) ~= "table" or instance:isNew() then self:fault("%s is no stored instance", what) end
  local class = liga.modelOf(instance)
  local row = class:findByPk(instance:where(), { paranoid = false })
  if not row or row.deletedAt and not instance.deletedAt then return end
  local touched = is_touched(instance)
  for _, attribute in ipairs(class.attributes) do
    local name = attribute.name
    if not (touched and name == "v") and not is_same(instance[name], row[name]) then
      self:fault("%s %s: %s is %s, its row has %s", what, tostring(instance), name, text_of(instance[name]),
        text_of(row[name]))
    end
  end
  self:same(("%s %s: changed()"):format(what, tostring(instance)), table.concat(instance:changed() or {}, ","),
    touched and "v" or "")
end

--- What an instance holds and is. (A failed try to save a new one leaves its time behind.)
local function state_of(instance)
  local parts, is_new = { instance:isNew() and "new" or "stored" }, instance:isNew()
  for name, value in pairs(instance) do
    local shown = tostring(value)
    if type(value) == "table" then
      local list = {}
      for i, each in ipairs(value) do list[i] = tostring(each) end
      shown = table.concat(list, ",")
    end
    local is_stamp = name == "createdAt" or name == "updatedAt"
    parts[#parts + 1] = not (is_stamp and is_new) and name .. "=" .. shown or nil
  end
  if not is_new then parts[#parts + 1] = "changed " .. table.concat(instance:changed() or {}, ",") end
  return table.concat(sorted(parts), " ")
end

-- Arguments ----------------------------------------------------------------------------------------------------------

function World:class(m) return self.db:model(m.name) end

--- A tag that no row has yet: rows are known by it.
function World:tag()
  self.tags = self.tags + 1
  return "t" .. self.tags
end

--- The instance of a row, freshly read.
function World:instance(m, row, include)
  return self:class(m):findByPk(values(row, m.key), { paranoid = false, include = include })
end

--- A row of a model that is not marked as deleted; nil: there is none.
function World:any(m)
  local list = self.oracle:visible(m)
  return list[1] and pick(list)
end

--- An association; `wanted`: function(association) → boolean, or nil. nil: there is none.
function World:any_association(wanted)
  local list = {}
  for _, a in ipairs(self.schema.associations) do
    if not wanted or wanted(a) then list[#list + 1] = a end
  end
  return list[1] and pick(list)
end

--- Refers to other rows: always where it must, else half of the time.
function World:add_keys(m, row)
  for _, a in ipairs(m.associations) do
    if a.kind == "belongsTo" and (not a.nullable or chance(0.5)) then
      local target = self:any(a.target)
      local key = target and values(target, a.refers)
      for i, name in ipairs(key and a.key or {}) do row[name] = key[i] end
    end
  end
end

--- A new row of the oracle.
function World:new_row(m)
  local row = { t = self:tag() }
  for _, name in ipairs(schema.value_names) do
    if chance(0.7) then row[name] = pick(schema.values[name]) end
  end
  if chance(0.8) then row.u = chance(0.1) and "u" .. random(5) or "U" .. row.t end
  if m.key[1] == "code" then row.code = "c" .. row.t end
  if m.key[1] == "a" then row.a, row.b = random(3), "b" .. row.t end
  self:add_keys(m, row)
  return row
end

--- The same table once more: the caller's and the oracle's change apart.
function World.copy(t)
  local copy = {}
  for k, v in pairs(t) do copy[k] = v end
  return copy
end

--- Raises where a key that must have a value has none.
-- @param coming foreign key that the step itself fills in, or nil
function World.check_required(m, row, coming)
  for _, a in ipairs(m.associations) do
    local must = a.kind == "belongsTo" and not a.nullable and a.key ~= coming
    if must and not values(row, a.key) then oracle.fail "ValidationError" end
  end
end

-- Steps --------------------------------------------------------------------------------------------------------------

--- Errors that a step may raise one for another: where rows refer to each other it is open which comes first.
local blocking = { InstanceError = true, ForeignKeyConstraintError = true, AssociationError = true }

function World:check_error(step, e, expected)
  if not liga.isError(e) then self:fault("no liga.Error: %s", tostring(e)) end
  local open = step.any_error or blocking[e.name] and blocking[expected]
  if not open and e.name ~= expected then self:fault("%s, expected %s", tostring(e), expected) end
end

--- What the oracle says of a step; where it refuses, its rows are as before.
function World:expect(step)
  local before = self.oracle:copy()
  local fine, expected = pcall(step.expect, self.oracle)
  if fine then return true, expected end
  if type(expected) ~= "table" then error(expected, 0) end
  self.oracle.rows = before
  self.log[#self.log] = self.log[#self.log] .. "   -- " .. expected.name
  return false, expected.name
end

--- Does a step on both sides and compares.
function World:perform(step)
  local states = {}
  self.log[#self.log + 1] = step.text
  local fine, expected = self:expect(step)
  for i, instance in ipairs(step.instances or {}) do
    if type(instance) == "table" and liga.modelOf(instance) then states[i] = state_of(instance) end
  end
  local ok, result = pcall(step.run)
  if ok ~= fine then
    self:fault("%s, but it was expected to %s", ok and "succeeded" or "failed: " .. tostring(result),
      fine and "succeed" or "fail: " .. expected)
  end
  if ok then self:learn() else self:check_error(step, result, expected) end
  self:compare_tables()
  if ok then return step.check(result, expected) end
  for i, state in pairs(states) do self:same("an instance after the error", state_of(step.instances[i]), state) end
end

local undone = {}

--- Steps in a transaction, which is rolled back half of the time.
function World:transaction(count, depth)
  local before, stays = self.oracle:copy(), chance(0.5)
  self.log[#self.log + 1] = "begin"
  local ok, e = pcall(self.db.transaction, self.db, function()
    self:go(count, depth)
    if not stays then error(undone) end
  end)
  if not ok and e ~= undone then error(e, 0) end
  if not ok then self.oracle.rows = before end
  self.log[#self.log + 1] = ok and "commit" or "rollback"
  self:compare_tables()
end

--- Random steps, some of them in transactions and savepoints.
-- @param count how many
-- @param depth of the transactions that are open
function World:go(count, depth)
  while count > 0 do
    local together = depth < 2 and chance(0.08) and math.min(count, random(4)) or 1
    count = count - together
    if together > 1 then
      self:transaction(together, depth + 1)
    else
      self.step = self.step + 1
      local step = self.next_step(self)
      if step then self:perform(step) end
    end
  end
end

--- A world of its own for each seed.
-- @param db an empty database
-- @param next_step function(world) → a random step, or nil
function World.new(db, seed, next_step)
  math.randomseed(seed)
  local s = schema.random()
  schema.define(db, s)
  local self = setmetatable({
    db = db, schema = s, oracle = oracle.new(s), names = {}, tags = 0, log = {}, seed = seed, step = 0,
    next_step = next_step,
  }, World)
  for _, t in ipairs(s.tables) do self.names[t.name] = known_attributes(s, t) end
  return self
end

return World
