/* One row on its way in: built, completed, checked, inserted, adopted. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/names.h"
#include "lua/marker.h"
#include "base/uuid.h"
#include "lua/value.h"
#include "lua/write.h"

struct value call_now(struct call *call) {
    if (!*call->now) datetime_now(call->now);
    return value_text(call->now, DATETIME_LEN);
}

/* ------------------------------------------------------------------------------------------------------- faults */

struct fault {
    struct fault *next;
    const struct attr *attr;
    const char *validator, *message;
    struct value value;
};

void add_fault(struct call *call, const struct attr *attr, const char *validator, const char *message, struct value value) {
    struct fault **link = &call->faults;
    while (*link) link = &(*link)->next;
    *link = arena_new(&call->arena, struct fault);
    **link = (struct fault){ NULL, attr, validator, message, value };
}

bool no_faults(struct call *call) {
    const struct fault *first = call->faults;
    if (!first) return !error_is_set(&call->error);
    struct buf message;
    buf_init(&message, &call->arena);
    for (const struct fault *fault = first; fault; fault = fault->next) {
        if (fault != first) buf_adds(&message, "; ");
        buf_adds(&message, fault->message);
    }
    error_set(&call->error, &call->arena, ERROR_VALIDATION, "%s", message.text);
    call->error.model = first->attr->model->name;
    call->error.attribute = first->attr->name;
    call->error.value = first->value;
    call->error.has_value = true;
    return false;
}

void push_faults(lua_State *L, const struct call *call) {
    int count = 0;
    lua_newtable(L);
    for (const struct fault *fault = call->faults; fault; fault = fault->next) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, fault->attr->name);
        lua_setfield(L, -2, "attribute");
        lua_pushstring(L, fault->validator);
        lua_setfield(L, -2, "validator");
        lua_pushstring(L, fault->message);
        lua_setfield(L, -2, "message");
        push_value(L, fault->value);
        lua_setfield(L, -2, "value");
        lua_rawseti(L, -2, ++count);
    }
}

/* ----------------------------------------------------------------------------------------------------- building */

static bool unknown_key(struct call *call, const char *name) {
    const struct model *model = call->model;
    struct nearest nearest = { .word = name };
    for (int i = 0; i < model->attr_count; i++) nearest_offer(&nearest, model->attrs[i]->name);
    if (nearest.best)
        error_set(&call->error, &call->arena, ERROR_USAGE, "%s has no attribute \"%s\" (did you mean \"%s\"?)", model->name, name,
                  nearest.best);
    else
        error_set(&call->error, &call->arena, ERROR_USAGE, "%s has no attribute \"%s\"", model->name, name);
    call->error.model = model->name;
    call->error.path = arena_text(&call->arena, name, strlen(name));
    return false;
}

/* True for the name of a junction model over which rows of this model are reached: the property may hold junction values. */
static bool is_junction_name(const struct call *call, const char *name) {
    for (const struct model *model = call->db->schema.models; model; model = model->next)
        for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next)
            if (assoc->target == call->model && assoc_through(assoc) && strcmp(assoc_through(assoc)->name, name) == 0) return true;
    return false;
}

static bool check_key(lua_State *L, struct call *call) {
    if (lua_type(L, -2) != LUA_TSTRING)
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: values are given by attribute name; there is a key that is %s",
                         call->model->name, kind_text(L, -2));
    const char *name = name_at(L, -2);
    if (attr_find(call->model, name) || *name == '_' || is_junction_name(call, name)) return true;
    if (assoc_find(call->model, name))
        return error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s: \"%s\" is an association; writing it together with its owner (include) is not available yet",
                         call->model->name, name);
    return unknown_key(call, name);
}

