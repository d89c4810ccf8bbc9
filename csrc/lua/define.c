#include "lua/define.h"

#include <string.h>

#include "lua/access.h"
#include "lua/find.h"
#include "lua/marker.h"
#include "lua/rowset.h"
#include "lua/value.h"
#include "sql/ddl.h"

/* ----------------------------------------------------------------------------------------------- reading tables */

/* A text field in the schema's arena; NULL where it is absent. */
static const char *text_field(lua_State *L, struct db *db, int index, const char *key) {
    size_t len;
    lua_getfield(L, index, key);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (text) text = names_get(&db->schema.names, text, len);
    lua_pop(L, 1);
    return text;
}

static bool flag_field(lua_State *L, int index, const char *key) {
    lua_getfield(L, index, key);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

static int number_field(lua_State *L, int index, const char *key) {
    lua_getfield(L, index, key);
    int number = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return number;
}

static struct model_box *check_model(lua_State *L, int index) {
    struct model_box *box = userdata_check(L, index, USERDATA_MODEL, "a model");
    check_not_collected(L, box->db);
    box->db->L = L;
    return box;
}

/* The attributes named by the list in field `key`. */
static struct attr_list attrs_field(lua_State *L, struct model *model, int index, const char *key) {
    lua_getfield(L, index, key);
    int count = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
    struct arena *arena = model->schema->arena;
    const char **names = arena_array(arena, const char *, count + 1);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, -1, i + 1);
        const char *name = lua_tostring(L, -1);
        if (!name || !attr_find(model, name)) raise_usage(L, "%s has no attribute \"%s\"", model->name, name ? name : "?");
        names[i] = names_get(&model->schema->names, name, strlen(name));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return attr_list_new(model, names, count);
}

/* ------------------------------------------------------------------------------------------------------- models */

/* core.model(db, {name, table, schema, comment}) → model */
static int new_model(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    luaL_checktype(L, 2, LUA_TTABLE);
    check_not_collected(L, db);
    db->L = L;
    struct model_box *box = userdata_new(L, USERDATA_MODEL, sizeof *box, MODEL_VALUES);
    box->db = db;
    box->model = model_new(&db->schema, text_field(L, db, 2, "name"), text_field(L, db, 2, "table"));
    box->model->table_schema = text_field(L, db, 2, "schema");
    box->model->comment = text_field(L, db, 2, "comment");
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, MODEL_DB);
    lua_getiuservalue(L, 1, DB_MODELS);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, box->model->number);
    lua_pop(L, 1);
    return 1;
}

/* core.bind(model, class): makes the metatable of unsaved instances, the pattern for those of all chunks. */
static int bind(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    model_make_room(box->model);
    box->bound = true;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 1, MODEL_CLASS);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, MODEL_UNSAVED);
    struct rowset *rowset = rowset_new(L, 1, 0);
    rowset->unsaved = true;
    int metatable = lua_gettop(L);
    if (lua_getmetatable(L, 2) && lua_getfield(L, -1, "instance") == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2);) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, metatable);
        }
    }
    lua_settop(L, metatable);
    lua_pushliteral(L, "__index");          /* VIRTUAL attributes bring their own */
    if (lua_rawget(L, metatable) == LUA_TNIL) {
        lua_getfield(L, 2, "methods");
        lua_setfield(L, metatable, "__index");
    }
    lua_settop(L, metatable);
    lua_setiuservalue(L, 1, MODEL_UNSAVED);
    return 0;
}

static int set_dependents(lua_State *L) {
    check_model(L, 1)->has_dependents = lua_toboolean(L, 2);
    return 0;
}

/* core.set_behaves(model) */
static int set_behaves(lua_State *L) {
    check_model(L, 1)->model->behaves = true;
    return 0;
}

/* core.set_default_scope(model, where or nil) */
static int set_default_scope(lua_State *L) {
    lua_settop(L, 2);
    check_model(L, 1)->model->scoped = true;
    lua_setiuservalue(L, 1, MODEL_SCOPE);
    return 0;
}

