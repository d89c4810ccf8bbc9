--- Types of attributes: `liga.STRING(40)`, or `local t = liga.types`. Each access makes a descriptor of its own;
-- `==` compares
-- kind and parameters, `tostring` gives `STRING(40)`, `.name` gives `"STRING"`.
-- @module Type

--- Numbers.
-- @table numbers
-- @field SMALLINT integer, 16 bits
-- @field INTEGER integer, 32 bits
-- @field BIGINT integer, 64 bits
-- @field FLOAT float
-- @field DOUBLE float
-- @field REAL float
-- @field DECIMAL `(precision, scale)`: text with exactly scale digits; compares, orders and sums exactly. Without
-- parameters: any number of digits (to a thousand on a side of the point), in the shortest text, `"12.5"`

--- Texts and bytes.
-- @table texts
-- @field STRING `(n)`: UTF-8 text, of n characters at most; without n of 255
-- @field CHAR `(n)`: trailing blanks are cut when read
-- @field TEXT
-- @field UUID
-- @field ENUM `{"a", "b"}`; on PostgreSQL a type of its own, made for the column, or, with `typeName = "mood"` among
-- the values, the one of that name: it is made where it is missing, may be shared and is never dropped
-- @field BLOB bytes

--- Times.
-- @table times
-- @field DATE an instant, `"2026-11-22T09:30:00.000Z"`; on SQLite `DATE{stored = "text"|"space"|"epoch"|"mixed"}`
-- @field DATEONLY `"2026-11-22"`
-- @field TIME `"09:30:00"`

--- Others.
-- @table others
-- @field BOOLEAN
-- @field JSON value; null inside is `liga.null`
-- @field JSONB
-- @field VIRTUAL no column: `get` and `set` make it

--- PostgreSQL's own.
-- @table postgres
-- @field ARRAY `(type)`: list
-- @field RANGE `(type)`
-- @field CITEXT
-- @field INET
-- @field CIDR
-- @field MACADDR
-- @field TSVECTOR
-- @field HSTORE
