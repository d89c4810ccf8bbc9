/* The floor on PostgreSQL: each workload as one would write it in C by hand with libpq, with prepared statements, texts as
 * parameters and in results, rows read into structs that own their texts. */
#include "floor.h"
#include "tree.h"

#include <libpq-fe.h>
#include <stdlib.h>

#define USER_COLUMNS "id, name, email, age, score, bio, created_at, active"
#define NEW_USER_COLUMNS "name, email, age, score, bio, created_at, active"
#define POST_COLUMNS "id, user_id, title, body, created_at"

enum { NEW_USER_WIDTH = 7, BLOCK = 1000 /* rows of one INSERT in W5 */, STATEMENT = 64 + BLOCK * NEW_USER_WIDTH * 9 };

static void *open_database(const char *target) {
    PGconn *db = PQconnectdb(target);
    if (PQstatus(db) != CONNECTION_OK) floor_fail(PQerrorMessage(db));
    return db;
}

static int server_of(void *db) { return PQbackendPID(db); }

/* The result, which the caller clears. */
static PGresult *checked(PGconn *db, PGresult *result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) floor_fail(PQerrorMessage(db));
    return result;
}

static void execute(PGconn *db, const char *sql) { PQclear(checked(db, PQexec(db, sql))); }

/* Each workload has at most one statement of a name, in a process of its own. */
static void prepare(PGconn *db, const char *name, const char *sql) { PQclear(checked(db, PQprepare(db, name, sql, 0, NULL))); }

static PGresult *run(PGconn *db, const char *name, int count, const char *const *values) {
    return checked(db, PQexecPrepared(db, name, count, values, NULL, NULL, 0));
}

/* A number as the text of a parameter. */
struct number {
    char text[32];
};

static const char *put_long(struct number *number, long value) {
    snprintf(number->text, sizeof number->text, "%ld", value);
    return number->text;
}

static const char *put_double(struct number *number, double value) {
    snprintf(number->text, sizeof number->text, "%.17g", value);
    return number->text;
}

