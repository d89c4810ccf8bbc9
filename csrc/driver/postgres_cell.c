#include "driver/postgres_cell.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/datetime.h"
#include "base/decimal.h"

#define DAY_MICROS INT64_C(86400000000)
#define EPOCH_DAYS (POSTGRES_EPOCH_MICROS / DAY_MICROS)

/* ------------------------------------------------------------------------------------------------- network order */

static uint16_t get16(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const char *bytes) {
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint64_t get64(const char *bytes) {
    return (uint64_t)get32(bytes) << 32 | get32(bytes + 4);
}

/* ------------------------------------------------------------------------------------------------- texts and bytes */

static bool any_text(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    *cell = value_text(bytes, len);
    return true;
}

static bool binary_bytea(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    *cell = value_blob(bytes, len);
    return true;
}

static int hex_digit(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* \x4c69, as bytea_output is by default. */
static bool text_bytea(struct value *cell, const char *text, size_t len, struct cell_room room) {
    if (len < 2 || text[0] != '\\' || text[1] != 'x') return false;
    size_t count = (len - 2) / 2;
    char *bytes = arena_alloc(room.arena, count + 1);
    for (size_t i = 0; i < count; i++) bytes[i] = (char)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    *cell = value_blob(bytes, count);
    return true;
}

/* A version number stands before the text. */
static bool binary_jsonb(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len < 1 || bytes[0] != 1) return false;
    *cell = value_text(bytes + 1, len - 1);
    return true;
}

static bool binary_uuid(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    static const char digits[] = "0123456789abcdef";
    char *out = room.scratch;
    if (len != 16) return false;
    for (int i = 0; i < 16; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *cell = value_text(room.scratch, 36);
    return true;
}

/* -------------------------------------------------------------------------------------------------------- numbers */

static bool text_bool(struct value *cell, const char *text, size_t len, struct cell_room room) {
    (void)room;
    if (len != 1) return false;
    *cell = value_bool(*text == 't');
    return true;
}

static bool binary_bool(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len != 1) return false;
    *cell = value_bool(*bytes != 0);
    return true;
}

static bool text_integer(struct value *cell, const char *text, size_t len, struct cell_room room) {
    int64_t integer;
    (void)room;
    if (!integer_read(text, len, &integer)) return false;
    *cell = value_int(integer);
    return true;
}

static bool binary_int2(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len != 2) return false;
    *cell = value_int((int16_t)get16(bytes));
    return true;
}

static bool binary_int4(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len != 4) return false;
    *cell = value_int((int32_t)get32(bytes));
    return true;
}

static bool binary_oid(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len != 4) return false;
    *cell = value_int(get32(bytes));
    return true;
}

static bool binary_int8(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    (void)room;
    if (len != 8) return false;
    *cell = value_int((int64_t)get64(bytes));
    return true;
}

static bool text_real(struct value *cell, const char *text, size_t len, struct cell_room room) {
    (void)room;
    if (*text == 'N') *cell = value_real(NAN);
    else if (*text == 'I') *cell = value_real(INFINITY);
    else if (len > 1 && text[1] == 'I') *cell = value_real(-INFINITY);
    else *cell = value_real(real_read(text, len));
    return true;
}

static bool binary_float4(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    float real;
    (void)room;
    if (len != 4) return false;
    uint32_t bits = get32(bytes);
    memcpy(&real, &bits, sizeof real);
    *cell = value_real(real_of_single(real));
    return true;
}

static bool binary_float8(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    double real;
    (void)room;
    if (len != 8) return false;
    uint64_t bits = get64(bytes);
    memcpy(&real, &bits, sizeof real);
    *cell = value_real(real);
    return true;
}

/* numeric: groups of four digits, the first one of the power 10000^weight, and how many digits to show after the point. */
struct numeric {
    int groups, weight, sign, scale;
    const char *digits;
};

