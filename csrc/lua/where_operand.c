#define _POSIX_C_SOURCE 200809L

/* Conditions on one operand: a value, a list, or operators with what they take (one reader for each shape of operand). */
#include "lua/where_internal.h"

#include <string.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/regexp.h"
#include "lua/instance.h"
#include "lua/value.h"
#include "sql/ddl.h"

struct expr *copy_of(struct where_reader *reader, const struct expr *left) {
    struct expr *copy = arena_copy(reader->arena, left, sizeof *left);
    copy->next = NULL;
    return copy;
}

const struct expr *null_test(struct where_reader *reader, enum op op, struct expr *left) {
    return expr_operator(reader->arena, op, copy_of(reader, left), expr_param(reader->arena, value_null()));
}

/* True where the operator asks for greater and less, which the attribute's values have not (error set). */
static bool lacks_order(struct where_reader *reader, const struct op_info *op, const struct attr *attr) {
    if (!attr || type_has_order(&attr->type) || op->op == OP_EQ || op->op == OP_NE) return false;
    const char *type = type_text(&attr->type, reader->arena);
    where_fail(reader, "%s", arena_printf(reader->arena, "Op.%s: %s has no order", op->name, type));
    return true;
}

/* An operand that is greater or less than others. Among texts an instant of more digits stands where it is in time once they follow
 * the Z: behind 09:30:00.123Z, before 09:30:00.124Z. */
static struct expr *read_bound(lua_State *L, struct where_reader *reader, const struct attr *attr, int index) {
    struct expr *bound = read_operand(L, reader, index, attr);
    bool as_text = attr && attr->type.id == TYPE_DATE && reader->call->db->dialect->date_forms && attr->type.stored == DATE_TEXT;
    if (!bound || !as_text || bound->kind != EXPR_PARAM || bound->value.len <= DATETIME_LEN) return bound;
    enum { BEHIND = DATETIME_LEN - 1 };
    const char *text = bound->value.as.text;
    text = arena_printf(reader->arena, "%.*sZ%.*s", BEHIND, text, (int)bound->value.len - DATETIME_LEN, text + BEHIND);
    bound->value = value_text(text, strlen(text));
    return bound;
}

static const struct expr *read_value(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                     const struct attr *attr, int index) {
    bool null = is_null(L, index);
    if (null && op->op == OP_EQ) return null_test(reader, OP_IS, left);
    if (null && op->op == OP_NE) return null_test(reader, OP_IS_NOT, left);
    if (null) return where_fail(reader, "Op.%s can't compare with NULL", op->name);
    if (lacks_order(reader, op, attr)) return NULL;
    bool equality = op->op == OP_EQ || op->op == OP_NE;
    struct expr *right = equality ? read_operand(L, reader, index, attr) : read_bound(L, reader, attr, index);
    return right ? expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, right)) : NULL;
}

/* Patterns are text whatever the attribute's type; startsWith and its kin escape what they are given. */
static struct value escaped_pattern(struct where_reader *reader, enum op op, struct value plain) {
    struct buf buf;
    buf_init(&buf, reader->arena);
    if (op != OP_STARTS_WITH) buf_addc(&buf, '%');
    for (size_t i = 0; i < plain.len; i++) {
        char c = plain.as.text[i];
        if (c == '%' || c == '_' || c == '\\') buf_addc(&buf, '\\');
        buf_addc(&buf, c);
    }
    if (op != OP_ENDS_WITH) buf_addc(&buf, '%');
    return value_text(buf.text, buf.len);
}

/* What makes the text that is read of a column, where the engine would see another one; or NULL. */
static const char *pattern_text(const struct dialect *dialect, const struct type *type) {
    bool as_it_is = type_is_long_decimal(type) || (type->id == TYPE_DATE && dialect->date_forms && type->stored == DATE_TEXT);
    return as_it_is ? NULL : dialect->pattern_text[type->id];
}

/* Where the engine compares only texts with patterns, CITEXT without telling case apart and CHAR with its blanks: the column as
 * a text. */
static struct expr *as_text(struct where_reader *reader, struct expr *left, const struct attr *attr) {
    const struct dialect *dialect = reader->call->db->dialect;
    const char *type = dialect->pattern_cast, *own = attr ? pattern_text(dialect, &attr->type) : NULL;
    bool text = !attr || attr->type.id == TYPE_STRING || attr->type.id == TYPE_TEXT;
    if (own) {
        struct expr *scale = expr_param(reader->arena, value_int(type_scale(&attr->type)));
        return expr_template(reader->arena, own, copy_of(reader, left), scale);
    }
    if (!type || text) return left;
    struct expr *cast = expr_new(reader->arena, EXPR_CAST);
    cast->text = type;
    cast->first = copy_of(reader, left);
    return cast;
}

