/* Associations loaded into instances that exist: preload, load, batches. */
#ifndef LIGA_LUA_LOAD_H
#define LIGA_LUA_LOAD_H

#include "lua/find.h"

/* Adds core.load, core.note_loaded … to the table on the top. */
void open_loads(lua_State *L);

#endif
