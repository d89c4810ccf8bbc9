#include "schema/types.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "check.h"

#define TEXT(s) value_text((s), strlen(s))
#define BYTES(s) value_text((s), sizeof(s) - 1)

static struct arena arena;

static void give_up(void *owner) {
    (void)owner;
    abort();
}

/* True if the type makes `wanted` of `given`. */
static bool accepts(struct type type, struct value given, struct value wanted) {
    struct error error = { 0 };
    return type_accept(&type, &given, &arena, &error) && value_equal(given, wanted) && !error_is_set(&error);
}

/* True if the type refuses the value with these words, keeps it and hands it to the error. */
static bool refuses(struct type type, struct value given, const char *words) {
    struct error error = { 0 };
    struct value value = given;
    if (type_accept(&type, &value, &arena, &error)) return false;
    if (error.code != ERROR_VALIDATION || !strstr(error.message, words)) {
        printf("# message: %s\n", error.message);
        return false;
    }
    return value_equal(value, given) && error.has_value && value_equal(error.value, given);
}

/* True if the stored cell reads as `wanted`. */
static bool reads(struct type type, struct value cell, struct value wanted) {
    char scratch[TYPE_SCRATCH];
    type_read(&type, &cell, scratch, &arena);
    return value_equal(cell, wanted);
}

static bool stores(struct type type, struct value logical, struct value wanted) {
    type_store(&type, &logical, &arena);
    return value_equal(logical, wanted);
}

#define TYPE(word, ...) ((struct type){ .id = TYPE_##word, __VA_ARGS__ })

static const struct type integer = { .id = TYPE_INTEGER }, bigint = { .id = TYPE_BIGINT },
                         smallint = { .id = TYPE_SMALLINT }, real = { .id = TYPE_DOUBLE },
                         boolean = { .id = TYPE_BOOLEAN }, text = { .id = TYPE_TEXT }, date = { .id = TYPE_DATE },
                         string3 = { .id = TYPE_STRING, .length = 3 }, char3 = { .id = TYPE_CHAR, .length = 3 },
                         blob = { .id = TYPE_BLOB }, price = { .id = TYPE_DECIMAL, .precision = 5, .scale = 2 },
                         uuid = { .id = TYPE_UUID }, dateonly = { .id = TYPE_DATEONLY }, daytime = { .id = TYPE_TIME },
                         json = { .id = TYPE_JSON };

static const char *const colours[] = { "red", "green", "7" };
static const struct type colour = { .id = TYPE_ENUM, .values = colours, .value_count = 3 };

static bool text_is(struct type type, const char *wanted) {
    return strcmp(type_text(&type, &arena), wanted) == 0;
}

static void test_names(void) {
    static const struct type element = { .id = TYPE_STRING, .length = 9 };
    bool all = true;
    for (int id = 0; id < TYPE_COUNT; id++) all = all && type_find(type_info((enum type_id)id)->name) == id;
    CHECK(all && type_find("string") == -1 && type_find("") == -1, "names");
    CHECK(text_is(TYPE(STRING, 0), "STRING") && text_is(string3, "STRING(3)") && text_is(price, "DECIMAL(5,2)"),
          "parameters");
    CHECK(text_is(colour, "ENUM{\"red\", \"green\", \"7\"}"), "the values of an ENUM");
    CHECK(text_is(TYPE(ARRAY, .element = &element), "ARRAY(STRING(9))"), "an element type");
    CHECK(text_is(date, "DATE") && text_is(TYPE(DATE, .stored = DATE_EPOCH), "DATE{stored = \"epoch\"}"),
          "a date form");
}

