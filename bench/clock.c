/* Wall-clock time for the peers in Lua, which has none of its own that is finer than a second. */
#include <lauxlib.h>
#include <lua.h>
#include <time.h>

int luaopen_bench_clock(lua_State *L);

/* Seconds of a clock that never jumps, as a float. */
static int clock_wall(lua_State *L) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

int luaopen_bench_clock(lua_State *L) {
    lua_pushcfunction(L, clock_wall);
    return 1;
}
