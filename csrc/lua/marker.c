#include "lua/marker.h"

#include <ctype.h>
#include <string.h>

#include "lua/where_internal.h"

struct marker *marker_test(lua_State *L, int index) {
    return userdata_test(L, index, USERDATA_MARKER);
}

const struct op_info *op_test(lua_State *L, int index) {
    const struct op_info **op = userdata_test(L, index, USERDATA_OP);
    return op ? *op : NULL;
}

/* A marker whose arguments are the stack from `first` on; text (may be NULL) is copied. */
static struct marker *push_marker(lua_State *L, enum marker_kind kind, const char *text, int first) {
    int top = lua_gettop(L);
    struct marker *marker = userdata_new(L, USERDATA_MARKER, sizeof *marker, MARKER_VALUES);
    marker->kind = kind;
    marker->count = top >= first ? top - first + 1 : 0;
    lua_pushstring(L, text);
    lua_setiuservalue(L, -2, MARKER_TEXT);
    lua_createtable(L, marker->count, 0);
    for (int i = 0; i < marker->count; i++) {
        lua_pushvalue(L, first + i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setiuservalue(L, -2, MARKER_ARGUMENTS);
    return marker;
}

/* The name of a function or type goes into SQL as it is: letters, digits, _ and the extra characters only. */
static const char *check_word(lua_State *L, int index, const char *extra, const char *what) {
    size_t len;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    bool fine = text && len && (isalpha((unsigned char)*text) || *text == '_');
    for (size_t i = 0; fine && i < len; i++)
        fine = isalnum((unsigned char)text[i]) || text[i] == '_' || (text[i] && strchr(extra, text[i]));
    if (!fine) raise_usage(L, "%s: a plain name expected", what);
    return text;
}

/* Steps over "(10, 2)" or "[3]"; NULL: something else is in there. */
static const char *skip_numbers(const char *at) {
    char close = *at == '(' ? ')' : ']';
    for (at++; *at && *at != close; at++)
        if (!isdigit((unsigned char)*at) && (close == ']' || (*at != ',' && *at != ' '))) return NULL;
    return *at ? at + 1 : NULL;
}

/* The name of a type goes into SQL as it is: "numeric(10, 2)", "timestamp(3) with time zone", "int[]". */
static const char *check_type(lua_State *L, int index) {
    const char *text = check_word(L, index, " (),[]", "liga.cast"), *at = text;
    while (at && *at && *at != ',' && *at != ')' && *at != ']') at = *at == '(' || *at == '[' ? skip_numbers(at) : at + 1;
    if (!at || *at) raise_usage(L, "liga.cast: a type such as \"numeric(10, 2)\" expected");
    return text;
}

static const char *check_text(lua_State *L, int index, const char *what) {
    size_t len;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    if (!text || strlen(text) != len) raise_usage(L, "%s expects a string (without NUL)", what);
    return text;
}

static int new_fn(lua_State *L) {
    const char *name = check_word(L, 1, ".", "liga.fn");
    for (int i = 2; i <= lua_gettop(L); i++)
        if (lua_isnil(L, i)) raise_usage(L, "liga.fn(\"%s\"): argument %d is nil (liga.null is SQL's NULL)", name, i - 1);
    push_marker(L, MARKER_FN, name, 2);
    return 1;
}

static int new_col(lua_State *L) {
    push_marker(L, MARKER_COL, check_text(L, 1, "liga.col"), 2);
    return 1;
}

static int new_cast(lua_State *L) {
    const char *type = check_type(L, 2);
    lua_settop(L, 2);
    lua_insert(L, 1);
    push_marker(L, MARKER_CAST, type, 2);
    return 1;
}

static int new_literal(lua_State *L) {
    push_marker(L, MARKER_LITERAL, check_text(L, 1, "liga.literal"), 2);
    return 1;
}

static int new_sql(lua_State *L) {
    const char *text = check_text(L, 1, "liga.sql");
    for (int i = 2; i <= lua_gettop(L); i++)
        if (lua_isnil(L, i)) raise_usage(L, "liga.sql: value %d is nil (liga.null is SQL's NULL)", i - 1);
    push_marker(L, MARKER_SQL, text, 2);
    return 1;
}

/* liga.where(expression, Op.…, value), or (expression, condition) with what may stand under an attribute's name. */
static int new_where(lua_State *L) {
    const struct op_info *op = op_test(L, 2);
    int value = op || lua_gettop(L) > 2 ? 3 : 2;
    lua_settop(L, value);
    if (!op && value == 3) raise_usage(L, "liga.where(expression, Op.…, value): the second argument must be an operator");
    if (!marker_test(L, 1)) raise_usage(L, "liga.where: the first argument must be liga.fn, col, cast, literal or sql");
    if (lua_isnil(L, value)) raise_usage(L, "liga.where: the value is nil (liga.null is SQL's NULL)");
    if (op) lua_remove(L, 2);
    push_marker(L, MARKER_WHERE, NULL, 1)->op = op;
    return 1;
}

/* liga.json("meta", "a.b", 1): the attribute, then keys and indexes. */
static int new_json(lua_State *L) {
    const char *name = check_text(L, 1, "liga.json");
    for (int i = 2; i <= lua_gettop(L); i++)
        if (lua_type(L, i) != LUA_TSTRING && !(lua_isinteger(L, i) && lua_tointeger(L, i) >= 1))
            raise_usage(L, "liga.json: leg %d must be a key (text) or an index (from 1)", i - 1);
    push_marker(L, MARKER_JSON, name, 2);
    return 1;
}

/* core.tuples(names, tuples): the condition that attributes have one of several lists of values */
static int new_tuples(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    push_marker(L, MARKER_TUPLES, NULL, 1);
    return 1;
}

/* Op.gte(18): the operator with its operands. */
static int call_op(lua_State *L) {
    const struct op_info *op = op_test(L, 1);
    if (!op) return raise_usage(L, "an operator expected");
    if (lua_gettop(L) < 2) raise_usage(L, "Op.%s needs an operand", op->name);
    for (int i = 2; i <= lua_gettop(L); i++)
        if (lua_isnil(L, i)) raise_usage(L, "Op.%s: the operand is nil (liga.null is SQL's NULL)", op->name);
    push_marker(L, MARKER_OP, NULL, 2)->op = op;
    return 1;
}

static int op_text(lua_State *L) {
    const struct op_info *op = op_test(L, 1);
    lua_pushfstring(L, "Op.%s", op ? op->name : "?");
    return 1;
}

static int marker_text(lua_State *L) {
    static const char *const names[] = { "fn", "col", "cast", "literal", "sql", "where", "operator", "json", "keys" };
    const struct marker *marker = marker_test(L, 1);
    if (!marker) return raise_usage(L, "an expression expected");
    lua_getiuservalue(L, 1, MARKER_TEXT);
    const char *text = lua_tostring(L, -1);
    lua_pushfstring(L, "liga.%s(%s)", names[marker->kind], text ? text : marker->op ? marker->op->name : "");
    return 1;
}

/* core.operands(value): the list of an expression's arguments or an operator's operands, not to be changed; nil: it is neither. */
static int operands(lua_State *L) {
    if (!marker_test(L, 1)) return 0;
    lua_getiuservalue(L, 1, MARKER_ARGUMENTS);
    return 1;
}

static int is_expression(lua_State *L) {
    const struct marker *marker = marker_test(L, 1);
    lua_pushboolean(L, marker && marker->kind != MARKER_OP && marker->kind != MARKER_WHERE
                       && marker->kind != MARKER_TUPLES);
    return 1;
}

/* core.operand(value, Op.…) → what the operator was called with; nil: the value is no call of it */
static int operand(lua_State *L) {
    const struct marker *marker = marker_test(L, 1);
    lua_settop(L, 2);
    if (marker && marker->kind == MARKER_OP && marker->op == op_test(L, 2)) push_operand(L, marker, 1);
    else lua_pushnil(L);
    return 1;
}

static void set_metamethod(lua_State *L, enum userdata kind, const char *event, lua_CFunction function) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, core_of(L)->metatable[kind]);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, event);
    lua_pop(L, 1);
}

static void push_operators(lua_State *L) {
    lua_createtable(L, 0, OP_COUNT);
    for (int i = 0; i < OP_COUNT; i++) {
        const struct op_info **op = userdata_new(L, USERDATA_OP, sizeof *op, 0);
        *op = &op_table[i];
        lua_setfield(L, -2, op_table[i].name);
    }
}

void open_markers(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "fn", new_fn }, { "col", new_col }, { "cast", new_cast }, { "literal", new_literal }, { "sql", new_sql },
        { "where", new_where }, { "json_path", new_json }, { "tuples", new_tuples }, { "is_expression", is_expression },
        { "operands", operands }, { "operand", operand }, { NULL, NULL },
    };
    set_metamethod(L, USERDATA_OP, "__call", call_op);
    set_metamethod(L, USERDATA_OP, "__tostring", op_text);
    set_metamethod(L, USERDATA_MARKER, "__tostring", marker_text);
    add_functions(L, functions);
    push_operators(L);
    lua_setfield(L, -2, "Op");
}
