/* A find as selects, and which column of their results belongs to which node.
 *
 * A plan is one statement. What to-many associations lead to is read by statements of their own, one for each: the steps that
 * hang on a plan's nodes, each with a plan of its own. A step asks for the rows of all its parents at once, by their keys. Where it
 * is asked for, one of them is joined instead (plan_fan.c): then a parent comes with each of its children. */
#ifndef LIGA_LOAD_PLAN_H
#define LIGA_LOAD_PLAN_H

#include "load/walk.h"
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
    const struct assoc *assoc;      /* that leads here from the parent, or NULL */
    int alias;                      /* of its table */
    int first, count;               /* its columns */
    int presence;                   /* column whose NULL means "no row here"; -1: always there */
    int children;                   /* properties besides its columns */
    int *identity;                  /* columns of a key: rows of equal key are one instance; NULL: each row is one */
    int identity_parts;
    bool many;                      /* it hangs on its parent in a list: its join multiplies the parent's rows */
    int include;                    /* place of the options that asked for it, 0: none */
};

struct plan;

/* The rows that an association leads to from all instances of a node, by a statement of its own. */
struct plan_step {
    struct plan_step *next;
    int number;                     /* from 0, through all steps of a call */
    int node;                       /* of the plan above */
    const struct assoc *assoc;
    const char *property;
    bool many;
    struct attr_list near;          /* the parents' key: of these attributes, … */
    const int *near_columns;        /* … in these columns of the plan above (NULL: read from the instances themselves) */
    struct attr_list far;           /* the same key in the rows that are read, … */
    const int *far_columns;         /* … in these columns of `plan` */
    struct expr *keys;              /* EXPR_KEYS in the select: the parents' keys are set before it is rendered */
    struct plan *plan;
    int junction;                   /* alias of the junction, or -1 */
    int source;                     /* alias of the table that `far` is of; -1: they are fields of the subquery `fields` */
    int fields;
    int64_t limit, offset;          /* of each parent, cut while rows are read; -1: none */
    bool cut;                       /* there is a limit or offset of each parent, whoever cuts */
    const char *chain;              /* its parents are named by a subquery in place of keys, by this text of the dialect: it is sent
                                     * together with their step; NULL: it waits for their keys */
    int include;                    /* place of the options that asked for it, 0: none */
    const char *reason;             /* why it is a statement of its own, for explain */
};

/* What reading an association that is not loaded does: nothing, loads it for all instances that were read together, raises. */
enum lazy { LAZY_UNSET, LAZY_OFF, LAZY_BATCH, LAZY_RAISE };

/* One statement and what its rows become. Everything lives in the arena it was made in. */
struct plan {
    struct select *select;
    struct plan_node *nodes;
    int node_count, node_size;
    struct plan_column *columns;
    int column_count, column_size;
    bool one;                       /* a single instance instead of a list */
    bool raw;                       /* plain tables */
    enum lazy lazy;                 /* of all its nodes; unset: as their models say */
    const struct model *unit;       /* whose key tells the rows of the root apart: its model, or the junction's … */
    int unit_alias;                 /* … and its table */
    int fan;                        /* the innermost node that is `many`, 0: none; they hang on one another */
    struct order_term *fan_order;   /* the order of their rows, which follows that of the root's */
    int next_alias;
    struct plan_step *steps;        /* of its nodes */
};

/* Starts a plan whose root is `model` under alias t0, with no columns yet. */
struct plan *plan_new(struct arena *arena, const struct model *model);

/* Adds a node; its columns follow. */
int plan_node(struct arena *arena, struct plan *plan, const struct model *model, int parent, const char *property);

/* Adds a result column to the node that was added last: an attribute of the table `alias`, … */
void plan_attr(struct arena *arena, struct plan *plan, const struct attr *attr, int alias);
/* … all attributes of its model (allocates in the schema's arena, too), … */
void plan_attrs(struct arena *arena, struct plan *plan, const struct model *model, int alias);
/* … or an expression under a name; `reads_as` (may be NULL) decides how its cells are read. */
void plan_expression(struct arena *arena, struct plan *plan, const struct expr *expr, const char *name,
                     const struct attr *reads_as);

