#include <string.h>

#include "base/names.h"
#include "lua/value.h"
#include "lua/write.h"

struct reading {
    struct call *call;
    struct write_options *options;
    const struct model *model;
};

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

static bool read_fields(lua_State *L, struct reading *reading, int index) {
    struct where_reader reader = where_reader(reading->call, reading->model, "fields");
    if (!lua_istable(L, index)) return wrong(reading, "fields", "a list of attribute names expected");
    int length = list_length(L, &reader, index);
    if (length < 0) return false;
    bool *fields = arena_array(&reading->call->arena, bool, reading->model->attr_count + 1);
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING) return wrong(reading, "fields", "attribute names expected");
        const struct attr *attr = find_attr(&reader, name_at(L, -1));
        lua_pop(L, 1);
        if (!attr) return false;
        fields[attr->ordinal] = true;
    }
    reading->options->fields = fields;
    return true;
}

static bool read_silent(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "silent", &reading->options->silent);
}

static bool read_validate(lua_State *L, struct reading *reading, int index) {
    bool validate = true, fine = read_flag(L, reading, index, "validate", &validate);
    reading->options->no_validate = !validate;
    return fine;
}

static bool read_returning(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "returning", &reading->options->returning);
}

static bool read_all(lua_State *L, struct reading *reading, int index) {
    return read_flag(L, reading, index, "all", &reading->options->all);
}

static bool read_where_option(lua_State *L, struct reading *reading, int index) {
    struct where_reader reader = where_reader(reading->call, reading->model, "where");
    const struct expr *where = read_where(L, &reader, index);
    if (error_is_set(&reading->call->error)) return false;
    reading->options->where_given = true;
    reading->options->where = reader.conditions ? where : NULL;
    return true;
}

static bool read_limit(lua_State *L, struct reading *reading, int index) {
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0)
        return wrong(reading, "limit", "a non-negative integer expected");
    reading->options->limit = lua_tointeger(L, index);
    return true;
}

static bool read_by(lua_State *L, struct reading *reading, int index) {
    int type = lua_type(L, index);
    if (type != LUA_TNUMBER && type != LUA_TSTRING) return wrong(reading, "by", "a number expected");
    reading->options->by_given = true;
    return true;
}

static bool read_ignored_flag(lua_State *L, struct reading *reading, int index) {
    bool ignored;
    return read_flag(L, reading, index, "hooks", &ignored);
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

struct option {
    const char *name;
    bool (*read)(lua_State *L, struct reading *reading, int index);     /* NULL: not available yet */
    int sets;
};

enum { EVERY = WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_COUNTER | WRITE_DESTROY | WRITE_LINK };

static const struct option option_table[] = {
    { "fields", read_fields, WRITE_ROW | WRITE_BULK | WRITE_LINK },
    { "validate", read_validate, WRITE_ROW | WRITE_WHERE | WRITE_BULK | WRITE_LINK },
    { "silent", read_silent, EVERY },
    { "hooks", read_ignored_flag, EVERY },
    { "returning", read_returning, WRITE_ROW | WRITE_WHERE | WRITE_BULK },
    { "where", read_where_option, WRITE_WHERE },
    { "all", read_all, WRITE_WHERE },
    { "limit", read_limit, WRITE_WHERE },
    { "by", read_by, WRITE_COUNTER },
    { "force", read_ignored_flag, WRITE_DESTROY },
    { "dependent", read_by_caller, WRITE_DESTROY },
    { "save", read_by_caller, WRITE_LINK },
    { "through", read_by_caller, WRITE_LINK },
    { "destroy", read_by_caller, WRITE_LINK },
    { "destroyPrevious", read_by_caller, WRITE_LINK },
    { "joinTableAttributes", read_by_caller, WRITE_LINK },
    { "include", NULL, WRITE_ROW | WRITE_BULK | WRITE_LINK | WRITE_BUILD },
    { "individualHooks", read_individual_hooks, EVERY },
    { "ignoreDuplicates", NULL, WRITE_BULK },
    { "updateOnDuplicate", NULL, WRITE_BULK },
    { "conflictFields", NULL, WRITE_BULK },
    { "conflictWhere", NULL, WRITE_BULK },
    { "truncate", NULL, WRITE_DESTROY },
    { "paranoid", NULL, WRITE_WHERE },
    { NULL, NULL, 0 },
};

static bool unknown(struct reading *reading, const char *name, int sets) {
    struct nearest nearest = { .word = name };
    for (const struct option *option = option_table; option->name; option++)
        if (option->sets & sets) nearest_offer(&nearest, option->name);
    return wrong(reading, name, arena_printf(&reading->call->arena, "unknown option%s", option_hint(reading->call, &nearest)));
}

static bool read_option(lua_State *L, struct reading *reading, const char *name, int index, int sets) {
    if (read_call_option(L, reading->call, name)) return true;
    for (const struct option *option = option_table; option->name; option++) {
        if (!(option->sets & sets) || strcmp(option->name, name) != 0) continue;
        if (option->read) return option->read(L, reading, index);
        return wrong(reading, name, arena_printf(&reading->call->arena, "option \"%s\" is not available yet", name));
    }
    return unknown(reading, name, sets);
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
    return true;
}
