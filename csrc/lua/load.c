#include "lua/load.h"

#include <string.h>

#include "lua/hydrate.h"
#include "lua/include.h"
#include "lua/instance.h"
#include "lua/value.h"

/* What a load remembers until its results; the find comes first, as other readers expect it in call->data. */
struct load {
    struct find find;
    int count;                  /* instances */
    int *numbers;               /* by step and instance: the parent's number in the family, -1: its key is NULL */
};

/* ------------------------------------------------------------------------------------------------------- parents */

static void not_stored(lua_State *L, struct call *call, const struct assoc *assoc) {
    call->error.model = assoc->source->name;
    call->error.path = assoc->name;
    call_fail(L, call, ERROR_INSTANCE, "%s.%s can't be loaded: this %s is not stored yet", assoc->source->name, assoc->name,
              assoc->source->name);
}

/* A NULL in a foreign key refers to nothing; an attribute that was not selected is not known. */
static void check_known(lua_State *L, struct call *call, const struct plan_step *step, const struct instance *instance,
                        const struct value *key) {
    for (int k = 0; k < step->near.count; k++) {
        const struct attr *attr = step->near.items[k];
        bool known = instance->row < 0 || original_kind(instance->rowset, instance->row, attr) != ORIGINAL_ABSENT;
        if (known || key[k].kind != VALUE_NULL) continue;
        call->error.path = step->assoc->name;
        call_fail(L, call, ERROR_INSTANCE, "%s.%s can't be loaded: this %s was read without %s", step->assoc->source->name,
                  step->assoc->name, step->assoc->source->name, attr->name);
    }
}

static bool has_null(const struct value *key, int count) {
    for (int k = 0; k < count; k++)
        if (key[k].kind == VALUE_NULL) return true;
    return false;
}

/* The instance on the top becomes a parent of the step. */
static int add_parent(lua_State *L, struct call *call, const struct plan_step *step, int number) {
    struct value key[KEY_PARTS];
    int index = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    lua_settop(L, index);
    if (instance.state == INSTANCE_NEW && step->assoc->kind->holder != HELD_BY_SOURCE) not_stored(L, call, step->assoc);
    if (!read_attributes(L, call, index, step->near, key)) call_raise(L, call);
    check_known(L, call, step, &instance, key);
    return has_null(key, step->near.count) ? -1 : hydrate_parent(call, number, key);
}

