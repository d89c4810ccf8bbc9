#include "lua/rowset.h"

#include <stdint.h>
#include <string.h>

#include "lua/value.h"

/* -------------------------------------------------------------------------------------------------------- making */

struct layout {
    int width, text_width, number_width;
    struct slots slots[];
};

/* JSON may be either, and dates may be shown as numbers. */
static bool shows_numbers(const struct db *db, const struct attr *attr, enum value_kind logical) {
    bool date = attr->type.id == TYPE_DATE && db->dates_epoch;
    return logical == VALUE_INT || logical == VALUE_REAL || logical == VALUE_NULL || type_is_table(&attr->type) || date;
}

static struct slots take_slots(const struct db *db, struct layout *layout, const struct attr *attr) {
    enum value_kind kind = type_info(attr->type.id)->logical;
    bool text = kind == VALUE_TEXT || kind == VALUE_BLOB || kind == VALUE_NULL;
    return (struct slots){ text ? (unsigned short)layout->text_width++ : NO_SLOT,
                           shows_numbers(db, attr, kind) ? (unsigned short)layout->number_width++ : NO_SLOT };
}

/* Worked out once for each generation of the model; it lives with the schema. */
static const struct layout *layout_of(lua_State *L, struct model_box *box) {
    const struct model *model = box->model;
    if (box->layout && box->layout_generation == model->generation) return box->layout;
    box->db->L = L;
    struct layout *layout = arena_alloc(&box->db->arena, sizeof *layout + (size_t)model->attr_count * sizeof *layout->slots);
    layout->width = model->attr_count;
    for (int i = 0; i < layout->width; i++) layout->slots[i] = take_slots(box->db, layout, model->attrs[i]);
    box->layout = layout;
    box->layout_generation = model->generation;
    return layout;
}

static size_t aligned(size_t size) {
    return (size + 15) & ~(size_t)15;
}

static unsigned index_size(int capacity) {
    unsigned size = 4;
    while (size < (unsigned)capacity * 2) size *= 2;
    return capacity ? size : 0;
}

/* One block: head, numbers, addresses, index, kinds, firsts. */
static struct rowset *allocate(lua_State *L, struct model_box *box, int capacity, bool shared) {
    const struct layout *layout = layout_of(L, box);
    unsigned entries = index_size(capacity);
    size_t numbers = aligned(sizeof(struct rowset));
    size_t addresses = numbers + aligned((size_t)capacity * (size_t)layout->number_width * sizeof(union number));
    size_t index = addresses + aligned((size_t)capacity * sizeof(void *));
    size_t kinds = index + aligned(entries * sizeof(unsigned short));
    size_t firsts = kinds + (size_t)capacity * (size_t)layout->width, end = firsts + (shared ? (size_t)capacity : 0);
    char *block = userdata_new(L, USERDATA_ROWSET, end, ROWSET_VALUES);
    struct rowset *rowset = (struct rowset *)(void *)block;
    *rowset = (struct rowset){
        .model = box->model, .db = box->db, .shape = box->model->shape, .width = layout->width, .capacity = capacity,
        .unsaved = capacity == 0,
        .text_width = layout->text_width, .number_width = layout->number_width, .slots = layout->slots,
        .index_mask = entries ? entries - 1 : 0,
        .numbers = (union number *)(void *)(block + numbers),
        .addresses = (const void **)(void *)(block + addresses),
        .index = (unsigned short *)(void *)(block + index),
        .kinds = (unsigned char *)block + kinds,
        .firsts = shared ? (unsigned char *)block + firsts : NULL,
    };
    return rowset;
}

