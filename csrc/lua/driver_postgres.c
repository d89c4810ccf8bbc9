/* The module liga.postgres: hands the driver to the core as a light userdata. The core asks the driver for its version, as
 * the two shared objects may have been built at different times. */
#include <lauxlib.h>
#include <lua.h>

#include "driver/driver.h"
#include "driver/postgres.h"
#include "lua/export.h"

LIGA_EXPORT int luaopen_liga_postgres(lua_State *L);

int luaopen_liga_postgres(lua_State *L) {
    lua_pushlightuserdata(L, (void *)&driver_postgres);
    return 1;
}
