--- Unique values that stand for something else: default values made at save time.
local markers = {}

local Marker = { __name = "liga.default" }

function Marker.__tostring(marker)
  return type(marker) == "table" and rawget(marker, "text") or Marker.__name
end

for _, name in ipairs { "NOW", "UUIDV4", "UUIDV7" } do
  markers[name] = setmetatable({ text = "liga." .. name }, Marker)
end

return markers
