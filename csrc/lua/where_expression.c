/* Expressions, fn, col, cast, literal and sql, and values as operands: what conditions compare, selects return, orders sort by. */
#include "lua/where_internal.h"

#include <string.h>

#include "lua/value.h"
#include "sql/functions.h"
#include "sql/scan.h"

static struct expr *param_of(struct where_reader *reader, const struct attr *attr, struct value value) {
    if (attr) type_store(&attr->type, &value, reader->arena);
    return expr_param(reader->arena, value);
}

struct expr *read_operand(lua_State *L, struct where_reader *reader, int index, const struct attr *attr) {
    if (marker_test(L, index)) return read_expression(L, reader, index);
    struct value value;
    bool fine = attr ? read_attr_value(L, index, attr, &value, reader->arena, reader->error)
                     : read_plain(L, index, &value, reader->arena, reader->error);
    if (fine) return param_of(reader, attr, value);
    return where_misfit(L, reader, index);
}

void push_argument(lua_State *L, int index, int at) {
    lua_getiuservalue(L, index, MARKER_ARGUMENTS);
    lua_rawgeti(L, -1, at);
    lua_remove(L, -2);
}

void push_operand(lua_State *L, const struct marker *marker, int index) {
    if (marker->count == 1) push_argument(L, index, 1);
    else lua_getiuservalue(L, index, MARKER_ARGUMENTS);
}

const char *read_marker_text(lua_State *L, struct where_reader *reader, int index) {
    lua_getiuservalue(L, index, MARKER_TEXT);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    text = arena_text(reader->arena, text ? text : "", text ? len : 0);
    lua_pop(L, 1);
    return text;
}

/* An argument of a call: a value of the attribute if it is one, else as it is. */
static struct expr *read_argument(lua_State *L, struct where_reader *reader, int index, const struct attr *attr) {
    struct error error = { .code = ERROR_NONE };
    struct value value;
    bool fits = attr && !marker_test(L, index) && !is_null(L, index) && !lua_istable(L, index)
             && read_attr_value(L, index, attr, &value, reader->arena, &error);
    return fits ? param_of(reader, attr, value) : read_operand(L, reader, index, NULL);
}

static bool read_arguments(lua_State *L, struct where_reader *reader, int index, const struct marker *marker,
                           struct expr *into) {
    const struct dialect *dialect = reader->call->db->dialect;
    struct expr **link = &into->first;
    for (int i = 1; i <= marker->count; i++) {
        bool behind = i > 1 && into->kind == EXPR_FUNCTION;
        const struct attr *attr = behind ? function_argument_attr(reader->arena, dialect, into->text, into->first) : NULL;
        push_argument(L, index, i);
        struct expr *argument = read_argument(L, reader, lua_gettop(L), attr);
        lua_pop(L, 1);
        if (!argument) return false;
        *link = argument->next ? expr_at(reader->arena, ALIAS_HERE, argument) : argument;
        link = &(*link)->next;
    }
    return true;
}

static struct expr *read_call(lua_State *L, struct where_reader *reader, int index, const struct marker *marker,
                              enum expr_kind kind) {
    struct expr *expr = expr_new(reader->arena, kind);
    expr->text = read_marker_text(L, reader, index);
    return read_arguments(L, reader, index, marker, expr) ? expr : NULL;
}

static struct expr *read_col(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    (void)marker;
    const char *name = read_marker_text(L, reader, index);
    if (strcmp(name, "*") == 0) return expr_new(reader->arena, EXPR_STAR);
    const struct expr *aliased = find_alias(reader, name);
    if (aliased) return copy_of(reader, aliased);
    return find_value(reader, name, NULL);
}

/* Cuts the text at its ? marks, found by the lexer. */
static const char *const *split_at_marks(struct where_reader *reader, const char *text, int *marks) {
    struct sql_scan scan = { .text = text, .len = strlen(text), .dollar_quotes = reader->call->db->dialect->dollar_quotes };
    const char **pieces = arena_array(reader->arena, const char *, scan.len + 2);
    size_t piece = 0;
    *marks = 0;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;) {
        if (token == SQL_UNFINISHED) return where_fail(reader, "liga.sql: a string, name or comment does not end%s", "");
        if (token != SQL_QUESTION) continue;
        pieces[(*marks)++] = arena_text(reader->arena, text + piece, scan.start - piece);
        piece = scan.at;
    }
    pieces[*marks] = arena_text(reader->arena, text + piece, scan.len - piece);
    return pieces;
}

