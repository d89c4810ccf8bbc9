#include "lua/tables.h"

#include "lua/call.h"
#include "schema/order.h"
#include "sql/ddl.h"

struct listing {
    struct call *call;
    struct model_order order;
    int chosen;             /* stack index of the list of models, 0: all */
    int list;               /* stack index of the result */
};

static bool is_chosen(lua_State *L, const struct listing *listing, const struct model *model) {
    if (!listing->chosen) return true;
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, listing->chosen); i++) {
        lua_rawgeti(L, listing->chosen, i);
        const struct model_box *box = userdata_test(L, -1, USERDATA_MODEL);
        lua_pop(L, 1);
        if (box && box->model == model) return true;
    }
    return false;
}

/* Appends {sql, model, kind}. */
static void add(lua_State *L, struct listing *listing, const struct statement *statement, const struct model *model,
                const char *kind) {
    if (!statement) call_raise(L, listing->call);
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, statement->text, statement->len);
    lua_setfield(L, -2, "sql");
    lua_pushstring(L, model->name);
    lua_setfield(L, -2, "model");
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    lua_rawseti(L, listing->list, (lua_Integer)lua_rawlen(L, listing->list) + 1);
}

static struct listing open_listing(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    lua_settop(L, 3);
    struct listing listing = { .call = call_open(L, db, 1), .chosen = lua_istable(L, 2) ? 2 : 0 };
    listing.order = order_models(&db->schema, &listing.call->arena);
    lua_newtable(L);
    listing.list = lua_gettop(L);
    return listing;
}

static int close_listing(lua_State *L, const struct listing *listing) {
    call_close(L, listing->call);
    return 1;
}

typedef struct statement *key_statement(struct arena *, const struct dialect *, const struct model *, const struct foreign_key *,
                                        struct error *);

/* A statement for each key that had to be left out of its CREATE TABLE. */
static void add_late_keys(lua_State *L, struct listing *listing, key_statement *make) {
    struct call *call = listing->call;
    const struct model_order *order = &listing->order;
    for (int i = 0; !call->db->dialect->forward_references && i < order->late_count; i++)
        if (is_chosen(L, listing, order->late_models[i]))
            add(L, listing, make(&call->arena, call->db->dialect, order->late_models[i], order->late[i], &call->error),
                order->late_models[i], "key");
}

typedef struct statement *attr_statement(struct arena *, const struct dialect *, const struct attr *, struct error *);

/* A statement for each attribute that asks for one. */
static void add_for_attrs(lua_State *L, struct listing *listing, const struct model *model, attr_statement *make,
                          const char *kind) {
    struct call *call = listing->call;
    for (int i = 0; i < model->attr_count; i++) {
        const struct statement *statement = make(&call->arena, call->db->dialect, model->attrs[i], &call->error);
        if (statement || error_is_set(&call->error)) add(L, listing, statement, model, kind);
    }
}

static void add_comments(lua_State *L, struct listing *listing, const struct model *model) {
    struct call *call = listing->call;
    for (int i = -1; i < model->attr_count; i++) {
        const struct attr *attr = i < 0 ? NULL : model->attrs[i];
        const struct statement *statement = ddl_comment(&call->arena, call->db->dialect, model, attr, &call->error);
        if (statement) add(L, listing, statement, model, "comment");
    }
}

/* core.create_statements(db, models, if_not_exists) → list of {sql, model, kind = "extension" | "type" | "table" | "index" |
 * "comment" | "key"} */
static int create_statements(lua_State *L) {
    struct listing listing = open_listing(L);
    struct call *call = listing.call;
    bool if_not_exists = lua_toboolean(L, 3), forward = call->db->dialect->forward_references;
    for (int i = 0; i < listing.order.count; i++) {
        const struct model *model = listing.order.models[i];
        if (!is_chosen(L, &listing, model)) continue;
        add_for_attrs(L, &listing, model, ddl_create_extension, "extension");
        add_for_attrs(L, &listing, model, ddl_create_enum, "type");
        add(L, &listing, ddl_create_table(&call->arena, call->db->dialect, model, if_not_exists,
                                          forward ? NULL : listing.order.late, forward ? 0 : listing.order.late_count, &call->error),
            model, "table");
        for (const struct index *index = model->indexes; index; index = index->next)
            add(L, &listing, ddl_create_index(&call->arena, call->db->dialect, model, index, &call->error), model, "index");
        add_comments(L, &listing, model);
    }
    add_late_keys(L, &listing, ddl_add_foreign_key);
    return close_listing(L, &listing);
}

