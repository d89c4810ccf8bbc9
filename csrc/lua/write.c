/* create, save, destroy, reload, increment of one instance; update, destroy, increment of many rows. */
#include "lua/write.h"

#include <string.h>

#include "base/names.h"
#include "lua/bulk.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/marker.h"
#include "lua/value.h"

/* What a write remembers from planning to its results. */
struct write {
    struct write_options options;
    struct value *values;               /* logical, by ordinal */
    bool *known;                        /* which of them the instance gets */
    const struct output *returning;     /* attributes that come back from the database */
    struct row *row;                    /* of an INSERT */
    const char *vanished;               /* what to say if no row was there; NULL: nothing to say */
};

static struct write *write_new(struct call *call) {
    struct write *write = arena_new(&call->arena, struct write);
    write->values = arena_array(&call->arena, struct value, call->model->attr_count + 1);
    write->known = arena_array(&call->arena, bool, call->model->attr_count + 1);
    call->data = write;
    call->writes = true;
    return write;
}

static bool run_statement_once(lua_State *L, struct call *call) {
    (void)L;
    return call->phase++ == 0 && call->statement;
}

/* A copy of a cell that outlives its row. */
static struct value kept(struct call *call, const struct attr *attr, struct value cell) {
    char *scratch = arena_alloc(&call->arena, TYPE_SCRATCH);
    if (cell.kind != VALUE_NULL) type_read(&attr->type, &cell, scratch);
    if (cell.kind == VALUE_TEXT || cell.kind == VALUE_BLOB) cell.as.text = arena_text(&call->arena, cell.as.text, cell.len);
    return cell;
}

/* Takes the row of RETURNING (or of a reload) into write->values. */
static enum drive take_values(lua_State *L, struct call *call) {
    (void)L;
    struct write *write = call->data;
    struct conn *conn = call->link->conn;
    enum drive drive;
    while ((drive = conn->driver->step(conn, call->cursor, &call->arena, &call->error)) == DRIVE_ROW) {
        int column = 0;
        call->rows++;
        for (const struct output *output = write->returning; output; output = output->next, column++) {
            const struct attr *attr = output->expr->attr;
            write->values[attr->ordinal] = kept(call, attr, call->cursor->cells[column]);
            write->known[attr->ordinal] = true;
        }
    }
    return drive;
}

static int vanished(lua_State *L, struct call *call) {
    const struct write *write = call->data;
    return call_fail(L, call, ERROR_INSTANCE, "this %s can't be %s: its row does not exist any more", call->model->name,
                     write->vanished);
}

/* ------------------------------------------------------------------------------------------------------ opening */

/* Opens a call for the instance at index 1; the RowSet userdata is left at *rowset_index. */
static struct call *open_instance_call(lua_State *L, struct instance *instance, int *rowset_index) {
    *instance = check_instance(L, 1, NULL);
    *rowset_index = lua_gettop(L);
    lua_getiuservalue(L, -1, ROWSET_MODEL);
    lua_getiuservalue(L, -1, MODEL_DB);
    struct call *call = call_open(L, instance->rowset->db, lua_gettop(L));
    call->model = instance->rowset->model;
    lua_pushvalue(L, 1);
    set_call_value(L, call, CALL_RESULT);
    return call;
}

static struct call *open_class_call(lua_State *L) {
    struct model_box *box = check_class(L, 1);
    return call_open_model(L, box, 1);
}

/* Ends a write that has nothing to write. */
static int nothing_to_do(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    call_close(L, call);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- insert */

static int insert_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    push_call_value(L, call, CALL_RESULT);
    int instance = lua_gettop(L);
    for (int i = 0; i < call->model->attr_count; i++) {
        struct error error = { .code = ERROR_NONE };
        if (!write->known[i]) continue;
        lua_pushstring(L, call->model->attrs[i]->name);
        if (!push_logical(L, call->db, call->model->attrs[i], write->values[i], &call->arena, &error)) lua_pushnil(L);
        lua_rawset(L, instance);
    }
    adopt_row(L, call, instance, call->last_id, write->row);
    return 1;
}

/* Where the text of a model's plain INSERT is kept. */
static struct cached_insert *insert_cache(const struct insert *insert) {
    return &((struct model *)(uintptr_t)insert->into)->insert;
}

