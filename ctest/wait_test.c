#define _DEFAULT_SOURCE

#include "base/wait.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

static int reader, writer;

static struct waiting for_answer(int64_t deadline) {
    return (struct waiting){ .fd = reader, .read = true, .deadline = deadline };
}

/* Nothing comes. */
static void in_vain(struct wait_habit *habit) {
    struct waiting waiting = for_answer(clock_ms() + 1);
    wait_for(&waiting, habit);
    CHECK(clock_ms() >= waiting.deadline, "it waits until the deadline");
}

static void answered(struct wait_habit *habit) {
    struct waiting waiting = for_answer(0);
    char byte = 'x';
    CHECK(write(writer, &byte, 1) == 1, "an answer is sent");
    wait_for(&waiting, habit);
    CHECK(read(reader, &byte, 1) == 1, "it is there");
}

static void expect_habit(const struct wait_habit *habit, int asleep, const char *when) {
    CHECK(habit->asleep == asleep, "%s the next %d waits sleep at once, not %d", when, asleep, habit->asleep);
}

static void test_habit(void) {
    struct wait_habit habit = { 0, 0 };
    answered(&habit);
    expect_habit(&habit, 0, "after an answer");
    in_vain(&habit);
    expect_habit(&habit, 1, "after one in vain");
    in_vain(&habit);
    expect_habit(&habit, 0, "after that one");
    in_vain(&habit);
    expect_habit(&habit, 2, "after the second in vain");
    answered(&habit);
    answered(&habit);
    expect_habit(&habit, 0, "after these");
    answered(&habit);
    in_vain(&habit);
    expect_habit(&habit, 1, "after an answer that came quickly, all begins anew:");
    for (int i = 0; i < 300; i++) in_vain(&habit);
    CHECK(habit.asleep <= 64 && habit.in_vain == 64, "it stays curious: %d of %d", habit.asleep, habit.in_vain);
}

static void test_deadline(void) {
    for (int late = 0; late < 4; late++) {
        struct waiting waiting = for_answer(clock_ms() - late);
        int64_t before = clock_ms();
        wait_for(&waiting, NULL);
        CHECK(clock_ms() - before < 1000, "a deadline that was over %d ms ago ends the wait", late);
    }
    struct waiting pause = { .fd = -1, .deadline = clock_ms() + 5 };
    wait_for(&pause, NULL);
    CHECK(clock_ms() >= pause.deadline, "without a descriptor only the time ends it");
}

static void on_alarm(int number) { (void)number; }

static void test_signal(void) {
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    struct waiting waiting = for_answer(clock_ms() + 60000);
    int64_t before = clock_ms();
    wait_for(&waiting, NULL);
    CHECK(clock_ms() - before < 30000, "a signal ends it");
}

int main(void) {
    int ends[2];
    if (pipe(ends) != 0) return 1;
    reader = ends[0];
    writer = ends[1];
    test_habit();
    test_deadline();
    test_signal();
    return check_done();
}