/* A backslash at the end escapes nothing: PostgreSQL refuses that, SQLite takes it for a pattern that nothing matches. */
static bool ends_with_escape(struct value pattern) {
    size_t count = 0;
    while (count < pattern.len && pattern.as.text[pattern.len - 1 - count] == '\\') count++;
    return count % 2 == 1;
}

static const struct expr *read_text(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct value value;
    if (attr && attr->type.id == TYPE_BLOB) return where_fail(reader, "Op.%s compares texts, not the bytes of a BLOB", op->name);
    if (op->operand == OPERAND_TEXT && marker_test(L, index))
        return read_value(L, reader, op, as_text(reader, left, attr), NULL, index);
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) return where_fail(reader, "Op.%s expects a string", op->name);
    if (!read_plain(L, index, &value, reader->arena, reader->error)
        || !type_accept(&text_type, &value, reader->arena, reader->error)) return where_misfit(L, reader, index);
    bool regexp = op->op == OP_REGEXP || op->op == OP_IREGEXP || op->op == OP_NOT_REGEXP;
    const char *fault = regexp ? regexp_fault(value.as.text, value.len) : NULL;
    if (fault) return where_fail(reader, "no regular expression: %s", fault);
    if (op->operand == OPERAND_TEXT && !regexp && ends_with_escape(value))
        return where_fail(reader, "the pattern of Op.%s ends with a backslash, which escapes nothing: double it", op->name);
    left = as_text(reader, left, attr);
    if (op->operand == OPERAND_PLAIN) value = escaped_pattern(reader, op->op, value);
    return expr_operator(reader->arena, op->op, copy_of(reader, left), expr_param(reader->arena, value));
}

static const struct expr *in_or_null(struct where_reader *reader, enum op op, struct expr *left, struct expr *list) {
    struct expr *group = expr_group(reader->arena, op == OP_IN ? EXPR_OR : EXPR_AND);
    if (list->value_count || op == OP_NOT_IN) expr_push(reader->arena, group, list);
    expr_push(reader->arena, group, null_test(reader, op == OP_IN ? OP_IS : OP_IS_NOT, left));
    return group;
}

static operator_reader read_of_list;

/* Op.in_(liga.literal("(SELECT …)")): what the SQL says, in its own parentheses if it has some. */
static const struct expr *in_sql(lua_State *L, struct where_reader *reader, enum op op, struct expr *left, int index) {
    struct expr *list = read_expression(L, reader, index);
    if (!list) return NULL;
    bool enclosed = list->pieces[0][strspn(list->pieces[0], " \t\r\n")] == '(';
    static const char *const texts[2][2] = { { "\1 NOT IN (\2)", "\1 NOT IN \2" }, { "\1 IN (\2)", "\1 IN \2" } };
    return expr_template(reader->arena, texts[op == OP_IN][enclosed], copy_of(reader, left), list);
}

/* A list for IN: its NULLs become a test of their own, because SQL's NULL equals nothing. */
static const struct expr *read_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    if (attr && attr->type.id == TYPE_ARRAY) return read_of_list(L, reader, op, left, attr, index);
    const struct marker *marker = marker_test(L, index);
    if (marker && (marker->kind == MARKER_LITERAL || marker->kind == MARKER_SQL)) return in_sql(L, reader, op->op, left, index);
    if (!lua_istable(L, index)) return where_fail(reader, "Op.%s expects a list", op->name);
    int length = list_length(L, reader, index), count = 0;
    if (length < 0) return NULL;
    bool null = false;
    struct value *values = arena_array(reader->arena, struct value, length + 1);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (marker_test(L, -1)) return where_fail(reader, "Op.%s takes values, no expressions", op->name);
        struct expr *value = is_null(L, -1) ? NULL : read_operand(L, reader, lua_gettop(L), attr);
        if (is_null(L, -1)) null = true;
        else if (!value) return NULL;
        else values[count++] = value->value;
        lua_pop(L, 1);
    }
    struct expr *list = expr_list(reader->arena, op->op, copy_of(reader, left), values, count);
    return null ? in_or_null(reader, op->op, left, list) : list;
}

