#include "lua/conflict.h"

#include "lua/value.h"

/* A value that nobody chose: a UUID in a built instance, what a default function gave. */
static bool is_made_up(const struct attr *attr, bool filled, bool instance) {
    if (filled && attr->default_kind == DEFAULT_CALL) return true;
    return instance && (attr->default_kind == DEFAULT_UUID4 || attr->default_kind == DEFAULT_UUID7);
}

void note_given(lua_State *L, const struct call *call, int index, bool filled, bool *given) {
    const struct model *model = call->model;
    bool instance = instance_test(L, index);
    for (int i = 0; i < model->attr_count; i++) {
        push_attribute(L, index, model->attrs[i]);
        if (!is_null(L, -1) && !is_made_up(model->attrs[i], filled, instance)) given[i] = true;
        lua_pop(L, 1);
    }
}

static bool covers_key(struct attr_list key, const bool *given) {
    for (int k = 0; k < key.count; k++)
        if (!given[key.items[k]->ordinal]) return false;
    return key.count > 0;
}

static struct attr_list index_key(struct arena *arena, const struct index *index) {
    const struct attr **items = arena_array(arena, const struct attr *, index->field_count + 1);
    for (int i = 0; i < index->field_count; i++) {
        items[i] = index->fields[i].attr;
        if (!items[i]) return (struct attr_list){ NULL, 0 };        /* an expression */
    }
    return (struct attr_list){ items, index->field_count };
}

struct attr_list conflict_key(struct call *call, const bool *given) {
    const struct model *model = call->model;
    if (covers_key(model->key, given)) return model->key;
    for (const struct index *index = model->indexes; index; index = index->next) {
        if (!index->unique || index->where) continue;
        struct attr_list key = index_key(&call->arena, index);
        if (covers_key(key, given)) return key;
    }
    return model->key;
}

static void take_proposed(struct call *call, struct insert *insert, const struct attr *attr) {
    assign(&call->arena, &insert->update, attr, expr_of_upsert(&call->arena, EXPR_EXCLUDED, attr));
}

void raise_version_of_standing(struct call *call, struct insert *insert) {
    const struct attr *version = insert->into->version;
    for (const struct assignment *there = insert->update; there && version; there = there->next)
        if (there->attr == version) version = NULL;
    if (!version) return;
    assign(&call->arena, &insert->update, version,
           expr_raised(&call->arena, expr_of_upsert(&call->arena, EXPR_STANDING, version)));
}

static bool plan_update(struct call *call, const struct write_options *options, struct insert *insert) {
    const struct model *model = call->model;
    if (!insert->target.count)
        return error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s has no primary key: name the attributes of a unique key with conflictFields", model->name);
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        bool stamp = attr == model->updated_at && !options->silent;
        if (attr != model->version && (options->updated[i] || stamp)) take_proposed(call, insert, attr);
    }
    raise_version_of_standing(call, insert);
    return true;
}

static bool is_returned(const struct output *returning, const struct attr *attr) {
    for (; returning; returning = returning->next)
        if (returning->expr->attr == attr) return true;
    return false;
}

void plan_read_back(struct call *call, const struct write_options *options, struct output **returning) {
    const struct model *model = call->model;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        bool wanted = !options->returned || options->returned[i] || attr->auto_increment;
        if (!wanted || attr->type.id == TYPE_VIRTUAL || is_returned(*returning, attr)) continue;
        output_add(&call->arena, returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    }
}

/* What only the database knows: the generated key, and texts that it writes anew. */
static void return_made(struct call *call, struct output **returning) {
    const struct model *model = call->model;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        bool made = attr == model->auto_key || type_is_rewritten(&attr->type);
        if (made && !is_returned(*returning, attr))
            output_add(&call->arena, returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    }
}

/* After an update the row is another than the one that was proposed: all of it comes back. After "do nothing" the generated key
 * does, of a row that was inserted. */
static void plan_answer(struct call *call, const struct write_options *options, struct insert *insert) {
    struct write_options everything = { .returned = NULL };
    if (insert->conflict == CONFLICT_UPDATE) plan_read_back(call, &everything, &insert->returning);
    else if (options->returning) plan_read_back(call, options, &insert->returning);
    else return_made(call, &insert->returning);
}

bool plan_duplicates(struct call *call, const struct write_options *options, const bool *given, struct insert *insert) {
    insert->conflict = options->conflict;
    insert->target = options->conflict_fields;
    insert->target_where = options->conflict_where;
    if (insert->conflict == CONFLICT_UPDATE && !insert->target.count) insert->target = conflict_key(call, given);
    if (insert->conflict == CONFLICT_UPDATE && !plan_update(call, options, insert)) return false;
    plan_answer(call, options, insert);
    return true;
}
