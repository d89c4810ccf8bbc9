/* What the fuzzers share. */
#ifndef LIGA_FUZZ_FUZZ_H
#define LIGA_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the run if something that must hold does not; libFuzzer keeps the input. */
#define MUST(condition)                                                                         \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);      \
            abort();                                                                            \
        }                                                                                       \
    } while (0)

static inline void fuzz_out_of_memory(void *owner) {
    (void)owner;
    abort();
}

#endif
