#define _POSIX_C_SOURCE 200809L         /* strdup; before any header */

#include "driver/postgres_conn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "driver/postgres.h"
#include "driver/postgres_error.h"
#include "driver/postgres_target.h"

/* ms: where the user gave none, as libpq itself would wait for ever; between two attempts */
enum { CONNECT_TIMEOUT = 10000, REFUSED_PAUSE = 100 };

static struct pg_conn *conn_of(struct conn *conn) {
    return (struct pg_conn *)conn;
}

bool pg_is_late(const struct pg_conn *conn) {
    return conn->deadline && clock_ms() >= conn->deadline;
}

/* --------------------------------------------------------------------------------------------- answers to come */

bool pg_reserve(struct pg_conn *conn, int more) {
    if (conn->expected + more <= conn->room) return true;
    int room = conn->room ? conn->room * 2 : 32;
    while (room < conn->expected + more) room *= 2;
    struct expected *queue = calloc((size_t)room, sizeof *queue);
    if (!queue) return false;
    for (int i = 0; i < conn->expected; i++) queue[i] = conn->queue[(conn->head + i) % conn->room];
    free(conn->queue);
    conn->queue = queue;
    conn->room = room;
    conn->head = 0;
    return true;
}

void pg_expect(struct pg_conn *conn, enum command command, struct pg_cursor *cursor) {
    conn->queue[(conn->head + conn->expected++) % conn->room] = (struct expected){ command, cursor, false };
}

const struct expected *pg_head(const struct pg_conn *conn) {
    return conn->expected ? &conn->queue[conn->head] : NULL;
}

void pg_unexpect(struct pg_conn *conn) {
    conn->head = (conn->head + 1) % conn->room;
    conn->expected--;
}

bool pg_sync(struct pg_conn *conn) {
    if (!pg_reserve(conn, 1) || !PQpipelineSync(conn->pg)) return false;
    pg_expect(conn, COMMAND_SYNC, NULL);
    conn->fresh = !conn->syncs++;
    conn->synced = true;
    conn->segment = conn->since_sync;
    conn->since_sync = 0;
    return true;
}

