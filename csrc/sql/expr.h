/* Expression trees: made in an arena, children as first/next. One walk exists, rendering. */
#ifndef LIGA_SQL_EXPR_H
#define LIGA_SQL_EXPR_H

#include <stdbool.h>

#include "base/value.h"
#include "schema/model.h"
#include "sql/operators.h"

struct arena;
struct select;

enum expr_kind {
    EXPR_COLUMN,        /* attr of the table `alias`; ALIAS_HERE: of the table in whose scope the expression is used */
    EXPR_NAME,          /* a result column by its alias name: text; attr: what it is read as, or NULL */
    EXPR_FIELD,         /* the column `text` of the subquery `alias` */
    EXPR_PARAM,         /* value, in stored form */
    EXPR_OPERATOR,      /* op over first, first->next, … */
    EXPR_LIST,          /* op IN or NOT_IN: first is the operand, values the list */
    EXPR_AND, EXPR_OR,  /* children; none: true, false */
    EXPR_NOT,           /* first */
    EXPR_CONST,         /* value.as.boolean */
    EXPR_FUNCTION,      /* text is the name, children the arguments; attr: as whose values it compares and is read, or NULL */
    EXPR_CAST,          /* first AS text */
    EXPR_RAW,           /* pieces[0] first pieces[1] first->next … pieces[n]; the user's own SQL */
    EXPR_STAR,
    EXPR_AT,            /* first, with ALIAS_HERE meaning `alias` */
    EXPR_EXISTS,        /* select */
    EXPR_SELECT,        /* (select) as a value, or right of IN: first IN (select) when first is there */
    EXPR_EXCLUDED,      /* attr of the row an upsert proposed */
    EXPR_STANDING,      /* … of the row that stood in its way */
    EXPR_KEYS,          /* attrs: (a, b) is one of the tuples in values, row after row */
    EXPR_JSON,          /* what the JSON document `first` holds at the path in values: texts name members, integers elements from 0 */
    EXPR_TEMPLATE,      /* text of the dialect with \1 \2 \3 for the children */
    EXPR_PLACE          /* the place of first among the values of the ENUM attr */
};

/* ALIAS_LINK stands in a standing order only, for the junction through which the rows are read: see order_of_links. */
enum { ALIAS_HERE = -1, ALIAS_LINK = -2 };

struct expr {
    enum expr_kind kind;
    enum op op;
    int alias;
    const struct attr *attr;
    struct value value;
    const char *text;
    const char *const *pieces;
    struct expr *first, *next;
    struct expr *last;          /* child that expr_push added last, or NULL */
    const struct value *values;
    int value_count;
    struct attr_list attrs;
    const struct select *select;
    const char *collation;      /* of an operand, or NULL */
};

/* Nodes, made in the arena. Children that are not const become part of the node (their `next` is set); arrays of values stay
 * the caller's and must live as long. */
struct expr *expr_new(struct arena *arena, enum expr_kind kind);
struct expr *expr_column(struct arena *arena, const struct attr *attr, int alias);
/* attr of one of the rows that an upsert is about: EXPR_EXCLUDED, EXPR_STANDING */
struct expr *expr_of_upsert(struct arena *arena, enum expr_kind kind, const struct attr *attr);
/* number + 1 */
struct expr *expr_raised(struct arena *arena, struct expr *number);
struct expr *expr_param(struct arena *arena, struct value value);
/* SQL of liga's own, as it is; the text must live as long. */
struct expr *expr_text(struct arena *arena, const char *text);
struct expr *expr_field(struct arena *arena, int alias, const char *name);
/* (a, b) of the table `alias`; a single attribute is its column. */
struct expr *expr_tuple(struct arena *arena, struct attr_list attrs, int alias);
struct expr *expr_exists(struct arena *arena, const struct select *select);
/* left IN (select) */
struct expr *expr_in_select(struct arena *arena, struct expr *left, const struct select *select);
struct expr *expr_const(struct arena *arena, bool boolean);
struct expr *expr_operator(struct arena *arena, enum op op, struct expr *left, struct expr *right);
struct expr *expr_list(struct arena *arena, enum op op, struct expr *left, const struct value *values, int count);
struct expr *expr_not(struct arena *arena, struct expr *child);
struct expr *expr_at(struct arena *arena, int alias, const struct expr *child);
struct expr *expr_template(struct arena *arena, const char *text, struct expr *left, struct expr *right);
struct expr *expr_keys(struct arena *arena, struct attr_list attrs, const struct value *values, int tuples);

/* True for one value at a path of one document, in whatever form; *json becomes the path. */
bool expr_is_json(const struct expr *expr, const struct expr **json);

/* attr = value over the table ALIAS_HERE, the value in logical form; NULL becomes IS NULL. */
struct expr *expr_attr_is(struct arena *arena, const struct attr *attr, struct value logical);

/* An empty group of the kind, EXPR_AND or EXPR_OR; expr_push appends a child, wrapped, so that it may stand in several groups.
 * NULL children are left out. */
struct expr *expr_group(struct arena *arena, enum expr_kind kind);
void expr_push(struct arena *arena, struct expr *group, const struct expr *child);

/* a AND b; either may be NULL. */
const struct expr *expr_and(struct arena *arena, const struct expr *a, const struct expr *b);

#endif
