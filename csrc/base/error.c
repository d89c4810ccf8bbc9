#include "base/error.h"

#include <string.h>

#include "base/arena.h"

static const char *const names[ERROR_CODES] = {
#define X(id, name) [ERROR_##id] = name,
    ERRORS(X)
#undef X
};

static const char *const outcomes[] = {
    [OUTCOME_NONE] = "none",
    [OUTCOME_ROLLED_BACK] = "rolled_back",
    [OUTCOME_COMMITTED] = "committed",
    [OUTCOME_UNKNOWN] = "unknown",
};

bool error_vset(struct error *error, struct arena *arena, enum error_code code, const char *format, va_list args) {
    if (error_is_set(error)) return false;
    error->message = arena_vprintf(arena, format, args);
    error->code = code;
    return false;
}

bool error_set(struct error *error, struct arena *arena, enum error_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_vset(error, arena, code, format, args);
    va_end(args);
    return false;
}

static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static bool begins_with(const char *at, const char *text, size_t len) {
    size_t i = 0;
    while (i < len && at[i] && lower(at[i]) == lower(text[i])) i++;
    return i == len;
}

/* The text in any case: an engine that takes a value for a name shows it in small letters. */
static const char *find_text(const char *in, const char *text, size_t len) {
    for (; *in; in++)
        if (begins_with(in, text, len)) return in;
    return NULL;
}

void error_hide(struct error *error, struct arena *arena, const char *value, size_t len) {
    if (!len || len > strlen(error->message)) return;
    const char *at = error->message;
    while ((at = find_text(at, value, len))) {
        size_t before = (size_t)(at - error->message);
        bool quoted = before && strchr("\"'", at[-1]) && at[len] == at[-1];
        if (quoted) error->message = arena_printf(arena, "%.*s…%s", (int)before, error->message, at + len);
        at = error->message + before + (quoted ? strlen("…") : 1);
    }
}

void error_clear(struct error *error) {
    *error = (struct error){ .code = ERROR_NONE };
}

const char *error_name(enum error_code code) {
    return names[code];
}

const char *outcome_name(enum outcome outcome) {
    return outcomes[outcome];
}