/* Class metamethods are copied into every chunk's metatable: Lua looks them up raw. */
static void copy_metamethods(lua_State *L, int model_index) {
    lua_getiuservalue(L, model_index, MODEL_UNSAVED);
    int from = lua_gettop(L);
    lua_createtable(L, 1, 8);
    if (lua_isnil(L, from)) return;
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

void set_lazy_index(lua_State *L, int model_index, int lazy) {
    model_index = lua_absindex(L, model_index);
    if (lua_getiuservalue(L, model_index, MODEL_LAZY) == LUA_TTABLE) {
        lua_rawgeti(L, -1, lazy);
        lua_setfield(L, -3, "__index");
    }
    lua_pop(L, 1);
}

static struct rowset *make(lua_State *L, int model_index, int capacity, bool shared) {
    model_index = lua_absindex(L, model_index);
    struct model_box *box = lua_touserdata(L, model_index);
    copy_metamethods(L, model_index);
    lua_remove(L, -2);
    struct rowset *rowset = allocate(L, box, capacity, shared);
    lua_createtable(L, capacity * rowset->text_width, 0);
    lua_setiuservalue(L, -2, ROWSET_TEXTS);
    lua_pushvalue(L, model_index);
    lua_setiuservalue(L, -2, ROWSET_MODEL);
    lua_rawseti(L, -2, CHUNK_ROWSET);
    if (capacity && box->lazy) set_lazy_index(L, model_index, box->lazy);
    return rowset;
}

struct rowset *rowset_new(lua_State *L, int model_index, int capacity) {
    return make(L, model_index, capacity, false);
}

struct rowset *rowset_open(lua_State *L, int model_index, int rows) {
    model_index = lua_absindex(L, model_index);
    struct model_box *box = lua_touserdata(L, model_index);
    struct rowset *open = box->open;
    if (open && open->count + rows <= open->capacity && box->open_generation == box->model->generation) {
        lua_getiuservalue(L, model_index, MODEL_OPEN);
        return open;
    }
    box->open = NULL;
    struct rowset *fresh = make(L, model_index, ROWSET_SHARED_ROWS, true);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, model_index, MODEL_OPEN);
    box->open = fresh;
    box->open_generation = box->model->generation;
    return fresh;
}

/* Nobody else's rows come into a chunk with a cohort: what waits there for its rows lives as long as the chunk. Lists that follow get
 * chunks of their own. */
static void close_chunk(lua_State *L, int rowset_index) {
    lua_getiuservalue(L, rowset_index, ROWSET_MODEL);
    struct model_box *box = lua_touserdata(L, -1);
    box->cohorts = true;
    if (box->open == lua_touserdata(L, rowset_index)) {
        box->open = NULL;
        lua_pushnil(L);
        lua_setiuservalue(L, -2, MODEL_OPEN);
    }
    lua_pop(L, 1);
}

/* A cohort that begins with row `first` of the shared chunk whose RowSet is at rowset_index. */
static void push_new_cohort(lua_State *L, int rowset_index, int first) {
    lua_createtable(L, COHORT_OFFSET, 0);
    lua_pushvalue(L, rowset_index);
    lua_rawseti(L, -2, COHORT_FIRST);
    lua_pushinteger(L, first);
    lua_rawseti(L, -2, COHORT_OFFSET);
}

void push_shared_cohort(lua_State *L, int chunk, int first) {
    chunk = lua_absindex(L, chunk);
    int rowset = lua_gettop(L) + 1, cohorts = rowset + 1;
    lua_rawgeti(L, chunk, CHUNK_ROWSET);
    close_chunk(L, rowset);
    if (lua_rawgeti(L, chunk, CHUNK_COHORT) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, cohorts);
        lua_rawseti(L, chunk, CHUNK_COHORT);
    }
    if (lua_rawgeti(L, cohorts, first + 1) == LUA_TNIL) {
        lua_pop(L, 1);
        push_new_cohort(L, rowset, first);
        lua_pushvalue(L, -1);
        lua_rawseti(L, cohorts, first + 1);
    }
    lua_replace(L, rowset);
    lua_settop(L, rowset);
}

bool rowset_reopen(lua_State *L, int model_index, const struct rowset *rowset, int number, const void *address) {
    const struct model_box *box = lua_touserdata(L, model_index);
    bool same = rowset && box->open == rowset && box->open_generation == box->model->generation
             && rowset_find(rowset, address) == number;
    if (same) lua_getiuservalue(L, model_index, MODEL_OPEN);
    return same;
}

