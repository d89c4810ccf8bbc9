#include "driver/sqlite_error.h"

#include <sqlite3.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"


/* What SQLite's sentence tells beyond itself. */
enum detail {
    DETAIL_NONE,
    DETAIL_COLUMNS,             /* "… failed: users.email, users.site", or "… failed: index 'users_lower_email'" */
    DETAIL_CONSTRAINT,          /* "… failed: <name of the constraint, or its condition>" */
    DETAIL_TRIGGER,             /* RAISE in a trigger; SQLite itself uses it for ON DELETE RESTRICT */
    DETAIL_PLACE,               /* our sentence, the path, SQLite's sentence */
};

enum effect { EFFECT_NONE, EFFECT_RETRYABLE, EFFECT_BREAKS };

struct row {
    int native;                 /* extended or primary code; the extended ones are looked up first */
    enum error_code code;
    enum detail detail;
    enum effect effect;
    const char *sentence;       /* DETAIL_PLACE; the path follows */
};

static const struct row rows[] = {
    { SQLITE_CONSTRAINT_UNIQUE,     ERROR_UNIQUE,      DETAIL_COLUMNS,    EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_PRIMARYKEY, ERROR_UNIQUE,      DETAIL_COLUMNS,    EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_ROWID,      ERROR_UNIQUE,      DETAIL_COLUMNS,    EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_NOTNULL,    ERROR_NOT_NULL,    DETAIL_COLUMNS,    EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_FOREIGNKEY, ERROR_FOREIGN_KEY, DETAIL_NONE,       EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_CHECK,      ERROR_CHECK,       DETAIL_CONSTRAINT, EFFECT_NONE, NULL },
    { SQLITE_MISMATCH,              ERROR_VALIDATION,  DETAIL_NONE,       EFFECT_NONE, NULL },
    { SQLITE_CONSTRAINT_TRIGGER,    ERROR_DATABASE,    DETAIL_TRIGGER,    EFFECT_NONE, NULL },
    { SQLITE_BUSY_SNAPSHOT, ERROR_TIMEOUT, DETAIL_PLACE, EFFECT_RETRYABLE,
      "another connection has written since this transaction began to read the database" },
    { SQLITE_BUSY, ERROR_TIMEOUT, DETAIL_PLACE, EFFECT_RETRYABLE,
      "another connection holds a lock on the database" },
    { SQLITE_LOCKED_SHAREDCACHE, ERROR_TIMEOUT, DETAIL_PLACE, EFFECT_RETRYABLE,
      "another connection holds a lock on the database" },
    { SQLITE_PROTOCOL, ERROR_TIMEOUT, DETAIL_PLACE, EFFECT_RETRYABLE,
      "other connections hold locks on the database" },
    { SQLITE_READONLY, ERROR_DATABASE, DETAIL_PLACE, EFFECT_NONE,
      "cannot write to the database" },
    { SQLITE_FULL, ERROR_DATABASE, DETAIL_PLACE, EFFECT_NONE,
      "no room left for the database" },
    { SQLITE_IOERR, ERROR_DATABASE, DETAIL_PLACE, EFFECT_NONE,
      "cannot read or write the database" },
    { SQLITE_CANTOPEN, ERROR_DATABASE, DETAIL_PLACE, EFFECT_NONE,
      "cannot open the database" },
    { SQLITE_CORRUPT, ERROR_DATABASE, DETAIL_PLACE, EFFECT_BREAKS,
      "the file is damaged, cannot use the database" },
    { SQLITE_NOTADB, ERROR_DATABASE, DETAIL_PLACE, EFFECT_BREAKS,
      "cannot open the database" },
};

static const struct row other = { SQLITE_ERROR, ERROR_DATABASE, DETAIL_NONE, EFFECT_NONE, NULL };

static const struct row *row_find(int native) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].native == native) return &rows[i];
    return NULL;
}

static const struct row *row_get(int native) {
    const struct row *row = row_find(native);
    if (!row) row = row_find(native & 0xff);
    return row ? row : &other;
}

bool sqlite_error_breaks(int code) {
    return row_get(code)->effect == EFFECT_BREAKS;
}

/* --------------------------------------------------------------------------------------- constraints in sentences */

/* Cuts `table.a, table.b` into table and columns, the first `table_len` bytes being the table. */
static void split(const char *list, size_t table_len, struct arena *arena, struct error *error) {
    const char *separator = arena_printf(arena, ", %.*s.", (int)table_len, list);
    const char *column = list + table_len + 1, *end;
    int count = 0;
    do {
        end = strstr(column, separator);
        error->columns[count++] = arena_text(arena, column, end ? (size_t)(end - column) : strlen(column));
        if (end) column = end + strlen(separator);
    } while (end && count < ERROR_COLUMNS);
    error->column_count = count;
    error->table = arena_text(arena, list, table_len);
}

