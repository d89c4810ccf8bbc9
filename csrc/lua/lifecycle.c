#include "lua/lifecycle.h"

#include "lua/value.h"

/* ------------------------------------------------------------------------------------------------------ versions */

void bump_version(struct call *call, struct update *update) {
    const struct attr *version = call->model->version;
    for (const struct assignment *there = update->set; there && version; there = there->next)
        if (there->attr == version) version = NULL;
    if (!version) return;
    assign(&call->arena, &update->set, version, expr_raised(&call->arena, expr_column(&call->arena, version, ALIAS_HERE)));
}

const struct expr *guard_version(lua_State *L, struct call *call, int rowset_index, const struct instance *instance,
                                 const struct expr *where) {
    struct write *write = call->data;
    const struct attr *version = call->model->version;
    bool known = version && instance->row >= 0 && original_kind(instance->rowset, instance->row, version) == ORIGINAL_INT;
    if (!known) return where;
    push_original(L, rowset_index, instance->rowset, instance->row, version);
    lua_Integer read = lua_tointeger(L, -1);
    lua_pop(L, 1);
    write->guarded = true;
    write->values[version->ordinal] = value_int(read + 1);
    write->known[version->ordinal] = true;
    return expr_and(&call->arena, where, expr_attr_is(&call->arena, version, value_int(read)));
}

/* ----------------------------------------------------------------------------------------------- marking as deleted */

static struct expr *stored_now(struct call *call, const struct attr *attr) {
    struct value now = call_now(call);
    type_store(&attr->type, &now, &call->arena);
    return expr_param(&call->arena, now);
}

static void stamp(struct call *call, struct update *update, const struct write_options *options) {
    const struct attr *updated_at = update->model->updated_at;
    if (updated_at && !options->silent) assign(&call->arena, &update->set, updated_at, stored_now(call, updated_at));
}

const struct statement *removal_statement(struct call *call, const struct delete *delete, const struct write_options *options) {
    const struct attr *deleted_at = delete->from->deleted_at;
    if (!removes_softly(delete->from, options)) return render_delete(&call->arena, call->db->dialect, delete, &call->error);
    struct update update = { .model = delete->from, .where = delete->where, .aliased = delete->aliased,
                             .returning = delete->returning };
    assign(&call->arena, &update.set, deleted_at, stored_now(call, deleted_at));
    stamp(call, &update, options);
    if (call->model == delete->from) bump_version(call, &update);
    return render_update(&call->arena, call->db->dialect, &update, &call->error);
}

void leave_out_deleted_rows(struct call *call, struct write_options *options) {
    if (call->model->deleted_at && !options->with_deleted)
        options->where = expr_and(&call->arena, options->where, not_deleted(&call->arena, call->model));
}

/* One that is marked already keeps the time of its deletion. */
void plan_soft_destroy(struct call *call, const struct expr *where) {
    struct write *write = call->data;
    const struct model *model = call->model;
    struct update update = { .model = model, .where = where };
    struct expr *first = expr_new(&call->arena, EXPR_FUNCTION);
    first->text = "coalesce";
    first->first = expr_column(&call->arena, model->deleted_at, ALIAS_HERE);
    first->first->next = stored_now(call, model->deleted_at);
    assign(&call->arena, &update.set, model->deleted_at, first);
    stamp(call, &update, &write->options);
    bump_version(call, &update);
    const struct attr *read_back[] = { model->deleted_at, model->updated_at, model->version };
    for (int i = 0; i < 3; i++)
        if (read_back[i]) output_add(&call->arena, &update.returning, expr_column(&call->arena, read_back[i], ALIAS_HERE), NULL);
    write->returning = update.returning;
    call->statement = render_update(&call->arena, call->db->dialect, &update, &call->error);
    call->take = take_values;
    call->results = read_back_results;
}

/* ------------------------------------------------------------------------------------------------------ restoring */

static bool check_paranoid(struct call *call) {
    if (call->model->deleted_at) return true;
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s is not paranoid: its rows are gone once they are destroyed (model option paranoid = true)",
                     call->model->name);
}

static void plan_restore(struct call *call, struct update *update) {
    const struct model *model = call->model;
    struct write *write = call->data;
    update->model = model;
    assign(&call->arena, &update->set, model->deleted_at, expr_param(&call->arena, value_null()));
    write->values[model->deleted_at->ordinal] = value_null();
    write->known[model->deleted_at->ordinal] = true;
    touch(call, update, model->updated_at);
    bump_version(call, update);
}

static int restored_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    if (!call->affected) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    instance_store(L, call, lua_gettop(L), write->values, write->known, false);
    return 1;
}

/* core.restore(instance, options) → the instance, whose row counts again */
static int restore(lua_State *L) {
    struct instance instance;
    int rowset_index;
    struct value key[KEY_PARTS];
    struct update update = { 0 };
    lua_settop(L, 2);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    bool fine = check_paranoid(call) && read_write_options(L, call, 2, WRITE_RESTORE, &write->options)
             && stored_key_of(L, call, rowset_index, &instance, key);
    if (!fine) return call_raise(L, call);
    plan_restore(call, &update);
    update.where = guard_version(L, call, rowset_index, &instance, keys_are(&call->arena, call->model->key, key));
    call->statement = render_update(&call->arena, call->db->dialect, &update, &call->error);
    write->vanished = "restored";
    call->next = run_statement_once;
    call->results = restored_results;
    return call_run(L, call);
}

/* Model:restore(options) → number of rows that count again */
static int restore_rows(lua_State *L) {
    struct update update = { 0 };
    lua_settop(L, 2);
    struct call *call = call_open_class(L, 1);
    struct write *write = write_new(call);
    bool fine = check_paranoid(call) && read_write_options(L, call, 2, WRITE_WHERE | WRITE_RESTORE, &write->options)
             && check_condition(call, &write->options, "restore");
    if (!fine) return call_raise(L, call);
    struct expr *deleted = expr_not(&call->arena, (struct expr *)(uintptr_t)not_deleted(&call->arena, call->model));
    write->options.where = expr_and(&call->arena, write->options.where, deleted);
    plan_restore(call, &update);
    return run_update(L, call, &update);
}

void open_lifecycle(lua_State *L) {
    static const luaL_Reg functions[] = { { "restore", restore }, { NULL, NULL } };
    static const luaL_Reg class_functions[] = { { "restore", restore_rows }, { NULL, NULL } };
    add_functions(L, class_functions);
    lua_insert(L, -2);
    add_functions(L, functions);
    lua_insert(L, -2);
}
