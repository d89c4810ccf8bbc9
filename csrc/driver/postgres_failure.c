/* What a statement's failure is called, and what became of a write. */
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "driver/postgres_cursor.h"
#include "driver/postgres_error.h"

void pg_blame(const struct pg_cursor *cursor, struct arena *arena, struct error *error) {
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

/* What became of a write when the server can't be asked any more: nobody knows, unless a transaction was open whose COMMIT was
 * not sent. */
static enum outcome outcome_when_lost(const struct pg_conn *conn) {
    bool open = conn->in_transaction, wrote = false;
    for (const struct pg_cursor *cursor = conn->cursors; cursor; cursor = cursor->next) {
        if (pg_begins(cursor, "COMMIT")) return OUTCOME_UNKNOWN;
        open = open || pg_begins(cursor, "BEGIN");
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

void pg_set_deadline(struct pg_conn *conn) {
    conn->deadline = conn->timeout > 0 ? clock_ms() + conn->timeout + grace_of(conn) : 0;
}

/* Whether a statement may have taken as long as it may, give or take what clocks may differ. When the server began with it, which had
 * others before, is not known. */
static bool is_over(const struct pg_conn *conn, const struct pg_cursor *cursor) {
    enum { CLOCKS_DIFFER = 10 };
    return conn->timeout > 0 && clock_ms() + CLOCKS_DIFFER >= cursor->sent_at + conn->timeout;
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
        .timeout = is_over(conn, cursor) ? conn->timeout : 0,
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

static enum drive fail_as_told(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    struct pg_failure failure = failure_of(conn, cursor);
    bool first = !error_is_set(error);
    conn->base.broken |= postgres_error_breaks(failure.sqlstate);
    if (first) error->outcome = conn->base.broken ? outcome_when_lost(conn) : outcome_of(cursor);
    postgres_error_set(&failure, arena, error);
    if (first && error->code == ERROR_SERIALIZATION) error->outcome = OUTCOME_ROLLED_BACK;
    if (postgres_error_demotes(&failure)) conn->base.broken = conn->base.demoted = true;
    if (first) hide_values(cursor, arena, error);
    pg_blame(cursor, arena, error);
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

bool pg_is_copy(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH;
}

static void refuse_copy(struct arena *arena, struct error *error) {
    error_set(error, arena, ERROR_DATABASE, "COPY to or from the client (STDOUT, STDIN) is not supported: the connection is closed");
    error->outcome = OUTCOME_ROLLED_BACK;
}

enum drive pg_lose(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    conn->base.broken = true;
    if (is_told(cursor)) return fail_as_told(conn, cursor, arena, error);
    if (error_is_set(error)) return DRIVE_FAILED;
    error->outcome = outcome_when_lost(conn);
    if (pg_is_copy(cursor->result))
        refuse_copy(arena, error);
    else if (is_open(conn) && pg_is_late(conn))
        error_set(error, arena, ERROR_TIMEOUT, "the server did not answer within the timeout of a statement, %d ms", conn->timeout);
    else
        postgres_lost_set(PQerrorMessage(conn->pg), false, arena, error);
    pg_blame(cursor, arena, error);
    return DRIVE_FAILED;
}

enum drive pg_fail(struct pg_conn *conn, struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    return (is_told(cursor) || is_open(conn) ? fail_as_told : pg_lose)(conn, cursor, arena, error);
}

enum drive pg_refuse_commit(const struct pg_conn *conn, const struct pg_cursor *cursor, struct arena *arena, struct error *error) {
    const char *reason = conn->first_error;
    if (!error_is_set(error)) error->outcome = OUTCOME_ROLLED_BACK;
    error_set(error, arena, ERROR_DATABASE,
              "the transaction was rolled back instead of committed, as a statement in it had failed%s%s",
              *reason ? ": " : "", reason);
    pg_blame(cursor, arena, error);
    return DRIVE_FAILED;
}
