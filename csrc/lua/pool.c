
#include "lua/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

bool pool_forked(const struct db *db) {
    return !process_is_own(&db->process);
}

/* ------------------------------------------------------------------------------------------------------- links */

/* Each site has places of its own. */
static int site_of(const struct db *db, const struct link *link) {
    return (int)(link - db->links) / db->site_limit;
}

static bool is_idle(const struct link *link) {
    return link->conn && !link->user && !link->lease;
}

/* A child by fork never talks to the server, nor to the file: it only lets go. */
static void close_one(struct db *db, struct link *link) {
    if (db->watched && link->ready) db->lost_sight++;
    if (link->conn && pool_forked(db)) link->conn->driver->abandon(link->conn);
    else if (link->conn) link->conn->driver->close(link->conn);
    link->conn = NULL;
    link->ready = false;
}

/* With one whose server takes no writes any more go all idle ones of its site: a new one may find the server that does. */
static void close_link(struct db *db, struct link *link) {
    bool demoted = link->conn && link->conn->demoted;
    close_one(db, link);
    if (!demoted) return;
    struct link *first = &db->links[site_of(db, link) * db->site_limit];
    for (struct link *other = first; other < first + db->site_limit; other++)
        if (is_idle(other)) close_one(db, other);
}

/* A connection that nobody may use as it is. A memory database lives in its only one: there, what was left open is rolled back. */
static void discard(struct db *db, struct link *link) {
    if (!db->memory || !link->ready) {
        close_link(db, link);
        return;
    }
    link->conn->broken = false;
    link->undo = true;
}

