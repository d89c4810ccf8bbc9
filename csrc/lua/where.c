#define _POSIX_C_SOURCE 200809L

/* Reads where tables:
 *
 *     where     := { condition* }                          all of them
 *     condition := attribute = operand                     equality, IN for a list, IS NULL for liga.null
 *                | [Op.and_ | Op.or_ | Op.not_] = where
 *                | where                                   in the list part
 *                | sql | literal | where expression | Op.or_{…}
 *     operand   := value | list | { [Op.x] = value, … } | Op.x(value) | col | fn | literal | sql
 *
 * Raw access only (lua_next, lua_rawget): no metamethod runs. Terms are sorted by attribute, then operator: pairs has no order,
 * and equal queries must give equal text for the statement cache. */
#include "lua/where.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/regexp.h"
#include "lua/instance.h"
#include "lua/value.h"
#include "lua/where_internal.h"
#include "sql/scan.h"

struct where_reader where_reader(struct call *call, const struct model *model, const char *path) {
    return (struct where_reader){ .call = call, .model = model, .arena = &call->arena, .error = &call->error, .path = path };
}

/* ------------------------------------------------------------------------------------------------------- errors */

static void *fail(struct where_reader *reader, const char *format, const char *detail) {
    const char *sentence = arena_printf(reader->arena, format, detail);
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s", reader->path, sentence);
    if (!reader->error->path) reader->error->path = reader->path;
    return NULL;
}

void *where_fail(struct where_reader *reader, const char *format, const char *detail) {
    return fail(reader, format, detail);
}

static const char *attribute_list(const struct model *model, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    for (int i = 0; i < model->attr_count; i++) {
        if (i) buf_adds(&buf, ", ");
        buf_adds(&buf, model->attrs[i]->name);
    }
    return buf.text;
}

static void unknown_attr(struct where_reader *reader, const char *name) {
    struct nearest nearest = { .word = name };
    const struct model *model = reader->model;
    for (int i = 0; i < model->attr_count; i++) nearest_offer(&nearest, model->attrs[i]->name);
    const char *hint = nearest.best ? arena_printf(reader->arena, "did you mean \"%s\"?", nearest.best)
                                    : arena_printf(reader->arena, "it has: %s", attribute_list(model, reader->arena));
    const char *where = reader->path;
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s has no attribute \"%s\" (%s)", where, model->name, name, hint);
    reader->error->path = arena_printf(reader->arena, "%s.%s", where, name);
    reader->error->model = model->name;
    reader->error->attribute = arena_text(reader->arena, name, strlen(name));
}

const struct attr *find_attr(struct where_reader *reader, const char *name) {
    const struct attr *attr = attr_find(reader->model, name);
    if (attr) return attr;
    if (strchr(name, '.') || *name == '$') return fail(reader, "paths into associations (\"%s\") are not available yet", name);
    if (assoc_find(reader->model, name)) return fail(reader, "\"%s\" is an association, not an attribute", name);
    unknown_attr(reader, name);
    return NULL;
}

int list_length(lua_State *L, struct where_reader *reader, int index) {
    lua_Integer count = 0, largest = 0;
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer at = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (at < 1) {
            lua_pop(L, 2);
            fail(reader, "a list expected, but it has a key that is no index%s", "");
            return -1;
        }
        if (at > largest) largest = at;
        count++;
    }
    if (largest == count && count <= INT32_MAX / 2) return (int)count;
    fail(reader, "the list has a hole (a nil element; liga.null is SQL's NULL)%s", "");
    return -1;
}

/* -------------------------------------------------------------------------------------------------- expressions */

static struct expr *param_of(struct where_reader *reader, const struct attr *attr, struct value value) {
    if (attr) type_store(&attr->type, &value, reader->arena);
    return expr_param(reader->arena, value);
}

/* A value was refused: where it stands, if the message does not say it by naming the attribute. */
void *where_misfit(struct where_reader *reader) {
    struct error *error = reader->error;
    if (!error->attribute) error->message = arena_printf(reader->arena, "%s: %s", reader->path, error->message);
    if (!error->path) error->path = reader->path;
    return NULL;
}

