/* bulkCreate: many rows in few statements, generated keys handed back. */
#ifndef LIGA_LUA_BULK_H
#define LIGA_LUA_BULK_H

#include "lua/write.h"

int bulk_create(lua_State *L);

#endif
