#include "lua/bulk_rows.h"

#include <string.h>

#include "lua/instance.h"
#include "lua/value.h"

/* Values that the engine takes for equal if and only if they are the same here. */
static bool is_plain_key(const struct attr *attr) {
    enum value_kind kind = type_info(attr->type.id)->logical;
    bool plain = kind == VALUE_INT || (kind == VALUE_TEXT && !type_is_table(&attr->type));
    return plain && attr->type.id != TYPE_CITEXT && !type_is_rewritten(&attr->type);
}

/* Values that come back as they were sent, into a column of just this type (the dialect's `ask_rewrites` makes sure of that). */
static bool is_telling(const struct attr *attr) {
    switch (attr->type.id) {
    case TYPE_SMALLINT: case TYPE_INTEGER: case TYPE_BIGINT:
    case TYPE_STRING: case TYPE_TEXT: case TYPE_ENUM: case TYPE_UUID: case TYPE_DATEONLY: return true;
    default: return false;
    }
}

/* Pushes the key of the row at `index` as one text. A NULL in it: `null` stands for it (a text has no NUL byte), or, without one,
 * nil is all there is: such a key conflicts with nothing. */
static void push_row_key(lua_State *L, int index, struct attr_list key, const char *null) {
    int top = lua_gettop(L);
    lua_pushliteral(L, "");
    for (int k = 0; k < key.count; k++) {
        push_attribute(L, index, key.items[k]);
        bool absent = is_null(L, -1);
        if (absent && !null) {
            lua_settop(L, top);
            lua_pushnil(L);
            return;
        }
        if (absent) {
            lua_pop(L, 1);
            lua_pushlstring(L, null, 1);
        }
        lua_pushliteral(L, "\n");
        lua_concat(L, 3);
    }
}

/* Puts the key on the top, which is taken off, and the row's place into the table at `seen`. False: it is there already. */
static bool note_key(lua_State *L, int seen, lua_Integer place) {
    lua_pushvalue(L, -1);
    bool fresh = lua_rawget(L, seen) == LUA_TNIL;
    lua_pop(L, 1);
    lua_pushinteger(L, place);
    lua_rawset(L, seen);
    return fresh;
}

bool rows_differ(lua_State *L, int list, lua_Integer count, struct attr_list key) {
    int top = lua_gettop(L), seen = top + 1;
    bool differ = key.count > 0;
    for (int k = 0; k < key.count; k++) differ = differ && is_plain_key(key.items[k]);
    lua_newtable(L);
    for (lua_Integer row = 1; differ && row <= count; row++, lua_settop(L, seen)) {
        lua_rawgeti(L, list, row);
        push_row_key(L, lua_gettop(L), key, NULL);
        if (!lua_isnil(L, -1)) differ = note_key(L, seen, row);
    }
    lua_settop(L, top);
    return differ;
}

struct attr_list telling_attrs(struct call *call, const struct attr *const *attrs, int count) {
    const struct attr **items = arena_array(&call->arena, const struct attr *, count + 1);
    struct attr_list told = { items, 0 };
    for (int i = 0; i < count; i++)
        if (is_telling(attrs[i])) items[told.count++] = attrs[i];
    return told;
}

bool note_rows(lua_State *L, struct call *call, int list, lua_Integer count, struct attr_list told) {
    bool differ = told.count > 0;
    push_call_table(L, call, CALL_AUX);
    int seen = lua_gettop(L);
    for (lua_Integer row = 1; differ && row <= count; row++, lua_settop(L, seen)) {
        lua_rawgeti(L, list, row);
        push_row_key(L, lua_gettop(L), told, "\0");
        differ = note_key(L, seen, row);
    }
    lua_settop(L, seen - 1);
    return differ;
}

lua_Integer find_row(lua_State *L, struct call *call, int index, struct attr_list told) {
    push_call_table(L, call, CALL_AUX);
    push_row_key(L, index, told, "\0");
    lua_rawget(L, -2);
    lua_Integer place = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return place;
}

struct value column_list(struct call *call, struct attr_list attrs) {
    struct value *names = arena_array(&call->arena, struct value, attrs.count + 1);
    for (int i = 0; i < attrs.count; i++) names[i] = value_text(attrs.items[i]->column, strlen(attrs.items[i]->column));
    return value_list(names, (size_t)attrs.count);
}
