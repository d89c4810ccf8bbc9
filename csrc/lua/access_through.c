/* belongsToMany: a junction holds the keys. Linking is an INSERT that lets existing pairs be (or updates the values given), so
 * that it is harmless to repeat, also for several writers at once. */
#include <string.h>

#include "lua/access_junction.h"
#include "lua/conflict.h"
#include "lua/value.h"

enum { LINK_ROWS = 1000 };

static void settle(struct junction_row *row, const struct attr *attr, struct value value, bool given) {
    row->values[attr->ordinal] = value;
    row->given[attr->ordinal] = given;
    if (row->computed) row->computed[attr->ordinal].expr = NULL;
}

/* Key and scope win over all values given. A pair that is linked outside of the scope comes into it. */
static void set_links(const struct access *access, const struct element *element, struct junction_row *row) {
    const struct attr *deleted_at = junction_of(access)->deleted_at;
    const struct hop *first = &access->assoc->hops[0], *last = assoc_last_hop(access->assoc);
    for (int k = 0; k < first->far.count; k++) settle(row, first->far.items[k], access->source[k], false);
    for (int k = 0; element && k < last->near.count; k++) settle(row, last->near.items[k], element->far[k], false);
    for (int i = 0; i < first->value_count; i++) {
        const struct attr *attr = first->values[i].attr;
        settle(row, attr, first->values[i].value, !holds_attr(access->assoc->unique_key, attr));
    }
    if (deleted_at) row->given[deleted_at->ordinal] = true;     /* a link that is marked as deleted comes back */
}

/* -------------------------------------------------------------------------------------------------------- planning */

static bool needs_read(const struct access *access) {
    if (access->raw_count && !removes(access)) return true;
    for (int i = 0; i < access->count; i++)
        if (!access->elements[i].far) return true;
    return false;
}

/* Whether the association fixes all that makes a link unique: then an INSERT meets the link that is there. Not so from the other
 * side of a junction that several scopes share. */
static bool fixes_unique_key(const struct assoc *assoc) {
    const struct hop *first = &assoc->hops[0];
    bool fixes = assoc->unique;
    for (int k = 0; k < assoc->unique_key.count && fixes; k++) {
        const struct attr *attr = assoc->unique_key.items[k];
        fixes = holds_attr(first->far, attr) || holds_attr(assoc_last_hop(assoc)->near, attr);
        for (int i = 0; i < first->value_count && !fixes; i++) fixes = first->values[i].attr == attr;
    }
    return fixes;
}

/* Whether links that are there have to be looked for before others are added. */
static bool looks_for_links(const struct access *access) {
    if (!access->count || removes(access) || fixes_unique_key(access->assoc)) return false;
    return access->assoc->unique || access->verb == VERB_SET;
}

static bool through_plan(lua_State *L, struct call *call) {
    struct access *access = call->data;
    int rows = access->created ? 1 : access->count;
    access->rows = arena_array(&call->arena, struct junction_row, rows + 1);
    for (int i = 0; i < rows && !removes(access); i++)
        if (!read_junction_row(L, call, access, i)) return false;
    if (!no_faults(call)) return false;
    bool reads = needs_read(access), scoped = assoc_last_hop(access->assoc)->value_count > 0;
    bool unlinks = access->verb == VERB_SET || removes(access), looks = looks_for_links(access);
    call->phase = reads ? PHASE_READ : access->created ? PHASE_CREATE : unlinks ? PHASE_UNLINK : looks ? PHASE_LOOK : PHASE_SCOPE;
    bool single = !access->created && access->verb != VERB_SET && access->count <= LINK_ROWS && !scoped && !looks;
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
    const struct model *target = access->assoc->target;
    const struct attr_list key = target->key, far = assoc_last_hop(access->assoc)->far;
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
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
    if (row->values[attr->ordinal].kind != VALUE_NULL || row->given[attr->ordinal] || computed_of(row, attr)) return true;
    return !attr->auto_increment && attr->default_kind != DEFAULT_SQL && attr->type.id != TYPE_VIRTUAL;
}

