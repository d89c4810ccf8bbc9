#include "lua/handler.h"

static const char *const names[HANDLER_COUNT] = {
#define X(id, name) [HANDLER_##id] = name,
    HANDLERS(X)
#undef X
};

void push_handler(lua_State *L, enum handler handler) {
    push_core_value(L, CORE_HANDLERS);
    lua_getfield(L, -1, names[handler]);
    lua_remove(L, -2);
}

static int all_results(lua_State *L, int status, lua_KContext context) {
    (void)status;
    return lua_gettop(L) - (int)context;
}

int call_handler(lua_State *L, enum handler handler, int arguments) {
    int before = lua_gettop(L);
    push_handler(L, handler);
    for (int i = 1; i <= arguments; i++) lua_pushvalue(L, i);
    lua_callk(L, arguments, LUA_MULTRET, before, all_results);
    return all_results(L, LUA_OK, before);
}

/* The handler's table takes the place of the values; `context` is the function to run with it. */
static int continue_plain(lua_State *L, int status, lua_KContext context) {
    (void)status;
    lua_replace(L, 2);
    return ((class_function *)context)(L, check_class(L, 1));
}

int with_defaults(lua_State *L, enum handler handler, class_function *plain) {
    lua_settop(L, 3);
    struct model_box *box = check_class(L, 1);
    if (!box->calls_lua) return plain(L, box);
    push_handler(L, handler);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, (lua_KContext)plain, continue_plain);
    return continue_plain(L, LUA_OK, (lua_KContext)plain);
}

int call_function(lua_State *L, int arguments) {
    int before = lua_gettop(L) - arguments - 1;
    lua_callk(L, arguments, LUA_MULTRET, before, all_results);
    return all_results(L, LUA_OK, before);
}

/* The filled values are on the top, the class below: both leave, the values to index 2. */
static int continue_filled(lua_State *L, int status, lua_KContext context) {
    (void)status;
    lua_replace(L, 2);
    lua_settop(L, 3);
    return ((lua_CFunction)context)(L);
}

int fill_then(lua_State *L, int class_index, int values_index, lua_CFunction plain) {
    push_handler(L, HANDLER_FILL_DEFAULTS);
    lua_pushvalue(L, class_index);
    lua_pushvalue(L, values_index);
    lua_callk(L, 2, 1, (lua_KContext)plain, continue_filled);
    return continue_filled(L, LUA_OK, (lua_KContext)plain);
}

/* core.set_handlers{ name = function … } */
static int set_handlers(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    push_core_value(L, CORE_HANDLERS);
    for (int i = 0; i < HANDLER_COUNT; i++) {
        if (lua_getfield(L, 1, names[i]) == LUA_TFUNCTION) lua_setfield(L, -2, names[i]);
        else lua_pop(L, 1);
    }
    return 0;
}

void open_handlers(lua_State *L) {
    static const luaL_Reg functions[] = { { "set_handlers", set_handlers }, { NULL, NULL } };
    add_functions(L, functions);
}
