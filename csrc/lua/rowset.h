/* What belongs to instances and is not in them: a chunk of up to 256 rows has a metatable of its own, and a RowSet on it.
 *
 * The RowSet knows its instances by address (Lua's collector does not move objects; registering a row overwrites what its
 * address said before) and keeps their original values: numbers raw, texts as the Lua strings that the instance got, JSON as
 * source text. Nothing is hidden in the instance itself. */
#ifndef LIGA_LUA_ROWSET_H
#define LIGA_LUA_ROWSET_H

#include "lua/call.h"

enum { ROWSET_ROWS = 256, ROWSET_SHARED_ROWS = 128, ROWSET_FIRST_ROWS = 32, ROWSET_FEWEST_ROWS = 8, ROW_ALONE = 255 };

enum original {
    ORIGINAL_ABSENT,    /* the attribute was not selected */
    ORIGINAL_NULL, ORIGINAL_INT, ORIGINAL_REAL, ORIGINAL_FALSE, ORIGINAL_TRUE,
    ORIGINAL_TEXT,      /* in the texts */
    ORIGINAL_SOURCE     /* JSON: its source text is in the texts */
};

union number { lua_Integer integer; lua_Number real; };

/* Where the originals of an attribute are among the texts and the numbers of a row; NO_SLOT: nowhere, its type has none. */
struct slots { unsigned short text, number; };
enum { NO_SLOT = 0xffff };

/* Lives in one userdata: this head, then the arrays. User values: the texts, the model userdata, the set of names that queries
 * gave to selected expressions (nil: none), what was loaded of the rows' associations (nil: nothing): by name a table {[1] =
 * row → the list or instance, held weakly (false: there is none), [2] = row → the options it was loaded with, if any}. */
struct rowset {
    const struct model *model;
    struct db *db;
    unsigned shape;             /* of the model: once attributes have moved, nothing is known of the rows any more */
    int width;                  /* attributes, by ordinal */
    int capacity, count;
    int text_width, number_width;       /* of them: kept as texts, as numbers */
    unsigned index_mask;
    bool unsaved;               /* the class's: instances that are not stored yet; no rows */
    union number *numbers;      /* capacity × number_width */
    unsigned char *kinds;       /* capacity × width, enum original */
    const void **addresses;     /* capacity */
    unsigned short *index;      /* address → row + 1 */
    unsigned char *firsts;      /* of a shared chunk, by row: the first row of the list it was read in, or ROW_ALONE; else NULL */
    const struct slots *slots;  /* by ordinal; they live with the schema */
};

enum rowset_value { ROWSET_TEXTS = 1, ROWSET_MODEL, ROWSET_ALIASES, ROWSET_LOADED, ROWSET_VALUES = ROWSET_LOADED };

/* At [1] of a chunk's metatable is its RowSet, at [2] the list of the RowSets that were read together, its cohort; of a shared chunk
 * the cohorts of its lists by their first rows (nil: nobody has asked for one). At [3] the number of its first row among theirs. */
enum { CHUNK_ROWSET = 1, CHUNK_COHORT, CHUNK_FIRST_ROW };

/* At [1] of a cohort the RowSet of its first chunk; at [2] those of the others by their first row, weakly: once their instances are
 * gone, nobody asks for them. Rows are counted from 0, by what the chunks have room for. At [3] the first row in the first chunk,
 * where that is shared. */
enum { COHORT_FIRST = 1, COHORT_LATER, COHORT_OFFSET };

/* Gives the metatable of a chunk, on the top, what reading a missing association does (enum lazy). */
void set_lazy_index(lua_State *L, int model_index, int lazy);

/* Pushes a fresh metatable for instances of the model (userdata at model_index) with a RowSet of `capacity` rows; 0: unsaved. */
struct rowset *rowset_new(lua_State *L, int model_index, int capacity);

/* Pushes the metatable of the chunk that single rows and short lists share, made anew when outdated or without room for `rows`. */
struct rowset *rowset_open(lua_State *L, int model_index, int rows);

/* Pushes the cohort of the list in a shared chunk, whose metatable is at `chunk`, that begins with row `first`. */
void push_shared_cohort(lua_State *L, int chunk, int first);

/* Pushes the metatable of the shared chunk if the address still has the row `number` of `rowset`, and that is the one; else
 * nothing, false. */
bool rowset_reopen(lua_State *L, int model_index, const struct rowset *rowset, int number, const void *address);

/* Pushes the metatable of unsaved instances. */
void push_unsaved_metatable(lua_State *L, int model_index);

/* Sets a row aside, as one that was read alone; returns its number. The rowset must have room. */
static inline int rowset_reserve(struct rowset *rowset) {
    if (rowset->firsts) rowset->firsts[rowset->count] = ROW_ALONE;
    return rowset->count++;
}

/* Gives the table at an address such a row. */
void rowset_put(struct rowset *rowset, int row, const void *address);