static struct expr *read_sql(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    struct expr *expr = expr_new(reader->arena, EXPR_RAW);
    int marks;
    expr->pieces = split_at_marks(reader, read_marker_text(L, reader, index), &marks);
    if (!expr->pieces) return NULL;
    if (marks != marker->count)
        return where_fail(reader, "liga.sql: %s", arena_printf(reader->arena, "%d marks (?) but %d values", marks, marker->count));
    return read_arguments(L, reader, index, marker, expr) ? expr : NULL;
}

static struct expr *read_literal(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    (void)marker;
    struct expr *expr = expr_new(reader->arena, EXPR_RAW);
    const char **pieces = arena_array(reader->arena, const char *, 1);
    pieces[0] = read_marker_text(L, reader, index);
    expr->pieces = pieces;
    return expr;
}

static struct expr *read_fn(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    struct expr *call = read_call(L, reader, index, marker, EXPR_FUNCTION);
    if (call) function_complete(reader->arena, reader->call->db->dialect, call);
    return call;
}

static struct expr *read_cast(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    return read_call(L, reader, index, marker, EXPR_CAST);
}

static struct expr *read_json_value(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    struct expr *path = read_json_marker(L, reader, index, marker);
    return path ? json_value(reader, path) : NULL;
}

/* The tuple at `index` as stored values of the attributes. */
static bool read_tuple(lua_State *L, struct where_reader *reader, struct attr_list attrs, int index, struct value *values) {
    const char *path = reader->path;
    for (int k = 0; k < attrs.count; k++) {
        const struct attr *attr = attrs.items[k];
        reader->path = arena_dotted(reader->arena, path, attr->name);
        lua_rawgeti(L, index, k + 1);
        if (is_null(L, -1)) return where_fail(reader, "a key has no NULL%s", "");
        if (!read_attr_value(L, lua_gettop(L), attr, &values[k], reader->arena, reader->error))
            return where_misfit(L, reader, lua_gettop(L));
        type_store(&attr->type, &values[k], reader->arena);
        lua_pop(L, 1);
    }
    reader->path = path;
    return true;
}

const struct expr *read_tuples(lua_State *L, struct where_reader *reader, int index) {
    push_argument(L, index, 1);
    push_argument(L, index, 2);
    int tuples = lua_gettop(L), names = tuples - 1;
    int count = (int)lua_rawlen(L, tuples), parts = (int)lua_rawlen(L, names);
    const struct attr **attrs = arena_array(reader->arena, const struct attr *, parts + 1);
    struct value *values = arena_array(reader->arena, struct value, count * parts + 1);
    for (int k = 0; k < parts; k++) {
        lua_rawgeti(L, names, k + 1);
        attrs[k] = find_attr(reader, name_at(L, -1));
        lua_pop(L, 1);
        if (!attrs[k]) return NULL;
    }
    const struct attr_list list = { attrs, parts };
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, tuples, i + 1);
        if (!read_tuple(L, reader, list, lua_gettop(L), values + i * parts)) return NULL;
        lua_pop(L, 1);
    }
    lua_settop(L, names - 1);
    return expr_keys(reader->arena, list, values, count);
}

struct expr *read_expression(lua_State *L, struct where_reader *reader, int index) {
    typedef struct expr *read(lua_State *, struct where_reader *, int, const struct marker *);
    static read *const readers[] = {
        [MARKER_FN] = read_fn, [MARKER_COL] = read_col, [MARKER_CAST] = read_cast, [MARKER_LITERAL] = read_literal,
        [MARKER_SQL] = read_sql, [MARKER_WHERE] = NULL, [MARKER_OP] = NULL, [MARKER_JSON] = read_json_value,
        [MARKER_TUPLES] = NULL,
    };
    index = lua_absindex(L, index);
    const struct marker *marker = marker_test(L, index);
    if (!marker || !readers[marker->kind])
        return where_fail(reader, "liga.fn, col, cast, literal or sql expected, got %s",
                          marker ? "a condition" : kind_text(L, index));
    if (++reader->depth > WHERE_DEPTH) return where_fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 10, "expression too deep");
    struct expr *expr = readers[marker->kind](L, reader, index, marker);
    reader->depth--;
    return expr;
}
