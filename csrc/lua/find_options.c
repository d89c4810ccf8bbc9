#define _POSIX_C_SOURCE 200809L

/* The options of finds: one table of rows; a new option is a row and its reader. */
#include "lua/find.h"

#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/utf8.h"
#include "lua/include.h"
#include "lua/marker.h"
#include "lua/through.h"
#include "lua/value.h"
#include "lua/where_internal.h"

struct find *find_new(struct call *call, const struct model *model) {
    struct find *find = arena_new(&call->arena, struct find);
    find->where = where_reader(call, model, NULL);
    find->plan = call->plan = plan_new(&call->arena, model);
    find->base = (struct path_base){ find->plan->select, &find->plan->next_alias, 0, false, false };
    find->where.paths = &find->base;
    call->data = find;
    return find;
}

bool find_wrong(struct find *find, const char *path, const char *sentence) {
    struct where_reader *reader = &find->where;
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s", path, sentence);
    if (!reader->error->path) reader->error->path = path;
    return false;
}

int lazy_at(lua_State *L, int index) {
    static const char *const names[] = { [LAZY_OFF] = "off", [LAZY_BATCH] = "batch", [LAZY_RAISE] = "raise" };
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (int lazy = LAZY_OFF; lazy <= LAZY_RAISE; lazy++)
        if (strcmp(names[lazy], name) == 0) return lazy;
    return LAZY_UNSET;
}

/* ------------------------------------------------------------------------------------------------ attributes */

/* An alias is a column's name in SQL and a key of the row: text, and no other column's. */
static bool check_alias(struct find *find, const char *alias, size_t len) {
    const struct plan *plan = find->plan;
    const struct plan_node *node = &plan->nodes[plan->node_count - 1];
    if (!len || utf8_check(alias, len, NULL) != UTF8_FINE)
        return find_wrong(find, "attributes", "an alias must be a non-empty UTF-8 text without NUL");
    for (int i = node->first; i < node->first + node->count; i++)
        if (strcmp(plan->columns[i].name, alias) == 0)
            return find_wrong(find, "attributes", arena_printf(find->where.arena, "there are two columns \"%s\"", alias));
    return true;
}

/* The attribute that decides how cells of an expression are read, or NULL. */
static const struct attr *decoding_attr(const struct expr *expr) {
    const struct expr *json;
    if (expr->kind == EXPR_COLUMN) return expr->attr;
    return expr_is_json(expr, &json) ? json->first->attr : NULL;
}

/* `having` may name it. */
static void note_alias(struct find *find, const char *name, const struct expr *expr) {
    struct where_alias *alias = arena_new(find->where.arena, struct where_alias);
    *alias = (struct where_alias){ find->aliases, name, expr };
    find->aliases = alias;
}

/* {liga.fn(…), "alias"} or {"attribute", "alias"} */
static bool read_aliased(lua_State *L, struct find *find, int index) {
    lua_rawgeti(L, index, 1);
    lua_rawgeti(L, index, 2);
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, index) != 2)
        return find_wrong(find, "attributes", "an entry that is a table must be {expression, \"alias\"}");
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    const char *alias = arena_text(find->where.arena, text, len);
    if (!check_alias(find, alias, len)) return false;
    const struct expr *expr = NULL;
    const struct attr *attr = NULL;
    find->base.multiplies = true;
    if (lua_type(L, -2) == LUA_TSTRING) expr = find_value(&find->where, name_at(L, -2), &attr);
    else expr = read_expression(L, &find->where, lua_gettop(L) - 1);
    find->base.multiplies = false;
    lua_pop(L, 2);
    if (!expr) return false;
    note_alias(find, alias, expr);
    if (!attr) attr = expr->kind == EXPR_FUNCTION && expr->attr ? expr->attr : decoding_attr(expr);
    if (!attr) expr = aggregate_expression(find, expr, &attr);
    bool own = expr->kind == EXPR_COLUMN && expr->alias == ALIAS_HERE;
    if (own && strcmp(attr->name, alias) == 0) plan_attr(find->where.arena, find->plan, attr, find->alias);
    else plan_expression(find->where.arena, find->plan, expr_at(find->where.arena, find->alias, expr), alias, attr);
    return true;
}

/* What is loaded under the name would take the value's place. */
static bool is_included(const struct include *includes, const char *name) {
    for (; includes; includes = includes->next)
        if (!includes->hidden && strcmp(includes->assoc->name, name) == 0) return true;
    return false;
}