static int set_pending(lua_State *L) {
    check_model(L, 1)->pending = lua_toboolean(L, 2);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- attributes */

static struct type read_type(lua_State *L, struct db *db, int index);

static const struct type *element_type(lua_State *L, struct db *db, int index) {
    lua_getfield(L, index, "element");
    const struct type *element = NULL;
    if (lua_istable(L, -1)) {
        struct type type = read_type(L, db, lua_gettop(L));
        element = arena_copy(&db->arena, &type, sizeof type);
    }
    lua_pop(L, 1);
    return element;
}

static enum date_form date_form(lua_State *L, int index) {
    static const char *const names[] = { "text", "space", "epoch", "mixed" };
    lua_getfield(L, index, "stored");
    const char *stored = lua_tostring(L, -1);
    int form = 0;
    for (int i = 0; stored && i < 4; i++)
        if (strcmp(names[i], stored) == 0) form = i;
    lua_pop(L, 1);
    return (enum date_form)form;
}

static struct type read_type(lua_State *L, struct db *db, int index) {
    lua_getfield(L, index, "name");
    const char *name = luaL_checkstring(L, -1);
    int id = type_find(name);
    if (id < 0) raise_usage(L, "unknown type %s", name);
    lua_pop(L, 1);
    struct type type = { .id = (enum type_id)id };
    type.length = number_field(L, index, "length");
    type.precision = number_field(L, index, "precision");
    type.scale = number_field(L, index, "scale");
    type.stored = db->dialect->date_forms ? date_form(L, index) : DATE_TEXT;
    type.nan = db->dialect->nan;
    type.single = db->dialect->single_reals;
    type.element = element_type(L, db, index);
    type.values = texts_field(L, db, index, "values", &type.value_count);
    return type;
}

/* The ENUM that the attribute or its elements are of gets its own name, quoted, in the schema that it says or that of the table. */
static void name_enum(lua_State *L, struct model_box *box, struct attr *attr, int index) {
    struct type *type = &attr->type;
    while (type->element) type = (struct type *)(uintptr_t)type->element;
    const char *name = text_field(L, box->db, index, "enumName");
    if (type->id != TYPE_ENUM || !name) return;
    struct error error = { .code = ERROR_NONE };
    struct out out;
    out_init(&out, &box->db->arena, box->db->dialect, &error);
    const char *dot = strchr(name, '.');
    const char *schema = dot ? arena_text(&box->db->arena, name, (size_t)(dot - name)) : box->model->table_schema;
    put_table_name(&out, schema, dot ? dot + 1 : name);
    type->enum_name = out.buf.text;
    type->enum_kept = flag_field(L, index, "enumKept");
}

static void read_sql_default(lua_State *L, struct model_box *box, struct attr *attr) {
    struct error error = { .code = ERROR_NONE };
    struct call call = { .db = box->db };
    struct where_reader reader = { .call = &call, .model = box->model, .arena = &box->db->arena, .error = &error,
                                   .path = "defaultValue" };
    lua_getfield(L, -1, "sql");
    attr->default_kind = DEFAULT_SQL;
    attr->default_sql = read_expression(L, &reader, lua_gettop(L));
    lua_pop(L, 1);
    if (error_is_set(&error)) {
        push_error(L, &error);
        lua_error(L);
    }
}

static void read_constant_default(lua_State *L, struct model_box *box, struct attr *attr) {
    struct error error = { .code = ERROR_NONE };
    attr->model = box->model;
    attr->default_kind = DEFAULT_VALUE;
    lua_getfield(L, -1, "value");
    bool fine = read_attr_value(L, lua_gettop(L), attr, &attr->default_value, &box->db->arena, &error);
    lua_pop(L, 1);
    if (fine) type_cut(&attr->type, &attr->default_value, &box->db->arena);
    if (fine) return;
    push_error(L, &error);
    lua_error(L);
}

static void read_default(lua_State *L, struct model_box *box, int index, struct attr *attr) {
    static const struct { const char *name; enum default_kind kind; } words[] = {
        { "now", DEFAULT_NOW }, { "uuid4", DEFAULT_UUID4 }, { "uuid7", DEFAULT_UUID7 }, { "call", DEFAULT_CALL },
    };
    lua_getfield(L, index, "default");
    if (lua_istable(L, -1)) {
        bool sql = lua_getfield(L, -1, "sql") != LUA_TNIL;
        lua_pop(L, 1);
        if (sql) read_sql_default(L, box, attr);
        else read_constant_default(L, box, attr);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strcmp(words[i].name, lua_tostring(L, -1)) == 0) attr->default_kind = words[i].kind;
        if (attr->default_kind == DEFAULT_CALL) box->calls_lua = true;
    }
    lua_pop(L, 1);
}

static void check_supported(lua_State *L, const struct model_box *box, const struct attr *attr) {
    if (attr->type.id == TYPE_VIRTUAL || box->db->dialect->type[attr->type.id]) return;
    raise_usage(L, "%s.%s: %s has no type %s", box->model->name, attr->name, box->db->dialect->name,
                type_info(attr->type.id)->name);
}

