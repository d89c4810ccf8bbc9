/* create, save, destroy, reload, validate of one instance. */
#include "lua/write_job.h"

#include <string.h>

#include "base/names.h"
#include "lua/bulk.h"
#include "lua/conflict.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/kept_text.h"
#include "lua/lifecycle.h"
#include "lua/marker.h"
#include "lua/value.h"

struct write *write_new(struct call *call) {
    struct write *write = arena_new(&call->arena, struct write);
    write->values = arena_array(&call->arena, struct value, attr_room(call->model));
    write->known = arena_array(&call->arena, bool, attr_room(call->model));
    call->data = write;
    call->writes = true;
    return write;
}

static const struct value *write_given(const struct call *call, const struct attr *attr, int row) {
    const struct write *write = call->data;
    const struct value *values = write->row ? write->row->values : write->values;
    return row == 0 && (write->row || write->known[attr->ordinal]) ? &values[attr->ordinal] : NULL;
}

void write_tells(struct call *call, bool removes) {
    call->effect.given = write_given;
    call->effect.removes = removes;
}

bool run_statement_once(lua_State *L, struct call *call) {
    (void)L;
    call->ahead = true;
    return call->phase++ == 0 && call->statement;
}

struct value kept_cell(struct call *call, const struct attr *attr, struct value cell) {
    if (cell.kind != VALUE_NULL && type_reads(&attr->type))
        type_read(&attr->type, &cell, arena_alloc(&call->arena, TYPE_SCRATCH), &call->arena);
    if (cell.kind == VALUE_TEXT || cell.kind == VALUE_BLOB) cell.as.text = arena_text(&call->arena, cell.as.text, cell.len);
    return cell;
}

/* Takes the row of RETURNING (or of a reload) into write->values. */
enum drive take_values(lua_State *L, struct call *call) {
    (void)L;
    struct write *write = call->data;
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        int column = 0;
        call->rows++;
        for (const struct output *output = write->returning; output; output = output->next, column++) {
            const struct attr *attr = output->expr->attr;
            write->values[attr->ordinal] = kept_cell(call, attr, call->cursor->cells[column]);
            write->known[attr->ordinal] = true;
        }
    }
    return drive;
}

int vanished(lua_State *L, struct call *call) {
    const struct write *write = call->data;
    if (write->guarded) {
        call->error.model = call->model->name;
        return call_fail(L, call, ERROR_OPTIMISTIC_LOCK, "this %s can't be %s: its row was changed or removed since it was read",
                         call->model->name, write->vanished);
    }
    return call_fail(L, call, ERROR_INSTANCE, "this %s can't be %s: its row does not exist any more", call->model->name,
                     write->vanished);
}

/* ------------------------------------------------------------------------------------------------------ opening */

/* Opens a call for the instance at index 1; the RowSet userdata is left at *rowset_index. */
struct call *open_instance_call(lua_State *L, struct instance *instance, int *rowset_index) {
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

/* Ends a write that has nothing to write. */
int nothing_to_do(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    call_close(L, call);
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- insert */

/* ignoreDuplicates found the row there: the instance stays unsaved. */
static void leave_unsaved(lua_State *L, struct call *call, int instance) {
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), call->model);
    push_unsaved_metatable(L, lua_gettop(L));
    lua_setmetatable(L, instance);
    lua_settop(L, instance);
}

/* What the database computed, on the instance. */
static void show_returned(lua_State *L, struct call *call, int instance) {
    const struct write *write = call->data;
    for (int i = 0; i < call->model->attr_count; i++) {
        struct error error = { .code = ERROR_NONE };
        if (!write->known[i]) continue;
        lua_pushstring(L, call->model->attrs[i]->name);
        if (!push_logical(L, call->db, call->model->attrs[i], write->values[i], &call->arena, &error)) lua_pushnil(L);
        lua_rawset(L, instance);
        if (write->row->rowset) original_forget(write->row->rowset, write->row->number, call->model->attrs[i]);
    }
}

