#include "lua/through.h"

#include <string.h>

#include "base/names.h"
#include "lua/call.h"
#include "lua/value.h"

static const struct through_option {
    const char *name;
    int type;
    const char *instead;        /* what to say of another type; NULL: its reader does */
} through_options[] = {
    { "where", LUA_TNIL, NULL },
    { "attributes", LUA_TTABLE, "a list of attributes expected" },
    { "as", LUA_TSTRING, "a name expected" },
    { "paranoid", LUA_TBOOLEAN, "true or false expected" },
};

enum { OPTIONS = sizeof through_options / sizeof *through_options };

static const char *unknown(struct arena *arena, const char *name) {
    struct nearest nearest = { .word = name };
    for (int i = 0; i < OPTIONS; i++) nearest_offer(&nearest, through_options[i].name);
    if (!nearest.best) return "unknown option (it has: where, attributes, as, paranoid)";
    return arena_printf(arena, "unknown option (did you mean \"%s\"?)", nearest.best);
}

static const char *option_fault(struct arena *arena, const char *name, int type) {
    for (const struct through_option *option = through_options; option < through_options + OPTIONS; option++)
        if (strcmp(option->name, name) == 0) return !option->instead || option->type == type ? NULL : option->instead;
    return unknown(arena, name);
}

const char *through_fault(lua_State *L, struct arena *arena, int index, const char **place) {
    *place = "through";
    if (!lua_istable(L, index)) return "a table expected";
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) return "keys are option names; there is one that is none";
        bool empty = lua_type(L, -1) == LUA_TSTRING && !lua_rawlen(L, -1);
        const char *name = name_at(L, -2), *fault = option_fault(arena, name, empty ? LUA_TNIL : lua_type(L, -1));
        if (!fault) continue;
        *place = arena_printf(arena, "through.%s", name);
        return fault;
    }
    return NULL;
}

const struct expr *through_where(lua_State *L, struct call *call, int index, const struct model *junction, int alias) {
    struct where_reader reader = where_reader(call, junction, "through.where");
    const struct expr *where = NULL;
    int top = lua_gettop(L);
    if (push_field(L, index, "where") != LUA_TNIL) where = read_where(L, &reader, top + 1);
    lua_settop(L, top);         /* an error leaves behind what was being read */
    return where && !error_is_set(reader.error) ? expr_at(reader.arena, alias, where) : NULL;
}

bool through_counts_deleted(lua_State *L, int index) {
    bool given = push_field(L, index, "paranoid") == LUA_TBOOLEAN, deleted = given && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    return deleted;
}

const char *through_property(lua_State *L, struct arena *arena, int index, const char *property) {
    if (push_field(L, index, "as") == LUA_TSTRING) property = arena_text(arena, name_at(L, -1), strlen(name_at(L, -1)));
    lua_pop(L, 1);
    return property;
}
