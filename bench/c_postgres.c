/* The floor on PostgreSQL: each workload as one would write it in C by hand with libpq, with prepared statements, texts as
 * parameters and in results, rows read into structs that own their texts. */
#include "floor.h"

#include <libpq-fe.h>
#include <stdlib.h>

#define USER_COLUMNS "id, name, email, age, score, bio, created_at, active"
#define NEW_USER_COLUMNS "name, email, age, score, bio, created_at, active"

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

static void read_user(const PGresult *result, int row, struct user *user) {
    user->id = integer(result, row, 0);
    user->name = column_text(result, row, 1);
    user->email = column_text(result, row, 2);
    user->age = integer(result, row, 3);
    user->score = strtod(PQgetvalue(result, row, 4), NULL);
    user->bio = column_text(result, row, 5);
    user->created_at = column_text(result, row, 6);
    user->active = *PQgetvalue(result, row, 7) == 't';
}

static void read_post(const PGresult *result, int row, struct post *post) {
    post->id = integer(result, row, 0);
    post->user_id = integer(result, row, 1);
    post->title = column_text(result, row, 2);
    post->body = column_text(result, row, 3);
    post->created_at = column_text(result, row, 4);
}

/* Clears the result. */
static struct user_list take_users(PGresult *result) {
    struct user_list list = {NULL, 0, 0};
    for (int row = 0; row < PQntuples(result); row++) read_user(result, row, user_list_add(&list));
    PQclear(result);
    return list;
}

/* W1: the list stays, as it would in a program that goes on with it. */
static struct outcome load_all(void *db, long count, const struct data_user *input) {
    (void)count, (void)input;
    struct outcome outcome = {0, 0};
    prepare(db, "all", "SELECT " USER_COLUMNS " FROM users");
    const struct user_list list = take_users(run(db, "all", 0, NULL));
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
        struct user_list list = take_users(run(db, "search", 3, (const char *[]){put_long(&age, data_age_over(i)), "t", "20"}));
        outcome_add_users(&outcome, &list);
        user_list_free(&list);
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

/* W8 */
static struct outcome get_posts(void *db, long count, const struct data_user *input) {
    (void)input;
    struct outcome outcome = {0, 0};
    prepare(db, "posts", "SELECT id, user_id, title, body, created_at FROM posts WHERE user_id = $1");
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
    struct user_list list = take_users(run(db, "select", 1, (const char *[]){put_long(&last, count)}));
    for (size_t i = 0; i < list.count; i++) rename_user(db, &list.at[i]);
    outcome_add_users(&outcome, &list);
    execute(db, "COMMIT");
    user_list_free(&list);
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
        {"W5", 1, create_all},  {"W8", 0, get_posts},   {"W9", 0, change_each}, {"W10", 0, add_tags},
        {NULL, 0, NULL},
    };
    static const struct floor floor = {open_database, server_of, workloads};
    return floor_main(&floor, argc, argv);
}
