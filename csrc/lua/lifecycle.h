/* Rows that are marked as deleted instead of going, and rows that count their changes. */
#ifndef LIGA_LUA_LIFECYCLE_H
#define LIGA_LUA_LIFECYCLE_H

#include "lua/write_job.h"

/* Whether removing a row of the model marks it. */
static inline bool removes_softly(const struct model *model, const struct write_options *options) {
    return model->deleted_at && !options->force;
}

/* The statement that removes rows: a DELETE, or the UPDATE that marks them. The condition of the latter must leave out those
 * that are marked already. */
const struct statement *removal_statement(struct call *call, const struct delete *delete, const struct write_options *options);

/* Leaves rows that are marked as deleted out of what a write of many rows is about, unless paranoid = false. */
void leave_out_deleted_rows(struct call *call, struct write_options *options);

/* The next version; nothing for a model without versions, and where one is assigned already. */
void bump_version(struct call *call, struct update *update);

/* Optimistic locking of one instance: restricts `where` to the version that it was read with, and notes that it is guarded. */
const struct expr *guard_version(lua_State *L, struct call *call, int rowset_index, const struct instance *instance,
                                 const struct expr *where);

/* Plans the UPDATE that marks the row of one instance, which gets what the row then holds. */
void plan_soft_destroy(struct call *call, const struct expr *where);

/* Functions for the tables of the module and of class methods. */
void open_lifecycle(lua_State *L);              /* the module on the top, its class_methods above */

#endif
