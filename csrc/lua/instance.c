#include "lua/instance.h"

#include <string.h>

#include "base/buf.h"
#include "base/names.h"
#include "lua/json.h"
#include "lua/value.h"

bool instance_test(lua_State *L, int index) {
    if (!instance_rowset(L, index)) return false;
    lua_pop(L, 1);
    return true;
}

struct instance instance_look(lua_State *L, int index) {
    struct instance instance = { .state = INSTANCE_NONE, .row = -1 };
    index = lua_absindex(L, index);
    instance.rowset = instance_rowset(L, index);
    if (!instance.rowset) return instance;
    instance.state = INSTANCE_NEW;
    if (instance.rowset->unsaved) return instance;
    instance.row = rowset_find(instance.rowset, lua_topointer(L, index));
    instance.state = instance.row < 0 ? INSTANCE_FOREIGN : INSTANCE_STORED;
    return instance;
}

const char *other_model_text(const struct model *other, const struct model *expected) {
    return strcmp(other->name, expected->name) == 0 ? "another database object" : other->name;
}

struct instance check_instance(lua_State *L, int index, const struct model *model) {
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE)
        raise_usage(L, "an instance expected as self, got %s (call it with a colon: instance:method(…))", luaL_typename(L, index));
    if (model && instance.rowset->model != model)
        raise_usage(L, "an instance of %s expected, got one of %s", model->name, other_model_text(instance.rowset->model, model));
    return instance;
}

void push_attribute(lua_State *L, int index, const struct attr *attr) {
    index = lua_absindex(L, index);
    lua_pushstring(L, attr->name);
    lua_rawget(L, index);
}

/* ------------------------------------------------------------------------------------------------------ changes */

