#define _POSIX_C_SOURCE 200809L

/* The module liga.core: what Lua sees of the C core. */
#include "lua/state.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/names.h"
#include "lua/call.h"
#include "lua/define.h"
#include "lua/fault.h"
#include "lua/find.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/interrupt.h"
#include "lua/json.h"
#include "lua/load.h"
#include "lua/marker.h"
#include "lua/pool.h"
#include "lua/raw.h"
#include "lua/tables.h"
#include "lua/value.h"
#include "lua/write.h"

LIGA_EXPORT int luaopen_liga_core(lua_State *L);

/* ---------------------------------------------------------------------------------------------------- databases */

static const struct dialect *const dialects[] = { &dialect_sqlite, &dialect_postgres };

static const struct dialect *dialect_find(const char *name) {
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (strcmp(dialects[i]->name, name) == 0) return dialects[i];
    return NULL;
}

static void schema_out_of_memory(void *owner) {
    const struct db *db = owner;
    luaL_error(db->L, "not enough memory");
}

static int integer_option(lua_State *L, int index, const char *key, int otherwise) {
    int isnum;
    lua_getfield(L, index, key);
    lua_Integer number = lua_tointegerx(L, -1, &isnum);
    lua_pop(L, 1);
    if (number > INT_MAX) number = INT_MAX;
    return isnum ? (int)number : otherwise;
}

static bool flag_option(lua_State *L, int index, const char *key) {
    lua_getfield(L, index, key);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

static const char *text_option(lua_State *L, struct db *db, int index, const char *key, bool required) {
    size_t len;
    bool given = lua_getfield(L, index, key) != LUA_TNIL;
    const char *text = given || required ? luaL_checklstring(L, -1, &len) : NULL;
    if (text) text = arena_text(&db->arena, text, len);
    lua_pop(L, 1);
    return text;
}

/* The primary, and what is in the list `replicas`. */
static void read_sites(lua_State *L, struct db *db, int index) {
    int replicas;
    const char *const *targets = texts_field(L, db, index, "replicas", &replicas);
    db->sites = arena_array(&db->arena, struct site, replicas + 1);
    db->sites[0].target = db->options.target;
    for (int i = 0; i < replicas; i++) db->sites[i + 1].target = targets[i];
    db->site_count = replicas + 1;
    db->sticky_ms = integer_option(L, index, "sticky", 1000);
    db->last_write = LLONG_MIN / 2;
}

static void read_open_options(lua_State *L, struct db *db, int index) {
    db->options = (struct conn_options){
        .target = text_option(L, db, index, "target", true),
        .schema = text_option(L, db, index, "schema", false),
        .read_only = flag_option(L, index, "readOnly"),
        .foreign_keys = flag_option(L, index, "foreignKeys"),
        .busy_timeout = integer_option(L, index, "busyTimeout", 5000),
        .connect_timeout = integer_option(L, index, "connectTimeout", 0),
        .timeout = integer_option(L, index, "timeout", 0),
        .statement_cache = integer_option(L, index, "statementCache", 256),
    };
    db->options.setup = texts_field(L, db, index, "setup", &db->options.setup_count);
    db->dialect = dialect_find(text_option(L, db, index, "dialect", true));
    if (!db->dialect) raise_usage(L, "unknown dialect");
    db->memory = flag_option(L, index, "memory");
    db->read_only = db->options.read_only;
    db->dates_epoch = flag_option(L, index, "datesEpoch");
    db->sql_where = flag_option(L, index, "sqlWhere");
    read_sites(L, db, index);
    int max = integer_option(L, index, "poolMax", 5), most = POOL_LIMIT / db->site_count;
    db->site_limit = db->memory ? 1 : max < most ? max : most;
    db->link_limit = db->site_limit * db->site_count;
    db->idle_ms = integer_option(L, index, "poolIdle", 60000);
    db->acquire_ms = integer_option(L, index, "acquireTimeout", 10000);
    db->waits = flag_option(L, index, "waits");
    db->busy_poll = flag_option(L, index, "busyPoll");
}

static void hang_table(lua_State *L, int index, enum db_value value, const char *mode) {
    lua_newtable(L);
    if (mode) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, mode);
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
    }
    lua_setiuservalue(L, index, value);
}

