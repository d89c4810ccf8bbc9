#include "driver/postgres_error.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum effect { EFFECT_NONE, EFFECT_RETRYABLE, EFFECT_BREAKS };

struct row {
    const char *prefix;             /* of the SQLSTATE: all five characters, or the two of a class */
    enum error_code code;
    enum effect effect;
    const char *sentence;           /* in place of the server's, which tells a value or would not help; NULL: the server's */
};

/* The first row that fits. */
static const struct row rows[] = {
    { "23505", ERROR_UNIQUE,        EFFECT_NONE,      NULL },
    { "23503", ERROR_FOREIGN_KEY,   EFFECT_NONE,      NULL },
    { "23001", ERROR_FOREIGN_KEY,   EFFECT_NONE,      NULL },       /* ON DELETE RESTRICT */
    { "23502", ERROR_NOT_NULL,      EFFECT_NONE,      NULL },
    { "23514", ERROR_CHECK,         EFFECT_NONE,      NULL },
    { "23P01", ERROR_EXCLUSION,     EFFECT_NONE,      NULL },
    { "40001", ERROR_SERIALIZATION, EFFECT_RETRYABLE, NULL },
    { "40P01", ERROR_SERIALIZATION, EFFECT_RETRYABLE, NULL },
    { "55P03", ERROR_TIMEOUT,       EFFECT_NONE,      "another connection holds a lock" },
    { "57014", ERROR_TIMEOUT,       EFFECT_NONE,      NULL },       /* a statement_timeout; see set_own */
    { "25P03", ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* too long idle in a transaction */
    { "25P04", ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* … or in all */
    { "25P02", ERROR_DATABASE,      EFFECT_NONE,      "the transaction is aborted by an earlier error: it can only be rolled back" },
    { "26000", ERROR_DATABASE,      EFFECT_RETRYABLE, NULL },
    { "0A000", ERROR_DATABASE,      EFFECT_NONE,      NULL },
    { "22003", ERROR_VALIDATION,    EFFECT_NONE,      "the number is out of the range of its type" },
    { "22001", ERROR_VALIDATION,    EFFECT_NONE,      NULL },       /* longer than its column */
    { "22",    ERROR_DATABASE,      EFFECT_NONE,      NULL },
    { "57P",   ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* shut down, crashed, not yet up */
    { "53300", ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* too many connections */
    { "08",    ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },
    { "28",    ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* who are you */
    { "3D000", ERROR_CONNECTION,    EFFECT_BREAKS,    NULL },       /* no such database */
};

static const struct row other = { "", ERROR_DATABASE, EFFECT_NONE, NULL };

static const struct row *row_get(const char *sqlstate) {
    for (size_t i = 0; sqlstate && i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(rows[i].prefix, sqlstate, strlen(rows[i].prefix)) == 0) return &rows[i];
    return &other;
}

static bool is(const char *sqlstate, const char *code) {
    return sqlstate && strcmp(sqlstate, code) == 0;
}

bool postgres_error_breaks(const char *sqlstate) {
    return row_get(sqlstate)->effect == EFFECT_BREAKS;
}

bool postgres_error_refuses(const char *sqlstate) {
    return sqlstate && (strncmp(sqlstate, "42", 2) == 0 || strncmp(sqlstate, "3F", 2) == 0);
}

bool postgres_error_stale(const char *sqlstate) {
    return is(sqlstate, "26000") || is(sqlstate, "0A000");
}

bool postgres_error_lost_statement(const char *sqlstate) {
    return is(sqlstate, "26000");
}

bool postgres_error_prepared_already(const char *sqlstate) {
    return is(sqlstate, "42P05");
}

/* --------------------------------------------------------------------------------------------------------- columns */

/* Takes the next name of `a, "b c"` off the list; NULL: there is none. */
static const char *next_name(const char **at, const char *end, struct arena *arena) {
    const char *c = *at;
    while (c < end && (*c == ',' || *c == ' ')) c++;
    if (c >= end) return NULL;
    char *name = arena_alloc(arena, (size_t)(end - c) + 1), *out = name;
    bool quoted = *c == '"';
    for (c += quoted; c < end; c++) {
        if (quoted && *c == '"' && (c + 1 >= end || c[1] != '"')) break;
        if (!quoted && *c == ',') break;
        if (quoted && *c == '"') c++;
        *out++ = *c;
    }
    *at = c + (quoted && c < end);
    return name;
}

/* `Key (a, b)=(1, 2) already exists.`: the names are in the first parentheses, in every language. */
static void read_columns(const char *detail, struct arena *arena, struct error *error) {
    const char *start = detail ? strchr(detail, '(') : NULL;
    const char *end = start ? strstr(start, ")=(") : NULL;
    if (!end) return;
    const char *at = start + 1;
    while (error->column_count < ERROR_COLUMNS) {
        const char *name = next_name(&at, end, arena);
        if (!name) return;
        error->columns[error->column_count++] = name;
    }
}

static const char *copy(const char *text, struct arena *arena) {
    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

static void read_constraint(const struct pg_failure *failure, struct arena *arena, struct error *error) {
    error->table = copy(failure->table, arena);
    error->table_schema = copy(failure->table_schema, arena);
    error->constraint = copy(failure->constraint, arena);
    if (failure->column) error->columns[error->column_count++] = copy(failure->column, arena);
    else if (error->code == ERROR_UNIQUE || error->code == ERROR_FOREIGN_KEY) read_columns(failure->detail, arena, error);
}

/* ---------------------------------------------------------------------------------------------------------- errors */

/* `value "99…" is out of range for type integer`, `invalid value "abc" for "YYYY"`: no value stands in the quotes. */
static const char *with_empty_quotes(const char *message, struct arena *arena) {
    const char *opening = strstr(message, "value \""), *closing = NULL;
    for (const char *at = opening; at && (at = strstr(at, "\" ")); at++) closing = at;
    if (!closing) return arena_text(arena, message, strlen(message));
    return arena_printf(arena, "%.*s…%s", (int)(opening - message) + (int)strlen("value \""), message, closing);
}

/* `invalid input syntax for type uuid: "abc"` tells a value: what follows the colon is left out. libpq's own sentences, which
 * come without an SQLSTATE, end with their line. */
static const char *without_value(const struct pg_failure *failure, struct arena *arena) {
    const char *message = failure->message && *failure->message ? failure->message : "the server gave no reason";
    if (!failure->sqlstate) return arena_text(arena, message, strcspn(message, "\n"));
    if (strncmp(failure->sqlstate, "22", 2) != 0) return arena_text(arena, message, strlen(message));
    const char *value = strstr(message, ": \"");
    return value ? arena_text(arena, message, (size_t)(value - message)) : with_empty_quotes(message, arena);
}

/* Errors about tables whose detail tells no value, and is what one wants to know. */
static const char *const explained[] = { "42804" /* keys of two types */, "2BP01" /* others depend on it */ };

static const char *explained_message(const struct pg_failure *failure, struct arena *arena) {
    const char *message = without_value(failure, arena);
    bool is_explained = false;
    for (size_t i = 0; i < sizeof explained / sizeof *explained; i++)
        is_explained = is_explained || is(failure->sqlstate, explained[i]);
    if (!failure->schema || !failure->detail || !is_explained) return message;
    struct buf buf;
    buf_init(&buf, arena);
    buf_addf(&buf, "%s: ", message);
    for (const char *c = failure->detail; *c; c++) {
        if (*c == '\n') buf_adds(&buf, "; ");
        else buf_addc(&buf, *c);
    }
    return buf.text;
}

static const struct { enum error_code code; const char *sentence; } refusals[] = {
    [PG_ASKED]     = { ERROR_USAGE,      "cannot write: the transaction is readOnly" },
    [PG_READ_ONLY] = { ERROR_USAGE,      "cannot write: the database was connected with readOnly" },
    [PG_REPLICA]   = { ERROR_USAGE,      "cannot write: this was read from a replica (db:transaction goes to the primary)" },
    [PG_DEMOTED]   = { ERROR_CONNECTION, "the server takes no writes: it is a standby, or was made read-only" },
};

bool postgres_error_demotes(const struct pg_failure *failure) {
    return failure->access == PG_DEMOTED && is(failure->sqlstate, "25006");
}

/* By pg_cancel_backend, or the request of another program. The SQLSTATE does not say; a server that speaks another language is
 * believed to mean a timeout. */
static bool is_cancelled(const struct pg_failure *failure) {
    return is(failure->sqlstate, "57014") && failure->message && strstr(failure->message, "user request");
}

/* What the options of the connection ask for, and what its server may be. */
static bool set_own(const struct pg_failure *failure, struct arena *arena, struct error *error) {
    if (is(failure->sqlstate, "57014") && failure->timeout)
        error_set(error, arena, ERROR_TIMEOUT, "the statement took longer than its timeout, %d ms", failure->timeout);
    else if (is_cancelled(failure))
        error_set(error, arena, ERROR_DATABASE, "the statement was cancelled by somebody else's request");
    else if (is(failure->sqlstate, "25006"))
        error_set(error, arena, refusals[failure->access].code, "%s", refusals[failure->access].sentence);
    else
        return false;
    return true;
}

bool postgres_error_set(const struct pg_failure *failure, struct arena *arena, struct error *error) {
    if (error_is_set(error)) return false;
    const struct row *row = row_get(failure->sqlstate);
    enum error_code code = failure->schema && row->code == ERROR_VALIDATION ? ERROR_DATABASE : row->code;
    if (!set_own(failure, arena, error)) {
        error_set(error, arena, code, "%s", row->sentence ? row->sentence : explained_message(failure, arena));
        error->retryable = row->effect == EFFECT_RETRYABLE;
        read_constraint(failure, arena, error);
    }
    error->sqlstate = copy(failure->sqlstate, arena);
    error->stale = postgres_error_stale(error->sqlstate) || postgres_error_prepared_already(error->sqlstate);
    return false;
}

enum { SQLSTATE_LEN = 5 };

/* The SQLSTATE in the first line of libpq's sentence, `… FATAL:  57P03: the database system is starting up`, or NULL. */
static const char *find_sqlstate(const char *sentence) {
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *end = sentence + strcspn(sentence, "\n");
    for (const char *at = sentence; (at = strstr(at, ":  ")) && at < end; at++)
        if (strspn(at + 3, letters) == SQLSTATE_LEN && strncmp(at + 3 + SQLSTATE_LEN, ": ", 2) == 0) return at + 3;
    return NULL;
}

bool postgres_error_passes(const char *sentence) {
    const char *sqlstate = find_sqlstate(sentence);
    return sqlstate && strncmp(sqlstate, "57P03", SQLSTATE_LEN) == 0;
}

/* The first line without what surrounds it; the others are hints about servers and sockets. */
bool postgres_lost_set(const char *sentence, bool opening, struct arena *arena, struct error *error) {
    size_t len = sentence ? strcspn(sentence, "\n") : 0;
    const char *sqlstate = len && opening ? find_sqlstate(sentence) : NULL;
    const char *reason = len ? arena_text(arena, sentence, len) : "the server closed the connection";
    if (sqlstate) {
        const char *rest = sqlstate + SQLSTATE_LEN + 2;
        reason = arena_printf(arena, "%.*s%.*s", (int)(sqlstate - sentence), sentence, (int)(sentence + len - rest), rest);
    }
    error_set(error, arena, ERROR_CONNECTION, opening ? "cannot connect: %s" : "the connection was lost: %s", reason);
    if (sqlstate) error->sqlstate = arena_text(arena, sqlstate, SQLSTATE_LEN);
    return false;
}