/* JSON, and arrays of it, have no equality of their own everywhere. */
static struct expr *comparable(struct call *call, const struct attr *attr, struct expr *expr) {
    const char *type = call->db->dialect->json_differs;
    bool array = attr->type.id == TYPE_ARRAY;
    if (!type || (array ? attr->type.element : &attr->type)->id != TYPE_JSON) return expr;
    struct expr *cast = expr_new(&call->arena, EXPR_CAST);
    cast->text = array ? arena_printf(&call->arena, "%s[]", type) : type;
    cast->first = expr;
    return cast;
}

static struct expr *excluded(struct call *call, const struct attr *attr) {
    return expr_of_upsert(&call->arena, EXPR_EXCLUDED, attr);
}

/* left <> right, NULLs told apart. */
static const struct expr *differs(struct call *call, const struct attr *attr, struct expr *left, struct expr *right) {
    const char **pieces = arena_array(&call->arena, const char *, 3);
    struct expr *expr = expr_new(&call->arena, EXPR_RAW);
    pieces[0] = pieces[2] = "";
    pieces[1] = arena_printf(&call->arena, " %s ", call->db->dialect->differs);
    expr->pieces = pieces;
    expr->first = comparable(call, attr, left);
    expr->first->next = comparable(call, attr, right);
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
        const struct attr *attr = junction->attrs[i];
        assign(&call->arena, &insert->update, attr, excluded(call, attr));
        expr_push(&call->arena, changes,
                  differs(call, attr, expr_of_upsert(&call->arena, EXPR_STANDING, attr), excluded(call, attr)));
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

static struct value stored_value(struct call *call, const struct junction_row *row, const struct attr *attr) {
    struct value value = row->values[attr->ordinal];
    if (value.kind == VALUE_NULL && !row->given[attr->ordinal]) default_of(call, attr, &value);
    type_store(&attr->type, &value, &call->arena);
    return value;
}

/* The row of values, or of cells where some row has what the database works out. */
static void add_row(struct call *call, struct junction_row *row, struct insert *insert, struct value *values,
                    const struct expr **cells) {
    for (int c = 0, at = insert->rows * insert->attr_count; c < insert->attr_count; c++, at++) {
        const struct attr *attr = insert->attrs[c];
        const struct expr *computed = computed_of(row, attr);
        if (!cells) values[at] = stored_value(call, row, attr);
        else cells[at] = computed ? computed : expr_param(&call->arena, stored_value(call, row, attr));
    }
    row->done = true;
    insert->rows++;
}

static struct junction_row *next_row(const struct access *access, int rows) {
    for (int i = 0; i < rows; i++)
        if (!access->rows[i].done) return &access->rows[i];
    return NULL;
}

static bool computes(const struct access *access, int rows) {
    for (int i = 0; i < rows; i++)
        if (access->rows[i].computed) return true;
    return false;
}

/* One INSERT for all rows that give values to the same attributes, a thousand at a time. */
static const struct statement *insert_links(struct call *call, const struct junction_row *model_row, int rows) {
    const struct access *access = call->data;
    const struct model *junction = junction_of(access);
    struct insert *insert = arena_new(&call->arena, struct insert);
    insert->into = junction;
    add_columns(call, access, model_row, insert);
    int fit = most_params(call) / (insert->attr_count ? insert->attr_count : 1);
    int limit = rows < LINK_ROWS ? rows : LINK_ROWS;
    if (limit > fit) limit = fit > 0 ? fit : 1;
    int size = limit * insert->attr_count + 1;
    const struct expr **cells = computes(access, rows) ? arena_array(&call->arena, const struct expr *, size) : NULL;
    struct value *values = cells ? NULL : arena_array(&call->arena, struct value, size);
    for (int i = 0; i < rows && insert->rows < limit; i++) {
        struct junction_row *row = &access->rows[i];
        if (row->done || row->linked || !same_given(row, model_row, junction->attr_count)) continue;
        add_row(call, row, insert, values, cells);
    }
    insert->values = values;
    insert->cells = cells;
    plan_conflict(call, access, model_row, insert);
    if (insert->rows == 1) return insert_statement(call, insert, &((struct assoc *)(uintptr_t)access->assoc)->link);
    struct statement *statement = render_insert(&call->arena, call->db->dialect, insert, &call->error);
    if (statement) statement->one_off = true;
    return statement;
}

/* Whether a value is for a link that is there: not what it was found by. */
static bool is_news(const struct access *access, const struct junction_row *row, const struct attr *attr) {
    const struct hop *first = &access->assoc->hops[0];
    for (int i = 0; i < first->value_count; i++)
        if (first->values[i].attr == attr) return false;
    return row->given[attr->ordinal] && attr != junction_of(access)->deleted_at;
}

static bool same_news(const struct access *access, const struct junction_row *a, const struct junction_row *b) {
    const struct model *junction = junction_of(access);
    if (!same_given(a, b, junction->attr_count)) return false;
    for (int i = 0; i < junction->attr_count; i++) {
        const struct attr *attr = junction->attrs[i];
        bool same = computed_of(a, attr) == computed_of(b, attr) && value_equal(a->values[i], b->values[i]);
        if (is_news(access, a, attr) && !same) return false;
    }
    return true;
}

static struct expr *stored_param(struct call *call, const struct attr *attr, struct value value) {
    type_store(&attr->type, &value, &call->arena);
    return expr_param(&call->arena, value);
}

static struct expr *news_of(struct call *call, const struct junction_row *row, const struct attr *attr) {
    struct expr *computed = computed_of(row, attr);
    return computed ? computed : stored_param(call, attr, row->values[attr->ordinal]);
}

/* The keys of all links that are there and get the same values; they are done then. */
static struct link_keys same_links(struct call *call, const struct junction_row *model_row, int rows) {
    const struct access *access = call->data;
    struct link_keys keys = { .attrs = assoc_last_hop(access->assoc)->near };
    struct value *values = arena_array(&call->arena, struct value, rows * keys.attrs.count + 1);
    for (int i = 0; i < rows; i++) {
        struct junction_row *row = &access->rows[i];
        if (row->done || !row->linked || !same_news(access, row, model_row)) continue;
        memcpy(values + keys.count++ * keys.attrs.count, access->elements[i].far, sizeof *values * (size_t)keys.attrs.count);
        row->done = true;
    }
    keys.values = values;
    return keys;
}

/* One UPDATE for all links that are there and get the same values; NULL: they get none. */
static const struct statement *update_linked(struct call *call, const struct junction_row *model_row, int rows) {
    const struct access *access = call->data;
    const struct model *junction = junction_of(access);
    struct link_keys keys = same_links(call, model_row, rows);
    struct update *update = update_links(&call->arena, access->assoc, access->source, keys);
    struct expr *changes = expr_group(&call->arena, EXPR_OR);
    for (int i = 0; i < junction->attr_count; i++) {
        const struct attr *attr = junction->attrs[i];
        if (!is_news(access, model_row, attr)) continue;
        assign(&call->arena, &update->set, attr, news_of(call, model_row, attr));
        expr_push(&call->arena, changes,
                  differs(call, attr, expr_column(&call->arena, attr, ALIAS_HERE), news_of(call, model_row, attr)));
    }
    if (!update->set) return NULL;
    const struct attr *touched = junction->updated_at;
    if (touched && !model_row->given[touched->ordinal] && !access->options.silent)
        assign(&call->arena, &update->set, touched, stored_param(call, touched, call_now(call)));
    if (junction->version && !model_row->given[junction->version->ordinal])
        assign(&call->arena, &update->set, junction->version,
               expr_raised(&call->arena, expr_column(&call->arena, junction->version, ALIAS_HERE)));
    update->where = expr_and(&call->arena, update->where, changes);
    return render_update(&call->arena, call->db->dialect, update, &call->error);
}

/* The next statement that writes links; NULL: all are as wanted, or error. */
static const struct statement *link_statement(struct call *call) {
    struct access *access = call->data;
    int rows = access->created ? 1 : access->count;
    const struct junction_row *model_row = next_row(access, rows);
    for (int i = 0; model_row && i < rows; i++) set_links(access, &access->elements[i], &access->rows[i]);
    while (model_row && model_row->linked) {
        const struct statement *statement = update_linked(call, model_row, rows);
        if (statement || error_is_set(&call->error)) return statement;
        model_row = next_row(access, rows);
    }
    return model_row ? insert_links(call, model_row, rows) : NULL;
}

/* -------------------------------------------------------------------------------------------------------- the job */

/* Every raw key has a row, and that what the association refers to: else there is nothing to link. */
static bool check_found(struct call *call, const struct access *access) {
    if (call->rows < access->raw_count) return missing_row(call);
    for (int i = 0; i < access->count; i++) {
        if (!access->elements[i].far) return missing_row(call);
        if (!removes(access) && !check_far(call, access, access->elements[i].far)) return false;
    }
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
    if (!assoc_last_hop(access->assoc)->value_count) return link_next(call);
    struct value now = access->options.silent ? value_null() : call_now(call);
    struct update *update = scope_targets(&call->arena, access->assoc, element_keys(call, access), now);
    call->effect = (struct effect){ .written = access->assoc->target };
    call->ahead = true;
    call->statement = render_update(&call->arena, call->db->dialect, update, &call->error);
    return call->statement != NULL;
}

/* Whether a source and a target have one link at most. */
static bool single_links(const struct assoc *assoc) {
    return assoc->unique && assoc->unique_key.count == assoc->hops[0].far.count + assoc_last_hop(assoc)->near.count;
}

/* Where INSERT tells nothing about the links that are there, they are looked for. */
static enum drive take_linked(lua_State *L, struct call *call) {
    struct access *access = call->data;
    const struct attr_list attrs = element_attrs(access->assoc);
    struct value *key = arena_array(&call->arena, struct value, attrs.count + 1);
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        call->rows++;
        for (int k = 0; k < attrs.count; k++) key[k] = kept_cell(call, attrs.items[k], call->cursor->cells[k]);
        struct element *element = element_of_key(L, call, access, key);
        if (element) access->rows[element - access->elements].linked = true;
    }
    return drive;
}

static bool linked_next(struct call *call) {
    const struct access *access = call->data;
    struct select *select = linked_keys(&call->arena, access->assoc, access->source, element_keys(call, access));
    call->phase = PHASE_SCOPE;
    call->take = take_linked;
    call->statement = render_select(&call->arena, call->db->dialect, select, &call->error);
    return call->statement != NULL;
}

static bool first_link(struct call *call) {
    return looks_for_links(call->data) ? linked_next(call) : scope_next(call);
}

static bool after_unlink(struct call *call) {
    struct access *access = call->data;
    access->removed = call->affected;
    if (!removes(access)) return first_link(call);
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
        if (!check_found(call, access)) return false;
        if (access->verb == VERB_SET || removes(access)) return unlink_next(call);
        return first_link(call);
    case PHASE_LOOK: return linked_next(call);
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
        access->created_id = call->last_id;
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
        call->last_id = access->created_id;
        adopt_created(L, call);
        return;
    }
    if (!removes(access) && assoc_last_hop(access->assoc)->value_count) adopt_handed(L, call, adopt_scope);
}

const struct link_rule link_by_through = { through_plan, through_next, through_take, through_adopt };