static int insert_results(lua_State *L, struct call *call) {
    struct write *write = call->data;
    push_call_value(L, call, CALL_RESULT);
    int instance = lua_gettop(L);
    if (write->options.conflict == CONFLICT_NOTHING && !call->affected) {
        forget_stamps(L, call->model, instance, stamps_given(call, write->row));
        leave_unsaved(L, call, instance);
        return 1;
    }
    if (write->returning) show_returned(L, call, instance);
    adopt_row(L, call, instance, call->last_id, write->row);
    return 1;
}

/* Where the text of a model's plain INSERT is kept; NULL: this one is not plain. */
static struct cached_write *insert_cache(const struct insert *insert) {
    return insert->conflict == CONFLICT_ERROR ? &((struct model *)(uintptr_t)insert->into)->insert : NULL;
}

static struct insert *plan_create(lua_State *L, struct call *call, int index) {
    const struct write *write = call->data;
    struct insert *insert = plan_insert(L, call, index, write->row);
    insert->conflict = write->options.conflict;
    insert->target = write->options.conflict_fields;
    insert->target_where = write->options.conflict_where;
    if (write->options.returning) plan_read_back(call, &write->options, &insert->returning);
    return insert;
}

/* Inserts the prepared instance at `index`, which is the call's result. */
static int insert_row(lua_State *L, struct call *call, struct write *write, int index, bool fine) {
    struct insert *insert = fine ? plan_create(L, call, index) : NULL;
    if (insert && !error_is_set(&call->error)) call->statement = insert_statement(call, insert, insert_cache(insert));
    if (error_is_set(&call->error)) return call_raise(L, call);
    write->returning = insert->returning;
    if (write->returning) call->take = take_values;
    write_tells(call, false);
    call->next = run_statement_once;
    call->results = insert_results;
    return call_run(L, call);
}

/* The instance, which nobody else sees before it is stored, has its row in the shared chunk from the beginning. */
static void keep_in_open_chunk(lua_State *L, int model_index, struct row *row) {
    row->rowset = rowset_open(L, model_index, 1);
    lua_rawgeti(L, -1, CHUNK_ROWSET);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    row->texts = lua_gettop(L);
    row->number = rowset_reserve(row->rowset);
}

static int create_filled(lua_State *L, struct model_box *box) {
    struct call *call = call_open_model(L, box, 1);
    struct write *write = write_new(call);
    int model_index = push_model_names(L, call);
    if (!read_write_options(L, call, 3, WRITE_ROW | WRITE_CREATE, &write->options)) return call_raise(L, call);
    write->row = row_new(L, call, model_index + 1, call->driven || call->db->driven || call->db->waits);
    if (!write->options.fields) keep_in_open_chunk(L, model_index, write->row);
    bool fine = build_row(L, call, 2, model_index + 1, &write->options, write->row);
    if (!fine && error_is_set(&call->error)) return call_raise(L, call);
    int index = lua_gettop(L);
    if (write->row->rowset) rowset_put(write->row->rowset, write->row->number, lua_topointer(L, index));
    lua_pushvalue(L, index);
    set_call_value(L, call, CALL_RESULT);
    return insert_row(L, call, write, index, no_faults(call));
}

static int build_filled(lua_State *L, struct model_box *box) {
    struct write_options options = { .limit = -1 };
    struct call *call = call_open_model(L, box, 1);
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), call->model);
    bool fine = read_write_options(L, call, 3, WRITE_BUILD, &options) && build_instance(L, call, lua_gettop(L), 2)
             && check_built(L, call, lua_gettop(L));
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

bool written_field(const struct write_options *options, const struct attr *attr) {
    return !options->fields || options->fields[attr->ordinal];
}

