#define _POSIX_C_SOURCE 200809L

/* Reads where tables:
 *
 *     where     := { condition* }                          all of them
 *     condition := attribute = operand                     equality, IN for a list, IS NULL for liga.null
 *                | "association.attribute" = operand       of any depth, also written "$association.attribute$"
 *                | [Op.some | Op.every | Op.none("association")] = where
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
#include "sql/ddl.h"
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
    if (strchr(name, '.') || *name == '$') return fail(reader, "a path (\"%s\") can't be used here", name);
    if (assoc_find(reader->model, name)) return fail(reader, "\"%s\" is an association, not an attribute", name);
    unknown_attr(reader, name);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- paths */

const char *association_list(const struct model *model, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) {
        if (assoc != model->assocs) buf_adds(&buf, ", ");
        buf_adds(&buf, assoc->name);
    }
    return buf.text;
}

const struct assoc *find_assoc(struct where_reader *reader, const struct model *model, const char *name, const char *path) {
    const struct assoc *assoc = assoc_find(model, name);
    if (assoc) return assoc;
    if (attr_find(model, name)) {
        return fail(reader, "%s", arena_printf(reader->arena, "\"%s\" in \"%s\" is an attribute of %s, not an association", name,
                                               path, model->name));
    }
    struct nearest nearest = { .word = name };
    for (const struct assoc *each = model->assocs; each; each = each->next) nearest_offer(&nearest, each->name);
    const char *hint = nearest.best ? arena_printf(reader->arena, "did you mean \"%s\"?", nearest.best)
                                    : model->assocs ? arena_printf(reader->arena, "it has: %s",
                                                                   association_list(model, reader->arena)) : "it has none";
    fail(reader, "%s", arena_printf(reader->arena, "%s has no association \"%s\"%s%s%s (%s)", model->name, name,
                                    strcmp(name, path) ? " (in \"" : "", strcmp(name, path) ? path : "",
                                    strcmp(name, path) ? "\")" : "", hint));
    reader->error->model = model->name;
    return NULL;
}

/* The name without the $ of v7 around it. */
static char *bare_path(struct where_reader *reader, const char *name) {
    size_t len = strlen(name);
    if (*name != '$') return arena_text(reader->arena, name, len);
    if (len < 3 || name[len - 1] != '$') return fail(reader, "\"%s\" is no path: write \"association.attribute\"", name);
    return arena_text(reader->arena, name + 1, len - 2);
}

static struct expr *end_of_path(struct where_reader *reader, const struct model *model, const char *name, int alias,
                                const struct attr **attr) {
    const struct model *before = reader->model;
    reader->model = model;
    const struct attr *found = find_attr(reader, name);
    reader->model = before;
    if (attr) *attr = found;
    return found ? expr_column(reader->arena, found, alias) : NULL;
}

static bool names_outer(const struct where_reader *reader, const char *name) {
    const struct outer_table *outer = reader->outer;
    if (!outer) return false;
    return strcmp(name, outer->model->name) == 0 || (outer->name && strcmp(name, outer->name) == 0);
}

/* "meta.address.city" behind the associations; NULL without error: it is none. */
static struct expr *json_at_end(struct where_reader *reader, const struct model *model, const char *name, int alias,
                                const struct attr **attr) {
    const struct model *before = reader->model;
    const struct attr *found;
    reader->model = model;
    struct expr *path = read_json_name(reader, name, &found);
    reader->model = before;
    if (path) path->first->alias = alias;
    if (path && attr) *attr = found;
    return path;
}

/* Steps from association to association; what is behind the last dot is the attribute. */
static struct expr *follow_path(struct where_reader *reader, char *path, const struct attr **attr) {
    const struct path_base *base = reader->paths;
    const struct model *model = reader->model;
    const char *whole = arena_text(reader->arena, path, strlen(path));
    struct select *in = base->select;
    int alias = base->alias;
    char *dot;
    for (int steps = 1; (dot = strchr(path, '.')); path = dot + 1, steps++) {
        struct expr *json = json_at_end(reader, model, path, alias, attr);
        if (json || error_is_set(reader->error)) return json;
        *dot = '\0';
        if (steps > WHERE_DEPTH) return fail(reader, "a path of more than 64 steps%s", "");
        const struct assoc *assoc = find_assoc(reader, model, path, whole);
        if (!assoc) return NULL;
        alias = path_follow(reader->arena, base, reader->row, &in, assoc, alias);
        if (alias < 0) return fail(reader, "\"%s\" leads to several rows, which can't be used here", whole);
        model = assoc->target;
    }
    return end_of_path(reader, model, path, alias, attr);
}

