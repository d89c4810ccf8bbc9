--- Every type of column with a few of its values, for the specs that look at all types in the same way.
--
-- A list of {type, values, wrong, …}:
--
--     values     ascending; each {given =, read =, others =}: what is written, what is read of it then, other ways to
--                write it. Two at least, all different.
--     wrong      what is no value of the type, texts with "secret" in them
--     unordered  values are equal or different, but not greater or less
--     document   what JSON is: conditions on it are those of its paths
--     is_table   values are tables in Lua: no association can reference them
--     number     can be summed
--     server     PostgreSQL alone has it
--     epoch      of a connection with dates = "epoch"
local liga = require "liga"
local null, huge = liga.null, math.huge

local kinds = {}

--- A value that is read as it was written, or as `read`; others are further ways to write it.
local function value(given, read, ...)
  if read == nil then read = given end
  return { given = given, read = read, others = { ... } }
end

--- Values that are read as they were written.
local function plain(...)
  local list = {}
  for i, given in ipairs { ... } do list[i] = value(given) end
  return list
end

local function add(type, values, wrong, fields)
  local kind = fields or {}
  kind.type, kind.values, kind.wrong = type, values, wrong
  kinds[#kinds + 1] = kind
end

local function numeric() return { number = true } end

add(liga.SMALLINT, { value(-32768), value("-1", -1), value(0, 0, "-0", 0.0), value("+32767", 32767) },
  { "secret", 32768, 1.5, true, { 1 } }, numeric())
add(liga.INTEGER, { value(-2147483648), value(10, 10, "10", 10.0), value(2147483647) },
  { "secret", 2147483648, "1.0", true }, numeric())
add(liga.BIGINT, { value(math.mininteger), value("-9007199254740993", -9007199254740993), value(math.maxinteger) },
  { "secret", 2.0 ^ 63, "9223372036854775808", huge }, numeric())
add(liga.FLOAT, { value(-huge), value(-1.5), value(3, 3.0), value(1e300), value(huge) }, { "secret", "1.5", true },
  numeric())
add(liga.DOUBLE, plain(-1e308, -0.1, 5e-324, 1 / 3, 1e308), { "secret", true, {} }, numeric())
add(liga.REAL, { value(-0.1), value(0.2), value(3, 3.0), value(1e30) }, { "secret", true }, numeric())
for _, digits in ipairs { 8, 30 } do
  add(liga.DECIMAL(digits, 2), { value("-999.99"), value(-1.5, "-1.50", "-001.5"), value(9, "9.00", "9"),
    value("10.1", "10.10"), value("999.99") }, { "secret", true, ("9"):rep(30) }, numeric())
end
add(liga.DECIMAL, { value("-12345678901234567890.5"), value("0.10", "0.1", 0.1), value(9, "9", "9.00"), value("10") },
  { "secret", true, huge }, numeric())
add(liga.BOOLEAN, plain(false, true), { "secret", 1, "true" })
add(liga.STRING, { value(""), value(42, "42"), value("a"), value("b'\"\\$1"), value("é日😀") },
  { "secret\0", true, {} })
add(liga.STRING(9), plain("", "ab", "äöüßäöüßä"), { "secret ten", true })
add(liga.TEXT, { value(1.5, "1.5"), value("a\n%_"), value("é") }, { "secret\xff", true })
add(liga.CHAR(5), { value("", "", "  "), value("a ", "a", "a"), value("ééééé") }, { "secret", true })
add(liga.UUID, { value("00000000-0000-0000-0000-000000000000"), value("8C5D4F0E-7A9B-4D36-9A51-0F6C2F1F8A77",
  "8c5d4f0e-7a9b-4d36-9a51-0f6c2f1f8a77"), value("ffffffff-ffff-ffff-ffff-ffffffffffff") }, { "secret", 5 })
add(liga.ENUM { "small", "it's", "LARGE" }, plain("small", "it's", "LARGE"), { "secret", "large", 5 })

local function instants(shown)
  return {
    value("0001-01-01T00:00:00.000Z", shown and -62135596800.0 or nil),
    value(-1, shown and -1.0 or "1969-12-31T23:59:59.000Z"),
    value("2026-11-22T10:30:00+01:00", shown and 1795339800.0 or "2026-11-22T09:30:00.000Z", 1795339800,
      "2026-11-22T09:30Z"),
    value("9999-12-31T23:59:59.999Z", shown and 253402300799.999 or nil),
  }
end
for _, form in ipairs { "text", "space", "epoch", "mixed" } do
  add(liga.DATE { stored = form }, instants(false), { "secret", true, 1e18, "2026-02-30T00:00:00Z" })
end
for _, form in ipairs { "text", "epoch" } do
  add(liga.DATE { stored = form }, instants(true), { "secret", true, 1e18 }, { epoch = true })
end
add(liga.DATEONLY, { value("0001-01-01"), value({ year = 2024, month = 2, day = 29 }, "2024-02-29"),
  value("9999-12-31") }, { "secret", "2023-02-29", true })
add(liga.TIME, { value("00:00:00"), value({ hour = 9, min = 30 }, "09:30:00", "09:30"), value("23:59:59.5") },
  { "secret", "25:00:00", 5 })
add(liga.BLOB, plain("", "\0", "a'b", "\xff"), { true, 5 })
for _, name in ipairs { "JSON", "JSONB" } do
  add(liga[name], plain({ a = { 1, 2.5, null } }, { 1, 2 }, "text", 42, 1.5, true, math.maxinteger, liga.array {}),
    { print, { 0 / 0 } }, { document = true, unordered = true, is_table = true })
end

local function on_server(type, values, wrong, fields)
  fields = fields or {}
  fields.server = true
  add(type, values, wrong, fields)
end
local function table_kind(more)
  local fields = { is_table = true }
  for name, set in pairs(more or {}) do fields[name] = set end
  return fields
end

on_server(liga.CITEXT, plain("", "Ab", "b"), { "secret\0", true })
on_server(liga.INET, { value("10.0.0.1/8"), value("10.0.0.1/32", "10.0.0.1"),
  value("2001:DB8::1/64", "2001:db8::1/64") }, { "secret", 5 })
on_server(liga.CIDR, { value("10.0.0.0/8"), value("11.0.0.0", "11.0.0.0/32"), value("2001:db8::/32") },
  { "secret", "10.0.0.1/8" })
on_server(liga.MACADDR, { value("00:00:00:00:00:00"), value("08-00-2B-01-02-03", "08:00:2b:01:02:03"),
  value("ff:ff:ff:ff:ff:ff") }, { "secret", 5 })
on_server(liga.RANGE(liga.INTEGER), { value("empty", { empty = true }), value({ 1, 10, bounds = "[]" },
  { lower = 1, upper = 11, bounds = "[)" }, "[1,11)"), value({ lower = 3 }, { lower = 3, bounds = "[)" }) },
  { "secret", 5, { lower = 5, upper = 1 } }, table_kind())
on_server(liga.RANGE(liga.DATEONLY), { value({ "2026-01-01", "2026-01-31", bounds = "[]" },
  { lower = "2026-01-01", upper = "2026-02-01", bounds = "[)" }),
  value({ lower = "2026-02-01" }, { lower = "2026-02-01", bounds = "[)" }) }, { "secret", { "x" } }, table_kind())
on_server(liga.RANGE(liga.DECIMAL), {
  value({ "1.50", 2, bounds = "(]" }, { lower = "1.5", upper = "2", bounds = "(]" }),
  value({ 9, 10 }, { lower = "9", upper = "10", bounds = "[)" }),
}, { "secret", { "x" } }, table_kind())
on_server(liga.HSTORE, { value({}), value({ a = 2 }, { a = "2" }), value({ a = null, ["b\"\\'"] = "=>,é" }) },
  { "secret", { a = {} } }, table_kind{ unordered = true })

local lists = {
  { liga.SMALLINT, { value({}), value({ -32768, "5" }, { -32768, 5 }), value({ 1, null }) }, { 32768 } },
  { liga.INTEGER, plain({ 1 }, { 1, 2 }, { 2 }), { "x" } },
  { liga.BIGINT, plain({ math.mininteger }, { math.maxinteger }) },
  { liga.FLOAT, { value({ -huge }), value({ 1 }, { 1.0 }), value({ huge }) } },
  { liga.DOUBLE, plain({ 0.1 }, { 1e300 }) },
  { liga.REAL, plain({ 0.1 }, { 0.5 }) },
  { liga.DECIMAL(6, 2), { value({ "9.5" }, { "9.50" }), value({ 10 }, { "10.00" }) }, { "x" } },
  { liga.BOOLEAN, plain({ false }, { true, null }), { "true" } },
  { liga.STRING, plain({ "" }, { "a,b", '"', "\\", "{}", "NULL" }, { "null", null }), { true } },
  { liga.STRING(3), plain({ "a" }, { "äöü" }), { "secret" } },
  { liga.CHAR(3), { value({ "ab " }, { "ab" }), value({ "b" }) } },
  { liga.UUID, plain({ "00000000-0000-0000-0000-000000000000" }, { "8c5d4f0e-7a9b-4d36-9a51-0f6c2f1f8a77" }), { "x" } },
  { liga.DATE, { value({ 0 }, { "1970-01-01T00:00:00.000Z" }), value({ "2026-11-22T09:30:00.999Z" }) }, { "x" } },
  { liga.DATEONLY, plain({ "0001-01-01" }, { "2026-11-22", null }), { "x" } },
  { liga.TIME, { value({ "09:30" }, { "09:30:00" }), value({ "09:30:01.5" }) }, { "x" } },
  { liga.ENUM { "x", "it's", "a b" }, plain({ "x", "it's" }, { "a b" }), { "y" } },
  { liga.CITEXT, plain({ "Ab" }, { "b" }) }, { liga.INET, plain({ "10.0.0.1" }, { "::1", null }), { "x" } },
  { liga.CIDR, plain({ "10.0.0.0/8" }, { "2001:db8::/32" }), { "x" } },
  { liga.MACADDR, { value({ "08-00-2B-01-02-03" }, { "08:00:2b:01:02:03" }), value({ "ff:ff:ff:ff:ff:ff" }) },
    { "x" } },
  { liga.RANGE(liga.INTEGER), { value({ { 1, 2 } }, { { lower = 1, upper = 2, bounds = "[)" } }),
    value({ "[3,4)", null }, { { lower = 3, upper = 4, bounds = "[)" }, null }) }, { "x" } },
  { liga.JSON, plain({ { a = 1 }, "x" }, { true, 1.5 }), nil, { unordered = true } },
  { liga.JSONB, plain({ { a = 1 }, "x", 5, null }, { true, 1.5 }), nil, { unordered = true } },
  { liga.HSTORE, plain({ { a = "1" } }, { { b = "2" }, null }), { "x" }, { unordered = true } },
  { liga.ARRAY(liga.INTEGER), plain({ { 1, 2 }, { 3, 4 } }, { { 2, null } }), { { 1 }, { 1, 2 } } },
}
for _, list in ipairs(lists) do
  on_server(liga.ARRAY(list[1]), list[2], { "secret", 5, { a = 1 }, list[3] }, table_kind(list[4]))
end

--- The kinds of an engine, by the options that they want of its connection.
-- @param dialect "sqlite" or "postgres"
-- @return a list of {options = …, kinds = list}
function kinds.of(dialect)
  local plainly, epoch = { kinds = {} }, { options = { dates = "epoch" }, kinds = {} }
  for _, kind in ipairs(kinds) do
    local list = (kind.epoch and epoch or plainly).kinds
    if not kind.server or dialect == "postgres" then list[#list + 1] = kind end
  end
  return { plainly, epoch }
end

return kinds
