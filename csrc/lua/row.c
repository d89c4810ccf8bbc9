/* One row on its way in: built, completed, checked. */
#include <string.h>

#include "base/datetime.h"
#include "base/names.h"
#include "base/uuid.h"
#include "lua/marker.h"
#include "lua/value.h"
#include "lua/write.h"

struct value call_now(struct call *call) {
    if (!*call->now) datetime_now(call->now);
    return value_text(call->now, DATETIME_LEN);
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
        return error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s: values are given by attribute name; there is a key that is %s",
                         call->model->name, kind_text(L, -2));
    const char *name = name_at(L, -2);
    if (attr_find(call->model, name) || *name == '_' || is_junction_name(call, name)) return true;
    if (assoc_find(call->model, name))
        return error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s: \"%s\" is an association: name it in include to write it together with its owner",
                         call->model->name, name);
    return unknown_key(call, name);
}

bool check_built(lua_State *L, struct call *call, int index) {
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (!check_key(L, call)) return false;
    return true;
}

bool build_instance(lua_State *L, struct call *call, int model_index, int index) {
    index = lua_absindex(L, index);
    model_index = lua_absindex(L, model_index);
    bool none = lua_isnoneornil(L, index);
    if (!none && (!lua_istable(L, index) || class_model(L, index)))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: a table of values expected, got %s", call->model->name,
                         kind_text(L, index));
    lua_createtable(L, 0, call->model->attr_count);
    int instance = lua_gettop(L);
    for (lua_pushnil(L); !none && lua_next(L, index);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, instance);
    }
    lua_settop(L, instance);
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

/* instance[name] = the value as an instance shows it, which becomes the original in the row's chunk, too (NULL: not yet); names: the
 * model's list of names. */
static void show_value(lua_State *L, struct call *call, int index, int names, const struct attr *attr, struct value value,
                       const struct row *row) {
    struct error error = { .code = ERROR_NONE };
    lua_rawgeti(L, names, attr->ordinal + 1);
    if (!push_logical(L, call->db, attr, value, &call->arena, &error)) lua_pushnil(L);
    if (row && !lua_istable(L, -1)) original_keep(L, row->rowset, row->number, attr, row->texts, lua_gettop(L));
    lua_rawset(L, index);
}

void fill_visible_defaults(lua_State *L, struct call *call, int index) {
    int top = lua_gettop(L), names = push_model_names(L, call) + 1;
    for (int i = 0; i < call->model->attr_count; i++) {
        const struct attr *attr = call->model->attrs[i];
        struct value value;
        bool visible = attr->default_kind == DEFAULT_VALUE || attr->default_kind == DEFAULT_UUID4
                    || attr->default_kind == DEFAULT_UUID7;
        push_attribute(L, index, attr);
        bool absent = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (visible && absent && default_of(call, attr, &value)) show_value(L, call, index, names, attr, value, NULL);
    }
    lua_settop(L, top);
}

static bool read_written(lua_State *L, struct call *call, int index, const struct attr *attr, struct value *value, bool keep) {
    struct error error = { .code = ERROR_NONE };
    bool fine = keep ? read_attr_value(L, index, attr, value, &call->arena, &error)
                     : borrow_attr_value(L, index, attr, value, &call->arena, &error);
    if (fine && attr_has_room(attr, value, &call->arena, &error)) {
        type_cut(&attr->type, value, &call->arena);
        return true;
    }
    if (error.code != ERROR_VALIDATION) call->error = error;
    else add_fault(call, attr, "type", error.message, error.value);
    if (error.code == ERROR_VALIDATION && !error.has_value) keep_fault_value(L, call, index);
    return false;
}

bool read_written_value(lua_State *L, struct call *call, int index, const struct attr *attr, struct value *value) {
    return read_written(L, call, index, attr, value, true);
}

