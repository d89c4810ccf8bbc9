/* Op.* and the expressions fn, col, cast, literal, sql, where: full userdata, which no decoded JSON can forge. */
#ifndef LIGA_LUA_MARKER_H
#define LIGA_LUA_MARKER_H

#include "lua/call.h"

enum marker_kind {
    MARKER_FN,          /* text: name; arguments */
    MARKER_COL,         /* text: attribute path */
    MARKER_CAST,        /* text: type; one argument */
    MARKER_LITERAL,     /* text */
    MARKER_SQL,         /* text with ? marks; arguments */
    MARKER_WHERE,       /* op; arguments: left, right */
    MARKER_OP,          /* op; arguments: operands (Op.gte(18)) */
    MARKER_JSON,
    MARKER_TUPLES       /* arguments: names of attributes, list of lists of values of which they have one */
};

/* User value 1: text. User value 2: list of arguments. */
struct marker {
    enum marker_kind kind;
    const struct op_info *op;
    int count;                      /* of arguments */
};

enum marker_value { MARKER_TEXT = 1, MARKER_ARGUMENTS, MARKER_VALUES = MARKER_ARGUMENTS };

/* The marker, the row of an Op.* at `index`; NULL: it is something else. */
struct marker *marker_test(lua_State *L, int index);
const struct op_info *op_test(lua_State *L, int index);

/* Adds fn, col, cast, literal, sql, where, Op to the table on the top. */
void open_markers(lua_State *L);

#endif
