/* The options of one include, by a table: a new option is a row and its reader. */
#include "lua/include_internal.h"

#include <string.h>

#include "base/names.h"
#include "lua/marker.h"
#include "lua/through.h"
#include "lua/value.h"

static bool read_children(lua_State *L, const struct level *level, struct include *include, int index) {
    struct level below = { level->find, include->assoc->target, include->path, level, level->depth + 1, &include->first, false, 0 };
    if (below.depth > INCLUDE_DEPTH) return level_wrong(&below, "includes are nested deeper than 64 levels");
    luaL_checkstack(L, 30, "includes too deep");
    return read_include_level(L, &below, index);
}

static bool read_count(lua_State *L, const struct level *level, struct include *include, int index, const char *key,
                       int64_t *into) {
    (void)level;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) >= 0) {
        *into = lua_tointeger(L, index);
        return true;
    }
    return include_wrong(level->find, arena_dotted(arena_of(level), include->path, key),
                         "a non-negative integer expected");
}

static bool is_empty(lua_State *L, int index) {
    bool some = false;
    lua_pushnil(L);
    if (lua_next(L, index)) {
        lua_pop(L, 2);
        some = true;
    }
    return !some;
}

/* A where without a condition in it: an empty table, or a list of such. */
static bool where_is_empty(lua_State *L, int index, int depth) {
    if (!lua_istable(L, index) || depth > 64) return false;
    bool empty = true;
    luaL_checkstack(L, 5, "where too deep");
    for (lua_pushnil(L); empty && lua_next(L, index);) {
        empty = lua_isinteger(L, -2) && where_is_empty(L, lua_gettop(L), depth + 1);
        lua_pop(L, empty ? 1 : 2);
    }
    return empty;
}

static bool option_wrong(const struct level *level, const struct include *include, const char *key, const char *sentence) {
    return include_wrong(level->find, arena_dotted(arena_of(level), include->path, key), sentence);
}

static bool read_attributes(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index)) return option_wrong(level, include, "attributes", "a list of attributes expected");
    include->hidden = is_empty(L, index);
    return true;
}

static bool read_include_where(lua_State *L, const struct level *level, struct include *include, int index) {
    bool sql = lua_type(L, index) == LUA_TSTRING && level->find->where.call->db->sql_where;
    if (!lua_istable(L, index) && !marker_test(L, index) && !sql) return option_wrong(level, include, "where", "a table expected");
    include->has_where = !where_is_empty(L, index, 0);
    return true;
}

static bool read_boolean(lua_State *L, const struct level *level, struct include *include, int index, const char *key, bool *into) {
    if (!lua_isboolean(L, index)) return option_wrong(level, include, key, "true or false expected");
    *into = lua_toboolean(L, index);
    return true;
}

static bool read_required(lua_State *L, const struct level *level, struct include *include, int index) {
    include->required_given = true;
    return read_boolean(L, level, include, index, "required", &include->required);
}

static bool read_paranoid(lua_State *L, const struct level *level, struct include *include, int index) {
    bool paranoid = true, fine = read_boolean(L, level, include, index, "paranoid", &paranoid);
    include->with_deleted = !paranoid;
    return fine;
}

static bool read_separate(lua_State *L, const struct level *level, struct include *include, int index) {
    bool separate = false;
    if (!read_boolean(L, level, include, index, "separate", &separate)) return false;
    if (separate) include->strategy = STRATEGY_SELECT;
    return true;
}

static bool read_strategy(lua_State *L, const struct level *level, struct include *include, int index) {
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    if (strcmp(name, "join") == 0) include->strategy = STRATEGY_JOIN;
    else if (strcmp(name, "select") == 0) include->strategy = STRATEGY_SELECT;
    else return option_wrong(level, include, "strategy", "\"join\" or \"select\" expected");
    return true;
}

bool read_include_limit(lua_State *L, const struct level *level, struct include *include, int index) {
    return read_count(L, level, include, index, "limit", &include->limit);
}

bool read_include_offset(lua_State *L, const struct level *level, struct include *include, int index) {
    return read_count(L, level, include, index, "offset", &include->offset);
}

static bool read_on(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index) && !marker_test(L, index)) return option_wrong(level, include, "on", "a table expected");
    if (include->assoc->hop_count == 1) return true;
    return option_wrong(level, include, "on", "option \"on\" takes the place of one key; this association leads over other tables");
}

static bool read_through_table(lua_State *L, const struct level *level, struct include *include, int index) {
    const char *place, *fault = through_fault(L, arena_of(level), index, &place);
    if (fault) return option_wrong(level, include, place, fault);
    if (assoc_through(include->assoc)) return true;
    return option_wrong(level, include, "through", "option \"through\" is for belongsToMany only");
}

static bool keep(lua_State *L, const struct level *level, struct include *include, int index) {
    (void)L, (void)level, (void)include, (void)index;
    return true;
}

/* The options by name: those without a reader say what to do instead. */
static const struct include_option {
    const char *name;
    include_reader *read;
    const char *instead;
} include_options[] = {
    { "association", keep, NULL }, { "as", keep, NULL }, { "model", keep, NULL },
    { "attributes", read_attributes, NULL }, { "where", read_include_where, NULL }, { "required", read_required, NULL },
    { "on", read_on, NULL }, { "through", read_through_table, NULL }, { "order", keep, NULL },
    { "limit", read_include_limit, NULL }, { "offset", read_include_offset, NULL }, { "include", read_children, NULL },
    { "paranoid", read_paranoid, NULL },
    { "separate", read_separate, NULL }, { "strategy", read_strategy, NULL },
    { "subQuery", keep, NULL }, { "duplicating", keep, NULL },
    { "right", NULL, "is not liga's way: start from the other model" },
    { "or", NULL, "is not liga's way: use Op.or_ in where" },
    { "all", NULL, "stands alone, with nested = true at most" },
    { "nested", NULL, "goes with all = true only" },
    { NULL, NULL, NULL },
};

static bool unknown_option(const struct level *level, const struct include *include, const char *name) {
    struct nearest nearest = { .word = name };
    for (const struct include_option *option = include_options; option->name; option++)
        if (option->read) nearest_offer(&nearest, option->name);
    struct arena *arena = arena_of(level);
    const char *hint = nearest.best ? arena_printf(arena, " (did you mean \"%s\"?)", nearest.best) : "";
    return include_wrong(level->find, arena_dotted(arena, include->path, name), arena_printf(arena,
            "unknown option%s", hint));
}

static bool read_option(lua_State *L, const struct level *level, struct include *include, const char *name, int index) {
    for (const struct include_option *option = include_options; option->name; option++) {
        if (strcmp(option->name, name) != 0) continue;
        if (option->read) return option->read(L, level, include, index);
        return include_wrong(level->find, include->path, arena_printf(arena_of(level), "option \"%s\" %s", name, option->instead));
    }
    return unknown_option(level, include, name);
}

bool read_include_options(lua_State *L, const struct level *level, struct include *include, int index) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return include_wrong(level->find, include->path, "keys are option names; there is one that is none");
        if (!read_option(L, level, include, name_at(L, -2), lua_gettop(L))) return false;
    }
    if (!include->required_given) include->required = include->has_where;
    return true;
}
