#define _POSIX_C_SOURCE 200809L

#include "base/wait.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>

#include "base/clock.h"

/* How long to stay awake: about as long as falling asleep and being woken takes, so that what is lost by a wrong guess is no more
 * than what a right one saves (the competitive rule for spinning: Karlin et al., "Empirical studies of competitive spinning", 1991).
 * A processor that was given away and comes back later than `SHARED_NS` was wanted by somebody else. */
enum { AWAKE_NS = 100000, SHARED_NS = 5000, MOST_ASLEEP = 64 };

enum look { LOOK_QUICK, LOOK_SHARED, LOOK_IN_VAIN };

static bool is_ready(struct pollfd *wanted) {
    return poll(wanted, 1, 0) != 0;
}

/* Looks again and again until it is ready, the time is over, or somebody else needs the processor. */
static enum look stay_awake(struct pollfd *wanted) {
    int64_t now = clock_ns(), end = now + AWAKE_NS;
    while (now < end) {
        if (is_ready(wanted)) return LOOK_QUICK;
        sched_yield();
        int64_t before = now;
        now = clock_ns();
        if (now - before > SHARED_NS) return is_ready(wanted) ? LOOK_SHARED : LOOK_IN_VAIN;
    }
    return LOOK_IN_VAIN;
}

/* True when the wait is over. */
static bool is_quick(struct pollfd *wanted, struct wait_habit *habit) {
    if (habit->asleep) {
        habit->asleep--;
        return false;
    }
    enum look look = stay_awake(wanted);
    habit->in_vain = look == LOOK_QUICK ? 0 : habit->in_vain ? habit->in_vain * 2 : 1;
    if (habit->in_vain > MOST_ASLEEP) habit->in_vain = MOST_ASLEEP;
    habit->asleep = habit->in_vain;
    return look != LOOK_IN_VAIN;
}

void wait_for(const struct waiting *waiting, struct wait_habit *habit) {
    struct pollfd wanted = { .fd = waiting->fd, .events = (short)((waiting->read ? POLLIN : 0) | (waiting->write ? POLLOUT : 0)) };
    if (habit && waiting->fd >= 0 && is_quick(&wanted, habit)) return;
    int64_t left = waiting->deadline ? waiting->deadline - clock_ms() : -1;
    if (waiting->deadline && left < 0) left = 0;
    poll(&wanted, 1, left > INT_MAX ? INT_MAX : (int)left);
}
