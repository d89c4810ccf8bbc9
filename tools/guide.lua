--- Runs the examples of docs/guide/*.md: the Lua blocks of a page are one program, run in an empty folder. What a line
-- prints stands behind it, `print(x)  --> 1`; all that is printed is compared, line by line. A block of the shell that
-- begins with `$ liga` is run too; what follows is its output. A block `console` is a session: `$ liga demo`, what is
-- typed behind the prompts, and what the console shows; the times in it may be others.
--
--     lua5.4 tools/guide.lua [page …]

local root = io.popen("pwd"):read "l"
local paths = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/?.so;;'"):format(root, root, root)

local function write(path, content)
  local file <close> = assert(io.open(path, "w"))
  file:write(content)
end

local function run(command)
  local pipe <close> = assert(io.popen("exec 2>&1; " .. command))
  return pipe:read "a"
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = (line:gsub("%s+", " "):gsub("%s$", "")) end
  return lines
end

--- What the program is expected to print, in order.
local function expected_of(code)
  local lines = {}
  for line in code:gmatch "%-%->%s*([^\n]*)" do lines[#lines + 1] = (line:gsub("%s+", " "):gsub("%s$", "")) end
  return lines
end

local function compare(page, expected, output)
  local lines = lines_of(output)
  for i = 1, math.max(#expected, #lines) do
    if expected[i] ~= lines[i] then
      print(("%s: output %d\n  should be  %s\n  is         %s"):format(page, i, expected[i] or "(no more)",
        lines[i] or "(no more)"))
      return false
    end
  end
  return true
end

--- The fenced blocks of a page: {language, content}.
local function blocks_of(text)
  local blocks = {}
  for language, content in text:gmatch "\n```(%l*)\n(.-)\n```" do
    blocks[#blocks + 1] = { language = language, content = content }
  end
  return blocks
end

local function run_program(page, blocks, folder)
  local code = {}
  for _, block in ipairs(blocks) do
    if block.language == "lua" then code[#code + 1] = block.content end
  end
  if #code == 0 then return true end
  local program = table.concat(code, "\n")
  write(folder .. "/example.lua", program)
  return compare(page, expected_of(program), run(("cd '%s' && %s lua5.4 example.lua"):format(folder, paths)))
end

--- `$ liga …` and its output, one after the other.
local function run_commands(page, blocks, folder)
  local fine = true
  for _, block in ipairs(blocks) do
    if block.language == "sh" and block.content:find "^%$ liga " then
      for command, output in (block.content .. "\n$ "):gmatch "%$ liga ([^\n]*)\n(.-)%f[%$\0]" do
        local got = run(("cd '%s' && LIGA_HISTORY= '%s/bin/liga' %s"):format(folder, root, command))
        fine = compare(page .. ": liga " .. command, lines_of(output), got) and fine
      end
    end
  end
  return fine
end

--- A session: what was typed is run through a pipe, where there are no prompts; the rest is what it shows.
local function run_session(page, block, folder)
  local command, rest = block.content:match "^%$ liga ([^\n]*)\n(.*)$"
  local typed, shown = {}, {}
  for line in rest:gmatch "[^\n]+" do
    local input = line:match "^liga> (.*)$" or line:match "^   …> (.*)$"
    if input then typed[#typed + 1] = input else shown[#shown + 1] = line end
  end
  write(folder .. "/typed", table.concat(typed, "\n") .. "\n")
  local got = run(("cd '%s' && LIGA_HISTORY= '%s/bin/liga' %s <typed"):format(folder, root, command))
  local function plain(text) return (text:gsub("%d+%.%d ms", "N ms")) end
  return compare(page .. ": session", lines_of(plain(table.concat(shown, "\n"))), plain(got))
end

local function run_sessions(page, blocks, folder)
  local fine = true
  for _, block in ipairs(blocks) do
    if block.language == "console" then fine = run_session(page, block, folder) and fine end
  end
  return fine
end

local function run_page(page)
  local file <close> = assert(io.open(page))
  local blocks = blocks_of(file:read "a")
  local folder = io.popen("mktemp -d"):read "l"
  local fine = run_program(page, blocks, folder)
  fine = run_commands(page, blocks, folder) and fine
  fine = run_sessions(page, blocks, folder) and fine
  os.execute(("rm -rf '%s'"):format(folder))
  return fine
end

local pages = table.move(arg, 1, #arg, 1, {})
if #pages == 0 then
  for page in io.popen("ls docs/guide/*.md"):lines() do pages[#pages + 1] = page end
end
local failed = 0
for _, page in ipairs(pages) do
  if not run_page(page) then failed = failed + 1 end
end
os.exit(failed == 0, true)
