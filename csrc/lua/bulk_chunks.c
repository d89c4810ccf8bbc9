#include "lua/bulk_chunks.h"

void bulk_chunks_init(struct call *call, struct bulk_chunks *chunks, lua_Integer rows) {
    chunks->rows = rows;
    chunks->rowsets = arena_array(&call->arena, struct rowset *, (int)(rows / ROWSET_ROWS) + 1);
}

struct chunk_view chunk_view_open(lua_State *L, const struct bulk_chunks *chunks, int model) {
    int top = lua_gettop(L);
    lua_settop(L, top + 2);
    return (struct chunk_view){ chunks, model, top + 1, top + 2, -1, NULL };
}

/* Pushes the metatable of the chunk. */
static void push_chunk(lua_State *L, struct call *call, const struct chunk_view *view, lua_Integer number) {
    push_call_table(L, call, CALL_KEEP);
    if (lua_rawgeti(L, -1, number + 1) == LUA_TNIL) {
        lua_Integer left = view->chunks->rows - number * ROWSET_ROWS;
        lua_pop(L, 1);
        view->chunks->rowsets[number] = rowset_new(L, view->model, left < ROWSET_ROWS ? (int)left : ROWSET_ROWS);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, number + 1);
    }
    lua_remove(L, -2);
}

int chunk_view_row(lua_State *L, struct call *call, struct chunk_view *view, lua_Integer row) {
    if (row / ROWSET_ROWS != view->number) {
        view->number = row / ROWSET_ROWS;
        push_chunk(L, call, view, view->number);
        lua_rawgeti(L, -1, CHUNK_ROWSET);
        lua_getiuservalue(L, -1, ROWSET_TEXTS);
        lua_replace(L, view->texts);
        lua_pop(L, 1);
        lua_replace(L, view->metatable);
        view->rowset = view->chunks->rowsets[view->number];
    }
    return (int)(row % ROWSET_ROWS);
}

void bulk_chunks_note(const struct bulk_chunks *chunks, lua_Integer row, const struct attr *attr, struct value value) {
    struct rowset *rowset = chunks->rowsets[row / ROWSET_ROWS];
    int number = (int)(row % ROWSET_ROWS);
    if (rowset && !original_keep_value(rowset, number, attr, value)) original_forget(rowset, number, attr);
}
