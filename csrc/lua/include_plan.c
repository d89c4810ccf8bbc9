/* The include tree → nodes, joins, steps.
 *
 *     to-one                      LEFT JOIN (required, and everything above it required: INNER JOIN)
 *     to-one that may have        the same, on the one row that its order says: LATERAL (SELECT … LIMIT 1), or where the
 *       several rows (hasOne)       engine has no LATERAL key IN (SELECT key … LIMIT 1)
 *     to-many, limit, on          a step: one statement for the rows of all parents
 *     to-many, "join"             LEFT JOIN, its parents many times there (load/plan_fan.c), where that can be
 *     required                    where no inner join says it: EXISTS over the same rows */
#include "lua/include_rows.h"

#include <string.h>

#include "lua/through.h"
#include "lua/value.h"

/* Where includes hang: a node of a plan. */
struct place {
    struct find *find;              /* of the call */
    struct plan *plan;
    int node, alias;
    struct join *join;              /* the outer join that brings the node; NULL: a row of the plan has it always */
    const struct plan_step *step;   /* whose plan it is; NULL: of the call itself */
    bool exists;                    /* its instances are there before the plan is run */
};

static struct arena *arena_of(const struct place *place) {
    return place->find->where.arena;
}

/* The find that options of an include are read into: over the table `alias` of a select. */
static struct find sub_find(struct find *find, const struct model *model, struct plan *plan, int node, struct path_base base) {
    struct find sub = { .where = where_reader(find->where.call, model, NULL), .plan = plan, .node = node, .alias = base.alias,
                        .base = base };
    return sub;
}

/* A condition on the place's rows: of the outer join that brings them, or of the select. */
static void add_condition(struct place *place, const struct expr *condition) {
    if (place->join) place->join->on = expr_and(arena_of(place), place->join->on, condition);
    else select_where(arena_of(place), place->plan->select, expr_at(arena_of(place), 0, condition));
}

/* ------------------------------------------------------------------------------------------------------ columns */

static bool selects(const struct plan *plan, int node, const struct attr *attr) {
    const struct plan_node *owner = &plan->nodes[node];
    for (int i = owner->first; i < owner->first + owner->count; i++)
        if (plan->columns[i].tracked && plan->columns[i].attr == attr) return true;
    return false;
}

/* The attributes of the node that was added last; instances always have their key, but for what stands for a group of rows. */
static bool read_columns(lua_State *L, struct find *find, const struct include *include, struct plan *plan, int node, int alias) {
    const struct model *model = include->assoc->target;
    struct find sub = sub_find(find, model, plan, node, (struct path_base){ plan->select, &plan->next_alias, alias, false, false });
    bool fine = true;
    sub.where.paths = &sub.base;
    if (push_include_option(L, find->where.call, include, "attributes") == LUA_TNIL) find_attrs(L, &sub, plan, model, alias);
    else fine = placed(find, include, read_attributes_option(L, &sub, lua_gettop(L)) && aliases_are_free(&sub, include->first));
    lua_pop(L, 1);
    for (int k = 0; fine && !plan->raw && !plan->select->group && k < model->key.count; k++)
        if (!selects(plan, node, model->key.items[k])) plan_attr(sub.where.arena, plan, model->key.items[k], alias);
    return fine;
}

/* The order of the include, or the association's own; into a select in which its rows are the table `alias`, and the junction's
 * rows, if there is one, the table `junction` (below 0: not there). */
static bool read_include_order(lua_State *L, struct find *find, const struct include *include, struct plan *plan, int alias,
                               int junction) {
    struct find sub = sub_find(find, include->assoc->target, plan, 0,
                               (struct path_base){ plan->select, &plan->next_alias, alias, false, false });
    struct outer_table link = { assoc_through(include->assoc), NULL, junction };
    bool fine = true;
    sub.where.paths = &sub.base;
    if (link.model && junction >= 0) sub.where.link = &link;
    if (push_include_option(L, find->where.call, include, "order") == LUA_TNIL)
        plan->select->order = order_of_links(find->where.arena, include->assoc->order, junction);
    else fine = placed(find, include, read_order(L, &sub, lua_gettop(L)));
    lua_pop(L, 1);
    return fine;
}

