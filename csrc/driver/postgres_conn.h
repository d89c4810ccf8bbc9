/* A PostgreSQL connection as the files of the driver share it: what is on its way to the server and back. */
#ifndef LIGA_DRIVER_POSTGRES_CONN_H
#define LIGA_DRIVER_POSTGRES_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "driver/cache.h"
#include "driver/driver.h"

struct pg_cursor;

/* The server answers commands in the order they were sent in. */
enum command { COMMAND_PREPARE, COMMAND_DESCRIBE, COMMAND_EXECUTE, COMMAND_IGNORED, COMMAND_SYNC };

struct expected {
    enum command command;
    struct pg_cursor *cursor;       /* whose command it is; NULL: the connection's own, or one that nobody waits for */
    bool answered;                          /* a result of it has come */
};

enum { NOTICES = 16, FIRST_ERROR_SIZE = 256, HALVES = 2 };

struct pg_conn {
    struct conn base;
    PGconn *pg;
    PGcancel *cancel;               /* to stop a statement from a signal handler, where nothing can be made; NULL: no memory */
    struct cache cache;             /* of struct prepared */
    struct pg_cursor *cursors;      /* not finished, in the order of their start */
    struct arena sent[HALVES];      /* their parameters, in turn: a call of many statements would keep them all until its end */
    int half;                       /* where those of the newest one are */
    struct expected *queue;         /* answers to come: a ring */
    int head, expected, room;
    int syncs;                      /* on their way */
    int since_sync;                 /* statements sent since the last sync */
    int segment;                    /* … between the last two */
    bool fresh;                     /* nothing was waited for since the sync, before which nothing was on its way */
    bool synced, flushing, in_transaction, opening, soiled, resets, settings_fail, read_only, replica, keeps;
    PostgresPollingStatusType poll; /* while opening */
    int timeout, connect_timeout;   /* ms; 0: none */
    int64_t deadline;               /* ms of the monotonic clock; 0: none */
    int64_t retry_at;               /* … when opening begins anew, as the server was not ready; 0: it goes on */
    char **closing;                 /* names of statements that the server can forget */
    int closing_count, closing_room;
    char *notices[NOTICES], *handed;        /* handed: the one that was taken last */
    int notice_count;
    char *schema;
    char first_error[FIRST_ERROR_SIZE];     /* of the open transaction; "": none yet */
};

/* Room for `more` answers to come; false: out of memory. */
bool pg_reserve(struct pg_conn *conn, int more);
void pg_expect(struct pg_conn *conn, enum command command, struct pg_cursor *cursor);
const struct expected *pg_head(const struct pg_conn *conn);
void pg_unexpect(struct pg_conn *conn);

/* Ends what was sent with a sync, which the server answers with its state. False: the connection is lost. */
bool pg_sync(struct pg_conn *conn);

/* What the connection has to do before the next statement: forget statements, reset the session. False: lost. */
bool pg_prepare_session(struct pg_conn *conn);

/* Makes the server forget a statement that is only waiting for that, as one of the same name is to be prepared. False: lost. */
bool pg_close_now(struct pg_conn *conn, const char *name);

/* The server has none of the prepared statements any more: those that are not in use are forgotten without telling it so. */
void pg_forget_statements(struct pg_conn *conn);

/* Gives a struct prepared back: for the cache. */
void postgres_dispose(void *handle);

/* Opening, see driver.h. */
struct conn *postgres_open(const struct conn_options *options, struct arena *arena, struct error *error);
enum drive postgres_ready(struct conn *conn, struct arena *arena, struct error *error);
void postgres_close(struct conn *conn);
void postgres_abandon(struct conn *conn);

/* Takes one answer of the server, if it is there. DRIVE_DONE: taken; DRIVE_WAIT; DRIVE_FAILED: the connection is lost or the
 * deadline over (nothing is set yet). */
enum drive pg_receive(struct pg_conn *conn);

/* An answer to a statement of a cursor; the result is the cursor's from now on. Called by pg_receive. */
void pg_cursor_answer(struct pg_conn *conn, struct pg_cursor *cursor, enum command command, PGresult *result);

/* The statements since the last sync were a transaction of their own, and its end failed: the error is the last one's, which had been
 * answered. */
void pg_cursor_undone(struct pg_conn *conn, PGresult *result);

/* Begins the time that a statement may take: when it is sent, or the one before it is answered. */
void pg_set_deadline(struct pg_conn *conn);

/* True if the deadline is over. */
bool pg_is_late(const struct pg_conn *conn);

#endif
