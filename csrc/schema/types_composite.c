#include "schema/types_composite.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/json_text.h"

static bool refuse(struct arena *arena, struct error *error, const char *format, const char *detail) {
    return error_set(error, arena, ERROR_VALIDATION, format, detail);
}

static bool is_word(struct value text, const char *word) {
    return text.len == strlen(word) && memcmp(text.as.text, word, text.len) == 0;
}

static struct json_text json_of(struct value value) {
    struct json_text json = { value.as.text, value.as.text + value.len };
    json_text_check(&json);
    return json;
}

static size_t json_len(struct json_text json) {
    return (size_t)(json.end - json.at);
}

static struct value finished(const struct buf *buf) {
    return value_text(buf->text, buf->len);
}

/* ------------------------------------------------------------------------------------ between JSON and plain values */

/* What a JSON value is as one of the user's: tables, and everything where the type is JSON, as their texts. */
static struct value value_of_json(const struct type *type, struct json_text json, struct arena *arena) {
    enum json_kind kind = json_text_kind(json);
    int64_t integer;
    if (kind == JSON_NULL) return value_null();
    if (type_is_table(type) || kind == JSON_ARRAY || kind == JSON_OBJECT) return value_text(json.at, json_len(json));
    if (kind == JSON_TRUE || kind == JSON_FALSE) return value_bool(kind == JSON_TRUE);
    if (kind == JSON_NUMBER && integer_read(json.at, json_len(json), &integer)) return value_int(integer);
    if (kind == JSON_NUMBER) return value_real(real_read(json.at, json_len(json)));
    char *text = arena_alloc(arena, json_len(json));
    return value_text(text, json_text_characters(json, text));
}

/* Infinities are numbers that are too large for a float. */
static void put_json_real(struct buf *buf, double real) {
    char text[REAL_TEXT];
    if (isnan(real)) buf_adds(buf, "\"NaN\"");                  /* foreign: nothing in JSON is one */
    else if (isinf(real)) buf_adds(buf, real > 0 ? "9e999" : "-9e999");
    else buf_add(buf, text, real_text(real, text));
}

/* A logical value of the type as JSON. */
static void put_json(struct buf *buf, const struct type *type, struct value value) {
    switch (value.kind) {
    case VALUE_BOOL: buf_adds(buf, value.as.boolean ? "true" : "false"); break;
    case VALUE_INT:  buf_addi(buf, value.as.integer); break;
    case VALUE_REAL: put_json_real(buf, value.as.real); break;
    case VALUE_TEXT:
        if (type_is_table(type)) buf_add(buf, value.as.text, value.len);
        else json_text_put(buf, value.as.text, value.len);
        break;
    default:         buf_adds(buf, "null"); break;
    }
}

/* One element or bound: from what the user gave to the logical form. */
static bool accept_part(const struct type *type, struct json_text json, struct value *value, struct arena *arena,
                        struct error *error) {
    enum json_kind kind = json_text_kind(json);
    *value = value_of_json(type, json, arena);
    if ((kind == JSON_ARRAY || kind == JSON_OBJECT) && !type_is_table(type))
        return refuse(arena, error, "expects elements of the type %s, got a table", type_text(type, arena));
    return type_accept(type, value, arena, error);
}

static struct value real_word(const char *word) {
    return value_text(word, strlen(word));
}

/* The double that PostgreSQL writes so. */
static double real_of_text(struct value text) {
    if (is_word(text, "NaN")) return NAN;
    if (is_word(text, "Infinity")) return INFINITY;
    if (is_word(text, "-Infinity")) return -INFINITY;
    return real_read(text.as.text, text.len);
}

