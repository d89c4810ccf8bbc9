--- What texts of well-known forms look like: the tests behind isEmail, isUrl, isIP …
local formats = {}

--- Labels of a domain name: letters, digits and inner hyphens, the last one of at least two letters.
local function is_domain(text)
  if #text > 253 or text:find("..", 1, true) then return false end
  local last, count
  for label in (text .. "."):gmatch "([^.]*)%." do
    if #label > 63 or not label:find "^%w[%w%-]*$" or label:find "%-$" then return false end
    last, count = label, (count or 0) + 1
  end
  return count ~= nil and count > 1 and last:find "^%a[%a%d%-]+$" ~= nil
end

function formats.email(text)
  local name, domain = text:match "^([^@%s]+)@([^@%s]+)$"
  if not name or #name > 64 or name:find "^%." or name:find "%.$" or name:find("..", 1, true) then return false end
  return name:find "^[%w.!#$%%&'*+/=?^_`{|}~%-\x80-\xff]+$" ~= nil and is_domain(domain)
end

function formats.ipv4(text)
  local parts = { text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$" }
  for _, part in ipairs(parts) do
    if tonumber(part) > 255 or part:find "^0%d" then return false end
  end
  return #parts == 4
end

--- How many of the eight groups a half of an address has; nil where it is none. An IPv4 tail counts for two.
local function count_groups(half, may_end_in_ipv4)
  if half == "" then return 0 end
  local count, parts = 0, {}
  for part in (half .. ":"):gmatch "([^:]*):" do parts[#parts + 1] = part end
  for place, part in ipairs(parts) do
    if may_end_in_ipv4 and place == #parts and formats.ipv4(part) then
      count = count + 2
    elseif #part > 4 or not part:find "^%x+$" then
      return nil
    else
      count = count + 1
    end
  end
  return count
end

function formats.ipv6(text)
  text = text:gsub("%%[%w.]+$", "")                               -- the zone
  local before, after = text:match "^(.-)::(.*)$"
  if not before then return count_groups(text, true) == 8 end
  local first, second = count_groups(before, false), count_groups(after, true)
  return first ~= nil and second ~= nil and first + second < 8
end

local schemes = { http = true, https = true, ftp = true }

function formats.url(text)
  if text:find "[%s<>]" or #text > 2083 then return false end
  local scheme, rest = text:match "^(%a[%w+.-]*)://(.*)$"
  if scheme and not schemes[scheme:lower()] then return false end
  local authority = (rest or text):match "^[^/?#]*"
  if scheme then authority = authority:gsub("^[^@]*@", "") end
  local host, port = authority:match "^(.-):(%d+)$"
  if port and tonumber(port) > 65535 then return false end
  host = host or authority
  local bracketed = host:match "^%[(.*)%]$"
  if bracketed then return formats.ipv6(bracketed) end
  return formats.ipv4(host) or is_domain(host)
end

--- @param version of the UUID, or nil for any
function formats.uuid(text, version)
  local found = text:match "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-(%x)%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
  return found ~= nil and (version == nil or tonumber(found, 16) == version)
end

--- Digits with at most one point before the last ones, and a sign before all. No pattern says it alone: two repetitions
-- of the same digits side by side take the square of the length to fail.
function formats.numeric(text)
  local whole, point, fraction = text:match "^[+-]?([^.]*)(%.?)(.*)$"
  local digits = whole .. fraction
  return not digits:find "%D" and digits ~= "" and (point == "" or fraction ~= "")
end

--- The same with an exponent.
function formats.float(text)
  local mantissa, exponent = text:match "^([^eE]*)[eE]?(.*)$"
  return formats.numeric(mantissa) and not exponent:find "[^%d+-]" and tonumber(text) ~= nil
end

--- The check digit of card numbers, blanks and hyphens between the digits left out.
function formats.credit_card(text)
  local digits = text:gsub("[ %-]", "")
  if not digits:find "^%d+$" or #digits < 13 or #digits > 19 then return false end
  local sum = 0
  for place = 1, #digits do
    local digit = digits:byte(#digits - place + 1) - 48
    if place % 2 == 0 then digit = digit > 4 and digit * 2 - 9 or digit * 2 end
    sum = sum + digit
  end
  return sum % 10 == 0
end

-- Dates --------------------------------------------------------------------------------------------------------------

local month_days = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or month_days[month]
end

--- Days since 1970-01-01 of a date of the Gregorian calendar.
local function days_of(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era_year = y % 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return (y // 400) * 146097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year - 719468
end

local function read_offset(text)
  if text == "" or text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d?%d?)$"
  if not sign then return nil end
  return (sign == "-" and -1 or 1) * (tonumber(hours) * 3600 + (tonumber(minutes) or 0) * 60)
end

local function read_time(text)
  if text == "" then return 0 end
  local hours, minutes, rest = text:match "^[Tt ](%d%d):(%d%d)(.*)$"
  if not hours or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  local seconds, offset = rest:match "^:(%d%d%.?%d*)(.*)$"
  if seconds and tonumber(seconds) >= 61 then return nil end
  local shift = read_offset(offset or rest)
  return shift and tonumber(hours) * 3600 + tonumber(minutes) * 60 + (tonumber(seconds) or 0) - shift
end

--- Seconds since 1970 of an ISO 8601 text (without offset: UTC), an epoch number or an os.date table; nil for others.
function formats.instant(value)
  if type(value) == "number" then return value end
  if type(value) == "table" then
    local ok, seconds = pcall(os.time, value)
    return ok and seconds or nil
  end
  local year, month, day, rest = tostring(value):match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local seconds = read_time(rest)
  if not seconds or month < 1 or month > 12 or day < 1 or day > days_in(year, month) then return nil end
  return days_of(year, month, day) * 86400 + seconds
end

return formats
