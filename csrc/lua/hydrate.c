/* Rows → instances, statement after statement: the root's, then those of the steps, each once the parents above are there. */
#include "lua/hydrate.h"

#include <string.h>

#include "load/keys.h"
#include "lua/include.h"
#include "lua/rowset.h"
#include "lua/value.h"

/* The instances of one node while rows come in. */
struct node_state {
    struct rowset *rowset;      /* of the chunk being filled; NULL: raw, or none yet */
    int metatable;              /* stack index of its metatable, 0: none */
    int texts;                  /* stack index of its texts */
    int model;                  /* stack index of the model userdata, 0: raw */
    int cohort;                 /* stack index of the list of all its chunks */
    int row;                    /* of the instance being built, -1: none in this row */
    int table;                  /* stack index of that instance (nil: none) */
    int instances;              /* stack index of the list of all instances, by number of their key; 0: not needed */
    bool fresh;                 /* it was built from this row */
    struct key_table keys;      /* of the instances */
};

/* The parents of a step, by their keys. */
struct family {
    struct key_table keys;
    int count, size;            /* parents; room for them */
    int *next;                  /* by parent: the next one of equal key, -1: none */
    lua_Integer *children;      /* by parent: taken so far */
    int *first, *last;          /* by key: parents */
    int64_t *seen;              /* by key: rows, those that are cut off too */
    int key_size;
    int sent;                   /* keys that were asked for */
};

/* One statement's plan, whatever the number of times it is sent. */
struct run {
    struct plan *plan;
    struct plan_step *step;     /* NULL: the root */
    struct node_state *states;
    struct family family;       /* of the step */
    int slots;                  /* stack index of the step's parents, by number from 1; to-many: their lists */
    int children;               /* stack index of the first child step's slots; the others follow */
    struct run *below;          /* of the plan's steps */
    int below_count;
    bool detached;              /* values are kept in the slots and set nowhere */
    int flights;                /* statements that were sent and have not ended */
};

/* A statement on its way, and whose it is. */
struct sent {
    struct sent *next;
    const struct statement *statement;
    struct run *run;
};

struct hydration {
    struct run root, *run;      /* whose rows are taken */
    struct sent *sent;
    struct run **queue;         /* steps whose parents are known */
    int queued, taken;
    bool started, detached;
    lua_Integer count;          /* roots so far */
    char scratch[TYPE_SCRATCH];
};

void push_list(lua_State *L, int size) {
    lua_createtable(L, size, 0);
    push_core_value(L, CORE_LISTS);
    lua_setmetatable(L, -2);
}

/* ------------------------------------------------------------------------------------------------------- chunks */

static int next_capacity(const struct plan *plan, const struct rowset *full) {
    if (full) return ROWSET_ROWS;
    int64_t limit = plan->select->limit;
    if (limit > 0 && limit <= ROWSET_ROWS) return (int)limit;
    return ROWSET_FIRST_ROWS;
}

static bool is_alias(const struct plan_column *column) {
    return !column->tracked && *column->name;
}

/* A row of a junction hangs on its target under a name that the user may choose. */
static bool is_renamed(const struct plan_node *node) {
    return node->parent >= 0 && !node->assoc && strcmp(node->property, node->model->name) != 0;
}

/* Names that are no attributes belong to the instances all the same: save lets them be. */
static void note_aliases(lua_State *L, const struct plan *plan, const struct node_state *state) {
    bool any = false;
    for (int i = 0; i < plan->column_count; i++) any = any || is_alias(&plan->columns[i]);
    for (int n = 0; n < plan->node_count; n++) any = any || is_renamed(&plan->nodes[n]);
    if (!any) return;
    lua_rawgeti(L, state->metatable, 1);
    if (lua_getiuservalue(L, -1, ROWSET_ALIASES) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, -3, ROWSET_ALIASES);
    }
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

static void look_at_chunk(lua_State *L, struct node_state *state) {
    lua_rawgeti(L, state->metatable, 1);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    lua_replace(L, state->texts);
    lua_pop(L, 1);
}

