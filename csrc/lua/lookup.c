/* Reads by one key: findByPk, and the getters of associations whose targets hold the key. */
#include <string.h>

#include "lua/hydrate_internal.h"

/* Their texts depend on the model and the key only, and are kept with the model: so many for its keys, made at most so often
 * (definitions that keep changing leave texts behind in the schema's arena). */
enum { MOST_LOOKUPS = 8, MOST_TEXTS = 32 };

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

static void keep_text(struct call *call, const struct select *select, const struct statement *statement) {
    struct model *model = (struct model *)(uintptr_t)select->from;
    call->db->L = call->L;
    struct cached_lookup *lookup = find_lookup(model, select->where->attrs);
    if (!lookup) lookup = lookup_new(&call->db->arena, model, select->where->attrs);
    if (!lookup || lookup->made == MOST_TEXTS) return;
    const char *text = arena_text(&call->db->arena, statement->text, statement->len);
    *lookup = (struct cached_lookup){ lookup->next, lookup->key, text, statement->len, model->generation, lookup->made + 1 };
}

static const struct statement *statement_of_text(struct call *call, const struct cached_lookup *lookup, const struct expr *keys) {
    struct statement *statement = arena_new(&call->arena, struct statement);
    statement->text = lookup->text;
    statement->len = lookup->len;
    statement->params = keys->values;
    statement->param_count = keys->value_count;
    statement->kind = STATEMENT_READ;
    return statement;
}

const struct statement *select_statement(struct call *call, const struct select *select) {
    bool plain = is_lookup(select);
    const struct cached_lookup *lookup = plain ? find_lookup(select->from, select->where->attrs) : NULL;
    if (lookup && lookup->text && lookup->generation == select->from->generation)
        return statement_of_text(call, lookup, select->where);
    const struct statement *statement = render_select(&call->arena, call->db->dialect, select, &call->error);
    if (plain && statement) keep_text(call, select, statement);
    return statement;
}