static const struct expr *read_pair(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    if (!lua_istable(L, index) || list_length(L, reader, index) != 2)
        return where_fail(reader, "Op.%s expects two values: {from, to}", op->name);
    if (lacks_order(reader, op, attr)) return NULL;
    struct expr *bounds[2];
    for (int i = 0; i < 2; i++) {
        lua_rawgeti(L, index, i + 1);
        if (is_null(L, -1)) return where_fail(reader, "Op.%s can't compare with NULL", op->name);
        bounds[i] = read_bound(L, reader, attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!bounds[i]) return NULL;
    }
    struct expr *expr = expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, bounds[0]));
    expr->first->next->next = copy_of(reader, bounds[1]);
    return expr;
}

static const struct expr *read_nullity(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                       const struct attr *attr, int index) {
    if (is_null(L, index)) return null_test(reader, op->op, left);
    if (!lua_isboolean(L, index)) return where_fail(reader, "Op.%s expects liga.null, true or false", op->name);
    if (attr && attr->type.id != TYPE_BOOLEAN)
        return where_fail(reader, "Op.%s with true or false needs a BOOLEAN attribute", op->name);
    struct expr *right = expr_new(reader->arena, EXPR_RAW);
    const char **pieces = arena_array(reader->arena, const char *, 1);
    pieces[0] = lua_toboolean(L, index) ? "TRUE" : "FALSE";
    right->pieces = pieces;
    return expr_operator(reader->arena, op->op, copy_of(reader, left), right);
}

/* { [Op.lt] = 25, [Op.is] = liga.null } under Op.or_: each entry is an alternative by itself. */
static const struct expr *read_alternatives(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                            int index, condition_reader *read) {
    struct term *terms = arena_array(reader->arena, struct term, count_keys(L, index) + 1);
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const struct op_info *op = op_test(L, -2);
        struct term term = { .sort = op ? (int64_t)op->op : OP_COUNT };
        if (lua_isinteger(L, -2)) term.sort += lua_tointeger(L, -2);
        if (lua_type(L, -2) == LUA_TSTRING) term.name = arena_text(reader->arena, name_at(L, -2), strlen(name_at(L, -2)));
        push_single(L);
        term.expr = read(L, reader, left, attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!term.expr) return NULL;
        terms[count++] = term;
    }
    return one_of_terms(reader, terms, count);
}

/* age = { [Op.or_] = { 1, { [Op.gt] = 5 } } }, Op.not_(5) */
const struct expr *read_operand_group(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                      const struct attr *attr, int index, condition_reader *read) {
    if (op->op == OP_NOT) {
        const struct expr *condition = read(L, reader, left, attr, index);
        return condition ? expr_not(reader->arena, expr_at(reader->arena, ALIAS_HERE, condition)) : NULL;
    }
    if (!lua_istable(L, index)) return where_fail(reader, "Op.%s expects a list of conditions", op->name);
    int length = list_length(L, reader, index);
    if (length < 0) {
        error_clear(reader->error);
        return op->op == OP_OR ? read_alternatives(L, reader, left, attr, lua_absindex(L, index), read)
                               : read(L, reader, left, attr, index);
    }
    struct expr *group = expr_group(reader->arena, op->op == OP_AND ? EXPR_AND : EXPR_OR);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        const struct expr *child = read(L, reader, left, attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!child) return NULL;
        expr_push(reader->arena, group, expr_at(reader->arena, ALIAS_HERE, child));
    }
    return group;
}

static const struct expr *read_group_of_operand(lua_State *L, struct where_reader *reader, const struct op_info *op,
                                                struct expr *left, const struct attr *attr, int index) {
    return read_operand_group(L, reader, op, left, attr, index, read_condition);
}

static bool is_quantifier(const struct op_info *op) { return op && (op->op == OP_ANY || op->op == OP_ALL); }

/* The only key of a table, where it is an operator; its value is pushed then. */
static const struct op_info *push_sole_operand(lua_State *L, int index) {
    lua_pushnil(L);
    if (!lua_next(L, index)) return NULL;
    const struct op_info *op = op_test(L, -2);
    lua_pushvalue(L, -2);
    bool sole = !lua_next(L, index);
    if (!sole) lua_pop(L, 2);
    if (sole && op) lua_remove(L, -2);
    else lua_pop(L, 2);
    return sole ? op : NULL;
}

static const struct op_info *push_quantified(lua_State *L, int index) {
    const struct marker *marker = marker_test(L, index);
    if (!marker && !lua_istable(L, index)) return NULL;
    if (!marker) {
        const struct op_info *op = push_sole_operand(L, index);
        if (op && !is_quantifier(op)) lua_pop(L, 1);
        return is_quantifier(op) ? op : NULL;
    }
    if (marker->kind != MARKER_OP || !is_quantifier(marker->op)) return NULL;
    push_operand(L, marker, index);
    return marker->op;
}

