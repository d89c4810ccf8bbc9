/* bulkCreate: many rows in few statements, generated keys handed back. */
#ifndef LIGA_LUA_BULK_H
#define LIGA_LUA_BULK_H

#include "lua/write.h"

/* Model:bulkCreate(list, options) → list of instances, in order. */
int bulk_create(lua_State *L);

#endif
