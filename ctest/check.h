/* What every C test shares: CHECK counts and prints one TAP line, check_done prints the plan.
 *
 *     int main(void) {
 *         CHECK(distance("ab", "ba") == 1, "a swap costs %d", 1);
 *         return check_done();
 *     } */
#ifndef LIGA_CTEST_CHECK_H
#define LIGA_CTEST_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int check_count, check_failures;

/* Prints "ok N - name", or "not ok N - name" with the place and the condition. Use CHECK. */
__attribute__((format(printf, 4, 5)))
static inline bool check_report(bool ok, int line, const char *condition, const char *name, ...) {
    va_list args;
    va_start(args, name);
    printf("%sok %d - ", ok ? "" : "not ", ++check_count);
    vprintf(name, args);
    va_end(args);
    putchar('\n');
    if (!ok) printf("# line %d: %s\n", line, condition);
    fflush(stdout);             /* a later crash must not swallow what is known */
    check_failures += !ok;
    return ok;
}

/* CHECK(condition, "name", ...): the name is a printf format. True if the condition holds. */
#define CHECK(condition, ...) check_report((condition), __LINE__, #condition, __VA_ARGS__)

/* Prints the plan; what main returns. */
static inline int check_done(void) {
    printf("1..%d\n", check_count);
    return check_failures > 0;
}

#endif
