#include "load/plan.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"

enum { FIRST_COLUMNS = 16, FIRST_NODES = 2 };

struct plan *plan_new(struct arena *arena, const struct model *model) {
    struct plan *plan = arena_new(arena, struct plan);
    plan->select = select_new(arena, model, 0);
    plan->next_alias = 1;
    plan->unit = model;
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

static struct plan_column *new_column(struct arena *arena, struct plan *plan) {
    if (plan->column_count == plan->column_size) {
        int size = plan->column_size ? plan->column_size * 2 : FIRST_COLUMNS;
        struct plan_column *columns = arena_array(arena, struct plan_column, size);
        if (plan->column_count) memcpy(columns, plan->columns, sizeof *columns * (size_t)plan->column_count);
        plan->columns = columns;
        plan->column_size = size;
    }
    return &plan->columns[plan->column_count++];
}

static struct plan_column *add_column(struct arena *arena, struct plan *plan) {
    plan->nodes[plan->node_count - 1].count++;
    return new_column(arena, plan);
}

/* Most types leave a cell of their own kind alone. */
static int settled_kind(const struct attr *attr) {
    return !attr || type_is_reread(&attr->type) ? -1 : (int)type_info(attr->type.id)->logical;
}

/* JSON always; dates where the database shows them as numbers, which the reader knows. */
static bool may_be_decoded(const struct attr *attr) {
    return attr && (type_is_table(&attr->type) || attr->type.id == TYPE_DATE);
}

static struct plan_column attr_column(const struct attr *attr) {
    return (struct plan_column){ .attr = attr, .name = attr->name, .tracked = true, .settled = settled_kind(attr),
                                 .decoded = may_be_decoded(attr) };
}

/* The columns of all attributes, described once for each generation of the model. They live with the schema; a plan that has more
 * columns copies them. */
static struct plan_column *own_columns(struct model *model) {
    if (model->columns && model->columns_generation == model->generation) return model->columns;
    struct plan_column *columns = arena_array(model->schema->arena, struct plan_column, model->attr_count + 1);
    for (int i = 0; i < model->attr_count; i++) columns[i] = attr_column(model->attrs[i]);
    model->columns = columns;
    model->columns_generation = model->generation;
    return columns;
}

/* A select without outputs means every attribute; they have to be named once another column follows. */
static void name_implied(struct arena *arena, struct plan *plan) {
    if (plan->select->outputs) return;
    for (int i = 0; i < plan->column_count; i++)
        output_add(arena, &plan->select->outputs, expr_column(arena, plan->columns[i].attr, plan->select->alias), NULL);
}

void plan_attr(struct arena *arena, struct plan *plan, const struct attr *attr, int alias) {
    name_implied(arena, plan);
    *add_column(arena, plan) = attr_column(attr);
    output_add(arena, &plan->select->outputs, expr_column(arena, attr, alias), NULL);
}

/* All attributes of a plan's only node need no list of outputs as long as nothing follows. */
static bool are_implied(const struct plan *plan, int alias) {
    return plan->node_count == 1 && plan->column_count == 0 && alias == plan->select->alias && !plan->select->outputs;
}

void plan_attrs(struct arena *arena, struct plan *plan, const struct model *model, int alias) {
    if (are_implied(plan, alias)) {
        plan->columns = own_columns((struct model *)(uintptr_t)model);
        plan->column_count = plan->column_size = plan->nodes[0].count = model->attr_count;
        return;
    }
    for (int i = 0; i < model->attr_count; i++) plan_attr(arena, plan, model->attrs[i], alias);
}

/* Only names of the root's are spoken of in SQL; two nodes may have the same. */
void plan_expression(struct arena *arena, struct plan *plan, const struct expr *expr, const char *name,
                     const struct attr *reads_as) {
    name_implied(arena, plan);
    struct plan_column *column = add_column(arena, plan);
    column->attr = reads_as;
    column->name = name;
    column->settled = settled_kind(reads_as);
    column->decoded = may_be_decoded(reads_as);
    output_add(arena, &plan->select->outputs, expr, plan->node_count == 1 ? name : NULL);
}

/* Columns that no instance shows stand behind those of all nodes. */
static int add_hidden(struct arena *arena, struct plan *plan, const struct expr *expr, const struct attr *reads_as) {
    name_implied(arena, plan);
    struct plan_column *column = new_column(arena, plan);
    column->attr = reads_as;
    column->name = "";
    column->settled = settled_kind(reads_as);
    output_add(arena, &plan->select->outputs, expr, NULL);
    return plan->column_count - 1;
}

int plan_hidden(struct arena *arena, struct plan *plan, int node, const struct attr *attr, int alias) {
    const struct plan_node *owner = &plan->nodes[node];
    for (int i = owner->first; i < owner->first + owner->count; i++)
        if (plan->columns[i].tracked && plan->columns[i].attr == attr) return i;
    return add_hidden(arena, plan, expr_column(arena, attr, alias), attr);
}

int plan_hidden_of_group(struct arena *arena, struct plan *plan, const struct attr *attr, int alias) {
    const char **pieces = arena_array(arena, const char *, 2);
    struct expr *expr = expr_new(arena, EXPR_RAW);
    pieces[0] = "nullif(count(";
    pieces[1] = "), 0)";
    expr->pieces = pieces;
    expr->first = expr_column(arena, attr, alias);
    return add_hidden(arena, plan, expr, NULL);
}

/* The same for a table that is none of the node's. */
static int *apart_columns(struct arena *arena, struct plan *plan, struct attr_list attrs, int alias) {
    int *columns = arena_array(arena, int, attrs.count + 1);
    for (int k = 0; k < attrs.count; k++)
        columns[k] = add_hidden(arena, plan, expr_column(arena, attrs.items[k], alias), attrs.items[k]);
    return columns;
}

static int *hidden_columns(struct arena *arena, struct plan *plan, int node, struct attr_list attrs, int alias) {
    int *columns = arena_array(arena, int, attrs.count + 1);
    for (int k = 0; k < attrs.count; k++) columns[k] = plan_hidden(arena, plan, node, attrs.items[k], alias);
    return columns;
}

void plan_identity_of(struct arena *arena, struct plan *plan, int node, const struct model *model, int alias) {
    if (!model->key.count || plan->nodes[node].identity) return;
    int *columns = alias == plan->nodes[node].alias ? hidden_columns(arena, plan, node, model->key, alias)
                                                    : apart_columns(arena, plan, model->key, alias);
    plan->nodes[node].identity = columns;
    plan->nodes[node].identity_parts = model->key.count;
}

void plan_identity(struct arena *arena, struct plan *plan, int node) {
    plan_identity_of(arena, plan, node, plan->nodes[node].model, plan->nodes[node].alias);
}

/* ------------------------------------------------------------------------------------------------ associations */

/* `SELECT DISTINCT <the first table's far keys>, <the last but one's near keys> FROM <all tables before the target>`: each pair of
 * a source and a row next to the target once, whatever number of ways lead from one to the other. */
static struct select *chain_pairs(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct expr *keys) {
    const struct hop *first = &assoc->hops[0], *last = assoc_last_hop(assoc);
    int alias = plan->next_alias++;
    struct select *pairs = select_new(arena, first->next, alias);
    pairs->distinct = pairs->qualified = true;
    select_where(arena, pairs, expr_at(arena, alias, keys));
    select_where(arena, pairs, hop_filter(arena, assoc, 0, alias, WALK_PRESENT));
    for (int k = 0; k < first->far.count; k++)
        output_add(arena, &pairs->outputs, expr_column(arena, first->far.items[k], alias), arena_printf(arena, "k%d", k));
    for (int hop = 1; hop < assoc->hop_count - 1; hop++) {
        int next = plan->next_alias++;
        select_join(arena, pairs, JOIN_INNER, assoc->hops[hop].next, next,
                    expr_and(arena, hop_condition(arena, &assoc->hops[hop], alias, next), hop_filter(arena, assoc, hop, next,
                            WALK_PRESENT)));
        alias = next;
    }
    for (int k = 0; k < last->near.count; k++)
        output_add(arena, &pairs->outputs, expr_column(arena, last->near.items[k], alias), arena_printf(arena, "n%d", k));
    return pairs;
}

/* A path of associations: its pairs become a table that the target is joined to. Returns that table's alias. */
static int link_chain(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct expr *keys) {
    struct select *select = plan->select;
    const struct hop *last = assoc_last_hop(assoc);
    int pairs = plan->next_alias++;
    select->from_select = chain_pairs(arena, plan, assoc, keys);
    select->from = NULL;
    select->alias = pairs;
    struct expr *on = expr_group(arena, EXPR_AND);
    for (int k = 0; k < last->far.count; k++)
        expr_push(arena, on, expr_operator(arena, OP_EQ, expr_column(arena, last->far.items[k], 0),
                                           expr_field(arena, pairs, arena_printf(arena, "n%d", k))));
    select_join(arena, select, JOIN_CROSS, assoc->target, 0, on);
    if (select->where) select->where = expr_at(arena, 0, select->where);
    return pairs;
}

/* The junction comes first: SQLite's planner would put the targets outside. Returns its alias. */
static int link_junction(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct expr *keys) {
    struct select *select = plan->select;
    const struct hop *first = &assoc->hops[0];
    int junction = plan->next_alias++;
    select->from = first->next;
    select->alias = junction;       /* select->here stays 0, the target */
    select_join(arena, select, JOIN_CROSS, assoc->target, 0, hop_condition(arena, assoc_last_hop(assoc), junction, 0));
    struct expr *where = expr_group(arena, EXPR_AND);
    expr_push(arena, where, expr_at(arena, junction, keys));
    if (first->scope) expr_push(arena, where, expr_at(arena, junction, first->scope));
    if (select->where) expr_push(arena, where, expr_at(arena, 0, select->where));
    select->where = where;
    plan->unit = first->next;
    plan->unit_alias = junction;
    return junction;
}

/* Restricts a plan over the target to the rows whose keys, over the first hop's table, fulfil the condition. */
static int link_rows(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct expr *keys) {
    select_where(arena, plan->select, assoc_condition(arena, assoc));
    if (assoc->hop_count == 1) {
        select_where(arena, plan->select, keys);
        return -1;
    }
    return assoc->kind->path ? link_chain(arena, plan, assoc, keys) : link_junction(arena, plan, assoc, keys);
}

int plan_link(struct arena *arena, struct plan *plan, const struct assoc *assoc, const struct value *keys) {
    return link_rows(arena, plan, assoc, keys_are(arena, assoc->hops[0].far, keys));
}

/* -------------------------------------------------------------------------------------------------------- steps */

static struct plan_step *new_step(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc) {
    struct plan_step *step = arena_new(arena, struct plan_step);
    struct plan_step **link = &plan->steps;
    while (*link) link = &(*link)->next;
    *link = step;
    step->node = node;
    step->assoc = assoc;
    step->property = assoc->name;
    step->many = assoc->kind->many;
    step->plan = plan_new(arena, assoc->target);
    step->plan->raw = plan->raw;
    step->plan->lazy = plan->lazy;
    step->limit = step->offset = step->junction = -1;
    plan->nodes[node].children++;
    return step;
}

struct plan_step *plan_step(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc) {
    struct plan_step *step = new_step(arena, plan, node, assoc);
    const struct hop *first = &assoc->hops[0];
    step->near = first->near;
    step->far = first->far;
    step->keys = expr_keys(arena, first->far, NULL, 0);
    int alias = link_rows(arena, step->plan, assoc, step->keys);
    step->source = alias < 0 ? 0 : assoc->kind->path ? -1 : alias;
    step->fields = alias;
    if (!assoc->kind->path) step->junction = alias;
    return step;
}

struct plan_step *plan_step_on(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc) {
    struct plan_step *step = new_step(arena, plan, node, assoc);
    const struct model *source = plan->nodes[node].model;
    struct select *select = step->plan->select;
    step->near = step->far = source->key;
    step->keys = expr_keys(arena, source->key, NULL, 0);
    step->source = step->plan->next_alias++;
    select->from = source;
    select->alias = step->source;
    select_join(arena, select, JOIN_INNER, assoc->target, 0, NULL);
    select_where(arena, select, expr_at(arena, step->source, step->keys));
    return step;
}

/* The model of the rows that a cut counts: the target, or the junction that is joined to it. */
static const struct model *cut_unit(const struct assoc *assoc) {
    return assoc->kind->holder == HELD_BY_THROUGH ? assoc->hops[0].next : assoc->target;
}

bool plan_can_cut(const struct assoc *assoc) {
    bool single = assoc->kind->path && assoc->hop_count < 2;
    return !single && assoc->kind->holder != HELD_BY_SOURCE && cut_unit(assoc)->key.count;
}

struct plan_step *plan_step_limited(struct arena *arena, struct plan *plan, int node, const struct assoc *assoc) {
    struct plan_step *step = new_step(arena, plan, node, assoc);
    const struct attr_list near = assoc->hops[0].near;
    struct select *select = step->plan->select;
    int alias = step->plan->next_alias++;
    struct select *parents = select_new(arena, plan->nodes[node].model, alias);
    parents->qualified = true;
    parents->distinct = !attrs_unique(parents->from, near);
    for (int k = 0; k < near.count; k++)
        output_add(arena, &parents->outputs, expr_column(arena, near.items[k], alias), NULL);
    step->near = step->far = near;
    step->keys = expr_keys(arena, near, NULL, 0);
    parents->where = step->keys;
    select->from_select = parents;
    select->from = NULL;
    select->qualified = true;
    select->alias = step->source = step->plan->next_alias++;
    return step;
}

/* The tables are the outer query's from here on: the picked rows under an alias of their own. */
void plan_step_cut(struct arena *arena, struct plan_step *step, struct select *rows, int unit, bool lateral) {
    struct select *select = step->plan->select;
    const struct model *model = cut_unit(step->assoc);
    bool junction = step->assoc->kind->holder == HELD_BY_THROUGH;
    int alias = junction ? step->plan->next_alias++ : 0;
    const struct expr *on = expr_const(arena, true);
    rows->outputs = NULL;
    if (!lateral) on = expr_in_select(arena, expr_tuple(arena, model->key, alias), rows);
    for (int i = 0; lateral && i < model->attr_count; i++)
        output_add(arena, &rows->outputs, expr_column(arena, model->attrs[i], unit), NULL);
    for (int k = 0; !lateral && k < model->key.count; k++)
        output_add(arena, &rows->outputs, expr_column(arena, model->key.items[k], unit), NULL);
    struct join *join = select_join(arena, select, JOIN_CROSS, model, alias, on);
    if (lateral) join->from_select = rows;
    if (!junction) return;
    step->junction = alias;
    step->plan->unit = model;
    step->plan->unit_alias = alias;
    select_join(arena, select, JOIN_CROSS, step->assoc->target, 0, hop_condition(arena, assoc_last_hop(step->assoc), alias, 0));
}

void plan_step_set_on(struct plan_step *step, const struct expr *on) {
    step->plan->select->joins->on = on;
}

/* The columns that tell whose rows they are. */
static const int *far_columns(struct arena *arena, struct plan_step *step) {
    for (int n = 0; step->source >= 0 && n < step->plan->node_count; n++)
        if (step->plan->nodes[n].alias == step->source) return hidden_columns(arena, step->plan, n, step->far, step->source);
    int *columns = arena_array(arena, int, step->far.count + 1);
    for (int k = 0; k < step->far.count; k++) {
        const struct attr *attr = step->far.items[k];
        struct expr *far = step->source >= 0 ? expr_column(arena, attr, step->source)
                                             : expr_field(arena, step->fields, arena_printf(arena, "k%d", k));
        columns[k] = add_hidden(arena, step->plan, far, attr);
    }
    return columns;
}

static bool ordered_by(const struct select *select, const struct attr *attr, int alias) {
    for (const struct order_term *term = select->order; term; term = term->next) {
        const struct expr *expr = term->expr;
        while (expr->kind == EXPR_AT) expr = expr->first;
        bool here = expr->alias == alias || (expr->alias == ALIAS_HERE && select->here == alias);
        if (expr->kind == EXPR_COLUMN && expr->attr == attr && here) return true;
    }
    return false;
}

/* Appends what the select is not ordered by yet; none of it is NULL. An order may be a standing one, which belongs to the schema. */
static void order_by(struct arena *arena, struct select *select, struct attr_list attrs, int alias) {
    struct order_term *order = order_copy(arena, select->order);
    for (int k = 0; k < attrs.count; k++) {
        if (ordered_by(select, attrs.items[k], alias)) continue;
        order_add(arena, &order, expr_column(arena, attrs.items[k], alias))->never_null = true;
    }
    select->order = order;
}

void plan_order_by_key(struct arena *arena, struct select *select, const struct model *model, int alias) {
    order_by(arena, select, model->key, alias);
}

/* Only the order among the rows of one parent shows. Parent by parent is how an index on their key gives them: no sort. Nor is
 * there one where the target's key is the rest of the junction's. */
static void order_by_parent(struct arena *arena, const struct plan_step *step) {
    struct select *select = step->plan->select;
    order_by(arena, select, step->far, step->source);
    if (step->junction < 0) return;
    const struct hop *last = assoc_last_hop(step->assoc);
    if (attrs_same(last->far, step->assoc->target->key)) order_by(arena, select, last->near, step->junction);
}

const char *plan_chain(const struct plan_step *above, const struct dialect *dialect) {
    return above && !above->cut ? dialect->in_select : NULL;
}

/* far is one of the rows that a select gives; a single column without a join, which engines would rather plan over whole tables. */
static struct expr *far_among(struct arena *arena, const struct plan_step *step, const struct select *rows) {
    struct expr *far = expr_tuple(arena, step->far, ALIAS_HERE);
    if (step->far.count > 1) return expr_in_select(arena, far, rows);
    struct expr *select = expr_new(arena, EXPR_SELECT);
    select->select = rows;
    return expr_template(arena, step->chain, far, select);
}

/* far is one of near, of the statement that reads the parents. */
static void name_parents(struct arena *arena, struct plan_step *step, const struct plan *parents) {
    struct select *rows = arena_copy(arena, parents->select, sizeof *rows);
    rows->outputs = NULL;
    rows->order = NULL;
    for (int k = 0; k < step->near.count; k++)
        output_add(arena, &rows->outputs, expr_column(arena, step->near.items[k], parents->nodes[step->node].alias), NULL);
    struct expr *next = step->keys->next;
    *step->keys = *far_among(arena, step, rows);
    step->keys->next = next;
}

void plan_step_finish(struct arena *arena, struct plan_step *step, struct plan *parent) {
    struct plan *plan = step->plan;
    if (parent)
        step->near_columns = hidden_columns(arena, parent, step->node, step->near, parent->nodes[step->node].alias);
    step->far_columns = far_columns(arena, step);
    bool shared = step->assoc->kind->path || step->source != 0;
    if (shared && step->junction < 0) plan_identity(arena, plan, 0);
    if (!plan->select->order && step->source >= 0) order_by_parent(arena, step);
    plan_order_by_key(arena, plan->select, plan->nodes[0].model, 0);
    if (step->junction >= 0) plan_order_by_key(arena, plan->select, step->assoc->hops[0].next, step->junction);
    plan_fan_finish(arena, plan);
    for (struct plan_step *below = plan->steps; below; below = below->next)
        if (below->chain) name_parents(arena, below, plan);
}

/* ------------------------------------------------------------------------------------------------------ count */

static struct expr *count_star(struct arena *arena) {
    struct expr *count = expr_new(arena, EXPR_FUNCTION);
    count->text = "count";
    count->first = expr_new(arena, EXPR_STAR);
    return count;
}

struct select *plan_count(struct arena *arena, const struct select *select) {
    enum { COUNTED_ALIAS = 1000 };      /* of the rows that are counted, a table of its own */
    struct select *count;
    if (select->group || select->distinct || select->limit >= 0 || select->offset >= 0) {
        count = select_new(arena, NULL, COUNTED_ALIAS);
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
