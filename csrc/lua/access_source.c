/* belongsTo: the source itself holds the key. */
#include "lua/access.h"
#include "lua/value.h"

static const struct hop *hop_of(const struct access *access) {
    return &access->assoc->hops[0];
}

/* The key that refers to nothing. Parts that can't be NULL stay, unless all of them can't. */
static bool check_clearable(struct call *call, const struct access *access) {
    const struct attr_list near = hop_of(access)->near;
    for (int k = 0; k < near.count; k++)
        if (clearable(near.items[k])) return true;
    const struct attr *attr = near.items[0];
    const char *message = arena_printf(&call->arena, "%s.%s must not be null", attr->model->name, attr->name);
    add_fault(call, attr, "notNull", message, value_null());
    return no_faults(call);
}

/* The key as it is stored, which the instance need not show: what was assigned is no row's yet, what was not selected is not
 * known. */
static bool read_held(lua_State *L, struct call *call, struct access *access, const struct instance *instance, int rowset_index) {
    const struct attr_list near = hop_of(access)->near;
    access->held = arena_array(&call->arena, bool, near.count + 1);
    return read_originals(L, call, rowset_index, instance, near, access->source, access->held);
}

static bool read_source_key(lua_State *L, struct call *call, struct access *access) {
    struct instance instance = check_instance(L, 1, NULL);
    int rowset_index = lua_gettop(L);
    access->source_key = arena_array(&call->arena, struct value, access->assoc->source->key.count + 1);
    bool fine = read_stored_key(L, call, 1, rowset_index, &instance, access->source_key)
             && read_held(L, call, access, &instance, rowset_index);
    lua_pop(L, 1);
    return fine;
}

static bool source_plan(lua_State *L, struct call *call) {
    struct access *access = call->data;
    bool cleared = access->verb == VERB_SET && !access->count;
    if (cleared && !check_clearable(call, access)) return false;
    if (access->save && !read_source_key(L, call, access)) return false;
    call->atomic = access->verb == VERB_CREATE;
    bool reads = access->count && access->elements[0].raw && (access->save || !access->elements[0].far);
    call->phase = reads ? PHASE_READ : access->created ? PHASE_CREATE : PHASE_LINK;
    return true;
}

static bool is_cleared(const struct access *access) {
    return !access->count && !access->created;
}

/* What a part of the source's key becomes. Clearing leaves parts alone that can't be NULL: then false. */
static bool new_part(const struct access *access, int k, struct value *part) {
    if (is_cleared(access) && !clearable(hop_of(access)->near.items[k])) return false;
    *part = is_cleared(access) ? value_null() : access->elements[0].far[k];
    return true;
}

static bool is_held(const struct access *access, int k, struct value part) {
    return access->held[k] && value_equal(part, access->source[k]);
}

static const struct statement *save_statement(struct call *call) {
    struct access *access = call->data;
    const struct model *source = access->assoc->source;
    const struct attr_list near = hop_of(access)->near;
    if (!access->save) return NULL;
    struct update *update = arena_new(&call->arena, struct update);
    update->model = source;
    for (int k = 0; k < near.count; k++) {
        struct value part;
        if (!new_part(access, k, &part) || is_held(access, k, part)) continue;
        type_store(&near.items[k]->type, &part, &call->arena);
        assign(&call->arena, &update->set, near.items[k], expr_param(&call->arena, part));
    }
    if (!update->set) return NULL;
    if (source->updated_at && !access->options.silent) {
        struct value now = call_now(call);
        type_store(&source->updated_at->type, &now, &call->arena);
        assign(&call->arena, &update->set, source->updated_at, expr_param(&call->arena, now));
    }
    update->where = keys_are(&call->arena, source->key, access->source_key);
    access->updates = true;
    return render_update(&call->arena, call->db->dialect, update, &call->error);
}

