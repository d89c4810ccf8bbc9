/* The floor on SQLite: each workload as one would write it in C by hand, with prepared statements and rows read into
 * structs that own their texts. */
#include "floor.h"
#include "tree.h"

#include <sqlite3.h>
#include <stdlib.h>

#define USER_COLUMNS "id, name, email, age, score, bio, created_at, active"
#define NEW_USER_COLUMNS "name, email, age, score, bio, created_at, active"
#define POST_COLUMNS "id, user_id, title, body, created_at"
#define KEYS "(SELECT value FROM json_each(?))" /* a list of any length as one parameter */

enum { NEW_USER_WIDTH = 7, BLOCK = 1 /* rows of one INSERT in W5: row by row, as the reference table was measured; 50 take about half the time */ };

static void check(sqlite3 *db, int code, int wanted) {
    if (code != wanted) floor_fail(sqlite3_errmsg(db));
}

static void *open_file(const char *path) {
    sqlite3 *db = NULL;
    check(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql) { check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK); }

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    check(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static struct text column_text(sqlite3_stmt *row, int column) {
    const unsigned char *bytes = sqlite3_column_text(row, column);
    return text_copy(bytes, sqlite3_column_bytes(row, column));
}

static void read_user(sqlite3_stmt *row, void *to) {
    struct user *user = to;
    user->id = sqlite3_column_int64(row, 0);
    user->name = column_text(row, 1);
    user->email = column_text(row, 2);
    user->age = sqlite3_column_int64(row, 3);
    user->score = sqlite3_column_double(row, 4);
    user->bio = column_text(row, 5);
    user->created_at = column_text(row, 6);
    user->active = sqlite3_column_int(row, 7);
}

static void read_post(sqlite3_stmt *row, void *to) {
    struct post *post = to;
    post->id = sqlite3_column_int64(row, 0);
    post->user_id = sqlite3_column_int64(row, 1);
    post->title = column_text(row, 2);
    post->body = column_text(row, 3);
    post->created_at = column_text(row, 4);
}

static void read_comment(sqlite3_stmt *row, void *to) {
    struct comment *comment = to;
    comment->id = sqlite3_column_int64(row, 0);
    comment->post_id = sqlite3_column_int64(row, 1);
    comment->author_id = sqlite3_column_int64(row, 2);
    comment->text = column_text(row, 3);
}

static void read_tag(sqlite3_stmt *row, void *to) {
    struct tag *tag = to;
    tag->id = sqlite3_column_int64(row, 0);
    tag->name = column_text(row, 1);
    tag->post_id = sqlite3_column_int64(row, 2);
}

/* All rows of a statement; each has so many bytes. */
static struct rows load(sqlite3 *db, sqlite3_stmt *statement, size_t size, void (*read)(sqlite3_stmt *row, void *to)) {
    struct rows rows = {size, NULL, 0, 0};
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) read(statement, rows_add(&rows));
    check(db, code, SQLITE_DONE);
    sqlite3_reset(statement);
    return rows;
}

static struct rows load_users(sqlite3 *db, sqlite3_stmt *statement) {
    return load(db, statement, sizeof(struct user), read_user);
}

/* Binds the values of a new user to the parameters first, first + 1 ...; input outlives the statement. */
static void bind_user(sqlite3_stmt *statement, int first, const struct data_user *user) {
    sqlite3_bind_text(statement, first, user->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, first + 1, user->email, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, first + 2, user->age);
    sqlite3_bind_double(statement, first + 3, user->score);
    sqlite3_bind_text(statement, first + 4, user->bio, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, first + 5, user->created_at, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, first + 6, user->active);
}