/* The text that stands for a logical value in PostgreSQL's arrays, ranges and hstores, before it is quoted. */
static struct value plain_text(const struct type *type, struct value value, struct arena *arena) {
    char text[REAL_TEXT];
    size_t len;
    type_store(type, &value, arena);
    if (value.kind == VALUE_BOOL) return value.as.boolean ? value_text("true", 4) : value_text("false", 5);
    if (value.kind == VALUE_INT) len = integer_text(value.as.integer, text);
    else if (value.kind == VALUE_REAL && isinf(value.as.real)) return real_word(value.as.real > 0 ? "Infinity" : "-Infinity");
    else if (value.kind == VALUE_REAL) len = real_text(value.as.real, text);
    else return value;
    return value_text(arena_text(arena, text, len), len);
}

/* The logical value that such a text stands for. */
static struct value logical_of_text(const struct type *type, struct value text, struct arena *arena) {
    int64_t integer;
    enum value_kind kind = type_info(type->id)->logical;
    if (kind == VALUE_INT && integer_read(text.as.text, text.len, &integer)) return value_int(integer);
    if (kind == VALUE_REAL) return value_real(real_of_text(text));
    type_read(type, &text, arena_alloc(arena, TYPE_SCRATCH), arena);
    return text;
}

static void put_quoted(struct buf *buf, struct value text) {
    buf_addc(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.as.text[i] == '"' || text.as.text[i] == '\\') buf_addc(buf, '\\');
        buf_addc(buf, text.as.text[i]);
    }
    buf_addc(buf, '"');
}

/* ------------------------------------------------------------------------------------------- reading quoted texts */

/* A text of PostgreSQL's, read from left to right. */
struct scan {
    const char *at, *end;
    struct arena *arena;
};

static bool take(struct scan *scan, char c) {
    if (scan->at == scan->end || *scan->at != c) return false;
    scan->at++;
    return true;
}

/* At the opening quote; a backslash takes the next byte as it is, a doubled quote stands for one. */
static bool read_quoted(struct scan *scan, struct value *text) {
    char *out = arena_alloc(scan->arena, (size_t)(scan->end - scan->at) + 1);
    size_t len = 0;
    for (scan->at++; scan->at < scan->end; scan->at++) {
        if (*scan->at == '"' && !(scan->at + 1 < scan->end && scan->at[1] == '"')) {
            scan->at++;
            *text = value_text(out, len);
            return true;
        }
        if ((*scan->at == '\\' || *scan->at == '"') && ++scan->at == scan->end) return false;
        out[len++] = *scan->at;
    }
    return false;
}

/* Up to one of the closing bytes, unless it is quoted; *bare: it was not. */
static bool read_item(struct scan *scan, const char *closing, struct value *text, bool *bare) {
    *bare = scan->at < scan->end && *scan->at != '"';
    if (!*bare) return scan->at < scan->end && read_quoted(scan, text);
    const char *start = scan->at;
    while (scan->at < scan->end && !strchr(closing, *scan->at)) scan->at++;
    *text = value_text(start, (size_t)(scan->at - start));
    return scan->at < scan->end;
}

/* --------------------------------------------------------------------------------------------------------- arrays */

static struct json_text first_of(struct json_text list, int *count) {
    struct json_walk walk = json_walk_over(list);
    struct json_text first = list;
    for (*count = 0; json_walk_next(&walk); ++*count)
        if (!*count) first = walk.value;
    return first;
}

/* PostgreSQL's arrays are boxes: all lists within a list have one length, which is not 0, and so have those within them. Both lists
 * were accepted: within each it is so. */
static bool same_shape(const struct type *type, struct json_text a, struct json_text b) {
    int in_a = 1, in_b = 1;
    for (; type->id == TYPE_ARRAY && in_a && in_a == in_b; type = type->element) {
        a = first_of(a, &in_a);
        b = first_of(b, &in_b);
    }
    return in_a && in_a == in_b;
}

