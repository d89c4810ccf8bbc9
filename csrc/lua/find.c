#define _POSIX_C_SOURCE 200809L

#include "lua/find.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/utf8.h"
#include "lua/hydrate.h"
#include "lua/marker.h"
#include "lua/value.h"

struct find *find_new(struct call *call, const struct model *model) {
    struct find *find = arena_new(&call->arena, struct find);
    find->where = (struct where_reader){ .call = call, .model = model, .arena = &call->arena, .error = &call->error };
    find->plan = call->plan = plan_new(&call->arena, model);
    call->data = find;
    return find;
}

static bool wrong(struct find *find, const char *path, const char *sentence) {
    struct where_reader *reader = &find->where;
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s", path, sentence);
    if (!reader->error->path) reader->error->path = path;
    return false;
}

static const struct model *model_of(const struct find *find) {
    return find->where.model;
}

/* ------------------------------------------------------------------------------------------------ attributes */

/* An alias is a column's name in SQL and a key of the row: text, and no other column's. */
static bool check_alias(struct find *find, const char *alias, size_t len) {
    const struct plan *plan = find->plan;
    const struct plan_node *node = &plan->nodes[plan->node_count - 1];
    if (!len || utf8_check(alias, len, NULL) != UTF8_FINE)
        return wrong(find, "attributes", "an alias must be a non-empty UTF-8 text without NUL");
    for (int i = node->first; i < node->first + node->count; i++)
        if (strcmp(plan->columns[i].name, alias) == 0)
            return wrong(find, "attributes", arena_printf(find->where.arena, "there are two columns \"%s\"", alias));
    return true;
}

/* {liga.fn(…), "alias"} or {"attribute", "alias"} */
static bool read_aliased(lua_State *L, struct find *find, int index) {
    lua_rawgeti(L, index, 1);
    lua_rawgeti(L, index, 2);
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, index) != 2)
        return wrong(find, "attributes", "an entry that is a table must be {expression, \"alias\"}");
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    const char *alias = arena_text(find->where.arena, text, len);
    if (!check_alias(find, alias, len)) return false;
    const struct expr *expr = NULL;
    const struct attr *attr = NULL;
    if (lua_type(L, -2) == LUA_TSTRING) {
        attr = find_attr(&find->where, name_at(L, -2));
        expr = attr ? expr_column(find->where.arena, attr, 0) : NULL;
    } else {
        expr = read_expression(L, &find->where, lua_gettop(L) - 1);
        if (expr && expr->kind == EXPR_COLUMN) attr = expr->attr;
    }
    lua_pop(L, 2);
    if (!expr) return false;
    if (attr && strcmp(attr->name, alias) == 0) plan_attr(find->where.arena, find->plan, attr, 0);
    else plan_expression(find->where.arena, find->plan, expr, alias, attr);
    return true;
}

/* In an instance the value would pass for the attribute's and be written by save. */
static bool aliases_are_free(struct find *find) {
    const struct plan *plan = find->plan;
    for (int i = 0; !plan->raw && i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->tracked || !attr_find(model_of(find), column->name)) continue;
        return wrong(find, "attributes", arena_printf(find->where.arena, "the alias \"%s\" is the name of an attribute: "
                                                      "choose another, or raw = true", column->name));
    }
    return true;
}

static bool has_column(const struct plan *plan, const struct attr *attr) {
    const struct plan_node *node = &plan->nodes[plan->node_count - 1];
    for (int i = node->first; i < node->first + node->count; i++)
        if (plan->columns[i].attr == attr && plan->columns[i].tracked) return true;
    return false;
}

static bool read_attribute_entry(lua_State *L, struct find *find, const struct model *model, int alias, int index) {
    if (lua_istable(L, index)) return read_aliased(L, find, index);
    if (lua_type(L, index) != LUA_TSTRING)
        return wrong(find, "attributes", "an entry must be a name or {expression, \"alias\"}");
    const struct model *before = find->where.model;
    find->where.model = model;
    const struct attr *attr = find_attr(&find->where, name_at(L, index));
    find->where.model = before;
    if (!attr) return false;
    if (!has_column(find->plan, attr)) plan_attr(find->where.arena, find->plan, attr, alias);
    return true;
}

