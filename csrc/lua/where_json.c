/* Conditions on JSON attributes:
 *
 *     document := { [key] = document, … }              each key a step into the document, as it stands
 *               | operand                              the comparison follows the Lua type of the value
 *     operand  := value | list | { [Op.x] = value } | Op.x(value) | liga.null
 *
 * Op.eq{…} compares whole documents. liga.null is SQL's NULL, a missing path and JSON's null. Paths are never spliced into a
 * text: each leg is a parameter of its own. */
#include "lua/where_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "lua/instance.h"
#include "lua/json.h"
#include "lua/value.h"

bool is_json_attr(const struct attr *attr) {
    return attr && type_is_json(&attr->type);
}

static const struct dialect *dialect_of(const struct where_reader *reader) {
    return reader->call->db->dialect;
}

/* --------------------------------------------------------------------------------------------------------- paths */

/* The document itself: a path without legs. */
static struct expr *path_of(struct where_reader *reader, struct expr *left) {
    if (left->kind == EXPR_JSON) return left;
    struct expr *path = expr_new(reader->arena, EXPR_JSON);
    path->first = copy_of(reader, left);
    return path;
}

static struct expr *with_leg(struct where_reader *reader, const struct expr *path, struct value leg) {
    struct expr *longer = copy_of(reader, path);
    struct value *legs = arena_array(reader->arena, struct value, path->value_count + 1);
    if (path->value_count) memcpy(legs, path->values, sizeof *legs * (size_t)path->value_count);
    legs[longer->value_count++] = leg;
    longer->values = legs;
    return longer;
}

/* A key of the document; what no JSON text holds is none. */
static bool read_key(struct where_reader *reader, const char *text, size_t len, struct value *leg) {
    if (utf8_check(text, len, NULL) != UTF8_FINE)
        return where_fail(reader, "a key of a JSON path must be UTF-8 text without NUL%s", "");
    *leg = value_text(arena_text(reader->arena, text, len), len);
    return true;
}

struct expr *read_json_name(struct where_reader *reader, const char *name, const struct attr **attr) {
    const char *dot = strchr(name, '.');
    *attr = dot ? attr_find(reader->model, arena_text(reader->arena, name, (size_t)(dot - name))) : NULL;
    if (!is_json_attr(*attr)) return NULL;
    struct expr *path = path_of(reader, expr_column(reader->arena, *attr, ALIAS_HERE));
    while (dot) {
        const char *start = dot + 1, *end = strchr(start, '.');
        size_t len = end ? (size_t)(end - start) : strlen(start);
        struct value leg;
        if (!len) return where_fail(reader, "\"%s\" has an empty part (liga.json takes any key)", name);
        if (!read_key(reader, start, len, &leg)) return NULL;
        path = with_leg(reader, path, leg);
        dot = end;
    }
    return path;
}

/* An index counts as Lua does, from 1. */
static bool read_leg(lua_State *L, struct where_reader *reader, int index, struct value *leg) {
    size_t len;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) >= 1) {
        *leg = value_int(lua_tointeger(L, index) - 1);
        return true;
    }
    if (lua_type(L, index) != LUA_TSTRING)
        return where_fail(reader, "liga.json: a leg must be a key (text) or an index (from 1), got %s", kind_text(L, index));
    const char *text = lua_tolstring(L, index, &len);
    return read_key(reader, text, len, leg);
}

struct expr *read_json_marker(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    const char *name = read_marker_text(L, reader, index);
    struct expr *column = find_column(reader, name, NULL);
    if (!column) return NULL;
    bool document = column->kind == EXPR_COLUMN && is_json_attr(column->attr);
    if (!document) return where_fail(reader, "liga.json: %s is no JSON attribute", name);
    struct expr *path = path_of(reader, column);
    for (int i = 1; i <= marker->count; i++) {
        struct value leg;
        push_argument(L, index, i);
        bool fine = read_leg(L, reader, lua_gettop(L), &leg);
        lua_pop(L, 1);
        if (!fine) return NULL;
        path = with_leg(reader, path, leg);
    }
    return path;
}

/* --------------------------------------------------------------------------------------------------- comparisons */

