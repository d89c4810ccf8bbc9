/* update and destroy of many rows. */
#include "lua/write_job.h"

#include <string.h>

#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/lifecycle.h"
#include "lua/value.h"
#include "sql/ddl.h"

/* ---------------------------------------------------------------------------------------------------- many rows */

/* Lua's trap {id = nil}: writing to every row must be asked for. */
bool check_condition(struct call *call, const struct write_options *options, const char *verb) {
    if (options->all && options->where_given)
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:%s: give where or all = true, not both", call->model->name,
                         verb);
    if (options->all || options->where) return true;
    return error_set(&call->error, &call->arena, ERROR_USAGE,
                     "%s:%s needs a where with a condition (a nil value makes none), or all = true", call->model->name, verb);
}

/* (key) IN (SELECT key … ORDER BY key LIMIT n) */
static const struct expr *among(struct call *call, const struct write_options *options) {
    struct arena *arena = &call->arena;
    const struct attr_list key = call->model->key;
    struct select *select = options->named ? options->named : select_new(arena, call->model, 0);
    struct order_term *order = NULL;
    for (int k = 0; k < key.count; k++) {
        output_add(arena, &select->outputs, expr_column(arena, key.items[k], ALIAS_HERE), NULL);
        if (options->limit < 0) continue;
        order_add(arena, &order, expr_column(arena, key.items[k], ALIAS_HERE))->never_null = true;
    }
    select->where = options->where;
    select->order = order;
    select->limit = options->limit;
    return expr_in_select(arena, expr_tuple(arena, key, ALIAS_HERE), select);
}

/* Which rows a statement writes. What is associated is looked at before anything is written: on SQLite a condition of the
 * statement itself would see rows of the same table that it has changed already. *aliased: as in struct update. */
static const struct expr *written_rows(struct call *call, const struct write_options *options, bool *aliased) {
    bool keyed = call->model->key.count > 0;
    *aliased = options->named && !keyed;
    if (options->limit >= 0 && !keyed) {
        error_set(&call->error, &call->arena, ERROR_INSTANCE, "%s has no primary key, so limit has no rows to name",
                  call->model->name);
        return NULL;
    }
    return options->limit >= 0 || (options->named && keyed) ? among(call, options) : options->where;
}

