/* Lua's collector while many rows are made.
 *
 * What a load makes is in use at least until it ends: to mark it meanwhile, again for each doubling of the heap, was an eighth to a
 * fifth of the time of a long list. So what a load of many rows adds to the heap counts for the collector only when the next such
 * load begins; by then the list of this one is mostly garbage. Small calls and the user's own code are not touched. Nothing has to
 * be undone when an error jumps out, and a collector that the user has stopped stays stopped. */
#ifndef LIGA_LUA_COLLECTOR_H
#define LIGA_LUA_COLLECTOR_H

#include "lua/call.h"

/* A loop over rows tells after each COLLECTOR_ROWS of them; the first COLLECTOR_SHORT times of a call, over all its levels, only
 * remember where its rows began, so that short lists are as any other code to the collector. */
enum { COLLECTOR_ROWS = 256, COLLECTOR_SHORT = 3 };

/* To be called after each COLLECTOR_ROWS rows. Raises nothing. */
void collector_spare(lua_State *L, struct call *call);

#endif