/* Inserts the prepared instance at `index`, which is the call's result. */
static int insert_row(lua_State *L, struct call *call, struct write *write, int index, bool fine) {
    struct insert *insert = fine ? plan_insert(L, call, index, write->row) : NULL;
    if (insert && !error_is_set(&call->error)) call->statement = insert_statement(call, insert, insert_cache(insert));
    if (error_is_set(&call->error)) return call_raise(L, call);
    write->returning = insert->returning;
    if (write->returning) call->take = take_values;
    call->next = run_statement_once;
    call->results = insert_results;
    return call_run(L, call);
}

static int create_filled(lua_State *L) {
    struct call *call = open_class_call(L);
    struct write *write = write_new(call);
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), call->model);
    push_attr_names(L, lua_gettop(L));
    int names = lua_gettop(L);
    if (!read_write_options(L, call, 3, WRITE_ROW, &write->options)) return call_raise(L, call);
    write->row = row_new(call, call->driven || call->db->driven);
    bool fine = build_row(L, call, 2, names, &write->options, write->row);
    if (!fine && error_is_set(&call->error)) return call_raise(L, call);
    int index = names + 1;
    lua_pushvalue(L, index);
    set_call_value(L, call, CALL_RESULT);
    return insert_row(L, call, write, index, no_faults(call));
}

static int build_filled(lua_State *L) {
    struct write_options options = { .limit = -1 };
    struct call *call = open_class_call(L);
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), call->model);
    int keys;
    bool fine = read_write_options(L, call, 3, WRITE_BUILD, &options) && build_instance(L, call, lua_gettop(L), 2, &keys)
             && check_built(L, call, lua_gettop(L), keys, -1);
    if (!fine) return call_raise(L, call);
    fill_visible_defaults(L, call, lua_gettop(L));
    int instance = lua_gettop(L);
    call_close(L, call);
    lua_settop(L, instance);
    return 1;
}

static int create(lua_State *L) { return with_defaults(L, HANDLER_FILL_DEFAULTS, create_filled); }
static int build(lua_State *L) { return with_defaults(L, HANDLER_FILL_DEFAULTS, build_filled); }

/* ------------------------------------------------------------------------------------------------------- update */

static int update_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    if (!call->affected) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    instance_store(L, call, lua_gettop(L), write->values, write->known, false);
    return 1;
}

static bool in_fields(const struct write_options *options, const struct attr *attr) {
    return !options->fields || options->fields[attr->ordinal];
}

/* One changed attribute becomes an assignment; a value that doesn't fit becomes a fault. */
static void assign_change(lua_State *L, struct call *call, struct update *update, const struct attr *attr, int value_index) {
    struct write *write = call->data;
    struct value value = value_null();
    if (marker_test(L, value_index)) {
        struct where_reader reader = { .call = call, .model = call->model, .arena = &call->arena, .error = &call->error,
                                       .path = attr->name };
        const struct expr *expr = read_expression(L, &reader, value_index);
        if (expr) assign(&call->arena, &update->set, attr, expr);
        output_add(&call->arena, &update->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
        return;
    }
    if (!read_written_value(L, call, value_index, attr, &value)) return;
    if (value.kind == VALUE_NULL && !attr->allow_null && !write->options.no_validate) {
        add_fault(call, attr, "notNull",
                  arena_printf(&call->arena, "%s.%s must not be null", attr->model->name, attr->name), value);
        return;
    }
    write->values[attr->ordinal] = value;
    write->known[attr->ordinal] = true;
    type_store(&attr->type, &value, &call->arena);
    assign(&call->arena, &update->set, attr, expr_param(&call->arena, value));
}

static void touch(struct call *call, struct update *update, const struct attr *attr) {
    struct write *write = call->data;
    if (!attr || write->options.silent) return;
    struct value now = call_now(call);
    write->values[attr->ordinal] = now;
    write->known[attr->ordinal] = true;
    type_store(&attr->type, &now, &call->arena);
    assign(&call->arena, &update->set, attr, expr_param(&call->arena, now));
}

static bool refuse_key_change(struct call *call, const struct attr *attr) {
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s.%s: the key of a stored instance is not assigned (%s:update changes keys)", call->model->name, attr->name,
                     call->model->name);
}

