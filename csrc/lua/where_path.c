/* Names in conditions: attributes, paths into associations and documents, and Op.some, every, none over associated rows. */
#include "lua/where_internal.h"

#include <string.h>

#include "base/buf.h"
#include "base/names.h"
#include "lua/value.h"

/* --------------------------------------------------------------------------------------------------- attributes */

static const char *attr_names(const struct attr *const *attrs, int count, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    for (int i = 0; i < count; i++) {
        if (i) buf_adds(&buf, ", ");
        buf_adds(&buf, attrs[i]->name);
    }
    return buf.text;
}

/* The operator that "$or", "or" or "gte" must mean, or NULL. */
static const char *meant_operator(const char *name) {
    if (*name == '$') name++;
    size_t len = strlen(name);
    for (int i = 0; len && i < OP_COUNT; i++) {
        const char *known = op_table[i].name;
        if (strncmp(known, name, len) == 0 && (!known[len] || strcmp(known + len, "_") == 0)) return known;
    }
    return NULL;
}

static void unknown_attr(struct where_reader *reader, const char *name) {
    struct nearest nearest = { .word = name };
    const struct model *model = reader->model;
    for (int i = 0; i < model->attr_count; i++) nearest_offer(&nearest, model->attrs[i]->name);
    for (const struct where_alias *alias = reader->aliases; alias; alias = alias->next) nearest_offer(&nearest, alias->name);
    const char *where = reader->path, *op = strstr(where, "where") ? meant_operator(name) : NULL;
    const char *names = attr_names((const struct attr *const *)model->attrs, model->attr_count, reader->arena);
    const char *hint = op ? arena_printf(reader->arena, "the operator is [Op.%s]", op)
                     : nearest.best ? arena_printf(reader->arena, "did you mean \"%s\"?", nearest.best)
                                    : arena_printf(reader->arena, "it has: %s", names);
    error_set(reader->error, reader->arena, ERROR_USAGE, "%s: %s has no attribute \"%s\" (%s)", where, model->name, name, hint);
    reader->error->path = arena_dotted(reader->arena, where, name);
    reader->error->model = model->name;
    reader->error->attribute = arena_text(reader->arena, name, strlen(name));
}

/* What an association is asked by: its key where the model holds it, else its rows. */
static void *not_an_attr(struct where_reader *reader, const struct assoc *assoc) {
    struct arena *arena = reader->arena;
    const char *hint = arena_printf(arena, "its rows are asked by [Op.some(\"%s\")] or \"%s.attribute\"", assoc->name, assoc->name);
    if (assoc->kind->holder == HELD_BY_SOURCE && !assoc->kind->path)
        hint = arena_printf(arena, "its key is %s", attr_names(assoc->hops[0].near.items, assoc->hops[0].near.count, arena));
    return where_fail(reader, "%s", arena_printf(arena, "\"%s\" is an association, not an attribute (%s)", assoc->name, hint));
}

const struct attr *find_attr(struct where_reader *reader, const char *name) {
    const struct attr *attr = attr_find(reader->model, name);
    if (attr) return attr;
    if (strchr(name, '.') || *name == '$') return where_fail(reader, "a path (\"%s\") can't be used here", name);
    const struct assoc *assoc = assoc_find(reader->model, name);
    if (assoc) return not_an_attr(reader, assoc);
    unknown_attr(reader, name);
    return NULL;
}

const struct expr *find_alias(const struct where_reader *reader, const char *name) {
    const struct where_alias *alias = reader->aliases;
    if (!alias || attr_find(reader->model, name)) return NULL;
    while (alias && strcmp(alias->name, name) != 0) alias = alias->next;
    return alias ? alias->expr : NULL;
}

/* ------------------------------------------------------------------------------------------------------- paths */

const char *association_list(const struct model *model, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    for (const struct assoc *assoc = model->assocs; assoc; assoc = assoc->next) {
        if (assoc != model->assocs) buf_adds(&buf, ", ");
        buf_adds(&buf, assoc->name);
    }
    return buf.text;
}

const struct assoc *find_assoc(struct where_reader *reader, const struct model *model, const char *name, const char *path) {
    const struct assoc *assoc = assoc_find(model, name);
    if (assoc) return assoc;
    if (attr_find(model, name)) {
        return where_fail(reader, "%s", arena_printf(reader->arena, "\"%s\" in \"%s\" is an attribute of %s, not an association",
                                                     name, path, model->name));
    }
    struct nearest nearest = { .word = name };
    for (const struct assoc *each = model->assocs; each; each = each->next) nearest_offer(&nearest, each->name);
    const char *hint = nearest.best ? arena_printf(reader->arena, "did you mean \"%s\"?", nearest.best)
                                    : model->assocs ? arena_printf(reader->arena, "it has: %s",
                                                                   association_list(model, reader->arena)) : "it has none";
    where_fail(reader, "%s", arena_printf(reader->arena, "%s has no association \"%s\"%s%s%s (%s)", model->name, name,
                                          strcmp(name, path) ? " (in \"" : "", strcmp(name, path) ? path : "",
                                          strcmp(name, path) ? "\")" : "", hint));
    reader->error->model = model->name;
    return NULL;
}

