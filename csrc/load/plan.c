#include "load/plan.h"

#include <string.h>

#include "base/arena.h"

enum { FIRST_COLUMNS = 16, FIRST_NODES = 2 };

struct plan *plan_new(struct arena *arena, const struct model *model) {
    struct plan *plan = arena_new(arena, struct plan);
    plan->select = select_new(arena, model, 0);
    plan->next_alias = 1;
    plan_node(arena, plan, model, -1, NULL);
    return plan;
}

static void make_room(struct arena *arena, struct plan *plan) {
    if (plan->node_count < plan->node_size) return;
    int size = plan->node_size ? plan->node_size * 2 : FIRST_NODES;
    struct plan_node *nodes = arena_array(arena, struct plan_node, size);
    if (plan->node_count) memcpy(nodes, plan->nodes, sizeof *nodes * (size_t)plan->node_count);
    plan->nodes = nodes;
    plan->node_size = size;
}

int plan_node(struct arena *arena, struct plan *plan, const struct model *model, int parent, const char *property) {
    make_room(arena, plan);
    struct plan_node *node = &plan->nodes[plan->node_count];
    *node = (struct plan_node){ .model = model, .parent = parent, .property = property, .first = plan->column_count,
                                .presence = -1 };
    if (parent >= 0) plan->nodes[parent].children++;
    return plan->node_count++;
}

/* ---------------------------------------------------------------------------------------------------- columns */

static struct plan_column *add_column(struct arena *arena, struct plan *plan) {
    if (plan->column_count == plan->column_size) {
        int size = plan->column_size ? plan->column_size * 2 : FIRST_COLUMNS;
        struct plan_column *columns = arena_array(arena, struct plan_column, size);
        if (plan->column_count) memcpy(columns, plan->columns, sizeof *columns * (size_t)plan->column_count);
        plan->columns = columns;
        plan->column_size = size;
    }
    plan->nodes[plan->node_count - 1].count++;
    return &plan->columns[plan->column_count++];
}

/* Most types leave a cell of their own kind alone; these three have a canonical form to look after. */
static int settled_kind(const struct attr *attr) {
    if (!attr || attr->type.id == TYPE_CHAR || attr->type.id == TYPE_DECIMAL || attr->type.id == TYPE_DATE) return -1;
    return (int)type_info(attr->type.id)->logical;
}

/* JSON always; dates where the database shows them as numbers, which the reader knows. */
static bool may_be_decoded(const struct attr *attr) {
    return attr && (attr->type.id == TYPE_JSON || attr->type.id == TYPE_JSONB || attr->type.id == TYPE_DATE);
}

static void describe_attr(struct arena *arena, struct plan *plan, const struct attr *attr) {
    struct plan_column *column = add_column(arena, plan);
    column->attr = attr;
    column->name = attr->name;
    column->tracked = true;
    column->settled = settled_kind(attr);
    column->decoded = may_be_decoded(attr);
}

/* A select without outputs means every attribute; they have to be named once another column follows. */
static void name_implied(struct arena *arena, struct plan *plan) {
    if (plan->select->outputs) return;
    for (int i = 0; i < plan->column_count; i++)
        output_add(arena, &plan->select->outputs, expr_column(arena, plan->columns[i].attr, plan->select->alias), NULL);
}

void plan_attr(struct arena *arena, struct plan *plan, const struct attr *attr, int alias) {
    name_implied(arena, plan);
    describe_attr(arena, plan, attr);
    output_add(arena, &plan->select->outputs, expr_column(arena, attr, alias), NULL);
}

/* All attributes of a plan's only node need no list of outputs as long as nothing follows. */
void plan_attrs(struct arena *arena, struct plan *plan, const struct model *model, int alias) {
    bool implied = plan->node_count == 1 && plan->column_count == 0 && alias == plan->select->alias;
    for (int i = 0; i < model->attr_count; i++) {
        if (implied) describe_attr(arena, plan, model->attrs[i]);
        else plan_attr(arena, plan, model->attrs[i], alias);
    }
}

void plan_expression(struct arena *arena, struct plan *plan, const struct expr *expr, const char *name,
                     const struct attr *reads_as) {
    name_implied(arena, plan);
    struct plan_column *column = add_column(arena, plan);
    column->attr = reads_as;
    column->name = name;
    column->settled = settled_kind(reads_as);
    column->decoded = may_be_decoded(reads_as);
    output_add(arena, &plan->select->outputs, expr, name);
}

/* ------------------------------------------------------------------------------------------------ associations */

struct expr *keys_are(struct arena *arena, struct attr_list attrs, const struct value *keys) {
    struct expr *group = expr_group(arena, EXPR_AND);
    for (int k = 0; k < attrs.count; k++) expr_push(arena, group, expr_attr_is(arena, attrs.items[k], keys[k]));
    return group;
}

const struct expr *not_deleted(struct arena *arena, const struct model *model) {
    return model->deleted_at ? expr_attr_is(arena, model->deleted_at, value_null()) : NULL;
}

const struct expr *assoc_condition(struct arena *arena, const struct assoc *assoc) {
    return expr_and(arena, assoc_last_hop(assoc)->scope, assoc->where);
}

/* near[k] of one table equals far[k] of the next. */
static const struct expr *hop_condition(struct arena *arena, const struct hop *hop, int near_alias, int far_alias) {
    struct expr *group = expr_group(arena, EXPR_AND);
    for (int k = 0; k < hop->near.count; k++)
        expr_push(arena, group, expr_operator(arena, OP_EQ, expr_column(arena, hop->far.items[k], far_alias),
                                              expr_column(arena, hop->near.items[k], near_alias)));
    return group;
}

/* Walks the hops from the target back to the source: the last hop's table is t0, each earlier one is joined. SQLite's planner
 * would put the targets outside; there the junction comes first, by CROSS JOIN. */
int plan_link(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct value *keys) {
    struct select *select = plan->select;
    const struct hop *last = assoc_last_hop(assoc);
    select_where(arena, select, assoc_condition(arena, assoc));
    if (assoc->hop_count == 1) {
        select_where(arena, select, keys_are(arena, last->far, keys));
        return -1;
    }
    const struct hop *first = &assoc->hops[0];
    int junction = plan->next_alias++;
    select->from = first->next;
    select->alias = junction;       /* select->here stays 0, the target */
    select_join(arena, select, JOIN_CROSS, assoc->target, 0, hop_condition(arena, last, junction, 0));
    struct expr *where = expr_group(arena, EXPR_AND);
    expr_push(arena, where, expr_at(arena, junction, keys_are(arena, first->far, keys)));
    if (first->scope) expr_push(arena, where, expr_at(arena, junction, first->scope));
    if (select->where) expr_push(arena, where, expr_at(arena, 0, select->where));
    select->where = where;
    return junction;
}

/* ------------------------------------------------------------------------------------------------------ count */

static struct expr *count_star(struct arena *arena) {
    struct expr *count = expr_new(arena, EXPR_FUNCTION);
    count->text = "count";
    count->first = expr_new(arena, EXPR_STAR);
    return count;
}

struct select *plan_count(struct arena *arena, const struct select *select) {
    struct select *count;
    if (select->group || select->distinct || select->limit >= 0 || select->offset >= 0) {
        count = select_new(arena, NULL, 1000);
        count->from_select = select;
    } else {
        count = arena_copy(arena, select, sizeof *select);
        count->outputs = NULL;
        count->order = NULL;
        count->lock = LOCK_NONE;
    }
    output_add(arena, &count->outputs, count_star(arena), NULL);
    return count;
}
