--- Ten questions to the Chinook sample database (a music shop), answered through liga's models.
--
--     lua5.4 examples/chinook.lua chinook.sqlite
--
-- The file exists before liga sees it: its tables are named in the singular, its columns in CapitalCase, and nothing is
-- synchronised. `examples/chinook.sql` asks the same questions in SQL and prints the same text.
--
-- As a module (`dofile "examples/chinook.lua"`) it gives `define(db)` → models by name, and the list `questions`.
local liga = require "liga"
local Op = liga.Op

-- Models -------------------------------------------------------------------------------------------------------------

local function generated_key() return { type = liga.INTEGER, primaryKey = true, autoIncrement = true } end
local function required(type) return { type = type, allowNull = false } end
local function optional(type) return { type = type } end

--- The addresses of customers, employees and invoices are columns of the same kind under different names.
local function add_address(attributes, prefix)
  local parts = { { "address", 70 }, { "city", 40 }, { "state", 40 }, { "country", 40 }, { "postalCode", 10 } }
  for _, part in ipairs(parts) do
    local name, length = table.unpack(part)
    if prefix then name = prefix .. name:gsub("^%l", string.upper) end
    attributes[name] = optional(liga.STRING(length))
  end
  return attributes
end

--- Defines the eleven models on `db`. The attribute `albumId` is the column `AlbumId`, and so on for every other.
-- @return the models by name
local function define_models(db)
  local models = {}
  local function model(name, attributes)
    for attribute, options in pairs(attributes) do
      options.columnName = attribute:gsub("^%l", string.upper)
    end
    models[name] = db:define(name, attributes, { tableName = name, timestamps = false })
  end

  model("Artist", { artistId = generated_key(), name = optional(liga.STRING(120)) })
  model("Genre", { genreId = generated_key(), name = optional(liga.STRING(120)) })
  model("MediaType", { mediaTypeId = generated_key(), name = optional(liga.STRING(120)) })
  model("Playlist", { playlistId = generated_key(), name = optional(liga.STRING(120)) })
  model("Album", {
    albumId  = generated_key(),
    title    = required(liga.STRING(160)),
    artistId = required(liga.INTEGER),
  })
  model("Track", {
    trackId      = generated_key(),
    name         = required(liga.STRING(200)),
    albumId      = optional(liga.INTEGER),
    mediaTypeId  = required(liga.INTEGER),
    genreId      = optional(liga.INTEGER),
    composer     = optional(liga.STRING(220)),
    milliseconds = required(liga.INTEGER),
    bytes        = optional(liga.INTEGER),
    unitPrice    = required(liga.DECIMAL(10, 2)),
  })
  model("PlaylistTrack", {                                 -- its key has two parts, each the key of another table
    playlistId = { type = liga.INTEGER, primaryKey = true },
    trackId    = { type = liga.INTEGER, primaryKey = true },
  })
  model("Employee", add_address {
    employeeId = generated_key(),
    lastName   = required(liga.STRING(20)),
    firstName  = required(liga.STRING(20)),
    title      = optional(liga.STRING(30)),
    reportsTo  = optional(liga.INTEGER),
    birthDate  = optional(liga.DATE { stored = "space" }),
    hireDate   = optional(liga.DATE { stored = "space" }),
    phone      = optional(liga.STRING(24)),
    fax        = optional(liga.STRING(24)),
    email      = optional(liga.STRING(60)),
  })
  model("Customer", add_address {
    customerId   = generated_key(),
    firstName    = required(liga.STRING(40)),
    lastName     = required(liga.STRING(20)),
    company      = optional(liga.STRING(80)),
    phone        = optional(liga.STRING(24)),
    fax          = optional(liga.STRING(24)),
    email        = required(liga.STRING(60)),
    supportRepId = optional(liga.INTEGER),
  })
  model("Invoice", add_address({
    invoiceId   = generated_key(),
    customerId  = required(liga.INTEGER),
    invoiceDate = required(liga.DATE { stored = "space" }),
    total       = required(liga.DECIMAL(10, 2)),
  }, "billing"))
  model("InvoiceLine", {
    invoiceLineId = generated_key(),
    invoiceId     = required(liga.INTEGER),
    trackId       = required(liga.INTEGER),
    unitPrice     = required(liga.DECIMAL(10, 2)),
    quantity      = required(liga.INTEGER),
  })
  return models
end