bool array_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error) {
    struct json_text json = json_of(*value);
    struct json_walk walk = json_walk_over(json);
    bool more = json_walk_next(&walk);
    if (json_text_kind(json) != JSON_ARRAY && (json_text_kind(json) != JSON_OBJECT || more))
        return refuse(arena, error, "expects a list, of the type %s", type_text(type, arena));
    struct buf buf;
    struct json_text model = walk.value;
    buf_init(&buf, arena);
    buf_addc(&buf, '[');
    for (bool first = true; more; more = json_walk_next(&walk), first = false) {
        struct value element;
        if (!accept_part(type->element, walk.value, &element, arena, error)) return false;
        if (type->element->id == TYPE_ARRAY && (element.kind == VALUE_NULL || !same_shape(type->element, model, walk.value)))
            return refuse(arena, error, "expects lists of one length (none empty) within the list, of the type %s",
                          type_text(type, arena));
        if (!first) buf_addc(&buf, ',');
        put_json(&buf, type->element, element);
    }
    buf_addc(&buf, ']');
    *value = finished(&buf);
    return true;
}

/* Of ["2026-11-22T09:30:00.123456Z",…] what stands behind three digits of a fraction goes. */
size_t array_cut_instants(char *text, size_t len) {
    size_t out = 0;
    int digits = -1;                    /* after a point; -1: there was none */
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        digits = text[i] == '.' ? 0 : digit && digits >= 0 ? digits + 1 : -1;
        if (digits <= 3) text[out++] = text[i];
    }
    return out;
}

static void put_array(struct buf *buf, const struct type *type, struct json_text json, struct arena *arena) {
    struct json_walk walk = json_walk_over(json);
    buf_addc(buf, '{');
    for (bool first = true; json_walk_next(&walk); first = false) {
        if (!first) buf_addc(buf, ',');
        if (json_text_kind(walk.value) == JSON_NULL) buf_adds(buf, "NULL");
        else if (type->element->id == TYPE_ARRAY) put_array(buf, type->element, walk.value, arena);
        else put_quoted(buf, plain_text(type->element, value_of_json(type->element, walk.value, arena), arena));
    }
    buf_addc(buf, '}');
}

void array_store(const struct type *type, struct value *value, struct arena *arena) {
    struct buf buf;
    if (value->kind != VALUE_TEXT) return;
    buf_init(&buf, arena);
    put_array(&buf, type, json_of(*value), arena);
    *value = finished(&buf);
}

/* At the opening brace. A column takes arrays of any number of dimensions, whatever it declares. */
static bool read_array(struct buf *buf, const struct type *type, struct scan *scan, int dimensions) {
    enum { MOST_DIMENSIONS = 6 };           /* PostgreSQL's own limit */
    if (dimensions > MOST_DIMENSIONS || !take(scan, '{')) return false;
    buf_addc(buf, '[');
    for (bool first = true; !take(scan, '}'); first = false) {
        struct value text;
        bool bare;
        if (!first && !take(scan, ',')) return false;
        if (!first) buf_addc(buf, ',');
        if (scan->at < scan->end && *scan->at == '{') {
            const struct type *inner = type->element->id == TYPE_ARRAY ? type->element : type;
            if (!read_array(buf, inner, scan, dimensions + 1)) return false;
            continue;
        }
        if (!read_item(scan, ",}", &text, &bare)) return false;
        if (bare && is_word(text, "NULL")) buf_adds(buf, "null");
        else put_json(buf, type->element, logical_of_text(type->element, text, scan->arena));
    }
    buf_addc(buf, ']');
    return true;
}

/* [0:2]={…}: bounds other than from 1 are left out, as Lua has none. */
void array_read(const struct type *type, struct value *cell, struct arena *arena) {
    struct buf buf;
    if (cell->kind != VALUE_TEXT) return;
    struct scan scan = { cell->as.text, cell->as.text + cell->len, arena };
    const char *bounds = cell->len && *scan.at == '[' ? memchr(scan.at, '=', cell->len) : NULL;
    if (bounds) scan.at = bounds + 1;
    buf_init(&buf, arena);
    if (read_array(&buf, type, &scan, 1) && scan.at == scan.end) *cell = finished(&buf);
}

/* --------------------------------------------------------------------------------------------------------- ranges */

struct range {
    bool empty;
    struct value lower, upper;          /* NULL: no bound */
    char bounds[2];
};

static const char *const range_words = "expects a table {lower =, upper =, bounds = \"[)\"} or a text such as \"[1,10)\"%s";

