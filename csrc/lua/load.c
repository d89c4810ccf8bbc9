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
    const char *skipped;        /* name of an association: rows that have it are left out; NULL: none */
    int *numbers;               /* by step and instance: the parent's number in the family, -1: its key is NULL, -2: not asked */
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

/* The instance on the top becomes a parent of the step. */
static int add_parent(lua_State *L, struct call *call, const struct plan_step *step, int number) {
    struct value key[KEY_PARTS];
    int index = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    lua_settop(L, index);
    if (instance.state == INSTANCE_NEW && step->assoc->kind->holder != HELD_BY_SOURCE) not_stored(L, call, step->assoc);
    if (!read_attributes(L, call, index, step->near, key)) call_raise(L, call);
    check_known(L, call, step, &instance, key);
    return values_have_null(key, step->near.count) ? -1 : hydrate_parent(call, number, key);
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
        if (at < -1) continue;
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

static bool read_load_options(lua_State *L, struct find *find, int index) {
    struct call *call = find->where.call;
    if (lua_isnil(L, index)) return true;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        struct nearest nearest = { .word = key };
        if (read_call_option(L, call, key)) continue;
        if (strcmp(key, "lazy") == 0) {
            find->plan->lazy = (enum lazy)lazy_at(L, lua_gettop(L));
            continue;
        }
        key = arena_text(&call->arena, key, strlen(key));
        call->error.path = key;
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: unknown option%s", key, option_hint(call, &nearest));
    }
    return true;
}

/* Opens the call of a load of `include` at index 3, options at 4. */
static struct call *open_load(lua_State *L, struct load **load) {
    struct call *call;
    lua_settop(L, 5);
    struct find *find = start_find(L, &call);
    *load = arena_new(&call->arena, struct load);
    if (!read_load_options(L, find, 4) || !read_includes(L, find, 3)) call_raise(L, call);
    (*load)->find = *find;
    (*load)->find.where.paths = &(*load)->find.base;
    call->data = *load;
    plan_loads(L, &(*load)->find);
    if (error_is_set(&call->error)) call_raise(L, call);
    return call;
}

static void start_load(struct call *call, struct load *load, int count) {
    load->count = count;
    load->numbers = arena_array(&call->arena, int, (size_t)count * (size_t)load->find.steps + 1);
    hydrate_existing(call);
    call->results = load_results;
}

/* core.load(class, list, include, options) → for each association {name, values, options}; the instances are left alone. */
static int load_associations(lua_State *L) {
    struct load *load;
    struct call *call = open_load(L, &load);
    start_load(call, load, (int)lua_rawlen(L, 2));
    add_parents(L, call, load, 2);
    return call_run(L, call);
}

/* ------------------------------------------------------------------------------------------------------ cohorts */

enum { KEY_NULL = -1, KEY_UNKNOWN = -2 };

