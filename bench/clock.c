/* The clocks for the peers in Lua, which has none of its own that is finer than a second. */
#include "clock.h"

#include <lauxlib.h>
#include <lua.h>

int luaopen_bench_clock(lua_State *L);

/* The number of the server's process, or nothing; gives the times of clock.h as floats: wall, cpu, server. */
static int clock_times(lua_State *L) {
    const struct clock_times now = clock_read((int)luaL_optinteger(L, 1, 0));
    lua_pushnumber(L, now.wall);
    lua_pushnumber(L, now.cpu);
    lua_pushnumber(L, now.server);
    return 3;
}

int luaopen_bench_clock(lua_State *L) {
    lua_pushcfunction(L, clock_times);
    return 1;
}
