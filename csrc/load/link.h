/* Association writes → statements. They differ by who holds the key, three ways; no kind is mentioned.
 *
 * source: the values that hops[0].far must have, logical form. keys: primary keys of targets, tuple after tuple. All statements are
 * plain structs for the renderer; what they find is restricted to the association's scope and where, as the contract says. */
#ifndef LIGA_LOAD_LINK_H
#define LIGA_LOAD_LINK_H

#include "load/plan.h"

struct link_keys {
    struct attr_list attrs;             /* of the rows named: the target's key, or the junction's key to it */
    const struct value *values;
    int count;                          /* tuples */
};

/* The key is held by the target: sets it (and what the scope writes) in the rows named. `now`: for updatedAt, which changes only
 * where the row was linked otherwise; NULL kind: not touched. */
struct update *link_targets(struct arena *, const struct assoc *, const struct value *source, struct link_keys keys,
                            struct value now);

/* Which of the association's target rows are meant: those named, those not named, or all. */
enum which { WHICH_NAMED, WHICH_OTHERS, WHICH_ALL };

/* Clears the key in target rows that are linked to the source. NULL: no part of it can be NULL, so the rows have to go. */
struct update *unlink_targets(struct arena *, const struct assoc *, const struct value *source, enum which, struct link_keys keys,
                              struct value now);
struct delete *delete_targets(struct arena *, const struct assoc *, const struct value *source, enum which, struct link_keys keys);

/* Junction rows of the source. keys: values of the junction's key to the target. */
struct delete *delete_links(struct arena *, const struct assoc *, const struct value *source, enum which, struct link_keys keys);

/* Which targets have links: selects keys.attrs of those named (see element_attrs) that the source is linked to. */
struct select *linked_keys(struct arena *, const struct assoc *, const struct value *source, struct link_keys keys);

/* The links of delete_links' WHICH_NAMED, to be given values. */
struct update *update_links(struct arena *, const struct assoc *, const struct value *source, struct link_keys keys);

/* Gives linked targets what the association's scope writes; NULL: it writes nothing. */
struct update *scope_targets(struct arena *, const struct assoc *, struct link_keys keys, struct value now);

/* True if an attribute can be cleared to unlink a row: it may be NULL and is no part of its table's key. */
bool clearable(const struct attr *attr);

/* The keys as a condition over their table (under ALIAS_HERE). */
struct expr *link_keys_condition(struct arena *, struct link_keys keys);

#endif
