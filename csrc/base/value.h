/* One SQL value; its text belongs to an arena (on the way in) or to the current row (on the way out). */
#ifndef LIGA_BASE_VALUE_H
#define LIGA_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };

enum { VALUE_KINDS = VALUE_BLOB + 1 };

struct value {
    enum value_kind kind;
    size_t len;                 /* of text and blob, in bytes */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;       /* text and blob; never NULL for these kinds */
    } as;
};

static inline struct value value_null(void) {
    return (struct value){ .kind = VALUE_NULL };
}

static inline struct value value_bool(bool boolean) {
    return (struct value){ .kind = VALUE_BOOL, .as.boolean = boolean };
}

static inline struct value value_int(int64_t integer) {
    return (struct value){ .kind = VALUE_INT, .as.integer = integer };
}

static inline struct value value_real(double real) {
    return (struct value){ .kind = VALUE_REAL, .as.real = real };
}

static inline struct value value_text(const char *text, size_t len) {
    return (struct value){ .kind = VALUE_TEXT, .len = len, .as.text = text };
}

static inline struct value value_blob(const char *bytes, size_t len) {
    return (struct value){ .kind = VALUE_BLOB, .len = len, .as.text = bytes };
}

/* Same kind and same content (a real NaN equals itself here: it is the same stored value). */
static inline bool value_equal(struct value a, struct value b) {
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a.as.boolean == b.as.boolean;
    case VALUE_INT:  return a.as.integer == b.as.integer;
    case VALUE_REAL: return memcmp(&a.as.real, &b.as.real, sizeof a.as.real) == 0 || a.as.real == b.as.real;
    case VALUE_TEXT:
    case VALUE_BLOB: return a.len == b.len && memcmp(a.as.text, b.as.text, a.len) == 0;
    }
    return false;
}

#endif
