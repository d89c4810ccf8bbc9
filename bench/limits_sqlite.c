/* The floors of limits.lua on SQLite: the same statements as liga's, rows read into structs that own their texts.
 *
 *     limits_sqlite FILE make      makes the file; the children of a parent are spread over their table, as if they had come over time
 *     limits_sqlite FILE near      the same, but they lie side by side
 *     limits_sqlite FILE tree      1,000 parents, 10 children each, 10 grandchildren each, a statement for each level
 *     limits_sqlite FILE top       the 3 best of the 300 items of each of 100 groups, a prepared statement bound 100 times
 *     limits_sqlite FILE nothing   opens it only
 *
 * Prints how many rows it has read, and the CPU seconds that took. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

struct row {
    int64_t id, above, a;
    char *name;
    double b;
};

struct rows {
    struct row *at;
    size_t count, size;
};

static void check(sqlite3 *db, int code) {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    fprintf(stderr, "limits_sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void *checked(void *memory) {
    if (!memory) abort();
    return memory;
}

static void run(sqlite3 *db, const char *sql) {
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* The number of the parent, by the rowid i. */
#define SPREAD(parents) "i * 7919 % " #parents " + 1"
#define SIDE_BY_SIDE "(i - 1) / 10 + 1"

static void make(sqlite3 *db, const char *of_children, const char *of_grandchildren) {
    char levels[1024];
    snprintf(levels, sizeof levels,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000)"
             " INSERT INTO children SELECT i, %s, i %% 97, 'child number ' || i, i / 7.0 FROM n;"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)"
             " INSERT INTO grandchildren SELECT i, %s, i %% 97, 'grandchild number ' || i, i / 7.0 FROM n;",
             of_children, of_grandchildren);
    run(db, "BEGIN;"
            "CREATE TABLE parents (id INTEGER PRIMARY KEY, above BIGINT, a INTEGER, name TEXT, b REAL);"
            "CREATE TABLE children (id INTEGER PRIMARY KEY, above BIGINT, a INTEGER, name TEXT, b REAL);"
            "CREATE TABLE grandchildren (id INTEGER PRIMARY KEY, above BIGINT, a INTEGER, name TEXT, b REAL);"
            "CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE items (id INTEGER PRIMARY KEY, above BIGINT, a INTEGER, name TEXT, b REAL);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)"
            " INSERT INTO parents SELECT i, NULL, i % 97, 'parent number ' || i, i / 7.0 FROM n");
    run(db, levels);
    run(db, "INSERT INTO groups SELECT id, name FROM parents WHERE id <= 100;"
            "INSERT INTO items SELECT id, (id - 1) / 300 + 1, id * 7919 % 1000, name, b FROM grandchildren WHERE id <= 30000;"
            "CREATE INDEX children_above ON children (above);"
            "CREATE INDEX grandchildren_above ON grandchildren (above);"
            "CREATE INDEX items_above ON items (above, a);"
            "COMMIT; ANALYZE");
}

static char *copied(sqlite3_stmt *statement, int column) {
    size_t length = (size_t)sqlite3_column_bytes(statement, column);
    char *text = checked(malloc(length + 1));
    memcpy(text, sqlite3_column_text(statement, column), length);
    text[length] = '\0';
    return text;
}

static void take(sqlite3 *db, sqlite3_stmt *statement, struct rows *rows) {
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows->count == rows->size) {
            rows->size = rows->size ? rows->size * 2 : 64;
            rows->at = checked(realloc(rows->at, rows->size * sizeof *rows->at));
        }
        rows->at[rows->count++] = (struct row){ sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
                                                sqlite3_column_int64(statement, 2), copied(statement, 3),
                                                sqlite3_column_double(statement, 4) };
    }
    check(db, code);
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    check(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
    return statement;
}

static char *keys_of(const struct rows *rows) {
    char *text = checked(malloc(rows->count * 21 + 3));
    size_t at = 0;
    for (size_t i = 0; i < rows->count; i++)
        at += (size_t)sprintf(text + at, "%c%lld", i ? ',' : '[', (long long)rows->at[i].id);
    strcpy(text + at, rows->count ? "]" : "[]");
    return text;
}

/* The rows below those above, all at once. */
static struct rows level(sqlite3 *db, const char *sql, const struct rows *above) {
    struct rows rows = { NULL, 0, 0 };
    sqlite3_stmt *statement = prepared(db, sql);
    char *keys = above ? keys_of(above) : NULL;
    if (keys) check(db, sqlite3_bind_text(statement, 1, keys, -1, SQLITE_STATIC));
    take(db, statement, &rows);
    sqlite3_finalize(statement);
    free(keys);
    return rows;
}

static size_t tree(sqlite3 *db) {
    struct rows parents = level(db, "SELECT id, above, a, name, b FROM parents", NULL);
    struct rows children = level(db, "SELECT id, above, a, name, b FROM children WHERE above IN"
                                     " (SELECT value FROM json_each(?)) ORDER BY above, id", &parents);
    struct rows below = level(db, "SELECT id, above, a, name, b FROM grandchildren WHERE above IN"
                                  " (SELECT value FROM json_each(?)) ORDER BY above, id", &children);
    return parents.count + children.count + below.count;
}

static size_t top(sqlite3 *db) {
    struct rows groups = level(db, "SELECT id, NULL, NULL, name, NULL FROM groups", NULL), items = { NULL, 0, 0 };
    sqlite3_stmt *statement = prepared(db, "SELECT id, above, a, name, b FROM items WHERE above = ? ORDER BY a DESC, id LIMIT 3");
    for (size_t i = 0; i < groups.count; i++) {
        check(db, sqlite3_bind_int64(statement, 1, groups.at[i].id));
        take(db, statement, &items);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return groups.count + items.count;
}

int main(int count, char **words) {
    sqlite3 *db;
    size_t rows = 0;
    if (count != 3) return 2;
    if (sqlite3_open(words[1], &db) != SQLITE_OK) return 1;
    if (strcmp(words[2], "make") == 0) make(db, SPREAD(1000), SPREAD(10000));
    if (strcmp(words[2], "near") == 0) make(db, SIDE_BY_SIDE, SIDE_BY_SIDE);
    const struct clock_times before = clock_read(0);
    run(db, "BEGIN");
    if (strcmp(words[2], "tree") == 0) rows = tree(db);
    if (strcmp(words[2], "top") == 0) rows = top(db);
    run(db, "COMMIT");
    printf("rows=%zu cpu=%.9f\n", rows, clock_read(0).cpu - before.cpu);
    sqlite3_close(db);
    return 0;
}