/* Closes what has been idle for too long, never the last open connection. */
static void trim(struct db *db, long long now) {
    int open = 0;
    for (int i = 0; i < db->link_limit; i++) open += db->links[i].conn != NULL;
    for (int i = db->link_limit - 1; i >= 0 && open > 1; i--) {
        struct link *link = &db->links[i];
        if (!is_idle(link) || db->idle_ms <= 0 || now - link->released / 1000000 < db->idle_ms) continue;
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

bool pool_run_idle(struct call *call, const char *text) {
    for (int i = 0; i < call->db->link_limit; i++)
        if (is_idle(&call->db->links[i]) && !run_setup(call, call->db->links[i].conn, text)) return false;
    return true;
}

/* A replica that can't be reached is left out for a while; the call looks for another place to read. */
static void leave_out(struct call *call, int site) {
    enum { LEFT_OUT = 5000 };           /* ms until it is tried again */
    call->db->sites[site].down_until = clock_ms() + LEFT_OUT;
    call->sited = false;
    error_clear(&call->error);
}

/* Gives a connection up that could not be opened, or was lost. */
static enum drive give_up(struct call *call) {
    struct link *link = call->link;
    int site = site_of(call->db, link);
    call->link = NULL;
    link->user = NULL;
    close_link(call->db, link);
    if (site) leave_out(call, site);
    return DRIVE_FAILED;
}

/* A read on a replica can be done by another server. */
bool pool_moves(struct call *call) {
    const struct link *link = call->link;
    if (link->lease || !site_of(call->db, link) || !link->conn->broken || call->error.code != ERROR_CONNECTION) return false;
    give_up(call);
    return true;
}

/* The options to open a connection of a site with. */
static struct conn_options options_of(const struct db *db, int site) {
    struct conn_options options = db->options;
    options.target = db->sites[site].target;
    options.replica = site > 0;
    return options;
}

static enum drive undo(struct call *call) {
    call->link->undo = !call->db->driver->undo(call->link->conn);
    if (!call->link->undo) return DRIVE_DONE;
    error_set(&call->error, &call->arena, ERROR_DATABASE, "out of memory");
    return DRIVE_FAILED;
}

enum drive pool_ready(struct call *call) {
    struct link *link = call->link;
    const struct driver *driver = call->db->driver;
    if (link->ready) return link->undo ? undo(call) : DRIVE_DONE;
    struct conn_options options = options_of(call->db, site_of(call->db, link));
    if (!link->conn) link->conn = driver->open(&options, &call->arena, &call->error);
    if (!link->conn) return give_up(call);
    enum drive drive = driver->ready ? driver->ready(link->conn, &call->arena, &call->error) : DRIVE_DONE;
    if (drive == DRIVE_WAIT) return drive;
    if (drive == DRIVE_FAILED || !run_all_setup(call, link->conn)) return give_up(call);
    link->ready = true;
    link->savepoints = 0;
    return DRIVE_DONE;
}

/* Calls that follow each other so closely don't look whether the connection was lost in between: it may as well be lost right after
 * the look, which is a call into the system. */
enum { AT_ONCE = 20000 /* ns */ };

/* An idle connection that was lost meanwhile is closed, and its place used for another one. */
static bool is_usable(struct db *db, struct link *link) {
    if (!is_idle(link)) return false;
    if (!db->driver->is_alive || (link->released && clock_ns() - link->released < AT_ONCE)) return true;
    if (db->driver->is_alive(link->conn)) return true;
    close_link(db, link);
    return false;
}

static struct link *idle_or_new(struct db *db, int site) {
    struct link *first = &db->links[site * db->site_limit], *closed = NULL;
    for (struct link *link = first; link < first + db->site_limit; link++) {
        if (is_usable(db, link)) return link;
        if (!closed && !link->conn && !link->user && !link->lease) closed = link;
    }
    return closed;
}

/* Reads outside of transactions go to the replicas in turn, except shortly after a write of one's own, which they may not know of
 * yet. 0: the primary. */
static int choose_site(struct call *call) {
    struct db *db = call->db;
    int replicas = db->site_count - 1;
    if (!replicas || call->writes || call->primary || call->locks || clock_ms() - db->last_write < db->sticky_ms) return 0;
    for (int i = 0; i < replicas; i++) {
        int site = 1 + db->next_replica++ % replicas;
        if (clock_ms() >= db->sites[site].down_until) return site;
    }
    return 0;
}

/* A call keeps to a site once it has chosen one. */
static struct link *free_link(struct call *call) {
    if (!call->sited) call->site = choose_site(call);
    call->sited = true;
    return idle_or_new(call->db, call->site);
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

/* Perhaps a coroutine that nobody has any more holds a connection, or stands in the queue: after a while the collector is to see
 * it, once in a second. */
static void collect_dropped(lua_State *L, const struct call *call) {
    enum { PATIENCE = 20, PAUSE = 1000 };
    struct db *db = call->db;
    if (call->queued.pauses < PATIENCE || clock_ms() - db->collected < PAUSE) return;
    db->collected = clock_ms();
    lua_gc(L, LUA_GCCOLLECT);
}

static struct link *wait_in_queue(lua_State *L, struct call *call) {
    struct queued *queued = &call->queued;
    if (waits_for_itself(L, call)) return nothing_free(L, call);
    if (queued->waits) {
        queued->pauses++;
        collect_dropped(L, call);
        return queued->deadline && clock_ms() >= queued->deadline ? too_long(L, call) : NULL;
    }
    struct call **end = &call->db->queue;
    while (*end) end = &(*end)->queued.next;
    *end = call;
    *queued = (struct queued){ .waits = true, .deadline = call->db->acquire_ms ? clock_ms() + call->db->acquire_ms : 0 };
    return NULL;
}

/* Short pauses first: a connection is mostly given back soon. */
struct waiting pool_pause(const struct call *call) {
    enum { LONGEST = 20 };
    int pause = call->queued.pauses < LONGEST ? call->queued.pauses + 1 : LONGEST;
    return (struct waiting){ .fd = -1, .deadline = clock_ms() + pause };
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
    const struct db *db = call->db;
    if (!db->leases) return NULL;
    if (db->bound && db->bound->thread == L) return db->bound;
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
    if (taken)
        call_fail(L, call, ERROR_USAGE, "the transaction's connection is busy with another call (a finaliser or a callback)");
    if (lease->link->conn->broken) {
        call->error.outcome = OUTCOME_ROLLED_BACK;
        call_fail(L, call, ERROR_CONNECTION, "the connection was lost; the transaction is rolled back");
    }
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

void pool_check_process(lua_State *L, struct call *call) {
    if (!pool_forked(call->db)) return;
    call_fail(L, call, ERROR_USAGE, "the database was opened by another process (before fork): connect anew");
}

struct link *pool_acquire(lua_State *L, struct call *call) {
    struct db *db = call->db;
    if (db->logging_now) call_fail(L, call, ERROR_USAGE, "the database can't be used inside its logging function");
    pool_check_process(L, call);
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
    if (db->watched) trim(db, clock_ms());        /* hooks hear of it before the call sends anything */
    struct link *link = is_first(call) ? free_link(call) : NULL;
    if (!link && !call->yields) {       /* perhaps a call that an error cut short still holds one: let the collector see it */
        lua_gc(L, LUA_GCCOLLECT);
        link = free_link(call);
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
    if (call->writes && db->site_count > 1) db->last_write = clock_ms();
    if (link->lease) return;
    if (link->conn && (link->conn->broken || !link->ready)) discard(db, link);
    if (link->conn && link->conn->driver->reset) link->conn->driver->reset(link->conn);
    if (db->link_limit == 1 || db->idle_ms <= 0) return;
    link->released = clock_ns();
    trim(db, link->released / 1000000);
}

/* Before its connection is closed: the call that runs on it, perhaps one that an error or a collected coroutine has left behind, has
 * nothing to do with what comes in its place. */
static void cut_off(struct link *link) {
    struct call *call = link->user;
    if (!call) return;
    call_drop_flights(call);
    call->link = NULL;
    link->user = NULL;
}

void pool_take_back(struct db *db, struct link *link, bool close, bool wrote) {
    link->lease = NULL;
    link->released = clock_ns();
    if (wrote) db->last_write = link->released / 1000000;
    if (!link->conn || (!close && !link->conn->broken)) return;
    cut_off(link);
    discard(db, link);
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
        cut_off(link);
        if (link->lease) link->lease->link = NULL;
        if (forked) db->driver->abandon(link->conn);
        else db->driver->close(link->conn);
        *link = (struct link){ 0 };
    }
    db->leases = 0;
}