/* Reads the row of a raw key: it must exist, and it may have to be translated. */
static const struct statement *read_statement(struct call *call) {
    const struct access *access = call->data;
    struct select *select = select_new(&call->arena, access->assoc->target, 0);
    const struct attr_list far = hop_of(access)->far;
    for (int k = 0; k < far.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, far.items[k], ALIAS_HERE), NULL);
    select->where = link_keys_condition(&call->arena, element_keys(call, access));
    return render_select(&call->arena, call->db->dialect, select, &call->error);
}

static bool source_vanished(struct call *call) {
    const struct access *access = call->data;
    error_set(&call->error, &call->arena, ERROR_INSTANCE, "this %s can't be saved: its row does not exist any more",
              access->assoc->source->name);
    call->error.model = access->assoc->source->name;
    return false;
}

static bool source_next(lua_State *L, struct call *call) {
    struct access *access = call->data;
    switch (call->phase) {
    case PHASE_READ:
        call->statement = read_statement(call);
        call->phase = PHASE_CHECK;
        return call->statement != NULL;
    case PHASE_CHECK:
        if (!call->rows) return missing_row(call);
        if (!check_far(call, access, access->elements[0].far)) return false;
        /* fall through */
    case PHASE_LINK:
        call->phase = PHASE_OVER;
        call->statement = save_statement(call);
        return call->statement != NULL;
    case PHASE_CREATE:
        call->phase = PHASE_SCOPE;
        call->statement = insert_created(L, call);
        return call->statement != NULL;
    case PHASE_SCOPE:
        access->created_id = call->last_id;
        if (!read_created_far(L, call, access)) return false;
        call->phase = PHASE_OVER;
        call->statement = save_statement(call);
        return call->statement != NULL;
    default:
        return access->updates && !call->affected ? source_vanished(call) : false;
    }
}

static enum drive source_take(lua_State *L, struct call *call) {
    struct access *access = call->data;
    const struct attr_list far = hop_of(access)->far;
    enum drive drive;
    (void)L;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        if (call->rows++ || access->created) continue;
        struct value *values = arena_array(&call->arena, struct value, far.count + 1);
        for (int k = 0; k < far.count; k++) values[k] = kept_cell(call, far.items[k], call->cursor->cells[k]);
        access->elements[0].far = values;
    }
    return drive;
}

/* With save = false the key is only assigned: the instance is changed, its row is not. */
static void assign_only(lua_State *L, const struct access *access, int source) {
    const struct attr_list near = hop_of(access)->near;
    for (int k = 0; k < near.count; k++) {
        struct value part;
        if (!new_part(access, k, &part)) continue;
        lua_pushstring(L, near.items[k]->name);
        push_value(L, part);
        lua_rawset(L, source);
    }
}

static void adopt_key(lua_State *L, struct call *call, const struct access *access, int source_index) {
    const struct model *source = access->assoc->source;
    const struct attr_list near = hop_of(access)->near;
    struct value *values = arena_array(&call->arena, struct value, near.count + 2);
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, near.count + 2);
    bool changed = false;
    int count = 0;
    for (int k = 0; k < near.count; k++) {
        if (!new_part(access, k, &values[count])) continue;
        changed = changed || !is_held(access, k, values[count]);
        attrs[count++] = near.items[k];
    }
    if (changed && source->updated_at && !access->options.silent) {
        attrs[count] = source->updated_at;
        values[count++] = call_now(call);
    }
    set_stored(L, call, source_index, attrs, values, count);
}

static void source_adopt(lua_State *L, struct call *call) {
    struct access *access = call->data;
    if (access->created) {
        call->last_id = access->created_id;
        adopt_created(L, call);
    }
    push_call_value(L, call, CALL_KEEP);
    if (access->save) adopt_key(L, call, access, lua_gettop(L));
    else assign_only(L, access, lua_gettop(L));
    lua_pop(L, 1);
}

const struct link_rule link_by_source = { source_plan, source_next, source_take, source_adopt };
