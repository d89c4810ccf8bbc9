/* A statement on its way to a PostgreSQL server, as the files of the driver share it. */
#ifndef LIGA_DRIVER_POSTGRES_CURSOR_H
#define LIGA_DRIVER_POSTGRES_CURSOR_H

#include <string.h>

#include "driver/postgres_cell.h"
#include "driver/postgres_conn.h"
#include "driver/postgres_param.h"

enum { PREPARED_NAME = 24 };

/* A statement that the server knows by a name, which is made of the text: a pooler may hand over a connection on which somebody
 * else has prepared the same. */
struct prepared {
    struct pg_conn *conn;
    bool known;                     /* the server has it */
    bool described, binary;         /* whether all columns can come in binary */
    char name[PREPARED_NAME];
};

enum cursor_state { CURSOR_SENT, CURSOR_ANSWERED, CURSOR_FAILED, CURSOR_ABORTED, CURSOR_OVER };

struct pg_cursor {
    struct cursor base;
    struct pg_cursor *next;
    struct statement statement;
    struct pg_params params;
    int64_t sent_at;                /* ms of the monotonic clock, where there is a timeout */
    int half;                       /* of the connection's room for parameters */
    const char *key;                /* what it is kept by: pg_keep */
    size_t key_len;
    struct cache_entry *entry;
    struct prepared *prepared;      /* NULL: unnamed */
    enum cursor_state state;
    PGresult *result;
    int row;
    struct value *cells;
    decode **decoders;
    char *scratch;
    bool retried;
};

/* True for a command of a transaction that begins so: BEGIN, COMMIT, ROLLBACK TO. */
static inline bool pg_begins(const struct pg_cursor *cursor, const char *word) {
    return cursor->statement.kind == STATEMENT_TRANSACTION && strncmp(cursor->statement.text, word, strlen(word)) == 0;
}

/* -------------------------------------------------------------------------- prepared statements, postgres_prepared.c */

/* Says by what the statement is kept, if it is. */
void pg_keep(const struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena);

/* Takes it out of the cache, or makes a new one; what can't be kept goes unnamed. */
void pg_take_prepared(struct pg_conn *conn, struct pg_cursor *cursor);
void pg_give_prepared(struct pg_conn *conn, struct pg_cursor *cursor);

/* Sends what the server does not know of it yet. False: the connection is lost. */
bool pg_send_prepare(struct pg_conn *conn, struct pg_cursor *cursor);

/* Takes back what the cache believes of a statement that has failed, which the server knows better. False: the failure is none of
 * this kind. */
bool pg_mend_prepared(struct pg_conn *conn, struct pg_cursor *cursor);

/* ---------------------------------------------------------------------------------------- failures, postgres_failure.c */

/* Adds what is known of the statement to its error. */
void pg_blame(const struct pg_cursor *cursor, struct arena *arena, struct error *error);

/* Each sets the error, if it is the first, and what became of a write; always DRIVE_FAILED. The server's error, or the end of the
 * connection that libpq tells; … that nobody tells, or as the server is silent; and the ROLLBACK that answers the COMMIT of a
 * transaction in which something had failed. */
enum drive pg_fail(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error);
enum drive pg_lose(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error);
enum drive pg_refuse_commit(const struct pg_conn *conn, const struct pg_cursor *cursor, struct arena *arena, struct error *error);

/* The server has begun to send, or to wait for, what no statement of ours has a place for. */
bool pg_is_copy(const PGresult *result);

#endif
