/* Rows of one statement → instances: chunks, cells, and what hangs on what within a row. */
#include "lua/hydrate_internal.h"

#include <limits.h>
#include <string.h>

#include "lua/collector.h"
#include "lua/include.h"
#include "lua/rowset.h"
#include "lua/value.h"

void push_list(lua_State *L, int size) {
    lua_createtable(L, size, 0);
    push_core_value(L, CORE_LISTS);
    lua_setmetatable(L, -2);
}

/* -------------------------------------------------------------------------------------------------------- cells */

/* Where the originals of the row being built go. */
struct originals {
    struct original_row row;    /* without kinds: no originals are kept */
    int texts;                  /* stack index */
    int first_text;             /* place of the row's first text */
};

static struct originals originals_of(const struct node_state *state) {
    const struct rowset *rowset = state->rowset;
    if (!rowset) return (struct originals){ .texts = 0 };
    return (struct originals){ original_row(rowset, state->row), state->texts, state->row * rowset->text_width + 1 };
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
    if (!originals || originals->row.slots[ordinal].text == NO_SLOT) return;
    originals->row.kinds[ordinal] = ORIGINAL_TEXT;
    lua_pushvalue(L, -1);
    lua_rawseti(L, originals->texts, originals->first_text + originals->row.slots[ordinal].text);
}

