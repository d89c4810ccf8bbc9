/* Regular expressions: what matches, what is refused, and that no pattern takes more than its share. */
#define _POSIX_C_SOURCE 200809L

#include "base/regexp.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static locale_t letters;

static bool matches(const char *pattern, const char *text, bool fold) {
    const char *fault = NULL;
    struct regexp *regexp = regexp_new(pattern, strlen(pattern), fold, letters, &fault);
    bool found = regexp && regexp_matches(regexp, text, strlen(text));
    CHECK(regexp != NULL, "%s is a pattern", pattern);
    regexp_free(regexp);
    return found;
}

static const struct { const char *pattern, *text; bool matches, folded; } pairs[] = {
    { "", "anything", true, true },
    { "b", "abc", true, true },
    { "^b", "abc", false, false },
    { "^$", "", true, true },
    { "^$", "a", false, false },
    { "a$", "ba", true, true },
    { "a.c", "a\xC3\xA9" "c", true, true },
    { "^.$", "\xF0\x9F\x98\x80", true, true },
    { "^.$", "\xFF", true, true },
    { "^..$", "\xC3" "A", true, true },
    { "(ab|cd)+e", "xabcdabe", true, true },
    { "^(a|b|c|)d$", "d", true, true },
    { "^a{2,3}$", "aaaa", false, false },
    { "^a{2,3}$", "aaa", true, true },
    { "^a{2,}$", "aaaaaa", true, true },
    { "^(ab){2}$", "abab", true, true },
    { "^a{0}b$", "b", true, true },
    { "^(a*)*$", "aaa", true, true },
    { "^[a-c]+$", "abcabc", true, true },
    { "^[^a-c]$", "d", true, true },
    { "^[]x-]+$", "]-x", true, true },
    { "^[[:digit:][:space:]]+$", "1 2", true, true },
    { "^[\xD0\xB0-\xD1\x8F]+$", "\xD0\xB4\xD0\xB0", true, true },
    { "a\\.b", "a.b", true, true },
    { "a\\.b", "axb", false, false },
    { "^ANN$", "ann", false, true },
    { "^[A-C]$", "b", false, true },
    { "^\xC3\x84$", "\xC3\xA4", false, true },
};

static void test_matching(void) {
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CHECK(matches(pairs[i].pattern, pairs[i].text, false) == pairs[i].matches, "%s on %s", pairs[i].pattern, pairs[i].text);
        CHECK(matches(pairs[i].pattern, pairs[i].text, true) == pairs[i].folded, "… whatever the case");
    }
}

static void test_faults(void) {
    static const char *const bad[] = {
        "*", "a**", "(", ")", "a)", "(a", "[", "[a", "[]", "[[:nothing:]]", "[[.a.]]", "[b-a]", "[\\d]", "\\d", "(a)\\1", "\\",
        "a{", "a{2", "a{,3}", "a{3,2}", "a{256}", "^*", "|*", "((((a{255}){255}){255}){255})",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(regexp_fault(bad[i], strlen(bad[i])) != NULL, "no pattern: %s", bad[i]);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        CHECK(regexp_fault(pairs[i].pattern, strlen(pairs[i].pattern)) == NULL, "a pattern: %s", pairs[i].pattern);
    CHECK(regexp_fault("a\0b", 3) == NULL, "a NUL byte is a character");
    char deep[REGEXP_LENGTH + 2];
    memset(deep, '(', sizeof deep);
    CHECK(regexp_fault(deep, REGEXP_LENGTH) != NULL, "groups are nested too deeply");
    memset(deep, '[', sizeof deep);
    CHECK(regexp_fault(deep, REGEXP_LENGTH) != NULL, "a thousand brackets");
    memset(deep, '|', sizeof deep);
    CHECK(regexp_fault(deep, REGEXP_LENGTH) == NULL, "a thousand alternatives");
    CHECK(regexp_fault(deep, REGEXP_LENGTH + 1) != NULL, "longer than a pattern may be");
}

/* Backtracking would take as many steps as there are ways to share the text out: here it would not come to an end. */
static void test_time(void) {
    enum { LENGTH = 5000 };
    static const char *const slow[] = { "^(a*)*b$", "^(a|a)*b$", "^(a|aa)+$", "^(a?){100}a{100}b$", "(.*)(.*)(.*)(.*)(.*)b$" };
    char *text = malloc(LENGTH + 1);
    memset(text, 'a', LENGTH);
    text[LENGTH - 1] = 'c';
    text[LENGTH] = '\0';
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) CHECK(!matches(slow[i], text, false), "%s is soon done", slow[i]);
    free(text);
}

/* Every text of a few bytes out of those that mean something: no byte outside is read, no instruction goes astray. */
static void test_everything_short(void) {
    static const char alphabet[] = "a\xC3[]()|*{1,}^-\\:.$";
    enum { SIZE = sizeof alphabet - 1, LENGTH = 4 };
    size_t patterns = 0;
    for (int number = 0; number < SIZE * SIZE * SIZE * SIZE; number++) {
        char pattern[LENGTH];
        const char *fault;
        for (int i = 0, rest = number; i < LENGTH; i++, rest /= SIZE) pattern[i] = alphabet[rest % SIZE];
        struct regexp *regexp = regexp_new(pattern, LENGTH, number % 2, letters, &fault);
        if (!regexp) continue;
        patterns++;
        regexp_matches(regexp, pattern, LENGTH);
        regexp_matches(regexp, "", 0);
        regexp_free(regexp);
    }
    CHECK(patterns > 1000, "%zu patterns of four bytes", patterns);
}

int main(void) {
    letters = regexp_letters();
    test_matching();
    test_faults();
    test_time();
    test_everything_short();
    freelocale(letters);
    return check_done();
}
