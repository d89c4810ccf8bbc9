--- Plays random calls one after the other and looks at what became of each.
local calls = require "spec.support.monkey.calls"
local garbage = require "spec.support.monkey.garbage"
local liga = require "liga"
local World = require "spec.support.monkey.world"

local random = math.random

local Player = {}
Player.__index = Player

-- Where a call stands ------------------------------------------------------------------------------------------------

--- What closes what a call has opened and its caller let go.
local function let_go(db, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local meta = type(value) == "table" and getmetatable(value)
    local name = type(meta) == "table" and rawget(meta, "__name")
    if name == "liga.Transaction" or name == "liga.Savepoint" then pcall(value.rollback, value) end
    if name == "liga.Database" and value ~= db then pcall(value.close, value) end
  end
end

local function keep(w, ...)
  w.done = true
  let_go(w.db, ...)
  return ...
end

local places = {}

function places.plain(w, call) return keep(w, call.run()) end

--- In a coroutine that goes on after every yield, or is closed at the first.
function places.coroutine(w, call)
  local thread, steps, closing = coroutine.create(function() return keep(w, call.run()) end), 0, random() < 0.3
  while true do
    local ok, problem = coroutine.resume(thread)
    if not ok then error(problem, 0) end
    steps = steps + 1
    if coroutine.status(thread) == "dead" then return end
    if closing or steps > 50 then break end
  end
  local ok, problem = coroutine.close(thread)
  if not ok then error(problem, 0) end
end

--- In a coroutine that is dropped where it yields.
function places.dropped(w, call)
  local ok, problem = coroutine.resume(coroutine.create(function() return keep(w, call.run()) end))
  collectgarbage()
  collectgarbage()
  if not ok then error(problem, 0) end
end

function places.transaction(w, call)
  w.db:transaction(function(t)
    w.transaction = t
    keep(w, call.run())
  end)
end

function places.nested(w, call)
  w.db:transaction(function()
    local ok, problem = pcall(w.db.transaction, w.db, function() keep(w, call.run()) end)
    w.db:model "Probe":count()
    if not ok then error(problem, 0) end
  end)
end

function places.loop(w, call)
  for _ in w.db:model "User":each { batch = 1, limit = 2 } do
    if call then keep(w, call.run()) end
    call = nil
  end
end

--- In a hook of a find.
function places.hook(w, call)
  local Probe, done = w.db:model "Probe", false
  Probe:addHook("beforeFind", "monkey", function()
    if done then return end
    done = true
    keep(w, call.run())
  end)
  local ok, problem = pcall(Probe.findAll, Probe)
  Probe:removeHook("beforeFind", "monkey")
  if not ok then error(problem, 0) end
end

function places.finalizer(w, call)
  local ok, problem = true, nil
  setmetatable({}, { __gc = function() ok, problem = pcall(function() keep(w, call.run()) end) end })
  collectgarbage()
  collectgarbage()
  if not ok then error(problem, 0) end
end

local place_names = { "plain", "plain", "plain", "plain", "coroutine", "coroutine", "dropped", "transaction", "nested",
  "loop", "hook", "finalizer" }

-- Looks --------------------------------------------------------------------------------------------------------------

local error_names = {}
for name in ([[UsageError ValidationError UniqueConstraintError ForeignKeyConstraintError NotNullConstraintError
    CheckConstraintError ExclusionConstraintError DatabaseError ConnectionError TimeoutError SerializationError
    AssociationError EagerLoadingError InstanceError OptimisticLockError EmptyResultError]]):gmatch "%a+" do
  error_names[name] = true
end

--- Words of Lua's own messages, which tell of a mistake in liga.
local internal = { "attempt to", "bad argument", "stack overflow", "not enough memory", "%.lua:%d", "%.c:%d",
  "C stack", "invalid value %(", "invalid order function", "invalid option '", "number has no integer",
  "expected, got no value" }

--- What is wrong with an error; nil: nothing.
local function fault_of(problem)
  if rawequal(problem, garbage.bomb) then return nil end
  if not liga.isError(problem) then return "not liga's: " .. tostring(problem) end
  if not error_names[problem.name] then return "an unknown name: " .. tostring(problem.name) end
  if type(problem.message) ~= "string" or problem.message == "" then return "no message" end
  for _, word in ipairs(internal) do
    if problem.message:find(word) then return "a message of Lua's: " .. problem.message end
  end
end

--- A table can't have every key: that is Lua's to say.
local function is_lua_own(call, problem)
  return call.name == "__newindex" and (problem == "table index is nil" or problem == "table index is NaN")
end

--- Calls after which the world need not be what it was, if they succeed.
local function is_structural(call)
  local name = call.name
  if call.kind == "queryInterface" or call.kind == "association" or call.kind == "view" then return true end
  if name:find "^before" or name:find "^after" or name:find "^__" then return true end
  for word in ([[define close drop sync reflect addHook removeHook query belongsTo hasOne hasMany belongsToMany addScope
      inflect.irregular inflect.uncountable]]):gmatch "%S+" do
    if name == word then return true end
  end
  return false
end

-- Playing ------------------------------------------------------------------------------------------------------------

--- A player on one engine.
-- @param stats table that counts {["model.findAll"] = {calls, ok, UsageError, …}}, or nil
function Player.new(engine, stats)
  return setmetatable({ engine = engine, stats = stats or {} }, Player)
end

local function count(self, call, what)
  local name = call.kind .. "." .. call.name
  local entry = self.stats[name] or { calls = 0 }
  self.stats[name] = entry
  entry.calls, entry[what] = entry.calls + 1, (entry[what] or 0) + 1
end

--- The transaction that calls were made on is over.
local function end_transaction(w)
  local t = w.transaction
  w.transaction, w.point = nil, nil
  if t and not t:isFinished() then pcall(t.rollback, t) end
end

--- The world after a call.
-- @return what is wrong, or nil
local function look(w)
  collectgarbage "step"
  local ok, problem = pcall(w.probe, w)
  if not ok then
    collectgarbage()
    collectgarbage()
    ok, problem = pcall(w.probe, w)
  end
  if not ok then return "the database does not work any more: " .. tostring(problem) end
  local shape = w:describe()
  if shape ~= w.shape then return ("the models changed:\n%s\nwere\n%s"):format(shape, w.shape) end
end

--- One call.
-- @return what is wrong with it, or nil
function Player:step()
  local w = self.world
  w.transaction, w.mischief, w.done = nil, false, false
  local place = place_names[random(#place_names)]
  local ok, call = pcall(calls.next, w)
  if not ok then return "making a call: " .. tostring(call), { text = "?" } end
  call.text = place .. ": " .. call.text
  if (call.kind == "transaction" or call.kind == "savepoint") and place ~= "coroutine" then place = "plain" end
  if self.trace then self.trace(call) end
  w.mischief = random() < 0.5
  local done, problem = pcall(places[place], w, call)
  w.mischief, w.calm, w.entered = false, false, nil
  end_transaction(w)
  count(self, call, done and "ok" or liga.isError(problem) and problem.name or "other")
  local fault = not done and not is_lua_own(call, problem) and fault_of(problem)
  if self.on_error and not done then self.on_error(call, problem) end
  if fault then return fault, call end
  if w.shut or w.done and is_structural(call) then self:renew() else return look(w), call end
end

--- A fresh world in place of the one there is.
function Player:renew()
  local w = self.world
  self.world = nil
  if w then pcall(w.close, w) end
  self.world = World.open(self.engine)
end

--- Plays a seed.
-- @param steps how many calls
-- @param complain function(text) for each fault
function Player:play(seed, steps, complain)
  math.randomseed(seed)
  self:renew()
  for step = 1, steps do
    local fault, call = self:step()
    if fault then
      complain(("seed %d, step %d, %s\n  %s"):format(seed, step, call.text, fault))
      self:renew()
    end
  end
  local w = self.world
  self.world = nil
  w:close()
end

return Player
