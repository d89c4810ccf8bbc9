/* What is wrong with values: faults of validation, collected and raised together; and database errors in the words of the
 * schema: which model, which attributes. */
#ifndef LIGA_LUA_FAULT_H
#define LIGA_LUA_FAULT_H

#include "lua/call.h"

/* Pushes call->error as a liga.Error object; constraint errors name model and attributes, not only table and columns. */
void push_call_error(lua_State *L, struct call *call);

/* Adds a validation fault; they are raised together. */
void add_fault(struct call *call, const struct attr *attr, const char *validator, const char *message, struct value value);

/* Keeps the Lua value at `index` as that of the fault added last: a table, a function, whatever no struct value holds. */
void keep_fault_value(lua_State *L, struct call *call, int index);
/* … that of an error of its own, as there is in conditions. */
void keep_error_value(lua_State *L, struct call *call, int index);

/* Sets the ValidationError of all faults; false if there were any. */
bool no_faults(struct call *call);

/* Pushes the list of {attribute, validator, message, value} for ValidationError's `errors`. */
void push_faults(lua_State *L, const struct call *call);

#endif