/* One changed attribute becomes an assignment; a value that doesn't fit becomes a fault. */
void assign_change(lua_State *L, struct call *call, struct update *update, const struct attr *attr, int value_index) {
    struct write *write = call->data;
    struct value value = value_null();
    if (marker_test(L, value_index)) {
        struct where_reader reader = where_reader(call, call->model, attr->name);
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
    if (type_is_rewritten(&attr->type))
        output_add(&call->arena, &update->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    type_store(&attr->type, &value, &call->arena);
    assign(&call->arena, &update->set, attr, expr_param(&call->arena, value));
}

void touch(struct call *call, struct update *update, const struct attr *attr) {
    struct write *write = call->data;
    if (!attr || write->options.silent) return;
    struct value now = call_now(call);
    write->values[attr->ordinal] = now;
    write->known[attr->ordinal] = true;
    type_store(&attr->type, &now, &call->arena);
    assign(&call->arena, &update->set, attr, expr_param(&call->arena, now));
}

static bool refuse_key_change(struct call *call, const struct attr *attr) {
    call->error.model = call->model->name;
    call->error.attribute = attr->name;
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s.%s: the key of a stored instance is not assigned (%s:update changes keys)", call->model->name, attr->name,
                     call->model->name);
}

/* The instance holds again what it was read or written with. */
static void restore(lua_State *L, int rowset_index, int names, const struct instance *instance, const struct attr *attr) {
    lua_rawgeti(L, names, attr->ordinal + 1);
    push_original(L, rowset_index, instance->rowset, instance->row, attr);
    lua_rawset(L, 1);
}

/* Whether save looks at what the attribute holds. */
static bool is_looked_at(const struct call *call, const struct attr *attr) {
    const struct write *write = call->data;
    const struct model *model = call->model;
    bool stamped = (attr == model->updated_at && !write->options.silent) || attr == model->version;
    return !stamped && attr->type.id != TYPE_VIRTUAL && written_field(&write->options, attr);
}

/* How each attribute changed, by ordinal, in one walk over the instance, whose other keys have to be known, too. */
static bool look_for_changes(lua_State *L, struct call *call, int rowset_index, int names, const struct instance *instance,
                             enum change *changes) {
    const struct model *model = call->model;
    const struct name_index *attributes = name_index(L, names);
    bool *there = arena_array(&call->arena, bool, attr_room(model));
    lua_getiuservalue(L, rowset_index, ROWSET_TEXTS);
    int texts = lua_gettop(L), value = texts + 2;
    for (lua_pushnil(L); lua_next(L, 1); lua_settop(L, texts + 1)) {
        const struct attr *attr = attr_of_key(L, attributes, texts + 1);
        if (!attr && !check_foreign_key_name(L, call, 1, rowset_index)) return false;
        if (!attr) continue;
        there[attr->ordinal] = true;
        if (is_looked_at(call, attr))
            changes[attr->ordinal] = value_change(L, call, rowset_index, texts, instance, attr, value);
    }
    lua_pushnil(L);
    for (int i = 0; i < model->attr_count; i++)
        if (!there[i] && is_looked_at(call, model->attrs[i]))
            changes[i] = value_change(L, call, rowset_index, texts, instance, model->attrs[i], texts + 1);
    lua_settop(L, texts - 1);
    return true;
}

/* Assigns the attributes that changed. "42" where 42 is stored becomes 42, as a reload would give it; a table (JSON) may be the
 * user's own and stays. `names`: list of their names. */
static bool collect_changes(lua_State *L, struct call *call, int rowset_index, int names, const struct instance *instance,
                            struct update *update) {
    const struct model *model = call->model;
    enum change *changes = arena_array(&call->arena, enum change, attr_room(model));
    if (!look_for_changes(L, call, rowset_index, names, instance, changes)) return false;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        if (changes[i] == UNCHANGED) continue;
        lua_rawgeti(L, names, i + 1);
        lua_rawget(L, 1);
        if (changes[i] == SAME_VALUE && !lua_istable(L, -1)) restore(L, rowset_index, names, instance, attr);
        if (changes[i] == CHANGED && attr->primary && instance->state == INSTANCE_STORED) return refuse_key_change(call, attr);
        if (changes[i] == CHANGED && !attr->primary) assign_change(L, call, update, attr, lua_gettop(L));
        lua_pop(L, 1);
        if (error_is_set(&call->error)) return false;
    }
    return no_faults(call);
}

