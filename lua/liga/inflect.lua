--- English word forms and name styles: from model to table, from alias to method, from attribute to column.
--
-- The unit of work is the last word of a name (`OrderItem`, `order_item`, `driving-person`), in lower case. Three steps
-- decide its form: uncountable words, irregular words, endings. *A word is plural if its singular is another word*:
-- that one definition, in `singular_of`, is what makes `pluralize` harmless on plurals.
--
-- All tables belong to the Lua state; `irregular` and `uncountable` add to them.
local errors = require "liga.errors"

local inflect = {}

--- The words of a text as keys of a set.
local function set(text)
  local words = {}
  for word in text:gmatch "%S+" do words[word] = true end
  return words
end

-- Vocabulary --------------------------------------------------------------------------------------------------------

local uncountable = set [[
  equipment information news series species sheep deer moose bison salmon trout aircraft spacecraft livestock wildlife
  cattle offspring accommodation advertising advice aggression aid air alcohol anger assistance baggage blood bread
  butter carbon cash chaos education electricity engineering evidence evolution fiction food fuel furniture garbage
  gold gossip hardware software health help homework housework hospitality hydrogen inflation jewelry knowledge leisure
  lightning linguistics literature logic luck luggage machinery management mankind metadata meta milk money music
  nature nitrogen nutrition oxygen patience physics poetry police pollution poverty psychology publicity relaxation
  research rice rubbish safety scenery seafood shopping sleep smoke snow soil spaghetti stuff sunshine tennis thunder
  timber traffic transportation trust underwear unemployment violence warmth wealth weather welfare wheat wisdom yoga
  zinc athletics economics ethics genetics gymnastics mathematics politics crossroads headquarters chess chassis debris
  measles mumps corps kudos sms gps dns css rss aws ios tls https saas fish]]

--- Singular and plural of words that follow no rule.
local plural_irregular, singular_irregular = {}, {}

--- Words that are irregular at the end of a longer lower-case word too: grandchildren, salespeople, bookshelves.
-- By form and last letter: lists of {singular, plural}.
local compounds = { singular = {}, plural = {} }

local function learn(singular, plural)
  plural_irregular[singular], singular_irregular[plural] = plural, singular
end

for singular, plural in ([[
  man men  woman women  foot feet  tooth teeth  goose geese  ox oxen  louse lice  genus genera  corpus corpora
  datum data  medium media  bacterium bacteria  stratum strata  erratum errata  addendum addenda  ovum ova
  stadium stadia  podium podia  gymnasium gymnasia  aquarium aquaria  symposium symposia  consortium consortia
  criterion criteria  phenomenon phenomena
  alga algae  larva larvae  cactus cacti  fungus fungi  alumnus alumni  nucleus nuclei  radius radii
  stimulus stimuli  locus loci
  leaf leaves  loaf loaves  sheaf sheaves  thief thieves  elf elves  hoof hooves  scarf scarves  calf calves
  life lives  afterlife afterlives  yes yeses  testis testes  basis bases  axis axes  topaz topazes
  fireman firemen  policeman policemen  chairman chairmen  gentleman gentlemen  foreman foremen  freshman freshmen
  layman laymen  workman workmen  postman postmen  mailman mailmen  fisherman fishermen  clergyman clergymen
  salesman salesmen  craftsman craftsmen  sportsman sportsmen  spokesman spokesmen  businessman businessmen
  fez fezzes  whiz whizzes]]):gmatch "(%S+)%s+(%S+)" do
  learn(singular, plural)
end

for singular, plural in ([[
  person people  child children  woman women  mouse mice  quiz quizzes  index indices  vertex vertices
  matrix matrices  appendix appendices  vortex vortices  codex codices  shelf shelves  self selves  wolf wolves
  half halves  knife knives  wife wives  alias aliases  canvas canvases  cache caches  movie movies
  shoe shoes]]):gmatch "(%S+)%s+(%S+)" do
  learn(singular, plural)
  local pair = { singular = singular, plural = plural }
  for form, word in pairs(pair) do
    local last = word:byte(-1)
    compounds[form][last] = compounds[form][last] or {}
    table.insert(compounds[form][last], pair)
  end
end

--- Words in -s (not in -ss, -us or -sis, which always are) that are singular and take -es: lens, lenses.
local singular_in_s = set [[
  bias gas atlas pancreas whereas christmas texas pyjamas lens summons iris pelvis trellis ibis cannabis praxis
  metropolis necropolis acropolis epidermis marquis dais portcullis rhinoceros cosmos ethos biceps triceps forceps]]

--- Words in -o that take -es.
local plural_in_oes = set [[
  hero superhero antihero echo veto torpedo embargo buffalo tomato potato mosquito volcano tornado mango domino]]

