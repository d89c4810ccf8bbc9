/* The connections of a database object, and the leases by which transactions own one. */
#ifndef LIGA_LUA_POOL_H
#define LIGA_LUA_POOL_H

#include "lua/call.h"

/* A connection owned by a transaction. */
struct lease {
    struct db *db;
    const lua_State *owner;         /* the coroutine that took it */
    const lua_State *thread;        /* the one that was bound to it last, which hangs on it */
    struct link *link;              /* NULL: given back */
    bool writing;                   /* holds SQLite's write lock */
    bool begun;                     /* a transaction was begun on it */
    bool read_only;                 /* … that may not write */
    bool unguarded;                 /* option savepoint = false */
};

/* Values that hang on a lease. */
enum lease_value { LEASE_DB = 1, LEASE_THREAD, LEASE_VALUES = LEASE_THREAD };

/* The connection for a call: its transaction's, else an idle one, else one that is to be opened (see pool_ready). NULL: the call
 * has to wait and ask again; only where it yields. Raises if waiting would be for ever, or was too long. */
struct link *pool_acquire(lua_State *L, struct call *call);
/* Goes on opening the call's connection, if it is not yet. DRIVE_FAILED: the error is set, the connection closed. */
enum drive pool_ready(struct call *call);
/* After an error: true if the call can go on on another server, as it only reads and a replica was lost. Its connection is gone
 * then, the error forgotten. */
bool pool_moves(struct call *call);
/* How long a call that got no connection pauses before it asks again. */
struct waiting pool_pause(const struct call *call);
/* Takes a call out of the queue, if it is in it. */
void pool_leave_queue(struct call *call);
/* Ends the use of a connection by the call; a broken one is closed, a leased one stays with its transaction. */
void pool_release(struct db *db, struct link *link, const struct call *call);

/* Runs a setting of SQLite's on every connection that nobody uses. False: the error is set. */
bool pool_run_idle(struct call *call, const char *text);

/* After DDL: prepared statements of all connections are forgotten. */
void pool_clear_caches(struct db *db);

/* Closes all connections (the first error does not matter); used by close and by the collector. */
void pool_close(struct db *db);

/* True in a process that did not open the database. */
bool pool_forked(const struct db *db);
/* Raises UsageError there. */
void pool_check_process(lua_State *L, struct call *call);

/* True if the lease is one of this database. */
bool lease_of(const struct lease *lease, const struct db *db);
/* True while the transaction object (a table at `index` with the lease at [1]) is open. */
bool lease_alive(lua_State *L, int index);

/* Takes a connection back from a lease that ends; `wrote`: replicas may not know of it yet. */
void pool_take_back(struct db *db, struct link *link, bool close, bool wrote);

/* Adds the metatable of leases and the function core.lease to the table on the top. */
void open_pool(lua_State *L);

#endif
