#include "load/link.h"

#include "base/arena.h"

bool clearable(const struct attr *attr) {
    return attr->allow_null && !attr->primary;
}

static struct expr *stored_param(struct arena *arena, const struct attr *attr, struct value logical) {
    type_store(&attr->type, &logical, arena);
    return expr_param(arena, logical);
}

struct expr *link_keys_condition(struct arena *arena, struct link_keys keys) {
    int values = keys.count * keys.attrs.count;
    struct value *stored = arena_array(arena, struct value, values + 1);
    for (int i = 0; i < values; i++) {
        stored[i] = keys.values[i];
        type_store(&keys.attrs.items[i % keys.attrs.count]->type, &stored[i], arena);
    }
    return expr_keys(arena, keys.attrs, stored, keys.count);
}

static const struct expr *restricted(struct arena *arena, const struct expr *where, enum which which, struct link_keys keys) {
    if (which == WHICH_ALL || (which == WHICH_OTHERS && !keys.count)) return where;
    struct expr *named = link_keys_condition(arena, keys);
    return expr_and(arena, where, which == WHICH_NAMED ? named : expr_not(arena, named));
}

/* ---------------------------------------------------------------------------------------- the target holds the key */

static const struct expr *linked_targets(struct arena *arena, const struct assoc *assoc, const struct value *source) {
    const struct expr *where = expr_and(arena, keys_are(arena, assoc_last_hop(assoc)->far, source), assoc_condition(arena, assoc));
    return expr_and(arena, where, not_deleted(arena, assoc->target));
}