/* The chunk, whose metatable is on the top, belongs to the rows that were read together. */
static void join_cohort(lua_State *L, const struct node_state *state) {
    lua_Integer place = (lua_Integer)lua_rawlen(L, state->cohort) + 1;
    lua_rawgeti(L, -1, CHUNK_ROWSET);
    lua_rawseti(L, state->cohort, place);
    lua_pushvalue(L, state->cohort);
    lua_rawseti(L, -2, CHUNK_COHORT);
    lua_pushinteger(L, place);
    lua_rawseti(L, -2, CHUNK_PLACE);
}

/* Single rows share the model's open chunk; a list makes its own chunks. */
static void use_new_chunk(lua_State *L, const struct plan *plan, struct node_state *state) {
    const struct model_box *box = lua_touserdata(L, state->model);
    bool own = plan->lazy != LAZY_UNSET && (int)plan->lazy != box->lazy && (plan->lazy != LAZY_OFF || box->lazy > LAZY_OFF);
    if (plan->one && !own) state->rowset = rowset_open(L, state->model);
    else state->rowset = rowset_new(L, state->model, plan->one ? 1 : next_capacity(plan, state->rowset));
    if (own) set_lazy_index(L, state->model, (int)plan->lazy);
    if (!plan->one) join_cohort(L, state);
    lua_replace(L, state->metatable);
    look_at_chunk(L, state);
    note_aliases(L, plan, state);
}

/* -------------------------------------------------------------------------------------------------------- cells */

/* Where the originals of the row being built go. */
struct originals {
    unsigned char *kinds;       /* NULL: no originals are kept */
    union number *numbers;
    const unsigned short *slots;
    int texts;                  /* stack index */
    int first_text;             /* place of the row's first text */
};

static struct originals originals_of(const struct node_state *state) {
    const struct rowset *rowset = state->rowset;
    if (!rowset) return (struct originals){ .kinds = NULL };
    int cell = state->row * rowset->width;
    return (struct originals){ rowset->kinds + cell, rowset->numbers + cell, rowset->slots, state->texts,
                               state->row * rowset->text_width + 1 };
}

/* A cell that is shown otherwise than it is stored. False: malformed JSON. */
static bool push_decoded(lua_State *L, struct call *call, struct node_state *state, const struct plan_column *column,
                         struct value cell) {
    if (!push_logical(L, call->db, column->attr, cell, &call->arena, &call->error)) return false;
    if (!state->rowset || !column->tracked) return true;
    if (lua_istable(L, -1)) original_keep_source(L, state->rowset, state->row, column->attr, state->texts, cell);
    else original_keep(L, state->rowset, state->row, column->attr, state->texts, lua_gettop(L));
    return true;
}

/* Texts are shared between the instance and its originals. */
static void push_text(lua_State *L, struct value cell, const struct originals *originals, int ordinal) {
    lua_pushlstring(L, cell.as.text, cell.len);
    if (!originals || originals->slots[ordinal] == NO_TEXT) return;
    originals->kinds[ordinal] = ORIGINAL_TEXT;
    lua_pushvalue(L, -1);
    lua_rawseti(L, originals->texts, originals->first_text + originals->slots[ordinal]);
}

/* Pushes the cell as the instance shows it and keeps its original (originals NULL: an untracked column). */
static void push_cell(lua_State *L, struct value cell, const struct originals *originals, int ordinal) {
    switch (cell.kind) {
    case VALUE_NULL: lua_pushnil(L); break;
    case VALUE_INT:
        lua_pushinteger(L, cell.as.integer);
        if (!originals) break;
        originals->kinds[ordinal] = ORIGINAL_INT;
        originals->numbers[ordinal].integer = cell.as.integer;
        break;
    case VALUE_REAL:
        lua_pushnumber(L, cell.as.real);
        if (!originals) break;
        originals->kinds[ordinal] = ORIGINAL_REAL;
        originals->numbers[ordinal].real = cell.as.real;
        break;
    case VALUE_BOOL:
        lua_pushboolean(L, cell.as.boolean);
        if (originals) originals->kinds[ordinal] = cell.as.boolean ? ORIGINAL_TRUE : ORIGINAL_FALSE;
        break;
    case VALUE_TEXT:
    case VALUE_BLOB: push_text(L, cell, originals, ordinal); break;
    case VALUE_LIST: break;         /* no cell is one */
    }
}

