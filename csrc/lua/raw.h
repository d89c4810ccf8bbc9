/* db:query: the user's own SQL, its values sent as binds. */
#ifndef LIGA_LUA_RAW_H
#define LIGA_LUA_RAW_H

#include "lua/call.h"

/* Adds query and execute to the table on the top. */
void open_raw(lua_State *L);

#endif
