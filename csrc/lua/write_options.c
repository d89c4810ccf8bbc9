#include <string.h>

#include "base/names.h"
#include "lua/value.h"
#include "lua/write.h"

struct reading {
    struct call *call;
    struct write_options *options;
    const struct model *model;
};

/* Rows without a key are named by the writing statement itself, which joins nothing. */
const struct expr *read_named_rows(lua_State *L, struct call *call, int index, struct select **named) {
    struct select *rows = select_new(&call->arena, call->model, 0);
    int next_alias = 1;
    struct path_base base = { rows, &next_alias, 0, false, .apart = call->model->key.count == 0 };
    struct where_reader reader = where_reader(call, call->model, "where");
    reader.paths = &base;
    const struct expr *where = read_where(L, &reader, index);
    if (rows->joins || rows->qualified) *named = rows;
    return reader.conditions ? where : NULL;
}

static bool wrong(struct reading *reading, const char *name, const char *sentence) {
    struct call *call = reading->call;
    error_set(&call->error, &call->arena, ERROR_USAGE, "%s: %s", name, sentence);
    if (!call->error.path) call->error.path = arena_text(&call->arena, name, strlen(name));
    return false;
}

static bool read_flag(lua_State *L, struct reading *reading, int index, const char *name, bool *into) {
    if (!lua_isboolean(L, index)) return wrong(reading, name, "true or false expected");
    *into = lua_toboolean(L, index);
    return true;
}

/* A list of attribute names as attributes, each once. False: error set. */
static bool read_attr_list(lua_State *L, struct reading *reading, int index, const char *name, struct attr_list *list) {
    struct where_reader reader = where_reader(reading->call, reading->model, name);
    if (!lua_istable(L, index)) return wrong(reading, name, "a list of attribute names expected");
    int length = list_length(L, &reader, index);
    if (length < 0) return false;
    const struct attr **items = arena_array(&reading->call->arena, const struct attr *, length + 1);
    *list = (struct attr_list){ items, 0 };
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING) return wrong(reading, name, "attribute names expected");
        const struct attr *attr = find_attr(&reader, name_at(L, -1));
        lua_pop(L, 1);
        if (!attr) return false;
        bool repeated = false;
        for (int k = 0; k < list->count; k++) repeated = repeated || items[k] == attr;
        if (!repeated) items[list->count++] = attr;
    }
    return true;
}

/* The same as a set by ordinal. */
static bool read_attr_set(lua_State *L, struct reading *reading, int index, const char *name, const bool **set) {
    struct attr_list list;
    if (!read_attr_list(L, reading, index, name, &list)) return false;
    bool *listed = arena_array(&reading->call->arena, bool, reading->model->attr_count + 1);
    for (int k = 0; k < list.count; k++) listed[list.items[k]->ordinal] = true;
    *set = listed;
    return true;
}

static bool read_fields(lua_State *L, struct reading *reading, int index) {
    return read_attr_set(L, reading, index, "fields", &reading->options->fields);
}

static bool read_silent(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "silent", &reading->options->silent);
}

static bool read_validate(lua_State *L, struct reading *reading, int index) {
    bool validate = true, fine = read_flag(L, reading, index, "validate", &validate);
    reading->options->no_validate = !validate;
    return fine;
}

/* true, or a list of what is to come back. */
static bool read_returning(lua_State *L, struct reading *reading, int index) {
    struct write_options *options = reading->options;
    if (lua_isboolean(L, index)) return read_flag(L, reading, index, "returning", &options->returning);
    if (!lua_istable(L, index)) return wrong(reading, "returning", "true, false or a list of attribute names expected");
    options->returning = true;
    return read_attr_set(L, reading, index, "returning", &options->returned);
}

/* Two answers to one question. */
static bool set_conflict(struct reading *reading, const char *name, enum conflict conflict) {
    enum conflict *chosen = &reading->options->conflict;
    if (*chosen != CONFLICT_ERROR && *chosen != conflict)
        return wrong(reading, name, "ignoreDuplicates and updateOnDuplicate exclude each other");
    *chosen = conflict;
    return true;
}

static bool read_ignore_duplicates(lua_State *L, struct reading *reading, int index) {
    bool ignore = false;
    if (!read_flag(L, reading, index, "ignoreDuplicates", &ignore)) return false;
    return !ignore || set_conflict(reading, "ignoreDuplicates", CONFLICT_NOTHING);
}

