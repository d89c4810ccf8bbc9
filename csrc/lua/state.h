/* What every file of the binding shares: the userdata, how to get at them, how errors leave.
 *
 * Ownership: db (userdata) ⊃ schema arena, connections · model (userdata) → db · rowset (userdata, in a chunk's metatable) → model
 * · call (userdata, on the stack of the running function) → db. Every C function of liga has the core as upvalue 1. */
#ifndef LIGA_LUA_STATE_H
#define LIGA_LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/process.h"
#include "driver/driver.h"
#include "schema/assoc.h"
#include "sql/dialect.h"

#include "lua/export.h"

/* The kinds of userdata: id, __name. */
#define USERDATA(X)                         \
    X(CORE,   "liga.core")                  \
    X(DB,     "liga.database")              \
    X(MODEL,  "liga.model")                 \
    X(ASSOC,  "liga.association")           \
    X(ROWSET, "liga.rowset")                \
    X(CALL,   "liga.call")                  \
    X(LEASE,  "liga.lease")                 \
    X(OP,     "liga.op")                    \
    X(MARKER, "liga.expression")

enum userdata {
#define X(id, name) USERDATA_##id,
    USERDATA(X)
#undef X
    USERDATA_COUNT
};

/* One per Lua state. The metatables are anchored in the registry; their addresses tell userdata apart without a lookup. */
struct core {
    const void *metatable[USERDATA_COUNT];
    const void *list_metatable;         /* of lists that liga returns */
    int spared, spared_from;            /* KB that loads have added to the heap without telling the collector; the heap before, KB */
    char source_prefix[512];            /* chunk name of liga's own Lua files, up to the last slash */
};

enum core_value { CORE_LISTS = 1, CORE_DRIVE, CORE_ERROR_METATABLE, CORE_HANDLERS, CORE_VALUES = CORE_HANDLERS };

static inline struct core *core_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Its __name. */
const char *userdata_name(enum userdata kind);

/* The userdata at `index` if it is of this kind, else NULL. */
void *userdata_test(lua_State *L, int index, enum userdata kind);
/* Raises UsageError unless it is; `what` names the argument. */
void *userdata_check(lua_State *L, int index, enum userdata kind, const char *what);
/* A fresh zeroed userdata of the kind, on the stack. */
void *userdata_new(lua_State *L, enum userdata kind, size_t size, int values);
/* Pushes one of the values that hang on the core. */
void push_core_value(lua_State *L, enum core_value value);
/* The list of strings in field `key` of the table at `index`, kept with the schema; no list: *count is 0. */
struct db;
const char *const *texts_field(lua_State *L, struct db *db, int index, const char *key, int *count);
/* Adds functions to the table on the top; each gets the core as upvalue. */
void add_functions(lua_State *L, const luaL_Reg *functions);

/* ---------------------------------------------------------------------------------------------------- database */

struct lease;

/* One place of the pool. */
struct link {
    struct conn *conn;                  /* NULL: not open */
    struct call *user;                  /* the call that runs on it, or NULL */
    struct lease *lease;                /* the transaction that owns it, or NULL */
    bool ready;                         /* open, and set up */
    bool undo;                          /* what was left open on it is rolled back before its next use */
    long long released;                 /* ns, monotonic; 0: never used */
    int savepoints;                     /* names given so far in the open transaction */
    struct wait_habit habit;            /* what waiting for its server was like */
};

enum { POOL_LIMIT = 64 };

/* A server, or file. */
struct site {
    const char *target;
    long long down_until;               /* ms, monotonic: a replica that could not be reached is left out until then */
};