/* True if the Lua value is what an instance that was read would hold. */
static bool is_canonical(lua_State *L, const struct call *call, const struct attr *attr, struct value value, int given) {
    size_t len;
    switch (lua_type(L, given)) {
    case LUA_TBOOLEAN: return value.kind == VALUE_BOOL;
    case LUA_TNUMBER:
        if (call->db->dates_epoch && attr->type.id == TYPE_DATE) return false;
        if (value.kind == VALUE_REAL && attr->type.single && value.as.real != lua_tonumber(L, given)) return false;
        return value.kind == (lua_isinteger(L, given) ? VALUE_INT : VALUE_REAL);
    case LUA_TSTRING: {
        if (call->db->dates_epoch && attr->type.id == TYPE_DATE) return false;
        const char *text = lua_tolstring(L, given, &len);
        bool text_like = value.kind == VALUE_TEXT || value.kind == VALUE_BLOB;
        return type_is_json(&attr->type) || (text_like && value.len == len && memcmp(value.as.text, text, len) == 0);
    }
    /* A JSON table stays: it is what is written. One of another type gets its canonical form, an os.date table its text. */
    case LUA_TTABLE: return type_is_json(&attr->type);
    default: return false;
    }
}

static bool in_fields(const struct write_options *options, const struct attr *attr) {
    const struct model *model = attr->model;
    return !options->fields || options->fields[attr->ordinal] || attr->primary || attr == model->created_at
        || attr == model->updated_at;
}

void check_null(struct call *call, const struct attr *attr, const struct write_options *options) {
    if (attr->allow_null || options->no_validate || may_be_absent(attr) || !in_fields(options, attr)) return;
    const char *message = arena_printf(&call->arena, "%s.%s must not be null", attr->model->name, attr->name);
    add_fault(call, attr, "notNull", message, value_null());
}

/* An absent attribute, or liga.null (which leaves the instance). */
static void prepare_absent(lua_State *L, struct call *call, int index, int names, const struct attr *attr,
                           const struct write_options *options, struct row *row) {
    bool absent = lua_isnil(L, -1);
    struct value *value = &row->values[attr->ordinal];
    *value = value_null();
    if (absent && (in_fields(options, attr) || attr->default_kind == DEFAULT_VALUE) && default_of(call, attr, value)) {
        show_value(L, call, index, names, attr, *value, row->rowset ? row : NULL);
        row->present[attr->ordinal] = true;
        return;
    }
    if (!absent) {
        lua_rawgeti(L, names, attr->ordinal + 1);
        lua_pushnil(L);
        lua_rawset(L, index);
    }
    row->present[attr->ordinal] = in_fields(options, attr) && (!absent || !may_be_absent(attr))
                               && attr->type.id != TYPE_VIRTUAL;
    check_null(call, attr, options);
}

/* A value that is shown as it was given: the same kind, the very same text, and a float that was not rounded. */
static bool is_same(struct value a, struct value b) {
    if (a.kind == VALUE_REAL && b.kind == VALUE_REAL) return a.as.real == b.as.real;
    bool text = a.kind == VALUE_TEXT || a.kind == VALUE_BLOB;
    return a.kind == b.kind && (!text || (a.as.text == b.as.text && a.len == b.len));
}

/* The common case: a plain value, on the top, that its type takes as it is. False: look closer. */
static bool take_plain(lua_State *L, struct call *call, const struct attr *attr, struct value *value, struct error *error) {
    struct value given;
    if (type_is_table(&attr->type) || attr->type.id == TYPE_BLOB) return false;
    if (attr->type.id == TYPE_DATE && (call->db->dates_epoch || lua_type(L, -1) != LUA_TSTRING)) return false;
    if (!borrow_plain(L, -1, &given)) return false;
    *value = given;
    return type_accept(&attr->type, value, &call->arena, error) && is_same(*value, given)
        && type_has_room(&attr->type, value, &call->arena, error)
        && (attr->type.id != TYPE_DATE || value->len <= DATETIME_LEN);
}

