#include "base/datetime.h"

#include <math.h>
#include <string.h>

#include "check.h"

/* A text and its canonical form; NULL: it is none. */
static const struct { const char *text, *canonical; } texts[] = {
    { "2026-11-22T09:30:00.000Z",         "2026-11-22T09:30:00.000Z" },
    { "2026-11-22T09:30:00Z",             "2026-11-22T09:30:00.000Z" },
    { "2026-11-22T09:30:00.5Z",           "2026-11-22T09:30:00.500Z" },
    { "2026-11-22T09:30:00,123Z",         "2026-11-22T09:30:00.123Z" },
    { "2026-11-22T09:30:00.123456Z",      "2026-11-22T09:30:00.123456Z" },
    { "2026-11-22T09:30:00.123000Z",      "2026-11-22T09:30:00.123Z" },
    { "2026-11-22T09:30:00.1234567891Z",  "2026-11-22T09:30:00.123456Z" },
    { "2026-11-22t09:30z",                "2026-11-22T09:30:00.000Z" },
    { "2026-11-22T09:30:00+02:00",        "2026-11-22T07:30:00.000Z" },
    { "2026-11-22T09:30:00-0530",         "2026-11-22T15:00:00.000Z" },
    { "2026-11-22T00:30+02",              "2026-11-21T22:30:00.000Z" },
    { "2026-12-31T23:30:00-01:00",        "2027-01-01T00:30:00.000Z" },
    { "2026-11-22 09:30",                 "2026-11-22T09:30:00.000Z" },
    { "2026-11-22 09:30:15",              "2026-11-22T09:30:15.000Z" },
    { "2026-11-22 09:30:15.25",           "2026-11-22T09:30:15.250Z" },
    { "2026-11-22 09:30:15.250 +00:00",   "2026-11-22T09:30:15.250Z" },
    { "2026-11-22 09:30:15.25+00",        "2026-11-22T09:30:15.250Z" },
    { "2026-11-22",                       "2026-11-22T00:00:00.000Z" },
    { "20261122T093015Z",                 "2026-11-22T09:30:15.000Z" },
    { "20261122T0930+0200",               "2026-11-22T07:30:00.000Z" },
    { "2026-11-22T24:00:00Z",             "2026-11-23T00:00:00.000Z" },
    { "2024-02-29T00:00:00Z",             "2024-02-29T00:00:00.000Z" },
    { "2000-02-29T00:00:00Z",             "2000-02-29T00:00:00.000Z" },
    { "0001-01-01T00:00:00Z",             "0001-01-01T00:00:00.000Z" },
    { "9999-12-31T23:59:59.999999Z",      "9999-12-31T23:59:59.999999Z" },
    { "0001-01-01T00:00:00+01:00",        NULL },
    { "9999-12-31T23:30:00-01:00",        NULL },
    { "9999-12-31T24:00:00Z",             NULL },
    { "2023-02-29T00:00:00Z",             NULL },
    { "1900-02-29T00:00:00Z",             NULL },
    { "2026-04-31",                       NULL },
    { "2026-13-01",                       NULL },
    { "2026-00-01",                       NULL },
    { "0000-01-01",                       NULL },
    { "2026-11-22T25:00:00Z",             NULL },
    { "2026-11-22T24:00:01Z",             NULL },
    { "2026-11-22T09:60:00Z",             NULL },
    { "2026-11-22T09:30:60Z",             NULL },
    { "2026-11-22T09:30:00.Z",            NULL },
    { "2026-11-22T09:30:00+24:00",        NULL },
    { "2026-11-22T09:30:00 ",             NULL },
    { "2026-11-22T09:30:00Zx",            NULL },
    { "2026-11-22T",                      NULL },
    { "2026-11-22T0930",                  NULL },
    { "2026-1-2",                         NULL },
    { "+10000-01-01T00:00:00Z",           NULL },
    { "9999999-99-99",                    NULL },
    { "infinity",                         NULL },
    { "now",                              NULL },
    { "",                                 NULL },
};

static void test_texts(void) {
    char out[DATETIME_TEXT];
    int64_t micros;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = texts[i].text, *wanted = texts[i].canonical;
        size_t len = datetime_canonical(text, strlen(text), out);
        bool right = wanted ? len == strlen(wanted) && strcmp(out, wanted) == 0 : len == 0;
        CHECK(right, "canonical form of \"%s\"", text);
        bool read = datetime_read(text, strlen(text), &micros);
        right = read == (wanted != NULL) && (!read || (datetime_write(micros, out) && strcmp(out, wanted) == 0));
        CHECK(right, "there and back: \"%s\"", text);
    }
}

/* One byte changed: still an instant only if it is a digit that fits. The three-word check must agree with the slow
 * reading. */
static void test_fast_check(void) {
    static const char canonical[] = "2026-11-22T09:30:00.000Z";
    size_t wrong = 0;
    char out[DATETIME_TEXT];
    for (size_t i = 0; i < DATETIME_LEN; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[DATETIME_LEN + 1];
            memcpy(text, canonical, sizeof text);
            text[i] = (char)byte;
            bool same =
                datetime_canonical(text, DATETIME_LEN, out) == DATETIME_LEN && memcmp(out, text, DATETIME_LEN) == 0;
            bool digit = byte >= '0' && byte <= '9', mark = canonical[i] < '0' || canonical[i] > '9';
            wrong += datetime_is_canonical(text, DATETIME_LEN) != same;
            wrong += datetime_has_shape(text, DATETIME_LEN) != (mark ? byte == (unsigned char)canonical[i] : digit);
        }
    }
    CHECK(wrong == 0, "the fast check agrees with the slow one");
    CHECK(!datetime_has_shape(canonical, 23) && !datetime_has_shape("", 0), "another length");
}

