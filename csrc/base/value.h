/* One SQL value; its text belongs to an arena (on the way in) or to the current row (on the way out). */
#ifndef LIGA_BASE_VALUE_H
#define LIGA_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* VALUE_LIST is a parameter only, never a cell. */
enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB, VALUE_LIST };

enum { VALUE_KINDS = VALUE_LIST + 1 };

/* What the text of a statement says of a list that is its parameter: nothing (the other operand decides), or that it is cast,
 * from texts at worst; then its elements may be texts, and instants as canonical texts. */
enum list_elements { LIST_INFERRED, LIST_CAST, LIST_CAST_INSTANTS };

struct value {
    enum value_kind kind;
    enum list_elements elements;    /* of a list */
    size_t len;                 /* of text and blob, in bytes; of a list, its elements */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;       /* text and blob; never NULL for these kinds */
        const struct value *items;
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

static inline struct value value_list(const struct value *items, size_t count) {
    return (struct value){ .kind = VALUE_LIST, .len = count, .as.items = items };
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
    case VALUE_LIST: break;
    }
    return false;
}

/* True if one of them is NULL: a key that refers to nothing. */
static inline bool values_have_null(const struct value *values, int count) {
    for (int i = 0; i < count; i++)
        if (values[i].kind == VALUE_NULL) return true;
    return false;
}

#endif
