/* Descriptions from define.lua and association.lua → schema. */
#ifndef LIGA_LUA_DEFINE_H
#define LIGA_LUA_DEFINE_H

#include "lua/call.h"

/* Adds core.model, core.attribute, core.association … to the table on the top. */
void open_definitions(lua_State *L);

#endif
