/* The SQLite driver: opening, rows, binding, errors, timeouts, the registered functions. */
#define _POSIX_C_SOURCE 200809L

#include "driver/sqlite.h"

#include <dirent.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "check.h"
#include "driver/driver.h"
#include "driver/sqlite_error.h"

static struct arena arena;
static struct error error;
static char folder[] = "/tmp/liga-ctest-XXXXXX";

static void out_of_memory(void *owner) {
    (void)owner;
    abort();
}

static const char *path_of(const char *name) {
    return arena_printf(&arena, "%s/%s", folder, name);
}

static struct conn_options options_for(const char *target) {
    return (struct conn_options){ .target = target, .foreign_keys = true, .busy_timeout = 20, .statement_cache = 16 };
}

static struct conn *open_with(struct conn_options options) {
    error_clear(&error);
    return driver_sqlite.open(&options, &arena, &error);
}

static struct conn *open_memory(void) {
    return open_with(options_for(":memory:"));
}

static void close_conn(struct conn *conn) {
    conn->driver->close(conn);
}

static struct statement statement_of(const char *sql, const struct value *params, int count) {
    return (struct statement){
        .text = sql, .len = strlen(sql), .params = params, .param_count = count, .kind = STATEMENT_WRITE
    };
}

/* What a run gives: the first row (texts copied), the number of rows and what was written. */
struct result {
    bool ok;
    int rows, columns;
    int64_t affected, last_id;
    struct value cells[8];
};

static struct value keep(struct value cell) {
    if (cell.kind == VALUE_TEXT || cell.kind == VALUE_BLOB) cell.as.text = arena_text(&arena, cell.as.text, cell.len);
    return cell;
}

static struct result run_statement(struct conn *conn, struct statement statement) {
    struct result result = { .ok = false };
    error_clear(&error);
    struct cursor *cursor = driver_sqlite.start(conn, &statement, &arena, &error);
    if (!cursor) return result;
    enum drive drive;
    while ((drive = driver_sqlite.step(conn, cursor, &arena, &error)) == DRIVE_ROW)
        for (int i = 0; result.rows++ == 0 && i < cursor->columns && i < 8; i++, result.rows--)
            result.cells[i] = keep(cursor->cells[i]);
    result.ok = drive == DRIVE_DONE;
    result.columns = cursor->columns;
    result.affected = cursor->affected;
    result.last_id = cursor->last_id;
    driver_sqlite.finish(conn, cursor);
    return result;
}

static struct result run_with(struct conn *conn, const char *sql, const struct value *params, int count) {
    return run_statement(conn, statement_of(sql, params, count));
}

static struct result run(struct conn *conn, const char *sql) {
    return run_with(conn, sql, NULL, 0);
}

static bool is_text(struct value value, const char *text) {
    return value.kind == VALUE_TEXT && value.len == strlen(text) && memcmp(value.as.text, text, value.len) == 0;
}

static bool is_int(struct value value, int64_t integer) {
    return value.kind == VALUE_INT && value.as.integer == integer;
}

static bool says(const char *part) {
    return error.message && strstr(error.message, part);
}

/* True if the statement fails with this code. */
static bool fails(struct conn *conn, const char *sql, enum error_code code) {
    struct result result = run(conn, sql);
    if (result.ok || error.code != code)
        printf("# %s: %s %s\n", sql, error_name(error.code), error.message ? error.message : "");
    return !result.ok && error.code == code;
}

static void write_file(const char *path, const char *content) {
    FILE *file = fopen(path, "wb");
    if (!file) return;
    fputs(content, file);
    fclose(file);
}

/* --------------------------------------------------------------------------------------------------------- opening */

static void test_open(void) {
    struct conn *conn = open_memory();
    CHECK(conn && !error_is_set(&error), "a memory database opens");
    CHECK(is_int(run(conn, "PRAGMA foreign_keys").cells[0], 1), "foreign keys are on");
    CHECK(is_int(run(conn, "PRAGMA recursive_triggers").cells[0], 1), "recursive triggers are on");
    CHECK(is_int(run(conn, "PRAGMA trusted_schema").cells[0], 0), "the schema is not trusted");
    CHECK(fails(conn, "SELECT \"nosuch\"", ERROR_DATABASE) && says("no such column"), "double quotes are no strings");
    CHECK(driver_sqlite.max_params(conn) >= 32766, "the number of parameters is asked for");
    close_conn(conn);

    struct conn_options options = options_for(":memory:");
    options.foreign_keys = false;
    conn = open_with(options);
    CHECK(is_int(run(conn, "PRAGMA foreign_keys").cells[0], 0), "foreign keys can be off");
    close_conn(conn);
}

static void test_open_fails(void) {
    CHECK(!open_with(options_for(path_of("missing/shop.db"))), "a missing folder is refused at once");
    CHECK(error.code == ERROR_CONNECTION && error.native == SQLITE_CANTOPEN, "as a connection that can't be had");
    CHECK(says("missing/shop.db") && says("No such file"), "that names path and reason: %s", error.message);
    write_file(path_of("notes.txt"),
               "This is a long text and certainly not a database, whatever its name may be; we say so in a "
               "hundred bytes or more, as a short file could be a header that was cut off.");
    CHECK(!open_with(options_for(path_of("notes.txt"))), "a file that is no database is refused at once");
    CHECK(error.native == SQLITE_NOTADB && says("notes.txt") && says("not a database"), "saying so: %s", error.message);
    CHECK(!open_with(options_for(folder)) && says(folder), "a folder is refused: %s", error.message);
    CHECK(!open_with(options_for("")) && error.code == ERROR_USAGE, "an empty path is refused");
    struct conn_options options = options_for(path_of("nosuch.db"));
    options.read_only = true;
    CHECK(!open_with(options) && says("nosuch.db"), "a missing file isn't made for reading");
}