bool read_attribute_list(lua_State *L, struct find *find, const struct model *model, int alias, int index) {
    int length = list_length(L, &find->where, index);
    bool fine = length >= 0;
    for (int i = 1; fine && i <= length; i++) {
        lua_rawgeti(L, index, i);
        fine = read_attribute_entry(L, find, model, alias, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fine;
}

/* Pushes options[key] if it is a list; false with error set if it is something else. */
static bool push_sublist(lua_State *L, struct find *find, int index, const char *key) {
    lua_pushstring(L, key);
    lua_rawget(L, index);
    if (lua_isnil(L, -1) || lua_istable(L, -1)) return true;
    return wrong(find, "attributes", "include and exclude must be lists");
}

static bool only_include_exclude(lua_State *L, struct find *find, int index) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        if (strcmp(key, "include") == 0 || strcmp(key, "exclude") == 0) continue;
        lua_pop(L, 2);
        return wrong(find, "attributes", "a list of attributes, or {include = {…}, exclude = {…}}, expected");
    }
    return true;
}

static bool mark_excluded(lua_State *L, struct find *find, int index, bool *excluded) {
    if (lua_isnil(L, index)) return true;
    int length = list_length(L, &find->where, index);
    if (length < 0) return false;
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING) return wrong(find, "attributes.exclude", "names expected");
        const struct attr *attr = find_attr(&find->where, name_at(L, -1));
        lua_pop(L, 1);
        if (!attr) return false;
        excluded[attr->ordinal] = true;
    }
    return true;
}

static bool read_include_exclude(lua_State *L, struct find *find, int index) {
    const struct model *model = model_of(find);
    bool *excluded = arena_array(find->where.arena, bool, model->attr_count + 1);
    if (!only_include_exclude(L, find, index) || !push_sublist(L, find, index, "exclude")
        || !mark_excluded(L, find, lua_gettop(L), excluded)) return false;
    for (int i = 0; i < model->attr_count; i++)
        if (!excluded[i]) plan_attr(find->where.arena, find->plan, model->attrs[i], 0);
    if (!push_sublist(L, find, index, "include")) return false;
    bool fine = lua_isnil(L, -1) || read_attribute_list(L, find, model, 0, lua_gettop(L));
    lua_pop(L, 2);
    return fine;
}

static bool read_attributes_option(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return wrong(find, "attributes", "a list of attributes expected");
    find->attributes_given = true;
    find->where.path = "attributes";
    lua_pushnil(L);
    bool empty = !lua_next(L, index), list = !empty && lua_isinteger(L, -2);
    if (!empty) lua_pop(L, 2);
    if (list || empty) return read_attribute_list(L, find, model_of(find), 0, index);
    return read_include_exclude(L, find, index);
}

/* ------------------------------------------------------------------------------------------------------ order */

struct direction {
    bool descending;
    enum nulls nulls;
};

/* "ASC", "DESC NULLS LAST", "NULLS FIRST" … in any case and spacing. */
static bool parse_direction(const char *text, struct direction *direction) {
    char words[4][8];
    int count = 0;
    *direction = (struct direction){ false, NULLS_LARGEST };
    while (*text) {
        while (isspace((unsigned char)*text)) text++;
        if (!*text) break;
        size_t len = strcspn(text, " \t\n");
        if (count == 4 || len >= sizeof *words) return false;
        memcpy(words[count], text, len);
        words[count++][len] = '\0';
        text += len;
    }
    int at = 0;
    if (at < count && (!strcasecmp(words[at], "ASC") || !strcasecmp(words[at], "DESC")))
        direction->descending = !strcasecmp(words[at++], "DESC");
    if (at == count) return count > 0;
    if (count - at != 2 || strcasecmp(words[at], "NULLS") != 0) return false;
    bool first = !strcasecmp(words[at + 1], "FIRST");
    direction->nulls = first ? NULLS_FIRST : NULLS_LAST;
    return first || !strcasecmp(words[at + 1], "LAST");
}

static bool aliased_column(const struct plan *plan, const char *name) {
    for (int i = 0; i < plan->column_count; i++)
        if (!plan->columns[i].tracked && strcmp(plan->columns[i].name, name) == 0) return true;
    return false;
}

/* What to order by: an attribute, an alias from `attributes`, or an expression. */
static const struct expr *read_order_subject(lua_State *L, struct find *find, int index, bool *never_null) {
    if (lua_type(L, index) != LUA_TSTRING) return read_expression(L, &find->where, index);
    const char *name = name_at(L, index);
    if (!attr_find(model_of(find), name) && aliased_column(find->plan, name)) {
        struct expr *alias = expr_new(find->where.arena, EXPR_NAME);
        alias->text = arena_text(find->where.arena, name, strlen(name));
        return alias;
    }
    const struct attr *attr = find_attr(&find->where, name);
    *never_null = attr && (!attr->allow_null || attr->primary);
    return attr ? expr_column(find->where.arena, attr, ALIAS_HERE) : NULL;
}