/* The name without the $ of v7 around it. */
static char *bare_path(struct where_reader *reader, const char *name) {
    size_t len = strlen(name);
    if (*name != '$') return arena_text(reader->arena, name, len);
    if (meant_operator(name)) {
        unknown_attr(reader, name);
        return NULL;
    }
    if (len < 3 || name[len - 1] != '$') return where_fail(reader, "\"%s\" is no path: write \"association.attribute\"", name);
    return arena_text(reader->arena, name + 1, len - 2);
}

static struct expr *end_of_path(struct where_reader *reader, const struct model *model, const char *name, int alias,
                                const struct attr **attr) {
    const struct model *before = reader->model;
    reader->model = model;
    const struct attr *found = find_attr(reader, name);
    reader->model = before;
    if (attr) *attr = found;
    return found ? expr_column(reader->arena, found, alias) : NULL;
}

static bool names_outer(const struct where_reader *reader, const char *name) {
    const struct outer_table *outer = reader->outer;
    if (!outer) return false;
    return strcmp(name, outer->model->name) == 0 || (outer->name && strcmp(name, outer->name) == 0);
}

/* "meta.address.city" behind the associations; NULL without error: it is none. */
static struct expr *json_at_end(struct where_reader *reader, const struct model *model, const char *name, int alias,
                                const struct attr **attr) {
    const struct model *before = reader->model;
    const struct attr *found;
    reader->model = model;
    struct expr *path = read_json_name(reader, name, &found);
    reader->model = before;
    if (path) path->first->alias = alias;
    if (path && attr) *attr = found;
    return path;
}

struct expr *json_or_attr(struct where_reader *reader, const struct model *model, const char *name, int alias,
                          const struct attr **attr) {
    struct expr *json = json_at_end(reader, model, name, alias, attr);
    return json || error_is_set(reader->error) ? json : end_of_path(reader, model, name, alias, attr);
}

/* The junction that the step before led over, if that is what `name` means here. */
static const struct model *junction_named(const struct assoc *before, const struct model *model, const char *name) {
    const struct model *junction = before ? assoc_through(before) : NULL;
    return junction && strcmp(name, junction->name) == 0 && !assoc_find(model, name) ? junction : NULL;
}

/* Steps from association to association, the last of which may be followed by its junction; what is behind the last dot is the
 * attribute. */
static struct expr *follow_path(struct where_reader *reader, char *path, const struct attr **attr) {
    const struct path_base *base = reader->paths;
    const struct model *model = reader->model;
    const struct assoc *before = NULL;
    const char *whole = arena_text(reader->arena, path, strlen(path));
    struct select *in = base->select;
    int alias = base->alias, near = alias;
    char *dot;
    for (int steps = 1; (dot = strchr(path, '.')); path = dot + 1, steps++) {
        struct expr *json = json_at_end(reader, model, path, alias, attr);
        if (json || error_is_set(reader->error)) return json;
        *dot = '\0';
        if (steps > WHERE_DEPTH) return where_fail(reader, "a path of more than 64 steps%s", "");
        const struct model *junction = junction_named(before, model, path);
        if (junction) return json_or_attr(reader, junction, dot + 1, walk_find_join(in, before, near)->alias, attr);
        const struct assoc *assoc = find_assoc(reader, model, path, whole);
        if (!assoc) return NULL;
        near = alias;
        alias = path_follow(reader->arena, base, reader->row, &in, assoc, alias);
        if (alias < 0) return where_fail(reader, "\"%s\" leads to several rows, which can't be used here", whole);
        model = assoc->target;
        before = assoc;
    }
    return end_of_path(reader, model, path, alias, attr);
}

/* "Parent.attr" in `on`, "Junction.attr" where rows are read over one, "Model.attr" of the model itself; NULL without error: the
 * path begins with an association. */
static struct expr *column_of_table(struct where_reader *reader, const char *table, const char *rest, const struct attr **attr) {
    const struct outer_table *outer = reader->outer, *link = reader->link;
    if (names_outer(reader, table) && !strchr(rest, '.')) return end_of_path(reader, outer->model, rest, outer->alias, attr);
    if (assoc_find(reader->model, table)) return NULL;
    if (link && strcmp(table, link->model->name) == 0) return json_or_attr(reader, link->model, rest, link->alias, attr);
    return strcmp(table, reader->model->name) == 0 ? find_column(reader, rest, attr) : NULL;
}

struct expr *find_column(struct where_reader *reader, const char *name, const struct attr **attr) {
    const struct attr *own = attr_find(reader->model, name);
    if (attr) *attr = own;
    if (own) return expr_column(reader->arena, own, ALIAS_HERE);
    if (!strchr(name, '.') && *name != '$') {
        find_attr(reader, name);
        return NULL;
    }
    char *path = bare_path(reader, name), *dot = path ? strchr(path, '.') : NULL;
    struct expr *json = path ? json_at_end(reader, reader->model, path, ALIAS_HERE, attr) : NULL;
    if (!path || json || error_is_set(reader->error)) return json;
    if (!dot) return end_of_path(reader, reader->model, path, ALIAS_HERE, attr);
    struct expr *column = column_of_table(reader, arena_text(reader->arena, path, (size_t)(dot - path)), dot + 1, attr);
    if (column || error_is_set(reader->error)) return column;
    if (!reader->paths) return where_fail(reader, "paths into associations (\"%s\") can't be used here", name);
    return follow_path(reader, path, attr);
}