/* A value or an expression as an operand; `attr` gives the type, NULL: none. */
static struct expr *read_operand(lua_State *L, struct where_reader *reader, int index, const struct attr *attr) {
    if (marker_test(L, index)) return read_expression(L, reader, index);
    struct value value;
    bool fine = attr ? read_attr_value(L, index, attr, &value, reader->arena, reader->error)
                     : read_plain(L, index, &value, reader->arena, reader->error);
    if (fine) return param_of(reader, attr, value);
    return where_misfit(reader);
}

/* Pushes argument `at` (from 1) of the marker at `index`. */
void push_argument(lua_State *L, int index, int at) {
    lua_getiuservalue(L, index, MARKER_ARGUMENTS);
    lua_rawgeti(L, -1, at);
    lua_remove(L, -2);
}

const char *read_marker_text(lua_State *L, struct where_reader *reader, int index) {
    lua_getiuservalue(L, index, MARKER_TEXT);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    text = arena_text(reader->arena, text ? text : "", text ? len : 0);
    lua_pop(L, 1);
    return text;
}

static bool read_arguments(lua_State *L, struct where_reader *reader, int index, const struct marker *marker,
                           struct expr *into) {
    struct expr **link = &into->first;
    for (int i = 1; i <= marker->count; i++) {
        push_argument(L, index, i);
        struct expr *argument = read_operand(L, reader, lua_gettop(L), NULL);
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
    const struct attr *attr;
    struct expr *path = read_json_name(reader, name, &attr);
    if (path) return json_value(reader, path);
    if (error_is_set(reader->error)) return NULL;
    attr = find_attr(reader, name);
    return attr ? expr_column(reader->arena, attr, ALIAS_HERE) : NULL;
}

/* Cuts the text at its ? marks, found by the lexer. */
static const char *const *split_at_marks(struct where_reader *reader, const char *text, int *marks) {
    struct sql_scan scan = { .text = text, .len = strlen(text), .dollar_quotes = reader->call->db->dialect->mark == MARK_DOLLAR };
    const char **pieces = arena_array(reader->arena, const char *, scan.len + 2);
    size_t piece = 0;
    *marks = 0;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;) {
        if (token == SQL_UNFINISHED) return fail(reader, "liga.sql: a string, name or comment does not end%s", "");
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
        return fail(reader, "liga.sql: %s", arena_printf(reader->arena, "%d marks (?) but %d values", marks, marker->count));
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
    return read_call(L, reader, index, marker, EXPR_FUNCTION);
}

static struct expr *read_cast(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    return read_call(L, reader, index, marker, EXPR_CAST);
}

static struct expr *read_json_value(lua_State *L, struct where_reader *reader, int index, const struct marker *marker) {
    struct expr *path = read_json_marker(L, reader, index, marker);
    return path ? json_value(reader, path) : NULL;
}

struct expr *read_expression(lua_State *L, struct where_reader *reader, int index) {
    typedef struct expr *read(lua_State *, struct where_reader *, int, const struct marker *);
    static read *const readers[] = {
        [MARKER_FN] = read_fn, [MARKER_COL] = read_col, [MARKER_CAST] = read_cast, [MARKER_LITERAL] = read_literal,
        [MARKER_SQL] = read_sql, [MARKER_WHERE] = NULL, [MARKER_OP] = NULL, [MARKER_JSON] = read_json_value,
    };
    index = lua_absindex(L, index);
    const struct marker *marker = marker_test(L, index);
    if (!marker || !readers[marker->kind])
        return fail(reader, "liga.fn, col, cast, literal or sql expected, got %s", marker ? "a condition" : kind_text(L, index));
    if (++reader->depth > WHERE_DEPTH) return fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 10, "expression too deep");
    struct expr *expr = readers[marker->kind](L, reader, index, marker);
    reader->depth--;
    return expr;
}

/* ------------------------------------------------------------------------------------- conditions on one operand */

static const struct expr *read_condition(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                         int index);