static bool add_order(lua_State *L, struct find *find, int index, struct direction direction) {
    bool never_null = false;
    const struct expr *expr = read_order_subject(L, find, index, &never_null);
    if (!expr) return false;
    struct order_term **list = (struct order_term **)(uintptr_t)&find->plan->select->order;
    struct order_term *term = order_add(find->where.arena, list, expr);
    term->descending = direction.descending;
    term->nulls = direction.nulls;
    term->never_null = never_null;
    return true;
}

static bool order_by_text(lua_State *L, struct find *find, int index) {
    const char *name = name_at(L, index);
    struct direction direction = { *name == '-', NULLS_LARGEST };
    lua_pushstring(L, name + direction.descending);
    bool fine = add_order(L, find, lua_gettop(L), direction);
    lua_pop(L, 1);
    return fine;
}

/* {"name"}, {"name", "DESC"}, {expression, "ASC NULLS LAST"} */
static bool order_by_list(lua_State *L, struct find *find, int index) {
    int length = list_length(L, &find->where, index);
    struct direction direction = { false, NULLS_LARGEST };
    if (length < 0) return false;
    if (length > 2) return wrong(find, "order", "paths into associations are not available yet");
    if (length == 2) {
        lua_rawgeti(L, index, 2);
        const char *given = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : kind_text(L, -1);
        given = arena_text(find->where.arena, given, strlen(given));
        bool known = lua_type(L, -1) == LUA_TSTRING && parse_direction(given, &direction);
        lua_pop(L, 1);
        if (!known) return wrong(find, "order", arena_printf(find->where.arena, "the direction must be ASC or DESC, with NULLS FIRST or NULLS LAST, not %s", given));
    }
    lua_rawgeti(L, index, 1);
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TUSERDATA) return wrong(find, "order", "an attribute name or an expression expected");
    bool fine = add_order(L, find, lua_gettop(L), direction);
    lua_pop(L, 1);
    return fine;
}

static bool read_order_entry(lua_State *L, struct find *find, int index) {
    switch (lua_type(L, index)) {
    case LUA_TSTRING:   return order_by_text(L, find, index);
    case LUA_TTABLE:    return order_by_list(L, find, index);
    case LUA_TUSERDATA: return add_order(L, find, index, (struct direction){ false, NULLS_LARGEST });
    default:            return wrong(find, "order", "an attribute name, {name, direction} or an expression expected");
    }
}

static bool read_order(lua_State *L, struct find *find, int index) {
    find->where.path = "order";
    find->plan->select->order = NULL;
    if (!lua_istable(L, index)) return read_order_entry(L, find, index);
    int length = list_length(L, &find->where, index);
    bool fine = length >= 0;
    for (int i = 1; fine && i <= length; i++) {
        lua_rawgeti(L, index, i);
        fine = read_order_entry(L, find, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fine;
}

const struct order_term *read_standing_order_list(lua_State *L, struct call *call, const struct model *model, int index,
                                                  struct error *error) {
    struct find find = { .where = { .call = call, .model = model, .arena = &call->db->arena, .error = error } };
    struct plan *plan = find.plan = plan_new(&call->db->arena, model);
    return read_order(L, &find, index) ? plan->select->order : NULL;
}

/* ------------------------------------------------------------------------------------------------------ group */

static bool read_group_entry(lua_State *L, struct find *find, int index) {
    const struct expr *expr;
    const struct attr *attr = NULL;
    if (lua_type(L, index) == LUA_TSTRING) {
        attr = find_attr(&find->where, name_at(L, index));
        expr = attr ? expr_column(find->where.arena, attr, ALIAS_HERE) : NULL;
    } else {
        expr = read_expression(L, &find->where, index);
    }
    if (!expr) return false;
    output_add(find->where.arena, &find->plan->select->group, expr, NULL);
    struct plan_column *column = &find->grouped[find->grouped_count++];
    column->attr = attr;
    column->name = attr ? attr->name : arena_printf(find->where.arena, "group%d", find->grouped_count);
    return true;
}

static bool read_group_by(lua_State *L, struct find *find, int index) {
    find->where.path = "group";
    if (!lua_istable(L, index)) {
        find->grouped = arena_array(find->where.arena, struct plan_column, 1);
        return read_group_entry(L, find, index);
    }
    int length = list_length(L, &find->where, index);
    bool fine = length >= 0;
    if (fine) find->grouped = arena_array(find->where.arena, struct plan_column, length + 1);
    for (int i = 1; fine && i <= length; i++) {
        lua_rawgeti(L, index, i);
        fine = read_group_entry(L, find, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fine;
}

static bool read_having(lua_State *L, struct find *find, int index) {
    find->where.path = "having";
    find->plan->select->having = read_where(L, &find->where, index);
    return !error_is_set(find->where.error);
}

/* --------------------------------------------------------------------------------------------- simple options */

static bool read_where_option(lua_State *L, struct find *find, int index) {
    find->where.path = "where";
    const struct expr *where = read_where(L, &find->where, index);
    if (error_is_set(find->where.error)) return false;
    struct select *select = find->plan->select;
    if (where && select->joins) where = expr_at(find->where.arena, 0, where);
    select_where(find->where.arena, select, where);
    return true;
}

static bool read_count_of_rows(lua_State *L, struct find *find, int index, const char *name, int64_t *into) {
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0)
        return wrong(find, name, "a non-negative integer expected");
    *into = lua_tointeger(L, index);
    return true;
}

static bool read_limit(lua_State *L, struct find *find, int index) {
    return read_count_of_rows(L, find, index, "limit", &find->plan->select->limit);
}

static bool read_offset(lua_State *L, struct find *find, int index) {
    return read_count_of_rows(L, find, index, "offset", &find->plan->select->offset);
}

static bool read_flag(lua_State *L, struct find *find, int index, const char *name, bool *into) {
    if (!lua_isboolean(L, index)) return wrong(find, name, "true or false expected");
    *into = lua_toboolean(L, index);
    return true;
}

static bool read_distinct(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "distinct", &find->plan->select->distinct);
}

static bool read_raw(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "raw", &find->plan->raw);
}

static bool read_reject(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "rejectOnEmpty", &find->reject_on_empty);
}