--- Declares every foreign key of the file, in both directions.
local function associate(models)
  local function link(holder, as, target, key, inverse)
    models[holder]:belongsTo(models[target], {
      as = as, foreignKey = { name = key, onDelete = "NO ACTION", onUpdate = "NO ACTION" },
      inverse = { as = inverse, type = "hasMany" },
    })
  end
  link("Album", "artist", "Artist", "artistId", "albums")
  link("Track", "album", "Album", "albumId", "tracks")
  link("Track", "genre", "Genre", "genreId", "tracks")
  link("Track", "mediaType", "MediaType", "mediaTypeId", "tracks")
  link("Employee", "manager", "Employee", "reportsTo", "reports")
  link("Customer", "supportRep", "Employee", "supportRepId", "customers")
  link("Invoice", "customer", "Customer", "customerId", "invoices")
  link("InvoiceLine", "invoice", "Invoice", "invoiceId", "invoiceLines")
  link("InvoiceLine", "track", "Track", "trackId", "invoiceLines")
  models.Playlist:belongsToMany(models.Track, {
    through = models.PlaylistTrack, foreignKey = "playlistId", otherKey = "trackId",
  })
end

--- Defines the models with their associations on `db`, without touching the database.
-- @return the models by name
local function define(db)
  local models = define_models(db)
  associate(models)
  return models
end

-- Helpers ------------------------------------------------------------------------------------------------------------

--- Money arrives as an exact text with two digits after the point; sums are made in whole cents.
local function cents(amount)
  local units, hundredths = amount:match "^(%d+)%.(%d%d)$"
  return math.tointeger(units) * 100 + math.tointeger(hundredths)
end

