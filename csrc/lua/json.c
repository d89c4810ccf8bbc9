#include "lua/json.h"

#include <lauxlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* -------------------------------------------------------------------------------------------------- array metatable */

void json_push_array_metatable(lua_State *L) {
    if (!luaL_newmetatable(L, JSON_ARRAY)) return;
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
}

bool json_is_array(lua_State *L, int index) {
    if (!lua_getmetatable(L, index)) return false;
    lua_pushliteral(L, "__jsontype");
    lua_rawget(L, -2);
    size_t len;
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    bool is = word && len == 5 && memcmp(word, "array", 5) == 0;
    lua_pop(L, 2);
    return is;
}

/* ------------------------------------------------------------------------------------------ the functions Lua sees */

/* The memory of one call: freed at its end, or by the collector if the call was left by an error. */
struct box {
    struct arena arena;
    struct error error;
};

static void raise_oom(void *owner) {
    lua_State *L = owner;
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

static int box_gc(lua_State *L) {
    struct box *box = lua_touserdata(L, 1);
    arena_free(&box->arena);
    return 0;
}

static struct box *push_box(lua_State *L) {
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
    memset(box, 0, sizeof *box);
    arena_init(&box->arena, raise_oom, L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, -2);
    return box;
}

static const struct json_binding *binding_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int finish(lua_State *L, struct box *box, bool ok) {
    if (!ok) return binding_of(L)->raise(L, &box->error);
    arena_free(&box->arena);
    return 1;
}

static int encode(lua_State *L) {
    struct buf out;
    lua_settop(L, 1);
    struct box *box = push_box(L);
    buf_init(&out, &box->arena);
    bool ok = json_write(L, 1, &binding_of(L)->hook, &out, &box->error);
    if (ok) lua_pushlstring(L, out.text, out.len);
    return finish(L, box, ok);
}

static int decode(lua_State *L) {
    size_t len;
    lua_settop(L, 1);
    struct box *box = push_box(L);
    bool ok = lua_type(L, 1) == LUA_TSTRING;
    if (!ok) {
        error_set(&box->error, &box->arena, ERROR_USAGE, "json.decode expects a text, not a %s", luaL_typename(L, 1));
    } else {
        const char *text = lua_tolstring(L, 1, &len);
        ok = json_push(L, text, len, &box->arena, &box->error);
    }
    return finish(L, box, ok);
}

static int array(lua_State *L) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1)) {
        struct box *box = push_box(L);
        bool ok =
            error_set(&box->error, &box->arena, ERROR_USAGE, "array expects a table, not a %s", luaL_typename(L, 1));
        return finish(L, box, ok);
    }
    json_push_array_metatable(L);
    lua_setmetatable(L, 1);
    return 1;
}

void json_open(lua_State *L, const struct json_binding *binding) {
    static const luaL_Reg functions[] = {
        { "encode", encode }, { "decode", decode }, { "array", array }, { NULL, NULL }
    };
    luaL_newlibtable(L, functions);
    lua_pushlightuserdata(L, (void *)binding);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    luaL_setfuncs(L, functions, 2);
}
