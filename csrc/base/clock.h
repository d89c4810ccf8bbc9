/* The clock by which everything that is late is late: monotonic, so that nobody can set it. */
#ifndef LIGA_BASE_CLOCK_H
#define LIGA_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since a moment that stays the same while the machine runs. */
int64_t clock_ns(void);

/* The same in milliseconds. */
static inline int64_t clock_ms(void) {
    return clock_ns() / 1000000;
}

#endif
