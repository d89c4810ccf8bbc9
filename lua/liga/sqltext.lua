--- Reads the text of CREATE TABLE as SQLite keeps it: cuts it into definitions, so that one of them can be read,
-- replaced or taken out while all others stay as their author wrote them.
local sqltext = {}

-- Tokens -------------------------------------------------------------------------------------------------------------

--- What a token begins with, and how it ends. A quote inside quotes is doubled.
local quotes = { ['"'] = '"', ["`"] = "`", ["["] = "]", ["'"] = "'" }

--- The place behind a comment or blank that begins here, or nil.
local function skip(sql, at)
  local _, last = sql:find("^%s+", at)
  if not last then _, last = sql:find("^%-%-[^\n]*", at) end
  if not last and sql:find("^/%*", at) then _, last = sql:find("*/", at + 2, true) last = last or #sql end
  return last and last + 1
end

local function quoted_end(sql, at, close)
  local from = at + 1
  while true do
    local found = sql:find(close, from, true)
    if not found then return #sql end
    if close == "]" or sql:sub(found + 1, found + 1) ~= close then return found end
    from = found + 2
  end
end

--- One token at a place.
local function token_at(sql, at)
  local char = sql:sub(at, at)
  local close = quotes[char]
  if close then
    local last = quoted_end(sql, at, close)
    local inner = sql:sub(at + 1, last - 1):gsub(close == "]" and "%]%]" or close .. close, close)
    return { kind = char == "'" and "string" or "name", value = inner, from = at, to = last }
  end
  local _, last = sql:find("^[%w_$\x80-\xff]+", at)
  if last and not char:find "%d" then
    return { kind = "word", value = sql:sub(at, last), word = sql:sub(at, last):upper(), from = at, to = last }
  end
  return { kind = last and "number" or "symbol", value = sql:sub(at, last or at), from = at, to = last or at }
end

