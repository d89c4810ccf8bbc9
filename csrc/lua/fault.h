/* Database errors in the words of the schema: which model, which attributes. */
#ifndef LIGA_LUA_FAULT_H
#define LIGA_LUA_FAULT_H

#include "lua/call.h"

/* Pushes call->error as a liga.Error object; constraint errors name model and attributes, not only table and columns. */
void push_call_error(lua_State *L, struct call *call);

#endif
