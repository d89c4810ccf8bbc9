/* Reads the option `include`:
 *
 *     include := item | { item*, name = true | options, … }
 *     item    := "name" | Model | association | options with association, as or model | { all = true | kinds, nested = true }
 *     options := { attributes, where, required, on, through, order, limit, offset, include, separate, strategy … }
 *
 * Raw access only. The map form has no order of its own: it is read in the order of the model's declarations. */
#include "lua/include_internal.h"

#include <string.h>

#include "base/buf.h"
#include "lua/marker.h"
#include "lua/value.h"

/* ------------------------------------------------------------------------------------------------------- errors */

bool include_wrong(struct find *find, const char *path, const char *sentence) {
    struct where_reader *reader = &find->where;
    error_set(reader->error, reader->arena, ERROR_EAGER_LOADING, "%s: %s", path, sentence);
    if (!reader->error->path) reader->error->path = path;
    return false;
}

bool level_wrong(const struct level *level, const char *sentence) {
    return include_wrong(level->find, level->path, sentence);
}

static const char *sub_path(const struct level *level, const char *name) {
    return arena_dotted(arena_of(level), level->path, name);
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
    return level_wrong(level, arena_printf(arena_of(level), "an include is the name of an association, an association, a model, or "
                                           "a table of options that names one; got %s", kind_text(L, index)));
}

/* -------------------------------------------------------------------------------------------- which association */

static const struct assoc_box *assoc_object(lua_State *L, int index) {
    if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return NULL;
    lua_rawgeti(L, -1, 1);
    const struct assoc_box *box = userdata_test(L, -1, USERDATA_ASSOC);
    if (box) check_not_collected(L, box->db);
    lua_pop(L, 2);
    return box;
}

const struct model_box *class_at(lua_State *L, int index) {
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

/* The only association from a model to another, or NULL; `plain`: of those that are named after it. */
static const struct assoc *only_assoc(const struct model *model, const struct model *target, bool plain, int *count) {
    const struct assoc *found = NULL;
    *count = 0;
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) {
        if (assoc->target != target || (plain && !assoc->plain)) continue;
        found = assoc;
        ++*count;
    }
    return *count == 1 ? found : NULL;
}

