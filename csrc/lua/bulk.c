#include "lua/bulk.h"

#include <string.h>

#include "lua/bulk_chunks.h"
#include "lua/bulk_rows.h"
#include "lua/collector.h"
#include "lua/conflict.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/marker.h"
#include "lua/value.h"
#include "sql/ddl.h"

/* Statements on their way at once, with BEGIN and COMMIT: while the server works at one, the next is made. More would only take
 * memory. */
enum { TOGETHER = 22 };

struct bulk {
    struct write_options options;
    lua_Integer count, done, taken;     /* rows; rows sent, and rows whose answer was taken, so far */
    int rows;                           /* of the statement that runs */
    const struct attr **attrs;          /* columns */
    int attr_count;
    bool borrows;                       /* texts are bound where the instances hold them */
    bool generates;                     /* the database makes all keys */
    bool in_order;                      /* … and consecutively, so that the last one tells the others */
    bool singly;                        /* one row at a time: keys are given here and generated there, or computed values */
    bool answered;                      /* each row is read back: what became of it is known exactly */
    struct bulk_chunks chunks;
    bool early;                         /* … have the originals since the rows were read; all rows will be stored */
    bool handed;                        /* some instances are the caller's own, who sees what becomes of them */
    lua_Integer adopted;                /* rows that are instances of their chunk already */
    bool *given;                        /* by ordinal: some row brings a value */
    bool *keyed;                        /* by row: it brings its generated key along */
    struct stamps *stamped;             /* by row: the timestamps that the call gave to it */
    bool *skipped;                      /* by row: ignoreDuplicates left it out; NULL: none can be */
    bool *written;                      /* by ordinal: attributes that the rows got; NULL: all */
    bool watched, asking;               /* the table was asked for what would spoil the answers; is being asked */
    struct attr_list told;              /* ignoreDuplicates: what tells the rows that come back from those that were skipped */
    lua_Integer missing, missing_of;    /* rows that the first statement with such ones did not give back; 0: none */
    int made;                           /* statements by column so far */
    struct value *values;               /* rows × columns, stored form, of the statement that is made: one of … */
    struct value *room[TOGETHER];       /* … these; a statement keeps its own until it is answered */
    struct insert insert;
    bool by_column;                     /* a column is one parameter, an array: one text serves any number of rows */
    const struct statement *full;       /* else the statement of as many rows as it may have */
    struct statement filled;
};

/* ---------------------------------------------------------------------------------------------------- preparing */

static bool check_list(lua_State *L, struct call *call, struct bulk *bulk) {
    struct where_reader reader = where_reader(call, call->model, "bulkCreate");
    if (!lua_istable(L, 2))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:bulkCreate: a list expected, got %s", call->model->name,
                         kind_text(L, 2));
    bulk->count = list_length(L, &reader, 2);
    return bulk->count >= 0;
}

/* An instance stands for one row: it can't be in the list twice. The table of those seen hangs on the box. */
static bool is_repeated(lua_State *L, struct call *call, int index) {
    push_call_table(L, call, CALL_AUX);
    bool repeated = lua_rawgetp(L, -1, lua_topointer(L, index)) != LUA_TNIL;
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -3, lua_topointer(L, index));
    lua_pop(L, 2);
    return repeated;
}

/* A built instance is saved itself. */
static bool check_new(lua_State *L, struct call *call, const struct instance *instance, int index, int names, int rowset_index) {
    const char *problem = instance->rowset->model != call->model ? "an instance of another model"
                        : instance->state != INSTANCE_NEW ? "an instance that is stored already"
                        : is_repeated(L, call, index) ? "an instance twice" : NULL;
    if (!problem) return check_instance_keys(L, call, index, names, rowset_index);
    return error_set(&call->error, &call->arena, ERROR_USAGE, "%s:bulkCreate: %s is in the list", call->model->name, problem);
}

/* The row of the value at the top: an instance, which is prepared, or a plain table, of which one is made (it is never modified
 * itself). Leaves the instance on the top. */
static bool push_row(lua_State *L, struct call *call, int names, struct bulk *bulk, struct row *row) {
    int index = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE) return build_row(L, call, index, names, &bulk->options, row);
    bulk->handed = true;
    bool fine = check_new(L, call, &instance, index, names, lua_gettop(L));
    lua_settop(L, index);
    return fine && prepare_row(L, call, index, names, &bulk->options, row);
}