static bool read_hooks(lua_State *L, struct find *find, int index) {
    bool hooks;
    return read_flag(L, find, index, "hooks", &hooks);
}

static bool read_exact(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "exact", &find->exact);
}

static bool read_skip_locked(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "skipLocked", &find->plan->select->skip_locked);
}

static bool read_lock(lua_State *L, struct find *find, int index) {
    static const char *const names[] = { "update", "share", "no key update", "key share" };
    if (lua_isboolean(L, index)) {
        find->plan->select->lock = lua_toboolean(L, index) ? LOCK_UPDATE : LOCK_NONE;
        return true;
    }
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (int i = 0; i < 4; i++) {
        if (strcasecmp(names[i], name) != 0) continue;
        find->plan->select->lock = (enum lock)(i + 1);
        return true;
    }
    return wrong(find, "lock", "one of update, share, no key update, key share expected");
}

static bool read_search_path(lua_State *L, struct find *find, int index) {
    return lua_type(L, index) == LUA_TSTRING || wrong(find, "searchPath", "a string expected");
}

static bool read_col_option(lua_State *L, struct find *find, int index) {
    find->where.path = "col";
    if (marker_test(L, index)) return (find->expression = read_expression(L, &find->where, index)) != NULL;
    if (lua_type(L, index) != LUA_TSTRING) return wrong(find, "col", "an attribute name expected");
    const struct attr *attr = find_attr(&find->where, name_at(L, index));
    if (attr) find->expression = expr_column(find->where.arena, attr, ALIAS_HERE);
    return attr != NULL;
}

static bool read_through(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return wrong(find, "through", "a table expected");
    find->through = true;
    return true;
}

static bool read_join_table_attributes(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return wrong(find, "joinTableAttributes", "a list of attributes expected");
    find->join_table_attributes = true;
    return true;
}

static bool no_effect(lua_State *L, struct find *find, int index) {
    (void)L, (void)find, (void)index;
    return true;
}

/* --------------------------------------------------------------------------------------------------- the table */

struct option {
    const char *name;
    bool (*read)(lua_State *L, struct find *find, int index);   /* NULL: `instead` says why not */
    int only;                                                   /* 0: all finds, else a bit of find_options */
    const char *instead;
};

static const char later[] = "is not available yet";

static const struct option option_table[] = {
    { "where", read_where_option, 0, NULL },
    { "attributes", read_attributes_option, 0, NULL },
    { "order", read_order, 0, NULL },
    { "limit", read_limit, 0, NULL },
    { "offset", read_offset, 0, NULL },
    { "group", read_group_by, 0, NULL },
    { "having", read_having, 0, NULL },
    { "distinct", read_distinct, 0, NULL },
    { "raw", read_raw, 0, NULL },
    { "rejectOnEmpty", read_reject, 0, NULL },
    { "lock", read_lock, 0, NULL },
    { "skipLocked", read_skip_locked, 0, NULL },
    { "hooks", read_hooks, 0, NULL },
    { "searchPath", read_search_path, 0, NULL },
    { "col", read_col_option, FIND_COUNT, NULL },
    { "exact", read_exact, FIND_HAS, NULL },
    { "through", read_through, FIND_LINK, NULL },
    { "joinTableAttributes", read_join_table_attributes, FIND_LINK, NULL },
    { "subQuery", no_effect, 0, NULL },
    { "duplicating", no_effect, 0, NULL },
    { "minifyAliases", no_effect, 0, NULL },
    { "benchmark", no_effect, 0, NULL },
    { "include", NULL, 0, later },
    { "paranoid", NULL, 0, later },
    { "lazy", NULL, 0, later },
    { "scope", NULL, 0, later },
    { "batch", NULL, 0, later },
    { "plain", NULL, 0, "is not liga's way: findOne returns a single instance" },
    { "right", NULL, 0, "is not liga's way: start from the other model" },
    { "or", NULL, 0, "is not liga's way: use Op.or_ in where" },
    { NULL, NULL, 0, NULL },
};

