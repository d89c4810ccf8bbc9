/* Reads by one key: findByPk, and the getters of associations whose targets hold the key. */
#include <string.h>

#include "lua/hydrate_internal.h"
#include "lua/kept_text.h"

/* Their texts depend on the model and the key only, and are kept with the model, for so many of its keys. */
enum { MOST_LOOKUPS = 8 };

static bool asks_for_one_key(const struct select *select) {
    const struct expr *where = select->where;
    return where && where->kind == EXPR_KEYS && where->attrs.count && where->value_count == where->attrs.count;
}

/* All attributes of a table by one key, and nothing else. */
static bool is_lookup(const struct select *select) {
    bool filtered = select->joins || select->having || select->group || select->order || select->limit >= 0 || select->offset >= 0;
    bool plain = select->from && !select->outputs && !select->distinct && !select->qualified && select->lock == LOCK_NONE;
    return plain && !filtered && asks_for_one_key(select);
}

static bool is_for(const struct cached_lookup *lookup, struct attr_list key) {
    for (int k = 0; k < key.count; k++)
        if (lookup->key.items[k] != key.items[k]) return false;
    return lookup->key.count == key.count;
}

static struct cached_lookup *find_lookup(const struct model *model, struct attr_list key) {
    for (struct cached_lookup *lookup = model->lookups; lookup; lookup = lookup->next)
        if (is_for(lookup, key)) return lookup;
    return NULL;
}

static struct cached_lookup *lookup_new(struct arena *arena, struct model *model, struct attr_list key) {
    int count = 0;
    for (const struct cached_lookup *lookup = model->lookups; lookup; lookup = lookup->next) count++;
    if (count == MOST_LOOKUPS) return NULL;
    const struct attr **items = arena_array(arena, const struct attr *, key.count);
    struct cached_lookup *fresh = arena_new(arena, struct cached_lookup);
    memcpy(items, key.items, sizeof *items * (size_t)key.count);
    *fresh = (struct cached_lookup){ .next = model->lookups, .key = { items, key.count } };
    model->lookups = fresh;
    return fresh;
}

static struct cached_lookup *lookup_for(struct call *call, const struct select *select) {
    struct model *model = (struct model *)(uintptr_t)select->from;
    struct cached_lookup *lookup = find_lookup(model, select->where->attrs);
    call->db->L = call->L;
    return lookup ? lookup : lookup_new(&call->db->arena, model, select->where->attrs);
}

const struct statement *select_statement(struct call *call, const struct select *select) {
    struct cached_lookup *lookup = is_lookup(select) ? lookup_for(call, select) : NULL;
    const struct expr *keys = select->where;
    const struct statement *statement = NULL;
    if (lookup) statement = kept_statement(call, &lookup->kept, select->from, keys->values, keys->value_count, STATEMENT_READ);
    if (statement) return statement;
    statement = render_select(&call->arena, call->db->dialect, select, &call->error);
    if (statement && lookup) keep_text(call, &lookup->kept, select->from, statement);
    return statement;
}