/* The column of an attribute of the table `alias` that belongs to the node: one of the node's own, else one more at the end of the
 * result, which no instance shows. */
int plan_hidden(struct arena *arena, struct plan *plan, int node, const struct attr *attr, int alias);

/* The same in a SELECT that groups: NULL where no row of the group has a value. */
int plan_hidden_of_group(struct arena *arena, struct plan *plan, const struct attr *attr, int alias);

/* Puts the node's key into the result, so that rows of equal key become one instance. A model without key: no change. */
void plan_identity(struct arena *arena, struct plan *plan, int node);

/* Puts the key of the table `alias`, by which the node's rows are told apart, into the result. */
void plan_identity_of(struct arena *arena, struct plan *plan, int node, const struct model *model, int alias);

/* ---- plan_fan.c */

/* Why rows of `assoc` can't be joined to the node's though its parents are many times there then; NULL: they can. */
const char *plan_fan_hindrance(const struct plan *plan, int node, const struct assoc *assoc);

/* The node, whose columns are there, is one of many: `join` brings it. Everything above it gets its identity. */
void plan_fan(struct arena *arena, struct plan *plan, int node, struct join *join);

/* The order of the fan's rows: what the select is ordered by at the moment, over the join's tables, in place of `before`, which the
 * select gets back. */
void plan_fan_order(struct arena *arena, struct plan *plan, int node, const struct join *join, const struct order_term *before);

/* Ends a plan that may have a fan: its order, and a limit that counts the root's rows. */
void plan_fan_finish(struct arena *arena, struct plan *plan);

/* ---- plan.c */

/* The rows that an association leads to from one source row: restricts a select over the target (alias t0) to them, joining what
 * lies between. keys: values of the first hop's near attributes, logical form. Returns the alias of the junction, or -1. */
int plan_link(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct value *keys);

/* Begins a step of a node (its table is `alias` in the plan): its own plan reads the target as t0, without columns yet. With `on`
 * (may be NULL; over the aliases step->source of the parent's table and 0 of the target) it takes the place of the keys. */
struct plan_step *plan_step(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc);
struct plan_step *plan_step_on(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc);
void plan_step_set_on(struct plan_step *step, const struct expr *on);

/* A step whose rows are cut for each parent by the engine: its select starts at the parents' keys (step->source), and
 * `plan_step_cut`
 * joins to each of them the rows that a subquery picks. */
struct plan_step *plan_step_limited(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc);

/* rows: over the tables from step->source on, with order and limit; `unit`: the model of its rows (the target, or the
 * junction, which
 * is joined to the target) and its alias there. lateral: the engine has LATERAL; else the unit's key is looked up. */
void plan_step_cut(struct arena *arena, struct plan_step *step, struct select *rows, int unit, bool lateral);

/* How the steps of a plan whose rows `above` reads (NULL: the call's own plan) are sent together with it: where several statements
 * travel at once and all its rows become parents; NULL: they are not. */
const char *plan_chain(const struct plan_step *above, const struct dialect *dialect);

/* True if the engine can cut: the parents are rows of a table, and what is picked has a key. */
bool plan_can_cut(const struct assoc *assoc);

/* Ends it: the result gets the columns that tell the parent, and the order is completed by the key. `parent` NULL: the parents
 * are instances that exist. */
void plan_step_finish(struct arena *arena, struct plan_step *step, struct plan *parent);

/* Appends the key of the table `alias` to the select's order, so that rows have one order only. */
void plan_order_by_key(struct arena *arena, struct select *select, const struct model *model, int alias);

/* SELECT count(*): of the rows of `select`; wrapped in a subquery where it is grouped, distinct or limited. */
struct select *plan_count(struct arena *arena, const struct select *select);

#endif
