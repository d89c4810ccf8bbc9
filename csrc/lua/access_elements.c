/* The targets that a method is handed: instances or raw primary keys, one or a list, each counted once. */
#include "lua/access.h"

#include <string.h>

#include "lua/value.h"

struct attr_list element_attrs(const struct assoc *assoc) {
    bool by_key = assoc->target->key.count || assoc->kind->holder == HELD_BY_TARGET;
    return by_key ? assoc->target->key : assoc_last_hop(assoc)->far;
}

bool check_far(struct call *call, const struct access *access, const struct value *far) {
    const struct attr_list attrs = assoc_last_hop(access->assoc)->far;
    for (int k = 0; k < attrs.count; k++) {
        if (far[k].kind != VALUE_NULL) continue;
        error_set(&call->error, &call->arena, ERROR_INSTANCE, "%s: the %s %s has no %s", method_of(call, access),
                  access->assoc->target->name, access->created ? "made" : "handed over", attrs.items[k]->name);
        call->error.model = access->assoc->target->name;
        return false;
    }
    return true;
}

static bool read_far(lua_State *L, struct call *call, const struct access *access, struct element *element, int index) {
    const struct hop *last = assoc_last_hop(access->assoc);
    if (access->assoc->kind->holder == HELD_BY_TARGET) return true;
    element->far = arena_array(&call->arena, struct value, last->far.count + 1);
    if (!read_attributes(L, call, index, last->far, element->far)) return false;
    return !links(access) || check_far(call, access, element->far);
}

/* What tells a stored target from others, and what the association refers to. */
static bool read_stored(lua_State *L, struct call *call, const struct access *access, struct element *element, int index,
                        int rowset_index, const struct instance *instance) {
    if (!read_far(L, call, access, element, index)) return false;
    bool keyless = !access->assoc->target->key.count && element->far;
    if (keyless) element->key = element->far;
    return keyless || read_stored_key(L, call, index, rowset_index, instance, element->key);
}

/* A list where one target is expected: easily mistyped, so the method for lists is named. */
static bool holds_instances(lua_State *L, int index) {
    if (!lua_istable(L, index)) return false;
    lua_rawgeti(L, index, 1);
    bool list = instance_test(L, -1);
    lua_pop(L, 1);
    return list;
}

static const char *one_expected(struct call *call, const struct access *access) {
    static const enum verb for_lists[VERBS] = {
        [VERB_ADD] = VERB_ADD_MULTIPLE, [VERB_REMOVE] = VERB_REMOVE_MULTIPLE, [VERB_HAS] = VERB_HAS_MULTIPLE,
    };
    enum verb plural = for_lists[access->verb];
    if (!plural) return "an instance or a key expected, got a list";
    return arena_printf(&call->arena, "one instance or key expected, got a list: %s takes lists",
                        verb_method_name(assoc_verb(access->assoc, plural), access->assoc, &call->arena));
}

/* A raw key is a primary key; where the association refers to it, nothing has to be read to translate it. */
static bool read_raw(lua_State *L, struct call *call, struct access *access, struct element *element, int index) {
    const struct model *target = access->assoc->target;
    element->raw = true;
    if (lua_istable(L, index) && class_model(L, index)) return wrong_argument(call, access, "a model is neither instance nor key");
    if (holds_instances(L, index)) return wrong_argument(call, access, one_expected(call, access));
    if (!read_key_argument(L, call, target, index, element->key)) {
        call->error.message = arena_printf(&call->arena, "%s: %s", method_of(call, access), call->error.message);
        return false;
    }
    if (attrs_same(assoc_last_hop(access->assoc)->far, target->key)) element->far = element->key;
    access->raw_count++;
    return true;
}

/* The instance was looked at: its chunk is on the top. */
static bool read_instance(lua_State *L, struct call *call, struct access *access, struct element *element, int index,
                          const struct instance *instance) {
    const struct model *target = access->assoc->target, *model = instance->rowset->model;
    if (model != target)
        return wrong_argument(call, access, arena_printf(&call->arena, "an instance of %s expected, got one of %s", target->name,
                                                         other_model_text(model, target)));
    return instance->state == INSTANCE_NEW || read_stored(L, call, access, element, index, lua_gettop(L), instance);
}

/* The key as bytes, each part with kind and length: equal keys, equal texts. */
static void push_key_text(lua_State *L, const struct value *key, int parts) {
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (int k = 0; k < parts; k++) {
        struct value value = key[k];
        bool text = value.kind == VALUE_TEXT || value.kind == VALUE_BLOB;
        size_t len = text ? value.len : sizeof value.as.integer;
        if (value.kind == VALUE_BOOL) value = value_int(value.as.boolean);
        luaL_addchar(&buffer, (char)('0' + (int)value.kind));
        luaL_addlstring(&buffer, (const char *)&len, sizeof len);
        luaL_addlstring(&buffer, text ? value.as.text : (const char *)&value.as.integer, len);
    }
    luaL_pushresult(&buffer);
}