local function money(amount) return ("%d.%02d"):format(amount // 100, amount % 100) end

local function minutes(milliseconds)
  local seconds = milliseconds // 1000
  return ("%d:%02d"):format(seconds // 60, seconds % 60)
end

local function full_name(person) return person.firstName .. " " .. person.lastName end

local function add(totals, key, amount)
  totals[key] = (totals[key] or 0) + amount
end

--- The keys of a table of totals, the largest total first, equal ones by key; at most `limit` of them.
local function ranked(totals, limit)
  local keys = {}
  for key in pairs(totals) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if totals[a] ~= totals[b] then return totals[a] > totals[b] end
    return a < b
  end)
  return limit and table.move(keys, 1, limit, 1, {}) or keys
end

--- One attribute of every row by another: { [row[key]] = row[value] }.
local function lookup(model, key, value)
  local values = {}
  for _, row in ipairs(model:findAll { attributes = { key, value }, raw = true }) do values[row[key]] = row[value] end
  return values
end

--- What was sold of each track: { [trackId] = copies }, { [trackId] = revenue in cents }.
local function sales(models)
  local copies, revenue = {}, {}
  local rows = models.InvoiceLine:findAll {
    attributes = { "trackId", "unitPrice", { liga.fn("sum", liga.col("quantity")), "copies" } },
    group = { "trackId", "unitPrice" },
    raw = true,
  }
  for _, row in ipairs(rows) do
    add(copies, row.trackId, row.copies)
    add(revenue, row.trackId, row.copies * cents(row.unitPrice))
  end
  return copies, revenue
end

-- Questions ----------------------------------------------------------------------------------------------------------
-- Each is { title, answer = function(models) return list of lines end }.

local questions = {}

questions[1] = { title = "Which five artists brought in the most money?", answer = function(models)
  local _, revenue = sales(models)
  local album_of, artist_of = lookup(models.Track, "trackId", "albumId"), lookup(models.Album, "albumId", "artistId")
  local totals = {}
  for track, amount in pairs(revenue) do add(totals, artist_of[album_of[track]], amount) end
  local lines = {}
  for i, artist in ipairs(models.Artist:findByPks(ranked(totals, 5))) do
    lines[i] = ("%s: %s"):format(artist.name, money(totals[artist.artistId]))
  end
  return lines
end }

local function add_report_line(lines, employee, depth)
  local names = {}
  for i, customer in ipairs(employee:getCustomers { order = { "lastName", "firstName" } }) do
    names[i] = full_name(customer)
  end
  lines[#lines + 1] = ("%s%s looks after %d%s"):format(("  "):rep(depth), full_name(employee), #names,
    #names > 0 and ": " .. table.concat(names, ", ") or "")
  for _, report in ipairs(employee:getReports { order = { "employeeId" } }) do
    add_report_line(lines, report, depth + 1)
  end
end

questions[2] = { title = "Whose customers are whose, down the whole report line?", answer = function(models)
  local lines = {}
  add_report_line(lines, models.Employee:findOne { where = { reportsTo = liga.null } }, 0)
  return lines
end }

questions[3] = { title = "How many tracks were never sold, and of which genres are most of them?",
  answer = function(models)
    local copies = sales(models)
    local never_sold = { trackId = Op.notIn(ranked(copies)) }
    local lines = { ("%d tracks"):format(models.Track:count { where = never_sold }) }
    local rows = models.Track:findAll {
      attributes = { "genreId", { liga.fn("count", liga.col("trackId")), "tracks" } },
      where = never_sold,
      group = { "genreId" },
      order = { { liga.fn("count", liga.col("trackId")), "DESC" }, "genreId" },
      limit = 5,
    }
    for _, row in ipairs(rows) do
      lines[#lines + 1] = ("%s: %d"):format(row:getGenre().name, row.tracks)
    end
    return lines
  end }

questions[4] = { title = "Which playlists share tracks with the playlist Grunge?", answer = function(models)
  local grunge = models.Playlist:findOne { where = { name = "Grunge" } }
  local tracks = grunge:getTracks()
  local shared = {}
  for _, track in ipairs(tracks) do
    local others = track:getPlaylists { where = { playlistId = Op.ne(grunge.playlistId) } }
    for _, playlist in ipairs(others) do add(shared, playlist.playlistId, 1) end
  end
  local lines = {}
  for i, playlist in ipairs(models.Playlist:findByPks(ranked(shared))) do
    lines[i] = ("%s (number %d): %d of %d tracks"):format(playlist.name, playlist.playlistId,
      shared[playlist.playlistId], #tracks)
  end
  return lines
end }

questions[5] = { title = "Which three albums play longest?", answer = function(models)
  local playing_time = liga.fn("sum", liga.col("milliseconds"))
  local rows = models.Track:findAll {
    attributes = { "albumId", { playing_time, "playingTime" } },
    group = { "albumId" },
    order = { { playing_time, "DESC" } },
    limit = 3,
  }
  local lines = {}
  for i, row in ipairs(rows) do
    local album = row:getAlbum()
    lines[i] = ("%s by %s: %d tracks, %s minutes"):format(album.title, album:getArtist().name, album:countTracks(),
      minutes(row.playingTime))
  end
  return lines
end }

questions[6] = { title = "Which three genres sell best?", answer = function(models)
  local copies = sales(models)
  local genre_of, totals = lookup(models.Track, "trackId", "genreId"), {}
  for track, number in pairs(copies) do add(totals, genre_of[track], number) end
  local lines = {}
  for i, genre in ipairs(models.Genre:findByPks(ranked(totals, 3))) do
    lines[i] = ("%s: %d of %d tracks bought"):format(genre.name, totals[genre.genreId],
      models.InvoiceLine:sum("quantity"))
  end
  return lines
end }

questions[7] = { title = "What did each country bring in?", answer = function(models)
  local Invoice = models.Invoice
  local totals = {}
  for _, row in ipairs(Invoice:findAll { attributes = { "billingCountry" }, distinct = true }) do
    totals[row.billingCountry] = cents(Invoice:sum("total", { where = { billingCountry = row.billingCountry } }))
  end
  local lines = {}
  for i, country in ipairs(ranked(totals)) do lines[i] = ("%s: %s"):format(country, money(totals[country])) end
  return lines
end }

questions[8] = { title = "What does an average invoice come to?", answer = function(models)
  local Invoice = models.Invoice
  return { ("%d invoices from %s to %s, %s in all, %.2f on average"):format(Invoice:count(), Invoice:min("total"),
    Invoice:max("total"), Invoice:sum("total"), Invoice:avg("total")) }
end }

questions[9] = { title = "What is on the album Let There Be Rock?", answer = function(models)
  local album = models.Album:findOne { where = { title = "Let There Be Rock" } }
  local lines = { "by " .. album:getArtist().name }
  for _, track in ipairs(album:getTracks { order = { "trackId" } }) do
    lines[#lines + 1] = ("%s  %s"):format(minutes(track.milliseconds), track.name)
  end
  return lines
end }

questions[10] = { title = "Which three customers spent most, and who looks after them?", answer = function(models)
  local totals = {}
  for _, customer in ipairs(models.Customer:findAll { attributes = { "customerId" } }) do
    totals[customer.customerId] = 0
    for _, invoice in ipairs(customer:getInvoices { attributes = { "total" } }) do
      add(totals, customer.customerId, cents(invoice.total))
    end
  end
  local lines = {}
  for i, customer in ipairs(models.Customer:findByPks(ranked(totals, 3))) do
    lines[i] = ("%s of %s: %s on %d invoices, looked after by %s"):format(full_name(customer), customer.country,
      money(totals[customer.customerId]), customer:countInvoices(), full_name(customer:getSupportRep()))
  end
  return lines
end }

-- The program --------------------------------------------------------------------------------------------------------

local function main(path)
  if not path then
    io.stderr:write("usage: lua5.4 examples/chinook.lua PATH-OF-THE-CHINOOK-SQLITE-FILE\n")
    os.exit(2, true)
  end
  local db <close> = liga.connect("sqlite:" .. path, { readOnly = true })
  local models = define(db)
  for number, question in ipairs(questions) do
    print(("%d. %s"):format(number, question.title))
    for _, line in ipairs(question.answer(models)) do print("   " .. line) end
  end
end

if arg and arg[0] and arg[0]:find "chinook%.lua$" then main(...) end

return { define = define, questions = questions }
