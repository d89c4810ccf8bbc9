#include "base/error.h"

#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "faults.h"

static void test_first_stays(struct arena *arena) {
    struct error error = { 0 };
    CHECK(!error_is_set(&error), "nothing is set at first");
    CHECK(!error_set(&error, arena, ERROR_UNIQUE, "%s has %d", "name", 2), "setting an error gives false");
    CHECK(error_is_set(&error) && error.code == ERROR_UNIQUE && strcmp(error.message, "name has 2") == 0,
          "code and message");
    CHECK(!error_set(&error, arena, ERROR_USAGE, "later") && error.code == ERROR_UNIQUE
          && strcmp(error.message, "name has 2") == 0, "the first one stays");
    error.retryable = true;
    error_clear(&error);
    CHECK(!error_is_set(&error) && !error.message && !error.retryable, "cleared");
    error_set(&error, arena, ERROR_USAGE, "%*d", 9000, 1);
    CHECK(strlen(error.message) == 9000, "a long message");
    error_clear(&error);
    error_set(&error, arena, ERROR_USAGE, "%s", "");
    CHECK(error_is_set(&error) && strcmp(error.message, "") == 0, "an empty message");
}

static void test_names(void) {
    bool named = true;
    for (int code = ERROR_NONE + 1; code < ERROR_CODES; code++) {
        const char *name = error_name((enum error_code)code);
        named = named && strlen(name) > 5 && strcmp(name + strlen(name) - 5, "Error") == 0;
    }
    CHECK(named, "every code has a name that ends with Error");
    CHECK(strcmp(error_name(ERROR_OPTIMISTIC_LOCK), "OptimisticLockError") == 0, "its own");
    CHECK(strcmp(outcome_name(OUTCOME_NONE), "none") == 0 && strcmp(outcome_name(OUTCOME_UNKNOWN), "unknown") == 0
          && strcmp(outcome_name(OUTCOME_ROLLED_BACK), "rolled_back") == 0
          && strcmp(outcome_name(OUTCOME_COMMITTED), "committed") == 0, "outcomes");
}

static void set_one(struct arena *arena, void *data) {
    struct error *error = data;
    error_clear(error);
    error_set(error, arena, ERROR_CHECK, "%s", "a message");
}

/* An error whose message found no memory is not set: nobody reads half of it. */
static void test_out_of_memory(void) {
    struct error error = { 0 };
    bool through = comes_through(set_one, &error, 1);
    CHECK(!through && !error_is_set(&error) && !error.message, "without memory nothing is set");
    CHECK(survives(set_one, &error) && error.code == ERROR_CHECK, "with memory it is");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    test_first_stays(&arena);
    test_names();
    test_out_of_memory();
    arena_free(&arena);
    return check_done();
}
