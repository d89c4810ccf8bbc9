/* Which rows of a bulkCreate are which: they are told apart by the texts of some of their attributes. */
#ifndef LIGA_LUA_BULK_ROWS_H
#define LIGA_LUA_BULK_ROWS_H

#include "lua/call.h"
#include "schema/model.h"

/* Whether no two rows of the list at `list` have the same key, as far as liga can tell; rows without a full key differ from all. */
bool rows_differ(lua_State *L, int list, lua_Integer count, struct attr_list key);

/* Those of the columns whose values come back from the database exactly as instances hold them. */
struct attr_list telling_attrs(struct call *call, const struct attr *const *attrs, int count);

/* Notes the places of all rows by these attributes, on the box. False: two rows hold the same. */
bool note_rows(lua_State *L, struct call *call, int list, lua_Integer count, struct attr_list told);

/* The place of the row that holds what the table at `index` holds; 0: there is none. */
lua_Integer find_row(lua_State *L, struct call *call, int index, struct attr_list told);

/* The names of the attributes' columns as a list. */
struct value column_list(struct call *call, struct attr_list attrs);

#endif
