/* data_sqlite make FILE          makes the data file
 * data_sqlite print FILE TABLE   prints the number of rows and a fingerprint of everything in a table */
#include "data.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>

/* No REFERENCES: SQLite ships with foreign keys off, and so every peer does the same work whatever it switches on. */
static const char schema[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL,"
    " score REAL NOT NULL, bio TEXT NOT NULL, created_at TEXT NOT NULL, active INTEGER NOT NULL);"
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,"
    " created_at TEXT NOT NULL);"
    "CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, author_id INTEGER NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    /* The primary key is the index on post_id. */
    "CREATE TABLE post_tags (post_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (post_id, tag_id));"
    "CREATE INDEX users_score ON users (score);"
    "CREATE INDEX posts_user_id ON posts (user_id);"
    "CREATE INDEX comments_post_id ON comments (post_id);"
    "CREATE INDEX comments_author_id ON comments (author_id);"
    "CREATE INDEX post_tags_tag_id ON post_tags (tag_id);";

static void check(sqlite3 *db, int code, int wanted) {
    if (code == wanted) return;
    fprintf(stderr, "data_sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3 *open_file(const char *path) {
    sqlite3 *db = NULL;
    check(db, sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql) { check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK); }

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    check(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text) {
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static void insert(sqlite3 *db, sqlite3_stmt *statement) {
    check(db, sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
}

static void bind_user(sqlite3_stmt *statement, long i) {
    struct data_user user;
    data_user(i, &user);
    bind_text(statement, 2, user.name);
    bind_text(statement, 3, user.email);
    sqlite3_bind_int(statement, 4, user.age);
    sqlite3_bind_double(statement, 5, user.score);
    bind_text(statement, 6, user.bio);
    bind_text(statement, 7, user.created_at);
    sqlite3_bind_int(statement, 8, user.active);
}

static void bind_post(sqlite3_stmt *statement, long i) {
    char title[32], created_at[32], body[DATA_BODY_LENGTH + 1];
    snprintf(title, sizeof title, "Post %05ld", i);
    snprintf(body, sizeof body, "%05ld ", i);
    data_fill(body, DATA_BODY_LENGTH);
    data_instant(i, created_at, sizeof created_at);
    sqlite3_bind_int64(statement, 2, data_post_author(i));
    bind_text(statement, 3, title);
    bind_text(statement, 4, body);
    bind_text(statement, 5, created_at);
}

static void bind_comment(sqlite3_stmt *statement, long i) {
    char text[64];
    snprintf(text, sizeof text, "Comment %05ld: ", i);
    data_fill(text, 60);
    sqlite3_bind_int64(statement, 2, (i - 1) % DATA_POSTS + 1);
    sqlite3_bind_int64(statement, 3, i * 7919L % DATA_USERS + 1);
    bind_text(statement, 4, text);
}

static void bind_tag(sqlite3_stmt *statement, long i) {
    char name[16];
    snprintf(name, sizeof name, "tag %03ld", i);
    bind_text(statement, 2, name);
}

static void fill_table(sqlite3 *db, const char *sql, long count, void (*bind)(sqlite3_stmt *, long)) {
    sqlite3_stmt *statement = prepare(db, sql);
    for (long i = 1; i <= count; i++) {
        sqlite3_bind_int64(statement, 1, i);
        bind(statement, i);
        insert(db, statement);
    }
    sqlite3_finalize(statement);
}

static void fill_post_tags(sqlite3 *db) {
    sqlite3_stmt *statement = prepare(db, "INSERT INTO post_tags VALUES (?, ?)");
    for (long post = 1; post <= DATA_POSTS; post++) {
        for (int k = 0; k < DATA_TAGS_PER_POST; k++) {
            sqlite3_bind_int64(statement, 1, post);
            sqlite3_bind_int64(statement, 2, data_post_tag(post, k));
            insert(db, statement);
        }
    }
    sqlite3_finalize(statement);
}

static void make(const char *path) {
    remove(path);
    sqlite3 *db = open_file(path);
    execute(db, "BEGIN");
    execute(db, schema);
    fill_table(db, "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)", DATA_USERS, bind_user);
    fill_table(db, "INSERT INTO posts VALUES (?, ?, ?, ?, ?)", DATA_POSTS, bind_post);
    fill_table(db, "INSERT INTO comments VALUES (?, ?, ?, ?)", DATA_COMMENTS, bind_comment);
    fill_table(db, "INSERT INTO tags VALUES (?, ?)", DATA_TAGS, bind_tag);
    fill_post_tags(db);
    execute(db, "COMMIT");
    sqlite3_close(db);
}

/* FNV-1a, 64 bit. */
static uint64_t add_bytes(uint64_t print, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    while (size--) print = (print ^ *at++) * UINT64_C(1099511628211);
    return print;
}

static uint64_t add_row(uint64_t print, sqlite3_stmt *statement) {
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const unsigned char type = (unsigned char)sqlite3_column_type(statement, i);
        print = add_bytes(print, &type, 1);
        /* The text first: asking for it may change the size. */
        const unsigned char *text = sqlite3_column_text(statement, i);
        print = add_bytes(print, text, (size_t)sqlite3_column_bytes(statement, i));
    }
    return print;
}

static void print_table(const char *path, const char *table) {
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1, 2", table);
    sqlite3 *db = open_file(path);
    sqlite3_stmt *statement = prepare(db, sql);
    uint64_t print = UINT64_C(14695981039346656037);
    long rows = 0;
    for (; sqlite3_step(statement) == SQLITE_ROW; rows++) print = add_row(print, statement);
    check(db, sqlite3_finalize(statement), SQLITE_OK);
    sqlite3_close(db);
    printf("rows=%ld print=%016llx\n", rows, (unsigned long long)print);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "make")) {
        make(argv[2]);
    } else if (argc == 4 && !strcmp(argv[1], "print")) {
        print_table(argv[2], argv[3]);
    } else {
        fprintf(stderr, "usage: data_sqlite make FILE | print FILE TABLE\n");
        return 2;
    }
    return 0;
}
