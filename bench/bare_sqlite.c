/* The least that a Lua library does on SQLite: values are bound as they are, a row is a table with a metatable. Nothing is checked,
 * converted or remembered. What liga takes beyond this is liga's own; what is below it no library for Lua can reach. */
#include <lauxlib.h>
#include <lua.h>
#include <sqlite3.h>

int luaopen_bench_bare(lua_State *L);

/* User values of a statement: the list of the keys of its rows, their metatable. */
enum { KEYS = 1, METATABLE, DATABASE, STATEMENT_VALUES = DATABASE };

struct statement {
    sqlite3_stmt *handle;
    int keys;
};

static sqlite3 *check_db(lua_State *L, int index) { return *(sqlite3 **)luaL_checkudata(L, index, "bench.bare"); }

static struct statement *check_statement(lua_State *L) { return luaL_checkudata(L, 1, "bench.bare.statement"); }

static int fail(lua_State *L, sqlite3 *db) { return luaL_error(L, "%s", sqlite3_errmsg(db)); }

/* bare.open(path) → database */
static int open_db(lua_State *L) {
    sqlite3 **db = lua_newuserdatauv(L, sizeof *db, 0);
    *db = NULL;
    luaL_setmetatable(L, "bench.bare");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(luaL_checkstring(L, 1), db, flags, NULL) != SQLITE_OK) return fail(L, *db);
    return 1;
}

static int close_db(lua_State *L) {
    sqlite3_close_v2(check_db(L, 1));
    return 0;
}

/* db:execute(sql) */
static int execute(lua_State *L) {
    sqlite3 *db = check_db(L, 1);
    return sqlite3_exec(db, luaL_checkstring(L, 2), NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(L, db);
}

/* db:prepare(sql, keys, metatable) → statement whose rows have the values of its columns under these keys */
static int prepare(lua_State *L) {
    sqlite3 *db = check_db(L, 1);
    lua_settop(L, 4);
    struct statement *statement = lua_newuserdatauv(L, sizeof *statement, STATEMENT_VALUES);
    *statement = (struct statement){NULL, lua_istable(L, 3) ? (int)lua_rawlen(L, 3) : 0};
    luaL_setmetatable(L, "bench.bare.statement");
    for (int value = KEYS; value <= DATABASE; value++) {
        lua_pushvalue(L, value == KEYS ? 3 : value == METATABLE ? 4 : 1);
        lua_setiuservalue(L, 5, value);
    }
    if (sqlite3_prepare_v2(db, luaL_checkstring(L, 2), -1, &statement->handle, NULL) != SQLITE_OK) return fail(L, db);
    return 1;
}

static int finalize(lua_State *L) {
    sqlite3_finalize(check_statement(L)->handle);
    return 0;
}

/* Texts are bound where they are: whoever calls keeps them until the statement has run. */
static void bind(lua_State *L, sqlite3_stmt *handle, int parameter, int index) {
    size_t len;
    const char *text;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        sqlite3_bind_text(handle, parameter, text, (int)len, SQLITE_STATIC);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) sqlite3_bind_int64(handle, parameter, lua_tointeger(L, index));
        else sqlite3_bind_double(handle, parameter, lua_tonumber(L, index));
        break;
    case LUA_TBOOLEAN: sqlite3_bind_int(handle, parameter, lua_toboolean(L, index)); break;
    default: sqlite3_bind_null(handle, parameter);
    }
}

static void bind_arguments(lua_State *L, const struct statement *statement) {
    for (int i = 2, top = lua_gettop(L); i <= top; i++) bind(L, statement->handle, i - 1, i);
}

static void push_column(lua_State *L, sqlite3_stmt *handle, int column) {
    sqlite3_value *value = sqlite3_column_value(handle, column);
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: lua_pushinteger(L, sqlite3_value_int64(value)); break;
    case SQLITE_FLOAT: lua_pushnumber(L, sqlite3_value_double(value)); break;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        lua_pushlstring(L, text, (size_t)sqlite3_value_bytes(value));
        break;
    }
    default: lua_pushnil(L);
    }
}

