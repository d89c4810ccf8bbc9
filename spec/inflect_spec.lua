local inflect = require "liga.inflect"
local support = require "spec.support"

--- Asserts "singular plural" pairs in all four directions.
local function assert_pairs(text)
  for singular, plural in text:gmatch "(%S+)%s+(%S+)" do
    assert.equal(plural, inflect.pluralize(singular), "plural of " .. singular)
    assert.equal(singular, inflect.singularize(plural), "singular of " .. plural)
    assert.equal(plural, inflect.pluralize(plural), "plural of the plural " .. plural)
    assert.equal(singular, inflect.singularize(singular), "singular of the singular " .. singular)
  end
end

describe("inflect", function()
  it("follows the regular English rules", function()
    assert_pairs [[
      user users  post posts  day days  city cities  category categories  query queries  soliloquy soliloquies
      box boxes  tax taxes  match matches  dish dishes  class classes  buzz buzzes  waltz waltzes  size sizes
      house houses  course courses  purchase purchases  cause causes  language languages  price prices
      photo photos  studio studios  zoo zoos  cave caves  drive drives  roof roofs  safe safes  giraffe giraffes]]
  end)

  it("knows singulars that end in s", function()
    assert_pairs [[
      status statuses  bus buses  address addresses  process processes  bonus bonuses  virus viruses  lens lenses
      gas gases  alias aliases  canvas canvases  analysis analyses  crisis crises  hypothesis hypotheses
      summons summonses  focus focuses]]
  end)

  it("knows plurals that only look like those singulars", function()
    assert_pairs "menu menus  cpu cpus  taxi taxis  wiki wikis  bureau bureaus  database databases  case cases"
  end)

  it("knows the words that keep their final e", function()
    assert_pairs "movie movies  cookie cookies  pie pies  shoe shoes  toe toes  cache caches  use uses  spouse spouses"
  end)

  it("knows irregular words", function()
    assert_pairs [[
      person people  child children  man men  woman women  mouse mice  foot feet  tooth teeth  goose geese  ox oxen
      hero heroes  potato potatoes  leaf leaves  knife knives  life lives  wolf wolves  shelf shelves  quiz quizzes
      index indices  vertex vertices  matrix matrices  datum data  medium media  criterion criteria  axis axes]]
  end)

  it("does not take every man for men", function()
    assert_pairs "human humans  german germans  salesman salesmen  policewoman policewomen"
  end)

  it("leaves uncountable words alone", function()
    for word in ("sheep fish series species equipment information news money music metadata"):gmatch "%S+" do
      assert.equal(word, inflect.pluralize(word))
      assert.equal(word, inflect.singularize(word))
    end
  end)

  it("inflects the last word of a longer name", function()
    assert_pairs [[
      OrderItem OrderItems  DrivingPerson DrivingPeople  order_item order_items  driving_person driving_people
      media-type media-types  grandchild grandchildren  salesperson salespeople  bookshelf bookshelves
      MouseHouse MouseHouses  XMLPerson XMLPeople  base2 base2s]]
  end)

  it("keeps the case, and small letters after acronyms", function()
    assert_pairs "Person People  PERSON PEOPLE  ASSIGNMENT ASSIGNMENTS  API APIs  userID userIDs  Sheep Sheep"
  end)

  it("treats single letters as names", function()
    assert_pairs "A As  B Bs  S Ss  X Xs  Y Ys  TaskA TaskAs"
  end)

  it("refuses what is no word", function()
    for _, value in ipairs { "", 1, {}, false } do
      local ok, e = pcall(inflect.pluralize, value)
      assert.is_false(ok)
      assert.equal("UsageError", e.name)
    end
    assert.has_error(function() inflect.irregular("cow") end)
  end)

  it("learns irregular and uncountable words", function()
    inflect.irregular("gizmo", "gizmata")
    assert_pairs "gizmo gizmata  BigGizmo BigGizmata"
    inflect.uncountable("Gizmo")
    assert.equal("gizmo", inflect.pluralize("gizmo"))
    inflect.irregular("Gizmo", "Gizmos")
    assert_pairs "gizmo gizmos"
  end)

  it("makes camelCase as the names of foreign keys need it", function()
    for text, camel in pairs {
      user_id = "userId", Group_PKBTName = "groupPKBTName", owner_uuid = "ownerUuid", ["foo-bar baz"] = "fooBarBaz",
      createdAt = "createdAt", a__b = "aB", ORDER = "oRDER",
    } do
      assert.equal(camel, inflect.camelize(text))
    end
  end)

  it("makes snake_case, one word per acronym", function()
    for text, snake in pairs {
      userId = "user_id", createdAt = "created_at", OrderItem = "order_item", HTTPServer = "http_server",
      userID = "user_id", userIDs = "user_ids", URLsByUser = "urls_by_user", PKBTName = "pkbt_name",
      line2Text = "line2_text", ["foo-bar Baz"] = "foo_bar_baz", already_snake = "already_snake", ABC = "abc",
    } do
      assert.equal(snake, inflect.underscore(text))
    end
  end)

  it("changes the first letter only", function()
    assert.equal("UserProjects", inflect.upper_first("userProjects"))
    assert.equal("userProjects", inflect.lower_first("UserProjects"))
    assert.equal("", inflect.upper_first(""))
  end)

  it("refuses what is no text", function()
    for _, name in ipairs { "upper_first", "lower_first", "camelize", "underscore", "pluralize", "singularize" } do
      for _, wrong in ipairs { 5, true, {}, print } do
        support.raises("UsageError", function() inflect[name](wrong) end, name, type(wrong))
      end
      support.raises("UsageError", function() inflect[name](nil) end, name, "nil")
    end
  end)
end)