/* The number of the parent that a row is, by the key in its originals; KEY_NULL, KEY_UNKNOWN: a part was not selected. */
static int add_row(lua_State *L, struct call *call, int rowset_index, const struct rowset *rowset, int row,
                   struct attr_list attrs) {
    struct value key[KEY_PARTS];
    bool null = false;
    for (int k = 0; k < attrs.count; k++) {
        if (original_kind(rowset, row, attrs.items[k]) == ORIGINAL_ABSENT) return KEY_UNKNOWN;
        push_original(L, rowset_index, rowset, row, attrs.items[k]);
        null = null || lua_isnil(L, -1);
        bool fine = read_attr_value(L, lua_gettop(L), attrs.items[k], &key[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (!fine) return KEY_UNKNOWN;
    }
    return null ? KEY_NULL : hydrate_parent(call, 0, key);
}

/* Some rows of a chunk, of which those from `from` on belong to a cohort (of a shared one just those of that list): there the first of
 * them has the number `number`. */
struct part {
    const struct rowset *rowset;
    int from, number;
};

/* What is done with each part of a cohort; its RowSet is on the top. */
typedef void part_visitor(lua_State *L, struct load *load, struct part part);

static void each_part(lua_State *L, struct load *load, int cohort, part_visitor *visit) {
    int top = lua_gettop(L);
    lua_rawgeti(L, cohort, COHORT_OFFSET);
    int offset = (int)lua_tointeger(L, -1);
    if (lua_rawgeti(L, cohort, COHORT_FIRST) != LUA_TNIL)
        visit(L, load, (struct part){ userdata_check(L, -1, USERDATA_ROWSET, "a chunk"), offset, 0 });
    lua_settop(L, top);
    if (lua_rawgeti(L, cohort, COHORT_LATER) != LUA_TNIL)
        for (lua_pushnil(L); lua_next(L, top + 1); lua_settop(L, top + 2))
            visit(L, load, (struct part){ userdata_check(L, -1, USERDATA_ROWSET, "a chunk"), 0, (int)lua_tointeger(L, -2) });
    lua_settop(L, top);
}

static void count_part(lua_State *L, struct load *load, struct part part) {
    int end = part.number + part.rowset->count - part.from;
    (void)L;
    if (end > load->count) load->count = end;
}

/* Its rows that have not got the association yet become parents of the only step. */
static void add_part(lua_State *L, struct load *load, struct part part) {
    struct call *call = load->find.where.call;
    const struct rowset *rowset = part.rowset;
    int rowset_index = lua_gettop(L), before = part.number - part.from;
    for (int row = part.from; row < rowset->count && rowset_is_current(rowset); row++) {
        if (rowset->firsts && rowset->firsts[row] != part.from) continue;
        if (load->skipped) push_loaded(L, rowset_index, row, load->skipped);
        bool there = load->skipped && !lua_isnil(L, -1);
        lua_settop(L, rowset_index);
        if (!there) load->numbers[before + row] = add_row(L, call, rowset_index, rowset, row, call->plan->steps->near);
    }
}

/* core.load_cohort(class, cohort, include, options, name) → the values by row, from 1; name (may be nil): rows whose association of
 * this name is loaded are left out. */
static int load_cohort(lua_State *L) {
    struct load *load;
    struct call *call = open_load(L, &load);
    if (load->find.steps < 1) return call_fail(L, call, ERROR_USAGE, "one association expected");
    load->skipped = lua_tostring(L, 5);
    each_part(L, load, 2, count_part);
    start_load(call, load, load->count);
    for (int i = 0; i < load->count; i++) load->numbers[i] = KEY_UNKNOWN;
    each_part(L, load, 2, add_part);
    if (error_is_set(&call->error)) return call_raise(L, call);
    return call_run(L, call);
}

/* core.row_of(instance) → its cohort (nil: it was read alone), the number of its row in the cohort from 1 */
static int row_of(lua_State *L) {
    struct instance instance = check_instance(L, 1, NULL);
    if (instance.row < 0 || !lua_getmetatable(L, 1)) return 0;
    int first = instance.rowset->firsts ? instance.rowset->firsts[instance.row] : 0;
    if (first == ROW_ALONE) return 0;
    if (instance.rowset->firsts) {
        push_shared_cohort(L, -1, first);
        lua_pushinteger(L, instance.row - first + 1);
        return 2;
    }
    if (lua_rawgeti(L, -1, CHUNK_COHORT) == LUA_TNIL) return 0;
    lua_rawgeti(L, -2, CHUNK_FIRST_ROW);
    lua_pushinteger(L, lua_tointeger(L, -1) + instance.row + 1);
    lua_replace(L, -2);
    return 2;
}

/* core.set_lazy(model userdata, mode, {batch = function, raise = function}): what reading a missing association calls */
static int set_lazy(lua_State *L) {
    static const char *const names[] = { [LAZY_BATCH] = "batch", [LAZY_RAISE] = "raise" };
    struct model_box *box = userdata_check(L, 1, USERDATA_MODEL, "a model");
    luaL_checktype(L, 3, LUA_TTABLE);
    box->lazy = lazy_at(L, 2);
    lua_createtable(L, LAZY_RAISE, 0);
    for (int lazy = LAZY_BATCH; lazy <= LAZY_RAISE; lazy++) {
        lua_getfield(L, 3, names[lazy]);
        lua_rawseti(L, -2, lazy);
    }
    lua_getiuservalue(L, 1, MODEL_UNSAVED);
    lua_getfield(L, -1, "__index");
    lua_rawseti(L, -3, LAZY_OFF);
    lua_pop(L, 1);
    lua_setiuservalue(L, 1, MODEL_LAZY);
    return 0;
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

/* Whether the instance at index 1 holds what was loaded into this row under the name at index 2: pushes it then, else nothing. */
static bool push_held(lua_State *L, int rowset_index, int row) {
    push_loaded(L, rowset_index, row, luaL_checkstring(L, 2));
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, 1);
    bool holds = lua_isnil(L, -1) ? lua_isboolean(L, -2) : lua_rawequal(L, -1, -2);
    lua_pop(L, holds ? 1 : 2);
    return holds;
}

/* core.is_loaded(instance, name, model) → whether it is a stored instance of the model that holds the association of this name */
static int is_loaded(lua_State *L) {
    lua_settop(L, 3);
    struct instance instance = instance_look(L, 1);
    bool held = false;
    if (instance.state == INSTANCE_STORED) {
        lua_getiuservalue(L, 4, ROWSET_MODEL);
        held = lua_rawequal(L, 3, -1) && push_held(L, 4, instance.row);
    }
    lua_pushboolean(L, held);
    return 1;
}

/* core.loaded(instance, name) → the table, false (no row), or nil (not loaded, or not what it holds any more); the options */
static int loaded(lua_State *L) {
    lua_settop(L, 2);
    struct instance instance = check_instance(L, 1, NULL);
    const char *name = luaL_checkstring(L, 2);
    if (instance.row < 0 || !push_held(L, 3, instance.row)) return 0;
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
        { "load", load_associations }, { "load_cohort", load_cohort }, { "row_of", row_of }, { "set_lazy", set_lazy },
            { "include_tree", include_tree }, { "note_loaded", note }, { "loaded", loaded }, { "is_loaded", is_loaded },
            { "forget_loaded", forget }, { NULL, NULL },
    };
    add_functions(L, functions);
}
