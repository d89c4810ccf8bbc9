/* The rows of the benchmark as functions of their number. data.lua says the same for the peers in Lua; the check of
 * what a workload has written fails where the two differ. */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

#include <stdio.h>
#include <string.h>

enum {
    DATA_USERS = 100000,
    DATA_AUTHORS = 1000, /* the users that have posts: 1 to DATA_AUTHORS */
    DATA_POSTS = 10000,
    DATA_COMMENTS = 50000,
    DATA_TAGS = 500,
    DATA_TAGS_PER_POST = 4,
    DATA_BIO_LENGTH = 80,
    DATA_BODY_LENGTH = 200
};

struct data_user {
    char name[32];
    char email[48];
    int age;
    double score; /* a multiple of 1/4, so that sums are exact; no two are equal */
    char bio[DATA_BIO_LENGTH + 1];
    char created_at[32];
    int active;
};

/* Appends filler to the text already in out until it is length characters long. */
static inline void data_fill(char *out, int length) {
    static const char filler[] = "the quick brown fox jumps over the lazy dog and ";
    const int size = (int)sizeof filler - 1;
    for (int at = (int)strlen(out); at < length; at++) out[at] = filler[at % size];
    out[length] = '\0';
}

static inline void data_instant(long i, char *out, size_t size) {
    snprintf(out, size, "2025-%02d-%02dT%02d:%02d:%02d.000Z", (int)(i % 12 + 1), (int)(i % 28 + 1), (int)(i % 24),
             (int)(i % 60), (int)(i % 59));
}

/* The users of the data file have their scores in no order; new ones come after all others, so that W4 and W5 measure
 * the way to the database rather than an index that does not fit into its cache. */
static inline double data_score(long i) { return (double)(i <= DATA_USERS ? i * 7919 % DATA_USERS : i) / 4; }

static inline void data_user(long i, struct data_user *user) {
    snprintf(user->name, sizeof user->name, "User %06ld", i);
    snprintf(user->email, sizeof user->email, "user%06ld@example.com", i);
    user->age = 18 + (int)(i * 37 % 61);
    user->score = data_score(i);
    snprintf(user->bio, sizeof user->bio, "%06ld ", i);
    data_fill(user->bio, DATA_BIO_LENGTH);
    data_instant(i, user->created_at, sizeof user->created_at);
    user->active = i % 3 != 0;
}

static inline long data_post_author(long post) { return (post - 1) / (DATA_POSTS / DATA_AUTHORS) + 1; }

/* The k-th tag of a post, k from 0; distinct for k < DATA_TAGS_PER_POST. */
static inline long data_post_tag(long post, int k) { return (post * 7 + k * 125L) % DATA_TAGS + 1; }

/* The tag that W10 adds to a post: none of those it has. */
static inline long data_new_tag(long post) { return (post * 7 + 60) % DATA_TAGS + 1; }

/* The age that the i-th search of W3 asks for. */
static inline int data_age_over(long i) { return 18 + (int)(i % 40); }

#endif