/* The originals of the row from 0 are kept while it is read. */
static void keep_early(lua_State *L, struct call *call, struct chunk_view *view, lua_Integer at, struct row *row) {
    chunk_view_row(L, call, view, at);
    row->rowset = view->rowset;
    row->texts = view->texts;
    row->number = rowset_reserve(view->rowset);
}

/* The rows are gone again, and with them the keys that the database made: an instance that kept one would be inserted with it. */
static void forget_rows(lua_State *L, struct call *call) {
    const struct bulk *bulk = call->data;
    const struct attr *key = call->model->auto_key;
    push_call_value(L, call, CALL_RESULT);
    int list = lua_gettop(L);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
        lua_rawgeti(L, list, i);
        forget_stamps(L, call->model, list + 1, bulk->stamped[i - 1]);
        if (key && !bulk->keyed[i - 1]) {
            lua_pushstring(L, key->name);
            lua_pushnil(L);
            lua_rawset(L, list + 1);
        }
        lua_settop(L, list);
    }
    lua_pop(L, 1);
}

static bool prepare_rows(lua_State *L, struct call *call, struct bulk *bulk) {
    push_list(L, (int)bulk->count);
    lua_pushvalue(L, -1);
    set_call_value(L, call, CALL_RESULT);
    call->forget = forget_rows;
    int list = lua_gettop(L), model = push_model_names(L, call), names = model + 1;
    struct chunk_view view = chunk_view_open(L, &bulk->chunks, model);
    int settled = lua_gettop(L);
    struct row *row = row_new(L, call, names, false);
    for (lua_Integer i = 1; i <= bulk->count; i++) {
        if (i % COLLECTOR_ROWS == 0) collector_spare(L, call);
        if (bulk->early) keep_early(L, call, &view, i - 1, row);
        lua_rawgeti(L, 2, i);
        if (bulk->answered && lua_istable(L, -1)) note_given(L, call, lua_gettop(L), true, bulk->given);
        if (!push_row(L, call, names, bulk, row)) return false;
        bulk->stamped[i - 1] = stamps_given(call, row);
        if (call->model->auto_key) bulk->keyed[i - 1] = row->values[call->model->auto_key->ordinal].kind != VALUE_NULL;
        lua_rawseti(L, list, i);
        lua_settop(L, settled);
    }
    lua_settop(L, list);
    return no_faults(call);
}

/* ------------------------------------------------------------------------------------------------------ columns */

struct presence {
    lua_Integer keys;                   /* rows that bring their generated key along */
    bool tables;                        /* some value is a table (JSON): it is encoded, not borrowed */
    bool *given;                        /* by ordinal: some row has it */
};

static bool is_there(lua_State *L, int list, lua_Integer row, const struct attr *attr) {
    lua_rawgeti(L, list, row);
    push_attribute(L, lua_gettop(L), attr);
    bool there = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return there;
}

static void note_presence(lua_State *L, struct call *call, int list, const struct bulk *bulk, struct presence *presence) {
    const struct model *model = call->model;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        bool optional = attr->auto_increment || attr->default_kind == DEFAULT_SQL;
        bool noted = attr == model->auto_key && !call->expressions;
        bool table = type_is_table(&attr->type);
        presence->tables = presence->tables || table || attr->type.stored != DATE_TEXT;
        presence->given[i] = !optional;
        for (lua_Integer row = 1; optional && row <= bulk->count; row++) {
            bool there = noted ? bulk->keyed[row - 1] : is_there(L, list, row, attr);
            presence->given[i] = presence->given[i] || there;
            presence->keys += there && attr->auto_increment;
        }
    }
}

static bool in_insert(const struct bulk *bulk, const struct attr *attr, const struct presence *presence) {
    if (attr->type.id == TYPE_VIRTUAL || !presence->given[attr->ordinal]) return false;
    const struct model *model = attr->model;
    return !bulk->options.fields || bulk->options.fields[attr->ordinal] || attr->primary || attr == model->created_at
        || attr == model->updated_at || attr->default_kind == DEFAULT_VALUE;
}