static struct expr *in_form(struct where_reader *reader, enum json_form form, const struct expr *path) {
    return expr_template(reader->arena, dialect_of(reader)->json_form[form], copy_of(reader, path), NULL);
}

struct expr *json_value(struct where_reader *reader, struct expr *path) {
    return in_form(reader, JSON_AS_VALUE, path);
}

const struct expr *json_order(struct where_reader *reader, const struct expr *expr) {
    const struct expr *json;
    if (expr_is_json(expr, &json)) return in_form(reader, JSON_AS_ORDER, json);
    if (expr->kind != EXPR_COLUMN || !is_json_attr(expr->attr)) return expr;
    return in_form(reader, JSON_AS_ORDER, path_of(reader, copy_of(reader, expr)));
}

static struct expr *document_param(lua_State *L, struct where_reader *reader, int index) {
    struct buf buf;
    buf_init(&buf, reader->arena);
    if (!json_write(L, index, &json_stored, &buf, reader->error)) return where_misfit(L, reader, index);
    return expr_param(reader->arena, value_text(buf.text, buf.len));
}

/* An index can find what a whole document contains: there the column stays as it is. */
static const struct expr *test_param(struct where_reader *reader, enum json_test test, const struct expr *path,
                                     struct expr *right) {
    bool bare = test == JSON_CONTAINS && !path->value_count;
    struct expr *left = bare ? copy_of(reader, path) : in_form(reader, JSON_AS_VALUE, path);
    return expr_template(reader->arena, dialect_of(reader)->json_test[test], left, right);
}

static const struct expr *test_document(lua_State *L, struct where_reader *reader, enum json_test test, const struct expr *path,
                                        int index) {
    struct expr *right = document_param(L, reader, index);
    return right ? test_param(reader, test, path, right) : NULL;
}

/* The kind that an ordering comparison takes from the Lua value; JSON_FORMS: none has an order. */
static enum json_form form_of(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: return JSON_AS_NUMBER;
    case LUA_TSTRING: return JSON_AS_TEXT;
    default:          return JSON_FORMS;
    }
}

static struct expr *plain_param(lua_State *L, struct where_reader *reader, enum json_form form, int index) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct value value;
    if (!read_plain(L, index, &value, reader->arena, reader->error)) return where_misfit(L, reader, index);
    if (form == JSON_AS_TEXT && !type_accept(&text_type, &value, reader->arena, reader->error)) return where_misfit(L, reader, index);
    if (value.kind == VALUE_REAL && value.as.real != value.as.real) return where_fail(reader, "NaN compares with nothing%s", "");
    return expr_template(reader->arena, dialect_of(reader)->json_operand[form], expr_param(reader->arena, value), NULL);
}

static const struct expr *equality(lua_State *L, struct where_reader *reader, const struct expr *path, int index) {
    if (is_null(L, index)) return null_test(reader, OP_IS, in_form(reader, JSON_AS_VALUE, path));
    return test_document(L, reader, JSON_IS, path, index);
}

/* What a path is beside a column: a value of the column's type, if documents have such. */
static enum json_form form_beside(const struct attr *attr) {
    if (type_is_number(&attr->type)) return JSON_AS_NUMBER;
    if (type_is_table(&attr->type)) return JSON_AS_VALUE;
    enum value_kind kind = type_info(attr->type.id)->logical;
    return kind == VALUE_BOOL ? JSON_AS_BOOL : kind == VALUE_TEXT ? JSON_AS_TEXT : JSON_AS_VALUE;
}

static const struct expr *with_document(struct where_reader *reader, enum op op, const struct expr *path, struct expr *right) {
    if (op == OP_EQ || op == OP_NE)
        return test_param(reader, op == OP_EQ ? JSON_IS : JSON_IS_NOT, path, in_form(reader, JSON_AS_VALUE, right));
    return expr_operator(reader->arena, op, in_form(reader, JSON_AS_ORDER, path), in_form(reader, JSON_AS_ORDER, right));
}

const struct expr *compare_with_path(struct where_reader *reader, enum op op, struct expr *left, const struct attr *attr,
                                     const struct expr *path) {
    enum json_form form = form_beside(attr);
    struct expr *column = form == JSON_AS_TEXT ? as_text(reader, left, attr) : left;
    return expr_operator(reader->arena, op, copy_of(reader, column), in_form(reader, form, path));
}