static bool offered(const struct option *option, enum find_options options) {
    return !option->only || (option->only & (int)options);
}

static bool unknown_option(struct find *find, const char *name, enum find_options options) {
    struct nearest nearest = { .word = name };
    for (const struct option *option = option_table; option->name; option++)
        if (option->read && offered(option, options)) nearest_offer(&nearest, option->name);
    nearest_offer(&nearest, "transaction");
    nearest_offer(&nearest, "logging");
    const char *hint = nearest.best ? arena_printf(find->where.arena, " (did you mean \"%s\"?)", nearest.best) : "";
    return wrong(find, arena_text(find->where.arena, name, strlen(name)),
                 arena_printf(find->where.arena, "unknown option%s", hint));
}

static bool read_option(lua_State *L, struct find *find, const char *name, int index, enum find_options options) {
    if (read_call_option(L, find->where.call, name)) return true;
    for (const struct option *option = option_table; option->name; option++) {
        if (strcmp(option->name, name) != 0 || !offered(option, options)) continue;
        if (option->read) return option->read(L, find, index);
        return wrong(find, option->name, arena_printf(find->where.arena, "option \"%s\" %s", name, option->instead));
    }
    return unknown_option(find, name, options);
}

/* Options that others refer to come first: an order may name an alias of `attributes`. */
static const char *const first_options[] = { "attributes", "where" };

static bool is_first(const char *name) {
    return strcmp(name, first_options[0]) == 0 || strcmp(name, first_options[1]) == 0;
}

static bool read_first_options(lua_State *L, struct find *find, int index, enum find_options options) {
    for (int i = 0; i < 2; i++) {
        lua_pushstring(L, first_options[i]);
        lua_rawget(L, index);
        bool fine = lua_isnil(L, -1) || read_option(L, find, first_options[i], lua_gettop(L), options);
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return true;
}

bool read_find(lua_State *L, struct find *find, int index, enum find_options options) {
    if (lua_isnoneornil(L, index)) return true;
    if (!lua_istable(L, index) || class_model(L, index)) return wrong(find, "options", "a table of options expected");
    find->options = index;
    if (!read_first_options(L, find, index, options)) return false;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) return wrong(find, "options", "keys are option names; there is one that is none");
        const char *name = name_at(L, -2);
        if (!is_first(name) && !read_option(L, find, name, lua_gettop(L), options)) return false;
    }
    return aliases_are_free(find);
}

void find_default_columns(struct find *find) {
    if (!find->attributes_given) plan_attrs(find->where.arena, find->plan, model_of(find), 0);
}

/* ---------------------------------------------------------------------------------------------------- finders */

int find_results(lua_State *L, struct call *call) {
    const struct find *find = call->data;
    push_call_value(L, call, CALL_RESULT);
    bool empty = lua_isnil(L, -1) || (!call->plan->one && lua_rawlen(L, -1) == 0);
    if (!empty || !find->reject_on_empty) return 1;
    return call_fail(L, call, ERROR_EMPTY_RESULT, "%s: no row matches", call->model->name);
}

static struct find *start_find(lua_State *L, struct call **call) {
    struct model_box *box = check_class(L, 1);
    *call = call_open_model(L, box, 1);
    return find_new(*call, box->model);
}

static int run_find(lua_State *L, struct call *call) {
    if (error_is_set(&call->error)) return call_raise(L, call);
    hydrate_plan(L, call);
    call->results = find_results;
    return call_run(L, call);
}

static int find_all(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_PLAIN);
    find_default_columns(find);
    return run_find(L, call);
}

static int find_one(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_PLAIN);
    find_default_columns(find);
    find->plan->one = true;
    if (find->plan->select->limit != 0) find->plan->select->limit = 1;
    return run_find(L, call);
}

static const char *key_parts(struct call *call, struct attr_list attrs) {
    struct buf buf;
    buf_init(&buf, &call->arena);
    for (int k = 0; k < attrs.count; k++) {
        if (k) buf_adds(&buf, ", ");
        buf_adds(&buf, attrs.items[k]->name);
    }
    return buf.text;
}

