/* The scopes of what is included: which ones are in force, what they include in turn, how many children they want. */
#include "lua/include_internal.h"

#include "lua/value.h"

/* Pushes the class of the target: the one that was named, which may be a scope of the model, else the model. */
static void push_target_class(lua_State *L, const struct level *level, const struct assoc *assoc, int class_index) {
    struct call *call = level->find->where.call;
    if (class_index) {
        lua_pushvalue(L, class_index);
        return;
    }
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), assoc->target);
    lua_getiuservalue(L, -1, MODEL_CLASS);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* What the tree itself needs of a scope: what it includes, besides. */
static bool read_scope(lua_State *L, const struct level *level, struct include *include, int index) {
    bool fine = true;
    if (push_field(L, index, "paranoid") == LUA_TBOOLEAN && !lua_toboolean(L, -1)) include->with_deleted = true;
    if (push_field(L, index, "include") != LUA_TNIL) {
        struct level below = { level->find, include->assoc->target, include->path, level, level->depth + 1, &include->first, true,
                               0 };
        if (below.depth > INCLUDE_DEPTH)
            return level_wrong(&below, "includes are nested deeper than 64 levels (by default scopes)");
        luaL_checkstack(L, 30, "includes too deep");
        fine = read_include_level(L, &below, lua_gettop(L));
    }
    lua_settop(L, index);
    return fine;
}

/* Keeps the scope on the top for the plan. */
static void keep_scope(lua_State *L, const struct level *level, struct include *include) {
    int place = keep_options(L, level->find, lua_gettop(L));
    if (!include->scopes++) include->scope = place;
}

bool read_include_scopes(lua_State *L, const struct level *level, struct include *include, int class_index) {
    int top = lua_gettop(L);
    bool fine = true;
    push_target_class(L, level, include->assoc, class_index);
    if (!lua_getmetatable(L, -1)) return true;
    if (push_field(L, top + 2, "scoped") == LUA_TTABLE) {
        int scoped = lua_gettop(L), count = (int)lua_rawlen(L, scoped);
        for (int i = 1; i <= count; i++, lua_settop(L, scoped))
            if (lua_rawgeti(L, scoped, i) == LUA_TTABLE) keep_scope(L, level, include);
    } else if (push_field(L, top + 2, "default_scope") == LUA_TTABLE) {
        keep_scope(L, level, include);
    }
    for (int i = 0; fine && i < include->scopes; i++) {
        lua_settop(L, top);
        push_call_value(L, level->find->where.call, CALL_KEEP);
        lua_rawgeti(L, -1, include->scope + i);
        fine = read_scope(L, level, include, lua_gettop(L));
    }
    lua_settop(L, top);
    return fine;
}

bool read_scoped_counts(lua_State *L, const struct level *level, struct include *include) {
    struct call *call = level->find->where.call;
    int top = lua_gettop(L);
    bool fine = true;
    if (!include->scopes || !include->assoc->kind->many) return true;
    if (include->limit < 0 && push_include_option(L, call, include, "limit") != LUA_TNIL)
        fine = read_include_limit(L, level, include, lua_gettop(L));
    if (fine && include->offset < 0 && push_include_option(L, call, include, "offset") != LUA_TNIL)
        fine = read_include_offset(L, level, include, lua_gettop(L));
    lua_settop(L, top);
    return fine;
}
