#include "base/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "check.h"

static void give_up(void *owner) {
    (void)owner;
    abort();
}

static void test_names(struct arena *arena) {
    struct names names;
    names_init(&names, arena);
    char source[] = "userId";
    const char *stored = names_get(&names, source, 6);
    source[0] = 'X';
    CHECK(strcmp(stored, "userId") == 0, "a name is copied and ends with NUL");
    CHECK(names_get(&names, "userId", 6) == stored && names_find(&names, "userId", 6) == stored,
          "equal names are one pointer");
    CHECK(!names_find(&names, "userid", 6) && !names_find(&names, "userI", 5), "others are not found");
    CHECK(names_get(&names, "user", 4) != stored && names.count == 2, "a beginning is another name");
    CHECK(names_get(&names, "a\0b", 3) != names_get(&names, "a\0c", 3), "a name may hold NUL");
    CHECK(names_get(&names, "", 0) == names_get(&names, "", 0), "the empty name");
}

static void test_growth(struct arena *arena) {
    enum { MANY = 1000 };
    static const char *stored[MANY];
    struct names names;
    char text[16];
    int wrong = 0;
    names_init(&names, arena);
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "name%d", i);
        stored[i] = names_get(&names, text, (size_t)len);
    }
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "name%d", i);
        wrong += names_find(&names, text, (size_t)len) != stored[i] || strcmp(stored[i], text) != 0;
    }
    CHECK(wrong == 0 && names.count == MANY && names.size >= MANY, "a thousand names keep their places");
}

/* The nearest of the words to a misspelt one. */
static const char *nearest(const char *word, const char *const *words) {
    struct nearest search = { .word = word };
    for (; *words; words++) nearest_offer(&search, *words);
    return search.best;
}

static bool is(const char *found, const char *wanted) {
    return found == wanted || (found && wanted && strcmp(found, wanted) == 0);
}

static void test_nearest(void) {
    static const char *const words[] = { "author", "comments", "tags", "title", NULL };
    char long_word[200] = "";
    memset(long_word, 'a', sizeof long_word - 1);
    CHECK(is(nearest("autor", words), "author"), "a letter left out");
    CHECK(is(nearest("autohr", words), "author"), "two letters swapped");
    CHECK(is(nearest("Comments", words), "comments"), "another case");
    CHECK(is(nearest("tag", words), "tags") && is(nearest("tagss", words), "tags"), "a letter at the end");
    CHECK(is(nearest("author", words), "author"), "the word itself");
    CHECK(is(nearest("zzzzzz", words), NULL), "nothing is near");
    CHECK(is(nearest(long_word, words), NULL), "a word too long to be compared");
    CHECK(is(nearest("", words), NULL), "the empty word");
}

int main(void) {
    struct arena arena;
    arena_init(&arena, give_up, NULL);
    CHECK(text_hash("", 0) == UINT64_C(14695981039346656037) && text_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c),
          "FNV-1a");
    test_names(&arena);
    test_growth(&arena);
    test_nearest();
    arena_free(&arena);
    return check_done();
}
