/* belongsToMany: a junction holds the keys. Linking is an INSERT that lets existing pairs be (or updates the values given), so
 * that it is harmless to repeat, also for several writers at once. */
#include <string.h>

#include "lua/access.h"
#include "lua/conflict.h"
#include "lua/value.h"

enum { LINK_ROWS = 1000 };

/* A junction row to be written. */
struct junction_row {
    struct value *values;           /* logical, by ordinal of the junction */
    bool *given;                    /* by ordinal: said by the caller, so updated where the pair exists */
    bool done;
};

static const struct model *junction_of(const struct access *access) {
    return access->assoc->hops[0].next;
}

/* ----------------------------------------------------------------------------------------------- junction values */

static bool read_junction_table(lua_State *L, struct call *call, const struct access *access, int index, struct junction_row *row) {
    const struct model *junction = junction_of(access);
    struct where_reader reader = where_reader(call, junction, "through");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "?";
        const struct attr *attr = find_attr(&reader, name);
        if (!attr) return false;
        const struct model *before = call->model;
        call->model = junction;
        bool fine = read_written_value(L, call, lua_gettop(L), attr, &row->values[attr->ordinal]);
        call->model = before;
        if (!fine && error_is_set(&call->error)) return false;
        row->given[attr->ordinal] = true;
    }
    return true;
}

/* Values that stand on the target under the junction's name: a plain table, or what changed in a row that was read. */
static bool read_target_values(lua_State *L, struct call *call, const struct access *access, int target, struct junction_row *row) {
    bool fine = true;
    lua_pushstring(L, junction_of(access)->name);
    lua_rawget(L, target);
    int index = lua_gettop(L);
    struct instance instance = instance_look(L, index);
    if (instance.state == INSTANCE_NONE) {
        if (lua_istable(L, index)) fine = read_junction_table(L, call, access, index, row);
    } else {
        const struct model *junction = junction_of(access);
        for (int i = 0; fine && i < junction->attr_count && instance.rowset->model == junction; i++) {
            const struct attr *attr = junction->attrs[i];
            if (!attribute_changed(L, call, index, index + 1, &instance, attr)) continue;
            push_attribute(L, index, attr);
            fine = read_written_value(L, call, lua_gettop(L), attr, &row->values[i]);
            row->given[i] = true;
            lua_pop(L, 1);
        }
    }
    lua_settop(L, index - 1);
    return fine || !error_is_set(&call->error);
}

static bool holds_attr(struct attr_list list, const struct attr *attr) {
    for (int i = 0; i < list.count; i++)
        if (list.items[i] == attr) return true;
    return false;
}

/* Key and scope win over all values given. A pair that is linked outside of the scope comes into it. */
static void set_links(const struct access *access, const struct element *element, struct junction_row *row) {
    const struct attr *deleted_at = junction_of(access)->deleted_at;
    const struct hop *first = &access->assoc->hops[0], *last = assoc_last_hop(access->assoc);
    for (int k = 0; k < first->far.count; k++) {
        row->values[first->far.items[k]->ordinal] = access->source[k];
        row->given[first->far.items[k]->ordinal] = false;
    }
    for (int k = 0; element && k < last->near.count; k++) {
        row->values[last->near.items[k]->ordinal] = element->far[k];
        row->given[last->near.items[k]->ordinal] = false;
    }
    for (int i = 0; i < first->value_count; i++) {
        row->values[first->values[i].attr->ordinal] = first->values[i].value;
        row->given[first->values[i].attr->ordinal] = !holds_attr(access->assoc->unique_key, first->values[i].attr);
    }
    if (deleted_at) row->given[deleted_at->ordinal] = true;     /* a link that is marked as deleted comes back */
}

static bool is_link(const struct access *access, const struct attr *attr) {
    const struct hop *first = &access->assoc->hops[0], *last = assoc_last_hop(access->assoc);
    return holds_attr(first->far, attr) || holds_attr(last->near, attr);
}