struct expr *copy_of(struct where_reader *reader, const struct expr *left) {
    struct expr *copy = arena_copy(reader->arena, left, sizeof *left);
    copy->next = NULL;
    return copy;
}

const struct expr *null_test(struct where_reader *reader, enum op op, struct expr *left) {
    return expr_operator(reader->arena, op, copy_of(reader, left), expr_param(reader->arena, value_null()));
}

static const struct expr *read_value(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                     const struct attr *attr, int index) {
    bool null = is_null(L, index);
    if (null && op->op == OP_EQ) return null_test(reader, OP_IS, left);
    if (null && op->op == OP_NE) return null_test(reader, OP_IS_NOT, left);
    if (null) return fail(reader, "Op.%s can't compare with NULL", op->name);
    struct expr *right = read_operand(L, reader, index, attr);
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

static const struct expr *read_text(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct value value;
    (void)attr;
    if (op->operand == OPERAND_TEXT && marker_test(L, index)) return read_value(L, reader, op, left, NULL, index);
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) return fail(reader, "Op.%s expects a string", op->name);
    if (!read_plain(L, index, &value, reader->arena, reader->error)
        || !type_accept(&text_type, &value, reader->arena, reader->error)) return where_misfit(reader);
    bool regexp = op->op == OP_REGEXP || op->op == OP_IREGEXP || op->op == OP_NOT_REGEXP;
    const char *fault = regexp ? regexp_fault(value.as.text, value.len) : NULL;
    if (fault) return fail(reader, "no regular expression: %s", fault);
    if (op->operand == OPERAND_PLAIN) value = escaped_pattern(reader, op->op, value);
    return expr_operator(reader->arena, op->op, copy_of(reader, left), expr_param(reader->arena, value));
}

static const struct expr *in_or_null(struct where_reader *reader, enum op op, struct expr *left, struct expr *list) {
    struct expr *group = expr_group(reader->arena, op == OP_IN ? EXPR_OR : EXPR_AND);
    if (list->value_count || op == OP_NOT_IN) expr_push(reader->arena, group, list);
    expr_push(reader->arena, group, null_test(reader, op == OP_IN ? OP_IS : OP_IS_NOT, left));
    return group;
}

/* A list for IN: its NULLs become a test of their own, because SQL's NULL equals nothing. */
static const struct expr *read_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    if (!lua_istable(L, index)) return fail(reader, "Op.%s expects a list", op->name);
    int length = list_length(L, reader, index), count = 0;
    if (length < 0) return NULL;
    bool null = false;
    struct value *values = arena_array(reader->arena, struct value, length + 1);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (marker_test(L, -1)) return fail(reader, "Op.%s takes values, no expressions", op->name);
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
        return fail(reader, "Op.%s expects two values: {from, to}", op->name);
    struct expr *bounds[2];
    for (int i = 0; i < 2; i++) {
        lua_rawgeti(L, index, i + 1);
        if (is_null(L, -1)) return fail(reader, "Op.%s can't compare with NULL", op->name);
        bounds[i] = read_operand(L, reader, lua_gettop(L), attr);
        lua_pop(L, 1);
        if (!bounds[i]) return NULL;
    }
    struct expr *expr = expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, bounds[0]));
    expr->first->next->next = copy_of(reader, bounds[1]);
    return expr;
}

static const struct expr *read_nullity(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                       const struct attr *attr, int index) {
    (void)attr;
    if (is_null(L, index)) return null_test(reader, op->op, left);
    if (!lua_isboolean(L, index)) return fail(reader, "Op.%s expects liga.null, true or false", op->name);
    struct expr *right = expr_new(reader->arena, EXPR_RAW);
    const char **pieces = arena_array(reader->arena, const char *, 1);
    pieces[0] = lua_toboolean(L, index) ? "TRUE" : "FALSE";
    right->pieces = pieces;
    return expr_operator(reader->arena, op->op, copy_of(reader, left), right);
}

