#include "floor.h"

#include "clock.h"

#include <stdlib.h>

void floor_fail(const char *message) {
    fprintf(stderr, "floor: %s\n", message);
    exit(1);
}

void *floor_alloc(size_t size) { return floor_grow(NULL, size); }

void *floor_grow(void *old, size_t size) {
    void *new = realloc(old, size);
    if (!new) floor_fail("out of memory");
    return new;
}

struct text text_copy(const void *bytes, int size) {
    struct text text = {floor_alloc((size_t)size + 1), (size_t)size};
    memcpy(text.bytes, bytes, text.size);
    text.bytes[text.size] = '\0';
    return text;
}

void *rows_add(struct rows *rows) {
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : 16;
        rows->at = floor_grow(rows->at, rows->room * rows->size);
    }
    return (char *)rows->at + rows->count++ * rows->size;
}

void users_free(struct rows *users) {
    struct user *user = users->at;
    for (size_t i = 0; i < users->count; i++) user_free(&user[i]);
    free(users->at);
}

void user_free(struct user *user) {
    free(user->name.bytes);
    free(user->email.bytes);
    free(user->bio.bytes);
    free(user->created_at.bytes);
}

void post_free(struct post *post) {
    free(post->title.bytes);
    free(post->body.bytes);
    free(post->created_at.bytes);
}

double user_sum(const struct user *user) { return (double)user->id + user->score + (double)user->name.size; }

double post_sum(const struct post *post) {
    return (double)post->id + (double)post->user_id + (double)post->title.size;
}

void outcome_add_users(struct outcome *outcome, const struct rows *users) {
    const struct user *user = users->at;
    for (size_t i = 0; i < users->count; i++) outcome->sum += user_sum(&user[i]);
    outcome->rows += (long)users->count;
}

void outcome_add_posts(struct outcome *outcome, struct post *posts, int count) {
    for (int i = 0; i < count; i++) {
        outcome->sum += post_sum(&posts[i]);
        post_free(&posts[i]);
    }
    outcome->rows += count;
}

/* The most memory the process has had, in KiB. */
static long peak_memory(void) {
    char line[256];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmHWM: %ld", &peak) == 1) break;
    }
    if (status) fclose(status);
    return peak;
}

static struct data_user *new_users(long count) {
    struct data_user *users = floor_alloc((size_t)(count + 1) * sizeof *users);
    for (long i = 0; i < count; i++) data_user(DATA_USERS + i + 1, &users[i]);
    return users;
}

static const struct floor_workload *find_workload(const struct floor *floor, const char *name) {
    const struct floor_workload *workload = floor->workloads;
    while (workload->name && strcmp(workload->name, name) != 0) workload++;
    if (!workload->name) floor_fail("no such workload");
    return workload;
}

int floor_main(const struct floor *floor, int argc, char **argv) {
    if (argc != 4) floor_fail("usage: WORKLOAD TARGET COUNT");
    const struct floor_workload *workload = find_workload(floor, argv[1]);
    void *connection = floor->open(argv[2]);
    const long count = strtol(argv[3], NULL, 10);
    struct data_user *input = workload->takes_users ? new_users(count) : NULL;
    struct outcome outcome = {0, 0};
    const int server = floor->server ? floor->server(connection) : 0;

    const struct clock_times start = clock_read(server);
    if (count > 0) outcome = workload->run(connection, count, input);
    const struct clock_times end = clock_read(server);

    printf("rows=%ld sum=%.2f wall=%.9f cpu=%.9f server=%.9f peak=%ld\n", outcome.rows, outcome.sum, end.wall - start.wall,
           end.cpu - start.cpu, end.server - start.server, peak_memory());
    free(input);
    return 0;
}
