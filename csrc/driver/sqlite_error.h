/* SQLite's result codes as errors of liga: a table, and what SQLite's sentences say about constraints. */
#ifndef LIGA_DRIVER_SQLITE_ERROR_H
#define LIGA_DRIVER_SQLITE_ERROR_H

#include <stdbool.h>

struct arena;
struct error;
struct sqlite3;

/* What is known of a failure; the texts need not outlive the call. */
struct sqlite_failure {
    int code;                   /* extended result code */
    const char *text;           /* sqlite3_errmsg */
    const char *path;           /* the database, as the user named it */
    struct sqlite3 *db;         /* to look up tables; NULL: closed */
    bool opening;               /* there is no connection yet */
    bool read_only;             /* option readOnly */
    bool committing;            /* it was a command of transactions: they look at deferred keys */
    int timed_out;              /* ms: our own deadline stopped the statement after so long; 0: it didn't */
};

/* Sets the error (unless one is set); always returns false. Outcome and statement are the caller's to add. */
bool sqlite_error_set(const struct sqlite_failure *failure, struct arena *arena, struct error *error);

/* True after a failure that makes the connection useless: the file is damaged or no database. */
bool sqlite_error_breaks(int code);

#endif