/* In an instance the value would pass for the attribute's and be written by save. */
bool aliases_are_free(struct find *find, const struct include *includes) {
    const struct plan *plan = find->plan;
    const struct plan_node *node = &plan->nodes[find->node];
    for (int i = node->first; i < node->first + node->count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->tracked) continue;
        if (is_included(includes, column->name))
            return find_wrong(find, "attributes", arena_printf(find->where.arena, "the alias \"%s\" is the name of an association "
                                                          "that is included: choose another", column->name));
        if (!plan->raw && attr_find(model_of(find), column->name))
            return find_wrong(find, "attributes", arena_printf(find->where.arena, "the alias \"%s\" is the name of an attribute: "
                                                          "choose another, or raw = true", column->name));
    }
    return true;
}

bool junction_is_free(struct find *find, const struct plan *plan, int node, const struct include *includes, const char *name) {
    const struct plan_node *target = &plan->nodes[node];
    bool taken = attr_find(target->model, name) || is_included(includes, name);
    for (int i = target->first; !taken && i < target->first + target->count; i++)
        taken = strcmp(plan->columns[i].name, name) == 0;
    return !taken || find_wrong(find, "through.as", arena_printf(find->where.arena, "\"%s\" is taken by another value of "
                                                                "%s: choose another name for the row of the junction",
                                                                name, target->model->name));
}

static bool has_column(const struct plan *plan, const struct attr *attr) {
    const struct plan_node *node = &plan->nodes[plan->node_count - 1];
    for (int i = node->first; i < node->first + node->count; i++)
        if (plan->columns[i].attr == attr && plan->columns[i].tracked) return true;
    return false;
}

/* Takes back that a name is unknown if it is that of a VIRTUAL attribute: there is nothing to select for it. */
static bool is_virtual(lua_State *L, struct find *find, const struct model *model, const char *name) {
    struct call *call = find->where.call;
    int top = lua_gettop(L);
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, top + 1, model);
    lua_getiuservalue(L, -1, MODEL_CLASS);
    bool is = lua_getmetatable(L, -1) && push_field(L, lua_gettop(L), "virtuals") == LUA_TTABLE
           && push_field(L, lua_gettop(L), name) != LUA_TNIL;
    lua_settop(L, top);
    if (is) *find->where.error = (struct error){ .code = ERROR_NONE };
    return is;
}

static bool read_attribute_entry(lua_State *L, struct find *find, const struct model *model, int alias, int index) {
    if (lua_istable(L, index)) return read_aliased(L, find, index);
    if (lua_type(L, index) != LUA_TSTRING)
        return find_wrong(find, "attributes", "an entry must be a name or {expression, \"alias\"}");
    const struct model *before = find->where.model;
    find->where.model = model;
    const struct attr *attr;
    const char *name = arena_text(find->where.arena, name_at(L, index), strlen(name_at(L, index)));
    find->base.multiplies = true;
    const struct expr *expr = find_value(&find->where, name, &attr);
    find->base.multiplies = false;
    find->where.model = before;
    if (!expr) return is_virtual(L, find, model, name);
    bool own = expr->kind == EXPR_COLUMN && expr->alias == ALIAS_HERE;
    if (!own) plan_expression(find->where.arena, find->plan, expr_at(find->where.arena, alias, expr), name, attr);
    else if (!has_column(find->plan, attr)) plan_attr(find->where.arena, find->plan, attr, alias);
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
    push_field(L, index, key);
    if (lua_isnil(L, -1) || lua_istable(L, -1)) return true;
    return find_wrong(find, "attributes", "include and exclude must be lists");
}

static bool only_include_exclude(lua_State *L, struct find *find, int index) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "";
        if (strcmp(key, "include") == 0 || strcmp(key, "exclude") == 0) continue;
        lua_pop(L, 2);
        return find_wrong(find, "attributes", "a list of attributes, or {include = {…}, exclude = {…}}, expected");
    }
    return true;
}

