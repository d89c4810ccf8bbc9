/* What a database engine must do: open, run a statement, hand out rows, map native errors.
 *
 * A driver knows nothing of models, SQL or Lua. It never blocks for a server: start and step may answer DRIVE_WAIT, then
 * the caller waits until the connection's descriptor is ready (or the deadline is over) and calls step again.
 * One statement runs on a connection at a time; every text handed in must live until finish. */
#ifndef LIGA_DRIVER_DRIVER_H
#define LIGA_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/statement.h"
#include "base/value.h"

struct arena;

enum { DRIVER_VERSION = 1 };

enum drive { DRIVE_ROW, DRIVE_DONE, DRIVE_WAIT, DRIVE_FAILED };

struct conn_options {
    const char *target;             /* SQLite: path or ":memory:"; PostgreSQL: conninfo */
    bool read_only, foreign_keys;
    int busy_timeout, connect_timeout, timeout;     /* ms; 0: none */
    int statement_cache;            /* prepared statements kept */
    const char *const *setup;       /* the user's statements for every new connection (pragmas), run by the caller */
    int setup_count;
};

/* A running statement. The driver fills cells before it answers DRIVE_ROW; texts in cells live until the next step. */
struct cursor {
    const struct value *cells;
    int columns;                    /* 0: the statement gives no rows */
    int64_t affected;               /* rows written; valid after DRIVE_DONE */
    int64_t last_id;                /* SQLite: rowid of the last insert */
};

/* The driver's connection begins with this. */
struct conn {
    const struct driver *driver;
    bool broken;                    /* cannot be used any more: close it */
};

struct driver {
    int version;                    /* DRIVER_VERSION */
    const char *name;               /* "sqlite" */

    /* Opens a connection; NULL: the error is set. Texts in the error live in the arena. */
    struct conn *(*open)(const struct conn_options *options, struct arena *arena, struct error *error);
    void (*close)(struct conn *conn);
    /* After fork: gives the descriptor back without talking to the server. */
    void (*abandon)(struct conn *conn);

    /* Prepares (or takes from the cache), binds and makes the first step ready; NULL: the error is set.
     * `arena` belongs to the call and outlives the cursor. */
    struct cursor *(*start)(struct conn *conn, const struct statement *statement, struct arena *arena, struct error *error);
    enum drive (*step)(struct conn *conn, struct cursor *cursor, struct arena *arena, struct error *error);
    /* Ends the statement, wherever it stands, and gives its handle back to the cache. */
    void (*finish)(struct conn *conn, struct cursor *cursor);

    /* Name of a result column, UTF-8; lives until finish. */
    const char *(*column_name)(const struct conn *conn, const struct cursor *cursor, int column);
    /* Declared type of a result column as the engine says it, or NULL for an expression. */
    const char *(*column_type)(const struct conn *conn, const struct cursor *cursor, int column);

    /* True while the server has an open transaction. SQLite rolls back on its own after some errors: ask after each. */
    bool (*in_transaction)(const struct conn *conn);
    /* Counts the parameters one statement may have. */
    int (*max_params)(const struct conn *conn);
    /* Empties the statement cache (after DDL, or before the connection is put away). */
    void (*clear_cache)(struct conn *conn);
    /* Stops the running statement from a signal handler or another thread. */
    void (*interrupt)(struct conn *conn);
};

#endif
