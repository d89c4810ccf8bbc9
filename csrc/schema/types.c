#define _POSIX_C_SOURCE 200809L

#include "schema/types.h"

#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/utf8.h"
#include "schema/types_composite.h"

static const struct type_info infos[TYPE_COUNT] = {
#define X(id, name, kind) [TYPE_##id] = { name, kind },
    TYPES(X)
#undef X
};

const struct type_info *type_info(enum type_id id) {
    return &infos[id];
}

int64_t type_most(enum type_id id) {
    static const int64_t most[TYPE_COUNT] = {
        [TYPE_SMALLINT] = INT16_MAX, [TYPE_INTEGER] = INT32_MAX, [TYPE_BIGINT] = INT64_MAX,
    };
    return most[id];
}

int type_find(const char *name) {
    for (int id = 0; id < TYPE_COUNT; id++)
        if (strcmp(infos[id].name, name) == 0) return id;
    return -1;
}

/* --------------------------------------------------------------------------------------------------- descriptions */

static const char *const date_forms[] = {
    [DATE_TEXT] = "text",
    [DATE_SPACE] = "space",
    [DATE_EPOCH] = "epoch",
    [DATE_MIXED] = "mixed",
};

/* "a", "b", "c" */
static void put_values(struct buf *out, const struct type *type) {
    for (int i = 0; i < type->value_count; i++) buf_addf(out, "%s\"%s\"", i ? ", " : "", type->values[i]);
}

static void put_type(struct buf *out, const struct type *type) {
    buf_adds(out, infos[type->id].name);
    if (type->length) buf_addf(out, "(%d)", type->length);
    if (type->precision) buf_addf(out, "(%d,%d)", type->precision, type->scale);
    if (type->id == TYPE_DATE && type->stored != DATE_TEXT)
        buf_addf(out, "{stored = \"%s\"}", date_forms[type->stored]);
    if (type->id == TYPE_ENUM) {
        buf_addc(out, '{');
        put_values(out, type);
        buf_addc(out, '}');
    }
    if (type->element) {
        buf_addc(out, '(');
        put_type(out, type->element);
        buf_addc(out, ')');
    }
}

const char *type_text(const struct type *type, struct arena *arena) {
    struct buf out;
    buf_init(&out, arena);
    put_type(&out, type);
    return out.text;
}

/* ------------------------------------------------------------------------------------------------------ accepting */

/* One value on its way in, changed in place; type_accept puts it back if the rule refuses it. */
struct accept {
    const struct type *type;
    struct value *value;
    struct arena *arena;
    struct error *error;
};

#define refuse(a, ...) error_set((a)->error, (a)->arena, ERROR_VALIDATION, __VA_ARGS__)

static bool text_is(const struct value *value, const char *word) {
    return value->len == strlen(word) && memcmp(value->as.text, word, value->len) == 0;
}

static void set_text(struct accept *a, const char *text, size_t len) {
    *a->value = value_text(arena_text(a->arena, text, len), len);
}

static bool accept_any(struct accept *a) {
    (void)a;
    return true;
}

/* ---- numbers ---- */

static bool out_of_range(struct accept *a) {
    long long most = type_most(a->type->id);
    return refuse(a, "is out of the range of %s (%lld to %lld)", infos[a->type->id].name, -most - 1, most);
}

static bool fits(struct accept *a, int64_t integer) {
    int64_t most = type_most(a->type->id);
    if (integer > most || integer < -most - 1) return out_of_range(a);
    *a->value = value_int(integer);
    return true;
}

/* 2^63 is the first double beyond; NaN fails both comparisons. */
static bool is_int64(double real) {
    return real >= -9223372036854775808.0 && real < 9223372036854775808.0 && floor(real) == real;
}

/* Whether a value has no fraction, however large it is. */
static bool is_whole(const struct value *value) {
    if (value->kind == VALUE_REAL) return isfinite(value->as.real) && floor(value->as.real) == value->as.real;
    if (value->kind != VALUE_TEXT) return false;
    size_t sign = value->len && (*value->as.text == '-' || *value->as.text == '+');
    for (size_t i = sign; i < value->len; i++)
        if (value->as.text[i] < '0' || value->as.text[i] > '9') return false;
    return value->len > sign;
}