static void test_path_is_no_uri(void) {
    CHECK(chdir(folder) == 0, "into the test's folder");
    struct conn *conn = open_with(options_for("file:a.db?mode=memory"));
    CHECK(conn && run(conn, "CREATE TABLE t(a)").ok, "a path that looks like a URI opens");
    struct stat info;
    CHECK(stat("file:a.db?mode=memory", &info) == 0, "and is the name of a file");
    close_conn(conn);
}

static void test_read_only(void) {
    struct conn *conn = open_with(options_for(path_of("read.db")));
    CHECK(run(conn, "CREATE TABLE t(a)").ok, "a file database is made");
    close_conn(conn);
    struct conn_options options = options_for(path_of("read.db"));
    options.read_only = true;
    conn = open_with(options);
    CHECK(conn && run(conn, "SELECT * FROM t").ok, "it opens for reading");
    CHECK(fails(conn, "INSERT INTO t VALUES (1)", ERROR_USAGE) && says("readOnly"), "writing is a usage error: %s",
          error.message);
    close_conn(conn);
}

/* ------------------------------------------------------------------------------------------------ rows and binding */

static void test_kinds(void) {
    struct conn *conn = open_memory();
    struct result result = run(conn, "SELECT NULL, 9223372036854775807, 1.5, 'Zoë', x'00ff', '', x'', zeroblob(3)");
    CHECK(result.ok && result.rows == 1 && result.columns == 8, "one row of eight columns");
    CHECK(result.cells[0].kind == VALUE_NULL, "NULL");
    CHECK(is_int(result.cells[1], INT64_MAX), "an integer of 64 bits");
    CHECK(result.cells[2].kind == VALUE_REAL && result.cells[2].as.real == 1.5, "a real");
    CHECK(is_text(result.cells[3], "Zoë"), "a text");
    CHECK(result.cells[4].kind == VALUE_BLOB && result.cells[4].len == 2
              && !memcmp(result.cells[4].as.text, "\0\xff", 2),
          "a blob");
    CHECK(is_text(result.cells[5], ""), "an empty text");
    CHECK(result.cells[6].kind == VALUE_BLOB && result.cells[6].len == 0 && result.cells[6].as.text,
          "an empty blob isn't NULL");
    CHECK(result.cells[7].kind == VALUE_BLOB && result.cells[7].len == 3, "a blob of zeros");
    result = run(conn, "SELECT CAST(x'610062' AS TEXT)");
    CHECK(result.cells[0].len == 3 && !memcmp(result.cells[0].as.text, "a\0b", 3), "a text with NUL keeps its length");
    close_conn(conn);
}

static void test_binding(void) {
    struct conn *conn = open_memory();
    const struct value params[] = {
        value_null(),          value_bool(true),      value_int(INT64_MIN), value_real(-INFINITY),
        value_text("it's", 4), value_blob("a\0b", 3), value_text("", 0),    value_blob("", 0),
    };
    struct result result = run_with(conn, "SELECT ?, ?, ?, ?, ?, ?, ?, ?", params, 8);
    CHECK(result.cells[0].kind == VALUE_NULL && is_int(result.cells[1], 1),
          "NULL and a boolean, which is stored as an integer");
    int same = 0;
    for (int i = 2; i < 8; i++) same += value_equal(result.cells[i], params[i]);
    CHECK(same == 6, "the other kinds come back as they were bound");

    const struct value nan_param = value_real(NAN);
    CHECK(!run_with(conn, "SELECT ?", &nan_param, 1).ok && error.code == ERROR_VALIDATION, "NaN is refused: %s",
          error.message);
    CHECK(error.has_value && says("parameter 1"), "and is in the error");
    CHECK(!run(conn, "SELECT ?").ok && error.code == ERROR_USAGE, "a missing value is refused: %s", error.message);
    CHECK(!run_with(conn, "SELECT 1", params, 1).ok && error.code == ERROR_USAGE, "a surplus value is refused");
    CHECK(run_with(conn, "SELECT ?", params + 2, 1).ok, "the connection works on");
    const struct value large = value_text("x", 3000000000u);
    CHECK(!run_with(conn, "SELECT ?", &large, 1).ok && error.native == SQLITE_TOOBIG, "too long a text is refused: %s",
          error.message);
    close_conn(conn);
}