static bool fill(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *state, int keys) {
    const struct originals originals = originals_of(state);
    const struct plan_column *column = &call->hydration->run->plan->columns[node->first];
    const struct value *cells = call->cursor->cells + node->first;
    bool epoch = call->db->dates_epoch;
    for (int i = 0; i < node->count; i++, column++) {
        struct value cell = cells[i];
        bool tracked = column->tracked && originals.kinds;
        int ordinal = column->tracked ? column->attr->ordinal : 0;
        if (cell.kind == VALUE_NULL) {
            if (tracked) originals.kinds[ordinal] = ORIGINAL_NULL;
            continue;
        }
        if (column->attr && (int)cell.kind != column->settled)
            type_read(&column->attr->type, &cell, call->hydration->scratch, &call->arena);
        lua_pushvalue(L, keys + node->first + i);
        if (!column->decoded || (column->attr->type.id == TYPE_DATE && !epoch))
            push_cell(L, cell, tracked ? &originals : NULL, ordinal);
        else if (!push_decoded(L, call, state, column, cell))
            return false;
        lua_rawset(L, state->table);
    }
    return true;
}

/* The cell of a key column in logical form. A text that had to be converted is copied: the scratch holds one at a time. */
static struct value key_cell(struct call *call, int column) {
    const struct plan_column *described = &call->hydration->run->plan->columns[column];
    struct value cell = call->cursor->cells[column];
    if (cell.kind == VALUE_NULL || !described->attr || (int)cell.kind == described->settled) return cell;
    type_read(&described->attr->type, &cell, call->hydration->scratch, &call->arena);
    if (cell.kind == VALUE_TEXT || cell.kind == VALUE_BLOB) cell.as.text = arena_text(&call->arena, cell.as.text, cell.len);
    return cell;
}

/* The key in these columns; false: a part of it is NULL. */
static bool read_key(struct call *call, const int *columns, int count, struct value *key) {
    for (int k = 0; k < count; k++) {
        key[k] = key_cell(call, columns[k]);
        if (key[k].kind == VALUE_NULL) return false;
    }
    return true;
}

/* ----------------------------------------------------------------------------------------------------- families */

static void *grown(struct arena *arena, const void *old, int count, int size, size_t item) {
    void *fresh = arena_alloc(arena, (size_t)size * item);
    if (count) memcpy(fresh, old, (size_t)count * item);
    return fresh;
}

static void make_room(struct arena *arena, struct family *family) {
    if (family->count == family->size) {
        int size = family->size ? family->size * 2 : 32;
        family->next = grown(arena, family->next, family->count, size, sizeof *family->next);
        family->children = grown(arena, family->children, family->count, size, sizeof *family->children);
        family->size = size;
    }
    if (family->keys.count < family->key_size) return;
    int size = family->key_size ? family->key_size * 2 : 32;
    family->first = grown(arena, family->first, family->key_size, size, sizeof *family->first);
    family->last = grown(arena, family->last, family->key_size, size, sizeof *family->last);
    family->seen = grown(arena, family->seen, family->key_size, size, sizeof *family->seen);
    family->key_size = size;
}

/* One more parent with this key; returns its number. */
static int add_parent(struct arena *arena, struct family *family, const struct value *key) {
    bool fresh;
    make_room(arena, family);
    int number = family->count++, at = key_table_add(&family->keys, key, &fresh);
    family->next[number] = -1;
    if (fresh) family->first[at] = number;
    else family->next[family->last[at]] = number;
    family->last[at] = number;
    return number;
}

