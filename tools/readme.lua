--- Runs every Lua example of README.md, each as a program of its own in an empty folder.

local root = io.popen("pwd"):read "l"

local function run(code, number)
  local folder = io.popen("mktemp -d"):read "l"
  local file <close> = assert(io.open(folder .. "/example.lua", "w"))
  file:write(code)
  file:flush()
  local paths = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/?.so;;'"):format(root, root, root)
  local ok = os.execute(("cd '%s' && %s lua5.4 example.lua >output 2>&1"):format(folder, paths))
  if not ok then
    print(("README.md: Lua example %d fails:"):format(number))
    os.execute(("cat '%s/output'"):format(folder))
  end
  os.execute(("rm -rf '%s'"):format(folder))
  return ok
end

local file <close> = assert(io.open "README.md")
local number, failed = 0, 0
for code in file:read("a"):gmatch "\n```lua\n(.-)\n```" do
  number = number + 1
  if not run(code, number) then failed = failed + 1 end
end
os.exit(failed == 0, true)