static void test_affected(void) {
    struct conn *conn = open_memory();
    struct result result = run(conn, "CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    CHECK(result.ok && result.affected == 0 && result.columns == 0, "DDL writes no rows");
    result = run(conn, "INSERT INTO t(a) VALUES (1), (2), (3)");
    CHECK(result.affected == 3 && result.last_id == 3, "an insert counts and tells its last id");
    CHECK(run(conn, "SELECT * FROM t").affected == 0, "a read counts nothing");
    CHECK(run(conn, "CREATE TABLE u(a)").affected == 0, "DDL after a write counts nothing");
    CHECK(run(conn, "UPDATE t SET a = 0 WHERE id > 1").affected == 2, "an update counts");
    CHECK(run(conn, "UPDATE t SET a = 0 WHERE id > 9").affected == 0, "an update of nothing counts nothing");
    CHECK(run(conn, "INSERT INTO t(id) VALUES (1) ON CONFLICT DO NOTHING").affected == 0, "nor does a skipped insert");
    result = run(conn, "INSERT INTO t(a) VALUES (8), (9) RETURNING id, a");
    CHECK(result.rows == 2 && result.affected == 2 && is_int(result.cells[0], 4), "RETURNING gives rows and counts");
    CHECK(run(conn, "DELETE FROM t").affected == 5, "a delete counts");
    CHECK(run(conn, "DROP TABLE t").affected == 0, "dropping counts nothing");
    close_conn(conn);
}

static void test_columns(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(id INTEGER PRIMARY KEY, name VARCHAR(40))");
    struct statement statement = statement_of("SELECT name, count(*) AS n FROM t", NULL, 0);
    struct cursor *cursor = driver_sqlite.start(conn, &statement, &arena, &error);
    CHECK(strcmp(driver_sqlite.column_name(conn, cursor, 1), "n") == 0, "a column has a name");
    CHECK(strcmp(driver_sqlite.column_type(conn, cursor, 0), "VARCHAR(40)") == 0, "and its declared type");
    CHECK(!driver_sqlite.column_type(conn, cursor, 1), "an expression has none");
    driver_sqlite.finish(conn, cursor);
    run(conn, "INSERT INTO t VALUES (1, 'ann')");
    CHECK(run(conn, "SELECT * FROM t").columns == 2, "two columns");
    CHECK(run(conn, "ALTER TABLE t ADD COLUMN age DEFAULT 7").ok, "a column more");
    struct result result = run(conn, "SELECT * FROM t");
    CHECK(result.columns == 3 && is_int(result.cells[2], 7), "a kept statement gives the new column too");
    close_conn(conn);
}

/* Cells that are not wanted of every row keep what they held until they are asked for. */
static void test_late_cells(void) {
    struct conn *conn = open_memory();
    struct statement statement = statement_of("SELECT 1, 'a', 10, 'z' UNION ALL SELECT 2, 'b', 20, 'y'", NULL, 0);
    struct cursor *cursor = conn->driver->start(conn, &statement, &arena, &error);
    CHECK(conn->driver->step(conn, cursor, &arena, &error) == DRIVE_ROW && cursor->cells[2].as.integer == 10, "the first row");
    cursor->late = 1;
    cursor->late_end = 3;
    CHECK(conn->driver->step(conn, cursor, &arena, &error) == DRIVE_ROW, "another row");
    CHECK(cursor->cells[0].as.integer == 2 && cursor->cells[3].as.text[0] == 'y', "what is wanted of it is there");
    CHECK(cursor->cells[2].as.integer == 10, "the rest was not read");
    CHECK(conn->driver->read_late(conn, cursor, &arena, &error), "it is read when asked for");
    CHECK(cursor->cells[1].as.text[0] == 'b' && cursor->cells[2].as.integer == 20, "as it is in this row");
    CHECK(conn->driver->step(conn, cursor, &arena, &error) == DRIVE_DONE, "no more rows");
    conn->driver->finish(conn, cursor);
    close_conn(conn);
}

static void test_commands(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(a)");
    CHECK(fails(conn, "INSERT INTO t VALUES (1); DELETE FROM t", ERROR_USAGE) && says("one command"),
          "two commands are refused");
    CHECK(is_int(run(conn, "SELECT count(*) FROM t").cells[0], 0), "before the first one runs");
    CHECK(fails(conn, "SELECT 1; nonsense", ERROR_USAGE), "whatever the second one is");
    CHECK(run(conn, "; SELECT 1; -- done\n /* really */ ; ").ok, "blanks, comments and semicolons around are fine");
    CHECK(run(conn, "SELECT 1 -- no newline").ok && run(conn, "SELECT 1; /* left open").ok,
          "also when they are left open");
    CHECK(run(conn, "SELECT ';'';' -- ; SELECT 2").cells[0].len == 3, "semicolons in strings and comments are none");
    CHECK(fails(conn, "", ERROR_USAGE) && fails(conn, " ; -- nothing\n", ERROR_USAGE) && says("empty"),
          "empty SQL is refused");
    CHECK(fails(conn, "\xEF\xBB\xBF", ERROR_USAGE), "so is a byte order mark alone");
    struct statement statement = { .text = "SELECT 1\0, 2", .len = 12 };
    CHECK(!run_statement(conn, statement).ok && error.code == ERROR_USAGE && says("NUL"), "a NUL in SQL is refused");
    CHECK(fails(conn, "SELEKT 1", ERROR_DATABASE) && says("syntax error") && error.native == SQLITE_ERROR,
          "a syntax error");
    CHECK(error.sql && strcmp(error.sql, "SELEKT 1") == 0 && error.outcome == OUTCOME_NONE, "carries the statement");
    close_conn(conn);
}

static void test_cache(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(a)");
    run(conn, "INSERT INTO t VALUES (1), (2)");
    struct statement statement = statement_of("SELECT a FROM t ORDER BY a", NULL, 0);
    struct cursor *outer = driver_sqlite.start(conn, &statement, &arena, &error);
    struct cursor *inner = driver_sqlite.start(conn, &statement, &arena, &error);
    CHECK(outer && inner, "one text runs twice at a time");
    driver_sqlite.step(conn, outer, &arena, &error);
    driver_sqlite.step(conn, outer, &arena, &error);
    driver_sqlite.step(conn, inner, &arena, &error);
    CHECK(is_int(outer->cells[0], 2) && is_int(inner->cells[0], 1), "each at its own row");
    driver_sqlite.clear_cache(conn);
    CHECK(driver_sqlite.step(conn, outer, &arena, &error) == DRIVE_DONE, "emptying the cache doesn't disturb them");
    CHECK(driver_sqlite.step(conn, outer, &arena, &error) == DRIVE_DONE, "a finished statement stays finished");
    driver_sqlite.finish(conn, outer);
    driver_sqlite.finish(conn, outer);
    driver_sqlite.finish(conn, inner);
    statement.one_off = true;
    CHECK(run_statement(conn, statement).rows == 2, "a statement of one use runs");
    run(conn, "SELECT 1 + 1");
    outer = driver_sqlite.start(conn, &statement, &arena, &error);
    driver_sqlite.step(conn, outer, &arena, &error);
    close_conn(conn);
    CHECK(true, "closing finalizes what is left");
}

/* ---------------------------------------------------------------------------------------------------------- errors */

static void test_constraints(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE users(id INTEGER PRIMARY KEY, email UNIQUE, a, b, age CONSTRAINT adult CHECK (age >= 18), "
              "name NOT NULL, "
              "UNIQUE (a, b))");
    run(conn, "CREATE TABLE posts(user_id REFERENCES users ON DELETE RESTRICT)");
    run(conn, "INSERT INTO users VALUES (1, 'ann', 1, 2, 20, 'Ann')");
    run(conn, "INSERT INTO posts VALUES (1)");

    CHECK(fails(conn, "INSERT INTO users(email, name) VALUES ('ann', '')", ERROR_UNIQUE), "a unique column");
    CHECK(error.column_count == 1 && !strcmp(error.table, "users") && !strcmp(error.columns[0], "email"),
          "is named with its table");
    CHECK(error.native == SQLITE_CONSTRAINT_UNIQUE && error.outcome == OUTCOME_ROLLED_BACK && error.sql,
          "native code and outcome too");
    CHECK(fails(conn, "INSERT INTO users(a, b, name) VALUES (1, 2, '')", ERROR_UNIQUE), "a unique pair");
    CHECK(error.column_count == 2 && !strcmp(error.columns[0], "a") && !strcmp(error.columns[1], "b"),
          "names both columns");
    CHECK(fails(conn, "INSERT INTO users(id, name) VALUES (1, '')", ERROR_UNIQUE) && !strcmp(error.columns[0], "id"),
          "a key");
    CHECK(fails(conn, "INSERT INTO users(rowid, name) VALUES (1, '')", ERROR_UNIQUE), "a rowid");
    run(conn, "CREATE UNIQUE INDEX users_lower ON users(lower(email))");
    CHECK(fails(conn, "INSERT INTO users(email, name) VALUES ('ANN', '')", ERROR_UNIQUE), "a unique expression");
    CHECK(error.constraint && !strcmp(error.constraint, "users_lower") && !error.table, "names its index");
    CHECK(fails(conn, "INSERT INTO users(name) VALUES (NULL)", ERROR_NOT_NULL) && !strcmp(error.columns[0], "name"),
          "NOT NULL");
    CHECK(fails(conn, "INSERT INTO users(age, name) VALUES (3, '')", ERROR_CHECK) && !strcmp(error.constraint, "adult"),
          "CHECK");
    CHECK(fails(conn, "INSERT INTO posts VALUES (9)", ERROR_FOREIGN_KEY), "a foreign key");
    CHECK(fails(conn, "DELETE FROM users", ERROR_FOREIGN_KEY), "a foreign key that restricts");
    CHECK(is_int(run(conn, "SELECT count(*) FROM users").cells[0], 1), "nothing was written");
    close_conn(conn);
}

static void test_odd_names(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE \"a.b\"(\"c.d\", \"e, f\", UNIQUE (\"c.d\", \"e, f\"))");
    run(conn, "INSERT INTO \"a.b\" VALUES (1, 2)");
    CHECK(fails(conn, "INSERT INTO \"a.b\" VALUES (1, 2)", ERROR_UNIQUE), "names with dots");
    CHECK(!strcmp(error.table, "a.b") && error.column_count == 2, "are told apart");
    CHECK(!strcmp(error.columns[0], "c.d") && !strcmp(error.columns[1], "e, f"), "column by column");
    close_conn(conn);
}