/* Another expression on the right: a column or a path; else both are compared as the values that the engine makes of them. */
static const struct expr *with_expression(lua_State *L, struct where_reader *reader, const struct op_info *op,
                                          const struct expr *path, int index) {
    const struct expr *document;
    struct expr *right = read_expression(L, reader, index);
    if (!right) return NULL;
    const struct attr *attr = right->kind == EXPR_COLUMN ? right->attr : NULL;
    if (expr_is_json(right, &document)) return with_document(reader, op->op, path, copy_of(reader, document));
    if (attr && is_json_attr(attr)) return with_document(reader, op->op, path, path_of(reader, right));
    enum json_form form = attr ? form_beside(attr) : JSON_AS_VALUE;
    if (form == JSON_AS_TEXT) right = as_text(reader, right, attr);
    return expr_operator(reader->arena, op->op, in_form(reader, form, path), copy_of(reader, right));
}

static const struct expr *compare(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                  int index) {
    if (marker_test(L, index)) return with_expression(L, reader, op, path, index);
    if (op->op == OP_EQ) return equality(L, reader, path, index);
    if (op->op == OP_NE && is_null(L, index)) return null_test(reader, OP_IS_NOT, in_form(reader, JSON_AS_VALUE, path));
    if (op->op == OP_NE) return test_document(L, reader, JSON_IS_NOT, path, index);
    enum json_form form = form_of(L, index);
    if (form == JSON_FORMS) return where_fail(reader, "Op.%s on JSON compares numbers or texts", op->name);
    struct expr *right = plain_param(L, reader, form, index);
    return right ? expr_operator(reader->arena, op->op, in_form(reader, form, path), right) : NULL;
}

static const struct expr *between(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                  int index) {
    if (!lua_istable(L, index) || list_length(L, reader, index) != 2)
        return where_fail(reader, "Op.%s expects two values: {from, to}", op->name);
    lua_rawgeti(L, index, 1);
    lua_rawgeti(L, index, 2);
    int upper = lua_gettop(L);
    enum json_form form = form_of(L, upper - 1);
    if (form == JSON_FORMS || form_of(L, upper) != form)
        return where_fail(reader, "Op.%s on JSON compares two numbers or two texts", op->name);
    struct expr *from = plain_param(L, reader, form, upper - 1), *to = from ? plain_param(L, reader, form, upper) : NULL;
    lua_pop(L, 2);
    if (!to) return NULL;
    struct expr *expr = expr_operator(reader->arena, op->op, in_form(reader, form, path), from);
    from->next = to;
    return expr;
}

/* Each element by itself: they may be of different kinds. */
static const struct expr *one_of(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                 int index) {
    if (!lua_istable(L, index)) return where_fail(reader, "Op.%s expects a list", op->name);
    int length = list_length(L, reader, index);
    if (length < 0) return NULL;
    bool all = op->op == OP_NOT_IN || op->op == OP_ALL;
    const struct op_info *each = &op_table[op->op == OP_NOT_IN ? OP_NE : OP_EQ];
    struct expr *group = expr_group(reader->arena, all ? EXPR_AND : EXPR_OR);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        const struct expr *element = compare(L, reader, each, path, lua_gettop(L));
        lua_pop(L, 1);
        if (!element) return NULL;
        expr_push(reader->arena, group, element);
    }
    return group;
}

static const struct expr *nullity(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                  int index) {
    enum json_form form = is_null(L, index) ? JSON_AS_VALUE : JSON_AS_BOOL;
    return apply_operator(L, reader, op, in_form(reader, form, path), NULL, index);
}

static const struct expr *pattern(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                  int index) {
    return apply_operator(L, reader, op, in_form(reader, JSON_AS_TEXT, path), NULL, index);
}

static const struct expr *of_documents(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                       int index) {
    switch (op->op) {
    case OP_ANY: case OP_ALL: return one_of(L, reader, op, path, index);
    case OP_CONTAINS:  return test_document(L, reader, JSON_CONTAINS, path, index);
    case OP_CONTAINED: return test_document(L, reader, JSON_CONTAINED, path, index);
    case OP_OVERLAP:
        if (!lua_istable(L, index) || list_length(L, reader, index) < 0)
            return where_fail(reader, "Op.%s expects a list", op->name);
        return test_document(L, reader, JSON_OVERLAPS, path, index);
    default: return where_fail(reader, "Op.%s is for TSVECTOR attributes, not for JSON", op->name);
    }
}

