/* Running out of memory at every request: a job runs again and again, each time with memory out one request later,
 * until it comes through. What it took must be given back by arena_free (LeakSanitizer looks), and the arena is usable
 * at once.
 *
 *     static void job(struct arena *arena, void *data) { … }
 *     CHECK(survives(job, NULL), "…"); */
#ifndef LIGA_CTEST_FAULTS_H
#define LIGA_CTEST_FAULTS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"

enum { FAULT_POINTS = 100000 };

static jmp_buf fault_exit;

static inline void fault_happens(void *owner) {
    (void)owner;
    longjmp(fault_exit, 1);
}

/* The handler of arenas that never run out in a test. */
static inline void fault_unexpected(void *owner) {
    (void)owner;
    abort();
}

/* True if the job came through with memory out at the request that `point` counts; then there was no such request. */
static inline bool comes_through(void (*job)(struct arena *arena, void *data), void *data, unsigned point) {
    static struct arena arena;
    volatile bool through = false;
    arena_init(&arena, fault_happens, NULL);
    arena.fails_in = point;
    if (setjmp(fault_exit) == 0) {
        job(&arena, data);
        through = true;
    }
    arena.fails_in = 0;
    if (!through && !arena_alloc(&arena, 1)) abort();
    arena_free(&arena);
    return through;
}

/* Counts the requests that could fail, all of which did; 0: the job makes none, or never comes through. */
static inline unsigned fault_points(void (*job)(struct arena *arena, void *data), void *data) {
    unsigned point = 1;
    while (point < FAULT_POINTS && !comes_through(job, data, point)) point++;
    return point < FAULT_POINTS ? point - 1 : 0;
}

static inline bool survives(void (*job)(struct arena *arena, void *data), void *data) {
    return fault_points(job, data) > 0;
}

#endif
