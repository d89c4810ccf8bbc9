#define _POSIX_C_SOURCE 200809L

/* Reads the option `order`:
 *
 *     order     := entry | { entry* }
 *     entry     := "name" | "-name" | expression | { subject, direction } | { step, …, "name", direction }
 *     subject   := "name" | "association.name" | expression
 *     step      := "association" | association | Model | { association = …, as = … or model = … }
 *     path      := step … , perhaps ended by the junction (its name or model) of the last step, a belongsToMany
 *     direction := nothing | "ASC" | "DESC", then perhaps "NULLS FIRST" | "NULLS LAST" (which may stand alone)
 *
 * A name is an attribute, an alias from `attributes`, or a path. */
#include "lua/find.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lua/include_internal.h"
#include "lua/value.h"
#include "lua/where_internal.h"

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

static const struct plan_column *aliased_column(const struct plan *plan, const char *name) {
    for (int i = 0; i < plan->column_count; i++)
        if (!plan->columns[i].tracked && strcmp(plan->columns[i].name, name) == 0) return &plan->columns[i];
    return NULL;
}

/* An alias of `attributes`, if that is what `name` means; or NULL. */
static struct expr *order_alias(struct find *find, const char *name) {
    const struct plan_column *column = attr_find(model_of(find), name) ? NULL : aliased_column(find->plan, name);
    if (!column) return NULL;
    struct expr *alias = expr_new(find->where.arena, EXPR_NAME);
    alias->attr = column->attr;
    alias->text = arena_text(find->where.arena, name, strlen(name));
    return alias;
}

/* The same of liga.col("alias"). */
static struct expr *order_alias_marker(lua_State *L, struct find *find, int index) {
    const struct marker *marker = marker_test(L, index);
    return marker && marker->kind == MARKER_COL ? order_alias(find, read_marker_text(L, &find->where, index)) : NULL;
}