/* age = { [Op.or_] = { 1, { [Op.gt] = 5 } } }, Op.not_(5) */
const struct expr *read_operand_group(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                      const struct attr *attr, int index, condition_reader *read) {
    if (op->op == OP_NOT) {
        const struct expr *condition = read(L, reader, left, attr, index);
        return condition ? expr_not(reader->arena, expr_at(reader->arena, ALIAS_HERE, condition)) : NULL;
    }
    if (!lua_istable(L, index)) return fail(reader, "Op.%s expects a list of conditions", op->name);
    int length = list_length(L, reader, index);
    if (length < 0) {
        error_clear(reader->error);
        return read(L, reader, left, attr, index);
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

bool op_of_list(lua_State *L, int index) {
    const struct marker *marker = marker_test(L, index);
    return marker && marker->kind == MARKER_OP && (marker->op->op == OP_ANY || marker->op->op == OP_ALL);
}

const struct expr *read_quantified(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                   const struct attr *attr, int index, operator_reader *apply) {
    const struct marker *marker = marker_test(L, index);
    struct expr *group = expr_group(reader->arena, marker->op->op == OP_ALL ? EXPR_AND : EXPR_OR);
    push_operand(L, marker, index);
    int list = lua_gettop(L), length = lua_istable(L, list) ? list_length(L, reader, list) : -1;
    if (length < 0) return fail(reader, "Op.%s expects a list", marker->op->name);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, list, i);
        const struct expr *child = op_of_list(L, -1) ? fail(reader, "Op.%s: a list in a list", marker->op->name)
                                                     : apply(L, reader, op, copy_of(reader, left), attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!child) return NULL;
        expr_push(reader->arena, group, child);
    }
    lua_pop(L, 1);
    return group;
}

static const struct expr *read_rows(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    (void)L, (void)left, (void)attr, (void)index;
    return fail(reader, "Op.%s is not available yet", op->name);
}

/* Op.any{1, 2}: equal to one of them; Op.all: to each. */
static const struct expr *read_of_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                       const struct attr *attr, int index) {
    if (op->op == OP_ANY) return read_list(L, reader, &op_table[OP_IN], left, attr, index);
    if (!lua_istable(L, index)) return fail(reader, "Op.%s expects a list", op->name);
    int length = list_length(L, reader, index);
    struct expr *group = expr_group(reader->arena, EXPR_AND);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        const struct expr *child = apply_operator(L, reader, &op_table[OP_EQ], left, attr, lua_gettop(L));
        lua_pop(L, 1);
        if (!child) return NULL;
        expr_push(reader->arena, group, child);
    }
    return length < 0 ? NULL : group;
}

static const struct expr *read_array(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                     const struct attr *attr, int index) {
    if (op->op == OP_ANY || op->op == OP_ALL) return read_of_list(L, reader, op, left, attr, index);
    return fail(reader, "Op.%s needs a JSON attribute", op->name);
}

typedef const struct expr *operand_reader(lua_State *, struct where_reader *, const struct op_info *, struct expr *,
                                          const struct attr *, int);

const struct expr *apply_operator(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                  const struct attr *attr, int index) {
    static operand_reader *const readers[] = {
        [OPERAND_VALUE] = read_value, [OPERAND_TEXT] = read_text, [OPERAND_PLAIN] = read_text, [OPERAND_LIST] = read_list,
        [OPERAND_PAIR] = read_pair, [OPERAND_NULLITY] = read_nullity, [OPERAND_GROUP] = read_group_of_operand,
        [OPERAND_ROWS] = read_rows, [OPERAND_ARRAY] = read_array,
    };
    luaL_checkstack(L, 10, "condition too deep");
    index = lua_absindex(L, index);
    if (op_of_list(L, index)) return read_quantified(L, reader, op, left, attr, index, apply_operator);
    return readers[op->operand](L, reader, op, left, attr, index);
}

void push_operand(lua_State *L, const struct marker *marker, int index) {
    if (marker->count == 1) push_argument(L, index, 1);
    else lua_getiuservalue(L, index, MARKER_ARGUMENTS);
}

