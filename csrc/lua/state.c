#include "lua/state.h"

#include <stdarg.h>
#include <string.h>

#include "lua/value.h"

static const char *const userdata_names[USERDATA_COUNT] = {
#define X(id, name) [USERDATA_##id] = name,
    USERDATA(X)
#undef X
};

const char *userdata_name(enum userdata kind) {
    return userdata_names[kind];
}

void *userdata_test(lua_State *L, int index, enum userdata kind) {
    void *userdata = lua_touserdata(L, index);
    if (!userdata || !lua_getmetatable(L, index)) return NULL;
    bool same = lua_topointer(L, -1) == core_of(L)->metatable[kind];
    lua_pop(L, 1);
    return same ? userdata : NULL;
}

void *userdata_check(lua_State *L, int index, enum userdata kind, const char *what) {
    void *userdata = userdata_test(L, index, kind);
    if (!userdata) raise_usage(L, "%s expected, got %s", what, luaL_typename(L, index));
    return userdata;
}

void *userdata_new(lua_State *L, enum userdata kind, size_t size, int values) {
    void *userdata = lua_newuserdatauv(L, size, values);
    memset(userdata, 0, size);
    lua_rawgetp(L, LUA_REGISTRYINDEX, core_of(L)->metatable[kind]);
    lua_setmetatable(L, -2);
    return userdata;
}

void push_core_value(lua_State *L, enum core_value value) {
    lua_getiuservalue(L, lua_upvalueindex(1), value);
}

void add_functions(lua_State *L, const luaL_Reg *functions) {
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, functions, 1);
}

/* ------------------------------------------------------------------------------------------------------ tables */

const char *const *texts_field(lua_State *L, struct db *db, int index, const char *key, int *count) {
    lua_getfield(L, index, key);
    *count = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
    const char **texts = arena_array(&db->arena, const char *, *count + 1);
    for (int i = 0; i < *count; i++) {
        size_t len;
        lua_rawgeti(L, -1, i + 1);
        const char *text = luaL_checklstring(L, -1, &len);
        texts[i] = names_get(&db->schema.names, text, len);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return texts;
}

/* ------------------------------------------------------------------------------------------------------ models */

/* The class's metatable keeps the model userdata at [1]. */
struct model_box *class_model(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return NULL;
    lua_rawgeti(L, -1, 1);
    lua_replace(L, -2);
    struct model_box *box = userdata_test(L, -1, USERDATA_MODEL);
    if (box) check_not_collected(L, box->db);
    else lua_pop(L, 1);
    return box;
}

struct model_box *push_class_model(lua_State *L, int index) {
    struct model_box *box = class_model(L, index);
    if (!box) raise_usage(L, "a model expected as self, got %s (call it with a colon: Model:method(…))", luaL_typename(L, index));
    return box;
}

struct model_box *check_class(lua_State *L, int index) {
    struct model_box *box = push_class_model(L, index);
    lua_pop(L, 1);
    return box;
}

struct model_box *push_model(lua_State *L, struct db *db, int db_index, const struct model *model) {
    (void)db;
    lua_getiuservalue(L, db_index, DB_MODELS);
    lua_rawgeti(L, -1, model->number);
    lua_replace(L, -2);
    return lua_touserdata(L, -1);
}

/* The first free entry of the name, or the one that has it. */
static unsigned name_place(const struct name_index *index, const char *name) {
    unsigned at = address_hash(name) & index->mask;
    while (index->entries[at].name && index->entries[at].name != name) at = (at + 1) & index->mask;
    return at;
}

const struct attr *attr_of_key(lua_State *L, const struct name_index *names, int index) {
    if (lua_type(L, index) != LUA_TSTRING) return NULL;
    const struct attr *attr = names->entries[name_place(names, lua_tostring(L, index))].attr;
    return attr ? attr : attr_find(names->model, name_at(L, index));        /* a long name, or none of an attribute */
}

const struct name_index *name_index(lua_State *L, int names) {
    lua_rawgeti(L, names, 0);
    const struct name_index *index = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return index;
}

/* Puts the index of the list on the top, of the names of all attributes, into it. */
static void add_name_index(lua_State *L, const struct model *model) {
    unsigned size = 4;
    while (size < (unsigned)model->attr_count * 2) size *= 2;
    size_t bytes = sizeof(struct name_index) + size * sizeof(struct name_entry);
    struct name_index *index = memset(lua_newuserdatauv(L, bytes, 0), 0, bytes);
    index->model = model;
    index->mask = size - 1;
    for (int i = 0; i < model->attr_count; i++) {
        lua_rawgeti(L, -2, i + 1);
        const char *name = lua_tostring(L, -1);
        index->entries[name_place(index, name)] = (struct name_entry){ name, model->attrs[i] };
        lua_pop(L, 1);
    }
    lua_rawseti(L, -2, 0);
}

void push_attr_names(lua_State *L, int model_index) {
    model_index = lua_absindex(L, model_index);
    struct model_box *box = lua_touserdata(L, model_index);
    const struct model *model = box->model;
    if (lua_getiuservalue(L, model_index, MODEL_NAMES) == LUA_TTABLE && box->names_generation == model->generation) return;
    lua_pop(L, 1);
    lua_createtable(L, model->attr_count, 1);
    for (int i = 0; i < model->attr_count; i++) {
        lua_pushstring(L, model->attrs[i]->name);
        lua_rawseti(L, -2, i + 1);
    }
    add_name_index(L, model);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, model_index, MODEL_NAMES);
    box->names_generation = model->generation;
}