static bool mark_excluded(lua_State *L, struct find *find, int index, bool *excluded) {
    if (lua_isnil(L, index)) return true;
    int length = list_length(L, &find->where, index);
    if (length < 0) return false;
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        if (lua_type(L, -1) != LUA_TSTRING) return find_wrong(find, "attributes.exclude", "names expected");
        const struct attr *attr = find_attr(&find->where, name_at(L, -1));
        bool fine = attr || is_virtual(L, find, model_of(find), name_at(L, -1));
        lua_pop(L, 1);
        if (!fine) return false;
        if (attr) excluded[attr->ordinal] = true;
    }
    return true;
}

static bool read_include_exclude(lua_State *L, struct find *find, int index) {
    const struct model *model = model_of(find);
    bool *excluded = arena_array(find->where.arena, bool, model->attr_count + 1);
    if (!only_include_exclude(L, find, index) || !push_sublist(L, find, index, "exclude")
        || !mark_excluded(L, find, lua_gettop(L), excluded)) return false;
    for (int i = 0; i < model->attr_count; i++)
        if (!excluded[i]) plan_attr(find->where.arena, find->plan, model->attrs[i], find->alias);
    if (!push_sublist(L, find, index, "include")) return false;
    bool fine = lua_isnil(L, -1) || read_attribute_list(L, find, model, find->alias, lua_gettop(L));
    lua_pop(L, 2);
    return fine;
}

bool read_attributes_option(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return find_wrong(find, "attributes", "a list of attributes expected");
    find->attributes_given = true;
    find->where.path = "attributes";
    lua_pushnil(L);
    bool empty = !lua_next(L, index), list = !empty && lua_isinteger(L, -2);
    if (!empty) lua_pop(L, 2);
    if (list || empty) return read_attribute_list(L, find, model_of(find), find->alias, index);
    return read_include_exclude(L, find, index);
}

/* ------------------------------------------------------------------------------------------------------ group */

static bool read_group_entry(lua_State *L, struct find *find, int index) {
    const struct expr *expr;
    const char *name = NULL;
    const struct attr *attr = NULL;
    bool named = lua_type(L, index) == LUA_TSTRING;
    if (named) name = arena_text(find->where.arena, name_at(L, index), lua_rawlen(L, index));
    find->base.multiplies = true;
    expr = named ? find_value(&find->where, name, &attr) : read_expression(L, &find->where, index);
    find->base.multiplies = false;
    if (expr && !named) attr = decoding_attr(expr);
    if (!expr) return false;
    output_add(find->where.arena, &find->plan->select->group, expr, NULL);
    struct plan_column *column = &find->grouped[find->grouped_count++];
    column->attr = attr;
    bool own = expr->kind == EXPR_COLUMN && expr->alias == ALIAS_HERE;
    column->name = own ? expr->attr->name : name ? name : arena_printf(find->where.arena, "group%d", find->grouped_count);
    return true;
}

