#include "lua/collector.h"

/* What is still to be paid: a collection of somebody else's may have taken it meanwhile. */
static int owed(const struct core *core, int heap) {
    int more = heap - core->spared_from;
    return more < core->spared ? more : core->spared;
}

/* The collector works for what it was spared before, in one step and for one cycle at most. A third is let off: a cycle that is
 * done at once ends before the heap has grown meanwhile, and so the next would come earlier than one done bit by bit. */
static void pay(lua_State *L, struct core *core, int heap) {
    int debt = owed(core, heap);
    core->spared = 0;
    if (debt > 0) lua_gc(L, LUA_GCSTEP, debt - debt / 3);
}

/* LUA_GCSTEP adds to the collector's debt what its argument says was allocated: less than nothing takes from it. */
static void spare(lua_State *L, struct core *core, int from, int growth) {
    if (growth <= 0) return;
    if (!core->spared) core->spared_from = from;
    core->spared += growth;
    lua_gc(L, LUA_GCSTEP, -growth);
}

void collector_spare(lua_State *L, struct call *call) {
    struct growth *growth = &call->growth;
    growth->told++;
    if (growth->told == 1) growth->heap = lua_gc(L, LUA_GCCOUNT);
    if (growth->told <= COLLECTOR_SHORT || lua_gc(L, LUA_GCISRUNNING) != 1) return;
    if (growth->told == COLLECTOR_SHORT + 1) pay(L, call->db->core, lua_gc(L, LUA_GCCOUNT));
    int heap = lua_gc(L, LUA_GCCOUNT);
    spare(L, call->db->core, growth->heap, heap - growth->heap);
    growth->heap = heap;
}
