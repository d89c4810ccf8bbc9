--- Defaults of columns, as the catalogue tells them.
local default = {}

--- A default as the value it is, where it is a plain literal; else its SQL.
function default.value(sql)
  if sql == nil then return nil end
  local plain = sql:gsub("::[%w%s%(%),%.\"%[%]]+$", ""):gsub("^%((.*)%)$", "%1")
  local text = plain:match "^'(.*)'$"
  if text and not text:gsub("''", ""):find "'" then return (text:gsub("''", "'")) end
  local lowered = plain:lower()
  if lowered == "true" or lowered == "false" then return lowered == "true" end
  if lowered == "null" then return nil end
  return tonumber(plain) or sql
end

return default