static void test_other_errors(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    run(conn, "CREATE TABLE s(a INTEGER) STRICT");
    CHECK(fails(conn, "INSERT INTO t(id) VALUES ('x')", ERROR_VALIDATION) && error.native == SQLITE_MISMATCH,
          "a text as a key");
    CHECK(fails(conn, "INSERT INTO s VALUES ('x')", ERROR_DATABASE) && says("s.a"), "a text in a strict table: %s",
          error.message);
    CHECK(fails(conn, "SELECT * FROM nosuch", ERROR_DATABASE) && error.outcome == OUTCOME_NONE, "a missing table");
    CHECK(fails(conn, "SELECT json('{')", ERROR_DATABASE) && error.outcome == OUTCOME_NONE, "a failing read");
    CHECK(fails(conn, "SELECT abs(-9223372036854775808)", ERROR_VALIDATION), "a number out of its range");
    CHECK(fails(conn, "SELECT zeroblob(2000000000)", ERROR_DATABASE) && error.native == SQLITE_TOOBIG,
          "too big a value");
    run(conn, "CREATE TRIGGER no BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'not today'); END");
    run(conn, "INSERT INTO t(a) VALUES (1)");
    CHECK(fails(conn, "DELETE FROM t", ERROR_DATABASE) && says("not today"), "a trigger's own error");
    CHECK(fails(conn, "COMMIT", ERROR_DATABASE) && says("no transaction"), "COMMIT without a transaction");
    CHECK(!conn->broken, "none of them breaks the connection");
    close_conn(conn);
}

