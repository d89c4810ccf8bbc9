/* The leases by which transactions own a connection, as Lua sees them. */
#include <string.h>

#include "lua/pool.h"

static int push_result(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

/* The connection becomes the lease's as soon as the call has it: from then on the lease gives it back. */
static bool take_lease(lua_State *L, struct call *call) {
    struct lease *lease = call->data;
    if (lease->link) return false;
    lease->db = call->db;
    lease->owner = L;
    lease->link = call->link;
    lease->link->lease = lease;
    lease->link->savepoints = 0;
    call->db->leases++;
    return false;
}

/* core.lease(db, writing, unguarded) → lease: takes a connection out of the pool for a transaction. */
static int lease_new(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    lua_settop(L, 3);
    struct lease *lease = userdata_new(L, USERDATA_LEASE, sizeof *lease, LEASE_VALUES);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, LEASE_DB);
    lease->unguarded = lua_toboolean(L, 3);
    struct call *call = call_open(L, db, 1);
    lua_pushvalue(L, 4);
    set_call_value(L, call, CALL_RESULT);
    call->unleased = call->primary = true;
    call->writes = lua_toboolean(L, 2);
    call->data = lease;
    call->next = take_lease;
    call->results = push_result;
    return call_run(L, call);
}

static void give_back(struct lease *lease, bool close) {
    struct link *link = lease->link;
    if (!link) return;
    lease->link = NULL;
    if (lease->db->bound == lease) lease->db->bound = NULL;
    lease->db->leases--;
    pool_take_back(lease->db, link, close, lease->writing);
}

/* lease:release(): a connection that still has a transaction open is closed, never handed to somebody else. */
static int lease_release(lua_State *L) {
    struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    if (!lease->link) return 0;
    struct conn *conn = lease->link->conn;
    give_back(lease, conn && conn->driver->in_transaction(conn));
    return 0;
}

static int lease_gc(lua_State *L) {
    struct lease *lease = userdata_test(L, 1, USERDATA_LEASE);
    if (!lease || !lease->link) return 0;
    if (lease->db->bound == lease) lease->db->bound = NULL;
    if (pool_forked(lease->db)) return 0;
    lua_warning(L, lease->db->memory ? "liga: a transaction was dropped without commit or rollback; it is rolled back"
                        : "liga: a transaction was dropped without commit or rollback; its connection is closed", 0);
    give_back(lease, true);
    return 0;
}

/* lease:bind(thread): calls of this coroutine use the lease from now on. */
static int bind(lua_State *L, bool bound) {
    struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    luaL_checktype(L, 2, LUA_TTHREAD);
    lua_settop(L, 3);                       /* nil */
    lua_pushvalue(L, bound ? 2 : 3);
    lua_setiuservalue(L, 1, LEASE_THREAD);
    lease->thread = bound ? lua_tothread(L, 2) : NULL;
    if (lease->link) lease->db->bound = bound ? lease : NULL;
    lua_getiuservalue(L, 1, LEASE_DB);
    lua_getiuservalue(L, -1, DB_THREADS);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, bound ? 1 : 3);
    lua_rawset(L, -3);
    return 0;
}

static int lease_bind(lua_State *L) { return bind(L, true); }
static int lease_unbind(lua_State *L) { return bind(L, false); }

/* lease:state() → "open" (a transaction is open), "idle", "broken", "released" */
static int lease_state(lua_State *L) {
    const struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    const struct conn *conn = lease->link ? lease->link->conn : NULL;
    lua_pushstring(L, !conn ? "released" : conn->broken ? "broken" : conn->driver->in_transaction(conn) ? "open" : "idle");
    return 1;
}

static bool run_once(lua_State *L, struct call *call) {
    (void)L;
    return call->phase++ == 0;
}

static struct statement *control_statement(lua_State *L, struct call *call, int index) {
    struct statement *statement = arena_new(&call->arena, struct statement);
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    statement->text = arena_text(&call->arena, text, len);
    statement->len = len;
    statement->kind = STATEMENT_TRANSACTION;
    return statement;
}

static int lease_results(lua_State *L, struct call *call) {
    const struct conn *conn = call->lease->link ? call->lease->link->conn : NULL;
    (void)L;
    call->lease->begun = conn && conn->driver->in_transaction(conn);
    return 0;
}

/* lease:run(sql, writing): a transaction command on the lease's connection. */
static int lease_run(lua_State *L) {
    struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    if (lua_toboolean(L, 3)) lease->writing = true;
    lua_getiuservalue(L, 1, LEASE_DB);
    struct call *call = call_open(L, lease->db, lua_gettop(L));
    call->lease = lease;
    call->statement = control_statement(L, call, 2);
    call->stage = STAGE_BODY;
    call->control = call->unguarded = true;
    call->next = run_once;
    call->results = lease_results;
    return call_run(L, call);
}

static int lease_set_read_only(lua_State *L) {
    struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    lease->read_only = lua_toboolean(L, 2);
    return 0;
}

/* lease:savepoint() → a name not used before in this transaction. */
static int lease_savepoint(lua_State *L) {
    const struct lease *lease = userdata_check(L, 1, USERDATA_LEASE, "a lease");
    if (!lease->link) return raise_usage(L, "the transaction is finished");
    lua_pushfstring(L, "liga_%d", ++lease->link->savepoints);
    return 1;
}

/* core.set_foreign_keys(db, on): whether this database's connections check foreign keys, on SQLite; those that are open and
 * those to come. Not inside a transaction, where SQLite would not listen. */
static int set_foreign_keys(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    bool on = lua_toboolean(L, 2);
    lua_settop(L, 2);
    if (db->leases) return raise_usage(L, "foreign keys can't be switched inside a transaction");
    struct call *call = call_open(L, db, 1);
    db->options.foreign_keys = on;
    if (!pool_run_idle(call, on ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF")) return call_raise(L, call);
    call_close(L, call);
    return 0;
}

void open_pool(lua_State *L) {
    static const luaL_Reg methods[] = {
        { "release", lease_release }, { "bind", lease_bind }, { "unbind", lease_unbind }, { "state", lease_state },
        { "run", lease_run }, { "savepoint", lease_savepoint },
        { "set_read_only", lease_set_read_only }, { "__gc", lease_gc }, { NULL, NULL },
    };
    static const luaL_Reg functions[] = {
        { "lease", lease_new }, { "set_foreign_keys", set_foreign_keys }, { NULL, NULL },
    };
    lua_rawgetp(L, LUA_REGISTRYINDEX, core_of(L)->metatable[USERDATA_LEASE]);
    add_functions(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    add_functions(L, functions);
}
