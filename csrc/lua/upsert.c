/* upsert: a row is inserted, or the one with its key updated.
 *
 * Two statements take turns until one has found its row: INSERT … ON CONFLICT (key) DO NOTHING, then UPDATE … WHERE key. Each is
 * atomic by itself and the first changes nothing where the second is needed, so which of them worked tells exactly, on every
 * engine and under concurrency, whether the row was created. */
#include "lua/conflict.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/lifecycle.h"
#include "lua/marker.h"
#include "lua/value.h"
#include "lua/write_job.h"

/* Rows that vanish between the two statements: after so many turns something else is wrong. */
enum { UPSERT_TURNS = 20 };

struct upsert {
    struct write *write;
    struct insert *insert;
    struct update update;
    struct attr_list key;               /* count 0: no other row can have it */
};

enum { VALUES = 2, OPTIONS, CHOSEN };   /* stack indexes: the values with defaults filled in, and as they were given */

/* A part that is NULL equals nothing; one that the database computes can't be looked for. */
static bool key_is_known(lua_State *L, int index, const struct upsert *upsert, bool *computed) {
    for (int k = 0; k < upsert->key.count; k++) {
        const struct attr *attr = upsert->key.items[k];
        push_attribute(L, index, attr);
        *computed = *computed || marker_test(L, -1);
        lua_pop(L, 1);
        if (!*computed && upsert->write->row->values[attr->ordinal].kind == VALUE_NULL) return false;
    }
    return upsert->key.count > 0;
}

static bool choose_key(lua_State *L, struct call *call, int index, struct upsert *upsert) {
    const struct write_options *options = &upsert->write->options;
    bool *given = arena_array(&call->arena, bool, call->model->attr_count + 1), computed = false;
    note_given(L, call, CHOSEN, false, given);
    upsert->key = options->conflict_fields.count ? options->conflict_fields : conflict_key(call, given);
    if (!key_is_known(L, index, upsert, &computed)) upsert->key.count = 0;
    return !computed || error_set(&call->error, &call->arena, ERROR_USAGE,
                                  "%s:upsert: the key must be given as values, not as SQL", call->model->name);
}

static bool in_list(struct attr_list list, const struct attr *attr) {
    for (int i = 0; i < list.count; i++)
        if (list.items[i] == attr) return true;
    return false;
}

/* What was given is what an existing row gets; its keys stay. */
static bool is_updated(lua_State *L, const struct upsert *upsert, const struct attr *attr) {
    push_attribute(L, CHOSEN, attr);
    bool chosen = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return chosen && !attr->primary && !in_list(upsert->key, attr) && written_field(&upsert->write->options, attr);
}

static void plan_assignments(lua_State *L, struct call *call, int index, struct upsert *upsert) {
    const struct model *model = call->model;
    const struct attr *stamp = model->updated_at;
    for (int i = 0; i < model->attr_count; i++) {
        if (!is_updated(L, upsert, model->attrs[i])) continue;
        push_attribute(L, index, model->attrs[i]);
        assign_change(L, call, &upsert->update, model->attrs[i], lua_gettop(L));
        lua_pop(L, 1);
        if (model->attrs[i] == stamp) stamp = NULL;
    }
    touch(call, &upsert->update, stamp);
    if (upsert->update.set) bump_version(call, &upsert->update);
    if (upsert->update.set) return;
    const struct attr *same = upsert->key.items[0];
    struct value value = upsert->write->row->values[same->ordinal];
    type_store(&same->type, &value, &call->arena);
    assign(&call->arena, &upsert->update.set, same, expr_param(&call->arena, value));
}

static void plan_update(lua_State *L, struct call *call, int index, struct upsert *upsert) {
    struct value *key = arena_array(&call->arena, struct value, upsert->key.count);
    for (int k = 0; k < upsert->key.count; k++) key[k] = upsert->write->row->values[upsert->key.items[k]->ordinal];
    upsert->update.model = call->model;
    plan_assignments(L, call, index, upsert);
    upsert->update.where = expr_and(&call->arena, keys_are(&call->arena, upsert->key, key), upsert->write->options.conflict_where);
    upsert->update.returning = upsert->insert->returning;
}

static bool plan_upsert(lua_State *L, struct call *call, int index, struct upsert *upsert) {
    if (!choose_key(L, call, index, upsert)) return false;
    upsert->insert = plan_insert(L, call, index, upsert->write->row);
    upsert->insert->returning = NULL;
    return_rows(L, call, &upsert->write->options, &upsert->insert->returning);
    if (!upsert->key.count) return no_faults(call);
    upsert->insert->conflict = CONFLICT_NOTHING;
    upsert->insert->target = upsert->key;
    upsert->insert->target_where = upsert->write->options.conflict_where;
    plan_update(L, call, index, upsert);
    return no_faults(call);
}

static const struct value *upsert_given(const struct call *call, const struct attr *attr, int row) {
    const struct upsert *upsert = call->data;
    return row == 0 ? &upsert->write->row->values[attr->ordinal] : NULL;
}

static bool is_insert(int turn) { return turn % 2 == 0; }

static bool upsert_next(lua_State *L, struct call *call) {
    struct upsert *upsert = call->data;
    (void)L;
    if (call->phase && call->rows) return false;
    if (call->phase == UPSERT_TURNS)
        return error_set(&call->error, &call->arena, ERROR_SERIALIZATION,
                         "%s:upsert: the row with this key neither lets itself be inserted nor updated", call->model->name);
    if (is_insert(call->phase++))
        call->statement = render_insert(&call->arena, call->db->dialect, upsert->insert, &call->error);
    else
        call->statement = render_update(&call->arena, call->db->dialect, &upsert->update, &call->error);
    return call->statement != NULL;
}

static int upsert_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    lua_rawgeti(L, -1, 1);
    lua_pushboolean(L, is_insert(call->phase - 1));
    return 2;
}

/* core.upsert(class, values, options, chosen) → instance, created. `chosen`: the values before defaults by function. */
int upsert(lua_State *L) {
    lua_settop(L, CHOSEN);
    struct call *call = call_open_class(L, 1);
    if (!lua_istable(L, CHOSEN))
        return call_fail(L, call, ERROR_USAGE, "%s:upsert: a table of values expected, got %s", call->model->name,
                         kind_text(L, CHOSEN));
    struct upsert *job = arena_new(&call->arena, struct upsert);
    job->write = write_new(call);
    push_model_names(L, call);
    job->write->row = row_new(L, call, lua_gettop(L), true);
    bool fine = read_write_options(L, call, OPTIONS, WRITE_UPSERT, &job->write->options)
             && build_row(L, call, VALUES, lua_gettop(L), &job->write->options, job->write->row) && no_faults(call)
             && plan_upsert(L, call, lua_gettop(L), job);
    if (!fine && !error_is_set(&call->error)) no_faults(call);
    if (!fine) return call_raise(L, call);
    call->data = job;
    call->next = upsert_next;
    call->effect.given = upsert_given;
    call->results = upsert_results;
    return call_run(L, call);
}