/* "[]" … of which the outer side of what has no bound is always open. */
static bool set_bounds(struct range *range, struct value bounds) {
    bool fine = bounds.kind == VALUE_TEXT && bounds.len == 2 && strchr("[(", bounds.as.text[0]) && strchr("])", bounds.as.text[1]);
    if (fine) memcpy(range->bounds, bounds.as.text, 2);
    return fine;
}

static bool accept_member(const struct type *type, struct range *range, struct json_text name, struct json_text json,
                          struct arena *arena, struct error *error) {
    static const struct type text_type = { .id = TYPE_TEXT };
    char word[16];
    struct value key = value_text(word, json_len(name) < sizeof word ? json_text_characters(name, word) : 0);
    if (is_word(key, "lower")) return accept_part(type->element, json, &range->lower, arena, error);
    if (is_word(key, "upper")) return accept_part(type->element, json, &range->upper, arena, error);
    range->empty = is_word(key, "empty") && json_text_kind(json) == JSON_TRUE;
    if (is_word(key, "empty")) return true;
    if (is_word(key, "bounds") && set_bounds(range, value_of_json(&text_type, json, arena))) return true;
    return refuse(arena, error, range_words, "");
}

/* [1, 10]: the bounds by place, as a range in a list may have them. */
static bool accept_places(const struct type *type, struct range *range, struct json_text json, struct arena *arena,
                          struct error *error) {
    struct value *const places[] = { &range->lower, &range->upper };
    int place = 0;
    for (struct json_walk walk = json_walk_over(json); json_walk_next(&walk); place++) {
        if (place == 2) return refuse(arena, error, range_words, "");
        if (!accept_part(type->element, walk.value, places[place], arena, error)) return false;
    }
    return true;
}

/* Days and whole numbers have a next one: the same set is always written [from, to). */
static bool next_of(const struct type *type, struct value *value, struct arena *arena) {
    char out[DATETIME_TEXT];
    int64_t micros;
    if (value->kind == VALUE_INT) return !__builtin_add_overflow(value->as.integer, 1, &value->as.integer);
    const char *midnight = arena_printf(arena, "%.*sT00:00:00Z", (int)value->len, value->as.text);
    if (type->id != TYPE_DATEONLY || !datetime_read(midnight, strlen(midnight), &micros)) return false;
    datetime_write(micros + INT64_C(86400000000), out);
    *value = value_text(arena_text(arena, out, 10), 10);
    return true;
}

static int compare_bounds(const struct type *type, struct value a, struct value b) {
    if (a.kind == VALUE_INT) return a.as.integer < b.as.integer ? -1 : a.as.integer > b.as.integer;
    if (type->id == TYPE_DECIMAL) return decimal_compare(a.as.text, a.len, b.as.text, b.len);
    size_t zone = type->id == TYPE_DATE ? 1 : 0;        /* the Z of instants: one of them may have more digits before it */
    size_t alen = a.len - zone, blen = b.len - zone;
    int order = memcmp(a.as.text, b.as.text, alen < blen ? alen : blen);
    return order ? order : (alen > blen) - (alen < blen);
}

static bool normalise(const struct type *type, struct range *range, struct arena *arena, struct error *error) {
    bool discrete = type->element->id != TYPE_DECIMAL && type->element->id != TYPE_DATE;
    bool bounded = range->lower.kind != VALUE_NULL && range->upper.kind != VALUE_NULL;
    if (range->empty) return true;
    if (bounded && compare_bounds(type->element, range->lower, range->upper) > 0)
        return refuse(arena, error, "has a lower bound above the upper one%s", "");
    if (discrete && range->lower.kind != VALUE_NULL && range->bounds[0] == '(') {
        if (!next_of(type->element, &range->lower, arena)) return refuse(arena, error, "has a bound out of range%s", "");
        range->bounds[0] = '[';
    }
    if (discrete && range->upper.kind != VALUE_NULL && range->bounds[1] == ']') {
        if (!next_of(type->element, &range->upper, arena)) return refuse(arena, error, "has a bound out of range%s", "");
        range->bounds[1] = ')';
    }
    if (range->lower.kind == VALUE_NULL) range->bounds[0] = '(';
    if (range->upper.kind == VALUE_NULL) range->bounds[1] = ')';
    if (!bounded) return true;
    int order = compare_bounds(type->element, range->lower, range->upper);
    range->empty = order > 0 || (order == 0 && memcmp(range->bounds, "[]", 2) != 0);
    return true;
}

