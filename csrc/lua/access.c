#include "lua/access.h"

#include <string.h>

#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/lifecycle.h"
#include "lua/value.h"

struct assoc_box *access_assoc(lua_State *L) {
    struct assoc_box *box = lua_touserdata(L, lua_upvalueindex(2));
    check_not_collected(L, box->db);
    return box;
}

static const struct link_rule *const link_rules[] = {
    [HELD_BY_SOURCE] = &link_by_source, [HELD_BY_TARGET] = &link_by_target, [HELD_BY_THROUGH] = &link_by_through,
};

/* ------------------------------------------------------------------------------------------------------ opening */

const char *method_of(struct call *call, const struct access *access) {
    return verb_method_name(assoc_verb(access->assoc, access->verb), access->assoc, &call->arena);
}

bool wrong_argument(struct call *call, const struct access *access, const char *sentence) {
    return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: %s", method_of(call, access), sentence);
}

static bool is_read(enum verb verb) {
    return verb == VERB_GET || verb == VERB_COUNT || verb == VERB_HAS || verb == VERB_HAS_MULTIPLE;
}

/* Every method but belongsTo's getter, and its setter with save = false, needs a stored source. */
static void check_stored(lua_State *L, struct call *call, const struct access *access, const struct instance *instance) {
    bool by_source = access->assoc->kind->holder == HELD_BY_SOURCE;
    if (instance->state != INSTANCE_NEW || (by_source && access->verb == VERB_GET)) return;
    if (by_source && access->verb == VERB_SET && !access->save) return;
    call->error.model = access->assoc->source->name;
    call_fail(L, call, ERROR_INSTANCE, "%s: this %s is not stored yet: save it first", method_of(call, access),
              access->assoc->source->name);
}

/* belongsTo: NULL refers to nothing, but a key that was not selected is not known. A setter needs no key. */
static bool may_lack(const struct access *access, const struct instance *instance, const struct attr *attr) {
    if (access->assoc->kind->holder != HELD_BY_SOURCE && !access->assoc->kind->path) return false;
    bool stored = is_read(access->verb) && instance->state == INSTANCE_STORED;
    return !stored || original_kind(instance->rowset, instance->row, attr) != ORIGINAL_ABSENT;
}

static bool read_near(lua_State *L, struct call *call, struct access *access, const struct instance *instance) {
    const struct attr_list near = access->assoc->hops[0].near;
    access->source = arena_array(&call->arena, struct value, near.count + 1);
    if (!read_attributes(L, call, 1, near, access->source)) return false;
    for (int k = 0; k < near.count; k++) {
        if (access->source[k].kind != VALUE_NULL || may_lack(access, instance, near.items[k])) continue;
        error_set(&call->error, &call->arena, ERROR_INSTANCE, "%s: this %s has no %s", method_of(call, access),
                  access->assoc->source->name, near.items[k]->name);
        call->error.model = access->assoc->source->name;
        return false;
    }
    return true;
}

static bool save_is_false(lua_State *L) {
    if (!lua_istable(L, 3)) return false;
    push_field(L, 3, "save");
    bool no = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    return no;
}

/* Raises with the method's name, before there is a call (and its arena). */
static void refuse(lua_State *L, enum verb verb, const char *sentence) {
    const struct assoc_box *box = access_assoc(L);
    struct arena arena;
    char name[256] = "";
    box->db->L = L;
    arena_init(&arena, box->db->arena.oom, box->db->arena.owner);
    strncat(name, verb_method_name(assoc_verb(box->assoc, verb), box->assoc, &arena), sizeof name - 1);
    arena_free(&arena);
    raise_usage(L, "%s: %s", name, sentence);
}

static const char no_self[] = "an instance expected as self (call it with a colon: instance:method(…))";

void check_arguments(lua_State *L, enum verb verb) {
    bool needs = verb != VERB_GET && verb != VERB_COUNT && verb != VERB_CREATE;
    if (!needs || lua_gettop(L) > 1) return;
    if (!instance_test(L, 1)) refuse(L, verb, no_self);
    refuse(L, verb, verb == VERB_SET ? "an argument is missing (nil clears, but must be given)" : "an argument is missing");
}