static bool accept_integer(struct accept *a) {
    const struct value *value = a->value;
    int64_t integer;
    if (value->kind == VALUE_INT) return fits(a, value->as.integer);
    if (value->kind == VALUE_REAL && is_int64(value->as.real)) return fits(a, (int64_t)value->as.real);
    if (value->kind == VALUE_TEXT && integer_read(value->as.text, value->len, &integer)) return fits(a, integer);
    return is_whole(value) ? out_of_range(a) : refuse(a, "expects an integer");
}

static bool accept_real(struct accept *a) {
    if (a->value->kind == VALUE_INT) *a->value = value_real((double)a->value->as.integer);
    if (a->value->kind != VALUE_REAL) return refuse(a, "expects a number");
    if (isnan(a->value->as.real) && !a->type->nan) return refuse(a, "can't be NaN");
    return true;
}

/* What a column of 32 bits keeps of the number; the server refuses what is too large for it, or so small that nothing is left. */
static bool accept_single(struct accept *a) {
    if (!accept_real(a)) return false;
    double real = a->value->as.real;
    if (!a->type->single) return true;
    if (isfinite(real) && (fabs(real) > FLT_MAX || (real != 0 && (float)real == 0)))
        return refuse(a, "is out of the range of REAL");
    *a->value = value_real(real_of_single((float)real));
    return true;
}

/* The text of a number, or a text as it is; NULL: neither. `room` has REAL_TEXT bytes. */
static const char *numeric_text(const struct value *value, char *room, size_t *len) {
    if (value->kind == VALUE_TEXT) {
        *len = value->len;
        return value->as.text;
    }
    if (value->kind == VALUE_INT) *len = integer_text(value->as.integer, room);
    else if (value->kind == VALUE_REAL && isfinite(value->as.real)) *len = real_text(value->as.real, room);
    else return NULL;
    return room;
}

int type_scale(const struct type *type) {
    return type->precision ? type->scale : DECIMAL_NATURAL;
}

static bool has_room(const struct type *type, const char *text, size_t len) {
    return type->precision == 0 || decimal_whole_digits(text, len) <= type->precision - type->scale;
}

static bool is_canonical_decimal(const struct type *type, const struct value *value) {
    return value->kind == VALUE_TEXT && decimal_is_canonical(value->as.text, value->len, type_scale(type));
}

static bool accept_decimal(struct accept *a) {
    char room[REAL_TEXT], out[DECIMAL_TEXT];
    struct decimal number;
    size_t len;
    if (is_canonical_decimal(a->type, a->value) && has_room(a->type, a->value->as.text, a->value->len)) return true;
    const char *text = numeric_text(a->value, room, &len);
    if (!text || !decimal_read(&number, text, len)) return refuse(a, "expects a number or a numeric text");
    len = decimal_write(&number, type_scale(a->type), out, sizeof out);
    if (len == 0 && !a->type->precision) return refuse(a, "has more than %d digits on a side of the point", DECIMAL_DIGITS);
    if (len == 0 || !has_room(a->type, out, len))
        return refuse(a, "has more digits before the point than %s holds", type_text(a->type, a->arena));
    set_text(a, out, len);
    return true;
}

static bool accept_boolean(struct accept *a) {
    return a->value->kind == VALUE_BOOL || refuse(a, "expects true or false");
}

/* ---- texts ---- */

static bool refuse_bytes(struct accept *a, enum utf8_fault fault, size_t at) {
    const char *what = fault == UTF8_NUL ? "a NUL byte" : "a byte that is not UTF-8";
    return refuse(a, "has %s at position %zu (bytes go in a BLOB)", what, at + 1);
}

