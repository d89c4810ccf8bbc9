#define _POSIX_C_SOURCE 200809L

#include "driver/postgres.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "driver/postgres_cursor.h"

enum { MOST_PARAMS = 65535, PIPELINE = 64 };

static struct pg_conn *conn_of(struct conn *conn) {
    return (struct pg_conn *)conn;
}

static struct pg_cursor *cursor_of(struct cursor *cursor) {
    return (struct pg_cursor *)cursor;
}

/* ------------------------------------------------------------------------------------------------------------ start */

static bool send_execute(struct pg_conn *conn, struct pg_cursor *cursor) {
    const struct pg_params *params = &cursor->params;
    const struct prepared *prepared = cursor->prepared;
    int sent = prepared ? PQsendQueryPrepared(conn->pg, prepared->name, params->count, params->values, params->lengths,
                                              params->formats, prepared->binary)
                        : PQsendQueryParams(conn->pg, cursor->statement.text, params->count, params->types, params->values,
                                            params->lengths, params->formats, 0);
    if (!sent) return false;
    pg_expect(conn, COMMAND_EXECUTE, cursor);
    return true;
}

/* Asks for no memory of an arena's: nothing may jump away while the connection knows of a statement that the caller does not. */
static bool send(struct pg_conn *conn, struct pg_cursor *cursor) {
    enum { MOST_COMMANDS = 6 };
    if (conn->base.broken || !pg_prepare_session(conn) || !pg_reserve(conn, MOST_COMMANDS)) return false;
    pg_take_prepared(conn, cursor);
    if (cursor->prepared && !pg_send_prepare(conn, cursor)) return false;
    if (!send_execute(conn, cursor)) return false;
    cursor->state = CURSOR_SENT;
    if (conn->timeout > 0) cursor->sent_at = clock_ms();
    conn->synced = false;
    conn->since_sync++;
    if (cursor->statement.soils && !conn->in_transaction) conn->soiled = true;
    return true;
}

/* An array of many values is sent as far as the server takes it now: of those that wait for the rest not too many shall be made. */
static void send_arrays(struct pg_conn *conn, const struct pg_params *params) {
    enum { MANY_BYTES = 65536, MOST_ARRAYS = 100 };
    int64_t bytes = 0;
    for (int i = 0; params->count <= MOST_ARRAYS && i < params->count; i++) bytes += params->formats[i] ? params->lengths[i] : 0;
    if (bytes > MANY_BYTES) conn->flushing = PQflush(conn->pg) > 0;
}

static void append(struct pg_conn *conn, struct pg_cursor *cursor) {
    struct pg_cursor **end = &conn->cursors;
    while (*end) end = &(*end)->next;
    *end = cursor;
}

static void leave(struct pg_conn *conn, struct pg_cursor *cursor) {
    struct pg_cursor **link = &conn->cursors;
    while (*link && *link != cursor) link = &(*link)->next;
    if (*link) *link = cursor->next;
}

static bool is_used(const struct pg_conn *conn, int half) {
    for (const struct pg_cursor *cursor = conn->cursors; cursor; cursor = cursor->next)
        if (cursor->half == half) return true;
    return false;
}

/* Where parameters are made: in the half that no statement on its way has its own in, else with the last ones. */
static struct arena *room_for_params(struct pg_conn *conn, const struct arena *call) {
    for (int half = 0; half < HALVES; half++)
        if (!is_used(conn, half)) arena_reset(&conn->sent[half]);
    if (conn->cursors && !is_used(conn, !conn->half)) conn->half = !conn->half;
    struct arena *room = &conn->sent[conn->half];
    room->oom = call->oom;
    room->owner = call->owner;
    return room;
}

