/* Models and attributes. A key is always a list of attributes; a single one is a list of length 1. */
#ifndef LIGA_SCHEMA_MODEL_H
#define LIGA_SCHEMA_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/names.h"
#include "base/value.h"
#include "schema/types.h"

struct arena;
struct assoc;
struct expr;        /* of the layer above; the schema only keeps pointers to it */
struct model;

/* Where the value of an absent attribute comes from when a row is created. */
enum default_kind {
    DEFAULT_NONE,
    DEFAULT_VALUE,      /* a constant */
    DEFAULT_NOW,        /* the clock reading of the save */
    DEFAULT_UUID4,
    DEFAULT_UUID7,
    DEFAULT_CALL,       /* a Lua function; the binding fills it in before the core sees the row */
    DEFAULT_SQL         /* an expression the database evaluates */
};

struct attr {
    const char *name, *column;          /* interned */
    const struct model *model;
    int ordinal;                        /* place in model->attrs */
    struct type type;
    bool primary, auto_increment, allow_null, unique;
    enum default_kind default_kind;
    struct value default_value;         /* DEFAULT_VALUE: logical form */
    const struct expr *default_sql;     /* DEFAULT_SQL */
    const char *comment;
};

/* Parts of a primary key, at most (as PostgreSQL's indexes). */
enum { KEY_PARTS = 32 };

/* A list of attributes; the array belongs to the schema arena. */
struct attr_list {
    const struct attr *const *items;
    int count;
};

enum deferrable { DEFERRABLE_NOT, DEFERRABLE_IMMEDIATE, DEFERRABLE_DEFERRED };

struct foreign_key {
    struct foreign_key *next;
    struct attr_list attrs;
    const struct model *target;         /* NULL where only a table name is known */
    const char *schema, *table;
    const char *const *columns;         /* attrs.count of them */
    const char *on_delete, *on_update;  /* "SET NULL" …, or NULL */
    enum deferrable deferrable;
};

struct index_field {
    const struct attr *attr;            /* NULL: an expression */
    const struct expr *expr;
    bool descending;
};

struct index {
    struct index *next;
    const char *name;
    struct index_field *fields;
    int field_count;
    bool unique;
    const struct expr *where;           /* partial index, or NULL */
    const char *using;                  /* PostgreSQL's method, or NULL */
};

/* A statement's text that is good as long as the model stays of this generation; it lives in the schema's arena. */
struct kept_text {
    const char *text;                   /* NULL: none yet */
    size_t len;
    unsigned generation;
    int made;                           /* so far: where texts keep changing no more are kept */
};

/* The INSERT used last, or the UPDATE by the primary key, of a model with few enough attributes. */
enum { CACHED_COLUMNS = 64 };
struct cached_write {
    struct kept_text kept;
    uint64_t columns;                   /* a bit by ordinal */
};

/* The SELECT of all attributes by a key, which lives in the schema's arena, too. */
struct cached_lookup {
    struct cached_lookup *next;
    struct attr_list key;
    struct kept_text kept;
};

struct plan_column;

struct model {
    struct model *next;                 /* in order of definition */
    int number;                         /* in that order, from 1 */
    struct schema *schema;
    const char *name, *table, *table_schema, *comment;
    const struct attr **attrs;          /* by ordinal */
    int attr_count, attr_size;
    struct attr_list key;               /* primary key; count 0: a model without key */
    const struct attr *auto_key;        /* the generated key attribute, or NULL */
    const struct attr *created_at, *updated_at;
    const struct attr *deleted_at;      /* NULL: rows are deleted; else marked, and left out of reads */
    const struct attr *version;         /* counts the changes of a row, or NULL */
    struct foreign_key *foreign_keys;
    struct index *indexes;
    struct assoc *assocs;
    struct cached_write insert, update;
    struct cached_lookup *lookups;
    struct plan_column *columns;        /* all attributes as load/plan.c reads them, as of … */
    unsigned columns_generation;
    bool scoped;                        /* has a default scope: the Lua side merges it into includes */
    bool behaves;                       /* hooks, scopes …: calls on its rows go through the Lua side */
    unsigned generation;                /* grows with every change; what was compiled before is rebuilt */
    unsigned shape;                     /* grows when attributes move to other ordinals */
};

struct schema {
    struct arena *arena;                /* lives until the database object is collected */
    struct names names;
    struct model *models, **last;
    int model_count;
};

/* Starts an empty schema; everything in it is made in the arena. */
void schema_init(struct schema *schema, struct arena *arena);

/* Adds a model without attributes; the caller has checked that the name is free. table_schema and comment are the caller's to
 * set. */
struct model *model_new(struct schema *schema, const char *name, const char *table);
struct model *model_find(const struct schema *schema, const char *name);       /* or NULL */

/* Room for some more attributes than there are. */
void model_make_room(struct model *model);
/* Places of what is kept by ordinal while Lua code may run, which may declare attributes: as many as the model has room for. */
static inline int attr_room(const struct model *model) {
    return model->attr_size + 1;
}

/* Adds an attribute, or replaces the definition of the one with this name in place (pointers to it stay good).
 * `attr` is a template: name and column need not be interned; model and ordinal are filled in. */
struct attr *attr_put(struct model *model, const struct attr *attr);
/* Takes an attribute out, if it is there, and closes the gap in the ordinals. */
void attr_remove(struct model *model, const char *name);
const struct attr *attr_find(const struct model *model, const char *name);     /* or NULL */
const struct attr *attr_of_column(const struct model *model, const char *column);

/* A list from the names of attributes; items belong to the schema arena. All names must exist. */
struct attr_list attr_list_new(struct model *model, const char *const *names, int count);

/* Makes these attributes the primary key, in this order; those of before lose the mark. */
void model_set_key(struct model *model, struct attr_list key);
/* Adds a constraint; one over the same attributes is replaced. */
void model_add_foreign_key(struct model *model, const struct foreign_key *key);
/* Takes the constraint over exactly these attributes away, if there is one. */
void model_remove_foreign_key(struct model *model, struct attr_list attrs);
/* Adds an index; one of the same name is replaced. */
void model_add_index(struct model *model, const struct index *index);

/* True if the attribute is part of the primary key. */
static inline bool attr_in_key(const struct attr *attr) {
    return attr->primary;
}

/* True if both lists name the same attributes in the same order. */
bool attrs_same(struct attr_list a, struct attr_list b);

#endif
