/* Lua options → plan. */
#ifndef LIGA_LUA_FIND_H
#define LIGA_LUA_FIND_H

#include "lua/where.h"

struct include;

struct find {
    struct where_reader where;
    struct plan *plan;
    int node, alias;                /* of the plan: whose options these are, and its table */
    struct path_base base;          /* where paths begin */
    struct where_alias *aliases;    /* of `attributes`, the last one first */
    struct include *includes;       /* the tree's first level, or NULL */
    int include_count;              /* in the whole tree */
    int steps;                      /* statements besides the first, so far */
    bool reject_on_empty;
    bool attributes_given;
    bool with_deleted;              /* paranoid = false: rows that are marked as deleted too */
    const char *column;             /* `col` of count */
    const struct expr *expression;  /* … if it is an expression */
    struct plan_column *grouped;    /* columns of `group`, as result columns */
    int grouped_count;
    bool exact;                     /* of has */
    int options;                    /* stack index of the options table */
    bool through;                   /* given; read by the getter itself */
    int64_t total;                  /* of findAndCountAll: rows, whatever the limit */
};

/* Option sets: which keys a caller takes beyond those of finds. */
enum find_options {
    FIND_PLAIN = 0, FIND_COUNT = 1, FIND_LINK = 2 /* over a junction */, FIND_HAS = 4, FIND_LINKED = 8 /* getters */,
    FIND_VALUE = 16 /* aggregates other than count */
};

static inline const struct model *model_of(const struct find *find) {
    return find->where.model;
}

/* Sets a UsageError at a place; always false. */
bool find_wrong(struct find *find, const char *path, const char *sentence);

/* Opens the call of a finder on the class at index 1. */
struct find *start_find(lua_State *L, struct call **call);

/* Pushes the set of option names, for Lua code that adds one of its own. */
void push_option_names(lua_State *L);

/* "off", "batch", "raise" at `index`; LAZY_UNSET: it is none of them. */
int lazy_at(lua_State *L, int index);

/* Starts a find over a model (root alias t0, no columns yet). */
struct find *find_new(struct call *call, const struct model *model);

/* Reads the options table at `index` (nil: none). False: error set. */
bool read_find(lua_State *L, struct find *find, int index, enum find_options options);

/* Adds all attributes of a model as columns to the plan's last node. */
void find_attrs(lua_State *L, const struct find *find, struct plan *plan, const struct model *model, int alias);

/* Ends the reading of what is to be read: adds every attribute of the model as a column unless `attributes` were given, then what is
 * included. The error may be set. */
void find_columns(lua_State *L, struct find *find);

/* Orders the rows of a limit by their key if nothing else does. */
void order_limited(struct find *find);

/* Ends the reading of what only counts or looks for rows: required includes become conditions. */
void find_filters(lua_State *L, struct find *find);

/* Readers of single options at `index` into the find; false: error set. */
bool read_attributes_option(lua_State *L, struct find *find, int index);
bool read_order(lua_State *L, struct find *find, int index);
/* False with error set: an alias has the name of an attribute, or of one of the includes. */
bool aliases_are_free(struct find *find, const struct include *includes);
/* False with error set: the node's rows have an attribute, an alias or one of the includes of the name that a junction's row is to
 * have on them. */
bool junction_is_free(struct find *find, const struct plan *plan, int node, const struct include *includes, const char *name);

/* Raises EmptyResultError if nothing was found and rejectOnEmpty was given: a results function. */
int find_results(lua_State *L, struct call *call);

/* Reads names, {expression, alias} … into columns of the plan's last node. */
bool read_attribute_list(lua_State *L, struct find *find, const struct model *model, int alias, int index);

/* A key argument: one value, a list in order of the key, or a table by name. False: error set. */
bool read_key_argument(lua_State *L, struct call *call, const struct model *model, int index, struct value *key);

/* Makes the plan of the find count its rows, or those of each group. False: error set. */
bool plan_rows_count(struct find *find);

/* Ends a count over the find: the number, or a list of rows where it is grouped. */
int count_rows(lua_State *L, struct call *call, struct find *find);

/* Reads a standing `order` of the association into the schema's arena; NULL with error set if it is wrong. */
const struct order_term *read_standing_order_list(lua_State *L, struct call *call, const struct assoc *assoc, int index,
                                                  struct error *error);

/* sum, min, max or avg of an attribute as the method of that name would ask for it (NULL for no rows), and how it is read; any
 * other expression as it is. */
const struct expr *aggregate_expression(const struct find *find, const struct expr *expr, const struct attr **reads_as);

/* Adds count, sum … to the table on the top. */
void open_aggregates(lua_State *L);

/* Adds the finders to the table on the top. */
void open_finders(lua_State *L);

#endif