void push_unsaved_metatable(lua_State *L, int model_index) {
    lua_getiuservalue(L, model_index, MODEL_UNSAVED);
}

/* -------------------------------------------------------------------------------------------------- finding rows */

void rowset_put(struct rowset *rowset, int row, const void *address) {
    unsigned at = address_hash(address) & rowset->index_mask;
    while (rowset->index[at] && rowset->addresses[rowset->index[at] - 1] != address) at = (at + 1) & rowset->index_mask;
    if (rowset->index[at]) rowset->addresses[rowset->index[at] - 1] = NULL;
    rowset->index[at] = (unsigned short)(row + 1);
    rowset->addresses[row] = address;
}

int rowset_register(struct rowset *rowset, const void *address) {
    int row = rowset_reserve(rowset);
    rowset_put(rowset, row, address);
    return row;
}

int rowset_find(const struct rowset *rowset, const void *address) {
    if (!rowset->capacity || !rowset_is_current(rowset)) return -1;
    unsigned at = address_hash(address) & rowset->index_mask;
    while (rowset->index[at] && rowset->addresses[rowset->index[at] - 1] != address) at = (at + 1) & rowset->index_mask;
    return rowset->index[at] ? rowset->index[at] - 1 : -1;
}

struct rowset *instance_rowset(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return NULL;
    lua_rawgeti(L, -1, CHUNK_ROWSET);
    struct rowset *rowset = userdata_test(L, -1, USERDATA_ROWSET);
    if (rowset) check_not_collected(L, rowset->db);
    if (rowset) lua_replace(L, -2);
    else lua_pop(L, 2);
    return rowset;
}

/* ----------------------------------------------------------------------------------------------------- originals */

static int text_place(const struct rowset *rowset, int row, const struct attr *attr) {
    return row * rowset->text_width + rowset->slots[attr->ordinal].text + 1;
}

/* A value whose type is not the attribute's own (a foreign program's text in an INTEGER column) has no slot: such an original
 * counts as absent, so that the attribute is written again only where it was assigned. */
static void keep_number(struct rowset *rowset, int row, const struct attr *attr, enum original kind, union number number) {
    original_keep_number(original_row(rowset, row), attr->ordinal, kind, number);
}

static void keep_text(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index, int value_index,
                      enum original kind) {
    if (rowset->slots[attr->ordinal].text == NO_SLOT) return;
    rowset->kinds[row * rowset->width + attr->ordinal] = (unsigned char)kind;
    lua_pushvalue(L, value_index);
    lua_rawseti(L, texts_index, text_place(rowset, row, attr));
}

void original_keep(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index, int value_index) {
    if (attr->ordinal >= rowset->width) return;
    int cell = row * rowset->width + attr->ordinal;
    unsigned char *kind = &rowset->kinds[cell];
    switch (lua_type(L, value_index)) {
    case LUA_TNIL:     *kind = ORIGINAL_NULL; break;
    case LUA_TBOOLEAN: *kind = lua_toboolean(L, value_index) ? ORIGINAL_TRUE : ORIGINAL_FALSE; break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, value_index))
            keep_number(rowset, row, attr, ORIGINAL_INT, (union number){ .integer = lua_tointeger(L, value_index) });
        else
            keep_number(rowset, row, attr, ORIGINAL_REAL, (union number){ .real = lua_tonumber(L, value_index) });
        break;
    default: keep_text(L, rowset, row, attr, texts_index, lua_absindex(L, value_index), ORIGINAL_TEXT);
    }
}