static struct value range_json(const struct type *type, const struct range *range, struct arena *arena) {
    struct buf buf;
    if (range->empty) return value_text("{\"empty\":true}", 14);
    buf_init(&buf, arena);
    buf_addf(&buf, "{\"bounds\":\"%.2s\"", range->bounds);
    if (range->lower.kind != VALUE_NULL) buf_adds(&buf, ",\"lower\":");
    if (range->lower.kind != VALUE_NULL) put_json(&buf, type->element, range->lower);
    if (range->upper.kind != VALUE_NULL) buf_adds(&buf, ",\"upper\":");
    if (range->upper.kind != VALUE_NULL) put_json(&buf, type->element, range->upper);
    buf_addc(&buf, '}');
    return finished(&buf);
}

/* One bound of "[1,10)"; nothing there: no bound. */
static bool read_bound(const struct type *type, struct scan *scan, const char *closing, struct value *bound) {
    struct value text;
    bool bare;
    if (!read_item(scan, closing, &text, &bare)) return false;
    *bound = bare && !text.len ? value_null() : logical_of_text(type->element, text, scan->arena);
    return true;
}

static bool read_range_text(const struct type *type, struct value text, struct range *range, struct arena *arena) {
    struct scan scan = { text.as.text, text.as.text + text.len, arena };
    *range = (struct range){ .empty = is_word(text, "empty") };
    if (range->empty) return true;
    if (scan.at == scan.end || !strchr("[(", *scan.at)) return false;
    range->bounds[0] = *scan.at++;
    if (!read_bound(type, &scan, ",", &range->lower) || !take(&scan, ',')) return false;
    if (!read_bound(type, &scan, "])", &range->upper) || scan.at == scan.end || !strchr("])", *scan.at)) return false;
    range->bounds[1] = *scan.at++;
    return scan.at == scan.end;
}

/* A text is taken apart, and its bounds are checked like those of a table. */
static bool accept_range_text(const struct type *type, struct json_text json, struct range *range, struct arena *arena,
                              struct error *error) {
    char *text = arena_alloc(arena, json_len(json));
    size_t len = json_text_characters(json, text);
    if (!read_range_text(type, value_text(text, len), range, arena)) return refuse(arena, error, range_words, "");
    return type_accept(type->element, &range->lower, arena, error) && type_accept(type->element, &range->upper, arena, error);
}

bool range_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error) {
    struct json_text json = json_of(*value);
    struct range range = { .bounds = "[)" };
    enum json_kind kind = json_text_kind(json);
    if (kind == JSON_STRING) {
        if (!accept_range_text(type, json, &range, arena, error)) return false;
    } else if (kind == JSON_OBJECT) {
        for (struct json_walk walk = json_walk_over(json); json_walk_next(&walk); )
            if (!accept_member(type, &range, walk.name, walk.value, arena, error)) return false;
    } else if (kind == JSON_ARRAY) {
        if (!accept_places(type, &range, json, arena, error)) return false;
    } else {
        return refuse(arena, error, range_words, "");
    }
    if (!normalise(type, &range, arena, error)) return false;
    *value = range_json(type, &range, arena);
    return true;
}

static void put_bound(struct buf *buf, const struct type *type, struct json_text json, const char *name, struct arena *arena) {
    struct json_text bound;
    if (!json_text_member(json, name, strlen(name), &bound)) return;
    put_quoted(buf, plain_text(type->element, value_of_json(type->element, bound, arena), arena));
}