static bool read_update_on_duplicate(lua_State *L, struct reading *reading, int index) {
    struct attr_list list;
    if (!read_attr_set(L, reading, index, "updateOnDuplicate", &reading->options->updated)
        || !read_attr_list(L, reading, index, "updateOnDuplicate", &list)) return false;
    if (!list.count) return wrong(reading, "updateOnDuplicate", "a list of at least one attribute expected");
    return set_conflict(reading, "updateOnDuplicate", CONFLICT_UPDATE);
}

static bool read_conflict_fields(lua_State *L, struct reading *reading, int index) {
    if (!read_attr_list(L, reading, index, "conflictFields", &reading->options->conflict_fields)) return false;
    if (reading->options->conflict_fields.count) return true;
    return wrong(reading, "conflictFields", "a list of at least one attribute expected");
}

static bool read_conflict_where(lua_State *L, struct reading *reading, int index) {
    struct where_reader reader = where_reader(reading->call, reading->model, "conflictWhere");
    reading->options->conflict_where = read_where(L, &reader, index);
    return !error_is_set(&reading->call->error);
}

static bool read_all(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "all", &reading->options->all);
}

static bool read_where_option(lua_State *L, struct reading *reading, int index) {
    reading->options->where = read_named_rows(L, reading->call, index, &reading->options->named);
    reading->options->where_given = true;
    return !error_is_set(&reading->call->error);
}

static bool read_limit(lua_State *L, struct reading *reading, int index) {
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0)
        return wrong(reading, "limit", "a non-negative integer expected");
    reading->options->limit = lua_tointeger(L, index);
    return true;
}

static bool read_truncate(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "truncate", &reading->options->truncate);
}

static bool read_by(lua_State *L, struct reading *reading, int index) {
    int type = lua_type(L, index);
    if (type != LUA_TNUMBER && type != LUA_TSTRING) return wrong(reading, "by", "a number expected");
    reading->options->by_given = true;
    return true;
}

static bool read_force(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "force", &reading->options->force);
}

static bool read_paranoid(lua_State *L, struct reading *reading, int index) {
    bool paranoid = true, fine = read_flag(L, reading, index, "paranoid", &paranoid);
    reading->options->with_deleted = !paranoid;
    return fine;
}

static bool read_ignored_flag(lua_State *L, struct reading *reading, int index) {
    bool ignored;
    return read_flag(L, reading, index, "hooks", &ignored);
}

static bool read_dependent(lua_State *L, struct reading *reading, int index) {
    bool ignored;
    return read_flag(L, reading, index, "dependent", &ignored);
}

bool skips_dependents(lua_State *L, int index) {
    if (!lua_istable(L, index)) return false;
    push_field(L, index, "dependent");
    bool skips = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    lua_pop(L, 1);
    return skips;
}

/* Where a model has hooks its Lua side has taken the option; where it has none there are none to run. */
static bool read_individual_hooks(lua_State *L, struct reading *reading, int index) {
    bool ignored;
    return read_flag(L, reading, index, "individualHooks", &ignored);
}

static bool read_by_caller(lua_State *L, struct reading *reading, int index) {
    (void)L, (void)reading, (void)index;
    return true;
}

/* The Lua side takes it where it means something. */
static bool read_include(lua_State *L, struct reading *reading, int index) {
    (void)L, (void)index;
    return wrong(reading, "include", "it goes with build, create and bulkCreate; save what is associated by itself");
}

/* Sequelize's; there is nothing to do for it here. */
static bool no_effect(lua_State *L, struct reading *reading, int index) {
    (void)L, (void)reading, (void)index;
    return true;
}

struct option {
    const char *name;
    bool (*read)(lua_State *L, struct reading *reading, int index);     /* NULL: `instead` says why not */
    int sets;
    const char *instead;
};

enum {
    EVERY = WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_COUNTER | WRITE_DESTROY | WRITE_LINK | WRITE_UPSERT | WRITE_RESTORE,
    CONFLICTS = WRITE_BULK | WRITE_CREATE | WRITE_UPSERT
};

