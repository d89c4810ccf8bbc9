/* The clocks of the benchmark, for the floors in C and (clock.c) the peers in Lua. All in seconds. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <time.h>

struct clock_times {
    double wall;   /* of a clock that never jumps */
    double cpu;    /* of this process */
    double server; /* CPU time of the server's process, 0: there is none */
};

static inline double clock_seconds(clockid_t clock) {
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The times now; server is the number of the server's process on this machine, 0: there is none. */
static inline struct clock_times clock_read(int server) {
    clockid_t clock;
    const int known = server && clock_getcpuclockid(server, &clock) == 0;
    return (struct clock_times){clock_seconds(CLOCK_MONOTONIC), clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
                                known ? clock_seconds(clock) : 0};
}

#endif