/* core.has_type(db, name): whether the engine has a column type of this name */
static int has_type(lua_State *L) {
    const struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    int id = type_find(luaL_checkstring(L, 2));
    lua_pushboolean(L, id == TYPE_VIRTUAL || (id >= 0 && db->dialect->type[id]));
    return 1;
}

/* Calls that are running have set room aside for so many attributes; none is of a model that has no class yet. */
static void make_room(lua_State *L, const struct model_box *box, const char *name) {
    struct model *model = box->model;
    if (!box->db->open_calls) model_make_room(model);
    else if (box->bound && model->attr_count == model->attr_size && !attr_find(model, name))
        raise_usage(L, "%s.%s: no more attributes can be declared while calls are running: wait until they have ended",
                    model->name, name);
}

/* core.attribute(model, spec) */
static int put_attribute(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct attr attr = { .allow_null = flag_field(L, 2, "allowNull") };
    attr.name = text_field(L, box->db, 2, "name");
    attr.column = text_field(L, box->db, 2, "column");
    attr.comment = text_field(L, box->db, 2, "comment");
    attr.primary = flag_field(L, 2, "primaryKey");
    attr.auto_increment = flag_field(L, 2, "autoIncrement");
    attr.unique = flag_field(L, 2, "unique");
    if (!attr.name || !attr.column) raise_usage(L, "an attribute needs name and column");
    lua_getfield(L, 2, "type");
    attr.type = read_type(L, box->db, lua_gettop(L));
    lua_pop(L, 1);
    name_enum(L, box, &attr, 2);
    check_supported(L, box, &attr);
    read_default(L, box, 2, &attr);
    make_room(L, box, attr.name);
    lua_pushinteger(L, attr_put(box->model, &attr)->ordinal + 1);
    return 1;
}

static int remove_attribute(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    attr_remove(box->model, luaL_checkstring(L, 2));
    return 0;
}

/* core.primary_key(model, {names}) */
static int set_primary_key(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "key");
    if (lua_rawlen(L, 2) > KEY_PARTS) raise_usage(L, "%s: a key of more than %d parts", box->model->name, KEY_PARTS);
    model_set_key(box->model, attrs_field(L, box->model, lua_gettop(L), "key"));
    return 0;
}

static const struct attr *attr_argument(lua_State *L, const struct model *model, int index) {
    return lua_type(L, index) == LUA_TSTRING ? attr_find(model, lua_tostring(L, index)) : NULL;
}

/* core.timestamps(model, createdAt, updatedAt, deletedAt, version) */
static int set_timestamps(lua_State *L) {
    struct model *model = check_model(L, 1)->model;
    model->created_at = attr_argument(L, model, 2);
    model->updated_at = attr_argument(L, model, 3);
    model->deleted_at = attr_argument(L, model, 4);
    model->version = attr_argument(L, model, 5);
    return 0;
}

/* --------------------------------------------------------------------------------------- constraints and indexes */

static enum deferrable deferrable_field(lua_State *L, struct db *db, int index) {
    const char *text = text_field(L, db, index, "deferrable");
    if (!text) return DEFERRABLE_NOT;
    return strcmp(text, "deferred") == 0 ? DEFERRABLE_DEFERRED : DEFERRABLE_IMMEDIATE;
}

static const char *const *columns_of(struct db *db, struct attr_list attrs) {
    const char **columns = arena_array(&db->arena, const char *, attrs.count + 1);
    for (int i = 0; i < attrs.count; i++) columns[i] = attrs.items[i]->column;
    return columns;
}

/* core.foreign_key(model, spec): without model and table the constraint over these attributes is taken away. */
static int put_foreign_key(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    struct foreign_key key = { .attrs = attrs_field(L, box->model, 2, "attributes") };
    int columns;
    lua_getfield(L, 2, "model");
    struct model_box *target = userdata_test(L, -1, USERDATA_MODEL);
    key.schema = text_field(L, box->db, 2, "schema");
    key.table = target ? target->model->table : text_field(L, box->db, 2, "table");
    if (!key.table) {
        model_remove_foreign_key(box->model, key.attrs);
        return 0;
    }
    key.target = target ? target->model : NULL;
    key.columns = target ? columns_of(box->db, attrs_field(L, target->model, 2, "keys"))
                         : texts_field(L, box->db, 2, "columns", &columns);
    key.on_delete = text_field(L, box->db, 2, "onDelete");
    key.on_update = text_field(L, box->db, 2, "onUpdate");
    key.deferrable = deferrable_field(L, box->db, 2);
    model_add_foreign_key(box->model, &key);
    return 0;
}

