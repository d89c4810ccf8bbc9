-- Replication with a real standby: a streaming copy of the tests' cluster, on the same machine.
local liga = require "liga"
local support = require "spec.support"
local run = support.run
local raises = support.raises

--- The folder of the server's programs.
local function programs()
  return (run "ls -d /usr/lib/postgresql/*/bin | sort -t/ -k5 -n | tail -1":gsub("%s+$", ""))
end

--- A standby of the engine's server, on another port; nil where there can be none.
local function new_standby(engine)
  local primary = engine.url:match "[?&]host=([^&]+)"
  if not primary or run("test -d " .. primary .. "/data && echo there") == "" then return nil end
  local folder = os.tmpname()
  os.remove(folder)
  local as = run("id -u"):match "^0" and "cd / && runuser -u postgres -- " or ""
  local bin = programs()
  local made, fine = run(("%s%s/pg_basebackup -h %s -U liga -D %s -R -c fast"):format(as, bin, primary, folder))
  assert(fine, made)
  local settings = [[%ssh -c "printf \"port=5433\nunix_socket_directories='%s'\n\" >> %s/postgresql.conf"]]
  run(settings:format(as, primary, folder))
  local control = ("%s%s/pg_ctl -D %s -l %s/log -w "):format(as, bin, folder, folder)
  local standby = { url = engine.url .. "&port=5433" }
  function standby.start() assert(select(2, run(control .. "start >/dev/null"))) end
  function standby.stop() run(control .. "-m immediate stop") end
  function standby.drop()
    standby.stop()
    os.execute("rm -rf " .. folder)
  end
  standby.start()
  return standby
end

for engine in support.engines() do
  if engine.kind == "server" then
    describe("a streaming replica of " .. engine.name, function()
      local standby, db, Note

      setup(function() standby = new_standby(engine) end)
      teardown(function() if standby then standby.drop() end end)
      before_each(function()
        engine:open():close()
        if not standby then return end
        db = liga.connect(engine.url, { replication = { read = { standby.url }, sticky = 1000 } })
        Note = db:define("Note", { text = liga.TEXT }, { timestamps = false })
        db:sync()
      end)
      after_each(function() if db then db:close() end end)

      local function is_replica() return db:query("SELECT pg_is_in_recovery() AS it")[1].it end

      --- Lets the time be over in which own writes are read from the primary.
      local function wait_for_replicas() db:query "SELECT pg_sleep(1.1)" end

      --- Waits until the standby has all that the primary has.
      local function catch_up()
        local primary <close> = liga.connect(engine.url)
        local copy <close> = liga.connect(standby.url)
        local at = primary:query("SELECT pg_current_wal_insert_lsn()::text AS at")[1].at
        for _ = 1, 500 do
          local there = copy:query("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there", { bind = { at } })[1].there
          if there then return end
          copy:query "SELECT pg_sleep(0.01)"
        end
        error "the standby does not catch up"
      end

      it("serves reads, and own writes are seen at once", function()
        if not standby then pending "the server of LIGA_TEST_URLS is none that can be copied" return end
        Note:create { text = "one" }
        assert.is_false(is_replica())
        assert.equal(1, Note:count())
        catch_up()
        wait_for_replicas()
        assert.is_true(is_replica())
        assert.equal("one", Note:findOne().text)
        db:transaction(function() assert.is_false(is_replica()) end)
      end)

      it("is left out while it is down, also by who was reading from it, and used again later", function()
        if not standby then pending "the server of LIGA_TEST_URLS is none that can be copied" return end
        wait_for_replicas()
        assert.is_true(is_replica())
        standby.stop()
        assert.is_false(is_replica())
        assert.equal(0, Note:count())
        standby.start()
        catch_up()
        local again = false
        for _ = 1, 80 do
          again = again or is_replica()
          if again then break end
          db:query "SELECT pg_sleep(0.1)"
        end
        assert.is_true(again)
      end)

      it("refuses what writes behind our back, as it must", function()
        if not standby then pending "the server of LIGA_TEST_URLS is none that can be copied" return end
        catch_up()
        wait_for_replicas()
        raises("UsageError", function() db:query "SELECT nextval('\"Notes_id_seq\"')" end, "write")
      end)
    end)
  end
end
