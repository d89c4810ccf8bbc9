#define _POSIX_C_SOURCE 200809L

#include "base/uuid.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "check.h"
#include "faults.h"

/* xxxxxxxx-xxxx-Vxxx-[89ab]xxx-xxxxxxxxxxxx in lower case */
static bool is_canonical(struct value value, char version) {
    if (value.kind != VALUE_TEXT || value.len != 36 || value.as.text[36] != '\0') return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? value.as.text[i] != '-' : !strchr("0123456789abcdef", value.as.text[i])) return false;
    }
    return value.as.text[14] == version && strchr("89ab", value.as.text[19]);
}

/* The milliseconds at the beginning of a version 7. */
static uint64_t time_of(struct value uuid) {
    uint64_t ms = 0;
    for (int i = 0; i < 13; i++) {
        const char *digit = strchr("0123456789abcdef", uuid.as.text[i]);
        if (digit) ms = ms << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    return ms;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void test_form(struct arena *arena) {
    bool four = true, seven = true, fresh = true;
    for (int i = 0; i < 1000; i++) {
        struct value a = uuid_v4(arena), b = uuid_v7(arena);
        four = four && is_canonical(a, '4');
        seven = seven && is_canonical(b, '7');
        fresh = fresh && !value_equal(a, uuid_v4(arena)) && !value_equal(b, uuid_v7(arena));
    }
    CHECK(four, "version 4 is canonical");
    CHECK(seven, "version 7 is canonical");
    CHECK(fresh, "no two are equal");
}

static void test_time(struct arena *arena) {
    uint64_t before = now();
    struct value first = uuid_v7(arena);
    uint64_t after = now();
    CHECK(time_of(first) >= before && time_of(first) <= after, "version 7 begins with the time");
    nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
    CHECK(strcmp(first.as.text, uuid_v7(arena).as.text) < 0, "a later one sorts behind");
}

static void make_both(struct arena *arena, void *data) {
    (void)data;
    uuid_v4(arena);
    uuid_v7(arena);
}

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    test_form(&arena);
    test_time(&arena);
    arena_free(&arena);
    CHECK(fault_points(make_both, NULL) == 2, "out of memory leaks nothing");
    return check_done();
}