/* core.open(driver, options, object) → database. Without a driver the database is dry: calls only write their statements
 * (compile specs for engines that are not there). */
static int open_database(lua_State *L) {
    const struct driver *driver = lua_touserdata(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    if (driver && driver->version != DRIVER_VERSION) return raise_usage(L, "the driver was built for another version of liga");
    struct db *db = userdata_new(L, USERDATA_DB, sizeof *db, DB_VALUES);
    int index = lua_gettop(L);
    db->core = core_of(L);
    db->L = L;
    db->driver = driver;
    process_init(&db->process);
    arena_init(&db->arena, schema_out_of_memory, db);
    schema_init(&db->schema, &db->arena);
    read_open_options(L, db, 2);
    hang_table(L, index, DB_MODELS, NULL);
    hang_table(L, index, DB_CALLS, NULL);
    hang_table(L, index, DB_THREADS, "k");
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, index, DB_OBJECT);
    db->dry = !driver;
    lua_settop(L, index);
    return 1;
}

static bool no_statement(lua_State *L, struct call *call) {
    (void)L, (void)call;
    return false;
}

/* core.connect(db): opens the first connection, so that what is wrong with it is known at once. */
static int connect_database(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    struct call *call = call_open(L, db, 1);
    call->next = no_statement;
    call->primary = true;
    return call_run(L, call);
}

static struct db *check_db(lua_State *L) {
    return userdata_check(L, 1, USERDATA_DB, "a database");
}

static int close_database(lua_State *L) {
    struct db *db = check_db(L);
    if (db->closed) return 0;
    if (db->open_calls) lua_gc(L, LUA_GCCOLLECT);        /* a call that an error cut short may still hang in the air */
    if (db->open_calls) return raise_usage(L, "the database can't be closed while one of its own calls is running");
    db->closed = true;
    pool_close(db);
    return 0;
}

static int database_gc(lua_State *L) {
    struct db *db = userdata_test(L, 1, USERDATA_DB);
    if (!db || !db->core) return 0;
    interrupt_forget(db);
    db->closed = true;
    pool_close(db);
    arena_free(&db->arena);
    process_free(&db->process);
    db->core = NULL;
    return 0;
}

/* core.connections(db) → how many are open */
static int count_connections(lua_State *L) {
    const struct db *db = check_db(L);
    int open = 0;
    for (int i = 0; i < db->link_limit; i++) open += db->links[i].conn != NULL;
    lua_pushinteger(L, open);
    return 1;
}

static int is_closed(lua_State *L) {
    lua_pushboolean(L, check_db(L)->closed);
    return 1;
}

/* core.set_driven(db, driven, announces, watched): whether the Lua side is told what happens, also beforehand which statement is
 * about to be sent, and which connections come and go. */
static int set_driven(lua_State *L) {
    struct db *db = check_db(L);
    db->driven = lua_toboolean(L, 2);
    db->announces = lua_toboolean(L, 3);
    db->watched = lua_toboolean(L, 4);
    return 0;
}

/* core.take_closed(db) → whether a connection was closed, while they were watched, that was not asked for yet */
static int take_closed(lua_State *L) {
    struct db *db = check_db(L);
    lua_pushboolean(L, db->lost_sight > 0);
    if (db->lost_sight > 0) db->lost_sight--;
    return 1;
}

/* core.call_logger(db, logger, sql, info) → true, or false and the error. A logger can't yield: nobody would go on with the
 * call that it stands in, and the database would be shut for ever. */
static int call_logger(lua_State *L) {
    struct db *db = check_db(L);
    bool before = db->logging_now;
    lua_settop(L, 4);
    db->logging_now = true;
    bool fine = lua_pcall(L, 2, 0, 0) == LUA_OK;
    db->logging_now = before;
    lua_pushboolean(L, fine);
    lua_insert(L, 2);
    return lua_gettop(L) - 1;
}