/* Op.gte(18), Op.between(1, 2), Op.in_{1, 2} */
static const struct expr *apply_marker(lua_State *L, struct where_reader *reader, const struct marker *marker,
                                       struct expr *left, const struct attr *attr, int index) {
    push_operand(L, marker, index);
    const struct expr *expr = apply_operator(L, reader, marker->op, left, attr, lua_gettop(L));
    lua_pop(L, 1);
    return expr;
}

static int by_sort(const void *a, const void *b) {
    const struct term *x = a, *y = b;
    if (x->sort != y->sort) return x->sort < y->sort ? -1 : 1;
    return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

const struct expr *all_of(struct where_reader *reader, struct term *terms, int count) {
    if (count == 1) return terms[0].expr;
    qsort(terms, (size_t)count, sizeof *terms, by_sort);
    struct expr *group = expr_group(reader->arena, EXPR_AND);
    struct expr **link = &group->first;
    for (int i = 0; i < count; i++, link = &(*link)->next) *link = expr_at(reader->arena, ALIAS_HERE, terms[i].expr);
    return group;
}

int count_keys(lua_State *L, int index) {
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
    return count;
}

/* { [Op.gte] = 18, [Op.lt] = 65 } */
static const struct expr *read_operators(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                         int index) {
    struct term *terms = arena_array(reader->arena, struct term, count_keys(L, index));
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const struct op_info *op = op_test(L, -2);
        if (!op) return fail(reader, "a table here holds a list, or operators as keys (Op.gt …); %s is neither",
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

/* An os.date table is a value. */
static bool is_date_table(lua_State *L, const struct attr *attr, int index) {
    if (!attr || (attr->type.id != TYPE_DATE && attr->type.id != TYPE_DATEONLY && attr->type.id != TYPE_TIME)) return false;
    lua_pushliteral(L, "year");
    lua_rawget(L, index);
    bool year = lua_isinteger(L, -1);
    lua_pop(L, 1);
    return year;
}

bool where_descend(lua_State *L, struct where_reader *reader) {
    if (++reader->depth > WHERE_DEPTH) return fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 20, "condition too deep");
    return true;
}

static const struct expr *read_condition(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                         int index) {
    if (!where_descend(L, reader)) return NULL;
    const struct expr *expr;
    const struct marker *marker = marker_test(L, index);
    if (is_json_attr(attr)) expr = read_json_condition(L, reader, left, attr, index);
    else if (marker && marker->kind == MARKER_OP) expr = apply_marker(L, reader, marker, left, attr, index);
    else if (!lua_istable(L, index) || is_date_table(L, attr, index))
        expr = apply_operator(L, reader, &op_table[OP_EQ], left, attr, index);
    else if (instance_test(L, index)) expr = fail(reader, "an instance is no value: give its key%s", "");
    else if (is_sequence(L, index)) expr = apply_operator(L, reader, &op_table[OP_IN], left, attr, index);
    else expr = read_operators(L, reader, left, attr, index);
    reader->depth--;
    return expr;
}

/* ------------------------------------------------------------------------------------------------- where tables */

/* Whether conditions are missing between 1 and the largest index: a nil among them would widen the result. */
static bool has_hole(lua_State *L, int index) {
    lua_Integer count = 0, largest = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (!lua_isinteger(L, -2)) continue;
        count++;
        if (lua_tointeger(L, -2) > largest) largest = lua_tointeger(L, -2);
    }
    return count != largest;
}

static const struct expr *read_table(lua_State *L, struct where_reader *reader, int index);

/* {[key] = value} on the stack, of the key and value at -2 and -1. */
static void push_single(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
}

/* The alternatives of an or_ that are named keys, sorted behind those of the list part. */
static bool read_named_alternatives(lua_State *L, struct where_reader *reader, int index, struct term *terms, int *count) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2)) continue;
        const struct attr *attr = lua_type(L, -2) == LUA_TSTRING ? attr_find(reader->model, name_at(L, -2)) : NULL;
        const struct op_info *op = op_test(L, -2);
        push_single(L);
        const struct expr *child = read_table(L, reader, lua_gettop(L));
        lua_pop(L, 1);
        if (error_is_set(reader->error)) return false;
        int64_t sort = 100000 + (attr ? attr->ordinal : op ? 10000 + (int)op->op : 20000);
        terms[(*count)++] = (struct term){ .sort = sort, .expr = child ? child : expr_const(reader->arena, true) };
    }
    return true;
}