/* What the functions of the junction's defaults gave for this row: written, but no reason to update a link that is there. */
static bool read_defaults(lua_State *L, struct call *call, const struct access *access, int at, struct junction_row *row) {
    const struct model *junction = junction_of(access);
    struct junction_row defaults = {
        .values = arena_array(&call->arena, struct value, junction->attr_count + 1),
        .given = arena_array(&call->arena, bool, junction->attr_count + 1),
    };
    lua_rawgeti(L, access->defaults, at + 1);
    bool fine = !lua_istable(L, -1) || read_junction_table(L, call, access, lua_gettop(L), &defaults);
    lua_pop(L, 1);
    for (int i = 0; fine && i < junction->attr_count; i++)
        if (!row->given[i]) row->values[i] = defaults.values[i];
    return fine;
}

/* Whether liga itself fills in a value where none was given. */
static bool is_filled(const struct attr *attr) {
    const struct model *model = attr->model;
    return (attr->default_kind != DEFAULT_NONE && attr->default_kind != DEFAULT_CALL) || attr == model->created_at
        || attr == model->updated_at;
}

/* What would be NULL and may not be, before anything is sent. */
static void check_row(struct call *call, const struct access *access, const struct junction_row *row) {
    const struct write_options options = { .no_validate = access->options.no_validate };
    const struct hop *first = &access->assoc->hops[0];
    const struct model *junction = junction_of(access);
    for (int i = 0; i < junction->attr_count; i++) {
        const struct attr *attr = junction->attrs[i];
        bool filled = row->values[i].kind != VALUE_NULL || is_link(access, attr) || (!row->given[i] && is_filled(attr));
        for (int k = 0; k < first->value_count; k++) filled = filled || first->values[k].attr == attr;
        if (!filled) check_null(call, attr, &options);
    }
}

static bool read_row(lua_State *L, struct call *call, struct access *access, int at) {
    const struct model *junction = junction_of(access);
    struct junction_row *row = &access->rows[at];
    row->values = arena_array(&call->arena, struct value, junction->attr_count + 1);
    row->given = arena_array(&call->arena, bool, junction->attr_count + 1);
    if (access->through && !read_junction_table(L, call, access, access->through, row)) return false;
    push_call_value(L, call, access->created ? CALL_RESULT : CALL_AUX);
    if (!access->created) {
        lua_rawgeti(L, -1, at + 1);
        lua_remove(L, -2);
    }
    bool instance = instance_test(L, -1);
    bool fine = !instance || read_target_values(L, call, access, lua_gettop(L), row);
    lua_pop(L, 1);
    if (fine && access->defaults) fine = read_defaults(L, call, access, at, row);
    if (fine) check_row(call, access, row);
    return fine;
}

/* -------------------------------------------------------------------------------------------------------- planning */

static bool needs_read(const struct access *access) {
    if (access->raw_count && !removes(access)) return true;
    for (int i = 0; i < access->count; i++)
        if (!access->elements[i].far) return true;
    return false;
}

static bool through_plan(lua_State *L, struct call *call) {
    struct access *access = call->data;
    int rows = access->created ? 1 : access->count;
    access->rows = arena_array(&call->arena, struct junction_row, rows + 1);
    for (int i = 0; i < rows && !removes(access); i++)
        if (!read_row(L, call, access, i)) return false;
    if (!no_faults(call)) return false;
    bool reads = needs_read(access), scoped = assoc_last_hop(access->assoc)->value_count > 0;
    call->phase = reads ? PHASE_READ : access->created ? PHASE_CREATE : access->verb == VERB_SET || removes(access) ? PHASE_UNLINK
                : PHASE_SCOPE;
    bool single = !access->created && access->verb != VERB_SET && access->count <= LINK_ROWS && !scoped;
    call->atomic = !single || (access->raw_count && removes(access)) || (reads && access->count > 0);
    if (access->verb == VERB_SET && !access->count) call->atomic = false;
    if (reads && single && access->count == 1 && !removes(access)) call->atomic = false;
    return true;
}

