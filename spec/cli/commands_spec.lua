--- liga reflect, types, diagram, doctor, help: results, exit status, bad input.
local cli = require "spec.cli.support"
local liga = require "liga"

local function shop()
  local path = os.tmpname()
  local db <close> = liga.connect("sqlite:" .. path)
  local Customer = db:define("Customer", { name = { type = liga.STRING(40), unique = true } })
  local Order = db:define("Order", { total = liga.DECIMAL(10, 2), status = liga.ENUM { "open", "done" } },
    { indexes = { { fields = { "customerId" } } } })
  Customer:hasMany(Order, { as = "orders", inverse = "customer" })
  db:sync()
  return path
end

describe("the command liga", function()
  local path
  before_each(function() path = shop() end)
  after_each(function() os.remove(path) end)

  local function lines(value) return select(2, value:gsub("\n", "")) end

  it("without a command tells what there is, with status 2", function()
    local out, err, status = cli.liga {}
    assert.same({ "", 2 }, { out, status })
    for _, name in ipairs { "console", "reflect", "types", "diagram", "doctor", "demo", "help" } do
      assert.is_truthy(err:find("\n  " .. name, 1, true))
    end
    out, err, status = cli.liga { "help" }
    assert.same({ "", 0 }, { err, status })
    assert.is_truthy(out:find("doctor URL", 1, true))
    out = cli.liga { "help", "types" }
    assert.is_truthy(out:find("--check", 1, true))
    assert.equal(out, (cli.liga { "types", "--help" }))
  end)

  it("says in one line what is wrong with how it was called, with status 2", function()
    for words, text in pairs {
      ["refelct"] = 'unknown command "refelct" (did you mean "reflect"?)',
      ["reflect"] = "URL of a database is missing",
      ["doctor " .. path .. " --fxi-sql"] = 'unknown flag "--fxi-sql" (did you mean "--fix-sql"?)',
      ["diagram " .. path .. " --format png"] = 'unknown format "png"',
      ["diagram " .. path .. " --depth x"] = "whole number",
      ["diagram " .. path .. " --depth 1"] = "--around",
      ["reflect mysql:x"] = '"sqlite:" or "postgres:"',
      ["types a b"] = "one word too many",
      ["types " .. path .. " --output"] = "needs a file",
      ["help nothing"] = 'unknown command "nothing"',
    } do
      local list = {}
      for word in words:gmatch "%S+" do list[#list + 1] = word end
      local out, err, status = cli.liga(list)
      assert.same({ "", 2, 1 }, { out, status, lines(err) }, words)
      assert.is_truthy(err:find(text, 1, true), err)
    end
  end)

  it("says in one line what is wrong with a database, with status 1, and makes no file", function()
    local empty, text = cli.file "", cli.file "this is no database, but a text of some length"
    for _, command in ipairs { "reflect", "types", "diagram", "doctor" } do
      for place, part in pairs {
        ["/nowhere/at/all"] = "No such file", [empty] = "has no tables", [text] = "not a database",
        ["/tmp"] = "/tmp", ["postgres://ann:secret@localhost:1/x"] = "connect",
      } do
        local out, err, status = cli.liga { command, place }
        assert.same({ "", 1, 1 }, { out, status, lines(err) }, command .. " " .. place .. ": " .. err)
        assert.is_truthy(err:find(part, 1, true), err)
        assert.is_nil(err:find("secret", 1, true))
        assert.is_nil(err:find("traceback", 1, true))
      end
    end
    assert.is_nil(io.open("/nowhere/at/all"))
    assert.equal("", cli.read(empty))
    os.remove(empty)
    os.remove(text)
  end)

  it("shows a traceback only with --debug", function()
    local broken = cli.file("return function(db) error 'in the models' end", ".lua")
    local _, err, status = cli.liga { "types", broken }
    assert.same({ 1, 1 }, { status, lines(err) })
    assert.is_truthy(err:find("in the models", 1, true))
    _, err = cli.liga { "types", broken, "--debug" }
    assert.is_truthy(err:find("traceback", 1, true))
    os.remove(broken)
    local wrong = cli.file([[
local liga = require "liga"
return function(db)
  db:define("A", { x = liga.STRNG })
end
]], ".lua")
    local place = wrong .. ":3: "
    assert.is_truthy(select(2, cli.liga { "types", wrong }):find(place, 1, true))
    assert.is_truthy(select(2, cli.liga { "console", "--models", wrong, "-e", "1" }):find(place, 1, true))
    os.remove(wrong)
  end)

  describe("reflect", function()
    it("writes models that load", function()
      local out, err, status = cli.liga { "reflect", path }
      assert.same({ "", 0 }, { err, status })
      local db <close> = liga.connect("sqlite:" .. path)
      load(out)()(db)
      assert.equal("orders", db.models.Customer:association("orders").as)
      assert.same({}, db:sync{ alter = true, dryRun = true })
      out = cli.liga { "reflect", path, "--tables", "Customers" }
      assert.is_nil(out:find("Order", 1, true))
    end)

    it("writes a file whose hand-made parts stay, and checks it", function()
      local file = os.tmpname()
      assert.equal(0, select(3, cli.liga { "reflect", "-o", file, path }))
      local edited = cli.read(file):gsub("%-%- own: Order\n", "%0  models.Order.methods.hi = function() end\n")
      local handle <close> = assert(io.open(file, "w"))
      handle:write(edited):flush()
      assert.equal(0, select(3, cli.liga { "reflect", "-o", file, path }))
      assert.equal(edited, cli.read(file))
      assert.equal(0, select(3, cli.liga { "reflect", "-o", file, path, "--check" }))
      local db <close> = liga.connect("sqlite:" .. path)
      db:queryInterface():addColumn("Orders", "note", liga.TEXT)
      local _, err, status = cli.liga { "reflect", "-o", file, path, "--check" }
      assert.equal(1, status)
      assert.is_truthy(err:find("not up to date", 1, true))
      os.remove(file)
    end)
  end)

  describe("types", function()
    it("writes the same annotations each time, which are Lua, for a database and for a file of models", function()
      local out, err, status = cli.liga { "types", path }
      assert.same({ "", 0 }, { err, status })
      assert(load(out))
      assert.equal(out, (cli.liga { "types", path }))
      for _, part in ipairs {
        "---@class Customer: liga.Instance", "---@field orders? Order[]", "---@field customer? Customer",
        "---@field total? string", '---@field status? string', "---@field name? string",
        "---@field getOrders fun(self: Customer, options?: liga.FindOptions): Order[]",
        "---@field setCustomer fun(self: Order, target?: Customer|any",
        "---@field findAll fun(self: OrderModel, options?: liga.FindOptions): Order[]",
      } do
        assert.is_truthy(out:find(part, 1, true), part)
      end
      local models = cli.file((cli.liga { "reflect", path }), ".lua")
      assert.same({ out, "", 0 }, { cli.liga { "types", models } })
      assert.same({ cli.liga { "diagram", path } }, { cli.liga { "diagram", models } })
      os.remove(models)
    end)

    it("checks a file", function()
      local file = os.tmpname()
      assert.equal(0, select(3, cli.liga { "types", path, "--output", file }))
      assert.equal(0, select(3, cli.liga { "types", path, "--output", file, "--check" }))
      local handle <close> = assert(io.open(file, "a"))
      handle:write("\n"):flush()
      assert.equal(1, select(3, cli.liga { "types", path, "--output", file, "--check" }))
      assert.equal(1, select(3, cli.liga { "types", path, "--check", file }))
      assert.equal(2, select(3, cli.liga { "types", path, "--check" }))
      assert.equal(2, select(3, cli.liga { "types", path, file }))
      os.remove(file)
    end)
  end)

  describe("diagram", function()
    it("is mermaid in a pipe, and whatever is asked for", function()
      local out = cli.liga { "diagram", path }
      assert.is_truthy(out:find "^erDiagram\n")
      assert.is_truthy(out:find('Customer |o--o{ Order : "orders"', 1, true), out)
      assert.is_truthy(out:find("BIGINT id PK", 1, true))
      assert.is_truthy(out:find("BIGINT customerId FK", 1, true))
      out = cli.liga { "diagram", path, "--format", "text" }
      assert.is_truthy(out:find("Customer (Customers)\n  ⇉ orders Order (customerId)\n", 1, true), out)
      out = cli.liga { "diagram", path, "--format=dot" }
      assert.is_truthy(out:find("digraph", 1, true))
      assert.is_truthy(out:find('"Order" -> "Customer"', 1, true))
    end)

    it("as svg needs graphviz", function()
      local out, err, status = cli.liga { "diagram", path, "--format", "svg" }
      if cli.has "dot" then
        assert.same({ "", 0 }, { err, status })
        assert.is_truthy(out:find("<svg", 1, true) and out:find("</svg>", 1, true))
        for _, part in ipairs { ">Customer<", ">Order<", ">customer<", "DECIMAL(10,2)" } do
          assert.is_truthy(out:find(part, 1, true), part)
        end
      else
        assert.same({ "", 1 }, { out, status })
        assert.is_truthy(err:find("graphviz", 1, true))
      end
    end)

    it("shows what is around a model, some links away", function()
      local db <close> = liga.connect("sqlite:" .. path)
      db:query [[CREATE TABLE "Lines" (id INTEGER PRIMARY KEY, "orderId" INTEGER REFERENCES "Orders" (id))]]
      local function models(...)
        local out, found = cli.liga { "diagram", path, "-f", "text", ... }, {}
        for name in out:gmatch "%f[^\n%z](%w+) %(" do found[#found + 1] = name end
        return found
      end
      assert.same({ "Customer", "Line", "Order" }, models())
      assert.same({ "Line", "Order" }, models("--around", "Line"))
      assert.same({ "Line" }, models("--around", "Line", "--depth", "0"))
      assert.same({ "Customer", "Line", "Order" }, models("--around", "Line", "--depth", "2"))
      local _, err, status = cli.liga { "diagram", path, "--around", "Lnie" }
      assert.equal(1, status)
      assert.is_truthy(err:find('(did you mean "Line"?)', 1, true))
    end)
  end)

  describe("doctor", function()
    it("finds nothing in a healthy database", function()
      local out, err, status = cli.liga { "doctor", path }
      assert.same({ "nothing found\n", "", 0 }, { out, err, status })
    end)

    it("ends with status 1 if there is something, and writes the SQL that mends it", function()
      local db <close> = liga.connect("sqlite:" .. path, { foreignKeys = false })
      db:query 'DROP INDEX "orders_customer_id"'
      db:query [[INSERT INTO "Orders" ("customerId", "createdAt", "updatedAt") VALUES (99, 0, 0)]]
      local out, _, status = cli.liga { "doctor", path }
      assert.equal(1, status)
      assert.is_truthy(out:find("foreign key without index: ", 1, true), out)
      assert.is_truthy(out:find("1 row of Orders references nothing by customerId: 1", 1, true), out)
      assert.is_truthy(out:find "2 findings\n$")
      local sql = cli.liga { "doctor", path, "--fix-sql" }
      db:query(sql, { multiple = true })
      assert.equal(0, select(3, cli.liga { "doctor", path }))
    end)

    it("compares with a file of models", function()
      local models = cli.file((cli.liga { "reflect", path }), ".lua")
      assert.equal(0, select(3, cli.liga { "doctor", path, "--models", models }))
      local db <close> = liga.connect("sqlite:" .. path)
      db:queryInterface():removeColumn("Orders", "total")
      local out, _, status = cli.liga { "doctor", path, "--models", models }
      assert.equal(1, status)
      assert.is_truthy(out:find("the column total is missing", 1, true), out)
      os.remove(models)
    end)
  end)
end)