void range_store(const struct type *type, struct value *value, struct arena *arena) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct json_text bounds, json;
    struct buf buf;
    if (value->kind != VALUE_TEXT) return;
    json = json_of(*value);
    if (!json_text_member(json, "bounds", 6, &bounds)) {
        *value = value_text("empty", 5);
        return;
    }
    struct value brackets = value_of_json(&text_type, bounds, arena);
    buf_init(&buf, arena);
    buf_addc(&buf, brackets.as.text[0]);
    put_bound(&buf, type, json, "lower", arena);
    buf_addc(&buf, ',');
    put_bound(&buf, type, json, "upper", arena);
    buf_addc(&buf, brackets.as.text[1]);
    *value = finished(&buf);
}

void range_read(const struct type *type, struct value *cell, struct arena *arena) {
    struct range range;
    if (cell->kind == VALUE_TEXT && read_range_text(type, *cell, &range, arena)) *cell = range_json(type, &range, arena);
}

/* -------------------------------------------------------------------------------------------------------- hstores */

bool hstore_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct json_text json = json_of(*value);
    struct buf buf;
    struct json_walk walk = json_walk_over(json);
    bool more = json_walk_next(&walk), first = true;
    (void)type;
    if (json_text_kind(json) != JSON_OBJECT && (json_text_kind(json) != JSON_ARRAY || more))
        return refuse(arena, error, "expects a table of texts by name%s", "");
    buf_init(&buf, arena);
    buf_addc(&buf, '{');
    for (; more; more = json_walk_next(&walk), first = false) {
        struct value text;
        if (!accept_part(&text_type, walk.value, &text, arena, error)) return false;
        if (!first) buf_addc(&buf, ',');
        buf_add(&buf, walk.name.at, json_len(walk.name));
        buf_addc(&buf, ':');
        put_json(&buf, &text_type, text);
    }
    buf_addc(&buf, '}');
    *value = finished(&buf);
    return true;
}

void hstore_store(const struct type *type, struct value *value, struct arena *arena) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct buf buf;
    (void)type;
    if (value->kind != VALUE_TEXT) return;
    buf_init(&buf, arena);
    struct json_walk walk = json_walk_over(json_of(*value));
    for (bool first = true; json_walk_next(&walk); first = false) {
        struct value text = value_of_json(&text_type, walk.value, arena);
        if (!first) buf_addc(&buf, ',');
        put_quoted(&buf, value_of_json(&text_type, walk.name, arena));
        buf_adds(&buf, "=>");
        if (text.kind == VALUE_NULL) buf_adds(&buf, "NULL");
        else put_quoted(&buf, text);
    }
    *value = finished(&buf);
}

/* "key"=>"value", "other"=>NULL */
static bool read_pair(struct buf *buf, struct scan *scan) {
    struct value key, text;
    bool bare;
    if (!read_item(scan, "=", &key, &bare) || !take(scan, '=') || !take(scan, '>')) return false;
    json_text_put(buf, key.as.text, key.len);
    buf_addc(buf, ':');
    if (scan->at < scan->end && *scan->at == '"') {
        if (!read_quoted(scan, &text)) return false;
        json_text_put(buf, text.as.text, text.len);
        return true;
    }
    scan->at += scan->end - scan->at >= 4 ? 4 : scan->end - scan->at;
    buf_adds(buf, "null");
    return true;
}

void hstore_read(const struct type *type, struct value *cell, struct arena *arena) {
    struct buf buf;
    (void)type;
    if (cell->kind != VALUE_TEXT) return;
    struct scan scan = { cell->as.text, cell->as.text + cell->len, arena };
    buf_init(&buf, arena);
    buf_addc(&buf, '{');
    for (bool first = true; scan.at < scan.end; first = false) {
        if (!first) {
            if (!take(&scan, ',')) return;
            take(&scan, ' ');
            buf_addc(&buf, ',');
        }
        if (!read_pair(&buf, &scan)) return;
    }
    buf_addc(&buf, '}');
    *cell = finished(&buf);
}