static bool read_group_by(lua_State *L, struct find *find, int index) {
    find->where.path = "group";
    if (!lua_istable(L, index)) {
        find->grouped = arena_array(find->where.arena, struct plan_column, 1);
        return read_group_entry(L, find, index) && join_for_groups(L, find);
    }
    int length = list_length(L, &find->where, index);
    bool fine = length >= 0;
    if (fine) find->grouped = arena_array(find->where.arena, struct plan_column, length + 1);
    for (int i = 1; fine && i <= length; i++) {
        lua_rawgeti(L, index, i);
        fine = read_group_entry(L, find, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fine && join_for_groups(L, find);
}

static bool read_having(lua_State *L, struct find *find, int index) {
    find->where.path = "having";
    find->where.aliases = find->aliases;
    find->base.multiplies = true;
    find->plan->select->having = read_where(L, &find->where, index);
    find->where.aliases = NULL;
    find->base.multiplies = false;
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
        return find_wrong(find, name, "a non-negative integer expected");
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
    if (!lua_isboolean(L, index)) return find_wrong(find, name, "true or false expected");
    *into = lua_toboolean(L, index);
    return true;
}

static bool read_distinct(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "distinct", &find->plan->select->distinct);
}

static bool read_include_option(lua_State *L, struct find *find, int index) {
    return read_includes(L, find, index);
}

static bool read_lazy(lua_State *L, struct find *find, int index) {
    int lazy = lazy_at(L, index);
    find->plan->lazy = (enum lazy)lazy;
    return lazy != LAZY_UNSET || find_wrong(find, "lazy", "\"off\", \"batch\" or \"raise\" expected");
}

/* What it asks for is done before the call is opened. */
static bool read_batch(lua_State *L, struct find *find, int index) {
    bool batch;
    return read_flag(L, find, index, "batch", &batch);
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

static bool read_paranoid(lua_State *L, struct find *find, int index) {
    bool paranoid = true, fine = read_flag(L, find, index, "paranoid", &paranoid);
    find->with_deleted = !paranoid;
    return fine;
}

static bool read_exact(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "exact", &find->exact);
}

static bool read_skip_locked(lua_State *L, struct find *find, int index) {
    return read_flag(L, find, index, "skipLocked", &find->plan->select->skip_locked);
}

static bool read_lock(lua_State *L, struct find *find, int index) {
    static const char *const names[LOCKS] = {
        [LOCK_UPDATE] = "update", [LOCK_SHARE] = "share", [LOCK_NO_KEY_UPDATE] = "no key update", [LOCK_KEY_SHARE] = "key share",
    };
    if (lua_isboolean(L, index)) {
        find->plan->select->lock = lua_toboolean(L, index) ? LOCK_UPDATE : LOCK_NONE;
        return true;
    }
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (int lock = LOCK_UPDATE; lock < LOCKS; lock++) {
        if (strcasecmp(names[lock], name) != 0) continue;
        find->plan->select->lock = (enum lock)lock;
        return true;
    }
    return find_wrong(find, "lock", "one of update, share, no key update, key share expected");
}

static bool read_search_path(lua_State *L, struct find *find, int index) {
    if (lua_type(L, index) != LUA_TSTRING) return find_wrong(find, "searchPath", "a string expected");
    struct call *call = find->where.call;
    if (call->db->dialect->schemas) call->search_path = arena_text(&call->arena, name_at(L, index), strlen(name_at(L, index)));
    return true;
}

static bool read_col_option(lua_State *L, struct find *find, int index) {
    find->where.path = "col";
    bool marker = marker_test(L, index) != NULL;
    if (!marker && lua_type(L, index) != LUA_TSTRING) return find_wrong(find, "col", "an attribute name expected");
    find->base.multiplies = true;
    find->expression = marker ? read_expression(L, &find->where, index) : find_column(&find->where, name_at(L, index), NULL);
    find->base.multiplies = false;
    return find->expression != NULL;
}

static bool read_through(lua_State *L, struct find *find, int index) {
    const char *place, *fault = through_fault(L, find->where.arena, index, &place);
    find->through = true;
    return !fault || find_wrong(find, place, fault);
}

static bool read_join_table_attributes(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return find_wrong(find, "joinTableAttributes", "a list of attributes expected");
    return true;
}

/* Scopes are the Lua side's; a model that comes here with the option has none. */
static bool read_scope(lua_State *L, struct find *find, int index) {
    if (lua_isboolean(L, index)) return true;
    const char *name = lua_type(L, index) == LUA_TSTRING ? name_at(L, index) : kind_text(L, index);
    return find_wrong(find, "scope", arena_printf(find->where.arena, "%s has no scope \"%s\"", model_of(find)->name, name));
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
    { "include", read_include_option, 0, NULL },
    { "paranoid", read_paranoid, 0, NULL },
    { "lazy", read_lazy, 0, NULL },
    { "scope", read_scope, FIND_LINKED, NULL },
    { "batch", read_batch, FIND_LINKED, NULL },
    { "plain", NULL, 0, "is not liga's way: findOne returns a single instance" },
    { "nest", NULL, 0, "is not needed: rows of raw = true are nested as instances are" },
    { "countGroupedRows", NULL, 0, "is not liga's way: a count with group returns a list, # tells its length" },
    { "useMaster", NULL, 0, "is not liga's way: finds in a transaction, or with lock, go to the primary" },
    { "right", NULL, 0, "is not liga's way: start from the other model" },
    { "or", NULL, 0, "is not liga's way: use Op.or_ in where" },
    { "scope", NULL, 0, "belongs to getters: a find of a model takes its scopes by Model:scope(name, ...)" },
    { "schema", NULL, 0, "is not liga's way: it is an option of the model" },
    { NULL, NULL, 0, NULL },
};

static bool offered(const struct option *option, enum find_options options) {
    return !option->only || (option->only & (int)options);
}

static bool unknown_option(struct find *find, const char *name, enum find_options options) {
    struct nearest nearest = { .word = name };
    for (const struct option *option = option_table; option->name; option++)
        if (option->read && offered(option, options)) nearest_offer(&nearest, option->name);
    return find_wrong(find, arena_text(find->where.arena, name, strlen(name)),
                      arena_printf(find->where.arena, "unknown option%s", option_hint(find->where.call, &nearest)));
}

static bool read_option(lua_State *L, struct find *find, const char *name, int index, enum find_options options) {
    if (read_call_option(L, find->where.call, name)) return true;
    for (const struct option *option = option_table; option->name; option++) {
        if (strcmp(option->name, name) != 0 || !offered(option, options)) continue;
        if (option->read) return option->read(L, find, index);
        return find_wrong(find, option->name, arena_printf(find->where.arena, "option \"%s\" %s", name, option->instead));
    }
    return unknown_option(find, name, options);
}

/* Options that others refer to come first: an order may name an alias of `attributes`, paths may meet what is included. */
static const char *const first_options[] = { "raw", "include", "group", "attributes", "where" };

enum { FIRST_OPTIONS = sizeof first_options / sizeof *first_options };

static bool is_first(const char *name) {
    for (int i = 0; i < FIRST_OPTIONS; i++)
        if (strcmp(name, first_options[i]) == 0) return true;
    return false;
}

static bool read_first_options(lua_State *L, struct find *find, int index, enum find_options options) {
    for (int i = 0; i < FIRST_OPTIONS; i++) {
        push_field(L, index, first_options[i]);
        bool fine = lua_isnil(L, -1) || read_option(L, find, first_options[i], lua_gettop(L), options);
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return true;
}

/* PostgreSQL locks rows of tables only; SQLite, whose transactions need no locks, says the same. */
static bool locks_rows(struct find *find, enum find_options options) {
    const struct select *select = find->plan->select;
    if (select->lock == LOCK_NONE) return true;
    if (options & (FIND_COUNT | FIND_HAS | FIND_VALUE)) return find_wrong(find, "lock", "nothing but rows can be locked: read them by findAll");
    if (!select->distinct && !select->group) return true;
    return find_wrong(find, "lock", "rows that distinct or group makes of others can't be locked");
}

static bool read_options(lua_State *L, struct find *find, int index, enum find_options options) {
    if (lua_isnoneornil(L, index)) return true;
    if (!lua_istable(L, index) || class_model(L, index)) return find_wrong(find, "options", "a table of options expected");
    find->options = index;
    if (!read_first_options(L, find, index, options)) return false;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) return find_wrong(find, "options", "keys are option names; there is one that is none");
        const char *name = name_at(L, -2);
        if (!is_first(name) && !read_option(L, find, name, lua_gettop(L), options)) return false;
    }
    return aliases_are_free(find, find->includes) && locks_rows(find, options);
}