/* The value on the top, under its key, was taken. */
static void note_plain(lua_State *L, struct call *call, int index, const struct attr *attr, struct row *row) {
    struct value *value = &row->values[attr->ordinal];
    row->taken[attr->ordinal] = row->present[attr->ordinal] = true;
    if (row->rowset && !original_keep_value(row->rowset, row->number, attr, *value))
        original_keep_text(L, row->rowset, row->number, attr, row->texts);
    if (row->keep && value->kind == VALUE_TEXT) value->as.text = arena_text(&call->arena, value->as.text, value->len);
    if (!row->copies) return;
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, index);
}

/* Takes what needs no closer look, unless `fields` chooses among it, in one pass over the table, and counts the other keys. */
static void read_plain_values(lua_State *L, struct call *call, int from, int index, const struct write_options *options,
                              struct row *row) {
    struct error error = { .code = ERROR_NONE };
    int key = lua_gettop(L) + 1;
    for (lua_pushnil(L); lua_next(L, from); lua_settop(L, key)) {
        const struct attr *attr = attr_of_key(L, row->names, key);
        row->others += !attr;
        if (!attr || options->fields) continue;
        if (take_plain(L, call, attr, &row->values[attr->ordinal], &error)) note_plain(L, call, index, attr, row);
    }
}

static void copy_given(lua_State *L, int index, int names, const struct attr *attr, int given) {
    lua_rawgeti(L, names, attr->ordinal + 1);
    lua_pushvalue(L, given);
    lua_rawset(L, index);
}

static bool prepare_given(lua_State *L, struct call *call, int index, int names, const struct attr *attr,
                          const struct write_options *options, struct row *row) {
    int given = lua_gettop(L);
    struct value *value = &row->values[attr->ordinal];
    row->present[attr->ordinal] = in_fields(options, attr);
    bool expression = lua_type(L, given) == LUA_TUSERDATA && marker_test(L, given);
    if (expression) call->expressions = true;
    else if (!read_written(L, call, given, attr, value, row->keep)) return !error_is_set(&call->error);
    if (!expression && !is_canonical(L, call, attr, *value, given)) show_value(L, call, index, names, attr, *value, NULL);
    else if (row->copies) copy_given(L, index, names, attr, given);
    return true;
}

struct row *row_new(lua_State *L, struct call *call, int names, bool keep) {
    struct row *row = arena_new(&call->arena, struct row);
    row->values = arena_array(&call->arena, struct value, attr_room(call->model));
    row->present = arena_array(&call->arena, bool, attr_room(call->model));
    row->taken = arena_array(&call->arena, bool, attr_room(call->model));
    row->names = name_index(L, names);
    row->keep = keep;
    return row;
}

/* One attribute that was not taken in passing. */
static bool read_attr(lua_State *L, struct call *call, int from, int index, int names, const struct attr *attr,
                      const struct write_options *options, struct row *row) {
    lua_rawgeti(L, names, attr->ordinal + 1);
    int type = lua_rawget(L, from);
    bool null = type == LUA_TNIL || (type == LUA_TLIGHTUSERDATA && is_null(L, -1)), fine = true;
    if (row->copies && !null && !in_fields(options, attr)) {        /* not listed: as if it were not given */
        lua_pop(L, 1);
        lua_pushnil(L);
        null = true;
    }
    if (null) prepare_absent(L, call, index, names, attr, options, row);
    else fine = prepare_given(L, call, index, names, attr, options, row);
    lua_pop(L, 1);
    return fine;
}

/* Reads the table at `from` into the row and the instance at `index`; they may be the same. */
static bool read_row(lua_State *L, struct call *call, int from, int index, int names, const struct write_options *options,
                     struct row *row) {
    const struct model *model = call->model;
    row->others = 0;
    memset(row->taken, 0, (size_t)model->attr_count);
    read_plain_values(L, call, from, index, options, row);
    for (int i = 0; i < model->attr_count; i++)
        if (!row->taken[i] && !read_attr(L, call, from, index, names, model->attrs[i], options, row)) return false;
    return true;
}