static bool column_exists(struct sqlite3 *db, const char *table, const char *column) {
    return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

static bool all_exist(struct sqlite3 *db, const struct error *error) {
    for (int i = 0; i < error->column_count; i++)
        if (!column_exists(db, error->table, error->columns[i])) return false;
    return true;
}

/* Names may hold dots themselves: the right dot is the one where table and columns exist. */
static void read_columns(const char *list, struct sqlite3 *db, struct arena *arena, struct error *error) {
    const char *first = strchr(list, '.');
    for (const char *dot = first; dot; dot = strchr(dot + 1, '.')) {
        split(list, (size_t)(dot - list), arena, error);
        if (db && all_exist(db, error)) return;
    }
    if (first) split(list, (size_t)(first - list), arena, error);
}

/* What stands behind "failed: ". */
static const char *subject_of(const char *text) {
    const char *colon = strstr(text, "failed: ");
    return colon ? colon + strlen("failed: ") : NULL;
}

static void read_index(const char *subject, struct arena *arena, struct error *error) {
    const char *name = subject + strlen("index '"), *end = strrchr(name, '\'');
    error->constraint = arena_text(arena, name, end ? (size_t)(end - name) : strlen(name));
}

static void read_subject(const struct sqlite_failure *failure, enum detail detail, struct arena *arena,
                         struct error *error) {
    /* A copy, as looking up tables overwrites what sqlite3_errmsg pointed to. */
    const char *found = subject_of(failure->text);
    if (!found) return;
    const char *subject = arena_text(arena, found, strlen(found));
    if (detail == DETAIL_CONSTRAINT) error->constraint = subject;
    else if (strncmp(subject, "index '", strlen("index '")) == 0) read_index(subject, arena, error);
    else read_columns(subject, failure->db, arena, error);
}

/* Violations of keys that are declared as deferred; of all keys, where the connection was told to wait with them. */
static const char *const violations[] = {
    "SELECT DISTINCT c.\"table\", c.fkid FROM sqlite_schema m JOIN pragma_foreign_key_check(m.name) c "
    "WHERE m.type = 'table' AND m.sql LIKE '%DEFERRED%' LIMIT 2",
    "SELECT DISTINCT \"table\", fkid FROM pragma_foreign_key_check LIMIT 2",
};

/* Room for a name, taken before a statement is prepared: out of memory, an arena jumps away. */
enum { NAME_ROOM = 256 };

/* False: the column of the row holds a longer name. */
static bool take_name(sqlite3_stmt *statement, char *room) {
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    if (!name || strlen(name) >= NAME_ROOM) return false;
    strcpy(room, name);
    return true;
}

/* The table and the number of the key that is violated; false: none is, or not one alone. */
static bool find_violated(struct sqlite3 *db, const char *sql, char *table, int *number) {
    sqlite3_stmt *statement = NULL;
    int count = 0;
    *table = '\0';
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    while (sqlite3_step(statement) == SQLITE_ROW && ++count == 1) {
        *number = sqlite3_column_int(statement, 1);
        if (!take_name(statement, table)) break;
    }
    bool alone = count == 1 && *table;
    sqlite3_finalize(statement);
    return alone;
}

/* Its columns, into `names`; counts them. */
static int read_key_columns(struct sqlite3 *db, const char *table, int number, char (*names)[NAME_ROOM]) {
    static const char sql[] = "SELECT \"from\" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq";
    sqlite3_stmt *statement = NULL;
    int count = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return 0;
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, number);
    while (count < ERROR_COLUMNS && sqlite3_step(statement) == SQLITE_ROW && take_name(statement, names[count])) count++;
    sqlite3_finalize(statement);
    return count;
}

/* COMMIT does not say which key it was, but as long as the transaction is open the row is there that violates it. */
static void read_violated(struct sqlite3 *db, struct arena *arena, struct error *error) {
    int number;
    char *table = arena_array(arena, char, NAME_ROOM);
    char (*names)[NAME_ROOM] = arena_alloc(arena, ERROR_COLUMNS * sizeof *names);
    size_t i = 0;
    while (i < sizeof violations / sizeof violations[0] && !find_violated(db, violations[i], table, &number)) i++;
    if (i == sizeof violations / sizeof violations[0]) return;
    error->table = table;
    error->column_count = read_key_columns(db, table, number, names);
    for (int k = 0; k < error->column_count; k++) error->columns[k] = names[k];
}

/* --------------------------------------------------------------------------------------------------------- errors */

/* A write under the option readOnly, our own deadline, a sum that is too large: the user's doing, with a sentence of its own. */
static bool set_own(const struct sqlite_failure *failure, struct arena *arena, struct error *error) {
    int primary = failure->code & 0xff;
    if (primary == SQLITE_READONLY && failure->read_only)
        error_set(error, arena, ERROR_USAGE, "cannot write: \"%s\" was connected with readOnly", failure->path);
    else if (primary == SQLITE_INTERRUPT && failure->timed_out)
        error_set(error, arena, ERROR_TIMEOUT, "the statement took longer than its timeout, %d ms", failure->timed_out);
    else if (strcmp(failure->text, "integer overflow") == 0)
        error_set(error, arena, ERROR_VALIDATION, "the number is out of the range of its type");
    else
        return false;
    return true;
}

/* Sets code and sentence by the table; true: the sentence is SQLite's and may tell more. */
static bool set_mapped(const struct row *row, const struct sqlite_failure *failure, struct arena *arena,
                       struct error *error) {
    if (row->detail == DETAIL_PLACE) {
        bool unreached = failure->opening && row->native == SQLITE_CANTOPEN;
        error_set(error, arena, unreached ? ERROR_CONNECTION : row->code, "%s \"%s\": %s", row->sentence, failure->path,
                  failure->text);
        return false;
    }
    bool restricts = row->detail == DETAIL_TRIGGER && strcmp(failure->text, "FOREIGN KEY constraint failed") == 0;
    error_set(error, arena, restricts ? ERROR_FOREIGN_KEY : row->code, "%s", failure->text);
    return row->detail == DETAIL_COLUMNS || row->detail == DETAIL_CONSTRAINT;
}

bool sqlite_error_set(const struct sqlite_failure *failure, struct arena *arena, struct error *error) {
    if (error_is_set(error)) return false;
    const struct row *row = row_get(failure->code);
    if (!set_own(failure, arena, error)) {
        if (set_mapped(row, failure, arena, error)) read_subject(failure, row->detail, arena, error);
        if (row->code == ERROR_FOREIGN_KEY && failure->committing && failure->db) read_violated(failure->db, arena, error);
        error->retryable = row->effect == EFFECT_RETRYABLE;
    }
    error->native = failure->code;
    return false;
}