/* Rows that are marked as deleted are there on demand only. */
static void leave_out_deleted(struct find *find) {
    const struct expr *there = not_deleted(find->where.arena, model_of(find));
    struct select *select = find->plan->select;
    if (find->with_deleted || !there) return;
    select_where(find->where.arena, select, select->joins ? expr_at(find->where.arena, 0, there) : there);
}

bool read_find(lua_State *L, struct find *find, int index, enum find_options options) {
    if (!read_options(L, find, index, options)) return false;
    if (model_of(find)->deleted_at) leave_out_deleted(find);
    return true;
}

void find_attrs(lua_State *L, const struct find *find, struct plan *plan, const struct model *model, int alias) {
    find->where.call->db->L = L;
    plan_attrs(find->where.arena, plan, model, alias);
}

void find_columns(lua_State *L, struct find *find) {
    if (!find->attributes_given) find_attrs(L, find, find->plan, model_of(find), 0);
    if (find->includes && !error_is_set(find->where.error)) plan_includes(L, find);
}

void find_filters(lua_State *L, struct find *find) {
    if (find->includes && !error_is_set(find->where.error)) plan_required(L, find);
}

/* The names of all options that finds take, for Lua code that adds one of its own; true: one that does something, "idle": one
 * of Sequelize's that does not. */
void push_option_names(lua_State *L) {
    lua_newtable(L);
    for (const struct option *option = option_table; option->name; option++) {
        if (option->only) continue;
        if (option->read && option->read != no_effect) lua_pushboolean(L, 1);
        else lua_pushstring(L, "idle");
        lua_setfield(L, -2, option->name);
    }
}
