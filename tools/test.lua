--- Runs the named parts of the test suite and ends with one line: "N passed, N failed[, N skipped]".
--
--     lua5.4 tools/test.lua layers luacheck ctest busted
--     lua5.4 tools/test.lua busted -- --filter=belongsTo spec/association
--
-- What follows "--" goes to busted. The engines come from LIGA_TEST_URLS (tools/with_engines.sh sets it).

local total = { passed = 0, failed = 0, skipped = 0 }
local broken = {}       -- names of what failed, in order

--- Adds to the total; `name` is listed at the end if anything failed.
local function count(name, passed, failed, skipped)
  total.passed = total.passed + passed
  total.failed = total.failed + failed
  total.skipped = total.skipped + (skipped or 0)
  if failed > 0 then broken[#broken + 1] = name end
end

--- Runs a command; with `echo` what it prints is shown while it comes.
-- @return the output (both streams), whether it ended well, its exit status or signal in words
local function run(command, echo)
  local pipe <close> = assert(io.popen("exec 2>&1; " .. command))
  local output = {}
  for char in pipe:lines(1) do
    output[#output + 1] = char
    if echo then io.write(char):flush() end
  end
  local ok, how, code = pipe:close()
  return table.concat(output), ok == true, ("%s %d"):format(how == "signal" and "signal" or "exit status", code)
end

local function heading(name) io.write("--- ", name, "\n"):flush() end

--- A check that passes or fails as a whole and whose output matters only if it fails.
local function check(name, command)
  heading(name)
  local output, ok = run(command)
  if not ok then io.write(output) end
  count(name, ok and 1 or 0, ok and 0 or 1)
end

-------------------------------------------------------------------------------------------------------- C tests

local SANITIZED =
  "ASAN_OPTIONS=detect_leaks=1:exitcode=99:$ASAN_OPTIONS UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 "
  .. 'LSAN_OPTIONS="suppressions=$PWD/tools/leaks.supp:print_suppressions=0" '
local SANITIZED_MODULES = "LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='build-asan/?.so;;' "
local MAKE_SANITIZED = "${MAKE:-make} --silent --no-print-directory -k -j$(nproc) SAN=1 BUILD=build-asan "

--- The passed and failed checks among TAP lines; prints the failed ones with their notes.
local function read_tap(output)
  local passed, failed, planned, bad = 0, 0, nil, false
  for line in output:gmatch "[^\n]+" do
    if line:find "^ok %d+" then passed, bad = passed + 1, false
    elseif line:find "^not ok %d+" then failed, bad = failed + 1, true
    elseif line:find "^1%.%.%d+$" then planned, bad = tonumber(line:match "%d+$"), false
    else bad = bad or not line:find "^#" end        -- a sanitizer's report
    if bad then print("  " .. line) end
  end
  return passed, failed, planned == passed + failed
end

--- Runs a program that prints TAP; `arguments` follow its name.
local function run_ctest(name, arguments)
  local program = "build-asan/ctest/" .. name
  if not os.execute("test -x " .. program) then
    print("  " .. name .. " was not built")
    return count("ctest/" .. name, 0, 1)
  end
  local output, ok, status = run(SANITIZED .. SANITIZED_MODULES .. program .. (arguments or ""))
  local passed, failed, complete = read_tap(output)
  if failed == 0 and not (ok and complete) then
    print("  " .. name .. " ended early: " .. status)
    failed = 1
  end
  count("ctest/" .. name, passed, failed)
end

--- A host whose memory runs out, at some places of a scenario (0: at each, which takes minutes).
local OUT_OF_MEMORY_POINTS = tonumber(os.getenv "LIGA_TEST_OUT_OF_MEMORY") or 60

--- Builds and runs a program of ctest/ that hosts Lua states.
-- @param scenario its file in ctest/, without ".lua"
local function run_host(name, scenario, arguments)
  local host = "DRIVER_LIBS='-llua5.4 -lsqlite3 -lpq -lm -lpthread' build-asan/ctest/" .. name
  local output, ok = run(MAKE_SANITIZED .. "modules && " .. MAKE_SANITIZED .. host)
  if not ok then io.write(output) end
  run_ctest(name, (" ctest/%s.lua %s"):format(scenario, arguments))
end

local function out_of_memory()
  heading(("out of memory (%d points)"):format(OUT_OF_MEMORY_POINTS))
  run_host("out_of_memory", "out_of_memory", OUT_OF_MEMORY_POINTS)
  run_host("out_of_memory", "out_of_memory_wide", math.ceil(OUT_OF_MEMORY_POINTS / 3))
end

local function states()
  heading "several Lua states, threads, fork"
  run_host("states", "states", ((os.getenv "LIGA_TEST_URLS" or "sqlite::memory:"):gsub("%S+", "'%0'")))
end

local function ctest()
  heading "ctest (address, undefined-behaviour and leak sanitizers)"
  os.execute "rm -rf build-asan/ctest"              -- so that a program which does not build is not an old one
  local output, ok = run(MAKE_SANITIZED .. "ctests")
  if not ok then io.write(output) end
  local sources <close> = assert(io.popen "ls ctest/*_test.c 2>/dev/null")
  for source in sources:lines() do run_ctest(source:match "([^/]+)%.c$") end
  out_of_memory()
  states()
end

---------------------------------------------------------------------------------------------------------- specs

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- The counts of busted's last line, nil if it never came to it.
local function read_summary(output)
  local passed, failed, errors, skipped =
    output:match "(%d+) success%a* / (%d+) failure%a* / (%d+) errors? / (%d+) pending"
  if passed then return tonumber(passed), failed + errors, tonumber(skipped) end
end

--- Runs the specs on all engines of LIGA_TEST_URLS.
local function specs(name, environment, arguments)
  heading(("%s (%s)"):format(name, os.getenv "LIGA_TEST_URLS" or "sqlite::memory:"))
  local command = environment .. "lua5.4 tools/busted.lua --output=plainTerminal " .. arguments
  local output, ok, status = run(command, true)
  local passed, failed, skipped = read_summary(output)
  if not passed then
    print("busted ended early: " .. status .. "; `lua5.4 tools/busted.lua --output=TAP` tells after which spec")
    passed, failed = 0, 1
  elseif not ok and failed == 0 then
    print("busted ended with " .. status .. " after its last spec")
    failed = 1
  end
  count(name, passed, failed, skipped)
end

local function busted(arguments) specs("busted", "", arguments) end

--- The same specs with sanitized modules in the stock interpreter, which must load the sanitizers' libraries first.
-- Random ones play fewer cases: they take several times as long here.
local function sanitized(arguments)
  local output, ok = run(MAKE_SANITIZED .. "modules")
  if not ok then
    io.write(output)
    return count("sanitized", 0, 1)
  end
  local preload = 'LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" '
  specs("sanitized", SANITIZED .. preload .. "LIGA_CASES=${LIGA_CASES:-50} LUA_CPATH='build-asan/?.so;;' ",
    "--cpath='./build-asan/?.so' " .. arguments)
end

----------------------------------------------------------------------------------------------------------- main

local PARTS = {
  layers = function() check("layers", "lua5.4 tools/layers.lua") end,
  tour = function() check("tour", "lua5.4 tools/tour.lua") end,
  luacheck = function() check("luacheck", "luacheck --quiet --no-color .") end,
  symbols = function() check("exported symbols", "tools/symbols.sh") end,
  guide = function() check("examples of docs/guide", "lua5.4 tools/guide.lua") end,
  docs = function() check("make docs (no warnings)", "${MAKE:-make} --silent --no-print-directory docs") end,
  rocks = function() check("rocks", "tools/rock.sh") end,
  warnings = function() check("warnings (gcc, clang)", "${MAKE:-make} --silent --no-print-directory -k warnings") end,
  ctest = ctest, busted = busted, sanitized = sanitized,
}

--- The names before "--" and the quoted arguments after it.
local function command_line()
  local names, arguments = {}, nil
  for _, word in ipairs(arg) do
    if arguments then arguments[#arguments + 1] = quote(word)
    elseif word == "--" then arguments = {}
    else names[#names + 1] = word end
  end
  return names, table.concat(arguments or {}, " ")
end

local names, arguments = command_line()
for _, name in ipairs(names) do
  local part = PARTS[name] or error("there is no part '" .. name .. "'")
  part(arguments)
end

if #broken > 0 then print("failed: " .. table.concat(broken, ", ")) end
print(("%d passed, %d failed%s"):format(total.passed, total.failed,
  total.skipped > 0 and (", %d skipped"):format(total.skipped) or ""))
os.exit(total.failed == 0, true)
