--- The programs of examples/: Chinook's ten answers against SQL run by another program, and the quickstart's output.
--
-- LIGA_CHINOOK names the Chinook SQLite file; without it the file is looked for beside the checkout.
local support = require "spec.support"
local liga = require "liga"
local chinook = dofile "examples/chinook.lua"

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read "a"
  file:close()
  return content
end

local function write_file(path, content)
  local file = assert(io.open(path, "wb"))
  assert(file:write(content))
  assert(file:close())
end

local function quoted(text) return "'" .. text:gsub("'", [['\'']]) .. "'" end

--- Runs a shell command.
-- @return its output (both streams), its exit status
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \"status $?\"", "r"))
  local output, status = pipe:read("a"):match "^(.*)status (%d+)\n$"
  pipe:close()
  return output, tonumber(status)
end

--- The interpreter that runs this spec, as its command line has it.
local function interpreter()
  local lowest = 0
  while arg and arg[lowest - 1] do lowest = lowest - 1 end
  return lowest < 0 and arg[lowest] or "lua5.4"
end

--- Runs a program of examples/ in a process of its own, with the modules this spec uses.
local function run_example(name, ...)
  local words = { "LUA_PATH=" .. quoted(package.path), "LUA_CPATH=" .. quoted(package.cpath), interpreter(),
    "examples/" .. name }
  for _, argument in ipairs { ... } do words[#words + 1] = quoted(argument) end
  return run(table.concat(words, " "))
end

local function has_sqlite3()
  return select(2, run "command -v sqlite3") == 0
end

--- Cuts the text both programs print into { ["1. Title"] = { line, ... } }.
local function answers_in(text)
  local answers, current = {}, nil
  for line in text:gmatch "[^\n]+" do
    if line:find "^%d" then
      current = {}
      answers[line] = current
    else
      current[#current + 1] = line:gsub("^   ", "")
    end
  end
  return answers
end

describe("examples/chinook.lua", function()
  local original = read_file(os.getenv "LIGA_CHINOOK" or "../shared/data/chinook.sqlite")
  local path, db, models, sql_output

  --- Marks the test as pending where the file or the sqlite3 program is missing.
  local function needs_file(needs_sqlite3)
    if not original then pending "no Chinook file (set LIGA_CHINOOK to its path)" end
    if needs_sqlite3 and not sql_output then pending "no sqlite3 command" end
  end

  setup(function()
    if not original then return end
    path = os.tmpname()
    write_file(path, original)
    if has_sqlite3() then
      sql_output = run(("sqlite3 -batch -list -noheader %s < examples/chinook.sql"):format(quoted(path)))
    end
    db = liga.connect("sqlite:" .. path, { readOnly = true })
    models = chinook.define(db)
  end)

  teardown(function()
    if db then db:close() end
    if path then os.remove(path) end
  end)

  for number, question in ipairs(chinook.questions) do
    local title = ("%d. %s"):format(number, question.title)
    it("answers as SQL does: " .. title, function()
      needs_file(true)
      local expected = assert(answers_in(sql_output)[title], "examples/chinook.sql lacks the question")
      assert.is_true(#expected > 0)
      assert.same(expected, question.answer(models))
    end)
  end

  it("prints what the sqlite3 command prints, and leaves the file as it was", function()
    needs_file(true)
    local output, status = run_example("chinook.lua", path)
    assert.equal(0, status, output)
    assert.equal(sql_output, output)
    assert.is_true(original == read_file(path), "the file was changed")
  end)

  it("defines eleven models that agree with each other", function()
    needs_file()
    local names = {}
    for name in pairs(models) do names[#names + 1] = name end
    assert.equal(11, #names)
    db:validate()
    assert.equal("AlbumId", models.Track.attributes.albumId.columnName)
    assert.equal("BillingPostalCode", models.Invoice.attributes.billingPostalCode.columnName)
  end)

  it("reads every column of every table", function()
    needs_file()
    for _, model in pairs(models) do
      local row = assert(model:findOne(), model.name .. " is empty")
      assert.is_true(row:equals(model:findByPk(#model.primaryKey == 1 and row[model.primaryKey[1]] or row:where())))
    end
  end)

  it("walks each association in both directions", function()
    needs_file()
    local track = models.Track:findByPk(1)
    assert.equal("For Those About To Rock We Salute You", track:getAlbum().title)
    assert.is_true(track:getAlbum():hasTrack(track))
    assert.is_true(track:getGenre():hasTrack(track))
    assert.is_true(track:getMediaType():hasTrack(1))
    assert.is_true(track:getAlbum():getArtist():hasAlbum(track.albumId))
    assert.is_true(track:getPlaylists()[1]:hasTrack(track))
    local line = track:getInvoiceLines()[1]
    assert.is_true(line:getTrack():equals(track))
    assert.is_true(line:getInvoice():hasInvoiceLine(line))
    local customer = line:getInvoice():getCustomer()
    assert.is_true(customer:hasInvoice(line.invoiceId))
    assert.is_true(customer:getSupportRep():hasCustomer(customer))
    assert.is_true(customer:getSupportRep():getManager():hasReport(customer.supportRepId))
  end)

  it("finds junction rows by their key of two parts", function()
    needs_file()
    local PlaylistTrack = models.PlaylistTrack
    local track = models.Playlist:findByPk(16):getTracks { order = { "trackId" }, limit = 1 }[1]
    local junction = PlaylistTrack:findByPk { 16, track.trackId }
    assert.is_true(junction:equals(PlaylistTrack:findByPk { trackId = track.trackId, playlistId = 16 }))
    assert.is_true(junction:equals(track.PlaylistTrack))
    assert.is_nil(PlaylistTrack:findByPk { track.trackId, 16 })
    assert.equal(2, #PlaylistTrack:findByPks { { 16, track.trackId }, { 99, 99 }, { 1, track.trackId } })
  end)

  it("reads money as text and dates as UTC", function()
    needs_file()
    local invoice = models.Invoice:findByPk(1)
    assert.equal("1.98", invoice.total)
    assert.equal("2021-01-01T00:00:00.000Z", invoice.invoiceDate)
    local first_day = { invoiceDate = { [liga.Op.lt] = "2021-01-02T00:00:00.000Z" } }
    assert.equal(1, models.Invoice:count { where = first_day })
  end)

  it("says how it is used when no file is given", function()
    local output, status = run_example "chinook.lua"
    assert.equal(2, status)
    assert.match("usage:", output)
  end)
end)

for engine in support.engines() do
  describe("examples/quickstart.lua on " .. engine.name, function()
    it("tells the whole story", function()
      engine:open():close()                                  -- leaves an empty database
      local output, status = run_example("quickstart.lua", engine.url)
      assert.equal(0, status, output)
      for _, text in ipairs {
        "User.posts: hasMany Post (authorId)", "CREATE TABLE", "INSERT INTO", "has 2 tags, the tag lua is on 2 posts",
        'the author of "Hello, world" is ann', "tagged lua: A reply", "bob commented: Welcome!",
        "between 18 and 35: bob", "3 posts, 7 views in all, 7 at most", "ann wrote 2",
        'changed: title, views; the title was "Thoughts on keys"', "changed now: nil", "views: 4", "ROLLBACK",
        "inside there are 4 posts", "afterwards there are 3, as before (3)", "ValidationError", "UniqueConstraintError",
        "UsageError", "username", 'tags of "Hello, world": sql', "2 tags left", "2 posts remain",
      } do
        assert(output:find(text, 1, true), ("%q is missing in:\n%s"):format(text, output))
      end
    end)

    it("refuses a database that holds data", function()
      if engine.kind == "memory" then return end             -- it can't hold any
      engine:open():close()
      run_example("quickstart.lua", engine.url)
      local output, status = run_example("quickstart.lua", engine.url)
      assert.equal(1, status, output)
      assert.match("wants an empty database", output)
      engine:open():close()
    end)
  end)
end