/* ------------------------------------------------------------------------------------------------------ errors */

static void set_text(lua_State *L, const char *key, const char *text) {
    if (!text) return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_value(lua_State *L, struct value value) {
    switch (value.kind) {
    case VALUE_NULL:
    case VALUE_LIST: return;
    case VALUE_BOOL: lua_pushboolean(L, value.as.boolean); break;
    case VALUE_INT:  lua_pushinteger(L, value.as.integer); break;
    case VALUE_REAL: lua_pushnumber(L, value.as.real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: lua_pushlstring(L, value.as.text, value.len); break;
    }
    lua_setfield(L, -2, "value");
}

static void set_attributes(lua_State *L, const struct error *error) {
    set_text(L, "attribute", error->attribute ? error->attribute : error->column_count ? error->columns[0] : NULL);
    lua_createtable(L, error->column_count ? error->column_count : 1, 0);
    if (!error->column_count && error->attribute) {
        lua_pushstring(L, error->attribute);
        lua_rawseti(L, -2, 1);
    }
    for (int i = 0; i < error->column_count; i++) {
        lua_pushstring(L, error->columns[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "attributes");
}

/* "file:line" of the first frame outside liga. */
static void set_source(lua_State *L) {
    const char *prefix = core_of(L)->source_prefix;
    lua_Debug frame;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (*frame.what == 'C' || (*prefix && strncmp(frame.source, prefix, strlen(prefix)) == 0)) continue;
        lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);
        lua_setfield(L, -2, "source");
        return;
    }
}

void push_error(lua_State *L, const struct error *error) {
    luaL_checkstack(L, 8, "no room for an error object");
    lua_createtable(L, 0, 12);
    set_text(L, "name", error_name(error->code));
    set_text(L, "message", error->message);
    set_text(L, "model", error->model);
    set_text(L, "table", error->table);
    set_text(L, "constraint", error->constraint);
    set_text(L, "path", error->path);
    set_text(L, "sql", error->sql);
    set_text(L, "sqlstate", error->sqlstate);
    set_text(L, "outcome", outcome_name(error->outcome));
    set_attributes(L, error);
    if (error->has_value) set_value(L, error->value);
    if (error->native) {
        lua_pushinteger(L, error->native);
        lua_setfield(L, -2, "code");
    }
    lua_pushboolean(L, error->retryable);
    lua_setfield(L, -2, "retryable");
    set_source(L);
    push_core_value(L, CORE_ERROR_METATABLE);
    lua_setmetatable(L, -2);
}

int raise_usage(lua_State *L, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *message = lua_pushvfstring(L, format, args);
    va_end(args);
    struct error error = { .code = ERROR_USAGE, .message = message };
    push_error(L, &error);
    return lua_error(L);
}
