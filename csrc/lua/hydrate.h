/* A plan's rows become Lua tables: exact sizes, keys on the stack, one metatable per chunk. */
#ifndef LIGA_LUA_HYDRATE_H
#define LIGA_LUA_HYDRATE_H

#include "lua/call.h"

/* Prepares the job to run call->plan's select and to build its result (a list, or one instance or nil). */
void hydrate_plan(lua_State *L, struct call *call);

/* The same for another statement whose rows have the plan's columns (RETURNING): sets `take` and the result only. */
void hydrate_returned(lua_State *L, struct call *call);

/* Takes the rows of the cursor that stands on its first row already. */
enum drive hydrate_from_row(lua_State *L, struct call *call);

/* Pushes an empty list with liga's list metatable. */
void push_list(lua_State *L, int size);

/* push results: the list or instance that hangs on the box. */
int hydrate_results(lua_State *L, struct call *call);

#endif