void return_rows(lua_State *L, struct call *call, const struct write_options *options, struct output **returning) {
    call->plan = plan_new(&call->arena, call->model);
    for (int i = 0; i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        bool wanted = !options->returned || options->returned[i] || attr->primary;
        if (!wanted || attr->type.id == TYPE_VIRTUAL) continue;
        plan_attr(&call->arena, call->plan, attr, 0);
        output_add(&call->arena, returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
    }
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
    struct where_reader reader = where_reader(call, call->model, "values");
    const struct write *write = call->data;
    if (!lua_istable(L, index))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:update: a table of values expected, got %s",
                         call->model->name,
                         kind_text(L, index));
    bool *given = arena_array(&call->arena, bool, call->model->attr_count + 1);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "?";
        const struct attr *attr = find_attr(&reader, name);
        if (!attr) return false;
        given[attr->ordinal] = written_field(&write->options, attr);
    }
    for (int i = 0; i < call->model->attr_count; i++) {
        if (!given[i]) continue;
        push_field(L, index, call->model->attrs[i]->name);
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

int run_update(lua_State *L, struct call *call, struct update *update) {
    struct write *write = call->data;
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (!update->set) {
        bool returning = write->options.returning;
        call_close(L, call);
        lua_pushinteger(L, 0);
        if (returning) push_list(L, 0);
        return returning ? 2 : 1;
    }
    if (!assigned(update, call->model->updated_at)) touch(call, update, call->model->updated_at);
    update->where = written_rows(call, &write->options, &update->aliased);
    update->returning = NULL;
    if (write->options.returning) return_rows(L, call, &write->options, &update->returning);
    call->statement = render_update(&call->arena, call->db->dialect, update, &call->error);
    if (error_is_set(&call->error)) return call_raise(L, call);
    call->next = run_statement_once;
    call->results = affected_results;
    return call_run(L, call);
}

static int update_rows(lua_State *L) {
    lua_settop(L, 3);
    struct call *call = call_open_class(L, 1);
    struct write *write = write_new(call);
    struct update update = { .model = call->model };
    bool fine = read_write_options(L, call, 3, WRITE_WHERE | WRITE_ROW, &write->options)
             && check_condition(call, &write->options, "update");
    if (fine) read_assignments(L, call, 2, &update);
    if (update.set) bump_version(call, &update);
    leave_out_deleted_rows(call, &write->options);
    write_tells(call, true);
    return run_update(L, call, &update);
}

static const struct statement *delete_statement(lua_State *L, struct call *call, struct write_options *options) {
    if (removes_softly(call->model, options)) leave_out_deleted_rows(call, options);
    struct delete delete = { .from = call->model };
    delete.where = written_rows(call, options, &delete.aliased);
    if (error_is_set(&call->error)) return NULL;
    if (options->returning) return_rows(L, call, options, &delete.returning);
    return removal_statement(call, &delete, options);
}

static const struct statement *truncate_statement(struct call *call, const struct write_options *options) {
    if (options->where_given || options->limit >= 0 || options->returning) {
        error_set(&call->error, &call->arena, ERROR_USAGE, "%s:destroy: truncate removes all rows; where, limit and returning "
                  "don't go with it", call->model->name);
        return NULL;
    }
    return ddl_truncate(&call->arena, call->db->dialect, call->model, false, false, &call->error);
}

static int destroy_rows_plainly(lua_State *L) {
    struct call *call = call_open_class(L, 1);
    struct write *write = write_new(call);
    struct write_options *options = &write->options;
    bool fine = read_write_options(L, call, 2, WRITE_WHERE | WRITE_DESTROY | WRITE_TRUNCATE, options)
             && (options->truncate || check_condition(call, options, "destroy"));
    if (fine) call->statement = options->truncate ? truncate_statement(call, options) : delete_statement(L, call, options);
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (options->truncate && !call->db->dry) {
        call_close(L, call);
        return call_handler(L, HANDLER_TRUNCATE, 2);
    }
    write_tells(call, true);
    call->next = run_statement_once;
    call->results = affected_results;
    return call_run(L, call);
}

/* core.check_condition(class, options, verb): raises what update, destroy … of these rows would raise for the options */
static int check_rows_named(lua_State *L) {
    lua_settop(L, 3);
    struct write_options options = { .limit = -1 };
    const char *verb = luaL_checkstring(L, 3);
    struct call *call = call_open_class(L, 1);
    int sets = WRITE_WHERE | WRITE_ROW | WRITE_DESTROY | WRITE_COUNTER | WRITE_TRUNCATE;
    bool fine = read_write_options(L, call, 2, sets, &options) && (options.truncate || check_condition(call, &options, verb));
    if (!fine) return call_raise(L, call);
    call_close(L, call);
    return 0;
}

/* Which options a verb has. */
static const char *const verbs[] = { "save", "create", "bulkCreate", "destroy", "restore", "upsert", "link", "update", "build",
                                     "increment", "destroy rows", NULL };
static const int verb_sets[] = { WRITE_ROW, WRITE_ROW | WRITE_CREATE, WRITE_ROW | WRITE_BULK, WRITE_DESTROY, WRITE_RESTORE,
                                 WRITE_UPSERT, WRITE_LINK, WRITE_ROW | WRITE_WHERE, WRITE_BUILD, WRITE_WHERE | WRITE_COUNTER,
                                 WRITE_WHERE | WRITE_DESTROY | WRITE_TRUNCATE };

/* core.write_options(verb) → set of names */
static int write_option_names(lua_State *L) {
    push_write_option_names(L, verb_sets[luaL_checkoption(L, 1, NULL, verbs)]);
    return 1;
}

/* core.check_write_options(class, options, verb): raises what the call would raise for its options */
static int check_options(lua_State *L) {
    lua_settop(L, 3);
    struct write_options options = { .limit = -1 };
    int verb = luaL_checkoption(L, 3, NULL, verbs);
    struct call *call = call_open_class(L, 1);
    if (!read_write_options(L, call, 2, verb_sets[verb], &options)) return call_raise(L, call);
    call_close(L, call);
    return 0;
}

/* core.has_condition(class, where) → whether it restricts the rows; raises for what is wrong in it */
static int has_condition(lua_State *L) {
    lua_settop(L, 2);
    struct call *call = call_open_class(L, 1);
    struct select *named;
    bool some = read_named_rows(L, call, 2, &named) != NULL;
    if (error_is_set(&call->error)) return call_raise(L, call);
    call_close(L, call);
    lua_pushboolean(L, some);
    return 1;
}

/* Model:destroy(options, plainly) */
static int destroy_rows(lua_State *L) {
    bool plainly = lua_toboolean(L, 3);
    lua_settop(L, 2);
    const struct model_box *box = check_class(L, 1);
    if (box->has_dependents && !plainly && !skips_dependents(L, 2)) return call_handler(L, HANDLER_DESTROY_WHERE, 2);
    return destroy_rows_plainly(L);
}

void open_many_writes(lua_State *L) {
    static const luaL_Reg functions[] = { { "update", update_rows }, { "destroy", destroy_rows }, { NULL, NULL } };
    static const luaL_Reg checks[] = {
        { "check_condition", check_rows_named }, { "check_write_options", check_options }, { "has_condition", has_condition },
        { "write_options", write_option_names }, { NULL, NULL },
    };
    add_functions(L, functions);
    lua_insert(L, -2);
    add_functions(L, checks);
    lua_insert(L, -2);
}