static int set_dry(lua_State *L) {
    struct db *db = check_db(L);
    db->dry = lua_toboolean(L, 2) || !db->driver;
    return 0;
}

/* Adds a mode of the transaction to "BEGIN …", if it was asked for. */
static void add_mode(luaL_Buffer *text, bool asked, const char *mode) {
    if (!asked) return;
    luaL_addstring(text, " ");
    luaL_addstring(text, mode);
}

/* core.begin_text(db, mode, isolation, readOnly, deferrable); `isolation`: in the words of SQL, upper case, or nil. */
static int begin_text(lua_State *L) {
    static const char *const modes[] = { "default", "deferred", "immediate", "exclusive", NULL };
    const struct db *db = check_db(L);
    luaL_Buffer text;
    lua_settop(L, 5);
    const char *isolation = luaL_optstring(L, 3, "");
    int mode = luaL_checkoption(L, 2, "default", modes);
    luaL_buffinit(L, &text);
    luaL_addstring(&text, db->dialect->begin[mode]);
    if (db->dialect->isolation) {
        add_mode(&text, *isolation, "ISOLATION LEVEL");
        add_mode(&text, *isolation, isolation);
        add_mode(&text, lua_toboolean(L, 4), "READ ONLY");
        add_mode(&text, lua_toboolean(L, 5), "DEFERRABLE");
    }
    luaL_pushresult(&text);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- helpers */

static int code_of(const char *name) {
    for (int code = 1; code < ERROR_CODES; code++)
        if (strcmp(error_name((enum error_code)code), name) == 0) return code;
    return ERROR_USAGE;
}

/* Of `attribute` and `attributes` in the table at 3 one says the other, in the error at 4. */
static void complete_attributes(lua_State *L) {
    bool one = push_field(L, 3, "attribute") != LUA_TNIL, list = push_field(L, 3, "attributes") == LUA_TTABLE;
    if (one && !list) {
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, 1);
        lua_setfield(L, 4, "attributes");
    } else if (list && !one) {
        lua_rawgeti(L, -1, 1);
        lua_setfield(L, 4, "attribute");
    }
    lua_settop(L, 4);
}

/* core.raise(name, message, fields) */
static int raise_error(lua_State *L) {
    struct error error = { .code = (enum error_code)code_of(luaL_checkstring(L, 1)), .message = luaL_checkstring(L, 2) };
    lua_settop(L, 3);
    push_error(L, &error);
    if (lua_istable(L, 3)) {
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, 4);
        }
        complete_attributes(L);
    }
    return lua_error(L);
}

/* core.nearest(word, list) → the nearest candidate or nil */
static int nearest(lua_State *L) {
    struct nearest search = { .word = luaL_checkstring(L, 1) };
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 2, i);
        if (lua_type(L, -1) == LUA_TSTRING) nearest_offer(&search, lua_tostring(L, -1));
        lua_pop(L, 1);              /* the list keeps the string */
    }
    lua_pushstring(L, search.best);
    return 1;
}

static int set_drive(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setiuservalue(L, lua_upvalueindex(1), CORE_DRIVE);
    return 0;
}

static int set_source_prefix(lua_State *L) {
    struct core *core = core_of(L);
    size_t len;
    const char *prefix = luaL_checklstring(L, 1, &len);
    if (len >= sizeof core->source_prefix) len = 0;
    memcpy(core->source_prefix, prefix, len);
    core->source_prefix[len] = '\0';
    return 0;
}

static int new_list(lua_State *L) {
    push_list(L, (int)luaL_optinteger(L, 1, 0));
    return 1;
}

/* core.sleep(milliseconds) */
static int sleep_ms(lua_State *L) {
    lua_Number ms = luaL_checknumber(L, 1);
    struct timespec pause = { (time_t)(ms / 1000), (long)((ms - (lua_Number)((long)(ms / 1000)) * 1000) * 1e6) };
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {}
    return 0;
}

/* core.clock() → seconds of the monotonic clock */
static int clock_seconds(lua_State *L) {
    lua_pushnumber(L, (double)clock_ns() / 1e9);
    return 1;
}

