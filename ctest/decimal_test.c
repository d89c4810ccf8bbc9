#include "base/decimal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A numeric text, a scale, what it becomes; NULL: refused. */
static const struct { const char *text; int scale; const char *wanted; } roundings[] = {
    { "12.5",      2, "12.50" },     { "12",        2, "12.00" },    { "-12.5",     0, "-13" },
    { "1.005",     2, "1.01" },      { "-1.005",    2, "-1.01" },    { "1.00499",   2, "1.00" },
    { "9.995",     2, "10.00" },     { "999.5",     0, "1000" },     { "0.004",     2, "0.00" },
    { "-0.004",    2, "0.00" },      { "-0",        0, "0" },        { "-0.005",    2, "-0.01" },
    { "+007.10",   2, "7.10" },      { ".5",        0, "1" },        { "5.",        1, "5.0" },
    { "0.4",       0, "0" },         { "1e3",       0, "1000" },     { "1.5E+2",    1, "150.0" },
    { "125e-2",    1, "1.3" },       { "1e-400",    3, "0.000" },    { "1e-999999999999", 0, "0" },
    { "0e999999999999", 1, "0.0" },  { "00.000",    1, "0.0" },
    { "12.3400",   DECIMAL_NATURAL, "12.34" }, { "1200", DECIMAL_NATURAL, "1200" }, { "-0.0", DECIMAL_NATURAL, "0" },
    { "1e2",       DECIMAL_NATURAL, "100" },   { "1e-3", DECIMAL_NATURAL, "0.001" },
    { "1e999",     0, "(a thousand digits)" }, { "1e1000",    0, NULL },       { "1e-1001",   DECIMAL_NATURAL, NULL },
    { "1e999999999999", 0, NULL },   { "",          0, NULL },       { ".",         0, NULL },
    { "-",         0, NULL },        { "1e",        0, NULL },       { "1e+",       0, NULL },
    { "1.2.3",     0, NULL },        { " 1",        0, NULL },       { "1 ",        0, NULL },
    { "0x10",      0, NULL },        { "NaN",       0, NULL },       { "inf",       0, NULL },
    { "1,5",       1, NULL },        { "--1",       0, NULL },       { "1e5x",      0, NULL },
};

static void test_roundings(void) {
    char out[DECIMAL_TEXT], power[DECIMAL_TEXT] = "1";
    memset(power + 1, '0', 999);
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++) {
        const char *text = roundings[i].text, *wanted = strcmp(text, "1e999") == 0 ? power : roundings[i].wanted;
        int scale = roundings[i].scale;
        size_t len = decimal_round(text, strlen(text), scale, out, sizeof out);
        CHECK(wanted ? len == strlen(wanted) && strcmp(out, wanted) == 0 : len == 0, "\"%s\" with %d digits", text,
              scale);
        if (len && scale >= 0) CHECK(decimal_is_canonical(out, len, scale), "canonical: \"%s\"", text);
    }
    CHECK(decimal_round("12345", 5, 2, out, 10) == 0 && decimal_round("12345", 5, 2, out, 11) == 8, "room");
}

static void test_shape(void) {
    CHECK(decimal_is_canonical("-0.50", 5, 2) && decimal_is_canonical("7", 1, 0), "canonical texts");
    CHECK(!decimal_is_canonical("-0.00", 5, 2) && !decimal_is_canonical("-0", 2, 0), "no minus before zero");
    CHECK(!decimal_is_canonical("01.00", 5, 2) && !decimal_is_canonical("+1.00", 5, 2), "no leading zero, no plus");
    CHECK(!decimal_is_canonical("1.0", 3, 2) && !decimal_is_canonical("1.000", 5, 2)
              && !decimal_is_canonical("1.", 2, 0),
          "digits");
    CHECK(!decimal_is_canonical("", 0, 0) && !decimal_is_canonical(".50", 3, 2) && !decimal_is_canonical("1x00", 4, 2),
          "no number");
    CHECK(decimal_whole_digits("0.25", 4) == 0 && decimal_whole_digits("-12.5", 5) == 2
              && decimal_whole_digits("100", 3) == 3,
          "digits before the point");
}

static int compare(const char *a, const char *b) {
    int order = decimal_compare(a, strlen(a), b, strlen(b));
    return (order > 0) - (order < 0);
}