struct expr *find_value(struct where_reader *reader, const char *name, const struct attr **attr) {
    struct expr *column = find_column(reader, name, attr);
    return column && column->kind == EXPR_JSON ? json_value(reader, column) : column;
}

/* ---------------------------------------------------------------------------------------------- associated rows */

/* (condition) IS NOT TRUE: false, or unknown. */
static struct expr *not_true(struct where_reader *reader, const struct expr *condition) {
    static const char *const pieces[] = { "(", ") IS NOT TRUE" };
    struct expr *expr = expr_new(reader->arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = expr_at(reader->arena, ALIAS_HERE, condition);
    return expr;
}

/* The rows at the end of a path, of all rows on the way; link->model is NULL unless they are read over a junction. */
static struct select *rows_of_path(struct where_reader *reader, char *path, const struct model **model, int *alias,
                                   struct outer_table *link) {
    const struct path_base *base = reader->paths;
    const char *whole = arena_text(reader->arena, path, strlen(path));
    struct select *rows = NULL;
    *model = reader->model;
    *alias = base->alias;
    for (char *dot = path; dot; path = dot + 1) {
        dot = strchr(path, '.');
        if (dot) *dot = '\0';
        const struct assoc *assoc = find_assoc(reader, *model, path, whole);
        if (!assoc) return NULL;
        const struct join *join = rows ? walk_join(reader->arena, rows, base->next_alias, JOIN_INNER, assoc, *alias) : NULL;
        if (join) *alias = join->target;
        else rows = walk_rows(reader->arena, base->next_alias, assoc, *alias, alias);
        *link = (struct outer_table){ assoc_through(assoc), NULL, join ? join->alias : rows->alias };
        *model = assoc->target;
        if (!dot) break;
    }
    base->select->qualified = true;
    rows->here = *alias;
    return rows;
}

/* Rows outside of the target's default scope are none. */
static void add_default_scope(lua_State *L, const struct where_reader *inner, struct select *rows) {
    struct where_reader reader = *inner;
    if (!reader.model->scoped) return;
    push_call_value(L, reader.call, CALL_DB);
    push_model(L, reader.call->db, lua_gettop(L), reader.model);
    lua_getiuservalue(L, -1, MODEL_SCOPE);
    const struct expr *where = lua_isnil(L, -1) ? NULL : read_where(L, &reader, lua_gettop(L));
    if (where) select_where(reader.arena, rows, where);
    lua_pop(L, 3);
}

const struct expr *read_rows(lua_State *L, struct where_reader *reader, const struct op_info *op, int marker, int index) {
    const struct model *model;
    int alias;
    if (!reader->paths) return where_fail(reader, "Op.%s can't be used here", op->name);
    push_argument(L, marker, 1);
    if (lua_type(L, -1) != LUA_TSTRING) return where_fail(reader, "Op.%s expects the name of an association", op->name);
    char *name = arena_text(reader->arena, name_at(L, -1), strlen(name_at(L, -1)));
    lua_pop(L, 1);
    const char *path = arena_printf(reader->arena, "%s.Op.%s(%s)", reader->path, op->name, name);
    struct outer_table link;
    struct select *rows = rows_of_path(reader, name, &model, &alias, &link);
    if (!rows) return NULL;
    struct path_base base = { rows, reader->paths->next_alias, alias, false, false };
    struct where_reader inner = *reader;
    inner.model = model;
    inner.path = path;
    inner.paths = &base;
    inner.row = NULL;
    inner.outer = NULL;
    inner.link = NULL;
    inner.aliases = NULL;
    add_default_scope(L, &inner, rows);
    if (link.model) inner.link = &link;
    const struct expr *where = read_where(L, &inner, index);
    if (error_is_set(reader->error)) return NULL;
    reader->conditions++;
    if (where && op->op == OP_EVERY) where = not_true(reader, where);
    else if (op->op == OP_EVERY) where = expr_const(reader->arena, false);
    if (where) select_where(reader->arena, rows, where);
    struct expr *exists = expr_exists(reader->arena, rows);
    return op->op == OP_SOME ? exists : expr_not(reader->arena, exists);
}

const char *rows_name(lua_State *L, struct where_reader *reader, int marker) {
    push_argument(L, marker, 1);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? name_at(L, -1) : "";
    name = arena_text(reader->arena, name, strlen(name));
    lua_pop(L, 1);
    return name;
}

bool is_rows_marker(const struct marker *marker) {
    return marker && marker->kind == MARKER_OP && marker->op->operand == OPERAND_ROWS;
}