bool build_instance(lua_State *L, struct call *call, int model_index, int index) {
    index = lua_absindex(L, index);
    lua_createtable(L, 0, call->model->attr_count);
    int instance = lua_gettop(L);
    if (!lua_isnoneornil(L, index)) {
        if (!lua_istable(L, index) || class_model(L, index))
            return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: a table of values expected, got %s", call->model->name,
                             kind_text(L, index));
        for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
            if (!check_key(L, call)) return false;
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, instance);
        }
    }
    push_unsaved_metatable(L, model_index);
    lua_setmetatable(L, instance);
    return true;
}

/* ---------------------------------------------------------------------------------------------------- preparing */

/* NOW for a DATEONLY or TIME column is a part of the reading. */
static void cut_now(struct call *call, const struct attr *attr, struct value *value) {
    if (attr->type.id == TYPE_DATEONLY) value->len = 10;
    if (attr->type.id == TYPE_TIME) *value = value_text(call->now + 11, 8);
}

bool default_of(struct call *call, const struct attr *attr, struct value *value) {
    const struct model *model = attr->model;
    switch (attr->default_kind) {
    case DEFAULT_VALUE: *value = attr->default_value; return true;
    case DEFAULT_NOW:   *value = call_now(call); cut_now(call, attr, value); return true;
    case DEFAULT_UUID4: *value = uuid_v4(&call->arena); return true;
    case DEFAULT_UUID7: *value = uuid_v7(&call->arena); return true;
    default:            break;
    }
    if (attr != model->created_at && attr != model->updated_at) return false;
    *value = call_now(call);
    return true;
}

static bool fill_default(lua_State *L, struct call *call, int index, const struct attr *attr) {
    struct error error = { .code = ERROR_NONE };
    struct value value;
    if (!default_of(call, attr, &value)) return false;
    lua_pushstring(L, attr->name);
    if (!push_logical(L, call->db, attr, value, &call->arena, &error)) lua_pushnil(L);
    lua_rawset(L, index);
    return true;
}

void fill_visible_defaults(lua_State *L, struct call *call, int index) {
    for (int i = 0; i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        bool visible = attr->default_kind == DEFAULT_VALUE || attr->default_kind == DEFAULT_UUID4
                    || attr->default_kind == DEFAULT_UUID7;
        push_attribute(L, index, attr);
        bool absent = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (visible && absent) fill_default(L, call, index, attr);
    }
}

/* Dates are written with milliseconds, whatever was given. */
static void cut_date(struct call *call, const struct attr *attr, struct value *value) {
    if (attr->type.id != TYPE_DATE || value->kind != VALUE_TEXT || value->len <= DATETIME_LEN) return;
    char *text = arena_text(&call->arena, value->as.text, value->len);
    *value = value_text(text, datetime_cut(text, value->len));
}

bool read_written_value(lua_State *L, struct call *call, int index, const struct attr *attr, struct value *value) {
    struct error error = { .code = ERROR_NONE };
    if (read_attr_value(L, index, attr, value, &call->arena, &error)) {
        cut_date(call, attr, value);
        return true;
    }
    if (error.code != ERROR_VALIDATION) call->error = error;
    else add_fault(call, attr, "type", error.message, error.value);
    return false;
}

/* Leaves the value in the instance as a reload would give it; tables (JSON) stay as they are. */
static void canonicalise(lua_State *L, struct call *call, int index, const struct attr *attr, struct value value, int given) {
    struct error error = { .code = ERROR_NONE };
    if (lua_istable(L, given)) {
        bool date = attr->type.id == TYPE_DATE || attr->type.id == TYPE_DATEONLY || attr->type.id == TYPE_TIME;
        if (!date) return;
    }
    lua_pushstring(L, attr->name);
    if (!push_logical(L, call->db, attr, value, &call->arena, &error)) lua_pushnil(L);
    if (lua_rawequal(L, -1, given) && lua_type(L, -1) == lua_type(L, given)) lua_pop(L, 2);
    else lua_rawset(L, index);
}

/* A generated key, or a value the database makes by itself, may be absent. */
static bool may_be_absent(const struct attr *attr) {
    return attr->auto_increment || attr->default_kind == DEFAULT_SQL || attr->type.id == TYPE_VIRTUAL;
}