bool original_keep_value(struct rowset *rowset, int row, const struct attr *attr, struct value value) {
    int cell = row * rowset->width + attr->ordinal;
    if (attr->ordinal >= rowset->width) return true;
    switch (value.kind) {
    case VALUE_NULL: rowset->kinds[cell] = ORIGINAL_NULL; return true;
    case VALUE_BOOL: rowset->kinds[cell] = value.as.boolean ? ORIGINAL_TRUE : ORIGINAL_FALSE; return true;
    case VALUE_INT: keep_number(rowset, row, attr, ORIGINAL_INT, (union number){ .integer = value.as.integer }); return true;
    case VALUE_REAL: keep_number(rowset, row, attr, ORIGINAL_REAL, (union number){ .real = value.as.real }); return true;
    default: return false;
    }
}

void original_keep_text(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index) {
    if (attr->ordinal < rowset->width) keep_text(L, rowset, row, attr, texts_index, -1, ORIGINAL_TEXT);
}

void original_keep_source(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index,
                          struct value source) {
    if (attr->ordinal >= rowset->width) return;
    lua_pushlstring(L, source.as.text, source.len);
    keep_text(L, rowset, row, attr, texts_index, lua_gettop(L), ORIGINAL_SOURCE);
    lua_pop(L, 1);
}

static void push_text(lua_State *L, int rowset_index, const struct rowset *rowset, int row, const struct attr *attr) {
    lua_getiuservalue(L, rowset_index, ROWSET_TEXTS);
    lua_rawgeti(L, -1, text_place(rowset, row, attr));
    lua_remove(L, -2);
}

bool is_original_text(lua_State *L, int texts, const struct rowset *rowset, int row, const struct attr *attr, int current) {
    lua_rawgeti(L, texts, text_place(rowset, row, attr));
    bool same = lua_rawequal(L, current, -1);
    lua_pop(L, 1);
    return same;
}

bool original_value(lua_State *L, const struct rowset *rowset, int row, const struct attr *attr, int texts, struct value *value) {
    size_t len;
    switch (original_kind(rowset, row, attr)) {
    case ORIGINAL_NULL:  *value = value_null(); return true;
    case ORIGINAL_INT:   *value = value_int(original_number(rowset, row, attr)->integer); return true;
    case ORIGINAL_REAL:  *value = value_real(original_number(rowset, row, attr)->real); return true;
    case ORIGINAL_FALSE:
    case ORIGINAL_TRUE:  *value = value_bool(original_kind(rowset, row, attr) == ORIGINAL_TRUE); return true;
    case ORIGINAL_TEXT:
        lua_rawgeti(L, texts, text_place(rowset, row, attr));
        value->as.text = lua_tolstring(L, -1, &len);
        value->kind = attr->type.id == TYPE_BLOB ? VALUE_BLOB : VALUE_TEXT;
        value->len = len;
        lua_pop(L, 1);
        return true;
    default: return false;
    }
}

static void push_decoded(lua_State *L, struct db *db, const struct attr *attr) {
    struct error error = { .code = ERROR_NONE };
    struct arena arena;
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    db->L = L;
    arena_init(&arena, db->arena.oom, db->arena.owner);
    if (!push_logical(L, db, attr, value_text(text, len), &arena, &error)) lua_pushnil(L);
    arena_free(&arena);
    lua_remove(L, -2);
}

void push_original(lua_State *L, int rowset_index, const struct rowset *rowset, int row, const struct attr *attr) {
    switch (original_kind(rowset, row, attr)) {
    case ORIGINAL_ABSENT:
    case ORIGINAL_NULL:   lua_pushnil(L); break;
    case ORIGINAL_INT:    lua_pushinteger(L, original_number(rowset, row, attr)->integer); break;
    case ORIGINAL_REAL:   lua_pushnumber(L, original_number(rowset, row, attr)->real); break;
    case ORIGINAL_FALSE:  lua_pushboolean(L, 0); break;
    case ORIGINAL_TRUE:   lua_pushboolean(L, 1); break;
    case ORIGINAL_TEXT:   push_text(L, rowset_index, rowset, row, attr); break;
    case ORIGINAL_SOURCE: push_text(L, rowset_index, rowset, row, attr); push_decoded(L, rowset->db, attr); break;
    }
}

