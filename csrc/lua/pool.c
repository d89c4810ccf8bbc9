#define _POSIX_C_SOURCE 200809L

#include "lua/pool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool pool_forked(const struct db *db) {
    return !process_is_own(&db->process);
}

/* ------------------------------------------------------------------------------------------------------- links */

static bool is_idle(const struct link *link) {
    return link->conn && !link->user && !link->lease;
}

/* A child by fork never talks to the server, nor to the file: it only lets go. */
static void close_link(const struct db *db, struct link *link) {
    if (link->conn && pool_forked(db)) link->conn->driver->abandon(link->conn);
    else if (link->conn) link->conn->driver->close(link->conn);
    link->conn = NULL;
    link->ready = false;
}

/* Closes what has been idle for too long, never the last open connection. */
static void trim(struct db *db, long long now) {
    int open = 0;
    for (int i = 0; i < db->link_limit; i++) open += db->links[i].conn != NULL;
    for (int i = db->link_limit - 1; i >= 0 && open > 1; i--) {
        struct link *link = &db->links[i];
        if (!is_idle(link) || db->idle_ms <= 0 || now - link->released < db->idle_ms) continue;
        close_link(db, link);
        open--;
    }
}

static bool run_setup(struct call *call, struct conn *conn, const char *text) {
    struct statement statement = { .text = text, .len = strlen(text), .kind = STATEMENT_SCHEMA, .one_off = true };
    struct cursor *cursor = conn->driver->start(conn, &statement, &call->arena, &call->error);
    if (!cursor) return false;
    enum drive drive;
    while ((drive = conn->driver->step(conn, cursor, &call->arena, &call->error)) == DRIVE_ROW) {}
    conn->driver->finish(conn, cursor);
    return drive == DRIVE_DONE;
}

static bool run_all_setup(struct call *call, struct conn *conn) {
    for (int i = 0; i < call->db->options.setup_count; i++)
        if (!run_setup(call, conn, call->db->options.setup[i])) return false;
    return true;
}

/* Gives a connection up that could not be opened. */
static enum drive give_up(struct call *call) {
    struct link *link = call->link;
    call->link = NULL;
    link->user = NULL;
    close_link(call->db, link);
    return DRIVE_FAILED;
}

enum drive pool_ready(struct call *call) {
    struct link *link = call->link;
    const struct driver *driver = call->db->driver;
    if (link->ready) return DRIVE_DONE;
    if (!link->conn) link->conn = driver->open(&call->db->options, &call->arena, &call->error);
    if (!link->conn) return give_up(call);
    enum drive drive = driver->ready ? driver->ready(link->conn, &call->arena, &call->error) : DRIVE_DONE;
    if (drive == DRIVE_WAIT) return drive;
    if (drive == DRIVE_FAILED || !run_all_setup(call, link->conn)) return give_up(call);
    link->ready = true;
    link->savepoints = 0;
    return DRIVE_DONE;
}

/* An idle connection that was lost meanwhile is closed, and its place used for another one. */
static bool is_usable(struct db *db, struct link *link) {
    if (!is_idle(link)) return false;
    if (!db->driver->is_alive || db->driver->is_alive(link->conn)) return true;
    close_link(db, link);
    return false;
}

static struct link *find_idle(struct db *db) {
    for (int i = 0; i < db->link_limit; i++)
        if (is_usable(db, &db->links[i])) return &db->links[i];
    return NULL;
}

static struct link *find_closed(struct db *db) {
    for (int i = 0; i < db->link_limit; i++)
        if (!db->links[i].conn && !db->links[i].user && !db->links[i].lease) return &db->links[i];
    return NULL;
}

static struct link *idle_or_new(struct db *db) {
    struct link *link = find_idle(db);
    return link ? link : find_closed(db);
}

/* --------------------------------------------------------------------------------------------------------- queue */

/* Calls that want the same are served in order: a connection of the pool, or a turn on that of one transaction. */
static bool is_first(const struct call *call) {
    const struct call *other = call->db->queue;
    while (other && other != call && other->lease != call->lease) other = other->queued.next;
    return !other || other == call;
}

void pool_leave_queue(struct call *call) {
    if (!call->queued.waits) return;
    struct call **link = &call->db->queue;
    while (*link && *link != call) link = &(*link)->queued.next;
    if (*link) *link = call->queued.next;
    call->queued = (struct queued){ .waits = false };
}

static struct link *too_long(lua_State *L, struct call *call) {
    call_fail(L, call, ERROR_TIMEOUT, call->lease ? "the transaction was busy with other calls for %d ms (pool.acquireTimeout)"
                                                  : "no connection became free within %d ms (pool.acquireTimeout)",
              call->db->acquire_ms);
    return NULL;
}

