/* Lua tables → expression trees. */
#ifndef LIGA_LUA_WHERE_H
#define LIGA_LUA_WHERE_H

#include "lua/call.h"

/* What reading a where needs to know; `conditions` counts the effective ones. */
struct where_reader {
    struct call *call;
    const struct model *model;
    struct arena *arena;            /* of the result: the call's, or the schema's for standing conditions */
    struct error *error;
    const char *path;               /* for messages: "where", "where.age" */
    int depth;
    int conditions;
};

/* A reader within a call, over `model`; `path` as above. */
struct where_reader where_reader(struct call *call, const struct model *model, const char *path);

/* Reads the where table (or condition expression) at `index`. NULL: no condition, or the error is set. */
const struct expr *read_where(lua_State *L, struct where_reader *reader, int index);

/* Reads fn, col, cast, literal, sql at `index`; NULL: the error is set. `attr` (may be NULL): the type that plain values take. */
struct expr *read_expression(lua_State *L, struct where_reader *reader, int index);

/* An attribute by name, or an error that names the nearest one; NULL: the error is set. */
const struct attr *find_attr(struct where_reader *reader, const char *name);

/* The length of a list; -1: a hole or a key that is no index (error set). */
int list_length(lua_State *L, struct where_reader *reader, int index);

#endif
