/* hasOne, hasMany: the target holds the key. set = unlink the others, link those named; add = link; remove = unlink. */
#include "lua/access.h"
#include "lua/lifecycle.h"
#include "lua/value.h"

static struct value now_or_null(struct call *call) {
    const struct access *access = call->data;
    return access->options.silent ? value_null() : call_now(call);
}

/* A hasOne leaves exactly one row linked, so its create unlinks first, as set does. */
static bool unlinks_first(const struct access *access) {
    return access->verb == VERB_SET || (access->verb == VERB_CREATE && !access->assoc->kind->many);
}

/* Whether unlinking deletes rows: as wanted, or as their key can't be NULL. */
static bool deletes(const struct access *access) {
    const struct attr_list far = assoc_last_hop(access->assoc)->far;
    for (int k = 0; k < far.count && !access->destroy; k++)
        if (clearable(far.items[k])) return false;
    return true;
}

bool deletes_targets(const struct access *access) {
    if (access->assoc->kind->holder != HELD_BY_TARGET) return false;
    return (unlinks_first(access) || removes(access)) && deletes(access);
}

static bool target_plan(lua_State *L, struct call *call) {
    (void)L;
    struct access *access = call->data;
    bool one_statement = access->verb == VERB_CREATE || (access->count <= 1 && !removes(access));
    if (removes(access) && access->count <= 1 && !access->raw_count) one_statement = true;
    call->atomic = unlinks_first(access) || !one_statement;
    if (!access->count && access->verb == VERB_SET) call->atomic = false;
    call->phase = unlinks_first(access) || removes(access) ? PHASE_UNLINK : PHASE_CREATE;
    if (removes(access) && access->raw_count && deletes(access)) call->phase = PHASE_CHECK;
    return true;
}

/* Whether a removal marks rows as deleted that may be in hand. */
static bool marks_deleted(const struct access *access) {
    return removes(access) && deletes(access) && removes_softly(access->assoc->target, &access->options);
}

/* The rows that the statement takes say so: the others stay as they are. */
static void return_taken(struct call *call, struct link_keys keys, struct delete *delete) {
    struct access *access = call->data;
    for (int i = 0; i < access->count; i++) access->elements[i].stays = true;
    for (int k = 0; k < keys.attrs.count; k++)
        output_add(&call->arena, &delete->returning, expr_column(&call->arena, keys.attrs.items[k], ALIAS_HERE), NULL);
}

static const struct statement *unlink_statement(struct call *call) {
    struct access *access = call->data;
    struct link_keys keys = element_keys(call, access);
    enum which which = removes(access) ? WHICH_NAMED : access->count ? WHICH_OTHERS : WHICH_ALL;
    struct update *update = deletes(access) ? NULL : unlink_targets(&call->arena, access->assoc, access->source, which, keys,
                                                                     now_or_null(call));
    struct delete *delete = update ? NULL : delete_targets(&call->arena, access->assoc, access->source, which, keys);
    if (marks_deleted(access)) return_taken(call, keys, delete);
    return render_update_or_delete(call, update, delete);
}

static const struct statement *link_statement(struct call *call) {
    const struct access *access = call->data;
    struct update *update = link_targets(&call->arena, access->assoc, access->source, element_keys(call, access),
                                         now_or_null(call));
    return render_update(&call->arena, call->db->dialect, update, &call->error);
}

/* PHASE_OVER + 1 …: waiting for the answer of a phase. */
enum { AFTER_CHECK = PHASE_OVER + 1, AFTER_UNLINK };

/* Keys and foreign keys of the targets: which exist, which are linked as before. */
static const struct statement *read_targets(struct call *call) {
    struct link_keys keys = element_keys(call, call->data);
    const struct attr_list far = assoc_last_hop(((struct access *)call->data)->assoc)->far;
    struct select *select = select_new(&call->arena, call->model, 0);
    for (int k = 0; k < keys.attrs.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, keys.attrs.items[k], ALIAS_HERE), NULL);
    for (int k = 0; k < far.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, far.items[k], ALIAS_HERE), NULL);
    select->where = link_keys_condition(&call->arena, keys);
    return render_select(&call->arena, call->db->dialect, select, &call->error);
}

/* A removal that took fewer rows than there are targets: some have no row, or are not linked, or stay. */
static const struct statement *after_removal(struct call *call) {
    struct access *access = call->data;
    access->removed = call->affected;
    call->phase = PHASE_OVER;
    if (access->removed >= access->count || deletes(access)) return NULL;
    if (!access->removed && !access->raw_count) {
        for (int i = 0; i < access->count; i++) access->elements[i].stays = true;
        return NULL;
    }
    for (int i = 0; i < access->count; i++) access->elements[i].missing = true;
    call->phase = PHASE_READ;
    return read_targets(call);
}

static bool all_raw_exist(const struct access *access) {
    for (int i = 0; i < access->count; i++)
        if (access->elements[i].raw && access->elements[i].missing) return false;
    return true;
}

static const struct statement *unlink_next(struct call *call) {
    struct access *access = call->data;
    if (removes(access) && !access->count) return NULL;
    call->ahead = !removes(access);
    call->phase = AFTER_UNLINK;
    return unlink_statement(call);
}

static const struct statement *write_next(lua_State *L, struct call *call) {
    struct access *access = call->data;
    call->phase = PHASE_LINK;
    call->ahead = access->created;
    if (access->created) return insert_created(L, call);
    return access->count ? link_statement(call) : NULL;
}

