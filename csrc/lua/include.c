/* Reads the option `include`:
 *
 *     include := item | { item*, name = true | options, … }
 *     item    := "name" | Model | association | options with association, as or model | { all = true | kinds, nested = true }
 *     options := { attributes, where, required, on, through, order, limit, offset, include, separate, strategy … }
 *
 * Raw access only. The map form has no order of its own: it is read in the order of the model's declarations. */
#include "lua/include.h"

#include <string.h>

#include "base/buf.h"
#include "lua/marker.h"
#include "lua/value.h"

/* What reading a level needs to know. */
struct level {
    struct find *find;
    const struct model *model;
    const char *path;
    const struct level *above;
    int depth;
    struct include **first;
    bool additional;            /* what a scope includes: the user's own includes of the same associations win */
};

/* ------------------------------------------------------------------------------------------------------- errors */

bool include_wrong(struct find *find, const char *path, const char *sentence) {
    struct where_reader *reader = &find->where;
    error_set(reader->error, reader->arena, ERROR_EAGER_LOADING, "%s: %s", path, sentence);
    if (!reader->error->path) reader->error->path = path;
    return false;
}

static bool wrong(const struct level *level, const char *sentence) {
    return include_wrong(level->find, level->path, sentence);
}

static struct arena *arena_of(const struct level *level) {
    return level->find->where.arena;
}

static const char *sub_path(const struct level *level, const char *name) {
    return arena_printf(arena_of(level), "%s.%s", level->path, name);
}

/* " (did you mean "x"?)", or the names there are. */
static const char *valid_names(struct arena *arena, const struct model *model, const char *name) {
    struct nearest nearest = { .word = name };
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) nearest_offer(&nearest, assoc->name);
    if (!model->assocs) return arena_printf(arena, "%s has no associations", model->name);
    const char *hint = nearest.best ? arena_printf(arena, "did you mean \"%s\"? ", nearest.best) : "";
    return arena_printf(arena, "%s%s has: %s", hint, model->name, association_list(model, arena));
}

static bool unknown_name(const struct level *level, const char *name) {
    struct arena *arena = arena_of(level);
    name = arena_text(arena, name, strlen(name));
    return include_wrong(level->find, sub_path(level, name),
                         arena_printf(arena, "%s has no association \"%s\" (%s)", level->model->name, name,
                                      valid_names(arena, level->model, name)));
}

static bool invalid_form(lua_State *L, const struct level *level, int index) {
    return wrong(level, arena_printf(arena_of(level), "an include is the name of an association, an association, a model, or a table of "
                                     "options that names one; got %s", kind_text(L, index)));
}

/* -------------------------------------------------------------------------------------------- which association */

static const struct assoc_box *assoc_object(lua_State *L, int index) {
    if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return NULL;
    lua_rawgeti(L, -1, 1);
    const struct assoc_box *box = userdata_test(L, -1, USERDATA_ASSOC);
    lua_pop(L, 2);
    return box;
}

static const struct model_box *class_at(lua_State *L, int index) {
    const struct model_box *box = class_model(L, index);
    if (box) lua_pop(L, 1);
    return box;
}

/* The candidates by name, for a model that several associations lead to. */
static const char *candidates(struct arena *arena, const struct model *model, const struct model *target) {
    struct buf buf;
    buf_init(&buf, arena);
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) {
        if (assoc->target != target) continue;
        buf_adds(&buf, buf.len ? ", " : "");
        buf_adds(&buf, assoc->name);
    }
    return buf.text;
}

static const struct assoc *assoc_to(struct arena *arena, const struct model *model, const struct model *target,
                                    const char **sentence) {
    const struct assoc *found = NULL;
    int count = 0;
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) {
        if (assoc->target != target) continue;
        found = assoc;
        count++;
    }
    if (count == 1) return found;
    *sentence = count ? arena_printf(arena, "several associations lead from %s to %s: say which one by as (%s)", model->name,
                                     target->name, candidates(arena, model, target))
                      : arena_printf(arena, "no association leads from %s to %s (%s)", model->name, target->name,
                                     valid_names(arena, model, target->name));
    return NULL;
}

