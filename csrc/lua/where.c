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
#include "lua/where_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lua/fault.h"
#include "lua/instance.h"
#include "lua/value.h"

struct where_reader where_reader(struct call *call, const struct model *model, const char *path) {
    return (struct where_reader){ .call = call, .model = model, .arena = &call->arena, .error = &call->error, .path = path };
}

/* ------------------------------------------------------------------------------------------------------- errors */

void *where_fail(struct where_reader *reader, const char *format, const char *detail) {
    const char *sentence = arena_printf(reader->arena, format, detail);
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s", reader->path, sentence);
    if (!reader->error->path) reader->error->path = reader->path;
    return NULL;
}

/* Plain values are with the error already. */
void *where_misfit(lua_State *L, struct where_reader *reader, int index) {
    struct error *error = reader->error;
    if (!error->has_value && error == &reader->call->error) keep_error_value(L, reader->call, index);
    if (!error->attribute) error->message = arena_printf(reader->arena, "%s: %s", reader->path, error->message);
    if (!error->path) error->path = reader->path;
    return NULL;
}

static bool too_many(struct where_reader *reader, int conditions) {
    if (conditions > WHERE_NODES) where_fail(reader, "more than 10,000 conditions%s", "");
    return conditions > WHERE_NODES;
}

bool where_descend(lua_State *L, struct where_reader *reader) {
    if (too_many(reader, ++reader->nodes)) return false;
    if (++reader->depth > WHERE_DEPTH) return where_fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 20, "condition too deep");
    return true;
}

/* ------------------------------------------------------------------------------------------------- lists, terms */

int list_length(lua_State *L, struct where_reader *reader, int index) {
    lua_Integer count = 0, largest = 0;
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer at = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        if (at < 1) {
            lua_pop(L, 2);
            where_fail(reader, "a list expected, but it has a key that is no index%s", "");
            return -1;
        }
        if (at > largest) largest = at;
        count++;
    }
    if (largest == count && count <= INT32_MAX / 2) return (int)count;
    where_fail(reader, "the list has a hole (a nil element; liga.null is SQL's NULL)%s", "");
    return -1;
}

static int by_sort(const void *a, const void *b) {
    const struct term *x = a, *y = b;
    if (x->sort != y->sort) return x->sort < y->sort ? -1 : 1;
    return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

static const struct expr *sorted_group(struct where_reader *reader, enum expr_kind kind, struct term *terms, int count) {
    qsort(terms, (size_t)count, sizeof *terms, by_sort);
    struct expr *group = expr_group(reader->arena, kind);
    struct expr **link = &group->first;
    for (int i = 0; i < count; i++, link = &(*link)->next) *link = expr_at(reader->arena, ALIAS_HERE, terms[i].expr);
    return group;
}

const struct expr *all_of(struct where_reader *reader, struct term *terms, int count) {
    return count == 1 ? terms[0].expr : sorted_group(reader, EXPR_AND, terms, count);
}

const struct expr *one_of_terms(struct where_reader *reader, struct term *terms, int count) {
    return sorted_group(reader, EXPR_OR, terms, count);
}

int count_keys(lua_State *L, int index) {
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
    return count;
}

void push_single(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
}

/* ------------------------------------------------------------------------------------------------- where tables */

/* Whether conditions are missing between 1 and the largest index: a nil among them would widen the result. So would one below. */
static bool has_hole(lua_State *L, int index) {
    lua_Integer count = 0, largest = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer at = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 1;
        if (at < 1) {
            lua_pop(L, 2);
            return true;
        }
        count += lua_isinteger(L, -2);
        if (lua_isinteger(L, -2) && at > largest) largest = at;
    }
    return count != largest;
}

static const struct expr *read_table(lua_State *L, struct where_reader *reader, int index);

/* An alternative without a condition is true of every row: beside it the others restrict nothing. */
struct alternatives {
    struct term *terms;
    int count, before;              /* conditions before the first */
    bool open;                      /* one of them has no condition */
};

static void add_alternative(struct where_reader *reader, struct alternatives *into, int before, int64_t sort,
                            const struct expr *child) {
    if (reader->conditions == before) into->open = true;
    into->terms[into->count++] = (struct term){ .sort = sort, .expr = child ? child : expr_const(reader->arena, true) };
    if (into->open) reader->conditions = into->before;
}

/* The alternatives of an or_ that are named keys, sorted behind those of the list part. */
static bool read_named_alternatives(lua_State *L, struct where_reader *reader, int index, struct alternatives *into) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2)) continue;
        const struct attr *attr = lua_type(L, -2) == LUA_TSTRING ? attr_find(reader->model, name_at(L, -2)) : NULL;
        const struct op_info *op = op_test(L, -2);
        push_single(L);
        int before = reader->conditions;
        const struct expr *child = read_table(L, reader, lua_gettop(L));
        lua_pop(L, 1);
        if (error_is_set(reader->error)) return false;
        add_alternative(reader, into, before, 100000 + (attr ? attr->ordinal : op ? 10000 + (int)op->op : 20000), child);
    }
    return true;
}

/* Each element of the list part is one alternative, each named key another. */
static const struct expr *read_or(lua_State *L, struct where_reader *reader, int index) {
    int keys = count_keys(L, index), length = (int)lua_rawlen(L, index);
    if (too_many(reader, keys)) return NULL;
    struct alternatives all = { arena_array(reader->arena, struct term, keys + 1), 0, reader->conditions, false };
    if (has_hole(L, index)) return where_fail(reader, "the list has a hole (a condition that is nil)%s", "");
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        int before = reader->conditions;
        const struct expr *child = read_where(L, reader, lua_gettop(L));
        lua_pop(L, 1);
        if (error_is_set(reader->error)) return NULL;
        add_alternative(reader, &all, before, i, child);
    }
    return read_named_alternatives(L, reader, index, &all) ? one_of_terms(reader, all.terms, all.count) : NULL;
}

