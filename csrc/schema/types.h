/* The column types: names, parameters, which values they accept, how a stored cell reads.
 *
 * Three forms of a value: as the user gives it (any kind), logical (one kind per type, what an instance holds and what change
 * tracking compares), stored (what is bound; differs from logical for few types). */
#ifndef LIGA_SCHEMA_TYPES_H
#define LIGA_SCHEMA_TYPES_H

#include <stdbool.h>

#include "base/value.h"

struct arena;
struct error;

/* id, name in Lua, kind of the logical value */
#define TYPES(X)                            \
    X(STRING,   "STRING",   VALUE_TEXT)     \
    X(CHAR,     "CHAR",     VALUE_TEXT)     \
    X(TEXT,     "TEXT",     VALUE_TEXT)     \
    X(INTEGER,  "INTEGER",  VALUE_INT)      \
    X(BIGINT,   "BIGINT",   VALUE_INT)      \
    X(SMALLINT, "SMALLINT", VALUE_INT)      \
    X(FLOAT,    "FLOAT",    VALUE_REAL)     \
    X(DOUBLE,   "DOUBLE",   VALUE_REAL)     \
    X(REAL,     "REAL",     VALUE_REAL)     \
    X(DECIMAL,  "DECIMAL",  VALUE_TEXT)     \
    X(BOOLEAN,  "BOOLEAN",  VALUE_BOOL)     \
    X(DATE,     "DATE",     VALUE_TEXT)     \
    X(DATEONLY, "DATEONLY", VALUE_TEXT)     \
    X(TIME,     "TIME",     VALUE_TEXT)     \
    X(BLOB,     "BLOB",     VALUE_BLOB)     \
    X(UUID,     "UUID",     VALUE_TEXT)     \
    X(JSON,     "JSON",     VALUE_TEXT)     \
    X(JSONB,    "JSONB",    VALUE_TEXT)     \
    X(ENUM,     "ENUM",     VALUE_TEXT)     \
    X(ARRAY,    "ARRAY",    VALUE_TEXT)     \
    X(VIRTUAL,  "VIRTUAL",  VALUE_NULL)     \
    X(CITEXT,   "CITEXT",   VALUE_TEXT)     \
    X(INET,     "INET",     VALUE_TEXT)     \
    X(CIDR,     "CIDR",     VALUE_TEXT)     \
    X(MACADDR,  "MACADDR",  VALUE_TEXT)     \
    X(TSVECTOR, "TSVECTOR", VALUE_TEXT)     \
    X(RANGE,    "RANGE",    VALUE_TEXT)     \
    X(HSTORE,   "HSTORE",   VALUE_TEXT)

enum type_id {
#define X(id, name, kind) TYPE_##id,
    TYPES(X)
#undef X
    TYPE_COUNT
};

/* How an SQLite database holds a DATE. */
enum date_form { DATE_TEXT, DATE_SPACE, DATE_EPOCH, DATE_MIXED };

/* Characters in the column of a STRING without a length. */
enum { STRING_CHARACTERS = 255 };

/* A DECIMAL of more digits than this is held as text by SQLite (a double keeps 15). */
enum { DECIMAL_NUMERIC_DIGITS = 15 };

struct type {
    enum type_id id;
    int length;                         /* STRING(n), CHAR(n): characters; 0: no limit (CHAR: 1) */
    int precision, scale;               /* DECIMAL */
    bool nan;                           /* FLOAT …: NaN can be stored */
    bool single;                        /* REAL has 32 bits */
    bool as_number;                     /* DECIMAL: stored as a number where no column would make one of its text */
    enum date_form stored;              /* DATE on SQLite */
    const struct type *element;         /* ARRAY, RANGE */
    const char *const *values;          /* ENUM */
    int value_count;
    const char *enum_name;              /* ENUM on PostgreSQL: the type's own name */
    bool enum_kept;                     /* … which the user gave: others may have it, too, so that it is never dropped */
    const char *enum_shared;            /* … that of the key it refers to, which has to be the same type; or NULL */
};

/* True for a DECIMAL of more digits than a double keeps, or of any number of them. */
static inline bool type_is_long_decimal(const struct type *type) {
    return type->id == TYPE_DECIMAL && (type->precision == 0 || type->precision > DECIMAL_NUMERIC_DIGITS);
}

/* True if a text is stored and read back just as it is, whatever it says. */
static inline bool type_is_verbatim(const struct type *type) {
    return type->id == TYPE_STRING || type->id == TYPE_TEXT;
}

/* Digits of a DECIMAL after the point; DECIMAL_NATURAL without parameters: those that the number has. */
int type_scale(const struct type *type);

/* Row of the type table. */
struct type_info {
    const char *name;
    enum value_kind logical;
};
const struct type_info *type_info(enum type_id id);

/* True for numbers, whatever their logical form. */
bool type_is_number(const struct type *type);

/* The largest value of an integer type; its least one is -largest - 1. Other types: 0. */
int64_t type_most(enum type_id id);

/* The type of this name, or -1. */
int type_find(const char *name);

/* Writes "STRING(40)", "DECIMAL(10,2)" … for messages; the text belongs to the arena. */
const char *type_text(const struct type *type, struct arena *arena);

/* True where the value is a table in Lua and its logical form the JSON text of it. */
bool type_is_table(const struct type *type);
/* True for JSON itself: every value fits, and a text is one of JSON's. */
bool type_is_json(const struct type *type);

/* True where values can be greater and less than others, not only equal: not for documents, nor lists of them. */
bool type_has_order(const struct type *type);

/* True where the engine stores another text than it was given, which only it can tell: what was written is read back. */
bool type_is_rewritten(const struct type *type);

/* Turns what the user gave into the logical form, in place. NULL passes. False: the error is set (ValidationError, message
 * without the value, e.g. `expects an integer`; the caller adds model and attribute). Texts made live in the arena.
 * Tables come as finished JSON text; JSON passes. */
bool type_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error);

/* Whether the column that liga makes for the type has room for a logical value: more than 255 characters in a STRING without length
 * are nothing that could not be asked for, but can't be written. False: the error is set, as by type_accept. */
bool type_check_room(const struct value *value, struct arena *arena, struct error *error);
static inline bool type_has_room(const struct type *type, const struct value *value, struct arena *arena, struct error *error) {
    bool short_enough = type->id != TYPE_STRING || type->length || value->kind != VALUE_TEXT || value->len <= STRING_CHARACTERS;
    return short_enough || type_check_room(value, arena, error);
}

/* Cuts the instants in a logical value, in lists too, to the milliseconds that a column keeps; conditions compare more digits. */
void type_cut(const struct type *type, struct value *value, struct arena *arena);

/* Turns a logical value into what is stored: DATE forms of SQLite, PostgreSQL's own texts of arrays, ranges and hstores.
 * Everything else passes (booleans are bound as integers by the driver). */
void type_store(const struct type *type, struct value *value, struct arena *arena);

/* Turns a stored cell into the logical form, in place; never fails: what a foreign program wrote and no rule reads is left as it
 * is. Texts made live in `scratch`, at least until the next call with the same scratch, those of tables in the arena. `scratch` has
 * TYPE_SCRATCH bytes. */
enum { TYPE_SCRATCH = 512 };
void type_read(const struct type *type, struct value *cell, char *scratch, struct arena *arena);

/* True where type_read may do something: hydration skips the call for the others. */
bool type_reads(const struct type *type);

/* True where it may do something even to a cell of the logical kind. */
bool type_is_reread(const struct type *type);

#endif