/* Each element of the list part is one alternative, each named key another. */
static const struct expr *read_or(lua_State *L, struct where_reader *reader, int index) {
    struct term *terms = arena_array(reader->arena, struct term, count_keys(L, index) + 1);
    int count = 0, length = (int)lua_rawlen(L, index);
    if (has_hole(L, index)) return fail(reader, "the list has a hole (a condition that is nil)%s", "");
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        const struct expr *child = read_where(L, reader, lua_gettop(L));
        lua_pop(L, 1);
        if (error_is_set(reader->error)) return NULL;
        terms[count++] = (struct term){ .sort = i, .expr = child ? child : expr_const(reader->arena, true) };
    }
    if (!read_named_alternatives(L, reader, index, terms, &count)) return NULL;
    qsort(terms, (size_t)count, sizeof *terms, by_sort);
    struct expr *group = expr_group(reader->arena, EXPR_OR);
    struct expr **link = &group->first;
    for (int i = 0; i < count; i++, link = &(*link)->next) *link = expr_at(reader->arena, ALIAS_HERE, terms[i].expr);
    return group;
}

static const struct expr *read_group(lua_State *L, struct where_reader *reader, const struct op_info *op, int index) {
    if (op->operand == OPERAND_ROWS) return fail(reader, "Op.%s is not available yet", op->name);
    if (op->operand != OPERAND_GROUP) return fail(reader, "Op.%s needs an attribute on its left", op->name);
    if (!lua_istable(L, index) && !marker_test(L, index)) return fail(reader, "Op.%s expects a table", op->name);
    if (op->op == OP_OR && lua_istable(L, index)) return read_or(L, reader, index);
    const struct expr *inner = read_where(L, reader, index);
    if (error_is_set(reader->error)) return NULL;
    if (op->op == OP_NOT) return inner ? expr_not(reader->arena, expr_at(reader->arena, ALIAS_HERE, inner)) : NULL;
    return inner ? inner : expr_group(reader->arena, EXPR_AND);
}

/* A condition on `left`; the value is at `index`. */
static const struct expr *read_on(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                  const char *name, int index, int64_t *sort) {
    const char *before = reader->path;
    reader->path = arena_printf(reader->arena, "%s.%s", before, name);
    const struct expr *expr = read_condition(L, reader, left, attr, index);
    if (!expr && error_is_set(reader->error) && !reader->error->path) reader->error->path = reader->path;
    reader->path = before;
    *sort = attr->ordinal;
    if (expr) reader->conditions++;
    return expr;
}

static const struct expr *read_named(lua_State *L, struct where_reader *reader, const char *name, int index, struct term *term) {
    const struct attr *attr;
    struct expr *left = read_json_name(reader, name, &attr);
    if (!left && error_is_set(reader->error)) return NULL;
    if (!left) attr = find_attr(reader, name);
    if (!attr) return NULL;
    if (left) term->name = arena_text(reader->arena, name, strlen(name));
    if (!left) left = expr_column(reader->arena, attr, ALIAS_HERE);
    return read_on(L, reader, left, attr, left->kind == EXPR_JSON ? term->name : attr->name, index, &term->sort);
}

/* [liga.json("meta", "a.b")] = value */
static const struct expr *read_json_key(lua_State *L, struct where_reader *reader, const struct marker *marker, int index,
                                        struct term *term) {
    struct expr *left = read_json_marker(L, reader, index - 1, marker);
    if (!left) return NULL;
    struct buf name;
    buf_init(&name, reader->arena);
    buf_adds(&name, left->first->attr->name);
    for (int i = 0; i < left->value_count; i++) {
        buf_addc(&name, '.');
        if (left->values[i].kind == VALUE_INT) buf_addi(&name, left->values[i].as.integer + 1);
        else buf_add(&name, left->values[i].as.text, left->values[i].len);
    }
    term->name = name.text;
    return read_on(L, reader, left, left->first->attr, name.text, index, &term->sort);
}

