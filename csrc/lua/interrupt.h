/* Ctrl-C for programs that go on after it: the running statement or the running Lua code ends with an error. */
#ifndef LIGA_LUA_INTERRUPT_H
#define LIGA_LUA_INTERRUPT_H

#include "lua/state.h"

void open_interrupt(lua_State *L);

/* The database is about to go: nobody listens for it any more. */
void interrupt_forget(const struct db *db);

#endif
