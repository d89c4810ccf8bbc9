#define _POSIX_C_SOURCE 200809L         /* locale_t; before any header */

#include "driver/sqlite_functions.h"

#include <locale.h>
#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/json_text.h"
#include "base/regexp.h"

struct sqlite_functions {
    locale_t letters;                   /* made at the first regular expression; 0: not yet */
};

/* A text argument; its bytes live until the function returns. */
struct text {
    const char *at, *end;
};

static size_t text_len(struct text text) {
    return (size_t)(text.end - text.at);
}

/* False: NULL, then so is the result (out of memory: an error). */
static bool read_text(sqlite3_context *context, sqlite3_value *value, struct text *text) {
    if (sqlite3_value_type(value) == SQLITE_NULL) return false;
    text->at = (const char *)sqlite3_value_text(value);
    if (!text->at) {
        sqlite3_result_error_nomem(context);
        return false;
    }
    text->end = text->at + sqlite3_value_bytes(value);
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- like */

enum match { MATCH_NO, MATCH_YES, MATCH_BAD_PATTERN };

static const char *next_character(const char *at, const char *end) {
    at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80) at++;
    return at;
}

static char lower_ascii(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_byte(char a, char b, bool fold) {
    return a == b || (fold && lower_ascii(a) == lower_ascii(b));
}

/* The next place where the rest of the pattern, which follows a %, can match. */
static const char *next_candidate(char next, const char *t, const char *end, bool fold) {
    if (fold || next == '_' || next == '\\' || t == end) return t;
    const char *found = memchr(t, next, (size_t)(end - t));
    return found ? found : end;
}

/* Walks both texts once; after a mismatch it goes back to the last % only, as what stood before that has matched the
 * shortest way already. A backslash without successor is wrong where it is reached, as on PostgreSQL. */
static enum match like(struct text pattern, struct text text, bool fold) {
    const char *p = pattern.at, *t = text.at;
    const char *retry_pattern = NULL, *retry_text = NULL;
    for (;;) {
        bool escaped = p < pattern.end && *p == '\\';
        if (escaped && p + 1 == pattern.end) return MATCH_BAD_PATTERN;
        if (p < pattern.end && *p == '%') {
            if (++p == pattern.end) return MATCH_YES;
            if (*p == '%') continue;
            retry_pattern = p;
            t = retry_text = next_candidate(*p, t, text.end, fold);
        } else if (t == text.end) {
            return p == pattern.end ? MATCH_YES : MATCH_NO;
        } else if (p < pattern.end && *p == '_') {
            p++;
            t = next_character(t, text.end);
        } else if (p < pattern.end && same_byte(p[escaped], *t, fold)) {
            p += 1 + escaped;
            t++;
        } else if (retry_pattern) {
            p = retry_pattern;
            t = next_character(retry_text, text.end);
            t = retry_text = next_candidate(*p, t, text.end, fold);
        } else {
            return MATCH_NO;
        }
    }
}

/* The cost of a match is the product of the lengths, hence the limit SQLite's own LIKE has. */
static bool too_long(sqlite3_context *context, struct text pattern) {
    int limit = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LIKE_PATTERN_LENGTH, -1);
    return text_len(pattern) > (size_t)limit;
}

static void run_like(sqlite3_context *context, sqlite3_value **args, bool fold) {
    struct text pattern, text;
    if (!read_text(context, args[0], &pattern) || !read_text(context, args[1], &text)) return;
    if (too_long(context, pattern)) {
        sqlite3_result_error(context, "the pattern of like is too long", -1);
        return;
    }
    enum match match = like(pattern, text, fold);
    if (match == MATCH_BAD_PATTERN) sqlite3_result_error(context, "the pattern of like ends with a backslash", -1);
    else sqlite3_result_int(context, match == MATCH_YES);
}

static void call_like(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    run_like(context, args, false);
}

static void call_ilike(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    run_like(context, args, true);
}

/* -------------------------------------------------------------------------------------------- regular expressions */

static void say_invalid(sqlite3_context *context, const char *fault) {
    char *message = fault ? sqlite3_mprintf("invalid regular expression: %s", fault) : NULL;
    if (message) sqlite3_result_error(context, message, -1);
    else sqlite3_result_error_nomem(context);
    sqlite3_free(message);
}