/* liga.fn("lower", liga.col("email")) in place of an attribute; NULL: it is none. Raises. */
static const struct expr *index_expression(lua_State *L, struct model_box *box, int index) {
    struct error error = { .code = ERROR_NONE };
    struct call call = { .db = box->db };
    struct where_reader reader = { .call = &call, .model = box->model, .arena = &box->db->arena, .error = &error,
                                   .path = "indexes" };
    if (!marker_test(L, index)) return NULL;
    const struct expr *expr = read_expression(L, &reader, index);
    if (!error_is_set(&error)) return expr;
    push_error(L, &error);
    lua_error(L);
    return NULL;
}

static void read_index_fields(lua_State *L, struct model_box *box, int index, struct index *into) {
    lua_getfield(L, index, "fields");
    into->field_count = (int)lua_rawlen(L, -1);
    into->fields = arena_array(&box->db->arena, struct index_field, into->field_count + 1);
    for (int i = 0; i < into->field_count; i++) {
        lua_rawgeti(L, -1, i + 1);
        lua_getfield(L, -1, "attribute");
        into->fields[i].attr = attr_argument(L, box->model, lua_gettop(L));
        into->fields[i].expr = index_expression(L, box, lua_gettop(L));
        if (!into->fields[i].attr && !into->fields[i].expr) raise_usage(L, "%s: index over an unknown attribute", box->model->name);
        lua_getfield(L, -2, "order");
        const char *order = lua_tostring(L, -1);
        into->fields[i].descending = order && strcmp(order, "DESC") == 0;
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
}

/* Reads a standing condition (scope, where, index where) into the schema's arena; nil: NULL. Raises. */
static const struct expr *standing_where(lua_State *L, struct db *db, const struct model *model, int index, const char *key) {
    struct error error = { .code = ERROR_NONE };
    struct call call = { .db = db };
    struct where_reader reader = { .call = &call, .model = model, .arena = &db->arena, .error = &error, .path = key };
    const struct expr *where = NULL;
    lua_getfield(L, index, key);
    if (!lua_isnil(L, -1)) where = read_where(L, &reader, lua_gettop(L));
    lua_pop(L, 1);
    if (!error_is_set(&error)) return where;
    push_error(L, &error);
    lua_error(L);
    return NULL;
}

/* core.is_class(value): whether it is a model, and no table that looks like one */
static int is_class(lua_State *L) {
    lua_settop(L, 1);
    lua_pushboolean(L, class_model(L, 1) != NULL);
    return 1;
}

/* core.index(model, spec) */
static int put_index(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    struct index index = { .unique = flag_field(L, 2, "unique") };
    index.name = text_field(L, box->db, 2, "name");
    index.using = text_field(L, box->db, 2, "using");
    read_index_fields(L, box, 2, &index);
    index.where = standing_where(L, box->db, box->model, 2, "where");
    model_add_index(box->model, &index);
    return 0;
}

/* ------------------------------------------------------------------------------------------------- associations */

static bool is_plain_value(lua_State *L, int index) {
    return !lua_istable(L, index) && !marker_test(L, index) && !userdata_test(L, index, USERDATA_OP);
}

/* The plain values of a scope are also written; operator values are read conditions only. */
static void read_scope(lua_State *L, struct db *db, const struct model *model, int index, struct hop *hop) {
    struct error error = { .code = ERROR_NONE };
    hop->scope = standing_where(L, db, model, index, "scope");
    lua_getfield(L, index, "scope");
    if (lua_istable(L, -1)) {
        int table = lua_gettop(L);
        struct scope_value *values = arena_array(&db->arena, struct scope_value, attr_room(model));
        for (int i = 0; i < model->attr_count; i++) {
            lua_getfield(L, table, model->attrs[i]->name);
            if (!lua_isnil(L, -1) && is_plain_value(L, lua_gettop(L))) {
                struct scope_value *value = &values[hop->value_count++];
                value->attr = model->attrs[i];
                read_attr_value(L, lua_gettop(L), value->attr, &value->value, &db->arena, &error);
            }
            lua_pop(L, 1);
        }
        hop->values = values;
    }
    lua_pop(L, 1);
}

static void read_hops(lua_State *L, struct db *db, int index, struct model *source, struct assoc *assoc) {
    lua_getfield(L, index, "hops");
    int hops = lua_gettop(L);
    assoc->hop_count = (int)lua_rawlen(L, hops);
    assoc->hops = arena_array(&db->arena, struct hop, assoc->hop_count + 1);
    struct model *from = source;
    for (int i = 0; i < assoc->hop_count; i++) {
        struct hop *hop = &assoc->hops[i];
        lua_rawgeti(L, hops, i + 1);
        int spec = lua_gettop(L);
        lua_getfield(L, spec, "model");
        struct model *next = check_model(L, lua_gettop(L))->model;
        hop->next = next;
        hop->near = attrs_field(L, from, spec, "near");
        hop->far = attrs_field(L, next, spec, "far");
        read_scope(L, db, next, spec, hop);
        from = next;
        lua_settop(L, hops);
    }
    lua_pop(L, 1);
}

/* The association's own scope is one more condition on the last hop. */
static void read_target_scope(lua_State *L, struct db *db, int index, struct assoc *assoc) {
    struct hop scope = { .next = NULL };
    struct hop *last = &assoc->hops[assoc->hop_count - 1];
    read_scope(L, db, assoc->target, index, &scope);
    if (!scope.scope) return;
    last->scope = expr_and(&db->arena, last->scope, scope.scope);
    last->values = scope.values;
    last->value_count = scope.value_count;
}

static void read_standing_order(lua_State *L, struct db *db, int index, struct assoc *assoc) {
    struct call call = { .db = db };
    struct error error = { .code = ERROR_NONE };
    lua_getfield(L, index, "order");
    if (!lua_isnil(L, -1)) assoc->order = read_standing_order_list(L, &call, assoc, lua_gettop(L), &error);
    lua_pop(L, 1);
    if (!error_is_set(&error)) return;
    push_error(L, &error);
    lua_error(L);
}

static void push_accessors(lua_State *L, struct db *db, const struct assoc *assoc, int assoc_index) {
    lua_newtable(L);
    int names = lua_gettop(L);
    lua_newtable(L);
    for (const struct verb_row *verb = assoc->kind->verbs; verb->name; verb++) {
        const char *method = verb_method_name(verb, assoc, &db->arena);
        lua_pushstring(L, method);
        lua_setfield(L, names, verb->name);
        push_accessor(L, assoc_index, verb);
        lua_setfield(L, names + 1, method);
    }
}

/* core.association(model, spec) → association, accessors (verb → method name), functions (method name → function) */
static int put_association(lua_State *L) {
    struct model_box *box = check_model(L, 1);
    struct db *db = box->db;
    const char *kind = text_field(L, db, 2, "kind");
    struct assoc *assoc = arena_new(&db->arena, struct assoc);
    assoc->kind = kind ? assoc_kind_find(kind, flag_field(L, 2, "path")) : NULL;
    if (!assoc->kind) return raise_usage(L, "unknown association kind");
    assoc->name = text_field(L, db, 2, "as");
    assoc->singular = text_field(L, db, 2, "singular");
    assoc->plural = text_field(L, db, 2, "plural");
    assoc->source = box->model;
    assoc->plain = flag_field(L, 2, "plain");
    assoc->unique = flag_field(L, 2, "unique");
    lua_getfield(L, 2, "target");
    assoc->target = check_model(L, lua_gettop(L))->model;
    read_hops(L, db, 2, box->model, assoc);
    if (!assoc->hop_count) return raise_usage(L, "an association needs a hop");
    read_target_scope(L, db, 2, assoc);
    assoc->where = standing_where(L, db, assoc->target, 2, "where");
    read_standing_order(L, db, 2, assoc);
    if (assoc_through(assoc))
        assoc->unique_key = attrs_field(L, (struct model *)(uintptr_t)assoc_through(assoc), 2, "uniqueKey");
    assoc_put(box->model, assoc);
    struct assoc_box *handle = userdata_new(L, USERDATA_ASSOC, sizeof *handle, 1);
    handle->db = db;
    handle->assoc = assoc;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    int assoc_index = lua_gettop(L);
    push_accessors(L, db, assoc, assoc_index);
    return 3;
}

void open_definitions(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "model", new_model }, { "bind", bind }, { "set_dependents", set_dependents }, { "set_pending", set_pending },
        { "set_behaves", set_behaves }, { "set_default_scope", set_default_scope },
        { "plain_accessor", plain_accessor },
        { "attribute", put_attribute },
        { "has_type", has_type },
        { "remove_attribute", remove_attribute }, { "primary_key", set_primary_key }, { "timestamps", set_timestamps },
        { "foreign_key", put_foreign_key }, { "index", put_index }, { "association", put_association },
        { "is_class", is_class }, { NULL, NULL },
    };
    add_functions(L, functions);
}