static void test_accept_integers(void) {
    CHECK(accepts(integer, value_int(-5), value_int(-5)), "an integer");
    CHECK(accepts(integer, value_real(3.0), value_int(3)), "a float with an integral value");
    CHECK(accepts(integer, TEXT("-042"), value_int(-42)), "a text of digits");
    CHECK(accepts(integer, value_null(), value_null()), "NULL");
    CHECK(refuses(integer, value_real(3.5), "expects an integer"), "a fraction");
    CHECK(refuses(integer, value_real((double)NAN), "expects an integer"), "NaN is no integer");
    CHECK(refuses(integer, TEXT("12a"), "expects an integer") && refuses(integer, TEXT(""), "expects"), "other texts");
    CHECK(refuses(integer, TEXT("3.0"), "expects an integer"), "a text with a point");
    CHECK(refuses(integer, value_bool(true), "expects an integer"), "a boolean is no integer");
    CHECK(accepts(integer, value_int(INT32_MIN), value_int(INT32_MIN)), "the smallest of 32 bits");
    CHECK(refuses(integer, value_int(INT64_C(2147483648)), "range of INTEGER (-2147483648 to 2147483647)"),
          "beyond 32 bits");
    CHECK(refuses(integer, TEXT("2147483648"), "range of INTEGER"), "beyond 32 bits as text");
    CHECK(accepts(smallint, value_int(-32768), value_int(-32768)), "the smallest of 16 bits");
    CHECK(refuses(smallint, value_int(32768), "range of SMALLINT (-32768 to 32767)"), "beyond 16 bits");
    CHECK(accepts(bigint, value_int(INT64_MIN), value_int(INT64_MIN)), "the smallest of 64 bits");
    CHECK(accepts(bigint, value_real(-9223372036854775808.0), value_int(INT64_MIN)), "the smallest as a float");
    CHECK(refuses(bigint, value_real(9223372036854775808.0), "out of the range of BIGINT"), "beyond 64 bits as a float");
    CHECK(refuses(bigint, TEXT("9223372036854775808"), "out of the range of BIGINT"), "beyond 64 bits as text");
}

static void test_accept_numbers(void) {
    CHECK(accepts(real, value_int(2), value_real(2.0)) && accepts(real, value_real(0.1), value_real(0.1)), "numbers");
    CHECK(accepts(real, value_real((double)INFINITY), value_real((double)INFINITY)), "infinity");
    CHECK(refuses(real, value_real((double)NAN), "NaN"), "NaN");
    CHECK(refuses(real, TEXT("1.5"), "expects a number"), "a numeric text is no float");
    CHECK(accepts(price, TEXT("12.5"), TEXT("12.50")) && accepts(price, TEXT("12.50"), TEXT("12.50")), "decimal texts");
    CHECK(accepts(price, value_int(7), TEXT("7.00")) && accepts(price, value_real(1.005), TEXT("1.01")),
          "decimal numbers");
    CHECK(accepts(price, TEXT("-1e2"), TEXT("-100.00")) && accepts(price, TEXT("-0.001"), TEXT("0.00")),
          "decimal forms");
    CHECK(accepts(price, TEXT("999.994"), TEXT("999.99")), "the largest");
    CHECK(refuses(price, TEXT("999.995"), "digits before the point than DECIMAL(5,2)"), "rounded beyond the largest");
    CHECK(refuses(price, TEXT("1000.00"), "digits before the point") && refuses(price, value_real(1e300), "digits"),
          "too many digits");
    CHECK(refuses(price, TEXT("1e2000"), "digits before the point"), "far too many digits");
    CHECK(refuses(price, TEXT("abc"), "numeric text") && refuses(price, TEXT(""), "numeric text"), "no decimal");
    CHECK(refuses(price, value_real((double)NAN), "number") && refuses(price, value_bool(true), "number"),
          "no decimal either");
    CHECK(accepts(TYPE(DECIMAL, .precision = 40, .scale = 1), TEXT("123456789012345678901234567890.25"),
                  TEXT("123456789012345678901234567890.3")), "a long decimal");
    CHECK(accepts(TYPE(DECIMAL, 0), TEXT("1.500"), TEXT("1.5"))
              && accepts(TYPE(DECIMAL, 0), value_real(0.1), TEXT("0.1")),
          "a decimal without parameters");
    CHECK(accepts(boolean, value_bool(true), value_bool(true)), "a boolean");
    CHECK(refuses(boolean, value_int(1), "true or false") && refuses(boolean, TEXT("true"), "true or false"),
          "no boolean");
}

