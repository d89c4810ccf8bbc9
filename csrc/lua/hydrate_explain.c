/* What each include of a plan becomes, and why: a join or a statement of its own. */
#include "lua/hydrate.h"

#include "lua/value.h"

/* What one include becomes: {include, strategy, reason, sql, params}. */
static void push_part(lua_State *L, const char *path, const char *strategy, const char *reason) {
    lua_createtable(L, 0, 5);
    lua_pushstring(L, path);
    lua_setfield(L, -2, "include");
    lua_pushstring(L, strategy);
    lua_setfield(L, -2, "strategy");
    lua_pushstring(L, reason);
    lua_setfield(L, -2, "reason");
}

static const char *below(struct call *call, const char *path, const char *name) {
    return *path ? arena_dotted(&call->arena, path, name) : name;
}

static const char *node_path(struct call *call, const struct plan *plan, int n, const char *path) {
    const struct plan_node *node = &plan->nodes[n];
    return node->parent < 0 ? path : below(call, node_path(call, plan, node->parent, path), node->property);
}

/* Something that an engine can plan with in place of a key; NULL where no value of the type is at hand. */
static struct value stand_in(const struct attr *attr) {
    bool plain = attr->type.id == TYPE_STRING || attr->type.id == TYPE_TEXT || attr->type.id == TYPE_CHAR;
    switch (type_info(attr->type.id)->logical) {
    case VALUE_INT:  return value_int(1);
    case VALUE_REAL: return value_real(1);
    case VALUE_TEXT: return plain ? value_text("x", 1) : value_null();
    default:         return value_null();
    }
}

/* The statement of a step, with one key that is not known yet. */
static bool push_step_statement(lua_State *L, struct call *call, const struct plan_step *step) {
    struct value *key = arena_array(&call->arena, struct value, step->far.count + 1);
    for (int k = 0; k < step->far.count; k++) key[k] = stand_in(step->far.items[k]);
    step->keys->values = key;
    step->keys->value_count = step->far.count;
    const struct statement *statement = render_select(&call->arena, call->db->dialect, step->plan->select, &call->error);
    if (!statement) return false;
    lua_pushlstring(L, statement->text, statement->len);
    lua_setfield(L, -2, "sql");
    push_values(L, statement->params, statement->param_count);
    lua_setfield(L, -2, "params");
    return true;
}

/* Appends the parts of a plan to the list on the top: its joined nodes, its steps, and what is below them. */
static bool append_parts(lua_State *L, struct call *call, const struct plan *plan, const char *path) {
    luaL_checkstack(L, 10, "includes too deep");
    for (int n = 1; n < plan->node_count; n++) {
        if (!plan->nodes[n].assoc) continue;
        push_part(L, node_path(call, plan, n, path), "join", plan->nodes[n].many ? "strategy = \"join\""
                                                                             : "to-one: a row of the statement above");
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    for (const struct plan_step *step = plan->steps; step; step = step->next) {
        const char *own = below(call, node_path(call, plan, step->node, path), step->property);
        push_part(L, own, "select", step->reason);
        if (!push_step_statement(L, call, step)) return false;
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        if (!append_parts(L, call, step->plan, own)) return false;
    }
    return true;
}

bool push_parts(lua_State *L, struct call *call) {
    lua_newtable(L);
    return !call->plan || append_parts(L, call, call->plan, "");
}
