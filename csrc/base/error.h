/* A code and a sentence; the first one stays. The fields are those of the Lua error object. */
#ifndef LIGA_BASE_ERROR_H
#define LIGA_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/value.h"

struct arena;

#define ERRORS(X)                                   \
    X(NONE, "")                                     \
    X(USAGE, "UsageError")                          \
    X(VALIDATION, "ValidationError")                \
    X(UNIQUE, "UniqueConstraintError")              \
    X(FOREIGN_KEY, "ForeignKeyConstraintError")     \
    X(NOT_NULL, "NotNullConstraintError")           \
    X(CHECK, "CheckConstraintError")                \
    X(EXCLUSION, "ExclusionConstraintError")        \
    X(DATABASE, "DatabaseError")                    \
    X(CONNECTION, "ConnectionError")                \
    X(TIMEOUT, "TimeoutError")                      \
    X(SERIALIZATION, "SerializationError")          \
    X(ASSOCIATION, "AssociationError")              \
    X(EAGER_LOADING, "EagerLoadingError")           \
    X(INSTANCE, "InstanceError")                    \
    X(OPTIMISTIC_LOCK, "OptimisticLockError")       \
    X(EMPTY_RESULT, "EmptyResultError")

enum error_code {
#define X(id, name) ERROR_##id,
    ERRORS(X)
#undef X
    ERROR_CODES
};

/* What became of the write. */
enum outcome { OUTCOME_NONE, OUTCOME_ROLLED_BACK, OUTCOME_COMMITTED, OUTCOME_UNKNOWN };

enum { ERROR_COLUMNS = 16 };

/* All texts belong to the arena given to error_set, or are constants; NULL where a field says nothing. */
struct error {
    enum error_code code;
    const char *message;
    const char *model, *table, *constraint, *path, *sql;
    const char *table_schema;           /* PostgreSQL: of a constraint */
    const char *sqlstate;               /* PostgreSQL */
    int native;                         /* SQLite's extended result code, 0: none */
    const char *columns[ERROR_COLUMNS]; /* of a constraint: column names as the engine says them */
    int column_count;
    const char *attribute;
    struct value value;                 /* the offending value; never part of the message */
    bool has_value, retryable;
    bool stale;                         /* the prepared statement is not what the server thinks it is: prepared anew it may do */
    enum outcome outcome;
};

/* Sets code and message unless an earlier error is there; always returns false, so that `return error_set(…)` reads well. */
bool error_set(struct error *error, struct arena *arena, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool error_vset(struct error *error, struct arena *arena, enum error_code code, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

/* Puts … where the message quotes the value: what engines say about values that were bound. */
void error_hide(struct error *error, struct arena *arena, const char *value, size_t len);

void error_clear(struct error *error);

/* "UsageError", … */
const char *error_name(enum error_code code);

/* "none", "rolled_back", "committed", "unknown" */
const char *outcome_name(enum outcome outcome);

static inline bool error_is_set(const struct error *error) {
    return error->code != ERROR_NONE;
}

#endif