static void add_parents(lua_State *L, struct call *call, struct load *load, int list) {
    int number = 0;
    for (const struct plan_step *step = call->plan->steps; step; step = step->next, number++) {
        for (int i = 0; i < load->count; i++, lua_pop(L, 1)) {
            lua_rawgeti(L, list, i + 1);
            load->numbers[number * load->count + i] = add_parent(L, call, step, number);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- results */

/* What step `number` has loaded, in the order of the instances: lists, instances or false. */
static void push_loaded_values(lua_State *L, struct call *call, const struct load *load, const struct plan_step *step, int number) {
    lua_createtable(L, load->count, 0);
    push_hydrated(L, call, number);
    for (int i = 0; i < load->count; i++) {
        int at = load->numbers[number * load->count + i];
        if (at >= 0) lua_rawgeti(L, -1, at + 1);
        else if (step->many) push_list(L, 0);
        else lua_pushboolean(L, 0);
        if (lua_isnil(L, -1)) {             /* no statement was sent for it */
            lua_pop(L, 1);
            if (step->many) push_list(L, 0);
            else lua_pushboolean(L, 0);
        }
        lua_rawseti(L, -3, i + 1);
    }
    lua_pop(L, 1);
}

static int load_results(lua_State *L, struct call *call) {
    const struct load *load = call->data;
    int number = 0;
    lua_newtable(L);
    for (const struct plan_step *step = call->plan->steps; step; step = step->next, number++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, step->property);
        lua_setfield(L, -2, "name");
        push_loaded_values(L, call, load, step, number);
        lua_setfield(L, -2, "values");
        push_kept_options(L, call, step->include);
        lua_setfield(L, -2, "options");
        lua_rawseti(L, -2, number + 1);
    }
    return 1;
}

static bool read_load_options(lua_State *L, struct call *call, int index) {
    if (lua_isnil(L, index)) return true;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        struct nearest nearest = { .word = key };
        if (read_call_option(L, call, key)) continue;
        key = arena_text(&call->arena, key, strlen(key));
        call->error.path = key;
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: unknown option%s", key, option_hint(call, &nearest));
    }
    return true;
}

/* core.load(class, list, include, options) → for each association {name, values, options}; the instances are left alone. */
static int load_associations(lua_State *L) {
    struct call *call;
    lua_settop(L, 4);
    struct find *find = start_find(L, &call);
    struct load *load = arena_new(&call->arena, struct load);
    if (!read_load_options(L, call, 4) || !read_includes(L, find, 3)) return call_raise(L, call);
    load->find = *find;
    load->find.where.paths = &load->find.base;
    call->data = load;
    plan_loads(L, &load->find);
    if (error_is_set(&call->error)) return call_raise(L, call);
    load->count = (int)lua_rawlen(L, 2);
    load->numbers = arena_array(&call->arena, int, (size_t)load->count * (size_t)load->find.steps + 1);
    hydrate_existing(call);
    add_parents(L, call, load, 2);
    call->results = load_results;
    return call_run(L, call);
}

/* --------------------------------------------------------------------------------------------------------- trees */

/* Pushes the list of {name, options, include} for includes of one level. */
static void push_tree(lua_State *L, struct call *call, const struct include *first) {
    int count = 0;
    luaL_checkstack(L, 10, "includes too deep");
    lua_newtable(L);
    for (const struct include *include = first; include; include = include->next) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, include->assoc->name);
        lua_setfield(L, -2, "name");
        push_include_options(L, call, include);
        lua_setfield(L, -2, "options");
        push_tree(L, call, include->first);
        lua_setfield(L, -2, "include");
        lua_rawseti(L, -2, ++count);
    }
}

/* core.include_tree(class, include) → list of {name, options, include}: whatever form it was written in. */
static int include_tree(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    if (!read_includes(L, find, 2)) return call_raise(L, call);
    push_tree(L, call, find->includes);
    call_close(L, call);
    return 1;
}

/* --------------------------------------------------------------------------------------------------- what is loaded */

/* core.note_loaded(instance, name, value, options) */
static int note(lua_State *L) {
    lua_settop(L, 4);
    struct instance instance = check_instance(L, 1, NULL);
    if (lua_isboolean(L, 3)) {
        lua_pushnil(L);
        lua_replace(L, 3);
    }
    if (instance.row >= 0) note_loaded(L, 5, instance.row, luaL_checkstring(L, 2), 3, lua_isnil(L, 4) ? 0 : 4);
    return 0;
}

/* core.loaded(instance, name) → the table, false (no row), or nil (not loaded, or not what it holds any more); the options */
static int loaded(lua_State *L) {
    lua_settop(L, 2);
    struct instance instance = check_instance(L, 1, NULL);
    const char *name = luaL_checkstring(L, 2);
    if (instance.row < 0) return 0;
    push_loaded(L, 3, instance.row, name);
    lua_pushvalue(L, 2);
    lua_rawget(L, 1);
    bool holds = lua_isnil(L, -1) ? lua_isboolean(L, -2) : lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    if (!holds) return 0;
    push_loaded_options(L, 3, instance.row, name);
    return 2;
}

/* core.forget_loaded(instance, name) */
static int forget(lua_State *L) {
    lua_settop(L, 2);
    struct instance instance = check_instance(L, 1, NULL);
    if (instance.row >= 0) forget_loaded(L, 3, instance.row, luaL_checkstring(L, 2));
    return 0;
}

void open_loads(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "load", load_associations }, { "include_tree", include_tree }, { "note_loaded", note }, { "loaded", loaded }, { "forget_loaded", forget }, { NULL, NULL },
    };
    add_functions(L, functions);
}
