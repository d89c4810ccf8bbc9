#include "schema/order.h"

#include <string.h>

#include "base/arena.h"

enum mark { UNSEEN, OPEN, PLACED };

struct sorting {
    const struct schema *schema;
    struct model_order order;
    const struct model **all;
    enum mark *marks;
    int count;
};

static int index_of(const struct sorting *sorting, const struct model *model) {
    for (int i = 0; i < sorting->count; i++)
        if (sorting->all[i] == model) return i;
    return -1;
}

static int index_of_table(const struct sorting *sorting, const char *table) {
    for (int i = 0; i < sorting->count; i++)
        if (strcmp(sorting->all[i]->table, table) == 0) return i;
    return -1;
}

static int referenced(const struct sorting *sorting, const struct foreign_key *key) {
    return key->target ? index_of(sorting, key->target) : index_of_table(sorting, key->table);
}

static void add_late(struct model_order *order, const struct model *holder, const struct foreign_key *key) {
    order->late[order->late_count] = key;
    order->late_models[order->late_count++] = holder;
}

/* Whether CREATE TABLE itself makes a reference of the table to these columns of its own possible: they are its primary key.
 * Unique indexes are made after the table. */
static bool is_key_of_table(const struct model *model, const struct foreign_key *key) {
    int primary = 0;
    for (int i = 0; i < key->attrs.count; i++) {
        const struct attr *attr = attr_of_column(model, key->columns[i]);
        if (attr && attr->primary) primary++;
    }
    return primary == model->key.count && key->attrs.count == primary;
}

/* Depth first: what a model references is placed before it; an open one met again closes a cycle. */
static void place(struct sorting *sorting, int at) {
    if (sorting->marks[at] != UNSEEN) return;
    sorting->marks[at] = OPEN;
    const struct model *model = sorting->all[at];
    for (const struct foreign_key *key = model->foreign_keys; key; key = key->next) {
        int target = referenced(sorting, key);
        if (target < 0 || (target == at && is_key_of_table(model, key))) continue;
        if (sorting->marks[target] == OPEN) add_late(&sorting->order, model, key);
        else place(sorting, target);
    }
    sorting->marks[at] = PLACED;
    sorting->order.models[sorting->order.count++] = model;
}

struct model_order order_models(const struct schema *schema, struct arena *arena) {
    struct sorting sorting = { .schema = schema };
    int keys = 0;
    for (const struct model *model = schema->models; model; model = model->next) {
        sorting.count++;
        for (const struct foreign_key *key = model->foreign_keys; key; key = key->next) keys++;
    }
    sorting.all = arena_array(arena, const struct model *, sorting.count + 1);
    sorting.marks = arena_array(arena, enum mark, sorting.count + 1);
    sorting.order.models = arena_array(arena, const struct model *, sorting.count + 1);
    sorting.order.late = arena_array(arena, const struct foreign_key *, keys + 1);
    sorting.order.late_models = arena_array(arena, const struct model *, keys + 1);
    int i = 0;
    for (const struct model *model = schema->models; model; model = model->next) sorting.all[i++] = model;
    for (i = 0; i < sorting.count; i++) place(&sorting, i);
    return sorting.order;
}