/* A number becomes the text that Lua's tostring makes of it. */
static bool accept_text(struct accept *a) {
    char room[REAL_TEXT];
    size_t at;
    if (a->value->kind == VALUE_TEXT) {
        enum utf8_fault fault = utf8_check(a->value->as.text, a->value->len, &at);
        return fault == UTF8_FINE || refuse_bytes(a, fault, at);
    }
    if (a->value->kind == VALUE_INT) set_text(a, room, integer_text(a->value->as.integer, room));
    else if (a->value->kind == VALUE_REAL && isnan(a->value->as.real)) return refuse(a, "can't be NaN");
    else if (a->value->kind == VALUE_REAL) set_text(a, room, real_text_lua(a->value->as.real, room));
    else return refuse(a, "expects a text");
    return true;
}

static bool fits_length(struct accept *a, int length) {
    const struct value *value = a->value;
    if (length == 0 || value->len <= (size_t)length || utf8_count(value->as.text, value->len) <= (size_t)length)
        return true;
    return refuse(a, "is longer than %d character%s", length, length == 1 ? "" : "s");
}

bool type_check_room(const struct value *value, struct arena *arena, struct error *error) {
    if (utf8_count(value->as.text, value->len) <= STRING_CHARACTERS) return true;
    error_set(error, arena, ERROR_VALIDATION, "is longer than %d characters (STRING(n) or TEXT hold more)", STRING_CHARACTERS);
    error->value = *value;
    return !(error->has_value = true);
}

static bool accept_string(struct accept *a) {
    return accept_text(a) && fits_length(a, a->type->length);
}

static void cut_blanks(struct value *value) {
    while (value->len > 0 && value->as.text[value->len - 1] == ' ') value->len--;
}

static bool accept_char(struct accept *a) {
    if (!accept_text(a)) return false;
    cut_blanks(a->value);
    return fits_length(a, a->type->length ? a->type->length : 1);
}

static bool refuse_enum(struct accept *a) {
    struct buf list;
    buf_init(&list, a->arena);
    put_values(&list, a->type);
    return refuse(a, "expects one of %s", list.text);
}

static bool accept_enum(struct accept *a) {
    if (!accept_text(a)) return false;
    for (int i = 0; i < a->type->value_count; i++)
        if (text_is(a->value, a->type->values[i])) return true;
    return refuse_enum(a);
}

static bool accept_blob(struct accept *a) {
    if (a->value->kind == VALUE_TEXT) a->value->kind = VALUE_BLOB;
    return a->value->kind == VALUE_BLOB || refuse(a, "expects a string of bytes");
}

enum { UUID_LEN = 36 };

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 8-4-4-4-12 hexadecimal digits; *upper becomes true if one is A to F. */
static bool is_uuid(const char *text, size_t len, bool *upper) {
    if (len != UUID_LEN) return false;
    for (int i = 0; i < UUID_LEN; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text[i] != '-' : !is_hex(text[i])) return false;
        if (text[i] >= 'A' && text[i] <= 'F') *upper = true;
    }
    return true;
}

static bool accept_uuid(struct accept *a) {
    struct value *value = a->value;
    bool upper = false;
    if (value->kind != VALUE_TEXT || !is_uuid(value->as.text, value->len, &upper))
        return refuse(a, "expects a UUID (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, hexadecimal)");
    if (!upper) return true;
    char *lower = arena_text(a->arena, value->as.text, UUID_LEN);
    for (int i = 0; i < UUID_LEN; i++)
        if (lower[i] >= 'A' && lower[i] <= 'F') lower[i] = (char)(lower[i] - 'A' + 'a');
    value->as.text = lower;
    return true;
}

/* ---- addresses ---- */

static bool accept_foreign_text(struct accept *a) {
    return a->value->kind == VALUE_TEXT ? accept_text(a) : refuse(a, "expects a text");
}

/* An address of a host or network, taken apart. */
struct address {
    int family, bits, mask;             /* mask: of `bits` bits */
    unsigned char bytes[16];
};

static bool read_mask(const char *text, struct address *address) {
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 3) return false;
    address->mask = atoi(text);
    return address->mask <= address->bits;
}

static bool read_address(const struct value *value, struct address *address) {
    char text[INET6_ADDRSTRLEN + 8];
    if (value->kind != VALUE_TEXT || value->len >= sizeof text) return false;
    memcpy(text, value->as.text, value->len);
    text[value->len] = '\0';
    char *slash = strchr(text, '/');
    if (slash) *slash = '\0';
    address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    address->bits = address->mask = address->family == AF_INET6 ? 128 : 32;
    return strlen(text) + (slash ? strlen(slash + 1) + 1 : 0) == value->len
        && inet_pton(address->family, text, address->bytes) == 1 && (!slash || read_mask(slash + 1, address));
}