/* Pushes the keys, then the metatable; returns the index of the first key. */
static int push_keys(lua_State *L, const struct statement *statement) {
    lua_getiuservalue(L, 1, KEYS);
    const int keys = lua_gettop(L);
    luaL_checkstack(L, statement->keys + 10, "too many columns");
    for (int i = 1; i <= statement->keys; i++) lua_rawgeti(L, keys, i);
    lua_getiuservalue(L, 1, METATABLE);
    return keys + 1;
}

static void push_row(lua_State *L, const struct statement *statement, int keys) {
    lua_createtable(L, 0, statement->keys);
    const int row = lua_gettop(L);
    for (int i = 0; i < statement->keys; i++) {
        lua_pushvalue(L, keys + i);
        push_column(L, statement->handle, i);
        lua_rawset(L, row);
    }
    lua_pushvalue(L, keys + statement->keys);
    lua_setmetatable(L, row);
}

static void end(lua_State *L, const struct statement *statement, int code) {
    if (sqlite3_reset(statement->handle) != SQLITE_OK || code == SQLITE_ERROR) fail(L, sqlite3_db_handle(statement->handle));
}

/* statement:one(...) → the first row */
static int one(lua_State *L) {
    const struct statement *statement = check_statement(L);
    bind_arguments(L, statement);
    const int keys = push_keys(L, statement), code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW) push_row(L, statement, keys);
    else lua_pushnil(L);
    end(L, statement, code);
    return 1;
}

/* statement:all(...) → list of rows */
static int all(lua_State *L) {
    const struct statement *statement = check_statement(L);
    bind_arguments(L, statement);
    const int keys = push_keys(L, statement);
    int code;
    lua_createtable(L, 8, 0);
    const int list = lua_gettop(L);
    for (lua_Integer count = 1; (code = sqlite3_step(statement->handle)) == SQLITE_ROW; count++) {
        push_row(L, statement, keys);
        lua_rawseti(L, list, count);
    }
    end(L, statement, code);
    return 1;
}

/* statement:run(...) */
static int run(lua_State *L) {
    const struct statement *statement = check_statement(L);
    bind_arguments(L, statement);
    end(L, statement, sqlite3_step(statement->handle));
    return 0;
}

/* statement:make(values) → a row with the values that were bound, under all keys but the first, and with the made key under that */
static int make(lua_State *L) {
    const struct statement *statement = check_statement(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    const int keys = push_keys(L, statement);
    lua_createtable(L, 0, statement->keys);
    const int row = lua_gettop(L);
    for (int i = 1; i < statement->keys; i++) {
        lua_pushvalue(L, keys + i);
        lua_pushvalue(L, -1);
        lua_rawget(L, 2);
        bind(L, statement->handle, i, row + 2);
        lua_rawset(L, row);
    }
    end(L, statement, sqlite3_step(statement->handle));
    lua_pushvalue(L, keys);
    lua_pushinteger(L, sqlite3_last_insert_rowid(sqlite3_db_handle(statement->handle)));
    lua_rawset(L, row);
    lua_pushvalue(L, keys + statement->keys);
    lua_setmetatable(L, row);
    return 1;
}

static void new_metatable(lua_State *L, const char *name, const luaL_Reg *methods) {
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int luaopen_bench_bare(lua_State *L) {
    static const luaL_Reg of_db[] = {{"execute", execute}, {"prepare", prepare}, {"__gc", close_db}, {NULL, NULL}};
    static const luaL_Reg of_statement[] = {{"one", one}, {"all", all},        {"run", run},
                                            {"make", make}, {"__gc", finalize}, {NULL, NULL}};
    new_metatable(L, "bench.bare", of_db);
    new_metatable(L, "bench.bare.statement", of_statement);
    lua_pushcfunction(L, open_db);
    return 1;
}