static void check_null(struct call *call, const struct attr *attr, const struct write_options *options) {
    if (attr->allow_null || options->no_validate || may_be_absent(attr)) return;
    if (options->fields && !options->fields[attr->ordinal]) return;
    const char *message = arena_printf(&call->arena, "%s.%s must not be null", attr->model->name, attr->name);
    add_fault(call, attr, "notNull", message, value_null());
}

/* Back to the row's beginning: a default that the caller turned off by `fields` is not filled in. */
static bool wanted(const struct attr *attr, const struct write_options *options) {
    const struct model *model = attr->model;
    return !options->fields || options->fields[attr->ordinal] || attr->primary || attr == model->created_at
        || attr == model->updated_at || attr->default_kind == DEFAULT_VALUE;
}

static bool prepare_attr(lua_State *L, struct call *call, int index, const struct attr *attr, const struct write_options *options) {
    struct value value;
    push_attribute(L, index, attr);
    int given = lua_gettop(L);
    bool fine = true;
    if (marker_test(L, given)) {
        call->expressions = true;
    } else if (is_null(L, given)) {
        bool absent = lua_isnil(L, given);
        if (!absent) {
            lua_pushstring(L, attr->name);
            lua_pushnil(L);
            lua_rawset(L, index);
        }
        if (!(absent && wanted(attr, options) && fill_default(L, call, index, attr))) check_null(call, attr, options);
    } else {
        fine = read_written_value(L, call, given, attr, &value);
        if (fine) canonicalise(L, call, index, attr, value, given);
    }
    lua_settop(L, given - 1);
    return fine || !error_is_set(&call->error);
}

static bool known_alias(lua_State *L, int rowset_index, const char *name) {
    if (lua_getiuservalue(L, rowset_index, ROWSET_ALIASES) != LUA_TTABLE) {
        lua_pop(L, 1);
        return false;
    }
    lua_getfield(L, -1, name);
    bool known = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return known;
}

/* A key that is no attribute: fine if liga or the user put it there for a reason that save knows. */
static bool check_foreign_key_name(lua_State *L, struct call *call, int rowset_index) {
    if (lua_type(L, -2) != LUA_TSTRING)
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: an instance holds named values; there is a key that is %s",
                         call->model->name, kind_text(L, -2));
    const char *name = name_at(L, -2);
    if (attr_find(call->model, name) || *name == '_' || known_alias(L, rowset_index, name) || is_junction_name(call, name)) return true;
    const struct assoc *assoc = assoc_find(call->model, name);
    if (!assoc) return unknown_key(call, name);
    const struct verb_row *verb = assoc->kind->verbs;
    while (verb->verb != VERB_SET) verb++;
    error_set(&call->error, &call->arena, ERROR_USAGE, "%s: assigning \"%s\" changes no row; use %s", call->model->name, name,
              verb_method_name(verb, assoc, &call->arena));
    call->error.path = assoc->name;
    return false;
}

/* The keys are counted first: where all of them are attributes no name has to be looked up. */
bool check_instance_keys(lua_State *L, struct call *call, int index, int rowset_index) {
    int attributes = 0, keys = 0;
    for (int i = 0; i < call->model->attr_count; i++) {
        push_attribute(L, index, call->model->attrs[i]);
        attributes += !lua_isnil(L, -1);
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) keys++;
    if (keys == attributes) return true;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (!check_foreign_key_name(L, call, rowset_index)) return false;
    return true;
}

bool prepare_row(lua_State *L, struct call *call, int index, const struct write_options *options) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, 10, "too many nested calls");
    for (int i = 0; i < call->model->attr_count; i++)
        if (!prepare_attr(L, call, index, call->model->attrs[i], options)) return false;
    return true;
}

void drop_unlisted(lua_State *L, struct call *call, int index, const struct write_options *options) {
    for (int i = 0; options->fields && i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        if (options->fields[i] || attr->primary) continue;
        lua_pushstring(L, attr->name);
        lua_pushnil(L);
        lua_rawset(L, index);
    }
}