/* Each target counts once. The table at `seen` maps key texts to places; returns that of an equal element, 0: there is none. */
static int place_of_equal(lua_State *L, const struct access *access, const struct value *key, int seen) {
    push_key_text(L, key, element_attrs(access->assoc).count);
    lua_pushvalue(L, -1);
    lua_rawget(L, seen);
    int place = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (place) {
        lua_pop(L, 1);
        return place;
    }
    lua_pushinteger(L, access->count + 1);
    lua_rawset(L, seen);
    return 0;
}

/* Targets of a list hang on the call in a table, by place; a single one by itself. */
static void keep_handed(lua_State *L, struct call *call, const struct access *access, int index, int place) {
    if (!access->listed) {
        lua_pushvalue(L, index);
        set_call_value(L, call, CALL_AUX);
        return;
    }
    push_call_value(L, call, CALL_AUX);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, place);
    lua_pop(L, 1);
}

void push_handed(lua_State *L, const struct call *call, const struct access *access, int place) {
    push_call_value(L, call, CALL_AUX);
    if (!access->listed) return;
    lua_rawgeti(L, -1, place);
    lua_replace(L, -2);
}

/* An instance of a target that was named before: it takes the place of a raw key, or is remembered beside the other one. */
static void keep_again(lua_State *L, struct call *call, struct access *access, int index, int place) {
    push_handed(L, call, access, place);
    bool beside = instance_test(L, -1);
    lua_pop(L, 1);
    if (beside) access->again_of[access->again++] = place;
    keep_handed(L, call, access, index, beside ? -access->again : place);
}

struct element *element_of_key(lua_State *L, struct call *call, const struct access *access, const struct value *key) {
    int place = 1, top = lua_gettop(L);
    if (access->listed) push_handed(L, call, access, 0);
    if (access->listed && lua_istable(L, -1)) {
        push_key_text(L, key, element_attrs(access->assoc).count);
        lua_rawget(L, -2);
        place = (int)lua_tointeger(L, -1);
    }
    lua_settop(L, top);
    return place >= 1 && place <= access->count ? &access->elements[place - 1] : NULL;
}

void adopt_handed(lua_State *L, struct call *call, adopt_instance *adopt) {
    const struct access *access = call->data;
    int top = lua_gettop(L);
    for (int place = -access->again; place <= access->count; place++) {
        if (place == 0) continue;
        push_handed(L, call, access, place);
        int of = place < 0 ? access->again_of[-place - 1] : place;
        if (instance_test(L, -1)) adopt(L, call, access, &access->elements[of - 1], lua_gettop(L));
        lua_settop(L, top);
    }
}

static bool read_element(lua_State *L, struct call *call, struct access *access, int index, int seen, bool *unsaved) {
    struct element *element = &access->elements[access->count];
    int raws = access->raw_count, parts = element_attrs(access->assoc).count, top = lua_gettop(L);
    *element = (struct element){ .key = arena_array(&call->arena, struct value, parts + 1) };
    const struct instance instance = instance_look(L, index);
    bool raw = instance.state == INSTANCE_NONE;
    bool fine = raw ? read_raw(L, call, access, element, index) : read_instance(L, call, access, element, index, &instance);
    lua_settop(L, top);
    if (!fine) return false;
    if (instance.state == INSTANCE_NEW) {
        *unsaved = true;
        return true;
    }
    int equal = seen ? place_of_equal(L, access, element->key, seen) : 0;
    if (equal) {
        access->raw_count = raws;
        if (!raw) keep_again(L, call, access, index, equal);
        return true;
    }
    keep_handed(L, call, access, index, ++access->count);
    return true;
}

static bool names_coincide(const struct assoc *assoc) {
    return strcmp(assoc->singular, assoc->plural) == 0;
}

/* A table that is a list, where it could be a composite key as well: its elements are tables, or it has none. */
static bool list_of_targets(lua_State *L, int index, const struct access *access) {
    if (access->assoc->target->key.count == 1 || access->verb == VERB_SET) return true;
    lua_rawgeti(L, index, 1);
    bool list = lua_istable(L, -1);
    lua_pop(L, 1);
    lua_pushnil(L);
    if (!lua_next(L, index)) return true;
    lua_pop(L, 2);
    return list;
}

static bool is_plural(const struct access *access) {
    return access->verb == VERB_ADD_MULTIPLE || access->verb == VERB_REMOVE_MULTIPLE || access->verb == VERB_HAS_MULTIPLE
        || (access->verb == VERB_SET && access->assoc->kind->many);
}

/* The list of a plural method; one instance is a list of itself. */
static bool takes_list(lua_State *L, const struct access *access) {
    bool coincide = names_coincide(access->assoc);
    if (!(coincide || is_plural(access)) || !lua_istable(L, 2) || instance_test(L, 2)) return false;
    return !coincide || list_of_targets(L, 2, access);
}

