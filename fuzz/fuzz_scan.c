/* The SQL lexer on any bytes: tokens lie side by side to the end of the text, each is what it says, and reading is the
 * same wherever it begins. Besides, whatever the bytes are, quoted as a name or written as a literal they are one
 * token. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "fuzz.h"
#include "sql/render.h"
#include "sql/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* True if the token may look like this. */
static bool looks_right(const struct sql_scan *scan, enum sql_token token) {
    const char *text = scan->text + scan->start;
    switch (token) {
    case SQL_QUESTION:      return scan->size == 1 && text[0] == '?';
    case SQL_SEMICOLON:     return scan->size == 1 && text[0] == ';';
    case SQL_COLON_NAME:    return scan->size > 1 && text[0] == ':';
    case SQL_DOLLAR_NUMBER: return scan->size > 1 && text[0] == '$' && text[1] >= '0' && text[1] <= '9';
    case SQL_DOLLAR_NAME:   return scan->size > 1 && text[0] == '$';
    case SQL_UNFINISHED:    return scan->at == scan->len;
    default:                return scan->size > 0;
    }
}

static void read_all(const char *text, size_t len, bool postgres) {
    struct sql_scan scan = { .text = text, .len = len, .dollar_quotes = postgres };
    size_t end = 0;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END; end = scan.start + scan.size) {
        struct sql_scan again = { .text = text + scan.start, .len = len - scan.start, .dollar_quotes = postgres };
        MUST(scan.start == end && scan.at == scan.start + scan.size && scan.at <= len);
        MUST(looks_right(&scan, token));
        MUST(sql_next(&again) == token && again.size == scan.size);
    }
    MUST(end == len);
}

/* True if all of the written text is a single token. */
static bool is_one_token(const struct out *out) {
    struct sql_scan scan = { .text = out->buf.text,
                             .len = out->buf.len,
                             .dollar_quotes = out->dialect->mark == MARK_DOLLAR };
    return sql_next(&scan) == SQL_OTHER && scan.size == out->buf.len;
}

static void quote(struct arena *arena, const struct dialect *dialect, const char *text, size_t len) {
    struct error error = { 0 };
    struct out name, literal;
    out_init(&name, arena, dialect, &error);
    put_name(&name, arena_text(arena, text, len));
    MUST(is_one_token(&name));
    out_init(&literal, arena, dialect, &error);
    put_literal(&literal, value_text(text, len));
    MUST(is_one_token(&literal));
}

/* The text is read in memory of its very size, so that reading beyond its end is noticed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    char *text = malloc(size ? size : 1);
    if (size) memcpy(text, data, size);
    arena_init(&arena, fuzz_out_of_memory, NULL);
    read_all(text, size, false);
    read_all(text, size, true);
    quote(&arena, &dialect_sqlite, text, size);
    quote(&arena, &dialect_postgres, text, size);
    arena_free(&arena);
    free(text);
    return 0;
}
