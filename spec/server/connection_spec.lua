-- Connecting to a server: URLs, refusals, deadlines, the session (contract, sections 1 and 11).
local liga = require "liga"
local loops = require "spec.support.loop"
local Proxy = require "spec.support.proxy"
local support = require "spec.support"
local raises = support.raises

--- What stands behind host= in the URL of the tests.
local function folder_of(engine) return engine.url:match "[?&]host=([^&]+)" end

for engine in support.engines() do
  if engine.kind == "server" then
    describe("connecting to " .. engine.name, function()
      local folder = folder_of(engine)

      it("takes a URL, or conninfo after postgres:", function()
        if not folder then pending "the server of LIGA_TEST_URLS is on no Unix socket" return end
        for _, url in ipairs {
          engine.url, (engine.url:gsub("^postgres:", "postgresql:")),
          ("postgres:host=%s user=liga dbname=liga"):format(folder),
          ("postgres:host='%s' user='liga' dbname='liga' application_name='a b'"):format(folder),
        } do
          local db <close> = liga.connect(url)
          assert.equal("postgres", db.dialect)
          assert.is_true(db:ping())
          assert.equal("liga", db:query("SELECT current_database() AS name")[1].name)
        end
      end)

      it("raises UsageError for what is no conninfo, without what may be the password", function()
        for _, target in ipairs { "//ann:s3cret@host:port/db", "host=h pasword=s3cret", "s3cret",
          "//ann:s3cret@home@host/db", "//ann:s3cret/more@host/db", "//ann:s3cret#x@host/db" } do
          local e = raises("UsageError", function() liga.connect("postgres:" .. target) end)
          assert.is_nil(tostring(e):find("s3cret", 1, true))
        end
      end)

      it("names an unknown parameter and the nearest one", function()
        for target, said in pairs {
          ["//ann:s3cret@host/db?sslmod=require"] = { '"sslmod"', '"sslmode"' },
          ["//ann:s3cret@host/db?sslmode=require&conect_timeout=s3cret"] = { '"conect_timeout"', '"connect_timeout"' },
          ["//host/db?zzzzzzzzzz=1"] = { '"zzzzzzzzzz"' },
          ["host=h pasword=s3cret"] = { '"pasword"', '"password"' },
          ["host = 'a b' dbnam='s3cret'"] = { '"dbnam"', '"dbname"' },
        } do
          local e = raises("UsageError", function() liga.connect("postgres:" .. target) end, table.unpack(said))
          assert.is_nil(tostring(e):find("s3cret", 1, true))
        end
      end)

      it("names nothing that may be a part of a password", function()
        for _, target in ipairs {
          "//ann:pw?s3cret=x@host/db", "//ann:pw@host/db?password=x&s3cret=y", "password=x s3cret=y",
          "host=h password='x s3cret=y", "//host/db?%73s3cret=1",
        } do
          local e = raises("UsageError", function() liga.connect("postgres:" .. target) end, "can't be")
          assert.is_nil(tostring(e):find("s3cret", 1, true))
        end
      end)

      it("raises ConnectionError for a wrong host, port, user or database, at once", function()
        local started = os.time()
        for _, target in ipairs {
          "host=/nowhere/at/all user=liga dbname=liga",
          "host=127.0.0.1 port=1 user=liga password=s3cret dbname=liga",
          ("host=%s user=nobody_here password=s3cret dbname=liga"):format(folder),
          ("host=%s user=liga password=s3cret dbname=not_there"):format(folder),
        } do
          local e = raises("ConnectionError", function() liga.connect("postgres:" .. target) end)
          assert.equal("none", e.outcome)
          assert.is_nil(tostring(e):find("s3cret", 1, true))
        end
        assert.is_true(os.time() - started < 5)
      end)

      if Proxy.works(engine) then
        local cqueues, socket = require "cqueues", require "cqueues.socket"
        local loop = loops.cqueues()

        --- Runs `body(port)` beside a server that answers the first bytes of a client with `answer` (nil: never).
        local function beside(answer, body)
          loop.run(function()
            local listener = socket.listen { host = "127.0.0.1", port = 0 }
            listener:listen()
            local _, _, port = listener:localname()
            local over, held = false, {}
            cqueues.running():wrap(function()
              while not over do
                local client = listener:accept(0.05)
                if client then
                  held[#held + 1] = client
                  client:setmode("b", "bn")
                  client:onerror(function(_, _, code) return code end)
                  if answer then
                    client:read(-100)
                    client:write(answer)
                  end
                end
              end
              listener:close()
            end)
            body(port)
            over = true
          end)
        end

        describe("that is just starting", function()
          local function through_proxy(body)
            loop.run(function()
              local proxy = Proxy.new(engine)
              local _ <close> = proxy:serve()
              body(proxy)
            end)
          end

          it("asks again until it takes clients, and lets the event loop go on meanwhile", function()
            through_proxy(function(proxy)
              proxy.refusals = 3
              local ticks, over = 0, false
              cqueues.running():wrap(function()
                while not over do cqueues.sleep(0.01) ticks = ticks + 1 end
              end)
              local db <close> = liga.connect(proxy.url, { wait = loop.wait })
              over = true
              assert.is_true(db:ping() and ticks > 5)
              assert.equal(3, proxy.refused)
            end)
          end)

          it("gives up after connectTimeout, with what the server said", function()
            through_proxy(function(proxy)
              proxy.refusals = 1000
              local started = cqueues.monotime()
              local e = raises("ConnectionError", function()
                liga.connect(proxy.url, { wait = loop.wait, connectTimeout = 500 })
              end, "the database system is starting up")
              local took = cqueues.monotime() - started
              assert.is_true(took > 0.25 and took < 2)
              assert.same({ "57P03", "none" }, { e.sqlstate, e.outcome })
              assert.is_nil(e.message:find "57P03")
              assert.is_true(proxy.refused > 2)
            end)
          end)

          it("does not ask again where it is refused for another reason", function()
            through_proxy(function(proxy)
              proxy.refusals, proxy.refusal = 1000, { "28P01", "password authentication failed" }
              local e = raises("ConnectionError", function() liga.connect(proxy.url, { wait = loop.wait }) end,
                "password authentication failed")
              assert.same({ "28P01", 1 }, { e.sqlstate, proxy.refused })
            end)
          end)
        end)

        it("gives up a silent server after connectTimeout", function()
          beside(nil, function(port)
            local started = cqueues.monotime()
            local e = raises("ConnectionError", function()
              liga.connect(("postgres://liga:s3cret@127.0.0.1:%d/liga?sslmode=disable"):format(port),
                { connectTimeout = 200, wait = loop.wait })
            end, "200 ms")
            local took = cqueues.monotime() - started
            assert.is_true(took > 0.15 and took < 2)
            assert.is_nil(tostring(e):find("s3cret", 1, true))
          end)
        end)

        it("passes on that TLS was refused", function()
          beside("N", function(port)
            raises("ConnectionError", function()
              liga.connect(("postgres://liga@127.0.0.1:%d/liga?sslmode=require"):format(port), { wait = loop.wait })
            end, "SSL")
          end)
        end)

        it("survives a server that talks nonsense", function()
          beside("HTTP/1.1 400 Bad Request\r\n\r\n", function(port)
            raises("ConnectionError", function()
              liga.connect(("postgres://liga@127.0.0.1:%d/liga?sslmode=disable"):format(port),
                { wait = loop.wait, connectTimeout = 1000 })
            end)
          end)
        end)
      end
    end)

    describe("a session on " .. engine.name, function()
      local db
      after_each(function() db:close() end)

      it("speaks UTC and ISO, whatever the server's settings are", function()
        db = engine:open()
        local row = db:query("SELECT current_setting('TimeZone') AS zone, current_setting('DateStyle') AS style, "
          .. "timestamptz '2026-11-22 10:30:00+01' AS at, text(timestamptz '2026-11-22 10:30:00+01') AS text")[1]
        assert.equal("UTC", row.zone)
        assert.is_truthy(row.style:find("^ISO"))
        assert.equal("2026-11-22T09:30:00.000Z", row.at)
        assert.equal("2026-11-22 09:30:00+00", row.text)
      end)

      it("has the option schema first in its search path", function()
        engine:open():close()
        db = engine:reopen { schema = 'my "shop"' }
        db:query [[CREATE SCHEMA "my ""shop"""]]
        local User = db:define("User", { name = liga.STRING })
        db:sync()
        User:create { name = "ann" }
        assert.equal(1, db:query([[SELECT count(*) AS n FROM "my ""shop"""."Users"]])[1].n)
        assert.equal(1, db:query([[SELECT count(*) AS n FROM "Users"]])[1].n)
      end)

      it("writes nothing with readOnly", function()
        engine:open():close()
        db = engine:reopen { readOnly = true }
        raises("UsageError", function() db:query "CREATE TABLE t (id int)" end, "readOnly")
        db:query "SELECT set_config('default_transaction_read_only', 'off', false)"
        raises("UsageError", function() db:query "CREATE TABLE t (id int)" end, "readOnly")
        raises("UsageError", function()
          db:query("SELECT set_config('default_transaction_read_only', 'off', false); CREATE TABLE t (id int)", {
            multiple = true })
        end, "readOnly")
        assert.equal(1, db:query("SELECT 1 AS one")[1].one)
      end)

      it("hands the server's notices to logging", function()
        local log = support.log()
        db = engine:open { logging = log.record }
        db:query "DO $$ BEGIN RAISE NOTICE 'look here'; END $$"
        local found = false
        for _, entry in ipairs(log) do
          if entry.info.kind == "notice" then found = found or entry.sql:find("look here", 1, true) ~= nil end
        end
        assert.is_true(found)
      end)

      it("is reset before its next user after SET, LISTEN or CREATE TEMP outside a transaction", function()
        db = engine:open { pool = { max = 1 } }
        db:query "SET work_mem = '1234kB'"
        assert.are_not.equal("1234kB", db:query("SHOW work_mem")[1].work_mem)
        db:query "CREATE TEMP TABLE short_lived (id int)"
        assert.is_nil(db:query("SELECT to_regclass('short_lived') AS it")[1].it)
      end)

      it("has liga's own settings again after it was reset, however often", function()
        db = engine:open { pool = { max = 1 } }
        for _, zone in ipairs { "UTC", "Asia/Tokyo", "UTC" } do
          db:query("SET TimeZone = '" .. zone .. "'")
          assert.equal("UTC", db:query("SHOW timezone")[1].TimeZone)
        end
      end)

      it("reads what PostgreSQL's types hold", function()
        db = engine:open()
        local row = db:query [[SELECT 1::int2 AS i2, -2::int4 AS i4, 9223372036854775807::int8 AS i8,
          0.1::float4 AS f4, 0.1::float8 AS f8, 'NaN'::float8 AS nan, '-Infinity'::float8 AS inf,
          12345678901234567890.0001::numeric AS n, 0.00012::numeric AS small, 100000000::numeric AS big,
          -5.50::numeric AS neg,
          'NaN'::numeric AS nnan, true AS t, 'a'::"char" AS c, 'b  '::char(3) AS b, 'text' AS x, NULL AS null,
          '2026-11-22'::date AS d, '0001-01-01'::date AS first, '9999-12-31'::date AS last, '09:30:00.5'::time AS tm,
          '2026-11-22 09:30:00.123456+00'::timestamptz AS ts, 'infinity'::timestamptz AS forever,
          '\x00ff'::bytea AS bytes, 'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid AS u, '{"a": 1}'::jsonb AS j]][1]
        assert.same({ 1, -2, math.maxinteger }, { row.i2, row.i4, row.i8 })
        assert.same({ 0.1, 0.1, -math.huge }, { row.f4, row.f8, row.inf })
        assert.is_true(row.nan ~= row.nan)
        assert.same({ "12345678901234567890.0001", "0.00012", "100000000", "-5.50", "NaN" },
          { row.n, row.small, row.big, row.neg, row.nnan })
        assert.same({ true, "a", "text" }, { row.t, row.c, row.x })
        assert.is_nil(row.null)
        assert.same({ "2026-11-22", "0001-01-01", "9999-12-31", "09:30:00.5" }, { row.d, row.first, row.last, row.tm })
        assert.same({ "2026-11-22T09:30:00.123456Z", "infinity" }, { row.ts, row.forever })
        assert.same({ "\0\255", "f47ac10b-58cc-4372-a567-0e02b2c3d479", '{"a": 1}' }, { row.bytes, row.u, row.j })
      end)

      it("sleeps while the server works, behind the tenth of a millisecond that it looks for a quick answer", function()
        db = engine:open()
        local before = os.clock()
        db:query "SELECT pg_sleep(0.3)"
        assert.is_true(os.clock() - before < 0.1)
      end)

      it("reads the same in text and in binary, prepared or not", function()
        local sql = [[SELECT 1::int4 AS i, 0.1::float8 AS f, 1.50::numeric AS n, false AS b, '\x00ff'::bytea AS bytes,
          '2026-11-22 09:30:00.5+00'::timestamptz AS ts, '2026-11-22'::date AS d, '23:59:59'::time AS t,
          'f47ac10b-58cc-4372-a567-0e02b2c3d479'::uuid AS u, '[1]'::jsonb AS j]]
        db = engine:open()
        local first, second = db:query(sql)[1], db:query(sql)[1]
        local with_text = db:query(sql .. ", '1.2.3.4'::inet AS ip")[1]
        with_text.ip = nil
        local unnamed <close> = engine:reopen { statementCache = 0 }
        assert.same(first, second)
        assert.same(first, with_text)
        assert.same(first, unnamed:query(sql)[1])
      end)
    end)
  end
end
