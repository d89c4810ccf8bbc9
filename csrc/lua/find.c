/* findAll, findOne, findByPk, exists. */
#include "lua/find.h"

#include <string.h>

#include "base/buf.h"
#include "lua/hydrate.h"
#include "lua/instance.h"
#include "lua/value.h"

/* ---------------------------------------------------------------------------------------------------- finders */

int find_results(lua_State *L, struct call *call) {
    const struct find *find = call->data;
    push_call_value(L, call, CALL_RESULT);
    bool empty = lua_isnil(L, -1) || (!call->plan->one && lua_rawlen(L, -1) == 0);
    if (!empty || !find->reject_on_empty) return 1;
    return call_fail(L, call, ERROR_EMPTY_RESULT, "%s: no row matches", call->model->name);
}

struct find *start_find(lua_State *L, struct call **call) {
    *call = call_open_class(L, 1);
    return find_new(*call, (*call)->model);
}

static int run_find(lua_State *L, struct call *call) {
    if (error_is_set(&call->error)) return call_raise(L, call);
    hydrate_plan(L, call);
    call->results = find_results;
    return call_run(L, call);
}

/* Whether a condition gives an attribute that is a key: it leaves one row at most. */
static bool gives_unique(const struct expr *where, const struct model *model) {
    if (where->kind != EXPR_OPERATOR || where->op != OP_EQ || where->first->kind != EXPR_COLUMN) return false;
    const struct expr *column = where->first;
    const struct attr *attr = column->attr;
    bool own = attr->model == model && column->alias <= 0 && column->next->kind == EXPR_PARAM;
    return own && (attr->unique || (attr->primary && model->key.count == 1));
}

static bool leaves_one(const struct expr *where, const struct model *model) {
    while (where && where->kind == EXPR_AT) where = where->first;
    if (!where || where->kind != EXPR_AND) return where && gives_unique(where, model);
    for (const struct expr *child = where->first; child; child = child->next)
        if (leaves_one(child, model)) return true;
    return false;
}

/* Which rows a limit leaves is the same on every engine: without an order of its own the key decides. */
void order_limited(struct find *find) {
    struct select *select = find->plan->select;
    const struct model *model = model_of(find);
    const struct plan_node *root = &find->plan->nodes[0];
    bool limited = select->limit > 0 || select->offset > 0;
    if (!limited || select->order || select->group || select->distinct || leaves_one(select->where, model)) return;
    for (int i = root->first; i < root->first + root->count; i++)
        if (!find->plan->columns[i].tracked) return;        /* perhaps an aggregate */
    plan_order_by_key(find->where.arena, select, model, 0);
}

static int find_all(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_PLAIN);
    find_columns(L, find);
    order_limited(find);
    return run_find(L, call);
}

static enum drive take_total(lua_State *L, struct call *call) {
    struct find *find = call->data;
    enum drive drive;
    (void)L;
    for (; (drive = call_step(call)) == DRIVE_ROW; call->rows++)
        find->total = call->cursor->cells[0].as.integer;
    return drive;
}

static int find_and_count_results(lua_State *L, struct call *call) {
    const struct find *find = call->data;
    find_results(L, call);
    lua_pushinteger(L, find->total);
    return 2;
}

/* core.find_and_count(class, options, options of the count, which is not grouped) → list, number of rows */
static int find_and_count(lua_State *L) {
    struct call *call;
    lua_settop(L, 3);
    struct find *find = start_find(L, &call);
    if (read_find(L, find, 2, FIND_PLAIN)) find_columns(L, find);
    if (error_is_set(&call->error)) return call_raise(L, call);
    order_limited(find);
    struct find *counted = find_new(call, call->model);
    if (read_find(L, counted, 3, FIND_COUNT)) find_filters(L, counted);
    if (!plan_rows_count(counted)) return call_raise(L, call);
    call->data = find;
    call->plan = find->plan;
    hydrate_plan(L, call);
    hydrate_behind(call, counted->plan->select, take_total);
    call->results = find_and_count_results;
    return call_run(L, call);
}

static int find_one(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_PLAIN);
    find_columns(L, find);
    find->plan->one = true;
    if (find->plan->select->limit != 0) find->plan->select->limit = 1;
    order_limited(find);
    return run_find(L, call);
}

static const char *key_parts(struct call *call, struct attr_list attrs) {
    struct buf buf;
    buf_init(&buf, &call->arena);
    for (int k = 0; k < attrs.count; k++) {
        if (k) buf_adds(&buf, ", ");
        buf_adds(&buf, attrs.items[k]->name);
    }
    return buf.text;
}

