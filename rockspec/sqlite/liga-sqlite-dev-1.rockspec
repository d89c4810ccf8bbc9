rockspec_format = "3.0"
package = "liga-sqlite"
version = "dev-1"

-- Built from a checkout: `luarocks --lua-version=5.4 make`. Releases name their own source.
source = { url = "git+file://." }

description = {
  summary = "An association-centred ORM with a C core, for SQLite only",
  detailed = [[
    liga maps tables of SQLite to plain Lua tables, in the manner of Sequelize: models,
    associations of all kinds with their generated methods, transactions, change tracking, and the command liga.]],
  license = "MIT",
  labels = { "database", "orm", "sqlite" },
}

dependencies = { "lua >= 5.4, < 5.5" }
external_dependencies = {
  SQLITE = { header = "sqlite3.h" },
}

-- The Makefile finds the C files by itself and builds liga.core and liga.sqlite; nothing of PostgreSQL is needed.
build = {
  type = "make",
  build_target = "build",
  build_variables = {
    CC = "$(CC)", CFLAGS = "$(CFLAGS) -I$(SQLITE_INCDIR)", LUA = "$(LUA)", LUA_INCDIR = "$(LUA_INCDIR)",
    MODULES = "core sqlite",
  },
  install_variables = {
    LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)",
    CC = "$(CC)", CFLAGS = "$(CFLAGS) -I$(SQLITE_INCDIR)", LUA_INCDIR = "$(LUA_INCDIR)",
    MODULES = "core sqlite",
  },
}

test = { type = "command", command = "make test" }
