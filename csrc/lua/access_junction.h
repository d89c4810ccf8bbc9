/* Junction rows to be written by the methods of belongsToMany. */
#ifndef LIGA_LUA_ACCESS_JUNCTION_H
#define LIGA_LUA_ACCESS_JUNCTION_H

#include "lua/access.h"

struct junction_row {
    struct value *values;           /* logical, by ordinal of the junction */
    bool *given;                    /* by ordinal: said by the caller, so updated where the pair exists */
    bool linked;                    /* the pair was found: nothing to insert */
    bool done;
};

static inline const struct model *junction_of(const struct access *access) {
    return access->assoc->hops[0].next;
}

bool holds_attr(struct attr_list list, const struct attr *attr);

/* Reads what is written for the target at place `at` (from 0) into access->rows[at]. False: error set. Attributes that may not
 * be NULL and are become faults of the call. */
bool read_junction_row(lua_State *L, struct call *call, struct access *access, int at);

#endif
