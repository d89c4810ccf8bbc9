/* The option `through` of reads over a junction, in finds and in includes: which of its rows count and what becomes of them. */
#ifndef LIGA_LUA_THROUGH_H
#define LIGA_LUA_THROUGH_H

#include "lua/where.h"

/* What is wrong with the value at `index`, or NULL; *place is then "through" or the option inside that is meant. Conditions and
 * attributes are checked where they are read. */
const char *through_fault(lua_State *L, struct arena *arena, int index, const char **place);

/* `where` of the table at `index`, over the table `alias` of the junction; NULL without error: none. */
const struct expr *through_where(lua_State *L, struct call *call, int index, const struct model *junction, int alias);

/* `paranoid = false`: links that are marked as deleted count. */
bool through_counts_deleted(lua_State *L, int index);

/* `as`, where the junction's row hangs on the target; `property` without it. */
const char *through_property(lua_State *L, struct arena *arena, int index, const char *property);

#endif