struct db {
    struct core *core;
    struct arena arena;                 /* the schema's; freed when the object is collected */
    struct schema schema;
    lua_State *L;                       /* of the call that changes the schema, for the arena's oom */
    const struct driver *driver;
    const struct dialect *dialect;
    struct conn_options options;
    struct link links[POOL_LIMIT];
    int link_limit, site_limit;         /* connections in all, and of one site */
    struct site *sites;                 /* the primary, then the replicas */
    int site_count, next_replica, sticky_ms;
    long long last_write;               /* ms, monotonic */
    int idle_ms, acquire_ms;
    long long collected;                /* ms, monotonic: when the collector was last called for who waits */
    struct call *queue;                 /* calls that wait for a connection or their turn in a transaction, in order */
    struct call *spare;                 /* a box that is not in use, at hand, or NULL */
    int open_calls;                     /* on some stack */
    int leases;                         /* open transactions */
    struct lease *bound;                /* that a coroutine was bound to last and still is, or NULL */
    struct process process;             /* that opened the database */
    bool waits;                         /* an event loop waits for us where a coroutine may yield */
    bool busy_poll;                     /* who waits without one stays awake for a while */
    bool closed, driven, logging_now, dates_epoch, read_only, memory;
    bool announces, watched;            /* hooks want to see statements beforehand; connections that come and go */
    int lost_sight;                     /* connections that were closed while hooks watch, and which they have not heard of yet */
    bool sql_where;                     /* compat: a where may be an SQL text */
    bool dry;                           /* calls give their first statement instead of running it */
};

/* Values that hang on the db userdata. */
enum db_value { DB_MODELS = 1, DB_CALLS, DB_SPARE, DB_THREADS, DB_OBJECT, DB_VALUES = DB_OBJECT };

/* ------------------------------------------------------------------------------------------------------ models */

struct rowset;
struct layout;

struct model_box {
    struct db *db;
    struct model *model;
    struct rowset *open;                /* the chunk that single rows share, or NULL */
    const struct layout *layout;        /* of the originals of its rows (rowset.c), or NULL */
    unsigned open_generation, names_generation, layout_generation;
    int usual_rows;                     /* of a short list of its instances, lately; 0: not known */
    bool calls_lua;                     /* defaults by function: writes go through operation.lua */
    bool has_dependents;
    bool cohorts;                       /* the cohort of a short list was asked for: lists don't share chunks any more */
    int lazy;                           /* enum lazy: what reading a missing association does */
    bool bound;                         /* it has a class */
    bool pending;                       /* associations wait for models that are not defined */
};

enum model_value { MODEL_DB = 1, MODEL_CLASS, MODEL_UNSAVED, MODEL_OPEN, MODEL_NAMES, MODEL_LAZY,
                   MODEL_SCOPE /* where of the default scope, or nil */, MODEL_VALUES = MODEL_SCOPE };

struct assoc_box {
    struct db *db;
    struct assoc *assoc;
};

/* The model behind a class table at `index`, or NULL; the userdata is pushed if found. */
struct model_box *class_model(lua_State *L, int index);
/* As above; raises UsageError if it is none. */
struct model_box *push_class_model(lua_State *L, int index);
/* As above; nothing is left on the stack. */
struct model_box *check_class(lua_State *L, int index);
/* Pushes the model userdata of a model. */
struct model_box *push_model(lua_State *L, struct db *db, int db_index, const struct model *model);

/* Pushes the list of the model's attribute names by ordinal + 1, so that rows are read and filled without looking the names up
 * as C strings; at 0 it has its name_index. The model userdata is at model_index. */
void push_attr_names(lua_State *L, int model_index);

/* Attributes by the addresses of the Lua strings in such a list: Lua has each short string once. */
struct name_index {
    const struct model *model;
    unsigned mask;
    struct name_entry { const char *name; const struct attr *attr; } entries[];
};

/* The index of the list at `names`; it lives as long as the list. */
const struct name_index *name_index(lua_State *L, int names);

/* The attribute that the key at `index` names, or NULL. */
const struct attr *attr_of_key(lua_State *L, const struct name_index *names, int index);

/* Spreads addresses; the lower bits of the result are the good ones. */
static inline unsigned address_hash(const void *address) {
    uint64_t bits = (uint64_t)(uintptr_t)address >> 4;
    return (unsigned)((bits * 0x9E3779B97F4A7C15u) >> 40);
}

/* ------------------------------------------------------------------------------------------------------ errors */

/* Pushes a liga.Error object made of `error`. */
void push_error(lua_State *L, const struct error *error);

/* Raises a UsageError with a formatted message (luaL_error's formats). */
int raise_usage(lua_State *L, const char *format, ...);

/* Raises UsageError if the database object was collected, and its schema with it: finalisers get to see that, as those of a program's
 * end run in the reverse order of their objects. To be asked wherever a model or association comes in. */
static inline void check_not_collected(lua_State *L, const struct db *db) {
    if (!db->core) raise_usage(L, "the database is closed");
}

#endif
