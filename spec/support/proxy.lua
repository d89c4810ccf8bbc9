--- A man in the middle between liga and a PostgreSQL server, for the event loop of cqueues. It counts what the client
-- sends and can be told to be silent or to cut the line:
--
--     local proxy = require("spec.support.proxy").new(engine)     -- if Proxy.works(engine)
--     loop.run(function()
--       local serving <close> = proxy:serve()
--       local db <close> = liga.connect(proxy.url, { wait = loop.wait })
--       proxy.flushes = 0 ... proxy.silent = true ... proxy:cut() ... proxy.refusals = 2 (of the next clients)
--     end)
local found, cqueues = pcall(require, "cqueues")
local socket = found and require "cqueues.socket"

local Proxy = {}
Proxy.__index = Proxy

--- Folder of the server's socket, from the engine's URL.
local function folder_of(url) return url:match "[?&]host=([^&]+)" end

--- Whether there can be one: with cqueues, for a server on a Unix socket.
function Proxy.works(engine) return found and folder_of(engine.url) ~= nil end

function Proxy.new(engine)
  local name = os.tmpname()
  local folder = name .. ".proxy"
  os.remove(name)
  os.execute("mkdir " .. folder)
  return setmetatable({
    folder = folder, target = folder_of(engine.url) .. "/.s.PGSQL.5432", flushes = 0, delay = 0, lines = {},
    refused = 0, refusals = 0, refusal = { "57P03", "the database system is starting up" },
    url = engine.url:gsub("host=[^&]+", "host=" .. folder),
  }, Proxy)
end

--- Passes bytes on until one side ends; `note` hears of every piece.
local function pump(self, from, to, note)
  for piece in function() return from:read(-65536) end do
    note()
    if self.delay > 0 then cqueues.sleep(self.delay) end
    while self.silent do cqueues.sleep(0.01) end
    if not to:write(piece) or not to:flush() then break end
  end
  to:shutdown "w"
end

--- What a server says that refuses a client: an ErrorResponse.
local function refusal(sqlstate, message)
  local body = ("SFATAL\0VFATAL\0C%s\0M%s\0\0"):format(sqlstate, message)
  return "E" .. string.pack(">I4", #body + 4) .. body
end

--- Answers as a server that takes nobody.
local function refuse(self, client)
  self.refused = self.refused + 1
  client:setmode("b", "bn")
  client:onerror(function(_, _, code) return code end)
  client:read(-1000)
  client:write(refusal(table.unpack(self.refusal)))
  client:shutdown "rw"
end

local function connect_line(self, client)
  local server = socket.connect { path = self.target }
  for _, side in ipairs { client, server } do
    side:setmode("b", "bf")
    side:onerror(function(_, _, code) return code end)
  end
  server:connect()
  self.lines[#self.lines + 1] = { client, server }
  self.queue:wrap(function() pump(self, client, server, function() self.flushes = self.flushes + 1 end) end)
  self.queue:wrap(function() pump(self, server, client, function() end) end)
end

--- Serves clients in the running event loop; the result ends that when it is closed.
function Proxy:serve()
  self.queue = cqueues.running()
  self.listener = socket.listen { path = self.folder .. "/.s.PGSQL.5432" }
  self.listener:listen()
  self.queue:wrap(function()
    while true do
      local client = self.listener:accept(0.05)
      if self.closed then return end
      if client and self.refused < self.refusals then refuse(self, client)
      elseif client then connect_line(self, client) end
    end
  end)
  return setmetatable({}, { __close = function() self:close() end })
end

--- Ends all connections at once, as a network that breaks.
function Proxy:cut()
  for _, line in ipairs(self.lines) do
    for _, side in ipairs(line) do
      side:shutdown "rw"        -- their coroutines see the end
    end
  end
  self.lines = {}
end

function Proxy:close()
  self.silent, self.closed = false, true
  self:cut()
  os.execute("rm -rf " .. self.folder)
end

return Proxy
