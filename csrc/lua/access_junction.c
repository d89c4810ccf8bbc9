/* The values that a junction row gets: those of the call, of the target, of defaults. */
#include "lua/access_junction.h"
#include "lua/marker.h"
#include "lua/value.h"

static void compute(struct call *call, struct junction_row *row, const struct attr *attr, struct computed computed) {
    if (!row->computed) row->computed = arena_array(&call->arena, struct computed, attr_room(attr->model));
    row->computed[attr->ordinal] = computed;
}

/* The expression at `index`. Rows that share it, as those of one `through` do, share what was read of it, too. */
static bool read_computed(lua_State *L, struct call *call, const struct access *access, int index, const struct attr *attr,
                          struct junction_row *row) {
    const struct junction_row *first = &access->rows[0];
    struct computed computed = { .marker = lua_topointer(L, index) };
    struct where_reader reader = where_reader(call, junction_of(access), attr->name);
    bool shared = computed_of(first, attr) && first->computed[attr->ordinal].marker == computed.marker;
    computed.expr = shared ? computed_of(first, attr) : read_expression(L, &reader, index);
    if (computed.expr) compute(call, row, attr, computed);
    return computed.expr != NULL;
}

/* The value at `index` of an attribute, or what the database is to make of it. */
static bool read_given(lua_State *L, struct call *call, const struct access *access, int index, const struct attr *attr,
                       struct junction_row *row) {
    const struct model *before = call->model;
    row->given[attr->ordinal] = true;
    if (row->computed) row->computed[attr->ordinal].expr = NULL;
    if (marker_test(L, index)) return read_computed(L, call, access, index, attr, row);
    call->model = junction_of(access);
    bool fine = read_written_value(L, call, index, attr, &row->values[attr->ordinal]);
    call->model = before;
    return fine || !error_is_set(&call->error);
}

static bool read_junction_table(lua_State *L, struct call *call, const struct access *access, int index, struct junction_row *row) {
    const struct model *junction = junction_of(access);
    struct where_reader reader = where_reader(call, junction, "through");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "?";
        const struct attr *attr = find_attr(&reader, name);
        if (!attr) return false;
        if (!read_given(L, call, access, lua_gettop(L), attr, row)) return false;
    }
    return true;
}

/* Values that stand on the target under the junction's name: a plain table, or what changed in a row that was read. */
static bool read_target_values(lua_State *L, struct call *call, const struct access *access, int target, struct junction_row *row) {
    bool fine = true;
    lua_pushstring(L, junction_of(access)->name);
    lua_rawget(L, target);
    int index = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE && lua_istable(L, index)) {
        fine = read_junction_table(L, call, access, index, row);
    } else if (instance.state == INSTANCE_NONE) {
        fine = lua_isnil(L, index) || is_null(L, index)
            || error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s on a target must be a table of values for the junction, got %s", junction_of(access)->name,
                         luaL_typename(L, index));
    } else {
        const struct model *junction = junction_of(access);
        for (int i = 0; fine && i < junction->attr_count && instance.rowset->model == junction; i++) {
            const struct attr *attr = junction->attrs[i];
            if (!attribute_changed(L, call, index, index + 1, &instance, attr)) continue;
            push_attribute(L, index, attr);
            fine = read_given(L, call, access, lua_gettop(L), attr, row);
            lua_pop(L, 1);
        }
    }
    lua_settop(L, index - 1);
    return fine;
}

bool holds_attr(struct attr_list list, const struct attr *attr) {
    for (int i = 0; i < list.count; i++)
        if (list.items[i] == attr) return true;
    return false;
}

static bool is_link(const struct access *access, const struct attr *attr) {
    const struct hop *first = &access->assoc->hops[0], *last = assoc_last_hop(access->assoc);
    return holds_attr(first->far, attr) || holds_attr(last->near, attr);
}

/* What the functions of the junction's defaults gave for this row: written, but no reason to update a link that is there. false:
 * the row has been written. */
static bool read_defaults(lua_State *L, struct call *call, const struct access *access, int at, struct junction_row *row) {
    const struct model *junction = junction_of(access);
    struct junction_row defaults = {
        .values = arena_array(&call->arena, struct value, attr_room(junction)),
        .given = arena_array(&call->arena, bool, attr_room(junction)),
    };
    lua_rawgeti(L, access->defaults, at + 1);
    row->done = lua_isboolean(L, -1);
    bool fine = !lua_istable(L, -1) || read_junction_table(L, call, access, lua_gettop(L), &defaults);
    lua_pop(L, 1);
    for (int i = 0; fine && i < junction->attr_count; i++) {
        if (row->given[i]) continue;
        row->values[i] = defaults.values[i];
        if (defaults.computed) compute(call, row, junction->attrs[i], defaults.computed[i]);
    }
    return fine;
}

/* Whether liga itself fills in a value where none was given. */
static bool is_filled(const struct attr *attr) {
    const struct model *model = attr->model;
    return (attr->default_kind != DEFAULT_NONE && attr->default_kind != DEFAULT_CALL) || attr == model->created_at
        || attr == model->updated_at;
}

/* What would be NULL and may not be, before anything is sent. */
static void check_row(struct call *call, const struct access *access, const struct junction_row *row) {
    const struct write_options options = { .no_validate = access->options.no_validate };
    const struct hop *first = &access->assoc->hops[0];
    const struct model *junction = junction_of(access);
    for (int i = 0; i < junction->attr_count; i++) {
        const struct attr *attr = junction->attrs[i];
        bool filled = row->values[i].kind != VALUE_NULL || computed_of(row, attr) || is_link(access, attr)
                   || (!row->given[i] && is_filled(attr));
        for (int k = 0; k < first->value_count; k++) filled = filled || first->values[k].attr == attr;
        if (!filled) check_null(call, attr, &options);
    }
}

bool read_junction_row(lua_State *L, struct call *call, struct access *access, int at) {
    const struct model *junction = junction_of(access);
    struct junction_row *row = &access->rows[at];
    row->values = arena_array(&call->arena, struct value, attr_room(junction));
    row->given = arena_array(&call->arena, bool, attr_room(junction));
    if (access->through && !read_junction_table(L, call, access, access->through, row)) return false;
    if (access->created) push_call_value(L, call, CALL_RESULT);
    else push_handed(L, call, access, at + 1);
    bool instance = access->created || !access->elements[at].raw || instance_test(L, -1);
    bool fine = !instance || read_target_values(L, call, access, lua_gettop(L), row);
    lua_pop(L, 1);
    if (fine && access->defaults) fine = read_defaults(L, call, access, at, row);
    if (fine) check_row(call, access, row);
    return fine;
}
