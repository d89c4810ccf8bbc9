#define _GNU_SOURCE                     /* sched_getaffinity, where there is one */

#include "base/wait.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"

/* How long to stay awake: about as long as falling asleep and being woken takes, so that what is lost by a wrong guess is no more
 * than what a right one saves (the competitive rule for spinning: Karlin et al., "Empirical studies of competitive spinning", 1991). */
enum { AWAKE_NS = 100000, MOST_ASLEEP = 64 };

bool wait_has_processors(void) {
#ifdef CPU_COUNT
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable) > 1;
#endif
    return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* True when the wait is over. */
static bool stay_awake(struct pollfd *wanted) {
    int64_t end = clock_ns() + AWAKE_NS;
    do {
        if (poll(wanted, 1, 0) != 0) return true;
        sched_yield();
    } while (clock_ns() < end);
    return false;
}

static bool is_quick(struct pollfd *wanted, struct wait_habit *habit) {
    if (habit->asleep) {
        habit->asleep--;
        return false;
    }
    bool quick = stay_awake(wanted);
    habit->in_vain = quick ? 0 : habit->in_vain ? habit->in_vain * 2 : 1;
    if (habit->in_vain > MOST_ASLEEP) habit->in_vain = MOST_ASLEEP;
    habit->asleep = habit->in_vain;
    return quick;
}

void wait_for(const struct waiting *waiting, struct wait_habit *habit) {
    struct pollfd wanted = { .fd = waiting->fd, .events = (short)((waiting->read ? POLLIN : 0) | (waiting->write ? POLLOUT : 0)) };
    if (habit && waiting->fd >= 0 && is_quick(&wanted, habit)) return;
    int64_t left = waiting->deadline ? waiting->deadline - clock_ms() : -1;
    if (waiting->deadline && left < 0) left = 0;
    poll(&wanted, 1, left > INT_MAX ? INT_MAX : (int)left);
}
