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

/* Letters and their case as in UTF-8 locales, or where there is none as in ASCII; 0: out of memory. */
static locale_t get_letters(struct sqlite_functions *functions) {
    static const char *const names[] = { "C.UTF-8", "C.utf8", "en_US.UTF-8", "C" };
    for (size_t i = 0; !functions->letters && i < sizeof names / sizeof names[0]; i++)
        functions->letters = newlocale(LC_CTYPE_MASK, names[i], (locale_t)0);
    return functions->letters;
}

static struct regexp *make_regexp(sqlite3_context *context, sqlite3_value *value, bool fold) {
    locale_t letters = get_letters(sqlite3_user_data(context));
    struct text pattern;
    if (!read_text(context, value, &pattern)) return NULL;
    const char *fault = NULL;
    struct regexp *regexp = letters ? regexp_new(pattern.at, text_len(pattern), fold, letters, &fault) : NULL;
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
    if (scale < 0) return 0;
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

/* liga_add(a, b, scale, precision): exact; precision 0: as many digits as it takes. */
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
    bool some, failed;
    int scale;
};

static void step_sum(sqlite3_context *context, int count, sqlite3_value **args) {
    (void)count;
    struct text number;
    char scratch[REAL_TEXT];
    if (!read_number(context, args[0], &number, scratch)) return;
    struct sum_state *state = sqlite3_aggregate_context(context, (int)sizeof *state);
    if (!state) {
        sqlite3_result_error_nomem(context);
        return;
    }
    state->some = true;
    state->scale = read_scale(args[1]);
    state->failed |= !sum_add(&state->sum, number);
}

static void end_sum(sqlite3_context *context) {
    struct sum_state *state = sqlite3_aggregate_context(context, 0);
    char out[DECIMAL_TEXT];
    if (!state || !state->some) return;
    give_decimal(context, out, state->failed ? 0 : decimal_sum_text(&state->sum, state->scale, out, sizeof out));
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
    case SQLITE_INTEGER: len = datetime_from_integer(sqlite3_value_int64(args[0]), &micros) ? datetime_write(micros, out) : 0; break;
    case SQLITE_FLOAT:   len = datetime_from_real(sqlite3_value_double(args[0]), &micros) ? datetime_write(micros, out) : 0; break;
    case SQLITE_TEXT:
        len = datetime_canonical((const char *)sqlite3_value_text(args[0]), (size_t)sqlite3_value_bytes(args[0]), out);
        break;
    default: break;
    }
    if (len) sqlite3_result_text(context, out, (int)len, SQLITE_TRANSIENT);
    else sqlite3_result_value(context, args[0]);
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
    { "liga_date",    1, call_date,    NULL,     NULL },
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