/* JSON texts are equal by value: both are written anew in canonical form. */
static bool same_json(lua_State *L, struct call *call, int current, int original) {
    struct buf a, b;
    struct error error = { .code = ERROR_NONE };
    buf_init(&a, &call->arena);
    buf_init(&b, &call->arena);
    if (!json_write(L, current, NULL, &a, &call->error)) return false;
    return json_write(L, original, NULL, &b, &error) && a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static bool same_value(lua_State *L, struct call *call, const struct attr *attr, int current, int original) {
    struct value a, b;
    struct error error = { .code = ERROR_NONE };
    if (!read_attr_value(L, current, attr, &a, &call->arena, &call->error)) return false;
    if (!read_attr_value(L, original, attr, &b, &call->arena, &error)) return false;
    if (value_equal(a, b)) return true;
    type_cut(&attr->type, &a, &call->arena);            /* as save would write it */
    return value_equal(a, b);
}

/* An array of more dimensions than its type says is none of its values, but it was read so. */
static bool same_by_type(lua_State *L, struct call *call, const struct attr *attr, int current, int original) {
    if (type_is_json(&attr->type)) return same_json(L, call, current, original);
    return same_value(L, call, attr, current, original)
        || (attr->type.id == TYPE_ARRAY && lua_istable(L, current) && same_json(L, call, current, original));
}

static bool same_number(lua_State *L, const struct instance *instance, const struct attr *attr, enum original kind, int current) {
    const union number *original = original_number(instance->rowset, instance->row, attr);
    if (kind == ORIGINAL_INT) return lua_isinteger(L, current) && lua_tointeger(L, current) == original->integer;
    return lua_type(L, current) == LUA_TNUMBER && !lua_isinteger(L, current) && lua_tonumber(L, current) == original->real;
}

/* The cheap comparisons first: most attributes are as they were. */
static bool unchanged_at_a_glance(lua_State *L, const struct instance *instance, const struct attr *attr, enum original kind,
                                  int current) {
    if (kind == ORIGINAL_INT || kind == ORIGINAL_REAL) return same_number(L, instance, attr, kind, current);
    if (kind == ORIGINAL_TRUE || kind == ORIGINAL_FALSE)
        return lua_isboolean(L, current) && lua_toboolean(L, current) == (kind == ORIGINAL_TRUE);
    return false;
}

/* By value, once a glance did not settle it. */
static enum change compare(lua_State *L, struct call *call, int rowset_index, const struct instance *instance,
                           const struct attr *attr, int current) {
    int top = lua_gettop(L);
    struct error before = call->error;
    push_original(L, rowset_index, instance->rowset, instance->row, attr);
    bool very_same = lua_type(L, current) == LUA_TSTRING && lua_rawequal(L, current, -1);
    bool same = very_same || same_by_type(L, call, attr, current, lua_gettop(L));
    lua_settop(L, top);
    call->error = before;
    return very_same ? UNCHANGED : same ? SAME_VALUE : CHANGED;
}

enum change value_change(lua_State *L, struct call *call, int rowset_index, int texts, const struct instance *instance,
                         const struct attr *attr, int current) {
    enum original kind = instance->row < 0 ? ORIGINAL_ABSENT : original_kind(instance->rowset, instance->row, attr);
    if (kind == ORIGINAL_ABSENT) return lua_isnil(L, current) ? UNCHANGED : CHANGED;
    if (unchanged_at_a_glance(L, instance, attr, kind, current)) return UNCHANGED;
    if (kind == ORIGINAL_TEXT && lua_type(L, current) == LUA_TSTRING) {
        if (is_original_text(L, texts, instance->rowset, instance->row, attr, current)) return UNCHANGED;
        if (type_is_verbatim(&attr->type)) return CHANGED;
    }
    bool null = is_null(L, current);
    if (kind == ORIGINAL_NULL || null) {
        if ((kind == ORIGINAL_NULL) != null) return CHANGED;
        return lua_isnil(L, current) ? UNCHANGED : SAME_VALUE;
    }
    return compare(L, call, rowset_index, instance, attr, current);
}

bool attribute_changed(lua_State *L, struct call *call, int index, int rowset_index, const struct instance *instance,
                       const struct attr *attr) {
    lua_getiuservalue(L, rowset_index, ROWSET_TEXTS);
    push_attribute(L, index, attr);
    int current = lua_gettop(L);
    bool changed = value_change(L, call, rowset_index, current - 1, instance, attr, current) == CHANGED;
    lua_pop(L, 2);
    return changed;
}

/* --------------------------------------------------------------------------------------------------------- keys */

bool read_attributes(lua_State *L, struct call *call, int index, struct attr_list attrs, struct value *values) {
    for (int k = 0; k < attrs.count; k++) {
        push_attribute(L, index, attrs.items[k]);
        bool fine = read_attr_value(L, lua_gettop(L), attrs.items[k], &values[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return true;
}

static bool no_key(struct call *call, const struct model *model, const char *part) {
    if (!part) error_set(&call->error, &call->arena, ERROR_INSTANCE, "%s has no primary key", model->name);
    else error_set(&call->error, &call->arena, ERROR_INSTANCE, "this %s has no %s: its key is incomplete", model->name, part);
    call->error.model = model->name;
    return false;
}

bool read_stored_key(lua_State *L, struct call *call, int index, int rowset_index, const struct instance *instance,
                     struct value *key) {
    const struct model *model = instance->rowset->model;
    if (!model->key.count) return no_key(call, model, NULL);
    for (int k = 0; k < model->key.count; k++) {
        const struct attr *attr = model->key.items[k];
        bool known = instance->row >= 0 && original_kind(instance->rowset, instance->row, attr) > ORIGINAL_NULL;
        if (known) push_original(L, rowset_index, instance->rowset, instance->row, attr);
        else push_attribute(L, index, attr);
        bool missing = is_null(L, -1);
        bool fine = !missing && read_attr_value(L, lua_gettop(L), attr, &key[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (missing) return no_key(call, model, attr->name);
        if (!fine) return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------------ storing */

/* Gives the instance a row in the open chunk of its model unless it has one. */
static struct instance place(lua_State *L, int index, const struct instance *instance) {
    if (instance->row >= 0) return *instance;
    struct instance placed = { .state = INSTANCE_STORED };
    lua_getiuservalue(L, -1, ROWSET_MODEL);
    placed.rowset = rowset_open(L, lua_gettop(L), 1);
    lua_pushvalue(L, -1);
    lua_setmetatable(L, index);
    placed.row = rowset_register(placed.rowset, lua_topointer(L, index));
    lua_rawgeti(L, -1, 1);
    lua_replace(L, -4);
    lua_pop(L, 2);
    return placed;
}

/* Puts a logical value into the instance (a JSON value that is there stays: it is what was written) and its originals. */
static void store_value(lua_State *L, struct call *call, int index, int texts, const struct instance *instance,
                        const struct attr *attr, struct value value, bool fresh) {
    struct error error = { .code = ERROR_NONE };
    lua_pushstring(L, attr->name);
    if (!push_logical(L, call->db, attr, value, &call->arena, &error)) lua_pushnil(L);
    if (lua_istable(L, -1)) original_keep_source(L, instance->rowset, instance->row, attr, texts, value);
    else original_keep(L, instance->rowset, instance->row, attr, texts, lua_gettop(L));
    lua_pushvalue(L, -2);
    lua_rawget(L, index);
    bool keep = !fresh && type_is_json(&attr->type) && lua_istable(L, -1) && lua_istable(L, -2);
    bool same = keep || (lua_rawequal(L, -1, -2) && lua_isinteger(L, -1) == lua_isinteger(L, -2));
    lua_pop(L, 1);
    if (same) lua_pop(L, 2);
    else lua_rawset(L, index);
}

void instance_store(lua_State *L, struct call *call, int index, const struct value *values, const bool *known, bool fresh) {
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    instance = place(L, index, &instance);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    int texts = lua_gettop(L);
    const struct model *model = instance.rowset->model;
    for (int i = 0; i < model->attr_count && i < instance.rowset->width; i++)
        if (known[i]) store_value(L, call, index, texts, &instance, model->attrs[i], values[i], fresh);
    lua_settop(L, top);
}

/* ---------------------------------------------------------------------------------------------------- functions */

/* core.state(value) → "new", "stored", "foreign" or nil */
static int state(lua_State *L) {
    static const char *const names[] = { NULL, "new", "stored", "foreign" };
    luaL_checkany(L, 1);
    lua_pushstring(L, names[instance_look(L, 1).state]);
    return 1;
}

/* core.class_of(instance) → class or nil */
static int class_of(lua_State *L) {
    luaL_checkany(L, 1);
    if (!instance_rowset(L, 1)) return 0;
    lua_getiuservalue(L, -1, ROWSET_MODEL);
    lua_getiuservalue(L, -1, MODEL_CLASS);
    return 1;
}

static struct call *open_for_instance(lua_State *L, const struct instance *instance) {
    lua_getiuservalue(L, -1, ROWSET_MODEL);
    lua_getiuservalue(L, -1, MODEL_DB);
    struct call *call = call_open(L, instance->rowset->db, lua_gettop(L));
    call->model = instance->rowset->model;
    return call;
}

static const struct attr *check_attr(lua_State *L, const struct model *model, int index) {
    const char *name = luaL_checkstring(L, index);
    const struct attr *attr = attr_find(model, name);
    if (attr) return attr;
    struct nearest nearest = { .word = name };
    for (int i = 0; i < model->attr_count; i++) nearest_offer(&nearest, model->attrs[i]->name);
    raise_usage(L, "%s has no attribute \"%s\"%s%s%s", model->name, name, nearest.best ? " (did you mean \"" : "",
                nearest.best ? nearest.best : "", nearest.best ? "\"?)" : "");
    return NULL;
}

static void push_changed_names(lua_State *L, struct call *call, const struct instance *instance, int rowset_index) {
    const struct model *model = instance->rowset->model;
    int count = 0;
    lua_newtable(L);
    for (int i = 0; i < model->attr_count; i++) {
        if (!attribute_changed(L, call, 1, rowset_index, instance, model->attrs[i])) continue;
        lua_pushstring(L, model->attrs[i]->name);
        lua_rawseti(L, -2, ++count);
    }
    if (count) return;
    lua_pop(L, 1);
    lua_pushnil(L);
}

/* instance:changed() → list of names or nil; instance:changed(name) → boolean */
static int changed(lua_State *L) {
    struct instance instance = check_instance(L, 1, NULL);
    int rowset_index = lua_gettop(L);
    const struct attr *attr = lua_isnoneornil(L, 2) || rowset_index < 3 ? NULL : check_attr(L, instance.rowset->model, 2);
    struct call *call = open_for_instance(L, &instance);
    if (attr) lua_pushboolean(L, attribute_changed(L, call, 1, rowset_index, &instance, attr));
    else push_changed_names(L, call, &instance, rowset_index);
    error_clear(&call->error);          /* a value that doesn't fit counts as changed; save says what is wrong */
    call_close(L, call);
    return 1;
}

/* instance:previous(name) → the value that is stored */
static int previous(lua_State *L) {
    struct instance instance = check_instance(L, 1, NULL);
    int rowset_index = lua_gettop(L);
    const struct attr *attr = check_attr(L, instance.rowset->model, 2);
    if (instance.row < 0) return 0;
    push_original(L, rowset_index, instance.rowset, instance.row, attr);
    return 1;
}

/* core.set_original(instance, name, value): what is stored, as far as the instance knows */
static int set_original(lua_State *L) {
    lua_settop(L, 3);
    struct instance instance = check_instance(L, 1, NULL);
    int rowset_index = lua_gettop(L);
    const struct attr *attr = check_attr(L, instance.rowset->model, 2);
    if (instance.row < 0) return 0;
    lua_getiuservalue(L, rowset_index, ROWSET_TEXTS);
    if (!lua_istable(L, 3)) {
        original_keep(L, instance.rowset, instance.row, attr, lua_gettop(L), 3);
        return 0;
    }
    struct value source;
    int texts = lua_gettop(L);
    lua_pushvalue(L, rowset_index);
    struct call *call = open_for_instance(L, &instance);
    if (read_attr_value(L, 3, attr, &source, &call->arena, &call->error) && source.kind == VALUE_TEXT)
        original_keep_source(L, instance.rowset, instance.row, attr, texts, source);
    error_clear(&call->error);
    call_close(L, call);
    return 0;
}

/* core.unsaved(class) → a new instance without any values */
static int unsaved(lua_State *L) {
    lua_settop(L, 1);
    lua_newtable(L);
    if (!class_model(L, 1)) return raise_usage(L, "a model expected");
    push_unsaved_metatable(L, 3);
    lua_setmetatable(L, 2);
    lua_settop(L, 2);
    return 1;
}

/* core.is_selected(instance, name): false where the query left the attribute out */
static int is_selected(lua_State *L) {
    struct instance instance = check_instance(L, 1, NULL);
    const struct attr *attr = check_attr(L, instance.rowset->model, 2);
    lua_pushboolean(L, instance.row < 0 || original_kind(instance.rowset, instance.row, attr) != ORIGINAL_ABSENT);
    return 1;
}

/* core.stored_key(instance) → list of the key's parts, or nil where one is missing */
static int stored_key(lua_State *L) {
    struct instance instance = check_instance(L, 1, NULL);
    const struct model *model = instance.rowset->model;
    int rowset_index = lua_gettop(L);
    struct value key[KEY_PARTS];
    if (!model->key.count) return 0;
    struct call *call = open_for_instance(L, &instance);
    bool complete = instance.state != INSTANCE_NEW && read_stored_key(L, call, 1, rowset_index, &instance, key);
    if (complete) {
        lua_createtable(L, model->key.count, 0);
        for (int k = 0; k < model->key.count; k++) {
            if (!push_logical(L, call->db, model->key.items[k], key[k], &call->arena, &call->error)) lua_pushnil(L);
            lua_rawseti(L, -2, k + 1);
        }
    } else {
        lua_pushnil(L);
    }
    error_clear(&call->error);
    call_close(L, call);
    return 1;
}

void open_instances(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "state", state }, { "class_of", class_of }, { "changed", changed }, { "is_selected", is_selected }, { "previous", previous },
        { "set_original", set_original }, { "unsaved", unsaved },
        { "stored_key", stored_key }, { NULL, NULL },
    };
    add_functions(L, functions);
}
