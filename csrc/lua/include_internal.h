/* What the files that read includes share. */
#ifndef LIGA_LUA_INCLUDE_INTERNAL_H
#define LIGA_LUA_INCLUDE_INTERNAL_H

#include "lua/include.h"

/* What reading a level needs to know. */
struct level {
    struct find *find;
    const struct model *model;
    const char *path;
    const struct level *above;
    int depth;
    struct include **first;
    bool additional;            /* what a scope includes: the user's own includes of the same associations win */
    int list;                   /* stack index of the list that is read, or 0 */
};

static inline struct arena *arena_of(const struct level *level) {
    return level->find->where.arena;
}

/* Sets an EagerLoadingError at the level's path; false. */
bool level_wrong(const struct level *level, const char *sentence);

/* The class at `index`, or NULL; true for a table that is neither a class nor an association object. */
const struct model_box *class_at(lua_State *L, int index);
bool is_plain_table(lua_State *L, int index);

/* The association that the table at `index` names by `association`, `as` or `model`. False: EagerLoadingError set. */
bool include_association(lua_State *L, const struct level *level, int index, const struct assoc **assoc);

/* Keeps the table at `index` for the plan; returns its place in the list that hangs on the box. */
int keep_options(lua_State *L, struct find *find, int index);

/* The node of an association in the level; NULL: there is none yet. */
struct include *find_include(const struct level *level, const struct assoc *assoc);

/* Adds a node; `index`: its options, 0: none; class_index: its model as it was named, 0: it was not. False: error set. */
bool add_include(lua_State *L, const struct level *level, const struct assoc *assoc, int index, int class_index);

/* Reads what an `include` at `index` holds, in any of its forms. False: error set. */
bool read_include_level(lua_State *L, const struct level *level, int index);

/* ---- include_options.c */

/* Reads one option, whose value is at `index`, into the include. False: error set. */
typedef bool include_reader(lua_State *L, const struct level *level, struct include *include, int index);
include_reader read_include_limit, read_include_offset;
/* Reads the option table at `index`, what it includes too. */
include_reader read_include_options;

/* ---- include_scope.c */

/* The default scope of the target, or the scopes that were chosen for it (class_index as above), are kept for the plan, and what
 * they include is read. They never make an include required. */
bool read_include_scopes(lua_State *L, const struct level *level, struct include *include, int class_index);
/* Of many children a scope may want some only; what the include itself says counts first. False: error set. */
bool read_scoped_counts(lua_State *L, const struct level *level, struct include *include);

/* ---- include_all.c */

/* Reads { all = …, nested = … } at `index`, and adds what it means. False: error set. */
bool read_include_all(lua_State *L, const struct level *level, int index);

#endif
