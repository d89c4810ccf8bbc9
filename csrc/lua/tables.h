/* The statements that make and drop the tables of models, in order of dependency. */
#ifndef LIGA_LUA_TABLES_H
#define LIGA_LUA_TABLES_H

#include "lua/state.h"

/* Adds create_statements and drop_statements to the table on the top. */
void open_tables(lua_State *L);

#endif