static int64_t integer(const PGresult *result, int row, int column) {
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static struct text column_text(const PGresult *result, int row, int column) {
    return text_copy(PQgetvalue(result, row, column), PQgetlength(result, row, column));
}

static void read_user(const PGresult *result, int row, void *to) {
    struct user *user = to;
    user->id = integer(result, row, 0);
    user->name = column_text(result, row, 1);
    user->email = column_text(result, row, 2);
    user->age = integer(result, row, 3);
    user->score = strtod(PQgetvalue(result, row, 4), NULL);
    user->bio = column_text(result, row, 5);
    user->created_at = column_text(result, row, 6);
    user->active = *PQgetvalue(result, row, 7) == 't';
}

static void read_post(const PGresult *result, int row, void *to) {
    struct post *post = to;
    post->id = integer(result, row, 0);
    post->user_id = integer(result, row, 1);
    post->title = column_text(result, row, 2);
    post->body = column_text(result, row, 3);
    post->created_at = column_text(result, row, 4);
}

static void read_comment(const PGresult *result, int row, void *to) {
    struct comment *comment = to;
    comment->id = integer(result, row, 0);
    comment->post_id = integer(result, row, 1);
    comment->author_id = integer(result, row, 2);
    comment->text = column_text(result, row, 3);
}

static void read_tag(const PGresult *result, int row, void *to) {
    struct tag *tag = to;
    tag->id = integer(result, row, 0);
    tag->name = column_text(result, row, 1);
    tag->post_id = integer(result, row, 2);
}

/* All rows, each of so many bytes; clears the result. */
static struct rows take(PGresult *result, size_t size, void (*read)(const PGresult *result, int row, void *to)) {
    struct rows rows = {size, NULL, 0, 0};
    for (int row = 0; row < PQntuples(result); row++) read(result, row, rows_add(&rows));
    PQclear(result);
    return rows;
}

static struct rows take_users(PGresult *result) { return take(result, sizeof(struct user), read_user); }

static struct rows take_posts(PGresult *result) { return take(result, sizeof(struct post), read_post); }

/* W1: the list stays, as it would in a program that goes on with it. */
static struct outcome load_all(void *db, long count, const struct data_user *input) {
    (void)count, (void)input;
    struct outcome outcome = {0, 0};
    prepare(db, "all", "SELECT " USER_COLUMNS " FROM users");
    const struct rows list = take_users(run(db, "all", 0, NULL));
    outcome_add_users(&outcome, &list);
    return outcome;
}

/* W2 */
static struct outcome find_by_key(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {count, 0};
    prepare(db, "find", "SELECT " USER_COLUMNS " FROM users WHERE id = $1");
    for (long i = 1; i <= count; i++) {
        struct number id;
        struct user user;
        PGresult *result = run(db, "find", 1, (const char *[]){put_long(&id, i)});
        read_user(result, 0, &user);
        PQclear(result);
        outcome.sum += user_sum(&user);
        user_free(&user);
    }
    return outcome;
}

/* W3 */
static struct outcome search(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    prepare(db, "search", "SELECT " USER_COLUMNS " FROM users WHERE age > $1 AND active = $2 ORDER BY score DESC LIMIT $3");
    for (long i = 1; i <= count; i++) {
        struct number age;
        struct rows list = take_users(run(db, "search", 3, (const char *[]){put_long(&age, data_age_over(i)), "t", "20"}));
        outcome_add_users(&outcome, &list);
        users_free(&list);
    }
    return outcome;
}

struct user_numbers {
    struct number age, score;
};

/* Puts the values of a new user into values; input and numbers outlive the statement. */
static void bind_user(const char **values, struct user_numbers *numbers, const struct data_user *user) {
    values[0] = user->name;
    values[1] = user->email;
    values[2] = put_long(&numbers->age, user->age);
    values[3] = put_double(&numbers->score, user->score);
    values[4] = user->bio;
    values[5] = user->created_at;
    values[6] = user->active ? "t" : "f";
}

/* An INSERT of so many rows that gives their keys. */
static void prepare_insert(PGconn *db, int rows) {
    char sql[STATEMENT] = "INSERT INTO users (" NEW_USER_COLUMNS ") VALUES ";
    size_t at = strlen(sql);
    for (int i = 0; i < rows * NEW_USER_WIDTH; i++) {
        const int column = i % NEW_USER_WIDTH;
        at += (size_t)snprintf(sql + at, sizeof sql - at, "%s$%d%s", column ? ", " : i ? ", (" : "(", i + 1,
                               column == NEW_USER_WIDTH - 1 ? ")" : "");
    }
    snprintf(sql + at, sizeof sql - at, " RETURNING id");
    prepare(db, "insert", sql);
}

/* Sums up the keys that an INSERT gave. */
static double take_keys(PGresult *result) {
    double sum = 0;
    for (int row = 0; row < PQntuples(result); row++) sum += (double)integer(result, row, 0);
    PQclear(result);
    return sum;
}

/* In statements of so many rows, in one transaction. */
static struct outcome create(PGconn *db, long count, const struct data_user *input, int rows) {
    struct outcome outcome = {count, 0};
    const char **values = floor_alloc((size_t)rows * NEW_USER_WIDTH * sizeof *values);
    struct user_numbers *numbers = floor_alloc((size_t)rows * sizeof *numbers);
    if (count % rows != 0) floor_fail("the number of rows must be a multiple of the block");
    execute(db, "BEGIN");
    prepare_insert(db, rows);
    for (long start = 0; start < count; start += rows) {
        for (int i = 0; i < rows; i++) bind_user(values + i * NEW_USER_WIDTH, &numbers[i], &input[start + i]);
        outcome.sum += take_keys(run(db, "insert", rows * NEW_USER_WIDTH, values));
    }
    execute(db, "COMMIT");
    free(numbers);
    free(values);
    return outcome;
}

/* W4 */
static struct outcome create_each(void *db, long count, const struct data_user *input) { return create(db, count, input, 1); }

/* W5 */
static struct outcome create_all(void *db, long count, const struct data_user *input) {
    return create(db, count, input, BLOCK);
}

/* Runs a statement whose only parameter is a list of keys: those at an offset of rows that were read before. */
static PGresult *run_of(PGconn *db, const char *name, const struct rows *parents, size_t offset) {
    char *keys = tree_keys(parents, offset, '{', '}');
    PGresult *result = run(db, name, 1, (const char *[]){keys});
    free(keys);
    return result;
}

/* W6: all stays, as in W1. */
static struct outcome load_users_tree(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    struct number last;
    prepare(db, "users", "SELECT " USER_COLUMNS " FROM users WHERE id <= $1 ORDER BY id");
    prepare(db, "posts", "SELECT " POST_COLUMNS " FROM posts WHERE user_id = ANY($1) ORDER BY user_id, id");
    prepare(db, "comments", "SELECT id, post_id, author_id, text FROM comments WHERE post_id = ANY($1) ORDER BY post_id, id");
    const struct rows users = take_users(run(db, "users", 1, (const char *[]){put_long(&last, count)}));
    const struct rows posts = take_posts(run_of(db, "posts", &users, offsetof(struct user, id)));
    const struct rows comments =
        take(run_of(db, "comments", &posts, offsetof(struct post, id)), sizeof(struct comment), read_comment);
    outcome_add_users_tree(&outcome, &users, &posts, &comments);
    return outcome;
}

/* W7 */
static struct outcome load_posts_tree(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    struct number last;
    prepare(db, "posts", "SELECT " POST_COLUMNS " FROM posts WHERE id <= $1 ORDER BY id");
    prepare(db, "authors", "SELECT " USER_COLUMNS " FROM users WHERE id = ANY($1)");
    prepare(db, "tags", "SELECT t.id, t.name, l.post_id FROM post_tags l JOIN tags t ON t.id = l.tag_id"
                        " WHERE l.post_id = ANY($1) ORDER BY l.post_id, l.tag_id");
    const struct rows posts = take_posts(run(db, "posts", 1, (const char *[]){put_long(&last, count)}));
    const struct rows authors = take_users(run_of(db, "authors", &posts, offsetof(struct post, user_id)));
    const struct rows tags = take(run_of(db, "tags", &posts, offsetof(struct post, id)), sizeof(struct tag), read_tag);
    outcome_add_posts_tree(&outcome, &posts, &authors, &tags);
    return outcome;
}

/* W8 */
static struct outcome get_posts(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    prepare(db, "posts", "SELECT " POST_COLUMNS " FROM posts WHERE user_id = $1");
    for (long user = 1; user <= count; user++) {
        struct number id;
        struct post posts[64];
        PGresult *result = run(db, "posts", 1, (const char *[]){put_long(&id, user)});
        int rows = 0;
        for (; rows < PQntuples(result) && rows < 64; rows++) read_post(result, rows, &posts[rows]);
        PQclear(result);
        outcome_add_posts(&outcome, posts, rows);
    }
    return outcome;
}

static void rename_user(PGconn *db, const struct user *user) {
    char name[64];
    struct number id;
    snprintf(name, sizeof name, "%s!", user->name.bytes);
    PQclear(run(db, "update", 2, (const char *[]){name, put_long(&id, (long)user->id)}));
}

/* W9 */
static struct outcome change_each(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    struct number last;
    execute(db, "BEGIN");
    prepare(db, "select", "SELECT " USER_COLUMNS " FROM users WHERE id <= $1 ORDER BY id");
    prepare(db, "update", "UPDATE users SET name = $1 WHERE id = $2");
    struct rows list = take_users(run(db, "select", 1, (const char *[]){put_long(&last, count)}));
    const struct user *users = list.at;
    for (size_t i = 0; i < list.count; i++) rename_user(db, &users[i]);
    outcome_add_users(&outcome, &list);
    execute(db, "COMMIT");
    users_free(&list);
    return outcome;
}

/* W10 */
static struct outcome add_tags(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {count, 0};
    execute(db, "BEGIN");
    prepare(db, "link", "INSERT INTO post_tags (post_id, tag_id) VALUES ($1, $2)");
    for (long post = 1; post <= count; post++) {
        const long tag = data_new_tag(post);
        struct number keys[2];
        PQclear(run(db, "link", 2, (const char *[]){put_long(&keys[0], post), put_long(&keys[1], tag)}));
        outcome.sum += (double)(post + tag);
    }
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
    static const struct floor floor = {open_database, server_of, workloads};
    return floor_main(&floor, argc, argv);
}