/* What is handed on to the Lua side looks right to it. */
static void check_call(lua_State *L, enum verb verb) {
    if (!instance_test(L, 1)) refuse(L, verb, no_self);
    check_arguments(L, verb);
}

static struct instance look_at_self(lua_State *L, const struct assoc *assoc, enum verb verb) {
    struct instance instance = instance_look(L, 1);
    if (instance.state == INSTANCE_NONE) refuse(L, verb, no_self);
    return instance.rowset->model == assoc->source ? instance : check_instance(L, 1, assoc->source);
}

struct call *access_open(lua_State *L, struct access **out, enum verb verb) {
    const struct assoc_box *box = access_assoc(L);
    struct instance instance = look_at_self(L, box->assoc, verb);
    lua_getiuservalue(L, lua_upvalueindex(2), 1);
    lua_getiuservalue(L, -1, MODEL_DB);
    struct call *call = call_open(L, box->db, lua_gettop(L));
    call->model = box->assoc->target;
    struct access *access = *out = arena_new(&call->arena, struct access);
    access->assoc = box->assoc;
    access->verb = verb;
    access->save = !save_is_false(L);
    check_stored(L, call, access, &instance);
    if (!read_near(L, call, access, &instance)) call_raise(L, call);
    if (is_read(verb)) return call;
    call->writes = true;
    call->data = access;
    return call;
}

/* ------------------------------------------------------------------------------------------------------- shared */

bool missing_row(struct call *call) {
    const struct access *access = call->data;
    error_set(&call->error, &call->arena, ERROR_INSTANCE, "%s: a %s handed over has no row", method_of(call, access),
              access->assoc->target->name);
    call->error.model = access->assoc->target->name;
    return false;
}

const struct statement *count_keys_statement(struct call *call, struct link_keys keys) {
    struct select *select = select_new(&call->arena, call->model, 0);
    select->where = link_keys_condition(&call->arena, keys);
    for (int k = 0; k < keys.attrs.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, keys.attrs.items[k], ALIAS_HERE), NULL);
    return render_select(&call->arena, call->db->dialect, select, &call->error);
}

static const struct value *nothing_given(const struct call *call, const struct attr *attr, int row) {
    (void)call, (void)attr, (void)row;
    return NULL;
}

const struct statement *render_update_or_delete(struct call *call, const struct update *update, const struct delete *delete) {
    const struct access *access = call->data;
    if (update) return render_update(&call->arena, call->db->dialect, update, &call->error);
    call->effect = (struct effect){ .given = nothing_given, .written = call->model, .removes = true };
    return removal_statement(call, delete, &access->options);
}

void set_stored(lua_State *L, struct call *call, int index, const struct attr *const *attrs, const struct value *values,
                int count) {
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE) return;
    const struct model *model = instance.rowset->model;
    struct value *all = arena_array(&call->arena, struct value, attr_room(model));
    bool *known = arena_array(&call->arena, bool, attr_room(model));
    lua_pop(L, 1);
    for (int i = 0; i < count; i++) {
        all[attrs[i]->ordinal] = values[i];
        known[attrs[i]->ordinal] = true;
    }
    instance_store(L, call, index, all, known, true);
}

/* -------------------------------------------------------------------------------------------------------- writes */

static const struct value *value_among(struct attr_list list, const struct attr *attr, const struct value *values) {
    for (int k = 0; values && k < list.count; k++)
        if (list.items[k] == attr) return &values[k];
    return NULL;
}

/* What a link gives the key, each element in a row of its own. */
static const struct value *link_given(const struct call *call, const struct attr *attr, int row) {
    const struct access *access = call->data;
    const struct hop *first = &access->assoc->hops[0], *last = assoc_last_hop(access->assoc);
    if (!access->elements || row >= (access->created ? 1 : access->count)) return NULL;
    const struct value *far = access->elements[row].far;
    if (access->assoc->kind->holder == HELD_BY_SOURCE) return value_among(first->near, attr, far);
    const struct value *own = value_among(first->far, attr, access->source);
    return own || last == first ? own : value_among(last->near, attr, far);
}