/* While others are on their way libpq does not tell: the last sync will. */
static void take_sync(struct pg_conn *conn) {
    PGTransactionStatusType status = PQtransactionStatus(conn->pg);
    conn->syncs--;
    if (conn->syncs) return;
    conn->in_transaction = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

/* Behind the results of a command libpq gives NULL. One without results found no memory for them: nobody could tell any more whose
 * answer comes next. */
static void end_answer(struct pg_conn *conn, const struct expected *head) {
    if (!head || head->command == COMMAND_SYNC) return;
    if (!head->answered) conn->base.broken = true;
    if (head->command == COMMAND_EXECUTE) pg_set_deadline(conn);
    pg_unexpect(conn);
}

/* An error of libpq's own, as that it found no memory: what the server said is lost. */
static bool is_own_error(const PGresult *result) {
    return PQresultStatus(result) == PGRES_FATAL_ERROR && !PQresultErrorField(result, PG_DIAG_SQLSTATE);
}

static void take_answer(struct pg_conn *conn, PGresult *result) {
    struct expected *head = conn->expected ? &conn->queue[conn->head] : NULL;
    bool sync = head && head->command == COMMAND_SYNC;
    if (!result) {
        end_answer(conn, head);
        return;
    }
    if (head) head->answered = true;
    if (is_own_error(result)) conn->base.broken = true;
    if (sync && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        pg_unexpect(conn);
        take_sync(conn);
    } else if (sync) {
        pg_cursor_undone(conn, result);         /* the sync still comes */
    } else if (head && head->cursor) {
        pg_cursor_answer(conn, head->cursor, head->command, result);
    } else {
        PQclear(result);
    }
}

static bool lost(const struct pg_conn *conn) {
    return PQstatus(conn->pg) != CONNECTION_OK;
}

/* libpq 15 that finds no memory for the answer to a sync says so, and waits for it nevertheless: it would for ever. `said`: how much
 * it had said before it looked at what has come. */
static bool is_busy(struct pg_conn *conn, size_t said) {
    if (!PQisBusy(conn->pg)) return false;
    if (strlen(PQerrorMessage(conn->pg)) > said) conn->base.broken = true;
    return true;
}

enum drive pg_receive(struct pg_conn *conn) {
    if (!conn->expected || conn->base.broken) return DRIVE_FAILED;          /* nothing would ever come */
    int left = PQflush(conn->pg);
    if (left < 0 && lost(conn)) return DRIVE_FAILED;
    conn->flushing = left > 0;
    size_t said = strlen(PQerrorMessage(conn->pg));
    if (is_busy(conn, said)) {
        bool fresh = conn->fresh;
        conn->fresh = false;
        if (fresh && !conn->base.broken) return DRIVE_WAIT;                 /* nothing can have come yet: no need to look */
        if (!PQconsumeInput(conn->pg) && lost(conn)) return DRIVE_FAILED;
        bool busy = is_busy(conn, said);
        if (conn->base.broken) return DRIVE_FAILED;
        if (busy) return pg_is_late(conn) ? DRIVE_FAILED : DRIVE_WAIT;
    }
    take_answer(conn, PQgetResult(conn->pg));
    return conn->base.broken || lost(conn) ? DRIVE_FAILED : DRIVE_DONE;
}

/* ----------------------------------------------------------------------------------------------------- the session */

static bool send_own(struct pg_conn *conn, const char *text, int count, const char *const *values) {
    if (!pg_reserve(conn, 2)) return false;
    if (!PQsendQueryParams(conn->pg, text, count, NULL, values, NULL, NULL, 0)) return false;
    pg_expect(conn, COMMAND_IGNORED, NULL);
    return true;
}

enum { MOST_SETTINGS = 6 };

static const struct { const char *name, *value; } needed[] = {
    { "TimeZone", "UTC" }, { "DateStyle", "ISO" }, { "standard_conforming_strings", "on" },
};

/* `anew`: what the server last said of its settings holds no longer. */
static bool is_set(const struct pg_conn *conn, size_t setting, bool anew) {
    const char *value = anew ? NULL : PQparameterStatus(conn->pg, needed[setting].name);
    size_t len = strlen(needed[setting].value);
    bool begins = value && strncmp(value, needed[setting].value, len) == 0;
    return begins && (value[len] == '\0' || value[len] == ',');             /* ISO, MDY */
}

/* What a session needs that the server's own settings may say otherwise. Name and value alternate. */
static int list_settings(const struct pg_conn *conn, bool anew, const char **settings, char *path, char *timeout) {
    int count = 0;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!is_set(conn, i, anew)) settings[count++] = needed[i].name, settings[count++] = needed[i].value;
    if (conn->read_only) settings[count++] = "default_transaction_read_only", settings[count++] = "on";
    if (*path) settings[count++] = "search_path", settings[count++] = path;
    if (*timeout) settings[count++] = "statement_timeout", settings[count++] = timeout;
    return count;
}

/* "schema", public: extensions live in the latter. */
static void write_path(const struct pg_conn *conn, char *path, size_t size) {
    *path = '\0';
    if (!conn->schema) return;
    size_t at = 0;
    path[at++] = '"';
    for (const char *c = conn->schema; *c && at < size - 16; c++) {
        if (*c == '"') path[at++] = '"';
        path[at++] = *c;
    }
    strcpy(path + at, "\", public");
}

/* The server ends a statement by itself when its time is over, so that the connection stays usable. A pooler would hand such a
 * setting to others: there only our own deadline counts. */
static void write_timeout(const struct pg_conn *conn, char *timeout, size_t size) {
    *timeout = '\0';
    if (conn->timeout && conn->keeps) snprintf(timeout, size, "%d", conn->timeout);
}

static bool send_settings(struct pg_conn *conn, bool anew) {
    const char *settings[2 * MOST_SETTINGS];
    char path[192], timeout[16], text[512] = "SELECT ";
    write_path(conn, path, sizeof path);
    write_timeout(conn, timeout, sizeof timeout);
    int count = list_settings(conn, anew, settings, path, timeout);
    if (!count) return true;
    for (int i = 0; i < count; i += 2) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%sset_config($%d, $%d, false)", i ? ", " : "", i + 1, i + 2);
    }
    return send_own(conn, text, count, settings) && pg_sync(conn);
}

