#define _POSIX_C_SOURCE 200809L

#include "driver/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/names.h"
#include "driver/postgres_cell.h"
#include "driver/postgres_conn.h"
#include "driver/postgres_error.h"
#include "driver/postgres_param.h"

/* libpq 15 takes the description of a statement for nonsense where that is longer than 30,000 bytes, four for a parameter. */
enum { MOST_PARAMS = 65535, MOST_DESCRIBED = 7000, PIPELINE = 64, NAME_SIZE = 24 };

/* A statement that the server knows by a name, which is made of the text: a pooler may hand over a connection on which somebody
 * else has prepared the same. */
struct prepared {
    struct pg_conn *conn;
    bool known;                     /* the server has it */
    bool described, binary;         /* whether all columns can come in binary */
    char name[NAME_SIZE];
};

enum cursor_state { CURSOR_SENT, CURSOR_ANSWERED, CURSOR_FAILED, CURSOR_ABORTED, CURSOR_OVER };

struct pg_cursor {
    struct cursor base;
    struct pg_cursor *next;
    struct statement statement;
    struct pg_params params;
    const char *key;                /* what it is kept by, see key_of */
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

static struct pg_conn *conn_of(struct conn *conn) {
    return (struct pg_conn *)conn;
}

static struct pg_cursor *cursor_of(struct cursor *cursor) {
    return (struct pg_cursor *)cursor;
}

/* ---------------------------------------------------------------------------------------------- prepared statements */

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
    snprintf(prepared->name, NAME_SIZE, "liga_%016llx", (unsigned long long)text_hash(key, len));
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

static void take_prepared(struct pg_conn *conn, struct pg_cursor *cursor) {
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

static void give_prepared(struct pg_conn *conn, struct pg_cursor *cursor) {
    if (cursor->entry && cursor->prepared->known) cache_give(&conn->cache, cursor->entry);
    else if (cursor->entry) cache_drop(&conn->cache, cursor->entry);
    cursor->entry = NULL;
    cursor->prepared = NULL;
}

/* ------------------------------------------------------------------------------------------------------------ start */

static bool send_prepare(struct pg_conn *conn, struct pg_cursor *cursor) {
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
    take_prepared(conn, cursor);
    if (cursor->prepared && !send_prepare(conn, cursor)) return false;
    if (!send_execute(conn, cursor)) return false;
    cursor->state = CURSOR_SENT;
    conn->synced = false;
    conn->since_sync++;
    if (cursor->statement.soils && !conn->in_transaction) conn->soiled = true;
    return true;
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

static void blame(const struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    if (!error->sql) error->sql = arena_text(arena, cursor->statement.text, cursor->statement.len);
}

/* Functions and casts quote the values they are given; what the parser quotes stands in the text of the statement. Rows that are
 * written may have lent their texts for the time of sending only, and are in no function. */
static void hide_values(const struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    const struct pg_params *params = &cursor->params;
    bool lent = cursor->statement.kind == STATEMENT_WRITE && !cursor->statement.typed;
    if (lent || PQresultErrorField(cursor->result, PG_DIAG_STATEMENT_POSITION)) return;
    for (int i = 0; i < params->count; i++)
        if (params->values[i] && !params->formats[i]) error_hide(error, arena, params->values[i], strlen(params->values[i]));
}

static bool begins(const struct pg_cursor *cursor, const char *word) {
    return cursor->statement.kind == STATEMENT_TRANSACTION && strncmp(cursor->statement.text, word, strlen(word)) == 0;
}

/* What became of a write when the server can't be asked any more: nobody knows, unless a transaction was open whose COMMIT was
 * not sent. */
static enum outcome outcome_when_lost(const struct pg_conn *conn) {
    bool open = conn->in_transaction, wrote = false;
    for (const struct pg_cursor *cursor = conn->cursors; cursor; cursor = cursor->next) {
        if (begins(cursor, "COMMIT")) return OUTCOME_UNKNOWN;
        open = open || begins(cursor, "BEGIN");
        wrote = wrote || cursor->statement.kind == STATEMENT_WRITE || cursor->statement.kind == STATEMENT_SCHEMA;
    }
    return open ? OUTCOME_ROLLED_BACK : wrote ? OUTCOME_UNKNOWN : OUTCOME_NONE;
}

static bool server_says(const struct pg_conn *conn, const char *setting) {
    const char *value = PQparameterStatus(conn->pg, setting);
    return value && strcmp(value, "on") == 0;
}

/* Servers before version 14 don't tell. */
static enum pg_access access_of(const struct pg_conn *conn) {
    if (conn->read_only) return PG_READ_ONLY;
    if (conn->replica) return PG_REPLICA;
    bool demoted = server_says(conn, "in_hot_standby") || server_says(conn, "default_transaction_read_only");
    return demoted ? PG_DEMOTED : PG_ASKED;
}

/* The server's own timeout comes first. */
static int grace_of(const struct pg_conn *conn) {
    return conn->keeps ? 250 + conn->timeout / 4 : 0;
}

/* Whether a statement has taken as long as it may, give or take what clocks may differ. */
static bool is_over(const struct pg_conn *conn) {
    enum { CLOCKS_DIFFER = 10 };
    return conn->deadline && clock_ms() + CLOCKS_DIFFER >= conn->deadline - grace_of(conn);
}

static struct pg_failure failure_of(const struct pg_conn *conn, const struct pg_cursor *cursor) {
    const PGresult *result = cursor->result;
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return (struct pg_failure){
        .sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
        .message = primary ? primary : PQresultErrorMessage(result),
        .detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
        .table = PQresultErrorField(result, PG_DIAG_TABLE_NAME),
        .table_schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME),
        .column = PQresultErrorField(result, PG_DIAG_COLUMN_NAME),
        .constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME),
        .timeout = is_over(conn) ? conn->timeout : 0,
        .access = access_of(conn),
        .schema = cursor->statement.kind == STATEMENT_SCHEMA,
    };
}

/* A statement that failed left nothing behind; one that was not understood had not begun, unless the fault is in what it called. */
static enum outcome outcome_of(const struct pg_cursor *cursor) {
    bool called = PQresultErrorField(cursor->result, PG_DIAG_CONTEXT);
    bool refused = !called && postgres_error_refuses(PQresultErrorField(cursor->result, PG_DIAG_SQLSTATE));
    return refused || cursor->statement.kind == STATEMENT_READ ? OUTCOME_NONE : OUTCOME_ROLLED_BACK;
}

static enum drive fail(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    struct pg_failure failure = failure_of(conn, cursor);
    bool first = !error_is_set(error);
    conn->base.broken |= postgres_error_breaks(failure.sqlstate);
    if (first) error->outcome = conn->base.broken ? outcome_when_lost(conn) : outcome_of(cursor);
    postgres_error_set(&failure, arena, error);
    if (first && error->code == ERROR_SERIALIZATION) error->outcome = OUTCOME_ROLLED_BACK;
    if (postgres_error_demotes(&failure)) conn->base.broken = conn->base.demoted = true;
    if (first) hide_values(cursor, arena, error);
    blame(cursor, arena, error);
    if (conn->in_transaction && !conn->first_error[0] && error->message)
        snprintf(conn->first_error, sizeof conn->first_error, "%s", error->message);
    cursor->state = CURSOR_OVER;
    return DRIVE_FAILED;
}

static bool is_open(const struct pg_conn *conn) {
    return PQstatus(conn->pg) == CONNECTION_OK;
}

/* True for an error of the server's: those of libpq itself carry no SQLSTATE. */
static bool is_told(const struct pg_cursor *cursor) {
    return cursor->state == CURSOR_FAILED && PQresultErrorField(cursor->result, PG_DIAG_SQLSTATE);
}

/* The server has begun to send, or to wait for, what no statement of ours has a place for. */
static bool is_copy(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH;
}

static void refuse_copy(struct arena *arena, struct error *error) {
    error_set(error, arena, ERROR_DATABASE, "COPY to or from the client (STDOUT, STDIN) is not supported: the connection is closed");
    error->outcome = OUTCOME_ROLLED_BACK;
}

/* The connection can't be used any more: lost, or the server is silent. */
static enum drive lose(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    conn->base.broken = true;
    if (is_told(cursor)) return fail(conn, cursor, arena, error);
    if (error_is_set(error)) return DRIVE_FAILED;
    error->outcome = outcome_when_lost(conn);
    if (is_copy(cursor->result))
        refuse_copy(arena, error);
    else if (is_open(conn) && pg_is_late(conn))
        error_set(error, arena, ERROR_TIMEOUT, "the server did not answer within the timeout of a statement, %d ms", conn->timeout);
    else
        postgres_lost_set(PQerrorMessage(conn->pg), false, arena, error);
    blame(cursor, arena, error);
    return DRIVE_FAILED;
}

/* Where parameters are made: forgotten as soon as no statement is on its way. */
static struct arena *room_for_params(struct pg_conn *conn, const struct arena *call) {
    if (!conn->cursors) arena_reset(&conn->sent);
    conn->sent.oom = call->oom;
    conn->sent.owner = call->owner;
    return &conn->sent;
}

static struct cursor *postgres_start(struct conn *base, const struct statement *statement, struct arena *arena,
                                     struct error *error) {
    struct pg_conn *conn = conn_of(base);
    struct pg_cursor *cursor = arena_new(arena, struct pg_cursor);
    cursor->statement = *statement;
    if (statement->param_count > MOST_PARAMS) {
        error_set(error, arena, ERROR_USAGE, "the statement has %d parameters, and PostgreSQL takes %d at most: "
                  "use = ANY of an array, or several statements", statement->param_count, MOST_PARAMS);
        blame(cursor, arena, error);
        return NULL;
    }
    if (!pg_params_make(&cursor->params, statement, room_for_params(conn, arena), arena, error)) {
        blame(cursor, arena, error);
        return NULL;
    }
    if (is_kept(conn, cursor)) cursor->key = key_of(cursor, arena, &cursor->key_len);
    append(conn, cursor);
    if (begins(cursor, "BEGIN")) conn->first_error[0] = '\0';
    if (send(conn, cursor)) return &cursor->base;
    lose(conn, cursor, arena, error);
    leave(conn, cursor);
    give_prepared(conn, cursor);
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
    conn->base.broken |= is_copy(result);
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

/* The server says ROLLBACK to the COMMIT of a transaction in which something had failed. */
static enum drive refuse_commit(const struct pg_cursor *cursor, const char *reason, struct arena *arena, struct error *error) {
    if (!error_is_set(error)) error->outcome = OUTCOME_ROLLED_BACK;
    error_set(error, arena, ERROR_DATABASE,
              "the transaction was rolled back instead of committed, as a statement in it had failed%s%s",
              *reason ? ": " : "", reason);
    blame(cursor, arena, error);
    return DRIVE_FAILED;
}

static enum drive end(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    const char *affected = PQcmdTuples(cursor->result);
    cursor->state = CURSOR_OVER;
    if (begins(cursor, "COMMIT") && strcmp(PQcmdStatus(cursor->result), "COMMIT") != 0)
        return refuse_commit(cursor, conn->first_error, arena, error);
    if (begins(cursor, "ROLLBACK TO")) conn->first_error[0] = '\0';     /* forgiven */
    cursor->base.affected = strncmp(PQcmdStatus(cursor->result), "SELECT", 6) == 0 ? 0 : strtoll(affected, NULL, 10);
    return DRIVE_DONE;
}

/* ------------------------------------------------------------------------------------------------------------- step */

/* Where one is lost, all are: after DEALLOCATE ALL, or on another server behind a pooler. */
static void lose_statements(struct pg_conn *conn) {
    for (const struct pg_cursor *cursor = conn->cursors; cursor; cursor = cursor->next)
        if (cursor->prepared) cursor->prepared->known = false;
    pg_forget_statements(conn);
}

/* Takes back what the cache believes of a statement, which the server knows better. False: the failure is none of this kind. */
static bool mend_cache(struct pg_conn *conn, struct pg_cursor *cursor) {
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

/* A prepared statement that the server has lost, or whose plan does not fit the tables any more, is prepared anew and sent once
 * more; one that is there already is used. Inside a transaction it is too late for that. */
static bool send_again(struct pg_conn *conn, struct pg_cursor *cursor) {
    bool alone = conn->cursors == cursor && !cursor->next && conn->segment == 1;
    if (!mend_cache(conn, cursor) || cursor->retried || conn->in_transaction || !alone) return false;
    give_prepared(conn, cursor);
    cursor->retried = true;
    PQclear(cursor->result);
    cursor->result = NULL;
    return send(conn, cursor);
}

static bool is_last(const struct pg_cursor *cursor) {
    return cursor->next == NULL;
}

/* What the server thinks of the transaction is known when the sync is answered: the last statement waits for it, and one that
 * failed, as the others fail with it. */
static bool is_settled(const struct pg_conn *conn, const struct pg_cursor *cursor) {
    return !conn->expected || (cursor->state == CURSOR_ANSWERED && !is_last(cursor));
}

static void set_deadline(struct pg_conn *conn) {
    conn->deadline = conn->timeout > 0 ? clock_ms() + conn->timeout + grace_of(conn) : 0;
}

/* Sends what is not sent yet, and waits until the answer is settled. */
static enum drive receive(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    if (!conn->synced) {
        set_deadline(conn);
        if (!pg_sync(conn)) return lose(conn, cursor, arena, error);
    }
    while (cursor->state == CURSOR_SENT || !is_settled(conn, cursor)) {
        enum drive drive = pg_receive(conn);
        if (drive == DRIVE_FAILED) return lose(conn, cursor, arena, error);
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
    if (cursor->state == CURSOR_FAILED) return (is_told(cursor) || is_open(conn) ? fail : lose)(conn, cursor, arena, error);
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
    give_prepared(conn, cursor);
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