/* A key: one value, or a list in the key's order, or a table by attribute name. False: error set. */
bool read_key_argument(lua_State *L, struct call *call, const struct model *model, int index, struct value *key) {
    struct attr_list attrs = model->key;
    const char *expected = attrs.count == 1 ? "a key" : "a key table with every part";
    if (!attrs.count) {
        call_fail(L, call, ERROR_INSTANCE, "%s has no primary key", model->name);
        return false;
    }
    bool table = lua_istable(L, index);
    if (is_null(L, index) || (!table && attrs.count > 1))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: %s expected, got %s", model->name, expected,
                         kind_text(L, index));
    if (!table) return read_attr_value(L, index, attrs.items[0], &key[0], &call->arena, &call->error);
    if (instance_test(L, index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: an instance is no key: give instance:where()", model->name);
    int given = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) given++;
    bool list = lua_rawlen(L, index) > 0;
    for (int k = 0; k < attrs.count; k++) {
        if (list) lua_rawgeti(L, index, k + 1);
        else lua_pushstring(L, attrs.items[k]->name), lua_rawget(L, index);
        bool missing = is_null(L, -1);
        bool fine = !missing && read_attr_value(L, lua_gettop(L), attrs.items[k], &key[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (missing || given != attrs.count)
            return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: the key needs exactly its parts: %s", model->name,
                             key_parts(call, attrs));
        if (!fine) return false;
    }
    return true;
}

static int find_by_pk(lua_State *L) {
    struct call *call;
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    lua_settop(L, 3);
    struct find *find = start_find(L, &call);
    struct value key[KEY_PARTS];
    if (read_key_argument(L, call, call->model, 2, key) && read_find(L, find, 3, FIND_PLAIN)) {
        find_columns(L, find);
        select_where(&call->arena, find->plan->select, keys_are(&call->arena, call->model->key, key));
        find->plan->one = true;
    }
    return run_find(L, call);
}

static int exists_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    lua_pushboolean(L, !lua_isnil(L, -1));
    lua_remove(L, -2);
    return 1;
}

static int exists(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    if (read_find(L, find, 2, FIND_PLAIN)) find_filters(L, find);
    if (error_is_set(&call->error)) return call_raise(L, call);
    struct plan *plan = find->plan;
    if (!find->attributes_given) plan_expression(&call->arena, plan, expr_text(&call->arena, "1"), "found", NULL);
    plan->select->order = NULL;
    plan->select->limit = plan->select->limit == 0 ? 0 : 1;
    plan->raw = plan->one = true;
    hydrate_plan(L, call);
    call->results = exists_results;
    return call_run(L, call);
}

static void put_key_part(struct buf *buf, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: break;
    case VALUE_BOOL: buf_addc(buf, value.as.boolean ? '1' : '0'); break;
    case VALUE_INT:  buf_addi(buf, value.as.integer); break;
    case VALUE_REAL: buf_addf(buf, "%.17g", value.as.real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: buf_addf(buf, "%zu:", value.len); buf_add(buf, value.as.text, value.len); break;
    case VALUE_LIST: break;
    }
    buf_addc(buf, ';');
}

/* Pushes the text that equal keys have in common, whatever form they were given in. */
static void push_key_text(lua_State *L, struct call *call, const struct value *key) {
    struct buf buf;
    buf_init(&buf, &call->arena);
    for (int k = 0; k < call->model->key.count; k++) put_key_part(&buf, key[k]);
    lua_pushlstring(L, buf.text, buf.len);
}

/* core.key_text(class, key) → text */
static int key_text(lua_State *L) {
    lua_settop(L, 2);
    struct call *call = call_open_class(L, 1);
    struct value key[KEY_PARTS];
    if (!read_key_argument(L, call, call->model, 2, key)) return call_raise(L, call);
    push_key_text(L, call, key);
    call_close(L, call);
    return 1;
}

/* The same of a table by name. */
static void push_row_text(lua_State *L, struct call *call, int index) {
    struct attr_list attrs = call->model->key;
    struct value key[KEY_PARTS];
    for (int k = 0; k < attrs.count; k++) {
        push_attribute(L, index, attrs.items[k]);
        if (!read_attr_value(L, lua_gettop(L), attrs.items[k], &key[k], &call->arena, &call->error)) call_raise(L, call);
        lua_pop(L, 1);
    }
    push_key_text(L, call, key);
}

/* core.by_keys(class, keys, rows) → the rows in the order of their keys, both tables by name; a key without a row is left out. */
static int by_keys(lua_State *L) {
    enum { KEYS = 2, ROWS, FOUND = 5, RESULT, ITEM };
    lua_settop(L, ROWS);
    struct call *call = call_open_class(L, 1);
    lua_Integer rows = (lua_Integer)lua_rawlen(L, ROWS), keys = (lua_Integer)lua_rawlen(L, KEYS), count = 0;
    lua_createtable(L, 0, (int)rows);
    push_list(L, (int)keys);
    for (lua_Integer i = 1; i <= rows; i++, lua_settop(L, RESULT)) {
        lua_rawgeti(L, ROWS, i);
        push_row_text(L, call, ITEM);
        lua_insert(L, ITEM);
        lua_rawset(L, FOUND);
    }
    for (lua_Integer i = 1; i <= keys; i++, lua_settop(L, RESULT)) {
        lua_rawgeti(L, KEYS, i);
        push_row_text(L, call, ITEM);
        if (lua_rawget(L, FOUND) != LUA_TNIL) lua_rawseti(L, RESULT, ++count);
    }
    call_close(L, call);
    return 1;
}

void open_finders(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "findAll", find_all }, { "findOne", find_one }, { "findByPk", find_by_pk }, { "exists", exists },
        { NULL, NULL },
    };
    add_functions(L, functions);
    open_aggregates(L);
    push_option_names(L);
    lua_setfield(L, -3, "find_options");      /* of the module, below the table of finders */
    lua_pushvalue(L, -2);
    add_functions(L, (const luaL_Reg[]){ { "find_and_count", find_and_count }, { "by_keys", by_keys },
                                       { "key_text", key_text }, { NULL, NULL } });
    lua_pop(L, 1);
}