--- Words whose final e belongs to the singular where the ending would make one cut it off: toes, cookies, uses.
local singular_in_e = set [[
  ache headache toothache niche avalanche cliche creche quiche moustache psyche brioche pastiche tranche
  toe tiptoe mistletoe canoe hoe foe woe oboe floe aloe roe doe
  cookie zombie brownie calorie selfie rookie genie hoodie prairie birdie bookie foodie goalie hippie indie junkie
  magpie necktie newbie pixie smoothie sortie sweetie veggie auntie cutie collie freebie groupie menagerie nightie
  oldie reverie roadie pinkie talkie walkie
  use reuse misuse fuse muse abuse excuse ruse recluse finesse posse]]

--- Words in -ch that are pronounced k, hence take -s.
local plural_in_chs = set "stomach epoch monarch patriarch matriarch eunuch loch tech czech"

--- Words in -u and -i, whose plurals look like the singulars status and analysis.
local singular_in_u = set "menu submenu guru emu gnu haiku tutu zebu cpu gpu npu sku pdu ecu imu tofu sudoku"
local singular_in_i = set "taxi maxi pepsi"

--- Stems of words in -sis, whose plural in -ses would otherwise read as one of words in -se (cases, phrases).
local sis_stems = {
  "analy", "cataly", "dialy", "paraly", "diagno", "progno", "the", "synop", "cri", "oa", "empha", "ellip", "neuro",
  "psycho", "metamorpho", "neme", "gene", "cathar", "hypno", "symbio", "sep", "sta", "mito", "osmo", "sclero",
}

-- Endings -----------------------------------------------------------------------------------------------------------

local function ends(word, suffix)
  return #word > #suffix and word:sub(-#suffix) == suffix
end

