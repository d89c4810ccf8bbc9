/* A find as one select, and which column of its result belongs to which node. */
#ifndef LIGA_LOAD_PLAN_H
#define LIGA_LOAD_PLAN_H

#include "schema/assoc.h"
#include "sql/query.h"
#include "sql/render.h"

/* A column of the result. */
struct plan_column {
    const struct attr *attr;        /* decides how the cell is read; NULL: as the engine gives it */
    const char *name;               /* key in the instance */
    bool tracked;                   /* an attribute of the node's model: its original is kept */
    int settled;                    /* a cell of this kind reads as it is; -1: every cell goes through type_read */
    bool decoded;                   /* shown otherwise than stored: JSON, dates as numbers */
};

/* The instances of one model in a row of the result. Node 0 is the root; a child hangs on its parent under `property`. */
struct plan_node {
    const struct model *model;
    int parent;
    const char *property;
    int first, count;               /* its columns */
    int presence;                   /* column whose NULL means "no row here"; -1: always there */
    int children;
};

/* One statement and what its rows become. Everything lives in the arena it was made in. */
struct plan {
    struct select *select;
    struct plan_node *nodes;
    int node_count, node_size;
    struct plan_column *columns;
    int column_count, column_size;
    bool one;                       /* a single instance instead of a list */
    bool raw;                       /* plain tables */
    int next_alias;
};

/* Starts a plan whose root is `model` under alias t0, with no columns yet. */
struct plan *plan_new(struct arena *arena, const struct model *model);

/* Adds a node; its columns follow. */
int plan_node(struct arena *arena, struct plan *plan, const struct model *model, int parent, const char *property);

/* Adds a result column to the node that was added last: an attribute of the table `alias`, … */
void plan_attr(struct arena *arena, struct plan *plan, const struct attr *attr, int alias);
/* … all attributes of its model, … */
void plan_attrs(struct arena *arena, struct plan *plan, const struct model *model, int alias);
/* … or an expression under a name; `reads_as` (may be NULL) decides how its cells are read. */
void plan_expression(struct arena *arena, struct plan *plan, const struct expr *expr, const char *name,
                     const struct attr *reads_as);

/* The rows that an association leads to from one source row: restricts a select over the target (alias t0) to them, joining what
 * lies between. keys: values of the first hop's near attributes, logical form. Returns the alias of the junction, or -1. */
int plan_link(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct value *keys);

/* Association conditions over the target (scope and standing where), or NULL. */
const struct expr *assoc_condition(struct arena *arena, const struct assoc *assoc);

/* deletedAt IS NULL, over ALIAS_HERE; NULL for a model whose rows are never only marked as deleted. */
const struct expr *not_deleted(struct arena *arena, const struct model *model);

/* far[k] = keys[k] for every k, over ALIAS_HERE. */
struct expr *keys_are(struct arena *arena, struct attr_list attrs, const struct value *keys);

/* SELECT count(*): of the rows of `select`; wrapped in a subquery where it is grouped, distinct or limited. */
struct select *plan_count(struct arena *arena, const struct select *select);

#endif