static struct cursor *postgres_start(struct conn *base, const struct statement *statement, struct arena *arena,
                                     struct error *error) {
    struct pg_conn *conn = conn_of(base);
    struct pg_cursor *cursor = arena_new(arena, struct pg_cursor);
    cursor->statement = *statement;
    if (statement->param_count > MOST_PARAMS) {
        error_set(error, arena, ERROR_USAGE, "the statement has %d parameters, and PostgreSQL takes %d at most: "
                  "use = ANY of an array, or several statements", statement->param_count, MOST_PARAMS);
        pg_blame(cursor, arena, error);
        return NULL;
    }
    struct arena *room = room_for_params(conn, arena);
    cursor->half = conn->half;
    if (!pg_params_make(&cursor->params, statement, room, arena, error)) {
        pg_blame(cursor, arena, error);
        return NULL;
    }
    pg_keep(conn, cursor, arena);
    append(conn, cursor);
    if (pg_begins(cursor, "BEGIN")) conn->first_error[0] = '\0';
    if (send(conn, cursor)) {
        send_arrays(conn, &cursor->params);
        return &cursor->base;
    }
    pg_lose(conn, cursor, arena, error);
    leave(conn, cursor);
    pg_give_prepared(conn, cursor);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static bool all_binary(const PGresult *result) {
    for (int i = 0; i < PQnfields(result); i++)
        if (!decoder_of_binary(PQftype(result, i))) return false;
    return PQnfields(result) > 0;
}

static bool is_fine(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

void pg_cursor_answer(struct pg_conn *conn, struct pg_cursor *cursor, enum command command, PGresult *result) {
    bool fine = is_fine(result);
    conn->base.broken |= pg_is_copy(result);
    if (cursor->state != CURSOR_SENT || (fine && command != COMMAND_EXECUTE)) {
        if (fine && command == COMMAND_PREPARE) cursor->prepared->known = true;
        if (fine && command == COMMAND_DESCRIBE) {
            cursor->prepared->described = true;
            cursor->prepared->binary = all_binary(result);
        }
        PQclear(result);
        return;
    }
    cursor->state = fine ? CURSOR_ANSWERED : PQresultStatus(result) == PGRES_PIPELINE_ABORTED ? CURSOR_ABORTED : CURSOR_FAILED;
    cursor->result = result;
}

void pg_cursor_undone(struct pg_conn *conn, PGresult *result) {
    struct pg_cursor *last = conn->cursors;
    while (last && last->next) last = last->next;
    if (!last || last->state != CURSOR_ANSWERED) {
        PQclear(result);
        return;
    }
    PQclear(last->result);
    last->result = result;
    last->state = CURSOR_FAILED;
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static void open_result(struct pg_cursor *cursor, struct arena *arena) {
    int columns = cursor->base.columns = PQnfields(cursor->result);
    cursor->base.expected = PQntuples(cursor->result);
    cursor->base.cells = cursor->cells = arena_array(arena, struct value, columns + 1);
    cursor->decoders = arena_array(arena, decode *, columns + 1);
    cursor->scratch = arena_alloc(arena, (size_t)columns * CELL_SCRATCH + 1);
    for (int i = 0; i < columns; i++) {
        unsigned type = PQftype(cursor->result, i);
        cursor->decoders[i] = PQfformat(cursor->result, i) ? decoder_of_binary(type) : decoder_of_text(type);
    }
}

/* The number of the first cell that can't be read, from 1, or 0. */
static int read_cells(struct pg_cursor *cursor, struct arena *arena) {
    int row = cursor->row++;
    for (int i = 0; i < cursor->base.columns; i++) {
        struct cell_room room = { cursor->scratch + i * CELL_SCRATCH, arena };
        int len = PQgetlength(cursor->result, row, i);
        if (!len && PQgetisnull(cursor->result, row, i)) cursor->cells[i] = value_null();
        else if (!cursor->decoders[i](&cursor->cells[i], PQgetvalue(cursor->result, row, i), (size_t)len, room)) return i + 1;
    }
    return 0;
}

static enum drive next_row(struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    int broken = read_cells(cursor, arena);
    if (!broken) return DRIVE_ROW;
    error_set(error, arena, ERROR_DATABASE, "the server sent a value in column %d that is none of its type", broken);
    return DRIVE_FAILED;
}

/* -------------------------------------------------------------------------------------------------------------- end */

static enum drive end(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    const char *affected = PQcmdTuples(cursor->result);
    cursor->state = CURSOR_OVER;
    if (pg_begins(cursor, "COMMIT") && strcmp(PQcmdStatus(cursor->result), "COMMIT") != 0)
        return pg_refuse_commit(conn, cursor, arena, error);
    if (pg_begins(cursor, "BEGIN")) conn->in_transaction = true;            /* its sync may come much later */
    if (pg_begins(cursor, "ROLLBACK TO")) conn->first_error[0] = '\0';     /* forgiven */
    cursor->base.affected = strncmp(PQcmdStatus(cursor->result), "SELECT", 6) == 0 ? 0 : strtoll(affected, NULL, 10);
    return DRIVE_DONE;
}

/* ------------------------------------------------------------------------------------------------------------- step */

/* A prepared statement that the server has lost, or whose plan does not fit the tables any more, is prepared anew and sent once
 * more; one that is there already is used. Inside a transaction it is too late for that. */
static bool send_again(struct pg_conn *conn, struct pg_cursor *cursor) {
    bool alone = conn->cursors == cursor && !cursor->next && conn->segment == 1;
    if (!pg_mend_prepared(conn, cursor) || cursor->retried || conn->in_transaction || !alone) return false;
    pg_give_prepared(conn, cursor);
    cursor->retried = true;
    PQclear(cursor->result);
    cursor->result = NULL;
    return send(conn, cursor);
}

static bool is_last(const struct pg_cursor *cursor) {
    return cursor->next == NULL;
}

/* What the server thinks of the transaction is known when the last sync is answered: the last statement waits for it, and one that
 * failed, as the others fail with it. */
static bool is_settled(const struct pg_conn *conn, const struct pg_cursor *cursor) {
    return !conn->expected || (cursor->state == CURSOR_ANSWERED && !is_last(cursor));
}

/* Sends what is not sent yet, and waits until the answer is settled. */
static enum drive receive(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    if (!conn->synced) {
        if (!conn->syncs) pg_set_deadline(conn);
        if (!pg_sync(conn)) return pg_lose(conn, cursor, arena, error);
    }
    while (cursor->state == CURSOR_SENT || !is_settled(conn, cursor)) {
        enum drive drive = pg_receive(conn);
        if (drive == DRIVE_FAILED) return pg_lose(conn, cursor, arena, error);
        if (drive == DRIVE_WAIT) return drive;
    }
    return DRIVE_DONE;
}

static enum drive postgres_fetch(struct conn *base, struct cursor *base_cursor, struct arena *arena, struct error *error) {
    struct pg_conn *conn = conn_of(base);
    struct pg_cursor *cursor = cursor_of(base_cursor);
    if (cursor->state == CURSOR_OVER) return DRIVE_DONE;
    enum drive drive = receive(conn, cursor, arena, error);
    if (drive == DRIVE_DONE && cursor->state == CURSOR_ANSWERED && !cursor->cells) open_result(cursor, arena);
    if (drive != DRIVE_DONE || cursor->state == CURSOR_ANSWERED) return drive;
    if (cursor->state == CURSOR_FAILED && send_again(conn, cursor)) return postgres_fetch(base, base_cursor, arena, error);
    if (cursor->state == CURSOR_FAILED) return pg_fail(conn, cursor, arena, error);
    cursor->state = CURSOR_OVER;                /* aborted, as one before it has failed */
    return DRIVE_FAILED;
}

static enum drive postgres_step(struct conn *base, struct cursor *base_cursor, struct arena *arena, struct error *error) {
    struct pg_cursor *cursor = cursor_of(base_cursor);
    if (cursor->state == CURSOR_OVER) return DRIVE_DONE;
    if (cursor->row < PQntuples(cursor->result)) return next_row(cursor, arena, error);
    return end(conn_of(base), cursor, arena, error);
}

/* Nobody waits for its answers any more. */
static void disown(struct pg_conn *conn, const struct pg_cursor *cursor) {
    for (int i = 0; i < conn->expected; i++) {
        struct expected *expected = &conn->queue[(conn->head + i) % conn->room];
        if (expected->cursor == cursor) expected->cursor = NULL;
    }
}

/* A statement that is left while its answers are on their way: what has come is taken, and if that is not all, nobody could use
 * the connection without waiting for the rest. */
static void postgres_finish(struct conn *base, struct cursor *base_cursor) {
    struct pg_conn *conn = conn_of(base);
    struct pg_cursor *cursor = cursor_of(base_cursor);
    bool alone = conn->cursors == cursor && !cursor->next;
    while (alone && conn->synced && conn->expected && pg_receive(conn) == DRIVE_DONE) {}
    if (alone && conn->expected) conn->base.broken = true;
    disown(conn, cursor);
    pg_give_prepared(conn, cursor);
    leave(conn, cursor);
    PQclear(cursor->result);
    cursor->result = NULL;
}

/* --------------------------------------------------------------------------------------------------------- questions */

static struct waiting postgres_waits_for(const struct conn *base) {
    const struct pg_conn *conn = (const struct pg_conn *)base;
    if (conn->retry_at) return (struct waiting){ .fd = -1, .deadline = conn->retry_at };
    bool write = conn->opening ? conn->poll == PGRES_POLLING_WRITING : conn->flushing;
    return (struct waiting){ .fd = PQsocket(conn->pg), .read = !conn->opening || !write, .write = write, .deadline = conn->deadline };
}

static const char *postgres_column_name(const struct conn *conn, const struct cursor *cursor, int column) {
    (void)conn;
    const char *name = PQfname(((const struct pg_cursor *)cursor)->result, column);
    return name ? name : "";
}

/* The types of a result are told by its cells. */
static const char *postgres_column_type(const struct conn *conn, const struct cursor *cursor, int column) {
    (void)conn, (void)cursor, (void)column;
    return NULL;
}

static bool postgres_in_transaction(const struct conn *conn) {
    return ((const struct pg_conn *)conn)->in_transaction;
}

static int postgres_max_params(const struct conn *conn) {
    (void)conn;
    return MOST_PARAMS;
}

static const char *postgres_notice(struct conn *base) {
    struct pg_conn *conn = conn_of(base);
    if (!conn->notice_count) return NULL;
    free(conn->handed);
    conn->handed = conn->notices[0];
    memmove(conn->notices, conn->notices + 1, sizeof *conn->notices * (size_t)--conn->notice_count);
    return conn->handed;
}

/* What came while nobody asked: the end of the connection, or notices. */
static bool postgres_is_alive(struct conn *base) {
    enum { MOST_PIECES = 16 };
    struct pg_conn *conn = conn_of(base);
    struct pollfd idle = { .fd = PQsocket(conn->pg), .events = POLLIN };
    for (int i = 0; i < MOST_PIECES && poll(&idle, 1, 0) > 0; i++) {
        if (!PQconsumeInput(conn->pg) || PQstatus(conn->pg) != CONNECTION_OK) return false;
        PQisBusy(conn->pg);                     /* looks at what has come */
        PQfreemem(PQnotifies(conn->pg));
    }
    return PQstatus(conn->pg) == CONNECTION_OK && !conn->expected;
}

static void postgres_reset(struct conn *base) {
    struct pg_conn *conn = conn_of(base);
    conn->resets = conn->resets || conn->soiled;
    conn->soiled = false;
}

static void postgres_clear_cache(struct conn *conn) {
    cache_clear(&conn_of(conn)->cache);
}

/* May block for as long as the server takes to accept a connection. Safe in a signal handler, as PQcancel is. */
static void postgres_interrupt(struct conn *conn) {
    char reason[256];
    PQcancel(conn_of(conn)->cancel, reason, sizeof reason);
}

const struct driver driver_postgres = {
    .version = DRIVER_VERSION,
    .name = "postgres",
    .pipeline = PIPELINE,
    .open = postgres_open,
    .ready = postgres_ready,
    .waits_for = postgres_waits_for,
    .close = postgres_close,
    .abandon = postgres_abandon,
    .start = postgres_start,
    .fetch = postgres_fetch,
    .step = postgres_step,
    .finish = postgres_finish,
    .column_name = postgres_column_name,
    .column_type = postgres_column_type,
    .is_alive = postgres_is_alive,
    .in_transaction = postgres_in_transaction,
    .max_params = postgres_max_params,
    .notice = postgres_notice,
    .reset = postgres_reset,
    .clear_cache = postgres_clear_cache,
    .interrupt = postgres_interrupt,
};