/* --------------------------------------------------------------------------------------------------- properties */

/* Pushes a copy of plain tables; what has a metatable is shared. */
static void push_plain_copy(lua_State *L, int index, int depth) {
    bool plain = lua_istable(L, index) && depth < INCLUDE_DEPTH * 4;
    if (plain && lua_getmetatable(L, index)) {
        lua_pop(L, 1);
        plain = false;
    }
    if (!plain) {
        lua_pushvalue(L, index);
        return;
    }
    luaL_checkstack(L, 10, "options too deep");
    lua_newtable(L);
    int copy = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, index); lua_settop(L, copy + 1)) {
        lua_pushvalue(L, copy + 1);
        push_plain_copy(L, copy + 2, depth + 1);
        lua_rawset(L, copy);
    }
}

/* The options an include was loaded with, copied once: the user's own table may change later. Pushes nil where there are none. */
void push_kept_options(lua_State *L, struct call *call, int include) {
    push_call_value(L, call, CALL_KEEP);
    if (!include || !lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
        return;
    }
    lua_rawgeti(L, -1, -include);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_rawgeti(L, -1, include);
        push_plain_copy(L, lua_gettop(L), 0);
        lua_remove(L, -2);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, -include);
    }
    lua_remove(L, -2);
}

/* Remembers with the parent at `parent` what was loaded: the value at `value` (nil: no row). */
static void remember_loaded(lua_State *L, struct call *call, int parent, const char *name, int value, int include) {
    struct rowset *rowset = instance_rowset(L, parent);
    if (!rowset) return;
    int top = lua_gettop(L), row = rowset_find(rowset, lua_topointer(L, parent));
    if (row >= 0) {
        push_kept_options(L, call, include);
        note_loaded(L, top, row, name, value, lua_isnil(L, -1) ? 0 : lua_gettop(L));
    }
    lua_settop(L, top - 1);
}

/* parent[property] = the value on the top, which stays there. */
static void set_property(lua_State *L, struct call *call, int parent, const char *property, const struct assoc *assoc,
                         int include) {
    int value = lua_gettop(L);
    if (!lua_isnil(L, value)) {
        lua_pushstring(L, property);
        lua_pushvalue(L, value);
        lua_rawset(L, parent);
    }
    if (assoc) remember_loaded(L, call, parent, assoc->name, value, include);
}

static void hang_on_parent(lua_State *L, struct call *call, const struct plan_node *node, const struct node_state *states, int n) {
    lua_pushvalue(L, states[n].table);
    set_property(L, call, states[node->parent].table, node->property, node->assoc, node->include);
    lua_pop(L, 1);
}

/* ---------------------------------------------------------------------------------------------------- the steps */

/* The instance that was just built becomes a parent of the step. */
static void adopt_parent(lua_State *L, struct call *call, struct run *below, int slots, int parent) {
    struct value key[KEY_PARTS];
    const struct plan_step *step = below->step;
    if (read_key(call, step->near_columns, step->near.count, key)) {
        int number = add_parent(&call->arena, &below->family, key);
        lua_pushvalue(L, parent);
        lua_rawseti(L, slots, number + 1);
        return;
    }
    if (step->many) push_list(L, 0);
    else lua_pushnil(L);
    set_property(L, call, parent, step->property, step->assoc, step->include);
    lua_pop(L, 1);
}

/* The value on the top belongs to a parent of the run's step; it stays there. */
static void give_to_parent(lua_State *L, struct call *call, const struct run *run, int number) {
    int value = lua_gettop(L);
    if (!run->detached) {
        lua_rawgeti(L, run->slots, number + 1);
        lua_pushvalue(L, value);
        set_property(L, call, value + 1, run->step->property, run->step->assoc, run->step->include);
        lua_settop(L, value);
    }
    if (!run->detached && !run->step->many) return;
    lua_pushvalue(L, value);
    lua_rawseti(L, run->slots, number + 1);
}

