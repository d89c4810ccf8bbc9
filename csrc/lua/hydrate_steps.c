/* The steps of a load tree: parents by their keys, whose child a row is, and which statement is sent next. */
#include "lua/hydrate_internal.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------- families */

static void *grown(struct arena *arena, const void *old, int count, int size, size_t item) {
    void *fresh = arena_alloc(arena, (size_t)size * item);
    if (count) memcpy(fresh, old, (size_t)count * item);
    return fresh;
}

static void make_room(struct arena *arena, struct family *family) {
    if (family->count == family->size) {
        int size = family->size ? family->size * 2 : 32;
        family->parents = grown(arena, family->parents, family->count, size, sizeof *family->parents);
        family->size = size;
    }
    if (family->keys.count < family->key_size) return;
    int size = family->key_size ? family->key_size * 2 : 32;
    family->first = grown(arena, family->first, family->key_size, size, sizeof *family->first);
    family->last = grown(arena, family->last, family->key_size, size, sizeof *family->last);
    family->seen = grown(arena, family->seen, family->key_size, size, sizeof *family->seen);
    family->key_size = size;
}

/* One more parent with this key, a row of a chunk (or NULL); returns its number. */
static int add_parent(struct arena *arena, struct family *family, const struct value *key, const struct rowset *rowset, int row) {
    bool fresh;
    make_room(arena, family);
    int number = family->count++, at = key_table_add(&family->keys, key, &fresh);
    family->parents[number] = (struct parent){ .next = -1, .row = row, .rowset = rowset };
    if (fresh) family->first[at] = number;
    else family->parents[family->last[at]].next = number;
    family->last[at] = number;
    return number;
}

/* ---------------------------------------------------------------------------------------------------- the steps */

/* The value on the top is what the step gives the owner. */
static void fulfil(lua_State *L, struct call *call, const struct plan_step *step, const struct owner *owner, struct noted *noted) {
    set_property(L, call, owner, &(struct belonging){ step->property, step->assoc, step->include, noted });
}

void adopt_parent(lua_State *L, struct call *call, struct run *below, int slots, const struct node_state *state) {
    struct value key[KEY_PARTS];
    const struct plan_step *step = below->step;
    if (read_key(call, step->near_columns, step->near.count, key)) {
        int number = add_parent(&call->arena, &below->family, key, state->rowset, state->row);
        lua_pushvalue(L, state->table);
        lua_rawseti(L, slots, number + 1);
        return;
    }
    int top = lua_gettop(L);
    struct noted noted;
    push_noted(L, &noted);
    if (step->many) push_list(L, 0);
    else lua_pushnil(L);
    fulfil(L, call, step, &(struct owner){ state->table, state->rowset, state->row }, &noted);
    lua_settop(L, top);
}

/* The value on the top belongs to a parent of the run's step; it stays there. */
static void give_to_parent(lua_State *L, struct call *call, struct run *run, int number) {
    const struct parent *parent = &run->family.parents[number];
    int value = lua_gettop(L);
    if (!run->detached) {
        lua_rawgeti(L, run->slots, number + 1);
        lua_pushvalue(L, value);
        fulfil(L, call, run->step, &(struct owner){ value + 1, parent->rowset, parent->row }, &run->noted);
        lua_settop(L, value);
    }
    if (!run->detached && !run->step->many) return;
    lua_pushvalue(L, value);
    lua_rawseti(L, run->slots, number + 1);
}

/* Parents are often alike: room for as many children as the parent before has got. */
static int expected_children(struct family *family, int number) {
    enum { FEW = 4, MOST = 64 };
    lua_Integer before = family->begun ? family->parents[family->begun - 1].children : FEW;
    family->begun = number + 1;
    return before < MOST ? (int)before : MOST;
}

void append_child(lua_State *L, struct call *call, struct run *run, int number, int child) {
    lua_Integer place = ++run->family.parents[number].children;
    if (!run->step->many) {
        lua_pushvalue(L, child);
        if (place == 1) give_to_parent(L, call, run, number);
        lua_pop(L, 1);
        return;
    }
    if (place == 1) {
        push_list(L, expected_children(&run->family, number));
        give_to_parent(L, call, run, number);
    } else {
        lua_rawgeti(L, run->slots, number + 1);
    }
    lua_pushvalue(L, child);
    lua_rawseti(L, -2, place);
    lua_pop(L, 1);
}

