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

/* core.create_statements(db, models, if_not_exists) → list of {sql, model, kind = "table" | "index" | "key"} */
static int create_statements(lua_State *L) {
    struct listing listing = open_listing(L);
    struct call *call = listing.call;
    bool if_not_exists = lua_toboolean(L, 3), forward = call->db->dialect->forward_references;
    for (int i = 0; i < listing.order.count; i++) {
        const struct model *model = listing.order.models[i];
        if (!is_chosen(L, &listing, model)) continue;
        add(L, &listing, ddl_create_table(&call->arena, call->db->dialect, model, if_not_exists,
                                          forward ? NULL : listing.order.late, forward ? 0 : listing.order.late_count, &call->error),
            model, "table");
        for (const struct index *index = model->indexes; index; index = index->next)
            add(L, &listing, ddl_create_index(&call->arena, call->db->dialect, model, index, &call->error), model, "index");
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
        if (is_chosen(L, &listing, model))
            add(L, &listing, ddl_drop_table(&call->arena, call->db->dialect, model, &call->error), model, "table");
    }
    return close_listing(L, &listing);
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
        { "create_statements", create_statements }, { "drop_statements", drop_statements },
        { "truncate_statements", truncate_statements }, { NULL, NULL },
    };
    add_functions(L, functions);
}