static void append_child(lua_State *L, struct call *call, struct run *run, int number, int child) {
    lua_Integer place = ++run->family.children[number];
    if (!run->step->many) {
        lua_pushvalue(L, child);
        if (place == 1) give_to_parent(L, call, run, number);
        lua_pop(L, 1);
        return;
    }
    if (place == 1) {
        push_list(L, 4);
        give_to_parent(L, call, run, number);
    } else {
        lua_rawgeti(L, run->slots, number + 1);
    }
    lua_pushvalue(L, child);
    lua_rawseti(L, -2, place);
    lua_pop(L, 1);
}

/* Whose row it is: the number of the parents' key; -1: nobody's, or it is cut off. */
static int key_of_row(struct call *call, struct run *run) {
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
    push_call_value(L, call, CALL_AUX);
    lua_rawgeti(L, -1, run->step->number + 1);
    run->slots = lua_gettop(L);
    for (int number = 0; number < run->family.count; number++) {
        if (run->family.children[number]) continue;
        if (run->step->many) push_list(L, 0);
        else if (run->detached) lua_pushboolean(L, 0);
        else lua_pushnil(L);
        give_to_parent(L, call, run, number);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

/* --------------------------------------------------------------------------------------------------------- rows */

/* Builds the node's instance for this row at state->table, or finds the one of equal key. */
static bool build(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *state, int keys) {
    struct value key[KEY_PARTS];
    bool known = node->identity && read_key(call, node->identity, node->model->key.count, key);
    int number = known ? key_table_add(&state->keys, key, &state->fresh) : 0;
    if (known && !state->fresh) {
        lua_rawgeti(L, state->instances, number + 1);
        lua_replace(L, state->table);
        return true;
    }
    state->fresh = true;
    lua_createtable(L, 0, node->count + node->children);
    lua_replace(L, state->table);
    if (state->model) {
        if (!state->rowset || state->rowset->count == state->rowset->capacity)
            use_new_chunk(L, call->hydration->run->plan, state);
        state->row = rowset_register(state->rowset, lua_topointer(L, state->table));
    }
    if (!fill(L, call, node, state, keys)) return false;
    if (known) {
        lua_pushvalue(L, state->table);
        lua_rawseti(L, state->instances, number + 1);
    }
    if (!state->model) return true;
    lua_pushvalue(L, state->metatable);
    lua_setmetatable(L, state->table);
    return true;
}

static void no_row(lua_State *L, struct node_state *state) {
    lua_pushnil(L);
    lua_replace(L, state->table);
    state->row = -1;
    state->fresh = false;
}

/* What hangs on an instance that an earlier row has built is there already. */
static bool take_node(lua_State *L, struct call *call, struct node_state *states, int n, int keys) {
    const struct plan_node *node = &call->hydration->run->plan->nodes[n];
    if (n && !states[node->parent].fresh) {
        no_row(L, &states[n]);
        return true;
    }
    bool there = node->presence < 0 || call->cursor->cells[node->presence].kind != VALUE_NULL;
    if (!there) no_row(L, &states[n]);
    else if (!build(L, call, node, &states[n], keys)) return false;
    if (n) hang_on_parent(L, call, node, states, n);
    return true;
}

static void take_parents(lua_State *L, struct call *call, struct run *run) {
    for (int i = 0; i < run->below_count; i++) {
        const struct node_state *state = &run->states[run->below[i].step->node];
        if (state->fresh) adopt_parent(L, call, &run->below[i], run->children + i, state->table);
    }
}

static bool take_row(lua_State *L, struct call *call, struct run *run, int keys, int list) {
    int at = run->step ? key_of_row(call, run) : 0;
    if (at < 0) return true;
    for (int n = 0; n < run->plan->node_count; n++)
        if (!take_node(L, call, run->states, n, keys)) return false;
    take_parents(L, call, run);
    if (run->step) {
        for (int number = run->family.first[at]; number >= 0; number = run->family.next[number])
            append_child(L, call, run, number, run->states[0].table);
        return true;
    }
    lua_pushvalue(L, run->states[0].table);
    if (run->plan->one) set_call_value(L, call, CALL_RESULT);
    else lua_rawseti(L, list, ++call->hydration->count);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- frames */

/* What has to outlast a wait for the server hangs on the box (CALL_AUX): by step the slots, by node (below zero) the instances and
 * the metatable of the chunk that is filled. Pushes the table of that place, made if need be. */
static void push_aux(lua_State *L, struct call *call, lua_Integer place) {
    push_call_value(L, call, CALL_AUX);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        set_call_value(L, call, CALL_AUX);
    }
    if (lua_rawgeti(L, -1, place) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, place);
    }
    lua_remove(L, -2);
}

enum { MOST_NODES = 4096 };

/* Place of what belongs to a node: `part` 0 its instances, 1 the chunks in use of all nodes of a run, 2 the cohort. */
static lua_Integer node_place(const struct run *run, int n, int part) {
    int number = run->step ? run->step->number + 1 : 0;
    return -1 - (((lua_Integer)number * MOST_NODES + n) * 3 + part);
}

static bool waits_with_chunks(const struct run *run) {
    return !run->plan->raw && run->plan->node_count > 0;
}

static void push_node_frame(lua_State *L, struct call *call, struct run *run, int n, int db) {
    const struct plan_node *node = &run->plan->nodes[n];
    struct node_state *state = &run->states[n];
    if (run->plan->raw) lua_pushnil(L);
    else push_model(L, call->db, db, node->model);
    state->model = run->plan->raw ? 0 : lua_gettop(L);
    lua_settop(L, lua_gettop(L) + 3);
    state->table = lua_gettop(L);
    state->texts = state->table - 1;
    state->metatable = state->table - 2;
    state->instances = 0;
    state->row = -1;
    if (state->model && !run->plan->one) push_aux(L, call, node_place(run, n, 2));
    state->cohort = lua_gettop(L);
    if (!node->identity) return;
    push_aux(L, call, node_place(run, n, 0));
    state->instances = lua_gettop(L);
    if (!state->keys.arena) key_table_init(&state->keys, &call->arena, node->model->key.count);
}

/* The chunks that a wait interrupted are filled on. */
static void take_chunks_up(lua_State *L, struct call *call, struct run *run) {
    if (!waits_with_chunks(run)) return;
    bool any = false;
    for (int n = 0; n < run->plan->node_count; n++) any = any || run->states[n].rowset;
    if (!any) return;
    push_aux(L, call, node_place(run, 0, 1));
    for (int n = 0; n < run->plan->node_count; n++) {
        if (!run->states[n].rowset) continue;
        lua_rawgeti(L, -1, n + 1);
        lua_replace(L, run->states[n].metatable);
        look_at_chunk(L, &run->states[n]);
    }
    lua_pop(L, 1);
}

static void put_chunks_down(lua_State *L, struct call *call, struct run *run) {
    if (!waits_with_chunks(run)) return;
    push_aux(L, call, node_place(run, 0, 1));
    for (int n = 0; n < run->plan->node_count; n++) {
        if (!run->states[n].rowset) continue;
        lua_pushvalue(L, run->states[n].metatable);
        lua_rawseti(L, -2, n + 1);
    }
    lua_pop(L, 1);
}

/* Stack: keys of all columns, then per node: model userdata, metatable, texts, table, perhaps the instances; the slots. */
static void push_frame(lua_State *L, struct call *call, struct run *run) {
    const struct plan *plan = run->plan;
    luaL_checkstack(L, plan->column_count + plan->node_count * 6 + run->below_count + 40, "too many columns");
    for (int i = 0; i < plan->column_count; i++) lua_pushstring(L, plan->columns[i].name);
    push_call_value(L, call, CALL_DB);
    int db = lua_gettop(L);
    for (int n = 0; n < plan->node_count; n++) push_node_frame(L, call, run, n, db);
    run->children = lua_gettop(L) + 1;
    for (int i = 0; i < run->below_count; i++) push_aux(L, call, run->below[i].step->number + 1);
    if (run->step) push_aux(L, call, run->step->number + 1);
    run->slots = lua_gettop(L);
    take_chunks_up(L, call, run);
}

static enum drive next_row(struct call *call) {
    struct conn *conn = call->link->conn;
    return conn->driver->step(conn, call->cursor, &call->arena, &call->error);
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
    int i = 0;
    for (struct plan_step *below = plan->steps; below; below = below->next) init_run(arena, &run->below[i++], below->plan, below);
}

/* The steps below a run whose rows are all there; one without parents is not sent. */
static void enqueue(struct hydration *hydration, struct run *run) {
    for (int i = 0; i < run->below_count; i++)
        if (run->below[i].family.count) hydration->queue[hydration->queued++] = &run->below[i];
}

/* Keys that one statement takes: those of one column travel as one array where they are many, others each as a parameter. */
static int batch_size(const struct call *call, const struct family *family, int left) {
    enum { OTHERS = 2000 };             /* parameters of the rest of the statement, at most; few have more than ten */
    bool blobs = false;
    for (int i = 0; i < family->keys.parts * family->keys.count && !blobs; i++)
        blobs = family->keys.values[i].kind == VALUE_BLOB;
    if (family->keys.parts == 1 && !blobs) return left;
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

/* The rows of a statement are there: unless others of the step are still to come, the steps below can go. */
static void end_statement(lua_State *L, struct call *call, struct run *run) {
    run->flights--;
    if (run->flights > 0 || (run->step && run->family.sent < run->family.keys.count)) return;
    if (run->step) finish_step(L, call, run);
    enqueue(call->hydration, run);
}

static enum drive take_rows(lua_State *L, struct call *call, enum drive drive) {
    struct run *run = call->hydration->run;
    if (drive != DRIVE_ROW) return drive;
    int top = lua_gettop(L);
    push_call_value(L, call, CALL_RESULT);
    int list = lua_gettop(L), keys = list + 1;
    push_frame(L, call, run);
    int settled = lua_gettop(L);
    for (; drive == DRIVE_ROW; drive = run->plan->one ? DRIVE_DONE : next_row(call)) {
        call->rows++;
        bool fine = take_row(L, call, run, keys, list);
        lua_settop(L, settled);
        if (!fine) {
            drive = DRIVE_FAILED;
            break;
        }
    }
    if (drive == DRIVE_WAIT) put_chunks_down(L, call, run);
    else for (int n = 0; n < run->plan->node_count; n++) run->states[n].rowset = NULL;
    lua_settop(L, top);
    return drive;
}

enum drive hydrate_from_row(lua_State *L, struct call *call) {
    return take_rows(L, call, DRIVE_ROW);
}

/* Whose statement it is that has rows now; NULL: the root's. */
static struct run *run_of(const struct call *call) {
    const struct sent *sent = call->hydration->sent;
    while (sent && sent->statement != call->statement) sent = sent->next;
    return sent ? sent->run : &call->hydration->root;
}

static enum drive hydrate_take(lua_State *L, struct call *call) {
    struct run *run = call->hydration->run = run_of(call);
    enum drive drive = take_rows(L, call, next_row(call));
    if (drive == DRIVE_DONE) end_statement(L, call, run);
    return drive;
}

static bool send(struct call *call, struct run *run) {
    struct hydration *hydration = call->hydration;
    struct sent *sent = arena_new(&call->arena, struct sent);
    call->statement = render_select(&call->arena, call->db->dialect, run->plan->select, &call->error);
    sent->statement = call->statement;
    sent->run = run;
    sent->next = hydration->sent;
    hydration->sent = sent;
    run->flights++;
    return call->statement != NULL;
}

/* The statements of steps whose parents are known don't wait for each other. */
static bool send_step(struct call *call, struct run *run) {
    struct hydration *hydration = call->hydration;
    set_keys(call, run);
    bool all = run->family.sent == run->family.keys.count;
    if (all) hydration->taken++;
    bool fine = send(call, run);
    call->ahead = fine && hydration->taken < hydration->queued;
    return fine;
}

static bool hydrate_next(lua_State *L, struct call *call) {
    struct hydration *hydration = call->hydration;
    (void)L;
    if (!hydration->started) {
        hydration->started = true;
        if (!hydration->detached) return send(call, &hydration->root);
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
    hydrate_returned(L, call);
    call->snapshot = call->plan->steps != NULL;
    call->locks = call->plan->select->lock != LOCK_NONE;
    call->next = hydrate_next;
    call->results = hydrate_results;
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
    return add_parent(&call->arena, &call->hydration->root.below[step].family, key);
}

void push_hydrated(lua_State *L, struct call *call, int step) {
    push_aux(L, call, call->hydration->root.below[step].step->number + 1);
}

/* --------------------------------------------------------------------------------------------------- explaining */

/* What one include becomes: {include, strategy, reason, sql, params}. */
static void push_part(lua_State *L, const char *path, const char *strategy, const char *reason) {
    lua_createtable(L, 0, 5);
    lua_pushstring(L, path);
    lua_setfield(L, -2, "include");
    lua_pushstring(L, strategy);
    lua_setfield(L, -2, "strategy");
    lua_pushstring(L, reason);
    lua_setfield(L, -2, "reason");
}

static const char *below(struct call *call, const char *path, const char *name) {
    return *path ? arena_printf(&call->arena, "%s.%s", path, name) : name;
}

static const char *node_path(struct call *call, const struct plan *plan, int n, const char *path) {
    const struct plan_node *node = &plan->nodes[n];
    return node->parent < 0 ? path : below(call, node_path(call, plan, node->parent, path), node->property);
}

/* Something that an engine can plan with in place of a key; NULL where no value of the type is at hand. */
static struct value stand_in(const struct attr *attr) {
    bool plain = attr->type.id == TYPE_STRING || attr->type.id == TYPE_TEXT || attr->type.id == TYPE_CHAR;
    switch (type_info(attr->type.id)->logical) {
    case VALUE_INT:  return value_int(1);
    case VALUE_REAL: return value_real(1);
    case VALUE_TEXT: return plain ? value_text("x", 1) : value_null();
    default:         return value_null();
    }
}

/* The statement of a step, with one key that is not known yet. */
static bool push_step_statement(lua_State *L, struct call *call, const struct plan_step *step) {
    struct value *key = arena_array(&call->arena, struct value, step->far.count + 1);
    for (int k = 0; k < step->far.count; k++) key[k] = stand_in(step->far.items[k]);
    step->keys->values = key;
    step->keys->value_count = step->far.count;
    const struct statement *statement = render_select(&call->arena, call->db->dialect, step->plan->select, &call->error);
    if (!statement) return false;
    lua_pushlstring(L, statement->text, statement->len);
    lua_setfield(L, -2, "sql");
    push_values(L, statement->params, statement->param_count);
    lua_setfield(L, -2, "params");
    return true;
}

/* Appends the parts of a plan to the list on the top: its joined nodes, its steps, and what is below them. */
static bool append_parts(lua_State *L, struct call *call, const struct plan *plan, const char *path) {
    luaL_checkstack(L, 10, "includes too deep");
    for (int n = 1; n < plan->node_count; n++) {
        if (!plan->nodes[n].assoc) continue;
        push_part(L, node_path(call, plan, n, path), "join", "to-one: a row of the statement above");
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    for (const struct plan_step *step = plan->steps; step; step = step->next) {
        const char *own = below(call, node_path(call, plan, step->node, path), step->property);
        push_part(L, own, "select", step->reason);
        if (!push_step_statement(L, call, step)) return false;
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        if (!append_parts(L, call, step->plan, own)) return false;
    }
    return true;
}

bool push_parts(lua_State *L, struct call *call) {
    lua_newtable(L);
    return !call->plan || append_parts(L, call, call->plan, "");
}