static bool has_host_bits(const struct address *address) {
    for (int bit = address->mask; bit < address->bits; bit++)
        if (address->bytes[bit / 8] & (0x80 >> (bit % 8))) return true;
    return false;
}

static void write_address(struct accept *a, const struct address *address, bool with_mask) {
    char host[INET6_ADDRSTRLEN];
    inet_ntop(address->family, address->bytes, host, sizeof host);
    const char *text = with_mask ? arena_printf(a->arena, "%s/%d", host, address->mask) : host;
    set_text(a, text, strlen(text));
}

static bool accept_inet(struct accept *a) {
    struct address address;
    if (!read_address(a->value, &address)) return refuse(a, "expects an address such as 192.168.1.5, 192.168.1.5/24 or ::1");
    write_address(a, &address, address.mask < address.bits);
    return true;
}

static bool accept_cidr(struct accept *a) {
    struct address address;
    if (!read_address(a->value, &address)) return refuse(a, "expects a network such as 192.168.1.0/24 or 2001:db8::/32");
    if (has_host_bits(&address)) return refuse(a, "has bits set to the right of the mask");
    write_address(a, &address, true);
    return true;
}

/* Twelve digits, whatever separates them. */
static bool accept_macaddr(struct accept *a) {
    char out[18];
    int digits = 0;
    const struct value *value = a->value;
    for (size_t i = 0; value->kind == VALUE_TEXT && i < value->len; i++) {
        char c = value->as.text[i];
        bool separator = strchr(":-.", c) && c && digits && i + 1 < value->len && is_hex(value->as.text[i + 1]);
        if (is_hex(c) && digits < 12) {
            out[digits / 2 * 3 + digits % 2] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
            digits++;
        } else if (!separator || digits % 2) {
            digits = 99;
        }
    }
    if (digits != 12) return refuse(a, "expects an address such as 08:00:2b:01:02:03");
    for (int i = 2; i < 17; i += 3) out[i] = ':';
    set_text(a, out, 17);
    return true;
}

/* ---- tables ---- */

static bool accept_array(struct accept *a) { return array_accept(a->type, a->value, a->arena, a->error); }
static bool accept_range(struct accept *a) { return range_accept(a->type, a->value, a->arena, a->error); }
static bool accept_hstore(struct accept *a) { return hstore_accept(a->type, a->value, a->arena, a->error); }

/* ---- dates ---- */

static bool accept_epoch(struct accept *a) {
    char out[DATETIME_TEXT];
    int64_t micros;
    bool inside = a->value->kind == VALUE_INT ? datetime_from_integer(a->value->as.integer, &micros)
                                              : datetime_from_real(a->value->as.real, &micros);
    if (!inside) return refuse(a, "is outside the years 0001 to 9999");
    set_text(a, out, datetime_write(micros, out));
    return true;
}

static bool accept_date(struct accept *a) {
    char out[DATETIME_TEXT];
    struct value *value = a->value;
    if (value->kind == VALUE_INT || value->kind == VALUE_REAL) return accept_epoch(a);
    if (value->kind != VALUE_TEXT) return refuse(a, "expects a date (ISO 8601 text or seconds since 1970)");
    if (datetime_is_canonical(value->as.text, value->len)) return true;
    size_t len = datetime_canonical(value->as.text, value->len, out);
    if (len == 0) return refuse(a, "expects a date like 2026-11-22T09:30:00Z (ISO 8601, years 0001 to 9999)");
    set_text(a, out, len);
    return true;
}

static bool accept_dateonly(struct accept *a) {
    const struct value *value = a->value;
    if (value->kind == VALUE_TEXT && dateonly_is_valid(value->as.text, value->len)) return true;
    return refuse(a, "expects a day like 2026-11-22");
}