/* A key: one value, or a list in the key's order, or a table by attribute name. False: error set. */
bool read_key_argument(lua_State *L, struct call *call, const struct model *model, int index, struct value *key) {
    struct attr_list attrs = model->key;
    const char *expected = attrs.count == 1 ? "a key" : "a key table with every part";
    if (!attrs.count) {
        call_fail(L, call, ERROR_INSTANCE, "%s has no primary key", model->name);
        return false;
    }
    bool table = lua_istable(L, index);
    if (is_null(L, index) || (!table && attrs.count > 1))
        return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: %s expected, got %s", model->name, expected,
                         kind_text(L, index));
    if (!table) return read_attr_value(L, index, attrs.items[0], &key[0], &call->arena, &call->error);
    int given = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) given++;
    bool list = lua_rawlen(L, index) > 0;
    for (int k = 0; k < attrs.count; k++) {
        if (list) lua_rawgeti(L, index, k + 1);
        else lua_pushstring(L, attrs.items[k]->name), lua_rawget(L, index);
        bool missing = is_null(L, -1);
        bool fine = !missing && read_attr_value(L, lua_gettop(L), attrs.items[k], &key[k], &call->arena, &call->error);
        lua_pop(L, 1);
        if (missing || given != attrs.count)
            return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: the key needs exactly its parts: %s", model->name,
                             key_parts(call, attrs));
        if (!fine) return false;
    }
    return true;
}

static int find_by_pk(lua_State *L) {
    struct call *call;
    if (lua_gettop(L) < 2) lua_settop(L, 2);
    lua_settop(L, 3);
    struct find *find = start_find(L, &call);
    struct value key[KEY_PARTS];
    if (read_key_argument(L, call, call->model, 2, key) && read_find(L, find, 3, FIND_PLAIN)) {
        find_default_columns(find);
        select_where(&call->arena, find->plan->select, keys_are(&call->arena, call->model->key, key));
        find->plan->one = true;
    }
    return run_find(L, call);
}

/* ------------------------------------------------------------------------------------------------- aggregates */

struct aggregate {
    const char *function, *zero;        /* zero: what no rows give; NULL: NULL */
    bool keeps_type;                    /* the result has the attribute's type */
    bool real;                          /* the result is a float */
};

static const struct aggregate aggregates[] = {
    { "count", NULL, false, false },
    { "sum", "0", true, false },
    { "min", NULL, true, false },
    { "max", NULL, true, false },
    { "avg", NULL, false, true },
};

enum { AGGREGATE_COUNT, AGGREGATE_SUM };

static struct expr *call_of(struct arena *arena, const char *function, struct expr *argument) {
    struct expr *call = expr_new(arena, EXPR_FUNCTION);
    call->text = function;
    call->first = argument;
    return call;
}

static struct expr *raw_text(struct arena *arena, const char *text) {
    struct expr *expr = expr_new(arena, EXPR_RAW);
    const char **pieces = arena_array(arena, const char *, 1);
    pieces[0] = text;
    expr->pieces = pieces;
    return expr;
}

static bool is_decimal(const struct attr *attr) {
    return attr->type.id == TYPE_DECIMAL;
}

static bool is_numeric(const struct attr *attr) {
    enum type_id id = attr->type.id;
    return id == TYPE_INTEGER || id == TYPE_BIGINT || id == TYPE_SMALLINT || id == TYPE_FLOAT || id == TYPE_DOUBLE
        || id == TYPE_REAL || id == TYPE_DECIMAL;
}

/* Dates in mixed forms have no order before they are read. */
static struct expr *comparable(struct arena *arena, const struct dialect *dialect, struct expr *subject,
                               const struct attr *attr) {
    bool mixed = dialect->decimal_text && attr->type.id == TYPE_DATE && attr->type.stored == DATE_MIXED;
    return mixed ? call_of(arena, "liga_date", subject) : subject;
}

