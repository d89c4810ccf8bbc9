/* createS: the new target, its values, and the INSERT that stores it. */
#include "lua/access.h"

#include "lua/value.h"

/* The new target's values: key and scope win over what was given. */
static void preset(lua_State *L, struct call *call, int instance, const struct attr *attr, struct value value) {
    struct error error = { .code = ERROR_NONE };
    lua_pushstring(L, attr->name);
    if (!push_logical(L, call->db, attr, value, &call->arena, &error)) lua_pushnil(L);
    lua_rawset(L, instance);
}

/* A NULL that the scope asks for is no absent value, which would get its default. */
static void preset_scope(lua_State *L, struct call *call, int instance, const struct attr *attr, struct value value) {
    if (value.kind != VALUE_NULL) {
        preset(L, call, instance, attr, value);
        return;
    }
    lua_pushstring(L, attr->name);
    lua_pushlightuserdata(L, NULL);
    lua_rawset(L, instance);
}

void preset_all(lua_State *L, struct call *call, const struct access *access, int instance) {
    const struct hop *last = assoc_last_hop(access->assoc);
    bool by_target = access->assoc->kind->holder == HELD_BY_TARGET;
    for (int i = 0; i < last->value_count; i++) preset_scope(L, call, instance, last->values[i].attr, last->values[i].value);
    for (int k = 0; by_target && k < last->far.count; k++) preset(L, call, instance, last->far.items[k], access->source[k]);
}

/* `fields` of createS is extended by the key and the scope. */
static void extend_fields(struct call *call, struct access *access) {
    const struct hop *last = assoc_last_hop(access->assoc);
    if (!access->options.fields) return;
    bool *fields = arena_copy(&call->arena, access->options.fields, (size_t)attr_room(call->model) * sizeof *fields);
    for (int i = 0; i < last->value_count; i++) fields[last->values[i].attr->ordinal] = true;
    for (int k = 0; access->assoc->kind->holder == HELD_BY_TARGET && k < last->far.count; k++)
        fields[last->far.items[k]->ordinal] = true;
    access->options.fields = fields;
}

/* The new target, pushed: made of the values, or as the Lua side has built it (between its hooks). */
static bool push_created(lua_State *L, struct call *call, const struct access *access, int model_index) {
    struct instance built = instance_look(L, 2);
    if (built.state != INSTANCE_NONE) lua_pop(L, 1);
    if (built.state == INSTANCE_NEW && built.rowset->model == call->model) {
        lua_pushvalue(L, 2);
        return check_built(L, call, 2);
    }
    if (!lua_isnil(L, 2) && (!lua_istable(L, 2) || built.state != INSTANCE_NONE))
        return wrong_argument(call, access, "a table of values expected");
    return build_instance(L, call, model_index, 2) && check_built(L, call, lua_gettop(L));
}

bool plan_create(lua_State *L, struct call *call, struct access *access) {
    int model_index = push_model_names(L, call);
    if (!push_created(L, call, access, model_index)) return false;
    int instance = lua_gettop(L);
    lua_pushvalue(L, instance);
    set_call_value(L, call, CALL_RESULT);
    drop_unlisted(L, call, instance, &access->options);
    preset_all(L, call, access, instance);
    extend_fields(call, access);
    access->created = true;
    access->row = row_new(L, call, model_index + 1, true);
    return prepare_row(L, call, instance, model_index + 1, &access->options, access->row) && no_faults(call);
}

/* What the database computed for the target that createS makes goes into the instance. */
static void take_computed(lua_State *L, struct call *call, const struct access *access) {
    push_call_value(L, call, CALL_RESULT);
    int instance = lua_gettop(L), column = 0;
    for (const struct output *output = access->insert->returning; output; output = output->next, column++) {
        const struct attr *attr = output->expr->attr;
        preset(L, call, instance, attr, kept_cell(call, attr, call->cursor->cells[column]));
    }
    lua_pop(L, 1);
}

/* Takes the row that the target's INSERT gives back. */
static enum drive take_inserted(lua_State *L, struct call *call) {
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        call->rows++;
        take_computed(L, call, call->data);
    }
    return drive;
}

static const struct value *created_given(const struct call *call, const struct attr *attr, int row) {
    const struct access *access = call->data;
    return row == 0 ? &access->row->values[attr->ordinal] : NULL;
}

const struct statement *insert_created(lua_State *L, struct call *call) {
    struct access *access = call->data;
    call->effect = (struct effect){ .given = created_given, .written = call->model };
    push_call_value(L, call, CALL_RESULT);
    access->insert = plan_insert(L, call, lua_gettop(L), access->row);
    lua_pop(L, 1);
    call->take = take_inserted;
    return insert_statement(call, access->insert, &((struct model *)(uintptr_t)call->model)->insert);
}

bool read_created_far(lua_State *L, struct call *call, struct access *access) {
    const struct attr_list far = assoc_last_hop(access->assoc)->far;
    access->elements = arena_new(&call->arena, struct element);
    access->elements[0].far = arena_array(&call->arena, struct value, far.count + 1);
    push_call_value(L, call, CALL_RESULT);
    bool fine = read_attributes(L, call, lua_gettop(L), far, access->elements[0].far);
    lua_pop(L, 1);
    for (int k = 0; k < far.count; k++)
        if (access->elements[0].far[k].kind == VALUE_NULL && far.items[k]->auto_increment)
            access->elements[0].far[k] = value_int(call->last_id);
    return fine && check_far(call, access, access->elements[0].far);
}

void adopt_created(lua_State *L, struct call *call) {
    struct access *access = call->data;
    push_call_value(L, call, CALL_RESULT);
    adopt_row(L, call, lua_gettop(L), call->last_id, access->row);
    lua_pop(L, 1);
    access->created_done = true;
}