static bool accept_time(struct accept *a) {
    char out[DATETIME_TEXT];
    const struct value *value = a->value;
    size_t len = value->kind == VALUE_TEXT ? time_canonical(value->as.text, value->len, out) : 0;
    if (len == 0) return refuse(a, "expects a time of day like 09:30:00");
    if (len != value->len || memcmp(out, value->as.text, len) != 0) set_text(a, out, len);
    return true;
}

/* -------------------------------------------------------------------------------------------------------- reading */

/* A numeric cell of a text column, as SQLite itself would write it. */
static void read_text(const struct type *type, struct value *cell, char *scratch) {
    (void)type;
    if (cell->kind == VALUE_BLOB) cell->kind = VALUE_TEXT;
    else if (cell->kind == VALUE_INT) *cell = value_text(scratch, integer_text(cell->as.integer, scratch));
    else if (cell->kind == VALUE_REAL) *cell = value_text(scratch, real_text(cell->as.real, scratch));
}

static void read_char(const struct type *type, struct value *cell, char *scratch) {
    read_text(type, cell, scratch);
    if (cell->kind == VALUE_TEXT) cut_blanks(cell);
}

static void read_integer(const struct type *type, struct value *cell, char *scratch) {
    (void)type, (void)scratch;
    if (cell->kind == VALUE_REAL && is_int64(cell->as.real)) *cell = value_int((int64_t)cell->as.real);
}

/* Digits come where the column is none of ours: a NUMERIC of PostgreSQL, a text in SQLite. */
static void read_real(const struct type *type, struct value *cell, char *scratch) {
    struct decimal number;
    (void)type, (void)scratch;
    if (cell->kind == VALUE_INT) *cell = value_real((double)cell->as.integer);
    else if (cell->kind == VALUE_TEXT && decimal_read(&number, cell->as.text, cell->len))
        *cell = value_real(real_read(cell->as.text, cell->len));
}

/* The common decimal, a double of at most 15 digits, without printf: writes `scaled` with a point before the last
 * digits. */
static size_t write_scaled(int64_t scaled, int scale, char *out) {
    char digits[REAL_TEXT], *at = out;
    size_t len = integer_text(scaled < 0 ? -scaled : scaled, digits), zeros = 0;
    if (scaled < 0) *at++ = '-';
    if (len <= (size_t)scale) zeros = (size_t)scale + 1 - len;
    for (size_t place = zeros + len; place-- > 0;) {
        *at++ = place >= len ? '0' : digits[len - 1 - place];
        if (place == (size_t)scale && scale > 0) *at++ = '.';
    }
    return (size_t)(at - out);
}

/* True where the double, times 10^scale, lies so near to an integer that its decimal text would round to the same. */
static bool scale_real(double real, int scale, int64_t *scaled) {
    static const double tens[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15
    };
    if (scale < 0 || scale > DECIMAL_NUMERIC_DIGITS) return false;
    double shifted = real * tens[scale];
    if (!(fabs(shifted) < 1e15)) return false;
    *scaled = (int64_t)llround(shifted);
    return fabs(shifted - (double)*scaled) < 0.25;
}

static void read_decimal(const struct type *type, struct value *cell, char *scratch) {
    char room[REAL_TEXT];
    int64_t scaled;
    size_t len;
    int scale = type_scale(type);
    if (cell->kind == VALUE_REAL && scale_real(cell->as.real, scale, &scaled)) {
        *cell = value_text(scratch, write_scaled(scaled, scale, scratch));
        return;
    }
    if (is_canonical_decimal(type, cell)) return;
    const char *text = numeric_text(cell, room, &len);
    if (!text) return;
    len = decimal_round(text, len, scale, scratch, TYPE_SCRATCH);
    if (len) *cell = value_text(scratch, len);
}

static void read_boolean(const struct type *type, struct value *cell, char *scratch) {
    (void)type, (void)scratch;
    if (cell->kind == VALUE_REAL && is_int64(cell->as.real)) *cell = value_int((int64_t)cell->as.real);
    if (cell->kind == VALUE_INT) {
        if (cell->as.integer == 0 || cell->as.integer == 1) *cell = value_bool(cell->as.integer == 1);
    } else if (cell->kind == VALUE_TEXT) {
        if (text_is(cell, "t") || text_is(cell, "true")) *cell = value_bool(true);
        else if (text_is(cell, "f") || text_is(cell, "false")) *cell = value_bool(false);
    }
}