/* ------------------------------------------------------------------------------------------------------ statements */

/* Primary key and referred values of the targets given by raw keys. */
static const struct statement *read_targets(struct call *call) {
    const struct access *access = call->data;
    const struct model *target = access->assoc->target;
    const struct hop *last = assoc_last_hop(access->assoc);
    struct select *select = select_new(&call->arena, target, 0);
    for (int k = 0; k < target->key.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, target->key.items[k], ALIAS_HERE), NULL);
    for (int k = 0; k < last->far.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, last->far.items[k], ALIAS_HERE), NULL);
    select->where = link_keys_condition(&call->arena, raw_element_keys(call, access));
    return render_select(&call->arena, call->db->dialect, select, &call->error);
}

static enum drive through_take(lua_State *L, struct call *call) {
    struct access *access = call->data;
    struct conn *conn = call->link->conn;
    const struct model *target = access->assoc->target;
    const struct attr_list key = target->key, far = assoc_last_hop(access->assoc)->far;
    enum drive drive;
    while ((drive = conn->driver->step(conn, call->cursor, &call->arena, &call->error)) == DRIVE_ROW) {
        call->rows++;
        if (call->cursor->columns < key.count + far.count) continue;
        struct value *values = arena_array(&call->arena, struct value, key.count + far.count);
        for (int k = 0; k < key.count + far.count; k++)
            values[k] = kept_cell(call, k < key.count ? key.items[k] : far.items[k - key.count], call->cursor->cells[k]);
        struct element *element = element_of_key(L, call, access, values);
        if (element) element->far = values + key.count;
    }
    return drive;
}

static struct link_keys far_keys(struct call *call, const struct access *access) {
    struct attr_list near = assoc_last_hop(access->assoc)->near;
    struct value *values = arena_array(&call->arena, struct value, access->count * near.count + 1);
    for (int i = 0; i < access->count; i++)
        memcpy(values + i * near.count, access->elements[i].far, sizeof *values * (size_t)near.count);
    return (struct link_keys){ near, values, access->count };
}

static const struct statement *unlink_statement(struct call *call) {
    const struct access *access = call->data;
    enum which which = removes(access) ? WHICH_NAMED : access->count ? WHICH_OTHERS : WHICH_ALL;
    struct delete *delete = delete_links(&call->arena, access->assoc, access->source, which, far_keys(call, access));
    return render_update_or_delete(call, NULL, delete);
}

static bool same_given(const struct junction_row *a, const struct junction_row *b, int count) {
    return memcmp(a->given, b->given, sizeof(bool) * (size_t)count) == 0;
}

/* A column is left out where the database makes its value: scope and keys are set, the others have defaults. */
static bool in_insert(const struct junction_row *row, const struct attr *attr) {
    if (row->values[attr->ordinal].kind != VALUE_NULL || row->given[attr->ordinal]) return true;
    return !attr->auto_increment && attr->default_kind != DEFAULT_SQL && attr->type.id != TYPE_VIRTUAL;
}

static const struct expr *excluded(struct call *call, const struct attr *attr) {
    return expr_of_upsert(&call->arena, EXPR_EXCLUDED, attr);
}

/* "UserProjects"."status" <> excluded."status", NULLs told apart. */
static const struct expr *differs(struct call *call, const struct attr *attr) {
    static const char *const sqlite[] = { "", " IS NOT ", "" }, *const standard[] = { "", " IS DISTINCT FROM ", "" };
    struct expr *expr = expr_new(&call->arena, EXPR_RAW);
    expr->pieces = call->db->dialect->nulls_smallest ? sqlite : standard;
    expr->first = expr_of_upsert(&call->arena, EXPR_STANDING, attr);
    expr->first->next = expr_of_upsert(&call->arena, EXPR_EXCLUDED, attr);
    return expr;
}