/* Every day of ten thousand years. */
static void test_calendar(void) {
    char last[DATETIME_TEXT] = "", out[DATETIME_TEXT];
    size_t wrong = 0, days = 0;
    int64_t micros, back, first, end;
    datetime_read("0001-01-01", 10, &first);
    datetime_read("9999-12-31", 10, &end);
    for (micros = first; micros <= end; micros += INT64_C(86400000000), days++) {
        datetime_write(micros, out);
        wrong +=
            !datetime_read(out, 24, &back) || back != micros || !dateonly_is_valid(out, 10) || strcmp(last, out) >= 0;
        memcpy(last, out, sizeof last);
    }
    CHECK(wrong == 0 && days == 3652059, "every day from 0001 to 9999");
}

static bool real_is(double seconds, const char *wanted) {
    char out[DATETIME_TEXT];
    int64_t micros;
    return datetime_from_real(seconds, &micros) && datetime_write(micros, out) && strcmp(out, wanted) == 0;
}

static bool integer_is(int64_t seconds, const char *wanted) {
    char out[DATETIME_TEXT];
    int64_t micros;
    return datetime_from_integer(seconds, &micros) && datetime_write(micros, out) && strcmp(out, wanted) == 0;
}

static void test_epoch(void) {
    int64_t micros;
    CHECK(integer_is(0, "1970-01-01T00:00:00.000Z"), "second 0");
    CHECK(integer_is(-1, "1969-12-31T23:59:59.000Z"), "before 1970");
    CHECK(integer_is(1795339800, "2026-11-22T09:30:00.000Z"), "a second of 2026");
    CHECK(integer_is(-62135596800, "0001-01-01T00:00:00.000Z"), "the first second");
    CHECK(integer_is(253402300799, "9999-12-31T23:59:59.000Z"), "the last second");
    CHECK(!datetime_from_integer(-62135596801, &micros) && !datetime_from_integer(253402300800, &micros), "one beyond");
    CHECK(!datetime_from_integer(INT64_MAX, &micros) && !datetime_from_integer(INT64_MIN, &micros), "far beyond");
    CHECK(real_is(1795339800.123, "2026-11-22T09:30:00.123Z"), "milliseconds of a double");
    CHECK(real_is(-0.001, "1969-12-31T23:59:59.999Z"), "a millisecond before 1970");
    CHECK(!datetime_from_real(253402300799.9999, &micros), "rounded beyond the last year");
    CHECK(!datetime_from_real((double)NAN, &micros) && !datetime_from_real((double)INFINITY, &micros),
          "NaN and infinity");
}

static void test_other_forms(void) {
    char out[DATETIME_TEXT], cut[] = "2026-11-22T09:30:00.123456Z";
    int64_t micros;
    datetime_read("2026-11-22T09:30:00Z", 20, &micros);
    CHECK(datetime_write_space(micros, out) == 19 && strcmp(out, "2026-11-22 09:30:00") == 0,
          "with a blank, whole seconds");
    datetime_write_space(micros + 120000, out);
    CHECK(strcmp(out, "2026-11-22 09:30:00.120") == 0, "with a blank, milliseconds");
    CHECK(datetime_cut(cut, 27) == 24 && strcmp(cut, "2026-11-22T09:30:00.123Z") == 0, "cut to milliseconds");
    CHECK(datetime_cut(cut, 24) == 24 && strcmp(cut, "2026-11-22T09:30:00.123Z") == 0, "nothing to cut");
    datetime_now(out);
    CHECK(strlen(out) == DATETIME_LEN && datetime_is_canonical(out, DATETIME_LEN) && strcmp(out, "2025") > 0, "now");
}

static bool time_is(const char *text, const char *wanted) {
    char out[DATETIME_TEXT];
    size_t len = time_canonical(text, strlen(text), out);
    return wanted ? len == strlen(wanted) && strcmp(out, wanted) == 0 : len == 0;
}

static void test_days_and_times(void) {
    CHECK(dateonly_is_valid("2026-11-22", 10) && dateonly_is_valid("2024-02-29", 10), "days");
    CHECK(!dateonly_is_valid("2023-02-29", 10) && !dateonly_is_valid("20261122", 8), "no days");
    CHECK(!dateonly_is_valid("2026-11-22T", 11) && !dateonly_is_valid("2026/11/22", 10), "no days either");
    CHECK(time_is("09:30:00", "09:30:00") && time_is("09:30", "09:30:00"), "times of day");
    CHECK(time_is("09:30:00.250", "09:30:00.25") && time_is("09:30:00.000", "09:30:00"), "fractions of seconds");
    CHECK(time_is("24:00:00", NULL) && time_is("9:30", NULL) && time_is("09:30:00Z", NULL), "no times of day");
}

int main(void) {
    test_texts();
    test_fast_check();
    test_calendar();
    test_epoch();
    test_other_forms();
    test_days_and_times();
    return check_done();
}
