--- What differs between the engines and is asked in more than one place; what one file alone needs is a table there.
--
--   schemas      tables live in schemas
--   folds_names  capitals don't count in names of tables, columns and indexes
--   cascade      what behind DROP takes along that nobody has named
--   longest      bytes that a name may have
local dialect = {}

local rows = {
  sqlite = { schemas = false, folds_names = true, cascade = "", longest = math.huge },
  postgres = { schemas = true, folds_names = false, cascade = " CASCADE", longest = 63 },
}

--- @param db a database, or anything with a field `dialect`
-- @return its row
function dialect.of(db) return rows[db.dialect] end

--- Whether two names are one to the engine.
function dialect.same_name(db, a, b)
  return a == b or dialect.of(db).folds_names and a:lower() == b:lower()
end

return dialect
