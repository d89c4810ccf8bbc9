--- Defaults of columns, as the catalogue tells them.
local default = {}

--- A default as the value it is, where it is a plain literal; else its SQL.
-- @param sql as the catalogue has it, or nil
-- @param exact whether numbers keep their digits, as texts: those of DECIMAL
function default.value(sql, exact)
  if sql == nil then return nil end
  local plain = sql:gsub("::[%w_%s%(%),%.\"%[%]]+$", ""):gsub("^%((.*)%)$", "%1")
  local text = plain:match "^'(.*)'$"
  if text and not text:gsub("''", ""):find "'" then return (text:gsub("''", "'")) end
  local lowered = plain:lower()
  if lowered == "true" or lowered == "false" then return lowered == "true" end
  if lowered == "null" then return nil end
  if exact and tonumber(plain) then return plain end
  return tonumber(plain) or sql
end

return default