static const struct expr *refuse(lua_State *L, struct where_reader *reader, const struct op_info *op, const struct expr *path,
                                 int index) {
    (void)L, (void)path, (void)index;
    return where_fail(reader, "Op.%s is for associations", op->name);
}

const struct expr *apply_json(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                              const struct attr *attr, int index) {
    typedef const struct expr *operand_reader(lua_State *, struct where_reader *, const struct op_info *, const struct expr *, int);
    static operand_reader *const readers[] = {
        [OPERAND_VALUE] = compare, [OPERAND_TEXT] = pattern, [OPERAND_PLAIN] = pattern, [OPERAND_LIST] = one_of,
        [OPERAND_PAIR] = between, [OPERAND_NULLITY] = nullity, [OPERAND_ROWS] = refuse, [OPERAND_ARRAY] = of_documents,
    };
    struct expr *path = path_of(reader, left);
    index = lua_absindex(L, index);
    luaL_checkstack(L, 10, "condition too deep");
    if (op->operand == OPERAND_GROUP) return read_operand_group(L, reader, op, path, attr, index, read_json_condition);
    if (!op_of_list(L, index)) return readers[op->operand](L, reader, op, path, index);
    return read_quantified(L, reader, op, path, attr, index, apply_json);
}

/* ---------------------------------------------------------------------------------------------------- conditions */

/* One entry of a table under a document: an operator, or a step deeper. */
static const struct expr *read_step(lua_State *L, struct where_reader *reader, const struct expr *path, struct term *term) {
    const struct op_info *op = op_test(L, -2);
    int value = lua_gettop(L);
    struct value leg;
    size_t len;
    if (op) {
        *term = (struct term){ .sort = op->op };
        return apply_json(L, reader, op, copy_of(reader, path), NULL, value);
    }
    if (lua_type(L, -2) != LUA_TSTRING)
        return where_fail(reader, "keys under a JSON attribute are its keys (texts) or operators, not %s", kind_text(L, -2));
    const char *name = lua_tolstring(L, -2, &len), *before = reader->path;
    if (!read_key(reader, name, len, &leg)) return NULL;
    *term = (struct term){ .sort = OP_COUNT, .name = leg.as.text };
    reader->path = arena_dotted(reader->arena, before, leg.as.text);
    const struct expr *expr = read_json_condition(L, reader, with_leg(reader, path, leg), NULL, value);
    reader->path = before;
    return expr;
}

static const struct expr *read_steps(lua_State *L, struct where_reader *reader, const struct expr *path, int index) {
    struct term *terms = arena_array(reader->arena, struct term, count_keys(L, index) + 1);
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const struct expr *expr = read_step(L, reader, path, &terms[count]);
        if (!expr) return NULL;
        terms[count++].expr = expr;
    }
    return all_of(reader, terms, count);
}

static const struct expr *read_under(lua_State *L, struct where_reader *reader, struct expr *path, int index) {
    const struct marker *marker = marker_test(L, index);
    if (marker && marker->kind == MARKER_OP) {
        push_operand(L, marker, index);
        const struct expr *expr = apply_json(L, reader, marker->op, path, NULL, lua_gettop(L));
        lua_pop(L, 1);
        return expr;
    }
    if (!lua_istable(L, index)) return compare(L, reader, &op_table[OP_EQ], path, index);
    if (instance_test(L, index)) return where_fail(reader, "an instance is no value: give its key%s", "");
    if (is_sequence(L, index)) return one_of(L, reader, &op_table[OP_IN], path, index);
    return read_steps(L, reader, path, index);
}

const struct expr *read_json_condition(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                       int index) {
    (void)attr;
    index = lua_absindex(L, index);
    if (!where_descend(L, reader)) return NULL;
    const struct expr *expr = read_under(L, reader, path_of(reader, left), index);
    reader->depth--;
    return expr;
}
