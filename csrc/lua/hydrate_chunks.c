/* The chunks that the instances of a load get their rows in, and what else has to outlast a wait. */
#include "lua/hydrate_internal.h"

#include <string.h>

#include "lua/rowset.h"

/* --------------------------------------------------------------------------------------------- what the call keeps */

void push_aux(lua_State *L, struct call *call, lua_Integer place) {
    push_call_table(L, call, CALL_AUX);
    if (lua_rawgeti(L, -1, place) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, place);
    }
    lua_remove(L, -2);
}

/* Keeps the value on the top there. */
static void set_aux(lua_State *L, struct call *call, lua_Integer place) {
    push_call_table(L, call, CALL_AUX);
    lua_insert(L, -2);
    lua_rawseti(L, -2, place);
    lua_pop(L, 1);
}

static lua_Integer node_place(const struct run *run, int n, enum node_part part) {
    enum { MOST_NODES = 4096 };
    int number = run->step ? run->step->number + 1 : 0;
    return -1 - (((lua_Integer)number * MOST_NODES + n) * NODE_PARTS + (lua_Integer)part);
}

void push_node_table(lua_State *L, struct call *call, const struct run *run, int n, enum node_part part) {
    push_aux(L, call, node_place(run, n, part));
}

/* --------------------------------------------------------------------------------------------------------- sizes */

/* As many rows as are still to come, where the driver knows; else as many as such a list had lately, and more for each next chunk. */
static int next_capacity(const struct call *call, const struct plan *plan, const struct model_box *box, const struct rowset *full) {
    int64_t left = call->cursor->expected - call->rows + 1;
    if (call->cursor->expected) return left < ROWSET_ROWS ? (int)left : ROWSET_ROWS;
    if (full) return full->firsts || full->capacity < ROWSET_FIRST_ROWS ? ROWSET_FIRST_ROWS : ROWSET_ROWS;
    int64_t limit = plan->select->limit;
    if (limit > 0 && limit <= ROWSET_ROWS) return (int)limit;
    return box->usual_rows ? box->usual_rows : ROWSET_FIRST_ROWS;
}

void note_length(lua_State *L, const struct node_state *state) {
    struct model_box *box = lua_touserdata(L, state->model);
    int rows = state->built;
    int usual = rows >= box->usual_rows ? rows : (box->usual_rows * 7 + rows) / 8;
    box->usual_rows = usual < ROWSET_FEWEST_ROWS ? ROWSET_FEWEST_ROWS : usual < ROWSET_FIRST_ROWS ? usual : ROWSET_FIRST_ROWS;
}

/* --------------------------------------------------------------------------------------------- names of the user's */

static bool is_alias(const struct plan_column *column) {
    return !column->tracked && *column->name;
}

/* A row of a junction hangs on its target under a name that the user may choose. */
static bool is_renamed(const struct plan_node *node) {
    return node->parent >= 0 && !node->assoc && strcmp(node->property, node->model->name) != 0;
}

static bool has_aliases(const struct plan *plan) {
    bool any = false;
    for (int i = 0; i < plan->column_count; i++) any = any || is_alias(&plan->columns[i]);
    for (int n = 0; n < plan->node_count; n++) any = any || is_renamed(&plan->nodes[n]);
    return any;
}

/* Names that are no attributes belong to the instances all the same: save lets them be. */
static void note_aliases(lua_State *L, const struct plan *plan, const struct node_state *state) {
    lua_rawgeti(L, state->metatable, CHUNK_ROWSET);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, ROWSET_ALIASES);
    for (int i = 0; i < plan->column_count; i++) {
        if (!is_alias(&plan->columns[i])) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, plan->columns[i].name);
    }
    for (int n = 0; n < plan->node_count; n++) {
        if (!is_renamed(&plan->nodes[n])) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, plan->nodes[n].property);
    }
    lua_pop(L, 2);
}

/* -------------------------------------------------------------------------------------------------------- chunks */

static void look_at_chunk(lua_State *L, struct node_state *state) {
    lua_rawgeti(L, state->metatable, CHUNK_ROWSET);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    lua_replace(L, state->texts);
    lua_pop(L, 1);
}

/* Pushes the table of a cohort's later chunks, made if need be. */
static void push_later_chunks(lua_State *L, int cohort) {
    if (lua_rawgeti(L, cohort, COHORT_LATER) != LUA_TNIL) return;
    lua_pop(L, 1);
    push_weak_table(L, 0);
    lua_pushvalue(L, -1);
    lua_rawseti(L, cohort, COHORT_LATER);
}

