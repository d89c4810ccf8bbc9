#include "driver/postgres_param.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/statement.h"
#include "driver/postgres_cell.h"

/* OIDs of pg_catalog, which never change. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25, OID_FLOAT8 = 701, OID_TIMESTAMPTZ = 1184 };
enum { OID_BOOLS = 1000, OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016, OID_FLOAT8S = 1022, OID_TIMESTAMPTZS = 1185 };

/* One parameter on its way. */
struct param {
    struct arena *arena, *call;     /* for values; for errors */
    struct error *error;
    unsigned type;
    const char *value;
    size_t len;
    int format;
    int number;                     /* from 1, for messages */
};

static bool refuse(struct param *param, const struct value *value, const char *why) {
    error_set(param->error, param->call, ERROR_VALIDATION, "parameter %d %s", param->number, why);
    param->error->value = *value;
    param->error->has_value = value->kind != VALUE_LIST;
    return false;
}

/* --------------------------------------------------------------------------------------------------------- scalars */

static const char *real_word(double real) {
    if (isnan(real)) return "NaN";
    if (isinf(real)) return real > 0 ? "Infinity" : "-Infinity";
    return NULL;
}

static size_t put_real(double real, char *out) {
    const char *word = real_word(real);
    if (!word) return real_text(real, out);
    strcpy(out, word);
    return strlen(word);
}

static bool set_text(struct param *param, const char *text, size_t len) {
    param->value = text;
    param->len = len;
    return true;
}

static bool set_integer(struct param *param, int64_t integer) {
    char *text = arena_alloc(param->arena, REAL_TEXT);
    return set_text(param, text, integer_text(integer, text));
}

static bool set_real(struct param *param, double real) {
    char *text = arena_alloc(param->arena, REAL_TEXT);
    return set_text(param, text, put_real(real, text));
}

/* libpq takes a text up to its NUL, so one inside would cut it. */
static bool text_fits(struct param *param, const struct value *value) {
    return !memchr(value->as.text, '\0', value->len) || refuse(param, value, "holds a NUL byte, which no text can");
}

static bool set_user_text(struct param *param, const struct value *value) {
    if (!text_fits(param, value)) return false;
    if (value->as.text[value->len] == '\0') return set_text(param, value->as.text, value->len);
    return set_text(param, arena_text(param->arena, value->as.text, value->len), value->len);
}

static bool set_blob(struct param *param, const struct value *value) {
    param->type = OID_BYTEA;
    param->format = 1;
    return set_text(param, value->as.text, value->len);
}

/* ---------------------------------------------------------------------------------------------------------- arrays */

static char *put32(char *out, uint32_t number) {
    for (int i = 3; i >= 0; i--, number >>= 8) out[i] = (char)number;
    return out + 4;
}

static char *put64(char *out, uint64_t number) {
    return put32(put32(out, (uint32_t)(number >> 32)), (uint32_t)number);
}

static char *put_bytes(char *out, const char *bytes, size_t len) {
    memcpy(out, bytes, len);
    return out + len;
}

/* Microseconds since 2000. */
static uint64_t instant_bits(const struct value *item) {
    int64_t micros = 0;
    datetime_read(item->as.text, item->len, &micros);
    return (uint64_t)(micros - POSTGRES_EPOCH_MICROS);
}

/* Length and bytes of an element. */
static char *put_element(char *out, const struct value *item, unsigned element) {
    uint64_t bits;
    switch (item->kind) {
    case VALUE_BOOL:
        out = put32(out, 1);
        *out = (char)item->as.boolean;
        return out + 1;
    case VALUE_INT:  return put64(put32(out, 8), (uint64_t)item->as.integer);
    case VALUE_REAL:
        memcpy(&bits, &item->as.real, sizeof bits);
        return put64(put32(out, 8), bits);
    case VALUE_TEXT:
        if (element == OID_TIMESTAMPTZ) return put64(put32(out, 8), instant_bits(item));
        return put_bytes(put32(out, (uint32_t)item->len), item->as.text, item->len);
    case VALUE_BLOB: return put_bytes(put32(out, (uint32_t)item->len), item->as.text, item->len);
    default:         return put32(out, UINT32_MAX);         /* NULL */
    }
}

/* Bytes that the list takes at most when each element has so many beside those of its text. */
static size_t list_size(const struct value *list, size_t each) {
    size_t size = list->len * each;
    for (size_t i = 0; i < list->len; i++) {
        enum value_kind kind = list->as.items[i].kind;
        if (kind == VALUE_TEXT || kind == VALUE_BLOB) size += list->as.items[i].len;
    }
    return size;
}

/* dimensions, whether there are NULLs, type of the elements; then size and lower bound of the only dimension. */
static bool set_binary_array(struct param *param, const struct value *list, unsigned array, unsigned element) {
    enum { HEAD = 20, ELEMENT = 12 };
    char *start = arena_alloc(param->arena, HEAD + list_size(list, ELEMENT));
    char *out = put32(put32(put32(start, list->len > 0), values_have_null(list->as.items, (int)list->len)), element);
    if (list->len) out = put32(put32(out, (uint32_t)list->len), 1);
    for (size_t i = 0; i < list->len; i++) out = put_element(out, &list->as.items[i], element);
    param->type = array;
    param->format = 1;
    return set_text(param, start, (size_t)(out - start));
}

static size_t plain_len(const char *text, const char *end) {
    const char *at = text;
    while (at < end && *at != '"' && *at != '\\') at++;
    return (size_t)(at - text);
}

