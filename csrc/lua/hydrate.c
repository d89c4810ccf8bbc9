#include "lua/hydrate.h"

#include <string.h>

#include "lua/rowset.h"
#include "lua/value.h"

/* The instances of one node while rows come in. */
struct node_state {
    struct rowset *rowset;      /* of the chunk being filled; NULL: raw, or none yet */
    int metatable;              /* stack index of its metatable, 0: none */
    int texts;                  /* stack index of its texts */
    int model;                  /* stack index of the model userdata, 0: raw */
    int row;                    /* of the instance being built, -1: none in this row */
    int table;                  /* stack index of that instance, 0: none */
};

struct hydration {
    lua_Integer count;          /* roots so far */
    char scratch[TYPE_SCRATCH];
};

void push_list(lua_State *L, int size) {
    lua_createtable(L, size, 0);
    push_core_value(L, CORE_LISTS);
    lua_setmetatable(L, -2);
}

/* ------------------------------------------------------------------------------------------------------- chunks */

static int next_capacity(const struct call *call, const struct rowset *full) {
    const struct plan *plan = call->plan;
    if (full) return ROWSET_ROWS;
    int64_t limit = plan->select->limit;
    if (limit > 0 && limit <= ROWSET_ROWS) return (int)limit;
    return ROWSET_FIRST_ROWS;
}

/* Names that are no attributes belong to the instances all the same: save lets them be. */
static void note_aliases(lua_State *L, const struct call *call, const struct node_state *state) {
    const struct plan *plan = call->plan;
    bool any = false;
    for (int i = 0; i < plan->column_count; i++) any = any || !plan->columns[i].tracked;
    if (!any) return;
    lua_rawgeti(L, state->metatable, 1);
    if (lua_getiuservalue(L, -1, ROWSET_ALIASES) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, -3, ROWSET_ALIASES);
    }
    for (int i = 0; i < plan->column_count; i++) {
        if (plan->columns[i].tracked) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, plan->columns[i].name);
    }
    lua_pop(L, 2);
}

/* Single rows share the model's open chunk; a list makes its own chunks. */
static void use_new_chunk(lua_State *L, struct call *call, struct node_state *state) {
    if (call->plan->one) state->rowset = rowset_open(L, state->model);
    else state->rowset = rowset_new(L, state->model, next_capacity(call, state->rowset));
    lua_replace(L, state->metatable);
    lua_rawgeti(L, state->metatable, 1);
    lua_getiuservalue(L, -1, ROWSET_TEXTS);
    lua_replace(L, state->texts);
    lua_pop(L, 1);
    note_aliases(L, call, state);
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
    const struct plan_column *column = &call->plan->columns[node->first];
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
        if (column->attr && (int)cell.kind != column->settled) type_read(&column->attr->type, &cell, call->hydration->scratch);
        lua_pushvalue(L, keys + node->first + i);
        if (!column->decoded || (column->attr->type.id == TYPE_DATE && !epoch))
            push_cell(L, cell, tracked ? &originals : NULL, ordinal);
        else if (!push_decoded(L, call, state, column, cell))
            return false;
        lua_rawset(L, state->table);
    }
    return true;
}

/* Builds the node's instance for this row at state->table (NULL presence: none). */
static bool build(lua_State *L, struct call *call, const struct plan_node *node, struct node_state *state, int keys) {
    state->row = -1;
    bool there = node->presence < 0 || call->cursor->cells[node->presence].kind != VALUE_NULL;
    if (!there) {
        lua_pushnil(L);
        lua_replace(L, state->table);
        return true;
    }
    lua_createtable(L, 0, node->count + node->children);
    lua_replace(L, state->table);
    if (state->model) {
        if (!state->rowset || state->rowset->count == state->rowset->capacity) use_new_chunk(L, call, state);
        state->row = rowset_register(state->rowset, lua_topointer(L, state->table));
    }
    if (!fill(L, call, node, state, keys)) return false;
    if (!state->model) return true;
    lua_pushvalue(L, state->metatable);
    lua_setmetatable(L, state->table);
    return true;
}

