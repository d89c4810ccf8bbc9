-- PgBouncer in transaction mode hands one server connection from client to client: statementCache = 0 names no
-- statements.
local liga = require "liga"
local support = require "spec.support"
local run = support.run

local function is_root() return run("id -u"):match "^0" ~= nil end

--- A pooler with one server connection before the server of the URL; nil where there is none to be had.
local function new_pooler(engine)
  local server = engine.url:match "[?&]host=([^&]+)"
  if not server or run "command -v pgbouncer" == "" then return nil end
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder)
  local file <close> = assert(io.open(folder .. "/pool.ini", "w"))
  file:write(([[
[databases]
liga = host=%s dbname=liga user=liga
[pgbouncer]
listen_addr =
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = 1
logfile = %s/log
pidfile = %s/pid
]]):format(server, folder, folder, folder))
  file:flush()
  local as = is_root() and "chown -R postgres " .. folder .. " && cd / && runuser -u postgres -- " or ""
  run(as .. "pgbouncer -d " .. folder .. "/pool.ini")
  run(("for i in $(seq 100); do test -S %s/.s.PGSQL.6432 && break; sleep 0.05; done"):format(folder))
  return {
    url = ("postgres:host=%s port=6432 user=liga dbname=liga"):format(folder),
    close = function()
      run(("kill $(cat %s/pid); sleep 0.2; rm -rf %s"):format(folder, folder))
    end,
  }
end

for engine in support.engines() do
  if engine.kind == "server" then
    describe("a transaction pooler before " .. engine.name, function()
      local pooler

      setup(function() pooler = new_pooler(engine) end)
      teardown(function() if pooler then pooler.close() end end)

      it("may mix clients, whose statements stay their own", function()
        if not pooler then pending "PgBouncer is not installed" return end
        engine:open():close()
        local first <close> = liga.connect(pooler.url, { statementCache = 0 })
        local second <close> = liga.connect(pooler.url, { statementCache = 0 })
        local Note = first:define("Note", { text = liga.STRING }, { timestamps = false })
        local Tag = second:define("Tag", { name = liga.STRING }, { timestamps = false })
        first:sync()
        second:sync()
        for i = 1, 20 do
          Note:create { text = "note " .. i }
          Tag:create { name = "tag " .. i }
          assert.equal("note " .. i, Note:findByPk(i).text)
          assert.equal("tag " .. i, Tag:findByPk(i).name)
          assert.equal(i, first:query("SELECT $1 AS n", { bind = { i } })[1].n)
          assert.equal(-i, second:query("SELECT $1 AS n", { bind = { -i } })[1].n)
        end
        first:transaction(function()
          Note:create { text = "in a transaction" }
          Note:bulkCreate { { text = "a" }, { text = "b" } }
        end)
        assert.equal(23, Note:count())
        assert.equal(20, Tag:count())
      end)
    end)
  end
end