bool op_of_list(lua_State *L, int index) {
    bool found = push_quantified(L, lua_absindex(L, index)) != NULL;
    if (found) lua_pop(L, 1);
    return found;
}

const struct expr *read_quantified(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                   const struct attr *attr, int index, operator_reader *apply) {
    const struct op_info *quantifier = push_quantified(L, index);
    struct expr *group = expr_group(reader->arena, quantifier->op == OP_ALL ? EXPR_AND : EXPR_OR);
    int list = lua_gettop(L), length = lua_istable(L, list) ? list_length(L, reader, list) : -1;
    if (length < 0) return where_fail(reader, "Op.%s expects a list", quantifier->name);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, list, i);
        const struct expr *child = op_of_list(L, -1) ? where_fail(reader, "Op.%s: a list in a list", quantifier->name)
                                                     : apply(L, reader, op, copy_of(reader, left), attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!child) return NULL;
        expr_push(reader->arena, group, child);
    }
    lua_pop(L, 1);
    return group;
}

static const struct expr *read_misplaced(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                         const struct attr *attr, int index) {
    (void)L, (void)left, (void)attr, (void)index;
    return where_fail(reader, "Op.%s is a condition on associated rows: it stands as a key of its own", op->name);
}

/* Op.any{1, 2}: equal to one of them; Op.all: to each. One by one, as arrays can't stand in an array. */
static const struct expr *read_of_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                       const struct attr *attr, int index) {
    bool all = op->op == OP_ALL || op->op == OP_NOT_IN;
    if (!lua_istable(L, index)) return where_fail(reader, "Op.%s expects a list", op->name);
    int length = list_length(L, reader, index);
    struct expr *group = expr_group(reader->arena, all ? EXPR_AND : EXPR_OR);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        const struct expr *child = apply_operator(L, reader, &op_table[op->op == OP_NOT_IN ? OP_NE : OP_EQ], left, attr,
                                                  lua_gettop(L));
        lua_pop(L, 1);
        if (!child) return NULL;
        expr_push(reader->arena, group, child);
    }
    return length < 0 ? NULL : group;
}

/* A parameter that says its type: @> and its kin have several, and the engine can't guess. */
static struct expr *typed_param(lua_State *L, struct where_reader *reader, const struct type *type, const struct attr *attr,
                                int index) {
    struct attr part = *attr;
    part.type = *type;
    struct expr *param = read_operand(L, reader, index, &part);
    if (!param || param->kind != EXPR_PARAM) return param;
    struct expr *cast = expr_new(reader->arena, EXPR_CAST);
    cast->text = ddl_type(reader->arena, reader->call->db->dialect, type);
    cast->first = param;
    return cast;
}

/* What a range contains is a range, or one of the values between its bounds. */
static const struct type *contained_type(lua_State *L, const struct attr *attr, const struct op_info *op, int index) {
    int type = lua_type(L, index);
    bool text = type == LUA_TSTRING && strchr("[(e", *lua_tostring(L, index));
    bool value = attr->type.id == TYPE_RANGE && op->op == OP_CONTAINS && type != LUA_TTABLE && type != LUA_TUSERDATA && !text;
    return value ? attr->type.element : &attr->type;
}

static const struct expr *read_match(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                     int index) {
    struct expr *right = read_operand(L, reader, index, NULL);
    if (!right) return NULL;
    if (!marker_test(L, index)) {
        struct expr *query = expr_new(reader->arena, EXPR_FUNCTION);
        query->text = "to_tsquery";
        query->first = right;
        right = query;
    }
    return expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, right));
}

/* contains, contained, overlap, match: what exists on PostgreSQL only. */
static const struct expr *read_array(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                     const struct attr *attr, int index) {
    if (op->op == OP_ANY && !(attr && attr->type.id == TYPE_ARRAY))
        return read_list(L, reader, &op_table[OP_IN], left, attr, index);
    if (op->op == OP_ANY || op->op == OP_ALL) return read_of_list(L, reader, op, left, attr, index);
    if (is_null(L, index)) return where_fail(reader, "Op.%s can't compare with NULL", op->name);
    if (attr && attr->type.id == TYPE_TSVECTOR && op->op == OP_MATCH) return read_match(L, reader, op, left, index);
    bool table = attr && type_is_table(&attr->type);
    bool fits = table && op->op != OP_MATCH && (op->op != OP_OVERLAP || attr->type.id != TYPE_HSTORE);
    const char *needs = op->op == OP_MATCH ? "Op.%s needs a TSVECTOR attribute"
                                           : "Op.%s needs an attribute of the type ARRAY, RANGE or JSON";
    if (!fits) return where_fail(reader, needs, op->name);
    struct expr *right = typed_param(L, reader, contained_type(L, attr, op, index), attr, index);
    return right ? expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, right)) : NULL;
}