static void forget_closing(struct pg_conn *conn) {
    for (int i = 0; i < conn->closing_count; i++) free(conn->closing[i]);
    conn->closing_count = 0;
}

static bool close_statement(struct pg_conn *conn, const char *name) {
    char text[64];
    snprintf(text, sizeof text, "DEALLOCATE %s", name);
    return send_own(conn, text, 0, NULL);
}

/* Each on its own, so that one the server does not know harms nobody. */
static bool close_statements(struct pg_conn *conn) {
    for (int i = 0; i < conn->closing_count; i++)
        if (!close_statement(conn, conn->closing[i]) || !pg_sync(conn)) return false;
    forget_closing(conn);
    return true;
}

bool pg_close_now(struct pg_conn *conn, const char *name) {
    for (int i = 0; i < conn->closing_count; i++) {
        if (strcmp(conn->closing[i], name) != 0) continue;
        if (!close_statement(conn, name)) return false;
        free(conn->closing[i]);
        conn->closing[i] = conn->closing[--conn->closing_count];
        return true;
    }
    return true;
}

void pg_forget_statements(struct pg_conn *conn) {
    cache_clear(&conn->cache);
    forget_closing(conn);
}

/* DISCARD ALL ends prepared statements too. */
static bool discard(struct pg_conn *conn) {
    pg_forget_statements(conn);
    conn->resets = false;
    return send_own(conn, "DISCARD ALL", 0, NULL) && pg_sync(conn) && send_settings(conn, true);
}

/* A raw query can lift by a function what a read-only connection began with. Servers before version 14 don't tell. */
static bool is_lifted(const struct pg_conn *conn) {
    const char *value = conn->read_only ? PQparameterStatus(conn->pg, "default_transaction_read_only") : NULL;
    return value && strcmp(value, "off") == 0;
}

bool pg_prepare_session(struct pg_conn *conn) {
    if (conn->in_transaction || conn->expected || conn->since_sync) return true;
    if (conn->resets || is_lifted(conn)) return discard(conn);
    return !conn->closing_count || close_statements(conn);
}

/* -------------------------------------------------------------------------------------------------------- opening */

/* Messages that come beside results. Too many are left out, so that a server can't fill our memory. */
static void take_notice(void *owner, const char *message) {
    struct pg_conn *conn = owner;
    if (conn->notice_count >= NOTICES) return;
    char *text = strdup(message);
    if (!text) return;
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n') text[--len] = '\0';
    conn->notices[conn->notice_count++] = text;
}

static struct pg_conn *conn_new(const struct conn_options *options) {
    struct pg_conn *conn = calloc(1, sizeof *conn);
    if (!conn) return NULL;
    conn->base.driver = &driver_postgres;
    conn->timeout = options->timeout;
    conn->connect_timeout = options->connect_timeout > 0 ? options->connect_timeout : CONNECT_TIMEOUT;
    conn->read_only = options->read_only;
    conn->replica = options->replica;
    conn->keeps = options->statement_cache > 0;
    conn->schema = options->schema ? strdup(options->schema) : NULL;
    if ((!options->schema || conn->schema) && cache_init(&conn->cache, options->statement_cache, postgres_dispose)) return conn;
    free(conn->schema);
    free(conn);
    return NULL;
}

struct conn *postgres_open(const struct conn_options *options, struct arena *arena, struct error *error) {
    static const char *const keys[] = { "dbname", "client_encoding", "fallback_application_name", NULL };
    const char *target = postgres_target(options->target, arena, error);
    if (!target) return NULL;
    struct pg_conn *conn = conn_new(options);
    const char *const values[] = { target, "UTF8", "liga", NULL };
    if (conn) conn->pg = PQconnectStartParams(keys, values, 1);
    if (!conn || !conn->pg) {
        if (conn) postgres_close(&conn->base);
        error_set(error, arena, ERROR_CONNECTION, "cannot connect: out of memory");
        return NULL;
    }
    PQsetNoticeProcessor(conn->pg, take_notice, conn);
    PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);        /* or nothing tells the SQLSTATE of a refusal */
    conn->opening = true;
    conn->poll = PGRES_POLLING_WRITING;
    conn->deadline = clock_ms() + conn->connect_timeout;
    return &conn->base;
}

