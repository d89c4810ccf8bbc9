/* The rows of an include: their conditions, and selects over them for EXISTS and cuts. */
#ifndef LIGA_LUA_INCLUDE_ROWS_H
#define LIGA_LUA_INCLUDE_ROWS_H

#include "lua/include.h"

/* What is wrong inside an include is said with its path: an error that was set becomes an EagerLoadingError; `fine` otherwise. */
bool placed(struct find *find, const struct include *include, bool fine);

/* Pushes the include's own option, nil where there is none; returns its Lua type. */
int push_option(lua_State *L, struct find *find, const struct include *include, const char *key);

/* A condition of the include ("where", "on") over the table base.alias; `outer` (may be NULL): a table it may name besides, as it
 * may the junction's, the table `junction` (below 0: not there). NULL without error: there is none. */
const struct expr *read_include_condition(lua_State *L, struct find *find, const struct include *include, const char *key,
                                          struct path_base base, const struct outer_table *outer, int junction);

/* What belongs to every read of its rows, the table `alias`, besides what the user asks for; or NULL. */
const struct expr *standing_condition(struct find *find, const struct include *include, int alias);

/* `through = {paranoid = false}`: links that are marked as deleted count. */
bool with_deleted_links(lua_State *L, struct find *find, const struct include *include);

/* Whose rows count although they are marked as deleted (enum walk_deleted). */
int deleted_of(lua_State *L, struct find *find, const struct include *include);

/* `through = {where = …}` over the table `junction`, or NULL. */
const struct expr *read_through_where(lua_State *L, struct find *find, const struct include *include, int junction);

bool has_on(lua_State *L, struct find *find, const struct include *include);

/* The rows of the include that belong to a row of the table `near` (of `source`), by the same conditions as when they are loaded;
 * *target is their table's alias. */
struct select *rows_of(lua_State *L, struct find *find, const struct include *include, const struct model *source, int near,
                       int *next_alias, int *target);

/* The same where each of them counts: a path of associations may lead to a row in several ways. */
struct select *counted_rows_of(lua_State *L, struct find *find, const struct include *include, const struct model *source, int near,
                               int *next_alias, int *target);

/* True of the rows of the table `near` that have a row of the include. */
const struct expr *has_rows(lua_State *L, struct find *find, const struct include *include, struct plan *plan,
                            const struct model *source, int near);

#endif
