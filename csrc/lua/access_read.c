/* getS, getP, countP, hasS, hasP: one select, walking the association's hops. */
#include <string.h>

#include "lua/access.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/through.h"
#include "lua/value.h"

/* -------------------------------------------------------------------------------------------------- the junction */

struct junction {
    const struct model *model;  /* NULL: there is none */
    int alias;
};

/* What the call says about the junction's rows; links that are marked as deleted are no links. */
static bool read_junction(lua_State *L, struct find *find, struct junction junction) {
    struct arena *arena = find->where.arena;
    struct select *select = find->plan->select;
    bool with_deleted = false;
    if (!junction.model) return true;
    if (find->through) {
        push_field(L, find->options, "through");
        select_where(arena, select, through_where(L, find->where.call, lua_gettop(L), junction.model, junction.alias));
        with_deleted = through_counts_deleted(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    const struct expr *there = not_deleted(arena, junction.model);
    if (there && !with_deleted) select_where(arena, select, expr_at(arena, junction.alias, there));
    return !error_is_set(find->where.error);
}

static const char *junction_property(lua_State *L, const struct find *find, const char *property) {
    if (!find->through) return property;
    push_field(L, find->options, "through");
    property = through_property(L, find->where.arena, lua_gettop(L), property);
    lua_pop(L, 1);
    return property;
}

/* through.attributes, or joinTableAttributes by its old name; left on the stack. */
static void push_junction_attributes(lua_State *L, const struct find *find) {
    push_field(L, find->options, "joinTableAttributes");
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    push_field(L, find->options, "through");
    if (!lua_istable(L, -1)) return;
    push_field(L, -1, "attributes");
    lua_remove(L, -2);
}

/* The junction row hangs on the target under the junction model's name or that of `through.as`, a full instance. */
static bool add_junction(lua_State *L, struct find *find, struct junction junction) {
    bool fine = true;
    if (find->options) push_junction_attributes(L, find);
    else lua_pushnil(L);
    int attributes = lua_gettop(L);
    bool given = lua_istable(L, attributes);
    if (given && lua_rawlen(L, attributes) == 0) return true;
    const char *property = junction_property(L, find, junction.model->name);
    if (!junction_is_free(find, find->plan, 0, find->includes, property)) return false;
    plan_node(find->where.arena, find->plan, junction.model, 0, property);
    find->where.path = "through.attributes";
    if (given) fine = read_attribute_list(L, find, junction.model, junction.alias, attributes);
    else find_attrs(L, find, find->plan, junction.model, junction.alias);
    lua_settop(L, attributes - 1);
    return fine;
}

/* ----------------------------------------------------------------------------------------------------------- get */

static struct find *link_find(struct call *call, const struct access *access, int *junction) {
    struct find *find = find_new(call, access->assoc->target);
    *junction = plan_link(&call->arena, find->plan, access->assoc, access->source);
    if (assoc_through(access->assoc)) {
        struct outer_table *link = arena_new(&call->arena, struct outer_table);
        *link = (struct outer_table){ assoc_through(access->assoc), NULL, *junction };
        find->where.link = link;
    }
    if (values_have_null(access->source, access->assoc->hops[0].near.count))        /* it refers to nothing */
        select_where(&call->arena, find->plan->select, expr_const(&call->arena, false));
    return find;
}

static bool read_get(lua_State *L, struct find *find, const struct access *access, int alias) {
    struct junction junction = { assoc_through(access->assoc), alias };
    if (!read_find(L, find, 2, FIND_LINKED | (junction.model ? FIND_LINK : FIND_PLAIN))) return false;
    if (!find->plan->select->order)
        find->plan->select->order = order_of_links(find->where.arena, access->assoc->order, alias);
    if (!read_junction(L, find, junction)) return false;
    find_columns(L, find);
    return !junction.model || find->plan->select->group || add_junction(L, find, junction);
}

/* With batch = true the call is answered for all instances that were read together. */
static bool is_batch(lua_State *L) {
    if (!lua_istable(L, 2)) return false;
    push_field(L, 2, "batch");
    bool batch = lua_isboolean(L, -1) && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return batch;
}

static int read_batch(lua_State *L, const char *what) {
    const struct assoc_box *box = access_assoc(L);
    check_instance(L, 1, box->assoc->source);
    lua_settop(L, 2);
    lua_pushstring(L, box->assoc->name);
    lua_pushstring(L, what);
    return call_handler(L, HANDLER_READ_BATCH, 4);
}

/* Of several rows that a hasOne leads to, the one that an include gives: the first by the order, then by the key. */
static void take_first(struct call *call, struct select *select) {
    if (select->limit != 0) select->limit = 1;
    if (!select->group && !select->distinct) plan_order_by_key(&call->arena, select, call->model, 0);
}

int access_get(lua_State *L) {
    struct access *access;
    int junction;
    check_arguments(L, VERB_GET);
    lua_settop(L, 2);
    if (is_batch(L)) return read_batch(L, "get");
    struct call *call = access_open(L, &access, VERB_GET);
    struct find *find = link_find(call, access, &junction);
    read_get(L, find, access, junction);
    if (error_is_set(&call->error)) return call_raise(L, call);
    bool one = !access->assoc->kind->many;
    find->plan->one = one;
    if (values_have_null(access->source, access->assoc->hops[0].near.count)) {
        bool reject = find->reject_on_empty;
        if (reject) return call_fail(L, call, ERROR_EMPTY_RESULT, "%s: no row is linked", access->assoc->name);
        call_close(L, call);
        if (one) lua_pushnil(L);
        else push_list(L, 0);
        return 1;
    }
    if (one && access->assoc->kind->holder != HELD_BY_SOURCE) take_first(call, find->plan->select);
    else order_limited(find);
    hydrate_plan(L, call);
    call->results = find_results;
    return call_run(L, call);
}

int access_count(lua_State *L) {
    struct access *access;
    int alias;
    check_arguments(L, VERB_COUNT);
    lua_settop(L, 2);
    if (is_batch(L)) return read_batch(L, "count");
    struct call *call = access_open(L, &access, VERB_COUNT);
    struct find *find = link_find(call, access, &alias);
    struct junction junction = { assoc_through(access->assoc), alias };
    bool fine = read_find(L, find, 2, FIND_LINKED | FIND_COUNT | (junction.model ? FIND_LINK : FIND_PLAIN))
             && read_junction(L, find, junction);
    if (fine) find_filters(L, find);
    return count_rows(L, call, find);
}

/* ----------------------------------------------------------------------------------------------------------- has */

struct has {
    struct find find;           /* first: other readers look at call->data as a find */
    int wanted;                 /* distinct targets asked for */
    bool exact, answer;
    struct select *all;         /* exact: every linked target */
};

static bool count_again(lua_State *L, struct call *call) {
    (void)L;
    struct has *has = call->data;
    struct select *select = has->find.plan->select;
    int phase = call->phase++;
    if (phase == 0) {
        call->statement = render_select(&call->arena, call->db->dialect, select, &call->error);
        return call->statement != NULL;
    }
    has->answer = (phase == 1 || has->answer) && call->rows == has->wanted;
    if (phase > 1 || !has->exact || !has->answer) return false;
    call->statement = render_select(&call->arena, call->db->dialect, has->all, &call->error);
    return call->statement != NULL;
}

static int has_results(lua_State *L, struct call *call) {
    const struct has *has = call->data;
    lua_pushboolean(L, has->answer);
    return 1;
}

/* DISTINCT keys of the linked targets, as many rows as there are targets. */
static void select_keys(struct call *call, struct select *select, struct attr_list keys) {
    select->distinct = true;
    select->outputs = NULL;
    select->order = NULL;
    for (int k = 0; k < keys.count; k++)
        output_add(&call->arena, &select->outputs, expr_column(&call->arena, keys.items[k], 0), NULL);
}

/* The linked rows among the targets asked for; `exactly`: all linked rows, too. */
static void plan_has(struct call *call, const struct access *access, struct has *has) {
    struct select *select = has->find.plan->select;
    has->all = arena_copy(&call->arena, select, sizeof *select);
    select_keys(call, select, element_attrs(access->assoc));
    select_keys(call, has->all, element_attrs(access->assoc));
    struct expr *keys = link_keys_condition(&call->arena, element_keys(call, access));
    keys->alias = 0;
    if (access->count) select->where = expr_and(&call->arena, select->where, keys);
    call->next = count_again;
    call->results = has_results;
    if (access->count) return;
    has->answer = true;             /* no targets asked for, exactly: there must be none */
    call->phase = 1;
    call->rows = 0;
}

int access_has(lua_State *L, enum verb verb) {
    struct access *access;
    int alias;
    bool unsaved = false;
    check_arguments(L, verb);
    lua_settop(L, 3);
    struct call *call = access_open(L, &access, verb);
    struct find *found = link_find(call, access, &alias);
    struct junction junction = { assoc_through(access->assoc), alias };
    bool fine = read_elements(L, call, access, &unsaved)
             && read_find(L, found, 3, FIND_LINKED | FIND_HAS | (junction.model ? FIND_LINK : FIND_PLAIN))
             && read_junction(L, found, junction);
    if (fine) find_filters(L, found);
    if (error_is_set(&call->error)) return call_raise(L, call);
    struct has *has = arena_new(&call->arena, struct has);
    has->find = *found;
    has->exact = found->exact;
    has->wanted = access->count;
    call->data = has;
    if (unsaved || (!access->count && !has->exact)) {
        call_close(L, call);
        lua_pushboolean(L, !unsaved);
        return 1;
    }
    plan_has(call, access, has);
    return call_run(L, call);
}