/* "42" where 42 is stored: the instance holds what a reload would give. A table (JSON) may be the user's own and stays. */
static void restore_form(lua_State *L, int rowset_index, int names, const struct instance *instance, const struct attr *attr) {
    if (lua_istable(L, -1)) return;
    lua_rawgeti(L, names, attr->ordinal + 1);
    push_original(L, rowset_index, instance->rowset, instance->row, attr);
    lua_rawset(L, 1);
}

/* One walk over the attributes: counts those that are there and assigns those that changed. `names`: list of their names. */
static bool collect_changes(lua_State *L, struct call *call, int rowset_index, int names, const struct instance *instance,
                            struct update *update, int *present) {
    const struct model *model = call->model;
    const struct write *write = call->data;
    for (int i = 0; i < model->attr_count; i++, lua_pop(L, 1)) {
        const struct attr *attr = model->attrs[i];
        lua_rawgeti(L, names, i + 1);
        *present += lua_rawget(L, 1) != LUA_TNIL;
        bool stamped = attr == model->updated_at && !write->options.silent;
        if (stamped || attr->type.id == TYPE_VIRTUAL || !in_fields(&write->options, attr)) continue;
        enum change change = value_change(L, call, rowset_index, instance, attr, lua_gettop(L));
        if (change == SAME_VALUE) restore_form(L, rowset_index, names, instance, attr);
        if (change != CHANGED) continue;
        if (attr->primary && instance->state == INSTANCE_STORED) return refuse_key_change(call, attr);
        if (!attr->primary) assign_change(L, call, update, attr, lua_gettop(L));
        if (error_is_set(&call->error)) return false;
    }
    return no_faults(call);
}

/* Where all keys of the instance are attributes no other name has to be looked at. */
static bool check_other_keys(lua_State *L, struct call *call, int rowset_index, int present) {
    int keys = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) keys++;
    return keys == present || check_instance_keys(L, call, 1, rowset_index);
}

static int update_instance(lua_State *L, struct call *call, int rowset_index, const struct instance *instance) {
    struct write *write = call->data;
    struct update update = { .model = call->model };
    struct value key[KEY_PARTS];
    int present = 0;
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    push_attr_names(L, lua_gettop(L));
    bool fine = read_stored_key(L, call, 1, rowset_index, instance, key)
             && collect_changes(L, call, rowset_index, lua_gettop(L), instance, &update, &present)
             && check_other_keys(L, call, rowset_index, present);
    if (!fine) return call_raise(L, call);
    if (!update.set) return nothing_to_do(L, call);
    touch(call, &update, call->model->updated_at);
    update.where = keys_are(&call->arena, call->model->key, key);
    call->statement = render_update(&call->arena, call->db->dialect, &update, &call->error);
    write->returning = update.returning;
    write->vanished = "saved";
    if (write->returning) call->take = take_values;
    call->next = run_statement_once;
    call->results = update_results;
    return call_run(L, call);
}

static int save(lua_State *L) {
    struct instance instance;
    int rowset_index;
    lua_settop(L, 2);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    if (!read_write_options(L, call, 2, WRITE_ROW, &write->options)) return call_raise(L, call);
    if (instance.state != INSTANCE_NEW) return update_instance(L, call, rowset_index, &instance);
    if (!check_instance_keys(L, call, 1, rowset_index)) return call_raise(L, call);
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    push_attr_names(L, lua_gettop(L));
    int names = lua_gettop(L);
    write->row = row_new(call, true);       /* others can reach the instance, a finaliser too: nothing is borrowed from it */
    return insert_row(L, call, write, 1, prepare_row(L, call, 1, names, &write->options, write->row) && no_faults(call));
}

/* ---------------------------------------------------------------------------------------------- destroy, reload */