bool prepare_row(lua_State *L, struct call *call, int index, int names, const struct write_options *options, struct row *row) {
    row->copies = false;
    return read_row(L, call, index, index, names, options, row);
}

/* The clock reading is the call's own text. */
static bool is_stamped(const struct call *call, const struct row *row, const struct attr *attr) {
    return attr && row->values[attr->ordinal].kind == VALUE_TEXT && row->values[attr->ordinal].as.text == call->now;
}

struct stamps stamps_given(const struct call *call, const struct row *row) {
    return (struct stamps){ is_stamped(call, row, call->model->created_at), is_stamped(call, row, call->model->updated_at) };
}

void forget_stamps(lua_State *L, const struct model *model, int index, struct stamps stamps) {
    const struct attr *forgotten[] = { stamps.created ? model->created_at : NULL, stamps.updated ? model->updated_at : NULL };
    for (int i = 0; i < 2; i++) {
        if (!forgotten[i]) continue;
        lua_pushstring(L, forgotten[i]->name);
        lua_pushnil(L);
        lua_rawset(L, index);
    }
}

/* Keys that are no attributes (junction values, the user's own with _) are checked and come along. */
static bool copy_others(lua_State *L, struct call *call, int from, int index) {
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
        if (!check_key(L, call)) return false;
        if (attr_find(call->model, name_at(L, -2))) continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, index);
    }
    return true;
}

bool build_row(lua_State *L, struct call *call, int from, int names, const struct write_options *options, struct row *row) {
    bool none = lua_isnoneornil(L, from);
    if (!none && (!lua_istable(L, from) || class_model(L, from)))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: a table of values expected, got %s", call->model->name,
                         kind_text(L, from));
    lua_createtable(L, 0, call->model->attr_count);
    int index = lua_gettop(L);
    row->copies = !none;
    return read_row(L, call, none ? index : from, index, names, options, row)
        && (!row->others || copy_others(L, call, from, index));
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

/* True if the value on the top is what was loaded into the instance under the association's name. */
static bool is_what_was_loaded(lua_State *L, int index, int rowset_index, const char *name) {
    const struct instance instance = instance_look(L, index);
    if (instance.state != INSTANCE_NONE) lua_pop(L, 1);
    if (instance.row < 0) return false;
    push_loaded(L, rowset_index, instance.row, name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return same;
}

/* A key that is no attribute: fine if liga or the user put it there for a reason that save knows. */
bool check_foreign_key_name(lua_State *L, struct call *call, int index, int rowset_index) {
    if (lua_type(L, -2) != LUA_TSTRING)
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: an instance holds named values; there is a key that is %s",
                         call->model->name, kind_text(L, -2));
    const char *name = name_at(L, -2);
    if (attr_find(call->model, name) || *name == '_' || known_alias(L, rowset_index, name) || is_junction_name(call, name))
        return true;
    const struct assoc *assoc = assoc_find(call->model, name);
    if (!assoc) return unknown_key(call, name);
    if (is_what_was_loaded(L, index, rowset_index, assoc->name)) return true;
    if (assoc->kind->path)
        return error_set(&call->error, &call->arena, ERROR_USAGE,
                         "%s: assigning \"%s\" changes no row: it is a path of associations",
                         call->model->name, name);
    error_set(&call->error, &call->arena, ERROR_USAGE, "%s: assigning \"%s\" changes no row; use %s", call->model->name, name,
              verb_method_name(assoc_verb(assoc, VERB_SET), assoc, &call->arena));
    call->error.path = assoc->name;
    return false;
}

bool check_instance_keys(lua_State *L, struct call *call, int index, int names, int rowset_index) {
    const struct name_index *attributes = name_index(L, names);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (!attr_of_key(L, attributes, -2) && !check_foreign_key_name(L, call, index, rowset_index)) return false;
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