static void put_quoted(struct buf *buf, const char *text, size_t len) {
    const char *end = text + len;
    size_t plain = plain_len(text, end);
    buf_addc(buf, '"');
    buf_add(buf, text, plain);
    for (text += plain; text < end; text += plain) {
        buf_addc(buf, '\\');
        plain = 1 + plain_len(text + 1, end);
        buf_add(buf, text, plain);
    }
    buf_addc(buf, '"');
}

static void put_text_element(struct buf *buf, const struct value *item) {
    char number[REAL_TEXT];
    switch (item->kind) {
    case VALUE_BOOL: buf_addc(buf, item->as.boolean ? 't' : 'f'); break;
    case VALUE_INT:  buf_addi(buf, item->as.integer); break;
    case VALUE_REAL: buf_add(buf, number, put_real(item->as.real, number)); break;
    case VALUE_TEXT: put_quoted(buf, item->as.text, item->len); break;
    default:         buf_adds(buf, "NULL"); break;
    }
}

static bool texts_fit(struct param *param, const struct value *list) {
    bool fit = true;
    for (size_t i = 0; fit && i < list->len; i++)
        fit = list->as.items[i].kind != VALUE_TEXT || text_fits(param, &list->as.items[i]);
    return fit;
}

/* {"a","b"}: of whatever type the text of the statement asks for. */
static bool set_text_array(struct param *param, const struct value *list) {
    enum { BRACES = 2, ELEMENT = 4 };           /* quotes and comma, or NULL */
    struct buf buf;
    if (!texts_fit(param, list)) return false;
    buf_init_sized(&buf, param->arena, BRACES + list_size(list, ELEMENT + 1));
    buf_addc(&buf, '{');
    for (size_t i = 0; i < list->len; i++) {
        if (i) buf_addc(&buf, ',');
        put_text_element(&buf, &list->as.items[i]);
    }
    buf_addc(&buf, '}');
    return set_text(param, buf.text, buf.len);
}

/* The kind that all elements have that are not NULL; VALUE_NULL: several kinds, or none. */
static enum value_kind common_kind(const struct value *list) {
    enum value_kind kind = VALUE_NULL;
    for (size_t i = 0; i < list->len; i++) {
        enum value_kind own = list->as.items[i].kind;
        if (own == VALUE_NULL || own == kind) continue;
        if (kind != VALUE_NULL) return VALUE_NULL;
        kind = own;
    }
    return kind;
}

static bool all_canonical(const struct value *list) {
    for (size_t i = 0; i < list->len; i++) {
        const struct value *item = &list->as.items[i];
        if (item->kind == VALUE_TEXT && !datetime_is_canonical(item->as.text, item->len)) return false;
    }
    return true;
}

/* Texts that are cast to what they are for; instants need no reading by the server. */
static bool set_texts(struct param *param, const struct value *list) {
    if (!texts_fit(param, list)) return false;
    if (list->elements == LIST_CAST_INSTANTS && all_canonical(list))
        return set_binary_array(param, list, OID_TIMESTAMPTZS, OID_TIMESTAMPTZ);
    return set_binary_array(param, list, OID_TEXTS, OID_TEXT);
}

static bool set_list(struct param *param, const struct value *list) {
    switch (common_kind(list)) {
    case VALUE_TEXT: return list->elements == LIST_INFERRED ? set_text_array(param, list) : set_texts(param, list);
    case VALUE_INT:  return set_binary_array(param, list, OID_INT8S, OID_INT8);
    case VALUE_REAL: return set_binary_array(param, list, OID_FLOAT8S, OID_FLOAT8);
    case VALUE_BOOL: return set_binary_array(param, list, OID_BOOLS, OID_BOOL);
    case VALUE_BLOB: return set_binary_array(param, list, OID_BYTEAS, OID_BYTEA);
    default:         return set_text_array(param, list);
    }
}

/* ---------------------------------------------------------------------------------------------------------- public */

/* The type of a value that stands where the text says nothing of types. */
static unsigned own_type(const struct value *value) {
    switch (value->kind) {
    case VALUE_BOOL: return OID_BOOL;
    case VALUE_REAL: return OID_FLOAT8;
    case VALUE_INT:  return value->as.integer >= INT32_MIN && value->as.integer <= INT32_MAX ? OID_INT4 : OID_INT8;
    default:         return 0;
    }
}

static bool set_value(struct param *param, const struct value *value) {
    switch (value->kind) {
    case VALUE_NULL: return set_text(param, NULL, 0);
    case VALUE_BOOL: return set_text(param, value->as.boolean ? "t" : "f", 1);
    case VALUE_INT:  return set_integer(param, value->as.integer);
    case VALUE_REAL: return set_real(param, value->as.real);
    case VALUE_TEXT: return set_user_text(param, value);
    case VALUE_BLOB: return set_blob(param, value);
    case VALUE_LIST: return set_list(param, value);
    }
    return false;
}

bool pg_params_make(struct pg_params *params, const struct statement *statement, struct arena *arena, struct arena *call,
                    struct error *error) {
    int count = params->count = statement->param_count;
    params->types = arena_array(arena, unsigned, count + 1);
    params->values = arena_array(arena, const char *, count + 1);
    params->lengths = arena_array(arena, int, count + 1);
    params->formats = arena_array(arena, int, count + 1);
    for (int i = 0; i < count; i++) {
        const struct value *value = &statement->params[i];
        struct param param = { .arena = arena, .call = call, .error = error, .number = i + 1 };
        if (statement->typed) param.type = own_type(value);
        if (!set_value(&param, value)) return false;
        if (param.len > INT_MAX) return refuse(&param, value, "is larger than a gigabyte or two");
        params->types[i] = param.type;
        params->typed = params->typed || param.type;
        params->values[i] = param.value;
        params->lengths[i] = (int)param.len;
        params->formats[i] = param.format;
    }
    return true;
}
