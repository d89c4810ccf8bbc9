/* What an instance is to the core: its state, its key, which attributes changed. */
#ifndef LIGA_LUA_INSTANCE_H
#define LIGA_LUA_INSTANCE_H

#include "lua/rowset.h"

enum instance_state {
    INSTANCE_NONE,          /* no instance of liga */
    INSTANCE_NEW,           /* not stored yet */
    INSTANCE_STORED,
    INSTANCE_FOREIGN        /* borrowed the metatable: counts as stored, everything changed */
};

struct instance {
    enum instance_state state;
    struct rowset *rowset;
    int row;                /* in the rowset, -1: none */
};

/* True for an instance of any model. */
bool instance_test(lua_State *L, int index);

/* Looks at the value at `index`; the RowSet userdata is pushed unless it is no instance. */
struct instance instance_look(lua_State *L, int index);

/* Raises UsageError unless the value at `index` is an instance (of the model, unless NULL). Pushes the RowSet userdata. */
struct instance check_instance(lua_State *L, int index, const struct model *model);

/* Whose an instance is that is none of the model's: names its model, or the database object where the names are equal. */
const char *other_model_text(const struct model *other, const struct model *expected);

/* Pushes the raw value of an attribute of the instance at `index`. */
void push_attribute(lua_State *L, int index, const struct attr *attr);

/* True if the attribute's value differs from the original (see contract, section 6). The rowset userdata is at rowset_index.
 * False with error set: the value doesn't fit its type. */
bool attribute_changed(lua_State *L, struct call *call, int index, int rowset_index, const struct instance *instance,
                       const struct attr *attr);
/* The same for the value at `current`; a value that doesn't fit counts as changed. */
enum change { UNCHANGED, SAME_VALUE /* in another form: 3.0 for 3 */, CHANGED };
enum change value_change(lua_State *L, struct call *call, int rowset_index, int texts, const struct instance *instance,
                         const struct attr *attr, int current);

/* The key the row is stored under: originals where known, else what the instance holds. False: a part is missing. */
bool read_stored_key(lua_State *L, struct call *call, int index, int rowset_index, const struct instance *instance,
                     struct value *key);

/* The attributes' values as the instance holds them, logical form. False: error set. */
bool read_attributes(lua_State *L, struct call *call, int index, struct attr_list attrs, struct value *values);

/* Makes the instance at `index` a stored one holding `values` (logical, by ordinal; `known` says which are known), or updates
 * its originals. A JSON table that is there stays, as it is what was written, unless `fresh`: then the values were read. */
void instance_store(lua_State *L, struct call *call, int index, const struct value *values, const bool *known, bool fresh);

/* Adds isNew, changed, previous, … to the table on the top. */
void open_instances(lua_State *L);

#endif