/* Re-adding a link with values updates exactly those, without values changes nothing. */
static void plan_conflict(struct call *call, const struct access *access, const struct junction_row *row, struct insert *insert) {
    const struct model *junction = junction_of(access);
    if (!access->assoc->unique) return;
    insert->conflict = CONFLICT_NOTHING;
    insert->target = access->assoc->unique_key;
    struct expr *changes = expr_group(&call->arena, EXPR_OR);
    for (int i = 0; i < junction->attr_count; i++) {
        if (!row->given[i]) continue;
        insert->conflict = CONFLICT_UPDATE;
        assign(&call->arena, &insert->update, junction->attrs[i], excluded(call, junction->attrs[i]));
        expr_push(&call->arena, changes, differs(call, junction->attrs[i]));
    }
    if (insert->conflict != CONFLICT_UPDATE) return;
    insert->update_where = changes;
    if (junction->updated_at && !row->given[junction->updated_at->ordinal] && !access->options.silent)
        assign(&call->arena, &insert->update, junction->updated_at, excluded(call, junction->updated_at));
    raise_version_of_standing(call, insert);
}

static void add_columns(struct call *call, const struct access *access, const struct junction_row *row, struct insert *insert) {
    const struct model *junction = junction_of(access);
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, junction->attr_count + 1);
    insert->attrs = attrs;
    for (int i = 0; i < junction->attr_count; i++)
        if (in_insert(row, junction->attrs[i])) attrs[insert->attr_count++] = junction->attrs[i];
}

static void add_row(struct call *call, struct junction_row *row, struct insert *insert, struct value *values) {
    for (int c = 0; c < insert->attr_count; c++) {
        const struct attr *attr = insert->attrs[c];
        struct value *value = &values[insert->rows * insert->attr_count + c];
        *value = row->values[attr->ordinal];
        if (value->kind == VALUE_NULL && !row->given[attr->ordinal]) default_of(call, attr, value);
        type_store(&attr->type, value, &call->arena);
    }
    row->done = true;
    insert->rows++;
}

static struct junction_row *next_row(const struct access *access, int rows) {
    for (int i = 0; i < rows; i++)
        if (!access->rows[i].done) return &access->rows[i];
    return NULL;
}

/* One INSERT for all rows that give values to the same attributes, a thousand at a time. */
static const struct statement *link_statement(struct call *call) {
    struct access *access = call->data;
    int rows = access->created ? 1 : access->count;
    struct junction_row *model_row = next_row(access, rows);
    if (!model_row) return NULL;
    for (int i = 0; i < rows; i++) set_links(access, &access->elements[i], &access->rows[i]);
    const struct model *junction = junction_of(access);
    struct insert *insert = arena_new(&call->arena, struct insert);
    insert->into = junction;
    add_columns(call, access, model_row, insert);
    int fit = most_params(call) / (insert->attr_count ? insert->attr_count : 1);
    int limit = rows < LINK_ROWS ? rows : LINK_ROWS;
    if (limit > fit) limit = fit > 0 ? fit : 1;
    struct value *values = arena_array(&call->arena, struct value, limit * insert->attr_count + 1);
    for (int i = 0; i < rows && insert->rows < limit; i++)
        if (!access->rows[i].done && same_given(&access->rows[i], model_row, junction->attr_count))
            add_row(call, &access->rows[i], insert, values);
    insert->values = values;
    plan_conflict(call, access, model_row, insert);
    if (insert->rows == 1) return insert_statement(call, insert, &((struct assoc *)(uintptr_t)access->assoc)->link);
    struct statement *statement = render_insert(&call->arena, call->db->dialect, insert, &call->error);
    if (statement) statement->one_off = true;
    return statement;
}

/* -------------------------------------------------------------------------------------------------------- the job */

static bool all_found(const struct access *access) {
    for (int i = 0; i < access->count; i++)
        if (!access->elements[i].far) return false;
    return true;
}

static bool link_next(struct call *call) {
    call->ahead = true;
    call->statement = link_statement(call);
    return call->statement != NULL;
}

