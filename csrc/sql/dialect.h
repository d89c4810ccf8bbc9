/* What differs between engines, as data. A new engine is one designated initialiser. */
#ifndef LIGA_SQL_DIALECT_H
#define LIGA_SQL_DIALECT_H

#include <stdbool.h>

#include "schema/types.h"
#include "sql/operators.h"

/* How the value at a path of a JSON document is looked at. */
enum json_form {
    JSON_AS_VALUE,      /* as it is; NULL for JSON's null */
    JSON_AS_ORDER,      /* to order by */
    JSON_AS_TEXT, JSON_AS_NUMBER, JSON_AS_BOOL,     /* NULL where it is of another kind */
    JSON_FORMS
};

/* Comparisons of two documents, the right one a JSON text. */
enum json_test { JSON_IS, JSON_IS_NOT, JSON_CONTAINS, JSON_CONTAINED, JSON_OVERLAPS, JSON_TESTS };

/* The text of a path: open document, then each leg between its two, close. */
struct json_path_text {
    const char *open, *document, *name[2], *index[2], *close;
};

/* Rows that are read to be written. */
enum lock { LOCK_NONE, LOCK_UPDATE, LOCK_SHARE, LOCK_NO_KEY_UPDATE, LOCK_KEY_SHARE, LOCKS };

enum begin_mode { BEGIN_DEFAULT, BEGIN_DEFERRED, BEGIN_IMMEDIATE, BEGIN_EXCLUSIVE,
                  BEGIN_SNAPSHOT,       /* reads only, all of one moment */
                  BEGIN_MODES };

struct dialect {
    const char *name;
    enum { MARK_QUESTION, MARK_DOLLAR } mark;
    bool cross_join_order;          /* CROSS JOIN keeps the order of the tables */
    bool forward_references;        /* CREATE TABLE may reference a table that comes later */
    bool lock_clause;               /* SELECT … FOR UPDATE */
    bool schemas;
    bool errors_abort;              /* an error aborts the transaction it happens in */
    bool one_writer;                /* a transaction that writes keeps others from it */
    bool returns_keys;              /* generated keys come back by RETURNING only */
    bool array_lists;               /* lists travel as arrays, not as JSON */
    bool nan;                       /* floats can be NaN */
    bool single_reals;              /* REAL has 32 bits */
    bool date_forms;                /* instants have no type of their own: DATE{stored =} says in which form they are held */
    bool isolation;                 /* BEGIN says isolation, access and deferrable */
    bool nulls_smallest;            /* without NULLS FIRST/LAST, NULL sorts before everything */
    const char *differs;            /* a is another value than b, NULL being one: the operator */
    const char *json_differs;       /* JSON has no equality: the type that it is compared as, or NULL */
    bool real_words;                /* NaN and infinities are written as words, else as numbers too large */
    bool dollar_quotes;             /* its SQL has $tag$ … $tag$, E'\'' and nested comments */
    bool offset_needs_limit;        /* OFFSET stands behind a LIMIT only, where -1 is none */
    const char *blob_open;          /* what begins bytes that are written out in hexadecimal */
    bool decimal_text;              /* long DECIMALs are text and need the collation */
    bool inline_auto_key;           /* the generated key says PRIMARY KEY in its column */
    int bulk_rows;                  /* rows of one INSERT, beyond which nothing is gained */
    int tuple_values;               /* lists of tuples with more values than this are sent as one JSON array */
    int in_list_limit;              /* longer IN lists are sent as one JSON array; 0: never as single marks */
    const char *type[TYPE_COUNT];   /* column types; NULL: not supported. %l length, %p precision, %s scale */
    const char *element[TYPE_COUNT];/* the type without its parameters, as an array has it; NULL: type up to its parenthesis */
    const char *range[TYPE_COUNT];  /* RANGE by the type of its bounds */
    const char *extension[TYPE_COUNT];          /* what has to be installed for the type */
    bool enum_types;                /* an ENUM is a type of its own, made before the table */
    bool comments;                  /* COMMENT ON */
    const char *pattern_cast;       /* what is compared with a pattern has to be of this type; NULL: anything can */
    const char *pattern_text[TYPE_COUNT];       /* … by type, where the engine's own text of \1 is another than that which is read;
                                                 * \2: digits after the point */
    const char *decimal_long;       /* DECIMAL beyond DECIMAL_NUMERIC_DIGITS; NULL: type[TYPE_DECIMAL] */
    const char *op[OP_COUNT];       /* NULL: the text in operators.h */
    const char *auto_key;           /* column definition of a generated key */
    const char *in_array;           /* \1 IN the JSON array \2 */
    const char *not_in_array;
    const char *in_select;          /* \1 is one of what the select \2 gives, which is run once; NULL: steps are not chained */
    const char *tuple_part;         /* part %d of a tuple out of the JSON array; NULL: tuples are sent otherwise */
    const char *add[VALUE_KINDS];   /* by logical kind: the beginning of a call that adds; NULL: the engine's + */
    const char *const *any_functions;   /* functions whose arguments may have any type, NULL behind the last; NULL: of no concern */
    const char *value_cast[VALUE_KINDS];/* … and what gives a parameter its type there, by kind of value */
    const char *least[TYPE_COUNT], *greatest[TYPE_COUNT];   /* min, max of \1 by type; NULL: the functions of these names */
    const char *real_cast;          /* the type that makes an average a float; NULL: it is one */
    const char *bigint_cast;        /* the type that makes a sum of BIGINTs an integer; NULL: it is one */
    const char *bigint_sum, *bigint_avg;    /* functions that add them up exactly; NULL: the engine's do */
    const char *no_values;          /* INSERT without columns */
    const char *truncate;           /* how a table is emptied; the table's name follows */
    const char *truncate_restart;   /* … and its keys begin anew; NULL: the table `sequences` says where they are */
    const char *truncate_cascade;   /* … and what refers to it, too; NULL: these tables are emptied one by one */
    const char *sequences;          /* (name, seq) of the generated keys, or NULL */
    const char *ask_triggers;       /* gives a row if inserting into the table of this name may do more than that; NULL: of no concern */
    const char *ask_rewrites;       /* … if it may store something else than is sent, in one of these columns; NULL: of no concern */
    struct json_path_text json_path;
    const char *json_form[JSON_FORMS];          /* of the path \1 */
    const char *json_operand[JSON_FORMS];       /* of the parameter \1 that is compared with that form */
    const char *json_test[JSON_TESTS];          /* of \1 and \2 */
    const char *decimal_collation;
    const char *lateral;            /* before a joined subquery that looks at the tables left of it; NULL: there is none */
    const char *lock[LOCKS];
    const char *begin[BEGIN_MODES];
};

/* True for an ENUM whose values the engine would compare as the texts they are. */
static inline bool enum_is_text(const struct dialect *dialect, const struct type *type) {
    return type->id == TYPE_ENUM && !(dialect->enum_types && type->enum_name);
}

extern const struct dialect dialect_sqlite;
extern const struct dialect dialect_postgres;

#endif
