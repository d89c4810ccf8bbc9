#include "driver/sqlite.h"

#include <limits.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "driver/cache.h"
#include "driver/driver.h"
#include "driver/sqlite_error.h"
#include "driver/sqlite_functions.h"

#if SQLITE_VERSION_NUMBER < 3037000
#define sqlite3_changes64 sqlite3_changes
#endif

enum {
    PROGRESS_STEPS = 1000,              /* instructions of SQLite's machine between two looks at the clock */
    REASON_SIZE = 256,
};

struct sqlite_conn {
    struct conn base;
    sqlite3 *db;
    struct cache cache;
    struct sqlite_functions *functions;
    bool read_only, timed_out;
    int timeout;                        /* ms a statement may take; 0: for ever */
    int64_t deadline;                   /* of the statement that runs, in ms of the monotonic clock */
    char path[];                        /* as the user named it */
};

struct sqlite_cursor {
    struct cursor base;
    struct statement statement;         /* its texts live until finish */
    sqlite3_stmt *handle;
    struct cache_entry *entry;          /* of the handle; NULL: not kept, to be finalized */
    struct value *cells;
    int room;                           /* for cells */
    bool writes, done;
    int total_before;                   /* changes of the connection, to tell whether this statement made some */
    int64_t deadline;
};

static struct sqlite_conn *conn_of(struct conn *conn) {
    return (struct sqlite_conn *)conn;
}

static const struct sqlite_conn *conn_of_const(const struct conn *conn) {
    return (const struct sqlite_conn *)conn;
}

static struct sqlite_cursor *cursor_of(struct cursor *cursor) {
    return (struct sqlite_cursor *)cursor;
}

static sqlite3_stmt *handle_of(const struct cursor *cursor) {
    return ((const struct sqlite_cursor *)cursor)->handle;
}

/* --------------------------------------------------------------------------------------------------- the deadline */

/* Called by SQLite while a statement runs; not 0: stop. */
static int check_deadline(void *state) {
    struct sqlite_conn *conn = state;
    if (clock_ms() < conn->deadline) return 0;
    conn->timed_out = true;
    return 1;
}

/* --------------------------------------------------------------------------------------------------------- errors */

static struct sqlite_failure failure_of(const struct sqlite_conn *conn, int code) {
    return (struct sqlite_failure){
        .code = code,
        .text = sqlite3_errmsg(conn->db),
        .path = conn->path,
        .db = conn->db,
        .read_only = conn->read_only,
        .timed_out = conn->timed_out ? conn->timeout : 0,
    };
}

/* Adds what is known of the statement; always NULL, so that `return fail(…)` reads well in functions that give a cursor
 * and in those that say true or false. */
static void *blame(const struct statement *statement, struct arena *arena, struct error *error) {
    if (!error->sql) error->sql = arena_text(arena, statement->text, statement->len);
    return NULL;
}

static void *refuse(const struct statement *statement, struct arena *arena, struct error *error, const char *message) {
    error_set(error, arena, ERROR_USAGE, "%s", message);
    return blame(statement, arena, error);
}

static void *fail(struct sqlite_conn *conn, const struct statement *statement, int code, struct arena *arena,
                  struct error *error) {
    struct sqlite_failure failure = failure_of(conn, code);
    failure.committing = statement->kind == STATEMENT_TRANSACTION;
    conn->base.broken |= sqlite_error_breaks(code);
    sqlite_error_set(&failure, arena, error);
    return blame(statement, arena, error);
}

/* Of a statement that failed while it ran: SQLite takes back what a single one did, or even the whole transaction. */
static enum outcome outcome_of(const struct sqlite_conn *conn, const struct sqlite_cursor *cursor) {
    if (cursor->writes) return OUTCOME_ROLLED_BACK;
    bool ended = cursor->statement.kind == STATEMENT_TRANSACTION && sqlite3_get_autocommit(conn->db);
    return ended ? OUTCOME_ROLLED_BACK : OUTCOME_NONE;
}

/* -------------------------------------------------------------------------------------------------- open and close */

static void finalize(void *handle) {
    sqlite3_finalize(handle);
}

static struct sqlite_conn *conn_new(const struct conn_options *options) {
    size_t size = strlen(options->target) + 1;
    struct sqlite_conn *conn = calloc(1, sizeof *conn + size);
    if (!conn) return NULL;
    memcpy(conn->path, options->target, size);
    conn->base.driver = &driver_sqlite;
    conn->read_only = options->read_only;
    conn->timeout = options->timeout;
    return conn;
}

