/* The four statements as structs; the writers in render_statement.c follow these fields. */
#ifndef LIGA_SQL_QUERY_H
#define LIGA_SQL_QUERY_H

#include <stdbool.h>

#include "sql/dialect.h"
#include "sql/expr.h"

enum join_kind { JOIN_INNER, JOIN_LEFT, JOIN_CROSS };   /* CROSS: SQLite keeps the order of the tables */

struct assoc;

struct join {
    struct join *next;
    enum join_kind kind;
    const struct model *model;
    const struct select *from_select;   /* a subquery in place of the model; SQL's LATERAL where the dialect has it */
    int alias;
    const struct expr *on;
    struct join *inside;                /* LEFT JOIN (model INNER JOIN these) ON … */
    /* What the join stands for, so that paths find it again: the rows of an association of the table `near`, all of them. */
    const struct assoc *assoc;
    int near, target;
    bool fan;                           /* several of its rows for one on the left */
};

struct output {                     /* a result column */
    struct output *next;
    const struct expr *expr;
    const char *name;               /* AS name, or NULL */
};

enum nulls { NULLS_LARGEST, NULLS_FIRST, NULLS_LAST };

struct order_term {
    struct order_term *next;
    const struct expr *expr;
    bool descending, never_null;
    enum nulls nulls;
};

struct select {
    const struct model *from;           /* NULL, and no subquery either: no FROM */
    int alias;
    int here;                           /* the alias that ALIAS_HERE means in its expressions */
    const struct select *from_select;   /* a subquery in place of the model */
    struct join *joins;
    struct output *outputs;             /* none: every attribute of `from` by ordinal */
    const struct expr *where, *having;
    struct output *group;
    const struct order_term *order;
    int64_t limit, offset;              /* -1: none */
    bool distinct, qualified, skip_locked;
    enum lock lock;
};

struct assignment {
    struct assignment *next;
    const struct attr *attr;
    const struct expr *expr;
};

enum conflict { CONFLICT_ERROR, CONFLICT_NOTHING, CONFLICT_UPDATE };

struct insert {
    const struct model *into;
    const struct attr *const *attrs;    /* columns */
    int attr_count;
    const struct expr *const *cells;    /* rows × attrs; a NULL cell: DEFAULT (one row only) */
    const struct value *values;         /* instead of cells: rows × attrs in stored form */
    int rows;
    bool by_column;                     /* values: attrs × rows; each column travels as one array */
    const struct select *select;        /* rows from a query instead of cells */
    enum conflict conflict;
    struct attr_list target;            /* conflict target, may be empty */
    const struct expr *target_where;    /* of a partial unique index, or NULL */
    struct assignment *update;          /* CONFLICT_UPDATE */
    const struct expr *update_where;
    struct output *returning;
};

/* aliased: the table is t0, and columns say so: subqueries of the condition look at it. */
struct update {
    const struct model *model;
    struct assignment *set;
    const struct expr *where;
    bool aliased;
    struct output *returning;
};

struct delete {
    const struct model *from;
    const struct expr *where;
    bool aliased;
    struct output *returning;
};

/* Structs and list entries, made in the arena; entries are appended, and returned to be completed. */
struct select *select_new(struct arena *arena, const struct model *from, int alias);
struct join *select_join(struct arena *arena, struct select *select, enum join_kind kind, const struct model *model, int alias,
                         const struct expr *on);
/* A join entry that is put at the end of any list. */
struct join *join_add(struct arena *arena, struct join **list, enum join_kind kind, const struct model *model, int alias,
                      const struct expr *on);
/* AND-s a condition (NULL: none) to what is there. */
void select_where(struct arena *arena, struct select *select, const struct expr *condition);
struct output *output_add(struct arena *arena, struct output **list, const struct expr *expr, const char *name);
struct order_term *order_add(struct arena *arena, struct order_term **list, const struct expr *expr);
/* A copy of the list, to be changed. */
struct order_term *order_copy(struct arena *arena, const struct order_term *order);
/* The same order, ALIAS_LINK being the table `link`: the list itself where it does not speak of that. */
const struct order_term *order_of_links(struct arena *arena, const struct order_term *order, int link);
struct assignment *assign(struct arena *arena, struct assignment **list, const struct attr *attr, const struct expr *expr);

#endif
