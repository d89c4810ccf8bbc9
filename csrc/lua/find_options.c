#define _POSIX_C_SOURCE 200809L

/* The options of finds: one table of rows; a new option is a row and its reader. */
#include "lua/find.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/utf8.h"
#include "lua/include.h"
#include "lua/marker.h"
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
    if (!attr) attr = decoding_attr(expr);
    bool own = expr->kind == EXPR_COLUMN && expr->alias == ALIAS_HERE;
    if (own && strcmp(attr->name, alias) == 0) plan_attr(find->where.arena, find->plan, attr, find->alias);
    else plan_expression(find->where.arena, find->plan, expr_at(find->where.arena, find->alias, expr), alias, attr);
    return true;
}

/* In an instance the value would pass for the attribute's and be written by save. */
bool aliases_are_free(struct find *find) {
    const struct plan *plan = find->plan;
    const struct plan_node *node = &plan->nodes[find->node];
    for (int i = node->first; !plan->raw && i < node->first + node->count; i++) {
        const struct plan_column *column = &plan->columns[i];
        if (column->tracked || !attr_find(model_of(find), column->name)) continue;
        return find_wrong(find, "attributes", arena_printf(find->where.arena, "the alias \"%s\" is the name of an attribute: "
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
        return find_wrong(find, "attributes", "an entry must be a name or {expression, \"alias\"}");
    const struct model *before = find->where.model;
    find->where.model = model;
    const struct attr *attr;
    const char *name = arena_text(find->where.arena, name_at(L, index), strlen(name_at(L, index)));
    find->base.multiplies = true;
    const struct expr *expr = find_value(&find->where, name, &attr);
    find->base.multiplies = false;
    find->where.model = before;
    if (!expr) return false;
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
    lua_pushstring(L, key);
    lua_rawget(L, index);
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
    if (lua_type(L, index) != LUA_TSTRING) {
        find->base.multiplies = find->plan->select->group != NULL;
        const struct expr *expr = read_expression(L, &find->where, index);
        find->base.multiplies = false;
        return expr;
    }
    const char *name = name_at(L, index);
    if (!attr_find(model_of(find), name) && aliased_column(find->plan, name)) {
        struct expr *alias = expr_new(find->where.arena, EXPR_NAME);
        alias->text = arena_text(find->where.arena, name, strlen(name));
        return alias;
    }
    const struct attr *attr;
    const struct expr *expr = find_value(&find->where, name, &attr);
    *never_null = expr && expr->kind == EXPR_COLUMN && (!attr->allow_null || attr->primary);
    return expr;
}

static bool add_order(lua_State *L, struct find *find, int index, struct direction direction) {
    bool never_null = false;
    const struct expr *expr = read_order_subject(L, find, index, &never_null);
    if (!expr) return false;
    expr = json_order(&find->where, expr);
    struct order_term **list = (struct order_term **)(uintptr_t)&find->plan->select->order;
    struct order_term *term = order_add(find->where.arena, list, expr);
    term->descending = direction.descending;
    term->nulls = direction.nulls;
    term->never_null = never_null;
    return true;
}

static void put_order(struct find *find, const struct expr *expr, struct direction direction) {
    struct order_term **list = (struct order_term **)(uintptr_t)&find->plan->select->order;
    struct order_term *term = order_add(find->where.arena, list, expr);
    term->descending = direction.descending;
    term->nulls = direction.nulls;
}

/* The smallest value among the rows (descending: the largest), whose NULL counts as the user says. */
static const struct expr *extreme_of(struct find *find, struct select *rows, const struct attr *attr, int alias,
                                     struct direction direction) {
    struct order_term *order = NULL;
    struct expr *value = expr_new(find->where.arena, EXPR_SELECT);
    struct order_term *term = order_add(find->where.arena, &order, expr_column(find->where.arena, attr, alias));
    term->descending = direction.descending;
    term->nulls = direction.nulls;
    rows->outputs = NULL;
    output_add(find->where.arena, &rows->outputs, expr_column(find->where.arena, attr, alias), NULL);
    rows->order = order;
    rows->limit = 1;
    value->select = rows;
    return value;
}

static struct select *rows_at_end(struct find *find, const struct assoc *const *path, int steps, int near, int *alias) {
    struct select *rows = walk_rows(find->where.arena, find->base.next_alias, path[0], near, alias);
    for (int i = 1; i < steps; i++)
        *alias = walk_join(find->where.arena, rows, find->base.next_alias, JOIN_INNER, path[i], *alias)->target;
    rows->here = *alias;
    return rows;
}

/* A parent has one place, whatever the number of its children: the smallest, descending the largest; childless parents are last. */
static bool order_by_rows(struct find *find, const struct assoc *const *path, int steps, int near, const char *name,
                          struct direction direction) {
    struct arena *arena = find->where.arena;
    struct where_reader reader = find->where;
    reader.model = path[steps - 1]->target;
    const struct attr *attr = find_attr(&reader, name);
    if (!attr) return false;
    int alias;
    struct select *rows = rows_at_end(find, path, steps, near, &alias);
    const struct expr *value = extreme_of(find, rows, attr, alias, direction);
    if (attr->allow_null && !attr->primary) {       /* a child's NULL is not the same as no child */
        struct order_term **list = (struct order_term **)(uintptr_t)&find->plan->select->order;
        struct order_term *some = order_add(arena, list, expr_exists(arena, rows_at_end(find, path, steps, near, &alias)));
        some->descending = some->never_null = true;
    } else {
        direction.nulls = NULLS_LAST;
    }
    put_order(find, value, direction);
    find->plan->select->qualified = true;
    return true;
}

/* Orders by an attribute at the end of a path: to-one steps are joined, the rest is looked at row by row. */
static bool order_by_steps(struct find *find, const struct assoc *const *path, int steps, const char *name,
                           struct direction direction) {
    struct select *in = find->base.select;
    int alias = find->base.alias;
    for (int i = 0; i < steps; i++) {
        if (!assoc_single(path[i]) && !find->base.select->group)
            return order_by_rows(find, path + i, steps - i, alias, name, direction);
        find->base.multiplies = true;
        alias = path_follow(find->where.arena, &find->base, NULL, &in, path[i], alias);
        find->base.multiplies = false;
    }
    struct where_reader reader = find->where;
    reader.model = path[steps - 1]->target;
    const struct attr *attr = find_attr(&reader, name);
    if (attr) put_order(find, expr_column(find->where.arena, attr, alias), direction);
    return attr != NULL;
}

enum { LONGEST_PATH = 64 };

static bool no_paths(struct find *find) {
    return find_wrong(find, "order", "a standing order has no paths into associations");
}

/* "author.name": the steps before the last dot. */
static bool order_by_path(struct find *find, const char *text, struct direction direction) {
    const struct assoc *path[LONGEST_PATH];
    if (!find->where.paths) return no_paths(find);
    const struct model *model = model_of(find);
    size_t len = strlen(text);
    int steps = 0;
    bool dollars = *text == '$' && len > 2 && text[len - 1] == '$';
    char *at = arena_text(find->where.arena, text + dollars, len - 2 * (size_t)dollars), *dot;
    for (; (dot = strchr(at, '.')); at = dot + 1) {
        *dot = '\0';
        if (steps == LONGEST_PATH) return find_wrong(find, "order", "a path of more than 64 steps");
        if (!(path[steps] = find_assoc(&find->where, model, at, text))) return false;
        model = path[steps++]->target;
    }
    if (steps) return order_by_steps(find, path, steps, at, direction);
    return find_wrong(find, "order", arena_printf(find->where.arena, "\"%s\" is no path", text));
}

/* The association that a step of {"author", "name"} means: its name, an association object or a model. */
static const struct assoc *order_step(lua_State *L, struct find *find, const struct model *model, int index) {
    if (lua_type(L, index) == LUA_TSTRING) return find_assoc(&find->where, model, name_at(L, index), name_at(L, index));
    const char *sentence;
    const struct assoc *assoc = assoc_at(L, find->where.call, model, index, &sentence);
    if (!assoc) find_wrong(find, "order", sentence);
    return assoc;
}

/* {"comments", "author", "name"}, the direction taken off. */
static bool order_by_names(lua_State *L, struct find *find, int index, int length, struct direction direction) {
    const struct assoc *path[LONGEST_PATH];
    const struct model *model = model_of(find);
    if (!find->where.paths) return no_paths(find);
    if (length > LONGEST_PATH) return find_wrong(find, "order", "a path of more than 64 steps");
    for (int i = 1; i < length; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, index, i);
        if (!(path[i - 1] = order_step(L, find, model, lua_gettop(L)))) return false;
        model = path[i - 1]->target;
    }
    lua_rawgeti(L, index, length);
    if (lua_type(L, -1) != LUA_TSTRING) return find_wrong(find, "order", "a path ends with the name of an attribute");
    const char *name = arena_text(find->where.arena, name_at(L, -1), strlen(name_at(L, -1)));
    lua_pop(L, 1);
    return order_by_steps(find, path, length - 1, name, direction);
}

/* True for a path of associations: neither an alias of `attributes` nor a path into a document of the model. */
static bool is_path(struct find *find, const char *name) {
    const char *dot = strchr(name, '.');
    if (aliased_column(find->plan, name) || (!dot && *name != '$')) return false;
    const struct attr *attr = dot ? attr_find(model_of(find), arena_text(find->where.arena, name, (size_t)(dot - name))) : NULL;
    return !attr || !is_json_attr(attr);
}

static bool order_by_text(lua_State *L, struct find *find, int index) {
    const char *name = name_at(L, index);
    struct direction direction = { *name == '-', NULLS_LARGEST };
    const char *bare = name + direction.descending;
    if (is_path(find, bare)) return order_by_path(find, bare, direction);
    lua_pushstring(L, name + direction.descending);
    bool fine = add_order(L, find, lua_gettop(L), direction);
    lua_pop(L, 1);
    return fine;
}

/* Reads the direction at the end of the entry, if there is one; false: there is none. */
static bool read_direction(lua_State *L, int index, int length, struct direction *direction) {
    lua_rawgeti(L, index, length);
    bool known = length > 1 && lua_type(L, -1) == LUA_TSTRING && parse_direction(name_at(L, -1), direction);
    lua_pop(L, 1);
    return known;
}

/* Two elements that are no path: the second is meant to be a direction. */
static bool wrong_direction(lua_State *L, struct find *find, int index) {
    lua_rawgeti(L, index, 2);
    const char *given = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : kind_text(L, -1);
    given = arena_text(find->where.arena, given, strlen(given));
    lua_pop(L, 1);
    return find_wrong(find, "order", arena_printf(find->where.arena,
                                                  "the direction must be ASC or DESC, with NULLS FIRST or NULLS LAST, "
                                                  "not %s", given));
}

static bool begins_path(lua_State *L, struct find *find, int index) {
    lua_rawgeti(L, index, 1);
    bool attribute = lua_type(L, -1) == LUA_TSTRING && attr_find(model_of(find), name_at(L, -1));
    bool step = lua_type(L, -1) == LUA_TTABLE || (lua_type(L, -1) == LUA_TSTRING && !attribute);
    lua_pop(L, 1);
    return step;
}

/* {"name"}, {"name", "DESC"}, {expression, "ASC NULLS LAST"}, {"author", "name", "ASC"}, {"author.name", "ASC"} */
static bool order_by_list(lua_State *L, struct find *find, int index) {
    int length = list_length(L, &find->where, index);
    struct direction direction = { false, NULLS_LARGEST };
    if (length < 0) return false;
    if (length && read_direction(L, index, length, &direction)) length--;
    if (length == 2 && !begins_path(L, find, index)) return wrong_direction(L, find, index);
    if (length > 1) return order_by_names(L, find, index, length, direction);
    lua_rawgeti(L, index, 1);
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TUSERDATA) return find_wrong(find, "order",
                                                                        "an attribute name or an expression expected");
    const char *name = type == LUA_TSTRING ? name_at(L, -1) : "";
    bool fine = is_path(find, name) ? order_by_path(find, name, direction) : add_order(L, find, lua_gettop(L), direction);
    lua_pop(L, 1);
    return fine;
}

static bool read_order_entry(lua_State *L, struct find *find, int index) {
    switch (lua_type(L, index)) {
    case LUA_TSTRING:   return order_by_text(L, find, index);
    case LUA_TTABLE:    return order_by_list(L, find, index);
    case LUA_TUSERDATA: return add_order(L, find, index, (struct direction){ false, NULLS_LARGEST });
    default:            return find_wrong(find, "order", "an attribute name, {name, direction} or an expression expected");
    }
}

bool read_order(lua_State *L, struct find *find, int index) {
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
    struct find find = { .where = { .paths = NULL, .call = call, .model = model, .arena = &call->db->arena, .error = error } };
    struct plan *plan = find.plan = plan_new(&call->db->arena, model);
    return read_order(L, &find, index) ? plan->select->order : NULL;
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
    find->base.multiplies = true;
    find->plan->select->having = read_where(L, &find->where, index);
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
    if (!lua_istable(L, index)) return find_wrong(find, "through", "a table expected");
    find->through = true;
    return true;
}

static bool read_join_table_attributes(lua_State *L, struct find *find, int index) {
    if (!lua_istable(L, index)) return find_wrong(find, "joinTableAttributes", "a list of attributes expected");
    find->join_table_attributes = true;
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
        lua_pushstring(L, first_options[i]);
        lua_rawget(L, index);
        bool fine = lua_isnil(L, -1) || read_option(L, find, first_options[i], lua_gettop(L), options);
        lua_pop(L, 1);
        if (!fine) return false;
    }
    return true;
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
    return aliases_are_free(find);
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

void find_columns(lua_State *L, struct find *find) {
    if (!find->attributes_given) plan_attrs(find->where.arena, find->plan, model_of(find), 0);
    if (find->includes && !error_is_set(find->where.error)) plan_includes(L, find);
}

void find_filters(lua_State *L, struct find *find) {
    if (find->includes && !error_is_set(find->where.error)) plan_required(L, find);
}

/* The names of all options that finds take, for Lua code that adds one of its own. */
void push_option_names(lua_State *L) {
    lua_newtable(L);
    for (const struct option *option = option_table; option->name; option++) {
        if (option->only) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, option->name);
    }
}
