/* JSON text ↔ Lua values.
 *
 *     JSON        Lua
 *     null        liga.null, the light userdata NULL
 *     integer     integer; beyond 64 bits a float
 *     other       float; a float is written so that it reads back as one: 1.0
 *     array       sequence with the array metatable, so that an empty one stays an array
 *     object      plain table; written with its keys in byte order: equal values give equal texts
 *
 * Tables are read raw: no metamethod runs. Nothing here owns memory but the caller's arena, so a longjmp out of the Lua
 * API or out of an arena's oom leaks nothing. */
#ifndef LIGA_LUA_JSON_H
#define LIGA_LUA_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

struct arena;
struct buf;
struct error;

/* Levels of nesting, in both directions. */
enum { JSON_DEPTH = 200 };

/* Name of the array metatable in the registry, and its __name. */
#define JSON_ARRAY "liga.array"

/* Pushes the metatable of arrays (`__jsontype = "array"`, `__name`), made at the first call. */
void json_push_array_metatable(lua_State *L);

/* True for a table whose metatable says `__jsontype = "array"`: liga's lists, liga.array{}, dkjson's arrays. */
bool json_is_array(lua_State *L, int index);

/* Pushes the value of a JSON text. False: nothing is pushed, the error (ValidationError) names the position. */
bool json_push(lua_State *L, const char *text, size_t len, struct arena *arena, struct error *error);
/* … where the infinities are numbers too large, as lists of floats have them. */
bool json_push_reals(lua_State *L, const char *text, size_t len, struct arena *arena, struct error *error);

/* Asked for every table with a metatable. May push one value, which is written in the table's place; the value's tables
 * are not asked for again at its own level. Returns true if it pushed. It may run Lua code and raise. */
typedef bool json_replace(lua_State *L, int index, void *owner);

struct json_hook {
    json_replace *replace;
    void *owner;
    bool refuses_nul;               /* for PostgreSQL's JSONB, which has no text with a NUL character */
    bool infinities;                /* are written as numbers too large */
};

/* For what goes to the database: documents, and lists of floats. */
extern const struct json_hook json_stored, json_stored_reals;

/* Appends the JSON text of the value at `index`; nil is null. `hook` may be NULL. False: the error (ValidationError;
 * `path` is set) is set and the text in `out` is unfinished. */
bool json_write(lua_State *L, int index, const struct json_hook *hook, struct buf *out, struct error *error);

/* ------------------------------------------------------------------------------------------ the functions Lua sees */

struct json_binding {
    int (*raise)(lua_State *L, const struct error *error);      /* raises a Lua error object; does not return */
    struct json_hook hook;                                      /* all zero: none */
};

/* Pushes a table with `encode(value)`, `decode(text)` and `array([sequence])` (gives the sequence, or a new table, the
 * array metatable). `binding` must live as long as the Lua state. */
void json_open(lua_State *L, const struct json_binding *binding);

#endif
