/* { all = true | groups, nested = true }: all associations of a model, or those of some kinds; nested: theirs, too. */
#include "lua/include_internal.h"

#include <string.h>

#include "lua/value.h"

/* The groups that `all` may name; kinds by their own names, too. */
static bool in_group(const struct assoc *assoc, const char *group) {
    static const struct { const char *name; bool members[4]; } groups[] = {   /* belongsTo, hasOne, hasMany, belongsToMany */
        { "All", { true, true, true, true } }, { "One", { true, true, false, false } },
        { "Has", { false, true, true, false } }, { "Many", { false, false, true, false } },
    };
    static const char *const kinds[] = { "belongsTo", "hasOne", "hasMany", "belongsToMany" };
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        if (strcmp(groups[g].name, group) != 0) continue;
        for (int k = 0; k < 4; k++)
            if (strcmp(kinds[k], assoc->kind->name) == 0) return groups[g].members[k];
    }
    return strcmp(group + 1, assoc->kind->name + 1) == 0 && (*group | 0x20) == *assoc->kind->name;
}

static bool is_group(const char *name) {
    static const char *const names[] = { "All", "One", "Has", "Many", "BelongsTo", "HasOne", "HasMany", "BelongsToMany",
                                         "belongsTo", "hasOne", "hasMany", "belongsToMany" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool wrong_group(const struct level *level, const char *name) {
    return level_wrong(level, arena_printf(arena_of(level), "all = %s is not valid: it is true, or one or a list of One, Has, "
                                           "Many, All, BelongsTo, HasOne, HasMany, BelongsToMany", name));
}

/* Which associations `all` means: true, a name, or a list of names. */
struct all_groups {
    const char **names;
    int count;              /* 0: all */
};

static bool read_group_name(lua_State *L, const struct level *level, struct all_groups *groups) {
    bool text = lua_type(L, -1) == LUA_TSTRING;
    if (!text || !is_group(name_at(L, -1))) return wrong_group(level, text ? name_at(L, -1) : kind_text(L, -1));
    groups->names[groups->count++] = arena_text(arena_of(level), name_at(L, -1), strlen(name_at(L, -1)));
    return true;
}

static bool read_groups(lua_State *L, const struct level *level, int index, struct all_groups *groups) {
    *groups = (struct all_groups){ NULL, 0 };
    push_field(L, index, "all");
    int all = lua_gettop(L), length = lua_istable(L, all) ? (int)lua_rawlen(L, all) : 1;
    if (lua_isboolean(L, all)) {
        bool yes = lua_toboolean(L, all);
        lua_pop(L, 1);
        return yes || wrong_group(level, "false");
    }
    groups->names = arena_array(arena_of(level), const char *, length + 1);
    bool fine = length > 0 || wrong_group(level, "an empty list");
    for (int i = 1; fine && i <= length; i++) {
        if (lua_istable(L, all)) lua_rawgeti(L, all, i);
        else lua_pushvalue(L, all);
        fine = read_group_name(L, level, groups);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return fine;
}

static bool is_meant(const struct assoc *assoc, const struct all_groups *groups) {
    for (int i = 0; i < groups->count; i++)
        if (in_group(assoc, groups->names[i])) return true;
    return groups->count == 0;
}

/* The hasOne to a junction is there for those who ask for it by name. */
static bool is_link_to_junction(const struct assoc *assoc) {
    if (strcmp(assoc->kind->name, "hasOne") != 0) return false;
    for (const struct assoc *other = assoc->source->assocs; other; other = other->next)
        if (assoc_through(other) == assoc->target) return true;
    return false;
}

/* user → projects → user ends there. */
static bool on_the_path(const struct level *level, const struct model *model) {
    for (; level; level = level->above)
        if (level->model == model) return true;
    return false;
}

static bool include_all(lua_State *L, const struct level *level, const struct all_groups *groups, bool nested) {
    for (const struct assoc *assoc = level->model->assocs; assoc; assoc = assoc->next) {
        if (!is_meant(assoc, groups) || is_link_to_junction(assoc) || find_include(level, assoc)) continue;
        if (nested && level->above && on_the_path(level, assoc->target)) continue;
        if (!add_include(L, level, assoc, 0, 0)) return false;
        struct include *include = find_include(level, assoc);
        include->by_all = true;
        if (!nested || on_the_path(level, assoc->target)) continue;
        struct level below = { level->find, assoc->target, include->path, level, level->depth + 1, &include->first, false, 0 };
        if (below.depth > INCLUDE_DEPTH) return level_wrong(&below, "includes are nested deeper than 64 levels");
        if (!include_all(L, &below, groups, nested)) return false;
    }
    return true;
}

bool read_include_all(lua_State *L, const struct level *level, int index) {
    bool nested = false;
    struct all_groups groups;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        bool is_nested = strcmp(key, "nested") == 0;
        if (is_nested && !lua_isboolean(L, -1)) return level_wrong(level, "nested: true or false expected");
        if (is_nested) nested = lua_toboolean(L, -1);
        if (!is_nested && strcmp(key, "all") != 0)
            return level_wrong(level, arena_printf(arena_of(level), "all = true takes no other option than nested "
                                                   "(there is \"%s\")", key));
    }
    return read_groups(L, level, index, &groups) && include_all(L, level, &groups, nested);
}
