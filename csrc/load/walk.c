#include "load/walk.h"

#include "base/arena.h"

/* NULL is no value of a key, but what is given may hold one. */
static struct expr *parts_are(struct arena *arena, struct attr_list attrs, const struct value *keys) {
    struct expr *group = expr_group(arena, EXPR_AND);
    for (int k = 0; k < attrs.count; k++) expr_push(arena, group, expr_attr_is(arena, attrs.items[k], keys[k]));
    return group;
}

struct expr *keys_are(struct arena *arena, struct attr_list attrs, const struct value *keys) {
    struct value *stored = arena_array(arena, struct value, attrs.count + 1);
    for (int k = 0; k < attrs.count; k++) {
        if (keys[k].kind == VALUE_NULL) return parts_are(arena, attrs, keys);
        stored[k] = keys[k];
        type_store(&attrs.items[k]->type, &stored[k], arena);
    }
    return expr_keys(arena, attrs, stored, 1);
}

const struct expr *not_deleted(struct arena *arena, const struct model *model) {
    return model->deleted_at ? expr_attr_is(arena, model->deleted_at, value_null()) : NULL;
}

const struct expr *assoc_condition(struct arena *arena, const struct assoc *assoc) {
    return expr_and(arena, assoc_last_hop(assoc)->scope, assoc->where);
}

const struct expr *hop_condition(struct arena *arena, const struct hop *hop, int near_alias, int far_alias) {
    struct expr *group = expr_group(arena, EXPR_AND);
    for (int k = 0; k < hop->near.count; k++)
        expr_push(arena, group, expr_operator(arena, OP_EQ, expr_column(arena, hop->far.items[k], far_alias),
                                              expr_column(arena, hop->near.items[k], near_alias)));
    return group;
}

const struct expr *hop_filter(struct arena *arena, const struct assoc *assoc, int hop, int alias, int deleted) {
    bool last = hop == assoc->hop_count - 1;
    const struct expr *filter = last ? assoc_condition(arena, assoc) : assoc->hops[hop].scope;
    if (!(deleted & (last ? WALK_DELETED_TARGET : WALK_DELETED_LINKS)))
        filter = expr_and(arena, filter, not_deleted(arena, assoc->hops[hop].next));
    return filter ? expr_at(arena, alias, filter) : NULL;
}

/* ---------------------------------------------------------------------------------------------------- uniqueness */

static bool list_has(struct attr_list attrs, const struct attr *attr) {
    for (int k = 0; k < attrs.count; k++)
        if (attrs.items[k] == attr) return true;
    return false;
}

static bool holds_index(struct attr_list attrs, const struct index *index) {
    if (!index->unique || index->where) return false;
    for (int i = 0; i < index->field_count; i++)
        if (!list_has(attrs, index->fields[i].attr)) return false;
    return index->field_count > 0;
}

static bool holds_key(struct attr_list attrs, struct attr_list key) {
    for (int k = 0; k < key.count; k++)
        if (!list_has(attrs, key.items[k])) return false;
    return key.count > 0;
}

bool attrs_unique(const struct model *model, struct attr_list attrs) {
    if (holds_key(attrs, model->key)) return true;
    for (int k = 0; k < attrs.count; k++)
        if (attrs.items[k]->unique) return true;
    for (const struct index *index = model->indexes; index; index = index->next)
        if (holds_index(attrs, index)) return true;
    return false;
}

bool assoc_single(const struct assoc *assoc) {
    return !assoc->kind->many && assoc->hop_count == 1 && attrs_unique(assoc->target, assoc->hops[0].far);
}

/* --------------------------------------------------------------------------------------------------------- joins */

static const struct expr *hop_on(struct arena *arena, const struct assoc *assoc, int hop, int near, int far, int deleted) {
    return expr_and(arena, hop_condition(arena, &assoc->hops[hop], near, far), hop_filter(arena, assoc, hop, far, deleted));
}

struct join *walk_join(struct arena *arena, struct select *select, int *next_alias, enum join_kind kind, const struct assoc *assoc,
                       int near) {
    return walk_join_deleted(arena, select, next_alias, kind, assoc, near, WALK_PRESENT);
}

struct join *walk_join_deleted(struct arena *arena, struct select *select, int *next_alias, enum join_kind kind,
                               const struct assoc *assoc, int near, int deleted) {
    int alias = (*next_alias)++;
    struct join *outer = select_join(arena, select, kind, assoc->hops[0].next, alias, hop_on(arena, assoc, 0, near, alias,
                                                                                             deleted));
    struct join **more = kind == JOIN_LEFT ? &outer->inside : &select->joins;
    for (int hop = 1; hop < assoc->hop_count; hop++) {
        int far = (*next_alias)++;
        join_add(arena, more, JOIN_INNER, assoc->hops[hop].next, far, hop_on(arena, assoc, hop, alias, far, deleted));
        alias = far;
    }
    outer->assoc = assoc;
    outer->near = near;
    outer->target = alias;
    return outer;
}

struct join *walk_find_join(const struct select *select, const struct assoc *assoc, int near) {
    for (struct join *join = select->joins; join; join = join->next)
        if (join->assoc == assoc && join->near == near) return join;
    return NULL;
}

struct select *walk_rows(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target) {
    return walk_rows_deleted(arena, next_alias, assoc, near, target, WALK_PRESENT);
}

struct select *walk_rows_deleted(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target,
                                 int deleted) {
    int alias = (*next_alias)++;
    struct select *rows = select_new(arena, assoc->hops[0].next, alias);
    rows->where = hop_on(arena, assoc, 0, near, alias, deleted);
    for (int hop = 1; hop < assoc->hop_count; hop++) {
        int far = (*next_alias)++;
        select_join(arena, rows, JOIN_INNER, assoc->hops[hop].next, far, hop_on(arena, assoc, hop, alias, far, deleted));
        alias = far;
    }
    rows->qualified = true;
    rows->here = *target = alias;
    output_add(arena, &rows->outputs, expr_text(arena, "1"), NULL);
    return rows;
}

/* SELECT <the last hop's near key> FROM <all tables before the target>. */
static struct select *way_to_target(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int deleted) {
    const struct hop *last = assoc_last_hop(assoc);
    int alias = (*next_alias)++;
    struct select *way = select_new(arena, assoc->hops[0].next, alias);
    way->qualified = true;
    way->where = hop_on(arena, assoc, 0, near, alias, deleted);
    for (int hop = 1; hop < assoc->hop_count - 1; hop++) {
        int far = (*next_alias)++;
        select_join(arena, way, JOIN_INNER, assoc->hops[hop].next, far, hop_on(arena, assoc, hop, alias, far, deleted));
        alias = far;
    }
    for (int k = 0; k < last->near.count; k++)
        output_add(arena, &way->outputs, expr_column(arena, last->near.items[k], alias), NULL);
    return way;
}

struct select *walk_targets(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target, int deleted) {
    int alias = (*next_alias)++;
    struct select *rows = select_new(arena, assoc->target, alias);
    struct select *way = way_to_target(arena, next_alias, assoc, near, deleted);
    rows->where = expr_and(arena, expr_in_select(arena, expr_tuple(arena, assoc_last_hop(assoc)->far, alias), way),
                           hop_filter(arena, assoc, assoc->hop_count - 1, alias, deleted));
    rows->qualified = true;
    rows->here = *target = alias;
    output_add(arena, &rows->outputs, expr_text(arena, "1"), NULL);
    return rows;
}