static const struct assoc *assoc_to(struct arena *arena, const struct model *model, const struct model *target,
                                    const char **sentence) {
    int count;
    const struct assoc *found = only_assoc(model, target, false, &count);
    if (found) return found;
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

bool is_plain_table(lua_State *L, int index) {
    return lua_istable(L, index) && !assoc_object(L, index) && !class_at(L, index);
}

/* Whether an entry of the same list names an association to the model by its alias. */
static bool has_alias_beside(lua_State *L, const struct level *level, const struct model *target) {
    bool found = false;
    int top = lua_gettop(L);
    for (int i = 1; level->list && !found && i <= (int)lua_rawlen(L, level->list); i++) {
        lua_rawgeti(L, level->list, i);
        if (is_plain_table(L, lua_gettop(L)) && push_field(L, lua_gettop(L), "as") == LUA_TSTRING) {
            const struct assoc *assoc = assoc_find(level->model, name_at(L, -1));
            found = assoc && assoc->target == target;
        }
        lua_settop(L, top);
    }
    return found;
}

/* Of several associations to a model the one without an alias, where another entry gives the alias of its own:
 * { {model = Picture}, {model = Picture, as = "profilePicture"} }. NULL: there is none. */
static const struct assoc *assoc_beside(lua_State *L, const struct level *level, const struct model *target) {
    int count;
    return target && has_alias_beside(L, level, target) ? only_assoc(level->model, target, true, &count) : NULL;
}

static const struct model *model_at(lua_State *L, int index) {
    const struct model_box *class = class_at(L, index);
    return class ? class->model : NULL;
}

static bool find_given(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    const char *sentence;
    if (lua_type(L, index) == LUA_TSTRING) return find_named(level, name_at(L, index), assoc);
    *assoc = assoc_at(L, level->find->where.call, level->model, index, &sentence);
    if (!*assoc) *assoc = assoc_beside(L, level, model_at(L, index));
    return *assoc || level_wrong(level, sentence);
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
        fine = level_wrong(level, arena_printf(arena_of(level), "the model does not match: %s.%s leads to %s",
                                               level->model->name, assoc->name, assoc->target->name));
    lua_pop(L, 1);
    return fine;
}

static bool find_model(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    const char *sentence;
    const struct model *target;
    if (push_field(L, index, "model") == LUA_TSTRING) {
        const char *name = name_at(L, -1);
        target = model_find(&level->find->where.call->db->schema, name);
        if (!target) return level_wrong(level, arena_printf(arena_of(level), "there is no model \"%s\"", name));
        *assoc = assoc_to(arena_of(level), level->model, target, &sentence);
    } else {
        target = model_at(L, lua_gettop(L));
        *assoc = assoc_at(L, level->find->where.call, level->model, lua_gettop(L), &sentence);
    }
    if (!*assoc) *assoc = assoc_beside(L, level, target);
    lua_pop(L, 1);
    return *assoc || level_wrong(level, sentence);
}

/* Every name that the table gives must be one of the association. */
static bool check_names(lua_State *L, const struct level *level, int index, const struct assoc *assoc) {
    static const char *const keys[] = { "association", "as" };
    for (int i = 0; i < 2; i++) {
        const struct assoc *given = assoc;
        bool fine = push_field(L, index, keys[i]) == LUA_TNIL || find_given(L, level, lua_gettop(L), &given);
        lua_pop(L, 1);
        if (!fine) return false;
        if (given != assoc)
            return level_wrong(level, arena_printf(arena_of(level), "two associations are named: %s and, by %s, %s", assoc->name,
                                                   keys[i], given->name));
    }
    return check_model_option(L, level, index, assoc);
}

bool include_association(lua_State *L, const struct level *level, int index, const struct assoc **assoc) {
    static const char *const keys[] = { "association", "as" };
    for (int i = 0; i < 2; i++) {
        if (push_field(L, index, keys[i]) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        bool fine = find_given(L, level, lua_gettop(L), assoc);
        lua_pop(L, 1);
        return fine && check_names(L, level, index, *assoc);
    }
    return find_model(L, level, index, assoc);
}

/* --------------------------------------------------------------------------------------------------------- tree */

int keep_options(lua_State *L, struct find *find, int index) {
    struct call *call = find->where.call;
    push_call_table(L, call, CALL_KEEP);
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

struct include *find_include(const struct level *level, const struct assoc *assoc) {
    struct include *include = *level->first;
    while (include && include->assoc != assoc) include = include->next;
    return include;
}

/* What { all = true } brought may be asked for by name as well, with options. */
static bool repeat_include(lua_State *L, const struct level *level, struct include *include, int index) {
    include->by_all = false;
    if (!index) return true;
    include->options = keep_options(L, level->find, index);
    return read_include_options(L, level, include, index);
}

int push_include_option(lua_State *L, struct call *call, const struct include *include, const char *key) {
    push_include_options(L, call, include);
    if (lua_istable(L, -1)) {
        push_field(L, -1, key);
        lua_remove(L, -2);
    }
    for (int i = include->scopes - 1; lua_isnil(L, -1) && i >= 0; i--) {
        lua_pop(L, 1);
        push_call_value(L, call, CALL_KEEP);
        lua_rawgeti(L, -1, include->scope + i);
        lua_remove(L, -2);
        push_field(L, -1, key);
        lua_remove(L, -2);
    }
    return lua_type(L, -1);
}

bool add_include(lua_State *L, const struct level *level, const struct assoc *assoc, int index, int class_index) {
    struct find *find = level->find;
    struct include *there = find_include(level, assoc);
    if (there && level->additional) return true;
    if (there && there->by_all) return repeat_include(L, level, there, index);
    if (there) return include_wrong(find, sub_path(level, assoc->name), "the association is included twice");
    if (find->include_count == INCLUDE_NODES) return level_wrong(level, "more than 10,000 includes");
    struct include **link = level->first;
    while (*link) link = &(*link)->next;
    struct include *include = *link = arena_new(arena_of(level), struct include);
    include->assoc = assoc;
    include->path = sub_path(level, assoc->name);
    include->number = ++find->include_count;
    include->limit = include->offset = -1;
    if (index) include->options = keep_options(L, find, index);
    return (!index || read_include_options(L, level, include, index)) && read_include_scopes(L, level, include, class_index)
        && read_scoped_counts(L, level, include);
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
    if (has_all(L, index)) return read_include_all(L, level, index);
    if (!include_association(L, level, index, &assoc)) return false;
    push_field(L, index, "model");
    bool class = class_at(L, lua_gettop(L)) != NULL;
    bool fine = add_include(L, level, assoc, index, class ? lua_gettop(L) : 0);
    lua_pop(L, 1);
    return fine;
}

static bool read_item(lua_State *L, const struct level *level, int index) {
    const struct assoc *assoc;
    if (is_plain_table(L, index)) {
        if (names_association(L, level, index)) return read_spec(L, level, index);
        return level_wrong(level, "a table in the list must say which association it is about (association, as or model)");
    }
    if (lua_type(L, index) != LUA_TSTRING && !lua_istable(L, index)) return invalid_form(L, level, index);
    return find_given(L, level, index, &assoc) && add_include(L, level, assoc, 0, class_at(L, index) ? index : 0);
}

/* name = true | options */
static bool read_mapped(lua_State *L, const struct level *level, const struct assoc *assoc, int index) {
    if (lua_isboolean(L, index) && lua_toboolean(L, index)) return add_include(L, level, assoc, 0, 0);
    if (is_plain_table(L, index)) return check_names(L, level, index, assoc) && add_include(L, level, assoc, index, 0);
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
        else level_wrong(level, "keys are names of associations; there is one that is none");
        return -1;
    }
    if (largest == count) return (int)count;
    level_wrong(level, "the list has a hole (an include that is nil)");
    return -1;
}

static bool read_table(lua_State *L, const struct level *outer, int index) {
    struct level list = *outer;
    const struct level *level = &list;
    list.list = index;
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

bool read_include_level(lua_State *L, const struct level *level, int index) {
    if (!is_plain_table(L, index)) return read_item(L, level, index);
    if (names_association(L, level, index)) return read_spec(L, level, index);
    return read_table(L, level, index);
}

bool read_includes(lua_State *L, struct find *find, int index) {
    struct level level = { find, model_of(find), "include", NULL, 1, &find->includes, false, 0 };
    luaL_checkstack(L, 30, "includes too deep");
    return read_include_level(L, &level, index);
}