/* Both; returns the row's number. */
int rowset_register(struct rowset *rowset, const void *address);

/* Whether its originals are where the model has its attributes. */
static inline bool rowset_is_current(const struct rowset *rowset) {
    return rowset->shape == rowset->model->shape;
}

/* The row of an address, or -1. */
int rowset_find(const struct rowset *rowset, const void *address);

/* Pushes the RowSet of the instance at `index` (its metatable's [1]), or pushes nothing and returns NULL. */
struct rowset *instance_rowset(lua_State *L, int index);

/* Keeps the original of one attribute; the shown value is at `value_index` (texts are shared), texts at `texts_index`.
 * `source`: JSON text, else NULL kind. */
void original_keep(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index, int value_index);
/* The same for a value that is at hand, as far as it needs no Lua string; false: it needs one. */
bool original_keep_value(struct rowset *rowset, int row, const struct attr *attr, struct value value);
/* The same for the Lua string on the top. */
void original_keep_text(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index);
void original_keep_source(lua_State *L, struct rowset *rowset, int row, const struct attr *attr, int texts_index,
                          struct value source);

/* True if the string at `current` is the very string that was kept as the original (kind ORIGINAL_TEXT) among the texts at `texts`. */
bool is_original_text(lua_State *L, int texts, const struct rowset *rowset, int row, const struct attr *attr, int current);

/* Pushes the original as the instance showed it (JSON decoded anew); nil where NULL or absent. The RowSet userdata is at
 * `rowset_index`. */
void push_original(lua_State *L, int rowset_index, const struct rowset *rowset, int row, const struct attr *attr);

/* A plain original as a value, whose text is in the texts at `texts`; false: it is absent, or a table. */
bool original_value(lua_State *L, const struct rowset *rowset, int row, const struct attr *attr, int texts, struct value *value);

/* Pushes a table whose values may be collected, with room for a list of them: dropping a loaded list gives its memory back. */
void push_weak_table(lua_State *L, int room);

/* Remembers that the association `name` of a row is loaded: as the value at `value_index` (nil: there is no row), with the options at
 * `options_index` (0: none). The RowSet userdata is at rowset_index. */
void note_loaded(lua_State *L, int rowset_index, int row, const char *name, int value_index, int options_index);

/* The parts of it, for rows that were just built: pushes the value at `value_index` as it is remembered; pushes the chunk's table of
 * such values by row, from 1, or that of options; made with room for `rows` where there is none. */
void push_loaded_value(lua_State *L, int value_index);
void push_loaded_by_row(lua_State *L, int rowset_index, int rows, const char *name);
void push_options_by_row(lua_State *L, int rowset_index, int rows, const char *name);

/* Pushes what is remembered: a table, false (loaded, no row), or nil (not loaded, or the value is gone). */
void push_loaded(lua_State *L, int rowset_index, int row, const char *name);

/* Pushes the options that it was loaded with, or nil. */
void push_loaded_options(lua_State *L, int rowset_index, int row, const char *name);

/* Pushes the table by name of all that is remembered for the chunk, or nil. */
void push_all_loaded(lua_State *L, int rowset_index);

/* Forgets it. */
void forget_loaded(lua_State *L, int rowset_index, int row, const char *name);

/* Where a number is kept; NULL: the attribute's type has none. */
static inline union number *original_number(const struct rowset *rowset, int row, const struct attr *attr) {
    unsigned slot = rowset->slots[attr->ordinal].number;
    return slot == NO_SLOT ? NULL : &rowset->numbers[row * rowset->number_width + (int)slot];
}

/* The originals of one row, by ordinal and slot. */
struct original_row {
    unsigned char *kinds;
    union number *numbers;
    const struct slots *slots;
};

static inline struct original_row original_row(const struct rowset *rowset, int row) {
    return (struct original_row){ rowset->kinds + row * rowset->width, rowset->numbers + row * rowset->number_width,
                                  rowset->slots };
}

/* Keeps a number, unless the attribute's type has none: it counts as absent then. */
static inline void original_keep_number(struct original_row row, int ordinal, enum original kind, union number number) {
    if (row.slots[ordinal].number == NO_SLOT) return;
    row.kinds[ordinal] = (unsigned char)kind;
    row.numbers[row.slots[ordinal].number] = number;
}

/* Counts as absent again. */
static inline void original_forget(const struct rowset *rowset, int row, const struct attr *attr) {
    if (attr->ordinal < rowset->width) rowset->kinds[row * rowset->width + attr->ordinal] = ORIGINAL_ABSENT;
}

static inline enum original original_kind(const struct rowset *rowset, int row, const struct attr *attr) {
    if (attr->ordinal >= rowset->width) return ORIGINAL_ABSENT;
    return (enum original)rowset->kinds[row * rowset->width + attr->ordinal];
}

#endif
