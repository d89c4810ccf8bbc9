--- Values that nobody should hand to liga, by name. Each is a function of the world (see world.lua) that makes a
-- fresh one.
--
-- What is *hostile* does something when it is touched: it raises `garbage.bomb`, yields, or calls liga again.
local liga = require "liga"

local garbage = {
  --- What hostile values and functions raise: it has to come out as it is.
  bomb = setmetatable({}, { __name = "bomb", __tostring = function() return "the bomb" end }),
}

local function fail() error(garbage.bomb, 0) end

local function pause()
  if coroutine.isyieldable() then coroutine.yield() end
end

--- A metatable all of whose events call a function.
local function every_event(f)
  local meta = { __name = "hostile" }
  for event in ([[index newindex len pairs eq lt le tostring call concat unm add sub mul div mod pow idiv close
      band]]):gmatch "%a+" do
    meta["__" .. event] = f
  end
  return meta
end

local function deep(depth)
  local value = {}
  for _ = 1, depth do value = { value } end
  return value
end

local function cycle(key)
  local value = {}
  value[key] = value
  return value
end

local function dead_coroutine()
  local thread = coroutine.create(function() end)
  coroutine.resume(thread)
  return thread
end

garbage.values = {
  ["nil"] = function() return nil end,
  null = function() return liga.null end,
  ["false"] = function() return false end,
  ["true"] = function() return true end,
  zero = function() return 0 end,
  ["minus one"] = function() return -1 end,
  ["minus zero"] = function() return -0.0 end,
  ["one and a half"] = function() return 1.5 end,
  NaN = function() return 0 / 0 end,
  infinity = function() return math.huge end,
  ["minus infinity"] = function() return -math.huge end,
  ["largest integer"] = function() return math.maxinteger end,
  ["least integer"] = function() return math.mininteger end,
  ["large float"] = function() return 1e300 end,
  ["empty text"] = function() return "" end,
  ["long text"] = function() return ("x"):rep(100000) end,
  ["text with NUL"] = function() return "a\0b" end,
  ["broken UTF-8"] = function() return "a\xff" end,
  ["text of format"] = function() return "%s%d%" end,
  ["text of SQL"] = function() return [['"; DROP TABLE x --]] end,
  ["text with dots"] = function() return "..a..b." end,
  ["a dollar text"] = function() return "$a.b$" end,
  ["a digit"] = function() return "1" end,
  ["__index"] = function() return "__index" end,
  ["empty table"] = function() return {} end,
  ["nested empty"] = function() return { {} } end,
  ["list with a hole"] = function() return { 1, nil, 3 } end,
  ["negative index"] = function() return { [-1] = 1, [0] = 2 } end,
  ["mixed table"] = function() return { 1, 2, a = 3 } end,
  ["odd keys"] = function() return { [1.5] = 1, [true] = 2 } end,
  ["table as key"] = function() return { [{}] = 1 } end,
  ["list of itself"] = function() return cycle(1) end,
  ["map of itself"] = function() return cycle "name" end,
  ["deep table"] = function() return deep(math.random(60, 250)) end,
  ["deeper table"] = function() return deep(3000) end,
  ["raising table"] = function() return setmetatable({}, every_event(fail)) end,
  ["raising table with a name"] = function() return setmetatable({ name = "x", 1 }, every_event(fail)) end,
  ["yielding table"] = function() return setmetatable({ 1 }, every_event(pause)) end,
  ["re-entering table"] = function(w)
    return setmetatable({ name = 1 }, every_event(function() return w:reenter() end))
  end,
  ["protected table"] = function() return setmetatable({ "name" }, { __metatable = false }) end,
  ["table that shows nothing"] = function() return setmetatable({}, { __tostring = function() return nil end }) end,
  ["table of finalizers"] = function(w)
    return { setmetatable({}, { __gc = function() pcall(w.reenter, w, true) end }), "name" }
  end,
  ["borrowed metatable of an instance"] = function(w) return setmetatable({}, getmetatable(w:stored "User")) end,
  ["borrowed metatable of a model"] = function(w) return setmetatable({}, getmetatable(w:model())) end,
  ["borrowed metatable of a database"] = function(w) return setmetatable({}, getmetatable(w.db)) end,
  ["borrowed metatable of a transaction"] = function(w) return setmetatable({}, getmetatable(w.finished)) end,
  ["borrowed metatable of an association"] = function(w)
    return setmetatable({}, getmetatable(w:model().associations[1]))
  end,
  ["borrowed metatable of an error"] = function() return setmetatable({}, liga.Error) end,
  ["a raising function"] = function() return fail end,
  ["an empty function"] = function() return function() end end,
  ["a yielding function"] = function() return pause end,
  ["a re-entering function"] = function(w) return function() return w:reenter() end end,
  ["a C function"] = function() return print and string.len end,
  coroutine = function() return coroutine.create(pause) end,
  ["dead coroutine"] = dead_coroutine,
  ["running coroutine"] = function() return (coroutine.running()) end,
  userdata = function() return io.stdout end,
  ["closed file"] = function()
    local file = io.tmpfile()
    file:close()
    return file
  end,
  ["the database"] = function(w) return w.db end,
  ["another database"] = function(w) return w.other end,
  ["a closed database"] = function(w) return w.closed end,
  ["a model"] = function(w) return w:model() end,
  ["a model of another database"] = function(w) return w.others_class end,
  ["a model of a closed database"] = function(w) return w.closeds_class end,
  ["a scope"] = function(w) return w:model():unscoped() end,
  ["an instance"] = function(w) return w:stored() end,
  ["an unsaved instance"] = function(w) return w:model():build() end,
  ["a destroyed instance"] = function(w) return w:destroyed() end,
  ["an instance of another database"] = function(w) return w.others end,
  ["an instance of a closed database"] = function(w) return w.closeds end,
  ["an instance without key"] = function(w)
    local row = w:stored()
    row.id = nil
    return row
  end,
  ["an association"] = function(w) return w:association() end,
  ["an association of another database"] = function(w) return w.others_association end,
  ["a finished transaction"] = function(w) return w.finished end,
  ["a transaction of another database"] = function(w) return w.others_transaction end,
  ["a query interface"] = function(w) return w.db:queryInterface() end,
  ["a type"] = function() return liga.STRING end,
  ["an incomplete type"] = function() return liga.ENUM end,
  ["an operator"] = function() return liga.Op.gt end,
  ["a called operator"] = function() return liga.Op.between(1, 2) end,
  ["an operator over rubbish"] = function() return liga.Op.in_ { {} } end,
  ["a key of operators"] = function() return { [liga.Op.and_] = 5 } end,
  ["some"] = function() return { [liga.Op.some "nothing"] = {} } end,
  ["a literal"] = function() return liga.literal "1" end,
  ["a wrong literal"] = function() return liga.literal "no such thing (" end,
  ["a column"] = function() return liga.col "name" end,
  ["a wrong column"] = function() return liga.col "no.such.column" end,
  ["a function of SQL"] = function() return liga.fn("lower", liga.col "name") end,
  ["a cast"] = function() return liga.cast(liga.col "age", "text") end,
  ["SQL"] = function() return liga.sql("age > ?", 1) end,
  ["SQL with too few values"] = function() return liga.sql "age > ?" end,
  ["a condition"] = function() return liga.where(liga.col "name", liga.Op.eq, "x") end,
  ["a JSON path"] = function() return liga.json("meta", "a", 1) end,
  ["a time marker"] = function() return liga.NOW end,
  ["a marker of an association"] = function() return liga.belongsTo "User" end,
  ["an error"] = function() return select(2, pcall(liga.json.decode, "[")) end,
}

garbage.names = {}
for name in pairs(garbage.values) do garbage.names[#garbage.names + 1] = name end
table.sort(garbage.names)

--- One of them.
-- @return the value, its name
function garbage.pick(w)
  local name = garbage.names[math.random(#garbage.names)]
  return garbage.values[name](w), name
end

return garbage
