--- The reference (docs/reference, `make docs`) has every public method, with all its parameters, and no others.
local liga = require "liga"

local function read(page)
  local pipe <close> = assert(io.popen(page:find "^build/" and "lua5.4 tools/reference.lua && cat " .. page
    or "cat docs/reference/" .. page .. ".lua"))
  return pipe:read "a"
end

--- The functions of a page: name → {parameters, comment}.
local function functions_of(page)
  local found, comment = {}, {}
  for line in read(page):gmatch "[^\n]*" do
    if line:find "^%-%-" then
      if line:find "^%-%-%-" then comment = {} end
      comment[#comment + 1] = line
      local name = line:match "^%-%- @function ([%w_.:]+)"
      if name then found[name] = { "", comment } end
    else
      local name, parameters = line:match "^function %w+[.:]([%w_.:]+)%((.*)%)"
      if name then found[name] = { parameters, comment } end
    end
  end
  return found
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end

--- Names without hooks, of which addHook speaks.
local function names_of(methods)
  local list = {}
  for name, value in pairs(methods) do
    local hook = type(name) ~= "string" or name:find "^before%u" or name:find "^after%u" and name ~= "afterCommit"
      and name ~= "afterRollback" or name:find "^__"
    if not hook and type(value) == "function" then list[#list + 1] = name end
  end
  return list
end

describe("the reference", function()
  local function is_complete(page, names)
    local found, wanted = functions_of(page), set_of(names)
    for name in pairs(wanted) do assert.is_table(found[name], page .. " lacks " .. name) end
    for name, entry in pairs(found) do
      assert.is_true(wanted[name], page .. " has " .. name)
      local comment = table.concat(entry[2], "\n")
      for parameter in entry[1]:gmatch "[%w_.]+" do
        local pattern = "@t?param%S*[^\n]*%f[%w_.]" .. parameter:gsub("%.", "%%.") .. "%f[^%w_.]"
        assert.is_truthy(comment:find(pattern), ("%s: %s: %s is not told"):format(page, name, parameter))
      end
    end
  end

  local db
  before_each(function() db = liga.connect "sqlite::memory:" end)
  after_each(function() db:close() end)

  it("has the module", function()
    local names = names_of(liga)
    for _, name in ipairs { "json", "json.encode", "json.decode", "reflect.source", "reflect.view", "inflect.irregular",
      "inflect.uncountable", "inflect.pluralize", "inflect.singularize" } do
      names[#names + 1] = name
    end
    is_complete("liga", names)
  end)

  it("has connections", function() is_complete("Database", names_of(getmetatable(db))) end)

  it("has models", function() is_complete("Model", names_of(require "liga.model".methods)) end)

  it("has instances", function()
    local names = {}
    for i, name in ipairs(liga.methods) do names[i] = name end
    is_complete("Instance", names)
  end)

  it("has transactions", function()
    local t = db:transaction()
    local names = names_of(getmetatable(t).__index)
    for _, name in ipairs(names_of(getmetatable(t:savepoint()).__index)) do names[#names + 1] = "Savepoint:" .. name end
    t:rollback()
    is_complete("Transaction", names)
  end)

  it("has the query interface", function()
    is_complete("build/reference/QueryInterface.lua", names_of(getmetatable(db:queryInterface())))
  end)

  it("has generated methods", function()
    local User = db:define("User", { name = liga.STRING })
    local Post = db:define("Post", { title = liga.STRING })
    local many, one = User:hasMany(Post, { as = "posts", inverse = "author" }), User:hasOne(Post, { as = "post",
      foreignKey = "pinnedId", inverse = "pinner" })
    local names = {}
    for _, association in ipairs { many, one } do
      for _, name in pairs(association.accessors) do names[#names + 1] = name end
    end
    is_complete("Association", names)
  end)

  local function fields_of(page)
    local found = {}
    for name in read(page):gmatch "\n%-%- @field ([%w_]+)" do found[#found + 1] = name end
    table.sort(found)
    return found
  end

  it("has operators and types", function()
    local names = {}
    for name in pairs(liga.Op) do names[#names + 1] = name end
    table.sort(names)
    assert.same(names, fields_of "Op")
    local types = liga.types.names()
    table.sort(types)
    assert.same(types, fields_of "Type")
  end)

  it("has the options of finds and writes", function()
    local core, text = require "liga.core", read "Model"
    local finds, writes = text:match "@table FindOptions(.-)\n\n", text:match "@table WriteOptions(.-)\n\n"
    for name, effect in pairs(core.find_options) do
      if effect == true then assert.is_truthy(finds:find("@field " .. name .. "%f[^%w]"), name) end
    end
    for _, verb in ipairs { "create", "update", "upsert", "bulkCreate", "increment" } do
      for name in pairs(core.write_options(verb)) do
        local told = writes:find("@field " .. name .. "%f[^%w]") or ("by paranoid"):find(name, 1, true)
        assert.is_truthy(told, verb .. ": " .. name)
      end
    end
  end)
end)