/* The junction row (its table is `alias`) of each target, unless `through.attributes` is empty. */
static bool add_junction(lua_State *L, struct place *place, const struct include *include, struct plan *plan, int target,
                         int alias) {
    const struct model *through = assoc_through(include->assoc);
    struct find *find = place->find;
    struct arena *arena = find->where.arena;
    const char *property = through->name;
    int top = lua_gettop(L);
    bool fine = true, listed = false;
    if (push_option(L, find, include, "through") == LUA_TTABLE) {
        property = through_property(L, arena, top + 1, property);
        listed = push_field(L, top + 1, "attributes") == LUA_TTABLE;
    }
    int attributes = lua_gettop(L);
    bool shown = !listed || lua_rawlen(L, attributes) > 0;
    fine = !shown || placed(find, include, junction_is_free(find, plan, target, include->first, property));
    if (shown && fine) {
        int node = plan_node(arena, plan, through, target, property);
        plan->nodes[node].alias = alias;
        struct find sub = sub_find(find, through, plan, node,
                                   (struct path_base){ plan->select, &plan->next_alias, alias, false, false });
        sub.where.path = "through.attributes";
        if (listed) fine = placed(find, include, read_attribute_list(L, &sub, through, alias, attributes));
        else find_attrs(L, &sub, plan, through, alias);
    }
    lua_settop(L, top);
    return fine;
}

/* ------------------------------------------------------------------------------------------------------- joins */

static bool plan_children(lua_State *L, struct place place, const struct include *first);

/* Joins the one row that the include's order says, where the keys alone may lead to several. */
static struct join *join_picked(lua_State *L, struct place *place, const struct include *include, enum join_kind kind) {
    struct arena *arena = arena_of(place);
    const struct assoc *assoc = include->assoc;
    struct plan *plan = place->plan, scratch = { .next_alias = 0 };
    int alias = plan->next_alias++, target;
    struct select *rows = rows_of(L, place->find, include, place->plan->nodes[place->node].model, place->alias, &plan->next_alias,
                                  &target);
    scratch.select = rows;
    scratch.next_alias = plan->next_alias;
    if (!read_include_order(L, place->find, include, &scratch, target, -1)) return NULL;
    plan->next_alias = scratch.next_alias;
    plan_order_by_key(arena, rows, assoc->target, target);
    rows->outputs = NULL;
    rows->limit = 1;
    struct join *join = select_join(arena, plan->select, kind, assoc->target, alias, NULL);
    if (place->find->where.call->db->dialect->lateral) {
        for (int i = 0; i < assoc->target->attr_count; i++)
            output_add(arena, &rows->outputs, expr_column(arena, assoc->target->attrs[i], target), NULL);
        join->from_select = rows;
        join->on = expr_const(arena, true);
    } else {
        for (int k = 0; k < assoc->target->key.count; k++)
            output_add(arena, &rows->outputs, expr_column(arena, assoc->target->key.items[k], target), NULL);
        join->on = expr_in_select(arena, expr_tuple(arena, assoc->target->key, alias), rows);
    }
    join->near = place->alias;
    join->target = alias;
    return join;
}

/* Whether the join leaves out rows that the association has: paths must not meet it. */
static bool is_filtered(const struct include *include, enum join_kind kind) {
    bool requires = false;
    for (const struct include *child = include->first; child && kind != JOIN_INNER; child = child->next)
        requires = requires || child->required;
    return requires || include->has_where || include->with_deleted || include->scopes;
}

/* Joins the row the keys lead to; one that paths have joined already is used again, unless it is filtered. */
static struct join *join_single(lua_State *L, struct place *place, const struct include *include, enum join_kind kind) {
    struct arena *arena = arena_of(place);
    struct plan *plan = place->plan;
    bool own = is_filtered(include, kind);
    struct join *join = own ? NULL : walk_find_join(plan->select, include->assoc, place->alias);
    if (join && kind == JOIN_INNER) join->kind = kind;
    if (!join)
        join = walk_join_deleted(arena, plan->select, &plan->next_alias, kind, include->assoc, place->alias,
                                 deleted_of(L, place->find, include));
    struct path_base base = { plan->select, &plan->next_alias, join->target, false, true };
    if (own) join->assoc = NULL;
    join->on = expr_and(arena, join->on, read_include_condition(L, place->find, include, "where", base, NULL, join->alias));
    return join;
}