static const struct assoc *own_assoc(struct arena *arena, const struct assoc_box *box, const struct model *model,
                                     const char **sentence) {
    const struct assoc *assoc = box->assoc;
    const struct assoc *current = assoc->source == model ? assoc_find(model, assoc->name) : NULL;
    if (current) return current;
    *sentence = arena_printf(arena, "the association %s.%s belongs to %s, not to %s (%s)", assoc->source->name, assoc->name,
                             assoc->source->name, model->name, valid_names(arena, model, assoc->name));
    return NULL;
}

const struct assoc *assoc_at(lua_State *L, struct call *call, const struct model *model, int index, const char **sentence) {
    const struct assoc_box *box = assoc_object(L, index);
    if (box) return own_assoc(&call->arena, box, model, sentence);
    const struct model_box *class = class_at(L, index);
    if (class && class->db != call->db) {
        *sentence = arena_printf(&call->arena, "%s is a model of another connection", class->model->name);
        return NULL;
    }
    if (class) return assoc_to(&call->arena, model, class->model, sentence);
    *sentence = arena_printf(&call->arena, "the name of an association, an association or a model expected, got %s",
                             kind_text(L, index));
    return NULL;
}

static bool find_named(const struct level *level, const char *name, const struct assoc **assoc) {
    *assoc = assoc_find(level->model, name);
    return *assoc || unknown_name(level, name);
}

static bool find_given(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    const char *sentence;
    if (lua_type(L, index) == LUA_TSTRING) return find_named(level, name_at(L, index), assoc);
    *assoc = assoc_at(L, level->find->where.call, level->model, index, &sentence);
    return *assoc || wrong(level, sentence);
}

static int push_field(lua_State *L, int index, const char *key) {
    lua_pushstring(L, key);
    return lua_rawget(L, index);
}

/* True if the table says itself which association it is about. A key of this name may also be one of the map form. */
static bool names_association(lua_State *L, const struct level *level, int index) {
    static const char *const keys[] = { "association", "as", "model", "all" };
    for (int i = 0; i < 4; i++) {
        int type = push_field(L, index, keys[i]);
        bool plain = type == LUA_TTABLE && !assoc_object(L, lua_gettop(L)) && !class_at(L, lua_gettop(L));
        lua_pop(L, 1);
        if (type == LUA_TNIL) continue;
        if (i == 3) return type != LUA_TTABLE || plain;
        if (!(plain && assoc_find(level->model, keys[i]))) return true;
    }
    return false;
}

/* `model` beside another name must be its target. */
static bool check_model_option(lua_State *L, const struct level *level, int index, const struct assoc *assoc) {
    bool fine = true;
    const struct model *given = NULL;
    if (push_field(L, index, "model") == LUA_TSTRING) given = model_find(&level->find->where.call->db->schema, name_at(L, -1));
    else if (class_at(L, lua_gettop(L))) given = class_at(L, lua_gettop(L))->model;
    if (!lua_isnil(L, -1) && given != assoc->target)
        fine = wrong(level, arena_printf(arena_of(level), "the model does not match: %s.%s leads to %s", level->model->name,
                                         assoc->name,
                                         assoc->target->name));
    lua_pop(L, 1);
    return fine;
}

static bool find_model(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    const char *sentence;
    const struct model *target = NULL;
    if (push_field(L, index, "model") == LUA_TSTRING) {
        const char *name = name_at(L, -1);
        target = model_find(&level->find->where.call->db->schema, name);
        if (!target) return wrong(level, arena_printf(arena_of(level), "there is no model \"%s\"", name));
        *assoc = assoc_to(arena_of(level), level->model, target, &sentence);
    } else {
        *assoc = assoc_at(L, level->find->where.call, level->model, lua_gettop(L), &sentence);
    }
    lua_pop(L, 1);
    return *assoc || wrong(level, sentence);
}

