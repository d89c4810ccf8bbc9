#define _POSIX_C_SOURCE 200809L         /* strdup; before any header */

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/names.h"
#include "driver/postgres_cursor.h"
#include "driver/postgres_error.h"

/* libpq 15 takes the description of a statement for nonsense where that is longer than 30,000 bytes, four for a parameter. */
enum { MOST_DESCRIBED = 7000 };

/* The cache gives a statement up: the server can forget it too, as soon as it is idle. */
void postgres_dispose(void *handle) {
    struct prepared *prepared = handle;
    struct pg_conn *conn = prepared->conn;
    if (prepared->known && conn->closing_count == conn->closing_room) {
        int room = conn->closing_room ? conn->closing_room * 2 : 16;
        char **closing = realloc(conn->closing, (size_t)room * sizeof *closing);
        if (closing) conn->closing = closing, conn->closing_room = room;
    }
    char *name = prepared->known && conn->closing_count < conn->closing_room ? strdup(prepared->name) : NULL;
    if (name) conn->closing[conn->closing_count++] = name;
    free(prepared);
}

static struct prepared *prepared_new(struct pg_conn *conn, const char *key, size_t len) {
    struct prepared *prepared = calloc(1, sizeof *prepared);
    if (!prepared) return NULL;
    prepared->conn = conn;
    snprintf(prepared->name, PREPARED_NAME, "liga_%016llx", (unsigned long long)text_hash(key, len));
    return prepared;
}

/* Statements whose parameters bring their types along (arrays do) are told apart by these too. */
static const char *key_of(const struct pg_cursor *cursor, struct arena *arena, size_t *len) {
    const struct statement *statement = &cursor->statement;
    *len = statement->len;
    if (!cursor->params.typed) return statement->text;
    size_t types = sizeof *cursor->params.types * (size_t)cursor->params.count;
    char *key = arena_alloc(arena, *len + types);
    memcpy(key, statement->text, *len);
    memcpy(key + *len, cursor->params.types, types);
    *len += types;
    return key;
}

static bool is_kept(const struct pg_conn *conn, const struct pg_cursor *cursor) {
    if (cursor->statement.one_off || cursor->statement.kind == STATEMENT_TRANSACTION || !conn->keeps) return false;
    return cursor->params.count <= MOST_DESCRIBED;
}

void pg_keep(const struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena) {
    if (is_kept(conn, cursor)) cursor->key = key_of(cursor, arena, &cursor->key_len);
}

void pg_take_prepared(struct pg_conn *conn, struct pg_cursor *cursor) {
    cursor->entry = NULL;
    cursor->prepared = NULL;
    if (!cursor->key) return;
    cursor->prepared = cache_take(&conn->cache, cursor->key, cursor->key_len, &cursor->entry);
    if (cursor->prepared) return;
    struct prepared *fresh = prepared_new(conn, cursor->key, cursor->key_len);
    cursor->entry = fresh ? cache_keep(&conn->cache, cursor->key, cursor->key_len, fresh) : NULL;
    cursor->prepared = cursor->entry ? fresh : NULL;
    if (!cursor->entry) free(fresh);
}

void pg_give_prepared(struct pg_conn *conn, struct pg_cursor *cursor) {
    if (cursor->entry && cursor->prepared->known) cache_give(&conn->cache, cursor->entry);
    else if (cursor->entry) cache_drop(&conn->cache, cursor->entry);
    cursor->entry = NULL;
    cursor->prepared = NULL;
}

bool pg_send_prepare(struct pg_conn *conn, struct pg_cursor *cursor) {
    const struct pg_params *params = &cursor->params;
    const struct prepared *prepared = cursor->prepared;
    if (!prepared->known) {
        if (!pg_close_now(conn, prepared->name)) return false;
        if (!PQsendPrepare(conn->pg, prepared->name, cursor->statement.text, params->count, params->types)) return false;
        pg_expect(conn, COMMAND_PREPARE, cursor);
    }
    if (prepared->described) return true;
    if (!PQsendDescribePrepared(conn->pg, prepared->name)) return false;
    pg_expect(conn, COMMAND_DESCRIBE, cursor);
    return true;
}

/* Where one is lost, all are: after DEALLOCATE ALL, or on another server behind a pooler. */
static void lose_statements(struct pg_conn *conn) {
    for (const struct pg_cursor *cursor = conn->cursors; cursor; cursor = cursor->next)
        if (cursor->prepared) cursor->prepared->known = false;
    pg_forget_statements(conn);
}

bool pg_mend_prepared(struct pg_conn *conn, struct pg_cursor *cursor) {
    const char *sqlstate = PQresultErrorField(cursor->result, PG_DIAG_SQLSTATE);
    if (!cursor->prepared) return false;
    if (postgres_error_prepared_already(sqlstate)) {
        cursor->prepared->known = true;
        cursor->prepared->described = false;
    } else if (postgres_error_stale(sqlstate)) {
        if (postgres_error_lost_statement(sqlstate)) lose_statements(conn);
        cache_drop(&conn->cache, cursor->entry);        /* what the server has, it is told to forget */
        cursor->entry = NULL;
        cursor->prepared = NULL;
    } else {
        return false;
    }
    return true;
}
