/* hasOne, hasMany: the target holds the key. set = unlink the others, link those named; add = link; remove = unlink. */
#include "lua/access.h"
#include "lua/value.h"

static struct value now_or_null(struct call *call) {
    const struct access *access = call->data;
    return access->options.silent ? value_null() : call_now(call);
}

static bool removes(const struct access *access) {
    return access->verb == VERB_REMOVE || access->verb == VERB_REMOVE_MULTIPLE;
}

/* A hasOne leaves exactly one row linked, so its create unlinks first, as set does. */
static bool unlinks_first(const struct access *access) {
    return access->verb == VERB_SET || (access->verb == VERB_CREATE && !access->assoc->kind->many);
}

static bool target_plan(lua_State *L, struct call *call) {
    (void)L;
    struct access *access = call->data;
    bool one_statement = access->verb == VERB_CREATE || (access->count <= 1 && !removes(access));
    if (removes(access) && access->count <= 1 && !access->raw_count) one_statement = true;
    call->atomic = unlinks_first(access) || !one_statement;
    if (!access->count && access->verb == VERB_SET) call->atomic = false;
    call->phase = unlinks_first(access) ? PHASE_UNLINK : removes(access) ? PHASE_UNLINK : PHASE_CREATE;
    return true;
}

static const struct statement *unlink_statement(struct call *call) {
    struct access *access = call->data;
    struct link_keys keys = element_keys(call, access);
    enum which which = removes(access) ? WHICH_NAMED : access->count ? WHICH_OTHERS : WHICH_ALL;
    struct update *update = access->destroy ? NULL : unlink_targets(&call->arena, access->assoc, access->source, which, keys,
                                                                     now_or_null(call));
    struct delete *delete = update ? NULL : delete_targets(&call->arena, access->assoc, access->source, which, keys);
    return render_update_or_delete(call, update, delete);
}

static const struct statement *link_statement(struct call *call) {
    const struct access *access = call->data;
    struct update *update = link_targets(&call->arena, access->assoc, access->source, element_keys(call, access), now_or_null(call));
    return render_update(&call->arena, call->db->dialect, update, &call->error);
}

/* After unlinking for remove: fewer rows than targets, some of them raw keys, asks whether these rows exist at all. */
static bool after_unlink(struct call *call) {
    struct access *access = call->data;
    access->removed = call->affected;
    if (!removes(access)) {
        call->phase = PHASE_CREATE;
        return true;
    }
    call->phase = PHASE_OVER;
    if (!access->raw_count || access->removed >= access->count) return false;
    call->statement = count_keys_statement(call, raw_element_keys(call, access));
    call->phase = PHASE_CHECK;
    return true;
}

static bool target_next(lua_State *L, struct call *call) {
    struct access *access = call->data;
    switch (call->phase) {
    case PHASE_UNLINK:
        if (removes(access) && !access->count) return false;
        call->statement = unlink_statement(call);
        call->phase = PHASE_READ;
        return call->statement != NULL;
    case PHASE_READ:
        if (!after_unlink(call)) return false;
        if (call->phase == PHASE_CHECK) return call->statement != NULL;
        /* fall through */
    case PHASE_CREATE:
        call->phase = PHASE_LINK;
        if (!access->created && !access->count) return false;
        call->statement = access->created ? insert_created(L, call) : link_statement(call);
        return call->statement != NULL;
    case PHASE_CHECK:
        call->phase = PHASE_OVER;
        return call->rows == access->raw_count ? false : missing_row(call);
    case PHASE_LINK:
        call->phase = PHASE_OVER;
        if (!access->created && call->affected < access->count) return missing_row(call);
        return false;
    default:
        return false;
    }
}

static enum drive skip(lua_State *L, struct call *call) {
    (void)L;
    struct conn *conn = call->link->conn;
    enum drive drive;
    while ((drive = conn->driver->step(conn, call->cursor, &call->arena, &call->error)) == DRIVE_ROW) call->rows++;
    return drive;
}

/* ------------------------------------------------------------------------------------------------------ adopting */

static int collect_linked(struct call *call, const struct access *access, const struct attr **attrs, struct value *values) {
    const struct hop *hop = assoc_last_hop(access->assoc);
    int count = 0;
    for (int k = 0; k < hop->far.count; k++, count++) {
        attrs[count] = hop->far.items[k];
        values[count] = access->source[k];
    }
    for (int i = 0; i < hop->value_count; i++, count++) {
        attrs[count] = hop->values[i].attr;
        values[count] = hop->values[i].value;
    }
    (void)call;
    return count;
}

/* True if the instance at the top says that it is linked to the source. */
static bool says_linked(lua_State *L, struct call *call, const struct access *access, int index) {
    const struct hop *hop = assoc_last_hop(access->assoc);
    struct value *held = arena_array(&call->arena, struct value, hop->far.count + 1);
    struct error error = call->error;
    bool linked = read_attributes(L, call, index, hop->far, held);
    for (int k = 0; linked && k < hop->far.count; k++) linked = value_equal(held[k], access->source[k]);
    call->error = error;
    return linked;
}

static void adopt_linked(lua_State *L, struct call *call, const struct access *access, int index) {
    const struct attr_list key = { access->assoc->target->attrs, access->assoc->target->attr_count };
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, key.count + 1);
    struct value *values = arena_array(&call->arena, struct value, key.count + 1);
    bool already = says_linked(L, call, access, index);
    int count = collect_linked(call, access, attrs, values);
    if (!already && access->assoc->target->updated_at && !access->options.silent) {
        attrs[count] = access->assoc->target->updated_at;
        values[count++] = call_now(call);
    }
    set_stored(L, call, index, attrs, values, count);
}

static void adopt_unlinked(lua_State *L, struct call *call, const struct access *access, int index) {
    const struct hop *hop = assoc_last_hop(access->assoc);
    if (!says_linked(L, call, access, index) || access->destroy) return;
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, hop->far.count + 2);
    struct value *values = arena_array(&call->arena, struct value, hop->far.count + 2);
    int count = 0;
    for (int k = 0; k < hop->far.count; k++)
        if (clearable(hop->far.items[k])) attrs[count++] = hop->far.items[k];
    if (count && access->assoc->target->updated_at && !access->options.silent) {
        attrs[count] = access->assoc->target->updated_at;
        values[count++] = call_now(call);
    }
    set_stored(L, call, index, attrs, values, count);
}

static void target_adopt(lua_State *L, struct call *call) {
    const struct access *access = call->data;
    if (access->created) {
        adopt_created(L, call);
        return;
    }
    push_call_value(L, call, CALL_AUX);
    int list = lua_gettop(L);
    for (int i = 0; i < access->count; i++) {
        if (access->elements[i].raw) continue;
        lua_rawgeti(L, list, i + 1);
        if (removes(access)) adopt_unlinked(L, call, access, lua_gettop(L));
        else adopt_linked(L, call, access, lua_gettop(L));
        lua_settop(L, list);
    }
    lua_pop(L, 1);
}

const struct link_rule link_by_target = { target_plan, target_next, skip, target_adopt };