--- The word without its last n letters and with `tail` instead.
local function swap(word, n, tail)
  return word:sub(1, #word - n) .. (tail or "")
end

local function plural_of_sis(word)
  for _, stem in ipairs(sis_stems) do
    if word == stem .. "ses" or ends(word, stem .. "ses") then return true end
  end
  return false
end

--- Whether a word in -s is a singular: status, address, analysis, lens.
local function is_singular_in_s(word)
  if #word == 2 then return false end                         -- the plural of a letter
  if word:find "ss$" or singular_in_s[word] then return true end
  if word:find "us$" then return not (singular_in_u[swap(word, 1)] or word:find "eaus$") end
  return word:find "[sx]is$" ~= nil and not singular_in_i[swap(word, 1)]
end

--- Plurals in -es, tried in this order: { ending, function(word) → singular or nil }.
local singular_endings = {
  { "ies", function(word) return #word == 4 and swap(word, 1) or swap(word, 3, "y") end },
  { "oes", function(word) return swap(word, 2) end },
  { "zzes", function(word) return swap(word, 2) end },
  { "tzes", function(word) return swap(word, 2) end },
  { "xes", function(word) return swap(word, 2) end },
  { "ches", function(word) return swap(word, 2) end },
  { "shes", function(word) return swap(word, 2) end },
  { "sses", function(word) return swap(word, 2) end },
  { "ouses", function(word) return swap(word, 1) end },       -- houses, but statuses
  { "auses", function(word) return swap(word, 1) end },
  { "uses", function(word) return swap(word, 2) end },
  { "ses", function(word) return plural_of_sis(word) and swap(word, 2, "is") or nil end },
}

local function singular_by_ending(word)
  local without_s, without_es = swap(word, 1), swap(word, 2)
  if singular_in_e[without_s] then return without_s end
  if ends(word, "es") and singular_in_s[without_es] then return without_es end
  for _, rule in ipairs(singular_endings) do
    local singular = ends(word, rule[1]) and rule[2](word)
    if singular then return singular end
  end
  return without_s
end

local function compound(word, from, to)
  for _, pair in ipairs(compounds[from][word:byte(-1)] or {}) do
    if ends(word, pair[from]) then return swap(word, #pair[from], pair[to]) end
  end
end

--- The singular of a lower-case word; the word itself if it is one.
local function singular_of(word)
  if singular_irregular[word] then return singular_irregular[word] end
  if uncountable[word] or plural_irregular[word] then return word end
  if compound(word, "singular", "plural") then return word end
  local singular = compound(word, "plural", "singular")
  if singular then return singular end
  if #word < 2 or not word:find "s$" or is_singular_in_s(word) then return word end
  return singular_by_ending(word)
end

local function takes_es(word)
  if word:find "ch$" then return not plural_in_chs[word] end
  return word:find "[sxz]$" or word:find "sh$" or plural_in_oes[word]
end

--- The plural of a lower-case singular.
local function plural_of(word)
  local plural = plural_irregular[word] or compound(word, "singular", "plural")
  if plural then return plural end
  if #word == 1 then return word .. "s" end
  if word:find "[^aeiou]y$" or word:find "quy$" then return swap(word, 1, "ies") end
  if word:find "sis$" then return swap(word, 2, "es") end
  return word .. (takes_es(word) and "es" or "s")
end

local function pluralized(word)
  if uncountable[word] or singular_of(word) ~= word then return word end
  return plural_of(word)
end

-- Names -------------------------------------------------------------------------------------------------------------

--- Cuts a name before its last word: `OrderItem` → `Order`, `Item`; `userIDs` → `user`, `IDs`; `XMLPerson` → `XML`,
-- `Person`.
local function split(name)
  local start = name:find "[^%s_%-%.]+$"
  if not start then return name, "" end
  local capital = name:find("%u+%l*%d*$", start)
  if capital and name:find("^%u%u+%l%l", capital) then
    capital = name:find("%u%l+%d*$", capital)                 -- capitals before a word are another word
  end
  start = capital or start
  return name:sub(1, start - 1), name:sub(start)
end

--- Gives an inflected word the capitals of the original: what both share is the original's, the rest follows its style.
local function with_case_of(word, inflected, shout)
  local shared = 0
  while shared < #inflected and word:sub(shared + 1, shared + 1):lower() == inflected:sub(shared + 1, shared + 1) do
    shared = shared + 1
  end
  local rest = inflected:sub(shared + 1)
  if shout then rest = rest:upper() end
  if shared == 0 and word:find "^%u" then rest = inflect.upper_first(rest) end
  return word:sub(1, shared) .. rest
end

--- Whether a name is written in capitals throughout. Acronyms (up to three letters) keep a small s: `APIs`.
local function is_shouted(name)
  return not name:find "%l" and select(2, name:gsub("%u", "")) > 3
end

local function check_word(what, word)
  if type(word) ~= "string" or word == "" then
    errors.raise("UsageError", ("%s needs a word, got %s"):format(what, type(word) == "string" and '""' or type(word)))
  end
end

local function check_text(what, text)
  if type(text) ~= "string" then errors.usage("inflect.%s needs a text, got %s", what, type(text)) end
end

--- Applies `form` (lower-case word → word) to the last word of a name; a whole name that was taught goes first.
local function inflected(name, form)
  local lowered = name:lower()
  local head, word = "", name
  if not (uncountable[lowered] or plural_irregular[lowered] or singular_irregular[lowered]) then
    head, word = split(name)
  end
  if word == "" then return name end
  return head .. with_case_of(word, form(word:lower()), is_shouted(name))
end

--- The plural of a name: `Person` → `People`, `OrderItem` → `OrderItems`. A plural is returned as it is.
function inflect.pluralize(name)
  check_word("pluralize", name)
  return inflected(name, pluralized)
end

--- The singular of a name: `People` → `Person`, `order_items` → `order_item`. A singular is returned as it is.
function inflect.singularize(name)
  check_word("singularize", name)
  return inflected(name, singular_of)
end

--- Teaches a pair of words, which wins over everything known before: `irregular("cow", "kine")`.
function inflect.irregular(singular, plural)
  check_word("inflect.irregular", singular)
  check_word("inflect.irregular", plural)
  singular, plural = singular:lower(), plural:lower()
  uncountable[singular], uncountable[plural] = nil, nil
  singular_irregular[singular], plural_irregular[plural] = nil, nil
  learn(singular, plural)
end

--- Teaches a word that has one form only.
function inflect.uncountable(word)
  check_word("inflect.uncountable", word)
  word = word:lower()
  plural_irregular[word], singular_irregular[word] = nil, nil
  uncountable[word] = true
end

--- The text with a capital first letter: `posts` → `Posts`.
function inflect.upper_first(text)
  check_text("upper_first", text)
  return text:sub(1, 1):upper() .. text:sub(2)
end

--- The text with a small first letter: `UserProject` → `userProject`.
function inflect.lower_first(text)
  check_text("lower_first", text)
  return text:sub(1, 1):lower() .. text:sub(2)
end

--- camelCase: the first letter small; `-`, `_` and blanks dropped, the letter after them capital.
function inflect.camelize(text)
  check_text("camelize", text)
  return inflect.lower_first((text:gsub("[%-_%s]+(.?)", string.upper)))
end

--- snake_case: `userId` → `user_id`, `HTTPServer` → `http_server`, `userIDs` → `user_ids`, `line2Text` → `line2_text`.
function inflect.underscore(text)
  check_text("underscore", text)
  local words = text
    :gsub("(%u)(%u+)s%f[%L]", function(first, more) return first .. more:lower() .. "s" end)
    :gsub("(%u)(%u%l)", "%1_%2")
    :gsub("([%l%d])(%u)", "%1_%2")
    :gsub("[%-%s]+", "_")
  return words:lower()
end

return inflect