const struct expr *apply_operator(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                  const struct attr *attr, int index) {
    static operator_reader *const readers[] = {
        [OPERAND_VALUE] = read_value, [OPERAND_TEXT] = read_text, [OPERAND_PLAIN] = read_text, [OPERAND_LIST] = read_list,
        [OPERAND_PAIR] = read_pair, [OPERAND_NULLITY] = read_nullity, [OPERAND_GROUP] = read_group_of_operand,
        [OPERAND_ROWS] = read_misplaced, [OPERAND_ARRAY] = read_array,
    };
    luaL_checkstack(L, 10, "condition too deep");
    index = lua_absindex(L, index);
    if (op->operand != OPERAND_GROUP && op_of_list(L, index))
        return read_quantified(L, reader, op, left, attr, index, apply_operator);
    return readers[op->operand](L, reader, op, left, attr, index);
}

/* Op.gte(18), Op.between(1, 2), Op.in_{1, 2} */
static const struct expr *apply_marker(lua_State *L, struct where_reader *reader, const struct marker *marker,
                                       struct expr *left, const struct attr *attr, int index) {
    push_operand(L, marker, index);
    const struct expr *expr = apply_operator(L, reader, marker->op, left, attr, lua_gettop(L));
    lua_pop(L, 1);
    return expr;
}

/* { [Op.gte] = 18, [Op.lt] = 65 } */
static const struct expr *read_operators(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                         int index) {
    struct term *terms = arena_array(reader->arena, struct term, count_keys(L, index));
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const struct op_info *op = op_test(L, -2);
        if (!op) return where_fail(reader, "a table here holds a list, or operators as keys (Op.gt …); %s is neither",
                                   lua_type(L, -2) == LUA_TSTRING ? arena_printf(reader->arena, "\"%s\"", lua_tostring(L, -2))
                                                                  : kind_text(L, -2));
        const struct expr *expr = apply_operator(L, reader, op, left, attr, lua_gettop(L));
        if (!expr) return NULL;
        terms[count++] = (struct term){ .sort = op->op, .expr = expr };
    }
    return all_of(reader, terms, count);
}

bool is_sequence(lua_State *L, int index) {
    bool sequence = true;
    for (lua_pushnil(L); sequence && lua_next(L, index); lua_pop(L, 1))
        if (!lua_isinteger(L, -2)) {
            sequence = false;
            lua_pop(L, 1);
            break;
        }
    if (!sequence) lua_pop(L, 1);
    return sequence;
}

/* A table under an ARRAY, RANGE or HSTORE is a value, unless it holds operators. */
static bool is_table_value(lua_State *L, const struct attr *attr, int index) {
    if (!attr || !type_is_table(&attr->type)) return false;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (op_test(L, -2)) {
            lua_pop(L, 2);
            return false;
        }
    return true;
}

static bool has_integer(lua_State *L, int index, const char *key) {
    push_field(L, index, key);
    bool integer = lua_isinteger(L, -1);
    lua_pop(L, 1);
    return integer;
}

/* An os.date table is a value; a time of day needs no day. */
static bool is_date_table(lua_State *L, const struct attr *attr, int index) {
    if (!attr || (attr->type.id != TYPE_DATE && attr->type.id != TYPE_DATEONLY && attr->type.id != TYPE_TIME)) return false;
    return has_integer(L, index, "year") || (attr->type.id == TYPE_TIME && has_integer(L, index, "hour"));
}

const struct expr *read_condition(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                  int index) {
    if (!where_descend(L, reader)) return NULL;
    const struct expr *expr;
    const struct marker *marker = marker_test(L, index);
    if (is_json_attr(attr)) expr = read_json_condition(L, reader, left, attr, index);
    else if (marker && marker->kind == MARKER_OP) expr = apply_marker(L, reader, marker, left, attr, index);
    else if (!lua_istable(L, index) || is_date_table(L, attr, index) || is_table_value(L, attr, index))
        expr = apply_operator(L, reader, &op_table[OP_EQ], left, attr, index);
    else if (instance_test(L, index)) expr = where_fail(reader, "an instance is no value: give its key%s", "");
    else if (is_sequence(L, index)) expr = apply_operator(L, reader, &op_table[OP_IN], left, attr, index);
    else expr = read_operators(L, reader, left, attr, index);
    reader->depth--;
    return expr;
}