static bool wants_list(const struct access *access) {
    return is_plural(access) && (access->verb == VERB_SET || !names_coincide(access->assoc));
}

static bool read_list(lua_State *L, struct call *call, struct access *access, bool *unsaved) {
    struct where_reader reader = where_reader(call, access->assoc->target, method_of(call, access));
    int length = list_length(L, &reader, 2);
    if (length < 0) return false;
    access->elements = arena_array(&call->arena, struct element, length + 1);
    access->again_of = arena_array(&call->arena, int, length + 1);
    push_call_value(L, call, CALL_AUX);
    lua_createtable(L, 0, length);
    if (length > 1) {
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, 0);
    }
    lua_remove(L, -2);
    int seen = lua_gettop(L);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, 2, i);
        if (is_null(L, -1)) return wrong_argument(call, access, "the list holds a null");
        bool fine = read_element(L, call, access, lua_gettop(L), length > 1 ? seen : 0, unsaved);
        lua_settop(L, seen);
        if (!fine) return false;
    }
    lua_pop(L, 1);
    return true;
}

static bool read_single(lua_State *L, struct call *call, struct access *access, bool *unsaved) {
    if (wants_list(access) && !instance_test(L, 2))
        return wrong_argument(call, access, "a list or an instance expected (one key goes in a list: {key})");
    access->elements = arena_array(&call->arena, struct element, 1);
    return read_element(L, call, access, 2, 0, unsaved);
}

bool read_elements(lua_State *L, struct call *call, struct access *access, bool *unsaved) {
    *unsaved = false;
    bool list = access->listed = takes_list(L, access);
    access->plural = list || wants_list(access);
    if (list) {
        lua_createtable(L, (int)lua_rawlen(L, 2), 0);
        set_call_value(L, call, CALL_AUX);
    }
    if (is_null(L, 2)) return access->verb == VERB_SET || wrong_argument(call, access, "the argument is nil");
    return list ? read_list(L, call, access, unsaved) : read_single(L, call, access, unsaved);
}

static struct link_keys collect_keys(struct call *call, const struct access *access, bool only_raw) {
    struct attr_list attrs = element_attrs(access->assoc);
    struct value *values = arena_array(&call->arena, struct value, access->count * attrs.count + 1);
    int count = 0;
    for (int i = 0; i < access->count; i++) {
        if (only_raw && !access->elements[i].raw) continue;
        memcpy(values + count * attrs.count, access->elements[i].key, sizeof *values * (size_t)attrs.count);
        count++;
    }
    return (struct link_keys){ attrs, values, count };
}

struct link_keys element_keys(struct call *call, const struct access *access) { return collect_keys(call, access, false); }
struct link_keys raw_element_keys(struct call *call, const struct access *access) { return collect_keys(call, access, true); }

bool read_originals(lua_State *L, struct call *call, int rowset_index, const struct instance *instance, struct attr_list attrs,
                    struct value *values, bool *known) {
    for (int k = 0; k < attrs.count; k++) {
        values[k] = value_null();
        known[k] = instance->row >= 0 && original_kind(instance->rowset, instance->row, attrs.items[k]) != ORIGINAL_ABSENT;
        if (!known[k]) continue;
        push_original(L, rowset_index, instance->rowset, instance->row, attrs.items[k]);
        bool fine = read_attr_value(L, lua_gettop(L), attrs.items[k], &values[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return true;
}

bool holds_values(lua_State *L, struct call *call, int index, struct attr_list attrs, const struct value *values) {
    struct value *held = arena_array(&call->arena, struct value, attrs.count + 1);
    bool *known = arena_array(&call->arena, bool, attrs.count + 1);
    struct error error = call->error;
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE) return false;
    bool same = read_originals(L, call, lua_gettop(L), &instance, attrs, held, known);
    for (int k = 0; same && k < attrs.count; k++) same = known[k] && value_equal(held[k], values[k]);
    lua_pop(L, 1);
    call->error = error;
    return same;
}

/* The version that the row was known to have; NULL kind: it wasn't. */
static struct value version_of(lua_State *L, struct call *call, int index, const struct attr *version) {
    struct value held = value_null();
    bool known;
    struct error error = call->error;
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE) return held;
    if (!read_originals(L, call, lua_gettop(L), &instance, (struct attr_list){ &version, 1 }, &held, &known)) call->error = error;
    lua_pop(L, 1);
    return held;
}

int collect_stamps(lua_State *L, struct call *call, int index, const struct attr **attrs, struct value *values, int count) {
    const struct access *access = call->data;
    const struct attr *updated_at = access->assoc->target->updated_at, *version = access->assoc->target->version;
    if (updated_at && !access->options.silent) {
        attrs[count] = updated_at;
        values[count++] = call_now(call);
    }
    struct value held = version ? version_of(L, call, index, version) : value_null();
    if (held.kind != VALUE_INT) return count;
    attrs[count] = version;
    values[count++] = value_int(held.as.integer + 1);
    return count;
}