/* One key of a where table: -2 the key, -1 the value. NULL without error: no condition. */
static const struct expr *read_entry(lua_State *L, struct where_reader *reader, struct term *term) {
    const struct op_info *op = op_test(L, -2);
    int value = lua_gettop(L);
    if (op) {
        term->sort = 10000 + (int)op->op;
        return read_group(L, reader, op, value);
    }
    if (lua_isinteger(L, -2)) {
        term->sort = 20000 + lua_tointeger(L, -2);
        return read_where(L, reader, value);
    }
    if (lua_type(L, -2) == LUA_TSTRING) return read_named(L, reader, name_at(L, -2), value, term);
    const struct marker *marker = marker_test(L, -2);
    if (marker && marker->kind == MARKER_JSON) return read_json_key(L, reader, marker, value, term);
    if (marker && marker->op && marker->op->operand == OPERAND_ROWS)
        return fail(reader, "Op.%s is not available yet", marker->op->name);
    return fail(reader, "keys are attribute names or Op.and_, Op.or_, Op.not_; %s is neither", kind_text(L, -2));
}

static const struct expr *read_table(lua_State *L, struct where_reader *reader, int index) {
    int keys = count_keys(L, index), count = 0;
    if (has_hole(L, index)) return fail(reader, "the list has a hole (a condition that is nil)%s", "");
    if (keys > WHERE_NODES) return fail(reader, "more than 10000 conditions%s", "");
    if (!keys) return NULL;
    struct term *terms = arena_array(reader->arena, struct term, keys);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        struct term term = { 0 };
        term.expr = read_entry(L, reader, &term);
        if (error_is_set(reader->error)) return NULL;
        if (term.expr) terms[count++] = term;
    }
    return count ? all_of(reader, terms, count) : NULL;
}

static const struct expr *read_marker(lua_State *L, struct where_reader *reader, const struct marker *marker, int index) {
    if (marker->kind == MARKER_OP) {
        push_operand(L, marker, index);
        const struct expr *expr = read_group(L, reader, marker->op, lua_gettop(L));
        lua_pop(L, 1);
        return expr;
    }
    reader->conditions++;
    if (marker->kind != MARKER_WHERE) {
        struct expr *raw = read_expression(L, reader, index);
        if (!raw) return NULL;
        struct expr *wrapped = expr_new(reader->arena, EXPR_RAW);
        static const char *const parentheses[] = { "(", ")" };
        wrapped->pieces = parentheses;
        wrapped->first = raw;
        return wrapped;
    }
    push_argument(L, index, 1);
    push_argument(L, index, 2);
    struct expr *left = read_expression(L, reader, lua_gettop(L) - 1);
    const struct attr *attr = left && left->kind == EXPR_COLUMN ? left->attr : NULL;
    const struct expr *json, *expr;
    if (left && (expr_is_json(left, &json) || is_json_attr(attr)))
        expr = apply_json(L, reader, marker->op, is_json_attr(attr) ? left : copy_of(reader, json), NULL, lua_gettop(L));
    else expr = left ? apply_operator(L, reader, marker->op, left, attr, lua_gettop(L)) : NULL;
    lua_pop(L, 2);
    return expr;
}

const struct expr *read_where(lua_State *L, struct where_reader *reader, int index) {
    index = lua_absindex(L, index);
    const struct marker *marker = marker_test(L, index);
    if (++reader->depth > WHERE_DEPTH) return fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 20, "where too deep");
    const struct expr *expr;
    if (marker) expr = read_marker(L, reader, marker, index);
    else if (!lua_istable(L, index)) expr = fail(reader, "a table expected, got %s", kind_text(L, index));
    else if (instance_test(L, index)) expr = fail(reader, "an instance is no condition: use instance:where()%s", "");
    else expr = read_table(L, reader, index);
    reader->depth--;
    return expr;
}
