--- A database of plain Lua tables: rows, unique keys, foreign keys with their actions. What liga's writes do to it is
-- in spec/support/random/contract.lua.
--
-- NULL is an absent key. A generated key is a table of its own until the real one is known (`Oracle:learn`). What is
-- refused raises { name = name of the liga error }.
local Oracle = {}
Oracle.__index = Oracle

local oracle = { Oracle = Oracle }

local function fail(name) error({ name = name }, 0) end
oracle.fail = fail

-- Rows ---------------------------------------------------------------------------------------------------------------

local function values(row, names)
  local list = {}
  for i, name in ipairs(names) do
    if row[name] == nil then return nil end
    list[i] = row[name]
  end
  return list
end

local function same(a, b)
  if not a or not b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function matches(row, conditions)
  for name, value in pairs(conditions or {}) do
    if row[name] ~= value then return false end
  end
  return true
end

oracle.values, oracle.same, oracle.matches = values, same, matches

--- The unique keys of a table and what its rows refer to.
local function rules_of(s)
  local rules = {}
  for _, t in ipairs(s.tables) do rules[t.name] = { unique = {}, references = {} } end
  for _, m in ipairs(s.models) do rules[m.name].unique = { m.key, { "u" } } end
  local function refer(from, key, to, refers, onDelete)
    table.insert(rules[from.name].references, { key = key, to = to.name, refers = refers, onDelete = onDelete })
  end
  for _, a in ipairs(s.associations) do
    if a.kind == "belongsToMany" and not a.is_inverse then
      refer(a.through, a.key, a.source, a.source_refers, "CASCADE")
      refer(a.through, a.other, a.target, a.target_refers, "CASCADE")
      if a.unique then
        local pair = table.move(a.other, 1, #a.other, #a.key + 1, table.move(a.key, 1, #a.key, 1, {}))
        if a.through_scope then pair[#pair + 1] = "x" end
        table.insert(rules[a.through.name].unique, pair)
      end
    elseif not a.is_inverse then
      local holder, referenced = a.target, a.source
      if a.kind == "belongsTo" then holder, referenced = a.source, a.target end
      if a.constraints then
        refer(holder, a.key, referenced, a.refers, a.onDelete or a.nullable and "SET NULL" or "CASCADE")
      end
      if a.unique_key then table.insert(rules[holder.name].unique, a.key) end
    end
  end
  return rules
end

function oracle.new(s)
  local self = setmetatable({ schema = s, rules = rules_of(s), rows = {} }, Oracle)
  for _, t in ipairs(s.tables) do self.rows[t.name] = {} end
  return self
end

--- A copy to go back to.
function Oracle:copy()
  local rows = {}
  for name, list in pairs(self.rows) do
    rows[name] = {}
    for i, row in ipairs(list) do
      local copy = {}
      for k, v in pairs(row) do copy[k] = v end
      rows[name][i] = copy
    end
  end
  return rows
end

--- Puts the real key in the place of one that was not known.
function Oracle:learn(unknown, value)
  for _, list in pairs(self.rows) do
    for _, row in ipairs(list) do
      for k, v in pairs(row) do
        if v == unknown then row[k] = value end
      end
    end
  end
end

-- Constraints --------------------------------------------------------------------------------------------------------

local function text_of(key)
  local texts = {}
  for i, value in ipairs(key) do texts[i] = type(value) .. tostring(value) end
  return table.concat(texts, "\0")
end

function Oracle:check_unique()
  for name, rules in pairs(self.rules) do
    for _, key in ipairs(rules.unique) do
      local seen = {}
      for _, row in ipairs(self.rows[name]) do
        local value = values(row, key)
        local text = value and text_of(value)
        if text and seen[text] then fail "UniqueConstraintError" end
        if text then seen[text] = true end
      end
    end
  end
end

function Oracle:check_references()
  for name, rules in pairs(self.rules) do
    for _, reference in ipairs(rules.references) do
      local there = {}
      for _, row in ipairs(self.rows[reference.to]) do
        local value = values(row, reference.refers)
        if value then there[text_of(value)] = true end
      end
      for _, row in ipairs(self.rows[name]) do
        local value = values(row, reference.key)
        if value and not there[text_of(value)] then fail "ForeignKeyConstraintError" end
      end
    end
  end
end

--- The end of a statement.
function Oracle:check()
  self:check_unique()
  self:check_references()
end

-- Statements ---------------------------------------------------------------------------------------------------------

function Oracle:insert(t, row)
  table.insert(self.rows[t.name], row)
  if t.auto and row.id == nil then row.id = {} end
  self:check()
  return row
end

function Oracle:refers_to(name)
  local list = {}
  for from, rules in pairs(self.rules) do
    for _, reference in ipairs(rules.references) do
      if reference.to == name then list[#list + 1] = { from = from, reference = reference } end
    end
  end
  return list
end

--- Rows with a key that is gone or changed: what the foreign keys say.
function Oracle:follow(name, before, after)
  for _, each in ipairs(self:refers_to(name)) do
    local reference = each.reference
    local old, new = values(before, reference.refers), after and values(after, reference.refers)
    if old and not same(old, new) then
      for _, row in ipairs({ table.unpack(self.rows[each.from]) }) do
        if same(values(row, reference.key), old) then
          if new then                                                      -- ON UPDATE CASCADE
            for i, part in ipairs(reference.key) do row[part] = new[i] end
          elseif after or reference.onDelete == "SET NULL" then
            for _, part in ipairs(reference.key) do row[part] = nil end
          elseif reference.onDelete == "CASCADE" then
            self:remove(each.from, row)
          end
        end
      end
    end
  end
end

function Oracle:remove(name, row)
  local list = self.rows[name]
  for i, each in ipairs(list) do
    if each == row then
      table.remove(list, i)
      return self:follow(name, row)
    end
  end
end

--- One DELETE.
function Oracle:delete(t, rows)
  for _, row in ipairs(rows) do self:remove(t.name, row) end
  self:check()
end

local NULL = {}
oracle.NULL = NULL

--- One UPDATE.
function Oracle:update(t, rows, changes)
  for _, row in ipairs(rows) do
    local before = {}
    for k, v in pairs(row) do before[k] = v end
    for name, value in pairs(changes) do
      if value == NULL then row[name] = nil else row[name] = value end
    end
    self:follow(t.name, before, row)
  end
  self:check()
end

-- Finding ------------------------------------------------------------------------------------------------------------

--- The rows of a table that are not marked as deleted.
function Oracle:visible(t)
  local list = {}
  for _, row in ipairs(self.rows[t.name]) do
    if not row.deletedAt then list[#list + 1] = row end
  end
  return list
end

--- Junction rows of the source that the association sees.
function Oracle:links(a, source)
  local list, key = {}, values(source, a.source_refers)
  for _, link in ipairs(self:visible(a.through)) do
    if same(values(link, a.key), key) and matches(link, a.through_scope) then list[#list + 1] = link end
  end
  return list
end

function Oracle:referred(t, refers, key)
  for _, row in ipairs(self.rows[t.name]) do
    if same(values(row, refers), key) then return row end
  end
end

local function inside(a, row) return matches(row, a.scope) and matches(row, a.where) end
oracle.inside = inside

--- What the association leads to, in no order; over a junction with repeated links a target may be there several times.
function Oracle:targets(a, source)
  local list = {}
  if a.kind == "belongsToMany" then
    for _, link in ipairs(self:links(a, source)) do
      local row = self:referred(a.target, a.target_refers, values(link, a.other))
      if row and not row.deletedAt and inside(a, row) then list[#list + 1] = row end
    end
    return list
  end
  local near, far = a.refers, a.key
  if a.kind == "belongsTo" then near, far = a.key, a.refers end
  local key = values(source, near)
  for _, row in ipairs(self:visible(a.target)) do
    if key and same(values(row, far), key) and inside(a, row) then list[#list + 1] = row end
  end
  return list
end

return oracle