/* In ascending order; equal ones stand in one row. */
static const char *const ascending[][3] = {
    { "-1e500", "-10e499", "-0.1e501" },
    { "-100", "-100.0", "-1e2" },
    { "-99.99", "-99.990", "-9999e-2" },
    { "-0.001", "-1e-3", "-.001" },
    { "0", "-0", "0e99999999999999" },
    { "1e-600", "0.1e-599", "10e-601" },
    { "0.1", ".1", "0.10" },
    { "1", "1.0", "+1" },
    { "1.0000000000000000000000000001", "10000000000000000000000000001e-28", "1.00000000000000000000000000010" },
    { "9", "9.", "0.9e1" },
    { "10", "1e1", "010" },
    { "123456789012345678901234567890", "1.2345678901234567890123456789e29", "123456789012345678901234567890.000" },
    { "NaN", "NaN", "NaN" },
    { "abc", "abc", "abc" },
    { "abcd", "abcd", "abcd" },
};

static void test_comparisons(void) {
    int rows = (int)(sizeof ascending / sizeof *ascending), wrong = 0;
    for (int i = 0; i < rows * 3; i++) {
        for (int j = 0; j < rows * 3; j++) {
            int wanted = (i / 3 > j / 3) - (i / 3 < j / 3);
            wrong += compare(ascending[i / 3][i % 3], ascending[j / 3][j % 3]) != wanted;
        }
    }
    CHECK(wrong == 0, "a total order by value");
}

static bool sum_is(const char *const *terms, int scale, const char *wanted) {
    struct decimal_sum sum = { .pending = 0 };
    char out[DECIMAL_TEXT];
    for (; *terms; terms++)
        if (!decimal_sum_add(&sum, *terms, strlen(*terms))) return false;
    return decimal_sum_text(&sum, scale, out, sizeof out) && strcmp(out, wanted) == 0;
}

#define TERMS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void test_sums(void) {
    struct decimal_sum sum = { .pending = 0 };
    char out[DECIMAL_TEXT], nines[DECIMAL_DIGITS + 1] = "";
    CHECK(decimal_sum_text(&sum, 2, out, sizeof out) == 4 && strcmp(out, "0.00") == 0, "the empty sum");
    CHECK(sum_is(TERMS("0.1", "0.2"), 2, "0.30"), "0.1 + 0.2");
    CHECK(sum_is(TERMS("1.005", "1.005", "0.0049999"), DECIMAL_NATURAL, "2.0149999"),
          "no digit is lost before the end");
    CHECK(sum_is(TERMS("1", "-1.5"), 1, "-0.5"), "a negative sum");
    CHECK(sum_is(TERMS("-1000000000", "1"), 0, "-999999999"), "a borrow over groups");
    CHECK(sum_is(TERMS("999999999", "1"), 0, "1000000000"), "a carry over groups");
    CHECK(sum_is(TERMS("1e60", "1e-20", "-1e60"), DECIMAL_NATURAL, "0.00000000000000000001"),
          "large and small together");
    memset(nines, '9', DECIMAL_DIGITS);
    CHECK(decimal_sum_add(&sum, nines, DECIMAL_DIGITS) && decimal_sum_text(&sum, 0, out, sizeof out) == DECIMAL_DIGITS,
          "a thousand digits");
    CHECK(decimal_sum_add(&sum, "1", 1) && decimal_sum_text(&sum, 0, out, sizeof out) == 0,
          "a sum too long to be written");
    CHECK(decimal_sum_add(&sum, "-2", 2) && decimal_sum_text(&sum, 0, out, sizeof out) == DECIMAL_DIGITS
              && out[999] == '8',
          "and back again");
    CHECK(!decimal_sum_add(&sum, "x", 1) && !decimal_sum_add(&sum, "1e1000", 6) && !decimal_sum_add(&sum, "1e-1001", 7),
          "refused");
}

/* Many terms of alternating sign, against an integer sum of hundredths. */
static void test_long_sum(void) {
    struct decimal_sum sum = { .pending = 0 };
    char term[REAL_TEXT], wanted[REAL_TEXT], out[DECIMAL_TEXT];
    int64_t total = 0;
    for (int64_t i = 0; i < 100000; i++) {
        int64_t cents = (i * 7919 % 1000003) * (i % 3 == 0 ? -1 : 1);
        size_t len = integer_text(cents, term);
        memcpy(term + len, "e-2", 3);
        decimal_sum_add(&sum, term, len + 3);
        total += cents;
    }
    decimal_sum_text(&sum, 2, out, sizeof out);
    char *point = strchr(out, '.');
    if (point) memmove(point, point + 1, strlen(point));
    integer_text(total, wanted);
    CHECK(strcmp(out, wanted) == 0, "a hundred thousand terms");
}