/* What to order by: an attribute, an alias from `attributes`, or an expression. */
static const struct expr *read_order_subject(lua_State *L, struct find *find, int index, bool *never_null) {
    if (lua_type(L, index) != LUA_TSTRING) {
        const struct expr *alias = order_alias_marker(L, find, index);
        if (alias) return alias;
        find->base.multiplies = find->plan->select->group != NULL;
        const struct expr *expr = read_expression(L, &find->where, index);
        find->base.multiplies = false;
        return expr;
    }
    const char *name = name_at(L, index);
    const struct expr *alias = order_alias(find, name);
    if (alias) return alias;
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

/* The value of the table `alias`. */
static const struct expr *value_of(struct find *find, const struct expr *value, int alias) {
    struct arena *arena = find->where.arena;
    return value->kind == EXPR_COLUMN ? expr_column(arena, value->attr, alias) : expr_at(arena, alias, value);
}

/* The smallest value among the rows (descending: the largest), whose NULL counts as the user says. */
static const struct expr *extreme_of(struct find *find, struct select *rows, const struct expr *value, int alias,
                                     struct direction direction) {
    struct order_term *order = NULL;
    struct expr *extreme = expr_new(find->where.arena, EXPR_SELECT);
    struct order_term *term = order_add(find->where.arena, &order, value_of(find, value, alias));
    term->descending = direction.descending;
    term->nulls = direction.nulls;
    rows->outputs = NULL;
    output_add(find->where.arena, &rows->outputs, value_of(find, value, alias), NULL);
    rows->order = order;
    rows->limit = 1;
    extreme->select = rows;
    return extreme;
}

enum { LONGEST_PATH = 64 };

/* From the model over associations to what holds the attribute: the target of the last one, or its junction. */
struct order_path {
    const struct assoc *steps[LONGEST_PATH];
    int count;
    const struct model *end;
    bool junction;                  /* without steps: the one that the rows themselves are read through */
};

/* The rows at the end of the path from the step `first` on; *alias is the table that holds the attribute. */
static struct select *rows_at_end(struct find *find, const struct order_path *path, int first, int near, int *alias) {
    struct select *rows = walk_rows(find->where.arena, find->base.next_alias, path->steps[first], near, alias);
    int link = rows->alias;
    for (int i = first + 1; i < path->count; i++) {
        const struct join *join = walk_join(find->where.arena, rows, find->base.next_alias, JOIN_INNER, path->steps[i], *alias);
        *alias = join->target;
        link = join->alias;
    }
    if (path->junction) *alias = link;
    rows->here = *alias;
    return rows;
}

static bool may_be_null(const struct expr *value) {
    return value->kind != EXPR_COLUMN || (value->attr->allow_null && !value->attr->primary);
}

/* A parent has one place, whatever the number of its children: the smallest, descending the largest; childless parents are last. */
static void order_by_rows(struct find *find, const struct order_path *path, int first, int near, const struct expr *value,
                          struct direction direction) {
    struct arena *arena = find->where.arena;
    int alias;
    struct select *rows = rows_at_end(find, path, first, near, &alias);
    const struct expr *extreme = extreme_of(find, rows, value, alias, direction);
    if (may_be_null(value)) {       /* a child's NULL is not the same as no child */
        struct order_term **list = (struct order_term **)(uintptr_t)&find->plan->select->order;
        struct order_term *some = order_add(arena, list, expr_exists(arena, rows_at_end(find, path, first, near, &alias)));
        some->descending = some->never_null = true;
    } else {
        direction.nulls = NULLS_LAST;
    }
    put_order(find, extreme, direction);
    find->plan->select->qualified = true;
}

/* The table of the junction row: of the last step, or of the rows themselves. */
static int junction_alias(const struct find *find, const struct order_path *path, const struct select *in, int near) {
    return path->count ? walk_find_join(in, path->steps[path->count - 1], near)->alias : find->where.link->alias;
}

/* Orders by an attribute, or a path into a document, at the end of a path: to-one steps are joined, the rest is looked at row by
 * row. */
static bool order_by_steps(struct find *find, const struct order_path *path, const char *name, struct direction direction) {
    struct select *in = find->base.select;
    int alias = find->base.alias, near = alias;
    struct where_reader reader = find->where;
    const struct expr *value = json_or_attr(&reader, path->end, name, ALIAS_HERE, NULL);
    if (value) value = json_order(&reader, value);
    for (int i = 0; value && i < path->count; i++) {
        if (!assoc_single(path->steps[i]) && !find->base.select->group) {
            order_by_rows(find, path, i, alias, value, direction);
            return true;
        }
        near = alias;
        find->base.multiplies = true;
        alias = path_follow(find->where.arena, &find->base, NULL, &in, path->steps[i], alias);
        find->base.multiplies = false;
    }
    if (value && path->junction) alias = junction_alias(find, path, in, near);
    if (value) put_order(find, value_of(find, value, alias), direction);
    return value != NULL;
}

/* A standing order has no table yet from which it could go further than to the row's own link. */
static bool may_step(struct find *find) {
    if (find->where.paths) return true;
    const char *own = model_of(find)->name;
    if (!find->where.link)
        return find_wrong(find, "order", arena_printf(find->where.arena, "a standing order has attributes of %s, no paths into "
                                                      "associations", own));
    return find_wrong(find, "order", arena_printf(find->where.arena, "a standing order has attributes of %s and of its junction "
                                                  "%s, no other paths", own, find->where.link->model->name));
}

static bool path_ends(struct find *find, const struct order_path *path, const char *step) {
    if (path->junction)
        return find_wrong(find, "order", arena_printf(find->where.arena, "a path ends at a junction: \"%s\" can't follow %s",
                                                      step, path->end->name));
    return path->count == LONGEST_PATH && find_wrong(find, "order", "a path of more than 64 steps");
}

/* The junction that the path could end at. */
static const struct model *junction_there(const struct find *find, const struct order_path *path) {
    if (path->count) return assoc_through(path->steps[path->count - 1]);
    return find->where.link ? find->where.link->model : NULL;
}

static bool add_step(struct order_path *path, const struct assoc *assoc) {
    if (!assoc) return false;
    path->steps[path->count++] = assoc;
    path->end = assoc->target;
    return true;
}

static bool end_at_junction(struct order_path *path, const struct model *junction) {
    path->end = junction;
    return path->junction = true;
}

/* A step by its name: an association, or the junction. */
static bool add_named_step(struct find *find, struct order_path *path, const char *name, const char *whole) {
    const struct model *junction = junction_there(find, path);
    if (path_ends(find, path, name) || error_is_set(find->where.error)) return false;
    bool standing = !find->where.paths;
    if (junction && strcmp(name, junction->name) == 0 && (standing || !assoc_find(path->end, name)))
        return end_at_junction(path, junction);
    return may_step(find) && add_step(path, find_assoc(&find->where, path->end, name, whole));
}

static bool is_document(const struct model *model, const char *name) {
    const struct attr *attr = attr_find(model, name);
    return attr && is_json_attr(attr);
}

/* "author.name": the steps before the last dot, or before a document; or "Model.name" of the model itself. */
static bool order_by_path(struct find *find, const char *text, struct direction direction) {
    struct order_path path = { .end = model_of(find) };
    size_t len = strlen(text);
    bool dollars = *text == '$' && len > 2 && text[len - 1] == '$';
    char *at = arena_text(find->where.arena, text + dollars, len - 2 * (size_t)dollars), *dot;
    bool own = false;
    for (; (dot = strchr(at, '.')); at = dot + 1) {
        *dot = '\0';
        if (is_document(path.end, at)) {
            *dot = '.';
            break;
        }
        bool here = !own && !path.count && strcmp(at, path.end->name) == 0 && !assoc_find(path.end, at);
        if (!here && !add_named_step(find, &path, at, text)) return false;
        own = own || here;
    }
    if (own || path.count || path.junction) return order_by_steps(find, &path, at, direction);
    return find_wrong(find, "order", arena_printf(find->where.arena, "\"%s\" is no path", text));
}

static bool names_step(lua_State *L, int key) {
    if (lua_type(L, key) != LUA_TSTRING) return false;
    const char *name = name_at(L, key);
    return strcmp(name, "association") == 0 || strcmp(name, "as") == 0 || strcmp(name, "model") == 0;
}

/* True for a table that says which association it is, and nothing else. */
static bool only_names_step(lua_State *L, int index) {
    int named = 0, other = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) *(names_step(L, lua_gettop(L) - 1) ? &named : &other) += 1;
    return named && !other;
}

