/* A row that was checked: its INSERT, and what becomes of its instance. */
#include <string.h>

#include "lua/kept_text.h"
#include "lua/marker.h"
#include "lua/value.h"
#include "lua/write.h"

static const struct expr *written_expr(lua_State *L, struct call *call, const struct attr *attr, int index, struct value value) {
    if (marker_test(L, index)) {
        struct where_reader reader = where_reader(call, call->model, attr->name);
        return read_expression(L, &reader, index);
    }
    type_store(&attr->type, &value, &call->arena);
    return expr_param(&call->arena, value);
}

/* Cells instead of values: some are expressions. */
static void add_cells(lua_State *L, struct call *call, int index, const struct row *row, struct insert *insert) {
    const struct expr **cells = arena_array(&call->arena, const struct expr *, insert->attr_count + 1);
    for (int i = 0; i < insert->attr_count; i++) {
        push_attribute(L, index, insert->attrs[i]);
        cells[i] = written_expr(L, call, insert->attrs[i], lua_gettop(L), row->values[insert->attrs[i]->ordinal]);
        lua_pop(L, 1);
    }
    insert->cells = cells;
}

void return_attr(struct call *call, struct insert *insert, const struct attr *attr) {
    output_add(&call->arena, &insert->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
}

/* What the database computes comes back by RETURNING, the generated key by the driver where it can. */
static void plan_returning(lua_State *L, struct call *call, struct insert *insert, int index) {
    for (int i = 0; i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        push_attribute(L, index, attr);
        bool computed = marker_test(L, -1) || (attr->default_kind == DEFAULT_SQL && lua_isnil(L, -1))
                     || (type_is_rewritten(&attr->type) && !lua_isnil(L, -1));
        lua_pop(L, 1);
        if (computed) return_attr(call, insert, attr);
    }
}

/* Whether the database may store another value of the attribute than is sent. */
static bool may_differ(const struct attr *attr, const struct row *row) {
    return type_is_rewritten(&attr->type) || (attr->default_kind == DEFAULT_SQL && !row->present[attr->ordinal]);
}

struct insert *plan_insert(lua_State *L, struct call *call, int index, const struct row *row) {
    const struct model *model = call->model;
    struct insert *insert = arena_new(&call->arena, struct insert);
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, attr_room(model));
    struct value *values = arena_array(&call->arena, struct value, attr_room(model));
    insert->into = model;
    insert->attrs = attrs;
    insert->rows = 1;
    index = lua_absindex(L, index);
    bool computed = call->expressions;
    for (int i = 0; i < model->attr_count; i++) {
        computed = computed || may_differ(model->attrs[i], row);
        if (!row->present[i]) continue;
        attrs[insert->attr_count] = model->attrs[i];
        values[insert->attr_count] = row->values[i];
        type_store(&model->attrs[i]->type, &values[insert->attr_count++], &call->arena);
    }
    if (call->expressions) add_cells(L, call, index, row, insert);
    else insert->values = values;
    if (computed) plan_returning(L, call, insert, index);
    bool makes_key = model->auto_key && !row->present[model->auto_key->ordinal];
    if (makes_key && call->db->dialect->returns_keys) return_attr(call, insert, model->auto_key);
    return insert;
}

/* A key that the database makes, and nothing else, comes back: the columns of the INSERT tell whether. */
static bool returns_key_only(const struct insert *insert) {
    const struct output *first = insert->returning;
    return !first || (!first->next && first->expr->attr == insert->into->auto_key);
}

/* The texts of a model's INSERTs differ only by their columns: the one used last is kept with the model. */

static uint64_t column_bits(const struct insert *insert) {
    uint64_t bits = 0;
    for (int i = 0; i < insert->attr_count; i++) bits |= (uint64_t)1 << insert->attrs[i]->ordinal;
    return bits;
}

