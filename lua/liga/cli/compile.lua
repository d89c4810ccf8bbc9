--- Inputs of the console become functions, whose locals the next inputs see.

--- Whether a chunk ends too early, so that another line may complete it. A short string ends with its line, unless a
-- backslash stands there.
local function is_incomplete(problem, code)
  if problem:find "unfinished string near" then return code:find "\\$" ~= nil end
  return problem:find "<eof>['\"]?$" ~= nil
end

--- Names of locals that are closed where the input ends: nobody can go on with their values.
local function closed_names(code)
  local closed = {}
  for name in code:gmatch "([%a_][%w_]*)%s*<%s*close%s*>" do closed[name] = true end
  return closed
end

--- Makes the locals of its caller globals.
local function keeper(env, closed)
  return function()
    for i = 1, math.huge do
      local name, value = debug.getlocal(2, i)
      if not name then return end
      if name:find "^[%a_]" and not closed[name] then rawset(env, name, value) end
    end
  end
end

--- Statements, which keep their locals when they have come to their end; what ends with `return` has none to keep.
local function keeping_locals(code, env)
  local chunk = load(code .. "\n;(...)()", "=input", "t", env)
  if not chunk then return nil end
  local keep = keeper(env, closed_names(code))
  return function() return chunk(keep) end
end

--- Compiles an input: as an expression, else as statements.
-- @param code text
-- @param env table of globals
-- @return function; or nil, the problem, whether more lines may help
return function(code, env)
  local chunk, of_expression = load("return " .. code, "=input", "t", env)
  if chunk then return chunk end
  local statements, problem = load(code, "=input", "t", env)
  if statements then return keeping_locals(code, env) or statements end
  return nil, problem, is_incomplete(problem, code) or is_incomplete(of_expression, code)
end
