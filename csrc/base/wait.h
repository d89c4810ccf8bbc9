/* Waiting for a descriptor, where no event loop does it.
 *
 * Who sleeps has to be woken, and that takes both sides and the kernel longer than a server on the same machine takes for a small
 * statement: three times as long was measured (docs/architecture.md). So a wait stays awake for a short while before it sleeps. It
 * gives the processor away between two looks. Where being awake was in vain, as with a server that is far away or busy, or where
 * somebody else took the processor, as the server itself does if there is only one, more and more of the next waits sleep at once. */
#ifndef LIGA_BASE_WAIT_H
#define LIGA_BASE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* What to wait for. */
struct waiting {
    int fd;                         /* a descriptor; below 0: nothing but the time */
    bool read, write;               /* … to be ready for */
    int64_t deadline;               /* ms of the monotonic clock, when to go on at the latest; 0: none */
};

/* What the waits for the same server were like. Zeroed: nothing is known. */
struct wait_habit {
    int asleep;                     /* waits from now on that sleep at once */
    int in_vain;                    /* … that did so after the last one that stayed awake in vain */
};

/* Waits until the descriptor is ready, the deadline is over or a signal came: whoever calls looks which. `habit`: NULL to sleep at
 * once. */
void wait_for(const struct waiting *waiting, struct wait_habit *habit);

#endif