static struct regexp *make_regexp(sqlite3_context *context, sqlite3_value *value, bool fold) {
    struct sqlite_functions *functions = sqlite3_user_data(context);
    struct text pattern;
    if (!read_text(context, value, &pattern)) return NULL;
    if (!functions->letters) functions->letters = regexp_letters();
    const char *fault = NULL;
    struct regexp *regexp =
        functions->letters ? regexp_new(pattern.at, text_len(pattern), fold, functions->letters, &fault) : NULL;
    if (!regexp) say_invalid(context, fault);
    return regexp;
}

/* The compiled pattern is kept from row to row of a statement. */
static void run_regexp(sqlite3_context *context, sqlite3_value **args, bool fold) {
    struct text text;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL || !read_text(context, args[1], &text)) return;
    struct regexp *kept = sqlite3_get_auxdata(context, 0);
    struct regexp *regexp = kept ? kept : make_regexp(context, args[0], fold);
    if (!regexp) return;
    sqlite3_result_int(context, regexp_matches(regexp, text.at, text_len(text)));
    if (!kept) sqlite3_set_auxdata(context, 0, regexp, regexp_free);    /* last, as this may free it at once */
}

static void call_regexp(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    run_regexp(context, args, false);
}

static void call_iregexp(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    run_regexp(context, args, true);
}

/* ------------------------------------------------------------------------------------------------------- decimals */

/* A number as text: what is stored as a double is taken as the shortest text that gives this double. */
static bool read_number(sqlite3_context *context, sqlite3_value *value, struct text *text, char *scratch) {
    if (sqlite3_value_type(value) != SQLITE_FLOAT) return read_text(context, value, text);
    double real = sqlite3_value_double(value);
    text->at = scratch;
    text->end = scratch + (isfinite(real) ? real_text(real, scratch) : 0);
    return true;
}

static int read_scale(sqlite3_value *value) {
    int scale = sqlite3_value_int(value);
    if (scale < 0) return DECIMAL_NATURAL;
    return scale > DECIMAL_DIGITS ? DECIMAL_DIGITS : scale;
}

static void give_decimal(sqlite3_context *context, const char *text, size_t len) {
    if (len == 0) sqlite3_result_error(context, "not a decimal number, or too long a one", -1);
    else sqlite3_result_text(context, text, (int)len, SQLITE_TRANSIENT);
}

static void call_round(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    struct text number;
    char scratch[REAL_TEXT], out[DECIMAL_TEXT];
    if (!read_number(context, args[0], &number, scratch)) return;
    size_t len = decimal_round(number.at, text_len(number), read_scale(args[1]), out, sizeof out);
    give_decimal(context, out, len);
}

static bool sum_add(struct decimal_sum *sum, struct text number) {
    return decimal_sum_add(sum, number.at, text_len(number));
}

static void out_of_range(sqlite3_context *context) {
    sqlite3_result_error(context, "the number is out of the range of its type", -1);
    sqlite3_result_error_code(context, SQLITE_MISMATCH);
}

/* liga_add(a, b, scale, precision): exact; precision 0: as many digits as it takes, scale -1: those after the point, too. */
static void call_add(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    struct text a, b;
    char scratch_a[REAL_TEXT], scratch_b[REAL_TEXT], out[DECIMAL_TEXT];
    if (!read_number(context, args[0], &a, scratch_a) || !read_number(context, args[1], &b, scratch_b)) return;
    struct decimal_sum sum = { .pending = 0 };
    int scale = read_scale(args[2]), precision = sqlite3_value_int(args[3]);
    bool added = sum_add(&sum, a) && sum_add(&sum, b);
    size_t len = added ? decimal_sum_text(&sum, scale, out, sizeof out) : 0;
    if (len && precision && decimal_whole_digits(out, len) > precision - scale) out_of_range(context);
    else give_decimal(context, out, len);
}