/* The node of what `join` brings, with its columns; -1: error set. */
static int add_joined_node(lua_State *L, struct place *place, const struct include *include, const struct join *join) {
    struct arena *arena = arena_of(place);
    struct plan *plan = place->plan;
    const struct assoc *assoc = include->assoc;
    if (error_is_set(place->find->where.error)) return -1;
    int node = plan_node(arena, plan, assoc->target, place->node, assoc->name);
    plan->nodes[node].alias = join->target;
    plan->nodes[node].assoc = assoc;
    plan->nodes[node].include = include->options;
    if (!read_columns(L, place->find, include, plan, node, join->target)) return -1;
    const struct attr *referred = assoc_last_hop(assoc)->far.items[0];
    plan->nodes[node].presence = plan->select->group ? plan_hidden_of_group(arena, plan, referred, join->target)
                                                     : plan_hidden(arena, plan, node, referred, join->target);
    return node;
}

static bool add_joined(lua_State *L, struct place *place, const struct include *include) {
    struct arena *arena = arena_of(place);
    struct plan *plan = place->plan;
    const struct assoc *assoc = include->assoc;
    bool inner = include->required && !place->join, single = assoc_single(assoc);
    enum join_kind kind = inner ? JOIN_INNER : JOIN_LEFT;
    if (include->required && !inner) add_condition(place, has_rows(L, place->find, include, plan, plan->nodes[place->node].model,
                                                                   place->alias));
    struct join *join = single ? join_single(L, place, include, kind) : join_picked(L, place, include, kind);
    int node = join ? add_joined_node(L, place, include, join) : -1;
    if (node < 0) return false;
    if (!plan->select->group) plan_identity(arena, plan, node);
    struct place below = { place->find, plan, node, join->target, inner ? NULL : join, place->step, false };
    /* What was picked has its required children; the conditions are in the subquery. */
    return plan_children(L, below, include->first);
}

/* All rows the keys lead to: their parents come with each of them. */
static bool add_fan(lua_State *L, struct place *place, const struct include *include) {
    struct find *find = place->find;
    struct plan *plan = place->plan;
    struct arena *arena = arena_of(place);
    const struct assoc *assoc = include->assoc;
    if (include->required) add_condition(place, has_rows(L, find, include, plan, plan->nodes[place->node].model, place->alias));
    struct join *join = walk_join_deleted(arena, plan->select, &plan->next_alias, JOIN_LEFT, assoc, place->alias,
                                          deleted_of(L, find, include));
    struct path_base base = { plan->select, &plan->next_alias, join->target, false, true };
    join->assoc = NULL;             /* paths in conditions must not meet what is filtered */
    join->on = expr_and(arena, join->on, read_include_condition(L, find, include, "where", base, NULL, join->alias));
    if (assoc_through(assoc)) join->on = expr_and(arena, join->on, read_through_where(L, find, include, join->alias));
    int node = add_joined_node(L, place, include, join);
    if (node < 0) return false;
    plan_fan(arena, plan, node, join);
    const struct order_term *before = plan->select->order;
    if (!read_include_order(L, find, include, plan, join->target, join->alias)) return false;
    plan_fan_order(arena, plan, node, join, before);
    struct place below = { find, plan, node, join->target, join, place->step, false };
    return (!assoc_through(assoc) || add_junction(L, place, include, plan, node, join->alias))
        && plan_children(L, below, include->first);
}

/* -------------------------------------------------------------------------------------------------------- steps */

static bool read_step_conditions(lua_State *L, struct place *place, const struct include *include, struct plan_step *step,
                                 bool on) {
    struct arena *arena = arena_of(place);
    struct plan *plan = step->plan;
    struct path_base base = { plan->select, &plan->next_alias, 0, false, false };
    struct path_base apart = { plan->select, &plan->next_alias, 0, false, true };
    if (on) {
        struct outer_table outer = { place->plan->nodes[place->node].model, NULL, step->source };
        const struct expr *own = assoc_condition(arena, include->assoc);
        const struct expr *condition = read_include_condition(L, place->find, include, "on", apart, &outer, -1);
        plan_step_set_on(step, condition ? condition : expr_const(arena, true));
        if (own) select_where(arena, plan->select, expr_at(arena, 0, own));
    }
    select_where(arena, plan->select, read_include_condition(L, place->find, include, "where", base, NULL, step->junction));
    select_where(arena, plan->select, standing_condition(place->find, include, 0));
    if (step->junction >= 0) {
        const struct expr *there = not_deleted(arena, assoc_through(include->assoc));
        select_where(arena, plan->select, read_through_where(L, place->find, include, step->junction));
        if (there && !with_deleted_links(L, place->find, include))
            select_where(arena, plan->select, expr_at(arena, step->junction, there));
    }
    return !error_is_set(place->find->where.error);
}

