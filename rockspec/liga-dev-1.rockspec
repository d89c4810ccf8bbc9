rockspec_format = "3.0"
package = "liga"
version = "dev-1"

-- Built from a checkout: `luarocks --lua-version=5.4 make`. Releases name their own source.
source = { url = "git+file://." }

description = {
  summary = "An association-centred ORM with a C core",
  detailed = [[
    liga maps tables of SQLite and PostgreSQL to plain Lua tables, in the manner of Sequelize: models,
    associations of all kinds with their generated methods, transactions, change tracking, and the command liga.]],
  license = "MIT",
  labels = { "database", "orm", "sqlite", "postgresql" },
}

dependencies = { "lua >= 5.4, < 5.5" }
external_dependencies = {
  SQLITE = { header = "sqlite3.h" },
  PQ = { header = "postgresql/libpq-fe.h" },
}

-- The Makefile finds the C files by itself and builds liga.core, liga.sqlite and liga.postgres.
build = {
  type = "make",
  build_target = "build",
  build_variables = {
    CC = "$(CC)", CFLAGS = "$(CFLAGS) -I$(SQLITE_INCDIR) -I$(PQ_INCDIR)", LUA = "$(LUA)", LUA_INCDIR = "$(LUA_INCDIR)",
    MODULES = "core sqlite postgres",
  },
  install_variables = {
    LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)",
    CC = "$(CC)", CFLAGS = "$(CFLAGS) -I$(SQLITE_INCDIR) -I$(PQ_INCDIR)", LUA_INCDIR = "$(LUA_INCDIR)",
    MODULES = "core sqlite postgres",
  },
}

test = { type = "command", command = "make test" }