/* count(*), count(DISTINCT x), sum(x) …; DECIMALs are summed exactly. */
static struct expr *aggregate_call(struct find *find, const struct aggregate *aggregate, struct expr *subject,
                                   const struct attr *attr) {
    struct arena *arena = find->where.arena;
    const struct dialect *dialect = find->where.call->db->dialect;
    if (attr) subject = comparable(arena, dialect, subject, attr);
    if (find->plan->select->distinct) {
        static const char *const pieces[] = { "DISTINCT ", "" };
        struct expr *distinct = expr_new(arena, EXPR_RAW);
        distinct->pieces = pieces;
        distinct->first = subject;
        subject = distinct;
    }
    if (attr && is_decimal(attr) && aggregate == &aggregates[AGGREGATE_SUM] && dialect->decimal_text) {
        subject->next = raw_text(arena, arena_printf(arena, "%d", attr->type.scale));
        struct expr *sum = call_of(arena, "liga_sum", subject);
        sum->next = raw_text(arena, aggregate->zero);
        return call_of(arena, "coalesce", sum);
    }
    if (attr && is_decimal(attr) && attr->type.precision > DECIMAL_NUMERIC_DIGITS && dialect->decimal_text
        && aggregate->keeps_type) {
        static const char *const pieces[] = { "", " COLLATE liga_decimal" };
        struct expr *collated = expr_new(arena, EXPR_RAW);
        collated->pieces = pieces;
        collated->first = subject;
        subject = collated;
    }
    struct expr *call = call_of(arena, aggregate->function, subject);
    if (!aggregate->zero) return call;
    call->next = raw_text(arena, aggregate->zero);
    return call_of(arena, "coalesce", call);
}

static struct expr *aggregate_subject(lua_State *L, struct find *find, const struct attr **attr) {
    find->where.path = "attribute";
    if (marker_test(L, 2)) {
        struct expr *expr = read_expression(L, &find->where, 2);
        if (expr && expr->kind == EXPR_COLUMN) *attr = expr->attr;
        return expr;
    }
    if (lua_type(L, 2) != LUA_TSTRING) {
        wrong(find, "attribute", "an attribute name or an expression expected");
        return NULL;
    }
    *attr = find_attr(&find->where, name_at(L, 2));
    return *attr ? expr_column(find->where.arena, *attr, ALIAS_HERE) : NULL;
}

/* A float, whatever the engine made of it. */
static const struct attr *real_attr(struct arena *arena) {
    struct attr *attr = arena_new(arena, struct attr);
    attr->type.id = TYPE_DOUBLE;
    return attr;
}

/* The single cell of the single row, under the name of the function. */
static int scalar_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    if (lua_isnil(L, -1)) return 1;
    lua_getfield(L, -1, call->plan->columns[0].name);
    return 1;
}

/* An aggregate of limited rows looks at those rows only: they become a table, the subject its column. */
static struct expr *subject_of_limited(struct find *find, struct expr *subject) {
    struct arena *arena = find->where.arena;
    struct select *rows = find->plan->select;
    bool distinct = rows->distinct;
    rows->distinct = false;
    rows->outputs = NULL;
    output_add(arena, &rows->outputs, subject, "value");
    struct select *outer = plan_count(arena, rows);
    outer->outputs = NULL;
    outer->distinct = distinct;
    find->plan->select = outer;
    struct expr *value = expr_new(arena, EXPR_NAME);
    value->text = "value";
    return value;
}

/* Grouped: a list of plain rows with the groups and the result; else the one value. */
static int run_aggregate(lua_State *L, struct call *call, struct find *find, const struct aggregate *aggregate,
                         struct expr *subject, const struct attr *attr) {
    struct plan *plan = find->plan;
    struct arena *arena = &call->arena;
    if (!find->grouped_count && (plan->select->limit >= 0 || plan->select->offset >= 0))
        subject = subject_of_limited(find, subject);
    struct expr *result = aggregate_call(find, aggregate, subject, attr);
    bool typed = aggregate->keeps_type && attr;
    const struct attr *reads_as = aggregate->real ? real_attr(arena) : typed ? attr : NULL;
    if (plan->select->distinct) plan->select->distinct = false;
    for (int i = 0; i < find->grouped_count; i++) {
        const struct output *group = plan->select->group;
        for (int skip = 0; skip < i; skip++) group = group->next;
        plan_expression(arena, plan, group->expr, find->grouped[i].name, find->grouped[i].attr);
    }
    plan_expression(arena, plan, result, aggregate->function, reads_as);
    plan->raw = true;
    plan->one = find->grouped_count == 0;
    if (plan->one) plan->select->order = NULL;
    hydrate_plan(L, call);
    if (plan->one) call->results = scalar_results;
    return call_run(L, call);
}

/* A count of limited rows counts the limited rows. */
static int count_limited(lua_State *L, struct call *call, struct find *find) {
    struct plan *plan = find->plan;
    struct arena *arena = &call->arena;
    plan->select->outputs = NULL;
    output_add(arena, &plan->select->outputs, raw_text(arena, "1"), NULL);
    struct select *counted = plan_count(arena, plan->select);
    plan->select = counted;
    plan->column_count = plan->nodes[0].count = 0;
    counted->outputs = NULL;
    plan_expression(arena, plan, call_of(arena, "count", expr_new(arena, EXPR_STAR)), "count", NULL);
    plan->raw = plan->one = true;
    hydrate_plan(L, call);
    call->results = scalar_results;
    return call_run(L, call);
}