static const struct model *key_holder(const struct assoc *assoc) {
    if (assoc_through(assoc)) return assoc_through(assoc);
    return assoc->kind->holder == HELD_BY_SOURCE ? assoc->source : assoc->target;
}

/* The rows of a statement are taken by the association's rule, unless its step says otherwise; what it writes is the key. */
static bool access_next(lua_State *L, struct call *call) {
    const struct access *access = call->data;
    const struct link_rule *rule = link_rules[access->assoc->kind->holder];
    const struct effect before = call->effect;
    call->take = rule->take;
    call->effect = (struct effect){ .given = link_given, .written = key_holder(access->assoc) };
    if (rule->next(L, call)) return true;
    call->effect = before;            /* of the last statement, which may still fail */
    return false;
}

static void push_removed(lua_State *L, const struct access *access) {
    lua_pushinteger(L, access->removed);
}

/* set, add, create → the instance handed over or made (true for a raw key, nil when cleared); plural → the list as given. */
static int write_results(lua_State *L, struct call *call) {
    struct access *access = call->data;
    link_rules[access->assoc->kind->holder]->adopt(L, call);
    if (removes(access)) {
        push_removed(L, access);
        return 1;
    }
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

static void keep_result(lua_State *L, struct call *call, const struct access *access) {
    if (access->plural && is_null(L, 2)) push_list(L, 0);
    else if (is_null(L, 2)) lua_pushnil(L);
    else if (access->plural || lua_istable(L, 2)) lua_pushvalue(L, 2);
    else lua_pushboolean(L, 1);
    if (!access->plural && access->raw_count && lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);      /* a composite raw key */
    }
    set_call_value(L, call, CALL_RESULT);
}

/* destroy, destroyPrevious: true, or the options of the removal, {force = true}. */
static bool read_removal_option(lua_State *L, struct call *call, struct access *access, const char *name) {
    struct write_options removal = { 0 };
    int type = push_field(L, 3, name);
    bool table = type == LUA_TTABLE, fine = table || type == LUA_TNIL || type == LUA_TBOOLEAN;
    if (!fine) wrong_argument(call, access, arena_printf(&call->arena, "%s must be true or false", name));
    else if (table) fine = read_write_options(L, call, lua_gettop(L), WRITE_REMOVAL, &removal);
    if (lua_toboolean(L, -1)) access->destroy = true;
    if (removal.force) access->options.force = true;
    lua_pop(L, 1);
    return fine;
}

static bool offered(struct call *call, const struct access *access, const char *name, bool fits) {
    return fits || wrong_argument(call, access, arena_printf(&call->arena, "option \"%s\" does not apply here", name));
}

/* Options that only some verbs have. */
static bool read_link_options(lua_State *L, struct call *call, struct access *access) {
    if (!read_write_options(L, call, 3, WRITE_LINK, &access->options)) return false;
    if (!lua_istable(L, 3)) return true;
    enum key_holder holder = access->assoc->kind->holder;
    bool removes = access->verb == VERB_REMOVE || access->verb == VERB_REMOVE_MULTIPLE;
    bool given[4];
    static const char *const names[] = { "save", "through", "destroy", "destroyPrevious" };
    for (int i = 0; i < 4; i++) {
        given[i] = push_field(L, 3, names[i]) != LUA_TNIL;
        lua_pop(L, 1);
    }
    bool fine = (!given[0] || offered(call, access, "save", holder == HELD_BY_SOURCE && access->verb == VERB_SET))
             && (!given[1] || offered(call, access, "through", holder == HELD_BY_THROUGH))
             && (!given[2] || offered(call, access, "destroy", holder == HELD_BY_TARGET && (removes || access->verb == VERB_SET)))
             && (!given[3] || offered(call, access, "destroyPrevious", holder == HELD_BY_TARGET && access->verb == VERB_SET))
             && read_removal_option(L, call, access, "destroy") && read_removal_option(L, call, access, "destroyPrevious");
    if (!fine || !given[1]) return fine;
    push_field(L, 3, "through");
    if (!lua_istable(L, -1)) return wrong_argument(call, access, "through must be a table of junction values");
    access->through = lua_gettop(L);
    return true;
}