static void read_date(const struct type *type, struct value *cell, char *scratch) {
    (void)type;
    int64_t micros;
    size_t len = 0;
    if (cell->kind == VALUE_TEXT) {
        if (datetime_has_shape(cell->as.text, cell->len)) return;
        len = datetime_canonical(cell->as.text, cell->len, scratch);
    } else if (cell->kind == VALUE_INT) {
        if (datetime_from_integer(cell->as.integer, &micros)) len = datetime_write(micros, scratch);
    } else if (cell->kind == VALUE_REAL) {
        if (datetime_from_real(cell->as.real, &micros)) len = datetime_write(micros, scratch);
    }
    if (len) *cell = value_text(scratch, len);
}

static void read_blob(const struct type *type, struct value *cell, char *scratch) {
    (void)type, (void)scratch;
    if (cell->kind == VALUE_TEXT) cell->kind = VALUE_BLOB;
}

/* ------------------------------------------------------------------------------------------------------ the table */

enum trait {
    NUMBER = 1,
    REREAD = 2,             /* a cell of the logical kind may still not be in canonical form */
    REWRITTEN = 4,          /* the engine stores another text than it was given */
    UNORDERED = 8           /* values are equal or different, but not greater or less */
};

struct rule {
    bool (*accept)(struct accept *a);
    void (*read)(const struct type *type, struct value *cell, char *scratch);      /* NULL: cells pass as they are */
    void (*store)(const struct type *type, struct value *value, struct arena *arena);           /* NULL: … are stored as they are */
    void (*read_table)(const struct type *type, struct value *cell, struct arena *arena);       /* instead of read */
    int traits;
};

static void store_date(const struct type *type, struct value *value, struct arena *arena);
static void store_decimal(const struct type *type, struct value *value, struct arena *arena);

static const struct rule rules[TYPE_COUNT] = {
    [TYPE_STRING]   = { accept_string,       read_text,    NULL,         NULL,        0 },
    [TYPE_CHAR]     = { accept_char,         read_char,    NULL,         NULL,        REREAD },
    [TYPE_TEXT]     = { accept_text,         read_text,    NULL,         NULL,        0 },
    [TYPE_INTEGER]  = { accept_integer,      read_integer, NULL,         NULL,        NUMBER },
    [TYPE_BIGINT]   = { accept_integer,      read_integer, NULL,         NULL,        NUMBER },
    [TYPE_SMALLINT] = { accept_integer,      read_integer, NULL,         NULL,        NUMBER },
    [TYPE_FLOAT]    = { accept_real,         read_real,    NULL,         NULL,        NUMBER },
    [TYPE_DOUBLE]   = { accept_real,         read_real,    NULL,         NULL,        NUMBER },
    [TYPE_REAL]     = { accept_single,       read_real,    NULL,         NULL,        NUMBER },
    [TYPE_DECIMAL]  = { accept_decimal,      read_decimal, store_decimal, NULL,       NUMBER | REREAD },
    [TYPE_BOOLEAN]  = { accept_boolean,      read_boolean, NULL,         NULL,        0 },
    [TYPE_DATE]     = { accept_date,         read_date,    store_date,   NULL,        REREAD },
    [TYPE_DATEONLY] = { accept_dateonly,     read_text,    NULL,         NULL,        0 },
    [TYPE_TIME]     = { accept_time,         read_text,    NULL,         NULL,        0 },
    [TYPE_BLOB]     = { accept_blob,         read_blob,    NULL,         NULL,        0 },
    [TYPE_UUID]     = { accept_uuid,         read_text,    NULL,         NULL,        0 },
    [TYPE_JSON]     = { accept_any,          NULL,         NULL,         NULL,        UNORDERED },
    [TYPE_JSONB]    = { accept_any,          NULL,         NULL,         NULL,        UNORDERED },
    [TYPE_ENUM]     = { accept_enum,         read_text,    NULL,         NULL,        0 },
    [TYPE_ARRAY]    = { accept_array,        NULL,         array_store,  array_read,  REREAD },
    [TYPE_VIRTUAL]  = { accept_any,          NULL,         NULL,         NULL,        0 },
    [TYPE_CITEXT]   = { accept_text,         read_text,    NULL,         NULL,        0 },
    [TYPE_INET]     = { accept_inet,         read_text,    NULL,         NULL,        0 },
    [TYPE_CIDR]     = { accept_cidr,         read_text,    NULL,         NULL,        0 },
    [TYPE_MACADDR]  = { accept_macaddr,      read_text,    NULL,         NULL,        0 },
    [TYPE_TSVECTOR] = { accept_foreign_text, read_text,    NULL,         NULL,        REWRITTEN },
    [TYPE_RANGE]    = { accept_range,        NULL,         range_store,  range_read,  REREAD },
    [TYPE_HSTORE]   = { accept_hstore,       NULL,         hstore_store, hstore_read, REREAD | UNORDERED },
};

