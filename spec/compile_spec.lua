-- Options → SQL, per dialect, without a database. The cases stand in spec/compile/*.case:
--
--     a call on the models of spec/support/blog_models.lua (User, Post, Tag, Stock, Doc, Note)
--     sqlite: the statement
--     postgres: the statement
--     params: the parameters, in Lua notation
--     pgparams: those of PostgreSQL, where they differ
--
-- separated by blank lines; lines that begin with # are comments. To see what a new case gives, leave its texts empty
-- and run this spec.
local core = require "liga.core"
local database = require "liga.database"
local liga = require "liga"
local define_models = require "spec.support.blog_models"

local function shown(value)
  if value == core.null then return "null" end
  if type(value) == "table" then
    local items = {}
    for i, item in ipairs(value) do items[i] = shown(item) end
    return "{" .. table.concat(items, ", ") .. "}"
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function shown_list(params)
  local list = {}
  for i, value in ipairs(params or {}) do list[i] = shown(value) end
  return table.concat(list, ", ")
end

local function read_cases(path)
  local cases, case = {}, nil
  for line in io.lines(path) do
    local key, text = line:match "^(%l+):%s*(.*)$"
    if line:match "^%s*$" or line:match "^#" then
      case = nil
    elseif not case then
      case = { call = line }
      cases[#cases + 1] = case
    elseif key then
      case[key] = text
    else
      case.call = case.call .. "\n" .. line
    end
  end
  return cases
end

local function run(dialect, call)
  local models = define_models(database.dry(dialect))
  local environment = setmetatable(models, { __index = { liga = liga, Op = liga.Op, fn = liga.fn, col = liga.col } })
  return assert(load("return " .. call, call, "t", environment))()
end

for _, name in ipairs { "find", "where", "json", "include", "aggregate", "write", "behaviour" } do
  describe("compiles " .. name, function()
    for _, case in ipairs(read_cases("spec/compile/" .. name .. ".case")) do
      for _, dialect in ipairs { "sqlite", "postgres" } do
        it(("%s for %s"):format(case.call, dialect), function()
          local sql, params = run(dialect, case.call)
          assert.equal(case[dialect], sql)
          assert.equal(dialect == "postgres" and case.pgparams or case.params, shown_list(params))
        end)
      end
    end
  end)
end
