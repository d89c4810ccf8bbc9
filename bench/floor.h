/* What the floors (one program in plain C per engine) share: rows as structs, input, measuring, printing. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "data.h"

#include <stddef.h>
#include <stdint.h>

/* A text of its own: the row it was read from may be gone. */
struct text {
    char *bytes;
    size_t size;
};

struct user {
    int64_t id;
    struct text name;
    struct text email;
    int64_t age;
    double score;
    struct text bio;
    struct text created_at;
    int active;
};

struct post {
    int64_t id;
    int64_t user_id;
    struct text title;
    struct text body;
    struct text created_at;
};

struct comment {
    int64_t id;
    int64_t post_id;
    int64_t author_id;
    struct text text;
};

/* A tag as one post has it. */
struct tag {
    int64_t id;
    int64_t post_id;
    struct text name;
};

/* Rows of one of the kinds above. */
struct rows {
    size_t size; /* of one */
    void *at;
    size_t count;
    size_t room;
};

/* What a workload did: rows read or written, and a sum that depends on them. */
struct outcome {
    long rows;
    double sum;
};

struct floor_workload {
    const char *name;
    int takes_users; /* wants `count` new users as input, made before the clock starts */
    struct outcome (*run)(void *connection, long count, const struct data_user *input);
};

struct floor {
    void *(*open)(const char *target);
    int (*server)(void *connection); /* the process that works for the connection; NULL: this one does */
    const struct floor_workload *workloads; /* ends with a NULL name */
};

/* Runs the workload that the arguments name (WORKLOAD TARGET COUNT) and prints what it took. A count of 0 does all but
 * the workload. */
int floor_main(const struct floor *floor, int argc, char **argv);

/* Ends the program with a message. */
_Noreturn void floor_fail(const char *message);

/* Like malloc and realloc; never NULL. */
void *floor_alloc(size_t size);
void *floor_grow(void *old, size_t size);

struct text text_copy(const void *bytes, int size);

/* A place for one more row behind the others. */
void *rows_add(struct rows *rows);

/* Frees rows that are users, with their texts. */
void users_free(struct rows *users);

void user_free(struct user *user);
void post_free(struct post *post);

/* What every peer sums up of a row that it has read. */
double user_sum(const struct user *user);
double post_sum(const struct post *post);

/* Adds what was read to what a workload did; posts are freed. */
void outcome_add_users(struct outcome *outcome, const struct rows *users);
void outcome_add_posts(struct outcome *outcome, struct post *posts, int count);

#endif
