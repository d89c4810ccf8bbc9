/* Conditions are read anew for every place they stand in, as they speak of other tables there. */
#include "lua/include_rows.h"

#include <string.h>

#include "lua/through.h"
#include "lua/value.h"

bool placed(struct find *find, const struct include *include, bool fine) {
    struct error *error = find->where.error;
    if (fine || error->code != ERROR_USAGE) return fine;
    error->code = ERROR_EAGER_LOADING;
    error->message = arena_dotted(find->where.arena, include->path, error->message);
    error->path = arena_dotted(find->where.arena, include->path, error->path ? error->path : "");
    return false;
}

int push_option(lua_State *L, struct find *find, const struct include *include, const char *key) {
    push_include_options(L, find->where.call, include);
    if (lua_isnil(L, -1)) return LUA_TNIL;
    push_field(L, -1, key);
    lua_remove(L, -2);
    return lua_type(L, -1);
}

/* --------------------------------------------------------------------------------------------------- conditions */

const struct expr *read_include_condition(lua_State *L, struct find *find, const struct include *include, const char *key,
                                          struct path_base base, const struct outer_table *outer, int junction) {
    struct where_reader reader = where_reader(find->where.call, include->assoc->target, key);
    const struct outer_table link = { assoc_through(include->assoc), NULL, junction };
    const struct expr *expr = NULL;
    reader.paths = &base;
    reader.outer = outer;
    if (link.model && junction >= 0) reader.link = &link;
    if (push_option(L, find, include, key) != LUA_TNIL) expr = read_where(L, &reader, lua_gettop(L));
    lua_pop(L, 1);
    for (int i = 0; i < include->scopes && strcmp(key, "where") == 0 && !error_is_set(reader.error); i++) {
        push_call_value(L, find->where.call, CALL_KEEP);
        lua_rawgeti(L, -1, include->scope + i);
        push_field(L, -1, "where");
        if (!lua_isnil(L, -1)) expr = expr_and(find->where.arena, expr, read_where(L, &reader, lua_gettop(L)));
        lua_pop(L, 3);
    }
    placed(find, include, !error_is_set(&find->where.call->error));
    return expr ? expr_at(find->where.arena, base.alias, expr) : NULL;
}

const struct expr *standing_condition(struct find *find, const struct include *include, int alias) {
    const struct expr *there = include->with_deleted ? NULL : not_deleted(find->where.arena, include->assoc->target);
    return there ? expr_at(find->where.arena, alias, there) : NULL;
}

bool with_deleted_links(lua_State *L, struct find *find, const struct include *include) {
    bool deleted = false;
    if (push_option(L, find, include, "through") == LUA_TTABLE) deleted = through_counts_deleted(L, lua_gettop(L));
    lua_pop(L, 1);
    return deleted;
}

int deleted_of(lua_State *L, struct find *find, const struct include *include) {
    bool links = assoc_through(include->assoc) && with_deleted_links(L, find, include);
    return (include->with_deleted ? WALK_DELETED_TARGET : 0) | (links ? WALK_DELETED_LINKS : 0);
}

const struct expr *read_through_where(lua_State *L, struct find *find, const struct include *include, int junction) {
    const struct model *through = assoc_through(include->assoc);
    const struct expr *expr = NULL;
    if (!through) return NULL;
    if (push_option(L, find, include, "through") == LUA_TTABLE)
        expr = through_where(L, find->where.call, lua_gettop(L), through, junction);
    lua_pop(L, 1);
    placed(find, include, !error_is_set(&find->where.call->error));
    return expr;
}

bool has_on(lua_State *L, struct find *find, const struct include *include) {
    bool on = push_option(L, find, include, "on") != LUA_TNIL;
    lua_pop(L, 1);
    return on;
}

/* Restricts the rows that the include's association leads to from the table `near` (they are base.alias of base.select) by the same
 * conditions as when they are loaded. */
static struct select *narrowed(lua_State *L, struct find *find, const struct include *include, const struct model *source, int near,
                               struct path_base base) {
    struct arena *arena = find->where.arena;
    struct select *rows = base.select;
    if (has_on(L, find, include)) {
        struct outer_table outer = { source, NULL, near };
        rows->where = read_include_condition(L, find, include, "on", base, &outer, -1);
        select_where(arena, rows, hop_filter(arena, include->assoc, 0, base.alias, deleted_of(L, find, include)));
    }
    select_where(arena, rows, read_include_condition(L, find, include, "where", base, NULL, rows->alias));
    if (assoc_through(include->assoc)) select_where(arena, rows, read_through_where(L, find, include, rows->alias));
    for (const struct include *child = include->first; child; child = child->next) {
        int below;
        if (!child->required) continue;
        struct select *inner = rows_of(L, find, child, include->assoc->target, base.alias, base.next_alias, &below);
        select_where(arena, rows, expr_exists(arena, inner));
    }
    return rows;
}

struct select *rows_of(lua_State *L, struct find *find, const struct include *include, const struct model *source, int near,
                       int *next_alias, int *target) {
    struct select *rows = walk_rows_deleted(find->where.arena, next_alias, include->assoc, near, target,
                                            deleted_of(L, find, include));
    return narrowed(L, find, include, source, near, (struct path_base){ rows, next_alias, *target, false, false });
}

struct select *counted_rows_of(lua_State *L, struct find *find, const struct include *include, const struct model *source,
                               int near, int *next_alias, int *target) {
    if (!include->assoc->kind->path) return rows_of(L, find, include, source, near, next_alias, target);
    struct select *rows = walk_targets(find->where.arena, next_alias, include->assoc, near, target, deleted_of(L, find, include));
    return narrowed(L, find, include, source, near, (struct path_base){ rows, next_alias, *target, false, false });
}

const struct expr *has_rows(lua_State *L, struct find *find, const struct include *include, struct plan *plan,
                            const struct model *source, int near) {
    int target;
    plan->select->qualified = true;
    return expr_exists(find->where.arena, rows_of(L, find, include, source, near, &plan->next_alias, &target));
}