static void hang_on_parent(lua_State *L, const struct plan_node *node, const struct node_state *states, int node_number) {
    const struct node_state *state = &states[node_number];
    if (lua_isnil(L, state->table) || lua_isnil(L, states[node->parent].table)) return;
    lua_pushstring(L, node->property);
    lua_pushvalue(L, state->table);
    lua_rawset(L, states[node->parent].table);
}

/* --------------------------------------------------------------------------------------------------------- rows */

static bool take_row(lua_State *L, struct call *call, struct node_state *states, int keys, int list) {
    const struct plan *plan = call->plan;
    for (int n = 0; n < plan->node_count; n++) {
        if (!build(L, call, &plan->nodes[n], &states[n], keys)) return false;
        if (n) hang_on_parent(L, &plan->nodes[n], states, n);
    }
    lua_pushvalue(L, states[0].table);
    if (plan->one) set_call_value(L, call, CALL_RESULT);
    else lua_rawseti(L, list, ++call->hydration->count);
    return true;
}

/* Stack: keys of all columns, then per node: model userdata, metatable, texts, table. */
static void push_frame(lua_State *L, struct call *call, struct node_state *states) {
    const struct plan *plan = call->plan;
    luaL_checkstack(L, plan->column_count + plan->node_count * 4 + 20, "too many columns");
    for (int i = 0; i < plan->column_count; i++) lua_pushstring(L, plan->columns[i].name);
    push_call_value(L, call, CALL_DB);
    int db = lua_gettop(L);
    for (int n = 0; n < plan->node_count; n++) {
        struct node_state *state = &states[n];
        *state = (struct node_state){ .row = -1 };
        if (plan->raw) lua_pushnil(L);
        else push_model(L, call->db, db, plan->nodes[n].model);
        if (!plan->raw) state->model = lua_gettop(L);
        lua_settop(L, lua_gettop(L) + 3);
        state->table = lua_gettop(L);
        state->texts = state->table - 1;
        state->metatable = state->table - 2;
    }
}

static enum drive next_row(struct call *call) {
    struct conn *conn = call->link->conn;
    return conn->driver->step(conn, call->cursor, &call->arena, &call->error);
}

static enum drive take_rows(lua_State *L, struct call *call, enum drive drive) {
    struct node_state *states = arena_array(&call->arena, struct node_state, call->plan->node_count);
    int top = lua_gettop(L);
    push_call_value(L, call, CALL_RESULT);
    int list = lua_gettop(L), keys = list + 1;
    push_frame(L, call, states);
    int settled = lua_gettop(L);
    for (; drive == DRIVE_ROW; drive = call->plan->one ? DRIVE_DONE : next_row(call)) {
        call->rows++;
        bool fine = take_row(L, call, states, keys, list);
        lua_settop(L, settled);
        if (!fine) {
            drive = DRIVE_FAILED;
            break;
        }
    }
    lua_settop(L, top);
    return drive;
}

enum drive hydrate_from_row(lua_State *L, struct call *call) {
    return take_rows(L, call, DRIVE_ROW);
}

static enum drive hydrate_take(lua_State *L, struct call *call) {
    return take_rows(L, call, next_row(call));
}

static bool hydrate_next(lua_State *L, struct call *call) {
    (void)L;
    if (call->phase++) return false;
    call->statement = render_select(&call->arena, call->db->dialect, call->plan->select, &call->error);
    return call->statement != NULL;
}

int hydrate_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    return 1;
}

void hydrate_returned(lua_State *L, struct call *call) {
    call->hydration = arena_new(&call->arena, struct hydration);
    call->take = hydrate_take;
    if (call->plan->one) return;
    push_list(L, 0);
    set_call_value(L, call, CALL_RESULT);
}

void hydrate_plan(lua_State *L, struct call *call) {
    hydrate_returned(L, call);
    call->next = hydrate_next;
    call->results = hydrate_results;
}
