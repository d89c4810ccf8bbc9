/* Junction rows to be written by the methods of belongsToMany. */
#ifndef LIGA_LUA_ACCESS_JUNCTION_H
#define LIGA_LUA_ACCESS_JUNCTION_H

#include "lua/access.h"

/* An expression in place of a value, and the userdata that says so. */
struct computed {
    struct expr *expr;
    const void *marker;
};

struct junction_row {
    struct value *values;           /* logical, by ordinal of the junction */
    struct computed *computed;      /* by ordinal: what the database works out; NULL: nothing */
    bool *given;                    /* by ordinal: said by the caller, so updated where the pair exists */
    bool linked;                    /* the pair was found: nothing to insert */
    bool done;
};

static inline const struct model *junction_of(const struct access *access) {
    return access->assoc->hops[0].next;
}

/* What the database works out for an attribute of the row; NULL: it is a value. */
static inline struct expr *computed_of(const struct junction_row *row, const struct attr *attr) {
    return row->computed ? row->computed[attr->ordinal].expr : NULL;
}

bool holds_attr(struct attr_list list, const struct attr *attr);

/* Reads what is written for the target at place `at` (from 0) into access->rows[at]. False: error set. Attributes that may not
 * be NULL and are become faults of the call. */
bool read_junction_row(lua_State *L, struct call *call, struct access *access, int at);

#endif
