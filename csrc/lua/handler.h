/* The Lua functions that the binding hands over to where your code has to run between statements. Per call, never per row. */
#ifndef LIGA_LUA_HANDLER_H
#define LIGA_LUA_HANDLER_H

#include "lua/state.h"

/* id, name in core.set_handlers */
#define HANDLERS(X)                                         \
    X(FILL_DEFAULTS,     "fill_defaults")                   \
    X(FILL_LIST,         "fill_list_defaults")              \
    X(FILL_LINKS,        "fill_link_defaults")              \
    X(DESTROY_INSTANCE,  "destroy_instance")                \
    X(DESTROY_WHERE,     "destroy_where")                   \
    X(TRUNCATE,          "truncate")                        \
    X(ASSOCIATE,         "associate")                       \
    X(FREE_TARGETS,      "free_targets")                    \
    X(LINKED,            "linked")                          \
    X(CREATE_NESTED,     "create_nested")                   \
    X(READ_BATCH,        "read_batch")                      \
    X(CHECK_PENDING,     "check_pending")

enum handler {
#define X(id, name) HANDLER_##id,
    HANDLERS(X)
#undef X
    HANDLER_COUNT
};

/* Calls the handler with the first `arguments` stack slots and returns its results; it may yield. */
int call_handler(lua_State *L, enum handler handler, int arguments);

/* Calls the function below its `arguments` on the stack and returns its results; it may yield. */
int call_function(lua_State *L, int arguments);

/* The class at `class_index` fills defaults by function into the values at `values_index`; then runs `plain` on the stack
 * below the class. */
int fill_then(lua_State *L, int class_index, int values_index, lua_CFunction plain);

/* Pushes a handler; nil before liga.handlers was loaded. */
void push_handler(lua_State *L, enum handler handler);

/* A function of the API whose first argument is a class: the model behind that. */
typedef int class_function(lua_State *L, struct model_box *box);

/* Runs `plain` with stack (class, values, options); where the model has defaults by function the handler makes the values
 * first. */
int with_defaults(lua_State *L, enum handler handler, class_function *plain);

/* Adds set_handlers to the table on the top. */
void open_handlers(lua_State *L);

#endif