/* liga_count(a, b, most, direction): a + b or a - b within -most - 1 … most. */
static void call_count(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    int64_t sum, a = sqlite3_value_int64(args[0]), b = sqlite3_value_int64(args[1]), most = sqlite3_value_int64(args[2]);
    if (sqlite3_value_type(args[0]) == SQLITE_NULL) return;
    bool over = sqlite3_value_int(args[3]) < 0 ? __builtin_sub_overflow(a, b, &sum) : __builtin_add_overflow(a, b, &sum);
    if (over || sum > most || sum < -most - 1) out_of_range(context);
    else sqlite3_result_int64(context, sum);
}

/* Context of the aggregate; all zero at the beginning. */
struct sum_state {
    struct decimal_sum sum;
    int64_t count;
    bool failed;
    int scale;
};

/* The scale may be left out, as a sum of DISTINCT has no other argument. */
static void step_sum(sqlite3_context *context, int count, sqlite3_value **args) {
    struct text number;
    char scratch[REAL_TEXT];
    if (!read_number(context, args[0], &number, scratch)) return;
    struct sum_state *state = sqlite3_aggregate_context(context, (int)sizeof *state);
    if (!state) {
        sqlite3_result_error_nomem(context);
        return;
    }
    state->count++;
    state->scale = count > 1 ? read_scale(args[1]) : DECIMAL_NATURAL;
    state->failed |= !sum_add(&state->sum, number);
}

static void end_sum(sqlite3_context *context) {
    struct sum_state *state = sqlite3_aggregate_context(context, 0);
    char out[DECIMAL_TEXT];
    if (!state || !state->count) return;
    give_decimal(context, out, state->failed ? 0 : decimal_sum_text(&state->sum, state->scale, out, sizeof out));
}

/* The exact sum, divided: a float. */
static void end_avg(sqlite3_context *context) {
    struct sum_state *state = sqlite3_aggregate_context(context, 0);
    char out[DECIMAL_TEXT];
    if (!state || !state->count) return;
    size_t len = state->failed ? 0 : decimal_sum_text(&state->sum, DECIMAL_NATURAL, out, sizeof out);
    if (len) sqlite3_result_double(context, real_read(out, len) / (double)state->count);
    else give_decimal(context, out, 0);
}

/* The same of integers, exact whatever comes in between: 128 bits. A foreign program's other numbers are added apart. All zero at
 * the beginning. */
struct total_state {
    uint64_t low;
    int64_t high, count;
    double others;
    bool inexact;
};

static void total_add(struct total_state *state, int64_t number) {
    uint64_t before = state->low;
    state->low += (uint64_t)number;
    state->high += (number < 0 ? -1 : 0) + (state->low < before);
}

static long double total_of(const struct total_state *state) {
    return ldexpl((long double)state->high, 64) + (long double)state->low + state->others;
}

static void step_total(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL) return;
    struct total_state *state = sqlite3_aggregate_context(context, (int)sizeof *state);
    if (!state) {
        sqlite3_result_error_nomem(context);
        return;
    }
    state->count++;
    if (sqlite3_value_numeric_type(args[0]) == SQLITE_INTEGER) {
        total_add(state, sqlite3_value_int64(args[0]));
    } else {
        state->others += sqlite3_value_double(args[0]);
        state->inexact = true;
    }
}

static void end_total(sqlite3_context *context) {
    const struct total_state *state = sqlite3_aggregate_context(context, 0);
    if (!state) return;
    if (state->inexact) sqlite3_result_double(context, (double)total_of(state));
    else if (state->high != (state->low >> 63 ? -1 : 0)) out_of_range(context);
    else sqlite3_result_int64(context, (int64_t)state->low);
}

static void end_mean(sqlite3_context *context) {
    const struct total_state *state = sqlite3_aggregate_context(context, 0);
    if (state) sqlite3_result_double(context, (double)(total_of(state) / (long double)state->count));
}

static int collate_decimal(void *state, int alen, const void *a, int blen, const void *b) {
    (void)state;
    return decimal_compare(a, (size_t)alen, b, (size_t)blen);
}