static const struct option option_table[] = {
    { "fields", read_fields, WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_LINK | WRITE_UPSERT, NULL },
    { "validate", read_validate, WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_LINK | WRITE_UPSERT, NULL },
    { "silent", read_silent, EVERY, NULL },
    { "hooks", read_ignored_flag, EVERY, NULL },
    { "returning", read_returning, WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_UPSERT, NULL },
    { "where", read_where_option, WRITE_WHERE, NULL },
    { "all", read_all, WRITE_WHERE, NULL },
    { "limit", read_limit, WRITE_WHERE, NULL },
    { "by", read_by, WRITE_COUNTER, NULL },
    { "force", read_force, WRITE_DESTROY | WRITE_REMOVAL, NULL },
    { "dependent", read_dependent, WRITE_DESTROY, NULL },
    { "truncate", read_truncate, WRITE_TRUNCATE, NULL },
    { "save", read_by_caller, WRITE_LINK, NULL },
    { "through", read_by_caller, WRITE_LINK, NULL },
    { "destroy", read_by_caller, WRITE_LINK, NULL },
    { "destroyPrevious", read_by_caller, WRITE_LINK, NULL },
    { "joinTableAttributes", read_by_caller, WRITE_LINK, NULL },
    { "include", read_include, WRITE_ROW | WRITE_BULK | WRITE_LINK | WRITE_BUILD, NULL },
    { "individualHooks", read_individual_hooks, EVERY, NULL },
    { "ignoreDuplicates", read_ignore_duplicates, WRITE_BULK | WRITE_CREATE, NULL },
    { "updateOnDuplicate", read_update_on_duplicate, WRITE_BULK, NULL },
    { "conflictFields", read_conflict_fields, CONFLICTS, NULL },
    { "conflictWhere", read_conflict_where, CONFLICTS, NULL },
    { "paranoid", read_paranoid, WRITE_WHERE, NULL },
    { "benchmark", no_effect, EVERY, NULL },
    { "conflictAttributes", NULL, CONFLICTS, "is written conflictFields" },
    { "isNewRecord", NULL, WRITE_ROW, "is not liga's way: what build returns is inserted, what a find returns is updated" },
    { "skip", NULL, WRITE_ROW | WRITE_BULK, "is written fields, or validate = false" },
    { "raw", NULL, WRITE_ROW | WRITE_BULK, "is not liga's way: setters run in build, create and update, assignments run none" },
    { "sideEffects", NULL, WRITE_WHERE, "is not liga's way: hooks may add to options.attributes" },
    { NULL, NULL, 0, NULL },
};

static bool unknown(struct reading *reading, const char *name, int sets) {
    struct nearest nearest = { .word = name };
    for (const struct option *option = option_table; option->name; option++)
        if (option->read && (option->sets & sets)) nearest_offer(&nearest, option->name);
    return wrong(reading, name, arena_printf(&reading->call->arena, "unknown option%s", option_hint(reading->call, &nearest)));
}

static bool read_option(lua_State *L, struct reading *reading, const char *name, int index, int sets) {
    if (read_call_option(L, reading->call, name)) return true;
    for (const struct option *option = option_table; option->name; option++) {
        if (!(option->sets & sets) || strcmp(option->name, name) != 0) continue;
        if (option->read) return option->read(L, reading, index);
        return wrong(reading, name, arena_printf(&reading->call->arena, "option \"%s\" %s", name, option->instead));
    }
    return unknown(reading, name, sets);
}

/* What only means something together with something else. */
static bool check_conflict(struct reading *reading, int sets) {
    const struct write_options *options = reading->options;
    if (options->conflict_where && !options->conflict_fields.count)
        return wrong(reading, "conflictWhere", "it belongs to the partial unique index over conflictFields: give these too");
    bool idle = options->conflict_fields.count && options->conflict == CONFLICT_ERROR && !(sets & WRITE_UPSERT);
    return !idle || wrong(reading, "conflictFields", sets & WRITE_BULK ? "it goes with ignoreDuplicates or updateOnDuplicate"
                                                                       : "it goes with ignoreDuplicates");
}

bool read_write_options(lua_State *L, struct call *call, int index, int sets, struct write_options *options) {
    struct reading reading = { call, options, call->model };
    options->limit = -1;
    if (lua_isnoneornil(L, index)) return true;
    if (!lua_istable(L, index)) return wrong(&reading, "options", "a table of options expected");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) return wrong(&reading, "options", "keys are option names; there is one that is none");
        if (!read_option(L, &reading, name_at(L, -2), lua_gettop(L), sets)) return false;
    }
    return check_conflict(&reading, sets);
}

void push_write_option_names(lua_State *L, int sets) {
    lua_newtable(L);
    for (const struct option *option = option_table; option->name; option++) {
        if (!(option->sets & sets) || !option->read || option->read == no_effect) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, option->name);
    }
}