/* The cut of each parent's list; a to-one is a list of one. */
static void set_cut(struct plan_step *step, const struct include *include) {
    bool several = !step->many && !assoc_single(include->assoc);
    step->limit = include->limit;
    step->offset = include->offset;
    if ((several || step->offset > 0) && !step->many && (step->limit < 0 || step->limit > 1)) step->limit = 1;
}

/* The rows of each parent are picked by the engine, in the include's order. */
static struct plan_step *limited_step(lua_State *L, struct place *place, const struct include *include) {
    struct find *find = place->find;
    struct arena *arena = arena_of(place);
    struct plan_step *step = plan_step_limited(arena, place->plan, place->node, include->assoc);
    struct plan *plan = step->plan, scratch = { .next_alias = 0 };
    int target;
    set_cut(step, include);
    scratch.select = counted_rows_of(L, find, include, place->plan->nodes[place->node].model, step->source, &plan->next_alias,
                                     &target);
    scratch.next_alias = plan->next_alias;
    if (!read_include_order(L, find, include, &scratch, target, scratch.select->alias)) return step;
    plan->next_alias = scratch.next_alias;
    plan_order_by_key(arena, scratch.select, include->assoc->target, target);
    if (assoc_through(include->assoc))
        plan_order_by_key(arena, scratch.select, assoc_through(include->assoc), scratch.select->alias);
    scratch.select->limit = step->limit;
    scratch.select->offset = step->offset;
    plan_step_cut(arena, step, scratch.select, scratch.select->alias, find->where.call->db->dialect->lateral != NULL);
    step->limit = step->offset = -1;
    return step;
}

/* A list that is cut for each parent; a to-one that may have several rows is. */
static bool is_cut(const struct include *include) {
    return include->limit >= 0 || include->offset > 0 || (!include->assoc->kind->many && !assoc_single(include->assoc));
}

static bool add_step(lua_State *L, struct place *place, const struct include *include, const char *reason) {
    struct find *find = place->find;
    const struct model *source = place->plan->nodes[place->node].model;
    bool on = has_on(L, find, include);
    if (on && !source->key.count)
        return include_wrong(find, include->path, arena_printf(find->where.arena,
                                                               "option \"on\" needs a primary key, and %s has none",
                                                               source->name));
    if (include->required) add_condition(place, has_rows(L, find, include, place->plan, source, place->alias));
    bool limited = !on && is_cut(include) && plan_can_cut(include->assoc);
    struct plan_step *step = on ? plan_step_on(find->where.arena, place->plan, place->node, include->assoc)
                           : limited ? limited_step(L, place, include)
                           : plan_step(find->where.arena, place->plan, place->node, include->assoc);
    step->number = find->steps++;
    step->include = include->options;
    step->reason = reason;
    step->cut = is_cut(include);
    step->chain = plan_chain(place->step, find->where.call->db->dialect);
    if (!limited) set_cut(step, include);
    struct place below = { find, step->plan, 0, 0, NULL, step, false };
    bool fine = !error_is_set(find->where.error) && read_columns(L, find, include, step->plan, 0, 0)
             && (limited || read_step_conditions(L, place, include, step, on)) && plan_children(L, below, include->first)
             && (step->junction < 0 || add_junction(L, place, include, step->plan, 0, step->junction))
             && read_include_order(L, find, include, step->plan, 0, step->junction);
    if (fine) plan_step_finish(find->where.arena, step, place->exists ? NULL : place->plan);
    return fine;
}

/* -------------------------------------------------------------------------------------------------- the strategy */