static void test_busy(void) {
    struct conn *one = open_with(options_for(path_of("busy.db")));
    struct conn *two = open_with(options_for(path_of("busy.db")));
    run(one, "CREATE TABLE t(a)");
    run(one, "PRAGMA journal_mode = wal");
    CHECK(run(one, "BEGIN IMMEDIATE").ok && driver_sqlite.in_transaction(one), "one writes");
    CHECK(fails(two, "INSERT INTO t VALUES (1)", ERROR_TIMEOUT) && error.retryable, "the other must wait: %s",
          error.message);
    CHECK(says("busy.db") && error.native == SQLITE_BUSY, "with path and code");
    CHECK(run(one, "COMMIT").ok && !driver_sqlite.in_transaction(one), "one is done");
    run(two, "BEGIN");
    run(two, "SELECT * FROM t");
    run(one, "INSERT INTO t VALUES (1)");
    CHECK(fails(two, "INSERT INTO t VALUES (2)", ERROR_TIMEOUT) && error.retryable, "a stale snapshot can't write: %s",
          error.message);
    CHECK(error.native == SQLITE_BUSY_SNAPSHOT, "with its own code");
    CHECK(run(two, "ROLLBACK").ok, "and is rolled back");
    close_conn(one);
    close_conn(two);
}

static void test_full(void) {
    struct conn *conn = open_with(options_for(path_of("full.db")));
    run(conn, "CREATE TABLE t(a)");
    run(conn, "PRAGMA max_page_count = 10");
    run(conn, "BEGIN IMMEDIATE");
    CHECK(fails(conn, "INSERT INTO t VALUES (randomblob(200000))", ERROR_DATABASE), "a full disk");
    CHECK(error.native == SQLITE_FULL && says("full.db") && error.outcome == OUTCOME_ROLLED_BACK, "is told: %s",
          error.message);
    CHECK(!driver_sqlite.in_transaction(conn), "SQLite has ended the transaction on its own");
    CHECK(run(conn, "INSERT INTO t VALUES (1)").ok, "the connection works on");
    close_conn(conn);
}

/* A database whose second page is overwritten. */
static void make_damaged(const char *path) {
    struct conn *conn = open_with(options_for(path));
    run(conn, "CREATE TABLE t(a)");
    run(conn, "INSERT INTO t VALUES (1)");
    close_conn(conn);
    FILE *file = fopen(path, "r+b");
    if (!file) return;
    fseek(file, 4096, SEEK_SET);
    for (int i = 0; i < 4096; i++) fputc(0x55, file);
    fclose(file);
}

static void test_damaged(void) {
    make_damaged(path_of("damaged.db"));
    struct conn *conn = open_with(options_for(path_of("damaged.db")));
    CHECK(conn != NULL, "a damaged file opens where its head is whole");
    CHECK(fails(conn, "SELECT * FROM t", ERROR_DATABASE) && error.native == SQLITE_CORRUPT, "reading fails: %s",
          error.message);
    CHECK(conn->broken, "and the connection is broken");
    close_conn(conn);
}