static bool real_is(double real, const char *wanted) {
    char out[REAL_TEXT];
    return real_text(real, out) == strlen(wanted) && strcmp(out, wanted) == 0 && real_read(out, strlen(out)) == real;
}

static void test_reals(void) {
    char out[REAL_TEXT], zeros[2000];
    CHECK(real_is(1, "1.0") && real_is(-0.5, "-0.5") && real_is(0.1, "0.1") && real_is(1e100, "1e+100"), "short texts");
    CHECK(real_is(0.1 + 0.2, "0.30000000000000004") && real_is(DBL_MAX, "1.7976931348623157e+308"), "seventeen digits");
    CHECK(real_is(5e-324, "4.94065645841247e-324"), "the smallest double");
    CHECK(real_text_lua(0.1 + 0.2, out) == 3 && strcmp(out, "0.3") == 0, "Lua's fourteen digits");
    CHECK(real_text_lua(1e15, out) && strcmp(out, "1e+15") == 0 && real_text_lua(3, out) && strcmp(out, "3.0") == 0,
          "Lua's marks");
    CHECK(real_text_lua((double)-INFINITY, out) && strcmp(out, "-inf") == 0, "Lua's infinity");
    memset(zeros, '0', sizeof zeros);
    zeros[0] = '7';
    memcpy(zeros + 1990, "e-1989", 6);
    CHECK(real_read(zeros, 1996) == 7.0, "a number of two thousand digits");
    memset(zeros, '0', sizeof zeros);
    CHECK(real_read(zeros, sizeof zeros) == 0, "two thousand zeros");
}

/* The text is the shortest of fifteen to seventeen digits, as printf writes it, with a point. */
static bool reads_back(double real) {
    char out[REAL_TEXT], plain[REAL_TEXT];
    size_t len = real_text(real, out);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(plain, sizeof plain, "%.*g", digits, real);
        if (strtod(plain, NULL) == real) break;
    }
    if (!strpbrk(plain, ".e")) strcat(plain, ".0");
    return len == strlen(out) && strcmp(out, plain) == 0;
}

/* Whatever way is taken: the nearest double, as strtod finds it. */
static void test_short_reals(void) {
    uint64_t seed = 42;
    int wrong = 0;
    for (int i = 0; i < 200000; i++) {
        char text[48];
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t digits = (seed >> 8) % (i % 2 ? UINT64_C(1000000000000000) : UINT64_C(100000000000000000));
        snprintf(text, sizeof text, "%s%" PRIu64 ".%0*d", i % 3 ? "" : "-", digits >> (seed % 50), (int)(seed % 13),
                 (int)(seed % 997));
        double real = real_read(text, strlen(text)), wanted = strtod(text, NULL);
        wrong += memcmp(&real, &wanted, sizeof real) != 0;
        wrong += !reads_back(real) || !reads_back(trunc(real * 1e4) / 1e4) || !reads_back(trunc(real));
    }
    CHECK(wrong == 0, "as strtod reads it");
    CHECK(signbit(real_read("-0", 2)) && signbit(real_read("-0.0", 4)) && real_read("7", 1) == 7, "zeros and integers");
    CHECK(real_read(".5", 2) == 0.5 && real_read("5.", 2) == 5 && real_read("1e3", 3) == 1000, "other shapes");
}

static void test_integers(void) {
    int64_t i = 0;
    char out[REAL_TEXT];
    CHECK(integer_read("9223372036854775807", 19, &i) && i == INT64_MAX, "the largest integer");
    CHECK(integer_read("-9223372036854775808", 20, &i) && i == INT64_MIN, "the smallest integer");
    CHECK(integer_read("+0042", 5, &i) && i == 42, "a sign and zeros");
    CHECK(!integer_read("9223372036854775808", 19, &i) && !integer_read("-9223372036854775809", 20, &i), "one beyond");
    CHECK(!integer_read("99999999999999999999999", 23, &i), "far beyond");
    CHECK(!integer_read("", 0, &i) && !integer_read("-", 1, &i) && !integer_read("1.0", 3, &i)
              && !integer_read(" 1", 2, &i),
          "none");
    CHECK(integer_text(INT64_MIN, out) == 20 && strcmp(out, "-9223372036854775808") == 0, "the smallest as text");
    CHECK(integer_text(0, out) == 1 && strcmp(out, "0") == 0, "zero as text");
}

int main(void) {
    test_roundings();
    test_shape();
    test_comparisons();
    test_sums();
    test_long_sum();
    test_reals();
    test_short_reals();
    test_integers();
    return check_done();
}