static const struct expr *read_group(lua_State *L, struct where_reader *reader, const struct op_info *op, int index) {
    if (op->operand == OPERAND_ROWS)
        return where_fail(reader, "%s", arena_printf(reader->arena, "Op.%s needs the name of an association: "
                                                     "[Op.%s(\"name\")] = {…}", op->name, op->name));
    if (op->operand != OPERAND_GROUP) return where_fail(reader, "Op.%s needs an attribute on its left", op->name);
    if (!lua_istable(L, index) && !marker_test(L, index)) return where_fail(reader, "Op.%s expects a table", op->name);
    if (op->op == OP_OR && lua_istable(L, index)) return read_or(L, reader, index);
    const struct expr *inner = read_where(L, reader, index);
    if (error_is_set(reader->error)) return NULL;
    if (op->op == OP_NOT) return inner ? expr_not(reader->arena, expr_at(reader->arena, ALIAS_HERE, inner)) : NULL;
    return inner ? inner : expr_group(reader->arena, EXPR_AND);
}

/* Whose values the expression is compared with, or NULL. */
static const struct attr *attr_of(const struct expr *left) {
    bool known = left->kind == EXPR_COLUMN || (left->kind == EXPR_FUNCTION && !is_json_attr(left->attr));
    return known ? left->attr : NULL;
}

/* A condition on `left`; the value is at `index`. */
static const struct expr *read_on(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                  const char *name, int index, int64_t *sort) {
    const char *before = reader->path;
    reader->path = arena_dotted(reader->arena, before, name);
    const struct expr *expr = read_condition(L, reader, left, attr, index);
    if (!expr && error_is_set(reader->error) && !reader->error->path) reader->error->path = reader->path;
    reader->path = before;
    *sort = attr ? attr->ordinal : 0;
    bool empty = expr && expr->kind == EXPR_AND && !expr->first;
    if (expr && !empty) reader->conditions++;
    return expr;
}

static const struct expr *read_named(lua_State *L, struct where_reader *reader, const char *name, int index, struct term *term) {
    const struct attr *attr;
    const struct expr *aliased = find_alias(reader, name);
    struct expr *left = aliased ? copy_of(reader, aliased) : find_column(reader, name, &attr);
    if (!left) return NULL;
    if (aliased) attr = attr_of(left);
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
    return where_fail(reader, "keys are attribute names or Op.and_, Op.or_, Op.not_; %s is neither", kind_text(L, -2));
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
    if (has_hole(L, index)) return where_fail(reader, "the list has a hole (a condition that is nil)%s", "");
    if (too_many(reader, keys)) return NULL;
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

/* compat = "v1": a condition as SQL, sent as it is; an empty text is none. */
static const struct expr *read_sql_text(lua_State *L, struct where_reader *reader, int index) {
    const char *text = name_at(L, index);
    if (!text[strspn(text, " \t\r\n")]) return expr_group(reader->arena, EXPR_AND);
    reader->conditions++;
    return parenthesised(reader, expr_text(reader->arena, arena_text(reader->arena, text, strlen(text))));
}

/* `left op value`, without an operator what the value at `index` says. */
static const struct expr *read_compared(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                        const struct attr *attr, int index) {
    const struct expr *json;
    bool document = is_json_attr(attr);
    if (document || expr_is_json(left, &json)) {
        if (!document) left = copy_of(reader, json);
        return op ? apply_json(L, reader, op, left, NULL, index) : read_json_condition(L, reader, left, NULL, index);
    }
    return op ? apply_operator(L, reader, op, left, attr, index) : read_condition(L, reader, left, attr, index);
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
    if (marker->kind == MARKER_TUPLES) return read_tuples(L, reader, index);
    if (marker->kind != MARKER_WHERE) {
        struct expr *raw = read_expression(L, reader, index);
        return raw ? parenthesised(reader, raw) : NULL;
    }
    push_argument(L, index, 1);
    push_argument(L, index, 2);
    struct expr *left = read_expression(L, reader, lua_gettop(L) - 1);
    const struct expr *expr = left ? read_compared(L, reader, marker->op, left, attr_of(left), lua_gettop(L)) : NULL;
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
    if (++reader->depth > WHERE_DEPTH) return where_fail(reader, "nested deeper than 64 levels%s", "");
    luaL_checkstack(L, 20, "where too deep");
    const struct expr *expr;
    if (marker && !reader->row && reader->paths) expr = read_lone_marker(L, reader, marker, index);
    else if (marker) expr = read_marker(L, reader, marker, index);
    else if (lua_type(L, index) == LUA_TSTRING && reader->call->db->sql_where) expr = read_sql_text(L, reader, index);
    else if (lua_type(L, index) == LUA_TSTRING)
        expr = where_fail(reader, "a table expected, got a string (SQL of your own is liga.sql or liga.literal)%s", "");
    else if (!lua_istable(L, index)) expr = where_fail(reader, "a table expected, got %s", kind_text(L, index));
    else if (instance_test(L, index)) expr = where_fail(reader, "an instance is no condition: use instance:where()%s", "");
    else expr = read_table(L, reader, index);
    reader->depth--;
    return expr;
}