/* Any form of an instant as the canonical text, so that mixed forms compare; what is none stays. */
static void call_date(sqlite3_context *context, int count, sqlite3_value **args) {
    char out[DATETIME_TEXT];
    int64_t micros;
    size_t len = 0;
    (void)count;
    switch (sqlite3_value_type(args[0])) {
    case SQLITE_INTEGER:
        len = datetime_from_integer(sqlite3_value_int64(args[0]), &micros) ? datetime_write(micros, out) : 0;
        break;
    case SQLITE_FLOAT:   len = datetime_from_real(sqlite3_value_double(args[0]), &micros) ? datetime_write(micros, out) : 0; break;
    case SQLITE_TEXT:
        len = datetime_canonical((const char *)sqlite3_value_text(args[0]), (size_t)sqlite3_value_bytes(args[0]), out);
        break;
    default: break;
    }
    if (len) sqlite3_result_text(context, out, (int)len, SQLITE_TRANSIENT);
    else sqlite3_result_value(context, args[0]);
}

/* ---------------------------------------------------------------------------------------------------------- JSON */

/* An argument that is a well-formed JSON text and not null; false: the result is NULL. */
static bool read_json(sqlite3_context *context, sqlite3_value *value, struct json_text *json) {
    struct text text;
    if (!read_text(context, value, &text)) return false;
    *json = (struct json_text){ text.at, text.end };
    return json_text_check(json) && json_text_kind(*json) != JSON_NULL;
}