static void step_write(sqlite3 *db, sqlite3_stmt *statement) {
    check(db, sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
}

/* W1: the list stays, as it would in a program that goes on with it. */
static struct outcome load_all(void *db, long count, const struct data_user *input) {
    (void)count, (void)input;
    struct outcome outcome = {0, 0};
    sqlite3_stmt *statement = prepare(db, "SELECT " USER_COLUMNS " FROM users");
    struct rows list = load_users(db, statement);
    outcome_add_users(&outcome, &list);
    sqlite3_finalize(statement);
    return outcome;
}

/* W2 */
static struct outcome find_by_key(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {count, 0};
    sqlite3_stmt *statement = prepare(db, "SELECT " USER_COLUMNS " FROM users WHERE id = ?");
    for (long i = 1; i <= count; i++) {
        struct user user;
        sqlite3_bind_int64(statement, 1, i);
        check(db, sqlite3_step(statement), SQLITE_ROW);
        read_user(statement, &user);
        sqlite3_reset(statement);
        outcome.sum += user_sum(&user);
        user_free(&user);
    }
    sqlite3_finalize(statement);
    return outcome;
}

/* W3 */
static struct outcome search(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    sqlite3_stmt *statement = prepare(
        db, "SELECT " USER_COLUMNS " FROM users WHERE age > ? AND active = ? ORDER BY score DESC LIMIT ?");
    for (long i = 1; i <= count; i++) {
        sqlite3_bind_int(statement, 1, data_age_over(i));
        sqlite3_bind_int(statement, 2, 1);
        sqlite3_bind_int(statement, 3, 20);
        struct rows list = load_users(db, statement);
        outcome_add_users(&outcome, &list);
        users_free(&list);
    }
    sqlite3_finalize(statement);
    return outcome;
}

/* W4 */
static struct outcome create_each(void *db, long count, const struct data_user *input) {
    struct outcome outcome = {count, 0};
    execute(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *statement = prepare(db, "INSERT INTO users (" NEW_USER_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (long i = 0; i < count; i++) {
        bind_user(statement, 1, &input[i]);
        step_write(db, statement);
        outcome.sum += (double)sqlite3_last_insert_rowid(db);
    }
    sqlite3_finalize(statement);
    execute(db, "COMMIT");
    return outcome;
}

static sqlite3_stmt *prepare_block(sqlite3 *db) {
    char sql[128 + BLOCK * 32] = "INSERT INTO users (" NEW_USER_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";
    for (int i = 1; i < BLOCK; i++) strcat(sql, ", (?, ?, ?, ?, ?, ?, ?)");
    return prepare(db, sql);
}

/* W5: the keys of a block follow each other and end with the last one. */
static struct outcome create_all(void *db, long count, const struct data_user *input) {
    struct outcome outcome = {count, 0};
    int64_t *keys = floor_alloc((size_t)count * sizeof *keys);
    if (count % BLOCK != 0) floor_fail("the number of rows must be a multiple of the block");
    execute(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *statement = prepare_block(db);
    for (long start = 0; start < count; start += BLOCK) {
        for (int i = 0; i < BLOCK; i++) bind_user(statement, i * NEW_USER_WIDTH + 1, &input[start + i]);
        step_write(db, statement);
        const int64_t last = sqlite3_last_insert_rowid(db);
        for (int i = 0; i < BLOCK; i++) keys[start + i] = last - BLOCK + 1 + i;
    }
    sqlite3_finalize(statement);
    execute(db, "COMMIT");
    for (long i = 0; i < count; i++) outcome.sum += (double)keys[i];
    free(keys);
    return outcome;
}

/* The rows of a statement whose only parameter is a list of keys: those at an offset of rows that were read before. */
static struct rows load_of(sqlite3 *db, const char *sql, const struct rows *parents, size_t offset, size_t size,
                           void (*read)(sqlite3_stmt *row, void *to)) {
    char *keys = tree_keys(parents, offset, '[', ']');
    sqlite3_stmt *statement = prepare(db, sql);
    sqlite3_bind_text(statement, 1, keys, -1, SQLITE_STATIC);
    const struct rows rows = load(db, statement, size, read);
    sqlite3_finalize(statement);
    free(keys);
    return rows;
}

/* The rows of a statement whose only parameter is the last key. */
static struct rows load_to(sqlite3 *db, const char *sql, long last, size_t size,
                           void (*read)(sqlite3_stmt *row, void *to)) {
    sqlite3_stmt *statement = prepare(db, sql);
    sqlite3_bind_int64(statement, 1, last);
    const struct rows rows = load(db, statement, size, read);
    sqlite3_finalize(statement);
    return rows;
}

/* W6: all stays, as in W1. */
static struct outcome load_users_tree(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    const struct rows users = load_to(db, "SELECT " USER_COLUMNS " FROM users WHERE id <= ? ORDER BY id", count,
                                      sizeof(struct user), read_user);
    const struct rows posts = load_of(db, "SELECT " POST_COLUMNS " FROM posts WHERE user_id IN " KEYS " ORDER BY user_id, id",
                                      &users, offsetof(struct user, id), sizeof(struct post), read_post);
    const struct rows comments = load_of(
        db, "SELECT id, post_id, author_id, text FROM comments WHERE post_id IN " KEYS " ORDER BY post_id, id", &posts,
        offsetof(struct post, id), sizeof(struct comment), read_comment);
    outcome_add_users_tree(&outcome, &users, &posts, &comments);
    return outcome;
}

/* W7: CROSS JOIN keeps the junction outside. */
static struct outcome load_posts_tree(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    const struct rows posts = load_to(db, "SELECT " POST_COLUMNS " FROM posts WHERE id <= ? ORDER BY id", count,
                                      sizeof(struct post), read_post);
    const struct rows authors = load_of(db, "SELECT " USER_COLUMNS " FROM users WHERE id IN " KEYS, &posts,
                                        offsetof(struct post, user_id), sizeof(struct user), read_user);
    const struct rows tags = load_of(
        db, "SELECT t.id, t.name, l.post_id FROM post_tags l CROSS JOIN tags t WHERE t.id = l.tag_id AND l.post_id IN " KEYS
            " ORDER BY l.post_id, l.tag_id",
        &posts, offsetof(struct post, id), sizeof(struct tag), read_tag);
    outcome_add_posts_tree(&outcome, &posts, &authors, &tags);
    return outcome;
}

static void add_posts(sqlite3 *db, sqlite3_stmt *statement, struct outcome *outcome) {
    struct post posts[64];
    int count = 0, code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && count < 64) read_post(statement, &posts[count++]);
    check(db, code, SQLITE_DONE);
    sqlite3_reset(statement);
    outcome_add_posts(outcome, posts, count);
}

/* W8 */
static struct outcome get_posts(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    sqlite3_stmt *statement =
        prepare(db, "SELECT " POST_COLUMNS " FROM posts WHERE user_id = ?");
    for (long user = 1; user <= count; user++) {
        sqlite3_bind_int64(statement, 1, user);
        add_posts(db, statement, &outcome);
    }
    sqlite3_finalize(statement);
    return outcome;
}

static void rename_user(sqlite3 *db, sqlite3_stmt *statement, const struct user *user) {
    char name[64];
    snprintf(name, sizeof name, "%s!", user->name.bytes);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, user->id);
    step_write(db, statement);
}

/* W9 */
static struct outcome change_each(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    execute(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *select = prepare(db, "SELECT " USER_COLUMNS " FROM users WHERE id <= ? ORDER BY id");
    sqlite3_stmt *update = prepare(db, "UPDATE users SET name = ? WHERE id = ?");
    sqlite3_bind_int64(select, 1, count);
    struct rows list = load_users(db, select);
    const struct user *users = list.at;
    for (size_t i = 0; i < list.count; i++) rename_user(db, update, &users[i]);
    outcome_add_users(&outcome, &list);
    sqlite3_finalize(select);
    sqlite3_finalize(update);
    execute(db, "COMMIT");
    users_free(&list);
    return outcome;
}

/* W10 */
static struct outcome add_tags(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {count, 0};
    execute(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *statement = prepare(db, "INSERT INTO post_tags (post_id, tag_id) VALUES (?, ?)");
    for (long post = 1; post <= count; post++) {
        const long tag = data_new_tag(post);
        sqlite3_bind_int64(statement, 1, post);
        sqlite3_bind_int64(statement, 2, tag);
        step_write(db, statement);
        outcome.sum += (double)(post + tag);
    }
    sqlite3_finalize(statement);
    execute(db, "COMMIT");
    return outcome;
}

int main(int argc, char **argv) {
    static const struct floor_workload workloads[] = {
        {"W1", 0, load_all},    {"W2", 0, find_by_key}, {"W3", 0, search},      {"W4", 1, create_each},
        {"W5", 1, create_all},  {"W6", 0, load_users_tree}, {"W7", 0, load_posts_tree}, {"W8", 0, get_posts},
        {"W9", 0, change_each}, {"W10", 0, add_tags},
        {NULL, 0, NULL},
    };
    static const struct floor floor = {open_file, NULL, workloads};
    return floor_main(&floor, argc, argv);
}