struct expr *find_column(struct where_reader *reader, const char *name, const struct attr **attr) {
    const struct attr *own = attr_find(reader->model, name);
    if (attr) *attr = own;
    if (own) return expr_column(reader->arena, own, ALIAS_HERE);
    if (!strchr(name, '.') && *name != '$') {
        find_attr(reader, name);
        return NULL;
    }
    char *path = bare_path(reader, name), *dot = path ? strchr(path, '.') : NULL;
    struct expr *json = path ? json_at_end(reader, reader->model, path, ALIAS_HERE, attr) : NULL;
    if (!path || json || error_is_set(reader->error)) return json;
    if (!dot) return end_of_path(reader, reader->model, path, ALIAS_HERE, attr);
    if (reader->outer) {
        bool outer = !strchr(dot + 1, '.') && names_outer(reader, arena_text(reader->arena, path, (size_t)(dot - path)));
        if (outer) return end_of_path(reader, reader->outer->model, dot + 1, reader->outer->alias, attr);
    }
    if (!reader->paths) return fail(reader, "paths into associations (\"%s\") can't be used here", name);
    return follow_path(reader, path, attr);
}

struct expr *find_value(struct where_reader *reader, const char *name, const struct attr **attr) {
    struct expr *column = find_column(reader, name, attr);
    return column && column->kind == EXPR_JSON ? json_value(reader, column) : column;
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
    return find_value(reader, name, NULL);
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

typedef const struct expr *operand_reader(lua_State *, struct where_reader *, const struct op_info *, struct expr *,
                                          const struct attr *, int);

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

/* Where the engine compares only texts with patterns, and CITEXT without telling case apart: the column as a text. */
static struct expr *as_text(struct where_reader *reader, struct expr *left, const struct attr *attr) {
    const char *type = reader->call->db->dialect->pattern_cast;
    bool text = !attr || attr->type.id == TYPE_STRING || attr->type.id == TYPE_TEXT || attr->type.id == TYPE_CHAR;
    if (!type || text) return left;
    struct expr *cast = expr_new(reader->arena, EXPR_CAST);
    cast->text = type;
    cast->first = copy_of(reader, left);
    return cast;
}

static const struct expr *read_text(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    static const struct type text_type = { .id = TYPE_TEXT };
    struct value value;
    if (op->operand == OPERAND_TEXT && marker_test(L, index))
        return read_value(L, reader, op, as_text(reader, left, attr), NULL, index);
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) return fail(reader, "Op.%s expects a string", op->name);
    if (!read_plain(L, index, &value, reader->arena, reader->error)
        || !type_accept(&text_type, &value, reader->arena, reader->error)) return where_misfit(reader);
    bool regexp = op->op == OP_REGEXP || op->op == OP_IREGEXP || op->op == OP_NOT_REGEXP;
    const char *fault = regexp ? regexp_fault(value.as.text, value.len) : NULL;
    if (fault) return fail(reader, "no regular expression: %s", fault);
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

static operand_reader read_of_list;

/* A list for IN: its NULLs become a test of their own, because SQL's NULL equals nothing. */
static const struct expr *read_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                    const struct attr *attr, int index) {
    if (attr && attr->type.id == TYPE_ARRAY) return read_of_list(L, reader, op, left, attr, index);
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

static const struct expr *read_misplaced(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                         const struct attr *attr, int index) {
    (void)L, (void)left, (void)attr, (void)index;
    return fail(reader, "Op.%s is a condition on associated rows: it stands as a key of its own", op->name);
}

/* Op.any{1, 2}: equal to one of them; Op.all: to each. One by one, as arrays can't stand in an array. */
static const struct expr *read_of_list(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                       const struct attr *attr, int index) {
    bool all = op->op == OP_ALL || op->op == OP_NOT_IN;
    if (!lua_istable(L, index)) return fail(reader, "Op.%s expects a list", op->name);
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
    if (is_null(L, index)) return fail(reader, "Op.%s can't compare with NULL", op->name);
    if (attr && attr->type.id == TYPE_TSVECTOR && op->op == OP_MATCH) return read_match(L, reader, op, left, index);
    bool table = attr && type_is_table(&attr->type);
    bool fits = table && op->op != OP_MATCH && (op->op != OP_OVERLAP || attr->type.id != TYPE_HSTORE);
    if (!fits) return fail(reader, op->op == OP_MATCH ? "Op.%s needs a TSVECTOR attribute"
                                                      : "Op.%s needs an attribute of the type ARRAY, RANGE or JSON", op->name);
    struct expr *right = typed_param(L, reader, contained_type(L, attr, op, index), attr, index);
    return right ? expr_operator(reader->arena, op->op, copy_of(reader, left), copy_of(reader, right)) : NULL;
}

const struct expr *apply_operator(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                  const struct attr *attr, int index) {
    static operand_reader *const readers[] = {
        [OPERAND_VALUE] = read_value, [OPERAND_TEXT] = read_text, [OPERAND_PLAIN] = read_text, [OPERAND_LIST] = read_list,
        [OPERAND_PAIR] = read_pair, [OPERAND_NULLITY] = read_nullity, [OPERAND_GROUP] = read_group_of_operand,
        [OPERAND_ROWS] = read_misplaced, [OPERAND_ARRAY] = read_array,
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
    else if (!lua_istable(L, index) || is_date_table(L, attr, index) || is_table_value(L, attr, index))
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
    if (op->operand == OPERAND_ROWS)
        return fail(reader, "%s", arena_printf(reader->arena, "Op.%s needs the name of an association: [Op.%s(\"name\")] = {…}", op->name,
                                               op->name));
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
    struct expr *left = find_column(reader, name, &attr);
    if (!left) return NULL;
    term->name = arena_text(reader->arena, name, strlen(name));
    return read_on(L, reader, left, attr, term->name, index, &term->sort);
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

/* ---------------------------------------------------------------------------------------------- associated rows */

/* (condition) IS NOT TRUE: false, or unknown. */
static struct expr *not_true(struct where_reader *reader, const struct expr *condition) {
    static const char *const pieces[] = { "(", ") IS NOT TRUE" };
    struct expr *expr = expr_new(reader->arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = expr_at(reader->arena, ALIAS_HERE, condition);
    return expr;
}

/* The rows at the end of a path, of all rows on the way. */
static struct select *rows_of_path(struct where_reader *reader, char *path, const struct model **model, int *alias) {
    const struct path_base *base = reader->paths;
    const char *whole = arena_text(reader->arena, path, strlen(path));
    struct select *rows = NULL;
    *model = reader->model;
    *alias = base->alias;
    for (char *dot = path; dot; path = dot + 1) {
        dot = strchr(path, '.');
        if (dot) *dot = '\0';
        const struct assoc *assoc = find_assoc(reader, *model, path, whole);
        if (!assoc) return NULL;
        if (!rows) rows = walk_rows(reader->arena, base->next_alias, assoc, *alias, alias);
        else *alias = walk_join(reader->arena, rows, base->next_alias, JOIN_INNER, assoc, *alias)->target;
        *model = assoc->target;
        if (!dot) break;
    }
    base->select->qualified = true;
    rows->here = *alias;
    return rows;
}

/* Rows outside of the target's default scope are none. */
static void add_default_scope(lua_State *L, const struct where_reader *inner, struct select *rows) {
    struct where_reader reader = *inner;
    if (!reader.model->scoped) return;
    push_call_value(L, reader.call, CALL_DB);
    push_model(L, reader.call->db, lua_gettop(L), reader.model);
    lua_getiuservalue(L, -1, MODEL_SCOPE);
    const struct expr *where = lua_isnil(L, -1) ? NULL : read_where(L, &reader, lua_gettop(L));
    if (where) select_where(reader.arena, rows, where);
    lua_pop(L, 3);
}

/* Op.some("comments"), every, none: EXISTS over the rows, with the where at `index` over them. */
static const struct expr *read_rows(lua_State *L, struct where_reader *reader, const struct op_info *op, int marker, int index) {
    const struct model *model;
    int alias;
    if (!reader->paths) return fail(reader, "Op.%s can't be used here", op->name);
    push_argument(L, marker, 1);
    if (lua_type(L, -1) != LUA_TSTRING) return fail(reader, "Op.%s expects the name of an association", op->name);
    char *name = arena_text(reader->arena, name_at(L, -1), strlen(name_at(L, -1)));
    lua_pop(L, 1);
    const char *path = arena_printf(reader->arena, "%s.Op.%s(%s)", reader->path, op->name, name);
    struct select *rows = rows_of_path(reader, name, &model, &alias);
    if (!rows) return NULL;
    struct path_base base = { rows, reader->paths->next_alias, alias, false, false };
    struct where_reader inner = *reader;
    inner.model = model;
    inner.path = path;
    inner.paths = &base;
    inner.row = NULL;
    inner.outer = NULL;
    add_default_scope(L, &inner, rows);
    const struct expr *where = read_where(L, &inner, index);
    if (error_is_set(reader->error)) return NULL;
    reader->conditions++;
    if (where && op->op == OP_EVERY) where = not_true(reader, where);
    else if (op->op == OP_EVERY) where = expr_const(reader->arena, false);
    if (where) select_where(reader->arena, rows, where);
    struct expr *exists = expr_exists(reader->arena, rows);
    return op->op == OP_SOME ? exists : expr_not(reader->arena, exists);
}

/* The path of the association that an operator for rows names, for the order of terms. */
static const char *rows_name(lua_State *L, struct where_reader *reader, int marker) {
    push_argument(L, marker, 1);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : "";
    name = arena_text(reader->arena, name, strlen(name));
    lua_pop(L, 1);
    return name;
}

static bool is_rows_marker(const struct marker *marker) {
    return marker && marker->kind == MARKER_OP && marker->op->operand == OPERAND_ROWS;
}

/* ------------------------------------------------------------------------------------------------- whole tables */

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
    if (is_rows_marker(marker)) {
        term->sort = 15000 + (int)marker->op->op;
        term->name = rows_name(L, reader, value - 1);
        return read_rows(L, reader, marker->op, value - 1, value);
    }
    if (marker && marker->kind == MARKER_JSON) return read_json_key(L, reader, marker, value, term);
    return fail(reader, "keys are attribute names or Op.and_, Op.or_, Op.not_; %s is neither", kind_text(L, -2));
}

static bool is_path(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TSTRING) return false;
    const char *name = lua_tostring(L, index);
    return *name == '$' || strchr(name, '.');
}

struct table_reading {
    struct term *terms;
    int count, paths;
    const char **names;             /* of the paths: they are read in order, as each may join a table */
    struct expr *row;               /* terms that speak of the table's associated row */
};

/* Puts a term where it belongs: to the table's other terms, or to those of its associated row. */
static void put_term(struct where_reader *reader, struct table_reading *reading, struct term term) {
    if (!term.expr) return;
    if (!reader->row->used) {
        reading->terms[reading->count++] = term;
        return;
    }
    if (!reading->row) reading->row = expr_group(reader->arena, EXPR_AND);
    expr_push(reader->arena, reading->row, term.expr);
}

static bool read_plain_entries(lua_State *L, struct where_reader *reader, int index, struct table_reading *reading) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (is_path(L, -2)) {
            reading->names[reading->paths++] = arena_text(reader->arena, name_at(L, -2), strlen(name_at(L, -2)));
            continue;
        }
        struct term term = { 0 };
        reader->row->used = false;
        term.expr = read_entry(L, reader, &term);
        if (error_is_set(reader->error)) return false;
        put_term(reader, reading, term);
    }
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_path_entries(lua_State *L, struct where_reader *reader, int index, struct table_reading *reading) {
    if (reading->paths) qsort(reading->names, (size_t)reading->paths, sizeof *reading->names, by_name);
    for (int i = 0; i < reading->paths; i++) {
        struct term term = { 0 };
        reader->row->used = false;
        lua_pushstring(L, reading->names[i]);
        lua_rawget(L, index);
        term.expr = read_named(L, reader, reading->names[i], lua_gettop(L), &term);
        lua_pop(L, 1);
        if (error_is_set(reader->error)) return false;
        put_term(reader, reading, term);
    }
    return true;
}

static const struct expr *read_table(lua_State *L, struct where_reader *reader, int index) {
    int keys = count_keys(L, index);
    if (has_hole(L, index)) return fail(reader, "the list has a hole (a condition that is nil)%s", "");
    if (keys > WHERE_NODES) return fail(reader, "more than 10000 conditions%s", "");
    if (!keys) return NULL;
    struct table_reading reading = { .terms = arena_array(reader->arena, struct term, keys + 1),
                                     .names = arena_array(reader->arena, const char *, keys) };
    struct path_row row = { NULL, false }, *before = reader->row;
    reader->row = &row;
    bool fine = read_plain_entries(L, reader, index, &reading) && read_path_entries(L, reader, index, &reading);
    reader->row = before;
    if (!fine) return NULL;
    if (reading.row)
        reading.terms[reading.count++] = (struct term){ .sort = 40000, .expr = path_row_condition(reader->arena, reader->paths,
                                                                                                  &row,
                                                                                                  reading.row) };
    return reading.count ? all_of(reader, reading.terms, reading.count) : NULL;
}

/* SQL in parentheses. */
static const struct expr *parenthesised(struct where_reader *reader, struct expr *raw) {
    static const char *const parentheses[] = { "(", ")" };
    struct expr *wrapped = expr_new(reader->arena, EXPR_RAW);
    wrapped->pieces = parentheses;
    wrapped->first = raw;
    return wrapped;
}

/* compat = "v1": a condition as SQL, sent as it is. */
static const struct expr *read_sql_text(lua_State *L, struct where_reader *reader, int index) {
    const char *text = name_at(L, index);
    reader->conditions++;
    return parenthesised(reader, expr_text(reader->arena, arena_text(reader->arena, text, strlen(text))));
}

static const struct expr *read_marker(lua_State *L, struct where_reader *reader, const struct marker *marker, int index) {
    if (is_rows_marker(marker) && marker->count == 2) {
        push_argument(L, index, 2);
        const struct expr *rows = read_rows(L, reader, marker->op, index, lua_gettop(L));
        lua_pop(L, 1);
        return rows;
    }
    if (marker->kind == MARKER_OP) {
        push_operand(L, marker, index);
        const struct expr *expr = read_group(L, reader, marker->op, lua_gettop(L));
        lua_pop(L, 1);
        return expr;
    }
    reader->conditions++;
    if (marker->kind != MARKER_WHERE) {
        struct expr *raw = read_expression(L, reader, index);
        return raw ? parenthesised(reader, raw) : NULL;
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

/* A condition in place of a table: like a table that has only this one. */
static const struct expr *read_lone_marker(lua_State *L, struct where_reader *reader, const struct marker *marker, int index) {
    struct path_row row = { NULL, false };
    reader->row = &row;
    const struct expr *expr = read_marker(L, reader, marker, index);
    reader->row = NULL;
    return expr && row.used ? path_row_condition(reader->arena, reader->paths, &row, expr) : expr;
}

const struct expr *read_where(lua_State *L, struct where_reader *reader, int index) {
    index = lua_absindex(L, index);
    const struct marker *marker = marker_test(L, index);
    if (++reader->depth > WHERE_DEPTH) return fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 20, "where too deep");
    const struct expr *expr;
    if (marker && !reader->row && reader->paths) expr = read_lone_marker(L, reader, marker, index);
    else if (marker) expr = read_marker(L, reader, marker, index);
    else if (lua_type(L, index) == LUA_TSTRING && reader->call->db->sql_where) expr = read_sql_text(L, reader, index);
    else if (!lua_istable(L, index)) expr = fail(reader, "a table expected, got %s", kind_text(L, index));
    else if (instance_test(L, index)) expr = fail(reader, "an instance is no condition: use instance:where()%s", "");
    else expr = read_table(L, reader, index);
    reader->depth--;
    return expr;
}
