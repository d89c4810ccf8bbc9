--- Unique values that stand for something else: default values made at save time.
local markers = {}

local Marker = { __name = "liga.default", __tostring = function(marker) return marker.text end }

for _, name in ipairs { "NOW", "UUIDV4", "UUIDV7" } do
  markers[name] = setmetatable({ text = "liga." .. name }, Marker)
end

return markers