/* updatedAt and version are liga's: what was assigned to them alone is forgotten. */
static void restore_stamps(lua_State *L, const struct call *call, int rowset_index, int names, const struct instance *instance) {
    const struct write *write = call->data;
    const struct attr *stamps[] = { write->options.silent ? NULL : call->model->updated_at, call->model->version };
    for (int i = 0; i < 2; i++) {
        bool known = stamps[i] && instance->row >= 0
                  && original_kind(instance->rowset, instance->row, stamps[i]) != ORIGINAL_ABSENT;
        if (known) restore(L, rowset_index, names, instance, stamps[i]);
    }
}

/* The columns that an UPDATE by the key sets to plain values, a bit by ordinal, in their order; 0: it is another one. */
static uint64_t plain_columns(const struct update *update) {
    const struct expr *where = update->where;
    uint64_t columns = 0;
    if (where->kind != EXPR_KEYS || where->value_count != where->attrs.count || update->returning) return 0;
    for (const struct assignment *set = update->set; set; set = set->next) {
        int ordinal = set->attr->ordinal;
        bool plain = set->expr->kind == EXPR_PARAM && set->expr->value.kind != VALUE_NULL;      /* NULL is written out */
        if (!plain || ordinal >= CACHED_COLUMNS || columns >> ordinal) return 0;
        columns |= (uint64_t)1 << ordinal;
    }
    return columns;
}

static struct value *update_params(struct call *call, const struct update *update, int *count) {
    struct value *params = arena_array(&call->arena, struct value, attr_room(call->model) + KEY_PARTS);
    *count = 0;
    for (const struct assignment *set = update->set; set; set = set->next) params[(*count)++] = set->expr->value;
    for (int k = 0; k < update->where->value_count; k++) params[(*count)++] = update->where->values[k];
    return params;
}

/* Its text depends on its columns only: that of the last one is kept with the model. */
static const struct statement *update_statement(struct call *call, const struct update *update) {
    struct cached_write *cached = &((struct model *)(uintptr_t)call->model)->update;
    uint64_t columns = plain_columns(update);
    int count = 0;
    const struct value *params = columns ? update_params(call, update, &count) : NULL;
    const struct statement *statement = kept_write(call, cached, call->model, columns, params, count);
    if (statement) return statement;
    statement = render_update(&call->arena, call->db->dialect, update, &call->error);
    keep_write(call, cached, call->model, columns, statement);
    return statement;
}

static int update_instance(lua_State *L, struct call *call, int rowset_index, const struct instance *instance) {
    struct write *write = call->data;
    struct update update = { .model = call->model };
    struct value key[KEY_PARTS];
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    push_attr_names(L, lua_gettop(L));
    int names = lua_gettop(L);
    bool fine = read_stored_key(L, call, 1, rowset_index, instance, key)
             && collect_changes(L, call, rowset_index, names, instance, &update);
    if (!fine) return call_raise(L, call);
    if (!update.set) {
        restore_stamps(L, call, rowset_index, names, instance);
        return nothing_to_do(L, call);
    }
    touch(call, &update, call->model->updated_at);
    update.where = keys_are(&call->arena, call->model->key, key);
    if (call->model->version) {
        bump_version(call, &update);
        update.where = guard_version(L, call, rowset_index, instance, update.where);
    }
    call->statement = update_statement(call, &update);
    write->returning = update.returning;
    write->vanished = "saved";
    if (write->returning) call->take = take_values;
    write_tells(call, true);
    call->next = run_statement_once;
    call->results = update_results;
    return call_run(L, call);
}

static void forget_save(lua_State *L, struct call *call) {
    const struct write *write = call->data;
    push_call_value(L, call, CALL_RESULT);
    forget_stamps(L, call->model, lua_gettop(L), stamps_given(call, write->row));
    lua_pop(L, 1);
}