const struct statement *insert_statement(struct call *call, const struct insert *insert, struct cached_write *cached) {
    const struct model *model = insert->into;
    bool plain = cached && insert->values && returns_key_only(insert) && insert->rows == 1 && insert->attr_count
              && insert->conflict != CONFLICT_UPDATE && model->attr_count <= CACHED_COLUMNS;
    uint64_t columns = plain ? column_bits(insert) : 0;
    const struct statement *statement = kept_write(call, cached, model, columns, insert->values, insert->attr_count);
    if (statement) return statement;
    statement = render_insert(&call->arena, call->db->dialect, insert, &call->error);
    keep_write(call, cached, model, columns, statement);
    return statement;
}

/* ------------------------------------------------------------------------------------------------------ adopting */

static void keep_original(lua_State *L, struct call *call, struct rowset *rowset, int row, const struct attr *attr, int texts) {
    if (!lua_istable(L, -1)) {
        original_keep(L, rowset, row, attr, texts, lua_gettop(L));
        return;
    }
    struct value source;
    struct error error = { .code = ERROR_NONE };
    if (read_attr_value(L, lua_gettop(L), attr, &source, &call->arena, &error) && source.kind == VALUE_TEXT)
        original_keep_source(L, rowset, row, attr, texts, source);
}

/* The instance holds canonical values already: its originals are what it holds, but for those that are kept already. `written`
 * (NULL: all) says which attributes the row got. */
void keep_originals(lua_State *L, struct call *call, struct rowset *rowset, int row, int index, int names, int texts,
                    const bool *written) {
    for (int i = 0; i < rowset->width; i++) {
        if ((written && !written[i]) || original_kind(rowset, row, rowset->model->attrs[i]) != ORIGINAL_ABSENT) continue;
        lua_rawgeti(L, names, i + 1);
        lua_rawget(L, index);
        keep_original(L, call, rowset, row, rowset->model->attrs[i], texts);
        lua_pop(L, 1);
    }
}

/* False: the instance has its key already. */
static bool set_generated_key(lua_State *L, const struct attr *key, int index, int names, int64_t generated) {
    lua_rawgeti(L, names, key->ordinal + 1);
    lua_pushvalue(L, -1);
    bool absent = lua_rawget(L, index) == LUA_TNIL;
    lua_pop(L, 1);
    lua_pushinteger(L, generated);
    if (absent) lua_rawset(L, index);
    else lua_pop(L, 2);
    return absent;
}

/* As keep_originals, from the values that were written where they need no Lua string. */
static void keep_written(lua_State *L, struct call *call, struct rowset *rowset, int number, int index, int names, int texts,
                         const struct row *row) {
    for (int i = 0; i < rowset->width; i++) {
        const struct attr *attr = rowset->model->attrs[i];
        bool known = row->present[i] && !call->expressions;
        if (!row->present[i] && !may_be_absent(attr)) continue;
        if (original_kind(rowset, number, attr) != ORIGINAL_ABSENT) continue;
        if (known && original_keep_value(rowset, number, attr, row->values[i])) continue;
        lua_rawgeti(L, names, i + 1);
        lua_rawget(L, index);
        keep_original(L, call, rowset, number, attr, texts);
        lua_pop(L, 1);
    }
}

void adopt_row(lua_State *L, struct call *call, int index, int64_t generated, const struct row *row) {
    const struct model *model = call->model;
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    int model_index = push_model_names(L, call), names = model_index + 1;
    bool makes_key = model->auto_key && set_generated_key(L, model->auto_key, index, names, generated);
    const void *address = lua_topointer(L, index);
    bool kept = rowset_reopen(L, model_index, row->rowset, row->number, address);
    struct rowset *rowset = kept ? row->rowset : rowset_open(L, model_index, 1);
    lua_pushvalue(L, -1);
    lua_setmetatable(L, index);
    lua_rawgeti(L, -1, CHUNK_ROWSET);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    int number = kept ? row->number : rowset_register(rowset, address);
    if (makes_key) original_keep_value(rowset, number, model->auto_key, value_int(generated));
    keep_written(L, call, rowset, number, index, names, lua_gettop(L), row);
    lua_settop(L, top);
}