int key_of_row(struct call *call, struct run *run) {
    struct value key[KEY_PARTS];
    const struct plan_step *step = run->step;
    if (!read_key(call, step->far_columns, step->far.count, key)) return -1;
    int at = key_table_find(&run->family.keys, key);
    if (at < 0) return -1;
    int64_t seen = run->family.seen[at]++, skipped = step->offset > 0 ? step->offset : 0;
    bool cut = seen < skipped || (step->limit >= 0 && seen - skipped >= step->limit);
    return cut ? -1 : at;
}

/* Parents without any row: an empty list, or nothing. */
static void finish_step(lua_State *L, struct call *call, struct run *run) {
    int top = lua_gettop(L);
    push_aux(L, call, run->step->number + 1);
    run->slots = lua_gettop(L);
    push_noted(L, &run->noted);
    for (int number = 0; number < run->family.count; number++) {
        if (run->family.parents[number].children) continue;
        if (run->step->many) push_list(L, 0);
        else if (run->detached) lua_pushboolean(L, 0);
        else lua_pushnil(L);
        give_to_parent(L, call, run, number);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

/* ---------------------------------------------------------------------------------------------------- the order */

static int count_steps(const struct plan *plan) {
    int count = 0;
    for (const struct plan_step *step = plan->steps; step; step = step->next) count += 1 + count_steps(step->plan);
    return count;
}

static void init_run(struct arena *arena, struct run *run, struct plan *plan, struct plan_step *step) {
    run->plan = plan;
    run->step = step;
    run->states = arena_array(arena, struct node_state, plan->node_count + 1);
    for (struct plan_step *below = plan->steps; below; below = below->next) run->below_count++;
    run->below = arena_array(arena, struct run, run->below_count + 1);
    if (step) key_table_init(&run->family.keys, arena, step->near.count);
    if (step && plan->fan) key_table_init(&run->pairs, arena, 2);
    int i = 0;
    for (struct plan_step *below = plan->steps; below; below = below->next) init_run(arena, &run->below[i++], below->plan, below);
}

/* The steps below a run whose rows are all there; one without parents is not sent. */
static void enqueue(struct hydration *hydration, struct run *run) {
    for (int i = 0; i < run->below_count; i++)
        if (run->below[i].family.count && !run->below[i].step->chain) hydration->queue[hydration->queued++] = &run->below[i];
}

/* Those that go together with the run's own statement. */
static void enqueue_chained(struct hydration *hydration, struct run *run) {
    for (int i = 0; i < run->below_count; i++)
        if (run->below[i].step->chain) hydration->queue[hydration->queued++] = &run->below[i];
}

/* Keys that one statement takes: many travel as one array, but where that is JSON, blobs each as a parameter. */
static int batch_size(const struct call *call, const struct family *family, int left) {
    enum { OTHERS = 2000 };             /* parameters of the rest of the statement, at most; few have more than ten */
    bool blobs = false;
    for (int i = 0; i < family->keys.parts * family->keys.count && !blobs; i++)
        blobs = family->keys.values[i].kind == VALUE_BLOB;
    if (!blobs || call->db->dialect->array_lists) return left;
    int most = (most_params(call) - OTHERS) / family->keys.parts;
    return most < left ? most : left;
}

static void set_keys(struct call *call, struct run *run) {
    struct family *family = &run->family;
    int count = batch_size(call, family, family->keys.count - family->sent), parts = family->keys.parts;
    struct value *values = family->keys.values + (size_t)family->sent * (size_t)parts;
    bool converted = false;
    for (int k = 0; k < parts; k++) converted = converted || run->step->far.items[k]->type.id == TYPE_DATE;
    if (converted) values = arena_copy(&call->arena, values, sizeof *values * (size_t)count * (size_t)parts);
    for (int i = 0; converted && i < count * parts; i++)
        type_store(&run->step->far.items[i % parts]->type, &values[i], &call->arena);
    run->step->keys->values = values;
    run->step->keys->value_count = count * parts;
    family->sent += count;
}

static bool all_sent(const struct run *run) {
    return !run->step || run->step->chain || run->family.sent == run->family.keys.count;
}

/* The rows of a statement are there: unless others of the step are still to come, the steps below can go. */
static void end_statement(lua_State *L, struct call *call, struct run *run) {
    run->flights--;
    if (run->flights > 0 || !all_sent(run)) return;
    if (run->step) finish_step(L, call, run);
    enqueue(call->hydration, run);
}

/* Whose statement it is that has rows now; NULL: the root's. */
static struct run *run_of(const struct call *call) {
    const struct sent *sent = call->hydration->sent;
    while (sent && sent->statement != call->running) sent = sent->next;
    return sent ? sent->run : &call->hydration->root;
}

static enum drive hydrate_take(lua_State *L, struct call *call) {
    struct run *run = call->hydration->run = run_of(call);
    enum drive drive = take_rows(L, call, call_step(call));
    if (drive == DRIVE_DONE) end_statement(L, call, run);
    return drive;
}

static bool send(struct call *call, struct run *run) {
    struct hydration *hydration = call->hydration;
    struct sent *sent = arena_new(&call->arena, struct sent);
    call->statement = select_statement(call, run->plan->select);
    sent->statement = call->statement;
    sent->run = run;
    sent->next = hydration->sent;
    hydration->sent = sent;
    run->flights++;
    return call->statement != NULL;
}

/* Whether nothing can follow what is sent: no step below anything whose rows are still to come. Then the transaction can end
 * together with it. */
static bool is_last(const struct hydration *hydration) {
    if (hydration->taken < hydration->queued || hydration->root.flights) return false;
    for (int i = 0; i < hydration->queued; i++)
        for (int k = 0; hydration->queue[i]->flights && k < hydration->queue[i]->below_count; k++)
            if (!hydration->queue[i]->below[k].step->chain) return false;
    return true;
}

/* The statements of steps whose parents are known, or named by a subquery, don't wait for each other. */
static bool send_step(struct call *call, struct run *run) {
    struct hydration *hydration = call->hydration;
    if (!run->step->chain) set_keys(call, run);
    if (all_sent(run)) {
        hydration->taken++;
        enqueue_chained(hydration, run);
    }
    bool fine = send(call, run);
    call->ahead = fine && (hydration->taken < hydration->queued || is_last(hydration));
    return fine;
}

static bool send_first(struct call *call) {
    struct hydration *hydration = call->hydration;
    call->statement = select_statement(call, hydration->first);
    call->take = hydration->take_first;
    call->ahead = call->statement != NULL;
    hydration->first = NULL;
    return call->ahead;
}

static bool send_root(struct call *call) {
    call->take = hydrate_take;
    call->ahead = call->snapshot && !call->plan->steps;
    return send(call, &call->hydration->root);
}

static bool hydrate_next(lua_State *L, struct call *call) {
    struct hydration *hydration = call->hydration;
    (void)L;
    if (hydration->first) return send_first(call);
    if (!hydration->started) {
        hydration->started = true;
        if (!hydration->detached) return send_root(call);
        enqueue(hydration, &hydration->root);
    }
    if (error_is_set(&call->error) || hydration->taken == hydration->queued) return false;
    return send_step(call, hydration->queue[hydration->taken]);
}

int hydrate_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

static void start(struct call *call) {
    struct hydration *hydration = call->hydration = arena_new(&call->arena, struct hydration);
    init_run(&call->arena, &hydration->root, call->plan, NULL);
    hydration->run = &hydration->root;
    hydration->queue = arena_array(&call->arena, struct run *, count_steps(call->plan) + 1);
    call->take = hydrate_take;
}

void hydrate_returned(lua_State *L, struct call *call) {
    start(call);
    if (call->plan->one) return;
    push_list(L, 0);
    set_call_value(L, call, CALL_RESULT);
}

void hydrate_plan(lua_State *L, struct call *call) {
    plan_fan_finish(&call->arena, call->plan);
    hydrate_returned(L, call);
    call->snapshot = call->plan->steps != NULL;
    call->locks = call->plan->select->lock != LOCK_NONE;
    call->next = hydrate_next;
    call->results = hydrate_results;
}

void hydrate_behind(struct call *call, const struct select *first, enum drive (*take)(lua_State *L, struct call *call)) {
    call->hydration->first = first;
    call->hydration->take_first = take;
    call->snapshot = true;
}

/* ------------------------------------------------------------------------------------------ instances that exist */

void hydrate_existing(struct call *call) {
    start(call);
    call->hydration->detached = true;
    call->snapshot = call->hydration->root.below_count > 1 || count_steps(call->plan) > 1;
    for (int i = 0; i < call->hydration->root.below_count; i++) call->hydration->root.below[i].detached = true;
    call->next = hydrate_next;
    call->results = hydrate_results;
}

int hydrate_parent(struct call *call, int step, const struct value *key) {
    return add_parent(&call->arena, &call->hydration->root.below[step].family, key, NULL, 0);
}

void push_hydrated(lua_State *L, struct call *call, int step) {
    push_aux(L, call, call->hydration->root.below[step].step->number + 1);
}
