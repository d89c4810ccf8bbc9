/* Paths of associations in conditions and expressions ("author.name"): which table a path ends at, joining what is needed.
 *
 * A step that leads to one row at most becomes an outer join of the select. A step that may lead to several would multiply the
 * rows: in a condition it is looked at in a subquery (`struct path_row`, one for each where table, so that paths of one table
 * speak of the same row); in a grouped or aggregated select it is joined. */
#ifndef LIGA_LOAD_PATH_H
#define LIGA_LOAD_PATH_H

#include "load/walk.h"

/* Where paths begin: a table of a select. */
struct path_base {
    struct select *select;
    int *next_alias;
    int alias;
    bool multiplies;            /* several rows for one are wanted: to-many steps are joined */
    bool apart;                 /* the select takes no joins from here (the condition is that of a join itself) */
};

/* The subquery of one where table. */
struct path_row {
    struct select *select;      /* NULL: no path has needed it yet */
    bool used;                  /* … by the term that is read: to be cleared before each */
};

/* The alias of the table that `assoc` leads to from the table `near`, which belongs to `in` (base->select or row->select, by
 * *in, which goes along with the path). row NULL: no subquery can be used; then -1 for a step that would need one. */
int path_follow(struct arena *arena, const struct path_base *base, struct path_row *row, struct select **in,
                const struct assoc *assoc, int near);

/* The row's subquery with the condition, as a condition on the base table: true if it is for some row, where a missing row is one
 * of NULLs. */
const struct expr *path_row_condition(struct arena *arena, const struct path_base *base, struct path_row *row,
                                      const struct expr *condition);

#endif