enum { NUMERIC_NEGATIVE = 0x4000, NUMERIC_NAN = 0xC000, NUMERIC_INFINITY = 0xD000, NUMERIC_MINUS_INFINITY = 0xF000 };

static int numeric_group(const struct numeric *number, int power) {
    int at = number->weight - power;
    return at >= 0 && at < number->groups ? get16(number->digits + 2 * at) : 0;
}

/* A group of more than four digits would not fit where they are written. */
static bool are_groups(const struct numeric *number) {
    for (int i = 0; i < number->groups; i++)
        if (get16(number->digits + 2 * i) > 9999) return false;
    return true;
}

static char *put_whole(char *out, const struct numeric *number) {
    if (number->weight < 0) {
        *out++ = '0';
        return out;
    }
    out += sprintf(out, "%d", numeric_group(number, number->weight));
    for (int power = number->weight - 1; power >= 0; power--) out += sprintf(out, "%04d", numeric_group(number, power));
    return out;
}

static char *put_fraction(char *out, const struct numeric *number) {
    char *end = out + 1 + number->scale;
    if (!number->scale) return out;
    *out++ = '.';
    for (int power = -1; out < end; power--) out += sprintf(out, "%04d", numeric_group(number, power));
    return end;
}

static const char *numeric_word(int sign) {
    switch (sign) {
    case NUMERIC_NAN:            return "NaN";
    case NUMERIC_INFINITY:       return "Infinity";
    case NUMERIC_MINUS_INFINITY: return "-Infinity";
    default:                     return NULL;
    }
}

static bool binary_numeric(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    if (len < 8) return false;
    struct numeric number = { (int16_t)get16(bytes), (int16_t)get16(bytes + 2), get16(bytes + 4), get16(bytes + 6), bytes + 8 };
    const char *word = numeric_word(number.sign);
    if (number.groups < 0 || len != 8 + 2 * (size_t)number.groups || !are_groups(&number)) return false;
    if (word) {
        *cell = value_text(word, strlen(word));
        return true;
    }
    size_t size = 16 + 4 * (size_t)(number.weight > 0 ? number.weight : 0) + (size_t)number.scale;
    char *text = size <= CELL_SCRATCH ? room.scratch : arena_alloc(room.arena, size), *out = text;
    if (number.sign == NUMERIC_NEGATIVE) *out++ = '-';
    out = put_fraction(put_whole(out, &number), &number);
    *cell = value_text(text, (size_t)(out - text));
    return true;
}

/* ---------------------------------------------------------------------------------------------- dates and times */

static bool set_word(struct value *cell, const char *word) {
    *cell = value_text(word, strlen(word));
    return true;
}

/* Years before 1 and after 9999, and the infinities, are nothing that liga writes: they come as PostgreSQL says them. */
static bool inside_years(int64_t micros) {
    return micros >= INT64_C(-62135596800000000) && micros < INT64_C(253402300800000000);
}

static bool binary_timestamp(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    if (len != 8) return false;
    int64_t micros = (int64_t)get64(bytes);
    if (micros == INT64_MAX) return set_word(cell, "infinity");
    if (micros == INT64_MIN) return set_word(cell, "-infinity");
    if (micros > INT64_MAX - POSTGRES_EPOCH_MICROS) return set_word(cell, "after 9999");
    micros += POSTGRES_EPOCH_MICROS;
    if (!inside_years(micros)) return set_word(cell, micros < 0 ? "before 0001" : "after 9999");
    *cell = value_text(room.scratch, datetime_write(micros, room.scratch));
    return true;
}

/* In UTC, with milliseconds at most, it is almost the canonical text already; 0: it is not of this kind. */
static size_t canonical_utc(const char *text, size_t len, char *out) {
    enum { SECONDS = 19, ZONE = 3, MILLISECONDS = 3 };
    if (len < SECONDS + ZONE || len > SECONDS + 1 + MILLISECONDS + ZONE || memcmp(text + len - ZONE, "+00", ZONE) != 0) return 0;
    size_t fraction = len - SECONDS - ZONE;             /* with its point */
    memcpy(out, text, SECONDS);
    memcpy(out + SECONDS, ".000Z", sizeof ".000Z");
    memcpy(out + SECONDS, text + SECONDS, fraction);
    if (out[10] == ' ') out[10] = 'T';
    return datetime_is_canonical(out, DATETIME_LEN) ? DATETIME_LEN : 0;
}