static void give_json(sqlite3_context *context, struct json_text json) {
    sqlite3_result_text64(context, json.at, (sqlite3_uint64)(json.end - json.at), SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* One leg of a path: a text names a member, an integer an element, counted from 0. */
static bool take_leg(sqlite3_context *context, struct json_text *json, sqlite3_value *leg) {
    struct text name;
    if (sqlite3_value_type(leg) == SQLITE_INTEGER) return json_text_element(*json, sqlite3_value_int64(leg), json);
    return read_text(context, leg, &name) && json_text_member(*json, name.at, text_len(name), json);
}

/* liga_json(document, leg, …): the value at this path as JSON text; NULL where there is none, and for JSON's null. */
static void call_json(sqlite3_context *context, int count, sqlite3_value **args) {
    struct json_text json;
    if (!count || !read_json(context, args[0], &json)) return;
    for (int i = 1; i < count; i++)
        if (!take_leg(context, &json, args[i])) return;
    if (json_text_kind(json) != JSON_NULL) give_json(context, json);
}

static void call_json_text(sqlite3_context *context, int count, sqlite3_value **args) {
    struct json_text json;
    (void)count;
    if (!read_json(context, args[0], &json) || json_text_kind(json) != JSON_STRING) return;
    char *out = sqlite3_malloc64((sqlite3_uint64)(json.end - json.at));
    if (!out) sqlite3_result_error_nomem(context);
    else sqlite3_result_text64(context, out, json_text_characters(json, out), sqlite3_free, SQLITE_UTF8);
}

static void give_number(sqlite3_context *context, struct json_text number) {
    int64_t integer;
    size_t len = (size_t)(number.end - number.at);
    if (integer_read(number.at, len, &integer)) sqlite3_result_int64(context, integer);
    else sqlite3_result_double(context, real_read(number.at, len));
}

static void call_json_number(sqlite3_context *context, int count, sqlite3_value **args) {
    struct json_text json;
    (void)count;
    if (read_json(context, args[0], &json) && json_text_kind(json) == JSON_NUMBER) give_number(context, json);
}

static void call_json_bool(sqlite3_context *context, int count, sqlite3_value **args) {
    struct json_text json;
    (void)count;
    if (!read_json(context, args[0], &json)) return;
    enum json_kind kind = json_text_kind(json);
    if (kind == JSON_TRUE || kind == JSON_FALSE) sqlite3_result_int(context, kind == JSON_TRUE);
}

/* Two documents in, a truth value out. */
static void compare_json(sqlite3_context *context, sqlite3_value **args, bool compare(struct json_text, struct json_text)) {
    struct json_text a, b;
    if (read_json(context, args[0], &a) && read_json(context, args[1], &b)) sqlite3_result_int(context, compare(a, b));
}

static void call_json_is(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    compare_json(context, args, json_text_equal);
}

static void call_json_contains(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    compare_json(context, args, json_text_contains);
}

static void call_json_overlaps(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    compare_json(context, args, json_text_overlaps);
}

/* What kinds are to each other in an order: as PostgreSQL has it. */
static const unsigned char json_ranks[] = {
    [JSON_STRING] = 1, [JSON_NUMBER] = 2, [JSON_FALSE] = 3, [JSON_TRUE] = 4, [JSON_ARRAY] = 5, [JSON_OBJECT] = 6,
};

/* Eight bytes that compare as the doubles do. */
static void put_sortable(double real, unsigned char *out) {
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    for (int i = 0; i < 8; i++) out[i] = (unsigned char)(bits >> (56 - 8 * i));
}

/* liga_json_order(document): bytes that sort documents by kind, then by value. */
static void call_json_order(sqlite3_context *context, int count, sqlite3_value **args) {
    struct json_text json;
    (void)count;
    if (!read_json(context, args[0], &json)) return;
    enum json_kind kind = json_text_kind(json);
    size_t room = (size_t)(json.end - json.at), len = 1;
    char *out = sqlite3_malloc64(room + 16);
    if (!out) {
        sqlite3_result_error_nomem(context);
        return;
    }
    out[0] = (char)json_ranks[kind];
    if (kind == JSON_STRING) {
        len += json_text_characters(json, out + 1);
    } else if (kind == JSON_NUMBER) {
        put_sortable(real_read(json.at, room) + 0.0, (unsigned char *)out + 1);
        len += 8;
    } else if (kind == JSON_ARRAY || kind == JSON_OBJECT) {
        memcpy(out + 1, json.at, room);
        len += room;
    }
    sqlite3_result_blob64(context, out, len, sqlite3_free);
}

/* --------------------------------------------------------------------------------------------------- registration */

static const struct function {
    const char *name;
    int arguments;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
    void (*step)(sqlite3_context *, int, sqlite3_value **);
    void (*end)(sqlite3_context *);
} list[] = {
    { "liga_like",    2, call_like,    NULL,     NULL },
    { "liga_ilike",   2, call_ilike,   NULL,     NULL },
    { "liga_regexp",  2, call_regexp,  NULL,     NULL },
    { "liga_iregexp", 2, call_iregexp, NULL,     NULL },
    { "liga_round",   2, call_round,   NULL,     NULL },
    { "liga_add",     4, call_add,     NULL,     NULL },
    { "liga_count",   4, call_count,   NULL,     NULL },
    { "liga_sum",     2, NULL,         step_sum, end_sum },
    { "liga_sum",     1, NULL,         step_sum, end_sum },
    { "liga_avg",     1, NULL,         step_sum, end_avg },
    { "liga_total",   1, NULL,         step_total, end_total },
    { "liga_mean",    1, NULL,         step_total, end_mean },
    { "liga_date",    1, call_date,    NULL,     NULL },
    { "liga_json",    -1, call_json,   NULL,     NULL },
    { "liga_json_text",     1, call_json_text,     NULL, NULL },
    { "liga_json_number",   1, call_json_number,   NULL, NULL },
    { "liga_json_bool",     1, call_json_bool,     NULL, NULL },
    { "liga_json_is",       2, call_json_is,       NULL, NULL },
    { "liga_json_contains", 2, call_json_contains, NULL, NULL },
    { "liga_json_overlaps", 2, call_json_overlaps, NULL, NULL },
    { "liga_json_order",    1, call_json_order,    NULL, NULL },
};

static int add_all(struct sqlite3 *db, struct sqlite_functions *functions) {
    int code = sqlite3_create_collation_v2(db, "liga_decimal", SQLITE_UTF8, NULL, collate_decimal, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof list / sizeof list[0]; i++)
        code = sqlite3_create_function_v2(db, list[i].name, list[i].arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                          functions, list[i].call, list[i].step, list[i].end, NULL);
    return code;
}

struct sqlite_functions *sqlite_functions_add(struct sqlite3 *db) {
    struct sqlite_functions *functions = calloc(1, sizeof *functions);
    if (!functions || add_all(db, functions) == SQLITE_OK) return functions;
    free(functions);
    return NULL;
}

void sqlite_functions_free(struct sqlite_functions *functions) {
    if (!functions) return;
    if (functions->letters) freelocale(functions->letters);
    free(functions);
}