/* Why a to-many include is a statement of its own; NULL: it is joined. */
static const char *many_reason(lua_State *L, const struct place *place, const struct include *include) {
    const struct plan_step *step = place->step;
    if (include->strategy != STRATEGY_JOIN) return "to-many: one statement for the rows of all parents";
    const char *hindrance = include->limit >= 0 || include->offset > 0 ? "limit or offset of each parent"
                          : has_on(L, place->find, include) ? "on"
                          : step && (step->limit >= 0 || step->offset > 0) ? "the rows above it are counted as they come"
                          : plan_fan_hindrance(place->plan, place->node, include->assoc);
    if (!hindrance) return NULL;
    return arena_printf(arena_of(place), "strategy = \"join\" gives way: %s", hindrance);
}

/* Why the include is a statement of its own; NULL: it is joined. */
static const char *step_reason(lua_State *L, const struct place *place, const struct include *include) {
    const struct assoc *assoc = include->assoc;
    if (assoc->kind->many) return many_reason(L, place, include);
    if (include->strategy == STRATEGY_SELECT) return "strategy = \"select\"";
    if (include->limit >= 0 || include->offset >= 0) return "limit or offset of each parent";
    if (has_on(L, place->find, include)) return "on";
    if (!assoc_single(assoc) && !assoc->target->key.count) return "several rows may match, and the target has no key";
    if (assoc->kind->path) return "a path of associations";
    return NULL;
}

/* attributes = {}: nothing is loaded, but a required one leaves out parents. */
static bool add_hidden(lua_State *L, struct place *place, const struct include *include) {
    if (include->required)
        add_condition(place, has_rows(L, place->find, include, place->plan, place->plan->nodes[place->node].model, place->alias));
    return !error_is_set(place->find->where.error);
}

static bool plan_children(lua_State *L, struct place place, const struct include *first) {
    luaL_checkstack(L, 30, "includes too deep");
    for (const struct include *include = first; include; include = include->next) {
        const char *reason = step_reason(L, &place, include);
        bool fine = include->grouped ? true
                  : include->hidden ? add_hidden(L, &place, include)
                  : reason ? add_step(L, &place, include, reason)
                  : include->assoc->kind->many ? add_fan(L, &place, include) : add_joined(L, &place, include);
        if (!fine) return false;
    }
    return true;
}

void plan_includes(lua_State *L, struct find *find) {
    struct place place = { find, find->plan, 0, 0, NULL, NULL, false };
    plan_children(L, place, find->includes);
}

void plan_loads(lua_State *L, struct find *find) {
    struct place place = { find, find->plan, 0, 0, NULL, NULL, true };
    for (const struct include *include = find->includes; include; include = include->next) {
        if (include->hidden) continue;
        if (!add_step(L, &place, include, "the parents are instances that exist")) return;
    }
}

/* What only counts is checked like what loads: the tree is planned in full, beside the plan that is run. */
void plan_required(lua_State *L, struct find *find) {
    struct plan *plan = find->plan;
    struct find trial = *find;
    trial.plan = plan_new(find->where.arena, model_of(find));
    trial.where.paths = &trial.base;
    trial.base = (struct path_base){ trial.plan->select, &trial.plan->next_alias, 0, false, false };
    find_attrs(L, find, trial.plan, model_of(find), 0);
    plan_includes(L, &trial);
    for (const struct include *include = find->includes; include && !error_is_set(find->where.error); include = include->next)
        if (include->required && !include->grouped)
            select_where(find->where.arena, plan->select,
                         expr_at(find->where.arena, 0, has_rows(L, find, include, plan, model_of(find), 0)));
}

/* ------------------------------------------------------------------------------------------------------- groups */

static bool join_level(lua_State *L, struct find *find, struct include *first, int near) {
    struct plan *plan = find->plan;
    for (struct include *include = first; include; include = include->next) {
        if (!include->hidden) continue;
        struct join *join = walk_join_deleted(find->where.arena, plan->select, &plan->next_alias,
                                              include->required ? JOIN_INNER : JOIN_LEFT, include->assoc, near,
                                              deleted_of(L, find, include));
        struct path_base base = { plan->select, &plan->next_alias, join->target, false, true };
        join->on = expr_and(find->where.arena, join->on,
                            read_include_condition(L, find, include, "where", base, NULL, join->alias));
        include->grouped = true;
        if (error_is_set(find->where.error) || !join_level(L, find, include->first, join->target)) return false;
    }
    return true;
}

bool join_for_groups(lua_State *L, struct find *find) {
    return !find->plan->select->group || join_level(L, find, find->includes, find->alias);
}