/* A path, never a URI: SQLite may be built to take any name that begins with "file:" for one. */
static int open_file(struct sqlite_conn *conn, const struct conn_options *options) {
    bool like_uri = strncmp(options->target, "file:", 5) == 0;
    char *path = sqlite3_mprintf("%s%s", like_uri ? "./" : "", options->target);
    if (!path) return SQLITE_NOMEM;
    int create = options->replica ? 0 : SQLITE_OPEN_CREATE;
    int access = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | create;
    int code = sqlite3_open_v2(path, &conn->db, access | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_free(path);
    return code;
}

/* A busy database must not hold a statement longer than its own timeout. */
static int busy_timeout(const struct conn_options *options) {
    bool shorter = options->timeout > 0 && options->timeout < options->busy_timeout;
    return shorter ? options->timeout : options->busy_timeout;
}

static void configure(struct sqlite_conn *conn, const struct conn_options *options) {
    sqlite3_extended_result_codes(conn->db, 1);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_FKEY, (int)options->foreign_keys, (int *)NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
    sqlite3_busy_timeout(conn->db, busy_timeout(options));
    if (conn->timeout > 0) sqlite3_progress_handler(conn->db, PROGRESS_STEPS, check_deadline, conn);
}

/* Reading the schema's version finds out now, not at the first query, whether the file is a database at all. */
static int prepare_conn(struct sqlite_conn *conn, const struct conn_options *options) {
    conn->deadline = INT64_MAX;
    configure(conn, options);
    conn->functions = sqlite_functions_add(conn->db);
    if (!conn->functions || !cache_init(&conn->cache, options->statement_cache, finalize)) return SQLITE_NOMEM;
    return sqlite3_exec(conn->db, "PRAGMA recursive_triggers = ON; PRAGMA schema_version", NULL, NULL, NULL);
}

/* Closing disconnects virtual tables, which end statements of their own (full text search has some); what is left after that are
 * statements that a call left behind. */
static void close_handle(sqlite3 *db) {
    for (sqlite3_stmt *left; sqlite3_close(db) == SQLITE_BUSY && (left = sqlite3_next_stmt(db, NULL));) sqlite3_finalize(left);
}

static void sqlite_close(struct conn *base) {
    struct sqlite_conn *conn = conn_of(base);
    cache_free(&conn->cache);
    close_handle(conn->db);
    sqlite_functions_free(conn->functions);
    free(conn);
}

/* Closing a handle that came through fork could drop the parent's locks and roll its transaction back, so SQLite's part
 * is lost on purpose. */
static void sqlite_abandon(struct conn *base) {
    struct sqlite_conn *conn = conn_of(base);
    cache_forget(&conn->cache);
    sqlite_functions_free(conn->functions);
    free(conn);
}

/* SQLite's sentence, with the system's reason where there is one. */
static void write_reason(const struct sqlite_conn *conn, int code, char *reason) {
    bool of_system = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;
    int number = of_system && conn->db ? sqlite3_system_errno(conn->db) : 0;
    bool own = conn->db && code != SQLITE_NOMEM;        /* out of memory, the connection may know nothing of it */
    const char *text = own ? sqlite3_errmsg(conn->db) : sqlite3_errstr(code);
    snprintf(reason, REASON_SIZE, number ? "%s (%s)" : "%s", text, number ? strerror(number) : "");
}

/* Closes first, as setting the error may jump away when memory is out. */
static struct conn *give_up(struct sqlite_conn *conn, int code, const struct conn_options *options, struct arena *arena,
                            struct error *error) {
    char reason[REASON_SIZE];
    write_reason(conn, code, reason);
    sqlite_close(&conn->base);
    struct sqlite_failure failure = { .code = code, .text = reason, .path = options->target, .opening = true };
    sqlite_error_set(&failure, arena, error);
    return NULL;
}

static struct conn *sqlite_open(const struct conn_options *options, struct arena *arena, struct error *error) {
    if (!options->target[0]) {
        error_set(error, arena, ERROR_USAGE, "the path of the SQLite database is empty");
        return NULL;
    }
    struct sqlite_conn *conn = conn_new(options);
    if (!conn) {
        error_set(error, arena, ERROR_DATABASE, "out of memory");
        return NULL;
    }
    int code = open_file(conn, options);
    if (code == SQLITE_OK) code = prepare_conn(conn, options);
    if (code != SQLITE_OK) return give_up(conn, code, options, arena, error);
    return &conn->base;
}

/* ---------------------------------------------------------------------------------------------------------- start */

/* Skips blanks, comments and commands without content. */
static const char *skip_blank(const char *sql) {
    for (;;) {
        sql += strspn(sql, " \t\r\n\f;");
        if (strncmp(sql, "--", 2) == 0) {
            sql += strcspn(sql, "\n");
        } else if (strncmp(sql, "/*", 2) == 0) {
            const char *end = strstr(sql + 2, "*/");
            sql = end ? end + 2 : sql + strlen(sql);
        } else {
            return sql;
        }
    }
}

/* What is wrong with the text before SQLite sees it; NULL: nothing. */
static const char *text_fault(const struct statement *statement) {
    if (statement->len >= INT_MAX) return "the SQL is too long";
    if (memchr(statement->text, '\0', statement->len)) return "the SQL holds a NUL";
    if (!*skip_blank(statement->text)) return "the SQL is empty";
    return NULL;
}

/* Compiles a text that the cache doesn't have. */
static bool prepare(struct sqlite_conn *conn, struct sqlite_cursor *cursor, struct arena *arena, struct error *error) {
    const struct statement *statement = &cursor->statement;
    const char *fault = text_fault(statement);
    if (fault) return refuse(statement, arena, error, fault);
    const char *begin = skip_blank(statement->text), *tail;
    int len = (int)(statement->len - (size_t)(begin - statement->text)) + 1;
    unsigned flags = statement->one_off ? 0 : SQLITE_PREPARE_PERSISTENT;
    int code = sqlite3_prepare_v3(conn->db, begin, len, flags, &cursor->handle, &tail);
    if (code != SQLITE_OK) return fail(conn, statement, code, arena, error);
    if (!cursor->handle) return refuse(statement, arena, error, "the SQL is empty");
    if (*skip_blank(tail)) {
        sqlite3_finalize(cursor->handle);
        return refuse(statement, arena, error, "one command at a time: there is another one behind the first");
    }
    if (!statement->one_off) cursor->entry = cache_keep(&conn->cache, statement->text, statement->len, cursor->handle);
    return true;
}

static bool take_handle(struct sqlite_conn *conn, struct sqlite_cursor *cursor, struct arena *arena,
                        struct error *error) {
    const struct statement *statement = &cursor->statement;
    if (!statement->one_off)
        cursor->handle = cache_take(&conn->cache, statement->text, statement->len, &cursor->entry);
    return cursor->handle || prepare(conn, cursor, arena, error);
}

static void give_handle(struct sqlite_conn *conn, struct sqlite_cursor *cursor) {
    if (cursor->entry) cache_give(&conn->cache, cursor->entry);
    else sqlite3_finalize(cursor->handle);
    cursor->handle = NULL;
}

static int bind(sqlite3_stmt *handle, int index, const struct value *value) {
    switch (value->kind) {
    case VALUE_NULL: return sqlite3_bind_null(handle, index);
    case VALUE_BOOL: return sqlite3_bind_int64(handle, index, value->as.boolean);
    case VALUE_INT:  return sqlite3_bind_int64(handle, index, value->as.integer);
    case VALUE_REAL: return sqlite3_bind_double(handle, index, value->as.real);
    case VALUE_TEXT: return sqlite3_bind_text64(handle, index, value->as.text, value->len, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_BLOB: return sqlite3_bind_blob64(handle, index, value->as.text, value->len, SQLITE_STATIC);
    case VALUE_LIST: break;
    }
    return SQLITE_MISUSE;
}

/* SQLite would store NULL. */
static bool is_nan(const struct value *value) {
    return value->kind == VALUE_REAL && isnan(value->as.real);
}

/* The number of the first parameter that can't be bound, with the reason, or 0. */
static int bind_all(sqlite3_stmt *handle, const struct statement *statement, int *code) {
    for (int i = 0; i < statement->param_count; i++) {
        *code = is_nan(&statement->params[i]) ? SQLITE_MISMATCH : bind(handle, i + 1, &statement->params[i]);
        if (*code != SQLITE_OK) return i + 1;
    }
    return 0;
}

static void *refuse_count(const struct statement *statement, int wanted, struct arena *arena, struct error *error) {
    int given = statement->param_count;
    error_set(error, arena, ERROR_USAGE, "the SQL has %d parameters, but %d values are given", wanted, given);
    return blame(statement, arena, error);
}

static void *refuse_value(const struct statement *statement, int index, int code, struct arena *arena,
                          struct error *error) {
    if (code == SQLITE_MISMATCH) {
        error_set(error, arena, ERROR_VALIDATION, "SQLite cannot hold NaN (parameter %d)", index);
        error->value = statement->params[index - 1];
        error->has_value = true;
    } else {
        error_set(error, arena, ERROR_DATABASE, "parameter %d: %s", index, sqlite3_errstr(code));
        error->native = code;
    }
    return blame(statement, arena, error);
}

/* The handle goes back before an error is set, as setting it may jump away when memory is out. */
static struct cursor *bind_cursor(struct sqlite_conn *conn, struct sqlite_cursor *cursor, struct arena *arena,
                                  struct error *error) {
    const struct statement *statement = &cursor->statement;
    int wanted = sqlite3_bind_parameter_count(cursor->handle), code = SQLITE_OK;
    int refused = wanted == statement->param_count ? bind_all(cursor->handle, statement, &code) : -1;
    if (refused == 0) return &cursor->base;
    give_handle(conn, cursor);
    if (refused < 0) return refuse_count(statement, wanted, arena, error);
    return refuse_value(statement, refused, code, arena, error);
}

static void set_deadline(struct sqlite_conn *conn, struct sqlite_cursor *cursor) {
    if (conn->timeout > 0) conn->deadline = cursor->deadline = clock_ms() + conn->timeout;
}

static struct cursor *sqlite_start(struct conn *base, const struct statement *statement, struct arena *arena,
                                   struct error *error) {
    struct sqlite_conn *conn = conn_of(base);
    struct sqlite_cursor *cursor = arena_new(arena, struct sqlite_cursor);
    cursor->statement = *statement;
    set_deadline(conn, cursor);
    if (!take_handle(conn, cursor, arena, error)) return NULL;
    cursor->base.columns = sqlite3_column_count(cursor->handle);
    cursor->writes = !sqlite3_stmt_readonly(cursor->handle);
    if (cursor->writes) cursor->total_before = sqlite3_total_changes(conn->db);
    return bind_cursor(conn, cursor, arena, error);
}

/* ------------------------------------------------------------------------------------------------------------ step */

static bool read_bytes(struct value *cell, sqlite3_value *from, enum value_kind kind) {
    const void *bytes = kind == VALUE_TEXT ? (const void *)sqlite3_value_text(from) : sqlite3_value_blob(from);
    cell->kind = kind;
    cell->len = (size_t)sqlite3_value_bytes(from);
    cell->as.text = bytes ? bytes : "";
    return bytes || cell->len == 0;
}

/* False: out of memory. */
static bool read_cell(struct value *cell, sqlite3_value *from) {
    switch (sqlite3_value_type(from)) {
    case SQLITE_INTEGER: *cell = value_int(sqlite3_value_int64(from)); return true;
    case SQLITE_FLOAT:   *cell = value_real(sqlite3_value_double(from)); return true;
    case SQLITE_TEXT:    return read_bytes(cell, from, VALUE_TEXT);
    case SQLITE_BLOB:    return read_bytes(cell, from, VALUE_BLOB);
    default:             *cell = value_null(); return true;
    }
}

/* The columns of a statement change when it is compiled anew, because somebody has changed a table meanwhile. */
static void make_room(struct sqlite_cursor *cursor, struct arena *arena) {
    cursor->base.columns = sqlite3_data_count(cursor->handle);
    if (cursor->base.columns <= cursor->room) return;
    cursor->room = cursor->base.columns;
    cursor->base.cells = cursor->cells = arena_array(arena, struct value, cursor->room);
}

static bool read_cells(struct sqlite_cursor *cursor, int from, int end) {
    for (int i = from; i < end && i < cursor->base.columns; i++)
        if (!read_cell(&cursor->cells[i], sqlite3_column_value(cursor->handle, i))) return false;
    return true;
}

static bool read_row(struct sqlite_cursor *cursor) {
    return read_cells(cursor, 0, cursor->base.late) && read_cells(cursor, cursor->base.late_end, cursor->base.columns);
}

static enum drive end_cursor(struct sqlite_conn *conn, struct sqlite_cursor *cursor) {
    cursor->done = true;
    cursor->base.last_id = sqlite3_last_insert_rowid(conn->db);
    /* sqlite3_changes still tells of an earlier statement if this one was of the kind that isn't counted. */
    if (cursor->writes && sqlite3_total_changes(conn->db) != cursor->total_before)
        cursor->base.affected = sqlite3_changes64(conn->db);
    return DRIVE_DONE;
}

/* Functions quote the values they are given: `bad JSON path: 'x'`; some only the end of one. */
static void hide_values(const struct statement *statement, struct arena *arena, struct error *error) {
    if (strncmp(error->message, "JSON path error near", strlen("JSON path error near")) == 0) error->message = "JSON path error";
    for (int i = 0; i < statement->param_count; i++) {
        const struct value *value = &statement->params[i];
        if (value->kind == VALUE_TEXT) error_hide(error, arena, value->as.text, value->len);
    }
}

static enum drive fail_cursor(struct sqlite_conn *conn, struct sqlite_cursor *cursor, int code, struct arena *arena,
                              struct error *error) {
    cursor->done = true;
    if (!error_is_set(error)) error->outcome = outcome_of(conn, cursor);
    bool first = !error_is_set(error);
    fail(conn, &cursor->statement, code, arena, error);
    if (first) hide_values(&cursor->statement, arena, error);
    return DRIVE_FAILED;
}

static enum drive sqlite_step(struct conn *base, struct cursor *base_cursor, struct arena *arena, struct error *error) {
    struct sqlite_conn *conn = conn_of(base);
    struct sqlite_cursor *cursor = cursor_of(base_cursor);
    if (cursor->done) return DRIVE_DONE;
    conn->deadline = cursor->deadline;
    conn->timed_out = false;
    int code = sqlite3_step(cursor->handle);
    if (code == SQLITE_DONE) return end_cursor(conn, cursor);
    if (code != SQLITE_ROW) return fail_cursor(conn, cursor, code, arena, error);
    if (!cursor->cells) make_room(cursor, arena);
    if (read_row(cursor)) return DRIVE_ROW;
    return fail_cursor(conn, cursor, SQLITE_NOMEM, arena, error);
}

static bool sqlite_read_late(struct conn *base, struct cursor *base_cursor, struct arena *arena, struct error *error) {
    struct sqlite_cursor *cursor = cursor_of(base_cursor);
    if (read_cells(cursor, base_cursor->late, base_cursor->late_end)) return true;
    fail_cursor(conn_of(base), cursor, SQLITE_NOMEM, arena, error);
    return false;
}

static void sqlite_finish(struct conn *base, struct cursor *base_cursor) {
    struct sqlite_cursor *cursor = cursor_of(base_cursor);
    if (!cursor->handle) return;
    sqlite3_reset(cursor->handle);
    give_handle(conn_of(base), cursor);
}

/* -------------------------------------------------------------------------------------------------------- questions */

static const char *sqlite_column_name(const struct conn *conn, const struct cursor *cursor, int column) {
    (void)conn;
    const char *name = sqlite3_column_name(handle_of(cursor), column);
    return name ? name : "";            /* NULL only when memory is out */
}

static const char *sqlite_column_type(const struct conn *conn, const struct cursor *cursor, int column) {
    (void)conn;
    return sqlite3_column_decltype(handle_of(cursor), column);
}

static bool sqlite_in_transaction(const struct conn *conn) {
    return !sqlite3_get_autocommit(conn_of_const(conn)->db);
}

static bool sqlite_undo(struct conn *conn) {
    return !sqlite_in_transaction(conn) || sqlite3_exec(conn_of(conn)->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
}

static int sqlite_max_params(const struct conn *conn) {
    return sqlite3_limit(conn_of_const(conn)->db, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
}

static void sqlite_clear_cache(struct conn *conn) {
    cache_clear(&conn_of(conn)->cache);
}

static void sqlite_interrupt(struct conn *conn) {
    sqlite3_interrupt(conn_of(conn)->db);
}

const struct driver driver_sqlite = {
    .version = DRIVER_VERSION,
    .name = "sqlite",
    .pipeline = 1,
    .open = sqlite_open,
    .close = sqlite_close,
    .abandon = sqlite_abandon,
    .start = sqlite_start,
    .step = sqlite_step,
    .read_late = sqlite_read_late,
    .finish = sqlite_finish,
    .column_name = sqlite_column_name,
    .column_type = sqlite_column_type,
    .in_transaction = sqlite_in_transaction,
    .undo = sqlite_undo,
    .max_params = sqlite_max_params,
    .clear_cache = sqlite_clear_cache,
    .interrupt = sqlite_interrupt,
};