/* The statement of a phase; NULL: no more, or error. */
static const struct statement *target_statement(lua_State *L, struct call *call) {
    struct access *access = call->data;
    switch (call->phase) {
    case PHASE_CHECK:
        call->phase = AFTER_CHECK;
        return count_keys_statement(call, raw_element_keys(call, access));
    case AFTER_CHECK:
        if (call->rows == access->raw_count) return unlink_next(call);
        missing_row(call);
        return NULL;
    case PHASE_UNLINK: return unlink_next(call);
    case AFTER_UNLINK: return removes(access) ? after_removal(call) : write_next(L, call);
    case PHASE_CREATE: return write_next(L, call);
    case PHASE_READ:
        if (!all_raw_exist(access)) missing_row(call);
        return NULL;
    case PHASE_LINK:
        if (!access->created && call->affected < access->count) missing_row(call);
        return NULL;
    default: return NULL;
    }
}

static bool target_next(lua_State *L, struct call *call) {
    call->statement = target_statement(L, call);
    return call->statement != NULL;
}

/* The target whose key stands in the first cells of the row. */
static struct element *element_of_row(lua_State *L, struct call *call, const struct access *access) {
    const struct attr_list key = access->assoc->target->key;
    struct value *values = arena_array(&call->arena, struct value, key.count + 1);
    for (int k = 0; k < key.count; k++) values[k] = kept_cell(call, key.items[k], call->cursor->cells[k]);
    return element_of_key(L, call, access, values);
}

/* A row of read_targets. */
static void take_target(lua_State *L, struct call *call, const struct access *access) {
    const struct attr_list far = assoc_last_hop(access->assoc)->far;
    const int first = access->assoc->target->key.count;
    struct element *element = element_of_row(L, call, access);
    if (!element) return;
    element->missing = false;
    element->stays = true;
    for (int k = 0; k < far.count && element->stays; k++)
        element->stays = value_equal(kept_cell(call, far.items[k], call->cursor->cells[first + k]), access->source[k]);
}

/* A row that return_taken asked for. */
static void take_deleted(lua_State *L, struct call *call, const struct access *access) {
    struct element *element = element_of_row(L, call, access);
    if (element) element->stays = false;
}

static enum drive target_take(lua_State *L, struct call *call) {
    const struct access *access = call->data;
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) {
        call->rows++;
        if (call->phase == PHASE_READ) take_target(L, call, access);
        if (call->phase == AFTER_UNLINK && marks_deleted(access)) take_deleted(L, call, access);
    }
    return drive;
}

/* ------------------------------------------------------------------------------------------------------ adopting */

static int collect_linked(struct call *call, const struct access *access, const struct attr **attrs, struct value *values) {
    const struct hop *hop = assoc_last_hop(access->assoc);
    int count = 0;
    for (int k = 0; k < hop->far.count; k++, count++) {
        attrs[count] = hop->far.items[k];
        values[count] = access->source[k];
    }
    for (int i = 0; i < hop->value_count; i++, count++) {
        attrs[count] = hop->values[i].attr;
        values[count] = hop->values[i].value;
    }
    (void)call;
    return count;
}

static bool says_linked(lua_State *L, struct call *call, const struct access *access, int index) {
    return holds_values(L, call, index, assoc_last_hop(access->assoc)->far, access->source);
}

static void adopt_linked(lua_State *L, struct call *call, const struct access *access, const struct element *element, int index) {
    const struct attr_list key = { access->assoc->target->attrs, access->assoc->target->attr_count };
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, key.count + 2);
    struct value *values = arena_array(&call->arena, struct value, key.count + 2);
    int count = collect_linked(call, access, attrs, values);
    (void)element;
    if (!holds_values(L, call, index, (struct attr_list){ attrs, count }, values)) count = collect_stamps(L, call, index, attrs, values, count);
    set_stored(L, call, index, attrs, values, count);
}

static void adopt_deleted(lua_State *L, struct call *call, const struct access *access, int index) {
    const struct attr *attrs[3] = { access->assoc->target->deleted_at };
    struct value values[3] = { call_now(call) };
    set_stored(L, call, index, attrs, values, collect_stamps(L, call, index, attrs, values, 1));
}

static void adopt_unlinked(lua_State *L, struct call *call, const struct access *access, const struct element *element, int index) {
    const struct hop *hop = assoc_last_hop(access->assoc);
    if (element->stays) return;
    if (marks_deleted(access)) adopt_deleted(L, call, access, index);
    if (deletes(access) || !says_linked(L, call, access, index)) return;
    const struct attr **attrs = arena_array(&call->arena, const struct attr *, hop->far.count + 3);
    struct value *values = arena_array(&call->arena, struct value, hop->far.count + 3);
    int count = 0;
    for (int k = 0; k < hop->far.count; k++)
        if (clearable(hop->far.items[k])) attrs[count++] = hop->far.items[k];
    if (count) count = collect_stamps(L, call, index, attrs, values, count);
    set_stored(L, call, index, attrs, values, count);
}

static void target_adopt(lua_State *L, struct call *call) {
    const struct access *access = call->data;
    if (access->created) adopt_created(L, call);
    else adopt_handed(L, call, removes(access) ? adopt_unlinked : adopt_linked);
}

const struct link_rule link_by_target = { target_plan, target_next, target_take, target_adopt };