/* With `fields` some attributes stay out of the statement: what instances hold of them is not stored. */
static void note_written(struct call *call, struct bulk *bulk, const struct presence *presence) {
    const struct model *model = call->model;
    bool read_back = bulk->options.conflict == CONFLICT_UPDATE || (bulk->options.returning && !bulk->options.returned);
    if (!bulk->options.fields || read_back) return;
    bulk->written = arena_array(&call->arena, bool, attr_room(model));
    for (int i = 0; i < model->attr_count; i++)
        bulk->written[i] = !presence->given[i] || in_insert(bulk, model->attrs[i], presence);
}

/* An array of arrays would come apart into its elements. */
static bool all_scalar(const struct bulk *bulk) {
    for (int i = 0; i < bulk->attr_count; i++)
        if (bulk->attrs[i]->type.id == TYPE_ARRAY) return false;
    return true;
}

/* Whether every row that is sent has its answer: then many of them can go together. PostgreSQL does not update within one
 * statement what that has written; and what it skips is told by what comes back, if the rows differ in it. */
static bool has_answer_each(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    const struct write_options *options = &bulk->options;
    if (options->conflict == CONFLICT_ERROR) return true;
    if (options->conflict == CONFLICT_NOTHING) {
        struct attr_list told = telling_attrs(call, bulk->attrs, bulk->attr_count);
        bool tell = bulk->count > 1 && note_rows(L, call, list, bulk->count, told);
        if (tell) bulk->told = told;
        return tell;
    }
    return rows_differ(L, list, bulk->count,
                       options->conflict_fields.count ? options->conflict_fields : conflict_key(call, bulk->given));
}

static void choose_columns(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    const struct model *model = call->model;
    struct presence presence = { .given = arena_array(&call->arena, bool, attr_room(model)) };
    note_presence(L, call, list, bulk, &presence);
    bulk->attrs = arena_array(&call->arena, const struct attr *, attr_room(model));
    bool computed = call->expressions;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        computed = computed || attr->default_kind == DEFAULT_SQL;
        if (in_insert(bulk, attr, &presence)) bulk->attrs[bulk->attr_count++] = attr;
    }
    note_written(call, bulk, &presence);
    bulk->generates = model->auto_key && presence.keys == 0 && !bulk->answered;
    bulk->borrows = !presence.tables;
    bulk->singly = computed || !bulk->attr_count || (presence.keys && presence.keys < bulk->count);
    bulk->in_order = bulk->generates;
    bulk->by_column = !bulk->singly && call->db->dialect->array_lists && all_scalar(bulk)
                   && (!bulk->answered || has_answer_each(L, call, bulk, list));
}

/* --------------------------------------------------------------------------------------------------- statements */

static int rows_per_statement(const struct call *call, const struct bulk *bulk) {
    int most = call->db->dialect->bulk_rows, fit = most_params(call) / (bulk->attr_count ? bulk->attr_count : 1);
    if (bulk->singly || (bulk->answered && !bulk->by_column) || fit < 1) return 1;
    return bulk->by_column || most < fit ? most : fit;
}

/* The value as the instance holds it: canonical by now, so that plain kinds are bound without a copy (nothing that could
 * collect or change the instance runs before the driver has stepped; of a driven call loggers, hooks and other coroutines do). */
static struct value borrowed(lua_State *L, int index) {
    size_t len;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return value_bool(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return lua_isinteger(L, index) ? value_int(lua_tointeger(L, index)) : value_real(lua_tonumber(L, index));
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &len);
        return value_text(text, len);
    }
    default: return value_null();
    }
}

static struct value row_value(lua_State *L, struct call *call, const struct bulk *bulk, const struct attr *attr) {
    struct value value = value_null();
    int index = lua_gettop(L);
    if (bulk->borrows && !call->driven && !call->db->dates_epoch) {
        value = borrowed(L, index);
        if (attr->type.id == TYPE_BLOB && value.kind == VALUE_TEXT) value.kind = VALUE_BLOB;
    } else {
        read_written_value(L, call, index, attr, &value);
        type_store(&attr->type, &value, &call->arena);
    }
    return value;
}

