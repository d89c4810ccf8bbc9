/* What the writes of one instance and of many rows share. */
#ifndef LIGA_LUA_WRITE_JOB_H
#define LIGA_LUA_WRITE_JOB_H

#include "lua/write.h"

/* What a write remembers from planning to its results. */
struct write {
    struct write_options options;
    struct value *values;               /* logical, by ordinal */
    bool *known;                        /* which of them the instance gets */
    const struct output *returning;     /* attributes that come back from the database */
    struct row *row;                    /* of an INSERT */
    const char *vanished;               /* what to say if no row was there; NULL: nothing to say */
    bool guarded;                       /* … of the version that was read */
};

struct write *write_new(struct call *call);

/* Lets an error of a foreign key know what the call's statement writes; `removes`: it is no INSERT. */
void write_tells(struct call *call, bool removes);

/* A job of the one statement that call->statement is. */
bool run_statement_once(lua_State *L, struct call *call);

/* A cell as a logical value that outlives its row. */
struct value kept_cell(struct call *call, const struct attr *attr, struct value cell);

/* Takes the row of RETURNING (or of a reload) into the write's values. */
enum drive take_values(lua_State *L, struct call *call);

/* Raises InstanceError: the row is not there. */
int vanished(lua_State *L, struct call *call);

/* Pushes the instance, which now holds the values its row was read with. */
int read_back_results(lua_State *L, struct call *call);

/* Opens a call for the instance at index 1, which becomes its result; the RowSet userdata is left at *rowset_index. */
struct call *open_instance_call(lua_State *L, struct instance *instance, int *rowset_index);

/* Ends a call that has nothing to write; its result is returned. */
int nothing_to_do(lua_State *L, struct call *call);

/* The key of a stored instance (at index 1); false: it is not stored or its key is incomplete (error set). */
bool stored_key_of(lua_State *L, struct call *call, int rowset_index, const struct instance *instance, struct value *key);

/* True unless `fields` leaves the attribute out. */
bool written_field(const struct write_options *options, const struct attr *attr);

/* A changed value becomes an assignment; one that doesn't fit becomes a fault. */
void assign_change(lua_State *L, struct call *call, struct update *update, const struct attr *attr, int value_index);

/* Sets a timestamp to the call's clock reading; attr NULL, or silent: nothing. */
void touch(struct call *call, struct update *update, const struct attr *attr);

/* Writing to every row must be asked for by `all`: Lua's trap is that {id = nil} is an empty table. */
bool check_condition(struct call *call, const struct write_options *options, const char *verb);

/* RETURNING what `returning` lists and the key (all attributes where it lists none), hydrated like the rows of a
 * find. */
void return_rows(lua_State *L, struct call *call, const struct write_options *options, struct output **returning);

/* Runs an UPDATE of the rows that the options name. */
int run_update(lua_State *L, struct call *call, struct update *update);

/* Functions for the tables of the module and of class methods. */
void open_many_writes(lua_State *L);            /* class methods, on the top */
void open_counters(lua_State *L);               /* the module on the top, its class_methods above */

#endif
