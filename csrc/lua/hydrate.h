/* A plan's rows become Lua tables: exact sizes, keys on the stack, one metatable per chunk. */
#ifndef LIGA_LUA_HYDRATE_H
#define LIGA_LUA_HYDRATE_H

#include "lua/call.h"

/* Prepares the job to run call->plan's select and to build its result (a list, or one instance or nil). */
void hydrate_plan(lua_State *L, struct call *call);

/* Another statement goes first, together with the plan's own, and both see one moment: `take` takes its rows. After hydrate_plan. */
void hydrate_behind(struct call *call, const struct select *first, enum drive (*take)(lua_State *L, struct call *call));

/* As hydrate_plan for another statement whose rows have the plan's columns (RETURNING): sets `take` and the result only. */
void hydrate_returned(lua_State *L, struct call *call);

/* Takes the rows of the cursor that stands on its first row already. */
enum drive hydrate_from_row(lua_State *L, struct call *call);

/* Prepares the job to run the steps of call->plan, which has no statement of its own, for parents that exist. Then each parent is
 * named by its key (logical form), for a step by its number among them; the result is its number, from 0. What was loaded is in
 * the table of push_hydrated after the job, by the parent's number + 1: a list, an instance, or false. */
void hydrate_existing(struct call *call);
int hydrate_parent(struct call *call, int step, const struct value *key);
void push_hydrated(lua_State *L, struct call *call, int step);

/* Pushes the list of what the includes of call->plan become: {include = path, strategy, reason; of steps also sql and params}.
 * False:
 * error set. */
bool push_parts(lua_State *L, struct call *call);

/* Pushes a plain copy of the options an include was loaded with (its place in the list that hangs on the box), or nil. */
void push_kept_options(lua_State *L, struct call *call, int include);

/* Pushes an empty list with liga's list metatable. */
void push_list(lua_State *L, int size);

/* push results: the list or instance that hangs on the box. */
int hydrate_results(lua_State *L, struct call *call);

#endif