static void test_rare_errors(void) {
    static const struct {
        int native;
        enum error_code code;
    } cases[] = {
        { SQLITE_IOERR_WRITE, ERROR_DATABASE },       { SQLITE_NOMEM, ERROR_DATABASE },
        { SQLITE_PROTOCOL, ERROR_TIMEOUT },           { SQLITE_LOCKED, ERROR_DATABASE },
        { SQLITE_LOCKED_SHAREDCACHE, ERROR_TIMEOUT }, { SQLITE_BUSY_RECOVERY, ERROR_TIMEOUT },
        { SQLITE_READONLY_DBMOVED, ERROR_DATABASE },  { SQLITE_AUTH, ERROR_DATABASE },
        { SQLITE_INTERRUPT, ERROR_DATABASE },         { 12345, ERROR_DATABASE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sqlite_failure failure = { .code = cases[i].native,
                                          .text = sqlite3_errstr(cases[i].native),
                                          .path = "shop.db" };
        error_clear(&error);
        sqlite_error_set(&failure, &arena, &error);
        CHECK(error.code == cases[i].code && error.native == cases[i].native, "code %d: %s", cases[i].native,
              error.message);
    }
    struct sqlite_failure failure = { .code = SQLITE_CONSTRAINT_UNIQUE, .text = "UNIQUE constraint failed: " };
    error_clear(&error);
    sqlite_error_set(&failure, &arena, &error);
    CHECK(error.code == ERROR_UNIQUE && error.column_count == 0, "a sentence without columns");
}

static void test_timeout(void) {
    static const char forever[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    struct conn_options options = options_for(":memory:");
    options.timeout = 30;
    struct conn *conn = open_with(options);
    CHECK(fails(conn, forever, ERROR_TIMEOUT) && says("30 ms"), "a statement that takes too long: %s", error.message);
    CHECK(error.native == SQLITE_INTERRUPT && !error.retryable && !conn->broken, "is interrupted");
    CHECK(run(conn, "SELECT 1").ok, "the next one has its own time");
    close_conn(conn);

    options = options_for(path_of("slow.db"));
    struct conn *holder = open_with(options);
    run(holder, "BEGIN EXCLUSIVE");
    options.timeout = 30;
    options.busy_timeout = 60000;
    CHECK(!open_with(options) && error.code == ERROR_TIMEOUT && error.retryable,
          "waiting for a lock is no longer than it: %s", error.message);
    close_conn(holder);
}

static void test_fork(void) {
    struct conn *conn = open_with(options_for(path_of("fork.db")));
    run(conn, "CREATE TABLE t(a)");
    run(conn, "BEGIN IMMEDIATE");
    run(conn, "INSERT INTO t VALUES (1)");
    pid_t child = fork();
    if (child == 0) {
        driver_sqlite.abandon(conn);
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0 && run(conn, "COMMIT").ok,
          "a child that abandons the connection leaves the parent's transaction alone");
    CHECK(is_int(run(conn, "SELECT count(*) FROM t").cells[0], 1), "which is committed");
    driver_sqlite.interrupt(conn);
    CHECK(run(conn, "SELECT 1").ok, "an interrupt without a running statement does nothing");
    close_conn(conn);
}

/* ------------------------------------------------------------------------------------------------------- functions */

/* The value of an expression of two texts, as "1", "0", "NULL", or "error". */
static const char *call(struct conn *conn, const char *function, const char *a, const char *b) {
    const struct value params[] = { a ? value_text(a, strlen(a)) : value_null(),
                                    b ? value_text(b, strlen(b)) : value_null() };
    struct result result = run_with(conn, arena_printf(&arena, "SELECT %s(?, ?)", function), params, 2);
    if (!result.ok) return "error";
    if (result.cells[0].kind == VALUE_NULL) return "NULL";
    return arena_printf(&arena, "%d", (int)result.cells[0].as.integer);
}

struct example {
    const char *pattern, *text, *expected;
};

static void check_examples(struct conn *conn, const char *function, const struct example *examples) {
    for (int i = 0; examples[i].expected; i++) {
        const struct example *example = &examples[i];
        const char *got = call(conn, function, example->pattern, example->text);
        bool right = CHECK(!strcmp(got, example->expected), "%s, example %d is %s", function, i + 1, example->expected);
        if (!right)
            printf("# %s in %s\n", example->pattern ? example->pattern : "NULL",
                   example->text ? example->text : "NULL");
    }
}

static void test_like(void) {
    /* clang-format off */
    static const struct example examples[] = {
        { "ann", "ann", "1" }, { "ann", "Ann", "0" }, { "a%", "ann", "1" }, { "A%", "ann", "0" },
        { "%n", "ann", "1" }, { "%nn%", "ann", "1" }, { "%x%", "ann", "0" }, { "", "", "1" }, { "", "a", "0" },
        { "%", "", "1" }, { "%%", "a", "1" }, { "_", "", "0" }, { "_", "ö", "1" }, { "_", "日", "1" },
        { "_", "😀", "1" }, { "__", "😀", "0" }, { "Z__%", "Zoë", "1" }, { "%_ë", "Zoë", "1" },
        { "a\\%b", "a%b", "1" }, { "a\\%b", "axb", "0" }, { "a\\_b", "a_b", "1" }, { "a\\_b", "axb", "0" },
        { "a\\\\b", "a\\b", "1" }, { "%\\%", "50%", "1" }, { "%\\%", "50", "0" }, { "a%b%c", "aXbXbYc", "1" },
        { "%ab", "aab", "1" }, { "%a_b", "aaab", "1" }, { "abc%", "ab", "0" }, { "a\\", "ab", "error" },
        { "b\\", "ab", "0" }, { NULL, "a", "NULL" }, { "a", NULL, "NULL" },
        { "%a%a%a%a%b", "aaaaaaaaaaaaaaaaaaaaaaaaaaa", "0" }, { NULL, NULL, NULL },
    };
    static const struct example folded[] = {
        { "ANN", "ann", "1" }, { "%NN", "ann", "1" }, { "Ö", "ö", "0" }, { "[", "{", "0" }, { "@", "`", "0" },
        { "a\\B", "AB", "1" }, { NULL, "a", "NULL" }, { NULL, NULL, NULL },
    };
    /* clang-format on */
    struct conn *conn = open_memory();
    check_examples(conn, "liga_like", examples);
    check_examples(conn, "liga_ilike", folded);
    CHECK(is_int(run(conn, "SELECT liga_like('1%', 123)").cells[0], 1), "a number is compared as its text");
    CHECK(is_int(run(conn, "SELECT liga_like('%b', CAST(x'610062' AS TEXT))").cells[0], 1), "a NUL is a character");
    char *pattern = arena_alloc(&arena, 60001);
    memset(pattern, '%', 60000);
    CHECK(!strcmp(call(conn, "liga_like", pattern, "a"), "error") && says("too long"),
          "a pattern of 60,000 bytes is refused");
    close_conn(conn);
}

static void test_regexp(void) {
    /* clang-format off */
    static const struct example examples[] = {
        { "", "", "1" }, { "^$", "", "1" }, { "^$", "a", "0" }, { "b", "abc", "1" }, { "B", "abc", "0" },
        { "^b", "abc", "0" }, { "^a.c$", "abc", "1" }, { "^a.c$", "aöc", "1" }, { "^.$", "日", "1" },
        { "^..$", "日", "0" }, { "^.$", "😀", "1" }, { "^a*$", "", "1" }, { "^a*$", "aaa", "1" },
        { "^a+$", "", "0" }, { "^a?b$", "b", "1" }, { "^a?b$", "aab", "0" }, { "a|b", "xb", "1" },
        { "^(a|b|)c$", "c", "1" }, { "^a|b$", "xb", "1" }, { "^a|b$", "xbx", "0" }, { "()", "a", "1" },
        { "^(ab|cd){2}$", "abcd", "1" }, { "^(ab|cd){2}$", "ab", "0" }, { "^a{2,}$", "aaaa", "1" },
        { "^a{2,3}$", "aaaa", "0" }, { "^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "0" },
        { "^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaab", "0" }, { "^a{0}$", "", "1" }, { "(^a|b)c", "bc", "1" },
        { "(a$)|b", "xa", "1" }, { "a$b", "a$b", "0" }, { "^[ä-ü]+$", "öä", "1" },
        { "^[а-я]+$", "мир", "1" }, { "^[^a-c]$", "ö", "1" }, { "^[^a-c]$", "b", "0" },
        { "^[[:alpha:]]+$", "Zoë", "1" }, { "^[[:digit:]x-z]+$", "1y", "1" }, { "^[[:upper:]]$", "ö", "0" },
        { "[[:space:]]", "a b", "1" }, { "^[]a]+$", "a]", "1" }, { "^[^]]$", "x", "1" }, { "^[a-]+$", "-a", "1" },
        { "^[-a]+$", "-a", "1" }, { "^[[]$", "[", "1" }, { "^[\\\\x]+$", "\\x", "1" }, { "^[.*]$", "*", "1" },
        { "]}", "]}", "1" }, { "\\.", "a.b", "1" }, { "\\.", "ab", "0" }, { "a\\\\b", "a\\b", "1" },
        { "a.c", "a\nc", "1" }, { "^b", "a\nb", "0" },
        { "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "01234567-89ab-cdef-0123-456789abcdef", "1" },
        { "^\xff$", "\xff", "1" }, { "^.$", "\xff", "1" }, { "^.$", "\xe6\x97", "0" }, { NULL, "a", "NULL" },
        { "(", NULL, "NULL" }, { NULL, NULL, NULL },
    };
    static const struct example wrong[] = {
        { "(a)\\1", "aa", "error" }, { "\\w", "a", "error" }, { "\\d+", "1", "error" }, { "\\<a", "a", "error" },
        { "a\\", "a", "error" }, { "[\\w]", "w", "error" }, { "[a\\]", "a", "error" }, { "(", "a", "error" },
        { "(a", "a", "error" }, { "a)", "a", "error" }, { "[", "a", "error" }, { "[]", "a", "error" },
        { "[^]", "a", "error" }, { "[a", "a", "error" }, { "[z-a]", "a", "error" }, { "[[:alpha:]", "a", "error" },
        { "[[:letter:]]", "a", "error" }, { "[[:alpha", "a", "error" }, { "[[.a.]]", "a", "error" },
        { "*", "a", "error" }, { "a|*", "a", "error" }, { "(*)", "a", "error" }, { "^*", "a", "error" },
        { "a**", "a", "error" }, { "a+?", "a", "error" }, { "a{", "a", "error" }, { "a{1", "a", "error" },
        { "a{1,", "a", "error" }, { "a{x}", "a", "error" }, { "a{,2}", "a", "error" }, { "a{2,1}", "a", "error" },
        { "a{256}", "a", "error" }, { "a{99999999999}", "a", "error" }, { "a{250}{250}", "a", "error" },
        { "(((a{250}){250}){250}){250}", "a", "error" }, { "((((){250}){250}){250}){250}", "a", "error" },
        { "((((a{0}){250}){250}){250}){250}", "a", "error" }, { NULL, NULL, NULL },
    };
    static const struct example folded[] = {
        { "ÖL$", "Möl", "1" }, { "öl$", "MÖL", "1" }, { "x", "X", "1" }, { "x", "y", "0" },
        { "^[a-z]$", "B", "1" }, { "^[^a-z]$", "B", "0" }, { "^[[:upper:]]$", "b", "1" }, { NULL, NULL, NULL },
    };
    /* clang-format on */
    struct conn *conn = open_memory();
    check_examples(conn, "liga_regexp", examples);
    check_examples(conn, "liga_regexp", wrong);
    check_examples(conn, "liga_iregexp", folded);
    char *deep = arena_alloc(&arena, 1001);
    memset(deep, '(', 500);
    memset(deep + 500, ')', 500);
    CHECK(!strcmp(call(conn, "liga_regexp", deep, "a"), "error") && says("deeply"),
          "500 groups inside each other are refused");
    char *pattern = arena_alloc(&arena, 1002);
    memset(pattern, 'a', 1001);
    CHECK(!strcmp(call(conn, "liga_regexp", pattern, "a"), "error") && says("1000"),
          "a pattern of 1,001 bytes is refused");
    CHECK(is_int(run(conn, "SELECT sum(liga_regexp('^a|2$', column1)) FROM (VALUES ('a'), ('b'), ('12'))").cells[0], 2),
          "a pattern serves many rows");
    CHECK(
        is_int(run(conn, "SELECT sum(liga_regexp(column2, column1)) FROM (VALUES ('a', 'a'), ('b', 'a'))").cells[0], 1),
        "or each row has its own");
    close_conn(conn);
}

static bool gives(struct conn *conn, const char *expression, const char *text) {
    struct result result = run(conn, arena_printf(&arena, "SELECT %s", expression));
    bool same = result.ok && (text ? is_text(result.cells[0], text) : result.cells[0].kind == VALUE_NULL);
    if (!same)
        printf("# %s: %s\n", expression,
               result.ok && result.cells[0].kind == VALUE_TEXT ? result.cells[0].as.text : "?");
    return same;
}

static void test_decimal(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(short NUMERIC, long TEXT)");
    CHECK(gives(conn, "liga_sum(short, 2) FROM t", NULL), "the sum over no rows is NULL");
    run(conn, "INSERT INTO t VALUES (NULL, NULL)");
    CHECK(gives(conn, "liga_sum(short, 2) FROM t", NULL), "as over NULL alone");
    run(conn, "INSERT INTO t VALUES (0.1, '12345678901234567890.05'), (0.2, '-0.06'), (5, '9.50'), ('7.25', '10')");
    CHECK(gives(conn, "liga_sum(short, 2) FROM t", "12.55"), "a sum of numbers is exact");
    CHECK(gives(conn, "liga_sum(long, 2) FROM t", "12345678901234567909.49"), "so is one of long texts");
    CHECK(gives(conn, "(SELECT group_concat(long, ' ') FROM (SELECT long FROM t ORDER BY long COLLATE liga_decimal))",
                "-0.06 9.50 10 12345678901234567890.05"),
          "the collation orders by value");
    CHECK(is_int(run(conn, "SELECT '1.0' = '1.00' COLLATE liga_decimal").cells[0], 1), "and equal values are equal");
    CHECK(gives(conn, "liga_round(1.005, 2)", "1.01") && gives(conn, "liga_round(0.1 + 0.2, 2)", "0.30"), "rounding");
    CHECK(gives(conn, "liga_round(NULL, 2)", NULL) && gives(conn, "liga_round('-2.5', 0)", "-3"),
          "half away from zero");
    CHECK(gives(conn, "liga_add('12345678901234567890.05', -0.05, 2, 0)", "12345678901234567890.00"), "exact addition");
    CHECK(gives(conn, "liga_add(NULL, 1, 2, 0)", NULL) && gives(conn, "liga_add(1, NULL, 2, 0)", NULL), "of NULL is NULL");
    CHECK(fails(conn, "SELECT liga_round('abc', 2)", ERROR_DATABASE) && says("not a decimal"),
          "what is no number is an error");
    CHECK(fails(conn, "SELECT liga_round(1e999, 2)", ERROR_DATABASE), "so is infinity");
    run(conn, "INSERT INTO t VALUES ('abc', NULL)");
    CHECK(fails(conn, "SELECT liga_sum(short, 2) FROM t", ERROR_DATABASE), "also in a sum");
    close_conn(conn);
}

static void test_total(void) {
    struct conn *conn = open_memory();
    run(conn, "CREATE TABLE t(n BIGINT)");
    CHECK(gives(conn, "liga_total(n) FROM t", NULL) && gives(conn, "liga_mean(n) FROM t", NULL), "the sum over no rows is NULL");
    run(conn, "INSERT INTO t VALUES (9223372036854775807), (9223372036854775807), (NULL), (-9223372036854775807), (-1), (-2)");
    CHECK(is_int(run(conn, "SELECT liga_total(n) FROM t").cells[0], 9223372036854775804),
          "a sum of integers is exact, whatever comes in between");
    CHECK(is_int(run(conn, "SELECT liga_total(n) FROM t WHERE n < 0 AND n <> -2").cells[0], INT64_MIN), "also of negative ones");
    CHECK(is_int(run(conn, "SELECT liga_mean(n) = 1844674407370955160.8 FROM t").cells[0], 1), "their mean is one of the exact sum");
    CHECK(fails(conn, "SELECT liga_total(n) FROM t WHERE n > 0", ERROR_VALIDATION), "a sum beyond 64 bits is an error");
    CHECK(fails(conn, "SELECT liga_total(n) FROM t WHERE n < 0", ERROR_VALIDATION), "on either side");
    run(conn, "DELETE FROM t");
    run(conn, "INSERT INTO t VALUES (1.5), ('2'), ('x')");
    CHECK(is_int(run(conn, "SELECT liga_total(n) = 3.5 FROM t").cells[0], 1), "other numbers are added as SQLite does");
    close_conn(conn);
}

/* --------------------------------------------------------------------------------------------------- out of memory */

/* SQLite's allocator, which fails from the n-th request on, or at that one only. */
static sqlite3_mem_methods real_memory;
static int requests, fail_at; /* 0: never */
static bool fail_once;

static bool request_fails(void) {
    requests++;
    return fail_at && (fail_once ? requests == fail_at : requests >= fail_at);
}

static void *failing_malloc(int size) {
    return request_fails() ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *memory, int size) {
    return request_fails() ? NULL : real_memory.xRealloc(memory, size);
}

static void install_failing_memory(void) {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods methods = real_memory;
    methods.xMalloc = failing_malloc;
    methods.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

/* A bit of everything; true if all of it worked. */
static bool scenario(void) {
    struct conn *conn = open_memory();
    if (!conn) return false;
    static const char *const statements[] = {
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE)",
        "INSERT INTO t(a) VALUES ('12.50'), ('Zoë')",
        "BEGIN",
        "SELECT id, hex(a) FROM t WHERE liga_iregexp('^[a-z[:alpha:]]+$', a) OR liga_like('1%', a)",
        "SELECT a FROM t ORDER BY a COLLATE liga_decimal",
        "SELECT liga_sum(id, 2), liga_total(id) FROM t",
        "ROLLBACK",
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) ok &= run(conn, statements[i]).ok;
    bool refused = !run(conn, "INSERT INTO t(a) VALUES ('Zoë')").ok && error.code == ERROR_UNIQUE;
    close_conn(conn);
    return ok && refused;
}

static void test_memory(bool once) {
    fail_at = requests = 0;
    CHECK(scenario(), "with memory everything works");
    int total = requests, worked = 0;
    for (int i = 1; i <= total; i++) {
        requests = 0;
        fail_at = i;
        fail_once = once;
        worked += scenario();
        fail_at = 0;
    }
    CHECK(scenario(), "after each of %d failing requests (%s), of which %d did no harm", total,
          once ? "once" : "for ever", worked);
}

static void remove_folder(void) {
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) unlink(path_of(entry->d_name));
    if (dir) closedir(dir);
    rmdir(folder);
}

int main(void) {
    install_failing_memory();
    arena_init(&arena, out_of_memory, NULL);
    if (!mkdtemp(folder)) return 1;
    test_open();
    test_open_fails();
    test_path_is_no_uri();
    test_read_only();
    test_kinds();
    test_binding();
    test_affected();
    test_columns();
    test_late_cells();
    test_commands();
    test_cache();
    test_constraints();
    test_odd_names();
    test_other_errors();
    test_busy();
    test_full();
    test_damaged();
    test_rare_errors();
    test_timeout();
    test_fork();
    test_like();
    test_regexp();
    test_decimal();
    test_total();
    test_memory(true);
    test_memory(false);
    remove_folder();
    arena_free(&arena);
    return check_done();
}