/* The association of a table that names it. */
static bool find_of_table(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    static const char *const keys[] = { "association", "as" };
    for (int i = 0; i < 2; i++) {
        if (push_field(L, index, keys[i]) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        bool fine = find_given(L, level, lua_gettop(L), assoc);
        lua_pop(L, 1);
        return fine && check_model_option(L, level, index, *assoc);
    }
    return find_model(L, level, index, assoc);
}

/* ------------------------------------------------------------------------------------------------------ options */

static bool read_level(lua_State *L, const struct level *level, int index);

static bool read_children(lua_State *L, const struct level *level, struct include *include, int index) {
    struct level below = { level->find, include->assoc->target, include->path, level, level->depth + 1, &include->first, false };
    if (below.depth > INCLUDE_DEPTH) return wrong(&below, "includes are nested deeper than 64 levels");
    luaL_checkstack(L, 30, "includes too deep");
    return read_level(L, &below, index);
}

static bool read_count(lua_State *L, const struct level *level, struct include *include, int index, const char *key,
                       int64_t *into) {
    (void)level;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) >= 0) {
        *into = lua_tointeger(L, index);
        return true;
    }
    return include_wrong(level->find, arena_printf(arena_of(level), "%s.%s", include->path, key),
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
    return include_wrong(level->find, arena_printf(arena_of(level), "%s.%s", include->path, key), sentence);
}

typedef bool read_one(lua_State *L, const struct level *level, struct include *include, int index);

static bool read_attributes(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index)) return option_wrong(level, include, "attributes", "a list of attributes expected");
    include->hidden = is_empty(L, index);
    return true;
}

static bool read_include_where(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index) && !marker_test(L, index)) return option_wrong(level, include, "where", "a table expected");
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

static bool read_limit(lua_State *L, const struct level *level, struct include *include, int index) {
    return read_count(L, level, include, index, "limit", &include->limit);
}

static bool read_offset(lua_State *L, const struct level *level, struct include *include, int index) {
    return read_count(L, level, include, index, "offset", &include->offset);
}

static bool read_on(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index) && !marker_test(L, index)) return option_wrong(level, include, "on", "a table expected");
    if (include->assoc->hop_count == 1) return true;
    return option_wrong(level, include, "on", "option \"on\" takes the place of one key; this association leads over other tables");
}

static bool read_through_table(lua_State *L, const struct level *level, struct include *include, int index) {
    if (!lua_istable(L, index)) return option_wrong(level, include, "through", "a table expected");
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
    read_one *read;
    const char *instead;
} include_options[] = {
    { "association", keep, NULL }, { "as", keep, NULL }, { "model", keep, NULL },
    { "attributes", read_attributes, NULL }, { "where", read_include_where, NULL }, { "required", read_required, NULL },
    { "on", read_on, NULL }, { "through", read_through_table, NULL }, { "order", keep, NULL }, { "limit", read_limit, NULL },
    { "offset", read_offset, NULL }, { "include", read_children, NULL }, { "paranoid", read_paranoid, NULL },
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
    return include_wrong(level->find, arena_printf(arena, "%s.%s", include->path, name), arena_printf(arena,
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

static bool read_options(lua_State *L, const struct level *level, struct include *include, int index) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return include_wrong(level->find, include->path, "keys are option names; there is one that is none");
        if (!read_option(L, level, include, name_at(L, -2), lua_gettop(L))) return false;
    }
    if (!include->required_given) include->required = include->has_where;
    return true;
}

/* --------------------------------------------------------------------------------------------------------- tree */

/* Keeps the table for the plan; returns its place in the list that hangs on the box. */
static int keep_options(lua_State *L, struct find *find, int index) {
    struct call *call = find->where.call;
    push_call_value(L, call, CALL_KEEP);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        set_call_value(L, call, CALL_KEEP);
    }
    int place = (int)lua_rawlen(L, -1) + 1;
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, place);
    lua_pop(L, 1);
    return place;
}

void push_include_options(lua_State *L, struct call *call, const struct include *include) {
    if (!include->options) {
        lua_pushnil(L);
        return;
    }
    push_call_value(L, call, CALL_KEEP);
    lua_rawgeti(L, -1, include->options);
    lua_remove(L, -2);
}

static struct include *find_include(const struct level *level, const struct assoc *assoc) {
    struct include *include = *level->first;
    while (include && include->assoc != assoc) include = include->next;
    return include;
}