int count_rows(lua_State *L, struct call *call, struct find *find) {
    const struct select *select = find->plan->select;
    bool distinct = select->distinct;
    if (find->attributes_given) wrong(find, "attributes", "count takes no attributes (col = names what to count)");
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (!find->expression && !find->grouped_count && (select->limit >= 0 || select->offset >= 0))
        return count_limited(L, call, find);
    struct expr *subject = (struct expr *)(uintptr_t)find->expression;
    if (!subject) find->plan->select->distinct = distinct = false;
    return run_aggregate(L, call, find, &aggregates[AGGREGATE_COUNT],
                         subject ? subject : expr_new(&call->arena, EXPR_STAR), NULL);
}

static int count(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_COUNT);
    return count_rows(L, call, find);
}

static int aggregate_of(lua_State *L, const struct aggregate *aggregate) {
    struct call *call;
    const struct attr *attr = NULL;
    lua_settop(L, 3);
    struct find *find = start_find(L, &call);
    struct expr *subject = aggregate_subject(L, find, &attr);
    if (subject) read_find(L, find, 3, FIND_PLAIN);
    if (find->attributes_given) wrong(find, "attributes", "an aggregate takes no attributes");
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (attr && !is_numeric(attr) && (aggregate->zero || aggregate->real))
        return call_fail(L, call, ERROR_USAGE, "%s: %s.%s is no number but %s", aggregate->function, call->model->name,
                         attr->name, type_text(&attr->type, &call->arena));
    return run_aggregate(L, call, find, aggregate, subject, attr);
}

static int sum(lua_State *L) { return aggregate_of(L, &aggregates[1]); }
static int min(lua_State *L) { return aggregate_of(L, &aggregates[2]); }
static int max(lua_State *L) { return aggregate_of(L, &aggregates[3]); }
static int avg(lua_State *L) { return aggregate_of(L, &aggregates[4]); }

static int exists_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    lua_pushboolean(L, !lua_isnil(L, -1));
    lua_remove(L, -2);
    return 1;
}

static int exists(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    read_find(L, find, 2, FIND_PLAIN);
    if (error_is_set(&call->error)) return call_raise(L, call);
    struct plan *plan = find->plan;
    if (!find->attributes_given) plan_expression(&call->arena, plan, raw_text(&call->arena, "1"), "found", NULL);
    plan->select->order = NULL;
    plan->select->limit = plan->select->limit == 0 ? 0 : 1;
    plan->raw = plan->one = true;
    hydrate_plan(L, call);
    call->results = exists_results;
    return call_run(L, call);
}

static void put_key_part(struct buf *buf, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: break;
    case VALUE_BOOL: buf_addc(buf, value.as.boolean ? '1' : '0'); break;
    case VALUE_INT:  buf_addi(buf, value.as.integer); break;
    case VALUE_REAL: buf_addf(buf, "%.17g", value.as.real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: buf_addf(buf, "%zu:", value.len); buf_add(buf, value.as.text, value.len); break;
    }
    buf_addc(buf, ';');
}

/* core.key_text(class, key) → the text that equal keys have in common, whatever form they were given in. */
static int key_text(lua_State *L) {
    struct model_box *box = check_class(L, 1);
    lua_settop(L, 2);
    struct call *call = call_open_model(L, box, 1);
    struct value *key = arena_array(&call->arena, struct value, call->model->key.count + 1);
    if (!read_key_argument(L, call, call->model, 2, key)) return call_raise(L, call);
    struct buf buf;
    buf_init(&buf, &call->arena);
    for (int k = 0; k < call->model->key.count; k++) put_key_part(&buf, key[k]);
    lua_pushlstring(L, buf.text, buf.len);
    call_close(L, call);
    return 1;
}

/* The names of all options that finds take, for Lua code that adds one of its own. */
static void push_option_names(lua_State *L) {
    lua_newtable(L);
    for (const struct option *option = option_table; option->name; option++) {
        if (option->only) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, option->name);
    }
}

void open_finders(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "findAll", find_all }, { "findOne", find_one }, { "findByPk", find_by_pk }, { "count", count },
        { "sum", sum }, { "min", min }, { "max", max }, { "avg", avg }, { "exists", exists }, { NULL, NULL },
    };
    add_functions(L, functions);
    push_option_names(L);
    lua_setfield(L, -3, "find_options");      /* of the module, below the table of finders */
    lua_pushvalue(L, -2);
    add_functions(L, (const luaL_Reg[]){ { "key_text", key_text }, { NULL, NULL } });
    lua_pop(L, 1);
}