/* core.save(instance, options, creating): `creating` lets it take the options of create. */
static int save(lua_State *L) {
    struct instance instance;
    int rowset_index, sets = WRITE_ROW | (lua_toboolean(L, 3) ? WRITE_CREATE : 0);
    lua_settop(L, 2);
    struct call *call = open_instance_call(L, &instance, &rowset_index);
    struct write *write = write_new(call);
    if (!read_write_options(L, call, 2, sets, &write->options)) return call_raise(L, call);
    if (instance.state != INSTANCE_NEW) return update_instance(L, call, rowset_index, &instance);
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    push_attr_names(L, lua_gettop(L));
    int names = lua_gettop(L);
    if (!check_instance_keys(L, call, 1, names, rowset_index)) return call_raise(L, call);
    call->forget = forget_save;
    write->row = row_new(L, call, names, true);     /* others can reach the instance, a finaliser too: nothing is borrowed from it */
    return insert_row(L, call, write, 1, prepare_row(L, call, 1, names, &write->options, write->row) && no_faults(call));
}

/* ---------------------------------------------------------------------------------------------- destroy, reload */

static int destroy_results(lua_State *L, struct call *call) {
    if (!call->affected) return vanished(L, call);
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

/* The key of a stored instance; an unsaved one has no row. */
bool stored_key_of(lua_State *L, struct call *call, int rowset_index, const struct instance *instance, struct value *key) {
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
             && stored_key_of(L, call, rowset_index, &instance, key);
    if (!fine) return call_raise(L, call);
    struct delete delete = { .from = call->model, .where = keys_are(&call->arena, call->model->key, key) };
    delete.where = guard_version(L, call, rowset_index, &instance, delete.where);
    call->results = destroy_results;
    if (removes_softly(call->model, &write->options)) plan_soft_destroy(call, delete.where);
    else call->statement = render_delete(&call->arena, call->db->dialect, &delete, &call->error);
    write->vanished = "destroyed";
    write_tells(call, true);
    call->next = run_statement_once;
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
    bool by_rules = box->has_dependents && !plainly && instance.state != INSTANCE_NEW && !skips_dependents(L, 2);
    if (by_rules) return call_handler(L, HANDLER_DESTROY_INSTANCE, 2);
    return destroy_plainly(L);
}

int read_back_results(lua_State *L, struct call *call) {
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
    bool fine = read_find(L, find, 2, FIND_PLAIN) && stored_key_of(L, call, rowset_index, &instance, key);
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
    call->results = read_back_results;
    return call_run(L, call);
}

/* ------------------------------------------------------------------------------------------------------ validate */

/* A stored instance is checked where it changed, a new one as its INSERT would be. */
static bool needs_check(lua_State *L, struct call *call, const struct instance *instance, int rowset_index,
                        const struct attr *attr) {
    return instance->state == INSTANCE_NEW || attribute_changed(L, call, 1, rowset_index, instance, attr);
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
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    push_attr_names(L, lua_gettop(L));
    bool fine = read_write_options(L, call, 2, WRITE_ROW, &write->options)
             && check_instance_keys(L, call, 1, lua_gettop(L), rowset_index);
    for (int i = 0; fine && i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        push_attribute(L, 1, attr);
        if (written_field(&write->options, attr) && needs_check(L, call, &instance, rowset_index, attr))
            validate_attr(L, call, &instance, attr);
        lua_pop(L, 1);
        fine = !error_is_set(&call->error);
    }
    if (!no_faults(call)) return call_raise(L, call);
    return nothing_to_do(L, call);
}

void open_writes(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "save", save }, { "upsert", upsert }, { "validate", validate }, { "destroy", destroy }, { "reload", reload }, { NULL, NULL },
    };
    static const luaL_Reg class_functions[] = {
        { "create", create }, { "build", build }, { "bulkCreate", bulk_create }, { NULL, NULL },
    };
    add_functions(L, functions);
    lua_getfield(L, -1, "class_methods");
    add_functions(L, class_functions);
    open_many_writes(L);
    open_counters(L);
    open_lifecycle(L);
    lua_pop(L, 1);
}
