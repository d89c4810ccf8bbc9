#include "base/utf8.h"

#include <string.h>

#include "check.h"

static const struct { const char *text; size_t len; enum utf8_fault fault; size_t at; const char *name; } checks[] = {
    { "",                                0, UTF8_FINE,    0, "the empty text" },
    { "plain ASCII, longer than a word", 31, UTF8_FINE,   31, "ASCII" },
    { "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 10, UTF8_FINE, 10, "one to four bytes" },
    { "\xF4\x8F\xBF\xBF",                4, UTF8_FINE,    4, "the last code point" },
    { "a\0b",                            3, UTF8_NUL,     1, "a NUL" },
    { "01234567\0",                      9, UTF8_NUL,     8, "a NUL behind a word" },
    { "0123456\0abcdefgh",               16, UTF8_NUL,    7, "a NUL at the end of a word" },
    { "\x80",                            1, UTF8_INVALID, 0, "a lone continuation" },
    { "\xC3",                            1, UTF8_INVALID, 0, "a sequence cut off" },
    { "abcdefgh\xE2\x82",                10, UTF8_INVALID, 8, "a sequence cut off behind a word" },
    { "\xC0\xAF",                        2, UTF8_INVALID, 0, "an overlong slash, two bytes" },
    { "\xE0\x80\xAF",                    3, UTF8_INVALID, 0, "an overlong slash, three bytes" },
    { "\xF0\x80\x80\xAF",                4, UTF8_INVALID, 0, "an overlong slash, four bytes" },
    { "\xED\xA0\x80",                    3, UTF8_INVALID, 0, "a surrogate" },
    { "\xF4\x90\x80\x80",                4, UTF8_INVALID, 0, "beyond the last code point" },
    { "\xFF",                            1, UTF8_INVALID, 0, "a byte that never occurs" },
    { "\xE2\x28\xA1",                    3, UTF8_INVALID, 0, "a second byte that is none" },
};

static void test_checks(void) {
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        size_t at = 99;
        enum utf8_fault fault = utf8_check(checks[i].text, checks[i].len, &at);
        CHECK(fault == checks[i].fault && at == checks[i].at, "check: %s", checks[i].name);
        CHECK(utf8_is_valid(checks[i].text, checks[i].len) == (fault != UTF8_INVALID), "valid: %s", checks[i].name);
    }
}

/* Every code point is written, found valid and counted as one; surrogates are not valid. */
static void test_all_code_points(void) {
    size_t wrong = 0;
    char bytes[4];
    for (unsigned long code = 0; code <= 0x10FFFF; code++) {
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        size_t len = utf8_put(code, bytes);
        wrong += utf8_is_valid(bytes, len) == surrogate || utf8_count(bytes, len) != 1;
    }
    CHECK(wrong == 0, "all code points");
}

int main(void) {
    test_checks();
    test_all_code_points();
    CHECK(utf8_count("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 10) == 4, "four characters in ten bytes");
    CHECK(utf8_count("", 0) == 0, "no character");
    return check_done();
}