static int destroy_results(lua_State *L, struct call *call) {
    if (!call->affected) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

/* The key of a stored instance; an unsaved one has no row. */
static bool stored_key(lua_State *L, struct call *call, int rowset_index, const struct instance *instance, struct value *key) {
    if (instance->state == INSTANCE_NEW) {
        error_set(&call->error, &call->arena, ERROR_INSTANCE, "this %s is not stored yet: save it first", call->model->name);
        call->error.model = call->model->name;
        return false;
    }
    return read_stored_key(L, call, 1, rowset_index, instance, key);
}

static int destroy_plainly(lua_State *L) {
    struct instance instance;
    int rowset_index;
    struct value key[KEY_PARTS];
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    bool fine = read_write_options(L, call, 2, WRITE_DESTROY, &write->options)
             && stored_key(L, call, rowset_index, &instance, key);
    if (!fine) return call_raise(L, call);
    struct delete delete = { .from = call->model, .where = keys_are(&call->arena, call->model->key, key) };
    call->statement = render_delete(&call->arena, call->db->dialect, &delete, &call->error);
    write->vanished = "destroyed";
    call->next = run_statement_once;
    call->results = destroy_results;
    return call_run(L, call);
}

/* core.destroy(instance, options, plainly): `plainly` skips the rules for dependents. */
static int destroy(lua_State *L) {
    bool plainly = lua_toboolean(L, 3);
    lua_settop(L, 2);
    struct instance instance = check_instance(L, 1, NULL);
    lua_getiuservalue(L, -1, ROWSET_MODEL);
    const struct model_box *box = lua_touserdata(L, -1);
    lua_settop(L, 2);
    if (box->has_dependents && !plainly && instance.state != INSTANCE_NEW) return call_handler(L, HANDLER_DESTROY_INSTANCE, 2);
    return destroy_plainly(L);
}

static int reload_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    if (!call->rows) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    instance_store(L, call, lua_gettop(L), write->values, write->known, true);
    return 1;
}