/* {attribute = value} that unsaved targets get before they are saved: key and scope. */
static void push_presets(lua_State *L, struct call *call, const struct access *access) {
    lua_newtable(L);
    if (access->verb == VERB_SET || access->verb == VERB_ADD || access->verb == VERB_ADD_MULTIPLE)
        preset_all(L, call, access, lua_gettop(L));
}

/* Unsaved targets are saved first, in the same transaction: the handler does it and calls this method again. */
static int save_targets_first(lua_State *L, struct call *call, struct access *access) {
    if (removes(access)) {
        wrong_argument(call, access, "an unsaved instance is linked to nothing");
        call->error.code = ERROR_INSTANCE;
        return call_raise(L, call);
    }
    push_presets(L, call, access);
    int presets = lua_gettop(L);
    push_handler(L, HANDLER_ASSOCIATE);
    push_plain_accessor(L, lua_upvalueindex(2), assoc_verb(access->assoc, access->verb));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, presets);
    lua_pushboolean(L, access->assoc->kind->holder == HELD_BY_TARGET && !access->assoc->kind->many);
    call_close(L, call);
    return call_function(L, 6);
}

static bool has_dependents(lua_State *L, const struct access *access) {
    lua_getiuservalue(L, lua_upvalueindex(2), 1);
    lua_getiuservalue(L, -1, MODEL_DB);
    bool has = push_model(L, access_assoc(L)->db, lua_gettop(L), access->assoc->target)->has_dependents;
    lua_pop(L, 3);
    return has;
}

/* Whether rows depend on targets that the call is to delete, and the fourth argument doesn't say that this is looked after. */
static bool needs_free_targets(lua_State *L, const struct call *call, const struct access *access) {
    return !lua_isboolean(L, 4) && !call->db->dry && deletes_targets(access) && has_dependents(L, access);
}

static int free_targets_first(lua_State *L, struct call *call, struct access *access) {
    const struct verb_row *verb = assoc_verb(access->assoc, access->verb);
    push_handler(L, HANDLER_FREE_TARGETS);
    push_plain_accessor(L, lua_upvalueindex(2), verb);
    lua_pushstring(L, access->assoc->name);
    lua_pushstring(L, verb->name);
    for (int i = 1; i <= 3; i++) lua_pushvalue(L, i);
    call_close(L, call);
    return call_function(L, 6);
}

/* The stack is (source, targets, options, list of the junction's defaults by function or nil; true: targets are free). */
static int write_links(lua_State *L, int status, lua_KContext context) {
    struct access *access;
    enum verb verb = (enum verb)context;
    bool unsaved = false;
    (void)status;
    struct call *call = access_open(L, &access, verb);
    access->defaults = lua_istable(L, 4) ? 4 : 0;
    const struct link_rule *rule = link_rules[access->assoc->kind->holder];
    bool fine = read_link_options(L, call, access)
             && (verb == VERB_CREATE ? plan_create(L, call, access) : read_elements(L, call, access, &unsaved));
    if (!fine) return call_raise(L, call);
    if (unsaved) return save_targets_first(L, call, access);
    if (needs_free_targets(L, call, access)) return free_targets_first(L, call, access);
    if (verb != VERB_CREATE) keep_result(L, call, access);
    lua_pushvalue(L, 1);
    set_call_value(L, call, CALL_KEEP);
    if (!rule->plan(L, call) || error_is_set(&call->error)) return call_raise(L, call);
    call->next = access_next;
    call->results = write_results;
    return call_run(L, call);
}

