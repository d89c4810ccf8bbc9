/* Lua tables → expression trees. */
#ifndef LIGA_LUA_WHERE_H
#define LIGA_LUA_WHERE_H

#include "load/path.h"
#include "lua/call.h"

/* A table of the outer select that a condition may name besides its own (the parent, in `on` of an include). */
struct outer_table {
    const struct model *model;
    const char *name;               /* of the association that leads to it, or NULL */
    int alias;
};

/* A result column that conditions on groups may name. */
struct where_alias {
    const struct where_alias *next;
    const char *name;
    const struct expr *expr;
};

/* What reading a where needs to know; `conditions` counts the effective ones. */
struct where_reader {
    struct call *call;
    const struct model *model;
    struct arena *arena;            /* of the result: the call's, or the schema's for standing conditions */
    struct error *error;
    const char *path;               /* for messages: "where", "where.age" */
    int depth;
    int nodes;                      /* conditions met so far, on whatever level */
    int conditions;
    const struct path_base *paths;  /* where paths into associations begin; NULL: there can be none here */
    struct path_row *row;           /* the subquery of the where table that is read; NULL: none can be used */
    const struct outer_table *outer;    /* or NULL */
    const struct outer_table *link;     /* the junction whose row each row is read through, or NULL */
    const struct where_alias *aliases;  /* of the result's columns, in `having`; NULL: none */
};

/* A reader within a call, over `model`; `path` as above. */
struct where_reader where_reader(struct call *call, const struct model *model, const char *path);

/* Reads the where table (or condition expression) at `index`. NULL: no condition, or the error is set. */
const struct expr *read_where(lua_State *L, struct where_reader *reader, int index);

/* Reads fn, col, cast, literal, sql at `index`; NULL: the error is set. `attr` (may be NULL): the type that plain values take. */
struct expr *read_expression(lua_State *L, struct where_reader *reader, int index);

/* An attribute by name, or an error that names the nearest one; NULL: the error is set. */
const struct attr *find_attr(struct where_reader *reader, const char *name);

/* The column of an attribute, or of one at the end of a path ("author.name", "$author.name$"), or a path into a document of such a
 * column (EXPR_JSON); NULL: the error is set. *attr (may be
 * NULL) gets the attribute. */
struct expr *find_column(struct where_reader *reader, const char *name, const struct attr **attr);

/* The same as a value of a result or an operand: what a path into a document leads to. */
struct expr *find_value(struct where_reader *reader, const char *name, const struct attr **attr);

/* An association of a model by name, or an error that names the nearest one; `path` is what the user wrote. */
const struct assoc *find_assoc(struct where_reader *reader, const struct model *model, const char *name, const char *path);

/* "author, comments, tags": the names of a model's associations. */
const char *association_list(const struct model *model, struct arena *arena);

/* The length of a list; -1: a hole or a key that is no index (error set). */
int list_length(lua_State *L, struct where_reader *reader, int index);

#endif