static void select_attr(struct call *call, struct select *select, const struct attr *attr) {
    output_add(&call->arena, &select->outputs, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
}

/* The attributes that the instance was read with; all, if none are known. */
static void select_known(struct call *call, struct select *select, const struct instance *instance) {
    const struct model *model = call->model;
    for (int i = 0; i < model->attr_count; i++) {
        bool known = instance->row >= 0 && original_kind(instance->rowset, instance->row, model->attrs[i]) != ORIGINAL_ABSENT;
        if (known) select_attr(call, select, model->attrs[i]);
    }
    if (select->outputs) return;
    for (int i = 0; i < model->attr_count; i++) select_attr(call, select, model->attrs[i]);
}

static void select_given(struct call *call, struct select *select, const struct plan *plan) {
    select->outputs = NULL;
    for (int i = 0; i < plan->column_count; i++)
        if (plan->columns[i].tracked) select_attr(call, select, plan->columns[i].attr);
}

static int reload(lua_State *L) {
    struct instance instance;
    int rowset_index;
    struct value key[KEY_PARTS];
    lua_settop(L, 2);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct find *find = find_new(call, call->model);
    struct select *select = find->plan->select;
    bool fine = read_find(L, find, 2, FIND_PLAIN) && stored_key(L, call, rowset_index, &instance, key);
    if (!fine) return call_raise(L, call);
    struct write *write = write_new(call);
    call->writes = false;
    if (find->attributes_given) select_given(call, select, find->plan);
    else select_known(call, select, &instance);
    select->where = keys_are(&call->arena, call->model->key, key);
    call->statement = render_select(&call->arena, call->db->dialect, select, &call->error);
    write->returning = select->outputs;
    write->vanished = "reloaded";
    call->take = take_values;
    call->next = run_statement_once;
    call->results = reload_results;
    return call_run(L, call);
}

/* ---------------------------------------------------------------------------------------------------- many rows */

/* Lua's trap {id = nil}: writing to every row must be asked for. */
static bool check_condition(struct call *call, const struct write_options *options, const char *verb) {
    if (options->all && options->where_given)
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:%s: give where or all = true, not both", call->model->name, verb);
    if (options->all || options->where) return true;
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s:%s needs a where with a condition (a nil value makes none), or all = true", call->model->name, verb);
}

/* (key) IN (SELECT key … ORDER BY key LIMIT n) */
static const struct expr *limited(struct call *call, const struct write_options *options) {
    struct arena *arena = &call->arena;
    const struct attr_list key = call->model->key;
    if (options->limit < 0) return options->where;
    if (!key.count) {
        error_set(&call->error, arena, ERROR_INSTANCE, "%s has no primary key, so limit has no rows to name", call->model->name);
        return NULL;
    }
    struct select *select = select_new(arena, call->model, 900);
    struct order_term *order = NULL;
    const char **pieces = arena_array(arena, const char *, key.count + 1);
    struct expr *tuple = expr_new(arena, EXPR_RAW), **link = &tuple->first;
    for (int k = 0; k < key.count; k++, link = &(*link)->next) {
        pieces[k] = k ? ", " : "(";
        *link = expr_column(arena, key.items[k], ALIAS_HERE);
        output_add(arena, &select->outputs, expr_column(arena, key.items[k], ALIAS_HERE), NULL);
        order_add(arena, &order, expr_column(arena, key.items[k], ALIAS_HERE))->never_null = true;
    }
    pieces[key.count] = ")";
    tuple->pieces = pieces;
    select->where = options->where;
    select->order = order;
    select->limit = options->limit;
    struct expr *in = expr_new(arena, EXPR_SELECT);
    in->op = OP_IN;
    in->first = tuple;
    in->select = select;
    return in;
}

/* RETURNING every attribute, hydrated like any other rows. */
static void return_rows(lua_State *L, struct call *call, struct output **returning) {
    call->plan = plan_new(&call->arena, call->model);
    plan_attrs(&call->arena, call->plan, call->model, 0);
    for (int i = 0; i < call->model->attr_count; i++)
        output_add(&call->arena, returning, expr_column(&call->arena, call->model->attrs[i], ALIAS_HERE), NULL);
    hydrate_returned(L, call);
}

static int affected_results(lua_State *L, struct call *call) {
    const struct write *write = call->data;
    lua_pushinteger(L, write->options.returning ? call->rows : call->affected);
    if (!write->options.returning) return 1;
    push_call_value(L, call, CALL_RESULT);
    return 2;
}

static bool read_assignments(lua_State *L, struct call *call, int index, struct update *update) {
    struct where_reader reader = { .call = call, .model = call->model, .arena = &call->arena, .error = &call->error, .path = "values" };
    const struct write *write = call->data;
    if (!lua_istable(L, index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:update: a table of values expected, got %s", call->model->name,
                         kind_text(L, index));
    bool *given = arena_array(&call->arena, bool, call->model->attr_count + 1);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "?";
        const struct attr *attr = find_attr(&reader, name);
        if (!attr) return false;
        given[attr->ordinal] = in_fields(&write->options, attr);
    }
    for (int i = 0; i < call->model->attr_count; i++) {
        if (!given[i]) continue;
        lua_getfield(L, index, call->model->attrs[i]->name);
        assign_change(L, call, update, call->model->attrs[i], lua_gettop(L));
        lua_pop(L, 1);
    }
    return no_faults(call);
}

static bool assigned(const struct update *update, const struct attr *attr) {
    const struct assignment *assignment = update->set;
    while (assignment && assignment->attr != attr) assignment = assignment->next;
    return assignment != NULL;
}

static int run_update(lua_State *L, struct call *call, struct update *update) {
    struct write *write = call->data;
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (!update->set) {
        call_close(L, call);
        lua_pushinteger(L, 0);
        return 1;
    }
    if (!assigned(update, call->model->updated_at)) touch(call, update, call->model->updated_at);
    update->where = limited(call, &write->options);
    update->returning = NULL;
    if (write->options.returning) return_rows(L, call, &update->returning);
    call->statement = render_update(&call->arena, call->db->dialect, update, &call->error);
    if (error_is_set(&call->error)) return call_raise(L, call);
    call->next = run_statement_once;
    call->results = affected_results;
    return call_run(L, call);
}

static int update_rows(lua_State *L) {
    lua_settop(L, 3);
    struct call *call = open_class_call(L);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_WHERE | WRITE_ROW, &write->options)
             && check_condition(call, &write->options, "update");
    if (fine) read_assignments(L, call, 2, &update);
    return run_update(L, call, &update);
}

static int destroy_rows_plainly(lua_State *L) {
    struct call *call = open_class_call(L);
    struct write *write = write_new(call);
    bool fine = read_write_options(L, call, 2, WRITE_WHERE | WRITE_DESTROY, &write->options)
             && check_condition(call, &write->options, "destroy");
    struct delete delete = { .from = call->model };
    if (fine) delete.where = limited(call, &write->options);
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (write->options.returning) return_rows(L, call, &delete.returning);
    call->statement = render_delete(&call->arena, call->db->dialect, &delete, &call->error);
    call->next = run_statement_once;
    call->results = affected_results;
    return call_run(L, call);
}