/* What { association = … }, { as = … } or { model = … } stands for, as in an include; NULL: the error is set. */
static const struct assoc *step_of_table(lua_State *L, struct find *find, const struct model *model, int index) {
    const struct level level = { .find = find, .model = model, .path = "order" };
    const struct assoc *assoc;
    if (!only_names_step(L, index)) {
        find_wrong(find, "order", "a table in a path says which association it is (association, as or model), and nothing else");
        return NULL;
    }
    if (include_association(L, &level, index, &assoc)) return assoc;
    find->where.error->code = ERROR_USAGE;
    return NULL;
}

/* A step of {"author", "name"}: a name, an association object, a model or a table that names one. */
static bool add_given_step(lua_State *L, struct find *find, struct order_path *path, int index) {
    if (lua_type(L, index) == LUA_TSTRING) return add_named_step(find, path, name_at(L, index), name_at(L, index));
    if (path_ends(find, path, kind_text(L, index)) || error_is_set(find->where.error)) return false;
    const struct model *junction = junction_there(find, path);
    const struct model_box *class = class_at(L, index);
    if (junction && class && class->model == junction) return end_at_junction(path, junction);
    if (!may_step(find)) return false;
    if (is_plain_table(L, index)) return add_step(path, step_of_table(L, find, path->end, index));
    const char *sentence;
    const struct assoc *assoc = assoc_at(L, find->where.call, path->end, index, &sentence);
    return add_step(path, assoc) || find_wrong(find, "order", sentence);
}

/* {"comments", "author", "name"}, the direction taken off. */
static bool order_by_names(lua_State *L, struct find *find, int index, int length, struct direction direction) {
    struct order_path path = { .end = model_of(find) };
    for (int i = 1; i < length; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, index, i);
        if (!add_given_step(L, find, &path, lua_gettop(L))) return false;
    }
    lua_rawgeti(L, index, length);
    if (lua_type(L, -1) != LUA_TSTRING) return find_wrong(find, "order", "a path ends with the name of an attribute");
    const char *name = arena_text(find->where.arena, name_at(L, -1), strlen(name_at(L, -1)));
    lua_pop(L, 1);
    return order_by_steps(find, &path, name, direction);
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

const struct order_term *read_standing_order_list(lua_State *L, struct call *call, const struct assoc *assoc, int index,
                                                  struct error *error) {
    struct find find = {
        .where = { .paths = NULL, .call = call, .model = assoc->target, .arena = &call->db->arena, .error = error },
    };
    const struct outer_table link = { assoc_through(assoc), NULL, ALIAS_LINK };
    if (link.model) find.where.link = &link;
    struct plan *plan = find.plan = plan_new(&call->db->arena, assoc->target);
    return read_order(L, &find, index) ? plan->select->order : NULL;
}