/* Without an event loop nobody could give a connection back, so waiting would be for ever. */
static struct link *nothing_free(lua_State *L, struct call *call) {
    const struct db *db = call->db;
    if (db->leases)
        call_fail(L, call, ERROR_USAGE, "%s: pass {transaction = t} to call inside the open transaction",
                         db->memory ? "a memory database has one connection and a transaction owns it"
                                    : "all connections of the pool are taken");
    else
        call_fail(L, call, ERROR_USAGE, "the connection is busy with another call (a finaliser or a callback)");
    return NULL;
}

/* A coroutine that waits for its own transaction to end would wait for ever. */
static bool waits_for_itself(const lua_State *L, const struct call *call) {
    for (int i = 0; i < call->db->link_limit; i++) {
        const struct lease *lease = call->db->links[i].lease;
        if (lease && lease->owner == L && lease != call->lease) return true;
    }
    return false;
}

static struct link *wait_in_queue(lua_State *L, struct call *call) {
    struct queued *queued = &call->queued;
    if (waits_for_itself(L, call)) return nothing_free(L, call);
    if (queued->waits) {
        queued->pauses++;
        return queued->deadline && now_ms() >= queued->deadline ? too_long(L, call) : NULL;
    }
    struct call **end = &call->db->queue;
    while (*end) end = &(*end)->queued.next;
    *end = call;
    *queued = (struct queued){ .waits = true, .deadline = call->db->acquire_ms ? now_ms() + call->db->acquire_ms : 0 };
    return NULL;
}

/* Short pauses first: a connection is mostly given back soon. */
struct waiting pool_pause(const struct call *call) {
    enum { LONGEST = 20 };
    int pause = call->queued.pauses < LONGEST ? call->queued.pauses + 1 : LONGEST;
    return (struct waiting){ .fd = -1, .deadline = now_ms() + pause };
}

/* ------------------------------------------------------------------------------------------------------ leases */

bool lease_of(const struct lease *lease, const struct db *db) {
    return lease->db == db;
}

bool lease_alive(lua_State *L, int index) {
    lua_getfield(L, index, "finished");
    bool finished = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return !finished;
}

/* The lease bound to the running coroutine, or NULL. */
static struct lease *current_lease(lua_State *L, const struct call *call) {
    if (!call->db->leases) return NULL;
    push_call_value(L, call, CALL_DB);
    lua_getiuservalue(L, -1, DB_THREADS);
    lua_pushthread(L);
    lua_rawget(L, -2);
    struct lease *lease = lua_touserdata(L, -1);
    lua_pop(L, 3);
    return lease;
}

static struct link *leased_link(lua_State *L, struct call *call, struct lease *lease) {
    if (!lease->link) call_fail(L, call, ERROR_USAGE, "the transaction is finished");
    bool taken = lease->link->user || !is_first(call);
    if (taken && call->yields) return wait_in_queue(L, call);
    if (taken) call_fail(L, call, ERROR_USAGE, "the transaction's connection is busy with another call (a finaliser or a callback)");
    if (lease->link->conn->broken)
        call_fail(L, call, ERROR_CONNECTION, "the connection was lost; the transaction is rolled back");
    struct conn *conn = lease->link->conn;
    pool_leave_queue(call);
    if (call->control) return lease->link;
    if (lease->begun && !conn->driver->in_transaction(conn)) {
        call->error.outcome = OUTCOME_ROLLED_BACK;
        call_fail(L, call, ERROR_DATABASE, "the database rolled the transaction back after an error; it has to end now");
    }
    if (lease->read_only && call->writes) call_fail(L, call, ERROR_USAGE, "the transaction is readOnly");
    return lease->link;
}

static bool another_writes(const struct db *db) {
    for (int i = 0; i < db->link_limit; i++)
        if (db->links[i].lease && db->links[i].lease->writing) return true;
    return false;
}

struct link *pool_acquire(lua_State *L, struct call *call) {
    struct db *db = call->db;
    if (db->logging_now) call_fail(L, call, ERROR_USAGE, "the database can't be used inside its logging function");
    if (pool_forked(db)) call_fail(L, call, ERROR_USAGE, "the database was opened by another process (before fork): connect anew");
    struct lease *lease = call->lease || call->unleased ? call->lease : current_lease(L, call);
    if (lease) {
        call->lease = lease;
        struct link *link = leased_link(L, call, lease);
        if (link && call->writes) lease->writing = true;
        return link;
    }
    if (call->writes && another_writes(db) && !db->memory && db->dialect->one_writer) {
        if (call->yields) return wait_in_queue(L, call);
        call_fail(L, call, ERROR_USAGE, "an open transaction holds the write lock: pass {transaction = t} to write inside it");
    }
    struct link *link = is_first(call) ? idle_or_new(db) : NULL;
    if (!link && !call->yields) {       /* perhaps a call that an error cut short still holds one: let the collector see it */
        lua_gc(L, LUA_GCCOLLECT);
        link = idle_or_new(db);
    }
    if (link) pool_leave_queue(call);
    else link = call->yields ? wait_in_queue(L, call) : nothing_free(L, call);
    return link;
}

