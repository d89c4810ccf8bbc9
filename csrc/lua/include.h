/* The include tree: read from Lua into nodes, then planned: to-one by a join, to-many by a step of its own. */
#ifndef LIGA_LUA_INCLUDE_H
#define LIGA_LUA_INCLUDE_H

#include "lua/find.h"

enum strategy { STRATEGY_CHOSEN, STRATEGY_JOIN, STRATEGY_SELECT };

/* One association that is to be loaded. Its options stay in their Lua table (in the list that hangs on the call box as CALL_KEEP)
 * until it is planned: only then it is known which table of which statement they speak of. */
struct include {
    struct include *next, *first;       /* siblings, children, in the order they were asked for */
    const struct assoc *assoc;
    const char *path;                   /* "include.comments.author", for messages */
    int number;                         /* from 1 */
    int options;                        /* place of its table in the list, 0: none */
    int scope, scopes;                  /* first place and number of the scopes of its target that are in force */
    enum strategy strategy;
    int64_t limit, offset;              /* -1: none */
    bool has_where;                     /* with something in it */
    bool required, required_given;
    bool hidden;                        /* attributes = {}: no property; what it asks for is a condition only */
    bool with_deleted;                  /* paranoid = false */
    bool by_all;                        /* { all = true } brought it */
    bool grouped;                       /* it was joined for a group */
};

enum { INCLUDE_DEPTH = 64, INCLUDE_NODES = 10000 };

/* Reads the option `include` at `index` into find->includes. False: EagerLoadingError set, with the path. */
bool read_includes(lua_State *L, struct find *find, int index);

/* The association that a model or an association object at `index` means, of `model`; NULL: *sentence says why not. */
const struct assoc *assoc_at(lua_State *L, struct call *call, const struct model *model, int index, const char **sentence);

/* Adds what is included to the plan: nodes, joins, steps. The error may be set. */
void plan_includes(lua_State *L, struct find *find);

/* The same for instances that exist, which are the rows of the plan's root: its first level are steps, whatever they lead to. */
void plan_loads(lua_State *L, struct find *find);

/* Adds conditions only: the rows that required includes leave. */
void plan_required(lua_State *L, struct find *find);

/* Joins the includes without attributes once a group is asked for, so that aggregates can count their rows. False: error set. */
bool join_for_groups(lua_State *L, struct find *find);

/* Pushes the option table of an include, nil if it has none. */
void push_include_options(lua_State *L, struct call *call, const struct include *include);

/* Pushes an option of the include, or of the last of its scopes that has it; nil: none has. Returns its Lua type. */
int push_include_option(lua_State *L, struct call *call, const struct include *include, const char *key);

/* Sets an EagerLoadingError at the include's path; false. */
bool include_wrong(struct find *find, const char *path, const char *sentence);

#endif