/* 2026-11-22 09:30:00.123+00; what is no instant of ours stays as it is. */
static bool text_timestamp(struct value *cell, const char *text, size_t len, struct cell_room room) {
    size_t written = canonical_utc(text, len, room.scratch);
    if (!written && len < CELL_SCRATCH) written = datetime_canonical(text, len, room.scratch);
    *cell = written ? value_text(room.scratch, written) : value_text(text, len);
    return true;
}

static bool binary_date(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    if (len != 4) return false;
    int32_t days = (int32_t)get32(bytes);
    if (days == INT32_MAX) return set_word(cell, "infinity");
    if (days == INT32_MIN) return set_word(cell, "-infinity");
    enum { MOST_DAYS = 4000000 };               /* far outside of the years, and not too many to be counted in microseconds */
    int64_t near = days > MOST_DAYS ? MOST_DAYS : days < -MOST_DAYS ? -MOST_DAYS : days;
    int64_t micros = (near + EPOCH_DAYS) * DAY_MICROS;
    if (!inside_years(micros)) return set_word(cell, micros < 0 ? "before 0001" : "after 9999");
    datetime_write(micros, room.scratch);
    *cell = value_text(room.scratch, 10);
    return true;
}

static bool binary_time(struct value *cell, const char *bytes, size_t len, struct cell_room room) {
    if (len != 8) return false;
    int64_t micros = (int64_t)get64(bytes), seconds = micros / 1000000;
    if (micros < 0 || micros > DAY_MICROS) return false;
    int written = sprintf(room.scratch, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (micros % 1000000) {
        written += sprintf(room.scratch + written, ".%06d", (int)(micros % 1000000));
        while (room.scratch[written - 1] == '0') written--;
    }
    *cell = value_text(room.scratch, (size_t)written);
    return true;
}

/* --------------------------------------------------------------------------------------------------------- by type */

/* OIDs of pg_catalog, which never change (src/include/catalog/pg_type.dat). */
static const struct {
    unsigned type;
    decode *text, *binary;
} types[] = {
    { 23,   text_integer,   binary_int4 },          /* int4 */
    { 20,   text_integer,   binary_int8 },          /* int8 */
    { 25,   any_text,       any_text },             /* text */
    { 1043, any_text,       any_text },             /* varchar */
    { 1184, text_timestamp, binary_timestamp },     /* timestamptz */
    { 701,  text_real,      binary_float8 },        /* float8 */
    { 16,   text_bool,      binary_bool },          /* bool */
    { 1700, any_text,       binary_numeric },       /* numeric */
    { 2950, any_text,       binary_uuid },          /* uuid */
    { 3802, any_text,       binary_jsonb },         /* jsonb */
    { 114,  any_text,       any_text },             /* json */
    { 21,   text_integer,   binary_int2 },          /* int2 */
    { 700,  text_real,      binary_float4 },        /* float4 */
    { 1082, any_text,       binary_date },          /* date */
    { 1083, any_text,       binary_time },          /* time */
    { 17,   text_bytea,     binary_bytea },         /* bytea */
    { 1042, any_text,       any_text },             /* bpchar */
    { 1114, text_timestamp, binary_timestamp },     /* timestamp */
    { 26,   text_integer,   binary_oid },           /* oid */
    { 19,   any_text,       any_text },             /* name */
    { 705,  any_text,       any_text },             /* unknown */
};

decode *decoder_of_text(unsigned type) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type) return types[i].text;
    return any_text;
}

decode *decoder_of_binary(unsigned type) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type) return types[i].binary;
    return NULL;
}