/* Pushes the class of the junction if new rows of it have defaults by function. */
static bool push_calling_junction(lua_State *L, enum verb verb) {
    const struct assoc_box *box = access_assoc(L);
    if (box->assoc->kind->holder != HELD_BY_THROUGH || verb == VERB_REMOVE || verb == VERB_REMOVE_MULTIPLE) return false;
    lua_getiuservalue(L, lua_upvalueindex(2), 1);
    lua_getiuservalue(L, -1, MODEL_DB);
    const struct model_box *junction = push_model(L, box->db, lua_gettop(L), box->assoc->hops[0].next);
    if (junction->calls_lua) lua_getiuservalue(L, -1, MODEL_CLASS);
    return junction->calls_lua;
}

/* A fourth argument comes from the Lua side: what the junction's rows are to hold, see handlers.fill_link_defaults; true, see
 * handlers.free_targets. */
int access_write(lua_State *L, enum verb verb) {
    check_arguments(L, verb);
    lua_settop(L, 4);
    if (!lua_isnil(L, 4)) return write_links(L, LUA_OK, verb);
    lua_settop(L, 3);
    if (!push_calling_junction(L, verb)) {
        lua_settop(L, 4);
        lua_pushnil(L);
        lua_replace(L, 4);
        return write_links(L, LUA_OK, verb);
    }
    lua_replace(L, 4);
    lua_settop(L, 4);
    check_call(L, verb);
    push_handler(L, HANDLER_FILL_LINKS);
    lua_insert(L, 4);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_callk(L, 3, 1, (lua_KContext)verb, write_links);
    return write_links(L, LUA_OK, (lua_KContext)verb);
}

/* ---------------------------------------------------------------------------------------------------- functions */

static int access_has_one(lua_State *L) { return access_has(L, VERB_HAS); }
static int access_has_multiple(lua_State *L) { return access_has(L, VERB_HAS_MULTIPLE); }
static int access_set(lua_State *L) { return access_write(L, VERB_SET); }
static int access_add(lua_State *L) { return access_write(L, VERB_ADD); }
static int access_add_multiple(lua_State *L) { return access_write(L, VERB_ADD_MULTIPLE); }
static int access_remove(lua_State *L) { return access_write(L, VERB_REMOVE); }
static int access_remove_multiple(lua_State *L) { return access_write(L, VERB_REMOVE_MULTIPLE); }

/* createS: defaults by function are filled in first. */
static int create_with_defaults(lua_State *L) { return access_write(L, VERB_CREATE); }

static int access_create(lua_State *L) {
    const struct assoc_box *box = access_assoc(L);
    if (lua_isboolean(L, 4)) return create_with_defaults(L);        /* called again: they are there */
    lua_settop(L, 3);
    lua_getiuservalue(L, lua_upvalueindex(2), 1);
    lua_getiuservalue(L, -1, MODEL_DB);
    const struct model_box *model = push_model(L, box->db, lua_gettop(L), box->assoc->target);
    if (!model->calls_lua || instance_test(L, 2)) {
        lua_settop(L, 3);
        return create_with_defaults(L);
    }
    lua_getiuservalue(L, -1, MODEL_CLASS);
    lua_replace(L, 4);
    lua_settop(L, 4);
    return fill_then(L, 4, 2, create_with_defaults);
}

static const lua_CFunction plain_functions[VERBS] = {
    [VERB_GET] = access_get, [VERB_SET] = access_set, [VERB_CREATE] = access_create, [VERB_ADD] = access_add,
    [VERB_ADD_MULTIPLE] = access_add_multiple, [VERB_REMOVE] = access_remove,
    [VERB_REMOVE_MULTIPLE] = access_remove_multiple, [VERB_HAS] = access_has_one, [VERB_HAS_MULTIPLE] = access_has_multiple,
    [VERB_COUNT] = access_count,
};

static void push_method(lua_State *L, int assoc_index, lua_CFunction function) {
    lua_pushvalue(L, lua_upvalueindex(1));
    if (assoc_index == lua_upvalueindex(2)) lua_pushvalue(L, assoc_index);
    else lua_pushvalue(L, lua_absindex(L, assoc_index));
    lua_pushcclosure(L, function, 2);
}

void push_plain_accessor(lua_State *L, int assoc_index, const struct verb_row *verb) {
    push_method(L, assoc_index, plain_functions[verb->verb]);
}