/* What { all = true } brought may be asked for by name as well, with options. */
static bool repeat_include(lua_State *L, const struct level *level, struct include *include, int index) {
    include->by_all = false;
    if (!index) return true;
    include->options = keep_options(L, level->find, index);
    return read_options(L, level, include, index);
}

int push_include_option(lua_State *L, struct call *call, const struct include *include, const char *key) {
    push_include_options(L, call, include);
    if (lua_istable(L, -1)) {
        lua_pushstring(L, key);
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    for (int i = include->scopes - 1; lua_isnil(L, -1) && i >= 0; i--) {
        lua_pop(L, 1);
        push_call_value(L, call, CALL_KEEP);
        lua_rawgeti(L, -1, include->scope + i);
        lua_remove(L, -2);
        lua_pushstring(L, key);
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    return lua_type(L, -1);
}

/* --------------------------------------------------------------------------------------------------------- scopes */

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
        struct level below = { level->find, include->assoc->target, include->path, level, level->depth + 1, &include->first, true };
        if (below.depth > INCLUDE_DEPTH) return wrong(&below, "includes are nested deeper than 64 levels (by default scopes)");
        luaL_checkstack(L, 30, "includes too deep");
        fine = read_level(L, &below, lua_gettop(L));
    }
    lua_settop(L, index);
    return fine;
}

/* Keeps the scope on the top for the plan. */
static void keep_scope(lua_State *L, const struct level *level, struct include *include) {
    int place = keep_options(L, level->find, lua_gettop(L));
    if (!include->scopes++) include->scope = place;
}

/* The default scope of the target, or the scopes that were chosen for it. They never make an include required. */
static bool read_scopes(lua_State *L, const struct level *level, struct include *include, int class_index) {
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

/* Of many children a scope may want some only; what the include itself says counts first. */
static bool read_scoped_counts(lua_State *L, const struct level *level, struct include *include) {
    struct call *call = level->find->where.call;
    int top = lua_gettop(L);
    bool fine = true;
    if (!include->scopes || !include->assoc->kind->many) return true;
    if (include->limit < 0 && push_include_option(L, call, include, "limit") != LUA_TNIL)
        fine = read_limit(L, level, include, lua_gettop(L));
    if (fine && include->offset < 0 && push_include_option(L, call, include, "offset") != LUA_TNIL)
        fine = read_offset(L, level, include, lua_gettop(L));
    lua_settop(L, top);
    return fine;
}

/* Adds a node; `index`: its options, 0: none; class_index: its model as it was named, 0: it was not. */
static bool add_include(lua_State *L, const struct level *level, const struct assoc *assoc, int index, int class_index) {
    struct find *find = level->find;
    struct include *there = find_include(level, assoc);
    if (there && level->additional) return true;
    if (there && there->by_all) return repeat_include(L, level, there, index);
    if (there) return include_wrong(find, sub_path(level, assoc->name), "the association is included twice");
    if (find->include_count == INCLUDE_NODES) return wrong(level, "more than 10,000 includes");
    struct include **link = level->first;
    while (*link) link = &(*link)->next;
    struct include *include = *link = arena_new(arena_of(level), struct include);
    include->assoc = assoc;
    include->path = sub_path(level, assoc->name);
    include->number = ++find->include_count;
    include->limit = include->offset = -1;
    if (index) include->options = keep_options(L, find, index);
    return (!index || read_options(L, level, include, index)) && read_scopes(L, level, include, class_index)
        && read_scoped_counts(L, level, include);
}

/* --------------------------------------------------------------------------------------------------- all, nested */

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
    return wrong(level, arena_printf(arena_of(level), "all = %s is not valid: it is true, or one or a list of One, Has, Many, All, "
                                     "BelongsTo, HasOne, HasMany, BelongsToMany", name));
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
        struct level below = { level->find, assoc->target, include->path, level, level->depth + 1, &include->first, false };
        if (below.depth > INCLUDE_DEPTH) return wrong(&below, "includes are nested deeper than 64 levels");
        if (!include_all(L, &below, groups, nested)) return false;
    }
    return true;
}

