/* The hash of keys: numbers in order of arrival, any number of parts, any type. */
#include "load/keys.h"

#include <stdlib.h>

#include "base/arena.h"
#include "check.h"

static void out_of_memory(void *owner) {
    (void)owner;
    abort();
}

/* The number of the key if it is as fresh as expected, else -1. */
static int add(struct key_table *table, struct value a, struct value b, bool expected_fresh) {
    const struct value key[] = { a, b };
    bool fresh;
    int number = key_table_add(table, key, &fresh);
    return fresh == expected_fresh ? number : -1;
}

/* 1, 11 and 11, 1 are two keys; "1" and 1 are two values. */
static void parts_stay_apart(struct arena *arena) {
    struct key_table table;
    key_table_init(&table, arena, 2);
    CHECK(add(&table, value_int(1), value_int(11), true) == 0, "the first key is number 0");
    CHECK(add(&table, value_int(11), value_int(1), true) == 1, "the parts the other way round are another key");
    CHECK(add(&table, value_text("1", 1), value_int(11), true) == 2, "a text is another value than its number");
    CHECK(add(&table, value_text("a", 1), value_text("bc", 2), true) == 3, "texts of a key");
    CHECK(add(&table, value_text("ab", 2), value_text("c", 1), true) == 4, "are not run together");
    CHECK(add(&table, value_int(1), value_int(11), false) == 0, "an equal key has the same number");
    CHECK(add(&table, value_text("ab", 2), value_text("c", 1), false) == 4, "an equal key of texts, too");
    CHECK(table.count == 5, "each key counts once");
}

static void texts_are_copied(struct arena *arena) {
    struct key_table table;
    char text[] = "mutable";
    struct value key = value_text(text, 7);
    bool fresh;
    key_table_init(&table, arena, 1);
    key_table_add(&table, &key, &fresh);
    text[0] = 'M';
    CHECK(key_table_find(&table, &key) == -1, "a text that changed is not found");
    struct value before = value_text("mutable", 7);
    CHECK(key_table_find(&table, &before) == 0, "its copy is");
}

static void many(struct arena *arena) {
    struct key_table table;
    bool fresh;
    key_table_init(&table, arena, 1);
    bool fine = true;
    for (int i = 0; i < 10000; i++) {
        struct value key = value_int((int64_t)i * 1024);
        fine = key_table_add(&table, &key, &fresh) == i && fresh && fine;
    }
    for (int i = 0; i < 10000; i++) {
        struct value key = value_int((int64_t)i * 1024);
        fine = key_table_find(&table, &key) == i && fine;
    }
    struct value other = value_int(3);
    CHECK(fine, "ten thousand keys are found");
    CHECK(key_table_find(&table, &other) == -1, "one that is not there is not");
}

static void equal_reals(struct arena *arena) {
    struct key_table table;
    bool fresh;
    struct value zero = value_real(0.0), minus = value_real(-0.0);
    key_table_init(&table, arena, 1);
    CHECK(key_table_find(&table, &zero) == -1, "an empty table has no key");
    key_table_add(&table, &zero, &fresh);
    CHECK(key_table_find(&table, &minus) == 0, "zero equals minus zero");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, out_of_memory, NULL);
    parts_stay_apart(&arena);
    texts_are_copied(&arena);
    many(&arena);
    equal_reals(&arena);
    arena_free(&arena);
    return check_done();
}
