/* The chunks of what bulkCreate makes, as of a list that was read. Mostly they are there from the beginning: the values of a row are
 * kept as its originals while they are read, and sent from there. */
#ifndef LIGA_LUA_BULK_CHUNKS_H
#define LIGA_LUA_BULK_CHUNKS_H

#include "lua/rowset.h"

/* Their metatables hang on the box. */
struct bulk_chunks {
    lua_Integer rows;               /* in all */
    struct rowset **rowsets;        /* by number; NULL: not made yet */
};

/* The one that is looked at. */
struct chunk_view {
    const struct bulk_chunks *chunks;
    int model, metatable, texts;    /* stack indices */
    lua_Integer number;             /* -1: none yet */
    struct rowset *rowset;
};

void bulk_chunks_init(struct call *call, struct bulk_chunks *chunks, lua_Integer rows);

/* Pushes what a view needs; model: stack index of the model userdata. */
struct chunk_view chunk_view_open(lua_State *L, const struct bulk_chunks *chunks, int model);

/* Looks at the chunk of a row, from 0, which is made if it is not there; returns the row's number in it. */
int chunk_view_row(lua_State *L, struct call *call, struct chunk_view *view, lua_Integer row);

/* What the database made of an attribute of a row, from 0, is its original. */
void bulk_chunks_note(const struct bulk_chunks *chunks, lua_Integer row, const struct attr *attr, struct value value);

#endif
