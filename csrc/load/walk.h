/* Walking an association's hops inside a select: joins, EXISTS, single values. No kind is mentioned. */
#ifndef LIGA_LOAD_WALK_H
#define LIGA_LOAD_WALK_H

#include "schema/assoc.h"
#include "sql/query.h"

/* Association conditions over the target (scope and standing where), or NULL. */
const struct expr *assoc_condition(struct arena *arena, const struct assoc *assoc);

/* deletedAt IS NULL, over ALIAS_HERE; NULL for a model whose rows are never only marked as deleted. */
const struct expr *not_deleted(struct arena *arena, const struct model *model);

/* far[k] = keys[k] for every k, over ALIAS_HERE. */
struct expr *keys_are(struct arena *arena, struct attr_list attrs, const struct value *keys);

/* near[k] of one table equals far[k] of the next. */
const struct expr *hop_condition(struct arena *arena, const struct hop *hop, int near_alias, int far_alias);

/* Whose rows count although they are marked as deleted. */
enum walk_deleted { WALK_PRESENT = 0, WALK_DELETED_TARGET = 1, WALK_DELETED_LINKS = 2 };

/* What a hop's table has to fulfil besides: its scope, on the last one the association's standing where, and that its rows are
 * not marked as deleted; or NULL. */
const struct expr *hop_filter(struct arena *arena, const struct assoc *assoc, int hop, int alias, int deleted);

/* True if at most one row can have given values of these attributes: they hold a key or a unique index. */
bool attrs_unique(const struct model *model, struct attr_list attrs);

/* True if it leads to one row at most by its very keys, so that joining it multiplies nothing. */
bool assoc_single(const struct assoc *assoc);

/* Joins what the association leads to from the table `near`; the last table's alias is in join->target. An outer join of several
 * hops joins these among themselves first, so that a missing target is one row of NULLs. */
struct join *walk_join(struct arena *arena, struct select *select, int *next_alias, enum join_kind kind, const struct assoc *assoc,
                       int near);
struct join *walk_join_deleted(struct arena *arena, struct select *select, int *next_alias, enum join_kind kind,
                               const struct assoc *assoc, int near, int deleted);

/* The join that stands for all rows the association leads to from the table `near`, or NULL. */
struct join *walk_find_join(const struct select *select, const struct assoc *assoc, int near);

/* SELECT 1 over the rows it leads to from the table `near` of an outer select; *target is the alias of the last table, which is
 * also what ALIAS_HERE means. For EXISTS, and as the beginning of other subqueries. */
struct select *walk_rows(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target);
struct select *walk_rows_deleted(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target,
                                 int deleted);

/* The same over a path of associations, each row of the target once, whatever number of ways lead to it. */
struct select *walk_targets(struct arena *arena, int *next_alias, const struct assoc *assoc, int near, int *target, int deleted);

#endif