/* Pushes the cell as the instance shows it and keeps its original (originals NULL: an untracked column). */
static void push_cell(lua_State *L, struct value cell, const struct originals *originals, int ordinal) {
    switch (cell.kind) {
    case VALUE_NULL: lua_pushnil(L); break;
    case VALUE_INT:
        lua_pushinteger(L, cell.as.integer);
        if (originals) original_keep_number(originals->row, ordinal, ORIGINAL_INT, (union number){ .integer = cell.as.integer });
        break;
    case VALUE_REAL:
        lua_pushnumber(L, cell.as.real);
        if (originals) original_keep_number(originals->row, ordinal, ORIGINAL_REAL, (union number){ .real = cell.as.real });
        break;
    case VALUE_BOOL:
        lua_pushboolean(L, cell.as.boolean);
        if (originals) originals->row.kinds[ordinal] = cell.as.boolean ? ORIGINAL_TRUE : ORIGINAL_FALSE;
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
        bool tracked = column->tracked && originals.row.kinds;
        int ordinal = column->tracked ? column->attr->ordinal : 0;
        if (cell.kind == VALUE_NULL) {
            if (tracked) originals.row.kinds[ordinal] = ORIGINAL_NULL;
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

bool read_key(struct call *call, const int *columns, int count, struct value *key) {
    for (int k = 0; k < count; k++) {
        key[k] = key_cell(call, columns[k]);
        if (key[k].kind == VALUE_NULL) return false;
    }
    return true;
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

/* What is at hand, from `noted->place`: the chunk's RowSet, what was loaded by row, options by row, the options (nil: none). */
enum { NOTED_ROWSET, NOTED_VALUES, NOTED_BY_ROW, NOTED_OPTIONS, NOTED };

void push_noted(lua_State *L, struct noted *noted) {
    noted->rowset = NULL;
    noted->place = lua_gettop(L) + 1;
    lua_settop(L, noted->place + NOTED - 1);
}

/* Has the chunk of the owner at hand. */
static void look_at_noted(lua_State *L, struct call *call, const struct owner *owner, const struct belonging *belonging) {
    struct noted *noted = belonging->noted;
    int place = noted->place, rows = owner->rowset->capacity;
    if (noted->rowset == owner->rowset) return;
    lua_getmetatable(L, owner->table);
    lua_rawgeti(L, -1, CHUNK_ROWSET);
    lua_replace(L, place + NOTED_ROWSET);
    push_loaded_by_row(L, place + NOTED_ROWSET, rows, belonging->assoc->name);
    lua_replace(L, place + NOTED_VALUES);
    push_kept_options(L, call, belonging->include);
    if (!lua_isnil(L, -1)) {
        push_options_by_row(L, place + NOTED_ROWSET, rows, belonging->assoc->name);
        lua_replace(L, place + NOTED_BY_ROW);
    }
    lua_replace(L, place + NOTED_OPTIONS);
    lua_pop(L, 1);
    noted->rowset = owner->rowset;
}

/* Remembers what was loaded: the value at `value` (nil: no row). */
static void remember_loaded(lua_State *L, struct call *call, const struct owner *owner, const struct belonging *belonging,
                            int value) {
    look_at_noted(L, call, owner, belonging);
    push_loaded_value(L, value);
    lua_rawseti(L, belonging->noted->place + NOTED_VALUES, owner->row + 1);
    if (!belonging->include || lua_isnil(L, belonging->noted->place + NOTED_OPTIONS)) return;
    lua_pushvalue(L, belonging->noted->place + NOTED_OPTIONS);
    lua_rawseti(L, belonging->noted->place + NOTED_BY_ROW, owner->row + 1);
}

void set_property(lua_State *L, struct call *call, const struct owner *owner, const struct belonging *belonging) {
    int value = lua_gettop(L);
    if (!lua_isnil(L, value)) {
        lua_pushstring(L, belonging->property);
        lua_pushvalue(L, value);
        lua_rawset(L, owner->table);
    }
    if (belonging->assoc && owner->rowset) remember_loaded(L, call, owner, belonging, value);
}

/* Gives the parent of the node's instance the value on the top. */
static void hang_top(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *states, int n) {
    const struct node_state *parent = &states[node->parent];
    const struct owner owner = { parent->table, parent->rowset, parent->row };
    set_property(L, call, &owner, &(struct belonging){ node->property, node->assoc, node->include, &states[n].noted });
}

static void hang_on_parent(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *states, int n) {
    lua_pushvalue(L, states[n].table);
    hang_top(L, call, node, states, n);
    lua_pop(L, 1);
}

/* --------------------------------------------------------------------------------------------------------- rows */

enum { STOCK = 256 };

/* The tables of the next rows. Made together they lie together, apart from the strings that their rows bring, and these lie closer, too:
 * Lua looks at earlier strings for each new one, on fewer pages then. That takes 3 to 6 % off long lists (bench/README.md). */
static void stock_up(lua_State *L, const struct call *call, int size, struct node_state *state) {
    int64_t left = call->cursor->expected - call->rows + 1;         /* 0 or less: the driver does not know */
    if (lua_isnil(L, state->stock)) {
        lua_createtable(L, STOCK, 0);
        lua_replace(L, state->stock);
    }
    state->ready = left > 0 && left < STOCK ? (int)left : STOCK;
    for (int i = state->ready; i > 0; i--) {
        lua_createtable(L, 0, size);
        lua_rawseti(L, state->stock, i);
    }
}

/* Pushes an empty table for a row; those of a short list are made one by one, as many would stay empty. */
static void push_row_table(lua_State *L, const struct call *call, const struct plan_node *node, struct node_state *state) {
    int size = node->count + node->children;
    if (state->unstocked < STOCK) {
        state->unstocked++;
        lua_createtable(L, 0, size);
        return;
    }
    if (!state->ready) stock_up(L, call, size, state);
    lua_rawgeti(L, state->stock, state->ready--);
}

/* Builds the node's instance for this row at state->table, or finds the one of equal key. */
static bool build(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *state, int keys) {
    struct value key[KEY_PARTS];
    bool known = node->identity && read_key(call, node->identity, node->identity_parts, key);
    int number = known ? key_table_add(&state->keys, key, &state->fresh) : 0;
    state->number = known ? number : -1;
    if (known && !state->fresh) {
        lua_rawgeti(L, state->instances, number + 1);
        lua_replace(L, state->table);
        return true;
    }
    state->fresh = true;
    if (node == call->hydration->run->late && !call_read_late(call)) return false;
    push_row_table(L, call, node, state);
    lua_replace(L, state->table);
    if (state->model) {
        if (!state->rowset || state->rowset->count == state->rowset->capacity)
            use_new_chunk(L, call, call->hydration->run->plan, state);
        state->row = rowset_register(state->rowset, lua_topointer(L, state->table));
        if (state->rowset->firsts) state->rowset->firsts[state->row] = (unsigned char)state->first;
        state->built++;
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

static bool is_new_pair(struct key_table *pairs, int parent, int number) {
    struct value pair[2] = { value_int(parent), value_int(number) };
    bool fresh = true;
    if (parent >= 0 && number >= 0) key_table_add(pairs, pair, &fresh);
    return fresh;
}

/* The instance at state->table is one of its parent's list, which comes with the parent. */
static void append_to_parent(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *states, int n) {
    struct node_state *state = &states[n], *parent = &states[node->parent];
    int top = lua_gettop(L);
    if (lua_isnil(L, parent->table)) return;
    if (parent->fresh) {
        push_list(L, 4);
        hang_top(L, call, node, states, n);
    }
    if (!lua_isnil(L, state->table) && is_new_pair(&state->pairs, parent->number, state->number)) {
        lua_pushstring(L, node->property);
        lua_rawget(L, parent->table);
        lua_pushvalue(L, state->table);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_settop(L, top);
}

/* A node of a plan with a fan: its parent may be there from an earlier row. */
static bool take_fan_node(lua_State *L, struct call *call, struct node_state *states, int n, int keys) {
    const struct plan_node *node = &call->hydration->run->plan->nodes[n];
    bool fresh = n == 0 || states[node->parent].fresh;
    bool there = node->presence < 0 || call->cursor->cells[node->presence].kind != VALUE_NULL;
    if (!there || (!fresh && !node->identity)) no_row(L, &states[n]);
    else if (!build(L, call, node, &states[n], keys)) return false;
    if (node->many) append_to_parent(L, call, node, states, n);
    else if (n && fresh) hang_on_parent(L, call, node, states, n);
    return true;
}

/* What hangs on an instance that an earlier row has built is there already. */
static bool take_node(lua_State *L, struct call *call, struct node_state *states, int n, int keys) {
    const struct plan_node *node = &call->hydration->run->plan->nodes[n];
    if (call->hydration->run->plan->fan) return take_fan_node(L, call, states, n, keys);
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
        if (state->fresh) adopt_parent(L, call, &run->below[i], run->children + i, state);
    }
}

/* Of a plan with a fan: whether the row's root was not taken before, for parents with this key. */
static bool is_new_row(struct run *run, int at) {
    const struct node_state *root = &run->states[0];
    return run->step ? is_new_pair(&run->pairs, at, root->number) : root->fresh;
}

static bool take_row(lua_State *L, struct call *call, struct run *run, int keys, int list) {
    int at = run->step ? key_of_row(call, run) : 0;
    if (at < 0) return true;
    for (int n = 0; n < run->plan->node_count; n++)
        if (!take_node(L, call, run->states, n, keys)) return false;
    take_parents(L, call, run);
    if (run->plan->fan && !is_new_row(run, at)) return true;
    if (run->step) {
        for (int number = run->family.first[at]; number >= 0; number = run->family.parents[number].next)
            append_child(L, call, run, number, run->states[0].table);
        return true;
    }
    lua_pushvalue(L, run->states[0].table);
    if (run->plan->one) set_call_value(L, call, CALL_RESULT);
    else lua_rawseti(L, list, ++call->hydration->count);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- frames */

static void push_node_frame(lua_State *L, struct call *call, struct run *run, int n, int db) {
    const struct plan_node *node = &run->plan->nodes[n];
    struct node_state *state = &run->states[n];
    if (run->plan->raw) lua_pushnil(L);
    else push_model(L, call->db, db, node->model);
    state->table = lua_gettop(L) + 3;
    state->model = run->plan->raw ? 0 : state->table - 3;
    state->cohort = state->table + 1;
    state->stock = state->cohort + 1;
    state->ready = state->unstocked = 0;
    lua_settop(L, state->stock);
    state->texts = state->table - 1;
    state->metatable = state->table - 2;
    state->instances = 0;
    state->row = -1;
    if (node->assoc) push_noted(L, &state->noted);
    if (!node->identity) return;
    push_node_table(L, call, run, n, NODE_INSTANCES);
    state->instances = lua_gettop(L);
    if (!state->keys.arena) key_table_init(&state->keys, &call->arena, node->identity_parts);
    if (node->many && !state->pairs.arena) key_table_init(&state->pairs, &call->arena, 2);
}

/* All attributes of a model in their order, and nothing else. */
static bool has_own_columns(const struct plan *plan) {
    const struct model *model = plan->node_count ? plan->nodes[0].model : NULL;
    return model && plan->columns == model->columns && model->columns_generation == model->generation;
}

/* Pushes the names of all columns, those of a model from the list that is kept of them; returns the index of the first. */
static int push_column_keys(lua_State *L, struct call *call, const struct plan *plan, int db) {
    bool own = has_own_columns(plan);
    if (own) push_model(L, call->db, db, plan->nodes[0].model);
    if (own) push_attr_names(L, db + 1);
    int names = db + 2, keys = lua_gettop(L) + 1;
    for (int i = 0; i < plan->column_count; i++)
        if (own) lua_rawgeti(L, names, i + 1);
        else lua_pushstring(L, plan->columns[i].name);
    return keys;
}

/* The first cell of the node behind those that are asked of every row: its key, and whether it is there. */
static int first_late(const struct plan_node *node) {
    int first = node->first, end = node->first + node->count;
    if (node->presence >= first && node->presence < end) first = node->presence + 1;
    for (int k = 0; k < node->identity_parts; k++)
        if (node->identity[k] >= first && node->identity[k] < end) first = node->identity[k] + 1;
    return first;
}

/* Many rows have the same associated row, which is built once: its other cells are read then. */
static void leave_cells(struct call *call, struct run *run) {
    const struct plan *plan = run->plan;
    run->late = NULL;
    if (!call->link->conn->driver->read_late || plan->fan || is_single(plan)) return;
    for (int n = 1; n < plan->node_count && !run->late; n++) {
        const struct plan_node *node = &plan->nodes[n];
        int first = first_late(node), end = node->first + node->count;
        if (!node->identity || first >= end) continue;
        run->late = node;
        call->cursor->late = first;
        call->cursor->late_end = end;
    }
}

/* What a node has of the frame at most. */
enum { NODE_SLOTS = 11 };

/* Stack: the database, keys of all columns, then per node: model userdata, metatable, texts, table, cohort, stock, perhaps what is noted
 * and the instances; the slots; what is noted. Returns the index of the first key. */
static int push_frame(lua_State *L, struct call *call, struct run *run) {
    const struct plan *plan = run->plan;
    luaL_checkstack(L, plan->column_count + plan->node_count * NODE_SLOTS + run->below_count + 40, "too many columns");
    push_call_value(L, call, CALL_DB);
    int db = lua_gettop(L), keys = push_column_keys(L, call, plan, db);
    for (int n = 0; n < plan->node_count; n++) push_node_frame(L, call, run, n, db);
    run->children = lua_gettop(L) + 1;
    for (int i = 0; i < run->below_count; i++) push_aux(L, call, run->below[i].step->number + 1);
    if (run->step) push_aux(L, call, run->step->number + 1);
    run->slots = lua_gettop(L);
    push_noted(L, &run->noted);
    take_chunks_up(L, call, run);
    return keys;
}

/* Pushes the list of the roots, made with room for them once there is one: as many as the driver knows of, or a few. */
static void push_roots(lua_State *L, struct call *call, const struct run *run) {
    enum { FEW = 8 };
    bool first = !run->step && !run->plan->one && !call->hydration->count;
    if (first) {
        int64_t known = call->cursor->expected, limit = run->plan->select->limit;
        push_list(L, known > 0 && known < INT_MAX ? (int)known : limit > 0 && limit < FEW ? (int)limit : FEW);
        set_call_value(L, call, CALL_RESULT);
    }
    push_call_value(L, call, CALL_RESULT);
}

enum drive take_rows(lua_State *L, struct call *call, enum drive drive) {
    struct run *run = call->hydration->run;
    if (drive != DRIVE_ROW) return drive;
    int top = lua_gettop(L);
    push_roots(L, call, run);
    int list = lua_gettop(L), keys = push_frame(L, call, run);
    leave_cells(call, run);
    int settled = lua_gettop(L);
    for (; drive == DRIVE_ROW; drive = is_single(run->plan) ? DRIVE_DONE : call_step(call)) {
        if (++call->rows % COLLECTOR_ROWS == 0) collector_spare(L, call);
        bool fine = take_row(L, call, run, keys, list);
        lua_settop(L, settled);
        if (!fine) {
            drive = DRIVE_FAILED;
            break;
        }
    }
    if (run->states[0].rowset && !is_single(run->plan)) note_length(L, &run->states[0]);
    if (drive == DRIVE_WAIT) put_chunks_down(L, call, run);
    else for (int n = 0; n < run->plan->node_count; n++) run->states[n].rowset = NULL;
    lua_settop(L, top);
    return drive;
}

enum drive hydrate_from_row(lua_State *L, struct call *call) {
    return take_rows(L, call, DRIVE_ROW);
}
