/* What a database engine must do: open, run a statement, hand out rows, map native errors.
 *
 * A driver knows nothing of models, SQL or Lua. It never blocks for a server: ready and fetch may answer DRIVE_WAIT, then
 * the caller waits for what `waits_for` says and calls again; whether a deadline is over the driver finds out itself.
 * Several statements may be started before the first is fetched: a server gets them in one round trip. They are fetched
 * and stepped in the order of their start; after one has failed the others fail too, without an error of their own. Every
 * text handed in must live until finish. */
#ifndef LIGA_DRIVER_DRIVER_H
#define LIGA_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/statement.h"
#include "base/value.h"
#include "base/wait.h"

struct arena;

enum { DRIVER_VERSION = 5 };

enum drive { DRIVE_ROW, DRIVE_DONE, DRIVE_WAIT, DRIVE_FAILED };

struct conn_options {
    const char *target;             /* SQLite: path or ":memory:"; PostgreSQL: URL or conninfo */
    const char *schema;             /* PostgreSQL: first of the search path, or NULL */
    bool read_only, foreign_keys;
    bool replica;                   /* only reads go there; an SQLite file that is not there is not made */
    int busy_timeout, connect_timeout, timeout;     /* ms; 0: none */
    int statement_cache;            /* prepared statements kept */
    const char *const *setup;       /* the user's statements for every new connection (pragmas), run by the caller */
    int setup_count;
};

/* A running statement. The driver fills cells before it answers DRIVE_ROW; texts in cells live until the next step. */
struct cursor {
    const struct value *cells;
    int columns;                    /* 0: the statement gives no rows */
    int late, late_end;             /* cells from … up to …: not wanted of every row, and read by read_late; equal: all are read */
    int64_t affected;               /* rows written; valid after DRIVE_DONE */
    int64_t expected;               /* rows that it will give; 0: not known */
    int64_t last_id;                /* SQLite: rowid of the last insert */
};

/* The driver's connection begins with this. */
struct conn {
    const struct driver *driver;
    bool broken;                    /* cannot be used any more: close it */
    bool demoted;                   /* … as its server takes no writes any more: nor can the others that lead there */
};

struct driver {
    int version;                    /* DRIVER_VERSION */
    const char *name;               /* "sqlite" */
    int pipeline;                   /* statements that may be on their way at once; 1: one after the other */

    /* Begins to open a connection; NULL: the error is set. Texts in the error live in the arena. */
    struct conn *(*open)(const struct conn_options *options, struct arena *arena, struct error *error);
    /* Goes on opening until DRIVE_DONE or DRIVE_FAILED (close it then). NULL: open does it all. */
    enum drive (*ready)(struct conn *conn, struct arena *arena, struct error *error);
    /* What to wait for after DRIVE_WAIT. NULL for a driver that never waits. */
    struct waiting (*waits_for)(const struct conn *conn);
    void (*close)(struct conn *conn);
    /* After fork: gives the descriptor back without talking to the server. */
    void (*abandon)(struct conn *conn);

    /* Prepares (or takes from the cache), binds and makes the first step ready; NULL: the error is set.
     * `arena` belongs to the call and outlives the cursor. */
    struct cursor *(*start)(struct conn *conn, const struct statement *statement, struct arena *arena, struct error *error);
    /* Brings the whole answer here, so that step never waits; DRIVE_DONE: it is here. NULL: step does it all. */
    enum drive (*fetch)(struct conn *conn, struct cursor *cursor, struct arena *arena, struct error *error);
    enum drive (*step)(struct conn *conn, struct cursor *cursor, struct arena *arena, struct error *error);
    /* Reads the late cells of the row; false: out of memory, the error is set. NULL: all are there. */
    bool (*read_late)(struct conn *conn, struct cursor *cursor, struct arena *arena, struct error *error);
    /* Ends the statement, wherever it stands, and gives its handle back to the cache. */
    void (*finish)(struct conn *conn, struct cursor *cursor);

    /* Name of a result column, UTF-8; lives until finish. */
    const char *(*column_name)(const struct conn *conn, const struct cursor *cursor, int column);
    /* Declared type of a result column as the engine says it, or NULL for an expression. */
    const char *(*column_type)(const struct conn *conn, const struct cursor *cursor, int column);

    /* False: the connection was lost while nobody used it. NULL for a driver that has no server. */
    bool (*is_alive)(struct conn *conn);
    /* True while the server has an open transaction. SQLite rolls back on its own after some errors: ask after each. */
    bool (*in_transaction)(const struct conn *conn);
    /* Rolls back what is open, by itself; false: it could not. NULL for a driver whose databases don't live in a connection. */
    bool (*undo)(struct conn *conn);
    /* Counts the parameters one statement may have. */
    int (*max_params)(const struct conn *conn);
    /* Takes the next message that the server sent beside the results (a notice); NULL: there is none, or the driver has
     * none at all. It lives until the next call. */
    const char *(*notice)(struct conn *conn);
    /* Puts session settings back to what they were before a statement that `soils`; done before the next statement. */
    void (*reset)(struct conn *conn);
    /* Empties the statement cache (after DDL, or before the connection is put away). */
    void (*clear_cache)(struct conn *conn);
    /* Stops the running statement from a signal handler or another thread. */
    void (*interrupt)(struct conn *conn);
};

#endif