/* core.drop_statements(db, models) → the same for dropping, dependents first */
static int drop_statements(lua_State *L) {
    struct listing listing = open_listing(L);
    struct call *call = listing.call;
    add_late_keys(L, &listing, ddl_drop_foreign_key);
    for (int i = listing.order.count - 1; i >= 0; i--) {
        const struct model *model = listing.order.models[i];
        if (!is_chosen(L, &listing, model)) continue;
        add(L, &listing, ddl_drop_table(&call->arena, call->db->dialect, model, &call->error), model, "table");
        add_for_attrs(L, &listing, model, ddl_drop_enum, "type");
    }
    return close_listing(L, &listing);
}

/* --------------------------------------------------------------------------------------------- one table in parts */

struct parts {
    struct call *call;
    const struct dialect *dialect;
    const struct model *model;
    int table;              /* stack index of the result */
};

static void set_text(lua_State *L, const char *field, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void set_flag(lua_State *L, const char *field, bool flag) {
    lua_pushboolean(L, flag);
    lua_setfield(L, -2, field);
}

static void push_columns(lua_State *L, struct attr_list attrs) {
    lua_createtable(L, attrs.count, 0);
    for (int i = 0; i < attrs.count; i++) {
        lua_pushstring(L, attrs.items[i]->column);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Appends the table on the top to the list below it. */
static void append(lua_State *L) {
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* The values of an ENUM, or of lists of it (`list`): `values` where it is a type of its own in the database, else `allowed`. */
static void set_values(lua_State *L, const struct dialect *dialect, const struct type *type) {
    bool list = type->id == TYPE_ARRAY;
    while (type->element) type = type->element;
    if (type->id != TYPE_ENUM) return;
    if (list) set_flag(L, "list", true);
    lua_createtable(L, type->value_count, 0);
    for (int i = 0; i < type->value_count; i++) {
        lua_pushstring(L, type->values[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, dialect->enum_types ? "values" : "allowed");
}

static void push_column_parts(lua_State *L, const struct parts *parts) {
    struct call *call = parts->call;
    lua_createtable(L, parts->model->attr_count, 0);
    for (int i = 0; i < parts->model->attr_count; i++) {
        const struct attr *attr = parts->model->attrs[i];
        const char *sql = ddl_column(&call->arena, parts->dialect, attr, &call->error);
        if (!sql) call_raise(L, call);
        lua_createtable(L, 0, 12);
        set_text(L, "name", attr->column);
        set_text(L, "attribute", attr->name);
        set_text(L, "comment", parts->dialect->comments ? attr->comment : NULL);
        set_text(L, "sql", sql);
        set_text(L, "type", ddl_type(&call->arena, parts->dialect, &attr->type));
        set_text(L, "kind", type_info(attr->type.id)->name);
        set_text(L, "shown", type_text(&attr->type, &call->arena));
        set_flag(L, "foreignDates", attr->type.stored != DATE_TEXT);
        set_text(L, "default", ddl_default(&call->arena, parts->dialect, attr, &call->error));
        set_flag(L, "allowNull", attr->allow_null && !attr->primary);
        set_flag(L, "autoIncrement", attr->auto_increment);
        set_values(L, parts->dialect, &attr->type);
        append(L);
    }
    lua_setfield(L, parts->table, "columns");
}

static void push_key_parts(lua_State *L, const struct parts *parts) {
    static const char *const deferrable[] = { NULL, "immediate", "deferred" };
    struct call *call = parts->call;
    lua_newtable(L);
    for (const struct foreign_key *key = parts->model->foreign_keys; key; key = key->next) {
        lua_createtable(L, 0, 8);
        push_columns(L, key->attrs);
        lua_setfield(L, -2, "columns");
        lua_createtable(L, key->attrs.count, 0);
        for (int i = 0; i < key->attrs.count; i++) {
            lua_pushstring(L, key->columns[i]);
            lua_rawseti(L, -2, i + 1);
        }
        lua_setfield(L, -2, "references");
        set_text(L, "table", key->target ? key->target->table : key->table);
        set_text(L, "schema", key->target ? key->target->table_schema : key->schema);
        set_text(L, "onDelete", key->on_delete ? key->on_delete : "NO ACTION");
        set_text(L, "onUpdate", key->on_update ? key->on_update : "NO ACTION");
        set_text(L, "deferrable", deferrable[key->deferrable]);
        set_text(L, "sql", ddl_foreign_key(&call->arena, parts->dialect, key, &call->error));
        append(L);
    }
    lua_setfield(L, parts->table, "foreignKeys");
}

static void push_index_parts(lua_State *L, const struct parts *parts) {
    struct call *call = parts->call;
    lua_newtable(L);
    for (const struct index *index = parts->model->indexes; index; index = index->next) {
        const struct statement *statement =
            ddl_create_index(&call->arena, parts->dialect, parts->model, index, &call->error);
        if (!statement) call_raise(L, call);
        lua_createtable(L, 0, 5);
        set_text(L, "name", index->name);
        set_flag(L, "unique", index->unique);
        set_flag(L, "partial", index->where != NULL);
        set_text(L, "where", index->where ? ddl_condition(&call->arena, parts->dialect, index->where, &call->error) : NULL);
        lua_pushlstring(L, statement->text, statement->len);
        lua_setfield(L, -2, "sql");
        lua_createtable(L, index->field_count, 0);
        for (int i = 0; i < index->field_count; i++) {
            lua_createtable(L, 0, 2);
            set_text(L, "name", index->fields[i].attr ? index->fields[i].attr->column : NULL);      /* nil: an expression */
            set_text(L, "order", index->fields[i].descending ? "DESC" : "ASC");
            append(L);
        }
        lua_setfield(L, -2, "columns");
        append(L);
    }
    lua_setfield(L, parts->table, "indexes");
}

/* core.table_parts(db, model) → {name (quoted), comment, columns, primaryKey, inlineKey, foreignKeys, indexes}: what CREATE TABLE is
 * made of, for statements that change tables. Names of columns are those of the database. */
static int table_parts(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    const struct model_box *box = userdata_check(L, 2, USERDATA_MODEL, "a model");
    lua_settop(L, 2);
    struct call *call = call_open(L, db, 1);
    lua_createtable(L, 0, 6);
    struct parts parts = { .call = call, .dialect = db->dialect, .model = box->model, .table = lua_gettop(L) };
    set_text(L, "name", ddl_table_name(&call->arena, db->dialect, box->model));
    set_text(L, "comment", db->dialect->comments ? box->model->comment : NULL);
    push_columns(L, box->model->key);
    lua_setfield(L, parts.table, "primaryKey");
    set_flag(L, "inlineKey", ddl_key_is_inline(db->dialect, box->model));
    push_column_parts(L, &parts);
    push_key_parts(L, &parts);
    push_index_parts(L, &parts);
    call_close(L, call);
    return 1;
}

static bool refers_to(const struct model *model, const struct model *target) {
    for (const struct foreign_key *key = model->foreign_keys; key; key = key->next)
        if (key->target == target) return true;
    return false;
}

/* Marks the models (by their place in the order) that refer to a marked one, and those that refer to these. */
static void mark_referring(const struct model_order *order, bool *marked) {
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < order->count; i++)
            for (int k = 0; k < order->count && !marked[i]; k++)
                if (marked[k] && refers_to(order->models[i], order->models[k])) marked[i] = more = true;
    }
}

static void truncate_one(lua_State *L, struct listing *listing, const struct model *model, bool restart, bool cascade) {
    struct call *call = listing->call;
    add(L, listing, ddl_truncate(&call->arena, call->db->dialect, model, restart, cascade, &call->error), model, "table");
    const struct statement *sequence = restart ? ddl_restart(&call->arena, call->db->dialect, model, &call->error) : NULL;
    if (sequence) add(L, listing, sequence, model, "sequence");
}

/* core.truncate_statements(db, {model}, restart, cascade) → the same for emptying a table, what refers to it first; "sequence" is
 * the kind of those that only say that keys begin anew */
static int truncate_statements(lua_State *L) {
    bool restart = lua_toboolean(L, 3), cascade = lua_toboolean(L, 4);
    struct listing listing = open_listing(L);
    const struct model_order *order = &listing.order;
    bool *marked = arena_array(&listing.call->arena, bool, order->count + 1);
    for (int i = 0; i < order->count; i++) marked[i] = is_chosen(L, &listing, order->models[i]);
    if (cascade && !listing.call->db->dialect->truncate_cascade) mark_referring(order, marked);
    for (int i = order->count - 1; i >= 0; i--)
        if (marked[i]) truncate_one(L, &listing, order->models[i], restart, cascade);
    return close_listing(L, &listing);
}

void open_tables(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "table_parts", table_parts },
        { "create_statements", create_statements }, { "drop_statements", drop_statements },
        { "truncate_statements", truncate_statements }, { NULL, NULL },
    };
    add_functions(L, functions);
}
