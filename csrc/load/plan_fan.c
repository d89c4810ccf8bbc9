/* To-many associations that are joined, because the caller says so: `strategy = "join"`.
 *
 * A row of the result then is a row of the innermost of them, with the rows above it repeated: each node is built once for its key.
 * Fans hang on one another (users, their posts, these posts' comments); two side by side would give every pair of their rows. The
 * root's rows come one after the other by its own order and key, then those of the fans, each by theirs. */
#include "load/plan.h"

#include <string.h>

#include "base/arena.h"

static bool descends(const struct plan *plan, int node, int from) {
    while (node > from) node = plan->nodes[node].parent;
    return node == from;
}

static bool has_identity(const struct plan *plan, int node) {
    if (node == 0) return plan->unit->key.count > 0;
    return plan->nodes[node].identity && has_identity(plan, plan->nodes[node].parent);
}

const char *plan_fan_hindrance(const struct plan *plan, int node, const struct assoc *assoc) {
    const struct select *select = plan->select;
    const struct hop *first = &assoc->hops[0];
    if (assoc->kind->path) return "a path of associations finds its pairs first";
    if (!first->next->key.count || !assoc->target->key.count) return "rows without a key can't be told apart";
    if (!has_identity(plan, node)) return "parents without a key can't be told apart";
    if (select->group || select->distinct) return "the statement above is grouped or distinct";
    if (select->lock != LOCK_NONE) return "rows of an outer join can't be locked";
    if (!descends(plan, node, plan->fan)) return "two to-many joins side by side would multiply each other";
    return NULL;
}

/* The parents of what is many times there are built once. */
void plan_fan(struct arena *arena, struct plan *plan, int node, struct join *join) {
    const struct assoc *assoc = plan->nodes[node].assoc;
    plan_identity_of(arena, plan, 0, plan->unit, plan->unit_alias);
    plan_identity_of(arena, plan, node, assoc->hops[0].next, join->alias);
    plan->nodes[node].many = true;
    plan->fan = node;
    join->fan = true;
}

/* What the name of one of the node's result columns stands for. */
static const struct expr *named_output(const struct plan *plan, int node, const struct expr *expr) {
    const struct plan_node *owner = &plan->nodes[node];
    const struct output *output = plan->select->outputs;
    for (int i = 0; output && i < owner->first + owner->count; i++, output = output->next)
        if (i >= owner->first && strcmp(expr->text, plan->columns[i].name) == 0) return output->expr;
    return expr;
}

void plan_fan_order(struct arena *arena, struct plan *plan, int node, const struct join *join, const struct order_term *before) {
    struct select *select = plan->select;
    int here = select->here;
    select->here = join->target;
    plan_order_by_key(arena, select, plan->nodes[node].model, join->target);
    if (join->alias != join->target) plan_order_by_key(arena, select, join->model, join->alias);
    select->here = here;
    for (const struct order_term *term = select->order; term; term = term->next) {
        const struct expr *expr = term->expr->kind == EXPR_NAME ? named_output(plan, node, term->expr) : term->expr;
        struct order_term *own = order_add(arena, &plan->fan_order, expr_at(arena, join->target, expr));
        own->descending = term->descending;
        own->never_null = term->never_null;
        own->nulls = term->nulls;
    }
    select->order = before;
}

/* ------------------------------------------------------------------------------------------------------ limits */

static bool hangs_on_fan(const struct select *select, const struct join *join) {
    if (join->fan) return true;
    for (const struct join *left = select->joins; left != join; left = left->next)
        if (left->target == join->near && hangs_on_fan(select, left)) return true;
    return false;
}

/* (SELECT key FROM … LIMIT n) over the tables that are there once for each row of the root. */
static struct select *limited_keys(struct arena *arena, const struct plan *plan) {
    const struct select *select = plan->select;
    struct select *keys = arena_copy(arena, select, sizeof *select);
    struct join **link = &keys->joins;
    keys->qualified = true;
    keys->outputs = NULL;
    for (int k = 0; k < plan->unit->key.count; k++)
        output_add(arena, &keys->outputs, expr_column(arena, plan->unit->key.items[k], plan->unit_alias), NULL);
    for (const struct join *join = select->joins; join; join = join->next) {
        if (hangs_on_fan(select, join)) continue;
        *link = arena_copy(arena, join, sizeof *join);
        link = &(*link)->next;
    }
    *link = NULL;
    return keys;
}

/* The limit counts rows of the root: theirs are the keys that another select, with the same tables and conditions, picks. */
static void count_roots(struct arena *arena, struct plan *plan) {
    struct select *select = plan->select, *keys = limited_keys(arena, plan);
    select->where = expr_in_select(arena, expr_tuple(arena, plan->unit->key, plan->unit_alias), keys);
    select->limit = select->offset = -1;
}

void plan_fan_finish(struct arena *arena, struct plan *plan) {
    struct select *select = plan->select;
    if (!plan->fan) return;
    plan_order_by_key(arena, select, plan->nodes[0].model, 0);
    plan_order_by_key(arena, select, plan->unit, plan->unit_alias);
    if (select->limit >= 0 || select->offset >= 0) count_roots(arena, plan);
    struct order_term *order = order_copy(arena, select->order), *last = order;
    while (last->next) last = last->next;
    last->next = plan->fan_order;
    select->order = order;
}
