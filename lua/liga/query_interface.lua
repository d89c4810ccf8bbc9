--- `db:queryInterface()`: tables, columns, indexes and constraints, made, changed, dropped and described without
-- models. The methods stand in the files of `query_interface/`.
local Interface = require "liga.query_interface.arguments".Interface
local errors = require "liga.errors"
local options = require "liga.options"
local readonly = require "liga.readonly"
local transaction = require "liga.transaction"
local types = require "liga.types"

Interface.__index = Interface

local function is_transaction(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__name == "liga.Transaction"
end

--- A method that runs as a whole in the transaction that its options name, which are its last argument.
local function within(method)
  return function(self, ...)
    local given = select(select("#", ...) > 0 and -1 or 1, ...)
    local t = type(given) == "table" and not types.is(given) and rawget(given, "transaction")
    if not is_transaction(t) or getmetatable(self) ~= Interface then return method(self, ...) end
    local arguments = table.pack(...)
    arguments[arguments.n] = options.copy(given)
    arguments[arguments.n].transaction = nil
    return transaction.run(self.db, { transaction = t }, function()
      return method(self, table.unpack(arguments, 1, arguments.n))
    end)
  end
end

for _, part in ipairs { "tables", "columns", "indexes", "constraints", "sequences", "rows" } do
  for name, method in pairs(require("liga.query_interface." .. part)) do Interface[name] = within(method) end
end

-- What there is not -------------------------------------------------------------------------------------------------

--- Methods that Sequelize's has, and what does that here.
local elsewhere = {
  listTables = "showAllTables", showIndex = "showIndexes", dropColumn = "removeColumn",
  unsafeToggleForeignKeyChecks = "disableForeignKeyConstraints",
  withoutForeignKeyChecks = "disableForeignKeyConstraints",
}
for name in ("select rawSelect insert update upsert delete bulkUpdate bulkDelete truncate"):gmatch "%a+" do
  elsewhere[name] = "db:query, or a model"
end

local function method_names()
  local names = {}
  for name in next, Interface do
    if not name:find "^__" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- A method that there is not is a wrong name like any other.
setmetatable(Interface, { __index = function(_, name)
  if type(name) ~= "string" or name:find "^__" then return nil end
  local instead = elsewhere[name] and (" (here it is %s)"):format(elsewhere[name])
  errors.usage('queryInterface: there is no method "%s"%s', name, instead or options.hint(name, method_names()))
end })

local query_interface = { methods = readonly.view(Interface, "queryInterface") }

--- The query interface of a database.
function query_interface.of(db)
  return setmetatable({ db = db }, Interface)
end

return query_interface