/* ------------------------------------------------------------------------------------------------------- loaded */

enum { LOADED_VALUES = 1, LOADED_OPTIONS };

void push_weak_table(lua_State *L, int room) {
    lua_createtable(L, room, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

/* What push_entry does where there is no entry: one with room for so many rows is made, or nil pushed. */
enum { NO_ENTRY = -1 };

/* Pushes the entry of an association. */
static void push_entry(lua_State *L, int rowset_index, const char *name, int room) {
    bool make = room != NO_ENTRY;
    rowset_index = lua_absindex(L, rowset_index);
    if (lua_getiuservalue(L, rowset_index, ROWSET_LOADED) == LUA_TNIL) {
        if (!make) return;
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, rowset_index, ROWSET_LOADED);
    }
    if (lua_getfield(L, -1, name) == LUA_TNIL && make) {
        lua_pop(L, 1);
        lua_createtable(L, 2, 0);
        push_weak_table(L, room);
        lua_rawseti(L, -2, LOADED_VALUES);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    lua_remove(L, -2);
}

/* Pushes entry[place][row], nil if there is no such entry. */
static void push_of_entry(lua_State *L, int rowset_index, int row, const char *name, int place) {
    push_entry(L, rowset_index, name, NO_ENTRY);
    if (lua_isnil(L, -1)) return;
    lua_rawgeti(L, -1, place);
    lua_remove(L, -2);
    if (lua_isnil(L, -1)) return;
    lua_rawgeti(L, -1, row + 1);
    lua_remove(L, -2);
}

static void set_in_entry(lua_State *L, int row, int place, int value_index) {
    if (lua_rawgeti(L, -1, place) == LUA_TNIL) {
        lua_pop(L, 1);
        if (!value_index) return;
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, place);
    }
    if (value_index) lua_pushvalue(L, value_index);
    else lua_pushnil(L);
    lua_rawseti(L, -2, row + 1);
    lua_pop(L, 1);
}

void push_loaded_value(lua_State *L, int value_index) {
    if (lua_isnil(L, value_index)) lua_pushboolean(L, 0);
    else lua_pushvalue(L, value_index);
}

void push_loaded_by_row(lua_State *L, int rowset_index, int rows, const char *name) {
    push_entry(L, rowset_index, name, rows);
    lua_rawgeti(L, -1, LOADED_VALUES);
    lua_remove(L, -2);
}

void push_options_by_row(lua_State *L, int rowset_index, int rows, const char *name) {
    push_entry(L, rowset_index, name, rows);
    if (lua_rawgeti(L, -1, LOADED_OPTIONS) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, rows, 0);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, LOADED_OPTIONS);
    }
    lua_remove(L, -2);
}

void note_loaded(lua_State *L, int rowset_index, int row, const char *name, int value_index, int options_index) {
    push_loaded_value(L, value_index);
    int value = lua_gettop(L);
    push_entry(L, rowset_index, name, 0);
    set_in_entry(L, row, LOADED_VALUES, value);
    set_in_entry(L, row, LOADED_OPTIONS, options_index);
    lua_settop(L, value - 1);
}

void push_loaded(lua_State *L, int rowset_index, int row, const char *name) {
    push_of_entry(L, rowset_index, row, name, LOADED_VALUES);
}

void push_loaded_options(lua_State *L, int rowset_index, int row, const char *name) {
    push_of_entry(L, rowset_index, row, name, LOADED_OPTIONS);
}

void push_all_loaded(lua_State *L, int rowset_index) {
    lua_getiuservalue(L, rowset_index, ROWSET_LOADED);
}

void forget_loaded(lua_State *L, int rowset_index, int row, const char *name) {
    push_entry(L, rowset_index, name, NO_ENTRY);
    if (lua_istable(L, -1)) {
        set_in_entry(L, row, LOADED_VALUES, 0);
        set_in_entry(L, row, LOADED_OPTIONS, 0);
    }
    lua_pop(L, 1);
}