static enum drive fail_opening(struct pg_conn *conn, const char *sentence, struct arena *arena, struct error *error) {
    conn->base.broken = true;
    postgres_lost_set(sentence, true, arena, error);
    return DRIVE_FAILED;
}

static enum drive too_late(struct pg_conn *conn, struct arena *arena, struct error *error) {
    char reason[64];
    snprintf(reason, sizeof reason, "the server did not answer within %d ms", conn->connect_timeout);
    return fail_opening(conn, reason, arena, error);
}

/* The connection stands: it becomes non-blocking and gets its settings. */
static bool begin_session(struct pg_conn *conn) {
    conn->opening = false;
    PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    conn->cancel = PQgetCancel(conn->pg);
    return PQsetnonblocking(conn->pg, 1) == 0 && PQenterPipelineMode(conn->pg) && send_settings(conn, false);
}

/* A server that starts, recovers or stops refuses everybody: in a moment it may be there again. */
static enum drive refused(struct pg_conn *conn, struct arena *arena, struct error *error) {
    const char *message = PQerrorMessage(conn->pg);
    int64_t next = clock_ms() + REFUSED_PAUSE;
    if (!postgres_error_passes(message) || next >= conn->deadline) return fail_opening(conn, message, arena, error);
    conn->retry_at = next;
    return DRIVE_WAIT;
}

/* Begins anew when the pause is over. False: it is not. */
static bool pause_is_over(struct pg_conn *conn) {
    if (!conn->retry_at) return true;
    if (clock_ms() < conn->retry_at) return false;
    conn->retry_at = 0;
    conn->poll = PGRES_POLLING_WRITING;
    PQresetStart(conn->pg);
    return true;
}

enum drive postgres_ready(struct conn *base, struct arena *arena, struct error *error) {
    struct pg_conn *conn = conn_of(base);
    if (!pause_is_over(conn)) return DRIVE_WAIT;
    if (conn->opening) {
        if (PQstatus(conn->pg) != CONNECTION_BAD) conn->poll = PQconnectPoll(conn->pg);
        if (PQstatus(conn->pg) == CONNECTION_BAD || conn->poll == PGRES_POLLING_FAILED) return refused(conn, arena, error);
        if (conn->poll != PGRES_POLLING_OK) return pg_is_late(conn) ? too_late(conn, arena, error) : DRIVE_WAIT;
        if (!begin_session(conn)) return fail_opening(conn, PQerrorMessage(conn->pg), arena, error);
    }
    while (conn->expected) {
        enum drive drive = pg_receive(conn);
        if (drive == DRIVE_WAIT) return drive;
        if (drive == DRIVE_FAILED && pg_is_late(conn)) return too_late(conn, arena, error);
        if (drive == DRIVE_FAILED) return fail_opening(conn, PQerrorMessage(conn->pg), arena, error);
    }
    conn->deadline = 0;
    return DRIVE_DONE;
}

/* -------------------------------------------------------------------------------------------------------- closing */

void postgres_close(struct conn *base) {
    struct pg_conn *conn = conn_of(base);
    cache_free(&conn->cache);
    for (int half = 0; half < HALVES; half++) arena_free(&conn->sent[half]);
    forget_closing(conn);
    PQfreeCancel(conn->cancel);
    PQfinish(conn->pg);
    for (int i = 0; i < conn->notice_count; i++) free(conn->notices[i]);
    free(conn->handed);
    free(conn->closing);
    free(conn->queue);
    free(conn->schema);
    free(conn);
}

/* libpq would say goodbye to the server that the parent goes on talking to: its descriptor leads nowhere before that. */
void postgres_abandon(struct conn *base) {
    struct pg_conn *conn = conn_of(base);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0 && PQsocket(conn->pg) >= 0) dup2(nowhere, PQsocket(conn->pg));
    if (nowhere >= 0) close(nowhere);
    postgres_close(base);
}