/* The value that was kept when the row was read; false: that one has to be looked at again. */
static bool early_value(lua_State *L, struct call *call, const struct bulk *bulk, const struct chunk_view *view, int number,
                        const struct attr *attr, struct value *value) {
    bool epoch = call->db->dates_epoch && attr->type.id == TYPE_DATE;
    if (epoch || !original_value(L, view->rowset, number, attr, view->texts, value)) return false;
    if (!bulk->borrows) type_store(&attr->type, value, &call->arena);
    return true;
}

static void fill_values(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    int top = lua_gettop(L), model = push_model_names(L, call), names = model + 1;
    struct chunk_view view = chunk_view_open(L, &bulk->chunks, model);
    for (int row = 0; row < bulk->rows; row++) {
        int number = bulk->early ? chunk_view_row(L, call, &view, bulk->done + row) : 0;
        lua_rawgeti(L, list, bulk->done + row + 1);
        int index = lua_gettop(L);
        for (int i = 0; i < bulk->attr_count; i++) {
            struct value *value = &bulk->values[bulk->by_column ? i * bulk->rows + row : row * bulk->attr_count + i];
            if (bulk->early && early_value(L, call, bulk, &view, number, bulk->attrs[i], value)) continue;
            lua_rawgeti(L, names, bulk->attrs[i]->ordinal + 1);
            lua_rawget(L, index);
            *value = row_value(L, call, bulk, bulk->attrs[i]);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

static const struct statement *render(struct call *call, struct bulk *bulk) {
    bulk->insert.into = call->model;
    bulk->insert.attrs = bulk->attrs;
    bulk->insert.attr_count = bulk->attr_count;
    bulk->insert.values = bulk->values;
    bulk->insert.rows = bulk->rows;
    bulk->insert.by_column = bulk->by_column;
    bulk->insert.returning = NULL;
    bulk->insert.update = NULL;
    if (bulk->generates && call->db->dialect->returns_keys) return_attr(call, &bulk->insert, call->model->auto_key);
    if (bulk->answered && !plan_duplicates(call, &bulk->options, bulk->given, &bulk->insert)) return NULL;
    for (int i = 0; i < bulk->told.count; i++) return_attr(call, &bulk->insert, bulk->told.items[i]);
    struct statement *statement = render_insert(&call->arena, call->db->dialect, &bulk->insert, &call->error);
    bool usual = bulk->by_column || bulk->rows == 1 || bulk->rows == rows_per_statement(call, bulk);
    if (statement) statement->one_off = !usual;
    return statement;
}

static struct value *room_for_values(struct call *call, struct bulk *bulk, int rows) {
    struct value **room = &bulk->room[bulk->by_column ? bulk->made++ % TOGETHER : 0];
    if (!*room) *room = arena_array(&call->arena, struct value, rows * (bulk->attr_count + 1));
    return *room;
}

/* One text serves all statements of the full size; only its parameters change. */
static const struct statement *many_rows(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    int full = rows_per_statement(call, bulk);
    lua_Integer left = bulk->count - bulk->done;
    bulk->rows = left < full ? (int)left : full;
    bulk->values = room_for_values(call, bulk, bulk->count < full ? (int)bulk->count : full);
    fill_values(L, call, bulk, list);
    for (int row = 0; bulk->told.count && row < bulk->rows; row++) bulk->skipped[bulk->done + row] = true;     /* until it comes back */
    if (bulk->rows < full || bulk->by_column) return render(call, bulk);
    if (!bulk->full) bulk->full = render(call, bulk);
    if (!bulk->full) return NULL;
    bulk->filled = *bulk->full;
    bulk->filled.params = bulk->values;
    return &bulk->filled;
}

static const struct statement *one_row(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    bulk->rows = 1;
    lua_rawgeti(L, list, bulk->done + 1);
    int index = lua_gettop(L);
    int names = push_model_names(L, call) + 1;
    struct row *row = row_new(L, call, names, true);
    bool fine = prepare_row(L, call, index, names, &bulk->options, row) && no_faults(call);
    struct insert *insert = fine ? plan_insert(L, call, index, row) : NULL;
    lua_settop(L, index - 1);
    if (!insert) return NULL;
    if (bulk->answered && !plan_duplicates(call, &bulk->options, bulk->given, insert)) return NULL;
    bulk->insert.returning = insert->returning;
    if (bulk->answered) return render_insert(&call->arena, call->db->dialect, insert, &call->error);
    return insert_statement(call, insert, &((struct model *)(uintptr_t)call->model)->insert);
}

/* Whether the table has what would spoil the answers about many rows; the question is the dialect's. An answer is a yes. */
static const struct statement *ask_table(struct call *call, struct bulk *bulk) {
    const struct dialect *dialect = call->db->dialect;
    struct value *params = arena_array(&call->arena, struct value, 2);
    struct statement *statement = arena_new(&call->arena, struct statement);
    const char *table = dialect->schemas ? ddl_table_name(&call->arena, dialect, call->model) : call->model->table;
    params[0] = value_text(table, strlen(table));
    params[1] = column_list(call, bulk->told);
    statement->text = bulk->told.count ? dialect->ask_rewrites : dialect->ask_triggers;
    statement->len = strlen(statement->text);
    statement->params = params;
    statement->param_count = bulk->told.count ? 2 : 1;
    bulk->watched = bulk->asking = true;
    bulk->rows = 0;
    return statement;
}

/* Before many rows go together whose answers are taken by their order, or by what they hold. */
static bool has_to_ask(const struct call *call, const struct bulk *bulk) {
    if (bulk->watched || bulk->singly || bulk->count == 1) return false;
    return bulk->told.count || (bulk->in_order && call->db->dialect->ask_triggers);
}

/* -------------------------------------------------------------------------------------------------- taking keys */

static void adopt_rows(lua_State *L, struct call *call, struct bulk *bulk, int list) {
    const struct attr *auto_key = call->model->auto_key;
    if (bulk->skipped && !bulk->by_column && !call->affected) bulk->skipped[bulk->done] = true;
    if (auto_key && !call->db->dialect->returns_keys && !bulk->answered && (bulk->generates || bulk->singly)) {
        lua_pushstring(L, auto_key->name);
        int name = lua_gettop(L);
        for (int row = 0; row < bulk->rows; row++) {
            lua_rawgeti(L, list, bulk->done + row + 1);
            lua_pushvalue(L, name);
            bool absent = bulk->generates || lua_rawget(L, -2) == LUA_TNIL;
            if (!bulk->generates) lua_pop(L, 1);
            if (!bulk->generates) lua_pushvalue(L, name);
            lua_Integer generated = call->last_id - bulk->rows + 1 + row;
            lua_pushinteger(L, generated);
            if (absent && bulk->early) bulk_chunks_note(&bulk->chunks, bulk->done + row, auto_key, value_int(generated));
            if (absent) lua_rawset(L, -3);
            lua_settop(L, name);
        }
        lua_pop(L, 1);
    }
    bulk->done += bulk->rows;
}

/* Sets what RETURNING tells of the row `at`, from 0, in the table on the top. */
static void take_row(lua_State *L, struct call *call, const struct bulk *bulk, lua_Integer at) {
    int column = 0;
    for (const struct output *output = bulk->insert.returning; output; output = output->next, column++) {
        char scratch[TYPE_SCRATCH];
        struct error error = { .code = ERROR_NONE };
        struct value cell = call->cursor->cells[column];
        const struct attr *attr = output->expr->attr;
        if (cell.kind != VALUE_NULL) type_read(&attr->type, &cell, scratch, &call->arena);
        if (bulk->early) bulk_chunks_note(&bulk->chunks, at, attr, cell);
        lua_pushstring(L, attr->name);
        if (!push_logical(L, call->db, attr, cell, &call->arena, &error)) lua_pushnil(L);
        lua_rawset(L, -3);
    }
}

/* The row that comes back is found by what it holds, and was not skipped. */
static void take_told_row(lua_State *L, struct call *call, struct bulk *bulk) {
    int top = lua_gettop(L);
    lua_newtable(L);
    take_row(L, call, bulk, 0);
    lua_Integer place = find_row(L, call, top + 1, bulk->told);
    if (place) {
        bulk->skipped[place - 1] = false;
        push_call_value(L, call, CALL_RESULT);
        lua_rawgeti(L, -1, place);
        take_row(L, call, bulk, place - 1);
    } else {
        error_set(&call->error, &call->arena, ERROR_DATABASE, "%s:bulkCreate: the database gave a row back that was not sent",
                  call->model->name);
    }
    lua_settop(L, top);
}

/* Whether an instance is of its chunk as soon as its key has come, while the server works at the next ones. If they fail, nobody has
 * seen it. */
static bool adopts_early(const struct bulk *bulk) {
    return bulk->early && !bulk->handed && bulk->by_column && bulk->generates;
}

/* The instance on the top is the row `at` of those that are stored, both from 0. */
static void adopt_instance(lua_State *L, struct call *call, struct chunk_view *view, int names, lua_Integer at) {
    const struct bulk *bulk = call->data;
    int number = chunk_view_row(L, call, view, at), index = lua_gettop(L);
    const void *address = lua_topointer(L, index);
    if (bulk->early) rowset_put(view->rowset, number, address);
    else number = rowset_register(view->rowset, address);
    keep_originals(L, call, view->rowset, number, index, names, view->texts, bulk->written);
    lua_pushvalue(L, view->metatable);
    lua_setmetatable(L, index);
}

/* The rows of RETURNING come in the order of the rows that were sent: the database makes their keys in that order and hands each
 * row on as it is inserted. */
static void take_next_row(lua_State *L, struct call *call, struct bulk *bulk, int list, struct chunk_view *view) {
    lua_Integer at = bulk->taken + call->rows - 1;
    lua_rawgeti(L, list, at + 1);
    take_row(L, call, bulk, at);
    if (adopts_early(bulk)) {
        adopt_instance(L, call, view, view->model + 1, at);
        bulk->adopted = at + 1;
    }
    lua_pop(L, 1);
}

static enum drive take_answers(lua_State *L, struct call *call, struct bulk *bulk) {
    push_call_value(L, call, CALL_RESULT);
    int list = lua_gettop(L), model = push_model_names(L, call);
    struct chunk_view view = chunk_view_open(L, &bulk->chunks, model);
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        call->rows++;
        if (bulk->asking) continue;
        if (bulk->by_column && bulk->told.count) take_told_row(L, call, bulk);
        else take_next_row(L, call, bulk, list, &view);
    }
    lua_settop(L, list - 1);
    return drive;
}

/* Then each row is sent by itself. */
static void note_answer(const struct call *call, struct bulk *bulk) {
    bulk->asking = false;
    if (!call->rows) return;
    bulk->singly = true;
    bulk->by_column = false;
}

/* Rows that come back are told apart by their number, unless by what they hold: a trigger that leaves one out would give its key's
 * place to the next. Only noted here: what ends the transaction may be on its way already. */
static void note_missing(const struct call *call, struct bulk *bulk) {
    lua_Integer left = bulk->count - bulk->taken, full = rows_per_statement(call, bulk), sent = left < full ? left : full;
    bulk->taken += sent;
    if (!bulk->insert.returning || bulk->told.count || call->rows == sent || bulk->missing_of) return;
    bulk->missing = sent - call->rows;
    bulk->missing_of = sent;
}

static bool refuse_missing(struct call *call, const struct bulk *bulk, bool undone) {
    if (!bulk->missing_of || error_is_set(&call->error)) return false;
    error_set(&call->error, &call->arena, ERROR_DATABASE, "%s:bulkCreate: %d of %d rows were not stored, and the database does not tell "
              "which ones: does a trigger leave rows out? create them one by one", call->model->name, (int)bulk->missing,
              (int)bulk->missing_of);
    call->error.outcome = undone ? OUTCOME_ROLLED_BACK : call->lease ? OUTCOME_NONE : OUTCOME_COMMITTED;
    return true;
}

static enum drive take_bulk(lua_State *L, struct call *call) {
    struct bulk *bulk = call->data;
    int sent = bulk->rows;
    enum drive drive = take_answers(L, call, bulk);
    if (bulk->asking && drive == DRIVE_DONE) note_answer(call, bulk);
    else if (bulk->by_column && drive == DRIVE_DONE) note_missing(call, bulk);
    else if (!bulk->asking) bulk->taken += sent;
    return drive;
}

static bool bulk_next(lua_State *L, struct call *call) {
    struct bulk *bulk = call->data;
    if (refuse_missing(call, bulk, call->atomic)) return false;
    push_call_value(L, call, CALL_RESULT);
    int list = lua_gettop(L);
    if (bulk->rows) adopt_rows(L, call, bulk, list);
    bulk->rows = 0;
    bool more = bulk->done < bulk->count;
    if (more && has_to_ask(call, bulk)) {
        call->statement = ask_table(call, bulk);
    } else if (more) {
        call->statement = bulk->singly ? one_row(L, call, bulk, list) : many_rows(L, call, bulk, list);
    }
    call->ahead = bulk->by_column && bulk->rows;
    call->window = call->ahead ? TOGETHER : 0;
    lua_settop(L, list - 1);
    return more && call->statement && !error_is_set(&call->error);
}

/* ------------------------------------------------------------------------------------------------------ results */

static void leave_unsaved(lua_State *L, const struct call *call, int index, int model_index, struct stamps stamps) {
    forget_stamps(L, call->model, index, stamps);
    push_unsaved_metatable(L, model_index);
    lua_setmetatable(L, index);
}

/* Chunks of their own for the list, as for one that was read; rows that were left out stay unsaved. */
static void adopt_all(lua_State *L, struct call *call, int list) {
    struct bulk *bulk = call->data;
    int model = push_model_names(L, call), names = model + 1;
    lua_Integer count = (lua_Integer)lua_rawlen(L, list), stored = bulk->adopted;
    struct chunk_view view = chunk_view_open(L, &bulk->chunks, model);
    for (lua_Integer i = bulk->adopted + 1; i <= count; i++) {
        if (i % COLLECTOR_ROWS == 0) collector_spare(L, call);
        lua_rawgeti(L, list, i);
        if (bulk->skipped && bulk->skipped[i - 1]) leave_unsaved(L, call, lua_gettop(L), model, bulk->stamped[i - 1]);
        else adopt_instance(L, call, &view, names, stored++);
        lua_pop(L, 1);
    }
    lua_settop(L, list);
}

static int bulk_results(lua_State *L, struct call *call) {
    if (refuse_missing(call, call->data, false)) return call_raise(L, call);
    push_call_value(L, call, CALL_RESULT);
    adopt_all(L, call, lua_gettop(L));
    return 1;
}

static void prepare_answers(struct call *call, struct bulk *bulk) {
    bulk->answered = bulk->options.conflict != CONFLICT_ERROR || bulk->options.returning;
    for (int i = 0; i < call->model->attr_count; i++)
        bulk->answered = bulk->answered || type_is_rewritten(&call->model->attrs[i]->type);
    bulk->given = arena_array(&call->arena, bool, attr_room(call->model));
    bulk->keyed = arena_array(&call->arena, bool, (int)bulk->count + 1);
    bulk->early = !bulk->answered && !bulk->options.fields;
    bulk_chunks_init(call, &bulk->chunks, bulk->count);
    bulk->stamped = arena_array(&call->arena, struct stamps, (int)bulk->count + 1);
    if (bulk->options.conflict == CONFLICT_NOTHING) bulk->skipped = arena_array(&call->arena, bool, (int)bulk->count + 1);
}

static const struct value *bulk_given(const struct call *call, const struct attr *attr, int row) {
    const struct bulk *bulk = call->data;
    for (int i = 0; bulk->values && i < bulk->attr_count && row < bulk->rows; i++)
        if (bulk->attrs[i] == attr) return &bulk->values[row * bulk->attr_count + i];
    return NULL;
}

static int bulk_filled(lua_State *L, struct model_box *box) {
    struct call *call = call_open_model(L, box, 1);
    struct bulk *bulk = arena_new(&call->arena, struct bulk);
    call->data = bulk;
    call->writes = true;
    bool fine = read_write_options(L, call, 3, WRITE_ROW | WRITE_BULK, &bulk->options) && check_list(L, call, bulk);
    if (fine) prepare_answers(call, bulk);
    if (!fine || !prepare_rows(L, call, bulk)) return call_raise(L, call);
    push_call_value(L, call, CALL_RESULT);
    if (!bulk->count) {
        call_close(L, call);
        return 1;
    }
    choose_columns(L, call, bulk, lua_gettop(L));
    call->atomic = bulk->count > rows_per_statement(call, bulk) || has_to_ask(call, bulk);
    call->next = bulk_next;
    call->take = take_bulk;
    call->results = bulk_results;
    call->effect.given = bulk_given;
    return call_run(L, call);
}

int bulk_create(lua_State *L) { return with_defaults(L, HANDLER_FILL_LIST, bulk_filled); }
