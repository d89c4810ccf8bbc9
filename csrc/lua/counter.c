/* increment and decrement, of one instance and of many rows: the database adds, so that no addition gets lost. */
#include "lua/lifecycle.h"

#include "lua/value.h"

/* ----------------------------------------------------------------------------------------------------- counters */

static const struct expr *raw_two(struct arena *arena, const struct attr *attr, struct value by, const char *const pieces[3]) {
    struct expr *expr = expr_new(arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = expr_column(arena, attr, ALIAS_HERE);
    expr->first->next = expr_param(arena, by);
    return expr;
}

static struct value negated(struct arena *arena, struct value by) {
    if (by.kind != VALUE_TEXT) return by;
    if (*by.as.text == '-') return value_text(by.as.text + 1, by.len - 1);
    return value_text(arena_printf(arena, "-%s", by.as.text), by.len + 1);
}

/* What follows the two arguments of the function that adds: scale and precision, or the type's largest value and the direction. */
static const char *call_end(struct arena *arena, const struct attr *attr, bool down) {
    const struct type *type = &attr->type;
    if (type->id == TYPE_DECIMAL) return arena_printf(arena, ", %d, %d)", type_scale(type), type->precision);
    return arena_printf(arena, ", %lld, %d)", (long long)type_most(type->id), down ? -1 : 1);
}

/* a + ?, a - ?; by a function where the engine's own addition is not exact, or leaves the range of the type unnoticed. */
static const struct expr *counted(struct call *call, const struct attr *attr, struct value by, bool down) {
    static const char *const plus[] = { "", " + ", "" }, *const minus[] = { "", " - ", "" };
    struct arena *arena = &call->arena;
    const char *function = call->db->dialect->add[type_info(attr->type.id)->logical];
    if (!function) return raw_two(arena, attr, by, down ? minus : plus);
    const char **pieces = arena_array(arena, const char *, 3);
    pieces[0] = function;
    pieces[1] = ", ";
    pieces[2] = call_end(arena, attr, down);
    return raw_two(arena, attr, down ? negated(arena, by) : by, pieces);
}

static bool refuse_counter(struct call *call, const struct attr *attr, const char *problem) {
    call->error.model = call->model->name;
    call->error.attribute = attr->name;
    return error_set(&call->error, &call->arena, ERROR_USAGE, "%s.%s%s", call->model->name, attr->name, problem);
}

static bool add_counter(lua_State *L, struct call *call, struct update *update, const char *name, int value_index, bool down) {
    struct where_reader reader = where_reader(call, call->model, down ? "decrement" : "increment");
    struct value by;
    const struct attr *attr = find_attr(&reader, name);
    if (!attr) return false;
    if (!type_is_number(&attr->type)) return refuse_counter(call, attr, " is no number");
    if (is_null(L, value_index)) return refuse_counter(call, attr, ": a number expected");
    if (!read_attr_value(L, value_index, attr, &by, &call->arena, &call->error)) return false;
    const struct write *write = call->data;
    if (write->options.fields && !write->options.fields[attr->ordinal]) return true;
    call->counted = update->set ? NULL : attr;
    assign(&call->arena, &update->set, attr, counted(call, attr, by, down));
    output_add(&call->arena, &update->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    return true;
}

/* `by` of the options table at index 3; 1 where it is not given. */
static void push_by(lua_State *L, const struct write_options *options) {
    if (options->by_given) push_field(L, 3, "by");
    else lua_pushinteger(L, 1);
}

/* Whether the key below the value at the top is one of a list: what is no name has no other meaning here. */
static bool is_place(lua_State *L, struct call *call, int list, bool down) {
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= (lua_Integer)lua_rawlen(L, list)) return true;
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s: keys are names of attributes, or places of a list of them; there is one that is neither",
                     down ? "decrement" : "increment");
}

/* "age", {"age", "score"} or {age = 2}; sorted by attribute so that equal calls give equal text. */
static bool read_counters(lua_State *L, struct call *call, int index, struct update *update, bool down) {
    const struct write *write = call->data;
    push_by(L, &write->options);
    int by = lua_gettop(L);
    if (lua_type(L, index) == LUA_TSTRING) return add_counter(L, call, update, lua_tostring(L, index), by, down);
    if (!lua_istable(L, index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: an attribute name or a table expected, got %s",
                         down ? "decrement" : "increment", kind_text(L, index));
    bool fine = true;
    for (int i = 1; fine && i <= (int)lua_rawlen(L, index); i++) {
        lua_rawgeti(L, index, i);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : "?";
        fine = add_counter(L, call, update, name, by, down);
        lua_pop(L, 1);
    }
    int named = 0;
    for (int i = 0; fine && i < call->model->attr_count; i++) {
        push_attribute(L, index, call->model->attrs[i]);
        if (!lua_isnil(L, -1) && ++named)
            fine = add_counter(L, call, update, call->model->attrs[i]->name, lua_gettop(L), down);
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); fine && lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) fine = is_place(L, call, index, down);
        else if (!attr_find(call->model, name_at(L, -2))) fine = add_counter(L, call, update, lua_tostring(L, -2), by, down);
    }
    return fine;
}

static int count_instance(lua_State *L, bool down) {
    struct instance instance;
    int rowset_index;
    struct value key[KEY_PARTS];
    lua_settop(L, 3);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_COUNTER, &write->options)
             && stored_key_of(L, call, rowset_index, &instance, key) && read_counters(L, call, 2, &update, down);
    if (!fine) return call_raise(L, call);
    if (!update.set) return nothing_to_do(L, call);
    touch(call, &update, call->model->updated_at);
    bump_version(call, &update);
    if (call->model->version)
        output_add(&call->arena, &update.returning, expr_column(&call->arena, call->model->version, ALIAS_HERE), NULL);
    update.where = keys_are(&call->arena, call->model->key, key);
    call->statement = render_update(&call->arena, call->db->dialect, &update, &call->error);
    write->returning = update.returning;
    write->vanished = down ? "decremented" : "incremented";
    call->take = take_values;
    call->next = run_statement_once;
    call->results = read_back_results;
    return call_run(L, call);
}

static int count_rows_of_class(lua_State *L, bool down) {
    lua_settop(L, 3);
    struct call *call = call_open_class(L, 1);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_WHERE | WRITE_COUNTER, &write->options)
             && check_condition(call, &write->options, down ? "decrement" : "increment");
    if (fine) read_counters(L, call, 2, &update, down);
    if (update.set) bump_version(call, &update);
    leave_out_deleted_rows(call, &write->options);
    return run_update(L, call, &update);
}

static int increment(lua_State *L) { return count_instance(L, false); }
static int decrement(lua_State *L) { return count_instance(L, true); }
static int increment_rows(lua_State *L) { return count_rows_of_class(L, false); }
static int decrement_rows(lua_State *L) { return count_rows_of_class(L, true); }

void open_counters(lua_State *L) {
    static const luaL_Reg functions[] = { { "increment", increment }, { "decrement", decrement }, { NULL, NULL } };
    static const luaL_Reg class_functions[] = {
        { "increment", increment_rows }, { "decrement", decrement_rows }, { NULL, NULL },
    };
    add_functions(L, class_functions);
    lua_insert(L, -2);
    add_functions(L, functions);
    lua_insert(L, -2);
}