static bool skips_dependents(lua_State *L, int index) {
    if (!lua_istable(L, index)) return false;
    lua_getfield(L, index, "dependent");
    bool skips = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    return skips;
}

/* Model:destroy(options, plainly) */
static int destroy_rows(lua_State *L) {
    bool plainly = lua_toboolean(L, 3);
    lua_settop(L, 2);
    const struct model_box *box = check_class(L, 1);
    if (box->has_dependents && !plainly && !skips_dependents(L, 2)) return call_handler(L, HANDLER_DESTROY_WHERE, 2);
    return destroy_rows_plainly(L);
}

/* ----------------------------------------------------------------------------------------------------- counters */

static bool is_numeric(const struct attr *attr) {
    enum value_kind kind = type_info(attr->type.id)->logical;
    return kind == VALUE_INT || kind == VALUE_REAL || attr->type.id == TYPE_DECIMAL;
}

static const struct expr *raw_two(struct arena *arena, const struct attr *attr, struct value by, const char *const pieces[3]) {
    struct expr *expr = expr_new(arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = expr_column(arena, attr, ALIAS_HERE);
    expr->first->next = expr_param(arena, by);
    return expr;
}

static struct value negated(struct arena *arena, struct value by) {
    if (by.kind != VALUE_TEXT) return by;
    if (*by.as.text == '-') return value_text(by.as.text + 1, by.len - 1);
    return value_text(arena_printf(arena, "-%s", by.as.text), by.len + 1);
}

/* a + ?, a - ?; DECIMALs stay exact on SQLite, whose numbers are doubles. */
static const struct expr *counted(struct call *call, const struct attr *attr, struct value by, bool down) {
    struct arena *arena = &call->arena;
    static const char *const plus[] = { "", " + ", "" }, *const minus[] = { "", " - ", "" };
    if (attr->type.id != TYPE_DECIMAL || !call->db->dialect->decimal_text) return raw_two(arena, attr, by, down ? minus : plus);
    const char **add = arena_array(arena, const char *, 3);
    add[0] = "liga_add(";
    add[1] = ", ";
    add[2] = arena_printf(arena, ", %d)", attr->type.scale);
    return raw_two(arena, attr, down ? negated(arena, by) : by, add);
}

static bool add_counter(lua_State *L, struct call *call, struct update *update, const char *name, int value_index, bool down) {
    struct where_reader reader = { .call = call, .model = call->model, .arena = &call->arena, .error = &call->error,
                                   .path = down ? "decrement" : "increment" };
    struct value by;
    const struct attr *attr = find_attr(&reader, name);
    if (!attr) return false;
    if (!is_numeric(attr))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s.%s is no number", call->model->name, attr->name);
    if (is_null(L, value_index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s.%s: a number expected", call->model->name, attr->name);
    if (!read_attr_value(L, value_index, attr, &by, &call->arena, &call->error)) return false;
    assign(&call->arena, &update->set, attr, counted(call, attr, by, down));
    output_add(&call->arena, &update->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    return true;
}

/* `by` of the options table at index 3; 1 where it is not given. */
static void push_by(lua_State *L, const struct write_options *options) {
    if (options->by_given) lua_getfield(L, 3, "by");
    else lua_pushinteger(L, 1);
}

/* "age", {"age", "score"} or {age = 2}; sorted by attribute so that equal calls give equal text. */
static bool read_counters(lua_State *L, struct call *call, int index, struct update *update, bool down) {
    const struct write *write = call->data;
    push_by(L, &write->options);
    int by = lua_gettop(L);
    if (lua_type(L, index) == LUA_TSTRING) return add_counter(L, call, update, lua_tostring(L, index), by, down);
    if (!lua_istable(L, index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: an attribute name or a table expected, got %s",
                         down ? "decrement" : "increment", kind_text(L, index));
    bool fine = true;
    for (int i = 1; fine && i <= (int)lua_rawlen(L, index); i++) {
        lua_rawgeti(L, index, i);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : "?";
        fine = add_counter(L, call, update, name, by, down);
        lua_pop(L, 1);
    }
    int named = 0;
    for (int i = 0; fine && i < call->model->attr_count; i++) {
        push_attribute(L, index, call->model->attrs[i]);
        if (!lua_isnil(L, -1) && ++named)
            fine = add_counter(L, call, update, call->model->attrs[i]->name, lua_gettop(L), down);
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); fine && lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && !attr_find(call->model, name_at(L, -2)))
            fine = add_counter(L, call, update, lua_tostring(L, -2), by, down);
    return fine;
}

static int counter_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    if (!call->rows) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    instance_store(L, call, lua_gettop(L), write->values, write->known, true);
    return 1;
}

static int count_instance(lua_State *L, bool down) {
    struct instance instance;
    int rowset_index;
    struct value key[KEY_PARTS];
    lua_settop(L, 3);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_COUNTER, &write->options)
             && stored_key(L, call, rowset_index, &instance, key) && read_counters(L, call, 2, &update, down);
    if (!fine) return call_raise(L, call);
    if (!update.set) return nothing_to_do(L, call);
    touch(call, &update, call->model->updated_at);
    update.where = keys_are(&call->arena, call->model->key, key);
    call->statement = render_update(&call->arena, call->db->dialect, &update, &call->error);
    write->returning = update.returning;
    write->vanished = down ? "decremented" : "incremented";
    call->take = take_values;
    call->next = run_statement_once;
    call->results = counter_results;
    return call_run(L, call);
}

static int count_rows_of_class(lua_State *L, bool down) {
    lua_settop(L, 3);
    struct call *call = open_class_call(L);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_WHERE | WRITE_COUNTER, &write->options)
             && check_condition(call, &write->options, down ? "decrement" : "increment");
    if (fine) read_counters(L, call, 2, &update, down);
    return run_update(L, call, &update);
}

static int increment(lua_State *L) { return count_instance(L, false); }
static int decrement(lua_State *L) { return count_instance(L, true); }
static int increment_rows(lua_State *L) { return count_rows_of_class(L, false); }
static int decrement_rows(lua_State *L) { return count_rows_of_class(L, true); }

/* ------------------------------------------------------------------------------------------------------ validate */

/* A stored instance is checked where it changed, a new one as its INSERT would be. */
static bool needs_check(lua_State *L, struct call *call, const struct instance *instance, int rowset_index,
                        const struct attr *attr) {
    return instance->state == INSTANCE_NEW || value_change(L, call, rowset_index, instance, attr, lua_gettop(L)) == CHANGED;
}

static void validate_attr(lua_State *L, struct call *call, const struct instance *instance, const struct attr *attr) {
    struct write *write = call->data;
    struct value value;
    int given = lua_gettop(L);
    if (marker_test(L, given)) return;
    if (!is_null(L, given)) {
        read_written_value(L, call, given, attr, &value);
        return;
    }
    bool filled = instance->state == INSTANCE_NEW && lua_isnil(L, given) && default_of(call, attr, &value);
    if (!filled) check_null(call, attr, &write->options);
}

/* core.validate(instance, options): raises the ValidationError that save would raise; writes nothing. */
static int validate(lua_State *L) {
    struct instance instance;
    int rowset_index;
    lua_settop(L, 2);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    bool fine = read_write_options(L, call, 2, WRITE_ROW, &write->options) && check_instance_keys(L, call, 1, rowset_index);
    for (int i = 0; fine && i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        push_attribute(L, 1, attr);
        if (in_fields(&write->options, attr) && needs_check(L, call, &instance, rowset_index, attr))
            validate_attr(L, call, &instance, attr);
        lua_pop(L, 1);
        fine = !error_is_set(&call->error);
    }
    if (!no_faults(call)) return call_raise(L, call);
    return nothing_to_do(L, call);
}

void open_writes(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "save", save }, { "validate", validate }, { "destroy", destroy }, { "reload", reload }, { "increment", increment }, { "decrement", decrement },
        { NULL, NULL },
    };
    static const luaL_Reg class_functions[] = {
        { "create", create }, { "build", build }, { "bulkCreate", bulk_create }, { "update", update_rows },
        { "destroy", destroy_rows }, { "increment", increment_rows }, { "decrement", decrement_rows }, { NULL, NULL },
    };
    add_functions(L, functions);
    lua_getfield(L, -1, "class_methods");
    add_functions(L, class_functions);
    lua_pop(L, 1);
}