/* ---------------------------------------------------------------------------------------------------- inserting */

/* Columns of the INSERT: every attribute but those that the database fills in, and those left out by `fields`. */
static bool inserted(lua_State *L, int index, const struct attr *attr, const struct write_options *options) {
    if (attr->type.id == TYPE_VIRTUAL) return false;
    if (!wanted(attr, options)) return false;
    push_attribute(L, index, attr);
    bool given = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return given || !may_be_absent(attr);
}

static const struct expr *written_expr(lua_State *L, struct call *call, const struct attr *attr, int index) {
    struct value value;
    if (marker_test(L, index)) {
        struct where_reader reader = { .call = call, .model = call->model, .arena = &call->arena, .error = &call->error,
                                       .path = attr->name };
        return read_expression(L, &reader, index);
    }
    if (!read_written_value(L, call, index, attr, &value)) return NULL;
    type_store(&attr->type, &value, &call->arena);
    return expr_param(&call->arena, value);
}

static void return_attr(struct call *call, struct insert *insert, const struct attr *attr) {
    output_add(&call->arena, &insert->returning, expr_column(&call->arena, attr, ALIAS_HERE), NULL);
}

/* What the database computes comes back by RETURNING, the generated key by the driver where it can. */
static void plan_returning(lua_State *L, struct call *call, struct insert *insert, int index) {
    for (int i = 0; i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        push_attribute(L, index, attr);
        bool computed = marker_test(L, -1) || (attr->default_kind == DEFAULT_SQL && lua_isnil(L, -1));
        lua_pop(L, 1);
        if (computed) return_attr(call, insert, attr);
    }
}

struct insert *plan_insert(lua_State *L, struct call *call, int index, const struct write_options *options) {
    const struct model *model = call->model;
    struct insert *insert = arena_new(&call->arena, struct insert);
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, model->attr_count + 1);
    struct value *values = arena_array(&call->arena, struct value, model->attr_count + 1);
    const struct expr **cells = call->expressions ? arena_array(&call->arena, const struct expr *, model->attr_count + 1) : NULL;
    insert->into = model;
    insert->attrs = attrs;
    insert->rows = 1;
    index = lua_absindex(L, index);
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        if (!inserted(L, index, attr, options)) continue;
        push_attribute(L, index, attr);
        int at = insert->attr_count++;
        attrs[at] = attr;
        if (cells) cells[at] = written_expr(L, call, attr, lua_gettop(L));
        else if (read_written_value(L, call, lua_gettop(L), attr, &values[at])) type_store(&attr->type, &values[at], &call->arena);
        lua_pop(L, 1);
    }
    if (cells) insert->cells = cells;
    else insert->values = values;
    plan_returning(L, call, insert, index);
    return insert;
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

/* The instance holds canonical values already: its originals are what it holds. */
void keep_originals(lua_State *L, struct call *call, struct rowset *rowset, int row, int index, int texts) {
    for (int i = 0; i < rowset->width; i++) {
        push_attribute(L, index, rowset->model->attrs[i]);
        if (!marker_test(L, -1)) keep_original(L, call, rowset, row, rowset->model->attrs[i], texts);
        lua_pop(L, 1);
    }
}

void adopt_row(lua_State *L, struct call *call, int index, int64_t generated) {
    const struct model *model = call->model;
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    if (model->auto_key) {
        push_attribute(L, index, model->auto_key);
        bool absent = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (absent) {
            lua_pushstring(L, model->auto_key->name);
            lua_pushinteger(L, generated);
            lua_rawset(L, index);
        }
    }
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), model);
    struct rowset *rowset = rowset_open(L, lua_gettop(L));
    lua_pushvalue(L, -1);
    lua_setmetatable(L, index);
    lua_rawgeti(L, -1, 1);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    keep_originals(L, call, rowset, rowset_register(rowset, lua_topointer(L, index)), index, lua_gettop(L));
    lua_settop(L, top);
}
