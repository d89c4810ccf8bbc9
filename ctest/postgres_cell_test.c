/* PostgreSQL's results as cells, in both formats; bytes that are not what their type promises. */
#include "driver/postgres_cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "faults.h"

enum { INT2 = 21, INT4 = 23, INT8 = 20, BOOL = 16, FLOAT4 = 700, FLOAT8 = 701, NUMERIC = 1700, UUID = 2950, JSONB = 3802, DATE = 1082,
       TIME = 1083, TIMESTAMPTZ = 1184, BYTEA = 17, OID = 26, TEXT = 25 };

static struct arena arena;

/* The bytes stand in memory of just their size: the sanitizer sees who reads beyond. */
static bool decode_from(decode *decoder, const char *bytes, size_t len, struct value *cell, char *scratch) {
    char *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    bool fine = decoder(cell, copy, len, (struct cell_room){ scratch, &arena });
    if (fine && (cell->kind == VALUE_TEXT || cell->kind == VALUE_BLOB)) cell->as.text = arena_text(&arena, cell->as.text, cell->len);
    free(copy);
    return fine;
}

static const struct { unsigned type; size_t len; const char *bytes, *text; } texts[] = {
    { NUMERIC, 12, "\0\2\0\0\0\0\0\2\0\14\15\200", "12.34" },
    { NUMERIC, 10, "\0\1\0\1\100\0\0\0\0\1", "-10000" },
    { NUMERIC, 8, "\0\0\0\0\0\0\0\3", "0.000" },
    { NUMERIC, 8, "\0\0\0\0\300\0\0\0", "NaN" },
    { NUMERIC, 8, "\0\0\0\0\360\0\0\0", "-Infinity" },
    { NUMERIC, 10, "\0\1\377\377\0\0\0\4\0\1", "0.0001" },
    { UUID, 16, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", "00010203-0405-0607-0809-0a0b0c0d0e0f" },
    { JSONB, 3, "\1{}", "{}" },
    { DATE, 4, "\0\0\0\0", "2000-01-01" },
    { DATE, 4, "\177\377\377\377", "infinity" },
    { DATE, 4, "\200\0\0\1", "before 0001" },
    { TIME, 8, "\0\0\0\0\0\17\102\101", "00:00:01.000001" },
    { TIMESTAMPTZ, 8, "\0\0\0\0\0\17\102\100", "2000-01-01T00:00:01.000Z" },
    { TIMESTAMPTZ, 8, "\177\377\377\377\377\377\377\377", "infinity" },
    { DATE, 4, "\177\377\377\376", "after 9999" },
    { TIMESTAMPTZ, 8, "\177\377\377\377\377\377\377\376", "after 9999" },
    { TIMESTAMPTZ, 8, "\177\0\0\0\0\0\0\0", "after 9999" },
    { TEXT, 2, "it", "it" },
};

static void test_texts(void) {
    char scratch[CELL_SCRATCH];
    struct value cell;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool fine = decode_from(decoder_of_binary(texts[i].type), texts[i].bytes, texts[i].len, &cell, scratch);
        CHECK(fine && cell.len == strlen(texts[i].text) && memcmp(cell.as.text, texts[i].text, cell.len) == 0, "%s", texts[i].text);
    }
}

static void test_numbers(void) {
    char scratch[CELL_SCRATCH];
    struct value cell;
    CHECK(decode_from(decoder_of_binary(INT2), "\377\376", 2, &cell, scratch) && cell.as.integer == -2, "int2");
    CHECK(decode_from(decoder_of_binary(INT4), "\377\377\377\376", 4, &cell, scratch) && cell.as.integer == -2, "int4");
    CHECK(decode_from(decoder_of_binary(INT8), "\200\0\0\0\0\0\0\0", 8, &cell, scratch) && cell.as.integer == INT64_MIN, "int8");
    CHECK(decode_from(decoder_of_binary(OID), "\377\377\377\377", 4, &cell, scratch) && cell.as.integer == 4294967295, "oid");
    CHECK(decode_from(decoder_of_binary(BOOL), "\1", 1, &cell, scratch) && cell.as.boolean, "bool");
    CHECK(decode_from(decoder_of_binary(FLOAT4), "\75\314\314\315", 4, &cell, scratch) && cell.as.real == 0.1, "float4: 0.1 stays 0.1");
    CHECK(decode_from(decoder_of_binary(FLOAT8), "\177\360\0\0\0\0\0\0", 8, &cell, scratch) && isinf(cell.as.real), "float8");
    CHECK(decode_from(decoder_of_text(BYTEA), "\\x00fF", 6, &cell, scratch) && cell.len == 2 && !memcmp(cell.as.text, "\0\377", 2),
          "bytea as text");
    CHECK(decode_from(decoder_of_text(FLOAT8), "-Infinity", 9, &cell, scratch) && cell.as.real == -INFINITY, "float8 as text");
    CHECK(decoder_of_binary(1) == NULL && decoder_of_text(1) == decoder_of_text(TEXT), "what is not known comes as text");
}

/* A server, or who stands between, that does not keep to its types. */
static void test_torn(void) {
    static const unsigned types[] = { INT2, INT4, INT8, BOOL, FLOAT4, FLOAT8, NUMERIC, UUID, JSONB, DATE, TIME, TIMESTAMPTZ, OID };
    static const char bytes[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    char scratch[CELL_SCRATCH];
    struct value cell;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int fits = 0;
        for (size_t len = 0; len < sizeof bytes; len++) fits += decode_from(decoder_of_binary(types[i]), bytes, len, &cell, scratch);
        CHECK(fits <= 1, "type %u has one length", types[i]);
    }
    char digits[8 + 2 * 200] = "\0\310\0\310\0\0\0\0";
    memset(digits + 8, 0xFF, sizeof digits - 8);
    CHECK(!decode_from(decoder_of_binary(NUMERIC), digits, sizeof digits, &cell, scratch), "groups of more than four digits");
    CHECK(!decode_from(decoder_of_binary(TIME), "\377\377\377\377\377\377\377\377", 8, &cell, scratch), "a time before midnight");
    CHECK(!decode_from(decoder_of_text(INT4), "4x", 2, &cell, scratch), "no number");
    CHECK(!decode_from(decoder_of_text(BYTEA), "x00", 3, &cell, scratch), "no bytes");
}

int main(void) {
    arena_init(&arena, fault_unexpected, NULL);
    test_texts();
    test_numbers();
    test_torn();
    arena_free(&arena);
    return check_done();
}