static bool scope_next(struct call *call) {
    struct access *access = call->data;
    call->phase = PHASE_LINK;
    if (!access->count) return false;
    struct value now = access->options.silent ? value_null() : call_now(call);
    struct update *update = scope_targets(&call->arena, access->assoc, element_keys(call, access), now);
    if (!update) return link_next(call);
    call->ahead = true;
    call->statement = render_update(&call->arena, call->db->dialect, update, &call->error);
    return call->statement != NULL;
}

/* Whether a source and a target have one link at most. */
static bool single_links(const struct assoc *assoc) {
    return assoc->unique && assoc->unique_key.count == assoc->hops[0].far.count + assoc_last_hop(assoc)->near.count;
}

static bool after_unlink(struct call *call) {
    struct access *access = call->data;
    access->removed = call->affected;
    if (!removes(access)) return scope_next(call);
    call->phase = PHASE_OVER;
    if (!access->raw_count || (access->removed >= access->count && single_links(access->assoc))) return false;
    call->statement = count_keys_statement(call, raw_element_keys(call, access));
    call->phase = PHASE_CHECK;
    return call->statement != NULL;
}

/* PHASE_OVER + 1 … : waiting for the answer of a phase. */
enum { AFTER_READ = PHASE_OVER + 1, AFTER_UNLINK, AFTER_CREATE };

static bool unlink_next(struct call *call) {
    const struct access *access = call->data;
    if (removes(access) && !access->count) return false;
    call->phase = AFTER_UNLINK;
    call->ahead = !removes(access);
    call->statement = unlink_statement(call);
    return call->statement != NULL;
}

static bool through_next(lua_State *L, struct call *call) {
    struct access *access = call->data;
    switch (call->phase) {
    case PHASE_READ:
        call->phase = AFTER_READ;
        call->statement = read_targets(call);
        return call->statement != NULL;
    case AFTER_READ:
        if (!all_found(access) || call->rows < access->raw_count) return missing_row(call);
        if (access->verb == VERB_SET || removes(access)) return unlink_next(call);
        return scope_next(call);
    case PHASE_UNLINK: return unlink_next(call);
    case AFTER_UNLINK: return after_unlink(call);
    case PHASE_CHECK:
        call->phase = PHASE_OVER;
        return call->rows == access->raw_count ? false : missing_row(call);
    case PHASE_CREATE:
        call->phase = AFTER_CREATE;
        call->statement = insert_created(L, call);
        return call->statement != NULL;
    case AFTER_CREATE:
        access->removed = call->last_id;
        if (!read_created_far(L, call, access)) return false;
        call->phase = PHASE_LINK;
        return link_next(call);
    case PHASE_SCOPE: return scope_next(call);
    case PHASE_LINK:  return link_next(call);
    default:          return false;
    }
}

/* The target is inside the association's scope now. */
static void adopt_scope(lua_State *L, struct call *call, const struct access *access, const struct element *element, int index) {
    const struct hop *last = assoc_last_hop(access->assoc);
    int count = last->value_count;
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, count + 2);
    struct value *values = arena_array(&call->arena, struct value, count + 2);
    (void)element;
    for (int i = 0; i < count; i++) {
        attrs[i] = last->values[i].attr;
        values[i] = last->values[i].value;
    }
    bool already = holds_values(L, call, index, (struct attr_list){ attrs, count }, values);
    if (!already) count = collect_stamps(L, call, index, attrs, values, count);
    set_stored(L, call, index, attrs, values, count);
}

static void through_adopt(lua_State *L, struct call *call) {
    struct access *access = call->data;
    if (access->created) {
        call->last_id = access->removed;
        adopt_created(L, call);
        return;
    }
    if (!removes(access) && assoc_last_hop(access->assoc)->value_count) adopt_handed(L, call, adopt_scope);
}

const struct link_rule link_by_through = { through_plan, through_next, through_take, through_adopt };