static bool read_all(lua_State *L, const struct level *level, int index) {
    bool nested = false;
    struct all_groups groups;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        bool is_nested = strcmp(key, "nested") == 0;
        if (is_nested && !lua_isboolean(L, -1)) return wrong(level, "nested: true or false expected");
        if (is_nested) nested = lua_toboolean(L, -1);
        if (!is_nested && strcmp(key, "all") != 0)
            return wrong(level, arena_printf(arena_of(level), "all = true takes no other option than nested (there is \"%s\")",
                                             key));
    }
    return read_groups(L, level, index, &groups) && include_all(L, level, &groups, nested);
}

/* -------------------------------------------------------------------------------------------------------- forms */

static bool has_all(lua_State *L, int index) {
    bool all = push_field(L, index, "all") != LUA_TNIL;
    lua_pop(L, 1);
    return all;
}

/* A table that names its association, or means all. */
static bool read_spec(lua_State *L, const struct level *level, int index) {
    const struct assoc *assoc;
    if (has_all(L, index)) return read_all(L, level, index);
    if (!find_of_table(L, level, index, &assoc)) return false;
    push_field(L, index, "model");
    bool class = class_at(L, lua_gettop(L)) != NULL;
    bool fine = add_include(L, level, assoc, index, class ? lua_gettop(L) : 0);
    lua_pop(L, 1);
    return fine;
}

static bool is_plain_table(lua_State *L, int index) {
    return lua_istable(L, index) && !assoc_object(L, index) && !class_at(L, index);
}

static bool read_item(lua_State *L, const struct level *level, int index) {
    const struct assoc *assoc;
    if (is_plain_table(L, index)) {
        if (names_association(L, level, index)) return read_spec(L, level, index);
        return wrong(level, "a table in the list must say which association it is about (association, as or model)");
    }
    if (lua_type(L, index) != LUA_TSTRING && !lua_istable(L, index)) return invalid_form(L, level, index);
    return find_given(L, level, index, &assoc) && add_include(L, level, assoc, 0, class_at(L, index) ? index : 0);
}

/* name = true | options */
static bool read_mapped(lua_State *L, const struct level *level, const struct assoc *assoc, int index) {
    if (lua_isboolean(L, index) && lua_toboolean(L, index)) return add_include(L, level, assoc, 0, 0);
    if (is_plain_table(L, index)) return add_include(L, level, assoc, index, 0);
    return include_wrong(level->find, sub_path(level, assoc->name),
                         arena_printf(arena_of(level), "a table of options, or true, expected, got %s", kind_text(L, index)));
}

/* Everything but the list part must be the name of an association. Returns the length of the list part, -1: error. */
static int check_keys(lua_State *L, const struct level *level, int index) {
    lua_Integer count = 0, largest = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2)) {
            count++;
            if (lua_tointeger(L, -2) > largest) largest = lua_tointeger(L, -2);
            continue;
        }
        bool text = lua_type(L, -2) == LUA_TSTRING;
        if (text && assoc_find(level->model, name_at(L, -2))) continue;
        if (text) unknown_name(level, name_at(L, -2));
        else wrong(level, "keys are names of associations; there is one that is none");
        return -1;
    }
    if (largest == count) return (int)count;
    wrong(level, "the list has a hole (an include that is nil)");
    return -1;
}

static bool read_table(lua_State *L, const struct level *level, int index) {
    int length = check_keys(L, level, index);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        bool fine = read_item(L, level, lua_gettop(L));
        lua_pop(L, 1);
        if (!fine) return false;
    }
    for (const struct assoc *assoc = level->model->assocs; length >= 0 && assoc; assoc = assoc->next) {
        push_field(L, index, assoc->name);
        bool fine = lua_isnil(L, -1) || read_mapped(L, level, assoc, lua_gettop(L));
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return length >= 0;
}

static bool read_level(lua_State *L, const struct level *level, int index) {
    if (!is_plain_table(L, index)) return read_item(L, level, index);
    if (names_association(L, level, index)) return read_spec(L, level, index);
    return read_table(L, level, index);
}

bool read_includes(lua_State *L, struct find *find, int index) {
    struct level level = { find, model_of(find), "include", NULL, 1, &find->includes, false };
    luaL_checkstack(L, 30, "includes too deep");
    return read_level(L, &level, index);
}