bool type_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error) {
    if (value->kind == VALUE_NULL) return true;
    struct accept accept = { type, value, arena, error };
    struct value given = *value;
    if (rules[type->id].accept(&accept)) return true;
    *value = given;
    error->value = given;
    error->has_value = true;
    return false;
}

void type_read(const struct type *type, struct value *cell, char *scratch, struct arena *arena) {
    const struct rule *rule = &rules[type->id];
    if (cell->kind == VALUE_NULL) return;
    if (rule->read) rule->read(type, cell, scratch);
    if (rule->read_table) rule->read_table(type, cell, arena);
}

bool type_reads(const struct type *type) {
    return rules[type->id].read || rules[type->id].read_table;
}

bool type_is_json(const struct type *type) {
    return type->id == TYPE_JSON || type->id == TYPE_JSONB;
}

bool type_has_order(const struct type *type) {
    while (type->element) type = type->element;
    return !(rules[type->id].traits & UNORDERED);
}

bool type_is_rewritten(const struct type *type) {
    return rules[type->id].traits & REWRITTEN;
}

bool type_is_reread(const struct type *type) {
    return rules[type->id].traits & REREAD;
}

bool type_is_number(const struct type *type) {
    return rules[type->id].traits & NUMBER;
}

bool type_is_table(const struct type *type) {
    return type_is_json(type) || rules[type->id].read_table;
}

/* -------------------------------------------------------------------------------------------------------- storing */

static bool lists_dates(const struct type *type) {
    while (type->id == TYPE_ARRAY) type = type->element;
    return type->id == TYPE_DATE;
}

void type_cut(const struct type *type, struct value *value, struct arena *arena) {
    if (value->kind != VALUE_TEXT || value->len <= DATETIME_LEN || !lists_dates(type)) return;
    char *text = arena_text(arena, value->as.text, value->len);
    *value = value_text(text, type->id == TYPE_DATE ? datetime_cut(text, value->len) : array_cut_instants(text, value->len));
}

static struct value epoch_value(int64_t micros) {
    return micros % 1000000 == 0 ? value_int(micros / 1000000) : value_real((double)micros / 1e6);
}

static void store_date(const struct type *type, struct value *value, struct arena *arena) {
    char out[DATETIME_TEXT];
    int64_t micros;
    bool as_text = type->stored != DATE_SPACE && type->stored != DATE_EPOCH;
    if (as_text || value->kind != VALUE_TEXT) return;
    if (!datetime_read(value->as.text, value->len, &micros)) return;
    if (type->stored == DATE_EPOCH) {
        *value = epoch_value(micros);
        return;
    }
    size_t len = datetime_write_space(micros, out);
    *value = value_text(arena_text(arena, out, len), len);
}

static void store_decimal(const struct type *type, struct value *value, struct arena *arena) {
    (void)arena;
    if (type->as_number && value->kind == VALUE_TEXT) *value = value_real(real_read(value->as.text, value->len));
}

void type_store(const struct type *type, struct value *value, struct arena *arena) {
    if (rules[type->id].store) rules[type->id].store(type, value, arena);
}
