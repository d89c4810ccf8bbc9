/* struct value ↔ Lua value. */
#ifndef LIGA_LUA_VALUE_H
#define LIGA_LUA_VALUE_H

#include "lua/call.h"

/* Pushes a value as it is (NULL: nil). */
void push_value(lua_State *L, struct value value);
/* Pushes them as a list, NULL as liga.null. */
void push_values(lua_State *L, const struct value *values, int count);

/* Pushes a logical value of an attribute as an instance shows it: JSON decoded, dates by the database's `dates` option. False: a
 * stored JSON text is malformed (error set, nothing pushed). */
bool push_logical(lua_State *L, const struct db *db, const struct attr *attr, struct value value, struct arena *arena,
                  struct error *error);

/* With dates = "epoch": turns the instants in the value on the top (of an array, a range, or one itself) from texts into seconds. */
void show_instants(lua_State *L, const struct type *type);

/* True for nil and liga.null. */
bool is_null(lua_State *L, int index);

/* Reads the Lua value at `index` in the attribute's logical form; nil and liga.null are NULL. Texts are copied into the arena.
 * False: error set, with model, attribute and value. */
bool read_attr_value(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena,
                     struct error *error);

/* Whether the attribute's column has room for a logical value; false: error set, as above. */
bool attr_has_room(const struct attr *attr, const struct value *value, struct arena *arena, struct error *error);

/* nil, boolean, number or string as it is, its text not copied; false: something else. */
bool borrow_plain(lua_State *L, int index, struct value *value);

/* As read_attr_value, without copying texts: they live as long as the Lua value stays where it is. */
bool borrow_attr_value(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena,
                       struct error *error);

/* Reads a plain Lua value (nil, boolean, number, string; anything else is an error) without a type. */
bool read_plain(lua_State *L, int index, struct value *value, struct arena *arena, struct error *error);

/* Pushes a field of the table at `index`, raw: options are the user's, and no metamethod of theirs runs. Returns its Lua type. */
int push_field(lua_State *L, int index, const char *key);

/* The string at `index` as a name; one with a NUL byte is no name, and reads as a text that is none either. */
const char *name_at(lua_State *L, int index);

/* The name of a value's kind for messages: "a table", "a function" … */
const char *kind_text(lua_State *L, int index);

#endif