/* Has the node's cohort at hand; that of a list which has outgrown a shared chunk begins there. */
static void have_cohort(lua_State *L, struct call *call, struct node_state *state) {
    if (!lua_isnil(L, state->cohort)) return;
    const struct run *run = call->hydration->run;
    lua_Integer place = node_place(run, (int)(state - run->states), NODE_COHORT);
    if (state->rowset && !state->cohort_rows) {
        push_shared_cohort(L, state->metatable, state->first);
        set_aux(L, call, place);
        state->cohort_rows = state->rowset->capacity - state->first;
    }
    push_aux(L, call, place);
    lua_replace(L, state->cohort);
}

/* The chunk, whose metatable is on the top, belongs to the rows that were read together. */
static void join_cohort(lua_State *L, struct node_state *state) {
    int chunk = lua_gettop(L), first = state->cohort_rows;
    if (first) push_later_chunks(L, state->cohort);
    lua_rawgeti(L, chunk, CHUNK_ROWSET);
    lua_rawseti(L, first ? chunk + 1 : state->cohort, first ? first : COHORT_FIRST);
    lua_settop(L, chunk);
    lua_pushvalue(L, state->cohort);
    lua_rawseti(L, chunk, CHUNK_COHORT);
    lua_pushinteger(L, first);
    lua_rawseti(L, chunk, CHUNK_FIRST_ROW);
    state->cohort_rows += state->rowset->capacity;
}

/* Whether the first rows of a node go into the chunk that its model shares: a single row, or a list that is expected to be short and
 * that nobody is going to ask for as one. */
static bool may_share(const struct model_box *box, const struct plan *plan, const struct node_state *state, int rows) {
    return is_single(plan) || (!state->rowset && rows <= ROWSET_FIRST_ROWS && box->lazy != LAZY_BATCH && !box->cohorts);
}

void use_new_chunk(lua_State *L, struct call *call, const struct plan *plan, struct node_state *state) {
    const struct model_box *box = lua_touserdata(L, state->model);
    bool own = plan->lazy != LAZY_UNSET && (int)plan->lazy != box->lazy && (plan->lazy != LAZY_OFF || box->lazy > LAZY_OFF);
    bool single = is_single(plan), aliases = has_aliases(plan);
    int rows = single ? 1 : next_capacity(call, plan, box, state->rowset);
    bool shared = !own && !aliases && may_share(box, plan, state, rows), together = !single && !shared;
    if (together) have_cohort(L, call, state);
    state->rowset = shared ? rowset_open(L, state->model, rows) : rowset_new(L, state->model, rows);
    state->first = single ? ROW_ALONE : state->rowset->count;
    if (own) set_lazy_index(L, state->model, (int)plan->lazy);
    if (together) join_cohort(L, state);
    lua_replace(L, state->metatable);
    look_at_chunk(L, state);
    if (aliases) note_aliases(L, plan, state);
}

/* --------------------------------------------------------------------------------------------------------- waits */

static bool waits_with_chunks(const struct run *run) {
    return !run->plan->raw && run->plan->node_count > 0;
}

void take_chunks_up(lua_State *L, struct call *call, struct run *run) {
    if (!waits_with_chunks(run)) return;
    bool any = false;
    for (int n = 0; n < run->plan->node_count; n++) any = any || run->states[n].rowset;
    if (!any) return;
    push_node_table(L, call, run, 0, NODE_CHUNKS);
    for (int n = 0; n < run->plan->node_count; n++) {
        if (!run->states[n].rowset) continue;
        lua_rawgeti(L, -1, n + 1);
        lua_replace(L, run->states[n].metatable);
        look_at_chunk(L, &run->states[n]);
    }
    lua_pop(L, 1);
}

void put_chunks_down(lua_State *L, struct call *call, struct run *run) {
    if (!waits_with_chunks(run)) return;
    push_node_table(L, call, run, 0, NODE_CHUNKS);
    for (int n = 0; n < run->plan->node_count; n++) {
        if (!run->states[n].rowset) continue;
        lua_pushvalue(L, run->states[n].metatable);
        lua_rawseti(L, -2, n + 1);
    }
    lua_pop(L, 1);
}