/* CASE WHEN <linked as wanted already> THEN attr ELSE <changed> END */
static const struct expr *unless(struct arena *arena, const struct expr *already, const struct attr *attr, struct expr *changed) {
    static const char *const pieces[] = { "CASE WHEN ", " THEN ", " ELSE ", " END" };
    struct expr *expr = expr_new(arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = expr_at(arena, ALIAS_HERE, already);
    expr->first->next = expr_column(arena, attr, ALIAS_HERE);
    expr->first->next->next = changed;
    return expr;
}

static struct expr *next_version(struct arena *arena, const struct model *model) {
    return expr_raised(arena, expr_column(arena, model->version, ALIAS_HERE));
}

/* updatedAt and version of rows that change. */
static void stamp(struct arena *arena, struct update *update, struct value now) {
    const struct model *model = update->model;
    if (model->updated_at && now.kind != VALUE_NULL)
        assign(arena, &update->set, model->updated_at, stored_param(arena, model->updated_at, now));
    if (model->version) assign(arena, &update->set, model->version, next_version(arena, model));
}

static void assign_scope(struct arena *arena, struct update *update, const struct hop *hop) {
    for (int i = 0; i < hop->value_count; i++)
        assign(arena, &update->set, hop->values[i].attr, stored_param(arena, hop->values[i].attr, hop->values[i].value));
}

static const struct expr *scope_holds(struct arena *arena, const struct hop *hop) {
    struct expr *group = expr_group(arena, EXPR_AND);
    for (int i = 0; i < hop->value_count; i++)
        expr_push(arena, group, expr_attr_is(arena, hop->values[i].attr, hop->values[i].value));
    return group;
}

struct update *link_targets(struct arena *arena, const struct assoc *assoc, const struct value *source, struct link_keys keys,
                            struct value now) {
    const struct hop *hop = assoc_last_hop(assoc);
    struct update *update = arena_new(arena, struct update);
    update->model = assoc->target;
    for (int k = 0; k < hop->far.count; k++)
        assign(arena, &update->set, hop->far.items[k], stored_param(arena, hop->far.items[k], source[k]));
    assign_scope(arena, update, hop);
    const struct expr *already = keys_are(arena, hop->far, source);
    const struct attr *updated_at = now.kind != VALUE_NULL ? assoc->target->updated_at : NULL, *version = assoc->target->version;
    if (hop->value_count) already = expr_and(arena, already, scope_holds(arena, hop));
    if (updated_at)
        assign(arena, &update->set, updated_at, unless(arena, already, updated_at, stored_param(arena, updated_at, now)));
    if (version) assign(arena, &update->set, version, unless(arena, already, version, next_version(arena, assoc->target)));
    update->where = link_keys_condition(arena, keys);
    return update;
}

struct update *unlink_targets(struct arena *arena, const struct assoc *assoc, const struct value *source, enum which which,
                              struct link_keys keys, struct value now) {
    const struct hop *hop = assoc_last_hop(assoc);
    struct update *update = arena_new(arena, struct update);
    update->model = assoc->target;
    for (int k = 0; k < hop->far.count; k++)
        if (clearable(hop->far.items[k])) assign(arena, &update->set, hop->far.items[k], expr_param(arena, value_null()));
    if (!update->set) return NULL;
    stamp(arena, update, now);
    update->where = restricted(arena, linked_targets(arena, assoc, source), which, keys);
    return update;
}

struct delete *delete_targets(struct arena *arena, const struct assoc *assoc, const struct value *source, enum which which,
                              struct link_keys keys) {
    struct delete *delete = arena_new(arena, struct delete);
    delete->from = assoc->target;
    delete->where = restricted(arena, linked_targets(arena, assoc, source), which, keys);
    return delete;
}

/* ------------------------------------------------------------------------------------------ a junction holds the keys */

static const struct expr *among(struct arena *arena, struct attr_list attrs, const struct select *select) {
    return expr_in_select(arena, expr_tuple(arena, attrs, ALIAS_HERE), select);
}

/* Within statements over one table, whose own alias is never more than a few. */
enum { SUBQUERY_ALIAS = 901 };

static struct select *columns_of(struct arena *arena, const struct model *model, struct attr_list attrs, int alias) {
    struct select *select = select_new(arena, model, alias);
    for (int k = 0; k < attrs.count; k++)
        output_add(arena, &select->outputs, expr_column(arena, attrs.items[k], ALIAS_HERE), NULL);
    return select;
}

/* key IN (SELECT target key FROM target WHERE scope AND where): links to targets outside of them are not the association's. */
static const struct expr *inside_scope(struct arena *arena, const struct assoc *assoc) {
    const struct expr *condition = assoc_condition(arena, assoc);
    const struct hop *last = assoc_last_hop(assoc);
    if (!condition) return NULL;
    struct select *targets = columns_of(arena, assoc->target, last->far, SUBQUERY_ALIAS);
    targets->where = condition;
    return among(arena, last->near, targets);
}

/* The junction rows of the source, those that are not deleted. */
static const struct expr *links_of(struct arena *arena, const struct assoc *assoc, const struct value *source) {
    const struct hop *first = &assoc->hops[0];
    const struct expr *where = expr_and(arena, keys_are(arena, first->far, source), first->scope);
    return expr_and(arena, where, not_deleted(arena, first->next));
}

struct delete *delete_links(struct arena *arena, const struct assoc *assoc, const struct value *source, enum which which,
                            struct link_keys keys) {
    struct delete *delete = arena_new(arena, struct delete);
    delete->from = assoc->hops[0].next;
    const struct expr *where = expr_and(arena, links_of(arena, assoc, source), inside_scope(arena, assoc));
    delete->where = restricted(arena, where, which, keys);
    return delete;
}

struct select *linked_keys(struct arena *arena, const struct assoc *assoc, const struct value *source, struct link_keys keys) {
    const struct hop *last = assoc_last_hop(assoc);
    struct select *links = columns_of(arena, assoc->hops[0].next, last->near, SUBQUERY_ALIAS);
    links->where = links_of(arena, assoc, source);
    struct select *targets = columns_of(arena, assoc->target, keys.attrs, 0);
    targets->where = expr_and(arena, link_keys_condition(arena, keys), among(arena, last->far, links));
    return targets;
}

struct update *update_links(struct arena *arena, const struct assoc *assoc, const struct value *source, struct link_keys keys) {
    struct update *update = arena_new(arena, struct update);
    update->model = assoc->hops[0].next;
    update->where = restricted(arena, links_of(arena, assoc, source), WHICH_NAMED, keys);
    return update;
}

struct update *scope_targets(struct arena *arena, const struct assoc *assoc, struct link_keys keys, struct value now) {
    const struct hop *last = assoc_last_hop(assoc);
    if (!last->value_count) return NULL;
    struct update *update = arena_new(arena, struct update);
    update->model = assoc->target;
    assign_scope(arena, update, last);
    stamp(arena, update, now);
    static const char *const pieces[] = { "(", ") IS NOT TRUE" };
    struct expr *differs = expr_new(arena, EXPR_RAW);
    differs->pieces = pieces;
    differs->first = expr_at(arena, ALIAS_HERE, scope_holds(arena, last));
    update->where = expr_and(arena, link_keys_condition(arena, keys), differs);
    return update;
}