/* core.plain_accessor(association, verb) → the method itself, without hooks */
int plain_accessor(lua_State *L) {
    struct assoc_box *box = userdata_check(L, 1, USERDATA_ASSOC, "an association");
    const char *name = luaL_checkstring(L, 2);
    const struct verb_row *row = box->assoc->kind->verbs;
    while (row->name && strcmp(row->name, name) != 0) row++;
    if (!row->name) return raise_usage(L, "no verb %s", name);
    push_plain_accessor(L, 1, row);
    return 1;
}

/* Whether a model that the verb reads or writes has hooks, scopes … to be looked after. */
static bool behaves(const struct assoc *assoc, enum verb verb) {
    if (assoc->target->behaves) return true;
    return !is_read(verb) && (assoc->hops[0].next->behaves || (assoc->kind->holder == HELD_BY_SOURCE && assoc->source->behaves));
}

/* linked(plain method, verb, name of the association, source, argument, options) */
static int run_linked(lua_State *L, enum verb verb) {
    const struct verb_row *row = assoc_verb(access_assoc(L)->assoc, verb);
    check_call(L, verb);
    lua_settop(L, 3);
    push_handler(L, HANDLER_LINKED);
    push_plain_accessor(L, lua_upvalueindex(2), row);
    lua_pushstring(L, row->name);
    lua_pushstring(L, access_assoc(L)->assoc->name);
    for (int i = 1; i <= 3; i++) lua_pushvalue(L, i);
    return call_function(L, 6);
}

#define VERB_FUNCTION(name, verb)                                                   \
    static int name(lua_State *L) {                                                 \
        if (lua_gettop(L) > 3) lua_settop(L, 3);                                    \
        if (behaves(access_assoc(L)->assoc, verb)) return run_linked(L, verb);      \
        return plain_functions[verb](L);                                            \
    }

VERB_FUNCTION(run_get, VERB_GET)
VERB_FUNCTION(run_set, VERB_SET)
VERB_FUNCTION(run_add, VERB_ADD)
VERB_FUNCTION(run_add_multiple, VERB_ADD_MULTIPLE)
VERB_FUNCTION(run_remove, VERB_REMOVE)
VERB_FUNCTION(run_remove_multiple, VERB_REMOVE_MULTIPLE)
VERB_FUNCTION(run_has, VERB_HAS)
VERB_FUNCTION(run_has_multiple, VERB_HAS_MULTIPLE)
VERB_FUNCTION(run_count, VERB_COUNT)

/* The option `include` of createX. */
static bool has_include(lua_State *L) {
    if (!lua_istable(L, 3)) return false;
    bool given = push_field(L, 3, "include") != LUA_TNIL;
    lua_pop(L, 1);
    return given;
}

/* create_nested(name of the association, source, values, options) */
static int run_create(lua_State *L) {
    lua_settop(L, 3);
    if (!has_include(L)) return behaves(access_assoc(L)->assoc, VERB_CREATE) ? run_linked(L, VERB_CREATE) : access_create(L);
    check_call(L, VERB_CREATE);
    push_handler(L, HANDLER_CREATE_NESTED);
    lua_pushstring(L, access_assoc(L)->assoc->name);
    for (int i = 1; i <= 3; i++) lua_pushvalue(L, i);
    return call_function(L, 4);
}

void push_accessor(lua_State *L, int assoc_index, const struct verb_row *verb) {
    static const lua_CFunction functions[VERBS] = {
        [VERB_GET] = run_get, [VERB_SET] = run_set, [VERB_CREATE] = run_create, [VERB_ADD] = run_add,
        [VERB_ADD_MULTIPLE] = run_add_multiple, [VERB_REMOVE] = run_remove, [VERB_REMOVE_MULTIPLE] = run_remove_multiple,
        [VERB_HAS] = run_has, [VERB_HAS_MULTIPLE] = run_has_multiple, [VERB_COUNT] = run_count,
    };
    push_method(L, assoc_index, functions[verb->verb]);
}