/* Nobody was there to hear them. */
static void forget_notices(struct conn *conn) {
    while (conn && conn->driver->notice && conn->driver->notice(conn)) {}
}

void pool_release(struct db *db, struct link *link, const struct call *call) {
    if (link->user != call) return;
    link->user = NULL;
    forget_notices(link->conn);
    if (link->lease) return;
    if (link->conn && (link->conn->broken || !link->ready)) close_link(db, link);
    if (link->conn && link->conn->driver->reset) link->conn->driver->reset(link->conn);
    if (db->link_limit == 1 || db->idle_ms <= 0) return;
    link->released = now_ms();
    trim(db, link->released);
}

void pool_clear_caches(struct db *db) {
    for (int i = 0; i < db->link_limit; i++)
        if (db->links[i].conn) db->driver->clear_cache(db->links[i].conn);
}

void pool_close(struct db *db) {
    bool forked = pool_forked(db);
    for (int i = 0; i < db->link_limit; i++) {
        struct link *link = &db->links[i];
        if (!link->conn) continue;
        if (link->user) call_drop_flights(link->user);
        if (link->user) link->user->link = NULL;
        if (link->lease) link->lease->link = NULL;
        if (forked) db->driver->abandon(link->conn);
        else db->driver->close(link->conn);
        *link = (struct link){ 0 };
    }
    db->leases = 0;
}

/* ------------------------------------------------------------------------------------------- leases, from Lua */

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
    struct lease *lease = userdata_new(L, USERDATA_LEASE, sizeof *lease, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lease->unguarded = lua_toboolean(L, 3);
    struct call *call = call_open(L, db, 1);
    lua_pushvalue(L, 4);
    set_call_value(L, call, CALL_RESULT);
    call->unleased = true;
    call->writes = lua_toboolean(L, 2);
    call->data = lease;
    call->next = take_lease;
    call->results = push_result;
    return call_run(L, call);
}

static void no_memory(void *owner) {
    (void)owner;
    abort();                            /* a collector can't raise; the arena asks for a few bytes only */
}

/* A memory database lives in its only connection: a transaction that was dropped is rolled back there instead of closing it. */
static bool rolled_back(struct lease *lease) {
    struct conn *conn = lease->link->conn;
    if (!lease->db->memory || !conn || conn->broken || lease->link->user) return false;
    static const struct statement rollback = { .text = "ROLLBACK", .len = 8, .kind = STATEMENT_TRANSACTION, .one_off = true };
    struct error error = { .code = ERROR_NONE };
    struct arena arena;
    arena_init(&arena, no_memory, NULL);
    struct cursor *cursor = conn->driver->start(conn, &rollback, &arena, &error);
    bool done = cursor && conn->driver->step(conn, cursor, &arena, &error) == DRIVE_DONE;
    if (cursor) conn->driver->finish(conn, cursor);
    arena_free(&arena);
    return done;
}

static void give_back(struct lease *lease, bool close) {
    struct link *link = lease->link;
    if (!link) return;
    lease->link = NULL;
    link->lease = NULL;
    lease->db->leases--;
    if (close || (link->conn && link->conn->broken)) close_link(lease->db, link);
    else link->released = now_ms();
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
    if (pool_forked(lease->db)) return 0;
    bool kept = rolled_back(lease);
    lua_warning(L, kept ? "liga: a transaction was dropped without commit or rollback; it is rolled back"
                        : "liga: a transaction was dropped without commit or rollback; its connection is closed", 0);
    give_back(lease, !kept);
    return 0;
}

/* lease:bind(thread): calls of this coroutine use the lease from now on. */
static int bind(lua_State *L, bool bound) {
    userdata_check(L, 1, USERDATA_LEASE, "a lease");
    luaL_checktype(L, 2, LUA_TTHREAD);
    lua_getiuservalue(L, 1, 1);
    lua_getiuservalue(L, -1, DB_THREADS);
    lua_pushvalue(L, 2);
    if (bound) lua_pushvalue(L, 1);
    else lua_pushnil(L);
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
    lua_getiuservalue(L, 1, 1);
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
    for (int i = 0; i < db->link_limit; i++) {
        struct link *link = &db->links[i];
        if (!is_idle(link)) continue;
        if (!run_setup(call, link->conn, on ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF")) call_raise(L, call);
    }
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