--- The tokens of a text, without blanks and comments: {kind = "word"|"name"|"string"|"number"|"symbol", value, word
-- (in capitals), from, to}.
function sqltext.tokens(sql)
  local list, at = {}, 1
  while at <= #sql do
    local behind = skip(sql, at)
    if behind then
      at = behind
    else
      local token = token_at(sql, at)
      list[#list + 1], at = token, token.to + 1
    end
  end
  return list
end

--- Whether an expression speaks of a name, as a column is called there.
function sqltext.mentions(sql, name)
  for _, token in ipairs(sqltext.tokens(sql)) do
    local named = token.kind == "word" or token.kind == "name"
    if named and token.value:lower() == name:lower() then return true end
  end
  return false
end

-- Definitions --------------------------------------------------------------------------------------------------------

local function is_symbol(token, char)
  return token ~= nil and token.kind == "symbol" and token.value == char
end

--- The place of the parenthesis that closes the one at `open`.
local function closing(tokens, open)
  local depth = 0
  for i = open, #tokens do
    if is_symbol(tokens[i], "(") then depth = depth + 1 end
    if is_symbol(tokens[i], ")") then depth = depth - 1 end
    if depth == 0 then return i end
  end
end

--- Cuts tokens from `first` to `last` at the commas outside parentheses.
local function split(tokens, first, last)
  local parts, part, depth = {}, {}, 0
  for i = first, last do
    local token = tokens[i]
    if is_symbol(token, "(") then depth = depth + 1 elseif is_symbol(token, ")") then depth = depth - 1 end
    if depth == 0 and is_symbol(token, ",") then
      parts[#parts + 1], part = part, {}
    else
      part[#part + 1] = token
    end
  end
  if #part > 0 then parts[#parts + 1] = part end
  return parts
end

local function text_of(sql, tokens, first, last)
  first, last = first or 1, last or #tokens
  if first > last then return "" end
  return sql:sub(tokens[first].from, tokens[last].to)
end

--- Words that begin a clause of a column, and the clause's kind.
local clause_of = {
  CONSTRAINT = "constraint", PRIMARY = "primary key", NOT = "not null", NULL = "null", UNIQUE = "unique",
  CHECK = "check", DEFAULT = "default", COLLATE = "collate", REFERENCES = "references", GENERATED = "generated",
  AS = "generated",
}

--- Words behind which such a word goes on with the same clause: NOT NULL, SET DEFAULT, DEFAULT NULL, ALWAYS AS.
local goes_on = { NOT = true, SET = true, DEFAULT = true, ALWAYS = true }

local function begins_clause(tokens, i)
  local word = tokens[i].word
  if not clause_of[word] then return nil end
  local before = i > 1 and tokens[i - 1].word
  if before and goes_on[before] and word ~= "NOT" then return nil end
  local after = tokens[i + 1]
  if word == "NOT" and after and after.word == "DEFERRABLE" then return nil end
  return clause_of[word]
end

--- The clauses of a column behind its type: {kind, text, name, tokens}.
local function read_clauses(sql, tokens, first)
  local clauses, depth, name, name_from = {}, 0, nil, nil
  local i = first
  while i <= #tokens do
    if is_symbol(tokens[i], "(") then depth = depth + 1 elseif is_symbol(tokens[i], ")") then depth = depth - 1 end
    local kind = depth == 0 and begins_clause(tokens, i)
    if kind == "constraint" then
      name, name_from, i = tokens[i + 1] and tokens[i + 1].value, i, i + 1
    elseif kind then
      clauses[#clauses + 1] = { kind = kind, name = name, from = name_from or i, at = i }
      name, name_from = nil, nil
    end
    i = i + 1
  end
  for n, clause in ipairs(clauses) do
    local last = clauses[n + 1] and clauses[n + 1].from - 1 or #tokens
    clause.text = text_of(sql, tokens, clause.from, last)
    clause.body = text_of(sql, tokens, clause.at, last)
    clause.tokens = table.move(tokens, clause.at, last, 1, {})
  end
  return clauses
end

local function first_clause(tokens)
  for i = 2, #tokens do
    if begins_clause(tokens, i) then return i end
    if is_symbol(tokens[i], "(") and tokens[i - 1] == tokens[1] then return i end
  end
  return #tokens + 1
end

local function read_column(sql, tokens)
  local behind = first_clause(tokens)
  return {
    kind = "column", name = tokens[1].value, text = text_of(sql, tokens),
    type = text_of(sql, tokens, 2, behind - 1), quoted = text_of(sql, tokens, 1, 1),
    clauses = read_clauses(sql, tokens, behind),
  }
end

local constraint_kinds = { PRIMARY = "primary key", UNIQUE = "unique", CHECK = "check", FOREIGN = "foreign key" }

--- The names in the parentheses at a place: `(a, "b" DESC)` → a, b.
local function read_names(tokens, open)
  local names, last = {}, closing(tokens, open)
  for _, part in ipairs(split(tokens, open + 1, (last or open) - 1)) do
    names[#names + 1] = part[1] and part[1].value
  end
  return names
end

local function next_open(tokens, from)
  for i = from, #tokens do
    if is_symbol(tokens[i], "(") then return i end
  end
end

--- `DEFERRABLE INITIALLY DEFERRED` among the tokens of a reference: "deferred", "immediate" or nil.
function sqltext.deferrable(tokens)
  local found
  for i, token in ipairs(tokens) do
    if token.word == "DEFERRABLE" then found = not (i > 1 and tokens[i - 1].word == "NOT") and "immediate" or nil end
    if token.word == "INITIALLY" and found and tokens[i + 1] then found = tokens[i + 1].word:lower() end
  end
  return found
end

local function read_constraint(sql, tokens)
  local at = tokens[1].word == "CONSTRAINT" and 3 or 1
  local kind = tokens[at] and constraint_kinds[tokens[at].word]
  local open = next_open(tokens, at)
  return {
    kind = kind, name = at == 3 and tokens[2].value or nil, text = text_of(sql, tokens),
    columns = open and kind ~= "check" and read_names(tokens, open) or nil,
    body = text_of(sql, tokens, at), tokens = tokens,
  }
end

local function read_definition(sql, tokens)
  local first = tokens[1]
  if first.kind == "word" and (first.word == "CONSTRAINT" or constraint_kinds[first.word]) then
    return read_constraint(sql, tokens)
  end
  return read_column(sql, tokens)
end

--- Cuts CREATE TABLE into definitions.
-- @param sql the text as sqlite_schema has it
-- @return {definitions = list of {kind = "column"|"primary key"|"unique"|"check"|"foreign key", name, text, …}, tail =
-- what stands behind the last parenthesis}; nil where it has none (a virtual table)
function sqltext.create_table(sql)
  local tokens = sqltext.tokens(sql)
  local open = next_open(tokens, 1)
  local close = open and closing(tokens, open)
  if not close or tokens[2] and tokens[2].word == "VIRTUAL" then return nil end
  local definitions = {}
  for _, part in ipairs(split(tokens, open + 1, close - 1)) do
    definitions[#definitions + 1] = read_definition(sql, part)
  end
  return { definitions = definitions, tail = sql:sub(tokens[close].to + 1) }
end

--- The clause of a column of this kind, or nil.
function sqltext.clause(definition, kind)
  for _, clause in ipairs(definition.clauses) do
    if clause.kind == kind then return clause end
  end
end

-- Writing ------------------------------------------------------------------------------------------------------------

--- An identifier in quotes, the same on every engine.
function sqltext.quote(name)
  return '"' .. name:gsub('"', '""') .. '"'
end

--- Identifiers in quotes, separated by commas.
function sqltext.quote_all(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = sqltext.quote(name) end
  return table.concat(list, ", ")
end

--- A text as an SQL literal.
function sqltext.literal(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

--- A table with its schema, in quotes.
function sqltext.table_name(schema, name)
  return (schema and sqltext.quote(schema) .. "." or "") .. sqltext.quote(name)
end

--- What a table is called that is about to take the place of another.
function sqltext.temporary_name(name)
  return "liga_new_" .. name
end

return sqltext