static void test_accept_texts(void) {
    CHECK(accepts(text, TEXT("h\xC3\xA9llo"), TEXT("h\xC3\xA9llo")) && accepts(text, TEXT(""), TEXT("")), "texts");
    CHECK(accepts(text, value_int(42), TEXT("42")) && accepts(text, value_real(1.0), TEXT("1.0")),
          "numbers become texts");
    CHECK(refuses(text, value_bool(true), "expects a text"), "a boolean is no text");
    CHECK(refuses(text, BYTES("a\0b"), "NUL byte at position 2"), "a NUL");
    CHECK(refuses(text, TEXT("ab\xFF"), "not UTF-8 at position 3"), "bytes that are no UTF-8");
    CHECK(accepts(string3, TEXT("\xC3\xA4\xC3\xB6\xC3\xBC"), TEXT("\xC3\xA4\xC3\xB6\xC3\xBC")),
          "three characters of six bytes");
    CHECK(refuses(string3, TEXT("abcd"), "longer than 3 characters") && refuses(string3, value_int(1234), "longer"),
          "too long");
    CHECK(accepts(char3, TEXT("ab     "), TEXT("ab")) && accepts(char3, TEXT("   "), TEXT("")),
          "trailing blanks are cut");
    CHECK(refuses(char3, TEXT("abcd "), "longer than 3 characters"), "CHAR too long");
    CHECK(refuses(TYPE(CHAR, 0), TEXT("ab"), "longer than 1 character"), "CHAR holds one");
    CHECK(accepts(colour, TEXT("green"), TEXT("green")) && accepts(colour, value_int(7), TEXT("7")),
          "values of an ENUM");
    CHECK(refuses(colour, TEXT("blue"), "expects one of \"red\", \"green\", \"7\""), "no value of an ENUM");
    CHECK(refuses(colour, value_int(8), "expects one of") && refuses(colour, TEXT("re"), "expects one of"),
          "none either");
    CHECK(accepts(uuid, TEXT("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), TEXT("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
          "a UUID");
    CHECK(refuses(uuid, TEXT("a0eebc999c0b4ef8bb6d6bb9bd380a11"), "UUID") && refuses(uuid, value_int(1), "UUID"),
          "no UUID");
    CHECK(refuses(uuid, TEXT("g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "UUID"), "no hexadecimal digit");
    CHECK(accepts(blob, BYTES("a\0\xFF"), value_blob("a\0\xFF", 3)), "bytes");
    CHECK(refuses(blob, value_int(5), "bytes"), "a number is no BLOB");
    CHECK(accepts(json, TEXT("{}"), TEXT("{}")), "finished JSON");
    CHECK(accepts(TYPE(INET, 0), TEXT("::1"), TEXT("::1")) && refuses(TYPE(INET, 0), value_int(1), "expects an address"),
          "texts of PostgreSQL");
}

static void test_accept_dates(void) {
    CHECK(accepts(date, TEXT("2026-11-22T09:30:00.000Z"), TEXT("2026-11-22T09:30:00.000Z")), "the canonical form");
    CHECK(accepts(date, TEXT("2026-11-22T09:30:00+02:00"), TEXT("2026-11-22T07:30:00.000Z")), "an offset");
    CHECK(accepts(date, TEXT("2026-11-22 09:30"), TEXT("2026-11-22T09:30:00.000Z")), "without offset");
    CHECK(accepts(date, TEXT("2026-11-22T09:30:00.123456Z"), TEXT("2026-11-22T09:30:00.123456Z")),
          "six digits are kept");
    CHECK(accepts(date, value_int(0), TEXT("1970-01-01T00:00:00.000Z")), "epoch seconds");
    CHECK(accepts(date, value_real(0.5), TEXT("1970-01-01T00:00:00.500Z")), "epoch seconds with a fraction");
    CHECK(refuses(date, TEXT("2026-02-30T09:30:00.000Z"), "expects a date"), "a day that does not exist");
    CHECK(refuses(date, TEXT("yesterday"), "expects a date") && refuses(date, value_bool(true), "expects a date"),
          "no date");
    CHECK(refuses(date, value_int(INT64_MAX), "years 0001 to 9999") && refuses(date, value_real((double)NAN), "years"),
          "no year");
    CHECK(accepts(dateonly, TEXT("2026-11-22"), TEXT("2026-11-22")) && refuses(dateonly, TEXT("2026-11-31"), "day"),
          "days");
    CHECK(accepts(daytime, TEXT("09:30"), TEXT("09:30:00")) && refuses(daytime, TEXT("25:00:00"), "time of day"),
          "times of day");
    CHECK(refuses(dateonly, value_int(5), "day") && refuses(daytime, value_int(5), "time of day"),
          "numbers are neither");
}

static void test_read(void) {
    CHECK(reads(boolean, value_int(1), value_bool(true)) && reads(boolean, value_int(0), value_bool(false)),
          "booleans");
    CHECK(reads(boolean, TEXT("t"), value_bool(true)) && reads(boolean, TEXT("f"), value_bool(false)),
          "booleans as text");
    CHECK(reads(boolean, value_int(7), value_int(7)) && reads(boolean, TEXT("x"), TEXT("x")), "no booleans");
    CHECK(reads(integer, value_real(3.0), value_int(3)) && reads(integer, value_real(3.5), value_real(3.5)),
          "integers");
    CHECK(reads(integer, TEXT("12"), TEXT("12")) && reads(integer, value_null(), value_null()), "left as they are");
    CHECK(reads(real, value_int(3), value_real(3.0)), "floats");
    CHECK(reads(text, value_int(3), TEXT("3")) && reads(text, value_real(0.5), TEXT("0.5")),
          "numbers in a text column");
    CHECK(reads(text, value_blob("a\0b", 3), BYTES("a\0b")) && reads(text, TEXT("\xFF"), TEXT("\xFF")),
          "byte for byte");
    CHECK(reads(char3, TEXT("ab "), TEXT("ab")) && reads(string3, TEXT("ab "), TEXT("ab ")), "trailing blanks");
    CHECK(reads(blob, TEXT("ab"), value_blob("ab", 2)), "a text in a BLOB column");
    CHECK(reads(json, value_int(1), value_int(1)) && !type_reads(&json) && type_reads(&text), "JSON is left alone");
}

static void test_read_decimals(void) {
    struct type long_type = TYPE(DECIMAL, .precision = 30, .scale = 2), whole = TYPE(DECIMAL, .precision = 10);
    struct type tiny = TYPE(DECIMAL, .precision = 15, .scale = 15);
    CHECK(reads(price, value_real(12.5), TEXT("12.50")) && reads(price, value_int(12), TEXT("12.00")), "numbers");
    CHECK(reads(price, value_real(-0.05), TEXT("-0.05")) && reads(price, value_real(-0.0), TEXT("0.00")), "signs");
    CHECK(reads(price, value_real(1.005), TEXT("1.01")) && reads(price, value_real(-1.005), TEXT("-1.01")),
          "halves away from zero");
    CHECK(reads(price, value_real(0.004), TEXT("0.00")) && reads(price, value_real(-0.004), TEXT("0.00")), "to zero");
    CHECK(reads(price, value_real(1e20), TEXT("100000000000000000000.00")), "a large double");
    CHECK(reads(whole, value_real(2.5), TEXT("3")) && reads(whole, value_real(1e9), TEXT("1000000000")),
          "no digit after the point");
    CHECK(reads(tiny, value_real(0.123456789012345), TEXT("0.123456789012345")), "fifteen digits after the point");
    CHECK(reads(price, TEXT("12.50"), TEXT("12.50")) && reads(price, TEXT("12.5"), TEXT("12.50")), "texts");
    CHECK(reads(long_type, TEXT("123456789012345678901234567.8"), TEXT("123456789012345678901234567.80")),
          "a long text");
    CHECK(reads(price, TEXT("abc"), TEXT("abc"))
              && reads(price, value_real((double)INFINITY), value_real((double)INFINITY)),
          "no number");
}

/* What a NUMERIC column holds of an accepted decimal, a double, reads as the text that was accepted. */
static void test_decimal_round_trip(void) {
    int wrong = 0;
    char written[64];
    srand(7);
    for (int i = 0; i < 200000; i++) {
        struct type type = TYPE(DECIMAL, .precision = 15, .scale = i % 16);
        int64_t digits = (((int64_t)rand() << 31) ^ rand()) % INT64_C(1000000000000000);
        double stored =
            strtod((snprintf(written, sizeof written, "%llde-%d", (long long)digits, type.scale), written), NULL);
        struct value value = TEXT(written);
        struct error error = { 0 };
        arena_reset(&arena);
        wrong += !type_accept(&type, &value, &arena, &error) || !reads(type, value_real(stored), value);
    }
    CHECK(wrong == 0, "two hundred thousand decimals there and back");
}

static void test_read_dates(void) {
    CHECK(reads(date, TEXT("2026-11-22T09:30:00.000Z"), TEXT("2026-11-22T09:30:00.000Z")), "canonical");
    CHECK(reads(date, TEXT("2026-11-22 09:30:00"), TEXT("2026-11-22T09:30:00.000Z")), "with a blank");
    CHECK(reads(date, TEXT("2026-11-22 09:30:00.123456+00"), TEXT("2026-11-22T09:30:00.123456Z")),
          "as PostgreSQL writes it");
    CHECK(reads(date, value_int(1795339800), TEXT("2026-11-22T09:30:00.000Z")), "epoch seconds");
    CHECK(reads(date, value_real(1795339800.25), TEXT("2026-11-22T09:30:00.250Z")), "epoch seconds with a fraction");
    CHECK(reads(date, TEXT("soon"), TEXT("soon")) && reads(date, value_int(INT64_MAX), value_int(INT64_MAX)),
          "no dates");
}

static void test_store(void) {
    struct type space = TYPE(DATE, .stored = DATE_SPACE), epoch = TYPE(DATE, .stored = DATE_EPOCH);
    CHECK(stores(date, TEXT("2026-11-22T09:30:00.000Z"), TEXT("2026-11-22T09:30:00.000Z")), "text");
    CHECK(stores(space, TEXT("2026-11-22T09:30:00.000Z"), TEXT("2026-11-22 09:30:00")), "space");
    CHECK(stores(space, TEXT("2026-11-22T09:30:00.250Z"), TEXT("2026-11-22 09:30:00.250")), "space with milliseconds");
    CHECK(stores(epoch, TEXT("2026-11-22T09:30:00.000Z"), value_int(1795339800)), "epoch");
    CHECK(stores(epoch, TEXT("2026-11-22T09:30:00.250Z"), value_real(1795339800.25)), "epoch with milliseconds");
    CHECK(stores(epoch, value_null(), value_null()) && stores(text, TEXT("x"), TEXT("x")), "everything else passes");
}

int main(void) {
    arena_init(&arena, give_up, NULL);
    test_names();
    test_accept_integers();
    test_accept_numbers();
    test_accept_texts();
    test_accept_dates();
    test_read();
    test_read_decimals();
    test_decimal_round_trip();
    test_read_dates();
    test_store();
    arena_free(&arena);
    return check_done();
}
