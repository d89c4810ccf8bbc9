/* Associations as lists of hops; the kinds; the verbs that a kind gives to instances.
 *
 *     belongsTo        source.fk  → target.key
 *     hasOne, hasMany  source.key → target.fk
 *     belongsToMany    source.key → junction.fk, junction.otherKey → target.key
 *
 * Load, join, count, exists are written once, walking the hops. */
#ifndef LIGA_SCHEMA_ASSOC_H
#define LIGA_SCHEMA_ASSOC_H

#include <stdbool.h>

#include "schema/model.h"

struct order_term;      /* of the layer above */

/* A constant that an association's scope writes into rows it creates or links. */
struct scope_value {
    const struct attr *attr;
    struct value value;         /* logical form */
};

/* One step from a table to the next: rows of `next` where far[k] equals near[k] for every k, and scope is true. */
struct hop {
    const struct model *next;
    struct attr_list near, far;
    const struct expr *scope;               /* over `next`, or NULL */
    const struct scope_value *values;       /* what the scope writes */
    int value_count;
};

/* Verbs of all kinds; the functions behind them are in lua/access.c, by this enum. */
enum verb {
    VERB_GET, VERB_SET, VERB_CREATE, VERB_ADD, VERB_ADD_MULTIPLE, VERB_REMOVE, VERB_REMOVE_MULTIPLE,
    VERB_HAS, VERB_HAS_MULTIPLE, VERB_COUNT, VERBS
};

struct verb_row {
    enum verb verb;
    const char *name;           /* "addMultiple": key in association.accessors */
    const char *pattern;        /* "add%P": %S, %P stand for the capitalised singular and plural */
};

enum key_holder { HELD_BY_SOURCE, HELD_BY_TARGET, HELD_BY_THROUGH };

struct assoc_kind {
    const char *name;           /* "hasMany": in Lua and in messages */
    bool many;                  /* a list; else one row or nothing */
    bool path;                  /* over several associations, read-only */
    enum key_holder holder;
    const struct verb_row *verbs;       /* ends with a NULL name */
};

struct assoc {
    struct assoc *next;                 /* in order of declaration */
    const struct assoc_kind *kind;
    const char *name, *singular, *plural;
    bool plain;                         /* the name is the target's own */
    const struct model *source, *target;
    struct hop *hops;
    int hop_count;
    const struct expr *where;           /* standing filter over the target, or NULL */
    const struct order_term *order;     /* standing order, or NULL */
    bool unique;                        /* belongsToMany: a pair is linked at most once */
    struct attr_list unique_key;        /* … by this key of the junction */
    struct cached_write link;          /* of a single junction row */
};

const struct assoc_kind *assoc_kind_find(const char *name, bool path);      /* or NULL */
const struct assoc *assoc_find(const struct model *model, const char *name);    /* or NULL */

/* Puts the association at the end of its source's list, or over the one of the same name. */
void assoc_put(struct model *source, struct assoc *assoc);

/* The row of a verb that the association's kind has. */
const struct verb_row *assoc_verb(const struct assoc *assoc, enum verb verb);

/* "add%P" for tags → "addTags"; belongs to the arena. */
const char *verb_method_name(const struct verb_row *verb, const struct assoc *assoc, struct arena *arena);

static inline const struct hop *assoc_last_hop(const struct assoc *assoc) {
    return &assoc->hops[assoc->hop_count - 1];
}

/* The junction of a belongsToMany, NULL for the other kinds. */
static inline const struct model *assoc_through(const struct assoc *assoc) {
    return assoc->kind->holder == HELD_BY_THROUGH ? assoc->hops[0].next : NULL;
}

#endif