/* The JSON functions have another upvalue: the core waits in the registry, under the address of this constant. */
static const char core_key = 'k';

static int raise_with_core(lua_State *L) {
    push_error(L, lua_touserdata(L, 1));
    return lua_error(L);
}

static int raise_json(lua_State *L, const struct error *error) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &core_key);
    lua_pushcclosure(L, raise_with_core, 1);
    lua_pushlightuserdata(L, (void *)(uintptr_t)error);
    lua_call(L, 1, 0);
    return 0;
}

/* An instance whose model has getters is written as they show it: its metatable has the function that makes the copy. */
static bool show_instance(lua_State *L, int index, void *owner) {
    (void)owner;
    int found = luaL_getmetafield(L, index, "__shown");
    if (found != LUA_TFUNCTION) {
        if (found != LUA_TNIL) lua_pop(L, 1);
        return false;
    }
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- opening */

static void make_metatables(lua_State *L, struct core *core) {
    for (int i = 0; i < USERDATA_COUNT; i++) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, userdata_name((enum userdata)i));
        lua_setfield(L, -2, "__name");
        core->metatable[i] = lua_topointer(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, core->metatable[i]);
    }
}

static void hang_core_values(lua_State *L, int core) {
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
    lua_pushliteral(L, "liga.list");
    lua_setfield(L, -2, "__name");
    lua_setiuservalue(L, core, CORE_LISTS);
    lua_newtable(L);
    lua_setiuservalue(L, core, CORE_ERROR_METATABLE);
    lua_newtable(L);
    lua_setiuservalue(L, core, CORE_HANDLERS);
}

/* Fills the module table at the top; runs as a function of its own so that the core is its upvalue. */
static int fill_module(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "open", open_database }, { "connect", connect_database }, { "close", close_database }, { "is_closed", is_closed },
        { "connections", count_connections }, { "set_driven", set_driven }, { "take_closed", take_closed },
        { "call_logger", call_logger }, { "set_dry", set_dry },
        { "begin_text", begin_text }, { "raise", raise_error }, { "nearest", nearest },
        { "set_drive", set_drive }, { "set_source_prefix", set_source_prefix }, { "list", new_list }, { "sleep", sleep_ms }, { "clock", clock_seconds },
        { NULL, NULL },
    };
    static const struct json_binding json = { .raise = raise_json, .hook = { .replace = show_instance } };
    static const luaL_Reg database[] = { { "__gc", database_gc }, { NULL, NULL } };
    lua_settop(L, 1);
    lua_newtable(L);
    lua_setfield(L, 1, "class_methods");
    add_functions(L, functions);
    open_calls(L);
    open_pool(L);
    open_definitions(L);
    open_markers(L);
    open_instances(L);
    open_writes(L);
    open_loads(L);
    open_handlers(L);
    open_raw(L);
    open_tables(L);
    open_interrupt(L);
    lua_getfield(L, 1, "class_methods");
    open_finders(L);
    lua_pop(L, 1);
    json_open(L, &json);
    lua_setfield(L, 1, "json");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, 1, "null");
    push_core_value(L, CORE_ERROR_METATABLE);
    lua_setfield(L, 1, "error_metatable");
    lua_rawgetp(L, LUA_REGISTRYINDEX, core_of(L)->metatable[USERDATA_DB]);
    add_functions(L, database);
    lua_settop(L, 1);
    return 1;
}

int luaopen_liga_core(lua_State *L) {
    luaL_checkversion(L);
    struct core *core = lua_newuserdatauv(L, sizeof *core, CORE_VALUES);
    int index = lua_gettop(L);
    memset(core, 0, sizeof *core);
    make_metatables(L, core);
    lua_rawgetp(L, LUA_REGISTRYINDEX, core->metatable[USERDATA_CORE]);
    lua_setmetatable(L, index);
    hang_core_values(L, index);
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &core_key);
    lua_pushvalue(L, index);
    lua_pushcclosure(L, fill_module, 1);
    lua_newtable(L);
    lua_call(L, 1, 1);
    return 1;
}
